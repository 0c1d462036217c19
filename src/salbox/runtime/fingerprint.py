"""A fingerprint of a network's weights and operators, which ties figures to the network that they were measured on.

The salbox metadata of a file, with the cards, are left out: a network whose cards are rewritten is the same network.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from ..errors import WeightsError
from ..formats.onnx_file import OnnxFile, inspect
from ..formats.protobuf import BYTES, Messages, Refusal

# Of a ModelProto: the graph and the versions of its operators. The others say who wrote the file, and when.
_COMPUTES = (7, 8)


def weights_fingerprint(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of what an ONNX file computes with, as 64 hexadecimal digits.

    Parameters
    ----------
    path : path
        Its graph counts, byte for byte: names, operators, weights, and the precision that these are stored in.

    Raises
    ------
    WeightsError
        If it is no ONNX file that salbox runs.
    """
    return fingerprint_of(inspect(Path(path)))


def fingerprint_of(file: OnnxFile) -> str:
    """Return the `weights_fingerprint` of a file that was read."""
    content = file.content
    digest = hashlib.sha256()
    try:
        for number, wire, start, end in Messages(content).walk(0, len(content)):
            if number in _COMPUTES and wire == BYTES:
                digest.update(f"{number} {end - start} ".encode())
                digest.update(content[start:end])
    except Refusal as refusal:
        raise WeightsError(f"{file.path}: {refusal}") from None
    return digest.hexdigest()
