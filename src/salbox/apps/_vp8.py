"""Pictures of VP8, the lossy kind of WebP, with a quantizer for each of four regions.

The format has four segments with quantizers of their own (RFC 6386, 9.3). libwebp gives them out as it sees fit; libvpx
takes a map of them, and FFmpeg, which PyAV (extra `video`) brings, hands rectangles on to it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from ..types import Pixels
from ._coders import strip_rows

SIDE = 16  # pixels of a macroblock
SEGMENTS = 4
# Indices of quantizers that libvpx's numbers 0..63 stand for, in its onyx_if.c.
INDICES = np.array(
    [*range(6), *range(7, 11), 12, 13, 15, *range(17, 22), *range(23, 32), *range(33, 62, 2), *range(64, 125, 3), 127]
)
_MOST = len(INDICES) - 1
_FORMAT = "yuv420p"
_OPTIONS = {"deadline": "good", "cpu-used": "0", "lag-in-frames": "0", "auto-alt-ref": "0", "b": "1000000000"}
_TICK = Fraction(1, 25)
# Of WebP: ITU-R BT.601 with 16..235 for brightness and 16..240 for colours.
_TO_YUV = np.array(
    [
        [65.481 / 255, 128.553 / 255, 24.966 / 255, 16],
        [-37.797 / 255, -74.203 / 255, 112 / 255, 128],
        [112 / 255, -93.786 / 255, -18.214 / 255, 128],
    ]
)

Rectangle = tuple[int, int, int, int]
"""x, y, width and height."""


@dataclass(frozen=True)
class Region:
    """Rectangles whose quantizer differs from the rest's: by what number, -63..63 in libvpx's count."""

    rectangles: list[Rectangle]
    change: int


def planes_of(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Return a picture, (H, W, 3), both sides made even, as brightness and below it colours at half the size."""
    height, width = (side + side % 2 for side in pixels.shape[:2])
    planes = np.empty((height * 3 // 2, width), np.uint8)
    colors = planes[height:].reshape(2, height // 2, width // 2)
    for rows in strip_rows(height):
        part = pixels[rows]
        part = np.pad(part, ((0, part.shape[0] % 2), (0, part.shape[1] % 2), (0, 0)), mode="edge")
        part = part.astype(np.float32)
        planes[rows] = _rounded(cv2.transform(part, _TO_YUV[:1]))
        half = cv2.resize(part, (width // 2, part.shape[0] // 2), interpolation=cv2.INTER_AREA)
        found = _rounded(cv2.transform(half, _TO_YUV[1:]))
        colors[:, rows.start // 2 : rows.stop // 2] = np.moveaxis(found, 2, 0)
    return planes


def encoded(planes: npt.NDArray[np.uint8], shape: tuple[int, int], quantizer: int, regions: Iterable[Region]) -> bytes:
    """Return a picture as a key frame of VP8.

    Parameters
    ----------
    planes : (H * 3 / 2, W) uint8
        What `planes_of` gives.
    shape : (int, int)
        Height and width of the picture, of which both may be odd.
    quantizer : int
        0..63, where no region lies.
    regions : Region
        At most three.
    """
    import av

    height, width = planes.shape[0] * 2 // 3, planes.shape[1]
    graph = av.filter.Graph()
    last = graph.add_buffer(width=width, height=height, format=_FORMAT, time_base=_TICK)
    for region in regions:
        # FFmpeg multiplies by 63 and cuts the fraction off.
        change = (region.change + np.sign(region.change) / 4) / _MOST
        for x, y, w, h in region.rectangles:
            following = graph.add("addroi", f"x={x}:y={y}:w={w}:h={h}:qoffset={change:.6f}")
            last.link_to(following)
            last = following
    sink = graph.add("buffersink")
    last.link_to(sink)
    graph.configure()
    frame = av.VideoFrame.from_ndarray(planes, _FORMAT)
    frame.pts, frame.time_base = 0, _TICK
    graph.push(frame)
    codec = av.CodecContext.create("libvpx", "w")
    codec.width, codec.height, codec.pix_fmt, codec.time_base = width, height, _FORMAT, _TICK
    codec.thread_count = 1
    codec.options = {**_OPTIONS, "qmin": str(quantizer), "qmax": str(quantizer)}
    data = bytearray(b"".join(map(bytes, (*codec.encode(graph.pull()), *codec.encode(None)))))
    # A frame's header, RFC 6386, 9.1: its size may be one less, for it is coded in whole macroblocks.
    data[6:10] = shape[1].to_bytes(2, "little") + shape[0].to_bytes(2, "little")
    return bytes(data)


@cache
def takes_regions() -> bool:
    """Return whether there is an encoder that takes regions."""
    if importlib.util.find_spec("av") is None:
        return False
    planes = planes_of(np.random.default_rng(0).integers(0, 256, (32, 32, 3)).astype(np.uint8))
    try:
        plain, coarse = (
            encoded(planes, (32, 32), 10, [Region([(0, 0, 32, 32)], change)] if change else []) for change in (0, 30)
        )
    except Exception:  # FFmpeg without libvpx, or what PyAV's next versions call otherwise
        return False
    return len(coarse) < 0.8 * len(plain)


def rectangles_of(mask: npt.NDArray[np.bool_], side: int) -> list[Rectangle]:
    """Return rectangles that cover what is true and nothing else, in pixels, `side` to a cell."""
    found: list[Rectangle] = []
    open_: dict[tuple[int, int], int] = {}  # runs of the row before, with the row in which each began
    for row, cells in enumerate([*mask, np.zeros(mask.shape[1], np.bool_)]):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], cells.astype(np.int8), [0]])))
        runs = {(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)}
        for start, stop in [run for run in open_ if run not in runs]:
            top = open_.pop((start, stop))
            found.append((start * side, top * side, (stop - start) * side, (row - top) * side))
        for run in runs:
            open_.setdefault(run, row)
    return found


def _rounded(values: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
