"""SALICON as pysaliency keeps it: HDF5 files beside the photos, a folder for each release and kind of data."""

from __future__ import annotations

from pathlib import Path

from ..errors import UsageError
from .dataset import Dataset, DatasetCard
from .pysaliency_hdf5 import find_parts, open_parts
from .salicon import CARD as SALICON

# pysaliency's names of the folders, each a choice of release and kind.
FOLDERS = {
    "SALICON2017_fixations": "release of 2017, fixations",
    "SALICON2015_fixations": "release of 2015, fixations",
    "SALICON2017_mouse": "release of 2017, every sample of the mouse",
    "SALICON": "release of 2015, every sample of the mouse",
}

CARD = DatasetCard(
    name="salicon-hdf5",
    title="SALICON in pysaliency's files",
    meaning="Where people moved a mouse that sharpens the photo around it, recorded over the web; the releases of 2015 "
    "and 2017 find fixations in it by different rules, and their scores do not compare.",
    layout="stimuli_train.hdf5, fixations_train.hdf5 and the same of val, beside stimuli/; or the folder of several "
    "releases, SALICON2017_fixations and the like",
    license=SALICON.license,
    splits={"train": "10,000 photos", "val": "5,000 photos", "test": "5,000 photos without fixations"},
    default_split="val",
    images={"train": 10_000, "val": 5_000, "test": 5_000},
    sigma=SALICON.sigma,
    sigma_width=SALICON.sigma_width,
    sigma_source=SALICON.sigma_source,
    paper=SALICON.paper,
)


def open_salicon_hdf5(path: Path, split: str) -> Dataset:
    """Return a split of SALICON; see `CARD`.

    Parameters
    ----------
    path : Path
        The folder of one release and kind, or the folder of one such folder.
    split : {"train", "val", "test", "all"}
        "all" is train and val.
    """
    inside = [name for name in FOLDERS if (path / name / "stimuli_train.hdf5").is_file()]
    if len(inside) > 1:
        raise UsageError(f"{CARD.name}:{path}: {', '.join(inside)} are there; name one, as in {path / inside[0]}")
    folder = path / inside[0] if inside else path
    return open_parts(CARD, path, split, find_parts(CARD.name, folder), FOLDERS.get(folder.resolve().name, ""))
