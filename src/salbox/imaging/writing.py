"""Writing: saliency maps as pictures or numbers, files that are never half-written."""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin

from ..errors import UsageError, nearest
from ..types import FloatMap
from .scaling import min_max

JPEG_QUALITY = 95
PNG_COMPRESSION = 3  # half the time of Pillow's default for a few per cent more bytes
_TIFF_IMAGE_DESCRIPTION = 270


def write_map(
    path: Path,
    saliency: FloatMap,
    file_format: str,
    metadata: Mapping[str, Any],
    *,
    bounds: tuple[float, float] | None = None,
) -> None:
    """Write a saliency map, (H, W) float32, under a temporary name first.

    Parameters
    ----------
    path : Path
        Where to; missing folders are made. The suffix is not looked at.
    saliency : (H, W) float32
    file_format : str
        One of `FORMATS`: png, png16 and jpg hold the map scaled, npy, tiff and mat the numbers as they are.
    metadata : mapping
        What to note in the file beside the map's own minimum and maximum, where the format has a place for it
        (png, png16, tiff, mat).
    bounds : (float, float), optional
        What black and white of a picture stand for, noted too; what lies beyond is brought to them. By default the
        map's own minimum and maximum.

    Raises
    ------
    UsageError
        For an unknown format, or a place that cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from salbox.writing import read_notes, write_map
    >>> path = Path(tempfile.mkdtemp(), "photo.png")
    >>> write_map(path, np.array([[0, 1], [2, 3]], np.float32), "png16", {"model": "gbvs"})
    >>> read_notes(path)
    {'model': 'gbvs', 'minimum': 0.0, 'maximum': 3.0}
    """
    write = _writer(file_format)
    notes = {**metadata, "minimum": float(saliency.min()), "maximum": float(saliency.max())}
    if bounds is not None:
        notes["bounds"] = list(bounds)
    if file_format in _PICTURES:
        saliency = min_max(saliency) if bounds is None else _between(saliency, *bounds)
    with atomic(path) as temporary:
        write(temporary, saliency, notes)


def write_picture(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    """Write a picture, (H, W, 3) uint8, as PNG, under a temporary name first."""
    with atomic(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG", compress_level=PNG_COMPRESSION)


def suffix(file_format: str) -> str:
    """Return the suffix of a format's files, dot included."""
    _writer(file_format)
    return "." + file_format.removesuffix("16")


def read_notes(path: Path) -> dict[str, Any]:
    """Return what `write_map` noted in a PNG or TIFF: model, parameters, version, minimum and maximum."""
    with Image.open(path) as image:
        text = image.info.get("salbox")
        if text is None and hasattr(image, "tag_v2"):
            text = image.tag_v2.get(_TIFF_IMAGE_DESCRIPTION)
    notes: dict[str, Any] = json.loads(text) if text else {}
    return notes


@contextlib.contextmanager
def atomic(path: Path, *, keep_suffix: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it if the block succeeds and removed if it does not.

    Parameters
    ----------
    path : Path
    keep_suffix : bool
        Whether the temporary name ends as `path` does, for writers that go by it.

    Raises
    ------
    UsageError
        If the folder cannot be made or written to, or `path` is a folder.
    """
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.part{path.suffix if keep_suffix else ''}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _between(values: FloatMap, low: float, high: float) -> FloatMap:
    """Return values with 0 in the place of `low` and 1 in that of `high`, those beyond brought to them."""
    return np.clip((values - low) / (high - low), 0, 1, dtype=np.float32)


def _png(path: Path, saliency: FloatMap, notes: dict[str, Any]) -> None:
    _save_png(path, np.rint(saliency * 255).astype(np.uint8), notes)


def _png16(path: Path, saliency: FloatMap, notes: dict[str, Any]) -> None:
    _save_png(path, np.rint(saliency.astype(np.float64) * 65535).astype(np.uint16), notes)


def _save_png(path: Path, pixels: npt.NDArray[Any], notes: dict[str, Any]) -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("salbox", json.dumps(notes))
    Image.fromarray(pixels).save(path, format="PNG", pnginfo=info, compress_level=PNG_COMPRESSION)


def _jpg(path: Path, saliency: FloatMap, notes: dict[str, Any]) -> None:
    pixels = np.rint(saliency * 255).astype(np.uint8)
    Image.fromarray(pixels).save(path, format="JPEG", quality=JPEG_QUALITY)


def _npy(path: Path, saliency: FloatMap, notes: dict[str, Any]) -> None:
    with path.open("wb") as file:
        np.save(file, saliency, allow_pickle=False)


def _tiff(path: Path, saliency: FloatMap, notes: dict[str, Any]) -> None:
    Image.fromarray(saliency).save(path, format="TIFF", tiffinfo={_TIFF_IMAGE_DESCRIPTION: json.dumps(notes)})


def _mat(path: Path, saliency: FloatMap, notes: dict[str, Any]) -> None:
    from scipy.io import savemat

    with path.open("wb") as file:
        savemat(cast(Any, file), {"saliency_map": saliency, "notes": json.dumps(notes)}, do_compression=True)


_Writer = Callable[[Path, FloatMap, dict[str, Any]], None]
_WRITERS: dict[str, _Writer] = {
    "png": _png,
    "png16": _png16,
    "jpg": _jpg,
    "npy": _npy,
    "tiff": _tiff,
    "mat": _mat,
}
FORMATS = tuple(_WRITERS)
_PICTURES = ("png", "png16", "jpg")  # their writers take a map in 0..1


def _writer(file_format: str) -> _Writer:
    try:
        return _WRITERS[file_format]
    except KeyError:
        hint = nearest(file_format, FORMATS)
        raise UsageError(f"no format '{file_format}'{hint} (formats: {', '.join(FORMATS)})") from None
