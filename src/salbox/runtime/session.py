"""ONNX Runtime sessions: one a file, shared by all who ask for it, safe in threads."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import SalboxError, UsageError, WeightsError, one_line
from ..formats.onnx_file import OnnxFile, inspect
from ..formats.onnx_taps import with_output
from ..system.forks import keep_in_children
from ..system.threads import available_threads

_KEPT = 16  # sessions; the one not used for longest is let go
MEMORY_VARIABLE = "SALBOX_NETWORK_MEMORY"
_FIXED_MEMORY = 2**30  # bytes that any network may take
_TIMES_FILE = 16  # and so often its file's: weights are copied, and wide layers make many maps
_MEMORY_SHARE = 0.5  # of the machine's memory, at most
_SILENT = 4  # log severity: what goes wrong is raised, not printed

_TOO_LITTLE = "Available memory of"  # how ONNX Runtime says that the limit is reached

Run = tuple[OnnxFile, dict[str, npt.NDArray[Any]]]
_recorded: ContextVar[list[Run] | None] = ContextVar("recorded", default=None)

_Key = tuple[int, int, int, int, int, str]
_sessions: OrderedDict[_Key, Session] = OrderedDict()
_lock = threading.Lock()
_allocator_lock = threading.Lock()
_is_replaced: bool | None = None  # whether a second allocator takes the first one's place; None before there is one


class Session:
    """A network that ONNX Runtime has opened; what `open_session` returns.

    `run` may be called from several threads at once.

    Attributes
    ----------
    file : OnnxFile
        What the file holds.
    threads : int
        How many threads one run uses.
    provider : str
        "cpu", "cuda" or "cuda:N".
    """

    def __init__(self, file: OnnxFile, threads: int, provider: str, shown: str = ""):
        import onnxruntime

        self.file = file
        self.threads = threads
        self.provider = provider
        self._showing: dict[str, Session] = {}
        content = with_output(file.content, shown) if shown else file.content
        options = session_options(threads, len(file.content))
        wanted = _execution_provider(provider)
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=[wanted])
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise WeightsError(f"{file.path}: ONNX Runtime cannot open it ({self._reason(error)})") from None
        keep_in_children(self._session)
        taken = self._session.get_providers()
        if wanted[0] not in taken:
            raise SalboxError(
                f"device '{provider}': ONNX Runtime could not start {wanted[0]} and would use {', '.join(taken)}; "
                "check the driver, CUDA and cuDNN, or use device 'cpu'"
            )

    def showing(self, name: str) -> Session:
        """Return the session of the same file that also gives a tensor within its network; opened once."""
        if name not in self._showing:
            with _lock:  # one at a time with all others: memory is allowed to the session that is made next
                if name not in self._showing:
                    self._showing[name] = Session(self.file, self.threads, self.provider, shown=name)
        return self._showing[name]

    def run(self, inputs: Mapping[str, npt.NDArray[Any]], outputs: Sequence[str] | None = None) -> list[Any]:
        """Return outputs, arrays in the order asked for; by default all.

        Raises
        ------
        WeightsError
            If the network cannot be run on these inputs, or would take more memory than there is for networks.
        """
        runs = _recorded.get()
        if runs is not None:
            runs.append((self.file, dict(inputs)))
        try:
            return list(self._session.run(None if outputs is None else list(outputs), dict(inputs)))
        except Exception as error:  # see above
            shapes = ", ".join(f"{name} {np.shape(value)}" for name, value in inputs.items())
            raise WeightsError(f"{self.file.path}: cannot be run on {shapes} ({self._reason(error)})") from None

    def _reason(self, error: Exception) -> str:
        """Return an error of ONNX Runtime in one line; of the memory's limit what allows more."""
        text = _one_line(error)
        if _TOO_LITTLE not in str(error):
            return text
        megabytes = allowed_memory(len(self.file.content)) >> 20
        return f"it would take more than {megabytes} MB of memory, which {MEMORY_VARIABLE}=MB changes: {text}"


def open_session(
    path: str | os.PathLike[str],
    *,
    threads: int | None = None,
    provider: str = "cpu",
    max_megabytes: float | None = None,
) -> Session:
    """Return the session of a file; the same one for the same file, threads and provider while the file is unchanged.

    Parameters
    ----------
    path : path
    threads : int, optional
        How many threads one run uses; by default `salbox.system.threads.available_threads()`.
    provider : str
        "cpu", "cuda" or "cuda:N". There is no fall-back: what is asked for is used, or an error is raised.
    max_megabytes : float, optional
        How large the file may be; by default `onnx_file.MAX_MEGABYTES`.

    Raises
    ------
    WeightsError
        If the file is none that salbox runs.
    UsageError
        For a provider that does not exist or is not installed.
    """
    count = available_threads() if threads is None else threads
    if count < 1:
        raise UsageError(f"threads={threads}: expected at least 1")
    _execution_provider(provider)
    try:
        stat = os.stat(path)  # noqa: PTH116  # every head of a network asks: a Path would take twice as long
    except OSError:
        inspect(Path(path), max_megabytes)  # says what is wrong
        raise WeightsError(f"{path}: cannot be read") from None
    # By what the file is and not by its path, which may lead there in several ways: cheaper, too, than following it.
    key = (stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size, count, provider)
    with _lock:
        if key not in _sessions:
            _sessions[key] = Session(inspect(Path(path), max_megabytes), count, provider)
        _sessions.move_to_end(key)
        while len(_sessions) > _KEPT:
            _sessions.popitem(last=False)
        return _sessions[key]


