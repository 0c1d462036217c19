"""What maps of images in shards and buckets need beside the shards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..errors import UsageError
from ..models.model import Model
from ..scale.arrow import arrow
from ..scale.job import Job
from ..scale.places import Folder, Place
from ..scale.reading import Reading
from .batch import BatchPlan
from .images import device_of


@dataclass(frozen=True)
class ShardPlan:
    """Everything that images in shards need beside the shards.

    Attributes
    ----------
    batch : BatchPlan
        How maps are made and written; its folder is `place`, where that is a folder.
    place : Place
        Outputs go to `<model>/<key>.<format>` in it, or to `part-<chunk>.parquet`; `_job` says what is done.
    in_parquet : bool
    reading : Reading
    """

    batch: BatchPlan
    place: Place
    in_parquet: bool = False
    reading: Reading = field(default_factory=Reading)

    def __post_init__(self) -> None:
        if self.batch.overlay is not None and (self.in_parquet or not isinstance(self.place, Folder)):
            raise UsageError("--overlay: overlays are files in folders of this machine; leave it out here")
        if self.in_parquet:
            arrow("parquet")

    @cached_property
    def device(self) -> str | None:
        """Where models compute, None on the CPU."""
        return device_of(self.batch.models.values())

    def job(self, models: Sequence[Model]) -> Job:
        """Return the job that this is: all that its results depend on beside the inputs."""
        asks = {
            "results": "parquet" if self.in_parquet else "files",
            "format": self.batch.file_format,
            "rows": self.reading.rows,
            "columns": [self.reading.image_column, self.reading.key_column],
            "overlay": None if self.batch.overlay is None else self.batch.drawn_as,
            "max_pixels": self.batch.max_pixels,
            "models": {model.name: self.batch.notes(model) | {"card_sha256": card_hash(model)} for model in models},
        }
        return Job(self.place, asks)


def card_hash(model: Model) -> str:
    """Return a text that changes with a model's card, 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(model.card.to_dict(), sort_keys=True, default=str).encode()).hexdigest()
