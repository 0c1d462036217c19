"""Glimpse: a tiny published fixation network that crops photos on phones, run from its authors' own ONNX file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from ..errors import WeightsError
from ..formats.onnx_file import OnnxFile
from ..models.cards import License, ModelCard
from ..types import FloatMap, Pixels
from .session import Session, open_session

HEIGHT, WIDTH = 240, 320  # of the image that the network sees
GRID = (30, 40)  # of its map


class GlimpsePredictor:
    """The network, an image in and a map out; safe in threads."""

    def __init__(self, session: Session) -> None:
        self._session = session
        (self._input,) = session.file.inputs

    @classmethod
    def load(cls, weights: Path, device: str = "cpu") -> GlimpsePredictor:
        """Return Glimpse from its authors' ONNX file.

        Parameters
        ----------
        weights : path
            `saliency.onnx` of the release.
        device : str
            "cpu", "cuda" or "cuda:1".

        Raises
        ------
        WeightsError
            If it is not that network's file, or none that salbox runs.
        UsageError
            If there is no such device.
        """
        session = open_session(weights, provider=device)
        _check(session.file)
        return cls(session)

    def __call__(self, image: Pixels) -> FloatMap:
        """Return the network's map at the image's size: (H, W) float32.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB

        Raises
        ------
        WeightsError
            If the network gives anything else than finite numbers.
        """
        values = self.raw(image)
        if not np.isfinite(values).all():
            raise WeightsError(f"{self._session.file.path}: the network gives numbers that are not finite")
        height, width = image.shape[:2]
        shrinks = height <= GRID[0] and width <= GRID[1]
        interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(values, (width, height), interpolation=interpolation)

    def raw(self, image: Pixels) -> FloatMap:
        """Return what the network gives: (30, 40) float32."""
        small = Image.fromarray(image).resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
        planes = np.asarray(small, np.float32).transpose(2, 0, 1)[None] / np.float32(255)
        (values,) = self._session.run({self._input.name: np.ascontiguousarray(planes)})
        return values[0, 0]


def _check(file: OnnxFile) -> None:
    found = [(port.dtype, port.shape) for port in (*file.inputs, *file.outputs)]
    expected = [("float32", (1, 3, HEIGHT, WIDTH)), ("float32", (1, 1, *GRID))]
    if len(file.inputs) != 1 or found != expected:
        ports = "; ".join(f"{dtype} {' x '.join(map(str, shape))}" for dtype, shape in found[:4])
        raise WeightsError(
            f"{file.path}: not the network of glimpse, which turns 1 x 3 x {HEIGHT} x {WIDTH} into "
            f"1 x 1 x {GRID[0]} x {GRID[1]} (its inputs and outputs: {ports})"
        )


CARD = ModelCard(
    name="glimpse",
    title="Glimpse",
    task="fixation",
    output="score",
    summary="A tiny network made to crop photos on a phone.",
    paper=None,
    origin="authors' weights (the-super-toys/glimpse-models), their own file",
    license=License(
        code="Apache-2.0",
        weights="Apache-2.0 (the-super-toys/glimpse-models)",
        training_data="unknown: the release does not state it",
    ),
    size="51,000 numbers, 0.36 MB",
    fidelity="itself",
    commercial_use="The code yes, under Apache-2.0; the weights yes, as their authors give them under "
    "Apache-2.0, but what they learned from is not known.",
    agreement="the authors' own network, run by ONNX Runtime; how they shrank photos for it is not known, which moves "
    "the figures on OSIE in the fourth digit",
    limits=(
        "Sees every image at 320 by 240 pixels, whatever its shape, and gives a map of 40 by 30, enlarged.",
        "Has no publication.",
        "An image of 12 megapixels takes 180 MB, image and libraries included.",
    ),
    weights_from="saliency.onnx of the-super-toys/glimpse-models on GitHub",
)
