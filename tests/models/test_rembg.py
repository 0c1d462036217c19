"""Networks in rembg's folder: found there by name, or one line that says where they come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx_writer as ow
import pytest
from chunk_folder import written

import salbox
from salbox.models import registry
from salbox.models.loading import code_paths, model_code, weights_path
from salbox.models.rembg import BIREFNET, REMBG, rembg_folder

NAMES = ["u2net", "u2netp", "silueta", "isnet", "isnet-general-use", *(f"birefnet-{kind}" for kind in BIREFNET)]


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path) -> Path:
    """Rembg's folder, empty; no weights anywhere else."""
    monkeypatch.delenv("SALBOX_WEIGHTS", raising=False)
    monkeypatch.setenv("SALBOX_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("U2NET_HOME", str(tmp_path / "rembg"))
    (tmp_path / "rembg").mkdir()
    return tmp_path / "rembg"


def write_network(path: Path, side: int = 320, **changes) -> Path:
    """Write a network whose map is the sigmoid of the weighted channels, with side outputs behind."""
    given = {
        "sides": (side, side),
        "weights": (0.1, 0.2, 0.3),
        "last": "Sigmoid",
        "outputs": ("map", "side"),
        **changes,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ow.foreign(**given))
    return path


def test_rembg_s_folder(monkeypatch, tmp_path):
    assert rembg_folder() == tmp_path / "rembg"
    monkeypatch.delenv("U2NET_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert rembg_folder() == tmp_path / "data" / ".u2net"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert rembg_folder() == Path.home() / ".u2net"


def test_every_name_is_a_model():
    assert list(REMBG) == NAMES
    assert set(NAMES) <= set(salbox.list_models("object"))
    assert not set(NAMES) & set(salbox.list_models(ready=True))


@pytest.mark.parametrize("name", NAMES)
def test_without_a_file_one_line_says_where_it_comes_from(name, folder):
    file = "isnet-general-use" if name == "isnet" else name
    with pytest.raises(salbox.WeightsError) as caught:
        salbox.load(name)
    said = str(caught.value)
    assert f"there is no {folder / file}.onnx" in said
    assert f"'rembg d {file}' downloads" in said
    assert f"--weights {name}=" in said
    assert "\n" not in said


@pytest.mark.parametrize(("name", "file", "side"), [("u2netp", "u2netp", 320), ("isnet", "isnet-general-use", 1024)])
def test_a_file_in_the_folder_needs_no_word_more(name, file, side, folder):
    path = write_network(folder / f"{file}.onnx", side)
    model = salbox.load(name)
    assert model.weights == path
    saliency = model(np.zeros((30, 40, 3), np.uint8))
    assert saliency.shape == (30, 40)
    assert model.card.output == "probability"


def test_what_is_given_comes_before_salbox_s_folder_and_that_before_rembg_s(folder, tmp_path, monkeypatch):
    in_rembg = write_network(folder / "u2netp.onnx")
    assert weights_path("u2netp") == in_rembg
    in_salbox = write_network(tmp_path / "weights" / "u2netp.onnx")
    monkeypatch.setenv("SALBOX_WEIGHTS", str(tmp_path / "weights"))
    assert weights_path("u2netp") == in_salbox
    given = write_network(tmp_path / "mine.onnx")
    assert weights_path("u2netp", given) == given
    with pytest.raises(salbox.WeightsError, match="not used"):
        weights_path("u2netp", given, "0" * 64)


def test_the_authors_file_is_for_pytorch(tmp_path):
    """Told apart by how the name ends; what is broken is said by who reads it."""
    (tmp_path / "u2netp.pth").write_bytes(b"nothing")
    pytest.importorskip("torch")
    with pytest.raises(salbox.WeightsError, match="not a checkpoint of tensors alone"):
        salbox.load("u2netp", weights=tmp_path / "u2netp.pth")
    (tmp_path / "u2netp.onnx").write_bytes(b"nothing")
    with pytest.raises(salbox.WeightsError, match="not an ONNX network"):
        salbox.load("u2netp", weights=tmp_path / "u2netp.onnx")


def test_only_what_no_pytorch_reads_is_refused_where_there_is_an_onnx_alone(tmp_path):
    (tmp_path / "silueta.pth").write_bytes(b"nothing")
    with pytest.raises(salbox.WeightsError, match="not an ONNX network"):
        salbox.load("silueta", weights=tmp_path / "silueta.pth")


def test_chunks_are_joined_where_a_folder_is_given_or_lies_in_salbox_s(tmp_path, monkeypatch):
    content = write_network(tmp_path / "whole.onnx", 1024).read_bytes()
    folder = written(tmp_path / "weights" / "isnet" / "dist", (content[:99], content[99:]))
    path = weights_path("isnet", folder.parent)
    assert path.read_bytes() == content
    assert weights_path("isnet", str(folder)) == path
    assert salbox.load("isnet", weights=folder)(np.zeros((3, 5, 3), np.uint8)).shape == (3, 5)
    monkeypatch.setenv("SALBOX_WEIGHTS", str(tmp_path / "weights"))
    assert weights_path("isnet") == path
    with pytest.raises(salbox.WeightsError, match=r"a folder without resources\.json"):
        weights_path("isnet", tmp_path)
    with pytest.raises(salbox.WeightsError, match="no such file"):
        weights_path("u2netp", folder)


def test_kept_figures_change_with_what_runs_either_file():
    """What computes the maps reaches both the PyTorch network and what runs an .onnx."""
    from salbox.system.identity import module_files

    modules = {path.partition(":")[0] for path in code_paths("u2netp")}
    files = {path.name for path in module_files(*modules) if path.parent.name in ("u2net", "runtime")}
    assert {"network.py", "blocks.py", "rembg.py", "foreign.py"} <= files
    assert model_code("u2netp") != model_code("silueta")


def test_the_list_says_what_is_ready_and_what_is_needed(cli, folder, tmp_path, monkeypatch):
    path = write_network(folder / "u2netp.onnx")
    written(tmp_path / "weights" / "isnet" / "dist")
    monkeypatch.setenv("SALBOX_WEIGHTS", str(tmp_path / "weights"))
    code, printed, _ = cli("models", "--long", "--task", "object")
    assert code == 0
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    assert f"ready weights: {path}" in lines
    assert f"ready weights: {tmp_path / 'weights' / 'isnet'}" in lines
    assert any(line.startswith("needs weights: silueta.onnx in the folder of rembg") for line in lines)
    assert not (tmp_path / "home").exists()  # nothing is joined to be listed
    for name in ("silueta.onnx", "silueta.pth"):
        (tmp_path / "weights" / name).touch()
    assert "several files" in cli("models", "--long", "--task", "object")[1]
    assert "ready comes with all it needs" in " ".join(cli("models", "--long", "--task", "fixation")[1].split())


def test_a_url_needs_its_hash():
    with pytest.raises(salbox.UsageError, match="give the file's sha256"):
        weights_path("isnet", "https://example.org/isnet.onnx")


def test_names_that_rembg_does_not_say_are_proposed():
    with pytest.raises(salbox.UsageError, match=r"no model 'birefnet'"):
        salbox.load("birefnet")
    assert registry.MODELS["isnet"].file == "isnet-general-use"
