"""Figures of accuracy over cost: what is read, what is drawn where, and the published table beside."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from salbox.errors import UsageError
from salbox.evaluation.bootstrap import Estimate
from salbox.evaluation.cost_plot import Measured, cost_plot, read_figures
from salbox.evaluation.published import TEST_PHOTOS, published_objects
from salbox.metrics import get_metric

MODEL = Measured("mine", Estimate(0.9, 0.88, 0.91), 800_000, 250_000_000, 90.0)
SLOW = Measured("algorithm", Estimate(0.7, 0.66, 0.73), images_per_second=2.0)


def circles(axes):
    return [tuple(np.round(c.get_offsets()[0], 6).tolist()) for c in axes.collections]


def test_each_model_stands_at_its_costs():
    figure = cost_plot(get_metric("max_f"), [MODEL, SLOW])
    parameters, macs, speed = figure.axes
    assert circles(parameters) == [(800_000, 0.9)]
    assert circles(macs) == [(250_000_000, 0.9)]
    assert circles(speed) == [(90, 0.9), (2, 0.7)]
    assert [list(line.get_ydata()) for line in speed.lines] == [[0.88, 0.91], [0.66, 0.73]]
    assert [text.get_text() for text in speed.texts] == ["mine", "algorithm"]
    assert all(axes.get_xscale() == "log" for axes in figure.axes)


def test_the_larger_a_circle_the_faster():
    fast = Measured("fast", Estimate(0.8, 0.8, 0.8), 1e6, 1e9, 180.0)
    first, second = cost_plot(get_metric("mae"), [MODEL, fast]).axes[0].collections
    assert first.get_sizes()[0] < second.get_sizes()[0]


def test_published_figures_stand_beside_without_a_speed():
    figure = cost_plot(get_metric("mae"), [MODEL], published_objects("ecssd"))
    assert (800_000, 0.035) in circles(figure.axes[0])  # KD-SCFNet
    assert (105.34e9, 0.033) in circles(figure.axes[1])  # MINet
    assert len(circles(figure.axes[2])) == 1
    # A metric that the paper does not have is drawn alone.
    assert len(circles(cost_plot(get_metric("weighted_f"), [MODEL], published_objects("ecssd")).axes[0])) == 1


def test_names_cover_no_other():
    figure = cost_plot(get_metric("max_f"), [MODEL], published_objects("duts-te"))
    for axes in figure.axes:
        boxes = [text.get_window_extent() for text in axes.texts]
        assert boxes
        assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


@pytest.mark.parametrize("dataset", TEST_PHOTOS.values())
def test_the_published_table_is_that_of_the_paper(shared, dataset):
    column = dataset.replace("-", "_")
    with (shared / "published" / "kd_scfnet_table1.csv").open(encoding="utf-8") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    found = published_objects(dataset)
    assert [each.method for each in found] == list(rows)
    for each in found:
        row = rows[each.method]
        assert each.parameters == pytest.approx(float(row["params_m"]) * 1e6)
        assert each.macs == pytest.approx(float(row["flops_g"]) * 1e9)
        for metric, name in (("mae", "mae"), ("adaptive_f", "f"), ("mean_e", "e")):
            assert each.value(metric) == float(row[f"{column}_{name}"])


class TestReading:
    def write(self, tmp_path, *lines):
        path = tmp_path / "figures.csv"
        path.write_text("\n".join(lines))
        return path

    def test_the_metric_and_its_intervals(self, tmp_path):
        path = self.write(tmp_path, "model,metric,value,low,high", "a,mae,.1,.05,.2", "a,max_f,.9,.8,.95")
        metric, found = read_figures(path, None)
        assert (metric.name, found) == ("max_f", {"a": Estimate(0.9, 0.8, 0.95)})
        metric, found = read_figures(path, "mae")
        assert (metric.name, found) == ("mae", {"a": Estimate(0.1, 0.05, 0.2)})

    @pytest.mark.parametrize(
        ("lines", "metric", "said"),
        [
            (("model,value", "a,1"), None, "expected columns model, metric, value"),
            (("model,metric,value",), None, "expected columns"),
            (("model,metric,value", "a,mae,1"), "max_f", "no metric 'max_f' there"),
            (("model,metric,value", "a,mae,x"), None, "are no numbers"),
            (("model,metric,value", "a,colour,1"), None, "no metric 'colour'"),
        ],
    )
    def test_what_is_no_table_of_figures(self, tmp_path, lines, metric, said):
        with pytest.raises(UsageError, match=said):
            read_figures(self.write(tmp_path, *lines), metric)


def test_nothing_to_draw():
    with pytest.raises(UsageError, match="no model"):
        cost_plot(get_metric("mae"), [])
