"""A head of a box, trained on what the trunk below it gives: computed once, since nothing but the head learns.

Used by scripts/renew_head.py. Of a picture the decoder's features are kept, and the picture as small as the head sees
it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import torch
from torch import Tensor
from torch.nn import functional

from salbox.distillation.teachers.augmentations import View
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.losses import WeightedLoss
from salbox.metrics.density import unit_range
from salbox.networks.trainable.box import Box
from salbox.networks.trainable.sight import Head
from salbox.system.progress import Progress

BATCH = 16
RATE = 0.004
WARM_UP = 0.1
LOSS = {"cc": 1, "mse": 5, "kl": 1}


@dataclass(frozen=True)
class Example:
    """A picture to learn from: features (C, h, w) and picture (3, h', w') in half precision, target (h, w) in 0..1."""

    decoded: Tensor
    picture: Tensor
    target: Tensor


def examples(network: Box, head: Head, views: Sequence[View], maps: TeacherMaps, progress: Progress) -> list[Example]:
    """Return what a head learns from, of pictures that there are teacher's maps of."""
    found = []
    for view in progress.track(views, len(views), "features of the trunk"):
        prepared = network.preprocessing.prepare(view.render())
        images = torch.from_numpy(prepared.copy()).permute(2, 0, 1)[None].float()
        with torch.no_grad():
            decoded = Box.features(network, images)["decoder"][0]  # without a branch, which is another head's
        shape = (decoded.shape[2], decoded.shape[1])
        target = unit_range(cv2.resize(maps.read(view.key).astype(float), shape, interpolation=cv2.INTER_AREA))
        small = functional.avg_pool2d(network.shrunk(images), head.pool)[0]
        found.append(Example(decoded.half(), small.half(), torch.from_numpy(target).float()))
    return found


def fit_head(head: Head, learned: Sequence[Example], epochs: int, progress: Progress, seed: int = 0) -> None:
    """Train a head; batches are of pictures of one size, in an order that follows from the seed."""
    loss = WeightedLoss(LOSS)
    order = torch.Generator().manual_seed(seed)
    batches = sum(1 for _ in _batches(learned, order))
    optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=epochs * batches, pct_start=WARM_UP)
    head.train()
    for epoch in progress.track(range(epochs), epochs, "training"):
        total = 0.0
        for batch in _batches(learned, order):
            decoded, pictures, targets = (
                torch.stack([getattr(one, what) for one in batch]).float() for what in ("decoded", "picture", "target")
            )
            logits = head(head.seen(pictures, decoded, pooled=True))
            value = loss(logits, targets[:, None], torch.ones(len(batch), 1, dtype=torch.bool))
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            schedule.step()
            total += value.item()
        progress.say(f"epoch {epoch + 1} of {epochs}: loss {total / batches:.4f}")
    head.eval()


def _batches(learned: Sequence[Example], order: torch.Generator) -> Iterable[list[Example]]:
    by_shape: dict[torch.Size, list[Example]] = {}
    for one in learned:
        by_shape.setdefault(one.decoded.shape, []).append(one)
    found = []
    for group in by_shape.values():
        shuffled = [group[i] for i in torch.randperm(len(group), generator=order).tolist()]
        found += [shuffled[start : start + BATCH] for start in range(0, len(group), BATCH)]
    return [found[i] for i in torch.randperm(len(found), generator=order).tolist()]
