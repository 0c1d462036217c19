"""Visual Genome, GQA, semantic masks, faces and WordNet numbers, each in its publisher's layout."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from trees import cell, mask_pair, nus_tree, photo

from salbox.datasets import open_dataset
from salbox.datasets._scene_boxes import action
from salbox.datasets.concepts import ConceptBox
from salbox.datasets.wordnet import by_wordnet_id, lemmas, wordnet_id, words
from salbox.errors import ImageError, MissingExtraError, UsageError


def thing(number, name, x, y, w, h, **more):
    return {"object_id": number, "names": [name], "x": x, "y": y, "w": w, "h": h, "synsets": [f"{name}.n.01"], **more}


TREE, DOG = thing(11, "tree", 0, 0, 40, 30), thing(12, "Dog ", 10, 5, 200, 4)


def dump(path, held):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(held))


@pytest.fixture
def genome(tmp_path):
    photo(tmp_path / "VG_100K" / "2.jpg", 40, 30)
    photo(tmp_path / "VG_100K_2" / "10.jpg", 20, 15)
    dump(tmp_path / "image_data.json", [{"image_id": k, "width": 40, "height": 30, "coco_id": None} for k in (2, 10)])
    dump(
        tmp_path / "objects.json",
        [{"image_id": k, "objects": [TREE, DOG]} for k in (10, 2, 3)],
    )
    return tmp_path


def test_visual_genome(genome):
    data = open_dataset(f"visual-genome:{genome}")
    assert [item.name for item in data.items] == ["2", "10"]  # by number, of both folders
    assert data.notes == ("2 of 3 entries of objects.json present as images, the others skipped",)
    tree, dog = data.concepts(0).regions
    assert tree == ConceptBox("tree", 0, 0, 40, 30, (), ("tree.n.01",))
    assert (dog.concept, dog.synsets) == ("dog", ("dog .n.01",))
    assert data.concepts(0).masks()["dog"].sum() == 30 * 4  # cut off at the edge
    assert data.concepts(1).regions[1] == ConceptBox("dog", 5, 2.5, 100, 2, (), ("dog .n.01",))  # a photo of half size
    assert data.concepts(1).masks()["tree"].all()


def test_visual_genome_takes_attributes_from_their_own_file(genome):
    attributes = [{**TREE, "attributes": ["Green", "tall "]}, DOG]  # they may be absent
    dump(genome / "attributes.json", [{"image_id": 2, "attributes": attributes}])
    data = open_dataset(f"visual-genome:{genome}")
    assert [region.attributes for region in data.concepts(0).regions] == [("green", "tall"), ()]
    assert [region.attributes for region in data.concepts(1).regions] == [(), ()]
    (genome / "objects.json").unlink()
    alone = open_dataset(f"visual-genome:{genome}")
    assert [region.attributes for region in alone.concepts(0).regions] == [("green", "tall"), ()]


def test_visual_genome_as_scene_graphs_and_as_version_1(genome):
    (genome / "objects.json").rename(genome / "scene_graphs.json")
    assert len(open_dataset(f"visual-genome:{genome.parent / genome.name}").concepts(0)) == 2
    old = {"id": 11, "name": "tree", "x": 0, "y": 0, "w": 40, "h": 30}
    dump(genome / "objects.json", [{"id": 2, "objects": [old]}])
    (genome / "image_data.json").unlink()  # then boxes are in the pixels of the photo at hand
    data = open_dataset(f"visual-genome:{genome}")
    assert data.concepts(0).regions == (ConceptBox("tree", 0, 0, 40, 30),)


RELATED = [
    {"predicate": "Is  growing on", "subject": DOG, "object": TREE},
    {"predicate": "ON", "subject": DOG, "object": TREE},
    {"predicate": "wearing", "subject": TREE, "object": DOG},
    {"predicate": "shading", "subject": {"object_id": 99}, "object": DOG},  # merged with the tree
    {"predicate": "running", "subject": {"object_id": 5}, "object": DOG},  # that nobody knows
    {"predicate": 7, "subject": DOG},
]


def test_visual_genome_takes_what_things_do_from_its_relations(genome):
    tree = {**TREE, "merged_object_ids": [99]}
    dump(genome / "objects.json", [{"image_id": k, "objects": [tree, DOG]} for k in (2, 10)])
    dump(genome / "attributes.json", [{"image_id": 2, "attributes": [{**DOG, "attributes": ["brown", "growing"]}]}])
    dump(genome / "relationships.json", [{"image_id": 2, "relationships": RELATED}])
    data = open_dataset(f"visual-genome:{genome}")
    # The subject's box alone is meant, each word once; what is worn or where a thing is, is nothing that it does.
    assert [region.attributes for region in data.concepts(0).regions] == [("shading",), ("brown", "growing")]
    assert [region.attributes for region in data.concepts(1).regions] == [(), ()]
    dump(genome / "relationships.json", [{"image_id": 2, "relationships": [7]}])
    with pytest.raises(UsageError, match=r"relationships\.json: image 2: '0' is not an object"):
        open_dataset(f"visual-genome:{genome}").concepts(0)


def test_scene_graphs_of_visual_genome_hold_their_own_relations(genome):
    (genome / "objects.json").unlink()
    riding = {"predicate": "riding", "subject_id": 12, "object_id": 11}
    graph = {"image_id": 2, "objects": [TREE, DOG], "relationships": [riding, {"predicate": "flying"}]}
    dump(genome / "scene_graphs.json", [graph, {"image_id": 10, "objects": [TREE]}])
    data = open_dataset(f"visual-genome:{genome}")
    assert [region.attributes for region in data.concepts(0).regions] == [(), ("riding",)]
    assert [region.attributes for region in data.concepts(1).regions] == [()]


@pytest.mark.parametrize(
    ("predicate", "does"),
    [
        ("holding", "holding"),
        ("talking on", "talking"),
        ("are walking down a", "walking"),
        ("lying", "lying"),
        ("ring around", None),
        ("string of", None),
        ("in front of", None),
        ("has", None),
        ("being held by", None),
        ("", None),
        (None, None),
    ],
)
def test_what_a_predicate_says_that_its_subject_does(predicate, does):
    assert action(predicate) == does


@pytest.mark.parametrize(
    ("held", "message"),
    [
        ([{"image_id": 2, "objects": [{**TREE, "x": "left"}]}], "object 0: 'x' is not a number"),
        ([{"image_id": 2, "objects": [{**TREE, "w": float("inf")}]}], "'w' is not a number"),
        ([{"image_id": 2, "objects": [{**TREE, "h": 10**400}]}], "'h' is not a number"),
        ([{"image_id": 2, "objects": 7}], "image 2: expected a list of objects"),
        ([{"image_id": 2, "objects": [7]}], "'0' is not an object"),
        ([{"image_id": 2}], "expected a list of objects"),
    ],
)
def test_malformed_boxes_are_one_line(genome, held, message):
    dump(genome / "objects.json", held)
    data = open_dataset(f"visual-genome:{genome}")
    with pytest.raises(UsageError, match=message) as caught:
        data.concepts(0)
    assert "objects.json" in str(caught.value)


def test_a_size_of_nothing_is_refused(genome):
    dump(genome / "image_data.json", [{"image_id": 2, "width": 0, "height": 30}])
    with pytest.raises(UsageError, match="the image's size 0 x 30 is not positive"):
        open_dataset(f"visual-genome:{genome}").concepts(0)


def test_what_visual_genome_lacks(genome, tmp_path):
    (genome / "VG_100K" / "2.jpg").unlink()
    (genome / "VG_100K_2" / "10.jpg").unlink()
    with pytest.raises(UsageError, match="expected photos in VG_100K or images"):
        open_dataset(f"visual-genome:{genome}")
    (genome / "objects.json").unlink()
    with pytest.raises(UsageError, match=r"expected there or in a folder within objects\.json"):
        open_dataset(f"visual-genome:{genome}")


@pytest.fixture
def gqa(tmp_path):
    photo(tmp_path / "images" / "2407890.jpg", 40, 30)
    photo(tmp_path / "images" / "n5.jpg", 40, 30)
    chair = {"name": "chair", "x": 20, "y": 10, "w": 10, "h": 10, "attributes": ["brown"], "relations": []}
    told = [{"name": name, "object": "271881"} for name in ("to the left of", "sitting on", "looking at", "sitting in")]
    man = {"name": "man", "x": 20, "y": 0, "w": 10, "h": 20, "attributes": ["young", "looking"], "relations": told}
    graph = {"width": 80, "height": 60, "location": "room", "objects": {"271881": chair, "271882": man}}
    dump(tmp_path / "sceneGraphs" / "train_sceneGraphs.json", {"2407890": graph, "1": graph})
    dump(tmp_path / "sceneGraphs" / "val_sceneGraphs.json", {"n5": {**graph, "objects": {}}})
    return tmp_path


def test_gqa(gqa):
    data = open_dataset(f"gqa:{gqa}")
    assert [item.name for item in data.items] == ["2407890", "n5"]
    assert data.concepts(0).regions == (
        ConceptBox("chair", 10, 5, 5, 5, ("brown",)),
        ConceptBox("man", 10, 0, 5, 10, ("young", "looking", "sitting")),
    )
    assert data.concepts(1).regions == ()
    assert data.notes == ("1 of 2 entries of train_sceneGraphs.json present as images, the others skipped",)
    assert [item.name for item in open_dataset(f"gqa:{gqa.parent}", "val").items] == ["n5"]  # with a folder around it
    (gqa / "sceneGraphs" / "val_sceneGraphs.json").unlink()
    assert len(open_dataset(f"gqa:{gqa}", "all")) == 1
    with pytest.raises(UsageError, match=r"expected sceneGraphs/val_sceneGraphs\.json there"):
        open_dataset(f"gqa:{gqa}", "val")
    dump(gqa / "sceneGraphs" / "train_sceneGraphs.json", {"2407890": {"objects": {"1": {"x": 1}}}})
    with pytest.raises(UsageError, match="object 1: no name"):
        open_dataset(f"gqa:{gqa}").concepts(0)


CLASSES = "# names\nclasses:\n  0: unlabeled\n  1: Person\n  7: 'traffic light'  # quoted\n  200: \"rug\"\n"


@pytest.fixture
def semantic(tmp_path):
    ids = np.zeros((30, 40), np.uint8)
    ids[0, 0], ids[20:, :], ids[10, 10] = 1, 7, 255
    for part in ("train2017", "val2017"):
        photo(tmp_path / "images" / part / "a.jpg", 40, 30)
        (tmp_path / "masks" / part).mkdir(parents=True)
        Image.fromarray(ids).save(tmp_path / "masks" / part / "a.png")
    (tmp_path / "classes.yaml").write_text(CLASSES)
    return tmp_path


def test_semantic_masks(semantic):
    data = open_dataset(f"coco-semantic:{semantic}")
    assert [item.name for item in data.items] == ["train2017/a", "val2017/a"]
    assert [item.name for item in open_dataset(f"coco-semantic:{semantic}", "val").items] == ["val2017/a"]
    masks = data.concepts(0).masks()
    assert list(masks) == ["person", "traffic light"]  # neither 0 nor 255
    assert masks["person"].sum() == 1
    assert masks["person"][0, 0]
    assert masks["traffic light"].sum() == 400


def test_a_mask_with_a_palette_holds_numbers_not_colours(semantic):
    path = semantic / "masks" / "train2017" / "a.png"
    with Image.open(path) as gray:
        colored = Image.fromarray(np.asarray(gray))
    colored.putpalette([255 - v // 3 for v in range(768)])
    colored.save(path)
    with Image.open(path) as saved:
        assert saved.mode == "P"
    assert list(open_dataset(f"coco-semantic:{semantic}").concepts(0).masks()) == ["person", "traffic light"]


def test_malformed_semantic_masks(semantic):
    path = semantic / "masks" / "train2017" / "a.png"
    data = open_dataset(f"coco-semantic:{semantic}")
    Image.fromarray(np.full((30, 40), 9, np.uint8)).save(path)
    with pytest.raises(UsageError, match=r"class 9 is not among the 4 of classes\.yaml"):
        data.concepts(0)
    photo(path, 40, 30)
    with pytest.raises(ImageError, match="a picture of mode RGB, expected one whose values are class numbers"):
        data.concepts(0)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(ImageError, match="broken image"):
        data.concepts(0)
    for text in ("nothing: here\n", "1:\n", ""):
        (semantic / "classes.yaml").write_text(text)
        with pytest.raises(UsageError, match="expected a line 'number: name' for each class"):
            open_dataset(f"coco-semantic:{semantic}")
    (semantic / "classes.yaml").write_text(" " * 2_000_000)
    with pytest.raises(UsageError, match="more than a list of classes takes"):
        open_dataset(f"coco-semantic:{semantic}")


def test_masks_and_photos_without_a_partner(semantic):
    photo(semantic / "images" / "val2017" / "b.jpg", 40, 30)
    photo(semantic / "masks" / "val2017" / "c.png", 40, 30)
    assert open_dataset(f"coco-semantic:{semantic}").notes == (
        "1 photos without a mask skipped",
        "1 masks without a photo skipped",
    )


def face(left, top, width, height, **flags):
    names = ("isFrontalFace", "isProfileFace", "isBackFace", "isOccluded")
    box = {"left": left, "top": top, "width": width, "height": height}
    return {**box, "center": np.array([[left, top]]), **{n: np.uint8(flags.get(n, 0)) for n in names}}


def write_labels(tree, faces):
    entries = [{"img": name, "nFaces": len(boxes), "faces": cell(boxes)} for name, boxes in faces.items()]
    savemat(tree / "data" / "labels.mat", {"labels": cell(entries)})


@pytest.fixture
def crowd(tmp_path):
    entries = {name: [([1.0, 512.0], [1.0, 384.0])] for name in ("001.jpg", "002.jpg")}
    tree = nus_tree(tmp_path, entries, (512, 384))  # half of the published size
    faces = [face(0.0, 0.0, 100.0, 50.0, isFrontalFace=1, isOccluded=1), face(1000.0, 700.0, 90.0, 90.0, isBackFace=1)]
    write_labels(tree, {"001.jpg": faces, "002.jpg": []})
    return tree


def test_face_boxes_come_with_the_fixations_and_follow_the_size(crowd):
    data = open_dataset(f"eyecrowd-faces:{crowd}", "all")
    first, second = data.concepts(0).regions
    assert first == ConceptBox("face", 0, 0, 50, 25, ("frontal", "occluded"))
    assert second == ConceptBox("face", 500, 350, 45, 45, ("back",))
    mask = data.concepts(0).masks()["face"]
    assert mask.sum() == 50 * 25 + 12 * 34
    rows, columns = data.fixations(0).pixels((384, 512))
    assert mask[rows, columns].tolist() == [True, False]
    assert len(data.concepts(1)) == 0
    assert [item.name for item in open_dataset(f"eyecrowd-faces:{crowd}").items] == ["001"]


@pytest.mark.parametrize(
    ("faces", "message"),
    [
        ([{**face(1.0, 1.0, 1.0, 1.0), "left": "there"}], "'left' is not a vector of numbers"),
        ([{**face(1.0, 1.0, 1.0, 1.0), "width": np.zeros((1, 2))}], "a face without a box or pose"),
        ([{"left": 1.0}], "no field 'top'"),
        (["face"], "is not a struct"),
    ],
)
def test_malformed_faces_are_one_line(crowd, faces, message):
    write_labels(crowd, {"001.jpg": faces})
    with pytest.raises(UsageError, match=message) as caught:
        open_dataset(f"eyecrowd-faces:{crowd}")
    assert "labels.mat" in str(caught.value)


def test_photos_without_an_entry_of_faces_and_no_file_of_them(crowd):
    write_labels(crowd, {"001.jpg": []})
    notes = open_dataset(f"eyecrowd-faces:{crowd}", "all").notes
    assert notes[0] == "1 photos without an entry in labels.mat skipped"
    (crowd / "data" / "labels.mat").unlink()
    with pytest.raises(UsageError, match=r"eyecrowd-faces:.*expected labels\.mat in"):
        open_dataset(f"eyecrowd-faces:{crowd}")


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("n01532829_13482.jpg", "n01532829"),
        ("some/folder/n01532829_1", "n01532829"),
        ("n01532829", "n01532829"),
        ("ILSVRC2014_train_00023530", None),
        ("n0153282_1", None),
        ("n015328291_1", None),
        ("sun_aa_n01532829_1", None),
    ],
)
def test_wordnet_numbers(name, number):
    assert wordnet_id(name) == number


def test_duts_tells_what_its_objects_are(tmp_path):
    folder = tmp_path / "DUTS-TE"
    for name in ("n02084071_2", "n01532829_13482", "ILSVRC2012_test_1", "n02084071_1"):
        mask_pair(folder / "DUTS-TE-Image", folder / "DUTS-TE-Mask", name, mode="RGB" if name.endswith("2") else "L")
    data = open_dataset(f"duts-wordnet:{tmp_path}")
    assert [item.name for item in data.items] == ["n01532829_13482", "n02084071_1", "n02084071_2"]
    assert data.notes == ("1 photos without a WordNet number in their name left out",)
    assert {k: len(v) for k, v in by_wordnet_id(data.items).items()} == {"n01532829": 1, "n02084071": 2}
    for index in range(3):
        ((number, mask),) = data.concepts(index).masks().items()
        assert data.items[index].name.startswith(number)
        assert cells(mask) == (5, 14, 10, 24)
        assert "mask" in data.gives


def cells(mask):
    rows, columns = np.nonzero(mask)
    return rows.min(), rows.max(), columns.min(), columns.max()


def test_words_of_wordnet():
    pytest.importorskip("timm")
    lemmas.cache_clear()
    assert "house finch" in words("n01532829")
    with pytest.raises(UsageError, match="no WordNet number 'n99999999'"):
        words("n99999999")


def test_words_of_wordnet_need_timm(monkeypatch):
    lemmas.cache_clear()
    monkeypatch.setitem(sys.modules, "timm", None)
    monkeypatch.setitem(sys.modules, "timm.data", None)
    with pytest.raises(MissingExtraError, match="WordNet's words needs"):
        words("n01532829")
