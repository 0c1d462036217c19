from __future__ import annotations

import io
import tarfile

import pytest
from shards import photo, write_tar

from salbox.errors import ImageError, SalboxError
from salbox.scale.inputs import find_sources
from salbox.scale.reading import Reading
from salbox.scale.row import UnreadableError
from salbox.scale.units import Unit


def rows_of(path, **settings):
    """Return (key, content or error) of each row of a tar shard."""
    (source,) = find_sources([str(path)])
    found = []
    for _, rows in Reading(**settings).parts(Unit("tar", (source,))):
        for row in rows:
            try:
                found.append((row.key, row.read()))
            except SalboxError as error:
                found.append((row.key, error))
    return found


def test_images_are_found_among_other_members(tmp_path):
    path = write_tar(tmp_path / "s.tar", {"a/0.png": photo(0), "a/0.json": b"{}", "a/.hidden.png": b"x", "1.JPG": b"y"})
    assert rows_of(path) == [("s/a/0.png", photo(0)), ("s/1.JPG", b"y")]


def test_names_stay_below_the_shard_and_links_are_none(tmp_path):
    path = tmp_path / "s.tar"
    with tarfile.open(path, "w") as tar:
        for name in ("../../up.png", "/etc/root.png", "same.png", "same.png"):
            member = tarfile.TarInfo(name)
            member.size = 2
            tar.addfile(member, io.BytesIO(b"hi"))
        link = tarfile.TarInfo("link.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    found = rows_of(path)
    assert [key for key, _ in found] == ["s/up.png", "s/etc/root.png", "s/same.png", ""]
    assert "another image of the shard has this name" in str(found[-1][1])


def test_what_is_too_large_is_not_read(tmp_path):
    path = write_tar(tmp_path / "s.tar", {"a.png": b"x" * 11, "b.png": b"x" * 10})
    (_, error), (_, content) = rows_of(path, max_bytes=10)
    assert isinstance(error, ImageError)
    assert "11 bytes, more than the 10" in str(error)
    assert content == b"x" * 10


# Each image takes 512 bytes and its own, rounded up to 512.
@pytest.mark.parametrize("more", [-700, 0, 700], ids=["within the second", "between two", "within the third"])
def test_what_lies_before_the_damage_is_there(tmp_path, more):
    path = write_tar(tmp_path / "s.tar", {f"{n}.png": photo(n) for n in range(4)})
    each = 512 + -(-len(photo(0)) // 512) * 512
    assert each == 512 + -(-len(photo(1)) // 512) * 512
    path.write_bytes(path.read_bytes()[: 2 * each + more])
    found = []
    (source,) = find_sources([str(path)])
    (_, rows), *_ = Reading().parts(Unit("tar", (source,)))
    with pytest.raises(UnreadableError, match=r"unexpected end of data|the mark of the end"):
        found.extend(row.read() for row in rows)
    assert found == [photo(n) for n in range(1 if more < 0 else 2)]


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100, b"\0" * 512 * 3])
def test_what_is_no_tar_gives_no_rows(tmp_path, content):
    path = tmp_path / "s.tar"
    path.write_bytes(content)
    if content.startswith(b"\0"):  # a tar of nothing
        assert rows_of(path) == []
    else:
        with pytest.raises(UnreadableError, match=r"s\.tar: cannot be read further"):
            rows_of(path)


def test_a_header_that_says_it_is_huge_takes_no_memory(tmp_path):
    head = tarfile.TarInfo("pax")
    head.type, head.size = tarfile.XHDTYPE, 8 << 30
    path = tmp_path / "s.tar"
    with path.open("wb") as file:
        file.write(head.tobuf(tarfile.GNU_FORMAT))
        file.truncate(9 << 30)  # holes: on disk it is small
    with pytest.raises(UnreadableError, match="a header of"):
        rows_of(path)


def test_sparse_files_are_refused(tmp_path):
    sparse = tarfile.TarInfo("a.png")
    sparse.type, sparse.size = tarfile.GNUTYPE_SPARSE, 0
    path = tmp_path / "s.tar"
    path.write_bytes(sparse.tobuf(tarfile.GNU_FORMAT) + b"\0" * 1024)
    with pytest.raises(UnreadableError, match="sparse"):
        rows_of(path)
