"""What the attributes of an ONNX file's nodes may say: ONNX Runtime divides and counts by some without a look.

A convolution in 0 groups, or blocks of 2**32 numbers (0 once they are cut to 32 bits), end the program.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..errors import one_line
from .protobuf import Refusal

_MOST = 1 << 16  # numbers along a side
_AXES = 16  # more than any tensor has

# Attribute -> the least and the most that each of its whole numbers may be.
_RANGES: Mapping[str, tuple[int, int]] = {
    **dict.fromkeys(("kernel_shape", "strides", "dilations", "output_shape"), (1, _MOST)),
    **dict.fromkeys(("group", "offset_group", "num_groups", "blocksize", "num_outputs"), (1, _MOST)),
    "output_padding": (0, _MOST),
    "pads": (0, _MOST),
    "split": (0, 1 << 31),
    "batch_dims": (0, _AXES),
    **dict.fromkeys(("axis", "axes", "perm"), (-_AXES, _AXES)),
    **dict.fromkeys(
        ("keepdims", "ceil_mode", "count_include_pad", "storage_order", "transA", "transB", "allowzero"), (0, 1)
    ),
    **dict.fromkeys(("exclusive", "reverse", "upper", "align_corners", "antialias", "exclude_outside", "fmod"), (0, 1)),
    **dict.fromkeys(("noop_with_empty_axes", "training_mode"), (0, 1)),
    "p": (1, 2),
}
_NEGATIVE_PADS = ("Pad",)  # which cuts off what is negative


def check_attributes(operator: str, attributes: Mapping[str, Sequence[int]], outputs: int) -> None:
    """Raise a Refusal if a whole number that a node states is none that such a node can be computed with.

    Parameters
    ----------
    operator : str
    attributes : mapping
        Name -> its whole numbers.
    outputs : int
        How many results the node names.
    """
    for name, numbers in attributes.items():
        if name not in _RANGES:
            continue
        low, high = _RANGES[name]
        if name == "pads" and operator in _NEGATIVE_PADS:
            low = -high
        if name == "num_outputs":
            low = high = max(1, outputs)
        wrong = next((number for number in numbers if not low <= number <= high), None)
        if wrong is not None or len(numbers) > 2 * _AXES:
            said = f"{name}={wrong}" if wrong is not None else f"{len(numbers)} numbers of {name}"
            raise Refusal(f"operator '{one_line(operator, 60)}' with {said}, which no network has")
