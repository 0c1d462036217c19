"""Models of users' own in every verb: by import path from the current folder, and from an installed package."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from own_models import CONTRAST, install, run_afresh, write_module
from PIL import Image
from trees import photo

import salbox
from salbox.writing import read_notes

NAME = "mymodels:contrast"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, with a module, photos and a dataset; no module of it is known yet."""
    write_module(tmp_path)
    for number in range(8):
        photo(tmp_path / "photos" / f"{number}.png", 48, 36, seed=number)
        photo(tmp_path / "dataset" / "images" / f"{number}.png", 48, 36, seed=number)
        (tmp_path / "dataset" / "fixations").mkdir(exist_ok=True)
        np.save(tmp_path / "dataset" / "fixations" / f"{number}.npy", [[10 + number, 12], [30, 20]])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    sys.modules.pop("mymodels", None)
    yield tmp_path
    sys.modules.pop("mymodels", None)


def test_predict_writes_its_maps_and_notes_its_code(cli, here):
    code, _, said = cli("predict", "photos", "-m", f"{NAME},bms", "--param", f"{NAME}:power=1", "-o", "out")
    assert code == 0, said
    target = here / "out" / "mymodels-contrast" / "3.png"
    notes = read_notes(target)
    assert (notes["model"], notes["parameters"]) == (NAME, {"power": 1.0})
    assert cli("predict", "photos", "-m", NAME, "-o", "npy", "--format", "npy", "--workers", "2")[0] == 0
    saliency = salbox.load(NAME)("photos/3.png")
    np.testing.assert_array_equal(np.load("npy/mymodels-contrast/3.npy"), saliency)


@pytest.mark.slow
def test_a_map_of_code_that_has_changed_is_said_to_be_made_otherwise(here):
    arguments = ("predict", "photos", "-m", NAME, "-o", "out", "--workers", "2")
    for expected in ("8 outputs of 8 inputs", "8 were there already"):
        done = run_afresh(*arguments, folder=here)
        assert (done.returncode, expected in done.stderr) == (0, True), done.stderr
    write_module(here, text=CONTRAST + "\n")
    done = run_afresh(*arguments, folder=here)
    assert done.returncode == 1
    assert "were made otherwise (out/mymodels-contrast/0.png: by another version of the code)" in done.stderr


@pytest.mark.slow
def test_kept_figures_follow_the_code_and_all_that_it_needs(here):
    write_module(here, text="import beside\n" + CONTRAST.replace("** power", "** power + beside.OFFSET.mean()"))
    write_module(here, "beside", "import numpy as np\nOFFSET = np.load('offset.npy')\n")
    np.save(here / "offset.npy", [1.0])
    arguments = ("evaluate", "-m", NAME, "--dataset", "folder:dataset", "--metrics", "nss", "--json", "--workers", "2")
    kept = here / "home" / "evaluations" / "folder-all"

    def files() -> dict[Path, int]:
        done = run_afresh(*arguments, folder=here)
        assert done.returncode == 0, done.stderr
        assert "not kept" not in done.stdout
        return {path: len(path.read_text().splitlines()) for path in kept.iterdir()}

    first = files()
    assert files() == first
    assert list(first.values()) == [9]
    np.save(here / "offset.npy", [2.0])
    second = files()
    write_module(here, "beside", "import numpy as np\nOFFSET = np.load('offset.npy') * 2\n")
    third = files()
    write_module(here, text=(here / "mymodels.py").read_text().replace("power=2.0", "power=3.0"))
    assert [len(found) for found in (second, third, files())] == [2, 3, 4]


def test_the_other_verbs_take_it(cli, here):
    assert cli("compare", "photos/1.png", "-m", f"{NAME},gaussian", "-o", "grid.png")[0] == 0
    assert (here / "grid.png").is_file()
    code, printed, _ = cli("models", NAME)
    assert code == 0
    assert "Contrast" in printed
    assert "not stated  origin, learned, agreement, code, weights, training data" in printed
    code, printed, said = cli(
        "evaluate", "-m", f"{NAME},ensemble:{NAME}+bms", "--dataset", "folder:dataset", "--metrics", "nss", "--json"
    )
    assert code == 0, said
    assert {record["model"] for record in json.loads(printed)["results"]} == {NAME, f"ensemble:{NAME}+bms"}
    assert cli("report", "-m", NAME, "--dataset", "folder:dataset", "-o", "page.html", "--workers", "1")[0] == 0
    assert "Contrast" in (here / "page.html").read_text()


@pytest.mark.slow
def test_bench_measures_it(cli, here):
    code, printed, said = cli("bench", "-m", NAME, "--size", "64x48", "--repeat", "1", "--json")
    assert code == 0, said
    assert [cost["model"] for cost in json.loads(printed)] == [NAME]


