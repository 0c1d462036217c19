"""How near RARE2012 comes to the one published map of the original, and what each choice contributes.

    python benchmarks/rare2012.py [PATH_TO_PYSALIENCY]

Needs KDSalBox's demonstration photo and map (`shared/oracle/kdsalbox-demo` beside the checkout, or SALBOX_SHARED). With
a checkout of pysaliency it also compares with the maps of the original that pysaliency's tests record. Writes
docs/results/rare2012.md.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from _tables import ROOT, SHARED, markdown_table, matmul_rate, provenance, write_page

import salbox
from salbox.classical._gabor_bank import GaborBank
from salbox.classical._rarity import box_mean, fuse, rarity, stretch
from salbox.classical._resize import imresize
from salbox.classical.rare2012 import _enlarge, principal_components, rare2012
from salbox.types import FloatMap

sys.path.insert(0, str(ROOT / "tests" / "helpers"))
from oracle import demo_map, demo_photo

RECORDED = "tests/external_models"  # in pysaliency's repository


@dataclass(frozen=True)
class Variant:
    """One way of reading the paper; the defaults are the outline taken literally."""

    working_size: int | None = None  # None: the image's own size
    max_frequency: float = 0.2
    bins: int = 64
    per_channel: bool = False  # low and medium level meet within a colour channel, not at the end
    exponent: float = 1.0
    smoothing: int = 1
    smoothing_last: bool = False  # on the finished map instead of on each rarity map
    stretch_channels: bool = False  # to 0..1 before efficiencies are compared
    real_part: bool = False  # of the Gabor responses instead of the magnitude


FINAL = Variant(200, 0.25, 256, per_channel=True, exponent=2.0, smoothing=8)

# From the literal outline to the model, one choice at a time.
STEPS = (
    ("the outline, taken literally: full size, 64 bins, filters from 0.2 cycles a pixel", {}),
    ("on a square copy of 200 x 200 pixels", {"working_size": 200}),
    ("filters from 1/4 cycle a pixel", {"max_frequency": 0.25}),
    ("256 bins", {"bins": 256}),
    ("colour and texture summed within a channel, then the channels fused", {"per_channel": True}),
    ("each rarity map squared", {"exponent": 2.0}),
    ("each rarity map averaged over 8 x 8 pixels", {"smoothing": 8}),
)
WITHOUT = (
    ("the image's own size", {"working_size": None}),
    ("filters from 0.2 cycles a pixel", {"max_frequency": 0.2}),
    ("64 bins", {"bins": 64}),
    ("low and medium level fused at the end", {"per_channel": False}),
    ("no square", {"exponent": 1.0}),
    ("no averaging", {"smoothing": 1}),
    ("averaging of the finished map only", {"smoothing_last": True}),
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


def main() -> None:
    """Measure and write the page."""
    if not (SHARED / "oracle" / "kdsalbox-demo").is_dir():
        sys.exit(f"{SHARED}: no folder 'oracle/kdsalbox-demo' with the published map (set SALBOX_SHARED)")
    photo, published = demo_photo(SHARED), demo_map(SHARED, "rare2012")
    page = f"""# RARE2012 against the one published map of the original

RARE2012's authors publish no source. salbox's model follows the paper and the documented parameters of the program;
what these leave open was chosen by the one map of the original that is published with its photo (KDSalBox's
demonstration, 640 x 480, 8-bit JPEG). CC is the Pearson correlation of all pixels. The same map that chose also
judges: there is no second one at hand. Written by `benchmarks/rare2012.py`. {provenance()}

**CC of the model: {correlation(rare2012(photo), published):.3f}**

## What the published map itself tells

It consists of equal blocks. Fitted by n x n blocks without interpolation, what is left over (root mean square, in grey
levels; JPEG alone leaves about 1) is least at n = 200. So the original worked on a square copy of 200 x 200, whatever
the photo's shape, and enlarged its map without interpolation.

{raster_table(published)}

On that raster the map darkens towards the borders in a straight line, over the last three samples at the top and left
and the last four at the bottom and right: the mark of an average over 8 x 8 samples with zeros outside, as Matlab's
filters place an even window. Differences of neighbouring samples from the border inwards, mean of each side, in units
of the first:

{border_table(published)}

## From the outline to the model

{steps_table(photo, published)}

The other way round, the model with one choice undone or replaced:

{without_table(photo, published)}

## How firm the numbers are

