"""The fixation metrics against pysaliency, which computes them for whole datasets."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from salbox import metrics
from salbox.datasets import Fixations, ShuffledNegatives, center_bias, fixation_density

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it imports pkg_resources, which warns
    pysaliency = pytest.importorskip("pysaliency")

pytestmark = pytest.mark.filterwarnings("ignore")  # np.trapz, by the library's own code

SHAPES = [(40, 60), (40, 60), (50, 30)]
SIGMA = 4.0
rng = np.random.default_rng(11)
FIXATIONS = [Fixations(rng.random(n) * s[1], rng.random(n) * s[0]) for n, s in zip((30, 55, 20), SHAPES, strict=True)]
DISTINCT = [rng.random(s) for s in SHAPES]
TIES = [np.floor(rng.random(s) * 4) / 4 for s in SHAPES]
DENSITIES = [fixation_density(f, s, SIGMA) for f, s in zip(FIXATIONS, SHAPES, strict=True)]
NEGATIVES = ShuffledNegatives(FIXATIONS, SHAPES)


class Maps(pysaliency.SaliencyMapModel):
    """Given maps as a model; the stimulus holds the image's number."""

    def __init__(self, maps):
        super().__init__(caching=False)
        self.maps = maps

    def _saliency_map(self, stimulus):
        return self.maps[int(stimulus[0, 0, 0])]


class Densities(pysaliency.Model):
    def __init__(self, maps):
        super().__init__(caching=False)
        self.maps = maps

    def _log_density(self, stimulus):
        return self.maps[int(stimulus[0, 0, 0])]


@pytest.fixture(scope="module")
def dataset():
    stimuli = pysaliency.Stimuli([np.full((*s, 3), i, np.uint8) for i, s in enumerate(SHAPES)])
    fixations = pysaliency.FixationTrains.from_fixation_trains(
        [f.x for f in FIXATIONS], [f.y for f in FIXATIONS], [np.arange(len(f)) for f in FIXATIONS], [0, 1, 2], [0, 0, 0]
    )
    return stimuli, fixations


@pytest.mark.parametrize("maps", [DISTINCT, TIES], ids=["distinct", "ties"])
def test_metrics_at_fixations(dataset, maps):
    stimuli, fixations = dataset
    model = Maps(maps)
    pairs = list(zip(maps, FIXATIONS, strict=True))

    def close(ours, theirs):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)

    nss = model.NSSs(stimuli, fixations)
    close([metrics.nss(m, f) for m, f in pairs], [nss[fixations.n == i].mean() for i in range(3)])
    close([metrics.auc(m, f) for m, f in pairs], model.AUC_per_image(stimuli, fixations))
    judd = model.AUC_per_image(stimuli, fixations, nonfixations="unfixated", thresholds="fixations")
    close([metrics.auc_judd(m, f) for m, f in pairs], judd)
    shuffled = model.AUC_per_image(stimuli, fixations, nonfixations="shuffled")
    close([metrics.sauc(m, f, NEGATIVES.of(i)) for i, (m, f) in enumerate(pairs)], shuffled)


@pytest.mark.parametrize("maps", [DISTINCT, TIES], ids=["distinct", "ties"])
def test_metrics_of_maps(dataset, maps):
    stimuli, _ = dataset
    model, gold = Maps(maps), Maps(DENSITIES)

    def ours(metric):
        return [metric(m, d) for m, d in zip(maps, DENSITIES, strict=True)]

    np.testing.assert_allclose(ours(metrics.cc), model.CCs(stimuli, gold), rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours(metrics.sim), model.SIMs(stimuli, gold), rtol=0, atol=1e-9)
    np.testing.assert_allclose(ours(metrics.kl_pysaliency), model.KLDivs(stimuli, gold), rtol=0, atol=1e-9)
    mit = [pysaliency.metrics.MIT_KLDiv(m, d) for m, d in zip(maps, DENSITIES, strict=True)]
    np.testing.assert_allclose(ours(metrics.kl_mit), mit, rtol=0, atol=1e-9)


def test_log_likelihood_and_information_gain(dataset):
    stimuli, fixations = dataset
    logs = [np.log(m / m.sum()) for m in DISTINCT]
    baselines = [np.log(center_bias(FIXATIONS, SHAPES, s, 9)) for s in SHAPES]
    likelihoods = Densities(logs).log_likelihoods(stimuli, fixations)
    gains = Densities(logs).information_gains(stimuli, fixations, Densities(baselines))
    for i, (log, baseline, fixated) in enumerate(zip(logs, baselines, FIXATIONS, strict=True)):
        assert metrics.ll(log, fixated) == pytest.approx(likelihoods[fixations.n == i].mean(), abs=1e-9)
        assert metrics.ig(log, fixated, baseline) == pytest.approx(gains[fixations.n == i].mean(), abs=1e-9)


def test_density(dataset):
    stimuli, fixations = dataset
    model = pysaliency.FixationMap(stimuli, fixations, kernel_size=SIGMA, convolution_mode="constant", caching=False)
    for stimulus, density in zip(stimuli, DENSITIES, strict=True):
        theirs = model.saliency_map(stimulus)
        np.testing.assert_allclose(density, theirs / theirs.sum(), rtol=0, atol=1e-12)
