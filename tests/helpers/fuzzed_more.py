"""More readers with a small sound file each: uploads, profiles, regions, saved maps, and files that bring code.

Those that bring code name a command that leaves `CANARY` in the working folder: no reader may run it.
"""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import small_files
from fuzzed_readers import (
    _TRAIN,
    READERS,
    Fuzzed,
    _read_paddle,
    _read_picture,
    _read_plain_yaml,
    _read_tensors,
    _read_video,
)

CANARY = "a-file-ran-code"
_MAP_FORMATS = {"png": ".png", "png16": ".png", "jpg": ".jpg", "tiff": ".tif", "npy": ".npy", "mat": ".mat"}
_BOUNDARY = b"7d9f"


@dataclass(frozen=True)
class _Command:
    """Unpickled by who trusts a file, it runs a command."""

    text: str = f"touch {CANARY}"

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (self.text,)


def _write_saved_map(kind: str, path: Path) -> None:
    from salbox.imaging.writing import write_map

    values = np.linspace(-1, 2, 12 * 16, dtype=np.float32).reshape(12, 16)
    write_map(path, values, kind, {"model": "gbvs", "parameters": {"sigma": 0.5}})


def _read_saved(path: Path) -> None:
    from salbox.evaluation.maps import read_map

    read_map(path)


def _write_form(path: Path) -> None:
    photo = path.with_suffix(".png")
    small_files.photo(photo)
    head = b'Content-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    path.write_bytes(b"--" + _BOUNDARY + b"\r\n" + head + photo.read_bytes() + b"\r\n--" + _BOUNDARY + b"--\r\n")


def _read_form(path: Path) -> None:
    """Send a form's bytes as a request, and the image that it brings to what answers."""
    import asyncio

    from starlette.exceptions import HTTPException
    from starlette.requests import Request

    from salbox.serve.service import _image

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": path.read_bytes(), "more_body": False}

    kind = b"multipart/form-data; boundary=" + _BOUNDARY
    request = Request({"type": "http", "method": "POST", "headers": [(b"content-type", kind)]}, receive)
    try:
        image = asyncio.run(_image(request, 1_000_000))
    except HTTPException:
        return
    _answer(image)


def _read_upload(path: Path) -> None:
    _answer(path.read_bytes())


def _answer(image: bytes) -> None:
    from salbox.serve.jobs import Job

    options = {
        "maps": {"models": ["gaussian"], "format": "npy"},
        "crop": {"sizes": ["1:1"], "model": "gaussian", "zoom": 1.0, "rule_of_thirds": False},
        "regions": {"regions": ["0,0,4,4"], "model": "gaussian"},
    }
    for answer in _desk().answer([Job(kind, image, how) for kind, how in options.items()]):
        if answer.failed:
            raise RuntimeError(answer.problem)


@cache
def _desk() -> Any:
    from salbox.serve.jobs import Desk

    return Desk({"gaussian": {}})


def _write_profile(path: Path) -> None:
    from salbox.models.curves import Curve
    from salbox.models.profile_files import write_profile
    from salbox.models.profiles import Center, Profile, Tail

    grid = ((0.0, -1.0), (-2.0, -0.5))
    write_profile(path, Profile("score", Tail(center=Center(0.5, grid=grid)), Curve((0, 1), (0, 2))))


def _read_profile(path: Path) -> None:
    from salbox.models.profile_files import read_profile

    read_profile(path).log_density(np.ones((12, 16)))


def _write_blend(path: Path) -> None:
    from salbox.models.blends import Blend, Member, write_blend
    from salbox.models.curves import Curve
    from salbox.models.profiles import Center, Tail

    member = Member("gaussian", "score", 0.5, Curve((-1, 1), (0, 1)), {"sigma": 0.3})
    write_blend(path, Blend("fixation", (member,), Tail(1.0, 0.02, Center(0.5))))


def _read_blend(path: Path) -> None:
    from salbox.models.blends import read_blend

    read_blend(path)


def _write_regions(path: Path) -> None:
    rows = [{"x": 1, "y": 2, "width": 3, "height": 4, "name": "a", "image": "p.jpg"}, {"x": 0, "y": 0, "w": 2, "h": 2}]
    if path.suffix == ".json":
        path.write_text(json.dumps({"regions": rows}))
    else:
        path.write_text("name,x,y,width,height\na,1,2,3,4\nb,0,0,2,2\n")


def _read_regions(path: Path) -> None:
    from salbox.apps.region_files import read_regions

    read_regions([str(path)])


def _write_experiment(path: Path) -> None:
    folder = path.parent / "photos"
    folder.mkdir(exist_ok=True)
    small_files.photo(folder / "a.png")
    path.write_text(
        "models: aim, gbvs\nimages: photos\nrecipe: {base: kdsalbox-code, epochs: 3, size: [64, 64]}\n"
        "post: {do_smoothing: proportional, smooth_prop: 0.02}\ntest: {images: photos}\n"
    )


def _read_experiment(path: Path) -> None:
    from salbox.experiments.plan import read_experiment

    read_experiment(path)


def _write_chunk_list(path: Path) -> None:
    content = b"x" * 9
    name = hashlib.sha256(content).hexdigest()
    (path.parent / name).write_bytes(content)
    path.write_text(json.dumps({"net": {"size": 9, "chunks": [{"hash": name, "offsets": [0, 9]}]}}))


