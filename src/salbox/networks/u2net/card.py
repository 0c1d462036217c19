"""The cards of `u2net` and `u2netp`; no PyTorch is needed to read them."""

from __future__ import annotations

from ...models.cards import License, ModelCard
from ...models.rembg import SCALING, file_source
from ...models.rembg_cards import QIN_2020
from ..signatures import Signature

SIGNATURE = Signature("u2net or u2netp", ("stage1.rebnconvin.", "side6.", "outconv."))

LICENSE = License(
    code="Apache-2.0; the authors' program is not part of it",
    weights="Apache-2.0 (xuebinqin/U-2-Net)",
    training_data="DUTS-TR (research use); no weights of a classifier",
)
LIMITS = (
    "Sees every image squeezed to 320x320, whatever its shape; what is long and thin is lost.",
    "Gives the network's own numbers. The authors' program and rembg stretch each map to 0..1, also that of a photo "
    "without an object: scaling=min-max does so.",
    "Of a .pth an image is brought to 320x320 as the authors' program does, bilinearly; of an .onnx as rembg does, by "
    "Lanczos's filter, which smooths what shrinks: maps differ a little.",
)


def _card(name: str, title: str, summary: str, size: str, memory: str) -> ModelCard:
    return ModelCard(
        name=name,
        title=title,
        task="object",
        output="probability",
        summary=summary,
        paper=QIN_2020,
        origin="authors' weights (xuebinqin/U-2-Net), in their .pth by the network written again, or in rembg's .onnx",
        license=LICENSE,
        size=size,
        fidelity="equal",
        commercial_use="The code yes, under Apache-2.0; the weights yes, as their authors give them under "
        "Apache-2.0, but DUTS-TR, which they learned from, is offered for research.",
        agreement="the authors' program on one photo with generated weights: within 1e-4 of the map's range",
        limits=(*LIMITS, f"An image of 12 megapixels takes {memory}."),
        parameters=(SCALING,),
        weights_from=f"{name}.pth of xuebinqin/U-2-Net on GitHub, or {file_source(name)}",
    )


U2NET = _card(
    "u2net",
    "U²-Net",
    "Finds the salient object by a U of U-shaped blocks, trained from nothing.",
    "44.0 million numbers, 176 MB",
    "1.1 GB, PyTorch included",
)
U2NETP = _card(
    "u2netp",
    "U²-Net-p",
    "U²-Net with narrow blocks, for phones.",
    "1.13 million numbers, 4.6 MB",
    "0.9 GB, PyTorch included, of an .onnx 0.5 GB",
)
