"""What a distillation begins with: a network with first weights, or a trained one with new heads."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from ..cards import ModelCard
from ..errors import SalboxError, UsageError
from ..image import Pixels
from ..losses import WeightedLoss
from ..networks.box import Box
from ..networks.building import build_student
from ..networks.encoders import WeightsWarning
from ..networks.regrowing import can_become, regrown
from ..networks.student import StudentNetwork
from ..training.batches import Batch
from ..training.clock import Clock
from ..training.live import LiveTeacher
from ..training.module import all_logits, targets
from ..training.pictures import Size
from ..training.recipe import Recipe
from ..training.speed import Speed, measure
from .heads import new_layers, read_weights, with_new_heads
from .lessons import calibration_photos
from .plan import Plan
from .run_folder import RunFolder
from .telling import Teller
from .views import plain_view

BRANCHING = "resnet18-b"


@dataclass(frozen=True)
class Beginning:
    """A network before its training.

    Attributes
    ----------
    network : StudentNetwork
    first : int
        The first head that learns.
    cards, teachers : dict
        Of the heads before it.
    live : LiveTeacher, optional
    """

    network: StudentNetwork
    first: int = 0
    cards: dict[str, ModelCard] = field(default_factory=dict)
    teachers: dict[str, str] = field(default_factory=dict)
    live: LiveTeacher | None = None

    @property
    def trainable(self) -> list[torch.nn.Module] | None:
        """What learns: all, or of a network that heads are added to these heads."""
        return new_layers(self.network, self.first) if self.first else None

    @property
    def targets(self) -> int:
        """How many maps a picture is learned from."""
        return targets(self.network) - self.first


def begin(plan: Plan, teller: Teller) -> Beginning:
    """Return the network with its first weights; what does not fit is found here, before a teacher runs for hours."""
    recipe = plan.recipe
    if plan.add_to is not None:
        if plan.in_process:
            raise UsageError("--add-to and --in-process do not go together")
        trunk = with_new_heads(plan.add_to, plan.heads, plan.seed)
        begun = Beginning(trunk.network, trunk.old, trunk.cards, trunk.teachers)
    else:
        heads = plan.heads
        if recipe.student == BRANCHING:
            if len(heads) > 2:
                raise UsageError(f"{BRANCHING} learns one map, and its feature map another: give two teachers at most")
            heads = heads[:1]
        if plan.init is not None and Path(plan.init).expanduser().is_dir():
            begun = Beginning(_trained(plan.init, heads, recipe))
        else:
            begun = Beginning(_new(plan, heads, teller))
    WeightedLoss(recipe.loss, temperature=recipe.temperature, output=begun.network.output)
    if not plan.in_process:
        return begun
    teacher = plan.lessons[0].teacher
    assert teacher is not None  # noqa: S101  # the plan has checked it
    model = teacher.load()
    begun.network.to(plan.device)
    live = LiveTeacher(model.function, 0, model.card.output, recipe.hint, begun.network, recipe.size)
    return Beginning(begun.network, live=live)


def _new(plan: Plan, heads: Sequence[str], teller: Teller) -> StudentNetwork:
    """Return the recipe's student with first weights in its encoder; what there is to know of them is told."""
    recipe = plan.recipe
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always", WeightsWarning)
        network = build_student(
            recipe.student,
            heads,
            encoder=recipe.encoder,
            init=plan.init if plan.init is not None else default_init(recipe),
            size=recipe.size,
            seed=plan.seed,
            calibration=_photos(plan) or None,
            **recipe.network,
        )
    for warning in raised:
        teller.say(f"note: {warning.message}")
    return network


def _trained(run: str, heads: Sequence[str], recipe: Recipe) -> StudentNetwork:
    """Return the network of a run, to be trained further; a box may end earlier than it did, or see details anew.

    Raises
    ------
    UsageError
        If it is another network than the recipe's, or has other heads.
    WeightsError
        If it cannot be read.
    """
    network = read_weights(RunFolder(Path(run).expanduser()).weights)
    if network.name != recipe.student:
        raise UsageError(f"{run} is a '{network.name}', and the recipe's student a '{recipe.student}'")
    if list(network.heads) != list(heads):
        raise UsageError(f"{run} has the heads {', '.join(network.heads)}; train it further on the same ones, in order")
    wanted = {"encoder": recipe.encoder, "size": recipe.size, **recipe.network}
    changes = {}
    for key, value in wanted.items():
        own = network.settings.get(key)
        if isinstance(network, Box) and can_become(key, own, value):
            changes[key] = value
            continue
        own = tuple(own) if isinstance(own, list) else own  # as JSON keeps a size
        if value is not None and value != own:
            raise UsageError(f"{run} was trained with {key}={own}, and the recipe has {value}")
    if isinstance(network, Box) and changes:
        network = regrown(network, changes)
    network.init_note = f"trained further from {Path(run).name}"
    return network.train()


def default_init(recipe: Recipe) -> str:
    """Return the first weights where none are named: the shipped network's if they fit, else none."""
    return "shipped" if recipe.student == "box" and recipe.encoder in (None, "mobilenetv2") else "none"


def map_size(network: StudentNetwork, height: int, width: int) -> Size:
    """Return the (height, width) of a student's output for a picture at working size; safe in threads."""
    copied = copy.deepcopy(network).to("meta").eval()
    with torch.no_grad():
        shape = all_logits(copied, torch.zeros(1, 3, height, width, device="meta")).shape
    return int(shape[2]), int(shape[3])


def speed_of(begun: Beginning, recipe: Recipe, batch: Batch, device: str, clock: Clock = "wall") -> Speed:
    """Return the measured speed of a training."""
    return measure(
        begun.network,
        recipe,
        batch,
        device,
        live=begun.live,
        trainable=(lambda network: new_layers(network, begun.first)) if begun.first else None,
        first=begun.first,
        clock=clock,
    )


def _photos(plan: Plan) -> list[Pixels]:
    """Return photos for the statistics of batch norms, if first weights need them."""
    if plan.init is None or not str(plan.init).endswith((".npz", ".onnx")):
        return []
    photos = []
    for photo in calibration_photos(plan):
        try:
            photos.append(plain_view(photo).render())
        except SalboxError:  # said later, for all photos together
            continue
    return photos
