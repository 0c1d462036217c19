"""IKN against the authors' program, its peak weighting by hand, and what its parameters do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from oracle import demo_map, demo_photo, oracle_maps
from skimage import data

from salbox.classical import ikn as module
from salbox.classical._features import master_map
from salbox.classical._resize import imresize
from salbox.classical.ikn import CARD, center_surround, ikn, promote_single_peak

FIXTURE = Path(__file__).parent / "fixtures" / "ikn.npz"
ITTIKOCHMAP = {"channels": "CIO", "salmap_max_size": 0}


@pytest.mark.parametrize(("folder", "parameters"), [("ikn", {}), ("ikn_ittikochmap", ITTIKOCHMAP)])
def test_equals_the_original(shared, monkeypatch, folder, parameters):
    masters = []
    finish = module.finish

    def keep(total, shape, blur_frac):
        masters.append(master_map(total, blur_frac))
        return finish(total, shape, blur_frac)

    monkeypatch.setattr(module, "finish", keep)
    for o in oracle_maps(shared, folder):
        assert o.difference(ikn(o.image, **parameters)) <= 1e-6, o.name
        np.testing.assert_allclose(masters[-1], o.extra["master_map"], atol=1e-6, err_msg=o.name)


def test_agrees_with_the_published_demo_map(shared):
    """That map is the one without the final blur."""
    published = demo_map(shared, "ikn").ravel()
    photo = demo_photo(shared)
    assert np.corrcoef(ikn(photo, blur_frac=0.0).ravel(), published)[0, 1] > 0.9998
    assert np.corrcoef(ikn(photo).ravel(), published)[0, 1] < 0.95


def test_output_has_not_changed():
    with np.load(FIXTURE) as kept:
        np.testing.assert_allclose(ikn(data.astronaut())[::16, ::16], kept["default"], atol=1e-5)
        np.testing.assert_allclose(ikn(data.astronaut(), **ITTIKOCHMAP)[::16, ::16], kept["ittikochmap"], atol=1e-5)


def test_peaks_by_hand():
    values = np.zeros((5, 9))
    values[2, 2], values[2, 6] = 2.0, 1.0
    # Stretched to 10 and 5: mean of the maxima 7.5.
    np.testing.assert_allclose(promote_single_peak(values), values * 5 * 2.5**2)
    values[2, 6] = 0.1  # 0.5 of 10: too small to count, so there is one maximum
    np.testing.assert_allclose(promote_single_peak(values), values * 5 * 100)
    values = np.zeros((5, 9))
    values[0, 4] = 3.0  # on the border there is none
    np.testing.assert_allclose(promote_single_peak(values), values / 3 * 10)


def test_plateaus_count_pixel_by_pixel():
    values = np.zeros((5, 9))
    values[2, 2:4] = 1.0
    values[2, 6] = 0.4
    np.testing.assert_allclose(promote_single_peak(values), values * 10 * (10 - (10 + 10 + 4) / 3) ** 2)


@pytest.mark.parametrize("shape", [(1, 1), (2, 9), (9, 2)])
def test_maps_without_an_inside(shape):
    values = np.random.default_rng(0).random(shape)
    stretched = promote_single_peak(values)
    assert stretched.shape == shape
    assert stretched.max() <= 10


def test_center_surround():
    rng = np.random.default_rng(1)
    center, surround = rng.random((2, 40, 48)), rng.random((2, 10, 12))
    center[1], surround[1] = 0.7, 0.7
    contrast = center_surround(center, surround, (20, 24))
    np.testing.assert_allclose(contrast[0], imresize((center[0] - imresize(surround[0], (40, 48))) ** 2, (20, 24)))
    np.testing.assert_array_equal(contrast[1], 0)  # not what rounding leaves


def test_rounding_noise_is_not_stretched():
    """Bars of full colours: max(R, G, B) is 255 everywhere, so intensity and orientation have nothing to say."""
    colors = [(255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 255), (255, 255, 255)]
    bars = np.repeat(np.repeat(np.array([colors], np.uint8), 210, 0), 40, 1)
    np.testing.assert_array_equal(ikn(bars, channels="IO"), 0)
    np.testing.assert_allclose(ikn(bars), ikn(bars, channels="D"), atol=1e-7)
    np.testing.assert_allclose(ikn(bars), ikn(np.ascontiguousarray(bars[::-1]))[::-1], atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 70), (70, 1), (2, 2), (11, 11), (33, 47)])
@pytest.mark.parametrize("parameters", [{}, ITTIKOCHMAP])
def test_odd_sizes(shape, parameters):
    saliency = ikn(np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8), **parameters)
    assert saliency.shape == shape
    assert saliency.dtype == np.float32
    assert np.isfinite(saliency).all()


@pytest.mark.parametrize("value", [0, 90, 255])
def test_constant_images(value):
    np.testing.assert_array_equal(ikn(np.full((70, 90, 3), value, np.uint8)), 0)


def test_zero_stands_for_an_eighth_of_the_longer_side():
    image = data.astronaut()[:200, :300]
    np.testing.assert_array_equal(ikn(image, salmap_max_size=0), ikn(image, salmap_max_size=38))  # 37.5 rounded up


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
        {"itti_center_levels": (2,)},
        {"itti_delta_levels": (2, 3)},
        {"blur_frac": 0.0},
    ],
    ids=lambda c: next(iter(c)),
)
def test_every_parameter_has_an_effect(changed):
    image = data.astronaut()
    assert np.abs(ikn(image, **changed) - ikn(image)).max() > 1e-3


@pytest.mark.parametrize(
    ("given", "changed"),
    [({"channels": "CIO"}, {"color_weight": 3.0}), ({"channels": "R"}, {"contrast_width": 0.3})],
)
def test_parameters_that_need_another(given, changed):
    image = data.astronaut()
    assert np.abs(ikn(image, **given, **changed) - ikn(image, **given)).max() > 1e-3


def test_the_card_has_the_defaults_of_the_function():
    image = data.astronaut()[::4, ::4]
    np.testing.assert_array_equal(ikn(image, **{p.name: p.default for p in CARD.parameters}), ikn(image))
