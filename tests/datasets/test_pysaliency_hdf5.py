"""pysaliency's HDF5 files: pictures in them and beside them, every kind of fixations, and SALICON as it keeps it."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from PIL import Image
from trees import photo

from salbox.datasets import open_dataset
from salbox.errors import UsageError
from salbox.evaluation import evaluate

h5py = pytest.importorskip("h5py")

# Stimulus, x, y, subject: the top left pixel, the bottom right one of 40 x 30, and one beyond it.
LOOKED = [(1, 0.0, 0.0, 3), (0, 39.5, 29.5, 3), (1, 12.0, 7.0, 4), (1, 40.0, 10.0, 4)]


def typed(target, kind, version, attributes=()):
    target.attrs["type"], target.attrs["version"] = np.bytes_(kind), np.bytes_(version)
    target.attrs["__attributes__"] = np.bytes_(json.dumps(list(attributes)))


def write_files(path, names, shapes=((30, 40, 3),) * 3, kind="FileStimuli", version="2.1"):
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        typed(file, kind, version)
        file["filenames"] = np.array(names, object)
        lists = file.create_dataset("shapes", (len(names),), h5py.vlen_dtype(np.int64))
        for k, shape in enumerate(shapes[: len(names)]):
            lists[k] = shape
        file.attrs["size"] = len(names)


def write_fixations(path, looked=LOOKED, **changes):
    n, x, y, subject = (np.array(column) for column in zip(*looked, strict=True))
    held = {"x": x, "y": y, "n": n, "subject": subject, "t": np.arange(len(n)), "lengths": np.arange(len(n)) % 2}
    with h5py.File(path, "w") as file:
        typed(file, "Fixations", "1.2", ("subject",))
        for name, values in {**held, **changes}.items():
            if values is not None:
                file[name] = values


@pytest.fixture
def folder(tmp_path):
    names = ["stimuli/a.jpg", "stimuli/b.jpg"]
    for name in names:
        photo(tmp_path / name, 40, 30)
    write_files(tmp_path / "stimuli.hdf5", names)
    write_fixations(tmp_path / "fixations.hdf5")
    return tmp_path


def expect_looked(data):
    first, second = data.fixations(0), data.fixations(1)
    assert (first.x.tolist(), first.y.tolist(), first.subject.tolist()) == ([39.5], [29.5], [3])
    assert (second.x.tolist(), second.y.tolist(), second.subject.tolist()) == ([0, 12], [0, 7], [3, 4])
    assert [values[0] for values in second.pixels((30, 40))] == [0, 0]


def test_photos_beside_the_file(folder):
    data = open_dataset(f"pysaliency:{folder}")
    assert [item.name for item in data.items] == ["a", "b"]
    assert data.notes == ()
    expect_looked(data)
    assert data.fixations(1).order.tolist() == [0, 0]
    np.testing.assert_array_equal(data.pixels(0), np.asarray(Image.open(folder / "stimuli" / "a.jpg")))
    expect_looked(open_dataset(f"pysaliency:{folder / 'stimuli.hdf5'}"))
    expect_looked(pickle.loads(pickle.dumps(data)))  # as it goes to other processes
    expect_looked(data.subset([0, 1], "both"))


def test_positions_follow_the_size_of_the_photo_at_hand(folder):
    photo(folder / "stimuli" / "b.jpg", 80, 60)
    data = open_dataset(f"pysaliency:{folder}")
    assert data.fixations(1).x.tolist() == [0, 24]  # and 40 of 40, which lay outside, still does
    assert data.fixations(1).y.tolist() == [0, 14]


def test_pictures_in_the_file(tmp_path):
    pictures = [np.random.default_rng(k).integers(0, 256, (30, 40, 3), np.uint8) for k in range(11)]
    pictures[10] = pictures[10][:, :, 0]
    with h5py.File(tmp_path / "stimuli.hdf5", "w") as file:
        typed(file, "Stimuli", "1.1", ("kind",))
        for k, picture in enumerate(pictures):
            file.create_dataset(str(k), data=picture, compression="gzip", compression_opts=9)
        file["kind"] = np.arange(11)
        file.attrs["size"] = 11
    write_fixations(tmp_path / "fixations.hdf5")
    data = open_dataset(f"pysaliency:{tmp_path}")
    assert [item.name for item in data.items] == [str(k) for k in range(11)]  # 10 after 9
    assert data.shape(3) == (30, 40)
    for k in range(10):
        np.testing.assert_array_equal(data.pixels(k), pictures[k])
    np.testing.assert_array_equal(data.pixels(10), np.repeat(pictures[10][:, :, None], 3, axis=2))
    expect_looked(data)
    np.testing.assert_array_equal(data.subset([4], "one").pixels(0), pictures[4])
    assert data.fingerprint() != open_dataset(f"pysaliency:{tmp_path}").subset([1], "").fingerprint()


def test_pictures_in_the_file_are_evaluated_like_any(tmp_path):
    scores = []
    for kind in ("in", "beside"):
        root = tmp_path / kind
        names = [f"stimuli/{k}.png" for k in range(2)]
        photos = [photo(root / name, 40, 30, seed=k) for k, name in enumerate(names)]
        write_files(root / "stimuli.hdf5", names)
        write_fixations(root / "fixations.hdf5")
        if kind == "in":
            with h5py.File(root / "stimuli.hdf5", "w") as file:
                typed(file, "Stimuli", "1.1")
                for k, path in enumerate(photos):
                    file[str(k)] = np.asarray(Image.open(path))
                    path.unlink()
        data = open_dataset(f"pysaliency:{root}", allow_outside=True)  # one of the four
        table = evaluate(data, ["gaussian", "imsig"], ["nss", "sauc"], folder=tmp_path / "kept" / kind)
        scores.append(table.to_dict(per_image=True)["per_image"])
    assert scores[0] == scores[1]


def padded(*rows):
    return np.array([list(row) + [np.nan] * (3 - len(row)) for row in rows], float)


def test_scanpaths(folder, monkeypatch):
    monkeypatch.setattr("salbox.datasets._pysaliency.ROWS", 2)  # as if there were many
    with h5py.File(folder / "fixations.hdf5", "w") as file:
        typed(file, "ScanpathFixations", "1.0")
        paths = file.create_group("scanpaths")
        typed(paths, "Scanpaths", "1.0")
        paths["xs"], paths["ys"] = padded([0, 9], [39.5], [12, 40, 5]), padded([0, 8], [29.5], [7, 10, 6])
        paths["n"], paths["length"] = [1, 0, 1], [1, 1, 2]  # what lies beyond a length is not looked at
        paths.create_group("scanpath_attributes")["subject"] = np.array(["ann", "ann", "bob"], object)
    data = open_dataset(f"pysaliency:{folder}")
    assert data.fixations(0).x.tolist() == [39.5]
    assert data.fixations(1).x.tolist() == [0, 12]
    assert data.fixations(1).subject.tolist() == [0, 1]
    with h5py.File(folder / "fixations.hdf5", "w") as file:
        typed(file, "FixationTrains", "1.3")
        file["train_xs"], file["train_ys"] = padded([0], [39.5], [12, 40, 5]), padded([0], [29.5], [7, 10, 6])
        file["train_ns"], file["train_subjects"] = [1, 0, 1], [3, 3, 4]
    data = open_dataset(f"pysaliency:{folder}")
    assert data.fixations(1).x.tolist() == [0, 12, 5]
    assert data.fixations(1).order.tolist() == [0, 0, 2]  # the one between lies outside
    assert data.fixations(1).subject.tolist() == [3, 4, 4]


def test_stimuli_that_are_not_at_hand_are_skipped_and_counted(folder):
    (folder / "stimuli" / "a.jpg").unlink()
    data = open_dataset(f"pysaliency:{folder}")
    assert data.notes == ("1 of 2 stimuli of stimuli.hdf5 present as images, the others skipped",)
    assert [item.name for item in data.items] == ["b"]
    assert data.fixations(0).x.tolist() == [0, 12]  # still those of b
    (folder / "stimuli" / "b.jpg").unlink()
    with pytest.raises(UsageError, match="0 of 2 stimuli"):
        open_dataset(f"pysaliency:{folder}")


@pytest.mark.parametrize("name", ["../outside.jpg", "/etc/passwd", "stimuli/../../outside.jpg", "..\\outside.jpg"])
def test_stimuli_outside_the_folder_are_refused(folder, name):
    photo(folder.parent / "outside.jpg", 40, 30)
    write_files(folder / "stimuli.hdf5", [name])
    with pytest.raises(UsageError, match="lies outside the file's own folder"):
        open_dataset(f"pysaliency:{folder}")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n": np.array([0, 1, 2, 9])}, "fixations on stimuli 0 to 9, but there are 2, counted from 0"),
        ({"n": np.array([0, -1, 1, 1])}, "fixations on stimuli -1 to 1"),
        ({"n": np.array([0, 1])}, "different lengths"),
        ({"n": np.array([0.5, 1, 1, 1])}, "'n' is not a list of whole numbers"),
        ({"x": None}, "no 'x'"),
        ({"y": np.zeros((4, 2))}, "different lengths"),
    ],
)
def test_malformed_fixations_are_one_line(folder, change, message):
    write_fixations(folder / "fixations.hdf5", **change)
    data = open_dataset(f"pysaliency:{folder}")
    with pytest.raises(UsageError, match=message) as caught:
        data.fixations(0)
    assert "fixations.hdf5" in str(caught.value)


def test_files_of_another_type_or_version(folder):
    write_files(folder / "stimuli.hdf5", ["stimuli/a.jpg"], version="9.0")
    with pytest.raises(UsageError, match=r"FileStimuli of version 9\.0; 2\.0, 2\.1 are read"):
        open_dataset(f"pysaliency:{folder}")
    write_files(folder / "stimuli.hdf5", ["stimuli/a.jpg"], kind="Fixations")
    with pytest.raises(UsageError, match="expected pysaliency's Stimuli or FileStimuli, got Fixations"):
        open_dataset(f"pysaliency:{folder}")
    write_files(folder / "stimuli.hdf5", ["stimuli/a.jpg"], shapes=((0, 40),))
    with pytest.raises(UsageError, match=r"the shape of stimulus 'stimuli/a.jpg' is no"):
        open_dataset(f"pysaliency:{folder}")
    with h5py.File(folder / "stimuli.hdf5", "w") as file:
        typed(file, "Stimuli", "1.1")
        file["0"], file["2"] = np.zeros((3, 3), np.uint8), np.zeros((3, 3), np.uint8)
    with pytest.raises(UsageError, match="an unknown number of stimuli announced, 2 are there"):
        open_dataset(f"pysaliency:{folder}")
    with pytest.raises(UsageError, match=r"expected stimuli\.hdf5 or stimuli_train\.hdf5"):
        open_dataset(f"pysaliency:{folder / 'stimuli'}")
    with pytest.raises(UsageError, match="no such folder"):
        open_dataset(f"pysaliency:{folder / 'nowhere'}")


def salicon(root):
    for part, number in (("train", 3), ("val", 2), ("test", 1)):
        names = [f"stimuli/{part}/COCO_{part}2014_{k:012d}.jpg" for k in range(number)]
        for name in names:
            photo(root / name, 40, 30)
        write_files(root / f"stimuli_{part}.hdf5", names)
        if part != "test":
            write_fixations(root / f"fixations_{part}.hdf5")
    return root


def test_salicon(tmp_path):
    root = salicon(tmp_path / "SALICON2017_fixations")
    data = open_dataset(f"salicon-hdf5:{tmp_path}")
    assert len(data) == 2
    assert data.split == "val"
    assert data.notes == ("release of 2017, fixations",)
    assert data.sigma(0) == 19 * 40 / 640
    assert data.fixations(1).x.tolist() == [0, 12]
    assert [item.name for item in data.items] == ["COCO_val2014_000000000000", "COCO_val2014_000000000001"]
    assert len(open_dataset(f"salicon-hdf5:{root}", "train")) == 3
    both = open_dataset(f"salicon-hdf5:{root}", "all")
    assert len(both) == 5
    assert "fixations" in both.gives
    test = open_dataset(f"salicon-hdf5:{root}", "test")
    assert test.gives == frozenset()
    assert "stimuli_test.hdf5 has no fixations beside it" in test.notes
    salicon(tmp_path / "SALICON")
    with pytest.raises(UsageError, match="SALICON2017_fixations, SALICON are there; name one, as in"):
        open_dataset(f"salicon-hdf5:{tmp_path}")
    (root / "stimuli_val.hdf5").unlink()
    with pytest.raises(UsageError, match=r"no split 'val' there.*there are train, test"):
        open_dataset(f"salicon-hdf5:{root}", "val")


# pysaliency leaves pictures open.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_files_that_pysaliency_wrote(tmp_path, monkeypatch):
    pysaliency = pytest.importorskip("pysaliency")
    if not hasattr(np, "string_"):  # its releases of 2024 use the name that NumPy 2 took away
        monkeypatch.setattr(np, "string_", np.bytes_, raising=False)
    names = [str(photo(tmp_path / "stimuli" / f"{k}.png", 40, 30, seed=k)) for k in range(2)]
    stimuli = pysaliency.FileStimuli(names)
    trains = pysaliency.FixationTrains.from_fixation_trains(
        [[0, 12], [39.5], [1, 2, 3]], [[0, 7], [29.5], [3, 2, 1]], [[0, 1], [0], [0, 1, 2]], [1, 0, 1], [3, 3, 4]
    )
    stimuli.to_hdf5(str(tmp_path / "stimuli.hdf5"))
    trains.to_hdf5(str(tmp_path / "fixations.hdf5"))
    data = open_dataset(f"pysaliency:{tmp_path}")
    assert [item.name for item in data.items] == ["0", "1"]
    for index in range(2):
        theirs, ours = trains[trains.n == index], data.fixations(index)
        np.testing.assert_array_equal(ours.x, theirs.x)
        np.testing.assert_array_equal(ours.y, theirs.y)
        np.testing.assert_array_equal(ours.subject, theirs.subjects)
    pysaliency.Stimuli([np.asarray(Image.open(name)) for name in names]).to_hdf5(str(tmp_path / "stimuli.hdf5"))
    pysaliency.Fixations.create_without_history(trains.x, trains.y, trains.n).to_hdf5(str(tmp_path / "fixations.hdf5"))
    pictures = open_dataset(f"pysaliency:{tmp_path}")
    for index in range(2):
        np.testing.assert_array_equal(pictures.pixels(index), np.asarray(Image.open(names[index])))
        np.testing.assert_array_equal(pictures.fixations(index).x, trains.x[trains.n == index])
