"""Quantiles of more numbers than fit into memory, of many rows at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..types import FloatMap

EXACT_VALUES = 1 << 25  # that are kept as they are, over all rows: 128 MB
MAX_BINS = 1 << 25  # over all rows: 256 MB of counts
_BLOCK_VALUES = 1 << 22  # that are sorted into bins at a time
_SIGN = np.int32(0x7FFFFFFF)


class StreamingQuantile:
    """A quantile of each of several rows of numbers that come in blocks.

    Up to `exact_values` numbers it is that of NumPy. Of more, numbers are counted in bins of equal ratio, by the first
    bits of their 32, and the quantile lies in the right bin: of up to 512 rows within 1/128 of its value.

    Parameters
    ----------
    rows : int
    share : float
        Which quantile, in 0..1.
    exact_values : int
        Numbers, over all rows.

    Examples
    --------
    >>> import numpy as np
    >>> from salbox.explain import StreamingQuantile
    >>> stream = StreamingQuantile(1, 0.5)
    >>> stream.add(np.array([[1.0, 2.0, 10.0]]))
    >>> stream.quantiles()
    array([2.], dtype=float32)
    """

    def __init__(self, rows: int, share: float, exact_values: int = EXACT_VALUES) -> None:
        self._rows, self._share, self._exact_values = rows, share, exact_values
        # As many of the first bits as the counts have room for; the sign and the exponent are nine.
        self._shift = 32 - min(16, int(np.log2(max(512, MAX_BINS // rows))))
        self._kept: list[FloatMap] = []
        self._counts: npt.NDArray[np.int64] | None = None
        self.count = 0

    @property
    def is_exact(self) -> bool:
        """Whether all numbers so far are kept."""
        return self._counts is None

    def add(self, values: npt.ArrayLike) -> None:
        """Take numbers, (rows, n), none of them NaN."""
        block = np.asarray(values, np.float32)
        self._kept.append(block)
        self.count += block.shape[1]
        if self._counts is None and self.count * self._rows > self._exact_values:
            self._counts = np.zeros((self._rows, 1 << (32 - self._shift)), np.int64)
        if self._counts is not None and sum(kept.size for kept in self._kept) >= _BLOCK_VALUES:
            self._sort_in()

    def quantiles(self) -> npt.NDArray[np.float32]:
        """Return the quantile of each row: (rows,)."""
        if self._counts is None:
            return np.quantile(np.concatenate(self._kept, axis=1), self._share, axis=1).astype(np.float32)
        self._sort_in()
        # Where NumPy's quantile lies among the sorted numbers, counted from 0.
        place = self._share * (self.count - 1)
        found = np.empty(self._rows, np.float32)
        for row, counts in enumerate(self._counts):
            below = np.cumsum(counts)
            at = int(np.searchsorted(below, place, side="right"))
            before = below[at - 1] if at else 0
            edges = _values(np.array([at, at + 1]), self._shift)
            inside = (place - before + 0.5) / counts[at]
            found[row] = edges[0] + min(1.0, inside) * (edges[1] - edges[0])
        return found

    def _sort_in(self) -> None:
        assert self._counts is not None  # noqa: S101  # they are made before
        while self._kept:
            group = [self._kept.pop()]
            while self._kept and sum(block.size for block in group) < _BLOCK_VALUES:
                group.append(self._kept.pop())
            bins = _keys(np.concatenate(group, axis=1)) >> self._shift
            bins += self._counts.shape[1] // 2
            for counts, own in zip(self._counts, bins, strict=True):
                counts += np.bincount(own, minlength=len(counts))


def _keys(values: FloatMap) -> npt.NDArray[np.int32]:
    """Return whole numbers that are in the order of float32 numbers."""
    bits = (values + np.float32(0)).view(np.int32)  # one zero
    return np.where(bits < 0, bits ^ _SIGN, bits)


def _values(bins: npt.NDArray[np.int64], shift: int) -> npt.NDArray[np.float32]:
    """Return the lower edges of bins."""
    keys = ((bins - (1 << (31 - shift))) << shift).astype(np.int32)
    bits: npt.NDArray[np.int32] = np.where(keys < 0, keys ^ _SIGN, keys)
    return bits.view(np.float32)
