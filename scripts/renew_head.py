"""Train one head of the shipped network anew, on its trunk as it is, and put it in the place of the old one.

    python scripts/renew_head.py HEAD RUN [--sees spectrum] [--epochs 20] [--photos 600] [--to .../box.onnx]

For a teacher whose maps have changed, or a head that is to see more of the picture than the decoder's features:
`--sees` (`salbox.networks.trainable.sight`). The head begins with the old head's weights; trunk and other heads stay,
bit for bit. Photos, their parts and their changes are those of scripts/distil_students.py. The teacher's maps are kept;
a training that was stopped begins anew. The card states the fidelity once it is measured: so renew, measure
(benchmarks/fidelity.py --only HEAD --run RUN), and renew again, which takes seconds. The other heads keep their
histogram curves; the head's own is fitted anew by scripts/fit_histogram_curves.py --only HEAD.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import onnx
import torch
from distil_students import VALIDATES, Printer, number, photos
from head_training import examples, fit_head
from ship_branch import ensure_same
from ship_students import FIGURES, TARGET, agreement, finished, limits, measured_figures, size_line
from torch import Tensor

from salbox.distillation.fidelity.mean_map import write_means
from salbox.distillation.fidelity.measure import mean_map
from salbox.distillation.heads import with_new_heads
from salbox.distillation.plan import SHIPPED_TRUNK
from salbox.distillation.teachers.augmentations import plan_views
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.distillation.teachers.teacher import Teacher, map_folder, teach_views
from salbox.imaging.writing import atomic
from salbox.models.cards import ModelCard
from salbox.models.loading import card
from salbox.networks.checkpoints import load_tensors
from salbox.networks.export.cards import put_cards
from salbox.networks.export.histogram_curves import put_curves
from salbox.networks.export.models import shrink_exported
from salbox.networks.export.onnx import export_onnx
from salbox.networks.trainable.box import Box
from salbox.networks.trainable.factory import rebuild
from salbox.networks.trainable.reload import HEADS as LAYERS
from salbox.networks.trainable.reload import read_exported
from salbox.networks.trainable.sight import SIGHTS
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.runtime.network import ExportedNetwork, open_network
from salbox.system.threads import available_threads
from salbox.training.run_folder import RunFolder
from salbox.training.splitting import Part, write_split

SHARE = 0.5  # of the photos are changed into other kinds of pictures
SEED = 0
SEEN = {
    "spectrum": ", and it sees beside them what the signs of the picture's cosine transform give, as its teacher does",
    "conspicuity": ", and it sees beside them contrasts of color, intensity and bars, much as its teacher does",
}


def new_head(head: str) -> str:
    """Return what the head is called in its run, where the old one has its name."""
    return f"{head}-new"


def train(head: str, run: Path, epochs: int, count: int, sees: str | None = None) -> None:
    """Train the head beside the old one, from whose weights it starts."""
    images = sorted(sorted(photos(), key=lambda p: number(p, "limit"))[:count], key=lambda p: p.output)
    learned = [photo for photo in images if number(photo, "part") % VALIDATES]
    folder, progress = RunFolder(run), Printer()
    given = {"head": head, "epochs": epochs, "photos": count, "sees": sees}
    folder.claim({**given, "domains": SHARE, "keep_plain": False, "seed": SEED})
    parts: dict[str, Part] = {photo.output.as_posix(): "validation" for photo in images}
    write_split(folder.split, parts | {photo.output.as_posix(): "training" for photo in learned})
    views = plan_views(learned, share=SHARE, keep_plain=False, seed=SEED)
    outcomes = teach_views(Teacher(head), views, folder.maps, workers=available_threads())
    for outcome in progress.track(outcomes, len(views), f"maps of {head}"):
        if outcome.failures:
            raise SystemExit(f"{head}: {outcome.failures[0]}")
    maps = TeacherMaps(map_folder(folder.maps, card(head).name))
    trunk = with_new_heads(SHIPPED_TRUNK, (new_head(head),), sees={} if sees is None else {new_head(head): sees})
    network = trunk.network.eval()
    assert isinstance(network, Box)
    new = network.head_layers[trunk.old]
    begin_as(new, network.head_layers[network.heads.index(head)])
    fit_head(new, examples(network, new, views, maps, progress), epochs, progress)
    write_means(run, {new_head(head): mean_map(maps.read(view.key) for view in views if view.domain is None)})
    cards = {**trunk.cards, new_head(head): trunk.cards[head]}
    export_onnx(network, folder.student, cards, {**trunk.teachers, new_head(head): head})


def begin_as(new: torch.nn.Module, old: torch.nn.Module) -> None:
    """Give a head the weights of another one, which may see less: what only the new one sees counts for nothing yet."""
    weights = new.state_dict()
    for name, before in old.state_dict().items():
        if weights[name].shape == before.shape:
            weights[name] = before
        else:
            weights[name].zero_()[:, : before.shape[1]] = before
    new.load_state_dict(weights)


def put(head: str, run: Path, target: Path = TARGET, figures: Path = FIGURES) -> ModelCard:
    """Write the run's head over the old one in `target`, and return its card."""
    folder = RunFolder(run)
    shipped = open_network(target, threads=1)
    network = with_head(_box(target), head, _box(folder.student))
    whole = run / "network.onnx"
    export_onnx(network, whole, shipped.cards, {own.name: own.teacher for own in shipped.metadata.heads})
    with atomic(target) as temporary:
        shrink_exported(whole, temporary, "int8")
        restore(temporary, target, but=f"{LAYERS}{shipped.heads.index(head)}.")
        ensure_same(shipped, open_network(temporary, threads=1), but=(head,))
        keep_curves(temporary, shipped, but=head)
        metadata = open_network(temporary, threads=1).metadata
        for _ in range(2):  # the cards state the size of the file that they are in
            size = size_line(metadata, temporary.stat().st_size)
            cards = {name: replace(card, size=size) for name, card in shipped.cards.items()}
            cards[head] = _card(head, folder, temporary, figures, cards[head])
            put_cards(temporary, cards)
    return cards[head]


