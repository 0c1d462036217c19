"""What a reader of a table should know beside its figures: what they depend on, what was left out, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..datasets import Dataset
from ..errors import name_some
from ..metrics import Metric
from ..metrics.objects import METRICS as OBJECTS
from ..metrics.objects import settings as object_settings
from ..version import __version__
from .ceiling import HumanCeiling
from .maps import RESIZING
from .sources import CenterBias, MapSource, Source
from .store import Store
from .training_photos import training_notes

OBJECT_METRICS = frozenset(metric.name for metric in OBJECTS)


def unkept(source: Source | None) -> str:
    """Return why a row's figures are not kept; "" if they are."""
    return getattr(source, "unkept", "")


def notes_of(
    data: Dataset,
    images: Sequence[str],
    rows: Sequence[Source],
    chosen: Sequence[Metric],
    stores: Sequence[Store],
    teacher: Source | None,
) -> list[str]:
    """Return a line each of what was left out, is not defined, or may mislead; `images` are those of the figures."""
    notes = list(data.notes)
    if len(images) < len(data):
        notes.append(f"{len(images)} of {len(data)} images: those that every row has figures of")
    for source in rows:
        if isinstance(source, MapSource):
            notes += _unmatched(source)
    notes += _undefined(rows, chosen)
    notes += _other_sizes(data, images, chosen)
    notes += training_notes(data, images, rows)
    notes += [f"{s.name}: figures are not kept ({why})" for s in (*rows, teacher) if s and (why := unkept(s))]
    notes += [_damaged(source, store) for source, store in zip(rows, stores, strict=True) if store.damaged]
    return notes


def facts_of(
    data: Dataset,
    rows: Sequence[Source],
    chosen: Sequence[Metric],
    sigma: float | None,
    teacher: Source | None,
    stores: Sequence[Store],
) -> Iterable[tuple[str, str]]:
    """Yield (name, line) of what the figures depend on: rows' settings, sizes, sigma, versions, where they are kept."""
    for source in rows:
        yield source.name, _describe(source)
    if teacher is not None:
        yield "teacher", f"{teacher.name}: {_describe(teacher)}"
    needs = {need for metric in chosen for need in metric.needs}
    if needs & {"density", "baseline"} or any(isinstance(s, (CenterBias, HumanCeiling)) for s in rows):
        own_maps = all(item.density for item in data.items) and (sigma is None or "fixations" not in data.gives)
        yield "density", "the dataset's own maps" if own_maps else _sigma_text(data, sigma)
    if any(metric.name in OBJECT_METRICS for metric in chosen):
        yield "objects", object_settings()
    yield "sizes", RESIZING
    yield "salbox", __version__
    kept = next((store.path for store in stores if store.path is not None), None)
    yield "results", "not kept" if kept is None else str(kept.parent)


def _sigma_text(data: Dataset, sigma: float | None) -> str:
    if sigma is not None:
        return f"Gaussian of {sigma:g} pixels (given)"
    card = data.card
    own = sorted({round(data.sigma(index), 3) for index in range(len(data))})
    pixels = f"{own[0]:g}" if len(own) == 1 else f"{own[0]:g} to {own[-1]:g}"
    side = "longest side" if card.sigma_side == "longest" else "width"
    return f"Gaussian of {pixels} pixels: {card.sigma:g} at a {side} of {card.sigma_width}, {card.sigma_source}"


def _describe(source: Source) -> str:
    if isinstance(source, HumanCeiling):
        return source.description
    if isinstance(source, CenterBias):
        return "density of the fixations on the split's other images, with 1 % spread evenly"
    settings = source.settings()
    parts = [settings["maps"]] if "maps" in settings else []
    parts += [f"{k}={v}" for k, v in settings.get("parameters", {}).items()]
    parts += [f"{k}={v}" for k, v in settings["postprocess"].items()]
    if settings.get("longest_side"):
        parts.append(f"on the image brought to a longest side of {settings['longest_side']}")
    return f"{', '.join(parts) or 'no parameters'} ({source.output})"


def _undefined(rows: Sequence[Source], chosen: Sequence[Metric]) -> list[str]:
    """Return a line for the rows of each output that some metrics are not defined for."""
    notes = []
    for output in dict.fromkeys(source.output for source in rows):
        undefined = [m.name for m in chosen if output not in m.accepts]
        if undefined:
            names = ", ".join(source.name for source in rows if source.output == output)
            way_out = "; with --scale-output log-density they are" if output == "score" else ""
            notes.append(f"{', '.join(undefined)} not defined for a {output} ({names}){way_out}")
    return notes


def _other_sizes(data: Dataset, images: Sequence[str], chosen: Sequence[Metric]) -> list[str]:
    """Return a line if masks have another size than their photos, as of copies made at one size."""
    if not any("mask" in metric.needs for metric in chosen):
        return []
    places = {item.name: index for index, item in enumerate(data.items)}
    others = [name for name in images if data.mask_shape(places[name]) != data.shape(places[name])]
    if not others:
        return []
    return [f"{len(others)} masks of another size than their photo ({name_some(others)}): maps are brought to theirs"]


def _damaged(source: Source, store: Store) -> str:
    lines = "1 damaged line" if store.damaged == 1 else f"{store.damaged} damaged lines"
    return f"{source.name}: {lines} of {store.path} left out; what is not there any more was computed again"


def _unmatched(source: MapSource) -> list[str]:
    folder, notes = source.folder, []
    if folder.images_without:
        notes.append(
            f"{folder.name}: {len(folder.images_without)} images without a map: {name_some(folder.images_without)}"
        )
    if folder.maps_without:
        notes.append(
            f"{folder.name}: {len(folder.maps_without)} maps of no image here: {name_some(folder.maps_without)}"
        )
    if source.kind is None and folder.is_recognized:
        notes.append(
            f"{folder.name}: the files do not say what the maps are; exp of the numbers sums to 1, so they are taken "
            "for log densities (--maps-output says otherwise)"
        )
    if source.output == "log_density" and folder.is_coarse:
        notes.append(
            f"{folder.name}: densities in 8 bits, all low values of which are one grey: AUCs and log-likelihoods are a "
            "little off (png16, npy, tiff and mat keep them)"
        )
    return notes
