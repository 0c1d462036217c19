"""How long a training will take, from a few measured steps."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from ..losses import Truth
from ..networks.trainable.base import TrainableNetwork
from ..system.memory import keep_memory
from .batches import Batch
from .clock import Clock, now
from .devices import make_fabric, quiet
from .forward import split
from .frozen_features import encoded
from .module import NetworkTraining
from .online_teacher import OnlineTeacher
from .optimizer import make_optimizer
from .recipe import Recipe
from .trainer import learn
from .validation import validate

STEPS, WARM_UP = 10, 2
PER_EPOCH = 0.5  # seconds: a checkpoint, logs


@dataclass(frozen=True)
class Speed:
    """Measured seconds: `image` a picture trained on, `validation_image` a picture validated on.

    `features` a picture whose features are kept for all epochs, where a recipe keeps them.
    """

    image: float
    validation_image: float
    features: float = 0.0

    def seconds(self, recipe: Recipe, pictures: int, validation: int) -> float:
        """Return how long a recipe takes with so many pictures in the training and the validation part."""
        # What features take comes on top, as all preparation does.
        an_epoch = recipe.images(pictures) * self.image + self._measuring(recipe, validation) + PER_EPOCH
        return recipe.epochs * an_epoch

    def share(self, recipe: Recipe, pictures: int, validation: int, seconds: float) -> float:
        """Return the share of a recipe that fits into a time; an epoch of it costs its validation however short."""
        images = recipe.epochs * recipe.images(pictures) * self.image
        fixed = self._measuring(recipe, validation) + PER_EPOCH
        share = seconds / self.seconds(recipe, pictures, validation)
        epochs = math.ceil(recipe.epochs * share)
        # Fewer whole epochs than the share alone would have: what their validation saves goes into pictures.
        return max((seconds - epochs * fixed) / images, 0.1 * share)

    def _measuring(self, recipe: Recipe, validation: int) -> float:
        """Return the seconds that an epoch's share of the validation takes."""
        return validation * self.validation_image / recipe.validate_every


def measure(
    network: TrainableNetwork,
    recipe: Recipe,
    batch: Batch,
    device: str,
    *,
    online_teacher: OnlineTeacher | None = None,
    trainable: Callable[[TrainableNetwork], list[torch.nn.Module]] | None = None,
    first: int = 0,
    clock: Clock = "wall",
    given: Sequence[Truth] = ("teacher",),
) -> Speed:
    """Return the speed of a training on a batch such as it will see; the network is left as it is.

    Ten steps are measured, after two that are not: the first ones allocate. The encoder is not frozen, so that a recipe
    that freezes it takes less; but where its features are kept, the steps are those on features.
    """
    copied = copy.deepcopy(network).to(memory_format=torch.channels_last)
    parts = trainable(copied) if trainable is not None else None
    module = NetworkTraining(copied, recipe, online_teacher=online_teacher, trainable=parts, first=first, given=given)
    with quiet():
        fabric = make_fabric(recipe, device)
        if fabric.device.type == "cpu":
            keep_memory()
        model, optimizer = fabric.setup(module, make_optimizer(module))
        features = started = 0.0
        if recipe.cache_features:
            batch, features = _on_features(copied, batch.to(fabric.device), clock, device)
        for step in range(STEPS + WARM_UP):
            if step == WARM_UP:
                started = now(clock, device)
            learn(fabric, model, optimizer, [batch], recipe.clip_gradient)
    image = (now(clock, device) - started) / (STEPS * len(batch))
    started = now(clock, device)
    validate(copied, [batch, batch], fabric.device, first, recipe.select)
    return Speed(image, (now(clock, device) - started) / (2 * len(batch)), features)


def _on_features(network: TrainableNetwork, batch: Batch, clock: Clock, device: str) -> tuple[Batch, float]:
    """Return a batch with features, and the seconds that those of a picture take; the second time counts."""
    found = encoded(split(network).eval(), batch)
    started = now(clock, device)
    encoded(split(network), batch)
    seconds = (now(clock, device) - started) / len(batch)
    network.freeze_encoder()
    network.train()
    return found, seconds
