"""Models that all visitors share, and the maps of one visitor's pictures."""

from __future__ import annotations

import io
import tempfile
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ...imaging.postprocess import NOTHING, PostProcess
from ...imaging.writing import suffix, write_map
from ...models.loading import card, load_for
from ...models.model import Model
from ...models.registry import CLASSICAL, PEOPLE, STUDENTS, list_models
from ...prediction.duration import expected_seconds
from ...prediction.images import folder_name, map_notes, predict
from ...system.threads import available_cores
from ...types import Output, SaliencyMap
from .pictures import comparison_png
from .settings import current
from .uploads import Picture, sample

_FIRST = "gaze"
_TOGETHER = tuple(f"{name}.student" for name in STUDENTS)  # heads of one network
QUICK = (_FIRST, *_TOGETHER, *PEOPLE)
"""Networks that come with salbox: all of them take a fraction of a second."""

ORIGINALS = CLASSICAL
"""Algorithms that take up to some seconds."""

_MAX_BYTES = 48 * 2**20  # of maps kept for one visitor
_TIMED_ON = "chelsea"

# Pictures that are computed at once, whoever asks: each takes memory.
_slots = threading.BoundedSemaphore(max(1, available_cores()))


@contextmanager
def computing() -> Iterator[None]:
    """Wait until one of the places for computations is free, and hold it within."""
    with _slots:
        yield


def shared_model(name: str, without_smoothing: bool = False) -> Model:
    """Return a model, loaded once for everybody; perhaps with its own smoothing switched off."""
    return _loaded(name, without_smoothing)  # lru_cache tells calls with and without a default apart


@lru_cache(maxsize=128)
def _loaded(name: str, without_smoothing: bool) -> Model:
    return load_for(name, {}, PostProcess(do_smoothing="none") if without_smoothing else NOTHING)


def offered() -> tuple[str, ...]:
    """Return the quick models' names, before them those of the app's settings that predict where people look."""
    own = (name for name in current().models if card(name).task == "fixation")
    return tuple(dict.fromkeys([*own, *QUICK]))


def all_ready() -> tuple[str, ...]:
    """Return the names of all models that need no further files and predict where people look, quick ones first."""
    return tuple(dict.fromkeys([*offered(), *list_models(task="fixation", ready=True)]))


def in_turns(names: Sequence[str]) -> list[list[str]]:
    """Return names in the groups in which to compute them, so that the quickest are seen first.

    `gaze` comes first, the heads of the students' network together, every other model by itself.
    """
    first = [name for name in names if name == _FIRST]
    together = [name for name in names if name in _TOGETHER]
    others = [[name] for name in names if name not in (_FIRST, *_TOGETHER)]
    return [group for group in (first, together, *others) if group]


def output_of(name: str, process: PostProcess = NOTHING) -> Output:
    """Return what the numbers of a model's maps are, after post-processing."""
    return process.output_of(card(name).output)


@lru_cache(maxsize=128)
def seconds_of(name: str) -> float:
    """Return about how many seconds a model takes on a picture of a page, measured once."""
    return expected_seconds(shared_model(name), sample(_TIMED_ON).pixels)


@dataclass
class MapCache:
    """The maps of one visitor's pictures, those not asked for longest let go first.

    Attributes
    ----------
    most : int
        Bytes that are kept.
    """

    most: int = _MAX_BYTES
    _kept: OrderedDict[tuple[str, str, bool], SaliencyMap] = field(default_factory=OrderedDict, repr=False)

    def of(self, picture: Picture, names: Iterable[str], process: PostProcess = NOTHING) -> dict[str, SaliencyMap]:
        """Return the maps of a picture's working copy, post-processed, each computed once: {name: (h, w) float32}.

        Networks that several names share run once.
        """
        wanted = list(dict.fromkeys(names))
        smooths = process.replaces_smoothing
        keys = {name: (picture.digest, name, smooths) for name in wanted}
        found = {name: self._kept[key] for name, key in keys.items() if key in self._kept}
        missing = [name for name in wanted if name not in found]
        if missing:
            models = {name: shared_model(name, smooths) for name in missing}
            with computing():
                made = predict(picture.pixels, list(models.values()))
            found |= {name: made[model.name] for name, model in models.items()}
        for name in wanted:
            self._keep(keys[name], found[name])
        return {
            name: found[name] if process == NOTHING else process(found[name], name=picture.stem, output=output_of(name))
            for name in wanted
        }

    @property
    def size(self) -> int:
        """How many bytes are kept."""
        return sum(saliency.nbytes for saliency in self._kept.values())

    def clear(self) -> None:
        """Let all maps go."""
        self._kept.clear()

    def _keep(self, key: tuple[str, str, bool], saliency: SaliencyMap) -> None:
        # A copy: maps of one pass are parts of one block, which any of them would keep.
        self._kept.setdefault(key, saliency.copy())
        self._kept.move_to_end(key)
        while self.size > self.most and len(self._kept) > 1:
            self._kept.popitem(last=False)


def map_file(picture: Picture, name: str, file_format: str, process: PostProcess = NOTHING) -> bytes:
    """Return a model's map in a picture's own size as a file that salbox can read again."""
    model = shared_model(name, process.replaces_smoothing)
    with computing():
        saliency = predict(picture.full(), model, postprocess=process)[model.name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"map{suffix(file_format)}"
        output = output_of(name, process)
        write_map(path, saliency, file_format, map_notes(name, parameters={}), output=output)
        return path.read_bytes()


def comparison_file(picture: Picture, names: Sequence[str], process: PostProcess) -> bytes:
    """Return one labelled picture of a photo's working copy with all of its maps, as PNG.

    The maps are made again: what a page offers to download holds on to nothing that is large.
    """
    return comparison_png(picture.pixels, MapCache().of(picture, names, process), outputs_of(names, process))


def maps_zip(pictures: Sequence[Picture], names: Sequence[str], file_format: str, process: PostProcess) -> bytes:
    """Return a ZIP archive of models' maps of pictures: MODEL/NUMBER-PICTURE.FORMAT, one map in memory at a time."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # the formats are packed already
        for number, picture in enumerate(pictures, 1):
            for name in names:
                target = f"{folder_name(Path(name).name)}/{number:02}-{picture.stem}{suffix(file_format)}"
                archive.writestr(target, map_file(picture, name, file_format, process))
    return buffer.getvalue()


def time_in_words(seconds: float) -> str:
    """Return about how long something takes, as people say it."""
    if seconds < 1:
        return "under a second"
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"  # seconds


def outputs_of(names: Iterable[str], process: PostProcess = NOTHING) -> Mapping[str, Output]:
    """Return {name: what the numbers of its maps are}."""
    return {name: output_of(name, process) for name in names}
