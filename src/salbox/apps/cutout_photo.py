"""A photo as it is cut out: its pixels with its own transparency, and what its file says beside them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from ..imaging.arrays import from_array, plain, to_uint8
from ..imaging.image import MAX_PIXELS, ImageSource, read_image
from ..imaging.opening import Picture, check_size, opened
from ..imaging.scaling import at_size
from ..types import Pixels, Shape
from ._file_notes import file_notes
from .enlarging import bands
from .matting import WORKING_PIXELS

_PRINTED = ("CMYK", "LAB")  # modes whose numbers are colours by a profile only


@dataclass(frozen=True)
class Photo:
    """A photo.

    Attributes
    ----------
    pixels : (H, W, 4) uint8
        RGB and alpha; it is worked on in place.
    is_transparent : bool
        Whether some of it is.
    beside : mapping
        `exif`, `icc_profile` and `xmp`, as Pillow writes them.
    """

    pixels: Pixels
    is_transparent: bool = False
    beside: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> Shape:
        """Its (H, W)."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def working_copy(self) -> Pixels:
        """Return what models look at: the photo on white, of at most `WORKING_PIXELS`; (h, w, 3) uint8."""
        shown = self.pixels
        if self.is_transparent:
            shown = np.empty((*self.shape, 3), np.uint8)
            for top, bottom in bands(self.shape):
                shown[top:bottom] = from_array(self.pixels[top:bottom])
        share = WORKING_PIXELS / (self.shape[0] * self.shape[1])
        if share < 1:
            shown = at_size(shown, max(1, int(max(self.shape) * share**0.5)))
        return np.ascontiguousarray(shown[..., :3])


def read_photo(source: ImageSource, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Return a photo; see `salbox.read_image` for what is read, and what is raised and warned of."""
    if isinstance(source, np.ndarray):
        check_size((source.shape[1], source.shape[0]) if source.ndim >= 2 else (0, 0), max_pixels, "array")
        return _of_array(source)
    if isinstance(source, Image.Image):
        check_size(source.size, max_pixels, "PIL image")
        return _of_picture(Picture(source, "PIL image"))
    with opened(source, max_pixels=max_pixels) as picture:
        photo = _of_picture(picture)
        picture.warn_of_frames()
        return photo


def _of_array(array: npt.NDArray[Any]) -> Photo:
    values = plain(array)
    own = to_uint8(values[..., 3]) if values.ndim == 3 and values.shape[2] == 4 else np.uint8(255)
    rgb = from_array(values[..., :3] if values.ndim == 3 and values.shape[2] == 4 else values)
    pixels = np.empty((*rgb.shape[:2], 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = rgb, own
    return Photo(pixels, is_transparent=bool(np.min(own) < 255))


def _of_picture(picture: Picture) -> Photo:
    image = picture.decoded()
    beside = file_notes(picture.image, is_gray=False)
    if image.mode in _PRINTED:
        image = _to_srgb(image)
        beside.pop("icc_profile", None)
    elif image.mode.startswith("I") or image.mode == "F":  # brightness in more than 8 bits
        image = image.copy()
        image.info = {key: value for key, value in image.info.items() if key == "transparency"}  # it is upright by now
        image = Image.fromarray(read_image(image))
    shape = image.height, image.width
    has_alpha = image.has_transparency_data
    if image.mode == "La":
        image = image.convert("LA")
    pixels = np.empty((*shape, 4), np.uint8)
    for top, bottom in bands(shape):
        pixels[top:bottom] = np.asarray(image.crop((0, top, image.width, bottom)).convert("RGBA"))
    return Photo(pixels, has_alpha and bool(pixels[..., 3].min() < 255), beside)


def _to_srgb(image: Image.Image) -> Image.Image:
    """Return a picture in printers' colours as sRGB: by its own profile if that can be read, else as Pillow does."""
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            found = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            if found is not None:
                return found
        except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
            pass
    return image.convert("RGB")
