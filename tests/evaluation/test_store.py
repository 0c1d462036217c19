"""Kept results: every damaged line is noticed and computed again, nothing is lost by two that write at once."""

from __future__ import annotations

import multiprocessing

import numpy as np
import pytest
from recording import Recorder
from trees import random_osie

from salbox.datasets import open_dataset
from salbox.errors import UsageError
from salbox.evaluation import ModelSource, evaluate
from salbox.evaluation.store import Store

SETTINGS = {"sigma": 1.5, "model": "m"}
CURVE = np.linspace(0, 1, 5) / 3


def filled(folder):
    store = Store(folder, "row", SETTINGS)
    for k in range(3):
        store.add(f"image {k}", {"nss": k / 7, "curve": CURVE * k})
    return store.path


def test_what_was_kept_comes_back_to_the_last_bit(tmp_path):
    filled(tmp_path)
    store = Store(tmp_path, "row", SETTINGS)
    assert store.damaged == 0
    assert store.results["image 2"]["nss"] == 2 / 7
    np.testing.assert_array_equal(store.results["image 2"]["curve"], CURVE * 2)


def test_a_digit_that_changed_is_noticed(tmp_path):
    path = filled(tmp_path)
    text = path.read_text()
    assert text.count("0.14285714285714285") == 1
    path.write_text(text.replace("0.14285714285714285", "0.94285714285714285"))
    store = Store(tmp_path, "row", SETTINGS)
    assert store.damaged == 1
    assert store.results.keys() == {"image 0", "image 2"}
    assert Store(tmp_path, "row", SETTINGS).damaged == 0  # it was taken out


@pytest.mark.parametrize(
    "line",
    [b"\xff", b"{", b"[" * 100_000, b"null", b'{"image": 1}', b"\x00", b'{"image": "a", "metrics": {"nss": 1e999}}'],
)
def test_a_line_of_anything_else_is_taken_out(tmp_path, line):
    path = filled(tmp_path)
    before = path.read_bytes()
    head, *rest = before.splitlines(keepends=True)
    path.write_bytes(head + line + b"\n" + b"".join(rest))
    store = Store(tmp_path, "row", SETTINGS)
    assert (store.damaged, len(store.results)) == (1, 3)
    assert path.read_bytes() == before


def test_whatever_happens_to_a_file_what_is_read_is_what_was_written(tmp_path):
    path = filled(tmp_path)
    whole, wanted = path.read_bytes(), Store(tmp_path, "row", SETTINGS).results
    random = np.random.default_rng(0)
    for _ in range(200):
        bent = bytearray(whole)
        for _ in range(random.integers(1, 4)):
            start = int(random.integers(len(bent)))
            match random.integers(3):
                case 0:
                    bent[start] ^= 1 << int(random.integers(8))
                case 1:
                    del bent[start : start + int(random.integers(1, 60))]
                case _:
                    bent[start:start] = random.bytes(3)
        path.write_bytes(bent)
        store = Store(tmp_path, "row", SETTINGS)
        for image, results in store.results.items():
            assert results["nss"] == wanted[image]["nss"]
            np.testing.assert_array_equal(results["curve"], wanted[image]["curve"])
        store.add("another", {"nss": 1.0})
        assert Store(tmp_path, "row", SETTINGS).results.keys() == {*store.results}


def test_what_a_kill_left_of_a_line_does_not_cost_the_next(tmp_path):
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes()[:-30])
    store = Store(tmp_path, "row", SETTINGS)
    assert store.damaged == 1
    store.add("image 2", {"nss": 2.0})
    assert Store(tmp_path, "row", SETTINGS).results["image 2"] == {"nss": 2.0}


def write(folder, number):
    store = Store(folder, "row", SETTINGS)
    for k in range(50):
        store.add(f"{number} {k}", {"curve": np.full(500, number + k / 3)})


def test_two_that_write_at_once_do_not_tear_lines(tmp_path):
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write, args=(tmp_path, number)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    store = Store(tmp_path, "row", SETTINGS)
    assert store.damaged == 0
    assert len(store.results) == 150


@pytest.mark.parametrize("name", ["\U00020000" * 80, "n\udcff", "a/b: c"])
def test_a_row_of_any_name_is_kept(tmp_path, name):
    Store(tmp_path, name, SETTINGS).add("a", {"nss": 1.0})
    assert Store(tmp_path, name, SETTINGS).results == {"a": {"nss": 1.0}}


def test_a_folder_in_the_files_place_is_one_line(tmp_path):
    path = Store(tmp_path, "row", SETTINGS).path
    path.unlink()
    path.mkdir()
    with pytest.raises(UsageError, match="results cannot be kept there"):
        Store(tmp_path, "row", SETTINGS)


def test_the_table_says_what_was_damaged_and_is_whole(tmp_path):
    osie = open_dataset(f"osie:{random_osie(tmp_path / 'OSIE')}")
    given = {"metrics": ["nss"], "folder": tmp_path / "kept"}
    whole = evaluate(osie, [ModelSource("gaussian")], **given)
    (path,) = (tmp_path / "kept").rglob("*.jsonl")
    path.write_bytes(path.read_bytes().replace(b"nss", b"n\xffs", 2))
    progress = Recorder()
    table = evaluate(osie, [ModelSource("gaussian")], **given, progress=progress)
    assert len(progress.items) == 2
    assert table.records() == whole.records()
    assert [note for note in table.notes if "2 damaged lines" in note and str(path) in note]
    assert evaluate(osie, [ModelSource("gaussian")], **given).notes == whole.notes
