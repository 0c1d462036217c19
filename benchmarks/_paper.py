"""The KDSalBox paper's figures, as they were published: its Tables 1 (SALICON) and 2 (other kinds of pictures)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from _distilling import read_csv
from _tables import SHARED

CONTEXT = {"fastgaze": "dgii"}  # heads whose teacher the paper does not have, and the one of it that is nearest


@dataclass(frozen=True)
class Published:
    """CC and KL of a student with its teacher: means and standard deviations, two digits."""

    cc: float
    cc_sd: float
    kl: float
    kl_sd: float


@cache
def table1() -> dict[str, Published]:
    """Return model -> figures on 5,000 photos of SALICON."""
    names = ("salicon_cc", "salicon_cc_sd", "salicon_kl", "salicon_kl_sd")
    return {row["model"]: Published(*(float(row[name]) for name in names)) for row in _rows("kdsalbox_table1.csv")}


@cache
def table2() -> dict[tuple[str, str], Published]:
    """Return (category, model) -> figures; a category is written as `Domain.nearest` is, "CAT2000 Pattern"."""
    found: dict[tuple[str, str], dict[str, tuple[float, float]]] = {}
    for row in _rows("kdsalbox_table2.csv"):
        key = (f"{row['dataset']} {row['category']}", row["model"])
        found.setdefault(key, {})[row["metric"]] = (float(row["mean"]), float(row["sd"]))
    return {key: Published(*figures["cc"], *figures["kl"]) for key, figures in found.items()}


def paper_name(head: str) -> str:
    """Return the paper's model that a head is compared with."""
    return CONTEXT.get(head, head)


def _rows(name: str) -> list[dict[str, str]]:
    path = SHARED / "published" / name
    if not path.is_file():
        raise SystemExit(f"{path}: the paper's table is not there (set SALBOX_SHARED)")
    return read_csv(path)
