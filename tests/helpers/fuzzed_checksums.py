"""Formats that carry checksums: a damaged file is refused, or reads as the sound one does.

Only bytes that a checksum covers are damaged, in place.
"""

from __future__ import annotations

import hashlib
import importlib.util
import random
import struct
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import small_files
from fuzzed_readers import _TRAIN
from image_bytes import image_bytes

Span = tuple[int, int]
_SIDE = 24  # of the pictures and arrays: more than one block of what packs them


@dataclass(frozen=True)
class Checked:
    """A format with checksums: what writes a file, what it reads as, where the covered bytes are, of which file."""

    name: str
    suffix: str
    write: Callable[[Path], Any]
    digest: Callable[[Path], bytes]
    spans: Callable[[Path], list[Span]]
    needs: tuple[str, ...] = ()
    damaged: Callable[[Path], Path] = lambda path: path

    @property
    def is_here(self) -> bool:
        return all(importlib.util.find_spec(module) is not None for module in self.needs)


def damaged_within(content: bytes, spans: list[Span], seed: str) -> bytes:
    """Return a copy of the same length that differs within the spans; `seed` decides where."""
    dice = random.Random(seed)
    found = bytearray(content)
    places = [place for start, end in spans for place in range(start, end)]
    while bytes(found) == content:
        at = dice.choice(places)
        if dice.random() < 0.5:
            for _ in range(dice.choice((1, 1, 1, 2, 8))):
                found[dice.choice(places)] ^= 1 << dice.randrange(8)
        else:
            end = next(end for start, end in spans if start <= at < end)
            size = min(dice.choice((1, 2, 4, 16, 64)), end - at)
            found[at : at + size] = dice.randbytes(size) if dice.random() < 0.5 else bytes(size)
    return bytes(found)


def _digest(arrays: Iterable[Any]) -> bytes:
    total = hashlib.sha256()
    for array in arrays:
        values = np.asarray(array)
        total.update(f"{values.shape} {values.dtype.str}".encode() + np.ascontiguousarray(values).tobytes())
    return total.digest()


def _noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (_SIDE, _SIDE, 3)).astype(np.uint8)


def _smooth() -> np.ndarray:
    return (np.indices((_SIDE, _SIDE)).sum(0)[..., None] * np.array([2, 1, 3])).astype(np.uint8)


def _write_png(path: Path) -> None:
    path.write_bytes(image_bytes(_smooth()))


def _write_noisy_png(path: Path) -> None:
    path.write_bytes(image_bytes(_noise()))


def _picture(path: Path) -> bytes:
    from salbox.imaging.image import read_image

    return _digest([read_image(path)])


def _png_spans(path: Path) -> list[Span]:
    """Return where the kinds and contents of IHDR and IDAT are; behind each stands its CRC."""
    content, at, found = path.read_bytes(), 8, []
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        if content[at + 4 : at + 8] in (b"IHDR", b"IDAT"):
            found.append((at + 8, at + 8 + size))
        at += 12 + size
    return found


def _zip_spans(path: Path) -> list[Span]:
    found = []
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for entry in archive.infolist():
            file.seek(entry.header_offset + 26)
            name, extra = struct.unpack("<HH", file.read(4))
            start = entry.header_offset + 30 + name + extra
            found.append((start, start + entry.compress_size))
    return [span for span in found if span[1] > span[0]]


def _npz(path: Path) -> bytes:
    from salbox.formats.npz import open_npz

    with open_npz(path) as stored:
        return _digest(stored[name].read() for name in sorted(stored))


def _tensors(path: Path) -> bytes:
    from salbox.networks.checkpoints import read_tensors

    found = read_tensors(path)
    return _digest(found[name].detach().numpy() for name in sorted(found))


def _mat(path: Path) -> bytes:
    from salbox.formats.mat import load_variable

    return _digest([load_variable(path, ("fixations",))])


def _packed_spans(path: Path) -> list[Span]:
    content, at, found = path.read_bytes(), 128, []
    while at < len(content):
        _, size = struct.unpack_from("<II", content, at)
        found.append((at + 8, at + 8 + size))
        at += 8 + size
    return found[:1]


def _write_hdf5(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file.create_dataset(
            "fixations", data=small_files.TABLE.T, chunks=(2, 2), compression="gzip", shuffle=True, fletcher32=True
        )


def _hdf5(path: Path) -> bytes:
    from salbox.formats.hdf5 import open_hdf5

    with open_hdf5(path) as file:
        return _digest([file.array("fixations")])


def _chunk_spans(path: Path) -> list[Span]:
    import h5py

    with h5py.File(path) as file:
        held = file["fixations"].id
        chunks = [held.get_chunk_info(number) for number in range(held.get_num_chunks())]
    return [(chunk.byte_offset, chunk.byte_offset + chunk.size) for chunk in chunks]


def _checkpoint(path: Path) -> bytes:
    from salbox.formats.tensorflow import read_tensorflow

    found = read_tensorflow(path)
    return _digest(found[name].read() for name in sorted(found))


def _shard(path: Path) -> Path:
    return next(path.parent.glob(f"{path.stem}.data-*"))


def _all_of_shard(path: Path) -> list[Span]:
    return [(0, _shard(path).stat().st_size)]


def _first_block(path: Path) -> list[Span]:
    """Return the beginning of a table's first block, whose checksum stands behind it."""
    return [(0, 16)]  # of some hundred


def _write_results(path: Path) -> None:
    from salbox.evaluation.store import Store

    store = Store(path.parent / "kept", "gbvs", {"dataset": "x", "metrics": ["nss"]})
    store.add("a", {"nss": 1.5})
    store.add("b", {"nss": -1.0})
    path.write_bytes(_kept(path).read_bytes())


def _kept(path: Path) -> Path:
    return next(file for file in (path.parent / "kept").iterdir() if file.is_file())


def _results(path: Path) -> bytes:
    """Return the results that stand there; a line that is refused is computed again, so it counts as sound."""
    from salbox.evaluation.store import Store

    _kept(path).write_bytes(path.read_bytes())
    found = Store(path.parent / "kept", "gbvs", {"dataset": "x", "metrics": ["nss"]}).results
    sound = {"a": {"nss": 1.5}, "b": {"nss": -1.0}}
    return repr({name: values for name, values in found.items() if values != sound.get(name)}).encode()


def _lines(path: Path) -> list[Span]:
    return [(0, path.stat().st_size)]


CHECKED = [
    Checked("png, checked", ".png", _write_png, _picture, _png_spans),
    Checked("png of noise, checked", ".png", _write_noisy_png, _picture, _png_spans),
    Checked("npz, checked", ".npz", small_files.npz, _npz, _zip_spans),
    Checked("npz packed, checked", ".npz", lambda path: small_files.npz(path, True), _npz, _zip_spans),
    Checked("pth, checked", ".pth", small_files.pth, _tensors, _zip_spans, _TRAIN),
    Checked("mat of version 7, checked", ".mat", lambda path: small_files.mat5(path, True), _mat, _packed_spans),
    Checked("hdf5, checked", ".hdf5", _write_hdf5, _hdf5, _chunk_spans, ("h5py",)),
    Checked("tensorflow index, checked", ".index", small_files.checkpoint, _checkpoint, _first_block),
    Checked("tensorflow data, checked", ".index", small_files.checkpoint, _checkpoint, _all_of_shard, damaged=_shard),
    Checked("results, checked", ".jsonl", _write_results, _results, _lines),
]
