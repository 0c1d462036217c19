"""The cards of KDSalBox's students: complete, and the figures those of the published table."""

from __future__ import annotations

import csv
import json
import subprocess
import sys

import pytest

from salbox.models.cards import ModelCard
from salbox.networks.kdsalbox import card as kdsalbox


def test_figures_are_the_published_ones(shared):
    with (shared / "published" / "kdsalbox_table1.csv").open() as file:
        rows = {row["model"]: row for row in csv.DictReader(file)}
    assert set(rows) == set(kdsalbox.TABLE_1)
    for name, row in rows.items():
        for figures, data in zip(kdsalbox.TABLE_1[name], ("salicon", "pattern"), strict=True):
            published = [float(row[f"{data}_{column}"]) for column in ("cc", "cc_sd", "kl", "kl_sd")]
            assert [figures.cc, figures.cc_sd, figures.kl, figures.kl_sd] == published


@pytest.mark.parametrize("name", kdsalbox.TABLE_1)
def test_card_is_complete(name):
    card = kdsalbox.CARDS[f"{name}.kdsalbox"]
    assert getattr(kdsalbox, name.upper()) is card
    assert card.name == f"{name}.kdsalbox"
    assert kdsalbox.SOURCE in card.weights_from
    assert f"CC {kdsalbox.TABLE_1[name][0].cc:.2f}" in card.agreement
    assert card.paper is not None
    assert card.paper.bibtex.count("{") == card.paper.bibtex.count("}")
    assert ModelCard.from_dict(json.loads(json.dumps(card.to_dict()))) == card


def test_reading_a_card_imports_no_torch():
    code = "import sys, salbox.networks.kdsalbox.card; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
