"""The page that needs no server, in a real browser: what people do with it, and that its maps are Python's."""

from __future__ import annotations

import base64
import json
import struct
import threading
import zlib

import axe
import numpy as np
import pytest
from contrast import CONTRAST, READABLE
from devtools import CHROMIUM
from image_bytes import image_bytes
from PIL import Image
from skimage import data
from static_page import SECONDS, computed, map_of, missing, plain_host, runtime

import salbox
from salbox.apps.attention import as_density
from salbox.imaging.scaling import at_size, min_max
from salbox.models.scanpaths import find_saccades
from salbox.runtime.preprocessing import Preprocessing, resize
from salbox.web.page import write_page
from salbox.web.page.serving import page_server

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing()), reason=missing() or "nothing is missing")]

NAMES = [
    "gaze",
    *(
        f"{name}.student"
        for name in ["ikn", "gbvs", "bms", "imsig", "rare2012", "aim", "sun", "fastgaze", "unisal", "sam", "dgii"]
    ),
]
ON_DEMAND = ("unisal.people", "scfnet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page") / "public"
    write_page(folder, runtime())
    return folder


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def opened(browser, folder):
    """A page that is ready, what it complained of, and what it asked for."""
    with page_server(folder, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        context = browser.new_context(viewport={"width": 1280, "height": 900}, service_workers="block")
        page = context.new_page()
        complaints, asked = [], []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        address = f"http://127.0.0.1:{server.server_port}/"
        page.goto(address)
        page.wait_for_selector("body[data-threads]", state="attached", timeout=SECONDS * 1000)
        yield page
        assert complaints == []
        assert [url for url in asked if not url.startswith((address, f"blob:{address}"))] == []
        context.close()
        server.shutdown()
        thread.join()


def png(pixels: np.ndarray) -> dict:
    return {"name": "photo.png", "mimeType": "image/png", "buffer": image_bytes(pixels)}


CAT = data.chelsea()
PICTURES = {
    "as it is": CAT,
    "large": np.tile(CAT, (2, 3, 1))[:555, :1100],
    "twice the network's size": np.ascontiguousarray(np.tile(CAT, (3, 3, 1))[:768, :1024]),
    "high": CAT[:, 100:160],
    "wide, of which one side grows": CAT[:100, :],
    "tiny": CAT[::10, ::10],
    "transparent": np.dstack([CAT, (np.mgrid[:300, :451].sum(axis=0) // 3).astype(np.uint8)]),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_its_maps_are_pythons(opened, kind):
    source = png(PICTURES[kind])
    computed(opened, source)
    assert opened.evaluate("salbox.names()") == NAMES
    expected = salbox.predict(source["buffer"], NAMES)
    for name in NAMES:
        found = map_of(opened, name)
        difference = float(np.abs(found - expected[name]).max() / np.ptp(expected[name]))
        assert difference < 1e-2, name


def test_it_looks_at_pictures_in_pythons_sizes(opened):
    random = np.random.default_rng(0)
    shapes = [[int(side) for side in random.integers(20, 5000, 2)] for _ in range(300)] + [[640, 640], [1, 3000]]
    for rule in Preprocessing("area", 240, 320), Preprocessing("area", 384, 512, 64), Preprocessing("fixed", 256, 192):
        script = """async ([rule, shapes]) => {
            const {workingSize} = await import("./sizes.js");
            return shapes.map(([height, width]) => workingSize(rule, height, width));
        }"""
        found = opened.evaluate(script, [rule.to_dict(), shapes])
        assert found == [list(rule.working_size(*shape)) for shape in shapes]


@pytest.mark.parametrize(
    "size", [(75, 113), (75, 112), (57, 100), (50, 250), (250, 150), (200, 350), (150, 225), (150, 200)]
)
def test_it_resizes_as_opencv_does(opened, size):
    script = """async ([text, width, height, toWidth, toHeight]) => {
        const {resizeImage} = await import("./resize.js");
        const rgba = Uint8ClampedArray.from(atob(text), letter => letter.charCodeAt(0));
        const found = resizeImage(rgba, width, height, toWidth, toHeight);
        return btoa(Array.from(found, value => String.fromCharCode(value)).join(""));
    }"""
    small = np.ascontiguousarray(CAT[::2, ::2])[:, :225]
    rgba = np.dstack([small, np.full(small.shape[:2], 255, np.uint8)])
    text = opened.evaluate(script, [base64.b64encode(rgba.tobytes()).decode(), 225, 150, size[1], size[0]])
    found = np.frombuffer(base64.b64decode(text), np.uint8).reshape(*size, 3)
    off = np.abs(found.astype(int) - resize(np.ascontiguousarray(small), *size))
    assert off.max() <= 1
    assert off.mean() < 0.02


def test_people_choose_models_and_looks(opened):
    computed(opened, png(CAT))
    heat = "(canvas => [...canvas.getContext('2d').getImageData(150, 150, 1, 1).data])(document.getElementById('heat'))"
    before = opened.evaluate(heat)
    opened.click("button[data-model='sun.student']")
    assert opened.get_attribute("button[data-model='sun.student']", "aria-pressed") == "true"
    assert opened.get_attribute("button[data-model='gaze']", "aria-pressed") == "false"
    assert opened.evaluate(heat) != before
    opened.check("input[value='map']")
    assert opened.evaluate(heat)[3] == 255
    assert opened.is_disabled("#opacity")
    opened.check("input[value='overlay']")
    opened.fill("#opacity", "30")
    opened.fill("#wipe", "40")
    style = opened.evaluate("(style => [style.opacity, style.clipPath])(document.getElementById('heat').style)")
    assert style == ["0.3", "inset(0px 60% 0px 0px)"]
    opened.fill("#opacity", "50")
    opened.fill("#wipe", "100")
    computed(opened, png(CAT[:, ::-1]))
    assert opened.get_attribute("button[data-model='sun.student']", "aria-pressed") == "true"  # of the next one too
    opened.click("button[data-model='gaze']")


def test_regions_are_drawn_moved_and_saved(opened, tmp_path):
    computed(opened, png(CAT))
    box = opened.locator("#marks").bounding_box()
    opened.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
    opened.mouse.down()
    opened.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.8 * box["height"], steps=3)
    opened.mouse.up()
    density = as_density(salbox.load("gaze")(CAT), "log_density")
    names, shown, area = saved_regions(opened, tmp_path)
    assert names == ["Region 1"]
    x, y, width, height = area[0]
    assert (x, y, width, height) == pytest.approx((0.2 * 451, 0.3 * 300, 0.4 * 451, 0.5 * 300), abs=2)
    rows, columns = slice(round(y), round(y + height)), slice(round(x), round(x + width))
    assert shown[0] == pytest.approx(density[rows, columns].sum(), abs=0.02)
    # and by keyboard alone
    opened.focus("#add-region")
    opened.keyboard.press("Enter")
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "Shift+ArrowRight"):
        opened.keyboard.press(key)
    _, _, moved = saved_regions(opened, tmp_path)
    assert moved[1] == pytest.approx((0.33 * 451, 0.34 * 300, 0.31 * 451, 0.3 * 300), abs=0.2)
    opened.keyboard.press("Delete")
    assert opened.locator("#regions tbody tr").count() == 1
    opened.click("button[aria-label='Remove Region 1']")
    assert opened.is_hidden("#regions")
    assert opened.is_disabled("#save-regions")


def saved_regions(page, folder):
    """Return names, shares and boxes of the regions that the page saves."""
    with page.expect_download() as download:
        page.evaluate("document.getElementById('save-regions').click()")  # where the keyboard is stays
    assert download.value.suggested_filename == "photo.gaze.regions.csv"
    download.value.save_as(folder / "regions.csv")
    head, *rows = [line.split(",") for line in (folder / "regions.csv").read_text().splitlines()]
    assert head == ["region", "x", "y", "width", "height", "attention"]
    figures = [[float(value) for value in row[1:]] for row in rows]
    return [row[0] for row in rows], [each[4] for each in figures], [tuple(each[:4]) for each in figures]


@pytest.mark.parametrize("shape", [(75, 113), (300, 451)])  # of which the larger is weighed on a smaller copy
def test_looks_follow_each_other_as_in_python(opened, shape):
    density = np.asarray(salbox.load("gaze")(at_size(CAT, max(shape))))
    assert density.shape == shape
    looks = [[20.5, 30.5], [70.5, 40.5], [72.5, 44.5], [5.5, 60.5]]
    script = """async ([shares, height, width, looks]) => {
        const {nextShares} = await import("./scanpath.js");
        const {saccades} = await (await fetch("./page.json")).json();
        return looks.map((_, k) => Array.from(nextShares(shares, width, height, looks.slice(0, k), saccades)));
    }"""
    found = opened.evaluate(script, [np.exp(density.astype(float)).ravel().tolist(), *shape, looks])
    for number, shares in enumerate(found):
        expected = np.exp(find_saccades("general").next_log_density(density, looks[:number]).astype(float))
        given = np.reshape(shares, shape) / np.sum(shares)
        assert np.abs(given - expected).max() < 1e-3 * expected.max()


def test_a_scanpath_lies_where_the_density_is(opened):
    computed(opened, png(CAT))
    opened.check("#scanpath")
    script = """async () => {
        const {sampleScanpath} = await import("./scanpath.js");
        const {saccades} = await (await fetch("./page.json")).json();
        const shares = Float32Array.from({length: 64}, (_, k) => (k === 9 || k === 54 ? 0.5 : 0));
        const sample = seed => sampleScanpath(shares, 8, 8, seed, saccades);
        return [Array.from({length: 20}, (_, k) => sample(k + 1)), sample(1)];
    }"""
    looks, again = opened.evaluate(script)
    assert again == looks[0]
    assert {tuple(place) for path in looks for place in path} == {(1.5, 1.5), (6.5, 6.5)}
    # Both are as far from the middle, where one looks at first.
    assert 4 <= sum(path[0] == [1.5, 1.5] for path in looks) <= 16  # of 20, halves of it
    places = "[...document.querySelectorAll('#marks .look')].map(c => [c.getAttribute('cx'), c.getAttribute('cy')])"
    before = opened.evaluate(places)
    assert len(before) == 8
    opened.click("#again")
    assert opened.evaluate(places) != before
    opened.uncheck("#scanpath")
    assert opened.evaluate(places) == []


def test_pictures_are_saved(opened, tmp_path):
    computed(opened, png(CAT))
    with opened.expect_download() as download:
        opened.click("#save-map")
    assert download.value.suggested_filename == "photo.gaze.png"
    download.value.save_as(tmp_path / "map.png")
    expected = min_max(np.exp(salbox.load("gaze")(CAT).astype(float)))
    found = np.asarray(Image.open(tmp_path / "map.png").convert("L")) / 255
    assert np.abs(found - expected).max() < 0.02
    opened.click("#add-region")
    with opened.expect_download() as download:
        opened.click("#save-picture")
    download.value.save_as(tmp_path / "overlay.png")
    drawn = salbox.read_image(tmp_path / "overlay.png").astype(int)
    off = np.abs(drawn - salbox.overlay(CAT, salbox.load("gaze")(CAT)))
    assert np.median(off) < 4
    # the region's line
    assert off[105 - 3 : 105 + 4, 200].max() > 40


def test_without_a_map_none_is_saved(browser, folder):
    with plain_host(folder) as (address, _):
        page = browser.new_page(service_workers="block")
        page.route("**/worker.js", lambda route: route.abort())
        page.goto(address)
        page.set_input_files("#file", png(CAT))
        page.wait_for_selector("#work", timeout=SECONDS * 1000)
        assert page.is_disabled("#save-map")
        page.close()


def huge_png(side: int) -> bytes:
    """Return a PNG of side x side pixels that takes next to nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(side * (side // 8 + 1)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("broken.jpg", b"\xff\xd8\xff\xe0 nothing", "broken.jpg: not a picture that this browser can read."),
        ("notes.png", b"a text", "notes.png: not a picture that this browser can read."),
        ("wide.png", huge_png(8000), "wide.png: 8000 x 8000 pixels; at most 50 million are read."),
        ("large.png", None, "large.png: 65 MB; files of at most 64 MB are read."),
    ],
)
def test_what_it_cannot_read_is_a_sentence(opened, name, content, sentence, tmp_path):
    computed(opened, png(CAT))
    path = tmp_path / name
    if content is None:
        with path.open("wb") as file:
            file.truncate(65_000_000)
    else:
        path.write_bytes(content)
    opened.set_input_files("#file", path)
    opened.wait_for_selector("#status.wrong", timeout=SECONDS * 1000)
    assert opened.inner_text("#status").startswith(sentence)
    computed(opened, png(CAT))  # and it goes on
    assert "12 maps of photo.png" in opened.inner_text("#status")


def test_a_dropped_picture_is_taken(opened):
    opened.evaluate("delete document.body.dataset.milliseconds")
    script = """async () => {
        const content = await (await fetch("./sample.png")).blob();
        const transfer = new DataTransfer();
        transfer.items.add(new File([content], "dropped.png", {type: "image/png"}));
        document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true}));
    }"""
    opened.evaluate(script)
    opened.wait_for_selector("body[data-milliseconds]", state="attached", timeout=SECONDS * 1000)
    assert "12 maps of dropped.png" in opened.inner_text("#status")


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_can_be_read(opened, width, scheme):
    computed(opened, png(CAT))
    opened.emulate_media(color_scheme=scheme)
    opened.set_viewport_size({"width": width, "height": 844})
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    contrast, where = opened.evaluate(CONTRAST)
    assert contrast >= READABLE, where
    lightness = opened.evaluate("getComputedStyle(document.body).backgroundColor")[4:].split(",")[0]
    assert (int(lightness) < 60) is (scheme == "dark")
    opened.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.skipif(bool(axe.missing()), reason=axe.missing() or "nothing is missing")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened, scheme):
    computed(opened, png(CAT))
    opened.emulate_media(color_scheme=scheme)
    opened.click("#add-region")
    opened.check("#scanpath")
    assert axe.violations(opened) == []
    opened.uncheck("#scanpath")


def test_every_control_is_reached_by_the_keyboard(opened):
    computed(opened, png(CAT))
    opened.evaluate("document.activeElement.blur()")
    reached = set()
    for _ in range(40):
        opened.keyboard.press("Tab")
        reached.add(opened.evaluate("document.activeElement.id || document.activeElement.dataset.model || ''"))
    controls = {"file", "sample", "opacity", "wipe", "add-region", "scanpath", "save-picture", "save-map"}
    wanted = {*controls, *NAMES, *ON_DEMAND}
    assert wanted <= reached
    unnamed = """[...document.querySelectorAll("input, button")]
        .filter(e => !(e.labels?.length || e.textContent.trim() || e.getAttribute("aria-label"))).length"""
    assert opened.evaluate(unnamed) == 0


# A promise that is kept once the service worker answers for the page.
IN_CHARGE = """new Promise((resolve) => {
    const { serviceWorker } = navigator;
    if (serviceWorker.controller) resolve();
    else serviceWorker.addEventListener("controllerchange", () => resolve(), { once: true });
})"""


def asked_for(page, name: str) -> None:
    """Ask the page for the map of a network that it has not fetched, and wait for it."""
    page.evaluate("delete document.body.dataset.milliseconds")
    page.click(f"button[data-model='{name}']")
    page.wait_for_selector("body[data-milliseconds]", state="attached", timeout=SECONDS * 1000)


def test_larger_networks_come_when_they_are_asked_for(browser, folder):
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    sample = salbox.read_image(folder / "sample.png")
    with plain_host(folder) as (address, _):
        page.goto(address)
        page.evaluate(IN_CHARGE)
        computed(page, folder / "sample.png")
        assert page.evaluate("salbox.names()") == NAMES
        assert not {f"{name}.onnx" for name in ON_DEMAND} & set(asked)
        expected = salbox.predict(sample, list(ON_DEMAND))
        for name in ON_DEMAND:
            asked_for(page, name)
            assert page.get_attribute(f"button[data-model='{name}']", "aria-pressed") == "true"
            assert page.inner_text("#status").startswith(f"{name} of sample.png in ")
            difference = np.abs(map_of(page, name) - expected[name]).max() / np.ptp(expected[name])
            assert difference < 1e-2, name
        page.click("#add-region")
        for name, output, of in (
            ("scfnet", "probability", "Of the object"),
            ("unisal.people", "log_density", "Attention"),
        ):
            share = as_density(expected[name], output)[179:333, 179:333].sum()
            page.click(f"button[data-model='{name}']")
            assert page.inner_text("#share") == of
            shown = page.locator("#regions tbody tr > *").nth(1).inner_text()
            assert float(shown.rstrip(" %")) / 100 == pytest.approx(share, abs=0.01)
        # The next picture has their maps too.
        computed(page, folder / "sample.png")
        assert page.evaluate("salbox.names()") == [*NAMES, *ON_DEMAND]
        forgotten = """caches.keys().then(async ([name]) => (await caches.open(name)).delete("./scfnet.onnx"))"""
        assert page.evaluate(forgotten) is True
    # The host is gone: what was fetched is there, what the browser has not kept is told.
    page.reload()
    computed(page, folder / "sample.png")
    assert page.evaluate("salbox.names()") == NAMES
    asked_for(page, "unisal.people")
    assert page.get_attribute("button[data-model='unisal.people']", "aria-pressed") == "true"
    page.click("button[data-model='scfnet']")
    page.wait_for_selector("#status.wrong", timeout=SECONDS * 1000)
    assert page.inner_text("#status").startswith("scfnet cannot be fetched")
    assert page.get_attribute("button[data-model='scfnet']", "aria-disabled") == "false"  # it can be asked again
    computed(page, folder / "sample.png")
    context.close()


def test_once_loaded_it_needs_no_host_and_has_threads(browser, folder):
    context = browser.new_context()
    page = context.new_page()
    with plain_host(folder) as (address, _):
        page.goto(address)
        assert page.evaluate("crossOriginIsolated") is False  # such a host cannot be told to say so
        kept = """navigator.serviceWorker.ready.then(async () => {
            const [name] = await caches.keys();
            return (await (await caches.open(name)).keys()).length;
        })"""
        listed = json.loads((folder / "service-worker.js").read_text().partition("\n")[0][len("const PAGE = ") : -1])
        assert page.evaluate(kept) == len(listed["files"])
    # The host is gone.
    page.reload()
    assert page.evaluate("crossOriginIsolated") is True
    page.click("#sample")
    page.wait_for_selector("body[data-milliseconds]", state="attached", timeout=SECONDS * 1000)
    assert "12 maps of sample.png" in page.inner_text("#status")
    context.close()
