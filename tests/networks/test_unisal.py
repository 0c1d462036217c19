"""UniSal against its authors' program, run with generated weights on one photo of OSIE and a clip made of it."""

from __future__ import annotations

import authors_files as files
import numpy as np
import pytest
from generated_weights import arrays_of, facts_of, saved_every
from PIL import Image

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

import salbox
import salbox.networks.unisal.card
from salbox.cli.main import run
from salbox.imaging.video import VideoReader
from salbox.imaging.video_writing import VideoWriter
from salbox.models.ensembles import Ensemble
from salbox.networks.unisal import predictor as unisal
from salbox.networks.unisal.conv_gru import ConvGRU
from salbox.networks.unisal.domains import DOMAINS
from salbox.networks.unisal.network import UniSal
from salbox.networks.unisal.predictor import UniSalPredictor, clip_size, image_size
from salbox.networks.unisal.readout import prior_maps

TOLERANCE = 1e-4  # of the map's range
IMAGE, CLIP, FRAME = "osie1001_static_SALICON", "osie1001_clip6_DHF1K", "osie1001_clip6frame0_DHF1K_staticinferred"


@pytest.fixture(scope="module")
def facts(shared):
    return facts_of(shared, "unisal")


@pytest.fixture(scope="module")
def arrays(shared):
    return arrays_of(shared, "unisal")


@pytest.fixture(scope="module")
def checkpoint(shared, tmp_path_factory):
    return files.unisal(shared, tmp_path_factory.mktemp("unisal"))


@pytest.fixture(scope="module")
def photo(shared):
    return salbox.read_image(files.photo_path(shared))


@pytest.fixture(scope="module")
def model():
    """A network of random numbers with norms that differ from domain to domain."""
    torch.manual_seed(0)
    network = UniSal()
    with torch.no_grad():
        for name, value in network.named_parameters():
            if ".bn_" in name:
                value.uniform_(0.5, 1.5)
            elif name.startswith("smoothing_"):
                value.fill_(1 / value.numel())
            elif name.startswith("adaptation_"):
                value.normal_(0, 3)
    return UniSalPredictor(network, "nowhere")


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def test_names_and_shapes_are_the_authors(facts):
    with torch.device("meta"):
        network = UniSal()
    own = {key: [list(t.shape), str(t.dtype)] for key, t in network.state_dict().items()}
    theirs = {key: [shape, f"torch.{dtype}"] for key, shape, dtype in facts["keys"]}
    assert theirs.pop("rnn.cell_list.0.drop_mask_1") == [[3, 256], "torch.float32"]
    assert own == theirs
    assert sum(p.numel() for p in network.parameters()) == facts["n_params"] == 3_714_872


@pytest.mark.slow
def test_equals_the_authors_program(checkpoint, photo, arrays, monkeypatch):
    model = UniSalPredictor.load(checkpoint)
    found, expected = saved_every(arrays, IMAGE, model(photo))
    assert np.abs(found - expected).max() <= TOLERANCE * np.ptp(expected)
    frames = [np.ascontiguousarray(photo[100:460, 8 * i : 8 * i + 640]) for i in range(6)]
    monkeypatch.setitem(unisal.SPACING, "DHF1K", 1)  # the oracle's frames are one sequence
    found, expected = saved_every(arrays, CLIP, np.stack(list(model.clip(frames))))
    assert np.abs(found - expected).max() <= TOLERANCE * np.ptp(expected)
    # One frame seen as an image of that domain; the domain's size is that of its clips.
    monkeypatch.setattr(unisal, "image_size", lambda height, width: clip_size(height, width, "DHF1K"))
    found, expected = saved_every(arrays, FRAME, model(frames[0], domain="DHF1K"))
    assert np.abs(found - expected).max() <= TOLERANCE * np.ptp(expected)


