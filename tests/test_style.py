"""The tools that read every file agree with every file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
READ = ["src", "model", "tests", "docs/tools"]


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["mypy"], id="types"),
        pytest.param(["ruff", "check", "--no-fix", *READ], id="rules"),
    ],
)
def test_every_file_passes(command: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
