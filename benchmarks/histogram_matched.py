"""Students' maps beside their teachers' histogram-matched ones: as they are, by curves, matched exactly.

Needs the data and the fixation networks' weights (`shared` beside the checkout, or SALBOX_SHARED). The teachers' maps
are kept in runs/histogram-matched and made once. Writes docs/results/histogram-matched.md and
docs/images/students-histogram-matched.jpg.

    python benchmarks/histogram_matched.py [--network FILE] [--teacher HEAD=NAME_OR_PATH] [--only HEAD] [--limit N]

Fit the curves first, with the same options: scripts/fit_histogram_curves.py. With `--only` lines of the other heads
stay as the page has them, which holds while their weights do.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from _distilling import read_csv
from _earlier import Earlier
from _held_out import HeldOut, held_out
from _paper import CONTEXT
from _student_pictures import QUALITY
from _tables import RESULTS, ROOT, SHARED, markdown_table, provenance, write_page
from PIL import Image
from scipy.optimize import isotonic_regression

from salbox.distillation.fidelity.measure import FORMULAS
from salbox.distillation.teachers.augmentations import View
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.distillation.teachers.teacher import Teacher
from salbox.imaging.histograms import match, mean_fixation_histogram
from salbox.imaging.plots import Panel
from salbox.imaging.rows import PanelRow, save_rows
from salbox.imaging.scaling import min_max
from salbox.imaging.writing import atomic
from salbox.metrics.fidelity import fidelity_cc, fidelity_kl
from salbox.runtime.histogram_curves import HistogramCurves
from salbox.runtime.network import ExportedNetwork, open_network

sys.path.insert(0, str(ROOT / "scripts"))
from fit_histogram_curves import BINS, POINTS, SETS, arguments, fit_views, own_maps, teach, teachers_of

WAYS = ("as it is", "curve of values", "curve of ranks", "matched exactly")
SHIPPED_WAY = WAYS[2]
METRICS = ("cc", "kl")
SHOWN = ("astronaut", "coffee", "rocket")
QUANTILES = (np.arange(500) + 0.5) / 500
PAGE = "histogram-matched.md"
OF_CURVES = "What the curve does, and what it does not"
PICTURE = "students-histogram-matched.jpg"

Map = npt.NDArray[Any]
ValueCurve = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Figures:
    """Of each picture: CC and KL with the teacher's matched map, and how far the values are from the reference's."""

    cc: list[float]
    kl: list[float]
    distance: list[float]


def value_curves(
    network: ExportedNetwork, maps: Mapping[str, TeacherMaps], views: Sequence[View]
) -> dict[str, ValueCurve]:
    """Return head -> the monotone curve from the student's values, not their ranks, that is nearest to the teacher's.

    Fitted as the curves of ranks are: means over bins of as many pixels each.
    """
    pixels: dict[str, list[Map]] = {head: [] for head in maps}
    for view in views:
        own = own_maps(network, view)
        for head, teacher in maps.items():
            target = cv2.resize(teacher.read(view.key), own[head].shape[::-1], interpolation=cv2.INTER_AREA)
            pixels[head].append(np.stack([own[head].ravel(), target.ravel()]))
    found = {}
    for head, pairs in pixels.items():
        values, targets = np.concatenate(pairs, axis=1)
        order = np.argsort(values)
        bins = np.array_split(order, BINS)
        rising = isotonic_regression([targets[own].mean() for own in bins], weights=[own.size for own in bins])
        found[head] = np.array([values[own].mean() for own in bins]), rising.x
    return found


def measured(
    network: ExportedNetwork,
    curves: HistogramCurves,
    of_values: Mapping[str, ValueCurve],
    maps: Mapping[str, TeacherMaps],
    views: Sequence[View],
) -> dict[str, dict[str, Figures]]:
    """Return head -> way -> figures."""
    found = {head: {way: Figures([], [], []) for way in WAYS} for head in maps}
    for view in views:
        plain, by_curve = pictures_of(network, curves, view)
        for head, teacher in maps.items():
            target = teacher.read(view.key)
            by_value = np.interp(plain[head], *of_values[head])
            ways = (plain[head], by_value, by_curve[head], match(plain[head], mean_fixation_histogram()))
            for way, saliency in zip(WAYS, ways, strict=True):
                own = found[head][way]
                own.cc.append(fidelity_cc(saliency, target))
                own.kl.append(fidelity_kl(saliency, target))
                own.distance.append(from_reference(saliency))
    return found


def pictures_of(network: ExportedNetwork, curves: HistogramCurves, view: View) -> tuple[dict[str, Map], dict[str, Map]]:
    """Return head -> map of a picture, and head -> histogram-matched map."""
    image = [view.render()]
    (plain,), (by_curve,) = network.maps(image), network.maps(image, curves=curves)
    return plain, by_curve


def from_reference(saliency: Map) -> float:
    """Return how far a map's values are from those of the mean fixation map, both scaled to 0..1.

    It is the earth mover's distance of the two distributions: the mean difference of their quantiles.
    """
    reference = mean_fixation_histogram()
    theirs = np.interp(QUANTILES, reference.quantiles, min_max(reference.values))
    return float(np.abs(np.quantile(min_max(saliency), QUANTILES) - theirs).mean())


def lines_of(found: Mapping[str, Mapping[str, Figures]], metric: str) -> list[list[str]]:
    """Return a table's lines: a head's CC or KL by each way, and the paper's."""
    return [
        [
            _name(head),
            *(_spread(getattr(ways[way], metric)) for way in WAYS),
            table3().get(CONTEXT.get(head, head), {}).get(metric, ""),
        ]
        for head, ways in found.items()
    ]


