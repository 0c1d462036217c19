"""The cards of SCFNet on its four encoders; no PyTorch is needed to read them."""

from __future__ import annotations

from ...models.cards import License, ModelCard, Paper
from ..signatures import Signature

SIGNATURES = {
    "scfnet": Signature("scfnet", ("bkbone.blocks.", "mp.cv4.", "linear5.")),
    "scfnet.r50": Signature("scfnet.r50", ("bkbone.layer4.", "mp.cv4.", "linear5.")),
    "scfnet.v16": Signature("scfnet.v16", ("bkbone.conv5_3.", "mp.cv4.", "linear5.")),
    "scfnet.swinb": Signature("scfnet.swinb", ("bkbone.patch_embed.", "mp.cv4.", "linear5.")),
}

PAPER = Paper(
    title="KD-SCFNet: Towards more accurate and efficient salient object detection via knowledge distillation",
    authors="Jin Zhang, Qiuwei Liang and Yanjiao Shi",
    venue="arXiv 2208.02178",
    year=2022,
    doi="10.48550/arXiv.2208.02178",
    bibtex="""@misc{zhang2022kdscfnet,
  author        = {Zhang, Jin and Liang, Qiuwei and Shi, Yanjiao},
  title         = {{KD-SCFNet}: Towards more accurate and efficient salient object detection via knowledge
                   distillation},
  year          = {2022},
  eprint        = {2208.02178},
  archiveprefix = {arXiv},
  doi           = {10.48550/arXiv.2208.02178}
}""",
)
ORIGIN = "authors' weights (zhangjinCV/KD-SCFNet); the network written again in PyTorch"
LICENSE = License(
    code="Apache-2.0; the authors' program is not part of it",
    weights="those of zhangjinCV/KD-SCFNet, which states no terms",
    training_data="ImageNet and DUTS-TR; KD-SOD80K, photos of ImageNet, where a file was distilled",
)
COMMERCIAL_USE = (
    "The code yes, under Apache-2.0; not the authors' weights: they state no terms, and DUTS-TR, which they learned "
    "from, is offered for research."
)
SEEN = "Sees every image squeezed to {0}x{0}, whatever its shape; what is long and thin is lost."
WRITTEN = "The authors round the map to 8 bits when they write it; here it is not rounded."
CHECKED = "the authors' program on one photo with generated weights, all four outputs: within 1e-4 of the map's range"
LINKED = "{0}, a .pdparams, linked from zhangjinCV/KD-SCFNet on GitHub"


def _card(
    name: str,
    title: str,
    summary: str,
    *,
    size: str,
    memory: str,
    weights: str,
    agreement: str = CHECKED,
    origin: str = ORIGIN,
    license: License = LICENSE,
    commercial_use: str = COMMERCIAL_USE,
    fidelity: str = "equal",
    side: int = 352,
) -> ModelCard:
    return ModelCard(
        name=name,
        title=title,
        task="object",
        output="probability",
        summary=summary,
        paper=PAPER,
        origin=origin,
        license=license,
        commercial_use=commercial_use,
        size=size,
        fidelity=fidelity,
        agreement=agreement,
        limits=(SEEN.format(side), WRITTEN, f"An image of 12 megapixels takes {memory}, PyTorch included."),
        weights_from=weights,
    )


CARD = _card(
    "scfnet",
    "SCFNet",
    "Finds the salient object with 0.8 million numbers; reads the fully supervised and the distilled files.",
    size="788,298 learned numbers, 3.2 MB (with statistics of batch norms 800,154)",
    memory="1.0 GB",
    weights=LINKED.format("FS-SCFNet or KD-SCFNet"),
)
R50 = _card(
    "scfnet.r50",
    "SCFNet on ResNet-50",
    "The teacher of the published small network: the same decoder, four times as wide, on a ResNet-50.",
    size="26.1 million numbers, 105 MB",
    memory="1.1 GB",
    weights=LINKED.format("SCFNet_R50"),
)
V16 = _card(
    "scfnet.v16",
    "SCFNet on VGG-16",
    "The weakest of the published teachers (figure 6): the same decoder on a VGG-16.",
    size="15.9 million numbers, 64 MB",
    memory="1.1 GB",
    origin="written from the paper, which leaves open where VGG-16 is tapped; here behind its second to fifth pool",
    license=License(LICENSE.code, "those of whoever trained them", "not stated"),
    commercial_use="The code yes, under Apache-2.0; the weights as whoever trained them says.",
    fidelity="by the paper",
    agreement="none: the authors published neither program nor weights of it",
    weights="nowhere known to salbox; one trained under these names, in a .pth or a .pdparams",
)
SWINB = _card(
    "scfnet.swinb",
    "SCFNet on Swin-B",
    "The strongest of the published teachers (figure 6): the same decoder on a Swin transformer.",
    size="88.4 million numbers, 353 MB",
    memory="1.4 GB",
    weights=LINKED.format("SCFNet_STB"),
    side=384,
)
