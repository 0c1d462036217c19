"""Standard input, output and error of a process, as whoever started it left them."""

from __future__ import annotations

import os
import sys


def open_standard_streams() -> None:
    """Make standard output and standard error take any text, and see that none of the three is closed.

    A character that an encoding lacks, as the arrow behind a metric is in no Windows code page, is replaced. Where one
    is closed (`2>&-`) the next file that is opened would stand in its place and get what is printed there.
    """
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            taken = os.open(os.devnull, os.O_RDWR)
            if taken != number:
                os.dup2(taken, number)
                os.close(taken)
