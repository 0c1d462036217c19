"""The channels that a map is read off, beside what the network itself reads."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

import salbox
from salbox.errors import UsageError
from salbox.explain.readout import of_readout
from salbox.explain.subject import of_factorized
from salbox.explain.thresholds import thresholds
from salbox.networks.factorized.design import factorize, second_phase
from salbox.networks.trainable.factory import build_network


@pytest.fixture(scope="module")
def network():
    return salbox.network("gbvs.student")


# The heads of the last two add up what two convolutions read.
@pytest.mark.parametrize("name", ["gbvs.student", "imsig.student", "ikn.student"])
def test_channels_times_their_weights_are_the_map(name):
    network = salbox.network(name)
    subject = of_readout(network, name)
    image = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    active, products = subject.look_and_read(image)
    assert active.shape == products.shape
    assert len(active) == subject.count == len(subject.kernel)
    pixels = torch.from_numpy(network.preprocessing.prepare(image).transpose(2, 0, 1).copy())[None].float()
    with torch.no_grad():
        read = network.decoder_readout(network.decoder_features(pixels))[0, 0].numpy()
    # Up to the bias, which is the same at all places.
    np.testing.assert_allclose(products.sum(axis=0) - products.sum(axis=0).mean(), read - read.mean(), atol=1e-4)
    whole, part = subject.read(image, subject.weights > 0)
    np.testing.assert_allclose(whole, products.sum(axis=0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(part, products[subject.weights > 0].sum(axis=0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("sign", [1, -1])
def test_weights_say_what_a_channel_adds_to_the_map_however_it_is_smoothed(sign):
    """UniSal's map is what its last convolution reads, smoothed by a learned kernel, which may turn its sign."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        unisal = build_network("unisal", ("a",), size=(64, 96), init="none").eval()
    with torch.no_grad():
        unisal.decoder.get_parameter("smoothing_student.weight").fill_(sign * 2 / 41**2)  # which sums to 2
    own = unisal.decoder.get_parameter("adaptation_student.0.weight").detach().numpy()[0, :, 0, 0]
    np.testing.assert_allclose(of_readout(unisal, "unisal").weights, sign * 2 * own, rtol=1e-4)
    second = second_phase(factorize(unisal, 5))
    kernel = second.weights.weight.detach().numpy()[0]
    np.testing.assert_allclose(of_factorized(second, "unisal").weights, 2 * kernel.sum(axis=(1, 2)), rtol=1e-3)


def test_the_spread_of_channels_is_their_standard_deviation(network):
    subject = of_readout(network, "gbvs.student")
    images = [np.random.default_rng(i).integers(0, 256, (64, 96, 3), np.uint8) for i in range(2)]
    seen = np.concatenate([subject.look(image).reshape(subject.count, -1) for image in images], axis=1)
    found = thresholds(subject, images, 2)
    np.testing.assert_allclose(found["spread"], seen.std(axis=1, dtype=np.float64), rtol=1e-4, atol=1e-6)


def test_a_network_of_several_heads_is_told_apart():
    with pytest.warns(Warning, match="random weights"):
        several = salbox.network("box", heads=("a", "b"), size=(32, 32), weights="none")
    with pytest.raises(UsageError, match=r"has the heads a, b; name one, as several#a"):
        of_readout(several, "several")
    with pytest.raises(UsageError, match="does not say how its map is read"):
        of_readout(torch.nn.Identity(), "identity")
