"""Compression with attention beside plain encoders at equal size, judged by where people looked.

Photos are shrunk to three quarters first: stored as JPEG, they would be found again without loss by the quality that
they were stored at. Errors are weighted by people's density (fixations blurred by the data set's sigma), never by the
model that steered the encoder. Writes docs/results/compress.md.

    python benchmarks/compress.py [PART ...]

measures these parts again, of those named or all, and puts them together with the others' figures of before.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import cv2
import numpy as np
from _parts import keep, kept
from _tables import RESULTS, SHARED, markdown_table, write_page
from PIL import Image
from skimage.metrics import structural_similarity

from salbox.apps import Attention, _webp_coder, attend, compress
from salbox.apps._coders import FileFormat, Picture, block_weights
from salbox.apps.compression import CODERS
from salbox.datasets import Dataset, fixation_density, open_dataset

SETS = {"OSIE test": ("osie", "OSIE", "test"), "MIT1003 validation": ("mit1003", "MIT1003", "validation")}
SCALE = 0.75
QUALITIES: dict[FileFormat, tuple[int, ...]] = {"jpeg": (50, 75), "webp": (50, 75), "avif": (50,)}
LIBWEBP = "webp, libwebp alone"  # what there is without the extra `video`
# Every n-th photo is measured, by part.
EVERY = {"jpeg": 8, "webp": 8, "libwebp": 8, "avif": 8, "uniform": 28, "quality": 28}
FIGURES = RESULTS / "compress" / "figures.json"
ELSEWHERE = 0.8  # the smallest region that holds this share of people's density is where they look
HEAD = (
    "photos", "format", "plain quality", "n", "where people look, dB", "photos above 1 dB", "SSIM where people look",
    "whole picture, dB", "SSIM elsewhere", "plain: least SSIM elsewhere", "of the size", "left plain",
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


def at_equal_size(
    title: str, data: Dataset, kind: FileFormat, every: int, *, is_uniform: bool = False, name: str = ""
) -> Iterator[list[str]]:
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
            size = len(ours.data) / len(plain)
            found.append(np.array([*(after - before), after[3], size, ours.strength == 0, before[3]]))
    for quality, found in rows.items():
        table = np.array(found)
        median, least, most = (of(table, axis=0) for of in (np.median, np.min, np.max))
        yield [
            title, name or kind, str(quality), str(len(table)), f"{median[0]:+.2f}", f"{(table[:, 0] >= 1).mean():.0%}",
            f"{median[1]:+.3f}", f"{median[2]:+.2f} (least {least[2]:+.2f})", f"{median[4]:.3f} (least {least[4]:.3f})",
            f"{least[7]:.3f}", f"{median[5]:.3f} (most {most[5]:.3f})", f"{table[:, 6].mean():.0%}",
        ]  # fmt: skip


def at_equal_quality(title: str, data: Dataset, kind: FileFormat, every: int) -> Iterator[list[str]]:
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


@contextmanager
def libwebp_alone() -> Iterator[None]:
    """Have WebP made as without the extra `video`."""
    found, _webp_coder.takes_regions = _webp_coder.takes_regions, lambda: False
    try:
        yield
    finally:
        _webp_coder.takes_regions = found


def measured(part: str) -> list[list[str]]:
    """Return the rows of a part."""
    rows: list[list[str]] = []
    every = EVERY[part]
    for title, (name, folder, split) in SETS.items():
        data = open_dataset(f"{name}:{SHARED / 'data' / folder}", split)
        if part == "libwebp":
            with libwebp_alone():
                rows += at_equal_size(title, data, "webp", every, name=LIBWEBP)
        elif part in ("uniform", "quality"):
            for kind in ("jpeg", "webp"):
                if part == "uniform":
                    rows += at_equal_size(title, data, kind, every, is_uniform=True)
                else:
                    rows += at_equal_quality(title, data, kind, every)
        else:
            rows += at_equal_size(title, data, part, every)
        print(*rows, sep="\n", flush=True)
    return rows


def table(head: Sequence[str], *parts: str) -> str:
    """Return the table of parts, first of one set of photos, then of the other."""
    rows = [row for part in parts for row in kept(FIGURES).get(part, {"rows": []})["rows"]]
    return markdown_table(head, sorted(rows, key=lambda row: list(SETS).index(row[0])), figures=len(head) - 3)


def measured_when() -> str:
    """Return when and where the parts were measured: once for all of those that were measured alike."""
    parts: dict[str, list[str]] = {}
    for part, found in kept(FIGURES).items():
        parts.setdefault(found["measured"], []).append(part)
    return " ".join(f"{measured.removesuffix('.')} ({', '.join(names)})." for measured, names in parts.items())


def write() -> None:
    """Put the page together."""
    text = f"""# Compression with attention

`salbox compress` beside the plain encoder (Pillow's, for JPEG progressive and with optimized Huffman tables), both of
at most the same size. The model that steers it is `gaze`; what counts is *people*: PSNR over RGB and SSIM of the
brightness, weighted by the density of the fixations. Photos are shrunk to three quarters, for a stored JPEG comes back
without loss at the quality that it was stored at. 'Elsewhere' is what lies outside the smallest region that holds
{ELSEWHERE:.0%} of the density. Medians over photos; differences are ours minus plain.

{table(HEAD, "jpeg", "webp", "libwebp", "avif")}

How much of it is the map's: the same, told that people look everywhere alike.

{table(HEAD, "uniform")}

With `--quality` the file is as true where the model says that people look, and smaller:

{table(SMALLER, "quality")}

AVIF's encoder is told where to be finer. WebP is made by libvpx, in four regions with quantizers of their own, where
the extra `video` is installed; without it libwebp, which takes no map, gets a picture that is coarse already where
nobody looks, which gains less ([what else was tried](compress-trials.md)). libvpx has less squared error than libwebp
also without a map, for libwebp gives smooth parts more bits than that error asks for; but its files are often less
similar then, and most are not taken: those left plain in the table of what is gained without a map.

JPEG is rounded in steps that are more even over the frequencies than libjpeg's, and finer for colour; that has less
squared error without a map too, but at quality 50 such files are mostly less similar, and not taken.

SSIM elsewhere is held at .88, as the model sees it, or at the plain file's where that is less; by people's fixations,
as here, the least may be somewhat lower. Where JPEG has to be small (plain quality below about 40), texture that nobody
looks at is lost, and the blocks that it leaves are seen.

{measured_when()} Written by `benchmarks/compress.py`.
"""
    write_page("compress.md", text)


def main() -> None:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", choices=(*EVERY, "page"))
    for part in parser.parse_args().part or EVERY:
        if part != "page":
            keep(FIGURES, part, measured(part))
    write()


if __name__ == "__main__":
    main()
