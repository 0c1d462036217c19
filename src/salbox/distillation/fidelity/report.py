"""The fidelity report of a run: figures as JSON, CSV and Markdown, pictures of the best and of the worst."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from ...errors import SalboxError, UsageError, one_line
from ...imaging.writing import atomic
from ...metrics.fidelity import to_common_size
from ...models.model import Model
from ...system.progress import SILENT, Progress
from ...types import Output, Pixels
from ..teachers.maps_folder import Checked
from ._pictures import Example, draw_examples
from .mean_map import write_means
from .measure import PHOTOS, Compared, Fidelity, Pair, measure

if TYPE_CHECKING:
    from ...runtime.network import ExportedNetwork

NAME = "fidelity"
BEST, WORST = f"{NAME}-best.png", f"{NAME}-worst.png"
ROWS = 3  # examples of a head in each picture
_MOST_ROWS = 30  # of a picture with many heads

_BATCH = 8
_BATCH_PIXELS = 4_000_000  # photos as cameras take them go one by one: each head's map is as large as the photo


class Picture(Protocol):
    """One held-out picture: a `View` of the teachers, or anything that has its key, domain
    and pixels."""

    @property
    def key(self) -> str:
        """What its teacher maps are called."""
        ...

    @property
    def domain(self) -> str | None:
        """What was done to the photo; None: nothing."""
        ...

    def render(self) -> Pixels:
        """Return the picture, (H, W, 3) uint8."""
        ...


class Maps(Protocol):
    """A teacher's maps: `salbox.distillation.teachers.teacher.TeacherMaps`."""

    def check(self, keys: Iterable[str]) -> Checked:
        """Return which pictures have a good map, which a broken one, which none."""
        ...

    def read(self, key: str) -> npt.NDArray[np.float32]:
        """Return one map, (h, w) in 0..1."""
        ...


Predict = Callable[[Sequence[Pixels]], list[dict[str, npt.NDArray[Any]]]]


def write_report(
    run: Path,
    student: ExportedNetwork | Model,
    heads: Sequence[str],
    pictures: Iterable[Picture],
    teacher_maps: Mapping[str, Maps],
    mean_maps: Mapping[str, npt.NDArray[Any]],
    *,
    notes: Sequence[str] = (),
    rows: int = ROWS,
    progress: Progress = SILENT,
) -> Fidelity:
    """Write a student's fidelity on held-out pictures into a run folder, and return it.

    RUN/fidelity.json, .md (the table), .csv (a line for each picture and head), fidelity-best.png, fidelity-worst.png,
    and the mean maps in fidelity-mean.npz, from which `salbox evaluate -m RUN --teacher NAME` has the constant's row.
    Pictures are rendered, and maps read, a few at a time. A picture that a head has no map of is left out for this
    head; that, and what could not be read, is counted in the report.

    Parameters
    ----------
    run : Path
        Made if it is not there.
    student : ExportedNetwork or Model
        A model has one map, so it needs one head.
    heads : names
    pictures : iterable of Picture
        Held-out ones: none that the student saw.
    teacher_maps : mapping
        Head -> the teacher's maps, by the pictures' keys.
    mean_maps : mapping
        Head -> the mean of its teacher's maps of the training photos; see `mean_map` of `fidelity.measure`.
    notes : texts
        What else a reader of the table should know.
    rows : int
        Examples of each head in the two pictures.
    progress : Progress, optional
        Takes how many pictures are done.

    Raises
    ------
    UsageError
        If a head is unknown, no picture could be compared, or the folder cannot be written to.
    """
    predict = _predictor(student, heads)
    chosen = list(pictures)
    for head in heads:
        if head not in teacher_maps or head not in mean_maps:
            raise UsageError(f"head '{head}': its teacher's maps and their mean are needed for a fidelity report")
    reader = _Reader(predict, heads, teacher_maps, chosen)
    try:
        fidelity = measure(reader.pairs(chosen, progress), mean_maps)
    except UsageError as error:
        reasons = reader.notes()
        raise UsageError(f"{error}{f' ({reasons[0]})' if reasons else ''}") from None
    fidelity = replace(fidelity, notes=(*notes, *reader.notes(), *fidelity.worse_than_constant()))
    _write_tables(run, fidelity)
    write_means(run, {head: to_common_size(mean_maps[head]) for head in heads})
    _write_pictures(run, fidelity, chosen, reader, rows)
    return fidelity


