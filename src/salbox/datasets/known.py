"""How each dataset's files are recognised, and what it tells of its images."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """What `recognize` knows of a dataset.

    Attributes
    ----------
    kind : str
        What it tells of its images: "fixations", "density", "masks", "concepts", several of them, "images" (nothing)
        or "any".
    layouts : tuple of tuples of texts
        Each is one way that it is unpacked: patterns of paths that are all there. "*" stands for any text, and a
        pattern that ends in "/" for a folder. Suffixes may be in small or large letters.
    """

    kind: str
    layouts: tuple[tuple[str, ...], ...]


def _in(folders: tuple[str, ...], *needs: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(f"{folder}{need}" for need in needs) for folder in folders)


# Photos and masks in one folder, as collections of several datasets have them: only a name tells which it is.
REPACKED = ("Imgs/*.jpg", "Imgs/*.png")

_DATA = ("data/", "")
_SALICON = ("SALICON2017_fixations/", "SALICON2015_fixations/", "SALICON2017_mouse/", "SALICON/")
_VISUAL_GENOME = ("VG_100K/", "VG_100K_2/", "images/VG_100K/", "images2/VG_100K_2/", "images/")
_BOXES = ("objects", "attributes", "scene_graphs")
_TRUTHS = ("fixations", "points", "maps", "densities", "masks")

# The more a layout tells, the earlier it stands; "folder" fits several of the others too.
KNOWN: dict[str, Known] = {
    "osie": Known("fixations", _in(_DATA, "stimuli/1[0-7][0-9][0-9].*", "eye/fixations.mat")),
    "eyecrowd": Known("fixations", _in(_DATA, "stimuli/[0-5][0-9][0-9].*", "eye/fixations.mat")),
    "eyecrowd-faces": Known("concepts", _in(_DATA, "stimuli/[0-5][0-9][0-9].*", "eye/fixations.mat", "labels.mat")),
    "salicon-hdf5": Known(
        "fixations",
        (
            *_in(_SALICON, "stimuli_train.hdf5", "fixations_train.hdf5"),
            ("stimuli_train.hdf5", "stimuli_val.hdf5", "stimuli/train/COCO_train2014_*"),
        ),
    ),
    "pysaliency": Known("fixations", (("stimuli*.hdf5", "fixations*.hdf5"), ("stimuli.h5", "fixations.h5"))),
    "salicon": Known(
        "fixations",
        (
            ("images/train/COCO_train2014_*", "*/train/COCO_train2014_*.mat"),
            ("images/val/COCO_val2014_*", "*/val/COCO_val2014_*.mat"),
            ("images/train/COCO_train2014_*", "train/COCO_train2014_*.mat"),
            ("images/val/COCO_val2014_*", "val/COCO_val2014_*.mat"),
            ("images/", "fixations_train2014.json"),
            ("images/", "fixations_val2014.json"),
            ("images/", "fixations_*2014examples.json"),
            ("images/", "fixations/train/", "maps/train/"),
            ("train/train_stimuli/", "train/train_saliency/"),
        ),
    ),
    "cat2000": Known(
        "fixations",
        (
            ("trainSet/Stimuli/", "trainSet/FIXATIONLOCS/"),
            ("trainSet/Stimuli/", "trainSet/FIXATIONMAPS/"),
            ("Stimuli/Action/", "FIXATIONLOCS/Action/"),
            ("testSet/Stimuli/",),
        ),
    ),
    "mit1003": Known(
        "fixations",
        (
            ("ALLSTIMULI/", "DATA/"),
            ("ALLSTIMULI/", "ALLFIXATIONMAPS/"),
            ("ALLSTIMULI/", "fixations.mat"),
            *_in(_DATA, "stimuli/i[0-9a-z]*", "eye/fixations.mat"),
        ),
    ),
    "mit300": Known("images", (("BenchmarkIMAGES/i1.*",), ("i1.*", "i2.*", "i[123]*.jpg"))),
    "toronto": Known(
        "fixations",
        (
            ("eyetrackingdata/fixdens/Original Image Set/", "eyetrackingdata/fixdens/origfixdata.mat"),
            ("fixdens/Original Image Set/", "fixdens/origfixdata.mat"),
            ("Original Image Set/", "origfixdata.mat"),
        ),
    ),
    "figrim": Known(
        "fixations",
        (
            ("Targets/", "*/allImages_release.mat"),
            ("Fillers/", "*/allImages_fillers.mat"),
            ("Targets/", "allImages_release.mat"),
            ("Fillers/", "allImages_fillers.mat"),
            ("Targets/", "FIXATIONLOCS*/"),
            ("Fillers/", "FIXATIONLOCS*/"),
        ),
    ),
    "pascal-s": Known(
        "fixations, masks",
        (
            ("datasets/imgs/pascal/", "datasets/masks/pascal/"),
            ("imgs/pascal/", "masks/pascal/"),
            REPACKED,
        ),
    ),
    "dut-omron": Known("fixations, masks", (("DUT-OMRON-image/",), ("pixelwiseGT-new-PNG/",), REPACKED)),
    "imp1k": Known("density", (("imp1k/imgs/", "imp1k/maps/"), ("imgs/", "maps/"))),
    "isun": Known("fixations", (("training.mat", "validation.mat"), ("training.mat", "images/"))),
    "duts": Known(
        "masks",
        (
            ("DUTS-TR/DUTS-TR-Image/", "DUTS-TR/DUTS-TR-Mask/"),
            ("DUTS-TE/DUTS-TE-Image/", "DUTS-TE/DUTS-TE-Mask/"),
            ("DUTS-TR-Image/", "DUTS-TR-Mask/"),
            ("DUTS-TE-Image/", "DUTS-TE-Mask/"),
        ),
    ),
    "duts-wordnet": Known(
        "concepts",
        (
            ("DUTS-TR/DUTS-TR-Image/n[0-9]*_*", "DUTS-TR/DUTS-TR-Mask/"),
            ("DUTS-TR-Image/n[0-9]*_*", "DUTS-TR-Mask/"),
        ),
    ),
    "ecssd": Known("masks", (("images/", "ground_truth_mask/"),)),
    "hku-is": Known("masks", (("imgs/*.png", "gt/*.png"), ("HKU-IS/imgs/", "HKU-IS/gt/"), REPACKED)),
    "kd-sod80k": Known("images", (("KD-SOD80K/",), ("image/n[0-9]*_*",))),
    "visual-genome": Known(
        "concepts",
        tuple((photos, f"{name}.json") for photos in _VISUAL_GENOME for name in _BOXES),
    ),
    "gqa": Known("concepts", (("sceneGraphs/*_sceneGraphs.json",), ("*_sceneGraphs.json", "images/"))),
    "coco-semantic": Known("concepts", (("images/", "masks/", "classes.yaml"),)),
    "masks": Known("concepts", tuple((f"images/*.{suffix}", "masks/*/*.png") for suffix in ("jpg", "png"))),
    "folder": Known(
        "any",
        tuple((f"{images}/", f"{truth}/") for images in ("images", "stimuli") for truth in _TRUTHS),
    ),
}
