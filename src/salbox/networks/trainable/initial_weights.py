"""The first weights of a network's encoder: from a file, a package, timm's hub, the network that ships, or random."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import timm
import torch
from skimage import data
from torch import Tensor, nn

from ...errors import WeightsError
from ...models.exported import packaged
from ...models.registry import SHIPPED
from ...paths import user_path
from ...runtime.preprocessing import resize
from ...types import Pixels
from ..checkpoints import exported_tensors, load_tensors, read_tensors
from ..encoders import STRIDES, WeightsWarning, make_encoder, timm_name
from . import imagenet
from .base import TrainableNetwork
from .bn_folding import Folded, mobilenet_v2_units, read_folded_mobilenet_v2, restore_batch_norm

PHOTOS = 64  # that batch norm statistics are taken from
BATCH = 8

# What files of whole networks hold beyond the encoder.
UNUSED = ("classifier.", "fc.", "head.", "pre_logits.", "conv_head.", "bn2.", "features.18.")


def trained_in_pytorch(init: str | Path) -> bool:
    """Return whether first weights come with PyTorch's padding and normalisation."""
    if str(init) in ("none", "imagenet", "shipped"):
        return False
    return str(init) == "timm" or Path(init).suffix not in (".npz", ".onnx")


def load_initial_weights(
    network: TrainableNetwork, init: str | Path, calibration: Sequence[Pixels] | None = None
) -> str:
    """Give a network's encoder its first weights and return in words where they came from, for the card.

    Parameters
    ----------
    network : TrainableNetwork
    init : {"none", "imagenet", "timm", "shipped"} or path
        "none": random as they are, with a `WeightsWarning`. "imagenet": those that an installed package brings, of the
        encoders of `imagenet.PACKAGES`. "timm": from timm's hub, which needs a network or a filled cache. "shipped":
        the encoder of the network that salbox ships, which ends at stride 16. A path: a .npz with a folded MobileNetV2,
        an .onnx that salbox exported from a network with this encoder, or a .safetensors or PyTorch file of this
        encoder (timm's names, or torchvision's for MobileNetV2 and ResNet-18).
    calibration : sequence of images, optional
        Photos for the statistics of folded batch norms; by default crops of scikit-image's sample photos.

    Raises
    ------
    WeightsError
        If they cannot be had or do not fit.
    """
    if str(init) == "none":
        warnings.warn(
            f"network '{network.name}': its encoder starts from random weights; it learns slowly and badly "
            "(give first weights with init=, --init)",
            WeightsWarning,
            stacklevel=3,
        )
        return "encoder from random weights"
    if str(init) == "imagenet":
        return _from_package(network)
    if str(init) == "timm":
        return _from_hub(network)
    if str(init) == "shipped":
        return _from_onnx(network, Path(packaged(SHIPPED)), "the network that salbox ships")
    path = user_path(init)
    if not path.is_file():
        raise WeightsError(f"{path}: no such file (first weights are none, imagenet, timm, shipped or a file)")
    if path.suffix == ".npz":
        return _from_folded(network, path, calibration)
    if path.suffix == ".onnx":
        return _from_onnx(network, path, path.name)
    _load(network, read_tensors(path), path)
    return f"encoder from {path.name}"


def _from_package(network: TrainableNetwork) -> str:
    encoder = network.arguments.get("encoder")
    if encoder is None:
        raise WeightsError(f"network '{network.name}': its encoder is its own, and no package brings weights of it")
    _load(network, imagenet.read_imagenet(encoder), imagenet.PACKAGES[encoder])
    return f"encoder from {imagenet.title(encoder)}'s ImageNet weights ({imagenet.LICENSE})"


def _from_hub(network: TrainableNetwork) -> str:
    name = timm_name(network.arguments.get("encoder", "mobilenetv2"))
    log = logging.getLogger("huggingface_hub")
    level = log.level
    log.setLevel(logging.CRITICAL)  # it tells of every try; one line at the end is enough
    try:
        pretrained = timm.create_model(name, pretrained=True)
    except Exception as error:  # the hub's client raises nearly anything without a network
        reason = " ".join(str(error).split())[:120].rstrip(" .") or type(error).__name__
        raise WeightsError(
            f"timm's weights of '{name}' cannot be fetched ({reason}); give a file instead, or init none"
        ) from None
    finally:
        log.setLevel(level)
    _load(network, pretrained.state_dict(), f"timm's {name}")
    return f"encoder from timm's {name}.{pretrained.pretrained_cfg.get('tag') or 'default'}"


def _load(network: TrainableNetwork, tensors: Mapping[str, Tensor], where: str | Path) -> None:
    """Load a state dict with timm's or torchvision's names, or that of a network with this encoder.

    An encoder that ends early leaves the rest in the file.
    """
    if any(name.startswith("encoder.") for name in tensors):
        tensors = {n.removeprefix("encoder."): t for n, t in tensors.items() if n.startswith("encoder.")}
    own_names, own = _own_names(network.encoder), network.encoder.state_dict()
    renamed = {}
    for name, tensor in tensors.items():
        module, _, kind = name.rpartition(".")
        # With its features tapped, timm calls a layer of VGG features_0 that is features.0 in whole networks.
        flat = f"{module.replace('.', '_', 1)}.{kind}"
        renamed[flat if flat in own else f"{own_names.get(module, module)}.{kind}"] = tensor
    left_out = [name for names in _spellings() for name in names if own_names and name not in own_names]
    unused = {f"{name}." for name in left_out} | _beyond_the_end(network)
    load_tensors(network.encoder, renamed, where, unused=(*UNUSED, *unused))


