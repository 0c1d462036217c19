"""Infographics: a title and sections of charts, figures and icons, one below the other."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...types import Pixels
from ._canvas import Canvas
from ._content import brand, headline, prose
from ._icons import icon, person_icon
from ._palette import Color, Palette, mixed, random_palette, readable_on

_FOOT = 16  # height of the line that names the source


def infographic(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return an infographic, 640 high and 320 to 480 wide; nothing of the photo is in it."""
    palette = random_palette(rng)
    canvas = Canvas(int(rng.integers(320, 481)), 640, palette.page)
    y = _title(canvas, palette, rng)
    room = canvas.height - _FOOT - y
    # As many sections as fit, of unequal heights that fill the page.
    chosen = rng.permutation(len(_SECTIONS))[: max(1, round(room / rng.uniform(120, 160)))]
    heights = rng.uniform(0.85, 1.15, len(chosen))
    heights *= room / heights.sum()
    banded = rng.random() < 0.5
    for number, (kind, height) in enumerate(zip(chosen, heights, strict=True)):
        ground = mixed(palette.page, palette.accent, 0.14) if banded and number % 2 else palette.page
        canvas.box(0, y, canvas.width, height, ground)
        canvas.text(20, y + 10, headline(rng, 2, 4), 14, palette.accent, bold=True, within=canvas.width - 40)
        _SECTIONS[kind](canvas, 20, y + 32, canvas.width - 40.0, float(height) - 42, palette, rng)
        y += float(height)
    canvas.box(0, canvas.height - _FOOT, canvas.width, _FOOT, palette.accent)
    canvas.text(canvas.width / 2, canvas.height - _FOOT / 2, f"Source: {brand(rng)}", 8, palette.on_accent, anchor="mm")
    return canvas.pixels()


