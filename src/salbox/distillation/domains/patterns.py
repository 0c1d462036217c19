"""Patterns without a photo: gratings, fractals, spirals, checkerboards. Of the image only the size is taken."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...types import Pixels
from ._palette import Color, contrasting, random_color

FloatMap = npt.NDArray[np.floating]


def gratings(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return gratings: over the whole field, as a plaid, with a patch of another orientation, or an array of Gabors."""
    height, width = image.shape[:2]
    kind = rng.choice(["field", "plaid", "patch", "gabors"], p=[0.2, 0.2, 0.3, 0.3])
    x, y = _centered_grid(height, width)
    cycles, angle = rng.uniform(6, 40), rng.uniform(0, np.pi)
    wave = _wave(x, y, cycles, angle, rng)
    if kind == "plaid":
        wave = (wave + _wave(x, y, rng.uniform(6, 40), angle + rng.uniform(0.5, 2.6), rng)) / 2
    elif kind == "patch":
        turned = _wave(x, y, cycles, angle + rng.uniform(0.3, np.pi - 0.3), rng)
        wave = np.where(_patch(x, y, rng), turned, wave)
    elif kind == "gabors":
        wave = _gabors(x, y, cycles, angle, rng)
    share = 0.5 + 0.5 * rng.uniform(0.4, 1.0) * wave
    dark = random_color(rng)
    return _between(share, dark, contrasting(rng, dark))


