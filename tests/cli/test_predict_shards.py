"""`salbox predict` of shards: its options, what it says, its exit codes."""

from __future__ import annotations

import json
import sys

import pytest
from shards import photo, write_parquet, write_tar

pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")


def test_shards_give_maps_and_a_broken_image_a_line(cli, tmp_path):
    tar = write_tar(tmp_path / "t.tar", {"0.png": photo(0), "1.png": b"no picture"})
    code, _, said = cli("predict", tar, "-m", "imsig", "-o", tmp_path / "maps", "--format", "npy")
    assert code == 1
    assert (tmp_path / "maps" / "imsig" / "t" / "0.png.npy").is_file()
    assert "1 maps of 2 images written" in said
    assert f"{tar}/1.png: not an image" in said
    code, out, _ = cli("predict", tar, "-m", "imsig", "-o", tmp_path / "maps", "--format", "npy", "--json")
    assert (code, json.loads(out)["images_of_earlier_runs"], json.loads(out)["failed"]) == (1, 2, 1)


def test_results_are_one_table(cli, tmp_path):
    table = write_parquet(tmp_path / "in.parquet", [photo(0), photo(1)], group=1, page=["a", "b"], thumb=[b"", b""])
    options = ["-m", "imsig", "-o", tmp_path / "out", "--results", "parquet"]
    code, _, said = cli("predict", table, *options, "--image-column", "image", "--key-column", "page")
    assert code == 0, said
    assert sorted(pq.read_table(tmp_path / "out").column("key").to_pylist()) == ["in/a", "in/b"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["t.tar", "--results", "csv"], "--results csv: expected files or parquet"),
        (["t.tar", "--rows-per-shard", "0"], "0 rows a shard"),
        (["p.png", "--key-column", "a"], "--key-column does nothing without shards among the inputs"),
        (["http://example.org/a.tar"], "addresses of buckets begin with s3://"),
        (["t.tar", "--results", "parquet", "--overlay"], "--overlay"),
        (["none.tar"], "no such file"),
    ],
)
def test_what_does_not_fit_is_one_line(cli, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    write_tar(tmp_path / "t.tar", {"0.png": photo(0)})
    (tmp_path / "p.png").write_bytes(photo(0))
    code, _, error = cli("predict", *arguments, "-m", "imsig", "-o", tmp_path / "maps")
    assert code == 2
    assert said in error
    assert not (tmp_path / "maps").exists()


def test_a_file_holds_no_shard(cli, tmp_path):
    tar = write_tar(tmp_path / "t.tar", {"0.png": photo(0)})
    code, _, error = cli("predict", tar, "-m", "imsig", "-o", tmp_path / "map.png")
    assert code == 2
    assert "a folder, or a bucket, for outputs" in error


def test_without_pyarrow_a_line_says_what_to_install(cli, tmp_path, monkeypatch):
    tar = write_tar(tmp_path / "t.tar", {"0.png": photo(0)})
    table = write_parquet(tmp_path / "p.parquet", [photo(0)])
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.setitem(sys.modules, name, None)
    for arguments in ([table], [tar, "--results", "parquet"], ["s3://bucket/t.tar"]):
        code, _, error = cli("predict", *arguments, "-m", "imsig", "-o", tmp_path / "maps")
        assert code == 2
        assert "salbox[scale]" in error
