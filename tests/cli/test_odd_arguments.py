"""Arguments that name nothing sensible, or what the system refuses: one line and exit code 2, no internal error."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import typer
from PIL import Image
from trees import photo

import salbox
from salbox.cli.main import build_app
from salbox.paths import user_path

LONG = "a" * 300
MODEL = ("-m", "gaussian", "-o", "o")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder: a photo, a dataset, a link that leads to itself, a folder and a file that are no pictures."""
    for number in range(2):
        photo(tmp_path / "set" / "images" / f"{number}.png", 20, 20, seed=number)
        fixations = tmp_path / "set" / "fixations" / f"{number}.csv"
        fixations.parent.mkdir(exist_ok=True)
        fixations.write_text("10,12\n3,14\n")
    photo(tmp_path / "a.png", 20, 20)
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "text.txt").write_text("x")
    try:
        (tmp_path / "loop").symlink_to("loop")
    except OSError:
        pytest.skip("no symbolic links here")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("predict", "~nosuchuser/x.png", *MODEL), "home folder"),
        (("predict", "a.png", "-m", "~nosuchuser/x.onnx", "-o", "o"), "home folder"),
        (("predict", "a.png", "-m", "aim", "-o", "o", "--param", "basis=~nosuchuser/x"), "expected a file"),
        (("predict", "a.png", "-m", "gaussian", "-o", "~nosuchuser/x"), "home folder"),
        (("evaluate", "-m", "gaussian", "--dataset", "folder:~nosuchuser/x"), "home folder"),
        (("datasets", "~nosuchuser/x"), "home folder"),
        (("predict", f"{LONG}.png", *MODEL), "too long"),
        (("predict", "a.png", "-m", f"./{LONG}.onnx", "-o", "o"), "too long"),
        (("models", LONG), "too long"),
        (("datasets", LONG), "too long"),
        (("predict", "loop", *MODEL), "lead in a circle"),
        (("predict", "a.png", "-m", "gaussian", "-o", "loop"), "lead in a circle"),
        (("predict", ".", "-m", "gaussian", "-o", "loop/x"), "lead in a circle"),
        (("teach", "-m", "gaussian", "--images", ".", "-o", "loop"), "lead in a circle"),
        (("compare", "a.png", "-m", "gaussian", "-o", "loop/x.png"), "lead in a circle"),
        (("predict", "a\0.png", *MODEL), "zero byte"),
        (("models", "a\0"), "zero byte"),
        (("predict", "a.png", *MODEL, "--max-pixels", "nan"), "--max-pixels nan: expected a number"),
        (("predict", "a.png", *MODEL, "--max-pixels", "inf"), "--max-pixels inf: expected a number"),
        (("compare", "a.png", "-m", "gaussian", "-o", "g.png", "--max-pixels", "0"), "--max-pixels 0"),
        (("predict", "a.png", *MODEL, "--do-smoothing", "custom", "--smooth-size", "9" * 400), "smooth_size"),
        (("predict", "a.png", *MODEL, "--do-smoothing", "proportional", "--smooth-prop", "1e9"), "smooth_prop"),
        (("predict", "a.png", *MODEL, "--scale-output", "min-max", "--scale-max", "1e300"), "scale_max"),
        (("models", "./folder.onnx"), "no model in this folder"),
        (("models", "./text.txt"), "text.txt"),
        (("predict", "a.png", "-m", "gaussian", "-o", "text.txt/x"), "text.txt"),
    ],
)
def test_one_line(cli, here, arguments, said):
    code, out, err = cli(*arguments)
    assert code in (1, 2)
    assert said in err
    assert "internal error" not in err
    assert code == 1 or (err.count("\n"), out) == (1, "")


