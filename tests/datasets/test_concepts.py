"""Boxes and masks of named things: which pixels they cover, at any size, and who has none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from salbox.datasets import open_dataset
from salbox.datasets.concepts import ConceptBox, ConceptDataset, ConceptItem, ConceptMask, Concepts, concept_counts
from salbox.datasets.visual_genome import CARD
from salbox.errors import UsageError


def cells(mask):
    rows, columns = np.nonzero(mask)
    return (rows.min(), rows.max(), columns.min(), columns.max(), len(rows))


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0, 0, 1, 1), (0, 0, 0, 0, 1)),  # the top left pixel
        ((2, 1, 3, 4), (1, 4, 2, 4, 12)),
        ((39, 29, 1, 1), (29, 29, 39, 39, 1)),  # the bottom right one of 40 x 30
        ((35, 25, 20, 20), (25, 29, 35, 39, 25)),  # beyond the edges
        ((-5, -5, 7, 8), (0, 2, 0, 1, 6)),
        ((2.4, 0, 1.2, 1), (0, 0, 2, 3, 2)),  # centres at 2.5 and 3.5
        ((2.6, 0, 0.2, 1), (0, 0, 2, 2, 1)),  # between centres
    ],
)
def test_a_box_covers_the_pixels_whose_centres_lie_in_it(box, expected):
    assert cells(ConceptBox("a", *box).mask((30, 40))) == expected


def test_a_box_beyond_the_image_is_empty():
    for x, y in ((40, 0), (-9, 0), (0, 30), (0, -9)):
        assert not ConceptBox("a", x, y, 9, 9).mask((30, 40)).any()


@given(*(st.floats(-50, 60),) * 2, *(st.floats(0.5, 60),) * 2)
def test_a_mask_is_what_every_pixel_says_by_itself(x, y, width, height):
    mask = ConceptBox("a", x, y, width, height).mask((17, 23))
    rows, columns = np.indices((17, 23)) + 0.5
    inside = (rows >= y) & (rows < y + height) & (columns >= x) & (columns < x + width)
    if inside.any():
        np.testing.assert_array_equal(mask, inside)
    else:  # it lies outside, or between the centres of one row or column
        assert min(mask.any(axis=0).sum(), mask.any(axis=1).sum()) <= 1


def test_masks_join_the_regions_of_a_concept_and_follow_the_size():
    pixels = np.zeros((30, 40), np.bool_)
    pixels[10:20, :20] = True
    concepts = Concepts(
        (30, 40), (ConceptBox("tree", 0, 0, 4, 30), ConceptMask("sky", pixels), ConceptBox("tree", 36, 0, 4, 30))
    )
    assert concepts.names == ("sky", "tree")
    masks = concepts.masks()
    assert list(masks) == ["sky", "tree"]
    assert masks["tree"].sum() == 240
    np.testing.assert_array_equal(masks["sky"], pixels)
    half = concepts.masks((15, 20))
    assert half["tree"].sum() == 60
    assert cells(half["sky"]) == (5, 9, 0, 9, 50)
    double = concepts.masks((60, 80))
    np.testing.assert_array_equal(double["sky"], np.kron(pixels, np.ones((2, 2), np.bool_)))
    assert double["tree"].sum() == 960
    assert len(Concepts((3, 4), ())) == 0


def test_a_dataset_reads_them_when_asked(tmp_path):
    from trees import photo

    asked = []

    def read(shape):
        asked.append(shape)
        return Concepts((60, 80), (ConceptBox("tree", 40, 30, 20, 10, ("tall",)),))

    path = photo(tmp_path / "a.jpg", 40, 30)
    items = [ConceptItem("a", path, read_concepts=read), ConceptItem("b", path)]
    data = ConceptDataset(CARD, tmp_path, "all", items)
    assert not asked
    concepts = data.concepts(0)
    assert asked == [(30, 40)]
    assert concepts.shape == (30, 40)
    assert concepts.regions == (ConceptBox("tree", 20, 15, 10, 5, ("tall",)),)
    assert concept_counts(data, [0]) == {"tree": 1}
    assert data.subset([0], "one").concepts(0).names == ("tree",)
    with pytest.raises(UsageError, match="visual-genome: no concepts are known of image 'b'"):
        data.concepts(1)


@pytest.mark.slow
def test_the_published_data(shared):
    data = shared / "data"
    coco = open_dataset(f"coco-semantic:{data / 'coco-semantic'}")
    assert len(coco) == 188
    assert len(open_dataset(f"coco-semantic:{data / 'coco-semantic'}", "train")) == 88
    for index in range(0, 188, 20):
        concepts = coco.concepts(index)
        masks = concepts.masks()
        assert concepts.shape == coco.shape(index)
        assert sum(mask.sum() for mask in masks.values()) <= coco.shape(index)[0] * coco.shape(index)[1]
    assert concept_counts(coco, range(0, 188, 4))["person"] > 10
    faces = open_dataset(f"eyecrowd-faces:{data / 'EyeCrowd'}", "all")
    assert len(faces) == 250
    assert len(faces.concepts(0)) == 56  # of image 001
    assert faces.gives >= {"fixations"}
    # People look at faces: the boxes cover a tenth of the photos and get far more of the fixations.
    covered = looked = 0.0
    for index in range(0, 250, 5):
        mask = faces.concepts(index).masks()["face"]
        rows, columns = faces.fixations(index).pixels(mask.shape)
        covered += mask.mean() / 50
        looked += mask[rows, columns].mean() / 50
    assert looked > 3 * covered
    duts = open_dataset(f"duts-wordnet:{data}", "all")
    assert len(duts) == 2524
    assert duts.notes == ("1276 photos without a WordNet number in their name left out",)
    mask = duts.concepts(0).masks()
    assert len(mask) == 1
    assert next(iter(mask.values())).shape == duts.shape(0)