class _Reader:
    """Maps of the student and the teachers for pictures, a batch at a time; what fails is noted."""

    def __init__(
        self, predict: Predict, heads: Sequence[str], teacher_maps: Mapping[str, Maps], pictures: Sequence[Picture]
    ) -> None:
        self._predict, self._heads, self._maps = predict, heads, teacher_maps
        keys = [picture.key for picture in pictures]
        # That there are maps of no held-out picture is as it should be: those are the training's.
        self._checked = {head: replace(teacher_maps[head].check(keys), unmatched=()) for head in heads}
        self._good = {head: frozenset(checked.good) for head, checked in self._checked.items()}
        self._failures: list[str] = []

    def pairs(self, pictures: Sequence[Picture], progress: Progress = SILENT) -> Iterator[Pair]:
        """Yield the pairs of maps of all heads, picture after picture."""
        done = 0
        for batch in self._batches(pictures):
            maps = self._predict([pixels for _, pixels in batch])
            for (picture, _), found in zip(batch, maps, strict=True):
                for head in self._heads:
                    if picture.key in self._good[head]:
                        teacher = self._maps[head].read(picture.key)
                        yield Pair(picture.key, head, found[head], teacher, picture.domain)
            done += len(batch)
            progress.update("fidelity", done, len(pictures))

    def examples(self, picture: Picture, one: Compared) -> Example:
        """Return a picture and its maps, to draw."""
        pixels = picture.render()
        (maps,) = self._predict([pixels])
        figures = f"CC {one.cc:.2f}, KL {one.kl:.2f} (constant: CC {one.constant_cc:.2f})"
        title = f"{one.head}  {one_line(one.key, 80)}: {figures}"
        return Example(title, pixels, self._maps[one.head].read(one.key), maps[one.head])

    def notes(self) -> list[str]:
        """Return what was left out, a line each."""
        lines = [f"{head}: {line}" for head, checked in self._checked.items() for line in checked.lines()]
        if self._failures:
            lines.append(f"{len(self._failures)} pictures could not be read: {'; '.join(self._failures[:3])}")
        return lines

    def _batches(self, pictures: Sequence[Picture]) -> Iterator[list[tuple[Picture, Pixels]]]:
        batch: list[tuple[Picture, Pixels]] = []
        for picture in pictures:
            if not any(picture.key in good for good in self._good.values()):
                continue
            try:
                batch.append((picture, picture.render()))
            except SalboxError as error:
                self._failures.append(str(error))
            size = sum(pixels.shape[0] * pixels.shape[1] for _, pixels in batch)
            if len(batch) == _BATCH or size >= _BATCH_PIXELS:
                yield batch
                batch = []
        if batch:
            yield batch


def _predictor(student: ExportedNetwork | Model, heads: Sequence[str]) -> Predict:
    """Return what gives the maps of a few images, of a log density exp of them."""
    if not heads:
        raise UsageError("no head to measure the fidelity of")
    if isinstance(student, Model):
        if len(heads) != 1:
            raise UsageError(f"model '{student.name}' has one map, not heads {', '.join(heads)}")
        output, (head,) = student.card.output, heads
        return lambda images: [{head: _no_logarithm(student(image), output)} for image in images]
    unknown = [head for head in heads if head not in student.heads]
    if unknown:
        raise UsageError(f"no head '{unknown[0]}' in this student (it has {', '.join(student.heads)})")

    def predict(images: Sequence[Pixels]) -> list[dict[str, npt.NDArray[Any]]]:
        found = student.maps(images, heads)
        return [{h: _no_logarithm(one[h], student.cards[h].output) for h in heads} for one in found]

    return predict


def _no_logarithm(saliency: npt.NDArray[Any], output: Output) -> npt.NDArray[Any]:
    """Return a log density as a density, anything else as it is: teacher and student are compared on one footing."""
    return np.exp(saliency.astype(np.float64)) if output == "log_density" else saliency


def _write_tables(run: Path, fidelity: Fidelity) -> None:
    texts = {
        "json": json.dumps(fidelity.to_dict(), indent=2) + "\n",
        "csv": fidelity.to_pandas(per_image=True).to_csv(index=False),
        "md": f"# Fidelity on held-out pictures\n\n{fidelity.to_markdown()}\n",
    }
    for suffix, text in texts.items():
        with atomic(run / f"{NAME}.{suffix}") as temporary:
            temporary.write_text(text, encoding="utf-8", errors="surrogateescape")  # a photo's name may be no UTF-8


def _write_pictures(run: Path, fidelity: Fidelity, pictures: Sequence[Picture], reader: _Reader, rows: int) -> None:
    # The pictures and maps of the few examples are made a second time, so that no others need be kept.
    by_name = {(picture.key, picture.domain or PHOTOS): picture for picture in pictures}
    heads = list(dict.fromkeys(one.head for one in fidelity.compared))
    rows = max(1, min(rows, _MOST_ROWS // len(heads)))
    for path, sign in ((run / BEST, -1), (run / WORST, 1)):
        extremes = [one for head in heads for one in _extremes(fidelity, head, sign)[:rows]]
        draw_examples([reader.examples(by_name[one.key, one.domain], one) for one in extremes], path)


def _extremes(fidelity: Fidelity, head: str, sign: int) -> list[Compared]:
    """Return a head's pictures by CC, rising if `sign` is 1; equal ones by name."""
    own = [one for one in fidelity.compared if one.head == head]
    return sorted(own, key=lambda one: (sign * one.cc, one.key, one.domain))
