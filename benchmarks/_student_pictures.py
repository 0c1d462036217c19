"""Pictures of the shipped students: every head below its teacher, and the worst case of each domain."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from _held_out import OF_TRUNK, SHOWN, maps_of
from PIL import Image

from salbox.distillation.domains import DOMAINS
from salbox.distillation.fidelity._pictures import Example, draw_examples
from salbox.distillation.teachers.augmentations import View
from salbox.imaging.figures import save_figure
from salbox.imaging.plots import Panel
from salbox.imaging.writing import atomic
from salbox.metrics.fidelity import fidelity_cc
from salbox.prediction.images import predict

GROUPS = tuple(dict.fromkeys(domain.group for domain in DOMAINS.values()))
NAMES = [f"{head}.student" for head in OF_TRUNK]
QUALITY = 88  # of the JPEG files: a tenth of the bytes of PNG, since most of them would be noise in photos

_COLUMN, _GAP, _LABEL, _DPI = 2.3, 0.06, 0.24, 100  # inches, dots an inch

Map = npt.NDArray[np.float32]


def students_of(view: View) -> dict[str, Map]:
    """Return head -> the student's map of a picture."""
    found = predict(view.render(), NAMES)
    return {head: found[name] for head, name in zip(OF_TRUNK, NAMES, strict=True)}


def draw_heads(samples: Sequence[View], images: Path) -> None:
    """Draw students-NAME.jpg for three photos: teachers above students, four heads a line."""
    for view in samples:
        if view.photo.stem in SHOWN:
            _draw_heads(view, images / f"students-{view.photo.stem}.jpg")


def _draw_heads(view: View, path: Path) -> None:
    from matplotlib.figure import Figure

    photo, found = view.render(), students_of(view)
    height = _COLUMN * photo.shape[0] / photo.shape[1]
    lines = [OF_TRUNK[i : i + 4] for i in range(0, len(OF_TRUNK), 4)]
    wide = 5 * (_COLUMN + _GAP) + _GAP
    tall = len(lines) * 2 * (height + _LABEL) + (len(lines) + 1) * 2 * _GAP
    figure = Figure(figsize=(wide, tall), dpi=_DPI)

    def place(panel: Panel, column: int, row: int) -> None:
        left = _GAP + column * (_COLUMN + _GAP)
        top = tall - (row + 1) * (height + _LABEL) - (row // 2 + 1) * 2 * _GAP
        label = ((left + _COLUMN / 2) / wide, (top + height + 0.05) / tall)
        figure.text(*label, panel.label, ha="center", fontsize=9, parse_math=False)
        panel.draw(figure.add_axes((left / wide, top / tall, _COLUMN / wide, height / tall)))

    place(Panel(view.photo.stem, photo, "photo"), 0, 0)
    for i, line in enumerate(lines):
        for column, head in enumerate(line, 1):
            teacher = maps_of(head).read(view.key)
            place(Panel(head, teacher), column, 2 * i)
            place(Panel(f"{head}.student: CC {fidelity_cc(found[head], teacher):.2f}", found[head]), column, 2 * i + 1)
    _as_jpeg(path, lambda png: save_figure(figure, png))


def draw_worst(views: Sequence[View], images: Path) -> None:
    """Draw students-worst-GROUP.jpg: of each domain the picture and head with the lowest CC."""
    worst: dict[str, tuple[float, Example]] = {}
    for view in views:
        picture, found = view.render(), students_of(view)
        assert view.domain is not None
        for head in OF_TRUNK:
            teacher = maps_of(head).read(view.key)
            cc = fidelity_cc(found[head], teacher)
            if view.domain not in worst or cc < worst[view.domain][0]:
                title = f"{view.domain}: {head}.student, CC {cc:.2f}"
                worst[view.domain] = (cc, Example(title, picture, teacher, found[head]))
    for group in GROUPS:
        examples = [worst[name][1] for name, domain in DOMAINS.items() if domain.group == group and name in worst]
        _as_jpeg(images / f"students-worst-{group}.jpg", partial(draw_examples, examples))


def _as_jpeg(path: Path, draw: Callable[[Path], None]) -> None:
    """Write what `draw` draws into a PNG as a JPEG."""
    with tempfile.TemporaryDirectory() as folder:
        png = Path(folder) / "picture.png"
        draw(png)
        with Image.open(png) as picture, atomic(path) as temporary:
            picture.convert("RGB").save(temporary, "JPEG", quality=QUALITY, optimize=True)
