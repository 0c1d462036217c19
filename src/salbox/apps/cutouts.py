"""Cutouts: the object of a photo by itself, what stands around it transparent or replaced."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, overload

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import ImageWarning, UsageError
from ..imaging.image import MAX_PIXELS, ImageSource
from ..imaging.scaling import min_max
from ..models.model import Model
from ..models.specs import AnyModel
from ..prediction.images import Pipeline
from ..types import FloatMap, Pixels
from ._file_notes import png_options
from .attention import one_model
from .cutout_background import Background, parse_background
from .cutout_look import closer_looks, looks_again
from .cutout_objects import THRESHOLD, only_object, parse_object
from .cutout_photo import Photo, read_photo
from .enlarging import bands
from .matting import Matte, chosen_refinement, matte
from .matting_colors import clean_colors

DEFAULT_MODEL = "scfnet"
Gray = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class CutoutOptions:
    """How an object is cut out.

    Attributes
    ----------
    background : str, optional
        What it is laid on: "blur", a colour as CSS has it, or the path of a picture; by default nothing.
    mask_only : bool
        The alpha itself, as a grey picture.
    feather : float
        Standard deviation in pixels by which the edge is softened.
    objects : str
        "all", "largest", or "x,y": the one that this pixel belongs to.
    refine : {"auto", "closed-form", "guided", "none"}
        How the edge is found at the photo's full size; "auto" is "closed-form" where the extra `matting` is installed,
        else "guided".

    Raises
    ------
    UsageError
        If a value is none of these.
    """

    background: str | None = None
    mask_only: bool = False
    feather: float = 0.0
    objects: str = "all"
    refine: str = "auto"

    def __post_init__(self) -> None:
        if self.background is not None and self.mask_only:
            raise UsageError("a background and the mask only: give one of the two")
        if not 0 <= self.feather <= 1000:
            raise UsageError(f"feather {self.feather:g}: expected pixels, 0 to 1000")
        parse_object(self.objects)
        chosen_refinement(self.refine)

    @property
    def is_opaque(self) -> bool:
        """Whether nothing of what comes of it is transparent."""
        return self.mask_only or self.background is not None


@overload
def cutout(image: bytes, model: AnyModel = ..., **options: Any) -> bytes: ...


@overload
def cutout(image: npt.NDArray[Any], model: AnyModel = ..., **options: Any) -> Gray: ...


@overload
def cutout(
    image: str | os.PathLike[str] | IO[bytes] | Image.Image, model: AnyModel = ..., **options: Any
) -> Image.Image: ...


def cutout(
    image: ImageSource, model: AnyModel = DEFAULT_MODEL, *, max_pixels: int = MAX_PIXELS, **options: Any
) -> bytes | Gray | Image.Image:
    """Return the object of a photo, cut out: what rembg's `remove` does.

    Parameters
    ----------
    image : bytes, array, PIL image, path or file object
        See `salbox.read_image`. Transparency of its own stays.
    model : str, Model or function
        An object model. Where many photos are cut out, what `salbox.load` returned: a name is loaded at each call.
    max_pixels : int
        Larger photos are refused.
    **options
        Of `CutoutOptions`: background, mask_only, feather, objects, refine.

    Returns
    -------
    bytes, array or PIL image
        Of bytes the bytes of a PNG, of an array an array, of all else a PIL image, with the photo's EXIF, XMP and
        colour profile in `info`: (H, W, 4) uint8 RGBA, with a background (H, W, 3) RGB, with `mask_only` (H, W).
        Colours are not multiplied by alpha; where that is 0 they are 0.

    Raises
    ------
    ImageError
        If it cannot be read as an image.
    UsageError
        If the model is none of objects, or an option does not fit.

    Warns
    -----
    ImageWarning
        If the model finds no object.

    Examples
    --------
    >>> import numpy as np
    >>> import salbox
    >>> from salbox.apps import cutout
    >>> @salbox.register("redness", card={"task": "object", "output": "probability"})
    ... def red(image):
    ...     return image[..., 0] / 255
    >>> photo = np.zeros((60, 80, 3), np.uint8)
    >>> photo[20:40, 30:50] = 250, 20, 20
    >>> found = cutout(photo, model=red)
    >>> found.shape, found[30, 40].tolist(), found[5, 5].tolist()
    ((60, 80, 4), [250, 20, 20, 255], [0, 0, 0, 0])
    """
    chosen = CutoutOptions(**options)
    opened = object_model(model)
    photo = read_photo(image, max_pixels=max_pixels)
    background = None if chosen.background is None else parse_background(chosen.background, max_pixels=max_pixels)
    found = cut_out(photo, Pipeline(opened), chosen, background)
    if isinstance(image, np.ndarray):
        return found
    if isinstance(image, (bytes, bytearray, memoryview)):
        buffer = io.BytesIO()
        Image.fromarray(found).save(buffer, "PNG", **png_options({} if chosen.mask_only else photo.beside))
        return buffer.getvalue()
    picture = Image.fromarray(found)
    picture.info.update({} if chosen.mask_only else photo.beside)
    return picture


def object_model(given: AnyModel) -> Model:
    """Return a model of objects, loaded; raise a UsageError if it is another, or more than one."""
    model = one_model(given)
    if model.card.task != "object":
        raise UsageError(
            f"model '{model.name}' predicts where people look, not which pixels are an object's: a cutout needs one "
            "that does ('salbox models --task object' lists them)"
        )
    return model


def cut_out(
    photo: Photo,
    pipeline: Pipeline,
    options: CutoutOptions,
    background: Background | None = None,
    *,
    is_frame: bool = False,
) -> npt.NDArray[np.uint8]:
    """Return the object of a photo, whose pixels are changed in place, as `cutout` does.

    A frame of a video is looked at once: what further looks add, and specks that are left out, would come
    and go.
    """
    small = photo.working_copy()
    probability = pipeline(small)
    if pipeline.output != "probability":
        probability = min_max(probability)
    elif not is_frame and looks_again(pipeline.model):
        probability = closer_looks(small, probability, pipeline)
    if not (probability > THRESHOLD).any():
        warnings.warn("the model finds no object in it", ImageWarning, stacklevel=2)
    if not is_frame or options.objects != "all":
        probability = only_object(probability, options.objects, photo.shape)
    found = matte(small, probability, options.refine, photo.shape)
    alpha = _everywhere(found, photo)
    seen = _feathered(alpha, options.feather)
    if options.mask_only:
        return _times(seen, photo)
    clean_colors(photo.pixels, alpha, seen)
    seen = _times(seen, photo)
    if background is None:
        return _transparent(photo.pixels, seen)
    small_alpha = cv2.resize(seen, small.shape[1::-1], interpolation=cv2.INTER_AREA) / np.float32(255)
    return _on(background, photo.pixels, seen, small, small_alpha)


def _everywhere(found: Matte, photo: Photo) -> Gray:
    """Return the alpha of the whole photo: (H, W) uint8."""
    alpha = np.empty(photo.shape, np.uint8)
    for top, bottom in bands(photo.shape):
        alpha[top:bottom] = np.rint(found.rows(photo.pixels[top:bottom], top, photo.shape) * 255)
    return alpha


def _feathered(alpha: Gray, sigma: float) -> Gray:
    """Return an alpha with softer edges; as it is for 0."""
    return cv2.GaussianBlur(alpha, (0, 0), sigma) if sigma > 0 else alpha


def _times(alpha: Gray, photo: Photo) -> Gray:
    """Return an alpha times the photo's own."""
    return cv2.multiply(alpha, photo.pixels[..., 3], scale=1 / 255) if photo.is_transparent else alpha


def _transparent(pixels: Pixels, alpha: Gray) -> Pixels:
    """Return a photo with an alpha, in place; what is not seen is black: nobody gets the background back."""
    for top, bottom in bands(alpha.shape):
        pixels[top:bottom, :, :3][alpha[top:bottom] == 0] = 0
        pixels[top:bottom, :, 3] = alpha[top:bottom]
    return pixels


def _on(background: Background, pixels: Pixels, alpha: Gray, small: Pixels, small_alpha: FloatMap) -> Pixels:
    """Return a photo laid on a background: (H, W, 3) uint8."""
    rows: Callable[[int, int], FloatMap] = background.rows(alpha.shape, small, small_alpha)
    laid = np.empty((*alpha.shape, 3), np.uint8)
    for top, bottom in bands(alpha.shape):
        share = alpha[top:bottom, :, None] / np.float32(255)
        behind = rows(top, bottom)
        laid[top:bottom] = np.rint(behind + share * (pixels[top:bottom, :, :3] - behind)).clip(0, 255)
    return laid
