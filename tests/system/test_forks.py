"""A child by a fork ends as any process does, though it has none of the threads of the one that loaded a model."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

FORK = """
import os, signal, sys
import numpy as np
import salbox

photo = np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)
models = [salbox.load(name) for name in ("gaze", "gbvs.student", "ensemble:bms+gbvs.student")]
expected = [model(photo) for model in models]
child = os.fork()
if child == 0:
    signal.alarm(60)  # ends the child if nothing else does
    if {forget}:
        first, *models = models
        from salbox.runtime import session
        session._sessions.clear()
        del first
    for model, before in zip(models, expected[-len(models):]):
        assert np.allclose(model(photo), before, atol=1e-5)
    sys.exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize("forget", [False, True])
def test_a_child_ends(forget):
    code = FORK.format(forget=forget)
    environment = {**os.environ, "SALBOX_THREADS": "2"}  # of one thread no pool is made
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
