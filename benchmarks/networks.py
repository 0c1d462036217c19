"""The published deep networks: how near to their authors' programs, and what they cost.

Needs what the authors' programs gave for generated weights (`shared/architectures` beside the checkout, or
SALBOX_SHARED). Each network is measured in a process of its own, its file of weights removed after. Takes about five
minutes. Names of networks as arguments measure those alone and print. Writes docs/results/networks.md.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import numpy.typing as npt
import torch
from _tables import ROOT, SHARED, markdown_table, provenance, write_page

import salbox
from salbox.bench import count, in_fresh_process, largest_difference, photo
from salbox.models.model import Model
from salbox.networks.unisal import predictor as unisal
from salbox.system.memory import peak_memory, resident_memory

sys.path.insert(0, str(ROOT / "tests" / "helpers"))
import authors_files as files
from generated_weights import arrays_of, facts_of, saved_every

THREADS = 2  # as the authors' programs had
WIDTH, HEIGHT = 640, 480
REPEAT = 3
ENOUGH = 8.0  # seconds after which no further run begins
TOLERANCE = 1e-4  # of a map's range
TRAINED = ("fastgaze", "attention-center")  # networks whose weights are at hand

FloatMap = npt.NDArray[np.float32]
Ways = dict[str, tuple[float, float]]  # way to run: seconds, difference from the map in float32
Pairs = Iterator[tuple[FloatMap, FloatMap]]  # what is found and what the authors' program gave


@dataclass(frozen=True)
class Official:
    """An authors' program.

    Attributes
    ----------
    model : str
        What `salbox.load` takes.
    facts : str
        The file of `shared/architectures` that holds what the program gave.
    write : callable
        Writes a file of weights in the authors' layout, given the shared folder and one to write to.
    outputs : callable
        Yields maps beside the program's.
    formats : str
        The files that are read.
    """

    model: str
    facts: str
    write: Callable[[Path, Path], Path]
    outputs: Callable[[Model, str], Pairs]
    formats: str


def final(tag: str = "osie1001", scale: float = 1, **parameters: Any) -> Callable[[Model, str], Pairs]:
    """Return what compares a model's map, times `scale`, with the program's last output."""

    def outputs(model: Model, facts: str) -> Pairs:
        found = scale * model.function(the_photo(), **parameters)
        yield kept(facts, tag, found)

    return outputs


def of_unisal(model: Model, facts: str) -> Pairs:
    """Of a photo, and of a clip that the authors' program saw as one sequence."""
    image = the_photo()
    yield kept(facts, "osie1001_static_SALICON", model(image))
    frames = [np.ascontiguousarray(image[100:460, 8 * i : 8 * i + 640]) for i in range(6)]
    with patch.dict(unisal.SPACING, {"DHF1K": 1}):
        clip = model.follow()
        yield kept(facts, "osie1001_clip6_DHF1K", np.stack([clip(frame) for frame in frames]))


def of_deepgaze(model: Model, facts: str) -> Pairs:
    bias = files.deepgaze_center_bias(600, 800)
    yield kept(facts, "osie1001", salbox.load(model.name, weights=model.weights, center_bias=bias)(the_photo()))


def of_msinet(model: Model, facts: str) -> Pairs:
    """Before the map is rounded to 8 bits, at both sizes."""
    from salbox.networks.msinet.network import SIZES
    from salbox.networks.msinet.predictor import framed

    image, network = files.as_tensorflow_decodes(files.photo_path(SHARED)), model.function.network
    for dataset, tag in {"salicon": "osie1001_salicon_240x320", "mit1003": "osie1001_mit1003_360x360"}.items():
        batch = torch.from_numpy(framed(image, SIZES[dataset])).permute(2, 0, 1)[None]
        yield kept(facts, tag, network.scaled(network(batch))[0, 0].numpy())


def of_transalnet(model: Model, facts: str) -> Pairs:
    """Before the map is rounded to 8 bits, in both orders of channels."""
    from salbox.networks.ops.letterbox import fit
    from salbox.networks.transalnet.network import FILL, HEIGHT, WIDTH

    image = torch.from_numpy(fit(the_photo(), HEIGHT, WIDTH, FILL)).permute(2, 0, 1)[None].float()
    for order, batch in {"RGB": image, "BGR": image.flip(1)}.items():
        yield kept(facts, f"osie1001_{order}", model.function.network.maps(batch)[0, 0].numpy())


def kept(facts: str, tag: str, found: FloatMap) -> tuple[FloatMap, FloatMap]:
    return saved_every(arrays_of(SHARED, facts), tag, found)


def the_photo() -> npt.NDArray[np.uint8]:
    return salbox.read_image(files.photo_path(SHARED))


def sam(encoder: str) -> Official:
    return Official(
        "sam",
        f"sam_{encoder}",
        lambda shared, folder: files.sam(shared, folder, encoder),
        final("osie1001_postprocessed", 255),
        "Keras 1 HDF5 (`.pkl`, `.h5`)",
    )


