"""Contact sheets of an object model: the photos that it does best and worst on, each with its mask and its map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from salbox.datasets import Dataset
from salbox.evaluation import Evaluation, ModelSource
from salbox.imaging.writing import atomic
from salbox.metrics import get_metric
from salbox.models.loading import load_for

COUNT = 12  # best, and worst
CELL = (200, 150)  # pixels, wide and high
ACROSS = 2  # photos side by side, each three cells wide
LABEL = 16  # pixels above each row


def draw_extremes(data: Dataset, table: Evaluation, row: str, source: ModelSource, folder: Path) -> list[Path]:
    """Write best.jpg and worst.jpg, by the mean absolute error; return where. The photos may not be handed on."""
    errors = table.rows[row]["mae"]
    order = np.argsort(errors, kind="stable")
    places = {item.name: index for index, item in enumerate(data.items)}
    model = load_for(source.name, source.parameters, source.postprocess)
    written = []
    for name, chosen in (("best", order[:COUNT]), ("worst", order[::-1][:COUNT])):
        sheet = _sheet([(places[table.images[k]], table.images[k], float(errors[k])) for k in chosen], data, model)
        path = folder / f"{data.card.name}-{name}.jpg"
        with atomic(path) as temporary:
            sheet.save(temporary, format="JPEG", quality=88)
        written.append(path)
    return written


def _sheet(entries: list[tuple[int, str, float]], data: Dataset, model: object) -> Image.Image:
    width, height = CELL
    rows = -(-len(entries) // ACROSS)
    sheet = Image.new("RGB", (ACROSS * (3 * width + 8), rows * (height + LABEL + 4)), "white")
    draw = ImageDraw.Draw(sheet)
    title = get_metric("mae").title
    for number, (index, name, error) in enumerate(entries):
        left, top = (number % ACROSS) * (3 * width + 8), (number // ACROSS) * (height + LABEL + 4)
        draw.text((left + 2, top + 2), f"{name}  {title} {error:.3f}", fill="black")
        pixels = data.pixels(index)
        mask = np.asarray(data.mask(index))
        mask = mask if mask.dtype == np.bool_ else mask > 128
        found = np.rint(np.clip(model(pixels), 0, 1) * 255).astype(np.uint8)  # type: ignore[operator]
        for column, picture in enumerate((pixels, mask.astype(np.uint8) * 255, found)):
            small = Image.fromarray(picture).convert("RGB")
            small.thumbnail(CELL)
            sheet.paste(small, (left + column * width, top + LABEL))
    return sheet
