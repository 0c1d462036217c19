"""Models of users' own: what is registered or named by an import path is a model; what is none is refused in a line."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest
from own_models import write_module

import salbox
from salbox.models.cards import NOT_STATED, ModelCard
from salbox.models.import_paths import import_path_of, is_import_path
from salbox.models.loading import own_code
from salbox.models.own import REGISTERED, is_name
from salbox.system.source import UnknownSource

CARD = {"task": "fixation", "output": "score"}
PIXELS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)


def brightness(image, gain=1.0):
    return gain * image.mean(axis=2)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module in a folder that Python looks in, forgotten afterwards."""
    write_module(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield "mymodels"
    sys.modules.pop("mymodels", None)


def refused(call, *arguments, **keywords) -> str:
    with pytest.raises(salbox.SalboxError) as said:
        call(*arguments, **keywords)
    assert "\n" not in str(said.value)
    return str(said.value)


# --- Registered


def test_a_registered_function_is_a_model():
    assert salbox.register("mine", brightness, card=CARD) is brightness
    np.testing.assert_allclose(salbox.load("mine", gain="2")(PIXELS), 2 * PIXELS.mean(axis=2), rtol=1e-6)
    assert salbox.load("mine")(PIXELS).dtype == np.float32
    assert salbox.list_models()[-1] == "mine"
    assert "mine" in salbox.list_models("fixation", ready=True)
    assert "mine" not in salbox.list_models("object")
    assert list(salbox.predict(PIXELS, ["mine", "ensemble:mine+gaussian"])) == ["mine", "ensemble:mine+gaussian"]


def test_a_decorator_registers_too():
    @salbox.register("mine", card=CARD)
    def mine(image):
        return image[:, :, 0]

    assert mine(PIXELS).shape == (20, 30)
    np.testing.assert_array_equal(salbox.load("mine")(PIXELS), PIXELS[:, :, 0])


def test_what_nobody_stated_says_so():
    salbox.register("mine", brightness, card=CARD)
    card = salbox.card("mine")
    assert (card.name, card.title, card.task, card.output) == ("mine", "mine", "fixation", "score")
    assert {card.summary, card.origin, card.size, card.agreement, *vars(card.license).values()} == {NOT_STATED}
    assert card.paper is None
    assert (card.limits, card.weights_from) == ((), "")


def test_a_card_may_say_more_and_another_name():
    given = ModelCard("other", task="object", output="probability", title="Mine in full", origin="a script")
    salbox.register("mine", lambda image: image[:, :, 0] / 255, card=given)
    card = salbox.card("mine")
    assert (card.name, card.title, card.origin) == ("mine", "Mine in full", "a script")
    salbox.register("mine", brightness, card={**CARD, "licence": "MIT", "title": "Again"})
    assert (salbox.card("mine").license.code, salbox.card("mine").title) == ("MIT", "Again")


def test_parameters_are_the_defaults_that_say_what_they_are():
    def many(image, a=1, b=0.5, c=True, d="x", e=(1, 2), f=[0.5, 1], g=None, *, h=2, **more):  # noqa: B006
        return image[:, :, 0] * float(sum(f) + sum(e) + a + h)

    salbox.register("mine", many, card=CARD)
    kinds = {p.name: p.kind for p in salbox.card("mine").parameters}
    assert kinds == {"a": "int", "b": "float", "c": "bool", "d": "str", "e": "ints", "f": "floats", "h": "int"}
    assert salbox.load("mine", e="3,4").parameters["e"] == (3, 4)
    assert "did you mean 'd'" not in refused(salbox.load, "mine", g=1)


def test_a_card_s_own_parameters_come_first():
    parameter = salbox.Parameter("gain", 2.0, "How bright.", "float", minimum=0)
    salbox.register("mine", brightness, card=ModelCard("mine", **CARD, parameters=(parameter,)))
    np.testing.assert_allclose(salbox.load("mine")(PIXELS), 2 * PIXELS.mean(axis=2), rtol=1e-6)
    assert "at least 0" in refused(salbox.load, "mine", gain=-1)


class Network:
    """Loads itself, as networks do."""

    def __init__(self, weights, device):
        self.weights, self.device = weights, device

    @classmethod
    def load(cls, weights, device):
        return cls(weights, device)

    def __call__(self, image):
        return np.full(image.shape[:2], len(self.device))


def test_a_class_is_loaded_with_weights_and_device(tmp_path):
    weights = tmp_path / "w.npz"
    weights.write_bytes(b"weights")
    salbox.register("mine", Network, card=CARD)
    assert salbox.load("mine").function.weights is None
    model = salbox.load("mine", weights=weights, device="cuda:1")
    assert model.function.weights == model.weights == weights
    assert model(PIXELS)[0, 0] == len("cuda:1")


def test_a_card_that_says_where_weights_are_from_makes_them_needed(tmp_path):
    salbox.register("mine", Network, card={**CARD, "weights_from": "https://example.org/mine"})
    assert "mine" not in salbox.list_models(ready=True)
    assert "needs weights: https://example.org/mine" in refused(salbox.load, "mine")


@pytest.mark.parametrize(
    ("name", "target", "card", "said"),
    [
        ("gbvs", brightness, CARD, "'gbvs' is one of salbox's own models"),
        ("a/b", brightness, CARD, "a model cannot be called 'a/b'"),
        ("mine.onnx", brightness, CARD, "cannot be called"),
        ("ensemble:x", brightness, CARD, "cannot be called"),
        ("mine", brightness, {"task": "faces", "output": "score"}, "task 'faces'"),
        ("mine", brightness, {"task": "fixation"}, "output is missing"),
        ("mine", brightness, {**CARD, "colour": "red"}, "colour"),
        ("mine", brightness, 3, "not a model card"),
        ("mine", 3, CARD, "expected a function of an image, or a class with load(); got int"),
        ("mine", dict, CARD, "got the class dict"),
        ("mine", lambda: None, CARD, "cannot be called with (image)"),
        ("mine", lambda image, sigma: image, CARD, "missing a required argument: 'sigma'"),
        ("mine", brightness, {**CARD, "parameters": [vars(salbox.Parameter("p", 1, "", "int"))]}, "(image, p=)"),
    ],
)
def test_what_is_no_model_is_refused_at_once(name, target, card, said):
    assert said in refused(salbox.register, name, target, card=card)
    assert name not in REGISTERED


def test_a_model_is_replaced_by_the_next_of_its_name():
    for value in (1, 2):
        salbox.register("mine", lambda image, value=value: np.full(image.shape[:2], value), card=CARD)
    assert salbox.load("mine")(PIXELS)[0, 0] == 2


# --- The contract


@pytest.mark.parametrize(
    ("gives", "said"),
    [
        (lambda image: None, "gives NoneType, not a map of real numbers of shape (20, 30)"),
        (lambda image: "map", "gives str"),
        (lambda image: image[:, :, 0] + 1j, "gives numbers of type complex128"),
        (lambda image: image, "gives a map of shape (20, 30, 3) for an image of (20, 30)"),
        (lambda image: image[:5, :5, 0], "gives a map of shape (5, 5)"),
        (lambda image: [[1], [1, 2]], "gives no array: ValueError"),
        (lambda image: np.full((20, 30), np.inf), "not finite"),
        (lambda image: np.full((20, 30), 1e300), "not finite"),
        (lambda image: image[:, :, 0] / 0 + image["x"], "failed: IndexError"),
        (lambda image: {}["key"], "failed: KeyError: 'key' (test_own.py, line"),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_breaks_the_contract_is_one_line_that_names_the_model(gives, said):
    salbox.register("mine", gives, card=CARD)
    line = refused(salbox.load("mine"), PIXELS)
    assert line.startswith("model 'mine' ")
    assert said in line


@pytest.mark.parametrize(
    ("output", "gives", "said"),
    [
        ("log_density", np.zeros, "sums to 600, not to 1"),
        ("probability", lambda shape: np.full(shape, 1.5), "1.5 to 1.5, not within 0 to 1"),
    ],
)
def test_numbers_are_what_the_card_says(output, gives, said):
    salbox.register("mine", lambda image: gives(image.shape[:2]), card={**CARD, "output": output})
    assert said in refused(salbox.load("mine"), PIXELS)


def test_a_density_is_sampled_from():
    salbox.register("mine", lambda image: np.full((20, 30), -np.log(600)), card={**CARD, "output": "log_density"})
    assert salbox.load("mine").sample(PIXELS, 5).shape == (5, 2)


def test_neither_image_nor_map_is_shared_with_somebody_s_code():
    held = np.zeros((20, 30), np.float32)

    def careless(image):
        image[:] = 0
        held[:] += 1
        return held

    salbox.register("mine", careless, card=CARD)
    before, model = PIXELS.copy(), salbox.load("mine")
    first, second = model(PIXELS), model(PIXELS)
    np.testing.assert_array_equal(PIXELS, before)
    assert (first[0, 0], second[0, 0]) == (1, 2)


def test_what_goes_wrong_in_loading_is_one_line():
    class Broken:
        @staticmethod
        def load(weights, device):
            return {}["layers"]

    salbox.register("mine", Broken, card=CARD)
    assert "model 'mine' could not be loaded: KeyError: 'layers'" in refused(salbox.load, "mine")
    Broken.load = staticmethod(lambda weights, device: 3)
    assert "load() returned a int" in refused(salbox.load, "mine")


def test_a_function_has_no_weights():
    salbox.register("mine", brightness, card=CARD)
    assert "is a function and has no weights to load" in refused(salbox.load, "mine", weights="w.npz")


# --- By import path


def test_an_import_path_is_a_model(module):
    model = salbox.load("mymodels:plain")
    np.testing.assert_allclose(model(PIXELS), PIXELS.mean(axis=2), rtol=1e-6)
    assert (model.name, model.card.task, model.card.output) == ("mymodels:plain", "fixation", "score")
    registered = salbox.card("mymodels:contrast")
    assert (registered.title, [p.name for p in registered.parameters]) == ("Contrast", ["power"])
    assert salbox.load("mymodels:Network", device="cuda").function.device == "cuda"
    assert salbox.load("ensemble:mymodels:plain+gaussian")(PIXELS).shape == (20, 30)


def test_modules_lie_in_the_current_folder_too(tmp_path, monkeypatch):
    write_module(tmp_path, "models_of_this_folder")
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    monkeypatch.chdir(tmp_path)
    assert salbox.load("models_of_this_folder:plain")(PIXELS).shape == (20, 30)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mymodels:plane", "has no 'plane'; did you mean 'plain'?"),
        ("mymodel:plain", "no module 'mymodel', neither where Python looks nor in the current folder"),
        ("mymodels.deeper:plain", "mymodels.deeper"),
        ("mymodels:Network.load.x", "has no 'x'"),
        ("mymodels:__name__", "expected a function of an image"),
        ("mymodels:salbox", "expected a function of an image"),
        ("mymodels:", "no model 'mymodels:'"),
        (":plain", "no model ':plain'"),
        ("my models:plain", "no model"),
    ],
)
def test_what_an_import_path_does_not_name_is_one_line(module, name, said):
    assert said in refused(salbox.load, name)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "x = 1 / 0",
            "cannot be imported: ZeroDivisionError: division by zero (broken_module.py, line 1)",
        ),
        ("def f(:", "SyntaxError"),
        ("import nothing_of_this_name", "No module named 'nothing_of_this_name'"),
        ("raise SystemExit('bye')", "SystemExit: bye"),
    ],
)
def test_a_module_that_fails_is_one_line(tmp_path, monkeypatch, text, said):
    write_module(tmp_path, "broken_module", text)
    monkeypatch.syspath_prepend(tmp_path)
    assert said in refused(salbox.load, "broken_module:f")


