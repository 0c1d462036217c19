"""Does `gaze` tell where people look better than what it learned from? On people and photos that it never saw.

Needs the data and the networks' weights (`shared` beside the checkout, or SALBOX_SHARED). Networks that this page alone
needs (trained without a data set, without people, without teachers) are trained first, by scripts/learn_gaze.py's code,
and kept in runs/gaze with all maps and figures: an interrupted run goes on. The network measured on the test photos is
the one that ships. Writes docs/results/gaze/figures.json and docs/results/gaze.md.

    python benchmarks/gaze.py [--only choices elsewhere test left-out density-224 cost] [--page-only]
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np
from _distilling import chosen, read_json, write_json
from _tables import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from _gaze_density_224 import density_224
from _gaze_ensemble import Center, calibrate
from _gaze_page import page
from _gaze_pictures import draw_held_out, draw_samples
from _gaze_rows import CALIBRATED, CENTER, GAZE, METRICS, fingerprint, looking, rows_of, scored
from _tables import provenance, write_page
from gaze_data import PEOPLE, Mixture, fold, people_photos, teach_all
from learn_gaze import FOLDS, RUNS, Setting, learn
from temperature import best_temperature

import salbox
from salbox.bench import count, photo
from salbox.evaluation import Evaluation
from salbox.models.exported import packaged
from salbox.models.registry import GAZE as FILE
from salbox.models.registry import SHIPPED
from salbox.runtime.fingerprint import weights_fingerprint

HELD = 0  # the fold that settings are chosen on
LN2 = float(np.log(2))

# What settings have in common unless they say otherwise: people's photos alone in the second training.
LAST = Setting(size=(192, 256), deepest=32, learning_rate=0.0015, held_out=HELD)
PEOPLE_ALONE = replace(LAST, teachers=False, learning_rate=0.003)

# What is compared on the held-out fold: name -> (what it is, how it is trained).
CHOICES: Mapping[str, tuple[str, Setting]] = {
    "ships": (
        "`people-last` at twice its learning rate, looks at 240x320, the encoder ends at stride 16",
        Setting(held_out=HELD),
    ),
    "people-last": ("teachers first, then people's photos alone, learning rate halved", LAST),
    "mixed": (
        "`people-last`, others' photos stay in the second training, half and half",
        replace(LAST, mixture=Mixture(repeats=8), others=True),
    ),
    "people-100": (
        "`people-last`, of the density that is learned all theirs",
        replace(LAST, mixture=Mixture(people=1.0, repeats=1)),
    ),
    "blur-34": (
        "`people-last`, fixations blurred by .034 of the width instead of .02",
        replace(LAST, mixture=Mixture(sigma=0.034, repeats=1)),
    ),
    "teachers": ("teachers alone", LAST.first),
    "people": ("people's photos alone, from ImageNet weights", PEOPLE_ALONE),
    "loss-kl": ("`people`, KL alone", replace(PEOPLE_ALONE, cc=0.0)),
    "shallow": ("`people`, the encoder ends at stride 16", replace(PEOPLE_ALONE, deepest=16)),
    "shallow-240x320": (
        "`shallow`, looks at 240x320",
        replace(PEOPLE_ALONE, deepest=16, size=(240, 320)),
    ),
    "head": (
        "`people`, a head on the network of the students that ships, which does not learn",
        replace(PEOPLE_ALONE, head_only=True),
    ),
    "unchanged": (
        "`people-last`, the teachers on photos alone, none changed into another kind",
        replace(LAST, mixture=Mixture(repeats=1, changed=False)),
    ),
}


def choices(only: list[str]) -> dict[str, Any]:
    """Return the figures of settings on the fold of people's photos that they were trained without."""
    found = {}
    for name in chosen(list(CHOICES), only):
        network = learn(CHOICES[name][1])
        own: dict[str, Any] = {"centre": float(network.centre.detach())}  # type: ignore[operator]
        for data_name in PEOPLE:
            data, images = people_photos(data_name, "train")
            kept = [i for i, image in enumerate(images) if fold(image, FOLDS) == HELD]
            held = data.subset(kept, "the fold that settings are chosen on")
            center = Center.of(list(PEOPLE))
            rows = rows_of(looking(network), calibrated_on(tuple(PEOPLE)), center)
            wanted = {row: rows[row] for row in (GAZE, CENTER)}
            evaluation = scored(f"choices/{name}-{fingerprint(network)}/{data_name}", data_name, held, wanted)
            own[data_name] = figures(evaluation)
            own[data_name]["temperature"] = best_temperature(looking(network), held)
        found[name] = own
    return found


def elsewhere(only: list[str]) -> dict[str, Any]:
    """Return the figures of settings on the training part of the data set that they were trained without."""
    found: dict[str, Any] = {}
    for name in chosen([name for name in CHOICES if CHOICES[name][1].people and not CHOICES[name][1].head_only], only):
        found[name] = {}
        for data_name in PEOPLE:
            others = tuple(other for other in PEOPLE if other != data_name)
            network = learn(replace(CHOICES[name][1], people=others, held_out=None))
            data, _ = people_photos(data_name, "train")
            rows = rows_of(looking(network), calibrated_on(others), Center.of(others))
            wanted = {row: rows[row] for row in (GAZE, CENTER)}
            label = f"elsewhere/{name}-{fingerprint(network)}/{data_name}"
            found[name][data_name] = figures(scored(label, data_name, data, wanted))
    return found


