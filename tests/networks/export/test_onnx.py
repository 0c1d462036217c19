"""Networks as ONNX: the same maps as PyTorch's at any size and number, weights by name, nothing of this machine."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

import salbox  # noqa: E402
from salbox.errors import SalboxError, UsageError, WeightsError  # noqa: E402
from salbox.formats.onnx_file import inspect  # noqa: E402
from salbox.models.model import Model  # noqa: E402
from salbox.networks.export.models import export_model, shrink_exported  # noqa: E402
from salbox.networks.export.onnx import export_onnx, largest_difference, pictures, spread_difference  # noqa: E402
from salbox.networks.trainable.base import TrainableNetwork  # noqa: E402
from salbox.networks.trainable.box import Box  # noqa: E402
from salbox.runtime.metadata import INPUT  # noqa: E402
from salbox.runtime.network import open_network  # noqa: E402
from salbox.runtime.preprocessing import Preprocessing  # noqa: E402

HEADS = ("one", "two")


class Small(TrainableNetwork):
    """Every kind of layer that students are made of, few channels each."""

    def __init__(self, output="score"):
        super().__init__("small", HEADS, Preprocessing("area", 64, 96, multiple=16))
        self.output = output
        nn = torch.nn
        self.encoder = nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(inplace=True)
        )
        self.deep = nn.Sequential(
            nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8, bias=False), nn.BatchNorm2d(8), nn.Hardswish()
        )
        self.norm = nn.GroupNorm(2, 8)
        self.head = nn.Conv2d(8, len(HEADS), 1)
        random = torch.Generator().manual_seed(0)
        for name, values in self.state_dict().items():
            if values.is_floating_point():
                noise = torch.randn(values.shape, generator=random)
                values.copy_(noise.abs() + 0.5 if "running_var" in name else noise)

    def features(self, images):
        early = self.encoder(images / 127.5 - 1)
        late = self.norm(self.deep(early))
        enlarged = torch.nn.functional.interpolate(late, size=early.shape[-2:], mode="bilinear", align_corners=False)
        return {"early": early, "late": early + enlarged}

    def forward(self, images):
        return self.head(torch.nn.functional.max_pool2d(self.features(images)["late"], 3, 1, 1))


def cards():
    return {head: salbox.card("gaussian") for head in HEADS}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "small.onnx"
    network = Small().train()
    export_onnx(network, path, cards(), {"one": "aim", "two": "bms"})
    assert network.training, "left as it was"
    return network.eval(), path


@pytest.mark.parametrize("size", [(64, 96), (33, 47), (200, 40), (3, 5)])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_torch_and_onnx_runtime_agree(exported, size, count):
    network, path = exported
    images = pictures(count, *size)
    (found,) = open_network(path, threads=1).session.run({INPUT: images})
    with torch.no_grad():
        expected = network.maps(torch.from_numpy(images).permute(0, 3, 1, 2).float()).numpy()
    assert found.shape == expected.shape
    rounding = 1e-6  # of values in 0..1: the flattest of these maps have a range of 1e-5
    assert (np.abs(found - expected).max(axis=(2, 3)) < 1e-3 * np.ptp(expected, axis=(2, 3)) + rounding).all()


def test_what_is_in_the_file(exported):
    network, path = exported
    student = open_network(path)
    assert student.heads == HEADS
    assert student.cards["one"] == salbox.card("gaussian")
    assert [head.teacher for head in student.metadata.heads] == ["aim", "bms"]
    assert student.metadata.preprocessing == network.preprocessing
    assert student.metadata.parameters == sum(p.numel() for p in network.parameters())
    (found,) = student.maps([np.zeros((70, 50, 3), np.uint8)])
    assert found["two"].shape == (70, 50)


def test_weights_and_norms_keep_names_and_values(exported):
    network, path = exported
    stored = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}
    state = {name: v.numpy() for name, v in network.state_dict().items() if name.startswith(("encoder", "deep"))}
    for name, values in state.items():
        if not name.endswith("num_batches_tracked"):
            np.testing.assert_array_equal(stored[name], values)


def test_damaged_files_open_or_cost_one_line(exported, tmp_path):
    content, path = exported[1].read_bytes(), tmp_path / "damaged.onnx"
    random = np.random.default_rng(0)
    image = np.zeros((40, 60, 3), np.uint8)
    opened = refused = 0
    for turn in range(200):
        octets = bytearray(content)
        if turn % 4 == 0:
            del octets[random.integers(len(octets)) :]
        for _ in range(turn % 4 * 4):
            octets[random.integers(len(octets))] = random.integers(256)
        path.write_bytes(octets)
        try:
            (maps,) = open_network(path, threads=1).maps([image])
        except SalboxError as error:
            refused += "\n" not in str(error)
        else:
            assert all(m.shape == (40, 60) and np.isfinite(m).all() for m in maps.values())
            opened += 1
    assert opened + refused == 200
    assert refused >= 50  # what is cut off, at least; a changed weight or text may go unnoticed


def test_nothing_of_this_machine_is_in_the_file(exported):
    content = exported[1].read_bytes()
    assert not [
        word for word in (b"/home", b"/work", b"/tmp", b"site-packages", b".py", b"Traceback") if word in content
    ]


def test_a_log_density_and_half_precision(tmp_path):
    network = Small("log_density")
    export_onnx(network, tmp_path / "full.onnx", cards(), dict.fromkeys(HEADS, "aim"))
    shrink_exported(tmp_path / "full.onnx", tmp_path / "half.onnx")
    student, half = open_network(tmp_path / "full.onnx"), open_network(tmp_path / "half.onnx")
    assert half.metadata == student.metadata
    dtypes = {i.name: i.dtype for i in inspect(tmp_path / "half.onnx").initializers}
    assert dtypes["encoder.0.weight"] == "float16"
    assert dtypes["encoder.1.running_var"] == "float32"
    photo = pictures(1, 64, 96)[0]
    with torch.no_grad():
        logits = network.eval()(torch.from_numpy(photo[None]).permute(0, 3, 1, 2).float())
    density = torch.softmax(logits.flatten(2), dim=2).reshape(logits.shape)[0, 0].numpy()
    (raw,) = student.session.run({INPUT: photo[None]})
    np.testing.assert_allclose(np.exp(raw[0, 0]), density, rtol=1e-3)
    (maps,), (halved,) = student.maps([photo]), half.maps([photo])
    assert np.exp(maps["one"].astype(float)).sum() == pytest.approx(1, abs=1e-5)
    assert 0 < np.abs(maps["one"] - halved["one"]).max() < 1e-2 * np.ptp(maps["one"])


def test_half_keeps_weights_that_it_cannot_hold(tmp_path):
    network = Small()
    with torch.no_grad():
        network.encoder[0].weight.mul_(1e6)
        network.encoder[1].running_var.mul_(1e12)
    export_onnx(network, tmp_path / "a.onnx", cards(), dict.fromkeys(HEADS, "aim"), half=True)
    dtypes = {i.name: i.dtype for i in inspect(tmp_path / "a.onnx").initializers}
    assert dtypes["encoder.0.weight"] == "float32"
    assert dtypes["deep.0.weight"] == "float16"


def test_the_difference_by_hand():
    expected = np.zeros((1, 2, 2, 2), np.float32)
    expected[0, 0, 0, 0], expected[0, 1] = 4, [[1, 1], [1, 2]]
    found = expected + np.float32([[[[0.2]], [[0.1]]]])
    assert spread_difference(found, expected) == pytest.approx(0.1, abs=1e-5)
    assert spread_difference(found[:, :1], expected) == np.inf
    assert spread_difference(np.full_like(expected, np.nan), expected) == np.inf
    assert spread_difference(np.ones((1, 1, 2, 2)), np.zeros((1, 1, 2, 2))) == np.inf


def test_a_network_that_differs_is_not_written(tmp_path, monkeypatch):
    path = tmp_path / "small.onnx"
    monkeypatch.setattr("salbox.networks.export.onnx.largest_difference", lambda network, path: 0.01)
    with pytest.raises(SalboxError, match="not written"):
        export_onnx(Small(), path, cards(), dict.fromkeys(HEADS, "aim"))
    assert list(tmp_path.iterdir()) == []


def test_the_check_sees_other_weights(exported):
    _, path = exported
    other = Small().eval()
    with torch.no_grad():
        other.head.bias[0] += 1
    assert largest_difference(other, path) > 1e-2
    assert largest_difference(Small().eval(), path) < 1e-4


def test_heads_without_a_card_or_teacher(tmp_path):
    with pytest.raises(UsageError, match="no card or teacher for two"):
        export_onnx(Small(), tmp_path / "a.onnx", {"one": salbox.card("gaussian")}, dict.fromkeys(HEADS, "aim"))


def test_which_models_can_be_exported(tmp_path):
    with pytest.raises(UsageError, match="'gaussian' is no network"):
        export_model(salbox.load("gaussian"), tmp_path / "a.onnx")

    class Around:
        network = torch.nn.Conv2d(3, 1, 1)

        def __call__(self, image):
            return image[..., 0]

    with pytest.raises(UsageError, match="distil it instead"):
        export_model(Model(salbox.card("gaussian"), Around(), {}), tmp_path / "a.onnx")
    with pytest.raises(UsageError, match="an ONNX file already"):
        export_model(
            Model(salbox.card("gaussian"), lambda image: image, {}, weights=tmp_path / "b.onnx"), tmp_path / "a.onnx"
        )
    assert not list(tmp_path.iterdir())


def test_a_loaded_students_network_is_exported_with_its_card(tmp_path):
    class Predictor:
        network = Small().eval()

        def __call__(self, image):
            return image[..., 0]

    export_model(Model(salbox.card("gaussian"), Predictor(), {}), tmp_path / "a.onnx")
    card = open_network(tmp_path / "a.onnx").cards["one"]
    assert card.name == "gaussian"
    assert card.parameters == ()


def test_halving_a_file_that_is_no_student(tmp_path):
    (tmp_path / "a.onnx").write_bytes(b"words")
    with pytest.raises(WeightsError, match="not an ONNX network"):
        shrink_exported(tmp_path / "a.onnx", tmp_path / "b.onnx")


def test_a_box_sees_an_image_up_to_the_last_multiple(tmp_path):
    """Its decoder doubles sizes: what is beyond is not looked at, whatever the strides would make of it."""
    torch.manual_seed(0)
    network = Box(HEADS, size=(64, 96), width=8, head_width=4, detail=4).eval()
    assert network.divisor == 64
    path = tmp_path / "box.onnx"
    export_onnx(network, path, cards(), {"one": "aim", "two": "bms"})
    image = pictures(2, 70, 143)
    run = open_network(path, threads=1).session.run
    (found,), (expected,) = run({INPUT: image}), run({INPUT: image[:, :64, :128]})
    assert found.shape == (2, 2, 16, 32)
    np.testing.assert_array_equal(found, expected)
