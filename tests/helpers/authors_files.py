"""Files in the layouts of the networks' authors, filled by the rule that the architectures' oracles were made with.

Each function writes the file of one network to a folder and returns its path.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import weight_writers as writers
from generated_weights import facts_of, generated, generator
from PIL import Image

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def photo_path(shared: Path) -> Path:
    """The photo that the oracles' maps are of, 800 by 600."""
    return shared / "data" / "OSIE" / "data" / "stimuli" / "1001.jpg"


def unisal(shared: Path, folder: Path) -> Path:
    def exception(key, values, rng):
        if key.startswith("coarse_gaussians_"):
            drawn = rng.random(values.shape)
            return np.stack([0.25 + 0.5 * drawn[..., 0], -1.5 + 1.5 * drawn[..., 1]], axis=-1)
        if key.startswith("smoothing_"):
            drawn = rng.random(values.shape)
            return drawn / drawn.sum()
        if key.startswith("rnn.cell_list.0.a_"):
            return 0.5 + rng.random(values.shape)
        return 0.1 * rng.standard_normal(values.shape) if key.startswith("rnn.cell_list.0.b_") else values

    return write_torch(folder / "weights_best.pth", generated(shared, facts_of(shared, "unisal"), exception))


def transalnet(shared: Path, folder: Path, name: str) -> Path:
    """`name` is transalnet_res or transalnet_dense."""
    facts = facts_of(shared, name)
    assert set(facts["weight_rule_exceptions"]) == {"*.position_embeddings", "decoder.conv7.weight and .bias"}

    def exception(key, values, rng):
        if key.endswith(".position_embeddings"):
            return 0.1 * rng.standard_normal(values.shape)
        return values * np.float32(4) if key.startswith("decoder.conv7.") else values

    return write_torch(folder / f"{name}.pth", generated(shared, facts, exception))


def dgii(shared: Path, folder: Path) -> Path:
    def exception(key, values, rng):
        if ".normalize." in key:
            return np.array(IMAGENET_MEAN if key.endswith("mean") else IMAGENET_STD)
        if key == "readout_network.conv0.weight":
            return values * np.float32(0.5)
        return _finalizer(key, values, rng)

    return write_torch(folder / "dgii.pth", generated(shared, facts_of(shared, "deepgaze2_torch"), exception))


def deepgaze2e(shared: Path, folder: Path) -> Path:
    return write_torch(folder / "deepgaze2e.pth", generated(shared, facts_of(shared, "deepgaze2e"), _finalizer))


def _finalizer(key, values, rng):
    if key.endswith(".gauss.sigma"):
        return 3 + 4 * rng.random(())
    return 0.5 + rng.random(1) if key.endswith(".center_bias_weight") else values


def deepgaze_center_bias(height: int, width: int) -> np.ndarray:
    """The centre bias, a log density, that the DeepGaze oracles were given."""
    rows, columns = (-0.5 * ((np.arange(n) - (n - 1) / 2) / (0.25 * n)) ** 2 for n in (height, width))
    bias = rows[:, None] + columns
    return (bias - np.log(np.exp(bias).sum())).astype(np.float32)


def sam(shared: Path, folder: Path, encoder: str) -> Path:
    """`encoder` is resnet or vgg; that of VGG-16 is a file of a whole model."""
    return writers.write_keras(folder / f"sam-{encoder}.pkl", sam_layers(shared, encoder), whole=encoder == "vgg")


def sam_layers(shared: Path, encoder: str) -> list[tuple[str, dict[str, np.ndarray]]]:
    """A file's layers with their arrays."""
    facts, generate = facts_of(shared, f"sam_{encoder}"), generator(shared)
    shapes = {key: shape for key, shape, _ in facts["keys"]}
    exceptions, roles = facts["weight_rule_exceptions"], facts["attention_roles"]

    def array(layer: str, name: str) -> np.ndarray:
        key = f"{layer}/{name}"
        if layer.startswith("learningprior"):
            shares = np.random.default_rng(zlib.crc32(key.encode())).random(64)
            return np.concatenate([0.2 + 0.6 * shares[:32], 0.05 + 0.9 * shares[32:]]).astype(np.float32)
        values = generate(key, shapes[key])
        if layer.startswith("attentive") and roles[name] in ("W_i.W", "W_f.W", "W_c.W", "W_o.W"):
            return values * np.float32(1024)
        return values * np.float32(exceptions[key].removeprefix("multiplied by ")) if key in exceptions else values

    return [(layer, {name: array(layer, name) for name, _ in names}) for layer, names in facts["h5_layers_in_order"]]


def dinet(shared: Path, folder: Path) -> Path:
    """A file of a whole model."""
    weights = dinet_weights(shared)
    layers = [(layer, {name: weights[name.split(":")[0]] for name in names}) for layer, names in dinet_order(shared)]
    return writers.write_keras(folder / "dinet.h5", layers, whole=True)


def dinet_weights(shared: Path) -> dict[str, np.ndarray]:
    facts, generate = facts_of(shared, "dinet_keras"), generator(shared)
    found = {key: generate(key, shape, kind, "tf") for key, shape, kind in facts["keys"]}
    for key, text in facts["weight_rule_exceptions"].items():
        found[key] = found[key] * np.float32(text.removeprefix("multiplied by "))
    return found


