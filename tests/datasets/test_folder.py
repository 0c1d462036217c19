"""A folder of one's own, and the kinds of files that hold where people looked."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from trees import mask_pair, photo

from salbox.datasets import open_dataset, read_fixations, read_points
from salbox.errors import ImageError, SalboxError, UsageError

SHAPE = (30, 40)


def written(path, kind):
    """Write fixations at the pixels (row, column) (0, 0), (29, 39) and (4, 7) as a file of a kind."""
    points = np.array([[0, 0], [39, 29], [7, 4]])
    picture = np.zeros(SHAPE, np.uint8)
    picture[points[:, 1], points[:, 0]] = 255
    target = path / f"a.{kind.split('-')[0]}"
    if kind == "csv":
        target.write_text("x,y\n0,0\n39,29\n7,4\n")
    elif kind == "csv-bare":
        target.write_text("0.2, 0.9\n39.9, 29\n7,4.5\n\n")
    elif kind == "npy":
        np.save(target, points)
    elif kind == "mat-points":
        savemat(target, {"fixations": points + 1})
    elif kind == "mat-map":
        savemat(target, {"fixLocs": picture})
    elif kind == "png-1":
        Image.fromarray(picture // 255).save(target)
    elif kind == "png-255":
        Image.fromarray(picture).save(target)
    elif kind == "png-rgb":
        Image.fromarray(picture).convert("RGB").save(target)
    return target


@pytest.mark.parametrize("kind", ["csv", "csv-bare", "npy", "mat-points", "mat-map", "png-1", "png-255", "png-rgb"])
def test_every_kind_of_file_gives_the_same_pixels(tmp_path, kind):
    fixations = read_fixations(written(tmp_path, kind), SHAPE)
    rows, columns = fixations.pixels(SHAPE)
    assert set(zip(rows.tolist(), columns.tolist(), strict=True)) == {(0, 0), (29, 39), (4, 7)}
    assert fixations.subjects == (0,)


def test_a_third_column_is_the_observer(tmp_path):
    (tmp_path / "a.csv").write_text("x,y,subject\n1,2,3\n4,5,6\n")
    assert read_fixations(tmp_path / "a.csv", SHAPE).subjects == (3, 6)
    assert read_points(tmp_path / "a.csv").tolist() == [[1, 2], [4, 5]]


def test_a_picture_of_another_size_is_scaled(tmp_path):
    picture = np.zeros((60, 80), np.uint8)
    picture[59, 79] = 255
    Image.fromarray(picture).save(tmp_path / "a.png")
    rows, columns = read_fixations(tmp_path / "a.png", SHAPE).pixels(SHAPE)
    assert (rows.tolist(), columns.tolist()) == ([29], [39])


def test_a_black_picture_and_an_empty_table_are_no_fixations(tmp_path):
    Image.new("L", (40, 30)).save(tmp_path / "a.png")
    (tmp_path / "b.csv").write_text("x,y\n")
    assert len(read_fixations(tmp_path / "a.png", SHAPE)) == len(read_fixations(tmp_path / "b.csv", SHAPE)) == 0


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "x,y\n1,2\n3\n", "row 2 has 1 cells, expected 2"),
        ("a.csv", "x,y\n1,left\n", "not readable as positions"),
        ("a.csv", "1,nan\n", "1 of 1 rows have no position .NaN"),
        ("a.npy", "not an array", "not readable as an .npy .it does not begin as one"),
        ("a.mat", "not a mat", "not readable as a MATLAB file"),
        ("a.png", "not a picture", "not an image, or of a kind that is not supported"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(SalboxError, match=message) as caught:
        read_fixations(tmp_path / name, SHAPE)
    assert name in str(caught.value)


def test_more_positions_than_an_image_has_pixels_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("salbox.datasets.points.MAX_PIXELS", 10)
    savemat(tmp_path / "a.mat", {"points": np.ones((6, 2))})
    with pytest.raises(SalboxError, match="'points' has 12 numbers, more than the limit of 10"):
        read_fixations(tmp_path / "a.mat", SHAPE)


def test_a_colour_picture_is_no_fixation_map(tmp_path):
    with pytest.raises(SalboxError, match="a colour picture"):
        read_fixations(photo(tmp_path / "a.png", 40, 30), SHAPE)


def test_images_with_fixations_maps_and_masks(tmp_path):
    mask_pair(tmp_path / "images" / "park", tmp_path / "masks" / "park", "a")
    photo(tmp_path / "images" / "b.jpg", 40, 30)
    (tmp_path / "fixations" / "park").mkdir(parents=True)
    (tmp_path / "fixations" / "park" / "a.csv").write_text("12,7\n900,900\n")
    (tmp_path / "maps" / "park").mkdir(parents=True)
    np.save(tmp_path / "maps" / "park" / "a.npy", np.eye(15, 20))
    data = open_dataset(f"folder:{tmp_path}")
    assert data.split == "all"
    assert data.notes == ("1 images without fixations and maps and masks skipped, b the first",)
    assert [item.name for item in data.items] == ["park/a"]
    assert data.gives == {"fixations", "density", "mask"}
    assert data.fixations(0).x.tolist() == [12]  # the other lies outside
    assert data.density(0).shape == (15, 20)
    assert data.mask(0).shape == SHAPE
    assert data.sigma(0) == pytest.approx(0.03 * 40)


def test_what_a_folder_must_hold(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        open_dataset(f"folder:{tmp_path / 'nowhere'}")
    with pytest.raises(UsageError, match="expected images/ there"):
        open_dataset(f"folder:{tmp_path}")
    photo(tmp_path / "images" / "a.jpg", 40, 30)
    with pytest.raises(UsageError, match="expected fixations/, maps/ or masks/ beside images/"):
        open_dataset(f"folder:{tmp_path}")
    (tmp_path / "maps").mkdir()
    with pytest.raises(UsageError, match=r"no images in split 'all' \(1 images without maps skipped, a the first\)"):
        open_dataset(f"folder:{tmp_path}")


def test_a_name_that_stands_for_two_files_is_refused(tmp_path):
    photo(tmp_path / "images" / "a.jpg", 40, 30)
    (tmp_path / "maps").mkdir()
    for suffix in ("png", "bmp"):
        Image.new("L", (40, 30)).save(tmp_path / "maps" / f"a.{suffix}")
    with pytest.raises(UsageError, match=r"both a\.bmp and a\.png are there"):
        open_dataset(f"folder:{tmp_path}")


def test_an_image_turned_by_exif_has_the_shape_it_is_read_with(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "images").mkdir()
    Image.new("RGB", (40, 30)).save(tmp_path / "images" / "a.jpg", exif=exif)
    (tmp_path / "points").mkdir()
    (tmp_path / "points" / "a.csv").write_text("10,35\n")
    data = open_dataset(f"folder:{tmp_path}")
    assert data.shape(0) == data.pixels(0).shape[:2] == (40, 30)
    assert len(data.fixations(0)) == 1


def test_a_set_of_maps_alone(shared):
    data = open_dataset(f"folder:{shared / 'data' / 'fixation-density-224'}")
    assert len(data) == 1500
    assert data.gives == {"density"}
    assert (data.shape(0), data.density(0).shape) == ((224, 224), (112, 112))


@pytest.mark.parametrize("kind", ["masks", "maps"])
def test_a_mask_or_map_on_its_side_is_refused(tmp_path, kind):
    photo(tmp_path / "images" / "a.png", 40, 30)
    values = np.zeros((40, 30), np.uint8)
    values[5:15, 10:25] = 255
    (tmp_path / kind).mkdir()
    Image.fromarray(values).save(tmp_path / kind / "a.png")
    data = open_dataset(f"folder:{tmp_path}")
    with pytest.raises(ImageError, match=r"a\.png: 30x40, on its side: its image, the right way up, is 40x30"):
        data.mask(0) if kind == "masks" else data.density(0)
    Image.fromarray(values).resize((20, 15)).save(tmp_path / kind / "a.png")  # smaller is no fault
    assert (data.mask(0) if kind == "masks" else data.density(0)).shape == (15, 20)
