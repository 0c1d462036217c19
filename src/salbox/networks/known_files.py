"""What weights' files look like: names by which a file tells whose it is, so that a wrong one can be named."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ..errors import WeightsError

# Model: beginnings of names that only its file has all of, as salbox reads them. A prefix "module." is off already.
TELLING: dict[str, tuple[str, ...]] = {
    "transalnet": ("decoder.TransEncoder1.", "decoder.TransEncoder3.", "encoder.encoder."),
    "unisal": ("coarse_gaussians_", "rnn.cell_list.", "adaptation_"),
    "deepgaze2e": ("models.0.saliency_networks.", "models.3.finalizers."),
    "dgii": ("features.features.conv5_1.", "readout_network.", "finalizer."),
    "salicon": ("conv1_1/", "sec_conv1_1/", "saliency_map/"),
    "msinet": ("conv1/conv1_1/", "aspp/", "decoder/"),
    "sam": ("attentiveconvlstm", "learningprior"),
    "dinet": ("res2a_branch2a/", "conv2d_4/", "conv2d_7/"),
    "a student of KDSalBox (such as 'gbvs.kdsalbox')": ("encoder.18.", "decoder.conv7_3.", "decoder.output."),
    "u2netp": ("stage1.rebnconvin.", "side6.", "outconv."),
    "samnet": ("context_path.", "heads.4."),
    "scfnet": ("bkbone.", "linear5."),
    "the customised DINet of saliency_analysis": ("dilated_backbone.", "encoder.inception_4."),
    "the customised SALICON of saliency_analysis": ("dilated_backbone.", "v_encoder."),
    "the customised TranSalNet of saliency_analysis": ("backbone.", "sal_decoder_4."),
    "a classifier of images (ResNet)": ("conv1.weight", "layer4.", "fc."),
    "a classifier of images (DenseNet)": ("features.denseblock4.", "classifier."),
    "a classifier of images (VGG)": ("features.0.", "features.28.", "classifier.6."),
    "a classifier of images (MobileNetV2)": ("features.0.0.", "features.18.", "classifier."),
}


def looks_like(names: Collection[str]) -> str | None:
    """Return whose weights have such names, a model of `TELLING`, or None if no model is known by them.

    Parameters
    ----------
    names : collection of str
        Of a file's tensors or layers.
    """
    for model, beginnings in TELLING.items():
        if all(any(name.startswith(beginning) for name in names) for beginning in beginnings):
            return model
    return None


def check_model(names: Collection[str], model: str, where: str | Path) -> None:
    """Refuse a file that is known to be another model's; what nobody knows passes.

    Parameters
    ----------
    names : collection of str
        Of the file's tensors or layers.
    model : str
        Whose they should be, a key of `TELLING`.
    where : str or Path
        The file, for the message.

    Raises
    ------
    WeightsError
        If the names are another model's; the message says which.
    """
    found = looks_like(names)
    if found is not None and found != model:
        shown = f"'{found}'" if found.isalnum() else found
        raise WeightsError(f"{where}: not the weights of '{model}': it looks like those of {shown}")
