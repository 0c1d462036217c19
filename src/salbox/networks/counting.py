"""The arithmetic of PyTorch networks, counted on what a run really calls."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

# Besides views: operators that move or make numbers. All others count one operation a number that they give.
_MOVES = (
    "clone copy_ _to_copy to cat stack constant_pad_nd reflection_pad2d replication_pad2d flip index index_select "
    "empty empty_like zeros zeros_like ones full arange scalar_tensor lift_fresh detach contiguous _unsafe_view fill_"
)
_NO_ARITHMETIC = frozenset(_MOVES.split())


class Counted:
    """What was computed: `macs` multiply-adds, `flops` operations, with `parameters` learned numbers.

    Counted as in `salbox.runtime.counting.Arithmetic`; parameters are those that the run looked at.
    """

    def __init__(self) -> None:
        self.macs = 0
        self.flops = 0
        self._parameters: dict[int, int] = {}

    @property
    def parameters(self) -> int:
        """How many learned numbers were used."""
        return sum(self._parameters.values())


@contextlib.contextmanager
def counting() -> Iterator[Counted]:
    """Yield what PyTorch computes in this thread within the block."""
    counted = Counted()
    with _Mode(counted):
        yield counted


class _Mode(TorchDispatchMode):
    def __init__(self, counted: Counted) -> None:
        super().__init__()
        self._counted = counted

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        packet = func._overloadpacket
        if packet not in flop_registry and func is not torch.ops.prim.device.default:
            with self:  # in inference mode operators come here before they are taken apart
                parts = func.decompose(*args, **(kwargs or {}))
            if parts is not NotImplemented:
                return parts
        result = func(*args, **(kwargs or {}))
        for value in args:
            if isinstance(value, torch.nn.Parameter):
                self._counted._parameters[id(value)] = value.numel()
        if packet in flop_registry:
            operations = int(flop_registry[packet](*args, **(kwargs or {}), out_val=result))
            self._counted.macs += operations // 2
            self._counted.flops += operations
        elif not func.is_view and packet.__name__ not in _NO_ARITHMETIC:
            first = result[0] if isinstance(result, (tuple, list)) else result
            self._counted.flops += first.numel() if isinstance(first, torch.Tensor) else 0
        return result
