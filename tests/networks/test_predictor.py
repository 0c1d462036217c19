"""Predictors: how their files are read, and how they run in half precision and in another layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

import salbox
from salbox.formats.stored import StoredArray
from salbox.models.model import Model
from salbox.networks.predictor import Predictor
from salbox.networks.readers import AS_TENSORFLOW, Layout
from salbox.networks.signatures import Signature

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)


class Plain(Predictor[torch.nn.Module]):
    """A network of two convolutions, with a parameter."""

    def __call__(self, image, gain=1.0):
        with torch.inference_mode():
            return self._checked(gain * self.network(self._tensor(image)))


class Remembering(Plain):
    """The same, which adds up what it saw of a clip."""

    def follow(self, gain):
        maps = []

        def frame(image):
            maps.append(self(image, gain))
            return np.sum(maps, axis=0)

        return frame


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 1, 3, padding=1)
    )


def model(kind: type = Plain) -> Model:
    return Model(salbox.card("gaussian"), kind(network(), "nowhere"), {"gain": 2.0})


class Stored(Plain):
    """The same, read from a file that is known by its first layer."""

    architecture = staticmethod(network)
    signature = Signature("plain", ("0.",))
    unused = ("classifier.",)


def test_loading_from_a_file(tmp_path):
    state = network().state_dict()
    torch.save({"state_dict": {**state, "classifier.weight": torch.ones(1)}}, tmp_path / "a.pth")
    loaded = Stored.load(tmp_path / "a.pth")
    assert type(loaded) is Stored
    assert not loaded.network.training
    assert not any(parameter.requires_grad for parameter in loaded.network.parameters())
    np.testing.assert_array_equal(loaded(PIXELS), Plain(network(), "nowhere")(PIXELS))


def test_files_that_are_refused_get_one_line_that_names_them(tmp_path):
    path = tmp_path / "a.pth"
    state = network().state_dict()
    cases = {
        "not the weights of 'plain': it looks like those of 'unisal'": dict.fromkeys(
            ("coarse_gaussians_x", "rnn.cell_list.0", "adaptation_x"), torch.ones(1)
        ),
        "lacks '2.bias'": {name: value for name, value in state.items() if name != "2.bias"},
        "it has no 'head.weight'": {**state, "head.weight": torch.ones(1)},
    }
    for message, tensors in cases.items():
        torch.save(tensors, path)
        with pytest.raises(salbox.WeightsError, match=message) as caught:
            Stored.load(path)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)
    torch.save({**state, "2.bias": torch.full((1,), 1e38)}, path)
    with pytest.raises(salbox.WeightsError, match="the weights make numbers too large for a map") as caught:
        Stored.load(path)(PIXELS, gain=1e10)
    assert str(caught.value).startswith(str(path))


def test_a_layout_as_tensorflow_s():
    """Kernels come back with the axes that PyTorch has, whatever theirs are in the file."""
    plain = torch.nn.Conv2d(3, 8, (5, 7))
    layout = Layout("plain", lambda name: f"theirs/{name}", AS_TENSORFLOW)
    assert layout.shapes(plain) == {"theirs/weight": (5, 7, 3, 8), "theirs/bias": (8,)}
    rng = np.random.default_rng(0)
    arrays = {name: rng.random(shape, np.float32) for name, shape in layout.shapes(plain).items()}
    stored = {name: StoredArray(values.shape, lambda values=values: values) for name, values in arrays.items()}
    tensors = layout.tensors(stored, plain, Path("a.pb"))
    assert tensors["weight"][6, 2, 4, 1] == arrays["theirs/weight"][4, 1, 2, 6]
    plain.load_state_dict(tensors)


def test_half_is_bfloat16_in_and_out_of_convolutions():
    plain = network()
    values = torch.from_numpy(PIXELS.transpose(2, 0, 1).copy())[None].float()
    with torch.inference_mode():
        expected = 2.0 * plain.bfloat16()(values.bfloat16())
    found = model().run_as(precision="half")(PIXELS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected[0, 0].float().numpy(), atol=0.01 * np.ptp(found))
    assert 0 < np.abs(found - model()(PIXELS)).max() < 0.02 * np.ptp(found)


def test_channels_last_changes_the_layout_and_nothing_else():
    other = model().run_as(channels_last=True)
    weight = other.function.network[0].weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    assert not weight.is_contiguous()
    np.testing.assert_allclose(other(PIXELS), model()(PIXELS), rtol=1e-4, atol=1e-3)


def test_a_model_as_it_is():
    plain = model()
    assert plain.run_as(precision="float32") is plain
    assert plain.run_as(precision="half").function.network is plain.function.network


@pytest.mark.parametrize("kind", [Plain, Remembering])
def test_clips_in_half_precision(kind):
    half = model(kind).run_as(precision="half")
    clip, once = half.follow(), half(PIXELS)
    np.testing.assert_array_equal(clip(PIXELS), once)
    np.testing.assert_array_equal(clip(PIXELS), 2 * once if kind is Remembering else once)


def test_ensembles_pass_it_on():
    from salbox.models.ensembles import Ensemble

    members = Ensemble({"a": model(), "b": model(Remembering)}, {"a": 0.5, "b": 0.5})
    combined = Model(salbox.card("gaussian"), members, {})
    half = {name: each.run_as(precision="half")(PIXELS) for name, each in members.models.items()}
    np.testing.assert_array_equal(combined.run_as(precision="half")(PIXELS), members.combine(half))
    with pytest.raises(salbox.UsageError, match="'gaussian' runs in one way"):
        Ensemble({"gaussian": salbox.load("gaussian")}, {"gaussian": 1.0}).run_as(precision="half", channels_last=False)
