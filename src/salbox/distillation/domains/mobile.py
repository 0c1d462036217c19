"""Screens of a telephone: feed, list, player, form, gallery, product."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...types import Pixels
from ._canvas import Canvas
from ._content import action, brand, headline, person, piece, price, prose, words
from ._icons import icon, person_icon
from ._palette import Palette, mixed, random_palette, readable_on

HEIGHT = 640


def mobile_ui(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return the screen of an application with the photo in it: (640, 296 to 360, 3) uint8."""
    palette = random_palette(rng)
    canvas = Canvas(int(rng.choice([296, 320, 360])), HEIGHT, palette.page)
    screen = _SCREENS[int(rng.integers(len(_SCREENS)))]
    screen(canvas, image, palette, rng)
    return canvas.pixels()


def _status(canvas: Canvas, palette: Palette, rng: np.random.Generator, *, title: str | None) -> float:
    """Draw the system's bar and, with a title, the application's; return the y below."""
    colored = title is not None and rng.random() < 0.5
    ink = palette.on_accent if colored else palette.text
    if colored:
        canvas.box(0, 0, canvas.width, 68, palette.accent)
    canvas.text(14, 11, f"{int(rng.integers(7, 22))}:{int(rng.integers(10, 59))}", 10, ink, bold=True, anchor="lm")
    canvas.box(canvas.width - 34, 7, 20, 9, None, radius=2, outline=ink)
    canvas.box(canvas.width - 32, 9, 16 * rng.random(), 5, ink)
    for k in range(4):
        canvas.box(canvas.width - 58 + 5 * k, 14 - 2 * k, 3, 3 + 2 * k, ink)
    if title is None:
        return 22
    canvas.line([(22, 37), (15, 44), (22, 51)], ink, 2)
    canvas.text(canvas.width / 2, 44, title, 16, ink, bold=True, anchor="mm", within=canvas.width - 100)
    icon(canvas, canvas.width - 24, 44, 8, ink, rng)
    return 70


def _tabs(canvas: Canvas, palette: Palette, rng: np.random.Generator) -> None:
    """Draw the bar of icons at the bottom."""
    canvas.box(0, HEIGHT - 50, canvas.width, 50, palette.panel)
    canvas.box(0, HEIGHT - 50, canvas.width, 1, mixed(palette.page, palette.text, 0.15))
    count = int(rng.integers(3, 6))
    chosen = int(rng.integers(count))
    for k in range(count):
        x, color = (k + 0.5) * canvas.width / count, palette.accent if k == chosen else palette.faint
        icon(canvas, x, HEIGHT - 31, 9, color, rng)
        canvas.text(x, HEIGHT - 11, headline(rng, 1, 1), 8, color, anchor="mm", within=50)


