"""The card of `unisal`; no PyTorch is needed to read it."""

from __future__ import annotations

from ...models.cards import License, ModelCard, Paper, Parameter
from ..signatures import Signature

SIGNATURE = Signature("unisal", ("coarse_gaussians_", "rnn.cell_list.", "adaptation_"))

CARD = ModelCard(
    name="unisal",
    title="UniSal",
    task="fixation",
    output="log_density",
    summary="One small network for images and videos, a twentieth of the size of others that reach its figures.",
    paper=Paper(
        title="Unified image and video saliency modeling",
        authors="Richard Droste, Jianbo Jiao and J. Alison Noble",
        venue="ECCV",
        year=2020,
        doi="10.1007/978-3-030-58558-7_25",
        bibtex="""@inproceedings{droste2020unified,
  author    = {Droste, Richard and Jiao, Jianbo and Noble, J. Alison},
  title     = {Unified image and video saliency modeling},
  booktitle = {European Conference on Computer Vision (ECCV)},
  year      = {2020},
  pages     = {419--435},
  doi       = {10.1007/978-3-030-58558-7_25}
}""",
    ),
    origin="authors' weights (rdroste/unisal); the network written again",
    license=License(
        code="Apache-2.0; the authors' program is not part of it",
        weights="those of rdroste/unisal; see its terms",
        training_data="ImageNet, SALICON, DHF1K, Hollywood-2 and UCF Sports; MIT1003 in the file tuned to it",
    ),
    size="3.7 million numbers, 15 MB",
    fidelity="equal",
    commercial_use="The code yes, under Apache-2.0; of the weights see the terms of rdroste/unisal; the data "
    "that they learned from (SALICON and others) are offered for research.",
    agreement="the authors' program on one photo and on a clip of six frames, with generated weights: within 4e-5 of "
    "the map's range",
    limits=(
        "Sees an image at sides of 224 to 416 pixels, of the aspect nearest to its own; what is longer than 13:8 is "
        "squeezed.",
        "An image is seen as SALICON's by default, the domain of images, and passes the recurrent unit by. Frames of "
        "videos are seen as DHF1K's by default, and every fifth shares one memory (every fourth in other domains). "
        "Seen as SALICON's, each frame is an image by itself.",
        "The authors save exp of the map, divided by its maximum, with 8 bits; here the log density is given.",
        "An image of 12 megapixels takes 0.9 GB, PyTorch included.",
    ),
    parameters=(
        Parameter(
            "domain",
            "auto",
            "as whose image it is seen: each data set of the training has norms, a prior and a smoothing of its own; "
            "auto: SALICON's an image, DHF1K's the frames of a video",
            "str",
            choices=("auto", "SALICON", "DHF1K", "Hollywood", "UCFSports"),
        ),
    ),
    weights_from="weights_best.pth in training_runs/pretrained_unisal of rdroste/unisal on GitHub, or "
    "weights_ft_mit1003.pth there, which is tuned to MIT1003",
)
