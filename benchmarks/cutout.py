"""Cutouts: how good their alpha is, with and without refinement, on photos with masks and drawn shapes; time, memory.

Contact sheets go to runs/cutout, for the photos may not be handed on. Writes docs/results/cutout.md.

    python benchmarks/cutout.py --weights u2netp=FILE [--model isnet:24 --weights isnet=FOLDER] [--rembg FOLDER]
        [--data ecssd:PATH] [--limit N] [--page FILE.md]
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
from _distilling import RUNS
from _drawn_objects import SHAPES, alpha_of, coarse, scene
from _tables import SHARED, markdown_table, provenance, write_page
from PIL import Image, ImageDraw

from salbox.apps import CutoutOptions, cutout
from salbox.apps.cutout_look import looks_again
from salbox.apps.cutout_photo import read_photo
from salbox.apps.cutout_writing import write_cutout
from salbox.apps.cutouts import cut_out
from salbox.apps.matting import matte
from salbox.apps.matting_closed_form import has_pymatting
from salbox.apps.matting_colors import clean_colors
from salbox.datasets import Dataset, open_dataset
from salbox.evaluation.bootstrap import estimate, interval_text, resampled
from salbox.models.loading import load
from salbox.models.model import Model
from salbox.models.specs import parse_models
from salbox.prediction.images import Pipeline

REFINEMENTS = ("none", "guided", *(["closed-form"] if has_pymatting() else []))
TOLERANCE = 0.008  # of the diagonal, how far an edge may be off: that of DAVIS 2016
SIZES = ((900, 1200), (3000, 4000), (10000, 10000))
SHEET = 10  # photos, each as it is, on transparency and on a colour
CELL = (260, 200)

Alpha = Callable[[np.ndarray], np.ndarray]


def boundary_f(found: np.ndarray, mask: np.ndarray) -> float:
    """Return the F-measure of a mask's edge pixels (Perazzi et al., CVPR 2016, section 4); 1 where both have none."""
    reach = max(1, int(np.ceil(TOLERANCE * np.hypot(*mask.shape))))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    ours, theirs = _edge(found), _edge(mask)
    if not ours.any() or not theirs.any():
        return float(not ours.any() and not theirs.any())
    precision = (ours & cv2.dilate(theirs, kernel)).sum() / ours.sum()
    recall = (theirs & cv2.dilate(ours, kernel)).sum() / theirs.sum()
    return float(2 * precision * recall / max(precision + recall, 1e-12))


def _edge(mask: np.ndarray) -> np.ndarray:
    values = mask.astype(np.uint8)
    edge = np.zeros_like(values)
    edge[:-1] |= values[:-1] ^ values[1:]
    edge[:, :-1] |= values[:, :-1] ^ values[:, 1:]
    return edge


def figures(alpha: np.ndarray, mask: np.ndarray) -> tuple[float, float, float]:
    """Return the mean absolute error of an alpha in 0..1, the intersection over union at 1/2, and the boundary F."""
    found = alpha > 0.5
    union = np.count_nonzero(found | mask)
    iou = np.count_nonzero(found & mask) / union if union else 1.0
    return float(np.abs(alpha - mask).mean()), iou, boundary_f(found, mask)


class Remembering:
    """A model's pipeline that looks at a picture once, however often a photo is refined; and how long it looked."""

    def __init__(self, model: Model) -> None:
        self.model, self._pipeline = model, Pipeline(model)
        self.output = self._pipeline.output
        self._looks: dict[bytes, tuple[np.ndarray, float]] = {}
        self.remembered = 0.0

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        key = hashlib.sha256(pixels.tobytes()).digest()
        self.remembered += self._looks[key][1] if key in self._looks else 0.0
        if key not in self._looks:
            started = time.process_time()
            self._looks[key] = self._pipeline(pixels), time.process_time() - started
        return self._looks[key][0]


@dataclass(frozen=True)
class AlphaBy:
    """What gives the alpha of a photo as `salbox.apps.cutout` does."""

    looks: Remembering
    refine: str
    is_frame: bool = False  # of a video: looked at once

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        options, self.looks.remembered = CutoutOptions(mask_only=True, refine=self.refine), 0.0
        return cut_out(read_photo(pixels), self.looks, options, is_frame=self.is_frame) / 255  # type: ignore[arg-type]

    @property
    def remembered(self) -> float:
        """Processor seconds that the last photo would have taken more, if it had not been looked at before."""
        return self.looks.remembered


def rembg_alpha(folder: Path) -> Alpha:
    """Return what gives the alpha of a photo by rembg's own program, in a folder of it, which has U2-Net-p."""
    sys.path.insert(0, str(folder))
    program = import_module("rembg")
    session = import_module("rembg.session_factory").new_session()
    return lambda pixels: np.asarray(program.remove(Image.fromarray(pixels), session=session, only_mask=True)) / 255


