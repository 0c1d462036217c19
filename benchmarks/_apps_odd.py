"""What `salbox crop`, `cutout`, `compress` and `regions` make of files of wrong and rare kinds, on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import skimage.data
from PIL import Image

SALBOX = (sys.executable, "-m", "salbox")
TOOLS = {
    "crop": ("--size", "1:1"),
    "cutout": (),
    "compress": ("--target-size", "20KB", "--format", "jpeg", "--min-quality", "10"),
    "regions": ("--regions", "0,0,1,1,corner"),
}
KINDS = ("broken", "sixteen bits", "CMYK", "animated", "1x1")


def odd_rows(folder: Path) -> list[list[str]]:
    """Return a row for each kind of file: what came of it, by tool."""
    photos = folder / "photos"
    photos.mkdir()
    names = _write(photos)
    cells: dict[str, dict[str, str]] = {}
    for tool, options in TOOLS.items():
        said = _run(tool, options, photos, folder / tool)
        cells[tool] = {kind: _told(tool, said, photos / name, folder / tool) for kind, name in names.items()}
        print(tool, cells[tool], flush=True)
    return [[kind, *(cells[tool][kind] for tool in TOOLS)] for kind in KINDS]


def _write(folder: Path) -> dict[str, str]:
    """Write a file of each kind; return {kind: name}."""
    photo = skimage.data.chelsea()
    image = Image.fromarray(photo)
    image.save(folder / "cmyk.png.tmp", "PNG")
    (folder / "broken.jpg").write_bytes((folder / "cmyk.png.tmp").read_bytes()[:20_000])
    (folder / "cmyk.png.tmp").unlink()
    Image.fromarray(photo[:, :, 1].astype(np.uint16) * 257).save(folder / "sixteen.png")
    image.convert("CMYK").save(folder / "cmyk.jpg")
    image.save(folder / "animated.gif", save_all=True, append_images=[Image.fromarray(photo[::-1].copy())])
    Image.new("RGB", (1, 1), "red").save(folder / "one.png")
    return dict(zip(KINDS, ("broken.jpg", "sixteen.png", "cmyk.jpg", "animated.gif", "one.png"), strict=True))


def _run(tool: str, options: tuple[str, ...], photos: Path, output: Path) -> list[dict[str, Any]]:
    command = [*SALBOX, tool, str(photos), *options, "-o", str(output), "--json", "--workers", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 1:  # the broken one
        raise RuntimeError(f"{tool}: exit code {done.returncode}: {done.stderr}")
    found = json.loads(done.stdout)
    return [*found["images"], *found["failed"]] if isinstance(found, dict) else found


def _told(tool: str, said: list[dict[str, Any]], photo: Path, output: Path) -> str:
    """Return what a tool said of a photo, or what it wrote of it."""
    entry = next(each for each in said if Path(each["source"]).name == photo.name)
    if entry.get("failures"):
        return entry["failures"][0].replace(f"{photo}: ", "").replace(str(photo.parent) + "/", "")
    made = sorted(output.glob(f"{photo.stem}.*"))
    with Image.open(made[0]) as image:
        is_first = any("first is taken" in note for note in entry["notes"])
        note = ", said that it is the first of several" if is_first else ""
        return f"{image.format} {image.width}x{image.height} {image.mode}{note}"
