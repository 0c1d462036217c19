"""A loaded model: an image in, a saliency map of the image's size out."""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from ..errors import SalboxError, UsageError, located
from ..imaging.image import ImageSource, read_image
from ..imaging.scaling import map_at, smaller_copy
from ..types import Pixels, SaliencyMap
from .cards import ModelCard, display
from .import_paths import import_path_of, resolve
from .scanpaths import DEFAULT, Saccades, draw, find_saccades
from .sending import LoadedAs, load_again, restored

PRECISIONS = ("float32", "half")

_BATCH_DIMENSIONS = 4  # of an array that is several images

_UNIT_SUM = 1e-2  # how far the sum of a density may be from 1: single precision is off by less


class HeadedNetwork(Protocol):
    """A network with heads, each a model with a card of its own; one pass gives the maps of all."""

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the heads."""
        ...

    @property
    def cards(self) -> dict[str, ModelCard]:
        """The card of each head."""
        ...

    def maps(self, images: Sequence[Pixels], heads: Sequence[str]) -> list[dict[str, SaliencyMap]]:
        """Return {head: map} for each image; maps are (H, W) float32, of the image's size."""
        ...


@runtime_checkable
class CanFollow(Protocol):
    """A model's function that remembers what it saw of a video."""

    def follow(self, **parameters: Any) -> Callable[[Pixels], npt.NDArray[Any]]:
        """Return what is called with the frames of one clip, one after another, and gives the map of each."""
        ...


@runtime_checkable
class CanRunAs(Protocol):
    """A model's function whose network can run in more than one way."""

    def run_as(self, *, precision: str, channels_last: bool) -> Callable[..., npt.NDArray[Any]]:
        """Return what is called in its place; see `Model.run_as`."""
        ...


@runtime_checkable
class HasNetwork(Protocol):
    """A model's function that is a PyTorch network and what is done around it."""

    @property
    def network(self) -> Any:
        """The network, an nn.Module, in evaluation mode."""
        ...


@runtime_checkable
class HasGraph(Protocol):
    """A model's function that can be had as one graph, with all that is done around its network."""

    def __call__(self, image: Pixels, **parameters: Any) -> npt.NDArray[Any]:
        """Return the map of an image."""
        ...

    def graph(self, **parameters: Any) -> Any:
        """Return an nn.Module from uint8 images, (N, H, W, 3), to maps of their size, (N, 1, H, W)."""
        ...


@runtime_checkable
class HasPreprocessing(Protocol):
    """A model's function that states the size at which its network looks at an image."""

    @property
    def preprocessing(self) -> Any:
        """The size, a `runtime.preprocessing.Preprocessing`."""
        ...


