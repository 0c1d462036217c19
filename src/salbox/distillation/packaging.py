"""What comes out of a distillation: the student as ONNX and safetensors, its cards, its fidelity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import onnx

from ..cards import Licence, ModelCard
from ..errors import UsageError
from ..networks.export import export_onnx
from ..networks.student import StudentNetwork
from ..registry import card
from ..students.metadata import KEY, Head, Metadata, resolution
from ..students.student import open_student
from ..writing import atomic
from .fidelity import PHOTOS, STUDENT, Fidelity
from .heads import save_weights
from .lessons import Prepared
from .plan import Lesson
from .report import write_report
from .run_folder import RunFolder
from .telling import Teller

_UNMEASURED = "not measured yet"


def package(
    network: StudentNetwork,
    prepared: Prepared,
    folder: RunFolder,
    teller: Teller,
    *,
    old_cards: Mapping[str, ModelCard] | None = None,
    old_teachers: Mapping[str, str] | None = None,
) -> Fidelity:
    """Write a trained student into its run folder and return its fidelity on the held-out photos.

    Parameters
    ----------
    network : StudentNetwork
    prepared : Prepared
    folder : RunFolder
    teller : Teller
    old_cards, old_teachers : mapping, optional
        Of heads that were there before, which are carried over.
    """
    plan = prepared.plan
    cards = {lesson.head: _card(lesson, network, prepared) for lesson in plan.lessons}
    teachers = {**(old_teachers or {}), **{lesson.head: _teacher_name(lesson) for lesson in plan.lessons}}
    heads = [head for head in plan.heads if head in network.heads]
    all_cards = {**(old_cards or {}), **{head: cards[head] for head in heads}}
    save_weights(network, folder.weights)
    export_onnx(network, folder.student, all_cards, teachers)
    part = prepared.test_part
    notes = list(prepared.notes)
    if part != "test":
        notes.insert(0, f"measured on the {part} part: no held-out photo has a teacher's map")
        teller.say(notes[0])
    chosen = dict(zip(plan.heads, prepared.maps, strict=True))
    fidelity = write_report(
        folder.path,
        open_student(folder.student),
        heads,
        prepared.views[part],
        {head: chosen[head] for head in heads},
        prepared.mean_maps(),
        notes=notes,
        watch=lambda done, total: teller.progress("fidelity", done, total),
    )
    megabytes = folder.student.stat().st_size / 1e6
    measured = {head: _measured(cards[head], fidelity, head, megabytes) for head in heads}
    put_cards(folder.student, {**all_cards, **measured})
    with atomic(folder.path / "card.json") as temporary:
        texts = {head: found.to_dict() for head, found in {**all_cards, **measured}.items()}
        temporary.write_text(json.dumps(texts, indent=1) + "\n", encoding="utf-8")
    return fidelity


def _teacher_name(lesson: Lesson) -> str:
    return lesson.teacher.model if lesson.teacher is not None else lesson.head


def _card(lesson: Lesson, network: StudentNetwork, prepared: Prepared) -> ModelCard:
    """Return the card of a head, its fidelity yet to be measured."""
    photos = len(prepared.split.training)
    changed = sum(view.domain is not None for view in prepared.views["training"])
    trained_on = f"{photos} photos" + (f" and {changed} changed ones" if changed else "")
    teacher = card(lesson.teacher.model) if lesson.teacher is not None else None
    name = _teacher_name(lesson)
    numbers = sum(p.numel() for p in network.parameters())
    limits = [
        f"It imitates {name}, also where {name} errs; on pictures unlike its training photos it was not measured.",
        f"Network '{network.name}', {network.init_note or 'first weights unknown'}.",
    ]
    if network.preprocessing.rule != "native":
        seen = resolution(network.preprocessing, network.settings)
        limits.append(f"It looks at a photo at about {seen}; what is finer it cannot see.")
    weights_terms = teacher.licence.weights if teacher is not None else "unknown: the maps were made elsewhere"
    return ModelCard(
        name=f"{lesson.head}.student",
        title=f"Student of {teacher.title if teacher is not None else f'the maps {name}'}",
        task=teacher.task if teacher is not None else "fixation",
        output=network.output,
        summary=f"A {network.name} network that learned the maps of {name} from {trained_on}.",
        paper=teacher.paper if teacher is not None else None,
        origin=f"student of {name} trained on {trained_on}",
        licence=Licence(
            code="Apache-2.0",
            weights="whoever trained it decides, within the terms of teacher and photos",
            training_data=f"{photos} photos of the user; of the teacher: {weights_terms}",
        ),
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


def put_cards(path: Path, cards: Mapping[str, ModelCard]) -> None:
    """Write other cards, head -> card, into an exported network; nothing else changes.

    Raises
    ------
    WeightsError
        If it is no file that salbox exported.
    UsageError
        If a head has no card, or the file cannot be written.
    """
    before = open_student(path, threads=1).metadata
    missing = [head.name for head in before.heads if head.name not in cards]
    if missing:
        raise UsageError(f"{path}: no card for {', '.join(missing)}")
    heads = tuple(Head(head.name, head.teacher, cards[head.name]) for head in before.heads)
    after: Metadata = replace(before, heads=heads)
    graph = onnx.load(path, load_external_data=False)
    for entry in graph.metadata_props:
        if entry.key == KEY:
            entry.value = after.to_text()
    with atomic(path) as temporary:
        temporary.write_bytes(graph.SerializeToString(deterministic=True))
