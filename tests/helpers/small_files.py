"""Small sound files of every kind that is read, each as its program writes it, to be damaged."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

TABLE = np.array([[3, 4, 1], [7, 5, 1], [10, 11, 2]], np.float64)


def npz(path: Path, compressed: bool = False) -> None:
    (np.savez_compressed if compressed else np.savez)(path, weight=np.ones((2, 3), np.float32), bias=np.arange(4))


def mat_element(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def mat_matrix(name: str, kind: int, shape: tuple[int, ...], body: bytes, flags: int = 0) -> bytes:
    head = mat_element(6, struct.pack("<II", kind | flags, 0)) + mat_element(5, struct.pack(f"<{len(shape)}i", *shape))
    return mat_element(14, head + mat_element(1, name.encode()) + body)


def mat_file(*variables: bytes, packed: bool = False) -> bytes:
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"
    if packed:
        variables = tuple(struct.pack("<II", 15, len(z := zlib.compress(v))) + z for v in variables)
    return head + b"".join(variables)


def mat5(path: Path, packed: bool = False) -> None:
    numbers = mat_matrix("", 6, (3, 3), mat_element(9, TABLE.T.tobytes()))
    text = mat_matrix("", 4, (1, 3), mat_element(16, b"abc"))
    sparse = mat_matrix(
        "", 5, (3, 2), mat_element(5, struct.pack("<2i", 0, 2)) + mat_element(5, struct.pack("<3i", 0, 1, 2))
        + mat_element(9, struct.pack("<2d", 1, 1)), 0x200,
    )  # fmt: skip
    structs = mat_matrix(
        "",
        2,
        (1, 1),
        mat_element(5, struct.pack("<i", 8)) + mat_element(1, b"x\0\0\0\0\0\0\0name\0\0\0\0") + numbers + text,
    )
    cell = mat_matrix("cells", 1, (1, 3), numbers + structs + sparse)
    plain = mat_matrix("fixations", 6, (3, 3), mat_element(9, TABLE.T.tobytes()))
    path.write_bytes(mat_file(plain, cell, packed=packed))


def mat4(path: Path) -> None:
    head = struct.pack("<5i", 0, 3, 3, 0, 10) + b"fixations\0" + TABLE.T.tobytes()
    path.write_bytes(head + struct.pack("<5i", 51, 1, 3, 0, 6) + b"cells\0" + b"abc")


def hdf5(path: Path) -> None:
    import h5py

    with h5py.File(path, "w", userblock_size=512 if path.suffix == ".mat" else 0) as file:
        file.create_dataset("fixations", data=TABLE.T, chunks=(2, 2), compression="gzip", shuffle=True, fletcher32=True)
        file["whole"] = np.arange(12, dtype="i4").reshape(3, 4)
        file.create_dataset("fast", data=np.arange(40) % 3, compression="lzf", maxshape=(None,))
        file["texts"] = np.array(["a", "bé"], object)
        file["fixed"] = np.array([b"x", b"yz"])
        lists = file.create_dataset("lists", (2,), h5py.vlen_dtype(np.int64))
        lists[0], lists[1] = [1, 2, 3], [4]
        references = file.create_dataset("cells", (1, 2), h5py.ref_dtype)
        references[0, 0], references[0, 1] = file["whole"].ref, file["fixations"].ref
        file["group/inner"] = np.ones(2)
        file.attrs["type"], file.attrs["names"], file.attrs["list"] = (
            np.bytes_("Stimuli"),
            '["a"]',
            np.array([b"a", b"b"]),
        )


def keras(path: Path) -> None:
    from weight_writers import write_keras

    write_keras(
        path, [("conv", {"conv/kernel:0": np.ones((3, 3, 1, 2), np.float32), "conv/bias:0": np.ones(2, np.float32)})]
    )


def pysaliency(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["type"], file.attrs["version"], file.attrs["size"] = np.bytes_("Stimuli"), np.bytes_("1.1"), 1
        file.attrs["__attributes__"] = "[]"
        file.create_dataset("0", data=np.zeros((6, 8, 3), np.uint8), compression="gzip", compression_opts=9)


def json_entries(path: Path) -> None:
    path.write_text(json.dumps([{"image_id": n, "objects": [{"x": 1, "names": ["a"]}]} for n in range(3)]))


def salicon(path: Path) -> None:
    images = [{"id": 1, "file_name": "COCO_val2014_000000000001.jpg", "height": 480, "width": 640}]
    ways = [{"id": 1, "image_id": 1, "worker_id": 2, "fixations": [[10, 20], [30, 40]]}]
    path.write_text(json.dumps({"images": images, "annotations": ways}))


RECIPE = """student: box
size: [192, 256]
epochs: 3
optimizer: {name: adamw, learning_rate: 0.001, prefixes: {encoder.: {rate: 0.1}}}
schedule: {name: one-cycle, warm_up: 0.3}
loss: {cc: 1.0, mse: 5}
network: {context: contrast}
"""


CARD = """task: object
output: probability
range: [0, 1]
mean: [0.485, 0.456, 0.406]
size: {rule: letterbox, height: 320, width: 320, fill: 3}
resize: bilinear
paper: {title: A, authors: B, year: 2020}
"""


def exported(path: Path) -> None:
    import onnx_writer

    path.write_bytes(onnx_writer.student())


def foreign(path: Path) -> None:
    import onnx_writer as ow

    kernel = ow.tensor("kernel", np.ones((4, 3, 3, 3), np.float32))
    sides, scales, reshaped = (
        ow.tensor("sides", np.array([1, 4, 6, 8])), ow.tensor("scales", np.array([1, 1, 2, 2], np.float32)),
        ow.tensor("reshaped", np.array([1, 1, 12, -1])),
    )  # fmt: skip
    nodes = [
        ow.node(
            "Conv",
            ["x", "kernel"],
            ["a"],
            ow.integers("strides", [2, 2]) + ow.integers("pads", [1, 1, 1, 1]) + ow.integer("group", 1),
        ),
        ow.node("MaxPool", ["a"], ["b"], ow.integers("kernel_shape", [2, 2]) + ow.integers("dilations", [1, 1])),
        ow.node("Expand", ["a", "sides"], ["c"]),
        ow.node("Resize", ["b", "", "scales"], ["d"]),
        ow.node("DepthToSpace", ["c"], ["e"], ow.integer("blocksize", 2)),
        ow.node("Softmax", ["e"], ["f"], ow.integer("axis", 1)),
        ow.node("Reshape", ["f", "reshaped"], ["maps"]),
    ]
    ports = {
        "inputs": [ow.port("x", "float32", (1, 3, 12, 16))],
        "outputs": [ow.port("maps", "float32", ("a", "b", "c", "d"))],
    }
    path.write_bytes(ow.model(nodes, [kernel, sides, scales, reshaped], **ports))


def caffe(path: Path) -> None:
    from weight_writers import write_caffemodel

    write_caffemodel(path, {"conv/0": np.ones((2, 1, 3, 3), np.float32), "conv/1": np.ones(2, np.float32)})


def checkpoint(path: Path) -> None:
    from weight_writers import write_checkpoint

    write_checkpoint(path.with_suffix(""), {"conv/kernel": np.ones((3, 3, 1, 2), np.float32), "scale": np.ones(1)})


def graph(path: Path) -> None:
    from weight_writers import write_graph

    write_graph(path, {"conv/kernel": np.ones((3, 3, 1, 2), np.float32), "one": np.ones((), np.float32)})


def state() -> dict[str, Any]:
    import torch

    return {
        "conv.weight": torch.ones(2, 1, 3, 3),
        "conv.bias": torch.zeros(2, dtype=torch.float16),
        "steps": torch.tensor(3),
    }


def paddle(path: Path, protocol: int = 4) -> None:
    arrays = {"conv.weight": np.ones((2, 1, 3, 3), np.float32), "conv.bias": np.arange(2), "scale": np.array(0.5)}
    names = {"StructuredToParameterName@@": {name: f"{name}_0" for name in arrays}}
    path.write_bytes(pickle.dumps(arrays | names, protocol=protocol))


def pth(path: Path, old: bool = False) -> None:
    import torch

    torch.save({"state_dict": state()}, path, _use_new_zipfile_serialization=not old)


def safetensors(path: Path) -> None:
    from safetensors.torch import save_file

    save_file(state(), path, metadata={"salbox": "{}"})


SETTINGS = {
    "network": "box",
    "heads": ["a"],
    "settings": {
        "encoder": "mobilenetv2",
        "size": [32, 64],
        "width": 8,
        "context": "contrast",
        "head_width": 4,
        "stride": 2,
        "deepest": 16,
        "detail": 0,
        "output": "score",
    },
}


def run_weights(path: Path) -> None:
    path.write_text(json.dumps(SETTINGS))


def metadata(path: Path) -> None:
    import onnx_writer

    path.write_text(onnx_writer.notes()["salbox"])


def split(path: Path) -> None:
    if path.suffix == ".json":
        path.write_text(json.dumps({"training": ["a", "b/c"], "validation": ["d"], "test": ["e"]}))
    else:
        path.write_text("name,part\na,training\nb/c,validation\nd,test\n")


def run_record(path: Path) -> None:
    from salbox.training.run_folder import RunFolder

    folder = RunFolder(path.parent / "made")
    folder.path.mkdir(exist_ok=True)
    folder.note(identity={"heads": ["a"], "teachers": {"a": "gbvs"}}, flip_cc={"a": {"horizontal": 0.9}}, finished=True)
    made = next(file for file in folder.path.iterdir() if file.suffix == ".json")
    path.with_name("record-name").write_text(made.name)
    path.write_bytes(made.read_bytes())


def results(path: Path) -> None:
    from salbox.evaluation.store import Store

    folder = path.parent / "results"
    store = Store(folder, "gbvs", {"dataset": "x", "metrics": ["nss"]})
    store.add("a", {"nss": 1.5, "roc": np.array([1.0, 2.0])})
    store.add("b/c", {"nss": -1.0})
    assert store.path is not None
    path.write_bytes(store.path.read_bytes())


def points(path: Path) -> None:
    np.save(path, TABLE) if path.suffix == ".npy" else path.write_text("x,y,subject\n3,4,1\n7.5,5,1\n10,11,2\n")


def picture(path: Path) -> None:
    from PIL import Image

    Image.fromarray((np.indices((12, 16)).sum(0) * 9 % 256).astype(np.uint8)).save(path)


def photo(path: Path) -> None:
    from PIL import Image

    pixels = (np.indices((12, 16)).sum(0)[..., None] * np.array([9, 5, 3]) % 256).astype(np.uint8)
    options = {"save_all": True, "append_images": [Image.new("RGB", (16, 12))]} if path.suffix == ".gif" else {}
    Image.fromarray(pixels).save(path, **options)


def video(path: Path) -> None:
    import cv2

    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter.fourcc(*("MJPG" if path.suffix == ".avi" else "mp4v")), 25, (32, 24)
    )
    for value in (10, 90, 200):
        writer.write(np.full((24, 32, 3), value, np.uint8))
    writer.release()


def inner_npz(path: Path) -> None:
    """An array packed into an archive afterwards, so that its head is damaged and not the archive."""
    buffer = io.BytesIO()
    np.save(buffer, TABLE)
    path.write_bytes(buffer.getvalue())
