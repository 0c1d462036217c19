"""SALICON: as published and as repackaged; workers, releases, sizes, malformed files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from trees import gaze, marked, mat, photo, points, salicon_name, struct_array

from salbox.datasets import open_dataset, salicon
from salbox.errors import SalboxError, UsageError

SIZE = (640, 480)
VAL = salicon_name("val", 7)
TRAIN = salicon_name("train", 9)
PEOPLE = [[(1, 1), (640, 480)], [], [(8, 5)]]


def picture(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def places(fixations):
    return list(zip(fixations.x.tolist(), fixations.y.tolist(), strict=True))


@pytest.mark.parametrize("fixations", ["fixations/", ""])
def test_the_published_archives_with_and_without_a_top_folder(tmp_path, fixations):
    for split, name in (("val", VAL), ("train", TRAIN), ("test", salicon_name("test", 1))):
        photo(tmp_path / "images" / split / f"{name}.jpg", *SIZE)
    for split, name in (("val", VAL), ("train", TRAIN)):
        mat(tmp_path / f"{fixations}{split}" / f"{name}.mat", gaze(PEOPLE))
        picture(
            tmp_path / f"{fixations.replace('fixations', 'maps')}{split}" / f"{name}.png", marked([(3, 4)], SIZE, 9)
        )
    data = open_dataset(f"salicon:{tmp_path}")
    assert (data.split, [item.name for item in data.items]) == ("val", [VAL])
    looked = data.fixations(0)
    assert places(looked) == [(0, 0), (639, 479), (7, 4)]
    assert looked.subject.tolist() == [0, 0, 2]
    assert looked.order.tolist() == [0, 1, 0]
    assert looked.duration is None
    assert data.density(0).max() == 9
    assert (data.sigma(0), data.notes) == (19, ())
    assert len(open_dataset(f"salicon:{tmp_path}", "all")) == 2
    test = open_dataset(f"salicon:{tmp_path}", "test")
    assert (len(test), test.gives) == (1, frozenset())


def test_positions_follow_the_size_of_the_image_at_hand(tmp_path):
    photo(tmp_path / "images" / f"{VAL}.jpg", 320, 240)
    mat(tmp_path / "val" / f"{VAL}.mat", gaze([[(1, 1), (640, 480), (641, 3)]]))
    data = open_dataset(f"salicon:{tmp_path}")
    rows, columns = data.fixations(0).pixels((240, 320))
    assert (rows.tolist(), columns.tolist()) == ([0, 239], [0, 319])  # (641, 3) lay outside
    assert data.sigma(0) == 9.5


REPACKED = {
    "UNISAL": ("images/{}.jpg", "fixations/val/{}.mat", "maps/val/{}.png"),
    "EML-NET": ("Images/{}.jpg", "fixations/{}.mat", "maps/{}.png"),
    "SAM": ("images/val/{}.jpg", "fixations/val/{}.mat", "maps/val/{}.png"),
    "szzexpoi": ("images/val/{}.jpg", "fixations/val/{}.mat", "maps/val/{}.jpg"),
    "TranSalNet": (
        "datasets/val/val_stimuli/{}.jpg",
        "datasets/val/val_fixation/{}.mat",
        "datasets/val/val_saliency/{}.png",
    ),
    "TranSalNet pictures": ("val/val_stimuli/{}.png", "val/val_fixation/{}.png", "val/val_saliency/{}.png"),
}


@pytest.mark.parametrize("who", REPACKED)
def test_repackagings(tmp_path, who):
    image, points_file, map_file = (tmp_path / pattern.format(VAL) for pattern in REPACKED[who])
    photo(image, *SIZE)
    fixated = marked([(0, 0), (639, 479), (7, 4)], SIZE)
    if points_file.suffix == ".mat":
        held = {"SAM": {"I": fixated}, "szzexpoi": {"fixationPts": fixated}}.get(who, gaze(PEOPLE))
        mat(points_file, held)
    else:
        picture(points_file, fixated * 255)
    if who == "UNISAL":  # keeps a picture beside the .mat
        picture(points_file.with_suffix(".png"), fixated)
    picture(map_file, np.full(SIZE[::-1], 9, np.uint8))
    data = open_dataset(f"salicon:{tmp_path}")
    assert data.items[0].image == image
    assert set(places(data.fixations(0))) == {(0, 0), (639, 479), (7, 4)}
    assert data.density(0).max() == 9


def annotations(**changes):
    held = {
        "info": {"year": 2014},
        "type": "fixations",
        "licenses": [{"id": 1, "name": "x"}],
        "images": [{"id": 7, "file_name": f"{VAL}.jpg", "height": 480, "width": 640, "license": 1}],
        "annotations": [
            {"image_id": 7, "worker_id": 5, "id": 1, "fixations": [[1, 1], [480, 640]]},
            {"image_id": 7, "worker_id": 3, "id": 2, "fixations": []},
            {"image_id": 7, "worker_id": 9, "id": 3, "fixations": [[5, 8]]},
        ],
    }
    return {**held, **changes}


def test_the_json_file_has_rows_first(tmp_path):
    photo(tmp_path / "images" / f"{VAL}.jpg", *SIZE)
    (tmp_path / "fixations_val2014.json").write_text(json.dumps(annotations()))
    data = open_dataset(f"salicon:{tmp_path}")
    assert places(data.fixations(0)) == [(0, 0), (639, 479), (7, 4)]
    assert data.fixations(0).subject.tolist() == [0, 0, 2]
    assert data.fixations(0).order.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not readable as SALICON's fixations"),
        ("[" * 100_000, "not readable as SALICON's fixations"),
        ("[]", "expected the lists"),
        (json.dumps(annotations(images=3)), "expected the lists"),
        (json.dumps(annotations(images=[{"id": 7}])), "image 1 has no number, file name"),
        (json.dumps(annotations(images=[{"id": 7, "file_name": "a.jpg", "height": "x"}])), "image 1 has no number"),
        (json.dumps(annotations(annotations=[{"image_id": 7, "fixations": [[1, 2, 3]]}])), "annotation 1 is not"),
        (json.dumps(annotations(annotations=[{"image_id": 7, "fixations": ["ab"]}])), "annotation 1 is not"),
        (json.dumps(annotations(annotations=[{"image_id": [], "fixations": []}])), "annotation 1 is not"),
        (json.dumps(annotations(annotations=[7])), "annotation 1 is not"),
        (json.dumps(annotations(annotations=[{"image_id": 7, "fixations": [[10**400, 1]]}])), "annotation 1 is not"),
        (json.dumps(annotations(annotations=[{"image_id": 7, "fixations": [[1, 2, 3], [4, 5, 6]]}])), "annotation 1"),
        (json.dumps(annotations(annotations=[{"image_id": 7, "fixations": [1, 2, 3, 4]}])), "annotation 1 is not"),
        (json.dumps(annotations(images=annotations()["images"] * 2)), f"two images are called '{VAL}'"),
        (
            json.dumps(annotations(images=[{"id": 7, "file_name": "a.jpg", "height": 10**400, "width": 9}])),
            "image 1 has no number",
        ),
        (json.dumps(annotations())[:-30], "not readable as SALICON's fixations"),
    ],
)
def test_a_malformed_json_file_is_one_line(tmp_path, text, message):
    photo(tmp_path / "images" / f"{VAL}.jpg", *SIZE)
    (tmp_path / "fixations_val2014.json").write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        open_dataset(f"salicon:{tmp_path}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({}, "expected the variable gaze or I or fixationPts or fixLocs, the file holds none"),
        ({"gaze": 1.0}, "gaze: element 1 is not a struct"),
        ({"gaze": struct_array([{"location": 1.0}])}, "no field 'fixations'"),
        ({"gaze": struct_array([{"fixations": "text"}])}, r"gaze\(1\): field 'fixations' is not a table"),
        ({"gaze": gaze([[(1, 1)]])["gaze"], "resolution": "large"}, "expected a height and a width"),
        ({"I": "text"}, "expected the picture of fixated pixels"),
    ],
)
def test_a_malformed_mat_is_one_line(tmp_path, held, message):
    photo(tmp_path / "images" / f"{VAL}.jpg", *SIZE)
    path = mat(tmp_path / "fixations" / f"{VAL}.mat", held)
    with pytest.raises(UsageError, match=message) as caught:
        open_dataset(f"salicon:{tmp_path}").fixations(0)
    assert str(path) in str(caught.value)


def test_a_truncated_mat_and_a_broken_photo_are_one_line(tmp_path):
    path = photo(tmp_path / "images" / f"{VAL}.jpg", *SIZE)
    truth = mat(tmp_path / "fixations" / f"{VAL}.mat", gaze(PEOPLE))
    truth.write_bytes(truth.read_bytes()[:200])
    data = open_dataset(f"salicon:{tmp_path}")
    with pytest.raises(UsageError, match="damaged MATLAB file"):
        data.fixations(0)
    path.write_bytes(b"no photo")
    with pytest.raises(SalboxError, match="not an image"):
        open_dataset(f"salicon:{tmp_path}").fixations(0)


def test_entries_without_a_stimulus_are_skipped_and_counted(tmp_path):
    for number in (1, 2, 3):
        mat(tmp_path / "fixations" / f"{salicon_name('val', number)}.mat", gaze(PEOPLE))
    photo(tmp_path / "images" / "__MACOSX" / f"{salicon_name('val', 1)}.jpg", *SIZE)
    with pytest.raises(UsageError, match="none of the 3 files of fixations is of one of the 0 images"):
        open_dataset(f"salicon:{tmp_path}")
    photo(tmp_path / "images" / f"{salicon_name('val', 2)}.jpg", *SIZE)
    photo(tmp_path / "images" / f"{VAL}.jpg", *SIZE)
    assert open_dataset(f"salicon:{tmp_path}").notes == (
        "1 of 3 files of fixations present as images, the others skipped",
        f"1 images without files of fixations skipped, {VAL} the first",
    )
    with pytest.raises(UsageError, match="no images in split 'test'"):
        open_dataset(f"salicon:{tmp_path}", "test")
    with pytest.raises(UsageError, match="no such folder"):
        open_dataset(f"salicon:{tmp_path / 'nowhere'}")


def test_maps_alone(tmp_path):
    photo(tmp_path / "images" / "val" / f"{VAL}.jpg", *SIZE)
    picture(tmp_path / "val" / f"{VAL}.png", marked([(3, 4)], SIZE, 9))
    assert open_dataset(f"salicon:{tmp_path}").gives == {"density"}


@pytest.mark.parametrize(("count", "year"), [(300, 2015), (500, 2017)])
def test_the_release_is_told_by_the_number_of_fixations(tmp_path, monkeypatch, count, year):
    monkeypatch.setattr(salicon, "SAMPLED", 3)
    rng = np.random.default_rng(0)
    for number in range(4):
        photo(tmp_path / "images" / f"{salicon_name('val', number)}.jpg", *SIZE)
        everyone = [points(rng.integers(1, 480, (count // 5, 2))) for _ in range(5)]
        mat(tmp_path / "fixations" / f"{salicon_name('val', number)}.mat", gaze(everyone))
    (note,) = open_dataset(f"salicon:{tmp_path}").notes
    assert note.startswith(f"{count} fixations an image over 3 of them: the release of {year}")
