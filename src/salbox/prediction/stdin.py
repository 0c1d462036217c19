"""One image through standard input and output: what `salbox predict -` does."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ..errors import ImageError, UsageError
from ..imaging.inputs import ImageFile
from .batch import BatchPlan, process_image

STANDARD_INPUT = "stdin"
_MAX_BYTES = 2**30  # of an image that is still packed


def predict_stream(inputs: Sequence[str], plan: BatchPlan) -> None:
    """Read one image from a file or standard input ("-") and write its map to a folder or standard output ("-").

    Raises
    ------
    UsageError
        If there is more than one image, or more than one model where only one map can be written; or if the map is
        there, made otherwise.
    ImageError
        If the image cannot be read.
    """
    to_output = str(plan.folder) == "-"
    if len(inputs) != 1:
        raise UsageError("'-' stands for one image: give no other input")
    if to_output and sys.stdout is None:
        raise UsageError("standard output is closed")
    if to_output and (len(plan.models) != 1 or plan.overlay is not None):
        raise UsageError("standard output holds one map: give one model, and no --overlay")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(inputs[0])
        if inputs[0] == "-":
            source = Path(folder) / STANDARD_INPUT
            source.write_bytes(read_input())
        image = ImageFile(source, Path(source.stem))
        if not to_output:
            outcome = process_image(image, plan.pipelines(), plan)
        else:
            here = BatchPlan(**{**vars(plan), "folder": Path(folder) / "maps"})
            outcome = process_image(image, here.pipelines(), here)
            for path in outcome.written:
                sys.stdout.buffer.write(path.read_bytes())
            sys.stdout.buffer.flush()
    for path, difference in outcome.otherwise.items():
        raise UsageError(
            f"{path}: was made otherwise ({difference}); make it again with --overwrite, or choose another folder"
        )
    for failure in outcome.failures:
        raise ImageError(failure.replace(str(source), STANDARD_INPUT) if inputs[0] == "-" else failure)


def read_input() -> bytes:
    """Return what standard input holds.

    Raises
    ------
    UsageError
        If it is closed.
    ImageError
        If it holds more than an image can.
    """
    if sys.stdin is None:
        raise UsageError("standard input is closed")
    content = sys.stdin.buffer.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise ImageError(f"{STANDARD_INPUT}: more than {_MAX_BYTES} bytes are no image")
    return content
