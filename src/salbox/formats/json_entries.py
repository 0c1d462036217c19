"""JSON files too large to hold: where each entry lies is found in one pass, and an entry is read when it is needed.

The files are a list of objects, each with the number of its image, or one object {number: object}. Nobody vouches for
them: an entry, their number and their depth are limited.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ..errors import UsageError, one_line

CHUNK = 4 * 1024**2
MAX_ENTRY = 8 * 1024**2  # bytes; those of Visual Genome and GQA take some thousands
MAX_ENTRIES = 2_000_000

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, eq=False)
class JsonEntries:
    """The entries of a file by the number of their image.

    Parameters
    ----------
    path : Path
    spans : {number: (start, end)}
        Where each lies, in bytes.
    """

    path: Path
    spans: dict[str, tuple[int, int]]

    def read(self, number: str) -> dict[str, Any]:
        """Return an entry.

        Raises
        ------
        UsageError
            If the file has changed since it was indexed.
        """
        start, end = self.spans[number]
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                entry = json.loads(file.read(end - start).decode("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise UsageError(f"{self.path}: entry {number} cannot be read ({one_line(error)})") from None
        if not isinstance(entry, dict):
            raise UsageError(f"{self.path}: entry {number} is not an object")
        return entry


def index_entries(path: Path, keys: Sequence[str] = ("image_id", "id")) -> JsonEntries:
    """Return where the entries of a file lie. Of equal numbers the first counts.

    Parameters
    ----------
    path : Path
    keys : texts
        In a list of objects: which of their fields holds the number, the first that is there.

    Raises
    ------
    UsageError
        If the file is missing, is not such JSON, or is beyond the limits.
    """
    spans: dict[str, tuple[int, int]] = {}
    try:
        with path.open("rb") as file:
            for key, value, span in _Scanner(path, file).entries():
                number = key if key is not None else next((str(value[k]) for k in keys if k in value), None)
                if number is None:
                    raise UsageError(f"{path}: the entry at byte {span[0]} has no '{keys[0]}'")
                spans.setdefault(number, span)
                if len(spans) > MAX_ENTRIES:
                    raise UsageError(f"{path}: more than {MAX_ENTRIES:,} entries")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from None
    return JsonEntries(path, spans)


class _Scanner:
    """Reads a file in chunks. Latin-1 keeps a byte a character, so that places in the text are bytes of the file."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self.file = path, file
        self.text, self.place, self.before = "", 0, 0  # `before`: bytes of the file that lie before `text`

    def entries(self) -> Iterator[tuple[str | None, dict[str, Any], tuple[int, int]]]:
        """Yield (key or None, entry, (start, end))."""
        opening = self._next()
        if opening == "\xef" and self.text.startswith("\xef\xbb\xbf", self.place):  # a byte order mark
            self.place += 3
            opening = self._next()
        if opening not in ("[", "{"):
            raise self._broken("expected a list or an object of entries")
        closing, is_object = ("}", True) if opening == "{" else ("]", False)
        self.place += 1
        if self._next() == closing:
            return
        while True:
            key = self._key() if is_object else None
            self._next()
            start = self.before + self.place
            value = self._value()
            if not isinstance(value, dict):
                raise self._broken("an entry is not an object")
            yield key, value, (start, self.before + self.place)
            mark = self._next()
            self.place += 1
            if mark == closing:
                return
            if mark != ",":
                raise self._broken("expected a comma" if mark else "the file ends within")

    def _key(self) -> str:
        if self._next() != '"':
            raise self._broken("expected a name")
        key = self._value()
        if self._next() != ":":
            raise self._broken("expected a colon")
        self.place += 1
        return str(key)

    def _next(self) -> str:
        """Return the next character that is no space, or nothing at the end; `place` is moved to it."""
        while True:
            self.place = _match_end(self.text, self.place)
            if self.place < len(self.text):
                return self.text[self.place]
            if not self._more():
                return ""

    def _value(self) -> Any:
        while True:
            try:
                value, end = _DECODER.raw_decode(self.text, self.place)
            except json.JSONDecodeError as error:
                if len(self.text) - self.place > MAX_ENTRY:
                    raise self._broken(f"an entry of more than {MAX_ENTRY >> 20} MiB, or a mistake in it") from None
                if not self._more():
                    raise self._broken(f"{error.msg.lower()} in an entry") from None
            except (ValueError, RecursionError) as error:
                raise self._broken(f"an entry is refused: {one_line(error)}") from None
            else:
                if end - self.place > MAX_ENTRY:
                    raise self._broken(f"an entry of more than {MAX_ENTRY >> 20} MiB")
                self.place = end
                return value

    def _more(self) -> bool:
        """Read on; what lies behind is forgotten. Return whether there was something."""
        chunk = self.file.read(CHUNK)
        self.before += self.place
        self.text, self.place = self.text[self.place :] + chunk.decode("latin-1"), 0
        return bool(chunk)

    def _broken(self, what: str) -> UsageError:
        return UsageError(f"{self.path}: not as expected at byte {self.before + self.place:,}: {what}")


def _match_end(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return place if found is None else found.end()