def photo_table(data: Dataset, rows: Sequence[tuple[str, Alpha, int]]) -> str:
    """Return a table, a line a row: its figures' means over the photos, boundary F less the first row's, seconds."""
    lines = []
    first: np.ndarray | None = None
    for label, alpha, limit in rows:
        found, seconds = [], []
        for index in range(min(limit, len(data))):
            pixels, mask = data.pixels(index), np.asarray(data.mask(index))
            started = time.process_time()
            given = alpha(pixels)
            seconds.append(time.process_time() - started + getattr(alpha, "remembered", 0.0))
            found.append(figures(given, mask if mask.dtype == np.bool_ else mask > 128))
        error, iou, edge = np.mean(found, axis=0)
        print(label, len(found), error, iou, edge, flush=True)
        edges = np.array(found)[:, 2]
        less = "" if first is None else _difference(edges - first[: len(edges)])
        first = edges if first is None else first
        cells = [f"{error:.4f}", f"{iou:.4f}", f"{edge:.4f}", less, f"{np.median(seconds):.2f}"]
        lines.append([label, str(len(found)), *cells])
    head = ("alpha by", "photos", "M", "IoU", "boundary F", "less the first line's", "s a photo")
    return markdown_table(head, lines, figures=6)


def _difference(values: np.ndarray) -> str:
    found = estimate(float(values.mean()), resampled([values])[0])
    return f"{found.value:+.4f} [{found.low:+.4f}, {found.high:+.4f}]"


def shape_rows() -> list[list[str]]:
    """Return a line a drawn shape: how far off alphas are, made of the same coarse map, and colours."""
    lines = []
    for name in SHAPES:
        truth = alpha_of(name)
        pixels, front = scene(name, truth)
        errors, colors = [], []
        for refine in REFINEMENTS:
            alpha = matte(pixels, coarse(truth), refine, truth.shape).rows(pixels, 0, truth.shape)
            errors.append(f"{1000 * np.abs(alpha - truth).mean():.1f}")
        gray = np.rint(255 * truth).astype(np.uint8)
        edge = (gray > 25) & (gray < 230)
        for by_levels in (False, *([True] if has_pymatting() else [])):
            cleaned = pixels.copy()
            clean_colors(cleaned, gray, gray, by_levels=by_levels)
            colors.append(np.abs(cleaned[edge] - front[edge]).mean())
        mixture = np.abs(pixels[edge] - front[edge]).mean()
        print(name, errors, mixture, colors, flush=True)
        lines.append([name, *errors, f"{mixture:.1f}", *(f"{each:.1f}" for each in colors)])
    return lines


def cost_rows() -> list[list[str]]:
    """Return a line a size of photo and refinement: seconds and the memory of a process, from a JPEG to a PNG."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for height, width in SIZES:
            path = Path(folder, f"{width}.jpg")
            photo = Image.new("RGB", (width, height), (90, 110, 120))
            side = min(height, width)
            ImageDraw.Draw(photo).ellipse((side // 5, side // 5, 4 * side // 5, 4 * side // 5), fill=(190, 60, 50))
            photo.save(path, quality=90)
            del photo
            for refine in REFINEMENTS[1:]:
                done = subprocess.run(
                    [sys.executable, __file__, "--cost", str(path), refine], capture_output=True, text=True, check=True
                )
                lines.append([f"{height * width / 1e6:.3g}", refine, *done.stdout.split()])
                print(lines[-1], flush=True)
    return lines


def cost(path: Path, refine: str) -> str:
    """Return processor seconds of one cutout, gigabytes that the process took at most, and those before."""
    model, options = _redness(), CutoutOptions(refine=refine)
    before, started = _most(), time.process_time()
    photo = read_photo(path)
    found = cut_out(photo, Pipeline(model), options)
    write_cutout(path.with_suffix(".png"), found, "png", {}, photo.beside)
    return f"{time.process_time() - started:.1f} {_most():.2f} {before:.2f}"


def _most() -> float:
    """Return the most memory that this process took so far, in GB; Linux tells."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM"))) / 2**20


def _redness() -> Model:
    from salbox.models.own import make_own_model

    def redness(image: np.ndarray) -> np.ndarray:
        return np.clip((image[..., 0].astype(np.float32) - image[..., 1]) / 120, 0, 1)

    own = make_own_model("redness", redness, {"task": "object", "output": "probability"})
    return own.open(own.card, {}, None, "cpu")


def sheet(photos: Sequence[np.ndarray], model: Model, path: Path) -> None:
    """Write a contact sheet: each photo, its cutout on a chequered ground, on orange, and its alpha."""
    width, height = CELL
    whole = Image.new("RGB", (8 * width, -(-len(photos) // 2) * height), "white")
    squares = (np.add.outer(np.arange(height) // 10, np.arange(width) // 10) % 2 * 60 + 180).astype(np.uint8)
    checked = Image.fromarray(squares).convert("RGB")
    for number, pixels in enumerate(photos):
        found = Image.fromarray(cutout(pixels, model))
        orange = Image.new("RGB", found.size, "#ff8800")
        orange.paste(found, mask=found.getchannel("A"))
        for column, picture in enumerate((Image.fromarray(pixels), found, orange, found.getchannel("A"))):
            picture.thumbnail(CELL)
            cell = checked.copy() if column == 1 else Image.new("RGB", CELL, "white")
            cell.paste(picture, mask=picture if picture.mode == "RGBA" else None)
            whole.paste(cell, ((4 * (number % 2) + column) * width, number // 2 * height))
    path.parent.mkdir(parents=True, exist_ok=True)
    whole.save(path)


def page(arguments: argparse.Namespace) -> str:
    """Return the page."""
    data = open_dataset(arguments.data, "test")
    rows: list[tuple[str, Alpha, int]] = []
    models = {}
    if arguments.rembg:
        rows.append(("rembg's program, U²-Net-p", rembg_alpha(arguments.rembg), arguments.limit))
    for text in arguments.model:
        name, _, limit = text.partition(":")
        mine = [each for each in arguments.weights if each.partition("=")[0] == name]
        ((name, keywords),) = parse_models([name], (), mine).items()
        models[name] = load(name, **keywords)
        most = int(limit or arguments.limit)
        looks = Remembering(models[name])
        rows += [(f"`{name}`, {refine}", AlphaBy(looks, refine), most) for refine in REFINEMENTS]
        if looks_again(models[name]):
            rows.append((f"`{name}`, guided, looking once", AlphaBy(looks, "guided", is_frame=True), most))
    photos = [data.pixels(index) for index in range(0, len(data), max(1, len(data) // (2 * SHEET)))][: 2 * SHEET]
    sheet(photos, next(iter(models.values())), RUNS / "cutout" / "sheet.png")
    packages = ("salbox", "numpy", "opencv-python-headless", "onnxruntime", *(["pymatting"] if has_pymatting() else []))
    return "\n\n".join(
        [
            "# Cutouts",
            provenance(packages) + " Written by `benchmarks/cutout.py`.",
            "## Photos with masks",
            f"{data.card.title}, test part. M is the mean absolute error of alpha and mask, as they are; IoU is of "
            "what is more than half there; boundary F allows an edge to be off by .8 % of the diagonal, and beside it "
            f"stands by how much it is above that of the first line, in brackets the {interval_text()}. "
            "Seconds are of one processor core, the median. "
            "`scfnet` looks up to three times if nothing else is said, see [the edge](../cutout.md#the-edge).",
            photo_table(data, rows),
            "## Drawn shapes of known alpha",
            "1200x900 pixels, grained, before a grained background; all alphas are made of the same map, the true one "
            "in 320x320 pixels, softened. Mean absolute error of alpha in thousandths. To the right the mean error of "
            "colours, of 255, where alpha is .1 to .9: of the photo, by blur fusion, and by PyMatting's multi-level "
            "estimate.",
            markdown_table(
                ("shape", *REFINEMENTS, "photo", "blur fusion", *(["multi-level"] if has_pymatting() else [])),
                shape_rows(),
                figures=len(REFINEMENTS) + 3,
            ),
            "## Time and memory",
            "A drawn photo from a JPEG to a PNG, without the model's own part: processor seconds, the most "
            "memory that the process took, and what the interpreter and its libraries took before.",
            markdown_table(("megapixels", "refined", "s", "most, GB", "before, GB"), cost_rows(), figures=5),
        ]
    )


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", help="NAME or NAME:PHOTOS; by default u2netp", default=[])
    parser.add_argument("--weights", action="append", default=[])
    parser.add_argument("--rembg", type=Path, help="the folder that holds rembg's package")
    parser.add_argument("--data", default=f"ecssd:{SHARED / 'data' / 'ECSSD'}")
    parser.add_argument("--limit", type=int, default=120)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--cost", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.cost:
        print(cost(Path(arguments.cost[0]), arguments.cost[1]))
        return
    arguments.model = arguments.model or ["u2netp"]
    text = page(arguments)
    if arguments.page is None:
        write_page("cutout.md", text)
    else:
        arguments.page.write_text(text + "\n")


if __name__ == "__main__":
    main()
