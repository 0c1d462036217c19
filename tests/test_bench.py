"""What models cost: the figures, and the clock."""

from __future__ import annotations

import time

import numpy as np
import onnx_writer as ow
import pytest

import salbox
from salbox import bench as benching
from salbox.bench import Timing, bench, count, in_fresh_process, largest_difference, measure, photo
from salbox.errors import SalboxError, UsageError, WeightsError
from salbox.system.memory import peak_memory, resident_memory
from salbox.system.threads import available_threads


@pytest.fixture
def colors(tmp_path):
    path = tmp_path / "colours.onnx"
    path.write_bytes(ow.student())
    return path


def test_percentiles_by_hand():
    timing = Timing(tuple(float(n) for n in range(101)))
    assert (timing.median, timing.p95) == (50, 95)


def test_models_are_timed_in_turn():
    turns = []
    timings = measure({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, repeat=3, warm_up=1)
    assert turns == ["a", "b"] * 4
    assert {name: len(t.seconds) for name, t in timings.items()} == {"a": 3, "b": 3}


def test_the_clock():
    timings = measure({"slow": lambda: time.sleep(0.02), "fast": lambda: None}, repeat=3)
    assert timings["slow"].median >= 0.02
    assert timings["fast"].median < 0.02


def test_a_networks_arithmetic_is_that_of_its_working_size(colors):
    # Two heads of three multiply-adds a pixel on 12 x 16, whatever the photo's size; then the pooled maps.
    macs = 12 * 16 * 2 * 3
    model = salbox.load(f"{colors}#red")
    assert count(model, photo(40, 30)) == (6, macs, 2 * macs + 2 * 6 * 8)
    assert count(salbox.load("gaussian"), photo(40, 30)) == (None, None, None)


@pytest.mark.slow
def test_figures_of_a_network_and_an_algorithm(colors):
    names = {"imsig": {}, f"{colors}#blue": {}}
    costs = bench(names, [(64, 48), (32, 32)], threads=1, repeat=3)
    assert [(c.model, c.width, c.height) for c in costs] == [(n, *s) for s in ((64, 48), (32, 32)) for n in names]
    classical, network = costs[:2]
    assert (classical.parameters, classical.macs, classical.flops, classical.file_bytes) == (None,) * 4
    assert (network.parameters, network.macs) == (6, 1152)
    assert network.file_bytes == colors.stat().st_size
    for cost in costs:
        assert cost.threads == 1
        assert 0 < cost.latency_median <= cost.latency_p95
        assert cost.images_per_second > 0
        assert cost.load_seconds > 0
        assert cost.peak_memory_bytes is None or 0 < cost.peak_memory_bytes < 2**30


def _grab(megabytes: int) -> tuple[int | None, int | None]:
    before = resident_memory()
    np.ones(megabytes * 2**17).sum()
    after = peak_memory()
    return before, after


def test_peak_memory_is_of_the_process_itself():
    held = np.ones(2**25)  # 256 MB here must not count there
    before, after = in_fresh_process(1, _grab, 100)
    if before is None or after is None:
        pytest.skip("this system does not say")
    assert 95 * 2**20 < after - before < 160 * 2**20
    assert held.sum() == 2**25


def test_a_fresh_process_is_held_to_its_threads():
    assert in_fresh_process(3, available_threads) == 3


def test_errors_come_through(tmp_path):
    with pytest.raises(WeightsError, match=r"none\.onnx"):
        in_fresh_process(1, salbox.load, "glimpse", weights=str(tmp_path / "none.onnx"))


def test_a_process_that_dies():
    with pytest.raises(SalboxError, match="the measuring process died"):
        in_fresh_process(1, _die)


def _die() -> None:
    import os

    os._exit(1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"models": {}}, "no model"),
        ({"sizes": []}, "no size"),
        ({"sizes": [(0, 10)]}, "size 0x10"),
        ({"sizes": [(10, 10**6)]}, "expected sides"),
        ({"threads": 0}, "threads=0"),
        ({"repeat": 0}, "repeat=0"),
    ],
)
def test_what_cannot_be_measured(arguments, said):
    with pytest.raises(UsageError, match=said):
        bench(**({"models": {"gaussian": {}}} | arguments))


def test_a_difference_is_a_share_of_the_range():
    expected = np.array([[1, 5], [3, 3]], np.float32)
    assert largest_difference(expected + np.array([[0, 1], [-2, 0]], np.float32), expected) == 0.5
    assert largest_difference(np.ones((2, 2), np.float32), np.zeros((2, 2), np.float32)) == 1


@pytest.mark.parametrize("mode", ["no_grad", "inference_mode"])
def test_torch_networks_are_counted_where_they_run(mode):
    torch = pytest.importorskip("torch")
    convolution = torch.nn.Conv2d(3, 4, 3, padding=1)

    def function(image):
        with getattr(torch, mode)():
            maps = torch.relu(convolution(torch.from_numpy(image).permute(2, 0, 1)[None].float()))
        return maps[0, 0].numpy()

    model = salbox.models.model.Model(salbox.card("gaussian"), function, {})
    macs = 20 * 30 * 4 * 3 * 9
    assert count(model, benching.photo(30, 20)) == (4 * 27 + 4, macs, 2 * macs + 20 * 30 * 4)


@pytest.mark.slow
def test_half_precision_is_measured_against_float32(tmp_path):
    torch = pytest.importorskip("torch")
    from salbox.networks.fastgaze.network import FastGaze

    torch.manual_seed(0)
    arrays = {name: value.numpy() for name, value in FastGaze().state_dict().items()}
    np.savez(tmp_path / "fastgaze.npz", **arrays)
    given = {"fastgaze": {"weights": tmp_path / "fastgaze.npz"}}
    (cost,) = bench(given, [(64, 48)], threads=1, repeat=1, precision="half", channels_last=True)
    assert (cost.precision, cost.channels_last, cost.gpu_memory_bytes) == ("half", True, None)
    plain, other = (salbox.load("fastgaze", **given["fastgaze"]) for _ in range(2))
    half = other.run_as(precision="half", channels_last=True)
    assert cost.difference == pytest.approx(largest_difference(half(photo(64, 48)), plain(photo(64, 48))), rel=0.3)
    assert cost.difference > 1e-3
    assert (cost.parameters, cost.macs) == count(plain, photo(64, 48))[:2]
    assert cost.parameters == sum(array.size for array in arrays.values())


def test_what_has_one_way_to_run():
    with pytest.raises(UsageError, match="model 'gaussian' runs in one way"):
        bench({"gaussian": {}}, precision="half")
    with pytest.raises(UsageError, match="precision 'double': expected float32 or half"):
        bench({"gaussian": {}}, precision="double")
