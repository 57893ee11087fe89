"""eventlet's own tests, unmodified, with the facade in the place of eventlet.pools."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("own_suite.py")


def outcomes(own_tests: Path, pools: str, module: str) -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), pools, module],
        cwd=own_tests, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_every_test_of_eventlet_pools_passes(own_tests: Path) -> None:
    told = outcomes(own_tests, "facade", "pools_test")
    assert {} == {name: came_to for name, came_to in told.items() if came_to != "passed"}
    assert len(told) == 13


def test_eventlet_db_pool_does_on_the_facade_what_it_does_on_eventlet_pools(own_tests: Path) -> None:
    """Two of its tests fail on both: sqlite does not tell how many rows a SELECT found, and locks the whole file.

    They give up after half a second, which a busy machine may need for other things: what failed may try again.
    """
    hopeless = {"test_connection_is_clean_after_put", "test_visibility_from_other_connections"}
    for pools in ("original", "facade"):
        failed: set[str] | None = None
        for _ in range(4):
            told = outcomes(own_tests, pools, "db_pool_test")
            assert len(told) > 40
            now = {name for name, came_to in told.items() if came_to != "passed"}
            failed = now if failed is None else failed & now
            if {name.rpartition(".")[2] for name in failed} == hopeless:
                break
        assert hopeless == {name.rpartition(".")[2] for name in failed or ()}, pools
