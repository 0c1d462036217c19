"""How well is the next fixation predicted? `gaze` and the centre bias, with and without where one looked before.

Needs the data (`shared` beside the checkout, or SALBOX_SHARED). Figures are kept in runs/scanpaths. Writes
docs/results/scanpaths.md and docs/images/scanpaths.jpg. Fit the saccades anew first if `gaze` has changed:
python scripts/fit_scanpaths.py.

    python benchmarks/scanpaths.py [--photos N] [--workers 2]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from _tables import ROOT, SHARED, markdown_table, provenance, write_page
from PIL import Image
from skimage import data as photos

import salbox
from salbox.datasets import Dataset, open_dataset
from salbox.datasets.scanpaths import scanpaths
from salbox.evaluation import CenterBias, Evaluation, ModelSource, NextFixation
from salbox.evaluation.next_fixation import score_next
from salbox.imaging.scanpaths import draw_scanpaths
from salbox.models.scanpath_model import DensityScanpathModel
from salbox.models.scanpaths import EARLIER_NODES, LAST_NODES, shipped_saccades

KEPT = ROOT / "runs" / "scanpaths"
PICTURE = ROOT / "docs" / "images" / "scanpaths.jpg"
DATA = {"osie": ("OSIE", "test"), "mit1003": ("MIT1003", "validation")}
METRICS = {"nss": "NSS", "ig": "information gain"}
LENGTH = 8  # fixations of a sampled scanpath


@dataclass(frozen=True)
class Row(NextFixation):
    """A row under a name of its own."""

    label: str = ""

    @property
    def name(self) -> str:
        return self.label


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=int, help="of each data set; by default all")
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    sections = []
    for name, (folder, split) in DATA.items():
        data = open_dataset(f"{name}:{SHARED / 'data' / folder}", split)
        if arguments.photos:
            data = data.subset(range(min(arguments.photos, len(data))), "the first ones")
        (other,) = (key for key in DATA if key != name)
        table = score_next(data, rows(name, other), list(METRICS), folder=KEPT, workers=arguments.workers)
        sections.append(section(data, folder, split, table) + lengths(data))
    draw()
    write_page("scanpaths.md", page(sections))


def rows(own: str, other: str) -> list[Row]:
    gaze, center, fitted = ModelSource("gaze"), CenterBias(), shipped_saccades()
    return [
        Row(center, None, "centre bias"),
        Row(center, fitted["general"], "centre bias, scanpath"),
        Row(gaze, None, "gaze"),
        Row(gaze, fitted["general"], "gaze, scanpath (`general`)"),
        Row(gaze, fitted[own], f"gaze, scanpath (`{own}`)"),
        Row(gaze, fitted[other], f"gaze, scanpath (`{other}`, the other laboratory)"),
    ]


def section(data: Dataset, folder: str, split: str, table: Evaluation) -> str:
    lines = []
    for row in table.rows:
        cells = [row]
        for metric in METRICS:
            found, between = table.estimate(row, metric), table.difference(row, metric, "gaze")
            assert found is not None
            less = "" if row == "gaze" or between is None else f" ({between.value:+.2f})"
            cells.append(f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]{less}")
        lines.append(cells)
    between = table.difference("gaze, scanpath (`general`)", "nss", "gaze")
    assert between is not None
    text = f"## {folder} {split}, {len(table.images)} photos\n\n" + markdown_table(["", *METRICS.values()], lines)
    return text + (
        f"\n\n`general` less the density alone: NSS {between.value:+.3f} [{between.low:+.3f}, {between.high:+.3f}].\n\n"
    )


def lengths(data: Dataset) -> str:
    """Return a table of how long saccades are: people's, of sampled scanpaths, of fixations drawn independently."""
    model = salbox.load("gaze")
    following = DensityScanpathModel(model)
    found: dict[str, list[float]] = {"people": [], "scanpaths": [], "independent": []}
    back: dict[str, list[float]] = {name: [] for name in found}
    for index in range(0, len(data), 4):
        pixels, longest = data.pixels(index), max(data.shape(index))
        paths = {
            "people": [np.stack([path.x, path.y], axis=1) for path in scanpaths(data.fixations(index))],
            "scanpaths": list(following.sample(pixels, LENGTH, 4, seed=index)),
            "independent": [model.sample(pixels, LENGTH, seed=index + k) for k in range(4)],
        }
        for name, own in paths.items():
            found[name] += [d for path in own for d in distances(path, 1, longest)]
            back[name] += [d for path in own for d in distances(path, 2, longest)]
    header = ["", "saccade, quartiles", "shorter than .04", "within .04 of the fixation before last"]
    lines = [
        [
            name,
            ", ".join(f"{value:.3f}" for value in np.percentile(own, (25, 50, 75))),
            f"{np.mean(np.array(own) < 0.04):.1%}",
            f"{np.mean(np.array(back[name]) < 0.04):.1%}",
        ]
        for name, own in found.items()
    ]
    return "Lengths, as shares of the longest side, on every fourth photo:\n\n" + markdown_table(header, lines) + "\n\n"


def distances(path: npt.NDArray[Any], back: int, longest: int) -> list[float]:
    return [float(d) for d in np.hypot(*(path[back:] - path[:-back]).T) / longest] if len(path) > back else []


def draw() -> None:
    """Draw two scanpaths each over sample photos."""
    model, height = DensityScanpathModel(salbox.load("gaze")), 340
    pictures = []
    for pixels in (photos.astronaut(), photos.chelsea(), photos.coffee()):
        picture = draw_scanpaths(pixels, list(model.sample(pixels, LENGTH, 2, seed=1)))
        size = (round(picture.shape[1] * height / picture.shape[0]), height)
        pictures.append(np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)))
    gap = np.full((height, 12, 3), 255, np.uint8)
    row = [part for picture in pictures for part in (picture, gap)][:-1]
    Image.fromarray(np.concatenate(row, axis=1)).save(PICTURE, quality=85)


def numbers() -> str:
    """Return tables of the weights that ship."""
    fitted = shipped_saccades()
    parts = (("last", LAST_NODES, "the last fixation, s"), ("previous", EARLIER_NODES, "the one before, r"))
    text = ""
    for field, nodes, title in (*parts, ("earlier", EARLIER_NODES, "each earlier one, e")):
        header = [f"distance to {title}", *(f"{node:g}" for node in nodes)]
        lines = [[name, *(f"{v:+.2f}" for v in getattr(own, field)), "0"] for name, own in fitted.items()]
        text += markdown_table(header, lines) + "\n\n"
    weights = ", ".join(f"`{name}` {own.density:.2f}" for name, own in fitted.items())
    about = "; ".join(f"`{name}`: {own.about.get('fitted_on', '')}, {own.about['photos']} photos, "
                      f"{own.about['fixations']} fixations" for name, own in fitted.items())  # fmt: skip
    return f"{text}The weight of the log density, a: {weights}. Fitted to {about}.\n"


def page(sections: Sequence[str]) -> str:
    return f"""# Scanpaths

{provenance()} Written by `benchmarks/scanpaths.py`; the saccades are fitted by `scripts/fit_scanpaths.py`.

Every fixation that has another of its observer before it is scored under the density of the next fixation, an image's
figure is the mean over its fixations, a row's over images (95 % interval of a bootstrap over images). Chance, the
uniform density, has NSS 0; information gain is over the centre bias of the other photos, in bits a fixation. In
brackets the difference to `gaze` without where one looked before. *scanpath*: with it. The photos measured on had no
part in the fit.

{"".join(sections)}
## The numbers

In nats; distances are shares of the longest side.

{numbers()}"""


if __name__ == "__main__":
    main()
