"""Concepts made of the names that people give."""

from __future__ import annotations

import numpy as np
import pytest

from salbox.datasets.concepts import ConceptBox, ConceptMask, Concepts
from salbox.errors import UsageError
from salbox.explain import vocabulary
from salbox.explain.vocabulary import build_vocabulary


def boxes(*regions) -> Concepts:
    return Concepts((8, 8), tuple(regions))


def box(name, x=0, y=0, width=4, height=4, attributes=(), synsets=()):
    return ConceptBox(name, x, y, width, height, attributes, synsets)


def test_objects_and_attributes_on_enough_photos():
    photos = [boxes(box("Tree", attributes=("tall",)), box("tree")), boxes(box("tree")), boxes(box("car"))]
    found = build_vocabulary(photos, 2)
    assert (found.concepts, found.photos) == (("tree",), (2,))
    assert build_vocabulary(photos, 1).concepts == ("car", "tall", "tree")


def test_one_sense_is_one_concept_called_by_its_most_frequent_name():
    couch = [boxes(box("couch", synsets=("sofa.n.01",))) for _ in range(2)]
    sofas = [boxes(box("sofa", synsets=("sofa.n.01",))) for _ in range(3)]
    found = build_vocabulary([*couch, *sofas], 5)
    assert (found.concepts, found.photos) == (("sofa",), (5,))
    assert found.concept_of == {"couch": "sofa", "sofa": "sofa"}
    table = found.table()
    assert list(table["name"]) == ["couch", "sofa"]
    assert list(table["photos"]) == [5, 5]


def test_an_object_s_plural_is_merged_with_its_singular():
    pytest.importorskip("simplemma")
    hydrants = boxes(box("trees"), box("Fire hydrants"), box("men"))
    found = build_vocabulary([boxes(box("trees")), boxes(box("tree"), box("fire hydrant"), box("man")), hydrants], 1)
    # Each is called by its singular, even where the plural is named more often.
    assert dict(zip(found.concepts, found.photos, strict=True)) == {"fire hydrant": 2, "man": 2, "tree": 3}
    assert found.concept_of["fire hydrants"] == "fire hydrant"
    assert found.concept_of["men"] == "man"


@pytest.mark.parametrize(
    ("name", "others", "expected"),
    [
        ("skies", {"ski", "sky"}, "sky"),  # simplemma's is "ski"
        ("leaves", {"leaf", "leave"}, "leaf"),
        ("knives", {"knife"}, "knife"),
        ("skis", {"ski", "sky"}, "ski"),
        ("painting", {"paint"}, "painting"),  # which has a verb's lemma
        ("trousers", {"trouser press"}, "trousers"),  # of which there is no singular
        ("saw", {"tool"}, "saw"),  # simplemma's is "see"
    ],
)
def test_a_plural_is_a_noun_s(name, others, expected):
    pytest.importorskip("simplemma")
    assert vocabulary.singular(name, {name, *others}) == expected


def test_attributes_stay_as_they_are():
    does = ("surfing", "having meeting", "paved", "tinted")
    found = build_vocabulary([boxes(box("man", attributes=does), box("surf"), box("tint"), box("meet"))], 1)
    assert set(does) < set(found.concepts)


def test_wordnet_s_numbers_are_put_into_words():
    pytest.importorskip("timm")
    photo = boxes(box("n03445777"), ConceptMask("n07739125", np.ones((8, 8), bool)), box("Apple"), box("n99999999"))
    found = build_vocabulary([photo], 1)
    assert found.concepts == ("apple", "golf ball", "n99999999")  # the last is no sense of ImageNet's
    places, masks = found.masks(photo, (8, 8))
    assert places == [0, 1, 2]
    assert masks.sum(axis=1).tolist() == [64, 16, 16]


def test_without_simplemma_names_are_what_was_given(monkeypatch):
    monkeypatch.setattr(vocabulary, "find_spec", lambda _: None)
    assert build_vocabulary([boxes(box("trees"), box("tree"))], 1).concepts == ("tree", "trees")


def test_masks_of_a_photo_are_the_union_of_a_concept_s_regions():
    pixels = np.zeros((8, 8), bool)
    pixels[7, 7] = True
    photo = boxes(box("tree", 0, 0, 4, 4, ("green",)), box("car", 4, 0, 4, 4), ConceptMask("tree", pixels))
    found = build_vocabulary([photo], 1)
    places, masks = found.masks(photo, (8, 8))
    assert [found.concepts[i] for i in places] == ["car", "green", "tree"]
    assert masks.sum(axis=1).tolist() == [16, 16, 17]
    _, halved = found.masks(photo, (4, 4))
    assert halved.shape == (3, 16)
    assert halved.sum(axis=1).tolist() == [4, 4, 5]


def test_a_photo_of_nothing_has_no_masks():
    found = build_vocabulary([boxes(box("tree"))], 1)
    places, masks = found.masks(boxes(box("unheard of")), (2, 3))
    assert places == []
    assert masks.shape == (0, 6)


def test_nothing_is_frequent_enough():
    with pytest.raises(
        UsageError, match=r"no concept is on 50 of 2 photos, the most frequent is on 1; give --min-photos"
    ):
        build_vocabulary([boxes(box("tree")), boxes(box("car"))], 50)
