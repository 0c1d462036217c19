"""What a long run says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from salbox.system.progress import SILENT, Progress


@dataclass
class Outcome:
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class Recorder(Progress):
    def __init__(self):
        self.taken = []

    def say(self, text):
        self.taken.append(text)

    def update(self, title, done, total):
        self.taken.append((title, done, total))


def test_items_are_counted_as_they_come_and_what_failed_is_said():
    recorder = Recorder()
    items = [Outcome(notes=["odd"]), 7, Outcome(failures=["gone", "broken"])]
    passed = []
    for item in recorder.track(items, 3, "images"):
        passed.append(item)
        if item == 7:
            assert recorder.taken == ["note: odd", ("images", 1, 3), ("images", 2, 3)]
    assert passed == items
    assert recorder.taken[-3:] == ["failed: gone", "failed: broken", ("images", 3, 3)]


def test_by_default_nobody_listens(capsys):
    assert list(SILENT.track(iter([Outcome(failures=["x"])]), 1, "images"))
    SILENT.say("a line")
    SILENT.update("images", 1, None)
    assert capsys.readouterr() == ("", "")
