"""Compression with attention beside plain encoders at equal size, judged by where people looked.

Photos are shrunk to three quarters first: stored as JPEG, they would be found again without loss by the quality that
they were stored at. Errors are weighted by people's density (fixations blurred by the data set's sigma), never by the
model that steered the encoder. Writes docs/results/compress.md.

    python benchmarks/compress.py [--every N] [--smoothed-every N]
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from _tables import SHARED, markdown_table, provenance, write_page
from PIL import Image
from skimage.metrics import structural_similarity

from salbox.apps import Attention, attend, compress
from salbox.apps._coders import Picture, block_weights
from salbox.apps.compression import CODERS
from salbox.datasets import Dataset, fixation_density, open_dataset

SETS = {"OSIE test": ("osie", "OSIE", "test"), "MIT1003 validation": ("mit1003", "MIT1003", "validation")}
SCALE = 0.75
QUALITIES = {"jpeg": (50, 75), "webp": (50, 75), "avif": (50,)}
ELSEWHERE = 0.8  # the smallest region that holds this share of people's density is where they look
HEAD = (
    "photos", "format", "plain quality", "n", "where people look, dB", "photos above 1 dB", "SSIM where people look",
    "whole picture, dB", "SSIM elsewhere", "of the size", "left plain",
)  # fmt: skip
SMALLER = (
    "photos",
    "format",
    "quality",
    "n",
    "of the plain file's bytes",
    "where people look, dB",
    "whole picture, dB",
)


def photos(data: Dataset, every: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield photos shrunk, (H, W, 3) uint8, with people's density, (H, W), whose sum is 1."""
    for index in range(0, len(data), every):
        pixels = data.pixels(index)
        height, width = pixels.shape[:2]
        size = (round(width * SCALE), round(height * SCALE))
        density = fixation_density(data.fixations(index), (height, width), data.sigma(index))
        small = np.maximum(cv2.resize(density, size, interpolation=cv2.INTER_AREA), 0)
        yield cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), small / small.sum()


def figures(pixels: np.ndarray, data: bytes, density: np.ndarray) -> np.ndarray:
    """Return PSNR and SSIM by people's density, PSNR of all, and SSIM where hardly anybody looks."""
    decoded = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    squared = ((pixels.astype(float) - decoded) ** 2).mean(2)
    gray = [cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (pixels, decoded)]
    # As Wang et al. 2004: Gaussian windows of 1.5 pixels.
    _, similar = structural_similarity(
        *gray, full=True, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    order = np.argsort(density, axis=None)[::-1]
    elsewhere = order[np.cumsum(density.ravel()[order]) > ELSEWHERE]
    decibels = [10 * np.log10(255**2 / error) for error in ((squared * density).sum(), squared.mean())]
    return np.array([decibels[0], (similar * density).sum(), decibels[1], similar.ravel()[elsewhere].mean()])


def at_equal_size(title: str, data: Dataset, kind: str, every: int, *, is_uniform: bool = False) -> Iterator[list[str]]:
    """Yield a row for each quality: differences to the plain file of that size, medians over photos.

    If `is_uniform`, the coder is told that people look everywhere alike: what is gained without a map.
    """
    rows: dict[int, list[np.ndarray]] = {quality: [] for quality in QUALITIES[kind]}
    for pixels, density in photos(data, every):
        seen = Attention(np.full((8, 8), 1 / 64), pixels.shape[:2]) if is_uniform else attend(pixels)
        coder = CODERS[kind](Picture(pixels, block_weights(seen)))
        for quality, found in rows.items():
            plain = coder.plain(quality)
            ours = compress(pixels, target_size=len(plain), file_format=kind, attention=seen)
            before, after = (figures(pixels, each, density) for each in (plain, ours.data))
            found.append(np.array([*(after - before), after[3], len(ours.data) / len(plain), ours.strength == 0]))
    for quality, found in rows.items():
        table = np.array(found)
        median = np.median(table, axis=0)
        yield [
            title, kind, str(quality), str(len(table)), f"{median[0]:+.2f}", f"{(table[:, 0] >= 1).mean():.0%}",
            f"{median[1]:+.3f}", f"{median[2]:+.2f} (least {table[:, 2].min():+.2f})",
            f"{median[4]:.3f} (least {table[:, 4].min():.3f})", f"{median[5]:.3f} (most {table[:, 5].max():.3f})",
            f"{table[:, 6].mean():.0%}",
        ]  # fmt: skip


def at_equal_quality(title: str, data: Dataset, kind: str, every: int) -> Iterator[list[str]]:
    """Yield a row: how many bytes `--quality` takes of the plain file's."""
    quality, found = 75, []
    for pixels, density in photos(data, every):
        seen = attend(pixels)
        plain = CODERS[kind](Picture(pixels, block_weights(seen))).plain(quality)
        ours = compress(pixels, quality=quality, file_format=kind, attention=seen)
        before, after = (figures(pixels, each, density) for each in (plain, ours.data))
        found.append([len(ours.data) / len(plain), *(after - before)])
    median = np.median(found, axis=0)
    yield [title, kind, str(quality), str(len(found)), f"{median[0]:.0%}", f"{median[1]:+.2f}", f"{median[3]:+.2f}"]


def main(every: int, smoothed_every: int) -> None:
    """Measure, and write the page."""
    equal: list[Sequence[str]] = []
    smaller: list[Sequence[str]] = []
    uniform: list[Sequence[str]] = []
    for title, (name, folder, split) in SETS.items():
        data = open_dataset(f"{name}:{SHARED / 'data' / folder}", split)
        for kind in QUALITIES:
            equal += at_equal_size(title, data, kind, every if kind == "jpeg" else smoothed_every)
            print(*equal[-2:], sep="\n", flush=True)
        uniform += at_equal_size(title, data, "jpeg", smoothed_every, is_uniform=True)
        smaller += at_equal_quality(title, data, "jpeg", smoothed_every)
        print(smaller[-1], flush=True)
    text = f"""# Compression with attention

`salbox compress` beside the plain encoder (Pillow's, for JPEG progressive and with optimized Huffman tables), both of
at most the same size. The model that steers it is `gaze`; what counts is *people*: PSNR over RGB and SSIM of the
brightness, weighted by the density of the fixations. Photos are shrunk to three quarters, for a stored JPEG comes back
without loss at the quality that it was stored at. 'Elsewhere' is what lies outside the smallest region that holds
{ELSEWHERE:.0%} of the density. Medians over photos; differences are ours minus plain.

{markdown_table(HEAD, equal, figures=len(HEAD) - 3)}

How much of it is the map's: the same for JPEG, told that people look everywhere alike.

{markdown_table(HEAD, uniform, figures=len(HEAD) - 3)}

With `--quality` the file is as true where the model says that people look, and smaller:

{markdown_table(SMALLER, smaller, figures=len(SMALLER) - 3)}

AVIF's encoder is told where its bits go. That of WebP takes no map: it gets a picture that is coarse already where
nobody looks, which gains less; [what else was tried](compress-trials.md). Where JPEG has to be small
(plain quality below about 40), texture that nobody looks at falls into flat blocks, which the least SSIM elsewhere
shows as well.

{provenance(("salbox", "pillow", "numpy"))} Written by
`benchmarks/compress.py --every {every} --smoothed-every {smoothed_every}`.
"""
    write_page("compress.md", text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=2, help="every n-th photo, JPEG")
    parser.add_argument("--smoothed-every", type=int, default=10, help="every n-th photo, the other formats")
    given = parser.parse_args()
    main(given.every, given.smoothed_every)
