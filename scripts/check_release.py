"""Build what would be released, and use it as somebody who has nothing else would.

    python scripts/check_release.py [--tag v0.2.0] [--resolve] [--oldest] [--python python3.13] ...

Builds a source distribution from the files that git knows or would add, and the wheel from that; lists the wheel's
parts, which may be 32 MB in all and hold no tests and no runtime for browsers; installs it without extras into an
environment of its own, where `salbox doctor` and a prediction must run. `--tag` says as what it is to be released:
pyproject.toml, CITATION.cff and the CHANGELOG must say so too. `--resolve` asks whether the extras can be installed
together, newest and oldest versions allowed, on each Python that salbox is for. `--oldest` installs the oldest versions
of what salbox itself needs, and runs the core tests there. `--python` names another Python, into which the wheel is
installed too, without extras and then with them, each of which must run (7 GB each, with PyTorch). Nothing is left
behind.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 32_000_000  # bytes of the wheel
PARTS = 12  # folders that are listed
PYTHONS = ("3.11", "3.12", "3.13")
AS_SOURCE = ("pysaliency", "dev", "all")  # extras with pysaliency, which has to be compiled to say what it needs
UNWANTED = (".wasm", "tests/", "/__pycache__/", ".pt", ".pdparams")
# A newer Click tells of names that an older Typer still uses: no concern of salbox's.
QUIET = ("-W", "ignore::DeprecationWarning", "-W", "ignore::PendingDeprecationWarning")

PREDICTS = """
import skimage.data, imageio
imageio.imwrite("photo.jpg", skimage.data.astronaut())
"""


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tag", help="as what it is to be released: v0.2.0")
    parser.add_argument("--resolve", action="store_true", help="resolve all extras, newest and oldest (minutes)")
    parser.add_argument("--oldest", action="store_true", help="core tests with the oldest versions allowed (minutes)")
    parser.add_argument("--python", action="append", default=[], help="another Python to install all extras into")
    given = parser.parse_args()
    if given.tag:
        check_version(given.tag)
    with tempfile.TemporaryDirectory(prefix="salbox-release-") as name:
        folder = Path(name)
        wheel = build(folder / "built")
        check_parts(wheel)
        python = environment(folder / "fresh", [str(wheel)])
        check_install(python, folder / "elsewhere")
        if given.resolve:
            check_resolutions(folder)
        if given.oldest:
            check_oldest(folder, wheel)
        for number, other in enumerate(given.python):
            check_extras(folder / f"other-{number}", wheel, other)
    print("ready")


def check_version(tag: str, root: Path = ROOT) -> None:
    """Stop unless a tag is what pyproject.toml, CITATION.cff and the CHANGELOG say."""
    version = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    said = {
        "pyproject.toml": version == tag.removeprefix("v") and tag.startswith("v"),
        "CITATION.cff": f"\nversion: {version}\n" in (root / "CITATION.cff").read_text("utf-8"),
        "CHANGELOG.md": f"\n## {version} - " in (root / "CHANGELOG.md").read_text("utf-8"),
    }
    if wrong := [name for name, agrees in said.items() if not agrees]:
        raise SystemExit(f"not {tag} ('## {tag[1:]} - YYYY-MM-DD' in the CHANGELOG): {', '.join(wrong)}")


def build(folder: Path) -> Path:
    """Return the wheel that a source distribution of this checkout gives; both lie in `folder`."""
    source = folder / "source"
    listed = run(["git", "ls-files", "-co", "--exclude-standard", "-z"], ROOT).split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    python = environment(folder / "tools", ["build"])
    run([str(python), "-m", "build", "--outdir", str(folder), str(source)], folder)
    (archive,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    print(f"{archive.name}: {megabytes(archive.stat().st_size)}")
    return wheel


def check_parts(wheel: Path) -> None:
    """Print the wheel's parts by size; stop where it is too large or holds what it should not."""
    print(f"{wheel.name}: {megabytes(wheel.stat().st_size)}")
    for part, size in parts(wheel):
        print(f"  {megabytes(size):>10}  {part}")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    if wrong := [name for name in names if any(each in f"/{name}" for each in UNWANTED)]:
        raise SystemExit(f"the wheel holds what it should not: {', '.join(wrong[:5])}")
    if wheel.stat().st_size > LARGEST:
        raise SystemExit(f"the wheel is above {megabytes(LARGEST)}")


def parts(wheel: Path) -> list[tuple[str, int]]:
    """Return what the wheel is made of, the largest first: networks by name, all else by folder, with packed bytes."""
    sizes: Counter[str] = Counter()
    with zipfile.ZipFile(wheel) as archive:
        for each in archive.infolist():
            path = Path(each.filename)
            own = path.suffix == ".onnx" or len(path.parts) == 1
            sizes[each.filename if own else "/".join(path.parts[: min(2, len(path.parts) - 1)])] += each.compress_size
    largest = sizes.most_common(PARTS)
    rest = sum(sizes.values()) - sum(size for _, size in largest)
    return [*largest, ("all else", rest)] if rest else largest


