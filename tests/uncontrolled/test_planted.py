"""The uncontrolled tier, shown to bite: each of these bugs is found, for the right reason, and soon."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from uncontrolled import planted


@pytest.mark.parametrize("name", [bug.name for bug in planted.BUGS])
def test_a_planted_bug_is_found(name: str, seed: int) -> None:
    done = subprocess.run(
        [sys.executable, str(planted.__file__), name, str(seed)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(planted.__file__).parents[1]), *sys.path])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("found in round "), f"{done.stdout}{done.stderr[-2000:]}"
