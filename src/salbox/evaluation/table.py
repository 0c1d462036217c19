"""What a table of figures has to know to be shown: `salbox.evaluation.Evaluation` is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from ..metrics import Metric
from .bootstrap import Difference, Estimate

if TYPE_CHECKING:
    import pandas as pd


class FiguresTable(Protocol):
    """Figures with their intervals, a row a model and a column a metric."""

    @property
    def dataset(self) -> str:
        """What was measured on."""
        ...

    @property
    def split(self) -> str:
        """Which images of it."""
        ...

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The columns."""
        ...

    @property
    def images(self) -> tuple[str, ...]:
        """The images that every figure is over."""
        ...

    @property
    def rows(self) -> Mapping[str, Any]:
        """The rows by name."""
        ...

    @property
    def facts(self) -> Mapping[str, str]:
        """What the figures depend on."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know."""
        ...

    def estimate(self, row: str, metric: str) -> Estimate | None:
        """Return a figure with its interval, or None where it is not defined."""
        ...

    def difference(self, row: str, metric: str, reference: str) -> Difference | None:
        """Return a row's figure minus another's, or None."""
        ...

    def check_row(self, name: str) -> None:
        """Raise UsageError unless there is a row of this name."""
        ...

    def to_pandas(self, *, per_image: bool = False, against: str | None = None) -> pd.DataFrame:
        """Return the figures unrounded."""
        ...
