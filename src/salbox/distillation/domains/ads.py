"""Advertisements around a photo: full bleed, half and half, product, poster."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...types import Pixels
from ._canvas import Canvas
from ._content import action, brand, button, headline, logo, piece, price, prose
from ._icons import star_points
from ._palette import BLACK, WHITE, Color, Palette, mixed, random_palette, readable_on

_SIZES = ((640, 480), (480, 640), (640, 640), (640, 400), (512, 640))


def ad(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return an advertisement with the photo in it: longest side 640, landscape, square or portrait."""
    palette = random_palette(rng)
    width, height = _SIZES[int(rng.integers(len(_SIZES)))]
    canvas = Canvas(width, height, palette.page)
    layout = _LAYOUTS[int(rng.integers(len(_LAYOUTS)))]
    layout(canvas, image, palette, rng)
    return canvas.pixels()


def _full_bleed(canvas: Canvas, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    """The photo everywhere, words over its darkened (or lightened) edge."""
    width, height = canvas.width, canvas.height
    canvas.photo(0, 0, width, height, image)
    veil, ink = (BLACK, WHITE) if rng.random() < 0.75 else (WHITE, (25, 25, 30))
    at_top = rng.random() < 0.4
    title, size, room = headline(rng, 2, 5), rng.uniform(0.055, 0.085) * width, 0.88 * width
    lines = min(2, canvas.count_lines(title, size, room))
    block = 1.35 * size * lines + 0.12 * width  # title, small print and button
    reach = min(height, block + 0.25 * height)
    start = 0 if at_top else height - reach
    canvas.shade(0, start, width, reach, veil, *((0.75, 0.0) if at_top else (0.0, 0.8)))
    y = 0.05 * height if at_top else height - block - 0.04 * height
    y = canvas.paragraph(0.06 * width, y, room, title, size, ink, bold=True, lines=lines)
    y = canvas.paragraph(0.06 * width, y + 2, room, prose(rng, 12), 0.024 * width, ink, lines=1)
    button(canvas, 0.06 * width, y + 4, action(rng), 0.026 * width, palette.accent)
    corner = 0.05 * width
    name = brand(rng)
    own = Palette(palette.page, palette.panel, ink, ink, palette.accent, palette.second)
    logo(
        canvas,
        width - corner - 0.2 * width,
        corner if not at_top else height - 2 * corner,
        0.035 * width,
        name,
        own,
        rng,
    )
    if rng.random() < 0.5:
        _badge(canvas, width * 0.84, height * (0.24 if not at_top else 0.6), 0.1 * width, palette.second, rng)


def _half(canvas: Canvas, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    """The photo on one side, words on a plain colour on the other."""
    width, height = float(canvas.width), float(canvas.height)
    ground = palette.accent if rng.random() < 0.6 else palette.page
    ink = readable_on(ground)
    canvas.box(0, 0, width, height, ground)
    share, first = rng.uniform(0.45, 0.62), rng.random() < 0.5
    if width >= height:
        photo_width = share * width
        canvas.photo(0 if first else width - photo_width, 0, photo_width, height, image)
        left, top, room, tall = (photo_width if first else 0.0), 0.0, width - photo_width, height
    else:
        photo_height = share * height
        canvas.photo(0, 0 if first else height - photo_height, width, photo_height, image)
        left, top, room, tall = 0.0, (photo_height if first else 0.0), width, height - photo_height
    unit = min(room, 1.15 * tall)  # what fits a narrow strip fits
    margin = 0.09 * unit
    own = Palette(ground, ground, ink, ink, palette.second, ink)
    logo(canvas, left + margin, top + 0.07 * tall, 0.055 * unit, brand(rng), own, rng)
    width_of_text = room - 2 * margin
    y = top + 0.2 * tall
    y = canvas.paragraph(left + margin, y, width_of_text, headline(rng, 2, 4), 0.1 * unit, ink, bold=True, lines=2)
    y = canvas.paragraph(left + margin, y + 4, width_of_text, prose(rng, 18), 0.045 * unit, ink, lines=3)
    if rng.random() < 0.6:
        color = palette.second if ground == palette.page else ink
        canvas.text(left + margin, y + 2, price(rng), 0.11 * unit, color, bold=True)
        y += 0.15 * unit
    button(canvas, left + margin, min(y + 4, top + tall - 0.12 * unit), action(rng), 0.045 * unit, palette.second)


def _product(canvas: Canvas, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    """A piece of the photo as a product on a plain ground, with a price and a star."""
    width, height = float(canvas.width), float(canvas.height)
    ground: Color = mixed(WHITE, palette.accent, rng.uniform(0.15, 0.9))
    ink = readable_on(ground)
    canvas.box(0, 0, width, height, ground)
    canvas.shade(0, 0, width, height, WHITE, 0.35, 0.0)
    reach = 0.25 * min(width, height)
    x, y = width * rng.uniform(0.35, 0.65), height * 0.56
    canvas.disc(x, y, 1.18 * reach, mixed(ground, WHITE, 0.5))
    radius = reach if rng.random() < 0.5 else 0.1 * reach
    canvas.photo(x - reach, y - reach, 2 * reach, 2 * reach, image, radius=radius)
    title = 0.08 * min(width, 1.2 * height)
    y_text = canvas.paragraph(
        0.05 * width, 0.05 * height, 0.9 * width, headline(rng, 2, 4), title, ink, bold=True, lines=1, align="centre"
    )
    canvas.paragraph(0.15 * width, y_text, 0.7 * width, prose(rng, 9), 0.03 * width, ink, lines=1, align="centre")
    _badge(canvas, x + rng.choice([-1.25, 1.25]) * reach, y + 0.5 * reach, 0.11 * width, palette.second, rng)
    own = Palette(ground, ground, ink, ink, palette.accent, palette.second)
    name = brand(rng)
    size = 0.04 * width
    logo(canvas, width / 2 - canvas.measure(name, size) / 2 - size, height - 2.2 * size, size, name, own, rng)


def _poster(canvas: Canvas, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    """A framed photo, a title and a row of small print."""
    width, height = float(canvas.width), float(canvas.height)
    margin = 0.05 * width
    photo_height = height * rng.uniform(0.5, 0.62)
    below = rng.random() < 0.6
    top = margin if below else height - photo_height - margin
    canvas.photo(margin, top, width - 2 * margin, photo_height, image)
    y = top + photo_height + 0.02 * height if below else 0.04 * height
    room = height - photo_height - 2 * margin
    size = min(0.085 * width, 0.28 * room)
    y = canvas.paragraph(
        margin, y, width - 2 * margin, headline(rng, 2, 4), size, palette.text, bold=True, lines=1, align="centre"
    )
    small = min(0.024 * width, 0.1 * room)
    y = canvas.paragraph(margin, y, width - 2 * margin, prose(rng, 30), small, palette.faint, lines=2, align="centre")
    count = int(rng.integers(0, 5))
    side = min(0.12 * width, 0.3 * room)
    for number in range(count):
        x = width / 2 + (number - (count - 1) / 2) * 1.3 * side
        canvas.photo(x - side / 2, y + 4, side, side, piece(image, rng), radius=4)
    logo(canvas, margin, y + 4, 0.12 * room, brand(rng), palette, rng)
    canvas.text(width - margin, y + 2, price(rng), 0.24 * room, palette.accent, bold=True, anchor="ra")


def _badge(canvas: Canvas, x: float, y: float, reach: float, color: Color, rng: np.random.Generator) -> None:
    """Draw a star or disc with a price or a discount."""
    if rng.random() < 0.6:
        canvas.polygon(star_points(x, y, reach, int(rng.integers(12, 20)), 0.82), color)
    else:
        canvas.disc(x, y, reach, color)
    ink = readable_on(color)
    text = price(rng) if rng.random() < 0.5 else f"-{int(rng.choice([10, 20, 25, 30, 50]))}%"
    canvas.text(x, y, text, 0.6 * reach, ink, bold=True, anchor="mm", within=1.4 * reach)
    canvas.text(x, y - 0.5 * reach, str(rng.choice(["only", "now", "save", "new"])), 0.24 * reach, ink, anchor="mm")


_Layout = Callable[[Canvas, Pixels, Palette, np.random.Generator], None]
_LAYOUTS: tuple[_Layout, ...] = (_full_bleed, _half, _product, _poster)
