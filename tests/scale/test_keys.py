from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salbox.errors import SalboxError
from salbox.scale.keys import MOST, safe_key


@given(st.text(alphabet="ab./\\:\0\n ~", max_size=12))
def test_no_name_leads_out_of_its_folder(name):
    try:
        key = safe_key("shard", name)
    except SalboxError:
        return
    parts = PurePosixPath(key).parts
    assert parts[0] == "shard"
    assert not {"..", "."} & {*parts}
    assert not any(bad in key for bad in ("\\", "\0", "\n", ":"))


def test_bytes_that_are_no_text_stay_apart():
    assert safe_key("caf\udce9.jpg") == "caf%udce9.jpg"
    assert safe_key("café.jpg") == "café.jpg"


@pytest.mark.parametrize("name", ["", "..", "../..", "a" * (MOST + 1)])
def test_what_cannot_be_a_name_is_refused(name):
    with pytest.raises(SalboxError, match="its name"):
        safe_key(name)
