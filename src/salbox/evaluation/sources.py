"""What is measured, a row of the table each: models, maps on disk, the centre bias, other people."""

from __future__ import annotations

import pickle
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy.typing as npt

from ..errors import UsageError, one_line
from ..imaging.postprocess import NOTHING, PostProcess
from ..metrics import Metric, Result
from ..models.calibrated import worn_card
from ..models.cards import ModelCard, to_json
from ..models.loading import card, load_for
from ..models.model import Model
from ..models.specs import split_loading
from ..prediction import images
from ..prediction.images import Pipeline
from ..system.source import UnknownSource
from ..types import Output
from .code import changed, code_fingerprint, weights_hashes
from .maps import MapFolder, resized
from .truth import ImageTruth

Results: TypeAlias = "dict[str, Result]"
Mapper: TypeAlias = "Callable[[ImageTruth], npt.NDArray[Any]]"
Scorer: TypeAlias = "Callable[[ImageTruth, Sequence[Metric]], Results]"


class Source(Protocol):
    """One row of the table. It can be pickled; `scorer` loads what is heavy."""

    @property
    def name(self) -> str:
        """What the row is called."""
        ...

    @property
    def output(self) -> Output:
        """What the numbers of its maps are, after post-processing."""
        ...

    def settings(self) -> dict[str, Any]:
        """Return everything that its figures depend on beside the dataset, ready for JSON."""
        ...

    def covers(self, index: int) -> bool:
        """Return whether there is a map of an image."""
        ...

    def scorer(self) -> Scorer:
        """Return what scores one image."""
        ...


def score_map(saliency: npt.NDArray[Any], output: Output, truth: ImageTruth, metrics: Sequence[Metric]) -> Results:
    """Return the metrics of a map, which is brought to the size of what each compares it with."""
    results: Results = {}
    at: dict[Any, npt.NDArray[Any]] = {}
    for metric in metrics:
        given = [truth[need] for need in metric.needs if need in ("density", "mask")]
        shape = saliency.shape if "teacher" in metric.needs else given[0].shape if given else truth.shape
        if shape not in at:
            at[shape] = resized(saliency, output, shape)
        results[metric.name] = metric.score(at[shape], output, truth)
    return results


@dataclass(frozen=True)
class MapScorer:
    """Scores the map of one image.

    Parameters
    ----------
    mapper : callable
        Makes the map.
    output : {"score", "log_density", "probability"}
        What its numbers are.
    """

    mapper: Mapper
    output: Output

    @property
    def pipelines(self) -> tuple[Pipeline, ...]:
        """What its map is made by, if a model makes it."""
        return pipelines_of([self.mapper])

    def __call__(self, truth: ImageTruth, metrics: Sequence[Metric]) -> Results:
        """Return the metrics of an image's map."""
        return score_map(self.mapper(truth), self.output, truth, metrics)


@dataclass(frozen=True)
class _ModelMapper:
    """Makes a model's map of an image."""

    pipeline: Pipeline

    @property
    def pipelines(self) -> tuple[Pipeline, ...]:
        return (self.pipeline,)

    def __call__(self, truth: ImageTruth) -> npt.NDArray[Any]:
        (saliency,) = truth.maps.of(self.pipeline)
        return saliency


def pipelines_of(makers: Iterable[object]) -> tuple[Pipeline, ...]:
    """Return the pipelines that mappers and scorers run on an image: those of heads of one network share its pass.

    A source of another kind (maps on disk, a class of somebody's own) has none.
    """
    return tuple(pipeline for maker in makers for pipeline in getattr(maker, "pipelines", ()))


