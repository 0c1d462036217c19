"""UniSal's layers, whose norms each data set of its training has for itself."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

DOMAINS = ("DHF1K", "Hollywood", "UCFSports", "SALICON")


class DomainNorm(nn.Module):
    """A batch norm for each domain, `bn_DHF1K` .. `bn_SALICON`."""

    def __init__(self, channels: int, domains: Sequence[str] = DOMAINS) -> None:
        super().__init__()
        for domain in domains:
            self.add_module(f"bn_{domain}", nn.BatchNorm2d(channels))

    def forward(self, values: Tensor, domain: str) -> Tensor:
        """Return the values normed as a domain's, of the same shape."""
        normed: Tensor = self.get_submodule(f"bn_{domain}")(values)
        return normed


class DomainSequential(nn.Sequential):
    """Layers one after another, some of which need to know the domain."""

    def forward(self, input: Tensor, domain: str) -> Tensor:  # type: ignore[override,unused-ignore]
        """Return what the last layer gives."""
        for layer in self:
            input = layer(input, domain) if isinstance(layer, (DomainNorm, DomainSequential)) else layer(input)
        return input


class SeparableConv(nn.Module):
    """A 3x3 convolution of each channel by itself, norm, ReLU6, and a 1x1 convolution across channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_dw = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.sep_bn = DomainNorm(channels)
        self.conv_sep = nn.Conv2d(channels, channels, 1, bias=False)

    def forward(self, values: Tensor, domain: str) -> Tensor:
        """Return the values filtered, of the same shape."""
        filtered = nn.functional.relu6(self.sep_bn(self.conv_dw(values), domain))
        mixed: Tensor = self.conv_sep(filtered)
        return mixed


class Filtered(nn.Module):
    """Each channel filtered by itself, then narrowed by a 1x1 convolution; ordinary norms."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
            nn.BatchNorm2d(inputs),
            nn.ReLU6(),
            nn.Conv2d(inputs, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, values: Tensor) -> Tensor:
        """Return (N, outputs, H, W)."""
        narrowed: Tensor = self.conv(values)
        return narrowed


class Inverted(nn.Module):
    """Widened by a 1x1 convolution, twice unless said otherwise, each channel filtered by itself, narrowed.

    Norms are by domain.
    """

    def __init__(self, inputs: int, outputs: int, domains: Sequence[str] = DOMAINS, hidden: int | None = None) -> None:
        super().__init__()
        hidden = hidden or 2 * inputs
        self.conv = DomainSequential(
            nn.Conv2d(inputs, hidden, 1, bias=False),
            DomainNorm(hidden, domains),
            nn.ReLU6(),
            nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden, bias=False),
            DomainNorm(hidden, domains),
            nn.ReLU6(),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            DomainNorm(outputs, domains),
        )

    def forward(self, values: Tensor, domain: str) -> Tensor:
        """Return (N, outputs, H, W)."""
        narrowed: Tensor = self.conv(values, domain)
        return narrowed


class Skip(nn.Module):
    """What goes from the encoder to the decoder: widened twice and narrowed by 1x1 convolutions."""

    def __init__(self, inputs: int, outputs: int, domains: Sequence[str] = DOMAINS) -> None:
        super().__init__()
        self.expansion = DomainSequential(
            nn.Conv2d(inputs, 2 * inputs, 1, bias=False), DomainNorm(2 * inputs, domains), nn.ReLU6()
        )
        self.reduction = DomainSequential(nn.Conv2d(2 * inputs, outputs, 1), DomainNorm(outputs, domains))

    def forward(self, values: Tensor, domain: str) -> Tensor:
        """Return (N, outputs, H, W)."""
        narrowed: Tensor = self.reduction(self.expansion(values, domain), domain)
        return narrowed
