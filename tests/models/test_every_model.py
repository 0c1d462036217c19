"""Every registered model on every odd input: a finite float32 map of the image's size, the same each time."""

from __future__ import annotations

import io
from functools import cache

import checkpoints
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

import salbox
from salbox.models.registry import CLASSICAL
from salbox.models.rembg import REMBG

READY = salbox.list_models(ready=True)
# The students that ship are heads of one network, KDSalBox's ten published ones are one network: one stands for all.
HEADS = [name for name in READY if name.endswith(".student")]
MODELS = [name for name in READY if name not in HEADS[1:]]
MODELS += ["fastgaze", "attention-center", "glimpse", "gbvs.kdsalbox"]
# These take generated weights of up to 400 MB: each has tests of its own, odd sizes included.
LARGE = {"unisal", "sam", "dgii", "deepgaze2e", "salicon", "msinet", "dinet", "transalnet"}
LARGE |= {"scfnet", "scfnet.r50", "scfnet.v16", "scfnet.swinb", "samnet", "gcpanet", *REMBG}
FAST = ("bms", "gaussian", "gbvs", "ikn", "imsig")


@cache
def model(name: str) -> salbox.Model:
    return salbox.load(name) if name in READY else salbox.load(name, weights=checkpoints.checkpoint(name))


def test_every_model_is_tested():
    kdsalbox = {name for name in salbox.list_models() if name.endswith(".kdsalbox")}
    assert set(salbox.list_models()) == set(MODELS) | set(HEADS) | LARGE | kdsalbox
    assert len({id(salbox.load(name).network.session) for name in HEADS}) == 1


def noise(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


ODD = {
    "1x1": noise(1, 1, 3),
    "1xN": noise(1, 300, 3),
    "Nx1": noise(300, 1, 3),
    "2x2": noise(2, 2, 3),
    "3x5": noise(3, 5, 3),
    "31x20": noise(31, 20, 3),
    "panorama": noise(40, 900, 3),
    "grey": noise(90, 120),
    "grey file": encoded(Image.fromarray(noise(90, 120))),
    "alpha": encoded(Image.fromarray(noise(90, 120, 4))),
    "palette": encoded(Image.fromarray(noise(90, 120, 3)).quantize(16)),
    "1 bit": encoded(Image.fromarray(noise(90, 120)).convert("1")),
    "16 bit": encoded(Image.fromarray(noise(90, 120, dtype=np.uint16))),
    "cmyk": encoded(Image.fromarray(noise(90, 120, 3)).convert("CMYK"), "JPEG"),
    "float": np.linspace(0, 1, 90 * 120).reshape(90, 120),
    "black": np.zeros((90, 120, 3), np.uint8),
    "white": np.full((90, 120, 3), 255, np.uint8),
    "one colour": np.full((90, 120, 3), (200, 30, 90), np.uint8),
    "one pixel differs": np.pad(np.full((1, 1, 3), 255, np.uint8), ((40, 49), (60, 59), (0, 0))),
    "two halves": np.repeat(np.repeat(np.array([[0, 255]], np.uint8), 90, 0), 60, 1),
}


def check(saliency: np.ndarray, shape: tuple[int, ...]) -> None:
    assert saliency.shape == shape
    assert saliency.dtype == np.float32
    assert np.isfinite(saliency).all()


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("name", MODELS)
def test_odd_inputs(name, kind):
    source = ODD[kind]
    shape = salbox.read_image(source).shape[:2]
    check(model(name)(source), shape)


@pytest.mark.parametrize("kind", ODD)
def test_all_heads_on_odd_inputs(kind):
    """In one pass; what a head gives by itself, which the other tests ask of the first."""
    maps = salbox.predict(ODD[kind], HEADS)
    assert list(maps) == HEADS
    for saliency in maps.values():
        check(saliency, salbox.read_image(ODD[kind]).shape[:2])
    np.testing.assert_array_equal(maps[HEADS[-1]], model(HEADS[-1])(ODD[kind]))


@pytest.mark.parametrize("kind", ["black", "white", "one colour", "1x1"])
@pytest.mark.parametrize("name", [m for m in CLASSICAL if m not in ("gaussian", "sun")])
def test_nothing_stands_out_of_one_colour(name, kind):
    """A constant image gives a constant map.

    SUN and the Gaussian keep their frame and centre, and a network its own.
    """
    assert np.ptp(model(name)(ODD[kind])) <= 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("name", FAST)
def test_24_megapixels(name):
    image = np.tile(data.astronaut(), (8, 12, 1))[:4000, :6000]
    check(model(name)(image), (4000, 6000))


@pytest.mark.parametrize("name", MODELS)
def test_does_not_change_its_input_and_repeats_itself(name):
    image = np.ascontiguousarray(data.chelsea()[:200, :260])
    before = image.copy()
    first = model(name)(image)
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(model(name)(image), first)


@pytest.mark.slow
@pytest.mark.parametrize("name", [m for m in MODELS if m != "gaussian"])
def test_looks_at_the_image(name):
    saliency = model(name)(data.astronaut())
    other = model(name)(np.ascontiguousarray(data.astronaut()[::-1, ::-1]))
    assert np.ptp(saliency) > 0
    assert not np.array_equal(saliency, other)


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", MODELS)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    low=st.integers(0, 255),
    high=st.integers(0, 255),
    seed=st.integers(0, 2**16),
)
def test_every_image_gets_a_map(name, height, width, low, high, seed):
    low, high = min(low, high), max(low, high)
    image = np.random.default_rng(seed).integers(low, high + 1, (height, width, 3), dtype=np.uint8)
    saliency = model(name)(image)
    check(saliency, (height, width))
    np.testing.assert_array_equal(model(name)(image), saliency)
