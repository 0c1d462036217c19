"""Networks in the ONNX files that rembg keeps, run as rembg runs them; only the last step differs.

rembg stretches each map to 0..1. Here a map is what the network gives, unless that is asked for.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self

from ..formats.onnx_file import OnnxFile
from ..imaging.scaling import min_max
from ..models.foreign import ForeignCard, SizeRule
from ..types import FloatMap, Pixels, SaliencyMap
from .foreign import ForeignPredictor
from .session import Session, open_session

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet
LARGE = 1536.0  # MB that a file of BiRefNet may have

# rembg divides pixels by the image's largest, and shrinks by Pillow's Lanczos filter.
U2NET = ForeignCard(
    "object", "probability", range=None, size=SizeRule("stretch", 320, 320), resize="lanczos", mean=MEAN, std=STD
)
BIREFNET = replace(U2NET, size=SizeRule("stretch", 1024, 1024), activation="sigmoid")
ISNET = replace(U2NET, size=SizeRule("stretch", 1024, 1024), std=(1.0, 1.0, 1.0))
# IMG.LY's program: (x - 128) / 256, bilinearly.
IMGLY = ForeignCard(
    "object", "probability", range=(-0.5, 127 / 256), size=SizeRule("stretch", 1024, 1024), resize="bilinear"
)


class RembgPredictor:
    """The network with what is done before and after it; safe in threads and in worker processes.

    Attributes
    ----------
    around : ForeignCard
        Of the class: what is done around the network.
    max_megabytes : float, optional
        Of the class: how large a file may be; by default as any.
    """

    around: ClassVar[ForeignCard]
    max_megabytes: ClassVar[float | None] = None

    def __init__(self, network: ForeignPredictor) -> None:
        self._network = network

    @classmethod
    def load(cls, weights: Path, device: str = "cpu") -> Self:
        """Return the network of a file.

        Parameters
        ----------
        weights : Path
            The .onnx file.
        device : str
            "cpu", "cuda" or "cuda:1"; what is asked for is used, or an error is raised.

        Raises
        ------
        WeightsError
            If it is none that salbox runs, or of another network.
        UsageError
            If there is no such device.
        """
        file = open_session(weights, provider=device, max_megabytes=cls.max_megabytes).file
        # The first output is the map; side outputs, and features, may be behind it.
        card = replace(cls.card_for(file), output_name=file.outputs[0].name)
        return cls(ForeignPredictor.load(weights, device, card=card, max_model_size=cls.max_megabytes))

    @classmethod
    def card_for(cls, file: OnnxFile) -> ForeignCard:
        """Return what is done around the network of a file."""
        return cls.around

    @property
    def session(self) -> Session:
        """What runs it."""
        return self._network.session

    def __call__(self, image: Pixels, scaling: str = "none") -> SaliencyMap:
        """Return the probability that pixels are the salient object's: (H, W) float32 in 0..1.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        scaling : {"none", "min-max"}
            "min-max" stretches the map to 0..1, as rembg does.

        Raises
        ------
        WeightsError
            If the network gives no map, or numbers that are no probabilities.
        """
        return scaled(self._network(image), scaling)


class U2NetOnnx(RembgPredictor):
    """U²-Net, U²-Net-p and Silueta: at 320x320."""

    around = U2NET


class ISNetOnnx(RembgPredictor):
    """ISNet: at 1024x1024, as rembg does it, or IMG.LY of its own file, which is in half precision."""

    around = ISNET

    @classmethod
    def card_for(cls, file: OnnxFile) -> ForeignCard:
        """See `RembgPredictor`."""
        return IMGLY if any(tensor.dtype == "float16" for tensor in file.initializers) else ISNET


class BiRefNetOnnx(RembgPredictor):
    """BiRefNet: at 1024x1024; its numbers are logits."""

    around = BIREFNET
    max_megabytes = LARGE


def scaled(saliency: FloatMap, scaling: str) -> FloatMap:
    """Return a map as it is, or with "min-max" stretched to 0..1."""
    return min_max(saliency) if scaling == "min-max" else saliency
