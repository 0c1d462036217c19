"""Several machines that share a training, each with its processes: which of them this is, and what it writes where."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import UsageError

# Where the first machine is to be found, and which one this is, counted from 0: as Lightning Fabric reads them.
ADDRESS, PORT, RANK = "MASTER_ADDR", "MASTER_PORT", "NODE_RANK"

ELSEWHERE = "done: the run folder of the first machine has the network"


def check_nodes(nodes: int, compress: bool) -> None:
    """Raise a UsageError unless there can be so many machines, and the environment says which of them this is.

    Parameters
    ----------
    nodes : int
    compress : bool
        Whether the schedule is made as long as a time, by a speed that is measured.
    """
    if nodes < 1:
        raise UsageError(f"--nodes {nodes}: expected at least 1")
    if nodes == 1:
        return
    missing = [name for name in (ADDRESS, PORT, RANK) if not os.environ.get(name)]
    if missing:
        raise UsageError(
            f"--nodes {nodes}: {' and '.join(missing)} not set; give the same command on each machine, {ADDRESS} and "
            f"{PORT} those of the first, {RANK} 0 there and up to {nodes - 1} on the others"
        )
    port, rank = os.environ[PORT], os.environ[RANK]
    if not (port.isdecimal() and 0 < int(port) < 1 << 16):
        raise UsageError(f"{PORT}={port}: expected a port, such as 29500")
    if not (rank.isdecimal() and int(rank) < nodes):
        raise UsageError(f"{RANK}={rank}: expected 0 to {nodes - 1} with --nodes {nodes}")
    if compress:
        raise UsageError("--compress-schedule and several --nodes do not go together: each would measure its own speed")


def node_rank(nodes: int) -> int:
    """Return which of so many machines this is; 0 of one, and of the first."""
    return int(os.environ[RANK]) if nodes > 1 else 0


def node_folder(run: Path, nodes: int) -> Path:
    """Return where this machine works: the run folder is the first's, which the others may share or not."""
    rank = node_rank(nodes)
    return run / f"node-{rank}" if rank else run
