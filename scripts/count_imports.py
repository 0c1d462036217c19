"""Rooms, arrows between them and circles: what the imports of `src/salbox` look like from above.

    python scripts/count_imports.py            one line; exit code 1 if there is a circle
    python scripts/count_imports.py --floors   which room stands on which floor

A room is a folder or a module directly in the package; an arrow is one room importing from another. Imports within
functions and under TYPE_CHECKING count. A circle is looked for among the siblings of every folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping

import grimp

PACKAGE = "salbox"

Arrows = Mapping[str, set[str]]


def arrows_within(graph: grimp.ImportGraph, parent: str) -> dict[str, set[str]]:
    """Return {child: the siblings that it imports from}, for the children of a package."""
    children = graph.find_children(parent)
    arrows: dict[str, set[str]] = {child: set() for child in children}
    depth = len(parent.split(".")) + 1

    def child_of(module: str) -> str:
        return ".".join(module.split(".")[:depth])

    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            ends = child_of(importer), child_of(imported)
            if ends[0] != ends[1] and ends[0] in children and ends[1] in children:
                arrows[ends[0]].add(ends[1])
    return arrows


def floors(arrows: Arrows) -> list[set[str]]:
    """Return the rooms floor by floor: each stands above all that it imports; those in circles stand nowhere."""
    placed: list[set[str]] = []
    below: set[str] = set()
    while floor := {room for room, needs in arrows.items() if room not in below and needs <= below}:
        placed.append(floor)
        below |= floor
    return placed


def circles(arrows: Arrows) -> list[str]:
    """Return the rooms of which each imports, by some way, itself."""
    stuck = set(arrows).difference(*floors(arrows))
    return sorted(room for room in stuck if room in _reachable(arrows, arrows[room]))


def _reachable(arrows: Arrows, begin: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(begin)
    while waiting:
        room = waiting.pop()
        if room not in found:
            found.add(room)
            waiting.extend(arrows[room])
    return found


def main() -> int:
    """Print the counts; return the exit code."""
    parser = argparse.ArgumentParser(description="Count rooms, arrows and circles among the imports of src/salbox.")
    parser.add_argument("--floors", action="store_true", help="list the rooms floor by floor, from the ground")
    chosen = parser.parse_args()
    graph = grimp.build_graph(PACKAGE, cache_dir=None)
    arrows = arrows_within(graph, PACKAGE)
    if chosen.floors:
        for number, floor in enumerate(floors(arrows), 1):
            print(f"{number}  {' '.join(sorted(room.removeprefix(PACKAGE + '.') for room in floor))}")
    packages = [module for module in graph.modules if graph.find_children(module)]
    found = [room for parent in sorted(packages) for room in circles(arrows_within(graph, parent))]
    print(
        f"{len(graph.modules)} modules, {len(arrows)} rooms on {len(floors(arrows))} floors, "
        f"{sum(map(len, arrows.values()))} arrows, {len(found)} in circles{': ' if found else ''}{', '.join(found)}"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
