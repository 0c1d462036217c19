"""How near RARE2012 comes to the two published maps of the original, and what each choice contributes.

    python benchmarks/rare2012.py [PATH_TO_PYSALIENCY]

Needs KDSalBox's demonstration photo and map and the authors' example (`shared/oracle` beside the checkout, or
SALBOX_SHARED). With a checkout of pysaliency it also compares with the maps of the original that pysaliency's tests
record. Writes docs/results/rare2012.md.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from _rare2012_cost import cost_table
from _rare2012_evidence import border_table, raster_table, share_table
from _rare2012_readings import CHOICES, MODEL, Reading, map_of
from _tables import ROOT, SHARED, markdown_table, provenance, write_page

import salbox
from salbox.classical.rare2012 import rare2012
from salbox.types import FloatMap, Pixels

sys.path.insert(0, str(ROOT / "tests" / "helpers"))
from oracle import demo_map
from published_rare2012 import LOW_PASSES, SHARE, agreement, correlation, low_passed, published

RECORDED = "tests/external_models"  # in pysaliency's repository
OVERLAY = Path("oracle") / "rare2012-readme" / "overlay.jpg"

# From the literal outline to the model, one choice at a time.
STEPS = (
    ("the outline, taken literally: full size, 64 bins, filters from 0.2 cycles a pixel", {}),
    ("on a square copy of 200 x 200 pixels", {"working_size": 200}),
    ("the finished map averaged over 8 x 8 pixels", {"smoothing": 8}),
    ("filters from 1/4 cycle a pixel", {"max_frequency": 0.25}),
    ("11 bins", {"bins": 11}),
    ("colour and texture summed within a channel, then the channels fused", {"per_channel": True}),
    ("weights of rank times efficiency", {"weights": "both"}),
)
INSTEAD = (
    ("the image's own size", {"working_size": None}),
    ("filters from 0.2 cycles a pixel", {"max_frequency": 0.2}),
    ("64 bins", {"bins": 64}),
    ("256 bins", {"bins": 256}),
    ("each rarity map squared", {"exponent": 2.0}),
    ("256 bins, each rarity map squared", {"bins": 256, "exponent": 2.0}),
    ("low and medium level fused at the end", {"per_channel": False}),
    ("weights of rank alone", {"weights": "rank"}),
    ("weights of efficiency alone", {"weights": "efficiency"}),
    ("no averaging", {"smoothing": 1}),
    ("each rarity map averaged, not the finished one", {"smooth_each": True}),
    ("channels stretched to 0..1 before their efficiencies are compared", {"stretch_channels": True}),
    ("real part of the Gabor responses instead of their magnitude", {"real_part": True}),
)
DOCUMENTED = (
    ("color_space", ("LAB", "YCbCr")),
    ("orientations", (0, 4, 6, 10, 16)),
    ("scales", (1, 2, 4)),
    ("levels", (1, 2, 3, 5)),
    ("intra_threshold", (0.0, 0.6)),
    ("inter_threshold", (0.0, 0.2, 0.4)),
)
SOURCES = (
    (
        "principal components; 8 orientations, 3 scales, 4 levels, thresholds of .3",
        "the program's documented parameters",
    ),
    ("working size 200, average over 8 x 8", "read off both maps, as shown above"),
    ("11 bins, equally wide from the lowest to the highest value", "documented of the same authors' DeepRare2019"),
    ("highest frequency 1/4", "the three-scale example of the Gabor toolbox that the program uses"),
    ("rarity maps not squared, levels summed", "the paper"),
    ("colour and texture summed within a channel", "both maps"),
    (
        "weights of rank times efficiency, (max - mean)^2",
        "rank is the paper's, efficiency the later models'; the product is the steadiest, see below",
    ),
)
NEIGHBOURS = ("working_size", "smoothing", "bins", "max_frequency")

Maps = dict[str, tuple[Pixels, FloatMap]]


def main() -> None:
    """Measure and write the page."""
    for folder in ("kdsalbox-demo", "rare2012-readme"):
        if not (SHARED / "oracle" / folder).is_dir():
            sys.exit(f"{SHARED}: no folder 'oracle/{folder}' with a published map (set SALBOX_SHARED)")
    maps = published(SHARED)
    choices = {choice: agreements(partial(map_of, reading=choice), maps) for choice in CHOICES}
    by_demo = max(choices, key=lambda choice: choices[choice]["demo"])
    by_example = max(choices, key=lambda choice: choices[choice]["example"])
    own = agreements(rare2012, maps)
    page = f"""# RARE2012 against the two published maps of the original

RARE2012's authors publish no source. salbox's model follows the paper and the documented parameters of the program.
What these leave open was read in {len(CHOICES)} ways, and two maps of the original that are published with their photos
say how near each comes. With two maps, what fits one well may have learned that photo. So each map chose a reading
without the other, and the other judged it:

