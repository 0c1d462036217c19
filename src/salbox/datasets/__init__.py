"""Eye-tracking and mask data: ground truth in one convention, whatever the publisher's."""

from ..imaging.image import image_shape
from .dataset import ALL, Dataset, DatasetCard, Item
from .fixations import (
    Fixations,
    HeldOut,
    ShuffledNegatives,
    center_bias,
    fixation_counts,
    fixation_density,
    fixation_map,
    human_ceiling,
    leave_one_observer_out,
    mean_histogram,
    pooled,
    sigma_in_pixels,
)
from .folder import open_density_maps
from .mixture import Mixture, fit_mixture, mixture_ceiling
from .points import read_fixations, read_points
from .registry import DATASETS, dataset_card, open_dataset

centre_bias = center_bias  # its first name

__all__ = [
    "ALL",
    "DATASETS",
    "Dataset",
    "DatasetCard",
    "Fixations",
    "HeldOut",
    "Item",
    "Mixture",
    "ShuffledNegatives",
    "center_bias",
    "centre_bias",
    "dataset_card",
    "fit_mixture",
    "fixation_counts",
    "fixation_density",
    "fixation_map",
    "human_ceiling",
    "image_shape",
    "leave_one_observer_out",
    "mean_histogram",
    "mixture_ceiling",
    "open_dataset",
    "open_density_maps",
    "pooled",
    "read_fixations",
    "read_points",
    "sigma_in_pixels",
]
