"""The profile that makes people's fixations most likely: a dozen numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..models.profiles import Profile
from ..types import Output
from .centers import Shape
from .fitting import maximum_likelihood
from .forms import Line, form_of
from .observed import Observed


def profile_of(
    photos: Sequence[Observed],
    output: Output,
    center: Shape = "gaussian",
    degrees: float | None = None,
    weights: Sequence[float] | None = None,
) -> Profile:
    """Return the profile that makes photos' fixations most likely; see `maximum_likelihood`.

    Parameters
    ----------
    photos : sequence of Observed
        Of one model.
    output : {"score", "log_density", "probability"}
        What the numbers of its maps are.
    center : {"gaussian", "grid"}
    degrees : float, optional
    weights : sequence of float, optional
    """
    (name,) = photos[0].values
    form = form_of(output, len(photos))
    fit = maximum_likelihood(photos, {name: form}, center, degrees, weights)
    numbers = fit.numbers[name]
    temperature = 1 / float(numbers[0]) if isinstance(form, Line) else 1.0
    return Profile(output, replace(fit.tail, temperature=temperature), form.curve_of(numbers))
