"""The page on datasets names each of them, with the numbers that its card has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from salbox.datasets import DATASETS, dataset_card

PAGE = Path(__file__).resolve().parents[2] / "docs" / "datasets.md"


@pytest.mark.parametrize("name", DATASETS)
def test_the_page_has_a_row_with_the_cards_numbers(name):
    row = "\n".join(re.findall(rf"^\| `{name}` \|.*$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    assert row
    card = dataset_card(name)
    if card.fixations is not None and "eyecrowd-faces" not in row:
        assert f"{card.fixations:,}" in row
    published = card.images.get("all") or sum(card.images.values())
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", row)]
    assert not published or published in numbers or published == sum(numbers[: len(card.images)]) or "as `" in row


@pytest.mark.parametrize("name", DATASETS)
def test_a_card_says_what_there_is_to_know(name):
    card = dataset_card(name)
    assert card.name == name
    assert card.meaning
    assert card.layout
    assert card.license
    assert not card.default_split or card.default_split in (*card.splits, "all")
    assert set(card.images) <= {*card.splits, "all"}
    assert (card.sigma is None) == (card.sigma_width is None) == (card.sigma_source == "")
    if card.paper is not None:
        assert card.paper.bibtex.startswith("@")
        assert card.paper.bibtex.count("{") == card.paper.bibtex.count("}")
        assert str(card.paper.year) in card.paper.bibtex
