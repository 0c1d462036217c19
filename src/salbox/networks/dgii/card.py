"""The card of `dgii`; no PyTorch is needed to read it."""

from __future__ import annotations

from ...models.cards import License, ModelCard, Paper, Parameter
from ..signatures import Signature

SIGNATURE = Signature("dgii", ("features.features.conv5_1.", "readout_network.", "finalizer."))

CENTER_BIAS = Parameter(
    "center_bias",
    "osie",
    "where people look whatever the image: osie (15 people, OSIE's 560 training images, computed by salbox), uniform, "
    "the path of an .npy with a log density (h, w), or such an array",
    "array",
)

CARD = ModelCard(
    name="dgii",
    title="DeepGaze II",
    task="fixation",
    output="log_density",
    summary="Fixations read out of VGG-19's last stage by four small layers: deep features carry over to fixations.",
    paper=Paper(
        title="Understanding low- and high-level contributions to fixation prediction",
        authors="Matthias Kümmerer, Thomas S. A. Wallis, Leon A. Gatys and Matthias Bethge",
        venue="ICCV",
        year=2017,
        doi="10.1109/ICCV.2017.513",
        bibtex="""@inproceedings{kummerer2017understanding,
  author    = {K{\\"u}mmerer, Matthias and Wallis, Thomas S. A. and Gatys, Leon A. and Bethge, Matthias},
  title     = {Understanding low- and high-level contributions to fixation prediction},
  booktitle = {IEEE International Conference on Computer Vision (ICCV)},
  year      = {2017},
  doi       = {10.1109/ICCV.2017.513}
}""",
    ),
    origin="the published network written again; its authors have published no file of weights, so whoever has them "
    "brings them into the layout that `weights_from` states",
    license=License(
        code="Apache-2.0; the authors' program is not part of it",
        weights="as whoever made the file states",
        training_data="ImageNet, SALICON and MIT1003, as published (research use)",
    ),
    size="20.1 million numbers, 80 MB",
    fidelity="equal",
    commercial_use="The code yes, under Apache-2.0; the weights as whoever made the file says, and the published"
    " data behind them (SALICON, MIT1003) are for research.",
    agreement="the authors' modules (matthias-k/DeepGaze), put together as the paper says, on one photo with generated "
    "weights: within 1e-6 of the map's range",
    limits=(
        "Needs a centre bias. The default is OSIE's, at 800x600; the authors added MIT1003's, which are for download "
        "with matthias-k/DeepGaze (center_bias=centerbias_mit1003.npy).",
        "Made for images of about 35 pixels a degree of visual angle, MIT1003's 1024 pixels: sees an image at the size "
        "it has, up to 4 megapixels; a larger one as a copy of 4 megapixels (INTER_AREA).",
        "Where the paper and descriptions of it differ, the readout is 16, 32, 2 and 1 channels wide.",
        "An image of 12 megapixels takes 2.0 GB, PyTorch included; 480x640 pixels take 0.9 GB.",
    ),
    parameters=(CENTER_BIAS,),
    weights_from="a PyTorch state dict with features.features.conv1_1 to conv5_4 (VGG-19), readout_network.conv0 to "
    "conv3 and bias0 to bias3, finalizer.center_bias_weight and finalizer.gauss.sigma; its authors publish none",
)
