"""Damaged files are refused or read as sound ones where a checksum says so; files that bring code run nothing.

`scripts/fuzz_readers.py` reads many more of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzzed_checksums import CHECKED, damaged_within
from fuzzed_more import CANARY, CODED
from mutating import mutated

from salbox.errors import SalboxError

TIMES = 25


@pytest.mark.parametrize("reader", CHECKED, ids=lambda reader: reader.name)
def test_damage_that_a_checksum_covers_is_never_read_as_something_else(reader, tmp_path):
    if not reader.is_here:
        pytest.skip("what reads it is not installed")
    path = tmp_path / f"seed{reader.suffix}"
    reader.write(path)
    sound, damaged, spans = reader.digest(path), reader.damaged(path), reader.spans(path)
    content, said = damaged.read_bytes(), []
    for number in range(TIMES):
        damaged.write_bytes(damaged_within(content, spans, f"{reader.name}:{number}"))
        try:
            assert reader.digest(path) == sound, number
        except SalboxError as error:
            said.append(str(error))
    assert not [text for text in said if "\n" in text]
    assert said or reader.name == "results, checked"  # of those a damaged line is left out


@pytest.mark.parametrize("reader", CODED, ids=lambda reader: reader.name)
def test_code_in_a_file_is_not_run(reader, tmp_path, monkeypatch):
    if not reader.is_here:
        pytest.skip("what reads it is not installed")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"seed{reader.suffix}"
    reader.write(path)
    content = path.read_bytes()
    with pytest.raises(SalboxError):
        reader.read(path)
    for number in range(TIMES):
        path.write_bytes(mutated(content, f"{reader.name}:{number}", reader.is_text))
        try:
            reader.read(path)
        except SalboxError:
            continue
    assert not Path(CANARY).exists()
