"""Scene graphs of Visual Genome and of GQA as concepts: names, attributes, actions, senses, boxes, down to the IoU."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from salbox.explain.concept_sets import open_photos
from salbox.explain.dissection import dissect, mean_ious
from salbox.explain.vocabulary import build_vocabulary

pytest.importorskip("safetensors")
pytest.importorskip("pyarrow")

SIDE = 48  # of a photo at hand; what the publishers say of it is in pixels of one twice as large
PLACES = {1: (8, 8), 2: (24, 8), 3: (16, 24)}  # photo -> x, y of its red square of 16 pixels


class RedAndLeft:
    """Two bases: where a photo is red, and its left half."""

    count = 2

    def look(self, image):
        red = (image[..., 0].astype(float) - image[..., 1]) / 255
        left = np.tile(np.arange(image.shape[1]) < image.shape[1] // 2, (image.shape[0], 1))
        return np.stack([red, left]).astype(np.float32)


def draw(path, place):
    pixels = np.full((SIDE, SIDE, 3), 128, np.uint8)
    x, y = place
    pixels[y : y + 16, x : x + 16] = 255, 0, 0
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=100, subsampling=0)


def box(name, place, **more):
    return {"object_id": 1, "names": [name], "x": 2 * place[0], "y": 2 * place[1], "w": 32, "h": 32, **more}


@pytest.fixture
def genome(tmp_path):
    """Return Visual Genome: red sofas, called by three names, one of which is its sense's plural."""
    called = {1: "sofa", 2: "Sofa", 3: "couch"}
    for number, place in PLACES.items():
        draw(tmp_path / "VG_100K" / f"{number}.jpg", place)
    sizes = [{"image_id": number, "width": 2 * SIDE, "height": 2 * SIDE} for number in PLACES]
    (tmp_path / "image_data.json").write_text(json.dumps(sizes))
    graphs = []
    for number, place in PLACES.items():
        red = box(called[number], place, synsets=["sofa.n.01"])
        wall = {**box("wall", (0, 0), synsets=["wall.n.01"], object_id=2), "w": SIDE, "h": 2 * SIDE}  # the left half
        graphs.append({"image_id": number, "objects": [red, wall], "attributes": [{**red, "attributes": ["Plush "]}]})
        standing = {"predicate": "standing against", "subject": red, "object": wall, "synsets": []}
        graphs[-1]["relationships"] = [standing]
    for part in ("objects", "attributes", "relationships"):
        own = [{key: graph[key] for key in ("image_id", part)} for graph in graphs]
        (tmp_path / f"{part}.json").write_text(json.dumps(own))
    return f"visual-genome:{tmp_path}"


@pytest.fixture
def gqa(tmp_path):
    """Return GQA: the same photos, each with one square that is a red sofa of one attribute, on a wall."""
    graphs = {}
    for number, place in PLACES.items():
        draw(tmp_path / "images" / f"{number}.jpg", place)
        thing = {"name": "sofa", "attributes": ["plush"], **{k: v for k, v in box("", place).items() if len(k) == 1}}
        thing["relations"] = [{"name": "standing against", "object": "8"}, {"name": "near", "object": "8"}]
        wall = {"name": "walls", "attributes": [], "relations": [], "x": 0, "y": 0, "w": SIDE, "h": 2 * SIDE}
        graphs[str(number)] = {"width": 2 * SIDE, "height": 2 * SIDE, "objects": {"7": thing, "8": wall}}
    (tmp_path / "sceneGraphs").mkdir()
    (tmp_path / "sceneGraphs" / "train_sceneGraphs.json").write_text(json.dumps(graphs))
    return f"gqa:{tmp_path}"


def overlaps(spec, folder):
    """Return the photos, their vocabulary, and {concept: (IoU with red, IoU with left)}."""
    photos = open_photos([spec])
    vocabulary = build_vocabulary((photos.concepts(i) for i in range(len(photos))), 3)
    parts = dissect(RedAndLeft(), photos, vocabulary, np.array([0.5, 0.5], np.float32), folder)
    table = mean_ious(parts, vocabulary, 2).set_index(["concept", "basis"])["iou"]
    return photos, vocabulary, {name: tuple(table[name, basis] for basis in (0, 1)) for name in vocabulary.concepts}


def left_of(place):
    """Return the IoU of a square with the left half, by hand."""
    inside = 16 * max(0, min(SIDE // 2, place[0] + 16) - place[0])
    return inside / (16 * 16 + SIDE * SIDE / 2 - inside)


def test_visual_genome(genome, tmp_path):
    photos, vocabulary, found = overlaps(genome, tmp_path / "parts")
    assert [photos.name(i) for i in range(3)] == [f"visual-genome/{number}" for number in PLACES]
    # One sense is one concept, by its most frequent name; attributes and actions are concepts of their object's box.
    assert vocabulary.concepts == ("plush", "sofa", "standing", "wall")
    assert vocabulary.concept_of["couch"] == "sofa"
    by_hand = np.mean([left_of(place) for place in PLACES.values()])
    for name in ("sofa", "plush", "standing"):
        assert found[name] == pytest.approx((1, by_hand))
    assert found["wall"][1] == pytest.approx(1)


def test_gqa(gqa, tmp_path):
    photos, vocabulary, found = overlaps(gqa, tmp_path / "parts")
    assert len(photos) == 3
    assert vocabulary.concepts == ("plush", "sofa", "standing", "walls")
    by_hand = np.mean([left_of(place) for place in PLACES.values()])
    for name in ("sofa", "plush", "standing"):
        assert found[name] == pytest.approx((1, by_hand))
    assert found["walls"][1] == pytest.approx(1)
