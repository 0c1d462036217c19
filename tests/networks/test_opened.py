"""How an opened network runs: in half precision and in another layout, and what stays as it was."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

import salbox
from salbox.model import Model
from salbox.networks.opened import Opened

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 16, 3), np.uint8)


class Shown(Opened[torch.nn.Module]):
    """A network of two convolutions, with a parameter."""

    def __call__(self, image, gain=1.0):
        with torch.inference_mode():
            return self._checked(gain * self.network(self._tensor(image)))


class Filmed(Shown):
    """The same, which adds up what it saw of a clip."""

    def follow(self, gain):
        seen = []

        def frame(image):
            seen.append(self(image, gain))
            return np.sum(seen, axis=0)

        return frame


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(8, 1, 3, padding=1)
    )


def model(kind: type = Shown) -> Model:
    return Model(salbox.card("gaussian"), kind(network(), "nowhere"), {"gain": 2.0})


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


@pytest.mark.parametrize("kind", [Shown, Filmed])
def test_clips_in_half_precision(kind):
    half = model(kind).run_as(precision="half")
    clip, once = half.follow(), half(PIXELS)
    np.testing.assert_array_equal(clip(PIXELS), once)
    np.testing.assert_array_equal(clip(PIXELS), 2 * once if kind is Filmed else once)


def test_ensembles_pass_it_on():
    from salbox.ensembles import Ensemble

    members = Ensemble({"a": model(), "b": model(Filmed)}, {"a": 0.5, "b": 0.5})
    combined = Model(salbox.card("gaussian"), members, {})
    half = {name: each.run_as(precision="half")(PIXELS) for name, each in members.models.items()}
    np.testing.assert_array_equal(combined.run_as(precision="half")(PIXELS), members.combine(half))
    with pytest.raises(salbox.UsageError, match="'gaussian' runs in one way"):
        Ensemble({"gaussian": salbox.load("gaussian")}, {"gaussian": 1.0}).run_as(precision="half", channels_last=False)
