"""Lines of a page of results that stay: those of networks whose runs are not at hand when it is written anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

BEFORE = "Measured before: "


class Earlier:
    """What a page says of rows that are not measured this time.

    Parameters
    ----------
    page : Path
        The page as it is.
    names : sequence of str
        First cells of all lines that may stay, in the order that tables have them in.
    measured : sequence of str
        Those that are measured now.
    """

    def __init__(self, page: Path, names: Sequence[str], measured: Sequence[str]) -> None:
        self.text = page.read_text(encoding="utf-8") if page.is_file() else ""
        self.names = tuple(names)
        self.left = tuple(name for name in names if name not in measured and f"| {name} |" in self.text)

    @property
    def said(self) -> str:
        """A sentence for the page: which lines stayed, and where and when they were measured."""
        if not self.left:
            return ""
        known = [line for line in self.text.splitlines() if line.startswith(BEFORE)]
        first = next((line for line in self.text.splitlines() if line.startswith("Measured ")), "")
        when = known[0].partition(" (")[2].partition(")")[0] if known else first.removeprefix("Measured ").rstrip(".")
        when = when.partition(". Written by")[0]
        return f"{BEFORE}{', '.join(self.left)} ({when}); milliseconds are of that machine."

    def joined(self, section: str, lines: Sequence[Sequence[str]]) -> list[list[str]]:
        """Return a section's lines with those that stayed, in the order of the names; the others follow."""
        old = [cells for cells in self._lines(section) if cells[0] in self.left]
        every = [*old, *map(list, lines)]
        return [cells for name in self.names for cells in every if cells[0] == name] + [
            cells for cells in every if cells[0] not in self.names
        ]

    def _lines(self, section: str) -> list[list[str]]:
        part = self.text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
        rows = [line for line in part.splitlines() if line.startswith("| ")]
        return [[cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")] for line in rows]
