"""Figures follow what files hold, whatever their names, sizes and times say."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image
from trees import photo

from salbox.datasets import open_dataset
from salbox.evaluation import MapSource, ModelSource, evaluate, map_folders
from salbox.evaluation.code import changed
from salbox.imaging.postprocess import PostProcess
from salbox.reporting._keys import image_key

NAMES = ("a", "b")


def save(path, seed, dtype=np.float32):
    """Write noise in a format without compression, at a time long ago: as many bytes whatever they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 256, (30, 40))
    if path.suffix == ".npy":
        np.save(path, values.astype(dtype))
    elif path.parent.name == "images":
        Image.fromarray(np.repeat(values[:, :, None], 3, axis=2).astype(np.uint8)).save(path)
    else:
        Image.fromarray((values > 127).astype(np.uint8) * 255).save(path)
    os.utime(path, (1, 1))


def dataset(folder, kind, suffix):
    for seed, name in enumerate(NAMES):
        save(folder / "images" / f"{name}.bmp", seed)
        save(folder / kind / f"{name}{suffix}", seed + 10)
    return folder


def value(folder, source, metric, kept, **more):
    (record,) = evaluate(open_dataset(f"folder:{folder}"), [source], [metric], folder=kept, **more).records()
    return record["value"]


@pytest.mark.parametrize(
    ("kind", "suffix", "metric", "changes"),
    [
        ("maps", ".npy", "cc", "maps/b.npy"),
        ("maps", ".npy", "cc", "images/b.bmp"),
        ("masks", ".bmp", "mae", "masks/b.bmp"),
    ],
)
def test_a_file_that_changed_is_measured_again(tmp_path, kind, suffix, metric, changes):
    if kind == "masks":
        pytest.importorskip("py_sod_metrics")
    folder = dataset(tmp_path / "set", kind, suffix)
    before = value(folder, "imsig", metric, tmp_path / "kept")
    save(folder / changes, 99)
    after = value(folder, "imsig", metric, tmp_path / "kept")
    assert after == value(folder, "imsig", metric, tmp_path / "fresh")
    assert after != before


def test_fixations_that_changed_are_measured_again(tmp_path):
    for name in NAMES:
        save(tmp_path / "set" / "images" / f"{name}.bmp", 1)
        (tmp_path / "set" / "fixations").mkdir(exist_ok=True)
        np.save(tmp_path / "set" / "fixations" / f"{name}.npy", [[20.0, 15.0]])
    before = value(tmp_path / "set", "gaussian", "nss", tmp_path / "kept")
    path = tmp_path / "set" / "fixations" / "b.npy"
    status = path.stat()
    np.save(path, [[2.0, 3.0]])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert value(tmp_path / "set", "gaussian", "nss", tmp_path / "kept") < before


def test_maps_that_changed_are_measured_again(tmp_path):
    folder = dataset(tmp_path / "set", "maps", ".npy")
    for seed, name in enumerate(NAMES):
        save(tmp_path / "made" / f"{name}.npy", seed)

    def measured(kept):
        (made,) = map_folders(tmp_path / "made", open_dataset(f"folder:{folder}"))
        return value(folder, MapSource(made), "cc", kept)

    before = measured(tmp_path / "kept")
    save(tmp_path / "made" / "b.npy", 99)
    after = measured(tmp_path / "kept")
    assert after == measured(tmp_path / "fresh")
    assert after != before


def test_a_teachers_maps_that_changed_are_measured_again(tmp_path):
    folder = dataset(tmp_path / "set", "maps", ".npy")
    for seed, name in enumerate(NAMES):
        save(tmp_path / "made" / f"{name}.npy", seed)

    def measured(kept):
        (made,) = map_folders(tmp_path / "made", open_dataset(f"folder:{folder}"))
        return value(folder, "imsig", "fidelity_cc", kept, teacher=MapSource(made))

    before = measured(tmp_path / "kept")
    save(tmp_path / "made" / "b.npy", 99)
    assert measured(tmp_path / "kept") == measured(tmp_path / "fresh") != before


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_histogram_to_match_that_changed_is_another_one(tmp_path, is_folder):
    reference = photo(tmp_path / "references" / "a.png", 40, 30)
    given = reference.parent if is_folder else reference
    source = ModelSource("gaussian", postprocess=PostProcess("biased", str(given)))
    before = source.settings()
    assert source.settings() == before
    photo(reference, 40, 30, seed=1)
    assert source.settings() != before
    assert str(given) in changed(source.postprocess)["histogram_matching_reference"]


def test_what_a_page_keeps_of_an_image_follows_it(tmp_path):
    data = open_dataset(f"folder:{dataset(tmp_path, 'maps', '.npy')}")
    before = [image_key(data, index) for index in range(2)]
    save(tmp_path / "images" / "b.bmp", 99)
    after = [image_key(data, index) for index in range(2)]
    assert before[0] == after[0]
    assert before[1] != after[1]


def test_an_image_that_is_gone_costs_itself_alone(tmp_path):
    data = open_dataset(f"folder:{dataset(tmp_path / 'set', 'maps', '.npy')}")
    (tmp_path / "set" / "images" / "b.bmp").unlink()
    table = evaluate(data, ["imsig"], ["cc"], folder=tmp_path / "kept")
    assert table.images == ("a",)
    assert len(table.failures) == 1


def test_images_whose_names_are_no_utf8_are_kept_and_shown(tmp_path):
    name = b"n\xff".decode("utf-8", "surrogateescape")
    folder = dataset(tmp_path / "set", "maps", ".npy")
    (folder / "images" / "a.bmp").rename(folder / "images" / f"{name}.bmp")
    (folder / "maps" / "a.npy").rename(folder / "maps" / f"{name}.npy")
    data = open_dataset(f"folder:{folder}")
    for _ in range(2):
        table = evaluate(data, ["imsig"], ["cc"], folder=tmp_path / "kept")
        assert set(table.images) == {name, "b"}
        assert set(table.to_pandas(per_image=True)["image"]) == {"n\\udcff", "b"}
