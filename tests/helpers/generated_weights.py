"""Checkpoints in the authors' layouts, filled by the rule that the oracles of the architectures were made with."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np


@lru_cache(maxsize=1)
def generator(shared: Path):
    spec = importlib.util.spec_from_file_location("generate", shared / "architectures" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.generate


def facts_of(shared: Path, name: str) -> dict:
    return json.loads((shared / "architectures" / f"{name}.json").read_text())


def arrays_of(shared: Path, name: str) -> dict[str, np.ndarray]:
    with np.load(shared / "architectures" / f"{name}.npz") as archive:
        return dict(archive)


def generated(
    shared: Path, facts: dict, exception: Callable[[str, np.ndarray, np.random.Generator], np.ndarray]
) -> dict[str, np.ndarray]:
    """Return every array of a network; `exception(key, values, rng)` gives the values that a rule's exceptions ask for.

    rng is the generator of that key, at its start.
    """
    import zlib

    generate = generator(shared)
    arrays = {}
    for key, shape, kind in facts["keys"]:
        rng = np.random.default_rng(zlib.crc32(key.encode()))
        values = np.asarray(exception(key, generate(key, shape, kind), rng))
        arrays[key] = values.astype(kind if kind.startswith("int") else "float32").reshape(shape)
    return arrays


def saved_every(arrays: dict[str, np.ndarray], tag: str, found: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what was found and what the oracle keeps of it: every n-th row and column."""
    stride = int(arrays[f"{tag}__output__stride"].item())
    kept = found[..., ::stride, ::stride]
    return kept, arrays[f"{tag}__output"].reshape(kept.shape)
