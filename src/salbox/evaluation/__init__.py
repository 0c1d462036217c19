"""Evaluations: models and maps measured on datasets, with everything that is needed to repeat a figure."""

from ..imaging.scaling import REFERENCE_SIZE
from .agreement import agreement
from .ceiling import HumanCeiling, MixtureCeiling
from .evaluating import DEFAULTS, evaluate
from .maps import map_folders, read_map
from .next_fixation import next_fixation
from .next_fixation_rows import NextFixation, ScanpathSource
from .result import Evaluation
from .sources import CenterBias, MapSource, ModelSource

CentreBias = CenterBias  # its first name

__all__ = [
    "DEFAULTS",
    "REFERENCE_SIZE",
    "CenterBias",
    "CentreBias",
    "Evaluation",
    "HumanCeiling",
    "MapSource",
    "MixtureCeiling",
    "ModelSource",
    "NextFixation",
    "ScanpathSource",
    "agreement",
    "evaluate",
    "map_folders",
    "next_fixation",
    "read_map",
]