def transalnet(encoder: str) -> Official:
    facts = f"transalnet_{encoder}"
    return Official(
        "transalnet", facts, lambda shared, folder: files.transalnet(shared, folder, facts), of_transalnet, TORCH
    )


def of_u2net(model: Model, facts: str) -> Pairs:
    """The map at the network's own size: its program enlarges it in 8 bits."""
    function: Any = model.function
    with patch("salbox.networks.u2net.predictor.map_at", lambda coarse, shape, output: coarse):
        yield kept(facts, "osie1001_no_antialias", function(the_photo()))


def u2net(name: str) -> Official:
    return Official(name, name, lambda shared, folder: files.u2net(shared, folder, name), of_u2net, TORCH)


def scfnet(model: str, encoder: str) -> Official:
    return Official(
        model,
        f"kdscfnet_{encoder}",
        lambda shared, folder: files.scfnet(shared, folder, encoder),
        final("osie1001_final"),
        f"Paddle (`.pdparams`), {TORCH}",
    )


TORCH = "PyTorch (`.pth`, `.safetensors`)"
NETWORKS = {
    "`unisal`": Official("unisal", "unisal", files.unisal, of_unisal, TORCH),
    "`sam`, ResNet-50": sam("resnet"),
    "`sam`, VGG-16": sam("vgg"),
    "`dgii`": Official("dgii", "deepgaze2_torch", files.dgii, of_deepgaze, f"{TORCH}, salbox's own layout"),
    "`deepgaze2e`": Official("deepgaze2e", "deepgaze2e", files.deepgaze2e, of_deepgaze, TORCH),
    "`salicon`": Official("salicon", "opensalicon", files.salicon, final(), "Caffe (`.caffemodel`)"),
    "`msinet`": Official(
        "msinet", "msinet", files.msinet, of_msinet, "TensorFlow frozen graph (`.pb`), checkpoint (`.index`)"
    ),
    "`dinet`": Official(
        "dinet", "dinet_keras", files.dinet, final("osie1001_postprocessed", 255), "Keras 2 HDF5 (`.h5`)"
    ),
    "`transalnet`, ResNet-50": transalnet("res"),
    "`transalnet`, DenseNet-161": transalnet("dense"),
    "`scfnet`": scfnet("scfnet", "m3_0.5"),
    "`scfnet.r50`": scfnet("scfnet.r50", "r50"),
    "`scfnet.swinb`": scfnet("scfnet.swinb", "swinb"),
    "`u2net`": u2net("u2net"),
    "`u2netp`": u2net("u2netp"),
    "`samnet`": Official("samnet", "samnet", files.samnet, final("osie1001_resized"), TORCH),
}


@dataclass(frozen=True)
class Figures:
    """What was measured of a network: counts, seconds, bytes, and differences as shares of a map's range."""

    official: int
    parameters: int
    macs: int
    file: int
    seconds: float
    memory: int
    difference: float
    changed: Ways


WAYS: dict[str, dict[str, Any]] = {
    "channels last": {"channels_last": True},
    "half, channels last": {"precision": "half", "channels_last": True},
}


def measured(name: str) -> Figures:
    """Return the figures of a network, measured in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        path = in_fresh_process(THREADS, written, name, Path(folder))
        return in_fresh_process(THREADS, figures, name, path)


def written(name: str, folder: Path) -> Path:
    return NETWORKS[name].write(SHARED, folder)


def figures(name: str, path: Path) -> Figures:
    official, image = NETWORKS[name], photo(WIDTH, HEIGHT)
    torch.set_grad_enabled(False)
    before = resident_memory()
    model = salbox.load(official.model, weights=path)
    seconds, plain = clocked(model, image)
    memory = (peak_memory() or 0) - (before or 0)
    # What follows may take memory of its own and change the layout of the network, so the order matters.
    worst = max(largest_difference(found, expected) for found, expected in official.outputs(model, official.facts))
    macs = count(model, image)[1]
    facts = facts_of(SHARED, official.facts)
    if worst > TOLERANCE and official.model != "deepgaze2e":  # see the page
        raise SystemExit(f"{name}: {worst:.1e} of the range from the authors' program")
    with_statistics = facts["n_params_note"].startswith("all arrays") or "paddle" in facts
    parameters = numbers(model, with_statistics=with_statistics)
    size = path.stat().st_size
    return Figures(
        facts["n_params"], parameters, macs or 0, size, seconds, memory, worst, in_other_ways(model, image, plain)
    )


def trained(name: str) -> tuple[float, Ways]:
    """Return the seconds that a network with its authors' weights takes, and its figures run in other ways."""
    torch.set_grad_enabled(False)
    model, image = salbox.load(name), photo(WIDTH, HEIGHT)
    seconds, plain = clocked(model, image)
    return seconds, in_other_ways(model, image, plain)


def in_other_ways(model: Model, image: npt.NDArray[np.uint8], plain: FloatMap) -> Ways:
    """Return {way: seconds and largest difference from the map in float32, as a share of its range}."""
    found = {}
    for way, keywords in WAYS.items():
        seconds, saliency = clocked(model.run_as(**keywords), image)
        found[way] = (seconds, largest_difference(saliency, plain))
    return found


