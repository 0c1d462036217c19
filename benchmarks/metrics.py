"""How far the metrics are from the libraries that the field uses, on real and degenerate data, and how fast they are.

Needs OSIE and ECSSD (`shared/data` beside the checkout, or SALBOX_SHARED), pysaliency, PySODMetrics and scikit-learn.
Writes docs/results/metrics.md.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from _tables import SHARED, markdown_table, provenance, write_page
from scipy import special, stats
from scipy.io import loadmat

import salbox
from salbox import metrics
from salbox.datasets import Fixations, ShuffledNegatives, center_bias, fixation_density

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pkg_resources, np.trapz
    import py_sod_metrics
    import pysaliency
    import sklearn.metrics
    from skimage.metrics import mean_squared_error, structural_similarity

SHAPE = (600, 800)  # of every OSIE image
SIGMA = 24.0  # pixels, OSIE's own
BASELINE_SIGMA = 24.0
UNIFORM_SHARE = 0.1
TIMED_IMAGES, REPEATS = 20, 7
EMD_IMAGES = 20


@dataclass(frozen=True)
class Row:
    """One line of a conformance table."""

    metric: str
    reference: str
    difference: float
    remark: str

    def cells(self) -> list[str]:
        return [f"`{self.metric}`", self.reference, f"{self.difference:.1e}", self.remark]


class GivenMaps(pysaliency.SaliencyMapModel):  # type: ignore[misc]
    """Given maps as pysaliency's model; a stimulus holds its number in its first two pixels."""

    def __init__(self, maps: Sequence[Any]):
        super().__init__(caching=False)
        self.maps = maps

    def _saliency_map(self, stimulus: Any) -> Any:
        return self.maps[_number(stimulus)]


class GivenDensities(pysaliency.Model):  # type: ignore[misc]
    """Given log densities as pysaliency's model."""

    def __init__(self, maps: Sequence[Any]):
        super().__init__(caching=False)
        self.maps = maps

    def _log_density(self, stimulus: Any) -> Any:
        return self.maps[_number(stimulus)]


def _number(stimulus: Any) -> int:
    return int(stimulus[0, 0, 0])


def stimuli_of(count: int, shape: tuple[int, int]) -> Any:
    return pysaliency.Stimuli([np.full((*shape, 3), i, np.uint8) for i in range(count)])


def trains_of(fixations: Sequence[Fixations]) -> Any:
    return pysaliency.FixationTrains.from_fixation_trains(
        [f.x for f in fixations],
        [f.y for f in fixations],
        [np.arange(len(f)) for f in fixations],
        list(range(len(fixations))),
        [0] * len(fixations),
    )


def osie_test() -> tuple[list[Path], list[Fixations]]:
    """Return the 140 test images (number ends in 3 or 7) and their fixations, counted from 0."""
    folder = SHARED / "data" / "OSIE" / "data"
    entries = loadmat(folder / "eye" / "fixations.mat", squeeze_me=True, struct_as_record=False)["fixations"]
    paths, fixations = [], []
    for entry in entries:
        if Path(entry.img).stem[-1] not in "37":
            continue
        x, y = ([np.atleast_1d(getattr(s, name)) - 1.0 for s in entry.subjects] for name in ("fix_x", "fix_y"))
        subject = np.repeat(np.arange(len(x)), [len(v) for v in x])
        paths.append(folder / "stimuli" / entry.img)
        fixations.append(Fixations(np.concatenate(x), np.concatenate(y), subject))
    return paths, fixations


def largest(ours: Any, theirs: Any) -> float:
    return float(np.max(np.abs(np.asarray(ours) - np.asarray(theirs))))


class Osie:
    """The test images with two models' maps: `gaussian` (smooth) and `bms` (8 bits: many ties)."""

    def __init__(self) -> None:
        self.paths, self.fixations = osie_test()
        self.count = len(self.paths)
        self.shapes = [SHAPE] * self.count
        self.negatives = ShuffledNegatives(self.fixations, self.shapes)
        self.densities = [fixation_density(f, SHAPE, SIGMA) for f in self.fixations]
        gaussian, bms = salbox.load("gaussian", sigma=0.25), salbox.load("bms")
        self.maps = {
            "gaussian": [gaussian(np.zeros((*SHAPE, 3), np.uint8))] * self.count,
            "bms": [bms(path) for path in self.paths],
        }
        self.stimuli, self.trains = stimuli_of(self.count, SHAPE), trains_of(self.fixations)

    def per_image(self, values: Any) -> list[float]:
        return [float(np.mean(values[self.trains.n == i])) for i in range(self.count)]


