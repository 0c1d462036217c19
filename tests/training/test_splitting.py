"""The three parts: by hash of the name, by a file, and never empty."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from salbox.errors import UsageError
from salbox.imaging.inputs import ImageFile, find_images
from salbox.imaging.writing import write_picture
from salbox.training.splitting import first_pixels, part_of_name, photo_key, read_split, split, write_split


def photos(*names: str) -> list[ImageFile]:
    return [ImageFile(Path("photos", name), Path(name).with_suffix("")) for name in names]


MANY = photos(*(f"photo_{k:05}.jpg" for k in range(5000)))


def test_the_held_out_photos_are_those_of_the_convention():
    found = split(MANY)
    expected = [p.output.as_posix() for p in MANY if int(hashlib.sha1(p.path.name.encode()).hexdigest(), 16) % 18 == 0]
    assert [photo_key(photo) for photo in found.test] == expected


def test_duts_has_its_207_held_out_photos(shared):
    images = find_images([str(shared / "data" / "DUTS-TR" / "DUTS-TR-Image")])
    found = split(images)
    assert len(images) == 3600
    assert len(found.test) == 207
    assert len(found.validation) == pytest.approx(339, abs=40)


def test_validation_is_a_tenth_of_the_rest_and_independent_of_the_test():
    found = split(MANY)
    assert len(found.training) + len(found.validation) + len(found.test) == len(MANY)
    assert not {*found.training} & {*found.validation} | {*found.validation} & {*found.test}
    share = len(found.validation) / (len(found.validation) + len(found.training))
    assert share == pytest.approx(0.1, abs=0.015)
    # Among other remainders the tenth is the same: were the hashes related, some remainder would stand out.
    by_remainder = [0] * 18
    for photo in MANY:
        number = int(hashlib.sha1(photo.path.name.encode()).hexdigest(), 16)
        by_remainder[number % 18] += photo in found.validation
    assert by_remainder[0] == 0
    assert min(by_remainder[1:]) > 10


def test_a_photo_keeps_its_part_whatever_else_is_there_and_wherever_it_lies():
    alone = split(MANY[100:900]).part_of()
    together = split(MANY).part_of()
    assert all(together[key] == part for key, part in alone.items())
    moved = split([ImageFile(Path("elsewhere", p.path.name), Path("deep", p.output)) for p in MANY]).part_of()
    assert moved == {f"deep/{key}": part for key, part in together.items()}


@pytest.mark.parametrize("count", range(3, 40))
def test_no_part_of_a_small_folder_is_empty(count):
    found = split(photos(*(f"{k}.png" for k in range(count))))
    assert found.training
    assert found.validation
    assert found.test
    assert sorted(found.part_of()) == sorted(str(k) for k in range(count))


def test_photos_of_one_name_in_many_folders_are_parted_too():
    found = split(photos(*(f"{k}/frame.jpg" for k in range(6))))
    assert found.validation
    assert found.test


def test_fewer_photos_than_parts():
    assert len(split(photos("a.jpg")).part_of()) == 1
    assert split([]).part_of() == {}


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_a_written_split_is_read_again(tmp_path, suffix):
    parts = split(MANY[:300]).part_of()
    path = tmp_path / f"split{suffix}"
    write_split(path, parts)
    assert read_split(path) == parts
    assert split(MANY[:300], read_split(path)) == split(MANY[:300])


def test_a_file_overrides_the_hash_and_what_does_not_match_is_listed(tmp_path):
    path = tmp_path / "split.csv"
    path.write_text("name,part\na.jpg,val\nsub/b,train\nc.png,Test\ngone.jpg,test\n", encoding="utf-8")
    found = split(photos("a.jpg", "sub/b.jpg", "sub/c.png", "d.jpg"), read_split(path))
    assert found.part_of() == {"sub/b": "training", "a": "validation", "sub/c": "test"}
    assert found.left_out == ("d",)
    assert found.unknown == ("gone.jpg",)
    assert found.lines() == [
        "1 training, 1 validation, 1 test photos",
        "1 photos that the split does not name are left out: d",
        "1 names of the split have no photo: gone.jpg",
    ]


def test_json_in_both_ways(tmp_path):
    by_name, by_part = tmp_path / "a.json", tmp_path / "b.json"
    by_name.write_text(json.dumps({"x": "train", "y": "test"}), encoding="utf-8")
    by_part.write_text(json.dumps({"training": ["x"], "test": ["y"]}), encoding="utf-8")
    assert read_split(by_name) == read_split(by_part) == {"x": "training", "y": "test"}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("s.csv", "name,part\na,tset\n", "did you mean 'test'"),
        ("s.csv", "name,part\na,test\na,training\n", "in two parts"),
        ("s.csv", "file,set\na,test\n", "columns name and part"),
        ("s.csv", "name,part\n", "names no photo"),
        ("s.json", "[1, 2", "not readable as JSON"),
        ("s.json", "[1, 2]", "expected {name: part}"),
        ("s.json", "[" * 100_000, "not readable as JSON"),
    ],
)
def test_a_broken_split_is_one_line(tmp_path, name, text, said):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said.replace("{", r"\{")) as error:
        read_split(path)
    assert "\n" not in str(error.value)


def test_a_split_file_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_split(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(UsageError, match="cannot be read"):
        read_split(tmp_path / "binary.csv")


def test_a_split_of_other_photos_is_refused():
    with pytest.raises(UsageError, match="names none of the 1 photos"):
        split(photos("a.jpg"), {"b": "test"})


def test_two_names_of_one_photo_in_two_parts_are_refused():
    with pytest.raises(UsageError, match="different parts"):
        split(photos("a.jpg"), {"a": "test", "a.jpg": "training"})


def test_part_of_a_name():
    assert part_of_name("1.jpg") == split(photos("1.jpg", *(p.path.name for p in MANY[:40]))).part_of()["1"]


def test_the_first_photos_that_can_be_read(tmp_path):
    for name, value in (("a.png", 1), ("c.png", 3), ("d.png", 4)):
        write_picture(tmp_path / name, np.full((4, 4, 3), value, np.uint8))
    (tmp_path / "b.png").write_bytes(b"no picture")
    found = first_pixels(find_images([str(tmp_path)]), 2)
    assert [pixels[0, 0, 0] for pixels in found] == [1, 3]


AWKWARD = ["a\nb", "a\rb", "a\r\nb", "\r", "a\u2028b", "a\x85b", "a\x0bb", " a ", '"a"', "a,b", "n\udcff", "\ufeffa"]


@pytest.mark.parametrize("suffix", [".csv", ".json"])
@pytest.mark.parametrize("contents", [None, {"x": "00ff"}], ids=["names", "names and contents"])
@pytest.mark.parametrize("name", AWKWARD, ids=ascii)
def test_a_name_of_any_characters_is_read_as_it_was_written(tmp_path, name, contents, suffix):
    path = tmp_path / f"split{suffix}"
    write_split(path, {name: "test", "x": "training"}, contents)
    assert read_split(path) == {name: "test", "x": "training"}


def test_a_split_notes_what_photos_hold(tmp_path):
    write_split(tmp_path / "split.csv", {"a": "test", "b": "training"}, {"a": "0f"})
    assert (tmp_path / "split.csv").read_text() == "name,part,content\na,test,0f\nb,training,\n"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("s.csv", f"name,part\n{'a' * 200_000},test\n", "line 1 cannot be read as CSV"),
        ("s.csv", f"{'a' * 200_000},part\n", "line 0 cannot be read as CSV"),
        ("s.csv", f"name,part\na,{'long ' * 1000}\n", "parts are training"),
        ("s.csv", "name,part\na\n", "'a' is in part 'None'"),
        ("s.csv", 'name,part\n"a\x1b[31m\nb",nowhere\n', "is in part 'nowhere'"),
        ("s.json", '{"a": "test", "a": "training"}', "'a' is in two parts"),
        ("s.json", '{"test": [1]}', "all of them texts"),
        ("s.json", '{"test": ["a"], "b": "test"}', "all of them texts"),
        ("s.json", '{"a": {"b": "test"}}', "all of them texts"),
        ("s.json", f'{{"test": {"9" * 5000}}}', "not readable as JSON"),
    ],
    ids=range(10),
)
def test_an_odd_split_is_one_printable_line(tmp_path, name, text, said):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=said) as error:
        read_split(path)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 500


def test_a_name_that_is_no_utf8_has_a_part():
    name = b"n\xff.jpg".decode("utf-8", "surrogateescape")
    assert split(photos(name, "a.jpg", "b.jpg")).part_of().keys() == {"n\udcff", "a", "b"}
    number = int(hashlib.sha1(b"n\xff.jpg").hexdigest(), 16)
    assert (part_of_name(name) == "test") == (number % 18 == 0)


def test_the_first_names_of_what_has_moved():
    pytest.importorskip("pydantic")
    from salbox.distillation import run_folder, splitting
    from salbox.training.run_folder import RunFolder

    assert splitting.split is split
    assert run_folder.RunFolder is RunFolder
