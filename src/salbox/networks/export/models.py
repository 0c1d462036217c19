"""Which of the models that can be loaded can be exported, and how; what `salbox export` does.

Importing this module imports no torch, so that what cannot be exported is said without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from ...errors import MissingExtraError, SalboxError, UsageError, WeightsError
from ...formats.onnx_file import inspect
from ...imaging.writing import atomic
from ...models.model import HasGraph, HasNetwork, HasPreprocessing, Model
from ...runtime.metadata import INPUT, OUTPUT, Head, Metadata
from ...runtime.network import ExportedNetwork, open_network
from ...runtime.preprocessing import Preprocessing
from ...runtime.session import Session
from ...version import __version__

Stored = Literal["half", "int8"]


def export_model(model: Model, path: Path, *, half: bool = False) -> None:
    """Write a loaded model's network as ONNX, with the model's card; see `export_onnx`.

    Raises
    ------
    UsageError
        If the model is no network, or does more around its network than the file could hold.
    SalboxError
        If ONNX Runtime's maps are not the network's.
    """
    function: object = model.function
    if not isinstance(function, HasNetwork):
        if is_exported(model):
            raise UsageError(f"model '{model.name}' is an ONNX file already: {model.weights}; see --any-size")
        raise UsageError(f"model '{model.name}' is no network: there is nothing to write as ONNX")
    try:
        from ..trainable.base import TrainableNetwork
        from .onnx import export_graph, export_onnx
    except ModuleNotFoundError:
        raise MissingExtraError("writing a network as ONNX", "train") from None
    network = function.network
    # The weights are in the file, and so is all that there was to choose.
    card = replace(model.card, weights_from="", parameters=())
    if isinstance(network, TrainableNetwork) and not isinstance(function, HasGraph):
        return export_onnx(
            network,
            path,
            dict.fromkeys(network.heads, card),
            dict.fromkeys(network.heads, model.name.partition(".")[0]),
            half=half,
        )
    if isinstance(function, HasGraph):
        graph = function.graph(**model.parameters)
        native = Preprocessing("native", 480, 640)
        metadata = Metadata(
            salbox=__version__,
            network=model.name,
            heads=(Head(model.name, model.name, card),),
            preprocessing=function.preprocessing if isinstance(function, HasPreprocessing) else native,
            output=model.card.output,
            parameters=sum(p.numel() for p in network.parameters()),
        )
        expected = partial(function, **model.parameters)
        return export_graph(graph, metadata, path, expected, half=half)
    raise UsageError(
        f"model '{model.name}' resizes and smooths around its network in ways that the file would not hold, so "
        "that its maps would be others; distil it instead (salbox distill), and export the student"
    )


def is_exported(model: Model) -> bool:
    """Return whether a model is run from an ONNX file, as those are that ship."""
    return model.weights is not None and model.weights.suffix == ".onnx"


def export_any_size(models: Sequence[Model], path: Path) -> None:
    """Write heads of one exported network, those that ship among them, with the resizing inside; see `write_any_size`.

    Raises
    ------
    UsageError
        If they are of several files, or of none that salbox exported.
    SalboxError
        If the file's maps are not salbox's.
    """
    sources = list(dict.fromkeys(model.weights for model in models))
    if len(sources) != 1 or sources[0] is None or not is_exported(models[0]):
        names = ", ".join(model.name for model in models)
        raise UsageError(
            f"{names}: --any-size takes an exported network, or heads of one: gaze, gbvs.student, FILE.onnx"
        )
    try:
        from .any_size import write_any_size
    except ModuleNotFoundError:
        raise MissingExtraError("writing a network as ONNX", "train") from None
    heads = [model.head for model in models if model.network is not None]
    write_any_size(sources[0], path, heads or None)


def shrink_exported(source: Path, target: Path, stored: Stored = "half") -> None:
    """Write an exported network again with its weights in half precision or in 8 bits, the arithmetic as it is.

    Parameters
    ----------
    source, target : Path
    stored : {"half", "int8"}
        "half" is half the size and changes nothing that one could see; "int8" is a quarter of it, and changes maps in
        the third digit.

    Raises
    ------
    WeightsError
        If it is no file that salbox exported, or a damaged one.
    SalboxError
        If its maps would be others.
    UsageError
        If the place cannot be written to.
    """
    exported = open_network(source, threads=1)
    try:
        import onnx
        from onnx.checker import ValidationError

        from .half import store_as_half
        from .int8 import store_as_int8
        from .onnx import HALF_TOLERANCE, INT8_TOLERANCE
    except ModuleNotFoundError:
        raise MissingExtraError("storing weights in fewer bits", "train") from None
    try:
        graph = onnx.load_model_from_string(exported.session.file.content)
        (store_as_half if stored == "half" else store_as_int8)(graph)
        onnx.checker.check_model(graph, full_check=True)
    except (ValidationError, onnx.shape_inference.InferenceError, ValueError) as error:
        raise WeightsError(f"{source}: damaged ({' '.join(str(error).split())[:200]})") from None
    with atomic(target) as temporary:
        temporary.write_bytes(graph.SerializeToString(deterministic=True))
        difference = _difference(exported, Session(inspect(temporary), threads=1, provider="cpu"))
        if not difference <= (HALF_TOLERANCE if stored == "half" else INT8_TOLERANCE):
            raise SalboxError(f"{target}: not written: stored as {stored}, maps differ by {difference:.2g} of a range")


def _difference(exported: ExportedNetwork, other: Session) -> float:
    """Return by how much maps differ at most: probabilities as they are, others as a share of the map's range."""
    from .onnx import pictures, spread_difference

    images = pictures(2, *exported.metadata.preprocessing.working_size(192, 256))
    (before,), (after,) = (session.run({INPUT: images}, [OUTPUT]) for session in (exported.session, other))
    if exported.metadata.output == "probability":  # 0 to 1, however little of that a picture without an object has
        return float(np.abs(after - before).max())
    return spread_difference(after, before)
