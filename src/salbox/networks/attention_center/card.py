"""The card of `attention-center`; no PyTorch is needed to read it."""

from __future__ import annotations

from ...models.cards import License, ModelCard, Parameter

CARD = ModelCard(
    name="attention-center",
    title="attention-center",
    task="fixation",
    output="score",
    summary="Google's small network for where people look first, made to order the tiles of progressive JPEG XL.",
    paper=None,
    origin="authors' weights (google/attention-center); the network written again in PyTorch",
    license=License(
        code="Apache-2.0",
        weights="Apache-2.0 (google/attention-center)",
        training_data="SALICON (mouse traces on photos of COCO); see the terms of both",
    ),
    size="291,000 numbers, 0.74 MB",
    fidelity="equal",
    commercial_use="The code yes, under Apache-2.0; the weights yes, as their authors give them under "
    "Apache-2.0, but SALICON, which they learned from, has terms of its own.",
    agreement="the release's output on 4 photos within 6e-6 of its range",
    limits=(
        "Sees every image at 640 by 480 pixels, whatever its shape.",
        "The release gives a logit; exp(0.5 logit), the map here, is salbox's choice and not its authors'.",
        "Has no publication.",
        "An image of 12 megapixels takes 700 MB, PyTorch included.",
    ),
    parameters=(
        Parameter(
            "sharpness",
            0.5,
            "what the logit is multiplied by before exp; more of it leaves fewer peaks",
            "float",
            minimum=0,
            maximum=10,
        ),
    ),
    weights_from="an .npz of the numbers in model/center.tflite of google/attention-center on GitHub",
)
