"""The card of `transalnet`; no PyTorch is needed to read it."""

from __future__ import annotations

from ...models.cards import License, ModelCard, Paper, Parameter
from ..signatures import Signature

SIGNATURE = Signature("transalnet", ("decoder.TransEncoder1.", "decoder.TransEncoder3.", "encoder.encoder."))

CARD = ModelCard(
    name="transalnet",
    title="TranSalNet",
    task="fixation",
    output="score",
    summary="Transformers over the features of a ResNet-50 or a DenseNet-161; one of the best of its time on MIT300.",
    paper=Paper(
        title="TranSalNet: Towards perceptually relevant visual saliency prediction",
        authors="Jianxun Lou, Hanhe Lin, David Marshall, Dietmar Saupe and Hantao Liu",
        venue="Neurocomputing 494, 455-467",
        year=2022,
        doi="10.1016/j.neucom.2022.04.080",
        bibtex="""@article{lou2022transalnet,
  author  = {Lou, Jianxun and Lin, Hanhe and Marshall, David and Saupe, Dietmar and Liu, Hantao},
  title   = {{TranSalNet}: Towards perceptually relevant visual saliency prediction},
  journal = {Neurocomputing},
  volume  = {494},
  pages   = {455--467},
  year    = {2022},
  doi     = {10.1016/j.neucom.2022.04.080}
}""",
    ),
    origin="authors' weights (LJOVO/TranSalNet); the network written again. TranSalNet_Res or TranSalNet_Dense, as the "
    "file is",
    license=License(
        code="Apache-2.0; the authors' program, under MIT, is not part of it",
        weights="those of LJOVO/TranSalNet (MIT)",
        training_data="ImageNet, SALICON, and MIT1003 or CAT2000 where a file was tuned to them (research use)",
    ),
    size="72.5 million numbers, 291 MB (ResNet-50); 76.6 million, 308 MB (DenseNet-161)",
    fidelity="equal",
    commercial_use="The code yes, under Apache-2.0; the weights are under MIT, but the data that they learned "
    "from (SALICON and others) are offered for research only.",
    agreement="the authors' program on one photo with generated weights, both networks, both orders of channels: "
    "within 1e-5 of the map's range",
    limits=(
        "Sees every image at 288x384, its shape kept, in a frame of nearly black.",
        "The authors trained with RGB and their notebook for testing gives BGR; here RGB is the default.",
        "The authors' notebook rounds the network's map down to 8 bits before it enlarges it; here it is not rounded.",
        "An image of 12 megapixels takes 1.2 GB, PyTorch included.",
    ),
    parameters=(
        Parameter(
            "channel_order",
            "RGB",
            "in which the network gets the channels: RGB as it was trained, BGR as the authors' notebook gives them",
            "str",
            choices=("RGB", "BGR"),
        ),
    ),
    weights_from="TranSalNet_Res.pth or TranSalNet_Dense.pth, linked from LJOVO/TranSalNet on GitHub",
)
