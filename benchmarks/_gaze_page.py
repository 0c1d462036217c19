"""The page that benchmarks/gaze.py writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from _gaze_rows import CALIBRATED, CEILING, CENTER, GAZE, SIGMA
from _tables import markdown_table

TITLES = {"nss": "NSS", "auc_judd": "AUC-Judd", "cc": "CC", "ig": "information gain", "sim": "SIM", "kl": "KL"}
DIGITS = {"nss": 2, "auc_judd": 3, "cc": 3, "ig": 2, "sim": 3, "kl": 3}
FLOORS = {"nss": -0.03, "auc_judd": -0.003}  # of the lower end of the difference, on data sets left out
METRICS = ("nss", "auc_judd", "cc", "ig")


def page(found: Mapping[str, Any], settings: Mapping[str, str]) -> str:
    """Return the page; parts that were not measured yet are left out."""
    parts = [HEAD.format(provenance=_measured(found["measured"]))]
    if "test" in found:
        parts.append(_test(found["test"]))
    if "left-out" in found:
        parts.append(_left_out(found["left-out"]))
    if "density-224" in found:
        parts.append(_density_224(found["density-224"]))
    if "choices" in found:
        parts.append(_choices(found["choices"], settings))
    if "elsewhere" in found:
        parts.append(_elsewhere(found["elsewhere"], settings))
    if "cost" in found:
        parts.append(_cost(found["cost"]))
    return "\n\n".join(parts)


def _measured(when: Mapping[str, str]) -> str:
    """Return when and where the parts were measured: a line for each day, machine and set of versions."""
    lines: dict[str, list[str]] = {}
    for part, line in when.items():
        lines.setdefault(line, []).append(part)
    if len(lines) == 1:
        return next(iter(lines))
    return " ".join(f"{', '.join(parts)}: {line}" for line, parts in lines.items())


HEAD = """# gaze: where will people look?

{provenance} Written by `benchmarks/gaze.py`.

`gaze` learned from three published networks (`fastgaze`, `attention-center`, `glimpse`) on photos of DUTS-TR and
coco-semantic that nobody's fixations are known of, half of which stand in a changed form too (grey, noise, lines, ..),
and from people on the training parts of OSIE (560 photos, 15 people) and EyeCrowd (200 photos, 16 people). What the
teachers were trained on: `attention-center` on SALICON; `fastgaze` was distilled from DeepGaze II, which was trained on
SALICON and MIT1003; of `glimpse` it is unknown, so that it cannot be ruled out that it saw photos of these tables.

*ensemble*: the mean of the teachers' z-scored maps. *ensemble, calibrated*: a density proportional to
exp(a blur(z) + b log centre), with a, b and the blur fitted to the likelihood of the same people's fixations that
`gaze` learned from. *centre bias*: the density of those people's fixations whatever the photo. Information gain is over
that centre bias, in bits a fixation. In brackets the 95 % interval of a bootstrap over photos; differences are of
the paired one."""


def _test(found: Mapping[str, Any]) -> str:
    text = ["## Photos held out of the same data sets"]
    for name, own in found.items():
        rows, sigma = _rows(own, METRICS), SIGMA[name]
        if sigma is not None:
            rows = rows.replace(f"| {CEILING} |", f"| {CEILING}, sigma {sigma:g} |")
        text.append(f"### {name} test, {own['photos']} photos\n\n{rows}")
        text.append(_against(own, dict.fromkeys(METRICS, 0.0)))
        text.append(f"The temperature at which `gaze` predicts these fixations best is {own['temperature']:.2f}.")
        if sigma is not None:
            text.append(
                f"The human ceiling is that of fixations blurred by {sigma:g} pixels, as the density that CC compares "
                "with is; by the data set's own sigma it is [another](ceilings.md)."
            )
        text += _higher_cc(own)
    same = "OSIE's 15 people are the same in its training and its test part, and both data sets are of one laboratory:"
    text.append(f"{same} the next table is the one that tells what to expect elsewhere.")
    return "\n\n".join(text)


def _higher_cc(own: Mapping[str, Any]) -> list[str]:
    """Return which maps have a higher CC than `gaze` has, if there are any."""
    mine = own["rows"][GAZE]["cc"][0]
    better = [
        f"{name} ({values['cc'][0]:.3f})"
        for name, values in own["rows"].items()
        if name != CEILING and not name.startswith(GAZE) and values["cc"][0] > mine
    ]
    if not better:
        return []
    return [
        f"Of higher CC than `gaze` ({mine:.3f}): {', '.join(better)}. CC compares with fixations blurred by much and "
        "rewards maps that are broad; a density that is as sharp as fixations are likely is not."
    ]


def _left_out(found: Mapping[str, Any]) -> str:
    text = [
        "## Photos and people of a data set left out\n\n"
        "Networks trained in the same way without one of the data sets, of which no photo was seen by any part of them "
        "(they begin from ImageNet weights), and measured on all of it. The ensemble is calibrated on the other one."
    ]
    for name, own in found.items():
        text.append(
            f"### All of {name}, {own['photos']} photos, by a network that never saw one\n\n{_rows(own, METRICS)}"
        )
        text.append(_against(own, FLOORS))
        text += _higher_cc(own)
    text.append(
        "OSIE and EyeCrowd come from one laboratory: centre bias and blur tuned there do not carry over to any other."
    )
    return "\n\n".join(text)


def _density_224(found: Mapping[str, Any]) -> str:
    return "\n\n".join(
        [
            "## A set of unknown origin",
            f"`fixation-density-224`, {found['photos']} photos of odd number; it only measures. Of every model the "
            "blur, the weight of a centre prior and the sharpness were fitted for CC on photos of even number. "
            "*constant*: the mean density of those.",
            _rows(found, ("cc", "sim", "kl")),
            _against(found, {}, "ensemble"),
            "Blur in pixels of 112 (8 is the largest that was tried), weight of the prior and sharpness as fitted: "
            + "; ".join(f"{name} {', '.join(f'{v:g}' for v in own)}" for name, own in found["fitted"].items())
            + ".",
        ]
    )


CHOSEN = """What is chosen, and why: `ships`. Photos of others in the second training (`mixed`) cost every figure, so
people's photos stand alone there. The teachers come first nevertheless, because they help where few people's photos are
known (below, OSIE by a network that saw 200 photos of EyeCrowd). A wider blur raises CC and costs likelihood; whether
1 - CC stands beside KL in the loss, and whether a fifth of what is learned is the teachers', makes little difference.
Without the encoder's coarsest features (`shallow`) a network is a third as large and as good, and the time that this
saves pays for more pixels. A head on the network of the students, which would take no room and no time, is far behind:
a second network ships.