def _beyond_the_end(network: TrainableNetwork) -> set[str]:
    """Return timm's names of the weights that an encoder lacks because it ends early."""
    if network.arguments.get("deepest", STRIDES[-1]) == STRIDES[-1]:
        return set()
    return set(make_encoder(network.arguments["encoder"]).network.state_dict()) - set(network.encoder.state_dict())


def _own_names(encoder: nn.Module) -> dict[str, str]:
    """Return what an encoder calls MobileNetV2's layers, by each name they go under; empty if it is another network.

    It may end early, but has no other layers, and none is missing before its end.
    """
    layers = {name for name, m in encoder.named_modules() if isinstance(m, (nn.Conv2d, nn.BatchNorm2d))}
    names: dict[str, str] = {}
    for spellings in _spellings():
        mine = next((name for name in spellings if name in layers), None)
        if mine is None:
            break
        names |= dict.fromkeys(spellings, mine)
    return names if layers == set(names.values()) else {}


def _spellings() -> list[tuple[str, str, str]]:
    """Return the names that each of MobileNetV2's layers goes under, from first to last."""
    pairs = [pair for unit in mobilenet_v2_units() for pair in zip(unit.torchvision, unit.timm, strict=True)]
    return [(torchvision, torchvision.removeprefix("features."), timms) for torchvision, timms in pairs]


def _from_folded(network: TrainableNetwork, path: Path, calibration: Sequence[Pixels] | None) -> str:
    """Load a folded MobileNetV2 that was trained on pixels in -1..1."""
    own_names = _own_names(network.encoder)
    if not own_names:
        raise WeightsError(f"{path}: holds a MobileNetV2, which the encoder of this '{network.name}' is not")
    folded = _fitted(network, read_folded_mobilenet_v2(path))
    mine = {own_names[name]: pair for name, pair in folded.items() if name in own_names}
    photos = sample_photos() if calibration is None else calibration
    count = restore_batch_norm(network.encoder, mine, _batches(network, photos))
    kind = "sample photos" if calibration is None else "photos"
    return f"encoder from {path.name}, statistics of its batch norms from {count} {kind}"


def _fitted(network: TrainableNetwork, folded: Folded) -> Folded:
    """Return folded weights whose first convolution takes pixels as the network normalises them.

    The network's pixels are p = (x - shift) / divisor, and x / 127.5 - 1 = p divisor / 127.5 + shift / 127.5 - 1; the
    factor goes into the weight, the rest into the bias. At the border, where zeros are padded, the two differ.
    """
    divisor, shift = (t.double().flatten() for t in (network.normalize.divisor, network.normalize.shift))
    first = next(iter(folded))
    weight, bias = (t.double() for t in folded[first])
    constant = (weight.sum(dim=(2, 3)) * (shift / 127.5 - 1)).sum(dim=1)
    changed = weight * (divisor / 127.5)[None, :, None, None], bias + constant
    return {**folded, first: (changed[0].float(), changed[1].float())}


def _from_onnx(network: TrainableNetwork, path: Path, source: str) -> str:
    """Load the encoder of a network that salbox exported: names and batch norms are as in the network."""
    tensors = {name: t for name, t in exported_tensors(path).items() if name.startswith("encoder.")}
    if not tensors:
        raise WeightsError(f"{path}: not a network that salbox exported: it has no encoder")
    _load(network, tensors, path)
    return f"encoder from {source}"


def _batches(network: TrainableNetwork, photos: Sequence[Pixels]) -> Iterator[Tensor]:
    """Yield what the encoder sees of photos, in batches of equal working size."""
    by_size: dict[tuple[int, int], list[Pixels]] = {}
    for photo in photos:
        prepared = network.preprocessing.prepare(photo)
        by_size.setdefault(prepared.shape[:2], []).append(prepared)
    for group in by_size.values():
        for start in range(0, len(group), BATCH):
            stacked = np.stack(group[start : start + BATCH]).transpose(0, 3, 1, 2)
            yield network.encoder_input(torch.from_numpy(np.ascontiguousarray(stacked)).float())


def sample_photos(count: int = PHOTOS, seed: int = 0) -> list[Pixels]:
    """Return crops of scikit-image's sample photos, half of them mirrored: (192, 256, 3) uint8 each."""
    rng = np.random.default_rng(seed)
    photos = [getattr(data, name)() for name in ("astronaut", "coffee", "chelsea", "rocket")]
    crops: list[Pixels] = []
    for i in range(count):
        photo = photos[i % len(photos)]
        height = int(rng.integers(96, min(photo.shape[0], photo.shape[1] * 3 // 4) + 1))
        width = height * 4 // 3
        top, left = (int(rng.integers(0, n - side + 1)) for n, side in zip(photo.shape, (height, width), strict=False))
        crop = resize(photo[top : top + height, left : left + width], 192, 256)
        crops.append(np.ascontiguousarray(crop[:, ::-1] if rng.random() < 0.5 else crop))
    return crops
