"""A plan from what a command line is given: names, folders, texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast, get_args

from ..errors import UsageError, nearest
from ..imaging.inputs import ImageFile, find_images
from ..imaging.postprocess import NOTHING, PostProcess
from ..models.loading import card
from ..prediction.images import folder_name
from ..types import Output
from .plan import HeadTarget
from .teachers.maps_folder import TeacherMaps
from .teachers.teacher import Teacher

# What a student is trained by if no recipe is named.
RECIPES = {
    "kdsalbox": "kdsalbox-code",
    "resnet18-a": "resnet18-kd",
    "resnet18-b": "resnet18-kd",
    "scfnet": "kd-scfnet",
}
DEFAULT_RECIPE = "box"

_FLIPS = {"none": (), "h": ("h",), "v": ("v",), "hv": ("h", "v")}


def recipe_name(recipe: str | None, student: str | None) -> str:
    """Return the recipe that is meant: the one named, or else the student's."""
    return recipe if recipe is not None else RECIPES.get(student or "", DEFAULT_RECIPE)


def select_photos(
    folders: Sequence[str], *, recursive: bool, limit: int | None, seed: int, run: Path
) -> list[ImageFile]:
    """Return the photos to learn from, those in the run folder left out.

    Parameters
    ----------
    folders : texts
    recursive : bool
    limit : int, optional
        Take so many, chosen by a hash of their names and the seed: folders are often sorted by what they show.
    seed : int
    run : Path

    Raises
    ------
    UsageError
        If there are none, or `limit` is below 1.
    """
    found = find_images(folders, recursive=recursive, exclude=run)
    if limit is None:
        return found
    if limit < 1:
        raise UsageError(f"--limit {limit}: expected at least 1")

    def order(photo: ImageFile) -> str:
        text = f"{seed} {photo.output.as_posix()}".encode("utf-8", "surrogateescape")  # a name may be no UTF-8
        return hashlib.sha1(text, usedforsecurity=False).hexdigest()

    chosen = set(sorted(found, key=order)[:limit])
    return [photo for photo in found if photo in chosen]


def head_targets(
    models: Mapping[str, Mapping[str, Any]],
    maps: Iterable[str] = (),
    *,
    preprocess: PostProcess = NOTHING,
    map_flips: str = "none",
    maps_output: str | None = None,
) -> tuple[HeadTarget, ...]:
    """Return what the heads learn from, folders of maps first.

    Parameters
    ----------
    models : mapping
        Name -> keywords of `salbox.load`.
    maps : texts
        "DIR" or "NAME=DIR"; without a name the head is called as the model that made the maps, or as the folder.
    preprocess : PostProcess
        What is done to the models' maps first.
    map_flips : {"none", "h", "v", "hv"}
        How folders of maps may be mirrored with their photos.
    maps_output : {"score", "log_density", "probability"}, optional
        What the numbers of those maps are, where their files do not say it.

    Raises
    ------
    UsageError
        If a folder holds no maps, or for an output that there is not.
    """
    if map_flips not in _FLIPS:
        raise UsageError(f"--map-flips '{map_flips}'{nearest(map_flips, _FLIPS)} (one of {', '.join(_FLIPS)})")
    known = get_args(Output)
    if maps_output not in (None, *known):
        raise UsageError(f"--maps-output '{maps_output}'{nearest(str(maps_output), known)} (one of {', '.join(known)})")
    targets = []
    for text in maps:
        name, equals, path = text.partition("=")
        if not equals or "/" in name:
            name, path = "", text
        folder = TeacherMaps(path).folder
        targets.append(
            HeadTarget(
                name or _maps_name(folder),
                maps=folder,
                flips=_FLIPS[map_flips],
                output=cast("Output | None", maps_output),
            )
        )
    for model, arguments in models.items():
        targets.append(HeadTarget(folder_name(card(model).name), Teacher(model, dict(arguments), preprocess)))
    return tuple(targets)


def histogram_matched(preprocess: PostProcess) -> PostProcess:
    """Return the preprocessing of KDSalBox's appendix A: maps matched to the histogram of human fixation densities.

    Raises
    ------
    UsageError
        If another matching was asked for.
    """
    from dataclasses import replace

    if preprocess.histogram_matching not in ("none", "biased"):
        raise UsageError("--histogram-matched and --pre-histogram-matching ask for two things; give one")
    return replace(preprocess, histogram_matching="biased")


def _maps_name(folder: Path) -> str:
    record = TeacherMaps(folder).record.get("teacher", {})
    return str(record.get("model") or folder.resolve().name)
