"""A network that salbox exported, run by ONNX Runtime, one map a head."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import cv2
import numpy as np
import numpy.typing as npt

from ..errors import UsageError, WeightsError, nearest
from ..formats.onnx_file import OnnxFile
from ..formats.onnx_taps import read_by
from ..imaging.scaling import normalized_log
from ..imaging.writing import atomic
from ..models.cards import ModelCard
from ..models.foreign_yaml import card_file, proposal
from ..models.readouts import Look
from ..types import Pixels, SaliencyMap
from .fingerprint import fingerprint_of
from .histogram_curves import HistogramCurves, curves_of
from .metadata import INPUT, KEY, OUTPUT, Metadata
from .preprocessing import Preprocessing
from .session import Session, open_session

# A batch saves calls, not arithmetic: it is kept small, so that the memory does not grow with the number of images.
_MAX_BATCH = 16
_MAX_BATCH_PIXELS = 2**20

_HEAD_WEIGHTS = "head_layers.0.0.0.weight"  # of the first convolution of a head of `networks.trainable.box`
_TOLD = 16  # digits of a fingerprint


class ExportedNetwork:
    """A network with one saliency map a head; what `open_network` returns. Safe in threads and in worker processes.

    Attributes
    ----------
    session : Session
        What runs it.
    metadata : Metadata
        What the file says of it.
    """

    def __init__(self, session: Session, reopen: tuple[str, int | None, str], max_model_size: float | None = None):
        self.session = session
        self.metadata = _metadata_of(session)
        self._reopen = (*reopen, max_model_size)

    def __reduce__(self) -> tuple[Callable[..., ExportedNetwork], tuple[str, int | None, str, float | None]]:
        # A session cannot be sent to another process; the path can.
        return _open, self._reopen

    def __eq__(self, other: object) -> bool:
        """Whether both are the same network: `salbox.predict` runs it once for all of its heads."""
        return isinstance(other, ExportedNetwork) and self.session is other.session

    def __hash__(self) -> int:
        return id(self.session)

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """The names of the heads."""
        return tuple(head.name for head in self.metadata.heads)

    @property
    def cards(self) -> dict[str, ModelCard]:
        """The card of each head."""
        return {head.name: head.card for head in self.metadata.heads}

    @property
    def histogram_curves(self) -> HistogramCurves | None:
        """What makes maps histogram-matched ones; None if the file has nothing that fits its weights.

        Raises
        ------
        WeightsError
            If it is damaged.
        """
        return _curves_of(self.session)

    def histogram_matched(self) -> HistogramMatched | None:
        """Return what gives the heads' histogram-matched maps; None if there is none.

        Raises
        ------
        WeightsError
            If the curves in the file are damaged.
        """
        curves = self.histogram_curves
        if curves is None or self.metadata.output != "score":  # a density has values of its own to keep
            return None
        return HistogramMatched(self, curves)

    def maps(
        self,
        images: Sequence[Pixels],
        heads: Sequence[str] | None = None,
        *,
        preprocessing: Preprocessing | None = None,
        curves: HistogramCurves | None = None,
    ) -> list[dict[str, SaliencyMap]]:
        """Return the maps of images: for each image {head: (H, W) float32, finite}.

        Images that the network looks at in the same size run as one batch. The maps of one image are parts of one block
        of memory.

        Parameters
        ----------
        images : sequence of (H, W, 3) uint8 RGB
            Of any sizes.
        heads : names, optional
            Which maps; by default all.
        preprocessing : Preprocessing, optional
            Another size at which the network looks at the images than the one that it was trained at.
        curves : HistogramCurves, optional
            What gives its own maps, which are small, other values before they are brought to the images' size.

        Raises
        ------
        UsageError
            For a head that the network does not have; the nearest is proposed.
        WeightsError
            If the network gives no maps, or numbers that are none.
        """
        wanted = list(self.heads if heads is None else heads)
        channels = [self.channel(name) for name in wanted]
        preprocessing = preprocessing or self.metadata.preprocessing
        groups: dict[tuple[int, int], list[int]] = defaultdict(list)
        for index, image in enumerate(images):
            groups[preprocessing.working_size(*image.shape[:2])].append(index)
        found: list[dict[str, SaliencyMap]] = [{} for _ in images]
        for (height, width), members in groups.items():
            step = max(1, min(_MAX_BATCH, _MAX_BATCH_PIXELS // (height * width)))
            for start in range(0, len(members), step):
                batch = members[start : start + step]
                prepared = [preprocessing.prepare(images[i]) for i in batch]
                coarse = self._run(prepared[0][None] if len(batch) == 1 else np.stack(prepared))
                for index, maps in zip(batch, coarse, strict=True):
                    # One block for all maps of an image: large enough for large pages of memory, of which a few are
                    # there sooner than thousands of small ones; a fifth of the time of eight heads.
                    block = np.empty((len(wanted), *images[index].shape[:2]), np.float32)
                    for head, channel, target in zip(wanted, channels, block, strict=True):
                        own = maps[channel] if curves is None else curves.apply(head, maps[channel])
                        self._bring_to_size(own, target)
                    found[index] = dict(zip(wanted, block, strict=True))
        return found

    @property
    def shown(self) -> str:
        """Whose features `look` gives: the beginning of the weights' fingerprint; empty if it can give none.

        It can give those of the decoder before the head, of a network of one head that has salbox's own kind of head.
        """
        return _shown_of(self.session)[0] if len(self.heads) == 1 else ""

    def look(self, image: Pixels, *, preprocessing: Preprocessing | None = None) -> Look:
        """Return the map of an image by the one head, (H, W), and the features that it is read off, (C, h, w).

        Parameters
        ----------
        image : (H, W, 3) uint8 RGB
        preprocessing : Preprocessing, optional
            As `maps` takes it.

        Raises
        ------
        UsageError
            If it can give no features; see `shown`.
        WeightsError
            As `maps` does.
        """
        if not self.shown:
            raise UsageError(f"{self.session.file.path}: does not show the features that its map is read off")
        prepared = (preprocessing or self.metadata.preprocessing).prepare(image)[None]
        tensor = _shown_of(self.session)[1]
        coarse, features = self.session.showing(tensor).run({INPUT: prepared}, [OUTPUT, tensor])
        self._check(coarse, 1)
        if features.ndim != 4 or not features.size or not np.isfinite(features).all():
            raise WeightsError(f"{self.session.file.path}: gave features that are none: its weights are broken")
        saliency = np.empty(image.shape[:2], np.float32)
        self._bring_to_size(coarse[0, 0], saliency)
        return Look(saliency, np.asarray(features[0], np.float32))

    def channel(self, head: str) -> int:
        """Return the place of a head's map in the output; raise a UsageError for a head that there is not."""
        try:
            return self.heads.index(head)
        except ValueError:
            have = ", ".join(self.heads)
            raise UsageError(
                f"{self.session.file.path}: no head '{head}'{nearest(str(head), self.heads)} (it has {have})"
            ) from None

    def _run(self, images: Pixels) -> npt.NDArray[np.float32]:
        """Return the network's own maps, (N, heads, h, w), of prepared images, (N, h, w, 3)."""
        maps: npt.NDArray[np.float32] = self.session.run({INPUT: images}, [OUTPUT])[0]
        self._check(maps, len(images))
        return maps

    def _check(self, maps: npt.NDArray[np.float32], count: int) -> None:
        """Raise a WeightsError if what the network gave are no maps of so many images."""
        # Checked where they are small; bilinear weights are within 0..1, so that what is finite stays so.
        if maps.ndim != 4 or maps.shape[:2] != (count, len(self.heads)) or not maps.size:
            raise WeightsError(f"{self.session.file.path}: gave an output of shape {maps.shape}, not a map a head")
        if not np.isfinite(maps).all():
            raise WeightsError(f"{self.session.file.path}: gave numbers that are not finite: its weights are broken")

    def _bring_to_size(self, coarse: npt.NDArray[np.float32], target: SaliencyMap) -> None:
        """Write a map, brought bilinearly to an image's size, to `target`; of a log density, a log density there."""
        if coarse.shape == target.shape:
            target[:] = coarse
        else:
            cv2.resize(np.ascontiguousarray(coarse), target.shape[::-1], dst=target, interpolation=cv2.INTER_LINEAR)
        if self.metadata.output == "log_density":
            target[:] = normalized_log(target)
        elif self.metadata.output == "probability":  # between two ones rounding may find a little more
            np.clip(target, 0, 1, out=target)


