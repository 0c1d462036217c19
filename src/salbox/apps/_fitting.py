"""The file of a size, or as true as one of a quality, that is best where people look and not too far off elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain, islice
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
_AIM = 0.985  # of it, after a first file of a large picture: sizes differ a little from what those of a sample tell
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
    if sample is coder:
        hit = largest_within(coder.plain, limit, min_quality, BEST_QUALITY)
        plain, base = _judged(coder, hit, limit, min_quality)
        trial = _trial(coder, plain, min_quality)
        found = _promising(coder, trial, plain[0], limit)
    else:
        allowed = int(limit * sample.picture.weights.size / coder.picture.weights.size)
        tried = cache(sample.plain)
        hit = largest_within(tried, allowed, min_quality, BEST_QUALITY)
        quality = min_quality if hit is None else hit.level
        trial = _trial(sample, (quality, tried(quality)), min_quality)
        found = _promising(sample, trial, quality, allowed)
        with ThreadPoolExecutor(1) as aside:
            trying = aside.submit(next, found, None)  # ways, while the plain file of the whole is made
            best = _of_whole(coder.plain, tried, limit, (min_quality, BEST_QUALITY), hit, _NEAR)
            plain, base = _judged(coder, best, limit, min_quality)
            first = trying.result()
        if plain[0] == quality:
            found = chain([] if first is None else [first], found)
        else:
            trial = _trial(sample, (plain[0], sample.plain(plain[0])), min_quality)
            found = _promising(sample, trial, plain[0], int(limit * len(trial.plain) / len(plain[1])))
    worst, ways = _worst(base), coder.ways(plain[0])
    for each in found:
        way, file = ways[each.number], each.file
        levels = way.low, way.high
        whole = file if sample is coder else _of_whole(way.encode, each.encode, limit, levels, file, coder.near, _AIM)
        if whole is None or not _is_better(errors := coder.errors(whole.data), worst):
            continue
        if _is_above_least(coder, errors, base, trial, min_quality):
            return _beside(whole.data, file_format, way.made_by(whole.level), plain, base, errors)
    return Compressed(plain[1], file_format, plain[0], 0.0, plain[0], len(plain[1]))


@dataclass(frozen=True)
class _Promise:
    """A way that did well on a sample: its number, what encodes the sample, the file, and its error by attention."""

    number: int
    encode: Callable[[int], bytes]
    file: Hit
    error: float


def _promising(sample: Coder, trial: _Trial, quality: int, limit: int) -> Iterator[_Promise]:
    """Yield the ways that are better than the plain file, tried on a sample.

    Of the first ones, as many as the coder compares, the truest where people look is the first.
    """
    found = _better(sample, trial, quality, limit)
    yield from sorted(islice(found, sample.compared), key=lambda each: each.error)
    yield from found


def _better(sample: Coder, trial: _Trial, quality: int, limit: int) -> Iterator[_Promise]:
    """Yield them in the coder's order."""
    missed = 0  # by how much the level was that the last way began with: that of the next is most likely as far off
    for number, way in enumerate(sample.ways(quality)):
        tried = cache(way.encode)
        hit = largest_within(tried, limit, way.low, way.high, first=way.first + missed, slope=way.slope, near=_NEAR)
        if hit is None:
            continue
        missed = hit.level - way.first
        if _is_better(errors := sample.errors(hit.data), trial.worst):
            yield _Promise(number, tried, hit, errors.weighted)


def fit_to_quality(coder: Coder, file_format: FileFormat, quality: int, min_quality: int) -> Compressed:
    """Return the smallest file that is as true where people look as the plain one at a quality."""
    sample = _sample(coder)
    if sample is coder:
        plain = quality, coder.plain(quality)
        base = coder.errors(plain[1])
        trial = _trial(coder, plain, min_quality)
        found = _as_true(coder, trial, quality)
    else:
        trial = _trial(sample, (quality, sample.plain(quality)), min_quality)
        with ThreadPoolExecutor(1) as aside:
            trying = aside.submit(_as_true, sample, trial, quality)  # while the plain file of the whole is made
            data, base = _tried(coder, coder.plain, quality)
            plain, found = (quality, data), trying.result()
    worst = _worst(base)
    ways = coder.ways(quality)
    for _, number, first in found:
        way = ways[number]
        for level in _upward(first, way):
            data, errors = _tried(coder, way.encode, level)
            if len(data) >= len(plain[1]):
                break
            if _is_as_true(errors, worst) and _is_above_least(coder, errors, base, trial, min_quality):
                return _beside(data, file_format, way.made_by(level), plain, base, errors)
    return Compressed(plain[1], file_format, quality, 0.0, quality, len(plain[1]))


