"""Devices by name, and one line where there is none."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

# ruff: noqa: E402 - what follows needs torch

import salbox
from salbox.networks.device import torch_device


def test_the_cpu_is_always_there():
    assert torch_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["gpu", "meta", "", "cuda:x", None])
def test_what_does_not_exist(name):
    with pytest.raises(salbox.UsageError, match="expected cpu, cuda"):
        torch_device(name)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_what_is_not_here(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(salbox.UsageError, match=f"^device '{name}': PyTorch finds no .*; choose cpu$"):
        torch_device(name)


def test_a_second_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert torch_device("cuda") == torch.device("cuda")
    with pytest.raises(salbox.UsageError, match="finds 1 CUDA"):
        torch_device("cuda:1")


def test_threads_are_held_to_what_was_asked_for(monkeypatch):
    before = torch.get_num_threads()
    monkeypatch.delenv("SALBOX_THREADS", raising=False)
    try:
        torch.set_num_threads(2)
        torch_device("cpu")
        assert torch.get_num_threads() == 2
        monkeypatch.setenv("SALBOX_THREADS", "1")
        torch_device("cpu")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