def distances(found: Mapping[str, Mapping[str, Figures]]) -> list[list[str]]:
    return [[_name(head), *(f"{np.mean(ways[way].distance):.3f}" for way in WAYS)] for head, ways in found.items()]


def unhelped(lines: Sequence[Sequence[str]]) -> list[str]:
    """Return a sentence if there are heads whose map as it is has the lower KL."""
    names = [_head(cells[0]) for cells in lines if _mean(cells[1]) < _mean(cells[1 + WAYS.index(SHIPPED_WAY)])]
    return [f"The map as it is has a lower KL of {', '.join(names)}."] if names else []


def trained_again(teachers: Sequence[str]) -> list[str]:
    """Return a sentence on the teachers, HEAD=NAME_OR_PATH, that are runs, if there are any."""
    heads = [f"`{head}`" for head, _, where in (each.partition("=") for each in teachers) if os.sep in where]
    if not heads:
        return []
    return [
        f"The teachers of {' and '.join(heads)} are not the very networks that their students and curves learned from, "
        "but of the same design, trained again on the same photos: what two trainings differ by is in their figures."
    ]


@cache
def table3() -> dict[str, dict[str, str]]:
    """Return model -> CC and KL of the paper's Table 3, on photos of SALICON."""
    rows = read_csv(SHARED / "published" / "kdsalbox_table3_histogram_matched.csv")
    return {
        row["model"]: {m: f"{float(row[f'salicon_{m}']):.2f} ± {float(row[f'salicon_{m}_sd']):.2f}" for m in METRICS}
        for row in rows
    }


def verdict(lines: Mapping[str, Sequence[Sequence[str]]]) -> str:
    """Return in a line how the curves that ship do beside the paper's figures, rounded as those are.

    `lines` are a table's by metric.
    """
    missed: dict[str, list[str]] = {metric: [] for metric in METRICS}
    for metric, cells in [(name, cells) for name, table in lines.items() for cells in table]:
        head = _head(cells[0])
        if head in table3():
            own, paper = round(_mean(cells[1 + WAYS.index(SHIPPED_WAY)]), 2), _mean(cells[-1])
            if own < paper if metric == "cc" else own > paper:
                missed[metric].append(f"{head} by {abs(own - paper):.2f}")
    compared = sum(_head(cells[0]) in table3() for cells in lines["cc"])
    short = [f"{metric.upper()} ({', '.join(heads)})" for metric, heads in missed.items() if heads]
    everyone = f"By the curve of ranks the {compared} heads that the paper has"
    if not short:
        return f"{everyone} all reach its CC and KL, rounded to two digits."
    return f"{everyone} reach its CC and KL, rounded to two digits, but for {' and '.join(short)}."


def draw(network: ExportedNetwork, curves: HistogramCurves, views: Sequence[View], heads: Sequence[str]) -> None:
    """Draw three photos, each with the maps as they are above the histogram-matched ones."""
    rows = []
    for view in views:
        photo, both = view.render(), pictures_of(network, curves, view)
        for title, maps in zip(("as they are", "histogram-matched"), both, strict=True):
            panels = (Panel(view.photo.stem, photo, "photo"), *(Panel(head, maps[head]) for head in heads))
            rows.append(PanelRow(f"{view.photo.stem}: {title}", panels))
    with tempfile.TemporaryDirectory() as folder:
        png = Path(folder) / "picture.png"
        save_rows(rows, ("photo", *heads), png)
        with Image.open(png) as picture, atomic(ROOT / "docs" / "images" / PICTURE) as temporary:
            small = picture.convert("RGB").reduce(2)
            small.save(temporary, "JPEG", quality=QUALITY, optimize=True)


