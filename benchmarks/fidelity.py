"""How closely the shipped students follow their teachers, on photos and pictures that no student learned from.

Needs the data, the fixation networks' weights and the paper's tables (`shared` beside the checkout, or SALBOX_SHARED),
and the run that the network comes from, of which the mean teacher maps of the training photos and the seeds are taken.
Teachers' maps do not depend on the student: they are computed first, kept in runs/fidelity, and an interrupted run goes
on; `--teachers-only` stops there. Writes docs/results/fidelity/figures.json, fidelity.md and kdsalbox-table2.md beside
it, the pictures docs/images/students-*.jpg, and the parts with figures of docs/students.md and
docs/when-not-to-trust-a-student.md.

    python benchmarks/fidelity.py [--teachers-only] [--few N] [--workers 2] [--run runs/students/fine] [--pages-only]

A head that scripts/renew_head.py has put in place of an older one is measured alone, and its figures take the place of
the older one's; the pictures stay as they are:

    python benchmarks/fidelity.py --only HEAD --run RUN

So are the heads of a branch, once scripts/ship_branch.py has put them beside the others, on the kinds of pictures that
are made of `--few` photos; the others' figures stay, since their maps do:

    python benchmarks/fidelity.py --branch RUN [--few 20]
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from _distilling import RUNS, read_json, write_json
from _fidelity_pages import write_pages
from _held_out import (
    HEADS,
    KEPT,
    OF_TRUNK,
    HeldOut,
    changed_for,
    check_seeds,
    compute_maps,
    held_out,
    maps_of,
    with_original_filters,
)
from _student_pictures import draw_heads, draw_worst
from _tables import ROOT, provenance

from salbox.bench import count, photo
from salbox.distillation.fidelity.mean_map import read_means
from salbox.distillation.fidelity.measure import CONSTANT, PHOTOS, Fidelity, Pair, measure
from salbox.distillation.teachers.augmentations import View
from salbox.models.exported import STUDENT_FILE, packaged
from salbox.models.loading import load
from salbox.models.registry import SHIPPED
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.runtime.metadata import resolution
from salbox.runtime.network import ExportedNetwork, open_network

sys.path.insert(0, str(ROOT / "scripts"))
from renew_head import new_head

NETWORK = Path(packaged(SHIPPED))
PHOTO = (640, 480)  # on which operations are counted
TRIAL = KEPT / "trial"
BATCH = 8
PACKAGES = ("salbox", "numpy", "opencv-python-headless", "onnxruntime")
DIGITS = 5


def measured(held: HeldOut, means: dict[str, Any], few: int | None, run: Path) -> dict[str, Any]:
    """Return every figure there is of the network that ships."""
    student = open_network(NETWORK)
    looks_at = resolution(student.metadata.preprocessing, student.metadata.settings)
    changed = {head: changed_for(held, head, few) for head in OF_TRUNK}
    osie = measure(pairs(student, dict.fromkeys(OF_TRUNK, held.osie), "OSIE test"), means)
    duts = measure(pairs(student, dict.fromkeys(OF_TRUNK, held.duts), "DUTS-TR held out"), means)
    domains = measure(pairs(student, changed, "changed photos"), means)
    whole = by_head(
        measure(pairs(open_network(run / STUDENT_FILE), dict.fromkeys(OF_TRUNK, held.osie), "float32"), means)
    )
    return {
        "weights": weights_fingerprint(NETWORK),
        "measured": provenance(PACKAGES),
        "network": {**size_of_network(), "looks_at": looks_at},
        "duts_held_out": held.duts_in_all,
        "osie": by_head(osie),
        "osie_float32": {head: {name: own[name] for name in ("cc", "kl")} for head, own in whole.items()},
        "float32_bytes": (run / STUDENT_FILE).stat().st_size,
        "duts": by_head(duts),
        "original_filters": original_filters(student, held, means),
        "domains": {
            domain: by_head(domains, domain)
            for domain in dict.fromkeys(view.domain for view in held.changed)
            if domain is not None
        },
    }


def measured_anew(figures: dict[str, Any], head: str, held: HeldOut, run: Path) -> dict[str, Any]:
    """Return the figures with those of one head replaced, which `run` has trained on the trunk that ships."""
    student, trained = open_network(NETWORK), open_network(run / STUDENT_FILE)
    new = new_head(head)
    means = {head: read_means(run)[new]}
    changed = measure(pairs(student, {head: held.changed}, "changed photos"), means)
    whole = (
        Pair(pair.key, head, trained.maps([view.render()], [new])[0][new], pair.teacher, pair.domain)
        for view, pair in zip(held.osie, pairs(student, {head: held.osie}, "float32"), strict=True)
    )
    in_float32 = by_head(measure(whole, means))[head]
    figures["weights"] = weights_fingerprint(NETWORK)
    figures["network"] |= size_of_network()
    figures["renewed"] = {**figures.get("renewed", {}), head: provenance(PACKAGES)}
    figures["osie"] |= by_head(measure(pairs(student, {head: held.osie}, "OSIE test"), means))
    figures["osie_float32"][head] = {name: in_float32[name] for name in ("cc", "kl")}
    figures["duts"] |= by_head(measure(pairs(student, {head: held.duts}, "DUTS-TR held out"), means))
    for domain, own in figures["domains"].items():
        own |= by_head(changed, domain)
    return figures


def measured_branch(figures: dict[str, Any], held: HeldOut, few: int | None, run: Path) -> dict[str, Any]:
    """Return the figures with those of the heads of a branch beside the others', which `run` has trained."""
    student, means = open_network(NETWORK), read_means(run)
    changed = measure(pairs(student, {head: changed_for(held, head, few) for head in means}, "changed photos"), means)
    whole = by_head(measure(pairs(open_network(run / STUDENT_FILE), dict.fromkeys(means, held.osie), "float32"), means))
    figures["weights"] = weights_fingerprint(NETWORK)
    figures["network"] |= size_of_network()
    figures["float32_bytes"] = (run / STUDENT_FILE).stat().st_size
    figures["added"] = {"heads": list(means), "measured": provenance(PACKAGES)}
    figures["osie"] |= by_head(measure(pairs(student, dict.fromkeys(means, held.osie), "OSIE test"), means))
    figures["osie_float32"] |= {head: {name: own[name] for name in ("cc", "kl")} for head, own in whole.items()}
    figures["duts"] |= by_head(measure(pairs(student, dict.fromkeys(means, held.duts), "DUTS-TR held out"), means))
    for domain, own in figures["domains"].items():
        own |= by_head(changed, domain)
    return figures


