"""Fixations of a data set, read before anything is learned: that there are some, and that they lie on the pictures."""

from __future__ import annotations

from dataclasses import replace

from ..datasets.outside import outside_note
from ..errors import ImageError, UsageError
from .plan import Source


def with_fixations(source: Source) -> Source:
    """Return a data set with the pictures that somebody looked at; what is left out is among its notes.

    Raises
    ------
    UsageError
        If nobody looked at any, a file of fixations cannot be read, or too many lie outside their picture.
    """
    data, kept, empty, unreadable = source.training, list[int](), 0, list[str]()
    for index in range(len(data)):
        try:
            if len(data.fixations(index)):
                kept.append(index)
            else:
                empty += 1
        except ImageError as error:
            unreadable.append(str(error))
    notes = [f"{empty} pictures without fixations left out"] if empty else []
    notes += [f"{len(unreadable)} pictures cannot be read and are left out ({unreadable[0]})"] if unreadable else []
    notes += [note] if (note := outside_note(data)) else []
    if not kept:
        raise UsageError(unreadable[0] if unreadable else f"{data.card.name}:{data.path}: no picture has fixations")
    if source.test is not None:  # what is wrong with its fixations is said before the training, not after
        for index in range(len(source.test)):
            try:
                source.test.fixations(index)
            except ImageError:  # the evaluation says so
                continue
        outside_note(source.test)
    if not notes:
        return source
    return replace(source, training=data.subset(kept, "; ".join(notes)))
