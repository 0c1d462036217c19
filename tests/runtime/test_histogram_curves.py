"""Histogram-matched maps: curves over ranks inside an exported network's file."""

from __future__ import annotations

import json
import pickle

import cv2
import numpy as np
import onnx_writer as ow
import pytest

import salbox
from salbox.errors import UsageError, WeightsError
from salbox.formats.onnx_file import inspect
from salbox.runtime.fingerprint import weights_fingerprint
from salbox.runtime.histogram_curves import KEY, HistogramCurves, curves_of
from salbox.runtime.network import open_network
from salbox.runtime.session import recorded

QUANTILES = (0.25, 0.5, 0.75, 1.0)
SQUARES = (0.0, 1.0, 4.0, 9.0)


def curves(weights: str, **heads) -> HistogramCurves:
    return HistogramCurves(weights, QUANTILES, heads or {"red": SQUARES, "blue": (0.0, 0.0, 1.0, 2.0)})


def with_curves(path, found=None, **changes):
    """Write a network of two heads with curves that fit it, or with `found`."""
    path.write_bytes(ow.student(**changes))
    fitting = found or curves(weights_fingerprint(path))
    metadata = {**changes.pop("metadata", ow.notes()), KEY: fitting.to_text()}
    path.write_bytes(ow.student(metadata=metadata, **changes))
    return path


@pytest.fixture
def network(tmp_path):
    return open_network(with_curves(tmp_path / "colors.onnx"), threads=1)


def photo(seed=0):
    """Return a photo whose 12x16 pixels the network sees as they are; all values differ."""
    random = np.random.default_rng(seed)
    levels = np.stack([random.permutation(192) for _ in range(3)], axis=-1)
    return levels.reshape(12, 16, 3).astype(np.uint8)


def test_a_rank_becomes_the_value_of_the_curve():
    """Of eight values the k-th has rank k/8; between the points of the curve it is linear."""
    saliency = np.array([[7.0, 1.0, 3.0, 5.0], [2.0, 0.0, 6.0, 4.0]])
    matched = curves("x").apply("red", saliency)
    by_rank = {1: 0.0, 2: 0.0, 3: 0.5, 4: 1.0, 5: 2.5, 6: 4.0, 7: 6.5, 8: 9.0}
    expected = [[by_rank[int(v) + 1] for v in row] for row in saliency]
    assert matched.dtype == np.float32
    np.testing.assert_allclose(matched, expected, atol=1e-6)


def test_the_histogram_has_the_quantiles_that_were_given():
    histogram = curves("x").histogram("red")
    np.testing.assert_allclose(histogram.quantiles, QUANTILES)
    np.testing.assert_array_equal(histogram.values, SQUARES)


def test_a_network_applies_its_curve_to_its_own_small_map(network):
    image = photo()
    (plain,) = network.maps([image])
    (matched,) = network.histogram_matched().maps([image], ["red"])
    # The mean red of 2x2 pixels, of which there are 48; its ranks counted by comparing each with all.
    small = image.reshape(6, 2, 8, 2, 3).mean(axis=(1, 3))[..., 0]
    ranks = (small.ravel()[:, None] >= small.ravel()).mean(axis=1)
    expected = np.interp(ranks, QUANTILES, SQUARES).reshape(6, 8).astype(np.float32)
    expected = cv2.resize(expected, (16, 12), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(matched["red"], expected, atol=1e-5)
    assert list(matched) == ["red"]
    assert np.abs(matched["red"] - plain["red"]).max() > 1


def test_matched_heads_share_a_pass_but_not_with_plain_ones(network):
    path = str(network.session.file.path)
    names = [f"{path}#red", f"{path}#blue"]
    with recorded() as runs:
        found = salbox.predict(photo(), models=names, histogram_matched=True)
    assert len(runs) == 1
    alone = salbox.load(names[1], histogram_matched=True)
    np.testing.assert_array_equal(found[names[1]], alone(photo()))
    assert alone.network == salbox.load(names[0], histogram_matched=True).network != salbox.load(names[0]).network


def test_a_model_of_matched_maps_can_be_sent(network):
    model = salbox.load(f"{network.session.file.path}#red", histogram_matched=True)
    assert model.parameters == {"histogram_matched": True}
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model))(photo()), model(photo()))
    matched = network.histogram_matched()
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(matched)).maps([photo()], ["red"])[0]["red"],
        matched.maps([photo()], ["red"])[0]["red"],
    )


