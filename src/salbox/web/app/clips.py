"""A short video and its overlay, within a temporary folder that is gone afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ...errors import UsageError
from ...imaging.overlays import OPACITY
from ...imaging.video import VideoReader
from ...prediction.batch import BatchPlan
from ...prediction.images import folder_name
from ...prediction.videos import ClipPlan, run_clip
from ...system.progress import Progress
from .uploads import MAX_VIDEO_MEGABYTES, WORKING_SIDE, upload_file

MAX_SECONDS = 60.0
MAX_FRAME_PIXELS = 4096 * 2304
FORMAT = "webm"  # what OpenCV writes and every browser plays


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
    with upload_file(name, content, ".video", MAX_VIDEO_MEGABYTES) as source:
        _check_length(source, stride)
        maps = source.with_name("maps")
        plan = BatchPlan(
            {model: {}}, maps, file_format=FORMAT, overlay=opacity, size=WORKING_SIDE, max_pixels=MAX_FRAME_PIXELS
        )
        outcome = run_clip(source, plan, ClipPlan(stride, smooth_seconds), _Watched(progress))
        made = next((maps / folder_name(Path(model).name)).glob(f"*.overlay.{FORMAT}"), None)
        if made is None:
            raise UsageError("; ".join(outcome.failures) or "no frame could be read")
        return made.read_bytes()


def _check_length(source: Path, stride: int) -> None:
    with VideoReader(source, stride, max_pixels=MAX_FRAME_PIXELS) as reader:
        seconds = (reader.expected or 0) / reader.rate
    if seconds > MAX_SECONDS:
        raise UsageError(f"{source}: {seconds:.0f} s, but at most {MAX_SECONDS:.0f} s are taken; cut it first")
