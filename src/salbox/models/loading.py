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
from .registry import MODELS, find_entry, known_names, stand_in
from .weights import WeightsSource

if TYPE_CHECKING:
    from ..imaging.postprocess import PostProcess
    from .blends import BlendFile
    from .model import Model

_PACKAGE = f"{__name__.partition('.')[0]}."
_DEVICE = re.compile(r"cpu|mps|cuda(:[0-9]+)?")
_BETWEEN_MEMBERS = re.compile(r"([+*\s])")  # of an ensemble


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

    name = spelled(name)
    if ensembles.is_ensemble(name):
        cards = {member: card(member, max_model_size=max_model_size) for member in ensembles.members(name)}
        return ensembles.ensemble_card(name, cards)
    return _entry(name, max_model_size).read_card(name)


def spelled(name: str) -> str:
    """Return a model's name as salbox spells it, in whatever case it is given: "gbvs" of "GBVS"; others as they are."""
    from . import ensembles, exported

    if name in MODELS:
        return name
    if name.casefold().startswith(ensembles.PREFIX):
        members = name[len(ensembles.PREFIX) :]
        return ensembles.PREFIX + "".join(spelled(part) if part else "" for part in _BETWEEN_MEMBERS.split(members))
    every = known_names()
    if name in every or exported.is_path(name) or is_import_path(name):
        return name
    alike = [known for known in every if known.casefold() == name.casefold().strip()]
    return alike[0] if len(alike) == 1 else name


def code_paths(name: str) -> list[str]:
    """Return the import paths of all code that a model's maps and its card come from, as far as it lies in modules.

    Raises
    ------
    UsageError
        If there is no such model.
    """
    entry = _entry(name)
    found = (entry.code, getattr(entry, "packaged_code", ""), getattr(entry, "card", ""))
    return [path for path in found if isinstance(path, str) and path]


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
    found = map(_entry, parts(name))
    return "+".join(entry.identity(or_token=or_token) for entry in found if isinstance(entry, OwnModel))


def parts(name: str) -> list[str]:
    """Return the names of the models that a name stands for: an ensemble's members, a blend and its members, itself."""
    from . import blends, ensembles

    if ensembles.is_ensemble(name):
        return list(ensembles.members(name))
    return [name, *blends.BlendFile(name).names().values()] if blends.is_blend(name) else [name]


def model_code(name: str) -> str:
    """Return a text that changes with the code of a model, or of an ensemble's members, whoever's it is.

    Raises
    ------
    UnknownSource
        If there is no saying which code of somebody's own runs.
    """
    modules = {path.partition(":")[0] for part in parts(name) for path in code_paths(part)}
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
        One of `list_models()`, in any case; `ensemble:a+b` or `ensemble:0.7*a+0.3*b`, the weighted mean of z-scored
        maps; or the path of an .onnx or a run folder that salbox wrote, with `#head` behind it if it has several heads,
        of any other .onnx with a card beside it, or of the .json that `salbox blend` wrote; or "module:function", a
        function of your own, whose module is imported: its code runs.
    weights : path or https URL, optional
        A checkpoint, for models that need one; of an ensemble or a blend {member: checkpoint}. By default the folder
        that `SALBOX_WEIGHTS` names is searched for `<name>/*` and `<name>.*`.
    sha256 : str, optional
        What the checkpoint must hash to; a URL needs it. Of an ensemble or a blend {member: hash}.
    device : str
        Where a network computes: "cpu", "cuda" or "cuda:1" (PyTorch's also "mps"). A model that is no network computes
        on the CPU.
    max_model_size : float, optional
        How large the .onnx of a path may be, in MB; by default 512. It does not matter to any other model.
    **parameters
        Parameters of the model; its card lists them with their defaults. Of any model that predicts fixations also
        `profile`, the file of one that `salbox adapt` wrote ("general", "osie" and "mit1003" ship for `gaze`): its maps
        become log densities. With it `ppd`, pixels of the image a degree of visual angle, or `view`, "lab", "desktop"
        or "phone".

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
    from . import blends, calibrated, ensembles
    from .sending import LoadedAs

    if max_model_size is not None and not max_model_size > 0:
        raise UsageError(f"max_model_size={max_model_size}: expected megabytes, above 0")
    name = spelled(name)
    model_card = card(name, max_model_size=max_model_size)
    worn = calibrated.split_worn(model_card, parameters)
    checked = model_card.check_parameters(parameters)
    _check_spelling(device)
    if ensembles.is_ensemble(name):
        members = dict(weights) if isinstance(weights, Mapping) else weights
        model = _load_ensemble(name, members, sha256, device, max_model_size)
    elif blends.is_blend(name):
        blend = blends.BlendFile(name, max_model_size)
        model = blend.load(model_card, _of_members(name, weights), _of_members(name, sha256), device)
    elif isinstance(weights, Mapping) or isinstance(sha256, Mapping):
        raise UsageError(f"model '{name}' takes one file of weights; several are for members of ensembles and blends")
    else:
        path = weights_path(name, weights, sha256)
        model = _entry(name, max_model_size).open(model_card, checked, path, device)
    given = {"weights": weights, "sha256": sha256, "device": device, "max_model_size": max_model_size}
    keywords = {key: value for key, value in given.items() if value not in (None, "cpu")}
    if worn:
        model = calibrated.load_worn(model, worn)
    model.loaded_as = LoadedAs(name, {**model.parameters, **keywords} if worn else {**checked, **keywords})
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
    for what in (_of_members(name, weights), _of_members(name, sha256)):
        if unknown := set(what) - set(shares):
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


def _of_members(name: str, given: Any) -> Mapping[str, Any]:
    """Return what is given of an ensemble's or a blend's members, {member: value}."""
    if given is not None and not isinstance(given, Mapping):
        raise UsageError(f"'{name}': say whose weights they are, as {{member: path}} (or --weights MEMBER=PATH)")
    return given or {}


def _check_spelling(device: str) -> None:
    """Raise if there is no such device anywhere; whether it is here only who computes there knows."""
    if not (isinstance(device, str) and _DEVICE.fullmatch(device)):
        raise UsageError(f"device '{device}': expected cpu, cuda, cuda:N or mps")


def _entry(name: str, max_model_size: float | None = None) -> Entry | ExportedFile | ForeignFile | BlendFile | OwnModel:
    """Return a model's line of the registry, or what stands for one."""
    if (found := find_entry(name)) is not None:
        return found
    from . import blends, exported

    if blends.is_blend(name):
        return blends.BlendFile(name, max_model_size)

    if exported.is_path(name):
        kind = ExportedFile if exported.card_beside(name) is None else ForeignFile
        return kind(name, max_model_size)
    if is_import_path(name):
        return from_import_path(name)
    raise UsageError(f"no model '{name}'{nearest(str(name), known_names())} ('salbox models' lists all)")
