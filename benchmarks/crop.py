"""How much of what people look at a crop keeps, beside the centre crop, smartcrop and the best crop that there is.

Needs OSIE and MIT1003 (`shared/` beside the checkout, or SALBOX_SHARED) and the package smartcrop. What each crop keeps
is remembered image by image in cache/crop, so that an interrupted run goes on. Writes docs/results/crop.md.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import smartcrop
from _tables import ROOT, SHARED, markdown_table, provenance, write_page
from PIL import Image

from salbox.apps.attention import LOOKED_AT, attend, one_model, seen_by
from salbox.apps.box import Box
from salbox.apps.crops import CropOptions, best_crop
from salbox.apps.sizes import parse_size
from salbox.datasets import Dataset, Fixations, open_dataset
from salbox.evaluation.bootstrap import difference, estimate, resampled
from salbox.imaging.image import read_image
from salbox.imaging.reduced import read_reduced
from salbox.imaging.writing import atomic
from salbox.system.identity import code_identity

KEPT = ROOT / "cache" / "crop"
SETS = {
    "OSIE test": ("osie:OSIE", "test"),
    "MIT1003 validation": ("mit1003:MIT1003", "validation"),
}
SIZES = ("1:1", "16:9", "9:16")
MODELS = ("gaze", "gbvs.student", "gaze.large", "unisal.people")
CENTER, SMART, PLAIN = "centre crop", "smartcrop", "`gaze`, cuts not counted"
OTHERS, BEST = "other people", "best that there is"
ROWS = (CENTER, SMART, "`gbvs.student`", "`gaze`", PLAIN, "`gaze.large`", "`unisal.people`", OTHERS, BEST)
PAIRS = (
    ("`gaze`", CENTER),
    ("`gaze`", SMART),
    ("`gaze.large`", CENTER),
    ("`unisal.people`", CENTER),
    (SMART, CENTER),
    (OTHERS, CENTER),
    (BEST, CENTER),
)
LEVELS = (1 / 3, 2 / 3)
PHOTO = (4000, 3000)

Values = npt.NDArray[np.float64]
Photo = dict[str, dict[str, list[float]]]  # size -> row -> what people's fixations it keeps, what it says, how sure


def inside(box: Box, looks: Fixations) -> float:
    """Return the share of fixations that lie in a box."""
    return float(np.mean((looks.x >= box.x) & (looks.x < box.right) & (looks.y >= box.y) & (looks.y < box.bottom)))


def best_box(looks: Fixations, shape: tuple[int, int], width: int, height: int) -> Box:
    """Return the window that is best for these fixations, every place looked at: the middle one of equals."""
    counts = np.zeros(shape)
    np.add.at(counts, looks.pixels(shape), 1)
    sums = np.zeros((shape[0] + 1, shape[1] + 1))
    sums[1:, 1:] = counts.cumsum(axis=0).cumsum(axis=1)
    kept = sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    rows, columns = np.nonzero(kept == kept.max())
    middle = len(rows) // 2
    return Box(int(columns[middle]), int(rows[middle]), width, height)


def by_others(looks: Fixations, shape: tuple[int, int], width: int, height: int) -> float:
    """Return what the window that is best for half of the people keeps of the others' fixations, mean of both ways."""
    is_first = np.isin(looks.subject, looks.subjects[::2])
    halves = [looks[is_first], looks[~is_first]]
    return float(np.mean([inside(best_box(one, shape, width, height), other) for one, other in (halves, halves[::-1])]))


def smart_box(image: Image.Image, width: int, height: int) -> Box:
    """Return smartcrop's window of the same size: the largest of its aspect, so that it gives nothing away."""
    found = smartcrop.SmartCrop().crop(image, width, height, min_scale=1.0, max_scale=1.0)["top_crop"]
    x, y = max(0, int(found["x"])), max(0, int(found["y"]))
    return Box(min(x, image.width - width), min(y, image.height - height), width, height)


