"""Batches: workers, what is skipped, what survives a kill, and that the memory stays flat."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from own_models import write_module
from PIL import Image
from skimage import data

import salbox
from salbox.imaging.inputs import ImageFile, find_images
from salbox.imaging.postprocess import PostProcess
from salbox.imaging.writing import FORMATS
from salbox.models.registry import REGISTERED
from salbox.prediction.batch import BatchPlan, run_batch
from salbox.system.threads import available_threads, children_use
from salbox.system.workers import default_workers
from salbox.writing import read_notes

CARD = {"task": "fixation", "output": "score"}


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(12):
        Image.fromarray(np.roll(data.chelsea(), 20 * i, axis=1)).save(folder / f"{i:02}.jpg")
    return folder


def plan(folder: Path, **options) -> BatchPlan:
    return BatchPlan(models={"bms": {}, "gaussian": {"sigma": 0.2}}, folder=folder, **options)


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*.*"))}


@pytest.mark.slow
def test_workers_write_what_one_process_writes(photos, tmp_path):
    images = find_images([str(photos)])
    alone = list(run_batch(images, plan(tmp_path / "one", file_format="npy"), workers=1))
    shared = list(run_batch(images, plan(tmp_path / "two", file_format="npy"), workers=2))
    assert [o.source for o in alone] == [o.source for o in shared] == [i.path for i in images]
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert len(contents(tmp_path / "one")) == 24


def test_a_second_run_skips_what_is_finished_and_makes_what_is_not(photos, tmp_path):
    images = find_images([str(photos)])
    out = tmp_path / "out"
    list(run_batch(images, plan(out), workers=1))
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*.png")}
    (out / "bms" / "03.png").unlink()
    again = list(run_batch(images, plan(out), workers=1))
    assert sum(len(o.written) for o in again) == 1
    assert sum(len(o.skipped) for o in again) == 23
    after = {p: p.stat().st_mtime_ns for p in out.rglob("*.png")}
    assert {p for p in before if before[p] != after[p]} == {out / "bms" / "03.png"}


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        ({"models": {"gaussian": {"sigma": 0.3}}}, "sigma: 0.2 there, 0.3 now"),
        ({"size": 100}, "size: None there, 100 now"),
        ({"postprocess": PostProcess(scale_output="normalized")}, "scale_output: 'none' there, 'normalized' now"),
    ],
)
def test_a_map_made_otherwise_is_neither_kept_in_silence_nor_overwritten(
    photos, tmp_path, file_format, changed, difference
):
    images = find_images([str(photos)])[:2]
    first = BatchPlan({"gaussian": {"sigma": 0.2}}, tmp_path / "out", file_format)
    list(run_batch(images[:1], first))
    before = contents(tmp_path / "out")
    plain, other = run_batch(images, replace(first, overlay=0.5, **changed), workers=1)
    (there,) = before
    assert plain.otherwise == {tmp_path / "out" / there: difference}
    assert (plain.written, plain.skipped) == ([], [])
    assert plain.to_dict()["otherwise"] == {str(tmp_path / "out" / there): difference}
    assert (len(other.written), other.otherwise) == (2, {})
    assert contents(tmp_path / "out")[there] == before[there]
    again = list(run_batch(images, replace(first, overwrite=True, **changed), workers=1))
    assert [outcome.otherwise for outcome in again] == [{}, {}]
    assert contents(tmp_path / "out")[there] != before[there]


def test_of_a_photo_that_is_gone_no_map_is_said_to_be_there(photos, tmp_path):
    images = find_images([str(photos)])[:1]
    plan = BatchPlan({"gaussian": {}}, tmp_path / "out")
    list(run_batch(images, plan))
    images[0].path.unlink()
    (outcome,) = run_batch(images, plan)
    assert outcome.failures == [f"{images[0].path}: no such file"]


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_map_of_another_photo_of_that_name_is_told(photos, tmp_path, file_format):
    images = find_images([str(photos)])[:2]
    made = BatchPlan({"gaussian": {}}, tmp_path / "out", file_format)
    list(run_batch(images, made))
    state = images[0].path.stat()
    (photos / "00.jpg").write_bytes((photos / "05.jpg").read_bytes())
    os.utime(photos / "00.jpg", ns=(state.st_atime_ns, state.st_mtime_ns))
    other, same = run_batch(images, made)
    assert list(other.otherwise.values()) == ["of another content of the source"]
    assert (len(same.skipped), same.otherwise) == (1, {})


def test_a_map_by_another_version_of_a_model_is_told(photos, tmp_path, monkeypatch):
    images = find_images([str(photos)])[:1]
    list(run_batch(images, BatchPlan({"gaussian": {}}, tmp_path, "npy")))
    monkeypatch.setattr("salbox.models.loading.code_identity", lambda *modules: "another")
    (outcome,) = run_batch(images, BatchPlan({"gaussian": {}}, tmp_path, "npy"))
    assert list(outcome.otherwise.values()) == ["by another version of the code"]


def test_a_png_of_other_bits_and_an_overlay_drawn_otherwise_are_told(photos, tmp_path):
    images = find_images([str(photos)])[:1]
    first = BatchPlan({"gaussian": {}}, tmp_path, overlay=0.5)
    list(run_batch(images, first))
    (outcome,) = run_batch(images, replace(first, file_format="png16"))
    assert outcome.otherwise == {tmp_path / "gaussian" / "00.png": "with another number of bits"}
    for changed, difference in (
        ({"overlay": 0.7}, "alpha: 0.5 there, 0.7 now"),
        ({"contours": (0.5,)}, "contours: [] there, [0.5] now"),
    ):
        (outcome,) = run_batch(images, replace(first, **changed))
        assert outcome.otherwise == {tmp_path / "gaussian" / "00.overlay.png": difference}
        assert outcome.skipped == [tmp_path / "gaussian" / "00.png"]


def test_another_content_of_the_reference_is_told(photos, tmp_path):
    images = find_images([str(photos)])[:1]
    reference = tmp_path / "reference.png"
    Image.fromarray(data.camera()).save(reference)
    process = PostProcess(histogram_matching="biased", histogram_matching_reference=str(reference))
    plan_of_it = BatchPlan({"gaussian": {}}, tmp_path / "out", postprocess=process)
    list(run_batch(images, plan_of_it))
    Image.fromarray(255 - data.camera()).save(reference)
    (outcome,) = run_batch(images, plan_of_it)
    assert list(outcome.otherwise.values()) == ["with another content of the reference"]


def test_a_name_that_is_too_long_for_an_overlay_costs_that_overlay_alone(photos, tmp_path):
    long = "b" * 251
    (photos / "00.jpg").rename(photos / f"{long}.jpg")
    images = [i for i in find_images([str(photos)]) if i.path.name in ("01.jpg", f"{long}.jpg")]
    outcomes = list(run_batch(images, plan(tmp_path, overlay=0.5), workers=1))
    assert [len(outcome.written) for outcome in outcomes] == [4, 2]
    assert [len(outcome.failures) for outcome in outcomes] == [0, 2]
    assert all("File name too long" in failure for failure in outcomes[1].failures)
    assert {path.name for path in outcomes[1].written} == {f"{long}.png"}


def test_an_overlay_and_a_map_of_one_name_are_refused(photos, tmp_path):
    images = [ImageFile(photos / "00.jpg", Path("a")), ImageFile(photos / "01.jpg", Path("a.overlay"))]
    list(run_batch(images, BatchPlan({"gaussian": {}}, tmp_path / "without"), workers=1))
    with pytest.raises(salbox.UsageError, match=r"would both be given a file called 'a\.overlay\.png'"):
        run_batch(images, BatchPlan({"gaussian": {}}, tmp_path, overlay=0.5))


def test_models_whose_maps_would_share_a_folder_are_refused(photos, tmp_path, monkeypatch):
    write_module(tmp_path / "code", "greys", "def plain(image):\n    return image.mean(axis=2)\n")
    monkeypatch.syspath_prepend(tmp_path / "code")
    salbox.register("greys-plain", lambda image: image[:, :, 0] / 1.0, card=CARD)
    try:
        both = BatchPlan({"greys-plain": {}, "greys:plain": {}}, tmp_path)
        with pytest.raises(salbox.UsageError, match="would go to one folder"):
            run_batch(find_images([str(photos)])[:1], both)
    finally:
        del REGISTERED["greys-plain"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit")
def test_a_full_disk_is_a_line_a_file_and_leaves_nothing(photos, tmp_path):
    """A limit on the size of files stands for the disk."""
    code = """
