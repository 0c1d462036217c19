"""The experiment of a document on distilling MSI-Net into a ResNet-18, repeated with what is at hand.

The document trains a student with an unbranched decoder (A) on people's fixation densities, and one whose last layer
is branched (B) on the same plus the teacher's output, and finds that A fails to converge while B follows. Here MSI-Net
teaches as `scripts/train_people.py ../shared msinet` trained it, OSIE's training photos are what is learned from, and a
third run separates the causes: A on the teacher's map alone. Each run takes `--minutes` of the processor, divided by
the threads, so that what else the machine does makes no difference; checkpoints and figures are kept under `--out`, so
that a run that was interrupted goes on, and one that is finished is not repeated. Writes docs/results/resnet18.md and
docs/images/resnet18.png when all runs are finished.

    python benchmarks/resnet18.py [--teacher runs/msinet-0] [--minutes 10] [--only 'A-human-*' B-both-0] [--bfloat16]
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _distilling import RUNS, at_size, chosen, human_density, is_validation, kept, osie, read_json, write_json
from _tables import ROOT, markdown_table, provenance, write_page
from numpy.typing import NDArray

import salbox
from salbox.datasets import Dataset
from salbox.imaging.writing import atomic
from salbox.losses import kl
from salbox.metrics import fidelity_kl, get_metric
from salbox.networks.encoders import WeightsWarning
from salbox.networks.trainable.factory import build_network
from salbox.system.threads import available_threads
from salbox.training.clock import now

TEACHER = "teacher"  # what the students' head is called
SIZE = (192, 256)
SEEDS = (0, 1)
BATCH = 8
LEARNING_RATE = 1e-3  # Adam's; this and the smoothing factor are the document's
SMOOTHING = 3.0
POINT = 31  # batches between two points of a curve, about half of the training photos
PICTURE = "resnet18.png"
COLORS = {"A-human": "#0072b2", "B-both": "#d55e00", "A-teacher": "#009e73"}  # the colour-blind can tell them apart


@dataclass(frozen=True)
class Setting:
    """One kind of run: the student, what its saliency map learns, and what its feature map learns if it has one."""

    student: str
    learns: str
    branch: str
    words: str


SETTINGS = {
    "A-human": Setting("resnet18-a", "human", "", "`resnet18-a`, people's densities"),
    "B-both": Setting("resnet18-b", "human", "teacher", "`resnet18-b`, people's densities and, second branch, teacher"),
    "A-teacher": Setting("resnet18-a", "teacher", "", "`resnet18-a`, the teacher's maps"),
}


@dataclass(frozen=True)
class Part:
    """Photos of one part at working size: images, and what people and the teacher say of them, in 0..1.

    The teacher's maps of the mirrored photos are its own, not its maps mirrored: (N, 2, h, w).
    """

    images: NDArray[np.uint8]
    human: NDArray[np.float32]
    teacher: NDArray[np.float32]

    def batch(self, places: NDArray[np.int64], mirrored: NDArray[np.bool_], device: str) -> dict[str, torch.Tensor]:
        images, human = self.images[places].copy(), self.human[places].copy()
        images[mirrored], human[mirrored] = images[mirrored, :, ::-1], human[mirrored, :, ::-1]
        teacher = self.teacher[places, mirrored.astype(int)].astype(np.float32)
        arrays = {"images": images.transpose(0, 3, 1, 2), "human": human[:, None], "teacher": teacher[:, None]}
        return {k: torch.from_numpy(np.ascontiguousarray(v)).to(device).float() for k, v in arrays.items()}


def load_part(data: Dataset, indices: list[int], teacher_run: Path, file: Path) -> Part:
    def make() -> dict[str, NDArray[Any]]:
        model = salbox.load(str(teacher_run))
        images, human, teacher = [], [], []
        for index in indices:
            pixels = data.pixels(index)
            images.append(at_size(pixels, SIZE))
            human.append(_to_one(at_size(human_density(data, index), SIZE)))
            both = [model(pixels), model(np.ascontiguousarray(pixels[:, ::-1]))]
            teacher.append(np.stack([_to_one(at_size(saliency, SIZE)) for saliency in both]))
            if len(images) % 50 == 0 or len(images) == len(indices):
                print(f"{file.stem}: {len(images)} of {len(indices)} photos", flush=True)
        return {
            "images": np.stack(images),
            "human": np.stack(human).astype(np.float32),
            "teacher": np.stack(teacher).astype(np.float32),
        }

    return Part(**kept(file, make))


def _to_one(values: NDArray[Any]) -> NDArray[np.float64]:
    return values.astype(np.float64) / values.max()


def parts(out: Path, teacher_run: Path, photos: int | None) -> dict[str, Part]:
    """Return training, validation and test photos; the validation part chooses nothing here, it draws the curves."""
    train, test = osie("train"), osie("test")
    places: dict[str, list[int]] = {"training": [], "validation": []}
    for index, item in enumerate(train.items):
        places["validation" if is_validation(item.image.name) else "training"].append(index)
    found = {
        name: load_part(train, indices[:photos], teacher_run, out / f"{name}.npz") for name, indices in places.items()
    }
    return {**found, "test": load_part(test, list(range(len(test)))[:photos], teacher_run, out / "test.npz")}


def batches(part: Part, seed: int, first: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Yield (places, which are mirrored) of every batch from number `first` on; the same for a seed, whatever ran."""
    passes = len(part.images) // BATCH
    number = first
    while True:
        rng = np.random.default_rng((seed, number // passes))
        order = rng.permutation(len(part.images))[: passes * BATCH].reshape(passes, BATCH)
        mirrored = rng.random((passes, BATCH)) < 0.5
        for k in range(number % passes, passes):
            yield order[k], mirrored[k]
            number += 1


def losses(network: Any, setting: Setting, batch: dict[str, torch.Tensor], precision: torch.dtype) -> torch.Tensor:
    """Return the loss: KL from people's density, KL with the smoothing factor from the teacher's map."""
    valid = torch.ones(len(batch["images"]), 1, dtype=torch.bool, device=batch["images"].device)
    with torch.autocast(batch["images"].device.type, precision, enabled=precision != torch.float32):
        outputs = network.outputs(batch["images"])
    saliency = outputs.main.float()
    if setting.branch:
        (feature,) = outputs.side
        return kl(saliency, batch["human"], valid) + kl(feature.float(), batch["teacher"], valid, temperature=SMOOTHING)
    smoothing = SMOOTHING if setting.learns == "teacher" else 1.0
    return kl(saliency, batch[setting.learns], valid, temperature=smoothing)


@torch.no_grad()
def measured(network: Any, setting: Setting, part: Part, device: str) -> dict[str, float]:
    """Return KL against people (as `salbox evaluate` has it) and against the teacher (as fidelity), mean over photos.

    Of a branched network also that of its second branch.
    """
    network.eval()
    found: dict[str, list[float]] = {"human": [], "teacher": [], **({"branch": []} if setting.branch else {})}
    for start in range(0, len(part.images), BATCH):
        places = np.arange(start, min(start + BATCH, len(part.images)))
        images = part.batch(places, np.zeros(len(places), bool), device)["images"]
        logits = network.outputs(images).joined
        for place, maps in zip(places, torch.sigmoid(logits.double()).cpu().numpy(), strict=True):
            for name, value in scores(maps[0], part, int(place)).items():
                found[name].append(value)
            if setting.branch:
                found["branch"].append(fidelity_kl(maps[1], part.teacher[place, 0]))
    network.train()
    return {name: float(np.mean(values)) for name, values in found.items()}


def scores(saliency: NDArray[Any], part: Part, place: int) -> dict[str, float]:
    density = part.human[place].astype(np.float64)
    human = get_metric("kl_mit").score(saliency, "score", {"density": density / density.sum()})
    return {"human": float(np.asarray(human)), "teacher": fidelity_kl(saliency, part.teacher[place, 0])}


def constants(training: Part, part: Part) -> dict[str, dict[str, float]]:
    """Return what maps get that are the same for all photos: the means over the training photos, and an even one."""
    # The mean of the photos and their mirror images is what a student that ignores the photo would learn.
    mirror = (training.human + training.human[:, :, ::-1]) / 2
    maps = {
        "mean density of the training photos": np.mean([m / m.sum() for m in mirror.astype(np.float64)], axis=0),
        "mean teacher map of the training photos": training.teacher.astype(np.float64).mean(axis=(0, 1)),
        "an even map": np.ones(SIZE),
    }
    return {name: _mean([scores(m, part, k) for k in range(len(part.images))]) for name, m in maps.items()}


def _mean(found: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in found])) for name in found[0]}


