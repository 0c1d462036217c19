"""Rembg's networks: how they see an image, and that their maps are left as they are unless asked."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import numpy as np
import onnx_writer as ow
import pytest
from PIL import Image
from real_objects import real_isnet, real_u2netp
from skimage import data

import salbox
from salbox.runtime.rembg import BiRefNetOnnx, ISNetOnnx, RembgPredictor, U2NetOnnx, scaled
from salbox.runtime.session import recorded

# Of each its side, mean and deviation (rembg's sessions: u2net, dis_general_use, birefnet_general).
RUN_AS = {
    U2NetOnnx: (320, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ISNetOnnx: (1024, (0.485, 0.456, 0.406), (1.0, 1.0, 1.0)),
    BiRefNetOnnx: (1024, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}
WEIGHTS = np.array([0.1, -0.2, 0.3], np.float32)


@pytest.fixture
def opened(tmp_path, monkeypatch):
    """Write a network that reads single pixels and open it as one of rembg's, at a smaller size."""

    def call(kind: type[RembgPredictor], last: str, side: int = 16, **changes) -> RembgPredictor:
        around = replace(kind.around, size=replace(kind.around.size, height=side, width=side))
        monkeypatch.setattr(kind, "card_for", classmethod(lambda cls, file: around))
        path = tmp_path / f"{kind.__name__}.onnx"
        path.write_bytes(ow.foreign(sides=(side, side), weights=WEIGHTS, last=last, outputs=("map", "side"), **changes))
        return kind.load(path)

    return call


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, (height, width, 3), np.uint8)


def sigmoid(values):
    return 1 / (1 + np.exp(-values.astype(np.float64)))


@pytest.mark.parametrize("kind", RUN_AS)
def test_an_image_is_seen_as_by_rembg(kind, opened):
    _, mean, std = RUN_AS[kind]
    predictor = opened(kind, "Identity" if kind is BiRefNetOnnx else "Sigmoid")
    image = picture(24, 40)
    with recorded() as runs:
        saliency = predictor(image)
    small = np.asarray(Image.fromarray(image).resize((16, 16), Image.Resampling.LANCZOS))
    expected = (small / small.max() - np.array(mean)) / np.array(std)
    (seen,) = runs[0][1].values()
    np.testing.assert_allclose(seen[0].transpose(1, 2, 0), expected, atol=1e-5)
    assert saliency.shape == (24, 40)
    of_pixels = predictor(image[:16, :16])  # nothing to resize: Pillow's copy is the image
    exact = (image[:16, :16] / image[:16, :16].max() - np.array(mean)) / np.array(std)
    np.testing.assert_allclose(of_pixels, sigmoid(exact @ WEIGHTS), atol=1e-5)


@pytest.mark.parametrize("kind", RUN_AS)
def test_sizes_are_those_of_rembg(kind):
    side = RUN_AS[kind][0]
    assert (kind.around.size.rule, kind.around.size.height, kind.around.size.width) == ("stretch", side, side)


def test_maps_are_the_network_s_unless_they_are_to_be_stretched(opened):
    predictor = opened(U2NetOnnx, "Sigmoid")
    plain, stretched = predictor(picture(20, 30)), predictor(picture(20, 30), scaling="min-max")
    assert 0.2 < plain.min() < plain.max() < 0.8
    np.testing.assert_allclose(stretched, (plain - plain.min()) / np.ptp(plain), atol=1e-6)
    assert predictor(np.full((4, 4, 3), 9, np.uint8), scaling="min-max").max() == 0  # a constant map
    values = np.array([[0.25, 0.5]], np.float32)
    assert scaled(values, "none") is values


def test_img_ly_s_file_is_known_by_its_half_precision(tmp_path):
    half = ow.tensor("unused", np.ones(2, np.float16))
    path = tmp_path / "isnet.onnx"
    path.write_bytes(ow.foreign(sides=(1024, 1024), weights=WEIGHTS, last="Sigmoid", initializers=[half]))
    image = picture(6, 6)
    with recorded() as runs:
        ISNetOnnx.load(path)(image)
    large = np.asarray(Image.fromarray(image).resize((1024, 1024), Image.Resampling.BILINEAR), np.float64)
    (seen,) = runs[0][1].values()
    np.testing.assert_allclose(seen[0].transpose(1, 2, 0), (large - 128) / 256, atol=2e-3)
    assert abs(float(seen[0, 0, 0, 0]) - (float(image[0, 0, 0]) - 127.5) / 255 * 255 / 256) < 3e-3


def test_numbers_that_are_no_probabilities(opened):
    with pytest.raises(salbox.WeightsError, match="no probabilities"):
        opened(U2NetOnnx, "Identity")(picture(16, 16))


def test_copies_and_other_processes_open_the_file_again(opened):
    predictor = opened(U2NetOnnx, "Sigmoid")
    image = picture(20, 30)
    expected = predictor(image)
    for again in (copy.deepcopy(predictor), pickle.loads(pickle.dumps(predictor))):
        np.testing.assert_array_equal(again(image), expected)
        assert again.session is predictor.session


def test_a_file_of_another_size_is_refused(tmp_path):
    path = tmp_path / "a.onnx"
    path.write_bytes(ow.foreign(sides=(64, 64), last="Sigmoid"))
    with pytest.raises(salbox.WeightsError, match="size in its card do not fit") as caught:
        U2NetOnnx.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_the_real_u2netp_equals_rembg_s_mask():
    """What rembg's session computes, without its rounding to 8 bits."""
    import onnxruntime

    path, photo = real_u2netp(), data.astronaut()
    small = np.asarray(Image.fromarray(photo).resize((320, 320), Image.Resampling.LANCZOS))
    values = (small / small.max() - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (first, *_) = session.run(None, {"input.1": values.transpose(2, 0, 1)[None].astype(np.float32)})
    plain = salbox.load("u2netp", weights=path)(photo)
    expected = np.asarray(Image.fromarray(first[0, 0]).resize((512, 512), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(plain, expected, atol=1e-3)
    stretched = salbox.load("u2netp", weights=path, scaling="min-max")(photo)
    mask = (first[0, 0] - first.min()) / np.ptp(first)
    expected = np.asarray(Image.fromarray(mask).resize((512, 512), Image.Resampling.BILINEAR))
    np.testing.assert_allclose(stretched, expected, atol=0.01)  # it is stretched once it is enlarged


@pytest.mark.slow
def test_the_real_isnet_finds_the_astronaut(tmp_path, monkeypatch):
    monkeypatch.setenv("SALBOX_HOME", str(tmp_path))
    found = salbox.load("isnet", weights=real_isnet())(data.astronaut())
    assert found[300, 150] > 0.9  # the space suit
    assert found[20, 400] < 0.1  # the wall
