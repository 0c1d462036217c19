"""Every reader of a file that may come from anywhere, each with a small sound file to damage."""

from __future__ import annotations

import importlib.util
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import small_files


@dataclass(frozen=True)
class Fuzzed:
    """A reader: what writes a small file for it, what reads one, and what has to be installed for either."""

    name: str
    suffix: str
    write: Callable[[Path], Any]
    read: Callable[[Path], Any]
    needs: tuple[str, ...] = ()
    is_text: bool = False

    @property
    def is_here(self) -> bool:
        return all(importlib.util.find_spec(module) is not None for module in self.needs)


def _read_npz(path: Path) -> None:
    from salbox.formats.npz import open_npz

    with open_npz(path) as stored:
        for name in stored:
            stored[name].read()


def _read_mat(path: Path) -> None:
    from salbox.errors import SalboxError
    from salbox.formats.mat import Struct, has_variable, load_variable, members

    has_variable(path, "fixations")
    first = None
    for name in ("fixations", "cells"):
        try:
            found = load_variable(path, (name,), most=1 << 24)
            for member in members(found, "here"):
                for value in (member[field] for field in member.names) if isinstance(member, Struct) else ():
                    np.asarray(value)
                for inner in (
                    members(member, "there") if isinstance(member, np.ndarray) and member.dtype == object else ()
                ):
                    [inner[field] for field in inner.names]
        except SalboxError as error:
            first = error
    if first is not None:
        raise first


def _read_fixations(path: Path) -> None:
    from salbox.datasets.points import read_fixations

    read_fixations(path, (48, 64))


def _read_hdf5(path: Path) -> None:
    from salbox.errors import SalboxError
    from salbox.formats.hdf5 import Node, open_hdf5

    def walk(node: Node, depth: int = 0) -> None:
        for attribute in (node.attribute, node.attribute_texts, node.json_names):
            for name in ("type", "names", "list"):
                tried(attribute, name)
        for name in node.names():
            for way in (
                node.shape,
                node.array,
                node.texts,
                node.number_lists,
                node.labels,
                lambda n: node.rows(n, 1, 2),
            ):
                tried(way, name)
            for reference in np.ravel(tried(node.array, name, ())):
                tried(node.follow, reference)
            if node.is_group(name) and depth < 3:
                walk(node.group(name), depth + 1)

    def tried(way: Callable[[Any], Any], name: Any, otherwise: Any = None) -> Any:
        try:
            return way(name)
        except SalboxError:
            return otherwise

    with open_hdf5(path) as file:
        walk(file)


def _read_keras(path: Path) -> None:
    from salbox.formats.keras import open_keras

    with open_keras(path) as layers:
        for layer in layers:
            for array in layer.arrays.values():
                array.read()


def _read_pysaliency(path: Path) -> None:
    from salbox.datasets._pysaliency import StoredDataset, read_part
    from salbox.datasets.pysaliency_hdf5 import CARD

    items, notes = read_part(path, None)
    dataset = StoredDataset(CARD, path, "all", items, notes)
    for index in range(len(items)):
        dataset.pixels(index)


def _read_json_entries(path: Path) -> None:
    from salbox.formats.json_entries import index_entries

    entries = index_entries(path)
    for number in entries.spans:
        entries.read(number)


def _read_salicon(path: Path) -> None:
    from salbox.datasets._salicon_json import read_annotations

    read_annotations(path)


def _read_recipe(path: Path) -> None:
    from salbox.training.recipe import read_recipe

    read_recipe(str(path)).to_yaml()


def _read_card(path: Path) -> None:
    from salbox.models.foreign_yaml import read_foreign

    read_foreign(path)


def _read_exported(path: Path) -> None:
    from salbox.runtime.network import open_network

    open_network(path, threads=1).maps([np.zeros((9, 12, 3), np.uint8)])


