"""The maps that KDSalBox's authors publish of ten original programs, for one photo, beside salbox's models.

    python benchmarks/kdsalbox_demo.py [--network sam=runs/sam-0] [--student sam=runs/x#sam] ...

Needs `shared/oracle/kdsalbox-demo` beside the checkout (or SALBOX_SHARED), the weights of fastgaze and attention-center
there, and of networks and students that do not ship their run folders: by default `sam-0` and `dgii-0` in SALBOX_RUNS,
of scripts/train_people.py, where they are there. One photo says whether a model is of the original's kind, and no more.
Writes docs/results/kdsalbox-demo.md.
"""

from __future__ import annotations

import argparse
import os
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from _distilling import RUNS
from _tables import SHARED, markdown_table, provenance, write_page

os.environ.setdefault("SALBOX_WEIGHTS", str(SHARED / "weights"))

import salbox
from salbox.imaging.scaling import density
from salbox.metrics.fidelity import fidelity_cc, fidelity_kl, fidelity_sim

FOLDER = SHARED / "oracle" / "kdsalbox-demo"
CLASSICAL = ("aim", "sun", "ikn", "gbvs", "bms", "rare2012", "imsig")
DEEP = ("dgii", "unisal", "sam")
NAMES = {"dgii": "dgii.lite0.people", "unisal": "unisal.people", "sam": "sam.lite0.people"}  # as in training.md
RELATIVES = ("fastgaze", "fastgaze.student", "gaze", "attention-center")
CENTER = "gaussian"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    pairs = {"nargs": "*", "default": [], "metavar": "NAME=PATH"}
    parser.add_argument("--network", help="trained by salbox, of one of dgii, unisal, sam", **pairs)
    parser.add_argument("--student", help="of such a network", **pairs)
    given = parser.parse_args()
    networks = {name: str(RUNS / f"{name}-0") for name in DEEP if (RUNS / f"{name}-0" / "student.onnx").is_file()}
    networks["unisal"] = "unisal.people"
    networks |= _pairs(given.network)
    students = {name: f"{name}.student" for name in DEEP if f"{name}.student" in salbox.list_models()}
    students |= _pairs(given.student)
    write_page("kdsalbox-demo.md", page(networks, students))


def _pairs(given: list[str]) -> dict[str, str]:
    found = dict(text.partition("=")[::2] for text in given)
    if wrong := [name for name in found if name not in DEEP]:
        raise SystemExit(f"{wrong[0]}: one of {', '.join(DEEP)}")
    return found


def page(networks: dict[str, str], students: dict[str, str]) -> str:
    """Return the page."""
    photo = salbox.read_image(FOLDER / "photo.jpg")
    originals = {name: _gray(FOLDER / f"{name}.jpg") for name in (*CLASSICAL, *DEEP)}
    center = salbox.load(CENTER)(photo)
    classical = [
        [name, *_row(f"`{model}`", _map(model, photo), originals[name]), _cc(center, originals[name])]
        for name in CLASSICAL
        for model in (name, f"{name}.student")
    ]
    deep = []
    for name in DEEP:
        models = {f"`{NAMES[name]}`": networks.get(name), f"student of `{NAMES[name]}`": students.get(name)}
        models |= {f"`{relative}`": relative for relative in RELATIVES}
        deep += [
            [name, *_row(title, _map(model, photo), originals[name]), _cc(center, originals[name])]
            for title, model in models.items()
            if model is not None
        ]
    between = ", ".join(
        f"{one} and {other} {_cc(originals[one], originals[other])}" for one, other in combinations(DEEP, 2)
    )
    missing = [f"{name}'s network" for name in DEEP if name not in networks]
    missing += [f"a student of {name}" for name in DEEP if name not in students]
    titles = ["original", "salbox", "CC ↑", "KL ↓", "SIM ↑", "CC of the centre alone"]
    return "\n\n".join(
        [
            "# Ten originals on one photo",
            f"{provenance(('salbox', 'numpy', 'opencv-python-headless', 'onnxruntime'))} Written by "
            "`benchmarks/kdsalbox_demo.py`.",
            "KDSalBox's authors publish the maps of the ten original programs for a single photo of 640x480. **One "
            "photo**: it shows whether a model is of the original's kind, and no figure here says how well it does on "
            "others. Maps are compared as [fidelity](fidelity.md) is measured, at 320x240 and min-max scaled; the "
            "originals' are JPEG files of 8 bits. *The centre alone* is a Gaussian in the middle (`gaussian`): what a "
            "model gets that does not look at the photo.",
            "## Classical models",
            "salbox's own programs with their default parameters, and their students that ship. The published map of "
            "ikn is the one before the last blur, which salbox's default has.",
            markdown_table(titles, classical),
            "## Deep networks",
            "The authors' weights are not at hand: `.people` are the same designs, trained by salbox on other people's "
            "fixations ([trained on people](training.md)); their maps are not meant to be the originals'. Below "
            "them stand relatives that salbox has: fastgaze was distilled by its authors from DeepGaze II.",
            markdown_table(titles, deep),
            f"The originals among themselves, CC: {between}."
            + (f" Not measured here: {', '.join(missing)}." if missing else ""),
        ]
    )


def _gray(path: Path) -> np.ndarray[Any, Any]:
    """Return a published map: (H, W) float64."""
    return salbox.read_image(path).astype(np.float64).mean(axis=2)


def _map(model: str, photo: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    opened = salbox.load(model)
    return density(opened(photo), opened.card.output)


def _row(title: str, own: np.ndarray[Any, Any], original: np.ndarray[Any, Any]) -> list[str]:
    return [title, *(f"{measure(own, original):.3f}" for measure in (fidelity_cc, fidelity_kl, fidelity_sim))]


def _cc(own: np.ndarray[Any, Any], original: np.ndarray[Any, Any]) -> str:
    return f"{fidelity_cc(own, original):.3f}"


if __name__ == "__main__":
    main()
