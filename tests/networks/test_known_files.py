"""Whose weights a file holds: told by names, for every network whose names are known."""

from __future__ import annotations

import pytest
from generated_weights import facts_of

import salbox
from salbox.networks.known_files import TELLING, check_model, looks_like

ORACLES = {
    "transalnet_res": "transalnet",
    "transalnet_dense": "transalnet",
    "unisal": "unisal",
    "deepgaze2_torch": "dgii",
    "deepgaze2e": "deepgaze2e",
    "opensalicon": "salicon",
    "msinet": "msinet",
    "sam_vgg": "sam",
    "sam_resnet": "sam",
    "dinet_keras": "dinet",
    "kdsalbox_student": "a student of KDSalBox (such as 'gbvs.kdsalbox')",
    "u2netp": "u2netp",
    "u2net": "u2netp",
    "samnet": "samnet",
    "kdscfnet_r50": "scfnet",
    "kdscfnet_swinb": "scfnet",
    "szz_dinet_phase1": "the customised DINet of saliency_analysis",
    "szz_salicon_plain": "the customised SALICON of saliency_analysis",
    "szz_transalnet_phase2": "the customised TranSalNet of saliency_analysis",
}


@pytest.mark.parametrize("oracle", ORACLES)
def test_every_network_is_told_from_all_others(oracle, shared):
    names = [key for key, _, _ in facts_of(shared, oracle)["keys"]]
    assert looks_like(names) == ORACLES[oracle]
    fitting = [
        model for model, needed in TELLING.items() if all(any(name.startswith(b) for name in names) for b in needed)
    ]
    assert fitting == [ORACLES[oracle]]


def test_a_file_of_another_model_is_refused_by_its_name():
    names = ["coarse_gaussians_salicon", "rnn.cell_list.0.b_r", "adaptation_salicon.0.weight"]
    check_model(names, "unisal", "a.pth")
    with pytest.raises(
        salbox.WeightsError, match=r"a\.pth: not the weights of 'dgii': it looks like those of 'unisal'"
    ):
        check_model(names, "dgii", "a.pth")
    check_model(["weight", "bias"], "dgii", "a.pth")  # nobody's: what it lacks is said later


def test_classifiers_are_known():
    torchvision = pytest.importorskip("torchvision")
    for name, kind in (("resnet18", "ResNet"), ("densenet121", "DenseNet"), ("vgg19", "VGG"), ("mobilenet_v2", "Mob")):
        found = looks_like(torchvision.models.get_model(name, weights=None).state_dict())
        assert found is not None
        assert f"({kind}" in found