def page(
    network: ExportedNetwork,
    curves: HistogramCurves,
    held: HeldOut,
    tables: Sequence[Mapping[str, Any]],
    given: argparse.Namespace,
) -> str:
    counts = {
        "OSIE test": f"{len(held.osie)} photos",
        "DUTS-TR": f"{len(held.duts)} of {held.duts_in_all} held-out photos",
    }
    names = [_name(head) for head in network.heads]
    earlier = Earlier(RESULTS / PAGE, names, [_name(head) for head in tables[0]])
    sections = []
    for (title, count), found in zip(counts.items(), tables, strict=True):
        lines = {}
        for metric in METRICS:
            section = f"{title}, {count}: {metric.upper()}"
            lines[metric] = earlier.joined(section, lines_of(found, metric))
            head = [{"cc": "CC ↑", "kl": "KL ↓"}[metric], *WAYS, "paper, a network of its own"]
            sections += [f"## {section}", markdown_table(head, lines[metric])]
        sections.append(" ".join([verdict(lines), *unhelped(lines["kl"])]))
    kilobytes = len(curves.to_text()) / 1000
    others = [
        f"Beside `{head}` stand the paper's figures of {other}."
        for head, other in CONTEXT.items()
        if _name(head) in names
    ]
    return "\n\n".join(
        [
            "# Histogram-matched students",
            f"{provenance(('salbox', 'numpy', 'scipy', 'opencv-python-headless', 'onnxruntime'))} Written by "
            f"`benchmarks/histogram_matched.py`. SHA-256 of the network's graph: `{curves.weights[:16]}`.",
            "KDSalBox trains a second set of students, on teachers' maps that were matched to the histogram of a mean "
            "fixation map (its Table 3, 5,000 photos of SALICON). salbox has one network and looks for what stands in "
            "for the second. Each way is compared with the teacher's map after matching (`salbox teach "
            "--pre-histogram-matching biased`):",
            "- the student's map *as it is*;\n"
            "- a *curve of values* for each head: a value becomes the mean of the teacher's values where the student "
            "has it;\n"
            "- a *curve of ranks* for each head: the same of a value's rank within its map. This is what ships, as "
            "`--histogram-matched`;\n"
            "- the student's map *matched exactly* to the same histogram, as `--histogram-matching biased` does with "
            "the map of any model.",
            f"Both curves were fitted on {given.photos} photos each of the training splits of {' and '.join(SETS)} "
            f"(means over {BINS} bins, the nearest that rise). Those that ship have {POINTS} points a head, together "
            f"{kilobytes:.1f} kB, in the network's file; they are applied to the network's own small map, before that "
            "is brought to the image's size.",
            "A classical teacher sees a picture with its longest side at 640, the student the picture as it is. "
            f"{FORMULAS} None of the pictures was learned from.",
            *trained_again(given.teacher),
            *([earlier.said] if earlier.left else []),
            *sections,
            *others,
            f"## {OF_CURVES}",
            "A curve of values is no matching: how values are spread differs from map to map. The curve of ranks and "
            "exact matching draw the same order, and have about the same CC. They differ in KL: a rank's mean value is "
            "no zero where the student is unsure, and zeros are what KL punishes. For the same reason the maps have "
            "not exactly the histogram that they stand for. Distance of a map's values from it (earth mover's, both "
            "scaled to 0..1, mean over OSIE test):",
            markdown_table(["maps", *WAYS], earlier.joined(OF_CURVES, distances(tables[0]))),
            "Where several models' maps must have one and the same histogram, `--histogram-matching biased` is the "
            "right option; where a student is to draw what its matched teacher would, `--histogram-matched` is.",
            "The other half of the paper's Table 3, patterns of CAT2000, was not measured.",
            "## What the maps look like",
            f"![three photos, maps as they are above histogram-matched ones](../images/{PICTURE})",
        ]
    )


def _name(head: str) -> str:
    return f"`{head}.student`"


def _head(name: str) -> str:
    return name.strip("`").removesuffix(".student")


def _mean(cell: str) -> float:
    return float(cell.split()[0])


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"


def every_map(
    teachers: Mapping[str, Teacher], views: Sequence[View], given: argparse.Namespace
) -> dict[str, TeacherMaps]:
    """Return head -> the teacher's maps of pictures, made if they are not there."""
    return {head: teach(who, views, given.maps, given.workers) for head, who in teachers.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0], parents=[arguments()])
    parser.add_argument("--limit", type=int, metavar="N", help="photos of each kind, to try the script out")
    parser.add_argument("--only", nargs="+", metavar="HEAD", help="which are measured; by default all heads")
    given = parser.parse_args()
    network, held = open_network(given.network), held_out(given.limit)
    curves = network.histogram_curves
    if curves is None:
        raise SystemExit(f"{given.network}: no curves that fit its weights; run scripts/fit_histogram_curves.py")
    every = teachers_of(network, dict(each.split("=", 1) for each in given.teacher))
    teachers = {head: who for head, who in every.items() if given.only is None or head in given.only}
    learned = fit_views(given.photos)
    of_values = value_curves(network, every_map(teachers, learned, given), learned)
    tables = [
        measured(network, curves, of_values, every_map(teachers, views, given), views)
        for views in (held.osie, held.duts)
    ]
    text = page(network, curves, held, tables, given)
    if given.limit is not None:  # figures of a trial must not stand among the results
        print(text)
        return
    draw(network, curves, [view for view in held.samples if view.photo.stem in SHOWN], network.heads)
    write_page(PAGE, text)


if __name__ == "__main__":
    main()
