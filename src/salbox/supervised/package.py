"""What comes out of a supervised training: the network as ONNX and safetensors, its card, its figures, pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from pathlib import Path

from ..datasets import Dataset
from ..errors import SalboxError
from ..evaluation import CenterBias, Evaluation, HumanCeiling, ModelSource, evaluate
from ..evaluation.formats import to_csv, to_markdown
from ..evaluation.sources import Source as Row
from ..imaging.writing import atomic
from ..models.cards import License, ModelCard
from ..models.entries import Checkpoint, PackagedCheckpoint
from ..models.exported import STUDENT_FILE
from ..models.loading import load
from ..models.registry import MODELS
from ..models.terms import OF_A_USERS_OWN
from ..networks.export.cards import put_cards, write_cards
from ..networks.export.onnx import export_onnx
from ..networks.trainable.base import TrainableNetwork
from ..networks.trainable.saved import save_weights
from ..runtime.metadata import resolution
from ..runtime.training_photos import TrainingPhotos, read_training_photos, short_digest
from ..system.contents import content_digests
from ..system.progress import Progress
from ..training.run_folder import RunFolder
from ..training.splitting import Part
from .parts import Parts
from .pictures import draw_examples
from .plan import Plan

FIGURES = "evaluation"
EXAMPLES = "examples.png"
_UNMEASURED = "not measured yet"
_SHOWN = ("nss", "auc_judd", "cc", "kl_mit", "ig", "mae", "max_f", "s_measure")  # on the card, where they are defined


@dataclass(frozen=True)
class Measured:
    """The figures of a network on one data set, beside the centre bias and other people where there are fixations."""

    name: str
    part: str
    table: Evaluation
    row: str

    def summary(self) -> str:
        """Return the network's figures in a line."""
        texts = [
            f"{metric.title} {found.value:.3f}"
            for metric in self.table.metrics
            if metric.name in _SHOWN and (found := self.table.estimate(self.row, metric.name)) is not None
        ]
        return f"{self.name} ({self.part}, {len(self.table.images)} images): {', '.join(texts)}"


def package(
    plan: Plan, network: TrainableNetwork, parts: Sequence[Parts], folder: RunFolder, progress: Progress
) -> list[Measured]:
    """Write a trained network into its run folder, and return its figures on what it has not learned from.

    Parameters
    ----------
    plan : Plan
    network : TrainableNetwork
        Trained, on the CPU.
    parts : sequence of Parts
    folder : RunFolder
    progress : Progress
    """
    card = _card(plan, network, parts)
    save_weights(network, folder.weights)
    export_onnx(network, folder.student, {plan.head: card}, {plan.head: "people"})
    measured = _measure(folder, parts, progress)
    card = replace(
        card,
        agreement="; ".join(found.summary() for found in measured) or "not measured: nothing was kept for a test",
        size=f"{card.size}; {folder.student.stat().st_size / 1e6:.1f} MB",
    )
    put_cards(folder.student, {plan.head: card}, {plan.head: _learned(plan, parts)})
    write_cards(folder.cards, {plan.head: card})
    _write_figures(folder.path, measured)
    tests = [(part, data) for part in parts if (data := part.test or part.validation) is not None]
    if tests:
        draw_examples(folder.path / EXAMPLES, load(str(folder.path)), [data for _, data in tests])
    return measured


def _learned(plan: Plan, parts: Sequence[Parts]) -> TrainingPhotos:
    """Return the photos that the network learned from, in this run and the one that it goes on from."""

    def digests(part: Part) -> frozenset[str]:
        files = [item.image for each in parts if part in each.datasets for item in each.datasets[part].items]
        return frozenset(short_digest(digest) for digest in content_digests(files) if digest)

    start = None if plan.init_run is None else plan.init_run / STUDENT_FILE
    before = read_training_photos(start) if start is not None and start.exists() else {}
    return reduce(or_, before.values(), TrainingPhotos(digests("training"), digests("validation")))


