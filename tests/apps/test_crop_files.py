"""Crops of files: written as the photos are, of every kind, and what keeps too little left out; videos."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from films import film
from PIL import Image
from skimage import data

import salbox
from salbox.apps.crop_files import CropPlan, crop_stream, run_crops
from salbox.apps.crop_video import crop_clip
from salbox.apps.crops import CropOptions
from salbox.apps.sizes import parse_size
from salbox.errors import ImageError, UsageError
from salbox.imaging.inputs import ImageFile, find_images
from salbox.imaging.video import VideoReader

PHOTO = np.ascontiguousarray(data.astronaut()[:160, :240])


def left_half(image):
    """All attention is on the left half."""
    saliency = np.zeros(image.shape[:2], np.float32)
    saliency[:, : image.shape[1] // 2] = 1
    return saliency


def brightest(image):
    """Attention is where a picture is bright."""
    return (image.mean(axis=2) > 128).astype(np.float32) + 1e-3


@pytest.fixture(autouse=True)
def models():
    for name, function in (("left", left_half), ("bright", brightest)):
        salbox.register(name, function, card={"task": "fixation", "output": "score"})


def read(path):
    """Return a picture of a file that is closed."""
    return Image.open(io.BytesIO(path.read_bytes()))


def run(path, folder, *sizes, **options):
    plan = CropPlan(options.pop("model", "left"), [parse_size(s) for s in sizes], folder=folder, **options)
    return next(iter(run_crops(find_images([str(path)]), plan, 1)))


def test_pixels_of_the_source_are_kept_as_they_are(tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "a.png")
    outcome = run(tmp_path / "a.png", tmp_path / "out", "1:1", "80x80")
    box = outcome.crops[0]
    whole, small = (np.asarray(read(path)) for path in outcome.written)
    np.testing.assert_array_equal(whole, PHOTO[:, box["x"] : box["x"] + 160])
    assert [path.name for path in outcome.written] == ["a.1x1.png", "a.80x80.png"]
    assert small.shape == (80, 80, 3)
    assert np.abs(small - whole.reshape(80, 2, 80, 2, 3).mean(axis=(1, 3))).mean() < 8
    assert outcome.crops[0]["written"] == str(tmp_path / "out" / "a.1x1.png")


@pytest.mark.parametrize(
    ("name", "mode", "expected"),
    [
        ("a.jpg", "RGB", ("JPEG", "RGB")),
        ("a.jpg", "CMYK", ("JPEG", "CMYK")),
        ("a.jpg", "L", ("JPEG", "L")),
        ("a.png", "RGBA", ("PNG", "RGBA")),
        ("a.png", "I;16", ("PNG", "I;16")),
        ("a.png", "P", ("PNG", "P")),
        ("a.png", "1", ("PNG", "1")),
        ("a.webp", "RGBA", ("WEBP", "RGBA")),
        ("a.tif", "RGB", ("TIFF", "RGB")),
        ("a.bmp", "RGB", ("PNG", "RGB")),
    ],
)
def test_kinds_and_modes(tmp_path, name, mode, expected):
    gray = PHOTO[:, :, 0].astype(np.uint16) * 257
    image = Image.fromarray(gray) if mode == "I;16" else Image.fromarray(PHOTO).convert(mode)
    if mode == "RGBA":
        image.putalpha(200)
    image.save(tmp_path / name, **({"lossless": True} if name.endswith("webp") else {}))
    outcome = run(tmp_path / name, tmp_path / "out", "1:1", "64x48")
    assert not outcome.failures
    found = [read(path) for path in outcome.written]
    assert (found[0].format, found[0].mode) == expected
    assert [each.size for each in found] == [(160, 160), (64, 48)]
    if mode == "I;16":
        x = outcome.crops[0]["x"]
        np.testing.assert_array_equal(np.asarray(found[0]), gray[:, x : x + 160])


def test_colours_come_back_and_notes_of_the_camera_stay_but_for_the_orientation(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x8298] = 6, "somebody"
    profile = b"not looked into"
    Image.fromarray(PHOTO).convert("CMYK").save(tmp_path / "a.jpg", quality=95, exif=exif, icc_profile=profile)
    outcome = run(tmp_path / "a.jpg", tmp_path / "out", "1:1")
    upright, found = np.rot90(PHOTO, -1), read(outcome.written[0])
    assert outcome.shape == (240, 160)
    assert dict(found.getexif()) == {0x8298: "somebody"}
    assert found.info["icc_profile"] == profile
    y = outcome.crops[0]["y"]
    shown = salbox.read_image(outcome.written[0]).astype(int)
    assert np.abs(shown - upright[y : y + 160]).mean() < 6


def test_what_keeps_too_little_is_not_written(tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "a.png")
    outcome = run(tmp_path / "a.png", tmp_path / "out", "1:1", "1:4", min_kept=0.6)
    assert [path.name for path in outcome.written] == ["a.1x1.png"]
    assert [crop["written"] is None for crop in outcome.crops] == [False, True]
    assert outcome.too_little == [f"{tmp_path / 'a.png'} at 1:4 keeps {outcome.crops[1]['kept']:.2f}"]


def test_a_size_that_has_to_be_enlarged_is_noted(tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "a.png")
    outcome = run(tmp_path / "a.png", tmp_path / "out", "320x320")
    assert outcome.notes == [f"{tmp_path / 'out' / 'a.320x320.png'}: enlarged 2.00 times, from 160x160"]


def test_a_size_that_is_enlarged_along_its_width_alone_is_noted(tmp_path):
    Image.fromarray(PHOTO[:4, :4]).save(tmp_path / "a.png")
    outcome = run(tmp_path / "a.png", tmp_path / "out", "5x2")
    assert outcome.notes == [f"{tmp_path / 'out' / 'a.5x2.png'}: enlarged 1.25 times, from 4x2"]


def test_through_standard_input_and_output(cli, tmp_path, monkeypatch):
    file = io.BytesIO()
    Image.fromarray(PHOTO).save(file, "PNG")

    def given(*arguments):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(file.getvalue())))
        return cli("crop", "-", "-m", "left", *arguments)

    code, output, _ = given("--size", "1:1", "--json", "-o", tmp_path / "o")
    (entry,) = json.loads(output)
    box = entry["crops"][0]
    assert (code, entry["source"], entry["width"], entry["height"]) == (0, "stdin", 240, 160)
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["stdin.1x1.png"]
    held = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(held))
    plan = CropPlan("left", [parse_size("1:1")])
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(file.getvalue())))
    outcome = crop_stream(["-"], plan, to_output=True)
    written = np.asarray(Image.open(io.BytesIO(held.getvalue())))
    np.testing.assert_array_equal(written, PHOTO[:, box["x"] : box["x"] + 160])
    assert str(outcome.source) == "stdin"
    with pytest.raises(UsageError, match="one size"):
        crop_stream(["-"], CropPlan("left", [parse_size("1:1"), parse_size("2:1")]), to_output=True)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"nothing")))
    with pytest.raises(ImageError, match=r"^stdin: not an image"):
        crop_stream(["-"], plan, to_output=True)


def test_odd_inputs_cost_a_line_each(cli, tmp_path):
    Image.new("RGB", (1, 1), "red").save(tmp_path / "one.png")
    Image.fromarray(PHOTO).save(tmp_path / "whole.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:3000])
    (tmp_path / "text.png").write_text("no picture")
    Image.fromarray(PHOTO).save(tmp_path / "two.gif", save_all=True, append_images=[Image.fromarray(PHOTO[::-1])])
    code, output, complaints = cli("crop", tmp_path, "--size", "16:9", "-m", "left", "-o", tmp_path / "o", "--json")
    found = {entry["source"].rpartition("/")[2]: entry for entry in json.loads(output)}
    assert code == 1
    assert {name for name, entry in found.items() if entry["failures"]} == {"cut.jpg", "text.png"}
    assert [found["one.png"]["crops"][0][side] for side in ("x", "y", "width", "height")] == [0, 0, 1, 1]
    assert "the first is taken" in found["two.gif"]["notes"][0]
    assert "3 crops of 5 inputs" in complaints
    assert sorted(path.name for path in (tmp_path / "o").iterdir()) == [
        "one.16x9.png",
        "two.16x9.png",
        "whole.16x9.jpg",
    ]


def test_boxes_alone_write_nothing(cli, tmp_path):
    Image.fromarray(PHOTO).save(tmp_path / "a.png")
    command = ("crop", tmp_path / "a.png", "--size", "1:1", "--size", "2:1", "-m", "left")
    code, output, _ = cli(*command, "--json")
    (entry,) = json.loads(output)
    assert code == 0
    assert (entry["model"], entry["width"], entry["height"]) == ("left", 240, 160)
    assert [crop["size"] for crop in entry["crops"]] == ["1:1", "2:1"]
    assert set(entry["crops"][0]) == {"size", "x", "y", "width", "height", "kept", "certainty", "centered"}
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert cli(*command, "--json", "--min-kept", "1")[0] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--size", "1:1"), "give -o DIR, or --json"),
        (("--size", "square", "--json"), "expected an aspect"),
        (("--size", "1:1", "--json", "--keep", "1,2,3"), "expected x,y,width,height"),
        (("--size", "1:1", "--json", "--min-kept", "2"), "a share of attention"),
        (("--size", "1:1", "--size", "1:1", "--json"), "two of them have one name"),
        (("--size", "1:1", "--json", "-m", "left,bright"), "give one"),
        (("--size", "1:1", "--json", "-m", "lft"), "did you mean 'left'"),
    ],
)
def test_wrong_usage(cli, tmp_path, arguments, message):
    Image.fromarray(PHOTO).save(tmp_path / "a.png")
    code, _, complaints = cli("crop", tmp_path / "a.png", *arguments)
    assert code == 2
    assert message in complaints
    assert len(complaints.splitlines()) == 1


def test_frames_are_brought_to_a_size_as_photos_are(tmp_path):
    path = film(tmp_path / "clip.mp4", np.repeat(PHOTO[None], 6, axis=0))
    plan = CropPlan("left", [parse_size("60x60")], folder=tmp_path / "o")
    outcome = crop_clip(ImageFile(path, Path("clip")), plan)
    _, x, y = outcome.crops[0]["path"][0]
    with VideoReader(path) as reader:
        window = next(iter(reader))[y : y + 160, x : x + 160]
    expected = Image.fromarray(window).resize((60, 60), Image.Resampling.LANCZOS)
    with VideoReader(outcome.written[0]) as reader:
        shown = next(iter(reader)).astype(float)
    assert np.abs(shown - np.asarray(expected)).mean() < 5


def test_a_window_follows_what_moves_and_leaps_with_the_shot(cli, tmp_path):
    frames = np.zeros((40, 64, 128, 3), np.uint8)
    for k in range(20):
        frames[k, 20:44, 4 + 4 * k : 28 + 4 * k] = 255  # across the picture in less than two seconds
    frames[20:], frames[20:, 20:44, 8:32] = 90, 255
    path = film(tmp_path / "clip.mp4", frames)
    command = ("crop", path, "--size", "1:1", "--size", "32x32", "-m", "bright")
    code, output, complaints = cli(*command, "-o", tmp_path / "o", "--json")
    assert code == 0, complaints
    (entry,) = json.loads(output)
    crop = entry["crops"][0]
    assert (entry["width"], entry["height"], crop["width"], crop["height"]) == (128, 64, 64, 64)
    assert crop["kept"] > 0.8
    with VideoReader(tmp_path / "o" / "clip.1x1.mp4") as reader:
        shown = list(reader)
    with VideoReader(tmp_path / "o" / "clip.32x32.mp4") as reader:
        assert [frame.shape for frame in reader] == [(32, 32, 3)] * 40
    assert [frame.shape for frame in shown] == [(64, 64, 3)] * 40
    bright = [float((frame[20:44].mean(axis=2) > 200).sum()) / 24**2 for frame in shown]
    assert min(bright) > 0.7  # the square is in the window all along
    assert min(bright[22:]) > 0.95
    xs = [x for _, x, _ in crop["path"]]
    assert max(xs) > 20
    code, _, complaints = cli(*command, "--json", "--zoom", "2")
    assert code == 2
    assert "--zoom does nothing without images" in complaints


def test_what_must_be_kept_of_a_video_stays(cli, tmp_path):
    frames = np.zeros((10, 64, 128, 3), np.uint8)
    frames[:, 20:44, 100:124] = 255
    path = film(tmp_path / "clip.mp4", frames)
    _, output, _ = cli("crop", path, "--size", "1:1", "-m", "bright", "--json", "--keep", "0,0,10,10")
    assert {x for _, x, _ in json.loads(output)[0]["crops"][0]["path"]} == {0}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--size", "1:1", "--size", "1x1"), 2, "two of them have one name"),
        (("--size", "1:1", "--keep", "0,0,80,10"), 1, "keep 0,0,80,10 does not fit into 1:1"),
        (("--size", "1:1", "--keep", "120,0,80,10"), 1, "reaches beyond the image, which is 128x64"),
    ],
)
def test_what_does_not_fit_a_video(cli, tmp_path, arguments, code, message):
    path = film(tmp_path / "clip.mp4", np.zeros((2, 64, 128, 3), np.uint8))
    found = cli("crop", path, *arguments, "-m", "bright", "-o", tmp_path / "o")
    assert found[0] == code
    assert message in found[2]
    assert not (tmp_path / "o").exists()


def test_two_images_with_one_output_are_refused(tmp_path):
    plan = CropPlan("left", [parse_size("1:1")], {}, CropOptions(), tmp_path)
    images = [ImageFile(tmp_path / name, tmp_path / "x") for name in ("a.png", "b.png")]
    with pytest.raises(salbox.UsageError, match="run them apart"):
        run_crops(images, plan)
