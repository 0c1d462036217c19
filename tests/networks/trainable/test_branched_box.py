"""A box with a branch: which heads look at which decoder, and what stays as it was."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

import salbox  # noqa: E402
from salbox.errors import UsageError  # noqa: E402
from salbox.networks.encoders import make_encoder  # noqa: E402
from salbox.networks.trainable.box import Box  # noqa: E402
from salbox.networks.trainable.branch import Branch  # noqa: E402
from salbox.networks.trainable.branched_box import BranchedBox  # noqa: E402
from salbox.networks.trainable.factory import rebuild  # noqa: E402
from salbox.networks.trainable.growing import with_branch  # noqa: E402
from salbox.networks.trainable.reload import with_one_head  # noqa: E402
from salbox.networks.unisal.design import UniSalDesign  # noqa: E402
from salbox.networks.unisal.shared_decoder import HIDDEN, UniSalDecoder  # noqa: E402

SMALL = {"encoder": "mobilenetv2_035", "size": (64, 96), "width": 8, "head_width": 4, "deepest": 16}
BRANCH = {"rows": (2, 1, 1), "branch_width": 8, "branch_head_width": 4}
WHOLE = {"rows": (2, 1, 1, 1), "leaves": 1, "branch_decoder": "unisal", "branch_head_width": 4}


def shaken(network, seed):
    """Return a network whose every number is its own."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for values in network.state_dict().values():
            if values.is_floating_point():
                values.add_(0.05 * torch.rand(values.shape, generator=generator))
    return network.eval()


@pytest.fixture(scope="module")
def trained():
    return shaken(Box(["a", "b"], **SMALL), 0)


@pytest.fixture(scope="module", params=[BRANCH, {**BRANCH, "leaves": 4}, WHOLE], ids=["from 8", "from 4", "whole"])
def alone(trained, request):
    network = shaken(BranchedBox(["p", "q"], branch=["p", "q"], **SMALL, **request.param), 1)
    trunk = trained.encoder.state_dict()
    network.encoder.load_state_dict({name: trunk[name] for name in network.encoder.state_dict()})
    return network


@pytest.fixture(scope="module")
def grown(trained, alone):
    return with_branch(trained, alone)


@pytest.fixture(scope="module")
def images():
    return 255 * torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(2))


def test_a_branch_leaves_the_maps_that_were_there_as_they_were(trained, alone, grown, images):
    with torch.no_grad():
        found, old, new = grown(images), trained(images), alone(images)
    assert grown.heads == ("a", "b", "p", "q")
    assert not grown.training
    assert torch.equal(found[:, :2], old)
    assert new.shape[-2:] == (8, 12)
    enlarged = functional.interpolate(new, size=old.shape[-2:], mode="bilinear", align_corners=False)
    torch.testing.assert_close(found[:, 2:], enlarged)


def test_sizes_that_the_strides_do_not_divide(grown):
    with torch.no_grad():
        assert grown(torch.rand(1, 3, 77, 101)).shape == (1, 4, 39, 51)


def test_a_branch_alone_splits_where_it_leaves_the_trunk(alone, trained, images):
    with torch.no_grad():
        encoded = alone.encode(images)
        left = images if alone.leaves == 1 else trained.features(images)[f"stride{alone.leaves}"]
        assert torch.equal(encoded[0], alone.branch.begin(alone.encoder_input(left) if alone.leaves == 1 else left))
        assert encoded[0].shape[-2:] == (8, 12)
        assert torch.equal(alone.decode(encoded), alone(images))
        read = alone.decoder_readout(alone.decoder_features(images))
    assert torch.equal(read, alone(images))
    assert not any(name.startswith(("lateral", "mix", "context", "detail")) for name in alone.state_dict())


@pytest.mark.parametrize(("head", "place"), [("b", 1), ("q", 3)])
def test_one_head_of_either_kind(grown, images, head, place):
    network = with_one_head(grown, head)
    with torch.no_grad():
        found, together = network(images), grown(images)[:, place : place + 1]
    found = functional.interpolate(found, size=together.shape[-2:], mode="bilinear", align_corners=False)
    torch.testing.assert_close(found, together)
    assert (network.branch is None) == (head == "b")


def test_heads_of_two_decoders_are_not_read_off_one(grown, images):
    with pytest.raises(UsageError, match="two decoders"):
        grown.decoder_readout(images)
    with pytest.raises(UsageError, match="splits where all its heads"):
        grown.encode(images)


def test_a_second_branch_takes_the_place_of_the_first(trained, alone, grown, images):
    again = with_branch(grown, alone)
    with torch.no_grad():
        assert torch.equal(again(images), grown(images))


def test_what_does_not_fit(trained, alone):
    if alone.leaves > 1:
        with pytest.raises(UsageError, match="another trunk"):
            with_branch(shaken(Box(["a"], **SMALL), 5), alone)
    with pytest.raises(UsageError, match="a head 'p' already"):
        with_branch(shaken(Box(["p"], **SMALL), 0), alone)
    with pytest.raises(UsageError, match="expected names of heads"):
        BranchedBox(["p"], branch="p", **SMALL)
    with pytest.raises(UsageError, match="branch_width=0"):
        BranchedBox(["p"], branch=["p"], branch_width=0, **SMALL)
    with pytest.raises(UsageError, match=r"rows=.*expected at most 4, 3, 3, 1"):
        Branch("mobilenetv2_035", (5,), 8, "none")
    with pytest.raises(UsageError, match="leaves=3: expected one of"):
        Branch("mobilenetv2_035", (1,), 8, "none", 3)
    with pytest.raises(UsageError, match="decoder='unet': expected one of pyramid, unisal"):
        Branch("mobilenetv2_035", (1,), 8, "none", decoder="unet")
    with pytest.raises(UsageError, match="needs features of stride 32"):
        Branch("mobilenetv2_035", (1, 1), 8, "none", decoder="unisal")
    with pytest.raises(UsageError, match="rows of blocks"):
        Branch("resnet18", (1,), 8, "none")


