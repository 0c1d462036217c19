"""Does `gaze` tell where people look? On photos, and on a laboratory's people, that it never saw.

Needs the data and the networks' weights (`shared` beside the checkout, or SALBOX_SHARED). `another`, `adapt` and
`trials` need the networks that were trained without MIT1003 (scripts/learn_gaze.py small|large --without-mit1003, in
SALBOX_RUNS). --before FILE is an older gaze.onnx to compare with. Figures are kept image by image in cache/gaze, so
that an interrupted run goes on. Writes docs/results/gaze/figures.json and docs/results/gaze.md.

    python benchmarks/gaze.py [--only test profiles another adapt trials density-224 cost] [--before FILE] [--page-only]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from _distilling import read_json, write_json
from _tables import RESULTS, ROOT, SHARED, provenance, write_page

os.environ.setdefault("SALBOX_WEIGHTS", str(SHARED / "weights"))
sys.path.insert(0, str(ROOT / "scripts"))

from _gaze_density_224 import density_224
from _gaze_page import page
from _gaze_pictures import draw_samples

import salbox
from salbox.bench import count, photo
from salbox.evaluation import CenterBias, Evaluation, HumanCeiling, ModelSource, evaluate
from salbox.models.exported import packaged
from salbox.models.registry import GAZE, GAZE_LARGE, SHIPPED
from salbox.runtime.fingerprint import weights_fingerprint

KEPT = ROOT / "cache" / "gaze"
FIGURES = RESULTS / "gaze" / "figures.json"
METRICS = ("nss", "auc_judd", "sauc", "cc", "kl_mit", "ig")
SETS = {
    "OSIE test": ("osie:OSIE", "test"),
    "EyeCrowd test": ("eyecrowd:EyeCrowd", "test"),
    "MIT1003 validation": ("mit1003:MIT1003", "validation"),
}
ENSEMBLE = "ensemble:attention-center+fastgaze+glimpse"
OTHERS = ("unisal.people", ENSEMBLE, "attention-center", "fastgaze", "glimpse")
OURS = {"gaze": GAZE, "gaze.large": GAZE_LARGE}
CEILINGS = {CenterBias().name: "centre bias", HumanCeiling().name: "human ceiling"}


def measured(
    where: str, split: tuple[str, str], given: Mapping[str, str | ModelSource], pairs: Sequence[tuple[str, str]]
) -> Any:
    """Return the figures of models, by what they are called here, on one split, and paired differences."""
    name, _, folder = split[0].partition(":")
    sources = [*given.values(), CenterBias(), HumanCeiling()]
    models = {row: model if isinstance(model, str) else model.name for row, model in given.items()}
    found = evaluate(f"{name}:{SHARED / 'data' / folder}", sources, METRICS, split=split[1], folder=KEPT, workers=1)
    print(where, flush=True)
    called = {model: row for row, model in models.items()} | CEILINGS
    rows = {row: _estimates(found, model) for model, row in called.items()}
    against = [
        {"row": row, "less": other, "differences": _differences(found, models[row], models[other])}
        for row, other in pairs
        if row in models and other in models
    ]
    return {"photos": len(found.images), "rows": rows, "against": against}


def _estimates(found: Evaluation, model: str) -> dict[str, list[float]]:
    own = {metric: found.estimate(model, metric) for metric in METRICS}
    return {metric: [e.value, e.low, e.high] for metric, e in own.items() if e is not None}


def _differences(found: Evaluation, model: str, other: str) -> dict[str, list[float]]:
    own = {metric: found.difference(model, metric, other) for metric in METRICS}
    return {metric: [e.value, e.low, e.high] for metric, e in own.items() if e is not None}


def test(before: Path | None) -> dict[str, Any]:
    """Return the figures of what ships on the test photos."""
    models = {name: name for name in OURS} | ({} if before is None else {"gaze before": str(before)})
    models |= {name if name != ENSEMBLE else "ensemble": name for name in OTHERS}
    pairs = [(own, other) for own in OURS for other in ("ensemble", "gaze before")] + [("gaze.large", "gaze")]
    return {where: measured(where, split, models, pairs) for where, split in SETS.items()}


def another(before: Path | None) -> dict[str, Any]:
    """Return the figures of networks that never saw MIT1003 on all its photos."""
    from _gaze_laboratories import looking_as
    from calibration import NUS, worn_row
    from calibration import fitted as fitted_profile

    own, larger, sure = "gaze, without MIT1003", "gaze.large, without MIT1003", "ensemble, calibrated"
    models: dict[str, str | ModelSource] = {
        own: str(without_mit1003()),
        larger: ModelSource.of(looking_as("gaze.large", without_mit1003("large"))),
    }
    models |= {} if before is None else {"gaze before": str(before)}
    models |= {"ensemble": ENSEMBLE, sure: worn_row("calibrated", fitted_profile([NUS], ENSEMBLE), ENSEMBLE)}
    models |= {"attention-center": "attention-center"}
    pairs = [(each, less) for each in (own, larger) for less in ("ensemble", sure, "gaze before")] + [(larger, own)]
    return {"MIT1003": measured("MIT1003", ("mit1003:MIT1003", "all"), models, pairs)}


def without_mit1003(size: str = "small") -> Path:
    """Return the network trained without MIT1003 as a file, as sure as suits those whom it learned from."""
    from calibrate_gaze import fitted
    from gaze_data import ANOTHER, PEOPLE, calibrating
    from learn_gaze import SIZES, learn, place
    from ship_gaze import apply, finished, without_another

    from salbox.networks.export.onnx import export_onnx

    setting = without_another(SIZES[size])
    target = place(setting) / "gaze.onnx"
    if not target.is_file():
        network = learn(setting)
        fit = fitted(network, [calibrating(name) for name in PEOPLE if name != ANOTHER])
        print(f"without {ANOTHER}: {fit}", flush=True)
        apply(network, fit)  # type: ignore[arg-type]
        export_onnx(network, target, {"gaze": finished(size, network, fit, 0, None)}, {"gaze": "people"})  # type: ignore[arg-type]
    return target


def profiles() -> dict[str, Any]:
    """Return the figures of the profiles that ship."""
    from _gaze_laboratories import profiles as measure

    return measure(SETS)


def adapted() -> dict[str, Any]:
    """Return what a few photos of a laboratory are worth to networks that never saw one of it."""
    from _gaze_laboratories import adapting, looking_as

    files = {"gaze": without_mit1003(), "gaze.large": without_mit1003("large")}
    return adapting({f"{name}, without MIT1003": (looking_as(name, file), name) for name, file in files.items()})


def trials() -> dict[str, Any]:
    """Return what else was tried to fit to a few photos of a laboratory."""
    from _gaze_laboratories import looking_as
    from _gaze_laboratories import trials as measure

    return measure(looking_as("gaze", without_mit1003()))


def cost() -> dict[str, Any]:
    """Return what the networks take, and beside them all students together."""
    image = photo(640, 480)
    students = [f"{name}.student" for name in salbox.models.registry.STUDENTS]
    calls: Mapping[str, Callable[[], Any]] = {
        "gaze": lambda: salbox.predict(image, ["gaze"]),
        "gaze, quality best": lambda: salbox.load("gaze", quality="best")(image),
        "gaze.large": lambda: salbox.predict(image, ["gaze.large"]),
        "gaze.large, quality fast": lambda: salbox.load("gaze.large", quality="fast")(image),
        "students": lambda: salbox.predict(image, students),
        "students and gaze": lambda: salbox.predict(image, [*students, "gaze"]),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(25):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(1000 * (time.perf_counter() - start))
    networks = {}
    for name, file in OURS.items():
        parameters, macs, _ = count(salbox.load(packaged(file)), image)
        networks[name] = {"parameters": parameters, "macs": macs}
    return {
        "milliseconds": {name: median(own[3:]) for name, own in times.items()},
        "networks": networks,
        "bytes": {name: Path(packaged(file)).stat().st_size for name, file in {**OURS, "students": SHIPPED}.items()},
    }


def main() -> None:
    parts: dict[str, Callable[[Path | None], dict[str, Any]]] = {
        "test": test,
        "profiles": lambda before: profiles(),
        "another": another,
        "adapt": lambda before: adapted(),
        "trials": lambda before: trials(),
        "density-224": lambda before: density_224([*OURS, ENSEMBLE, "attention-center", "fastgaze", "glimpse"]),
        "cost": lambda before: cost(),
    }
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    parser.add_argument("--before", type=Path, help="an older gaze.onnx")
    parser.add_argument("--page-only", action="store_true")
    given = parser.parse_args()
    found = read_json(FIGURES) or {}
    for part in [] if given.page_only else given.only:
        found[part] = parts[part](given.before)
        found.setdefault("measured", {})[part] = provenance(("salbox", "numpy", "onnxruntime"))
        if part == "test":
            found["weights"] = {name: weights_fingerprint(packaged(file)) for name, file in OURS.items()}
            draw_samples(ROOT / "docs" / "images" / "gaze.jpg")
        write_json(FIGURES, found)
    write_page("gaze.md", page(found))


if __name__ == "__main__":
    main()
