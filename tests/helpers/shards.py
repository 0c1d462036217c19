"""Small shards of small photos, in tests."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from image_bytes import image_bytes


def photo(number: int) -> bytes:
    """Return the PNG of a photo of noise, another for another number."""
    pixels = np.random.default_rng(number).integers(0, 255, (24, 36, 3)).astype(np.uint8)
    return image_bytes(pixels)


def write_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    """Write a tar shard; return where."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def write_parquet(
    where: Path,
    contents: Sequence[bytes | None],
    *,
    group: int = 100,
    checksums: bool = False,
    **columns: Sequence[object],
) -> Path:
    """Write a Parquet file with a column of bytes called `image`, and others; return where."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    where.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"image": pa.array(contents, pa.binary()), **columns})
    pq.write_table(table, where, row_group_size=group, write_page_checksum=checksums)
    return where
