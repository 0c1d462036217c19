"""All steps from a network to what its concepts contribute to saliency; each reads the files of those before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ImageError, MissingExtraError, SalboxError, UsageError, nearest
from ..paths import user_path
from ..system.progress import SILENT, Progress
from ..types import Pixels
from .categories import read_categories
from .concept_sets import open_photos
from .contributions import by_category, contributions, explained_share
from .dissection import best_concepts, dissect, mean_ious
from .explanation import Explanation
from .files import read_json, write_json, write_table
from .plan import HEAD, Plan
from .report import PAGE, write_report
from .thresholds import thresholds
from .vocabulary import Vocabulary, build_vocabulary

if TYPE_CHECKING:
    from .subject import Subject
    from .training import Phases

STEPS = ("factorize", "reformulate", "thresholds", "dissect", "contributions", "report")
TRAINED = ("factorize", "reformulate")
EXPLAINED_PHOTOS = 100  # on which it is measured how much the named bases explain
_RECORD = "explain.json"
_WRITTEN = {
    "thresholds": "thresholds.parquet",
    "dissect": "bases.parquet",
    "contributions": "contributions.parquet",
    "report": PAGE,
}
_FIRST_FILES = (*TRAINED, "thresholds.parquet")  # what the first step that there is writes


def explain(
    model: str,
    output: Path | str,
    *,
    concepts: Sequence[str],
    datasets: Sequence[str] = (),
    step: str | None = None,
    progress: Progress = SILENT,
    **options: Any,
) -> Explanation:
    """Find out what a network looks at, and return the tables; a run that was stopped goes on.

    Parameters
    ----------
    model, output, concepts, datasets
        See `salbox.explain.plan.Plan`.
    step : {"factorize", "reformulate", "thresholds", "dissect", "contributions", "report"}, optional
        Only this one; those before it must have been made.
    progress : Progress
    **options
        Further attributes of `Plan`.

    Raises
    ------
    UsageError
        If something does not exist or does not fit, or the folder holds another explanation.
    MissingExtraError
        If PyTorch is not installed.
    """
    plan = Plan(
        model=model,
        output=user_path(output),
        concepts=tuple(concepts),
        datasets=tuple(datasets),
        **options,
    )
    return _Run(plan, progress).run(step)


class _Run:
    def __init__(self, plan: Plan, progress: Progress) -> None:
        try:
            import torch  # noqa: F401
        except ImportError:
            raise MissingExtraError("salbox explain", "train") from None
        self._plan, self._progress = plan, progress
        self._photos = open_photos(plan.concepts, plan.limit)
        self._out = Explanation(plan.output)
        self._claim()

    def run(self, step: str | None) -> Explanation:
        if step is not None and step not in STEPS:
            raise UsageError(f"no step '{step}'{nearest(step, STEPS)} (there are {', '.join(STEPS)})")
        if step is not None:
            for before in STEPS[: STEPS.index(step)]:
                if self._is_wanted(before) and not self._is_done(before):
                    raise UsageError(f"step {step} needs what {before} writes: run that first, or leave --step out")
        for each in STEPS:
            if step in (None, each) and self._is_wanted(each):
                getattr(self, f"_{each}")()
        return Explanation(self._plan.output)

    def _claim(self) -> None:
        path = self._plan.output / _RECORD
        wanted = self._plan.identity(self._photos)
        there = read_json(path)
        is_begun = any((self._plan.output / name).exists() for name in _FIRST_FILES)
        if is_begun and there != wanted:
            key = next(key for key in {**wanted, **there} if there.get(key) != wanted.get(key))
            raise UsageError(
                f"{self._plan.output}: holds another explanation ({key} differs); choose another folder or remove it"
            )
        if there != wanted:
            write_json(wanted, path)

    def _is_wanted(self, step: str) -> bool:
        """Whether a step belongs to this explanation."""
        if step in TRAINED:
            return self._plan.train and not self._plan.is_checkpoint and step not in self._done_before
        return step != "contributions" or self._has_kernel

    def _is_done(self, step: str) -> bool:
        if step in TRAINED:
            return self._phases.finished(step) is not None
        return (self._plan.output / _WRITTEN[step]).exists()

    @cached_property
    def _done_before(self) -> tuple[str, ...]:
        """The phases that the model itself has been through."""
        from ..networks.factorized.design import Factorized

        if not isinstance(self._network, Factorized):
            return ()
        return TRAINED if self._network.reads_bases else TRAINED[:1]

    @property
    def _has_kernel(self) -> bool:
        plan = self._plan
        return self._subject.kernel is not None if plan.is_checkpoint else plan.train or plan.layer == HEAD

    @cached_property
    def _network(self) -> Any:
        from ..networks.opening import network
        from ..networks.trainable.saved import read_weights
        from ..training.run_folder import RunFolder

        plan = self._plan
        weights = RunFolder(user_path(plan.model)).weights
        if weights.is_file():  # of a second phase the exported graph lacks what it does not look at
            return read_weights(weights)
        return network(plan.model, weights=plan.weights, sha256=plan.sha256)

    @cached_property
    def _phases(self) -> Phases:
        from .training import Phases

        plan = self._plan
        settings = plan.settings, plan.seed, plan.max_seconds, plan.clock, plan.device
        return Phases(plan.output, plan.datasets, *settings)

    @cached_property
    def _subject(self) -> Subject:
        from . import readout, subject

        plan = self._plan
        if plan.is_checkpoint:
            return subject.of_published(user_path(plan.model), plan.device)
        if plan.layer == HEAD:
            return readout.of_readout(self._network, plan.model, plan.device)
        if not plan.train:
            return subject.of_channels(self._network, plan.model, plan.layer, plan.device)
        found = self._network if self._done_before == TRAINED else self._phases.finished("reformulate")
        if found is None:
            raise UsageError("the network is not factorised yet: run the steps factorize and reformulate first")
        return subject.of_factorized(found, plan.model, plan.device)

    def _factorize(self) -> None:
        from ..networks.trainable.base import TrainableNetwork

        if not isinstance(self._network, TrainableNetwork):
            raise UsageError(f"'{self._plan.model}' is no network that salbox can train: give --no-train")
        self._phases.factorize(self._network, self._plan.bases, self._progress, self._exported())

    def _exported(self) -> Path | None:
        """Return the file that the network came from, if it is one of salbox's."""
        from ..models.loading import weights_path

        try:
            found = weights_path(self._plan.model, self._plan.weights, self._plan.sha256)
        except SalboxError:  # a network with first weights, which is no model yet
            return None
        return found if found is not None and found.suffix == ".onnx" else None

    def _reformulate(self) -> None:
        first = self._network if self._done_before else self._phases.finished("factorize")
        assert first is not None  # noqa: S101  # the step before has made it
        self._phases.reformulate(first, self._progress)

    def _thresholds(self) -> None:
        if self._is_done("thresholds"):
            return
        total, images = self._threshold_images()
        found = thresholds(self._subject, images, total, self._plan.kept, self._progress)
        write_table(found, self._plan.output / "thresholds.parquet")

    def _threshold_images(self) -> tuple[int, Iterator[Pixels]]:
        """Return the photos that validate, or, where there is no data set to learn from, those of the concepts."""
        if not self._plan.datasets:
            return len(self._photos), self._readable((self._photos.pixels, i) for i in range(len(self._photos)))
        from .training import validation_photos

        found = validation_photos(self._phases.plan("factorize"))
        return len(found), self._readable((data.pixels, i) for data, i in found)

    def _readable(self, photos: Iterable[tuple[Callable[[int], Pixels], int]]) -> Iterator[Pixels]:
        """Yield photos, each given by what reads it and its place; one that cannot be read is named."""
        for read, index in photos:
            try:
                yield read(index)
            except ImageError as error:
                self._progress.say(f"failed: {error}")

    def _dissect(self) -> None:
        if self._is_done("dissect"):
            return
        plan, photos, subject = self._plan, self._photos, self._subject
        vocabulary = self._vocabulary
        limits = self._out.thresholds["threshold"].to_numpy(np.float32)
        parts = dissect(subject, photos, vocabulary, limits, plan.output / "dissection", self._progress)
        table = mean_ious(parts, vocabulary, subject.count)
        write_json({"photos": [photos.name(i) for i in range(len(photos))]}, plan.output / "photos.json")
        write_table(table, plan.output / "dissection.parquet")
        best = best_concepts(table, parts, vocabulary, plan.kept)
        best["threshold"] = limits
        if (weights := subject.weights) is not None:
            # What channels of any scale add is said for a standard deviation of theirs.
            spread = 1.0 if subject.in_probabilities else self._out.thresholds["spread"].to_numpy(np.float32)
            best["weight"] = weights * spread
        write_table(best, plan.output / "bases.parquet")

    @cached_property
    def _vocabulary(self) -> Vocabulary:
        photos = self._photos
        annotated = (photos.concepts(i) for i in range(len(photos)))
        found = build_vocabulary(
            self._progress.track(annotated, len(photos), "names of what photos show"), self._plan.min_photos
        )
        path = self._plan.output / "vocabulary.parquet"
        if not path.exists():
            write_table(found.table(), path)
        return found

    def _contributions(self) -> None:
        plan, subject = self._plan, self._subject
        weights = self._out.bases["weight"].to_numpy(np.float32)
        table = contributions(
            self._out.parts, self._vocabulary, weights, top=plan.top, replicates=plan.replicates, seed=plan.seed
        )
        named = self._out.bases["is_named"].to_numpy(bool)
        step = max(1, len(self._photos) // EXPLAINED_PHOTOS)
        images = self._readable((self._photos.pixels, i) for i in range(0, len(self._photos), step))
        write_table(table, plan.output / "contributions.parquet")
        write_table(by_category(table, read_categories(plan.categories)), plan.output / "categories.parquet")
        summary = {
            "photos": len(self._photos),
            "concepts": len(self._vocabulary),
            "bases": subject.count,
            "named_bases": int(named.sum()),
            "explained_by_named": explained_share(subject, images, named),
            "top": plan.top,
            "replicates": plan.replicates,
        }
        write_json(summary, plan.output / "summary.json")

    def _report(self) -> None:
        # What the folder held before this run's tables is read anew.
        write_report(Explanation(self._plan.output), self._subject, self._photos, self._progress)
