"""The list of training photos inside an exported network."""

from __future__ import annotations

import json

import onnx_writer as ow
import pytest

from salbox.errors import WeightsError
from salbox.runtime.training_photos import KEY, TrainingPhotos, from_text, read_training_photos, short_digest, to_text

A, B, C = ("0123456789", "abcdef0123", "00000000ff")


def test_what_is_written_is_read_and_alike_lists_stand_once():
    heads = {
        "x": TrainingPhotos(frozenset({A, B}), frozenset({C})),
        "y": TrainingPhotos(frozenset({A, B}), frozenset({C})),
    }
    heads["old"] = TrainingPhotos(frozenset({C}))
    text = to_text(heads)
    assert from_text(text) == heads
    assert len(json.loads(text)["lists"]) == 2


def test_lists_of_two_runs_go_together():
    both = TrainingPhotos(frozenset({A})) | TrainingPhotos(frozenset({B}), frozenset({C}))
    assert both == TrainingPhotos(frozenset({A, B}), frozenset({C}))


def test_a_photo_costs_seven_characters():
    many = frozenset(f"{k:010x}" for k in range(3000))
    assert len(to_text({"x": TrainingPhotos(many)})) < 7 * 3000
    assert short_digest("0123456789abcdef") == A


def test_a_file_that_does_not_say_has_none(tmp_path):
    (tmp_path / "a.onnx").write_bytes(ow.student())
    assert read_training_photos(tmp_path / "a.onnx") == {}


def test_a_file_that_says(tmp_path):
    heads = {"red": TrainingPhotos(frozenset({A}))}
    (tmp_path / "a.onnx").write_bytes(ow.student(metadata={**ow.notes(), KEY: to_text(heads)}))
    assert read_training_photos(tmp_path / "a.onnx") == heads


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[" * 100_000,
        '{"format": 2}',
        '{"format": 1, "heads": {"red": 1}, "lists": []}',
        '{"format": 1, "heads": {"red": "x"}, "lists": [{"training": "", "validation": ""}]}',
        '{"format": 1, "heads": [], "lists": [{"training": "", "validation": ""}]}',
        '{"format": 1, "heads": {"red": 0}, "lists": [{"training": "AAAA", "validation": ""}]}',
        '{"format": 1, "heads": {"red": 0}, "lists": [{"training": "?", "validation": ""}]}',
        '{"format": 1, "heads": {"red": 0}, "lists": [{"training": 3, "validation": ""}]}',
        '{"format": 1, "heads": {"red": 0}, "lists": [{"training": "\u00e9", "validation": ""}]}',
    ],
)
def test_a_damaged_list_is_one_line(tmp_path, text):
    (tmp_path / "a.onnx").write_bytes(ow.student(metadata={**ow.notes(), KEY: text}))
    with pytest.raises(WeightsError, match=r"a\.onnx: its list of training photos cannot be read") as error:
        read_training_photos(tmp_path / "a.onnx")
    assert str(error.value).isprintable()
