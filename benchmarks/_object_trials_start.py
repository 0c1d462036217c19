"""First weights for an encoder that no package brings any of: it learns the features of one that has ImageNet's."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from _distilling import read_json, write_json
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from salbox.imaging.writing import atomic
from salbox.networks.encoders import WeightsWarning
from salbox.networks.scfnet.design import SCFNetDesign
from salbox.networks.trainable.base import TrainableNetwork
from salbox.networks.trainable.factory import build_network
from salbox.system.threads import available_threads
from salbox.training.cache import Pictures

TEACHER = "tf_efficientnet_lite0"
TAPS = ("stride16", "stride32")  # the two deepest
BATCH = 32
RATE = 3e-3  # of AdamW, one cycle
WEIGHT_DECAY = 1e-2


@dataclass(frozen=True)
class Start:
    """How long the features are learned.

    Attributes
    ----------
    epochs : int
    mirrored : bool
        Whether half of the pictures, drawn anew in each epoch, are the photos' mirror images.
    """

    epochs: int
    mirrored: bool = False


STARTS = {"short": Start(4), "long": Start(40, mirrored=True)}


def first_weights(photos: Pictures, file: Path, start: Start) -> Path:
    """Return a file with the weights of `scfnet`'s own encoder after it has learned the teacher's features of photos.

    The features at strides 16 and 32, each channel standardised over the photos, are predicted by a 1x1 convolution of
    the student's at the same stride; the loss is the mean square, so the share of the variance that is left. It is
    made once; a .json beside it says how.
    """
    if file.is_file():
        return file
    torch.set_num_threads(available_threads())
    (group,) = photos.groups
    views = [group.images, np.flip(group.images, 2)] if start.mirrored else [group.images]
    targets = [_standardised(each) for each in _features(views, file.with_suffix(".features"))]
    student = _network("mobilenetv3_large_050", "none")
    widths = {tap: value.shape[1] for tap, value in student.taps(torch.zeros(2, 3, 64, 64)).items()}
    torch.manual_seed(0)
    project = nn.ModuleList(nn.Conv2d(widths[tap], each.shape[1], 1) for tap, each in zip(TAPS, targets, strict=True))
    student.train().to(memory_format=torch.channels_last)
    parameters = [*student.encoder.parameters(), *project.parameters()]
    optimizer = torch.optim.AdamW(parameters, RATE, weight_decay=WEIGHT_DECAY)
    steps = start.epochs * (len(group.images) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps)
    random = np.random.default_rng(0)
    left: list[float] = []
    for epoch in range(start.epochs):
        losses = []
        order = random.permutation(len(group.images))
        view = random.integers(len(views), size=len(order))
        for first in range(0, len(order) - BATCH + 1, BATCH):
            rows = np.sort(order[first : first + BATCH])
            found = student.taps(_images(np.stack([views[view[row]][row] for row in rows])))
            places = view[rows] * len(group.images) + rows
            wanted = [torch.from_numpy(each[places].astype(np.float32)) for each in targets]
            parts = [
                functional.mse_loss(layer(found[tap]), target)
                for layer, tap, target in zip(project, TAPS, wanted, strict=True)
            ]
            loss = torch.stack(parts).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(float(loss.detach()))
        left.append(float(np.mean(losses)))
        print(f"first weights: epoch {epoch + 1}/{start.epochs}, {left[-1]:.3f} of the variance left", flush=True)
    with atomic(file) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in student.encoder.state_dict().items()}, temporary)
    write_json(file.with_suffix(".json"), {"photos": len(group.images), **asdict(start), "left": left})
    file.with_suffix(".features").unlink()
    return file


def load_first_weights(network: TrainableNetwork, file: Path) -> None:
    """Give a network's encoder the weights that `first_weights` wrote."""
    network.encoder.load_state_dict(load_file(file))
    network.init_note = f"encoder from features of {TEACHER}"


def how(file: Path) -> dict[str, Any]:
    """Return how first weights were made: photos, epochs, the share of the variance left after each."""
    found: dict[str, Any] = read_json(file.with_suffix(".json"))
    return found


def _network(encoder: str, init: str) -> SCFNetDesign:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WeightsWarning)
        network = build_network("scfnet", ["object"], encoder=encoder, init=init)
    assert isinstance(network, SCFNetDesign)  # by its name
    return network


def _images(pixels: npt.NDArray[np.uint8]) -> Tensor:
    """Return photos as networks take them: (N, 3, H, W)."""
    return torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float()


def _features(views: Sequence[npt.NDArray[np.uint8]], file: Path) -> list[npt.NDArray[np.float16]]:
    """Return the teacher's features, (n, C, h, w) a tap, of photos, one view after another; on disk in one file."""
    teacher = _network(TEACHER, "imagenet").eval().to(memory_format=torch.channels_last)
    with torch.no_grad():
        shapes = [tuple(teacher.taps(_images(views[0][:1]))[tap].shape[1:]) for tap in TAPS]
        count = sum(map(len, views))
        ends = np.cumsum([0, *(count * int(np.prod(shape)) for shape in shapes)])
        memory = np.memmap(file, np.float16, "w+", shape=(int(ends[-1]),))
        found = [
            memory[start:end].reshape(count, *shape) for start, end, shape in zip(ends, ends[1:], shapes, strict=False)
        ]
        batches = (view[first : first + BATCH] for view in views for first in range(0, len(view), BATCH))
        done = 0
        for batch in batches:
            taps = teacher.taps(_images(batch))
            for tap, store in zip(TAPS, found, strict=True):
                store[done : done + len(batch)] = taps[tap].numpy()
            done += len(batch)
    return found


def _standardised(features: npt.NDArray[np.float16]) -> npt.NDArray[np.float16]:
    """Return features with mean 0 and deviation 1 in each channel, over the photos and places; in place."""
    sample = features[::8].astype(np.float32)
    mean, deviation = (f(sample, axis=(0, 2, 3))[:, None, None] for f in (np.mean, np.std))
    for first in range(0, len(features), 256):
        features[first : first + 256] = (features[first : first + 256] - mean) / np.maximum(deviation, 1e-3)
    return features
