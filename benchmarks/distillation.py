"""Two networks and two recipes distilled from one teacher: at equal time, and with equal images seen.

`kdsalbox` and `box`, each trained by `kdsalbox-code` and by `box`, with schedules compressed to `--minutes`;
`kdsalbox-paper` once; `box` once more from maps that were matched to the histogram of people's densities. With equal
images: box sees as many as kdsalbox, the slower one, managed in its time by the same recipe, so that the runs of
kdsalbox serve both comparisons. Minutes are those of the processor, divided by the threads: a machine that others use
as well trains longer by the clock on the wall and comes to the same. Every run has its folder under `--out` and goes on
where it was stopped; its figures are kept under docs/results/distillation, and what is there is not repeated. Writes
docs/results/distillation.md when all runs are finished.

    python benchmarks/distillation.py [--minutes 10] [--only 'box-*' kdsalbox-paper] [--device cpu]
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _distilling import IMAGENET, OSIE, RUNS, Printer, chosen, is_validation, osie, read_csv, read_json, write_json
from _tables import RESULTS, markdown_table, provenance, write_page

import salbox
from salbox.bench import bench
from salbox.distillation.distill import distill
from salbox.distillation.fidelity.measure import CONSTANT, PHOTOS, STUDENT
from salbox.distillation.plan import HeadTarget, Plan
from salbox.distillation.teachers.teacher import Teacher
from salbox.imaging.inputs import ImageFile, find_images
from salbox.imaging.postprocess import NOTHING
from salbox.training.recipe import Recipe, read_recipe
from salbox.training.run_folder import RunFolder
from salbox.training.splitting import Part

TEACHER = "imsig"
SIZE = (192, 256)
LEARNED, TESTED = 400, 70  # photos, validation ones among the first
MATCHED = salbox.PostProcess(histogram_matching="biased")
PHOTO = (640, 480)  # on which networks are timed, as in the paper


@dataclass(frozen=True)
class Setting:
    """One run: which network learns by which recipe; `like` names the run whose images it is to see."""

    student: str
    recipe: str
    like: str = ""
    matched: bool = False


SETTINGS = {
    "kdsalbox-code": Setting("kdsalbox", "kdsalbox-code"),
    "kdsalbox-box": Setting("kdsalbox", "box"),
    "box-code": Setting("box", "kdsalbox-code"),
    "box-box": Setting("box", "box"),
    "box-code-equal": Setting("box", "kdsalbox-code", like="kdsalbox-code"),
    "box-box-equal": Setting("box", "box", like="kdsalbox-box"),
    "kdsalbox-paper": Setting("kdsalbox", "kdsalbox-paper"),
    "box-box-matched": Setting("box", "box", matched=True),
}
EQUAL_TIME = ("kdsalbox-code", "kdsalbox-box", "box-code", "box-box")
EQUAL_IMAGES = ("kdsalbox-code", "box-code-equal", "kdsalbox-box", "box-box-equal")

# What is kept of a run: its figures, not its weights.
FIGURES = ("fidelity.json", "log.csv", "split.csv", "recipe.yaml")
RECORD = "run.json"

# The box that was measured, which is not the one that a box is by default since its trials.
WHOLE = {"context": "none", "deepest": 32}

# CC and KL of IMSIG's student in the paper's Tables 1 and 3: mean, standard deviation, on 5,000 photos of SALICON.
PAPER = {False: "0.96 ± 0.04 | 0.02 ± 0.02", True: "0.94 ± 0.05 | 0.08 ± 0.10"}


def photos(learned: int, tested: int) -> tuple[tuple[ImageFile, ...], dict[str, Part]]:
    """Return photos of OSIE and their parts: of the training split those with the smallest hashes, half of the test's.

    A tenth of those that are learned from, by the hash of the name, validates.
    """
    by_hash = sorted(osie("train").items, key=lambda item: hashlib.sha1(item.image.name.encode()).hexdigest())
    parts: dict[str, Part] = {
        item.name: "validation" if is_validation(item.image.name) else "training" for item in by_hash[:learned]
    }
    parts |= {item.name: "test" for item in osie("test").items[::2][:tested]}
    found = find_images([str(OSIE / "data" / "stimuli")])
    return tuple(image for image in found if image.output.as_posix() in parts), parts


def recipe_of(setting: Setting, kept: Path) -> Recipe:
    """Return the recipe: the setting's own, or the one that another run came to, for this student."""
    network = WHOLE if setting.student == "box" else {}
    if not setting.like:
        return read_recipe(setting.recipe, student=setting.student, size=list(SIZE), network=network)
    file = kept / setting.like / "recipe.yaml"
    if not is_finished(kept / setting.like):
        raise SystemExit(f"{setting.like} comes first: its images are to be seen again")
    return read_recipe(str(file), student=setting.student, network=network)


def is_finished(folder: Path) -> bool:
    return bool((read_json(folder / RECORD) or {}).get("finished"))


