"""UniSal: an image or the frames of a clip in, log densities out, with its authors' weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from ...errors import ImageError, UsageError
from ...types import FloatMap, Pixels
from ..predictor import Predictor
from .card import SIGNATURE
from .domains import DOMAINS
from .network import CELL, FEWEST, IMAGE_DOMAIN, MOST, SIDES, UniSal, log_density

VIDEO_DOMAIN = "DHF1K"
AUTO = "auto"  # the one or the other
# Frames of these domains are brought to one size; of DHF1K only those of the data set's own size.
CLIP_SIZES = {"Hollywood": (224, 416), "UCFSports": (256, 384)}
DHF1K_FRAME, DHF1K_SIZE = (360, 640), (224, 384)
# Of so many consecutive frames each belongs to another sequence: the network learned from every fifth or so.
SPACING = {"DHF1K": 5, "Hollywood": 4, "UCFSports": 4}


class UniSalPredictor(Predictor[UniSal]):
    """The network with its weights: images or the frames of a clip in, their maps out; safe in threads.

    Reads the files of the authors' release: `weights_best.pth`, and `weights_ft_mit1003.pth`, tuned to MIT1003.
    """

    architecture = UniSal
    signature = SIGNATURE
    unused = ("rnn.cell_list.0.drop_mask_",)  # a dropout mask of some step of the training

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

    def graph(self, domain: str = AUTO) -> nn.Module:
        """Return the network for images with all around it as one graph, to be exported."""
        from .graph import UniSalGraph

        return UniSalGraph(self.network, _domain(domain, IMAGE_DOMAIN))

    def _input(self, image: Pixels, size: tuple[int, int]) -> Tensor:
        # Along the rows first, whatever the shape: Pillow 13 changed the order, and what is clipped in between.
        narrowed = Image.fromarray(image).resize((size[1], image.shape[0]), Image.Resampling.LANCZOS)
        resized = narrowed.resize(size[::-1], Image.Resampling.LANCZOS)
        return self._tensor(np.asarray(resized))

    def _to_map(self, values: Tensor, image: Pixels) -> FloatMap:
        enlarged = functional.interpolate(values, image.shape[:2], mode="bilinear", align_corners=False)
        return self._checked(log_density(enlarged))


class _Clip:
    """Takes the frames of one clip, one after another."""

    def __init__(self, predictor: UniSalPredictor, domain: str) -> None:
        self._predictor = predictor
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
        predictor, domain = self._predictor, self._domain
        if domain == IMAGE_DOMAIN:
            return predictor(frame, domain)
        with torch.inference_mode():
            images = predictor._input(frame, clip_size(frame.shape[0], frame.shape[1], domain))
            values, self._states[sequence] = predictor.network.frames(images, domain, self._states[sequence])
            return predictor._to_map(values, frame)


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
