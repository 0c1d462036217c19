"""An ONNX file of another program, run as the card beside it says: an image in, a map of its size out."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import WeightsError, nearest
from ..formats.onnx_file import OnnxFile, Port
from ..imaging.scaling import map_at, min_max, normalized_log
from ..models.foreign import ForeignCard, SizeRule
from ..models.foreign_yaml import ports_in_words
from ..types import FloatMap, Pixels, SaliencyMap, Shape
from .session import Session, open_session

_OUTSIDE = 1e-3  # how far a probability may lie outside of 0..1, by rounding
_TYPES = ("float32", "float16", "float64", "uint8")

Place = tuple[int, int, int, int]  # top, left, bottom and right of what is within bars, in pixels
Opening = tuple[str, ForeignCard, str, float | None]


class ForeignPredictor:
    """The network with what is done before and after it; safe in threads and in worker processes.

    Attributes
    ----------
    session : Session
        What runs it.
    card : ForeignCard
    size : SizeRule
        The card's, or what the file states.
    """

    def __init__(self, session: Session, card: ForeignCard, opening: Opening) -> None:
        self.session = session
        self.card = card
        self._input = _chosen(session.file, session.file.inputs, card.input_name, "input")
        self._output = _chosen(session.file, session.file.outputs, card.output_name, "output")
        self.size = _checked(session.file, self._input, card)
        self._opening = opening

    @classmethod
    def load(
        cls,
        weights: str | os.PathLike[str],
        device: str = "cpu",
        *,
        card: ForeignCard,
        max_model_size: float | None = None,
    ) -> ForeignPredictor:
        """Return the network of a file.

        Parameters
        ----------
        weights : path
            The .onnx file.
        device : str
            "cpu", "cuda" or "cuda:1"; what is asked for is used, or an error is raised.
        card : ForeignCard
            What stands beside it.
        max_model_size : float, optional
            Of the file, in MB.

        Raises
        ------
        WeightsError
            If it is none that salbox runs, or not as the card says.
        UsageError
            If there is no such device.
        """
        return _open(os.fspath(weights), card, device, max_model_size)

    def __reduce__(self) -> tuple[Callable[..., ForeignPredictor], Opening]:
        # A session cannot be sent to another process; the path can.
        return _open, self._opening

    def __call__(self, image: Pixels) -> SaliencyMap:
        """Return the network's map at the image's size: (H, W) float32, finite.

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB

        Raises
        ------
        WeightsError
            If the network gives no map, or numbers that are not what the card says.
        """
        pixels, place = _framed(image, self.size, self.card.resize)
        (values,) = self.session.run({self._input.name: self._normalized(pixels)}, [self._output.name])
        coarse = self._one_map(values)
        if place is not None:
            coarse = _without_bars(coarse, pixels.shape[:2], place)
        found = map_at(self._activated(coarse), image.shape[:2], "score")
        return normalized_log(found) if self.card.output == "log_density" else found

    def _normalized(self, pixels: Pixels) -> npt.NDArray[Any]:
        """Return what the network takes, a batch of one."""
        card = self.card
        ordered = pixels if card.channels == "RGB" else pixels[..., ::-1]
        if self._input.dtype == "uint8":
            planes: npt.NDArray[Any] = ordered
        else:
            low, high = (0.0, 1.0) if card.range is None else card.range
            brightest = 255.0 if card.range is not None else max(1, int(pixels.max()))
            values = ordered.astype(np.float32) / np.float32(brightest / (high - low)) + np.float32(low)
            planes = (values - np.array(card.mean, np.float32)) / np.array(card.std, np.float32)
        if card.layout == "NCHW":
            planes = planes.transpose(2, 0, 1)
        return np.ascontiguousarray(planes[None], dtype=self._input.dtype)

    def _one_map(self, values: npt.NDArray[Any]) -> FloatMap:
        """Return what the network gave as a map, (h, w) float32, finite."""
        path, name = self.session.file.path, self._output.name
        shape = values.shape
        while values.ndim > 2 and values.shape[0] == 1:
            values = values[0]
        if values.ndim == 3 and values.shape[2] == 1:
            values = values[..., 0]
        if values.ndim != 2 or not values.size:
            raise WeightsError(f"{path}: gave an output '{name}' of shape {shape}, not one map")
        found = values.astype(np.float32)
        if not np.isfinite(found).all():
            raise WeightsError(f"{path}: gave numbers that are not finite: its weights or its card are broken")
        return found

    def _activated(self, values: FloatMap) -> FloatMap:
        if self.card.activation == "min-max":
            return min_max(values)
        if self.card.activation == "sigmoid":
            return np.exp(-np.logaddexp(np.float32(0), -values))
        if self.card.output != "probability":
            return values
        low, high = float(values.min()), float(values.max())
        if low < -_OUTSIDE or high > 1 + _OUTSIDE:
            raise WeightsError(
                f"{self.session.file.path}: gave numbers from {low:.3g} to {high:.3g}, no probabilities; its card may "
                "lack 'activation: sigmoid' or 'activation: min-max', or be wrong of range, mean or std"
            )
        return np.clip(values, 0, 1)


def _open(path: str, card: ForeignCard, device: str, max_model_size: float | None) -> ForeignPredictor:
    session = open_session(path, provider=device, max_megabytes=max_model_size)
    return ForeignPredictor(session, card, (path, card, device, max_model_size))


def _chosen(file: OnnxFile, ports: tuple[Port, ...], name: str, kind: str) -> Port:
    """Return the input or output that a card names, or the only one."""
    if kind == "input" and len(ports) > 1:
        raise WeightsError(f"{file.path}: takes {ports_in_words(ports)}; only networks that take one image are run")
    names = [port.name for port in ports]
    if name and name not in names:
        raise WeightsError(
            f"{file.path}: no {kind} '{name}' as its card says{nearest(name, names)} (it has {ports_in_words(ports)})"
        )
    if not name and len(ports) != 1:
        raise WeightsError(f"{file.path}: has {ports_in_words(ports)}; {kind}_name in its card says which")
    return ports[names.index(name)] if name else ports[0]


def _checked(file: OnnxFile, image: Port, card: ForeignCard) -> SizeRule:
    """Return the rule of size, once it is known that the file takes what the card says."""
    words = ports_in_words([image])
    if image.dtype not in _TYPES or len(image.shape) != 4:
        raise WeightsError(f"{file.path}: takes {words} of {image.dtype}; expected one image, of {', '.join(_TYPES)}")
    batch, *others = image.shape
    channels = others.pop(0 if card.layout == "NCHW" else 2)
    if not _fits(channels, 3) or not _fits(batch, 1):
        raise WeightsError(f"{file.path}: takes {words}, not one image of 3 channels laid out as {card.layout}")
    if image.dtype == "uint8" and (card.range, card.mean, card.std) != ((0.0, 255.0), (0.0,) * 3, (1.0,) * 3):
        raise WeightsError(f"{file.path}: takes whole numbers, so that its card can only say range: [0, 255]")
    height, width = others
    if card.size is None:
        if not isinstance(height, int) or not isinstance(width, int):
            raise WeightsError(f"{file.path}: takes images of any size; its card lacks 'size'")
        return SizeRule("stretch", height, width)
    if card.size.rule in ("stretch", "letterbox"):
        fits = _fits(height, card.size.height) and _fits(width, card.size.width)
    else:  # whatever the image's size is
        fits = not isinstance(height, int) and not isinstance(width, int)
    if not fits:
        raise WeightsError(
            f"{file.path}: takes {words}, which layout {card.layout} and the size in its card do not fit"
        )
    return card.size


def _fits(side: int | str | None, wanted: int) -> bool:
    return side == wanted if isinstance(side, int) else True


def _framed(image: Pixels, size: SizeRule, resampling: str) -> tuple[Pixels, Place | None]:
    """Return an image as a rule has it, and where in it the picture is if there are bars around."""
    height, width = size.working_size(*image.shape[:2])
    if image.shape[:2] != (height, width):
        way = Image.Resampling[resampling.upper()]
        image = np.asarray(Image.fromarray(image).resize((width, height), way))
    if size.rule != "letterbox":
        return image, None
    top, left = (size.height - height) // 2, (size.width - width) // 2
    place = (top, left, top + height, left + width)
    bars = (top, size.height - height - top, left, size.width - width - left)
    return cv2.copyMakeBorder(image, *bars, cv2.BORDER_CONSTANT, value=(size.fill,) * 3), place


def _without_bars(coarse: FloatMap, shape: Shape, place: Place) -> FloatMap:
    """Return the part of a map, of an image of a shape with bars around it, that lies within them.

    A coarse map is enlarged first, unless the bars end between its pixels: so that hardly anything of them comes in.
    """
    factors = tuple(side / full for side, full in zip(coarse.shape, shape, strict=True)) * 2
    edges = [edge * factor for edge, factor in zip(place, factors, strict=True)]
    if not all(edge.is_integer() for edge in edges):
        coarse, edges = map_at(coarse, shape, "score"), list(place)
    top, left, bottom, right = map(int, edges)
    return coarse[top:bottom, left:right]