def _measure(folder: RunFolder, parts: Sequence[Parts], progress: Progress) -> list[Measured]:
    """Return the figures on each data set's test part, else on what validated, which has chosen the epoch."""
    model = load(str(folder.path))
    found = []
    for part in parts:
        name, data = ("test", part.test) if part.test is not None else ("validation", part.validation)
        if data is None:
            continue
        row = ModelSource.of(model)
        rows, metrics = _beside(row, data)
        try:
            table = evaluate(data, rows, metrics, folder=folder.work / "evaluation", workers=None, progress=progress)
        except SalboxError as error:
            progress.say(f"failed: {part.source.name} could not be measured on: {error}")
            continue
        # Figures image by image go with the run's working files.
        facts = {key: fact for key, fact in table.facts.items() if key != "results"}
        found.append(Measured(part.source.name, name, replace(table, facts=facts), row.name))
    return found


def _beside(row: ModelSource, data: Dataset) -> tuple[list[Row], tuple[str, ...] | None]:
    """Return the rows of a table, the network's first, and its metrics; None for the usual ones."""
    rows: list[Row] = [row]
    if "fixations" not in data.gives:
        return rows, None
    several = len(data) > 1  # else there are no other images to take fixations from
    if several:
        rows.append(CenterBias())
    if _has_several_observers(data):
        rows.append(HumanCeiling())
    return rows, tuple(name for name in _METRICS if several or name not in _NEED_OTHERS)


_METRICS = ("nss", "auc_judd", "sauc", "cc", "sim", "kl_mit", "ig")
_NEED_OTHERS = ("sauc", "ig")


def _has_several_observers(data: Dataset) -> bool:
    return all(len(data.fixations(i).subjects) != 1 for i in range(len(data)))


def _write_figures(run: Path, measured: Sequence[Measured]) -> None:
    tables = {found.name: found.table for found in measured}
    texts = {
        "json": json.dumps({name: table.to_dict() for name, table in tables.items()}, indent=1) + "\n",
        "csv": "\n".join(f"# {name}\n{to_csv(table)}" for name, table in tables.items()),
        "md": "\n\n".join(f"## {name}\n\n{to_markdown(table)}" for name, table in tables.items()) + "\n",
    }
    for suffix, text in texts.items():
        with atomic(run / f"{FIGURES}.{suffix}") as temporary:
            temporary.write_text(text, encoding="utf-8")


def _published_card(name: str) -> ModelCard:
    """Return the card of a published design, also where salbox ships weights of its own under its name."""
    entry = MODELS[name]
    return Checkpoint.read_card(entry, name) if isinstance(entry, PackagedCheckpoint) else entry.read_card(name)


def _card(plan: Plan, network: TrainableNetwork, parts: Sequence[Parts]) -> ModelCard:
    """Return the card of what was trained, its figures yet to be measured."""
    is_mask = plan.given[0] == "mask"
    named = " and ".join(f"{len(part.training)} pictures of {part.source.training.card.title}" for part in parts)
    learned = "object masks" if is_mask else "people's fixations" if "fixations" in plan.given else "fixation densities"
    processed = f", the maps processed first ({plan.processed})" if plan.processed else ""
    numbers = sum(p.numel() for p in network.parameters())
    design = _published_card(network.name) if network.name in MODELS else None
    encoder = network.arguments.get("encoder")
    on = f" on {encoder}" if encoder else ""
    limits = [
        f"Trained by its user, not the published network: the design '{network.name}'{on}, "
        f"{network.init_note or 'first weights unknown'}.",
        "On pictures unlike those that it learned from it was not measured.",
    ]
    if network.preprocessing.rule != "native":
        size = resolution(network.preprocessing, network.settings)
        limits.append(f"It looks at a photo at about {size}; what is finer it cannot see.")
    terms = "; ".join(f"{part.source.training.card.title}: {part.source.training.card.license}" for part in parts)
    return ModelCard(
        name=f"{network.name}.{plan.head}",
        title=f"{design.title if design is not None else network.name}{on}, trained on {learned}",
        task="object" if is_mask else "fixation",
        output=network.output,
        summary=f"The design '{network.name}'{on}, which learned {learned} from {named}{processed}.",
        paper=design.paper if design is not None else None,
        origin=f"trained on {learned}: {named}",
        license=License(
            code="Apache-2.0",
            weights="whoever trained it decides, within the terms of the data",
            training_data=terms,
        ),
        commercial_use=OF_A_USERS_OWN,
        size=f"{numbers / 1e6:.2f} million learned numbers",
        agreement=_UNMEASURED,
        limits=tuple(limits),
    )
