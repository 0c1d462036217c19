"""Which pictures an epoch draws, in which batches, and the batches as tensors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .cache import Group, Pictures

# A smaller rest of pictures of one size is filled up with others of that size: batch norm needs several.
SMALLEST_BATCH = 4

# How often a picture is flipped in a way that all of its maps allow, and in one that only some do: the others then have
# nothing to learn from it.
ALL_FLIP, SOME_FLIP = 0.5, 0.25


@dataclass(frozen=True)
class Drawn:
    """The pictures of a batch, all of one group, and how each is flipped: "", "h", "v" or "hv"."""

    group: int
    rows: tuple[int, ...]
    flips: tuple[str, ...]


class Batch:
    """A batch as tensors.

    No dataclass: in one, Fabric would bring whatever is a float to the precision of the network, the maps to learn too.

    Attributes
    ----------
    images : (N, 3, H, W) uint8
        Channels last in memory, as it is on disk.
    maps : (N, heads, h, w) float32
        In 0..1, 0 where there is none.
    valid : (N, heads) bool
    """

    def __init__(self, images: Tensor, maps: Tensor, valid: Tensor) -> None:
        self.images, self.maps, self.valid = images, maps, valid

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on a device."""
        return Batch(*(t.to(device, non_blocking=True) for t in (self.images, self.maps, self.valid)))


def draw_epoch(
    pictures: Pictures, epoch: int, *, images: int, batch_size: int, seed: int, flips: bool = True
) -> list[Drawn]:
    """Return the batches of an epoch.

    The pictures are dealt out in random order and shuffled again when all have been seen: with n of them every n
    successive draws hold each once, whatever an epoch's length. The same arguments give the same batches.

    Parameters
    ----------
    pictures : Pictures
    epoch : int
        Counted from 0.
    images : int
        How many an epoch draws, at most all there are.
    batch_size : int
        Rests are smaller, and those below `SMALLEST_BATCH` filled up.
    seed : int
    flips : bool
        Whether pictures are flipped at random, as far as they may be.
    """
    chosen = _deal(len(pictures), epoch, min(images, len(pictures)), seed)
    random = np.random.default_rng([seed, epoch, 1])
    by_group: dict[int, list[int]] = {}
    for place in chosen:
        group, row = pictures.places[place]
        by_group.setdefault(group, []).append(row)
    batches = []
    smallest = min(SMALLEST_BATCH, batch_size)
    for group, rows in sorted(by_group.items()):
        if 0 < (rest := len(rows) % batch_size) < smallest:
            others = len(pictures.groups[group].keys)
            rows += random.choice(others, smallest - rest, replace=others < smallest - rest).tolist()
        for first in range(0, len(rows), batch_size):
            part = tuple(rows[first : first + batch_size])
            chances = [_chances(pictures.groups[group], row) if flips else {} for row in part]
            flipped = tuple("".join(f for f, chance in c.items() if random.random() < chance) for c in chances)
            batches.append(Drawn(group, part, flipped))
    return [batches[i] for i in random.permutation(len(batches))]


def load(pictures: Pictures, drawn: Drawn) -> Batch:
    """Return a batch as tensors."""
    group = pictures.groups[drawn.group]
    rows = list(drawn.rows)
    images, maps = group.images[rows], group.maps[rows].astype(np.float32)
    maps *= np.float32(1 / 65535)
    for i, flip in enumerate(drawn.flips):
        if "h" in flip:
            images[i], maps[i] = images[i, :, ::-1].copy(), maps[i, :, :, ::-1].copy()
        if "v" in flip:
            images[i], maps[i] = images[i, ::-1].copy(), maps[i, :, ::-1].copy()
    valid = np.array([_valid(group, row, flip) for row, flip in zip(rows, drawn.flips, strict=True)])
    return Batch(torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(maps), torch.from_numpy(valid))


def in_order(pictures: Pictures, batch_size: int) -> Iterator[Batch]:
    """Yield every picture once, as it is."""
    for g, group in enumerate(pictures.groups):
        for first in range(0, len(group.keys), batch_size):
            rows = tuple(range(first, min(first + batch_size, len(group.keys))))
            yield load(pictures, Drawn(g, rows, ("",) * len(rows)))


def _chances(group: Group, row: int) -> dict[str, float]:
    """Return how likely a picture is flipped in each way: less where that takes the maps of some heads away."""
    allowed = [letters for letters, there in zip(group.flips[row], group.valid[row], strict=True) if there]
    having = {flip: sum(flip in letters for letters in allowed) for flip in ("h", "v")}
    return {flip: ALL_FLIP if heads == len(allowed) else SOME_FLIP for flip, heads in having.items() if heads}


def _valid(group: Group, row: int, flip: str) -> list[bool]:
    """Return which heads have a map of a picture that is flipped."""
    return [
        there and set(flip) <= set(letters) for there, letters in zip(group.valid[row], group.flips[row], strict=True)
    ]


def _deal(number: int, epoch: int, images: int, seed: int) -> list[int]:
    """Return the places of an epoch in the endless sequence of shuffled passes."""
    first = epoch * images
    places: list[int] = []
    while len(places) < images:
        turn, skip = divmod(first + len(places), number)
        order = np.random.default_rng([seed, turn, 0]).permutation(number)
        places += order[skip : skip + images - len(places)].tolist()
    return places
