"""Small datasets in their publishers' layout, with fixations at known places."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

Looked = tuple[Sequence[float], Sequence[float]]


def photo(path: Path, width: int, height: int, seed: int = 0) -> Path:
    """Write a picture of blurred noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC).save(path)
    return path


def cell(elements: Sequence[object]) -> np.ndarray:
    """Return a cell array, (N, 1)."""
    array = np.empty((len(elements), 1), object)
    for k, element in enumerate(elements):
        array[k, 0] = element
    return array


def nus_tree(root: Path, entries: Mapping[str, Sequence[Looked]], size: tuple[int, int], absent: Sequence[str] = ()):
    """Write OSIE's and EyeCrowd's layout: stimuli and eye/fixations.mat, positions from 1; return the root.

    `entries` is {file name: observers' (x, y)}; those in `absent` get no stimulus.
    """
    for k, name in enumerate(entries):
        if name not in absent:
            photo(root / "data" / "stimuli" / name, *size, seed=k)
    structs = [
        {
            "img": name,
            "subjects": cell(
                [
                    {
                        "fix_x": np.array([x], float),
                        "fix_y": np.array([y], float),
                        "fix_duration": np.full((1, len(x)), 200, np.uint16),
                    }
                    for x, y in observers
                ]
            ),
        }
        for name, observers in entries.items()
    ]
    (root / "data" / "eye").mkdir(parents=True)
    savemat(root / "data" / "eye" / "fixations.mat", {"fixations": cell(structs)})
    return root


def random_osie(root: Path, images: int = 6, observers: int = 4, size: tuple[int, int] = (80, 60)) -> Path:
    """Write a tree like OSIE's whose images are all of the test split, fixations around a place of each image."""
    rng = np.random.default_rng(3)
    entries = {}
    for k in range(images):
        center = rng.uniform((200, 150), (600, 450))
        looked = [center + rng.normal(0, 60, (5, 2)) for _ in range(observers)]
        entries[f"{1003 + 10 * k}.jpg"] = [(xy[:, 0], xy[:, 1]) for xy in looked]
    return nus_tree(root, entries, size)


def mask_pair(images: Path, masks: Path, name: str, size: tuple[int, int] = (40, 30), *, mode: str = "L") -> None:
    """Write a photo with a bright square and the mask of that square."""
    width, height = size
    pixels = np.full((height, width, 3), 40, np.uint8)
    pixels[5:15, 10:25] = (220, 180, 30)
    mask = np.zeros((height, width), np.uint8)
    mask[5:15, 10:25] = 255
    images.mkdir(parents=True, exist_ok=True)
    masks.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(images / f"{name}.jpg", quality=95)
    Image.fromarray(mask).convert(mode).save(masks / f"{name}.png")


def struct_array(structs: Sequence[Mapping[str, object]]) -> np.ndarray:
    """Return a struct array, (1, N), of fields that hold anything; MATLAB has one set of fields for all."""
    array = np.empty((1, len(structs)), [(name, object) for name in structs[0]])
    for k, struct in enumerate(structs):
        array[0, k] = tuple(struct.values())
    return array


def marked(places: Sequence[tuple[int, int]], size: tuple[int, int], value: int = 1) -> np.ndarray:
    """Return the picture, of a width and height, whose pixels at these x, y are not zero."""
    picture = np.zeros(size[::-1], np.uint8)
    for x, y in places:
        picture[y, x] = value
    return picture


def mat(path: Path, held: Mapping[str, object], *, packed: bool = True) -> Path:
    """Write a MATLAB file of version 5."""
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, dict(held), do_compression=packed)
    return path


def points(places: Sequence[tuple[float, float]]) -> np.ndarray:
    """Return x, y as MATLAB's tables have them, (N, 2)."""
    return np.array(places, float).reshape(-1, 2)


def salicon_name(split: str, number: int) -> str:
    """Return a photo's name without suffix."""
    return f"COCO_{split}2014_{number:012}"


