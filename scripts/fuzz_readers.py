"""Reads many damaged files with every reader, in children of a warm process, and writes what was found as JSON.

A fault is: a child that dies, more than 10 s, more than 1.5 GB, an exception that is no SalboxError, a message of
several lines, a command or connection that a file brought about, a file written elsewhere, and, where a format carries
checksums, another result without an error. The same files each time: `--seed` decides. How far it is, is kept in a
folder, so that a run that was ended goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import resource
import select
import signal
import sys
import time
import traceback
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "SALBOX_THREADS")
os.environ.update(dict.fromkeys(ONE_THREAD, "1"), MPLBACKEND="agg")  # a fork keeps no threads

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "helpers"))

# ruff: noqa: E402 - libraries count the threads when they are loaded

import numpy as np
from fuzzed_checksums import CHECKED, Checked, damaged_within
from fuzzed_more import CANARY, CODED, EVERY
from fuzzed_readers import Fuzzed
from mutating import mutated

from salbox.imaging.writing import atomic

SECONDS = 10  # of the processor, of one small file
WALL_SECONDS = 90  # without a word: other processes share the machine
MEMORY = 1500 << 20  # bytes beyond what the warm process has
BLOCK = 200  # files a child
EXAMPLES = 3  # kept of each kind of fault
FORBIDDEN = (
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty", "subprocess.Popen",
    "socket.connect", "socket.getaddrinfo", "ctypes.dlopen", "webbrowser.open",
)  # fmt: skip
REMOVING = ("os.remove", "os.rmdir")  # allowed within the folder of the run
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

Reader = Fuzzed | Checked


@dataclass
class Sound:
    """A reader, its file, the bytes that are damaged, and what the sound file reads as where that can be compared."""

    reader: Reader
    path: Path
    damaged: Path
    content: bytes
    digest: bytes = b""
    spans: list[tuple[int, int]] = field(default_factory=list)


def main() -> None:
    """Read damaged files until each reader has had its share."""
    options = _options()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["SALBOX_HOME"] = str(folder / "home")
    os.environ["HOME"] = os.environ["TMPDIR"] = str(folder)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    chosen = [r for r in [*EVERY, *CODED, *CHECKED] if r.is_here and (not options.readers or r.name in options.readers)]
    state_file = folder / "state.json"
    state: dict[str, Any] = json.loads(state_file.read_text()) if state_file.exists() else {}
    if state.get("seed", options.seed) != options.seed:
        raise SystemExit(f"{state_file}: of seed {state['seed']}; give another --folder")
    state = {"seed": options.seed, "seconds": 0.0, "done": {}, "faults": {}, "slowest": {}, "mebibytes": 0} | state
    share = -(-options.count // len(chosen))
    for place, reader in enumerate(chosen):
        wanted = min(share, options.count - place * share)
        if state["done"].get(reader.name, 0) < wanted:
            sound = _prepared(reader, folder)
            while (done := state["done"].get(reader.name, 0)) < wanted:
                began = time.monotonic()
                _block(sound, done, min(wanted, done + BLOCK), state)
                state["seconds"] = round(state["seconds"] + time.monotonic() - began, 1)
                _keep(state, state_file)
    report = summary(state)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    print(f"{report['files']} files, {len(report['faults'])} kinds of faults; wrote {options.report}")
    sys.exit(1 if report["faults"] else 0)


def summary(state: dict[str, Any]) -> dict[str, Any]:
    """Return what is told of a run: how many files of which readers, how long, and the faults."""
    return {
        "seed": state["seed"],
        "files": sum(state["done"].values()),
        "readers": state["done"],
        "seconds": state["seconds"],
        "slowest_seconds": max(state["slowest"].values(), default=0),
        "slowest_reader": max(state["slowest"], key=state["slowest"].get, default=""),
        "mebibytes_beyond_the_start": state["mebibytes"],
        "faults": list(state["faults"].values()),
    }


def _prepared(reader: Reader, folder: Path) -> Sound:
    """Write a reader's sound file and read it, which imports what is needed."""
    place = folder / re.sub(r"\W+", "-", reader.name)
    place.mkdir(exist_ok=True)
    os.chdir(place)
    path = place / f"seed{reader.suffix}"
    reader.write(path)
    if isinstance(reader, Checked):
        damaged = reader.damaged(path)
        return Sound(reader, path, damaged, damaged.read_bytes(), reader.digest(path), reader.spans(path))
    sound = Sound(reader, path, path, path.read_bytes())
    try:
        reader.read(path)
    except Exception as error:  # a file that brings code is refused
        if reader not in CODED:
            raise RuntimeError(f"{reader.name}: a sound file cannot be read") from error
    return sound


