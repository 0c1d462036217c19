"""imresize against values by hand, Pillow's bicubic filter and its own definition at the border."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from salbox.classical._resize import enlarge_stretched, imresize, input_blocks, resize_rows


def noise(*shape, seed=0):
    return np.random.default_rng(seed).random(shape)


def test_doubling_by_hand():
    # Output 6 lies at 2.75: the kernel at distances 1.75, 0.75, 0.25 and 1.25.
    weights = [-0.0234375, 0.2265625, 0.8671875, -0.0703125]
    signal = noise(8)
    doubled = imresize(signal[None], (1, 16))[0]
    assert doubled[6] == pytest.approx(np.dot(weights, signal[1:5]), abs=1e-15)
    assert imresize(signal[:, None], (16, 1))[6, 0] == pytest.approx(doubled[6], abs=1e-15)


def test_halving_by_hand():
    # The kernel is twice as wide; output 2 lies at 4.5, so its weights are half those at 0.25, 0.75, 1.25 and 1.75.
    half = np.array([0.8671875, 0.2265625, -0.0703125, -0.0234375]) / 2
    signal = noise(10)
    halved = imresize(signal[None], (1, 5))[0]
    assert halved[2] == pytest.approx(np.dot(np.concatenate([half[::-1], half]), signal[1:9]), abs=1e-15)


@pytest.mark.parametrize(("shape", "new"), [((90, 120), (24, 32)), ((24, 32), (90, 120)), ((60, 61), (37, 200))])
def test_agrees_with_pillow_inside(shape, new):
    """Pillow's bicubic is the same kernel; at the border it drops samples instead of mirroring."""
    image = noise(*shape).astype(np.float32)
    expected = np.asarray(Image.fromarray(image).resize(new[::-1], Image.Resampling.BICUBIC))
    y, x = (int(np.ceil(2 * max(1, n / o))) + 2 for n, o in zip(new, shape, strict=True))
    inside = np.s_[y:-y, x:-x]
    np.testing.assert_allclose(imresize(image.astype(np.float64), new)[inside], expected[inside], atol=2e-6)


@pytest.mark.parametrize("new", [4, 9, 27])
def test_borders_are_mirrored_with_the_border_sample(new):
    signal = noise(9)
    around = np.concatenate([signal[::-1], signal, signal[::-1]])
    expected = imresize(around[None], (1, 3 * new))[0, new : 2 * new]
    np.testing.assert_allclose(imresize(signal[None], (1, new))[0], expected, atol=1e-14)


def test_a_kernel_wider_than_the_axis_is_mirrored_again_and_again():
    signal = noise(2)
    around = np.tile(np.concatenate([signal, signal[::-1]]), 9)[:-2]  # 34 samples, the signal in their middle
    np.testing.assert_allclose(imresize(signal[None], (1, 1)), imresize(around[None], (1, 17))[:, 8:9], atol=1e-14)


def test_a_scale_places_the_samples_whatever_the_length():
    """Half of 5 samples is 2.5, rounded up to 3: outputs lie at 0.5, 2.5 and 4.5, not at 1/3, 2 and 11/3."""
    signal = noise(5)
    exact = imresize(np.concatenate([signal, signal[::-1]])[None], (1, 5))[0, :3]
    np.testing.assert_allclose(imresize(signal[None], (1, 3), scale=0.5)[0], exact, atol=1e-15)
    assert np.abs(imresize(signal[None], (1, 3))[0] - exact).max() > 1e-3


@pytest.mark.parametrize("new", [(1, 1), (3, 50), (100, 7)])
def test_constants_and_stacks(new):
    maps = np.stack([np.full((31, 40), 7.0), noise(31, 40)])
    resized = imresize(maps, new)
    assert resized.shape == (2, *new)
    np.testing.assert_allclose(resized[0], 7, rtol=1e-14)
    np.testing.assert_allclose(resized[1], imresize(maps[1], new), atol=1e-15)


def test_strips_of_input_sum_to_the_whole():
    image = noise(100, 6)
    for scale in (None, 0.175):
        total = np.zeros((18, 6))
        for block in input_blocks(100, 18, scale, 7):
            total[block.outputs] += block.weights @ image[block.inputs]
        np.testing.assert_allclose(total, resize_rows(image, 18, scale), atol=1e-14)


def test_enlarging_to_a_range():
    small = noise(5, 7) + 1
    whole = imresize(small, (100, 90))
    stretched = enlarge_stretched(small, (100, 90), subtract_minimum=True)
    np.testing.assert_allclose(stretched, (whole - whole.min()) / np.ptp(whole), atol=1e-7)
    assert (stretched.min(), stretched.max(), stretched.dtype) == (0, 1, np.float32)
    np.testing.assert_allclose(
        enlarge_stretched(small, (100, 90), subtract_minimum=False), whole / whole.max(), atol=1e-7
    )


@pytest.mark.parametrize("subtract_minimum", [True, False])
def test_a_map_of_zeros_stays_zero(subtract_minimum):
    np.testing.assert_array_equal(enlarge_stretched(np.zeros((2, 3)), (9, 8), subtract_minimum=subtract_minimum), 0)
