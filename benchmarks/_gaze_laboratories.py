"""What profiles are worth: those that ship, and those that `salbox adapt` fits to a few photos of a laboratory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from _tables import SHARED
from calibration import figures

import salbox
from salbox.calibration import readout_likelihood
from salbox.calibration.fitting import maximum_likelihood
from salbox.calibration.forms import curve_form
from salbox.calibration.held_out import HeldOut, choose
from salbox.calibration.looks import SmallFeatures, read_looks, shown_of
from salbox.calibration.observed import Observed, degrees_of_lab, observe, read_maps
from salbox.calibration.profile_fits import profile_of
from salbox.calibration.readouts import NO_WEIGHTS, STRENGTHS, Looked, shift, tail_of
from salbox.datasets import Dataset, open_dataset
from salbox.evaluation import CenterBias, Evaluation, ModelSource, evaluate
from salbox.evaluation.bootstrap import estimate, resampled
from salbox.evaluation.sources import Source
from salbox.models.model import Model
from salbox.models.profile_files import SHIPPED, find_profile, read_profile
from salbox.models.profiles import Profile
from salbox.runtime.gaze import GazePredictor, LargeGazePredictor

METRICS = ("nss", "cc", "ig")
TOLD = ("ig", "nss", "cc")  # of which the share of the gap is told
PHOTOS, FEW = 50, 20
DRAWS = {PHOTOS: 4, FEW: 2}  # of photos
TRIAL_DRAWS, TRIAL_PHOTOS = 2, 80  # photos that trials are compared on, none of which any of them is fitted to
BEFORE, TRAINED = "as it is", "trained on that laboratory"

Gains = dict[str, dict[str, list[float]]]


def profiles(sets: Mapping[str, tuple[str, str]]) -> dict[str, Any]:
    """Return the figures of the profiles that ship, on photos that no network and no profile learned from."""
    found: dict[str, Any] = {}
    for where, (name, split) in sets.items():
        data, rows = _opened(name, split), list[Source]()
        for model, names in SHIPPED.items():
            maps, _ = read_maps(data, [ModelSource(model)], range(len(data)))
            rows.append(_row(salbox.load(model), f"{model}, {names[0]}"))  # changes nothing
            for own in names[1:]:
                tail = read_profile(find_profile(own, model)[1]).tail
                divided = {k: (values[model].astype(np.float64), tail) for k, values in maps.items()}
                rows.append(HeldOut(f"{model}, {own}", divided))
        table = evaluate(data, [*rows, CenterBias()], METRICS, workers=1)
        found[where] = figures(table, "gaze, general")
        for model in SHIPPED:
            against = figures(table, f"{model}, general")["against"]
            found[where]["against"] |= {row: own for row, own in against.items() if row.startswith(f"{model},")}
        print("profiles", where, flush=True)
    return found


def adapting(networks: Mapping[str, tuple[Model, str]]) -> dict[str, Any]:
    """Return how much of the gap to a network trained on a laboratory's photos profiles of a few of them close.

    Parameters
    ----------
    networks : {name: (model, name of a model)}
        A network that never saw MIT1003, and the one trained in the same way that did.
    """
    return {name: _adapting(name, model, trained) for name, (model, trained) in networks.items()}


def _adapting(name: str, model: Model, trained: str) -> dict[str, Any]:
    train, validation = (_opened("mit1003:MIT1003", split) for split in ("train", "validation"))
    source = ModelSource.of(model)
    network, degrees = shown_of(source), degrees_of_lab([train])
    draws = {count: [choose(train, count, seed) for seed in range(number)] for count, number in DRAWS.items()}
    photos, features = _looked_at(train, source, {index for own in draws.values() for drawn in own for index in drawn})
    seen, shown = _looked_at(validation, source, range(len(validation)))
    measured = Looked(list(seen.values()), [shown[k] for k in seen], network)
    rows: list[Source] = [_row(model, BEFORE), _row(salbox.load(trained), TRAINED)]
    for count, own in draws.items():
        for seed, drawn in enumerate(own):
            looked = Looked([photos[k] for k in drawn], [features[k] for k in drawn], network, degrees=degrees)
            profile, strength = looked.profile(looked.likelihood(), range(count))
            print(name, count, seed, strength, flush=True)
            fitted = {f"{count} photos": profile}
            if count == PHOTOS:
                fitted[f"{count} photos, a dozen numbers"] = profile_of(looked.photos, "log_density", degrees=degrees)
            for kind, own_profile in fitted.items():
                # What a profile makes of a photo that was looked at once already.
                made = {k: measured.density_of(number, own_profile) for number, k in enumerate(seen)}
                rows.append(HeldOut(f"{kind}, {seed}", made))
    table = evaluate(validation, rows, METRICS, workers=1)
    return {"photos": len(table.images), "draws": dict(DRAWS), "rows": _pooled(table), "gap": _gaps(table)}


def _looked_at(
    data: Dataset, source: ModelSource, indices: Iterable[int]
) -> tuple[dict[int, Observed], dict[int, SmallFeatures]]:
    """Return photos with a model's maps, and the features that these are read off, each by its number."""
    maps, features, _ = read_looks(data, source, sorted(indices))
    return {photo.index: photo for photo in observe(data, maps)}, features


