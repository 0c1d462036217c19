"""Networks with their resizing inside: OpenCV's pixels, salbox's maps, and the same in JavaScript."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

import skimage.data

import salbox
from salbox.errors import UsageError
from salbox.formats.onnx_file import inspect
from salbox.models.exported import packaged
from salbox.models.registry import GAZE
from salbox.networks.export import resize_matrices
from salbox.networks.export.any_size import USAGE_KEY, ToImageSize, ToWorkingSize, write_any_size
from salbox.networks.export.models import export_any_size
from salbox.runtime.network import open_network
from salbox.runtime.preprocessing import Preprocessing
from salbox.runtime.training_photos import read_training_photos

PHOTO = skimage.data.chelsea()
EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "onnx-in-javascript" / "saliency.mjs"
PACKAGE = "SALBOX_ONNXRUNTIME_WEB"


@pytest.fixture(scope="module")
def gaze(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("exported") / "gaze.onnx"
    write_any_size(Path(packaged(GAZE)), path)
    return path


@pytest.mark.parametrize(
    ("weights", "method", "source", "target"),
    [
        (resize_matrices.area, cv2.INTER_AREA, 37, 10),
        (resize_matrices.area, cv2.INTER_AREA, 12, 12),
        (resize_matrices.area, cv2.INTER_AREA, 40, 8),
        (resize_matrices.cubic, cv2.INTER_CUBIC, 10, 37),
        (resize_matrices.cubic, cv2.INTER_CUBIC, 1, 5),
    ],
)
def test_weights_are_opencv_s(weights, method, source, target):
    lengths = (torch.tensor([float(side)], dtype=torch.float64) for side in (source, target))
    # Each column is what one pixel becomes; columns stay as many as they are.
    expected = cv2.resize(np.eye(source, dtype=np.float64), (source, target), interpolation=method)
    np.testing.assert_allclose(weights(*lengths).numpy(), expected, atol=1e-5)


@pytest.mark.parametrize(
    "rule",
    [
        Preprocessing("area", 240, 320, 32),
        Preprocessing("fixed", 48, 64),
        Preprocessing("native", 48, 64),
        Preprocessing("bounded", 48, 64, 16),
    ],
)
@pytest.mark.parametrize("shape", [(1, 1), (96, 128), (97, 141), (600, 150), (90, 970), (20, 300)])
def test_working_copies_are_salbox_s(rule, shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    found = ToWorkingSize(rule)(torch.from_numpy(image[None]))[0].numpy()
    expected = rule.prepare(image)
    assert found.shape == expected.shape
    difference = np.abs(found.astype(int) - expected)
    assert difference.max() <= 1  # half-way between two levels
    assert (difference > 0).mean() < 0.02


def test_maps_are_brought_back_as_salbox_does():
    coarse = torch.randn((1, 3, 7, 9))
    image = torch.zeros((1, 41, 30, 3), dtype=torch.uint8)
    maps = ToImageSize([2, 0], "log_density")(image, coarse).numpy()
    for place, channel in enumerate((2, 0)):
        expected = cv2.resize(coarse[0, channel].numpy(), (30, 41), interpolation=cv2.INTER_LINEAR).astype(float)
        np.testing.assert_allclose(maps[0, place], expected - np.log(np.exp(expected).sum()), atol=1e-4)
    share = ToImageSize([1], "probability")(image, coarse).numpy()
    assert (share.min(), share.max()) == (0, 1)


def test_the_file_gives_salbox_s_maps(gaze):
    network = open_network(gaze)
    assert network.metadata.preprocessing.rule == "native"
    raw = network.session.run({"image": PHOTO[None]}, ["maps"])[0]
    expected = salbox.predict(PHOTO, "gaze")["gaze"]
    assert raw.shape == (1, 1, *PHOTO.shape[:2])
    np.testing.assert_allclose(raw[0, 0], expected, atol=1e-3 * float(np.ptp(expected)))
    # As a model of salbox it gives the same.
    np.testing.assert_allclose(salbox.load(str(gaze))(PHOTO), raw[0, 0], atol=1e-4)


def test_the_file_says_how_it_is_called(gaze):
    usage = json.loads(inspect(gaze).metadata[USAGE_KEY])
    assert usage["heads"] == ["gaze"]
    assert "uint8 (N, H, W, 3), RGB" in usage["image"]
    assert "exp of them sums to 1" in usage["maps"]


def test_heads_that_were_asked_for(tmp_path):
    names = ["gbvs.student", "aim.student"]
    export_any_size([salbox.load(name) for name in names], tmp_path / "two.onnx")
    network = open_network(tmp_path / "two.onnx")
    assert network.heads == ("gbvs", "aim")
    small = PHOTO[:120, :170]
    found, expected = network.maps([small])[0], salbox.predict(small, names)
    for head, name in zip(network.heads, names, strict=True):
        np.testing.assert_allclose(found[head], expected[name], atol=1e-3 * float(np.ptp(expected[name])))


def test_the_photos_that_it_learned_from_stay_in_it(tmp_path):
    source = Path(packaged("unisal.people.onnx"))
    write_any_size(source, tmp_path / "people.onnx")
    photos = read_training_photos(tmp_path / "people.onnx")
    assert len(photos["people"].training) > 1000
    assert photos == read_training_photos(source)


def test_models_of_several_files_are_refused(tmp_path):
    with pytest.raises(UsageError, match="--any-size takes"):
        export_any_size([salbox.load("gaze"), salbox.load("aim.student")], tmp_path / "a.onnx")
    with pytest.raises(UsageError, match="--any-size takes"):
        export_any_size([salbox.load("gaussian")], tmp_path / "a.onnx")
    with pytest.raises(UsageError, match="no head 'gbv'"):
        write_any_size(Path(packaged("box.onnx")), tmp_path / "a.onnx", ["gbv"])
    assert not list(tmp_path.iterdir())


def test_what_ships_is_exported_by_its_name(cli, gaze, tmp_path):
    code, out, complaints = cli("export", "gaze", "-o", tmp_path / "a.onnx")
    assert code == 0, complaints
    assert "wrote" in out
    assert (tmp_path / "a.onnx").read_bytes() == gaze.read_bytes()
    code, _, complaints = cli("export", "gaze", "-o", tmp_path / "b.onnx", "--half")
    assert code == 2
    assert "--half does nothing without a network that is no ONNX file yet" in complaints


@pytest.mark.slow
def test_the_example_in_javascript_gives_salbox_s_map(gaze, tmp_path):
    package = os.environ.get(PACKAGE)
    if shutil.which("node") is None or not package:
        pytest.skip(f"needs Node, and {PACKAGE}: the folder of the npm package onnxruntime-web")
    photo, output = tmp_path / "photo.ppm", tmp_path / "map.bin"
    photo.write_bytes(b"P6\n%d %d\n255\n" % PHOTO.shape[1::-1] + PHOTO.tobytes())
    command = ["node", str(EXAMPLE), str(gaze), str(photo), str(output)]
    done = subprocess.run(
        command, env={**os.environ, "ONNXRUNTIME_WEB": package}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = salbox.predict(PHOTO, "gaze")["gaze"]
    found = np.fromfile(output, np.float32).reshape(expected.shape)
    np.testing.assert_allclose(found, expected, atol=1e-3 * float(np.ptp(expected)))
    y, x = np.unravel_index(expected.argmax(), expected.shape)
    assert f"x {x}, y {y} of 451 x 300" in done.stdout
