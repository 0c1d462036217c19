"""What layouts are filled with: words, names, numbers, icons, buttons. Drawn by seed, none of it is anybody's."""

from __future__ import annotations

import numpy as np

from ...types import Pixels
from ._canvas import Canvas
from ._palette import Color, Palette, readable_on

_VOCABULARY = (
    "about above after again air along always animal answer apple area autumn back beach before begin best better "
    "between bird blue boat book bread bridge bright build by camera care carry change city clear close cloud coast "
    "coffee cold colour come corner country cup daily day design door down dream early earth easy evening every eye "
    "family far farm fast field find fine fire first fish flower fly food for forest free fresh friend from full "
    "garden gentle get glass go gold good grand green group grow guide hand happy harbour health heart here high hill "
    "home hope horse hour house how idea in inside island join journey kind kitchen lake land large late learn leaf "
    "less letter life light like line little live local long look love made make map market meal meet milk mind more "
    "morning most mountain move music near never new next night north now ocean of often old on one open orange our "
    "outside over paint paper park part people photo place plain plan plant play point quick quiet rain reach ready "
    "rest river road rock room round run sail sand sea season see share shop short silver simple sky sleep slow small "
    "smart snow soft song sound south spring square star start station stay step stone story street strong study "
    "summer sun sure sweet table take talk team their thing time today together town trail train travel tree true "
    "turn under until up very village visit voice walk wall warm water way week well west wide wild wind window "
    "winter with wonder wood word work world write year yellow young your "
)
_WORDS = tuple(_VOCABULARY.split())
_SYLLABLES = ("al", "bo", "ca", "dri", "el", "fi", "go", "ha", "in", "jo", "ka", "lu", "mo", "ne", "or", "pa", "ra",
              "so", "ti", "vo", "xa", "zen")  # fmt: skip
_MENU = ("Home", "News", "Shop", "About", "Contact", "Blog", "Help", "Sport", "Travel", "Culture", "Pricing", "Team",
         "Docs", "Events", "Jobs", "Science", "Food", "Video")  # fmt: skip
_ACTIONS = ("Buy now", "Learn more", "Sign up", "Get started", "Read more", "Book today", "Try it free", "Subscribe",
            "Download", "Shop now", "Join us", "Add to cart")  # fmt: skip


def words(rng: np.random.Generator, count: int) -> str:
    """Return words in lower case."""
    return " ".join(rng.choice(_WORDS, count))


def headline(rng: np.random.Generator, low: int = 3, high: int = 7) -> str:
    """Return a title of a few words, capitalised in one of three ways."""
    text = words(rng, int(rng.integers(low, high + 1)))
    return (text.capitalize(), text.title(), text.upper())[int(rng.choice(3, p=[0.5, 0.35, 0.15]))]


def prose(rng: np.random.Generator, count: int) -> str:
    """Return sentences of so many words in all."""
    sentences = []
    while count > 0:
        length = min(count, int(rng.integers(6, 14)))
        sentences.append(words(rng, length).capitalize() + ".")
        count -= length
    return " ".join(sentences)


def brand(rng: np.random.Generator) -> str:
    """Return an invented name."""
    name = "".join(rng.choice(_SYLLABLES, int(rng.integers(2, 4))))
    return name.upper() if rng.random() < 0.3 else name.capitalize()


def person(rng: np.random.Generator) -> str:
    """Return an invented first and last name."""
    return " ".join("".join(rng.choice(_SYLLABLES, 2)).capitalize() for _ in range(2))


def menu(rng: np.random.Generator, count: int) -> list[str]:
    """Return entries of a menu, each once."""
    return [str(entry) for entry in rng.choice(_MENU, count, replace=False)]


def action(rng: np.random.Generator) -> str:
    """Return what a button says."""
    return str(rng.choice(_ACTIONS))


def price(rng: np.random.Generator) -> str:
    """Return a price."""
    amount = int(rng.choice([3, 9, 12, 19, 29, 49, 89, 149, 299]))
    # The font that comes with Pillow has no other currency's sign.
    return f"${amount}" + str(rng.choice([".99", ".50", ".-", ""]))


def piece(photo: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a cut-out of a photo, a fifth to a half of each side, half of them in other colours or mirrored.

    It stands for another photo on the page.
    """
    height, width = photo.shape[:2]
    tall, wide = (max(1, round(side * rng.uniform(0.2, 0.5))) for side in (height, width))
    top, left = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
    cut = photo[top : top + tall, left : left + wide]
    if rng.random() < 0.5:
        cut = cut[:, :, rng.permutation(3)]
    return cut[:, ::-1] if rng.random() < 0.5 else cut


def button(canvas: Canvas, x: float, y: float, text: str, size: float, color: Color, *, radius: float = 4) -> float:
    """Draw a button and return its width."""
    width = canvas.measure(text, size) + 2.2 * size
    canvas.box(x, y, width, 2.1 * size, color, radius=radius)
    canvas.text(x + width / 2, y + 1.05 * size, text, size, readable_on(color), bold=True, anchor="mm")
    return width


def logo(
    canvas: Canvas, x: float, y: float, size: float, name: str, palette: Palette, rng: np.random.Generator
) -> float:
    """Draw a sign and a name whose letters are `size` high, and return the width of both."""
    middle, reach = y + size * 0.6, size * 0.62
    kind = int(rng.integers(4))
    if kind == 0:
        canvas.disc(x + reach, middle, reach, palette.accent)
        canvas.disc(x + reach, middle, reach * 0.45, palette.second)
    elif kind == 1:
        canvas.box(x, middle - reach, 2 * reach, 2 * reach, palette.accent, radius=reach * 0.4)
        canvas.text(x + reach, middle, name[0].upper(), size, palette.on_accent, bold=True, anchor="mm")
    elif kind == 2:
        canvas.polygon(
            [(x, middle + reach), (x + reach, middle - reach), (x + 2 * reach, middle + reach)], palette.accent
        )
    else:
        canvas.sector(x + reach, middle, reach, 0, 0.75, palette.accent)
        canvas.sector(x + reach, middle, reach, 0.75, 1, palette.second)
    start = x + 2.5 * reach
    return start - x + canvas.text(start, middle, name, size, palette.text, bold=True, anchor="lm")
