"""What figures depend on beside the data: the code that computes them and the options that differ."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from .. import saved
from ..ensembles import is_ensemble, members
from ..postprocess import NOTHING, PostProcess
from ..registry import MODELS, card, stand_in
from ..weights import file_hash, find_weights

_PACKAGE = Path(__file__).resolve().parents[1]

# Where every figure comes through.
_MEASURING = ("metrics", "datasets", "evaluation/truth.py", "evaluation/maps.py", "evaluation/sources.py")
_FLOOR = ("image.py", "model.py", "postprocess.py", "histograms.py", "scaling.py")


@cache
def code_fingerprint(model: str | None) -> str:
    """Return a text that changes with the code that a figure comes from.

    The version alone would let figures of an older state of a checkout pass for new ones.

    Parameters
    ----------
    model : str, optional
        Of its package every file counts but those of other models: their modules, and data named `<model>_...`. Of
        an ensemble the packages of all members count, of a file the runtime.
    """
    places = [*_MEASURING, *_FLOOR]
    others: set[str] = set()
    if model is not None:
        own = {_file_of(name) for name in _parts(model)}
        places += sorted({file.parent.relative_to(_PACKAGE).as_posix() for file in own})
        others = {_file_of(name).stem for name in MODELS} - {file.stem for file in own}
    digest = hashlib.sha256()
    for place in places:
        path = _PACKAGE / place
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc" and file.stem.partition("_")[0] not in others:
                digest.update(file.relative_to(_PACKAGE).as_posix().encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def weights_hashes(model: str, loading: Mapping[str, Any]) -> dict[str, str]:
    """Return {model: sha256} of the files that a model, or an ensemble's members, take their weights from."""
    given, pinned = loading.get("weights"), loading.get("sha256")
    found = {}
    for name in _parts(model):
        if name not in MODELS:
            found[name] = file_hash(saved.model_file(name))
        elif MODELS[name].packaged:
            found[name] = file_hash(saved.model_file(saved.packaged(MODELS[name].packaged)))
        elif MODELS[name].network:
            weights = given.get(name) if isinstance(given, Mapping) else given
            sha256 = pinned.get(name) if isinstance(pinned, Mapping) else pinned
            found[name] = file_hash(
                find_weights(name, weights, sha256, card(name).weights_from, stand_in=stand_in(name))
            )
    return found


def _parts(model: str) -> list[str]:
    return list(members(model)) if is_ensemble(model) else [model]


def _file_of(model: str) -> Path:
    entry = MODELS.get(model)
    if entry is None or not (entry.function or entry.network):
        return _PACKAGE / "students" / "student.py"
    module = (entry.function or entry.network).partition(":")[0]
    return _PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")


def changed(postprocess: PostProcess) -> dict[str, Any]:
    """Return the post-processing options that differ from the defaults, ready for JSON."""
    given, default = asdict(postprocess), asdict(NOTHING)
    return {
        name: value if isinstance(value, (str, int, float, bool)) else str(value)
        for name, value in given.items()
        if value != default[name]
    }
