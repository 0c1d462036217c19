"""Files of profiles and blends: small JSON that nobody vouches for."""

from __future__ import annotations

import importlib.resources
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast, get_args

from ..errors import SalboxError, UsageError, nearest, one_line
from ..formats.files import file_content
from ..imaging.partial_files import replacing
from ..paths import user_path
from ..types import Output
from .curves import MAX_KNOTS, Curve
from .profiles import Center, Profile, Tail
from .readouts import MAX_BLURS, MAX_CHANNELS, Readout

SUFFIX = ".json"
PROFILE = "salbox profile"
VERSION = 1
MAX_BYTES = 256 * 1024
MAX_TEXT = 4000  # characters
MAX_GRID = 64  # rows or columns
MAX_FACTS = 64  # keys of what is told about a fit, at each of a few levels
MAX_DEPTH = 4
TAIL_KEYS = ("temperature", "blur", "center", "degrees")
NONE = "none"  # of a profile: none is worn

SHIPPED: Mapping[str, tuple[str, ...]] = dict.fromkeys(("gaze", "gaze.large"), ("general", "osie", "mit1003"))
"""The profiles that come with this package, by the model that they were fitted to."""

T = TypeVar("T")


def find_profile(given: str | os.PathLike[str], model: str) -> tuple[str, Path]:
    """Return what a profile is called, and its file: one that comes with this package, or given by its path.

    Raises
    ------
    UsageError
        If there is none; the nearest name is proposed.
    """
    names = SHIPPED.get(model, ())
    if given in names:
        return str(given), Path(str(importlib.resources.files("salbox.runtime") / "data" / f"{model}.{given}{SUFFIX}"))
    path = user_path(given)
    if path.is_file():
        return str(path.absolute()), path
    text = os.fspath(given)
    known = f" (it has {', '.join(names)})" if names else ""
    raise UsageError(f"model '{model}': no profile '{text}'{nearest(text, names)}{known}, and no file of that name")


def read_profile(path: Path) -> Profile:
    """Return the profile in a file.

    Raises
    ------
    UsageError
        If it cannot be read, is another file, or holds something that a profile may not.
    """
    return read_described(path, PROFILE, profile_of)


def write_profile(path: Path, profile: Profile) -> None:
    """Write a profile as JSON, under a temporary name first; see `read_profile`."""
    content = {"reads": profile.reads, "curve": curve_to_json(profile.curve), **tail_to_json(profile.tail)}
    if profile.readout is not None:  # a salbox that knows none refuses the key, and reads all other profiles
        content["readout"] = readout_to_json(profile.readout)
    write_described(path, PROFILE, {**content, "about": dict(profile.about)})


def profile_of(values: Mapping[str, Any]) -> Profile:
    """Return the profile that the values of a file describe; raises a UsageError as `read_profile` does."""
    check_keys(values, ("reads", "curve", "readout", *TAIL_KEYS, "about"))
    return Profile(
        reads=output_of(values.get("reads")),
        tail=tail_of(values),
        curve=curve_of(values.get("curve")),
        readout=readout_of(values.get("readout")),
        about=facts_of(values.get("about", {})),
    )


def read_described(path: Path, kind: str, make: Callable[[Mapping[str, Any]], T]) -> T:
    """Return what a file of a kind describes.

    Parameters
    ----------
    path : Path
    kind : str
        What its key "format" has to say.
    make : callable
        Takes the file's other keys and values.

    Raises
    ------
    UsageError
        With the path in front, whatever is wrong.
    """
    content = file_content(path, MAX_BYTES, UsageError)
    try:
        values = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:  # a UnicodeDecodeError is a ValueError
        raise UsageError(f"{path}: not JSON ({one_line(error)})") from None
    if not isinstance(values, dict) or values.get("format") != kind:
        raise UsageError(f"{path}: not a {kind} ('format' does not say so)")
    if values.get("version") != VERSION:
        raise UsageError(
            f"{path}: a {kind} of version {one_line(values.get('version'), 20)}, this salbox reads {VERSION}"
        )
    try:
        return make({key: value for key, value in values.items() if key not in ("format", "version")})
    except SalboxError as error:
        raise UsageError(f"{path}: {error}") from None


def format_of(path: Path) -> str:
    """Return what a file's key "format" says, one line; empty if it cannot be read or has none."""
    try:
        values = json.loads(file_content(path, MAX_BYTES, UsageError))
    except (SalboxError, ValueError, RecursionError):
        return ""
    return one_line(values.get("format", ""), 40) if isinstance(values, dict) else ""


def write_described(path: Path, kind: str, values: Mapping[str, Any]) -> None:
    """Write values as JSON, lines of numbers kept together, under a temporary name first.

    Raises
    ------
    UsageError
        If the name does not end in .json.
    """
    if path.suffix.lower() != SUFFIX:
        raise UsageError(f"{path}: the name of a {kind} ends in {SUFFIX}")
    path.parent.mkdir(parents=True, exist_ok=True)
    body = ",\n".join(
        f" {json.dumps(key)}: {json.dumps(value, allow_nan=False)}"
        for key, value in {"format": kind, "version": VERSION, **values}.items()
    )
    with replacing(path) as temporary:
        temporary.write_text(f"{{\n{body}\n}}\n", encoding="utf-8")