def fixation_rows(osie: Osie) -> list[Row]:
    """Return how far the metrics at fixations are from pysaliency's, over images and maps."""
    differences: dict[str, list[float]] = {}

    def compare(name: str, ours: Any, theirs: Any) -> None:
        differences.setdefault(name, []).append(largest(ours, theirs))

    for single in osie.maps.values():
        maps = [m.astype(np.float64) for m in single]
        model, gold = GivenMaps(maps), GivenMaps(osie.densities)
        both = list(zip(maps, osie.fixations, strict=True))
        truth = list(zip(maps, osie.densities, strict=True))
        auc = model.AUC_per_image(osie.stimuli, osie.trains)
        judd = model.AUC_per_image(osie.stimuli, osie.trains, nonfixations="unfixated", thresholds="fixations")
        sauc = model.AUC_per_image(osie.stimuli, osie.trains, nonfixations="shuffled")
        noisy = pysaliency.saliency_map_models.RandomNoiseSaliencyMapModel(model, noise_size=1e-7, random_seed=42)
        jitter = noisy.AUC_per_image(osie.stimuli, osie.trains, nonfixations="unfixated", thresholds="fixations")
        ours_judd = [metrics.auc_judd(m, f) for m, f in both]
        compare("nss", [metrics.nss(m, f) for m, f in both], osie.per_image(model.NSSs(osie.stimuli, osie.trains)))
        compare("auc", [metrics.auc(m, f) for m, f in both], auc)
        compare("auc_judd", ours_judd, judd)
        compare("jitter", ours_judd, jitter)
        compare("sauc", [metrics.sauc(m, f, osie.negatives.of(i)) for i, (m, f) in enumerate(both)], sauc)
        compare("cc", [metrics.cc(m, d) for m, d in truth], model.CCs(osie.stimuli, gold))
        compare("sim", [metrics.sim(m, d) for m, d in truth], model.SIMs(osie.stimuli, gold))
        scaled = [(min_max(m), min_max(d)) for m, d in truth]
        compare("sim_mit", [metrics.sim_mit(m, d) for m, d in truth], [pysaliency.metrics.SIM(*s) for s in scaled])
        mit = [pysaliency.metrics.MIT_KLDiv(m, d) for m, d in truth]
        compare("kl_mit", [metrics.kl_mit(m, d) for m, d in truth], mit)
        kl = model.KLDivs(osie.stimuli, gold)
        compare(
            "float32", mit, [pysaliency.metrics.MIT_KLDiv(m, d) for m, d in zip(single, osie.densities, strict=True)]
        )
        compare("kl_pysaliency", [metrics.kl_pysaliency(m, d) for m, d in truth], kl)

    logs, baselines = log_densities(osie)
    model, reference = GivenDensities(logs), GivenDensities(baselines)
    ll = osie.per_image(model.log_likelihoods(osie.stimuli, osie.trains))
    ig = osie.per_image(model.information_gains(osie.stimuli, osie.trains, reference))
    compare("ll", [metrics.ll(p, f) for p, f in zip(logs, osie.fixations, strict=True)], ll)
    triples = zip(logs, osie.fixations, baselines, strict=True)
    compare("ig", [metrics.ig(p, f, b) for p, f, b in triples], ig)

    density = pysaliency.FixationMap(
        osie.stimuli, osie.trains, kernel_size=SIGMA, convolution_mode="constant", caching=False
    )
    blurred = [density.saliency_map(osie.stimuli[i]) for i in range(TIMED_IMAGES)]
    theirs = [b / b.sum() for b in blurred]
    relative = [largest(o, t) / t.max() for o, t in zip(osie.densities[:TIMED_IMAGES], theirs, strict=True)]

    def row(name: str, reference: str, remark: str = "", metric: str = "") -> Row:
        return Row(metric or name, reference, max(differences[name]), remark)

    twice = "pysaliency's, on both maps min-max scaled"
    jitter_remark = "pysaliency adds noise of 1e-7 to break ties: the ties of `bms` come out at random there"
    return [
        row("nss", "pysaliency `NSSs`"),
        row("auc", "pysaliency `AUC_per_image`, nonfixations `uniform`"),
        row("auc_judd", "pysaliency `AUC_per_image`, `unfixated`, thresholds `fixations`", "`AUC_Judd(jitter=False)`"),
        row("jitter", "pysaliency `AUC_Judd(jitter=True)`", jitter_remark, "auc_judd"),
        row("sauc", "pysaliency `AUC_per_image`, nonfixations `shuffled`", "19,000 or so negatives an image"),
        row("cc", "pysaliency `CCs`"),
        row("sim", "pysaliency `SIMs`"),
        row("sim_mit", "pysaliency `metrics.SIM`", twice),
        row(
            "kl_mit",
            "pysaliency `metrics.MIT_KLDiv`",
            f"pysaliency with itself on float32 maps: {max(differences['float32']):.1e}",
        ),
        row("kl_pysaliency", "pysaliency `KLDivs`"),
        row("ll", "pysaliency `log_likelihoods`"),
        row("ig", "pysaliency `information_gains`"),
        Row("fixation_density", "pysaliency `FixationMap`, mode `constant`", max(relative), "of the maximum"),
    ]


