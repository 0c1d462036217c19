"""Reads many damaged files in a process of its own, and says of each kind of fault the first file."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CAN_LIMIT = sys.platform == "linux"
SLOW = 5.0  # seconds of the processor, of one small file
SILENT = 180  # seconds without a line, after which a process is ended


def faults(folder: Path, count: int, readers: list[str], most: int = 10) -> Iterator[str]:
    """Yield what is wrong, one line each: errors that are no SalboxError, deaths, files that take long.

    Parameters
    ----------
    folder : Path
        For the files.
    count : int
        Damaged files of each reader.
    readers : names
        Of `fuzzed_more.EVERY`; none is all.
    most : int
        How often the process may die.
    """
    first = ""
    for _ in range(most):
        at: list[object] = []
        command = [
            sys.executable,
            str(Path(__file__).parent / "fuzz_child.py"),
            str(folder),
            first,
            str(count),
            *readers,
        ]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "SALBOX_THREADS": "1", "SALBOX_HOME": str(folder / "home")}
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as child:
            assert child.stdout is not None
            while select.select([child.stdout], [], [], SILENT)[0] and (line := child.stdout.readline()):
                said = json.loads(line)
                at = said.get("at", at)
                if said.get("said"):
                    yield f"{at[0]}:{at[1]}: {said['said']}: {said['text']}"
                elif said.get("seconds", 0) > SLOW:
                    yield f"{at[0]}:{at[1]}: took {said['seconds']} s"
                if said.get("done"):
                    return
            child.kill()
            _, errors = child.communicate()
        last = errors.decode("utf-8", "replace").strip().splitlines()[-1:]
        if not at:
            raise AssertionError(f"the process did not begin: {last}")
        yield f"{at[0]}:{at[1]}: the process ended with {child.returncode} {' '.join(last)[:200]}"
        first = f"{at[0]}:{int(str(at[1])) + 1}"
