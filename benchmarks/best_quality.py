"""At which size, how often and in which shape should `gaze` and `gaze.large` look? On people's fixations.

Needs the data (`shared` beside the checkout, or SALBOX_SHARED). Every look is kept in runs/looks under the network's
fingerprint, so that an interrupted run goes on. Writes docs/results/best-quality.md.

    python benchmarks/best_quality.py [--photos N]   # of each data set; by default all
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from _tables import ROOT, SHARED, markdown_table, provenance, write_page

from salbox.datasets import Dataset, fixation_density, open_dataset
from salbox.evaluation.bootstrap import estimate, resampled
from salbox.imaging.scaling import normalized_log
from salbox.imaging.writing import atomic
from salbox.metrics import auc_judd, cc, nss
from salbox.models.exported import packaged
from salbox.models.profiles import VIEWS
from salbox.models.registry import GAZE, GAZE_LARGE
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.runtime.gaze import MULTISCALE
from salbox.runtime.network import ExportedNetwork, open_network

KEPT = ROOT / "runs" / "looks"
SIDE = 320  # longest side at which maps are scored
METRICS = ("NSS", "AUC-Judd", "CC", "log-likelihood")
# data set -> title, split, sigma of the density that CC compares with as a share of the longest side
DATA = {
    "OSIE": ("osie", "test", 27 / 800),
    "MIT1003": ("mit1003", "validation", 35 / 1024),
    "EyeCrowd": ("eyecrowd", "test", 24 / 1024),
}


@dataclass(frozen=True)
class Look:
    """One pass of the network: how much larger than usual, mirrored or not, in the photo's shape or in 4:3."""

    scale: float = 1.0
    mirrored: bool = False
    stretched: bool = False

    @property
    def name(self) -> str:
        return f"{self.scale:g}{'m' * self.mirrored}{'s' * self.stretched}"


def both_ways(scales: Sequence[float]) -> tuple[Look, ...]:
    return tuple(Look(scale, mirrored) for scale in scales for mirrored in (False, True))


FAST = "fast: one look"
SIZES = f"sizes {', '.join(f'{scale:g}'.lstrip('0') for scale in MULTISCALE)}"
SEVERAL, BEST = f"{SIZES} (`multiscale`)", f"{SIZES}, mirrored (`best`)"
QUALITY: Mapping[str, tuple[Look, ...]] = {
    FAST: (Look(),),
    "mirrored too": both_ways([1.0]),
    "sizes 1, 1.5, mirrored (`best` before)": both_ways([1.0, 1.5]),
    "sizes .75, 1, mirrored": both_ways([0.75, 1.0]),
    "sizes .75, 1, 1.25, mirrored": both_ways([0.75, 1.0, 1.25]),
    BEST: both_ways(MULTISCALE),
    SEVERAL: tuple(map(Look, MULTISCALE)),
}
SMALL = "`gaze`, one look"
LARGE: Mapping[str, tuple[Look, ...]] = {
    "`gaze.large`, one look": (Look(),),
    "mirrored too": both_ways([1.0]),
    "sizes 1, 1.25": (Look(), Look(1.25)),
    SEVERAL: tuple(map(Look, MULTISCALE)),
    BEST: both_ways(MULTISCALE),
}
SCALES = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
LOOKS = (*chain(*QUALITY.values()), *map(Look, SCALES), Look(stretched=True))

Map = npt.NDArray[Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, help="of each data set; by default all")
    arguments = parser.parse_args()
    network, large = (open_network(packaged(model)) for model in (GAZE, GAZE_LARGE))
    folder, of_large = (KEPT / weights_fingerprint(packaged(model))[:12] for model in (GAZE, GAZE_LARGE))
    sections = {"quality": "", "large": "", "scale": "", "shape": ""}
    for name, (key, split, sigma) in DATA.items():
        data = open_dataset(f"{key}:{SHARED / 'data' / name}", split)
        indices = range(len(data))[: arguments.photos]
        densities = {i: looks_of(network, data, i, folder / name, LOOKS) for i in indices}
        larger = {i: looks_of(large, data, i, of_large / name, chain(*LARGE.values())) for i in indices}
        head = f"### {name}, {split} ({len(indices)} photos)\n\n"
        sections["quality"] += head + table(scores(data, densities, sigma, QUALITY), FAST)
        smaller = scores(data, densities, sigma, {SMALL: (Look(),)})
        sections["large"] += head + table({**smaller, **scores(data, larger, sigma, LARGE)}, SMALL)
        scales = {f"{scale:g} times": (Look(scale),) for scale in SCALES}
        sections["scale"] += head + table(scores(data, densities, sigma, scales), "1 times")
        if name == "MIT1003":
            shapes = {"in its own shape": (Look(),), "stretched to 4:3": (Look(stretched=True),)}
            other = {i: found for i, found in densities.items() if abs(ratio(data, i) - 4 / 3) > 0.05}
            upright = {i: found for i, found in densities.items() if ratio(data, i) < 1}
            for title, chosen in (("photos that are not 4:3", other), ("upright photos", upright)):
                if len(chosen) > 1:
                    found = table(scores(data, chosen, sigma, shapes), "in its own shape")
                    sections["shape"] += f"### {name}, {split}, {title} ({len(chosen)})\n\n{found}"
    write_page("best-quality.md", page(sections))


