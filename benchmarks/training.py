"""What published designs come to that salbox trained on people's fixations, beside other models; three data sets.

Needs the runs of scripts/train_people.py in SALBOX_RUNS (by default runs/), and OSIE, EyeCrowd, MIT1003 and the weights
of attention-center, fastgaze and glimpse (`shared/` beside the checkout, or SALBOX_SHARED). Figures are kept image by
image in cache/training, so that an interrupted run goes on. Writes docs/results/training.md, where networks whose runs
are not there keep their lines.
"""

from __future__ import annotations

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path

from _earlier import Earlier
from _tables import RESULTS, ROOT, SHARED, markdown_table, provenance, write_page

os.environ.setdefault("SALBOX_WEIGHTS", str(SHARED / "weights"))

from salbox.bench import Cost, bench
from salbox.evaluation import CenterBias, Evaluation, HumanCeiling, evaluate
from salbox.models.exported import packaged
from salbox.runtime.fingerprint import weights_fingerprint

RUNS = Path(os.environ.get("SALBOX_RUNS", ROOT / "runs"))
KEPT = ROOT / "cache" / "training"
FIGURES = RESULTS / "training" / "figures.json"
METRICS = ("nss", "auc_judd", "sauc", "cc", "kl_mit", "ig")
TITLES = ("NSS ↑", "AUC-Judd ↑", "sAUC ↑", "CC ↑", "KL ↓", "IG ↑")
SETS = {
    "OSIE test": ("osie:OSIE", "test"),
    "EyeCrowd test": ("eyecrowd:EyeCrowd", "test"),
    "MIT1003 validation": ("mit1003:MIT1003", "validation"),
}
ELSEWHERE = "MIT1003 validation"  # another laboratory than that of the other two
PLAIN = "ensemble:attention-center+fastgaze+glimpse"
SHIPPED = ("unisal.people",)
# A run's folder -> what its network is called.
TRAINED = {
    "unisal": "unisal.people",
    "sam": "sam.lite0.people",
    "dgii": "dgii.lite0.people",
    "msinet": "msinet.lite0.people",
    "salicon": "salicon.lite0.people",
    "dinet": "dinet.lite0.people",
    "transalnet": "transalnet.lite0.people",
}
WITHOUT = "without MIT1003"
KINDS = (("", ""), ("-without-mit1003", f", {WITHOUT}"))  # how a run's folder ends, and what its line says
EVERY = tuple(f"`{name}`{what}" for _, what in KINDS for name in TRAINED.values())


@dataclass(frozen=True)
class Row:
    """A line of the tables: what it is called, the model as `salbox.load` takes it, and its run, if there is one."""

    title: str
    model: str
    run: Path | None = None


def rows() -> list[Row]:
    """Return the trained networks whose runs are finished, and what they are compared with."""
    found = []
    for ending, what in KINDS:
        for design, name in TRAINED.items():
            run = RUNS / f"{design}{ending}-0"
            if (run / "student.onnx").is_file():
                ships = not ending and name in SHIPPED
                found.append(Row(f"`{name}`{what}", name if ships else str(run), run))
    known = {
        "`gaze`": "gaze",
        "`gaze.large`": "gaze.large",
        "ensemble of three": PLAIN,
        "`attention-center`": "attention-center",
    }
    return [*found, *(Row(title, model) for title, model in known.items())]


def measured(which: list[Row]) -> dict[str, Evaluation]:
    """Return the evaluation on each data set."""
    found = {}
    for title, (data, split) in SETS.items():
        name, _, folder = data.partition(":")
        sources = [*(row.model for row in which), CenterBias(), HumanCeiling()]
        path = f"{name}:{SHARED / 'data' / folder}"
        found[title] = evaluate(path, sources, METRICS, split=split, folder=KEPT, workers=1)
        print(title, flush=True)
    return found


def table(which: list[Row], title: str, evaluation: Evaluation, earlier: Earlier) -> str:
    """Return the figures on one data set."""
    named = [(row.title, row.model) for row in which]
    named += [("centre bias", CenterBias().name), ("human ceiling", HumanCeiling().name)]
    lines = [[label, *(cell(evaluation, name, metric) for metric in METRICS)] for label, name in named]
    return markdown_table(["model", *TITLES], earlier.joined(section(title, evaluation), lines))


def section(title: str, evaluation: Evaluation) -> str:
    """Return what the page calls a data set's figures."""
    return f"{title}, {len(evaluation.images)} photos"


def cell(evaluation: Evaluation, name: str, metric: str) -> str:
    found = evaluation.estimate(name, metric)
    return "n/a" if found is None else f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"


