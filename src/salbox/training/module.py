"""A student in training, as Lightning runs it: losses, learning rates, the frozen encoder."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from ..losses import WeightedLoss
from ..networks.trainable.base import TrainableNetwork
from .batches import Batch
from .online_teacher import OnlineTeacher
from .recipe import Optimizer, Recipe
from .schedule import rate


class NetworkTraining(pl.LightningModule):
    """A student network and how it learns.

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

    Attributes
    ----------
    place : float
        Epochs done, fractions included; the learning rate and the freezing go by it.
    """

    def __init__(
        self,
        network: TrainableNetwork,
        recipe: Recipe,
        *,
        online_teacher: OnlineTeacher | None = None,
        trainable: list[torch.nn.Module] | None = None,
        first: int = 0,
    ) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.online_teacher = online_teacher
        # So that its regressor learns and is kept.
        self.hint = online_teacher.hint if online_teacher is not None else None
        self.place = 0.0
        self.losses: list[Tensor] = []  # of the epoch at hand; read back once, reading each would stop a GPU
        self._loss = WeightedLoss(recipe.loss, temperature=recipe.temperature, output=network.output)
        # In a list: a second path to the same modules would put them into the state twice.
        self._trainable = trainable
        self._first = first
        self._frozen = False
        if trainable is not None:
            network.requires_grad_(False)
            for part in trainable:
                part.requires_grad_(True)
        self.train()

    def train(self, mode: bool = True) -> NetworkTraining:
        """Set training or evaluation mode; what does not learn stays in evaluation mode."""
        super().train(mode)
        if mode and self._trainable is not None:
            self.network.eval()
            for part in self._trainable:
                part.train()
        return self

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the optimizer: the encoder's parameters in one group, all others in a second."""
        encoder = {id(p) for p in self.network.encoder_parameters()}
        groups: tuple[list[Tensor], list[Tensor]] = ([], [])
        for parameter in self.parameters():
            if self._trainable is None or parameter.requires_grad:
                groups[id(parameter) not in encoder].append(parameter)
        settings = self.recipe.optimizer
        factors = (settings.encoder_factor, 1.0)
        parts = [{"params": g, "factor": f} for g, f in zip(groups, factors, strict=True) if g]
        return make_optimizer(settings, parts)

    def at(self, place: float) -> float:
        """Set the learning rates, and freeze the encoder or let it go, as due after `place` epochs; return the rate."""
        self.place = place
        share = rate(self.recipe, place)
        for group in self.trainer.optimizers[0].param_groups:
            group["lr"] = self.recipe.optimizer.learning_rate * share * group["factor"]
        if self._trainable is None:
            frozen = place < self.recipe.freeze_encoder_epochs - 1e-9
            if frozen != self._frozen:
                self.network.freeze_encoder(frozen)
                self._frozen = frozen
        return self.recipe.optimizer.learning_rate * share

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the loss of a batch."""
        loss = self.loss(batch)
        self.losses.append(loss.detach())
        return loss

    def loss(self, batch: Batch) -> Tensor:
        """Return the loss of a batch: a scalar."""
        images = batch.images.float()
        if self.online_teacher is None:
            logits = self.network.outputs(images).joined[:, self._first :]
            return self._loss(logits.float(), batch.maps, batch.valid)
        outputs, features = self.online_teacher.student_outputs(self.network, images)
        logits = outputs.joined
        teacher = self.online_teacher(batch.images, logits.shape[-2:])
        maps = teacher.maps[:, None].expand_as(logits)
        valid = torch.ones_like(batch.valid)
        return self._loss(logits.float(), maps, valid) + self.online_teacher.hint_loss(features, teacher)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Return the batch on the device."""
        return batch.to(device)


def make_optimizer(settings: Optimizer, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    """Return an optimizer for groups of parameters."""
    common = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    if settings.name == "adam":
        return torch.optim.Adam(groups, **common)
    if settings.name == "adamw":
        return torch.optim.AdamW(groups, **common)
    return torch.optim.SGD(groups, **common, momentum=settings.momentum)
