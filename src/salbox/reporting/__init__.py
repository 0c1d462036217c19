"""An evaluation as one page: figures, pictures, sources, and the command that repeats it."""

from .collecting import gather, write_report
from .content import Report
from .page import page

__all__ = ["Report", "gather", "page", "write_report"]
