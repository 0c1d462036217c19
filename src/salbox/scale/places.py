"""Places: folders of this machine and buckets, listed, read and written alike."""

from __future__ import annotations

import contextlib
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from ..errors import UsageError, one_line
from ..imaging.writing import atomic
from ..paths import user_path
from .arrow import arrow, damages

SCHEMES = ("s3", "gs", "gcs")

# Where another service than Amazon's answers, as Amazon's own tools are told.
ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")


@dataclass(frozen=True)
class Found:
    """A file that a place holds: where, how large, and a text that changes when it does."""

    path: str
    size: int
    state: str


class Place(ABC):
    """Where files lie: a folder, or what begins alike in a bucket. Paths are relative to it, with `/` in between."""

    @abstractmethod
    def uri(self, path: str = "") -> str:
        """Return how a path is called in messages and tables."""

    @abstractmethod
    def open(self, path: str) -> IO[bytes]:
        """Return a file, open for reading from any position."""

    @abstractmethod
    def open_once(self, path: str) -> IO[bytes]:
        """Return a file, open for reading from beginning to end."""

    @abstractmethod
    def find(self, path: str) -> Found | None:
        """Return a file; None if there is none."""

    @abstractmethod
    def walk(self, path: str, *, recursive: bool) -> Iterator[Found]:
        """Yield the files below a path, in no order; hidden ones too."""

    @abstractmethod
    def move_in(self, file: Path, path: str) -> None:
        """Have the place hold what a file of this machine does, at once or not at all; the file may be gone then."""

    @abstractmethod
    def write(self, path: str, content: bytes) -> None:
        """Write a file, at once or not at all."""

    @abstractmethod
    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""

    def read(self, path: str) -> bytes:
        """Return what a file holds."""
        with self.open_once(path) as file:
            return file.read()


@dataclass(frozen=True)
class Folder(Place):
    """A folder of this machine, or one that all machines of a cluster see under its path."""

    folder: Path

    def uri(self, path: str = "") -> str:
        """Return the path on this machine."""
        return str(self.folder / path) if path else str(self.folder)

    def open(self, path: str) -> IO[bytes]:
        """Return a file, open for reading."""
        return (self.folder / path).open("rb")

    def open_once(self, path: str) -> IO[bytes]:
        """Return a file, open for reading."""
        return self.open(path)

    def find(self, path: str) -> Found | None:
        """Return a file; None if there is none."""
        try:
            status = (self.folder / path).stat()
        except OSError:
            return None
        return Found(path, status.st_size, f"{status.st_size} {status.st_mtime_ns}")

    def walk(self, path: str, *, recursive: bool) -> Iterator[Found]:
        """Yield the files below a path; links to folders are not followed."""
        for root, folders, files in os.walk(self.folder / path):
            if not recursive:
                folders.clear()
            for name in files:
                relative = os.path.relpath(os.path.join(root, name), self.folder)  # noqa: PTH118
                if (found := self.find(relative)) is not None:
                    yield found

    def move_in(self, file: Path, path: str) -> None:
        """Copy a file under a temporary name, which is then renamed."""
        with atomic(self.folder / path) as temporary:
            shutil.copyfile(file, temporary)

    def write(self, path: str, content: bytes) -> None:
        """Write a file under a temporary name, which is then renamed."""
        with atomic(self.folder / path) as temporary:
            temporary.write_bytes(content)

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        (self.folder / path).unlink(missing_ok=True)


