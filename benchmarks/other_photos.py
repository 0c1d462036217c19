"""Students beside their classical teachers on photos of other collections than those of `fidelity.py`.

MIT1003's 89 validation photos, which no student learned from, and all of DUTS-TR that is held out. Needs the data
(`shared` beside the checkout, or SALBOX_SHARED). The teachers' maps are kept in runs/fidelity and made once. Writes
docs/results/other-photos.md.

    python benchmarks/other_photos.py [--only imsig ikn] [--limit N]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from _held_out import KEPT, OF_TRUNK, maps_of, teach, teacher
from _tables import SHARED, markdown_table, provenance, write_page

from salbox.datasets import open_dataset
from salbox.distillation.teachers.augmentations import View, plain_view
from salbox.imaging.inputs import ImageFile
from salbox.metrics.fidelity import fidelity_cc, fidelity_kl
from salbox.models.exported import packaged
from salbox.models.registry import SHIPPED
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.runtime.network import open_network

SETS = {"MIT1003": ("mit1003", "validation"), "DUTS-TR": ("duts", "held-out")}
CLASSICAL = tuple(head for head in OF_TRUNK if head != "fastgaze")


def views_of(name: str, limit: int | None) -> list[View]:
    """Return the photos of a set."""
    key, part = SETS[name]
    items = open_dataset(f"{key}:{SHARED / 'data' / name}", part).items[:limit]
    return [plain_view(ImageFile(item.image, Path(name) / item.image.stem)) for item in items]


def row(head: str, views: dict[str, list[View]]) -> list[str]:
    """Return a line: of each set CC and KL with the teacher."""
    network, theirs = open_network(packaged(SHIPPED)), maps_of(head)
    cells = []
    for photos in views.values():
        own = [network.maps([view.render()], [head])[0][head] for view in photos]
        pairs = [(saliency, theirs.read(view.key)) for saliency, view in zip(own, photos, strict=True)]
        for measure in (fidelity_cc, fidelity_kl):
            found = [measure(student, target) for student, target in pairs]
            cells.append(f"{np.mean(found):.3f} ± {np.std(found):.3f}")
    print(head, cells, flush=True)
    return [f"`{head}.student`", *cells]


def main() -> None:
    """Measure and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--only", nargs="+", choices=CLASSICAL, default=CLASSICAL, metavar="HEAD")
    parser.add_argument("--limit", type=int, help="of photos, to try things out")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    views = {name: views_of(name, given.limit) for name in SETS}
    for head in given.only:
        teach(teacher(head), [view for photos in views.values() for view in photos], KEPT / "maps", given.workers)
    titles = [f"{name}, {len(photos)} photos: {what}" for name, photos in views.items() for what in ("CC ↑", "KL ↓")]
    sha = weights_fingerprint(packaged(SHIPPED))[:16]
    parts = [
        "# Students on photos of other collections",
        f"{provenance(('salbox', 'numpy', 'opencv-python-headless', 'onnxruntime'))} Written by "
        f"`benchmarks/other_photos.py`. SHA-256 of the network's graph: `{sha}`.",
        "How close students are to their teachers where the photos are of other people's making than most of those "
        "that they learned from: MIT1003's validation part, which no student learned from, and all of DUTS-TR's photos "
        "that are held out. [Fidelity](fidelity.md) says what CC and KL are, and has OSIE's test photos and other "
        "kinds of pictures. How the heads of `imsig` and `ikn` see more of a picture was worked out while these photos "
        "were looked at; OSIE's test photos were not.",
        markdown_table(["", *titles], [row(head, views) for head in given.only]),
        "Mean ± standard deviation over photos.",
    ]
    write_page("other-photos.md", "\n\n".join(parts))


if __name__ == "__main__":
    main()
