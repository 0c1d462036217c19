"""`salbox train`: any network on any data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..errors import MissingExtraError
from ..imaging.postprocess import PostProcess
from ..paths import user_path
from .options import (
    DATA,
    OUTPUT,
    TRAINING_PACKAGES,
    CompressSchedule,
    Devices,
    EncoderName,
    EstimateOnly,
    LookedAtSize,
    MaxTime,
    Nodes,
    RecipeSettings,
    RunOutput,
    Seed,
    SplitFile,
    TrainingDevice,
    with_preprocess,
)
from .output import say
from .progress import ConsoleProgress


@with_preprocess
def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="How to train: a name, or a YAML file.")],
    run: RunOutput,
    preprocess: PostProcess,
    dataset: Annotated[
        list[str],
        typer.Option(
            "--dataset", metavar="[LABEL=]NAME:PATH", help="What to learn from ('salbox datasets'). Repeatable."
        ),
    ] = [],  # noqa: B006
    weight: Annotated[
        list[str],
        typer.Option(
            "--weight",
            metavar="LABEL=N",
            help="How often a data set's pictures are drawn.  [default: 1]",
            rich_help_panel=DATA,
        ),
    ] = [],  # noqa: B006
    images: Annotated[
        Path | None, typer.Option("--images", metavar="DIR", help="Photos of one's own, with --maps.")
    ] = None,
    maps: Annotated[
        Path | None, typer.Option("--maps", metavar="DIR", help="Their fixation maps, files of equal names.")
    ] = None,
    encoder: EncoderName = None,
    size: LookedAtSize = None,
    settings: RecipeSettings = [],  # noqa: B006
    init: Annotated[
        str | None,
        typer.Option(
            "--init",
            metavar="imagenet|timm|shipped|none|PATH|RUN",
            help="First weights of the encoder, or a run whose network to train further.  "
            "[default: imagenet, where a package brings the encoder's]",
        ),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What the network's map is called.", rich_help_panel=OUTPUT)
    ] = "people",
    split: SplitFile = None,
    all_images: Annotated[
        bool,
        typer.Option(
            "--all-images", help="Keep none for a test: learn from the data sets' test parts too.", rich_help_panel=DATA
        ),
    ] = False,
    allow_outside: Annotated[
        bool,
        typer.Option(
            "--allow-outside",
            help="Learn even if more than a tenth of the fixations lie outside their image.",
            rich_help_panel=DATA,
        ),
    ] = False,
    max_time: MaxTime = None,
    compress_schedule: CompressSchedule = False,
    estimate: EstimateOnly = False,
    seed: Seed = 0,
    device: TrainingDevice = "cpu",
    devices: Devices = 1,
    nodes: Nodes = 1,
) -> int:
    """Train a network on where people looked, or on masks of objects, and measure it on pictures it has not seen.

    RUN then holds the network (student.onnx), its card, the recipe as run, figures and pictures. A run that was stopped
    goes on when the same command is given again. Recipes come with the settings that were published.

    Examples:

      salbox train unisal --dataset osie:~/data/OSIE --dataset eyecrowd:~/data/EyeCrowd -o runs/unisal

      salbox train opensalicon --dataset osie:~/data/OSIE --encoder tf_efficientnet_lite0 --max-time 00:10:00 -o runs/s

      salbox train msinet --images photos --maps densities --size 240x320 -o runs/mine --estimate

      salbox train box --images photos --maps densities --pre-histogram-matching biased -o runs/matched

      salbox train box --dataset mine=folder:~/study --init runs/unisal -o runs/further
    """
    # As in `distill`: threads that wait for each other are not to spin for long. Read when PyTorch is imported.
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    try:
        from ..supervised import estimate as estimating
        from ..supervised import from_command_line
        from ..supervised import train as training
        from ..training.options import parse_size, parse_time
        from ..training.splitting import read_split
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in TRAINING_PACKAGES:
            raise
        raise MissingExtraError("salbox train", "train") from None
    plan = from_command_line.make_plan(
        recipe,
        user_path(run),
        datasets=dataset,
        weights=weight,
        images=images,
        maps=maps,
        settings=settings,
        encoder=encoder,
        size=None if size is None else parse_size(size),
        init=init,
        head=name,
        chosen=None if split is None else read_split(user_path(split)),
        all_images=all_images,
        allow_outside=allow_outside,
        preprocess=preprocess,
        seed=seed,
        max_seconds=None if max_time is None else parse_time(max_time),
        compress=compress_schedule,
        device=device,
        devices=devices,
        nodes=nodes,
    )
    with ConsoleProgress(keep=False) as progress:
        if estimate:
            for line in estimating.estimate(plan, progress).lines():
                say(line)
            return 0
        done = training.train(plan, progress)
    for found in done.measured:
        say(found.summary())
    say(done.command)
    return 0