def _title(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> float:
    """Draw the title on its ground and return the y below."""
    text, size = headline(rng, 3, 5).upper(), canvas.width * rng.uniform(0.06, 0.085)
    width = canvas.width - 40.0
    lines = min(2, canvas.count_lines(text, size, width))
    height = 26 + 1.35 * size * lines + 16
    canvas.box(0, 0, canvas.width, height, palette.accent)
    ink = palette.on_accent
    y = canvas.paragraph(20, 14, width, text, size, ink, bold=True, lines=lines, align="centre")
    canvas.paragraph(30, y, width - 20, prose(rng, 9), 9.5, ink, lines=1, align="centre")
    return height


def _series(palette: Palette, count: int) -> list[Color]:
    """Return colours for the parts of a chart."""
    steps = np.linspace(0, 0.75, count)
    return [
        mixed(palette.accent if k % 2 == 0 else palette.second, palette.page, float(step) * 0.6)
        for k, step in enumerate(steps)
    ]


def _bar_chart(
    canvas: Canvas, x: float, y: float, width: float, height: float, palette: Palette, rng: np.random.Generator
) -> None:
    count = int(rng.integers(4, 9))
    values = rng.uniform(0.2, 1, count)
    pitch = width / count
    highlight = int(values.argmax())
    for k, value in enumerate(values):
        tall = value * (height - 26)
        color = palette.second if k == highlight else palette.accent
        canvas.box(x + k * pitch + 4, y + height - 14 - tall, pitch - 8, tall, color)
        canvas.text(
            x + (k + 0.5) * pitch, y + height - 17 - tall, f"{round(100 * value)}", 9, palette.text, anchor="ms"
        )
        canvas.text(x + (k + 0.5) * pitch, y + height - 10, str(2010 + k), 8, palette.faint, anchor="ma")
    canvas.box(x, y + height - 14, width, 1, palette.faint)


def _rows(
    canvas: Canvas, x: float, y: float, width: float, height: float, palette: Palette, rng: np.random.Generator
) -> None:
    count = int(rng.integers(3, 6))
    pitch = height / count
    for k in range(count):
        top, share = y + k * pitch, rng.uniform(0.15, 0.95)
        canvas.text(x, top + pitch / 2, headline(rng, 1, 1), 10, palette.text, anchor="lm", within=70)
        canvas.box(x + 76, top + 4, width - 120, pitch - 9, mixed(palette.page, palette.text, 0.12), radius=4)
        canvas.box(x + 76, top + 4, (width - 120) * share, pitch - 9, palette.accent, radius=4)
        canvas.text(x + width, top + pitch / 2, f"{round(100 * share)}%", 12, palette.text, bold=True, anchor="rm")


def _pie(
    canvas: Canvas, x: float, y: float, width: float, height: float, palette: Palette, rng: np.random.Generator
) -> None:
    reach = height / 2
    middle = (x + reach, y + reach) if rng.random() < 0.5 else (x + width - reach, y + reach)
    count = int(rng.integers(3, 6))
    ends = np.concatenate([[0], np.cumsum(rng.dirichlet(np.full(count, 2.0)))])
    colors = _series(palette, count)
    for k in range(count):
        canvas.sector(*middle, reach, float(ends[k]), float(ends[k + 1]), colors[k])
    if rng.random() < 0.5:
        canvas.disc(*middle, 0.55 * reach, palette.page)
        canvas.text(*middle, f"{round(100 * ends[1])}%", 0.4 * reach, palette.text, bold=True, anchor="mm")
    left = x + 2 * reach + 16 if middle[0] < x + width / 2 else x
    for k in range(count):
        top = y + (k + 0.5) * height / count
        canvas.box(left, top - 5, 10, 10, colors[k])
        canvas.text(left + 16, top, headline(rng, 1, 3), 10, palette.text, anchor="lm", within=width - 2 * reach - 40)


def _figures(
    canvas: Canvas, x: float, y: float, width: float, height: float, palette: Palette, rng: np.random.Generator
) -> None:
    count = int(rng.integers(2, 4))
    pitch = width / count
    for k in range(count):
        middle = x + (k + 0.5) * pitch
        reach = min(0.2 * height, 0.2 * pitch)
        canvas.disc(middle, y + reach, reach, palette.second)
        icon(canvas, middle, y + reach, 0.55 * reach, readable_on(palette.second), rng)
        number = str(
            rng.choice([f"{int(rng.integers(2, 99))}%", f"{int(rng.integers(1, 9))}x", f"{int(rng.integers(1, 90))}M"])
        )
        canvas.text(
            middle, y + 2.2 * reach, number, 0.28 * height, palette.accent, bold=True, anchor="ma", within=pitch
        )
        text = prose(rng, 6)
        canvas.paragraph(
            middle - pitch / 2 + 6,
            y + 2.3 * reach + 0.34 * height,
            pitch - 12,
            text,
            9,
            palette.text,
            lines=2,
            align="centre",
        )


def _people(
    canvas: Canvas, x: float, y: float, width: float, height: float, palette: Palette, rng: np.random.Generator
) -> None:
    count, filled = 10, int(rng.integers(2, 9))
    pitch = width / count
    reach = min(0.42 * pitch, 0.3 * height)
    for k in range(count):
        color = palette.accent if k < filled else mixed(palette.page, palette.text, 0.2)
        person_icon(canvas, x + (k + 0.5) * pitch, y + reach, reach, color)
    text = f"{filled} of {count} " + prose(rng, 8).lower()
    canvas.paragraph(x, y + 2.4 * reach, width, text, 13, palette.text, bold=True, lines=2, align="centre")


def _curve(
    canvas: Canvas, x: float, y: float, width: float, height: float, palette: Palette, rng: np.random.Generator
) -> None:
    for k in range(4):
        canvas.box(x, y + k * height / 4, width, 0.5, mixed(palette.page, palette.text, 0.15))
    count = int(rng.integers(6, 14))
    for color in (palette.accent, palette.second)[: int(rng.integers(1, 3))]:
        walk = np.cumsum(rng.standard_normal(count))
        walk = (walk - walk.min()) / max(float(np.ptp(walk)), 1e-6)
        points = [(x + k * width / (count - 1), y + height * (0.95 - 0.85 * float(v))) for k, v in enumerate(walk)]
        canvas.line(points, color, 2.5)
        for px, py in points:
            canvas.disc(px, py, 3, color)


def _steps(
    canvas: Canvas, x: float, y: float, width: float, height: float, palette: Palette, rng: np.random.Generator
) -> None:
    count = int(rng.integers(3, 6))
    pitch = width / count
    reach = min(0.2 * pitch, 0.18 * height)
    canvas.box(x + pitch / 2, y + reach - 1, width - pitch, 2, palette.faint)
    for k in range(count):
        middle = x + (k + 0.5) * pitch
        canvas.disc(middle, y + reach, reach, palette.accent if k % 2 == 0 else palette.second)
        canvas.text(middle, y + reach, str(k + 1), 1.1 * reach, palette.on_accent, bold=True, anchor="mm")
        canvas.text(
            middle, y + 2.3 * reach, headline(rng, 1, 1), 10.5, palette.text, bold=True, anchor="ma", within=pitch - 6
        )
        canvas.paragraph(
            middle - pitch / 2 + 4,
            y + 2.3 * reach + 16,
            pitch - 8,
            prose(rng, 10),
            8,
            palette.faint,
            lines=4,
            align="centre",
        )


_Section = Callable[[Canvas, float, float, float, float, Palette, np.random.Generator], None]
_SECTIONS: tuple[_Section, ...] = (_bar_chart, _rows, _pie, _figures, _people, _curve, _steps)
