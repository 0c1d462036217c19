"""Draw docs/images/models/, a strip of maps of each model that comes with all it needs, and docs/gallery.md.

The photos come with scikit-image, whose authors put them into the public domain or under CC0. Run it after a model's
maps have changed; `--only NAME` draws one.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from skimage import data

import salbox
from salbox.imaging.scaling import min_max, visible
from salbox.models.registry import MODELS
from salbox.types import Pixels

DOCS = Path(__file__).resolve().parents[1] / "docs"
FIGURES = DOCS / "images" / "models"
GALLERY = DOCS / "gallery.md"

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket", "camera", "hubble_deep_field")
_HEIGHT = 150  # of a strip, pixels
_GAP = 6
_QUALITY = 82
_COLORS = "inferno"

_TEXT = """# Gallery

Each model that comes with all it needs, on the same photos. Each map is scaled for itself, from its minimum to its
maximum; of a density the density is shown. A model's name leads to its page. Networks for which you bring weights are
not drawn: salbox makes no map from random numbers.

![The photos: an astronaut, a cat, a cup of coffee, a rocket, a man with a camera, galaxies](images/models/photos.jpg)

{models}

The photos come with scikit-image. Written by `scripts/draw_models.py`.
"""


def photo(name: str) -> Pixels:
    """Return a sample photo, longest side 512: (H, W, 3) uint8."""
    pixels = getattr(data, name)()
    pixels = cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if pixels.ndim == 2 else pixels
    scale = 512 / max(pixels.shape[:2])
    return cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def strip(pictures: Sequence[Pixels]) -> Pixels:
    """Return pictures side by side, brought to one height, on white."""
    tiles: list[Pixels] = []
    for picture in pictures:
        width = round(picture.shape[1] * _HEIGHT / picture.shape[0])
        tiles += [cv2.resize(picture, (width, _HEIGHT), interpolation=cv2.INTER_AREA)]
        tiles += [np.full((_HEIGHT, _GAP, 3), 255, np.uint8)]
    return np.concatenate(tiles[:-1], axis=1)


def drawn(name: str, photos: Sequence[Pixels]) -> Pixels:
    """Return a strip of a model's maps."""
    model = salbox.load(name)
    colors = matplotlib.colormaps[_COLORS]
    pictures = []
    for pixels in photos:
        shown = min_max(visible(model(pixels), model.card.output))
        pictures.append((colors(shown)[..., :3] * 255).round().astype(np.uint8))
    return strip(pictures)


def write(name: str, picture: Pixels) -> None:
    """Write a strip as JPEG."""
    settings = [cv2.IMWRITE_JPEG_QUALITY, _QUALITY, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    cv2.imwrite(str(FIGURES / f"{name}.jpg"), picture[..., ::-1], settings)


def gallery() -> str:
    """Return the page with all strips that there are."""
    parts = [
        f"## [{name}](models/{name}.md)\n\n![{name}: its maps of the photos](images/models/{name}.jpg)"
        for name in MODELS
        if (FIGURES / f"{name}.jpg").is_file()
    ]
    return _TEXT.format(models="\n\n".join(parts))


def main() -> None:
    """Draw all models, or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", metavar="NAME", help="draw this model alone")
    only = parser.parse_args().only
    FIGURES.mkdir(parents=True, exist_ok=True)
    photos = [photo(name) for name in PHOTOS]
    write("photos", strip(photos))
    ready = [name for name in MODELS if not salbox.card(name).weights_from]
    for name in [only] if only else ready:
        write(name, drawn(name, photos))
    GALLERY.write_text(gallery(), encoding="utf-8")


if __name__ == "__main__":
    main()