def test_spellings():
    assert all(map(is_import_path, ["a:b", "a.b:c", "a:b.c", "_a1.b:c"]))
    assert not any(map(is_import_path, ["a", "a:b:c", "a:", ":b", "a/b:c", "1a:b", "a:b-c", "a.:b", "https://x"]))
    assert all(map(is_name, ["a", "a-b", "a.b", "1"]))
    assert not any(map(is_name, ["", "a:b", "a+b", "*.a", "a b", "-a", "a,b", "a.onnx", "a#b", "../a"]))


def test_what_other_processes_find():
    assert import_path_of(brightness) == f"{__name__}:brightness"
    assert import_path_of(Network.load) == ""  # bound anew each time
    assert [import_path_of(thing) for thing in (lambda image: image, 3, Network(None, "cpu"))] == ["", "", ""]


# --- In the place of a name


def test_predict_takes_functions_models_and_paths(tmp_path):
    salbox.register("registered", brightness, card=CARD)
    maps = salbox.predict(PIXELS, [brightness, salbox.load("gaussian", sigma=0.3)])
    assert list(maps) == ["registered", "gaussian"]
    assert list(salbox.predict(PIXELS, lambda image: image[:, :, 0])) == ["lambda"]
    assert "expected a model" in refused(salbox.predict, PIXELS, [3])
    assert "no model in this folder" in refused(salbox.predict, PIXELS, tmp_path)
    assert "two models are called 'lambda'" in refused(salbox.predict, PIXELS, [lambda i: i[:, :, 0], lambda i: i])


