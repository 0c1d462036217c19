"""What pydantic has against a file's keys and values, in one line as people can use it."""

from __future__ import annotations

import typing
from typing import Any

from pydantic import BaseModel, ValidationError

from ..errors import nearest, one_line


def first_complaint(error: ValidationError, model: type[BaseModel]) -> str:
    """Return the first complaint about what was read as a `model`, in one line; of an unknown key with the nearest."""
    problems = error.errors(include_url=False, include_context=False)
    # A key that is missing is often one that is misspelt.
    problem = next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])
    keys, known = _keys([str(key) for key in problem["loc"]], model)
    where = one_line(".".join(keys), 80)
    if problem["type"] == "extra_forbidden":
        return f"no key '{where}'{nearest(keys[-1], known)} (keys: {', '.join(known)})"
    if problem["type"] == "missing":
        return f"the key '{where}' is missing"
    message = one_line(problem["msg"].removeprefix("Value error, "))
    if problem["type"] == "value_error":
        return message
    return f"{where}={one_line(repr(problem['input']), 80)}: {message[:1].lower()}{message[1:]}"


def _keys(path: list[str], model: type[BaseModel]) -> tuple[list[str], list[str]]:
    """Return a path as a file has it, what pydantic adds to it left out, and the keys beside its last one."""
    part: Any = model
    known: list[str] = []
    for i, key in enumerate(path):
        if isinstance(part, type) and issubclass(part, BaseModel):
            current: Any = part
            known = list(current.model_fields)
            part = typing.get_type_hints(part).get(key)
        elif typing.get_origin(part) is dict:
            part = typing.get_args(part)[1]
        else:
            return path[:i], known
    return path, known
