"""The lines of the registry: what they name is there, and cards are read without what they describe."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import salbox
from salbox.models.entries import (
    Checkpoint,
    ExportedFile,
    Function,
    Packaged,
    PackagedCheckpoint,
    PackagedPredictor,
)
from salbox.models.exported import packaged
from salbox.models.registry import GAZE, MODELS, PEOPLE, SHIPPED, resolve
from salbox.models.rembg import RembgFile

PREDICTORS = {entry.predictor: name for name, entry in MODELS.items() if isinstance(entry, Checkpoint)}


def test_every_kind_is_there():
    kinds = {Function, Checkpoint, Packaged, PackagedPredictor, PackagedCheckpoint, RembgFile}
    assert {type(entry) for entry in MODELS.values()} == kinds


@pytest.mark.parametrize("name", MODELS)
def test_every_card_is_where_the_line_says(name):
    assert MODELS[name].read_card(name) == salbox.card(name)
    assert salbox.card(name).name == name


@pytest.mark.parametrize("name", [name for name, entry in MODELS.items() if isinstance(entry, Function)])
def test_every_function_is_where_the_line_says(name):
    entry = MODELS[name]
    assert entry.code == entry.function
    assert callable(resolve(entry.function))


@pytest.mark.parametrize("path", PREDICTORS)
def test_every_predictor_is_where_the_line_says(path):
    """Its `load` takes a file and a device; what it is called with are an image and the card's parameters."""
    if path.startswith("salbox.networks."):
        pytest.importorskip("torch")
    predictor = resolve(path)
    taken = {p.name: p.default for p in inspect.signature(predictor.load).parameters.values()}
    assert taken == {"weights": inspect.Parameter.empty, "device": "cpu"}
    (image, *parameters) = list(inspect.signature(predictor.__call__).parameters.values())[1:]
    assert image.name == "image"
    card = salbox.card(PREDICTORS[path])
    assert {p.name: p.default for p in parameters} == {p.name: p.default for p in card.parameters}


def test_every_packaged_head_is_in_its_file():
    entries = [entry for entry in MODELS.values() if isinstance(entry, Packaged)]
    files = {entry.file for entry in entries}
    assert files == {SHIPPED, "scfnet.kd.onnx", *(f"{name}.onnx" for name in PEOPLE)}
    for file in files:
        network = resolve(Packaged.code.partition(":")[0] + ":open_network")(packaged(file))
        assert {entry.head for entry in entries if entry.file == file} == set(network.heads)
        assert isinstance(network, resolve(Packaged.code))


def test_what_a_model_is_loaded_from_is_what_its_line_says():
    assert salbox.load("gbvs").weights is None
    assert salbox.load("gbvs.student").weights == Path(packaged(SHIPPED))
    assert salbox.load("gaze").weights == Path(packaged(GAZE))


def test_a_file_is_opened_like_a_line_of_the_registry():
    path = f"{packaged(SHIPPED)}#gbvs"
    entry = ExportedFile(path)
    assert entry.read_card(path) == salbox.card(path)
    assert entry.weights_path(path, None, None) == Path(packaged(SHIPPED))
    with pytest.raises(salbox.UsageError, match="is a file with its weights inside; leave weights out"):
        entry.weights_path(path, "w.onnx", None)


@pytest.mark.slow
def test_reading_every_card_imports_no_network():
    code = (
        "import sys, salbox; [salbox.card(name) for name in salbox.list_models()];"
        "heavy = {'torch', 'torchvision', 'timm', 'onnx', 'matplotlib', 'skimage', 'pandas', 'requests'};"
        "heavy &= set(sys.modules);"
        "sys.exit(', '.join(sorted(heavy)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
