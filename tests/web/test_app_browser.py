"""The app in a real browser: what one drops, changes, downloads; what is broken or too large; two visitors."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import time
import urllib.request
import zipfile

import axe
import numpy as np
import pytest
from devtools import CHROMIUM
from image_bytes import image_bytes
from PIL import Image

from salbox.web.app.launch import free_port
from salbox.web.app.maps import QUICK

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (make test-web)")
pytest.importorskip("streamlit")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium (make test-web)")]

WAIT = 120_000  # milliseconds
MODELS = len(QUICK)  # that are shown at first


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The app, served by a process of its own that has nothing but a temporary folder."""
    folder = tmp_path_factory.mktemp("app")
    port = free_port("127.0.0.1", None, range(8651, 8699))
    here = {**os.environ, "HOME": str(folder), "SALBOX_HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir()
    command = [sys.executable, "-c", "from salbox.cli.main import run; run()", "app", "--no-open", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=here, stdout=log, stderr=log)
        try:
            _wait_for(f"http://localhost:{port}/_stcore/health", process, folder / "log")
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            process.wait(30)
    assert not list((folder / "tmp").iterdir()), "something was left behind"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser):
    """A visitor's page; nothing may be asked of any other machine."""
    context = browser.new_context(viewport={"width": 1300, "height": 1800}, accept_downloads=True)
    opened = context.new_page()
    elsewhere: list[str] = []
    opened.on("request", lambda request: _is_elsewhere(request.url) and elsewhere.append(request.url))
    opened.set_default_timeout(WAIT)
    yield opened
    context.close()
    assert not elsewhere


def test_drop_change_compare_and_download(page, address):
    page.goto(address)
    _drop(page, 0, "my photo.png", _photo())
    _until(lambda: len(_sources(page)) == MODELS)
    page.get_by_test_id("stMain").get_by_text("Map", exact=True).click()
    _until(lambda: len(_sources(page, "map")) == MODELS)
    assert "look-view=Map" in page.url
    page.get_by_text("Difference of two models").click()
    page.get_by_text(re.compile("Correlation of the two")).wait_for()
    page.get_by_text("Download", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="All maps (ZIP)").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert len(archive.namelist()) == MODELS
        assert Image.open(archive.open("gaze/01-my_photo.png")).size == (300, 200)


def test_the_slider_moves_without_the_server(page, address):
    page.goto(f"{address}/?look-sample=chelsea&look-view=Slider")
    slider = page.locator(".slider input")
    slider.wait_for()
    slider.focus()
    page.keyboard.press("Home")
    assert page.locator(".slider .above").evaluate("image => image.style.clipPath").endswith("100%)")
    assert page.locator(".slider img").first.evaluate("image => image.naturalWidth") > 0


def test_what_is_broken_or_too_large_is_a_sentence(page, address, tmp_path):
    page.goto(address)
    _drop(page, 0, "broken.jpg", b"\xff\xd8\xff no more")
    page.get_by_role("alert").filter(has_text="broken.jpg: ").wait_for()
    huge = tmp_path / "huge.png"
    huge.write_bytes(bytes(41 * 2**20))
    page.locator("input[type=file]").first.set_input_files(huge)
    page.get_by_text(re.compile("must be 40.*MB or smaller")).wait_for()


