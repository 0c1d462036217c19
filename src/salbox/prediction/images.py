"""The one road from image to map: what a model looks at, networks that several share, what is done to their maps."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from ..errors import SalboxError, UsageError
from ..imaging.image import ImageSource, read_image
from ..imaging.postprocess import NOTHING, PostProcess
from ..imaging.scaling import at_size, map_at, smaller_copy
from ..models.cards import to_json
from ..models.ensembles import Ensemble
from ..models.exported import HISTOGRAM_MATCHED
from ..models.loading import load_for
from ..models.model import HeadedNetwork, Model
from ..models.registry import known_names
from ..models.specs import AnyModel, as_models, check_targets, ensure_histogram_matched
from ..types import Output, Pixels, SaliencyMap
from ..version import __version__

Maps = dict[str, SaliencyMap]

BATCH = 16  # images whose pixels are held at a time
_BATCH_DIMENSIONS = 4  # of an array that is several images: (N, H, W, 3)

# What helps where an image takes more memory than there is.
SMALLER_COPY = "--size N computes on a smaller copy"
FEWER_WORKERS = "fewer --workers may help"


@dataclass(frozen=True, eq=False)
class Pipeline:
    """A model with what is done before and after it; called with an image it gives the map.

    Attributes
    ----------
    model : Model
    postprocess : PostProcess
    size : int, optional
        Compute on a copy of this longest side, and bring the map back to the image's size; see `Model.at_size`.
    longest_side : int, optional
        Bring the image to this longest side, a smaller one too, and leave the map at that size.
    """

    model: Model
    postprocess: PostProcess = NOTHING
    size: int | None = None
    longest_side: int | None = None

    @property
    def output(self) -> Output:
        """What the numbers of its maps are, after post-processing."""
        return self.postprocess.output_of(self.model.card.output)

    def __call__(self, image: Pixels, name: str | None = None) -> SaliencyMap:
        """Return the map of an image, (H, W, 3) uint8; `name` is what post-processing looks for in a folder."""
        (saliency,) = ImageMaps([image], [self], [name]).of(self)
        return saliency

    def prepare(self, image: Pixels) -> Pixels:
        """Return what the model looks at."""
        if self.longest_side is not None:
            return at_size(image, self.longest_side)
        return image if self.size is None else smaller_copy(image, self.size)

    def finish(self, saliency: SaliencyMap, image: Pixels, name: str | None) -> SaliencyMap:
        """Return the map of an image, made of the model's own of what `prepare` gives."""
        if self.size is not None:
            saliency = map_at(saliency, image.shape[:2], self.model.card.output)
        if self.postprocess == NOTHING:  # a copy of each map would take as long as bringing it to the image's size
            return saliency
        return self.postprocess(saliency, name=name, output=self.model.card.output)

    @property
    def input_size(self) -> tuple[int | None, int | None]:
        """What `prepare` goes by: models of one network that look at an image in one size share a pass."""
        return self.size, self.longest_side


