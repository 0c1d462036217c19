"""Maps of images in shards: the bytes of those of files, done once, whatever happens in between."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from own_models import write_module
from shards import photo, write_parquet, write_tar

import salbox
from salbox.imaging.inputs import find_images
from salbox.prediction.batch import BatchPlan, run_batch
from salbox.prediction.shard_plan import ShardPlan, card_hash
from salbox.prediction.shard_worker import Worker
from salbox.prediction.shards import begin_run, carry_out
from salbox.scale.inputs import find_sources
from salbox.scale.places import Folder
from salbox.scale.reading import Reading

pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")

MODELS = {"imsig": {}, "gbvs.student": {}}
PICKY = """
def picky(image, refused=-1):
    if image[0, 0, 0] == refused:
        raise ValueError("not this one")
    return image.mean(axis=2)
"""


def run(inputs, folder, *, in_parquet=True, rows=2, models=MODELS, **settings):
    """Return what came of images in shards, results in a folder."""
    batch = BatchPlan(models, folder, **settings)
    plan = ShardPlan(batch, Folder(folder), in_parquet, Reading(rows))
    begun = begin_run(find_sources([str(path) for path in inputs]), plan, 1)
    for _ in carry_out(begun, plan, 1):
        pass
    return begun


def files_of(folder, *, without="_job"):
    """Return {relative path: bytes} of a folder."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and without not in path.parts]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def rows_of(folder):
    """Return the rows of all results in a folder, by key and model; each must be there once."""
    rows = [row for path in sorted(folder.glob("part-*.parquet")) for row in pq.read_table(path).to_pylist()]
    found = {(row["key"], row["model"]): row for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.fixture
def shards(tmp_path):
    """Five photos in a folder, in a tar shard and in a Parquet file of two groups of rows."""
    (tmp_path / "photos").mkdir()
    for number in range(5):
        (tmp_path / "photos" / f"{number}.png").write_bytes(photo(number))
    names = [f"{number}.png" for number in range(5)]
    contents = [photo(number) for number in range(5)]
    tar = write_tar(tmp_path / "t.tar", dict(zip(names, contents, strict=True)))
    table = write_parquet(tmp_path / "p.parquet", contents, group=3, file_name=names)
    return tmp_path / "photos", tar, table


def test_maps_are_those_of_files_to_the_byte(shards, tmp_path):
    photos, tar, table = shards
    list(run_batch(find_images([str(photos)]), BatchPlan(MODELS, tmp_path / "one"), 1))
    expected = files_of(tmp_path / "one")
    assert len(expected) == 10
    run([tar, table], tmp_path / "files", in_parquet=False)
    found = files_of(tmp_path / "files")
    assert len(found) == 20
    for name, content in expected.items():
        model, file = name.split("/")
        assert found[f"{model}/t/{Path(file).stem}.png.png"] == content
        assert found[f"{model}/p/{Path(file).stem}.png.png"] == content
    run(shards, tmp_path / "parquet")
    packed = rows_of(tmp_path / "parquet")
    assert len(packed) == 30
    for name, content in expected.items():
        model, file = name.split("/")
        for key in (Path(file).stem, f"t/{file}", f"p/{file}"):
            assert packed[key, model]["map"] == content


def test_a_row_says_what_its_map_is(shards, tmp_path):
    _, tar, _ = shards
    run([tar], tmp_path / "out", file_format="npy")
    row = rows_of(tmp_path / "out")["t/3.png", "imsig"]
    saliency = salbox.predict(photo(3), "imsig")["imsig"]
    assert (row["height"], row["width"]) == saliency.shape
    assert row["mean"] == pytest.approx(saliency.mean(dtype=float))
    assert row["std"] == pytest.approx(saliency.std(dtype=float))
    assert (row["minimum"], row["maximum"]) == (saliency.min(), saliency.max())
    assert row["card_sha256"] == card_hash(salbox.load("imsig"))
    assert row["source"] == f"{tar}/3.png"
    assert row["output"] == "score"


def test_what_is_broken_is_a_row_of_the_table_of_errors(tmp_path):
    tar = write_tar(tmp_path / "t.tar", {"0.png": photo(0), "1.png": b"no picture", "2.png": photo(2)})
    table = write_parquet(tmp_path / "p.parquet", [photo(3), None, b""])
    begun = run([tar, table], tmp_path / "out")
    assert {key for key, _ in rows_of(tmp_path / "out")} == {"t/0.png", "t/2.png", "p/000000000"}
    with (tmp_path / "out" / "_job" / "errors.csv").open(newline="") as file:
        errors = {row["key"]: row["reason"] for row in csv.DictReader(file)}
    assert errors == {
        "t/1.png": "not an image, or of a kind that is not supported",
        "p/000000001": "there is no image",
        "p/000000002": "empty file",
    }
    assert len(begun.failures) == 3
    # They would fail again, and are not tried; the table stays.
    again = run([tar, table], tmp_path / "out")
    assert again.units == []
    assert len(again.failures) == 3
    assert (tmp_path / "out" / "_job" / "errors.csv").exists()


def test_a_shard_that_is_cut_off_gives_what_it_holds_and_is_tried_again(tmp_path):
    whole = {f"{number}.png": photo(number) for number in range(5)}
    tar = write_tar(tmp_path / "t.tar", whole)
    content, state = tar.read_bytes(), tar.stat()
    cut = bytearray(content)
    cut[content.index(photo(3)) - 512 : content.index(photo(3))] = b"\x01" * 512  # the head of number 3
    tar.write_bytes(cut)
    os.utime(tar, ns=(state.st_atime_ns, state.st_mtime_ns))
    begun = run([tar], tmp_path / "out")
    assert {key for key, _ in rows_of(tmp_path / "out")} == {"t/0.png", "t/1.png", "t/2.png"}
    assert "cannot be read further" in begun.failures[0].reason
    # As after a network that failed: the same shard, read on.
    first = files_of(tmp_path / "out")
    tar.write_bytes(content)
    os.utime(tar, ns=(state.st_atime_ns, state.st_mtime_ns))
    again = run([tar], tmp_path / "out")
    assert again.failures == []
    assert len(rows_of(tmp_path / "out")) == 10
    done = next(name for name in first if name.endswith("-00000.parquet"))
    assert files_of(tmp_path / "out")[done] == first[done]
    assert not (tmp_path / "out" / "_job" / "errors.csv").exists()


def test_a_second_run_does_what_is_new_and_nothing_else(shards, tmp_path):
    photos, tar, table = shards
    run([photos, tar], tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("part-*")}
    (photos / "9.png").write_bytes(photo(9))
    begun = run([photos, tar, table], tmp_path / "out")
    assert {unit.kind for unit in begun.units} == {"images", "parquet"}
    assert [file.key for unit in begun.units if unit.kind == "images" for file in unit.files] == ["9"]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert len(rows_of(tmp_path / "out")) == 2 * (5 + 1 + 5 + 5)


def test_what_somebody_did_who_was_lost_counts(shards, tmp_path):
    _, tar, _ = shards
    plan = ShardPlan(BatchPlan({"imsig": {}}, tmp_path), Folder(tmp_path / "out"), True, Reading(2))
    begun, other = (begin_run(find_sources([str(tar)]), plan, 1) for _ in range(2))
    for run_ in (begun, other):
        list(carry_out(run_, plan, 1))
    assert other.to_dict() == begun.to_dict()
    assert other.to_dict()["written"] == 5


def test_what_has_changed_is_told_and_left(shards, tmp_path):
    _, tar, _ = shards
    run([tar], tmp_path / "out")
    write_tar(tar, {"other.png": photo(7)})
    begun = run([tar], tmp_path / "out")
    assert begun.changed == [str(tar)]
    assert len(rows_of(tmp_path / "out")) == 10
    run([tar], tmp_path / "out", overwrite=True)
    assert {key for key, _ in rows_of(tmp_path / "out")} == {"t/other.png"}


def test_a_folder_holds_the_results_of_one_job(shards, tmp_path):
    _, tar, _ = shards
    run([tar], tmp_path / "out", models={"imsig": {}})
    with pytest.raises(salbox.UsageError, match="format: 'png' there, 'npy' now"):
        run([tar], tmp_path / "out", models={"imsig": {}}, file_format="npy")
    with pytest.raises(salbox.UsageError, match=r"models gbvs.student now only"):
        run([tar], tmp_path / "out")


def test_a_place_that_cannot_be_written_to_loses_nothing(shards, tmp_path):
    _, tar, _ = shards
    (tmp_path / "out" / "imsig" / "t").mkdir(parents=True)
    (tmp_path / "out" / "imsig" / "t" / "1.png.png").mkdir()  # no file can take its place
    begun = run([tar], tmp_path / "out", in_parquet=False, models={"imsig": {}})
    assert [failure.key for failure in begun.failures] == ["t/1.png"]
    (tmp_path / "out" / "imsig" / "t" / "1.png.png").rmdir()
    again = run([tar], tmp_path / "out", in_parquet=False, models={"imsig": {}})
    assert again.failures == []
    assert len(files_of(tmp_path / "out")) == 5


def test_overlays_of_shards_lie_beside_their_maps(shards, tmp_path):
    _, tar, _ = shards
    run([tar], tmp_path / "out", in_parquet=False, models={"imsig": {}}, overlay=0.5)
    assert (tmp_path / "out" / "imsig" / "t" / "0.png.overlay.png").exists()
    with pytest.raises(salbox.UsageError, match="--overlay"):
        run([tar], tmp_path / "other", models={"imsig": {}}, overlay=0.5)


def test_images_go_through_networks_together_on_a_gpu_and_alone_where_one_fails(shards, tmp_path, monkeypatch):
    _, tar, _ = shards
    write_module(tmp_path / "own", "picky_model", PICKY)
    monkeypatch.syspath_prepend(tmp_path / "own")
    models = {"gbvs.student": {}, "picky_model:picky": {"refused": int(salbox.read_image(photo(3))[0, 0, 0])}}
    sizes, made = [], Worker._made

    def noted(worker, unit, batch, record):
        sizes.append(len(batch))
        return made(worker, unit, batch, record)

    monkeypatch.setattr(Worker, "_made", noted)
    alone = run([tar], tmp_path / "alone", rows=5, models=models, file_format="npy")
    assert sizes == [1] * 5
    sizes.clear()
    monkeypatch.setattr(ShardPlan, "device", "cuda")  # as a plan says it; the models compute here
    together = run([tar], tmp_path / "together", rows=5, models=models, file_format="npy")
    assert sizes == [5] + [1] * 5
    for begun in (alone, together):
        assert [failure.key for failure in begun.failures] == ["t/3.png"]
    expected, found = rows_of(tmp_path / "alone"), rows_of(tmp_path / "together")
    assert len(found) == 8
    assert {key: row["map"] for key, row in found.items()} == {key: row["map"] for key, row in expected.items()}


@pytest.mark.slow
def test_a_run_that_is_killed_is_finished_by_the_next(tmp_path):
    tars = [write_tar(tmp_path / f"{s}.tar", {f"{n}.png": photo(10 * s + n) for n in range(6)}) for s in range(2)]
    command = [sys.executable, "-m", "salbox", "predict", *map(str, tars), "-m", "slow_model:slow"]
    command += ["-o", str(tmp_path / "out"), "--results", "parquet", "--rows-per-shard", "2", "--workers", "1"]
    path = os.pathsep.join([str(Path(__file__).parents[1] / "helpers"), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": path}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    done = tmp_path / "out" / "_job" / "done"
    while process.poll() is None and len(list(done.glob("*.json"))) < 2:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    records = {file: file.stat().st_mtime_ns for file in done.glob("*.json")}
    assert 2 <= len(records) < 8
    finished = subprocess.run([*command, "--json"], env=environment, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout)["images_of_earlier_runs"] >= 4
    assert {file: file.stat().st_mtime_ns for file in records} == records
    undisturbed = subprocess.run(
        [str(tmp_path / "again") if part == str(tmp_path / "out") else part for part in command], env=environment
    )
    assert undisturbed.returncode == 0
    assert files_of(tmp_path / "out") == files_of(tmp_path / "again")
    assert len(rows_of(tmp_path / "out")) == 12