def costs(which: list[Row], earlier: Earlier) -> str:
    """Return what the networks cost, and what their training did."""
    trained = [row for row in which if row.model != PLAIN]
    found: dict[str, Cost] = {cost.model: cost for cost in bench({row.model: {} for row in trained}, repeat=10)}
    lines = []
    for row in trained:
        cost = found[row.model]
        minutes, pictures = training(row.run) if row.run else ("", "")
        lines.append(
            [
                row.title,
                f"{(cost.parameters or 0) / 1e6:.2f}",
                f"{(cost.macs or 0) / 1e9:.2f}",
                f"{(cost.file_bytes or 0) / 1e6:.1f}",
                f"{1e3 * cost.latency_median:.0f}",
                minutes,
                pictures,
            ]
        )
    head = ["model", "parameters, M", "multiply-adds, G", "file, MB", "ms, 640x480", "training, minutes"]
    head.append("pictures seen")
    return markdown_table(head, earlier.joined("Cost", lines))


def training(run: Path) -> tuple[str, str]:
    """Return the processor minutes of a training and how many pictures it saw."""
    with (run / "log.csv").open(newline="", encoding="utf-8") as file:
        epochs = list(csv.DictReader(file))
    return f"{float(epochs[-1]['seconds']) / 60:.0f}", f"{sum(int(float(e['images'])) for e in epochs):,}"


def comparisons(which: list[Row], found: dict[str, Evaluation], earlier: Earlier) -> str:
    """Return what is asked of the best: paired differences in NSS."""
    lines = []
    for row in which:
        if row.run is None:
            continue
        own = row.model
        for title, evaluation in found.items():
            for reference, said in ((PLAIN, "ensemble of three"), ("gaze", "`gaze`")):
                gap = evaluation.difference(own, "nss", reference)
                if gap is not None:
                    lines.append([row.title, title, said, f"{gap.value:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]"])
    head = ["model", "photos", "less", "NSS, paired difference"]
    return markdown_table(head, earlier.joined("Against what there was", lines))


def keep_figures(which: list[Row], found: dict[str, Evaluation]) -> None:
    """Write the figures of the networks that ship for their cards."""
    names = [row.model for row in which if row.model in SHIPPED]
    if not names:
        return
    sets = {
        title: {
            "photos": len(evaluation.images),
            "rows": {
                name: {metric: found.value for metric in METRICS if (found := evaluation.estimate(name, metric))}
                for name in names
            },
        }
        for title, evaluation in found.items()
    }
    weights = {name: weights_fingerprint(Path(packaged(f"{name}.onnx"))) for name in names}
    FIGURES.parent.mkdir(parents=True, exist_ok=True)
    FIGURES.write_text(json.dumps({"weights": weights, "sets": sets}, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Measure all, and write the page."""
    which = rows()
    found = measured(which)
    keep_figures(which, found)
    earlier = Earlier(RESULTS / "training.md", EVERY, [row.title for row in which])
    parts = "\n\n".join(f"## {section(title, e)}\n\n{table(which, title, e, earlier)}" for title, e in found.items())
    write_page(
        "training.md",
        f"""# Published designs, trained on people

{provenance(("salbox", "torch", "lightning", "onnxruntime", "numpy"))} Written by `benchmarks/training.py` from the runs
of `scripts/train_people.py`.

The authors' weights of these networks are not at hand. Each was trained by salbox on the fixations of the same people:
the training parts of OSIE and EyeCrowd, which are of one laboratory, and of MIT1003, which is of another. `lite0` is
EfficientNet-Lite0 in the place of the published encoder; `sam` has a width of 128 instead of 512; `unisal` keeps its
MobileNetV2. What is called `{WITHOUT}` saw no photo of MIT1003, whose validation photos then are another laboratory's.
`unisal.people` ships, and `gaze.large`, which learned from it, from `sam` and from the same people: it is above them in
NSS, AUC and CC on all three sets, in a smaller file, so that no second one earned its place. The other names are of
this table alone, and of these networks the run folder is the model (`salbox predict -m runs/sam-0`, after
`python scripts/train_people.py ../shared sam`).
Brackets: 95 % bootstrap over photos. Density models are measured as densities.

{earlier.said}

{parts}

## Against what there was

{comparisons(which, found, earlier)}

## Cost

Median of 10, two threads at most, on a machine that had other work. Minutes are the processor's, of one core.

{costs(which, earlier)}
""",
    )


if __name__ == "__main__":
    main()
