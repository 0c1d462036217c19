"""What figures depend on beside the data: the code that computes them and the options that differ."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ..datasets import DATASETS
from ..imaging.postprocess import NOTHING, PostProcess
from ..models.cards import to_json
from ..models.exported import card_beside
from ..models.loading import code_paths, own_code, parts, weights_path
from ..models.weights import file_hash
from ..paths import user_path
from ..system.contents import path_digest
from ..system.identity import code_identity

# What every figure comes through: from the dataset and a row's map to the number.
_MEASURING = "salbox.evaluation.running"
_PACKAGE = "salbox."


def code_fingerprint(model: str | None, dataset: str | None = None) -> str:
    """Return a text that changes with the code that a figure comes from; see `salbox.system.identity`.

    Parameters
    ----------
    model : str, optional
        Its own code counts and its card's, of an ensemble that of all members, of a file the runtime.
    dataset : str, optional
        The code that reads it counts.

    Raises
    ------
    UnknownSource
        If there is no saying which state of somebody's own code runs.
    """
    paths = [] if model is None else [path for name in parts(model) for path in code_paths(name)]
    if dataset in DATASETS:
        paths.append(DATASETS[dataset].opener)
    modules = {path.partition(":")[0] for path in paths if path.startswith(_PACKAGE)}
    known = code_identity(_MEASURING, *sorted(modules))
    return known if model is None else "+".join(filter(None, [known, own_code(model)]))


def weights_hashes(model: str, loading: Mapping[str, Any]) -> dict[str, str]:
    """Return {model: sha256} of the files that a model, or an ensemble's members, take their weights from.

    Of another program's file also that of the card beside it, which its maps depend on as much.
    """
    given, pinned = loading.get("weights"), loading.get("sha256")
    found = {}
    for name in parts(model):
        weights = given.get(name) if isinstance(given, Mapping) else given
        sha256 = pinned.get(name) if isinstance(pinned, Mapping) else pinned
        if (path := weights_path(name, weights, sha256)) is not None:
            found[name] = file_hash(path)
        if (beside := card_beside(name)) is not None:
            found[f"{name} ({beside.name})"] = file_hash(beside)
    return found


def changed(postprocess: PostProcess) -> dict[str, Any]:
    """Return the post-processing options that differ from the defaults, ready for JSON.

    A path has a digest of what lies there behind it.
    """
    given = {field.name: getattr(postprocess, field.name) for field in fields(PostProcess)}
    return {
        name: _with_content(value) if name == "histogram_matching_reference" else to_json(value)
        for name, value in given.items()
        if type(value) is not type(default := getattr(NOTHING, name)) or value != default
    }


def _with_content(reference: Any) -> Any:
    if not isinstance(reference, (str, os.PathLike)):
        return to_json(reference)
    return f"{os.fspath(reference)} (content {path_digest(user_path(reference))[:12]})"
