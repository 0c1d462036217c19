"""Whose weights a file holds, by its names, for every network whose names are known."""

from __future__ import annotations

import subprocess
import sys

import pytest
from generated_weights import facts_of

import salbox
from salbox.networks.signatures import Signature, check_signature, known_signatures, looks_like

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
    "u2netp": "u2net or u2netp",
    "u2net": "u2net or u2netp",
    "samnet": "samnet",
    "kdscfnet_m3_0.5": "scfnet",
    "kdscfnet_r50": "scfnet.r50",
    "kdscfnet_swinb": "scfnet.swinb",
    "szz_dinet_phase1": "the customised DINet of saliency_analysis",
    "szz_salicon_plain": "the customised SALICON of saliency_analysis",
    "szz_transalnet_phase2": "the customised TranSalNet of saliency_analysis",
}


@pytest.mark.parametrize("oracle", ORACLES)
def test_every_network_is_known_by_its_names_alone(oracle, shared):
    names = [key for key, _, _ in facts_of(shared, oracle)["keys"]]
    assert looks_like(names) == ORACLES[oracle]
    assert [signature.model for signature in known_signatures() if signature.matches(names)] == [ORACLES[oracle]]


def test_a_file_of_another_model_is_refused_by_its_name():
    names = ["coarse_gaussians_salicon", "rnn.cell_list.0.b_r", "adaptation_salicon.0.weight"]
    dgii = Signature("dgii", ("readout_network.",))
    check_signature(names, Signature("unisal", ("rnn.",)), "a.pth")
    with pytest.raises(
        salbox.WeightsError, match=r"a\.pth: not the weights of 'dgii': it looks like those of 'unisal'"
    ):
        check_signature(names, dgii, "a.pth")
    check_signature(["weight", "bias"], dgii, "a.pth")  # nobody's: what it lacks is said later


@pytest.mark.slow
def test_classifiers_are_known():
    torchvision = pytest.importorskip("torchvision")
    for name, kind in (("resnet18", "ResNet"), ("densenet121", "DenseNet"), ("vgg19", "VGG"), ("mobilenet_v2", "Mob")):
        found = looks_like(torchvision.models.get_model(name, weights=None).state_dict())
        assert found is not None
        assert f"({kind}" in found


def test_knowing_files_imports_no_network():
    code = "import sys; from salbox.networks.signatures import known_signatures; known_signatures()"
    code += "; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
