"""Errors as sentences on a page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from ...errors import MissingExtraError, SalboxError


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show what goes wrong within as a sentence, and go on behind the block."""
    try:
        yield
    except MissingExtraError as error:
        st.info(plain(str(error)))
    except SalboxError as error:
        st.error(plain(str(error)))
    except MemoryError:
        st.error("There is not enough memory for this: try a smaller picture.")


def plain(text: str) -> str:
    r"""Return a text that Markdown shows as it is: every sign that means something to it behind a backslash."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+-!|~$:" else c for c in text)
