"""An explanation as one page: what is shown is gathered from its tables and its photos, within a bounded size."""

from __future__ import annotations

import hashlib
import math
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import ImageError
from ..imaging.scaling import min_max
from ..imaging.writing import atomic
from ..reporting.document import Picture, colored, picture
from ..system.identity import code_identity
from ..system.progress import SILENT, Progress
from ..types import FloatMap, Pixels
from .concept_sets import Photos
from .content import BasisPart, Named, Page, RegionPart, Shot, WhyPart
from .contributions import TOP
from .dissection import read_parts
from .explanation import Explanation
from .files import read_json
from .outlines import outline, outline_above
from .page import TABLES, html
from .reasons import salient_regions
from .subject import Subject

if TYPE_CHECKING:
    import pandas as pd

PAGE = "report.html"
SIDE = 224  # pixels, longest side of a photo on the page
MAX_PHOTOS = 240  # of a page: with their outlines some 5 MB
SHOTS = 3  # of a basis
WHYS = 12  # photos of which is shown why their regions are salient
_HEAD = 4096  # bytes of a page, in which it says what it was made of


def write_report(found: Explanation, subject: Subject, photos: Photos, progress: Progress = SILENT) -> Path:
    """Write the page of an explanation, unless there is one of the same tables, and return its path.

    Parameters
    ----------
    found : Explanation
        With its photos dissected.
    subject : Subject
    photos : Photos
        Those that were dissected.
    progress : Progress
    """
    path = found.folder / PAGE
    tables = _digest(found)
    if not _is_of(path, tables):
        text = html(gather(found, subject, photos, progress), tables)
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        progress.say(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
    return path


def gather(found: Explanation, subject: Subject, photos: Photos, progress: Progress = SILENT) -> Page:
    """Return what the page shows; photos are looked at once more, for the outlines. See `write_report`."""
    wanted = _Wanted(_important(found.bases), _most_active(found.parts, subject.count))
    whys = set(_evenly(len(photos), WHYS)) if subject.kernel is not None else set()
    chosen = sorted({*wanted.photos, *whys})
    limits = found.thresholds["threshold"].to_numpy(np.float32)
    shown: dict[int, tuple[str, Picture]] = {}
    outlines: dict[tuple[int, int], str] = {}
    reasons: list[WhyPart] = []
    for index in progress.track(iter(chosen), len(chosen), "photos of the page"):
        try:
            image = photos.pixels(index)
        except ImageError as error:
            progress.say(f"failed: {error}")
            continue
        small = _shrunk(image)
        size = small.shape[0], small.shape[1]
        shown[index] = photos.name(index), picture(small)
        products = None
        if index in whys:
            active, products = subject.look_and_read(image)
        else:
            active = subject.look(image)
        for basis in wanted.bases_on[index]:
            outlines[basis, index] = outline_above(active[basis], float(limits[basis]), size)
        if products is not None:
            reasons.append(_why(index, products, size))
    parts = tuple(_basis_parts(found, wanted, outlines))
    has_weights = found.has_contributions
    return Page(
        title=f"What {subject.name.rstrip('/').rpartition('/')[2]} looks at",
        facts=_facts(found, len(photos)),
        contributions=found.contributions if has_weights else None,
        categories=found.categories if has_weights else None,
        concepts=_best_bases(found.dissection),
        bases=parts,
        photos=shown,
        whys=tuple(reasons),
    )


@dataclass
class _Wanted:
    """Which photos are shown of which basis: as many bases, the most important first, as the photos suffice for."""

    order: list[int]
    active: npt.NDArray[np.intp]  # (bases, SHOTS), -1 for none
    bases_on: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for basis in self.order:
            own = [int(index) for index in self.active[basis] if index >= 0]
            if len({*self.bases_on, *own}) > MAX_PHOTOS:
                break
            for index in own:
                self.bases_on[index].append(basis)

    @property
    def photos(self) -> set[int]:
        return {*self.bases_on}


def _important(bases: pd.DataFrame) -> list[int]:
    """Return the bases, those first that change saliency most; without weights those that are named best."""
    by = bases["weight"].abs() if "weight" in bases else bases["iou"]
    return [int(i) for i in np.argsort(-by.to_numpy(np.float64), kind="stable")]


def _most_active(parts: list[Path], count: int) -> npt.NDArray[np.intp]:
    """Return the photos on which each basis is most active: (bases, SHOTS), the best first; -1 for none."""
    places, values = np.full((count, SHOTS), -1, np.intp), np.full((count, SHOTS), -np.inf, np.float32)
    start = 0
    for part in read_parts(parts):
        here = np.broadcast_to(start + np.arange(len(part.peak)), (count, len(part.peak)))
        places, values = np.hstack([places, here]), np.hstack([values, part.peak.T])
        best = np.argsort(-values, axis=1, kind="stable")[:, :SHOTS]
        places, values = np.take_along_axis(places, best, 1), np.take_along_axis(values, best, 1)
        start += len(part.peak)
    return np.where(np.isfinite(values), places, -1)


def _why(index: int, products: FloatMap, size: tuple[int, int]) -> WhyPart:
    height, width = size
    saliency = min_max(cv2.resize(products.sum(axis=0), (width, height), interpolation=cv2.INTER_LINEAR))
    regions = []
    for found in salient_regions(products):
        mask = cv2.resize(found.mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
        rows, columns = np.nonzero(mask if mask.any() else np.ones(size, bool))
        reasons = tuple((reason.basis, reason.share) for reason in found.reasons)
        regions.append(RegionPart(outline(mask), (int(columns.mean()), int(rows.mean())), reasons))
    return WhyPart(index, colored(np.rint(saliency * 255).astype(np.uint8)), tuple(regions))


def _basis_parts(found: Explanation, wanted: _Wanted, outlines: dict[tuple[int, int], str]) -> list[BasisPart]:
    concepts = found.dissection.groupby("basis").head(TOP).groupby("basis")
    peaks = _peaks(found.parts, sorted(wanted.photos))
    named, bases = found.bases["is_named"], found.bases
    weights = bases["weight"].to_numpy(np.float64) if "weight" in bases else None
    made = []
    for basis in wanted.order:
        rows = concepts.get_group(basis) if basis in concepts.groups else bases.iloc[:0]
        shots = tuple(
            Shot(int(i), outlines[basis, int(i)], peaks[int(i), basis])
            for i in wanted.active[basis]
            if (basis, int(i)) in outlines
        )
        weight = None if weights is None else float(weights[basis])
        names = tuple(Named(str(r["concept"]), r["iou"], r["low"], r["high"]) for r in rows.to_dict("records"))
        made.append(BasisPart(basis, bool(named.iloc[basis]), names, shots, weight))
    return made


def _peaks(parts: list[Path], photos: list[int]) -> dict[tuple[int, int], float]:
    """Return how active each basis is at most on some photos: (photo, basis) -> value."""
    found = {}
    start = 0
    for part in read_parts(parts):
        for index in photos:
            if start <= index < start + len(part.peak):
                row = part.peak[index - start]
                found.update({(index, basis): float(value) for basis, value in enumerate(row)})
        start += len(part.peak)
    return found


def _best_bases(dissection: pd.DataFrame) -> pd.DataFrame:
    ordered = dissection.sort_values(["iou", "concept"], ascending=[False, True])
    return ordered.groupby("concept", sort=False).head(1).reset_index(drop=True)


def _facts(found: Explanation, photos: int) -> tuple[tuple[str, str], ...]:
    bases = found.bases
    facts = [
        (f"{photos:,}", "photos"),
        (f"{found.dissection['concept'].nunique():,}", "concepts"),
        (f"{len(bases)}", "bases"),
        (f"{int(bases['is_named'].sum())}", "with a name"),
    ]
    explained = found.summary.get("explained_by_named", math.nan) if found.has_contributions else math.nan
    if math.isfinite(explained):
        facts.append((f"{explained:.0%}", "of the saliency explained by these"))
    return tuple(facts)


def _evenly(count: int, number: int) -> list[int]:
    number = min(count, number)
    return [i * count // number for i in range(number)]


def _shrunk(image: Pixels) -> Any:
    height, width = image.shape[:2]
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _digest(found: Explanation) -> str:
    """Return a text that changes with the tables of an explanation and with the code of the page."""
    digest = hashlib.sha256(code_identity(__name__).encode())
    for name in ("bases.parquet", "dissection.parquet", "contributions.parquet", "categories.parquet"):
        path = found.folder / name
        digest.update(path.read_bytes() if path.exists() else b"")
    digest.update(repr(sorted(read_json(found.folder / "summary.json").items())).encode())
    return digest.hexdigest()[:16]


def _is_of(path: Path, tables: str) -> bool:
    """Return whether there is a page that was made of the same tables."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        head = file.read(_HEAD).decode("utf-8", "replace")
    return re.search(rf'name="{TABLES}" content="{tables}"', head) is not None
