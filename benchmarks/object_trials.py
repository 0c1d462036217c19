"""Does a small network of objects learn more from a teacher or from masks, and what do its losses bring?

The experiments of Zhang, Liang and Shi 2022 (KD-SCFNet), tables 2 and 3, on fewer photos, smaller ones and in short
trainings: `scfnet` on a small encoder learns masks (FS) or a teacher's maps alone (KD), each from the same first
weights and in as many steps; and the decoder and the losses of FS are taken away one by one. Needs the data (`shared`
beside the checkout, or SALBOX_SHARED) and maps of all photos, which `scripts/train_objects.py distilled` links
(`salbox teach -m runs/scfnet --images runs/object-photos -o runs/scfnet-kd/maps`); beside them, for `kd-isnet-*`,
ISNet's (`-m isnet`), and for its own figures `salbox predict`'s maps of the test photos, in runs/trials/maps/DUTS and
runs/trials/maps/ECSSD. Each training is kept in runs/trials: what is there is not repeated, what was stopped goes on.
Writes docs/results/object-trials.md of the trials that are there; of those on EfficientNet-Lite0
docs/results/object-trials-lite0.md; of those whose encoder learned another's features for longer first
docs/results/object-trials-long-start.md.

    python benchmarks/object_trials.py [--size 192] [--passes 12] [--encoder mobilenetv3_large_050]
        [--start short|long] [--only 'fs-*' kd-0] [--maps FOLDER] [--page-only]
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from _distilling import RUNS, Printer, chosen, read_json, write_json
from _object_trials_data import TRIALS, pictures, squeezed
from _object_trials_page import Figures, Run, cell, pairs_table, published, rows_table, trainings_table, verdicts
from _object_trials_settings import (
    BATCH,
    ENCODERS,
    ISNET,
    OTHER_STUDENTS,
    SEEDS,
    SETTINGS,
    TRIALS_OF_ISNET,
    TRIALS_OF_TABLE_3,
    TRIALS_OF_TEACHERS,
    Trial,
    recipe_of,
)
from _object_trials_start import STARTS, first_weights, how, load_first_weights
from _tables import SHARED, provenance, write_page

from salbox.datasets import Dataset, open_dataset
from salbox.evaluation import MapSource, evaluate, map_folders
from salbox.evaluation.result import interval_text
from salbox.metrics.objects import settings
from salbox.models.cards import License, ModelCard
from salbox.models.terms import OF_A_USERS_OWN

SIZE, PASSES = 192, 12
FIRST_SIZE = 128  # pixels, of the pretraining
HEAD = "object"
TEACHER = (
    "the `scfnet` that shipped then, on EfficientNet-Lite0, which learned the same masks at 256x256 pixels, and some "
    "maps of photos without masks. KD learns its maps of the same photos and of those of OSIE's training part, "
    "EyeCrowd's training part, MIT1003 and COCO that nobody marked objects in: not more steps, but other photos."
)
PAIRS = "M of each pair, and by how much KD's is above FS's (the paper: 10.9% below, the mean over five data sets)."
BY_ONE_LOSS = (("Dice, seed 0", "dice", "kd-0"), ("structure polishing, seed 0", "fs-0", "kd-sp-0"))
ISNET_AS_TEACHER = (
    "With ISNet's maps instead, of those of the same photos that it was given (how many stands below), by Dice. ISNet "
    "(Qin et al., 2022) is of another architecture, and learned from other photos with masks: it has seen DUTS-TR's "
    "masks and some of DUTS's test photos, so that here ECSSD counts."
)
ISNET_BY_ONE_LOSS = (("Dice, seed 0", "dice", "kd-isnet-all-0"),)
ISNET_BY_ONE_LOSS += (("structure polishing, seed 0", "fs-0", "kd-isnet-all-sp-0"),)
OTHERS = ", ".join(
    f"{title} at {size} pixels in {passes} passes{' in bfloat16' if precision == 'bf16-mixed' else ''}"
    for title, size, passes, precision in OTHER_STUDENTS.values()
)
OTHERS += "; FS by cross-entropy, KD by Dice, one seed."
LOSSES = (
    "All on masks, seed 0: what differs by less than its interval may be chance, and what one seed gives differs from "
    "what another does."
)
OTHER_TEACHER = (
    "Both learn maps of the photos that nobody marked objects in, none of DUTS-TR's, and begin alike; ISNet (Qin et "
    "al., 2022) is of another architecture, learned from other photos with masks, and has seen some of DUTS's test "
    "photos: what its student gains there may be that."
)
TRAININGS = "Minutes are the processor's, of one core, while other programs ran."


@dataclass(frozen=True)
class Plan:
    """What all trials have in common.

    Attributes
    ----------
    size : int
        Pixels of a side.
    passes : int
        Over the photos with masks.
    teacher : Path
        The folder of its maps.
    encoder : str
        Of `ENCODERS`.
    start : str
        Of `STARTS`: how it learned another's features, if no package has weights of it.
    """

    size: int
    passes: int
    teacher: Path
    encoder: str = "tf_efficientnet_lite0"
    start: str = "short"

    @property
    def first(self) -> Path:
        """Where the encoder's first weights lie."""
        return TRIALS / f"first-weights-{self.start}.safetensors"

    @property
    def page(self) -> str:
        """The name of the page that tells of its trials."""
        name = ENCODERS[self.encoder].page
        return name if self.start == "short" else name.replace(".md", f"-{self.start}-start.md")

    def folder(self, name: str) -> Path:
        """Return where a trial's run lies."""
        trial = SETTINGS[name]
        how = [f"{trial.size or self.size}x{trial.passes or self.passes}", self.teacher.name]
        longer = [] if self.start == "short" else [self.start]
        return TRIALS / "-".join(how if trial.student in OTHER_STUDENTS else [*how, self.encoder, *longer]) / name

    def maps(self, trial: Trial) -> Path:
        """Return the folder of the maps that a trial learns."""
        return self.teacher.with_name(trial.teacher) if trial.teacher else self.teacher


