"""The pictures on the page."""

from __future__ import annotations

from collections.abc import Sequence

from ..metrics import Metric
from ._html import Html, fragment, number, tag
from .content import Example, ModelPart, Picture, SideBySide


def wall(shown: SideBySide, order: Sequence[str]) -> Html:
    """Return one image with the maps of all rows, in this order."""
    panels = [_panel(shown.photo.pixels, f"Photo {shown.photo.name}", "photo")]
    if shown.photo.truth is not None:
        panels.append(_panel(shown.photo.truth, f"Ground truth of {shown.photo.name}", "ground truth"))
    for row in order:
        example = shown.examples[row]
        caption = f"{row}, {shown.metric.title} {number(example.value)}"
        panels.append(_panel(example.map, f"Map of {row} for {shown.photo.name}", caption))
    return fragment(tag("h3", shown.photo.name, class_="photo"), tag("div", panels, class_="wall"))


def examples(part: ModelPart) -> Html | None:
    """Return a row's best and worst images: photo, ground truth and map side by side, with the figure."""
    if not part.best:
        return None
    panels = "photo, map" if part.best[0].photo.truth is None else "photo, ground truth, map"
    columns = []
    for word, chosen in (("Best", part.best), ("Worst", part.worst)):
        if chosen:
            title = tag("h4", f"{word} by {part.metric.title} ", tag("span", f"({panels})"))
            columns.append(tag("div", title, [_triple(part.name, example, part.metric) for example in chosen]))
    return tag("div", columns, class_="examples")


def _triple(row: str, example: Example, metric: Metric) -> Html:
    photo = example.photo
    shown = [_image(photo.pixels, f"Photo {photo.name}")]
    if photo.truth is not None:
        shown.append(_image(photo.truth, f"Ground truth of {photo.name}"))
    shown.append(_image(example.map, f"Map of {row} for {photo.name}"))
    caption = tag("figcaption", f"{photo.name}: {metric.title} {number(example.value)}")
    return tag("figure", tag("div", shown, class_="triple"), caption)


def _panel(shown: Picture | None, description: str, caption: str) -> Html:
    return tag("figure", _image(shown, description), tag("figcaption", caption))


def _image(shown: Picture | None, description: str) -> Html:
    if shown is None:
        return tag("p", f"{description}: not available", class_="small muted")
    return tag("img", src=shown.uri, width=shown.width, height=shown.height, alt=description, loading="lazy")
