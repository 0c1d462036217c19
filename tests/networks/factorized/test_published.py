"""The three networks that were published factorised, against their authors' program with generated weights."""

from __future__ import annotations

import numpy as np
import pytest
from generated_weights import arrays_of, facts_of, generated, saved_every
from PIL import Image

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

from salbox.errors import UsageError, WeightsError
from salbox.explain.subject import of_published
from salbox.networks.factorized.published import DINet, Salicon, TranSalNet
from salbox.networks.factorized.reading import read_published

NETWORKS = {"dinet": DINet, "salicon": Salicon, "transalnet": TranSalNet}
PHASES = ("plain", "phase1", "phase2")
TOLERANCE = 1e-4  # of the map's range


def checkpoint(shared, folder, name):
    """Write a file as the authors' program saves it, filled by the oracle's rule."""
    facts = facts_of(shared, name)
    factors = facts["weight_rule_exceptions"]

    def exception(key, values, rng):
        if key.endswith("pos_embedding.weight"):
            return 0.1 * rng.standard_normal(values.shape)
        return values * float(factors[key].rpartition(" ")[2]) if key in factors else values

    path = folder / f"{name}.pth"
    torch.save({key: torch.from_numpy(array) for key, array in generated(shared, facts, exception).items()}, path)
    return path


@pytest.mark.parametrize("phase", range(3))
@pytest.mark.parametrize("name", NETWORKS)
def test_names_and_shapes_are_the_authors(name, phase, shared):
    facts = facts_of(shared, f"szz_{name}_{PHASES[phase]}")
    with torch.device("meta"):
        network = NETWORKS[name](phase)
    own = {key: [list(t.shape), str(t.dtype)] for key, t in network.state_dict().items()}
    assert own == {key: [shape, f"torch.{dtype}"] for key, shape, dtype in facts["keys"]}
    assert sum(p.numel() for p in network.parameters()) == facts["n_params"]


@pytest.mark.slow
@pytest.mark.parametrize("phase", range(3))
@pytest.mark.parametrize("name", NETWORKS)
def test_equals_the_authors_program(name, phase, shared, tmp_path):
    oracle = f"szz_{name}_{PHASES[phase]}"
    path, arrays = checkpoint(shared, tmp_path, oracle), arrays_of(shared, oracle)
    network = read_published(path)
    assert (type(network), network.phase) == (NETWORKS[name], phase)
    height, width = network.size
    with Image.open(shared / "data" / "OSIE" / "data" / "stimuli" / "1001.jpg") as photo:
        pixels = np.asarray(photo.convert("RGB"))
        seen = np.asarray(photo.convert("RGB").resize((width, height), Image.Resampling.BILINEAR))
    with torch.inference_mode():
        images = torch.from_numpy(seen.copy()).permute(2, 0, 1)[None].float()
        maps = network.maps(images)[0, 0].numpy()
    found, expected = saved_every(arrays, "osie1001", maps)
    assert np.abs(found - expected).max() < TOLERANCE * np.ptp(expected)
    if phase == 0:
        with pytest.raises(UsageError, match="the plain network, which has no bases"):
            of_published(path)
        return
    subject = of_published(path)
    with torch.inference_mode():
        alpha = subject.activation(torch.from_numpy(subject.prepare(pixels).copy()).permute(2, 0, 1)[None].float())
    for figure, own in (("mean", alpha.mean()), ("std", alpha.std(correction=0))):
        published = arrays[f"osie1001__feat__probe=True return (prototype activation)__{figure}"]
        assert float(own) == pytest.approx(float(published), rel=1e-4)
    if phase == 2:
        kernel = next(t for k, t in torch.load(path, weights_only=True).items() if t.shape == (1, 512, 3, 3))
        np.testing.assert_array_equal(subject.kernel, kernel[0].numpy())
        whole, half = subject.read(pixels, np.ones(512, bool)), subject.read(pixels, np.arange(512) < 256)
        np.testing.assert_allclose(whole[0], whole[1], atol=1e-4)
        rest = subject.read(pixels, np.arange(512) >= 256)[1]
        np.testing.assert_allclose(half[1] + rest, whole[0], atol=1e-4)


def test_files_of_others_are_refused(tmp_path):
    path = tmp_path / "other.pth"
    torch.save({"conv.weight": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match="not weights of the customised SALICON, DINet or TranSalNet"):
        read_published(path)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (
            {"v_encoder.weight": (256, 2048, 3, 3), "prototype.weight": (8, 512)},
            "lacks the layer that maps are read by",
        ),
        ({"encoder.inception_1.weight": (20_000, 1)}, "lacks the layer|a layer of 20,000"),
        (
            {"encoder.inception_1.weight": (20_000, 1), "decoder.decoder_3.weight": (1,)},
            "a layer of 20,000, expected 1 to 16,384",
        ),
    ],
)
def test_files_that_describe_what_is_not_there_are_refused(tmp_path, tensors, message):
    path = tmp_path / "odd.pth"
    torch.save({name: torch.zeros(shape) for name, shape in tensors.items()}, path)
    with pytest.raises(WeightsError, match=message):
        read_published(path)
