"""Cards of the ten students that KDSalBox published: one network, ten checkpoints."""

from __future__ import annotations

from dataclasses import dataclass

from ...models.cards import License, ModelCard, Paper
from ..signatures import Signature

SIGNATURE = Signature(
    "a student of KDSalBox (such as 'gbvs.kdsalbox')", ("encoder.18.", "decoder.conv7_3.", "decoder.output.")
)

SOURCE = "https://github.com/ardkastrati/kdsalbox"

PAPER = Paper(
    title="KDSalBox: A toolbox of efficient knowledge-distilled saliency models",
    authors="Ard Kastrati, Zoya Bylinskii and Eli Shechtman",
    venue="SVRHM workshop at NeurIPS",
    year=2021,
    doi="",  # it has none
    bibtex=f"""@inproceedings{{kastrati2021kdsalbox,
  author    = {{Kastrati, Ard and Bylinskii, Zoya and Shechtman, Eli}},
  title     = {{{{KDSalBox}}: A toolbox of efficient knowledge-distilled saliency models}},
  booktitle = {{SVRHM Workshop at NeurIPS}},
  year      = {{2021}},
  url       = {{{SOURCE}}}
}}""",
)


@dataclass(frozen=True)
class Fidelity:
    """How near a student comes to its teacher, as published: mean and standard deviation of CC and KL."""

    cc: float
    cc_sd: float
    kl: float
    kl_sd: float

    def __str__(self) -> str:
        return f"CC {self.cc:.2f} (sd {self.cc_sd:.2f}), KL {self.kl:.2f} (sd {self.kl_sd:.2f})"


# Kastrati et al. 2021, table 1: the 5,000 photos of SALICON's validation set, and the patterns of CAT2000.
TABLE_1 = {
    "aim": (Fidelity(0.99, 0.00, 0.00, 0.00), Fidelity(0.96, 0.04, 0.18, 0.23)),
    "ikn": (Fidelity(0.97, 0.01, 0.02, 0.01), Fidelity(0.78, 0.09, 0.14, 0.06)),
    "gbvs": (Fidelity(0.98, 0.01, 0.01, 0.01), Fidelity(0.75, 0.09, 0.17, 0.07)),
    "bms": (Fidelity(0.89, 0.07, 0.05, 0.02), Fidelity(0.78, 0.11, 0.30, 0.26)),
    "imsig": (Fidelity(0.96, 0.04, 0.02, 0.02), Fidelity(0.71, 0.15, 0.16, 0.13)),
    "rare2012": (Fidelity(0.87, 0.10, 0.10, 0.06), Fidelity(0.76, 0.12, 0.30, 0.16)),
    "sun": (Fidelity(0.94, 0.04, 0.02, 0.01), Fidelity(0.95, 0.02, 0.21, 0.25)),
    "unisal": (Fidelity(0.92, 0.05, 0.11, 0.06), Fidelity(0.68, 0.14, 0.46, 0.36)),
    "sam": (Fidelity(0.82, 0.13, 0.28, 0.17), Fidelity(0.48, 0.15, 0.87, 0.40)),
    "dgii": (Fidelity(0.90, 0.08, 0.14, 0.09), Fidelity(0.68, 0.16, 0.48, 0.42)),
}

# The teachers by their full names.
_TEACHERS = {
    "aim": "AIM",
    "ikn": "IKN",
    "gbvs": "GBVS",
    "bms": "BMS",
    "imsig": "Image Signature",
    "rare2012": "RARE2012",
    "sun": "SUN",
    "unisal": "UniSal",
    "sam": "SAM",
    "dgii": "DeepGaze II",
}


def _card(name: str) -> ModelCard:
    teacher = _TEACHERS[name]
    photos, patterns = TABLE_1[name]
    return ModelCard(
        name=f"{name}.kdsalbox",
        title=f"KDSalBox's student of {teacher}",
        task="fixation",
        output="score",
        summary=f"MobileNetV2 and a decoder without skip connections, taught by maps of {teacher}.",
        paper=PAPER,
        origin=f"authors' weights: student of {teacher}, trained on its maps of SALICON's 10,000 training photos; "
        "the network is written anew",
        license=License(
            code="Apache-2.0; the authors' program, under the Adobe Research License, is not part of it",
            weights="Adobe Research License: not for commercial purposes, not to be redistributed",
            training_data="SALICON's photos, which are Microsoft COCO's; no fixations",
        ),
        size="10.4 million numbers, 42 MB",
        commercial_use="The code yes, under Apache-2.0; not the weights: the Adobe Research License forbids "
        "commercial use.",
        agreement=f"with its teacher, as published (table 1): {photos} on SALICON's validation photos; {patterns} on "
        "CAT2000's patterns. With the authors' program, on one photo with generated weights: equal",
        limits=(
            "An image is looked at as it is up to 4 megapixels, a larger one as a copy of 4 megapixels (INTER_AREA). "
            "That takes 2.4 GB of memory, PyTorch included; 480x640 pixels take 1.1 GB.",
            "Trained on photos of 480x640: what it makes of other sizes its authors did not measure.",
            "Natural photos only; on patterns, drawings and blurred pictures it follows its teacher less.",
        ),
        weights_from=f"KDSalBox's release ({SOURCE}), the checkpoint of {teacher}",
    )


CARDS = {f"{name}.kdsalbox": _card(name) for name in TABLE_1}

AIM = CARDS["aim.kdsalbox"]
IKN = CARDS["ikn.kdsalbox"]
GBVS = CARDS["gbvs.kdsalbox"]
BMS = CARDS["bms.kdsalbox"]
IMSIG = CARDS["imsig.kdsalbox"]
RARE2012 = CARDS["rare2012.kdsalbox"]
SUN = CARDS["sun.kdsalbox"]
UNISAL = CARDS["unisal.kdsalbox"]
SAM = CARDS["sam.kdsalbox"]
DGII = CARDS["dgii.kdsalbox"]
