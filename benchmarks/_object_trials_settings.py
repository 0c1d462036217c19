"""The trials with objects: what each learns, from what, and by which recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from _object_trials_data import Source

from salbox.training.recipe import Recipe, read_recipe

EPOCH = 496  # pictures, whole batches: epochs are short, so that a training that is stopped loses little
BATCH = 16
WIDTHS = (13, 11, 9, 7, 5, 3, 1)  # of boundaries (section 3.3)


@dataclass(frozen=True)
class Encoder:
    """What `scfnet` stands on in all trials.

    Attributes
    ----------
    title : str
    arguments : mapping
        What else is said of the network.
    init : str
        First weights, as `build_network` has it; where that is "none", it learns another encoder's features first.
    rate : float
        Its learning rate over the decoder's.
    page : str
        Where its trials are told of.
    """

    title: str
    arguments: Mapping[str, Any]
    init: str
    rate: float
    page: str


ENCODERS = {
    "tf_efficientnet_lite0": Encoder(
        "EfficientNet-Lite0 up to stride 16", {"deepest": 16}, "imagenet", 0.15, "object-trials-lite0.md"
    ),
    "mobilenetv3_large_050": Encoder("half of MobileNetV3-Large", {}, "none", 0.5, "object-trials.md"),
}

# Published are momentum SGD, batches of 128 and 69 epochs from ImageNet's weights. Few steps want what learns in few.
COMMON = (
    f"epoch_images={EPOCH}",
    f"batch_size={BATCH}",
    "optimizer={name: adamw, learning_rate: 3.0e-3, weight_decay: 1.0e-2}",
    "schedule={name: one-cycle}",
    "crop=0.85",
    "blur=0",
    "brightness=0",
)


@dataclass(frozen=True)
class Trial:
    """A training.

    Attributes
    ----------
    title : str
        What the page calls it.
    learns : what from
    settings : tuple of str
        Of the recipe, on top of `COMMON`.
    student : str
    seed : int
        Of the decoder's first weights, the order of pictures, mirroring and crops.
    size, passes : int, optional
        Pixels, and how often as many pictures are seen as there are photos with masks, if not as in the others.
    teacher : str
        The folder of its maps, beside that of the others' teacher; "" is the same teacher.
    """

    title: str
    learns: Source = "masks"
    settings: tuple[str, ...] = ()
    student: str = "scfnet"
    seed: int = 0
    size: int | None = None
    passes: int | None = None
    teacher: str = ""


POLISHING = "loss={structure-polishing: 1}"


def boundary(width: int) -> tuple[str, ...]:
    """Return the settings of structure polishing with boundaries of one width throughout."""
    return (f"boundary={{widths: [{width}]}}",)


SEEDS = (0, 1, 2)
TRIALS_OF_TABLE_3 = {
    "base-bce": Trial("BASE & BCE", settings=("loss={bce: 1}", "side_weights=[]"), student="base"),
    "bce": Trial("SCFNet & BCE", settings=("loss={bce: 1}",)),
    "dice": Trial("SCFNet & Dice", settings=("loss={dice: 1}",)),
    **{f"sp-{width}": Trial(f"SCFNet & SP {width}x{width}", settings=boundary(width)) for width in (13, 5, 1)},
    "fs-0": Trial("SCFNet & SP, 13x13 to 1x1"),
}
ISNET = "isnet"
TRIALS_OF_TEACHERS = {
    "kd-others-0": Trial("KD from the teacher of the others", "maps of the other photos"),
    "kd-isnet-0": Trial("KD from ISNet", "maps of the other photos", teacher=ISNET),
}
TRIALS_OF_ISNET = {
    f"kd-isnet-all-{seed}": Trial(f"KD from ISNet, seed {seed}", "maps of all photos", seed=seed, teacher=ISNET)
    for seed in SEEDS
}
# Their size, passes and precision: U²-Net-p's dense convolutions take half the time in bfloat16.
OTHER_STUDENTS = {"samnet": ("SAMNet", 192, 6, "32"), "u2netp": ("U²-Net-p", 128, 4, "bf16-mixed")}
SETTINGS: dict[str, Trial] = {
    **{
        f"{name}-{seed}": Trial(f"{name.upper()}, seed {seed}", learns, seed=seed)
        for seed in SEEDS
        for name, learns in (("fs", "masks"), ("kd", "maps of all photos"))
    },
    "kd-same-0": Trial("KD on the photos of FS, seed 0", "maps of the same photos"),
    "kd-sp-0": Trial("KD by structure polishing, seed 0", "maps of all photos", (POLISHING,)),
    **TRIALS_OF_TEACHERS,
    **TRIALS_OF_ISNET,
    "kd-isnet-all-sp-0": Trial(
        "KD from ISNet by structure polishing, seed 0", "maps of all photos", (POLISHING,), teacher=ISNET
    ),
    **{name: trial for name, trial in TRIALS_OF_TABLE_3.items() if name != "fs-0"},
    **{
        f"{student}-{name}": Trial(
            f"{'KD-' if name == 'kd' else ''}{title}",
            learns,
            (f"precision={precision}", *(["loss={bce: 1}"] if name == "fs" else [])),
            student,
            size=size,
            passes=passes,
        )
        for student, (title, size, passes, precision) in OTHER_STUDENTS.items()
        for name, learns in (("fs", "masks"), ("kd", "maps of all photos"))
    },
}


def sizes_of(size: int) -> list[list[int]]:
    """Return the sizes that batches are brought to: multiples of 32 from 224/352 of the whole on, as in the paper."""
    smallest = -(-size * 224 // (352 * 32)) * 32
    return [[side, side] for side in range(smallest, size + 1, 32)]


def recipe_of(trial: Trial, photos: int, size: int, passes: int, rate: float = 1.0) -> Recipe:
    """Return the recipe of a trial; `photos` are those with masks, of which it sees so many passes' worth.

    `rate` is the encoder's learning rate over the decoder's.
    """
    epochs = round(passes * photos / EPOCH)
    sides = () if trial.student == "scfnet" else ("side_weights=[]",)
    settings = [
        *COMMON,
        f"size=[{size}, {size}]",
        f"sizes={sizes_of(size)}",
        f"epochs={epochs}",
        f"validate_every={epochs}",
        *sides,
    ]
    if trial.learns == "masks" or POLISHING in trial.settings:
        settings.append(f"boundary={{widths: {list(WIDTHS)}, every: {epochs / len(WIDTHS):.6f}}}")
    name = "fs-scfnet" if trial.learns == "masks" else "kd-scfnet"
    return read_recipe(name, [*settings, *trial.settings])