class HistogramMatched:
    """A network's heads with the values of their histogram-matched teachers' maps.

    Parameters
    ----------
    network : ExportedNetwork
    curves : HistogramCurves
        Those heads that it has a curve of are there.
    """

    def __init__(self, network: ExportedNetwork, curves: HistogramCurves) -> None:
        self._network, self._curves = network, curves

    def __eq__(self, other: object) -> bool:
        """Whether both are of the same network, which then runs once for all of its heads."""
        return isinstance(other, HistogramMatched) and self._network == other._network

    def __hash__(self) -> int:
        return hash((HistogramMatched, self._network))

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the heads."""
        return tuple(head for head in self._network.heads if head in self._curves.heads)

    @property
    def cards(self) -> dict[str, ModelCard]:
        """The card of each head."""
        return {head: card for head, card in self._network.cards.items() if head in self._curves.heads}

    def maps(self, images: Sequence[Pixels], heads: Sequence[str]) -> list[dict[str, SaliencyMap]]:
        """Return {head: map} for each image; see `ExportedNetwork.maps`."""
        return self._network.maps(images, heads, curves=self._curves)


def open_network(
    path: str | os.PathLike[str],
    *,
    threads: int | None = None,
    provider: str = "cpu",
    max_model_size: float | None = None,
) -> ExportedNetwork:
    """Return an exported network, ready to run.

    The session below it is opened once for each file, number of threads and provider, and shared.

    Parameters
    ----------
    path : path
        An .onnx file that salbox wrote.
    threads : int, optional
        How many threads one run uses; by default `salbox.system.threads.available_threads()`.
    provider : str
        "cpu", "cuda" or "cuda:N"; what is asked for is used, or an error is raised.
    max_model_size : float, optional
        How large the file may be, in MB; by default `onnx_file.MAX_MEGABYTES`.

    Raises
    ------
    WeightsError
        If it is no such file, or a damaged one.
    UsageError
        For a provider that does not exist or is not installed.
    """
    return _open(os.fspath(path), threads, provider, max_model_size)


def copy_network(source: Path, target: Path) -> None:
    """Write an exported network to another place, byte for byte, once it is known that it opens.

    Raises
    ------
    WeightsError
        If it is no file that salbox exported, or a damaged one.
    UsageError
        If the place cannot be written to.
    """
    content = open_network(source, threads=1).session.file.content
    with atomic(target) as temporary:
        temporary.write_bytes(content)


def _open(path: str, threads: int | None, provider: str, max_model_size: float | None) -> ExportedNetwork:
    session = open_session(path, threads=threads, provider=provider, max_megabytes=max_model_size)
    return ExportedNetwork(session, (path, threads, provider), max_model_size)


_known: WeakKeyDictionary[Session, Metadata] = WeakKeyDictionary()


def _metadata_of(session: Session) -> Metadata:
    """Return what the file of a session says of its network, read once: a call with eight heads asks sixteen times."""
    metadata = _known.get(session)
    if metadata is None:
        metadata = _known[session] = _metadata(session.file)
    return metadata


_known_curves: WeakKeyDictionary[Session, HistogramCurves | None] = WeakKeyDictionary()


def _curves_of(session: Session) -> HistogramCurves | None:
    """Return the curves of a session's file, read and checked against its weights once."""
    if session not in _known_curves:
        _known_curves[session] = curves_of(session.file)
    return _known_curves[session]


