"""Forks: what holds threads of a library is never taken apart in a child, which has none of these threads."""

from __future__ import annotations

import ctypes
import os
from typing import Any
from weakref import WeakSet

_held: WeakSet[Any] = WeakSet()


def keep_in_children(thing: Any) -> None:
    """Have children of this process by `os.fork` hold on to an object, also when they end.

    Taking a pool of threads apart waits for them, and in a child of a server that loads first and forks then
    (gunicorn --preload, uWSGI) that would be for ever.
    """
    _held.add(thing)


def _hold() -> None:
    for thing in list(_held):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_hold)