def test_what_a_branch_does_not_learn_where_the_encoder_is_frozen(alone):
    """What is before stride 8, so that it can be computed once."""
    alone.freeze_encoder()
    learns = {name for name, values in alone.named_parameters() if values.requires_grad}
    alone.freeze_encoder(False)
    assert not any(name.startswith(("encoder.", "branch.stem.", "branch.early.")) for name in learns)
    assert {name.split(".")[1] for name in learns if name.startswith("branch.")} >= {"rows"}
    early = [name for name, _ in alone.named_parameters() if name.startswith("branch.early.")]
    assert bool(early) == (alone.leaves < 8)


def test_a_file_without_the_newer_settings_is_one_that_leaves_at_stride_8():
    settings = BranchedBox(["p"], branch=["p"], **SMALL, **BRANCH).settings
    older = {name: value for name, value in settings.items() if name not in ("leaves", "branch_decoder")}
    again = rebuild("branched-box", ["p"], older)
    assert again.settings == settings
    assert (again.leaves, again.branch.readout) == (8, None)


@pytest.mark.parametrize("leaves", [1, 2, 4])
def test_a_branch_with_an_encoder_s_weights_begins_as_it_does(leaves):
    made = make_encoder("mobilenetv2_035").network
    shaken(made, 3)
    branch = Branch("mobilenetv2_035", (1,), 8, "none", leaves).eval()
    known = made.state_dict()
    branch.stem.load_state_dict({name: known[name] for name in branch.stem.state_dict()})
    for place, row in branch.early.items():
        row.load_state_dict({name: known[f"blocks.{place}.{name}"] for name in row.state_dict()})
    images = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        taps = made(images)
        found = branch.begin(images if leaves == 1 else taps[{2: 0, 4: 1}[leaves]])
    torch.testing.assert_close(found, taps[2])


def test_a_decoder_begins_as_a_unisal_that_it_is_narrower_than():
    """Where the channels that it lacks have no weight in what comes after them, it gives the same."""
    teacher = UniSalDesign(["a"], encoder="mobilenetv2_035", domains=("Osie", "Judd"), domain="Judd").eval()
    channels = teacher.channels[2:]
    last = teacher.decoder.upsampling_2["inv_res"].conv[6].weight
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for values in teacher.decoder.state_dict().values():
            if values.is_floating_point():  # of both signs: else ReLU6 cuts nearly all to 6, and little tells
                values.add_(0.1 * torch.rand(values.shape, generator=generator) - 0.05)
        last[:, torch.randperm(last.shape[1], generator=generator)[HIDDEN:]] = 0
    decoder = UniSalDecoder(dict(zip((8, 16, 32), channels, strict=True))).eval()
    decoder.begin_as(teacher.decoder, "Judd")
    sizes = ((8, 12), (4, 6), (2, 3))
    taps = [torch.rand(1, c, *size, generator=generator) for c, size in zip(channels, sizes, strict=True)]
    with torch.no_grad():
        expected = teacher.decoder.mixed(*teacher.decoder.encoded(*taps, "Judd"), "Judd")
        torch.testing.assert_close(decoder(taps), expected)
        decoder.begin_as(teacher.decoder, "Osie")
        assert (decoder(taps) - expected).abs().max() > 0.1 * expected.std()
    assert last.shape[1] == 2 * HIDDEN


def test_the_branch_reads_nothing_finer_than_it_says():
    """Its features are of stride 8, and the deepest row is reached: all of its weights get a gradient."""
    torch.manual_seed(0)
    branch = Branch("mobilenetv2_035", (1, 1, 1), 8, "contrast").train()
    early = torch.rand(2, branch.rows[0][0].conv_pw.in_channels, 8, 12)
    found = branch(early)
    assert found.shape == (2, 8, 8, 12)
    (found * torch.rand_like(found)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in branch.rows.parameters())


@pytest.mark.parametrize("head", ["unisal", "dgii"])
def test_a_head_of_the_branch_that_ships_is_read_back(head):
    pytest.importorskip("onnx")
    network, model, image = salbox.network(f"{head}.student"), salbox.load(f"{head}.student"), data.chelsea()
    seen = network.preprocessing.prepare(image)
    (maps,) = model.network.session.run({"image": seen[None]}, ["maps"])
    expected = maps[0, model.network.heads.index(head)]
    with torch.no_grad():
        logits = network(torch.from_numpy(seen).permute(2, 0, 1)[None].float())
        found = functional.interpolate(logits, size=expected.shape, mode="bilinear", align_corners=False).sigmoid()
    np.testing.assert_allclose(found[0, 0].numpy(), expected, atol=1e-4 * float(np.ptp(expected)))