def measured(data: Dataset, index: int, models: dict[str, Any]) -> Photo:
    """Return {size: {row: [what people's fixations it keeps, what it says, how sure it is]}} of a photo."""
    looks, path = data.fixations(index), data.items[index].image
    seen = {name: attend(path, model) for name, model in models.items()}
    shape, image = data.shape(index), Image.fromarray(read_image(path))
    found: Photo = {}
    for text in SIZES:
        size = parse_size(text)
        crops = {name: best_crop(attention, size) for name, attention in seen.items()}
        width, height = crops["gaze"].box.width, crops["gaze"].box.height
        middle = Box((shape[1] - width) // 2, (shape[0] - height) // 2, width, height)
        rows = {CENTER: [inside(middle, looks)], BEST: [inside(best_box(looks, shape, width, height), looks)]}
        rows[OTHERS] = [by_others(looks, shape, width, height)]
        rows[SMART] = [inside(smart_box(image, width, height), looks)]
        for name, crop in crops.items():
            rows[f"`{name}`"] = [inside(crop.box, looks), crop.kept, crop.certainty]
        careless = best_crop(seen["gaze"], size, CropOptions(cut_weight=0))
        rows[PLAIN] = [inside(careless.box, looks), careless.kept, careless.certainty]
        found[text] = rows
    return found


def of_set(name: str) -> list[Photo]:
    """Return what `measured` gives of every photo of a set."""
    (kind, _, folder_name), split = SETS[name][0].partition(":"), SETS[name][1]
    data = open_dataset(f"{kind}:{SHARED / 'data' / folder_name}", split)
    code = code_identity("salbox.apps.crops", "salbox.runtime.gaze", "salbox.imaging.reduced")
    folder = KEPT / f"{name.replace(' ', '-')}-{code}"
    folder.mkdir(parents=True, exist_ok=True)
    models = {each: one_model(each) for each in MODELS}
    found = []
    for index, item in enumerate(data.items):
        file = folder / f"{item.name}.json"
        if not file.is_file():
            with atomic(file) as temporary:
                temporary.write_text(json.dumps(measured(data, index, models)), encoding="utf-8")
        found.append(json.loads(file.read_text(encoding="utf-8")))
    return found


def table(photos: list[Photo]) -> str:
    """Return the table of what crops keep."""
    cells = {row: [f"**{row}**" if row == "`gaze`" else row] for row in ROWS}
    for size in SIZES:
        values = {row: column(photos, size, row) for row in ROWS}
        for row, drawn in zip(ROWS, resampled([values[row] for row in ROWS]), strict=True):
            found = estimate(float(values[row].mean()), drawn)
            cells[row].append(f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]")
    return markdown_table(("crop", *SIZES), list(cells.values()))


def differences(name: str, photos: list[Photo]) -> list[list[str]]:
    """Return rows of paired differences."""
    rows = []
    for size in SIZES:
        room = column(photos, size, BEST) - column(photos, size, CENTER)
        for one, other in PAIRS:
            apart = column(photos, size, one) - column(photos, size, other)
            (drawn,) = resampled([apart])
            found = difference(float(apart.mean()), drawn)
            way = f"{apart.mean() / room.mean():.0%}" if other == CENTER else ""
            rows.append([name, size, one, other, f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}]", way])
    return rows


def column(photos: list[Photo], size: str, row: str, place: int = 0) -> Values:
    """Return a figure of a row, one a photo."""
    return np.array([photo[size][row][place] for photo in photos])


def calibration(name: str, photos: list[Photo]) -> list[list[str]]:
    """Return rows that hold what crops say of themselves against what people did, by how sure they are."""
    rows = []
    for size in SIZES:
        kept, said, sure = (column(photos, size, "`gaze`", place) for place in range(3))
        lost = column(photos, size, BEST) - kept
        gain = kept - column(photos, size, CENTER)
        cuts = np.quantile(sure, LEVELS)
        for label, chosen in (
            ("all", np.full(len(sure), True)),
            (f"certainty up to {cuts[0]:.2f}", sure <= cuts[0]),
            ("between", (sure > cuts[0]) & (sure <= cuts[1])),
            (f"above {cuts[1]:.2f}", sure > cuts[1]),
        ):
            if chosen.any():
                means = [f"{values[chosen].mean():.3f}" for values in (said, kept, gain, lost)]
                off = f"{np.abs(said - kept)[chosen].mean():.3f}"
                rows.append([name, size, label, str(int(chosen.sum())), *means, off])
    return rows


def speed() -> tuple[float, list[list[str]]]:
    """Return megabytes, and rows of the time that a photo of 12 megapixels takes: processor time, one thread."""
    noise = np.random.default_rng(0).normal(0, 6, (PHOTO[1], PHOTO[0], 1))
    small = Image.fromarray(read_image(SHARED / "data" / "OSIE" / "data" / "stimuli" / "1003.jpg"))
    pixels = (np.asarray(small.resize(PHOTO, Image.Resampling.LANCZOS)) + noise).clip(0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    content, model, size = buffer.getvalue(), one_model("gaze"), parse_size("1:1")
    copy, shape = read_reduced(content, LOOKED_AT)
    attention = seen_by(model, copy, shape)
    box = best_crop(attention, size).box

    def whole() -> None:
        picture = Image.open(io.BytesIO(content)).crop((box.x, box.y, box.right, box.bottom))
        picture.save(io.BytesIO(), "JPEG", quality=95, optimize=True)

    steps: dict[str, Callable[[], Any]] = {
        "reading it at a quarter": lambda: read_reduced(content, LOOKED_AT),
        "the model": lambda: seen_by(model, copy, shape),
        "the search, 1:1": lambda: best_crop(attention, size),
        "the box, all three": lambda: best_crop(attend(content, model), size),
        "reading, cutting and writing the crop beside": whole,
        "the search with --zoom 2 --rule-of-thirds": lambda: best_crop(attention, size, CropOptions(2.0, True)),
    }
    rows = []
    for name, step in steps.items():
        times = []
        for _ in range(7):
            begin = time.process_time()
            step()
            times.append(time.process_time() - begin)
        rows.append([name, f"{np.median(times) * 1000:.0f} ms"])
    return len(content) / 1e6, rows


def main() -> None:
    """Measure and write the page."""
    photos = {name: of_set(name) for name in SETS}
    tables = "\n\n".join(f"### {name}, {len(found)} photos\n\n{table(found)}" for name, found in photos.items())
    apart = [row for name, found in photos.items() for row in differences(name, found)]
    megabytes, times = speed()
    said = [row for name, found in photos.items() for row in calibration(name, found)]
    text = f"""# Crops

{provenance(("salbox", "onnxruntime", "numpy", "smartcrop", "pillow"))} Written by `benchmarks/crop.py`.

## What crops keep of where people looked

The share of people's fixations within the largest window of an aspect. `gaze`, `gbvs.student`, `gaze.large` and
`unisal.people`: `salbox crop` as it comes. smartcrop places a window of the same size (`min_scale=1`). 'Other people':
the window that is best for half of the observers, measured on the other half, both ways. The best that there is knows
the very fixations that it is measured on. OSIE's photos are 4:3; MIT1003's lie and stand. `gaze`, `gaze.large` and
`unisal.people` learned from other photos of both. Brackets: 95 % bootstrap over photos.

{tables}

Differences on the same photos; the last column is how much of the way from the centre crop to the best that there is.

{markdown_table(("photos", "size", "crop", "beside", "keeps more", "of the way"), apart)}

## What a crop says of itself

`kept` and `certainty` of `gaze` beside what people did, the photos in thirds by `certainty`. 'Gain' is over the centre
crop, 'lost' against the best that there is, 'off' the mean of how far `kept` is from what people's fixations say.

{markdown_table(("photos", "size", "by", "photos", "`kept` says", "people", "gain", "lost", "off"), said)}

## Time

A JPEG of {PHOTO[0]}x{PHOTO[1]} and {megabytes:.1f} MB, the model warm, one thread, median of 7 in processor time: other
programs ran on the machine.

{markdown_table(("step", "time"), times)}
"""
    write_page("crop.md", text)


if __name__ == "__main__":
    main()
