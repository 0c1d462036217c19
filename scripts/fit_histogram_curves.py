"""Fit what makes the shipped students' maps histogram-matched ones, and put it into the network's file.

    python scripts/fit_histogram_curves.py [--network src/salbox/runtime/data/box.onnx] [--teacher HEAD=NAME_OR_PATH]
        [--only HEAD ...]

To be run again whenever the network's weights have changed: curves hold for the weights that they were fitted to, and
for no others. `--only` fits those of some heads; the others keep what the file has. Learned from are photos of OSIE's
and EyeCrowd's training splits, `--photos` of each. The teachers' maps, matched to the histogram of a mean fixation map,
are kept in runs/histogram-matched and made once; a teacher is whom the network's file names, of a branch's heads that
of scripts/add_branch.py, unless another name or path stands in `--teacher`.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from add_branch import TEACHERS
from distil_students import ROOT, WEIGHTS, number, photos
from gaze_data import TRAINED
from scipy.optimize import isotonic_regression

from salbox.distillation.teachers.augmentations import View, plain_view
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.distillation.teachers.teacher import Teacher, map_folder, teach_views
from salbox.imaging.histograms import Histogram
from salbox.imaging.postprocess import PostProcess
from salbox.models.exported import packaged
from salbox.models.loading import card
from salbox.models.registry import SHIPPED
from salbox.networks.export.histogram_curves import put_curves
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.runtime.histogram_curves import HistogramCurves
from salbox.runtime.metadata import INPUT, OUTPUT
from salbox.runtime.network import ExportedNetwork, open_network

MAPS = Path(os.environ.get("SALBOX_RUNS", ROOT / "runs")) / "histogram-matched" / "maps"
MATCHED = PostProcess(histogram_matching="biased")  # the mean fixation map that KDSalBox matches to
SETS = ("OSIE", "EyeCrowd")
BINS = 1024  # of ranks, in each of which the teacher's values are averaged
POINTS = 64
# Closer together towards 1: where values are large they rise steeply.
QUANTILES = tuple(float(q) for q in 1 - (1 - np.arange(1, POINTS + 1) / POINTS) ** 2)
DIGITS = 5

Map = npt.NDArray[Any]


@dataclass
class Bins:
    """Means of the teacher's values over ranks of the student's."""

    totals: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(BINS))
    counts: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(BINS, np.int64))

    def add(self, student: Map, teacher: Map) -> None:
        """Take a picture in: the network's own map, (h, w), and the teacher's of any size."""
        at_size = cv2.resize(teacher, student.shape[::-1], interpolation=cv2.INTER_AREA)
        own = Histogram.of(student)
        ranks = own.quantiles[np.searchsorted(own.values, student)]
        bins = np.minimum((ranks * BINS).astype(int), BINS - 1).ravel()
        self.totals += np.bincount(bins, at_size.ravel(), BINS)
        self.counts += np.bincount(bins, minlength=BINS)

    def curve(self) -> tuple[float, ...]:
        """Return the value at each of `QUANTILES`: of all that do not descend the one nearest to the means."""
        (used,) = np.nonzero(self.counts)
        means = self.totals[used] / self.counts[used]
        rising = isotonic_regression(means, weights=self.counts[used].astype(float)).x
        values = np.interp(QUANTILES, (used + 0.5) / BINS, rising)
        return tuple(round(float(value), DIGITS) for value in values)


def fit_views(count: int) -> list[View]:
    """Return the photos that curves are learned from: of each set the first `count` in an order by their names."""
    found = photos()
    by_set = {name: [p for p in found if p.output.parts[0] == name] for name in SETS}
    ordered = (sorted(own, key=lambda p: number(p, "histogram"))[:count] for own in by_set.values())
    return [plain_view(photo) for own in ordered for photo in own]


def teachers_of(network: ExportedNetwork, given: Mapping[str, str]) -> dict[str, Teacher]:
    """Return head -> its teacher, whose maps are histogram-matched; `given` are other names than the file has."""
    if unknown := [head for head in given if head not in network.heads]:
        raise SystemExit(f"no head {', '.join(unknown)} (there are {', '.join(network.heads)})")
    weights = {"fastgaze": {"weights": str(WEIGHTS / "fastgaze" / "fastgaze_fp32.npz")}}
    known = {head: str(TRAINED / run) for head, run in TEACHERS.items()} | dict(given)
    names = {head.name: known.get(head.name, head.teacher) for head in network.metadata.heads}
    return {head: Teacher(name, weights.get(name, {}), MATCHED) for head, name in names.items()}


def teach(who: Teacher, views: Sequence[View], folder: Path, workers: int) -> TeacherMaps:
    """Return a teacher's maps of pictures; those that are not there are made first."""
    failures = [line for outcome in teach_views(who, views, folder, workers=workers) for line in outcome.failures]
    if failures:
        raise SystemExit(f"{who.model}: {len(failures)} maps cannot be made: {failures[0]}")
    return TeacherMaps(map_folder(folder, card(who.model).name))


def own_maps(network: ExportedNetwork, view: View) -> dict[str, Map]:
    """Return head -> the map of a picture in the size that the network gives it."""
    image = network.metadata.preprocessing.prepare(view.render())
    (coarse,) = network.session.run({INPUT: image[None]}, [OUTPUT])[0]
    return dict(zip(network.heads, coarse, strict=True))


def fitted(network: ExportedNetwork, maps: Mapping[str, TeacherMaps], views: Iterable[View]) -> HistogramCurves:
    """Return the curves of a network's heads, learned from pictures and the teachers' maps of them."""
    bins = {head: Bins() for head in maps}
    for view in views:
        own = own_maps(network, view)
        for head, teacher in maps.items():
            bins[head].add(own[head], teacher.read(view.key))
    curves = {head: each.curve() for head, each in bins.items()}
    for head, curve in curves.items():
        if curve[0] == curve[-1]:
            raise SystemExit(f"{head}: no curve that rises fits its teacher, whom it does not follow")
    return HistogramCurves(weights_fingerprint(network.session.file.path), QUANTILES, curves)


def joined(before: HistogramCurves | None, new: HistogramCurves) -> HistogramCurves:
    """Return new curves with those that the network has of other heads, at the same quantiles."""
    if before is None or before.quantiles != new.quantiles:
        return new
    return replace(new, heads={**before.heads, **new.heads})


def arguments() -> argparse.ArgumentParser:
    """Return the options that this script shares with the one that measures."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--network", type=Path, default=Path(packaged(SHIPPED)))
    parser.add_argument("--teacher", action="append", default=[], metavar="HEAD=NAME_OR_PATH")
    parser.add_argument("--maps", type=Path, default=MAPS, help="where the teachers' maps are kept")
    parser.add_argument("--photos", type=int, default=60, help="of each data set")
    parser.add_argument("--workers", type=int, default=2)
    return parser


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0], parents=[arguments()])
    parser.add_argument("--only", nargs="+", metavar="HEAD", help="whose curves are fitted; by default all heads'")
    given = parser.parse_args()
    network, views = open_network(given.network), fit_views(given.photos)
    teachers = teachers_of(network, dict(each.split("=", 1) for each in given.teacher))
    if given.only is not None:
        teachers = {head: teachers[head] for head in given.only}
    maps = {}
    for head, who in teachers.items():
        maps[head] = teach(who, views, given.maps, given.workers)
        print(f"{head}: {len(views)} maps of {who.model}", flush=True)
    put_curves(given.network, joined(network.histogram_curves, fitted(network, maps, views)))
    print(f"wrote {given.network}: curves of {', '.join(maps)}")


if __name__ == "__main__":
    main()
