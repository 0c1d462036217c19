"""What profiles, blends and maps for metrics are worth, on photos and people that nothing was fitted to.

Needs the data (`shared` beside the checkout, or SALBOX_SHARED), for the ensemble of published networks also their
weights there, and for `adapt` the network without MIT1003 of benchmarks/gaze.py. Figures are kept in
docs/results/calibration/figures.json, part by part. With --ship the profiles of `gaze` and `gaze.large` are
fitted and written into the package first. Writes docs/results/calibration.md.

    python benchmarks/calibration.py [--only profiles adapt pysaliency blend maps] [--ship] [--page-only]
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from _calibration_page import page
from _distilling import read_json, write_json
from _tables import ROOT, SHARED, provenance, write_page

sys.path.insert(0, str(ROOT / "scripts"))

import gaze_data
from gaze import without_mit1003

from salbox.calibration import adapt as fit_profile
from salbox.calibration import blend as fit_blend
from salbox.calibration.held_out import choose
from salbox.calibration.observed import Observed, degrees_of_lab, observe, read_maps
from salbox.calibration.profile_fits import profile_of
from salbox.datasets import Dataset, open_dataset
from salbox.evaluation import CenterBias, Evaluation, ModelSource, evaluate
from salbox.evaluation.metric_maps import MapsForMetrics
from salbox.models.blends import write_blend
from salbox.models.calibrated import wear
from salbox.models.loading import load
from salbox.models.profile_files import write_profile
from salbox.models.profiles import Center, Profile, Tail
from salbox.models.registry import STUDENTS
from salbox.version import __version__

PLACES = {"osie": "OSIE", "eyecrowd": "EyeCrowd", "mit1003": "MIT1003"}
METRICS = ("nss", "auc_judd", "cc", "ig")
ENSEMBLE = "ensemble:fastgaze+attention-center+glimpse"
PHOTOS, FEW = 50, 20  # of a laboratory, that a user has
BLEND_PHOTOS = 200

# What a pilot found for all laboratories: temperature 1.3, 20 pixels at width 1024, half of a Gaussian.
PILOT = Profile("log_density", Tail(1.3, 20 / 1024, Center(0.5, width=0.28, height=0.28)))

Part = tuple[str, str]


def opened(part: Part) -> Dataset:
    """Return a split of a data set; "calibrating" is the part of the training photos that `gaze` did not learn from."""
    if part[1] == "calibrating":
        return gaze_data.calibrating(PLACES[part[0]])
    return open_dataset(f"{part[0]}:{SHARED / 'data' / PLACES[part[0]]}", part[1])


_READ: dict[tuple[Part, str], list[Observed]] = {}


def read(part: Part, model: str = "gaze") -> list[Observed]:
    """Return a model's maps of a split, computed once."""
    if (part, model) not in _READ:
        data = opened(part)
        maps, _ = read_maps(data, [ModelSource(model)], range(len(data)))
        _READ[part, model] = observe(data, maps)
    return _READ[part, model]


def fitted(laboratories: Sequence[Sequence[Part]], model: str = "gaze") -> Profile:
    """Return the profile of laboratories, each of which counts the same, and each of its data sets within it."""
    photos: list[Observed] = []
    weights: list[float] = []
    for parts in laboratories:
        for part in parts:
            own = read(part, model)
            photos += own
            weights += [1 / (len(laboratories) * len(parts) * len(own))] * len(own)
    lab = [opened(part) for parts in laboratories for part in parts]
    profile = profile_of(photos, load(model).card.output, "gaussian", degrees_of_lab(lab), weights)
    names = "; ".join(f"{data.card.title}, split {data.split}" for data in lab)
    about = {"model": model, "fitted_on": names, "photos": len(photos), "salbox": __version__}
    return replace(profile, about=about)


OSIE: tuple[Part, ...] = (("osie", "calibrating"),)
MIT: tuple[Part, ...] = (("mit1003", "calibrating"),)
NUS: tuple[Part, ...] = (*OSIE, ("eyecrowd", "calibrating"))


