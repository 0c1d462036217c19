"""The page of an explanation: concepts, why regions of photos are salient, bases with their photos."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from ..reporting.document import (
    Html,
    Part,
    Picture,
    document,
    facts,
    fragment,
    number,
    scrolling,
    tag,
)
from ..version import __version__
from .concept_charts import concepts
from .content import BasisPart, Page, RegionPart, Shot, WhyPart
from .pieces import basis_link, head_cell, value_cell

TABLES = "salbox-tables"  # the note by which a page says what it was made of


def html(page: Page, tables: str) -> str:
    """Return the page of an explanation as HTML; `tables` is noted in it. See `reporting.document`."""
    parts = [Part("concepts", "What it looks at", concepts(page))]
    if page.whys:
        parts.append(Part("photos", "Why a region is salient", _whys(page)))
    parts.append(Part("bases", "The bases" if page.contributions is not None else "The channels", _bases(page)))
    parts.append(Part("table", "All bases", _table(page)))
    parts.append(Part("meaning", "What the numbers mean", _meaning(page)))
    return document(
        page.title,
        parts,
        lead=[tag("p", _lead(page), class_="lead"), facts(page.facts), _store(page)],
        footer=f"Made by salbox {__version__}",
        style=style(),
        notes={TABLES: tables},
    )


def style() -> str:
    """Return the rules of this page beside those of all."""
    return resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")


def _lead(page: Page) -> str:
    if page.contributions is None:
        return "Which named regions the channels of its features cover, as they are."
    return "Which concepts make a place salient and which take saliency away, by the bases that its maps are made of."


def _store(page: Page) -> Html:
    """Return all photos, once each, for others to show."""
    symbols = [
        tag(
            "symbol",
            tag("image", href=shown.uri, width=shown.width, height=shown.height),
            id=f"photo-{place}",
            viewBox=f"0 0 {shown.width} {shown.height}",
        )
        for place, (_, shown) in page.photos.items()
    ]
    return tag("svg", symbols, class_="store", aria_hidden="true")


def _whys(page: Page) -> Html:
    note = (
        "Left the photo with its most salient regions, right the map that is read off the bases, before a network's "
        "own smoothing and centre prior. Under them the five bases that add most to a region beyond what they add to "
        "the photo on average; the shares of all bases come to 100 %, negative ones among them. 'Less' stands before "
        "bases that take saliency away, and do so less here than elsewhere."
    )
    return fragment(
        tag("p", note, class_="small muted"), tag("div", [_why(each, page) for each in page.whys], class_="whys")
    )


def _why(why: WhyPart, page: Page) -> Html:
    name, shown = page.photos[why.photo]
    marks = []
    for place, region in enumerate(why.regions, start=1):
        marks += [
            tag("path", class_="under", d=region.outline),
            tag("path", class_=f"edge edge-{place}", d=region.outline),
            tag("text", str(place), class_="mark", x=region.place[0], y=region.place[1] + 5, text_anchor="middle"),
        ]
    picture = _shot(why.photo, shown, marks, f"{name}, its salient regions outlined")
    map_ = tag("img", src=why.map.uri, width=why.map.width, height=why.map.height, alt=f"Map of {name}", loading="lazy")
    return tag(
        "div",
        tag("h3", name, class_="photo"),
        tag("div", picture, map_, class_="pair"),
        [_reasons(place, region, page) for place, region in enumerate(why.regions, start=1)],
        class_="why",
    )


def _reasons(place: int, region: RegionPart, page: Page) -> Html:
    by_number = {basis.number: basis for basis in page.bases}
    items = []
    for basis, share in region.reasons:
        known = by_number[basis]
        name = tag("b", known.name) if known.is_named else tag("span", known.name, class_="unnamed")
        # A basis that takes saliency away makes a region salient by being less active there than elsewhere.
        less = "less " if known.weight is not None and known.weight < 0 else None
        items.append(tag("li", less, name, f" {share:.1%}, basis ", basis_link(basis, page)))
    return fragment(tag("p", f"Region {place}", class_=f"small region-{place}"), tag("ol", items))


def _bases(page: Page) -> Html:
    shown = [basis for basis in page.bases if basis.shots]
    order = "what they change most of saliency" if page.contributions is not None else "how well they cover a concept"
    left_out = (
        "" if len(shown) == len(page.bases) else f" {len(shown)} of {len(page.bases)}, as many as the page takes."
    )
    note = (
        f"In the order of {order}. Each with the photos on which it is most active; bright is where it is above its "
        f"threshold.{left_out}"
    )
    return fragment(
        tag("p", note, class_="small muted"), tag("div", [_basis(basis, page) for basis in shown], class_="bases")
    )


def _basis(basis: BasisPart, page: Page) -> Html:
    weight = "" if basis.weight is None else f", weight {number(basis.weight)}"
    concepts = [
        f"{each.concept} {number(each.iou, 2)} ({number(each.low, 2)} to {number(each.high, 2)})"
        for each in basis.concepts
    ]
    title = basis.name if basis.is_named else "No name"
    return tag(
        "div",
        tag("h3", title, " ", tag("span", f"basis {basis.number}{weight}", class_="small muted")),
        tag("div", [_active(basis, shot, page) for shot in basis.shots], class_="shots"),
        tag("p", "IoU: " + "; ".join(concepts), class_="small muted") if concepts else None,
        class_="basis",
        id=f"basis-{basis.number}",
    )


def _active(basis: BasisPart, shot: Shot, page: Page) -> Html:
    name, shown = page.photos[shot.photo]
    frame = f"M-9 -9H{shown.width + 9}V{shown.height + 9}H-9Z"  # its stroke lies beyond what is seen
    path = tag("path", class_="around", d=frame + shot.outline)
    label = f"{name}: where basis {basis.number} ({basis.name}) is active, {number(shot.peak)} at most"
    return _shot(shot.photo, shown, [path], label)


def _shot(place: int, shown: Picture, marks: Sequence[Html], label: str) -> Html:
    return tag(
        "svg",
        tag("title", label),
        tag("use", href=f"#photo-{place}", width=shown.width, height=shown.height),
        marks,
        viewBox=f"0 0 {shown.width} {shown.height}",
        role="img",
        aria_label=label,
        class_="shot",
    )


def _table(page: Page) -> Html:
    has_weight = page.contributions is not None
    body = []
    for basis in page.bases:
        best = basis.concepts[0] if basis.concepts else None
        cells = [
            tag("td", basis_link(basis.number, page), data_value=basis.number),
            tag("td", basis.name, class_="text" if basis.is_named else "text unnamed", data_value=basis.name),
            value_cell(best.iou, (best.low, best.high)) if best else tag("td"),
        ]
        body.append(tag("tr", cells, value_cell(basis.weight or 0.0) if has_weight else None))
    head = tag(
        "tr",
        head_cell("basis", "ascending"),
        head_cell("stands for", "ascending"),
        head_cell("IoU", "descending"),
        head_cell("weight", "descending") if has_weight else None,
    )
    whole = tag("table", tag("thead", head), tag("tbody", body), class_="figures")
    return tag("details", tag("summary", f"{len(page.bases)} bases"), scrolling(whole, "Bases"))


def _meaning(page: Page) -> Html:
    lines = [
        "IoU: how far the places where a basis is active, above its threshold, and a named region cover one another on "
        "a photo; the mean over the photos that show the concept, with its 95 % interval.",
        "A basis has a name where its IoU is above 0.04 and, with all of its interval, above that of as many random "
        "places. It says where the basis is active, not why: what stands beside faces shares their bases.",
    ]
    if page.contributions is not None:
        lines += [
            "A basis is shared out among its five best concepts in proportion to their IoUs; a concept's contribution "
            "is the sum of its shares times the bases' weights. Scaled: positive ones over the largest, negative ones "
            "over the lowest, so that the two scales differ.",
            "After Chen, Jiang and Zhao: What do deep saliency models learn about visual attention? NeurIPS 2023; IoUs "
            "after Bau et al.: Network dissection, CVPR 2017.",
        ]
    return tag("ul", [tag("li", line) for line in lines], class_="small")
