"""An experiment: which teachers, which photos, and where everything goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import UsageError, one_line
from ..evaluation.code import changed
from ..imaging.inputs import ImageFile, find_images
from ..imaging.postprocess import PostProcess
from ..imaging.writing import atomic
from ..models.exported import is_path
from ..models.loading import card
from ..models.specs import parse_models
from ..prediction.images import folder_name
from ..training.recipe import Recipe
from ..training.run_folder import RunFolder
from .file import ReadFile

_RECORD = "experiment.json"


@dataclass(frozen=True)
class Taught:
    """A model of an experiment, and where its maps come from.

    Attributes
    ----------
    name : str
        What it is called in tables, and its folders.
    model : str, optional
        What `salbox.load` takes; None where its maps are on disk.
    arguments : dict, optional
        Keywords of `salbox.load`.
    maps, test_maps : Path, optional
        The folders of its maps of the photos to learn from, and to test on; None where it is run.
    """

    name: str
    model: str | None = None
    arguments: dict[str, Any] | None = None
    maps: Path | None = None
    test_maps: Path | None = None


@dataclass(frozen=True)
class Experiment:
    """What is to be done.

    Attributes
    ----------
    name : str
    folder : Path
        Where everything goes.
    models : tuple of Taught
    photos : tuple of ImageFile
        To learn from.
    recipe : Recipe
    pre, post : PostProcess
        What is done to the teachers' maps, and to the students'.
    init : str, optional
        First weights of the students' encoders; see `salbox.distillation.plan.Plan`.
    test, run : tuple of ImageFile, optional
        The photos to test on, by default those of `photos` that nobody learned from; and those to write maps of.
    workers : int, optional
        Processes; by default as the cores allow.
    device : str
        Where networks compute.
    """

    name: str
    folder: Path
    models: tuple[Taught, ...]
    photos: tuple[ImageFile, ...]
    recipe: Recipe
    pre: PostProcess
    post: PostProcess
    init: str | None = None
    test: tuple[ImageFile, ...] | None = None
    run: tuple[ImageFile, ...] | None = None
    workers: int | None = None
    device: str = "cpu"

    def student(self, model: Taught) -> RunFolder:
        """Return the run folder of a model's student."""
        return RunFolder(self.folder / "students" / model.name)

    def teacher_maps(self, kind: str) -> Path:
        """Return the folder for teachers' maps of the photos of a kind, a folder a model in it."""
        return self.folder / "teachers" / kind

    def claim(self) -> None:
        """Begin the experiment in a new folder, or make sure that the folder holds it; models may have been added.

        Raises
        ------
        UsageError
            If the folder holds another experiment, with the first thing that differs.
        """
        path = self.folder / _RECORD
        there, now = _read(path), self._facts()
        if there:
            # A recipe of an earlier release lacks the keys that came since.
            names = [name for name in {**now, **there} if name in there or not name.startswith("recipe.")]
            name = next((name for name in names if there.get(name) != now.get(name)), None)
            if name is not None:
                before, wanted = (one_line(facts.get(name), 80) for facts in (there, now))
                raise UsageError(
                    f"{self.folder}: holds an experiment with another {name} ({before} there, {wanted} now); choose "
                    "another name or folder"
                )
        with atomic(path) as temporary:
            temporary.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")

    def _facts(self) -> dict[str, Any]:
        """Return what all students depend on beside photos and maps, by the file's keys; ready for JSON."""
        recipe = {f"recipe.{key}": value for key, value in self.recipe.model_dump(mode="json").items()}
        return {**recipe, **{f"pre.{key}": value for key, value in changed(self.pre).items()}, "init": self.init}


def read_experiment(
    path: Path, folder: Path | None = None, *, workers: int | None = None, device: str = "cpu"
) -> Experiment:
    """Return the experiment that a file describes.

    Parameters
    ----------
    path : Path
    folder : Path, optional
        Where everything goes; by default a folder of the experiment's name beside the file.
    workers : int, optional
    device : str

    Raises
    ------
    UsageError
        If a key, a value, a model or a folder does not exist or does not fit; in one line.
    """
    read = ReadFile(path)
    keys = read.keys
    folder = path.parent / read.name if folder is None else folder
    return Experiment(
        name=read.name,
        folder=folder,
        models=tuple(_models(read, device)),
        photos=_photos(read, keys.images, folder),
        recipe=read.recipe,
        pre=read.pre,
        post=read.post,
        init=read.init,
        test=None if keys.test.images is None else _photos(read, keys.test.images, folder),
        run=None if keys.run is None else _photos(read, keys.run, folder),
        workers=workers,
        device=device,
    )


def _photos(read: ReadFile, text: str, folder: Path) -> tuple[ImageFile, ...]:
    """Return the photos of a folder with those below it; what the experiment itself wrote is left out."""
    if not read.place(text).is_dir():
        raise read.error(f"{read.place(text)}: no such folder")
    try:
        return tuple(find_images([str(read.place(text))], recursive=True, exclude=folder))
    except UsageError as error:
        raise read.error(str(error)) from None


def _models(read: ReadFile, device: str) -> Sequence[Taught]:
    maps = read.keys.maps
    if maps is not None:
        tests = read.keys.test.maps or maps
        return [
            Taught(name, maps=read.maps_of(name, maps, "maps"), test_maps=read.maps_of(name, tests, "test.maps"))
            for name in read.models
        ]
    if read.keys.test.maps is not None:
        raise read.error("test.maps goes with maps: models that are run make their own maps of the photos to test on")
    names = [str(read.place(name)) if is_path(name) and read.place(name).exists() else name for name in read.models]
    try:
        chosen = parse_models(names, device=None if device == "cpu" else device)
        return [Taught(folder_name(card(name).name), name, arguments) for name, arguments in chosen.items()]
    except UsageError as error:
        raise read.error(str(error)) from None


def _read(path: Path) -> dict[str, Any]:
    """Return what an earlier run noted, {} if there is nothing."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read ({one_line(error)}); remove it, or choose another folder") from None
    if not isinstance(record, dict):
        raise UsageError(f"{path}: not what salbox writes there; remove it, or choose another folder")
    return record