Of `mixed` and `people` the best of eight epochs was kept, by the photos that are held out here (their seventh and
eighth), of all others the last. The teachers' training under all but `ships` and `unchanged` was in single
precision."""


def _choices(found: Mapping[str, Any], settings: Mapping[str, str]) -> str:
    text = [
        "## Settings compared",
        f"A fifth of the training parts' photos held out (OSIE {_photos(found, 'OSIE')}, EyeCrowd "
        f"{_photos(found, 'EyeCrowd')}); no test photo has a part in this. T: the temperature at which the density "
        "predicts these fixations best; 1 is calibrated, above 1 it is too sure of itself. Where people looked, what "
        "is learned is four fifths theirs and one fifth the teachers', unless a setting says otherwise.",
    ]
    for data in ("OSIE", "EyeCrowd"):
        body = []
        for name, about in settings.items():
            if name in found:
                own = found[name][data]
                cells = [_cell(own["rows"][GAZE].get(metric), DIGITS[metric]) for metric in METRICS]
                body.append([f"`{name}`", about, *cells, f"{own['temperature']:.2f}"])
        text += [f"### {data}", markdown_table(["setting", "what", *(TITLES[m] for m in METRICS), "T"], body)]
    return "\n\n".join([*text, CHOSEN])


def _elsewhere(found: Mapping[str, Any], settings: Mapping[str, str]) -> str:
    text = [
        "### People and photos of another data set",
        "The same settings, trained without one data set and measured on the training part of it, so that the test "
        "parts have no say in what is chosen.",
    ]
    for data in ("OSIE", "EyeCrowd"):
        body = []
        for name in settings:
            if name in found:
                own = found[name][data]
                body.append([f"`{name}`", *(_cell(own["rows"][GAZE].get(m), DIGITS[m]) for m in METRICS)])
        text.append(markdown_table([f"{data}, {_photos(found, data)} photos", *(TITLES[m] for m in METRICS)], body))
    return "\n\n".join(text)


def _photos(found: Mapping[str, Any], data: str) -> int:
    return int(next(iter(found.values()))[data]["photos"])


def _cost(found: Mapping[str, Any]) -> str:
    rows = [[f"{name}", f"{own:.1f}"] for name, own in found["milliseconds"].items()]
    sizes = ", ".join(f"`{name}` {own / 1e6:.2f} MB" for name, own in found["bytes"].items())
    return "\n\n".join(
        [
            "## Size and speed",
            f"{found['parameters']:,} learned numbers, {found['macs'] / 1e9:.2f} GMAC for a photo of 640x480. Files: "
            f"{sizes}, together {sum(found['bytes'].values()) / 1e6:.2f} MB. From the pixels of that photo to maps "
            "of its size, medians in one run:",
            markdown_table(["what", "ms"], rows),
        ]
    )


def _rows(found: Mapping[str, Any], metrics: Sequence[str]) -> str:
    body = []
    for row, own in found["rows"].items():
        body.append([_name(row), *(_cell(own.get(metric), DIGITS[metric]) for metric in metrics)])
    return markdown_table(["", *(TITLES[metric] for metric in metrics)], body)


def _against(found: Mapping[str, Any], floors: Mapping[str, float], other: str = CALIBRATED) -> str:
    """Return how `gaze` compares, and whether the lower ends of the intervals are where they should be."""
    cells = []
    for metric, (value, low, high) in found["against"].items():
        digits = DIGITS[metric]
        text = f"{TITLES[metric]} {value:+.{digits + 1}f} [{low:+.{digits + 1}f}, {high:+.{digits + 1}f}]"
        if metric in floors:
            met = low > floors[metric] if floors[metric] == 0 else low >= floors[metric]
            text += " (target met)" if met else f" (target missed: {floors[metric]:g})"
        cells.append(text)
    return f"`gaze` less *{other}*: " + "; ".join(cells) + "."


def _cell(figure: Iterable[float] | None, digits: int) -> str:
    if figure is None:
        return "n/a"
    value, low, high = figure
    return f"{value:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def _name(row: str) -> str:
    return row if row in (CALIBRATED, CENTER, CEILING, "ensemble", "constant") else f"`{row}`"
