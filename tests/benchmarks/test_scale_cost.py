"""The cost of a hundred million images, against figures worked out by hand."""

from __future__ import annotations

import pytest

from benchmarks._scale_cost import Machine, Measured, Prices, cost


def test_cost_of_a_hundred_million_images():
    # .036 s x 1e8 = 3.6e6 s = 1000 h, $40 at .04; 100 KB x 1e8 = 10 TB; 20 KB x 1e8 = 2 TB, $46 at 23.
    found = cost(Measured(cpu_seconds=0.036, bytes_in=1e5, bytes_out=2e4))
    assert found.core_hours == pytest.approx(1000)
    assert found.computing == pytest.approx(40)
    assert (found.terabytes_in, found.terabytes_out) == pytest.approx((10, 2))
    assert found.storing == pytest.approx(46)
    assert found.machines == pytest.approx(1000 / 24 / 16)
    assert found.shards_in == pytest.approx(10_000)
    assert found.shards_out == pytest.approx(390_625)
    # 400,625 reads at .4 a million; a file of 5.12 MB and its record take three requests each, 2,343,750 at 5.
    assert found.requests == pytest.approx(0.16025 + 11.71875)
    # One of 12.8 MB goes in two pieces.
    assert cost(Measured(0.036, 1e5, 5e4)).requests == pytest.approx(0.16025 + 7 * 390_625 * 5e-6)
    # A core moves 120 KB in .036 s, 3.33 MB a second; sixteen 53.3 MB of 1,250.
    assert found.network_share == pytest.approx(53.333 / 1250, rel=1e-3)
    assert found.bottleneck == "cores"


def test_where_images_take_no_time_the_network_runs_out():
    quick = Measured(cpu_seconds=0.001, bytes_in=1e6, bytes_out=0)
    assert cost(quick, machine=Machine(network=1e9)).bottleneck == "network"
    assert cost(quick, prices=Prices(core_hour=1)).computing == pytest.approx(1e5 / 3600)
