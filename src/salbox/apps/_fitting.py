"""The file of a size, or as true as one of a quality, that is best where people look and not too far off elsewhere."""

from __future__ import annotations

from math import isfinite, log10

from ._coders import BEST_QUALITY, Coder, Errors, FileFormat
from ._searches import best_quality
from .compressed import Compressed

MAX_LOSS = 2.0  # dB of the whole picture, against the plain file
CLOSE = 0.001  # of structural similarity where people look: what is less off is as similar
# Of structural similarity where hardly anybody looks, or the plain file's if that is less already.
LEAST_SIMILARITY = 0.88


class TooLargeError(Exception):
    """A picture takes more bytes than it may."""


def fit_to_size(coder: Coder, file_format: FileFormat, limit: int, min_quality: int) -> Compressed:
    """Return the file of at most so many bytes that is truest where people look.

    Raises
    ------
    TooLargeError
        If none is so small at the least quality.
    """
    least = coder.plain(min_quality)
    if len(least) > limit:
        raise TooLargeError(
            f"takes {len(least)} bytes at quality {min_quality}, more than the {limit} allowed: "
            "allow a lower quality (--min-quality), a larger size, or shrink the photo first"
        )
    plain = best_quality(coder.plain, limit, min_quality + 1, BEST_QUALITY) or (min_quality, least)
    base = coder.errors(plain[1])
    worst = _worst(base, coder.errors(least))
    for found in coder.within(limit, plain[0]):
        errors = coder.errors(found.data)
        if errors.weighted < base.weighted and _is_good(errors, worst):
            return _beside(found.data, file_format, (found.quality, found.strength), plain, base, errors)
    return Compressed(plain[1], file_format, plain[0], 0.0, plain[0], len(plain[1]))


def fit_to_quality(coder: Coder, file_format: FileFormat, quality: int, min_quality: int) -> Compressed:
    """Return the smallest file that is as true where people look as the plain one at a quality."""
    plain = quality, coder.plain(quality)
    base = coder.errors(plain[1])
    worst = _worst(base, coder.errors(coder.plain(min_quality)))

    def is_true(errors: Errors) -> bool:
        return errors.weighted <= base.weighted and _is_good(errors, worst)

    best = Compressed(plain[1], file_format, quality, 0.0, quality, len(plain[1]))
    for found, errors in coder.as_true(is_true, quality):
        if len(found.data) < len(best.data):
            best = _beside(found.data, file_format, (found.quality, found.strength), plain, base, errors)
    return best


def _worst(base: Errors, least: Errors) -> Errors:
    """Return what is the least good that a file may be, of the plain one and that of the least quality."""
    return Errors(
        base.weighted,
        min(base.plain * 10 ** (MAX_LOSS / 10), least.plain),
        base.looked_at - CLOSE,
        min(LEAST_SIMILARITY, base.elsewhere),
    )


def _is_good(errors: Errors, worst: Errors) -> bool:
    return errors.plain <= worst.plain and errors.looked_at >= worst.looked_at and errors.elsewhere >= worst.elsewhere


def _beside(
    data: bytes,
    file_format: FileFormat,
    made_by: tuple[int, float],
    plain: tuple[int, bytes],
    base: Errors,
    errors: Errors,
) -> Compressed:
    """Return a file with its figures beside those of the plain one."""
    gain, loss = _decibels(base.weighted, errors.weighted), _decibels(errors.plain, base.plain)
    return Compressed(data, file_format, *made_by, plain[0], len(plain[1]), gain, loss)


def _decibels(errors: float, others: float) -> float:
    """Return by how many dB errors exceed others; 0 where there are none."""
    ratio = errors / others if errors > 0 and others > 0 else 1.0
    return 10 * log10(ratio) if isfinite(ratio) else 0.0
