"""JPEG with attention: tables, and which coefficients go."""

from __future__ import annotations

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

from salbox.apps import Attention
from salbox.apps._blocks import to_blocks
from salbox.apps._coders import Errors, Picture, block_weights
from salbox.apps._jpeg_coder import JpegCoder
from salbox.apps._jpeg_tables import even_tables, finer_quality, libjpeg_tables
from salbox.apps._searches import largest_within
from salbox.types import FloatMap, Pixels

PHOTO = skimage.data.chelsea()
HEIGHT, WIDTH = PHOTO.shape[:2]


@pytest.fixture(scope="module")
def coder() -> JpegCoder:
    """A coder of the photo, of which the left half alone is looked at."""
    density = np.zeros((40, 60))
    density[:, :30] = 1 / (40 * 30)
    return JpegCoder(Picture(PHOTO, block_weights(Attention(density, (HEIGHT, WIDTH)))))


def decoded(data: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def error(data: bytes, columns: slice) -> float:
    return float(((PHOTO[:, columns].astype(float) - decoded(data)[:, columns]) ** 2).mean())


def coefficients(data: bytes) -> FloatMap:
    """Return those of the brightness of whole blocks, (h, 8, w, 8)."""
    plane = np.asarray(Image.open(io.BytesIO(data)).convert("YCbCr"))[:296, :448, 0]
    return to_blocks(plane.astype(np.float32) - 128)


@pytest.mark.parametrize("height", [HEIGHT, 40])
def test_a_coder_without_strength_is_libjpeg(height: int) -> None:
    """The coefficients that a decoder finds are those of the plain file, but for a few that lay between two numbers."""
    coder = JpegCoder(Picture(PHOTO[:height], np.ones((-(-height // 8), 57), np.float32)))
    found = coder.encode(libjpeg_tables(70), 0.0)
    difference = decoded(found).astype(float) - decoded(coder.plain(70))
    assert np.abs(difference).mean() < 0.5
    assert len(found) == pytest.approx(len(coder.plain(70)), rel=0.02)


def test_what_nobody_looks_at_loses_first(coder: JpegCoder) -> None:
    before, after = (coder.encode(even_tables(75), strength) for strength in (0.0, 0.02))
    assert len(after) < len(before)
    grown = [error(after, columns) / error(before, columns) for columns in (slice(0, 200), slice(250, None))]
    assert grown[1] > 1.3 * grown[0]
    assert grown[0] < 1.2


def test_slopes_stay_where_nobody_looks(coder: JpegCoder) -> None:
    """What leads from one block to the next, as plain texture does not."""
    before, after = (np.abs(coefficients(coder.encode(even_tables(75), strength)))[:, :, 33:] for strength in (0, 1))
    kept = after.sum((0, 2)) / before.sum((0, 2))
    assert min(kept[0, 1], kept[1, 0], kept[1, 1]) > 2 * max(kept[0, 2], kept[2, 0], kept[1, 2])


def test_what_spares_the_places_that_nobody_looks_at_is_more_alike_there_in_the_same_bytes(coder: JpegCoder) -> None:
    limit = len(coder.plain(50))

    def truest(sparing: float) -> Errors:
        tables = even_tables(75)
        hit = largest_within(lambda level: coder.encode(tables, 2.0 ** (-level / 10), sparing), limit, 0, 200)
        assert hit is not None
        return coder.errors(hit.data)

    plain, careless, sparing = coder.errors(coder.plain(50)), truest(0.0), truest(0.2)
    assert sparing.elsewhere > careless.elsewhere + 0.01
    assert careless.weighted < sparing.weighted < plain.weighted


def test_errors_take_from_similarity_by_the_texture_of_a_block() -> None:
    pixels = np.full((32, 64, 3), 100, np.uint8)
    pixels[8:16, 40:48] += (np.indices((8, 8)).sum(0) % 2 * 100).astype(np.uint8)[..., None]  # a variance of 2500
    weights = np.ones((4, 8), np.float32)
    weights[:, :4] = 9
    coder = JpegCoder(Picture(pixels, weights))
    found = coder._structure
    np.testing.assert_array_equal(found > 0, coder._elsewhere)
    assert not found[0, :4].any()  # looked at
    assert found[1, 5] == pytest.approx((2 * 500 + 58.5225) / (2 * 2500 + 58.5225))
    assert found[2, 6] == 4  # flat


@pytest.mark.parametrize("quality", [30, 50, 75, 90])
def test_even_tables_are_as_fine_and_steps_of_means_stay(quality: int) -> None:
    even, plain, finer = even_tables(quality), libjpeg_tables(quality), libjpeg_tables(quality + 5)
    for found, like in zip(even, (plain[0], finer[1]), strict=True):
        assert found[0, 0] == like[0, 0]
        assert np.log(found).mean() == pytest.approx(np.log(like).mean(), abs=0.05)
        assert np.log(found).std() == pytest.approx(np.log(like).std() / 2, abs=0.06)


def test_even_tables_of_the_least_quality_fit_into_a_file() -> None:
    for table in even_tables(1):
        assert 1 <= table.min() <= table.max() <= 255


def test_a_file_has_the_tables_that_it_was_rounded_by(coder: JpegCoder) -> None:
    tables = even_tables(60)
    found = Image.open(io.BytesIO(coder.encode(tables, 0.02))).quantization  # type: ignore[attr-defined]
    assert [found[index] for index in (0, 1)] == [table.ravel().tolist() for table in tables]
    # Its coefficients are whole numbers of steps: nothing was rounded twice.
    steps = coefficients(coder.encode(tables, 0.02)) / tables[0][:, None, :]
    assert np.abs(steps - np.rint(steps)).mean() < 0.1


@pytest.mark.parametrize(("quality", "times", "expected"), [(50, 2, 75), (76, 2, 88), (25, 2, 50), (40, 2.5, 75)])
def test_a_finer_quality_has_steps_so_many_times_smaller(quality: int, times: float, expected: int) -> None:
    assert finer_quality(quality, times) == expected
    ratio = libjpeg_tables(quality)[0] / libjpeg_tables(expected)[0]
    assert np.median(ratio) == pytest.approx(times, rel=0.06)
    assert finer_quality(90, times) == 95  # the best that there is


def test_ways_are_finer_than_the_plain_file_and_each_is_another(coder: JpegCoder) -> None:
    for quality in (30, 50, 75, 90, 94):
        raised = [way.made_by(0)[0] for way in coder.ways(quality)]
        assert raised
        assert all(quality < each <= 95 for each in raised)
    assert len(coder.ways(90)) < len(coder.ways(50))
    assert coder.ways(95) == []


def test_gray_is_written_as_gray(coder: JpegCoder) -> None:
    gray = np.repeat(PHOTO[:, :, 1:2], 3, axis=2)
    found = Image.open(io.BytesIO(JpegCoder(Picture(gray, coder.picture.weights)).ways(60)[0].encode(250)))
    assert found.mode == "L"
