"""Feature hints: a layer of the student learns to predict a layer of its teacher."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from ._maps import mean_of_valid


def hint(predicted: Tensor, feature: Tensor, valid: Tensor) -> Tensor:
    """Return the mean of |u - v|², u and v the features over their lengths at each place: a scalar in 0..4.

    The scale of a teacher's feature says nothing and would weigh the loss.

    Parameters
    ----------
    predicted : (N, C, h, w) float
        What the student makes of its own feature; see `FeatureHint`.
    feature : (N, C, h', w') float
        The teacher's, of any size: the smaller of the two is what they are compared at.
    valid : (N, 1) bool
        Which of the teacher's exist.

    References
    ----------
    Romero et al.: FitNets: hints for thin deep nets, 2014, section 2.2.

    Examples
    --------
    Of two channels each tells another:

    >>> import torch
    >>> from salbox.losses import hint
    >>> predicted, feature = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 5.0])
    >>> hint(predicted[None, :, None, None], feature[None, :, None, None], torch.tensor([[True]])).item()
    2.0
    """
    feature = torch.where(valid[:, :, None, None], feature, torch.zeros_like(feature))
    size = min(predicted.shape[-2:], feature.shape[-2:], key=lambda s: s[0] * s[1])
    pooled = (functional.adaptive_avg_pool2d(f, size) for f in (predicted, feature))
    first, second = (functional.normalize(f, dim=1) for f in pooled)
    return mean_of_valid((first - second).square().sum(dim=1, keepdim=True).mean(dim=(2, 3)), valid)


class FeatureHint(nn.Module):
    """A 1x1 regressor from a student's feature to its teacher's, and how far off it is.

    Both features are divided by their length over channels, at each place, before they are compared; see `hint`.

    Parameters
    ----------
    student_channels, teacher_channels : int

    References
    ----------
    Romero et al.: FitNets: hints for thin deep nets, 2014, section 2.2 (the regressor is convolutional).

    Examples
    --------
    >>> import torch
    >>> from salbox.losses import FeatureHint
    >>> hint = FeatureHint(student_channels=8, teacher_channels=16)
    >>> loss = hint(torch.rand(1, 8, 12, 16), torch.rand(1, 16, 6, 8))
    >>> loss.shape, 0 <= loss.item() <= 4
    (torch.Size([]), True)
    """

    def __init__(self, student_channels: int, teacher_channels: int) -> None:
        super().__init__()
        self.regressor = nn.Conv2d(student_channels, teacher_channels, kernel_size=1)

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the mean squared difference of the normalised features, summed over channels: a scalar in 0..4.

        Parameters
        ----------
        student : (N, student_channels, h, w) float
        teacher : (N, teacher_channels, h', w') float
            Of any size: the smaller of the two is what they are compared at.
        """
        valid = torch.ones(len(student), 1, dtype=torch.bool, device=student.device)
        return hint(self.regressor(student), teacher, valid)
