"""Whole evaluations by both libraries, through the bridge: the same figures for every image."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from trees import photo, random_osie

from salbox.datasets import open_dataset
from salbox.datasets.folder import open_folder
from salbox.evaluation import ModelSource, evaluate
from salbox.evaluation.truth import Truths
from salbox.imaging.postprocess import PostProcess

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it imports pkg_resources, which warns
    pysaliency = pytest.importorskip("pysaliency")

from salbox.interop import PysaliencySource, pysaliency_dataset, pysaliency_model

# From the library's own code: np.trapz, which NumPy 2 warns of, and the logarithm of maps that hold zeros.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*trapz.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning"),
]

MIT_EPS = 2.2204e-16
METRICS = ("nss", "auc", "auc_judd", "sauc", "cc", "sim", "kl_mit", "kl_pysaliency")
INFORMATION = ("ll", "ig")
LOG_DENSITY = PostProcess(scale_output="log-density")


class Baseline(pysaliency.Model):
    """The density of the other images' fixations."""

    def __init__(self, dataset, stimuli, sigma):
        super().__init__()
        truths = Truths(dataset, sigma)
        self.known = {key: truths.of(i).others_log_density() for i, key in enumerate(stimuli.stimulus_ids)}

    def log_density(self, stimulus):
        return self.known[stimulus.stimulus_id]

    def _log_density(self, stimulus):
        raise AssertionError("looked up by the stimulus")


def by_image(values, fixations, images):
    return [np.mean(values[fixations.n == index]) for index in range(images)]


def by_pysaliency(model, dataset, stimuli, fixations, sigma):
    """Return {metric: a figure for each image} by pysaliency's own functions."""
    is_density = isinstance(model, pysaliency.Model)
    # As the benchmark does: AUCs do not depend on the logarithm, the others are of the density.
    ranked = pysaliency.LogDensitySaliencyMapModel(model) if is_density else model
    mass = pysaliency.DensitySaliencyMapModel(model) if is_density else model
    gold = pysaliency.FixationMap(stimuli, fixations, kernel_size=sigma, convolution_mode="constant")
    eps = {"minimum_value": 0, "log_regularization": MIT_EPS, "quotient_regularization": MIT_EPS}
    found = {
        "nss": by_image(mass.NSSs(stimuli, fixations), fixations, len(stimuli)),
        "auc": ranked.AUC_per_image(stimuli, fixations),
        "auc_judd": ranked.AUC_per_image(stimuli, fixations, nonfixations="unfixated", thresholds="fixations"),
        "sauc": ranked.AUC_per_image(stimuli, fixations, nonfixations="shuffled"),
        "cc": mass.CCs(stimuli, gold),
        "sim": mass.SIMs(stimuli, gold),
        "kl_mit": mass.image_based_kl_divergences(stimuli, gold, **eps),
        "kl_pysaliency": mass.image_based_kl_divergences(stimuli, gold),
    }
    if is_density:
        baseline = Baseline(dataset, stimuli, sigma)
        found["ll"] = by_image(model.log_likelihoods(stimuli, fixations), fixations, len(stimuli))
        gains = model.information_gains(stimuli, fixations, baseline)
        found["ig"] = by_image(gains, fixations, len(stimuli))
    return found


def compare(dataset, name, parameters, postprocess, sigma, folder):
    """Compare salbox on salbox's model, salbox on the bridged model, and pysaliency on the bridged model."""
    metrics = METRICS + (INFORMATION if postprocess == LOG_DENSITY else ())
    bridged = pysaliency_model(name, postprocess=postprocess, **parameters)
    sources = [ModelSource(name, parameters, postprocess), PysaliencySource("bridged", bridged)]
    table = evaluate(dataset, sources, metrics, sigma=sigma, folder=folder)
    stimuli, fixations = pysaliency_dataset(dataset)
    theirs = by_pysaliency(bridged, dataset, stimuli, fixations, sigma)
    assert len(table.images) == len(dataset)
    for metric in metrics:
        ours = table.rows[name][metric]
        assert np.ptp(ours) > 0, metric  # a figure that is the same for all images would show little
        np.testing.assert_allclose(table.rows["bridged"][metric], ours, rtol=0, atol=1e-12, err_msg=metric)
        np.testing.assert_allclose(theirs[metric], ours, rtol=0, atol=1e-9, err_msg=metric)


MODELS = [
    pytest.param("imsig", {}, PostProcess(), id="score"),
    pytest.param("bms", {}, PostProcess(), id="ties"),
    pytest.param("imsig", {}, LOG_DENSITY, id="log-density"),
]


@pytest.mark.parametrize(("name", "parameters", "postprocess"), MODELS)
def test_synthetic_fixations(tmp_path, name, parameters, postprocess):
    dataset = open_dataset(f"osie:{random_osie(tmp_path / 'OSIE')}")
    compare(dataset, name, parameters, postprocess, 3.0, tmp_path / "kept")


@pytest.mark.parametrize(("name", "parameters", "postprocess"), MODELS)
def test_images_of_several_sizes(tmp_path, name, parameters, postprocess):
    rng = np.random.default_rng(5)
    (tmp_path / "fixations").mkdir()
    for number, (width, height) in enumerate([(80, 60), (60, 80), (97, 41), (50, 50)]):
        photo(tmp_path / "images" / f"{number}.png", width, height, seed=number)
        points = rng.beta(2, 3, (25, 2)) * (width, height)
        np.save(tmp_path / "fixations" / f"{number}.npy", np.r_[points, points[:3]])  # some pixels twice
    compare(open_folder(tmp_path, "all"), name, parameters, postprocess, 4.0, tmp_path / "kept")


@pytest.mark.parametrize("spec", ["osie:OSIE", "eyecrowd:EyeCrowd"])
@pytest.mark.parametrize(("name", "parameters", "postprocess"), MODELS)
def test_real_fixations(shared, tmp_path, spec, name, parameters, postprocess):
    label, folder = spec.split(":")
    if not (shared / "data" / folder).is_dir():
        pytest.skip(f"{folder} is not beside this checkout")
    dataset = open_dataset(f"{label}:{shared / 'data' / folder}").subset([0, 7, 20], "three images")
    compare(dataset, name, parameters, postprocess, dataset.sigma(0), tmp_path)
