"""Which concepts there are: names as people gave them, merged where they mean one thing, kept where they are frequent.

The published study merged plurals by lemmas and kept frequent objects and attributes by lists that are lost (Chen,
Jiang and Zhao, NeurIPS 2023); here the rule stands in their place, and the table that it makes is written out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..datasets.concepts import Concepts, Region
from ..errors import UsageError
from ..types import Shape

if TYPE_CHECKING:
    import pandas as pd

MIN_PHOTOS = 50  # that a concept has to be on


@dataclass(frozen=True)
class Vocabulary:
    """The concepts.

    Attributes
    ----------
    concepts : tuple of str
        In ascending order.
    photos : tuple of int
        On how many photos each is.
    concept_of : mapping
        A name as it was given -> the concept that it stands for; names of no concept are not in it.
    """

    concepts: tuple[str, ...]
    photos: tuple[int, ...]
    concept_of: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.concepts)

    def masks(self, annotated: Concepts, shape: Shape) -> tuple[list[int], npt.NDArray[np.bool_]]:
        """Return the places of the concepts on a photo, and the pixels of each: (K,) and (K, h * w) bool.

        A concept that covers no pixel at that size is left out.

        Parameters
        ----------
        annotated : Concepts
        shape : (h, w)
            Of the masks.
        """
        found: dict[str, npt.NDArray[np.bool_]] = {}
        for region in annotated.resized(shape).regions:
            mask: npt.NDArray[np.bool_] | None = None
            for name in _names(region):
                concept = self.concept_of.get(name)
                if concept is None:
                    continue
                mask = region.mask(shape) if mask is None else mask
                found[concept] = found[concept] | mask if concept in found else mask
        places = [i for i, concept in enumerate(self.concepts) if concept in found and found[concept].any()]
        rows = [found[self.concepts[i]].ravel() for i in places]
        return places, np.array(rows, np.bool_).reshape(len(rows), shape[0] * shape[1])

    def table(self) -> pd.DataFrame:
        """Return name, concept and the concept's photos, a row a name."""
        import pandas as pd

        photos = dict(zip(self.concepts, self.photos, strict=True))
        rows = sorted((concept, name, photos[concept]) for name, concept in self.concept_of.items())
        return pd.DataFrame(rows, columns=["concept", "name", "photos"])


def build_vocabulary(annotated: Iterable[Concepts], min_photos: int = MIN_PHOTOS) -> Vocabulary:
    """Return the concepts of photos: objects and attributes, merged by lemma and sense, on at least so many photos.

    Names are in lower case. Where `simplemma` is installed the last word of each becomes its lemma, so that "trees" is
    "tree". Names whose usual sense of WordNet is one are one concept, called by the most frequent of them.

    Raises
    ------
    UsageError
        If no concept is on so many photos.
    """
    names_on: list[set[str]] = []
    senses: dict[str, Counter[str]] = defaultdict(Counter)
    for concepts in annotated:
        names_on.append({name for region in concepts.regions for name in _names(region)})
        for region in concepts.regions:
            if region.synsets:
                senses[_plain(region.concept)][region.synsets[0]] += 1
    times = Counter(name for names in names_on for name in names)
    lemma_of = {name: lemma(name) for name in times}
    usual = {name: found.most_common(1)[0][0] for name, found in senses.items()}
    groups: dict[str, list[str]] = defaultdict(list)
    sense_of_lemma: dict[str, str] = {}
    for name in sorted(times, key=lambda name: (-times[name], name)):
        sense = sense_of_lemma.setdefault(lemma_of[name], usual.get(name, ""))
        groups[f"sense {sense}" if sense else f"lemma {lemma_of[name]}"].append(name)
    concept_of = {name: lemma_of[names[0]] for names in groups.values() for name in names}
    photos = Counter(concept for names in names_on for concept in {concept_of[name] for name in names})
    kept = sorted(concept for concept, number in photos.items() if number >= min_photos)
    if not kept:
        most = f", the most frequent is on {max(photos.values())}" if photos else ""
        raise UsageError(f"no concept is on {min_photos} of {len(names_on)} photos{most}; give --min-photos")
    frequent = set(kept)
    return Vocabulary(
        tuple(kept),
        tuple(photos[concept] for concept in kept),
        {name: concept for name, concept in concept_of.items() if concept in frequent},
    )


def lemma(name: str) -> str:
    """Return a name with its last word's lemma, "fire hydrant" of "fire hydrants"; as it is without simplemma."""
    if find_spec("simplemma") is None:
        return name
    simplemma = import_module("simplemma")
    front, space, last = name.rpartition(" ")
    return f"{front}{space}{simplemma.lemmatize(last, lang='en').lower()}"


def _names(region: Region) -> list[str]:
    return list(dict.fromkeys(_plain(name) for name in (region.concept, *region.attributes) if _plain(name)))


def _plain(name: str) -> str:
    return " ".join(name.lower().split())
