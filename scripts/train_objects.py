"""Train the networks of objects that ship, from the data sets beside this checkout.

    python scripts/train_objects.py supervised [--shared DIR]     # runs/scfnet: SCFNet on EfficientNet-Lite0, on masks
    python scripts/train_objects.py distilled [--shared DIR]      # runs/scfnet-kd: a small one, on that one's maps

Each goes on where it was stopped; runs lie in SALBOX_RUNS, by default runs/. The second makes its teacher's maps of all
photos at hand first, masks or none. Ship with scripts/ship_trained.py, measure with benchmarks/objects.py.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from salbox.cli.main import run as salbox
from salbox.datasets import open_dataset

ROOT = Path(__file__).resolve().parents[1]
RUNS = Path(os.environ.get("SALBOX_RUNS", ROOT / "runs"))
LITE0 = "tf_efficientnet_lite0"
# What differs from the published recipes: a CPU wants small pictures, few epochs and an optimizer that needs few; with
# soft IoU beside cross-entropy two epochs gave an error of .06, where Dice alone was behind.
COMMON = (
    "size=[256, 256]",
    "sizes=[]",
    "batch_size=16",
    "optimizer={name: adamw, learning_rate: 3.0e-3, weight_decay: 1.0e-2, encoder_factor: 0.15}",
    "schedule={name: one-cycle}",
    "loss={bce: 1, soft-iou: 1}",
    "side_weights=[0.4, 0.2, 0.1]",
    "crop=0.85",
    "blur=0",
    "brightness=0",
)
SUPERVISED = (*COMMON, "network={output: probability, width: 32}", "epochs=14")
DISTILLED = (*COMMON, "network={output: probability, width: 24, deepest: 16}", "epochs=5")
# Photos that nobody needs to label: data set -> part.
PHOTOS = {"duts:DUTS-TR": "train", "osie:OSIE": "train", "eyecrowd:EyeCrowd": "train", "mit1003:MIT1003": "all"}


def sets(keys: tuple[str, ...]) -> list[str]:
    """Return the options that set keys of a recipe."""
    return [word for key in keys for word in ("--set", key)]


def link_photos(shared: Path, folder: Path) -> None:
    """Fill a folder with links to all photos, named by data set."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {
        f"{text.partition(':')[0]}_{item.image.name}": item.image
        for text, part in PHOTOS.items()
        for item in open_dataset(text.replace(":", f":{shared}/data/"), part).items
    }
    coco = (shared / "data" / "coco-semantic" / "images").rglob("*.jpg")
    for name, photo in {**found, **{f"coco_{path.name}": path for path in coco}}.items():
        if not (folder / name).exists():
            (folder / name).symlink_to(photo)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("supervised", "distilled"))
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("SALBOX_SHARED", ROOT.parent / "shared")))
    given = parser.parse_args()
    if given.what == "supervised":
        masks = f"duts:{given.shared / 'data' / 'DUTS-TR'}"
        words = ["train", "fs-scfnet", "--dataset", masks, *sets(SUPERVISED), "-o", str(RUNS / "scfnet")]
    else:
        photos = RUNS / "object-photos"
        link_photos(given.shared, photos)
        words = ["distill", "--recipe", "kd-scfnet", "--teacher", str(RUNS / "scfnet"), "--images", str(photos)]
        words += ["--init", "imagenet", *sets(DISTILLED), "-o", str(RUNS / "scfnet-kd")]
    salbox([*words, "--encoder", LITE0])


if __name__ == "__main__":
    main()
