"""What stands out of its surround, checked against the algorithm itself."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

torch = pytest.importorskip("torch")

import salbox  # noqa: E402
from salbox.classical import ikn  # noqa: E402
from salbox.classical._features import attenuate_borders  # noqa: E402
from salbox.classical._gabor import RADIUS, gabor_kernel  # noqa: E402
from salbox.metrics import fidelity_cc  # noqa: E402
from salbox.networks.trainable.conspicuity import TAPS, Conspicuity, Edges, gabor, promoted  # noqa: E402
from salbox.networks.trainable.numbers import CHANNELS  # noqa: E402


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).random((9, 13)),
        np.eye(8)[[7, 6, 2, 5, 4, 3, 1, 0]],  # several peaks
        np.pad([[1.0]], 4),  # one
        np.add.outer(np.arange(5.0), np.arange(7.0)),  # none but at the border
        np.full((5, 6), 0.3),
    ],
)
def test_peaks_are_promoted_as_by_the_algorithm(values):
    found = promoted(torch.from_numpy(values).float()[None, None])[0, 0].numpy()
    expected = ikn.promote_single_peak(values) if np.ptp(values) else np.zeros(values.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("shape", [(40, 60), (12, 60), (5, 3)])
def test_borders_fall_off_as_by_the_algorithm(shape):
    maps = torch.ones(1, 1, *shape)
    found = Edges.of(maps).attenuated(maps, 13)[0, 0].numpy()
    np.testing.assert_allclose(found, attenuate_borders(np.ones(shape), 13), rtol=1e-6)


def test_edges_of_half_the_size():
    found = Edges.of(torch.ones(1, 1, 24, 40)).halved().halved()
    expected = Edges.of(torch.ones(1, 1, 6, 10))
    assert torch.equal(found.distances, expected.distances)
    assert torch.equal(found.half, expected.half)


@pytest.mark.parametrize("angle", [0, 45, 90, 135])
@pytest.mark.parametrize("phase", [0, 90])
def test_bars_are_those_of_the_algorithm(angle, phase):
    inner = slice(RADIUS - TAPS // 2, RADIUS + TAPS // 2 + 1)
    expected = gabor_kernel(angle, phase)[inner, inner]
    found = gabor(angle, phase).numpy()
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.999


@pytest.mark.parametrize("photo", ["astronaut", "chelsea", "coffee"])
def test_it_begins_near_the_teacher(photo):
    image = getattr(data, photo)()
    image = image[: image.shape[0] // 64 * 64, : image.shape[1] // 64 * 64]
    with torch.no_grad():
        found = Conspicuity(4)(torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float())[0]
    assert found.shape == (CHANNELS, image.shape[0] // 16, image.shape[1] // 16)
    assert fidelity_cc(found[:3].mean(0).numpy(), salbox.load("ikn")(image)) > 0.93


@pytest.mark.parametrize("size", [(32, 32), (77, 511), (64, 96)])
def test_sizes_and_even_pictures(size):
    for images in (torch.full((2, 3, *size), 90.0), torch.zeros(1, 3, *size)):
        with torch.no_grad():
            found = Conspicuity(4)(images)
        assert found.isfinite().all()
        assert found[:, :3].abs().max() < 0.01