def _feed(canvas: Canvas, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    y = _status(canvas, palette, rng, title=brand(rng))
    photo = image
    while y < HEIGHT - 60:
        canvas.photo(12, y + 8, 30, 30, piece(image, rng), radius=15)
        canvas.text(50, y + 16, person(rng), 12, palette.text, bold=True, anchor="lm")
        canvas.text(50, y + 30, f"{int(rng.integers(2, 59))} min", 9, palette.faint, anchor="lm")
        height = canvas.width * rng.uniform(0.6, 1.0)
        canvas.photo(0, y + 46, canvas.width, height, photo)
        y += 46 + height
        for k in range(3):
            icon(canvas, 24 + 34 * k, y + 18, 8, palette.accent if k == 0 else palette.text, rng)
        canvas.text(canvas.width - 14, y + 18, f"{int(rng.integers(3, 900))} likes", 10, palette.text, anchor="rm")
        y = canvas.paragraph(12, y + 34, canvas.width - 24, prose(rng, 14), 11, palette.text, lines=2) + 8
        photo = piece(image, rng)
    _tabs(canvas, palette, rng)


def _list(canvas: Canvas, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    y = _status(canvas, palette, rng, title=headline(rng, 1, 2))
    canvas.box(12, y + 8, canvas.width - 24, 28, mixed(palette.page, palette.text, 0.08), radius=14)
    canvas.text(28, y + 22, "Search", 11, palette.faint, anchor="lm")
    y += 46
    pictures, pitch = rng.random() < 0.6, float(rng.integers(52, 68))
    while y < HEIGHT - 60:
        reach = 0.33 * pitch
        if pictures:
            canvas.photo(14, y + pitch / 2 - reach, 2 * reach, 2 * reach, piece(image, rng), radius=reach)
        else:
            canvas.disc(14 + reach, y + pitch / 2, reach, palette.accent if rng.random() < 0.5 else palette.second)
            icon(canvas, 14 + reach, y + pitch / 2, 0.5 * reach, palette.page, rng)
        left = 28 + 2 * reach
        canvas.text(left, y + 0.34 * pitch, person(rng), 13, palette.text, bold=True, anchor="lm")
        room = canvas.width - left - 60
        canvas.text(left, y + 0.66 * pitch, words(rng, 5).capitalize(), 10.5, palette.faint, anchor="lm", within=room)
        if rng.random() < 0.3:
            canvas.disc(canvas.width - 24, y + pitch / 2, 9, palette.accent)
            canvas.text(
                canvas.width - 24, y + pitch / 2, str(int(rng.integers(1, 9))), 10, palette.on_accent, anchor="mm"
            )
        canvas.box(left, y + pitch - 1, canvas.width - left, 1, mixed(palette.page, palette.text, 0.1))
        y += pitch
    _tabs(canvas, palette, rng)


def _player(canvas: Canvas, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    y = _status(canvas, palette, rng, title=str(rng.choice(["Now playing", "Radio", "Library"])))
    side = canvas.width - 60.0
    canvas.photo(30, y + 16, side, side, image, radius=float(rng.choice([4, 12, side / 2])))
    y += side + 40
    middle = canvas.width / 2
    canvas.text(middle, y, headline(rng, 2, 3), 19, palette.text, bold=True, anchor="ma", within=canvas.width - 40)
    canvas.text(middle, y + 28, person(rng), 12, palette.faint, anchor="ma")
    share = rng.uniform(0.1, 0.9)
    canvas.box(30, y + 60, side, 4, mixed(palette.page, palette.text, 0.2), radius=2)
    canvas.box(30, y + 60, side * share, 4, palette.accent, radius=2)
    canvas.disc(30 + side * share, y + 62, 6, palette.accent)
    y = min(y + 115, HEIGHT - 90.0)
    canvas.disc(middle, y, 30, palette.accent)
    canvas.polygon([(middle - 8, y - 13), (middle - 8, y + 13), (middle + 15, y)], palette.on_accent)
    for side_of in (-1, 1):
        for dx in (62, 72):
            tip = middle + side_of * (dx + 10)
            base = middle + side_of * dx
            canvas.polygon([(base, y - 9), (base, y + 9), (tip, y)], palette.text)
    _tabs(canvas, palette, rng)


def _form(canvas: Canvas, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    if rng.random() < 0.6:
        canvas.photo(0, 0, canvas.width, 230, image)
        canvas.shade(0, 110, canvas.width, 120, palette.page, 0, 1)
    _status(canvas, palette, rng, title=None)
    canvas.text(canvas.width / 2, 190, brand(rng), 30, palette.accent, bold=True, anchor="mm")
    canvas.text(canvas.width / 2, 222, words(rng, 4).capitalize(), 12, palette.text, anchor="mm")
    y = 256.0
    for label in ("Name", "E-mail", "Password")[int(rng.integers(2)) :]:
        canvas.box(
            28, y, canvas.width - 56, 42, palette.panel, radius=8, outline=mixed(palette.page, palette.text, 0.2)
        )
        canvas.text(42, y + 21, label, 12, palette.faint, anchor="lm")
        y += 54
    canvas.box(28, y + 8, canvas.width - 56, 44, palette.accent, radius=float(rng.choice([6, 22])))
    canvas.text(canvas.width / 2, y + 30, action(rng), 14, palette.on_accent, bold=True, anchor="mm")
    canvas.text(canvas.width / 2, y + 76, "Forgot password?", 11, palette.accent, anchor="mm")
    for k in range(3):
        x = canvas.width / 2 + 56 * (k - 1)
        canvas.disc(x, y + 124, 20, palette.panel)
        icon(canvas, x, y + 124, 9, (palette.second, palette.accent, palette.text)[k], rng)


def _gallery(canvas: Canvas, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    y = _status(canvas, palette, rng, title=headline(rng, 1, 2))
    if rng.random() < 0.6:
        canvas.photo(canvas.width / 2 - 36, y + 10, 72, 72, piece(image, rng), radius=36)
        canvas.text(canvas.width / 2, y + 96, person(rng), 15, palette.text, bold=True, anchor="mm")
        for k, label in enumerate(("posts", "followers", "following")):
            x = (k + 0.5) * canvas.width / 3
            canvas.text(x, y + 122, str(int(rng.integers(3, 999))), 15, palette.text, bold=True, anchor="mm")
            canvas.text(x, y + 138, label, 9, palette.faint, anchor="mm")
        y += 152
    columns = int(rng.integers(2, 4))
    side = canvas.width / columns
    first = True
    while y < HEIGHT:
        for column in range(columns):
            canvas.photo(column * side + 1, y + 1, side - 2, side - 2, image if first else piece(image, rng))
            first = False
        y += side
    _tabs(canvas, palette, rng)


def _product(canvas: Canvas, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    height = canvas.width * rng.uniform(0.8, 1.1)
    canvas.photo(0, 0, canvas.width, height, image)
    canvas.shade(0, 0, canvas.width, 40, palette.page, 0.8, 0)
    _status(canvas, palette, rng, title=None)
    y = height - 18
    canvas.box(0, y, canvas.width, HEIGHT - y, palette.page, radius=18)
    y = canvas.paragraph(18, y + 18, canvas.width - 110, headline(rng, 2, 4), 19, palette.text, bold=True, lines=2)
    canvas.text(canvas.width - 18, height + 4, price(rng), 20, palette.accent, bold=True, anchor="ra")
    for k in range(5):
        canvas.disc(24 + 16 * k, y + 8, 5, palette.second if k < 4 else mixed(palette.page, palette.text, 0.2))
    canvas.text(110, y + 8, f"{int(rng.integers(10, 900))} reviews", 10, palette.faint, anchor="lm")
    y = canvas.paragraph(18, y + 24, canvas.width - 36, prose(rng, 40), 11, palette.faint, lines=5) + 10
    for k in range(int(rng.integers(3, 6))):
        canvas.box(18 + 48 * k, y, 40, 32, palette.accent if k == 0 else palette.panel, radius=8)
        ink = readable_on(palette.accent) if k == 0 else palette.text
        canvas.text(38 + 48 * k, y + 16, ("XS", "S", "M", "L", "XL")[k], 12, ink, anchor="mm")
    canvas.box(18, HEIGHT - 62, canvas.width - 36, 46, palette.accent, radius=float(rng.choice([8, 23])))
    canvas.text(canvas.width / 2, HEIGHT - 39, action(rng), 15, palette.on_accent, bold=True, anchor="mm")


def _messages(canvas: Canvas, image: Pixels, palette: Palette, rng: np.random.Generator) -> None:
    y = _status(canvas, palette, rng, title=person(rng)) + 12
    while y < HEIGHT - 70:
        mine = rng.random() < 0.5
        color = palette.accent if mine else mixed(palette.page, palette.text, 0.1)
        if rng.random() < 0.25:
            wide, tall = 170.0, 120.0
            canvas.photo(canvas.width - wide - 14 if mine else 46, y, wide, tall, image, radius=14)
        else:
            text, wide = prose(rng, int(rng.integers(3, 16))), canvas.width * 0.62
            wide = min(wide, canvas.measure(text, 12) + 24)
            tall = 16 + 16.2 * np.ceil((canvas.measure(text, 12) + 40) / (wide - 20)) if wide > 180 else 32.0
            x = canvas.width - wide - 14 if mine else 46.0
            canvas.box(x, y, wide, tall, color, radius=14)
            canvas.paragraph(x + 12, y + 8, wide - 20, text, 12, readable_on(color))
        if not mine:
            canvas.disc(26, y + tall - 13, 13, palette.second)
            person_icon(canvas, 26, y + tall - 13, 8, palette.page)
        y += tall + 10
    canvas.box(0, HEIGHT - 52, canvas.width, 52, palette.panel)
    canvas.box(14, HEIGHT - 42, canvas.width - 74, 32, palette.page, radius=16)
    canvas.disc(canvas.width - 30, HEIGHT - 26, 16, palette.accent)


_Screen = Callable[[Canvas, Pixels, Palette, np.random.Generator], None]
_SCREENS: tuple[_Screen, ...] = (_feed, _list, _player, _form, _gallery, _product, _messages)
