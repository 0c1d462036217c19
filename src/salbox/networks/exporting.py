"""Which of the models that can be loaded can be exported, and how; what `salbox export` does.

Importing this module imports no torch, so that what cannot be exported is said without it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from ..errors import MissingExtraError, SalboxError, UsageError, WeightsError
from ..model import Model
from ..students.metadata import INPUT, OUTPUT, Head, Metadata
from ..students.onnx_file import inspect
from ..students.preprocessing import Preprocessing
from ..students.session import Session
from ..students.student import Student, open_student
from ..version import __version__
from ..writing import atomic

Stored = Literal["half", "int8"]


@runtime_checkable
class HasGraph(Protocol):
    """A published network with its weights that can be had as one graph, with all that is done around it."""

    def __call__(self, image: Any, **parameters: Any) -> Any:
        """Return the map of an image."""
        ...

    def whole(self, **parameters: Any) -> Any:
        """Return a module from uint8 images, (N, H, W, 3), to maps of their size, (N, 1, H, W)."""
        ...


def export_model(model: Model, path: Path, *, half: bool = False) -> None:
    """Write a loaded model's network as ONNX, with the model's card; see `export_onnx`.

    Raises
    ------
    UsageError
        If the model is no network, or does more around its network than the file could hold.
    SalboxError
        If ONNX Runtime's maps are not the network's.
    """
    network = getattr(model.function, "network", None)
    if network is None and model.weights is not None and model.weights.suffix == ".onnx":
        raise UsageError(f"model '{model.name}' is an ONNX file already: {model.weights}")
    if network is None:
        raise UsageError(f"model '{model.name}' is no network: there is nothing to write as ONNX")
    try:
        from .export import export_onnx, export_whole
        from .student import StudentNetwork
    except ModuleNotFoundError:
        raise MissingExtraError("writing a network as ONNX", "train") from None
    # The weights are in the file, and so is all that there was to choose.
    card = replace(model.card, weights_from="", parameters=())
    if isinstance(network, StudentNetwork):
        return export_onnx(
            network,
            path,
            dict.fromkeys(network.heads, card),
            dict.fromkeys(network.heads, model.name.partition(".")[0]),
            half=half,
        )
    if isinstance(model.function, HasGraph):
        whole = model.function.whole(**model.parameters)
        metadata = Metadata(
            salbox=__version__,
            network=model.name,
            heads=(Head(model.name, model.name, card),),
            preprocessing=getattr(model.function, "preprocessing", Preprocessing("native", 480, 640)),
            output=model.card.output,  # type: ignore[arg-type]  # of a fixation model
            parameters=sum(p.numel() for p in network.parameters()),
        )
        expected = partial(model.function, **model.parameters)
        return export_whole(whole, metadata, path, expected, half=half)
    raise UsageError(
        f"model '{model.name}' resizes and smooths around its network in ways that the file would not hold, so "
        "that its maps would be others; distil it instead (salbox distill), and export the student"
    )


def shrink_student(source: Path, target: Path, stored: Stored = "half") -> None:
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
    student = open_student(source, threads=1)
    try:
        import onnx
        from onnx.checker import ValidationError

        from .export import HALF_TOLERANCE, INT8_TOLERANCE
        from .half import store_as_half
        from .int8 import store_as_int8
    except ModuleNotFoundError:
        raise MissingExtraError("storing weights in fewer bits", "train") from None
    try:
        graph = onnx.load_model_from_string(student.session.file.content)
        (store_as_half if stored == "half" else store_as_int8)(graph)
        onnx.checker.check_model(graph, full_check=True)
    except (ValidationError, onnx.shape_inference.InferenceError, ValueError) as error:
        raise WeightsError(f"{source}: damaged ({' '.join(str(error).split())[:200]})") from None
    with atomic(target) as temporary:
        temporary.write_bytes(graph.SerializeToString(deterministic=True))
        difference = _difference(student, Session(inspect(temporary), threads=1, provider="cpu"))
        if not difference <= (HALF_TOLERANCE if stored == "half" else INT8_TOLERANCE):
            raise SalboxError(f"{target}: not written: stored as {stored}, maps differ by {difference:.2g} of a range")


def _difference(student: Student, other: Session) -> float:
    from .export import pictures, spread_difference

    images = pictures(2, *student.metadata.preprocessing.working_size(192, 256))
    (before,), (after,) = (session.run({INPUT: images}, [OUTPUT]) for session in (student.session, other))
    return spread_difference(after, before)
