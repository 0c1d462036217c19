"""What the service is asked for, and how a process answers: maps, crops, shares of attention, cutouts."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeAlias

from ..apps.attention import attend
from ..apps.crops import CropOptions, best_crop
from ..apps.cutouts import cutout
from ..apps.region_files import parse_region
from ..apps.region_shares import Area, regions
from ..apps.sizes import parse_size
from ..errors import SalboxError, UsageError, located
from ..imaging.image import MAX_PIXELS, read_image
from ..imaging.writing import encode_map
from ..models.loading import load
from ..models.model import Model
from ..prediction.images import ImageMaps, Pipeline, map_notes
from ..types import Pixels

JSON = "application/json"
MEDIA_TYPES = {"png": "image/png", "png16": "image/png", "jpg": "image/jpeg", "tiff": "image/tiff"}
BYTES = "application/octet-stream"


@dataclass(frozen=True)
class Job:
    """One thing to do with one image.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    image : bytes
        The file as it was sent.
    options : mapping
        What the kind takes; plain texts and numbers.
    """

    kind: str
    image: bytes
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What comes back: bytes of a media type, or why there are none.

    Attributes
    ----------
    body : bytes
    media_type : str
    problem : str
        Empty, or one line on what is wrong with what was sent.
    failed : bool
        Whether the problem is not the sender's.
    """

    body: bytes = b""
    media_type: str = JSON
    problem: str = ""
    failed: bool = False


class Desk:
    """What a process of the service keeps: its models, loaded once.

    Parameters
    ----------
    models : {name: keywords of `salbox.load`}
        Those that may be asked for.
    max_pixels : int
        Larger images are refused before they are decoded.
    """

    def __init__(self, models: Mapping[str, Mapping[str, Any]], max_pixels: int = MAX_PIXELS) -> None:
        self.models = {name: load(name, **keywords) for name, keywords in models.items()}
        self.max_pixels = max_pixels

    def model(self, name: str) -> Model:
        """Return one of its models.

        Raises
        ------
        UsageError
            If it has none of this name.
        """
        try:
            return self.models[name]
        except KeyError:
            raise UsageError(f"no model '{name}' here (models: {', '.join(self.models)})") from None

    def answer(self, jobs: Sequence[Job]) -> list[Answer]:
        """Return an answer for each job, in their order; one that cannot be done costs the others nothing."""
        found: dict[int, Answer] = {}
        for number, job in enumerate(jobs):
            if job.kind != "maps":
                found[number] = attempt(lambda job=job: KINDS[job.kind](self, job))  # type: ignore[misc]
        found |= self._maps({number: job for number, job in enumerate(jobs) if job.kind == "maps"})
        return [found[number] for number in range(len(jobs))]

    def _maps(self, jobs: Mapping[int, Job]) -> dict[int, Answer]:
        """Return answers to those who ask for maps: images for the same models go through a network together."""
        found: dict[int, Answer] = {}
        together: dict[tuple[str, ...], dict[int, Pixels]] = {}
        for number, job in jobs.items():
            try:
                names = tuple(dict.fromkeys(job.options["models"]))
                for name in names:
                    self.model(name)
                together.setdefault(names, {})[number] = read_image(job.image, max_pixels=self.max_pixels)
            except (SalboxError, MemoryError) as error:
                found[number] = _problem(error)
        for names, images in together.items():
            found |= self._maps_of(names, images, jobs)
        return found

    def _maps_of(
        self, names: tuple[str, ...], images: Mapping[int, Pixels], jobs: Mapping[int, Job]
    ) -> dict[int, Answer]:
        pipelines = {name: Pipeline(self.models[name]) for name in names}
        try:
            made = ImageMaps(list(images.values()), pipelines.values())
            maps = {name: made.of(pipeline) for name, pipeline in pipelines.items()}
        except (SalboxError, MemoryError) as error:
            if len(images) == 1:
                return dict.fromkeys(images, _problem(error))
            # One of them is the cause: each by itself.
            return {n: self._maps_of(names, {n: image}, jobs)[n] for n, image in images.items()}
        found = {}
        for place, number in enumerate(images):
            own = {name: each[place] for name, each in maps.items()}
            found[number] = attempt(lambda own=own, number=number: self._encoded(own, jobs[number].options["format"]))  # type: ignore[misc]
        return found

    def _encoded(self, maps: Mapping[str, Any], file_format: str) -> Answer:
        """Return one map as a file, several as the files' bytes in base64 in JSON."""
        files = {}
        for name, saliency in maps.items():
            model = self.models[name]
            notes = map_notes(name, parameters=model.card.parameters_to_json(model.parameters))
            files[name] = b"".join(encode_map(saliency, file_format, notes, output=model.card.output))
        media_type = MEDIA_TYPES.get(file_format, BYTES)
        if len(files) == 1:
            return Answer(next(iter(files.values())), media_type)
        texts = {name: b64encode(file).decode("ascii") for name, file in files.items()}
        return _json({"media_type": media_type, "maps": texts})


def _crop(desk: Desk, job: Job) -> Answer:
    options = job.options
    how = CropOptions(options["zoom"], options["rule_of_thirds"])
    sizes = [parse_size(text) for text in options["sizes"]]
    seen = attend(job.image, desk.model(options["model"]), max_pixels=desk.max_pixels)
    height, width = seen.shape
    return _json({"width": width, "height": height, "crops": [best_crop(seen, size, how).to_dict() for size in sizes]})


def _regions(desk: Desk, job: Job) -> Answer:
    areas = _areas(job.options["regions"])
    found = regions(job.image, areas, model=desk.model(job.options["model"]), max_pixels=desk.max_pixels)
    return _json(found.to_dict())


def _areas(texts: Sequence[str]) -> dict[str, Area]:
    """Return {name: area} for "x,y,width,height[,name]"; a UsageError if one is none. Nothing is a file's name here."""
    found: dict[str, Area] = {}
    for number, text in enumerate(texts, start=1):
        region = parse_region(text, number)
        if region is None:
            raise UsageError(f"region '{text}': expected x,y,width,height[,name] in whole pixels")
        if region.name in found:
            raise UsageError(f"two regions are called '{region.name}'")
        found[region.name] = region.area
    return found


def _cutout(desk: Desk, job: Job) -> Answer:
    return Answer(cutout(job.image, model=desk.model(job.options["model"])), "image/png")


_Kind: TypeAlias = "Callable[[Desk, Job], Answer]"
KINDS: Mapping[str, _Kind] = MappingProxyType({"crop": _crop, "regions": _regions, "cutout": _cutout})
"""What is done image by image, by name; beside these there is "maps"."""


def attempt(work: Callable[[], Answer]) -> Answer:
    """Return what some work returns, or the problem that it raises."""
    try:
        return work()
    except Exception as error:
        return _problem(error)


def _problem(error: BaseException) -> Answer:
    """Return an answer in one line: what is wrong with what was sent, or that this end failed."""
    if isinstance(error, SalboxError):
        return Answer(problem=str(error))
    if isinstance(error, MemoryError):
        return Answer(problem="not enough memory for this image; send a smaller one")
    return Answer(problem=f"internal error: {located(error)}", failed=True)


def _json(value: Any) -> Answer:
    return Answer(json.dumps(value).encode())