def run(name: str, given: argparse.Namespace) -> None:
    setting, folder, kept = SETTINGS[name], given.out / name, place(given)
    if is_finished(kept / name):
        return
    print(f"{name}: {setting}", flush=True)
    images, parts = photos(given.photos or LEARNED, min(given.photos or TESTED, TESTED))
    plan = Plan(
        photos=images,
        run=folder,
        targets=(HeadTarget(TEACHER, Teacher(TEACHER, preprocess=MATCHED if setting.matched else NOTHING)),),
        recipe=recipe_of(setting, kept),
        init=str(IMAGENET),
        chosen=parts,
        max_seconds=None if setting.like else given.minutes * 60,
        compress=not setting.like,
        clock="processor",
        device=given.device,
    )
    distill(plan, Printer())
    if kept != given.out:
        keep(folder, kept / name)


def keep(run: Path, kept: Path) -> None:
    """Copy a finished run's figures; of the first weights the file's name is kept, not where it lay."""
    kept.mkdir(parents=True, exist_ok=True)
    for file in FIGURES:
        shutil.copyfile(run / file, kept / file)
    record = read_json(run / RECORD)
    record["identity"]["init"] = Path(record["identity"]["init"]).name
    write_json(kept / RECORD, record)  # last: it says that the run is finished


def place(given: argparse.Namespace) -> Path:
    """Return where the figures of finished runs are kept; those of a trial stay with it."""
    return given.out if given.photos is not None else RESULTS / "distillation"


@dataclass(frozen=True)
class Outcome:
    """What a run came to: figures on the test photos, pictures seen, minutes of training."""

    setting: Setting
    fidelity: dict[str, dict[str, Any]]
    images: int
    minutes: float
    epochs: int
    recipe: Recipe
    parts: tuple[int, int, int]

    @classmethod
    def read(cls, name: str, out: Path) -> Outcome:
        folder = RunFolder(out / name)
        rows = read_json(folder.path / "fidelity.json")["rows"]
        log = read_csv(folder.path / "log.csv")
        parts = [line["part"] for line in read_csv(folder.split)]
        return cls(
            setting=SETTINGS[name],
            fidelity={row["maps"]: row for row in rows if row["domain"] == PHOTOS},
            images=sum(int(line["images"]) for line in log),
            minutes=float(log[-1]["seconds"]) / 60,
            epochs=len(log),
            recipe=read_recipe(str(folder.path / "recipe.yaml")),
            parts=(parts.count("training"), parts.count("validation"), parts.count("test")),
        )

    def figures(self, maps: str = STUDENT) -> list[str]:
        row = self.fidelity[maps]
        return [f"{row[key]:.3f} ± {row[key + '_std']:.3f}" for key in ("cc", "kl")]

    def cells(self) -> list[str]:
        words = f"`{self.setting.student}`", f"`{self.setting.recipe}`"
        return [*words, f"{self.images:,}", str(self.epochs), f"{self.minutes:.1f}", *self.figures()]


def costs(found: dict[str, Outcome], out: Path, kept: Path) -> dict[str, dict[str, Any]]:
    """Return what the two networks cost, measured once."""
    path = kept / "costs.json"
    known = read_json(path)
    if known is None:
        names = {student: next(k for k, o in found.items() if o.setting.student == student) for student in STUDENTS}
        measured = bench({str(out / name): {} for name in names.values()}, [PHOTO])
        # By the student's name: where the run lay is this machine's.
        known = {name: {**cost.to_dict(), "model": name} for name, cost in zip(names, measured, strict=True)}
        write_json(path, known)
    return known


STUDENTS = ("kdsalbox", "box")
HEADER = ["network", "recipe", "pictures seen", "epochs", "minutes", "CC ↑", "KL ↓"]


def comparison(found: dict[str, Outcome], names: tuple[str, ...]) -> str:
    rows = [found[name].cells() for name in names]
    return markdown_table(HEADER, [*rows, [CONSTANT, "", "", "", "", *found[names[0]].figures(CONSTANT)]])


def cost_table(measured: dict[str, dict[str, Any]]) -> str:
    rows = [
        [
            f"`{name}`", f"{cost['parameters']:,}", f"{cost['macs'] / 1e9:.2f}", f"{cost['file_bytes'] / 1e6:.1f}",
            f"{cost['latency_median'] * 1e3:.0f}",
        ]
        for name, cost in measured.items()
    ]  # fmt: skip
    return markdown_table(["network", "parameters", "GMACs", "file, MB", "ms"], rows)


def cc(outcome: Outcome) -> float:
    return float(outcome.fidelity[STUDENT]["cc"])


