"""Options that several verbs share."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from ..errors import SalboxError, UsageError
from ..formats.onnx_file import MAX_MEGABYTES
from ..imaging.postprocess import CHOICES, PostProcess, without_effect
from ..models.loading import card
from ..models.model import PRECISIONS
from ..models.specs import parse_models, split_names
from ..types import Output

# Panels of a verb's help. What names none stands first: the few options that matter to everybody.
MODELS = "Models"
DATA = "Data"
TEACHER = "Teacher"
RECIPE = "Recipe"
TIME = "Time"
OVERLAYS = "Overlays"
VIDEOS = "Videos"
POSTPROCESSING = "Post-processing"
LEARNED_MAPS = "Processing of the maps to learn from"
OUTPUT = "Output"
SPEED = "Speed and memory"

ModelNames = Annotated[
    list[str],
    typer.Option(
        "-m",
        "--models",
        metavar="NAMES",
        help="Models, separated by commas: names ('salbox models' lists them), paths of networks, or MODULE:FUNCTION, "
        "your own, which is imported from the current folder too.",
    ),
]
AttentionModel = Annotated[str, typer.Option("-m", "--model", metavar="NAME", help="A fixation or an object model.")]
AllowOutside = Annotated[
    bool,
    typer.Option(
        "--allow-outside",
        help="Measure even if more than a tenth of the fixations lie outside their image.",
        rich_help_panel=DATA,
    ),
]
ModelParameters = Annotated[
    list[str],
    typer.Option(
        "--param",
        metavar="[MODEL:]KEY=VALUE",
        help="A parameter of a model, or of all that have it; 'salbox models NAME' lists them. Repeatable.",
        rich_help_panel=MODELS,
    ),
]
ModelWeights = Annotated[
    list[str],
    typer.Option(
        "--weights",
        metavar="[MODEL=]PATH_OR_URL",
        help="A checkpoint, for models that need one; else the folder SALBOX_WEIGHTS is searched. Repeatable.",
        rich_help_panel=MODELS,
    ),
]
ModelHashes = Annotated[
    list[str],
    typer.Option(
        "--sha256",
        metavar="[MODEL=]HEX",
        help="What a checkpoint must hash to; a URL needs it. Repeatable.",
        rich_help_panel=MODELS,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device", metavar="DEVICE", help="Where networks compute: cpu, cuda or cuda:1.", rich_help_panel=SPEED
    ),
]
MaxModelSize = Annotated[
    float | None,
    typer.Option(
        "--max-model-size",
        metavar="MB",
        help=f"How large a model's .onnx file may be.  [default: {MAX_MEGABYTES:g}]",
        rich_help_panel=MODELS,
    ),
]
Precision = Annotated[
    str,
    typer.Option(
        "--precision",
        metavar="|".join(PRECISIONS),
        help="Half: PyTorch networks compute in bfloat16, on a GPU in float16. Maps are a little off.",
        rich_help_panel=SPEED,
    ),
]
ChannelsLast = Annotated[
    bool,
    typer.Option(
        "--channels-last",
        help="Lay PyTorch networks out with the channels of a pixel side by side.",
        rich_help_panel=SPEED,
    ),
]
MaxPixels = Annotated[
    float,
    typer.Option(
        "--max-pixels",
        metavar="N",
        help="Refuse images of more pixels, before they are decoded.",
        rich_help_panel=SPEED,
    ),
]
Size = Annotated[
    int | None,
    typer.Option(
        "--size",
        metavar="N",
        min=1,
        help="Compute on a copy whose longest side is N: faster, coarser.",
        rich_help_panel=SPEED,
    ),
]
Recursive = Annotated[bool, typer.Option("-r", "--recursive", help="Search folders with all below them.")]
WrittenAsJson = Annotated[bool, typer.Option("--json", help="Print what was written as JSON.", rich_help_panel=OUTPUT)]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", help="Processes; by default as the cores allow.", rich_help_panel=SPEED),
]
Split = Annotated[
    str | None,
    typer.Option("--split", metavar="SPLIT", help="Which images.  [default: test, else all]", rich_help_panel=DATA),
]
MetricNames = Annotated[
    list[str],
    typer.Option("--metrics", metavar="NAMES", help="Separated by commas, or all.  [default: the usual ones]"),
]
MapFolders = Annotated[
    list[Path],
    typer.Option("--maps", metavar="DIR", help="Maps named as the images, or a folder of them a model. Repeatable."),
]
MapsOutput = Annotated[
    str | None,
    typer.Option(
        "--maps-output",
        metavar="|".join(get_args(Output)),
        help="What the numbers in --maps are.  [default: what their files say, else score]",
        rich_help_panel=DATA,
    ),
]
Sigma = Annotated[
    float | None,
    typer.Option(
        "--sigma",
        metavar="N",
        help="Of the density of fixations, in pixels.  [default: the dataset's own]",
        rich_help_panel=DATA,
    ),
]
Baseline = Annotated[bool, typer.Option("--baseline", help="Add a row: where people look on the other images.")]
Ceiling = Annotated[bool, typer.Option("--ceiling", help="Add a row: other people predict where one looks.")]
CeilingMixture = Annotated[
    bool,
    typer.Option(
        "--mixture-ceiling", help="Add a row: the same by a better density, fitted to each image.", rich_help_panel=DATA
    ),
]

# Of trainings: `salbox distill` and `salbox train`.
RunOutput = Annotated[Path, typer.Option("-o", "--output", metavar="RUN", help="The run folder.")]
EncoderName = Annotated[
    str | None, typer.Option("--encoder", metavar="NAME", help="The encoder, by timm's name.", rich_help_panel=RECIPE)
]
LookedAtSize = Annotated[
    str | None,
    typer.Option("--size", metavar="HxW", help="The size that photos are looked at.", rich_help_panel=RECIPE),
]
RecipeSettings = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="A key of the recipe, such as batch_size=8. Repeatable.",
        rich_help_panel=RECIPE,
    ),
]
SplitFile = Annotated[
    Path | None,
    typer.Option(
        "--split", metavar="FILE", help="CSV or JSON: which photo trains, validates, tests.", rich_help_panel=DATA
    ),
]
MaxTime = Annotated[
    str | None, typer.Option("--max-time", metavar="HH:MM:SS", help="End the training then.", rich_help_panel=TIME)
]
CompressSchedule = Annotated[
    bool, typer.Option("--compress-schedule", help="Scale epochs and milestones to --max-time.", rich_help_panel=TIME)
]
EstimateOnly = Annotated[
    bool, typer.Option("--estimate", help="Say how long it will take, and leave.", rich_help_panel=TIME)
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", rich_help_panel=RECIPE)]
TrainingDevice = Annotated[
    str,
    typer.Option(
        "--device", metavar="DEVICE", help="Where networks compute: cpu, cuda or cuda:1.", rich_help_panel=SPEED
    ),
]
Devices = Annotated[
    int,
    typer.Option(
        "--devices", metavar="N", help="Share each batch among N of them, from that one on.", rich_help_panel=SPEED
    ),
]
Nodes = Annotated[
    int,
    typer.Option(
        "--nodes",
        metavar="M",
        help="So many machines, each with --devices: the same command on each, with MASTER_ADDR, MASTER_PORT and "
        "NODE_RANK set.",
        rich_help_panel=SPEED,
    ),
]
TRAINING_PACKAGES = (
    "torch", "timm", "lightning", "onnx", "onnxscript", "safetensors", "pydantic", "yaml", "tensorboard"
)  # fmt: skip

_HELP = {
    "histogram_matching": "Give each map a certain distribution of values.",
    "histogram_matching_reference": "The picture, or folder of pictures, that has it.",
    "do_smoothing": "A Gaussian; all but default switch a model's own smoothing off.",
    "smooth_size": "Window in pixels, for custom.",
    "smooth_std": "Standard deviation in pixels, for custom.",
    "smooth_prop": "Standard deviation as a share of the longer side, for proportional.",
    "center_prior": "Add or multiply a Gaussian in the middle.",
    "center_prior_prop": "Its standard deviation as a share of each side.",
    "center_prior_weight": "Its weight, 0 to 1.",
    "center_prior_scale_first": "Whether the map is min-max scaled before.",
    "scale_output": "How the numbers are scaled; pictures are min-max scaled in any case.",
    "scale_min": "Smallest value, for min-max.",
    "scale_max": "Largest value, for min-max.",
    "threshold": "What lies below becomes the map's smallest value; PN is a percentile, such as p90 or 90%.",
}
_TYPES = {"smooth_size": int, "center_prior_scale_first": bool}


def pixel_limit(value: float) -> int:
    """Return what --max-pixels says, a float so that 1e9 can be written, as a whole number."""
    if not (math.isfinite(value) and value >= 1):
        raise UsageError(f"--max-pixels {value:g}: expected a number, at least 1")
    return int(value)


def refuse_unused(needed: str, is_there: object, given: Mapping[str, object]) -> None:
    """Raise a UsageError if an option was given that does nothing without another.

    Parameters
    ----------
    needed : str
        What they need, as the error names it.
    is_there : bool, or anything that counts as one
    given : mapping
        Option -> whether it was given.
    """
    first = next((option for option, is_given in given.items() if is_given), None)
    if first is not None and not is_there:
        raise UsageError(f"{first} does nothing without {needed}")


@dataclass(frozen=True)
class Loading:
    """How models are loaded, as a command line says it: the options that `with_loading` gives a verb."""

    param: ModelParameters = field(default_factory=list)
    weights: ModelWeights = field(default_factory=list)
    sha256: ModelHashes = field(default_factory=list)
    device: Device = None
    max_model_size: MaxModelSize = None

    def models(self, names: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return {model: keywords of `load`}; see `parse_models`."""
        return parse_models(names, self.param, self.weights, self.sha256, self.device, self.max_model_size)

    def one_model(self, name: str) -> tuple[str, dict[str, Any]]:
        """Return the model that --model names, and the keywords of `load`; raise a UsageError if it names several."""
        chosen = self.models([name])
        if len(chosen) != 1:
            raise UsageError(f"--model {name} stands for {len(chosen)} models: give one")
        return next(iter(chosen.items()))