The numbers that the map chose (the working size and the smoothing are read off it, as shown above; the 256 bins are
those of an 8-bit image and of Matlab's imhist) and, for comparison, the square, which the same authors' DeepRare2019
documents, and the highest frequency, that of the simplegabor toolbox's own three-scale example. A quarter less and a
quarter more:

{sensitivity_table(photo, published)}

More than .01 is lost to a quarter more of the working size, which is what the blocks show, of the exponent, whose value
the later model documents though whether to square at all the map decided, and of the highest frequency, documented for
the toolbox but not for RARE2012. The map also decided between readings of the paper: that colour and texture are summed
within a channel, that the averaging belongs to each rarity map, that a channel's efficiency is that of the plain sum,
and that Gabor filters see zeros outside the image.

Documented parameters at other values:

{documented_table(photo, published)}

Where the figures jump, the first colour component crosses the threshold of .3: at the defaults its efficiency is
{first_component_share(photo):.2f} of the best and it is left out. With `inter_threshold=0.4`, which leaves it out
either way, a `max_frequency` of 0.3125 gives {high_frequency(photo, published):.3f}. A working copy of 250 with all
else in proportion (`smoothing=10`, `max_frequency=0.2`) gives {larger_copy(photo, published):.3f}.

## Speed and memory

{cost_table(photo)}

## Maps recorded by pysaliency

{recorded(sys.argv[1:])}
"""
    write_page("rare2012.md", page)


def correlation(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    """Return the Pearson correlation of two maps."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def variant_map(image: npt.NDArray[np.uint8], v: Variant) -> FloatMap:
    """Return the map of a variant, at the image's size."""
    colors = np.moveaxis(image / 255.0, -1, 0)
    if v.working_size:
        colors = imresize(np.ascontiguousarray(colors), (v.working_size, v.working_size))
    bank = GaborBank(3, 8, v.max_frequency)
    smoothing = 1 if v.smoothing_last else v.smoothing

    def measure(values: FloatMap) -> FloatMap:
        return rarity(values, 4, v.bins, v.exponent, smoothing)

    low, medium = [], []
    for component in principal_components(colors).astype(np.float32):
        responses = real_parts(bank, component) if v.real_part else bank.magnitudes(component)
        textures = [stretch(fuse([measure(r) for r in of_scale], 0.3)) for of_scale in responses]
        low.append(measure(component))
        medium.append(stretch(fuse(textures, 0.3)))
    if v.per_channel:
        channels = [a + b for a, b in zip(low, medium, strict=True)]
        saliency = fuse([stretch(c) for c in channels] if v.stretch_channels else channels, 0.3)
    else:
        saliency = fuse([stretch(fuse(low, 0.3)), stretch(fuse(medium, 0.3))], 0.3)
    return _enlarge(box_mean(saliency, v.smoothing) if v.smoothing_last else saliency, image.shape[:2])


def real_parts(bank: GaborBank, values: FloatMap) -> FloatMap:
    """Return the real parts of the responses: (frequencies, orientations, h, w) float32."""
    height, width = values.shape
    shape = (height + bank.reach, width + bank.reach)
    spectrum = np.fft.fft2(values, s=shape)
    parts = [
        [np.fft.ifft2(spectrum * bank.transfer(s, o, shape)).real[:height, :width] for o in range(bank.orientations)]
        for s in range(bank.frequencies)
    ]
    return np.array(parts, np.float32)


def steps_table(photo: npt.NDArray[np.uint8], published: FloatMap) -> str:
    """Return the table of the choices, one added after the other."""
    variant, rows = Variant(), []
    for words, change in STEPS:
        variant = replace(variant, **change)
        rows.append([words, f"{correlation(variant_map(photo, variant), published):.3f}"])
    assert variant == FINAL
    return markdown_table(["choice", "CC"], rows)


def without_table(photo: npt.NDArray[np.uint8], published: FloatMap) -> str:
    """Return the table of the model with one choice changed."""
    rows = [
        [words, f"{correlation(variant_map(photo, replace(FINAL, **change)), published):.3f}"]
        for words, change in WITHOUT
    ]
    return markdown_table(["instead", "CC"], rows)


def sensitivity_table(photo: npt.NDArray[np.uint8], published: FloatMap) -> str:
    """Return the table of the numbers at a quarter less and a quarter more."""
    defaults = {p.name: p.default for p in salbox.card("rare2012").parameters}
    best = correlation(rare2012(photo), published)
    rows = []
    for name in ("working_size", "smoothing", "bins", "exponent", "max_frequency"):
        row = [f"`{name}`", f"{defaults[name]:g}"]
        for factor in (0.75, 1.25):
            value = type(defaults[name])(factor * defaults[name])
            measured = correlation(rare2012(photo, **{name: value}), published)
            row.append(f"{measured:.3f} ({measured - best:+.3f}) at {value:g}")
        rows.append(row)
    return markdown_table(["parameter", "default", "a quarter less", "a quarter more"], rows)


def documented_table(photo: npt.NDArray[np.uint8], published: FloatMap) -> str:
    """Return the table of the documented parameters at other values."""
    rows = [
        [f"`{name}`", ", ".join(f"{v}: {correlation(rare2012(photo, **{name: v}), published):.3f}" for v in values)]
        for name, values in DOCUMENTED
    ]
    return markdown_table(["parameter", "CC"], rows)


def high_frequency(photo: npt.NDArray[np.uint8], published: FloatMap) -> float:
    """Return the CC at a quarter more of the highest frequency, the first component left out."""
    return correlation(rare2012(photo, max_frequency=0.3125, inter_threshold=0.4), published)


def larger_copy(photo: npt.NDArray[np.uint8], published: FloatMap) -> float:
    """Return the CC of a working copy a quarter larger, lengths and frequencies in proportion."""
    return correlation(rare2012(photo, working_size=250, smoothing=10, max_frequency=0.2), published)


def first_component_share(photo: npt.NDArray[np.uint8]) -> float:
    """Return the efficiency of the first colour component over that of the best."""
    colors = imresize(np.ascontiguousarray(np.moveaxis(photo / 255.0, -1, 0)), (200, 200))
    bank, efficiencies = GaborBank(3, 8, 0.25), []
    for component in principal_components(colors).astype(np.float32):
        textures = [
            stretch(fuse([rarity(m, 4, 256, 2.0, 8) for m in scale], 0.3)) for scale in bank.magnitudes(component)
        ]
        channel = rarity(component, 4, 256, 2.0, 8) + stretch(fuse(textures, 0.3))
        efficiencies.append((channel.max() - channel.mean()) ** 2)
    return float(efficiencies[0] / max(efficiencies))


def to_raster(published: FloatMap, n: int) -> npt.NDArray[np.float64]:
    """Return the mean of the published map over each of n x n blocks, the inverse of enlarging: (n, n) float64."""
    block = _enlarge(np.arange(n * n, dtype=np.float32).reshape(n, n), published.shape).astype(int).ravel()
    sums = np.bincount(block, weights=published.ravel(), minlength=n * n)
    return (sums / np.bincount(block, minlength=n * n)).reshape(n, n)


def raster_table(published: FloatMap) -> str:
    """Return the table of what blocks of several sizes leave unexplained."""
    sizes = (160, 180, 190, 198, 199, 200, 201, 202, 210, 220, 240)
    left = []
    for n in sizes:
        blocks = _enlarge(to_raster(published, n).astype(np.float32), published.shape)
        left.append(float((published - blocks).std()))
    return markdown_table(["n", *map(str, sizes)], [["left over", *(f"{value:.2f}" for value in left)]])


def border_table(published: FloatMap) -> str:
    """Return the table of the steps by which the published map brightens from each border inwards."""
    raster = to_raster(published, 200)
    sides = {"top": raster, "left": raster.T, "bottom": raster[::-1], "right": raster.T[::-1]}
    rows = []
    for side, lines in sides.items():
        steps = np.diff(lines.mean(axis=1)[:8])
        rows.append([side, *(f"{step / steps[0]:.2f}" for step in steps)])
    return markdown_table(["border", *(f"step {i}" for i in range(1, 8))], rows)


def cost_table(photo: npt.NDArray[np.uint8]) -> str:
    """Return seconds and memory at three sizes."""
    rows = []
    for width, height in ((640, 480), (800, 600), (4000, 3000)):
        image = cv2.resize(photo, (width, height), interpolation=cv2.INTER_LINEAR)
        rare2012(image)
        times = []
        for _ in range(7):
            start = time.perf_counter()
            rare2012(image)
            times.append(time.perf_counter() - start)
        rows.append([f"{width} x {height}", f"{np.median(times):.3f}", f"{peak_memory(width, height):.0f}"])
    rate = f"Median of 7 runs; NumPy's float32 matrix product ran at {matmul_rate():.0f} GFLOP/s beside it."
    note = "Memory is the peak of a fresh process that also imports the package and holds the image."
    return f"{rate} {note}\n\n" + markdown_table(["image", "seconds", "peak memory, MiB"], rows)


def peak_memory(width: int, height: int) -> float:
    """Return the peak resident memory in MiB of a fresh process that computes one map."""
    call = [sys.executable, __file__, "--peak-memory", str(width), str(height)]
    return float(subprocess.run(call, check=True, capture_output=True, text=True).stdout)


def print_peak_memory(width: int, height: int) -> None:
    """Compute one map and print the peak resident memory of this process in MiB."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (height // 10, width // 10, 3), dtype=np.uint8)
    rare2012(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


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
    if sys.argv[1:2] == ["--peak-memory"]:
        print_peak_memory(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