{left_out_table(choices, by_demo, by_example)}

**Left out, the CC is {choices[by_example]["demo"]:.2f} and {choices[by_demo]["example"]:.2f}**. That is what two photos
can say; of others it may be less: an earlier reading, which had 0.86 and 0.88 on these two, had 0.64 on a third map of
the original, which is not at hand. The model that salbox has is neither of the two readings: where the maps do not
agree it takes the paper's outline or what the same authors document of their later models. Its own CC,
{own["demo"]:.3f} and {own["example"]:.3f}, is of maps that had a say in it.

*Demo*: KDSalBox's demonstration photo (640 x 480) with the original's map as an 8-bit JPEG. *Example*: the authors'
example picture (681 x 511) with their map as a coloured overlay, see below. CC is the Pearson correlation of all
pixels. The example's map was smoothed for display, how much is not said: of low-passes of
{", ".join(map(str, LOW_PASSES))} pixels (standard deviation) that one counts which agrees best, so that its figures
flatter by a fitted number ({best_low_pass(maps)} pixels for the model, {unsmoothed(maps):.3f} without). Written by
`benchmarks/rare2012.py`. {provenance()}

## What the demo map itself tells

It consists of equal blocks. Fitted by n x n blocks without interpolation, what is left over (root mean square, in grey
levels; JPEG alone leaves about 1) is least at n = 200. So the original worked on a square copy of 200 x 200, whatever
the photo's shape, and enlarged its map without interpolation.

{raster_table(demo_map(SHARED, "rare2012"))}

On that raster the map darkens towards the borders in a straight line, over the last three samples at the top and left
and the last four at the bottom and right: the mark of an average over 8 x 8 samples with zeros outside, as Matlab's
filters place an even window. Differences of neighbouring samples from the border inwards, mean of each side, in units
of the first:

{border_table(demo_map(SHARED, "rare2012"))}

## The example's map, taken out of its overlay

The overlay is the photo in grey with the map over it in the colours of Matlab's jet. In the differences between the
colour channels there is no grey, so they give the map alone, once the share of the colours is known. What they leave
over (root mean square of the distance from the nearest colour, in grey levels) is least at {SHARE:g}:

{share_table(salbox.read_image(SHARED / OVERLAY))}

Its borders darken over four to five samples of a 200 x 200 raster too, at the bottom and right more than at the top and
left, and more softly: the same average, smoothed again for display.

{border_table(maps["example"][1])}

## From the outline to the model

{steps_table(maps)}

The other way round, the model with one choice undone or replaced:

{instead_table(maps)}

## Where the choices come from

{markdown_table(["choice", "from"], SOURCES)}

The three kinds of weights, all else as in the model, over the 9 pairs of bins and highest frequency that were tried:
mean (lowest) CC. The demo does not mind whether ranks are multiplied by efficiencies, the example does:

{weights_table(choices)}

With the product it hardly matters any more which maps the threshold leaves out (`inter_threshold` below): the first
component, the brightness, is low in efficiency on both photos.

## How firm the numbers are

A quarter less and a quarter more:

{sensitivity_table(maps)}

Documented parameters at other values:

{documented_table(maps)}

## Speed and memory

{cost_table(maps["demo"][0])}

## Maps recorded by pysaliency

{recorded(sys.argv[1:])}
"""
    write_page("rare2012.md", page)


def agreements(model: Callable[[Pixels], FloatMap], maps: Maps) -> dict[str, float]:
    """Return the CC of a model's maps with the published ones."""
    return {name: agreement(model(photo), name, found) for name, (photo, found) in maps.items()}


def left_out_table(choices: dict[Reading, dict[str, float]], by_demo: Reading, by_example: Reading) -> str:
    """Return the table of the readings that each map chose, of the outline and of the model."""
    literal = replace(MODEL, max_frequency=0.2, bins=64, per_channel=False, weights="rank")
    rows = []
    for words, choice in (
        ("the demo map", by_demo),
        ("the example's map", by_example),
        ("nobody: the outline, with working size and average", literal),
        ("both and the sources below: the model", MODEL),
    ):
        cells = [f"{choices[choice][name]:.3f}" for name in ("demo", "example")]
        chosen_by = {by_demo: 0, by_example: 1}.get(choice)
        if chosen_by is not None:
            cells[1 - chosen_by] = f"**{cells[1 - chosen_by]}**"
        rows.append([words, described(choice), *cells])
    return markdown_table(["chosen by", "reading", "CC, demo", "CC, example"], rows)


