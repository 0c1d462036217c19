from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from safetensors.torch import save_file  # noqa: E402

from salbox.errors import WeightsError  # noqa: E402
from salbox.networks.trainable.factory import build_network  # noqa: E402
from salbox.networks.trainable.saved import read_weights, save_weights  # noqa: E402


def test_what_was_saved_comes_back(tmp_path):
    with pytest.warns(UserWarning, match="random weights"):
        network = build_network("box", ["a", "b"], width=8, deepest=8).eval()
    save_weights(network, tmp_path / "w.safetensors")
    again = read_weights(tmp_path / "w.safetensors").eval()
    image = torch.rand(1, 3, 64, 64)
    torch.testing.assert_close(again(image), network(image), rtol=0, atol=0)


@pytest.mark.parametrize(
    "described", [None, "", "[]", "{}", '"box"', "[" * 100_000, json.dumps({"network": "box", "heads": ["a"]})]
)
def test_what_describes_no_network_is_one_line(tmp_path, described):
    path = tmp_path / "w.safetensors"
    save_file({"x": torch.zeros(1)}, path, metadata=None if described is None else {"salbox": described})
    with pytest.raises(WeightsError, match="not weights that salbox wrote") as raised:
        read_weights(path)
    assert "\n" not in str(raised.value)
