"""The card of `samnet`; no PyTorch is needed to read it."""

from __future__ import annotations

from ...models.cards import License, ModelCard, Paper
from ..signatures import Signature

SIGNATURE = Signature("samnet", ("context_path.", "heads.4."))

CARD = ModelCard(
    name="samnet",
    title="SAMNet",
    task="object",
    output="probability",
    summary="Finds the salient object with 1.3 million numbers: branches of several dilations attend to scales.",
    paper=Paper(
        title="SAMNet: Stereoscopically attentive multi-scale network for lightweight salient object detection",
        authors="Yun Liu, Xin-Yu Zhang, Jia-Wang Bian, Le Zhang and Ming-Ming Cheng",
        venue="IEEE Transactions on Image Processing 30, 3804-3814",
        year=2021,
        doi="10.1109/TIP.2021.3065239",
        bibtex="""@article{liu2021samnet,
  author  = {Liu, Yun and Zhang, Xin-Yu and Bian, Jia-Wang and Zhang, Le and Cheng, Ming-Ming},
  title   = {{SAMNet}: Stereoscopically attentive multi-scale network for lightweight salient object detection},
  journal = {IEEE Transactions on Image Processing},
  volume  = {30},
  pages   = {3804--3814},
  year    = {2021},
  doi     = {10.1109/TIP.2021.3065239}
}""",
    ),
    origin="authors' weights (yun-liu/FastSaliency); the network written again",
    license=License(
        code="Apache-2.0; the authors' program is not part of it",
        weights="those of yun-liu/FastSaliency: for academic use",
        training_data="ImageNet and DUTS-TR (research use)",
    ),
    size="1.33 million numbers, 5.5 MB",
    fidelity="equal",
    commercial_use="The code yes, under Apache-2.0; not the weights: their authors give them for academic use.",
    agreement="the authors' program on one photo with generated weights: within 1e-4 of the map's range",
    limits=(
        "Sees every image squeezed to 336x336, whatever its shape; what is long and thin is lost.",
        "The authors round the map to 8 bits when they write it; here it is not rounded.",
        "An image of 12 megapixels takes 0.8 GB, PyTorch included.",
    ),
    weights_from="SAMNet_with_ImageNet_pretrain.pth of yun-liu/FastSaliency on GitHub",
)
