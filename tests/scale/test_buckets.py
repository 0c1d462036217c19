"""Images in buckets, and results in them: a server on this machine answers as Amazon's does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import pytest
from shards import photo, write_parquet, write_tar

import salbox
from salbox.prediction.batch import BatchPlan
from salbox.prediction.shard_plan import ShardPlan
from salbox.prediction.shards import begin_run, carry_out
from salbox.scale.inputs import find_sources
from salbox.scale.places import Bucket, Folder, place_at, split_address
from salbox.scale.reading import Reading

pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
fs = pytest.importorskip("pyarrow.fs")

SECONDS = 120  # that the server has to begin


def moto_server() -> list[str]:
    """Return the command that begins the server; skip without one."""
    if named := os.environ.get("SALBOX_MOTO_SERVER"):
        return [named]
    if find_spec("moto") is None:
        pytest.skip("moto is not installed (SALBOX_MOTO_SERVER names its moto_server)")
    return [sys.executable, "-m", "moto.server"]


@pytest.fixture(scope="module")
def server():
    """The address of a server of buckets that is empty."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*moto_server(), "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > until:
                    pytest.skip("moto's server does not begin")
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def bucket(server, monkeypatch):
    """A bucket with three photos, two shards and what is neither."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return _filled(server)


def _filled(server):
    made = fs.S3FileSystem(endpoint_override=server, region="us-east-1", allow_bucket_creation=True)
    made.create_dir("photos")
    for name in ("in/0.png", "in/1.png", "in/deep/2.png"):
        _put(made, f"photos/{name}", photo(int(name[-5])))
    _put(made, "photos/in/broken.png", b"no picture")
    _put(made, "photos/in/note.txt", b"no image")
    return made


def _put(filesystem, path, content):
    with filesystem.open_output_stream(path) as file:
        file.write(content)


def run(inputs, output, *, in_parquet=True, **settings):
    """Return what came of images in buckets."""
    place = place_at(output)
    batch = BatchPlan({"imsig": {}}, place.folder if isinstance(place, Folder) else Path(), **settings)
    plan = ShardPlan(batch, place, in_parquet, Reading(2))
    begun = begin_run(find_sources(inputs), plan, 1)
    for _ in carry_out(begun, plan, 1):
        pass
    return begun


def test_patterns_name_objects(bucket):
    def keys(*inputs, **settings):
        return [source.key for source in find_sources(inputs, **settings)]

    assert keys("s3://photos/in") == ["0.png", "1.png", "broken.png"]
    assert keys("s3://photos/in", recursive=True) == ["0.png", "1.png", "broken.png", "deep/2.png"]
    assert keys("s3://photos/in/?.png") == ["0.png", "1.png"]
    assert keys("s3://photos/**/[12].png") == ["in/1.png", "in/deep/2.png"]
    assert keys("s3://photos/in/deep/2.png") == ["2.png"]
    for nothing in ("s3://photos/in/*.tar", "s3://photos/empty", "s3://no-such-bucket/*.png"):
        with pytest.raises(salbox.UsageError, match="no image or shard there"):
            keys(nothing)


def test_maps_of_a_bucket_are_those_of_files_to_the_byte(bucket, tmp_path):
    tar = write_tar(tmp_path / "t.tar", {f"{n}.png": photo(n) for n in range(5)})
    table = write_parquet(tmp_path / "p.parquet", [photo(n) for n in range(5)], group=3)
    for path in (tar, table):
        _put(bucket, f"photos/shards/{path.name}", path.read_bytes())
    run([str(tar), str(table)], tmp_path / "here")
    begun = run(["s3://photos/shards/*", "s3://photos/in"], "s3://photos/out")
    assert [(failure.key, failure.reason) for failure in begun.failures] == [
        ("broken.png", "not an image, or of a kind that is not supported")
    ]
    here = _packed(pq.read_table(path) for path in (tmp_path / "here").glob("part-*"))
    there = _packed(
        pq.read_table(info.path, filesystem=bucket)
        for info in bucket.get_file_info(fs.FileSelector("photos/out"))
        if info.path.endswith(".parquet")
    )
    assert len(here) == 10
    assert {**here, "0.png": there["0.png"], "1.png": there["1.png"]} == there
    assert there["0.png"] == here["t/0.png"]
    again = run(["s3://photos/shards/*", "s3://photos/in"], "s3://photos/out")
    assert again.units == []
    assert b"broken.png" in place_at("s3://photos/out").read("_job/errors.csv")


def _packed(tables):
    rows = [row for table in tables for row in table.to_pylist()]
    found = {row["key"]: row["map"] for row in rows}
    assert len(found) == len(rows)
    return found


def test_files_in_a_bucket_are_those_of_a_folder(bucket, tmp_path):
    run(["s3://photos/in/*.png"], "s3://photos/files", in_parquet=False)
    run(["s3://photos/in/*.png"], tmp_path / "here", in_parquet=False)
    for number in range(2):
        with bucket.open_input_file(f"photos/files/imsig/{number}.png.png") as file:
            assert file.read() == (tmp_path / "here" / "imsig" / f"{number}.png.png").read_bytes()


def test_an_object_that_is_gone_is_tried_again(bucket, tmp_path):
    plan = ShardPlan(BatchPlan({"imsig": {}}, tmp_path / "out"), Folder(tmp_path / "out"), True, Reading(2))
    begun = begin_run(find_sources(["s3://photos/in/?.png"]), plan, 1)
    bucket.delete_file("photos/in/1.png")
    list(carry_out(begun, plan, 1))
    assert [failure.key for failure in begun.failures] == ["1.png"]
    _put(bucket, "photos/in/1.png", photo(1))
    again = run(["s3://photos/in/0.png", "s3://photos/in/1.png"], tmp_path / "out")
    assert [file.key for unit in again.units for file in unit.files] == ["1.png"]
    assert again.failures == []


def test_addresses_are_of_buckets():
    bucket, path = split_address("gs://b/a/*.tar")
    assert isinstance(bucket, Bucket)
    assert (bucket.uri(path), path) == ("gs://b/a/*.tar", "a/*.tar")
    for name in ("a%3Fb?c#d.jpg", "%23.jpg"):
        assert split_address(f"GS://b/{name}")[1] == name
    for text in ("s3://", "s3://b/../c"):
        with pytest.raises(salbox.UsageError, match="name a bucket"):
            split_address(text)
