"""Keys and values in YAML: what is read, and what is refused in one line."""

from __future__ import annotations

import pytest

from salbox.errors import UsageError, WeightsError
from salbox.formats.yaml_file import MAX_BYTES, read_keys


@pytest.fixture
def written(tmp_path):
    def write(content: str | bytes):
        path = tmp_path / "keys.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_plain_values_at_any_depth(written):
    content = "\ufeffname: '1959'\nmean: [0.5, 1, -2]  # comment\nsize: {rule: stretch, of: 32}\nnone: none\nyes: ~\n"
    assert read_keys(written(content.replace("yes", "empty"))) == {
        "name": "1959", "mean": [0.5, 1, -2], "size": {"rule": "stretch", "of": 32}, "none": "none", "empty": None,
    }  # fmt: skip


LAUGHS = "a: &a [x]\n" + "".join(f"{n}: &{n} [*{m}, *{m}]\n" for m, n in zip("abcdefgh", "bcdefghi", strict=True))
REFUSED = {
    "empty": ("", "expected keys"),
    "list": ("- 1", "expected keys"),
    "number": ("1: 2", "the key 1 is no text"),
    "two documents": ("a: 1\n---\na: 2", "not YAML"),
    "unfinished": ("a: [", "not YAML"),
    "control character": ("a: \x00", "not YAML"),
    "no key": ("? [1]\n: 2", "not YAML"),
    "laughs": (LAUGHS, "anchors"),
    "tag": ("a: !!python/object:os.system x", "tags"),
    "tag of YAML's own": ("a: 1\nb: !!int ''", "tags (!) are not read (line 2)"),
    "twice": ("a: 1\nb: {c: 1, c: 2}", "'c' stands twice"),
    "key that is no text": ("a: {1: 2}", "the key 1 is no text"),
    "merged": ("a: 1\n<<: {b: 2}\n<<: {c: 3}", "'<<' stands twice"),
    "number of many bits": ("a: 0x" + "f" * 600, "more than 63 bits"),
    "number that is none": ("a: 0x_", "not YAML"),
    "deep": ("a: " + "[" * 20_000 + "]" * 20_000, "levels"),
    "large": ("a: " + "x" * MAX_BYTES, "more than such a file may have"),
    "huge number": ("a: " + "9" * 10_000, "digits"),
    "no text": (b"a: \xff\xfe", "UTF-8"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case, written):
    content, said = REFUSED[case]
    path = written(content)
    with pytest.raises(WeightsError) as caught:
        read_keys(path, WeightsError)
    message = str(caught.value)
    assert said in message
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < len(str(path)) + 300


def test_dates_are_texts_and_nothing_is_merged(written):
    assert read_keys(written("a: 2020-13-45\nb: {<<: {c: 1}}")) == {"a": "2020-13-45", "b": {"<<": {"c": 1}}}


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        read_keys(tmp_path / "none.yaml")
