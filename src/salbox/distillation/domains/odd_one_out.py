"""Search displays: many equal items and one that differs, by colour, orientation or shape, or (for tests) by size."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from ...types import Pixels
from ._palette import Color, contrasting, hsv, random_color

_SUPERSAMPLING = 2  # drawn larger and reduced, for smooth edges
Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Item:
    """One item: its outline within -1..1, colour, angle in radians, and half its extent in pixels."""

    shape: str
    color: Color
    angle: float
    reach: float


def odd_one_out(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return an array of items with one that differs by colour, orientation or shape."""

    def differ(item: Item, background: Color) -> Item:
        kind = rng.choice(["colour", "orientation", "shape"])
        if kind == "orientation":
            return replace(item, shape="bar", angle=item.angle + rng.uniform(0.4, np.pi - 0.4))
        if kind == "shape":
            return replace(item, shape=str(rng.choice([s for s in _OUTLINES if s != item.shape])))
        return replace(item, color=contrasting(rng, item.color, background))

    return _array(image, rng, differ)


def size_odd_one_out(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return an array of items with one that is larger or smaller."""
    factor = rng.uniform(1.5, 1.9) if rng.random() < 0.5 else rng.uniform(0.4, 0.6)
    return _array(image, rng, lambda item, _: replace(item, reach=item.reach * factor), room=0.5)


def _array(
    image: Pixels, rng: np.random.Generator, differ: Callable[[Item, Color], Item], room: float = 0.85
) -> Pixels:
    """Return items on a grid, shaken or not; the reach of an item is at most `room` of half the grid's pitch."""
    height, width = image.shape[:2]
    canvas, background = _ground(height, width, rng)
    pitch = max(height, width) / rng.uniform(5, 13)
    shake = rng.choice([0.0, 0.12]) * pitch
    shape = str(rng.choice(list(_OUTLINES)))
    common = Item(shape, contrasting(rng, background), rng.uniform(0, np.pi), rng.uniform(0.6, 1) * room * pitch / 2)
    odd = differ(common, background)
    if odd.shape == "bar" and odd.angle != common.angle:
        common = replace(common, shape="bar")
    # A second colour or angle among the many makes some displays a search for a conjunction.
    other = common
    if rng.random() < 0.15:
        other = replace(common, color=contrasting(rng, common.color, odd.color, background))
    places = _places(height, width, pitch)
    target = int(rng.integers(len(places)))
    for number, place in enumerate(places):
        item = odd if number == target else (common, other)[int(rng.integers(2))]
        _draw(canvas, item, place + rng.uniform(-shake, shake, 2))
    return cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)


def _ground(height: int, width: int, rng: np.random.Generator) -> tuple[Pixels, Color]:
    background = random_color(rng) if rng.random() < 0.5 else hsv(0, 0, rng.choice([0.0, 0.5, 0.75, 1.0]))
    canvas = np.empty((height * _SUPERSAMPLING, width * _SUPERSAMPLING, 3), np.uint8)
    canvas[:] = background
    return canvas, background


def _places(height: int, width: int, pitch: float) -> Points:
    """Return the (x, y) of a grid that is centred in the picture."""
    columns, rows = max(1, int(width / pitch)), max(1, int(height / pitch))
    x = width / 2 + (np.arange(columns) - (columns - 1) / 2) * pitch
    y = height / 2 + (np.arange(rows) - (rows - 1) / 2) * pitch
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)


def _draw(canvas: Pixels, item: Item, place: Points) -> None:
    turn = np.array([[np.cos(item.angle), -np.sin(item.angle)], [np.sin(item.angle), np.cos(item.angle)]])
    points = (_OUTLINES[item.shape] @ turn.T * item.reach + place) * _SUPERSAMPLING
    cv2.fillPoly(canvas, [np.rint(points * 16).astype(np.int32)], item.color, cv2.LINE_AA, shift=4)


def _regular(corners: int, inner: float = 1.0) -> Points:
    """Return a polygon or, with an inner radius, a star."""
    count = corners if inner == 1.0 else 2 * corners
    angles = np.arange(count) * 2 * np.pi / count - np.pi / 2
    radii = np.where(np.arange(count) % 2 == 0, 1.0, inner)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)


def _of(*corners: tuple[float, float]) -> Points:
    return np.array(corners, np.float64)


_OUTLINES: dict[str, Points] = {
    "bar": _of((-0.25, -1), (0.25, -1), (0.25, 1), (-0.25, 1)),
    "disc": _regular(32) * 0.8,
    "square": _of((-0.7, -0.7), (0.7, -0.7), (0.7, 0.7), (-0.7, 0.7)),
    "triangle": _regular(3),
    "star": _regular(5, 0.42),
    "cross": _of(
        (-0.28, -0.9), (0.28, -0.9), (0.28, -0.28), (0.9, -0.28), (0.9, 0.28), (0.28, 0.28), (0.28, 0.9),
        (-0.28, 0.9), (-0.28, 0.28), (-0.9, 0.28), (-0.9, -0.28), (-0.28, -0.28),
    ),
    "L": _of((-0.7, -0.9), (-0.2, -0.9), (-0.2, 0.4), (0.7, 0.4), (0.7, 0.9), (-0.7, 0.9)),
    "T": _of(
        (-0.8, -0.9), (0.8, -0.9), (0.8, -0.4), (0.25, -0.4), (0.25, 0.9), (-0.25, 0.9), (-0.25, -0.4), (-0.8, -0.4),
    ),
}  # fmt: skip
