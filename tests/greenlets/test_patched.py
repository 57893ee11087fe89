"""Where the whole process is patched, pools of greenlets and pools of (so-called) threads both work.

A process is patched for good, and by one library. So each case has a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("patched_program.py")


@pytest.mark.clause("CAPACITY", "WAIT-ENDS", "CANCELLATION-SURVIVES")
@pytest.mark.parametrize("runtime", ["threads", "greenlets"])
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("library", ["eventlet", "gevent"])
def test_a_patched_process_loses_nothing(library: str, when: str, runtime: str) -> None:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), library, when, runtime],
        env={**os.environ, "PYTHONFAULTHANDLER": "1"}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "all well\n"), done.stderr
