"""Names of models as papers write them, for tables in papers."""

from __future__ import annotations

from pathlib import PurePath

from ..models.blends import is_blend
from ..models.ensembles import PREFIX, is_ensemble

_NAMES = {
    "aim": "AIM",
    "ikn": "IKN",
    "gbvs": "GBVS",
    "bms": "BMS",
    "imsig": "Image Signature",
    "rare2012": "RARE2012",
    "sun": "SUN",
    "gaussian": "Centred Gaussian",
    "unisal": "UNISAL",
    "sam": "SAM",
    "dgii": "DeepGaze II",
    "deepgaze2e": "DeepGaze IIE",
    "salicon": "OpenSALICON",
    "msinet": "MSI-Net",
    "dinet": "DINet",
    "transalnet": "TranSalNet",
    "fastgaze": "FastGaze",
    "attention-center": "Attention Center",
    "glimpse": "Glimpse",
    "scfnet": "SCFNet",
    "u2net": "U2-Net",
    "u2netp": "U2-Net-p",
    "samnet": "SAMNet",
    "gcpanet": "GCPANet",
}
_KINDS = {"student": "student", "kdsalbox": "KDSalBox", "people": "salbox", "kd": "KD"}


def paper_name(row: str) -> str:
    """Return a row's name as papers write it, such as "GBVS (student)" of "gbvs.student"; others as they are.

    Of a path the last part stands, without the suffix.

    Examples
    --------
    >>> from salbox.evaluation.paper_names import paper_name
    >>> paper_name("gbvs.student"), paper_name("ensemble:0.7*aim+0.3*gbvs"), paper_name("runs/mine")
    ('GBVS (student)', '0.7 AIM + 0.3 GBVS', 'mine')
    """
    if is_ensemble(row):
        return " + ".join(_member(part) for part in row.removeprefix(PREFIX).split("+"))
    if row in _NAMES:
        return _NAMES[row]
    known, dot, kind = row.rpartition(".")
    if dot and known in _NAMES and kind in _KINDS:
        return f"{_NAMES[known]} ({_KINDS[kind]})"
    path = PurePath(row)
    if is_blend(row) or path.suffix == ".onnx":
        return path.stem
    return path.name if len(path.parts) > 1 else row


def _member(text: str) -> str:
    factor, star, name = text.rpartition("*")
    return f"{factor.strip()} {paper_name(name.strip())}" if star else paper_name(name.strip())
