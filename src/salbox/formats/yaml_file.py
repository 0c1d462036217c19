"""YAML files of keys with values, read without trust: plain values only, each written out where it stands."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import SalboxError, UsageError, one_line
from .files import file_content

MAX_BYTES = 64 * 1024  # what people write by hand; larger ones take long to parse
MAX_BITS = 63  # of a whole number
MAX_DEPTH = 20  # as does what is nested deeply: the time grows with the square of it


class _Refusal(ValueError):
    """Why a text is not taken although it may be YAML."""


def read_keys(path: Path, error: type[SalboxError] = UsageError) -> dict[str, Any]:
    """Return the keys and values of a YAML file.

    Anchors and tags are refused: a few lines of the first unfold to any size, the second make objects of texts.

    Raises
    ------
    SalboxError
        Of the type `error`: if it cannot be read, is too large, is no YAML, has no keys, or a key twice.
    """
    content = file_content(path, MAX_BYTES, error)
    try:
        values = parse_keys(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise error(f"{path}: not a text in UTF-8") from None
    except ValueError as reason:
        raise error(f"{path}: {reason}") from None
    return values


def parse_keys(text: str) -> dict[str, Any]:
    """Return the keys and values that a text in YAML holds.

    Raises
    ------
    ValueError
        Says why it cannot be read, in one line.
    """
    values = parse_value(text)
    if not isinstance(values, dict):
        raise ValueError("expected keys with values, one a line")
    return values


def parse_value(text: str) -> Any:
    """Return what a text in YAML holds: texts, numbers, truth values, lists, and keys with values; None of nothing.

    Keys are texts. Dates are texts as well, as nobody here asks for one, and "<<" is a key like any other.

    Raises
    ------
    ValueError
        Says why it cannot be read, in one line.
    """
    import yaml

    if len(text) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES >> 10} kB of YAML")
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise _Refusal(f"more than {MAX_DEPTH} levels of keys or lists")
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
                raise _Refusal(f"anchors (&, *) and tags (!) are not read (line {event.start_mark.line + 1})")
        loader = _plain_loader()
        _refuse_twice(yaml.compose(text, Loader=loader))
        values = yaml.load(text, Loader=loader)  # noqa: S506, a safe loader with less in it
    except _Refusal:
        raise
    except Exception as error:  # PyYAML raises nearly anything on texts that only look like numbers
        raise ValueError(f"not YAML ({one_line(error)})") from None
    _refuse_odd(values)
    return values


@lru_cache(maxsize=1)
def _plain_loader() -> Any:
    """Return PyYAML's safe loader without dates and without merging of keys."""
    import yaml

    class Plain(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML comes without types
        pass

    left_out = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:merge", "tag:yaml.org,2002:value")
    Plain.yaml_implicit_resolvers = {
        first: [pair for pair in pairs if pair[0] not in left_out]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Plain


def _refuse_odd(values: Any) -> None:
    """Raise a ValueError if there are keys that are no texts, or numbers that no setting has, at any depth."""
    if isinstance(values, dict):
        for key, value in values.items():
            if not isinstance(key, str):
                raise ValueError(f"the key {one_line(key, 40)} is no text; write it in quotes")
            _refuse_odd(value)
    elif isinstance(values, list):
        for value in values:
            _refuse_odd(value)
    elif isinstance(values, int) and values.bit_length() > MAX_BITS:
        raise ValueError(f"a number of more than {MAX_BITS} bits")


def _refuse_twice(node: Any) -> None:
    """Raise a `_Refusal` if a mapping, at any depth, has a key twice: the first value would be lost."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        names = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for name, times in names.items():
            if times > 1:
                raise _Refusal(f"'{one_line(name, 60)}' stands twice")
        for _, value in node.value:
            _refuse_twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_twice(value)
