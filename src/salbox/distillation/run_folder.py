"""The first name of `salbox.training.run_folder`, kept for programs that import it from here."""

from ..training.run_folder import RunFolder

__all__ = ["RunFolder"]
