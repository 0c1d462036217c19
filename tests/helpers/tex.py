"""LaTeX documents, compiled where pdflatex is there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

PDFLATEX = shutil.which("pdflatex")
_SECONDS = 120


def compiled(table: str, folder: Path) -> str:
    """Return the log of a document that holds a table and loads the packages that the table names, and no others."""
    packages = "".join(re.findall(r"\\usepackage\{\w+\}", table.splitlines()[0]))
    document = f"\\documentclass{{article}}{packages}\\begin{{document}}\n{table}\n\\end{{document}}\n"
    (folder / "paper.tex").write_text(document, encoding="utf-8")
    command = [str(PDFLATEX), "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=_SECONDS, check=False)
    log = (folder / "paper.log").read_text(encoding="utf-8", errors="replace")
    assert done.returncode == 0, "\n".join(line for line in log.splitlines() if line.startswith(("!", "l.")))
    assert (folder / "paper.pdf").read_bytes()[:5] == b"%PDF-"
    return log
