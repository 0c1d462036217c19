"""The card beside another program's ONNX file, in YAML: finding it, reading it, proposing it where there is none.

`u2netp.yaml` or `u2netp.onnx.yaml` beside `u2netp.onnx`; docs/adding-a-model.md lists the keys.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast, get_args

from ..errors import UsageError, nearest, one_line
from ..formats.onnx_file import OnnxFile, Port
from ..formats.yaml_file import read_keys
from ..types import Output, Task
from .cards import Paper
from .foreign import Activation, Channels, ForeignCard, Layout, Resampling, Rule, SizeRule, Triple

IMAGE_MAX = "image-max"
MAX_SIDE = 8192

# What a rule of size takes, and what of it may be left out.
_OF_RULE: Mapping[str, tuple[str, ...]] = {
    "stretch": ("height", "width"),
    "letterbox": ("height", "width", "fill"),
    "multiple": ("of", "longest"),
    "native": (),
}
_MAY_LACK = ("fill", "longest")

# What most networks were trained with; no file says so.
_IMAGENET = {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def card_file(model: Path) -> Path | None:
    """Return the card beside a file, `NAME.onnx.yaml` or `NAME.yaml`; None if there is none."""
    if model.suffix.lower() != ".onnx":
        return None
    candidates = (model.with_name(f"{model.name}.yaml"), model.with_suffix(".yaml"))
    return next((path for path in candidates if path.is_file()), None)


def read_foreign(path: Path) -> ForeignCard:
    """Return what a card in YAML says.

    Raises
    ------
    UsageError
        If it cannot be read, or a key is missing, unknown (the nearest is proposed) or has a value that does not fit.
    """
    values = read_keys(path)
    try:
        return _checked(values)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


def proposal(file: OnnxFile) -> str:
    """Return, in one line, that a file has no card beside it, and the one that its shapes suggest, ready to save."""
    import yaml

    lacks = f"{file.path}: an ONNX network, but none that salbox exported, and no card beside it"
    if len(file.inputs) != 1 or len(file.inputs[0].shape) != 4:
        return f"{lacks}; it takes {ports_in_words(file.inputs)}, not one image, which no card can mend"
    output = next((port for port in file.outputs if _is_map(port.shape)), None)
    if output is None:
        return f"{lacks}; it gives {ports_in_words(file.outputs)}, no map, which no card can mend"
    (image,) = file.inputs
    layout = "NHWC" if image.shape[3] == 3 and image.shape[1] != 3 else "NCHW"
    height, width = image.shape[2:] if layout == "NCHW" else image.shape[1:3]
    is_share = file.made_by.get(output.name) == "Sigmoid"
    is_fixed = isinstance(height, int) and isinstance(width, int)
    size = {"rule": "stretch", "height": height, "width": width} if is_fixed else {"rule": "multiple", "of": 32}
    keys = {
        "task": "object" if is_share else "fixation",
        "output": "probability" if is_share else "score",
        "input_name": image.name,
        "layout": layout,
        "channels": "RGB",
        **({"range": [0, 255]} if image.dtype == "uint8" else {"range": [0, 1], **_IMAGENET}),
        "size": size,
        "output_name": output.name,
        "activation": "none",
    }
    text = yaml.safe_dump(keys, default_flow_style=True, sort_keys=False, width=math.inf).strip()
    name = file.path.with_suffix(".yaml").name
    return (
        f"{lacks}; save this as {name}, and check what stands in no file (task, output, channels, range, mean, std, "
        f"activation): {text}"
    )


def ports_in_words(ports: Iterable[Port]) -> str:
    """Return the names and shapes of inputs or outputs, those of the first few."""
    every = list(ports)
    named = [
        f"'{one_line(p.name, 40)}' ({one_line(' x '.join(str(s or '?') for s in p.shape), 60)})" for p in every[:4]
    ]
    more = [f"{len(every) - 4} more"] if len(every) > 4 else []
    return ", ".join([*named, *more]) or "nothing"


def _is_map(shape: tuple[int | str | None, ...]) -> bool:
    """Return whether an output of this shape may be one map: (h, w), (1, h, w), or (1, h, w) with channels of one."""
    if len(shape) == 4:
        return any(not isinstance(shape[axis], int) or shape[axis] == 1 for axis in (1, 3))
    return len(shape) in (2, 3)


def _checked(values: Mapping[str, Any]) -> ForeignCard:
    _refuse_unknown(values, _READERS, "key")
    for key, choices in (("task", get_args(Task)), ("output", get_args(Output))):
        if key not in values:
            raise UsageError(f"no '{key}': expected one of {', '.join(choices)}")
    card = ForeignCard(**{key: read(key, values[key]) for key, read in _READERS.items() if key in values})
    if card.output == "log_density" and card.activation != "none":
        raise UsageError(f"activation '{card.activation}': a log density has none")
    return card


def _refuse_unknown(values: Mapping[str, Any], known: Iterable[str], what: str) -> None:
    names = list(known)
    for name in values:
        if name not in names:
            raise UsageError(
                f"no {what} '{one_line(name, 60)}'{nearest(str(name), names)} (there are {', '.join(names)})"
            )


def _choice(choices: tuple[str, ...], key: str, value: Any) -> str:
    """Return one of several words, also where it is written with other capitals."""
    spelt = {choice.lower(): choice for choice in choices}
    found = spelt.get(str(value).lower())
    if found is None:
        hint = nearest(str(value), spelt)
        raise UsageError(f"{key} '{one_line(value, 60)}': expected one of {', '.join(choices)}{hint}")
    return found


def _text(key: str, value: Any) -> str:
    """Return a text; a number, as graphs call their outputs, is one too."""
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip():
        raise UsageError(f"{key}: expected a text")
    return str(value)


def _three(above: float, key: str, value: Any) -> Triple:
    """Return three numbers, of one given that for all three channels."""
    given = value if isinstance(value, list) else [value] * 3
    if len(given) != 3 or not all(_is_number(v) and v > above for v in given):
        more = "" if above == -math.inf else f" above {above:g}"
        raise UsageError(f"{key}: expected a number{more}, or three in the order of the channels")
    return float(given[0]), float(given[1]), float(given[2])


def _range(key: str, value: Any) -> tuple[float, float] | None:
    """Return what the smallest and the largest pixel become; None where that is the image's own largest."""
    if value == IMAGE_MAX:
        return None
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_number, value)) or value[0] >= value[1]:
        raise UsageError(f"{key}: expected what 0 and 255 become, such as [0, 1], or {IMAGE_MAX}")
    return float(value[0]), float(value[1])