def test() -> dict[str, Any]:
    """Return the figures of the network that ships on the test photos."""
    model = salbox.load("gaze")
    names = tuple(PEOPLE)
    center = Center.of(names)
    rows = rows_of(model.log_density, calibrated_on(names), center)
    best = salbox.load("gaze", quality="best")
    rows["gaze, quality best"] = rows_of(best.log_density, calibrated_on(names), center)[GAZE]
    rows["gaze, no centre prior"] = rows_of(
        salbox.load("gaze", center_prior=0.0).log_density, calibrated_on(names), center
    )[GAZE]
    found, ships = {}, weights_fingerprint(packaged(FILE))[:8]
    for name in PEOPLE:
        data, _ = people_photos(name, "test")
        found[name] = figures(scored(f"test/{ships}/{name}", name, data, rows, ceiling=True))
        found[name]["temperature"] = best_temperature(model.log_density, data)
    return found


def left_out() -> dict[str, Any]:
    """Return the figures on data sets that a network was trained without, all photos of them."""
    found = {}
    for name in PEOPLE:
        others = tuple(other for other in PEOPLE if other != name)
        network = learn(Setting(people=others))
        data, _ = people_photos(name, "all")
        rows = rows_of(looking(network), calibrated_on(others), Center.of(others))
        found[name] = figures(scored(f"without/{name}-{fingerprint(network)}", name, data, rows))
    return found


def calibrated_on(names: tuple[str, ...]) -> Any:
    """Return the ensemble calibrated on the training parts of data sets."""
    if names not in _CALIBRATED:
        _CALIBRATED[names] = calibrate(names)
        own = _CALIBRATED[names]
        print(f"ensemble on {'+'.join(names)}: a {own.a:.3f}, b {own.b:.3f}, blur {own.blur}", flush=True)
    return _CALIBRATED[names]


_CALIBRATED: dict[tuple[str, ...], Any] = {}


def figures(evaluation: Evaluation) -> dict[str, Any]:
    """Return all figures with their intervals; information gain is over the centre bias, in bits a fixation."""
    found: dict[str, Any] = {"photos": len(evaluation.images), "rows": {}, "against": {}}
    for row in evaluation.rows:
        found["rows"][row] = {
            metric: [own.value, own.low, own.high]
            for metric in METRICS[:3]
            if (own := evaluation.estimate(row, metric)) is not None
        }
        if (gain := evaluation.difference(row, "ll", CENTER)) is not None:
            found["rows"][row]["ig"] = [gain.value / LN2, gain.low / LN2, gain.high / LN2]
    if CALIBRATED in evaluation.rows:
        for metric in METRICS:
            between = evaluation.difference(GAZE, metric, CALIBRATED)
            assert between is not None
            name, scale = ("ig", LN2) if metric == "ll" else (metric, 1.0)
            found["against"][name] = [between.value / scale, between.low / scale, between.high / scale]
    return found


def cost() -> dict[str, Any]:
    """Return what `gaze` takes, and beside it all students together."""
    image = photo(640, 480)
    students = [f"{name}.student" for name in salbox.models.registry.STUDENTS]
    calls: Mapping[str, Callable[[], Any]] = {
        "gaze": lambda: salbox.predict(image, ["gaze"]),
        "gaze, quality best": lambda: salbox.load("gaze", quality="best")(image),
        "students": lambda: salbox.predict(image, students),
        "students and gaze": lambda: salbox.predict(image, [*students, "gaze"]),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(25):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(1000 * (time.perf_counter() - start))
    parameters, macs, _ = count(salbox.load(packaged(FILE)), image)
    return {
        "milliseconds": {name: median(own[3:]) for name, own in times.items()},
        "parameters": parameters,
        "macs": macs,
        "bytes": {name: (ROOT / packaged(name)).stat().st_size for name in (FILE, SHIPPED)},
    }


def main() -> None:
    parts = ("choices", "elsewhere", "test", "left-out", "density-224", "cost")
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", nargs="+", choices=parts, default=parts)
    parser.add_argument("--choices", nargs="+", default=[], help="names of settings, or patterns")
    parser.add_argument("--page-only", action="store_true")
    given = parser.parse_args()
    kept = ROOT / "docs" / "results" / "gaze" / "figures.json"
    found = read_json(kept) or {}
    if not given.page_only:
        teach_all()
        by_setting = {"choices": choices, "elsewhere": elsewhere}
        measures = {"test": test, "left-out": left_out, "density-224": density_224, "cost": cost}
        for part in given.only:
            measured = by_setting[part](given.choices) if part in by_setting else measures[part]()
            found = read_json(kept) or {}  # as it is now: other parts may have been measured meanwhile
            found[part] = {**found.get(part, {}), **measured} if part in by_setting else measured
            found.setdefault("measured", {})[part] = provenance(("salbox", "numpy", "torch", "onnxruntime"))
            if part == "test":
                found["weights"] = weights_fingerprint(packaged(FILE))
            write_json(kept, found)
        if "test" in given.only:
            draw_samples(ROOT / "docs" / "images" / "gaze.jpg")
            draw_held_out(RUNS / "held-out.jpg")
    write_page("gaze.md", page(found, {name: about for name, (about, _) in CHOICES.items()}))


if __name__ == "__main__":
    main()
