"""The parts of the page of benchmarks/gaze.py that are on laboratories: profiles, and fits to a few photos."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from _tables import markdown_table

TITLES = {"nss": "NSS ↑", "auc_judd": "AUC-Judd ↑", "cc": "CC ↑", "ig": "IG ↑"}
SHARES = {"ig": "IG", "nss": "NSS", "cc": "CC"}


def profiles(found: Mapping[str, Any]) -> str:
    """Return which profile is for whom, and what each is worth."""
    text = [
        "## Which profile for me",
        "- You know nothing of your people: `general`, the default.\n"
        "- You compare with figures on OSIE: `profile=osie`, and say so; it is sharper, which gains NSS and "
        "information and costs CC, and for other people it is no better.\n"
        "- You compare with figures on MIT1003: `profile=mit1003`; for the small network it hardly differs from "
        "`general`.\n"
        "- You have 20 photos of your own people, better 50: `salbox adapt`, and "
        "[what it gives](#a-few-photos-of-a-laboratory-salbox-adapt).",
        "`osie` and `mit1003` are fitted to photos of the training parts that no network learned from: a temperature, "
        "a blur, a Gaussian centre. On photos of these tables nothing learned; in the second table of each set what a "
        "profile changes, less `general`.",
    ]
    for where, own in found.items():
        rows = {row: values for row, values in own["rows"].items() if row != "centre bias"}
        changed = {row: values for row, values in own["against"].items() if row in rows and "general" not in row}
        text += [
            f"### Profiles, {where}, {own['photos']} photos",
            _table({_profile(row): values for row, values in rows.items()}, cell),
            _table({_profile(row): values for row, values in changed.items()}, gap),
        ]
    return "\n\n".join(text)


def adapting(found: Mapping[str, Any]) -> str:
    """Return how much of the gap fits to a few photos close."""
    first = next(iter(found.values()))
    text = [
        "## A few photos of a laboratory: `salbox adapt`",
        f"The networks that never saw MIT1003, fitted to photos of its training part, measured on its "
        f"{first['photos']} validation photos. *trained on that laboratory*: the network that ships, which learned "
        "from 477 of its photos. *a dozen numbers*: a temperature, a blur and a Gaussian centre bias "
        "(`--no-readout`); the rows above them, which is what `salbox adapt` does, also weigh the features of the "
        "decoder anew, each as it is and blurred, held by a penalty that photos held out choose. The weights are "
        "fitted to information gain, and NSS follows; CC gains more without them. "
        "Figures are the mean over draws of photos "
        f"({', '.join(f'{number} of {count}' for count, number in first['draws'].items())}), intervals of a bootstrap "
        "over the validation photos. These are not untouched: the design was tried on them too and then compared on "
        "others of the training part, and the least penalty that is tried was set with a look at CC here.",
    ]
    for name, own in found.items():
        shares = []
        for kind, values in own["gap"].items():
            cells = []
            for metric in SHARES:
                value, low, high = values[metric]["share"]
                each = values[metric]["draws"]
                cells.append(f"{value:.0%} [{low:.0%}, {high:.0%}]; draws {min(each):.0%} to {max(each):.0%}")
            shares.append([kind, *cells])
        text += [
            f"### {name}",
            _table(own["rows"], cell),
            "How much of the gap between the network as it is and the one that learned from the laboratory is closed:",
            markdown_table(["fitted to", *SHARES.values()], shares),
        ]
    return "\n\n".join(text)


def trials(found: Mapping[str, Any]) -> str:
    """Return what else was tried."""
    rows = [[way, f"{bits:+.3f}", f"{nss:+.3f}"] for way, (bits, nss) in found["ways"].items()]
    return "\n\n".join(
        [
            "### What was tried, and lost",
            f"Gains over `gaze` without MIT1003 as it is, each way fitted to 50 photos of the training part "
            f"({found['draws']} draws) and measured on {found['photos']} others of it, at the size of a profile's "
            "working copy. A grid or a smooth shape for the centre, or a monotone curve, gain next to nothing over the "
            "dozen numbers. The features do, most where they are seen blurred, too: what stands around a place counts "
            "beside the place itself. A weaker penalty gains a little more here, and costs CC on the validation "
            "photos.",
            markdown_table(["fitted", "IG, bits", "NSS"], rows),
        ]
    )


def _table(rows: Mapping[str, Any], told: Callable[[Any], str]) -> str:
    metrics = [metric for metric in TITLES if any(metric in own for own in rows.values())]
    body = [[name, *(told(own.get(metric)) for metric in metrics)] for name, own in rows.items()]
    return markdown_table(["", *(TITLES[metric] for metric in metrics)], body)


def _profile(row: str) -> str:
    model, _, profile = row.partition(", ")
    return f"`{model}`, {profile}"


def cell(figure: Any) -> str:
    """Return a figure with its interval, of (value, low, high)."""
    return "n/a" if figure is None else f"{figure[0]:.3f} [{figure[1]:.3f}, {figure[2]:.3f}]"


def gap(figure: Any) -> str:
    """Return a difference with its interval, of (value, low, high)."""
    return "n/a" if figure is None else f"{figure[0]:+.3f} [{figure[1]:+.3f}, {figure[2]:+.3f}]"
