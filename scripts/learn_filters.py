"""Learn the filters of AIM and SUN from photos, as their papers describe: independent component analysis of patches.

    python scripts/learn_filters.py aim --data ../shared/data -o src/salbox/classical/data/aim_filters.npz
    python scripts/learn_filters.py sun --data ../shared/data -o src/salbox/classical/data/sun_filters.npz

The folder holds OSIE and EyeCrowd as published. Test photos, and those that the models are compared with the original
programs on, are left out. On two cores AIM takes half a minute and SUN up to ten; the same seed gives the same
filters up to rounding.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import digamma

# OSIE photos that the original programs' maps are at hand for.
COMPARED = frozenset({1001, 1057, 1113, 1169, 1225, 1281, 1337, 1393, 1449, 1505, 1561, 1617})

AIM_SIDE = 21  # pixels, and
AIM_VARIANCE = 0.95  # kept by the principal components: Bruce and Tsotsos 2009 and the names of their filter files
AIM_PATCHES = 90_000

SUN_SIDE = 11  # pixels: Zhang et al. 2008, which leaves 3 * 11 * 11 - 1 components without the mean
SUN_PATCHES = 100_000
# JPEG has taken the finest detail, of colour above all, from our photos. Whitening blows up what is left of it, and
# responses that are nearly always zero are sparser than nature's. Shrinking brings detail back to the scale of a
# pixel, and noise as of a sensor, in standard deviations of the photo, stands in for what is still missing. Both
# were chosen among a few values, as was learning from EyeCrowd alone, by the agreement of the maps with the original's.
SUN_SHRINK = 0.25
SUN_NOISE = 0.04

CHUNK = 10_000  # patches at a time

Array = npt.NDArray[np.floating]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=("aim", "sun"))
    parser.add_argument("--data", type=Path, required=True, help="folder with OSIE and EyeCrowd")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .npz to write")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--iterations", type=int, default=200, help="of the independent component analysis, at most")
    arguments = parser.parse_args()

    start = time.perf_counter()
    learn = learn_aim if arguments.model == "aim" else learn_sun
    filters = learn(arguments.data, arguments.seed, arguments.iterations)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(arguments.output, **filters)
    size = arguments.output.stat().st_size
    print(f"wrote {arguments.output}, {size / 1e3:.0f} kB, after {time.perf_counter() - start:.0f} s")


def learn_aim(data: Path, seed: int, iterations: int) -> dict[str, Array]:
    """Return B, (n, 1323) float32: independent components within the principal ones; all have unit variance."""
    rng = np.random.default_rng(seed)
    photos = osie_photos(data) + eyecrowd_photos(data)
    patches = np.concatenate(list(sample(photos, AIM_SIDE, AIM_PATCHES, rng)))
    print(f"{len(patches)} patches of {len(photos)} photos")
    mean, whitener = principal_components(patches, variance=AIM_VARIANCE)
    print(f"{len(whitener)} principal components hold {AIM_VARIANCE:.0%} of the variance")
    rotation = independent_components(project(patches, mean, whitener), iterations, rng)
    return {"B": (rotation @ whitener).astype(np.float32)}


def learn_sun(data: Path, seed: int, iterations: int) -> dict[str, Array]:
    """Return B1, (362, 363) float32, and scale and shape of each filter's responses, sigmas and thetas, (362,)."""
    rng = np.random.default_rng(seed)
    photos = eyecrowd_photos(data)
    patches = np.concatenate(list(sample(photos, SUN_SIDE, SUN_PATCHES, rng, shrink=SUN_SHRINK, normalize=True)))
    patches += SUN_NOISE * rng.standard_normal(patches.shape, dtype=np.float32)
    patches -= patches.mean(axis=1, keepdims=True)
    print(f"{len(patches)} patches of {len(photos)} photos")
    mean, whitener = principal_components(patches, count=patches.shape[1] - 1)
    rotation = independent_components(project(patches, mean, whitener), iterations, rng)
    filters = rotation @ whitener
    filters = _blind_to_the_mean(filters)
    fits = np.array([fit_generalized_gaussian(patches @ row) for row in filters])
    print(f"theta: median {np.median(fits[:, 1]):.2f}, 5 to 95 % {np.percentile(fits[:, 1], [5, 95]).round(2)}")
    return {"B1": filters, "sigmas": fits[:, 0], "thetas": fits[:, 1]}


def _blind_to_the_mean(filters: Array) -> Array:
    """Return filters as float32 whose rows sum to zero also after rounding, so that plain areas get no response."""
    rounded = (filters - filters.mean(axis=1, keepdims=True)).astype(np.float32)
    smallest = np.abs(rounded).argmin(axis=1)  # where numbers lie closest together
    rounded[np.arange(len(rounded)), smallest] -= rounded.sum(axis=1, dtype=np.float64)
    return rounded


