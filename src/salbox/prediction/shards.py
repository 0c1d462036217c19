"""Maps of images in shards and buckets, by the road that those of files take: what `salbox predict` does with them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..scale.engine import in_any_order, workers_at_hand
from ..scale.inputs import units_of
from ..scale.job import Failure, Job, Record, remaining
from ..scale.units import Source, Unit
from ..system.threads import available_cores
from ..system.workers import check_workers
from .batch import ready
from .shard_plan import ShardPlan
from .shard_worker import UnitOutcome, Worker


@dataclass
class ShardRun:
    """A run over shards: what is to be done, and, as it goes on, what came of it.

    Attributes
    ----------
    job : Job
    units : list of Unit
        What is not done yet.
    records : mapping
        Chunk or unit -> what came of it, in earlier runs too.
    changed : list of str
        Inputs that have changed since they were done, and are left.
    unreadable : list of Failure
    earlier : int
        Images of earlier runs.
    """

    job: Job
    units: list[Unit]
    records: dict[str, Record]
    changed: list[str]
    unreadable: list[Failure] = field(default_factory=list)
    earlier: int = 0

    @property
    def failures(self) -> list[Failure]:
        """All that failed, in earlier runs too."""
        return [failure for record in self.records.values() for failure in record.failures] + self.unreadable

    def to_dict(self) -> dict[str, Any]:
        """Return the run as numbers and texts, ready for JSON."""
        records = self.records.values()
        return {
            "job": self.job.id,
            "images": sum(record.rows for record in records),
            "images_of_earlier_runs": self.earlier,
            "written": sum(record.written for record in records),
            "skipped": sum(record.skipped for record in records),
            "failed": len(self.failures),
            "changed": self.changed,
            "otherwise": {path: said for record in records for path, said in record.otherwise.items()},
        }


def begin_run(sources: Sequence[Source], plan: ShardPlan, workers: int | None = None) -> ShardRun:
    """Return what is to be done of some sources; nothing is computed yet.

    Raises
    ------
    UsageError
        For an unknown model, parameter or format, or a place that holds the results of another job.
    """
    check_workers(workers)
    job = plan.job(ready(plan.batch))
    records = job.begin(overwrite=plan.batch.overwrite)
    left, changed = remaining(sources, records)
    units = units_of(left, plan.reading.rows, workers or workers_at_hand() or available_cores())
    left_units = [unit for unit in units if unit.mark not in records and unit.name not in records]
    return ShardRun(job, left_units, records, changed, earlier=sum(record.rows for record in records.values()))


def carry_out(run: ShardRun, plan: ShardPlan, workers: int | None = None) -> Iterator[UnitOutcome]:
    """Yield the outcome of each unit of a run, which takes them in; at the end the table of errors is written.

    Results get their names when they are whole, and a chunk counts as done once they have: a run can be interrupted or
    killed, or a machine lost, and what is done is not done again.
    """
    for outcome in in_any_order(partial(Worker, plan, run.job), run.units, workers, plan.device):
        run.records |= {record.name: record for record in outcome.records}
        run.unreadable += outcome.unreadable
        yield outcome
    run.job.write_errors(run.failures)
