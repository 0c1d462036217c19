"""The report of a run: files that agree, pictures of the right examples, what is missing or broken counted."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass

import cv2
import numpy as np
import pytest
from PIL import Image

import salbox
from salbox.distillation.fidelity import report
from salbox.distillation.fidelity.measure import CONSTANT, mean_map
from salbox.distillation.fidelity.report import write_report
from salbox.distillation.teachers.maps_folder import Checked
from salbox.errors import ImageError, UsageError
from salbox.system.progress import Progress

KEYS = tuple(f"p{k}" for k in range(7))


def pixels_of(key):
    return np.random.default_rng(KEYS.index(key)).integers(0, 256, (30, 40, 3), np.uint8)


class Updates(Progress):
    def __init__(self):
        self.updates = []

    def update(self, title, done, total):
        self.updates.append((title, done, total))


@dataclass(frozen=True)
class HeldOut:
    key: str
    domain: str | None = None
    broken: bool = False

    def render(self):
        if self.broken:
            raise ImageError(f"{self.key}.jpg: broken image")
        return pixels_of(self.key.partition("@")[0])


class Folder:
    """Teacher maps: the image signature's, of some keys broken."""

    def __init__(self, keys=KEYS, broken=()):
        self.keys, self.broken = keys, broken

    def check(self, keys):
        keys = list(keys)
        good = tuple(k for k in keys if k in self.keys and k not in self.broken)
        missing = tuple(k for k in keys if k not in self.keys)
        broken = {k: f"{k}.png: broken map" for k in keys if k in self.keys and k in self.broken}
        return Checked(good, missing, broken, tuple(k for k in self.keys if k not in keys))

    def read(self, key):
        assert key in self.keys
        assert key not in self.broken
        return salbox.load("imsig")(pixels_of(key.partition("@")[0]))


class ExportedNetwork:
    """Gives the teacher's map with noise that grows with the picture's number; a second head a log density."""

    heads = ("imsig", "density")
    cards = {  # noqa: RUF012
        "imsig": salbox.card("imsig"),
        "density": type("Card", (), {"output": "log_density"}),
    }

    def __init__(self):
        self.batches = []

    def maps(self, images, heads):
        self.batches.append(len(images))
        return [{head: self._map(image, head) for head in heads} for image in images]

    def _map(self, image, head):
        k = next(k for k, key in enumerate(KEYS) if (pixels_of(key) == image).all())
        teacher = salbox.load("imsig")(image)
        if head == "density":
            return np.log(teacher / teacher.sum() + 1e-30).astype(np.float32)
        noise = np.random.default_rng(1).standard_normal(teacher.shape)
        return (teacher / teacher.std() + 0.3 * k * noise).astype(np.float32)


@pytest.fixture
def mean():
    return mean_map(Folder().read(key) for key in KEYS)


