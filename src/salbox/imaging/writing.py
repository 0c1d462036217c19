"""Writing: saliency maps as pictures or numbers, files that are never half-written."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, PngImagePlugin

from ..errors import UsageError, nearest
from ..types import FloatMap, Output
from .notes import DENSITY, KEY, TIFF_IMAGE_DESCRIPTION, Notes, behind, to_text
from .partial_files import replacing
from .scaling import density, is_log_density, min_max, normalized_log, picture_range

JPEG_QUALITY = 95
PNG_COMPRESSION = 3  # half the time of Pillow's default for a few per cent more bytes

_JPEG_COMMENT = 65_000  # bytes, the most that a comment holds
_ESSENTIAL = ("output", "shown", "white", "black", "bounds", "minimum", "maximum")

Content: TypeAlias = "Iterable[bytes | memoryview]"
"""What goes into a file, piece by piece."""


def write_map(
    path: Path,
    saliency: FloatMap,
    file_format: str,
    metadata: Mapping[str, Any],
    *,
    bounds: tuple[float, float] | None = None,
    output: Output | None = None,
    keep_log: bool = False,
) -> None:
    """Write a saliency map, (H, W) float32, with notes of what it is, under a temporary name first.

    Parameters
    ----------
    path : Path
        Where to; missing folders are made. The suffix is not looked at.
    saliency : (H, W) float32
    file_format : str
        One of `FORMATS`: png, png16 and jpg hold the map scaled, of a log density the density; npy, tiff and mat hold
        the numbers as they are.
    metadata : mapping
        What to note in the file beside the map's output, minimum and maximum; see `salbox.writing.read_notes`.
    bounds : (float, float), optional
        What black and white of a picture stand for, noted too; what lies beyond is brought to them. By default the
        minimum and maximum of what is shown, of a probability 0 and 1.
    output : {"score", "log_density", "probability"}, optional
        What the map's numbers are. By default a log density is recognised, exp of which sums to 1; all else is a score.
    keep_log : bool
        Whether a picture of a log density shows its numbers instead of the density.

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
    {'model': 'gbvs', 'output': 'score', 'minimum': 0.0, 'maximum': 3.0, 'white': 65535, 'black': 0.0}
    """
    _write(path, encode_map(saliency, file_format, metadata, bounds=bounds, output=output, keep_log=keep_log))


def encode_map(
    saliency: FloatMap,
    file_format: str,
    metadata: Mapping[str, Any],
    *,
    bounds: tuple[float, float] | None = None,
    output: Output | None = None,
    keep_log: bool = False,
) -> Content:
    """Return what a file of a saliency map holds, piece by piece; see `write_map`."""
    write = _writer(file_format)
    if file_format in WHITE and output == "log_density" and not is_log_density(saliency):
        saliency = normalized_log(saliency)  # known up to a factor
    output = output or ("log_density" if is_log_density(saliency) else "score")
    lowest, highest = float(saliency.min()), float(saliency.max())
    notes: Notes = {**metadata, "output": output, "minimum": lowest, "maximum": highest}
    if file_format in WHITE:
        white = notes["white"] = WHITE[file_format]
        shown: npt.NDArray[Any] = saliency
        if output == "log_density" and not keep_log:
            notes["shown"] = DENSITY
            shown = density(saliency, output)
        bounds = bounds or picture_range(saliency, output)
        if bounds is None:
            saliency = min_max(shown)
            # Half of a picture may be black: what its pixels are on the average is more than their minimum.
            notes["black"] = float(shown[saliency * white < 0.5].mean(dtype=np.float64))
        else:
            saliency = _between(shown, *bounds)
            notes["bounds"] = list(bounds)
    return write(saliency, notes)


def write_picture(path: Path, pixels: npt.NDArray[np.uint8], notes: Mapping[str, Any] | None = None) -> None:
    """Write a picture, (H, W, 3) uint8, as PNG, perhaps with notes of its own, under a temporary name first."""
    _write(path, _png_of(pixels, notes))


def suffix(file_format: str) -> str:
    """Return the suffix of a format's files, dot included."""
    _writer(file_format)
    return "." + file_format.removesuffix("16")