def make_network(trial: Trial, size: int, encoder: str) -> Any:
    """Return the network of a trial with its first weights, yet without those of an encoder that has to learn them."""
    import torch
    from _object_trials_base import Base

    from salbox.networks.encoders import WeightsWarning
    from salbox.networks.trainable.factory import build_network
    from salbox.networks.trainable.initial_weights import load_initial_weights

    on = ENCODERS[encoder]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", WeightsWarning)
        if trial.student == "base":
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(trial.seed)
                network: Any = Base([HEAD], size=(size, size), encoder=encoder, **on.arguments)
            load_initial_weights(network.train(), on.init)
        else:
            own = {"encoder": encoder, "init": on.init, **on.arguments} if trial.student == "scfnet" else {}
            network = build_network(
                trial.student, [HEAD], size=(size, size), output="probability", seed=trial.seed, **own
            )
    network.preprocessing = squeezed(size)
    return network


def train(name: str, plan: Plan) -> None:
    """Train a network, or go on with it, and export it."""
    import torch

    from salbox.networks.export.onnx import export_onnx
    from salbox.system.threads import available_threads
    from salbox.training.job import Job
    from salbox.training.logs import epoch_line
    from salbox.training.trainer import fit

    trial, run = SETTINGS[name], plan.folder(name)
    if (run / "run.json").is_file():
        return
    torch.set_num_threads(available_threads())
    size, passes = trial.size or plan.size, trial.passes or plan.passes
    photos = len(pictures("masks", size, plan.teacher))
    learned = pictures(trial.learns, size, plan.maps(trial))
    network, on = make_network(trial, size, plan.encoder), ENCODERS[plan.encoder]
    if trial.student not in OTHER_STUDENTS and on.init == "none":
        seen = pictures("maps of all photos", FIRST_SIZE, plan.teacher)
        load_first_weights(network, first_weights(seen, plan.first, STARTS[plan.start]))
    recipe = recipe_of(trial, photos, size, passes, 1.0 if trial.student in OTHER_STUDENTS else on.rate)
    run.mkdir(parents=True, exist_ok=True)
    (run / "recipe.yaml").write_text(recipe.to_yaml(), encoding="utf-8")
    printer = Printer()
    job = Job(
        network=network,
        recipe=recipe,
        training=learned,
        validation=pictures("validation", size, plan.teacher),
        folder=run,
        names=(HEAD,),
        seed=trial.seed,
        clock="processor",
        given=("mask",) if trial.learns == "masks" else ("teacher",),
    )
    result = fit(job, printer, on_epoch=lambda report: printer.say(f"{name}: {epoch_line(report)}"))
    network.eval().to(memory_format=torch.contiguous_format)
    export_onnx(network, run / "student.onnx", {HEAD: card_of(trial, network)}, {HEAD: trial.learns})
    facts = {
        "photos": len(learned),
        "pictures": result.epochs * recipe.images(len(learned)),
        "minutes": result.seconds / 60,
        "validation_mae": result.score,
        "parameters": sum(p.numel() for p in network.parameters()),
    }
    write_json(run / "run.json", facts)


