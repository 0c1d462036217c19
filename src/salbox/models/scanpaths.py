"""Where the next fixation falls: a model's density, changed by where one looked before.

A simple model, of seventeen numbers that `scripts/fit_scanpaths.py` fits to the order of people's fixations by maximum
likelihood. The logarithm of the density of the next fixation at u is, up to a constant,

    a log p(u) + s(|u - f1|) + r(|u - f2|) + sum over k > 2 of e(|u - fk|),

p the model's density of the image, f1 the last fixation, f2 the one before, and so on, distances as shares of the
image's longest side. s holds how long saccades are, r and e how much one avoids, or seeks, where one has been; each is
linear between a few nodes and 0 from the last one on. Without a fixation yet f1 is the image's middle, where people
rest before an image appears.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError
from ..imaging.scaling import normalized_log
from ..types import DoubleMap, SaliencyMap, Shape

LAST_NODES = (0.0, 0.02, 0.04, 0.07, 0.11, 0.17, 0.26, 0.4, 0.6)
EARLIER_NODES = (0.0, 0.04, 0.08, 0.15, 0.3)
DEFAULT = "general"
WORKING_SIDE = 160  # longest side at which distances are weighed: half of the first node is 1.6 pixels there
_FILE = "data/scanpaths.json"
_LARGEST = 50.0  # of a weight

Places = npt.NDArray[Any]


@dataclass(frozen=True)
class Saccades:
    """How the density of the next fixation depends on the density and on the fixations before.

    Attributes
    ----------
    density : float
        The weight of the log density, a.
    last : tuple of 8 floats
        s at `LAST_NODES` without the last of them, where it is 0; in nats.
    previous, earlier : tuples of 4 floats
        r and e at `EARLIER_NODES` without the last of them.
    about : mapping
        What they were fitted to.
    """

    density: float
    last: tuple[float, ...]
    previous: tuple[float, ...]
    earlier: tuple[float, ...]
    about: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        for name, nodes in (("last", LAST_NODES), ("previous", EARLIER_NODES), ("earlier", EARLIER_NODES)):
            if len(getattr(self, name)) != len(nodes) - 1:
                raise UsageError(f"saccades: {name} has {len(getattr(self, name))} numbers, expected {len(nodes) - 1}")
        numbers = np.array([self.density, *self.last, *self.previous, *self.earlier])
        if not (np.abs(numbers) <= _LARGEST).all():
            raise UsageError(f"saccades: expected numbers of -{_LARGEST:g} to {_LARGEST:g}")

    def weights(self, shape: Shape, places: Places) -> DoubleMap:
        """Return what the fixations so far add to the log density, (H, W) in nats, up to a constant.

        Parameters
        ----------
        shape : (H, W)
        places : (N, 2) array
            x and y in pixels, the last fixation last; none: the image's middle.
        """
        scale = min(1.0, WORKING_SIDE / max(shape))
        size = (max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale)))
        shares = np.asarray(places, np.float64).reshape(-1, 2) / max(shape)
        if not len(shares):
            shares = np.array([[shape[1], shape[0]]]) / (2 * max(shape))
        total = np.zeros(size)
        for back, place in enumerate(shares[::-1]):
            values, nodes = (self.last, LAST_NODES) if back == 0 else (self.earlier, EARLIER_NODES)
            values = self.previous if back == 1 else values
            total += np.interp(distances(size, shape, place), nodes, (*values, 0.0))
        if size == shape:
            return total
        return np.asarray(cv2.resize(total, shape[::-1], interpolation=cv2.INTER_LINEAR), np.float64)

    def next_log_density(self, log_density: npt.NDArray[Any], places: Places) -> SaliencyMap:
        """Return the log density of the next fixation: (H, W) float32, exp sums to 1; see `weights`."""
        shape = (log_density.shape[0], log_density.shape[1])
        return normalized_log(self.density * log_density + self.weights(shape, places))

    def sample(self, log_density: npt.NDArray[Any], length: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
        """Return a scanpath drawn one fixation after the other: (length, 2), x and y in pixels."""
        places = np.zeros((0, 2), np.int64)
        for _ in range(length):
            drawn = draw(self.next_log_density(log_density, places + 0.5), 1, random)
            places = np.concatenate([places, drawn])
        return places


def draw(log_density: npt.NDArray[Any], count: int, random: np.random.Generator) -> npt.NDArray[np.int64]:
    """Return pixels drawn from a log density independently of each other: (count, 2), x and y."""
    # In double precision: the share of the last pixels of a large image is lost in sums of single precision.
    upto = np.cumsum(np.exp(log_density, dtype=np.float64))
    drawn = random.random(count) * upto[-1]
    places = np.minimum(np.searchsorted(upto, drawn, side="right"), upto.size - 1)
    rows, columns = np.divmod(places, log_density.shape[1])
    return np.stack([columns, rows], axis=1)


@lru_cache(maxsize=1)
def shipped_saccades() -> Mapping[str, Saccades]:
    """Return the saccades that come with the package, by what they were fitted to."""
    given = json.loads(resources.files("salbox").joinpath(_FILE).read_text(encoding="utf-8"))
    return {name: saccades_from_json(values) for name, values in given.items()}


def saccades_from_json(values: Mapping[str, Any]) -> Saccades:
    """Return the saccades that `saccades_to_json` made a mapping of."""
    rows = {name: tuple(float(v) for v in values[name]) for name in ("last", "previous", "earlier")}
    return Saccades(float(values["density"]), **rows, about=dict(values.get("about", {})))


def saccades_to_json(saccades: Saccades) -> dict[str, Any]:
    """Return saccades as a mapping ready for JSON, rounded to four digits behind the point."""
    rows: dict[str, Any] = {
        name: [round(v, 4) for v in getattr(saccades, name)] for name in ("last", "previous", "earlier")
    }
    return {"density": round(saccades.density, 4), **rows, "about": dict(saccades.about)}


def find_saccades(saccades: str | Saccades) -> Saccades:
    """Return saccades, of a name those that ship.

    Raises
    ------
    UsageError
        If there are none of that name.
    """
    if isinstance(saccades, Saccades):
        return saccades
    shipped = shipped_saccades()
    if saccades not in shipped:
        raise UsageError(f"saccades '{saccades}': expected one of {', '.join(shipped)}, or Saccades")
    return shipped[saccades]


def distances(size: Shape, shape: Shape, place: Sequence[float] | Places) -> DoubleMap:
    """Return how far pixels of a copy lie from a place, (h, w), all as shares of the image's longest side.

    `size` is the copy's, (h, w), `shape` the image's, (H, W).
    """
    longest = max(shape)
    y, x = ((np.arange(n) + 0.5) * full / (n * longest) for n, full in zip(size, shape, strict=True))
    return np.asarray(np.hypot(y[:, None] - place[1], x - place[0]), np.float64)