def test_regions_are_drawn_typed_and_reported(page, address):
    page.goto(f"{address}/layouts?layout-a-sample=coffee&layout-b-sample=rocket")
    frame = page.locator(".regions .frame")
    frame.wait_for()
    page.get_by_role("heading", name="Hot spots").wait_for()
    box = frame.bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + 250, box["y"] + 200, steps=4)
    page.mouse.up()
    name = page.get_by_label("name of region 1")
    name.fill("cup")
    name.press("Tab")
    page.get_by_role("heading", name="What regions get").wait_for()
    # Without a pointer: a region is added and its place is typed.
    page.get_by_role("button", name="Add a region").focus()
    page.keyboard.press("Enter")
    page.get_by_label("left of region 2").fill("5")
    page.keyboard.press("Tab")
    _settle(page)
    # Moved by its lower edge, sized by its corner.
    left, top, width = (
        int(page.get_by_label(f"{name} of region 1").input_value()) for name in ("left", "top", "width")
    )
    scale = box["width"] / int(frame.locator("svg").get_attribute("viewBox").split()[2])
    for start, by in (((50 + 100, 200), (30, 10)), ((250 + 30, 200 + 10), (40, 0))):
        place = frame.bounding_box()
        page.mouse.move(place["x"] + start[0], place["y"] + start[1])
        page.mouse.down()
        page.mouse.move(place["x"] + start[0] + by[0], place["y"] + start[1] + by[1], steps=3)
        page.mouse.up()
        _settle(page)
    assert abs(int(page.get_by_label("left of region 1").input_value()) - left - 30 / scale) <= 2
    assert abs(int(page.get_by_label("top of region 1").input_value()) - top - 10 / scale) <= 2
    assert abs(int(page.get_by_label("width of region 1").input_value()) - width - 40 / scale) <= 2
    # B begins with the regions of A; a page that is laid out anew keeps what was drawn.
    page.get_by_text("The same places on B").click()
    page.get_by_label("name of region 1").nth(1).wait_for()
    page.set_viewport_size({"width": 390, "height": 900})
    _settle(page)
    assert [field.input_value() for field in page.get_by_label("name of region 1").all()] == ["cup", "cup"]
    page.set_viewport_size({"width": 1300, "height": 1800})
    _settle(page)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Report (HTML)").click()
    report = waiting.value.path().read_text(encoding="utf-8")
    assert "cup" in report
    assert "region 2" in report


def test_two_visitors_see_their_own_pictures(browser, address):
    visitors = [browser.new_context().new_page() for _ in range(2)]
    for number, visitor in enumerate(visitors):
        visitor.set_default_timeout(WAIT)
        visitor.goto(address)
        _drop(visitor, 0, f"photo {number}.png", _photo(seed=number))
    for number, visitor in enumerate(visitors):
        _until(lambda: len(_sources(visitor)) == MODELS)  # noqa: B023
        assert visitor.get_by_alt_text(f"photo {number}.png").count() == 1
        assert visitor.get_by_alt_text(f"photo {1 - number}.png").count() == 0
        visitor.context.close()


@pytest.mark.skipif(bool(axe.missing()), reason=axe.missing() or "nothing is missing")
@pytest.mark.parametrize("path", ["", "layouts", "choose", "cut", "video", "measure", "distillation", "explain"])
def test_axe_finds_nothing(page, address, path):
    samples = {"": "look-sample", "layouts": "layout-a-sample", "video": "none", "explain": "none"}
    page.goto(f"{address}/{path}?{samples.get(path, f'{path}-sample')}=coffee")
    page.get_by_role("heading", level=1).wait_for()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        _settle(page)
        assert axe.violations(page) == [], scheme


@pytest.mark.parametrize(("host", "status"), [("localhost", 101), ("evil.example", 403)])
def test_a_page_of_another_name_gets_no_socket(address, host, status):
    """A web page whose name was made to lead to this machine is not answered."""
    port = address.rpartition(":")[2]
    connection = http.client.HTTPConnection("localhost", int(port), timeout=30)
    connection.putrequest("GET", "/_stcore/stream", skip_host=True)
    for name, value in (
        ("Host", f"{host}:{port}"),
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ):
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


def _sources(page, style: str = "overlay") -> list[str]:
    """Return the addresses of the maps that are seen in a style."""
    images = f"[...document.querySelectorAll('img[alt^=\"{style} of \"]')].filter(i => i.complete && i.naturalWidth)"
    return page.evaluate(f"() => {images}.map(i => i.src)")


def _until(condition, seconds: float = WAIT / 1000) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.2)


def _settle(page) -> None:
    """Wait until the page has been still for a second: what is offered for download changes with what is drawn."""
    still = time.monotonic()

    def is_still() -> bool:
        nonlocal still
        if page.get_by_test_id("stStatusWidget").count():
            still = time.monotonic()
        return time.monotonic() - still > 1

    _until(is_still)


def _drop(page, place: int, name: str, content: bytes) -> None:
    field = page.locator("input[type=file]").nth(place)
    field.wait_for(state="attached")
    field.set_input_files({"name": name, "mimeType": "image/png", "buffer": content})


def _photo(seed: int = 0) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 80, (200, 300, 3), np.uint8)
    noise[60:120, 90 + 40 * seed : 160 + 40 * seed] = (250, 40, 20)
    return image_bytes(noise)


def _is_elsewhere(url: str) -> bool:
    return not url.startswith(("http://localhost:", "ws://localhost:", "data:", "blob:"))


def _wait_for(url: str, process, log) -> None:
    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return urllib.request.urlopen(url, timeout=5).status == 200
        except OSError:
            return False

    _until(answers)
