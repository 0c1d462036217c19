"""Every Example of a docstring runs and prints what it says; every metric and every classical model has one."""

from __future__ import annotations

import doctest
import importlib
import inspect
import io
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import salbox
from salbox import metrics
from salbox.errors import MissingExtraError

SOURCE = Path(salbox.__file__).parent
OPTIONS = doctest.FAIL_FAST  # what follows a failure tells nothing
CLASSICAL = sorted(path.stem for path in (SOURCE / "classical").glob("[!_]*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


# Found by their text, so that collecting the tests imports none of them.
MODULES = sorted(module_name(path) for path in SOURCE.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_they_say(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SALBOX_HOME", str(tmp_path / "home"))
    module = imported(name)
    # Nothing is given beforehand: an Example imports what it uses, so that it can be copied.
    examples = [test for test in doctest.DocTestFinder().find(module, globs={"__name__": "__main__"}) if test.examples]
    assert examples, f"{name}: '>>> ' stands in the file, but in no docstring of its public or private things"
    skipped = [test.name for test in examples if not run(test)]
    if skipped:
        pytest.skip(f"optional packages are missing for {', '.join(skipped)}")


def imported(name: str) -> ModuleType:
    """Return a module; skip the test if it needs a package of an extra that is not installed."""
    try:
        return importlib.import_module(name)
    except MissingExtraError as error:
        pytest.skip(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in ("", "salbox"):
            raise
        pytest.skip(f"{name} needs {error.name}")


def run(test: doctest.DocTest) -> bool:
    """Return True once an Example has run as it says, False if it stopped at a package that is not installed."""
    missing: list[str] = []

    class Runner(doctest.DocTestRunner):
        def report_unexpected_exception(
            self, out: Callable[[str], object], test: doctest.DocTest, example: doctest.Example, exc_info: Any
        ) -> None:
            if issubclass(exc_info[0], MissingExtraError):
                missing.append(str(exc_info[1]))
            else:
                super().report_unexpected_exception(out, test, example, exc_info)

    report = io.StringIO()
    Runner(optionflags=OPTIONS).run(test, out=report.write)
    if report.getvalue():
        pytest.fail(report.getvalue(), pytrace=False)
    return not missing


def has_example(thing: object) -> bool:
    """Return whether a docstring has a section 'Examples' of which at least one line runs."""
    text = inspect.getdoc(thing) or ""
    section = text.partition("Examples\n--------\n")[2]
    return any(doctest.SKIP not in example.options for example in doctest.DocTestParser().get_examples(section))


@pytest.mark.parametrize("name", metrics.METRICS)
def test_every_metric_has_an_example(name: str) -> None:
    assert has_example(metrics.METRICS[name].function)


@pytest.mark.parametrize("name", [n for n in metrics.__all__ if inspect.isfunction(getattr(metrics, n))])
def test_every_function_of_the_metrics_has_an_example(name: str) -> None:
    assert has_example(getattr(metrics, name))


@pytest.mark.parametrize("name", CLASSICAL)
def test_every_classical_model_has_an_example(name: str) -> None:
    assert has_example(getattr(importlib.import_module(f"salbox.classical.{name}"), name))


@pytest.mark.parametrize("name", [n for n in salbox.__all__ if inspect.isfunction(getattr(salbox, n))])
def test_every_function_of_salbox_itself_has_an_example(name: str) -> None:
    assert has_example(getattr(salbox, name))


def test_a_wrong_example_is_found() -> None:
    test = doctest.DocTestParser().get_doctest(">>> 1 + 1\n3\n", {}, "wrong", None, 0)
    with pytest.raises(pytest.fail.Exception, match="Expected:\n    3\nGot:\n    2"):
        run(test)


def test_an_example_without_its_package_counts_as_not_run() -> None:
    text = ">>> from salbox.errors import MissingExtraError\n>>> raise MissingExtraError('it', 'eval')\n>>> 1 + 1\n3\n"
    assert not run(doctest.DocTestParser().get_doctest(text, {}, "missing", None, 0))
