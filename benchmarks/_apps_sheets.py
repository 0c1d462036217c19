"""Contact sheets of what `salbox crop`, `cutout`, `compress` and `regions` make of twenty varied photos of OSIE."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from _tables import SHARED
from PIL import Image, ImageDraw

from salbox.apps import Attention, attend, compress, cutout
from salbox.apps._coders import Picture, block_weights
from salbox.apps._jpeg_coder import JpegCoder
from salbox.apps.box import Box
from salbox.apps.crops import best_crop
from salbox.apps.region_shares import region_report
from salbox.apps.sizes import parse_size
from salbox.imaging.image import read_image
from salbox.imaging.overlays import overlay
from salbox.models.loading import load
from salbox.types import Pixels

STIMULI = SHARED / "data" / "OSIE" / "data" / "stimuli"
PHOTOS = (
    1527, 1100, 1020, 1665, 1659, 1023, 1679, 1075, 1640, 1495,
    1692, 1581, 1655, 1683, 1686, 1630, 1097, 1175, 1594, 1120,
)  # fmt: skip
ROW = 120  # pixels, the height of a picture on a sheet
PLAIN_QUALITY = 50
FIELDS = 3  # a side

Cell = Callable[[Pixels, Attention], list[Image.Image]]


def crops(pixels: Pixels, seen: Attention) -> list[Image.Image]:
    """Return a photo, and its windows at 1:1 and 9:16."""
    found = [Image.fromarray(best_crop(seen, parse_size(size)).of(pixels)) for size in ("1:1", "9:16")]
    return [_brought(each) for each in (Image.fromarray(pixels), *found)]


def cutouts() -> Cell:
    """Return what gives a photo and its cutout on a chequered ground."""
    model = load("scfnet")

    def cell(pixels: Pixels, _: Attention) -> list[Image.Image]:
        found = _brought(Image.fromarray(cutout(pixels, model)))
        squares = (np.add.outer(np.arange(found.height) // 8, np.arange(found.width) // 8) % 2 * 50 + 190).astype(
            np.uint8
        )
        ground = Image.fromarray(squares).convert("RGB")
        ground.paste(found, mask=found)
        return [_brought(Image.fromarray(pixels)), ground]

    return cell


def compressed(pixels: Pixels, seen: Attention) -> list[Image.Image]:
    """Return details as they are, of the plain file and of ours: where people look, then where nobody does."""
    plain = JpegCoder(Picture(pixels, block_weights(seen))).plain(PLAIN_QUALITY)
    ours = compress(pixels, target_size=len(plain), file_format="jpeg", attention=seen).data
    both = [Image.open(io.BytesIO(data)).convert("RGB") for data in (plain, ours)]
    return [image.crop((x, y, x + ROW, y + ROW)) for x, y in _extremes(seen, pixels.shape[:2]) for image in both]


def fields(pixels: Pixels, seen: Attention) -> list[Image.Image]:
    """Return a photo under the heat of attention, with the share and the place in the order of nine equal fields."""
    report = region_report(seen, nine_fields(pixels.shape[:2]))
    density = cv2.resize(seen.density, pixels.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    image = _brought(Image.fromarray(overlay(pixels, density)), 2 * ROW)
    draw, scale = ImageDraw.Draw(image), 2 * ROW / pixels.shape[0]
    for region in report.regions:
        x, y = region.box.x * scale, region.box.y * scale
        draw.rectangle([x, y, x + region.box.width * scale, y + region.box.height * scale], outline="white")
        text = f"{region.share:.0%}, {region.first_look}."
        draw.text((x + 30, y + 3), text, fill="white", stroke_width=2, stroke_fill="black")
    return [image]


def nine_fields(shape: tuple[int, int]) -> dict[str, Box]:
    """Return nine boxes that cover an image, (H, W), but for what is left of whole pixels."""
    height, width = (side // FIELDS for side in shape)
    return {f"{r}{c}": Box(c * width, r * height, width, height) for r in range(FIELDS) for c in range(FIELDS)}


def write_sheets(folder: Path) -> None:
    """Write a sheet for each tool."""
    gaze = load("gaze")
    photos = [read_image(STIMULI / f"{number}.jpg") for number in PHOTOS]
    seen = [attend(pixels, gaze) for pixels in photos]
    folder.mkdir(parents=True, exist_ok=True)
    kinds: dict[str, tuple[Cell, int]] = {
        "crop": (crops, 4), "cutout": (cutouts(), 4), "compress": (compressed, 3), "regions": (fields, 5)
    }  # fmt: skip
    for name, (cell, columns) in kinds.items():
        cells = [cell(pixels, each) for pixels, each in zip(photos, seen, strict=True)]
        _sheet(cells, columns).save(folder / f"{name}.jpg", quality=85, optimize=True)
        print(name, flush=True)


def _extremes(seen: Attention, shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the corners of the square details that get the most and the least attention."""
    ys, xs = (range(0, side - ROW + 1, 20) for side in shape)
    shares = {(x, y): seen.share(x, y, ROW, ROW) for y in ys for x in xs}
    ordered = sorted(shares, key=lambda place: shares[place])
    return [ordered[-1], ordered[0]]


def _brought(image: Image.Image, height: int = ROW) -> Image.Image:
    return image.resize((max(1, round(image.width * height / image.height)), height), Image.Resampling.LANCZOS)


def _sheet(cells: list[list[Image.Image]], columns: int) -> Image.Image:
    """Return all cells in rows, numbered from 1."""
    widths = [sum(image.width for image in cell) + 2 * len(cell) + 6 for cell in cells]
    width, height = max(widths), cells[0][0].height + 6
    sheet = Image.new("RGB", (columns * width, -(-len(cells) // columns) * height), "white")
    draw = ImageDraw.Draw(sheet)
    for number, cell in enumerate(cells):
        left, top = number % columns * width, number // columns * height
        at = left
        for image in cell:
            sheet.paste(image, (at, top))
            at += image.width + 2
        draw.text((left + 3, top + 2), str(number + 1), fill="yellow", stroke_width=2, stroke_fill="black")
    return sheet
