"""Two ceilings of people on three data sets: one blur for all images, and a mixture fitted to each.

Needs OSIE, EyeCrowd and MIT1003 (`shared/data` beside the checkout, or SALBOX_SHARED). Results are kept image by image
in cache/ceilings, so that an interrupted run goes on. Writes docs/results/ceilings.md.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _tables import ROOT, SHARED, markdown_table, provenance, write_page

from salbox.datasets import (
    Dataset,
    Fixations,
    ShuffledNegatives,
    center_bias,
    fit_mixture,
    fixation_density,
    leave_one_observer_out,
    mixture_ceiling,
    open_dataset,
)
from salbox.evaluation import CenterBias, Evaluation, HumanCeiling, MixtureCeiling, evaluate
from salbox.metrics import ll
from salbox.types import DoubleMap

KEPT = ROOT / "cache" / "ceilings"
METRICS = ("nss", "ig", "ll")
EVERY = {"OSIE": 1, "EyeCrowd": 1, "MIT1003": 5}  # photos of the split test
NESTED_EVERY = {"OSIE": 4, "EyeCrowd": 2, "MIT1003": 4}  # of those
PLAIN, MIXTURE = HumanCeiling().name, MixtureCeiling().name
BITS = np.log(2)


def photos(name: str) -> Dataset:
    """Return the photos that are measured on."""
    data = open_dataset(f"{name.lower()}:{SHARED / 'data' / name}", "test")
    every = EVERY[name]
    return data if every == 1 else data.subset(range(0, len(data), every), f"every {every}th photo")


def interval(evaluation: Evaluation, row: str, metric: str) -> str:
    found = evaluation.estimate(row, metric)
    assert found is not None
    unit = BITS if metric == "ll" else 1
    value, low, high = (v / unit for v in (found.value, found.low, found.high))
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"


def ceilings(name: str, data: Dataset, evaluation: Evaluation) -> list[list[str]]:
    """Return a line for each row: NSS, information gain and log-likelihood in bits."""
    return [
        [f"{name}, {len(evaluation.images)} photos, sigma {data.sigma(0):g}", row,
         *(interval(evaluation, row, metric) for metric in METRICS)]
        for row in (CenterBias().name, PLAIN, MIXTURE)
    ]  # fmt: skip


@dataclass(frozen=True)
class Fits:
    """What was fitted to some photos, and what their ceilings would be if no setting saw who is predicted."""

    nested: list[float]  # bits a fixation, a photo each
    chosen: Counter[str]
    weights: DoubleMap
    seconds: float


def fits(data: Dataset, every: int) -> Fits:
    """Return the mixtures of every so many-th photo."""
    count = range(len(data))
    negatives = ShuffledNegatives([data.fixations(i) for i in count], [data.shape(i) for i in count])
    nested, weights, seconds = [], [], []
    chosen: Counter[str] = Counter()
    for index in count[::every]:
        fixations, shape, sigma = data.fixations(index), data.shape(index), data.sigma(index)
        center = center_bias([negatives.of(index)], [shape], shape, sigma)
        start = time.process_time()
        mixture = fit_mixture(fixations, shape, sigma, center)
        seconds.append(time.process_time() - start)
        weights.append(mixture.weights)
        chosen[kind(mixture.bandwidth.factor, mixture.bandwidth.neighbor)] += 1
        nested.append(bits(mixture_ceiling(fixations, shape, sigma, center, nested=True)))
        print(index, end=" ", flush=True)
    return Fits(nested, chosen, np.array(weights), float(np.median(seconds)))


def kind(factor: float, neighbor: int) -> str:
    if neighbor:
        return f"distance to neighbour {neighbor} x {factor:g}"
    return "one blur" if factor == 1 else "one blur, narrower" if factor < 1 else "one blur, wider"


def bits(pairs: Iterable[tuple[DoubleMap, Fixations]]) -> float:
    """Return the mean over observers of the mean log-likelihood of their fixations, in bits."""
    return float(np.mean([ll(np.log(density), own) for density, own in pairs])) / BITS


def differences(name: str, evaluation: Evaluation, found: Fits, every: int) -> list[str]:
    """Return a line: the mixture less the plain ceiling in bits, photo by photo, as it is and nested."""
    plain, mixture = (np.asarray(evaluation.rows[row]["ll"], np.float64) / BITS for row in (PLAIN, MIXTURE))
    gain, nested = mixture - plain, np.array(found.nested) - plain[::every]
    return [
        name, f"{gain.mean():+.3f}", f"{gain.min():+.3f}", f"{gain.max():+.3f}", f"{(gain < 0).sum()} of {len(gain)}",
        f"{nested.mean():+.3f}, as it is {gain[::every].mean():+.3f} ({len(nested)} photos)",
        f"{(nested < 0).sum()} of {len(nested)}",
    ]  # fmt: skip


def choices(name: str, found: Fits) -> list[str]:
    """Return a line: which bandwidths were chosen, and the mean weights."""
    each = ", ".join(f"{which}: {number}" for which, number in found.chosen.most_common())
    return [name, each, *(f"{weight:.3f}" for weight in found.weights.mean(axis=0)), f"{1e3 * found.seconds:.0f}"]


def sigma_table() -> str:
    """Return the plain ceiling's NSS on OSIE by the sigma of its blur: the two of other pages, and narrower ones."""
    data = photos("OSIE")
    rows = []
    for sigma in (12.0, 18.0, 24.0, 27.0):
        values = []
        for index in range(len(data)):
            fixations, shape = data.fixations(index), data.shape(index)
            values.append(np.mean([at_points(sigma, *held[1:], shape) for held in leave_one_observer_out(fixations)]))
        rows.append([f"{sigma:g} pixels", f"{np.mean(values):.2f}"])
    return markdown_table(["sigma", "NSS"], rows)


