"""What verbs share that make something of each of many images: outputs apart, and what is to be said of one."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ImageWarning, UsageError
from ..imaging.inputs import ImageFile
from ..prediction.images import memory_errors_named

MORE_MEMORY = "a smaller copy of the image needs less"


@contextmanager
def noted(path: Path) -> Iterator[list[str]]:
    """Yield the notes on an image: what is warned of in the block is in them when it ends.

    Raises
    ------
    SalboxError
        If memory runs out in the block.
    """
    notes: list[str] = []
    with memory_errors_named(path, MORE_MEMORY), warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always", ImageWarning)
        yield notes
    notes += dict.fromkeys(str(each.message) for each in raised)


def refuse_shared_outputs(images: Iterable[ImageFile]) -> None:
    """Raise a UsageError if two images would be given one output."""
    taken: dict[Path, Path] = {}
    for image in images:
        other = taken.setdefault(image.output, image.path)
        if other != image.path:
            raise UsageError(f"{other} and {image.path} would both be written as '{image.output}'; run them apart")
