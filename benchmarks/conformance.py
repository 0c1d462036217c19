"""How far the classical models are from the original programs, image by image.

Needs the original programs' maps (`shared/oracle` beside the checkout, or SALBOX_SHARED). Writes
docs/results/conformance.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from _tables import ROOT, SHARED, markdown_table, provenance, write_page

import salbox
from salbox.classical.bms import mean_attention

sys.path.insert(0, str(ROOT / "tests" / "helpers"))
from oracle import demo_map, demo_photo, oracle_maps

AIM = SHARED / "weights" / "aim"


@dataclass(frozen=True)
class Case:
    """A folder of the oracle and the call that must reproduce it."""

    folder: str
    model: str
    parameters: dict[str, Any] = field(default_factory=dict)


CASES = (
    Case("aim", "aim", {"basis": AIM / "21jade950.mat"}),
    Case("aim_21infomax950", "aim", {"basis": AIM / "21infomax950.mat"}),
    Case("sun", "sun", {"stats": SHARED / "weights" / "sun" / "stats.mat"}),
    Case("imsig", "imsig"),
    Case("imsig_rgb", "imsig", {"color_space": "RGB"}),
    Case("ikn", "ikn"),
    Case("ikn_ittikochmap", "ikn", {"channels": "CIO", "salmap_max_size": 0}),
    Case("gbvs", "gbvs"),
    Case("bms", "bms"),
)
OWN_FILTERS = (Case("aim", "aim"), Case("sun", "sun"))


def main() -> None:
    """Measure every folder and write the page."""
    if not (SHARED / "oracle").is_dir():
        sys.exit(f"{SHARED}: no folder 'oracle' with the original programs' maps (set SALBOX_SHARED)")
    page = f"""# Conformance of the classical models

Each model against the maps that the original program printed for 16 images (12 photos, 4 pictures of other kinds).
*Difference* is the largest absolute difference of any pixel compared (every fourth, both ways) over the range of the
original's map; *CC* the smallest Pearson correlation. Written by `benchmarks/conformance.py`. {provenance()}

{exact_table()}

{bms_lines()}

## AIM and SUN with the filters that ship

The originals' learned filters may not be handed on, so salbox ships its own. None of these 16 images was learned from,
but how SUN's photos were prepared (shrunk to a quarter, a little noise added) was chosen by the agreement on some of
them. Correlation of the maps with the originals':

{own_filters_table()}

## One photo, eight-bit maps that others published

The demonstration photo of KDSalBox with the maps of the originals, as 8-bit JPEG, so correlation only. RARE2012 is
[a page of its own](rare2012.md).

{demo_table()}
"""
    write_page("conformance.md", page)


def exact_table() -> str:
    """Return the table of differences, a row a folder."""
    rows = []
    for case in CASES:
        model = salbox.load(case.model, **case.parameters)
        measured = [
            (o.difference(s), o.correlation(s), o.name)
            for o in oracle_maps(SHARED, case.folder)
            for s in [model(o.image)]
        ]
        worst = max(measured)
        parameters = ", ".join(f"{k}={Path(v).name if isinstance(v, Path) else v}" for k, v in case.parameters.items())
        rows.append(
            [
                case.model,
                parameters or "defaults",
                str(len(measured)),
                f"{worst[0]:.1e}" if worst[0] else "none",
                worst[2] if worst[0] else "",
                f"{min(m[1] for m in measured):.7f}",
            ]
        )
    return markdown_table(["model", "parameters", "images", "largest difference", "on", "smallest CC"], rows)


def bms_lines() -> str:
    """Return what there is to say of BMS, whose maps are whole grey levels."""
    model = salbox.load("bms")
    levels, share, raw = 0.0, 0.0, 0.0
    for o in oracle_maps(SHARED, "bms"):
        difference = np.abs(model(o.image)[::4, ::4] - o.every_4th)
        levels, share = max(levels, difference.max()), max(share, (difference > 0).mean())
        attention = mean_attention(o.image)[::2, ::2]
        raw = max(raw, np.abs(attention - o.extra["raw"]).max() / o.extra["raw"].max())
    return (
        f"BMS in grey levels: the largest difference is {levels:g}, on at most {share:.2%} of the pixels of an image; "
        f"the sum of its attention maps, before it is rounded, differs by at most {raw:.1e} of its peak."
    )


def own_filters_table() -> str:
    """Return the correlations of the maps with salbox's own filters, an image a row."""
    columns = {}
    for case in OWN_FILTERS:
        model = salbox.load(case.model)
        columns[case.model] = {o.name: o.correlation(model(o.image)) for o in oracle_maps(SHARED, case.folder)}
    names = list(columns["aim"])
    rows = [[name, *(f"{column[name]:.4f}" for column in columns.values())] for name in names]
    rows.append(["**mean**", *(f"**{np.mean(list(column.values())):.4f}**" for column in columns.values())])
    return markdown_table(["image", *columns], rows)


def demo_table() -> str:
    """Return the correlations with the published demonstration maps."""
    photo = demo_photo(SHARED)
    calls = {
        "aim": ("aim", {"basis": AIM / "21jade950.mat"}, "original filters"),
        "sun": ("sun", {"stats": SHARED / "weights" / "sun" / "stats.mat"}, "original filters"),
        "imsig": ("imsig", {}, ""),
        "gbvs": ("gbvs", {}, ""),
        "bms": ("bms", {}, ""),
        "ikn": ("ikn", {"blur_frac": 0}, "without the final blur, as their map"),
    }
    rows = []
    for name, (model, parameters, remark) in calls.items():
        saliency = salbox.load(model, **parameters)(photo)
        rows.append([name, f"{np.corrcoef(saliency.ravel(), demo_map(SHARED, name).ravel())[0, 1]:.4f}", remark])
    return markdown_table(["model", "CC", "remark"], rows)


if __name__ == "__main__":
    main()
