"""SCFNet: an image in, the salient object out, with its authors' weights."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

import cv2
import numpy as np
import torch
from torch import nn

from ...formats.paddle import read_paddle
from ...types import FloatMap, Pixels
from ..predictor import Predictor
from ..readers import AS_PYTORCH, ArrayFile, BySuffix, Layout, PyTorchFile
from .card import SIGNATURES
from .network import SIZE, SWIN_SIZE, Encoder, SCFNet, enlarged

# What Paddle calls the statistics of batch norms.
STATISTICS = {"running_mean": "_mean", "running_var": "_variance"}
# Of Swin-B: what its program computes anew when it is made, and a last norm that nothing looks at.
COMPUTED = (".attn_mask", ".relative_position_index")
UNUSED = ("bkbone.norm.",)


def stored_name(name: str) -> str:
    """Return what the authors call a tensor of the network."""
    layer, _, kind = name.rpartition(".")
    return f"{layer}.{STATISTICS.get(kind, kind)}"


def _is_ignored(name: str) -> bool:
    return name.endswith(COMPUTED) or name.startswith(UNUSED)


PADDLE = ArrayFile(read_paddle, Layout("SCFNet", stored_name, AS_PYTORCH, _is_ignored, turns_matrices=True))


class SCFNetPredictor(Predictor[SCFNet]):
    """The network with its weights, an image in and a map out; safe in threads.

    Reads what Paddle saves (.pdparams), and the same tensors in a PyTorch file.

    Attributes
    ----------
    encoder : str
        Of the class: a key of `network.VARIANTS`.
    size : (int, int)
        Of the class: height and width at which images are looked at.
    """

    signature = SIGNATURES["scfnet"]
    reads = BySuffix({".pdparams": PADDLE}, PyTorchFile())
    unused = UNUSED
    encoder: ClassVar[Encoder] = "mobilenetv3"
    size: ClassVar[tuple[int, int]] = SIZE

    @classmethod
    def make(cls, names: Collection[str]) -> SCFNet:
        """See `Predictor`."""
        return SCFNet(cls.encoder, cls.size)

    def __call__(self, image: Pixels) -> FloatMap:
        """Return the probability that pixels are the salient object's: (H, W) float32 in 0..1.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB

        Raises
        ------
        WeightsError
            If the weights make numbers that are none.
        """
        height, width = self.size
        resized = cv2.resize(image.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
        with torch.inference_mode():
            maps = self.network.maps(self._tensor(resized))
            return self._checked(enlarged(maps, (image.shape[0], image.shape[1])))

    def graph(self) -> nn.Module:
        """Return the network with all around it as one graph, to be exported."""
        from .graph import SCFNetGraph

        return SCFNetGraph(self.network, self.size)


class SCFNetR50Predictor(SCFNetPredictor):
    """The same on a ResNet-50, the paper's teacher."""

    signature = SIGNATURES["scfnet.r50"]
    encoder = "resnet50"


class SCFNetV16Predictor(SCFNetPredictor):
    """The same on a VGG-16, of which the authors published neither program nor weights."""

    signature = SIGNATURES["scfnet.v16"]
    encoder = "vgg16"


class SCFNetSwinBPredictor(SCFNetPredictor):
    """The same on a Swin-B."""

    signature = SIGNATURES["scfnet.swinb"]
    encoder = "swin-b"
    size = SWIN_SIZE
