"""Damaged files of every kind: each is read, or refused in one line; none ends the process, fills memory or takes long.

`fuzzing.faults` reads more of them: 20 a reader here, the same ones each time.
"""

from __future__ import annotations

from contextlib import suppress

import fuzzing
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salbox.errors import SalboxError
from salbox.formats.hdf5_chunks import fletcher, unpack_lzf
from salbox.formats.onnx_file import inspect
from salbox.formats.protobuf import Refusal
from salbox.formats.sstable import read_table
from salbox.formats.yaml_file import parse_value

MUTATIONS = 20


@pytest.mark.skipif(not fuzzing.CAN_LIMIT, reason="this system cannot limit a process's memory")
def test_damaged_files_are_read_or_refused(tmp_path):
    assert list(fuzzing.faults(tmp_path, MUTATIONS, [])) == []


@given(st.text(max_size=60))
@settings(max_examples=50)
def test_any_text_is_yaml_or_refused(text):
    pytest.importorskip("yaml")
    with suppress(ValueError):
        parse_value(text)


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_no_network(tmp_path, content):
    path = tmp_path / "any.onnx"
    path.write_bytes(content)
    with pytest.raises(SalboxError):
        inspect(path)


@given(st.binary(min_size=48, max_size=200))
def test_any_bytes_are_no_table(content):
    with pytest.raises(Refusal):
        read_table(content + (0xDB4775248B80FB57).to_bytes(8, "little"))


@given(st.binary(max_size=100))
def test_any_bytes_unpack_to_no_more_than_was_asked_for(content):
    try:
        assert len(unpack_lzf(content, 500)) <= 500
    except ValueError:
        return


@given(st.binary(max_size=100))
def test_the_checksum_is_the_sums_of_its_words(content):
    words = np.frombuffer(content + b"\0" * (len(content) % 2), ">u2").tolist()
    first = second = 0
    for word in words:
        first += word
        second += first
    assert fletcher(content) == (second % 65535, first % 65535)
