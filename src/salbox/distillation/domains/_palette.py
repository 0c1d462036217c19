"""Colours that go together, drawn by seed."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

Color = tuple[int, int, int]

WHITE: Color = (255, 255, 255)
BLACK: Color = (0, 0, 0)


@dataclass(frozen=True)
class Palette:
    """The colours of a layout: page, panels on it, text, fainter text, and two that draw the eye."""

    page: Color
    panel: Color
    text: Color
    faint: Color
    accent: Color
    second: Color

    @property
    def on_accent(self) -> Color:
        """What is readable on the accent."""
        return readable_on(self.accent)


def random_palette(rng: np.random.Generator) -> Palette:
    """Return a palette: mostly light pages, some dark, some tinted."""
    hue = rng.random()
    accent = hsv(hue, rng.uniform(0.55, 0.95), rng.uniform(0.55, 0.95))
    second = hsv(hue + rng.choice([0.08, 0.33, 0.5, -0.08]), rng.uniform(0.5, 0.95), rng.uniform(0.5, 0.95))
    kind = rng.choice(["white", "light", "tinted", "dark"], p=[0.45, 0.25, 0.15, 0.15])
    if kind == "dark":
        page, panel = hsv(hue, 0.3, rng.uniform(0.05, 0.16)), hsv(hue, 0.25, rng.uniform(0.18, 0.28))
        return Palette(page, panel, (238, 238, 240), (160, 163, 170), accent, second)
    if kind == "tinted":
        page, panel = hsv(hue + 0.5, rng.uniform(0.08, 0.25), 0.95), WHITE
    elif kind == "light":
        level = int(rng.integers(238, 250))
        page, panel = (level, level, level), WHITE
    else:
        level = int(rng.integers(236, 248))
        page, panel = WHITE, (level, level, level)
    return Palette(page, panel, hsv(hue, 0.25, rng.uniform(0.08, 0.22)), (125, 127, 133), accent, second)


def random_color(rng: np.random.Generator) -> Color:
    """Return a colour: grey, black or white once in four, else of any hue."""
    if rng.random() < 0.25:
        level = int(rng.choice([0, 60, 128, 200, 255]))
        return (level, level, level)
    return hsv(rng.random(), rng.uniform(0.4, 1.0), rng.uniform(0.25, 1.0))


def contrasting(rng: np.random.Generator, *colors: Color) -> Color:
    """Return a colour that differs clearly from others: of a few the most distant one from the nearest of them."""
    candidates = [random_color(rng) for _ in range(6)]

    def distance(candidate: Color) -> float:
        return min(abs(lightness(candidate) - lightness(c)) + 0.3 * _distance(candidate, c) for c in colors)

    return max(candidates, key=distance)


def readable_on(color: Color) -> Color:
    """Return white or nearly black, whichever is readable on a colour."""
    return WHITE if lightness(color) < 0.6 else (28, 28, 32)


def lightness(color: Color) -> float:
    """Return the luma of a colour (ITU-R BT.601), 0..1."""
    return (0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]) / 255


def hsv(hue: float, saturation: float, value: float) -> Color:
    """Return the RGB colour of hue (any number, 1 is a full turn), saturation and value (0..1)."""
    red, green, blue = colorsys.hsv_to_rgb(float(hue) % 1, float(saturation), float(value))
    return (round(255 * red), round(255 * green), round(255 * blue))


def mixed(first: Color, second: Color, share: float) -> Color:
    """Return the colour that lies `share` of the way from one to another."""
    red, green, blue = (round(a + share * (b - a)) for a, b in zip(first, second, strict=True))
    return (red, green, blue)


def _distance(first: Color, second: Color) -> float:
    return float(np.linalg.norm(np.subtract(first, second))) / 255