def _read_foreign_network(path: Path) -> None:
    from salbox.models.foreign import ForeignCard, SizeRule
    from salbox.runtime.foreign import ForeignPredictor

    card = ForeignCard("fixation", "score", size=SizeRule("stretch", 12, 16))
    ForeignPredictor.load(path, card=card)(np.zeros((9, 9, 3), np.uint8))


def _read_arrays(path: Path) -> None:
    from salbox.formats.caffe import read_caffe
    from salbox.formats.tensorflow import read_tensorflow

    for array in (read_caffe if path.suffix == ".caffemodel" else read_tensorflow)(path).values():
        array.read()


def _read_paddle(path: Path) -> None:
    from salbox.formats.paddle import read_paddle

    for array in read_paddle(path).values():
        array.read()


def _read_tensors(path: Path) -> None:
    import torch

    from salbox.errors import WeightsError
    from salbox.networks.checkpoints import load_tensors, read_tensors

    tensors = read_tensors(path)
    [float(tensor.double().sum()) for tensor in tensors.values()]
    network = torch.nn.ModuleDict({"conv": torch.nn.Conv2d(1, 2, 3)})
    try:
        load_tensors(network, tensors, path, unused=("steps",))
    except WeightsError:
        return


def _read_run_weights(path: Path) -> None:
    """Read a description, put into the head of a file of weights: the file's own form is another reader's."""
    from salbox.errors import WeightsError
    from salbox.networks.trainable.saved import read_weights

    text = json.dumps({"__metadata__": {"salbox": path.read_bytes().decode("utf-8", "replace")}}).encode()
    inner = path.with_suffix(".safetensors")
    inner.write_bytes(struct.pack("<Q", len(text)) + text)
    try:
        read_weights(inner)
    except WeightsError:
        return


def _read_metadata(path: Path) -> None:
    from salbox.runtime.metadata import Metadata

    Metadata.from_text(path.read_bytes().decode("utf-8", "replace"))


def _read_split(path: Path) -> None:
    from salbox.training.splitting import read_split

    read_split(path)


def _read_run_record(path: Path) -> None:
    from salbox.training.run_folder import RunFolder

    folder = RunFolder(path.parent / "run")
    folder.path.mkdir(exist_ok=True)
    (folder.path / (path.parent / "record-name").read_text()).write_bytes(path.read_bytes())
    for name in ("identity", "finished", "heads", "recipe", "flip_cc"):
        found = getattr(folder, name)
        repr(found)


def _read_results(path: Path) -> None:
    from salbox.evaluation.store import Store

    folder = path.parent / "results"
    for file in folder.iterdir():
        file.write_bytes(path.read_bytes())
    store = Store(folder, "gbvs", {"dataset": "x", "metrics": ["nss"]})
    for results in store.results.values():
        for value in results.values():
            np.asarray(value, np.float64)


def _read_picture(path: Path) -> None:
    from salbox.datasets.dataset import image_shape, read_gray
    from salbox.errors import ImageError
    from salbox.imaging.image import read_image

    for read in (image_shape, read_gray):
        try:
            read(path)
        except ImageError:
            continue
    read_image(path)


def _read_saved_map(path: Path) -> None:
    from salbox.evaluation.maps import read_map

    read_map(path)


def _read_video(path: Path) -> None:
    from salbox.imaging.video import VideoReader

    with VideoReader(path) as reader:
        for number, _ in enumerate(reader):
            if number > 20:
                break


def _read_inner_npz(path: Path) -> None:
    archive = path.with_suffix(".npz")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("weight.npy", path.read_bytes())
    _read_npz(archive)


def _read_plain_yaml(path: Path) -> None:
    from salbox.formats.yaml_file import read_keys

    read_keys(path)


