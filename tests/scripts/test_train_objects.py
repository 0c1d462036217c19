"""Of which photos without masks a network of objects learns: those that its teacher is sure of."""

from __future__ import annotations

import cv2
import numpy as np
import programs
import pytest


@pytest.fixture(scope="module")
def script():
    return programs.script("train_objects")


def drawn(share: float, inside: float) -> np.ndarray:
    """Return a map, (10, 100), with one value on a share of it and 0 elsewhere."""
    values = np.zeros(1000, np.float32)
    values[: round(1000 * share)] = inside
    return values.reshape(10, 100)


@pytest.mark.parametrize(
    ("share", "inside", "sure"),
    [
        (0.3, 1.0, True),
        (0.3, 0.91, True),  # 2 * .91 - 1 = .82
        (0.3, 0.89, False),  # .78
        (0.005, 1.0, False),  # hardly anything
        (0.8, 1.0, False),  # nearly all
        (0.0, 0.0, False),
    ],
)
def test_what_a_teacher_is_sure_of(script, share, inside, sure):
    assert script.is_sure(drawn(share, inside)) is sure


def test_sure_maps_of_photos_without_masks_become_a_data_set(script, tmp_path, monkeypatch):
    photos, taught = tmp_path / "photos", tmp_path / "taught"
    photos.mkdir()
    for value, name in enumerate(("duts_a.png", "osie_sure.png", "osie_unsure.png")):
        cv2.imwrite(str(photos / name), np.full((10, 100, 3), value, np.uint8))
    maps = {1: drawn(0.3, 0.95), 2: drawn(0.3, 0.6)}
    seen = []

    def model(photo):
        seen.append(int(photo[0, 0, 0]))
        return maps[seen[-1]]

    monkeypatch.setattr(script.salbox, "load", lambda name, weights: model)
    for _ in range(2):  # the second time nothing is left to look at
        script.teach(photos, "u2netp", None, taught)
    assert seen == [1, 2]
    assert [path.name for path in (taught / "masks").iterdir()] == ["osie_sure.png"]
    assert (taught / "images" / "osie_sure.png").resolve() == photos / "osie_sure.png"
    mask = cv2.imread(str(taught / "masks" / "osie_sure.png"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(mask, np.rint(255 * maps[1]).astype(np.uint8))


def test_of_maps_that_are_there_the_sure_ones_become_a_data_set(script, tmp_path):
    photos, maps, taught = (tmp_path / name for name in ("photos", "maps", "taught"))
    photos.mkdir()
    maps.mkdir()
    made = {"duts_a": drawn(0.3, 1.0), "osie_sure": drawn(0.3, 0.95), "osie_unsure": drawn(0.3, 0.6), "osie_none": None}
    for name, values in made.items():
        (photos / f"{name}.jpg").touch()
        if values is not None:
            cv2.imwrite(str(maps / f"{name}.png"), np.rint(255 * values).astype(np.uint8))
    for _ in range(2):
        script.choose(maps, photos, taught)
    assert {path.resolve() for path in (taught / "masks").iterdir()} == {maps / "osie_sure.png"}
    assert {path.resolve() for path in (taught / "images").iterdir()} == {photos / "osie_sure.jpg"}
