"""What is to be explained, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError
from ..models.exported import STUDENT_FILE, is_path
from ..paths import user_path
from ..system.contents import path_digest
from .concept_sets import Photos
from .contributions import REPLICATES, TOP
from .thresholds import KEPT
from .vocabulary import MIN_PHOTOS

if TYPE_CHECKING:
    from ..training.clock import Clock  # which needs torch

BASES = 512
HEAD = "head"  # the layer that a map is read off by the network's last convolution, whose weights come with it
_CHECKPOINTS = (".pth", ".pt", ".tar", ".safetensors")


@dataclass(frozen=True)
class Plan:
    """What is to be explained, and how.

    Attributes
    ----------
    model : str
        What `salbox.network` knows: a model, a run folder, an .onnx of salbox, each with #head behind it for one head
        of several. Or a file of weights of the three networks that were published factorised.
    output : Path
        The folder of all files.
    concepts : tuple of str
        "NAME:PATH" of data sets that say what photos show.
    datasets : tuple of str
        "[LABEL=]NAME:PATH" to train on, and to take thresholds over.
    train : bool
        Whether the network is factorised; else its channels are dissected as they are.
    layer : str, optional
        Without training: the feature whose channels are dissected, by default that which maps are read off; "head" for
        what the last convolution before the map sees, of which is known too what each channel adds.
    bases : int
    kept : float
        The share of all places at which a basis counts as active.
    min_photos : int
        On so many photos a concept has to be.
    limit : int, optional
        Only so many photos of each of the `concepts`.
    top : int
        Concepts that share a basis.
    replicates : int
        Of the bootstrap.
    categories : Path, optional
        See `salbox.explain.categories.read_categories`.
    settings : tuple of str
        "key=value" of the recipe.
    weights : str, optional
        Of a model that has none of its own.
    sha256 : str, optional
    seed : int
    max_seconds : float, optional
        Of each of the two trainings.
    clock : {"wall", "processor"}
        What they are measured by.
    device : str
    """

    model: str
    output: Path
    concepts: tuple[str, ...]
    datasets: tuple[str, ...] = ()
    train: bool = True
    layer: str | None = None
    bases: int = BASES
    kept: float = KEPT
    min_photos: int = MIN_PHOTOS
    limit: int | None = None
    top: int = TOP
    replicates: int = REPLICATES
    categories: Path | None = None
    settings: tuple[str, ...] = ()
    weights: str | None = None
    sha256: str | None = None
    seed: int = 0
    max_seconds: float | None = None
    clock: Clock = "wall"
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not 0 < self.kept < 1:
            raise UsageError(f"kept={self.kept:g}: expected a share, above 0 and below 1")
        if self.layer is not None and self.train:
            raise UsageError("a layer is chosen of networks as they are: --layer goes with --no-train")

    @property
    def is_checkpoint(self) -> bool:
        """Whether the model is a file of weights of the networks that were published factorised."""
        path = user_path(self.model)
        return path.suffix in _CHECKPOINTS and path.is_file()

    def identity(self, photos: Photos) -> dict[str, Any]:
        """Return what all files but the last step's depend on, ready for JSON."""
        path = user_path(self.model.partition("#")[0])
        # A folder that happens to be called as a model is not meant.
        is_file = (is_path(self.model) or self.is_checkpoint) and path.exists()
        return {
            "model": [whole_path(self.model), path_digest(_weights_of(path))] if is_file else self.model,
            "weights": self.weights,
            "trained": self.train,
            "layer": self.layer,
            "bases": self.bases,
            "settings": list(self.settings),
            "seed": self.seed,
            "datasets": list(self.datasets),
            "concepts": photos.identity(),
            "kept": self.kept,
            "min_photos": self.min_photos,
        }


def whole_path(model: str) -> str:
    """Return the whole path of a model's file or folder, with the "#head" that was given behind it."""
    path, mark, head = model.partition("#")
    return f"{user_path(path).resolve()}{mark}{head}"


def _weights_of(path: Path) -> Path:
    """Return the file of a model's weights: itself, or that in a run folder."""
    return path / STUDENT_FILE if path.is_dir() else path