@pytest.mark.parametrize("variable", ["SALBOX_HOME", "SALBOX_WEIGHTS"])
def test_folders_that_the_surroundings_name(cli, here, monkeypatch, variable):
    monkeypatch.setenv(variable, "~nosuchuser/x")
    command = {
        "SALBOX_HOME": ("evaluate", "-m", "gaussian", "--dataset", "folder:set", "--sigma", "3"),
        "SALBOX_WEIGHTS": ("predict", "a.png", "-m", "fastgaze", "-o", "o"),
    }[variable]
    code, _, err = cli(*command)
    assert code == 2
    assert "home folder" in err
    assert err.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a current folder cannot be removed there")
def test_the_current_folder_is_gone(cli, here, monkeypatch):
    (here / "gone").mkdir()
    monkeypatch.chdir(here / "gone")
    (here / "gone").rmdir()
    for command in (("predict", here / "a.png", *MODEL), ("models", "mymodels:f"), ("datasets", ".")):
        code, _, err = cli(*command)
        assert code in (1, 2), command
        assert "internal error" not in err


def test_a_full_disk_and_a_folder_that_may_not_be_read(cli, here, monkeypatch):
    def refuse(*_, **__):
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr("salbox.cli.models.list_models", refuse)
    assert cli("models") == (2, "", "salbox: somewhere: No space left on device\n")


def test_what_can_be_there_is_taken_as_it_is(here):
    assert user_path("a.png") == Path("a.png")
    assert user_path("not/there yet") == Path("not/there yet")
    assert user_path("~/x") == Path.home() / "x"
    for text in ("~nosuchuser", "loop/x", LONG, "a\0"):
        with pytest.raises(salbox.UsageError):
            user_path(text)


COMMANDS = {
    "predict": ["a.png", *MODEL],
    "compare": ["a.png", "-m", "gaussian", "-o", "g.png"],
    "models": [],
    "datasets": [],
    "evaluate": ["-m", "gaussian", "--dataset", "folder:set", "--sigma", "5", "--metrics", "nss", "-o", "r"],
    "submit": ["-m", "gaussian", "--benchmark", "mit300", "--images", "set/images", "--incomplete", "-o", "s.h5"],
    "teach": ["-m", "gaussian", "--images", "set/images", "-o", "t"],
    "export": ["gaze", "-o", "e.onnx"],
}
ODD = (
    "",
    "~nosuchuser/x",
    LONG,
    "loop",
    "folder.onnx",
    "text.txt/x",
    "\udcff",
    "nan",
    "9" * 400,
    "=",
    "a:",
    "[x",
    "\x1b",
)


def replaced(arguments: list[str], names: list[str], value: str) -> list[str]:
    """Return arguments with a value for an option, or for the first argument if none is named."""
    if not names:
        rest = arguments[1:] if arguments and not arguments[0].startswith("-") else arguments
        return [value, *rest]
    left = list(arguments)
    for name in names:
        if name in left:
            place = left.index(name)
            del left[place : place + 2]
    return [*left, names[0], value]


@pytest.mark.slow
@pytest.mark.parametrize("verb", COMMANDS)
def test_no_odd_value_of_any_option_is_an_internal_error(cli, here, verb):
    parameters = typer.main.get_command(build_app([verb])).commands[verb].params
    for parameter in parameters:
        names = list(parameter.opts) if parameter.param_type_name == "option" else []
        if names and getattr(parameter, "is_flag", False):
            continue
        for value in ODD:
            arguments = replaced(COMMANDS[verb], names, value)
            code, out, err = cli(verb, *arguments)
            assert code in (0, 1, 2), arguments
            assert "internal error" not in err, (arguments, err)
            assert "\x1b" not in out + err, arguments


def test_a_picture_that_says_what_a_terminal_obeys(cli, here):
    Path("a.png").rename("a\x1b[2Jb.png")
    code, out, err = cli("predict", "a\x1b[2Jb.png", *MODEL, "--json")
    assert code == 0
    assert "\x1b" not in out + err
    with Image.open(here / "o" / "gaussian" / "a\x1b[2Jb.png") as picture:
        assert picture.size == (20, 20)
