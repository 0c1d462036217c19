"""UniSal: unified image and video saliency modeling (Droste, Jiao and Noble 2020).

A MobileNetV2 with learned Gaussians for the centre, a recurrent unit that videos go through and images pass by, and a
small decoder. One set of weights serves four domains; what they need apart (norms, Gaussians, the last convolution and
a final smoothing) each has for itself. Modules have the names of the authors' weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from ..errors import ImageError, UsageError
from ..image import Pixels
from ._device import torch_device
from .checkpoints import load_tensors, read_tensors
from .known_files import check_model
from .layers import IMAGENET_MEAN, IMAGENET_STD, Normalise
from .official.conv_gru import ConvGRU
from .official.domains import DOMAINS, DomainNorm, DomainSequential
from .official.mobilenet_v2_unisal import MobileNetV2
from .official.unisal_readout import CHANNELS, Readout
from .opened import Opened

FloatMap = npt.NDArray[np.float32]

IMAGE_DOMAIN, VIDEO_DOMAIN = "SALICON", "DHF1K"
AUTO = "auto"  # the one or the other

# What the network sees: sides of 32 times 7 to 13, their product between these, the aspect nearest to the image's.
CELL, SIDES, FEWEST, MOST = 32, range(7, 14), 100, 120
# Frames of these domains are brought to one size; of DHF1K only those of the data set's own size.
CLIP_SIZES = {"Hollywood": (224, 416), "UCFSports": (256, 384)}
DHF1K_FRAME, DHF1K_SIZE = (360, 640), (224, 384)
# Of so many consecutive frames each belongs to another sequence: the network learned from every fifth or so.
SPACING = {"DHF1K": 5, "Hollywood": 4, "UCFSports": 4}

UNUSED = ("rnn.cell_list.0.drop_mask_",)  # a dropout mask of some step of the training


class UniSal(Readout):
    """The network.

    Parameters
    ----------
    encoder : nn.Module, optional
        Takes (N, 3, H, W), gives features at strides 8, 16 and 32; `channels` says how many. By default the published
        network's `MobileNetV2`.

    References
    ----------
    Droste, Jiao and Noble: Unified image and video saliency modeling. ECCV 2020, section 3.
    """

    def __init__(self, encoder: nn.Module | None = None) -> None:
        cnn = MobileNetV2() if encoder is None else encoder
        super().__init__(cnn.channels)  # type: ignore[arg-type,unused-ignore]
        self.normalise = Normalise(IMAGENET_MEAN, IMAGENET_STD)
        self.cnn = cnn
        self.rnn = ConvGRU(CHANNELS)
        self.post_rnn = DomainSequential(nn.Conv2d(CHANNELS, CHANNELS, 1, bias=False), DomainNorm(CHANNELS), nn.ReLU6())

    def forward(self, images: Tensor, domain: str = IMAGE_DOMAIN) -> Tensor:
        """Return the log of a density up to a constant, for images one by one: (N, 1, H, W).

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255; sides that 32 divides.
        domain : str
            One of `DOMAINS`.
        """
        eighth, sixteenth, coarsest = self.cnn(self.normalise(images))
        return self.decoded(*self.encoded(eighth, sixteenth, coarsest, domain), domain)

    def frames(self, images: Tensor, domain: str, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return what `forward` does for the frames of a clip, and the state after the last: (T, 1, H, W), state.

        Parameters
        ----------
        images : (T, 3, H, W) float32
            RGB, 0..255, in order.
        domain : str
        state : (1, 256, H/32, W/32) float32, optional
            What was returned for the frames before.
        """
        eighth, sixteenth, coarsest = self.cnn(self.normalise(images))
        eighth, sixteenth, coarse = self.encoded(eighth, sixteenth, coarsest, domain)
        remembered, state = self.rnn(coarse, domain, state)
        coarse = coarse + self.post_rnn(remembered, domain)
        return self.decoded(eighth, sixteenth, coarse, domain), state

    def maps(self, images: Tensor, domain: str = IMAGE_DOMAIN) -> Tensor:
        """Return log densities of images at the size they are given: (N, 1, H, W), exp sums to 1."""
        return log_density(self(images, domain))


def log_density(values: Tensor) -> Tensor:
    """Return maps, (N, 1, H, W), less the log of the sum of their exponentials."""
    return functional.log_softmax(values.flatten(1), dim=1).reshape(values.shape)


