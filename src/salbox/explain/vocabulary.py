"""Which concepts there are: names as people gave them, merged where they mean one thing, kept where they are frequent.

The published study merged the plurals of objects by lemmas, left attributes as they are, and kept what is frequent by
lists that are lost (Chen, Jiang and Zhao, NeurIPS 2023); here the rule stands in their place, and the table that it
makes is written out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..datasets.concepts import Concepts, Region
from ..datasets.wordnet import wordnet_id, words
from ..errors import SalboxError, UsageError
from ..types import Shape

if TYPE_CHECKING:
    import pandas as pd

MIN_PHOTOS = 50  # that a concept has to be on
_ENDINGS = {"ies": ("y",), "ves": ("f", "fe")}  # of plurals, and of their singulars


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
    """Return the concepts of photos: objects, attributes and actions, on at least so many photos each.

    Names are in lower case; WordNet's numbers are put into words where timm is installed. Where `simplemma` is, an
    object that is named in the plural and in the singular is one concept, so that "trees" is "tree"; attributes stay as
    they are, "surfing" and "paved". Names whose usual sense of WordNet is one are one concept, called by the most
    frequent one.

    Raises
    ------
    UsageError
        If no concept is on so many photos.
    """
    names_on: list[set[str]] = []
    objects: set[str] = set()
    senses: dict[str, Counter[str]] = defaultdict(Counter)
    for concepts in annotated:
        names_on.append({name for region in concepts.regions for name in _names(region)})
        objects.update(_plain(region.concept) for region in concepts.regions)
        for region in concepts.regions:
            if region.synsets:
                senses[_plain(region.concept)][region.synsets[0]] += 1
    times = Counter(name for names in names_on for name in names)
    singular_of = {name: singular(name, objects) for name in times}
    usual = {name: found.most_common(1)[0][0] for name, found in senses.items()}
    groups: dict[str, list[str]] = defaultdict(list)
    sense_of: dict[str, str] = {}
    for name in sorted(times, key=lambda name: (-times[name], name)):
        sense = sense_of.setdefault(singular_of[name], usual.get(name, ""))
        groups[f"sense {sense}" if sense else f"name {singular_of[name]}"].append(name)
    concept_of = {name: singular_of[names[0]] for names in groups.values() for name in names}
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


def singular(name: str, objects: Set[str]) -> str:
    """Return what an object is called in the singular, "fire hydrant" of "fire hydrants".

    It is the name with its last word in the singular, if there are objects of both names; otherwise, and without
    simplemma, it is the name itself.

    Parameters
    ----------
    name : str
    objects : set of str
        The names of all objects.
    """
    if name not in objects or find_spec("simplemma") is None:
        return name
    front, space, last = name.rpartition(" ")
    for word in _singulars(last):
        if (found := f"{front}{space}{word}") in objects:
            return found
    return name


def _singulars(word: str) -> Iterator[str]:
    """Yield what a noun's singular may be.

    simplemma knows no parts of speech, and has a verb's where a form is both a noun's and a verb's: "leave" of
    "leaves", "ski" of "skies", "paint" of "painting".
    """
    for ending, others in _ENDINGS.items():
        yield from (word.removesuffix(ending) + other for other in others if word.endswith(ending))
    if not word.endswith("ing"):
        yield import_module("simplemma").lemmatize(word, lang="en").lower()


def _names(region: Region) -> list[str]:
    names = (_plain(region.concept), *map(_plain, region.attributes))
    return [name for name in dict.fromkeys(names) if name]


def _plain(name: str) -> str:
    return " ".join(_in_words(name).lower().split())


@cache
def _in_words(name: str) -> str:
    """Return the first name of a WordNet number, "golf ball" of "n03445777"; anything else as it is."""
    if wordnet_id(name) != name:
        return name
    try:
        return words(name).partition(",")[0]
    except SalboxError:  # a sense that ImageNet does not have, or timm is not installed
        return name
