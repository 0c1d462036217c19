"""SALICON: 20,000 photos of COCO, over which people moved a mouse that sharpens what it points at."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from ..errors import SalboxError, UsageError
from ..formats.mat import has_variable, load_variable
from ..imaging.image import SUFFIXES
from ..models.cards import Paper
from ..types import Shape
from ._lsun import as_shape, read_gaze
from ._marked import from_marked, read_marked
from ._salicon_json import JSON_NAME, read_annotations
from .dataset import ALL, Dataset, DatasetCard, Item, ReadFixations
from .fixations import Fixations
from .layout import is_junk, matched

# The splits are told by the photos' names: those of val are of COCO's val2014, and so on.
NAME = re.compile(r"COCO_(train|val|test)2014_\d{12}")
KNOWN = ("train", "val")  # whose fixations are published

# Folders of the archives, and of what others made of them. Their names say what the pictures in them are.
FOLDERS: dict[Literal["images", "points", "maps"], re.Pattern[str]] = {
    "points": re.compile(r"(^|_)(fixations?|fixation_?(maps|points|pts)|points)$", re.IGNORECASE),
    "maps": re.compile(r"(^|_)(maps?|saliency|densit(y|ies))$", re.IGNORECASE),
    "images": re.compile(r"(^|_)(images?|stimuli)$", re.IGNORECASE),
}
OTHERS = re.compile(r"(^|_)(masks?|annotations?|labels?|segm\w*|semantic\w*|panoptic\w*|stuff\w*)$", re.IGNORECASE)
PHOTOS = (".jpg", ".jpeg")

GAZE, POINTS = "gaze", ("fixations", "fixation")
MARKED = ("I", "fixationPts", "fixLocs")  # pictures of fixated pixels, of repackagings

# Fixations an image in the publishers' two releases, over the 15,000 images of train and val.
RELEASES = {2015: 4_834_188 / 15_000, 2017: 7_175_026 / 15_000}
SAMPLED = 25  # images whose mean tells the release

CARD = DatasetCard(
    name="salicon",
    title="SALICON",
    meaning="About 60 people moved a mouse over each photo, which was sharp only around it, for 5 s; fixations are "
    "found in its way. The release of 2015 has 322 an image, that of 2017 478 by another rule: figures of the two do "
    "not compare. Who it was, and in what order, is known for the published .mat and .json files, not for pictures.",
    layout="images/{train,val,test}/COCO_*.jpg with fixations/{train,val}/COCO_*.mat, maps/{train,val}/COCO_*.png or "
    "fixations_{train,val}2014.json, in whatever folders: the file names count",
    license="annotations CC BY 4.0; photos of COCO under their own licences",
    splits={
        "train": "10,000 photos of COCO's train2014",
        "val": "5,000 of val2014",
        "test": "5,000 of test2014, images only: their fixations are kept by the benchmark",
    },
    default_split="val",
    images={"train": 10_000, "val": 5_000, "test": 5_000},
    size=(480, 640),
    sigma=19.0,
    sigma_width=640,
    sigma_source="the publishers' own maps",
    paper=Paper(
        title="SALICON: Saliency in context",
        authors="Ming Jiang, Shengsheng Huang, Juanyong Duan, Qi Zhao",
        venue="CVPR 2015",
        year=2015,
        doi="10.1109/CVPR.2015.7298710",
        bibtex="""@inproceedings{jiang2015salicon,
  author    = {Jiang, Ming and Huang, Shengsheng and Duan, Juanyong and Zhao, Qi},
  title     = {{SALICON}: Saliency in context},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition},
  pages     = {1072--1080},
  year      = {2015},
  doi       = {10.1109/CVPR.2015.7298710}
}""",
    ),
)


class Files(NamedTuple):
    """What a folder holds: files by their photo's name, and those that hold the fixations of many photos."""

    images: dict[str, Path]
    points: dict[str, Path]
    maps: dict[str, Path]
    annotations: list[Path]


