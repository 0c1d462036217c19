"""Fitting models to people: profiles of one model, blends of several, by maximum likelihood and held-out photos."""

from .adapt import Adapted, adapt
from .blend import Blended, blend
from .masks import BlendedMasks, blend_masks

__all__ = ["Adapted", "Blended", "BlendedMasks", "adapt", "blend", "blend_masks"]
