"""The page of an explanation: what it says, that it needs nothing, that names cannot break out of it."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest
from planted_bases import Colors, write_explanation
from shapes_world import write_world

from salbox.explain import report
from salbox.explain.concept_sets import open_photos
from salbox.explain.files import write_json
from salbox.explain.report import gather, write_report

pytest.importorskip("safetensors")
pytest.importorskip("pyarrow")

HOSTILE = "<img src=x onerror=alert(1)>"


class Reader(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.elements, self.text = [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    write_world(folder, 16)
    things = folder / "things" / "masks"
    (things / "red circle").rename(things / HOSTILE)
    return open_photos([f"masks:{folder / 'things'}"])


@pytest.fixture
def found(photos, tmp_path):
    return write_explanation(tmp_path, photos, Colors())


def test_it_says_what_the_tables_say_and_needs_nothing(found, photos):
    text = write_report(found, Colors(), photos).read_text(encoding="utf-8")
    read = Reader(text)
    best = found.contributions.iloc[0]
    for said in ("What colours looks at", "16photos", "3bases", f"{best['contribution']:.3f}", "Region 1", HOSTILE):
        assert said in read.text, said
    assert HOSTILE not in text
    assert [name for name, _ in read.elements].count("script") == 1
    ids = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    for name, attributes in read.elements:
        assert not any(key.startswith("on") for key in attributes)
        for key in ("src", "href"):
            address = attributes.get(key)
            if address is not None:
                assert address.startswith("data:") or address.removeprefix("#") in ids, (name, address)
    assert "url(" not in text
    assert str(found.folder) not in text


def test_red_is_why_a_red_circle_is_salient(found, photos):
    page = gather(found, Colors(), photos)
    assert [basis.number for basis in page.bases] == [0, 1, 2]  # by the size of their weights
    assert page.bases[0].name == HOSTILE
    assert len(page.whys) == 12
    for why in page.whys:
        first = why.regions[0]
        assert first.reasons[0][0] == 0
        x, y = first.place
        assert np.linalg.norm(photos.pixels(why.photo)[y, x].astype(float) - (220, 30, 30)) < 30


def test_the_photos_of_a_basis_are_those_it_is_most_active_on(found, photos):
    page = gather(found, Colors(), photos)
    for basis in page.bases:
        wanted = found.basis(basis.number, photos=report.SHOTS)["photos"]
        assert [photos.name(shot.photo) for shot in basis.shots] == [name for name, _ in wanted]
        assert [shot.peak for shot in basis.shots] == pytest.approx([peak for _, peak in wanted])
        assert all(shot.outline.startswith("M") for shot in basis.shots)


def test_a_page_holds_so_many_photos_and_says_what_it_leaves_out(found, photos, monkeypatch):
    monkeypatch.setattr(report, "MAX_PHOTOS", 2)
    monkeypatch.setattr(report, "WHYS", 0)
    monkeypatch.setattr(report, "SHOTS", 2)
    page = gather(found, Colors(), photos)
    assert len(page.photos) == 2
    shown = [bool(basis.shots) for basis in page.bases]
    assert shown[0]
    assert not shown[2]
    assert f"{sum(shown)} of 3, as many as the page takes" in Reader(report.html(page, "x")).text


def test_it_is_made_again_only_for_other_tables(found, photos):
    path = write_report(found, Colors(), photos)
    before = path.read_bytes()
    path.write_bytes(before + b" ")
    assert write_report(found, None, photos).read_bytes() == before + b" "
    write_json({"explained_by_named": 0.5}, found.folder / "summary.json")
    again = write_report(type(found)(found.folder), Colors(), photos).read_text(encoding="utf-8")
    assert "50%of the saliency" in Reader(again).text


def test_channels_without_weights_are_shown_by_what_they_cover(photos, tmp_path):
    subject = Colors()
    subject.kernel = None
    found = write_explanation(tmp_path, photos, subject, weighted=False)
    read = Reader(write_report(found, subject, photos).read_text(encoding="utf-8"))
    assert "Region 1" not in read.text
    assert "The channels" in read.text
    assert f"{found.bases['iou'].max():.3f}" in read.text
