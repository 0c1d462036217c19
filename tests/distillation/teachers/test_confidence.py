"""How sure a teacher is of an object: by hand, in the table that `salbox teach` writes, and as a filter of photos."""

from __future__ import annotations

import csv

import numpy as np
import onnx_writer as ow
import pytest
from PIL import Image

import salbox
from salbox.distillation.teachers.confidence import TABLE, confidence
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.distillation.teachers.teacher import teach
from salbox.errors import ImageError
from salbox.imaging.inputs import find_images
from salbox.writing import read_notes, write_map


@pytest.mark.parametrize(
    ("probabilities", "value", "share"),
    [
        ([[1, 1], [0, 0]], 1, 0.5),
        ([[1, 1], [1, 1]], 1, 1),
        ([[0, 0], [0, 0]], 0, 0),
        ([[0.5, 0.5], [0.5, 0.5]], 0, 0),  # above 1/2, not at it
        ([[0.02, 0.1], [0.3, 0.04]], 0, 0),  # nowhere an object, however sure of that
        ([[0.8, 0.2], [0.6, 0.4]], 1.4 / 2.6, 0.5),
        ([[0.9, 0], [0, 0]], 0.9, 0.25),
    ],
)
def test_by_hand(probabilities, value, share):
    found = confidence(np.array(probabilities, np.float32))
    assert (found.value, found.object_share) == pytest.approx((value, share))


def test_is_the_overlap_of_the_map_with_its_own_mask():
    """Sum of minima over sum of maxima, of map and mask."""
    p = np.random.default_rng(0).random((30, 40))
    mask = (p > 0.5).astype(float)
    assert confidence(p).value == pytest.approx(np.minimum(p, mask).sum() / np.maximum(p, mask).sum())


@pytest.fixture
def red(tmp_path) -> str:
    """A model of objects: how red a place is."""
    notes = ow.notes(output="probability", preprocessing={"rule": "native", "height": 1, "width": 1})
    path = tmp_path / "red.onnx"
    path.write_bytes(ow.student(notes))
    return f"{path}#red"


@pytest.fixture
def photos(tmp_path):
    """An object, one less sure, and none."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, level in (("sure", 255), ("less", 160), ("none", 60)):
        pixels = np.zeros((40, 60, 3), np.uint8)
        pixels[10:30, 20:40, 0] = level
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return find_images([str(folder)])


def rows(folder):
    with (folder / TABLE).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_maps_of_8_bits_with_notes_and_a_table(red, photos, tmp_path):
    list(teach(red, photos, tmp_path / "maps", workers=1))
    maps = TeacherMaps(tmp_path / "maps")
    for name in ("sure", "less", "none"):
        path = maps.path(name)
        with Image.open(path) as image:
            assert image.mode == "L"
        notes = read_notes(path)
        assert (notes["output"], notes["white"], notes["bounds"]) == ("probability", 255, [0, 1])
        found = confidence(maps.read(name))
        assert (notes["confidence"], notes["object_share"]) == pytest.approx((found.value, found.object_share))
    table = rows(maps.folder)
    assert [row["name"] for row in table] == ["none", "less", "sure"]  # the least sure first
    for row in table:
        found = confidence(maps.read(row["name"]))
        assert float(row["confidence"]) == pytest.approx(found.value, abs=1e-4)
        assert float(row["object_share"]) == pytest.approx(found.object_share, abs=1e-4)
    assert [float(row["confidence"]) > 0.5 for row in table] == [False, True, True]


def test_the_table_of_a_run_that_went_on_has_all(red, photos, tmp_path):
    list(teach(red, photos[:1], tmp_path / "maps", workers=1))
    folder = TeacherMaps(tmp_path / "maps").folder
    first = rows(folder)
    list(teach(red, photos, tmp_path / "maps", workers=1))
    table = rows(folder)
    assert len(table) == 3
    assert first[0] in table


def test_a_teacher_of_scores_has_no_table_and_16_bits(photos, tmp_path):
    list(teach("gaussian", photos, tmp_path / "maps", workers=1))
    assert not (tmp_path / "maps" / "gaussian" / TABLE).exists()
    with Image.open(tmp_path / "maps" / "gaussian" / "sure.png") as image:
        assert image.mode.startswith("I")


def test_maps_of_16_bits_of_before_are_read_as_they_are(red, photos, tmp_path):
    list(teach(red, photos[:1], tmp_path / "maps", workers=1))
    maps = TeacherMaps(tmp_path / "maps")
    (name,) = maps.names()
    expected, record = maps.read(name), maps.folder / "teacher.json"
    record.write_text(record.read_text(encoding="utf-8").replace("as 8 bits", "as 16 bits"), encoding="utf-8")
    notes = {key: value for key, value in read_notes(maps.path(name)).items() if key in ("teacher", "photo", "model")}
    write_map(maps.path(name), expected, "png16", notes, bounds=(0.0, 1.0), output="probability")
    np.testing.assert_allclose(TeacherMaps(tmp_path / "maps").read(name), expected, atol=1e-5)


@pytest.fixture
def elsewhere(tmp_path):
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


VALUES = np.array([[0.2, 0.4], [0.6, 0.8]], np.float32)
SCALED = (VALUES - 0.2) / np.float32(0.6)


@pytest.mark.parametrize("file_format", ["png", "png16", "npy", "tiff"])
def test_maps_whose_files_say_so_are_read_as_they_are(file_format, elsewhere):
    """What `salbox predict` wrote."""
    write_map(elsewhere / f"a.{file_format.removesuffix('16')}", VALUES, file_format, {}, output="probability")
    maps = TeacherMaps(elsewhere)
    assert maps.unscaled
    np.testing.assert_allclose(maps.read("a"), VALUES, atol=0.51 / 255)
    np.testing.assert_allclose(TeacherMaps(elsewhere, "score").read("a"), SCALED, atol=0.01)


@pytest.mark.parametrize(("kind", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_pictures_of_somebody_s_are_if_it_is_said(kind, white, elsewhere):
    Image.fromarray((VALUES * white).astype(kind)).save(elsewhere / "a.png")
    assert not TeacherMaps(elsewhere).unscaled
    np.testing.assert_allclose(TeacherMaps(elsewhere).read("a"), SCALED, atol=0.01)
    np.testing.assert_allclose(TeacherMaps(elsewhere, "probability").read("a"), VALUES, atol=0.01)


def test_numbers_that_are_none_are_said_to_be_so(elsewhere):
    np.save(elsewhere / "a.npy", 3 * VALUES)
    np.save(elsewhere / "b.npy", VALUES)
    maps = TeacherMaps(elsewhere, "probability")
    np.testing.assert_array_equal(maps.read("b"), VALUES)
    with pytest.raises(ImageError, match=r"a.npy: values in 0.6..2.4, which are no probabilities"):
        maps.read("a")
    checked = maps.check(["a", "b"])
    assert (checked.good, list(checked.broken)) == (("b",), ["a"])


def test_predict_and_teach_agree(red, photos, tmp_path):
    """The same model's maps by either way, at the size of the smaller."""
    image = salbox.read_image(photos[0].path)
    saliency = salbox.load(red)(image)
    list(teach(red, photos[:1], tmp_path / "maps", workers=1))
    maps = TeacherMaps(tmp_path / "maps")
    (name,) = maps.names()
    assert maps.read(name).mean() == pytest.approx(saliency.mean(), abs=0.01)
