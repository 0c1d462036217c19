"""What benchmarks take: written, gone on with, read back, checked."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from contextlib import closing
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import Image
from recording import Recorder
from trees import photo

import salbox
from salbox.datasets.folder import open_images
from salbox.errors import MissingExtraError, UsageError
from salbox.evaluation import MapSource, ModelSource, map_folders
from salbox.imaging.postprocess import PostProcess
from salbox.submissions import (
    BENCHMARKS,
    SaliconSubmission,
    benchmark_images,
    check_submission,
    export_hdf5,
    read_hdf5,
    read_salicon,
    submit,
)
from salbox.submissions import salicon as salicon_module

GAUSSIAN = ModelSource("gaussian", {"sigma": 0.25})
IMSIG = ModelSource("imsig")  # whose maps follow the image
LOG_DENSITY = PostProcess(scale_output="log-density")


@pytest.fixture
def small(monkeypatch):
    """Benchmarks of three small images each."""
    for name, benchmark in BENCHMARKS.items():
        shape = None if benchmark.shape is None else (30, 40)
        monkeypatch.setitem(BENCHMARKS, name, replace(benchmark, images=3, shape=shape))


@pytest.fixture
def mit300(small, tmp_path):
    for number, (width, height) in {1: (40, 30), 2: (30, 50), 10: (20, 20)}.items():
        photo(tmp_path / "BenchmarkIMAGES" / f"i{number}.jpg", width, height, seed=number)
    return benchmark_images("mit300", tmp_path / "BenchmarkIMAGES")


@pytest.fixture
def salicon(small, tmp_path):
    for number in (7, 123456, 20):
        photo(tmp_path / "images" / f"COCO_test2014_{number:012d}.jpg", 40, 30, seed=number)
    return benchmark_images("salicon", tmp_path / "images")


@pytest.fixture
def h5py():
    return pytest.importorskip("h5py")


def indices(recorder):
    """Return the places of the images that a run took up."""
    return [computed.index for computed in recorder.items]


def picture(values):
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(values, np.uint8)).save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode()


# Images


def test_images_are_found_with_and_without_the_top_folder(mit300, tmp_path):
    (tmp_path / "BenchmarkIMAGES" / "__MACOSX").mkdir()
    photo(tmp_path / "BenchmarkIMAGES" / "SM" / "i1.jpg", 8, 6)  # the archive holds maps there
    photo(tmp_path / "BenchmarkIMAGES" / "thumbs.jpg", 8, 6)
    for folder in (tmp_path, tmp_path / "BenchmarkIMAGES"):
        data = benchmark_images("mit300", folder)
        assert [item.name for item in data.items] == ["i1", "i2", "i10"]
        assert data.items[0].image.parent.name == "BenchmarkIMAGES"


def test_cat2000_is_called_by_its_folders(small, tmp_path):
    for key in ("Action/001", "Action/101", "Pattern/134", "Action/Output/001", "Mine/001"):
        photo(tmp_path / "testSet" / "Stimuli" / f"{key}.jpg", 40, 30)
    data = benchmark_images("cat2000", tmp_path / "testSet")
    assert [item.name for item in data.items] == ["Action/001", "Action/101", "Pattern/134"]


def test_a_stated_orientation_is_not_followed(small, tmp_path, h5py):
    for name in ("001", "002", "134"):
        path = photo(tmp_path / "Pattern" / f"{name}.jpg", 40, 30)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(path).save(path, exif=exif)
    data = benchmark_images("cat2000", tmp_path)
    assert submit("cat2000", data, GAUSSIAN, tmp_path / "m.h5").problems == ()
    assert {stored.key: stored.shape for stored in read_hdf5(tmp_path / "m.h5")}["Pattern/134.jpg"] == (30, 40)


def test_wrong_images_are_refused(small, tmp_path):
    with pytest.raises(UsageError, match=r"no benchmark 'mit30'; did you mean 'mit300'\?"):
        benchmark_images("mit30", tmp_path)
    with pytest.raises(UsageError, match="no such folder; expected the images of MIT"):
        benchmark_images("mit300", tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"no images called i1.jpg to i300.jpg, nor in the folders below"):
        benchmark_images("mit300", tmp_path)
    for folder in "ab":
        photo(tmp_path / folder / "i1.jpg", 8, 6)
    with pytest.raises(UsageError, match="a and b hold such images; name one"):
        benchmark_images("mit300", tmp_path)
    with pytest.raises(UsageError, match="1 of the 3 images of MIT/Tübingen benchmark, MIT300; --incomplete"):
        benchmark_images("mit300", tmp_path / "a")
    assert len(benchmark_images("mit300", tmp_path / "a", incomplete=True)) == 1
    for number in range(2, 5):
        photo(tmp_path / "a" / f"i{number}.jpg", 8, 6)
    with pytest.raises(UsageError, match="4 of the 3 images"):
        benchmark_images("mit300", tmp_path / "a", incomplete=True)


def test_an_image_of_another_size_is_named_before_anything_is_computed(salicon, tmp_path):
    photo(tmp_path / "images" / "COCO_test2014_000000000020.jpg", 41, 30)
    data = benchmark_images("salicon", tmp_path / "images")
    with pytest.raises(UsageError, match=r"0020\.jpg: 41x30 pixels, but the images of salicon have 40x30"):
        submit("salicon", data, GAUSSIAN, tmp_path / "r.json")
    assert not (tmp_path / "r.json.part").exists()


# HDF5


def test_hdf5_holds_the_maps(mit300, tmp_path, h5py):
    file = tmp_path / "new" / "gaussian.h5"
    checked = submit("mit300", mit300, GAUSSIAN, file)
    assert (checked.maps, checked.output, checked.problems) == (3, "score", ())
    model = salbox.load("gaussian", sigma=0.25)
    with h5py.File(file) as found:
        assert sorted(found) == ["i1.jpg", "i10.jpg", "i2.jpg"]
        assert found["i2.jpg"].compression == "gzip"
        for item in mit300.items:
            np.testing.assert_array_equal(found[f"{item.name}.jpg"][()], model(item.image))
    assert [path.name for path in file.parent.iterdir()] == ["gaussian.h5"]


def test_pysaliency_reads_what_is_written(small, tmp_path, h5py):
    pysaliency = pytest.importorskip("pysaliency")
    for category, name in (("Action", "001"), ("Art", "001"), ("Art", "002")):
        photo(tmp_path / "Stimuli" / category / f"{name}.jpg", 40, 30, seed=len(category + name))
    data = benchmark_images("cat2000", tmp_path)
    files = [str(item.image) for item in data.items]
    stimuli = pysaliency.FileStimuli(files, shapes=[(30, 40, 3)] * 3)
    model = salbox.load("imsig")
    for postprocess, reader in ((PostProcess(), "HDF5SaliencyMapModel"), (LOG_DENSITY, "HDF5Model")):
        source = ModelSource("imsig", {}, postprocess)
        file = tmp_path / f"{reader}.h5"
        assert submit("cat2000", data, source, file).output == source.output
        theirs = getattr(pysaliency, reader)(stimuli, str(file))
        for index, item in enumerate(data.items):
            expected = postprocess(model(item.image))
            given = theirs.log_density if reader == "HDF5Model" else theirs.saliency_map
            np.testing.assert_array_equal(given(stimuli[index]), expected)


def test_the_maps_of_any_dataset(tmp_path, h5py):
    for key in ("1.jpg", "below/1.jpg", "below/2.png"):
        photo(tmp_path / "photos" / key, 40, 30)
    data = open_images(tmp_path / "photos")
    export_hdf5(data, GAUSSIAN, tmp_path / "m.h5")
    assert sorted(stored.key for stored in read_hdf5(tmp_path / "m.h5")) == ["1.jpg", "below/1.jpg", "below/2.png"]
    with pytest.raises(UsageError, match="is there already"):
        export_hdf5(data, GAUSSIAN, tmp_path / "m.h5")


def test_h5py_that_is_missing_costs_one_line(mit300, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r"HDF5 file of a benchmark needs .*salbox\[eval\]"):
        submit("mit300", mit300, GAUSSIAN, tmp_path / "m.h5")
    with pytest.raises(MissingExtraError, match=r"salbox\[eval\]"):
        list(read_hdf5(tmp_path / "m.h5"))


def test_8_bit_maps_stay_8_bit(mit300, tmp_path, h5py):
    (tmp_path / "maps").mkdir()
    maps = {item.name: mit300.pixels(index)[:, :, 0] for index, item in enumerate(mit300.items)}
    for name, values in maps.items():
        Image.fromarray(values).save(tmp_path / "maps" / f"{name}.png")
    (folder,) = map_folders(tmp_path / "maps", mit300)
    assert submit("mit300", mit300, MapSource(folder), tmp_path / "m.h5").problems == ()
    with h5py.File(tmp_path / "m.h5") as found:
        assert found["i1.jpg"].dtype == np.uint8
        for name, values in maps.items():
            np.testing.assert_array_equal(found[f"{name}.jpg"][()], values)


def test_maps_that_do_not_fit_are_refused(mit300, tmp_path, h5py):
    maps = tmp_path / "maps"
    maps.mkdir()
    np.save(maps / "i1.npy", np.zeros((5, 6), np.float32))
    np.save(maps / "i2.npy", np.zeros((50, 30), np.float32))
    (folder,) = map_folders(maps, mit300)
    with pytest.raises(UsageError, match=r"2 of 3 images have no map \(.*i1.jpg: a map of 6x5 for an image of 40x30\)"):
        submit("mit300", mit300, MapSource(folder), tmp_path / "m.h5")
    assert not (tmp_path / "m.h5").exists()
    for index, item in enumerate(mit300.items):
        np.save(maps / f"{item.name}.npy", np.zeros(mit300.shape(index), np.float32))
    (folder,) = map_folders(maps, mit300)
    with pytest.raises(UsageError, match=r"i1.jpg: not a log density: exp of it sums to 1200, not to 1"):
        submit("mit300", mit300, MapSource(folder, "log_density"), tmp_path / "m.h5")


# SALICON


def test_salicon_holds_pictures(salicon, tmp_path):
    file = tmp_path / "results.json"
    checked = submit("salicon", salicon, GAUSSIAN, file)
    assert (checked.maps, checked.problems) == (3, ())
    entries = json.loads(file.read_text())
    assert [entry["image_id"] for entry in entries] == [7, 20, 123456]
    assert all(entry.keys() == {"image_id", "saliency_map"} for entry in entries)
    expected = salbox.load("gaussian", sigma=0.25)(salicon.items[1].image)
    scaled = (expected - expected.min()) / np.ptp(expected)
    image = Image.open(io.BytesIO(base64.b64decode(entries[1]["saliency_map"])))
    assert (image.format, image.mode, image.size) == ("PNG", "L", (40, 30))
    assert np.abs(np.asarray(image) / 255 - scaled).max() <= 0.5 / 255 + 1e-6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images", "results.json"]


def test_of_a_log_density_salicon_gets_the_density(salicon, tmp_path):
    submit("salicon", salicon, ModelSource("imsig", {}, LOG_DENSITY), tmp_path / "r.json")
    density = np.exp(LOG_DENSITY(salbox.load("imsig")(salicon.items[0].image)).astype(float))
    stored = next(read_salicon(tmp_path / "r.json"))
    expected = (density - density.min()) / np.ptp(density)
    assert np.abs(stored.read() / 255 - expected).max() <= 0.5 / 255 + 1e-6


def test_salicon_is_read_whatever_its_spaces(tmp_path, monkeypatch):
    entries = [{"image_id": k, "saliency_map": picture(np.full((2, 3), 50 * k)), "more": [{}]} for k in range(4)]
    file = tmp_path / "r.json"
    for chunk in (1, 7, 1 << 20):
        monkeypatch.setattr(salicon_module, "_CHUNK", chunk)
        for text in (
            json.dumps(entries),
            f" {json.dumps(entries, indent=4)}\n\n",
            json.dumps(entries, separators=(",", ":")),
        ):
            file.write_text(text)
            found = list(read_salicon(file))
            assert [stored.key for stored in found] == ["0", "1", "2", "3"]
            assert [int(stored.read()[1, 2]) for stored in found] == [0, 50, 100, 150]
            assert found[0].shape == (2, 3)
        file.write_text(" [ ]")
        assert list(read_salicon(file)) == []


def test_an_entry_beyond_any_picture_is_not_read_on(tmp_path, monkeypatch):
    monkeypatch.setattr(salicon_module, "_CHUNK", 100)
    monkeypatch.setattr(salicon_module, "_LARGEST", 1000)
    (tmp_path / "r.json").write_text(json.dumps([{"image_id": 1, "saliency_map": "A" * 5000}]))
    with pytest.raises(UsageError, match="broken or cut off"):
        list(read_salicon(tmp_path / "r.json"))


ONE = picture(np.zeros((2, 2)))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "expected a JSON list"),
        ('{"image_id": 1}', "expected a JSON list"),
        ("[1]", "entry 1: expected image_id and saliency_map"),
        ('[{"image_id": 1}]', "entry 1: expected image_id and saliency_map"),
        ('[{"image_id": "1", "saliency_map": ""}]', "entry 1: expected image_id to be a whole number"),
        ('[{"image_id": true, "saliency_map": ""}]', "entry 1: expected image_id to be a whole number"),
        ('[{"image_id": 1, "saliency_map": "*"}]', "image 1: not base64"),
        ('[{"image_id": 1, "saliency_map": "AAAA"}]', "image 1: not a PNG or JPEG picture"),
        (f'[{{"image_id": 1, "saliency_map": "{ONE}"}}', "broken or cut off"),
        (f'[{{"image_id": 1, "saliency_map": "{ONE}"}} 2]', "broken or cut off"),
        (f'[{{"image_id": 1, "saliency_map": "{ONE[:9]}', "broken or cut off"),
        ("[" * 100_000, "broken or cut off"),
    ],
)
def test_malformed_salicon_costs_one_line(tmp_path, text, complaint):
    file = tmp_path / "r.json"
    file.write_text(text)
    with pytest.raises(UsageError, match=complaint) as raised:
        list(read_salicon(file))
    assert "\n" not in str(raised.value)
    assert str(file) in str(raised.value)


def test_other_files_are_no_salicon(tmp_path):
    with pytest.raises(UsageError, match="no such file"):
        list(read_salicon(tmp_path / "none.json"))
    (tmp_path / "r.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not readable as JSON"):
        list(read_salicon(tmp_path / "r.json"))
    color = picture(np.random.default_rng(0).integers(0, 255, (4, 4, 3)))
    (tmp_path / "r.json").write_text(json.dumps([{"image_id": 1, "saliency_map": color}]))
    with pytest.raises(UsageError, match="image 1: a colour picture"):
        next(read_salicon(tmp_path / "r.json")).read()
    with SaliconSubmission(tmp_path / "s.json", {}) as file, pytest.raises(UsageError, match="a number at the end"):
        file.add("mine.jpg", np.zeros((2, 2)))


# Going on


@pytest.fixture(params=["mit300", "salicon"])
def kind(request):
    """A benchmark, its images, and the name of a file of its layout."""
    if request.param == "mit300":
        pytest.importorskip("h5py")
    return request.param, request.getfixturevalue(request.param), "m.h5" if request.param == "mit300" else "m.json"


def test_a_run_goes_on_where_it_was(kind, tmp_path):
    benchmark, images, name = kind
    whole = tmp_path / f"whole-{name}"
    submit(benchmark, images, GAUSSIAN, whole)
    with pytest.raises(KeyboardInterrupt):
        submit(benchmark, images, GAUSSIAN, tmp_path / name, progress=Recorder(stop_after=2))
    assert not (tmp_path / name).exists()
    assert (tmp_path / f"{name}.part").exists()
    progress = Recorder()
    assert submit(benchmark, images, GAUSSIAN, tmp_path / name, progress=progress).problems == ()
    assert indices(progress) == [2]
    assert not (tmp_path / f"{name}.part").exists()
    read = read_salicon if benchmark == "salicon" else read_hdf5
    for first, second in zip(read(whole), read(tmp_path / name), strict=True):
        assert first.key == second.key
        np.testing.assert_array_equal(first.read(), second.read())


def test_the_map_of_an_image_that_changed_is_made_again(kind, tmp_path):
    benchmark, images, name = kind
    with pytest.raises(KeyboardInterrupt):
        submit(benchmark, images, IMSIG, tmp_path / name, progress=Recorder(stop_after=2))
    path = images.items[0].image
    height, width = images.shape(0)
    photo(path, width, height, seed=99)
    progress = Recorder()
    assert submit(benchmark, images, IMSIG, tmp_path / name, progress=progress).problems == ()
    assert indices(progress) == [0, 2]
    submit(benchmark, images, IMSIG, tmp_path / f"whole-{name}")
    read = read_salicon if benchmark == "salicon" else read_hdf5
    found, expected = ({s.key: s.read() for s in read(tmp_path / n)} for n in (name, f"whole-{name}"))
    assert found.keys() == expected.keys()
    for key, saliency in expected.items():
        np.testing.assert_array_equal(found[key], saliency)


def test_the_map_of_an_image_that_is_gone_is_left_out(kind, tmp_path):
    benchmark, images, name = kind
    with pytest.raises(KeyboardInterrupt):
        submit(benchmark, images, GAUSSIAN, tmp_path / name, progress=Recorder(stop_after=2))
    rest = images.subset([1, 2], "without the first")
    assert submit(benchmark, rest, GAUSSIAN, tmp_path / name).problems == ()


def test_a_dataset_s_maps_are_made_again_for_images_that_changed(tmp_path, h5py):
    for k in range(3):
        photo(tmp_path / "images" / f"{k}.png", 20, 10, seed=k)
    images = open_images(tmp_path / "images")
    with pytest.raises(KeyboardInterrupt):
        export_hdf5(images, IMSIG, tmp_path / "m.h5", progress=Recorder(stop_after=2))
    photo(tmp_path / "images" / "1.png", 20, 10, seed=9)
    progress = Recorder()
    export_hdf5(images, IMSIG, tmp_path / "m.h5", progress=progress)
    assert indices(progress) == [1, 2]


@pytest.mark.parametrize("bad", [b"{}", b"\xff", b"[" * 100_000, b"null", b'{"image_id": 7, "saliency_map": "AAAA"}'])
def test_a_damaged_line_of_the_part_is_made_again(salicon, tmp_path, bad):
    with pytest.raises(KeyboardInterrupt):
        submit("salicon", salicon, GAUSSIAN, tmp_path / "m.json", progress=Recorder(stop_after=2))
    part = tmp_path / "m.json.part"
    head, first, second = part.read_bytes().splitlines(keepends=True)
    part.write_bytes(head + first.partition(b" ")[0] + b" " + bad + b"\n" + second)
    progress = Recorder()
    assert submit("salicon", salicon, GAUSSIAN, tmp_path / "m.json", progress=progress).problems == ()
    assert indices(progress) == [0, 2]
    assert json.loads((tmp_path / "m.json").read_text())[0].keys() == {"image_id", "saliency_map"}


def test_another_model_begins_anew(kind, tmp_path):
    benchmark, images, name = kind
    with pytest.raises(KeyboardInterrupt):
        submit(benchmark, images, GAUSSIAN, tmp_path / name, progress=Recorder(stop_after=1))
    progress = Recorder()
    submit(benchmark, images, ModelSource("gaussian", {"sigma": 0.1}), tmp_path / name, progress=progress)
    assert indices(progress) == [0, 1, 2]


@pytest.mark.parametrize("left", [b"", b"rubbish", None])
def test_what_a_kill_left_is_replaced_or_cut(kind, tmp_path, left):
    benchmark, images, name = kind
    part = tmp_path / f"{name}.part"
    with pytest.raises(KeyboardInterrupt):
        submit(benchmark, images, GAUSSIAN, tmp_path / name, progress=Recorder(stop_after=2))
    part.write_bytes(part.read_bytes()[:-20] if left is None else left)
    progress = Recorder()
    checked = submit(benchmark, images, GAUSSIAN, tmp_path / name, progress=progress)
    assert (checked.maps, checked.problems) == (3, ())
    assert indices(progress) == ([1, 2] if left is None and benchmark == "salicon" else [0, 1, 2])


def test_a_broken_image_stops_the_file_not_the_others(kind, tmp_path):
    benchmark, images, name = kind
    path = images.items[1].image
    kept = path.read_bytes()
    path.write_bytes(kept[:-40])
    with pytest.raises(UsageError, match=r"not written, 1 of 3 images have no map \(.*broken image"):
        submit(benchmark, images, GAUSSIAN, tmp_path / name)
    path.write_bytes(kept)
    progress = Recorder()
    assert submit(benchmark, images, GAUSSIAN, tmp_path / name, progress=progress).maps == 3
    assert indices(progress) == [1]


def test_several_processes_write_the_same(kind, tmp_path):
    benchmark, images, name = kind
    submit(benchmark, images, GAUSSIAN, tmp_path / name)
    submit(benchmark, images, GAUSSIAN, tmp_path / f"two-{name}", workers=2)
    read = read_salicon if benchmark == "salicon" else read_hdf5
    for first, second in zip(read(tmp_path / name), read(tmp_path / f"two-{name}"), strict=True):
        np.testing.assert_array_equal(first.read(), second.read())


def test_a_file_that_is_there_stays(kind, tmp_path):
    benchmark, images, name = kind
    (tmp_path / name).write_text("mine")
    with pytest.raises(UsageError, match="is there already; --overwrite"):
        submit(benchmark, images, GAUSSIAN, tmp_path / name)
    assert (tmp_path / name).read_text() == "mine"
    assert submit(benchmark, images, GAUSSIAN, tmp_path / name, overwrite=True).maps == 3
    with pytest.raises(UsageError, match="0 workers"):
        submit(benchmark, images, GAUSSIAN, tmp_path / f"other-{name}", workers=0)


def test_a_place_that_cannot_be_written_to(kind, tmp_path):
    benchmark, images, name = kind
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        submit(benchmark, images, GAUSSIAN, tmp_path / "file" / name)


# Checking


def test_what_is_wrong_with_hdf5_is_said(mit300, tmp_path, h5py):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["i1.jpg"] = np.full((30, 40), np.nan)
        file["i2.jpg"] = np.zeros((30, 50))
        file["i3.jpg"] = np.zeros((3, 5))
    checked = check_submission("mit300", tmp_path / "m.h5", mit300)
    assert checked.maps == 2
    assert checked.problems == (
        "no map of i10.jpg (1)",
        "maps of no image of it: i3.jpg (1)",
        "not of the image's size: i2.jpg (1)",
        "values that are not finite numbers: i1.jpg (1)",
    )


def test_densities_are_all_densities_or_none(mit300, tmp_path, h5py):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["i1.jpg"] = np.full((30, 40), -np.log(1200))
        file["i10.jpg"] = np.full((20, 20), -np.log(400) + 0.002)
        file["i2.jpg"] = np.ones((50, 30))
    checked = check_submission("mit300", tmp_path / "m.h5", mit300)
    assert checked.output == "log_density"
    assert checked.problems == ("exp does not sum to 1, of the first map it does: i10.jpg, i2.jpg (2)",)


def test_what_is_wrong_with_salicon_is_said(salicon, tmp_path):
    fine, flat = np.arange(1200).reshape(30, 40) % 251, np.zeros((30, 40))
    entries = [(7, fine), (7, fine), (8, fine), (20, flat), (123456, fine.T)]
    text = json.dumps([{"image_id": key, "saliency_map": picture(values)} for key, values in entries])
    (tmp_path / "r.json").write_text(text)
    assert check_submission("salicon", tmp_path / "r.json", salicon).problems == (
        "maps of no image of it: 8 (1)",
        "several maps of 7 (1)",
        "not of the image's size: 123456 (1)",
        "one value everywhere: 20 (1)",
    )


def test_malformed_hdf5_costs_one_line(tmp_path, h5py):
    file = tmp_path / "m.h5"

    def complaint():
        with pytest.raises(UsageError) as raised, closing(read_hdf5(file)) as found:
            [stored.read() for stored in found]
        assert "\n" not in str(raised.value)
        assert str(file) in str(raised.value)
        return str(raised.value)

    def made(write):
        with h5py.File(file, "w") as opened:
            write(opened)

    assert "no such file" in complaint()
    file.write_bytes(b"rubbish")
    assert "not readable as an HDF5 file" in complaint()
    made(lambda f: f.create_dataset("i1.jpg", (3, 4, 5), "f4"))
    assert "i1.jpg: expected a map, (H, W), got an array of shape (3, 4, 5)" in complaint()
    made(lambda f: f.create_dataset("i1.jpg", (10**7, 10**7), "f4", chunks=(10, 10), compression="gzip"))
    assert "expected a map" in complaint()
    made(lambda f: f.create_dataset("i1.jpg", data=np.array([["a"]], "S1")))
    assert "'i1.jpg' does not hold numbers" in complaint()
    made(lambda f: f.__setitem__("i1.jpg", h5py.ExternalLink("/etc/passwd", "/")))
    assert "'i1.jpg' is a link to elsewhere" in complaint()
    made(lambda f: f.create_dataset("i1.jpg", (2, 2), "u1", external=[("/etc/passwd", 0, 4)]))
    assert "'i1.jpg' has its data in another file" in complaint()
    made(lambda f: f.__setitem__("loop", f["/"]))
    assert "'loop' lies too deep" in complaint()
    made(lambda f: f.create_dataset("i1.jpg", data=np.random.default_rng(0).random((64, 64)), compression="gzip"))
    whole = bytearray(file.read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 2000] = bytes(2000)
    file.write_bytes(whole)
    assert "'i1.jpg' is broken" in complaint()


# The command


@pytest.fixture
def cli(cli):
    """`salbox submit`."""
    return partial(cli, "submit")


def test_the_command_writes_and_checks(cli, salicon, tmp_path):
    images, file = tmp_path / "images", tmp_path / "r.json"
    common = ["--benchmark", "salicon", "--images", images, "-o", file]
    code, out, err = cli(*common, "-m", "gaussian", "--param", "sigma=.25", "--do-smoothing", "proportional")
    assert (code, err) == (0, "")
    assert out.splitlines() == [f"{file}: 3 saliency maps", f"where it goes: {BENCHMARKS['salicon'].where}"]
    assert cli(*common, "--check") == (0, f"{file}: 3 saliency maps\n", "")
    entries = json.loads(file.read_text())
    file.write_text(json.dumps(entries[1:]))
    code, out, err = cli(*common, "--check")
    assert (code, err) == (1, "problem: no map of 7 (1)\n")


def test_the_command_takes_maps(cli, salicon, tmp_path):
    for item in salicon.items:
        (tmp_path / "maps" / "mine").mkdir(parents=True, exist_ok=True)
        np.save(tmp_path / "maps" / "mine" / f"{item.name}.npy", np.arange(1200.0).reshape(30, 40))
    common = ["--benchmark", "salicon", "--images", tmp_path / "images", "--maps", tmp_path / "maps"]
    code, _, _ = cli(*common, "-o", tmp_path / "r.json")
    assert code == 0
    expected = np.rint(np.arange(1200.0).reshape(30, 40) / 1199 * 255)
    np.testing.assert_array_equal(next(read_salicon(tmp_path / "r.json")).read(), expected)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-o", "r.h5", "-m", "gbvs"], r"r.h5: salicon takes a file called \*.json"),
        (["-o", "r.json"], r"give one model \(-m\) or a folder of maps"),
        (["-o", "r.json", "-m", "gbvs", "--maps", "maps"], r"give one model \(-m\) or a folder of maps"),
        (["-o", "r.json", "-m", "gbvs,bms"], "a submission is of one model, not of gbvs, bms"),
        (["-o", "r.json", "-m", "gvbs"], "no model 'gvbs'"),
        (["-o", "r.json", "--maps", "maps", "--maps-output", "scores"], "did you mean 'score'"),
        (["-o", "r.json", "--check", "-m", "gbvs"], "--check writes nothing"),
    ],
)
def test_the_command_says_what_is_wrong(cli, salicon, tmp_path, arguments, complaint):
    code, out, found = cli("--benchmark", "salicon", "--images", tmp_path / "images", *arguments)
    assert (code, out) == (2, "")
    assert re.search(complaint, found)


def test_an_image_that_takes_too_much_memory_is_named(kind, tmp_path, monkeypatch):
    def refuse(*_):
        raise MemoryError

    benchmark, images, name = kind
    monkeypatch.setattr("salbox.prediction.images.ImageMaps.of", refuse)
    message = f"{images.items[0].image}: not enough memory (fewer --workers may help)"
    with pytest.raises(UsageError, match=re.escape(message)):
        submit(benchmark, images, GAUSSIAN, tmp_path / name)
