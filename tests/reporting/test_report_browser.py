"""The page in a real browser, where one is installed."""

from __future__ import annotations

import pytest
from devtools import CHROMIUM, Browser
from trees import random_osie

from salbox.datasets import open_dataset
from salbox.evaluation import ModelSource
from salbox.reporting import write_report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")

# The contrast that WCAG 2 asks of text of this size.
READABLE = 4.5
CONTRAST = """
(() => {
  const context = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const paint = colours => {
    context.clearRect(0, 0, 1, 1);
    for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = rgb => rgb.map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, k) => sum + v * [.2126, .7152, .0722][k], 0);
  const behind = element => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.unshift(getComputedStyle(e).backgroundColor);
    return layers;
  };
  let worst = [99, ""];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    const style = getComputedStyle(element);
    if (!own || !element.getClientRects().length || ["SCRIPT", "TITLE", "title"].includes(element.tagName)) continue;
    const ground = behind(element);
    const colour = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
    const [a, b] = [light(paint([...ground, colour])), light(paint(ground))].sort((x, y) => y - x);
    const contrast = (a + .05) / (b + .05);
    if (contrast < worst[0]) worst = [contrast, element.outerHTML.slice(0, 200)];
  }
  return worst;
})()
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    data = open_dataset(f"osie:{random_osie(folder / 'OSIE')}")
    long = ModelSource("ensemble:0.25*bms+0.25*gaussian+0.5*imsig")
    sources = [ModelSource("gaussian"), ModelSource("bms"), ModelSource("imsig"), long]
    write_report(
        folder / "page.html", data, sources, baseline=True, ceiling=True, examples=2, folder=folder / "kept",
        command=f"salbox report {'x' * 300}",
    )  # fmt: skip
    return folder / "page.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_it_renders_fits_and_can_be_read(browser, page, width, dark):
    browser.complaints.clear()
    browser.requests.clear()
    browser.open(page, width, dark=dark)
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value("matchMedia('(prefers-color-scheme: dark)').matches") is dark
    lightness = browser.value("getComputedStyle(document.body).backgroundColor").removeprefix("rgb(").split(",")[0]
    assert (int(lightness) < 60) is dark
    # Pictures beyond the view are loaded when they are scrolled to.
    broken = """Promise.all([...document.images].map(image => { image.loading = "eager"; return image.decode(); }))
        .then(() => [...document.images].filter(image => !image.naturalWidth || !image.alt).length)"""
    assert browser.value(broken) == 0
    contrast, where = browser.value(CONTRAST)
    assert contrast >= READABLE, where
    assert browser.complaints == []
    assert [url for url in browser.requests if not url.startswith(("data:", page.as_uri()))] == []


def test_tables_scroll_within_their_box(browser, page):
    browser.open(page, 390)
    inner, outer = browser.value(
        "(box => [box.scrollWidth, box.clientWidth])(document.querySelector('#results .scroll'))"
    )
    assert inner > outer
    assert outer < 390


def test_a_click_on_a_head_sorts_the_table(browser, page):
    browser.open(page, 1280)
    names = "[...document.querySelectorAll('.figures tbody th')].map(th => th.textContent)"
    before = browser.value(names)
    browser.value("document.querySelector('.figures thead button').click()")
    assert browser.value(names) == sorted(before)
    browser.value("document.querySelectorAll('.figures thead button')[1].click()")
    assert browser.value(names) == before  # which was by the first metric, the best first
    assert browser.value("document.querySelectorAll('.figures thead th')[1].getAttribute('aria-sort')") == "descending"
    figures = "[...document.querySelectorAll('.figures tbody td:nth-child(2)')].map(td => Number(td.dataset.value))"
    values = browser.value(figures)
    assert values == sorted(values, reverse=True)
    browser.value("document.querySelectorAll('.figures thead button')[1].click()")
    assert browser.value(figures) == sorted(values)
