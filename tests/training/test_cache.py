"""Pictures on disk at working size, and the batches drawn of them."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from salbox.errors import ImageError, UsageError  # noqa: E402
from salbox.runtime.preprocessing import Preprocessing  # noqa: E402
from salbox.training.augmentation import Augmentation  # noqa: E402
from salbox.training.batches import draw_epoch, in_order, load  # noqa: E402
from salbox.training.cache import Sample, prepare  # noqa: E402

AREA = Preprocessing("area", 64, 64)


def sample(i: int, shape=(64, 64), maps=(True,), flips=None) -> Sample:
    image = np.full((*shape, 3), i, np.uint8)
    image[0, 0] = 255
    saliency = np.zeros(shape, np.float32)
    saliency[0, 0] = 1
    return Sample(
        f"p{i}", lambda: image, tuple((lambda: saliency) if m else None for m in maps), flips or ("h",) * len(maps)
    )


def ready(samples, folder, **more):
    heads = len(samples[0].maps)
    options = {"resize": AREA.prepare, "map_size": lambda h, w: (h // 2, w // 2), "heads": heads, **more}
    return prepare(samples, folder, **options)


def test_pictures_are_grouped_by_size_and_maps_shrunk_by_area(tmp_path):
    pictures = ready([sample(1), sample(2, (30, 60)), sample(3, maps=(True,))], tmp_path / "work")
    assert len(pictures) == 3
    sizes = {group.size: group.keys for group in pictures.groups}
    assert sizes[64, 64] == ["p1", "p3"]
    (batch,) = [b for b in in_order(pictures, 8) if b.images.shape[2:] == (64, 64)]
    assert batch.images.dtype == torch.uint8
    assert batch.images[0, :, 5, 5].tolist() == [1, 1, 1]
    assert batch.maps.shape == (2, 1, 32, 32)
    assert batch.maps[0, 0, 0, 0].item() == pytest.approx(0.25, abs=1e-4)
    assert batch.maps.sum().item() == pytest.approx(0.5, abs=1e-4)


def test_made_once(tmp_path, monkeypatch):
    samples = [sample(1), sample(2)]
    ready(samples, tmp_path / "work")
    monkeypatch.setattr("salbox.training.cache._write", None)
    assert len(ready(samples, tmp_path / "work")) == 2


@pytest.mark.parametrize("change", [{"identity": "other"}, {"samples": [sample(1)]}])
def test_made_again_for_something_else(tmp_path, change):
    ready([sample(1), sample(2)], tmp_path / "work")
    samples = change.pop("samples", [sample(1), sample(2)])
    assert len(ready(samples, tmp_path / "work", **change)) == len(samples)


def test_what_cannot_be_read_is_left_out_and_named(tmp_path):
    def broken():
        raise ImageError("p8.png: broken image")

    bad_picture = Sample("p8", broken, (None,))
    bad_map = Sample("p9", sample(9).picture, (broken,))
    pictures = ready([sample(1), bad_picture, bad_map], tmp_path / "work")
    assert [key for group in pictures.groups for key in group.keys] == ["p1"]
    assert pictures.failures == ["p8.png: broken image"] * 2
    with pytest.raises(UsageError, match=r"no picture with a teacher's map to train on .*p8\.png"):
        ready([bad_picture], tmp_path / "other")


def test_missing_maps_are_marked(tmp_path):
    pictures = ready([sample(1, maps=(True, False)), sample(2, maps=(False, True))], tmp_path / "work")
    (batch,) = in_order(pictures, 4)
    assert batch.valid.tolist() == [[True, False], [False, True]]
    assert batch.maps[0, 1].abs().max() == 0


def test_every_picture_once_a_pass_whatever_an_epochs_length(tmp_path):
    pictures = ready([sample(i) for i in range(10)], tmp_path / "work")
    seen: Counter[int] = Counter()
    for epoch in range(5):
        drawn = draw_epoch(pictures, epoch, images=4, batch_size=4, seed=7)
        assert sum(len(d.rows) for d in drawn) == 4
        seen.update(row for d in drawn for row in d.rows)
    assert set(seen.values()) == {2}
    assert len(seen) == 10


def test_the_same_seed_draws_the_same(tmp_path):
    pictures = ready([sample(i) for i in range(10)], tmp_path / "work")
    draw = lambda seed: draw_epoch(pictures, 1, images=10, batch_size=4, seed=seed)  # noqa: E731
    assert draw(3) == draw(3)
    assert draw(3) != draw(4)


def test_small_rests_are_filled_up(tmp_path):
    shapes = [(64, 64)] * 9 + [(32, 128)]
    pictures = ready([sample(i, shape) for i, shape in enumerate(shapes)], tmp_path / "work")
    drawn = draw_epoch(pictures, 0, images=10, batch_size=8, seed=0)
    assert sorted(len(d.rows) for d in drawn) == [4, 4, 8]
    assert {row for d in drawn if d.group == 1 for row in d.rows} == {0}


def test_flips_take_picture_and_map_together_and_only_as_allowed(tmp_path):
    pictures = ready([sample(i) for i in range(8)], tmp_path / "work")
    kinds: Counter[str] = Counter()
    for epoch in range(6):
        for drawn in draw_epoch(pictures, epoch, images=8, batch_size=8, seed=0):
            batch = load(pictures, drawn)
            for i, flip in enumerate(drawn.flips):
                kinds[flip] += 1
                column = -1 if flip == "h" else 0
                assert batch.images[i, :, 0, column].tolist() == [255] * 3
                assert batch.maps[i, 0, 0, column] > 0
    assert set(kinds) == {"", "h"}
    assert not any(
        "".join(d.flips)
        for d in draw_epoch(pictures, 0, images=8, batch_size=8, seed=0, augmentation=Augmentation(flips=False))
    )


def test_a_flip_takes_the_maps_away_that_do_not_allow_it(tmp_path):
    both = [sample(i, maps=(True, True), flips=("hv", "h")) for i in range(8)]
    pictures = ready([*both, sample(8, maps=(True, False), flips=("hv", "h"))], tmp_path / "work", heads=2)
    kinds: Counter[str] = Counter()
    for epoch in range(40):
        for drawn in draw_epoch(pictures, epoch, images=9, batch_size=9, seed=0):
            batch = load(pictures, drawn)
            for row, flip, valid in zip(drawn.rows, drawn.flips, batch.valid.tolist(), strict=True):
                kinds[flip] += row < 8
                assert valid == [True, row < 8 and "v" not in flip]
    upside_down = (kinds["v"] + kinds["hv"]) / kinds.total()
    assert 0.15 < upside_down < 0.35  # seldom, as one of two maps is of no use then
    assert 0.4 < (kinds["h"] + kinds["hv"]) / kinds.total() < 0.6


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("index.json", b"[]"),
        ("index.json", b"\xff"),
        ("index.json", b"{}"),
        ("index.json", b"[" * 100_000),
        ("64x64.images", b"short"),
        ("64x64.maps", b"short"),
    ],
)
def test_what_was_damaged_is_made_again(tmp_path, name, content):
    ready([sample(1), sample(2)], tmp_path / "work")
    (tmp_path / "work" / name).write_bytes(content)
    pictures = ready([sample(1), sample(2)], tmp_path / "work")
    assert pictures.groups[0].images[1, 5, 5].tolist() == [2, 2, 2]


def test_an_index_whose_parts_do_not_fit_is_made_again(tmp_path):
    ready([sample(1), sample(2)], tmp_path / "work")
    path = tmp_path / "work" / "index.json"
    index = json.loads(path.read_text())
    for key, value in (("size", "x"), ("keys", ["p1"]), ("valid", 3)):
        path.write_text(json.dumps({**index, "groups": [{**index["groups"][0], key: value}]}))
        assert len(ready([sample(1), sample(2)], tmp_path / "work")) == 2