def fractal(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a fractal in colours: a Julia set, or clouds (noise whose amplitude falls with frequency)."""
    height, width = image.shape[:2]
    values = _julia(height, width, rng) if rng.random() < 0.75 else _clouds(height, width, rng)
    table = _color_table(rng)
    return table[np.rint(values * 255).astype(np.uint8)]


def spirals(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return one to five spirals or sets of rings, side by side."""
    height, width = image.shape[:2]
    x, y = _centered_grid(height, width)
    centers = rng.uniform(-0.8, 0.8, (int(rng.choice([1, 1, 2, 3, 5])), 2)) * (float(x.max()), float(y.max()))
    distances = np.stack([np.hypot(x - cx, y - cy) for cx, cy in centers])
    nearest = distances.argmin(axis=0)
    share = np.zeros((height, width), np.float32)
    for number, (cx, cy) in enumerate(centers):
        radius, angle = distances[number], np.arctan2(y - cy, x - cx)
        arms, turns = int(rng.integers(0, 7)), rng.uniform(6, 22)
        along = np.log(radius + 0.01) * rng.uniform(3, 8) if rng.random() < 0.5 else radius * turns * 2 * np.pi
        wave = np.sin(along + arms * angle * rng.choice([-1, 1]))
        wave = np.tanh(wave * 8) if rng.random() < 0.5 else wave
        share = np.where(nearest == number, 0.5 + 0.5 * wave, share)
    dark = random_color(rng)
    return _between(share, dark, contrasting(rng, dark))


def checkerboard(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Return a checkerboard, straight or seen at an angle, with up to three cells of another colour."""
    height, width = image.shape[:2]
    x, y = _centered_grid(height, width)
    angle = rng.uniform(0, np.pi) if rng.random() < 0.5 else 0.0
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    depth = 1 / (1 + rng.uniform(0, 1.2) * v) if rng.random() < 0.4 else 1.0
    cells = rng.uniform(5, 18)
    column, row = np.floor((u * depth + 1) * cells), np.floor((v * depth + 1) * cells)
    even = (column + row) % 2 == 0
    dark = random_color(rng)
    light = contrasting(rng, dark)
    picture = _between(even.astype(np.float32), dark, light)
    for _ in range(int(rng.integers(0, 4))):
        i, j = int(rng.integers(height)), int(rng.integers(width))
        picture[(column == column[i, j]) & (row == row[i, j])] = contrasting(rng, dark, light)
    return picture


def _centered_grid(height: int, width: int) -> tuple[FloatMap, FloatMap]:
    """Return x and y of each pixel: 0 in the middle, the longest side from -1/2 to 1/2."""
    longest = max(height, width)
    rows, columns = np.indices((height, width), dtype=np.float32)
    return (columns - (width - 1) / 2) / longest, (rows - (height - 1) / 2) / longest


def _wave(x: FloatMap, y: FloatMap, cycles: float, angle: float, rng: np.random.Generator) -> FloatMap:
    """Return a grating of -1..1, sinusoidal or of bars, with `cycles` along the longest side."""
    phase = 2 * np.pi * (cycles * (x * np.cos(angle) + y * np.sin(angle)) + rng.random())
    wave = np.sin(phase)
    return np.tanh(6 * wave) if rng.random() < 0.4 else wave


def _patch(x: FloatMap, y: FloatMap, rng: np.random.Generator) -> npt.NDArray[np.bool_]:
    """Return a disc or square somewhere."""
    reach = rng.uniform(0.05, 0.16)
    dx, dy = (
        x - rng.uniform(0.75, 1) * rng.choice([-1, 1]) * rng.random() * x.max(),
        y - rng.uniform(-1, 1) * y.max() / 2,
    )
    return np.maximum(np.abs(dx), np.abs(dy)) < reach if rng.random() < 0.5 else np.hypot(dx, dy) < reach


def _gabors(x: FloatMap, y: FloatMap, cycles: float, angle: float, rng: np.random.Generator) -> FloatMap:
    """Return an array of Gabor patches of -1..1, one of them turned."""
    pitch = rng.uniform(0.1, 0.2)
    column, row = np.rint(x / pitch), np.rint(y / pitch)
    inside = np.exp(-((x / pitch - column) ** 2 + (y / pitch - row) ** 2) / (2 * 0.17**2))
    i, j = int(rng.integers(x.shape[0])), int(rng.integers(x.shape[1]))
    odd = (column == column[i, j]) & (row == row[i, j])
    turned = angle + rng.uniform(0.4, np.pi - 0.4)
    cycles = max(cycles, 3 / pitch)
    return inside * np.where(odd, _wave(x, y, cycles, turned, rng), _wave(x, y, cycles, angle, rng))


def _julia(height: int, width: int, rng: np.random.Generator, steps: int = 96) -> FloatMap:
    """Return how fast z² + c escapes, smoothed (log of the log of |z|), its values spread evenly over 0..1."""
    # Along the rim of the main cardioid of the Mandelbrot set the Julia sets are richest.
    turn = rng.uniform(0, 2 * np.pi)
    c = np.complex64((0.5 * np.exp(1j * turn) - 0.25 * np.exp(2j * turn)) * rng.uniform(1.01, 1.08))
    x, y = _centered_grid(height, width)
    zoom, tilt = rng.uniform(0.8, 2.8), np.exp(1j * rng.uniform(0, np.pi))
    z = ((x + 1j * y) * zoom * tilt + rng.uniform(-0.3, 0.3) + 1j * rng.uniform(-0.3, 0.3)).astype(np.complex64).ravel()
    escape = np.full(z.size, float(steps), np.float32)
    alive = np.arange(z.size)
    for step in range(steps):
        z = z * z + c
        size = np.abs(z)
        out = size > 16
        escape[alive[out]] = step + 1 - np.log2(np.log2(size[out]))
        z, alive = z[~out], alive[~out]
        if not alive.size:
            break
    return _spread(escape).reshape(height, width)


def _clouds(height: int, width: int, rng: np.random.Generator) -> FloatMap:
    """Return noise with amplitude 1 / frequency^1.2 to ^2, its values spread evenly over 0..1."""
    frequency = np.hypot(np.fft.fftfreq(height)[:, None] * height, np.fft.rfftfreq(width)[None] * width)
    spectrum = np.fft.rfft2(rng.standard_normal((height, width))) / np.maximum(frequency, 1) ** rng.uniform(1.2, 2.0)
    return _spread(np.fft.irfft2(spectrum, (height, width)).astype(np.float32).ravel()).reshape(height, width)


def _spread(values: FloatMap) -> FloatMap:
    """Return the rank of each value, equal ones sharing theirs: 0..1."""
    levels, where = np.unique(np.round(values, 3), return_inverse=True)
    share = np.cumsum(np.bincount(where, minlength=levels.size)) / values.size
    return ((share - share[0]) / max(float(share[-1] - share[0]), 1e-6)).astype(np.float32)[where]


def _color_table(rng: np.random.Generator) -> Pixels:
    """Return 256 colours that run through three to six, from dark to light and back more than once."""
    stops = np.array([random_color(rng) for _ in range(int(rng.integers(3, 7)))], np.float64)
    stops[:: int(rng.integers(2, 4))] *= rng.uniform(0, 0.35)
    places = np.linspace(0, 255, len(stops))
    return np.stack([np.rint(np.interp(np.arange(256), places, stops[:, k])) for k in range(3)], axis=1).astype(
        np.uint8
    )


def _between(share: FloatMap, low: Color, high: Color) -> Pixels:
    """Return colours between two: `low` where the share is 0, `high` where it is 1."""
    first, second = np.array(low, np.float32), np.array(high, np.float32)
    return np.rint(first + np.clip(share, 0, 1)[:, :, None] * (second - first)).astype(np.uint8)
