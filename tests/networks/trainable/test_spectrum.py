"""What a head sees of a picture's spectrum, checked against SciPy and the image signature itself."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft
from skimage import color, data

torch = pytest.importorskip("torch")

import salbox  # noqa: E402
from salbox.classical.imsig import signature_map  # noqa: E402
from salbox.metrics import fidelity_cc  # noqa: E402
from salbox.networks.trainable.numbers import CHANNELS, lengths  # noqa: E402
from salbox.networks.trainable.spectrum import Spectrum, cosines, shrinking  # noqa: E402


def images(height: int = 96, width: int = 128, count: int = 1):
    values = np.random.default_rng(0).integers(0, 256, (count, 3, height, width))
    return torch.from_numpy(values).float()


def numbers(*values: float):
    return [torch.tensor(float(value)) for value in values]


def test_cosines_are_the_orthonormal_dct():
    planes = np.random.default_rng(0).normal(size=(3, 12, 17))
    given = torch.from_numpy(planes).float()
    down, across = (cosines(length, given) for length in lengths(given))
    found = down @ given @ across.T
    np.testing.assert_allclose(found.numpy(), scipy.fft.dctn(planes, axes=(1, 2), norm="ortho"), atol=1e-5)
    np.testing.assert_allclose(down @ down.T, np.eye(12), atol=1e-6)


def test_shrinking_keeps_what_is_even_and_what_is_straight():
    weights = shrinking(*numbers(32, 8), images()).numpy()
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-6)
    means = np.arange(32).reshape(8, 4).mean(1)
    np.testing.assert_allclose((weights @ np.arange(32))[2:-2], means[2:-2], rtol=1e-5)
    np.testing.assert_allclose(shrinking(*numbers(8, 8), images()).numpy(), np.eye(8), atol=1e-6)


def test_colours_are_those_of_cie_lab():
    photo = data.astronaut()[::4, ::4]
    found = Spectrum(1).to_lab(torch.from_numpy(photo / 255).permute(2, 0, 1)[None].float())[0].numpy()
    expected = color.rgb2lab(photo).transpose(2, 0, 1) + np.array([16, 0, 0])[:, None, None]
    np.testing.assert_allclose(found, expected, atol=0.05)


def test_hard_signs_are_the_image_signature():
    block = Spectrum(1)
    with torch.no_grad():
        block.softness.zero_()
        planes = 100 * torch.rand(1, 3, 24, 64, generator=torch.Generator().manual_seed(0))
        found = block.signature(planes).mean(1)[0].numpy()
    without_mean = (planes - planes.mean((2, 3), keepdim=True))[0].double().numpy()
    np.testing.assert_allclose(found, signature_map(without_mean, 1e-3), atol=2e-2 * found.max())


def test_it_begins_as_the_teacher():
    photo = data.astronaut()
    with torch.no_grad():
        found = Spectrum(4)(torch.from_numpy(photo).permute(2, 0, 1)[None].float())[0]
    assert found.shape == (CHANNELS, 64, 64)
    teacher = salbox.load("imsig")(photo)
    assert fidelity_cc(found[:3].mean(0).numpy(), teacher) > 0.97
    np.testing.assert_allclose(found[3].max(), np.log(1.01), atol=1e-4)


@pytest.mark.parametrize(("size", "shape"), [((96, 128), (24, 32)), ((512, 384), (86, 64)), ((77, 511), (10, 64))])
def test_its_small_picture_has_the_shape_of_the_images(size, shape):
    with torch.no_grad():
        found = Spectrum(4)(images(*size))
    assert tuple(found.shape[2:]) == shape
    assert found.isfinite().all()


def test_an_even_picture_has_no_spectrum():
    with torch.no_grad():
        found = Spectrum(4)(torch.full((2, 3, 64, 96), 90.0))
    assert found.isfinite().all()
    assert found[:, :3].abs().max() < 0.01
