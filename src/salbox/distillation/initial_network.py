"""What a distillation starts from: a network with first weights, or a trained one with new heads."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch

from ..errors import UsageError
from ..losses import WeightedLoss
from ..models.cards import ModelCard
from ..networks.encoders import WeightsWarning
from ..networks.trainable.base import TrainableNetwork
from ..networks.trainable.factory import build_network, network_class
from ..system.progress import Progress
from ..training.batches import Batch
from ..training.clock import Clock
from ..training.devices import check_devices
from ..training.module import check_side_weights
from ..training.online_teacher import OnlineTeacher
from ..training.optimizer import check_prefixes
from ..training.recipe import Recipe
from ..training.run_network import read_trained
from ..training.speed import Speed, measure
from ..training.splitting import Split, first_pixels
from ..training.validation import check_criterion
from .heads import new_layers, with_new_heads
from .plan import Plan
from .teachers.in_process import feature_model

CALIBRATION_PHOTOS = 64  # that the statistics of batch norms are taken from, where first weights have none


@dataclass(frozen=True)
class InitialNetwork:
    """A network before its training.

    Attributes
    ----------
    network : TrainableNetwork
    output_targets : tuple of int
        The place of the plan's target that each output learns from, of those outputs that learn.
    first : int
        The first output that learns.
    cards, teachers : dict
        Of the heads before it.
    online_teacher : OnlineTeacher, optional
    """

    network: TrainableNetwork
    output_targets: tuple[int, ...]
    first: int = 0
    cards: dict[str, ModelCard] = field(default_factory=dict)
    teachers: dict[str, str] = field(default_factory=dict)
    online_teacher: OnlineTeacher | None = None

    @property
    def trainable(self) -> list[torch.nn.Module] | None:
        """What learns: all, or of a network that heads are added to these heads."""
        return new_layers(self.network, self.first) if self.first else None

    @property
    def map_targets(self) -> tuple[int, ...]:
        """The places of the targets whose maps are stored: those of `output_targets`, or of the main outputs alone.

        The latter where all side outputs learn from what their head learns from.
        """
        own = len(self.network.heads) - self.first
        main = self.output_targets[:own]
        return main if main * (len(self.output_targets) // own) == self.output_targets else self.output_targets

    def map_names(self, heads: Sequence[str]) -> tuple[str, ...]:
        """Return what the maps of `map_targets` are called in logs: as the plan's heads, a side output's by its own."""
        own = len(self.network.heads) - self.first
        names = [heads[place] for place in self.map_targets]
        for i in range(own, len(names)):
            if names[i] in names[:own]:
                names[i] = f"{names[i]} ({self.network.side_outputs[i // own - 1]})"
        return tuple(names)

    def speed(self, recipe: Recipe, batch: Batch, device: str, clock: Clock = "wall") -> Speed:
        """Return the measured speed of a training on batches such as this one."""
        return measure(
            self.network,
            recipe,
            batch,
            device,
            online_teacher=self.online_teacher,
            trainable=(lambda network: new_layers(network, self.first)) if self.first else None,
            first=self.first,
            clock=clock,
        )


def make_initial_network(plan: Plan, parts: Split, progress: Progress) -> InitialNetwork:
    """Return the network with its first weights; what does not fit is found here, before a teacher runs for hours.

    Raises
    ------
    UsageError
        If plan, recipe and network do not go together.
    WeightsError
        If the first weights cannot be had or do not fit.
    """
    if plan.add_to is not None:
        if plan.in_process:
            raise UsageError("--add-to and --in-process do not go together")
        trunk = with_new_heads(plan.add_to, plan.heads, plan.seed)
        targets = tuple(range(len(plan.targets)))
        initial = InitialNetwork(trunk.network, targets, trunk.old, trunk.cards, trunk.teachers)
    else:
        student = network_class(plan.recipe.student)
        targets = student.output_targets(len(plan.targets))
        heads = [plan.heads[place] for place in targets[: len(targets) // (1 + len(student.side_outputs))]]
        if plan.init_run is not None:
            network = read_trained(plan.init_run, heads, plan.recipe)
        else:
            network = _untrained(plan, heads, parts, progress)
        initial = InitialNetwork(network, targets)
    # Whether the recipe goes with the network and what it gives.
    WeightedLoss(plan.recipe.loss, temperature=plan.recipe.temperature, output=initial.network.output)
    check_criterion(plan.recipe.select, initial.network.output)
    check_prefixes(initial.network, plan.recipe.optimizer)
    check_side_weights(initial.network, plan.recipe)
    check_devices(plan.recipe, plan.device, plan.devices, plan.nodes)
    return _with_online_teacher(plan, initial) if plan.in_process else initial


def _with_online_teacher(plan: Plan, initial: InitialNetwork) -> InitialNetwork:
    teacher = plan.targets[0].teacher
    assert teacher is not None  # noqa: S101  # the plan has checked it
    model = teacher.load()
    network = initial.network.to(plan.device)
    hint = plan.recipe.hint
    function = feature_model(teacher, model, hints=hint.weight > 0)
    online = OnlineTeacher(function, model.card.output, hint, network, plan.recipe.size)
    return replace(initial, online_teacher=online)


def _untrained(plan: Plan, heads: Sequence[str], parts: Split, progress: Progress) -> TrainableNetwork:
    """Return the recipe's student with first weights in its encoder; warnings about these become notes."""
    recipe = plan.recipe
    needs_photos = str(plan.init).endswith((".npz", ".onnx"))
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always", WeightsWarning)
        network = build_network(
            recipe.student,
            heads,
            encoder=recipe.encoder,
            init=plan.init if plan.init is not None else default_init(recipe),
            size=recipe.size,
            seed=plan.seed,
            calibration=first_pixels(parts.training, CALIBRATION_PHOTOS) or None if needs_photos else None,
            **recipe.network,
        )
    for warning in raised:
        progress.say(f"note: {warning.message}")
    if network.output == "score" and "output" not in recipe.network and all(t.is_probability for t in plan.targets):
        network.output = "probability"
    return network


def default_init(recipe: Recipe) -> str:
    """Return the first weights where none are named: the shipped network's if they fit, else none."""
    return "shipped" if recipe.student == "box" and recipe.encoder in (None, "mobilenetv2") else "none"
