"""The object of a picture by itself: which models there are for it, a preview and the file."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...apps.cutouts import cutout
from ...errors import SalboxError
from ...models.loading import card, weights_path
from ...models.registry import list_models
from .maps import computing, shared_model
from .pictures import png
from .settings import current
from .uploads import MAX_PIXELS, Picture

OBJECTS = ("all", "largest")
BEHIND = ("nothing", "a colour", "blur")

_QUICK = "guided"  # how a preview's edge is found, which a file takes the time to find better
_SQUARE = 12  # pixels of the pattern that stands for transparency
_LIGHT, _DARK = 255, 214


def object_models() -> tuple[str, ...]:
    """Return the object models that can run here: those of the app's settings, and those whose weights are at hand."""
    own = [name for name in current().models if card(name).task == "object"]
    return tuple(dict.fromkeys([*own, *(name for name in list_models(task="object") if _has_weights(name))]))


def cut(picture: Picture, model: str, *, background: str | None, feather: float, objects: str) -> npt.NDArray[np.uint8]:
    """Return a preview of a cutout: the working copy, (h, w, 3) uint8, a pattern where it is transparent.

    Parameters
    ----------
    picture : Picture
    model : str
        An object model.
    background, feather, objects
        See `salbox.apps.CutoutOptions`; the feather in pixels of the picture itself.
    """
    scale = picture.pixels.shape[0] / picture.shape[0]
    with computing():
        found = cutout(
            picture.pixels.copy(),
            shared_model(model),
            background=background,
            feather=feather * scale,
            objects=objects,
            refine=_QUICK,
        )
    return on_pattern(found) if found.shape[2] == 4 else found  # channels


def cut_file(picture: Picture, model: str, *, background: str | None, feather: float, objects: str) -> bytes:
    """Return a cutout in the picture's own size as PNG; see `cut`."""
    chosen = {"background": background, "feather": feather, "objects": objects, "max_pixels": MAX_PIXELS}
    with computing():
        if picture.content:  # with its colour profile
            return cutout(picture.content, shared_model(model), **chosen)
        return png(cutout(picture.full().copy(), shared_model(model), **chosen))


def on_pattern(rgba: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return a transparent picture, (H, W, 4), on squares of two greys: (H, W, 3) uint8."""
    height, width = rgba.shape[:2]
    rows, columns = np.ogrid[:height, :width]
    pattern = np.where((rows // _SQUARE + columns // _SQUARE) % 2, _DARK, _LIGHT)[..., None]
    share = rgba[..., 3:].astype(np.float32) / 255
    return np.rint(pattern + share * (rgba[..., :3].astype(np.float32) - pattern)).astype(np.uint8)


def _has_weights(name: str) -> bool:
    try:
        weights_path(name)
    except SalboxError:
        return False
    return True
