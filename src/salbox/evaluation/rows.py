"""The rows of a table as a command line or a program names them: models, and folders of maps."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast, get_args

from ..datasets import Dataset
from ..errors import UsageError, nearest
from ..imaging.postprocess import PostProcess
from ..models.specs import AnyModel, as_models, expanded, split_names
from ..paths import user_path
from ..types import Output
from .maps import map_folders
from .sources import MapSource, ModelSource, Source

OUTPUTS: tuple[str, ...] = get_args(Output)

AnySource: TypeAlias = "AnyModel | Source"
"""What `evaluate` takes as rows."""


def rows_of(given: AnySource | Iterable[AnySource]) -> list[Source]:
    """Return the rows that models and sources stand for, in this order.

    Raises
    ------
    UsageError
        If something is neither a model nor a source.
    """
    rows: list[Source] = []
    is_one = isinstance(given, (str, os.PathLike)) or callable(given) or hasattr(given, "scorer")
    for each in cast("Iterable[AnySource]", [given] if is_one else given):
        if hasattr(each, "scorer"):
            rows.append(cast(Source, each))
        else:
            rows += [ModelSource(m) if isinstance(m, str) else ModelSource.of(m) for m in as_models(each)]
    return rows


def check_names(rows: Iterable[Source]) -> None:
    """Raise a UsageError if two rows would be called the same."""
    for name, count in Counter(source.name for source in rows).items():
        if count > 1:
            raise UsageError(f"two rows would be called '{name}'; measure one by itself, or rename the folder of maps")


def known_output(text: str | None) -> Output | None:
    """Return what the numbers of maps are; None if that is left to what their files say.

    Raises
    ------
    UsageError
        If there is no such output; the nearest is proposed.
    """
    if text is None:
        return None
    if text not in OUTPUTS:
        raise UsageError(f"--maps-output '{text}'{nearest(text, OUTPUTS)} (one of {', '.join(OUTPUTS)})")
    return cast(Output, text)


def model_rows(
    models: Iterable[str],
    maps: Iterable[Path],
    maps_output: str | None,
    data: Dataset,
    parameters: Mapping[str, Mapping[str, Any]],
    postprocess: PostProcess,
) -> list[ModelSource | MapSource]:
    """Return the rows that names of models and folders of maps stand for, in this order.

    Parameters
    ----------
    models : texts
        Each one name or several separated by commas.
    maps : folders
    maps_output : {"score", "log_density", "probability"}, optional
        What the maps' numbers are; by default what their files say, a score if they say nothing.
    data : Dataset
        Whose images the maps are matched with.
    parameters : mapping
        Name -> keywords of `salbox.load`; see `salbox.models.specs.parse_models`.
    postprocess : PostProcess
    """
    output = known_output(maps_output)
    named = expanded(split_names(models))
    rows: list[ModelSource | MapSource] = [ModelSource(name, parameters[name], postprocess) for name in named]
    for folder in maps:
        found = map_folders(user_path(folder), data)
        rows += [MapSource(matched, output, postprocess) for matched in found]
    return rows
