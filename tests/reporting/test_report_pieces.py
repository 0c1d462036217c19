"""The pieces of a page: HTML, charts, the choice of images."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from salbox.evaluation.bootstrap import Estimate
from salbox.imaging.scaling import visible
from salbox.metrics import METRICS, get_metric
from salbox.metrics.meanings import MEANINGS
from salbox.reporting._charts import Bar, interval_chart, ticks
from salbox.reporting._choosing import extremes
from salbox.reporting._html import Html, escaped, fragment, tag
from salbox.reporting._maps import thumbnail


def test_texts_are_escaped_and_html_is_not():
    inner = tag("b", "a < b & c")
    assert inner == "<b>a &lt; b &amp; c</b>"
    assert tag("p", inner, None, ["x", ['"']], 3) == "<p><b>a &lt; b &amp; c</b>x&quot;3</p>"
    assert fragment("<script>", Html("<br>")) == "&lt;script&gt;<br>"


def test_attributes_cannot_be_left():
    hostile = "\"'><img src=x onerror=alert(1)>"
    element = tag("img", src="data:,", alt=hostile, hidden=True, title=None, aria_label="a", class_="b")
    seen = []

    class Reader(HTMLParser):
        def handle_starttag(self, name, attributes):
            seen.append((name, dict(attributes)))

    Reader().feed(element)
    assert seen == [("img", {"src": "data:,", "alt": hostile, "hidden": None, "aria-label": "a", "class": "b"})]


def test_what_has_no_place_in_html_is_replaced():
    undecodable = b"photo-\xff".decode("utf-8", "surrogateescape")
    text = escaped(f"{undecodable}\x00\x1b[31m\u0085é\n")
    assert text == "photo-���[31m�é\n"
    text.encode("utf-8")


@pytest.mark.parametrize(
    ("low", "high"), [(0, 1), (0.65, 0.9), (-0.3, 2.7), (1e-6, 3e-6), (0.8123, 0.8124), (-250, 1800), (3, 3.0000001)]
)
def test_ticks_are_round_and_inside(low, high):
    found = ticks(low, high)
    values = [value for value, _ in found]
    assert 2 <= len(found) <= 7
    assert all(low - 1e-9 <= value <= high + 1e-9 * abs(high) for value in values)
    for value, text in found:
        assert float(text.replace("−", "-")) == pytest.approx(value, abs=1e-12)
    assert len({text for _, text in found}) == len(found)


def test_a_chart_puts_figures_where_they_belong():
    bars = [Bar("a", Estimate(0.5, 0.4, 0.6)), Bar("b", None), Bar("ceiling", Estimate(1.0, 0.9, 1.1), reference=True)]
    svg = interval_chart("what", bars)
    centers = [float(x) for x in re.findall(r'cx="([\d.]+)"', svg)]
    ends = [(float(a), float(b)) for a, b in re.findall(r'class="ci" x1="([\d.]+)" x2="([\d.]+)"', svg)]
    assert len(centers) == 2
    assert all(low < center < high for center, (low, high) in zip(centers, ends, strict=True))
    # 0.5 between 0.5 and 1.0 is five times 0.1: the scale is linear.
    assert centers[1] - centers[0] == pytest.approx(5 * (centers[0] - ends[0][0]), abs=0.05)
    assert "b: not defined" in svg
    assert svg.count('class="reference"') == 1
    assert 'role="img"' in svg
    assert "nan" not in interval_chart("one value", [Bar("a", Estimate(2.0, 2.0, 2.0))])
    assert "<svg" in interval_chart("nothing", [Bar("a", None)])


def test_best_and_worst_do_not_overlap():
    values = np.array([3.0, 1.0, 2.0, 5.0, 4.0])
    assert extremes(values, get_metric("nss"), 2) == ([3, 4], [1, 2])
    assert extremes(values, get_metric("kl_mit"), 2) == ([1, 2], [3, 4])
    assert extremes(values, get_metric("nss"), 9) == ([3, 4], [1, 2])
    assert extremes(values[:1], get_metric("nss"), 3) == ([0], [])
    assert extremes(values, get_metric("nss"), 0) == ([], [])


def test_a_log_density_is_shown_as_a_density():
    density = np.array([[0.1, 0.2], [0.3, 0.4]])
    shown = visible(np.log(density) - 2000, "log_density")
    assert shown == pytest.approx(density / 0.4)
    assert thumbnail(np.log(density), "log_density").tolist() == [[0, 85], [170, 255]]
    assert thumbnail(np.log(density), "score").tolist() != [[0, 85], [170, 255]]
    assert thumbnail(np.zeros((600, 800)), "score").shape == (216, 288)


def test_every_metric_is_explained():
    assert MEANINGS.keys() == METRICS.keys()
