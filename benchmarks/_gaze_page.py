"""The page that benchmarks/gaze.py writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from _gaze_laboratory_pages import adapting, cell, gap, profiles, trials
from _tables import markdown_table

TITLES = {
    "nss": "NSS ↑",
    "auc_judd": "AUC-Judd ↑",
    "sauc": "sAUC ↑",
    "cc": "CC ↑",
    "kl_mit": "KL ↓",
    "ig": "IG ↑",
    "sim": "SIM ↑",
    "kl": "KL ↓",
}
METRICS = ("nss", "auc_judd", "sauc", "cc", "kl_mit", "ig")
PLAIN = ("ensemble", "centre bias", "human ceiling", "constant")

HEAD = """# gaze: where will people look?

{provenance} Written by `benchmarks/gaze.py`.

`gaze` and `gaze.large` learned from the people of two laboratories (the training parts of OSIE and EyeCrowd, which are
of one, and of MIT1003, which is of another) and from two larger networks that salbox trained on the same people
(`unisal`, `sam`: [published designs](training.md)), on these photos and on others that nobody's fixations are known of.
*ensemble*: the mean of the z-scored maps of `attention-center`, `fastgaze` and `glimpse`. *gaze before*: the network
that shipped until 2026-11-29, which learned from OSIE's and EyeCrowd's people and from the three networks of the
ensemble; what was tried for it is [kept](gaze-before.md). *centre bias*: the density of the fixations on the set's
other photos. Information gain (IG) is over that, in bits a fixation. In brackets the 95 % interval of a bootstrap over
photos; differences are of the paired one. Densities are measured as they are, without `map_for`."""


def page(found: Mapping[str, Any]) -> str:
    """Return the page; parts that were not measured yet are left out."""
    parts = [HEAD.format(provenance=_measured(found["measured"]))]
    if "test" in found:
        parts.append("## Photos held out\n\nNo network of ours learned from a photo of these tables.")
        parts += [_table(f"### {where}", own) for where, own in found["test"].items()]
    if "profiles" in found:
        parts.append(profiles(found["profiles"]))
    if "another" in found:
        parts.append(
            "## A laboratory that it never saw\n\nThe same training without MIT1003, its teachers without it too, and "
            "as sure as suits the people that it did learn from: measured on all photos of MIT1003 at hand. *ensemble, "
            "calibrated*: a density of the ensemble's map by a monotone curve, a blur and a centre bias fitted to the "
            "same people (`salbox adapt`)."
        )
        parts += [_table(f"### {where}", own) for where, own in found["another"].items()]
    if "adapt" in found:
        parts.append(adapting(found["adapt"]))
    if "trials" in found:
        parts.append(trials(found["trials"]))
    if "density-224" in found:
        parts.append(_density_224(found["density-224"]))
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


def _table(title: str, own: Mapping[str, Any]) -> str:
    body = [[_name(row), *(cell(values.get(metric)) for metric in METRICS)] for row, values in own["rows"].items()]
    text = [f"{title}, {own['photos']} photos", markdown_table(["", *(TITLES[m] for m in METRICS)], body)]
    if own["against"]:
        body = [
            [f"{_name(pair['row'])} less {_name(pair['less'])}", *(gap(pair["differences"].get(m)) for m in METRICS)]
            for pair in own["against"]
        ]
        text.append(markdown_table(["", *(TITLES[m] for m in METRICS)], body))
    return "\n\n".join(text)


def _density_224(found: Mapping[str, Any]) -> str:
    metrics = ("cc", "sim", "kl")
    body = [[_name(row), *(cell(own.get(metric)) for metric in metrics)] for row, own in found["rows"].items()]
    gaps = "; ".join(f"{TITLES[metric]} {gap(own)}" for metric, own in found["against"].items())
    fitted = "; ".join(f"{name} {', '.join(f'{v:g}' for v in own)}" for name, own in found["fitted"].items())
    return "\n\n".join(
        [
            "## A set of unknown origin",
            f"`fixation-density-224`, {found['photos']} photos of odd number; it only measures. Of every model the "
            "blur, the weight of a centre prior and the sharpness were fitted for CC on photos of even number. "
            "*constant*: the mean density of those.",
            markdown_table(["", *(TITLES[metric] for metric in metrics)], body),
            f"`gaze` less *ensemble*: {gaps}.",
            f"Blur in pixels of 112 (8 is the largest that was tried), weight of the prior and sharpness: {fitted}.",
        ]
    )


def _cost(found: Mapping[str, Any]) -> str:
    rows = [[name, f"{own:.1f}"] for name, own in found["milliseconds"].items()]
    sizes = ", ".join(f"`{name}` {own / 1e6:.2f} MB" for name, own in found["bytes"].items())
    numbers = "; ".join(
        f"`{name}` {own['parameters']:,} learned numbers, {own['macs'] / 1e9:.2f} GMAC for a photo of 640x480"
        for name, own in found["networks"].items()
    )
    return "\n\n".join(
        [
            "## Size and speed",
            f"{numbers}, one look of the usual size; `gaze.large` looks at three sizes. Files: {sizes}. "
            "From the pixels of that photo to maps of its size, medians in one run:",
            markdown_table(["what", "ms"], rows),
        ]
    )


def _name(row: str) -> str:
    return row if row in PLAIN or row.startswith("gaze ") or "," in row else f"`{row}`"
