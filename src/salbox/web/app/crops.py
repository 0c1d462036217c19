"""The window of a picture that keeps what people look at, and what of it goes into a file."""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from ...apps.attention import Attention, seen_by
from ...apps.box import Box
from ...apps.crop_files import cut_out
from ...apps.crops import Crop, CropOptions, best_crop
from ...apps.sizes import parse_size
from ...imaging.scaling import REFERENCE_SIZE, smaller_copy
from ...types import Pixels
from .maps import shared_model
from .pictures import png
from .regions import Region
from .uploads import Picture

ASPECTS = ("1:1", "4:5", "9:16", "4:3", "16:9", "3:1")

_DARKENED = 0.35  # of the brightness of what is cut off


def attention_of(picture: Picture, model: str) -> Attention:
    """Return where attention goes in a picture, as a model sees it."""
    return seen_by(shared_model(model), smaller_copy(picture.pixels, REFERENCE_SIZE), picture.shape)


def cropped(
    picture: Picture, attention: Attention, size: str, *, zoom: float, by_thirds: bool, keep: list[Region]
) -> Crop:
    """Return the best window of a picture.

    Parameters
    ----------
    picture : Picture
    attention : Attention
    size : str
        An aspect or a size in pixels; see `salbox.apps.crop`.
    zoom, by_thirds
        See `salbox.apps.crop`.
    keep : list of Region
        In pixels of the working copy: what must be in the window.
    """
    boxes = [box_of(region, picture) for region in keep]
    options = CropOptions(zoom=zoom, rule_of_thirds=by_thirds, keep=tuple(boxes))
    return best_crop(attention, parse_size(size), options)


def box_of(region: Region, picture: Picture) -> Box:
    """Return a region that was drawn on the working copy in pixels of the picture itself, within it."""
    height, width = picture.shape
    there = region.scaled(picture.pixels.shape[:2], picture.shape)
    x, y = min(there.x, width - 1), min(there.y, height - 1)
    return Box(x, y, max(1, min(there.width, width - x)), max(1, min(there.height, height - y)))


def preview(picture: Picture, crop: Crop) -> Pixels:
    """Return the working copy with what a window cuts off darkened: (h, w, 3) uint8."""
    pixels = picture.pixels
    scale = pixels.shape[0] / crop.shape[0], pixels.shape[1] / crop.shape[1]
    top, bottom = round(crop.box.y * scale[0]), round(crop.box.bottom * scale[0])
    left, right = round(crop.box.x * scale[1]), round(crop.box.right * scale[1])
    shown = (pixels * _DARKENED).astype(np.uint8)
    shown[top:bottom, left:right] = pixels[top:bottom, left:right]
    cv2.rectangle(shown, (left, top), (right - 1, bottom - 1), (255, 255, 255), 2)
    return shown


def crop_file(picture: Picture, crop: Crop) -> bytes:
    """Return the window of the picture in its own size as PNG; of a size in pixels brought to that."""
    return png(np.asarray(cut_out(Image.fromarray(picture.full()), crop)))
