"""A branch begins as its first teacher, and each head learns from the photos that its teacher has maps of."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import programs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")
pytest.importorskip("lightning")

from salbox.imaging.inputs import ImageFile  # noqa: E402
from salbox.networks.trainable.box import Box  # noqa: E402
from salbox.networks.trainable.branch import FIRST_ROW  # noqa: E402
from salbox.networks.unisal.design import UniSalDesign  # noqa: E402


@pytest.fixture(scope="module")
def script():
    return programs.script("add_branch")


def test_a_branch_begins_as_its_first_teacher(script):
    torch.manual_seed(1)
    source = Box(["a"], size=(64, 96), width=8)
    teacher = UniSalDesign(["b"], size=(96, 128), domains=("osie", "mit1003"), domain="mit1003").eval()
    with torch.no_grad():
        for name, values in teacher.state_dict().items():
            if name.endswith("running_mean"):
                values.add_(0.1 * torch.rand(values.shape))
        network = script.new_branch(source, teacher).eval()
        images = 255 * torch.rand(1, 3, 64, 96)
        torch.testing.assert_close(network.encode(images)[0], teacher.taps(images)["stride8"])
    assert network.heads == ("unisal", "sam", "dgii")
    assert network.preprocessing == source.preprocessing  # it sees what the rest of the network sees
    blocks = teacher.encoder.state_dict()
    for place, row in enumerate(network.branch.rows, start=FIRST_ROW):
        assert all(torch.equal(values, blocks[f"blocks.{place}.{name}"]) for name, values in row.state_dict().items())
    gaussians = network.branch.readout.layers.coarse_gaussians_student
    assert torch.equal(gaussians, teacher.decoder.coarse_gaussians_mit1003)


def test_whom_a_head_learns_from(script, monkeypatch):
    names = ("OSIE/1", "MIT1003/kept", "DUTS-TR/a", "DUTS-TR/b")
    photos = tuple(ImageFile(Path(f"{name}.jpg"), Path(name)) for name in names)
    monkeypatch.setattr(script, "photos", lambda: photos)
    monkeypatch.setattr(script, "unlabeled", lambda: photos[3:])
    monkeypatch.setattr(script, "validates", lambda photo: photo.output.name == "kept")
    assert [str(photo.output) for photo in script.taught("unisal")] == list(names)
    assert [str(photo.output) for photo in script.taught("sam")] == ["OSIE/1", "MIT1003/kept", "DUTS-TR/b"]
    assert [str(photo.output) for photo in script.learned("dgii")] == ["OSIE/1", "DUTS-TR/b"]
    monkeypatch.setattr(script, "TeacherMaps", lambda folder: SimpleNamespace(read=lambda key: folder.name))
    every = script.samples(photos[:1], ("unisal",))
    assert [read and read() for read in every[0].maps] == ["unisal-0", None, None]
