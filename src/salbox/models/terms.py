"""What may be done for money with the networks that come with this package: their cards lie in their files."""

from __future__ import annotations

from dataclasses import replace

from .cards import NOT_STATED, ModelCard

_LAWYER = "whether that reaches the weights is for your own lawyer to say."
_STUDENT = (
    "Code and weights yes, under Apache-2.0; but most photos that it learned from (DUTS-TR) are offered for research "
    f"only, and {_LAWYER}"
)
_GAZE = (
    "Code and weights yes, under Apache-2.0; but MIT1003, a part of what it learned from, is offered for research, "
    f"without stated terms, as are most other photos that it learned from (DUTS-TR), and {_LAWYER}"
)
SHIPPED = {
    "gaze": _GAZE,
    "gaze.large": _GAZE,
    "scfnet": "Code and weights yes, under Apache-2.0; but most photos that it learned from, and their masks "
    f"(DUTS-TR), are offered for research only, what ISNet marked others by is not all listed, and {_LAWYER}",
    "scfnet.kd": "Code and weights yes, under Apache-2.0; but most photos that it learned from, and the masks that its "
    f"teacher learned from (DUTS-TR), are offered for research only, and {_LAWYER}",
    "unisal.people": "Code and weights yes, under Apache-2.0; but MIT1003, a part of what it learned from, is offered "
    f"for research, without stated terms, and {_LAWYER}",
    "fastgaze.student": "Code and weights yes, under Apache-2.0; but most photos that it learned from (DUTS-TR), and "
    f"the data that its teacher's teacher learned from, are offered for research only, and {_LAWYER}",
    **dict.fromkeys(("unisal.student", "sam.student", "dgii.student"), _GAZE),
}
OF_A_USERS_OWN = (
    "Code yes, under Apache-2.0; the weights as far as the terms of all that they were learned from allow, which "
    "whoever trained them has to know."
)


def with_terms(card: ModelCard) -> ModelCard:
    """Return the card of a network of this package with a sentence on its use for money, if its file has none."""
    if card.commercial_use != NOT_STATED:
        return card
    sentence = SHIPPED.get(card.name, _STUDENT if card.name.endswith(".student") else "")
    return replace(card, commercial_use=sentence) if sentence else card