def trials(model: Model) -> dict[str, Any]:
    """Return what else was tried: gains of each way over the network as it is, on photos that no way was fitted to."""
    train = _opened("mit1003:MIT1003", "train")
    source = ModelSource.of(model)
    draws = [choose(train, PHOTOS, seed) for seed in range(TRIAL_DRAWS)]
    drawn = {index for own in draws for index in own}
    left = [index for index in range(len(train)) if index not in drawn][:TRIAL_PHOTOS]
    photos, features = _looked_at(train, source, {*drawn, *left})
    gained: dict[str, list[list[float]]] = {}
    for own in draws:
        looked = Looked([photos[k] for k in own], [features[k] for k in own], "tried")
        for way, profile in _ways(looked).items():
            each = gained.setdefault(way, [])
            each.append(np.mean([_gain(profile, photos[k], features[k]) for k in left], axis=0).tolist())
        print("trials", flush=True)
    return {
        "photos": len(left),
        "draws": TRIAL_DRAWS,
        "ways": {way: np.mean(values, axis=0).tolist() for way, values in gained.items()},
    }


def _ways(looked: Looked) -> dict[str, Profile]:
    """Return the profiles that each way of fitting makes of the same photos."""
    (name,) = looked.photos[0].values
    curved = maximum_likelihood(looked.photos, {name: curve_form("log_density", len(looked.photos))})
    curve = curve_form("log_density", len(looked.photos)).curve_of(curved.numbers[name])
    found = {
        "a dozen numbers: temperature, blur, a Gaussian centre": profile_of(looked.photos, "log_density"),
        "these, the centre a grid": profile_of(looked.photos, "log_density", "grid"),
        "these, a monotone curve for the temperature": Profile("log_density", curved.tail, curve),
        "a smooth centre, no features": _weighed(looked, NO_WEIGHTS, (0.0,)),
    }
    chosen, strongest = readout_likelihood.BLURS, STRENGTHS[0]
    for blurs in ((0.0,), (0.0, 0.1), chosen, (*chosen, 0.25)):
        text = ", ".join(f"{blur:g}" for blur in blurs)
        found[f"a smooth centre and features, blurred by {text}"] = _weighed(looked, strongest, blurs)
    for strength in (25.0, 50.0):
        found[
            f"the same by {', '.join(f'{blur:g}' for blur in chosen)}, but a penalty of {strength:g} for {strongest:g}"
        ] = _weighed(looked, strength, chosen)
    return found


