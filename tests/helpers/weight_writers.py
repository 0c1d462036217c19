"""Files of weights as TensorFlow, Caffe, Keras and Paddle write them, byte by byte, without any of the four."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from onnx_writer import field, fields, varint

from salbox.formats.crc32c import masked_crc32c

TABLE_MAGIC = 0xDB4775248B80FB57
FLOAT32, FLOAT64, INT64 = 1, 2, 9  # TensorFlow's numbers for kinds


def crc32c(content: bytes) -> int:
    """Return the Castagnoli checksum, bit by bit."""
    crc = 0xFFFFFFFF
    for octet in content:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 * (crc & 1))
    return crc ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def block(entries: Sequence[tuple[bytes, bytes]], interval: int = 16) -> bytes:
    """Return a block of a table: keys without what they share with the one before, but for each `interval`-th."""
    content, restarts, before = b"", [], b""
    for index, (key, value) in enumerate(entries):
        shared = 0
        if index % interval == 0:
            restarts.append(len(content))
        else:
            while shared < min(len(key), len(before)) and key[shared] == before[shared]:
                shared += 1
        content += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    restarts = restarts or [0]
    return content + struct.pack(f"<{len(restarts) + 1}I", *restarts, len(restarts))


def table(entries: Mapping[bytes, bytes], per_block: int = 20, compression: int = 0) -> bytes:
    """Return a table with its entries in several blocks, as LevelDB lays it out."""
    content, handles = b"", []

    def add(body: bytes) -> bytes:
        nonlocal content
        handle = varint(len(content)) + varint(len(body))
        body += bytes([compression])
        content += body + struct.pack("<I", masked(crc32c(body)))
        return handle

    ordered = sorted(entries.items())
    for start in range(0, len(ordered), per_block):
        part = ordered[start : start + per_block]
        handles.append((part[-1][0] + b"\xff", add(block(part))))
    footer = add(block([])) + add(block(handles, interval=1))
    return content + footer.ljust(40, b"\0") + struct.pack("<Q", TABLE_MAGIC)


def tensor_shape(shape: Sequence[int]) -> bytes:
    return b"".join(field(2, fields((1, side)) if side else b"") for side in shape)


def bundle_entry(
    shape: Sequence[int], offset: int, size: int, kind: int = FLOAT32, shard: int = 0, checksum: int = 0
) -> bytes:
    pairs = [(1, kind), (2, tensor_shape(shape)), (3, shard), (4, offset), (5, size)]
    return (
        fields(*[(number, value) for number, value in pairs if value != 0])
        + varint(6 << 3 | 5)
        + struct.pack("<I", checksum)
    )


def write_checkpoint(stem: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """Write stem.index and stem.data-00000-of-00001; return the index."""
    entries = {b"": fields((1, 1), (3, fields((1, 1))))}
    offset = 0
    with stem.with_name(f"{stem.name}.data-00000-of-00001").open("wb") as data:
        for name, array in sorted(arrays.items()):
            kind = {"float32": FLOAT32, "float64": FLOAT64, "int64": INT64}[str(array.dtype)]
            content = array.tobytes()
            checksum = masked_crc32c(content)
            entries[name.encode()] = bundle_entry(array.shape, offset, array.nbytes, kind, checksum=checksum)
            offset += data.write(content)
    index = stem.with_name(f"{stem.name}.index")
    index.write_bytes(table(entries))
    return index


def tensor(array: np.ndarray, kind: int = FLOAT32) -> bytes:
    """Return a TensorProto; a single number is a field of its own, as TensorFlow writes it."""
    head = fields((1, kind), (2, tensor_shape(array.shape)))
    if array.size == 1 and array.dtype == np.float32:
        return head + field(5, array.tobytes())
    return head + field(4, array.tobytes())


def graph_node(name: str, operator: str, *attributes: tuple[str, bytes]) -> bytes:
    content = fields((1, name), (2, operator))
    for key, value in attributes:
        content += field(5, fields((1, key), (2, value)))
    return field(1, content)


def constant(name: str, content: bytes) -> bytes:
    return graph_node(name, "Const", ("dtype", fields((6, FLOAT32))), ("value", field(8, content)))


def write_graph(path: Path, arrays: Mapping[str, np.ndarray], *extra: bytes) -> Path:
    """Write a frozen graph: a placeholder, the constants, other nodes."""
    with path.open("wb") as file:
        file.write(graph_node("input", "Placeholder"))
        for name, array in arrays.items():
            file.write(constant(name, tensor(array)))
        for node in extra:
            file.write(node)
        file.write(fields((4, fields((1, 27)))))  # versions
    return path


def blob(array: np.ndarray) -> bytes:
    shape = field(1, b"".join(varint(side) for side in array.shape))
    return field(5, array.astype("<f4").tobytes()) + field(7, shape)


def write_caffemodel(path: Path, arrays: Mapping[str, np.ndarray], *extra: bytes) -> Path:
    """Write a .caffemodel of arrays called "layer/0", "layer/1"; layers without arrays between them."""
    layers: dict[str, list[np.ndarray]] = {}
    for name, array in arrays.items():
        layers.setdefault(name.rpartition("/")[0], []).append(array)
    with path.open("wb") as file:
        file.write(field(1, "network"))
        for name, blobs in layers.items():
            file.write(field(100, fields((1, name), (2, "Convolution"), *[(7, blob(b)) for b in blobs])))
            file.write(field(100, fields((1, f"relu_{name}"), (2, "ReLU"))))
        for content in extra:
            file.write(content)
    return path


def write_keras(path: Path, layers: Sequence[tuple[str, Mapping[str, np.ndarray]]], *, whole: bool = False) -> Path:
    """Write a file of layers with their arrays; of a whole model, with its optimiser's state, if asked."""
    import h5py

    with h5py.File(path, "w") as file:
        root = file
        if whole:
            file.attrs["model_config"] = b"{}"
            file.create_group("optimizer_weights").create_dataset("iterations:0", data=3)
            root = file.create_group("model_weights")
        root.attrs["layer_names"] = np.array([name.encode() for name, _ in layers])
        for name, arrays in layers:
            group = root.create_group(name)
            group.attrs["weight_names"] = np.array([array.encode() for array in arrays])
            for array, values in arrays.items():
                group.create_dataset(array, data=values)
    return path


def write_paddle(path: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    """Write a network's state: a pickle of arrays, and beside them what Paddle itself calls each."""
    names = {"StructuredToParameterName@@": {name: f"parameter_{i}" for i, name in enumerate(arrays)}}
    with path.open("wb") as file:
        pickle.dump({**arrays, **names}, file, protocol=4)
    return path
