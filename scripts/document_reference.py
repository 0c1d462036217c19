"""Pages of the reference, made when the documentation is built: they cannot be stale. A hook of mkdocs.

`reference/cli.md` is what the command line says of itself; `reference/python.md` lists the public packages, and
`reference/python/PACKAGE.md` has the docstrings of all that one exports, by mkdocstrings.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from salbox.cli.main import GROUPS, build_app
from salbox.models.registry import MODELS

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "salbox"
CLI, PYTHON = "reference/cli.md", "reference/python.md"
EXAMPLES = "Examples:"


def on_config(config: Any) -> Any:
    """Return the configuration with the pages of models and packages in the navigation."""
    for part in config.nav:
        if "Models" in part:
            part["Models"].append({"A page each": [{name: f"models/{name}.md"} for name in MODELS]})
        if "Reference" in part:
            place = next(n for n, page in enumerate(part["Reference"]) if PYTHON in page.values())
            pages = [{name: _page_of(name)} for name in packages()]
            part["Reference"].insert(place + 1, {"Python, by package": pages})
    return config


def on_files(files: Any, config: Any) -> Any:
    """Return the documentation's files with the generated ones."""
    from mkdocs.structure.files import File

    for path, text in reference_pages().items():
        files.append(File.generated(config, path, content=text))
    return files


def reference_pages() -> dict[str, str]:
    """Return the generated pages: paths under docs/ with their text."""
    return {CLI: cli_page(), PYTHON: python_page(), **{_page_of(name): package_page(name) for name in packages()}}


def cli_page() -> str:
    """Return the page of the command line: each verb with its arguments, options and examples."""
    parts = [
        "# Command line",
        "`salbox VERB --help` says the same in a terminal. Exit codes: 0 done; 1 some inputs failed, and were named; "
        "2 wrong usage, or something that the system refuses; 130 interrupted.",
        _table(("verb", "what it does"), [(f"[`{v}`](#{v})", said) for g in GROUPS.values() for v, said in g.items()]),
    ]
    for verbs in GROUPS.values():
        for verb in verbs:
            parts += verb_section(verb)
    return "\n\n".join(parts) + "\n"


def command_of(verb: str) -> Any:
    """Return a verb as the command line parses it, with its parameters."""
    return typer.main.get_command(build_app([verb])).commands[verb]  # type: ignore[attr-defined]


def verb_section(verb: str) -> Iterator[str]:
    """Yield what is said of a verb: its sentences, its parameters panel by panel, its examples."""
    command = command_of(verb)
    paragraphs = [" ".join(p.split()) for p in inspect.cleandoc(command.help or "").split("\n\n")]
    place = paragraphs.index(EXAMPLES) if EXAMPLES in paragraphs else len(paragraphs)
    shown = [p for p in command.params if not p.hidden and p.name != "help"]
    usage = " ".join(["salbox", verb, *(_argument(p) for p in shown if _is_argument(p)), "[OPTIONS]"])
    yield f"## {verb}"
    yield f"```text\n{usage}\n```"
    yield from (_text(p) for p in paragraphs[:place])
    panels: dict[str, list[Any]] = {}
    for parameter in shown:
        panels.setdefault(getattr(parameter, "rich_help_panel", None) or "Options", []).append(parameter)
    for title, parameters in sorted(panels.items(), key=lambda panel: panel[0] != "Options"):
        yield f"**{title}**"
        yield _table(("option", "what it does", "default"), [_row(p) for p in parameters])
    if examples := paragraphs[place + 1 :]:
        yield "```sh\n" + "\n".join(examples) + "\n```"


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _argument(parameter: Any) -> str:
    name: str = parameter.metavar or parameter.name.upper()
    return name if parameter.required or name.startswith("[") else f"[{name}]"


def _row(parameter: Any) -> tuple[str, str, str]:
    said = _text(" ".join((parameter.help or "").split()))
    if _is_argument(parameter):
        return f"`{_argument(parameter)}`", said, ""
    names = ", ".join(f"`{name}`" for name in sorted([*parameter.opts, *parameter.secondary_opts], key=len))
    takes = "" if parameter.is_flag else (parameter.metavar or "").replace("|", "\\|")
    default = parameter.default
    if parameter.required:
        shown = "required"
    elif default is None or isinstance(default, (bool, list, tuple)) or callable(default) or not parameter.show_default:
        shown = ""
    else:
        shown = f"`{getattr(default, 'value', default)}`"
    return names + (f" `{takes}`" if takes else ""), said, shown


def python_page() -> str:
    """Return the page that lists the public packages."""
    rows = [(f"[`{name}`]({_page_of(name).removeprefix('reference/')})", _first_line(name)) for name in packages()]
    return "\n\n".join(
        [
            "# Python",
            "What is named here stays as it is within a version; all else may change without notice. Packages are "
            "loaded when they are asked for: `import salbox` is enough for `salbox.metrics.nss`.",
            _table(("package", "what is in it"), rows),
        ]
    )


def package_page(name: str) -> str:
    """Return the page of a package: all that it exports, by the module that has its docstring."""
    parts = [f"# {name}", _first_line(name)]
    for shown, module in exports(name).items():
        own = shown.rpartition(".")[2]
        options = f"    options:\n      heading: {name}.{shown}\n      toc_label: {own}"
        parts.append(f"::: {module}.{own}\n{options}")
    return "\n\n".join(parts) + "\n"


def packages() -> list[str]:
    """Return the public packages: salbox, those in it that name what they export, and the classical models' own."""
    found = [p.parent for p in SOURCE.rglob("__init__.py") if p.parent != SOURCE and _names_exports(p)]
    found += [p.with_suffix("") for p in SOURCE.glob("*.py") if p.stem != "__init__" and _names_exports(p)]
    return ["salbox", "salbox.classical", *sorted(".".join(p.relative_to(SOURCE.parent).parts) for p in found)]


def _names_exports(path: Path) -> bool:
    return "\n__all__ = " in path.read_text("utf-8")


def exports(package: str) -> dict[str, str]:
    """Return what a package exports, with the module that each name is of; the source is read, not imported."""
    if package == "salbox.classical":
        names = sorted(p.stem for p in (SOURCE / "classical").glob("[!_]*.py"))
        return {f"{name}.{name}": f"{package}.{name}" for name in names}
    path = SOURCE.parent / Path(*package.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    stub = file.with_suffix(".pyi")
    tree = ast.parse((stub if stub.is_file() else file).read_text("utf-8"))
    modules: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.level:
            above = package.split(".") if path.is_dir() else package.split(".")[:-1]
            base = ".".join([*above[: len(above) - node.level + 1], *(node.module or "").split(".")]).rstrip(".")
            modules |= {alias.asname or alias.name: base for alias in node.names}
    if stub.is_file():
        return {name: module for name, module in sorted(modules.items()) if module != package}  # else a module
    return {name: modules.get(name, package) for name in _all_of(tree)}


def _all_of(tree: ast.Module) -> list[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            return sorted(ast.literal_eval(node.value))
    raise ValueError("no list of exports")


def _first_line(package: str) -> str:
    path = SOURCE.parent / Path(*package.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").partition("\n")[0]


def _page_of(package: str) -> str:
    return f"reference/python/{package}.md"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ("---",) * len(head), *rows))


def _text(text: str) -> str:
    """Return a text as Markdown shows it: nothing in it is markup."""
    for sign in ("\\", "*", "_", "<", "|", "[", "`"):
        text = text.replace(sign, f"\\{sign}" if sign != "<" else "&lt;")
    return text