def test_a_loaded_model_is_sent_as_what_it_was_loaded_by():
    salbox.register("mine", brightness, card=CARD)
    for model in (salbox.load("mine", gain=3), salbox.load("gaussian", sigma=0.2), salbox.load("ensemble:mine+gaze")):
        sent = pickle.loads(pickle.dumps(model))
        assert (sent.card, dict(sent.parameters)) == (model.card, dict(model.parameters))
        np.testing.assert_array_equal(sent(PIXELS), model(PIXELS))


def test_a_model_made_by_hand_is_sent_if_its_function_can_be():
    card = ModelCard("mine", **CARD)
    sent = pickle.loads(pickle.dumps(salbox.Model(card, brightness, {"gain": 2.0})))
    np.testing.assert_allclose(sent(PIXELS), 2 * PIXELS.mean(axis=2), rtol=1e-6)
    with pytest.raises(pickle.PicklingError, match="the function of model 'mine' lies in no module"):
        pickle.dumps(salbox.Model(card, lambda image: image[:, :, 0], {}))


# --- Which code


def test_only_code_of_users_own_has_a_text_of_its_own(module):
    assert own_code("gbvs") == own_code("ensemble:gbvs+gaze") == ""
    salbox.register("mine", lambda image: image[:, :, 0], card=CARD)
    with pytest.raises(UnknownSource, match="it lies in no module"):
        own_code("ensemble:gbvs+mine")
    token = own_code("mine", or_token=True)
    assert token == own_code("mine", or_token=True)
    salbox.register("mine", lambda image: image[:, :, 0], card=CARD)
    assert own_code("mine", or_token=True) != token
