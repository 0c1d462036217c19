"""Quantiles of a stream, beside NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from salbox.explain import StreamingQuantile


def blocks(values: np.ndarray, count: int) -> list[np.ndarray]:
    return np.array_split(values, count, axis=1)


def streamed(values: np.ndarray, share: float, **arguments) -> StreamingQuantile:
    stream = StreamingQuantile(len(values), share, **arguments)
    for block in blocks(values, 7):
        stream.add(block)
    return stream


@pytest.mark.parametrize("share", [0.0, 0.2, 0.8, 1.0])
def test_few_numbers_have_numpys_quantile(share):
    values = np.random.default_rng(0).normal(size=(3, 997)).astype(np.float32)
    stream = streamed(values, share)
    assert stream.is_exact
    np.testing.assert_array_equal(stream.quantiles(), np.quantile(values, share, axis=1).astype(np.float32))


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.8, 0.999])
def test_many_numbers_have_it_within_the_width_of_a_bin(share):
    """Of either sign and of any size, as channels before their ReLU are, and probabilities next to 0 and 1."""
    rng = np.random.default_rng(1)
    wide = rng.normal(size=20_000) * 10.0 ** rng.uniform(-6, 3, 20_000)
    values = np.stack([wide, rng.random(20_000), 1 / (1 + np.exp(-20 * rng.normal(size=20_000))), -np.abs(wide)])
    values = values.astype(np.float32)
    stream = streamed(values, share, exact_values=1000)
    assert not stream.is_exact
    assert stream.count == 20_000
    found = stream.quantiles()
    # NumPy's lies between two of the numbers, which can be further apart than a bin is wide.
    low, high = (np.quantile(values, share, axis=1, method=method) for method in ("lower", "higher"))
    assert (low - np.abs(low) / 128 <= found).all()
    assert (found <= high + np.abs(high) / 128).all()


def test_zeros_and_one_value_many_times():
    values = np.zeros((2, 4000), np.float32)
    values[0, :400] = 5.0
    values[1] = 3.0
    stream = streamed(values, 0.8, exact_values=10)
    first, second = stream.quantiles()
    assert 0 <= first < 1e-30
    assert second == pytest.approx(3, rel=1 / 128)


def test_counts_are_kept_over_blocks_that_are_sorted_in_early(monkeypatch):
    from salbox.explain import quantiles

    monkeypatch.setattr(quantiles, "_BLOCK_VALUES", 50)
    values = np.random.default_rng(2).random((2, 3000)).astype(np.float32)
    stream = streamed(values, 0.8, exact_values=100)
    np.testing.assert_allclose(stream.quantiles(), np.quantile(values, 0.8, axis=1), rtol=1 / 128)
