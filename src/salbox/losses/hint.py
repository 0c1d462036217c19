"""Feature hints: a layer of the student learns to predict a layer of its teacher."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


class FeatureHint(nn.Module):
    """A 1x1 regressor from a student's feature to its teacher's, and how far off it is.

    Both features are divided by their length over channels, at each place, before they are compared: the scale of a
    teacher's feature says nothing and would weigh the loss.

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
        predicted = self.regressor(student)
        size = min(predicted.shape[-2:], teacher.shape[-2:], key=lambda s: s[0] * s[1])
        pooled = (functional.adaptive_avg_pool2d(feature, size) for feature in (predicted, teacher))
        predicted, teacher = (functional.normalize(feature, dim=1) for feature in pooled)
        return (predicted - teacher).square().sum(dim=1).mean()
