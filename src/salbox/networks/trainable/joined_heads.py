"""Heads that look at one decoder, joined into convolutions that serve all of them: for exported graphs.

Each head by itself is three narrow convolutions, which read the decoder's features once more. Joined they read them
once; the numbers are the same, and so are the names of the weights, which the graph joins when it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .numbers import CHANNELS
from .sight import Head, SeeingHead

BLOCK = 16  # channels, at most, that ONNX Runtime keeps side by side: in multiples of it features need no new layout


def joined_logits(heads: Sequence[Head], decoded: Tensor, pictures: Tensor, stride: int) -> Tensor:
    """Return the logits of heads, (N, heads, h, w).

    Parameters
    ----------
    heads : sequence of nn.Module
        Of `make_head`, of one width, or such as `SeeingHead`s; with batch norms as in evaluation.
    decoded : (N, C, h, w)
        What they look at.
    pictures : (N, 3, H, W)
        What some of them see beside that, in 0..255.
    """
    every: list[Any] = list(heads)  # `nn.Sequential`s, whose parts have no types of their own
    blind = [place for place, head in enumerate(every) if not isinstance(head, SeeingHead)]
    seeing = [place for place, head in enumerate(every) if isinstance(head, SeeingHead)]
    logits = []
    if blind:
        firsts = [every[place][0][0].weight for place in blind]
        logits.append(_read(every, blind, functional.conv2d(decoded, torch.cat(firsts))))
    if seeing:
        count, room = CHANNELS * len(seeing), -CHANNELS * len(seeing) % BLOCK
        size = [side // stride for side in pictures.shape[-2:]]
        seen = torch.cat([every[place].look(pictures, size) for place in seeing], dim=1)
        spread = [[float(row == column) for column in range(count)] for row in range(count + room)]
        seen = functional.conv2d(seen, torch.tensor(spread)[:, :, None, None])
        firsts, direct = [], {}
        for order, place in enumerate(seeing):
            before, after = CHANNELS * order, CHANNELS * (len(seeing) - 1 - order) + room
            trunk, own = every[place][0][0].weight.split((every[place][0][0].in_channels - CHANNELS, CHANNELS), dim=1)
            firsts.append(torch.cat([trunk, _widened(own, before, after)], dim=1))
            direct[place] = _widened(every[place].direct.weight, before, after)
        logits.append(_read(every, seeing, functional.conv2d(torch.cat([decoded, seen], dim=1), torch.cat(firsts))))
        logits.append(functional.conv2d(seen, _rows(direct, len(every))))
    return sum(logits[1:], logits[0])


def _read(every: Sequence[Any], places: Sequence[int], mixed: Tensor) -> Tensor:
    """Return the logits of all heads, 0 but for those at some places, from what their first convolutions give."""
    some = [every[place] for place in places]
    width = some[0][2].in_channels
    found = _rectified(mixed, [head[0][1] for head in some])
    depthwise = torch.cat([head[1][0].weight for head in some])
    found = functional.conv2d(found, depthwise, padding=some[0][1][0].padding, groups=width * len(some))
    found = _rectified(found, [head[1][1] for head in some])
    weights = {
        place: _widened(every[place][2].weight, width * order, width * (len(some) - 1 - order))
        for order, place in enumerate(places)
    }
    biases = {place: every[place][2].bias for place in places}
    return functional.conv2d(found, _rows(weights, len(every)), _rows(biases, len(every)))


def _rectified(found: Tensor, norms: Sequence[nn.BatchNorm2d]) -> Tensor:
    """Return features behind the batch norms of several heads, and a ReLU6."""
    mean, variance, weight, bias = (
        torch.cat([getattr(norm, name) for norm in norms]) for name in ("running_mean", "running_var", "weight", "bias")
    )
    return functional.relu6(functional.batch_norm(found, mean, variance, weight, bias, eps=norms[0].eps))


def _widened(weight: Tensor, before: int, after: int) -> Tensor:
    """Return weights, (outputs, inputs, 1, 1), for more inputs, of no weight, before and after theirs."""
    parts = [torch.zeros(len(weight), before, 1, 1), weight, torch.zeros(len(weight), after, 1, 1)]
    return torch.cat([part for part in parts if part.numel()], dim=1)  # a file holds no tensors without numbers


def _rows(given: Mapping[int, Tensor], count: int) -> Tensor:
    """Return rows, (count, ...), those that are not given 0."""
    empty = torch.zeros_like(next(iter(given.values())))
    return torch.cat([given.get(place, empty) for place in range(count)])
