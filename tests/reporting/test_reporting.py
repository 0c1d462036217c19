"""Pages from datasets: what they say, and that nothing is computed twice."""

from __future__ import annotations

import base64
import hashlib
import io
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pytest
from PIL import Image
from recording import Recorder, count_passes
from trees import mask_pair, photo, random_osie

from salbox.datasets import open_dataset
from salbox.errors import UsageError
from salbox.evaluation import MapSource, ModelSource, agreement, evaluate, map_folders
from salbox.imaging.postprocess import PostProcess
from salbox.reporting import gather, page, write_report


class Reader(HTMLParser):
    """Elements, their attributes and all text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text, self.depth = "", 0
        self.feed(text)
        self.close()

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def data(tmp_path):
    return open_dataset(f"osie:{random_osie(tmp_path / 'OSIE')}")


def test_the_page_says_everything_and_needs_nothing(data, tmp_path):
    sources = [ModelSource("gaussian"), ModelSource("bms", {"blur_std": 5.0}, PostProcess(scale_output="min-max"))]
    target = tmp_path / "new" / "page.html"
    report = write_report(
        target, data, sources, metrics=["nss", "kl_mit"], baseline=True, ceiling=True, command="salbox report 'a b'",
        folder=tmp_path / "kept",
    )  # fmt: skip
    text = target.read_text(encoding="utf-8")
    read = Reader(text)
    for said in (
        "Saliency models on OSIE", "split test", "centre bias", "human ceiling", "blur_std=5", "scale_output=min-max",
        "10.1167/14.1.28", "Predicting human gaze beyond pixels", "@article", "Boolean Map based Saliency",
        "salbox report 'a b'", "NSS", "95% percentile bootstrap", "UTC", "numpy",
        "1003", "Best by NSS", "Worst by NSS",
    ):  # fmt: skip
        assert said in read.text, said
    for row in ("gaussian", "bms"):
        found = evaluate(data, sources, ["nss"], folder=tmp_path / "kept").estimate(row, "nss")
        assert f"{found.value:.3f}[{found.low:.3f}, {found.high:.3f}]".replace("-", "−") in read.text
    # Nothing is loaded from elsewhere: addresses are of this page, within it, or links to papers.
    for name, attributes in read.elements:
        for key in ("src", "srcset", "href", "action", "data", "poster"):
            address = attributes.get(key)
            if address is not None:
                allowed = ("data:", "#") if name != "a" else ("#", "https://doi.org/")
                assert address.startswith(allowed), (name, address)
    assert "url(" not in text
    assert "@import" not in text
    assert str(tmp_path) not in text
    assert all(attributes["alt"] for name, attributes in read.elements if name == "img")
    assert len(report.models) == 2
    assert [p.name for p in target.parent.iterdir()] == ["page.html"]


def test_best_and_worst_are_those_of_the_evaluation(data, tmp_path):
    report = gather(data, [ModelSource("bms")], metrics=["cc"], examples=2, folder=tmp_path / "kept")
    values = dict(zip(report.evaluation.images, report.evaluation.rows["bms"]["cc"], strict=True))
    order = sorted(values, key=values.get)
    (part,) = report.models
    assert [e.photo.name for e in part.worst] == order[:2]
    assert [e.photo.name for e in part.best] == order[::-1][:2]
    assert [e.value for e in part.best] == pytest.approx([values[name] for name in order[::-1][:2]])
    assert report.agreement is None
    assert report.side_by_side == ()


def test_pictures_show_the_photo_the_truth_and_the_map(data, tmp_path):
    report = gather(data, [ModelSource("gaussian")], examples=1, folder=tmp_path / "kept")
    example = report.models[0].best[0]
    for picture in (example.photo.pixels, example.photo.truth, example.map):
        decoded = Image.open(io.BytesIO(base64.b64decode(picture.uri.partition(",")[2])))
        assert decoded.size == (picture.width, picture.height) == (80, 60)
    gray = np.asarray(decoded.convert("L")).astype(int)
    assert gray[30, 40] > 150
    assert gray[0, 0] < 20


@pytest.mark.slow
def test_agreement_is_that_of_evaluate(data, tmp_path):
    sources = [ModelSource("gaussian"), ModelSource("bms"), ModelSource("imsig")]
    matrix, number = agreement(data, sources)
    collected = gather(data, sources, metrics=["nss"], folder=tmp_path / "kept").agreement
    assert collected.matrix == pytest.approx(matrix, abs=1e-12)
    assert collected.images == number == 6
    # With figures that are there already, maps are made for the agreement alone.
    evaluate(data, sources, ["nss"], folder=tmp_path / "other")
    later = gather(data, sources, metrics=["nss"], folder=tmp_path / "other").agreement
    assert later.matrix == pytest.approx(matrix, abs=1e-12)


@pytest.mark.slow
def test_a_second_page_computes_nothing(data, tmp_path):
    sources = [ModelSource("gaussian"), ModelSource("bms")]

    def gathered(sources):
        progress = Recorder()
        return gather(data, sources, metrics=["nss"], folder=tmp_path / "kept", progress=progress), progress.titles

    first, titles = gathered(sources)
    assert titles == ["images", "pictures"]  # the agreement came with the scores
    second, titles = gathered(sources[::-1])
    assert titles == []
    assert second.models == first.models
    assert second.agreement.matrix == pytest.approx(first.agreement.matrix)
    # One model more: its figures, and the pairs that it is in.
    assert gathered([*sources, ModelSource("imsig")])[1] == ["images", "agreement", "pictures"]


def test_heads_of_one_network_share_its_pass_on_an_image(data, tmp_path, monkeypatch):
    passes = count_passes(monkeypatch)
    sources, progress = [ModelSource("aim.student"), ModelSource("gbvs.student")], Recorder()
    gather(data, sources, metrics=["nss"], examples=1, folder=tmp_path / "kept", progress=progress)
    scored, pictures = (sum(1 for title, _, _ in progress.updates if title == t) for t in ("images", "pictures"))
    assert passes[:scored] == [(1, ("aim", "gbvs"))] * len(data)
    assert len(passes) == scored + pictures
    # With figures that are there already, maps are made for the agreement alone.
    evaluate(data, sources, ["nss"], folder=tmp_path / "other")
    passes.clear()
    gather(data, sources, metrics=["nss"], examples=0, folder=tmp_path / "other")
    assert passes == [(1, ("aim", "gbvs"))] * len(data)


@pytest.mark.slow
def test_what_is_kept_is_no_part_of_the_figures(data, tmp_path):
    gather(data, [ModelSource("gaussian"), ModelSource("bms")], metrics=["nss"], folder=tmp_path / "kept")
    for path in (tmp_path / "kept").rglob("*.jsonl"):
        assert "small map" not in path.read_text(), path


@pytest.mark.slow
def test_several_processes_give_the_same_page(data, tmp_path):
    sources = [ModelSource("gaussian"), ModelSource("bms")]
    one = gather(data, sources, metrics=["nss", "cc"], folder=tmp_path / "one")
    two = gather(data, sources, metrics=["nss", "cc"], folder=tmp_path / "two", workers=2)
    assert one.models == two.models
    assert one.agreement.matrix == pytest.approx(two.agreement.matrix)


def test_an_interrupt_leaves_no_page_and_the_next_run_goes_on(data, tmp_path):
    sources, progress = [ModelSource("gaussian"), ModelSource("bms")], Recorder()
    options = {"metrics": ["nss"], "folder": tmp_path / "kept"}
    (tmp_path / "out").mkdir()
    with pytest.raises(KeyboardInterrupt):
        write_report(tmp_path / "out" / "p.html", data, sources, progress=Recorder(stop_after=3), **options)
    assert list((tmp_path / "out").iterdir()) == []
    write_report(tmp_path / "out" / "p.html", data, sources, progress=progress, **options)
    assert ("images", 3, 3) in progress.updates
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["p.html"]


def test_hostile_names_stay_text(tmp_path):
    hostile = "<img src=x onerror=alert(1)>&\"'é"
    undecodable = b"caf\xe9".decode("utf-8", "surrogateescape")
    root = tmp_path / "mine"
    for k, name in enumerate((hostile, undecodable)):
        photo(root / "images" / f"{name}.png", 60, 40, seed=k)
        (root / "fixations").mkdir(exist_ok=True)
        (root / "fixations" / f"{name}.csv").write_text("10,10\n20,30\n")
    model = tmp_path / "maps" / "<script>alert(1)<script>"
    for k, name in enumerate((hostile, undecodable)):
        photo(model / f"{name}.png", 60, 40, seed=9 + k)
        with Image.open(model / f"{name}.png") as picture:
            picture.convert("L").save(model / f"{name}.png")
    data = open_dataset(f"folder:{root}")
    sources = [ModelSource("gaussian"), *(MapSource(found) for found in map_folders(tmp_path / "maps", data))]
    title = "</title><script>alert(2)</script>"
    target = tmp_path / "page.html"
    write_report(target, data, sources, title=title, command=title, metrics=["nss"], folder=tmp_path / "kept")
    read = Reader(target.read_text(encoding="utf-8"))
    assert [name for name, _ in read.elements].count("script") == 1
    assert not any(key.startswith("on") for _, attributes in read.elements for key in attributes)
    assert all(str(a["src"]).startswith("data:image/jpeg") for name, a in read.elements if name == "img")
    assert hostile in read.text
    assert "caf�" in read.text
    assert "<script>alert(1)<script>" in read.text
    policy = next(a["content"] for _, a in read.elements if a.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2]


def test_the_style_sheet_and_the_script_are_the_files_that_are_installed(data, tmp_path):
    target = tmp_path / "page.html"
    write_report(target, data, [ModelSource("gaussian")], metrics=["nss"], examples=0, folder=tmp_path / "kept")
    text = target.read_text(encoding="utf-8")
    for name, element in (("page.css", "style"), ("page.js", "script")):
        content = resources.files("salbox.reporting").joinpath(name).read_text(encoding="utf-8")
        assert f"<{element}>\n{content}</{element}>" in text
    digest = hashlib.sha256(text.partition("<script>")[2].partition("</script>")[0].encode()).digest()
    assert f"script-src &#x27;sha256-{base64.b64encode(digest).decode()}&#x27;;" in text


@pytest.mark.slow
def test_masks_are_shown_where_they_are_the_truth(tmp_path):
    for name in ("a", "b", "c"):
        mask_pair(tmp_path / "mine" / "images", tmp_path / "mine" / "masks", name)
    data = open_dataset(f"folder:{tmp_path / 'mine'}")
    sources = [ModelSource(name, postprocess=PostProcess(scale_output="min-max")) for name in ("bms", "gaussian")]
    report = gather(data, sources, metrics=["f1"], folder=tmp_path / "kept")
    assert report.models[0].best[0].photo.truth is not None
    assert "F1" in page(report)


def test_a_log_density_beside_a_score(data, tmp_path):
    density = ModelSource("bms", postprocess=PostProcess(scale_output="log-density"))
    report = gather(data, [ModelSource("gaussian"), density], metrics=["ig", "nss"], folder=tmp_path / "kept")
    # Only the density has an information gain: it is first, and images are compared by what both have.
    assert report.order() == ["bms", "gaussian"]
    assert [part.metric.name for part in report.models] == ["ig", "nss"]
    assert {shown.metric.name for shown in report.side_by_side} == {"nss"}
    assert "not defined for this row" in page(report)


def test_a_broken_image_is_named(data, tmp_path):
    path = data.items[2].image
    path.write_bytes(path.read_bytes()[:900])
    report = gather(data, [ModelSource("gaussian"), ModelSource("bms")], metrics=["nss"], folder=tmp_path / "kept")
    assert len(report.evaluation.images) == 5
    text = page(report)
    assert "failed: 1023, gaussian" in text
    assert "5 of 6 images" in text


@pytest.mark.slow
def test_twenty_models_stay_below_15_megabytes(tmp_path):
    root = random_osie(tmp_path / "OSIE", images=12, size=(800, 600))
    rng = np.random.default_rng(0)
    for path in (root / "data" / "stimuli").glob("*.jpg"):  # grain, which costs more than most photos do
        with Image.open(path) as picture:
            pixels = np.asarray(picture).astype(float) + rng.normal(0, 20, (600, 800, 3))
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)
    data = open_dataset(f"osie:{root}")
    for k in range(20):
        for item in data.items:
            path = tmp_path / "maps" / f"model-{k}" / f"{item.name}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            coarse = rng.integers(0, 256, (15, 20), np.uint8)
            Image.fromarray(coarse).resize((400, 300), Image.Resampling.BICUBIC).save(path, compress_level=1)
    sources = [MapSource(found) for found in map_folders(tmp_path / "maps", data)]
    assert len(sources) == 20
    write_report(tmp_path / "page.html", data, sources, metrics=["nss"], folder=tmp_path / "kept")
    assert (tmp_path / "page.html").stat().st_size < 15_000_000


@pytest.mark.parametrize("name", ["page.pdf", "page", "folder.html", "file.html/page.html"])
def test_where_no_page_can_be_written_nothing_is_computed(data, tmp_path, name):
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "file.html").touch()
    with pytest.raises(UsageError, match=r"html|folder"):
        write_report(tmp_path / name, data, [ModelSource("gaussian")], folder=tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
