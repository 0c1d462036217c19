"""What comes out of a distillation: the student as ONNX and safetensors, its cards, its fidelity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..models.cards import License, ModelCard
from ..models.loading import card
from ..models.terms import OF_A_USERS_OWN
from ..networks.export.cards import put_cards, write_cards
from ..networks.export.onnx import export_onnx
from ..networks.trainable.base import TrainableNetwork
from ..networks.trainable.saved import save_weights
from ..runtime.metadata import resolution
from ..runtime.network import open_network
from ..runtime.training_photos import TrainingPhotos
from ..system.progress import Progress
from ..training.run_folder import RunFolder
from .fidelity.measure import PHOTOS, STUDENT, Fidelity
from .fidelity.report import write_report
from .initial_network import InitialNetwork
from .plan import HeadTarget
from .training_data import TrainingData

_UNMEASURED = "not measured yet"


def package(
    initial: InitialNetwork,
    data: TrainingData,
    folder: RunFolder,
    progress: Progress,
    photos: Mapping[str, TrainingPhotos],
) -> Fidelity:
    """Write a trained student into its run folder and return its fidelity on the held-out photos.

    Parameters
    ----------
    initial : InitialNetwork
        Its network has been trained; the cards of heads that were there before are carried over.
    data : TrainingData
        What it learned from.
    folder : RunFolder
    progress : Progress
    photos : mapping
        Head -> the photos that it learned from.
    """
    network = initial.network
    targets = {target.target.head: target for target in data.targets if target.target.head in network.heads}
    new_cards = {head: _card(target.target, network, data) for head, target in targets.items()}
    teachers = {**initial.teachers, **{head: _teacher_name(target.target) for head, target in targets.items()}}
    save_weights(network, folder.weights)
    export_onnx(network, folder.student, {**initial.cards, **new_cards}, teachers)
    part = data.test_part
    notes = list(data.notes)
    if part != "test":
        notes.insert(0, f"measured on the {part} part: no held-out photo has a teacher's map")
        progress.say(notes[0])
    fidelity = write_report(
        folder.path,
        open_network(folder.student),
        list(targets),
        data.views[part],
        {head: target.maps for head, target in targets.items()},
        data.mean_maps(),
        notes=notes,
        progress=progress,
    )
    megabytes = folder.student.stat().st_size / 1e6
    measured = {head: _measured(found, fidelity, head, megabytes) for head, found in new_cards.items()}
    cards = {**initial.cards, **measured}
    put_cards(folder.student, cards, photos)
    for line in fidelity.worse_than_constant():
        progress.say(f"note: {line}")
    write_cards(folder.cards, cards)
    return fidelity


def _teacher_name(target: HeadTarget) -> str:
    return target.teacher.model if target.teacher is not None else target.head


def _card(target: HeadTarget, network: TrainableNetwork, data: TrainingData) -> ModelCard:
    """Return the card of a head, its fidelity yet to be measured."""
    photos = len(data.split.training)
    changed = sum(view.domain is not None for view in data.views["training"])
    trained_on = f"{photos} photos" + (f" and {changed} changed ones" if changed else "")
    teacher = card(target.teacher.model) if target.teacher is not None else None
    name = _teacher_name(target)
    numbers = sum(p.numel() for p in network.parameters())
    limits = [
        f"It imitates {name}, also where {name} errs; on pictures unlike its training photos it was not measured.",
        f"Network '{network.name}', {network.init_note or 'first weights unknown'}.",
    ]
    if network.preprocessing.rule != "native":
        size = resolution(network.preprocessing, network.settings)
        limits.append(f"It looks at a photo at about {size}; what is finer it cannot see.")
    weights_terms = teacher.license.weights if teacher is not None else "unknown: the maps were made elsewhere"
    return ModelCard(
        name=f"{target.head}.student",
        title=f"Student of {teacher.title if teacher is not None else f'the maps {name}'}",
        task=teacher.task if teacher is not None else "object" if target.is_probability else "fixation",
        output="probability" if target.is_probability and network.output == "score" else network.output,
        summary=f"A {network.name} network that learned the maps of {name} from {trained_on}.",
        paper=teacher.paper if teacher is not None else None,
        origin=f"student of {name} trained on {trained_on}",
        license=License(
            code="Apache-2.0",
            weights="whoever trained it decides, within the terms of teacher and photos",
            training_data=f"{photos} photos of the user; of the teacher: {weights_terms}",
        ),
        commercial_use=OF_A_USERS_OWN,
        size=f"{numbers / 1e6:.2f} million learned numbers, all heads together",
        agreement=_UNMEASURED,
        limits=tuple(limits),
    )


def _measured(found: ModelCard, fidelity: Fidelity, head: str, megabytes: float) -> ModelCard:
    """Return a card with the fidelity on it: photos as the agreement, domains among the limits."""
    rows = [row for row in fidelity.rows if (row.head, row.maps) == (head, STUDENT) and row.domain != PHOTOS]
    domains = ", ".join(f"{row.domain} {row.cc:.2f} ± {row.cc_std:.2f} ({row.pictures})" for row in rows)
    limits = (*found.limits, f"CC on changed photos (how many): {domains}.") if domains else found.limits
    size = f"{found.size}; {megabytes:.1f} MB"
    return replace(found, agreement=fidelity.summary(head), limits=limits, size=size)