def pairs(student: ExportedNetwork, views: dict[str, list[View]], what: str) -> Iterator[Pair]:
    """Yield the student's and the teacher's map of pictures; `views` are those that each head is measured on."""
    keys = {head: {view.key for view in own} for head, own in views.items()}
    every = list(max(views.values(), key=len))
    maps = {head: maps_of(head) for head in views}
    for start in range(0, len(every), BATCH):
        batch = every[start : start + BATCH]
        for view, found in zip(batch, student.maps([view.render() for view in batch], list(views)), strict=True):
            for head in views:
                if view.key in keys[head]:
                    yield Pair(view.key, head, found[head], maps[head].read(view.key), view.domain)
        if start % (10 * BATCH) == 0:
            print(f"{what}: {start} of {len(every)}", flush=True)


def original_filters(student: ExportedNetwork, held: HeldOut, means: dict[str, Any]) -> dict[str, Any]:
    """Return how AIM's and SUN's students, and their teachers, agree with the maps of the originals' filters."""
    found = {}
    for head in with_original_filters():
        own, theirs = maps_of(head), maps_of(head, "original-filters")
        drawn = [(view, student.maps([view.render()], [head])[0][head]) for view in held.osie]
        found[head] = {
            "student": by_head(measure((Pair(v.key, head, s, theirs.read(v.key)) for v, s in drawn), means))[head],
            "teacher": by_head(
                measure((Pair(v.key, head, own.read(v.key), theirs.read(v.key)) for v, _ in drawn), means)
            )[head],
        }
    return found


