"""The cards in an exported network's file, written anew, where nothing else changes, and those beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import onnx

from ...errors import UsageError
from ...imaging.writing import atomic
from ...models.cards import ModelCard
from ...runtime.metadata import KEY, Head, Metadata
from ...runtime.network import open_network
from ...runtime.training_photos import KEY as PHOTOS_KEY
from ...runtime.training_photos import TrainingPhotos, to_text


def put_cards(path: Path, cards: Mapping[str, ModelCard], photos: Mapping[str, TrainingPhotos] | None = None) -> None:
    """Write other cards, head -> card, into an exported network, and which photos its heads learned from if given.

    Nothing else changes.

    Raises
    ------
    WeightsError
        If it is no file that salbox exported.
    UsageError
        If a head has no card, or the file cannot be written.
    """
    before = open_network(path, threads=1).metadata
    missing = [head.name for head in before.heads if head.name not in cards]
    if missing:
        raise UsageError(f"{path}: no card for {', '.join(missing)}")
    heads = tuple(Head(head.name, head.teacher, cards[head.name]) for head in before.heads)
    after: Metadata = replace(before, heads=heads)
    graph = onnx.load(path, load_external_data=False)
    for entry in graph.metadata_props:
        if entry.key == KEY:
            entry.value = after.to_text()
    if photos is not None:
        graph.metadata_props.add(key=PHOTOS_KEY, value=to_text(photos))
    with atomic(path) as temporary:
        temporary.write_bytes(graph.SerializeToString(deterministic=True))


def write_cards(path: Path, cards: Mapping[str, ModelCard]) -> None:
    """Write cards, head -> card, as the JSON file of a run folder."""
    text = json.dumps({head: card.to_dict() for head, card in cards.items()}, indent=1)
    with atomic(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")