class Model:
    """A saliency model with its parameters fixed; what `salbox.load` returns.

    Parameters
    ----------
    card : ModelCard
    function : callable, or None for a head of a network
        Takes an image, (H, W, 3) uint8 RGB, and the parameters as keywords; returns a map, (H, W).
    parameters : mapping
        Every parameter of the card with its value.
    network, head : HeadedNetwork and str, optional
        What gives the map where there is no function.
    weights : Path, optional
        The file that the weights came from.
    own : bool
        Whether the function is somebody's own: it gets a copy of the image, what it raises becomes one line, and what
        it gives must be what the card says.

    Attributes
    ----------
    loaded_as : LoadedAs or None
        How to get the same model again, if that is known. Another process does so where a model is sent to it.
    """

    def __init__(
        self,
        card: ModelCard,
        function: Callable[..., npt.NDArray[Any]] | None,
        parameters: Mapping[str, Any],
        *,
        network: HeadedNetwork | None = None,
        head: str = "",
        weights: Path | None = None,
        own: bool = False,
    ):
        self.card = card
        self.parameters: Mapping[str, Any] = MappingProxyType(dict(parameters))
        self.function = function
        self.network = network
        self.head = head
        self.weights = weights
        self.own = own
        self.loaded_as: LoadedAs | None = None
        self._made_of = ""

    @property
    def name(self) -> str:
        """The name it was loaded by."""
        return self.card.name

    @property
    def made_of(self) -> str:
        """The name of the model that `salbox.load` returned, also where that was changed since; "" if none is known."""
        return self._made_of if self.loaded_as is None else self.loaded_as.name

    def __call__(self, image: ImageSource) -> SaliencyMap:
        """Return the model's raw map of an image: (H, W) float32, finite, nothing applied that was not asked for.

        Parameters
        ----------
        image : path, bytes, file object, PIL image or array
            See `salbox.read_image`. Of an array of several, (N, H, W, 3), the maps come as one, (N, H, W).

        Raises
        ------
        ImageError
            If it cannot be read as an image.
        UsageError
            If what the model gives is no map of the image, or if a function of somebody's own fails.
        """
        if isinstance(image, np.ndarray) and image.ndim == _BATCH_DIMENSIONS and len(image):
            return np.stack([self(each) for each in image])
        pixels = read_image(image)
        if self.function is not None:
            values = self._own_values(self.function, pixels) if self.own else self.function(pixels, **self.parameters)
        elif self.network is not None:
            values = self.network.maps([pixels], [self.head])[0][self.head]
        else:
            raise AssertionError(f"model '{self.name}' has neither a function nor a network")
        return self._checked(values, pixels.shape[:2])

    def _own_values(self, function: Callable[..., Any], pixels: Pixels) -> Any:
        """Return what a function of somebody's own gives."""
        try:
            return function(pixels.copy(), **self.parameters)
        except (SalboxError, MemoryError):
            raise
        except Exception as error:  # whatever somebody's own code raises
            raise UsageError(f"model '{self.name}' failed: {located(error)}") from error

    def _checked(self, values: Any, shape: tuple[int, ...]) -> SaliencyMap:
        """Return what a function or network gave as a map, (H, W) float32; raise a UsageError if it is none."""
        try:
            given = np.asarray(values)
        except Exception as error:  # a list with gaps, a tensor on a GPU
            raise UsageError(f"model '{self.name}' gives no array: {located(error)}") from error
        if given.dtype.kind not in "biuf":
            kind = type(values).__name__ if given.ndim == 0 else f"numbers of type {given.dtype}"
            raise UsageError(f"model '{self.name}' gives {kind}, not a map of real numbers of shape {shape}")
        if given.shape != shape:
            raise UsageError(f"model '{self.name}' gives a map of shape {given.shape} for an image of {shape}")
        with np.errstate(over="ignore"):  # what is too large for single precision is not finite then
            # An array that somebody's function keeps for itself may be written to again.
            saliency = given.astype(np.float32, order="C") if self.own else np.ascontiguousarray(given, np.float32)
        if not np.isfinite(saliency).all():
            raise UsageError(f"model '{self.name}' gives values that are not finite numbers")
        if self.own:
            self._check_output(saliency)
        return saliency

    def _check_output(self, saliency: SaliencyMap) -> None:
        """Raise a UsageError if a map's numbers are not what the card says."""
        output = self.card.output
        if output == "log_density":
            with np.errstate(over="ignore"):
                total = float(np.exp(saliency, dtype=np.float64).sum())
            if abs(total - 1) > _UNIT_SUM:
                raise UsageError(
                    f"model '{self.name}' gives no log density: exp of its map sums to {total:.3g}, not to 1; "
                    "subtract the log of that sum"
                )
        elif output == "probability" and not (saliency.min() >= 0 and saliency.max() <= 1):
            low, high = float(saliency.min()), float(saliency.max())
            raise UsageError(f"model '{self.name}' gives no probability: {low:.3g} to {high:.3g}, not within 0 to 1")

    def at_size(self, image: ImageSource, longest_side: int | None) -> SaliencyMap:
        """Return the map computed on a smaller copy and brought back to the image's size: (H, W) float32.

        Parameters
        ----------
        longest_side : int or None
            Of the copy, made with OpenCV's INTER_AREA; the map comes back bilinearly. An image that is no larger, or
            None, is computed as it is.
        """
        pixels = read_image(image)
        if longest_side is None:
            return self(pixels)
        return map_at(self(smaller_copy(pixels, longest_side)), pixels.shape[:2], self.card.output)

    def follow(self) -> Model:
        """Return the model for one clip, to be called with its frames, one after another, each once.

        A model that is made for videos carries what it remembers from frame to frame; to any other a frame is an image
        by itself.
        """
        function: object = self.function
        if not isinstance(function, CanFollow):
            return self
        remembering = function.follow(**self.parameters)
        # As it is where it can be: whoever runs an ensemble may share its members' networks with others.
        called = (lambda frame, **_: remembering(frame)) if self.parameters else remembering
        return self._changed(called)

    def run_as(self, *, precision: str = "float32", channels_last: bool = False) -> Model:
        """Return the model with its PyTorch network run another way: faster on some hardware, its maps a little off.

        Parameters
        ----------
        precision : {"float32", "half"}
            "half": convolutions and matrix products in bfloat16 on a processor, in float16 on a GPU.
        channels_last : bool
            The channels of a pixel beside each other in memory. This model's own network is laid out so too.

        Raises
        ------
        UsageError
            If there is no such precision, or the model is no PyTorch network that can.
        """
        if precision not in PRECISIONS:
            raise UsageError(f"precision '{precision}': expected {' or '.join(PRECISIONS)}")
        if precision == "float32" and not channels_last:
            return self
        function: object = self.function
        if not isinstance(function, CanRunAs):
            raise UsageError(f"model '{self.name}' runs in one way: leave precision and channels-last out")
        return self._changed(function.run_as(precision=precision, channels_last=channels_last))

    def _changed(self, function: Callable[..., npt.NDArray[Any]]) -> Model:
        """Return the model with another function; it is no longer what `loaded_as` gives, only made of it."""
        model = Model(self.card, function, self.parameters, weights=self.weights, own=self.own)
        model._made_of = self.made_of
        return model

    def log_density(self, image: ImageSource) -> SaliencyMap:
        """Return the natural log of a probability density over pixels: (H, W) float32, exp sums to 1.

        Raises
        ------
        UsageError
            If the model's output is not a density.
        """
        if self.card.output != "log_density":
            raise UsageError(
                f"model '{self.name}' gives a {self.card.output}, not a density; "
                "to turn its map into one choose a rule, e.g. PostProcess(scale_output='log-density')"
            )
        return self(image)

    def map_for(
        self,
        metric: str,
        image: ImageSource,
        *,
        center_bias: npt.ArrayLike | None = None,
        sigma: float | None = None,
        fixations: int = 100,
    ) -> npt.NDArray[np.float64]:
        """Return the map that the model's own density expects to score best by a metric: (H, W) float64.

        Parameters
        ----------
        metric : {"nss", "auc", "sauc", "cc", "kl", "sim"}
        image : path, bytes, file object, PIL image or array
        center_bias, sigma, fixations
            What some metrics need; see `salbox.metrics.map_for`.

        Raises
        ------
        UsageError
            If the model's output is not a density (a profile makes it one), for another metric, or if what the metric
            needs is missing.
        """
        from ..metrics import map_for  # with what no other use of a model needs

        return map_for(metric, self.log_density(image), center_bias=center_bias, sigma=sigma, fixations=fixations)

    def sample(
        self,
        image: ImageSource,
        count: int,
        seed: int | np.random.Generator | None = 0,
        *,
        scanpath: bool = False,
        saccades: str | Saccades = DEFAULT,
    ) -> npt.NDArray[np.int64]:
        """Return fixations drawn from the model's density: (count, 2) positions in pixels, in the order (x, y).

        Parameters
        ----------
        image : path, bytes, file object, PIL image or array
        count : int
            How many.
        seed : int, numpy.random.Generator or None
            The same number draws the same fixations, None others each time; a generator is drawn from.
        scanpath : bool
            Draw one after the other, as one person's eyes might go: each depends on those before. By default they are
            independent of each other, as of many people's.
        saccades : name or Saccades
            How a scanpath goes on: "general", "osie", "mit1003", or what `salbox.calibration.scanpaths` fitted.

        Raises
        ------
        UsageError
            If the model's output is not a density, the count or the seed is of another kind or negative, or there are
            no saccades of that name.
        """
        count = _whole(count, "count", "")
        if seed is not None and not isinstance(seed, np.random.Generator):
            seed = _whole(seed, "seed", ", a Generator or None")
        steps = find_saccades(saccades) if scanpath else None
        log_density, random = self.log_density(image), np.random.default_rng(seed)
        return draw(log_density, count, random) if steps is None else steps.sample(log_density, count, random)

    def __copy__(self) -> Model:
        return restored(type(self), {**vars(self)})

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        # The network of heads is shared: nothing changes it.
        return restored(type(self), {**vars(self), "function": copy.deepcopy(self.function, memo)})

    def __reduce__(self) -> tuple[Callable[..., Model], tuple[Any, ...]]:
        # To another process goes how to get the model, not the model: a network can be large, or impossible to send.
        if self.loaded_as is not None:
            bring = resolve("salbox.models.registry:brought_along")(self.loaded_as.name)
            return load_again, (self.loaded_as, self.card, bring)
        if callable(self.function) and hasattr(self.function, "__qualname__") and not import_path_of(self.function):
            raise pickle.PicklingError(f"the function of model '{self.name}' lies in no module that can be imported")
        state = {**vars(self), "parameters": dict(self.parameters)}
        return restored, (type(self), state)

    def __repr__(self) -> str:
        arguments = "".join(f", {name}={display(value)}" for name, value in self.parameters.items())
        return f"salbox.load({self.name!r}{arguments})"


def _whole(value: Any, name: str, or_else: str) -> int:
    """Return a whole number of any kind, at least 0, as an int."""
    try:
        number = -1 if isinstance(value, (bool, np.bool_)) else operator.index(value)
    except TypeError:
        number = -1
    if number < 0:
        raise UsageError(f"{name}={display(value)}: expected a whole number, at least 0{or_else}")
    return number