def dinet_order(shared: Path) -> list[tuple[str, list[str]]]:
    """The arrays of each layer as Keras saved them, by name."""
    listed = json.loads((shared / "architectures" / "dinet_keras_h5_layers.json").read_text())
    groups = listed["h5_order_by_top_level_group(trainable then non trainable)"]
    return [("input_1", []), *((name, [array for array, _ in arrays]) for name, arrays in groups)]


def salicon(shared: Path, folder: Path) -> Path:
    weights = generated(shared, facts_of(shared, "opensalicon"), lambda key, values, rng: values)
    return writers.write_caffemodel(folder / "salicon_osie.caffemodel", weights)


def msinet(shared: Path, folder: Path, kind: str = "graph") -> Path:
    """`kind` is graph, a frozen one, or checkpoint."""
    weights = msinet_weights(shared)
    if kind == "checkpoint":
        kernel = "conv1/conv1_1/kernel"
        state = {"beta1_power": np.float32(0.9).reshape(()), f"{kernel}/Adam": weights[kernel]}
        return writers.write_checkpoint(folder / "model_salicon_cpu.ckpt", weights | state)
    program = {"Const": np.float32([103.939, 116.779, 123.68]), "add/x": np.float32([1e-7])}
    return writers.write_graph(folder / "model_salicon_cpu.pb", weights | program)


def msinet_weights(shared: Path) -> dict[str, np.ndarray]:
    generate = generator(shared)
    return {key: generate(key, shape, kind, "tf") for key, shape, kind in facts_of(shared, "msinet")["keys"]}


def scfnet(shared: Path, folder: Path, encoder: str) -> Path:
    """`encoder` is m3_0.5, r50 or swinb."""
    facts, generate = facts_of(shared, f"kdscfnet_{encoder}"), generator(shared)
    exceptions = facts["weight_rule_exceptions"]

    def array(key: str, shape: list[int], kind: str) -> np.ndarray:
        if key.endswith(".relative_position_bias_table"):
            return (0.1 * np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape)).astype(np.float32)
        values = generate(key, shape, kind, "paddle")
        return values * np.float32(exceptions[key].removeprefix("multiplied by ")) if key in exceptions else values

    return writers.write_paddle(
        folder / f"{encoder}.pdparams", {key: array(key, *rest) for key, *rest in facts["keys"]}
    )


def as_tensorflow_decodes(path: Path) -> np.ndarray:
    """Return a photo as TensorFlow decodes it: by libjpeg's fast cosine transform, which Pillow has for drafts.

    Pillow's drafts repeat the colour's pixels instead of interpolating, so that is done here, as libjpeg does it.
    """
    with Image.open(path) as photo:
        photo.draft("YCbCr", None)
        photo.decoderconfig = (1, 1)
        brightness, blue, red = np.moveaxis(np.asarray(photo).astype(np.int64), 2, 0)

    def interpolated(values):
        values = values[::2, ::2]
        around = np.pad(values, ((1, 1), (0, 0)), mode="edge")
        tall = np.stack([3 * values + around[:-2], 3 * values + around[2:]], 1).reshape(-1, values.shape[1])
        around = np.pad(tall, ((0, 0), (1, 1)), mode="edge")
        wide = np.stack([3 * tall + around[:, :-2] + 8, 3 * tall + around[:, 2:] + 7], 2).reshape(len(tall), -1)
        return (wide >> 4) - 128

    def times(factor, values):
        return round(factor * 65536) * values

    blue, red, half = interpolated(blue), interpolated(red), 32768
    channels = (
        brightness + (times(1.402, red) + half >> 16),
        brightness + (half - times(0.34414, blue) - times(0.71414, red) >> 16),
        brightness + (times(1.772, blue) + half >> 16),
    )
    return np.clip(np.stack(channels, 2), 0, 255).astype(np.uint8)


def write_torch(path: Path, arrays: Mapping[str, np.ndarray]) -> Path:
    import torch

    torch.save({key: torch.from_numpy(values) for key, values in arrays.items()}, path)
    return path


def u2net(shared: Path, folder: Path, name: str) -> Path:
    """`name` is u2net or u2netp."""
    facts = facts_of(shared, name)
    ((which, text),) = facts["weight_rule_exceptions"].items()
    assert which == "outconv.weight and .bias"
    factor = np.float32(text.removeprefix("multiplied by "))

    def exception(key, values, rng):
        return values * factor if key.startswith("outconv.") else values

    return write_torch(folder / f"{name}.pth", generated(shared, facts, exception))


def samnet(shared: Path, folder: Path) -> Path:
    """A file of a network that was trained on several GPUs: its names begin with "module."."""
    quiet = {".fuse.conv.1.weight": 0.25, ".fuse.conv.1.bias": 0.25, ".fc2.weight": 0.0625, ".convs.3.weight": 0.0625}
    facts = facts_of(shared, "samnet")
    assert sorted(text for text in facts["weight_rule_exceptions"].values()) == [
        "multiplied by 0.0625", "multiplied by 0.25", "multiplied by 0.5", "multiplied by 0.5"
    ]  # fmt: skip

    def exception(key, values, rng):
        if key.startswith("heads.4."):
            return values * np.float32(0.5)
        within = key.startswith("context_path.")
        factor = next((f for end, f in quiet.items() if within and key.endswith(end)), 1)
        return values * np.float32(factor)

    arrays = generated(shared, facts, exception)
    return write_torch(folder / "SAMNet.pth", {f"module.{key}": values for key, values in arrays.items()})
