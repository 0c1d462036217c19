"""The files of the page that needs no server."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from PIL import Image

from ...errors import UsageError
from ...imaging.figures import color_table
from ...imaging.overlays import GROWTH, tint_table
from ...imaging.plots import COLOR_MAP
from ...imaging.writing import atomic
from ...models.exported import packaged
from ...models.loading import card
from ...models.registry import GAZE, PEOPLE, SHIPPED
from ...models.scanpaths import DEFAULT, EARLIER_NODES, LAST_NODES, WORKING_SIDE, find_saccades, saccades_to_json
from ...prediction.demo import sample_photo
from ...runtime.network import ExportedNetwork, open_network
from ...version import __version__
from .runtime_files import LICENSE, VERSION, runtime_files

MARKER = "page.json"  # a folder that holds one is a page of salbox's, which may be written again

_AT_ONCE = (GAZE, SHIPPED)  # networks that are there from the start, in the order in which they run
_ON_DEMAND = (*(f"{name}.onnx" for name in PEOPLE), "scfnet.onnx")  # larger ones, fetched when one asks for their map

_SIZE_RULES = ("area", "fixed")  # that static/sizes.js knows

_SAMPLE = "astronaut"  # a photo of NASA's, in the public domain
_KEPT_APART = "service-worker.js"  # a browser fetches it by itself, and compares it with what it has


def write_page(folder: Path, runtime: Path | None = None) -> dict[str, int]:
    """Write the page into a folder, made if it is not there; return the size of each file in bytes.

    Parameters
    ----------
    folder : Path
        Empty, or with a page that was written before.
    runtime : Path, optional
        A folder that holds ONNX Runtime for browsers; see `runtime_files`.

    Raises
    ------
    UsageError
        If the folder holds other things, or `runtime` not what is needed.
    SalboxError
        If ONNX Runtime for browsers is nowhere, and cannot be fetched.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder}: a file; the page goes into a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise UsageError(f"{folder}: holds other files; the page goes into an empty folder")
    files = page_files(runtime_files(runtime))
    for name, content in files.items():
        with atomic(folder / name) as temporary:
            temporary.write_bytes(content)
    return {name: len(content) for name, content in files.items()}


def page_files(runtime: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of the page by their names, ONNX Runtime's among them."""
    networks = {name: open_network(packaged(name), threads=1) for name in (*_AT_ONCE, *_ON_DEMAND)}
    files = dict(_static_files())
    files |= runtime
    files |= {name: network.session.file.content for name, network in networks.items()}
    files["sample.png"] = _png(_SAMPLE)
    files[MARKER] = json.dumps(_description(networks)).encode()
    listed = ["./", *sorted(name for name in files if name not in (_KEPT_APART, *_ON_DEMAND))]
    version = hashlib.sha256(b"".join(hashlib.sha256(files[name]).digest() for name in sorted(files))).hexdigest()
    page = json.dumps({"version": version[:16], "files": listed, "onDemand": list(_ON_DEMAND)})
    files[_KEPT_APART] = f"const PAGE = {page};\n".encode() + files[_KEPT_APART]
    return files


def _static_files() -> Iterator[tuple[str, bytes]]:
    for file in resources.files(__package__).joinpath("static").iterdir():
        if file.is_file():
            yield file.name, file.read_bytes()


def _description(networks: Mapping[str, ExportedNetwork]) -> dict[str, Any]:
    """Return what the page has to know of its networks and colours, ready for JSON."""
    names = {file: [_model_name(file, head) for head in network.heads] for file, network in networks.items()}
    listed = []
    for file, network in networks.items():
        if network.metadata.preprocessing.rule not in _SIZE_RULES:
            raise ValueError(f"{file}: the page knows no size rule {network.metadata.preprocessing.rule!r}")
        listed.append(
            {
                "file": file,
                "bytes": len(network.session.file.content),
                "isOnDemand": file in _ON_DEMAND,
                "heads": names[file],
                "output": network.metadata.output,
                "preprocessing": network.metadata.preprocessing.to_dict(),
            }
        )
    return {
        "networks": listed,
        "titles": {name: card(name).title for found in names.values() for name in found},
        "tints": tint_table().tolist(),
        "growth": GROWTH,
        "saccades": _saccades(),
        "colors": color_table(COLOR_MAP).tolist(),
        "about": f"salbox {__version__}; computed by ONNX Runtime Web {VERSION} ({LICENSE}). "
        "Once loaded, the page works without a network.",
    }


def _saccades() -> dict[str, Any]:
    """Return the rule by which one look follows others, ready for JSON."""
    rule = saccades_to_json(find_saccades(DEFAULT))
    rule.pop("about")
    return rule | {"lastNodes": LAST_NODES, "earlierNodes": EARLIER_NODES, "side": WORKING_SIDE}


def _model_name(file: str, head: str) -> str:
    """Return the name by which `salbox.load` knows a head of a file; of other files than the students' the file's."""
    return f"{head}.student" if file == SHIPPED else file.removesuffix(".onnx")


def _png(sample: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(sample_photo(sample)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
