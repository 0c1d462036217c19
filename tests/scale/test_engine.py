"""Work shared out to a Ray cluster of several nodes on this machine, one of which dies."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest
from PIL import Image
from shards import photo, write_parquet, write_tar
from slow_tasks import beginning, failing, visible_gpus

import salbox
from salbox.apps.crop_files import CropPlan, run_crops
from salbox.apps.cutout_files import CutoutPlan, run_cutouts
from salbox.apps.cutouts import DEFAULT_MODEL
from salbox.apps.sizes import parse_size
from salbox.imaging.inputs import find_images
from salbox.prediction.batch import BatchPlan, run_batch
from salbox.prediction.shard_plan import ShardPlan
from salbox.prediction.shards import begin_run, carry_out
from salbox.scale.engine import engine
from salbox.scale.inputs import find_sources
from salbox.scale.places import Folder
from salbox.scale.reading import Reading
from salbox.system.offline import stay_offline
from salbox.system.workers import in_workers

NODES = 3


def test_an_engine_that_is_none_is_refused():
    with pytest.raises(salbox.UsageError, match="engine 'spark': expected processes or ray"), engine("spark"):
        pass
    with pytest.raises(salbox.UsageError, match="say --engine ray"), engine("processes", "auto"):
        pass
    with pytest.raises(salbox.UsageError, match="--gpus-per-worker is of a Ray cluster"), engine("processes", gpus=1):
        pass
    with pytest.raises(salbox.UsageError, match="--gpus-per-worker -1"), engine("ray", gpus=-1):
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
        initialize_head=True,
        # It says that it has a GPU; none is used.
        head_node_args={
            "num_cpus": 1,
            "num_gpus": 1,
            "object_store_memory": 100_000_000,
            "include_dashboard": False,
        },
        connect=False,
    )
    nodes = [made.add_node(num_cpus=1, object_store_memory=100_000_000) for _ in range(NODES - 1)]
    made.connect()
    yield made, nodes
    ray.shutdown()
    made.shutdown()


# Sockets and files of Ray's own, which it leaves to the collector.
OPEN = (
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
    "ignore:.*:DeprecationWarning",  # of Ray's, of its own settings
)
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

    def test_crops_and_cutouts_are_the_same_bytes(self, cluster, tmp_path):
        (tmp_path / "photos").mkdir()
        for number in range(3):
            pixels = np.full((60, 80, 3), 230, np.uint8)
            pixels[15:45, 10 + 15 * number : 35 + 15 * number] = (200, 30, 20)
            Image.fromarray(pixels).save(tmp_path / "photos" / f"{number}.png")
        images = find_images([str(tmp_path / "photos")])
        found = {}
        for name in ("ray", "processes"):
            crops = CropPlan("gbvs.student", [parse_size("1:1")], folder=tmp_path / name / "crops")
            cutouts = CutoutPlan(BatchPlan({DEFAULT_MODEL: {}}, tmp_path / name / "cutouts"))
            with engine(name):
                workers = 1 if name == "processes" else None
                outcomes = [*run_crops(images, crops, workers), *run_cutouts(images, cutouts, workers)]
            assert not any(outcome.failures for outcome in outcomes)
            files = sorted((tmp_path / name).rglob("*.png"))
            found[name] = {file.relative_to(tmp_path / name): file.read_bytes() for file in files}
        assert len(found["ray"]) == 6
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

    def test_workers_see_the_gpus_that_they_are_given(self, cluster):
        with engine("ray", gpus=0.5):
            assert set(in_workers(visible_gpus, range(4))) == {"0"}
        with pytest.raises(salbox.SalboxError, match="the cluster has 1 GPUs"), engine("ray", gpus=2):
            pass

    def test_shards_are_done_once_though_a_node_dies(self, cluster, tmp_path):
        made, nodes = cluster
        inputs = [write_tar(tmp_path / f"{s}.tar", {f"{n}.png": photo(n) for n in range(6)}) for s in range(3)]
        inputs.append(write_tar(tmp_path / "broken.tar", {"a.png": photo(1), "b.png": b"no picture"}))
        inputs.append(write_parquet(tmp_path / "p.parquet", [photo(n) for n in range(6)], group=2))
        sources = find_sources([str(path) for path in inputs])
        found = {}
        for name in ("ray", "processes"):
            folder = tmp_path / name
            plan = ShardPlan(BatchPlan({"slow_model:slow": {}}, folder), Folder(folder), True, Reading(2))
            with engine(name):
                workers = 1 if name == "processes" else None
                run = begin_run(sources, plan, workers)
                # Parquet files are shared out by groups of rows where there are many workers.
                assert len(run.units) == (5 if name == "processes" else 7)
                for number, _ in enumerate(carry_out(run, plan, workers)):
                    if number == 1 and name == "ray":
                        made.remove_node(nodes[1], allow_graceful=False)
            assert [failure.key for failure in run.failures] == ["broken/b.png"]
            found[name] = {file.name: file.read_bytes() for file in folder.glob("part-*")}
            assert begin_run(sources, plan, workers).units == []
        assert found["ray"] == found["processes"]
        assert len(found["ray"]) == 3 * 3 + 1 + 3


@pytest.mark.slow
def test_ray_is_told_not_to_report_home():
    code = "import salbox.scale.engine as e, os; e.stay_offline(); print(os.environ['RAY_USAGE_STATS_ENABLED'])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "0"
