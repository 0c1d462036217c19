"""The notebooks of examples/: run, and shown as pages of the documentation. A hook of mkdocs.

    python scripts/document_notebooks.py [NAME ...]     # run them, and keep what came out in the files

A page has a notebook's text, its code, and what stood below it when it was run last; nothing is run when the
documentation is built. Notebooks run in a copy of their folder, so that nothing is left behind.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
FOLDER = "notebooks"  # of the documentation
LONGEST = 1200  # seconds that a cell may take, on a machine that is busy
_TERMINAL = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def notebooks() -> list[Path]:
    """Return the notebooks."""
    return sorted(EXAMPLES.glob("*.ipynb"))


def executed(path: Path, folder: Path) -> dict[str, Any]:
    """Return a notebook as it is after it has run in `folder`, a copy of its own.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    """
    import nbclient
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    where = {"metadata": {"path": str(folder)}}
    client = nbclient.NotebookClient(
        notebook, timeout=LONGEST, kernel_name="python3", resources=where, record_timing=False
    )
    # What a notebook calls is what is installed beside its Python.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return dict(client.execute(env={**os.environ, "PATH": path, "SALBOX_HOME": str(folder / "cache")}))


def kept(notebook: dict[str, Any], folder: Path) -> str:
    """Return the text of a notebook's file: outputs without complaints, and without what differs from run to run.

    `folder`, where it ran, is called by no name.
    """
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        if cell["cell_type"] == "code":
            cell["outputs"] = list(_small(cell["outputs"]))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook["metadata"] = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return json.dumps(notebook, indent=1, ensure_ascii=False).replace(f"{folder}/", "") + "\n"


def _small(outputs: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield a cell's outputs: what was printed in one piece and without colours, of a picture its smaller form."""
    printed = "".join(_TERMINAL.sub("", output["text"]) for output in outputs if output.get("name") == "stdout")
    if printed.strip():
        yield {"name": "stdout", "output_type": "stream", "text": printed}
    for output in outputs:
        if "data" in output:
            data = dict(output["data"])
            if "image/jpeg" in data:
                data.pop("image/png", None)
            yield {**output, "data": data, "metadata": {}}


def main() -> None:
    """Run the command line."""
    for path in notebooks():
        if sys.argv[1:] and path.stem not in sys.argv[1:]:
            continue
        with tempfile.TemporaryDirectory(prefix="salbox-notebook-") as name:
            folder = Path(shutil.copytree(EXAMPLES, Path(name) / "examples"))
            path.write_text(kept(executed(path, folder), folder), encoding="utf-8")
        print(path.relative_to(ROOT), f"{path.stat().st_size / 1000:.0f} kB")


def on_config(config: Any) -> Any:
    """Return the configuration with the notebooks in the navigation, behind the page that lists them."""
    for part in config.nav:
        if "Start" in part:
            place = next(n for n, page in enumerate(part["Start"]) if page == {"Notebooks": "notebooks.md"})
            pages = [{title(path): f"{FOLDER}/{path.stem}.md"} for path in notebooks()]
            part["Start"].insert(place + 1, {"A page each": pages})
    return config


def on_files(files: Any, config: Any) -> Any:
    """Return the documentation's files with those of the notebooks."""
    from mkdocs.structure.files import File

    for path, content in notebook_pages().items():
        files.append(File.generated(config, path, content=content))
    return files


def notebook_pages() -> dict[str, str | bytes]:
    """Return the pages, and their pictures: paths under docs/ with their content."""
    found: dict[str, str | bytes] = {}
    for path in notebooks():
        pictures: dict[str, bytes] = {}
        found[f"{FOLDER}/{path.stem}.md"] = page(path, pictures)
        found |= {f"{FOLDER}/{name}": content for name, content in pictures.items()}
    return found


def title(path: Path) -> str:
    """Return a notebook's title."""
    return "".join(_cells(path)[0]["source"]).partition("\n")[0].removeprefix("# ")


def page(path: Path, pictures: dict[str, bytes]) -> str:
    """Return a notebook as Markdown; its pictures are added to `pictures` by their names."""
    parts = []
    for number, cell in enumerate(_cells(path)):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(_links(source))
            continue
        shell = source.startswith("%%bash\n")
        code = source.removeprefix("%%bash\n")
        parts.append(f"```{'sh' if shell else 'python'}\n{code}\n```")
        parts += _outputs(cell, f"{path.stem}-{number}", pictures)
    parts.insert(1, f"`examples/{path.name}` of the repository, as it ran last.")
    return "\n\n".join(parts) + "\n"


def _cells(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text("utf-8"))["cells"])


def _links(text: str) -> str:
    """Return a text whose links fit the place of the page: guides one folder up, other notebooks beside it."""
    text = re.sub(r"\]\(\.\./docs/", "](../", text)
    text = re.sub(r"\]\(([\w-]+)\.ipynb\)", r"](\1.md)", text)
    return re.sub(r"\[([^\]]+)\]\((?:[\w-]+/)+[\w-]+\.mjs\)", r"`examples/onnx-in-javascript/\1`", text)


def _outputs(cell: dict[str, Any], name: str, pictures: dict[str, bytes]) -> Iterator[str]:
    for number, output in enumerate(cell["outputs"]):
        data = output.get("data", {})
        for kind, suffix in (("image/png", "png"), ("image/jpeg", "jpg")):
            if kind in data:
                file = f"{name}-{number}.{suffix}"
                pictures[file] = base64.b64decode("".join(data[kind]))
                yield f"![what the cell shows]({file})"
                break
        else:
            text = "".join(output.get("text", data.get("text/plain", "")))
            html = "".join(data.get("text/html", ""))
            if "<table" in html:
                yield re.sub(r"\n\s*", "\n", re.sub(r"(?s)<style.*?</style>", "", html)).strip()
            elif text.strip():
                yield f"```text\n{text.rstrip()}\n```"


if __name__ == "__main__":
    main()