def open_salicon(path: Path, split: str) -> Dataset:
    """Return a split of SALICON; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder that the archives were unpacked in, as published or as SAM, UNISAL, EML-NET, TranSalNet and others
        have them: files are told apart by their names and the folders' (images, fixations, maps).
    split : {"train", "val", "test", "all"}
        "all" is train and val.
    """
    if not path.is_dir():
        raise UsageError(f"{CARD.name}:{path}: no such folder; expected one that holds {CARD.layout}")
    files = find_files(path)
    wanted = KNOWN if split == ALL else (split,)
    images = {name: file for name, file in files.images.items() if _split_of(name) in wanted}
    if split == "test":
        return Dataset(CARD, path, split, [Item(name, images[name]) for name in sorted(images)])
    truth: dict[str, ReadFixations] = {}
    for file in files.annotations:
        truth |= {name: partial(_to_image, *found) for name, found in read_annotations(file).items()}
    truth |= {name: partial(read_points, file) for name, file in files.points.items()}
    of_split: Mapping[str, Any] = {n: known for n, known in (truth or files.maps).items() if _split_of(n) in wanted}
    names, notes = matched(images, of_split, "files of fixations" if truth else "maps", CARD.name, path)
    items = [Item(name, images[name], truth.get(name), density=files.maps.get(name)) for name in names]
    data = Dataset(CARD, path, split, items, notes)
    if all(name in files.points for name in names) and (release := _release(data)):
        return Dataset(CARD, path, split, items, [*notes, release])
    return data


def find_files(path: Path) -> Files:
    """Return the photos, fixations and maps in a folder and those within, told by the files' and folders' names."""
    found = Files({}, {}, {}, [])
    for root, inner, files in os.walk(path):
        inner[:] = sorted(name for name in inner if not is_junk(name))
        folders = Path(root).relative_to(path).parts[::-1]
        for file in sorted(files):
            whole = Path(root, file)
            if NAME.fullmatch(whole.stem) and (kind := _kind(whole.suffix.lower(), folders)):
                of_kind: dict[str, Path] = getattr(found, kind)
                # Of two files of fixations the .mat counts: some programs keep a picture of it beside it.
                if whole.stem not in of_kind or whole.suffix == ".mat":
                    of_kind[whole.stem] = whole
            elif JSON_NAME.fullmatch(file):
                found.annotations.append(whole)
    return found


def _kind(suffix: str, folders: tuple[str, ...]) -> str:
    """Return what such a file in such folders, the innermost first, is; empty for none of SALICON's."""
    if suffix == ".mat":
        return "points"
    if suffix not in SUFFIXES:
        return ""
    for folder in folders:
        if OTHERS.search(folder):  # of COCO, whose files have the same names
            return ""
        for kind, pattern in FOLDERS.items():
            if pattern.search(folder):
                return kind
    return "images" if suffix in PHOTOS else "maps"  # the archive of maps has train/*.png and no folder around


def _split_of(name: str) -> str:
    found = NAME.fullmatch(name)
    return found[1] if found else ""


def read_points(path: Path, shape: Shape) -> Fixations:
    """Return the fixations of one image's file, in its pixels: a published .mat, or the picture of fixated pixels.

    Raises
    ------
    UsageError, ImageError
        If it cannot be read so.
    """
    if path.suffix.lower() != ".mat":
        return read_marked(path, shape)
    values = load_variable(path, (GAZE, *MARKED))
    if values.dtype != object and not has_variable(path, GAZE):
        return from_marked(values, shape, str(path))
    has_size = has_variable(path, "resolution")
    recorded = as_shape(load_variable(path, ("resolution",)), f"{path}: resolution") if has_size else shape
    return _to_image(read_gaze(values, POINTS, f"{path}: {GAZE}"), recorded, shape)


def _to_image(fixations: Fixations, recorded: Shape, shape: Shape) -> Fixations:
    return fixations.resized(recorded, shape)


def _release(data: Dataset) -> str:
    """Return a note of which release the fixations are of, if enough are at hand: it stands nowhere else."""
    if len(data) < SAMPLED:
        return ""
    try:
        looked = [data.fixations(int(index)) for index in np.linspace(0, len(data) - 1, SAMPLED)]
    except SalboxError:  # is said where the file is asked for
        return ""
    if any(f.order is None for f in looked):  # of pictures, in which fixations of one pixel are one
        return ""
    mean = float(np.mean([len(f) for f in looked]))
    year = min(RELEASES, key=lambda year: abs(RELEASES[year] - mean))
    return (
        f"{mean:.0f} fixations an image over {SAMPLED} of them: the release of {year}, which has {RELEASES[year]:.0f}"
    )
