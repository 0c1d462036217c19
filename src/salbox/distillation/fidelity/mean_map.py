"""What a constant gets: the mean teacher maps of the training photos, kept beside a student, as a row of any table."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...errors import UsageError, one_line
from ...evaluation.code import code_fingerprint
from ...evaluation.sources import Scorer, score_map
from ...formats.npz import open_npz
from ...imaging.writing import atomic
from ...metrics.fidelity import HEIGHT, WIDTH
from ...types import Output
from .measure import CONSTANT

FILE = "fidelity-mean.npz"
MAX_BYTES = 64 * 2**20  # some two hundred heads


def write_means(run: Path, means: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write the mean teacher map of each head, (240, 320) in 0..1, into a run folder."""
    arrays: dict[str, Any] = {head: np.asarray(mean, np.float32) for head, mean in means.items()}
    with atomic(run / FILE, keep_suffix=True) as temporary:
        np.savez_compressed(temporary, **arrays)


def read_means(run: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Return the mean teacher map of each head that a run folder holds, (240, 320) float32; nothing if it has none.

    Raises
    ------
    UsageError
        If the file is broken.
    """
    path = run / FILE
    if not path.is_file():
        return {}
    means: dict[str, npt.NDArray[np.float32]] = {}
    with open_npz(path, "mean teacher maps", most=MAX_BYTES, error=UsageError) as stored:
        for head, array in stored.items():
            mean = array.read() if array.shape == (HEIGHT, WIDTH) else None
            if mean is None or mean.dtype != np.float32 or not np.isfinite(mean).all():
                raise UsageError(f"{path}: '{one_line(head, 80)}' is not a map of {WIDTH}x{HEIGHT}")
            means[head] = mean
    return means


@dataclass(frozen=True, eq=False)
class ConstantSource:
    """One map for every image, as a row of an evaluation (see `salbox.evaluation.sources`); `place` is its file."""

    mean: npt.NDArray[np.float32]
    place: str
    name: str = CONSTANT
    output: Output = "score"

    def settings(self) -> dict[str, Any]:
        """Return where the map is from, a fingerprint of it and of the code."""
        digest = hashlib.sha256(np.ascontiguousarray(self.mean).tobytes()).hexdigest()[:16]
        return {"maps": self.place, "constant": digest, "postprocess": {}, "code": code_fingerprint(None)}

    def covers(self, index: int) -> bool:
        """Return True."""
        return True

    def scorer(self) -> Scorer:
        """Return what scores one image."""
        return lambda truth, metrics: score_map(self.mean, self.output, truth, metrics)
