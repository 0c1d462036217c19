"""What of an ONNX file is read, and what is refused."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import onnx_writer as ow
import pytest

from salbox.errors import SalboxError, WeightsError
from salbox.formats import onnx_file, protobuf
from salbox.formats.onnx_file import inspect
from salbox.runtime.network import open_network


@pytest.fixture
def written(tmp_path):
    def write(content: bytes) -> Path:
        path = tmp_path / "network.onnx"
        path.write_bytes(content)
        return path

    return write


def refusal(path: Path, max_megabytes: float | None = None) -> str:
    with pytest.raises(WeightsError) as caught:
        inspect(path, max_megabytes)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < len(str(path)) + 200
    return message


def test_reads_what_was_written(written):
    file = inspect(written(ow.student()))
    assert file.opset == 18
    assert file.operators == {"Cast": 1, "Transpose": 1, "Conv": 1, "AveragePool": 1}
    assert [asdict(i) for i in file.initializers] == [{"name": "weight", "shape": (2, 3, 1, 1), "dtype": "float32"}]
    assert file.parameters == 6
    assert [asdict(p) for p in file.inputs] == [{"name": "image", "dtype": "uint8", "shape": ("n", "h", "w", 3)}]
    assert [asdict(p) for p in file.outputs] == [{"name": "maps", "dtype": "float32", "shape": ("n", 2, "a", "b")}]
    assert "salbox" in file.metadata


def test_agrees_with_the_onnx_package(shared):
    onnx = pytest.importorskip("onnx")
    path = shared / "weights" / "glimpse" / "saliency.onnx"
    file, other = inspect(path), onnx.load(path)
    operators = [n.op_type for n in other.graph.node]
    assert file.operators == {name: operators.count(name) for name in operators}
    assert [(i.name, i.shape) for i in file.initializers] == [(t.name, tuple(t.dims)) for t in other.graph.initializer]
    assert file.opset == other.opset_import[0].version
    assert file.inputs[0].shape == (1, 3, 240, 320)


def test_the_ways_in_which_a_tensor_holds_numbers(written):
    packed = b"".join(ow.varint(v) for v in (1, -1, 300))
    tensors = [
        ow.fields((1, 3), (2, 7), (8, "packed"), (7, packed)),
        ow.fields((1, ow.varint(3)), (2, 7), (8, "one by one"), (7, 1), (7, 2), (7, 3)),
        ow.fields((1, 2), (2, 1), (8, "floats"), (4, np.ones(2, np.float32).tobytes())),
        ow.fields((2, 1), (8, "scalar"), (9, bytes(4))),
        ow.fields((1, 0), (2, 1), (8, "empty")),
    ]
    shapes = {i.name: i.shape for i in inspect(written(ow.student(initializers=tensors))).initializers}
    assert shapes == {"packed": (3,), "one by one": (3,), "floats": (2,), "scalar": (), "empty": (0,)}


WEIGHT = np.zeros((2, 3, 1, 1), np.float32)
HOSTILE = {
    "no file": (None, "no such file"),
    "empty": (b"", "empty file"),
    "text": (b"no network at all, only words", "not an ONNX network"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(1000), "not an ONNX network"),
    "zeros": (bytes(1000), "not an ONNX network"),
    "no graph": (ow.fields((1, 8), (8, ow.fields((2, 18)))), "not an ONNX network"),
    "two graphs": (ow.student() + ow.field(7, b""), "not an ONNX network"),
    "foreign domain": (ow.student(middle=[ow.node("Conv", ["planes"], ["x"], domain="evil")]), "evil.Conv"),
    "loop": (ow.student(middle=[ow.node("Loop", ["planes"], ["x"])]), "'Loop'"),
    "control in a name": (ow.student(middle=[ow.node("A\nB\x1b[2J", ["planes"], ["x"])]), "A B"),
    "subgraph": (
        ow.student(middle=[ow.node("Conv", ["planes"], ["x"], ow.field(5, ow.field(6, b"")))]),
        "graph within a graph",
    ),
    "functions": (ow.student() + ow.field(25, b""), "functions"),
    "external": (
        ow.student(initializers=[ow.tensor("weight", WEIGHT, (13, ow.fields((1, "location"), (2, "/etc/passwd"))))]),
        "another file",
    ),
    "location": (ow.student(initializers=[ow.tensor("weight", WEIGHT, (14, 1))]), "another file"),
    "attribute external": (
        ow.student(
            middle=[ow.node("Constant", [], ["x"], ow.field(5, ow.field(5, ow.tensor("", WEIGHT, (14, 1)))))]
        ),
        "another file",
    ),
    "too few numbers": (
        ow.student(initializers=[ow.fields((1, 2**40), (1, 2**40), (2, 1), (8, "weight"), (9, bytes(24)))]),
        "not as many numbers",
    ),
    "negative side": (
        ow.student(initializers=[ow.fields((1, -1), (2, 1), (8, "weight"), (9, bytes(4)))]),
        "no valid shape",
    ),
    "many sides": (
        ow.student(initializers=[ow.fields((1, b"\x01" * 1000), (2, 1), (8, "weight"), (9, bytes(4)))]),
        "no valid shape",
    ),
    "no side of two": (ow.student(initializers=[ow.tensor("weight", WEIGHT[:0])]), "no valid shape"),
    "text tensor": (ow.student(initializers=[ow.fields((1, 1), (2, 8), (8, "weight"), (6, "text"))]), "of text"),
    "strange type": (ow.student(initializers=[ow.fields((1, 1), (2, 99), (8, "weight"), (9, b"")) ]), "number 99"),
    "twice": (ow.student(initializers=[ow.tensor("weight", WEIGHT)] * 2), "two of one name"),
    "no tensor": (ow.student(outputs=[ow.fields((1, "maps"))]), "not a tensor of known shape"),
    "endless number": (b"\xff" * 100, "has no end"),
    "length beyond the end": (ow.field(1, 8) + b"\x3a\xff\xff\xff\xff\x7f", "or a damaged one (a part is cut off)"),
    "name is no text": (ow.student(middle=[ow.fields((4, b"\xff\xfe"))]), "no text"),
}  # fmt: skip


LIES = {  # operator, attribute, its number or numbers, what is said
    "groups of none": ("ConvTranspose", "group", 0),
    "blocks that are 0 in 32 bits": ("DepthToSpace", "blocksize", 2**32),
    "fewer than no axes of a batch": ("GatherND", "batch_dims", -(2**31)),
    "steps of 0": ("MaxPool", "strides", [1, 0]),
    "groups of a norm": ("GroupNormalization", "num_groups", 0),
    "an axis far away": ("Softmax", "axis", 2**40),
    "pads of a pool": ("AveragePool", "pads", [0, 0, -1, 0]),
    "parts": ("Split", "num_outputs", 0),
    "fewer parts than are named": ("Split", "num_outputs", 2),
    "more numbers than sides": ("Conv", "dilations", [1] * 60),
}


@pytest.mark.parametrize("case", LIES)
def test_attributes_that_no_network_has(case, written):
    operator, name, said = LIES[case]
    attribute = ow.integers(name, said) if isinstance(said, list) else ow.integer(name, said)
    message = refusal(written(ow.student(middle=[ow.node(operator, ["planes"], ["x"], attribute)])))
    assert f"'{operator}' with " in message
    assert name in message
    # The operator may stand behind what it states.
    assert name in refusal(written(ow.student(middle=[attribute + ow.node(operator, ["planes"], ["x"])])))


def test_attributes_that_networks_have(written):
    attributes = ow.integers("pads", [0, 0, -2, 1]) + ow.integer("axis", -1)
    inspect(written(ow.student(middle=[ow.node("Pad", ["planes"], ["x"], attributes)])))


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_refused(case, written, tmp_path):
    content, expected = HOSTILE[case]
    assert expected in refusal(tmp_path / "none.onnx" if content is None else written(content))


def test_a_folder_and_a_file_too_large(tmp_path, monkeypatch, written):
    assert "is a folder" in refusal(tmp_path)
    monkeypatch.setattr(onnx_file, "MAX_MEGABYTES", 1e-4)
    assert "MB" in refusal(written(ow.student()))


def test_too_many_nodes_or_parts(written, monkeypatch):
    monkeypatch.setattr(onnx_file, "MAX_NODES", 3)
    assert "more than 3 nodes" in refusal(written(ow.student()))
    monkeypatch.setattr(protobuf, "MAX_FIELDS", 20)
    assert "more parts" in refusal(written(ow.student()))


def test_a_larger_file_where_it_is_allowed(written):
    path = written(ow.student())
    assert "1 MB are more than a network may have (0.0001 MB; max_model_size, --max-model-size)" in refusal(path, 1e-4)
    assert inspect(path, 1).opset == 18


def test_where_outputs_come_from(written):
    assert inspect(written(ow.student())).made_by == {"maps": "AveragePool"}
    file = inspect(written(ow.foreign(last="Sigmoid", outputs=("map", "twice"))))
    assert file.made_by == {"map": "Sigmoid", "twice": "Mul"}


# As rembg's users have them: what the exporters of U2-Net, ISNet and BiRefNet write (the last with a transformer, and
# deformable convolutions in one operator or made of many).
PUBLISHED = (
    "Conv Relu MaxPool Resize Upsample Sigmoid Concat Add Mul Sub Div Slice Pad Shape Gather Unsqueeze Squeeze Cast "
    "Constant ConstantOfShape BatchNormalization AveragePool GlobalAveragePool ConvTranspose Softmax MatMul Transpose "
    "Reshape Flatten Erf Gelu LayerNormalization InstanceNormalization Einsum DeformConv GatherND ScatterND Mod Not "
    "Equal Where Expand Range Split Clip Floor Sqrt Pow ReduceMean Tile And GridSample GatherElements DepthToSpace"
)


def test_operators_of_published_networks_run_and_others_do_not():
    assert set(PUBLISHED.split()) <= onnx_file.OPERATORS
    never = "If Loop Scan RandomNormal RandomUniformLike Multinomial Bernoulli StringConcat Optional SequenceAt"
    assert not set(never.split()) & onnx_file.OPERATORS


def whole_division(operator="Div", by="two", cast=7) -> list[bytes]:
    """Return nodes that divide the picture, as whole numbers, and carry on with what they were given."""
    return [
        ow.node("Cast", ["planes"], ["whole"], ow.integer("to", cast)),
        ow.node(operator, ["whole", by], ["quotient"]),
    ]


def stated(name: str, attribute: bytes) -> bytes:
    return ow.node("Constant", [], [name], attribute)


ZEROS = ow.field(5, ow.fields((1, "value"), (5, ow.tensor("", np.zeros(1, np.int64))), (20, 4)))
DIVISORS = {
    "a constant": ([], [ow.tensor("two", np.array([2]))], None),
    "one a side": ([], [ow.tensor("two", np.array([[2, 3], [4, 5]]))], None),
    "written one by one": ([], [ow.fields((1, 1), (2, 7), (8, "two"), (7, 2))], None),
    "stated in the graph": ([stated("two", ow.integer("value_int", 2))], [], None),
    "changed in shape": (
        [ow.node("Unsqueeze", ["scalar", "axes"], ["two"])],
        [ow.tensor("scalar", np.array(2)), ow.tensor("axes", np.array([0]))],
        None,
    ),
    "of real numbers": ([ow.node("Cast", ["planes"], ["two"], ow.integer("to", 1))], [], None),
    "zero": ([], [ow.tensor("two", np.array([0]))], "may be 0"),
    "one of them zero": ([], [ow.tensor("two", np.array([1, 0, 3]))], "may be 0"),
    "minus one": ([], [ow.tensor("two", np.array([-1]))], "may be 0"),
    "too many to look at": ([], [ow.tensor("two", np.ones(65, np.int64))], "may be 0"),
    "zero stated in the graph": ([stated("two", ZEROS)], [], "may be 0"),
    "computed": ([ow.node("Shape", ["planes"], ["two"])], [], "may be 0"),
    "a sum": (
        [ow.node("Add", ["one", "one"], ["two"])], [ow.tensor("one", np.array([1]))], "may be 0",
    ),
    "cut by a smaller type": (
        [ow.node("Cast", ["large"], ["two"], ow.integer("to", 3))], [ow.tensor("large", np.array([256]))], "may be 0",
    ),
    "cut to 32 bits": ([], [ow.fields((1, 1), (2, 6), (8, "two"), (5, 2**32))], "may be 0"),
    "cut to 8 bits": ([], [ow.fields((1, 1), (2, 3), (8, "two"), (5, ow.varint(256)))], "may be 0"),
    "stated twice": ([stated("two", ow.integer("value_int", 0) + ow.integer("value_int", 2))], [], "result twice"),
    "two tensors": (
        [stated("two", ow.field(5, ow.fields((1, "value"), *[(5, ow.tensor("", np.array(n))) for n in (0, 2)])))],
        [],
        "result twice",
    ),
    "in parts": ([], [ow.fields((1, 1), (2, 7), (8, "two"), (9, bytes(4)), (9, b"\x02\0\0\0"))], "in parts"),
    "from nowhere": ([], [], "may be 0"),
}  # fmt: skip


@pytest.mark.parametrize("operator", ["Div", "Mod"])
@pytest.mark.parametrize("case", DIVISORS)
def test_divisions_of_whole_numbers(case, operator, written):
    before, numbers, said = DIVISORS[case]
    cast = 1 if case == "of real numbers" else 7
    initializers = [ow.tensor("weight", WEIGHT), *numbers]
    path = written(ow.student(middle=[*before, *whole_division(operator, cast=cast)], initializers=initializers))
    if said is None:
        assert inspect(path).operators[operator] == 1
    else:
        assert said in refusal(path)


def test_types_follow_from_the_operators(written):
    """What comes of an operator is divided by 2.0 where it is real; a whole one would need a whole constant."""
    makers = {
        "Where": ow.node("Where", ["truth", "planes", "planes"], ["x"]),
        "CastLike": ow.node("CastLike", ["whole", "planes"], ["x"]),
        "ConstantOfShape": ow.node("ConstantOfShape", ["sides"], ["x"]),
        "Gather": ow.node("Gather", ["planes", "sides"], ["x"]),
        "value_floats": stated("x", ow.field(5, ow.fields((1, "value_floats"), (7, np.ones(2, np.float32).tobytes())))),
    }
    before = [
        ow.node("Cast", ["planes"], ["whole"], ow.integer("to", 7)),
        ow.node("Greater", ["planes", "planes"], ["truth"]),
    ]
    numbers = [ow.tensor("sides", np.array([1])), ow.tensor("weight", WEIGHT)]
    for maker in makers.values():
        nodes = [*before, maker, ow.node("Div", ["planes", "x"], ["y"])]
        inspect(written(ow.student(middle=nodes, initializers=numbers)))
    pool = ow.node("MaxPool", ["planes"], ["pooled", "places"], ow.integers("kernel_shape", (1, 1)))
    for whole in ("truth", "whole", "places"):
        nodes = [*before, pool, ow.node("Div", ["whole", whole], ["y"])]
        assert "may be 0" in refusal(written(ow.student(middle=nodes, initializers=numbers)))


def damaged(content: bytes, seed: int) -> bytes:
    random = np.random.default_rng(seed)
    octets = bytearray(content)
    kind = seed % 4
    if kind == 0:
        return bytes(octets[: random.integers(len(octets))])
    for _ in range(int(random.integers(1, 6))):
        place = int(random.integers(len(octets)))
        if kind == 1:
            octets[place] = int(random.integers(256))
        elif kind == 2:
            del octets[place : place + int(random.integers(1, 20))]
        else:
            octets[place:place] = random.bytes(int(random.integers(1, 20)))
    return bytes(octets)


def test_damaged_files_open_or_cost_one_line(written):
    content = ow.student()
    image = np.full((9, 7, 3), 128, np.uint8)
    worked = refused = 0
    for seed in range(200):
        path = written(damaged(content, seed))
        try:
            (maps,) = open_network(path, threads=1).maps([image])
        except SalboxError as error:
            refused += "\n" not in str(error)
        else:
            assert all(m.shape == (9, 7) and np.isfinite(m).all() for m in maps.values())
            worked += 1
    assert worked + refused == 200
    assert refused > 150
