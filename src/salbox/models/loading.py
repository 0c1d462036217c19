"""Opening a model by its name: a classical algorithm, a network with its weights, an ensemble, a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UsageError, nearest
from ..system.identity import code_identity
from .cards import ModelCard
from .entries import Entry, ExportedFile, ForeignFile
from .import_paths import is_import_path
from .own import OwnModel, from_import_path
from .registry import find_entry, known_names, stand_in
from .weights import WeightsSource

if TYPE_CHECKING:
    from ..imaging.postprocess import PostProcess
    from .model import Model

_PACKAGE = f"{__name__.partition('.')[0]}."
_DEVICE = re.compile(r"cpu|mps|cuda(:[0-9]+)?")


def card(name: str, *, max_model_size: float | None = None) -> ModelCard:
    """Return the card of a model: of a name, an `ensemble:`, a path or "module:function".

    Parameters
    ----------
    name : str
    max_model_size : float, optional
        As `load` takes it.

    Raises
    ------
    UsageError
        If there is no such model; the nearest names are proposed.
    WeightsError
        If a path cannot be read as a network.

    Examples
    --------
    >>> import salbox
    >>> salbox.card("gbvs").paper.year, salbox.card("gbvs").output
    (2006, 'score')
    """
    from . import ensembles

    if ensembles.is_ensemble(name):
        cards = {member: card(member, max_model_size=max_model_size) for member in ensembles.members(name)}
        return ensembles.ensemble_card(name, cards)
    return _entry(name, max_model_size).read_card(name)


def code_of(name: str) -> str:
    """Return the import path of what computes the maps of a model, a name or a path; "" if it lies in no module.

    Raises
    ------
    UsageError
        If there is no such model.
    """
    return _entry(name).code


def card_of(name: str) -> str:
    """Return the import path of a model's card; "" if it lies in no module, as that in a file."""
    card_path = getattr(_entry(name), "card", "")
    return card_path if isinstance(card_path, str) else ""


def own_code(name: str, *, or_token: bool = False) -> str:
    """Return a text that changes with the code of a model, or members, of users' own; "" of those of this package.

    Parameters
    ----------
    name : str
    or_token : bool
        See `OwnModel.identity`.

    Raises
    ------
    UnknownSource
        If there is no saying which code runs.
    """
    from . import ensembles

    parts = ensembles.members(name) if ensembles.is_ensemble(name) else [name]
    return "+".join(entry.identity(or_token=or_token) for entry in map(_entry, parts) if isinstance(entry, OwnModel))


def model_code(name: str) -> str:
    """Return a text that changes with the code of a model, or of an ensemble's members, whoever's it is.

    Raises
    ------
    UnknownSource
        If there is no saying which code of somebody's own runs.
    """
    from . import ensembles

    parts = ensembles.members(name) if ensembles.is_ensemble(name) else [name]
    modules = {path.partition(":")[0] for part in parts for path in (code_of(part), card_of(part))}
    ours = sorted(module for module in modules if module.startswith(_PACKAGE))
    return "+".join(filter(None, [code_identity(*ours) if ours else "", own_code(name)]))


def weights_path(name: str, weights: WeightsSource | None = None, sha256: str | None = None) -> Path | None:
    """Return the file that a model, a name or a path, takes its weights from; None if it has no weights.

    Parameters
    ----------
    name : str
    weights, sha256
        As `load` takes them.

    Raises
    ------
    UsageError
        If there is no such model, or weights are given to one that takes none.
    WeightsError
        If the weights are missing, or their hash differs.
    """
    return _entry(name).weights_path(name, weights, sha256, stand_in(name))


