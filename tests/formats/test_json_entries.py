"""Large JSON files: entries are found wherever a chunk ends, and what is malformed or hostile is one line."""

from __future__ import annotations

import json
import tracemalloc

import pytest

from salbox.errors import UsageError
from salbox.formats import json_entries
from salbox.formats.json_entries import index_entries

ENTRIES = {
    str(k): {"image_id": k, "text": 'é "[{\\' + "x" * (37 * k % 50), "list": [{"a": [1, 2.5e-3, None]}] * (k % 4)}
    for k in range(40)
}


@pytest.mark.parametrize("chunk", [1, 7, 64, 4096, 10**6])
@pytest.mark.parametrize("options", [{}, {"ensure_ascii": False}, {"indent": 1}])
def test_every_entry_comes_out_wherever_a_chunk_ends(tmp_path, monkeypatch, chunk, options):
    monkeypatch.setattr(json_entries, "CHUNK", chunk)
    for name, held in (("list", list(ENTRIES.values())), ("object", ENTRIES)):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(held, **options), encoding="utf-8")
        entries = index_entries(path)
        assert list(entries.spans) == list(ENTRIES)
        assert {number: entries.read(number) for number in entries.spans} == ENTRIES


def test_a_byte_order_mark_and_spaces_and_nothing(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf \n[ {"id": 3} ,\t{"id":"n4"}\r\n ] ')
    assert list(index_entries(path).spans) == ["3", "n4"]
    for text in ("[]", "{ }"):
        path.write_text(text)
        assert index_entries(path).spans == {}


def test_of_equal_numbers_the_first_counts(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('[{"id": 3, "which": 1}, {"id": 3, "which": 2}]')
    assert index_entries(path).read("3")["which"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a list or an object"),
        ("7", "expected a list or an object"),
        ("[7]", "an entry is not an object"),
        ('{"1": []}', "an entry is not an object"),
        ("{1: {}}", "expected a name"),
        ('{"1" {}}', "expected a colon"),
        ('[{"id": 1} {"id": 2}]', "expected a comma"),
        ('[{"id": 1}', "the file ends within"),
        ('[{"id": 1, "te', "in an entry"),
        ('[{"id": 1,}]', "in an entry"),
        ('[{"number": 1}]', "has no 'image_id'"),
        ('[{"id": 1, "n": ' + "9" * 5000 + "}]", "an entry is refused"),
        ("[" * 200_000, "an entry is refused"),
        ('{"1": ' + '{"a": ' * 200_000, "an entry is refused"),
        ("[" + '{"id": 1, "a": [' + "0, " * 100, "in an entry"),
    ],
)
def test_what_is_malformed_is_one_line(tmp_path, text, message):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        index_entries(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_an_endless_entry_and_too_many_of_them_are_refused_within_limits(tmp_path, monkeypatch):
    monkeypatch.setattr(json_entries, "MAX_ENTRY", 200_000)
    monkeypatch.setattr(json_entries, "CHUNK", 50_000)
    monkeypatch.setattr(json_entries, "MAX_ENTRIES", 1000)
    path = tmp_path / "a.json"
    path.write_text('[{"id": 1, "list": [' + "[], " * 1_000_000)
    tracemalloc.start()
    with pytest.raises(UsageError, match="an entry of more than 0 MiB"):
        index_entries(path)
    assert tracemalloc.get_traced_memory()[1] < 40e6  # the file's text alone takes 4 MB, its lists would take 60
    tracemalloc.stop()
    path.write_text('[{"id": 1, "text": "' + "x" * 230_000 + '"}]')
    with pytest.raises(UsageError, match="an entry of more than"):
        index_entries(path)
    path.write_text("[" + ", ".join(f'{{"id": {k}}}' for k in range(1200)) + "]")
    with pytest.raises(UsageError, match="more than 1,000 entries"):
        index_entries(path)


def test_a_file_that_changes_or_is_missing(tmp_path):
    path = tmp_path / "a.json"
    with pytest.raises(UsageError, match="cannot be read"):
        index_entries(path)
    path.write_text('[{"id": 1}, {"id": 2}]')
    entries = index_entries(path)
    path.write_text('[{"id": 1111}, {"id": 2222}]')
    with pytest.raises(UsageError, match="entry 2 cannot be read"):
        entries.read("2")
    path.unlink()
    with pytest.raises(UsageError, match="entry 1 cannot be read"):
        entries.read("1")
