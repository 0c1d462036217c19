"""What networks look at: `salbox explain` on networks that learned from people, and on the students that ship.

    python benchmarks/explain.py [--work DIR] [--minutes 6] [--only people|students|page]

Networks that learned from people are factorised on OSIE's and MIT1003's training parts; students, and `gaze` beside
them, are looked at as they are, by what the last convolution of each reads. Named regions are those of coco-semantic
and EyeCrowd's faces, `LIMIT` photos of each at most; networks that learned from people are dissected once more, on
DUTS-TR's most frequent objects by themselves. Photos are read from `shared/data` beside the checkout, or
SALBOX_SHARED; explanations are kept in DIR (by default SALBOX_RUNS/explain), and what is there is not made again.
`explain_gqa.py` measures what GQA's size takes, `explain_overlaps.py` what dissection takes beside the network's pass,
each into DIR/gqa. Writes docs/results/explain.md and explain-students.md.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _explain_students_page import is_student, ranking, students_page
from _tables import SHARED, markdown_table, provenance, write_page

import salbox
from salbox.datasets import ALL, open_dataset
from salbox.datasets.wordnet import by_wordnet_id
from salbox.explain import Explanation, explain, write_comparison
from salbox.explain.categories import read_categories
from salbox.explain.concept_sets import Photos, open_photos
from salbox.explain.contributions import by_category, contributions
from salbox.explain.dissection import Overlaps, best_concepts, dissect, mean_ious, read_parts
from salbox.explain.files import write_arrays, write_json, write_table
from salbox.explain.readout import of_readout
from salbox.explain.report import write_report
from salbox.explain.subject import Subject
from salbox.explain.thresholds import thresholds
from salbox.explain.vocabulary import build_vocabulary
from salbox.networks.trainable.saved import read_weights

DATA = SHARED / "data"
DATASETS = (f"osie:{DATA / 'OSIE'}", f"mit1003:{DATA / 'MIT1003'}")
CONCEPTS = f"coco-semantic:{DATA / 'coco-semantic'}", f"eyecrowd-faces:{DATA / 'EyeCrowd'}"
OBJECTS = f"duts-wordnet:{DATA / 'DUTS-TR'}"
LIMIT, MIN_PHOTOS, BASES = 200, 8, 512
KINDS, EACH = 20, 10  # of DUTS's things the most frequent, and photos of each
THINGS = "things"  # the folder, within a network's, of what its bases are by DUTS's things
SETTINGS = ("epochs=60",)  # of the recipes' 100: what comes later learns at rates below 1e-6
SHOWN = 12
NAMES = {"unisal-0": "unisal.people"}  # of runs whose network ships
COMPARED = ("face", "person", "sky-other-merged", "road", "pavement-merged", "playingfield")  # of the paper's kinds
STUDENTS = """## Students as they are

[What each student looks at](explain-students.md), with nothing trained, `gaze` beside them, and what changed from
`gbvs.student` to `gaze`.
"""
PAPER = {
    "positive": "having meeting 1.00, face .53, surfing .49, goggles .46, airplane .41, nose .31",
    "negative": "cloudless −1.00, hazy −.84, overcast −.79, sky −.65, asphalt −.27",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    runs = Path(os.environ.get("SALBOX_RUNS", "runs"))
    parser.add_argument("--work", type=Path, default=runs / "explain")
    parser.add_argument("--minutes", type=float, default=6, help="of one core, each of a network's two trainings")
    parser.add_argument("--people", nargs="*", default=["gaze"], metavar="MODEL|RUN", help="that learned from people")
    parser.add_argument("--only", choices=["people", "students", "page"])
    chosen = parser.parse_args()
    if chosen.only in (None, "people"):
        for name in chosen.people:
            people(name, chosen.work, 60 * chosen.minutes)
    if chosen.only in (None, "students"):
        students(chosen.work / "students")
    page(chosen.work)


def people(name: str, work: Path, seconds: float) -> None:
    """Explain a network that learned from people, and its bases once more by DUTS's objects."""
    folder = work / Path(name).name
    common: dict[str, Any] = {"datasets": DATASETS, "limit": LIMIT, "min_photos": MIN_PHOTOS, "bases": BASES}
    trained = {"settings": SETTINGS, "max_seconds": seconds, "clock": "processor"}
    explain(name, folder, concepts=CONCEPTS, **common, **trained)
    explain(str(folder / "reformulate" / "run"), folder / THINGS, concepts=[frequent_things(work)], **common)


