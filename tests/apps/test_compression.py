"""Compressed photos: never larger than asked, truer where people look, readable by anything."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageCms
from scipy.fft import dctn
from skimage.metrics import structural_similarity

from salbox.apps import Attention, compress
from salbox.apps._avif_coder import AvifCoder, rates, takes_maps, two_regions
from salbox.apps._blocks import padded, to_blocks, to_plane
from salbox.apps._coders import FLOOR, Coder, Errors, FileFormat, Picture, Way, block_weights, similarity, strips
from salbox.apps._fitting import fit_to_quality, fit_to_size
from salbox.apps._jpeg_coder import JpegCoder
from salbox.apps._sampling import sampled
from salbox.apps._searches import largest_within, lowest_true
from salbox.apps._smoothing import smoothed
from salbox.apps._vp8 import planes_of, rectangles_of, takes_regions
from salbox.apps._webp_coder import WebpCoder, quality_of, step_of
from salbox.apps.compression import CODERS, parse_bytes
from salbox.errors import ImageError, ImageWarning, SalboxError, UsageError
from salbox.types import FloatMap, Pixels

PHOTO = skimage.data.chelsea()
HEIGHT, WIDTH = PHOTO.shape[:2]


@pytest.fixture(scope="module")
def left() -> Attention:
    """Attention that lies in the left half alone."""
    density = np.zeros((40, 60))
    density[:, :30] = 1 / (40 * 30)
    return Attention(density, (HEIGHT, WIDTH))


def decoded(data: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def error(data: bytes, columns: slice) -> float:
    return float(((PHOTO[:, columns].astype(float) - decoded(data)[:, columns]) ** 2).mean())


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def test_blocks_are_the_cosine_transform_of_scipy() -> None:
    plane = np.random.default_rng(0).random((16, 24), np.float32)
    blocks = to_blocks(plane)
    np.testing.assert_allclose(blocks[1, :, 2], dctn(plane[8:16, 16:24], norm="ortho"), atol=1e-5)
    np.testing.assert_allclose(to_plane(blocks), plane, atol=1e-5)


def test_weights_are_the_attention_of_blocks_with_a_floor(left: Attention) -> None:
    weights = block_weights(left)
    assert weights.shape == (-(-HEIGHT // 8), -(-WIDTH // 8))
    assert weights.mean() == pytest.approx(1, abs=1e-5)
    # Half of the blocks get twice the mean attention, the others none.
    assert weights[5, 5] / weights[5, -5] == pytest.approx((FLOOR + 2) / FLOOR, rel=0.05)


def test_strips_cover_each_pixel_once() -> None:
    pixels = np.zeros((601, 13, 3), np.uint8)
    weights = np.arange(76 * 2, dtype=np.float32).reshape(76, 2)
    parts = list(strips(Picture(pixels, weights)))
    np.testing.assert_array_equal(np.concatenate([part for _, part in parts]), weights)
    assert [rows.start for rows, _ in parts] == [0, *(rows.stop for rows, _ in parts[:-1])]
    assert parts[-1][0].stop == 601


@pytest.mark.parametrize("shape", [(HEIGHT, WIDTH), (5, 3), (16, 9)])
def test_errors_are_those_of_the_pixels(shape: tuple[int, int]) -> None:
    part = PHOTO[: shape[0], : shape[1]]
    weights = np.random.default_rng(0).random((-(-shape[0] // 8), -(-shape[1] // 8)), np.float32) + 0.1
    coder = JpegCoder(Picture(part, weights))
    data = coder.plain(20)
    squared = ((part.astype(float) - decoded(data)) ** 2).mean(2)
    of_pixels = np.repeat(np.repeat(weights, 8, 0), 8, 1)[: shape[0], : shape[1]]
    found = coder.errors(data)
    assert found.plain == pytest.approx(squared.mean(), rel=1e-5)
    assert found.weighted == pytest.approx((squared * of_pixels).sum() / of_pixels.sum(), rel=1e-5)


def test_what_is_not_seen_has_no_error() -> None:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[:, 200:] = 1
    changed = PHOTO.copy()
    changed[:, :200] ^= 255
    coder = WebpCoder(Picture(PHOTO, np.ones((38, 57), np.float32), alpha))
    found = coder.errors(encoded(Image.fromarray(changed), "PNG"))
    assert (found.plain, found.weighted) == (0, 0)


def test_while_a_file_is_opened_other_threads_may_cut_larger_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    coder = JpegCoder(Picture(PHOTO, np.ones((38, 57), np.float32)))
    data, open_image = coder.plain(50), Image.open

    def opened_meanwhile(*arguments: Any, **keywords: Any) -> Image.Image:
        assert Image.new("L", (1800, 300)).crop((0, 0, 1800, 256)).size == (1800, 256)
        return open_image(*arguments, **keywords)

    monkeypatch.setattr(Image, "open", opened_meanwhile)
    assert coder.errors(data).plain > 0


def test_similarity_is_that_of_each_block() -> None:
    blurred = cv2.GaussianBlur(PHOTO, (0, 0), 2)
    found = similarity(PHOTO, blurred)
    assert found.shape == (HEIGHT // 8, WIDTH // 8)
    x, y = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY)[16:24, 40:48].astype(float).ravel() for each in (PHOTO, blurred))
    (xx, xy), (_, yy) = np.cov(x, y, bias=True)
    c1, c2 = 6.5025, 58.5225
    expected = (2 * x.mean() * y.mean() + c1) * (2 * xy + c2) / ((x.mean() ** 2 + y.mean() ** 2 + c1) * (xx + yy + c2))
    assert found[2, 5] == pytest.approx(expected, abs=1e-3)
    gray = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (PHOTO, blurred)]
    assert found.mean() == pytest.approx(structural_similarity(*gray), abs=0.05)
    assert similarity(PHOTO[:5], PHOTO[:5]).size == 0


def test_what_nobody_looks_at_stays_similar(left: Attention, monkeypatch: pytest.MonkeyPatch) -> None:
    coder = JpegCoder(Picture(PHOTO, block_weights(left)))
    limit = len(coder.plain(40))
    found, alike = [], []
    for least in (0.0, 0.91):
        monkeypatch.setattr("salbox.apps._fitting.LEAST_SIMILARITY", least)
        found.append(compress(PHOTO, target_size=limit, file_format="jpeg", attention=left))
        alike.append(similarity(PHOTO, decoded(found[-1].data))[:, 30:].mean())
    careless, careful = found
    assert alike[0] < 0.9
    assert alike[1] > min(0.9, similarity(PHOTO, decoded(coder.plain(40)))[:, 30:].mean() - 0.01)
    assert careless.loss > careful.loss
    assert min(careless.gain, careful.gain) > 0


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_rates_are_the_means_of_four_blocks_to_a_power(strength: float) -> None:
    found = rates(np.array([[1, 3, 5], [2, 2, 5], [4, 4, 9]], np.float32), strength)
    expected = np.array([[2, 5], [4, 9]]) ** strength
    np.testing.assert_allclose(found, 100 * expected / expected.mean(), rtol=1e-5)


def test_two_regions_are_superblocks_and_add_up_to_nothing() -> None:
    weights = np.full((17, 30), 0.5, np.float32)  # of 8 x 8 pixels: three superblocks of 64 down, four across
    weights[:8, 8:16] = 1.6
    weights[8:16, 24:] = 1.1
    found = two_regions(weights)
    assert found.shape == (9, 15)
    finer = np.zeros((9, 15), bool)
    finer[:4, 4:8] = finer[4:8, 12:] = True
    np.testing.assert_array_equal(found > 0, finer)
    assert (len(np.unique(found)), found.sum(dtype=np.float64)) == (2, 0)
    assert not two_regions(np.ones((17, 30), np.float32)).any()


@pytest.fixture(scope="module")
def speckled() -> Picture:
    """A picture of 1.6 megapixels, a fifth of it a photo and the rest flat, its left half looked at."""
    pixels = np.full((1280, 1280, 3), 128, np.uint8)
    pixels[:256, :] = np.tile(PHOTO[:256, :320], (1, 4, 1))
    weights = np.full((160, 160), 0.2, np.float32)
    weights[:, :80] = 1.8
    return Picture(pixels, weights)


def test_avif_of_a_large_picture_is_finer_where_people_look_whatever_the_sign(speckled: Picture) -> None:
    """A sign that is wrong, as of sums that went beyond 32 bits, is found out."""
    if not takes_maps():
        pytest.skip("the encoder of AVIF takes no map here")
    files = []
    for sign in (1, -1):
        coder = AvifCoder(speckled)
        plain = coder.errors(coder.plain(50))
        coder._sign = sign
        files.append(coder.steered(0.5, 50)(50))
        errors = coder.errors(files[-1])
        assert errors.weighted / errors.plain < 0.9 * plain.weighted / plain.plain
        assert coder._sign == 1
    assert files[0] == files[1]


@pytest.mark.parametrize(("is_large", "strength"), [(False, 1.0), (False, 0.5), (True, 1.0), (True, 0.5)])
def test_avif_has_regions_at_full_strength_and_of_large_pictures(
    left: Attention, speckled: Picture, monkeypatch: pytest.MonkeyPatch, is_large: bool, strength: float
) -> None:
    picture = speckled if is_large else Picture(PHOTO, block_weights(left))
    monkeypatch.setattr("salbox.apps._avif_coder.takes_maps", lambda: True)
    monkeypatch.setattr(AvifCoder, "_is_steered", lambda *_: True)
    monkeypatch.setattr(AvifCoder, "_mapped", lambda *given: maps.append(given[-1]) or b"")
    maps: list[np.ndarray] = []
    AvifCoder(picture).steered(strength, 50)(50)
    by_degrees = not is_large and strength == 0.5
    expected = rates(picture.weights, strength) if by_degrees else two_regions(picture.weights)
    np.testing.assert_array_equal(maps, [expected])


def test_of_one_picture_at_a_time_a_way_has_begun(left: Attention) -> None:
    """Large pictures: what the ways before held is let go."""
    coder = WebpCoder(Picture(PHOTO, block_weights(left), np.full((HEIGHT, WIDTH), 255, np.uint8)))
    first, second = coder.ways(60)[:2]
    before = first.encode(60)
    begun = coder._begun
    second.encode(60)
    assert coder._begun is not begun
    assert first.encode(60) == before


def test_webp_takes_blocks_that_count_little_from_coarser_files(left: Attention) -> None:
    coder = WebpCoder(Picture(PHOTO, block_weights(left)))
    coarse = coder.coarse(1.0, 60)
    far = [np.abs(coarse[:, part].astype(float) - PHOTO[:, part]).mean() for part in (slice(0, 200), slice(260, None))]
    assert far[0] == 0  # twice the mean attention: as it is
    assert far[1] > 2
    # A weight of 1 / 16 asks for steps four times as large.
    coarser = quality_of(4 * step_of(60))
    even = WebpCoder(Picture(PHOTO, np.full((38, 57), 1 / 16, np.float32))).coarse(1.0, 60)
    np.testing.assert_array_equal(even, decoded(encoded(Image.fromarray(PHOTO), "WEBP", quality=coarser)))


def test_webp_with_transparency_is_by_libwebp_and_keeps_it(left: Attention) -> None:
    alpha = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
    coder = WebpCoder(Picture(PHOTO, block_weights(left), alpha))
    way = coder.ways(60)[0]
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(way.encode(65))))[:, :, 3], alpha)


def test_webp_in_regions_is_finer_where_people_look(left: Attention) -> None:
    pytest.importorskip("av")
    if not takes_regions():
        pytest.skip("FFmpeg has no libvpx here")
    extra = {"icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()}
    part = PHOTO[:, : WIDTH - 1]  # an odd height, and an even and an odd width
    for pixels, seen in ((part, Attention(left.density, part.shape[:2])), (PHOTO, left)):
        coder = WebpCoder(Picture(pixels, block_weights(seen), extra=extra))
        even, steered = (coder.in_regions(strength, 40.0) for strength in (0.0, 0.75))
        image = Image.open(io.BytesIO(steered))
        assert (image.format, image.size, image.mode) == ("WEBP", pixels.shape[1::-1], "RGB")
        assert image.info["icc_profile"] == extra["icc_profile"]
        for columns, is_finer in ((slice(0, 200), True), (slice(260, pixels.shape[1]), False)):
            before, after = (
                ((pixels[:, columns].astype(float) - decoded(data)[:, columns]) ** 2).mean() for data in (even, steered)
            )
            assert (after < before) == is_finer
        assert np.abs(pixels.astype(float) - decoded(even)).mean((0, 1)).max() < 8  # colours in their places


@pytest.mark.parametrize("shape", [(1, 1), (3, 2), (17, 33)])
def test_webp_in_regions_of_a_few_pixels(shape: tuple[int, int]) -> None:
    if not takes_regions():
        pytest.skip("FFmpeg with libvpx is not installed")
    part = PHOTO[100 : 100 + shape[0], 100 : 100 + shape[1]]
    weights = np.linspace(0.5, 1.5, -(-shape[0] // 8) * -(-shape[1] // 8), dtype=np.float32)
    coder = WebpCoder(Picture(part, weights.reshape(-(-shape[0] // 8), -1)))
    found = decoded(coder.in_regions(0.75, 6.0))
    assert found.shape == part.shape
    assert np.abs(found.astype(float) - part).mean() < 12


def test_way_of_regions_grows_with_its_level(left: Attention) -> None:
    if not takes_regions():
        pytest.skip("FFmpeg with libvpx is not installed")
    way = WebpCoder(Picture(PHOTO, block_weights(left))).ways(50)[0]
    sizes = [len(way.encode(level)) for level in (0, 60, 100, 140, 200)]
    assert sizes == sorted(sizes)
    assert sizes[-1] > 10 * sizes[0]


def test_regions_are_their_cells_and_nothing_else() -> None:
    mask = np.random.default_rng(0).random((9, 13)) < 0.6
    drawn = np.zeros((9 * 4, 13 * 4), int)
    for x, y, width, height in rectangles_of(mask, 4):
        drawn[y : y + height, x : x + width] += 1
    np.testing.assert_array_equal(drawn, np.kron(mask, np.ones((4, 4), int)))
    assert len(rectangles_of(np.ones((9, 13), bool), 4)) == 1


def test_planes_of_vp8_are_those_of_pillow() -> None:
    """A flat colour in full range, brought to that of television."""
    flat = np.full((5, 7, 3), (200, 30, 90), np.uint8)
    planes = planes_of(flat)
    y, cb, cr = (float(each) for each in Image.fromarray(flat).convert("YCbCr").getpixel((0, 0)))  # type: ignore[union-attr]
    assert planes.shape == (9, 8)
    np.testing.assert_allclose(planes[:6], 16 + y * 219 / 255, atol=1)
    np.testing.assert_allclose(planes[6:].ravel()[:12], 128 + (cb - 128) * 224 / 255, atol=1)
    np.testing.assert_allclose(planes[6:].ravel()[12:], 128 + (cr - 128) * 224 / 255, atol=1)


@pytest.mark.parametrize("limit", [99, 100, 5000, 31622, 99999, 100000, 10**7])
@pytest.mark.parametrize("first", [None, 3, 97])
def test_the_largest_file_within_a_limit_is_found_in_few_steps(limit: int, first: int | None) -> None:
    tried: list[int] = []

    def encode(level: int) -> bytes:
        tried.append(level)
        return b"0" * round(10 ** (2 + 3 * level / 100))

    hit = largest_within(encode, limit, 0, 100, first=first)
    expected = [level for level in range(101) if round(10 ** (2 + 3 * level / 100)) <= limit]
    assert (hit is None) == (not expected)
    if hit is not None:
        assert (hit.level, len(hit.data)) == (expected[-1], round(10 ** (2 + 3 * expected[-1] / 100)))
    assert len(tried) <= 9
    assert len(set(tried)) == len(tried)


@pytest.mark.parametrize("first", [0, 40, 100])
@pytest.mark.parametrize("threshold", [0, 1, 37, 100, 101])
def test_the_lowest_level_that_is_true_is_found(first: int, threshold: int) -> None:
    found = lowest_true(lambda level: -level, lambda made: -made >= threshold, 0, 100, first=first)
    assert found == ((threshold, -threshold) if threshold <= 100 else None)


@pytest.fixture(scope="module")
def large() -> Picture:
    """A picture of 2 megapixels, of which a sample is drawn, its left half looked at."""
    pixels = cv2.resize(PHOTO, (1800, 1200), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 2, (1200, 1800, 1))
    weights = np.full((150, 225), 0.2, np.float32)
    weights[:, :112] = 1.8
    return Picture(np.clip(pixels + grain, 0, 255).astype(np.uint8), weights / weights.mean())


def test_a_sample_is_of_tiles_and_like_the_whole(large: Picture) -> None:
    found = sampled(large)
    height, width = found.pixels.shape[:2]
    assert (height % 128, width % 128) == (0, 0)
    assert height * width == pytest.approx(1 << 19, rel=0.3)
    assert found.weights.shape == (height // 8, width // 8)
    assert found.weights.mean() == pytest.approx(1, abs=0.05)
    # Each tile is somewhere in the picture, with the weights that lie there.
    tile = found.pixels[:128, -128:]
    row = next(
        (y, x)
        for y in range(0, 1153, 128)
        for x in range(0, 1793, 128)
        if np.array_equal(large.pixels[y : y + 128, x : x + 128], tile)
    )
    np.testing.assert_array_equal(
        found.weights[:16, -16:], large.weights[row[0] // 8 : row[0] // 8 + 16, row[1] // 8 : row[1] // 8 + 16]
    )
    assert sampled(Picture(PHOTO, np.ones((38, 57), np.float32))).pixels is PHOTO


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_of_a_large_picture_few_files_are_made(
    large: Picture, monkeypatch: pytest.MonkeyPatch, kind: FileFormat
) -> None:
    if kind == "webp" and not takes_regions():
        pytest.skip("FFmpeg with libvpx is not installed")
    coder = CODERS[kind](large)
    limit = len(coder.plain(60))
    made: list[int] = []
    errors = Coder.errors

    def counted(self: Coder, data: bytes) -> Errors:
        made.append(self.picture.pixels.size)
        return errors(self, data)

    monkeypatch.setattr(Coder, "errors", counted)
    found = fit_to_size(coder, kind, limit, 30)
    assert 0.93 * limit < len(found.data) <= limit
    assert found.gain > 0.2
    assert found.loss <= 2
    assert found.plain_quality in (59, 60)
    assert sum(size == large.pixels.size for size in made) <= 4
    before, after = (errors(coder, data) for data in (coder.plain(found.plain_quality), found.data))
    assert found.gain == pytest.approx(10 * np.log10(before.weighted / after.weighted))
    smaller = fit_to_quality(coder, kind, 60, 30)
    assert len(smaller.data) < smaller.plain_bytes == limit
    assert smaller.gain >= 0


def test_blocks_elsewhere_are_those_outside_the_fewest_that_hold_most_attention() -> None:
    attention = np.array([[5, 1, 0, 0], [2.5, 1.5, 0, 0]], np.float32)  # 7.5 of 10 in two blocks, so the third belongs
    weights = np.float32(FLOOR) + attention / attention.mean()
    found = JpegCoder(Picture(np.zeros((16, 32, 3), np.uint8), weights / weights.mean()))._elsewhere
    np.testing.assert_array_equal(found, [[False, True, True, True], [False, False, True, True]])
    alone = JpegCoder(Picture(np.zeros((8, 8, 3), np.uint8), np.ones((1, 1), np.float32)))
    assert not alone._elsewhere.any()


class EvenCoder(Coder):
    """Files whose bytes are in proportion to blocks and level, so that a sample tells exactly what the whole takes."""

    def plain(self, quality: int) -> bytes:
        return self._file(0, quality)

    def ways(self, quality: int) -> list[Way]:
        return [self._way(2), self._way(1)]

    def _way(self, strength: int) -> Way:
        return Way(lambda level: self._file(strength, level), 30, 90, 60, lambda level: (level, strength))

    def _file(self, strength: int, level: int) -> bytes:
        return bytes((strength, level)) * (self.picture.weights.size * level)

    def _errors(self, data: bytes) -> Errors:
        strength, level = data[:2]
        return Errors(1 / level / (1 + strength), 1 / level, 1, 1)


def test_of_a_large_picture_too_the_way_most_by_attention_is_first(large: Picture) -> None:
    coder = EvenCoder(large)
    limit = len(coder.plain(60)) + 1000  # less than a level more
    found = fit_to_size(coder, "jpeg", limit, 30)
    assert (found.plain_quality, found.quality, found.strength) == (60, 60, 2)
    assert found.gain == pytest.approx(10 * np.log10(3))


class SeveralCoder(EvenCoder):
    """With ways whose first is not the truest, and one that keeps to the rules on a sample alone, the second."""

    def ways(self, quality: int) -> list[Way]:
        return [self._way(strength) for strength in (1, 3, 2, 4)]

    def _errors(self, data: bytes) -> Errors:
        found = super()._errors(data)
        is_too_much = data[0] == 3 and not self.picture.sample_of
        return replace(found, plain=found.plain * 2) if is_too_much else found


@pytest.mark.parametrize(
    ("is_large", "compared", "strength"), [(False, 1, 1), (False, 3, 4), (True, 1, 1), (True, 3, 2)]
)
def test_of_ways_that_are_compared_the_truest_where_people_look_is_taken(
    large: Picture, monkeypatch: pytest.MonkeyPatch, is_large: bool, compared: int, strength: int
) -> None:
    monkeypatch.setattr(SeveralCoder, "compared", compared)
    coder = SeveralCoder(large if is_large else Picture(PHOTO, np.ones((38, 57), np.float32)))
    found = fit_to_size(coder, "jpeg", len(coder.plain(60)), 30)
    assert found.strength == strength


@pytest.mark.parametrize("is_large", [False, True])
def test_a_file_is_no_further_off_than_the_plain_one_of_the_least_quality(left: Attention, is_large: bool) -> None:
    pixels = np.tile(PHOTO, (4, 4, 1)) if is_large else PHOTO
    coder = JpegCoder(Picture(pixels, block_weights(Attention(left.density, pixels.shape[:2]))))
    limit = len(coder.plain(60))
    freely, bound = (fit_to_size(coder, "jpeg", limit, least) for least in (30, 60))
    assert freely.loss > 0.2
    assert bound.loss <= 0


def test_what_is_less_similar_where_people_look_is_not_taken(left: Attention, monkeypatch: pytest.MonkeyPatch) -> None:
    coder = JpegCoder(Picture(PHOTO, block_weights(left)))
    limit = len(coder.plain(60))
    assert fit_to_size(coder, "jpeg", limit, 30).strength > 0
    monkeypatch.setattr("salbox.apps._fitting.CLOSE", -0.5)  # as if no file came near the plain one's
    assert fit_to_size(coder, "jpeg", limit, 30).strength == 0


def test_webp_too_large_for_regions_and_its_sample_have_the_same_ways(
    large: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = sampled(large)
    assert (sample.pixel_count, sample.pixels.size < large.pixels.size) == (large.pixels.size // 3, True)
    monkeypatch.setattr("salbox.apps._webp_coder._MOST_IN_REGIONS", large.pixel_count - 1)
    for picture in (large, sample):
        assert len(WebpCoder(picture).ways(50)) == len(WebpCoder.strengths)
    monkeypatch.setattr("salbox.apps._webp_coder._MOST_IN_REGIONS", large.pixel_count)
    regions = 3 if takes_regions() else len(WebpCoder.strengths)
    for picture in (large, sample):
        assert len(WebpCoder(picture).ways(50)) == regions


def test_webp_files_do_not_depend_on_those_made_before(left: Attention) -> None:
    picture = Picture(PHOTO, block_weights(left))
    coder = WebpCoder(picture)
    for quality in (60, 30):
        for strength in (1.0, 0.6):
            found, fresh = (each.steered(strength, quality)(quality) for each in (coder, WebpCoder(picture)))
            assert found == fresh


def test_steps_of_webp_are_those_of_its_quantizers() -> None:
    assert [step_of(quality) for quality in (100, 0)] == [4, 284]
    assert [quality_of(step_of(quality)) for quality in (20, 50, 80)] == [20, 50, 80]
    linear = (0.5 * 2 / 3) ** (1 / 3)  # quality 50: index 38 of the table, whose first steps are index + 4
    assert step_of(50) == pytest.approx(127 * (1 - linear) + 4)


@pytest.mark.parametrize(("takes", "shape"), [(True, (192, 256)), (False, (128, 192))])
def test_avif_with_a_map_and_without(
    left: Attention, monkeypatch: pytest.MonkeyPatch, takes: bool, shape: tuple[int, int]
) -> None:
    if takes and not takes_maps():
        pytest.skip("the encoder of AVIF takes no map here")
    monkeypatch.setattr("salbox.apps._avif_coder.takes_maps", lambda: takes)
    part, seen = PHOTO[: shape[0], : shape[1]], Attention(left.density, shape)
    coder = AvifCoder(Picture(part, block_weights(seen)))
    limit = len(coder.plain(50))
    found = compress(part, target_size=limit, file_format="avif", attention=seen)
    assert len(found.data) <= limit
    assert found.strength > 0
    looked_at = slice(0, shape[1] // 2)
    before, after = (
        ((part[:, looked_at].astype(float) - decoded(data)[:, looked_at]) ** 2).mean()
        for data in (coder.plain(50), found.data)
    )
    assert after < before
    smaller = compress(part, quality=50, file_format="avif", attention=seen)
    assert len(smaller.data) < limit
    assert smaller.gain >= 0


@pytest.mark.parametrize("file_format", ["jpeg", "webp", "webp by libwebp"])
def test_at_equal_size_the_part_that_is_looked_at_is_truer(
    left: Attention, monkeypatch: pytest.MonkeyPatch, file_format: str
) -> None:
    if "by" in file_format:
        monkeypatch.setattr("salbox.apps._webp_coder.takes_regions", lambda: False)
        file_format = "webp"
    found = compress(PHOTO, target_size=14000, file_format=file_format, attention=left)  # type: ignore[arg-type]
    assert len(found.data) <= 14000
    assert found.strength > 0
    kind = {"jpeg": {"format": "JPEG", "optimize": True, "progressive": True}, "webp": {"format": "WEBP"}}[file_format]
    plain = encoded(Image.fromarray(PHOTO), str(kind.pop("format")), quality=found.plain_quality, **kind)
    assert len(plain) == found.plain_bytes
    assert error(found.data, slice(0, 200)) < error(plain, slice(0, 200))
    whole = slice(None)
    assert error(found.data, whole) <= error(plain, whole) * 10**0.2


def test_figures_are_of_the_pixels(left: Attention) -> None:
    found = compress(PHOTO, target_size=14000, file_format="jpeg", attention=left)
    weights = np.repeat(np.repeat(block_weights(left), 8, 0), 8, 1)[:HEIGHT, :WIDTH]
    plain = JpegCoder(Picture(PHOTO, block_weights(left))).plain(found.plain_quality)

    def weighted(data: bytes) -> float:
        squared = ((PHOTO.astype(float) - decoded(data)) ** 2).mean(2)
        return float((squared * weights).sum() / weights.sum())

    assert found.gain == pytest.approx(10 * np.log10(weighted(plain) / weighted(found.data)), abs=1e-3)
    everywhere = slice(None)
    expected = 10 * np.log10(error(found.data, everywhere) / error(plain, everywhere))
    assert found.loss == pytest.approx(expected, abs=1e-3)


def test_a_quality_is_kept_where_people_look_in_fewer_bytes(left: Attention) -> None:
    found = compress(PHOTO, quality=75, file_format="jpeg", attention=left)
    assert len(found.data) < found.plain_bytes
    assert found.gain >= 0
    assert found.loss <= 2


def test_less_than_the_least_quality_is_refused(left: Attention) -> None:
    with pytest.raises(SalboxError, match=r"at quality 60, more than the 9000 allowed"):
        compress(PHOTO, target_size="9KB", min_quality=60, attention=left)
    found = compress(PHOTO, target_size="9KB", min_quality=20, attention=left)
    least = encoded(Image.fromarray(PHOTO), "JPEG", quality=20, optimize=True, progressive=True)
    assert len(found.data) <= 9000
    assert error(found.data, slice(None)) <= error(least, slice(None))


def test_a_file_that_is_small_enough_stays_byte_for_byte(left: Attention) -> None:
    data = encoded(Image.fromarray(PHOTO), "JPEG", quality=80)
    found = compress(data, target_size=len(data))
    assert found.data == data
    assert found.strength == 0
    again = compress(data, quality=95, attention=left)  # at 95 it would grow
    assert again.data == data


def test_notes_that_are_longer_than_a_jpeg_holds_are_left_out() -> None:
    even = Attention(np.full((8, 8), 1 / 64), (64, 64))
    exif = Image.Exif()
    exif[0x010E] = "described " * 8000
    data = encoded(Image.fromarray(PHOTO[:64, :64]), "PNG", exif=exif)
    for file_format, kept in (("jpeg", False), ("webp", True)):
        found = compress(data, quality=50, file_format=file_format, attention=even)  # type: ignore[arg-type]
        assert (0x010E in Image.open(io.BytesIO(found.data)).getexif()) == kept


def test_profile_and_notes_are_kept_and_pixels_upright(left: Attention) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "maker", 6
    data = encoded(Image.fromarray(PHOTO).rotate(90, expand=True), "JPEG", quality=95, exif=exif, icc_profile=profile)
    found = Image.open(io.BytesIO(compress(data, target_size="20KB", attention=left).data))
    assert found.size == (WIDTH, HEIGHT)
    assert found.info["icc_profile"] == profile
    assert dict(found.getexif()) == {0x010F: "maker"}
    assert np.abs(PHOTO.astype(float) - np.asarray(found)).mean() < 10


def test_transparency_is_kept_by_formats_that_have_it(left: Attention) -> None:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[100:200, 100:300] = 255
    data = encoded(Image.fromarray(np.dstack([PHOTO, alpha])), "PNG")
    found = compress(data, target_size="20KB", attention=left)
    assert found.file_format == "webp"
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(found.data)))[:, :, 3], alpha)
    white = compress(data, target_size="20KB", file_format="jpeg", attention=left)
    assert decoded(white.data)[20:60, 20:60].min() > 240


def _odd_files() -> dict[str, bytes]:
    gray = Image.fromarray(PHOTO).convert("L")
    sixteen = Image.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    frames = [Image.fromarray(PHOTO), Image.fromarray(PHOTO[::-1].copy())]
    return {
        "gray": encoded(gray, "PNG"),
        "sixteen bits": encoded(sixteen, "PNG"),
        "CMYK": encoded(Image.fromarray(PHOTO).convert("CMYK"), "JPEG", quality=95),
        "palette": encoded(Image.fromarray(PHOTO).quantize(64), "PNG"),
        "animated": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
        "one pixel": encoded(Image.new("RGB", (1, 1), "red"), "PNG"),
        "a line": encoded(Image.fromarray(PHOTO[:1]), "PNG"),
    }


@pytest.mark.parametrize("name", list(_odd_files()))
@pytest.mark.filterwarnings(f"ignore::{ImageWarning.__module__}.ImageWarning")
def test_odd_files_become_ordinary_ones(name: str) -> None:
    data = _odd_files()[name]
    before = Image.open(io.BytesIO(data))
    found = compress(data, target_size="16KB", file_format="jpeg")
    after = Image.open(io.BytesIO(found.data))
    assert after.size == before.size
    assert len(found.data) <= 16000
    assert after.mode == ("L" if name in ("gray", "sixteen bits") else "RGB")
    expected = np.asarray(before.convert("RGB")) if name != "sixteen bits" else np.asarray(before)[..., None] / 257
    assert np.abs(expected.astype(float) - np.asarray(after.convert("RGB"))).mean() < 12


def test_sides_that_a_format_does_not_have_are_refused() -> None:
    wide = np.zeros((2, 16384, 3), np.uint8)
    even = Attention(np.full((8, 8), 1 / 64), wide.shape[:2])
    with pytest.raises(SalboxError, match=r"16384 pixels, more than the 16383 that webp has: .*\(jpeg, avif\)"):
        compress(wide, quality=50, file_format="webp", attention=even)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(encoded(Image.fromarray(PHOTO), "PNG")[:2000])
    with pytest.raises(ImageError, match=r"broken\.jpg"):
        compress(path, target_size=1000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "one of the two"),
        ({"target_size": 1, "quality": 50}, "one of the two"),
        ({"target_size": "many"}, "expected a number of bytes"),
        ({"quality": 120}, r"quality 120: expected a whole number in 1\.\.95"),
        ({"quality": 20}, "below the least"),
        ({"quality": 50, "file_format": "jpg"}, "no format 'jpg'"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        compress(PHOTO, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "count"), [("1500", 1500), ("1.5 kb", 1500), ("2KiB", 2048), (".5M", 500000)])
def test_sizes_are_read(text: str, count: int) -> None:
    assert parse_bytes(text) == count


def test_smoothing_spares_what_is_looked_at() -> None:
    weights: FloatMap = np.full((38, 57), 0.1, np.float32)
    weights[:, :28] = 1e6
    found = smoothed(PHOTO, weights, 2.0)
    change = np.abs(found.astype(float) - PHOTO).mean(2)
    assert change[:, :200].mean() < 1  # rounding of colours
    assert change[:, 250:].mean() > 2
    np.testing.assert_allclose(found[:, 250:].mean((0, 1)), PHOTO[:, 250:].mean((0, 1)), atol=1)  # brightness stays


def test_padding_repeats_the_edge() -> None:
    plane = np.arange(6, dtype=np.uint8).reshape(2, 3)
    assert padded(plane, 4).tolist() == [[0, 1, 2, 2], [3, 4, 5, 5], [3, 4, 5, 5], [3, 4, 5, 5]]