def by_head(fidelity: Fidelity, domain: str = PHOTOS) -> dict[str, dict[str, float]]:
    """Return head -> figures of the student and, named so, of the constant; `lowest_cc` is the worst picture's."""
    found = {}
    for head in dict.fromkeys(one.head for one in fidelity.compared):
        row, constant = fidelity.row(head, domain), fidelity.row(head, domain, CONSTANT)
        names = ("cc", "cc_std", "kl", "kl_std", "sim", "sim_std")
        own = [one.cc for one in fidelity.compared if (one.head, one.domain) == (head, domain)]
        found[head] = {
            "pictures": row.pictures,
            **{name: round(getattr(row, name), DIGITS) for name in names},
            "lowest_cc": round(min(own), DIGITS),
            **{f"constant_{name}": round(getattr(constant, name), DIGITS) for name in names},
        }
    return found


def size_of_network() -> dict[str, int]:
    """Return bytes, learned numbers and multiply-adds of one pass, which gives the maps of all heads."""
    parameters, macs, flops = count(load(f"{HEADS[0]}.student"), photo(*PHOTO))
    if parameters is None or macs is None or flops is None:
        raise SystemExit(f"{NETWORK}: no network to count")
    return {"bytes": NETWORK.stat().st_size, "parameters": parameters, "macs": macs, "flops": flops}


def heads_of(given: argparse.Namespace) -> tuple[str, ...]:
    """Return the heads that are to be measured."""
    if given.branch is not None:
        return tuple(read_means(given.branch))
    return OF_TRUNK if given.only is None else (given.only,)


def trial_pages() -> Path:
    """Return a folder like docs/ for a trial, whose figures must not stand among the results."""
    TRIAL.mkdir(parents=True, exist_ok=True)
    for name in ("students.md", "when-not-to-trust-a-student.md"):
        shutil.copyfile(ROOT / "docs" / name, TRIAL / name)
    return TRIAL


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--teachers-only", action="store_true", help="compute the teachers' maps and leave")
    parser.add_argument("--only", choices=OF_TRUNK, metavar="HEAD", help="this one alone, trained anew by --run")
    parser.add_argument("--branch", type=Path, metavar="RUN", help="the heads of a branch alone, trained by RUN")
    parser.add_argument("--pages-only", action="store_true", help="write the pages again from figures.json")
    parser.add_argument("--few", type=int, metavar="N", help="changed photos for slow teachers, of OSIE's 70")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--run", type=Path, default=RUNS / "students" / "fine", help="where the network was trained")
    parser.add_argument("--limit", type=int, metavar="N", help="photos of each kind, to try the script out")
    return parser.parse_args(given)


def main() -> None:
    given = arguments()
    docs = ROOT / "docs" if given.limit is None else trial_pages()
    kept = docs / "results" / "fidelity" / "figures.json"
    if not given.pages_only:
        held = held_out(given.limit)
        compute_maps(held, given.few, given.workers, heads_of(given), drawn=given.branch is None)
        if given.teachers_only:
            return
    if given.only is not None and not given.pages_only:
        check_seeds(given.run, held)
        write_json(kept, measured_anew(read_json(kept), given.only, held, given.run))
    elif given.branch is not None and not given.pages_only:
        write_json(kept, measured_branch(read_json(kept), held, given.few, given.branch))
    elif not given.pages_only:
        means = read_means(given.run)
        missing = [head for head in OF_TRUNK if head not in means]
        if missing:
            raise SystemExit(f"{given.run}: no mean teacher maps of {', '.join(missing)}; is the run finished?")
        check_seeds(given.run, held)
        write_json(kept, measured(held, means, given.few, given.run))
        draw_heads(held.samples, docs / "images")
        draw_worst(held.changed_samples, docs / "images")
    figures = read_json(kept)
    if figures is None:
        raise SystemExit(f"{kept}: nothing was measured yet")
    write_pages(figures, docs)


if __name__ == "__main__":
    main()