_known_shown: WeakKeyDictionary[Session, tuple[str, str]] = WeakKeyDictionary()


def _shown_of(session: Session) -> tuple[str, str]:
    """Return whose features a session's network can show, and the tensor that they are; empty if it can show none."""
    if session not in _known_shown:
        tensor = read_by(session.file, _HEAD_WEIGHTS)
        _known_shown[session] = ("", "") if tensor is None else (fingerprint_of(session.file)[:_TOLD], tensor)
    return _known_shown[session]


def _metadata(file: OnnxFile) -> Metadata:
    """Return what a file says of its network, its inputs and outputs checked against it."""
    text = file.metadata.get(KEY)
    if text is None:
        if (beside := card_file(file.path)) is None:
            raise WeightsError(proposal(file))
        raise WeightsError(f"{file.path}: another program's network ({beside.name} is its card), not one of salbox")
    try:
        metadata = Metadata.from_text(text)
    except UsageError as error:
        raise WeightsError(f"{file.path}: {error}") from None
    ports: list[tuple[Any, ...]] = [(p.name, p.dtype, len(p.shape)) for p in (*file.inputs, *file.outputs)]
    if ports != [(INPUT, "uint8", 4), (OUTPUT, "float32", 4)]:
        raise WeightsError(f"{file.path}: its input and output are not those of a network that salbox exported")
    channels = file.outputs[0].shape[1]
    if file.inputs[0].shape[3] != 3 or (isinstance(channels, int) and channels != len(metadata.heads)):
        raise WeightsError(f"{file.path}: its input or output has not the channels that its metadata say")
    return metadata
