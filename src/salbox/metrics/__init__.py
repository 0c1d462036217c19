"""Metrics: every variant has its own name, and says its formula, its source and what it accepts.

A metric never resizes a map and never turns a score into a density but by the rule that its formula names.
"""

from .auc import auc, auc_borji, auc_judd, sauc
from .binary import Confusion, accuracy, confusion, f1, precision, recall
from .density import to_density
from .distribution import cc, kl_mit, kl_pysaliency, sim, sim_mit
from .emd import emd
from .fidelity import fidelity_cc, fidelity_kl, fidelity_nss, fidelity_rmse, fidelity_sim, fidelity_ssim, to_common_size
from .information import ig, ll
from .masks import as_mask
from .metric import Curve, Metric, Result, Truth
from .nss import nss
from .objects import (
    adaptive_e,
    adaptive_f,
    e_curve,
    f_curve,
    mae,
    mean_e,
    mean_f,
    precision_curve,
    recall_curve,
    s_measure,
    weighted_f,
)
from .optimal_maps import map_for
from .registry import METRICS, get_metric

__all__ = [
    "METRICS",
    "Confusion",
    "Curve",
    "Metric",
    "Result",
    "Truth",
    "accuracy",
    "adaptive_e",
    "adaptive_f",
    "as_mask",
    "auc",
    "auc_borji",
    "auc_judd",
    "cc",
    "confusion",
    "e_curve",
    "emd",
    "f1",
    "f_curve",
    "fidelity_cc",
    "fidelity_kl",
    "fidelity_nss",
    "fidelity_rmse",
    "fidelity_sim",
    "fidelity_ssim",
    "get_metric",
    "ig",
    "kl_mit",
    "kl_pysaliency",
    "ll",
    "mae",
    "map_for",
    "mean_e",
    "mean_f",
    "nss",
    "precision",
    "precision_curve",
    "recall",
    "recall_curve",
    "s_measure",
    "sauc",
    "sim",
    "sim_mit",
    "to_common_size",
    "to_density",
    "weighted_f",
]
