"""The documentation as a whole: every page is found, every link leads somewhere, the reference has all there is."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import yaml

from salbox.cli.main import VERBS
from salbox.models.registry import MODELS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"\]\(([^)\s]+)\)")
PARTS = ["Start", "Guides", "Models", "Reference", "Results"]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    return script("document_reference")


@pytest.fixture(scope="module")
def notebooks() -> ModuleType:
    return script("document_notebooks")


@pytest.fixture(scope="module")
def navigation(hook, notebooks) -> list[Any]:
    """The navigation as mkdocs has it, with what the hooks add."""
    given = SimpleNamespace(nav=yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"])
    return notebooks.on_config(hook.on_config(given)).nav


@pytest.fixture(scope="module")
def reference(hook) -> dict[str, str]:
    return hook.reference_pages()


@pytest.fixture(scope="module")
def generated(reference, notebooks) -> dict[str, str]:
    """Pages that are made when the documentation is built, by their place in it."""
    return reference | {name: text for name, text in notebooks.notebook_pages().items() if isinstance(text, str)}


def leaves(part: Any) -> Iterator[str]:
    """Yield the pages of a part of the navigation."""
    if isinstance(part, str):
        yield part
    else:
        for each in part if isinstance(part, list) else part.values():
            yield from leaves(each)


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)


def test_four_parts_and_the_results(navigation):
    assert [name for part in navigation for name in part] == PARTS


def test_every_page_is_in_the_navigation(navigation, generated):
    there = {page.relative_to(DOCS).as_posix() for page in PAGES} | set(generated)
    assert set(leaves(navigation)) == there


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page, generated):
    assert dead_links(page, page.read_text("utf-8"), generated) == []


def test_links_of_notebooks_lead_somewhere(notebooks, generated):
    pages = {name: text for name, text in notebooks.notebook_pages().items() if isinstance(text, str)}
    without_pictures = {name: re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text) for name, text in pages.items()}
    assert [dead for name, text in without_pictures.items() for dead in dead_links(DOCS / name, text, generated)] == []


def dead_links(page: Path, text: str, generated: dict[str, str]) -> list[str]:
    """Return the links of a page that lead to no page and no file."""
    made = {DOCS / name for name in generated}
    paths = [target.partition("#")[0] for target in LINK.findall(without_code(text))]
    found = {path: (page.parent / path).resolve() for path in paths if path and not re.match(r"[a-z]+:", path)}
    return [path for path, there in found.items() if not there.exists() and there not in made]


def test_the_front_page_reaches_every_part(navigation):
    linked = set(LINK.findall((DOCS / "index.md").read_text("utf-8")))
    for part in navigation:
        assert linked & set(leaves(part)), f"nothing of {next(iter(part))} is linked on the front page"


def test_the_command_line_is_complete(hook, reference):
    page = reference[hook.CLI]
    assert re.findall(r"^## (\S+)$", page, re.MULTILINE) == list(VERBS)
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    for verb, section in sections.items():
        for parameter in hook.command_of(verb).params:
            if parameter.name == "help" or parameter.hidden:
                continue
            names = [] if parameter.param_type_name == "argument" else parameter.opts
            assert all(f"`{name}`" in section for name in names), f"{verb}: {names}"
            assert not parameter.help or hook._text(" ".join(parameter.help.split())) in section, f"{verb}: {names}"


def test_python_is_complete(hook, reference):
    surface = json.loads((ROOT / "tests" / "api_surface.json").read_text("utf-8"))
    assert set(surface) <= set(hook.packages())
    for package, names in surface.items():
        depth = 2 if package == "salbox.classical" else 1  # aim.aim: a module and its function
        public = {name for name in names if name.count(".") == depth - 1}
        page = reference[f"reference/python/{package}.md"]
        assert public <= set(hook.exports(package)), package
        assert all(f"heading: {package}.{name}\n" in page for name in public)


def defined(module: str) -> set[str]:
    """Return the names that a module defines or imports, read from its file: torch takes long to import."""
    path = ROOT / "src" / Path(*module.split("."))
    found: set[str] = set()
    tree = ast.parse((path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text("utf-8"))
    tried = [inner for node in tree.body if isinstance(node, (ast.Try, ast.If)) for inner in ast.walk(node)]
    for node in [*tree.body, *tried]:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        found |= {target.id for target in targets if isinstance(target, ast.Name)}
        found |= {alias.asname or alias.name for alias in getattr(node, "names", [])}
        found.add(getattr(node, "name", ""))
    return found


def test_each_name_is_where_the_page_looks_for_it(hook):
    lost = [
        f"{package}.{shown}"
        for package in hook.packages()
        for shown, module in hook.exports(package).items()
        if shown.rpartition(".")[2] not in defined(module)
    ]
    assert lost == []


def test_every_extra_is_explained():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    page = (DOCS / "install.md").read_text("utf-8")
    table = page[page.index("| extra |") :]
    assert [name for name in extras if f"`{name}`" not in table] == []


def test_every_model_is_on_the_overview():
    page = (DOCS / "models.md").read_text("utf-8")
    assert sorted(re.findall(r"\(models/([^)]+)\.md\)", page)) == sorted(MODELS)
