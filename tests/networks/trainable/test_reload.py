"""Students read back from what they were exported to."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")

import onnx  # noqa: E402

import salbox  # noqa: E402
from salbox.models.cards import ModelCard  # noqa: E402
from salbox.networks.export.onnx import export_onnx  # noqa: E402
from salbox.networks.factorized.design import factorize  # noqa: E402
from salbox.networks.trainable.factory import build_network  # noqa: E402
from salbox.networks.trainable.reload import exported_tensors, read_exported  # noqa: E402
from salbox.runtime.metadata import KEY  # noqa: E402

CARD = ModelCard("a", task="fixation", output="score")
HEADS = ("a", "b")


@pytest.fixture(scope="module")
def network():
    with pytest.warns(UserWarning, match="random weights"):
        made = build_network("box", HEADS, size=(64, 96), seed=3, width=8, deepest=8, detail=4, output="log_density")
    with torch.no_grad():  # numbers that half precision holds, and norms of which none is like another
        generator = torch.Generator().manual_seed(0)
        for parameter in made.parameters():
            parameter.copy_((parameter + 0.1 * torch.rand(parameter.shape, generator=generator)).half())
    return made.eval()


@pytest.fixture(scope="module", params=[False, True], ids=["single", "half"])
def exported(request, network, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "box.onnx"
    export_onnx(network, path, dict.fromkeys(HEADS, CARD), {name: name for name in HEADS}, half=request.param)
    return path


def test_the_same_network_comes_back(network, exported):
    found = read_exported(exported)
    assert (found.name, found.heads, found.settings) == (network.name, network.heads, network.settings)
    assert found.preprocessing == network.preprocessing
    for name, tensor in found.state_dict().items():
        assert torch.equal(tensor, network.state_dict()[name]), name


@pytest.fixture(scope="module")
def of_two_domains():
    with pytest.warns(UserWarning, match="random weights"):
        made = build_network("unisal", HEADS, size=(64, 96), seed=3, domains=("OSIE", "MIT1003"))
    with torch.no_grad():  # else the Gaussians of both are the same
        made.get_parameter("decoder.coarse_gaussians_osie").add_(0.1)
    made.choose_domain("MIT1003")
    return made.eval()


@pytest.mark.parametrize("is_factorized", [False, True])
def test_a_file_holds_the_chosen_one_of_several_domains(of_two_domains, is_factorized, tmp_path):
    network = factorize(of_two_domains, 5, seed=1).eval() if is_factorized else of_two_domains
    path = tmp_path / "mit1003.onnx"
    export_onnx(network, path, dict.fromkeys(HEADS, CARD), {name: name for name in HEADS})
    found = read_exported(path)
    assert (found.network if is_factorized else found).domains == ("MIT1003",)
    images = 255 * torch.rand((2, 3, 64, 96), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(images)
        assert torch.equal(found(images), expected)
        network.choose_domain("OSIE")
        assert not torch.equal(network(images), expected)
        network.choose_domain("MIT1003")  # as the others find it


def test_a_file_that_does_not_say_how_its_network_is_made(exported, tmp_path):
    graph = onnx.load(exported)
    for entry in graph.metadata_props:
        if entry.key == KEY:
            values = json.loads(entry.value)
            del values["settings"]
            entry.value = json.dumps(values)
    old = tmp_path / "old.onnx"
    onnx.save(graph, old)
    assert salbox.load(f"{old}#a").head == "a"
    with pytest.raises(salbox.WeightsError, match="does not say how its network is made"):
        read_exported(old)


def test_settings_of_another_network_are_refused(exported, tmp_path):
    graph = onnx.load(exported)
    for entry in graph.metadata_props:
        if entry.key == KEY:
            values = json.loads(entry.value)
            values["settings"]["width"] = 12
            entry.value = json.dumps(values)
    other = tmp_path / "other.onnx"
    onnx.save(graph, other)
    with pytest.raises(salbox.WeightsError, match="has the shape"):
        read_exported(other)


def test_what_is_no_student_is_refused(tmp_path):
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"weights, honestly")
    with pytest.raises(salbox.WeightsError, match=r"broken\.onnx") as caught:
        exported_tensors(broken)
    assert "\n" not in str(caught.value)
