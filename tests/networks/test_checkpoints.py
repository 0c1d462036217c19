"""Checkpoints: what is read, and what broken or hostile files are told."""

from __future__ import annotations

import os
import pickle
import zipfile

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402
from torch import nn  # noqa: E402

import salbox  # noqa: E402
from salbox.networks.checkpoints import load_tensors, read_tensors  # noqa: E402

STATE = {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.ones(2)}


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("pwned",)


def test_reads_what_torch_and_safetensors_write(tmp_path):
    save_file(STATE, tmp_path / "a.safetensors")
    written = {
        "plain": STATE,
        "wrapped": {"epoch": 3, "state_dict": STATE},
        "old": STATE,
        "parallel": {f"module.{k}": v for k, v in STATE.items()},
    }
    for name, value in written.items():
        torch.save(value, tmp_path / f"{name}.pth", _use_new_zipfile_serialization=name != "old")
    for path in sorted(tmp_path.iterdir()):
        read = read_tensors(path)
        assert read.keys() == STATE.keys()
        assert all(torch.equal(read[key], STATE[key]) for key in STATE)


def test_a_harmful_pickle_is_not_carried_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.pth").write_bytes(pickle.dumps({"weight": Harmful()}))
    torch.save({"weight": Harmful()}, tmp_path / "zip.pth")
    for name in ("plain.pth", "zip.pth"):
        with pytest.raises(salbox.WeightsError, match="not a checkpoint of tensors alone") as caught:
            read_tensors(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "pwned").exists()


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10_000_000))


BROKEN = {
    "missing": (lambda path: None, "no such file"),
    "empty": (lambda path: path.write_bytes(b""), "not a checkpoint"),
    "text": (lambda path: path.write_text("weights, honestly"), "not a checkpoint"),
    "list": (lambda path: torch.save([1, 2], path), "holds no state dict"),
    "nothing": (lambda path: torch.save({}, path), "holds no state dict"),
    "numbers": (lambda path: torch.save({"weight": 3.0}, path), "'weight' is a float"),
    "large": (lambda path: path.write_bytes(bytes(2_000_000)), "2000000 bytes are more"),
    "bomb": (bomb, "bytes are more than weights may have"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_files_get_one_line(kind, tmp_path):
    write, message = BROKEN[kind]
    path = tmp_path / "a.pth"
    write(path)
    with pytest.raises(salbox.WeightsError, match=message) as caught:
        read_tensors(path, max_bytes=1_000_000)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_numbers_that_changed_on_disk_are_refused(tmp_path):
    """PyTorch reads them without a word: it is built without checking what its archives hold."""
    path = tmp_path / "a.pth"
    torch.save({"w": torch.full((64,), 1.5)}, path)
    content = bytearray(path.read_bytes())
    content[content.index(torch.full((64,), 1.5).numpy().tobytes()) + 5] ^= 1
    path.write_bytes(content)
    assert torch.load(path, weights_only=True)["w"][1] != 1.5
    with pytest.raises(salbox.WeightsError, match="damaged"):
        read_tensors(path)


def test_a_broken_safetensors_file_gets_one_line(tmp_path):
    path = tmp_path / "a.safetensors"
    path.write_bytes(b"\xff" * 100)
    with pytest.raises(salbox.WeightsError, match="not a safetensors file"):
        read_tensors(path)


def test_the_key_that_was_asked_for(tmp_path):
    torch.save({"student": STATE}, tmp_path / "a.pth")
    assert read_tensors(tmp_path / "a.pth", within="student").keys() == STATE.keys()
    with pytest.raises(salbox.WeightsError, match="a checkpoint without 'teacher'"):
        read_tensors(tmp_path / "a.pth", within="teacher")


def test_loading_is_all_or_nothing():
    network = nn.Linear(3, 2)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    cases = [
        ({"weight": STATE["weight"]}, "lacks 'bias'"),
        ({**STATE, "extra": torch.ones(1)}, "it has no 'extra'"),
        ({**STATE, "weight": torch.ones(3, 2)}, r"'weight' has the shape \(3, 2\), expected is \(2, 3\)"),
        ({**STATE, "bias": torch.tensor([1.0, float("nan")])}, "'bias' holds values that are not finite"),
        ({**STATE, "bias": torch.ones(2, dtype=torch.int64)}, "'bias' holds values that are not finite"),
        # Small on disk, of any size when it is looked at.
        ({**STATE, "bias": torch.ones(1).expand(10**12)}, r"'bias' has the shape \(1000000000000,\)"),
    ]
    for tensors, message in cases:
        with pytest.raises(salbox.WeightsError, match=message):
            load_tensors(network, tensors, "file.pth")
        assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_half_precision_and_unused_tensors_are_taken():
    network = nn.Linear(3, 2)
    load_tensors(network, {**{k: v.half() for k, v in STATE.items()}, "head.x": torch.ones(1)}, "f", unused=["head."])
    assert torch.equal(network.weight, STATE["weight"])
    assert network.weight.dtype == torch.float32


def test_a_name_in_the_archive_that_is_no_text(tmp_path):
    path = tmp_path / "w.pth"
    torch.save({"weight": torch.zeros(3)}, path)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"data.pkl", b"data\xb7pkl"))
    with pytest.raises(salbox.WeightsError, match=r"w\.pth: ") as caught:
        read_tensors(path)
    assert "\n" not in str(caught.value)


ODD = {
    "sparse": lambda: torch.eye(3).to_sparse(),
    "elsewhere": lambda: torch.zeros(3, device="meta"),
    "complex": lambda: torch.zeros(3, dtype=torch.complex64),
    "quantized": lambda: torch.quantize_per_tensor(torch.zeros(3), 0.1, 0, torch.qint8),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ODD)
def test_tensors_that_are_no_plain_arrays(kind, tmp_path):
    path = tmp_path / "w.pth"
    torch.save({"weight": ODD[kind]()}, path)
    with pytest.raises(
        salbox.WeightsError, match=r"no plain array of numbers|not a checkpoint of tensors alone"
    ) as caught:
        read_tensors(path)
    assert "\n" not in str(caught.value)
