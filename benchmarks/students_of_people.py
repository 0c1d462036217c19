"""How students of networks that learned from people predict where people look: beside their teachers, three data sets.

Needs what benchmarks/training.py needs, of its runs those of unisal, sam and dgii. Figures are kept image by image in
cache/training. Writes docs/results/students-of-people.md.
"""

from __future__ import annotations

from _tables import provenance, write_page
from training import RUNS, TRAINED, Row, measured, table

DESIGNS = ("unisal", "sam", "dgii")


def rows() -> list[Row]:
    """Return each student with its teacher below it, and `gaze`, which ships too."""
    found = []
    for design in DESIGNS:
        name = TRAINED[design]
        found.append(Row(f"`{design}.student`", f"{design}.student"))
        found.append(Row(f"`{name}`, its teacher", name if design == "unisal" else str(RUNS / f"{design}-0")))
    return [*found, Row("`fastgaze.student`", "fastgaze.student"), Row("`gaze`", "gaze")]


def main() -> None:
    """Measure and write the page."""
    which = rows()
    found = measured(which)
    parts = [
        "# Students of networks that learned from people",
        f"{provenance(('salbox', 'numpy', 'onnxruntime'))} Written by `benchmarks/students_of_people.py`.",
        "How close these students are to their teachers stands under [Fidelity](fidelity.md). Here both predict where "
        "people look, on photos that neither learned from; teachers and students learned from other photos of all "
        "three data sets, the students what their teachers make of them and of photos that nobody looked at. "
        "[Trained on people](training.md) says what the figures are, and has other networks.",
    ]
    for title, evaluation in found.items():
        parts += [f"## {title}: {len(evaluation.images)} photos", table(which, evaluation)]
    write_page("students-of-people.md", "\n\n".join(parts))


if __name__ == "__main__":
    main()
