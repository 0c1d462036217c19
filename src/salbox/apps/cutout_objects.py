"""Which of several objects is cut out: all, the largest, or the one that somebody points at."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..types import FloatMap, Shape

THRESHOLD = 0.5  # of the probability, above which pixels are an object's
_SMALL = 0.3  # of the largest object: what is smaller and unsure is none
_SURE = 0.8  # mean probability of a small object's pixels
_REACH = 0.02  # of the longest side: how far beside an object one may point


def parse_object(text: str) -> tuple[int, int] | None:
    """Return the pixel (x, y) that "x,y" names, None for "all" and "largest"; raise a UsageError for anything else."""
    if text in ("all", "largest"):
        return None
    parts = [part.strip() for part in text.split(",")]
    if len(parts) != 2 or not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise UsageError(f"object '{text}': expected all, largest, or a pixel of it as X,Y")
    return int(parts[0]), int(parts[1])


def only_object(probability: FloatMap, wanted: str, shape: Shape) -> FloatMap:
    """Return the probability that pixels are the wanted object's: (h, w) float32; 0 for those of others.

    Objects are what hangs together where the probability is above .5; what lies between two goes to the nearer. Those
    that are much smaller than the largest, and of which the model is not sure, are none of "all".

    Parameters
    ----------
    probability : (h, w) float32
    wanted : str
        "all", "largest" or "x,y", a pixel of the photo.
    shape : (int, int)
        The photo's (H, W).

    Raises
    ------
    UsageError
        If somebody points at nothing, or beside the photo.
    """
    place = parse_object(wanted)
    if wanted == "all":
        return _without_specks(probability)
    count, labels, sizes, _ = cv2.connectedComponentsWithStats((probability > THRESHOLD).astype(np.uint8))
    if place is None:
        if count <= 2:
            return probability
        label = 1 + int(sizes[1:, cv2.CC_STAT_AREA].argmax())
    else:
        label = _label_at(labels, place, shape)
    return np.where(_nearest(labels) == label, probability, np.float32(0))


def _without_specks(probability: FloatMap) -> FloatMap:
    """Return a probability with 0 for small objects of which the model is not sure: mostly they are none."""
    count, labels, sizes, _ = cv2.connectedComponentsWithStats((probability > THRESHOLD).astype(np.uint8))
    if count <= 2:
        return probability
    areas = sizes[:, cv2.CC_STAT_AREA]
    mean = np.bincount(labels.ravel(), probability.ravel(), count) / areas
    is_speck = (areas < _SMALL * areas[1:].max()) & (mean < _SURE)
    is_speck[0] = False
    return np.where(is_speck[_nearest(labels)], np.float32(0), probability) if is_speck.any() else probability


def _label_at(labels: npt.NDArray[np.int32], place: tuple[int, int], shape: Shape) -> int:
    """Return the label of the object at a pixel of the photo, or close beside it."""
    (x, y), (height, width) = place, shape
    if x >= width or y >= height:
        raise UsageError(f"object {x},{y} lies outside the image, which is {width}x{height}")
    small = labels.shape
    row, column = y * small[0] // height, x * small[1] // width
    if not labels.any():
        raise UsageError(f"object {x},{y}: the model finds no object in the image")
    if labels[row, column]:
        return int(labels[row, column])
    rows, columns = np.nonzero(labels)
    far = np.hypot(rows - row, columns - column)
    nearest = int(far.argmin())
    if far[nearest] <= _REACH * max(small):
        return int(labels[rows[nearest], columns[nearest]])
    found_x = int((columns[nearest] + 0.5) * width / small[1])
    found_y = int((rows[nearest] + 0.5) * height / small[0])
    raise UsageError(f"object {x},{y}: the model finds none there; the nearest is at {found_x},{found_y}")


def _nearest(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return for each pixel the label of the object that it lies in, or nearest to."""
    empty = (labels == 0).astype(np.uint8)
    # The distance transform numbers the pixels that are 0; of one of them the object's label is known.
    _, numbers = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    of_number = np.zeros(int(numbers.max()) + 1, np.int32)
    of_number[numbers[empty == 0]] = labels[empty == 0]
    return of_number[numbers]
