"""What weights' files look like: names by which a file tells whose it is, so that a wrong one can be named.

A network's own signature stands in its `card` module (`SIGNATURE`, or `SIGNATURES` where several models share one),
which needs no PyTorch: telling files apart imports no network.
"""

from __future__ import annotations

import importlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..errors import WeightsError
from ..models.entries import Checkpoint
from ..models.registry import MODELS


@dataclass(frozen=True)
class Signature:
    """By what files of weights are known.

    Attributes
    ----------
    model : str
        Whose they are: a model's name, or in words.
    beginnings : tuple of str
        Beginnings of names that only these files have all of, as salbox reads them. A prefix "module." is off already.
    """

    model: str
    beginnings: tuple[str, ...]

    def matches(self, names: Collection[str]) -> bool:
        """Return whether the names of a file's tensors or layers have all the beginnings."""
        return all(any(name.startswith(beginning) for name in names) for beginning in self.beginnings)


# Files that salbox knows, and does not read.
FOREIGN = (
    Signature("the customised DINet of saliency_analysis", ("dilated_backbone.", "encoder.inception_4.")),
    Signature("the customised SALICON of saliency_analysis", ("dilated_backbone.", "v_encoder.")),
    Signature("the customised TranSalNet of saliency_analysis", ("backbone.", "sal_decoder_4.")),
    Signature("a classifier of images (ResNet)", ("conv1.weight", "layer4.", "fc.")),
    Signature("a classifier of images (DenseNet)", ("features.denseblock4.", "classifier.")),
    Signature("a classifier of images (VGG)", ("features.0.", "features.28.", "classifier.6.")),
    Signature("a classifier of images (MobileNetV2)", ("features.0.0.", "features.18.", "classifier.")),
)


@cache
def known_signatures() -> tuple[Signature, ...]:
    """Return the signatures of the registry's networks, those that have one, and of `FOREIGN` files."""
    modules = dict.fromkeys(e.card.partition(":")[0] for e in MODELS.values() if isinstance(e, Checkpoint))
    cards = [importlib.import_module(name) for name in modules if name.startswith("salbox.networks.")]
    several = (signature for card in cards for signature in getattr(card, "SIGNATURES", {}).values())
    return (*(card.SIGNATURE for card in cards if hasattr(card, "SIGNATURE")), *several, *FOREIGN)


def looks_like(names: Collection[str]) -> str | None:
    """Return whose weights have such names, as a `Signature` says it, or None if no model is known by them.

    Parameters
    ----------
    names : collection of str
        Of a file's tensors or layers.
    """
    return next((signature.model for signature in known_signatures() if signature.matches(names)), None)


def check_signature(names: Collection[str], signature: Signature, where: str | Path) -> None:
    """Refuse a file that is known to be another model's; what nobody knows passes.

    Parameters
    ----------
    names : collection of str
        Of the file's tensors or layers.
    signature : Signature
        Of the model whose they should be.
    where : str or Path
        The file, for the message.

    Raises
    ------
    WeightsError
        If the names are another model's; the message says which.
    """
    found = looks_like(names)
    if found is not None and found != signature.model:
        raise WeightsError(
            f"{where}: not the weights of {_quoted(signature.model)}: it looks like those of {_quoted(found)}"
        )


def _quoted(model: str) -> str:
    return f"'{model}'" if model.isalnum() else model
