"""What the experiments on distillation share: where runs lie, resumable state, maps at working size, figures."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from _tables import ROOT, SHARED
from numpy.typing import NDArray

from salbox.datasets import Dataset, fixation_density, open_dataset
from salbox.imaging.writing import atomic
from salbox.system.progress import Progress
from salbox.training.splitting import part_of_name

RUNS = Path(os.environ.get("SALBOX_RUNS", ROOT / "runs"))  # not in the repository
OSIE = SHARED / "data" / "OSIE"
IMAGENET = SHARED / "weights" / "mobilenet_v2" / "mobilenet_v2_imagenet_folded.npz"

# Two of OSIE's photos are the same one: both are given the part of the first.
SAME = {"1374.jpg": "1279.jpg"}


class Printer(Progress):
    """Prints lines; a run's log keeps the rest."""

    def say(self, text: str) -> None:
        print(text, flush=True)


def osie(split: str) -> Dataset:
    return open_dataset(f"osie:{OSIE}", split)


def is_validation(name: str) -> bool:
    """Return whether a photo of a training split validates: by the hash of its name, test photos being apart."""
    return part_of_name(SAME.get(name, name)) == "validation"


def human_density(data: Dataset, index: int) -> NDArray[np.float64]:
    return fixation_density(data.fixations(index), data.shape(index), data.sigma(index))


def at_size(array: NDArray[Any], size: tuple[int, int]) -> NDArray[Any]:
    """Return an image or map at (height, width), by area."""
    return cv2.resize(array, size[::-1], interpolation=cv2.INTER_AREA)


def read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def write_json(path: Path, value: Any) -> None:
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the lines of a CSV file with a header, each as {column: text}."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def kept(path: Path, make: Callable[[], dict[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Return arrays from a file; they are made and written if it is not there."""
    if not path.is_file():
        arrays: Any = make()
        with atomic(path, keep_suffix=True) as temporary:
            np.savez_compressed(temporary, **arrays)
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def chosen(names: Sequence[str], only: Sequence[str]) -> list[str]:
    """Return the names that fit one of the patterns (`box-*`); all if there is none."""
    found = [name for name in names if not only or any(fnmatchcase(name, pattern) for pattern in only)]
    if not found:
        raise SystemExit(f"--only {' '.join(only)}: none of {', '.join(names)}")
    return found