def ship() -> None:
    """Fit the profiles that come with the package, and write them into it; `general` lies in the networks."""
    about = {"fitted_on": "what scripts/ship_gaze.py says", "salbox": __version__}
    found = {}
    for name in ("gaze", "gaze.large"):
        found[f"{name}.general"] = Profile("log_density", about={"model": name, **about})
        found |= {f"{name}.osie": fitted([OSIE], name), f"{name}.mit1003": fitted([MIT], name)}
    for name, profile in found.items():
        write_profile(ROOT / "src" / "salbox" / "runtime" / "data" / f"{name}.json", rounded(profile))
        print(name, profile.tail, flush=True)


def rounded(profile: Profile) -> Profile:
    """Return a profile with four digits a number."""
    tail, center = profile.tail, profile.tail.center
    center = replace(center, **{k: round(getattr(center, k), 4) for k in ("weight", "x", "y", "width", "height")})
    return replace(profile, tail=Tail(round(tail.temperature, 4), round(tail.blur, 5), center, tail.degrees))


def profiles() -> dict[str, Any]:
    """Return the figures of profiles on photos that none of them was fitted to."""
    osie, mit = (rounded(fitted([parts])) for parts in (OSIE, MIT))
    theirs, ours = {"mit1003 (another laboratory)": mit}, {"osie": osie}
    tests = {
        "OSIE test": (("osie", "test"), {**ours, **theirs}),
        "EyeCrowd test": (("eyecrowd", "test"), {**ours, **theirs}),
        "MIT1003 validation": (
            ("mit1003", "validation"),
            {"OSIE and EyeCrowd (another laboratory)": rounded(fitted([NUS])), "mit1003": mit},
        ),
    }
    found: dict[str, Any] = {"numbers": {}, "tests": {}}
    for name, profile in (("osie", osie), ("mit1003", mit)):
        tail, center = profile.tail, profile.tail.center
        found["numbers"][name] = [tail.temperature, tail.blur, center.weight, center.width, center.height]
    for label, (part, worn) in tests.items():
        model = load("gaze")
        rows = [ModelSource("gaze"), *(worn_row(name, profile) for name, profile in {**worn, "pilot": PILOT}.items())]
        if has_weights():
            rows.append(ModelSource(ENSEMBLE))
        table = evaluate(opened(part), [*rows, CenterBias()], METRICS, workers=1)
        found["tests"][label] = figures(table, model.name)
    return found


def worn_row(name: str, profile: Profile, model: str = "gaze", **parameters: Any) -> ModelSource:
    """Return the row of a model with a profile."""
    model_worn = wear(load(model, **parameters), profile)
    model_worn.card = replace(model_worn.card, name=f"{model}, {name}")
    return ModelSource.of(model_worn)


def adapted() -> dict[str, Any]:
    """Return what `salbox adapt` says of a few photos of MIT1003, and the figures of profiles on validation photos.

    `gaze` is the network that never saw MIT1003; beside it stands the one that learned from it.
    """
    found: dict[str, Any] = {}
    strange = str(without_mit1003())
    for name, photos in ((strange, PHOTOS), (strange, FEW), ("gbvs.student", PHOTOS), ("gbvs.student", FEW)):
        start = time.process_time()
        result = fit_profile(ModelSource(name), opened(("mit1003", "train")), photos=photos, workers=1)
        seconds = time.process_time() - start
        closed = result.gap_closed()
        title = "gaze, without MIT1003" if name == strange else name
        found[f"{title}, {photos} photos"] = own = {
            "seconds": seconds,
            "held out": called(figures(result.table, result.before), {strange: title}),
            "gap": None if closed is None else [closed.value, closed.low, closed.high],
        }
        rows = [ModelSource(name), worn_row(f"{photos} photos", result.profile, name)]
        if name == strange:
            rows.append(ModelSource("gaze"))
        table = evaluate(opened(("mit1003", "validation")), [*rows, CenterBias()], METRICS, workers=1)
        own["validation"] = called(figures(table, rows[0].name), {strange: title})
    return found


