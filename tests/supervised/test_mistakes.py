"""What people give by mistake: one line before anything is made, or a note of what is left out."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("lightning")

from salbox.errors import UsageError
from salbox.supervised.from_command_line import make_plan
from salbox.supervised.parts import parts_of
from salbox.supervised.plan import Plan
from salbox.supervised.train import train

QUICK = ("epochs=1", "batch_size=4", "size=[32, 32]")


def write_fixations(root: Path, i: int, places) -> None:
    lines = [f"{x:.1f},{y:.1f},{k % 2}" for k, (x, y) in enumerate(places)]
    (root / "fixations" / f"{i:02}.csv").write_text("\n".join(["x,y,subject", *lines]) + "\n")


@pytest.fixture
def study(tmp_path) -> Path:
    """Twelve photos of 64x48 pixels, each with six fixations on it."""
    root, random = tmp_path / "study", np.random.default_rng(0)
    for part in ("images", "fixations"):
        (root / part).mkdir(parents=True)
    for i in range(12):
        Image.fromarray(random.integers(0, 256, (48, 64, 3), np.uint8)).save(root / "images" / f"{i:02}.png")
        write_fixations(root, i, random.uniform(0, (63, 47), (6, 2)))
    return root


def plan_of(tmp_path: Path, *texts: str, recipe: str = "box", settings=QUICK, **more) -> Plan:
    return make_plan(recipe, tmp_path / "run", datasets=texts, settings=settings, init="none", **more)


def refused(plan: Plan, message: str) -> None:
    """Check that a training is refused in one line, and that its folder is not there afterwards."""
    with pytest.raises(UsageError, match=message) as raised:
        train(plan)
    assert "\n" not in str(raised.value)
    assert not plan.run.exists()


def test_nobody_looked_anywhere(study, tmp_path):
    for i in range(12):
        write_fixations(study, i, [])
    refused(plan_of(tmp_path, f"folder:{study}"), "no picture has fixations")


def test_positions_of_another_screen(study, tmp_path):
    for i in range(12):
        write_fixations(study, i, [(300, 200), (20, 20)])
    refused(plan_of(tmp_path, f"folder:{study}"), r"12 of 24 fixations \(50 %\) lie outside their image")
    (parts,) = parts_of(plan_of(tmp_path, f"folder:{study}", allow_outside=True))
    assert sum(map(len, parts.datasets.values())) == 12
    assert "12 of 24 fixations" in parts.lines()[1]


def test_pictures_that_cannot_be_learned_from_are_left_out(study, tmp_path):
    (study / "images" / "03.png").write_bytes(b"no picture")
    write_fixations(study, 4, [])
    (parts,) = parts_of(plan_of(tmp_path, f"folder:{study}"))
    names = {item.name for part in parts.datasets.values() for item in part.items}
    assert names == {f"{i:02}" for i in range(12)} - {"03", "04"}
    assert "1 pictures without fixations left out; 1 pictures cannot be read and are left out" in parts.lines()[1]


@pytest.mark.parametrize(
    ("recipe", "settings", "more", "message"),
    [
        ("dgii", ("size=[64, 64]",), {}, "loss 'nll' needs fixations; there is only mask"),
        ("unisal", ("size=[64, 64]",), {}, "loss 'kl' needs teacher or density; there is only mask"),
        ("box", ("loss={bce: 1}", *QUICK), {"device": "tpu"}, "device 'tpu': expected cpu, cuda or cuda:N"),
        ("box", ("loss={bce: 1}", *QUICK), {"encoder": "nonsuch"}, "no encoder 'nonsuch'"),
    ],
)
def test_what_does_not_fit_leaves_no_run(study, tmp_path, recipe, settings, more, message):
    shutil.move(study / "fixations", study / "masks")
    for i in range(12):
        (study / "masks" / f"{i:02}.csv").unlink()
        Image.fromarray(np.eye(48, 64, dtype=np.uint8) * 255).save(study / "masks" / f"{i:02}.png")
    refused(plan_of(tmp_path, f"folder:{study}", recipe=recipe, settings=settings, **more), message)


def test_a_split_says_what_it_does_not_fit(study, tmp_path):
    chosen = {"00.png": "training", "01": "training", "02": "validation", "nobody.png": "test"}
    (parts,) = parts_of(plan_of(tmp_path, f"folder:{study}", chosen=chosen))
    assert [len(part) for part in parts.datasets.values()] == [2, 1]
    assert parts.lines()[1:] == [
        "folder: 9 photos that the split does not name are left out: 03, 04, 05, 06, 07 and 4 more",
        "folder: 1 names of the split have no photo: nobody.png",
    ]
    with pytest.raises(UsageError, match="names none of the 12 photos"):
        parts_of(plan_of(tmp_path, f"folder:{study}", chosen={"nobody.png": "training"}))
    with pytest.raises(UsageError, match="no picture is left to train on"):
        parts_of(plan_of(tmp_path, f"folder:{study}", chosen={"00": "test"}))


def test_a_split_of_several_data_sets_as_a_run_writes_it(study, tmp_path):
    chosen = {"a/00": "training", "a/01": "test", "b/00": "test", "b/01": "training"}
    a, b = parts_of(plan_of(tmp_path, f"a=folder:{study}", f"b=folder:{study}", chosen=chosen))
    assert [[item.name for item in part.items] for part in (a.training, a.test)] == [["00"], ["01"]]
    assert [[item.name for item in part.items] for part in (b.training, b.test)] == [["01"], ["00"]]
    assert not any("no photo" in line for line in a.lines() + b.lines())


@pytest.mark.parametrize(
    ("spec", "message"),
    [("{0}", "of what kind[?] NAME:PATH, such as folder:"), ("folder:{0}/nowhere", "no such folder")],
)
def test_data_sets_that_are_none(study, tmp_path, spec, message):
    with pytest.raises(UsageError, match=message):
        plan_of(tmp_path, spec.format(study))


def test_maps_that_are_nowhere(study, tmp_path):
    with pytest.raises(UsageError, match=r"no such folder$"):
        make_plan("box", tmp_path / "run", images=study / "images", maps=tmp_path / "nowhere")


def test_names_that_no_folder_can_have(study, tmp_path):
    with pytest.raises(UsageError, match="--name 'a/b': expected a name that a folder can have"):
        plan_of(tmp_path, f"folder:{study}", head="a/b")