def test_files_that_agree(tmp_path, mean):
    progress = Updates()
    found = write_report(
        tmp_path / "run", ExportedNetwork(), ["imsig"], map(HeldOut, KEYS), {"imsig": Folder()}, {"imsig": mean},
        notes=["as it is"], progress=progress,
    )  # fmt: skip
    row = found.row("imsig")
    assert row.pictures == 7
    plain = json.loads((tmp_path / "run" / "fidelity.json").read_text())
    assert plain["rows"][0]["cc"] == row.cc
    assert plain["rows"][1]["maps"] == CONSTANT
    assert plain["notes"] == ["as it is", *found.worse_than_constant()]
    with (tmp_path / "run" / "fidelity.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert np.mean([float(line["cc"]) for line in lines]) == pytest.approx(row.cc)
    assert f"{row.cc:.3f} ± {row.cc_std:.3f}" in (tmp_path / "run" / "fidelity.md").read_text()
    assert progress.updates[-1] == ("fidelity", 7, 7)
    assert {p.name for p in (tmp_path / "run").iterdir()} == {
        "fidelity.json", "fidelity.csv", "fidelity.md", "fidelity-best.png", "fidelity-worst.png", "fidelity-mean.npz"
    }  # fmt: skip
    sizes = []
    for which in ("best", "worst"):
        with Image.open(tmp_path / "run" / f"fidelity-{which}.png") as picture:
            sizes.append(picture.size)
    assert sizes[0] == sizes[1]
    assert sizes[0][0] > 1000


def test_best_and_worst_are_chosen_by_cc_for_each_head(tmp_path, mean, monkeypatch):
    drawn = {}
    monkeypatch.setattr(report, "draw_examples", lambda examples, path: drawn.update({path.name: examples}))
    write_report(
        tmp_path, ExportedNetwork(), ["imsig", "density"], map(HeldOut, KEYS),
        {"imsig": Folder(), "density": Folder(("p6",))}, {"imsig": mean, "density": mean}, rows=2,
    )  # fmt: skip
    best, worst = drawn["fidelity-best.png"], drawn["fidelity-worst.png"]
    assert [example.title.split(":")[0] for example in best] == ["imsig  p0", "imsig  p1", "density  p6"]
    assert [example.title.split(":")[0] for example in worst] == ["imsig  p6", "imsig  p5", "density  p6"]
    assert (best[1].picture == pixels_of("p1")).all()


def test_a_log_density_is_compared_as_a_density(tmp_path, mean):
    found = write_report(
        tmp_path, ExportedNetwork(), ["density"], [HeldOut("p1")], {"density": Folder()}, {"density": mean}
    )
    assert found.row("density").cc == pytest.approx(1, abs=1e-5)


def test_a_model_is_a_student_of_one_head(tmp_path, mean):
    model, folders = salbox.load("imsig"), {"any": Folder()}
    found = write_report(
        tmp_path, model, ["any"], [HeldOut("p0@noisy", "noisy")], {"any": Folder(("p0@noisy",))}, {"any": mean}
    )
    assert found.row("any", "noisy").kl == pytest.approx(0, abs=1e-9)
    with pytest.raises(UsageError, match="has one map, not heads any, other"):
        write_report(tmp_path, model, ["any", "other"], [HeldOut("p0")], folders, {"any": mean})


def test_what_is_missing_or_broken_is_counted(tmp_path, mean):
    pictures = [*map(HeldOut, KEYS[:4]), HeldOut("p4", broken=True)]
    folder = Folder(("p0", "p1", "p2", "p4"), broken=("p1",))
    found = write_report(tmp_path, ExportedNetwork(), ["imsig"], pictures, {"imsig": folder}, {"imsig": mean})
    assert [one.key for one in found.compared] == ["p0", "p2"]
    assert found.notes == (
        "imsig: 1 photo without a map: p3",
        "imsig: 1 broken map: p1 (p1.png: broken map)",
        "1 pictures could not be read: p4.jpg: broken image",
    )


def test_pictures_go_a_few_at_a_time(tmp_path, mean):
    student = ExportedNetwork()
    write_report(tmp_path, student, ["imsig"], [HeldOut("p0")] * 20, {"imsig": Folder()}, {"imsig": mean})
    assert student.batches[:3] == [8, 8, 4]


def test_large_photos_go_one_by_one(tmp_path, mean, monkeypatch):
    monkeypatch.setattr(report, "_BATCH_PIXELS", 1200)
    student = ExportedNetwork()
    write_report(tmp_path, student, ["imsig"], map(HeldOut, KEYS), {"imsig": Folder()}, {"imsig": mean})
    assert set(student.batches) == {1}


@pytest.mark.parametrize(
    ("heads", "folder", "message"),
    [
        (["bms"], Folder(), "no head 'bms' in this student .it has imsig, density."),
        ([], Folder(), "no head"),
        (["density"], Folder(), "head 'density': its teacher's maps and their mean"),
        (["imsig"], Folder(()), "no map of a student .* .imsig: 1 photo without a map"),
        (["imsig"], Folder(broken=("p0",)), "p0.png: broken map"),
    ],
)
def test_wrong_usage(tmp_path, mean, heads, folder, message):
    with pytest.raises(UsageError, match=message):
        write_report(tmp_path / "run", ExportedNetwork(), heads, [HeldOut("p0")], {"imsig": folder}, {"imsig": mean})
    assert not (tmp_path / "run").exists()


def test_a_picture_is_drawn_with_titles_and_maps(tmp_path):
    from salbox.distillation.fidelity._pictures import Example, draw_examples

    bright = np.zeros((20, 20))
    bright[5:15, 5:15] = 1
    red = np.zeros((60, 80, 3), np.uint8)
    red[..., 0] = 255
    draw_examples([Example("$a_b: CC 1", red, bright, 1 - bright)] * 2, tmp_path / "x.png")
    drawn = cv2.cvtColor(cv2.imread(str(tmp_path / "x.png")), cv2.COLOR_BGR2RGB)
    height, width = drawn.shape[:2]
    assert (drawn[height // 3, width // 6] == (255, 0, 0)).all()
    middle = drawn[int(height * 0.32)].astype(int).sum(axis=1)
    assert middle[width // 2] > middle[width * 5 // 6]  # the teacher's middle is bright, the student's dark


def test_a_photo_whose_name_is_no_utf8_is_in_the_report(tmp_path, mean, monkeypatch):
    name = b"p\xff".decode("utf-8", "surrogateescape")
    monkeypatch.setattr(f"{__name__}.KEYS", (*KEYS, name))
    pictures = [HeldOut(key) for key in (*KEYS[:2], name)]
    found = write_report(
        tmp_path, ExportedNetwork(), ["imsig"], pictures, {"imsig": Folder((*KEYS, name))}, {"imsig": mean}
    )
    assert name in {one.key for one in found.compared}
    assert "p\\udcff" in (tmp_path / "fidelity.csv").read_text()
    assert name in {one["key"] for one in found.to_dict(per_image=True)["per_image"]}
