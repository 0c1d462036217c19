"""UniSal's last step is done on the coarse map; here against what the paper does: enlarge, then smooth."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("timm")

from torch.nn import functional  # noqa: E402

from salbox.networks.unisal.readout import SMOOTHING, smoothed_and_enlarged  # noqa: E402


@pytest.mark.parametrize(("channels", "height", "width"), [(1, 5, 9), (3, 12, 7), (2, 1, 1)])
def test_folded_kernels_are_the_smoothing_of_the_enlarged_map(channels, height, width):
    random = torch.Generator().manual_seed(channels)
    values = torch.randn(2, channels, height, width, generator=random, dtype=torch.float64, requires_grad=True)
    shape = (channels, 1, SMOOTHING, SMOOTHING)
    kernels = torch.randn(shape, generator=random, dtype=torch.float64, requires_grad=True)
    enlarged = functional.interpolate(values, scale_factor=8, mode="nearest")
    padded = functional.pad(enlarged, [SMOOTHING // 2] * 4, mode="replicate")
    expected = functional.conv2d(padded, kernels, groups=channels)
    found = smoothed_and_enlarged(values, kernels)
    torch.testing.assert_close(found, expected)
    weights = torch.randn(expected.shape, generator=random, dtype=torch.float64)
    for a, b in zip(
        torch.autograd.grad(found, (values, kernels), weights),
        torch.autograd.grad(expected, (values, kernels), weights),
        strict=True,
    ):
        torch.testing.assert_close(a, b)
