"""Networks by name: seeds, first weights' conventions, and what is refused."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

import salbox  # noqa: E402
from salbox.networks.encoders import WeightsWarning  # noqa: E402
from salbox.networks.trainable.factory import build_network, rebuild  # noqa: E402
from salbox.runtime.preprocessing import Preprocessing  # noqa: E402


def student(name: str, heads=("a",), **arguments):
    with pytest.warns(WeightsWarning, match="random weights"):
        return build_network(name, heads, **arguments)


@pytest.mark.parametrize("name", ["box", "kdsalbox"])
def test_the_seed_decides_and_the_generator_is_left_alone(name):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first, same, other = (student(name, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(first[key], same[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


def test_the_card_is_told_of_random_weights():
    network = student("box")
    assert network.init_note == "encoder from random weights"
    assert network.training


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        ("box", None, Preprocessing("area", 192, 256)),
        ("box", (96, 128), Preprocessing("area", 96, 128)),
        ("resnet18-a", None, Preprocessing("fixed", 240, 320)),
        ("resnet18-b", (64, 64), Preprocessing("fixed", 64, 64)),
        ("kdsalbox", None, Preprocessing("native", 480, 640)),
        ("kdsalbox", (96, 128), Preprocessing("area", 96, 128)),
        ("msinet", None, Preprocessing("area", 240, 320)),
        ("salicon", (192, 256), Preprocessing("area", 192, 256, 64)),
    ],
)
def test_size_at_which_photos_are_looked_at(name, size, expected):
    assert student(name, size=size).preprocessing == expected


def test_the_box_takes_other_encoders():
    network = student("box", encoder="mobilenetv3_small_050", width=16).eval()
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 64, 64)).shape == (1, 1, 32, 32)


@pytest.mark.parametrize("name", ["box", "unisal", "dinet"])
def test_first_weights_of_pytorch_come_with_its_encoder(name, tmp_path):
    def built(init, encoder=None):
        return build_network(name, ("a",), encoder=encoder, init=init)

    torch.save(student(name, encoder="mobilenetv2_100", seed=1).encoder.state_dict(), tmp_path / "encoder.pt")
    network = built(tmp_path / "encoder.pt")
    assert network.arguments["encoder"] == "mobilenetv2_100"
    assert built(tmp_path / "encoder.pt", "mobilenetv2").arguments["encoder"] == "mobilenetv2"
    assert student(name).arguments["encoder"] == "mobilenetv2"


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("boks", {}, "no network 'boks' to train; did you mean 'box'"),
        ("box", {"heads": ()}, "heads=.*expected names"),
        ("box", {"heads": ("a", "a")}, "each once"),
        ("box", {"heads": "gbvs"}, "heads='gbvs'"),
        ("box", {"stride": 3}, "stride=3: expected one of"),
        ("box", {"width": 0}, "width=0"),
        ("box", {"widht": 8}, "has no 'widht'; did you mean 'width'"),
        ("box", {"output": "density"}, "output='density': expected one of score, log_density, probability"),
        ("box", {"size": (0, 32)}, "height=0"),
        ("box", {"encoder": "mobilenetv2_10"}, "no encoder 'mobilenetv2_10'; did you mean"),
        ("box", {"encoder": "vit_tiny_patch16_224"}, "encoder 'vit_tiny_patch16_224': "),
        ("kdsalbox", {"encoder": "resnet18"}, "'kdsalbox' has no 'encoder'"),
        ("unisol", {}, "no network 'unisol' to train; did you mean 'unisal'"),
        ("msinet", {"encoder": "mobilenetv2_10"}, "no encoder 'mobilenetv2_10'"),
        ("sam", {"width": 0}, "network 'sam': width=0: expected a whole number, at least 1"),
        ("transalnet", {"width": 8}, "network 'transalnet' has no 'width'"),
        ("salicon", {"size": (32, 64)}, "no size in multiples of 64"),
        ("deepgaze2e", {}, "network 'deepgaze2e' cannot be trained: it is four networks"),
        ("resnet18-b", {"name": "x"}, "has no 'name'"),
    ],
)
def test_refuses_in_one_line(name, arguments, message):
    heads = arguments.pop("heads", ("a",))
    if "name" in arguments:
        with pytest.raises(salbox.UsageError, match=message):
            rebuild(name, heads, arguments)
        return
    with pytest.raises(salbox.UsageError, match=message) as caught:
        build_network(name, heads, **arguments)
    assert "\n" not in str(caught.value)


DESCRIBED = {"encoder": "mobilenetv2", "size": [32, 64], "width": 8, "detail": 0}


@pytest.mark.parametrize(
    ("name", "heads", "settings", "message"),
    [
        ([1], ["a"], DESCRIBED, "not a name, a list of heads' names and settings"),
        ("box", "a", DESCRIBED, "not a name, a list"),
        ("box", ["a", 3], DESCRIBED, "not a name, a list"),
        ("box", ["../../a"], DESCRIBED, "not a name, a list"),
        ("box", ["a"], [DESCRIBED], "not a name, a list"),
        ("box", ["a"], DESCRIBED | {"detail": 10**400}, "cannot be made as described"),
        ("box", ["a"], DESCRIBED | {"width": 10**6}, "numbers, more than networks have"),
        ("box", ["a"], DESCRIBED | {"width": "x"}, "width='x'"),
        ("box", ["a"], DESCRIBED | {"encoder": {"a": []}}, "cannot be made as described"),
        ("box", ["a"], DESCRIBED | {"size": {}}, "cannot be made as described"),
        ("box", ["a"], DESCRIBED | {"context": [[1]]}, "context"),
    ],
)
def test_a_description_out_of_a_file_that_makes_no_network(name, heads, settings, message):
    with pytest.raises(salbox.UsageError, match=message) as caught:
        rebuild(name, heads, settings)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
