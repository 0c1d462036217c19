"""Weights of others: where the files lie, and how one is fetched once its hash is known."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from ..errors import UsageError, WeightsError
from ..paths import user_path

WEIGHTS_VARIABLE = "SALBOX_WEIGHTS"
HOME_VARIABLE = "SALBOX_HOME"
MAX_BYTES = 2 * 2**30

WeightsSource = str | os.PathLike[str]
"""A path or a URL."""

_SUFFIXES = {".npz", ".onnx", ".pth", ".pt", ".tar", ".safetensors"}
_SUFFIXES |= {".h5", ".hdf5", ".pkl", ".caffemodel", ".pdparams", ".pb", ".index"}


def find_weights(
    name: str,
    given: WeightsSource | None,
    sha256: str | None,
    source: str,
    *,
    stand_in: str = "",
    kept: Path | None = None,
) -> Path:
    """Return the file with a model's weights.

    Parameters
    ----------
    name : str
        The model's. If nothing is given, `<name>/*` and `<name>.*` of the folder `SALBOX_WEIGHTS` are looked at.
    given : path or https URL, optional
        A URL needs `sha256`; the file is fetched once, into the folder `SALBOX_HOME`.
    sha256 : str, optional
        What the file must hash to.
    source : str
        Where the weights come from, for the message.
    stand_in : str
        A model that may be used without any, for the message.
    kept : Path, optional
        A file that another program may have brought here; it is taken if nothing is given and the folder has none.

    Raises
    ------
    WeightsError
        If there is no such file, it is too large, or its hash differs.
    UsageError
        If a URL is not https, or comes without a hash.
    """
    if sha256 is not None:
        sha256 = _hash(sha256)
    if given is None:
        path = in_folder(name)
        if path is None and kept is not None and kept.is_file():
            path = kept
        if path is None:
            way_out = f"; '{stand_in}', which comes with salbox, stands in" if stand_in else ""
            raise WeightsError(
                f"model '{name}' needs weights: {source}; give their path (weights=, --weights {name}=){way_out}"
            )
    elif "://" in str(given):
        return _fetched(name, str(given), sha256)
    else:
        path = user_path(given)
        if not path.is_file():
            raise WeightsError(f"{path}: no such file (the weights of '{name}')")
    _check_size(path)
    if sha256 is not None and (found := file_hash(path)) != sha256:
        raise WeightsError(f"{path}: its sha256 is {found}, not {sha256}; not used")
    return path


def file_hash(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal; kept for as long as the file does not change."""
    state = path.stat()
    return _hashed(path, (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns))


@lru_cache(maxsize=64)
def _hashed(path: Path, state: tuple[int, ...]) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def home() -> Path:
    """Return the folder for what is fetched: `SALBOX_HOME`, or the platform's place for caches."""
    if os.environ.get(HOME_VARIABLE):
        return user_path(os.environ[HOME_VARIABLE])
    import pooch

    try:
        return Path(pooch.os_cache("salbox"))
    except RuntimeError:  # of a user without a home
        raise UsageError(f"there is no home folder to keep files in: set {HOME_VARIABLE} to a folder") from None


def _hash(text: str) -> str:
    if len(text) != 64 or set(text.lower()) - set("0123456789abcdef"):
        raise UsageError(f"sha256 '{text}': expected 64 hexadecimal digits")
    return text.lower()


def in_folder(name: str) -> Path | None:
    """Return the file that the folder `SALBOX_WEIGHTS` has for a model; None if it has none.

    Raises
    ------
    WeightsError
        If it has several.
    """
    if not os.environ.get(WEIGHTS_VARIABLE):
        return None
    folder = user_path(os.environ[WEIGHTS_VARIABLE])
    inside = folder / name
    found = sorted(inside.iterdir()) if inside.is_dir() else sorted(folder.glob(f"{name}.*"))
    files = [path for path in found if path.suffix in _SUFFIXES and path.is_file()]
    if len(files) > 1:
        names = ", ".join(path.name for path in files)
        raise WeightsError(f"{inside}: several files ({names}); name one (weights=, --weights {name}=)")
    return files[0] if files else None


def _check_size(path: Path) -> None:
    if path.stat().st_size > MAX_BYTES:
        raise WeightsError(f"{path}: {path.stat().st_size} bytes are more than weights may have ({MAX_BYTES})")


def _fetched(name: str, url: str, sha256: str | None) -> Path:
    """Return the file of a URL, fetched if the cache lacks it."""
    if not url.startswith("https://"):
        raise UsageError(f"{url}: weights are fetched over https only")
    if sha256 is None:
        raise UsageError(f"{url}: give the file's sha256 as well (sha256=, --sha256 {name}=)")
    # The name from the URL only keeps the suffix readable; the hash names the file.
    suffix = Path(url.split("?")[0].split("#")[0]).suffix
    target = home() / "weights" / f"{sha256}{suffix if suffix in _SUFFIXES else ''}"
    if target.is_file() and file_hash(target) == sha256:
        return target
    import pooch
    import requests

    try:
        pooch.retrieve(url, known_hash=f"sha256:{sha256}", fname=target.name, path=target.parent, downloader=_download)
    except (requests.RequestException, ValueError, OSError) as error:
        reason = str(error).split("\n")[0]
        raise WeightsError(f"{url}: could not be fetched ({reason})") from None
    return target


def _download(url: str, output_file: str, _pooch: object) -> None:
    """Write what a URL holds to a file, and give up when it is larger than weights may be."""
    import requests

    written = 0
    with requests.get(url, stream=True, timeout=30) as response, Path(output_file).open("wb") as file:
        response.raise_for_status()
        if not all(hop.url.startswith("https://") for hop in (*response.history, response)):
            raise ValueError("it leads to an address that is not https")
        for chunk in response.iter_content(1 << 20):
            written += len(chunk)
            if written > MAX_BYTES:
                raise ValueError(f"more than {MAX_BYTES} bytes")
            file.write(chunk)