_TRAIN = ("torch", "timm", "safetensors")
PICTURES = (".png", ".jpg", ".gif", ".tif", ".bmp", ".webp", ".ico", ".ppm")
READERS = [
    Fuzzed("npy of positions", ".npy", small_files.points, _read_fixations),
    Fuzzed("npz", ".npz", small_files.npz, _read_npz),
    Fuzzed("npz, packed", ".npz", lambda path: small_files.npz(path, True), _read_npz),
    Fuzzed("npy within npz", ".bin", small_files.inner_npz, _read_inner_npz),
    Fuzzed("mat of version 4", ".mat", small_files.mat4, _read_mat),
    Fuzzed("mat of version 5", ".mat", small_files.mat5, _read_mat),
    Fuzzed("mat of version 7", ".mat", lambda path: small_files.mat5(path, True), _read_mat),
    Fuzzed("mat of version 7.3", ".mat", small_files.hdf5, _read_mat, ("h5py",)),
    Fuzzed("hdf5", ".hdf5", small_files.hdf5, _read_hdf5, ("h5py",)),
    Fuzzed("keras", ".h5", small_files.keras, _read_keras, ("h5py",)),
    Fuzzed("pysaliency", ".hdf5", small_files.pysaliency, _read_pysaliency, ("h5py",)),
    Fuzzed("json of entries", ".json", small_files.json_entries, _read_json_entries, is_text=True),
    Fuzzed("json of salicon", ".json", small_files.salicon, _read_salicon, is_text=True),
    Fuzzed(
        "recipe",
        ".yaml",
        lambda path: path.write_text(small_files.RECIPE),
        _read_recipe,
        ("pydantic", "torch"),
        is_text=True,
    ),
    Fuzzed("card", ".yaml", lambda path: path.write_text(small_files.CARD), _read_card, is_text=True),
    Fuzzed("yaml", ".yaml", lambda path: path.write_text(small_files.RECIPE), _read_plain_yaml, is_text=True),
    Fuzzed("exported network", ".onnx", small_files.exported, _read_exported),
    Fuzzed("network of others", ".onnx", small_files.foreign, _read_foreign_network),
    Fuzzed("metadata", ".json", small_files.metadata, _read_metadata, is_text=True),
    Fuzzed("caffe", ".caffemodel", small_files.caffe, _read_arrays),
    Fuzzed("paddle", ".pdparams", small_files.paddle, _read_paddle),
    Fuzzed("paddle of old", ".pdparams", lambda path: small_files.paddle(path, 2), _read_paddle),
    Fuzzed("checkpoint of tensorflow", ".index", small_files.checkpoint, _read_arrays),
    Fuzzed("graph of tensorflow", ".pb", small_files.graph, _read_arrays),
    Fuzzed("pth", ".pth", small_files.pth, _read_tensors, _TRAIN),
    Fuzzed("pth of old", ".pth", lambda path: small_files.pth(path, True), _read_tensors, _TRAIN),
    Fuzzed("safetensors", ".safetensors", small_files.safetensors, _read_tensors, _TRAIN),
    Fuzzed(
        "weights of a run", ".json", small_files.run_weights, _read_run_weights, (*_TRAIN, "pydantic"), is_text=True
    ),
    Fuzzed("record of a run", ".json", small_files.run_record, _read_run_record, (*_TRAIN, "pydantic"), is_text=True),
    Fuzzed("split in json", ".json", small_files.split, _read_split, is_text=True),
    Fuzzed("split in csv", ".csv", small_files.split, _read_split, is_text=True),
    Fuzzed("results", ".jsonl", small_files.results, _read_results, is_text=True),
    Fuzzed("csv of positions", ".csv", small_files.points, _read_fixations, is_text=True),
    Fuzzed("png of positions", ".png", small_files.picture, _read_fixations),
    *(Fuzzed(f"picture {s}", s, small_files.photo, _read_picture) for s in PICTURES),
    Fuzzed("saved map", ".png", small_files.picture, _read_saved_map),
    Fuzzed("saved map in npy", ".npy", small_files.points, _read_saved_map),
    Fuzzed("video mp4", ".mp4", small_files.video, _read_video),
    Fuzzed("video avi", ".avi", small_files.video, _read_video),
]