def run(
    name: str, seed: int, data: dict[str, Part], folder: Path, seconds: float, device: str, precision: torch.dtype
) -> dict[str, Any]:
    """Return a run's record: the points of its curve and, once its time is over, its figures on the test photos."""
    setting, state_file = SETTINGS[name], folder / "state.pt"
    record = read_json(folder / "record.json") or {"points": [], "seconds": 0.0, "batches": 0, "test": None}
    if record["test"] is not None:
        return record
    network: Any = start(setting, seed).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    if state_file.is_file():
        state = torch.load(state_file, map_location=device, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        record = state["record"]
    if not record["points"]:
        record["points"].append({"images": 0, "seconds": 0.0, **measured(network, setting, data["validation"], device)})
    stream, began, loss_sum = batches(data["training"], seed, record["batches"]), now("processor", device), 0.0
    network.train()
    for places, mirrored in stream:
        batch = data["training"].batch(places, mirrored, device)
        loss = losses(network, setting, batch, precision)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss_sum += float(loss.detach())
        record["batches"] += 1
        over = record["seconds"] + now("processor", device) - began >= seconds
        if record["batches"] % POINT and not over:
            continue
        record["seconds"] += now("processor", device) - began
        found = measured(network, setting, data["validation"], device)
        since = record["batches"] - record["points"][-1]["images"] // BATCH
        point = {"images": record["batches"] * BATCH, "seconds": record["seconds"], "loss": loss_sum / since, **found}
        record["points"].append(point)
        print(f"{name}-{seed}:", ", ".join(f"{k} {v:.3f}" for k, v in point.items()), flush=True)
        with atomic(state_file) as temporary:
            state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "record": record}
            torch.save(state, temporary)
        loss_sum, began = 0.0, now("processor", device)  # measuring does not count
        if over:
            break
    record["test"] = measured(network, setting, data["test"], device)
    write_json(folder / "record.json", record)
    return record


