"""Write the shipped network again as salbox exports networks today: the same weights and maps, another graph.

    python scripts/rewrite_box.py [--to .../box.onnx]

For a salbox that writes graphs better than the one that wrote the file. Weights stay to the last bit, and maps but for
the rounding of sums: so histogram curves still hold, and so do the figures that cards and pages state, which are tied
to the new graph. The page that tells of them is then written again: benchmarks/fidelity.py --pages-only.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

from renew_head import keep_curves, restore
from ship_branch import ensure_same
from ship_students import FIGURES, TARGET, measured_figures, size_line

from salbox.bench import count, photo
from salbox.imaging.writing import atomic
from salbox.models.loading import load
from salbox.networks.export.cards import put_cards
from salbox.networks.export.models import shrink_exported
from salbox.networks.export.onnx import export_onnx
from salbox.networks.trainable.reload import read_exported
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.runtime.network import open_network

PHOTO = (640, 480)  # whose cost figures.json states


def rewrite(target: Path = TARGET, figures: Path = FIGURES) -> None:
    """Write a network's file again, and tie the figures to it that were measured on the old one.

    Raises
    ------
    SystemExit
        If maps would be others.
    """
    shipped, before = open_network(target, threads=1), weights_fingerprint(target)
    measured = measured_figures(figures, before)
    teachers = {head.name: head.teacher for head in shipped.metadata.heads}
    with tempfile.TemporaryDirectory() as folder, atomic(target) as temporary:
        whole = Path(folder) / "network.onnx"
        export_onnx(read_exported(target), whole, shipped.cards, teachers)
        shrink_exported(whole, temporary, "int8")
        restore(temporary, target)
        ensure_same(shipped, open_network(temporary, threads=1), but=())
        keep_curves(temporary, shipped)
        metadata = open_network(temporary, threads=1).metadata
        for _ in range(2):  # the cards state the size of the file that they are in
            size = size_line(metadata, temporary.stat().st_size)
            put_cards(temporary, {name: replace(card, size=size) for name, card in shipped.cards.items()})
    if measured is not None:
        _, macs, flops = count(load(f"{target}#{shipped.heads[0]}"), photo(*PHOTO))
        cost = {"bytes": target.stat().st_size, "macs": macs, "flops": flops}
        told = {**measured, "weights": weights_fingerprint(target), "network": {**measured["network"], **cost}}
        with atomic(figures) as temporary:
            temporary.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--to", type=Path, default=TARGET)
    rewrite(parser.parse_args().to)


if __name__ == "__main__":
    main()
