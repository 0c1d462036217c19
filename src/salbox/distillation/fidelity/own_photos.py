"""A student's fidelity on anybody's own photos: which teacher, on which image, and what a constant gets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...datasets import Dataset
from ...errors import UsageError
from ...evaluation import Evaluation
from ...evaluation.maps import map_folders
from ...evaluation.sources import MapSource, ModelSource
from ...imaging.scaling import REFERENCE_SIZE
from ...metrics.fidelity import fidelity_cc
from ...models.ensembles import is_ensemble, members
from ...models.loading import card
from ...models.registry import CLASSICAL, MODELS
from ...paths import user_path
from .mean_map import FILE, ConstantSource, read_means
from .measure import CONSTANT, worse_line


def model_teacher(name: str, arguments: Mapping[str, Mapping[str, Any]], longest_side: int | None) -> ModelSource:
    """Return a model as the teacher.

    Parameters
    ----------
    name : str
        As `salbox.load` takes it, of a network with several heads one (`PATH#head`).
    arguments : mapping
        Name -> keywords of `salbox.load`.
    longest_side : int, optional
        Of the image that it sees; 0 as it is. By default the reference size for the classical algorithms, which their
        students imitate there, and the image as it is for others.

    Raises
    ------
    UsageError
        If it is several models, or none.
    """
    if name not in arguments:
        card(name)  # says of several heads, or of an unknown name, what to do
        raise UsageError(f"--teacher '{name}': expected one model")
    parts = members(name) if is_ensemble(name) else [name]
    at_reference = longest_side is None and all(part in CLASSICAL for part in parts)
    source = ModelSource(name, arguments[name])
    return replace(source, longest_side=(REFERENCE_SIZE if at_reference else longest_side) or None)


def maps_teacher(folder: Path, data: Dataset) -> MapSource:
    """Return a folder of maps, named as the images, as the teacher.

    Raises
    ------
    UsageError
        If it holds no map of an image, or those of several models.
    """
    folders = map_folders(user_path(folder), data)
    if len(folders) > 1:
        raise UsageError(f"{folder}: maps of several models; name one of {', '.join(f.name for f in folders)}")
    return MapSource(folders[0])


def worse_than_constant(table: Evaluation) -> list[str]:
    """Return a line for each row of a table whose fidelity is below that of the constant's row, if there is one."""
    measured = {row: table.estimate(row, fidelity_cc.__name__) for row in table.rows}
    constant = measured.pop(CONSTANT, None)
    if constant is None:
        return []
    found = {row: estimate.value for row, estimate in measured.items() if estimate is not None}
    return [worse_line(row, value, constant.value) for row, value in found.items() if value < constant.value]


def constant_rows(students: Iterable[str], teacher: str) -> list[ConstantSource]:
    """Return the row of the mean teacher map of the training photos, if a student is a run folder that holds it.

    Parameters
    ----------
    students : names
        Those that are run folders are looked into in turn.
    teacher : str
        Which head's mean is meant where there are several; of `PATH#head` it is this head's.
    """
    for student in students:
        path, _, head = student.partition("#")
        folder = user_path(path)
        folder = folder if folder.is_dir() else folder.parent
        means = {} if student in MODELS or is_ensemble(student) else read_means(folder)
        for wanted in (teacher, head, *means):
            if wanted in means and (wanted in (teacher, head) or len(means) == 1):
                return [ConstantSource(means[wanted], f"{folder / FILE}, {wanted}")]
    return []
