"""The pictures on the page."""

from __future__ import annotations

from collections.abc import Sequence

from ..metrics import Metric
from ._html import Html, fragment, number, tag
from .content import Example, ModelPart, Picture, SideBySide


def wall(image: SideBySide, order: Sequence[str]) -> Html:
    """Return one image with the maps of all rows, in this order."""
    photo = image.photo
    panels = [_panel(photo.pixels, f"Photo {photo.name}", "photo")]
    if photo.truth is not None:
        panels.append(_panel(photo.truth, f"Ground truth of {photo.name}", "ground truth"))
    for row in order:
        example = image.examples[row]
        caption = f"{row}, {image.metric.title} {number(example.value)}"
        panels.append(_panel(example.map, f"Map of {row} for {photo.name}", caption))
    return fragment(tag("h3", photo.name, class_="photo"), tag("div", panels, class_="wall"))


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
    images = [_image(photo.pixels, f"Photo {photo.name}")]
    if photo.truth is not None:
        images.append(_image(photo.truth, f"Ground truth of {photo.name}"))
    images.append(_image(example.map, f"Map of {row} for {photo.name}"))
    caption = tag("figcaption", f"{photo.name}: {metric.title} {number(example.value)}")
    return tag("figure", tag("div", images, class_="triple"), caption)


def _panel(picture: Picture | None, description: str, caption: str) -> Html:
    return tag("figure", _image(picture, description), tag("figcaption", caption))


def _image(picture: Picture | None, description: str) -> Html:
    if picture is None:
        return tag("p", f"{description}: not available", class_="small muted")
    return tag("img", src=picture.uri, width=picture.width, height=picture.height, alt=description, loading="lazy")