def findings(found: dict[str, Outcome]) -> str:
    """Return what the tables come to, in words that follow from the figures."""

    def between(first: str, second: str) -> str:
        difference = cc(found[first]) - cc(found[second])
        return f"{abs(difference):.3f} {'above' if difference > 0 else 'below'}"

    best = max(EQUAL_TIME, key=lambda name: cc(found[name]))
    setting = found[best].setting
    return "\n".join(
        [
            f"- At equal time the best is `{setting.student}` by the recipe `{setting.recipe}`.",
            f"- With equal images `box` ends {between('box-code-equal', 'kdsalbox-code')} `kdsalbox` in CC by",
            f"  `kdsalbox-code` and {between('box-box-equal', 'kdsalbox-box')} it by `box`; at equal time",
            f"  {between('box-code', 'kdsalbox-code')} and {between('box-box', 'kdsalbox-box')}: the difference is "
            "what speed is worth.",
            f"- The recipe: `box` by its own ends {between('box-box', 'box-code')} `box` by `kdsalbox-code`,",
            f"  `kdsalbox` by `box` {between('kdsalbox-box', 'kdsalbox-code')} itself by `kdsalbox-code`.",
            f"- The learning rate of .1 of the paper's text ends {between('kdsalbox-paper', 'kdsalbox-code')} the",
            "  .01 of its code. One run each, one seed: differences of a hundredth mean nothing.",
        ]
    )


def matched_table(found: dict[str, Outcome]) -> str:
    rows = []
    for name in ("box-box", "box-box-matched"):
        outcome = found[name]
        teacher = "matched to people's densities" if outcome.setting.matched else "as they are"
        rows.append([f"`box`, {teacher}", *outcome.figures(), *PAPER[outcome.setting.matched].split(" | ")])
        rows.append([f"{CONSTANT}, {teacher}", *outcome.figures(CONSTANT), "", ""])
    return markdown_table(["teacher's maps", "CC ↑", "KL ↓", "paper: CC", "paper: KL"], rows)


def page(found: dict[str, Outcome], measured: dict[str, dict[str, Any]], minutes: float, device: str) -> str:
    training, validation, test = found["box-box"].parts
    packages = ("salbox", "torch", "lightning", "timm", "onnxruntime", "numpy")
    return "\n\n".join(
        [
            "# Distillation: networks and recipes",
            f"{provenance(packages)} Trained on {device}. Written by `benchmarks/distillation.py`.",
            f"One teacher, `{TEACHER}`; {training + validation} photos of OSIE's training part, {validation} of which "
            f"validate and choose the checkpoint; {test} of its test photos, measured once. Pictures at "
            f"{SIZE[1]}x{SIZE[0]}, encoders from the same ImageNet weights of a MobileNetV2, schedules compressed to "
            f"{minutes:g} minutes of training, which are processor time divided by the number of threads. None of this "
            "is the paper's own training, which took the 10,000 images of SALICON at full size: the tables compare "
            "networks and recipes on a small budget, not with the paper.",
            "CC and KL are fidelity as `salbox distill` reports it: mean ± standard deviation over the test photos. "
            f"The row '{CONSTANT}' is what a student gets that ignores the photo.",
            "## What the networks cost",
            f"A photo of {PHOTO[0]}x{PHOTO[1]}, brought to {SIZE[1]}x{SIZE[0]} by the network; ONNX Runtime on "
            f"{next(iter(measured.values()))['threads']} threads, median.",
            cost_table(measured),
            f"## Equal time: {minutes:g} minutes",
            comparison(found, EQUAL_TIME),
            "## Equal images",
            "`box` sees as many pictures, by the same schedule, as `kdsalbox`, the slower one, did in its time above; "
            "the runs of `kdsalbox` are the same ones as there. Compare within a recipe.",
            comparison(found, EQUAL_IMAGES),
            "## The paper's learning rate",
            "What the paper's text says, Adam at 0.1 with the encoder frozen at first, in the same time:",
            comparison(found, ("kdsalbox-paper", "kdsalbox-code")),
            "## Histogram-matched",
            "The paper's Table 3 beside its Table 1: teacher maps matched to the histogram of people's densities "
            "before the student learns them, and before it is compared with them.",
            matched_table(found),
            "## What this shows",
            findings(found),
        ]
    )


def main() -> Path | None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--minutes", type=float, default=10.0, help="of training, a run")
    parser.add_argument("--only", nargs="*", default=[], help="runs, or patterns such as box-*")
    parser.add_argument("--photos", type=int, help="to learn from and to test on, to try the script out")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=RUNS / "distillation")
    given = parser.parse_args()
    for name in chosen(list(SETTINGS), given.only):
        run(name, given)
    kept = place(given)
    if not all(is_finished(kept / name) for name in SETTINGS):
        print("not all runs are finished: no page yet")
        return None
    found = {name: Outcome.read(name, kept) for name in SETTINGS}
    device = "the CPU" if given.device == "cpu" else f"a GPU ({given.device})"
    text = page(found, costs(found, given.out, kept), given.minutes, device)
    if given.photos is not None:  # a trial: nothing of it belongs among the results
        (given.out / "distillation.md").write_text(text, encoding="utf-8")
        print(text)
        return None
    return write_page("distillation.md", text)


if __name__ == "__main__":
    main()