@contextlib.contextmanager
def atomic(path: Path, *, keep_suffix: bool = False) -> Iterator[Path]:
    """Yield a temporary path beside `path`, renamed to it if the block succeeds and removed if it does not.

    There is an empty file. One that a killed run leaves is removed by the next that writes to the folder.

    Parameters
    ----------
    path : Path
    keep_suffix : bool
        Whether the temporary name ends as `path` does, for writers that go by it.

    Raises
    ------
    UsageError
        If the folder cannot be made or written to, the disk is full, or `path` is a folder.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path, keep_suffix=keep_suffix) as temporary:
            yield temporary
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror or error})") from None


def _write(path: Path, content: Content) -> None:
    # Encoded before: libraries that write by themselves hide why they could not.
    with atomic(path) as temporary, temporary.open("wb") as file:
        for piece in content:
            file.write(piece)


def _between(values: npt.NDArray[Any], low: float, high: float) -> FloatMap:
    """Return values with 0 in the place of `low` and 1 in that of `high`, those beyond brought to them."""
    return np.clip((values - low) / (high - low), 0, 1, dtype=np.float32)


def _png(saliency: FloatMap, notes: Notes) -> Content:
    return _png_of(np.rint(saliency * 255).astype(np.uint8), notes)


def _png16(saliency: FloatMap, notes: Notes) -> Content:
    return _png_of(np.rint(saliency.astype(np.float64) * 65535).astype(np.uint16), notes)


def _png_of(pixels: npt.NDArray[Any], notes: Mapping[str, Any] | None) -> Content:
    info = PngImagePlugin.PngInfo()
    if notes is not None:
        info.add_text(KEY, to_text(notes))
    return _encoded(pixels, format="PNG", pnginfo=info, compress_level=PNG_COMPRESSION)


def _jpg(saliency: FloatMap, notes: Notes) -> Content:
    text = to_text(notes)
    if len(text) > _JPEG_COMMENT:
        text = to_text({name: notes[name] for name in _ESSENTIAL if name in notes})
    return _encoded(np.rint(saliency * 255).astype(np.uint8), format="JPEG", quality=JPEG_QUALITY, comment=text)


def _tiff(saliency: FloatMap, notes: Notes) -> Content:
    return _encoded(saliency, format="TIFF", tiffinfo={TIFF_IMAGE_DESCRIPTION: to_text(notes)})


def _encoded(pixels: npt.NDArray[Any], **options: Any) -> Content:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, **options)
    return [buffer.getbuffer()]


def _npy(saliency: FloatMap, notes: Notes) -> Content:
    head = io.BytesIO()
    values = np.ascontiguousarray(saliency)
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(values))  # type: ignore[no-untyped-call]
    return [head.getbuffer(), memoryview(cast(Any, values)), behind(notes)]


_MAT_HEAD = b"MATLAB 5.0 MAT-file, written by salbox".ljust(116)  # a MAT-file's text, 116 bytes


def _mat(saliency: FloatMap, notes: Notes) -> Content:
    from scipy.io import savemat

    buffer = io.BytesIO()
    savemat(cast(Any, buffer), {"saliency_map": saliency, "notes": to_text(notes)}, do_compression=True)
    content = buffer.getbuffer()
    content[: len(_MAT_HEAD)] = _MAT_HEAD  # SciPy's says the time, and no two files would be the same
    return [content]


_Writer: TypeAlias = "Callable[[FloatMap, Notes], Content]"
_WRITERS: dict[str, _Writer] = {
    "png": _png,
    "png16": _png16,
    "jpg": _jpg,
    "npy": _npy,
    "tiff": _tiff,
    "mat": _mat,
}
FORMATS = tuple(_WRITERS)
WHITE = {"png": 255, "png16": 65535, "jpg": 255}  # of pictures, whose writers take a map in 0..1


def _writer(file_format: str) -> _Writer:
    try:
        return _WRITERS[file_format]
    except KeyError:
        hint = nearest(file_format, FORMATS)
        raise UsageError(f"no format '{file_format}'{hint} (formats: {', '.join(FORMATS)})") from None
