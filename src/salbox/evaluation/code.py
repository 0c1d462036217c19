"""What figures depend on beside the data: the code that computes them and the options that differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ..imaging.postprocess import NOTHING, PostProcess
from ..models.ensembles import is_ensemble, members
from ..models.entries import Packaged
from ..models.loading import weights_path
from ..models.registry import MODELS
from ..models.weights import file_hash
from ..system.identity import code_identity

# What every figure comes through: from the dataset and a row's map to the number.
_MEASURING = "salbox.evaluation.running"


def code_fingerprint(model: str | None) -> str:
    """Return a text that changes with the code that a figure comes from; see `salbox.system.identity`.

    Parameters
    ----------
    model : str, optional
        Its own code counts, of an ensemble that of all members, of a file the runtime.
    """
    own = () if model is None else sorted({_module_of(name) for name in _parts(model)})
    return code_identity(_MEASURING, *own)


def weights_hashes(model: str, loading: Mapping[str, Any]) -> dict[str, str]:
    """Return {model: sha256} of the files that a model, or an ensemble's members, take their weights from."""
    given, pinned = loading.get("weights"), loading.get("sha256")
    found = {}
    for name in _parts(model):
        weights = given.get(name) if isinstance(given, Mapping) else given
        sha256 = pinned.get(name) if isinstance(pinned, Mapping) else pinned
        if (path := weights_path(name, weights, sha256)) is not None:
            found[name] = file_hash(path)
    return found


def _parts(model: str) -> list[str]:
    return list(members(model)) if is_ensemble(model) else [model]


def _module_of(model: str) -> str:
    code = MODELS[model].code if model in MODELS else Packaged.code  # a path: what runs files of salbox
    return code.partition(":")[0]


def changed(postprocess: PostProcess) -> dict[str, Any]:
    """Return the post-processing options that differ from the defaults, ready for JSON."""
    given, default = asdict(postprocess), asdict(NOTHING)
    return {
        name: value if isinstance(value, (str, int, float, bool)) else str(value)
        for name, value in given.items()
        if value != default[name]
    }
