"""What figures depend on beside the data: the code that computes them and the options that differ."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from ..postprocess import NOTHING, PostProcess
from ..registry import MODELS

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
        Of its package every file counts but those of other models: their modules, and data named `<model>_...`.
    """
    places = [*_MEASURING, *_FLOOR]
    others: set[str] = set()
    if model is not None:
        places.append(_file_of(model).parent.relative_to(_PACKAGE).as_posix())
        others = {_file_of(name).stem for name in MODELS} - {_file_of(model).stem}
    digest = hashlib.sha256()
    for place in places:
        path = _PACKAGE / place
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.is_file() and file.suffix != ".pyc" and file.stem.partition("_")[0] not in others:
                digest.update(file.relative_to(_PACKAGE).as_posix().encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _file_of(model: str) -> Path:
    module = MODELS[model].function.partition(":")[0]
    return _PACKAGE.joinpath(*module.split(".")[1:]).with_suffix(".py")


def changed(postprocess: PostProcess) -> dict[str, Any]:
    """Return the post-processing options that differ from the defaults, ready for JSON."""
    given, default = asdict(postprocess), asdict(NOTHING)
    return {
        name: value if isinstance(value, (str, int, float, bool)) else str(value)
        for name, value in given.items()
        if value != default[name]
    }
