"""An experiment from its file to its page: each model trained, tested and run. What is finished is not done again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..distillation.distill import distill
from ..distillation.plan import Plan
from ..distillation.teachers.maps_folder import TeacherMaps
from ..distillation.teachers.teacher import map_folder
from ..errors import SalboxError, one_line
from ..imaging.inputs import ImageFile
from ..models.loading import card
from ..prediction.batch import BatchPlan, run_batch
from ..system.progress import SILENT, Progress
from ..training.run_folder import RunFolder
from .grid import draw_grid
from .plan import Experiment, Taught
from .results import GRID, Result, write_page, write_tables
from .teacher_maps import maps_of, target_of
from .testing import photos_to_test, test_student


@dataclass(frozen=True)
class ExperimentResult:
    """What came of the models, in their order, and which photos could not be run, a line each."""

    results: tuple[Result, ...]
    failures: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing failed."""
        return not self.failures and not any(each.error for each in self.results)


def run_experiment(experiment: Experiment, progress: Progress = SILENT) -> ExperimentResult:
    """Train, test and run each model of an experiment, and write its tables, pictures and page.

    A model that fails is a line in the tables, and the others go on. One that was stopped goes on where it was when the
    experiment is run again, and what is finished stays as it is.

    Raises
    ------
    KeyboardInterrupt
        If the run is interrupted; a training writes a checkpoint first.
    UsageError
        If the folder holds another experiment.
    """
    experiment.claim()
    results: list[Result] = []
    failures: list[str] = []
    for number, model in enumerate(experiment.models, start=1):
        progress.say(f"{model.name} ({number} of {len(experiment.models)})")
        try:
            result, failed = _one(experiment, model, progress)
            failures += failed
        except (SalboxError, MemoryError) as error:
            reason = one_line(error, 400) if isinstance(error, SalboxError) else "not enough memory"
            progress.say(f"failed: {model.name}: {reason}")
            result = Result(model.name, error=reason)
        results.append(result)
        write_tables(experiment.folder, results)
    done = [model for model, each in zip(experiment.models, results, strict=True) if each.tested is not None]
    photos = experiment.run or (photos_to_test(experiment, experiment.student(done[0])) if done else ())
    has_grid = draw_grid(experiment, done, photos, experiment.folder / GRID, progress)
    write_page(experiment, results, has_grid)
    return ExperimentResult(tuple(results), tuple(failures))


def _one(experiment: Experiment, model: Taught, progress: Progress) -> tuple[Result, list[str]]:
    """Return the figures of a model, and which photos its student could not be run on."""
    run = _train(experiment, model, progress)
    photos = photos_to_test(experiment, run)
    maps = _test_maps(experiment, model, photos, run, progress)
    tested = test_student(experiment, model, photos, maps, progress)
    failed = [] if experiment.run is None else _write_maps(experiment, model, experiment.run, progress)
    return Result(model.name, tested), failed


def _train(experiment: Experiment, model: Taught, progress: Progress) -> RunFolder:
    """Return the run folder of a model's student, which is trained if it was not."""
    recipe = experiment.recipe
    plan = Plan(
        photos=experiment.photos,
        run=experiment.student(model).path,
        targets=(target_of(experiment, model, progress),),
        recipe=recipe,
        init=experiment.init,
        max_seconds=None if recipe.max_minutes is None else 60 * recipe.max_minutes,
        workers=experiment.workers,
        device=experiment.device,
    )
    distill(plan, progress)
    return experiment.student(model)


def _test_maps(
    experiment: Experiment, model: Taught, photos: Sequence[ImageFile], run: RunFolder, progress: Progress
) -> TeacherMaps:
    """Return the teacher's maps of the photos to test on; of those that a run held out it has them already."""
    if experiment.test is None and model.model is not None:
        return TeacherMaps(map_folder(run.maps, card(model.model).name))
    return maps_of(experiment, model, photos, "test", progress)


def _write_maps(experiment: Experiment, model: Taught, photos: Sequence[ImageFile], progress: Progress) -> list[str]:
    """Write the maps of a model's student to `maps/<model>/<name>.png`; return a line for each photo that failed."""
    arguments = {} if experiment.device == "cpu" else {"device": experiment.device}
    student = str(experiment.student(model).path)
    plan = BatchPlan({student: arguments}, experiment.folder / "maps", postprocess=experiment.post)
    title = f"maps by the student of {model.name}"
    outcomes = list(progress.track(run_batch(photos, plan, experiment.workers), len(photos), title))
    # Of another post-processing or student: what the file says now counts.
    others = [photo for photo, outcome in zip(photos, outcomes, strict=True) if outcome.otherwise]
    if others:
        again = run_batch(others, replace(plan, overwrite=True), experiment.workers)
        outcomes += progress.track(again, len(others), title)
    return [failure for outcome in outcomes for failure in outcome.failures]
