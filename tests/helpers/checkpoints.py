"""Weights for the tests of models that come without: the published files where they are at hand, or generated ones."""

from __future__ import annotations

import atexit
import os
import tempfile
from functools import cache
from pathlib import Path

import pytest

PUBLISHED = {
    "fastgaze": "fastgaze/fastgaze_fp32.npz",
    "attention-center": "attention-center/center_fp32.npz",
    "glimpse": "glimpse/saliency.onnx",
}


@cache
def checkpoint(name: str) -> Path:
    """Return a file of weights for a model; skips the test where there is none, or no torch to read it."""
    if name != "glimpse":
        pytest.importorskip("torch")
    if name in PUBLISHED:
        default = Path(__file__).resolve().parents[3] / "shared"
        path = Path(os.environ.get("SALBOX_SHARED", default)) / "weights" / PUBLISHED[name]
        if not path.is_file():
            pytest.skip("the published weights are not beside this checkout (set SALBOX_SHARED to their folder)")
        return path
    return _kdsalbox()


@cache
def _kdsalbox() -> Path:
    """Return a checkpoint in KDSalBox's layout with seeded random numbers: a shape to read, nothing learned."""
    import torch

    from salbox.networks.kdsalbox.network import KDSalBox

    torch.manual_seed(0)
    network = KDSalBox(("map",))
    folder = tempfile.TemporaryDirectory(prefix="salbox-test-", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    path = Path(folder.name) / "student.pth"
    torch.save({"student_model": network.state_dict()}, path)
    return path
