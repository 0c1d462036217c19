"""MIT1003 as a vision scientist would: read with SciPy and scikit-image, and pysaliency's figures against salbox's own.

Nothing of salbox but the model's maps is on the other side: neither its readers nor its bridge.
"""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import skimage.io
from scipy.io import loadmat

import salbox
from salbox.datasets import open_dataset
from salbox.evaluation import evaluate

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it imports pkg_resources, which warns
    pysaliency = pytest.importorskip("pysaliency")

# From the library's own code: np.trapz, which NumPy 2 warns of, and the logarithm of maps that hold zeros.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*trapz.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:divide by zero encountered in log:RuntimeWarning"),
]

METRICS = ("nss", "auc", "auc_judd", "sauc", "cc", "sim", "kl_mit")

LONGEST, DEGREE = 1024, 35  # of the photos as they were shown; pixels of one degree there
MIT_EPS = 2.2204e-16


class Maps(pysaliency.SaliencyMapModel):
    """A model's maps as pysaliency takes them."""

    def __init__(self, name):
        super().__init__()
        self.model = salbox.load(name)

    def _saliency_map(self, stimulus):
        return np.asarray(self.model(stimulus), np.float64)


def read_by_hand(folder, names):
    """Return pysaliency's stimuli and fixations of some photos."""
    files = [folder / "data" / "stimuli" / f"{name}.jpg" for name in names]
    number = {file.name: n for n, file in enumerate(files)}
    pictures = [skimage.io.imread(file) for file in files]
    columns = [[], [], [], []]
    for cell in loadmat(folder / "data" / "eye" / "fixations.mat")["fixations"].flat:
        entry = cell[0, 0]
        name = str(entry["img"].flat[0])
        if name not in number:
            continue
        height, width = pictures[number[name]].shape[:2]
        scale = LONGEST / max(width, height)
        for observer, looked in enumerate(entry["subjects"].flat):
            x, y = (looked[0, 0][field].reshape(-1) - 1.0 for field in ("fix_x", "fix_y"))
            is_inside = (x >= 0) & (y >= 0) & (x < round(width * scale)) & (y < round(height * scale))
            found = (x[is_inside] / scale, y[is_inside] / scale, number[name], observer)
            for column, values in zip(columns, np.broadcast_arrays(*found), strict=True):
                column.append(values)
    x, y, n, observer = map(np.concatenate, columns)
    stimuli = pysaliency.Stimuli(pictures)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        fixations = pysaliency.Fixations.FixationsWithoutHistory(x, y, np.zeros(len(x)), n, observer)
    return stimuli, fixations


def by_pysaliency(model, stimuli, fixations, sigmas):
    """Return {metric: a figure for each photo} by pysaliency's own functions."""
    (sigma,) = set(sigmas)
    gold = pysaliency.FixationMap(stimuli, fixations, kernel_size=sigma, convolution_mode="constant")
    eps = {"minimum_value": 0, "log_regularization": MIT_EPS, "quotient_regularization": MIT_EPS}
    nss = model.NSSs(stimuli, fixations)
    return {
        "nss": [np.mean(nss[fixations.n == n]) for n in range(len(stimuli))],
        "auc": model.AUC_per_image(stimuli, fixations),
        "auc_judd": model.AUC_per_image(stimuli, fixations, nonfixations="unfixated", thresholds="fixations"),
        "sauc": model.AUC_per_image(stimuli, fixations, nonfixations="shuffled"),
        "cc": model.CCs(stimuli, gold),
        "sim": model.SIMs(stimuli, gold),
        "kl_mit": model.image_based_kl_divergences(stimuli, gold, **eps),
    }


def test_folder_to_table(shared, tmp_path):
    folder = shared / "data" / "MIT1003"
    if not folder.is_dir():
        pytest.skip("MIT1003 is not beside this checkout")
    validation = open_dataset(f"mit1003:{folder}", "validation")
    shapes = [validation.shape(index) for index in range(len(validation))]
    chosen = sorted({shape: index for index, shape in reversed(list(enumerate(shapes)))}.values())[:5]
    assert len({shapes[index] for index in chosen}) == 5  # photos of different sizes
    data = validation.subset(chosen, "five photos")
    table = evaluate(data, ["imsig"], METRICS, folder=tmp_path)
    stimuli, fixations = read_by_hand(folder, [item.name for item in data.items])
    assert [len(data.fixations(k)) for k in range(5)] == [np.count_nonzero(fixations.n == k) for k in range(5)]
    sigmas = [DEGREE * max(shape) / LONGEST for shape in (shapes[index] for index in chosen)]
    theirs = by_pysaliency(Maps("imsig"), stimuli, fixations, sigmas)
    for metric in METRICS:
        ours = table.rows["imsig"][metric]
        np.testing.assert_allclose(theirs[metric], ours, rtol=0, atol=1e-9, err_msg=metric)
