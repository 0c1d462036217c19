"""Heads joined for the exported graph give what each of them gives by itself."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from salbox.networks.trainable.box import make_head  # noqa: E402
from salbox.networks.trainable.joined_heads import joined_logits  # noqa: E402
from salbox.networks.trainable.numbers import CHANNELS  # noqa: E402
from salbox.networks.trainable.sight import SeeingHead  # noqa: E402

WIDTH, HEAD_WIDTH = 12, 4


def made(kinds):
    """Return heads whose every number is their own."""
    torch.manual_seed(0)
    heads = [
        make_head(WIDTH, HEAD_WIDTH) if kind == "" else SeeingHead(make_head(WIDTH + CHANNELS, HEAD_WIDTH), kind)
        for kind in kinds
    ]
    with torch.no_grad():
        for values in (values for head in heads for values in head.state_dict().values()):
            if values.is_floating_point():
                values.add_(0.3 * torch.rand_like(values))
    return [head.eval() for head in heads]


@pytest.mark.parametrize(
    "kinds",
    [
        ("", ""),
        ("", "spectrum", "", "conspicuity"),
        ("conspicuity", "", ""),
        ("spectrum", "conspicuity", "spectrum", "conspicuity", "spectrum"),  # more than fit into one block of channels
    ],
)
def test_joined_heads_give_what_each_gives(kinds):
    heads = made(kinds)
    pictures, decoded = 255 * torch.rand(2, 3, 64, 96), torch.randn(2, WIDTH, 32, 48)
    with torch.no_grad():
        each = [
            head(head.seen(pictures, decoded) if kind else decoded) for head, kind in zip(heads, kinds, strict=True)
        ]
        found = joined_logits(heads, decoded, pictures, 2)
    assert min(float(logits.std()) for logits in each) > 0.01
    torch.testing.assert_close(found, torch.cat(each, dim=1), rtol=1e-4, atol=1e-5)
