"""How a page gets pictures: dropped, pasted, or a sample; what one page got others offer too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

from ...imaging.image import SUFFIXES
from ...prediction.demo import PHOTOS
from ...system.memory import give_memory_back
from .components import pasted_picture
from .maps import MapCache
from .messages import errors_shown, plain
from .uploads import MAX_MEGABYTES, MAX_PICTURES, Picture, read_upload, sample

if TYPE_CHECKING:
    from streamlit.runtime.uploaded_file_manager import UploadedFile

PICTURE_TYPES = sorted(suffix.lstrip(".") for suffix in SUFFIXES)  # as file uploaders take them

_KEPT = "pictures"
_PASTED = "pasted picture"


@dataclass
class Visit:
    """What is kept for one visitor: maps, and pictures by the place that took them."""

    maps: MapCache = field(default_factory=MapCache)
    pictures: dict[str, Any] = field(default_factory=dict)

    def end(self) -> None:
        """Let everything go, and give the memory back."""
        self.maps.clear()
        self.pictures.clear()
        give_memory_back()


# Streamlit clears it as soon as the visitor's page is closed; what stands in its session state stays for longer.
@st.cache_resource(scope="session", show_spinner=False, on_release=Visit.end)
def _visit() -> Visit:
    return Visit()


def map_cache() -> MapCache:
    """Return what keeps this visitor's maps."""
    return _visit().maps


def pictures(key: str, most: int = MAX_PICTURES, *, label: str | None = None, is_alone: bool = False) -> list[Picture]:
    """Draw where pictures come from, and return them, at most so many; an empty list where there are none yet.

    What was given last counts. A page that was given nothing takes what another was given.

    Parameters
    ----------
    key : str
        Of the widgets, unique on the page; in the address the sample's name stands under it.
    most : int
    label : str, optional
        Of the place where files are dropped.
    is_alone : bool
        Whether it neither gives what it has to other pages nor takes what they have.
    """
    with st.container(border=True):
        uploaded = st.file_uploader(
            label or ("Drop a picture" if most == 1 else f"Drop up to {most} pictures"),
            type=PICTURE_TYPES,
            accept_multiple_files=most > 1,
            max_upload_size=MAX_MEGABYTES,
            key=f"{key}-files",
            on_change=_forget,
            args=(key,),
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            name = st.pills(
                "or take a sample", PHOTOS, key=f"{key}-sample", bind="query-params", on_change=_forget, args=(key,)
            )
            with errors_shown():
                if (content := pasted_picture(f"{key}-paste")) is not None:
                    _visit().pictures[_pasted(key)] = [read_upload(_PASTED, content)]
    kept = _visit().pictures
    files = uploaded if isinstance(uploaded, list) else [] if uploaded is None else [uploaded]
    found = kept.get(_pasted(key)) or _read(key, files[:most]) or ([_sample(name)] if name else [])
    if len(files) > most:
        st.warning(f"{len(files)} pictures, but this page takes {most}: the first {most} are shown.")
    if found:
        kept[_kept(key)] = found
        if not is_alone:
            kept[_KEPT] = found
        return list(found)
    before: list[Picture] = kept.get(_kept(key)) or ([] if is_alone else kept.get(_KEPT, []))
    return [] if files else before[:most]


def show_notes(shown: Sequence[Picture]) -> None:
    """Show what a user should know of pictures."""
    for picture in shown:
        for note in picture.notes:
            st.warning(plain(f"{picture.label}: {note}"))


def _kept(key: str) -> str:
    return f"{_KEPT}-{key}"


def _pasted(key: str) -> str:
    return f"pasted-{key}"


def _forget(key: str) -> None:
    """Let go what the page had before somebody gave it something else, or took it away."""
    for name in (_KEPT, _kept(key), _pasted(key)):
        _visit().pictures.pop(name, None)


def _read(key: str, files: Sequence[UploadedFile]) -> list[Picture]:
    """Return the pictures of uploads, each read once; one that cannot be read is named."""
    known: dict[str, Picture] = _visit().pictures.get(f"read-{key}", {})
    read: dict[str, Picture] = {}
    for file in files:
        with errors_shown():
            read[file.file_id] = known.get(file.file_id) or read_upload(file.name, file.getvalue())
    _visit().pictures[f"read-{key}"] = read
    return list(read.values())


@st.cache_resource(show_spinner=False, max_entries=len(PHOTOS))
def _sample(name: str) -> Picture:
    return sample(name)
