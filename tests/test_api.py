"""The public surface equals a reviewed list: what each public package exports, with names and defaults of parameters.

    python tests/test_api.py --write    renew tests/api_surface.json after a change that is meant

Packages that need an extra are compared, and written, where it is installed.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import json
import sys
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import salbox

SURFACE = Path(__file__).with_name("api_surface.json")
SOURCE = Path(salbox.__file__).parent
RENEW = "if it is meant, review it and run: python tests/test_api.py --write (in the environment with every extra)"

Surface = dict[str, str]


class _Text:
    """A default as it stands in a signature."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def public_packages() -> list[str]:
    """Return salbox itself, the packages in it that name what they export, and the classical models' own."""
    packages = [path.parent for path in SOURCE.rglob("__init__.py") if "\n__all__ = " in path.read_text("utf-8")]
    modules = [path.with_suffix("") for path in SOURCE.glob("*.py") if "\n__all__ = " in path.read_text("utf-8")]
    return ["salbox", "salbox.classical", *sorted(dotted(path) for path in (*packages, *modules) if path != SOURCE)]


def dotted(path: Path) -> str:
    return ".".join(path.relative_to(SOURCE.parent).parts)


def surface(package: ModuleType) -> Surface:
    """Return {name: signature} of all that a package exports; of classes also their own members, as Class.member."""
    found: Surface = {}
    for name, thing in exports(package).items():
        if inspect.isclass(thing):
            found[name] = of_class(thing)
            found |= {f"{name}.{member}": text for member, text in members(thing).items()}
        else:
            found[name] = signature(thing) if inspect.isroutine(thing) else "value"
    return found


def exports(package: ModuleType) -> dict[str, Any]:
    if package.__name__ != "salbox.classical":
        return {name: getattr(package, name) for name in sorted(package.__all__)}
    # The algorithms' parameters are what `salbox.load` takes.
    names = sorted(path.stem for path in (SOURCE / "classical").glob("[!_]*.py"))
    return {f"{n}.{n}": getattr(importlib.import_module(f"salbox.classical.{n}"), n) for n in names}


def of_class(cls: type) -> str:
    """Return how an instance is made, where salbox says it."""
    makers = [c for c in cls.__mro__ if "__init__" in vars(c) or "__new__" in vars(c)]
    if getattr(cls, "_is_protocol", False) or not is_own(makers[0]):
        return "class"
    return f"class{signature(cls)}"


def members(cls: type) -> Surface:
    """Return a class's public methods and properties, those of salbox's base classes too."""
    found: Surface = {}
    for base in reversed([c for c in cls.__mro__ if is_own(c)]):
        for name, thing in vars(base).items():
            if name.startswith("_") and name != "__call__":
                continue
            if isinstance(thing, (property, cached_property)):
                found[name] = "property"
            elif isinstance(thing, (staticmethod, classmethod)):
                found[name] = signature(getattr(cls, name))
            elif inspect.isroutine(thing):
                found[name] = signature(thing)
    return dict(sorted(found.items()))


def is_own(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == "salbox"


def signature(thing: Any) -> str:
    """Return the parameters' names, kinds and defaults.

    Annotations are left out: they print differently from one Python to the next.
    """
    plain = inspect.signature(thing)
    parameters = [
        p.replace(annotation=p.empty, default=p.empty if p.default is p.empty else _Text(default(p.default)))
        for p in plain.parameters.values()
    ]
    return str(plain.replace(parameters=parameters, return_annotation=plain.empty))


def default(value: Any) -> str:
    """Return a default as text: numbers, texts and tuples of them as they are, of all else the kind."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    if type(value) is tuple:
        return f"({', '.join(map(default, value))}{',' * (len(value) == 1)})"
    return "<factory>" if repr(value) == "<factory>" else f"<{type(value).__name__}>"  # a dataclass' default_factory


def imported(name: str) -> ModuleType | None:
    """Return a public package, or None where it needs an extra that is not installed."""
    try:
        package = importlib.import_module(name)
        for export in getattr(package, "__all__", ()):  # those that are found when they are asked for
            getattr(package, export)
        return package
    except ImportError as error:
        if (error.name or "").partition(".")[0] == "salbox":
            raise
        return None


def written() -> dict[str, Surface]:
    return json.loads(SURFACE.read_text(encoding="utf-8")) if SURFACE.is_file() else {}


def as_text(found: Surface) -> list[str]:
    return [f"{name}  {text}" for name, text in found.items()]


def test_the_list_has_every_public_package() -> None:
    assert list(written()) == public_packages(), RENEW


@pytest.mark.parametrize("name", public_packages())
def test_the_public_surface_is_the_reviewed_one(name: str) -> None:
    package = imported(name)
    if package is None:
        pytest.skip(f"{name} needs an extra that is not installed")
    reviewed, now = as_text(written().get(name, {})), as_text(surface(package))
    if reviewed != now:
        diff = "\n".join(difflib.unified_diff(reviewed, now, "reviewed", "now", n=0, lineterm=""))
        pytest.fail(f"{name} exports other things than {SURFACE.name} lists; {RENEW}\n{diff}", pytrace=False)


def test_signatures_hold_names_kinds_and_defaults() -> None:
    def function(a: int, /, b: float = 0.5, *rest: str, c: Any = print, d: tuple[int, ...] = (1,), **more: bool) -> int:
        raise NotImplementedError

    assert signature(function) == "(a, /, b=0.5, *rest, c=<builtin_function_or_method>, d=(1,), **more)"


def write() -> None:
    """Renew the list; what cannot be imported here stays as it was."""
    before, now = written(), {}
    for name in public_packages():
        package = imported(name)
        if package is None:
            sys.stderr.write(f"{name} needs an extra that is not installed: left as it was\n")
        now[name] = before.get(name, {}) if package is None else surface(package)
    SURFACE.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    write()
