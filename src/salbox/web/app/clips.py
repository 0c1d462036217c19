"""A short video and its overlay, within a temporary folder that is gone afterwards."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from ...errors import SalboxError, UsageError, one_line
from ...imaging.overlays import OPACITY
from ...imaging.video import VideoReader
from ...prediction.batch import BatchPlan
from ...prediction.images import folder_name
from ...prediction.videos import ClipPlan, run_clip
from ...system.progress import Progress
from .uploads import MAX_VIDEO_MEGABYTES, WORKING_SIDE, check_size

MAX_SECONDS = 60.0
MAX_FRAME_PIXELS = 4096 * 2304
FORMAT = "webm"  # what OpenCV writes and every browser plays

_STEM = "clip"


class _Watched(Progress):
    """Passes on how far a run is, as a share."""

    def __init__(self, take: Callable[[float], None]) -> None:
        self._take = take

    def update(self, title: str, done: int, total: int | None) -> None:
        """Take how far a part of the run is."""
        if total:
            self._take(min(done / total, 1.0))


def overlaid(
    name: str,
    content: bytes,
    model: str,
    *,
    stride: int = 1,
    smooth_seconds: float = 0.0,
    opacity: float = OPACITY,
    progress: Callable[[float], None] = lambda share: None,
) -> bytes:
    """Return a video with the overlay of a model's maps, as WebM.

    Parameters
    ----------
    name : str
        What messages call the upload.
    content : bytes
    model : str
    stride : int
        Every how many frames one is taken.
    smooth_seconds : float
        Time constant of a mean over maps; 0: none.
    opacity : float
    progress : function of a share, optional

    Raises
    ------
    SalboxError
        If it is no video, broken, too large or longer than `MAX_SECONDS`; the message calls it by its name.
    """
    label = one_line(name, 60) or "video"
    check_size(label, len(content), MAX_VIDEO_MEGABYTES)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"{_STEM}.video"
        source.write_bytes(content)
        try:
            _check_length(source, stride)
            plan = BatchPlan(
                {model: {}}, Path(folder) / "maps", file_format=FORMAT, overlay=opacity, size=WORKING_SIDE,
                max_pixels=MAX_FRAME_PIXELS,
            )  # fmt: skip
            outcome = run_clip(source, plan, ClipPlan(stride, smooth_seconds), _Watched(progress))
            made = next((Path(folder) / "maps" / folder_name(Path(model).name)).glob(f"*.overlay.{FORMAT}"), None)
            if made is None:
                raise UsageError("; ".join(outcome.failures) or "no frame could be read")
            return made.read_bytes()
        except SalboxError as error:
            raise UsageError(str(error).replace(str(source), label)) from None


def _check_length(source: Path, stride: int) -> None:
    with VideoReader(source, stride, max_pixels=MAX_FRAME_PIXELS) as reader:
        seconds = (reader.expected or 0) / reader.rate
    if seconds > MAX_SECONDS:
        raise UsageError(f"{source}: {seconds:.0f} s, but at most {MAX_SECONDS:.0f} s are taken; cut it first")
