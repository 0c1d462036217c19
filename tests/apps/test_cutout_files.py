"""`salbox cutout` on files: batches, what is there already, standard input and output, a watched folder."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from own_models import write_module
from PIL import Image
from red_objects import FRONT, LIGHT, RED, drawn, mixed, ring, two_discs

from salbox.apps.cutout_watch import arrivals
from salbox.writing import read_notes

PHOTO = mixed(drawn(60, 80, ring))


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    write_module(tmp_path, "redmodels", RED)
    monkeypatch.chdir(tmp_path)
    for name in LIGHT:
        monkeypatch.setattr(name, lambda: False)
    yield
    sys.modules.pop("redmodels", None)


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for k, name in enumerate(("a.png", "b.jpg", "more/c.webp")):
        Image.fromarray(np.roll(PHOTO, 3 * k, axis=1)).save(folder / name, quality=95)
    return folder


def values(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


MODEL = ("-m", "redmodels:redness")


def test_a_folder_of_photos(cli, photos, tmp_path):
    code, _, said = cli("cutout", photos, "-r", "-o", tmp_path / "out", *MODEL, "--workers", 1)
    assert (code, said.count("3 outputs of 3 inputs")) == (0, 1)
    for name in ("a", "b", "more/c"):
        found = values(tmp_path / "out" / f"{name}.png")
        assert found.shape == (60, 80, 4)
        assert found[2, 2].tolist() == [0, 0, 0, 0]
        assert (found[..., 3] > 128).mean() == pytest.approx(np.pi * (0.36**2 - 0.2**2) * 60 / 80, abs=0.02)


@pytest.mark.parametrize("file_format", ["png", "webp"])
def test_what_is_there_is_left_and_what_was_made_otherwise_is_said(cli, photos, tmp_path, file_format):
    def run(*more):
        return cli("cutout", photos, "-o", tmp_path / "out", *MODEL, "--format", file_format, *more)

    assert run()[0] == 0
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert len(before) == 2
    code, _, said = run()
    assert (code, "2 were there already" in said) == (0, True)
    code, _, said = run("--feather", 2)
    assert code == 1
    assert "feather: 0.0 there, 2.0 now" in said
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    assert run("--feather", 2, "--overwrite")[0] == 0
    notes = read_notes(tmp_path / "out" / f"a.{file_format}")
    assert (notes["model"], notes["settings"]["feather"]) == ("redmodels:redness", 2.0)


def test_a_broken_photo_costs_a_line(cli, photos, tmp_path):
    (photos / "broken.png").write_bytes((photos / "a.png").read_bytes()[:60])
    (photos / "empty.jpg").touch()
    code, _, said = cli("cutout", photos, "-o", tmp_path / "out", *MODEL)
    assert code == 1
    assert "2 outputs of 4 inputs" in said
    assert "broken.png" in said
    assert "empty.jpg: empty file" in said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.png", "b.png"]


def test_one_photo_into_one_file(cli, photos, tmp_path):
    assert cli("cutout", photos / "a.png", "-o", tmp_path / "one.webp", *MODEL)[0] == 0
    with Image.open(tmp_path / "one.webp") as found:
        assert (found.format, found.mode, found.size) == ("WEBP", "RGBA", (80, 60))
    assert cli("cutout", photos / "a.png", "-o", tmp_path / "white.jpg", *MODEL, "--background", "white")[0] == 0
    laid = values(tmp_path / "white.jpg")
    assert laid[3, 3].min() > 250
    assert np.abs(laid[30, 56].astype(int) - FRONT).max() < 12
    code, _, said = cli("cutout", photos, "-o", tmp_path / "all.png", *MODEL)
    assert code == 2
    assert "is one file, for one image" in said


def test_a_mask_is_a_map(cli, photos, tmp_path):
    assert cli("cutout", photos / "a.png", "-o", tmp_path, *MODEL, "--mask-only")[0] == 0
    assert values(tmp_path / "a.png").ndim == 2
    notes = read_notes(tmp_path / "a.png")
    assert (notes["output"], notes["white"], notes["bounds"]) == ("probability", 255, [0, 1])


def test_the_photo_itself_is_never_overwritten(cli, photos):
    before = (photos / "a.png").read_bytes()
    for place in (photos, photos / "a.png"):
        code, _, said = cli("cutout", photos / "a.png", "-o", place, *MODEL, "--overwrite")
        assert code == 2
        assert "take the photo's place" in said
    assert (photos / "a.png").read_bytes() == before


def test_one_object_of_several(cli, tmp_path):
    Image.fromarray(mixed(drawn(60, 80, two_discs))).save(tmp_path / "two.png")
    assert cli("cutout", "two.png", "-o", "right.png", *MODEL, "--object", "62,30")[0] == 0
    alpha = values("right.png")[..., 3]
    assert (alpha[30, 24], alpha[30, 62]) == (0, 255)
    code, _, said = cli("cutout", "two.png", "-o", "none.png", *MODEL, "--object", "1,1")
    assert code == 1
    assert "two.png: object 1,1: the model finds none there; the nearest is at" in said


def test_nothing_found_is_said(cli, tmp_path):
    Image.new("RGB", (30, 20), (60, 90, 70)).save(tmp_path / "plain.png")
    code, _, said = cli("cutout", "plain.png", "-o", "out", *MODEL)
    assert code == 0
    assert "plain.png: the model finds no object in it" in said
    assert not values("out/plain.png").any()


def test_as_json(cli, photos, tmp_path):
    code, out, _ = cli("cutout", photos / "a.png", "-o", tmp_path / "out", *MODEL, "--json")
    assert code == 0
    assert json.loads(out)[0]["written"] == [str(tmp_path / "out" / "a.png")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "out", "--format", "jpg"], "jpg pictures are not transparent"),
        (["-o", "out", "--format", "gif"], "no format 'gif'"),
        (["-o", "out.png", "--format", "webp"], "such a file is png, not webp"),
        (["-o", "out", "--format", "webm"], "does nothing without a video among the inputs"),
        (["-o", "out", "--background", "nosuch.png"], "neither blur, nor a colour"),
        (["-o", "out", "--background", "white", "--mask-only"], "give one of the two"),
        (["-o", "out", "--object", "left"], "expected all, largest"),
        (["-o", "out", "-m", "gaze"], "predicts where people look"),
        (["-o", "out", "-m", "no-such-model"], "no model 'no-such-model'"),
        (["-o", "out", "--watch"], "no folder that could be watched"),
    ],
)
def test_what_does_not_fit_is_one_line(cli, photos, arguments, said):
    code, _, complaint = cli("cutout", photos / "a.png", *MODEL[: 0 if "-m" in arguments else 2], *arguments)
    assert code == 2
    assert complaint.count("\n") == 1 + ("--watch" in arguments)
    assert said in complaint


def test_through_standard_input_and_output(photos, tmp_path):
    program = "from salbox.cli.main import run; run()"
    done = subprocess.run(
        [sys.executable, "-c", program, "cutout", "-", "-o", "-", *MODEL, "--mask-only", "--refine", "guided"],
        input=(photos / "a.png").read_bytes(),
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "SALBOX_HOME": str(tmp_path / "home")},
        check=True,
    )
    mask = np.asarray(Image.open(io.BytesIO(done.stdout)))
    assert mask.shape == (60, 80)
    assert (mask[30, 56], mask[30, 40], mask[2, 2]) == (255, 0, 0)  # the ring, its hole, beside it


def test_a_watched_folder(tmp_path):
    """A photo that is still being written waits; one that changes comes again; what is made is not taken for one."""
    folder = tmp_path / "inbox"
    (folder / "out").mkdir(parents=True)
    Image.fromarray(PHOTO).save(folder / "first.png")
    content = (folder / "first.png").read_bytes()
    second, looks = folder / "second.png", count(1)

    class Enough(Exception):
        pass

    def wait(seconds):
        look = next(looks)
        if look in (2, 3, 4):  # arrives piece by piece
            second.write_bytes(content[: len(content) * (look - 1) // 3])
        if look == 7:
            second.write_bytes(content + b"more")
        if look == 3:
            (folder / "out" / "first.png").write_bytes(content)
        if look == 11:
            raise Enough
        seen.append(look)

    seen: list[object] = []
    with pytest.raises(Enough):
        seen.extend(image.path.name for image in arrivals(folder, folder / "out", wait=wait))
    assert [each for each in seen if isinstance(each, str)] == ["first.png", "second.png", "second.png"]
    assert seen.index("second.png") > seen.index(4)


def test_watching_ends_with_a_summary(cli, photos, tmp_path, monkeypatch):
    def interrupted(seconds):
        if (tmp_path / "out" / "b.png").exists():
            raise KeyboardInterrupt

    monkeypatch.setattr(arrivals, "__kwdefaults__", {"recursive": False, "wait": interrupted})
    code, _, said = cli("cutout", photos, "-o", tmp_path / "out", *MODEL, "--watch")
    assert code == 0
    assert "2 outputs of 2 inputs" in said
