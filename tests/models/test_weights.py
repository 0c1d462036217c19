"""Weights of others: found, checked, fetched."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import salbox
from salbox.models import registry
from salbox.models import weights as module
from salbox.models.entries import Checkpoint
from salbox.models.loading import weights_path
from salbox.models.weights import find_weights

CONTENT = b"weights"
HASH = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture(autouse=True)
def _clean(monkeypatch, tmp_path):
    monkeypatch.delenv("SALBOX_WEIGHTS", raising=False)
    monkeypatch.setenv("SALBOX_HOME", str(tmp_path / "home"))


@pytest.fixture
def file(tmp_path) -> Path:
    path = tmp_path / "w.npz"
    path.write_bytes(CONTENT)
    return path


def test_takes_the_path_given_and_checks_its_hash(file):
    assert find_weights("m", file, None, "") == file
    assert find_weights("m", str(file), HASH.upper(), "") == file
    with pytest.raises(salbox.WeightsError, match="not used"):
        find_weights("m", file, "0" * 64, "")
    with pytest.raises(salbox.UsageError, match="64 hexadecimal"):
        find_weights("m", file, "abc", "")


def test_says_where_weights_come_from():
    with pytest.raises(salbox.WeightsError, match="twitter-research/image-crop-analysis") as caught:
        salbox.load("fastgaze")
    assert "\n" not in str(caught.value)


def test_says_which_shipped_student_stands_in():
    assert "gbvs.student" in salbox.list_models(ready=True)
    for name in ("gbvs", "sam"):
        with pytest.raises(salbox.WeightsError, match=rf"; '{name}\.student', which comes with salbox, stands in$"):
            salbox.load(f"{name}.kdsalbox")


def test_says_which_network_of_the_same_design_stands_in():
    with pytest.raises(salbox.WeightsError, match=r"; 'unisal\.people', which comes with salbox, stands in$"):
        salbox.load("unisal")


@pytest.mark.parametrize("name", ["msinet", "dinet", "attention-center"])
def test_gaze_stands_in_for_networks_that_have_no_student(name):
    with pytest.raises(salbox.WeightsError, match=r"; 'gaze', which comes with salbox, stands in$"):
        salbox.load(name)


def test_only_a_model_that_is_there_stands_in(monkeypatch):
    others = {name: entry for name, entry in registry.MODELS.items() if name not in ("gaze", "unisal.people")}
    monkeypatch.setattr(registry, "MODELS", {**others})
    for name in [name for name in others if name.endswith(".student")]:
        assert registry.stand_in(name.partition(".")[0]) == name
        del others[name]
    monkeypatch.setattr(registry, "MODELS", others)
    assert {registry.stand_in(name) for name in others} == {""}
    with pytest.raises(salbox.WeightsError, match=r"--weights unisal=\)$"):
        salbox.load("unisal")


def test_no_fixation_network_stands_in_for_an_object_s(monkeypatch):
    monkeypatch.setitem(registry.MODELS, "objects", Checkpoint("object", card="a:b", predictor="a:b"))
    assert registry.stand_in("objects") == ""


def test_names_a_missing_file(tmp_path):
    with pytest.raises(salbox.WeightsError, match="no such file"):
        find_weights("m", tmp_path / "none.npz", None, "")


@pytest.mark.parametrize("place", ["m/any.npz", "m.npz"])
def test_searches_the_folder_of_weights(tmp_path, monkeypatch, place):
    path = tmp_path / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(CONTENT)
    (path.parent / "LICENSE").write_text("terms")
    monkeypatch.setenv("SALBOX_WEIGHTS", str(tmp_path))
    assert find_weights("m", None, None, "") == path


def test_does_not_choose_between_two_files(tmp_path, monkeypatch):
    for suffix in ("npz", "pth"):
        (tmp_path / f"m.{suffix}").write_bytes(CONTENT)
    monkeypatch.setenv("SALBOX_WEIGHTS", str(tmp_path))
    with pytest.raises(salbox.WeightsError, match="several files"):
        find_weights("m", None, None, "")


def test_refuses_what_is_too_large(file, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 3)
    with pytest.raises(salbox.WeightsError, match="more than weights may have"):
        find_weights("m", file, None, "")


@pytest.mark.parametrize(
    ("url", "sha256", "message"),
    [
        ("http://example.org/w.npz", HASH, "https only"),
        ("ftp://example.org/w.npz", HASH, "https only"),
        ("https://example.org/w.npz", None, "give the file's sha256"),
    ],
)
def test_refuses_urls_it_cannot_trust(url, sha256, message):
    with pytest.raises(salbox.UsageError, match=message):
        find_weights("m", url, sha256, "")


class Response:
    """What `requests.get` gives, without a network."""

    def __init__(self, content: bytes, *urls: str) -> None:
        self.content, self.url = content, urls[-1]
        self.history = [Response(content, url) for url in urls[:-1]]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def raise_for_status(self):
        return None

    def iter_content(self, size):
        return (self.content[i : i + 2] for i in range(0, len(self.content), 2))


@pytest.fixture
def web(monkeypatch):
    """Answer every request with `CONTENT`, and count the requests."""
    asked = []

    def get(url, **_):
        asked.append(url)
        plain = url.replace("https", "http")
        return Response(
            CONTENT, *{"moved": (url, plain), "hops": (url, plain, url)}.get(url[8:].partition(".")[0], (url,))
        )

    monkeypatch.setattr("requests.get", get)
    return asked


def test_fetches_once(web, tmp_path):
    first = find_weights("m", "https://example.org/w.npz", HASH, "")
    assert first.read_bytes() == CONTENT
    assert first.suffix == ".npz"
    assert tmp_path in first.parents
    assert find_weights("m", "https://example.org/w.npz", HASH, "") == first
    assert len(web) == 1


@pytest.mark.parametrize("url", ["https://example.org/../../etc/passwd", "https://example.org/a.npz?x=../../b"])
def test_no_url_leaves_the_folder(web, url, tmp_path):
    path = find_weights("m", url, HASH, "")
    assert path.parent == tmp_path / "home" / "weights"


def test_a_wrong_hash_leaves_nothing(web, tmp_path):
    with pytest.raises(salbox.WeightsError, match="could not be fetched"):
        find_weights("m", "https://example.org/w.npz", "1" * 64, "")
    assert not [p for p in (tmp_path / "home").rglob("*") if p.is_file()]


def test_a_file_that_never_ends_is_given_up(web, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "MAX_BYTES", 3)
    with pytest.raises(salbox.WeightsError, match="more than 3 bytes"):
        find_weights("m", "https://example.org/w.npz", HASH, "")


@pytest.mark.parametrize("host", ["moved", "hops"])
def test_a_redirect_out_of_https_is_refused_wherever_it_ends(web, host):
    with pytest.raises(salbox.WeightsError, match="not https"):
        find_weights("m", f"https://{host}.example.org/w.npz", HASH, "")


def test_says_which_file_a_model_takes_its_weights_from(file):
    assert weights_path("gbvs") is None
    assert weights_path("fastgaze", file, HASH) == file
    for name in ("gaze", "gbvs.student"):
        path = weights_path(name)
        assert path is not None
        assert weights_path(str(path)) == salbox.load(name).weights == path


@pytest.mark.parametrize("given", [{"weights": "w.npz"}, {"sha256": HASH}])
@pytest.mark.parametrize("name", ["gbvs", "gaze", "gbvs.student"])
def test_weights_that_a_model_does_not_take_are_refused(name, given):
    with pytest.raises(salbox.UsageError, match=f"^model '{name}' .*; leave weights out$"):
        weights_path(name, **given)
