"""Categories of concepts: the eleven of the published study, filled with salbox's own lists, or a user's own.

Chen, Jiang and Zhao (NeurIPS 2023) name eleven; which concepts they put into which was not published.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..formats.yaml_file import read_keys
from .files import read_json

_OWN = "categories.json"


def read_categories(path: Path | None = None) -> dict[str, str]:
    """Return {concept: category}.

    Parameters
    ----------
    path : Path, optional
        A JSON or YAML file of {category: [concepts]}; by default the eleven of the published study.

    Raises
    ------
    UsageError
        If it is none, or has a concept in two categories.
    """
    if path is None:
        with resources.as_file(resources.files("salbox").joinpath("explain", _OWN)) as own:
            return _inverted(read_json(own), own)
    if not path.is_file():
        raise UsageError(f"{path}: no such file; categories are JSON or YAML, {{category: [concepts]}}")
    return _inverted(read_json(path) if path.suffix == ".json" else read_keys(path), path)


def _inverted(categories: dict[str, Any], path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for category, concepts in categories.items():
        if not isinstance(concepts, list) or not all(isinstance(concept, str) for concept in concepts):
            raise UsageError(f"{path}: category '{category}': expected a list of concepts")
        for concept in concepts:
            if concept in found:
                raise UsageError(f"{path}: '{concept}' is in '{found[concept]}' and in '{category}'")
            found[concept] = str(category)
    return found
