"""A network in training: the loss of a batch, and what of the network learns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..errors import UsageError
from ..losses import Truth, WeightedLoss
from ..networks.trainable.base import TrainableNetwork
from .batches import Batch
from .forward import outputs_of
from .online_teacher import OnlineTeacher
from .recipe import Recipe


class NetworkTraining(nn.Module):
    """A network and how it learns; called with a batch it returns the loss, a scalar.

    Parameters
    ----------
    network : TrainableNetwork
    recipe : Recipe
    online_teacher : OnlineTeacher, optional
        A teacher that runs in the process; its map replaces what the batch holds.
    trainable : modules, optional
        What trains, by default all; the rest stays as it is, the statistics of its batch norms included.
    first : int
        The first output that learns; those before it have no maps in a batch.
    given : names
        What the maps of a batch are, and what is there beside them; see `salbox.losses.Truth`.

    Raises
    ------
    UsageError
        If the recipe's losses or its weights of side outputs do not go with the network.
    """

    def __init__(
        self,
        network: TrainableNetwork,
        recipe: Recipe,
        *,
        online_teacher: OnlineTeacher | None = None,
        trainable: list[nn.Module] | None = None,
        first: int = 0,
        given: Sequence[Truth] = ("teacher",),
    ) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.online_teacher = online_teacher
        # So that its regressor learns and is kept.
        self.hint = online_teacher.hint if online_teacher is not None else None
        check_side_weights(network, recipe)
        self._given = tuple(given)
        self._set_boundary(recipe.boundary.width(0))
        # In a tuple: a second path to the same modules would put them into the state twice.
        self._trainable = None if trainable is None else tuple(trainable)
        self._first = first
        self._frozen = False
        if trainable is not None:
            network.requires_grad_(False)
            for part in trainable:
                part.requires_grad_(True)
        self.train()

    def train(self, mode: bool = True) -> Self:
        """Set training or evaluation mode; what does not learn stays in evaluation mode."""
        super().train(mode)
        if mode and self._trainable is not None:
            self.network.eval()
            for part in self._trainable:
                part.train()
        kept: Iterable[nn.Module] = ()
        if self.recipe.batch_size == 1:
            kept = self.modules()
        elif self.recipe.freeze_encoder_norms:
            kept = (module for part in self.network.encoder_modules() for module in part.modules())
        for module in kept:
            if isinstance(module, _BatchNorm):
                module.eval()
        return self

    def freeze_as_due(self, epochs_done: float) -> None:
        """Freeze the encoder, or let it go, as the recipe says of a training that is so far."""
        due = self.recipe.cache_features or epochs_done < self.recipe.freeze_encoder_epochs - 1e-9
        frozen = self._trainable is None and due
        if frozen != self._frozen:
            self._frozen = frozen
            self.network.freeze_encoder(frozen)
            self.train(self.training)

    def thin_as_due(self, epochs_done: float) -> None:
        """Make the boundaries that losses compare as thick as the recipe says of a training that is so far."""
        width = self.recipe.boundary.width(epochs_done)
        if width != self._boundary_width:
            self._set_boundary(width)

    def _set_boundary(self, width: int) -> None:
        recipe = self.recipe
        self._boundary_width = width
        self._loss = WeightedLoss(
            recipe.loss,
            temperature=recipe.temperature,
            boundary_width=width,
            output=self.network.output,
            given=self._given,
        )

    def forward(self, batch: Batch) -> Tensor:
        """Return the loss of a batch."""
        if batch.domain:
            self.network.choose_domain(batch.domain)
        if self.online_teacher is None:
            logits = outputs_of(self.network, batch).joined[:, self._first :]
            # A batch has maps of all outputs, or of the main ones alone, which side outputs learn from too.
            times = logits.shape[1] // batch.maps.shape[1]
            valid = batch.valid.repeat(1, times)
            return self._weighted(logits.float(), self._truth(batch, times), valid)
        outputs, features = self.online_teacher.student_outputs(self.network, batch.images.float())
        logits = outputs.joined
        teacher = self.online_teacher(batch.images, logits.shape[-2:])
        maps = teacher.maps[:, None].expand_as(logits)
        valid = torch.ones(logits.shape[:2], dtype=torch.bool, device=logits.device)
        loss = self._weighted(logits.float(), {self._given[0]: maps}, valid)
        return loss + self.online_teacher.hint_loss(features, teacher)

    def _truth(self, batch: Batch, times: int) -> dict[Truth, Tensor]:
        """Return what the outputs are compared with, each (N, outputs, h, w)."""
        maps = batch.maps.repeat(1, times, 1, 1)
        truth: dict[Truth, Tensor] = {self._given[0]: maps}
        if batch.fixations is not None:
            truth["fixations"] = batch.fixations.expand_as(maps)
        return truth

    def _weighted(self, logits: Tensor, truth: dict[Truth, Tensor], valid: Tensor) -> Tensor:
        """Return the loss: its mean over all outputs, or the sum over main and side outputs, each with its weight."""
        weights = self.recipe.side_weights
        if not weights:
            return self._loss(logits, truth, valid)
        parts = 1 + len(weights)
        of_parts = {kind: values.chunk(parts, dim=1) for kind, values in truth.items()}
        losses = [
            weight * self._loss(own, {kind: values[i] for kind, values in of_parts.items()}, there)
            for i, (weight, own, there) in enumerate(
                zip((1.0, *weights), logits.chunk(parts, dim=1), valid.chunk(parts, dim=1), strict=True)
            )
        ]
        return torch.stack(losses).sum()


def check_side_weights(network: TrainableNetwork, recipe: Recipe) -> None:
    """Raise a UsageError unless a recipe that weighs side outputs has a weight for each of the network's."""
    weights, sides = len(recipe.side_weights), len(network.side_outputs)
    if weights not in (0, sides):
        raise UsageError(
            f"side_weights: {weights} of them, but network '{network.name}' has {sides or 'no'} side outputs; "
            "give each a weight, or [] for none"
        )
