"""KDSalBox's student against its authors' program, run with generated weights on one photo of OSIE."""

from __future__ import annotations

import importlib.util
import json

import numpy as np
import pytest
from skimage import data
from skimage.transform import resize

torch = pytest.importorskip("torch")

import salbox  # noqa: E402
from salbox.networks.kdsalbox import network as kdsalbox  # noqa: E402
from salbox.networks.kdsalbox.network import KDSalBox  # noqa: E402
from salbox.networks.kdsalbox.predictor import KDSalBoxPredictor  # noqa: E402

ORACLE = "osie1001"
TOLERANCE = 1e-4  # of the map's range


@pytest.fixture(scope="module")
def facts(shared):
    return json.loads((shared / "architectures" / "kdsalbox_student.json").read_text())


@pytest.fixture(scope="module")
def arrays(shared):
    with np.load(shared / "architectures" / "kdsalbox_student.npz") as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def checkpoint(shared, facts, tmp_path_factory):
    """A checkpoint as the authors' program writes it, with generated weights."""
    spec = importlib.util.spec_from_file_location("generate", shared / "architectures" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    quarter = set(facts["weight_rule_exceptions"])
    assert set(facts["weight_rule_exceptions"].values()) == {"multiplied by 0.25"}
    state = {
        key: torch.from_numpy(np.asarray(module.generate(key, shape, dtype) * (0.25 if key in quarter else 1)))
        for key, shape, dtype in facts["keys"]
    }
    path = tmp_path_factory.mktemp("kdsalbox") / "student.pth"
    torch.save({"student_model": {k: v.float() if v.is_floating_point() else v.long() for k, v in state.items()}}, path)
    return path


@pytest.fixture(scope="module")
def model(checkpoint):
    return KDSalBoxPredictor.load(checkpoint, "cpu")


@pytest.fixture(scope="module")
def photo(shared):
    return salbox.read_image(shared / "data" / "OSIE" / "data" / "stimuli" / "1001.jpg")


def test_names_and_shapes_are_the_authors(facts):
    own = {key: (list(t.shape), str(t.dtype)) for key, t in KDSalBox(["saliency"]).state_dict().items()}
    assert own == {key: (shape, f"torch.{dtype}") for key, shape, dtype in facts["keys"]}
    assert len(own) == 363
    assert sum(p.numel() for p in KDSalBox(["saliency"]).parameters()) == facts["n_params"] == 10_448_833


@pytest.mark.slow
def test_output_is_the_authors(model, photo, arrays):
    """The map, and the logits and inner layers whose means the oracle keeps."""
    images = torch.from_numpy(np.ascontiguousarray(photo.transpose(2, 0, 1)))[None].float()
    with torch.inference_mode():
        encoded = model.network.encoder(model.network.normalize(images))
        logits = model.network.decoder(encoded)
        saliency = torch.sigmoid(logits)[0, 0].numpy()
    stride = int(arrays[f"{ORACLE}__output__stride"].item())
    expected = arrays[f"{ORACLE}__output"].reshape(saliency[::stride, ::stride].shape)
    assert saliency.shape == (608, 800)
    assert np.abs(saliency[::stride, ::stride] - expected).max() <= TOLERANCE * np.ptp(expected)
    assert saliency.mean() == pytest.approx(float(arrays[f"{ORACLE}__output__mean"]), abs=1e-6)
    for name, found in (("encoder.18", encoded), ("decoder.output", logits)):
        assert float(found.mean()) == pytest.approx(float(arrays[f"{ORACLE}__feat__{name}__mean"]), abs=1e-5)
    # Features are the same network's.
    with torch.inference_mode():
        features = model.network.features(images[:, :, :64, :64])
        small = model.network(images[:, :, :64, :64])
        torch.testing.assert_close(model.network.decoder.output(features["conv10_2"]), small)


def test_a_map_is_brought_to_the_image_s_size_by_scikit_image(model):
    image = np.ascontiguousarray(data.coffee()[:70, :45])
    images = torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float()
    with torch.inference_mode():
        whole = torch.sigmoid(model.network(images))[0, 0].numpy()
    assert whole.shape == (96, 64)
    np.testing.assert_allclose(model(image), resize(whole, (70, 45)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("strip", [1, 3, 16, 1000])
def test_strips_are_the_whole(model, strip, monkeypatch):
    monkeypatch.setattr(kdsalbox, "STRIP", strip)
    with torch.inference_mode():
        encoded = model.network.encoder(torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0)))
        strips, whole = model.network.decoder.in_strips(encoded), model.network.decoder(encoded)
    torch.testing.assert_close(strips, whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (31, 33), (64, 64), (20, 300)])
