"""Who is measured on photos that it learned from is said, and how many there are."""

from __future__ import annotations

import json

import onnx_writer as ow
import pytest
from trees import nus_tree, photo

import salbox
from salbox.datasets import open_dataset
from salbox.datasets.folder import open_images
from salbox.evaluation import ModelSource, evaluate
from salbox.evaluation.training_photos import training_notes
from salbox.runtime.training_photos import KEY, TrainingPhotos, short_digest, to_text
from salbox.system.contents import content_digest


@pytest.fixture
def photos(tmp_path):
    return [photo(tmp_path / "photos" / f"{k}.png", 40, 30, seed=k) for k in range(5)]


def network(path, heads, **lists):
    """Write a network whose heads learned from these photos: (training, validation)."""
    known = {
        head: TrainingPhotos(*(frozenset(short_digest(content_digest(p)) for p in part) for part in parts))
        for head, parts in lists.items()
    }
    notes = ow.notes(heads=heads)
    outputs = [ow.port("maps", "float32", ("n", 2, "a", "b"))]
    path.write_bytes(ow.student(metadata={**notes, **({KEY: to_text(known)} if known else {})}, outputs=outputs))
    return path


def notes(photos, *names):
    data = open_images(photos[0].parent)
    return training_notes(data, [item.name for item in data.items], [ModelSource(str(name)) for name in names])


def test_a_network_knows_its_photos_under_any_name(photos, tmp_path):
    path = network(tmp_path / "n.onnx", ("red", "blue"), red=(photos[:3], photos[3:4]), blue=(photos[:1], []))
    photos[0].rename(photos[0].with_name("other.png"))
    assert notes(photos, f"{path}#red") == [
        f"3 of 5 images were among the photos that {path}#red was trained on",
        f"1 of 5 images were among the photos that chose the checkpoint of {path}#red",
    ]
    assert notes(photos, f"{path}#blue") == [f"1 of 5 images were among the photos that {path}#blue was trained on"]
    assert len(notes(photos, f"ensemble:{path}#red+{path}#blue")) == 3


def test_other_photos_and_networks_that_do_not_say_are_no_news(photos, tmp_path):
    elsewhere = [photo(tmp_path / "elsewhere" / "0.png", 40, 30, seed=9)]
    path = network(tmp_path / "n.onnx", ("red", "blue"), red=(elsewhere, []), blue=([], []))
    silent = network(tmp_path / "s.onnx", ("red", "blue"))
    assert notes(photos, f"{path}#red", f"{path}#blue", f"{silent}#red", "gaussian") == []


def test_a_damaged_list_is_said(photos, tmp_path):
    path = tmp_path / "n.onnx"
    path.write_bytes(ow.student(metadata={**ow.notes(), KEY: "{"}))
    (line,) = notes(photos, f"{path}#red")
    assert "is not known" in line


def test_the_table_and_its_json_say_it(photos, tmp_path):
    path = network(tmp_path / "n.onnx", ("red", "blue"), red=(photos[:2], []))
    model = salbox.load(f"{path}#red")
    table = evaluate(open_images(photos[0].parent), [model], teacher=ModelSource("gaussian"), folder=tmp_path / "kept")
    said = f"2 of 5 images were among the photos that {path}#red was trained on"
    assert said in table.notes
    assert said in json.loads(json.dumps(table.to_dict()))["notes"]


def test_what_ships_is_known_by_the_training_split(tmp_path):
    nus_tree(tmp_path, {f"{k}.jpg": [([5], [5]), ([6], [6])] for k in (1001, 1002, 1003)}, (80, 60))
    data = open_dataset(f"osie:{tmp_path}", "all")
    names = [item.name for item in data.items]
    assert training_notes(data, names, [ModelSource("gaze"), ModelSource("gbvs.student"), ModelSource("bms")]) == [
        "2 of 3 images are of OSIE's training split, 494 photos of which gaze learned from",
        "2 of 3 images are of OSIE's training split, 494 photos of which gbvs.student learned from",
    ]
    assert training_notes(data, ["1003"], [ModelSource("gaze")]) == []


def test_gaze_learned_from_a_part_of_mit1003(tmp_path):
    from salbox.datasets.mit1003 import part_of

    names = [f"i{number}" for number in range(40)]
    trees = {f"{name}.jpg": [([5], [5]), ([6], [6])] for name in names}
    nus_tree(tmp_path, trees, (80, 60))
    data = open_dataset(f"mit1003:{tmp_path}", "all")
    count = sum(4 <= part_of(item.name) <= 8 for item in data.items)
    assert 0 < count < len(data.items)
    assert training_notes(data, [item.name for item in data.items], [ModelSource("gaze")]) == [
        f"{count} of 40 images are of MIT1003's training split, 477 photos of which gaze learned from"
    ]
    held_out = open_dataset(f"mit1003:{tmp_path}", "held-out")
    assert training_notes(held_out, [item.name for item in held_out.items], [ModelSource("gaze")]) == []


def test_a_network_that_ships_with_a_list_is_asked(photos, monkeypatch):
    known = TrainingPhotos(frozenset(short_digest(content_digest(p)) for p in photos[:3]), frozenset())
    asked = []
    monkeypatch.setattr(
        "salbox.evaluation.training_photos.read_training_photos", lambda path: asked.append(path.name) or {"a": known}
    )
    assert notes(photos, "unisal.people") == []  # the list of its head is empty
    monkeypatch.setattr("salbox.evaluation.training_photos.read_training_photos", lambda path: {"people": known})
    assert notes(photos, "unisal.people") == ["3 of 5 images were among the photos that unisal.people was trained on"]
    assert asked == ["unisal.people.onnx"]


def test_a_design_that_ships_is_asked_unless_its_authors_weights_are_given(photos, monkeypatch):
    known = TrainingPhotos(frozenset(short_digest(content_digest(p)) for p in photos[:2]), frozenset())
    monkeypatch.setattr("salbox.evaluation.training_photos.read_training_photos", lambda path: {"people": known})
    assert notes(photos, "scfnet") == ["2 of 5 images were among the photos that scfnet was trained on"]
    data = open_images(photos[0].parent)
    theirs = [ModelSource("scfnet", {"weights": given}) for given in ("theirs.pth", {"scfnet": "theirs.pth"})]
    assert training_notes(data, [item.name for item in data.items], theirs) == []
