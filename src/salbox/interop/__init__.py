"""pysaliency both ways: models, stimuli and fixations. Importing this needs pysaliency (`salbox[pysaliency]`)."""

from .data import dataset_from_pysaliency, pysaliency_dataset, pysaliency_fixations, pysaliency_stimuli
from .models import DensityModel, ScoreModel, model_from_pysaliency, pysaliency_model
from .source import PysaliencySource

__all__ = [
    "DensityModel",
    "PysaliencySource",
    "ScoreModel",
    "dataset_from_pysaliency",
    "model_from_pysaliency",
    "pysaliency_dataset",
    "pysaliency_fixations",
    "pysaliency_model",
    "pysaliency_stimuli",
]
