"""What `salbox explain` does with as many photos as GQA has: seconds and memory of each step, in a process of its own.

GQA itself is not needed: a set of its size is generated, 75,000 scene graphs of 16 boxes each, with attributes and
relations, whose names come as often as words do (Zipf). All photos are links to few small files, and the network is one
that returns stored maps of activation of the published size, 512 of 60x80. The first photos are dissected; what that
writes stands, renumbered, for the rest, so that the last steps read as much as GQA would give. Needs 4 GB of disk.
Linux only. Writes its figures to FOLDER/gqa.json, from which `explain.py` takes them.

    python benchmarks/explain_gqa.py FOLDER [--photos N] [--dissected N]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
from PIL import Image

from salbox.explain.concept_sets import open_photos
from salbox.explain.contributions import contributions
from salbox.explain.dissection import PART, dissect, mean_ious, read_parts
from salbox.explain.files import write_arrays, write_table
from salbox.explain.vocabulary import build_vocabulary

PHOTOS, DISSECTED = 75_000, 1024
BOXES, NAMES, ATTRIBUTES = 16, 1_700, 600
BASES, PLACES = 512, (60, 80)
MAX_LINKS = 30_000  # to one file; ext4 has at most 65,000
STORED = 8  # maps of activation, used in turn


class Stored:
    """A network of which the maps of activation are known."""

    count = BASES

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self._maps = [rng.random((BASES, *PLACES), dtype=np.float32) for _ in range(STORED)]
        self._turn = 0

    def look(self, image: Any) -> np.ndarray:
        self._turn += 1
        return self._maps[self._turn % STORED]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=int, default=PHOTOS)
    parser.add_argument("--dissected", type=int, default=DISSECTED)
    parser.add_argument("--step")
    chosen = parser.parse_args()
    if chosen.step:
        STEPS[chosen.step](chosen.folder, chosen)
        return
    figures: dict[str, Any] = {"photos": chosen.photos, "dissected": chosen.dissected}
    for name in STEPS:
        started = time.monotonic()
        command = [sys.executable, __file__, str(chosen.folder), "--step", name]
        command += ["--photos", str(chosen.photos), "--dissected", str(chosen.dissected)]
        process = subprocess.Popen(command)
        _, code, usage = os.wait4(process.pid, 0)
        if code:
            raise SystemExit(f"step {name} failed")
        figures[name] = {
            "seconds": round(time.monotonic() - started, 1),
            "processor": round(usage.ru_utime + usage.ru_stime, 1),
            "megabytes": round(usage.ru_maxrss / 1024),
        }
        print(name, figures[name], flush=True)
    figures["json megabytes"] = round((chosen.folder / "sceneGraphs" / "train_sceneGraphs.json").stat().st_size / 1e6)
    parts = chosen.folder / "parts"
    figures["parts megabytes"] = round(sum(path.stat().st_size for path in parts.iterdir()) / 1e6)
    (chosen.folder / "gqa.json").write_text(json.dumps(figures, indent=1) + "\n")


def generate(folder: Path, chosen: argparse.Namespace) -> None:
    """Write the scene graphs and the links."""
    rng = np.random.default_rng(0)
    chances = 1 / np.arange(1, NAMES + 1)
    names = rng.choice(NAMES, (chosen.photos, BOXES), p=chances / chances.sum())
    kinds = rng.integers(0, ATTRIBUTES, (chosen.photos, BOXES))
    corners = rng.random((chosen.photos, BOXES, 4))
    verbs = [f"{first}{second}oing" for first in ascii_lowercase for second in "bcdfg"]
    (folder / "sceneGraphs").mkdir(parents=True, exist_ok=True)
    (folder / "images").mkdir(exist_ok=True)
    pixels = Image.fromarray(rng.integers(0, 256, (48, 64, 3), np.uint8))
    with (folder / "sceneGraphs" / "train_sceneGraphs.json").open("w") as file:
        file.write("{")
        for i in range(chosen.photos):
            number = str(2_000_000 + i)
            objects = {}
            for j in range(BOXES):
                x, y, w, h = corners[i, j]
                objects[str(1000 * i + j)] = {
                    "name": f"thing {names[i, j]}",
                    "attributes": [f"kind {kinds[i, j]}"] if j % 2 else [],
                    "relations": [
                        {"name": name, "object": str(1000 * i + (j + 1) % BOXES)}
                        for name in ("to the left of", "near", f"{verbs[kinds[i, j] % len(verbs)]} on")[: 2 + j % 2]
                    ],
                    "x": int(x * 400), "y": int(y * 300), "w": 10 + int(w * 200), "h": 10 + int(h * 150),
                }  # fmt: skip
            graph = {"width": 640, "height": 480, "objects": objects}
            file.write(("," if i else "") + json.dumps(number) + ":" + json.dumps(graph))
            link = folder / "images" / f"{number}.jpg"
            one = folder / f"photo-{i // MAX_LINKS}.jpg"
            if not one.exists():
                pixels.save(one)
            if not link.exists():
                os.link(one, link)
        file.write("}")


def vocabulary(folder: Path, chosen: argparse.Namespace) -> None:
    """Read all scene graphs and keep the concepts."""
    photos = open_photos([f"gqa:{folder}"])
    found = build_vocabulary((photos.concepts(i) for i in range(len(photos))), 50)
    write_table(found.table(), folder / "vocabulary.parquet")
    (folder / "concepts.json").write_text(
        json.dumps([list(found.concepts), list(found.photos), dict(found.concept_of)])
    )


def dissection(folder: Path, chosen: argparse.Namespace) -> None:
    """Dissect the first photos."""
    photos = open_photos([f"gqa:{folder}"])
    first = type(photos)(photos.datasets, photos.places[: chosen.dissected])
    limits = np.full(BASES, 0.8, np.float32)
    dissect(Stored(), first, _vocabulary(folder), limits, folder / "parts")


def renumber(folder: Path, chosen: argparse.Namespace) -> None:
    """Write the parts of the other photos: those of the first, renumbered."""
    parts = sorted((folder / "parts").iterdir())[: chosen.dissected // PART]
    made = [vars(part) for part in read_parts(parts)]
    for start in range(len(made) * PART, chosen.photos, PART):
        own = made[start // PART % len(made)]
        length = min(PART, chosen.photos - start)
        photo = own["photo"] % PART
        rows = photo < length
        kept = {"photo": photo[rows] + np.int32(start), **{key: own[key][rows] for key in ("concept", "iou", "share")}}
        write_arrays({**kept, "peak": own["peak"][:length]}, folder / "parts" / f"photos-{start:06d}.safetensors")


def tables(folder: Path, chosen: argparse.Namespace) -> None:
    """Make the tables of all photos: mean IoUs, and contributions with their intervals."""
    parts = sorted((folder / "parts").iterdir())
    known = _vocabulary(folder)
    write_table(mean_ious(parts, known, BASES), folder / "dissection.parquet")
    weights = np.random.default_rng(0).normal(size=BASES).astype(np.float32)
    write_table(contributions(parts, known, weights), folder / "contributions.parquet")


def _vocabulary(folder: Path) -> Any:
    from salbox.explain.vocabulary import Vocabulary

    concepts, photos, concept_of = json.loads((folder / "concepts.json").read_text())
    return Vocabulary(tuple(concepts), tuple(photos), concept_of)


STEPS = {
    "generate": generate,
    "vocabulary": vocabulary,
    "dissection": dissection,
    "renumber": renumber,
    "tables": tables,
}

if __name__ == "__main__":
    main()