def osie_photos(data: Path) -> list[Path]:
    """Return OSIE's training photos: not those whose number ends in 3 or 7, nor those compared."""
    paths = sorted((data / "OSIE" / "data" / "stimuli").glob("*.jpg"))
    return _some(data, [p for p in paths if p.stem[-1] not in "37" and int(p.stem) not in COMPARED])


def eyecrowd_photos(data: Path) -> list[Path]:
    """Return EyeCrowd's training photos: not those whose number ends in 1."""
    return _some(data, [p for p in sorted((data / "EyeCrowd").rglob("*.jpg")) if p.stem[-1] != "1"])


def _some(data: Path, paths: list[Path]) -> list[Path]:
    if not paths:
        raise SystemExit(f"{data}: no photos of OSIE or of EyeCrowd there")
    return paths


def sample(
    photos: Sequence[Path],
    side: int,
    count: int,
    rng: np.random.Generator,
    *,
    shrink: float = 1.0,
    normalize: bool = False,
) -> Iterator[Array]:
    """Yield about count / len(photos) random patches of each photo: (m, 3 side²) float32, RGB in 0..1.

    The order within a patch is Matlab's: row fastest, then column, then channel. Places are random, so the blocks of
    JPEG have no fixed place in a patch. `normalize` divides by the standard deviation of the photo's values.
    """
    each = -(-count // len(photos))
    for path in photos:
        photo = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        if shrink != 1:
            photo = cv2.resize(photo, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
        values = photo.astype(np.float32) / 255
        if normalize:
            values /= values.std(ddof=1)
        windows = np.lib.stride_tricks.sliding_window_view(values, (side, side), axis=(0, 1))  # y, x, channel, row, col
        rows, columns = rng.integers(windows.shape[0], size=each), rng.integers(windows.shape[1], size=each)
        yield windows[rows, columns].transpose(0, 1, 3, 2).reshape(each, -1)


def principal_components(patches: Array, *, count: int | None = None, variance: float = 1.0) -> tuple[Array, Array]:
    """Return the mean and a whitener, (components, values): the first `count`, or those that hold `variance`."""
    mean = patches.mean(axis=0, dtype=np.float64)
    covariance = np.zeros((patches.shape[1],) * 2)
    for first in range(0, len(patches), CHUNK):
        centered = patches[first : first + CHUNK] - mean
        covariance += centered.T @ centered / len(patches)
    variances, directions = np.linalg.eigh(covariance)
    variances, directions = variances[::-1], directions[:, ::-1]
    if count is None:
        count = int(np.searchsorted(np.cumsum(variances) / variances.sum(), variance)) + 1
    return mean, (directions[:, :count] / np.sqrt(variances[:count])).T


def project(patches: Array, mean: Array, whitener: Array) -> Array:
    """Return the whitened patches, (components, patches) float32."""
    parts = [
        whitener @ (patches[first : first + CHUNK] - mean).T.astype(np.float64)
        for first in range(0, len(patches), CHUNK)
    ]
    return np.concatenate([part.astype(np.float32) for part in parts], axis=1)


def independent_components(white: Array, iterations: int, rng: np.random.Generator) -> Array:
    """Return the rotation of whitened data that makes its components independent: FastICA, symmetric, with tanh.

    Hyvärinen 1999, IEEE Transactions on Neural Networks 10(3): the fixed-point step and symmetric decorrelation.
    """
    count = len(white)
    rotation = _orthogonal(rng.standard_normal((count, count)))
    for iteration in range(1, iterations + 1):
        update, slope = np.zeros((count, count)), np.zeros(count)
        for first in range(0, white.shape[1], CHUNK):
            part = white[:, first : first + CHUNK]
            activity = np.tanh(rotation.astype(np.float32) @ part)
            update += activity @ part.T
            slope += (1 - activity**2).sum(axis=1)
        previous = rotation
        rotation = _orthogonal(update / white.shape[1] - (slope / white.shape[1])[:, None] * previous)
        change = float(np.abs(np.abs((rotation * previous).sum(axis=1)) - 1).max())
        if iteration % 10 == 0:
            print(f"iteration {iteration}: change {change:.1e}", flush=True)
        if change < 1e-5:
            break
    print(f"stopped after {iteration} iterations with a change of {change:.1e}")
    return rotation


def _orthogonal(matrix: Array) -> Array:
    left, _, right = np.linalg.svd(matrix)
    return left @ right


def fit_generalized_gaussian(values: Array) -> tuple[float, float]:
    """Return scale sigma and shape theta of p(x) ~ exp(-(|x| / sigma) ^ theta) with the greatest likelihood."""
    magnitudes = np.abs(values[values != 0]).astype(np.float64)
    logarithms = np.log(magnitudes)

    def derivative(theta: float) -> float:
        powers = np.exp(theta * logarithms)
        return float(
            1
            + digamma(1 / theta) / theta
            - (powers @ logarithms) / powers.sum()
            + np.log(theta * powers.mean()) / theta
        )

    theta = brentq(derivative, 0.1, 10)
    return float((theta * np.mean(magnitudes**theta)) ** (1 / theta)), float(theta)


if __name__ == "__main__":
    main()
