"""A sheet to draw layouts on: boxes, text, icons, pieces of photos. Drawn at twice the size and reduced."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ...types import Pixels
from ._palette import Color

_SCALE = 2
_LEADING = 1.35  # from line to line, of the font's size

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Points = list[tuple[float, float]]


class Canvas:
    """A sheet of `width` x `height` pixels; y grows downwards."""

    def __init__(self, width: int, height: int, color: Color) -> None:
        self.width = width
        self.height = height
        self._image = Image.new("RGB", (width * _SCALE, height * _SCALE), color)
        self._draw = ImageDraw.Draw(self._image)

    def pixels(self) -> Pixels:
        """Return the sheet: (height, width, 3) uint8."""
        return cv2.resize(np.asarray(self._image), (self.width, self.height), interpolation=cv2.INTER_AREA)

    def box(
        self, x: float, y: float, width: float, height: float, color: Color | None, *, radius: float = 0,
        outline: Color | None = None, line: float = 1,
    ) -> None:  # fmt: skip
        """Draw a rectangle, its corners rounded by `radius`; what has no extent is left out."""
        if width < 1 or height < 1:
            return
        corners = [x * _SCALE, y * _SCALE, (x + width) * _SCALE - 1, (y + height) * _SCALE - 1]
        radius = min(radius, width / 2, height / 2)
        self._draw.rounded_rectangle(corners, radius * _SCALE, color, outline, max(1, round(line * _SCALE)))

    def disc(self, x: float, y: float, radius: float, color: Color) -> None:
        """Draw a disc around (x, y)."""
        self._draw.ellipse(_around(x, y, radius), color)

    def sector(self, x: float, y: float, radius: float, start: float, end: float, color: Color) -> None:
        """Draw a piece of a pie from one share of the turn to another, clockwise from the top."""
        self._draw.pieslice(_around(x, y, radius), 360 * start - 90, 360 * end - 90, color)

    def arc(self, x: float, y: float, radius: float, start: float, end: float, color: Color, width: float) -> None:
        """Draw a piece of a ring from one share of the turn to another, clockwise from the top."""
        self._draw.arc(_around(x, y, radius), 360 * start - 90, 360 * end - 90, color, round(width * _SCALE))

    def polygon(self, points: Points, color: Color) -> None:
        """Draw a filled polygon."""
        self._draw.polygon(_scaled(points), color)

    def line(self, points: Points, color: Color, width: float = 1) -> None:
        """Draw a line through points."""
        self._draw.line(_scaled(points), color, max(1, round(width * _SCALE)), "curve")

    def photo(self, x: float, y: float, width: float, height: float, photo: Pixels, *, radius: float = 0) -> None:
        """Draw a photo that fills a rectangle, cut where its aspect differs."""
        wide, tall = round(width * _SCALE), round(height * _SCALE)
        if wide < 1 or tall < 1:
            return
        piece = Image.fromarray(_cover(photo, tall, wide))
        mask = Image.new("L", (wide, tall), 0)
        corner = min(radius * _SCALE, wide / 2, tall / 2)
        ImageDraw.Draw(mask).rounded_rectangle([0, 0, wide - 1, tall - 1], corner, 255)
        self._image.paste(piece, (round(x * _SCALE), round(y * _SCALE)), mask)

    def shade(
        self, x: float, y: float, width: float, height: float, color: Color, first: float, last: float,
        *, sideways: bool = False,
    ) -> None:  # fmt: skip
        """Lay a colour over a rectangle, its opacity running from `first` to `last` (0..1)."""
        wide, tall = max(1, round(width * _SCALE)), max(1, round(height * _SCALE))
        ramp = np.linspace(first * 255, last * 255, wide if sideways else tall).astype(np.uint8)
        mask = np.tile(ramp, (tall, 1)) if sideways else np.tile(ramp[:, None], (1, wide))
        layer = Image.new("RGB", (wide, tall), color)
        self._image.paste(layer, (round(x * _SCALE), round(y * _SCALE)), Image.fromarray(mask))

    def text(
        self, x: float, y: float, text: str, size: float, color: Color, *, bold: bool = False, anchor: str = "la",
        within: float | None = None,
    ) -> float:  # fmt: skip
        """Draw one line of text and return its width; `anchor` is Pillow's (la: x is left, y the top).

        The text is set smaller, down to half the size, to fit `within`, and cut if that is not enough.
        """
        if within is not None:
            while size > 6 and self.measure(text, size) > within:
                size *= 0.92
            while len(text) > 1 and self.measure(text, size) > within:
                text = text[:-1]
        stroke = max(1, round(size * _SCALE / 26)) if bold else 0
        self._draw.text(
            (x * _SCALE, y * _SCALE), text, color, _font(round(size * _SCALE)), anchor, stroke_width=stroke,
            stroke_fill=color,
        )  # fmt: skip
        return self.measure(text, size)

    def paragraph(
        self, x: float, y: float, width: float, text: str, size: float, color: Color, *, bold: bool = False,
        lines: int = 99, align: str = "left",
    ) -> float:  # fmt: skip
        """Draw text in at most so many lines of a width and return the y below it; `align` is left or centre."""
        for line in self._broken(text, size, width)[:lines]:
            if y + size > self.height:
                break
            if align == "centre":
                self.text(x + width / 2, y, line, size, color, bold=bold, anchor="ma", within=width)
            else:
                self.text(x, y, line, size, color, bold=bold, within=width)
            y += _LEADING * size
        return y

    def count_lines(self, text: str, size: float, width: float) -> int:
        """Return how many lines a paragraph takes."""
        return len(self._broken(text, size, width))

    def measure(self, text: str, size: float) -> float:
        """Return how wide a line of text is."""
        return float(_font(round(size * _SCALE)).getlength(text)) / _SCALE

    def _broken(self, text: str, size: float, width: float) -> list[str]:
        lines: list[str] = []
        for word in text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and self.measure(longer, size) <= width:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines


def _cover(photo: Pixels, height: int, width: int) -> Pixels:
    """Return a photo scaled to cover a rectangle, its middle cut out: (height, width, 3) uint8."""
    scale = max(height / photo.shape[0], width / photo.shape[1])
    tall, wide = max(height, round(photo.shape[0] * scale)), max(width, round(photo.shape[1] * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(photo, (wide, tall), interpolation=method)
    top, left = (tall - height) // 2, (wide - width) // 2
    return np.ascontiguousarray(resized[top : top + height, left : left + width])


def _around(x: float, y: float, radius: float) -> list[float]:
    return [(x - radius) * _SCALE, (y - radius) * _SCALE, (x + radius) * _SCALE, (y + radius) * _SCALE]


def _scaled(points: Points) -> Points:
    return [(x * _SCALE, y * _SCALE) for x, y in points]


@lru_cache(maxsize=256)
def _font(size: int) -> Font:
    """Return the font that comes with Pillow."""
    return ImageFont.load_default(max(size, 4))
