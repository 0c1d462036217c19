"""`salbox train`: any network on any data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..errors import MissingExtraError
from .output import say
from .progress import ConsoleProgress

_EXTRA = ("torch", "timm", "lightning", "onnx", "onnxscript", "safetensors", "pydantic", "yaml", "tensorboard")


def train(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="How to train: a name, or a YAML file.")],
    run: Annotated[Path, typer.Option("-o", "--output", metavar="RUN", help="The run folder.")],
    dataset: Annotated[
        list[str],
        typer.Option(
            "--dataset", metavar="[LABEL=]NAME:PATH", help="What to learn from ('salbox datasets'). Repeatable."
        ),
    ] = [],  # noqa: B006
    weight: Annotated[
        list[str],
        typer.Option("--weight", metavar="LABEL=N", help="How often a data set's pictures are drawn.  [default: 1]"),
    ] = [],  # noqa: B006
    images: Annotated[
        Path | None, typer.Option("--images", metavar="DIR", help="Photos of one's own, with --maps.")
    ] = None,
    maps: Annotated[
        Path | None, typer.Option("--maps", metavar="DIR", help="Their fixation maps, files of equal names.")
    ] = None,
    encoder: Annotated[
        str | None, typer.Option("--encoder", metavar="NAME", help="The encoder, by timm's name.")
    ] = None,
    size: Annotated[
        str | None, typer.Option("--size", metavar="HxW", help="The size that photos are looked at.")
    ] = None,
    settings: Annotated[
        list[str],
        typer.Option("--set", metavar="KEY=VALUE", help="A key of the recipe, such as batch_size=8. Repeatable."),
    ] = [],  # noqa: B006
    init: Annotated[
        str | None,
        typer.Option(
            "--init",
            metavar="imagenet|timm|shipped|none|PATH|RUN",
            help="First weights of the encoder, or a run whose network to train further.  "
            "[default: imagenet, where a package brings the encoder's]",
        ),
    ] = None,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="What the network's map is called.")] = "people",
    split: Annotated[
        Path | None,
        typer.Option("--split", metavar="FILE", help="CSV or JSON: which picture trains, validates, tests."),
    ] = None,
    all_images: Annotated[
        bool, typer.Option("--all-images", help="Keep none for a test: learn from the data sets' test parts too.")
    ] = False,
    max_time: Annotated[
        str | None, typer.Option("--max-time", metavar="HH:MM:SS", help="End the training then.")
    ] = None,
    compress_schedule: Annotated[
        bool, typer.Option("--compress-schedule", help="Scale epochs and milestones to --max-time.")
    ] = False,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say how long it will take, and leave.")] = False,
    seed: Annotated[int, typer.Option("--seed", metavar="N")] = 0,
    device: Annotated[
        str, typer.Option("--device", metavar="DEVICE", help="Where networks compute: cpu, cuda or cuda:1.")
    ] = "cpu",
    devices: Annotated[
        int, typer.Option("--devices", metavar="N", help="Share each batch among N of them, from that one on.")
    ] = 1,
) -> int:
    """Train a network on where people looked, or on masks of objects, and measure it on pictures it has not seen.

    RUN then holds the network (student.onnx), its card, the recipe as run, figures and pictures. A run that was stopped
    goes on when the same command is given again. Recipes come with the settings that were published.

    Examples:

      salbox train unisal --dataset osie:~/data/OSIE --dataset eyecrowd:~/data/EyeCrowd -o runs/unisal

      salbox train opensalicon --dataset osie:~/data/OSIE --encoder tf_efficientnet_lite0 --max-time 00:10:00 -o runs/s

      salbox train msinet --images photos --maps densities --size 240x320 -o runs/mine --estimate

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
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise MissingExtraError("salbox train", "train") from None
    plan = from_command_line.make_plan(
        recipe,
        run.expanduser(),
        datasets=dataset,
        weights=weight,
        images=images,
        maps=maps,
        settings=settings,
        encoder=encoder,
        size=None if size is None else parse_size(size),
        init=init,
        head=name,
        chosen=None if split is None else read_split(split),
        all_images=all_images,
        seed=seed,
        max_seconds=None if max_time is None else parse_time(max_time),
        compress=compress_schedule,
        device=device,
        devices=devices,
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