class ImageMaps:
    """The maps of images that go through networks together, each made when it is asked for.

    A network runs once for all of its heads that look at the images in one size, and a model that several pipelines ask
    for, as a member of an ensemble and by itself, once as well.

    Parameters
    ----------
    images : sequence of (H, W, 3) uint8
    pipelines : iterable of Pipeline
        Those whose maps will be asked for.
    names : sequence of str or None, optional
        The images' names, which post-processing looks for in folders.
    """

    def __init__(
        self, images: Sequence[Pixels], pipelines: Iterable[Pipeline], names: Sequence[str | None] | None = None
    ) -> None:
        self._images, self._pipelines = images, tuple(pipelines)
        self._names = [None] * len(images) if names is None else names
        self._passes: dict[Any, list[dict[str, SaliencyMap]]] = {}
        self._shared = Counter(
            _key(model, pipeline) for pipeline in self._pipelines for model in _members(pipeline.model)
        )
        self._kept: dict[Any, list[SaliencyMap]] = {}  # of models that are asked for more than once

    def of(self, pipeline: Pipeline) -> list[SaliencyMap]:
        """Return a pipeline's map of each image: (H, W) float32."""
        maps = zip(self._raw(pipeline.model, pipeline), self._images, self._names, strict=True)
        return [pipeline.finish(saliency, image, name) for saliency, image, name in maps]

    def _raw(self, model: Model, pipeline: Pipeline) -> list[SaliencyMap]:
        """Return the unprocessed maps of a pipeline's model, or of a member of it."""
        if isinstance(model.function, Ensemble):
            members = {name: self._raw(member, pipeline) for name, member in model.function.models.items()}
            each = ({name: maps[k] for name, maps in members.items()} for k in range(len(self._images)))
            return [model.function.combine(maps) for maps in each]
        if model.network is None:
            key = _key(model, pipeline)
            if key in self._kept:
                return self._kept[key]
            maps = [model(pipeline.prepare(image)) for image in self._images]
            if self._shared[key] > 1:
                self._kept[key] = maps
            return maps
        return [maps[model.head] for maps in self._pass(model.network, model.head, pipeline)]

    def _pass(self, network: HeadedNetwork, head: str, pipeline: Pipeline) -> list[dict[str, SaliencyMap]]:
        """Return the maps of each image by a network's heads, this one among them."""
        key = network, pipeline.input_size
        found = self._passes.get(key, [])
        if not found or head not in found[0]:
            sharing = [other for other in self._pipelines if other.input_size == pipeline.input_size]
            models = [model for other in sharing for model in _members(other.model)]
            heads = dict.fromkeys([head, *(model.head for model in models if model.network == network)])
            found = network.maps([pipeline.prepare(image) for image in self._images], list(heads))
            self._passes[key] = found
        return found


def _members(model: Model) -> Iterable[Model]:
    """Return the models whose maps a model's are made of: its members of an ensemble, of any other itself."""
    return model.function.models.values() if isinstance(model.function, Ensemble) else (model,)


def _key(model: Model, pipeline: Pipeline) -> tuple[Any, ...]:
    """Return what tells a model's maps apart: two that are opened by one name alike give the same."""
    settings = tuple((name, to_json(value)) for name, value in sorted(model.parameters.items()))
    how = type(model.function).__name__  # in half precision it is another
    return model.name, str(settings), model.weights, how, pipeline.input_size


@contextlib.contextmanager
def memory_errors_named(image: object, way_out: str) -> Iterator[None]:
    """Turn a MemoryError within into a SalboxError of one line: the image, and what helps."""
    try:
        yield
    except MemoryError:
        raise SalboxError(f"{image}: not enough memory ({way_out})") from None


def device_of(arguments: Iterable[Mapping[str, Any]]) -> str | None:
    """Return where models compute, given keywords of `load`: the first device that is not the CPU, None if none is."""
    devices = (each.get("device") for each in arguments)
    return next((device for device in devices if device not in (None, "cpu")), None)


def folder_name(model: str) -> str:
    """Return the folder for a model's maps: its name, with what some file systems refuse replaced."""
    return model.replace(":", "-").replace("*", "x")


def output_folders(folder: Path, models: Iterable[str]) -> list[Path]:
    """Return where outputs go, so that they are not taken for inputs: the folder, and those of models in it.

    Parameters
    ----------
    folder : Path
        The folder of outputs, which may be the one of the photos.
    models : texts
        Names or paths of the models that run now; those that salbox knows may have run before.
    """
    names = dict.fromkeys([*known_names(), *models, *(Path(model).name for model in models)])
    return [folder, *(folder / folder_name(name) for name in names)]


def map_notes(model: str, **settings: Any) -> dict[str, Any]:
    """Return what a map's file says of how it was made, ready for JSON: the version, the model's name, settings."""
    return {"salbox": __version__, "model": model, **settings}


@overload
def predict(
    image: ImageSource,
    models: AnyModel | Iterable[AnyModel],
    *,
    postprocess: PostProcess | None = ...,
    weights: Mapping[str, Any] | None = ...,
    device: str = ...,
    histogram_matched: bool = ...,
) -> Maps: ...


@overload
def predict(
    image: list[ImageSource] | tuple[ImageSource, ...],
    models: AnyModel | Iterable[AnyModel],
    *,
    postprocess: PostProcess | None = ...,
    weights: Mapping[str, Any] | None = ...,
    device: str = ...,
    histogram_matched: bool = ...,
) -> list[Maps]: ...


