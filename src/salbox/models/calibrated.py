"""Models whose maps are made densities by a profile or a blend, as members of an ensemble are, and share passes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy.typing as npt

from ..errors import UsageError
from ..types import Pixels, SaliencyMap
from .cards import ModelCard, Parameter
from .ensembles import Ensemble
from .model import HeadedNetwork, Model
from .profile_files import NONE, find_profile, read_profile
from .profiles import VIEWS, WORKING_SIDE, Profile, check_view, degrees_of
from .readouts import looks_of, shown_by

PROFILE = Parameter(
    "profile", None, "A laboratory's numbers: a file that salbox adapt wrote, or a name that ships.", "path"
)
PPD = Parameter(
    "ppd", 0.0, "Pixels of the image a degree of visual angle; 0: as in the profile's laboratory.", "float", minimum=0.0
)
VIEW = Parameter("view", NONE, "How the image is looked at, instead of ppd.", "str", (NONE, *VIEWS))
PARAMETERS = (PROFILE, PPD, VIEW)
NAMES = tuple(parameter.name for parameter in PARAMETERS)


class Calibrated(Ensemble):
    """Makes a log density of the maps of loaded models.

    Parameters
    ----------
    models : {name: Model}
    make : callable
        Takes {name: map}, (H, W) each, and how many degrees an image's longest side spans, or None; returns (H, W).
    view, ppd : str and float, optional
        See `degrees_of`.
    """

    def __init__(
        self,
        models: Mapping[str, Model],
        make: Callable[[Mapping[str, npt.NDArray[Any]], float | None], SaliencyMap],
        view: str | None = None,
        ppd: float | None = None,
    ) -> None:
        super().__init__(models, dict.fromkeys(models, 1 / len(models)))
        self._make, self._view, self._ppd = make, view, ppd

    def __call__(self, image: Pixels, **_: Any) -> SaliencyMap:
        """Return the map of an image, (H, W, 3) uint8; heads of one network share its pass."""
        return self.combine(_maps(self.models, image))

    def combine(self, maps: Mapping[str, npt.NDArray[Any]]) -> SaliencyMap:
        """Return what maps of one image, {name: (H, W)}, become."""
        longest = max(next(iter(maps.values())).shape)
        return self._make(maps, degrees_of(self._view, self._ppd, longest))

    def follow(self, **_: Any) -> Calibrated:
        """Return the same for the frames of one clip; see `Model.follow`."""
        return self._of({name: model.follow() for name, model in self.models.items()})

    def run_as(self, *, precision: str, channels_last: bool) -> Calibrated:
        """Return the same with networks run another way; see `Model.run_as`."""
        changed = {
            name: model.run_as(precision=precision, channels_last=channels_last) for name, model in self.models.items()
        }
        return self._of(changed)

    def _of(self, models: Mapping[str, Model]) -> Calibrated:
        return Calibrated(models, self._make, self._view, self._ppd)


class _Worn:
    """Makes the log density of the one map that there is."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def __call__(self, maps: Mapping[str, npt.NDArray[Any]], degrees: float | None) -> SaliencyMap:
        (saliency,) = maps.values()
        return self.profile.log_density(saliency, degrees)


class _ReadAnew:
    """Makes the log density of a model's own and of its network's features, from one pass."""

    def __init__(self, model: Model, profile: Profile, view: str | None, ppd: float | None) -> None:
        self.model, self.profile, self._view, self._ppd = model, profile, view, ppd

    def __call__(self, image: Pixels, **_: Any) -> SaliencyMap:
        look = looks_of(self.model)(image)
        degrees = degrees_of(self._view, self._ppd, max(image.shape[:2]))
        return self.profile.log_density(look.log_density, degrees, look.features)


def is_worn(card: ModelCard, arguments: Mapping[str, Any]) -> bool:
    """Return whether keywords of `load` ask for a profile; a parameter of the model's own of that name is no profile.

    Raises
    ------
    UsageError
        If they say how an image is looked at, but no profile.
    """
    own = _own(card)
    if PROFILE.name in own:
        return False
    asked = arguments.get(PROFILE.name) not in (None, NONE)
    for name in (PPD.name, VIEW.name):
        if not asked and name in arguments and name not in own:
            raise UsageError(f"model '{card.name}': {name} does nothing without a profile")
    return asked


