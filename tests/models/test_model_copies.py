"""Models are copied, and sent to other processes in every way there is: the copy gives the same maps."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import checkpoints
import numpy as np
import onnx_writer as ow
import pytest
from own_models import write_module

import salbox
from salbox.models.exported import packaged
from salbox.models.own import function_model

PHOTO = np.random.default_rng(0).integers(0, 255, (40, 50, 3), dtype=np.uint8)
FOREIGN = "task: fixation\noutput: score\nrange: [0, 255]\nsize: {rule: native}\n"

# Of every kind how it is loaded; "registered" is so by the module that it lies in.
KINDS = {
    "classical": ("bms", {"max_dim": 200}),
    "head": ("gbvs.student", {}),
    "gaze": ("gaze", {"quality": "best"}),
    "ensemble": ("ensemble:0.3*bms+0.7*contrast", {}),
    "path": (packaged("box.onnx") + "#gbvs", {}),
    "run folder": ("run#gbvs", {}),
    "another program's": ("./net.onnx", {}),
    "import path": ("mymodels:plain", {}),
    "registered": ("contrast", {"power": 1.5}),
}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder, the current one, that holds a network of another program, a run folder and a module."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Path("net.onnx").write_bytes(ow.foreign())
    Path("net.yaml").write_text(FOREIGN)
    Path("run").mkdir()
    Path("run/student.onnx").symlink_to(packaged("box.onnx"))
    write_module(tmp_path)
    yield tmp_path
    sys.modules.pop("mymodels", None)


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_gives_the_same_maps(here, kind, way):
    __import__("mymodels")
    name, parameters = KINDS[kind]
    model = salbox.load(name, **parameters)
    copied = way(model)
    assert copied is not model
    assert (copied.card, copied.parameters) == (model.card, model.parameters)
    np.testing.assert_array_equal(copied(PHOTO), model(PHOTO))
    np.testing.assert_array_equal(way(copied)(PHOTO), model(PHOTO))


@pytest.mark.slow
def test_of_a_pytorch_network_too():
    model = salbox.load("gbvs.kdsalbox", weights=checkpoints.checkpoint("gbvs.kdsalbox"))
    expected = model(PHOTO)
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(copied(PHOTO), expected)
        for weights in copied.function.network.parameters():
            weights.data.zero_()
    np.testing.assert_array_equal(model(PHOTO), expected)  # its weights are its own


def test_a_function_without_a_name_is_copied_and_not_sent():
    model = function_model(lambda image: image[:, :, 0])
    np.testing.assert_array_equal(copy.deepcopy(model)(PHOTO), PHOTO[:, :, 0])
    with pytest.raises(pickle.PicklingError, match="the function of model 'lambda' lies in no module"):
        pickle.dumps(model)


def test_a_registered_function_that_no_other_process_finds_is_not_sent():
    salbox.register("mine", lambda image: image[:, :, 0], card={"task": "fixation", "output": "score"})
    for name in ("mine", "ensemble:bms+mine"):
        with pytest.raises(pickle.PicklingError, match="model 'mine' lies in no module that another process"):
            pickle.dumps(salbox.load(name))


def test_relative_paths_are_those_of_the_folder_it_was_loaded_in(here, monkeypatch):
    sent = {name: pickle.dumps(salbox.load(name)) for name in ("./net.onnx", "run#gbvs", "bms")}
    expected = {name: salbox.load(name)(PHOTO) for name in sent}
    (here / "elsewhere" / "bms").mkdir(parents=True)
    monkeypatch.chdir(here / "elsewhere")
    for name, content in sent.items():
        model = pickle.loads(content)
        np.testing.assert_array_equal(model(PHOTO), expected[name])
        assert model.loaded_as.name == name


SCRIPT = """
import multiprocessing, sys
from concurrent.futures import ProcessPoolExecutor
import numpy as np
import salbox

photo = np.load("photo.npy")
KINDS = {kinds!r}

def ask(model):
    return model(photo)

class Photos:
    def __init__(self, models):
        self.models = models
    def __len__(self):
        return len(self.models)
    def __getitem__(self, number):
        return ask(self.models[number])

if __name__ == "__main__":
    import mymodels
    models = [salbox.load(name, **parameters) for name, parameters in KINDS.values()]
    expected = [ask(model) for model in models]
    way = sys.argv[1]
    if way == "joblib":
        from joblib import Parallel, delayed
        found = Parallel(n_jobs=2)(delayed(ask)(model) for model in models)
    elif way.startswith("loader"):
        from torch.utils.data import DataLoader
        start = way.partition(" ")[2]
        found = DataLoader(Photos(models), batch_size=None, num_workers=1, multiprocessing_context=start)
    else:
        with ProcessPoolExecutor(1, multiprocessing.get_context(way)) as pool:
            found = list(pool.map(ask, models))
    for name, theirs, ours in zip(KINDS, found, expected, strict=True):
        # Another number of threads may add up in another order.
        np.testing.assert_allclose(theirs, ours, atol=1e-4, err_msg=name)
"""


@pytest.mark.slow
@pytest.mark.parametrize("way", ["spawn", "forkserver", "fork", "joblib", "loader spawn", "loader fork"])
def test_other_processes_get_every_kind(here, way):
    if way == "joblib" or way.startswith("loader"):
        pytest.importorskip(way.replace("loader", "torch").partition(" ")[0])
    if way != "spawn" and sys.platform == "win32":
        pytest.skip("there is no fork")
    np.save("photo.npy", PHOTO)
    Path("script.py").write_text(SCRIPT.format(kinds=KINDS))
    done = subprocess.run([sys.executable, "script.py", way], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr[-2000:]
