"""The card of `gcpanet`; no PyTorch is needed to read it."""

from __future__ import annotations

from ...models.cards import License, ModelCard, Paper
from ..signatures import Signature

SIGNATURE = Signature("gcpanet", ("bkbone.", "fam45.", "sa55.", "linear5."))

CARD = ModelCard(
    name="gcpanet",
    title="GCPANet",
    task="object",
    output="probability",
    summary="Finds the salient object by features of four depths of a ResNet-50, woven together on the way back.",
    paper=Paper(
        title="Global context-aware progressive aggregation network for salient object detection",
        authors="Zuyao Chen, Qianqian Xu, Runmin Cong and Qingming Huang",
        venue="AAAI 34(07), 10599-10606",
        year=2020,
        doi="10.1609/aaai.v34i07.6633",
        bibtex="""@inproceedings{chen2020gcpanet,
  author    = {Chen, Zuyao and Xu, Qianqian and Cong, Runmin and Huang, Qingming},
  title     = {Global context-aware progressive aggregation network for salient object detection},
  booktitle = {Proceedings of the AAAI Conference on Artificial Intelligence},
  volume    = {34},
  number    = {07},
  pages     = {10599--10606},
  year      = {2020},
  doi       = {10.1609/aaai.v34i07.6633}
}""",
    ),
    origin="authors' weights (JosephChenHub/GCPANet); the network written again",
    license=License(
        code="Apache-2.0; the authors' program is not part of it",
        weights="those of JosephChenHub/GCPANet, which states no terms",
        training_data="ImageNet and DUTS-TR (research use)",
    ),
    size="67.06 million numbers, 268 MB",
    fidelity="by the paper",
    commercial_use="The code yes, under Apache-2.0; not the weights: their authors state no terms, and DUTS-TR, "
    "which they learned from, is for research.",
    agreement="no output of the authors' program was at hand. Written from the paper, channels and names as in their "
    "repository; the layers written down there give the same map with random weights, within 1e-5 of its range",
    limits=(
        "Sees every image squeezed to 320x320, whatever its shape; what is long and thin is lost.",
        "Normalised by the mean and deviation of DUTS's pixels, as trained; the authors' program takes those of any "
        "data set it is tested on.",
        "An image of 12 megapixels takes 1.4 GB, PyTorch included.",
    ),
    weights_from="the model linked from JosephChenHub/GCPANet on GitHub, a .pth",
)