def load(
    name: str,
    *,
    weights: WeightsSource | Mapping[str, WeightsSource] | None = None,
    sha256: str | Mapping[str, str] | None = None,
    device: str = "cpu",
    max_model_size: float | None = None,
    **parameters: Any,
) -> Model:
    """Return a model, ready to be called with an image.

    Parameters
    ----------
    name : str
        One of `list_models()`; `ensemble:a+b` or `ensemble:0.7*a+0.3*b`, the weighted mean of z-scored maps; or the
        path of an .onnx or a run folder that salbox wrote, with `#head` behind it if it has several heads, or of any
        other .onnx with a card beside it; or "module:function", a function of your own, whose module is imported: its
        code runs.
    weights : path or https URL, optional
        A checkpoint, for models that need one; of an ensemble {member: checkpoint}. By default the folder that
        `SALBOX_WEIGHTS` names is searched for `<name>/*` and `<name>.*`.
    sha256 : str, optional
        What the checkpoint must hash to; a URL needs it. Of an ensemble {member: hash}.
    device : str
        Where a network computes: "cpu", "cuda" or "cuda:1" (PyTorch's also "mps"). A model that is no network computes
        on the CPU.
    max_model_size : float, optional
        How large the .onnx of a path may be, in MB; by default 512. It does not matter to any other model.
    **parameters
        Parameters of the model; its card lists them with their defaults.

    Raises
    ------
    UsageError
        For an unknown model or parameter (the nearest is proposed), a value that does not fit, or a device that does
        not exist or, of a network, is not here.
    WeightsError
        If the weights are missing or cannot be read.
    MissingExtraError
        If the model's network needs an optional part of salbox.

    Examples
    --------
    >>> import salbox, skimage.data
    >>> salbox.load("gbvs")(skimage.data.chelsea()).shape
    (300, 451)
    """
    from . import ensembles
    from .sending import LoadedAs

    if max_model_size is not None and not max_model_size > 0:
        raise UsageError(f"max_model_size={max_model_size}: expected megabytes, above 0")
    model_card = card(name, max_model_size=max_model_size)
    checked = model_card.check_parameters(parameters)
    _check_spelling(device)
    if ensembles.is_ensemble(name):
        members = dict(weights) if isinstance(weights, Mapping) else weights
        model = _load_ensemble(name, members, sha256, device, max_model_size)
    elif isinstance(weights, Mapping) or isinstance(sha256, Mapping):
        raise UsageError(f"model '{name}' takes one file of weights; several are for the members of an ensemble")
    else:
        path = weights_path(name, weights, sha256)
        model = _entry(name, max_model_size).open(model_card, checked, path, device)
    given = {"weights": weights, "sha256": sha256, "device": device, "max_model_size": max_model_size}
    keywords = {key: value for key, value in given.items() if value not in (None, "cpu")}
    model.loaded_as = LoadedAs(name, {**checked, **keywords})
    return model


def load_for(name: str, arguments: Mapping[str, Any], postprocess: PostProcess) -> Model:
    """Return a model, its own smoothing switched off if the post-processing replaces it (and nobody asked for it).

    Parameters
    ----------
    name : str
    arguments : mapping
        Keywords of `load`: parameters, and weights, sha256 and device.
    postprocess : PostProcess
    """
    model_card = card(name, max_model_size=arguments.get("max_model_size"))
    has_smoothing = any(p.name == "do_smoothing" for p in model_card.parameters)
    if postprocess.replaces_smoothing and has_smoothing and "do_smoothing" not in arguments:
        arguments = {**arguments, "do_smoothing": "none"}
    return load(name, **arguments)


def _load_ensemble(name: str, weights: Any, sha256: Any, device: str, max_model_size: float | None) -> Model:
    """Return an ensemble, its members loaded.

    Raises
    ------
    UsageError
        If weights are given for something that is no member, or without saying for which.
    """
    from . import ensembles
    from .model import Model

    shares = ensembles.members(name)
    for what in (weights, sha256):
        if what is not None and not isinstance(what, Mapping):
            raise UsageError(f"'{name}': say whose weights they are, as {{member: path}} (or --weights MEMBER=PATH)")
        if unknown := set(what or {}) - set(shares):
            raise UsageError(f"'{name}' has no member {', '.join(sorted(map(str, unknown)))}")
    loaded = {
        member: load(
            member,
            weights=(weights or {}).get(member),
            sha256=(sha256 or {}).get(member),
            device=device,
            max_model_size=max_model_size,
        )
        for member in shares
    }
    return Model(card(name, max_model_size=max_model_size), ensembles.Ensemble(loaded, shares), {})


def _check_spelling(device: str) -> None:
    """Raise if there is no such device anywhere; whether it is here only who computes there knows."""
    if not (isinstance(device, str) and _DEVICE.fullmatch(device)):
        raise UsageError(f"device '{device}': expected cpu, cuda, cuda:N or mps")


def _entry(name: str, max_model_size: float | None = None) -> Entry | ExportedFile | ForeignFile | OwnModel:
    """Return a model's line of the registry, or what stands for one."""
    if (found := find_entry(name)) is not None:
        return found
    from . import exported

    if exported.is_path(name):
        kind = ExportedFile if exported.card_beside(name) is None else ForeignFile
        return kind(name, max_model_size)
    if is_import_path(name):
        return from_import_path(name)
    raise UsageError(f"no model '{name}'{nearest(str(name), known_names())} ('salbox models' lists all)")
