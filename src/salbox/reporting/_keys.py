"""What kept results are found by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ..datasets import Dataset
from ..system.contents import content_digest


def settings_key(settings: Mapping[str, Any]) -> str:
    """Return a short text that changes with settings, which are ready for JSON."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def image_key(dataset: Dataset, index: int) -> str:
    """Return a short text that changes with an image's file, the same whatever part of the dataset is at hand."""
    item = dataset.items[index]
    text = repr((str(item.image.resolve()), item.is_turned, content_digest(item.image)))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]
