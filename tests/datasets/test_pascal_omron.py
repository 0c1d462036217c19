"""PASCAL-S and DUT-OMRON: photos with fixations and masks, either or both at hand."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from PIL import Image
from trees import mask_pair, mat, omron_mat, photo

from salbox.datasets import open_dataset
from salbox.errors import MissingExtraError, UsageError
from salbox.metrics import as_mask

SIZE = (40, 30)


def pascal_masks(root, names):
    for name in names:
        mask_pair(root / "datasets" / "imgs" / "pascal", root / "datasets" / "masks" / "pascal", name)
    return root


def pascal_fixations(root, entries, sizes=None):
    """Write MATLAB 7.3's file as h5py sees it: rows y, x, observer from 1, an entry a photo."""
    h5py = pytest.importorskip("h5py")
    folder = root / "datasets" / "fixations"
    folder.mkdir(parents=True, exist_ok=True)
    with h5py.File(folder / "pascalFix.mat", "w", userblock_size=512) as file:
        references = np.empty((1, len(entries)), h5py.ref_dtype)
        for k, rows in enumerate(entries):
            file[f"#refs#/{k}"] = np.array(rows, float).T if rows else np.zeros(2, np.uint64)
            references[0, k] = file[f"#refs#/{k}"].ref
        file.create_dataset("fixCell", data=references, dtype=h5py.ref_dtype)
    if sizes is not None:
        with h5py.File(folder / "pascalSize.mat", "w", userblock_size=512) as file:
            file["sizeData"] = np.array(sizes, float)  # in MATLAB 2 x N
    return folder / "pascalFix.mat"


def test_pascal_masks_and_fixations(tmp_path):
    pascal_masks(tmp_path, ["1", "2", "10"])
    entries = [[(1, 1, 1), (30, 40, 1), (5, 8, 3), (99, 1, 3)], *[[]] * 8, [(2, 2, 2)]]
    pascal_fixations(tmp_path, entries, [(30, 40)] * 10)
    data = open_dataset(f"pascal-s:{tmp_path}")
    assert [item.name for item in data.items] == ["1", "2", "10"]
    assert data.gives == {"fixations", "density", "mask"}
    looked = data.fixations(0)
    assert (looked.x.tolist(), looked.y.tolist()) == ([0, 39, 7], [0, 29, 4])
    assert looked.subject.tolist() == [0, 0, 2]
    assert looked.order.tolist() == [0, 1, 0]
    assert (len(data.fixations(1)), data.fixations(2).x.tolist()) == (0, [1])
    assert as_mask(data.mask(0)).sum() == 150
    for below in ("datasets", "."):
        assert len(open_dataset(f"pascal-s:{tmp_path / below}")) == 3


def test_pascal_masks_are_graded(tmp_path):
    pascal_masks(tmp_path, ["1"])
    graded = np.array([[0, 100, 150, 255]], np.uint8)
    Image.fromarray(graded).save(tmp_path / "datasets" / "masks" / "pascal" / "1.png")
    mask = open_dataset(f"pascal-s:{tmp_path}").mask(0)
    assert mask.tolist() == graded.tolist()
    assert as_mask(mask).tolist() == [[False, False, True, True]]


def test_pascal_positions_follow_the_size_of_the_image_at_hand(tmp_path):
    pascal_masks(tmp_path, ["1"])
    pascal_fixations(tmp_path, [[(1, 1, 1), (60, 80, 1)]], [(60, 80)])
    rows, columns = open_dataset(f"pascal-s:{tmp_path}").fixations(0).pixels((30, 40))
    assert (rows.tolist(), columns.tolist()) == ([0, 29], [0, 39])


def test_pascal_without_the_extra_has_masks_and_says_what_fixations_need(tmp_path, monkeypatch):
    pascal_masks(tmp_path, ["1"])
    path = tmp_path / "datasets" / "fixations" / "pascalFix.mat"
    path.parent.mkdir()
    path.write_bytes(bytes(512) + b"\x89HDF\r\n\x1a\n" + bytes(100))
    monkeypatch.setitem(sys.modules, "h5py", None)
    data = open_dataset(f"pascal-s:{tmp_path}")
    assert as_mask(data.mask(0)).any()
    with pytest.raises(MissingExtraError, match=r"salbox\[eval\]"):
        data.fixations(0)


def test_a_malformed_pascal_is_one_line(tmp_path):
    h5py = pytest.importorskip("h5py")
    pascal_masks(tmp_path, ["1", "2"])
    path = pascal_fixations(tmp_path, [[(1, 1, 1)]])
    with pytest.raises(UsageError, match="holds 1 entries, and none for the photo '2'"):
        open_dataset(f"pascal-s:{tmp_path}").fixations(1)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UsageError, match=r"not readable as a MATLAB file of version 7\.3"):
        open_dataset(f"pascal-s:{tmp_path}").fixations(0)
    with h5py.File(path, "w") as file:
        file["other"] = np.eye(3)
    with pytest.raises(UsageError, match="expected the variable fixCell, the file holds other"):
        open_dataset(f"pascal-s:{tmp_path}").fixations(0)
    pascal_fixations(tmp_path, [[(1, 1)]])
    with pytest.raises(UsageError, match=r"fixCell\{1\} is not a table of 3 columns"):
        open_dataset(f"pascal-s:{tmp_path}").fixations(0)
    pascal_fixations(tmp_path, [[(1, 1, 1)]], [(0, np.nan)])
    with pytest.raises(UsageError, match="sizeData of '1': expected a height and a width"):
        open_dataset(f"pascal-s:{tmp_path}").fixations(0)


