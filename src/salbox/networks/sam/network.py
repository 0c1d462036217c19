"""SAM: predicting human eye fixations via an LSTM-based saliency attentive model (Cornia et al. 2018).

Features of a dilated VGG-16 or ResNet-50 are read four times by a convolutional LSTM, each time with another attention
over the picture; maps of learned Gaussians join them twice; a map comes out, sixteen times enlarged. What the paper
leaves open (bounds of the Gaussians, padding, the places of samples) is as in the authors' program.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..backbones.resnet50_keras import ResNet50Keras
from ..backbones.vgg16 import MEANS_BGR, PaddedMaxPool, Vgg16
from ..ops.upsampling import enlarged_by
from .files import Encoder

SIZE = (240, 320)  # height and width at which the network looks at images
WIDTH = 512
STEPS = 4  # of the LSTM
PRIORS = 16
SCALE, OFFSET = 16, 7  # of the enlarging: Keras on Theano placed sample k at (k - 7) / 16
SIGMA = 7.0  # pixels of the Gaussian that smooths the map, whatever the image's size
REACH = 28  # pixels at which SciPy cuts it off, 4 sigma
EPSILON = 1e-7  # Keras's

# Between which the learned Gaussians are held: centres and standard deviations, in fractions of the width.
CLIPS = {"mu_x": (0.25, 0.75), "mu_y": (0.35, 0.65), "sigma_x": (0.1, 0.9), "sigma_y": (0.2, 0.8)}


class Readout(nn.Module):
    """What follows the encoder: the LSTM, the learned Gaussians twice, a 1x1 convolution.

    Parameters
    ----------
    width : int
        Channels of the features.
    outputs : int
        Maps.
    """

    def __init__(self, width: int = WIDTH, outputs: int = 1) -> None:
        super().__init__()
        self.lstm = AttentiveLSTM(width)
        self.prior_1, self.prior_2 = LearnedPriors(), LearnedPriors()
        self.mix_1 = nn.Conv2d(width + PRIORS, width, 5, padding=8, dilation=4)
        self.mix_2 = nn.Conv2d(width + PRIORS, width, 5, padding=8, dilation=4)
        self.output = nn.Conv2d(width, outputs, 1)

    def read(self, features: Tensor) -> dict[str, Tensor]:
        """Return "lstm", "mix_1" and "mix_2", (N, width, h, w) as the features are."""
        found = {"lstm": self.lstm(features)}
        found["mix_1"] = F.relu(self.mix_1(self.prior_1(found["lstm"])))
        found["mix_2"] = F.relu(self.mix_2(self.prior_2(found["mix_1"])))
        return found


class Sam(Readout):
    """The network.

    Parameters
    ----------
    encoder : {"resnet", "vgg"}
    """

    means: Tensor

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.register_buffer("means", torch.tensor(MEANS_BGR).reshape(1, 3, 1, 1), persistent=False)
        if encoder == "vgg":
            shrinking, keeping = PaddedMaxPool(2, before=True), PaddedMaxPool(1, before=True)
            pools = [nn.MaxPool2d(2), nn.MaxPool2d(2), shrinking, keeping, None]
            self.encoder: nn.Module = Vgg16(pools, last_dilation=2)
            self.reduce = None
        else:
            self.encoder = ResNet50Keras(has_bias=True, epsilon=1e-5, pool_padding=(1, 1, 1, 1))
            self.reduce = nn.Conv2d(ResNet50Keras.channels, WIDTH, 3, padding=1)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return "encoder", "lstm", "mix_1", "mix_2" (512 channels each) and "map", not enlarged, at stride 8.

        Parameters
        ----------
        images : (N, 3, H, W) float32
            RGB, 0..255, of sides that 8 divides.
        """
        values = self.encoder(images.flip(1) - self.means)
        reduced = values if self.reduce is None else F.relu(self.reduce(values))
        found = {"encoder": reduced, **self.read(reduced)}
        found["map"] = F.relu(self.output(found["mix_2"]))
        return found

    def forward(self, images: Tensor) -> Tensor:
        """Return maps, not negative: (N, 1, 2 H, 2 W); see `features`."""
        return enlarged_by(self.features(images)["map"], SCALE, OFFSET)


class AttentiveLSTM(nn.Module):
    """A convolutional LSTM that sees the same features at each step, weighted by an attention of its own.

    Of the paper's letters, `input_x` is W_x and `hidden_x` U_x for the gates x = i, f, c, o; of the attention,
    `hidden_a` is W_a, `input_a` U_a and `attend` V_a, which has no bias.
    """

    GATES = "ifco"

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden_a = nn.Conv2d(width, width, 3, padding=1)
        self.input_a = nn.Conv2d(width, width, 3, padding=1)
        self.attend = nn.Conv2d(width, 1, 3, padding=1, bias=False)
        for gate in self.GATES:
            self.add_module(f"input_{gate}", nn.Conv2d(width, width, 3, padding=1))
            self.add_module(f"hidden_{gate}", nn.Conv2d(width, width, 3, padding=1))

    def forward(self, features: Tensor) -> Tensor:
        """Return the hidden state after the last step, of the features' shape."""
        hidden = cell = torch.zeros_like(features)
        described = self.input_a(features)
        for _ in range(STEPS):
            scores = self.attend(torch.tanh(self.hidden_a(hidden) + described))
            attention = scores.flatten(1).softmax(1).view_as(scores)
            attended = features * attention
            read, forget, candidate, write = (
                self.get_submodule(f"input_{gate}")(attended) + self.get_submodule(f"hidden_{gate}")(hidden)
                for gate in self.GATES
            )
            cell = torch.sigmoid(forget) * cell + torch.sigmoid(read) * torch.tanh(candidate)
            hidden = torch.sigmoid(write) * torch.tanh(cell)
        return hidden


class LearnedPriors(nn.Module):
    """Sixteen Gaussians whose places and widths are learned, each with a maximum of 1."""

    def __init__(self) -> None:
        super().__init__()
        # Centres and widths; mu_x, mu_y, sigma_x, sigma_y of all Gaussians one after the other.
        self.gaussians = nn.Parameter(torch.full((len(CLIPS) * PRIORS,), 0.5))

    def forward(self, features: Tensor) -> Tensor:
        """Return the features with the Gaussians' maps behind them: (N, C + 16, h, w)."""
        batch, _, height, width = features.shape
        return torch.cat([features, self.maps(height, width).expand(batch, -1, -1, -1)], dim=1)

    def maps(self, height: int, width: int) -> Tensor:
        """Return the Gaussians on a grid: (1, 16, height, width), in 0..1."""
        parts = self.gaussians.reshape(len(CLIPS), PRIORS, 1, 1)
        mu_x, mu_y, sigma_x, sigma_y = (p.clamp(*clip) for p, clip in zip(parts, CLIPS.values(), strict=True))
        # Columns from 0 to 1, rows around the middle in the same unit.
        margin = (1 - height / width) / 2
        x = torch.linspace(0, 1, width, device=parts.device)[None, None, :]
        y = torch.linspace(margin, 1 - margin, height, device=parts.device)[None, :, None]
        exponent = -((x - mu_x) ** 2) / (2 * sigma_x**2 + EPSILON) - (y - mu_y) ** 2 / (2 * sigma_y**2 + EPSILON)
        # The factor before the exponential falls out with the maximum.
        return torch.exp(exponent - exponent.amax((1, 2), keepdim=True))[None]
