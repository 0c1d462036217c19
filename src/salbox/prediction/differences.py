"""Maps on disk that were made otherwise than is asked for now: what their notes tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import SalboxError
from ..imaging.postprocess import NOTHING
from ..writing import read_notes

_HOW = ("size", "precision", "white", "stride", "smooth_seconds")
_NOTED = ("model", "weights_sha256", "card_sha256", "code", "source_digest", "reference_digest", *_HOW)
_UNREADABLE = {  # differences of what says nothing to people
    "code": "by another version of the code",
    "source_digest": "of another content of the source",
    "reference_digest": "with another content of the reference",
    "weights_sha256": "with other weights",
    "card_sha256": "with another card beside the weights",
    "white": "with another number of bits",
}


def made_otherwise(path: Path, wanted: Mapping[str, Any]) -> str:
    """Return the first thing in which a map on disk was made otherwise, in words; "" if in none that its file tells.

    Parameters
    ----------
    path : Path
    wanted : mapping
        What `BatchPlan.notes` says of one that is made now.
    """
    try:
        there, now = _settings(read_notes(path)), _settings(json.loads(json.dumps(wanted)))
    except (SalboxError, KeyError, TypeError, AttributeError):  # a file of another's, or notes of something else
        return ""
    for group, name in now:
        key = group, name
        if key in there and there[key] != now[key]:
            return _UNREADABLE.get(name) or f"{name}: {there[key]!r} there, {now[key]!r} now"
    return ""


def _settings(notes: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    """Return what a map's notes say of how it was made; what differs from the defaults only is noted."""
    groups: dict[str, Mapping[str, Any]] = {
        "parameters": notes["parameters"],
        "": {"size": None, "precision": "float32", **{k: notes[k] for k in _NOTED if k in notes}},
        "postprocess": {**asdict(NOTHING), **notes.get("postprocess", {})},
        "overlay": {"legend": False, **notes["overlay"]} if "overlay" in notes else {},
        "settings": notes.get("settings", {}),  # of what is made of a map, such as a cutout
    }
    return {(group, key): value for group, values in groups.items() for key, value in values.items()}
