"""What `salbox.imaging.writing` holds, under the name that it first had."""

from .imaging.writing import read_notes, write_map

__all__ = ["read_notes", "write_map"]
