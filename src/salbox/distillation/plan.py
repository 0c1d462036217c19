"""What a distillation is to do: photos, teachers, recipe."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ..errors import UsageError
from ..evaluation.code import changed, weights_hashes
from ..imaging.inputs import ImageFile
from ..imaging.postprocess import NOTHING
from ..models.calibrated import worn_card
from ..models.cards import to_json
from ..models.exported import STUDENT_FILE, WEIGHTS_FILE
from ..models.loading import card, own_code
from ..models.specs import split_loading
from ..networks.trainable.factory import FIRST_WEIGHTS
from ..paths import user_path
from ..system.contents import joint_digest, path_digest
from ..training.nodes import check_nodes
from ..training.options import check_length
from ..training.recipe import Recipe
from ..training.splitting import Part, photo_key
from ..types import Output
from .teachers.maps_folder import TeacherMaps
from .teachers.teacher import Teacher

if TYPE_CHECKING:
    from ..training.clock import Clock

SHIPPED_TRUNK = "shipped"

_OF_A_RUN = (STUDENT_FILE, WEIGHTS_FILE)  # what another run takes of a run folder


@dataclass(frozen=True)
class HeadTarget:
    """What one head learns from: a model, or a folder of its maps.

    Attributes
    ----------
    head : str
        The head's name.
    teacher : Teacher, optional
        Its maps are computed.
    maps : Path, optional
        Its maps are there; see `TeacherMaps`.
    flips : tuple of {"h", "v"}
        Of a folder of maps: how they may be mirrored with their photos. Of a model it is measured.
    output : {"score", "log_density", "probability"}, optional
        What the numbers of a folder of maps are, where their files do not say it.
    photos : set of names, optional
        The keys of the training and validation photos that it has maps of; a slow teacher need not see all. Photos
        that test are always among them.
    """

    head: str
    teacher: Teacher | None = None
    maps: Path | None = None
    flips: tuple[str, ...] = ()
    output: Output | None = None
    photos: frozenset[str] | None = None

    @property
    def is_probability(self) -> bool:
        """Whether its maps are probabilities, learned from as they are; all others are min-max scaled first."""
        if self.teacher is None:
            return self.open_maps().unscaled
        return self.teacher.output == "probability"

    def open_maps(self) -> TeacherMaps:
        """Return the maps of a folder of them."""
        return TeacherMaps(cast("Path", self.maps), self.output)

    def identity(self) -> dict[str, Any]:
        """Return what the target depends on, ready for JSON."""
        if self.teacher is None:
            output = {} if self.output is None else {"output": self.output}
            return {"maps": str(Path(str(self.maps)).resolve()), "flips": list(self.flips), **output}
        parameters, loading = split_loading(self.teacher.arguments)
        found = worn_card(card(self.teacher.model, max_model_size=loading.get("max_model_size")), parameters)
        checked = found.parameters_to_json(found.check_parameters(parameters))  # of a file with a hash of it
        arguments = {k: checked.get(k, v) for k, v in self.teacher.arguments.items() if k != "device"}
        weights = weights_hashes(self.teacher.model, loading)
        return {
            "model": self.teacher.model,
            "arguments": json.loads(json.dumps(arguments, default=to_json)),
            **({"weights": weights} if weights else {}),
            "preprocess": changed(self.teacher.preprocess),
            **({"code": code} if (code := own_code(self.teacher.model, or_token=True)) else {}),
            **({} if self.photos is None else {"photos": _fingerprint(sorted(self.photos))}),
        }


@dataclass(frozen=True)
class Plan:
    """A distillation.

    Attributes
    ----------
    photos : tuple of ImageFile
        They are split in three.
    run : Path
        Where everything goes.
    targets : tuple of HeadTarget
        One a head, in this order.
    recipe : Recipe
    init : str, optional
        First weights of the encoder; see `networks.trainable.factory.build_network`. By default those of the network
        that ships where it fits, else none. Or a run folder, whose whole network is trained further, unless it is
        called as one of `FIRST_WEIGHTS`.
    domains : float
        How many of the training photos are learned from in a changed form too, 0 to 1.
    keep_plain : bool
        Whether a photo that is changed is learned from as it is too.
    chosen : mapping, optional
        Name -> part, instead of the hash of the name.
    add_to : str, optional
        "shipped" or a run folder: the targets become new heads on its network, of which nothing else changes.
    min_confidence : float, optional
        Photos of which a teacher of probabilities is less sure neither train nor validate its head; see
        `teachers.confidence`.
    in_process : bool
        The teacher, one, runs beside the student on the very picture that it sees.
    seed : int
    max_seconds : float, optional
        Of training alone; teachers' maps and the report come on top.
    compress : bool
        Make the recipe's schedule as long as `max_seconds`.
    clock : {"wall", "processor"}
        What `max_seconds` is measured by.
    workers : int, optional
        Processes for the teachers.
    device : str
        Where the student trains.
    devices : int
        So many, from that one on, share each batch.
    """

    photos: tuple[ImageFile, ...]
    run: Path
    targets: tuple[HeadTarget, ...]
    recipe: Recipe
    init: str | None = None
    domains: float = 0.0
    keep_plain: bool = True
    chosen: Mapping[str, Part] | None = None
    add_to: str | None = None
    min_confidence: float | None = None
    in_process: bool = False
    seed: int = 0
    max_seconds: float | None = None
    compress: bool = False
    clock: Clock = "wall"
    workers: int | None = None
    device: str = "cpu"
    devices: int = 1
    nodes: int = 1

    def __post_init__(self) -> None:
        if not self.targets:
            raise UsageError("no teacher; give --teacher NAME or --teacher-maps DIR")
        heads = [target.head for target in self.targets]
        twice = next((head for head in heads if heads.count(head) > 1), None)
        if twice is not None:
            raise UsageError(f"two teachers are called '{twice}'; name a folder of maps as NAME=DIR")
        if not 0 <= self.domains <= 1:
            raise UsageError(f"domains={self.domains:g}: expected a share of the photos, 0 to 1")
        if self.domains and all(target.teacher is None for target in self.targets):
            raise UsageError("--domains needs a teacher that can be run on the changed photos, not maps alone")
        if self.in_process and (len(self.targets) > 1 or self.targets[0].teacher is None):
            raise UsageError("--in-process is for one teacher, a PyTorch network of salbox")
        if self.in_process and self.targets[0].teacher is not None and self.targets[0].teacher.preprocess != NOTHING:
            raise UsageError("--in-process learns from maps as they are: leave out the --pre options")
        if self.min_confidence is not None:
            self._check_confidence(self.min_confidence)
        if self.in_process and self.devices * self.nodes > 1:
            raise UsageError("--in-process and several --devices or --nodes do not go together")
        if self.recipe.hint.weight and not self.in_process:
            raise UsageError("hints need the teacher's features: add --in-process")
        check_length(self.max_seconds, self.compress, self.seed)
        check_nodes(self.nodes, self.compress)

    def _check_confidence(self, least: float) -> None:
        if not 0 <= least <= 1:
            raise UsageError(f"--min-confidence {least:g}: expected 0 to 1")
        if self.in_process:
            raise UsageError("--min-confidence needs maps that are stored: leave out --in-process")
        if other := [target.head for target in self.targets if not target.is_probability]:
            raise UsageError(f"--min-confidence is for teachers of probabilities; '{other[0]}' gives a score")

    @property
    def init_run(self) -> Path | None:
        """The run folder whose network is trained further, if `init` is one."""
        if self.init is None or self.init in FIRST_WEIGHTS:
            return None
        folder = user_path(self.init)
        return folder if folder.is_dir() else None

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of what is learned."""
        return tuple(target.head for target in self.targets)

    def identity(self) -> dict[str, Any]:
        """Return all that the result depends on, ready for JSON; a run folder belongs to one."""
        return {
            "teachers": {target.head: target.identity() for target in self.targets},
            "recipe": self.recipe.model_dump(mode="json"),
            "init": self.init if self.init in FIRST_WEIGHTS else _file(self.init),
            "domains": self.domains,
            "keep_plain": self.keep_plain,
            "photos": f"{len(self.photos)} of fingerprint {_fingerprint([photo_key(p) for p in self.photos])}",
            "split": None if self.chosen is None else _fingerprint(sorted(self.chosen.items())),
            "add_to": _file(self.add_to),
            **{f"content of {key}": found for key, found in self._first_contents().items()},
            **({} if self.min_confidence is None else {"min_confidence": self.min_confidence}),
            "in_process": self.in_process,
            "seed": self.seed,
            "compressed_to": self.max_seconds if self.compress else None,
        }

    def contents(self) -> dict[str, str]:
        """Return digests of what the photos, and the maps that are there, hold: a run learns from these."""
        found = {"photos": joint_digest((photo_key(photo), photo.path) for photo in self.photos)}
        for target in self.targets:
            if target.teacher is None:
                found[f"maps of {target.head}"] = target.open_maps().content()
        return found

    def _first_contents(self) -> dict[str, str]:
        """Return digests of the files that the network begins with."""
        named = {"init": self.init, "add_to": self.add_to}
        words = (SHIPPED_TRUNK, *FIRST_WEIGHTS)
        given = {key: user_path(name) for key, name in named.items() if name is not None and name not in words}
        paths = {key: path for key, path in given.items() if path.exists()}
        return {
            key: joint_digest((file, path / file) for file in _OF_A_RUN) if path.is_dir() else path_digest(path)
            for key, path in paths.items()
        }


def _file(name: str | None) -> str | None:
    """Return a name, a path in full: the same command from another folder means another file."""
    if name is None or not user_path(name).exists():
        return name
    return str(user_path(name).resolve())


def _fingerprint(values: Sequence[Any]) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()[:12]