def check_install(python: Path, folder: Path) -> None:
    """Stop unless the package that an environment has says that it is well, and predicts, in an empty folder."""
    folder.mkdir()
    run([str(python), "-m", "salbox", "doctor"], folder)
    run([str(python), "-c", PREDICTS], folder)
    run([str(python), "-m", "salbox", "predict", "photo.jpg", "-m", "gaze,gbvs,scfnet", "-o", "maps"], folder)
    made = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))
    if made != [f"maps/{name}/photo.png" for name in ("gaze", "gbvs", "scfnet")]:
        raise SystemExit(f"salbox predict wrote {made or 'nothing'}")
    print("installed without extras: salbox doctor and salbox predict run")


def check_resolutions(folder: Path) -> None:
    """Stop where some version of Python has no set of versions that fits all extras."""
    uv = environment(folder / "resolver", ["uv"]).parent / "uv"
    extras = [word for extra in optional() if extra not in AS_SOURCE for word in ("--extra", extra)]
    for version in PYTHONS:
        for rule in ("highest", "lowest-direct"):
            out = folder / f"{version}-{rule}.txt"
            run([str(uv), *compiled(rule, version, out), *extras], ROOT)
            print(f"Python {version}, {rule}: {sum('==' in line for line in out.read_text().splitlines())} packages")


def check_oldest(folder: Path, wheel: Path) -> None:
    """Stop unless the core tests pass with the oldest versions of what salbox itself needs."""
    uv = environment(folder / "oldest-resolver", ["uv"]).parent / "uv"
    pinned = folder / "oldest.txt"
    run([str(uv), *compiled("lowest-direct", PYTHONS[0], pinned)], ROOT)
    tools = [each for each in optional()["test"] if each.startswith(("pytest", "hypothesis"))]
    python = environment(folder / "oldest", ["-r", str(pinned), *tools])
    run([str(python), "-m", "pip", "install", "--quiet", "--no-deps", str(wheel)], folder)
    check_install(python, folder / "elsewhere-oldest")
    tests = [str(python), "-m", "pytest", "-q", "-m", "core", *QUIET]
    done = subprocess.run(tests, cwd=folder / "built" / "source", env=without_path())
    if done.returncode:
        raise SystemExit("the core tests fail with the oldest versions allowed")


def check_extras(folder: Path, wheel: Path, python: str) -> None:
    """Stop unless the wheel runs in another Python, without extras and with all that need no compiler."""
    own = environment(folder / "fresh", [str(wheel)], python)
    check_install(own, folder / "elsewhere")
    extras = sorted(set(optional()) - {"test", *AS_SOURCE})
    run([str(own), "-m", "pip", "install", "--quiet", f"{wheel}[{','.join(extras)}]"], folder)
    check_doctor(run([str(own), "-m", "salbox", "doctor"], folder), extras)
    print(f"{python}: {', '.join(extras)} run")


def check_doctor(said: str, extras: Sequence[str]) -> None:
    """Stop unless the doctor says of each of some extras that it is well."""
    states = {line.split()[1]: line.split()[2] for line in said.splitlines() if line.startswith("extra ")}
    if wrong := [name for name in extras if states.get(name) != "ok"]:
        raise SystemExit(f"salbox doctor does not say that these are ok: {', '.join(wrong)}\n{said}")


def optional() -> dict[str, list[str]]:
    """Return the extras, each with what it brings."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return dict(project["optional-dependencies"])


def compiled(rule: str, version: str, out: Path) -> list[str]:
    """Return what asks uv for a set of versions by a rule."""
    options = ["--quiet", "--no-header", "--no-annotate", "--resolution", rule, "--python-version", version]
    return ["pip", "compile", *options, "pyproject.toml", "-o", str(out)]


def environment(folder: Path, packages: Sequence[str], python: str = sys.executable) -> Path:
    """Return the Python of a new environment, made by another one, that has some packages."""
    run([python, "-m", "venv", str(folder)], ROOT)
    own = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    run([str(own), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages], ROOT)
    return own


def run(command: Sequence[str], folder: Path) -> str:
    """Return what a command prints; stop with what it complains of if it fails."""
    done = subprocess.run(command, cwd=folder, env=without_path(), capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout


def without_path() -> dict[str, str]:
    """Return the environment's variables but for those that lead Python to this checkout."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def megabytes(size: int) -> str:
    """Return bytes as people read them."""
    return f"{size / 1e6:.2f} MB"


if __name__ == "__main__":
    main()
