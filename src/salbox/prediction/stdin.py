"""One image through standard input and output: what commands share that take "-", and what `salbox predict -` does."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
    if to_output and (len(plan.models) != 1 or plan.overlay is not None):
        raise UsageError("standard output holds one map: give one model, and no --overlay")
    with streamed(inputs, to_output=to_output) as one:
        here = BatchPlan(**{**vars(plan), "folder": one.folder / "maps"}) if to_output else plan
        outcome = process_image(one.image, here.pipelines(), here)
        if to_output:
            write_output(outcome.written)
    for path, difference in outcome.otherwise.items():
        raise UsageError(
            f"{path}: was made otherwise ({difference}); make it again with --overwrite, or choose another folder"
        )
    one.raise_first(outcome.failures)


@dataclass(frozen=True)
class StreamedImage:
    """One image that comes from a file or from standard input.

    Attributes
    ----------
    image : ImageFile
        Where it is while the block of `streamed` runs.
    folder : Path
        A temporary one, gone after the block, for what goes to standard output.
    """

    image: ImageFile
    folder: Path

    @property
    def source(self) -> Path:
        """What it is called: "stdin", or its path."""
        return Path(STANDARD_INPUT) if self.image.path.parent == self.folder else self.image.path

    def named(self, text: str) -> str:
        """Return a message with what the image is called in the place of where it is."""
        return text.replace(str(self.image.path), str(self.source))

    def raise_first(self, failures: Sequence[str]) -> None:
        """Raise an ImageError of the first failure, if there is one."""
        for failure in failures:
            raise ImageError(self.named(failure))


@contextmanager
def streamed(inputs: Sequence[str], *, to_output: bool) -> Iterator[StreamedImage]:
    """Yield the one image of a command that reads standard input ("-") or writes standard output.

    Raises
    ------
    UsageError
        If there is more than one image, standard input is closed, or standard output, where that is written to.
    ImageError
        If standard input holds more than an image can.
    """
    if len(inputs) != 1:
        raise UsageError("'-' stands for one image: give no other input")
    if to_output and sys.stdout is None:
        raise UsageError("standard output is closed")
    with tempfile.TemporaryDirectory() as name:
        folder, source = Path(name), Path(inputs[0])
        if inputs[0] == "-":
            source = folder / STANDARD_INPUT
            source.write_bytes(read_input())
        yield StreamedImage(ImageFile(source, Path(source.stem)), folder)


def write_output(paths: Iterable[Path]) -> None:
    """Write files to standard output."""
    for path in paths:
        sys.stdout.buffer.write(path.read_bytes())
    sys.stdout.buffer.flush()


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
