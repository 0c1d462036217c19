"""IMSIG against the authors' program, and its steps against scikit-image, SciPy and a cosine transform written out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from oracle import demo_map, demo_photo, oracle_maps
from scipy import ndimage
from skimage import color, data

from salbox.classical import imsig as module
from salbox.classical._color import COLOR_SPACES
from salbox.classical._resize import imresize
from salbox.classical.imsig import CARD, imsig, shrink, signature_map
from salbox.errors import UsageError

FIXTURE = Path(__file__).parent / "fixtures" / "imsig.npz"


@pytest.mark.parametrize(("folder", "color_space"), [("imsig", "default"), ("imsig_rgb", "RGB")])
def test_equals_the_original(shared, folder, color_space):
    for o in oracle_maps(shared, folder):
        assert o.difference(imsig(o.image, color_space=color_space)) <= 1e-6, o.name


def test_agrees_with_the_published_demo_map(shared):
    assert np.corrcoef(imsig(demo_photo(shared)).ravel(), demo_map(shared, "imsig").ravel())[0, 1] > 0.9998


def test_output_has_not_changed():
    with np.load(FIXTURE) as kept:
        for space in kept.files:
            now = imsig(data.astronaut(), color_space=space)[::32, ::32]
            np.testing.assert_allclose(now, kept[space], atol=1e-5)


def cosine_matrix(n):
    """Return the orthonormal DCT-II as its definition has it."""
    k, x = np.mgrid[:n, :n]
    return np.cos(np.pi * (2 * x + 1) * k / (2 * n)) * np.sqrt(np.where(k == 0, 1, 2) / n)


def test_whole_algorithm_by_other_means():
    image = data.chelsea()[:211, :300]
    lab = np.moveaxis(color.rgb2lab(image), -1, 0)
    small = imresize(lab, (46, 64), scale=64 / 300)  # 211 * 64 / 300 = 45.01
    rows, columns = cosine_matrix(46), cosine_matrix(64)
    squares = [(rows.T @ np.sign(rows @ c @ columns.T) @ columns) ** 2 for c in small]
    offsets = np.arange(12) - 5.5
    taps = np.exp(-(offsets**2) / (2 * 2.88**2))
    # An even window: SciPy's centre is one to the right, the original's window i-5 .. i+6.
    blurred = ndimage.correlate(np.mean(squares, 0), np.outer(taps, taps), mode="constant", origin=-1)
    expected = imresize(blurred, image.shape[:2])
    np.testing.assert_allclose(imsig(image), expected / expected.max(), atol=2e-3)  # scikit-image's 7.787
    np.testing.assert_allclose(np.median(np.abs(imsig(image) - expected / expected.max())), 0, atol=1e-6)


def test_signature_of_cosines_by_hand():
    """A channel that is two cosines has a signature of two ones, whatever their amplitudes."""
    rows, columns = cosine_matrix(8), cosine_matrix(10)
    waves = [np.outer(rows[1], columns[2]), np.outer(rows[3], columns[0])]
    expected = (waves[0] - waves[1]) ** 2
    np.testing.assert_allclose(signature_map((5 * waves[0] - 0.1 * waves[1])[None], 1e-9), expected, atol=1e-12)


def test_strips_do_not_matter(monkeypatch):
    image = data.astronaut()[:200, :333]
    whole = shrink(image, COLOR_SPACES["LAB"], 64)
    monkeypatch.setattr(module, "STRIP", 3 * 333)
    np.testing.assert_allclose(shrink(image, COLOR_SPACES["LAB"], 64), whole, atol=1e-11)


@pytest.mark.parametrize("space", ["LAB", "RGB", "gray", "YCbCr", "HSV"])
def test_rounding_is_no_signal(space):
    """Constant images leave rounding errors in every coefficient; none of them may count."""
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (7, 300), (300, 7), (91, 130)):
        image = np.full((*shape, 3), rng.integers(0, 256, 3), np.uint8)
        np.testing.assert_array_equal(imsig(image, space), 0)


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (2, 3), (3, 900), (900, 3), (65, 64)])
def test_odd_sizes(shape):
    saliency = imsig(np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8))
    assert saliency.shape == shape
    assert saliency.dtype == np.float32
    assert np.isfinite(saliency).all()


def test_parameters():
    image = data.astronaut()[::4, ::4]
    assert np.abs(imsig(image, map_width=16) - imsig(image)).max() > 0.01
    assert np.abs(imsig(image, blur_sigma=0) - imsig(image)).max() > 0.1
    np.testing.assert_array_equal(imsig(image, "LAB"), imsig(image))
    with pytest.raises(UsageError, match="color_space"):
        imsig(image, "CMYK")
    imsig(image, **{p.name: p.default for p in CARD.parameters})
