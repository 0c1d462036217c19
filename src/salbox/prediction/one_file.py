"""A map that goes to a file of a name that was given, in the place of a folder of maps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import UsageError
from ..imaging.writing import FORMATS, suffix
from ..paths import user_path

_SAME = {".jpeg": ".jpg", ".tif": ".tiff"}  # endings that stand for those of `suffix`


def file_format(output: Path, asked: str | None) -> str | None:
    """Return the format of a map that goes to a file; None if the output is a folder of maps.

    Parameters
    ----------
    output : Path
        It is a file if it ends as one of a map does and no folder of this name is there.
    asked : str, optional
        The format that was asked for; by default the first that has this ending.

    Raises
    ------
    UsageError
        If a file of another format has this ending.

    Examples
    --------
    >>> from pathlib import Path
    >>> from salbox.prediction.one_file import file_format
    >>> file_format(Path("map.tif"), None), file_format(Path("map.png"), "png16"), file_format(Path("maps"), "png")
    ('tiff', 'png16', None)
    """
    ending = output.suffix.lower()
    formats = [name for name in FORMATS if suffix(name) == _SAME.get(ending, ending)]
    if not formats or output.is_dir():
        return None
    if asked is not None and asked not in formats:
        raise UsageError(
            f"{output}: such a file is {' or '.join(formats)}, not {asked}; name a folder, or another file"
        )
    return asked or formats[0]


def check_single(output: Path, images: Sequence[Path], videos: int, models: int) -> None:
    """Raise a UsageError unless one image and one model give one map, and the file is not the image itself."""
    if (len(images), videos, models) != (1, 0, 1):
        raise UsageError(
            f"{output} is one file, for one map: give one image and one model, or name a folder "
            f"(there are {len(images)} images, {videos} videos, {models} models)"
        )
    if images[0].resolve() == user_path(output).resolve():
        raise UsageError(f"{output} is the image itself: name another file")
