"""What a hundred million images cost: bytes, core hours, shards, money and what runs out first, of measured figures."""

from __future__ import annotations

import math
from dataclasses import dataclass

HOUR = 3600
DAY = 24 * HOUR
MEGABYTE, TERABYTE = 1e6, 1e12
PIECE = 10 << 20  # bytes that pyarrow uploads by one request


@dataclass(frozen=True)
class Measured:
    """What one image takes, as measured: seconds of one core, bytes read, bytes written."""

    cpu_seconds: float
    bytes_in: float
    bytes_out: float


@dataclass(frozen=True)
class Prices:
    """What is paid, in dollars; assumptions of the order of what large providers ask, to be replaced by your own."""

    core_hour: float = 0.04
    terabyte_month: float = 23.0
    million_reads: float = 0.4
    million_writes: float = 5.0


@dataclass(frozen=True)
class Machine:
    """One of a cluster: its cores, and bytes a second that its network carries."""

    cores: int = 16
    network: float = 1.25e9  # 10 Gbit/s


@dataclass(frozen=True)
class Cost:
    """What a number of images cost.

    Attributes
    ----------
    core_hours : float
    machines : float
        That do it in a day.
    terabytes_in, terabytes_out : float
    shards_in, shards_out : float
        Tar shards that are read, Parquet files that are written; beside each of these lies a record of about 200 bytes.
    computing, storing, requests : float
        Dollars; the outputs kept for a month.
    network_share : float
        Of what a machine's network carries, while all of its cores work.
    """

    core_hours: float
    machines: float
    terabytes_in: float
    terabytes_out: float
    shards_in: float
    shards_out: float
    computing: float
    storing: float
    requests: float
    network_share: float

    @property
    def bottleneck(self) -> str:
        """What runs out first."""
        return "network" if self.network_share > 1 else "cores"


def cost(
    each: Measured,
    images: float = 1e8,
    *,
    rows: int = 256,
    shard_bytes: float = 1e9,
    prices: Prices | None = None,
    machine: Machine | None = None,
) -> Cost:
    """Return what images cost that each take what was measured of some.

    Parameters
    ----------
    each : Measured
    images : float
    rows : int
        Of a Parquet file of results.
    shard_bytes : float
        Of a tar shard of inputs.
    prices : Prices, optional
    machine : Machine, optional
    """
    prices, machine = prices or Prices(), machine or Machine()
    seconds = images * each.cpu_seconds
    shards_in, shards_out = images * each.bytes_in / shard_bytes, images / rows
    # A shard is one read; of a file of results there are the file and its record, and whether that is there is asked.
    # pyarrow begins and ends each upload by a request of its own, whatever the number of pieces.
    pieces = math.ceil(rows * each.bytes_out / PIECE)
    reads, writes = shards_in + shards_out, (2 + pieces + 3) * shards_out
    moved = (each.bytes_in + each.bytes_out) / each.cpu_seconds * machine.cores
    return Cost(
        core_hours=seconds / HOUR,
        machines=seconds / DAY / machine.cores,
        terabytes_in=images * each.bytes_in / TERABYTE,
        terabytes_out=images * each.bytes_out / TERABYTE,
        shards_in=shards_in,
        shards_out=shards_out,
        computing=seconds / HOUR * prices.core_hour,
        storing=images * each.bytes_out / TERABYTE * prices.terabyte_month,
        requests=(reads * prices.million_reads + writes * prices.million_writes) / 1e6,
        network_share=moved / machine.network,
    )
