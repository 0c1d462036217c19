"""The file of a size, or as true as one of a quality, that is best where people look and not too far off elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from math import exp, isfinite, log10

from ._coders import BEST_QUALITY, Coder, Errors, FileFormat, Way
from ._sampling import sampled
from ._searches import SLOPE, Hit, largest_within, lowest_true
from .compressed import Compressed

MAX_LOSS = 2.0  # dB of the whole picture, against the plain file
CLOSE = 0.001  # of structural similarity where people look: what is less off is as similar
# Of structural similarity where hardly anybody looks, or the plain file's if that is less already.
LEAST_SIMILARITY = 0.88
_NEAR = 0.99  # of the size that is allowed, which is near enough
_SURE = 0.85  # of an error that a sample tells of: a smaller one is below it for certain
_STEPS = 100  # of all levels of a way: a step is the least by which a large picture's is raised


class TooLargeError(Exception):
    """A picture takes more bytes than it may."""


def fit_to_size(coder: Coder, file_format: FileFormat, limit: int, min_quality: int) -> Compressed:
    """Return the file of at most so many bytes that is truest where people look.

    Raises
    ------
    TooLargeError
        If none is so small at the least quality.
    """
    sample = _sample(coder)
    plain = _best_plain(coder, sample, limit, min_quality)
    base = coder.errors(plain[1])
    trial = _trial(coder, sample, plain, base, min_quality)
    share = len(trial.plain) / len(plain[1])
    worst = _worst(base)
    for way, small in zip(coder.ways(plain[0]), sample.ways(plain[0]), strict=True):
        tried = cache(small.encode)
        hit = largest_within(tried, int(limit * share), small.low, small.high, first=small.first, near=_NEAR)
        if hit is None or not _is_better(sample.errors(hit.data), trial.worst):
            continue
        if sample is not coder:
            hit = _of_whole(way.encode, tried, limit, (way.low, way.high), hit, coder.near)
        if hit is None or not _is_better(errors := coder.errors(hit.data), worst):
            continue
        if _is_above_least(coder, errors, base, trial, min_quality):
            return _beside(hit.data, file_format, way.made_by(hit.level), plain, base, errors)
    return Compressed(plain[1], file_format, plain[0], 0.0, plain[0], len(plain[1]))


def fit_to_quality(coder: Coder, file_format: FileFormat, quality: int, min_quality: int) -> Compressed:
    """Return the smallest file that is as true where people look as the plain one at a quality."""
    sample = _sample(coder)
    plain = quality, coder.plain(quality)
    base = coder.errors(plain[1])
    trial = _trial(coder, sample, plain, base, min_quality)
    worst = _worst(base)
    found = []
    for number, small in enumerate(sample.ways(quality)):
        made = lowest_true(
            lambda level, small=small: _tried(sample, small, level),  # type: ignore[misc]
            lambda made: _is_as_true(made[1], trial.worst),
            small.low,
            small.high,
            first=small.first,
        )
        if made is not None and len(made[1][0]) < len(trial.plain):
            found.append((len(made[1][0]), number, made[0]))
    ways = coder.ways(quality)
    for _, number, first in sorted(found):
        way = ways[number]
        for level in _upward(first, way):
            data, errors = _tried(coder, way, level)
            if len(data) >= len(plain[1]):
                break
            if _is_as_true(errors, worst) and _is_above_least(coder, errors, base, trial, min_quality):
                return _beside(data, file_format, way.made_by(level), plain, base, errors)
    return Compressed(plain[1], file_format, quality, 0.0, quality, len(plain[1]))


@dataclass(frozen=True)
class _Trial:
    """What a sample's plain file is like, what that of the least quality is off by, and how far off others may be."""

    plain: bytes
    base: Errors
    least: float
    worst: Errors


