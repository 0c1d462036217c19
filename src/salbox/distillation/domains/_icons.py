"""Signs for layouts, and stars."""

from __future__ import annotations

import numpy as np

from ._canvas import Canvas
from ._palette import Color, mixed, readable_on


def icon(canvas: Canvas, x: float, y: float, reach: float, color: Color, rng: np.random.Generator) -> None:
    """Draw one of a dozen signs around (x, y)."""
    _ICONS[int(rng.integers(len(_ICONS)))](canvas, x, y, reach, color)


def person_icon(canvas: Canvas, x: float, y: float, reach: float, color: Color) -> None:
    """Draw head and shoulders."""
    canvas.disc(x, y - 0.4 * reach, 0.42 * reach, color)
    canvas.sector(x, y + 0.95 * reach, 0.8 * reach, -0.25, 0.25, color)


def _house(canvas: Canvas, x: float, y: float, r: float, color: Color) -> None:
    canvas.polygon([(x - r, y), (x, y - r), (x + r, y)], color)
    canvas.box(x - 0.7 * r, y, 1.4 * r, 0.9 * r, color)


def _bars(canvas: Canvas, x: float, y: float, r: float, color: Color) -> None:
    for k, height in enumerate((0.8, 1.3, 1.9)):
        canvas.box(x - r + k * 0.72 * r, y + r - height * r, 0.5 * r, height * r, color)


def _glass(canvas: Canvas, x: float, y: float, r: float, color: Color) -> None:
    canvas.arc(x - 0.2 * r, y - 0.2 * r, 0.75 * r, 0, 1, color, 0.22 * r)
    canvas.line([(x + 0.35 * r, y + 0.35 * r), (x + r, y + r)], color, 0.28 * r)


def _heart(canvas: Canvas, x: float, y: float, r: float, color: Color) -> None:
    for side in (-1, 1):
        canvas.disc(x + side * 0.45 * r, y - 0.3 * r, 0.52 * r, color)
    canvas.polygon([(x - 0.93 * r, y - 0.1 * r), (x + 0.93 * r, y - 0.1 * r), (x, y + r)], color)


def _bolt(canvas: Canvas, x: float, y: float, r: float, color: Color) -> None:
    shape = ((0.2, -1), (-0.6, 0.15), (-0.05, 0.15), (-0.25, 1), (0.6, -0.2), (0.05, -0.2))
    canvas.polygon([(x + dx * r, y + dy * r) for dx, dy in shape], color)


def _gear(canvas: Canvas, x: float, y: float, r: float, color: Color) -> None:
    angles = np.arange(32) * np.pi / 16
    radii = np.where(np.arange(32) % 4 < 2, r, 0.75 * r)
    outline = [(x + d * np.cos(a), y + d * np.sin(a)) for a, d in zip(angles, radii, strict=True)]
    canvas.polygon(outline, color)
    canvas.disc(x, y, 0.32 * r, readable_on(color))


def _letter(canvas: Canvas, x: float, y: float, r: float, color: Color) -> None:
    canvas.box(x - r, y - 0.7 * r, 2 * r, 1.4 * r, color, radius=0.15 * r)
    flap = [(x - 0.85 * r, y - 0.5 * r), (x, y + 0.15 * r), (x + 0.85 * r, y - 0.5 * r)]
    canvas.line(flap, readable_on(color), 0.14 * r)


def _clock(canvas: Canvas, x: float, y: float, r: float, color: Color) -> None:
    canvas.arc(x, y, r, 0, 1, color, 0.2 * r)
    canvas.line([(x, y - 0.6 * r), (x, y), (x + 0.45 * r, y + 0.1 * r)], color, 0.18 * r)


def _drop(canvas: Canvas, x: float, y: float, r: float, color: Color) -> None:
    canvas.disc(x, y + 0.35 * r, 0.62 * r, color)
    canvas.polygon([(x - 0.56 * r, y + 0.1 * r), (x, y - r), (x + 0.56 * r, y + 0.1 * r)], color)


def _flag(canvas: Canvas, x: float, y: float, r: float, color: Color) -> None:
    canvas.box(x - 0.7 * r, y - r, 0.18 * r, 2 * r, color)
    canvas.polygon([(x - 0.5 * r, y - r), (x + 0.9 * r, y - 0.5 * r), (x - 0.5 * r, y)], color)


def _globe(canvas: Canvas, x: float, y: float, r: float, color: Color) -> None:
    canvas.disc(x, y, r, color)
    inner = mixed(color, readable_on(color), 0.7)
    canvas.line([(x - r, y), (x + r, y)], inner, 0.12 * r)
    canvas.line([(x, y - r), (x - 0.45 * r, y), (x, y + r)], inner, 0.12 * r)
    canvas.line([(x, y - r), (x + 0.45 * r, y), (x, y + r)], inner, 0.12 * r)


def _star(canvas: Canvas, x: float, y: float, r: float, color: Color) -> None:
    canvas.polygon(star_points(x, y, r, 5, 0.42), color)


def star_points(x: float, y: float, reach: float, points: int, inner: float) -> list[tuple[float, float]]:
    """Return the corners of a star; its inner radius is a share of the outer one."""
    angles = np.arange(2 * points) * np.pi / points - np.pi / 2
    radii = np.where(np.arange(2 * points) % 2 == 0, reach, inner * reach)
    return [(x + d * float(np.cos(a)), y + d * float(np.sin(a))) for a, d in zip(angles, radii, strict=True)]


_ICONS = (_house, _bars, _glass, _heart, _bolt, _gear, _letter, _clock, _drop, _flag, _globe, _star, person_icon)