def clocked(model: Model, image: npt.NDArray[np.uint8]) -> tuple[float, FloatMap]:
    """Return the median seconds of several runs, fewer if they take long, and the map."""
    saliency, taken = model(image), []
    while len(taken) < REPEAT and sum(taken) < ENOUGH:
        start = time.perf_counter()
        saliency = model(image)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken), saliency


def numbers(model: Model, *, with_statistics: bool) -> int:
    """Return how many numbers a network has: learned ones, or all that a file of Keras or Paddle holds."""
    network = model.function.network
    if not with_statistics:
        return sum(parameter.numel() for parameter in network.parameters())
    stored = network.state_dict().items()
    return sum(value.numel() for name, value in stored if not name.endswith("num_batches_tracked"))


def table(found: dict[str, Figures]) -> str:
    body = [
        [
            name,
            f"{f.official:,}",
            f"{f.parameters:,}",
            f"{f.difference:.0e}",
            NETWORKS[name].formats,
            f"{f.file / 1e6:.0f}",
            f"{f.macs / 1e9:.1f}",
            f"{f.seconds * 1e3:.0f}",
            f"{f.memory / 2**20:.0f}",
        ]
        for name, f in found.items()
    ]
    head = ["network", "parameters, official", "ours", "largest difference, of range", "files read", "file, MB"]
    return markdown_table([*head, "GMAC", "ms (median)", "memory, MiB"], body)


def table_of_ways(found: dict[str, tuple[float, Ways]]) -> str:
    body = []
    for name, (seconds, ways) in found.items():
        cells = [cell for taken, difference in ways.values() for cell in (f"{taken * 1e3:.0f}", f"{difference:.0e}")]
        body.append([name, f"{seconds * 1e3:.0f}", *cells])
    head = [cell for way in WAYS for cell in (f"{way}, ms", "difference")]
    return markdown_table(["network", "float32, ms", *head], body)


def main() -> Path | None:
    os.environ.setdefault("SALBOX_WEIGHTS", str(SHARED / "weights"))
    load = os.getloadavg()[0]  # of other programs: nothing was done yet
    chosen = [name for name in NETWORKS if not sys.argv[1:] or any(text in name for text in sys.argv[1:])]
    found = {name: measured(name) for name in chosen}
    ways = {name: (f.seconds, f.changed) for name, f in found.items()}
    if len(chosen) < len(NETWORKS):
        print(table(found), table_of_ways(ways), sep="\n\n")
        return None
    ways |= {f"`{name}`, trained": in_fresh_process(THREADS, trained, name) for name in TRAINED}
    parts = [
        "# The deep networks: how near, how large, how fast",
        f"{provenance(('salbox', 'numpy', 'pillow', 'opencv-python-headless', 'torch'))} Written by "
        "`benchmarks/networks.py`.",
        "Networks that others published, written again in PyTorch. Their authors' files of weights are read as they "
        "are ([networks](../networks.md)). Here the files hold generated numbers in the authors' layouts, for which "
        "their programs gave the maps that are compared with.",
        table(found),
        "*Parameters*: those of the authors' program; of `sam`, `dinet` and `scfnet` all numbers that the program "
        "stores, the moving statistics of norms with them (less a last norm of `scfnet.swinb` that nothing looks at). "
        "`deepgaze2e`: the program keeps its backbones' classifiers, 8.1 million "
        "numbers that no map depends on. *Difference*: from file to map on one photo of OSIE, 800x600; the largest "
        "from the output of the authors' program, as a share of that output's range. Of `unisal` also on a clip of six "
        "frames; `msinet` (at two sizes) and `transalnet` (in both orders of channels) before their programs round to "
        "8 bits. With generated weights the last stages of EfficientNet in `deepgaze2e` amplify rounding, so that its "
        "difference depends on the processor: within 3e-6 where it rounds as the authors' did, and its three other "
        "backbones agree anywhere.",
        f"*GMAC*, *ms* and *memory* are of one photo of {WIDTH}x{HEIGHT}, from its pixels to the map at its size, "
        f"{THREADS} threads, up to {REPEAT} runs after one: multiply-adds in convolutions and matrix products; the "
        "median time; the largest resident memory while the file is read and maps are computed, less what Python with "
        f"PyTorch took before. The machine's load average before was {load:.1f}.",
        "## Half precision and channels last",
        "`--precision half` computes convolutions and matrix products in bfloat16 on a processor (float16 on a GPU), "
        "`--channels-last` lays out the channels of a pixel side by side; both of `salbox predict` and `salbox bench`. "
        "*Difference*: the largest from the map in float32, of its range. With generated weights it says little of the "
        "learned ones, which the last two rows have.",
        table_of_ways(ways),
    ]
    return write_page("networks.md", "\n\n".join(parts))


if __name__ == "__main__":
    main()
