"""A picture of what was learned: photos that were not learned from, what is true of them, and the network's maps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..datasets import Dataset
from ..imaging.plots import Panel
from ..imaging.rows import PanelRow, save_rows
from ..imaging.scaling import visible
from ..models.model import Model
from .samples import truth_map

_ROWS = 6
_COLUMNS = ("picture", "truth", "network")


def draw_examples(path: Path, model: Model, datasets: Sequence[Dataset], rows: int = _ROWS) -> None:
    """Write a PNG with some pictures of each data set, spread over it: photo, density or mask, the network's map."""
    each = max(1, rows // len(datasets))
    found = []
    for data in datasets:
        chosen = {round(k * (len(data) - 1) / max(1, each - 1)): None for k in range(min(each, len(data)))}
        for index in chosen:
            photo = data.pixels(index)
            panels = (
                Panel("picture", photo, "photo"),
                Panel("truth", truth_map(data, index)),
                Panel("network", visible(model(photo), model.card.output)),
            )
            found.append(PanelRow(f"{data.card.name}: {data.items[index].name}", panels))
    save_rows(found, _COLUMNS, path)