def _weighed(looked: Looked, strength: float, blurs: tuple[float, ...]) -> Profile:
    """Return the profile of a readout with features at other blurs than salbox has."""
    before = readout_likelihood.BLURS
    readout_likelihood.BLURS = blurs
    try:
        likelihood = looked.likelihood()
        numbers = likelihood.fit(range(len(looked.photos)), strength)
        readout = likelihood.readout(numbers, looked.network)
    finally:
        readout_likelihood.BLURS = before
    shifted = [shift(p, f, readout) for p, f in zip(looked.photos, looked.features, strict=True)]
    return Profile("log_density", tail_of(shifted, likelihood.center(numbers), None), readout=readout)


def _gain(profile: Profile, photo: Observed, features: Any) -> tuple[float, float]:
    """Return what a profile gains in information, bits a fixation, and in NSS, at working size."""
    (values,) = photo.values.values()
    shifted = photo if profile.readout is None else shift(photo, features, profile.readout)
    (moved,) = shifted.values.values()
    priorities = moved.astype(np.float64) if profile.curve is None else profile.curve(moved)
    logs = [profile.tail.log_density(priorities, values.shape), values]
    scores = []
    for log in logs:
        density = np.exp(log.astype(np.float64))
        density /= density.sum()
        at = density.reshape(-1)[photo.pixels]
        scores.append((photo.shares @ np.log2(at), photo.shares @ ((at - density.mean()) / density.std())))
    return float(scores[0][0] - scores[1][0]), float(scores[0][1] - scores[1][1])


def _pooled(table: Evaluation) -> Gains:
    """Return the figures of rows, draws of one kind together: of each photo the mean over draws."""
    found: Gains = {}
    for kind, values in _kinds(table).items():
        for metric, own in values.items():
            e = estimate(float(own.mean()), resampled([own])[0])
            found.setdefault(kind, {})[metric] = [e.value, e.low, e.high]
    return found


def _gaps(table: Evaluation) -> dict[str, Any]:
    """Return {kind: {metric: (share of the gap, its interval, that of each draw)}}."""
    kinds = _kinds(table)
    found: dict[str, Any] = {}
    for kind in kinds:
        if kind in (BEFORE, TRAINED):
            continue
        found[kind] = {}
        for metric in TOLD:
            before, trained = kinds[BEFORE][metric], kinds[TRAINED][metric]
            gained, possible = kinds[kind][metric] - before, trained - before
            above, below = resampled([gained, possible])
            e = estimate(float(gained.mean() / possible.mean()), above / np.maximum(below, 1e-9))
            each = [
                float((np.asarray(values[metric]) - before).mean() / possible.mean())
                for row, values in table.rows.items()
                if row.rpartition(", ")[0] == kind
            ]
            found[kind][metric] = {"share": [e.value, e.low, e.high], "draws": each}
    return found


def _kinds(table: Evaluation) -> dict[str, dict[str, Any]]:
    """Return {kind: {metric: a value a photo}}, the mean over the draws of a kind."""
    names: dict[str, list[str]] = {}
    for row in table.rows:
        kind, _, draw = row.rpartition(", ")
        names.setdefault(kind if draw.isdigit() else row, []).append(row)
    return {
        kind: {m: np.mean([np.asarray(table.rows[row][m], np.float64) for row in rows], axis=0) for m in METRICS}
        for kind, rows in names.items()
    }


def _row(model: Model, name: str) -> ModelSource:
    """Return the row of a model under another name."""
    renamed = Model(
        replace(model.card, name=name), model.function, model.parameters, network=model.network, head=model.head,
        weights=model.weights,
    )  # fmt: skip
    return ModelSource.of(renamed)


def _opened(name: str, split: str) -> Dataset:
    kind, _, folder = name.partition(":")
    return open_dataset(f"{kind}:{SHARED / 'data' / folder}", split)


def looking_as(name: str, network: Path) -> Model:
    """Return a network in a file as a model that looks as `gaze` or `gaze.large` does."""
    described = replace(salbox.card(name), name=f"{name}, without MIT1003")
    predictor = LargeGazePredictor if name == "gaze.large" else GazePredictor
    return Model(described, predictor.load(network), described.check_parameters({}))
