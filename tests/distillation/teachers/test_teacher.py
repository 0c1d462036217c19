"""Teachers' maps on disk: what is stored, resumed, refused, and read again; maps made elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import onnx_writer as ow
import pytest
from PIL import Image
from skimage import data

import salbox
from salbox.distillation.teachers.augmentations import View, changed_view, plain_view, plan_views
from salbox.distillation.teachers.maps_folder import RECORD
from salbox.distillation.teachers.reference import at_map_size, at_reference_size
from salbox.distillation.teachers.teacher import (
    Teacher,
    TeacherMaps,
    ensure_matching,
    map_folder,
    read_record,
    teach,
    teach_views,
)
from salbox.errors import ImageError, UsageError
from salbox.imaging.inputs import find_images
from salbox.imaging.postprocess import PostProcess
from salbox.imaging.writing import write_map
from salbox.writing import read_notes


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for i in range(4):
        Image.fromarray(np.roll(data.chelsea(), 40 * i, axis=1)).save(folder / f"{i}.jpg", quality=95)
    Image.fromarray(data.coffee()[:, :200]).save(folder / "more" / "cup.png")
    return find_images([str(folder)], recursive=True)


def stamps(folder: Path) -> dict[str, int]:
    return {p.relative_to(folder).as_posix(): p.stat().st_mtime_ns for p in folder.rglob("*.png")}


def test_maps_are_those_of_the_model_at_reference_size(photos, tmp_path):
    outcomes = list(teach("imsig", photos, tmp_path / "maps", workers=1))
    assert [len(o.written) for o in outcomes] == [1] * 5
    maps = TeacherMaps(tmp_path / "maps")
    assert maps.names() == ["0", "1", "2", "3", "more/cup"]
    for photo in photos:
        key = photo.output.as_posix()
        image = salbox.read_image(photo.path)
        height, width = image.shape[:2]
        scale = 640 / max(height, width)
        size = round(width * scale), round(height * scale)
        raw = salbox.load("imsig")(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC))
        small = (round(width * scale / 2), round(height * scale / 2))
        expected = cv2.resize(raw.astype(float), small, interpolation=cv2.INTER_AREA)
        found = maps.read(key)
        assert found.dtype == np.float32
        assert (found.min(), found.max()) == (0, 1)
        np.testing.assert_allclose(found, (expected - expected.min()) / np.ptp(expected), atol=2e-5)
        notes = read_notes(maps.folder / f"{key}.png")
        # The range noted in the file gives the numbers back.
        np.testing.assert_allclose(
            notes["minimum"] + found * (notes["maximum"] - notes["minimum"]), expected, atol=2e-5 * np.ptp(expected)
        )
    with Image.open(maps.folder / "0.png") as picture:
        assert picture.mode == "I;16"
        assert max(picture.size) == 320


@pytest.fixture
def mask_model(tmp_path):
    """A model whose map is a probability: how red a place is."""
    path = tmp_path / "red.onnx"
    path.write_bytes(ow.student(metadata=ow.notes(output="probability")))
    return f"{path}#red"


def test_a_probability_is_stored_unscaled(photos, mask_model, tmp_path):
    list(teach(mask_model, photos, tmp_path / "maps", workers=1))
    maps = TeacherMaps(tmp_path / "maps")
    assert maps.record["teacher"]["output"] == "probability"
    assert maps.record["teacher"]["scale"] == "none, 0 to 1 as 8 bits"
    assert maps.unscaled
    for photo in photos:
        image = salbox.read_image(photo.path)
        raw = salbox.load(mask_model)(image)
        expected = at_map_size(raw, image.shape[:2])
        found = maps.read(photo.output.as_posix())
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=0.51 / 255)
        assert 0.05 < found.min() < found.max() < 0.95  # min-max scaled it would be 0 and 1


def test_a_constant_probability_is_what_it_is(mask_model, tmp_path):
    Image.new("RGB", (40, 30), (102, 0, 0)).save(tmp_path / "red.png")
    list(teach(mask_model, find_images([str(tmp_path / "red.png")]), tmp_path / "maps", workers=1))
    np.testing.assert_allclose(TeacherMaps(tmp_path / "maps").read("red"), 102 / 255, atol=1e-5)


@pytest.mark.parametrize(
    ("preprocess", "unscaled"),
    [(PostProcess(do_smoothing="proportional"), True), (PostProcess(scale_output="normalized"), False)],
)
def test_what_preprocessing_leaves_no_probability_is_scaled(preprocess, unscaled, photos, mask_model, tmp_path):
    list(teach(mask_model, photos[:1], tmp_path / "maps", preprocess=preprocess, workers=1))
    maps = TeacherMaps(tmp_path / "maps")
    assert maps.unscaled == unscaled == (Teacher(mask_model, {}, preprocess).output == "probability")
    assert (maps.read("0").max() == 1) != unscaled


@pytest.mark.parametrize("output", ["score", "log_density"])
def test_other_maps_are_min_max_scaled(output, photos, tmp_path):
    path = tmp_path / "red.onnx"
    path.write_bytes(ow.student(metadata=ow.notes(output=output)))
    list(teach(f"{path}#red", photos[:1], tmp_path / "maps", workers=1))
    maps = TeacherMaps(tmp_path / "maps")
    assert "scale" not in maps.record["teacher"]  # whose fingerprint is what it always was
    assert not maps.unscaled
    assert (maps.read("0").min(), maps.read("0").max()) == (0, 1)


def test_the_record_says_what_made_the_maps(photos, tmp_path):
    arguments = {"blur_sigma": 0.06}
    list(teach("imsig", photos, tmp_path, arguments=arguments, workers=1))
    record = json.loads((tmp_path / "imsig" / RECORD).read_text())
    assert record == TeacherMaps(tmp_path).record
    assert record["maps"] == 5
    assert record["teacher"]["model"] == "imsig"
    assert record["teacher"]["parameters"]["blur_sigma"] == 0.06
    assert record["versions"][0]["salbox"] == salbox.__version__
    ranges = [read_notes(p) for p in (tmp_path / "imsig").rglob("*.png")]
    assert record["raw_range"] == [min(n["minimum"] for n in ranges), max(n["maximum"] for n in ranges)]


@pytest.mark.slow
def test_workers_write_what_one_process_writes(photos, tmp_path):
    list(teach("gaussian", photos, tmp_path / "one", workers=1))
    outcomes = list(teach("gaussian", photos, tmp_path / "two", workers=2))
    assert [o.source for o in outcomes] == [p.path for p in photos]
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / n).rglob("*.*")} for n in ("one", "two"))
    assert one == two
    assert len(one) == 6


def test_a_second_run_makes_what_is_missing_and_nothing_twice(photos, tmp_path):
    list(teach("gaussian", photos[:3], tmp_path, workers=1))
    before = stamps(tmp_path)
    (tmp_path / "gaussian" / "1.png").unlink()
    whole = (tmp_path / "gaussian" / "2.png").read_bytes()
    (tmp_path / "gaussian" / "2.png").write_bytes(whole[: len(whole) // 2])
    outcomes = list(teach("gaussian", photos, tmp_path, workers=1))
    assert sorted(p.name for o in outcomes for p in o.written) == ["1.png", "2.png", "3.png", "cup.png"]
    assert [p.name for o in outcomes for p in o.skipped] == ["0.png"]
    assert stamps(tmp_path)["gaussian/0.png"] == before["gaussian/0.png"]
    assert (tmp_path / "gaussian" / "2.png").read_bytes() == whole
    assert read_record(tmp_path / "gaussian")["maps"] == 5


def test_maps_of_another_teacher_are_refused_unless_made_again(photos, tmp_path):
    list(teach("gaussian", photos, tmp_path, workers=1))
    before = stamps(tmp_path)
    other = {"arguments": {"sigma": 0.3}, "workers": 1}
    with pytest.raises(UsageError, match=r"made otherwise .*--overwrite") as error:
        teach("gaussian", photos, tmp_path, **other)
    assert "\n" not in str(error.value)
    assert stamps(tmp_path) == before
    list(teach("gaussian", photos[:2], tmp_path, **other, overwrite=True))
    maps = TeacherMaps(tmp_path)
    checked = maps.check([p.output.as_posix() for p in photos])
    assert checked.good == ("0", "1")
    assert set(checked.broken) == {"2", "3", "more/cup"}
    with pytest.raises(ImageError, match="another teacher"):
        maps.read("2")
    # Going on after that needs no --overwrite, and leaves no old map.
    list(teach("gaussian", photos, tmp_path, **other))
    assert len(TeacherMaps(tmp_path).check([p.output.as_posix() for p in photos]).good) == 5


def test_a_picture_that_is_no_map_is_not_written_over(photos, tmp_path):
    target = tmp_path / "gaussian" / "0.png"
    target.parent.mkdir()
    Image.new("L", (3, 3)).save(target)
    before = target.read_bytes()
    with pytest.raises(UsageError, match="no teacher's map"):
        teach("gaussian", photos, tmp_path)
    assert target.read_bytes() == before


def test_a_broken_photo_costs_a_line(photos, tmp_path):
    photos[1].path.write_bytes(b"no photo")
    outcomes = list(teach("gaussian", photos, tmp_path / "maps", workers=1))
    assert [len(o.failures) for o in outcomes] == [0, 1, 0, 0, 0]
    checked = TeacherMaps(tmp_path / "maps").check([p.output.as_posix() for p in photos])
    assert checked.missing == ("1",)
    assert len(checked.good) == 4
    assert checked.lines() == ["1 photo without a map: 1"]


def test_what_is_wrong_with_a_model_is_said_before_the_first_photo(photos, tmp_path):
    with pytest.raises(UsageError, match="did you mean 'imsig'"):
        teach("imsgi", photos, tmp_path)
    with pytest.raises(UsageError, match="no parameter 'blur'"):
        teach("imsig", photos, tmp_path, arguments={"blur": 1})
    with pytest.raises(UsageError, match="0 workers"):
        teach("imsig", photos, tmp_path, workers=0)
    assert not (tmp_path / "imsig").exists()


def test_preprocessing_comes_before_storage(photos, tmp_path):
    matched = PostProcess(histogram_matching="equalization")
    list(teach("imsig", photos[:1], tmp_path, preprocess=matched, workers=1))
    found = TeacherMaps(tmp_path).read("0")
    # Equalised values are spread evenly: deciles of them lie at tenths.
    np.testing.assert_allclose(np.quantile(found, np.linspace(0, 1, 11)), np.linspace(0, 1, 11), atol=0.03)
    assert read_record(tmp_path / "imsig")["teacher"]["preprocess"] == {"histogram_matching": "equalization"}


def test_matching_to_a_folder_goes_by_the_photos_name(photos, tmp_path):
    references = tmp_path / "references"
    references.mkdir()
    for k in range(2):
        Image.fromarray(np.tile(np.array([0, 255 if k else 10], np.uint8), (4, 4))).save(references / f"{k}.png")
    matched = PostProcess(histogram_matching="image-based", histogram_matching_reference=str(references))
    outcomes = list(teach("imsig", photos[:3], tmp_path / "maps", preprocess=matched, workers=1))
    assert [len(o.failures) for o in outcomes] == [0, 0, 1]
    assert read_notes(tmp_path / "maps" / "imsig" / "0.png")["maximum"] == pytest.approx(10 / 255, rel=0.01)
    assert read_notes(tmp_path / "maps" / "imsig" / "1.png")["maximum"] == pytest.approx(1, rel=0.01)


def test_views_have_maps_of_their_own(photos, tmp_path):
    plain = plain_view(photos[0])
    views = [plain, changed_view(plain, "noise", "", 1), changed_view(plain, None, "h", 1)]
    list(teach_views(Teacher("imsig"), views, tmp_path / "maps", workers=1))
    maps = TeacherMaps(tmp_path / "maps")
    assert maps.names() == ["0", "0@flip-h", "0@noise"]
    for view in views:
        image = view.render()
        raw = salbox.load("imsig")(at_reference_size(image))
        expected = at_map_size(raw, image.shape[:2])
        np.testing.assert_allclose(maps.read(view.key), (expected - expected.min()) / np.ptp(expected), atol=2e-5)
    assert len(list((tmp_path / "maps").rglob("*.*"))) == 4  # the maps and the record, no picture


def test_views_of_another_seed_are_made_again(photos, tmp_path):
    first = plan_views(photos, domains=["noise"], share=1, keep_plain=False, seed=1)
    second = plan_views(photos, domains=["noise"], share=1, keep_plain=False, seed=2)
    for views, written in ((first, 5), (first, 0), (second, 5), (second, 0)):
        outcomes = list(teach_views(Teacher("gaussian"), views, tmp_path, workers=1))
        assert sum(len(o.written) for o in outcomes) == written
        assert sum(len(o.skipped) for o in outcomes) == 5 - written


def test_a_log_density_is_stored_as_a_density(photos, tmp_path, monkeypatch):
    import dataclasses

    from salbox.distillation.teachers import teacher as module

    def log_density(name, arguments, postprocess):
        card = dataclasses.replace(salbox.card("gaussian"), output="log_density")
        return salbox.Model(card, lambda image: np.log(1.0 + image.mean(axis=2)), {})

    monkeypatch.setattr(module, "load_for", log_density)
    mapped = Teacher("fastgaze").mapper()(data.chelsea())
    expected = at_map_size(1.0 + data.chelsea().mean(axis=2), (300, 451))
    np.testing.assert_allclose(mapped, expected, rtol=1e-4)


def test_a_network_sees_the_photo_as_it_is():
    seen = []
    ensemble = Teacher("ensemble:bms+gaussian")
    image = data.chelsea()
    model = ensemble.load()
    seen.append(ensemble.mapper()(image))
    np.testing.assert_array_equal(seen[0], at_map_size(model(image), image.shape[:2]))
    assert seen[0].shape == (213, 320)


def test_several_models_lie_beside_each_other(photos, tmp_path):
    for model in ("gaussian", "bms"):
        list(teach(model, photos[:2], tmp_path, workers=1))
    with pytest.raises(UsageError, match="holds the maps of bms, gaussian; name one"):
        TeacherMaps(tmp_path)
    assert TeacherMaps(map_folder(tmp_path, "bms")).names() == ["0", "1"]


@pytest.mark.slow
def test_what_a_killed_run_leaves_is_whole_and_is_gone_on_from(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(24):
        Image.fromarray(np.roll(data.chelsea(), 18 * i, axis=1)).save(folder / f"{i:02}.jpg")
    arguments = [
        *(sys.executable, "-c", "from salbox.cli.main import run; run()", "teach", "-m", "gbvs"),
        *("--images", str(folder), "-o", str(tmp_path / "maps"), "--workers", "2"),
    ]
    run = subprocess.Popen(arguments, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 50
    while len(list((tmp_path / "maps").rglob("*.png"))) < 6 and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    before = stamps(tmp_path / "maps")
    keys = [Path(name).stem for name in before]
    assert 6 <= len(keys) < 24
    assert len(TeacherMaps(tmp_path / "maps").check(keys).good) == len(keys)
    again = subprocess.run(arguments, stderr=subprocess.PIPE, text=True, check=True)
    assert f"{24 - len(keys)} outputs of 24 inputs" in again.stderr
    after = stamps(tmp_path / "maps")
    assert all(after[name] == when for name, when in before.items())
    assert read_record(tmp_path / "maps" / "gbvs")["maps"] == len(after) == 24


# Maps made elsewhere.


def picture(path: Path, values: np.ndarray, mode: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(values)
    (image.convert(mode) if mode else image).save(path)


RAMP = np.linspace(0, 1, 48).reshape(6, 8)


def test_grey_pictures_of_any_kind_and_arrays_are_read(tmp_path):
    eight, sixteen = np.rint(RAMP * 200 + 20).astype(np.uint8), np.rint(RAMP * 60000 + 100).astype(np.uint16)
    picture(tmp_path / "grey.png", eight)
    picture(tmp_path / "rgb.bmp", eight, "RGB")
    picture(tmp_path / "palette.gif", eight, "P")
    picture(tmp_path / "deep.png", sixteen)
    picture(tmp_path / "float.tif", RAMP.astype(np.float32) * 3 - 1)
    np.save(tmp_path / "array.npy", RAMP * -5)
    np.save(tmp_path / "thick.npy", RAMP[:, :, None])
    maps = TeacherMaps(tmp_path)
    assert maps.record == {}
    for key in maps.names():
        expected = 1 - RAMP if key == "array" else RAMP
        np.testing.assert_allclose(maps.read(key), expected, atol=0.003, err_msg=key)
    assert maps.check(maps.names()).good == tuple(maps.names())


def test_names_match_by_path_then_by_stem(tmp_path):
    picture(tmp_path / "maps" / "a" / "1.png", np.eye(4, dtype=np.uint8))
    picture(tmp_path / "maps" / "2.jpg.png", np.eye(4, dtype=np.uint8))
    picture(tmp_path / "maps" / "3.v2.png", np.eye(4, dtype=np.uint8))
    picture(tmp_path / "maps" / "extra.png", np.eye(4, dtype=np.uint8))
    picture(tmp_path / "maps" / "cat.overlay.png", np.eye(4, dtype=np.uint8))
    (tmp_path / "maps" / ".hidden.png").write_bytes(b"")
    maps = TeacherMaps(tmp_path / "maps")
    checked = maps.check(["a/1", "2", "deep/down/3.v2", "none"])
    assert checked.good == ("a/1", "2", "deep/down/3.v2")
    assert checked.missing == ("none",)
    assert checked.unmatched == ("extra",)
    assert checked.lines() == ["1 photo without a map: none", "1 map without a photo: extra"]


def test_a_map_that_could_be_two_photos_is_nobodys(tmp_path):
    picture(tmp_path / "1.png", np.eye(4, dtype=np.uint8))
    checked = TeacherMaps(tmp_path).check(["a/1", "b/1"])
    assert checked.good == ()
    assert "could be the map of 2 photos" in checked.broken["a/1"]
    (tmp_path / "sub").mkdir()
    picture(tmp_path / "sub" / "1.png", np.eye(4, dtype=np.uint8))
    assert TeacherMaps(tmp_path).check(["elsewhere/1"]).missing == ("elsewhere/1",)


def test_broken_and_coloured_maps_are_told_and_not_read(tmp_path):
    rng = np.random.default_rng(0)
    picture(tmp_path / "good.png", rng.integers(0, 256, (40, 40), dtype=np.uint8))
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "short.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.png").write_bytes(b"")
    picture(tmp_path / "heat.png", rng.integers(0, 256, (9, 9, 3), dtype=np.uint8))
    np.save(tmp_path / "nan.npy", np.array([[np.nan, 1.0]]))
    np.save(tmp_path / "deep.npy", np.zeros((3, 3, 3)))
    (tmp_path / "pickle.npy").write_bytes(
        b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    )
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }".ljust(117) + b"\n"
    (tmp_path / "huge.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(800))
    maps = TeacherMaps(tmp_path)
    checked = maps.check(maps.names())
    assert checked.good == ("good",)
    assert set(checked.broken) == {"short", "empty", "heat", "nan", "deep", "pickle", "huge"}
    assert "colour" in checked.broken["heat"]
    assert all(("\n" not in line and ".p" in line) or ".n" in line for line in checked.broken.values())
    assert any("7 broken maps" in line for line in checked.lines())
    for key in checked.broken:
        with pytest.raises(ImageError):
            maps.read(key)
    with pytest.raises(ImageError, match="no map of 'gone'"):
        maps.read("gone")


def test_a_stored_map_that_was_damaged_is_found_without_decoding(photos, tmp_path):
    list(teach("imsig", photos, tmp_path, workers=1))
    target = tmp_path / "imsig" / "0.png"
    content = bytearray(target.read_bytes())
    content[len(content) // 2] ^= 1
    target.write_bytes(content)
    (tmp_path / "imsig" / "1.png").write_bytes((tmp_path / "imsig" / "1.png").read_bytes()[:-1])
    Image.new("L", (4, 4)).save(tmp_path / "imsig" / "2.png")
    maps = TeacherMaps(tmp_path)
    checked = maps.check(["0", "1", "2", "3"])
    assert checked.good == ("3",)
    assert "damaged" in checked.broken["0"]
    assert "truncated" in checked.broken["1"]
    assert "another teacher" in checked.broken["2"]
    assert checked.unmatched == ("more/cup",)
    for key in checked.broken:
        with pytest.raises(ImageError):
            maps.read(key)


def test_folders_that_do_not_fit(tmp_path):
    with pytest.raises(UsageError, match="no such folder"):
        TeacherMaps(tmp_path / "none")
    with pytest.raises(UsageError, match="no maps in this folder"):
        TeacherMaps(tmp_path)
    picture(tmp_path / "a.png", np.eye(4, dtype=np.uint8))
    maps = TeacherMaps(tmp_path)
    ensure_matching(maps.check(["a"]), maps, ["a"])
    with pytest.raises(UsageError, match="no map of any photo"):
        ensure_matching(maps.check(["x", "y"]), maps, ["x", "y"])
    np.save(tmp_path / "a.npy", RAMP)
    with pytest.raises(UsageError, match="which one is meant"):
        TeacherMaps(tmp_path)
    (tmp_path / "a.npy").unlink()
    (tmp_path / RECORD).write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        TeacherMaps(tmp_path).check(["a"])
    (tmp_path / RECORD).write_text("[]")
    with pytest.raises(UsageError, match="not what salbox teach writes"):
        TeacherMaps(tmp_path).check(["a"])


def test_a_constant_map_is_nothing(tmp_path):
    np.save(tmp_path / "flat.npy", np.full((4, 5), 3.0))
    np.testing.assert_array_equal(TeacherMaps(tmp_path).read("flat"), np.zeros((4, 5)))


def test_sizes():
    assert at_reference_size(np.zeros((1, 1, 3), np.uint8)).shape == (640, 640, 3)
    assert at_reference_size(np.zeros((2000, 3, 3), np.uint8)).shape == (640, 1, 3)
    image = data.chelsea()
    same = cv2.resize(image, (640, 426))
    assert at_reference_size(same) is same
    assert at_map_size(np.eye(640), (4000, 3000)).shape == (320, 240)
    assert at_map_size(np.eye(9), (9, 9)).shape == (320, 320)


def test_a_view_renders_in_the_worker(photos, tmp_path):
    gone = View(tmp_path / "gone.jpg", "gone", "grey")
    (outcome,) = teach_views(Teacher("gaussian"), [gone], tmp_path / "maps", workers=1)
    assert "no such file" in outcome.failures[0]


def test_reading_maps_and_planning_loads_no_training_library():
    code = (
        "import sys; import salbox.distillation.teachers.teacher, salbox.training.splitting;"
        "import salbox.distillation.teachers.augmentations;"
        "sys.exit(any(m in sys.modules for m in ('torch', 'lightning', 'timm', 'onnx')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_photo_that_takes_too_much_memory_is_named(photos, tmp_path, monkeypatch):
    def refuse(*_):
        raise MemoryError

    monkeypatch.setattr("salbox.prediction.images.ImageMaps.of", refuse)
    first, *others = teach("gaussian", photos, tmp_path, workers=1)
    assert first.failures == [f"{photos[0].path}: not enough memory (fewer --workers may help)"]
    assert all(outcome.failures for outcome in others)


def test_the_map_of_a_photo_that_changed_is_made_again(photos, tmp_path):
    list(teach("gaussian", photos, tmp_path, workers=1))
    before = photos[1].path.stat()
    photos[1].path.write_bytes(photos[2].path.read_bytes())
    os.utime(photos[1].path, ns=(before.st_atime_ns, before.st_mtime_ns))
    outcomes = list(teach("gaussian", photos, tmp_path, workers=1))
    assert [p.name for o in outcomes for p in o.written] == ["1.png"]
    assert len([p for o in outcomes for p in o.skipped]) == 4
    fresh = tmp_path / "fresh"
    list(teach("gaussian", photos, fresh, workers=1))
    assert all(
        path.read_bytes() == (fresh / "gaussian" / path.relative_to(tmp_path / "gaussian")).read_bytes()
        for path in (tmp_path / "gaussian").rglob("*.png")
    )


def test_maps_that_do_not_say_which_photo_they_are_of_are_made_again(photos, tmp_path):
    list(teach("gaussian", photos[:2], tmp_path, workers=1))
    path = tmp_path / "gaussian" / "0.png"
    notes = read_notes(path)
    write_map(path, np.zeros((4, 5), np.float32), "png16", {key: notes[key] for key in ("teacher", "view")})
    outcomes = list(teach("gaussian", photos[:2], tmp_path, workers=1))
    assert [p.name for o in outcomes for p in o.written] == ["0.png"]


def test_maps_of_other_files_are_said_and_used(photos, tmp_path):
    list(teach("gaussian", photos[:2], tmp_path, workers=1))
    photos[1].path.write_bytes(photos[2].path.read_bytes())
    given = {photo.output.as_posix(): photo.path for photo in photos[:2]}
    checked = TeacherMaps(tmp_path).check(given, given)
    assert (checked.good, checked.of_others) == (("0", "1"), ("1",))
    assert checked.lines() == [
        "1 map made of other files than these photos, of copies of them or of what they were before: 1"
    ]
    assert TeacherMaps(tmp_path).check(given).of_others == ()


def test_what_a_folder_of_maps_holds_has_a_digest(tmp_path):
    np.save(tmp_path / "a.npy", np.eye(3))
    before = TeacherMaps(tmp_path).content()
    assert TeacherMaps(tmp_path).content() == before
    np.save(tmp_path / "a.npy", 2 * np.eye(3))
    assert TeacherMaps(tmp_path).content() != before


@pytest.mark.parametrize(
    "change",
    [{"teacher": []}, {"teacher": {"model": 3}}, {"fingerprint": 3}, {"versions": 3}, {"versions": None}],
    ids=repr,
)
def test_an_odd_record_is_one_line(photos, tmp_path, change):
    list(teach("gaussian", photos[:1], tmp_path, workers=1))
    path = tmp_path / "gaussian" / "teacher.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(UsageError, match=r"teacher\.json: not what salbox teach writes"):
        teach("gaussian", photos[:1], tmp_path, workers=1)