class OpenUniSal(Opened[UniSal]):
    """The network with its weights: images or the frames of a clip in, their maps out; safe in threads.

    Attributes
    ----------
    network : UniSal
        In evaluation mode, on its device.
    """

    def __call__(self, image: Pixels, domain: str = AUTO) -> FloatMap:
        """Return the log density of fixations on an image: (H, W) float32, exp sums to 1.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        domain : {"auto", "SALICON", "DHF1K", "Hollywood", "UCFSports"}
            As whose image it is seen, by default SALICON's. As the network's authors do with images, the recurrent
            unit is passed by.
        """
        chosen = _domain(domain, IMAGE_DOMAIN)
        with torch.inference_mode():
            return self._to_map(self.network(self._input(image, image_size(*image.shape[:2])), chosen), image)

    def follow(self, domain: str = AUTO) -> Callable[[Pixels], FloatMap]:
        """Return what is called with the frames of one clip, one after another, and gives the map of each.

        A map is the log density of fixations, (H, W) float32, exp sums to 1. Every fifth frame (fourth in domains
        other than DHF1K) belongs to one sequence with a state of its own, as in the authors' program; these few states
        are all that is kept. In the domain SALICON frames are seen as images.

        Parameters
        ----------
        domain : {"auto", "DHF1K", "Hollywood", "UCFSports", "SALICON"}
            As whose frames they are seen, by default DHF1K's. They are (H, W, 3) uint8 RGB, of one size, in order, at
            the clip's frame rate; a frame of another size than the first is an ImageError.

        Raises
        ------
        UsageError
            If there is no such domain.
        """
        return _Clip(self, _domain(domain, VIDEO_DOMAIN))

    def clip(self, frames: Iterable[Pixels], domain: str = AUTO) -> Iterator[FloatMap]:
        """Return the maps of a clip's frames, computed one at a time; see `follow`."""
        return map(self.follow(domain), frames)

    def whole(self, domain: str = AUTO) -> nn.Module:
        """Return the network for images with all around it as one graph, to be exported."""
        from .whole.unisal import WholeUniSal

        return WholeUniSal(self.network, _domain(domain, IMAGE_DOMAIN))

    def _input(self, image: Pixels, size: tuple[int, int]) -> Tensor:
        # Along the rows first, whatever the shape: Pillow 13 changed the order, and what is clipped in between.
        narrowed = Image.fromarray(image).resize((size[1], image.shape[0]), Image.Resampling.LANCZOS)
        seen = narrowed.resize(size[::-1], Image.Resampling.LANCZOS)
        return self._tensor(np.asarray(seen))

    def _to_map(self, values: Tensor, image: Pixels) -> FloatMap:
        enlarged = functional.interpolate(values, image.shape[:2], mode="bilinear", align_corners=False)
        return self._checked(log_density(enlarged))


class _Clip:
    """Takes the frames of one clip, one after another."""

    def __init__(self, opened: OpenUniSal, domain: str) -> None:
        self._opened = opened
        self._domain = domain
        self._states: list[Tensor | None] = [None] * SPACING.get(domain, 1)
        self._shape: tuple[int, ...] = ()
        self._frames = 0

    def __call__(self, frame: Pixels) -> FloatMap:
        self._shape = self._shape or frame.shape
        if frame.shape != self._shape:
            raise ImageError(f"frame {self._frames} has the shape {frame.shape}, those before {self._shape}")
        sequence = self._frames % len(self._states)
        self._frames += 1
        opened, domain = self._opened, self._domain
        if domain == IMAGE_DOMAIN:
            return opened(frame, domain)
        with torch.inference_mode():
            seen = opened._input(frame, clip_size(frame.shape[0], frame.shape[1], domain))
            values, self._states[sequence] = opened.network.frames(seen, domain, self._states[sequence])
            return opened._to_map(values, frame)


def _domain(name: str, auto: str) -> str:
    if name != AUTO and name not in DOMAINS:
        raise UsageError(f"no domain '{name}': there are {', '.join(DOMAINS)}")
    return auto if name == AUTO else name


def image_size(height: int, width: int) -> tuple[int, int]:
    """Return the size, (h, w), at which the network sees an image; the first of those of nearest aspect."""
    best, size = 0.0, (0, 0)
    for rows in SIDES:
        for columns in SIDES:
            if FEWEST <= rows * columns <= MOST:
                mine, theirs = rows / columns, height / width
                likeness = min(mine, theirs) / max(mine, theirs)
                if likeness > best:
                    best, size = likeness, (CELL * rows, CELL * columns)
    return size


def clip_size(height: int, width: int, domain: str) -> tuple[int, int]:
    """Return the size, (h, w), at which the network sees the frames of a clip."""
    if domain == "DHF1K" and (height, width) == DHF1K_FRAME:
        return DHF1K_SIZE
    return CLIP_SIZES.get(domain) or image_size(height, width)


def open_unisal(weights: Path, device: str = "cpu") -> OpenUniSal:
    """Return UniSal, ready to be called with an image; `.clip` takes the frames of a video.

    Parameters
    ----------
    weights : Path
        A file of the authors' release: `weights_best.pth`, or `weights_ft_mit1003.pth`, tuned to MIT1003.
    device : str
        "cpu", "cuda", "cuda:1", ..

    Raises
    ------
    WeightsError
        If the file is not such a checkpoint.
    UsageError
        If there is no such device.
    """
    place = torch_device(device)
    tensors = read_tensors(weights)
    check_model(tensors.keys(), "unisal", weights)
    network = UniSal()
    load_tensors(network, tensors, weights, unused=UNUSED)
    return OpenUniSal(network.to(place), str(weights))