def with_loading(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb that takes `loading` the options that say how models are loaded in its place."""
    unset = Loading()
    options = [
        p.replace(kind=inspect.Parameter.KEYWORD_ONLY, default=getattr(unset, p.name))
        for p in inspect.signature(Loading, eval_str=True).parameters.values()
    ]
    names = {option.name for option in options}

    @functools.wraps(verb)
    def wrapper(*args: Any, **given: Any) -> Any:
        loading = Loading(**{name: given.pop(name) for name in names & given.keys()})
        return verb(*args, **given, loading=loading)

    signature = inspect.signature(verb, eval_str=True)
    kept = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in signature.parameters.values()]
    parameters = [each for p in kept for each in (options if p.name == "loading" else [p])]
    wrapper.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapper


def loading_options(
    param: object, weights: object, sha256: object, device: object, max_model_size: object
) -> dict[str, object]:
    """Return the options that say how models are loaded, and whether they were given, for `refuse_unused`."""
    sizes = {"--device": device is not None, "--max-model-size": max_model_size is not None}
    return {"--param": param, "--weights": weights, "--sha256": sha256, **sizes}


def with_postprocess(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb that takes `postprocess` an option for every field of `PostProcess` in its place."""
    return _with_options(verb, "postprocess", "")


def with_preprocess(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb that takes `preprocess` the same options as `--pre-...`: what is done to a teacher's maps first."""
    return _with_options(verb, "preprocess", "pre_")


def _with_options(verb: Callable[..., Any], argument: str, prefix: str) -> Callable[..., Any]:
    """Replace an argument that is a `PostProcess` by an option for each of its fields, named with a prefix."""
    signature = inspect.signature(verb, eval_str=True)
    options = [
        inspect.Parameter(
            prefix + f.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=f.default,
            annotation=_annotation(f.name, prefix),
        )
        for f in fields(PostProcess)
    ]
    names = {option.name for option in options}

    @functools.wraps(verb)
    def wrapper(*args: Any, **given: Any) -> Any:
        chosen = {name.removeprefix(prefix): given.pop(name) for name in names & given.keys()}
        try:
            process = PostProcess(**chosen)
        except UsageError as error:
            own = "" if prefix else _own_parameter(chosen, given.get("models") or ())
            raise UsageError(f"{error}{own}") from None
        if (found := without_effect(process)) is not None:
            name, needed = found
            deciding, _, values = needed.partition(" ")
            refuse_unused(f"{_flag(deciding, prefix)} {values}", False, {_flag(name, prefix): True})
        return verb(*args, **given, **{argument: process})

    kept = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in signature.parameters.values()]
    parameters = [p for p in kept if p.name != argument] + options
    wrapper.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapper


def _own_parameter(chosen: Mapping[str, Any], models: Iterable[str]) -> str:
    """Return how to set a model's own parameter that an option of the same name was taken for; "" if there is none.

    Parameters
    ----------
    chosen : mapping
        Fields of `PostProcess`.
    models : texts
        As they are given with -m.
    """
    refused = [name for name, choices in CHOICES.items() if chosen.get(name, choices[0]) not in choices]
    for model in split_names(models):
        for option in refused:
            value = chosen[option]
            try:
                card(model).check_parameters({option: value})
            except SalboxError:  # no such model, or none that it fits
                continue
            return f"; {option} of {model} itself is set by --param {option}={value}"
    return ""


def _flag(name: str, prefix: str) -> str:
    return "--" + (prefix + name).replace("_", "-")


def _annotation(name: str, prefix: str) -> Any:
    """Return the annotation of an option for a field of `PostProcess`; `PostProcess` itself checks the value."""
    flag = _flag(name, prefix)
    panel = LEARNED_MAPS if prefix else POSTPROCESSING
    text = _HELP[name]
    if name in CHOICES:
        return Annotated[str, typer.Option(flag, metavar="|".join(CHOICES[name]), help=text, rich_help_panel=panel)]
    if name == "histogram_matching_reference":
        return Annotated[str | None, typer.Option(flag, metavar="PATH", help=text, rich_help_panel=panel)]
    if name == "center_prior_scale_first":
        return Annotated[bool, typer.Option(f"{flag}/--no-{flag[2:]}", help=text, rich_help_panel=panel)]
    if name == "threshold":
        return Annotated[str, typer.Option(flag, metavar="none|N|PN|otsu", help=text, rich_help_panel=panel)]
    return Annotated[_TYPES.get(name, float), typer.Option(flag, metavar="N", help=text, rich_help_panel=panel)]
