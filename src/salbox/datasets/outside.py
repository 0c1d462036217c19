"""Fixations that lie outside their image: how many, and when that says that positions are read in the wrong way."""

from __future__ import annotations

from ..errors import UsageError
from .dataset import Dataset

# Shares of all fixations, salbox's own choice. Of OSIE, EyeCrowd and MIT1003 as published less than one in 10,000 lies
# outside; positions with rows first, in degrees or of another screen are outside by tens of per cent.
NOTED, REFUSED = 0.02, 0.10


def outside_note(data: Dataset, *, refused: bool = True) -> str:
    """Return a note if more than `NOTED` of the fixations read so far lie outside their image, else "".

    Parameters
    ----------
    data : Dataset
    refused : bool
        Whether more than `REFUSED` are an error, unless the dataset was opened with `allow_outside`.

    Raises
    ------
    UsageError
        If they are.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from salbox.datasets import open_dataset
    >>> from salbox.datasets.outside import outside_note
    >>> path = Path(tempfile.mkdtemp())
    >>> for part in ("images", "fixations"):
    ...     (path / part).mkdir()
    >>> Image.new("RGB", (8, 6)).save(path / "images/a.png")
    >>> _ = (path / "fixations/a.csv").write_text("x,y\\n3,2\\n9,2\\n")
    >>> data = open_dataset(f"folder:{path}", allow_outside=True)
    >>> data.fixations(0).x.tolist(), data.outside(0)
    ([3.0], 1)
    >>> outside_note(data)[:54]
    '1 of 2 fixations (50 %) lie outside their image and we'
    """
    read = [(len(data.fixations(index)), data.outside(index)) for index in data.fixations_read]
    outside = sum(count for _, count in read)
    total = sum(inside for inside, _ in read) + outside
    if outside <= NOTED * total:
        return ""
    of_images = "" if len(read) == len(data) else f" of {len(read)} images looked at"
    text = (
        f"{outside:,} of {total:,} fixations{of_images} ({100 * outside / total:.0f} %) lie outside their image and "
        "were left out; is this the dataset, and are positions x, y in pixels from the top left?"
    )
    if refused and outside > REFUSED * total and not data.allow_outside:
        raise UsageError(
            f"{data.card.name}:{data.path}: {text} If so, --allow-outside (in Python "
            "open_dataset(..., allow_outside=True)) measures on the others"
        )
    return text
