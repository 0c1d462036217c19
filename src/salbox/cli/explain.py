"""`salbox explain`: what a network has learned to look at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import MissingExtraError, UsageError
from ..paths import user_path
from .options import TRAINING_PACKAGES, MaxTime, RecipeSettings, Seed, TrainingDevice
from .output import say
from .progress import ConsoleProgress

SHOWN = 12  # concepts of each sign


def explain(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL|RUN",
            help="A network: a name, a run folder, an .onnx, or a published checkpoint. With --against a folder that "
            "holds an explanation.",
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o", "--output", metavar="DIR|FILE", help="Where the tables and the page go; with --against the page."
        ),
    ],
    concepts: Annotated[
        list[str],
        typer.Option(
            "--concepts",
            metavar="NAME:PATH",
            help="Photos with named regions: visual-genome, gqa, coco-semantic, duts-wordnet, eyecrowd-faces, or "
            "masks:DIR (images/ and masks/<concept>/). Repeatable.",
        ),
    ] = [],  # noqa: B006
    dataset: Annotated[
        list[str],
        typer.Option("--dataset", metavar="[LABEL=]NAME:PATH", help="Where people looked: to learn bases. Repeatable."),
    ] = [],  # noqa: B006
    step: Annotated[
        str | None,
        typer.Option(
            "--step",
            metavar="factorize|reformulate|thresholds|dissect|contributions|report",
            help="Only this one; those before it have been made.",
        ),
    ] = None,
    basis: Annotated[
        int | None,
        typer.Option("--basis", metavar="N", help="Show what basis N stands for; of a finished DIR -o is enough."),
    ] = None,
    no_train: Annotated[bool, typer.Option("--no-train", help="Dissect the network's channels as they are.")] = False,
    layer: Annotated[
        str | None,
        typer.Option(
            "--layer",
            metavar="NAME",
            help="Of --no-train: a feature; 'head' for what the map's last convolution reads, with its weights.  "
            "[default: the last]",
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="DIR", help="Another explanation: one page of what rises and falls in it."),
    ] = None,
    bases: Annotated[int, typer.Option("--bases", metavar="N", min=1, help="How many to learn.")] = 512,
    min_photos: Annotated[
        int, typer.Option("--min-photos", metavar="N", min=1, help="On so many photos a concept has to be.")
    ] = 50,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="Only N photos of each of --concepts.")
    ] = None,
    categories: Annotated[
        Path | None, typer.Option("--categories", metavar="FILE", help="JSON or YAML, {category: [concepts]}.")
    ] = None,
    settings: RecipeSettings = [],  # noqa: B006
    weights: Annotated[
        str | None, typer.Option("--weights", metavar="PATH|URL", help="Of a model that has none of its own.")
    ] = None,
    sha256: Annotated[str | None, typer.Option("--sha256", metavar="HEX", help="What they must hash to.")] = None,
    max_time: MaxTime = None,
    seed: Seed = 0,
    device: TrainingDevice = "cpu",
) -> int:
    """Find out what a network looks at: bases of its features, what they stand for, what they do to maps.

    DIR then holds the tables of each step as Parquet, and report.html, a page to look at. A run that was stopped goes
    on when the same command is given again. With --no-train nothing is learned: the network's channels are compared
    with named regions as they are. With --against two explanations are compared, on a page of their own.

    Examples:

      salbox explain gaze --dataset osie:~/data/OSIE --concepts coco-semantic:~/data/coco -o why/gaze

      salbox explain gbvs.student --no-train --concepts masks:~/masks --min-photos 5 -o why/gbvs

      salbox explain gaze --basis 17 -o why/gaze

      salbox explain why/gbvs --against why/gaze -o what-changed.html
    """
    if against is not None:
        return _compare(Path(model), against, output)
    if basis is not None and not concepts:
        return _open(user_path(output), model, basis)
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    try:
        from ..explain import pipeline
        from ..training.options import parse_time
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in TRAINING_PACKAGES:
            raise
        raise MissingExtraError("salbox explain", "train") from None
    if no_train and dataset and step in pipeline.TRAINED:
        raise UsageError(f"--step {step} trains: leave --no-train out")
    with ConsoleProgress(keep=False) as progress:
        found = pipeline.explain(
            model,
            user_path(output),
            concepts=concepts,
            datasets=dataset,
            step=step,
            progress=progress,
            train=not no_train,
            layer=layer,
            bases=bases,
            min_photos=min_photos,
            limit=limit,
            categories=None if categories is None else user_path(categories),
            settings=tuple(settings),
            weights=weights,
            sha256=sha256,
            max_seconds=None if max_time is None else parse_time(max_time),
            seed=seed,
            device=device,
        )
    if basis is not None:
        return _show(found, basis)
    for line in _lines(found):
        say(line)
    page = found.folder / "report.html"
    say(str(page if page.exists() else found.folder))
    return 0


def _open(folder: Path, model: str, basis: int) -> int:
    """Show a basis of an explanation that is there; PyTorch is not needed for it."""
    from ..explain import Explanation
    from ..explain.plan import whole_path

    found = Explanation(folder)
    if not found.parts or not (folder / "bases.parquet").exists():
        raise UsageError(f"{folder}: no photos are dissected there yet; give --concepts, and --dataset or --no-train")
    if found.model not in (model, whole_path(model)):
        raise UsageError(f"{folder}: explains {found.model}, not {model}")
    return _show(found, basis)


def _show(found: Any, basis: int) -> int:
    for line in _basis_lines(found.basis(basis)):
        say(line)
    return 0


def _compare(first: Path, second: Path, output: Path) -> int:
    """Write the page of a comparison and say what it comes to."""
    from ..explain import write_comparison

    page = user_path(output)
    if page.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"-o {output}: the page of a comparison is one file, such as changed.html")
    found = write_comparison(user_path(first), user_path(second), page)
    certain = found.certain
    for title, rows in (
        (f"more in {found.names[1]}", certain[certain["difference"] > 0].head(SHOWN)),
        (f"less in {found.names[1]}", certain[certain["difference"] < 0].iloc[::-1].head(SHOWN)),
    ):
        say(title)
        for r in rows.itertuples():
            say(f"  {r.concept}  {r.difference:+.2f} ({r.low:+.2f} to {r.high:+.2f})")
    say(str(page))
    return 0


def _lines(found: Any) -> list[str]:
    """Return what an explanation comes to, as far as it has come."""
    if (found.folder / "contributions.parquet").exists():
        table, summary = found.contributions, found.summary
        lines = [
            f"{summary['named_bases']} of {summary['bases']} bases have a name; they explain "
            f"{summary['explained_by_named']:.0%} of the saliency"
        ]
        for title, rows in (
            ("makes salient", table[table["scaled"] > 0].head(SHOWN)),
            ("takes saliency away", table[table["scaled"] < 0].iloc[::-1].head(SHOWN)),
        ):
            lines += [
                title,
                *(f"  {r.concept}  {r.scaled:.2f} ({r.low:.2f} to {r.high:.2f})" for r in rows.itertuples()),
            ]
        return [*lines, "categories", *(f"  {r.category}  {r.scaled:.2f}" for r in found.categories.itertuples())]
    if (found.folder / "bases.parquet").exists():
        best = found.bases.sort_values("iou", ascending=False).head(SHOWN)
        named = int(found.bases["is_named"].sum())
        return [
            f"{named} of {len(found.bases)} have a name",
            *(f"  {r.basis}: {r.concept}  IoU {r.iou:.3f} ({r.low:.3f} to {r.high:.3f})" for r in best.itertuples()),
        ]
    return []


def _basis_lines(known: dict[str, Any]) -> list[str]:
    weight = f", weight {known['weight']:+.3f}" if "weight" in known else ""
    return [
        f"basis {known['basis']}: active above {known['threshold']:.4g}{weight}",
        *(
            f"  {r.concept}  IoU {r.iou:.3f} ({r.low:.3f} to {r.high:.3f}) on {r.photos} photos"
            for r in known["concepts"].itertuples()
        ),
        "most active on",
        *(f"  {name}  {peak:.3f}" for name, peak in known["photos"]),
    ]
