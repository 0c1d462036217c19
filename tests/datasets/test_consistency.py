"""A dataset opened as another one: names, numbers, sizes and observers tell."""

from __future__ import annotations

import pytest
from trees import cat2000_tree, mask_pair, nus_tree, photo

from salbox.datasets import DATASETS, consistency, dataset_card, open_dataset
from salbox.datasets.consistency import is_named
from salbox.datasets.recognizing import recognize
from salbox.errors import UsageError

MIT = "i05june05_static_street_boston_p1010764"
OSIE_LIKE = {"osie": ("1003", (800, 600)), "eyecrowd": ("001", (1024, 768)), "mit1003": (MIT, (1024, 768))}


@pytest.mark.parametrize("opened", OSIE_LIKE)
@pytest.mark.parametrize("held", OSIE_LIKE)
def test_what_shares_osies_layout_opens_only_as_itself(tmp_path, held, opened):
    name, size = OSIE_LIKE[held]
    tree = nus_tree(tmp_path / "some", {f"{name}.jpg": [([500.0], [400.0])]}, size)
    assert [candidate.name for candidate in recognize(tree)] == [held]
    if opened == held:
        data = open_dataset(f"{opened}:{tree}", "all")
        assert data.notes in ((), ("fixations from eye/fixations.mat",))
        assert (data.fixations(0).x.tolist(), data.fixations(0).y.tolist()) == ([499], [399])
    else:
        with pytest.raises(UsageError, match=f"no image is named as {dataset_card(opened).title}'s are"):
            open_dataset(f"{opened}:{tree}", "all")


def test_more_images_other_sizes_and_more_observers_than_published(tmp_path, monkeypatch):
    names = [f"{number}.jpg" for number in range(1001, 1006)]
    tree = nus_tree(tmp_path, {name: [([5.0], [5.0])] * 17 for name in names}, (100, 100))
    notes = "\n".join(open_dataset(f"osie:{tree}", "all").notes)
    assert "17 observers of an image, where 15 took part" in notes
    assert "5 of 5 images looked at are not of the published size (100x100 the first, where 800x600" in notes
    assert "nor of its shape; is it OSIE?" in notes
    monkeypatch.setitem(dataset_card("osie").images, "test", 0)
    monkeypatch.setitem(dataset_card("osie").images, "train", 2)
    assert "5 images, of which 2 were published" in "\n".join(open_dataset(f"osie:{tree}", "all").notes)


def test_a_few_other_names_are_noted(tmp_path):
    looked = {f"{name}.jpg": [([5.0], [5.0])] for name in ("1001", "1002", "other")}
    data = open_dataset(f"osie:{nus_tree(tmp_path, looked, (800, 600))}", "all")
    assert data.notes == ("1 of 3 images are not named as OSIE's are (1001 to 1700), other the first; is it OSIE?",)


def test_two_entries_of_one_image_are_refused(tmp_path):
    looked = {"1001.jpg": [([5.0], [5.0])], "1001.png": [([6.0], [5.0])]}
    tree = nus_tree(tmp_path, looked, (80, 60), absent=["1001.png"])
    with pytest.raises(UsageError, match="two entries of the image '1001'"):
        open_dataset(f"osie:{tree}", "all")


@pytest.mark.parametrize(
    ("names", "expected"),
    [(("1", "2", "850"), "pascal-s"), (("0004", "0012"), "hku-is"), (("im005", "sun_abcd"), "dut-omron")],
)
def test_pairs_in_one_folder_are_told_by_their_names(tmp_path, names, expected):
    for name in names:
        mask_pair(tmp_path / "Imgs", tmp_path / "Imgs", name)
    assert [candidate.name for candidate in recognize(tmp_path)] == [expected]
    for dataset in ("pascal-s", "hku-is", "dut-omron"):
        notes = " ".join(open_dataset(f"{dataset}:{tmp_path}").notes)
        assert ("no image is named as" in notes) == (dataset != expected)


def test_suffixes_in_large_letters(tmp_path):
    mask_pair(tmp_path / "Imgs", tmp_path / "Imgs", "0004")
    for file in list((tmp_path / "Imgs").iterdir()):
        file.rename(file.with_suffix(file.suffix.upper()))
    assert [candidate.name for candidate in recognize(tmp_path)] == ["hku-is"]
    assert [item.name for item in open_dataset(f"hku-is:{tmp_path}").items] == ["0004"]


def test_figrims_folders_are_not_cat2000s(tmp_path):
    cat2000_tree(tmp_path, {"Action/sun_b": [(0, 0)]})
    with pytest.raises(UsageError, match="no image is named as CAT2000's are"):
        open_dataset(f"cat2000:{tmp_path}")


def test_cocos_masks_are_not_salicons_maps(tmp_path):
    name = "COCO_val2014_000000000007"
    photo(tmp_path / "val2014" / f"{name}.jpg", 64, 48)
    photo(tmp_path / "masks" / f"{name}.png", 64, 48)
    with pytest.raises(UsageError, match="none of the 0 maps"):
        open_dataset(f"salicon:{tmp_path}")


def test_what_is_known_of_a_dataset_fits_together():
    for name in DATASETS:
        card = dataset_card(name)
        assert bool(card.names) == bool(card.names_text)
        if card.size is not None and card.sigma_width is not None:
            assert card.sigma_width == card.size[1]
        if card.longest is not None and card.sigma_side == "longest":
            assert card.sigma_width == card.longest


def test_the_names_at_hand_are_the_published_ones(shared):
    for name, folder in (("osie", "OSIE"), ("eyecrowd", "EyeCrowd"), ("mit1003", "MIT1003"), ("ecssd", "ECSSD")):
        if not (shared / "data" / folder).is_dir():
            continue
        data = open_dataset(f"{name}:{shared / 'data' / folder}", "all")
        assert all(is_named(data.card, item.name) for item in data.items)
        assert len([note for note in consistency.misfits(data) if "size" not in note]) == 0
