"""Average the weights of runs of one network, each of which went on from another, into a run of its own.

    python scripts/average_runs.py RUN RUN [...] -o RUN

A mean of weights is often better than each of them where one was trained further from another (Wortsman et al.: Model
soups: averaging weights of multiple fine-tuned models improves accuracy without increasing inference time, ICML 2022).
The card is that of the last run; the list of photos names those of all.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from salbox.errors import UsageError
from salbox.models.cards import ModelCard
from salbox.networks.export.cards import put_cards, write_cards
from salbox.networks.export.onnx import export_onnx
from salbox.networks.trainable.base import TrainableNetwork
from salbox.networks.trainable.saved import read_weights, save_weights
from salbox.runtime.network import open_network
from salbox.runtime.training_photos import TrainingPhotos, read_training_photos
from salbox.training.run_folder import RunFolder


def averaged(networks: Sequence[TrainableNetwork]) -> TrainableNetwork:
    """Return the first network with the mean of all weights; what is no float is the first one's.

    Raises
    ------
    UsageError
        If they are not of one kind.
    """
    first = networks[0]
    if any((n.name, n.heads, n.settings) != (first.name, first.heads, first.settings) for n in networks):
        raise UsageError("the runs are of different networks, heads or settings")
    states = [network.state_dict() for network in networks]
    mean = {
        name: torch.stack([state[name] for state in states]).mean(0) if tensor.is_floating_point() else tensor
        for name, tensor in states[0].items()
    }
    first.load_state_dict(mean)
    return first


def average(runs: Sequence[Path], target: Path) -> None:
    """Write the mean of runs as a run folder."""
    network = averaged([read_weights(RunFolder(run).weights) for run in runs]).eval()
    last, made = RunFolder(runs[-1]), RunFolder(target)
    metadata = open_network(last.student, threads=1).metadata
    cards = {head.name: _of_the_mean(head.card, len(runs)) for head in metadata.heads}
    target.mkdir(parents=True, exist_ok=True)
    save_weights(network, made.weights)
    export_onnx(network, made.student, cards, {head.name: head.teacher for head in metadata.heads})
    put_cards(made.student, cards, photos_of_all(runs))
    write_cards(made.cards, cards)


def photos_of_all(runs: Sequence[Path]) -> dict[str, TrainingPhotos]:
    """Return head -> the photos that any of the runs learned from."""
    found: dict[str, TrainingPhotos] = {}
    for run in runs:
        for head, photos in read_training_photos(RunFolder(run).student).items():
            found[head] = found.get(head, TrainingPhotos()) | photos
    return found


def _of_the_mean(card: ModelCard, runs: int) -> ModelCard:
    return replace(card, summary=f"{card.summary} Its weights are the mean of {runs} trainings'.", agreement="")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    average(given.runs, given.output)


if __name__ == "__main__":
    main()
