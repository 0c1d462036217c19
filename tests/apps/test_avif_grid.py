"""AVIF files of large pictures, as grids of tiles."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageCms

from salbox.apps import Attention, compress
from salbox.apps._avif_coder import AvifCoder, takes_maps, two_regions
from salbox.apps._avif_grid import Grid, grid_of, joined
from salbox.apps._coders import Picture, saved

PHOTO: np.ndarray = skimage.data.chelsea()
TILE = (64, 128)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def written(pixels: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "AVIF", quality=70, speed=9, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(("shape", "options"), [((150, 300), {}), ((129, 257), {"subsampling": "4:4:4"})])
def test_a_grid_shows_what_its_tiles_show(channels: int, shape: tuple[int, int], options: dict[str, Any]) -> None:
    grid = Grid(3, 3, TILE)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 3, *TILE, channels), np.uint8)
    pixels[..., :3] = pixels[..., :3].mean(-2, keepdims=True)  # lines of one colour
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    notes: dict[str, Any] = {"icc_profile": PROFILE, "exif": exif.tobytes(), "xmp": b"<x:xmpmeta/>"}
    files = [written(tile, **options, **notes) for row in pixels for tile in row]
    tiles = np.array([np.asarray(Image.open(io.BytesIO(file))) for file in files])
    whole = tiles.reshape(3, 3, *TILE, channels).transpose(0, 2, 1, 3, 4).reshape(3 * TILE[0], 3 * TILE[1], channels)
    found = Image.open(io.BytesIO(joined(files, grid, shape)))
    assert found.size == shape[::-1]
    difference = np.abs(np.asarray(found).astype(int) - whole[: shape[0], : shape[1]])
    # Where colours are halved those beside a border are made of both sides.
    assert np.percentile(difference, 95) == 0
    assert difference[: TILE[0] - 1, : TILE[1] - 1].max() == 0
    assert (found.info["icc_profile"], found.info["xmp"]) == (PROFILE, notes["xmp"])
    assert found.getexif()[0x010F] == "Maker"


@pytest.mark.parametrize("shape", [(10000, 10000), (4001, 4000), (500, 32768), (16384, 1025)])
def test_tiles_are_whole_superblocks_that_cover_the_picture_and_none_lies_beyond(shape: tuple[int, int]) -> None:
    grid = grid_of(shape)
    for side, tile, count in zip(shape, grid.tile, (grid.rows, grid.columns), strict=True):
        assert tile % 64 == 0
        assert tile <= 640
        assert (count - 1) * tile < side <= count * tile


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The encoder's pictures, where what is larger than 20,000 pixels becomes a grid."""
    sizes: list[tuple[int, int]] = []

    def counted(image: Image.Image, kind: str, **options: Any) -> bytes:
        sizes.append(image.size)
        return saved(image, kind, **options)

    monkeypatch.setattr("salbox.apps._avif_coder.MOST_AT_ONCE", 20_000)
    monkeypatch.setattr("salbox.apps._avif_grid._LONGEST", 192)
    takes_maps()  # which it tries once
    monkeypatch.setattr("salbox.apps._avif_coder.saved", counted)
    return sizes


@pytest.mark.parametrize("shape", [(300, 450), (299, 451)])
def test_what_is_large_goes_to_the_encoder_in_tiles_and_is_truer_where_people_look(
    small: list[tuple[int, int]], shape: tuple[int, int]
) -> None:
    pixels = PHOTO[: shape[0], : shape[1]]
    weights = np.full((38, -(-shape[1] // 8)), 0.2, np.float32)
    weights[:, :28] = 1.8
    coder = AvifCoder(Picture(pixels, weights))
    plain = coder.errors(coder.plain(50))
    assert plain.plain < 60
    steered = coder.errors(coder.steered(1.0, 50)(50))
    assert steered.weighted / steered.plain < (0.9 if takes_maps() else 1.0) * plain.weighted / plain.plain
    assert max(width * height for width, height in small) <= 192 * 192


def test_transparency_and_notes_stay_in_a_grid(small: list[tuple[int, int]]) -> None:
    pixels = np.dstack([PHOTO, np.full((300, 451), 255, np.uint8)])
    pixels[100:200, 100:300, 3] = 0
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", icc_profile=PROFILE)
    found = compress(buffer.getvalue(), target_size=9000, file_format="avif", attention=_everywhere())
    assert len(found.data) <= 9000
    image = Image.open(io.BytesIO(found.data))
    assert (image.size, image.mode, image.info["icc_profile"]) == ((451, 300), "RGBA", PROFILE)
    alpha = np.asarray(image)[..., 3].astype(int)
    assert np.abs(alpha - pixels[..., 3]).mean() < 2
    assert small


def _everywhere() -> Attention:
    return Attention(np.full((30, 45), 1 / (30 * 45)), (300, 451))


@pytest.mark.parametrize("weight", [0.3, 3.0])
def test_a_tile_of_one_region_has_a_map_that_adds_up_to_nothing(weight: float) -> None:
    found = two_regions(np.full((80, 80), weight, np.float32), is_tile=True)
    assert found.sum() == 0
    assert ((found > 0) == (found[0, 0] > 0)).mean() == 1 - 16 / 1600
    assert (found[0, 0] > 0) == (weight > 1)