def _read_chunk_list(path: Path) -> None:
    from salbox.models.chunks import LISTED, join_chunks

    (path.parent / LISTED).write_bytes(path.read_bytes())
    join_chunks(path.parent, "net")


def _write_training(path: Path) -> None:
    import torch

    progress = {"epoch": 1, "batch": 2, "seconds": 3.0, "loss_sum": 0.1, "losses": 1, "finished": False}
    torch.save({"format": 2, "progress": progress, "score": 0.5, "epoch": 1, "weights": small_files.state()}, path)


def _read_training(path: Path) -> None:
    from salbox.training.checkpoints import BEST, LAST, read_best, read_state

    for name, read in ((LAST, read_state), (BEST, read_best)):
        (path.parent / name).write_bytes(path.read_bytes())
        read(path.parent)


def _write_table(path: Path) -> None:
    import pandas as pd

    from salbox.explain.files import write_table

    write_table(pd.DataFrame({"name": ["a", "b"], "iou": [0.1, 0.2], "unit": [1, 2]}), path)


def _read_table(path: Path) -> None:
    from salbox.explain.files import read_table

    read_table(path).to_dict()


def _write_arrays(path: Path) -> None:
    from salbox.explain.files import write_arrays

    write_arrays({"basis": np.ones((3, 4), np.float32), "counts": np.arange(3)}, path)


def _read_arrays(path: Path) -> None:
    from salbox.explain.files import read_arrays

    [np.asarray(array).sum() for array in read_arrays(path).values()]


def _write_webm(path: Path) -> None:
    import cv2

    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"VP80"), 25, (32, 24))
    for value in (10, 90, 200):
        writer.write(np.full((24, 32, 3), value, np.uint8))
    writer.release()


def _write_coded_pth(path: Path, old: bool = False) -> None:
    import torch

    state = {"state_dict": small_files.state(), "args": _Command()}
    torch.save(state, path, _use_new_zipfile_serialization=not old)


def _write_coded_paddle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"conv.weight": np.ones(2, np.float32), "hook": _Command()}, protocol=4))


def _write_coded_npy(path: Path) -> None:
    np.save(path, np.array([_Command(), 1.0], object), allow_pickle=True)


def _write_coded_npz(path: Path) -> None:
    np.savez(path, weight=np.ones(2), hook=np.array([_Command()], object))


def _write_coded_yaml(path: Path) -> None:
    path.write_text(small_files.RECIPE + f'name: !!python/object/apply:os.system ["touch {CANARY}"]\n')


def _reader(name: str) -> Callable[[Path], Any]:
    return next(reader.read for reader in READERS if reader.name == name)


_SERVE = ("fastapi", "prometheus_client", "multipart")
_MORE_PICTURES = (".jp2", ".avif", ".tga", ".mpo", ".pgm")

MORE = [
    Fuzzed("upload", ".png", small_files.photo, _read_upload),
    Fuzzed("upload jpg", ".jpg", small_files.photo, _read_upload),
    Fuzzed("upload in a form", ".form", _write_form, _read_form, _SERVE),
    *(
        Fuzzed(f"map in {kind}", suffix, partial(_write_saved_map, kind), _read_saved)
        for kind, suffix in _MAP_FORMATS.items()
    ),
    *(Fuzzed(f"picture {s}", s, small_files.photo, _read_picture) for s in _MORE_PICTURES),
    Fuzzed("profile", ".json", _write_profile, _read_profile, is_text=True),
    Fuzzed("blend", ".json", _write_blend, _read_blend, is_text=True),
    Fuzzed("regions in json", ".json", _write_regions, _read_regions, is_text=True),
    Fuzzed("regions in csv", ".csv", _write_regions, _read_regions, is_text=True),
    Fuzzed("experiment", ".yaml", _write_experiment, _read_experiment, ("pydantic", "torch"), is_text=True),
    Fuzzed("list of chunks", ".txt", _write_chunk_list, _read_chunk_list, is_text=True),
    Fuzzed("checkpoint of a training", ".pt", _write_training, _read_training, (*_TRAIN, "lightning")),
    Fuzzed("table of an explanation", ".parquet", _write_table, _read_table, ("pyarrow",)),
    Fuzzed("arrays of an explanation", ".safetensors", _write_arrays, _read_arrays, _TRAIN),
    Fuzzed("video webm", ".webm", _write_webm, _read_video),
]
"""Sound files that are read."""

CODED = [
    Fuzzed("pth with code", ".pth", _write_coded_pth, _read_tensors, _TRAIN),
    Fuzzed("pth of old with code", ".pth", partial(_write_coded_pth, old=True), _read_tensors, _TRAIN),
    Fuzzed("paddle with code", ".pdparams", _write_coded_paddle, _read_paddle),
    Fuzzed("npy with code", ".npy", _write_coded_npy, _read_saved),
    Fuzzed("npz with code", ".npz", _write_coded_npz, _reader("npz")),
    Fuzzed("yaml with code", ".yaml", _write_coded_yaml, _read_plain_yaml, ("yaml",), is_text=True),
    Fuzzed("recipe with code", ".yaml", _write_coded_yaml, _reader("recipe"), ("pydantic", "torch"), is_text=True),
    Fuzzed("training with code", ".pt", _write_coded_pth, _read_training, (*_TRAIN, "lightning")),
]
"""Files that bring code; sound, they are refused."""

EVERY = [*READERS, *MORE]
