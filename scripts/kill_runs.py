"""Kills runs of seven verbs at random moments, starts each again, and compares what comes out with an undisturbed run.

After every kill each file under its final name has to be whole. After the restart the exit code has to be 0, the
results those of the undisturbed run, nothing temporary left, and what was finished before a kill not made again.
Writes JSON, of which `benchmarks/robustness.py` makes a page.
Linux only: a run is killed with all its processes.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "helpers"))

# ruff: noqa: E402 - helpers of the tests

import red_objects
from own_models import write_module
from PIL import Image
from shapes_world import write_world
from trees import photo, random_osie

SALBOX = [sys.executable, "-c", "if __name__ == '__main__':\n from salbox.cli.main import run; run()"]
LIMIT = 1800.0  # seconds of a run, on a machine that others use
CHAIN = 3  # kills of one output folder before it may end
PARTS = "*.part*"
TINY = ("--size", "32x32", "--set", "batch_size=4", "--set", "epochs=6", "--init", "none")

Results = dict[str, str]


@dataclass(frozen=True)
class Verb:
    """A verb, its share of the kills, its arguments, and what its results are, by name.

    `is_kept` says that a file which is there is not made again.
    """

    name: str
    kills: int
    arguments: Callable[[Path, Path], Sequence[object]]
    results: Callable[[Path, str], Results]
    is_kept: bool = False


@dataclass
class Record:
    """What happened to a verb: kills, at which moments, and what went wrong."""

    kills: int = 0
    moments: list[float] = field(default_factory=list)
    begun: int = 0
    seconds: float = 0.0
    results: int = 0
    faults: list[str] = field(default_factory=list)


def main() -> None:
    """Kill runs of each verb as often as asked for."""
    options = _options()
    folder = options.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    prepare(folder)
    found: dict[str, Record] = {}
    for verb in VERBS:
        if not options.verbs or verb.name in options.verbs:
            kills = max(1, round(verb.kills * options.kills / sum(each.kills for each in VERBS)))
            found[verb.name] = killed_often(verb, kills, folder, random.Random(f"{options.seed}:{verb.name}"))
            print(verb.name, json.dumps(vars(found[verb.name])), flush=True)
    report = {
        "seed": options.seed,
        "kills": sum(record.kills for record in found.values()),
        "verbs": {name: vars(record) for name, record in found.items()},
    }
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(json.dumps(report, indent=1) + "\n")
    sys.exit(1 if any(record.faults for record in found.values()) else 0)


def prepare(folder: Path) -> None:
    """Write what the verbs work on: photos, shapes with masks and fixations, a small data set, a model of objects."""
    for number in range(24):
        photo(folder / "photos" / f"{number:02}.png", 320, 240, number)
    for number in range(16):
        image = red_objects.mixed(red_objects.drawn(240, 320, red_objects.ring))
        (folder / "objects").mkdir(exist_ok=True)
        Image.fromarray(np.roll(image, 3 * number, axis=1)).save(folder / "objects" / f"{number:02}.png")
    write_world(folder, 24)
    random_osie(folder / "OSIE", images=40, size=(320, 240))
    write_module(folder, "redmodels", red_objects.RED)


def killed_often(verb: Verb, kills: int, folder: Path, dice: random.Random) -> Record:
    """Return what came of a number of kills of a verb's runs."""
    record = Record()
    began = time.monotonic()
    code, printed, said = finished(verb, folder, folder / f"{verb.name}-whole")
    record.seconds = round(time.monotonic() - began, 1)
    if code != 0:
        record.faults.append(f"undisturbed: exit {code}: {said[-300:]}")
        return record
    expected = verb.results(folder / f"{verb.name}-whole", printed)
    record.results = len(expected)
    turn = 0
    while record.kills < kills:
        out = folder / f"{verb.name}-{turn}"
        turn += 1
        for _ in range(min(CHAIN, kills - record.kills)):
            moment = dice.uniform(0.02, 1.0)
            if not killed_once(verb, folder, out, moment * record.seconds):
                break  # it was faster than the moment came
            record.kills += 1
            record.moments.append(round(moment, 2))
            record.begun += out.exists()
            record.faults += [f"{out.name}, {moment:.2f}: {fault}" for fault in broken(out)]
        record.faults += [f"{out.name}: {fault}" for fault in completed(verb, folder, out, expected)]
        shutil.rmtree(out, ignore_errors=True)
    return record


def completed(verb: Verb, folder: Path, out: Path, expected: Results) -> list[str]:
    """Let a run that was killed come to its end; return what is wrong with that."""
    before = stamps(out) if verb.is_kept else {}
    code, printed, said = finished(verb, folder, out)
    if code != 0:
        return [f"exit {code} after a restart: {said[-300:]}"]
    results = verb.results(out, printed)
    faults = [f"{name} differs" for name in sorted(expected) if results.get(name, "") != expected[name]]
    faults += [f"{name} was not expected" for name in sorted(set(results) - set(expected))]
    faults += [f"{path.name} is left" for path in out.rglob(PARTS)]
    after = stamps(out)
    return [*faults, *(f"{name} was made twice" for name, when in before.items() if after.get(name) != when)]


def killed_once(verb: Verb, folder: Path, out: Path, seconds: float) -> bool:
    """Start a run and kill it, with all its processes, after some seconds; return whether it was still running."""
    run = subprocess.Popen(
        _command(verb, folder, out), cwd=folder, env=_environment(folder), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        run.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        return True


def finished(verb: Verb, folder: Path, out: Path) -> tuple[int, str, str]:
    """Return exit code, output and complaints of a run that nobody disturbs."""
    run = subprocess.run(
        _command(verb, folder, out), cwd=folder, env=_environment(folder), capture_output=True, text=True,
        timeout=LIMIT, check=False,
    )  # fmt: skip
    return run.returncode, run.stdout, run.stderr


def _command(verb: Verb, folder: Path, out: Path) -> list[str]:
    return [*SALBOX, verb.name, *map(str, verb.arguments(folder, out))]


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "SALBOX_HOME": str(folder / "home"), "SALBOX_THREADS": "1", "OMP_NUM_THREADS": "1"}


