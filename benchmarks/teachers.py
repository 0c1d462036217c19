"""The fixation networks that teach, and what the networks that learn from them cost.

Needs the data and the networks' weights (`shared/data` and `shared/weights` beside the checkout, or SALBOX_SHARED).
Scores are kept image by image in cache/teachers, so that an interrupted run goes on. Writes docs/results/teachers.md.
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from _tables import ROOT, SHARED, markdown_table, provenance, write_page
from PIL import Image

import salbox
from salbox.bench import Cost, bench
from salbox.datasets import open_dataset
from salbox.evaluation import Evaluation, ModelSource, evaluate
from salbox.metrics.fidelity import fidelity_cc
from salbox.models.cards import ModelCard
from salbox.networks.export.onnx import export_onnx
from salbox.networks.trainable.factory import build_network

sys.path.insert(0, str(ROOT / "tests" / "helpers"))
from oracle import demo_map, demo_photo

KEPT = ROOT / "cache" / "teachers"
STIMULI = SHARED / "data" / "OSIE" / "data" / "stimuli"

MODELS = ("attention-center", "fastgaze", "glimpse")
ENSEMBLE = "ensemble:" + "+".join(MODELS)
CENTER = "gaussian"
METRICS = ("nss", "auc_judd", "cc")
SIGMA = 27  # pixels, of the density that CC compares with
TOLERANCE = (0.04, 0.004, 0.004)

# What others measured with the same weights on the same 140 photos, to the digits they give.
REFERENCE = {
    "attention-center": (2.34, 0.869, 0.646),
    "fastgaze": (2.31, 0.865, 0.678),
    "glimpse": (2.06, 0.874, 0.652),
    ENSEMBLE: (2.47, 0.890, 0.730),
    CENTER: (0.85, 0.735, 0.318),
}

THREADS = 2
WIDTH, HEIGHT = 640, 480


def scored() -> Evaluation:
    """Return NSS, AUC-Judd and CC of the networks, their ensemble and the centred Gaussian on OSIE test."""
    data = open_dataset(f"osie:{SHARED / 'data' / 'OSIE'}", "test")
    rows = [*(ModelSource(name) for name in (*MODELS, ENSEMBLE)), ModelSource(CENTER, {"sigma": 0.25})]
    return evaluate(data, rows, METRICS, sigma=SIGMA, folder=KEPT)


def score_table(evaluation: Evaluation) -> str:
    body = []
    for name, expected in REFERENCE.items():
        for metric, reference, tolerance in zip(METRICS, expected, TOLERANCE, strict=True):
            found = evaluation.estimate(name, metric)
            assert found is not None
            if abs(found.value - reference) > tolerance:
                raise SystemExit(f"{name}: {metric} {found.value:.4f} is not within {tolerance} of {reference}")
        figures = [evaluation.estimate(name, metric) for metric in METRICS]
        measured = [f"{f.value:.{d}f} [{f.low:.{d}f}, {f.high:.{d}f}]" for f, d in zip(figures, (2, 3, 3), strict=True)]
        beside = [f"{value:.{digits}f}" for value, digits in zip(expected, (2, 3, 3), strict=True)]
        body.append([f"`{name}`", *(cell for pair in zip(measured, beside, strict=True) for cell in pair)])
    head = [cell for title in ("NSS", "AUC-Judd", "CC") for cell in (title, "reference")]
    return markdown_table(["model", *head], body)


def auc_line(evaluation: Evaluation) -> str:
    """Return how far AUC-Judd is from the reference: alike in all rows, also that of the Gaussian without weights."""
    found = {name: evaluation.estimate(name, "auc_judd") for name in REFERENCE}
    gaps = {name: found[name].value - expected[1] for name, expected in REFERENCE.items()}
    return (
        f"AUC-Judd is {min(gaps.values()):+.4f} to {max(gaps.values()):+.4f} from the reference, and "
        f"{gaps[CENTER]:+.4f} for `{CENTER}`, which has no weights: what differs is the metric, not the networks."
    )


def fastgaze_raw() -> Callable[[str], tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    from salbox.networks.fastgaze.predictor import FastGazePredictor

    folder = SHARED / "weights" / "fastgaze"
    network = FastGazePredictor.load(folder / "fastgaze_fp32.npz").network
    return lambda name: (
        network(as_tensor(name, (400, 300)))[0, 0].numpy(),
        np.load(folder / "expected" / f"{name}.npz")["log_density"],
    )


def attention_center_raw() -> Callable[[str], tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    from salbox.networks.attention_center.predictor import AttentionCenterPredictor

    folder = SHARED / "weights" / "attention-center"
    network = AttentionCenterPredictor.load(folder / "center_fp32.npz").network
    return lambda name: (
        network(as_tensor(name, (640, 480)))[0, 0, ::4, ::4].numpy(),
        np.load(folder / "expected" / f"{name}.npz")["logit_every_4th"],
    )


def glimpse_raw() -> Callable[[str], tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]:
    from salbox.runtime.glimpse import GlimpsePredictor

    path = SHARED / "weights" / "glimpse" / "saliency.onnx"
    model = GlimpsePredictor.load(path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (port,) = session.get_inputs()
    return lambda name: (
        model.raw(salbox.read_image(STIMULI / f"{name}.jpg")),
        session.run(None, {port.name: as_tensor(name, (320, 240)).numpy() / 255})[0][0, 0],
    )


def as_tensor(name: str, size: tuple[int, int]) -> torch.Tensor:
    """Return a photo at (width, height), resized by Pillow bilinearly: (1, 3, H, W), 0..255."""
    with Image.open(STIMULI / f"{name}.jpg") as photo:
        pixels = np.array(photo.resize(size, Image.Resampling.BILINEAR), np.float32)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].contiguous()


def raw_table() -> str:
    """Return how far the networks' raw outputs are from the releases'."""
    names = sorted(path.stem for path in (SHARED / "weights" / "fastgaze" / "expected").glob("*.npz"))
    against = {
        "attention-center": (attention_center_raw(), "the release's logit, every 4th pixel"),
        "fastgaze": (fastgaze_raw(), "the release's log density"),
        "glimpse": (glimpse_raw(), "ONNX Runtime on the release's file"),
    }
    body = []
    for model, (outputs, reference) in against.items():
        pairs = [outputs(name) for name in names]
        worst = max(float(np.abs(found - expected).max() / np.ptp(expected)) for found, expected in pairs)
        body.append([f"`{model}`", reference, str(len(pairs)), f"{worst:.1e}" if worst else "none"])
    return markdown_table(["model", "against", "photos", "largest difference, of range"], body)


def deepgaze_line() -> str:
    photo, theirs = demo_photo(SHARED), demo_map(SHARED, "dgii")
    found = salbox.load("fastgaze")(photo)
    plain = np.corrcoef(found.ravel(), theirs.ravel())[0, 1]
    return (
        "FastGaze's authors distilled it from DeepGaze II. Its map of KDSalBox's demonstration photo has a CC of "
        f"{plain:.3f} with DeepGaze II's own, published as an 8-bit JPEG ({fidelity_cc(found, theirs):.3f} as fidelity "
        "is defined, both at 320x240): it stands for itself, not for DeepGaze II."
    )


def students(folder: Path) -> dict[str, str]:
    """Write the students as ONNX with random weights, which cost what learned ones do; return {what: path}."""
    made = {
        "`kdsalbox`, 480x640": ("kdsalbox", None),
        "`box`, 480x640": ("box", (HEIGHT, WIDTH)),
        "`box`, 192x256": ("box", (192, 256)),
    }
    paths = {}
    for number, (what, (name, size)) in enumerate(made.items()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the weights are random
            settings = {"context": "none", "deepest": 32} if name == "box" else {}  # the plain one, with all strides
            network = build_network(name, ("map",), init="none", size=size, **settings)
        paths[what] = str(folder / f"{number}.onnx")
        export_onnx(network, Path(paths[what]), {"map": nobody(name)}, {"map": "nobody"})
    return paths


def nobody(name: str) -> ModelCard:
    """Return the card of a network that nobody taught."""
    card = salbox.card("gaussian").to_dict()
    return ModelCard.from_dict({**card, "name": name, "title": name, "parameters": [], "origin": "random weights"})


def cost_table() -> str:
    """Return what the students and the fixation networks cost for one photo, all timed in one run."""
    with tempfile.TemporaryDirectory() as folder:
        paths = students(Path(folder))
        named = {path: what for what, path in paths.items()} | {name: f"`{name}`" for name in MODELS}
        costs = bench({name: {} for name in named}, [(WIDTH, HEIGHT)], threads=THREADS)
    runtime = {name: "PyTorch" for name in MODELS if name != "glimpse"}
    body = [cost_row(named[cost.model], runtime.get(cost.model, "ONNX Runtime"), cost) for cost in costs]
    head = ["network", "runs in", "parameters", "GMAC", "ms (median)", "ms (95 %)", "file, MB", "memory, MiB"]
    return markdown_table(head, body)


def cost_row(what: str, runtime: str, cost: Cost) -> list[str]:
    figures = (cost.parameters, cost.macs, cost.file_bytes, cost.peak_memory_bytes)
    parameters, macs, size, memory = (0 if figure is None else figure for figure in figures)
    latency = [f"{seconds * 1e3:.0f}" for seconds in (cost.latency_median, cost.latency_p95)]
    return [
        what,
        runtime,
        f"{parameters:,}",
        f"{macs / 1e9:.2f}",
        *latency,
        f"{size / 1e6:.1f}",
        f"{memory / 2**20:.0f}",
    ]


def main() -> Path:
    os.environ.setdefault("SALBOX_WEIGHTS", str(SHARED / "weights"))
    torch.set_grad_enabled(False)
    packages = ("salbox", "numpy", "pillow", "torch", "onnxruntime")
    load = os.getloadavg()[0]  # of other programs: nothing was done yet
    costs = cost_table()
    evaluation = scored()
    command = f"salbox evaluate -m {','.join(MODELS)},{ENSEMBLE} --dataset osie:PATH --split test \\\n"
    command += f"    --metrics {','.join(METRICS)} --sigma {SIGMA} --markdown"
    parts = [
        "# Teachers: networks that predict where people look",
        f"{provenance(packages)} Written by `benchmarks/teachers.py`.",
        "Published networks with their authors' weights, which salbox does not bring, and the mean of their z-scored "
        "maps. They teach salbox's students; an ensemble is a better teacher than its members.",
        f"## OSIE test, {len(evaluation.images)} photos",
        f"Density of fixations: sigma {SIGMA} pixels. In brackets the 95 % interval of a bootstrap over photos. "
        "*Reference*: another implementation's figures for the same weights and photos; the run stops if NSS is more "
        f"than {TOLERANCE[0]} off, AUC-Judd or CC more than {TOLERANCE[1]}. "
        f"`{CENTER}` has a sigma of a quarter of each side.",
        score_table(evaluation),
        auc_line(evaluation),
        f"```\n{command}\n```",
        "## The networks as they were released",
        raw_table(),
        deepgaze_line(),
        "## What students cost beside them",
        f"One photo of {WIDTH}x{HEIGHT}, from its pixels to the map at its size, {THREADS} threads, all timed in turn "
        "in one run; `salbox bench --help` defines each figure. The students have random weights here, which cost what "
        "learned ones do. `kdsalbox` sees the photo as it is; the box at two sizes. The machine's load average before "
        f"was {load:.1f}.",
        costs,
    ]
    return write_page("teachers.md", "\n\n".join(parts))


if __name__ == "__main__":
    main()