def tail_of(values: Mapping[str, Any]) -> Tail:
    """Return the tail that the values of a file describe."""
    given = values.get("center", {})
    if not isinstance(given, dict):
        raise UsageError("center: expected keys with values")
    check_keys(given, ("weight", "x", "y", "width", "height", "grid"))
    center = {key: number_of(value, f"center {key}") for key, value in given.items() if key != "grid"}
    degrees = values.get("degrees")
    return Tail(
        temperature=number_of(values.get("temperature", 1.0), "temperature"),
        blur=number_of(values.get("blur", 0.0), "blur"),
        center=Center(**center, grid=_grid_of(given.get("grid", []))),
        degrees=None if degrees is None else number_of(degrees, "degrees"),
    )


def tail_to_json(tail: Tail) -> dict[str, Any]:
    """Return a tail ready for JSON; see `tail_of`."""
    center = tail.center
    shape = {"grid": [list(row) for row in center.grid]} if center.grid else {}
    sides = {} if center.grid else {"x": center.x, "y": center.y, "width": center.width, "height": center.height}
    return {
        "temperature": tail.temperature,
        "blur": tail.blur,
        "center": {"weight": center.weight, **sides, **shape},
        "degrees": tail.degrees,
    }


def curve_of(value: Any) -> Curve | None:
    """Return the curve that a value describes, {"x": numbers, "y": numbers}; None of None."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise UsageError("curve: expected x and y")
    check_keys(value, ("x", "y"))
    return Curve(*(_numbers(value.get(key), MAX_KNOTS, f"curve {key}") for key in ("x", "y")))


def curve_to_json(curve: Curve | None) -> dict[str, list[float]] | None:
    """Return a curve ready for JSON."""
    return None if curve is None else {"x": list(curve.x), "y": list(curve.y)}


def readout_of(value: Any) -> Readout | None:
    """Return the readout that a value describes; None of None."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise UsageError("readout: expected network, blurs and weights")
    check_keys(value, ("network", "blurs", "weights"))
    rows = value.get("weights")
    if not isinstance(rows, list) or len(rows) > MAX_BLURS:
        raise UsageError(f"readout weights: expected at most {MAX_BLURS} rows of numbers")
    return Readout(
        network=text_of(value.get("network"), "readout network"),
        blurs=_numbers(value.get("blurs"), MAX_BLURS, "readout blurs"),
        weights=tuple(_numbers(row, MAX_CHANNELS, "readout weights") for row in rows),
    )


def readout_to_json(readout: Readout) -> dict[str, Any]:
    """Return a readout ready for JSON; see `readout_of`."""
    weights = [list(row) for row in readout.weights]
    return {"network": readout.network, "blurs": list(readout.blurs), "weights": weights}


def output_of(value: Any) -> Output:
    """Return what the numbers of maps are, as a file says it."""
    if value not in get_args(Output):
        raise UsageError(f"reads '{one_line(value, 40)}': expected one of {', '.join(get_args(Output))}")
    return cast(Output, value)


def number_of(value: Any, name: str) -> float:
    """Return a finite number of a file."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UsageError(f"{name} '{one_line(value, 40)}': expected a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise UsageError(f"{name}: expected a finite number")
    return number


def text_of(value: Any, name: str) -> str:
    """Return a text of a file, in one line."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise UsageError(f"{name}: expected a text of at most {MAX_TEXT} characters")
    return one_line(value, MAX_TEXT)


def facts_of(value: Any, name: str = "about") -> dict[str, Any]:
    """Return what a file tells about a fit: texts, numbers, and lists and keys with such values."""
    if not isinstance(value, dict):
        raise UsageError(f"{name}: expected keys with values")
    _check_facts(value, MAX_DEPTH, name)
    return value


def check_keys(given: Iterable[str], known: Sequence[str]) -> None:
    """Raise a UsageError if there is a key that is not known; the nearest is proposed."""
    for key in given:
        if key not in known:
            raise UsageError(f"no key '{one_line(key, 60)}'{nearest(key, known)} (there are {', '.join(known)})")


def _check_facts(value: Any, depth: int, name: str) -> None:
    if isinstance(value, (dict, list)):
        if depth == 0 or len(value) > MAX_FACTS:
            raise UsageError(f"{name}: nested too deeply, or more than {MAX_FACTS} entries")
        for each in [*value, *value.values()] if isinstance(value, dict) else value:
            _check_facts(each, depth - 1, name)
    elif isinstance(value, str):
        text_of(value, name)
    elif value is not None and not isinstance(value, bool):
        number_of(value, name)


def _grid_of(value: Any) -> tuple[tuple[float, ...], ...]:
    if not isinstance(value, list) or len(value) > MAX_GRID:
        raise UsageError(f"center grid: expected at most {MAX_GRID} rows of numbers")
    return tuple(_numbers(row, MAX_GRID, "center grid") for row in value)


def _numbers(value: Any, most: int, name: str) -> tuple[float, ...]:
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise UsageError(f"{name}: expected a list of 1 to {most} numbers")
    return tuple(number_of(each, name) for each in value)


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")