@contextlib.contextmanager
def recorded() -> Iterator[list[Run]]:
    """Yield a list that gets (file, inputs) of every run that this thread starts within the block."""
    runs: list[Run] = []
    token = _recorded.set(runs)
    try:
        yield runs
    finally:
        _recorded.reset(token)


def session_options(threads: int, file_bytes: int = 0) -> Any:
    """Return ONNX Runtime's options: `threads` threads that sleep between runs, nothing printed, memory bounded.

    Within a run threads that have nothing to do stay awake: waking them for each of a hundred layers would take a third
    of a small network's time. Between runs the cores belong to others.

    The memory is that of the session that is made next; see `allowed_memory`.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    options.add_session_config_entry("session.intra_op.allow_spinning", "1")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if _bound_memory(allowed_memory(file_bytes)):
        options.add_session_config_entry("session.use_env_allocators", "1")
    return options


def allowed_memory(file_bytes: int) -> int:
    """Return how many bytes a network may take, of a file of so many: a fixed sum, and more for the weights it brings.

    A small file can describe a network whose maps fill any memory: one Resize by a million is enough. A large network
    makes large maps, so that a share of its file is added. `SALBOX_NETWORK_MEMORY`, in MB, stands for both.

    Raises
    ------
    UsageError
        If that is no number of MB.
    """
    stated = os.environ.get(MEMORY_VARIABLE, "")
    if not stated:
        return min(_FIXED_MEMORY + _TIMES_FILE * file_bytes, int(memory() * _MEMORY_SHARE))
    if not (stated.isascii() and stated.isdigit() and 0 < int(stated) < 1 << 24):
        raise UsageError(f"{MEMORY_VARIABLE}={stated}: expected the MB that a network may take, such as 4000")
    return int(stated) << 20


def _bound_memory(limit: int) -> bool:
    """Give the session that is made next an allocator that refuses to grow beyond a limit; return whether it is there.

    ONNX Runtime has one allocator to share, and lets it be replaced: sessions keep the one that they were made with.
    A build that does not: all sessions share the first one then, whose limit is a share of the machine's memory. Before
    ONNX Runtime 1.27 what constants take that are computed while a file is opened is bounded by neither.
    """
    global _is_replaced
    with _allocator_lock:
        if _is_replaced is None:
            if not _register_allocator(int(memory() * _MEMORY_SHARE)):
                return False  # another part of the program has registered one; ours would not be used
            _is_replaced = _register_allocator(limit)
        elif _is_replaced:
            _register_allocator(limit)
    return True


def _register_allocator(limit: int) -> bool:
    import onnxruntime

    device = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    settings = onnxruntime.OrtArenaCfg({"max_mem": limit, "arena_extend_strategy": 1})
    try:
        onnxruntime.create_and_register_allocator(device, settings)
    except Exception:  # ONNX Runtime's exceptions have no common base
        return False
    return True


def memory() -> int:
    """Return the bytes of memory that this process may count on: the machine's, or its control group's if less."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        total = 8 * 2**30
    try:
        return min(total, int(Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii")))
    except (OSError, ValueError):  # no control group, or "max"
        return total


def _execution_provider(provider: str) -> tuple[str, dict[str, str]]:
    """Return ONNX Runtime's name of a provider, and its options."""
    import onnxruntime

    kind, colon, index = provider.partition(":")
    if provider == "cpu":
        return "CPUExecutionProvider", {}
    if kind != "cuda" or (colon and not (index.isascii() and index.isdigit())):
        raise UsageError(f"device '{provider}': expected cpu, cuda or cuda:N")
    available = onnxruntime.get_available_providers()
    if "CUDAExecutionProvider" not in available:
        names = ", ".join(available)
        raise UsageError(
            f"device '{provider}': this ONNX Runtime has {names}; CUDA needs 'pip install onnxruntime-gpu' in its place"
        )
    return "CUDAExecutionProvider", {"device_id": index or "0"}


def _one_line(error: Exception) -> str:
    """Return an error of ONNX Runtime in one line, without its places in its own source."""
    text = one_line(error, 301)
    return f"{text[:300]}..." if len(text) > 300 else text
