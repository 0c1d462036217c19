"""A unit of images in shards done: rows read, maps made, results written, chunk by chunk."""

from __future__ import annotations

import contextlib
import hashlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..errors import ImageWarning, SalboxError
from ..imaging.image import read_image
from ..imaging.inputs import ImageFile
from ..imaging.writing import encode_map
from ..scale.ahead import ahead
from ..scale.job import Failure, Job, Record, part_file
from ..scale.places import Folder
from ..scale.row import Row, UnreadableError
from ..scale.table import PartError, PartWriter
from ..scale.units import Unit
from ..system.contents import DIGEST_BYTES
from ..types import Pixels, SaliencyMap
from .batch import Outcome, still_missing
from .images import BATCH, FEWER_WORKERS, SMALLER_COPY, ImageMaps, Pipeline, memory_errors_named
from .shard_plan import ShardPlan, card_hash

_BATCH_BYTES = 1 << 26  # of pixels that go through a network together, where there are several


@dataclass
class UnitOutcome:
    """What came of a unit: a record of each chunk, and what could not be read but perhaps will be another time."""

    records: list[Record] = field(default_factory=list)
    unreadable: list[Failure] = field(default_factory=list)


@dataclass(frozen=True)
class _Loaded:
    """A row whose bytes have been read; `error` says why there are none, `is_final` whether there never will be."""

    chunk: str
    key: str
    source: str
    content: bytes = b""
    error: str = ""
    is_final: bool = True

    @property
    def size(self) -> int:
        return len(self.content)


class Worker:
    """Does units one after the other, its models loaded once."""

    def __init__(self, plan: ShardPlan, job: Job) -> None:
        self._plan, self._job = plan, job
        self._pipelines = plan.batch.pipelines()
        self._cards = {pipeline: card_hash(pipeline.model) for pipeline in self._pipelines}

    def __call__(self, unit: Unit) -> UnitOutcome:
        """Return what came of a unit; its results and the record of each chunk are written."""
        outcome = UnitOutcome()
        try:
            for part, rows in self._plan.reading.parts(unit):
                rows_read = self._loaded(unit, part, rows, outcome.records)
                with contextlib.closing(ahead(rows_read, lambda loaded: loaded.size)) as read:
                    for chunk, loaded in groupby(read, lambda loaded: loaded.chunk):
                        self._do(unit, chunk, loaded, outcome)
            if not outcome.unreadable and unit.kind != "images":
                self._job.note(Record(unit.mark, _states(unit)))
        except SalboxError as error:  # the shard cannot be read, or its results cannot be written
            outcome.unreadable.append(Failure("", unit.uri, str(error)))
        except MemoryError:
            outcome.unreadable.append(Failure("", unit.uri, f"not enough memory ({FEWER_WORKERS})"))
        return outcome

    def _loaded(self, unit: Unit, part: str, rows: Iterator[Row], done: list[Record]) -> Iterator[_Loaded]:
        """Yield the rows of a part that are not done yet, read; where reading ends early the last says so.

        The records of chunks that are done go to `done`: somebody who was lost did them, and nobody heard of it.
        """
        chunk, is_done = "", False
        try:
            for number, row in enumerate(rows):
                if number % self._plan.reading.rows == 0:
                    chunk = f"{part}-{number // self._plan.reading.rows:05}"
                    record = self._job.record(chunk)
                    is_done = record is not None
                    done += [] if record is None else [record]
                if is_done:
                    continue
                try:
                    yield _Loaded(chunk, row.key, row.source, row.read())
                except UnreadableError as error:
                    yield _Loaded(chunk, row.key, row.source, error=str(error), is_final=False)
                except SalboxError as error:
                    yield _Loaded(chunk, row.key, row.source, error=str(error))
        except UnreadableError as error:
            yield _Loaded("" if is_done else chunk, "", unit.uri, error=str(error), is_final=False)

    def _do(self, unit: Unit, chunk: str, rows: Iterator[_Loaded], outcome: UnitOutcome) -> None:
        """Make the maps of a chunk, write them, and keep that it is done."""
        record = Record(chunk, _states(unit))
        unreadable: list[Failure] = []
        with contextlib.ExitStack() as stack:
            part = None
            if self._plan.in_parquet and chunk:
                part = stack.enter_context(PartWriter(self._plan.place, part_file(chunk)))
            for batch in self._batches(self._decoded(rows, record, unreadable)):
                for each in self._made(unit, batch, record):
                    self._write(each, part, record, unreadable)
            if part is not None and not part.is_empty:
                record.part = part_file(chunk)
        outcome.unreadable += unreadable
        if unit.kind == "images":
            record.states = {uri: s for uri, s in record.states.items() if uri not in {u.source for u in unreadable}}
        if record.states and (unit.kind == "images" or not unreadable):
            self._job.note(record)
        if chunk:
            outcome.records.append(record)

    def _decoded(
        self, rows: Iterator[_Loaded], record: Record, unreadable: list[Failure]
    ) -> Iterator[tuple[_Loaded, Pixels]]:
        """Yield rows with their pixels, (H, W, 3) uint8; what cannot be decoded is a failure of the record."""
        for loaded in rows:
            record.rows += bool(loaded.key) or loaded.is_final
            if loaded.error:
                into = record.failures if loaded.is_final else unreadable
                into.append(Failure(loaded.key, loaded.source, loaded.error))
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", ImageWarning)  # of frames that are left out
                    pixels = read_image(loaded.content, max_pixels=self._plan.batch.max_pixels)
            except SalboxError as error:
                reason = str(error).removeprefix(f"{loaded.size} bytes in memory: ")
                record.failures.append(Failure(loaded.key, loaded.source, reason))
            else:
                yield loaded, pixels

    def _batches(self, rows: Iterator[tuple[_Loaded, Pixels]]) -> Iterator[list[tuple[_Loaded, Pixels]]]:
        """Yield what goes through a network together: on the CPU one image, whose map is that of `predict` to the byte.

        Elsewhere as many as have so many bytes of pixels.
        """
        batch: list[tuple[_Loaded, Pixels]] = []
        held = 0
        for row in rows:
            batch.append(row)
            held += row[1].nbytes
            if self._plan.device is None or len(batch) == BATCH or held >= _BATCH_BYTES:
                yield batch
                batch, held = [], 0
        if batch:
            yield batch

    def _made(self, unit: Unit, batch: list[tuple[_Loaded, Pixels]], record: Record) -> list[_Made]:
        """Return images with their maps; where some cannot be made together, each is tried by itself."""
        made = [_Made(self._plan, unit, loaded, pixels, self._pipelines) for loaded, pixels in batch]
        wanted = [p for p in self._pipelines if any(each.targets[p] != [] for each in made)]
        try:
            with memory_errors_named(made[0].loaded.source, SMALLER_COPY):
                maps = ImageMaps([each.pixels for each in made], wanted, [each.name for each in made])
                for pipeline in wanted:
                    for each, saliency in zip(made, maps.of(pipeline), strict=True):
                        each.maps[pipeline] = saliency
        except SalboxError as error:
            if len(batch) > 1:
                return [each for row in batch for each in self._made(unit, [row], record)]
            record.failures.append(made[0].failure(error))
            return []
        return made

    def _write(self, each: _Made, part: PartWriter | None, record: Record, unwritten: list[Failure]) -> None:
        """Write the maps of an image; what the place does not take counts as not done."""
        plan = self._plan.batch
        record.skipped += len(each.outcome.skipped)
        record.otherwise |= {str(path): said for path, said in each.outcome.otherwise.items()}
        for pipeline, saliency in each.maps.items():
            notes, target = each.notes[pipeline], plan.target(pipeline.model.name, each.image)
            targets = each.targets[pipeline]
            try:
                if part is not None:
                    part.add(self._row(each, pipeline, saliency, self._packed(pipeline, saliency, notes)))
                elif targets is None:
                    self._plan.place.write(target.as_posix(), self._packed(pipeline, saliency, notes))
                for path in targets or ():
                    if path == target:
                        plan.write(path, saliency, pipeline.output, notes)
                    else:
                        plan.write_overlay(path, each.pixels, saliency, pipeline.output, notes)
                record.written += 1 if targets is None else len(targets)
            except PartError:
                raise
            except SalboxError as error:
                unwritten.append(each.failure(error))

    def _packed(self, pipeline: Pipeline, saliency: SaliencyMap, notes: Mapping[str, Any]) -> bytes:
        """Return what the file of a map holds."""
        plan = self._plan.batch
        return b"".join(encode_map(saliency, plan.file_format, notes, output=pipeline.output, keep_log=plan.keeps_log))

    def _row(self, each: _Made, pipeline: Pipeline, saliency: SaliencyMap, content: bytes) -> dict[str, Any]:
        return {
            "key": each.loaded.key,
            "source": each.loaded.source.encode("utf-8", "backslashreplace").decode(),
            "source_digest": each.notes[pipeline]["source_digest"],
            "model": pipeline.model.name,
            "card_sha256": self._cards[pipeline],
            "output": pipeline.output,
            "width": saliency.shape[1],
            "height": saliency.shape[0],
            "minimum": float(saliency.min()),
            "maximum": float(saliency.max()),
            "mean": float(saliency.mean(dtype=np.float64)),
            "std": float(saliency.std(dtype=np.float64)),
            "format": self._plan.batch.file_format,
            "map": content,
        }


