from __future__ import annotations

import json

import pytest

from salbox.errors import UsageError
from salbox.scale.job import Job, Record
from salbox.scale.places import Folder


def begun(folder, **asks):
    """Return a job of a folder with the record of one chunk."""
    job = Job(Folder(folder), asks)
    job.begin()
    job.note(Record("0001", rows=2, written=2))
    return job


def test_what_is_done_is_known_again(tmp_path):
    begun(tmp_path, models=["gaze"])
    again = Job(Folder(tmp_path), {"models": ["gaze"]})
    assert {name: record.rows for name, record in again.begin().items()} == {"0001": 2}


def test_another_job_is_refused_and_overwrites_when_told_to(tmp_path):
    begun(tmp_path, models=["gaze"])
    other = Job(Folder(tmp_path), {"models": ["gbvs"]})
    with pytest.raises(UsageError, match=r"models: \['gaze'\] there, \['gbvs'\] now.*--overwrite"):
        other.begin()
    assert other.begin(overwrite=True) == {}
    assert other.begin() == {}


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b"\xff", json.dumps([1]).encode()])
def test_a_damaged_note_of_the_job_is_one_line_and_can_be_overwritten(tmp_path, content):
    job = begun(tmp_path, models=["gaze"])
    (note,) = tmp_path.rglob("job.json")
    note.write_bytes(content)
    with pytest.raises(UsageError, match=r"job\.json: cannot be read .*--overwrite") as raised:
        job.begin()
    assert "\n" not in str(raised.value)
    assert job.begin(overwrite=True) == {}
    assert job.begin() == {}


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000])
def test_a_damaged_record_of_a_chunk_is_none(tmp_path, content):
    job = begun(tmp_path, models=["gaze"])
    (record,) = (path for path in tmp_path.rglob("*.json") if path.name != "job.json")
    record.write_bytes(content)
    assert job.begin() == {}
