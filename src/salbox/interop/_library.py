"""pysaliency itself; what else is in this package imports it from here."""

from __future__ import annotations

import warnings

from ..errors import MissingExtraError
from ..imaging.figures import import_matplotlib

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependencies import pkg_resources, which warns
        import_matplotlib()  # pysaliency does too
        import pysaliency
except ImportError as error:  # also where setuptools is so new that pkg_resources is gone
    raise MissingExtraError(f"the bridge to pysaliency ({error.name or error})", "pysaliency") from None

__all__ = ["pysaliency"]
