"""Web pages around a photo: article, landing page, shop, blog, portal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...types import Pixels
from ._canvas import Canvas
from ._content import action, brand, button, headline, logo, menu, person, piece, price, prose
from ._icons import icon
from ._palette import Palette, mixed, random_palette

WIDTH = 640  # and 400 to 500 high: a window, reduced
_MARGIN = 28


def web_page(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a web page with the photo in it: (400 to 500, 640, 3) uint8."""
    palette = random_palette(rng)
    canvas = Canvas(WIDTH, int(rng.integers(400, 501)), palette.page)
    top = _header(canvas, palette, rng)
    layout = _LAYOUTS[int(rng.integers(len(_LAYOUTS)))]
    layout(canvas, top, image, palette, rng)
    return canvas.pixels()


def _header(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> float:
    """Draw the bar with logo and menu and return the y below it."""
    height = float(rng.integers(34, 54))
    colored = rng.random() < 0.3
    if colored:
        canvas.box(0, 0, WIDTH, height, palette.accent)
    elif rng.random() < 0.5:
        canvas.box(0, height - 1, WIDTH, 1, mixed(palette.page, palette.text, 0.15))
    ink = palette.on_accent if colored else palette.text
    size = height * 0.38
    bar = Palette(palette.accent, palette.panel, ink, ink, palette.second, ink) if colored else palette
    end = _MARGIN + logo(canvas, _MARGIN, height / 2 - 0.6 * size, size, brand(rng), bar, rng)
    entries = menu(rng, int(rng.integers(4, 8)))
    x = float(WIDTH - _MARGIN)
    if rng.random() < 0.5:
        x -= 80
        button(canvas, x, height / 2 - 9.5, str(rng.choice(["Sign in", "Log in", "Cart (2)"])), 9, palette.second)
    for entry in reversed(entries):
        x -= canvas.measure(entry, 9.5) + 14
        if x < end + 10:
            break
        canvas.text(x, height / 2, entry, 9.5, ink, anchor="lm")
    return height


def _article(canvas: Canvas, top: float, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    """A story with its photo and a column of others beside it."""
    side = 150.0
    column = WIDTH - 2 * _MARGIN - side - 24
    left, right = (_MARGIN, _MARGIN + column + 24) if rng.random() < 0.75 else (_MARGIN + side + 24, _MARGIN)
    y = canvas.paragraph(
        left, top + 18, column, headline(rng, 5, 9), rng.uniform(19, 27), palette.text, bold=True, lines=2
    )
    canvas.text(left, y + 2, f"By {person(rng)}  |  {int(rng.integers(1, 29))} May", 8.5, palette.faint)
    height = column * rng.uniform(0.5, 0.65)
    canvas.photo(left, y + 18, column, height, image)
    y += height + 24
    y = canvas.paragraph(left, y, column, prose(rng, 9), 8.5, palette.faint, lines=1) + 4
    canvas.paragraph(left, y, column, prose(rng, 160), 10.5, palette.text)
    _sidebar(canvas, right, top + 18, side, image, palette, rng)


def _sidebar(
    canvas: Canvas, x: float, y: float, width: float, image: Pixels, palette: Palette, rng: np.random.Generator
) -> None:
    if rng.random() < 0.6:
        height = float(rng.integers(90, 150))
        canvas.box(x, y, width, height, palette.second)
        canvas.paragraph(x + 12, y + 14, width - 24, headline(rng, 2, 4), 15, palette.page, bold=True, lines=3)
        button(canvas, x + 12, y + height - 30, action(rng), 9, palette.accent)
        y += height + 14
    canvas.text(x, y, str(rng.choice(["Most read", "Related", "Latest", "Also see"])), 12, palette.accent, bold=True)
    y += 20
    thumbnails = rng.random() < 0.6
    while y < canvas.height - 40:
        indent = 0
        if thumbnails:
            canvas.photo(x, y, 46, 36, piece(image, rng))
            indent = 54
        canvas.paragraph(x + indent, y, width - indent, headline(rng, 4, 8), 9, palette.text, lines=3)
        y += 48
        canvas.box(x, y - 6, width, 1, mixed(palette.page, palette.text, 0.12))


def _landing(canvas: Canvas, top: float, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    """A large photo with a title over or beside it, and three advantages below."""
    height = canvas.height * rng.uniform(0.45, 0.6)
    over = rng.random() < 0.6
    if over:
        canvas.photo(0, top, WIDTH, height, image)
        canvas.shade(0, top, WIDTH, height, (10, 12, 18), rng.uniform(0.35, 0.7), rng.uniform(0, 0.2), sideways=True)
        ink, left, width = (255, 255, 255), 40.0, WIDTH * 0.5
    else:
        canvas.box(0, top, WIDTH, height, mixed(palette.page, palette.accent, 0.12))
        half = WIDTH / 2
        photo_left = rng.random() < 0.5
        canvas.photo(
            24 if photo_left else half + 10, top + 20, half - 34, height - 40, image, radius=rng.choice([0, 10])
        )
        ink, left, width = palette.text, (half + 16 if photo_left else 40.0), half - 60
    y = canvas.paragraph(left, top + height * 0.2, width, headline(rng), rng.uniform(24, 34), ink, bold=True, lines=3)
    y = canvas.paragraph(left, y + 4, width, prose(rng, 14), 11, ink, lines=3) + 8
    end = left + button(canvas, left, y, action(rng), 11.5, palette.accent, radius=float(rng.choice([0, 4, 12])))
    if rng.random() < 0.5:
        canvas.text(end + 14, y + 12, action(rng), 11, ink, anchor="lm")
    _advantages(canvas, top + height + 22, palette, rng)


def _advantages(canvas: Canvas, top: float, palette: Palette, rng: np.random.Generator) -> None:
    count = int(rng.integers(3, 5))
    width = (WIDTH - 2 * _MARGIN) / count
    for number in range(count):
        x = _MARGIN + number * width
        middle = x + width / 2
        canvas.disc(middle, top + 18, 18, mixed(palette.page, palette.accent, 0.2))
        icon(canvas, middle, top + 18, 9, palette.accent, rng)
        canvas.text(middle, top + 44, headline(rng, 1, 2), 12, palette.text, bold=True, anchor="ma", within=width - 10)
        canvas.paragraph(x + 10, top + 62, width - 20, prose(rng, 18), 9.5, palette.faint, align="centre", lines=5)


def _shop(canvas: Canvas, top: float, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    """A grid of goods, the photo among them in pieces, with filters at the side."""
    canvas.text(_MARGIN, top + 14, headline(rng, 1, 2), 18, palette.text, bold=True, within=106)
    y = top + 46
    for _ in range(int(rng.integers(2, 5))):
        canvas.text(_MARGIN, y, headline(rng, 1, 1), 10, palette.text, bold=True)
        for _ in range(int(rng.integers(2, 6))):
            y += 15
            canvas.box(_MARGIN, y, 8, 8, palette.page, outline=palette.faint, line=0.5)
            canvas.text(_MARGIN + 13, y - 1, headline(rng, 1, 2), 8.5, palette.faint, within=80)
        y += 22
    columns = int(rng.integers(3, 5))
    left = 140.0
    pitch = (WIDTH - _MARGIN - left) / columns
    tall = pitch * rng.uniform(1.15, 1.4)
    y, first = top + 20, True
    while y < canvas.height:
        for column in range(columns):
            x = left + column * pitch
            canvas.box(x, y, pitch - 12, tall - 12, palette.panel, radius=4)
            canvas.photo(x, y, pitch - 12, tall - 56, image if first else piece(image, rng), radius=4)
            first = False
            canvas.text(x + 6, y + tall - 50, headline(rng, 1, 3), 9.5, palette.text, within=pitch - 24)
            canvas.text(x + 6, y + tall - 34, price(rng), 12, palette.accent, bold=True)
            if rng.random() < 0.2:
                canvas.box(x + 6, y + 6, 34, 14, palette.second, radius=2)
                canvas.text(x + 23, y + 13, "Sale", 9, palette.page, bold=True, anchor="mm")
        y += tall


def _blog(canvas: Canvas, top: float, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    """One narrow column: title, photo, text."""
    width = float(rng.integers(340, 440))
    left = (WIDTH - width) / 2
    y = canvas.paragraph(
        left, top + 22, width, headline(rng, 4, 8), 24, palette.text, bold=True, lines=2, align="centre"
    )
    canvas.text(WIDTH / 2, y + 2, f"{person(rng)}, {int(rng.integers(2, 12))} minutes", 9.5, palette.faint, anchor="ma")
    y = canvas.paragraph(left, y + 24, width, prose(rng, 30), 11, palette.text, lines=4) + 6
    height = width * rng.uniform(0.45, 0.65)
    canvas.photo(left, y, width, height, image, radius=float(rng.choice([0, 8])))
    canvas.paragraph(left, y + height + 12, width, prose(rng, 160), 11, palette.text)


def _portal(canvas: Canvas, top: float, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    """A dense front page: a lead story, columns of links and small pictures."""
    if rng.random() < 0.5:
        canvas.box(_MARGIN, top + 8, WIDTH - 2 * _MARGIN, 44, palette.second)
        canvas.text(WIDTH / 2, top + 30, headline(rng, 4, 7), 18, palette.page, bold=True, anchor="mm", within=460)
        top += 52
    lead = 300.0
    canvas.photo(_MARGIN, top + 12, lead, 170, image)
    y = canvas.paragraph(_MARGIN, top + 188, lead, headline(rng, 5, 9), 18, palette.text, bold=True, lines=2)
    canvas.paragraph(_MARGIN, y + 2, lead, prose(rng, 60), 9.5, palette.faint)
    columns = 2
    pitch = (WIDTH - 2 * _MARGIN - lead - 16) / columns
    for column in range(columns):
        x, y = _MARGIN + lead + 16 + column * pitch, top + 12
        while y < canvas.height - 20:
            canvas.box(x, y, pitch - 12, 15, palette.accent)
            canvas.text(x + 5, y + 7.5, headline(rng, 1, 1), 9, palette.on_accent, bold=True, anchor="lm")
            y += 20
            if rng.random() < 0.5:
                canvas.photo(x, y, pitch - 12, 60, piece(image, rng))
                y += 65
            for _ in range(int(rng.integers(2, 6))):
                y = canvas.paragraph(x, y, pitch - 12, headline(rng, 3, 7), 8.5, palette.text, lines=2) + 3
            y += 8


_Layout = Callable[[Canvas, float, Pixels, Palette, np.random.Generator], None]
_LAYOUTS: tuple[_Layout, ...] = (_article, _landing, _shop, _blog, _portal)
