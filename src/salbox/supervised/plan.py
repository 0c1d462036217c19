"""What a supervised training is to do: data sets, recipe, first weights."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..datasets import Dataset
from ..errors import UsageError, one_line
from ..evaluation.code import changed
from ..imaging.postprocess import NOTHING, PostProcess
from ..losses import LOSSES, Truth
from ..models.exported import WEIGHTS_FILE
from ..networks.trainable.factory import FIRST_WEIGHTS
from ..paths import user_path
from ..runtime.metadata import is_head_name
from ..system.contents import path_digest
from ..training.nodes import check_nodes
from ..training.options import check_length
from ..training.recipe import Recipe
from ..training.splitting import Part

if TYPE_CHECKING:
    from ..training.clock import Clock


@dataclass(frozen=True)
class Source:
    """A data set to learn from.

    Attributes
    ----------
    name : str
        What it is called in logs and tables, and as a domain of networks that keep data sets apart.
    training : Dataset
        What trains and validates, and what tests too unless `test` is there.
    test : Dataset, optional
        What its publishers, or salbox, keep for tests; nothing is learned from it.
    weight : float
        How often its pictures are drawn, over those of a data set of weight 1.
    """

    name: str
    training: Dataset
    test: Dataset | None = None
    weight: float = 1.0

    @property
    def domain(self) -> str:
        """The name in letters, digits and underscores, as networks that keep data sets apart call it."""
        return "".join(letter if letter.isalnum() else "_" for letter in self.name)


@dataclass(frozen=True)
class Plan:
    """A supervised training.

    Attributes
    ----------
    sources : tuple of Source
    run : Path
        Where everything goes.
    recipe : Recipe
    head : str
        What the network's one map is called.
    init : str
        First weights of the encoder, see `networks.trainable.factory.build_network`; or a run folder, whose whole
        network is trained further.
    chosen : mapping, optional
        Name -> part, instead of the hash of the name.
    held_out : bool
        Whether pictures are kept for a test of data sets that have none of their own; else all of them train, but for
        those that validate.
    preprocess : PostProcess
        What is done to each fixation map, in 0..1, before it trains or validates; figures are of the data as they are.
    seed : int
    max_seconds : float, optional
        Of training alone; making pictures ready and the evaluation come on top.
    compress : bool
        Make the recipe's schedule as long as `max_seconds`.
    clock : {"wall", "processor"}
        What `max_seconds` is measured by.
    device : str
    devices : int
        So many, from that one on, share each batch.
    nodes : int
        Of so many machines, each with so many devices; see `training.nodes`.
    """

    sources: tuple[Source, ...]
    run: Path
    recipe: Recipe
    head: str = "people"
    init: str = "none"
    chosen: Mapping[str, Part] | None = None
    held_out: bool = True
    preprocess: PostProcess = NOTHING
    seed: int = 0
    max_seconds: float | None = None
    compress: bool = False
    clock: Clock = "wall"
    device: str = "cpu"
    devices: int = 1
    nodes: int = 1

    def __post_init__(self) -> None:
        if not self.sources:
            raise UsageError("nothing to learn from: give --dataset NAME:PATH, or --images DIR with --maps DIR")
        names = [source.name for source in self.sources]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"two data sets are called '{twice}'; name one as OTHER={twice}:PATH")
        for source in self.sources:
            if not (source.weight > 0 and source.weight < float("inf")):
                raise UsageError(f"weight of {source.name}: {source.weight:g}, expected a positive number")
        if not is_head_name(self.head):
            raise UsageError(f"--name '{one_line(self.head, 60)}': expected a name that a folder can have")
        check_length(self.max_seconds, self.compress, self.seed)
        check_nodes(self.nodes, self.compress)
        if self.recipe.hint.weight:
            raise UsageError("hints are a teacher's: leave out hint.weight, or use salbox distill")
        given = self.given  # raises where the data sets have nothing in common
        if self.preprocess != NOTHING and not any(LOSSES[name].choose(given) == "density" for name in self._losses):
            raise UsageError(f"--pre-...: does nothing without a loss on fixation maps (here {', '.join(given)})")

    @property
    def given(self) -> tuple[Truth, ...]:
        """What the pictures of every data set come with, as losses name it; the first is a picture, (h, w).

        Raises
        ------
        UsageError
            If data sets have nothing in common, or not what the recipe's losses need.
        """
        common = frozenset.intersection(*(source.training.gives for source in self.sources))
        densities: list[Truth] = ["density"] if "density" in common else []
        if "fixations" in common:
            densities.append("fixations")
        masks: list[Truth] = ["mask"] if "mask" in common else []
        if not densities and not masks:
            names = ", ".join(source.name for source in self.sources)
            raise UsageError(f"{names}: neither fixations nor maps nor masks of every picture to learn from")
        wanted = [LOSSES[name].needs for name in self._losses]
        fits = [given for given in (densities, masks) if given and all(set(needs) & {*given} for needs in wanted)]
        return tuple(fits[0] if fits else densities or masks)

    @property
    def _losses(self) -> list[str]:
        return [name for name, weight in self.recipe.loss.items() if weight]

    @property
    def processed(self) -> str:
        """What is done to fixation maps before they are learned from, in words; "" if nothing is."""
        return ", ".join(f"{name}={value}" for name, value in changed(self.preprocess).items())

    @property
    def init_run(self) -> Path | None:
        """The run folder whose network is trained further, if `init` is one."""
        if self.init in FIRST_WEIGHTS:
            return None
        folder = user_path(self.init)
        return folder if folder.is_dir() else None

    def identity(self) -> dict[str, Any]:
        """Return all that the result depends on, ready for JSON; a run folder belongs to one."""
        return {
            "datasets": {source.name: [source.training.card.name, source.weight] for source in self.sources},
            "recipe": self.recipe.model_dump(mode="json"),
            "head": self.head,
            "init": self.init if self.init in FIRST_WEIGHTS else _file(self.init),
            "split": None if self.chosen is None else _fingerprint(sorted(self.chosen.items())),
            "held_out": self.held_out,
            "seed": self.seed,
            **({"preprocess": processing} if (processing := changed(self.preprocess)) else {}),
            "compressed_to": self.max_seconds if self.compress else None,
        }

    def contents(self) -> dict[str, str]:
        """Return digests of the files that the result depends on, by what they are called in messages."""
        found = {source.name: source.training.fingerprint() for source in self.sources}
        tests = {f"the test part of {source.name}": source.test.fingerprint() for source in self.sources if source.test}
        run = self.init_run
        start = None if self.init in FIRST_WEIGHTS else user_path(self.init) if run is None else run / WEIGHTS_FILE
        return found | tests | ({} if start is None else {"first weights": path_digest(start)})


def _file(name: str) -> str:
    """Return a name, a path in full: the same command from another folder means another file."""
    path = user_path(name)
    return str(path.resolve()) if path.exists() else name


def _fingerprint(values: Any) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:12]