def broken(out: Path) -> list[str]:
    """Return which files under their final names are not whole."""
    faults = []
    for path in (path for path in out.rglob("*") if path.is_file() and not path.match(PARTS)):
        try:
            _open(path)
        except Exception as error:  # any reader's own
            faults.append(f"{path.relative_to(out)} is broken ({type(error).__name__}: {error})")
    return faults


def _open(path: Path) -> None:
    """Read a file of a kind that is known, as whoever uses it does."""
    if path.suffix in (".png", ".jpg", ".tiff"):
        with Image.open(path) as image:
            image.load()
    elif path.suffix == ".npy":
        np.load(path, allow_pickle=False)
    elif path.suffix == ".json":
        json.loads(path.read_text())
    elif path.suffix == ".jsonl":
        for line in path.read_text().splitlines()[:-1]:  # the last may be cut: it is computed again
            json.loads(line)
    elif path.suffix == ".onnx":
        import onnx

        onnx.checker.check_model(str(path))
    elif path.suffix in (".pt", ".ckpt"):
        import torch

        torch.load(path, weights_only=True)
    elif path.suffix == ".safetensors":
        from safetensors.numpy import load_file

        load_file(path)
    elif path.suffix == ".parquet":
        import pandas as pd

        pd.read_parquet(path)


def stamps(out: Path) -> dict[str, int]:
    """Return when each picture or array was written."""
    kinds = (".png", ".npy")
    return {str(p.relative_to(out)): p.stat().st_mtime_ns for p in out.rglob("*") if p.suffix in kinds and p.is_file()}


def files(out: Path, _printed: str) -> Results:
    """Return hashes of all files, records of runs left out."""
    found = [p for p in sorted(out.rglob("*")) if p.is_file() and p.suffix != ".json" and not p.match(PARTS)]
    return {str(p.relative_to(out)): hashlib.sha256(p.read_bytes()).hexdigest() for p in found}


def network(out: Path, _printed: str) -> Results:
    """Return hashes of a trained network's weights, its figures on held-out pictures, and how often each epoch ran."""
    from safetensors.numpy import load_file

    weights = load_file(out / "student.safetensors")
    found = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in weights.items()}
    for name in ("fidelity.csv", "evaluation.csv", "split.csv"):
        if (out / name).exists():
            found[name] = (out / name).read_text().replace(out.name, "run")
    with (out / "log.csv").open() as file:
        epochs = Counter(row["epoch"] for row in csv.DictReader(file))
    return found | {"epochs": ", ".join(f"{epoch} {times} times" for epoch, times in epochs.items())}


def table(out: Path, printed: str) -> Results:
    """Return the lines of an evaluation, and how often each image stands in what is kept."""
    found = {f"line {number}": ",".join(row) for number, row in enumerate(csv.reader(io.StringIO(printed)))}
    for path in out.rglob("*.jsonl"):
        names = Counter(json.loads(line)["image"] for line in path.read_text().splitlines()[1:])
        # The rest of the file's name stands for settings and code.
        found[path.name.rpartition("-")[0]] = f"{len(names)} images, {max(names.values())} times at most"
    return found


def explanation(out: Path, _printed: str) -> Results:
    """Return the contents of an explanation's tables and arrays."""
    import pandas as pd
    from safetensors.numpy import load_file

    found: Results = {}
    for path in sorted(out.rglob("*")):
        if path.suffix == ".parquet":
            found[path.name] = hashlib.sha256(pd.read_parquet(path).to_csv().encode()).hexdigest()
        elif path.suffix == ".safetensors":
            arrays = load_file(path)
            found[path.name] = hashlib.sha256(b"".join(arrays[name].tobytes() for name in sorted(arrays))).hexdigest()
    return found


VERBS = (
    Verb("predict", 8, lambda f, o: (f / "photos", "-m", "imsig,gbvs", "-o", o, "--format", "npy", "--workers", 2),
         files, is_kept=True),
    Verb("teach", 7, lambda f, o: ("-m", "gbvs", "--images", f / "photos", "-o", o, "--workers", 2),
         files, is_kept=True),
    Verb("distill", 7, lambda f, o: ("--teacher", "imsig", "--images", f / "photos", "-o", o,
                                     "--workers", 1, *TINY), network),
    Verb("train", 7, lambda f, o: ("box", "--dataset", f"folder:{f / 'looks'}", "-o", o, *TINY), network),
    Verb("evaluate", 7, lambda f, o: ("-m", "imsig,gaussian", "--dataset", f"osie:{f / 'OSIE'}", "--metrics", "nss,cc",
                                      "-o", o, "--csv", "--workers", 2), table),
    Verb("cutout", 7, lambda f, o: (f / "objects", "-m", "redmodels:redness", "-o", o, "--workers", 1),
         files, is_kept=True),
    Verb("explain", 7, lambda f, o: ("gbvs.student", "--no-train", "--concepts", f"masks:{f / 'things'}",
                                     "--min-photos", 2, "-o", o), explanation),
)  # fmt: skip


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=sum(verb.kills for verb in VERBS), metavar="N", help="in all")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "kills", help="is emptied")
    parser.add_argument("--report", type=Path, default=ROOT / "docs" / "results" / "robustness" / "kills.json")
    parser.add_argument("verbs", nargs="*", metavar="VERB", help="by default all")
    return parser.parse_args()


if __name__ == "__main__":
    main()
