"""How long EMD takes is told before it starts."""

from __future__ import annotations

import pytest
from trees import nus_tree

from salbox.evaluation import HumanCeiling, duration, evaluate
from salbox.system.progress import Progress


class Lines(Progress):
    def __init__(self) -> None:
        self.told: list[str] = []

    def say(self, text: str) -> None:
        self.told.append(text)

    def update(self, title: str, done: int, total: int | None) -> None:
        self.told.append(f"{title} {done}")


def test_emd_says_first_how_long_it_takes(tmp_path):
    entries = {f"10{k}3.jpg": [([40.0, 50.0], [30.0, 20.0]), ([70.0], [50.0])] for k in range(3)}
    tree = nus_tree(tmp_path, entries, (80, 60))
    lines = Lines()
    evaluate(f"osie:{tree}", ["gaussian"], ["nss", "emd"], folder=tmp_path / "kept", progress=lines)
    assert lines.told[0].startswith("emd: 3 figures of ")
    assert lines.told[1] == "images 1"
    again = Lines()  # the kept figures take no time; of the ceiling each figure is a mean of five
    evaluate(f"osie:{tree}", ["gaussian", HumanCeiling()], ["emd"], folder=str(tmp_path / "kept"), progress=again)
    assert again.told[0].startswith("emd: 15 figures of ")
    quiet = Lines()
    evaluate(f"osie:{tree}", ["gaussian"], ["nss", "cc"], folder=tmp_path / "kept", progress=quiet)
    assert not any("emd" in line for line in quiet.told)


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.234, "0.2 s"), (42.3, "42 s"), (500, "8 min"), (5000, "83 min"), (9000, "2.5 h")]
)
def test_times_are_readable(seconds, told):
    assert duration._readable(seconds) == told


def test_without_pot_the_way_to_be_faster_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(duration, "solver", lambda: "SciPy")
    tree = nus_tree(tmp_path, {"1003.jpg": [([40.0], [30.0])], "1013.jpg": [([40.0], [30.0])]}, (80, 60))
    lines = Lines()
    evaluate(f"osie:{tree}", ["gaussian"], ["emd"], folder=tmp_path / "kept", progress=lines)
    assert "salbox[eval]" in lines.told[0]