def with_head(shipped: Box, head: str, learned: Box) -> Box:
    """Return a network with one head in the place of its own, as another network has it under `new_head`."""
    sees = {name: sight for name, sight in shipped.settings["sees"].items() if name != head}
    if new_head(head) in learned.settings["sees"]:
        sees[head] = learned.settings["sees"][new_head(head)]
    network = rebuild(shipped.name, list(shipped.heads), {**shipped.settings, "sees": sees})
    own = f"{LAYERS}{shipped.heads.index(head)}."
    layers = learned.head_layers[learned.heads.index(new_head(head))].state_dict()
    weights: dict[str, Tensor] = {n: values for n, values in shipped.state_dict().items() if not n.startswith(own)}
    weights |= {own + n: values for n, values in layers.items()}
    load_tensors(network, weights, head)
    assert isinstance(network, Box)
    return network.eval()


def _box(path: Path) -> Box:
    network = read_exported(path)
    assert isinstance(network, Box)
    return network


def restore(path: Path, before: Path, but: str | None = None) -> None:
    """Give a network's weights the bits that they had in a file before: rounding again may change a scale's last one.

    `but` begins the names of weights that are others now.
    """
    old: Mapping[str, onnx.TensorProto] = {tensor.name: tensor for tensor in onnx.load(before).graph.initializer}
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.name in old and (but is None or not tensor.name.startswith(but)):
            assert (tensor.data_type, tensor.dims) == (old[tensor.name].data_type, old[tensor.name].dims), tensor.name
            tensor.CopyFrom(old[tensor.name])
    path.write_bytes(model.SerializeToString(deterministic=True))


def keep_curves(path: Path, before: ExportedNetwork, but: str | None = None) -> None:
    """Put the histogram curves of a network into a file whose maps are the same, but for a head's."""
    curves, fingerprint = before.histogram_curves, weights_fingerprint(path)
    if curves is not None:
        same = curves.weights == fingerprint
        kept = {name: curve for name, curve in curves.heads.items() if same or name != but}
        put_curves(path, replace(curves, weights=fingerprint, heads=kept))


def _card(head: str, folder: RunFolder, network: Path, figures: Path, before: ModelCard) -> ModelCard:
    """Return the head's card: its own training, the whole network's photos, what was measured."""
    metadata = open_network(network, threads=1).metadata
    own = next(each for each in metadata.heads if each.name == head)
    found = measured_figures(figures, weights_fingerprint(network))
    card = finished(own, metadata, folder, network.stat().st_size, None)
    seen = SEEN.get(metadata.settings.get("sees", {}).get(head, ""), "")
    return replace(
        card,
        origin=card.origin.replace("; the teacher:", f"; the layers below the head are older{seen}; the teacher:", 1),
        license=before.license,
        agreement=card.agreement if found is None else agreement(found["osie"][head]),
        limits=limits(own, metadata, found),
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("head")
    parser.add_argument("run", type=Path)
    parser.add_argument("--sees", choices=SIGHTS, help="what it sees beside the decoder's features from now on")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--photos", type=int, default=600, help="so many of those that may be learned from")
    parser.add_argument("--to", type=Path, default=TARGET)
    given = parser.parse_args()
    if not RunFolder(given.run).student.is_file():
        train(given.head, given.run, given.epochs, given.photos, given.sees)
    found = put(given.head, given.run, given.to)
    print(f"{found.name}: {found.agreement}")


if __name__ == "__main__":
    main()
