"""Names with accents, as a Mac stores them and as others do, pair wherever files are paired by name."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from trees import mask_pair, nus_tree, photo

from salbox.datasets import open_dataset
from salbox.distillation.teachers.maps_folder import TeacherMaps
from salbox.errors import UsageError
from salbox.evaluation import map_folders
from salbox.imaging.inputs import find_images
from salbox.system.names import one_form, stored_file
from salbox.training.splitting import PARTS, photo_key, split

NAMES = ("café", "naïve", "plain")


def composed(name):
    return unicodedata.normalize("NFC", name)


def apart(name):
    return unicodedata.normalize("NFD", name)


@pytest.fixture(params=[(composed, apart), (apart, composed)], ids=["mac-truth", "mac-images"])
def forms(request):
    return request.param


def test_a_folder_of_ones_own_and_maps_on_disk(tmp_path, forms):
    images, others = forms
    for number, name in enumerate(NAMES):
        photo(tmp_path / "images" / f"{images(name)}.png", 16, 12, seed=number)
        for kind in ("fixations", "masks", "maps", "predicted"):
            (tmp_path / kind).mkdir(exist_ok=True)
        (tmp_path / "fixations" / f"{others(name)}.csv").write_text("1,2\n3,4\n")
        photo(tmp_path / "masks" / f"{others(name)}.png", 16, 12)
        np.save(tmp_path / "maps" / f"{others(name)}.npy", np.eye(4))
        np.save(tmp_path / "predicted" / f"{others(name)}.npy", np.eye(4))
    data = open_dataset(f"folder:{tmp_path}")
    assert (len(data), data.notes) == (3, ())
    assert [item.name for item in data.items] == sorted(map(composed, NAMES))
    [maps] = map_folders(tmp_path / "predicted", data)
    assert (sorted(maps.files), maps.images_without, maps.maps_without) == ([0, 1, 2], (), ())


def test_lists_and_pairs(tmp_path, forms):
    images, others = forms
    for name in NAMES:
        mask_pair(tmp_path / "imgs", tmp_path / "gt", images(name))
    for mask in list((tmp_path / "gt").iterdir()):
        mask.rename(mask.with_stem(others(mask.stem)))
    (tmp_path / "test.txt").write_text("".join(f"{others(name)}.png\n" for name in NAMES), encoding="utf-8")
    assert len(open_dataset(f"hku-is:{tmp_path}", "test")) == 3
    tree = nus_tree(tmp_path / "mit", {f"i{images(name)}.jpg": [([5.0], [5.0])] for name in NAMES}, (32, 24))
    for stimulus in list((tree / "data" / "stimuli").iterdir()):
        stimulus.rename(stimulus.with_stem(others(stimulus.stem)))
    assert len(open_dataset(f"mit1003:{tree}")) == 3


def test_teachers_maps_and_split_files(tmp_path, forms):
    images, others = forms
    for number, name in enumerate(NAMES):
        photo(tmp_path / "photos" / f"{images(name)}.png", 16, 12, seed=number)
        photo(tmp_path / "maps" / f"{others(name)}.png", 16, 12, seed=number)
    photos = find_images([str(tmp_path / "photos")])
    assert all(TeacherMaps(tmp_path / "maps").path(photo_key(each)) for each in photos)
    parts = dict(zip(map(others, NAMES), ("training", "validation", "test"), strict=True))
    chosen = split(photos, parts)
    assert {composed(photo_key(each)): part for part in PARTS for each in chosen.photos(part)} == {
        composed(name): part for name, part in parts.items()
    }
    assert (chosen.left_out, chosen.unknown) == ((), ())


def test_two_files_that_differ_in_this_alone_are_refused(tmp_path):
    names = [composed("café"), apart("café")]
    for folder in ("images", "masks"):
        for name in names:
            photo(tmp_path / folder / f"{name}.png", 16, 12)
    if len(list((tmp_path / "images").iterdir())) < 2:
        pytest.skip("this file system takes the two for one")
    with pytest.raises(UsageError, match="which one is meant"):
        open_dataset(f"folder:{tmp_path}")


def test_a_file_is_found_in_the_form_it_is_stored_in(tmp_path, forms):
    stored, asked = forms
    photo(tmp_path / f"{stored('é')}.png", 8, 6)
    assert stored_file(tmp_path / f"{asked('é')}.png").is_file()
    assert stored_file(tmp_path / "other.png") == tmp_path / "other.png"
    assert one_form("\udce9") == "\udce9"  # a name that is no UTF-8
