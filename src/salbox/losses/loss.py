"""What is known of a loss: what it compares with, which networks it is for, and where its function lies."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ..errors import UsageError
from ..types import Output

if TYPE_CHECKING:
    from torch import Tensor

    Term: TypeAlias = Callable[[Tensor, Tensor, Tensor], Tensor]

# What a loss compares the logits with; (N, K, h, w) as the logits, on their grid:
#   teacher       the map to be imitated, in 0..1
#   density       the fixations blurred, divided by their maximum, in 0..1
#   fixations     how many fixations each pixel got
#   mask          how much of each pixel belongs to the object, in 0..1
#   side outputs  the logits of the network's further outputs
#   features      a layer of the teacher; (N, C, h', w'), on any grid
Truth = Literal["teacher", "density", "fixations", "mask", "side outputs", "features"]

ANY: tuple[Output, ...] = ("score", "log_density", "probability")


@dataclass(frozen=True)
class Loss:
    """A loss; lower is better.

    Its formula is the first line of its function's docstring, its source stands there under References.

    Attributes
    ----------
    name : str
        What one types.
    needs : tuple of str
        What it can be compared with: any one of these, the first that there is.
    accepts : tuple of {"score", "log_density", "probability"}
        The kinds of output that it is for.
    parameters : tuple of str
        The keywords of its function. "output" is what the logits are: sigmoid of them is a "score" or a "probability",
        log-softmax over pixels a "log_density".
    function : str
        "module:attribute" of a function that takes the logits, what `needs` names, both (N, K, h, w), and which of it
        exists, (N, K) bool, and returns a scalar.
    """

    name: str
    needs: tuple[Truth, ...]
    accepts: tuple[Output, ...]
    parameters: tuple[str, ...]
    function: str

    def load(self) -> Callable[..., Tensor]:
        """Return the function; PyTorch is needed."""
        module, attribute = self.function.split(":")
        function: Callable[..., Tensor] = getattr(importlib.import_module(module), attribute)
        return function

    def bind(self, **parameters: Any) -> Term:
        """Return the function of logits, truth and valid, with those of the parameters that it has."""
        return partial(self.load(), **{key: parameters[key] for key in self.parameters if key in parameters})

    def choose(self, given: Collection[Truth]) -> Truth:
        """Return which of what is given it compares with; raises UsageError if it can do with none of it.

        Examples
        --------
        >>> from salbox.losses import LOSSES
        >>> LOSSES["cc"].choose(("fixations", "density"))
        'density'
        """
        for truth in self.needs:
            if truth in given:
                return truth
        raise UsageError(f"loss '{self.name}' needs {' or '.join(self.needs)}; there is only {' and '.join(given)}")
