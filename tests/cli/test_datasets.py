"""`salbox datasets`: the list, a card, and what a folder holds."""

from __future__ import annotations

import json
from functools import partial

import pytest
from trees import mask_pair, nus_tree, photo

from salbox.datasets import DATASETS


@pytest.fixture
def cli(cli):
    """`salbox datasets`."""
    return partial(cli, "datasets")


def test_the_list(cli):
    code, out, _ = cli()
    assert code == 0
    for name in DATASETS:
        assert name in out
    assert "Xu et al. 2014" in out
    cards = json.loads(cli("--json")[1])
    assert [card["name"] for card in cards] == list(DATASETS)
    assert next(card for card in cards if card["name"] == "ecssd")["images"] == {"test": 1000}
    assert all({"kind", "licence", "layout", "splits", "paper"} <= card.keys() for card in cards)
    assert cli("--bibtex")[1].count("@") >= 8


def test_a_card(cli):
    code, out, _ = cli("ecssd")
    assert code == 0
    assert "ground_truth_mask" in out
    assert "@article{shi2016hierarchical" in out
    assert "https://doi.org/10.1109/TPAMI.2015.2465960" in out
    assert json.loads(cli("ecssd", "--json")[1])["paper"]["year"] == 2016
    assert cli("ecssd", "--bibtex")[1].startswith("@article{shi2016hierarchical")


def test_a_folder(cli, tmp_path):
    for k in range(3):
        mask_pair(tmp_path / "my data" / "images", tmp_path / "my data" / "ground_truth_mask", str(k))
    code, out, _ = cli(tmp_path)
    assert code == 0
    assert "3 of 1000 present" in out
    assert f'salbox evaluate -m NAMES --dataset "ecssd:{tmp_path / "my data"}"' in out
    code, out, _ = cli(tmp_path / "my data", "--json")
    held = json.loads(out)["holds"]
    assert [h["name"] for h in held] == ["ecssd"]
    assert held[0]["splits"] == {"test": 3}
    assert held[0]["published"] == [{"part": "test", "present": 3, "published": 1000}]
    assert held[0]["read"] is None


def test_everything_is_read_when_asked(cli, tmp_path):
    tree = nus_tree(tmp_path, {f"{k:03}.jpg": [([5.0], [5.0])] for k in (1, 2)}, (40, 30), absent=["002.jpg"])
    code, out, _ = cli(f"eyecrowd:{tree}", "--read")
    assert code == 0
    assert "1 of 2 entries of eye/fixations.mat present as images" in out
    assert "all of it" in out
    (tree / "data" / "stimuli" / "001.jpg").write_bytes(b"no picture")
    code, out, _ = cli(tree, "--read")
    assert code == 1
    assert "all but 1" in out
    assert "001.jpg" in out


def test_a_folder_of_no_known_layout_is_one_line(cli, tmp_path):
    photo(tmp_path / "a.jpg", 40, 30)
    code, out, _ = cli(tmp_path)
    assert code == 1
    assert "a plain folder of 1 photos without ground truth" in out
    assert out.count("\n") == 1
    code, out, _ = cli(tmp_path, "--json")
    assert code == 1
    assert json.loads(out)["holds"] == []
    assert "plain folder" in json.loads(out)["remark"]


def test_a_recognised_folder_that_cannot_be_opened(cli, tmp_path):
    nus_tree(tmp_path, {"1003.jpg": [([5.0], [5.0])]}, (40, 30))
    path = tmp_path / "data" / "eye" / "fixations.mat"
    path.write_bytes(path.read_bytes()[:200])
    code, out, _ = cli(tmp_path)
    assert code == 1
    assert "fixations.mat" in out
    code, _, complaint = cli(f"osie:{tmp_path}")
    assert code == 2
    assert "fixations.mat" in complaint


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["osei"], "'osei' is neither a dataset nor a folder; did you mean 'osie'"),
        (["zzzzzz"], "'salbox datasets' lists what is known"),
        (["some/where"], "some/where: no such folder"),
        (["ecssd:nowhere"], "no such folder"),
        (["ecssd", "--read"], "--read goes with a folder"),
        ([".", "--bibtex"], "--bibtex goes with a dataset's name"),
    ],
)
def test_wrong_usage(cli, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, complaint = cli(*arguments)
    assert (code, out) == (2, "")
    assert message in complaint


def test_a_file_is_not_a_folder(cli, tmp_path):
    path = photo(tmp_path / "a.jpg", 40, 30)
    code, _, complaint = cli(path)
    assert code == 2
    assert "no such folder" in complaint
