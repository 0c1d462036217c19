"""The page of benchmarks/calibration.py, made of its figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from _tables import markdown_table

TITLES = {
    "nss": "NSS", "auc_judd": "AUC-Judd", "auc": "AUC", "sauc": "sAUC", "cc": "CC", "ig": "IG", "kl_mit": "KL",
    "sim": "SIM",
}  # fmt: skip
CENTER = "centre bias"


def page(found: Mapping[str, Any]) -> str:
    """Return the page, of the parts that were measured."""
    parts = {
        "profiles": _profiles, "adapt": _adapt, "pysaliency": _pysaliency, "blend": _blend, "maps": _maps
    }  # fmt: skip
    lines: dict[str, list[str]] = {}
    for part, text in found.get("measured", {}).items():
        lines.setdefault(text, []).append(part)
    measured = " ".join(f"{', '.join(names)}: {text}" for text, names in lines.items())
    texts = [make(found[part]) for part, make in parts.items() if part in found]
    return "\n\n".join([HEAD.format(measured=measured), *texts])


HEAD = """# Calibration: profiles, blends, maps for metrics

{measured} Written by `benchmarks/calibration.py`.

Means over photos; in brackets the 95 % interval of a bootstrap over photos, of differences of the paired one. IG is in
bits a fixation above the density of the fixations on the split's other photos. No row was fitted to a photo that it is
measured on. OSIE's and EyeCrowd's people are the same in their training and test parts; MIT1003 is another
laboratory."""


def _profiles(found: Mapping[str, Any]) -> str:
    numbers = [(f"`{name}`", *(f"{value:.3g}" for value in values)) for name, values in found["numbers"].items()]
    text = [
        "## Profiles of `gaze`",
        "`general`, the default, lies in the network: scripts/ship_gaze.py fits a temperature and the weight of the "
        "centre prior. `osie` and `mit1003` are fitted to photos of OSIE's and of MIT1003's training parts that `gaze` "
        "did not learn from. A blur of .002, the least that is tried, is none.",
        markdown_table(
            (
                "profile",
                "temperature",
                "blur, share of the longest side",
                "weight of the centre",
                "its width",
                "height",
            ),
            numbers,
            figures=5,
        ),
        "*pilot*: one setting for all that a pilot proposed: temperature 1.3, a blur of 20 pixels at width 1024, half "
        "of a Gaussian of .28 of each side. *ensemble*: the mean of z-scored maps of `fastgaze`, `attention-center` "
        "and `glimpse`.",
    ]
    for label, own in found["tests"].items():
        text += [f"### {label}, {own['photos']} photos", _table(own), f"Less `gaze` as it is:\n\n{_against(own)}"]
    return "\n\n".join(text)


def _adapt(found: Mapping[str, Any]) -> str:
    text = [
        "## `salbox adapt` on a few photos of MIT1003",
        "*gaze, without MIT1003* never saw a photo of that laboratory; `gaze` learned from 477 of it. The first "
        "table of each model is what the command says: five folds of its photos. The second is the "
        "profile on the 89 validation photos. Before, a score is a density by `--scale-output log-density`.",
    ]
    for name, own in found.items():
        gap = own["gap"]
        closed = (
            ""
            if gap is None
            else f", of the gap in IG to the human ceiling {gap[0]:.0%} [{gap[1]:.0%}, {gap[2]:.0%}] closed"
        )
        text += [
            f"### {name}: {own['seconds']:.0f} seconds of processor time{closed}",
            _table(own["held out"]),
            _table(own["validation"]),
        ]
    return "\n\n".join(text)


def _pysaliency(found: Mapping[str, Any]) -> str:
    bits, low = found["bits"], found["difference"]
    return "\n\n".join(
        [
            "## Beside pysaliency's `optimize_for_information_gain`",
            f"The z-scored maps of `gbvs.student` at 160 pixels, fitted to {found['photos'][0]} photos of MIT1003, "
            f"measured on {found['photos'][1]} others: log-likelihood above the uniform density, bits a fixation. "
            "pysaliency fits a curve of 20 points, a centre bias of 12 rings and a blur; it was stopped after 60 "
            "steps, before it had converged for all that is known.",
            markdown_table(
                ("", "bits", "seconds of processor time"),
                [(name, f"{bits[name]:.3f}", f"{found['seconds'][name]:.1f}") for name in bits],
                figures=2,
            ),
            f"salbox less pysaliency: {low[0]:+.3f} [{low[1]:+.3f}, {low[2]:+.3f}].",
        ]
    )


def _blend(found: Mapping[str, Any]) -> str:
    weights = ", ".join(f"`{k}` {v:.2f}" for k, v in sorted(found["weights"].items(), key=lambda own: -own[1]))
    best = found["against"] if "against" in found else found["test"]["against"]
    gains = "; ".join(f"{TITLES[m]} {_signed(v)}" for m, v in best["blend"].items())
    return "\n\n".join(
        [
            "## `salbox blend` of the students on OSIE",
            f"Fitted to 200 photos of OSIE train in {found['seconds']:.0f} seconds of processor time, measured on OSIE "
            "test. *fitted*: the student by itself with a curve, blur and centre bias fitted to the same photos.",
            _table(found["test"]),
            f"*blend* less `{found['best']}`, the best single one by IG: {gains}.",
            f"Weights in nats: {weights}.",
        ]
    )


def _maps(found: Mapping[str, Any]) -> str:
    text = [
        "## A map for each metric",
        f"OSIE test, {found['photos']} photos; each metric on the density, and on the map that the density itself "
        "expects to score best by it (Kümmerer et al. 2018). That "
        "helps where a density is as sharp as fixations are likely; of one that is broader already, as "
        "`unisal.people`'s, CC, KL and SIM get worse.",
        _table(found),
    ]
    for name, own in found["pairs"].items():
        gains = "; ".join(f"{TITLES[m]} {_signed(v)}" for m, v in own.items())
        text.append(f"`{name}`, maps for metrics less the density: {gains}.")
    return "\n\n".join(text)


def _table(own: Mapping[str, Any]) -> str:
    names = _metrics(own["rows"].values())
    rows = [(_row(row), *(_figure(values.get(name)) for name in names)) for row, values in own["rows"].items()]
    return markdown_table(("", *(TITLES[name] for name in names)), rows, figures=len(names))


def _against(own: Mapping[str, Any]) -> str:
    rows = {k: v for k, v in own["against"].items() if k not in ("gaze", CENTER)}
    names = _metrics(rows.values())
    table = [(_row(row), *(_signed(values.get(name)) for name in names)) for row, values in rows.items()]
    return markdown_table(("", *(TITLES[name] for name in names)), table, figures=len(names))


def _metrics(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _row(name: str) -> str:
    if name.startswith("ensemble:"):
        return "ensemble"
    return f"`{name}`" if " " not in name else name


def _figure(value: list[float] | None) -> str:
    return "n/a" if value is None else f"{value[0]:.3f} [{value[1]:.3f}, {value[2]:.3f}]"


def _signed(value: list[float] | None) -> str:
    return "n/a" if value is None else f"{value[0]:+.3f} [{value[1]:+.3f}, {value[2]:+.3f}]"
