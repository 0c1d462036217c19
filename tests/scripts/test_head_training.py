"""A head learns on features that were computed once; nothing else of the network moves."""

from __future__ import annotations

import numpy as np
import programs
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from salbox.distillation.teachers.augmentations import View  # noqa: E402
from salbox.distillation.teachers.maps_folder import TeacherMaps  # noqa: E402
from salbox.imaging.writing import write_picture  # noqa: E402
from salbox.networks.trainable.factory import rebuild  # noqa: E402
from salbox.system.progress import SILENT  # noqa: E402

SETTINGS = {"encoder": "mobilenetv2_035", "size": (64, 96), "width": 8, "head_width": 4, "deepest": 16}


@pytest.fixture(scope="module")
def script():
    return programs.script("head_training")


@pytest.fixture
def learned(tmp_path):
    """Pictures with a bright spot, and a teacher that draws it; two shapes, so that batches are of one each."""
    random = np.random.default_rng(0)
    (tmp_path / "maps").mkdir()
    views = []
    for number in range(6):
        shape = (64, 96) if number % 2 else (96, 64)
        spot = np.zeros(shape, np.float32)
        row, column = random.integers(8, 56, 2)
        spot[row : row + 8, column : column + 8] = 1
        image = (random.random((*shape, 3)) * 60 + 180 * spot[..., None]).astype(np.uint8)
        write_picture(tmp_path / f"{number}.png", image)
        np.save(tmp_path / "maps" / f"{number}.npy", spot)
        views.append(View(tmp_path / f"{number}.png", str(number)))
    return views, TeacherMaps(tmp_path / "maps")


# A head that sees the spot itself learns more of it than one that sees a trunk of random weights.
@pytest.mark.parametrize(("sees", "most"), [({}, 0.85), ({"b": "spectrum"}, 0.5), ({"b": "conspicuity"}, 0.5)])
def test_a_head_learns_and_nothing_else_moves(script, learned, sees, most):
    torch.manual_seed(0)
    network = rebuild("box", ["a", "b"], {**SETTINGS, "sees": sees}).eval()
    before = {name: values.clone() for name, values in network.state_dict().items()}
    head = network.head_layers[1]
    found = script.examples(network, head, *learned, SILENT)
    assert len({one.decoded.shape for one in found}) == 2
    assert all(one.target.max() == 1 for one in found)

    def error() -> float:
        with torch.no_grad():
            maps = [network.eval().maps(picture(network, view))[0, 1] for view in learned[0]]
        return float(np.mean([(one.target - own).square().mean() for one, own in zip(found, maps, strict=True)]))

    first = error()
    pool = head.pool
    script.fit_head(head, found, 30, SILENT)
    assert error() < most * first
    assert not head.training
    assert head.pool == pool == (2 if sees else 1)
    for name, values in network.state_dict().items():
        if not name.startswith("head_layers.1."):
            assert torch.equal(values, before[name]), name


def picture(network, view):
    return torch.from_numpy(network.preprocessing.prepare(view.render()).copy()).permute(2, 0, 1)[None].float()
