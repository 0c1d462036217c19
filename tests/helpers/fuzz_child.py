"""Damaged files, read one after the other in a process that may die of it; a line before each, and one after it.

Called as `fuzz_child.py FOLDER FIRST COUNT [READER ...]`; `FIRST` is "READER:NUMBER" to go on with, or "".
The lines are JSON: {"at": [reader, number]}, then {"said": kind of error or "", "text", "seconds", "megabytes"}.
"""

from __future__ import annotations

import json
import re
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import numpy as np
from fuzzed_more import EVERY
from fuzzed_readers import Fuzzed
from mutating import mutated

MEMORY = 1500 << 20  # bytes beyond what the modules take
CPU_SECONDS = 20  # of a file, before the process is ended


def run(folder: Path, first: str, count: int, names: list[str]) -> None:
    from salbox.errors import SalboxError

    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    start_name, _, start_number = first.rpartition(":")
    chosen = [reader for reader in EVERY if reader.is_here and (not names or reader.name in names)]
    before = [reader.name for reader in chosen].index(start_name) if start_name else 0
    sound = {reader.name: _prepared(reader, folder) for reader in chosen[before:]}
    _limit_memory()
    for reader in chosen[before:]:
        path, content = sound[reader.name]
        for number in range(int(start_number) if reader.name == start_name else 0, count):
            _say(at=[reader.name, number])
            used = time.process_time()
            resource.setrlimit(resource.RLIMIT_CPU, (int(used) + CPU_SECONDS, resource.RLIM_INFINITY))
            path.write_bytes(mutated(content, f"{reader.name}:{number}", reader.is_text))
            said, text = "", ""
            try:
                reader.read(path)
            except SalboxError as error:
                text = str(error)
                if "\n" in text:
                    said = "more than one line"
            except Exception as error:
                said, text = type(error).__name__, _where(error)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            _say(said=said, text=text, seconds=round(time.process_time() - used, 2), megabytes=peak)
    _say(done=True)


def _prepared(reader: Fuzzed, folder: Path) -> tuple[Path, bytes]:
    """Return where a reader's file lies, and a sound one's bytes; reading it imports what is needed."""
    _say(prepares=reader.name)  # whoever listens waits for words
    place = folder / re.sub(r"\W+", "-", reader.name)
    place.mkdir(exist_ok=True)
    path = place / f"seed{reader.suffix}"
    reader.write(path)
    content = path.read_bytes()
    try:
        reader.read(path)
    except Exception as error:
        _say(at=[reader.name, -1])
        _say(said=f"of a sound file {type(error).__name__}", text=_where(error))
    return path, content


def _where(error: Exception) -> str:
    places = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
    return f"{str(error)[:200]} ({' '.join(places[-6:])})"


def _limit_memory() -> None:
    status = Path("/proc/self/statm")
    taken = int(status.read_text().split()[0]) * resource.getpagesize() if status.exists() else 1 << 40
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, resource.RLIM_INFINITY))


def _say(**values: object) -> None:
    sys.__stdout__.write(json.dumps(values) + "\n")
    sys.__stdout__.flush()


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:])