def predict(
    image: ImageSource | list[ImageSource] | tuple[ImageSource, ...],
    models: AnyModel | Iterable[AnyModel],
    *,
    postprocess: PostProcess | None = None,
    weights: Mapping[str, Any] | None = None,
    device: str = "cpu",
    histogram_matched: bool = False,
) -> Maps | list[Maps]:
    """Return the maps of several models for one image, or for each of several.

    Parameters
    ----------
    image : path, bytes, file object, PIL image or array; or a list of them, or an array (N, H, W, 3)
        Each is read once. Images of a list go through a network in batches.
    models : names, paths, what `salbox.load` returned, or functions of an image
        One or several. A function takes (H, W, 3) uint8 RGB and returns (H, W); see `salbox.register`.
    postprocess : PostProcess, optional
        What is done to each map; by default nothing.
    weights : {name: path}, optional
        Checkpoints of the models that need one.
    device : str
        Where the networks that are named compute: "cpu", "cuda" or "cuda:1"; one that is loaded stays where it is.
    histogram_matched : bool
        Of students that ship: their teachers' maps after histogram matching to a mean fixation map.

    Returns
    -------
    dict, or list of dict
        Name, as salbox spells it, -> map, (H, W) float32, in the order given.

    Raises
    ------
    UsageError
        For an unknown model, two models of one name, weights for a model that is not asked for by its name, or a model
        that has no histogram-matched maps where these are asked for.
    ImageError
        If an image cannot be read.

    Examples
    --------
    >>> import salbox, skimage.data
    >>> photo = skimage.data.chelsea()
    >>> maps = salbox.predict(photo, models=["imsig", "gaussian"])
    >>> {name: saliency.shape for name, saliency in maps.items()}
    {'imsig': (300, 451), 'gaussian': (300, 451)}

    Students share one pass through their network; of several images each gets its maps:

    >>> process = salbox.PostProcess(scale_output="min-max")
    >>> found = salbox.predict([photo, photo[:, ::-1]], models=["gbvs.student", "bms.student"], postprocess=process)
    >>> [list(maps) for maps in found], float(found[0]["gbvs.student"].max())
    ([['gbvs.student', 'bms.student'], ['gbvs.student', 'bms.student']], 1.0)
    """
    asked = _by_name([models] if isinstance(models, (str, os.PathLike)) or callable(models) else models)
    process = postprocess or NOTHING
    given = dict(weights or {})
    check_targets(given, [name for name, model in asked.items() if model is None])
    settings: dict[str, Any] = {"device": device}
    if histogram_matched:
        for name, model in asked.items():
            _ensure_histogram_matched(name, model)
        settings[HISTOGRAM_MATCHED.name] = True
    pipelines = {
        name: Pipeline(model or load_for(name, {"weights": given.get(name), **settings}, process), process)
        for name, model in asked.items()
    }
    if isinstance(image, np.ndarray) and image.ndim == _BATCH_DIMENSIONS:
        image = list(image)
    if not isinstance(image, (list, tuple)):
        return _predict([image], pipelines)[0]
    batches = [image[i : i + BATCH] for i in range(0, len(image), BATCH)]
    return [maps for batch in batches for maps in _predict(batch, pipelines)]


def _ensure_histogram_matched(name: str, model: Model | None) -> None:
    """Raise a UsageError if a model has no histogram-matched maps, or was loaded without them."""
    if model is None:
        ensure_histogram_matched(name)
    elif not model.parameters.get(HISTOGRAM_MATCHED.name):
        raise UsageError(f"model '{name}' is loaded already, and not with {HISTOGRAM_MATCHED.name}=True")


def _by_name(models: Iterable[AnyModel]) -> dict[str, Model | None]:
    """Return {name: model}, None for what is yet to be loaded."""
    found: dict[str, Model | None] = {}
    for each in (model for given in models for model in as_models(given)):
        name, model = (each, None) if isinstance(each, str) else (each.name, each)
        if found.setdefault(name, model) is not model:
            raise UsageError(f"two models are called '{name}': ask for them one after the other")
    return found


def _predict(images: Sequence[ImageSource], pipelines: Mapping[str, Pipeline]) -> list[Maps]:
    names = [Path(image).name if isinstance(image, (str, os.PathLike)) else None for image in images]
    maps = ImageMaps([read_image(image) for image in images], pipelines.values(), names)
    found = {name: maps.of(pipeline) for name, pipeline in pipelines.items()}
    return [{name: each[k] for name, each in found.items()} for k in range(len(images))]