def called(found: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return figures with rows called otherwise, whatever path is in their names."""
    for part in ("rows", "against"):
        for path, name in names.items():
            found[part] = {row.replace(path, name): own for row, own in found[part].items()}
    return found


def against_pysaliency() -> dict[str, Any]:
    """Return the information gain of pysaliency's fit and of ours, of the same maps, on photos that neither saw.

    The maps are a student's at the size of a profile's working copy; 50 photos of MIT1003 are fitted to.
    """
    from _calibration_pysaliency import compare

    data = opened(("mit1003", "train"))
    maps, _ = read_maps(data, [ModelSource("gbvs.student")], choose(data, PHOTOS, 0))
    return compare(observe(data, maps), read(("mit1003", "validation"), "gbvs.student"))


def blended() -> dict[str, Any]:
    """Return the figures on OSIE's test photos of a blend of the students, and of each with the same kind of tail."""
    names = [f"{name}.student" for name in STUDENTS]
    start = time.process_time()
    found = fit_blend([ModelSource(n) for n in names], opened(("osie", "train")), photos=BLEND_PHOTOS, workers=1)
    seconds = time.process_time() - start
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "students.json"
        write_blend(path, found.blend)
        singles = [worn_row("fitted", rounded_curve(name), name) for name in names]
        rows = [ModelSource(str(path)), *singles, ModelSource("ensemble:" + "+".join(names)), CenterBias()]
        table = evaluate(opened(("osie", "test")), rows, METRICS, workers=1)
    best = max(singles, key=lambda row: table.rows[row.name]["ig"].mean()).name
    table = replace(table, rows={("blend" if k == str(path) else k): v for k, v in table.rows.items()})
    return {
        "seconds": seconds,
        "weights": {member.model: member.weight for member in found.blend.members},
        "best": best,
        "test": figures(table, best),
    }


def rounded_curve(name: str) -> Profile:
    """Return the profile of a student, fitted to the photos that the blend is fitted to."""
    data = opened(("osie", "train"))
    maps, _ = read_maps(data, [ModelSource(name)], choose(data, BLEND_PHOTOS, 0))
    return profile_of(observe(data, maps), "score")


def maps_for_metrics() -> dict[str, Any]:
    """Return the figures of densities, and of their maps for each metric, on OSIE's test photos."""
    chosen = ("nss", "auc", "sauc", "cc", "kl_mit", "sim")
    rows = [ModelSource("gaze"), ModelSource("unisal.people")]
    rows = [row for row in rows if row.output == "log_density"]
    table = evaluate(opened(("osie", "test")), [*rows, *map(MapsForMetrics, rows)], chosen, workers=1)
    found = figures(table, "gaze")
    found["pairs"] = {row.name: figures(table, row.name)["against"][MapsForMetrics(row).name] for row in rows}
    return found


def figures(table: Evaluation, reference: str) -> dict[str, Any]:
    """Return all figures with their intervals, and the differences to a row."""
    found: dict[str, Any] = {"photos": len(table.images), "rows": {}, "against": {}}
    for row in table.rows:
        every = {metric.name: table.estimate(row, metric.name) for metric in table.metrics}
        found["rows"][row] = {name: [e.value, e.low, e.high] for name, e in every.items() if e is not None}
        between = {metric.name: table.difference(row, metric.name, reference) for metric in table.metrics}
        found["against"][row] = {name: [d.value, d.low, d.high] for name, d in between.items() if d is not None}
    return found


def has_weights() -> bool:
    """Return whether the published networks of the ensemble can run here."""
    try:
        load(ENSEMBLE)
    except Exception:  # an extra or weights are missing
        return False
    return True


PARTS = {
    "profiles": profiles,
    "adapt": adapted,
    "pysaliency": against_pysaliency,
    "blend": blended,
    "maps": maps_for_metrics,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--ship", action="store_true")
    parser.add_argument("--page-only", action="store_true")
    given = parser.parse_args()
    os.environ.setdefault("SALBOX_WEIGHTS", str(SHARED / "weights"))
    kept = ROOT / "docs" / "results" / "calibration" / "figures.json"
    if given.ship:
        ship()
    if not given.page_only:
        for part in given.only:
            measured = PARTS[part]()
            found = read_json(kept) or {}
            found[part] = measured
            found.setdefault("measured", {})[part] = provenance()
            write_json(kept, found)
            print(part, "measured", flush=True)
    write_page("calibration.md", page(read_json(kept) or {}))


if __name__ == "__main__":
    main()