def min_max(values: Any) -> Any:
    values = np.asarray(values, np.float64)
    return (values - values.min()) / (values.max() - values.min())


def log_densities(osie: Osie) -> tuple[list[Any], list[Any]]:
    """Return log densities made of BMS (nine tenths) and a uniform share, and each image's baseline."""
    uniform = UNIFORM_SHARE / (SHAPE[0] * SHAPE[1])
    logs = [np.log((1 - UNIFORM_SHARE) * metrics.to_density(m, "sum") + uniform) for m in osie.maps["bms"]]
    baselines = [np.log(center_bias([osie.negatives.of(i)], [SHAPE], SHAPE, BASELINE_SIGMA)) for i in range(osie.count)]
    return logs, baselines


def borji_row(osie: Osie) -> tuple[Row, str]:
    """Return AUC-Borji against the MIT program's steps as loops, and how much the draws matter."""
    ours, loops, spread = [], [], []
    for saliency, fixations in zip(osie.maps["bms"][:TIMED_IMAGES], osie.fixations, strict=False):
        ours.append(metrics.auc_borji(saliency, fixations))
        loops.append(borji_by_loops(saliency, fixations))
        spread.append(np.std([metrics.auc_borji(saliency, fixations, seed=s) for s in range(10)]))
    row = Row("auc_borji", "the MIT program's steps as loops, same draws", largest(ours, loops), "no library has it")
    return row, f"Another seed of `auc_borji` moves one image by {np.mean(spread):.4f} (standard deviation)."


def borji_by_loops(saliency: Any, fixations: Fixations) -> float:
    scaled = min_max(saliency)
    rows, columns = fixations.pixels(SHAPE)
    fixated = np.zeros(SHAPE, bool)
    fixated[rows, columns] = True
    positives = scaled[fixated]
    areas = []
    for drawn in np.random.default_rng(metrics.METRICS["auc_borji"].function.__defaults__[0]).integers(
        scaled.size, size=(100, positives.size)
    ):
        negatives = scaled.ravel()[drawn]
        hits = [0.0, *(np.mean(positives >= t * 0.1) for t in range(10, -1, -1)), 1.0]
        false_alarms = [0.0, *(np.mean(negatives >= t * 0.1) for t in range(10, -1, -1)), 1.0]
        areas.append(np.trapezoid(hits, false_alarms))
    return float(np.mean(areas))