@dataclass(frozen=True)
class Bucket(Place):
    """What begins alike in a bucket; an object is there when it is whole.

    Attributes
    ----------
    filesystem : pyarrow.fs.FileSystem
        It can be sent to other processes; whoever the machine is known as there, each machine finds out by itself.
    root : str
        The bucket, and how the names of the objects begin.
    scheme : str
    """

    filesystem: Any
    root: str
    scheme: str

    def uri(self, path: str = "") -> str:
        """Return the address."""
        return f"{self.scheme}://{self._full(path)}"

    def open(self, path: str) -> IO[bytes]:
        """Return an object, open for reading from any position."""
        return self.filesystem.open_input_file(self._full(path))

    def open_once(self, path: str) -> IO[bytes]:
        """Return an object, open for reading from beginning to end."""
        return self.filesystem.open_input_stream(self._full(path))

    def find(self, path: str) -> Found | None:
        """Return an object; None if there is none.

        Raises
        ------
        UsageError
            If the bucket cannot be asked.
        """
        info = self._asked(self._full(path))
        return self._found(info) if info.is_file else None

    def walk(self, path: str, *, recursive: bool) -> Iterator[Found]:
        """Yield the objects below a path.

        Raises
        ------
        UsageError
            If the bucket cannot be asked.
        """
        selector = arrow("fs").FileSelector(self._full(path).rstrip("/"), allow_not_found=True, recursive=recursive)
        for info in self._asked(selector):
            if info.is_file:
                yield self._found(info)

    def move_in(self, file: Path, path: str) -> None:
        """Upload a file; raises as `write`."""
        with self._written(path), file.open("rb") as source, self._opened(path) as target:
            shutil.copyfileobj(source, target, 1 << 22)

    def write(self, path: str, content: bytes) -> None:
        """Upload an object.

        Raises
        ------
        UsageError
            If the bucket does not take it.
        """
        with self._written(path), self._opened(path) as target:
            target.write(content)

    def remove(self, path: str) -> None:
        """Remove an object, if it is there; raises as `write`."""
        if self.find(path) is not None:
            with self._written(path):
                self.filesystem.delete_file(self._full(path))

    def _opened(self, path: str) -> Any:
        return self.filesystem.open_output_stream(self._full(path))

    @contextlib.contextmanager
    def _written(self, path: str) -> Iterator[None]:
        try:
            yield
        except damages() as error:
            raise UsageError(f"{self.uri(path)}: cannot be written ({one_line(error)})") from None

    def _full(self, path: str) -> str:
        return f"{self.root}/{path}" if path else self.root

    def _asked(self, what: Any) -> Any:
        try:
            return self.filesystem.get_file_info(what)
        except damages() as error:
            raise UsageError(f"{self.uri()}: cannot be listed ({one_line(error)})") from None

    def _found(self, info: Any) -> Found:
        return Found(info.path.removeprefix(f"{self.root}/"), info.size, f"{info.size} {info.mtime_ns}")


def is_bucket(text: str | os.PathLike[str]) -> bool:
    """Return whether a text is the address of a bucket.

    Raises
    ------
    UsageError
        For an address of another kind, which nothing is read from.
    """
    scheme, separator, _ = str(text).partition("://")
    if not separator or "/" in scheme:
        return False
    if scheme.lower() not in SCHEMES:
        raise UsageError(f"{text}: addresses of buckets begin with {' or '.join(f'{s}://' for s in SCHEMES)}")
    return True


def split_address(text: str) -> tuple[Bucket, str]:
    """Return a bucket, and the path in it, of an address such as s3://bucket/path; wild cards may stand in the path.

    Raises
    ------
    UsageError
        If no bucket is named.
    MissingExtraError
        If pyarrow is not installed.
    """
    scheme, _, rest = text.partition("://")
    name, _, path = rest.partition("/")
    scheme, path = scheme.lower(), path.strip("/")
    if not name or ".." in path.split("/"):
        raise UsageError(f"{text}: name a bucket, and a path in it without '..'")
    return Bucket(_filesystem(scheme, name), name, scheme), path


def place_at(text: str | os.PathLike[str]) -> Place:
    """Return the folder, or the beginning of names in a bucket, that outputs go to."""
    if not is_bucket(text):
        return Folder(user_path(text).absolute())
    bucket, path = split_address(str(text))
    return Bucket(bucket.filesystem, f"{bucket.root}/{path}" if path else bucket.root, bucket.scheme)


def _filesystem(scheme: str, bucket: str) -> Any:
    """Return what reads and writes a bucket.

    Raises
    ------
    UsageError
        If it cannot be reached.
    """
    fs = arrow("fs")
    try:
        if scheme != "s3":
            return fs.GcsFileSystem()
        endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), None)
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if not region:
            region = "us-east-1" if endpoint else fs.resolve_s3_region(bucket)
        return fs.S3FileSystem(endpoint_override=endpoint, region=region)
    except damages() as error:
        raise UsageError(f"{scheme}://: cannot be reached ({one_line(error)})") from None
    except AttributeError:  # a pyarrow that was built without it
        raise UsageError(f"{scheme}://: this build of pyarrow cannot read it") from None
