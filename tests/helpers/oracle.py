"""The original programs' maps, as the conformance tests and benchmarks read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from salbox.imaging.image import read_image
from salbox.types import Pixels


@dataclass(frozen=True)
class OracleMap:
    """One image and what the original program made of it.

    Attributes
    ----------
    every_4th : (ceil(H / 4), ceil(W / 4)) float32
        `map[::4, ::4]` of the original's raw output.
    span : float
        Maximum minus minimum of the whole map.
    extra : dict
        What else was kept of the run: `master_map` (IKN, GBVS), `raw` (BMS).
    """

    name: str
    image: Pixels
    every_4th: npt.NDArray[np.float32]
    shape: tuple[int, int]
    span: float
    extra: dict[str, npt.NDArray[np.float32]]

    def difference(self, saliency: npt.NDArray[np.float32]) -> float:
        """Return the largest absolute difference of a map from the original's, over the original's range."""
        assert saliency.shape == self.shape
        return float(np.abs(saliency[::4, ::4].astype(np.float64) - self.every_4th).max() / self.span)

    def correlation(self, saliency: npt.NDArray[np.float32]) -> float:
        """Return the Pearson correlation of a map with the original's."""
        return float(np.corrcoef(saliency[::4, ::4].ravel(), self.every_4th.ravel())[0, 1])


def image_path(shared: Path, name: str) -> Path:
    """Return the file of one of the oracle's images."""
    drawn = shared / "oracle" / "inputs" / f"{name}.png"
    return drawn if drawn.exists() else shared / "data" / "OSIE" / "data" / "stimuli" / f"{name}.jpg"


def oracle_names(shared: Path, folder: str) -> list[str]:
    """Return the names of the images in one of the oracle's folders."""
    return sorted(p.stem for p in (shared / "oracle" / folder).glob("*.npz"))


def oracle_map(shared: Path, folder: str, name: str) -> OracleMap:
    """Return one image with the original's map of it."""
    with np.load(shared / "oracle" / folder / f"{name}.npz", allow_pickle=False) as data:
        low, high = data["range"]
        return OracleMap(
            name=name,
            image=read_image(image_path(shared, name)),
            every_4th=data["map_every_4th"],
            shape=(int(data["shape"][0]), int(data["shape"][1])),
            span=float(high - low),
            extra={k: data[k] for k in data.files if k not in ("map_every_4th", "shape", "range")},
        )


def oracle_maps(shared: Path, folder: str) -> Iterator[OracleMap]:
    """Yield every image of one of the oracle's folders with the original's map of it."""
    return (oracle_map(shared, folder, name) for name in oracle_names(shared, folder))


def demo_map(shared: Path, name: str) -> npt.NDArray[np.float32]:
    """Return the 8-bit map that KDSalBox's authors publish of an original for their demo photo."""
    with Image.open(shared / "oracle" / "kdsalbox-demo" / f"{name}.jpg") as image:
        return np.asarray(image.convert("L"), np.float32)


def demo_photo(shared: Path) -> Pixels:
    """Return KDSalBox's demo photo."""
    return read_image(shared / "oracle" / "kdsalbox-demo" / "photo.jpg")
