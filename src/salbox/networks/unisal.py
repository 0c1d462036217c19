"""UniSal: unified image and video saliency modeling (Droste, Jiao and Noble 2020).

A MobileNetV2 with learned Gaussians for the centre, a recurrent unit that videos go through and images pass by, and a
small decoder. One set of weights serves four domains; what they need apart (norms, Gaussians, the last convolution and
a final smoothing) each has for itself. Modules have the names of the authors' weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
from .official.domains import DOMAINS, DomainNorm, DomainSequential, Filtered, Inverted, Skip
from .official.mobilenet_v2_unisal import MobileNetV2
from .opened import Opened

FloatMap = npt.NDArray[np.float32]

IMAGE_DOMAIN, VIDEO_DOMAIN = "SALICON", "DHF1K"
GAUSSIANS = 16
GAUSSIAN_HEIGHT = 6.0  # of the prior maps
CHANNELS = 256  # at stride 32
SKIPS = (64, 128)  # channels that come to the decoder from strides 8 and 16
SMOOTHING = 41  # side of the kernel of the final smoothing

# What the network sees: sides of 32 times 7 to 13, their product between these, the aspect nearest to the image's.
CELL, SIDES, FEWEST, MOST = 32, range(7, 14), 100, 120
# Frames of these domains are brought to one size; of DHF1K only those of the data set's own size.
CLIP_SIZES = {"Hollywood": (224, 416), "UCFSports": (256, 384)}
DHF1K_FRAME, DHF1K_SIZE = (360, 640), (224, 384)
# Of so many consecutive frames each belongs to another sequence: the network learned from every fifth or so.
SPACING = {"DHF1K": 5, "Hollywood": 4, "UCFSports": 4}

UNUSED = ("rnn.cell_list.0.drop_mask_",)  # a dropout mask of some step of the training


class UniSal(nn.Module):
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
        super().__init__()
        self.normalise = Normalise(IMAGENET_MEAN, IMAGENET_STD)
        self.cnn = MobileNetV2() if encoder is None else encoder
        eighth, sixteenth, coarsest = self.cnn.channels  # type: ignore[misc,union-attr,unused-ignore]
        self.post_cnn = nn.ModuleDict({"inv_res": Filtered(coarsest + GAUSSIANS, CHANNELS)})
        self.rnn = ConvGRU(CHANNELS)
        self.post_rnn = DomainSequential(nn.Conv2d(CHANNELS, CHANNELS, 1, bias=False), DomainNorm(CHANNELS), nn.ReLU6())
        self.skip_2x = Skip(sixteenth, SKIPS[1])
        self.upsampling_2 = nn.ModuleDict({"inv_res": Inverted(CHANNELS + SKIPS[1], SKIPS[1])})
        self.skip_4x = Skip(eighth, SKIPS[0])
        self.post_upsampling_2 = nn.ModuleDict({"inv_res": Inverted(SKIPS[1] + SKIPS[0], SKIPS[0])})
        for domain in map(str.lower, DOMAINS):
            self.register_parameter(f"coarse_gaussians_{domain}", nn.Parameter(_spread_gaussians()))
            self.add_module(f"adaptation_{domain}", nn.Sequential(nn.Conv2d(SKIPS[0], 1, 1)))
            self.add_module(f"smoothing_{domain}", nn.Conv2d(1, 1, SMOOTHING, bias=False))

    def forward(self, images: Tensor, domain: str = IMAGE_DOMAIN) -> Tensor:
        """Return the log of a density up to a constant, for images one by one: (N, 1, H, W).

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255; sides that 32 divides.
        domain : str
            One of `DOMAINS`.
        """
        return self._decoded(*self._encoded(images, domain), domain)

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
        eighth, sixteenth, coarse = self._encoded(images, domain)
        remembered, state = self.rnn(coarse, domain, state)
        coarse = coarse + self.post_rnn(remembered, domain)
        return self._decoded(eighth, sixteenth, coarse, domain), state

    def maps(self, images: Tensor, domain: str = IMAGE_DOMAIN) -> Tensor:
        """Return log densities of images at the size they are given: (N, 1, H, W), exp sums to 1."""
        return log_density(self(images, domain))

    def _encoded(self, images: Tensor, domain: str) -> tuple[Tensor, Tensor, Tensor]:
        eighth, sixteenth, coarsest = self.cnn(self.normalise(images))
        gaussians = self.get_parameter(f"coarse_gaussians_{domain.lower()}")
        priors = prior_maps(gaussians, coarsest.shape[-2], coarsest.shape[-1])
        priors = priors.unsqueeze(0).expand(coarsest.shape[0], -1, -1, -1)
        coarse = self.post_cnn["inv_res"](torch.cat([coarsest, priors], dim=1))
        return self.skip_4x(eighth, domain), self.skip_2x(sixteenth, domain), coarse

    def _decoded(self, eighth: Tensor, sixteenth: Tensor, coarse: Tensor, domain: str) -> Tensor:
        values = torch.cat([_doubled(coarse), sixteenth], dim=1)
        values = _doubled(self.upsampling_2["inv_res"](values, domain))
        values = self.post_upsampling_2["inv_res"](torch.cat([values, eighth], dim=1), domain)
        values = self.get_submodule(f"adaptation_{domain.lower()}")(values)
        values = functional.interpolate(values, scale_factor=8, mode="nearest")
        values = functional.pad(values, [SMOOTHING // 2] * 4, mode="replicate")
        smoothed: Tensor = self.get_submodule(f"smoothing_{domain.lower()}")(values)
        return smoothed


def prior_maps(gaussians: Tensor, height: int, width: int) -> Tensor:
    """Return Gaussians as maps: (K, height, width).

    Parameters
    ----------
    gaussians : (K, 2, 2) float32
        For y, then x: mean, and log of the standard deviation, in 0..1 from the first row or column to the last.
    height, width : int
    """
    sides = []
    for axis, length in enumerate((height, width)):
        places = torch.linspace(0, 1, length, device=gaussians.device, dtype=gaussians.dtype)
        means, deviations = gaussians[:, axis, :1], gaussians[:, axis, 1:].exp()
        sides.append(torch.exp(-0.5 * ((places - means) / deviations) ** 2))
    return GAUSSIAN_HEIGHT * sides[0].unsqueeze(2) * sides[1].unsqueeze(1)


def _spread_gaussians() -> Tensor:
    """Return where the Gaussians start: on a grid of four by four, a fifth of the map wide."""
    centres = torch.linspace(0.2, 0.8, 4)
    means = torch.stack(torch.meshgrid(centres, centres, indexing="ij"), dim=-1).reshape(GAUSSIANS, 2)
    return torch.stack([means, torch.full_like(means, 0.2).log()], dim=2)


def _doubled(values: Tensor) -> Tensor:
    return functional.interpolate(values, scale_factor=2, mode="bilinear", align_corners=False)


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

    def __call__(self, image: Pixels, domain: str = IMAGE_DOMAIN) -> FloatMap:
        """Return the log density of fixations on an image: (H, W) float32, exp sums to 1.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        domain : {"SALICON", "DHF1K", "Hollywood", "UCFSports"}
            As whose image it is seen. As the network's authors do with images, the recurrent unit is passed by.
        """
        with torch.inference_mode():
            return self._to_map(self.network(self._input(image, image_size(*image.shape[:2])), domain), image)

    def clip(self, frames: Iterable[Pixels], domain: str = VIDEO_DOMAIN) -> Iterator[FloatMap]:
        """Yield the log density of fixations on each frame of a clip: (H, W) float32, exp sums to 1.

        Every fifth frame (fourth in domains other than DHF1K) belongs to one sequence with a state of its own, as in
        the authors' program. In the domain SALICON frames are seen as images.

        Parameters
        ----------
        frames : iterable of (H, W, 3) uint8 RGB
            Of one size, in order, at the clip's frame rate; taken one at a time.
        domain : {"DHF1K", "Hollywood", "UCFSports", "SALICON"}

        Raises
        ------
        UsageError
            If there is no such domain.
        ImageError
            If a frame has another size than the first.
        """
        if domain not in DOMAINS:
            raise UsageError(f"no domain '{domain}': there are {', '.join(DOMAINS)}")
        return self._clip(frames, domain)

    def _clip(self, frames: Iterable[Pixels], domain: str) -> Iterator[FloatMap]:
        states: list[Tensor | None] = [None] * SPACING.get(domain, 1)
        shape: tuple[int, ...] | None = None
        for index, frame in enumerate(frames):
            shape = frame.shape if shape is None else shape
            if frame.shape != shape:
                raise ImageError(f"frame {index} has the shape {frame.shape}, those before {shape}")
            if domain == IMAGE_DOMAIN:
                yield self(frame, domain)
                continue
            sequence = index % len(states)
            with torch.inference_mode():
                seen = self._input(frame, clip_size(frame.shape[0], frame.shape[1], domain))
                values, states[sequence] = self.network.frames(seen, domain, states[sequence])
                saliency = self._to_map(values, frame)
            yield saliency

    def _input(self, image: Pixels, size: tuple[int, int]) -> Tensor:
        seen = Image.fromarray(image).resize(size[::-1], Image.Resampling.LANCZOS)
        return self._tensor(np.asarray(seen))

    def _to_map(self, values: Tensor, image: Pixels) -> FloatMap:
        enlarged = functional.interpolate(values, image.shape[:2], mode="bilinear", align_corners=False)
        return self._checked(log_density(enlarged))


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
