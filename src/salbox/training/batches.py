"""Which pictures an epoch draws, in which batches, and the batches as tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from ..types import Shape
from .augmentation import GRID, Augmentation, blurred, brightened, moved_counts, resized_images, resized_maps
from .cache import Group, Pictures

# A smaller rest of pictures of one size is filled up with others of that size: batch norm needs several.
SMALLEST_BATCH = 4

# How often a picture is flipped in a way that all of its maps allow, and in one that only some do: the others then have
# nothing to learn from it.
ALL_FLIP, SOME_FLIP = 0.5, 0.25

T = TypeVar("T")

_DEFAULT = Augmentation()


@dataclass(frozen=True)
class Drawn:
    """The pictures of a batch, all of one group, and what is done to each.

    Attributes
    ----------
    group : int
    rows : tuple of int
    flips : tuple of texts
        How each is flipped: "", "h", "v" or "hv".
    crop : (int, int), optional
        Height and width in pixels of what is taken of each.
    corners : tuple of (int, int)
        Row and column in pixels where each one's crop begins.
    size : (int, int), optional
        Height and width in pixels that all are brought to afterwards.
    blurs : tuple of float
        The standard deviation of each one's blur, pixels of that size; empty for none.
    gains : tuple of float
        What each one's values are multiplied by; empty for nothing.
    """

    group: int
    rows: tuple[int, ...]
    flips: tuple[str, ...]
    crop: Shape | None = None
    corners: tuple[Shape, ...] = ()
    size: Shape | None = None
    blurs: tuple[float, ...] = ()
    gains: tuple[float, ...] = ()

    def of(self, places: Sequence[int]) -> Drawn:
        """Return those of the pictures that stand at some places."""

        def chosen(values: tuple[T, ...]) -> tuple[T, ...]:
            return tuple(values[i] for i in places) if values else ()

        return replace(
            self,
            rows=chosen(self.rows),
            flips=chosen(self.flips),
            corners=chosen(self.corners),
            blurs=chosen(self.blurs),
            gains=chosen(self.gains),
        )


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
    fixations : (N, 1, h, w) float32, optional
        How many fixations each pixel got.
    domain : str
        The data set that the pictures are of, where that matters; else "".
    features : tuple of (N, C, h', w') float16
        What a frozen encoder made of the pictures, which then have no pixels: (N, 3, 0, 0). Mostly empty.
    """

    def __init__(
        self,
        images: Tensor,
        maps: Tensor,
        valid: Tensor,
        fixations: Tensor | None = None,
        domain: str = "",
        features: tuple[Tensor, ...] = (),
    ) -> None:
        self.images, self.maps, self.valid, self.fixations = images, maps, valid, fixations
        self.domain, self.features = domain, features

    def __len__(self) -> int:
        return len(self.images)

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on a device."""
        images, maps, valid = (t.to(device, non_blocking=True) for t in (self.images, self.maps, self.valid))
        fixations = None if self.fixations is None else self.fixations.to(device, non_blocking=True)
        features = tuple(each.to(device, non_blocking=True) for each in self.features)
        return Batch(images, maps, valid, fixations, self.domain, features)


def draw_epoch(
    pictures: Pictures,
    epoch: int,
    *,
    images: int,
    batch_size: int,
    seed: int,
    augmentation: Augmentation = _DEFAULT,
) -> list[Drawn]:
    """Return the batches of an epoch.

    The pictures are dealt out in random order and shuffled again when all have been seen: with n of them every n
    successive draws hold each once, whatever an epoch's length. Of a data set of weight w each is there w times
    instead, of one of weight 1.5 now once, now twice. The same arguments give the same batches.

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
    augmentation : Augmentation, optional
        How pictures are varied; by default they are flipped, as far as they may be.
    """
    chosen = _deal(len(pictures), epoch, min(images, len(pictures)), seed, pictures.weights)
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
            chances = [_chances(pictures.groups[group], row) if augmentation.flips else {} for row in part]
            flipped = tuple("".join(f for f, chance in c.items() if random.random() < chance) for c in chances)
            drawn = Drawn(group, part, flipped)
            batches.append(_cropped(drawn, pictures.groups[group].size, augmentation.crop, random))
    # Drawn apart, so that flips and crops are those of a recipe without these.
    random_too = np.random.default_rng([seed, epoch, 2])
    batches = [_varied(each, pictures.groups[each.group].size, augmentation, random_too) for each in batches]
    return [batches[i] for i in random.permutation(len(batches))]


def typical_batch(pictures: Pictures, *, batch_size: int, seed: int, augmentation: Augmentation = _DEFAULT) -> Batch:
    """Return a batch such as most will be, to measure a training's speed on: of several sizes the middle one."""
    sizes = tuple(sorted(augmentation.sizes, key=lambda size: size[0] * size[1]))
    middle = replace(augmentation, sizes=sizes[len(sizes) // 2 :][:1])
    drawn = draw_epoch(pictures, 0, images=len(pictures), batch_size=batch_size, seed=seed, augmentation=middle)
    return load(pictures, max(drawn, key=lambda each: len(each.rows)))


def load(pictures: Pictures, drawn: Drawn) -> Batch:
    """Return a batch as tensors."""
    group = pictures.groups[drawn.group]
    rows = list(drawn.rows)
    features: tuple[npt.NDArray[np.float16], ...] = ()
    if group.features is None:
        images = _taken(group.images, drawn)
    else:
        images, features = np.empty((len(rows), 0, 0, 3), np.uint8), group.features.read(rows, drawn.flips)
    maps = _taken(group.maps, drawn, group).astype(np.float32)
    maps *= np.float32(1 / 65535)
    counts = _taken(group.counts, drawn, group).astype(np.float32)[:, None] if group.has_fixations else None
    for i, flip in enumerate(drawn.flips):
        if "h" in flip:
            images[i] = images[i, :, ::-1].copy()
        if "v" in flip:
            images[i] = images[i, ::-1].copy()
        for values in (maps, counts) if counts is not None else (maps,):
            if "h" in flip:
                values[i] = values[i, :, :, ::-1].copy()
            if "v" in flip:
                values[i] = values[i, :, ::-1].copy()
    if drawn.size is not None:
        shares = [new / old for new, old in zip(drawn.size, group.size, strict=True)]
        height, width = (round(side * share) for side, share in zip(group.map_size, shares, strict=True))
        images, maps = resized_images(images, drawn.size), resized_maps(maps, (height, width))
        counts = None if counts is None else moved_counts(counts, (height, width))
    for i, deviation in enumerate(drawn.blurs):
        images[i] = blurred(images[i], deviation)
    for i, gain in enumerate(drawn.gains):
        images[i] = brightened(images[i], gain)
    valid = np.array([_valid(group, row, flip) for row, flip in zip(rows, drawn.flips, strict=True)])
    return Batch(
        torch.from_numpy(images).permute(0, 3, 1, 2),
        torch.from_numpy(maps),
        torch.from_numpy(valid),
        None if counts is None else torch.from_numpy(counts),
        group.domain,
        tuple(torch.from_numpy(each).permute(0, 3, 1, 2) for each in features),
    )


def in_order(pictures: Pictures, batch_size: int) -> Iterator[Batch]:
    """Yield every picture once, as it is."""
    for g, group in enumerate(pictures.groups):
        for first in range(0, len(group.keys), batch_size):
            rows = tuple(range(first, min(first + batch_size, len(group.keys))))
            yield load(pictures, Drawn(g, rows, ("",) * len(rows)))


def _cropped(drawn: Drawn, size: Shape, share: float, random: np.random.Generator) -> Drawn:
    """Return what is drawn with a crop of this share of the sides, each at a random place; nothing random at 1."""
    sides = [min(side, max(1, round(share * side / GRID)) * GRID) for side in size]
    if share >= 1 or sides == [*size]:
        return drawn
    free = [(side - cropped) // GRID for side, cropped in zip(size, sides, strict=True)]
    corners = random.integers(0, np.array(free) + 1, (len(drawn.rows), 2)) * GRID
    return replace(drawn, crop=(sides[0], sides[1]), corners=tuple((int(r), int(c)) for r, c in corners))


def _varied(drawn: Drawn, whole: Shape, augmentation: Augmentation, random: np.random.Generator) -> Drawn:
    """Return what is drawn with a size, and each picture's blur and brightness, as far as these are asked for."""
    pictures = len(drawn.rows)
    return replace(
        drawn,
        size=augmentation.draw_size(whole, random),
        blurs=augmentation.draw_blurs(pictures, random),
        gains=augmentation.draw_gains(pictures, random),
    )


def _taken(values: npt.NDArray[Any], drawn: Drawn, group: Group | None = None) -> npt.NDArray[Any]:
    """Return the rows of a stored array that are drawn, cropped; of maps, (.., h', w'), say their `group`."""
    rows = list(drawn.rows)
    if drawn.crop is None:
        return values[rows]
    step = (1.0, 1.0) if group is None else tuple(m / s for m, s in zip(group.map_size, group.size, strict=True))
    height, width = (round(side * each) for side, each in zip(drawn.crop, step, strict=True))
    parts = []
    for row, corner in zip(rows, drawn.corners, strict=True):
        top, left = (round(at * each) for at, each in zip(corner, step, strict=True))
        place = (slice(top, top + height), slice(left, left + width))
        parts.append(values[row][place] if group is None else values[row][(..., *place)])
    return np.stack(parts)


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


def _deal(number: int, epoch: int, images: int, seed: int, weights: npt.NDArray[np.float64] | None = None) -> list[int]:
    """Return the places of an epoch in the endless sequence of shuffled passes."""
    places: list[int] = []
    if weights is None:
        first = epoch * images
        while len(places) < images:
            turn, skip = divmod(first + len(places), number)
            order = np.random.default_rng([seed, turn, 0]).permutation(number)
            places += order[skip : skip + images - len(places)].tolist()
        return places
    # Passes are of unequal length: how often a picture of weight 1.5 is there is drawn anew for each.
    turn, skip = 0, epoch * images
    while len(places) < images:
        random = np.random.default_rng([seed, turn, 0])
        times = np.floor(weights).astype(np.intp) + (random.random(number) < weights % 1)
        order = random.permutation(np.repeat(np.arange(number), times))
        places += order[skip : skip + images - len(places)].tolist()
        turn, skip = turn + 1, max(0, skip - len(order))
    return places
