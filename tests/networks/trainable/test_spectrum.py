"""What a head sees of a picture's spectrum, checked against SciPy and the image signature itself."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft
from skimage import color, data

torch = pytest.importorskip("torch")

import salbox  # noqa: E402
from salbox.classical.imsig import signature_map  # noqa: E402
from salbox.errors import UsageError  # noqa: E402
from salbox.metrics import fidelity_cc  # noqa: E402
from salbox.networks.export.onnx import export_onnx, largest_difference  # noqa: E402
from salbox.networks.trainable.box import Box  # noqa: E402
from salbox.networks.trainable.branched_box import BranchedBox  # noqa: E402
from salbox.networks.trainable.factory import rebuild  # noqa: E402
from salbox.networks.trainable.growing import with_branch  # noqa: E402
from salbox.networks.trainable.reload import read_exported, with_one_head  # noqa: E402
from salbox.networks.trainable.spectrum import CHANNELS, Spectrum, cosines, lengths, shrinking  # noqa: E402

SMALL = {"encoder": "mobilenetv2_035", "size": (64, 96), "width": 8, "head_width": 4, "deepest": 16}


def images(height: int = 96, width: int = 128, count: int = 1):
    values = np.random.default_rng(0).integers(0, 256, (count, 3, height, width))
    return torch.from_numpy(values).float()


def numbers(*values: float):
    return [torch.tensor(float(value)) for value in values]


def made(heads, **arguments):
    """Return a box whose every number is its own."""
    torch.manual_seed(0)
    network = Box(heads, **SMALL, **arguments)
    with torch.no_grad():
        for values in network.state_dict().values():
            if values.is_floating_point():
                values.add_(0.05 * torch.rand_like(values))
    return network.eval()


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


def test_only_the_head_that_is_named_sees_it():
    plain, network = made(["a", "b"]), made(["a", "b"], spectral=["b"])
    trunk = {name: values for name, values in plain.state_dict().items() if not name.startswith("head_layers.1")}
    network.load_state_dict(trunk, strict=False)
    seen = images(64, 96, 2)
    with torch.no_grad():
        found = network(seen)
        assert torch.equal(found[:, :1], plain(seen)[:, :1])
        single = with_one_head(network, "b")
        torch.testing.assert_close(single(seen), found[:, 1:])
        torch.testing.assert_close(single.decoder_readout(single.decoder_features(seen)), found[:, 1:])
        assert single.decoder_features(seen).shape[1] == SMALL["width"] + CHANNELS
        assert with_one_head(network, "a").decoder_features(seen).shape[1] == SMALL["width"]
    with pytest.raises(UsageError, match="heads look at different features"):
        network.decoder_readout(seen)


def test_what_it_has_learns():
    network = made(["a", "b"], spectral=["b"]).train()
    network(images(64, 96, 2))[:, 1].square().mean().backward()
    for name, parameter in network.head_layers[1].spectrum.named_parameters():
        assert parameter.grad.abs().max() > 0, name


def test_beside_a_branch():
    branch = {"rows": (2, 1, 1), "branch_width": 8, "branch_head_width": 4}
    trained, alone = made(["a", "b"], spectral=["b"]), BranchedBox(["p"], branch=["p"], **SMALL, **branch).eval()
    trunk = trained.encoder.state_dict()
    alone.encoder.load_state_dict({name: trunk[name] for name in alone.encoder.state_dict()})
    grown, seen = with_branch(trained, alone), images(64, 96, 2)
    with torch.no_grad():
        assert torch.equal(grown(seen)[:, :2], trained(seen))
        torch.testing.assert_close(with_one_head(grown, "b")(seen), trained(seen)[:, 1:])


@pytest.mark.parametrize("detail", [0, 4])
def test_it_is_exported_and_read_back(detail, tmp_path):
    network = made(["a", "b"], spectral=["b"], detail=detail)
    cards = dict.fromkeys(network.heads, salbox.card("gaussian"))
    export_onnx(network, tmp_path / "a.onnx", cards, dict.fromkeys(network.heads, "gaussian"))
    assert largest_difference(network, tmp_path / "a.onnx") < 1e-3
    again = read_exported(tmp_path / "a.onnx")
    assert again.settings == network.settings
    assert all(torch.equal(values, network.state_dict()[name]) for name, values in again.state_dict().items())
    assert (
        rebuild("box", ["b"], network.settings).state_dict().keys() == with_one_head(network, "b").state_dict().keys()
    )


def test_names_of_heads_are_no_text():
    with pytest.raises(UsageError, match="spectral='a': expected names of heads"):
        Box(["a"], **SMALL, spectral="a")
