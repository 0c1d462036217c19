"""Weights in NumPy archives: read exactly, and nothing believed that a file says of itself."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

import salbox
from salbox.networks._npz import read_weights

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
    refused(path, r"it lacks 'conv.weight' \(3 of 3 missing\) and it holds 'other'")


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.zeros((4, 1), np.float32), r"'conv.bias' has shape \(4, 1\), expected \(4,\)"),
        (np.zeros(4, np.int64), "holds int64, expected floating"),
        (np.zeros(4, np.complex64), "holds complex64, expected floating"),
        (np.array([1, 2, np.nan, 4]), "not finite"),
        (np.array([1, 2, 1e300, 4]), "not finite"),
        (np.zeros(100_000), "'conv.bias' is larger than"),
        (np.array([None] * 4, object), "expected floating"),
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
    refused(archive(tmp_path / "a.npz", {**members, "conv.bias.npy": huge}), "has shape|not a sound")
    refused(archive(tmp_path / "b.npz", {**members, "conv.bias.npy": honest[:-16]}), "not a sound .npz")
    refused(archive(tmp_path / "c.npz", {**members, "conv.bias.npy": b"\x93NUMPY\x03\x00" + honest[8:]}), "format 3.0")


def test_damaged_files(tmp_path):
    path = tmp_path / "a.npz"
    refused(path, "cannot be read")
    path.write_bytes(b"")
    refused(path, "not a sound .npz")
    np.savez(path, **numbers())
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "not a sound .npz")
    changed = bytearray(whole)
    changed[whole.index(npy(numbers()["conv.weight"])[-40:])] ^= 255
    path.write_bytes(changed)
    refused(path, "not a sound .npz")  # the archive's checksum
    path.write_bytes(bytes(2_000_000))
    refused(path, "2000000 bytes are too many")
    refused(tmp_path, "cannot be read|not a sound")