def emd_rows(osie: Osie) -> list[Row]:
    """Return EMD against SciPy's own program on a coarse grid and OpenCV's on the grid of 32 pixels."""
    coarse, full, relative = [], [], []
    for saliency, density in list(zip(osie.maps["bms"], osie.densities, strict=True))[:EMD_IMAGES]:
        p, q = grid(saliency, 100), grid(density, 100)
        positions = np.argwhere(np.ones(p.shape))
        coarse.append(metrics.emd(saliency, density, cell=100))
        full.append(stats.wasserstein_distance_nd(positions, positions, p.ravel(), q.ravel()))
        ours = metrics.emd(saliency, density)
        p, q = grid(saliency, 32), grid(density, 32)
        positions = np.argwhere(np.ones(p.shape))
        signatures = [np.c_[v.ravel(), positions].astype(np.float32) for v in (p, q)]
        theirs = cv2.EMD(*signatures, cv2.DIST_L2)[0]
        relative.append(theirs / ours - 1)
    exact = Row(
        "emd",
        "SciPy `wasserstein_distance_nd`, cells of 100 pixels",
        largest(coarse, full),
        "SciPy's tolerance is 1e-7",
    )
    single = Row(
        "emd",
        "OpenCV `cv2.EMD`, cells of 32 pixels",
        max(relative),
        f"relative; single precision, always above (by {100 * np.mean(relative):.2f} % on average): it stops early",
    )
    return [exact, single]


