"""`salbox distill`: any model into a small one."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from ..errors import MissingExtraError, UsageError
from ..imaging.postprocess import NOTHING, PostProcess
from ..models.specs import parse_models
from ..paths import user_path
from .options import (
    DATA,
    SPEED,
    TEACHER,
    TRAINING_PACKAGES,
    CompressSchedule,
    Devices,
    EncoderName,
    EstimateOnly,
    LookedAtSize,
    MaxModelSize,
    MaxTime,
    ModelHashes,
    ModelParameters,
    ModelWeights,
    Nodes,
    RecipeSettings,
    Recursive,
    RunOutput,
    Seed,
    SplitFile,
    TrainingDevice,
    loading_options,
    refuse_unused,
    with_preprocess,
)
from .output import say
from .progress import ConsoleProgress


@with_preprocess
def distill(
    images: Annotated[
        list[str], typer.Option("--images", metavar="DIR", help="Photos to learn from: a folder. Repeatable.")
    ],
    run: RunOutput,
    preprocess: PostProcess,
    teacher: Annotated[
        list[str], typer.Option("--teacher", metavar="NAMES", help="Models to learn, separated by commas: a head each.")
    ] = [],  # noqa: B006
    teacher_maps: Annotated[
        list[str],
        typer.Option("--teacher-maps", metavar="[NAME=]DIR", help="Maps made elsewhere, named as the photos; a head."),
    ] = [],  # noqa: B006
    map_flips: Annotated[
        str,
        typer.Option(
            "--map-flips",
            metavar="none|h|v|hv",
            help="How those maps may be mirrored with the photos.",
            rich_help_panel=TEACHER,
        ),
    ] = "none",
    maps_output: Annotated[
        str | None,
        typer.Option(
            "--maps-output",
            metavar="score|log_density|probability",
            help="What their numbers are; probabilities are learned as they are.  "
            "[default: what their files say, else score]",
            rich_help_panel=TEACHER,
        ),
    ] = None,
    min_confidence: Annotated[
        float | None,
        typer.Option(
            "--min-confidence",
            metavar="X",
            help="Leave out photos in which a teacher of probabilities sees no object for sure, 0 to 1.",
            rich_help_panel=TEACHER,
        ),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option("--recipe", metavar="NAME|FILE", help="How to train.  [default: the student's; box]")
    ] = None,
    student: Annotated[
        str | None,
        typer.Option("--student", metavar="NAME", help="box, kdsalbox, a design such as msinet, or module:Class."),
    ] = None,
    encoder: EncoderName = None,
    size: LookedAtSize = None,
    settings: RecipeSettings = [],  # noqa: B006
    init: Annotated[
        str | None,
        typer.Option(
            "--init",
            metavar="PATH|imagenet|timm|shipped|none|RUN",
            help="First weights of the encoder, or a run whose network to train further.  "
            "[default: shipped where there are any that fit]",
        ),
    ] = None,
    recursive: Recursive = False,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", help="Learn from N of the photos.", rich_help_panel=DATA)
    ] = None,
    domains: Annotated[
        float,
        typer.Option(
            "--domains",
            metavar="SHARE",
            help="Learn this share of the photos in a changed form too.",
            rich_help_panel=DATA,
        ),
    ] = 0.0,
    split: SplitFile = None,
    histogram_matched: Annotated[
        bool,
        typer.Option(
            "--histogram-matched",
            help="Match the maps to human fixation densities' histogram first.",
            rich_help_panel=TEACHER,
        ),
    ] = False,
    add_to: Annotated[
        str | None,
        typer.Option("--add-to", metavar="RUN|shipped", help="Add heads to a trained box and leave all else as it is."),
    ] = None,
    in_process: Annotated[
        bool,
        typer.Option(
            "--in-process", help="Run the teacher, a PyTorch network, beside the student.", rich_help_panel=SPEED
        ),
    ] = False,
    max_time: MaxTime = None,
    compress_schedule: CompressSchedule = False,
    estimate: EstimateOnly = False,
    seed: Seed = 0,
    workers: Annotated[int | None, typer.Option("--workers", metavar="N", help="Processes for the teachers.")] = None,
    device: TrainingDevice = "cpu",
    devices: Devices = 1,
    nodes: Nodes = 1,
    param: ModelParameters = [],  # noqa: B006
    weights: ModelWeights = [],  # noqa: B006
    sha256: ModelHashes = [],  # noqa: B006
    max_model_size: MaxModelSize = None,
) -> int:
    """Train a small network to do as a model does, and measure how well it follows on photos it has not seen.

    RUN then holds the student (student.onnx), its card, the recipe as run and a fidelity report. A run that was
    stopped goes on when the same command is given again.

    Examples:

      salbox distill --teacher imsig --images photos -o runs/imsig

      salbox distill --teacher gbvs,aim --images photos --max-time 00:30:00 --compress-schedule -o runs/two

      salbox distill --teacher-maps mine=maps --images photos -o runs/mine --recipe kdsalbox-code --size 192x256

      salbox distill --student scfnet --teacher-maps maps/isnet --images photos --min-confidence 0.6 -o runs/objects

      salbox distill --teacher bms --images photos --add-to runs/two -o runs/three

      salbox distill --teacher aim --images photos -o runs/aim --estimate
    """
    # Threads that wait for each other spin for long by default, which a quiet machine gains little by; where anything
    # else runs on its cores, training is then several times as slow. Read when PyTorch is imported.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    try:
        from ..distillation import distill, from_command_line
        from ..distillation import estimate as estimating
        from ..distillation.plan import Plan
        from ..training.options import parse_size, parse_time
        from ..training.recipe import read_recipe
        from ..training.splitting import read_split
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in TRAINING_PACKAGES:
            raise
        raise MissingExtraError("salbox distill", "train") from None
    if not teacher and not teacher_maps:
        raise UsageError("no teacher; give --teacher NAME or --teacher-maps DIR")
    refuse_unused(
        "--teacher-maps",
        teacher_maps,
        {"--map-flips": map_flips != "none", "--maps-output": maps_output is not None},
    )
    refuse_unused("--teacher", teacher, loading_options(param, weights, sha256, None, max_model_size))
    refuse_unused(
        "--teacher (salbox experiment processes maps that are there)",
        teacher,
        {"--histogram-matched": histogram_matched, "--pre-...": preprocess != NOTHING},
    )
    if histogram_matched:
        preprocess = from_command_line.histogram_matched(preprocess)
    models = (
        parse_models(teacher, param, weights, sha256, None if device == "cpu" else device, max_model_size)
        if teacher
        else {}
    )
    plan = Plan(
        photos=tuple(from_command_line.select_photos(images, recursive=recursive, limit=limit, seed=seed, run=run)),
        run=user_path(run),
        targets=from_command_line.head_targets(
            models, teacher_maps, preprocess=preprocess, map_flips=map_flips, maps_output=maps_output
        ),
        recipe=read_recipe(
            from_command_line.recipe_name(recipe, student),
            settings,
            student=student,
            encoder=encoder,
            size=None if size is None else parse_size(size),
        ),
        init=init,
        domains=domains,
        chosen=None if split is None else read_split(split),
        add_to=add_to,
        min_confidence=min_confidence,
        in_process=in_process,
        seed=seed,
        max_seconds=None if max_time is None else parse_time(max_time),
        compress=compress_schedule,
        workers=workers,
        device=device,
        devices=devices,
        nodes=nodes,
    )
    with ConsoleProgress(keep=False) as progress:
        if estimate:
            for line in estimating.estimate(plan, progress).lines():
                say(line)
            return 0
        done = distill.distill(plan, progress)
    if done.fidelity is not None:
        for head in dict.fromkeys(row.head for row in done.fidelity.rows):
            say(f"{head}: {done.fidelity.summary(head)}")
    say(done.command)
    return 0