def at_points(sigma: float, own: Fixations, others: Fixations, shape: tuple[int, int]) -> float:
    density = fixation_density(others, shape, sigma)
    return float(((density[own.pixels(shape)] - density.mean()) / density.std()).mean())


def main() -> Path:
    table, gains, chosen = [], [], []
    for name in EVERY:
        data = photos(name)
        evaluation = evaluate(data, [CenterBias(), HumanCeiling(), MixtureCeiling()], METRICS, folder=KEPT, workers=2)
        table += ceilings(name, data, evaluation)
        found = fits(data, NESTED_EVERY[name])
        gains.append(differences(name, evaluation, found, NESTED_EVERY[name]))
        chosen.append(choices(name, found))
    own = ["data set", "row", "NSS", "information gain, bits", "log-likelihood, bits"]
    gained = ["data set", "mean", "least", "most", "photos below", "settings without the observer", "photos below"]
    parts = ["data set", "bandwidth chosen: photos", "blurred", "centre", "uniform", "fit, ms of processor time"]
    some = ", ".join(f"every {every}th photo of {name}" for name, every in EVERY.items() if every > 1)
    text = TEXT.format(
        provenance=provenance(), some=some, table=markdown_table(own, table), gains=markdown_table(gained, gains),
        chosen=markdown_table(parts, chosen), sigmas=sigma_table(),
    )  # fmt: skip
    return write_page("ceilings.md", text)


TEXT = """# How well people predict each other

{provenance} Written by `benchmarks/ceilings.py`.

*human ceiling* (`--ceiling`): the fixations of all other observers, blurred by the data set's sigma, predict one
observer's; 1 % is spread evenly. *human ceiling, mixture* (`--mixture-ceiling`): blurred fixations, the centre bias of
the other photos and a uniform share; the bandwidth, for all fixations or for each in proportion to the distance to
another person's, and the weights are those of each photo by which its observers predict each other best. Information
gain is over the centre bias. In brackets the 95 % interval of a bootstrap over photos.

The split test, {some}.

{table}

## Gain in likelihood

The mixture less the plain ceiling, bits a fixation, photo by photo. The plain ceiling is among what is tried, so that
no photo falls below it. The predicted fixations are never in the density, but bandwidth and weights of a photo were
chosen by all of its observers. How much that flatters the ceiling is in the last two columns: settings chosen anew for
each observer, without that one, which is what a new observer of the photo would meet, beside the gain of the same
photos as it is; then a photo may fall below.

{gains}

{chosen}

## The plain ceiling depends on sigma

Blurred by another sigma, other people predict better or worse. On OSIE test, NSS without the uniform share
(which takes nothing from it): 24 pixels is the data set's own and that of [fixations](fixations.md), 27 that of
[gaze](gaze.md), where densities are compared that others blurred so.

{sigmas}
"""


if __name__ == "__main__":
    main()
