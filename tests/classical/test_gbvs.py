"""GBVS against the authors' program, and what its parameters do. The walks themselves are tested in test_graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from oracle import demo_map, demo_photo, oracle_maps
from skimage import data

from salbox.classical import gbvs as module
from salbox.classical._features import master_map
from salbox.classical.gbvs import CARD, gbvs

FIXTURE = Path(__file__).parent / "fixtures" / "gbvs.npz"


@pytest.mark.slow
def test_equals_the_original(shared, monkeypatch):
    masters = []
    finish = module.finish

    def keep(total, shape, blur_frac):
        masters.append(master_map(total, blur_frac))
        return finish(total, shape, blur_frac)

    monkeypatch.setattr(module, "finish", keep)
    for o in oracle_maps(shared, "gbvs"):
        assert o.difference(gbvs(o.image)) <= 1e-6, o.name
        np.testing.assert_allclose(masters[-1], o.extra["master_map"], atol=1e-6, err_msg=o.name)


def test_agrees_with_the_published_demo_map(shared):
    assert np.corrcoef(gbvs(demo_photo(shared)).ravel(), demo_map(shared, "gbvs").ravel())[0, 1] > 0.9998


@pytest.mark.slow
def test_output_has_not_changed():
    with np.load(FIXTURE) as kept:
        np.testing.assert_allclose(gbvs(data.astronaut())[::16, ::16], kept["default"], atol=1e-5)
        everything = gbvs(
            data.astronaut(), channels="CDIOR", multilevels=(1, 2), normalization_type=2, num_norm_iters=2
        )
        np.testing.assert_allclose(everything[::16, ::16], kept["everything"], atol=1e-5)


def color_bars():
    """Return bars of full colours: max(R, G, B) is 255 everywhere, so intensity is flat but for rounding."""
    colors = [(255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 255), (255, 255, 255)]
    return np.repeat(np.repeat(np.array([colors], np.uint8), 210, 0), 40, 1)


def test_rounding_noise_is_not_stretched():
    """Intensity and orientation say nothing about the bars, so they leave no trace but an even weight."""
    bars = color_bars()
    turned = gbvs(np.ascontiguousarray(bars[::-1]))[::-1]
    np.testing.assert_allclose(gbvs(bars), turned, atol=1e-6)
    for channels in ("I", "O", "IO", "R"):
        np.testing.assert_array_equal(gbvs(bars, channels=channels), 0)
    assert np.ptp(gbvs(bars, channels="D")) == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (70, 1), (2, 2), (11, 11), (33, 47)])
def test_odd_sizes(shape):
    saliency = gbvs(np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8))
    assert saliency.shape == shape
    assert saliency.dtype == np.float32
    assert np.isfinite(saliency).all()


@pytest.mark.parametrize("value", [0, 90, 255])
def test_constant_images(value):
    np.testing.assert_array_equal(gbvs(np.full((70, 90, 3), value, np.uint8)), 0)


@pytest.mark.parametrize(
    "changed",
    [
        {"salmap_max_size": 16},
        {"channels": "CIO"},
        {"channels": "DIOR"},
        {"intensity_weight": 3.0},
        {"orientation_weight": 0.0},
        {"dklcolor_weight": 0.1},
        {"gabor_angles": (0.0, 90.0)},
        {"levels": (2, 3)},
        {"multilevels": (1,)},
        {"sigma_frac_act": 0.3},
        {"tol": 1e-2},
        {"normalization_type": 2},
        {"blur_frac": 0.0},
    ],
    ids=lambda c: next(iter(c)),
)
def test_every_parameter_has_an_effect(changed):
    image = data.astronaut()[::4, ::4]
    assert np.abs(gbvs(image, **changed) - gbvs(image)).max() > 1e-3


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({"channels": "CIO"}, {"color_weight": 3.0}),
        ({"channels": "R"}, {"contrast_width": 0.3}),
        ({"normalization_type": 2}, {"sigma_frac_norm": 0.2}),
        ({"normalization_type": 2}, {"num_norm_iters": 2}),
    ],
)
def test_parameters_that_need_another(given, changed):
    image = data.astronaut()[::4, ::4]
    assert np.abs(gbvs(image, **given, **changed) - gbvs(image, **given)).max() > 1e-3


def test_lattices_are_a_set_and_the_map_is_always_in_it():
    image = data.astronaut()[::8, ::8]
    np.testing.assert_array_equal(gbvs(image, multilevels=()), gbvs(image))
    np.testing.assert_array_equal(gbvs(image, multilevels=(1, 0, 1)), gbvs(image, multilevels=(1,)))


def test_the_card_has_the_defaults_of_the_function():
    image = data.astronaut()[::8, ::8]
    np.testing.assert_array_equal(gbvs(image, **{p.name: p.default for p in CARD.parameters}), gbvs(image))