@pytest.mark.slow
def test_teach_refuses_maps_of_code_that_has_changed(here):
    arguments = ("teach", "-m", f"{NAME},mymodels:plain", "--images", "photos", "-o", "maps", "--workers", "2")
    for expected in ("16 outputs of 16 inputs", "16 were there already"):
        done = run_afresh(*arguments, folder=here)
        assert (done.returncode, expected in done.stderr) == (0, True), done.stderr
    write_module(here, text=CONTRAST + "\n")
    done = run_afresh(*arguments, folder=here)
    assert done.returncode == 2
    assert "maps/mymodels-contrast: holds maps made otherwise (code '" in done.stderr


@pytest.mark.slow
def test_distill_learns_it_as_it_is_when_the_run_begins(here):
    pytest.importorskip("torch")
    pytest.importorskip("lightning")
    quick = ("--size", "32x32", "--set", "epochs=1", "--set", "batch_size=4", "--init", "none", "--workers", "1")
    arguments = ("distill", "--teacher", NAME, "--images", "photos", "-o", "run", *quick)
    done = run_afresh(*arguments, folder=here)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("mymodels-contrast: ")
    assert "Contrast" in salbox.card("./run").title
    assert salbox.load("./run")("photos/1.png").shape == (36, 48)
    assert "is finished already" in run_afresh(*arguments, folder=here).stderr
    write_module(here, text=CONTRAST + "\n")
    done = run_afresh(*arguments, folder=here)
    assert done.returncode == 2
    assert "run: holds another run (" in done.stderr


def test_what_is_wrong_is_one_line(cli, here):
    for name, expected in {
        "mymodel:contrast": "no module 'mymodel'",
        "mymodels:contrsat": "did you mean 'contrast'",
        "mymodels": "no model 'mymodels'",
    }.items():
        code, _, said = cli("predict", "photos", "-m", name, "-o", "out")
        assert code == 2
        assert expected in said
        assert len(said.splitlines()) == 1
    write_module(here, "failing", "def f(image):\n    return image[0] @ 1\n")
    code, _, said = cli("predict", "photos/1.png", "-m", "failing:f", "-o", "out")
    assert code == 1
    assert "model 'failing:f' failed: ValueError: matmul: " in said
    assert "(failing.py, line 2)" in said
    assert "internal error" not in said


@pytest.mark.slow
def test_an_installed_package_brings_it(here):
    site = here / "site"
    write_module(site, "plug_models")
    install(site, "plug", {"plugged": "plug_models:plain", "gone": "module_that_is_not_there:f"})
    done = run_afresh(
        "predict", "photos", "-m", "plugged,gbvs", "-o", "out", "--workers", "2", folder=here, paths=(site,)
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "16 outputs of 8 inputs written to out\n"
    done = run_afresh("predict", "photos", "-m", "plug*,gone", "-o", "more", folder=here, paths=(site,))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("salbox: model 'gone' of the package plug cannot be loaded")


SCRIPT = """
from pathlib import Path
import salbox

@salbox.register("mine", card={"task": "fixation", "output": "score"})
def mine(image):
    return image.mean(axis=2)

def other(image):
    return 255 - image.mean(axis=2)

if __name__ == "__main__":
    table = salbox.evaluate("folder:dataset", ["mine", other], ["nss"], workers=2)
    print(*table.rows, len(table.images), table.facts["results"])
    from salbox.distillation.teachers.teacher import teach
    from salbox.imaging.inputs import find_images
    print(sum(len(each.written) for each in teach("mine", find_images(["photos"]), Path("maps"), workers=2)))
"""


@pytest.mark.slow
def test_a_script_shares_its_own_functions_out(here):
    write_module(here, "script", SCRIPT)
    done = run_afresh(folder=here, code="import runpy; runpy.run_path('script.py', run_name='__main__')")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["mine other 8 not kept", "8"]


@pytest.mark.slow
def test_what_is_typed_into_a_session_is_not_shared_out(here):
    done = run_afresh(folder=here, code=SCRIPT)
    assert done.returncode == 1
    assert "'other' cannot be sent to other processes" in done.stderr.splitlines()[-1]
    done = run_afresh(folder=here, code=SCRIPT.replace("workers=2", "workers=None"))
    assert done.stdout.splitlines() == ["mine other 8 not kept", "8"], done.stderr


def test_pictures_of_it_are_what_it_gives(cli, here):
    cli("predict", "photos/1.png", "-m", "mymodels:plain", "-o", "out", "--format", "png16")
    with Image.open("out/mymodels-plain/1.png") as picture:
        assert picture.size == (48, 36)
