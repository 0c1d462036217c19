"""axe-core, which looks for what keeps people out of a page: one release, known by its hash, found or fetched.

`python tests/helpers/axe.py` fetches it for good, by `npm pack`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from salbox.imaging.writing import atomic
from salbox.models.weights import home

PACKAGE, VERSION = "axe-core", "4.14.1"
VARIABLE = "SALBOX_AXE"  # a folder with the package, for these tests
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")  # what WCAG 2.2 asks for at level AA


def script() -> str | None:
    """Return axe-core's text; None if it is not there."""
    folder = Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else _kept()
    for path in (folder / "axe.min.js", folder / "package" / "axe.min.js"):
        if path.is_file() and hashlib.sha256(content := path.read_bytes()).hexdigest() == SHA256:
            return content.decode()
    return None


def missing() -> str:
    """Return why pages cannot be looked at; "" if they can."""
    return "" if script() else f"there is no {PACKAGE} {VERSION}: {VARIABLE}=DIR, or python tests/helpers/axe.py"


def violations(page: Any, within: str = "document") -> list[str]:
    """Return what axe-core finds wrong on a page, a line for each element: the rule, and the element.

    Parameters
    ----------
    page
        Playwright's.
    within : str
        A JavaScript expression: the part of the page to look at.
    """
    page.evaluate(f"() => {{ if (!globalThis.axe) {{ {script()} }} }}")
    options = {"runOnly": list(RULES), "resultTypes": ["violations"]}
    found = page.evaluate(f"options => axe.run({within}, options).then(result => result.violations)", options)
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


def _kept() -> Path:
    return home() / PACKAGE / VERSION


def fetch() -> None:
    """Fetch the release into the cache, unless it is there."""
    if script():
        return
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", f"{PACKAGE}@{VERSION}", "--ignore-scripts", "--pack-destination", folder]
        subprocess.run(command, check=True, capture_output=True, cwd=folder, timeout=300)
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive, "r:gz") as package:
            file = package.extractfile("package/axe.min.js")
            assert file is not None
            content = file.read()
    assert hashlib.sha256(content).hexdigest() == SHA256, f"not the file of {PACKAGE} {VERSION}"
    with atomic(_kept() / "axe.min.js") as temporary:
        temporary.write_bytes(content)


if __name__ == "__main__":
    fetch()
