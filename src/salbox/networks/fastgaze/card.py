"""The card of `fastgaze`; no PyTorch is needed to read it."""

from __future__ import annotations

from ...models.cards import License, ModelCard, Paper, Parameter

CARD = ModelCard(
    name="fastgaze",
    title="FastGaze",
    task="fixation",
    output="score",
    summary="A small network that its authors distilled from DeepGaze II and pruned, to crop photos.",
    paper=Paper(
        title="Faster gaze prediction with dense networks and Fisher pruning",
        authors="Lucas Theis, Iryna Korshunova, Alykhan Tejani, Ferenc Huszár",
        venue="arXiv:1801.05787",
        year=2018,
        doi="10.48550/arXiv.1801.05787",
        bibtex="""@misc{theis2018faster,
  author        = {Theis, Lucas and Korshunova, Iryna and Tejani, Alykhan and Husz{\\'a}r, Ferenc},
  title         = {Faster gaze prediction with dense networks and {F}isher pruning},
  year          = {2018},
  eprint        = {1801.05787},
  archiveprefix = {arXiv},
  primaryclass  = {cs.CV},
  doi           = {10.48550/arXiv.1801.05787}
}""",
    ),
    origin="authors' weights (twitter-research/image-crop-analysis), which its authors distilled from DeepGaze II and "
    "pruned; the network written again in PyTorch",
    license=License(
        code="Apache-2.0",
        weights="Apache-2.0 (twitter-research/image-crop-analysis)",
        training_data="the release does not state it; through DeepGaze II at least SALICON and MIT1003 (research use)",
    ),
    size="121,000 numbers, 0.46 MB",
    fidelity="equal",
    commercial_use="The code yes, under Apache-2.0; the weights yes, as their authors give them under "
    "Apache-2.0, but what they learned from goes back to data for research.",
    agreement="the release's output on 4 photos within 1e-6 of its range; CC with DeepGaze II's own map of one photo "
    "(KDSalBox's demo, 8 bits): .640 (Pearson, at full size and at 320x240): near DeepGaze II, no stand-in for it",
    limits=(
        "Sees an image at a width of 400 pixels; one more than four times as tall as wide at 640,000 pixels in all.",
        "The blur is salbox's choice, not its authors', who smooth the network's grid (19 cells, std 3).",
        "Its owner studied crops made with it for bias between groups of people (Yee et al. 2021, arXiv:2105.08667).",
        "An image of 12 megapixels takes 700 MB, PyTorch included.",
    ),
    parameters=(
        Parameter(
            "blur",
            0.025,
            "standard deviation of the Gaussian that smooths the density, as a fraction of the image's width",
            "float",
            minimum=0,
            maximum=1,
        ),
    ),
    weights_from="an .npz of the numbers in bin/fastgaze.vxm of twitter-research/image-crop-analysis on GitHub",
)
