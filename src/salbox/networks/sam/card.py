"""The card of `sam`; no PyTorch is needed to read it."""

from __future__ import annotations

from ...models.cards import License, ModelCard, Paper
from ..signatures import Signature

SIGNATURE = Signature("sam", ("attentiveconvlstm", "learningprior"))

CARD = ModelCard(
    name="sam",
    title="SAM (Saliency Attentive Model)",
    task="fixation",
    output="score",
    summary="A recurrent network that looks four times at features of a ResNet-50 or VGG-16, and learned Gaussians.",
    paper=Paper(
        title="Predicting human eye fixations via an LSTM-based saliency attentive model",
        authors="Marcella Cornia, Lorenzo Baraldi, Giuseppe Serra and Rita Cucchiara",
        venue="IEEE Transactions on Image Processing 27(10), 5142-5154",
        year=2018,
        doi="10.1109/TIP.2018.2851672",
        bibtex="""@article{cornia2018predicting,
  author  = {Cornia, Marcella and Baraldi, Lorenzo and Serra, Giuseppe and Cucchiara, Rita},
  title   = {Predicting human eye fixations via an {LSTM}-based saliency attentive model},
  journal = {IEEE Transactions on Image Processing},
  volume  = {27},
  number  = {10},
  pages   = {5142--5154},
  year    = {2018},
  doi     = {10.1109/TIP.2018.2851672}
}""",
    ),
    origin="authors' weights (marcellacornia/sam); the network written again. SAM-ResNet or SAM-VGG, as the file is",
    license=License(
        code="Apache-2.0; the authors' program, under MIT, is not part of it",
        weights="those of marcellacornia/sam (MIT)",
        training_data="ImageNet, and SALICON of 2015 or 2017 (mouse traces on photos of COCO; research use)",
    ),
    size="70.1 million numbers, 281 MB (ResNet-50); 51.8 million, 207 MB (VGG-16)",
    fidelity="equal",
    commercial_use="The code yes, under Apache-2.0; the weights are under MIT, but SALICON, which they learned "
    "from, is offered for research only.",
    agreement="the authors' program on one photo with generated weights, both networks: within 1e-5 of the map's range",
    limits=(
        "Sees every image at 240x320, its shape kept, in a frame of black.",
        "Smooths the map by 7 pixels whatever the image's size, as the authors do: less than it seems on large ones.",
        "The map's maximum is 1; the authors' program writes it over 0..255.",
        "The authors' files are HDF5 though called .pkl. Reading them needs h5py, which the extra `train` brings.",
        "An image of 12 megapixels takes 1.1 GB, PyTorch included.",
    ),
    weights_from="sam-resnet_salicon2017_weights.pkl, sam-resnet_salicon_weights.pkl or sam-vgg_salicon_weights.pkl of "
    "the release 1.0 of marcellacornia/sam on GitHub",
)
