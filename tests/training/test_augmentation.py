"""Sizes, blur and brightness of pictures that are learned from, and what stays of their maps and fixations."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from salbox.errors import UsageError  # noqa: E402
from salbox.training.augmentation import (  # noqa: E402
    Augmentation,
    blurred,
    brightened,
    moved_counts,
    resized_maps,
)
from salbox.training.batches import Drawn, draw_epoch, load, typical_batch  # noqa: E402
from salbox.training.cache import Sample, prepare  # noqa: E402
from salbox.training.recipe import read_recipe  # noqa: E402

SIZE = (96, 128)
SIZES = ((64, 64), (64, 96), (96, 128))


def sample(i: int) -> Sample:
    """A white square whose mask it is, on noise; two people looked at its middle, one at a corner."""
    random = np.random.default_rng(i)
    image = random.integers(0, 120, (*SIZE, 3), dtype=np.uint8)
    top, left = random.integers(10, 50, 2)
    image[top : top + 36, left : left + 40] = 250
    mask = (image[:, :, 0] == 250).astype(np.float32)
    middle = ((left + 20.5) / SIZE[1], (top + 18.5) / SIZE[0])
    places = np.array([middle, middle, (0.99, 0.01)])
    return Sample(f"p{i}", lambda: image, (lambda: mask,), ("h",), lambda: places)


@pytest.fixture
def pictures(tmp_path):
    size = lambda h, w: (h // 2, w // 2)  # noqa: E731
    return prepare([sample(i) for i in range(12)], tmp_path / "work", resize=lambda p: p, map_size=size, heads=1)


def epoch(pictures, number=0, **keys) -> list[Drawn]:
    augmentation = Augmentation(size=SIZE, **keys)
    return draw_epoch(pictures, number, images=12, batch_size=4, seed=5, augmentation=augmentation)


def test_every_batch_has_one_of_the_sizes_and_its_maps_half_of_it(pictures):
    sizes = set()
    for number in range(8):
        for drawn in epoch(pictures, number, sizes=SIZES, crop=0.7):
            batch = load(pictures, drawn)
            height, width = batch.images.shape[2:]
            assert batch.maps.shape[2:] == batch.fixations.shape[2:] == (height // 2, width // 2)
            sizes.add((height, width))
    assert sizes == {*SIZES}


def test_pictures_of_another_shape_get_as_large_a_share():
    random = np.random.default_rng(0)
    portrait = {Augmentation(size=(352, 352), sizes=((224, 224), (352, 352))).draw_size((448, 256), random)}
    while len(portrait) < 2:
        portrait.add(Augmentation(size=(352, 352), sizes=((224, 224), (352, 352))).draw_size((448, 256), random))
    assert portrait == {(288, 160), (448, 256)}


def test_the_same_seed_and_epoch_give_the_same_batches_and_others_others(pictures):
    keys = {"sizes": SIZES, "crop": 0.7, "blur": 2.0, "brightness": 0.3}
    once, again, later = epoch(pictures, 1, **keys), epoch(pictures, 1, **keys), epoch(pictures, 2, **keys)
    assert once == again
    assert once != later
    for a, b in zip(once, again, strict=True):
        assert torch.equal(load(pictures, a).images, load(pictures, b).images)


def test_what_is_drawn_anew_leaves_flips_and_crops_as_they_were(pictures):
    plain, varied = epoch(pictures, crop=0.7), epoch(pictures, crop=0.7, sizes=SIZES, blur=2.0, brightness=0.3)
    same = [(d.group, d.rows, d.flips, d.crop, d.corners) for d in plain]
    assert [(d.group, d.rows, d.flips, d.crop, d.corners) for d in varied] == same


def test_a_part_of_a_batch_is_what_the_whole_has_there(pictures):
    for drawn in epoch(pictures, crop=0.7, sizes=SIZES, blur=2.0, brightness=0.3):
        whole, part = load(pictures, drawn), load(pictures, drawn.of([1, 3]))
        for name in ("images", "maps", "valid", "fixations"):
            assert torch.equal(getattr(whole, name)[[1, 3]], getattr(part, name))


def test_blur_and_brightness_are_of_the_picture_alone(pictures):
    plain, varied = epoch(pictures), epoch(pictures, blur=3.0, brightness=0.4)
    for a, b in zip(plain, varied, strict=True):
        before, after = load(pictures, a), load(pictures, b)
        assert torch.equal(before.maps, after.maps)
        assert torch.equal(before.fixations, after.fixations)
        for image, other, blur, gain in zip(before.images, after.images, b.blurs, b.gains, strict=True):
            expected = brightened(blurred(image.permute(1, 2, 0).numpy().copy(), blur), gain)
            np.testing.assert_array_equal(other.permute(1, 2, 0), expected)
        assert len(set(b.gains)) == len(b.rows)
        assert all(0 <= blur <= 3 for blur in b.blurs)
        assert all(0.6 <= gain <= 1.4 for gain in b.gains)


@pytest.mark.parametrize("size", [(64, 64), (80, 48), (33, 50)])
def test_a_mask_that_shrinks_is_grey_only_where_its_edge_is(size):
    mask = np.zeros((1, 1, 100, 140), np.float32)
    mask[..., 31:77, 22:101] = 1
    found = resized_maps(mask, size)[0, 0]
    # A pixel whose whole ground is within, or without, is 1, or 0.
    ground = lambda n, side: [(i * side / n, (i + 1) * side / n) for i in range(n)]  # noqa: E731
    covered = lambda n, side, first, last: np.array(  # noqa: E731
        [max(0.0, min(b, last) - max(a, first)) / (b - a) for a, b in ground(n, side)]
    )
    expected = np.outer(covered(size[0], 100, 31, 77), covered(size[1], 140, 22, 101))
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert ((found == 0) | (found == 1)).mean() > 0.85


def test_a_mask_of_a_crop_that_grows_again_has_an_edge_of_few_pixels(pictures):
    """At most four: a stored pixel that the edge crosses, what is blended of its neighbors, 1.5 times as large."""
    for drawn in epoch(pictures, sizes=(SIZE,), crop=0.8):
        for mask in load(pictures, drawn).maps.numpy()[:, 0]:
            inside = mask > 0.5
            edge = sum(int((np.diff(inside, axis=axis)).sum()) for axis in (0, 1))
            assert edge > 20
            assert ((mask > 0.02) & (mask < 0.98)).sum() <= 4 * edge


def test_no_fixation_is_lost_and_each_goes_with_its_place(pictures):
    for drawn in epoch(pictures, sizes=SIZES[:2]):
        batch = load(pictures, drawn)
        assert batch.fixations.sum(dim=(1, 2, 3)).tolist() == [3.0] * len(drawn.rows)
        for counts, mask in zip(batch.fixations[:, 0], batch.maps[:, 0], strict=True):
            assert float((counts * (mask > 0.9)).sum()) == 2
    moved = moved_counts(np.eye(4, dtype=np.float32)[None, None], (2, 4))
    assert moved[0, 0].tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]


def test_of_a_picture():
    image = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert blurred(image, 0) is image
    kernel = cv2.getGaussianKernel(13, 2.0)
    expected = cv2.sepFilter2D(image.astype(np.float64), -1, kernel, kernel, borderType=cv2.BORDER_REFLECT_101)
    assert np.abs(blurred(image, 2.0) - expected).max() < 1.5
    np.testing.assert_array_equal(brightened(image, 1.5), np.minimum(255, np.rint(image * 1.5)))
    np.testing.assert_array_equal(brightened(image, 1.0), image)


def test_the_speed_is_measured_at_the_middle_size(pictures):
    batch = typical_batch(pictures, batch_size=4, seed=0, augmentation=Augmentation(size=SIZE, sizes=SIZES[::-1]))
    assert batch.images.shape[2:] == (64, 96)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("sizes=[[224, 200]]", "sizes: 224x200: expected multiples of 32"),
        ("sizes=[[384, 352]]", "sizes: 384x352 is larger than size, 352x352; change sizes too"),
        ("blur=-1", "blur"),
        ("brightness=1", "brightness"),
    ],
)
def test_recipes_that_ask_for_what_cannot_be(setting, message):
    with pytest.raises(UsageError, match=message):
        read_recipe("box", ["size=[352, 352]", setting])


def test_none_of_it_unless_it_is_asked_for(pictures):
    recipe = read_recipe("box")
    assert (recipe.sizes, recipe.blur, recipe.brightness, recipe.side_weights) == ([], 0, 0, [])
    assert all((d.size, d.blurs, d.gains) == (None, (), ()) for d in epoch(pictures, crop=0.7))