def split_worn(card: ModelCard, arguments: dict[str, Any]) -> dict[str, Any]:
    """Take what keywords of `load` say of a profile out of them, and return it; empty if they ask for none."""
    if PROFILE.name in _own(card):
        return {}
    asked = is_worn(card, arguments)
    theirs = {name: arguments.pop(name) for name in NAMES if name in arguments and name not in _own(card)}
    return theirs if asked else {}


def worn_card(card: ModelCard, arguments: Mapping[str, Any]) -> ModelCard:
    """Return a model's card, or that of the model with the profile that keywords of `load` ask for.

    Raises
    ------
    UsageError
        If there is no such profile, or it does not fit the model.
    """
    if not is_worn(card, arguments):
        return card
    told, path = find_profile(arguments[PROFILE.name], card.name)
    return _with_profile(card, read_profile(path), told)


def wear(model: Model, profile: Profile, *, view: str | None = None, ppd: float | None = None) -> Model:
    """Return a model whose maps are made log densities by a profile.

    Parameters
    ----------
    model : Model
    profile : Profile
    view : {"lab", "desktop", "phone"}, optional
        How an image is looked at; by default as in the profile's laboratory.
    ppd : float, optional
        The same as pixels of the image a degree of visual angle.

    Raises
    ------
    UsageError
        If the profile is for maps of another kind, or does not know what an image spanned in its laboratory.
    """
    return _worn(model, profile, _with_profile(model.card, profile, "given"), model.parameters, view, ppd)


def load_worn(model: Model, arguments: Mapping[str, Any]) -> Model:
    """Return a loaded model with the profile that keywords of `load` ask for; raises as `worn_card` and `wear` do."""
    told, path = find_profile(arguments[PROFILE.name], model.card.name)
    profile = read_profile(path)
    card = _with_profile(model.card, profile, told)
    checked = card.check_parameters({**model.parameters, **arguments, PROFILE.name: told})
    view = None if checked[VIEW.name] == NONE else checked[VIEW.name]
    return _worn(model, profile, card, checked, view, checked[PPD.name] or None)


def _worn(
    model: Model, profile: Profile, card: ModelCard, parameters: Mapping[str, Any], view: str | None, ppd: float | None
) -> Model:
    """Return a model with a profile, under its card; what cannot be looked at so is said before the first image."""
    check_view(view, ppd)
    if view is not None or ppd is not None:
        profile.tail.for_view(VIEWS["lab"])  # raises if it does not know its own
    if profile.readout is not None:
        if shown_by(model) != profile.readout.network:
            made_for = profile.about.get("model")
            fitted = f" (it was fitted to '{made_for}')" if made_for else ""
            raise UsageError(
                f"the profile weighs the features of another network than model '{model.name}' has{fitted}: fit one to "
                "this (salbox adapt)"
            )
        return Model(card, _ReadAnew(model, profile, view, ppd), parameters, weights=model.weights)
    return Model(card, Calibrated({model.name: model}, _Worn(profile), view, ppd), parameters, weights=model.weights)


def _own(card: ModelCard) -> set[str]:
    return {parameter.name for parameter in card.parameters}


def _with_profile(card: ModelCard, profile: Profile, told: str) -> ModelCard:
    """Return the card of a model with a profile on it."""
    if card.task != "fixation":
        raise UsageError(f"model '{card.name}' predicts objects: a profile is for models that predict fixations")
    if profile.reads != card.output:
        made_for = profile.about.get("model")
        of = f" of '{made_for}'" if made_for else ""
        raise UsageError(f"the profile is for a {profile.reads}{of}; model '{card.name}' gives a {card.output}")
    own = tuple(p for p in card.parameters if p.name not in NAMES)
    limit = f"Its maps are made densities by a profile ({told}), at a size of at most {WORKING_SIDE} pixels."
    return replace(card, output="log_density", parameters=(*own, *PARAMETERS), limits=(*card.limits, limit))


def _maps(models: Mapping[str, Model], image: Pixels) -> dict[str, SaliencyMap]:
    """Return {name: map}, (H, W) float32, a network run once for all of its heads."""
    passes: dict[HeadedNetwork, dict[str, SaliencyMap]] = {}
    found: dict[str, SaliencyMap] = {}
    for name, model in models.items():
        if model.network is None:
            found[name] = model(image)
            continue
        if model.network not in passes:
            heads = [other.head for other in models.values() if other.network == model.network]
            passes[model.network] = model.network.maps([image], heads)[0]
        found[name] = passes[model.network][model.head]
    return found
