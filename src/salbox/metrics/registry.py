"""All metrics by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..errors import UsageError, nearest
from .auc import METRICS as AUC
from .binary import METRICS as BINARY
from .distribution import METRICS as DISTRIBUTION
from .emd import METRICS as EMD
from .fidelity import METRICS as FIDELITY
from .information import METRICS as INFORMATION
from .metric import Metric
from .nss import METRICS as NSS
from .objects import CURVES
from .objects import METRICS as OBJECTS

METRICS: Mapping[str, Metric] = MappingProxyType(
    {m.name: m for m in (*NSS, *AUC, *DISTRIBUTION, *EMD, *INFORMATION, *FIDELITY, *OBJECTS, *BINARY)}
)


_CURVES: Mapping[str, Metric] = MappingProxyType({m.name: m for m in CURVES})  # known by name, in no table


def get_metric(name: str) -> Metric:
    """Return the metric of this name.

    Raises
    ------
    UsageError
        If there is none; the nearest names are proposed.

    Examples
    --------
    >>> from salbox.metrics import get_metric
    >>> get_metric("nss").direction, get_metric("kl_mit").direction
    ('higher', 'lower')
    """
    found = METRICS.get(name) or _CURVES.get(name)
    if found is None:
        raise UsageError(f"no metric '{name}'{nearest(name, METRICS)} (there are {', '.join(METRICS)})")
    return found
