"""The card of `msinet`; no PyTorch is needed to read it."""

from __future__ import annotations

from ...models.cards import License, ModelCard, Paper, Parameter
from ..signatures import Signature

SIGNATURE = Signature("msinet", ("conv1/conv1_1/", "aspp/", "decoder/"))

CARD = ModelCard(
    name="msinet",
    title="MSI-Net",
    task="fixation",
    output="score",
    summary="A VGG-16 and convolutions of several dilations over its features: context at several scales.",
    paper=Paper(
        title="Contextual encoder-decoder network for visual saliency prediction",
        authors="Alexander Kroner, Mario Senden, Kurt Driessens and Rainer Goebel",
        venue="Neural Networks 129, 261-270",
        year=2020,
        doi="10.1016/j.neunet.2020.05.004",
        bibtex="""@article{kroner2020contextual,
  author  = {Kroner, Alexander and Senden, Mario and Driessens, Kurt and Goebel, Rainer},
  title   = {Contextual encoder-decoder network for visual saliency prediction},
  journal = {Neural Networks},
  volume  = {129},
  pages   = {261--270},
  year    = {2020},
  doi     = {10.1016/j.neunet.2020.05.004}
}""",
    ),
    origin="authors' weights (alexanderkroner/saliency); the network written again",
    license=License(
        code="Apache-2.0; the authors' program, under MIT, is not part of it",
        weights="those of alexanderkroner/saliency (MIT)",
        training_data="ImageNet and Places, SALICON, and the data set that a file was tuned to (research use)",
    ),
    size="24.9 million numbers, 100 MB",
    fidelity="equal",
    commercial_use="The code yes, under Apache-2.0; the weights are under MIT, but the data that they learned "
    "from (SALICON and others) are offered for research only.",
    agreement="the authors' program on one photo with generated weights, at two sizes: within 1e-5 of the map's range "
    "before it is rounded to 8 bits",
    limits=(
        "Sees every image at 240x320, 360x360 or 216x384, as `dataset` says, its shape kept, in a frame of grey.",
        "Does not round the map to 8 bits, as the authors' program does.",
        "The authors' program decodes JPEG less exactly (TensorFlow's default). On one photo with generated weights "
        "that moves the map by up to 0.016 of its range; the correlation is .9997.",
        "The authors take the mean of blue off red and of red off blue. The weights were learned so; it is kept.",
        "An image of 12 megapixels takes 0.9 GB, PyTorch included.",
    ),
    parameters=(
        Parameter(
            "dataset",
            "salicon",
            "what the file was trained on, which decides at which size the network looks",
            "str",
            choices=("salicon", "osie", "mit1003", "dutomron", "pascals", "cat2000", "fiwi"),
        ),
    ),
    weights_from="model_salicon_cpu.pb (or mit1003, cat2000), which the program of alexanderkroner/saliency on GitHub "
    "fetches, or a checkpoint's .index with its .data beside it",
)
