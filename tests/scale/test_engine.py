"""Work shared out to a Ray cluster of several nodes on this machine, one of which dies."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from PIL import Image
from slow_tasks import beginning, failing

import salbox
from salbox.imaging.inputs import find_images
from salbox.prediction.batch import BatchPlan, run_batch
from salbox.scale.engine import engine
from salbox.system.offline import stay_offline
from salbox.system.workers import in_workers

NODES = 3


def test_an_engine_that_is_none_is_refused():
    with pytest.raises(salbox.UsageError, match="engine 'spark': expected processes or ray"), engine("spark"):
        pass
    with pytest.raises(salbox.UsageError, match="say --engine ray"), engine("processes", "auto"):
        pass


def test_without_ray_a_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(salbox.MissingExtraError, match=r"salbox\[scale\]"), engine("ray"):
        pass


@pytest.fixture(scope="module")
def cluster():
    """A cluster of several nodes, each a process of its own with one core; this process belongs to it."""
    stay_offline()
    if os.environ.get("SALBOX_CLUSTER") != "1":
        pytest.skip("a cluster of several nodes takes minutes on a small machine: make test-cluster")
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 1, "object_store_memory": 100_000_000}, connect=False
    )
    nodes = [made.add_node(num_cpus=1, object_store_memory=100_000_000) for _ in range(NODES - 1)]
    made.connect()
    yield made, nodes
    ray.shutdown()
    made.shutdown()


# Sockets and files of Ray's own, which it leaves to the collector.
OPEN = ("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
ray_leaves_open = pytest.mark.filterwarnings(*OPEN)


@pytest.mark.slow
@ray_leaves_open
class TestOnACluster:
    def test_maps_are_the_same_bytes(self, cluster, tmp_path):
        for number in range(6):
            pixels = np.random.default_rng(number).integers(0, 255, (40, 60, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        (tmp_path / "broken.png").write_bytes(b"no picture")
        images = find_images([str(tmp_path)])
        found = {}
        for name in ("ray", "processes"):
            plan = BatchPlan({"imsig": {}, "gbvs.student": {}}, tmp_path / name)
            with engine(name):
                outcomes = list(run_batch(images, plan, 1 if name == "processes" else None))
            assert [outcome.source for outcome in outcomes] == [image.path for image in images]
            assert [len(outcome.failures) for outcome in outcomes] == [0] * 6 + [1]
            files = sorted((tmp_path / name).rglob("*.png"))
            found[name] = {file.relative_to(tmp_path / name): file.read_bytes() for file in files}
        assert len(found["ray"]) == 12
        assert found["ray"] == found["processes"]

    def test_what_a_task_raises_arrives_as_it_is(self, cluster):
        with engine("ray"), pytest.raises(salbox.SalboxError, match=r"^three: cannot be done$"):
            list(in_workers(failing, range(6)))

    def test_a_node_that_dies_costs_nothing(self, cluster, tmp_path):
        made, nodes = cluster
        tasks = list(range(24))
        with engine("ray"):
            results = in_workers(partial(beginning, tmp_path, 0.2), tasks, NODES)
            found = [next(results) for _ in range(4)]
            made.remove_node(nodes[0], allow_graceful=False)
            found.extend(results)
        assert [square for square, _ in found] == [task * task for task in tasks]
        begun = [int(sign.name.split(".")[0]) for sign in tmp_path.iterdir()]
        assert set(begun) == set(tasks)
        # Only what was in the hands of the lost one was begun again.
        assert len(begun) <= len(tasks) + 8


@pytest.mark.slow
def test_ray_is_told_not_to_report_home():
    code = "import salbox.scale.engine as e, os; e.stay_offline(); print(os.environ['RAY_USAGE_STATS_ENABLED'])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "0"