def _trial(coder: Coder, sample: Coder, plain: tuple[int, bytes], base: Errors, min_quality: int) -> _Trial:
    """Return what is known of a sample beside a picture's plain file and its errors, of which it may be the whole."""
    data = plain[1] if sample is coder else sample.plain(plain[0])
    found = base if sample is coder else sample.errors(data)
    least = sample.errors(sample.plain(min_quality)).plain
    bounds = _worst(found)
    return _Trial(data, found, least, replace(bounds, plain=min(bounds.plain, least)))


def _sample(coder: Coder) -> Coder:
    """Return a coder of a sample of the picture; the coder itself if the picture is not large."""
    picture = sampled(coder.picture)
    return coder if picture is coder.picture else type(coder)(picture)


def _best_plain(coder: Coder, sample: Coder, limit: int, min_quality: int) -> tuple[int, bytes]:
    """Return the quality and the file that the encoder itself makes of at most so many bytes."""
    if sample is coder:
        found = largest_within(coder.plain, limit, min_quality, BEST_QUALITY)
    else:
        tried, share = cache(sample.plain), sample.picture.weights.size / coder.picture.weights.size
        hit = largest_within(tried, int(limit * share), min_quality, BEST_QUALITY)
        found = _of_whole(coder.plain, tried, limit, (min_quality, BEST_QUALITY), hit, _NEAR)
    if found is None:
        raise TooLargeError(
            f"takes {len(coder.plain(min_quality))} bytes at quality {min_quality}, more than the {limit} allowed: "
            "allow a lower quality (--min-quality), a larger size, or shrink the photo first"
        )
    return found.level, found.data


def _of_whole(
    encode: Callable[[int], bytes],
    tried: Callable[[int], bytes],
    limit: int,
    levels: tuple[int, int],
    hit: Hit | None,
    near: float,
) -> Hit | None:
    """Return what `largest_within` does, of a large picture, by the sizes of files of its sample.

    Parameters
    ----------
    encode, tried : callable
        Give the file of a level, of the picture and of its sample.
    limit : int
    levels : (int, int)
        The lowest and the highest.
    hit : Hit
        Of the sample.
    near : float
        What share of the limit is near enough.
    """
    low, high = levels

    def follow(level: int, size: int) -> int:
        allowed = int(limit * len(tried(level)) / size)
        found = largest_within(tried, allowed, low, high, first=level, near=_NEAR)
        return low if found is None else found.level

    first, slope = (low, SLOPE) if hit is None else (hit.level, hit.slope)
    near = min(exp(-0.9 * slope), near)  # or what the next level, most likely, is beyond
    return largest_within(encode, limit, low, high, first=first, follow=follow, near=near)


def _tried(coder: Coder, way: Way, level: int) -> tuple[bytes, Errors]:
    data = way.encode(level)
    return data, coder.errors(data)


def _upward(first: int, way: Way) -> Iterator[int]:
    """Yield levels from the first, each twice as far beyond it as the one before, as long as there are any."""
    step = max(1, (way.high - way.low) // _STEPS)
    beyond = 0
    while first + beyond <= way.high:
        yield first + beyond
        beyond = max(step, 2 * beyond)


def _worst(base: Errors) -> Errors:
    """Return what is the least good that a file may be beside a plain one."""
    return Errors(
        base.weighted,
        base.plain * 10 ** (MAX_LOSS / 10),
        base.looked_at - CLOSE,
        min(LEAST_SIMILARITY, base.elsewhere),
    )


def _is_above_least(coder: Coder, errors: Errors, base: Errors, trial: _Trial, min_quality: int) -> bool:
    """Return whether a file is no further off than the plain one of the least quality.

    Of a large picture that file is made only if a sample's does not settle it.
    """
    if trial.base is base:
        return errors.plain <= trial.least
    about = trial.least * base.plain / trial.base.plain if trial.base.plain > 0 else 0.0
    return errors.plain <= _SURE * about or errors.plain <= coder.errors(coder.plain(min_quality)).plain


def _is_better(errors: Errors, worst: Errors) -> bool:
    return errors.weighted < worst.weighted and _is_good(errors, worst)


def _is_as_true(errors: Errors, worst: Errors) -> bool:
    return errors.weighted <= worst.weighted and _is_good(errors, worst)


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
