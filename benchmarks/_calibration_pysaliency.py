"""pysaliency's own fit of scores to people beside ours, on the same maps."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pysaliency
import torch
from pysaliency.saliency_map_conversion import optimize_for_information_gain
from torch.utils.data._utils import collate

from salbox.calibration.observed import Observed
from salbox.calibration.profile_fits import profile_of

_stack = collate.default_collate_fn_map[torch.Tensor]


def _with_sparse(batch: Any, **given: Any) -> Any:
    """Return a batch of tensors, also of sparse ones, which newer releases of PyTorch refuse and pysaliency has."""
    return torch.stack(list(batch)) if batch[0].is_sparse else _stack(batch, **given)


collate.default_collate_fn_map[torch.Tensor] = _with_sparse

LN2 = float(np.log(2))
BLUR = 4  # pixels that pysaliency's fit begins with, of the maps' 160


class _Maps(pysaliency.SaliencyMapModel):
    """Maps that are there, found by the index that each stimulus holds in its first pixels."""

    def __init__(self, maps: Sequence[np.ndarray]) -> None:
        super().__init__(caching=False)
        self._maps = maps

    def _saliency_map(self, stimulus: np.ndarray) -> np.ndarray:
        return self._maps[int(stimulus[0, 0, 0]) * 256 + int(stimulus[0, 0, 1])]


def compare(seen: Sequence[Observed], unseen: Sequence[Observed]) -> dict[str, Any]:
    """Return what each fit gains on unseen photos over the uniform density, in bits a fixation, and how long it took.

    Every map is z-scored, which both fits are given: pysaliency's converter scales all by one minimum and maximum.
    """
    photos = [*seen, *unseen]
    maps = [np.asarray(next(iter(photo.values.values())), np.float64) for photo in photos]
    model = _Maps(maps)
    fit_stimuli, fit_fixations = _as_pysaliency(seen, 0)
    start = time.process_time()
    converted = optimize_for_information_gain(
        model, fit_stimuli, fit_fixations, average="image", blur_radius=BLUR, verbose=0, maxiter=60
    )
    theirs = time.process_time() - start
    start = time.process_time()
    profile = profile_of(seen, "score")
    ours = time.process_time() - start
    stimuli, _ = _as_pysaliency(unseen, len(seen))
    gains: dict[str, list[float]] = {"pysaliency": [], "salbox": []}
    for k, photo in enumerate(unseen):
        values = maps[len(seen) + k]
        log = {"pysaliency": converted.log_density(stimuli[k]), "salbox": profile.log_density(values)}
        for name, own in log.items():
            gains[name].append(float(photo.shares @ own.reshape(-1)[photo.pixels] + np.log(own.size)) / LN2)
    own, other = (np.array(gains[name]) for name in ("salbox", "pysaliency"))
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(own), size=(10_000, len(own)))
    between = (own - other)[drawn].mean(axis=1)
    return {
        "photos": [len(seen), len(unseen)],
        "bits": {name: float(np.mean(values)) for name, values in gains.items()},
        "difference": [float((own - other).mean()), *(float(q) for q in np.quantile(between, (0.025, 0.975)))],
        "seconds": {"pysaliency": theirs, "salbox": ours},
    }


def _as_pysaliency(photos: Sequence[Observed], first: int) -> tuple[Any, Any]:
    """Return stimuli that hold the numbers of their maps, and the fixations on them."""
    images, places, numbers = [], [], []
    for k, photo in enumerate(photos):
        image = np.zeros((*photo.size, 3), np.uint8)
        image[0, 0, :2] = divmod(first + k, 256)
        images.append(image)
        places.append(photo.places * (photo.size[1], photo.size[0]))
        numbers.append(np.full(len(photo.places), k))
    xy, n = np.concatenate(places), np.concatenate(numbers)
    fixations = pysaliency.Fixations.create_without_history(xy[:, 0], xy[:, 1], n)
    return pysaliency.Stimuli(images), fixations
