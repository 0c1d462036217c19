"""Whether another rule than the most attention makes better crops: sharper or flatter densities, centre priors, blur.

Rules are compared on the parts that models may learn from (MIT1003's training part, and OSIE's, which `gaze` learned
from), so that the pages of crops stay a test. Windows are the largest of their aspect: they move along one side, and
every place is looked at. Writes docs/results/crop-rules.md.

    python benchmarks/crop_rules.py [--every N]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from _tables import SHARED, markdown_table, provenance, write_page
from scipy.ndimage import gaussian_filter1d

from salbox.apps import attend
from salbox.apps._windows import largest
from salbox.apps.sizes import parse_size
from salbox.datasets import Fixations, open_dataset
from salbox.models.loading import load

SETS = {
    "MIT1003 train": ("mit1003:MIT1003", "train"),
    "OSIE train": ("osie:OSIE", "train"),
    "MIT1003 validation": ("mit1003:MIT1003", "validation"),
}
SIZES = ("1:1", "16:9", "9:16")
CELLS = 128  # along the longest side
CENTER_SIGMA = 0.25  # of the centre prior, as a share of each side

Values = npt.NDArray[np.float64]
Change = Callable[[Values], Values]


@dataclass(frozen=True)
class Line:
    """The places of a window along the side on which it moves: what people's fixations say of each."""

    axis: int
    side: int
    window: int
    kept: Values

    @property
    def centered(self) -> float:
        """What the window in the middle keeps."""
        return float(self.kept[len(self.kept) // 2])


def line(shape: tuple[int, int], looks: Fixations, ratio: float) -> Line | None:
    """Return the places of the largest window of an aspect; None where there is but one."""
    width, height = largest(shape, ratio)
    axis = 1 if width < shape[1] else 0
    side, window = shape[axis], (height, width)[axis]
    if side - window < 2:
        return None
    places, where = np.arange(side - window + 1), np.sort((looks.y, looks.x)[axis])
    kept = np.searchsorted(where, places + window) - np.searchsorted(where, places)
    return Line(axis, side, window, kept / len(where))


def chosen(density: Values, along: Line, blur: float = 0.0) -> float:
    """Return what people's fixations say of the place that keeps most of a density; the middle one of equals."""
    marginal = density.sum(axis=1 - along.axis)
    if blur:
        marginal = gaussian_filter1d(marginal, blur * len(marginal), mode="constant")
    edges = np.arange(len(marginal) + 1) * along.side / len(marginal)
    sums, places = np.append(0, np.cumsum(marginal)), np.arange(len(along.kept))
    score = np.interp(places + along.window, edges, sums) - np.interp(places, edges, sums)
    best = np.flatnonzero(score >= score.max() - 1e-9)
    return float(along.kept[best[len(best) // 2]])


def sharper(temperature: float) -> Change:
    """Return what divides the log of a density by a temperature."""
    return lambda density: density ** (1 / temperature)


def center_prior(weight: float) -> Change:
    """Return what multiplies a density by a Gaussian around the middle, to a power."""

    def change(density: Values) -> Values:
        y, x = (((np.arange(side) + 0.5) / side - 0.5) ** 2 for side in density.shape)
        return density * np.exp(-0.5 * weight / CENTER_SIGMA**2 * (y[:, None] + x))

    return change


def as_it_is(density: Values) -> Values:
    """Return a density as it is."""
    return density


RULES: dict[str, tuple[Change, float]] = {
    "the most attention, as `salbox crop`": (as_it_is, 0.0),
    **{f"temperature {each:g}": (sharper(each), 0.0) for each in (0.7, 1.4, 2.0)},
    **{f"centre prior, {each:+g}": (center_prior(each), 0.0) for each in (-0.5, 0.5, 1.0)},
    **{f"blurred by {each:g} of the side": (as_it_is, each) for each in (0.03, 0.06)},
}


def of_set(spec: str, split: str, every: int) -> dict[str, dict[str, list[float]]]:
    """Return, by size and rule, what is kept more than by the centre crop, a figure a photo."""
    kind, _, folder = spec.partition(":")
    data = open_dataset(f"{kind}:{SHARED / 'data' / folder}", split)
    model = load("gaze")
    found: dict[str, dict[str, list[float]]] = {size: {} for size in SIZES}
    for index in range(0, len(data), every):
        shape, looks = data.shape(index), data.fixations(index)
        seen = _small(attend(data.items[index].image, model).density)
        for size in SIZES:
            along = line(shape, looks, parse_size(size).ratio)
            if along is None:
                continue
            for rule, (change, blur) in RULES.items():
                gain = chosen(change(seen), along, blur) - along.centered
                found[size].setdefault(rule, []).append(gain)
            found[size].setdefault("best that there is", []).append(float(along.kept.max()) - along.centered)
    return found


def main(every: int) -> None:
    """Measure, and write the page."""
    measured = {
        name: of_set(*given, max(1, every // 2) if name.endswith("validation") else every)
        for name, given in SETS.items()
    }
    rows = [
        [rule, *(f"{np.mean(found[size][rule]):+.4f}" for found in measured.values() for size in SIZES)]
        for rule in (*RULES, "best that there is")
    ]
    gains = np.array([[float(cell) for cell in row[1:]] for row in rows[: len(RULES)]])
    most = (gains - gains[0]).max()
    counts = ", ".join(f"{len(found[SIZES[0]]['best that there is'])} of {name}" for name, found in measured.items())
    text = f"""# Rules for crops

The share of people's fixations that the window of a rule keeps more than the centre crop, means over photos: {counts}.
Every rule changes the density of `gaze` before the window that holds most of it is taken. `salbox crop` takes it as it
is: no rule keeps more by above {most:.3f} in any column.

{markdown_table(("rule", *(f"{name} {size}" for name in SETS for size in SIZES)), rows, figures=9)}

{provenance(("salbox", "numpy"))} Written by `benchmarks/crop_rules.py --every {every}`.
"""
    write_page("crop-rules.md", text)


def _small(density: Values) -> Values:
    scale = min(1.0, CELLS / max(density.shape))
    size = (max(1, round(density.shape[1] * scale)), max(1, round(density.shape[0] * scale)))
    return np.asarray(cv2.resize(density, size, interpolation=cv2.INTER_AREA), np.float64)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--every",
        type=int,
        default=2,
        help="every n-th photo of the training parts, twice as many of the validation part",
    )
    main(parser.parse_args().every)
