"""The card of `salicon`; no PyTorch is needed to read it."""

from __future__ import annotations

from ...models.cards import License, ModelCard, Paper
from ..signatures import Signature

SIGNATURE = Signature("salicon", ("conv1_1/", "sec_conv1_1/", "saliency_map/"))

CARD = ModelCard(
    name="salicon",
    title="OpenSALICON",
    task="fixation",
    output="score",
    summary="Two VGG-16 that look at an image at two sizes: the open implementation of SALICON (Huang et al. 2015).",
    paper=Paper(
        title="OpenSalicon: An open source implementation of the Salicon saliency model",
        authors="Christopher Thomas",
        venue="Technical report TR-2016-02, University of Pittsburgh; arXiv:1606.00110",
        year=2016,
        doi="10.48550/arXiv.1606.00110",
        bibtex="""@techreport{thomas2016opensalicon,
  author      = {Thomas, Christopher},
  title       = {{OpenSalicon}: An open source implementation of the {Salicon} saliency model},
  institution = {University of Pittsburgh},
  number      = {TR-2016-02},
  year        = {2016},
  doi         = {10.48550/arXiv.1606.00110}
}""",
    ),
    origin="OpenSALICON's weights (CLT29/OpenSALICON), trained by its author; the network written again. SALICON's own "
    "program and weights were never published",
    license=License(
        code="Apache-2.0; OpenSALICON's program, which states no licence, is not part of it",
        weights="those of CLT29/OpenSALICON, which states none",
        training_data="ImageNet and OSIE (research use)",
    ),
    size="29.4 million numbers, 118 MB",
    fidelity="equal",
    commercial_use="The code yes, under Apache-2.0; not the weights: OpenSALICON states no terms for them.",
    agreement="OpenSALICON's program, its Caffe layers run by OpenCV, on one photo with generated weights: within 1e-5 "
    "of the map's range",
    limits=(
        "Not the SALICON of the benchmarks, whose maps look crisper (the report, section 5).",
        "Sees every image at 1200x1600 and at 600x800, its shape not kept: 13 s on one core, 2.2 GB, PyTorch included.",
        "Trained on OSIE: results on OSIE say little.",
        "Enlarged by cubic splines, a map can leave 0..1 a little.",
    ),
    weights_from="salicon_osie.caffemodel of CLT29/OpenSALICON on GitHub (its link to www.cs.pitt.edu may be dead)",
)
