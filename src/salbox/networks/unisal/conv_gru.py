"""UniSal's memory from frame to frame: a gated recurrent unit of separable convolutions, with norms by domain."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .domains import DomainNorm, SeparableConv


class ConvGRU(nn.Module):
    """One cell over a sequence of maps; named `cell_list.0` as in the authors' weights."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.cell_list = nn.ModuleList([Cell(channels)])

    def forward(self, sequence: Tensor, domain: str, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the state after each map, (T, C, h, w), and the last of them, (1, C, h, w).

        Parameters
        ----------
        sequence : (T, C, h, w) float32
            The maps of one clip, in order.
        domain : str
        state : (1, C, h, w) float32, optional
            After the map before; zeros by default.
        """
        states = []
        state = torch.zeros_like(sequence[:1]) if state is None else state
        for values in sequence.split(1):
            state = self.cell_list[0](values, state, domain)
            states.append(state)
        return torch.cat(states), state


class Cell(nn.Module):
    """A gated recurrent unit (Cho et al. 2014): r and z are its gates, h the candidate; x is new, h is remembered.

    Every convolution is followed by a norm and a scale of its own, `a_r_x` .. `a_h_h`.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        for gate in "rzh":
            self.register_parameter(f"b_{gate}", nn.Parameter(torch.zeros(channels, 1, 1)))
            for source in "xh":
                self.register_parameter(f"a_{gate}_{source}", nn.Parameter(torch.ones(channels, 1, 1)))
                # The authors' names: norms of the candidate are "out", its convolutions have no letter.
                self.add_module(f"norm_{'out' if gate == 'h' else gate}_{source}", DomainNorm(channels))
                letter = "w" if source == "x" else "u"
                self.add_module(letter if gate == "h" else f"{letter}_{gate}", SeparableConv(channels))

    def forward(self, values: Tensor, state: Tensor, domain: str) -> Tensor:
        """Return the next state: (1, C, h, w)."""
        reset = torch.sigmoid(self._from_input("r", values, domain) + self._remembered("r", state, domain) + self.b_r)
        update = torch.sigmoid(self._from_input("z", values, domain) + self._remembered("z", state, domain) + self.b_z)
        candidate = torch.tanh(
            self._from_input("h", values, domain) + reset * self._remembered("h", state, domain) + self.b_h
        )
        return (1 - update) * state + update * candidate

    def _from_input(self, gate: str, values: Tensor, domain: str) -> Tensor:
        return self._part(gate, "x", "w", values, domain)

    def _remembered(self, gate: str, state: Tensor, domain: str) -> Tensor:
        return self._part(gate, "h", "u", state, domain)

    def _part(self, gate: str, source: str, letter: str, values: Tensor, domain: str) -> Tensor:
        convolution = self.get_submodule(letter if gate == "h" else f"{letter}_{gate}")
        norm = self.get_submodule(f"norm_{'out' if gate == 'h' else gate}_{source}")
        scaled: Tensor = self.get_parameter(f"a_{gate}_{source}") * norm(convolution(values, domain), domain)
        return scaled
