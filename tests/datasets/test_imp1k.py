"""Imp1K: maps of importance beside designs, with and without folders of categories."""

from __future__ import annotations

import json

import pytest
from PIL import Image
from trees import photo

from salbox.datasets import open_dataset
from salbox.errors import UsageError


@pytest.fixture
def tree(tmp_path):
    for k, name in enumerate(("ads/a", "ads/b", "webpages/c")):
        photo(tmp_path / "imp1k" / "imgs" / f"{name}.jpg", 40, 30, seed=k)
        (tmp_path / "imp1k" / "maps" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (40, 30), k + 1).save(tmp_path / "imp1k" / "maps" / f"{name}.png")
    return tmp_path


@pytest.mark.parametrize("below", [".", "imp1k"])
def test_maps_and_categories(tree, below):
    data = open_dataset(f"imp1k:{tree / below}")
    assert [(item.name, item.category) for item in data.items] == [
        ("ads/a", "ads"),
        ("ads/b", "ads"),
        ("webpages/c", "webpages"),
    ]
    assert data.gives == {"density"}
    assert [data.density(k).max() for k in range(3)] == [1, 2, 3]


def test_without_categories(tmp_path):
    photo(tmp_path / "imgs" / "a.jpg", 40, 30)
    (tmp_path / "maps").mkdir()
    Image.new("L", (40, 30), 9).save(tmp_path / "maps" / "a.png")
    assert open_dataset(f"imp1k:{tmp_path}").items[0].category is None


def test_the_publishers_splits(tree):
    with pytest.raises(UsageError, match=r"expected train_test_split_imp1k\.json there for split 'test'"):
        open_dataset(f"imp1k:{tree}", "test")
    (tree / "train_test_split_imp1k.json").write_text(json.dumps([["a.jpg", "gone.jpg"], ["ads/b", "c.png"]]))
    train, test = open_dataset(f"imp1k:{tree}", "train"), open_dataset(f"imp1k:{tree}", "test")
    assert [item.name for item in train.items] == ["ads/a"]
    assert [item.name for item in test.items] == ["ads/b", "webpages/c"]
    assert train.notes == ("1 of the 2 images that train_test_split_imp1k.json lists",)


@pytest.mark.parametrize("text", ["", "{}", "[[]]", '[["a"], [1]]', "[" * 100_000, '{"0": []}', '"ab"'])
def test_a_malformed_list_of_splits_is_one_line(tree, text):
    (tree / "train_test_split_imp1k.json").write_text(text)
    with pytest.raises(UsageError, match="expected two lists of names") as caught:
        open_dataset(f"imp1k:{tree}", "test")
    assert "\n" not in str(caught.value)


def test_what_has_no_partner_is_counted_and_what_is_expected(tree):
    (tree / "imp1k" / "imgs" / "ads" / "b.jpg").unlink()
    photo(tree / "imp1k" / "imgs" / "ads" / "d.jpg", 40, 30)
    assert open_dataset(f"imp1k:{tree}").notes == (
        "2 of 3 maps present as images, the others skipped",
        "1 images without maps skipped, ads/d the first",
    )
    with pytest.raises(UsageError, match="expected there or in a folder within imgs and maps"):
        open_dataset(f"imp1k:{tree / 'imp1k' / 'imgs'}")
