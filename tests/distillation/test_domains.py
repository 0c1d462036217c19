"""Domains: the same for the same seed, at any size, and each what it says."""

from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest
from skimage import data

from salbox.distillation.domains import DOMAINS, TEST_DOMAINS, TRAINING_DOMAINS, apply
from salbox.errors import UsageError

NAMES = list(DOMAINS)
# Published figures compare on these: what is tested on must never be trained on.
KEPT_FOR_TESTS = {
    "infographic", "mobile-ui", "spirals", "checkerboard", "size-odd-one-out", "hatching", "jpeg", "motion-blur"
}  # fmt: skip


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return cv2.resize(data.coffee(), (320, 213), interpolation=cv2.INTER_AREA)


def saturation(image: np.ndarray) -> int:
    return int(np.ptp(image.astype(int), axis=2).max())


def strength_of_edges(image: np.ndarray) -> float:
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(float)
    return float(np.abs(np.diff(gray, axis=0)).mean() + np.abs(np.diff(gray, axis=1)).mean())


def test_what_is_kept_for_tests_is_not_trained_on():
    assert set(TEST_DOMAINS) == KEPT_FOR_TESTS
    assert not KEPT_FOR_TESTS & set(TRAINING_DOMAINS)
    assert {*TRAINING_DOMAINS, *TEST_DOMAINS} == set(DOMAINS)


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides(photo, name):
    before = photo.copy()
    one, again = apply(name, photo, 7), apply(name, photo, 7)
    np.testing.assert_array_equal(one, again)
    np.testing.assert_array_equal(photo, before)
    assert one.dtype == np.uint8
    assert one.shape[2] == 3
    assert one.flags.c_contiguous
    if name not in ("grey", "upside-down"):
        assert any(not np.array_equal(apply(name, photo, seed), one) for seed in (8, 9, 10))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (3, 5), (64, 48)])
def test_any_size(name, shape):
    rng = np.random.default_rng(0)
    for image in (rng.integers(0, 256, (*shape, 3), dtype=np.uint8), np.zeros((*shape, 3), np.uint8)):
        made = apply(name, image, 3)
        if DOMAINS[name].own_size:
            assert max(made.shape) == 640
        else:
            assert made.shape == image.shape


@pytest.mark.parametrize("name", [n for n in NAMES if DOMAINS[n].needs_photo])
def test_a_domain_of_photos_shows_the_photo(photo, name):
    # Layouts may show it elsewhere; another photo must give another picture.
    other = np.ascontiguousarray(photo[:, ::-1])
    assert any(not np.array_equal(apply(name, photo, s), apply(name, other, s)) for s in range(4))


@pytest.mark.parametrize("name", [n for n in NAMES if not DOMAINS[n].needs_photo])
def test_a_pattern_takes_nothing_but_the_size(photo, name):
    np.testing.assert_array_equal(apply(name, photo, 5), apply(name, np.zeros_like(photo), 5))


def test_grey_is_the_luma(photo):
    made = apply("grey", photo, 0)
    assert saturation(made) == 0
    np.testing.assert_allclose(made[:, :, 0], photo @ [0.299, 0.587, 0.114], atol=1)


def test_upside_down_twice_is_the_photo(photo):
    np.testing.assert_array_equal(apply("upside-down", apply("upside-down", photo, 0), 0), photo)
    np.testing.assert_array_equal(apply("upside-down", photo, 0), np.rot90(photo, 2))