def card_of(trial: Trial, network: Any) -> ModelCard:
    """Return the card of a trial's network: what keeps it from being taken for a model to use."""
    numbers = sum(p.numel() for p in network.parameters())
    return ModelCard(
        name=f"{trial.student}.{HEAD}",
        title=f"A trial: {trial.title}",
        task="object",
        output=network.output,
        summary=f"A short training of '{trial.student}' on {trial.learns}.",
        paper=None,
        origin="benchmarks/object_trials.py",
        license=License("Apache-2.0", "of a trial, not handed on", "DUTS-TR and other photos for research"),
        commercial_use=OF_A_USERS_OWN,
        size=f"{numbers / 1e6:.2f} million learned numbers",
        agreement="not measured",
        limits=("A trial.",),
    )


def trials_of(plan: Plan) -> list[str]:
    """Return the names of its trials; those on other encoders belong to one start alone."""
    return [n for n, trial in SETTINGS.items() if plan.start == Plan.start or trial.student not in OTHER_STUDENTS]


def finished(plan: Plan) -> dict[str, Run]:
    """Return the trials that are there."""
    folders = {name: plan.folder(name) for name in trials_of(plan)}
    return {
        name: Run(SETTINGS[name].title, folder, read_json(folder / "run.json"))
        for name, folder in folders.items()
        if (folder / "run.json").is_file()
    }


def own_figures(maps: Path, sets: Sequence[Dataset]) -> Iterator[str]:
    """Yield a sentence with ISNet's own errors, if its maps of the test photos are there, a folder a data set."""
    if all((maps / data.card.title / ISNET).is_dir() for data in sets):
        found = []
        for data in sets:
            [folder] = map_folders(maps / data.card.title, data)
            table = evaluate(data, [MapSource(folder, "probability")], ("mae",))
            found.append(f"{cell(table.estimate(ISNET, 'mae'))} on {data.card.title}")
        yield f"M of ISNet itself: {', '.join(found)}."


def beginning(plan: Plan) -> str:
    """Return in words where the networks begin."""
    if ENCODERS[plan.encoder].init == "imagenet":
        return (
            "All begin with the encoder's ImageNet weights and with the decoder of their seed; the paper's encoder, "
            "half of MobileNetV3-Large, has none in any package."
        )
    start = how(plan.first)
    photos, epochs, left = start["photos"], start["epochs"], start["left"][-1]
    mirrored = ", half of them mirrored," if start.get("mirrored") else ""
    return (
        f"All begin with the same encoder, which learned EfficientNet-Lite0's features of {photos:,} photos{mirrored} "
        f"in {epochs} epochs at {FIRST_SIZE} pixels a side ({left:.0%} of the features' variance was left), and with "
        "the decoder of their seed."
    )


def other_pages(plan: Plan) -> Iterator[str]:
    """Yield a sentence for each page of other trials."""
    plans = [replace(plan, encoder=encoder, start=start) for encoder in ENCODERS for start in STARTS]
    for other in plans:
        if other.page == plan.page or (ENCODERS[other.encoder].init != "none" and other.start != "short"):
            continue
        if other.encoder != plan.encoder:
            yield f"The same [on {ENCODERS[other.encoder].title}]({other.page}), in trainings of another length."
        else:
            epochs = STARTS[other.start].epochs
            yield f"The same [after {epochs} epochs with those features]({other.page}) instead."