@pytest.mark.slow
def test_inner_layers_are_the_authors(checkpoint, photo, arrays):
    model = UniSalPredictor.load(checkpoint)
    found = {}
    for name in ("cnn.features.7", "cnn.features.14", "cnn.features.18", "skip_2x", "skip_4x"):
        model.network.get_submodule(name).register_forward_hook(
            lambda _, given, result, name=name: found.update({name: result})
        )
    model(photo)
    assert len(found) == 5
    for name, values in found.items():
        assert float(values.mean()) == pytest.approx(float(arrays[f"{IMAGE}__feat__{name}__mean"]), abs=1e-4)
        rows, columns = values.shape[2] // 2 - 2, values.shape[3] // 2 - 3
        part = values[0, :3, rows : rows + 4, columns : columns + 6].numpy()
        np.testing.assert_allclose(part, arrays[f"{IMAGE}__feat__{name}__slice"], atol=2e-3)


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("size", [(1, 1), (37, 300), (64, 21)])
def test_maps_are_densities_of_the_image_s_size(model, size, domain):
    saliency = model(image(*size), domain=domain)
    assert saliency.shape == size
    assert saliency.dtype == np.float32
    assert np.exp(saliency.astype(np.float64)).sum() == pytest.approx(1, abs=1e-4)


def test_domains_differ_and_images_are_salicon_s(model):
    pixels = image(60, 80)
    maps = {domain: model(pixels, domain=domain) for domain in DOMAINS}
    np.testing.assert_array_equal(model(pixels), maps["SALICON"])
    assert len({saliency.tobytes() for saliency in maps.values()}) == 4
    assert salbox.networks.unisal.card.CARD.parameters[0].default == "auto"
    assert set(salbox.networks.unisal.card.CARD.parameters[0].choices) == {"auto", *DOMAINS}