def ratio(data: Dataset, index: int) -> float:
    height, width = data.shape(index)
    return width / height


def looks_of(
    network: ExportedNetwork, data: Dataset, index: int, folder: Path, looks: Iterable[Look]
) -> dict[str, Map]:
    """Return {look: log density, (h, w) float32, longest side `SIDE`} of a photo."""
    wanted = {look.name: look for look in looks}
    file = folder / f"{data.items[index].name}.npz"
    if file.is_file():
        with np.load(file, allow_pickle=False) as kept:
            if set(kept.files) >= set(wanted):
                return {name: kept[name].astype(np.float32) for name in wanted}
    pixels = data.pixels(index)
    found = {name: small(look_at(network, pixels, look)) for name, look in wanted.items()}
    with atomic(file, keep_suffix=True) as temporary:
        np.savez(temporary, **{name: values.astype(np.float16) for name, values in found.items()})
    return found


def look_at(network: ExportedNetwork, pixels: Map, look: Look) -> Map:
    size = network.metadata.preprocessing
    size = replace(size, height=int(size.height * look.scale), width=int(size.width * look.scale))
    size = replace(size, rule="fixed") if look.stretched else size
    given = np.ascontiguousarray(pixels[:, ::-1]) if look.mirrored else pixels
    (density,) = network.maps([given], preprocessing=size)[0].values()
    return density[:, ::-1] if look.mirrored else density


def small(log_density: Map) -> Map:
    """Return a log density whose longest side is `SIDE`, by area."""
    height, width = log_density.shape
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    density = cv2.resize(np.exp(log_density.astype(np.float64)), size, interpolation=cv2.INTER_AREA)
    return normalized_log(np.log(np.maximum(density, 1e-30)))


def scores(
    data: Dataset, densities: Mapping[int, Mapping[str, Map]], sigma: float, rows: Mapping[str, Sequence[Look]]
) -> dict[str, npt.NDArray[np.float64]]:
    """Return {row: (photos, metrics)}; the mean of a row's densities is scored."""
    found: dict[str, list[tuple[float, ...]]] = {row: [] for row in rows}
    for index, looks in densities.items():
        shape = next(iter(looks.values())).shape
        fixations = data.fixations(index).resized(data.shape(index), shape)
        truth = fixation_density(fixations, shape, sigma * max(shape))
        at = fixations.pixels(shape)
        for row, own in rows.items():
            log = normalized_log(np.logaddexp.reduce([looks[look.name] for look in own]))
            density = np.exp(log.astype(np.float64))
            gain = float(np.mean(log[at]) + np.log(log.size)) / np.log(2)
            found[row].append((nss(density, fixations), auc_judd(density, fixations), cc(density, truth), gain))
    return {row: np.array(values) for row, values in found.items()}


def table(found: Mapping[str, npt.NDArray[np.float64]], reference: str) -> str:
    """Return a table of means, and of what rows gain over the reference with the paired bootstrap's interval."""
    lines = []
    for row, values in found.items():
        cells = []
        for k in range(len(METRICS)):
            text = f"{values[:, k].mean():.3f}"
            if row != reference:
                between = values[:, k] - found[reference][:, k]
                own = estimate(float(between.mean()), resampled([between])[0])
                text += f" ({own.value:+.3f} [{own.low:+.3f}, {own.high:+.3f}])"
            cells.append(text)
        lines.append([row, *cells])
    return markdown_table(["", *METRICS], lines) + "\n\n"


def page(sections: Mapping[str, str]) -> str:
    angles = ", ".join(f"{name} {degrees / VIEWS['lab']:.2f}" for name, degrees in VIEWS.items())
    return f"""# How gaze looks

{provenance()} Written by `benchmarks/best_quality.py`.

Maps are scored at a longest side of {SIDE} pixels; the log-likelihood is in bits a fixation above the uniform density.
In brackets what a row gains over the one without, with the 95 % interval of a paired bootstrap over photos. Sizes are
relative to the one at which the network looks by itself; the mean is one of densities.

## Several looks

A larger look is sharper, a smaller one broader: the mean of both sides of the usual size keeps CC on all three sets,
that of the usual and a larger one does not on OSIE.

{sections["quality"]}
## The larger network

What looks of `gaze.large` gain over one of `gaze`.

{sections["large"]}
## The wrong scale

These people all sat at about the same distance, so a look at another size is what a wrong `ppd` or `view` costs
(views as shares of the usual size: {angles}). What is gained where people did sit nearer or farther is not measured:
no such data is at hand.

{sections["scale"]}
## The wrong shape

The network looks at a photo in nearly its own shape; here it is stretched to the sides that it was trained on.

{sections["shape"]}"""


if __name__ == "__main__":
    main()
