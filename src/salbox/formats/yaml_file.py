"""YAML files of keys with values, read without trust: plain values only, each written out where it stands."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from ..errors import SalboxError, UsageError, one_line
from .files import file_content

MAX_BYTES = 64 * 1024  # what people write by hand; larger ones take long to parse
MAX_DEPTH = 20  # as does what is nested deeply: the time grows with the square of it


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
    import yaml

    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise ValueError(f"more than {MAX_DEPTH} levels of keys or lists")
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
                raise ValueError(f"anchors (&, *) and tags (!) are not read (line {event.start_mark.line + 1})")
        _refuse_twice(yaml.compose(text, Loader=yaml.SafeLoader))
        values = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, OverflowError) as error:
        raise ValueError(f"not YAML ({one_line(error)})") from None
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ValueError("expected keys with values, one a line")
    return values


def _refuse_twice(node: Any) -> None:
    """Raise a ValueError if a mapping, at any depth, has a key twice: the first value would be lost."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        names = Counter(key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode))
        for name, times in names.items():
            if times > 1:
                raise ValueError(f"'{one_line(name, 60)}' stands twice")
        for _, value in node.value:
            _refuse_twice(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_twice(value)
