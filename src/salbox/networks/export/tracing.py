"""PyTorch modules as ONNX graphs."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator, Mapping

import onnx
import torch
from torch import Tensor, nn

from ...errors import SalboxError

OPSET = 18

Sides = tuple[str, ...]


def traced(
    graph: nn.Module, inputs: Mapping[str, tuple[Tensor, Sides]], outputs: Mapping[str, Sides], name: str
) -> onnx.ModelProto:
    """Return the graph of a module.

    PyTorch's tracing exporter writes it: in a second or two, where the exporter through `torch.export` takes a quarter
    of a minute for the box and joins batch norms with convolutions, whose numbers are then lost. Its one weakness, a
    size that is taken for a constant, is what a check of the written file at other sizes finds.

    Parameters
    ----------
    graph : nn.Module
    inputs : mapping
        The name of each input -> an example, and the names of its sides; "" for a side that is always as it is there.
    outputs : mapping
        The name of each output -> the names of its sides.
    name : str
        What errors call it.

    Raises
    ------
    SalboxError
        If PyTorch cannot write it as ONNX.
    """
    content = io.BytesIO()
    sides = {key: each[1] for key, each in inputs.items()} | dict(outputs)
    try:
        with _quietly(), torch.no_grad():
            torch.onnx.export(
                graph.eval(),
                tuple(example for example, _ in inputs.values()),
                content,
                dynamo=False,
                input_names=list(inputs),
                output_names=list(outputs),
                opset_version=OPSET,
                dynamic_axes={key: {k: side for k, side in enumerate(each) if side} for key, each in sides.items()},
                training=torch.onnx.TrainingMode.PRESERVE,  # evaluation, as it is, but batch norms stay
                do_constant_folding=False,  # weights keep shape and name; whoever runs the file folds what can be
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise SalboxError(f"network '{name}': PyTorch cannot write it as ONNX ({reason})") from None
    return onnx.load_model_from_string(content.getvalue())


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep the exporter's advice to developers from the user's screen."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
