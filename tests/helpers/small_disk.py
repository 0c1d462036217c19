"""Verbs on a disk that is full, that may not be written to, and that has room again; printed as JSON, a line each.

Called as `unshare -rm python small_disk.py FOLDER VERB ...`, so that what is mounted is gone when this process is.
FOLDER holds what the verbs work on; the disk is mounted on FOLDER/disk.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

FULL = 60  # kilobytes that the full disk has


def arguments(verb: str, folder: Path) -> list[str]:
    """Return a small run of a verb."""
    photos, out = str(folder / "photos"), str(folder / "disk" / verb)
    return {
        "predict": ["predict", photos, "-m", "gaussian,bms", "-o", out, "--format", "npy", "--workers", "1"],
        "teach": ["teach", "-m", "gaussian", "--images", photos, "-o", out, "--workers", "1"],
        "evaluate": ["evaluate", "-m", "gaussian", "--dataset", f"osie:{folder / 'OSIE'}", "--metrics", "nss",
                     "-o", out, "--workers", "1"],
        "cutout": ["cutout", photos, "-m", "redmodels:redness", "-o", out, "--workers", "1"],
        "crop": ["crop", photos, "--size", "1:1", "-m", "gaussian", "-o", out, "--workers", "1"],
        "compare": ["compare", f"{photos}/0.png", "-m", "gaussian", "-o", f"{out}.png"],
    }[verb]  # fmt: skip


def main() -> None:
    """Run each verb on each kind of disk and say how it ended and what is there."""
    folder = Path(sys.argv[1])
    disk = folder / "disk"
    disk.mkdir()
    os.chdir(folder)
    for verb in sys.argv[2:]:
        mount("-t", "tmpfs", "-o", f"size={FULL}k", "none", str(disk))
        filler = disk / "filler"
        for size in (FULL * 1024, 1 << 10):
            with contextlib.suppress(OSError), filler.open("ab") as file:
                file.write(bytes(size))
        say(verb, "full", disk)
        filler.unlink()
        mount("-o", "remount,ro", str(disk))
        say(verb, "read-only", disk)
        mount("-o", "remount,rw,size=64m", str(disk))
        say(verb, "empty", disk)
        subprocess.run(["umount", str(disk)], check=True)


def mount(*words: str) -> None:
    """Mount, or mount anew."""
    subprocess.run(["mount", *words], check=True, capture_output=True)


def say(verb: str, kind: str, disk: Path) -> None:
    """Run a verb and print its exit code, its last words, and the files on the disk."""
    from salbox.cli.main import run

    said = io.StringIO()
    code: object = None
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            run(arguments(verb, disk.parent))
        except SystemExit as left:
            code = left.code
    files = sorted(str(p.relative_to(disk)) for p in disk.rglob("*") if p.is_file() and p.name != "filler")
    line = {"verb": verb, "disk": kind, "code": code, "said": said.getvalue().splitlines(), "files": files}
    sys.__stdout__.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
