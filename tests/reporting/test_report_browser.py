"""The page in a real browser, where one is installed."""

from __future__ import annotations

import pytest
from contrast import CONTRAST, READABLE
from devtools import CHROMIUM, Browser
from trees import random_osie

from salbox.datasets import open_dataset
from salbox.evaluation import ModelSource
from salbox.reporting import write_report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium")


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