def grid(values: Any, cell: int) -> Any:
    height, width = values.shape
    size = (-(-width // cell), -(-height // cell))
    cells = cv2.resize(metrics.to_density(values, "sum"), size, interpolation=cv2.INTER_AREA)
    return cells / cells.sum()


def fidelity_rows(osie: Osie) -> list[Row]:
    """Return fidelity against SciPy and scikit-image, BMS as the student and the density as the teacher."""
    raw = list(zip(osie.maps["bms"], osie.densities, strict=True))
    pairs = [(metrics.to_common_size(m), metrics.to_common_size(d)) for m, d in raw]

    def row(name: str, reference: str, theirs: Callable[[Any, Any], float], remark: str = "") -> Row:
        ours = [metrics.METRICS[name].function(m, d) for m, d in raw]
        return Row(name, reference, largest(ours, [theirs(s, t) for s, t in pairs]), remark)

    constants = {"data_range": 1, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return [
        row("fidelity_cc", "SciPy `pearsonr`", lambda s, t: stats.pearsonr(s.ravel(), t.ravel())[0]),
        row(
            "fidelity_kl",
            "SciPy `rel_entr` of t and s + eps",
            lambda s, t: special.rel_entr(t / t.sum(), s / s.sum() + 2.2e-16).sum(),
            "eps inside the logarithm, too, adds nothing that shows",
        ),
        row(
            "fidelity_ssim",
            "scikit-image `structural_similarity`",
            lambda s, t: structural_similarity(s, t, **constants),
            "computed by it",
        ),
        row("fidelity_rmse", "scikit-image `mean_squared_error`", lambda s, t: mean_squared_error(s, t) ** 0.5),
        row("fidelity_nss", "SciPy `zscore`", lambda s, t: stats.zscore(s, axis=None)[t > 0.5].mean()),
        row("fidelity_sim", "pysaliency `metrics.SIM`", pysaliency.metrics.SIM),
    ]


def object_rows() -> tuple[list[Row], int]:
    """Return the object metrics of BMS's 8-bit maps on ECSSD against PySODMetrics' evaluators of the whole set."""
    folder, bms = SHARED / "data" / "ECSSD", salbox.load("bms")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the class the published tables were made with is deprecated
        f = py_sod_metrics.Fmeasure()
    m, e, s, w = (
        py_sod_metrics.MAE(),
        py_sod_metrics.Emeasure(),
        py_sod_metrics.Smeasure(),
        py_sod_metrics.WeightedFmeasure(),
    )
    names = ["mae", "max_f", "mean_f", "adaptive_f", "weighted_f", "max_e", "mean_e", "adaptive_e", "s_measure"]
    results: dict[str, list[Any]] = {name: [] for name in names}
    binary: dict[str, list[float]] = {name: [] for name in ("precision", "recall", "f1", "accuracy")}
    theirs: dict[str, list[float]] = {name: [] for name in binary}
    masks = sorted((folder / "ground_truth_mask").glob("*.png"))
    for path in masks:
        mask = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        saliency = np.rint(255 * min_max(bms(folder / "images" / f"{path.stem}.jpg"))).astype(np.uint8)
        for evaluator in (f, m, e, s, w):
            evaluator.step(saliency, mask)
        for name in names:
            results[name].append(metrics.METRICS[name].score(saliency, "probability", {"mask": mask}))
        truth, predicted = (mask > 128).ravel(), (saliency / 255 > 0.5).ravel()
        for name in binary:
            binary[name].append(metrics.METRICS[name].score(saliency / 255, "probability", {"mask": mask}))
            score = getattr(sklearn.metrics, f"{name}_score")
            theirs[name].append(score(truth, predicted, **({} if name == "accuracy" else {"zero_division": 0})))
    f, e = f.get_results()["fm"], e.get_results()["em"]
    expected = {
        "mae": m.get_results()["mae"],
        "max_f": f["curve"].max(),
        "mean_f": f["curve"].mean(),
        "adaptive_f": f["adp"],
        "weighted_f": w.get_results()["wfm"],
        "max_e": e["curve"].max(),
        "mean_e": e["curve"].mean(),
        "adaptive_e": e["adp"],
        "s_measure": s.get_results()["sm"],
    }
    rows = [
        Row(
            name, "PySODMetrics", abs(metrics.METRICS[name].aggregate(results[name]) - expected[name]), "computed by it"
        )
        for name in names
    ]
    rows += [Row(name, "scikit-learn", largest(binary[name], theirs[name]), "") for name in binary]
    return rows, len(masks)


def degenerate_table() -> str:
    """Return what becomes of maps and fixations that no experiment should have but many do."""
    shape = (60, 80)
    rng = np.random.default_rng(0)
    usual = Fixations(rng.random(30) * 80, rng.random(30) * 60)
    ramp = np.outer(np.linspace(0, 1, 60), np.ones(80))
    cases = [
        ("constant 0", np.zeros(shape), usual),
        ("constant .3", np.full(shape, 0.3), usual),
        ("two values", (ramp > 0.5).astype(float), usual),
        ("negative values", ramp - 5, usual),
        ("values near 1e-300", 1e-300 * ramp, usual),
        ("one fixation", ramp, Fixations([40], [50])),
        ("one pixel fixated 30 times", ramp, Fixations([40.0] * 30, [50.0] * 30)),
    ]
    others = Fixations(rng.random(200) * 80, rng.random(200) * 60)
    names = ("nss", "auc", "auc_judd", "sauc", "cc", "sim", "kl_mit", "kl_pysaliency")
    stimuli = stimuli_of(2, shape)
    rows = []
    for label, saliency, fixations in cases:
        density = fixation_density(fixations, shape, 4)
        truth: Any = {"fixations": fixations, "negatives": others, "density": density}
        ours = [float(metrics.METRICS[name].score(saliency, "score", truth)) for name in names]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            model, trains = GivenMaps([saliency, saliency]), trains_of([fixations, others])
            theirs = [
                model.NSSs(stimuli, trains)[trains.n == 0].mean(),
                model.AUC_per_image(stimuli, trains)[0],
                model.AUC_per_image(stimuli, trains, nonfixations="unfixated", thresholds="fixations")[0],
                model.AUC_per_image(stimuli, trains, nonfixations="shuffled")[0],
                pysaliency.metrics.CC(saliency, density),
                pysaliency.metrics.SIM(saliency.copy(), density),
                pysaliency.metrics.MIT_KLDiv(saliency.copy(), density),
                pysaliency.metrics.image_based_kl_divergence(saliency.copy(), density),
            ]
        rows.append([label, *(_both(o, t) for o, t in zip(ours, theirs, strict=True))])
    return markdown_table(["case", *(f"`{n}`" for n in names)], rows)


def _both(ours: float, theirs: float) -> str:
    if abs(ours - theirs) <= 1e-9 * max(1, abs(ours)):
        return f"{ours:.4g}"
    return f"**{ours:.4g}** ({theirs:.4g})"


def speed_table(osie: Osie) -> str:
    """Return milliseconds an image of salbox and of pysaliency, measured in turns."""
    n = TIMED_IMAGES
    fixations, densities = osie.fixations[:n], osie.densities[:n]
    few, first = osie.stimuli[:n], osie.trains[osie.trains.n < n]
    rows = []
    for name, everything in osie.maps.items():
        maps = everything[:n]
        model, gold, whole = GivenMaps(maps), GivenMaps(densities), GivenMaps(everything)

        def over(metric: Callable[..., float], *columns: Sequence[Any]) -> Callable[[], Any]:
            return lambda: [metric(*values) for values in zip(*columns, strict=True)]

        def ours_sauc(maps: Sequence[Any] = everything) -> Any:
            negatives = ShuffledNegatives(osie.fixations, osie.shapes)
            pairs = zip(maps, osie.fixations, strict=True)
            return [metrics.sauc(m, f, negatives.of(i)) for i, (m, f) in enumerate(pairs)]

        def theirs_sauc(model: Any = whole) -> Any:
            return model.AUC_per_image(osie.stimuli, osie.trains, nonfixations="shuffled")

        def judd(model: Any = model) -> Any:
            return model.AUC_per_image(few, first, nonfixations="unfixated", thresholds="fixations")

        pairs = [
            ("nss", "`NSSs`", over(metrics.nss, maps, fixations), lambda m=model: m.NSSs(few, first)),
            ("auc", "`AUC_per_image`", over(metrics.auc, maps, fixations), lambda m=model: m.AUC_per_image(few, first)),
            ("auc", "`AUCs`", over(metrics.auc, maps, fixations), lambda m=model: m.AUCs(few, first)),
            (
                "auc_judd",
                "`AUC_per_image`, as `AUC_Judd` without jitter",
                over(metrics.auc_judd, maps, fixations),
                judd,
            ),
            ("sauc", "`AUC_per_image`, `shuffled`", ours_sauc, theirs_sauc),
            ("cc", "`CCs`", over(metrics.cc, maps, densities), lambda m=model, g=gold: m.CCs(few, g)),
            ("sim", "`SIMs`", over(metrics.sim, maps, densities), lambda m=model, g=gold: m.SIMs(few, g)),
            (
                "kl_mit",
                "`MIT_KLDiv`",
                over(metrics.kl_mit, maps, densities),
                over(pysaliency.metrics.MIT_KLDiv, maps, densities),
            ),
        ]
        for metric, reference, ours, theirs in pairs:
            times = in_turns(ours, theirs)
            per_image = [1e3 * t / (osie.count if metric == "sauc" else n) for t in times]
            ratio = f"{per_image[1] / per_image[0]:.1f}"
            rows.append([f"`{metric}`", reference, name, f"{per_image[0]:.2f}", f"{per_image[1]:.2f}", ratio])
    return markdown_table(["metric", "pysaliency's", "maps", "salbox ms", "pysaliency ms", "ratio"], rows)


def in_turns(*functions: Callable[[], Any]) -> list[float]:
    """Return the median seconds of processor time of each function, called one after the other after a warm-up."""
    times = np.empty((REPEATS, len(functions)))
    for function in functions:
        function()
    for repeat in range(REPEATS):
        for i, function in enumerate(functions):
            start = time.process_time()
            function()
            times[repeat, i] = time.process_time() - start
    return [float(t) for t in np.median(times, axis=0)]


def check_table(osie: Osie) -> str:
    """Return the centre baseline on the test images, density sigma 27."""
    saliency = osie.maps["gaussian"][0]
    densities = [fixation_density(f, SHAPE, 27) for f in osie.fixations]
    values = [
        np.mean([metrics.nss(saliency, f) for f in osie.fixations]),
        np.mean([metrics.auc_judd(saliency, f) for f in osie.fixations]),
        np.mean([metrics.cc(saliency, d) for d in densities]),
    ]
    return markdown_table(["", "NSS", "AUC-Judd", "CC"], [["`gaussian`, sigma .25", *(f"{v:.3f}" for v in values)]])


def main() -> None:
    """Measure and write the page."""
    if not (SHARED / "data" / "OSIE").is_dir():
        sys.exit(f"{SHARED / 'data'}: no folder 'OSIE' (set SALBOX_SHARED)")
    warnings.simplefilter("ignore", DeprecationWarning)  # np.trapz, in pysaliency
    osie = Osie()
    header = ["metric", "reference", "largest difference", "remark"]
    borji, borji_note = borji_row(osie)
    emd = emd_rows(osie)
    at_fixations = markdown_table(header, [r.cells() for r in (*fixation_rows(osie), borji, *emd)])
    fidelity = markdown_table(header, [r.cells() for r in fidelity_rows(osie)])
    rows, pairs = object_rows()
    objects = markdown_table(header, [r.cells() for r in rows])
    definitions = markdown_table(
        ["name", "formula", "source", "better", "accepts", "compares with"],
        [
            [
                f"`{m.name}`",
                m.formula,
                m.source,
                m.direction,
                ", ".join(m.accepts),
                ", ".join(m.needs),
            ]
            for m in metrics.METRICS.values()
        ],
    )
    packages = ("salbox", "numpy", "scipy", "opencv-python-headless", "scikit-image", "scikit-learn", "numba")
    write_page(
        "metrics.md",
        f"""# Metrics: definitions, conformance, speed

{provenance((*packages, "pysaliency", "pysodmetrics"))} Written by `benchmarks/metrics.py`.

## Definitions

p is the map, q the density of the fixations. A `log_density` is scored as exp(map) by NSS, CC, SIM, KL, EMD and
fidelity, and as it is by the AUCs, LL and IG. A score becomes a density only by the rule that the formula names:
*sum* (a negative minimum is subtracted, then division by the sum) or *min-max* (the minimum is subtracted, then
division by the sum).

{definitions}

## Conformance on OSIE

The {osie.count} test images (number ends in 3 or 7), maps of `gaussian` (sigma .25) and of `bms` (integers 0 to 255:
many ties) in double precision, density sigma {SIGMA:g} pixels; the largest absolute difference of any image. Given a
float32 map, pysaliency sums it in single precision; salbox computes in double always. For LL and IG the density is
.9 of `bms` divided by its sum and .1 uniform, the baseline the fixations of the other 139 images blurred by
{BASELINE_SIGMA:g} pixels, .99, and .01 uniform. `fixation_density`, `auc_borji` and the two EMD rows are of `bms`,
on the first {EMD_IMAGES} images.

{at_fixations}

{borji_note} How long EMD takes: [by two solvers](emd.md).

## Fidelity

`bms` as the student, the fixations' density as the teacher, same images.

{fidelity}

## Objects

`bms`, 8-bit maps, on {pairs} images of ECSSD: the figures of the set (F and E as maximum and mean of the mean curve)
against PySODMetrics' evaluators (its older `Fmeasure`, which published tables used); the last four image by image.

{objects}

## Degenerate cases

One number where salbox and pysaliency agree to 1e-9; else **salbox** (pysaliency).

{degenerate_table()}

Why they differ: the deviation of a constant such as .3 from its mean may be rounding noise instead of 0, by which
pysaliency divides; salbox asks whether all values are equal and says chance. Squares of values near 1e-300 are 0 in
double precision; salbox scales before it squares. `kl_pysaliency` of values near 1e-300 is that of a constant, as
1e-20 is added to them: its definition, in both.

No fixation on an image, a fixation outside, NaN or infinity (for `sauc` where it reads), two shapes: one error each
that says what is wrong (`UsageError`), in all metrics. pysaliency's AUC is NaN without fixations; of a map with one
NaN its NSS, CC and SIM are NaN and its AUC is a number.

## Speed

Milliseconds of processor time an image of 800x600: {TIMED_IMAGES} OSIE images, median of {REPEATS} runs in turns, one
process, after a warm-up (pysaliency compiles with Numba). `sauc` is of the whole split of {osie.count} images and
includes the collection of the negatives on both sides. `AUC_per_image` is what pysaliency's `AUC` and `sAUC` call;
`AUCs`, a value for each fixation, is its faster way to the same number.

{speed_table(osie)}

## A known figure

With density sigma 27 pixels on the same {osie.count} images:

{check_table(osie)}
""",
    )


if __name__ == "__main__":
    main()
