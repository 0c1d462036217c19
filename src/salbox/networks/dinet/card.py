"""The card of `dinet`; no PyTorch is needed to read it."""

from __future__ import annotations

from ...models.cards import License, ModelCard, Paper
from ..signatures import Signature

SIGNATURE = Signature("dinet", ("res2a_branch2a/", "conv2d_4/", "conv2d_7/"))

CARD = ModelCard(
    name="dinet",
    title="DINet",
    task="fixation",
    output="score",
    summary="A dilated ResNet-50 and three convolutions of different dilation side by side.",
    paper=Paper(
        title="A dilated inception network for visual saliency prediction",
        authors="Sheng Yang, Guosheng Lin, Qiuping Jiang and Weisi Lin",
        venue="IEEE Transactions on Multimedia 22; arXiv:1904.03571",
        year=2019,
        doi="10.48550/arXiv.1904.03571",
        bibtex="""@article{yang2019dilated,
  author  = {Yang, Sheng and Lin, Guosheng and Jiang, Qiuping and Lin, Weisi},
  title   = {A dilated inception network for visual saliency prediction},
  journal = {arXiv preprint arXiv:1904.03571},
  year    = {2019},
  doi     = {10.48550/arXiv.1904.03571}
}""",
    ),
    origin="authors' weights (ysyscool/DINet); the network written again",
    license=License(
        code="Apache-2.0; the authors' program, which states no licence, is not part of it",
        weights="those of ysyscool/DINet, which states none",
        training_data="ImageNet and SALICON (mouse traces on photos of COCO; research use)",
    ),
    size="27.0 million numbers, 108 MB",
    fidelity="equal",
    commercial_use="The code yes, under Apache-2.0; not the weights: their authors state no terms, and SALICON, "
    "which they learned from, is for research.",
    agreement="the authors' program on one photo with generated weights: within 1e-5 of the map's range",
    limits=(
        "Sees every image at 320x480, its shape kept, in a frame of black.",
        "The map is scaled to 0..1; the authors' program writes it over 0..255.",
        "Reading the .h5 needs h5py, which the extra `train` brings.",
        "An image of 12 megapixels takes 0.9 GB, PyTorch included.",
    ),
    weights_from="the .h5 linked from ysyscool/DINet on GitHub",
)