def start(setting: Setting, seed: int) -> torch.nn.Module:
    """Return a student with the random weights of a seed: those that A and B share are the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WeightsWarning)  # random weights are meant here
        first = build_network("resnet18-a", [TEACHER], init="none", size=SIZE, seed=seed)
        network = build_network(setting.student, [TEACHER], init="none", size=SIZE, seed=seed)
    missing = network.load_state_dict(first.state_dict(), strict=False)
    assert not missing.unexpected_keys
    assert all(key.startswith("feature.") for key in missing.missing_keys)
    return network


def draw(records: dict[str, dict[int, Any]], levels: dict[str, dict[str, float]], path: Path) -> None:
    """Draw the curves: KL against people left, against the teacher right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 4.6), dpi=120, layout="constrained")
    titles = {"human": "KL against people's densities", "teacher": "KL against the teacher's maps"}
    for axes, (key, title) in zip(figure.subplots(1, 2), titles.items(), strict=True):
        for name, by_seed in records.items():
            for seed, record in by_seed.items():
                _line(axes, record["points"], key, COLORS[name], "-", name if not seed else None)
                if key == "teacher" and SETTINGS[name].branch:
                    _line(axes, record["points"], "branch", COLORS[name], ":", None if seed else f"{name}, 2nd branch")
        level = levels[f"mean {'density' if key == 'human' else 'teacher map'} of the training photos"][key]
        axes.axhline(level, color="0.4", linestyle="--", linewidth=1, label="mean map of the training photos")
        tops = [p[key] for by_seed in records.values() for r in by_seed.values() for p in r["points"]]
        axes.set(title=title, xlabel="images seen", ylabel="KL, nats", ylim=(0, min(1.05 * max(tops), 4 * level)))
        axes.grid(alpha=0.3)
        axes.legend(fontsize=8)
    with atomic(path, keep_suffix=True) as temporary:
        figure.savefig(temporary, format="png")


def _line(axes: Any, points: list[dict[str, float]], key: str, color: str, style: str, label: str | None) -> None:
    axes.plot([p["images"] for p in points], [p[key] for p in points], style, color=color, label=label, linewidth=1.6)