def gaze(people: Sequence[Sequence[tuple[int, int]]], size: tuple[int, int] = (640, 480)) -> dict[str, object]:
    """Return what a published .mat of SALICON holds: x, y from 1."""
    structs = [
        {"location": points(p), "timestamp": np.arange(len(p), dtype=float).reshape(-1, 1), "fixations": points(p)}
        for p in people
    ]
    return {"gaze": struct_array(structs).T, "resolution": np.array([[size[1], size[0]]]), "image": "name"}


def cat2000_tree(root: Path, places: Mapping[str, Sequence[tuple[int, int]]], size: tuple[int, int] = (96, 54)) -> Path:
    """Write CAT2000's training archive, {category/number: fixated x, y from 0}, with the folders of others' maps."""
    for k, (name, xy) in enumerate(places.items()):
        category, number = name.split("/")
        photo(root / "trainSet" / "Stimuli" / f"{name}.jpg", *size, seed=k)
        photo(root / "trainSet" / "Stimuli" / category / "Output" / f"{number}_SaliencyMap.jpg", *size)
        photo(root / "trainSet" / "FIXATIONMAPS" / category / "Output" / f"{number}.jpg", *size)
        mat(root / "trainSet" / "FIXATIONLOCS" / f"{name}.mat", {"fixLocs": marked(xy, size)})
    return root


def toronto_tree(root: Path, places: Sequence[Sequence[tuple[int, int]]], size: tuple[int, int] = (68, 51)) -> Path:
    """Write Toronto's archive, for each image from 1 the fixated x, y from 0."""
    folder = root / "eyetrackingdata" / "fixdens"
    for k in range(len(places)):
        photo(folder / "Original Image Set" / f"{k + 1}.jpg", *size, seed=k)
    mat(folder / "origfixdata.mat", {"white": cell([marked(xy, size) for xy in places]).T})
    return root


def figrim_entry(name: str, people: Sequence[Mapping[str, Sequence[tuple[float, float]]]]) -> dict[str, object]:
    """Return an entry of FIGRIM's files: for each observer {viewing: x, y from 0}."""
    nothing = np.zeros((0, 0))
    users = [
        {
            "trial": np.array([[1, 0, 0]]) if p else nothing,
            "fixations": {v: points(p[v]) if v in p else nothing for v in ("enc", "rec", "rec2")} if p else nothing,
        }
        for p in people
    ]
    return {"filename": name, "category": "a", "userdata": struct_array(users)}


def isun_tree(root: Path, file: str, entries: Mapping[str, Sequence[Sequence[tuple[int, int]]]], size=(64, 48)) -> Path:
    """Write iSUN's photos and one of its files, {photo: for each person x, y from 1}."""
    for k, name in enumerate(entries):
        photo(root / "images" / f"{name}.jpg", *size, seed=k)
    structs = [
        {
            "image": name,
            "resolution": np.array([[size[1], size[0]]]),
            "gaze": struct_array([{"fixation": points(p), "timestamp": np.zeros((0, 1))} for p in people]),
        }
        for name, people in entries.items()
    ]
    mat(root / f"{file}.mat", {file: struct_array(structs).T})
    return root


def omron_mat(path: Path, size: tuple[int, int], rows: Sequence[tuple[float, float, int]]) -> Path:
    """Write a photo's fixations as DUT-OMRON has them: the size with the observer 0, then x, y from 0, observer."""
    return mat(path, {"s": np.array([(*size, 0), *rows], float)})


def eye_data(stays: Sequence[tuple[float, float, int]], wide: float = 2.0) -> np.ndarray:
    """Return raw gaze: at each x, y so many samples around it."""
    rng = np.random.default_rng(1)
    samples = [np.array([x, y]) + rng.uniform(-wide, wide, (n, 2)) for x, y, n in stays]
    return np.concatenate([np.concatenate(samples), np.zeros((sum(n for *_, n in stays), 1))], axis=1)