def test_pascal_entries_without_a_stimulus_and_what_is_expected(tmp_path):
    pascal_masks(tmp_path, ["1", "2"])
    (tmp_path / "datasets" / "imgs" / "pascal" / "2.jpg").unlink()
    assert open_dataset(f"pascal-s:{tmp_path}").notes[:-1] == ("1 of 2 masks present as images, the others skipped",)
    with pytest.raises(UsageError, match="expected there or in a folder within imgs/pascal, or Imgs"):
        open_dataset(f"pascal-s:{tmp_path / 'datasets' / 'masks'}")
    (tmp_path / "datasets" / "masks").rename(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match=r"expected masks/pascal or fixations/pascalFix\.mat beside imgs/pascal"):
        open_dataset(f"pascal-s:{tmp_path}")


@pytest.mark.parametrize("name", ["pascal-s", "dut-omron"])
def test_photos_and_masks_in_one_folder(tmp_path, name):
    mask_pair(tmp_path / "Imgs", tmp_path / "Imgs", "a")
    data = open_dataset(f"{name}:{tmp_path}")
    assert (len(data), data.gives, as_mask(data.mask(0)).sum()) == (1, {"mask"}, 150)


def omron(root, *, nested=True):
    images = root / "DUT-OMRON-image" / "DUT-OMRON-image" if nested else root / "DUT-OMRON-image"
    masks = root / "DUT-OMRON-gt-pixelwise.zip" / "pixelwiseGT-new-PNG"
    for name in ("im005", "sun_x"):
        mask_pair(images, masks, name)
    fixations = root / "DUT-OMRON-eye-fixations" / "mat"
    omron_mat(fixations / "im005.mat", SIZE, [(0, 0, 1), (39, 29, 1), (40, 5, 2), (7, 4, 3), (9, 9, 3)])
    omron_mat(fixations / "sun_x.mat", (80, 60), [(0, 0, 1), (79, 59, 2)])
    (fixations / "._im005.mat").write_bytes(b"junk")
    return root


@pytest.mark.parametrize("nested", [False, True])
def test_omron_masks_and_fixations(tmp_path, nested):
    data = open_dataset(f"dut-omron:{omron(tmp_path, nested=nested)}")
    assert [item.name for item in data.items] == ["im005", "sun_x"]
    assert data.gives == {"fixations", "density", "mask"}
    looked = data.fixations(0)
    assert (looked.x.tolist(), looked.y.tolist()) == ([0, 39, 7, 9], [0, 29, 4, 9])  # the size is no fixation
    assert looked.subject.tolist() == [0, 0, 2, 2]
    assert looked.order.tolist() == [0, 1, 0, 1]
    rows, columns = data.fixations(1).pixels((30, 40))  # recorded at twice the size
    assert (rows.tolist(), columns.tolist()) == ([0, 29], [0, 39])
    assert as_mask(data.mask(0)).sum() == 150
    assert data.sigma(0) == 16 * 40 / 400
    assert data.notes[:-1] == ()


def test_omron_with_one_kind_alone(tmp_path):
    omron(tmp_path)
    (tmp_path / "DUT-OMRON-eye-fixations").rename(tmp_path.parent / f"{tmp_path.name}-gaze")
    assert open_dataset(f"dut-omron:{tmp_path}").gives == {"mask"}
    (tmp_path / "DUT-OMRON-gt-pixelwise.zip").rename(tmp_path.parent / f"{tmp_path.name}-masks")
    with pytest.raises(UsageError, match="expected pixelwiseGT-new-PNG or DUT-OMRON-eye-fixations beside"):
        open_dataset(f"dut-omron:{tmp_path}")
    (tmp_path.parent / f"{tmp_path.name}-gaze").rename(tmp_path / "DUT-OMRON-eye-fixations")
    assert open_dataset(f"dut-omron:{tmp_path}").gives == {"fixations", "density"}


def test_omron_entries_without_a_stimulus(tmp_path):
    omron(tmp_path, nested=False)
    (tmp_path / "DUT-OMRON-image" / "sun_x.jpg").unlink()
    photo(tmp_path / "DUT-OMRON-image" / "im900.jpg", *SIZE)
    assert open_dataset(f"dut-omron:{tmp_path}").notes[:-1] == (
        "1 of 2 files of fixations present as images, the others skipped",
        "1 images without files of fixations skipped, im900 the first",
        "1 of 2 masks present as images, the others skipped",
        "1 images without masks skipped, im900 the first",
    )


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ({"t": 1.0}, "expected the variable s, the file holds t"),
        ({"s": "text"}, "'s' is not a table of 3 columns"),
        ({"s": np.ones((4, 2))}, "'s' is not a table of 3 columns"),
        ({"s": {"a": 1.0}}, "'s' is not a table of 3 columns"),
    ],
)
def test_a_malformed_omron_is_one_line(tmp_path, held, message):
    omron(tmp_path)
    mat(tmp_path / "DUT-OMRON-eye-fixations" / "mat" / "im005.mat", held)
    with pytest.raises(UsageError, match=message):
        open_dataset(f"dut-omron:{tmp_path}").fixations(0)


def test_omron_files_without_rows_or_cut_off(tmp_path):
    path = omron(tmp_path) / "DUT-OMRON-eye-fixations" / "mat" / "im005.mat"
    mat(path, {"s": np.zeros((0, 0))})
    assert len(open_dataset(f"dut-omron:{tmp_path}").fixations(0)) == 0
    path.write_bytes(path.read_bytes()[:140])
    with pytest.raises(UsageError, match="damaged MATLAB file"):
        open_dataset(f"dut-omron:{tmp_path}").fixations(0)