def test_a_head_without_a_curve_has_no_such_parameter(tmp_path):
    path = tmp_path / "a.onnx"
    path.write_bytes(ow.student())
    with_curves(path, curves(weights_fingerprint(path), red=SQUARES))
    assert [p.name for p in salbox.card(f"{path}#red").parameters] == ["histogram_matched"]
    assert "histogram_matched" not in {p.name for p in salbox.card(f"{path}#blue").parameters}
    with pytest.raises(UsageError, match=r"model 'a.blue' has no parameter 'histogram_matched'"):
        salbox.load(f"{path}#blue", histogram_matched=True)


def test_curves_of_other_weights_do_not_count(tmp_path):
    path = with_curves(tmp_path / "a.onnx", curves("f" * 64))
    assert curves_of(inspect(path)) is None
    assert open_network(path, threads=1).histogram_matched() is None
    assert "histogram_matched" not in {p.name for p in salbox.card(f"{path}#red").parameters}


def test_a_density_has_none(tmp_path):
    path = with_curves(tmp_path / "a.onnx", metadata=ow.notes(output="log_density"))
    network = open_network(path, threads=1)
    assert network.histogram_curves is not None
    assert network.histogram_matched() is None


def test_other_models_refuse_in_one_line():
    for name in ("gaussian", "ensemble:gaussian+gbvs"):
        with pytest.raises(UsageError, match="has no histogram-matched maps of its own") as error:
            salbox.predict(photo(), models=[name], histogram_matched=True)
        assert str(error.value).isprintable()
    with pytest.raises(UsageError, match="'gaussian' is loaded already, and not with histogram_matched=True"):
        salbox.predict(photo(), models=salbox.load("gaussian"), histogram_matched=True)


def test_what_is_written_is_read():
    written = curves("abc")
    assert HistogramCurves.from_text(written.to_text()) == written


@pytest.mark.parametrize(
    "changes",
    [
        {"format": 2},
        {"heads": []},
        {"heads": {"red": [0, 1, 2]}},
        {"heads": {"red": [0, 1, 0.5, 2]}},
        {"heads": {"red": [1, 1, 1, 1]}},
        {"heads": {"red": [0, 1, 2, float("nan")]}},
        {"heads": {"red": [0, 1, 2, float("inf")]}},
        {"heads": {"red": ["a", 1, 2, 3]}},
        {"heads": {"red": [0, 1, 2, 10**400]}},
        {"heads": {"red": None}},
        {"quantiles": [0.25, 0.5, 0.75, 0.9]},
        {"quantiles": [0.0, 0.5, 0.75, 1]},
        {"quantiles": [0.5, 0.25, 0.75, 1]},
        {"quantiles": [], "heads": {"red": []}},
        {"quantiles": 3},
    ],
)
def test_damaged_curves_are_one_line(tmp_path, changes):
    path = tmp_path / "a.onnx"
    values = json.loads(curves("x").to_text()) | changes
    path.write_bytes(ow.student(metadata={**ow.notes(), KEY: json.dumps(values)}))
    with pytest.raises(WeightsError, match=r"a\.onnx: its histogram curves cannot be read: ") as error:
        open_network(path, threads=1).histogram_matched()
    assert str(error.value).isprintable()


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000])
def test_what_are_no_curves_is_one_line(tmp_path, text):
    path = tmp_path / "a.onnx"
    path.write_bytes(ow.student(metadata={**ow.notes(), KEY: text}))
    with pytest.raises(WeightsError, match=r"a\.onnx: its histogram curves cannot be read: ") as error:
        open_network(path, threads=1).histogram_matched()
    assert str(error.value).isprintable()