def _block(sound: Sound, start: int, end: int, state: dict[str, Any]) -> None:
    """Read some damaged files in one child after the other, until each was read or has ended its child."""
    name, at = sound.reader.name, start
    while at < end:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            _work(sound, at, end, writing, state["seed"])
        os.close(writing)
        at, said = _listen(reading, child, state, name, at)
        os.close(reading)
        if said:
            _fault(state, name, at, said, "")
            at += 1
        state["done"][name] = at


def _listen(reading: int, child: int, state: dict[str, Any], name: str, at: int) -> tuple[int, str]:
    """Return the first file that the child did not get through, and how it ended; "" if it got through all."""
    rest, is_silent = b"", False
    while True:
        if not select.select([reading], [], [], WALL_SECONDS)[0]:
            is_silent = True
            os.kill(child, signal.SIGKILL)
            break
        piece = os.read(reading, 65536)
        if not piece:
            break
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            heard = json.loads(line)
            at = heard["number"] + 1
            state["slowest"][name] = max(state["slowest"].get(name, 0), heard["seconds"])
            state["mebibytes"] = max(state["mebibytes"], heard["mebibytes"])
            if heard["said"]:
                _fault(state, name, heard["number"], heard["said"], heard["text"])
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if is_silent or code == -signal.SIGXCPU:
        return at, f"took more than {SECONDS} s"
    return at, "" if code == 0 else f"ended the process with {code}"


def _work(sound: Sound, start: int, end: int, writing: int, seed: int) -> None:
    """Read damaged files and say a line of each; never returns."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    deeds: list[str] = []
    _watch(deeds, sound.path.parent.parent)
    for number in range(start, end):
        used = time.process_time()
        resource.setrlimit(resource.RLIMIT_CPU, (int(used) + SECONDS + 1, resource.RLIM_INFINITY))
        del deeds[:]
        said, text = _read(sound, f"{seed}:{sound.reader.name}:{number}")
        if deeds and not said:
            said, text = "did what no file may bring about", deeds[0]
        if Path(CANARY).exists():
            said, text = "ran code", ""
        line = {
            "number": number,
            "said": said,
            "text": text,
            "seconds": round(time.process_time() - used, 2),
            "mebibytes": max(0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10,
        }
        os.write(writing, json.dumps(line).encode() + b"\n")
    os._exit(0)


def _read(sound: Sound, seed: str) -> tuple[str, str]:
    """Read one damaged file; return what was wrong, and where."""
    from salbox.errors import SalboxError

    reader = sound.reader
    if isinstance(reader, Checked):
        sound.damaged.write_bytes(damaged_within(sound.content, sound.spans, seed))
    else:
        sound.damaged.write_bytes(mutated(sound.content, seed, reader.is_text))
    try:
        if not isinstance(reader, Checked):
            reader.read(sound.path)
        elif reader.digest(sound.path) != sound.digest:
            return "reads as something else, without an error", ""
    except SalboxError as error:
        return ("said more than one line", str(error)[:200]) if "\n" in str(error) else ("", "")
    except Exception as error:
        places = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
        return type(error).__name__, f"{str(error)[:200]} ({' '.join(places[-6:])})"
    return "", ""


def _watch(deeds: list[str], folder: Path) -> None:
    """Note in `deeds` what a file's reading does that it must not: commands, connections, writing elsewhere."""
    inside = f"{folder}{os.sep}"

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(flags, int) and flags & WRITING and isinstance(path, (str, bytes)):
                where = os.path.abspath(os.fsdecode(path))  # noqa: PTH100  # links stay
                if not where.startswith(inside) and where != os.devnull:
                    deeds.append(f"wrote {where}")
        elif event in FORBIDDEN or (event in REMOVING and not _is_inside(arguments, inside)):
            deeds.append(f"{event} {str(arguments)[:100]}")

    sys.addaudithook(hook)


def _is_inside(arguments: tuple[Any, ...], inside: str) -> bool:
    with contextlib.suppress(TypeError, ValueError):
        return os.path.abspath(os.fsdecode(arguments[0])).startswith(inside)  # noqa: PTH100
    return False


def _fault(state: dict[str, Any], name: str, number: int, said: str, text: str) -> None:
    """Count a fault with others of its kind."""
    kind = re.sub(r"\d+|'[^']*'", "#", f"{name}|{said}|{text.rpartition('(')[2]}")
    known = state["faults"].setdefault(kind, {"reader": name, "fault": said, "text": text, "count": 0, "files": []})
    known["count"] += 1
    if len(known["files"]) < EXAMPLES:
        known["files"].append(f"{state['seed']}:{name}:{number}")


def _keep(state: dict[str, Any], path: Path) -> None:
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(state))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, metavar="N", help="damaged files in all")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "fuzz", help="for files, and to go on from")
    parser.add_argument("--report", type=Path, default=ROOT / "docs" / "results" / "robustness" / "fuzz.json")
    parser.add_argument("readers", nargs="*", metavar="READER", help="their names; by default all")
    return parser.parse_args()


if __name__ == "__main__":
    main()