def described(reading: Reading) -> str:
    """Return what a reading chose among `CHOICES`."""
    weights = {"rank": "rank", "efficiency": "efficiency", "both": "rank x efficiency"}[reading.weights]
    parts = [
        f"{reading.bins} bins",
        "squared" if reading.exponent == 2 else "not squared",
        f"filters from {reading.max_frequency:g}",
        "levels fused in a channel" if reading.per_channel else "levels fused at the end",
        f"weights {weights}",
        f"average of {'each map' if reading.smooth_each else 'the finished map'}",
    ]
    return ", ".join(parts)


def weights_table(choices: dict[Reading, dict[str, float]]) -> str:
    """Return the table of what kinds of weights give over several bins and frequencies."""
    rows = []
    for weights in ("rank", "efficiency", "both"):
        own = [
            found
            for choice, found in choices.items()
            if choice == replace(MODEL, weights=weights, bins=choice.bins, max_frequency=choice.max_frequency)
        ]
        cells = [[found[name] for found in own] for name in ("demo", "example")]
        words = {"both": "rank x efficiency"}.get(weights, weights)
        rows.append([words, *(f"{np.mean(values):.3f} ({min(values):.3f})" for values in cells)])
    return markdown_table(["weights", "CC, demo", "CC, example"], rows)


def best_low_pass(maps: Maps) -> int:
    """Return the low-pass in pixels with which the model agrees best with the example's map."""
    photo, found = maps["example"]
    saliency = rare2012(photo)
    return max(LOW_PASSES, key=lambda sigma: correlation(low_passed(saliency, sigma), found))


def unsmoothed(maps: Maps) -> float:
    """Return the CC of the model with the example's map without a low-pass."""
    photo, found = maps["example"]
    return correlation(rare2012(photo), found)


def steps_table(maps: Maps) -> str:
    """Return the table of the choices, one added after the other."""
    reading, rows = Reading(), []
    for words, change in STEPS:
        reading = replace(reading, **change)
        rows.append([words, *both(partial(map_of, reading=reading), maps)])
    if reading != MODEL:
        raise SystemExit("the steps do not lead to the model")
    return markdown_table(["choice", "CC, demo", "CC, example"], rows)


def instead_table(maps: Maps) -> str:
    """Return the table of the model with one choice changed."""
    rows = [
        [words, *both(partial(map_of, reading=replace(MODEL, **change)), maps)]
        for words, change in (("the model", {}), *INSTEAD)
    ]
    return markdown_table(["instead", "CC, demo", "CC, example"], rows)


def sensitivity_table(maps: Maps) -> str:
    """Return the table of the numbers at a quarter less and a quarter more."""
    defaults = {p.name: p.default for p in salbox.card("rare2012").parameters}
    best = agreements(rare2012, maps)
    rows = []
    for name in NEIGHBOURS:
        row = [f"`{name}`", f"{defaults[name]:g}"]
        for factor in (0.75, 1.25):
            value = type(defaults[name])(factor * defaults[name])
            measured = agreements(partial(rare2012, **{name: value}), maps)
            row.append(f"{value:g}: " + ", ".join(f"{cc:.3f} ({cc - best[k]:+.3f})" for k, cc in measured.items()))
        rows.append(row)
    return markdown_table(["parameter", "default", "a quarter less: demo, example", "a quarter more"], rows)


def documented_table(maps: Maps) -> str:
    """Return the table of the documented parameters at other values."""
    rows = [
        [f"`{name}`", f"{value}", *both(partial(rare2012, **{name: value}), maps)]
        for name, values in DOCUMENTED
        for value in values
    ]
    return markdown_table(["parameter", "value", "CC, demo", "CC, example"], rows)


def both(model: Callable[[Pixels], FloatMap], maps: Maps) -> list[str]:
    """Return the CC with each published map, as text."""
    return [f"{cc:.3f}" for cc in agreements(model, maps).values()]


def recorded(arguments: list[str]) -> str:
    """Return the comparison with the maps in pysaliency's repository, or one line that it was not made."""
    if not arguments:
        return "Not compared: no path to a checkout of pysaliency was given (`benchmarks/rare2012.py PATH`)."
    folder = Path(arguments[0]).expanduser() / RECORDED
    rows = []
    for kind in ("color", "grayscale"):
        files = [folder / f"RARE2012_{kind}_stimulus.npy", folder / f"{kind}_stimulus.npy"]
        missing = [file for file in files if not file.is_file()]
        if missing:
            return f"Not compared: the checkout has no {RECORDED}/{missing[0].name}."
        theirs, stimulus = (np.load(file, allow_pickle=False) for file in files)
        ours = salbox.load("rare2012")(stimulus)
        if theirs.shape != ours.shape:
            return f"Not compared: {files[0].name} has the shape {theirs.shape}, its stimulus {ours.shape}."
        rows.append([kind, f"{correlation(ours, theirs):.3f}"])
    return markdown_table(["stimulus", "CC"], rows)


if __name__ == "__main__":
    main()
