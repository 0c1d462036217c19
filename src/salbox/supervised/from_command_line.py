"""A plan from what a command line is given: names, folders, texts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from ..datasets import ALL, Dataset, dataset_card, open_dataset, open_density_maps
from ..errors import UsageError, nearest
from ..imaging.postprocess import NOTHING, PostProcess
from ..networks.encoders import TENSORFLOW
from ..networks.trainable import imagenet
from ..networks.trainable.factory import encoder_of
from ..paths import user_path
from ..training.clock import Clock
from ..training.recipe import Recipe, read_recipe
from ..training.splitting import Part
from .plan import Plan, Source

# The parts of a data set that tests are made on, the first that fits, and the one that is learned from.
TEST_SPLITS = ("test", "validation", "val")
TRAINING_SPLIT = "train"
OWN = "maps"  # what photos and maps of one's own are called
OWN_FOLDER = "folder"  # the kind of data set that a study of one's own is


def make_plan(
    recipe: str,
    run: Path,
    *,
    datasets: Sequence[str] = (),
    weights: Sequence[str] = (),
    images: Path | None = None,
    maps: Path | None = None,
    settings: Sequence[str] = (),
    encoder: str | None = None,
    size: tuple[int, int] | None = None,
    init: str | None = None,
    head: str = "people",
    chosen: Mapping[str, Part] | None = None,
    all_images: bool = False,
    allow_outside: bool = False,
    preprocess: PostProcess = NOTHING,
    seed: int = 0,
    max_seconds: float | None = None,
    compress: bool = False,
    clock: Clock = "wall",
    device: str = "cpu",
    devices: int = 1,
    nodes: int = 1,
) -> Plan:
    """Return a plan.

    Parameters
    ----------
    recipe : str
        A name, or a YAML file.
    run : Path
    datasets : texts
        "[LABEL=]NAME:PATH".
    weights : texts
        "LABEL=NUMBER".
    images, maps : Path, optional
        Two folders with files of equal names.
    settings : texts
        "key=value" of the recipe.
    init : str, optional
        By default "imagenet" where a package brings weights of the encoder, else "none".
    all_images : bool
        Learn from all parts of the data sets.
    allow_outside : bool
        See `salbox.datasets.open_dataset`.

    Other parameters are those of `Plan` and `read_recipe`.

    Raises
    ------
    UsageError
        If something does not exist or does not fit.
    """
    if (images is None) != (maps is None):
        raise UsageError("--images and --maps go together: photos and their fixation maps, files of equal names")
    if chosen is not None and all_images:
        raise UsageError("--split and --all-images exclude each other")
    read = read_recipe(recipe, settings, encoder=encoder, size=size)
    shares = _weights(weights)
    whole = all_images or chosen is not None
    sources = [_source(text, shares, whole=whole, allow_outside=allow_outside) for text in datasets]
    if images is not None and maps is not None:
        data = open_density_maps(user_path(images), user_path(maps))
        sources.append(Source(OWN, data, weight=shares.pop(OWN, 1.0)))
    if shares:
        name, known = next(iter(shares)), [source.name for source in sources]
        raise UsageError(f"--weight {name}: no data set is called so{nearest(name, known)} ({', '.join(known)})")
    return Plan(
        sources=tuple(sources),
        run=run,
        recipe=read,
        head=head,
        init=default_init(read) if init is None else init,
        chosen=chosen,
        held_out=not all_images,
        preprocess=preprocess,
        seed=seed,
        max_seconds=max_seconds,
        compress=compress,
        clock=clock,
        device=device,
        devices=devices,
        nodes=nodes,
    )


def default_init(recipe: Recipe) -> str:
    """Return the first weights where none are named: those of an installed package, else none."""
    encoder = encoder_of(recipe.student, recipe.encoder)
    return "imagenet" if encoder in imagenet.PACKAGES or encoder == TENSORFLOW else "none"


def _source(text: str, shares: dict[str, float], *, whole: bool, allow_outside: bool) -> Source:
    """Return a data set to learn from: its training part with the part for tests beside it, or all of it."""
    label, equals, rest = text.partition("=")
    spec = rest if equals and ":" not in label else text
    name = spec.partition(":")[0]
    if name == spec and user_path(spec).exists():
        raise UsageError(f"--dataset {text}: of what kind? NAME:PATH, such as {OWN_FOLDER}:{spec}")
    splits = dataset_card(name).splits
    if whole or TRAINING_SPLIT not in splits:
        training, testing = open_dataset(spec, ALL, allow_outside=allow_outside), None
    else:
        training = open_dataset(spec, TRAINING_SPLIT, allow_outside=allow_outside)
        testing = _apart(spec, splits, training)
    own = label if spec != text else name
    return Source(own, training, testing, shares.pop(own, 1.0))


def _apart(spec: str, splits: Collection[str], training: Dataset) -> Dataset | None:
    """Return the part for tests: one with truth of which no image trains; None if there is none here."""
    learned = {item.name for item in training.items}
    for split in (split for split in TEST_SPLITS if split in splits):
        try:
            found = open_dataset(spec, split, allow_outside=training.allow_outside)
        except UsageError:  # no image of it is here
            continue
        if found.gives & training.gives and not learned & {item.name for item in found.items}:
            return found
    return None


def _weights(texts: Sequence[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            found[name] = float(number)
        except ValueError:
            raise UsageError(f"--weight '{text}': expected LABEL=NUMBER, such as osie=2") from None
    return found
