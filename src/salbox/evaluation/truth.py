"""What a map is compared with, computed when a metric first asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from ..datasets import Dataset, Fixations, ShuffledNegatives, center_bias, fixation_density
from ..errors import UsageError
from ..metrics import Truth
from ..prediction.images import ImageMaps, Pipeline
from ..types import Pixels, Shape


@dataclass(frozen=True)
class Truths:
    """The truth of a dataset's images.

    Parameters
    ----------
    dataset : Dataset
    sigma : float, optional
        Of densities, in pixels of the image at hand; by default the dataset's own.
    teach : callable, optional
        Returns the teacher's map of an image; no log density.
    """

    dataset: Dataset
    sigma: float | None = None
    teach: Callable[[ImageTruth], npt.NDArray[Any]] | None = None

    def of(self, index: int, pipelines: Iterable[Pipeline] = ()) -> ImageTruth:
        """Return the truth of one image; `pipelines` are those whose maps of it will be asked for."""
        return ImageTruth(self, index, pipelines=pipelines)

    def sigma_of(self, index: int) -> float:
        """Return the sigma of densities on an image, in pixels."""
        return self.dataset.sigma(index) if self.sigma is None else self.sigma

    @cached_property
    def negatives(self) -> ShuffledNegatives:
        """Where people look on a split's other images."""
        count = range(len(self.dataset))
        return ShuffledNegatives([self.dataset.fixations(i) for i in count], [self.dataset.shape(i) for i in count])


class ImageTruth(Mapping[Truth, Any]):
    """The truth of one image: what metrics need, by name, each computed once.

    Parameters
    ----------
    truths : Truths
    index : int
    known : mapping, optional
        What is given instead of being computed.
    pipelines : iterable of Pipeline, optional
        Those whose maps of the image will be asked for.
    """

    def __init__(
        self,
        truths: Truths,
        index: int,
        known: Mapping[Truth, Any] | None = None,
        *,
        pipelines: Iterable[Pipeline] = (),
    ) -> None:
        self.truths, self.index = truths, index
        self._pipelines = tuple(pipelines)
        self._known: dict[Truth, Any] = dict(known or {})

    @cached_property
    def pixels(self) -> Pixels:
        """The image."""
        return self.truths.dataset.pixels(self.index)

    @cached_property
    def maps(self) -> ImageMaps:
        """The maps that models make of the image; a network runs once for all of its heads that were announced."""
        return ImageMaps([self.pixels], self._pipelines, [self.file_name])

    @property
    def file_name(self) -> str:
        """The image's file name."""
        return self.truths.dataset.items[self.index].image.name

    @property
    def shape(self) -> Shape:
        """The image's (H, W)."""
        return self.truths.dataset.shape(self.index)

    @property
    def sigma(self) -> float:
        """Of densities, in pixels."""
        return self.truths.sigma_of(self.index)

    @property
    def negatives(self) -> Fixations:
        """The fixations on the split's other images, in this one's pixels."""
        if len(self.truths.dataset) < 2:
            raise UsageError("one image alone has no other images' fixations: leave out sauc, ig and the baseline")
        return self.truths.negatives.of(self.index)

    def others_log_density(self) -> npt.NDArray[np.float64]:
        """Return the log of the centre bias: the density of the fixations on the split's other images."""
        return np.log(center_bias([self["negatives"]], [self.shape], self.shape, self.sigma))

    def replaced(self, known: Mapping[Truth, Any]) -> ImageTruth:
        """Return the same image's truth with something else in some places."""
        return ImageTruth(self.truths, self.index, {**self._known, **known})

    def __getitem__(self, need: Truth) -> Any:
        if need not in self._known:
            if need not in self:
                raise KeyError(need)
            self._known[need] = self._make(need)
        return self._known[need]

    def __contains__(self, need: object) -> bool:
        if need in self._known:
            return True
        if need == "teacher":
            return self.truths.teach is not None
        required = {"fixations": "fixations", "negatives": "fixations", "baseline": "fixations"}
        return required.get(str(need), need) in self.truths.dataset.gives

    def __iter__(self) -> Iterator[Truth]:
        needs: tuple[Truth, ...] = ("fixations", "negatives", "density", "baseline", "mask", "teacher")
        return (need for need in needs if need in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _make(self, need: Truth) -> Any:
        dataset = self.truths.dataset
        if need == "fixations":
            return dataset.fixations(self.index)
        if need == "negatives":
            return self.negatives
        if need == "baseline":
            return self.others_log_density()
        if need == "mask":
            return dataset.mask(self.index)
        if need == "teacher" and self.truths.teach is not None:
            return self.truths.teach(self)
        # The publisher's own map counts where there is one, unless a sigma was asked for.
        asked = self.truths.sigma is not None and "fixations" in self
        own = None if asked else dataset.density(self.index)
        return fixation_density(self["fixations"], self.shape, self.sigma) if own is None else own
