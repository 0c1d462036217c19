"""Images in tar shards, as WebDataset writes them: members in their order, nothing is unpacked to disk."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import IO, Any, Self

from ..errors import SalboxError, one_line
from ..imaging.opening import SUFFIXES
from .arrow import damages
from .places import Folder
from .row import Row, UnreadableError, check_size, refuse, row_key
from .units import Unit, suffix_of

_MOST_HEADER = 1 << 20  # bytes of what says more of a member: long names, times
_END: type[Exception] = vars(tarfile)["EOFHeaderError"]  # of two blocks of zeros; stubs do not know it
_REFUSED = "a sparse file, which is no image"


def tar_rows(unit: Unit, max_bytes: int) -> Iterator[Row]:
    """Yield the images of a shard: members whose suffix is an image's; links, folders and hidden files are none.

    Raises
    ------
    tarfile.TarError, OSError
        If it is damaged, or cannot be reached.
    """
    source = unit.files[0]
    is_local = isinstance(source.place, Folder)
    seen: set[str] = set()
    # Of a bucket one stream from beginning to end: to jump is another request.
    opened = source.place.open(source.path) if is_local else source.place.open_once(source.path)
    with opened as file, _opened(file, "r:" if is_local else "r|") as tar:
        for member in tar:
            tar.members = []  # type: ignore[attr-defined]  # it would keep all
            name = PurePosixPath(member.name).name
            if not member.isfile() or name.startswith(".") or suffix_of(name) not in SUFFIXES:
                continue
            where = f"{source.uri}/{member.name}"
            try:
                key = row_key(unit, member.name)
                if key in seen:
                    raise SalboxError("another image of the shard has this name")
                seen.add(key)
            except SalboxError as error:
                yield Row("", where, partial(refuse, str(error)))
                continue
            yield Row(key, where, partial(_content, tar, member, max_bytes))


def _opened(file: IO[bytes], mode: Any) -> tarfile.TarFile:
    return tarfile.open(fileobj=file, mode=mode, tarinfo=_Member)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, most: int) -> bytes:
    check_size(member.size, most)
    try:
        file = tar.extractfile(member)
        return b"" if file is None else file.read()
    except damages() as error:  # it is cut off, or cannot be reached
        raise UnreadableError(f"cannot be read ({one_line(error)})") from None


class _Member(tarfile.TarInfo):
    """A member whose header cannot make the reader take memory at will, of a shard that says where it ends."""

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> Self:
        """Return the next member; what is neither one nor the mark of the end is an error, not the end."""
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.HeaderError as error:
            if isinstance(error, _END):
                raise
            raise tarfile.ReadError(f"there is neither a member nor the mark of the end ({error})") from None

    def _proc_member(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type not in tarfile.REGULAR_TYPES and self.size > _MOST_HEADER:
            raise tarfile.ReadError(f"a header of {self.size:,} bytes")
        return super()._proc_member(tar)  # type: ignore[misc]

    def _proc_sparse(self, tar: tarfile.TarFile) -> tarfile.TarInfo:
        raise tarfile.ReadError(_REFUSED)

    def _proc_gnusparse_10(self, following: Any, headers: Any, tar: tarfile.TarFile) -> None:
        raise tarfile.ReadError(_REFUSED)

    def _proc_gnusparse_00(self, following: Any, *rest: Any) -> None:
        raise tarfile.ReadError(_REFUSED)

    def _proc_gnusparse_01(self, following: Any, headers: Any) -> None:
        raise tarfile.ReadError(_REFUSED)