def page(plan: Plan) -> str:
    """Return the page."""
    runs, on = finished(plan), ENCODERS[plan.encoder]
    sets = [
        open_dataset(f"{name}:{SHARED / 'data' / folder}", "test")
        for name, folder in (("duts", "DUTS-TE"), ("ecssd", "ECSSD"))
    ]
    teacher = RUNS / plan.teacher.name
    with_teacher = {"teacher": Run("the teacher", teacher, {})} if (teacher / "student.onnx").is_file() else {}
    figures = Figures(runs | with_teacher, sets)
    photos = " and ".join(f"{len(data)} of {data.card.title}'s" for data in sets)
    parts = [
        f"# Trials with objects, on {on.title}",
        provenance(("salbox", "torch", "onnxruntime", "pysodmetrics")) + " Written by `benchmarks/object_trials.py`.",
        "Zhang, Liang and Shi 2022 (KD-SCFNet) teach a network of .8 million numbers by a larger one's maps instead of "
        f"masks. Here the same is tried on less: `scfnet` on {on.title} looks at photos squeezed "
        f"to {plan.size}x{plan.size} pixels and sees {plan.passes} times as many pictures as there are photos with "
        f"masks (the paper: 352x352, 69 epochs of 10,553 photos). {beginning(plan)} All see as many pictures "
        f"in as many steps (AdamW, one cycle, batches of {BATCH}, of sizes up to that), mirrored and cropped alike; "
        "the weights after the last step are measured, no epoch is chosen. Longer trainings may tell otherwise.",
        *other_pages(plan),
        "FS learns the masks of DUTS-TR, by structure polishing; KD a teacher's maps alone, by Dice, as in the paper. "
        f"The teacher is `{plan.teacher.name}`, " + TEACHER,
        f"Measured on {photos} test photos: {settings()}. In brackets the "
        f"{interval_text()}; changes are of paired photos.",
    ]
    pairs = [(f"seed {s}", f"fs-{s}", f"kd-{s}") for s in SEEDS if {f"fs-{s}", f"kd-{s}"} <= set(runs)]
    if pairs:
        parts += ["## A teacher's maps or masks", PAIRS, pairs_table(figures, pairs), verdicts(figures, pairs)]
    if with_teacher:
        found = zip(sets, figures.errors, strict=True)
        errors = (f"{cell(table.estimate('teacher', 'mae'))} on {data.card.title}" for data, table in found)
        parts.append(f"M of the teacher: {', '.join(errors)}.")
    if {"fs-0", "kd-same-0"} <= set(runs):
        parts += ["On the photos of FS alone:", pairs_table(figures, [("seed 0", "fs-0", "kd-same-0")])]
    alike = [(by, *pair) for by, *pair in BY_ONE_LOSS if set(pair) <= set(runs)]
    if alike:
        parts += [
            "Both by one loss, so that nothing but what they learn from differs:",
            pairs_table(figures, alike, mean=False),
        ]
    pairs = [(f"seed {s}", f"fs-{s}", name) for s, name in zip(SEEDS, TRIALS_OF_ISNET, strict=True)]
    pairs = [each for each in pairs if set(each[1:]) <= set(runs)]
    if pairs:
        parts += ["## ISNet's maps or masks", ISNET_AS_TEACHER, pairs_table(figures, pairs), verdicts(figures, pairs)]
        alike = [(by, *pair) for by, *pair in ISNET_BY_ONE_LOSS if set(pair) <= set(runs)]
        parts += ["Both by one loss:", pairs_table(figures, alike, mean=False)] if alike else []
    rows = {name: trial.title for name, trial in TRIALS_OF_TEACHERS.items() if name in runs}
    if len(rows) > 1:
        parts += ["## Another teacher", OTHER_TEACHER, *rows_table(figures, rows, next(iter(rows)))]
        parts += own_figures(TRIALS / "maps", sets)
    rows = {name: trial.title for name, trial in TRIALS_OF_TABLE_3.items() if name in runs}
    if "fs-0" in rows and len(rows) > 1:
        parts += ["## The decoder and the losses", LOSSES, *rows_table(figures, rows, "fs-0")]
        parts += ["As published (table 3), of all test photos:", published("kd_scfnet_table3_ablation.csv", sets)]
    others = [(SETTINGS[f"{s}-fs"].title, f"{s}-fs", f"{s}-kd") for s in OTHER_STUDENTS]
    others = [each for each in others if set(each[1:]) <= set(runs)]
    if others:
        parts += ["## Other students", OTHERS]
        parts += [pairs_table(figures, [each]) for each in others]
        parts += ["As published (table 2), of all test photos:", published("kd_scfnet_table2_distillation.csv", sets)]
    parts += ["## The trainings", TRAININGS, trainings_table(runs)]
    missing = [f"`{name}`" for name in trials_of(plan) if name not in runs]
    if missing:
        parts.append(f"Not trained, though the program can: {', '.join(missing)}.")
    return "\n\n".join(parts)


def main() -> None:
    """Train what is missing, measure, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--size", type=int, default=SIZE, help="pixels of a side")
    parser.add_argument("--passes", type=int, default=PASSES, help="over the photos with masks")
    parser.add_argument("--only", nargs="+", default=[], help="names of trials, or patterns")
    parser.add_argument("--maps", type=Path, default=RUNS / "scfnet-kd" / "maps" / "scfnet")
    parser.add_argument("--encoder", choices=ENCODERS, default=Plan.encoder)
    parser.add_argument("--start", choices=STARTS, default=Plan.start, help="of an encoder without weights")
    parser.add_argument("--page-only", action="store_true", help="train nothing")
    given = parser.parse_args()
    if given.start != "short" and ENCODERS[given.encoder].init != "none":
        parser.error(f"--start {given.start} is for an encoder without weights, {given.encoder} has some")
    plan = Plan(given.size, given.passes, given.maps, given.encoder, given.start)
    for name in [] if given.page_only else chosen(trials_of(plan), given.only):
        train(name, plan)
    write_page(plan.page, page(plan))


if __name__ == "__main__":
    main()