class _Made:
    """An image of a shard with what its files will say, and which of them are to be made.

    Parameters
    ----------
    plan : ShardPlan
    unit : Unit
    loaded : _Loaded
    pixels : (H, W, 3) uint8
    pipelines : sequence of Pipeline
    """

    def __init__(
        self, plan: ShardPlan, unit: Unit, loaded: _Loaded, pixels: Pixels, pipelines: Sequence[Pipeline]
    ) -> None:
        self.loaded, self.pixels = loaded, pixels
        self.image = ImageFile(Path(loaded.source), Path(loaded.key))
        # What post-processing looks for in folders: what the image is called where it comes from.
        self.name = PurePosixPath(loaded.key if unit.kind == "parquet" else loaded.source).name
        digest = hashlib.blake2b(loaded.content, digest_size=DIGEST_BYTES).hexdigest()
        self.notes = {pipeline: plan.batch.notes(pipeline.model, digest=digest) for pipeline in pipelines}
        self.outcome = Outcome(self.image.path)
        self.maps: dict[Pipeline, SaliencyMap] = {}
        # The files of this machine that are to be made; None where maps go elsewhere.
        self.targets: dict[Pipeline, list[Path] | None] = dict.fromkeys(pipelines)
        if isinstance(plan.place, Folder) and not plan.in_parquet:
            for pipeline in pipelines:
                expected = plan.batch.expected(pipeline.model.name, self.image, self.notes[pipeline])
                self.targets[pipeline] = still_missing(expected, self.outcome, overwrite=plan.batch.overwrite)

    def failure(self, error: SalboxError) -> Failure:
        """Return that it has no map, and why."""
        return Failure(self.loaded.key, self.loaded.source, str(error))


def _states(unit: Unit) -> dict[str, str]:
    return {file.uri: file.state for file in unit.files}