def frequent_things(work: Path) -> str:
    """Return DUTS with the photos of its most frequent things alone, which are linked in `work`/duts."""
    named = by_wordnet_id(open_dataset(OBJECTS, ALL).items)
    frequent = sorted(named.values(), key=len, reverse=True)[:KINDS]
    folder = work / "duts"
    for item in (item for items in frequent for item in items[:EACH]):
        for file in filter(None, (item.image, item.mask)):
            link = folder / "DUTS-TR" / file.parent.name / file.name
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.exists():
                link.symlink_to(file.resolve())
    return f"duts-wordnet:{folder}"


def students(folder: Path) -> None:
    """Explain all students and `gaze` as they are; those that share a decoder look together."""
    photos = open_photos(CONCEPTS, LIMIT)
    groups: dict[str, dict[str, Any]] = {}
    for name in filter(is_student, salbox.list_models()):
        network = salbox.network(name)
        sees = network.settings.get("sees", {}).get(network.heads[0])  # then its features are its own
        decoder = network.settings, network.preprocessing, getattr(network, "on_branch", ()), sees
        groups.setdefault(repr(decoder), {})[name] = network
    vocabulary = build_vocabulary((photos.concepts(i) for i in range(len(photos))), MIN_PHOTOS)
    for group in (*groups.values(), {"gaze": salbox.network("gaze")}):
        _together(folder, photos, vocabulary, list(group), list(group.values()))
    write_comparison(folder / "gbvs.student", folder / "gaze", folder / "from-gbvs-to-gaze.html")


