"""Ways to spend WebP's and AVIF's bits where people look, each beside the plain file of quality 50 at equal size.

Every way makes a file of each quality; the highest quality is taken whose file is no larger than the plain one. Judged
as in `compress.py`, by people's density. Writes docs/results/compress-trials.md.

    python benchmarks/compress_trials.py [--every N]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from _tables import SHARED, markdown_table, provenance, write_page
from compress import SETS, figures, photos
from PIL import Image

from salbox.apps import attend
from salbox.apps._avif_coder import map_of, rates
from salbox.apps._coders import Picture, block_weights, saved
from salbox.apps._searches import largest_within
from salbox.apps._smoothing import smoothed
from salbox.apps._vp8 import planes_of
from salbox.apps._webp_coder import WebpCoder, step_of
from salbox.datasets import open_dataset
from salbox.types import FloatMap, Pixels

QUALITY = 50
HEAD = ("format", "way", "where people look, dB", "SSIM where people look", "whole picture, dB", "SSIM elsewhere")

Encode = Callable[[int], bytes]


def webp(pixels: Pixels, method: int = 4) -> Encode:
    """Return what encodes a picture by libwebp."""
    return lambda quality: saved(Image.fromarray(pixels), "WEBP", quality=quality, method=method)


def webp_without_sns(pixels: Pixels) -> Encode:
    """Return what encodes a picture by libwebp without its 'spatial noise shaping', through FFmpeg's preset `icon`."""
    import av

    planes = planes_of(pixels)

    def encode(quality: int) -> bytes:
        codec = av.CodecContext.create("libwebp", "w")
        codec.height, codec.width, codec.pix_fmt = planes.shape[0] * 2 // 3, planes.shape[1], "yuv420p"
        codec.time_base = Fraction(1, 25)
        codec.options = {"preset": "icon", "quality": str(quality), "compression_level": "6"}
        frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
        frame.pts, frame.time_base = 0, codec.time_base
        return b"".join(map(bytes, (*codec.encode(frame), *codec.encode(None))))

    return encode


def in_regions(pixels: Pixels, weights: FloatMap, strength: float) -> Encode:
    """Return what encodes a picture by libvpx in regions whose steps are about those of libwebp's qualities."""
    coder = WebpCoder(Picture(pixels, weights))
    return lambda quality: coder.in_regions(strength, step_of(quality))


def avif(pixels: Pixels, **advanced: str) -> Encode:
    """Return what encodes a picture by libaom with options of its own."""
    extra: dict[str, Any] = {"advanced": advanced} if advanced else {}
    return lambda quality: saved(Image.fromarray(pixels), "AVIF", quality=quality, **extra)


def mapped(pixels: Pixels, weights: FloatMap, strength: float, **advanced: str) -> Encode:
    """Return what encodes a picture by libaom with a map of where its bits go."""

    def encode(quality: int) -> bytes:
        with map_of(rates(weights, strength)) as options:
            return avif(pixels, **options, **advanced)(quality)

    return encode


def gray_backgrounds(pixels: Pixels, weights: FloatMap) -> Pixels:
    """Return a picture smoothed, its colours three times as much as its brightness."""
    bright, colors = (cv2.cvtColor(smoothed(pixels, weights, each), cv2.COLOR_RGB2YCrCb) for each in (1.0, 3.0))
    bright[:, :, 1:] = colors[:, :, 1:]
    return cv2.cvtColor(bright, cv2.COLOR_YCrCb2RGB)


