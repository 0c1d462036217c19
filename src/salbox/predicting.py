"""Maps of one image or many in one call; a network that several models share runs once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, overload

from .errors import UsageError
from .image import ImageSource, Pixels, read_image
from .model import Model, SaliencyMap
from .postprocess import NOTHING, PostProcess
from .registry import load_for
from .selection import check_targets, expanded

Maps = dict[str, SaliencyMap]

BATCH = 16  # images whose pixels are held at a time


@overload
def predict(
    image: ImageSource,
    models: str | Model | Iterable[str | Model],
    *,
    postprocess: PostProcess | None = ...,
    weights: Mapping[str, Any] | None = ...,
    device: str = ...,
) -> Maps: ...


@overload
def predict(
    image: list[ImageSource] | tuple[ImageSource, ...],
    models: str | Model | Iterable[str | Model],
    *,
    postprocess: PostProcess | None = ...,
    weights: Mapping[str, Any] | None = ...,
    device: str = ...,
) -> list[Maps]: ...


def predict(
    image: ImageSource | list[ImageSource] | tuple[ImageSource, ...],
    models: str | Model | Iterable[str | Model],
    *,
    postprocess: PostProcess | None = None,
    weights: Mapping[str, Any] | None = None,
    device: str = "cpu",
) -> Maps | list[Maps]:
    """Return the maps of several models for one image, or for each of several.

    Parameters
    ----------
    image : path, bytes, file object, PIL image or array; or a list of them
        Each is read once. Images of a list go through a network in batches.
    models : names, or what `salbox.load` returned
        One or several.
    postprocess : PostProcess, optional
        What is done to each map; by default nothing.
    weights : {name: path}, optional
        Checkpoints of the models that need one.
    device : str
        Where the networks that are named compute: "cpu", "cuda" or "cuda:1"; one that is loaded stays where it is.

    Returns
    -------
    dict, or list of dict
        Name -> map, (H, W) float32, in the order given.

    Raises
    ------
    UsageError
        For an unknown model, two models of one name, or weights for a model that is not asked for by its name.
    ImageError
        If an image cannot be read.
    """
    asked = _by_name([models] if isinstance(models, (str, Model)) else models)
    process = postprocess or NOTHING
    given = dict(weights or {})
    check_targets(given, [name for name, model in asked.items() if model is None])
    loaded = {
        name: model or load_for(name, {"weights": given.get(name), "device": device}, process)
        for name, model in asked.items()
    }
    if not isinstance(image, (list, tuple)):
        return _predict([image], loaded, process)[0]
    batches = [image[i : i + BATCH] for i in range(0, len(image), BATCH)]
    return [maps for batch in batches for maps in _predict(batch, loaded, process)]


def raw_maps(pixels: Sequence[Pixels], models: Mapping[str, Model]) -> list[Maps]:
    """Return the unprocessed maps of images, {name: map} each; models of one network share one pass through it."""
    found: list[Maps] = [{} for _ in pixels]
    for network in {model.network for model in models.values() if model.network is not None}:
        members = {name: model.head for name, model in models.items() if model.network == network}
        for maps, by_head in zip(found, network.maps(pixels, list(dict.fromkeys(members.values()))), strict=True):
            maps.update({name: by_head[head] for name, head in members.items()})
    for image, maps in zip(pixels, found, strict=True):
        maps.update({name: model(image) for name, model in models.items() if model.network is None})
    return [{name: maps[name] for name in models} for maps in found]


def _by_name(models: Iterable[str | Model]) -> dict[str, Model | None]:
    """Return {name: model}, None for what is yet to be loaded."""
    found: dict[str, Model | None] = {}
    for each in models:
        model = each if isinstance(each, Model) else None
        for name in expanded([each]) if isinstance(each, str) else [each.name]:
            if found.setdefault(name, model) is not model:
                raise UsageError(f"two models are called '{name}': ask for them one after the other")
    return found


def _predict(images: Sequence[ImageSource], models: Mapping[str, Model], process: PostProcess) -> list[Maps]:
    pixels = [read_image(image) for image in images]
    if process == NOTHING:  # a copy of each map would take as long as bringing it to the image's size
        return raw_maps(pixels, models)
    names = [Path(image).name if isinstance(image, (str, os.PathLike)) else None for image in images]
    return [
        {model: process(saliency, name=name, output=models[model].card.output) for model, saliency in maps.items()}
        for name, maps in zip(names, raw_maps(pixels, models), strict=True)
    ]