def test_odd_sizes(model, size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    saliency = model(image)
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert np.isfinite(saliency).all()
    np.testing.assert_array_equal(model(image), saliency)


@pytest.mark.parametrize("size", [(100, 60), (1, 5000), (3000, 2)])
def test_large_images_are_looked_at_small(model, size, monkeypatch):
    monkeypatch.setattr(model, "max_pixels", 1000)
    seen = []
    hook = model.network.normalize.register_forward_pre_hook(lambda _, given: seen.append(given[0].shape[-2:]))
    try:
        saliency = model(np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8))
    finally:
        hook.remove()
    assert saliency.shape == size
    (looked_at,) = seen
    assert 0 < looked_at[0] * looked_at[1] <= 1000


def test_runs_in_half_precision(model):
    image = np.ascontiguousarray(data.coffee()[:64, :96])
    found, expected = model.run_as(precision="half", channels_last=False)(image), model(image)
    assert found.dtype == np.float32
    assert 0 < np.abs(found - expected).max() < 0.25 * np.ptp(expected)  # random weights amplify rounding


def test_weights_that_overflow():
    network = KDSalBox(["saliency"])
    with torch.no_grad():
        network.decoder.output.bias.fill_(float("nan"))
    with pytest.raises(salbox.WeightsError, match=r"^nowhere: the weights make numbers too large for a map"):
        KDSalBoxPredictor(network, "nowhere")(np.zeros((8, 8, 3), np.uint8))


def test_several_heads():
    network = KDSalBox(["a", "b", "c"]).eval()
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 33, 64)).shape == (1, 3, 64, 64)


@pytest.mark.parametrize("name", ["aim.kdsalbox", "dgii.kdsalbox"])
def test_is_a_model_of_the_registry(name, checkpoint):
    model = salbox.load(name, weights=checkpoint)
    saliency = model(data.chelsea()[:60, :80])
    assert saliency.shape == (60, 80)
    assert ((saliency >= 0) & (saliency <= 1)).all()


def test_other_files_get_one_line(tmp_path):
    whole = KDSalBox(["saliency"]).state_dict()
    cases = {
        "bare": (whole, "without 'student_model'"),
        "short": ({"student_model": {k: v for k, v in whole.items() if k != "decoder.output.bias"}}, "lacks 'decoder"),
        "other": ({"student_model": KDSalBox(["a", "b"]).state_dict()}, r"has the shape \(2, 64, 1, 1\)"),
        "samnet": (
            {"student_model": dict.fromkeys(("context_path.0", "heads.4.0"), torch.ones(1))},
            "not the weights of a student of KDSalBox .*: it looks like those of 'samnet'",
        ),
    }
    for name, (value, message) in cases.items():
        torch.save(value, tmp_path / f"{name}.pth")
        with pytest.raises(salbox.WeightsError, match=message) as caught:
            KDSalBoxPredictor.load(tmp_path / f"{name}.pth")
        assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there(checkpoint):
    with pytest.raises(salbox.UsageError, match="device 'cuda:99'"):
        KDSalBoxPredictor.load(checkpoint, "cuda:99")