def ways(pixels: Pixels, weights: FloatMap) -> dict[tuple[str, str], Encode]:
    """Return all ways, by format and name."""
    even = np.ones_like(weights)
    found = {
        ("webp", "libwebp's most thorough method, nothing else"): webp(pixels, 6),
        **{
            ("webp", f"smoothed, strength {strength:g}"): webp(smoothed(pixels, weights, strength))
            for strength in (0.5, 1.0, 2.0)
        },
        ("webp", "smoothed, strength 1, colours three times as much"): webp(gray_backgrounds(pixels, weights)),
        **{
            ("webp", f"most thorough method, and blocks out of coarser files, strength {strength:g}"): WebpCoder(
                Picture(pixels, weights)
            ).steered(strength, QUALITY)
            for strength in (0.7, 1.0)
        },
        ("webp", "libwebp without noise shaping, nothing else"): webp_without_sns(pixels),
        ("webp", "libwebp without noise shaping, smoothed, strength 1"): webp_without_sns(smoothed(pixels, weights, 1)),
        ("webp", "libwebp without noise shaping, and blocks out of coarser files, strength 0.7"): webp_without_sns(
            WebpCoder(Picture(pixels, weights)).coarse(0.7, QUALITY)
        ),
        **{
            ("webp", f"libvpx in four regions, strength {strength:g}"): in_regions(pixels, weights, strength)
            for strength in (0.0, 0.5, 0.75, 1.0)
        },
        ("webp", "libvpx in four regions, strength 0.75, and smoothed, strength 0.5"): in_regions(
            smoothed(pixels, weights, 0.5), weights, 0.75
        ),
        ("avif", "libaom's tune=psnr, nothing else"): avif(pixels, tune="psnr"),
        ("avif", "its choice of quantizers, told nothing"): mapped(pixels, even, 1.0),
        ("avif", "told attention"): mapped(pixels, weights, 1.0),
        ("avif", "told attention to the third power"): mapped(pixels, weights, 3.0),
        ("avif", "told attention, and smoothed, strength .7"): mapped(smoothed(pixels, weights, 0.7), weights, 1.0),
        ("avif", "told attention, tune=psnr"): mapped(pixels, weights, 1.0, tune="psnr"),
    }
    return found


def main(every: int) -> None:
    """Measure, and write the page."""
    differences: dict[tuple[str, str], list[np.ndarray]] = {}
    count = 0
    for name, folder, split in SETS.values():
        for pixels, density in photos(open_dataset(f"{name}:{SHARED / 'data' / folder}", split), every):
            weights = block_weights(attend(pixels))
            plain = {"webp": webp(pixels)(QUALITY), "avif": avif(pixels)(QUALITY)}
            before = {kind: figures(pixels, data, density) for kind, data in plain.items()}
            for (kind, way), encode in ways(pixels, weights).items():
                found = largest_within(encode, len(plain[kind]), QUALITY - 20, QUALITY + 40)
                after = figures(pixels, plain[kind] if found is None else found.data, density)
                change = np.array([*(after - before[kind])[:3], after[3]])
                differences.setdefault((kind, way), []).append(change)
            count += 1
            print(count, flush=True)
    rows = []
    for (kind, way), found in differences.items():
        gain, alike, loss, elsewhere = np.median(found, axis=0)
        rows.append([kind, way, f"{gain:+.2f}", f"{alike:+.3f}", f"{loss:+.2f}", f"{elsewhere:.3f}"])
    text = f"""# Ways to spend bits where people look

WebP and AVIF, {count} photos of OSIE's test part and of MIT1003's validation part, medians; beside the plain file of
quality {QUALITY} at equal size, as on the page of [compression](compress.md). 'Blocks out of coarser files': those that
nobody looks at are taken from the decoded WebP of a lower quality before coding. 'Noise shaping': libwebp gives smooth
blocks finer quantizers, which works against a picture whose background was made smooth; FFmpeg's preset `icon` leaves
that out. 'In four regions': each of VP8's four segments with a quantizer of its own, by attention, the steps by
1 / sqrt(weight) to the power of the strength. 'Told attention': libaom's `rate-distribution-info`. `tune=psnr` gains by
leaving what libaom does for the eye; it is here for comparison only.

{markdown_table(HEAD, rows, figures=4)}

{provenance(("salbox", "pillow", "numpy"))} Written by `benchmarks/compress_trials.py --every {every}`.
"""
    write_page("compress-trials.md", text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=25)
    main(parser.parse_args().every)
