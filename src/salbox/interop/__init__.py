"""pysaliency both ways: models, stimuli and fixations. Importing this needs pysaliency (`salbox[pysaliency]`)."""

from .data import dataset_from_pysaliency, pysaliency_dataset, pysaliency_fixations, pysaliency_stimuli
from .models import DensityModel, ScoreModel, model_from_pysaliency, pysaliency_model
from .scanpaths import (
    FromPysaliency,
    PysaliencyScanpathModel,
    pysaliency_scanpath_model,
    scanpath_model_from_pysaliency,
)
from .source import PysaliencySource

__all__ = [
    "DensityModel",
    "FromPysaliency",
    "PysaliencyScanpathModel",
    "PysaliencySource",
    "ScoreModel",
    "dataset_from_pysaliency",
    "model_from_pysaliency",
    "pysaliency_dataset",
    "pysaliency_fixations",
    "pysaliency_model",
    "pysaliency_scanpath_model",
    "pysaliency_stimuli",
    "scanpath_model_from_pysaliency",
]
