"""Exported networks run by ONNX Runtime: batches, sizes, threads, processes, and what is wrong with a file."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import onnx_writer as ow
import onnxruntime
import pytest

from salbox.errors import SalboxError, UsageError, WeightsError
from salbox.runtime import session as sessions
from salbox.runtime.counting import count_arithmetic, learned_numbers
from salbox.runtime.metadata import resolution
from salbox.runtime.network import copy_network, open_network
from salbox.runtime.preprocessing import Preprocessing
from salbox.runtime.session import open_session, recorded


@pytest.fixture
def colors(tmp_path):
    path = tmp_path / "colours.onnx"
    path.write_bytes(ow.student())
    return path


def images(*sizes):
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (*size, 3), np.uint8) for size in sizes]


def expected(image):
    """Return what the network of `ow.student` gives for an image, computed without it."""
    small = cv2.resize(image, (16, 12), interpolation=cv2.INTER_AREA)
    halves = small.reshape(6, 2, 8, 2, 3).mean(axis=(1, 3)).astype(np.float32) / 255
    full = cv2.resize(halves, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return {"red": full[..., 0], "blue": full[..., 2]}


def test_how_much_a_network_sees():
    plain = Preprocessing("area", 192, 256)
    assert resolution(plain, {}) == resolution(plain, {"detail": 0}) == "192x256 pixels"
    fine = Preprocessing("area", 384, 512, 64)
    assert resolution(fine, {"detail": 16}) == "384x512 pixels, but for local detail at half as many a side"


def test_maps_by_hand(colors):
    network = open_network(colors, threads=1)
    assert network.heads == ("red", "blue")
    assert network.cards["blue"].name == "blue"
    photos = images((24, 32), (60, 80), (24, 32), (31, 17))
    for photo, found in zip(photos, network.maps(photos), strict=True):
        for head, saliency in expected(photo).items():
            assert found[head].dtype == np.float32
            np.testing.assert_allclose(found[head], saliency, atol=1e-6)


def test_only_the_heads_that_were_asked_for(colors):
    network = open_network(colors, threads=1)
    (found,) = network.maps(images((24, 32)), ["blue"])
    assert list(found) == ["blue"]
    assert network.maps([], ["red"]) == []
    with pytest.raises(UsageError, match="no head 'rde'; did you mean 'red'"):
        network.maps(images((24, 32)), ["rde"])


def test_batches_are_of_equal_sizes_and_bounded(tmp_path, monkeypatch):
    path = tmp_path / "native.onnx"
    path.write_bytes(ow.student(metadata=ow.notes(preprocessing={"rule": "native", "height": 1, "width": 1})))
    network = open_network(path, threads=1)
    photos = images((8, 8), (12, 8), *[(8, 8)] * 20)
    with recorded() as runs:
        found = network.maps(photos)
    assert [r[1]["image"].shape for r in runs] == [(16, 8, 8, 3), (5, 8, 8, 3), (1, 12, 8, 3)]
    for photo, maps in zip(photos, found, strict=True):
        np.testing.assert_array_equal(maps["red"], network.maps([photo])[0]["red"])
    monkeypatch.setattr("salbox.runtime.network._MAX_BATCH_PIXELS", 2 * 64)
    with recorded() as runs:
        network.maps(photos[2:7])
    assert [len(r[1]["image"]) for r in runs] == [2, 2, 1]


def test_a_probability_is_brought_to_size_within_0_and_1(tmp_path):
    path = tmp_path / "mask.onnx"
    path.write_bytes(ow.student(metadata=ow.notes(output="probability")))
    network = open_network(path, threads=1)
    assert network.metadata.output == network.cards["red"].output == "probability"
    assert type(network.metadata).from_text(network.metadata.to_text()) == network.metadata
    photos = [*images((60, 80)), np.full((61, 83, 3), 255, np.uint8)]
    for photo, found in zip(photos, network.maps(photos), strict=True):
        np.testing.assert_allclose(found["red"], expected(photo)["red"], atol=1e-6)
        assert 0 <= found["red"].min() <= found["red"].max() <= 1


def test_a_log_density_sums_to_one_at_the_image_size(tmp_path):
    path = tmp_path / "density.onnx"
    path.write_bytes(ow.student(metadata=ow.notes(output="log_density")))
    (found,) = open_network(path).maps(images((50, 70)))
    assert np.exp(found["red"].astype(np.float64)).sum() == pytest.approx(1, abs=1e-5)


def test_one_session_shared_by_threads(colors):
    network = open_network(colors, threads=1)
    assert open_network(colors, threads=1).session is network.session
    assert open_network(colors, threads=2).session is not network.session
    photos = images(*[(24 + i, 32) for i in range(40)])
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda photo: open_network(colors, threads=1).maps([photo])[0], photos))
    for photo, maps in zip(photos, found, strict=True):
        np.testing.assert_allclose(maps["blue"], expected(photo)["blue"], atol=1e-6)


def test_a_file_that_changed_is_opened_again(colors):
    first = open_network(colors, threads=1)
    colors.write_bytes(ow.student(metadata=ow.notes(heads=("one", "two"))))
    os.utime(colors, ns=(1, 1))
    assert open_network(colors, threads=1).heads == ("one", "two")
    assert first.heads == ("red", "blue")


def test_threads_are_read_when_it_is_opened(colors, monkeypatch):
    monkeypatch.setenv("SALBOX_THREADS", "3")
    assert open_network(colors).session.threads == 3
    monkeypatch.setenv("SALBOX_THREADS", "1")
    assert open_network(colors).session.threads == 1
    with pytest.raises(UsageError, match="threads=0"):
        open_network(colors, threads=0)


def test_a_pickle_opens_the_file_again(colors):
    network = open_network(colors, threads=1)
    code = (
        "import pickle, sys; s = pickle.load(sys.stdin.buffer); "
        "print(s.heads, s.session.threads, 'torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(network), capture_output=True, check=True, timeout=60
    )
    assert done.stdout.decode().split("\n")[0] == "('red', 'blue') 1 False"
    assert done.stderr == b""


def test_a_gpu_that_is_not_there_is_no_silent_fall_back(colors, monkeypatch):
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(UsageError, match=r"has CPUExecutionProvider; .*onnxruntime-gpu"):
        open_network(colors, provider="cuda")
    # Installed, but without a driver: ONNX Runtime itself would go on with the processor.
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    if "CUDAExecutionProvider" not in onnxruntime.InferenceSession(colors).get_providers():
        with pytest.warns(UserWarning, match="CUDAExecutionProvider"), pytest.raises(SalboxError, match="cuda:1"):
            open_network(colors, provider="cuda:1")


@pytest.mark.parametrize("name", ["", "tpu", "cuda:", "cuda:x", "cpu:0", "cuda:-1"])
def test_a_device_that_does_not_exist(colors, name):
    with pytest.raises(UsageError, match="expected cpu, cuda or cuda:N"):
        open_network(colors, provider=name)


WRONG = {
    "another program's": ({"metadata": {"producer": "other"}}, "none that salbox exported, and no card beside it"),
    "no json": ({"metadata": {"salbox": "{"}}, "no JSON"),
    "deep json": ({"metadata": {"salbox": "[" * 100_000}}, "no JSON"),
    "a list": ({"metadata": {"salbox": "[]"}}, "no format"),
    "newer": ({"metadata": ow.notes(format=2)}, "update salbox"),
    "no heads": ({"metadata": ow.notes(heads=())}, "no heads"),
    "a head that is none": ({"metadata": {"salbox": ow.notes()["salbox"].replace('"name"', '"nam"')}}, "lack"),
    "equal heads": ({"metadata": ow.notes(heads=("red", "red"))}, "twice"),
    "strange output": ({"metadata": ow.notes(output="volume")}, "output"),
    "no network": ({"metadata": ow.notes(network=3)}, "network"),
    "a head in another folder": ({"metadata": ow.notes(heads=("x/../../y", "b"))}, "no folder can be called"),
    "a head that is a folder": ({"metadata": ow.notes(heads=("..", "b"))}, "no folder can be called"),
    "a head of escape codes": ({"metadata": ow.notes(heads=("\x1b[2J", "b"))}, "'', which no folder"),
    "parameters": ({"metadata": ow.notes(parameters="many")}, "parameters"),
    "preprocessing": ({"metadata": ow.notes(preprocessing={"rule": "fixed", "height": -3, "width": 1})}, "height=-3"),
    "one head more": ({"metadata": ow.notes(heads=("a", "b", "c"))}, "channels"),
    "other input": ({"outputs": [ow.port("colours", "float32", ("n", 2, "a", "b"))]}, "input and output"),
    "other type": ({"inputs": [ow.port("image", "float32", ("n", "h", "w", 3))]}, "cannot open|input and output"),
    "nodes that do not fit": ({"nodes": [ow.node("Conv", ["image"], ["maps"])]}, "cannot open"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_files_that_are_no_students(case, tmp_path):
    changes, said = WRONG[case]
    path = tmp_path / "wrong.onnx"
    path.write_bytes(ow.student(**changes))
    with pytest.raises(WeightsError, match=said) as caught:
        open_network(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_weights_that_are_not_finite(tmp_path):
    path = tmp_path / "broken.onnx"
    path.write_bytes(ow.student(initializers=[ow.tensor("weight", np.full((2, 3, 1, 1), np.nan, np.float32))]))
    with pytest.raises(WeightsError, match="not finite"):
        open_network(path).maps(images((8, 8)))


RELEASE = tuple(int(part) for part in onnxruntime.__version__.split(".")[:2])

BOMBS = {
    "while it runs": [ow.node("Resize", ["planes", "", "scales"], ["larger"])],
    "of 8 GB": [
        ow.node("Range", ["start", "end", "step"], ["r"]),
        ow.node("ReduceMax", ["r"], ["m"]),
        ow.node("Add", ["planes", "m"], ["larger"]),
    ],
    "while it is opened": [  # constants are folded then
        ow.node("ConstantOfShape", ["sides"], ["zeros"]),
        ow.node("Add", ["planes", "zeros"], ["larger"]),
    ],
}


@pytest.mark.parametrize("when", BOMBS)
def test_a_network_that_would_fill_the_memory(tmp_path, when):
    if when == "of 8 GB" and RELEASE < (1, 27):
        pytest.skip("this ONNX Runtime computes constants without a limit")
    path = tmp_path / "bomb.onnx"
    numbers = {"scales": np.array([1, 1, 1e5, 1e5], np.float32), "sides": np.array([1, 3, 10**6, 10**6])}
    numbers |= {name: np.array(n, np.float32) for name, n in (("start", 0), ("end", 1e9), ("step", 0.5))}
    weight = ow.tensor("weight", np.ones((2, 3, 1, 1), np.float32))
    changes = {"middle": BOMBS[when], "initializers": [weight, *[ow.tensor(*pair) for pair in numbers.items()]]}
    path.write_bytes(ow.student(**changes).replace(b"\n\x06planes\n\x06weight", b"\n\x06larger\n\x06weight"))
    code = (
        "import numpy as np, sys\n"
        "from salbox.runtime.network import open_network; from salbox.system.memory import peak_memory\n"
        "try: open_network(sys.argv[1]).maps([np.zeros((9, 9, 3), np.uint8)])\n"
        "except Exception as e: print(type(e).__name__, str(e)[-120:]); print((peak_memory() or 0) >> 20)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True, timeout=60)
    said, megabytes = done.stdout.splitlines()
    assert said.startswith("WeightsError")
    assert "damaged" not in said
    assert int(megabytes) < 600
    assert done.stderr == ""


def test_how_much_memory_a_network_may_take(tmp_path, monkeypatch):
    assert sessions.allowed_memory(4096) < 1.1 * 2**30
    assert sessions.allowed_memory(100 << 20) - sessions.allowed_memory(0) in (1600 << 20, 0)  # 0 on a small machine
    path = tmp_path / "large.onnx"
    numbers = (
        ow.tensor("scales", np.array([1, 1, 50, 50], np.float32)),
        ow.tensor("weight", np.ones((2, 3, 1, 1), np.float32)),
    )
    content = ow.student(middle=[ow.node("Resize", ["planes", "", "scales"], ["larger"])], initializers=numbers)
    path.write_bytes(content.replace(b"\n\x06planes\n\x06weight", b"\n\x06larger\n\x06weight"))
    monkeypatch.setenv(sessions.MEMORY_VARIABLE, "3")
    with pytest.raises(WeightsError, match=r"more than 3 MB of memory, which SALBOX_NETWORK_MEMORY=MB changes"):
        open_network(path).maps(images((9, 9)))
    monkeypatch.setenv(sessions.MEMORY_VARIABLE, "100")
    os.utime(path, (1, 1))
    open_network(path).maps(images((9, 9)))
    monkeypatch.setenv(sessions.MEMORY_VARIABLE, "much")
    with pytest.raises(UsageError, match="expected the MB"):
        sessions.allowed_memory(0)


def test_a_copy_is_the_same_file_and_only_of_a_student(colors, tmp_path):
    copy_network(colors, tmp_path / "copy.onnx")
    assert (tmp_path / "copy.onnx").read_bytes() == colors.read_bytes()
    colors.write_bytes(b"no network")
    with pytest.raises(WeightsError):
        copy_network(colors, tmp_path / "second.onnx")
    assert not (tmp_path / "second.onnx").exists()


def test_arithmetic_by_hand(colors):
    file = open_session(colors, threads=1).file
    counted = count_arithmetic(file, {"image": np.zeros((1, 12, 16, 3), np.uint8)})
    assert counted.macs == 12 * 16 * 2 * 3
    assert counted.flops == 2 * counted.macs + 6 * 8 * 2  # and one for each number of the pooled maps
    assert learned_numbers(file) == 6


def test_arithmetic_of_matrix_products(tmp_path):
    path = tmp_path / "products.onnx"
    factor = np.zeros((5, 7), np.float32)
    nodes = [ow.node("MatMul", ["x", "b"], ["y"]), ow.node("Gemm", ["y", "b"], ["maps"], ow.integer("transB", 1))]
    ports = {"inputs": [ow.port("x", "float32", (3, 5))], "outputs": [ow.port("maps", "float32", (3, 5))]}
    path.write_bytes(ow.model(nodes, [ow.tensor("b", factor)], **ports))
    counted = count_arithmetic(open_session(path, threads=1).file, {"x": np.zeros((3, 5), np.float32)})
    assert counted.macs == 3 * 5 * 7 * 2


@pytest.mark.skipif(RELEASE < (1, 25), reason="this ONNX Runtime has no deformable convolutions")
def test_arithmetic_of_deformable_convolutions_and_of_moves(tmp_path):
    path = tmp_path / "deformable.onnx"
    numbers = {"weight": np.ones((4, 6, 3, 3), np.float32), "offset": np.zeros((1, 18, 6, 8), np.float32)}
    nodes = [
        ow.node("Tile", ["x", "times"], ["twice"]),
        ow.node("DeformConv", ["twice", "weight", "offset"], ["maps"]),
    ]
    initializers = [*[ow.tensor(*pair) for pair in numbers.items()], ow.tensor("times", np.array([1, 2, 1, 1]))]
    ports = {"inputs": [ow.port("x", "float32", (1, 3, 8, 10))], "outputs": [ow.port("maps", "float32", (1, 4, 6, 8))]}
    path.write_bytes(ow.model(nodes, initializers, **ports, opset=19))
    counted = count_arithmetic(open_session(path, threads=1).file, {"x": np.ones((1, 3, 8, 10), np.float32)})
    assert counted.macs == 4 * 6 * 8 * 6 * 9
    assert counted.flops == 2 * counted.macs


def test_few_sessions_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(sessions, "_KEPT", 2)
    for index in range(4):
        (tmp_path / f"{index}.onnx").write_bytes(ow.student())
        open_session(tmp_path / f"{index}.onnx", threads=1)
    assert len(sessions._sessions) == 2