def smooth(record: dict[str, Any], key: str) -> NDArray[np.float64]:
    """Return a curve as running means of three points, as single ones jump."""
    values = np.array([point[key] for point in record["points"]])
    return np.convolve(values, np.full(min(3, len(values)), 1 / min(3, len(values))), "valid")


def last(record: dict[str, Any], key: str) -> float:
    return float(smooth(record, key)[-1])


def lowest(record: dict[str, Any], key: str) -> float:
    return float(smooth(record, key).min())


def verdict(records: dict[str, dict[int, Any]], levels: dict[str, dict[str, float]]) -> list[str]:
    """Return what the curves say of the document's claim, by a rule that is stated."""
    level = levels["mean density of the training photos"]["human"]
    teacher_level = levels["mean teacher map of the training photos"]["teacher"]
    lines = [
        "A run has converged, as this page uses the word, if its map was better at some time than the one that is the",
        "same for all photos: the lowest of its curve, a running mean of three points, below the KL of the mean map of",
        f"the training photos, which is {level:.3f} against people and {teacher_level:.3f} against the teacher. What",
        "rises again after that has begun to learn the training photos by heart.",
        "",
    ]
    goals = {"A-human": ("human", level), "B-both": ("human", level), "A-teacher": ("teacher", teacher_level)}
    converged = {}
    for name, (key, limit) in goals.items():
        runs = list(records[name].values())
        converged[name] = [lowest(record, key) < limit for record in runs]
        against = "people" if key == "human" else "the teacher"
        says = "converged" if all(converged[name]) else "converged in one seed" if any(converged[name]) else "did not"
        figures = ", ".join(f"{lowest(record, key):.3f} (at the end {last(record, key):.3f})" for record in runs)
        lines.append(f"- {name}: {says}; lowest KL against {against} {figures}.")
    holds = "holds" if not any(converged["A-human"]) and all(converged["B-both"]) else "does not hold"
    reached = {name: [lowest(r, "human") for r in records[name].values()] for name in ("A-human", "B-both")}
    gain = float(np.mean(reached["A-human"]) - np.mean(reached["B-both"]))
    spread = max(float(np.ptp(values)) for values in reached.values())
    doubt = "; with two seeds that is no difference to build on." if abs(gain) < 2 * spread else "."
    return [
        *lines,
        "",
        f"The claim, that A fails to converge on people's densities and B, taught besides, follows, {holds} here.",
        f"Against people B comes {abs(gain):.3f} nats {'lower' if gain > 0 else 'less low'} than A at best; the seeds",
        f"of one setting differ by up to {spread:.3f}{doubt}",
    ]