import resource, sys
from pathlib import Path
from salbox.imaging.inputs import ImageFile
from salbox.imaging.writing import FORMATS
from salbox.prediction.batch import BatchPlan, run_batch
resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
photo, out = Path(sys.argv[1]), Path(sys.argv[2])
for kind in FORMATS:
    (outcome,) = run_batch([ImageFile(photo, Path("a"))], BatchPlan({"gaussian": {}}, out / kind, kind, overlay=0.5))
    print(len(outcome.written), *outcome.failures, sep="|")
"""
    command = [sys.executable, "-c", code, str(photos / "00.jpg"), str(tmp_path / "out")]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120)
    lines = [line.split("|") for line in found.stdout.splitlines()]
    assert (len(lines), found.stderr) == (len(FORMATS), "")
    for written, *failures in lines:
        assert written == "0"
        assert len(failures) == 2
        assert all(failure.endswith("cannot be written (File too large)") for failure in failures)
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


@pytest.mark.parametrize("content", [b"", b"mine", b"II*\0\x08\0\0\0\xff\xff"])
def test_what_says_nothing_of_how_it_was_made_is_left(photos, tmp_path, content):
    there = tmp_path / "gaussian" / "00.tiff"
    there.parent.mkdir()
    there.write_bytes(content)
    (outcome,) = run_batch(find_images([str(photos)])[:1], BatchPlan({"gaussian": {}}, tmp_path, "tiff"))
    assert (outcome.skipped, outcome.otherwise) == ([there], {})


def test_pictures_of_others_are_left(photos, tmp_path):
    (tmp_path / "gaussian").mkdir()
    for description in ("a holiday", "5", '{"model": 3, "parameters": 4}'):
        Image.new("L", (4, 4)).save(tmp_path / "gaussian" / "00.tiff", tiffinfo={270: description})
        (outcome,) = run_batch(find_images([str(photos)])[:1], BatchPlan({"gaussian": {}}, tmp_path, "tiff"))
        assert (len(outcome.skipped), outcome.otherwise) == (1, {})


@pytest.mark.slow
def test_a_broken_image_costs_a_line_with_workers_too(photos, tmp_path):
    (photos / "05.jpg").write_bytes(b"broken")
    outcomes = list(run_batch(find_images([str(photos)]), plan(tmp_path / "out"), workers=2))
    assert [o.source.name for o in outcomes if o.failures] == ["05.jpg"]
    assert sum(len(o.written) for o in outcomes) == 22


def test_overlay_size_and_postprocessing_are_applied_and_noted(photos, tmp_path):
    images = find_images([str(photos)])[:1]
    process = PostProcess(center_prior="proportional_mult")
    (outcome,) = run_batch(images, plan(tmp_path, overlay=0.5, size=100, postprocess=process))
    names = [p.relative_to(tmp_path).as_posix() for p in outcome.written]
    assert names == ["bms/00.png", "bms/00.overlay.png", "gaussian/00.png", "gaussian/00.overlay.png"]
    assert salbox.read_image(tmp_path / "bms" / "00.overlay.png").shape == (300, 451, 3)
    notes = read_notes(tmp_path / "bms" / "00.png")
    assert notes["size"] == 100
    assert notes["postprocess"]["center_prior"] == "proportional_mult"


def test_contours_change_the_overlay_only(photos, tmp_path):
    images = find_images([str(photos)])[:1]
    list(run_batch(images, plan(tmp_path / "plain", overlay=0.5)))
    list(run_batch(images, plan(tmp_path / "lines", overlay=0.5, contours=(0.5, 0.9))))
    plain, lines = contents(tmp_path / "plain"), contents(tmp_path / "lines")
    assert {name for name in plain if plain[name] != lines[name]} == {"bms/00.overlay.png", "gaussian/00.overlay.png"}


def test_at_size_is_close_to_the_full_computation():
    image = data.astronaut()
    model = salbox.load("bms")
    small = model.at_size(image, 256)
    assert small.shape == (512, 512)
    assert np.corrcoef(small.ravel(), model(image).ravel())[0, 1] > 0.9
    np.testing.assert_array_equal(model.at_size(image, 512), model(image))


def test_unknown_things_are_refused_before_the_first_image(photos, tmp_path):
    images = find_images([str(photos)])
    for bad in ({"models": {"bsm": {}}}, {"models": {"bms": {"x": 1}}}, {"file_format": "gif"}):
        with pytest.raises(salbox.UsageError):
            run_batch(images, BatchPlan(**{"models": {"bms": {}}, "folder": tmp_path / "out", **bad}))
    with pytest.raises(salbox.UsageError, match="at least 1"):
        run_batch(images, plan(tmp_path / "out"), workers=0)
    assert not (tmp_path / "out").exists()


def test_few_images_are_not_worth_a_second_process():
    assert default_workers(1) == 1
    assert default_workers(10_000) == len(os.sched_getaffinity(0))


def test_children_get_their_share_of_the_cores(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("SALBOX_THREADS", raising=False)
    with children_use(3):
        assert available_threads() == 3
        assert os.environ["OMP_NUM_THREADS"] == os.environ["OPENBLAS_NUM_THREADS"] == "3"
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "SALBOX_THREADS" not in os.environ


COMMAND = [sys.executable, "-c", "from salbox.cli.main import run; run()", "predict"]


def wait_for_outputs(folder: Path, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(list(folder.rglob("*.npy"))) < count:
        assert time.monotonic() < deadline, "no outputs came"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_stopped_half_way_and_started_again(photos, tmp_path, stop, code):
    out = tmp_path / "out"
    arguments = [*COMMAND, str(photos), "-m", "bms,gaussian", "-o", str(out), "--format", "npy", "--workers", "2"]
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_for_outputs(out, 3)
    if stop == signal.SIGKILL:
        os.killpg(process.pid, stop)
    else:
        process.send_signal(stop)
    _, said = process.communicate(timeout=60)
    assert process.returncode == code
    if stop == signal.SIGINT:
        assert said.strip().splitlines()[-1] == "salbox: interrupted"
        assert not list(out.rglob("*.part"))
    done = {p: p.stat().st_mtime_ns for p in out.rglob("*.npy")}
    for path in done:
        assert np.load(path).shape == (300, 451)

    again = subprocess.run(arguments, stderr=subprocess.PIPE, text=True, check=True)
    assert f"{len(done)} were there already" in again.stderr
    assert all(path.stat().st_mtime_ns == when for path, when in done.items())
    assert len(list(out.rglob("*.npy"))) == 24


@pytest.mark.slow
def test_two_runs_on_one_folder_do_not_harm_each_other(photos, tmp_path):
    arguments = [*COMMAND, str(photos), "-m", "bms", "-o", str(tmp_path / "out"), "--format", "npy", "--overwrite"]
    runs = [subprocess.Popen([*arguments, "--workers", str(n)], stderr=subprocess.PIPE) for n in (1, 2)]
    assert [run.wait(60) for run in runs if run.communicate(timeout=60)] == [0, 0]
    assert len(contents(tmp_path / "out")) == 12
    list(run_batch(find_images([str(photos)]), BatchPlan({"bms": {}}, tmp_path / "alone", "npy"), workers=1))
    assert contents(tmp_path / "out") == contents(tmp_path / "alone")
