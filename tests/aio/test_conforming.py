"""`AsyncPool` conforms, through the adapter that makes threads of its clients; here in a few clauses, in full by
``python -m poolproof conform poolproof.conformance.aio.adapter:make_pool``."""

from __future__ import annotations

import subprocess
import sys

import pytest

from poolproof.conformance.aio.adapter import OwnAsync

CLAUSES = ("WAIT-FIFO", "ERRORS-UNCHANGED", "CALLBACK-FAULTS", "CHECK-KEEPS-TURN", "LEASE-ABANDONED")


@pytest.mark.clause(
    "WAIT-FIFO", "ERRORS-UNCHANGED", "CALLBACK-FAULTS", "CHECK-KEEPS-TURN", "LEASE-ABANDONED", "BRIDGE-SAFE"
)
def test_suite_finds_nothing_through_the_adapter() -> None:
    command = [sys.executable, "-m", "poolproof", "conform", f"{OwnAsync.__module__}:{OwnAsync.__name__}"]
    only = [word for clause in CLAUSES for word in ("--only", clause)]
    done = subprocess.run([*command, *only], capture_output=True, text=True, check=False, timeout=120)
    assert 0 == done.returncode, done.stdout
    assert "5 kept" in done.stdout
