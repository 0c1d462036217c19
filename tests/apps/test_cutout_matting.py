"""The alpha of a cutout and its colours: checked against least squares, OpenCV, PyMatting and drawn shapes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from red_objects import BACK, FRONT, comb, drawn, mixed, ring
from scipy import sparse
from scipy.sparse import linalg

from salbox.apps import matting_closed_form, matting_colors
from salbox.apps.enlarging import bands, enlarged_rows
from salbox.apps.matting import chosen_refinement, matte
from salbox.apps.matting_colors import by_blur_fusion, clean_colors
from salbox.apps.matting_guided import guided
from salbox.errors import UsageError


def photo(shape=(40, 50), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (*shape, 3), np.uint8)


def test_the_guided_filter_is_the_least_squares_fit_of_each_window():
    """He 2013, equations 18 to 21, window by window with `numpy.linalg.solve`."""
    pixels, radius, epsilon = photo(), 2, 1e-3
    values = np.random.default_rng(1).random((40, 50)).astype(np.float32)
    guide = pixels / 255.0

    def fit(y, x):
        window = np.s_[y - radius : y + radius + 1, x - radius : x + radius + 1]
        colors, targets = guide[window].reshape(-1, 3), values[window].ravel()
        design = np.column_stack([colors, np.ones(len(colors))])
        ridge = len(colors) * epsilon * np.diag([1, 1, 1, 0])
        return np.linalg.solve(design.T @ design + ridge, design.T @ targets)

    y, x = 20, 30
    around = [fit(v, u) for v in range(y - radius, y + radius + 1) for u in range(x - radius, x + radius + 1)]
    expected = np.mean(around, axis=0) @ [*guide[y, x], 1]
    found = guided(pixels, values, radius, epsilon).rows(pixels, 0, (40, 50))
    assert found[y, x] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("shape", [(97, 131), (13, 300), (24, 18)])
def test_rows_are_those_of_the_whole_map_enlarged(shape):
    values = np.random.default_rng(2).random((24, 18, 3)).astype(np.float32)
    expected = cv2.resize(values, shape[::-1], interpolation=cv2.INTER_LINEAR)
    pieces = [enlarged_rows(values, top, min(top + 7, shape[0]), shape) for top in range(0, shape[0], 7)]
    np.testing.assert_allclose(np.concatenate(pieces), expected, atol=1e-5)


def test_bands_cover_a_picture_once():
    found = list(bands((3000, 2000)))
    assert [a for a, _ in found[1:]] == [b for _, b in found[:-1]]
    assert (found[0][0], found[-1][1]) == (0, 3000)
    assert max(b - a for a, b in found) * 2000 <= 1 << 20
    assert list(bands((2, 5_000_000))) == [(0, 1), (1, 2)]


@pytest.mark.parametrize(
    ("draw", "refine"), [(ring, "guided"), (comb, "guided"), pytest.param(ring, "closed-form", marks=pytest.mark.slow)]
)
def test_edges_of_a_coarse_map_come_back_to_those_of_the_photo(draw, refine):
    """Known alpha, brought to a quarter of its size and back: a network's map."""
    if refine == "closed-form":
        pytest.importorskip("pymatting")
    truth = drawn(480, 640, draw)
    pixels = mixed(truth)
    small = cv2.resize(truth, (160, 120), interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(small, (640, 480), interpolation=cv2.INTER_LINEAR)
    found = matte(pixels, coarse, refine, truth.shape).rows(pixels, 0, truth.shape)
    assert np.abs(found - truth).mean() < 0.3 * np.abs(coarse - truth).mean()
    if draw is ring:
        assert found[240, 320] == 0  # the hole
        assert found[240, 320 + 135] == 1


def test_an_alpha_found_on_a_small_copy_follows_the_whole_photo():
    alpha = drawn(600, 800, ring)
    pixels = mixed(alpha)
    small = cv2.resize(pixels, (200, 150), interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(alpha, (200, 150), interpolation=cv2.INTER_AREA)
    found = matte(small, coarse, "guided", alpha.shape)
    whole = np.concatenate([found.rows(pixels[top : top + 50], top, alpha.shape) for top in range(0, 600, 50)])
    bilinear = cv2.resize(coarse, (800, 600), interpolation=cv2.INTER_LINEAR)
    assert np.abs(whole - alpha).mean() < 0.5 * np.abs(bilinear - alpha).mean()


@pytest.mark.slow
def test_without_a_prior_closed_form_is_pymattings(monkeypatch):
    pymatting = pytest.importorskip("pymatting")
    monkeypatch.setattr(matting_closed_form, "PRIOR", 0.0)
    monkeypatch.setattr(matting_closed_form, "_PRECISION", 1e-7)
    monkeypatch.setattr(matting_closed_form, "_STRIP", 7 * 80)  # pixels: seven rows
    pixels = np.clip(mixed(drawn(60, 80, ring)).astype(int) + photo((60, 80)) // 16, 0, 255).astype(np.uint8)
    probability = cv2.GaussianBlur(drawn(60, 80, ring), (0, 0), 2)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    trimap = np.full((60, 80), 0.5)
    trimap[cv2.erode((probability > 0.7).astype(np.uint8), kernel) > 0] = 1
    trimap[cv2.erode((probability < 0.3).astype(np.uint8), kernel) > 0] = 0
    expected = pymatting.estimate_alpha_cf(pixels / 255, trimap, laplacian_kwargs={"epsilon": 1e-5})
    found = matting_closed_form.closed_form(pixels, probability, probability, 2)
    np.testing.assert_allclose(found, expected, atol=2e-3)
    assert ((trimap == 0.5) & (found > 0.1) & (found < 0.9)).any()


@pytest.mark.slow
def test_closed_form_solves_also_what_takes_many_steps(monkeypatch):
    """Stripes that divide the picture, known at one side only and wanted at the other: solved directly."""
    pymatting = pytest.importorskip("pymatting")
    monkeypatch.setattr(matting_closed_form, "PRIOR", 0.001)
    side = 80
    stripes = (np.indices((side, side)).sum(0) // 9 % 2 * 200)[..., None] + photo((side, side)) // 52
    pixels = stripes.astype(np.uint8)
    probability, prior = np.full((side, side), 0.5, np.float32), np.zeros((side, side), np.float32)
    probability[:, :4], prior[:, -4:] = 0, 1
    found = matting_closed_form.closed_form(pixels, probability, prior, 1)
    unknown = np.ones((side, side), bool)
    unknown[:, :3] = False
    rows = pymatting.cf_laplacian(pixels / 255, epsilon=matting_closed_form.EPSILON).tocsc()[unknown.ravel()]
    weight = matting_closed_form.PRIOR
    matrix = rows[:, unknown.ravel()] + weight * sparse.identity(rows.shape[0])
    expected = linalg.spsolve(matrix.tocsc(), weight * prior[unknown])
    np.testing.assert_allclose(found[unknown], expected.clip(0, 1), atol=2e-3)
    assert not found[~unknown].any()


@pytest.mark.slow
def test_where_a_model_is_unsure_of_nothing_much_there_is_nothing():
    """All that is wanted is 0, so that there is no size of a right-hand side to be precise by."""
    pytest.importorskip("pymatting")
    probability = np.zeros((60, 80), np.float32)
    probability[20:40, 30:50] = 0.35
    pixels = photo((60, 80))
    assert not matte(pixels, probability, "closed-form", (60, 80)).rows(pixels, 0, (60, 80)).any()


@pytest.mark.parametrize("by_levels", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_colours_are_the_objects_where_the_photo_mixes_them(by_levels):
    if by_levels:
        pytest.importorskip("pymatting")
    alpha = cv2.GaussianBlur(drawn(120, 160, ring), (0, 0), 3)
    pixels, gray = mixed(alpha), np.rint(alpha * 255).astype(np.uint8)
    mixture = np.abs(pixels.astype(int) - FRONT).max(axis=2)
    cleaned = pixels.copy()
    clean_colors(cleaned, gray, gray, by_levels=by_levels)
    off = np.abs(cleaned.astype(int) - FRONT).max(axis=2)
    half = (gray > 100) & (gray < 155)
    assert mixture[half].mean() > 60
    assert off[half].mean() < 0.3 * mixture[half].mean()
    assert (cleaned[(gray == 0) | (gray == 255)] == pixels[(gray == 0) | (gray == 255)]).all()


def test_tiles_leave_no_seams(monkeypatch):
    alpha = cv2.GaussianBlur(drawn(150, 200, ring), (0, 0), 2)
    gray = np.rint(alpha * 255).astype(np.uint8)
    pixels = np.clip(mixed(alpha).astype(int) + photo((150, 200)) // 8, 0, 255).astype(np.uint8)
    whole, tiled = pixels.copy(), pixels.copy()
    clean_colors(whole, gray, gray, by_levels=False)
    monkeypatch.setattr(matting_colors, "_TILE", 40)
    clean_colors(tiled, gray, gray, by_levels=False)
    assert np.abs(whole.astype(int) - tiled).max() <= 2


def test_blur_fusion_explains_the_photo_where_nothing_is_mixed():
    image = np.tile(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], (48, 1, 3))
    found = by_blur_fusion(image, np.ones((48, 64), np.float32))
    np.testing.assert_allclose(found, image, atol=1e-5)
    nothing = by_blur_fusion(mixed(np.zeros((48, 64))) / np.float32(255), np.zeros((48, 64), np.float32))
    np.testing.assert_allclose(nothing, np.broadcast_to(np.float32(BACK) / 255, nothing.shape), atol=1e-5)


def test_refinements_are_named(monkeypatch):
    monkeypatch.setattr("salbox.apps.matting.has_pymatting", lambda: False)
    assert chosen_refinement("auto") == "guided"
    monkeypatch.setattr("salbox.apps.matting.has_pymatting", lambda: True)
    assert chosen_refinement("auto") == "closed-form"
    with pytest.raises(UsageError, match="did you mean 'guided'"):
        chosen_refinement("guide")