def test_jumbled_moves_blocks_and_loses_no_pixel():
    # 420 is divisible by 3 to 7: nothing is cut off.
    numbered = np.arange(420 * 420).reshape(420, 420)
    image = np.stack([numbered % 256, numbered // 256 % 256, numbered // 65536], axis=2).astype(np.uint8)
    made = apply("jumbled", image, 1)
    found = made[:, :, 0].astype(int) + 256 * made[:, :, 1].astype(int) + 65536 * made[:, :, 2].astype(int)
    assert not np.array_equal(found, numbered)
    np.testing.assert_array_equal(np.sort(found.ravel()), numbered.ravel())
    # Most pixels keep their right-hand neighbour.
    assert (np.diff(found, axis=1) == 1).mean() > 0.95


def test_low_resolution_keeps_the_large_and_loses_the_fine(photo):
    made = apply("low-resolution", photo, 2)
    small = (16, 12)
    before, after = (cv2.resize(p, small, interpolation=cv2.INTER_AREA).astype(float) for p in (photo, made))
    assert np.abs(before - after).mean() < 6
    assert strength_of_edges(made) < 0.7 * strength_of_edges(photo)


def test_noise_is_in_single_pixels(photo):
    for seed in range(4):
        made = apply("noise", photo, seed)
        assert strength_of_edges(made) > 1.5 * strength_of_edges(photo)


def test_drawings_are_grey_on_light_paper(photo):
    for name in ("lines", "sketch", "hatching"):
        made = apply(name, photo, 1)
        assert saturation(made) == 0
        assert np.median(made) > 150
        assert made.min() < 100


def test_lines_follow_the_edges():
    image = np.full((240, 320, 3), 200, np.uint8)
    image[60:180, 80:240] = 60
    made = apply("lines", image, 0)[:, :, 0]
    assert made[100:140, 110:210].min() > 200
    assert made[:40].min() > 200
    assert made[100:140, 70:90].min(axis=1).max() < 100


def test_hatching_is_denser_where_it_is_darker():
    ramp = np.repeat(np.linspace(0, 255, 640).astype(np.uint8)[None], 480, axis=0)
    made = apply("hatching", np.stack([ramp] * 3, axis=2), 4)[:, :, 0]
    fifths = made.reshape(480, 5, 128).mean(axis=(0, 2))
    assert (np.diff(fifths) >= 0).all()
    assert fifths[4] - fifths[0] > 60


def test_motion_blur_smears_along_one_line():
    image = np.zeros((201, 201, 3), np.uint8)
    image[100, 100] = 255
    rows, columns = np.nonzero(apply("motion-blur", image, 3)[:, :, 0])
    spread = np.linalg.svd(np.stack([rows - 100.0, columns - 100.0]))[1]
    assert spread[0] > 5 * spread[1]
    assert len(rows) >= 6


def test_jpeg_shows_its_blocks(photo):
    made = apply("jpeg", photo, 0).astype(int)
    steps = np.abs(np.diff(made, axis=1)).mean(axis=(0, 2))
    at_borders = steps[7::8].mean()
    assert at_borders > 1.5 * np.delete(steps, np.s_[7::8]).mean()


def test_one_item_is_odd():
    blank = np.zeros((480, 640, 3), np.uint8)
    for seed in range(12):
        made = apply("size-odd-one-out", blank, seed)
        ground = made[0, 0].astype(int)
        items = (np.abs(made.astype(int) - ground).max(axis=2) > 40).astype(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(items)
        areas = stats[1:, cv2.CC_STAT_AREA]
        usual = np.median(areas)
        odd = (areas > 1.5 * usual) | (areas < 0.6 * usual)
        assert odd.sum() == 1, seed


def test_fractal_has_detail_at_every_scale():
    made = apply("fractal", np.zeros((240, 320, 3), np.uint8), 1)
    for factor in (1, 4, 16):
        assert strength_of_edges(np.ascontiguousarray(made[::factor, ::factor])) > 1


def test_layouts_vary_with_the_seed(photo):
    for name in ("web-page", "ad", "infographic", "mobile-ui"):
        made = [apply(name, photo, seed) for seed in range(12)]
        colors = {tuple(np.median(m.reshape(-1, 3), axis=0).astype(int)) for m in made}
        small = [cv2.resize(m, (16, 16), interpolation=cv2.INTER_AREA).astype(float) for m in made]
        apart = [np.abs(a - b).mean() for k, a in enumerate(small) for b in small[:k]]
        assert len(colors) >= 4, name
        assert min(apart) > 3, name


def test_unknown_domain_and_seed(photo):
    with pytest.raises(UsageError, match="did you mean 'sketch'"):
        apply("scetch", photo, 0)
    with pytest.raises(UsageError, match="seed -1"):
        apply("noise", photo, -1)


def test_another_process_draws_the_same(photo):
    code = (
        "import hashlib, numpy as np; from salbox.distillation.domains import DOMAINS, apply;"
        "image = np.arange(60 * 80 * 3, dtype=np.uint8).reshape(60, 80, 3);"
        "print(hashlib.sha1(b''.join(apply(n, image, 1).tobytes() for n in DOMAINS)).hexdigest())"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout
