"""What a network would have to compute to draw BMS's maps of patterns: how large a picture, how long a flood.

BMS asks of each region whether it touches the picture's border, over any distance. A head could be given that as it
was given SUN's filters, if a small picture and few steps from pixel to pixel were enough. Here BMS itself works on
small pictures, and its flood ends after so many steps. Needs OSIE (`shared` beside the checkout, or SALBOX_SHARED).
Writes docs/results/bms-steps.md.

    python benchmarks/bms_steps.py [--photos 20]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from unittest.mock import patch

import cv2
import numpy as np
from _distilling import osie
from _tables import markdown_table, provenance, write_page

import salbox
from salbox.classical import bms as algorithm
from salbox.distillation.domains import DOMAINS
from salbox.distillation.teachers.reference import at_reference_size
from salbox.metrics.fidelity import fidelity_cc
from salbox.types import FloatMap, Pixels

KINDS = ("photo", "gratings", "spirals", "checkerboard", "odd-one-out", "fractal")
WORKING = 400  # pixels of BMS's working copy; its widths are meant for that size
SIDES = (256, 192, 128, 96, 64)
STEPS = (128, 64, 32, 16)
STEPS_SIDE = 128
ENOUGH = 64  # steps, where most patterns are as with no end
COMPARED = 100 * STEPS_SIDE * (STEPS_SIDE * 3 // 4) * 9 * ENOUGH
SEED = 2_000_003  # that changed pictures are drawn with
BOX = np.ones((3, 3), np.uint8)


def pictures(count: int) -> dict[str, list[Pixels]]:
    """Return pictures of each kind, made of training photos, as the teacher sees them."""
    data = osie("train")
    photos = [data.pixels(index) for index in range(0, len(data), len(data) // count)][:count]
    found = {"photo": photos}
    for kind in KINDS[1:]:
        found[kind] = [DOMAINS[kind](photo, np.random.default_rng(SEED + n)) for n, photo in enumerate(photos)]
    return {kind: [at_reference_size(each) for each in own] for kind, own in found.items()}


def smaller(side: int) -> Callable[[Pixels], FloatMap]:
    """Return BMS on a working copy of so many pixels, its widths to scale."""
    widths = {name: _odd(width * side / WORKING) for name, width in (("dilation_width_1", 7), ("dilation_width_2", 9))}
    return partial(algorithm.bms, max_dim=side, blur_std=max(1, round(9 * side / WORKING)), **widths)


def _odd(width: float) -> int:
    return 2 * round((max(1.0, width) - 1) / 2) + 1


def reached(boolean_map: Pixels, steps: int) -> Pixels:
    """Return what `algorithm.surrounded` does, if the flood from the border ends after so many steps."""
    open_regions = np.zeros(boolean_map.shape, bool)
    for region in (boolean_map > 0, boolean_map == 0):
        allowed = region.astype(np.uint8)
        flood = allowed.copy()
        flood[1:-1, 1:-1] = 0
        for _ in range(steps):
            flood = cv2.dilate(flood, BOX) & allowed
        open_regions |= flood > 0
    return np.where(open_regions, 0, 255).astype(np.uint8)


@contextmanager
def flood_of(steps: int):
    """Let BMS's flood end after so many steps."""
    with patch.object(algorithm, "surrounded", partial(reached, steps=steps)):
        yield


def row(
    title: str, model: Callable[[Pixels], FloatMap], seen: Mapping[str, Sequence[Pixels]], targets: Mapping[str, list]
) -> list[str]:
    """Return a line: the mean CC with BMS's maps of each kind."""
    found = [np.mean([fidelity_cc(model(p), t) for p, t in zip(seen[k], targets[k], strict=True)]) for k in KINDS]
    print(title, found, flush=True)
    return [title, *(f"{value:.3f}" for value in found)]


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--photos", type=int, default=20)
    given = parser.parse_args()
    seen = pictures(given.photos)
    bms = salbox.load("bms")
    targets = {kind: [bms(picture) for picture in own] for kind, own in seen.items()}
    lines = [row("`bms.student`", salbox.load("bms.student"), seen, targets)]
    lines += [row(f"BMS on {side} pixels", smaller(side), seen, targets) for side in SIDES]
    for steps in STEPS:
        with flood_of(steps):
            lines.append(row(f"BMS on {STEPS_SIDE} pixels, {steps} steps", smaller(STEPS_SIDE), seen, targets))
    parts = [
        "# BMS in fewer steps",
        f"{provenance(('salbox', 'numpy', 'opencv-python-headless', 'onnxruntime'))} Written by "
        "`benchmarks/bms_steps.py`.",
        "`bms.student` follows BMS on photos, and less so on patterns ([fidelity](fidelity.md)). BMS asks of every "
        f"region of about a hundred boolean maps, on a copy of {WORKING} pixels, whether it touches the picture's "
        "border; the way there may wind through the whole picture, as in a spiral. A head that was given this would "
        "have to go that way pixel by pixel. So: how small may the copy be, and after how many steps may the flood "
        "from the border end, before the student is closer to BMS than BMS itself?",
        f"Mean CC with BMS's maps (see [fidelity](fidelity.md)), {given.photos} pictures a kind, made of photos of "
        "OSIE's training part. Widths of dilations and blur are to scale; a step is to the eight neighbours, in all "
        "boolean maps at once.",
        markdown_table(("", *KINDS), lines, figures=len(KINDS)),
        f"Steps on a copy of {STEPS_SIDE} x {STEPS_SIDE * 3 // 4} pixels, in a hundred boolean maps, are "
        f"{COMPARED / 1e6:.0f} million comparisons for {ENOUGH} of them, one after another; the whole network, with "
        "all its heads, takes about 890 million multiply-adds. The shipped head has no such block for that reason.",
    ]
    write_page("bms-steps.md", "\n\n".join(parts))


if __name__ == "__main__":
    main()
