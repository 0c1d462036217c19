"""Jobs: what was asked for and what is done already, on disk beside the results, so that a restart repeats nothing."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from ..errors import UsageError, one_line, printable
from .arrow import damages
from .places import Found, Place
from .units import Source, digest

FOLDER = "_job"  # readers of folders of Parquet files leave out what begins with an underscore
ERRORS = f"{FOLDER}/errors.csv"
_ASKED = f"{FOLDER}/job.json"
_DONE = f"{FOLDER}/done"
_THREADS = 16  # that read records at once: of a bucket each takes a while to come
_MOST_RECORD = 1 << 26  # bytes


@dataclass(frozen=True)
class Failure:
    """A row that has no map, and why."""

    key: str
    source: str
    reason: str


@dataclass
class Record:
    """What came of a chunk; of a whole unit, that it is done.

    Attributes
    ----------
    name : str
    states : mapping
        Source -> its state then.
    rows, written, skipped : int
        Images, outputs, and outputs that were there already.
    failures : list of Failure
        Rows that failed, and would again.
    part : str
        The file that holds the results; empty if none does.
    otherwise : mapping
        Outputs that were there already and made otherwise, each with the difference.
    """

    name: str
    states: dict[str, str] = field(default_factory=dict)
    rows: int = 0
    written: int = 0
    skipped: int = 0
    failures: list[Failure] = field(default_factory=list)
    part: str = ""
    otherwise: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, content: bytes) -> Record:
        """Return the record that a file holds.

        Raises
        ------
        ValueError
            If it is none.
        """
        found = json.loads(content)
        if not isinstance(found, dict) or {*found} != {*asdict(cls(""))}:
            raise ValueError("no record of salbox")
        try:
            return cls(**{**found, "failures": [Failure(**failure) for failure in found["failures"]]})
        except TypeError as error:
            raise ValueError(str(error)) from None


@dataclass(frozen=True)
class Job:
    """What is asked for and where its results go.

    Attributes
    ----------
    place : Place
    asks : mapping
        All that the results depend on beside the inputs, ready for JSON.
    """

    place: Place
    asks: Mapping[str, Any]

    @property
    def id(self) -> str:
        """A text that is another for another job."""
        return digest([json.dumps(self.asks, sort_keys=True)])

    def begin(self, *, overwrite: bool = False) -> dict[str, Record]:
        """Return the records of what is done already.

        Parameters
        ----------
        overwrite : bool
            Begin anew: what an earlier job noted, and the files of results that it names, are removed.

        Raises
        ------
        UsageError
            If the place holds the results of another job, or cannot be written to.
        """
        is_begun = self.place.find(_ASKED) is not None
        if is_begun and not overwrite and (there := self._asked()) != self._readable_asks():
            what = _difference(there, self._readable_asks())
            raise UsageError(
                f"{self.place.uri()}: holds results of another job ({what}): make them again with --overwrite, "
                "or choose another folder"
            )
        records = self._records() if is_begun else {}
        if overwrite:
            for record in records.values():
                if record.part:
                    self.place.remove(part_file(record.name))
                self.place.remove(_record_file(record.name))
            records = {}
        content = json.dumps({"job": self.id, "asks": self.asks}, indent=1)
        self.place.write(_ASKED, content.encode())
        return records

    def record(self, name: str) -> Record | None:
        """Return the record of a chunk or unit; None if it is not done."""
        found = self.place.find(_record_file(name))
        return None if found is None else self._record(found)

    def note(self, record: Record) -> None:
        """Keep on disk that a chunk, whose results are there, is done."""
        self.place.write(_record_file(record.name), json.dumps(asdict(record)).encode("utf-8", "backslashreplace"))

    def write_errors(self, failures: Iterable[Failure]) -> int:
        """Write the table of what failed, sorted; return how many rows it has. Without any there is no table."""
        rows = sorted({(each.key, each.source, each.reason) for each in failures})
        if not rows:
            self.place.remove(ERRORS)
            return 0
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow(["key", "source", "reason"])
        table.writerows([[printable(cell) for cell in row] for row in rows])
        self.place.write(ERRORS, text.getvalue().encode("utf-8", "backslashreplace"))
        return len(rows)

    def _readable_asks(self) -> Any:
        return json.loads(json.dumps(self.asks))

    def _asked(self) -> Any:
        """Return what the job asked for whose results are there."""
        try:
            return json.loads(self.place.read(_ASKED))["asks"]
        except damages() as error:
            raise UsageError(
                f"{self.place.uri(_ASKED)}: cannot be read ({one_line(error)}): make the results again with "
                "--overwrite, or choose another folder"
            ) from None

    def _records(self) -> dict[str, Record]:
        with ThreadPoolExecutor(_THREADS) as pool:
            found = pool.map(self._record, self.place.walk(_DONE, recursive=False))
            return {record.name: record for record in found if record is not None}

    def _record(self, found: Found) -> Record | None:
        """Return a record; None of a file that is none: what it stands for is then done again."""
        if not found.path.endswith(".json") or found.size > _MOST_RECORD:
            return None
        try:
            record = Record.of(self.place.read(found.path))
        except damages():
            return None
        return record if _record_file(record.name) == found.path else None


def part_file(name: str) -> str:
    """Return the file that the results of a chunk go to."""
    return f"part-{name}.parquet"


def remaining(sources: Sequence[Source], records: Mapping[str, Record]) -> tuple[list[Source], list[str]]:
    """Return the images that are not done and all shards, and what has changed since it was done, which is in neither.

    Parameters
    ----------
    sources : sequence of Source
    records : mapping
        Of `Job.begin`.
    """
    states: dict[str, str] = {}
    for record in records.values():
        states |= record.states
    changed = [source.uri for source in sources if states.get(source.uri, source.state) != source.state]
    left = [
        source
        for source in sources
        if states.get(source.uri, source.state) == source.state and (source.is_shard or source.uri not in states)
    ]
    return left, changed


def _record_file(name: str) -> str:
    return f"{_DONE}/{name}.json"


def _difference(there: Any, asked: Any) -> str:
    """Return in a few words in what two jobs differ."""
    if not isinstance(there, dict):
        return "of a kind that is not known"
    for key in {**asked, **there}:
        if (key in there) != (key in asked):
            return one_line(f"{key} {'there' if key in there else 'now'} only")
        if there.get(key) != asked.get(key):
            if isinstance(there.get(key), dict) and isinstance(asked.get(key), dict):
                inside = _difference(there[key], asked[key])
                return f"{key} {inside}"
            return one_line(f"{key}: {there.get(key)!r} there, {asked.get(key)!r} now")
    return "no difference"