def page(
    records: dict[str, dict[int, Any]], data: dict[str, Part], levels: dict[str, dict[str, dict[str, float]]],
    minutes: float, picture: str, device: str, teacher_run: Path,
) -> str:  # fmt: skip
    sizes = {name: len(part.images) for name, part in data.items()}
    body = []
    for name, by_seed in records.items():
        for seed, record in by_seed.items():
            test = record["test"]
            branch = f"{test['branch']:.3f}" if "branch" in test else "–"
            ends = [f"{f(record, key):.3f}" for key in ("human", "teacher") for f in (lowest, last)]
            cells = [f"{test['human']:.3f}", f"{test['teacher']:.3f}", branch]
            body.append([SETTINGS[name].words, str(seed), str(record["points"][-1]["images"]), *ends, *cells])
    for name in levels["test"]:
        figures = [f"{levels[part][name][key]:.3f}" for part in ("validation", "test") for key in ("human", "teacher")]
        body.append([name, "", "", "", figures[0], "", *figures[1:], "–"])
    header = [
        "what learns from what", "seed", "images seen", "people, lowest", "at the end", "teacher, lowest", "at the end",
        "test: people", "teacher", "teacher, second branch",
    ]  # fmt: skip
    teacher = salbox.load(str(teacher_run)).card
    network, branched = start(SETTINGS["A-human"], 0), start(SETTINGS["B-both"], 0)
    sizes_text = [sum(p.numel() for p in n.parameters()) for n in (network, branched)]
    return "\n\n".join(
        [
            "# A ResNet-18 student with and without a teacher",
            f"{provenance(('salbox', 'torch', 'timm', 'numpy'))} On {device}. Written by `benchmarks/resnet18.py`.",
            "A document on distilling MSI-Net into a ResNet-18 reports that a student (A, unbranched decoder) fails to "
            "converge on people's fixation densities, while one that also learns the teacher's output on a second "
            "branch of its last layer (B) follows. This repeats the experiment with what is at hand, and adds the run "
            "that separates the causes: A on the teacher's maps alone.",
            f"Teacher: {teacher.title}, by `scripts/train_people.py`: {teacher.size}. It learned from people, "
            "from these training photos too, so that what it says of those is close to what people do. Photos: "
            f"{sizes['training']} of OSIE's training part to learn from, "
            f"{sizes['validation']} to draw the curves (by the hash of their names), the {sizes['test']} test photos "
            f"once at the end; {SIZE[1]}x{SIZE[0]}, mirrored sideways at random. {minutes:g} minutes of training a run "
            f"(of the processor, threads: {torch.get_num_threads()}; measuring not counted), "
            f"Adam, learning rate {LEARNING_RATE:g}, batches of {BATCH}; people's densities "
            f"(24 pixels at a width of 800) by KL, the teacher's maps by KL with the smoothing factor {SMOOTHING:g}. "
            f"A has {sizes_text[0]:,} parameters, B {sizes_text[1]:,}. Runs of one seed begin with the same random "
            "weights, in the same order of photos.",
            "Not as in the document: no ImageNet weights of a ResNet-18 were at hand, so that all weights begin "
            "random; a teacher on another encoder, trained on fewer photos; 500 photos of OSIE and not the 10,000 of "
            "SALICON; upside-down mirroring is left out, as neither people nor the teacher look at such photos in the "
            "same way.",
            f"![Curves of KL against people and against the teacher](../images/{picture})",
            markdown_table(header, body),
            "KL against people: `kl_mit` of `salbox evaluate`; against the teacher: that of fidelity (both maps "
            "min-max scaled first). Nats, mean over photos. Lowest and end are of the validation photos' curve, a "
            "running mean of three points; the test photos are measured with the weights at the end.",
            "## Does the claim hold?",
            "\n".join(verdict(records, levels["validation"])),
        ]
    )


def main() -> Path | None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of training, a run")
    parser.add_argument("--only", nargs="*", default=[], help="runs, or patterns such as box-*")
    parser.add_argument("--photos", type=int, help="of each part, to try the script out")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--teacher", type=Path, default=RUNS / "msinet-0", help="a run")
    parser.add_argument("--bfloat16", action="store_true", help="for processors that compute in it")
    parser.add_argument("--out", type=Path, default=RUNS / "resnet18")
    given = parser.parse_args()
    torch.set_num_threads(available_threads())
    data = parts(given.out, given.teacher, given.photos)
    precision = torch.bfloat16 if given.bfloat16 else torch.float32
    runs = [f"{name}-{seed}" for seed in SEEDS for name in SETTINGS]
    for one in chosen(runs, given.only):
        name, seed = one.rsplit("-", 1)
        run(name, int(seed), data, given.out / one, given.minutes * 60, given.device, precision)
    found = {
        name: {seed: read_json(given.out / f"{name}-{seed}" / "record.json") for seed in SEEDS} for name in SETTINGS
    }
    if any(record is None for by_seed in found.values() for record in by_seed.values()):
        print("not all runs are finished: no page yet")
        return None
    levels = {name: constants(data["training"], data[name]) for name in ("validation", "test")}
    device = "the CPU" if given.device == "cpu" else torch.cuda.get_device_name(given.device)
    device += ", in bfloat16" if given.bfloat16 else ""
    text = page(found, data, levels, given.minutes, PICTURE, device, given.teacher)
    if given.photos is not None:  # a trial: nothing of it belongs among the results
        draw(found, levels["validation"], given.out / PICTURE)
        (given.out / "resnet18.md").write_text(text, encoding="utf-8")
        print(text)
        return None
    draw(found, levels["validation"], ROOT / "docs" / "images" / PICTURE)
    return write_page("resnet18.md", text)


if __name__ == "__main__":
    main()
