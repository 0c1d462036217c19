"""Which images a command line means, and what their outputs are called."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import salbox
from salbox.imaging.inputs import find_images, find_images_and_videos


@pytest.fixture
def photos(tmp_path, monkeypatch):
    for name in ("a.jpg", "b.png", "c.txt", ".hidden.jpg", "sub/d.JPG", "sub/deep/e.webp", "other/sub/f.tif"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "photos"


def outputs(*inputs: str, **options) -> list[str]:
    return [i.output.as_posix() for i in find_images([str(i) for i in inputs], **options)]


def test_folder_without_and_with_what_lies_below(photos):
    assert outputs("photos") == ["a", "b"]
    assert outputs("photos", recursive=True) == ["a", "b", "other/sub/f", "sub/d", "sub/deep/e"]


def test_file_is_taken_whatever_its_suffix(photos):
    assert outputs("photos/c.txt") == ["c"]
    assert outputs("photos/missing.jpg") == ["missing"]  # reading it says what is wrong


def test_several_folders_keep_their_last_names(photos):
    assert outputs("photos/sub", "photos/sub/deep") == ["sub/d", "deep/e"]


def test_glob_patterns_are_relative_to_their_fixed_part(photos):
    assert outputs("photos/*.jpg") == ["a"]
    assert outputs("photos/**/*.*") == ["a", "b", "other/sub/f", "sub/d", "sub/deep/e"]
    assert outputs(str(photos / "sub" / "*")) == ["d"]


def test_name_with_brackets_is_a_file_if_it_exists(photos):
    (photos / "x[1].png").write_bytes(b"x")
    assert outputs("photos/x[1].png") == ["x[1]"]


def test_same_stem_keeps_the_suffix_whatever_was_asked_for(photos):
    (photos / "a.png").write_bytes(b"x")
    assert outputs("photos") == ["a.jpg", "a.png", "b"]
    assert outputs("photos/a.png") == ["a.png"]
    (photos / "a.jpg.png").write_bytes(b"x")
    assert outputs("photos") == ["a.jpg", "a.jpg.png", "a.png", "b"]


def test_the_same_image_twice_is_one(photos):
    assert outputs("photos/a.jpg", "photos/a.jpg", "photos/*.jpg") == ["a"]


def test_two_sources_never_share_an_output(photos):
    (photos / "sub" / "a.jpg").write_bytes(b"x")
    with pytest.raises(salbox.UsageError, match="both be written"):
        find_images(["photos/a.jpg", "photos/sub/a.jpg"])


def test_links_in_a_circle_end(photos):
    (photos / "sub" / "back").symlink_to(photos, target_is_directory=True)
    assert outputs("photos", recursive=True) == ["a", "b", "other/sub/f", "sub/d", "sub/deep/e"]


def test_outputs_are_not_inputs(photos):
    (photos / "out").mkdir()
    (photos / "out" / "z.png").write_bytes(b"x")
    assert "out/z" not in outputs("photos", recursive=True, exclude=Path("photos/out"))


@pytest.mark.parametrize(
    ("given", "message"),
    [("photos/other", "searched with -r"), ("photos/*.bmp", "no image matches")],
)
def test_nothing_found_says_so(photos, given, message):
    with pytest.raises(salbox.UsageError, match=message):
        find_images([given])


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("photos/*/../../photos/sub/*.JPG", ["photos/sub/d"]),
        ("photos/*/deep/../../../elsewhere/*.jpg", ["elsewhere/y"]),
        ("photos/s*/../*.jpg", ["a"]),
        ("*/../elsewhere/*.jpg", ["elsewhere/y"]),
    ],
)
def test_outputs_of_patterns_with_dots_stay_inside(photos, pattern, expected):
    (photos.parent / "elsewhere").mkdir()
    (photos.parent / "elsewhere" / "y.jpg").write_bytes(b"x")
    assert outputs(pattern) == expected


@pytest.mark.parametrize("name", ["..png", "...png", "....jpg"])
def test_names_of_dots_are_names(photos, name):
    (photos / name).write_bytes(b"x")
    assert outputs(f"photos/{name}") == [name]


def test_the_same_file_by_other_ways_is_one(photos):
    (photos.parent / "link").symlink_to(photos, target_is_directory=True)
    (photos / "other" / "a.jpg").symlink_to(photos / "a.jpg")
    inputs = ["photos/a.jpg", "photos/../photos/a.jpg", str(photos / "a.jpg"), "link/a.jpg", "photos/other/a.jpg"]
    assert outputs(*inputs) == ["a"]
    assert outputs("photos", "photos") == ["photos/a", "photos/b"]


def test_links_in_circles_end_in_patterns_too(photos):
    for name in ("back", "again"):
        (photos / "sub" / name).symlink_to(photos, target_is_directory=True)
    (photos / "itself").symlink_to(photos / "itself")
    assert outputs("photos/**/*.*") == ["a", "b", "other/sub/f", "sub/d", "sub/deep/e"]
    assert outputs("photos", recursive=True) == ["a", "b", "other/sub/f", "sub/d", "sub/deep/e"]


def test_outputs_into_the_folder_at_hand(photos, monkeypatch):
    monkeypatch.chdir(photos)
    (photos / "bms").mkdir()
    (photos / "bms" / "z.png").write_bytes(b"x")
    exclude = [Path(), Path("bms")]
    assert outputs(".", exclude=exclude) == ["a", "b"]
    for inputs in ([".", True], ["**/*.*", False]):
        found = outputs(inputs[0], recursive=inputs[1], exclude=exclude)
        assert found == ["a", "b", "other/sub/f", "sub/d", "sub/deep/e"]
    assert outputs("bms", exclude=exclude) == ["z"]  # named


def test_outputs_are_not_what_a_pattern_means(photos):
    (photos / "out").mkdir()
    (photos / "out" / "z.png").write_bytes(b"x")
    assert "out/z" not in outputs("photos/**/*.png", exclude=Path("photos/out"))
    assert outputs("photos/out/*.png", exclude=Path("photos/out")) == ["z"]


def test_a_folder_below_that_cannot_be_read_costs_a_line(photos, monkeypatch):
    scandir = os.scandir

    def locked(path):
        if str(path).endswith("photos/sub"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", locked)
    with pytest.warns(salbox.errors.ImageWarning, match=r"photos/sub: cannot be read \(Permission denied\)"):
        assert outputs("photos", recursive=True) == ["a", "b", "other/sub/f"]
    with pytest.raises(salbox.UsageError, match="photos/sub: cannot be read"):
        outputs("photos/sub")


def test_an_input_without_a_name_is_not_the_folder_at_hand(photos):
    with pytest.raises(salbox.UsageError, match="without a name"):
        outputs("")


def test_a_name_that_no_file_can_have(photos):
    with pytest.raises(salbox.UsageError, match="home folder"):
        outputs("~nobody-of-that-name/a.jpg")
    with pytest.raises(salbox.UsageError, match="too long"):
        outputs("a" * 300 + ".jpg")


def test_videos_and_images_each_have_their_names(photos):
    for name in ("a.mp4", "c.mp4", "c.mkv", "sub/d.MOV", ".hidden.mp4"):
        (photos / name).write_bytes(b"x")

    def both(*inputs: str, **options) -> list[list[str]]:
        return [[i.output.as_posix() for i in each] for each in find_images_and_videos(inputs, **options)]

    assert both("photos") == [["a", "b"], ["a", "c.mkv", "c.mp4"]]
    assert both("photos/c.mp4", "photos/c.txt") == [["c"], ["c.mp4"]]
    assert both("photos/*.mp4") == [[], ["a", "c.mp4"]]
    assert both("photos/sub", recursive=True) == [["d", "deep/e"], ["d"]]
    assert outputs("photos") == ["a", "b"]
    with pytest.raises(salbox.UsageError, match="no image or video matches"):
        both("photos/*.wmv")
    with pytest.raises(salbox.UsageError, match="no images or videos in this folder"):
        both("photos/other")
    (photos / "sub" / "a.mp4").write_bytes(b"x")
    with pytest.raises(salbox.UsageError, match="both be written as 'a'"):
        both("photos/a.mp4", "photos/sub/a.mp4")