def _size(key: str, value: Any) -> SizeRule:
    if not isinstance(value, dict):
        raise UsageError(f"{key}: expected a rule, such as {{rule: stretch, height: 320, width: 320}}")
    rule = _choice(tuple(_OF_RULE), f"{key} rule", value.get("rule", ""))
    taken = _OF_RULE[rule]
    _refuse_unknown(value, ("rule", *taken), f"part of {key} {rule}")
    for part in taken:
        if part not in value and part not in _MAY_LACK:
            raise UsageError(f"{key} {rule}: no '{part}'")
        low, high = (0, 255) if part == "fill" else (1, MAX_SIDE)
        given = value.get(part, low)
        if not isinstance(given, int) or isinstance(given, bool) or not low <= given <= high:
            raise UsageError(f"{key} {part}={one_line(given, 40)}: expected a whole number in {low}..{high}")
    return SizeRule(cast(Rule, rule), **{part: value[part] for part in taken if part in value})


def _paper(key: str, value: Any) -> Paper:
    if not isinstance(value, dict):
        raise UsageError(f"{key}: expected title, authors and year, each with its value")
    _refuse_unknown(value, ("title", "authors", "venue", "year", "doi", "bibtex"), f"part of {key}")
    title, authors, year = (value.get(part) for part in ("title", "authors", "year"))
    venue, doi, bibtex = (value.get(part, "") for part in ("venue", "doi", "bibtex"))
    if not (isinstance(title, str) and isinstance(authors, str) and isinstance(year, int)):
        raise UsageError(f"{key}: expected title, authors and year, a whole number")
    if not all(isinstance(text, str) for text in (venue, doi, bibtex)):
        raise UsageError(f"{key}: expected texts for venue, doi and bibtex")
    entry = f"@misc{{{year},\n  title = {{{title}}},\n  author = {{{authors}}},\n  year = {{{year}}}\n}}"
    return Paper(title=title, authors=authors, venue=venue, year=year, doi=doi, bibtex=bibtex or entry)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


# What reads each key; in the order of the documentation.
_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "task": partial(_choice, get_args(Task)),
    "output": partial(_choice, get_args(Output)),
    "title": _text,
    "summary": _text,
    "input_name": _text,
    "layout": partial(_choice, get_args(Layout)),
    "channels": partial(_choice, get_args(Channels)),
    "range": _range,
    "mean": partial(_three, -math.inf),
    "std": partial(_three, 0.0),
    "size": _size,
    "resize": partial(_choice, get_args(Resampling)),
    "output_name": _text,
    "activation": partial(_choice, get_args(Activation)),
    "licence": _text,
    "training_data": _text,
    "paper": _paper,
}
