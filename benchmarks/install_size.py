"""What an install takes: bytes on disk, package by package; seconds until the first map; with and without parts of it.

Builds the wheel (scripts/check_release.py), installs it without extras into an environment of its own, and measures
there: the bytes of each package; the modules and the seconds that `import salbox` and a first map of `gaze` take in a
fresh process. Then matplotlib, pandas and scikit-image are taken out, with what only they need, and it measures again.
Ten minutes, and a package index. Writes docs/results/install-size.md.

    python benchmarks/install_size.py [--repeat 7]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from _tables import ROOT, markdown_table, provenance, write_page

sys.path.insert(0, str(ROOT / "scripts"))

from check_release import LARGEST, build, environment, parts, run, without_path

CANDIDATES = ("matplotlib", "pandas", "scikit-image")
NOT_OURS = ("pip", "setuptools")
LISTED = 3_000_000  # bytes of a package that has a row of its own

# Run in the environment: what is installed, by package: its bytes on disk, and what it needs.
INVENTORY = """
import json, os, re
from importlib.metadata import distributions

def name(text):
    return re.sub(r"[-_.]+", "-", re.match(r"[\\w.-]+", text)[0]).lower()

found = {}
for package in distributions():
    paths = [str(package.locate_file(file)) for file in package.files or []]
    # What runs, not what was compiled from it: that depends on what has been imported.
    size = sum(os.path.getsize(path) for path in paths if os.path.isfile(path) and not path.endswith(".pyc"))
    needs = [name(each) for each in package.requires or [] if "extra ==" not in each]
    found[name(package.metadata["Name"])] = {"size": size, "needs": needs, "version": package.version}
print(json.dumps(found))
"""
FIRST_MAP = """
import json, sys, time
start = time.perf_counter()
import salbox
imported = time.perf_counter()
import numpy as np
salbox.load("gaze")(np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8))
done = time.perf_counter()
loaded = sorted({"matplotlib", "pandas", "skimage", "scipy", "cv2", "onnxruntime"} & set(sys.modules))
print(json.dumps([imported - start, done - start, loaded]))
"""


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=7, help="processes of which a time is the median")
    repeat = parser.parse_args().repeat
    with tempfile.TemporaryDirectory(prefix="salbox-size-") as name:
        folder = Path(name)
        wheel = build(folder / "built")
        made_of, whole = parts(wheel), wheel.stat().st_size
        python = environment(folder / "fresh", [str(wheel)])
        packages = inventory(python)
        before = first_map(python, repeat)
        gone = without(packages, CANDIDATES)
        run([str(python), "-m", "pip", "uninstall", "--quiet", "--yes", *gone], folder)
        after = first_map(python, repeat)
    write_page("install-size.md", page(packages, gone, before, after, made_of, whole, repeat))


def inventory(python: Path) -> dict[str, dict]:
    """Return the packages of an environment: bytes, what each needs, its version."""
    found = json.loads(run([str(python), "-c", INVENTORY], ROOT))
    return {name: package for name, package in found.items() if name not in NOT_OURS}


def without(packages: dict[str, dict], leaving: tuple[str, ...]) -> list[str]:
    """Return those that leave, and what nothing that stays needs any more."""
    kept: set[str] = set()
    waiting = [need for need in packages["salbox"]["needs"] if need not in leaving]
    while waiting:
        name = waiting.pop()
        if name in packages and name not in kept:
            kept.add(name)
            waiting += packages[name]["needs"]
    return sorted(name for name in packages if name not in kept and name != "salbox")


def first_map(python: Path, repeat: int) -> tuple[float, float, list[str]]:
    """Return seconds until salbox is imported and until the first map is there, medians, and what was loaded."""
    found = []
    for _ in range(repeat + 1):
        done = subprocess.run([python, "-c", FIRST_MAP], env=without_path(), capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    imported, mapped, loaded = zip(*found[1:], strict=True)  # the first one compiles
    return median(imported), median(mapped), loaded[0]


def page(
    packages: dict[str, dict],
    gone: list[str],
    before: tuple[float, float, list[str]],
    after: tuple[float, float, list[str]],
    made_of: list[tuple[str, int]],
    whole: int,
    repeat: int,
) -> str:
    """Return the page."""
    total = sum(package["size"] for package in packages.values())
    leaving = sum(packages[name]["size"] for name in gone)
    large = sorted((p["size"], name) for name, p in packages.items() if p["size"] >= LISTED)[::-1]
    rows = [(f"{name} {packages[name]['version']}", mb(size), share(size, total)) for size, name in large]
    small = total - sum(size for size, _ in large)
    rows += [(f"{len(packages) - len(large)} others", mb(small), share(small, total)), ("together", mb(total), "")]
    speeds = [
        ("all of it", mb(total), *(f"{seconds:.2f}" for seconds in before[:2])),
        (f"without {', '.join(CANDIDATES)}", mb(total - leaving), *(f"{seconds:.2f}" for seconds in after[:2])),
    ]
    unused = sorted({"matplotlib", "pandas", "skimage"} - set(before[2]))
    return f"""# What an install takes

{provenance(("salbox",))} Written by `benchmarks/install_size.py`.

## The wheel

{whole / 1e6:.2f} MB, of at most {LARGEST / 1e6:.0f}: packed sizes, the largest parts first.

{markdown_table(("part", "MB"), [(f"`{name}`", f"{size / 1e6:.2f}") for name, size in made_of])}

ONNX Runtime for browsers is not in it: [the page](../page.md) fetches it, or is told where it is.

## `pip install salbox`, without extras

Bytes of the files of each package, without what Python compiles.

{markdown_table(("package", "MB", "share"), rows)}

## With and without

*Import*: `import salbox`; *first map*: that and a map by `gaze` of a photo of 640x480, in a fresh process; seconds,
medians of {repeat}.

{markdown_table(("installed", "MB", "import", "first map"), speeds)}

What would go: {", ".join(f"{name} ({mb(packages[name]['size'])})" for name in gone)}.

A map loads {", ".join(before[2])}, and none of {", ".join(unused)}: those are read when a figure, a table or one of
scikit-image's photos is asked for. So they cost no time, but {share(leaving, total)} of the room. They stay: without
them `salbox demo`, `compare`, `evaluate` and `report` would be extras, and the first thing a new user meets a message.
Where room is short, an [exported network](../other-runtimes.md) needs ONNX Runtime alone, and no salbox.
"""


def mb(size: float) -> str:
    """Return bytes in MB."""
    return f"{size / 1e6:.1f}" if size < 1e7 else f"{size / 1e6:.0f}"


def share(size: float, total: float) -> str:
    """Return a share in percent."""
    return f"{100 * size / total:.0f} %"


if __name__ == "__main__":
    main()