@dataclass(frozen=True)
class ModelSource:
    """A model, run on each image.

    Attributes
    ----------
    name : str
    parameters : mapping
        Keywords of `salbox.load`: parameters that differ from the defaults, and weights, sha256 and device.
    postprocess : PostProcess
    longest_side : int, optional
        The size at which it sees an image, enlarged (cubic) or shrunk (by area) to it; by default as the image is.
    loaded : Model, optional
        The model itself; see `of`.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    postprocess: PostProcess = NOTHING
    longest_side: int | None = None
    loaded: Model | None = field(default=None, repr=False)

    @classmethod
    def of(cls, model: Model) -> ModelSource:
        """Return the row of a loaded model; figures of one that `salbox.load` returned are those of its name."""
        known = model.loaded_as
        return cls(model.name, model.parameters if known is None else known.keywords, loaded=model)

    @property
    def card(self) -> ModelCard:
        """The model's card."""
        if self.loaded is not None:
            return self.loaded.card
        return worn_card(card(self.name, max_model_size=self.parameters.get("max_model_size")), self.parameters)

    @property
    def output(self) -> Output:
        """What the numbers of its maps are, after post-processing."""
        return self.postprocess.output_of(self.card.output)

    @property
    def unkept(self) -> str:
        """Why its figures are not kept: there is no saying which code they come from; "" if they are."""
        return self._code()[1]

    def settings(self) -> dict[str, Any]:
        """Return the model, all of its parameters, the post-processing and a fingerprint of the code."""
        known = self.known_name
        parameters, loading = split_loading(self.parameters)
        settings = {
            "model": known or self.name,
            "parameters": self.card.parameters_to_json(self.card.check_parameters(parameters))
            if known
            else {name: to_json(value) for name, value in parameters.items()},
            "postprocess": changed(self.postprocess),
            "longest_side": self.longest_side,
            "code": self._code()[0],
        }
        hashes = weights_hashes(known, loading) if known else {}
        return {**settings, "weights": hashes} if hashes else settings

    def covers(self, index: int) -> bool:
        """Return True: a model has a map of every image."""
        return True

    def mapper(self) -> Mapper:
        """Return what makes the map of an image; the model is loaded."""
        model = self.loaded or load_for(self.name, self.parameters, self.postprocess)
        return _ModelMapper(Pipeline(model, self.postprocess, longest_side=self.longest_side))

    def scorer(self) -> Scorer:
        """Return what scores one image; the model is loaded."""
        return MapScorer(self.mapper(), self.output)

    @property
    def known_name(self) -> str:
        """The name that the model can be loaded by; "" if there is none."""
        if self.loaded is None:
            return self.name
        return self.loaded.loaded_as.name if self.loaded.loaded_as is not None else ""

    def _code(self) -> tuple[str, str]:
        """Return a fingerprint of the code, and why it is no more than something new each time; "" if it is more."""
        known = self.known_name
        if not known:
            return secrets.token_hex(8), "there is no name to load it by"
        try:
            return code_fingerprint(known), ""
        except UnknownSource as error:
            return secrets.token_hex(8), str(error)

    def __getstate__(self) -> dict[str, Any]:
        # Asked for when the source goes to another process.
        try:
            pickle.dumps(self.loaded)
        except Exception as error:  # pickling raises what the objects inside raise
            reason = one_line(error)
            raise UsageError(f"'{self.name}' cannot be sent to other processes ({reason}): use workers=1") from None
        return dict(self.__dict__)


@dataclass(frozen=True)
class MapSource:
    """Maps on disk, whatever made them.

    Attributes
    ----------
    folder : MapFolder
    kind : {"score", "log_density", "probability"}, optional
        What the maps' numbers are; by default what their files say, a score if they say nothing.
    postprocess : PostProcess
    """

    folder: MapFolder
    kind: Output | None = None
    postprocess: PostProcess = NOTHING

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def output(self) -> Output:
        """What the maps' numbers are, after post-processing."""
        return self.postprocess.output_of(self._kind)

    @property
    def _kind(self) -> Output:
        return self.kind or self.folder.output

    def settings(self) -> dict[str, Any]:
        """Return the folder, a fingerprint of its files, and the post-processing."""
        return {
            "maps": str(self.folder.path.resolve()),
            "files": self.folder.fingerprint(),
            "output": self._kind,
            "postprocess": changed(self.postprocess),
        }

    def covers(self, index: int) -> bool:
        """Return whether there is a map of an image."""
        return index in self.folder.files

    def mapper(self) -> Mapper:
        """Return what reads the map of an image."""

        kind = self._kind

        def make(truth: ImageTruth) -> npt.NDArray[Any]:
            if truth.index not in self.folder.files:
                raise UsageError(f"{self.folder.path}: no map of {truth.file_name}")
            values = self.folder.read(truth.index, kind)
            if self.postprocess == NOTHING:
                return values
            return self.postprocess(values, name=truth.file_name, output=kind)

        return make

    def scorer(self) -> Scorer:
        """Return what scores one image."""
        return MapScorer(self.mapper(), self.output)


@dataclass(frozen=True)
class CenterBias:
    """Where people look on the split's other images: the baseline, and what information gain is relative to."""

    name: str = "centre bias"
    output: Output = "log_density"

    def settings(self) -> dict[str, Any]:
        """Return what it is."""
        return {"baseline": "density of the fixations on the split's other images", "code": code_fingerprint(None)}

    def covers(self, index: int) -> bool:
        """Return True."""
        return True

    def scorer(self) -> Scorer:
        """Return what scores one image."""
        return lambda truth, metrics: score_map(truth.others_log_density(), "log_density", truth, metrics)


RowSource: TypeAlias = "ModelSource | MapSource"


def device_of(sources: Iterable[Source]) -> str | None:
    """Return where the rows' models compute: the first device that is not the CPU, None if all use the CPU."""
    models = (getattr(source, "source", source) for source in sources)
    return images.device_of(model.parameters for model in models if isinstance(model, ModelSource))