def test_sizes_seen():
    """The two that the authors' program was seen to choose, and all of them by trying."""
    assert image_size(600, 800) == (288, 384)
    assert image_size(400, 267) == (416, 288)
    pairs = [(a, b) for a in range(7, 14) for b in range(7, 14) if 100 <= a * b <= 120]
    for height, width in ((1, 1), (1, 5000), (5000, 1), (480, 640), (1080, 1920), (37, 31)):
        rows, columns = (side // 32 for side in image_size(height, width))
        distances = [abs(np.log(height / width * b / a)) for a, b in pairs]
        assert abs(np.log(height / width * columns / rows)) == pytest.approx(min(distances))
    assert clip_size(360, 640, "DHF1K") == (224, 384)
    assert clip_size(361, 640, "DHF1K") == image_size(361, 640)
    assert clip_size(300, 300, "Hollywood") == (224, 416)
    assert clip_size(300, 300, "UCFSports") == (256, 384)


def test_images_are_resized_by_lanczos(model):
    pixels = image(50, 60)
    seen = model._input(pixels, (288, 352))[0].permute(1, 2, 0).numpy()
    expected = np.array(Image.fromarray(pixels).resize((352, 288), Image.Resampling.LANCZOS))
    np.testing.assert_array_equal(seen, expected)


def test_priors_are_gaussians():
    gaussians = torch.tensor([[[0.3, -1.0], [0.6, -2.0]]])
    rows, columns = np.mgrid[0:5, 0:9] / np.array([4, 8])[:, None, None]
    expected = 6 * np.exp(-((rows - 0.3) ** 2) / 2 / np.exp(-1) ** 2 - (columns - 0.6) ** 2 / 2 / np.exp(-2) ** 2)
    np.testing.assert_allclose(prior_maps(gaussians, 5, 9)[0].numpy(), expected, rtol=1e-5)


def test_the_memory_can_be_carried_over():
    torch.manual_seed(0)
    unit = ConvGRU(4).eval()
    sequence = torch.randn(6, 4, 5, 6)
    with torch.no_grad():
        whole, last = unit(sequence, "DHF1K")
        first, state = unit(sequence[:3], "DHF1K")
        second, end = unit(sequence[3:], "DHF1K", state)
        torch.testing.assert_close(torch.cat([first, second]), whole)
        torch.testing.assert_close(end, last)
        assert (first[1] - unit(sequence[1:2], "DHF1K")[0][0]).abs().max() > 1e-3  # it remembers
        unit.cell_list[0].b_z.fill_(-100)  # the gate is shut: nothing new
        torch.testing.assert_close(unit(sequence, "DHF1K", state)[1], state)


def test_a_unit_of_one_pixel_is_pytorch_s_gated_unit():
    """Norms that do nothing, filters of one pixel: what is left is a GRU with ReLU6 and a convolution in each gate."""
    torch.manual_seed(0)
    unit, theirs = ConvGRU(3).eval(), torch.nn.GRUCell(3, 3)
    cell = unit.cell_list[0]
    with torch.no_grad():
        for module in cell.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_var.fill_(1 - module.eps)
            if isinstance(module, torch.nn.Conv2d) and module.groups > 1:
                module.weight.zero_()[:, :, 1, 1] = 1
        for part, letter in ((theirs.weight_ih, "w"), (theirs.weight_hh, "u")):
            layers = [cell.get_submodule(f"{letter}{gate}").conv_sep.weight[:, :, 0, 0] for gate in ("_r", "_z", "")]
            part.copy_(torch.cat(layers))
        theirs.bias_ih.copy_(torch.randn(9))
        theirs.bias_hh.zero_()
        for gate, biases in zip("rzh", theirs.bias_ih.split(3), strict=True):
            cell.get_parameter(f"b_{gate}").copy_(biases[:, None, None])
        values, state = torch.rand(1, 3), torch.rand(1, 3)  # positive, below 6: ReLU6 does nothing
        # PyTorch keeps the state where its gate is open, UniSal where it is shut.
        theirs.weight_ih[3:6] *= -1
        theirs.weight_hh[3:6] *= -1
        theirs.bias_ih[3:6] *= -1
        found = unit(values[:, :, None, None], "SALICON", state[:, :, None, None])[1]
        torch.testing.assert_close(found[:, :, 0, 0], theirs(values, state))


@pytest.mark.slow
def test_clips_share_a_memory_every_fifth_frame(model):
    frames = [image(30, 40 + i)[:, :40].copy() for i in range(7)]
    maps = list(model.clip(iter(frames)))
    assert [saliency.shape for saliency in maps] == [(30, 40)] * 7
    with torch.inference_mode():
        seen = torch.cat([model._input(frames[i], clip_size(30, 40, "DHF1K")) for i in (1, 6)])
        values = model.network.frames(seen, "DHF1K")[0]
    np.testing.assert_allclose(maps[6], model._to_map(values[1:], frames[6]), atol=1e-4)
    alone = next(model.clip(frames[6:]))
    assert np.abs(maps[6] - alone).max() > 1e-3
    np.testing.assert_array_equal(maps[0], next(model.clip(frames)))


def test_in_salicon_s_domain_frames_are_images(model):
    frames = [image(30, 40), image(40, 30).swapaxes(0, 1).copy()]
    for saliency, frame in zip(model.clip(frames, domain="SALICON"), frames, strict=True):
        np.testing.assert_array_equal(saliency, model(frame))


def test_clips_that_cannot_be(model):
    with pytest.raises(salbox.UsageError, match="no domain 'DHF': there are DHF1K, Holly"):
        model.clip([image(3, 4)], domain="DHF")
    with pytest.raises(salbox.ImageError, match=r"frame 1 has the shape \(4, 3, 3\), those before \(3, 4, 3\)"):
        list(model.clip([image(3, 4), image(4, 3)]))


@pytest.fixture(scope="module")
def learned(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("file") / "weights_best.pth"
    torch.save(model.network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A clip of twelve frames that move."""
    path = tmp_path_factory.mktemp("film") / "clip.avi"
    wide = image(48, 140)
    with VideoWriter(path, 25) as writer:
        for i in range(12):
            writer.write(np.ascontiguousarray(wide[:, 6 * i : 6 * i + 64]))
    return path


@pytest.mark.slow
@pytest.mark.parametrize(("domain", "spacing"), [(None, 5), ("Hollywood", 4)])
def test_videos_are_predicted_as_whole_sequences_are(model, learned, film, domain, spacing, tmp_path):
    """`salbox predict` frame by frame, against each sequence of the clip given to the network at once."""
    arguments = ["predict", str(film), "-m", "unisal", "--weights", str(learned), "-o", str(tmp_path)]
    arguments += [] if domain is None else ["--param", f"domain={domain}"]
    with pytest.raises(SystemExit) as left:
        run([*arguments, "--format", "npy"])
    assert not left.value.code
    with VideoReader(film) as reader:
        frames = list(reader)
    assert len(frames) == 12
    domain = domain or "DHF1K"
    for first in range(spacing):
        indices = range(first, 12, spacing)
        with torch.inference_mode():
            seen = torch.cat([model._input(frames[i], clip_size(48, 64, domain)) for i in indices])
            values, _ = model.network.frames(seen, domain)
        for i, value in zip(indices, values, strict=True):
            found = np.load(tmp_path / "unisal" / "clip" / f"{i:06}.npy")
            np.testing.assert_allclose(found, model._to_map(value[None], frames[i]), atol=1e-4)
    if domain == "DHF1K":
        assert np.abs(found - model(frames[i], domain=domain)).max() > 1e-3  # it remembered


@pytest.mark.slow
def test_each_clip_begins_anew(learned, film):
    loaded = salbox.load("unisal", weights=learned)
    with VideoReader(film) as reader:
        frames = [frame for _, frame in zip(range(6), reader, strict=False)]
    runs = []
    for _ in range(2):
        clip = loaded.follow()
        runs.append([clip(frame) for frame in frames])
    np.testing.assert_array_equal(*runs)
    half = loaded.run_as(precision="half").follow()
    for frame, expected in zip(frames, runs[0], strict=True):
        assert 0 < np.abs(half(frame) - expected).max() < 0.1 * np.ptp(expected)
    members = Ensemble({"unisal": loaded, "gaussian": salbox.load("gaussian")}, {"unisal": 0.5, "gaussian": 0.5})
    following = members.follow()
    for frame, saliency in zip(frames, runs[0], strict=True):
        expected = members.combine({"unisal": saliency, "gaussian": salbox.load("gaussian")(frame)})
        np.testing.assert_array_equal(following(frame), expected)


def test_everything_of_a_domain_learns(model):
    network = UniSal().train()
    values, _ = network.frames(torch.rand(2, 3, 64, 64) * 255, "UCFSports")
    unisal.log_density(values)[:, :, 3, 5].sum().backward()
    others = [f"bn_{domain}." for domain in DOMAINS[:2]] + ["_dhf1k", "_hollywood", "bn_SALICON.", "_salicon"]
    for name, parameter in network.named_parameters():
        learns = parameter.grad is not None
        assert learns != any(other in name for other in others), name


def test_other_files_get_one_line(tmp_path):
    whole = UniSal().state_dict()
    cases = {
        "transalnet": (
            dict.fromkeys(["decoder.TransEncoder1.a", "decoder.TransEncoder3.a", "encoder.encoder.0"]),
            "'tr",
        ),
        "short": (dict.fromkeys(["coarse_gaussians_dhf1k", "rnn.cell_list.0", "adaptation_x"]), "lacks 'coarse"),
        "shape": ({**whole, "post_rnn.0.weight": torch.zeros(1)}, r"'post_rnn.0.weight' has the shape \(1,\)"),
        "more": ({**whole, "head.weight": torch.zeros(1)}, "it has no 'head.weight'"),
    }
    for name, (state, message) in cases.items():
        tensors = {key: torch.zeros(1) if value is None else value for key, value in state.items()}
        torch.save(tensors, tmp_path / f"{name}.pth")
        with pytest.raises(salbox.WeightsError, match=message) as caught:
            UniSalPredictor.load(tmp_path / f"{name}.pth")
        assert "\n" not in str(caught.value)


def test_weights_that_overflow():
    network = UniSal()
    with torch.no_grad():
        network.adaptation_salicon[0].bias.fill_(float("inf"))
    with pytest.raises(salbox.WeightsError, match="nowhere: the weights make numbers"):
        UniSalPredictor(network, "nowhere")(image(8, 8))
