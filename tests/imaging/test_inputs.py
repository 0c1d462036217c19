"""Which images a command line means, and what their outputs are called."""

from __future__ import annotations

from pathlib import Path

import pytest

import salbox
from salbox.imaging.inputs import find_images


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
