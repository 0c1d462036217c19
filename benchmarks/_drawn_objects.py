"""Ten drawn objects whose alpha is known: with holes, thin parts and soft edges, before a grained background."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageDraw

WIDTH, HEIGHT = 1200, 900
FINER = 3  # times as large as they are drawn
NETWORK = 320  # pixels at which a network looks
SOFT = 12.0  # pixels, standard deviation of the one soft edge
FRONTS = ((190, 60, 50), (60, 140, 70), (60, 80, 190), (200, 170, 60), (150, 60, 160))
BACKS = ((90, 110, 120), (150, 150, 140), (180, 160, 150), (60, 70, 60), (120, 130, 90))

Draw = Callable[[ImageDraw.ImageDraw, int], None]
CENTER = (WIDTH // 2, HEIGHT // 2)


def _disc(draw: ImageDraw.ImageDraw, k: int, x: float, y: float, radius: float, fill: int = 255) -> None:
    draw.ellipse([k * (x - radius), k * (y - radius), k * (x + radius), k * (y + radius)], fill=fill)


def _ring(draw: ImageDraw.ImageDraw, k: int) -> None:
    _disc(draw, k, *CENTER, 300)
    _disc(draw, k, *CENTER, 170, 0)


def _mug(draw: ImageDraw.ImageDraw, k: int) -> None:
    _disc(draw, k, 760, 470, 140)
    _disc(draw, k, 760, 470, 70, 0)
    draw.rounded_rectangle([350 * k, 250 * k, 700 * k, 700 * k], 40 * k, fill=255)


def _wheel(draw: ImageDraw.ImageDraw, k: int) -> None:
    (x, y), radius = CENTER, 320
    box = [k * (x - radius), k * (y - radius), k * (x + radius), k * (y + radius)]
    draw.ellipse(box, outline=255, width=24 * k)
    for spoke in range(12):
        turn = spoke * math.pi / 6
        end = (k * (x + radius * math.cos(turn)), k * (y + radius * math.sin(turn)))
        draw.line([(k * x, k * y), end], fill=255, width=8 * k)
    _disc(draw, k, x, y, 50)


def _hair(draw: ImageDraw.ImageDraw, k: int) -> None:
    _disc(draw, k, 600, 550, 200)
    random = np.random.default_rng(0)
    for _ in range(160):
        turn, length = random.uniform(math.pi, 2 * math.pi), random.uniform(220, 330)
        bent = turn + random.uniform(-0.3, 0.3)
        start = (k * (600 + 190 * math.cos(turn)), k * (550 + 190 * math.sin(turn)))
        end = (k * (600 + length * math.cos(bent)), k * (550 + length * math.sin(bent)))
        draw.line([start, end], fill=255, width=2 * k)


def _star(draw: ImageDraw.ImageDraw, k: int) -> None:
    radii = [330 if i % 2 == 0 else 140 for i in range(10)]
    turns = [i * math.pi / 5 for i in range(10)]
    draw.polygon(
        [
            (k * (CENTER[0] + r * math.sin(t)), k * (CENTER[1] - r * math.cos(t)))
            for r, t in zip(radii, turns, strict=True)
        ],
        fill=255,
    )


def _comb(draw: ImageDraw.ImageDraw, k: int) -> None:
    draw.rectangle([250 * k, 250 * k, 950 * k, 380 * k], fill=255)
    for x in range(250, 950, 50):
        draw.rectangle([x * k, 380 * k, (x + 22) * k, 700 * k], fill=255)


def _grid(draw: ImageDraw.ImageDraw, k: int) -> None:
    draw.rectangle([300 * k, 200 * k, 900 * k, 700 * k], fill=255)
    for x in range(340, 860, 90):
        for y in range(240, 660, 90):
            draw.rectangle([x * k, y * k, (x + 60) * k, (y + 60) * k], fill=0)


def _two(draw: ImageDraw.ImageDraw, k: int) -> None:
    draw.ellipse([250 * k, 200 * k, 620 * k, 700 * k], fill=255)
    draw.ellipse([700 * k, 300 * k, 980 * k, 640 * k], fill=255)


def _lamp(draw: ImageDraw.ImageDraw, k: int) -> None:
    _disc(draw, k, 600, 300, 150)
    draw.rectangle([585 * k, 440 * k, 615 * k, 800 * k], fill=255)
    draw.rectangle([450 * k, 790 * k, 750 * k, 810 * k], fill=255)


def _soft(draw: ImageDraw.ImageDraw, k: int) -> None:
    _disc(draw, k, 600, 450, 250)


SHAPES: dict[str, Draw] = {
    "ring": _ring, "mug": _mug, "wheel": _wheel, "hair": _hair, "star": _star, "comb": _comb, "grid": _grid,
    "two": _two, "lamp": _lamp, "soft edge": _soft,
}  # fmt: skip


def alpha_of(name: str) -> np.ndarray:
    """Return how much of each pixel is a shape's: (900, 1200) float32 in 0..1."""
    large = Image.new("L", (FINER * WIDTH, FINER * HEIGHT))
    SHAPES[name](ImageDraw.Draw(large), FINER)
    alpha = np.asarray(large.resize((WIDTH, HEIGHT), Image.Resampling.BOX), np.float32) / 255
    return cv2.GaussianBlur(alpha, (0, 0), SOFT) if name == "soft edge" else alpha


def scene(name: str, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the photo of a shape, (900, 1200, 3) uint8, and the shape's own colours, float32 in 0..255."""
    number = list(SHAPES).index(name)
    front = _grained(number, FRONTS[number % 5], 13, 6)
    back = _grained(number + 50, BACKS[3 * number % 5], 15, (3, 15, 40)[number % 3])
    share = alpha[..., None]
    return np.rint(share * front + (1 - share) * back).astype(np.uint8), front


def coarse(alpha: np.ndarray) -> np.ndarray:
    """Return an alpha as a perfect network of `NETWORK` pixels would say it, brought to its size: float32 in 0..1."""
    small = cv2.resize(alpha, (NETWORK, NETWORK), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), 0.8)
    return cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR).clip(0, 1)


def _grained(seed: int, color: tuple[int, int, int], strength: float, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((HEIGHT, WIDTH, 3)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), sigma)
    return np.clip(np.float32(color) + strength * noise / noise.std(), 0, 255)
