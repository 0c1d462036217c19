"""A fingerprint of code that changes with what a result was computed by, and with nothing else."""

from __future__ import annotations

import shutil

import pytest

from salbox.evaluation.code import code_fingerprint
from salbox.system import identity
from salbox.system.identity import code_identity, module_files


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the package, whose files are read in the place of its own."""
    root = tmp_path / "salbox"
    shutil.copytree(identity._ROOT, root, ignore=shutil.ignore_patterns("*.pyc", "__pycache__"))
    monkeypatch.setattr(identity, "_ROOT", root)
    _forget()
    yield root
    _forget()


def _forget():
    identity.code_identity.cache_clear()
    identity._imported_by.cache_clear()


@pytest.fixture
def changed_by(copy):
    """Return the models whose figures a change of a file makes stale; None stands for figures of no model."""

    def all_of():
        identity.code_identity.cache_clear()  # what is imported stays the same
        return {name: code_fingerprint(name) for name in ("bms", "sun", "aim.student", "ensemble:bms+sun", None)}

    def change(path):
        before = all_of()
        with (copy / path).open("ab") as file:
            file.write(b"\n")
        return {name for name, text in all_of().items() if text != before[name]}

    return change


EVERYTHING = {"bms", "sun", "aim.student", "ensemble:bms+sun", None}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("classical/bms.py", {"bms", "ensemble:bms+sun"}),
        ("classical/gbvs.py", set()),
        ("classical/_filters.py", {"sun", "ensemble:bms+sun"}),
        ("classical/data/sun_filters.npz", {"sun", "ensemble:bms+sun"}),
        ("runtime/preprocessing.py", {"aim.student"}),
        ("runtime/session.py", {"aim.student"}),
        ("metrics/nss.py", EVERYTHING),
        ("datasets/fixations.py", EVERYTHING),
        ("datasets/osie.py", set()),  # of no figure but those of its own
        ("imaging/postprocess.py", EVERYTHING),
        ("models/model.py", EVERYTHING),
        ("data/mean_fixation_histogram.csv", EVERYTHING),
        ("networks/unisal/network.py", set()),
        ("cli/main.py", set()),
        ("prediction/videos.py", set()),
    ],
)
def test_a_change_makes_stale_what_is_computed_through_it(changed_by, path, expected):
    assert changed_by(path) == expected


def test_figures_depend_on_what_reads_their_dataset_and_on_their_models_card(copy):
    def change(path, *asked):
        identity.code_identity.cache_clear()
        before = code_fingerprint(*asked)
        with (copy / path).open("ab") as file:
            file.write(b"\n")
        identity.code_identity.cache_clear()
        return code_fingerprint(*asked) != before

    assert change("datasets/osie.py", None, "osie")
    assert change("datasets/pascal_s.py", None, "pascal-s")
    assert not change("datasets/osie.py", None, "ecssd")
    assert change("networks/fastgaze/card.py", "fastgaze")


def test_imports_of_every_kind_are_followed(copy):
    (copy / "one.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "from . import two\n"
        "def f():\n    import salbox.three\n    from salbox.four import x\n"
        "if TYPE_CHECKING:\n    from . import five\n"
    )
    for name in ("two", "three", "four", "five"):
        (copy / f"{name}.py").write_text("x = 1\n")
    names = {path.name for path in module_files("salbox.one")}
    assert names == {"__init__.py", "offline.py", "one.py", "two.py", "three.py", "four.py"}


def test_a_package_runs_before_what_is_in_it():
    names = {path.relative_to(identity._ROOT).as_posix() for path in module_files("salbox.metrics.nss")}
    assert {"metrics/__init__.py", "metrics/auc.py", "__init__.py"} <= names


def test_an_unknown_module_is_a_mistake():
    with pytest.raises(ValueError, match=r"no module salbox\.nothing"):
        code_identity("salbox.nothing")


def test_the_same_code_has_the_same_text():
    first = code_identity("salbox.classical.bms")
    _forget()
    assert code_identity("salbox.classical.bms") == first
    assert len(first) == 16