def _as_true(sample: Coder, trial: _Trial, quality: int) -> list[tuple[int, int, int]]:
    """Return the ways to files that are as true as the plain one and smaller, tried on a sample, the smallest first.

    Each is its bytes, its number, and the lowest level that is as true. Tried first are the gentlest, until two in a
    row need more bytes than one before.
    """
    found: list[tuple[int, int, int]] = []
    for number, way in reversed(list(enumerate(sample.ways(quality)))):
        made = lowest_true(
            lambda level, way=way: _tried(sample, way.encode, level),  # type: ignore[misc]
            lambda made: _is_as_true(made[1], trial.worst),
            way.low,
            way.high,
            first=way.first,
        )
        if made is None:
            continue
        found.append((len(made[1][0]), number, made[0]))
        if min(found) not in found[-2:]:
            break
    return sorted(each for each in found if each[0] < len(trial.plain))


@dataclass(frozen=True)
class _Trial:
    """What a sample's plain file is like, what that of the least quality is off by, and how far off others may be."""

    plain: bytes
    base: Errors
    least: float
    worst: Errors


def _trial(sample: Coder, plain: tuple[int, bytes], min_quality: int) -> _Trial:
    """Return what is known of a sample, or a picture that is tried whole, beside its plain file."""
    found = sample.errors(plain[1])
    least = sample.errors(sample.plain(min_quality)).plain
    bounds = _worst(found)
    return _Trial(plain[1], found, least, replace(bounds, plain=min(bounds.plain, least)))


def _sample(coder: Coder) -> Coder:
    """Return a coder of a sample of the picture; the coder itself if the picture is not large."""
    picture = sampled(coder.picture)
    return coder if picture is coder.picture else type(coder)(picture)


def _judged(coder: Coder, hit: Hit | None, limit: int, min_quality: int) -> tuple[tuple[int, bytes], Errors]:
    """Return a plain file, with its quality, and its errors; raise a TooLargeError if there is none so small."""
    if hit is None:
        raise TooLargeError(
            f"takes {len(coder.plain(min_quality))} bytes at quality {min_quality}, more than the {limit} allowed: "
            "allow a lower quality (--min-quality), a larger size, or shrink the photo first"
        )
    return (hit.level, hit.data), coder.errors(hit.data)


def _of_whole(
    encode: Callable[[int], bytes],
    tried: Callable[[int], bytes],
    limit: int,
    levels: tuple[int, int],
    hit: Hit | None,
    near: float,
    aim: float = 1.0,
) -> Hit | None:
    """Return what `largest_within` does, of a large picture, by the sizes of files of its sample.

    Parameters
    ----------
    encode, tried : callable
        Give the file of a level, of the picture and of its sample.
    limit : int
    levels : (int, int)
        The lowest and the highest.
    hit : Hit, optional
        Of the sample.
    near : float
        What share of the limit is near enough.
    aim : float
        What share of it the second file is to have.
    """
    low, high = levels

    def follow(level: int, size: int) -> int:
        allowed = int(aim * limit * len(tried(level)) / size)
        found = largest_within(tried, allowed, low, high, first=level, near=_NEAR)
        return low if found is None else found.level

    first, slope = (low, SLOPE) if hit is None else (hit.level, hit.slope)
    near = min(exp(-0.9 * slope), near)  # or what the next level, most likely, is beyond
    return largest_within(encode, limit, low, high, first=first, follow=follow, near=near)


def _tried(coder: Coder, encode: Callable[[int], bytes], level: int) -> tuple[bytes, Errors]:
    data = encode(level)
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
    if trial.base is base:  # tried whole
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