def _together(folder: Path, photos: Photos, vocabulary: Any, names: list[str], networks: list[Any]) -> None:
    """Explain networks of one decoder in one pass over the photos."""
    subjects = [of_readout(network, name) for name, network in zip(names, networks, strict=True)]
    if all((folder / name / "report.html").exists() for name in names):
        return
    layers = [network.head_layers[0][-1] for network in networks]
    seen: dict[int, torch.Tensor] = {}
    for i, layer in enumerate(layers):
        layer.register_forward_pre_hook(lambda _, given, i=i: seen.__setitem__(i, given[0]))

    def activation(images: torch.Tensor) -> torch.Tensor:
        decoded = networks[0].decoder_features(images)
        for network in networks:
            network.decoder_readout(decoded)
        return torch.cat([seen[i] for i in range(len(networks))], dim=1)

    counts = [subject.count for subject in subjects]
    look = activation if len(subjects) > 1 else subjects[0].activation  # of a head that sees more, which is alone
    together = Subject("together", sum(counts), look, subjects[0].prepare, in_probabilities=False)
    work = folder / f"pass-{names[0]}"
    every = max(1, len(photos) // 100)
    some = [photos.pixels(i) for i in range(0, len(photos), every)]
    limits = thresholds(together, some, len(some))
    parts = dissect(together, photos, vocabulary, limits["threshold"].to_numpy(np.float32), work)
    starts = np.cumsum([0, *counts])
    for name, subject, start, stop in zip(names, subjects, starts, starts[1:], strict=False):
        own = limits.iloc[start:stop].reset_index(drop=True).assign(basis=range(subject.count))
        mine = [replace(part, iou=part.iou[:, start:stop], peak=part.peak[:, start:stop]) for part in read_parts(parts)]
        _write(folder / name, name, subject, photos, vocabulary, own, mine)


def _write(
    folder: Path, name: str, subject: Subject, photos: Photos, vocabulary: Any, limits: Any, parts: list[Overlaps]
) -> None:
    """Write the tables of one network, and its page."""
    paths = []
    for number, part in enumerate(parts):
        paths.append(folder / "dissection" / f"photos-{number:06d}.safetensors")
        write_arrays(vars(part), paths[-1])
    table = mean_ious(paths, vocabulary, subject.count)
    bases = best_concepts(table, paths, vocabulary)
    bases["threshold"] = limits["threshold"]
    weights = (subject.weights * limits["spread"].to_numpy()).astype(np.float32)
    bases["weight"] = weights
    found = contributions(paths, vocabulary, weights)
    named = bases["is_named"].to_numpy(bool)
    write_json({"model": name}, folder / "explain.json")
    write_json({"photos": [photos.name(i) for i in range(len(photos))]}, folder / "photos.json")
    write_json({"named_bases": int(named.sum()), "explained_by_named": float("nan")}, folder / "summary.json")
    for values, file in (
        (limits, "thresholds"),
        (vocabulary.table(), "vocabulary"),
        (table, "dissection"),
        (bases, "bases"),
        (found, "contributions"),
        (by_category(found, read_categories()), "categories"),
    ):
        write_table(values, folder / f"{file}.parquet")
    write_report(Explanation(folder), subject, photos)


def page(work: Path) -> None:
    """Write the page of results, of what is there."""
    parts = [
        f"""# What networks look at

Written by `benchmarks/explain.py`. {provenance(("salbox", "torch", "numpy"))}

Named regions: {", ".join(text.partition(":")[0] for text in CONCEPTS)}, at most {LIMIT} photos of each; a concept is
on {MIN_PHOTOS} photos at least. "frontal", "profile" and "back" are poses of EyeCrowd's faces; names that end in
"-merged" are COCO's, for grounds of several kinds. The {KINDS} most frequent things of duts-wordnet, {EACH} photos of
each, are looked at by themselves: five concepts share a basis, and beside things that fill a third of their photo faces
would hardly be among them. Contributions are scaled by the largest of their sign, with 95 % intervals by the bootstrap
over photos;
[What a network looks at](../explain.md) says what they mean.
"""
    ]
    people = [path for path in sorted(work.iterdir()) if (path / "factorize" / "run" / "evaluation.csv").exists()]
    explained = [path for path in people if (path / "contributions.parquet").exists()]
    parts += [_ranking(path) for path in explained]
    if explained:
        parts.append(_beside(explained))
    if people:
        parts.append(_accuracy(people))
    if (work / "students").is_dir():
        names = [text.partition(":")[0] for text in CONCEPTS]
        write_page("explain-students.md", students_page(work / "students", names, LIMIT, MIN_PHOTOS))
        parts.append(STUDENTS)
    if (work / "gqa" / "gqa.json").exists():
        parts.append(_gqa(json.loads((work / "gqa" / "gqa.json").read_text(encoding="utf-8"))))
    if (work / "gqa" / "overlaps.json").exists():
        parts.append(_overlaps(json.loads((work / "gqa" / "overlaps.json").read_text(encoding="utf-8"))))
    if people:  # else it stays, as it was measured elsewhere
        write_page("explain.md", "\n".join(parts))


def _ranking(folder: Path) -> str:
    found = Explanation(folder)
    summary = found.summary
    learned = _learned(folder / "factorize" / "run")
    return f"""## {_name(folder)}: what makes salient

{summary["bases"]} bases, {summary["named_bases"]} with a name, which explain {summary["explained_by_named"]:.0%} of the
saliency; {summary["concepts"]} concepts on {summary["photos"]} photos. The first phase learned from {learned:,} photos
(the published one from 50,000).{_of_before(folder)}

{ranking(found, SHOWN)}
{_things(folder / THINGS)}"""


def _things(folder: Path) -> str:
    """Return which of DUTS's things the bases make salient, if they were dissected by them."""
    if not (folder / "contributions.parquet").exists():
        return ""
    found = Explanation(folder)
    shares = np.concatenate([part.share for part in read_parts(found.parts)])
    table = found.contributions
    rising, falling = table[table["scaled"] > 0], table[table["scaled"] < 0].iloc[::-1]
    said = [", ".join(f"{row.concept} {row.scaled:+.2f}" for row in part.itertuples()) for part in (rising, falling)]
    return f"""
By DUTS's things alone, {len(table)} of them, each the subject of its photos, of which it covers
{np.median(shares):.0%} in the median: highest {said[0] or "none"}; lowest {said[1] or "none"}.
"""


def _of_before(folder: Path) -> str:
    """Return a sentence if a model was trained anew after it was explained: its weights are not those that ship."""
    name = _name(folder)
    if folder.name in NAMES or name not in salbox.list_models():
        return ""
    explained = read_weights(folder / "factorize" / "start" / "student.safetensors")
    before, now = explained.network.state_dict(), salbox.network(name).state_dict()
    if before.keys() == now.keys() and all(torch.allclose(before[key], now[key], atol=1e-3) for key in now):
        return ""
    return f" `{name}` was trained anew since: this is the one before."


def _beside(folders: list[Path]) -> str:
    """Return where concepts come that the paper's ranking has at its ends."""
    tables = [Explanation(folder).contributions for folder in folders]
    places = {name: [int(table.index[table["concept"] == name][0]) + 1 for table in tables] for name in COMPARED}
    rows = [[name, *map(str, own)] for name, own in places.items()]
    counts = " and ".join(str(len(table)) for table in tables)
    first, last = (", ".join(dict.fromkeys(table["concept"].iloc[end] for table in tables)) for end in (0, -1))
    return f"""## Beside the paper

The authors' notebook has of DINet, which learned from SALICON, with scene graphs of Visual Genome:
{PAPER["positive"]}; {PAPER["negative"]}.

The concepts here are others: neither what people do nor what the weather is like is named, and no text. These are the
places of what comes closest, in the rankings of {counts} concepts, the most salient first:

{markdown_table(["concept", *map(_name, folders)], rows)}

The first of each: {first}; the last of each: {last}. As in the paper faces and people are at one end, the first
{max(places["face"] + places["person"])} places, and sky and grounds at the other, from place
{min(places["sky-other-merged"] + places["playingfield"])} on. What differs is what has a name: there an action leads,
faces come second, and the sky is last by its weather; here bowls, houses and mountains share the top with people, each
on few photos and with an interval that reaches down to about zero.
"""


def _name(folder: Path) -> str:
    """Return what the network of an explanation is called."""
    return NAMES.get(folder.name, folder.name)


def _accuracy(people: list[Path]) -> str:
    rows = []
    for folder in people:
        model = json.loads((folder / "explain.json").read_text(encoding="utf-8"))["model"]
        plain = _plain(model if isinstance(model, str) else Path(model[0]), folder)
        phases = [_phase(folder / phase / "run", plain) for phase in ("factorize", "reformulate")]
        before = ", before it was trained anew" if _of_before(folder) else ""
        rows.append([f"{_name(folder)}{before}", f"{plain:.3f}", *phases])
    return f"""## What the rewriting costs

CC on the 140 test photos of OSIE, and how many photos each phase drew. The trainings were short, so that they say what
little of them gives: the recipes take 5,000 steps of 10 photos each.

{markdown_table(["network", "as it is", "first phase", "second phase"], rows)}
"""


def _phase(run: Path, plain: float) -> str:
    """Return the CC of a phase, how far it is from the plain network's, and what it learned from."""
    if not (run / "evaluation.csv").exists():
        return "not measured"
    cc = _cc(run / "evaluation.csv") or _measured(str(run), run.parent / "osie.json")
    return f"{cc:.3f} ({cc / plain - 1:+.1%}), {_learned(run):,} photos"


def _learned(run: Path) -> int:
    """Return how many photos a training drew."""
    with (run / "log.csv").open(encoding="utf-8") as file:
        return sum(int(row["images"]) for row in csv.DictReader(file))


def _plain(model: str | Path, folder: Path) -> float:
    """Return the CC of a network as it is: its run's, or measured once."""
    own = _cc(model / "evaluation.csv") if isinstance(model, Path) and (model / "evaluation.csv").exists() else None
    return own or _measured(str(model), folder / "plain.json")


def _measured(model: str, kept: Path) -> float:
    """Return the CC of a network on OSIE's test photos, measured once."""
    if not kept.exists():
        found = salbox.evaluate(f"osie:{DATA / 'OSIE'}", [model], ["cc"], split="test")
        write_json({"cc": found.estimate(next(iter(found.rows)), "cc").value}, kept)
    return float(json.loads(kept.read_text(encoding="utf-8"))["cc"])


def _cc(path: Path) -> float | None:
    """Return the CC on OSIE of the first row of a run's evaluation, None if it was not measured there."""
    rows = csv.reader(path.read_text(encoding="utf-8").partition("# osie")[2].partition("#")[0].splitlines())
    return next((float(row[2]) for row in rows if len(row) > 2 and row[1] == "cc"), None)


def _gqa(figures: dict[str, Any]) -> str:
    if "tables" not in figures:
        return ""
    names = {
        "vocabulary": "reading all scene graphs, concepts",
        "dissection": f"dissecting {figures['dissected']:,} photos",
        "tables": "tables and intervals of all photos",
    }
    rows = [
        [name, f"{figures[key]['processor']:.0f}", f"{figures[key]['seconds']:.0f}", f"{figures[key]['megabytes']:,}"]
        for key, name in names.items()
    ]
    return f"""## Photos as many as GQA's

{figures["photos"]:,} generated scene graphs ({figures["json megabytes"]} MB of JSON) of 16 boxes each, 512 stored maps
of 60x80 in place of a network (`benchmarks/explain_gqa.py`); what is kept on disk of all photos is
{figures["parts megabytes"] / 1000:.1f} GB. The machine was shared: the time on the clock is not the program's.

{markdown_table(["step", "seconds of processor", "on the clock", "peak MB"], rows)}
"""


def _overlaps(figures: dict[str, Any]) -> str:
    height, width = figures["places"]
    return f"""## Beside the network's own pass

{figures["bases"]} bases of {height}x{width} places on {figures["photos"]} photos, stored maps in place of a network
(`benchmarks/explain_overlaps.py`), one thread: {figures["all"]:.1f} seconds of processor where each of
{figures["concepts"]} concepts is on every photo, {figures["some"]:.1f} where {figures["usual"]} of them are.
"""


if __name__ == "__main__":
    main()
