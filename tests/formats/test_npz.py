"""Weights in NumPy archives: read exactly, and nothing believed that a file says of itself."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

import salbox
from salbox.formats.npz import open_npz, read_weights

SHAPES = {"conv.weight": (4, 3, 2, 2), "conv.bias": (4,), "scale": ()}


def numbers(kind: str = "float32") -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {name: np.asarray(rng.standard_normal(shape), kind) for name, shape in SHAPES.items()}


def archive(path, members: dict[str, bytes]):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def npy(array: np.ndarray, **options) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, **options)
    return buffer.getvalue()


def refused(path, match: str) -> None:
    with pytest.raises(salbox.WeightsError, match=match) as caught:
        read_weights(path, SHAPES, "some model")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(str(path))


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize("kind", ["float16", "float32", "float64", ">f4"])
def test_reads_what_was_saved(tmp_path, save, kind):
    expected = numbers(kind)
    save(tmp_path / "a.npz", **expected)
    found = read_weights(tmp_path / "a.npz", SHAPES, "some model")
    assert list(found) == list(SHAPES)
    for name, values in found.items():
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, expected[name].astype(np.float32))


def test_reads_arrays_stored_by_column_and_in_format_2(tmp_path):
    expected = numbers()
    members = {f"{name}.npy": npy(np.array(v, order="F"), version=(2, 0)) for name, v in expected.items()}
    found = read_weights(archive(tmp_path / "a.npz", members), SHAPES, "some model")
    np.testing.assert_array_equal(found["conv.weight"], expected["conv.weight"])
    assert found["conv.weight"].flags.c_contiguous


def test_names_must_be_the_network_s(tmp_path):
    path = tmp_path / "a.npz"
    some = numbers()
    del some["scale"]
    np.savez(path, **some)
    refused(path, r"not the weights of some model: it lacks 'scale' \(1 of 3 missing\)$")
    np.savez(path, **numbers(), other=np.zeros(2))
    refused(path, r"it holds 'other' \(1 too many\)$")
    np.savez(path, other=np.zeros(2))
    refused(path, r"it lacks 'conv.weight', 'conv.bias', 'scale' \(3 of 3 missing\) and it holds 'other'")


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.zeros((4, 1), np.float32), r"'conv.bias' has shape \(4, 1\), expected \(4,\)"),
        (np.zeros(4, np.int64), "holds 4 int64, not 4 floats"),
        (np.zeros(4, np.complex64), "holds 4 complex64, not 4 floats"),
        (np.array([1, 2, np.nan, 4]), "not finite"),
        (np.array([1, 2, 1e300, 4]), "not finite"),
        (np.zeros(100_000), r"'conv.bias' has shape \(100000,\), expected \(4,\)"),
        (np.array([None] * 4, object), "'conv.bias': it holds object, not numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow")
def test_arrays_must_be_the_network_s(tmp_path, array, match):
    path = tmp_path / "a.npz"
    np.savez(path, **{**numbers(), "conv.bias": array})
    refused(path, match)


def test_a_header_is_not_believed(tmp_path):
    """An array that claims a terabyte, and one that claims the right shape and has no numbers."""
    members = {f"{name}.npy": npy(values) for name, values in numbers().items()}
    honest = members["conv.bias.npy"]
    huge = honest.replace(b"'shape': (4,)", b"'shape': (250000000000,)").replace(b" " * 11, b"", 1)
    refused(archive(tmp_path / "a.npz", {**members, "conv.bias.npy": huge}), "has shape|not readable")
    refused(
        archive(tmp_path / "b.npz", {**members, "conv.bias.npy": honest[:-16]}),
        "not readable as an .npz with the weights of some model",
    )
    refused(
        archive(tmp_path / "c.npz", {**members, "conv.bias.npy": b"\x93NUMPY\x03\x00" + honest[8:]}),
        "'conv.bias': array format 3.0",
    )


def test_damaged_files(tmp_path):
    path = tmp_path / "a.npz"
    refused(path, "cannot be read")
    path.write_bytes(b"")
    refused(path, "not readable as an .npz with the weights of some model")
    np.savez(path, **numbers())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "not readable as an .npz with the weights of some model")
    changed = bytearray(whole)
    changed[whole.index(npy(numbers()["conv.weight"])[-40:])] ^= 255
    path.write_bytes(changed)
    refused(path, "not readable as an .npz with the weights of some model")  # the archive's checksum
    path.write_bytes(bytes(2_000_000))
    refused(path, "2000000 bytes are more than")
    refused(tmp_path, "cannot be read .a folder")


def test_only_what_is_asked_for_is_read(tmp_path):
    members = {"a.npy": npy(np.arange(6.0).reshape(2, 3)), "b.npy": b"no array", "c.txt": b"a text"}
    path = archive(tmp_path / "a.npz", members)
    with open_npz(path) as stored:
        assert list(stored) == ["a", "b", "c.txt"]
        assert "a" in stored
        assert "d" not in stored
        assert stored["a"].shape == (2, 3)
        np.testing.assert_array_equal(stored["a"].read(), [[0, 1, 2], [3, 4, 5]])
    for name in ("b", "c.txt"):
        with (
            pytest.raises(salbox.UsageError, match=f"not readable as some maps .'{name}': "),
            open_npz(path, "some maps", error=salbox.UsageError) as stored,
        ):
            stored[name].read()


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_packings_are_refused(tmp_path, packing):
    """They unpack without a limit."""
    with zipfile.ZipFile(tmp_path / "a.npz", "w", packing) as file:
        for name, values in numbers().items():
            file.writestr(f"{name}.npy", npy(values))
    refused(tmp_path / "a.npz", "'conv.weight': packed in another way than NumPy does")
