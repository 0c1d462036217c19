"""The card of `deepgaze2e`; no PyTorch is needed to read it."""

from __future__ import annotations

from ...models.cards import License, ModelCard, Paper
from ..dgii.card import CENTER_BIAS
from ..signatures import Signature

SIGNATURE = Signature("deepgaze2e", ("models.0.saliency_networks.", "models.3.finalizers."))
NOT_TRAINABLE = "it is four networks with thirty readouts each; 'dgii' is the design on one encoder"

CARD = ModelCard(
    name="deepgaze2e",
    title="DeepGaze IIE",
    task="fixation",
    output="log_density",
    summary="The mean of 120 readouts of four networks: the best of its time on MIT300, and well calibrated.",
    paper=Paper(
        title="DeepGaze IIE: Calibrated prediction in and out-of-domain for state-of-the-art saliency modeling",
        authors="Akis Linardos, Matthias Kümmerer, Ori Press and Matthias Bethge",
        venue="ICCV",
        year=2021,
        doi="10.48550/arXiv.2105.12441",
        bibtex="""@inproceedings{linardos2021deepgaze,
  author    = {Linardos, Akis and K{\\"u}mmerer, Matthias and Press, Ori and Bethge, Matthias},
  title     = {{DeepGaze IIE}: Calibrated prediction in and out-of-domain for state-of-the-art saliency modeling},
  booktitle = {IEEE/CVF International Conference on Computer Vision (ICCV)},
  year      = {2021},
  pages     = {12919--12928},
  doi       = {10.48550/arXiv.2105.12441}
}""",
    ),
    origin="authors' weights (matthias-k/DeepGaze); the network written again",
    license=License(
        code="Apache-2.0; the authors' program is not part of it",
        weights="those of matthias-k/DeepGaze; see its terms",
        training_data="ImageNet (one network on a stylised copy), SALICON and MIT1003 (research use)",
    ),
    size="104.0 million numbers in the file, 8.1 of them in classifiers that are left out; 420 MB",
    fidelity="equal",
    commercial_use="The code yes, under Apache-2.0; of the weights ask their authors, whose terms decide; "
    "SALICON and MIT1003, which they learned from, are for research.",
    agreement="the authors' program on one photo with generated weights: within 3e-6 of the map's range where the "
    "processor rounds as theirs did. With those weights EfficientNet's last stages amplify rounding; the other three "
    "networks agree within 2e-6 anyhow",
    limits=(
        "Needs a centre bias. The default is OSIE's, at 800x600; the authors added MIT1003's, which are for download "
        "with matthias-k/DeepGaze (center_bias=centerbias_mit1003.npy).",
        "Made for images of about 35 pixels a degree of visual angle, MIT1003's 1024 pixels: sees an image at the size "
        "it has, from sides of 64 pixels up to 4 megapixels; a smaller one enlarged, a larger one as a copy of 4 "
        "megapixels (INTER_AREA).",
        "An image of 12 megapixels takes 2.1 GB, PyTorch included; 480x640 pixels take 1.2 GB.",
    ),
    parameters=(CENTER_BIAS,),
    weights_from="deepgaze2e.pth, a release of matthias-k/DeepGaze on GitHub",
)
