from __future__ import annotations

import pytest
from shards import photo, write_tar

from salbox.errors import UsageError
from salbox.scale.inputs import find_sources, is_of_shards, units_of


def test_what_is_read_by_rows_is_told_by_its_name():
    assert is_of_shards("shards/*.tar")
    assert is_of_shards("x.PARQUET")
    assert is_of_shards("s3://photos/2024")
    assert not is_of_shards("photos")
    with pytest.raises(UsageError, match="begin with s3:// or gs:// or gcs://"):
        is_of_shards("http://example.org/a.jpg")


def test_keys_are_paths_below_what_was_named(tmp_path):
    for name in ("a/0.tar", "a/1.tar", "b/0.tar", "b/note.txt"):
        write_tar(tmp_path / name, {"x.png": photo(0)})
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "p.png").write_bytes(photo(1))
    found = find_sources([str(tmp_path / "photos"), str(tmp_path / "*" / "*.tar")])
    assert [source.key for source in found] == ["p", "a/0", "a/1", "b/0"]
    assert [len(unit.files) for unit in units_of(found, 256, 1)] == [1, 1, 1, 1]


def test_a_shard_that_is_named_twice_is_read_once(tmp_path):
    shard = str(write_tar(tmp_path / "a" / "0.tar", {"x.png": photo(0)}))
    for inputs in ([shard, str(tmp_path / "*" / "*.tar")], [str(tmp_path / "*" / "*.tar"), shard]):
        assert [source.uri for source in find_sources(inputs)] == [shard]


def test_names_of_units_do_not_depend_on_what_else_there_is(tmp_path):
    for name in ("0.tar", "1.tar"):
        write_tar(tmp_path / name, {"x.png": photo(0)})
    both = units_of(find_sources([str(tmp_path / "*.tar")]), 256, 1)
    (alone,) = units_of(find_sources([str(tmp_path / "1.tar")]), 256, 4)
    assert alone.name == both[1].name != both[0].name


def test_two_shards_of_one_name_are_refused(tmp_path):
    for folder in ("a", "b"):
        write_tar(tmp_path / folder / "0.tar", {"x.png": photo(0)})
    with pytest.raises(UsageError, match="would both be called '0'"):
        find_sources([str(tmp_path / "a" / "0.tar"), str(tmp_path / "b" / "0.tar")])


@pytest.mark.parametrize(("name", "said"), [("none.tar", "no such file"), ("*.tar", "no shard matches")])
def test_what_is_not_there_is_one_line(tmp_path, name, said):
    with pytest.raises(UsageError, match=said):
        find_sources([str(tmp_path / name)])
