"""Evaluations: models and maps measured on datasets, with everything that is needed to repeat a figure."""

from .agreement import agreement
from .evaluating import DEFAULTS, evaluate
from .maps import map_folders, read_map
from .result import Evaluation
from .sources import REFERENCE_SIZE, CentreBias, HumanCeiling, MapSource, ModelSource

__all__ = [
    "DEFAULTS",
    "REFERENCE_SIZE",
    "CentreBias",
    "Evaluation",
    "HumanCeiling",
    "MapSource",
    "ModelSource",
    "agreement",
    "evaluate",
    "map_folders",
    "read_map",
]
