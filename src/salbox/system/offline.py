"""Offline: libraries that report home by themselves are told not to, before anything imports them."""

from __future__ import annotations

import os

# A library's own switch, read when it is first imported. Whoever sets one of them to another value keeps it.
OPT_OUTS = {
    # ONNX Runtime from 1.29: a device id and a database in the home folder, uploads, and a thread that a fork loses.
    "ORT_DISABLE_TELEMETRY": "1",
    # huggingface_hub, below timm: says with each request what runs on which system.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    # Ray: what a cluster is made of, each hour.
    "RAY_USAGE_STATS_ENABLED": "0",
}


def stay_offline() -> None:
    """Set what keeps libraries from reporting home, for this process and those that it starts."""
    for name, value in OPT_OUTS.items():
        os.environ.setdefault(name, value)
