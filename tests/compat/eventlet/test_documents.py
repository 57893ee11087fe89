"""The page on coming from eventlet.pools, and every example in the documents of eventlet.pools, run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
RUNNER = ROOT / "tests" / "docs" / "test_examples.py"
PAGE = ROOT / "docs" / "how-to" / "migrate" / "eventlet-pools.md"


def run(page: Path, where: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(RUNNER), str(page)]
    return subprocess.run(command, cwd=where, capture_output=True, text=True, check=False, timeout=120)


def test_every_example_runs_and_prints_what_the_page_says(tmp_path: Path) -> None:
    done = run(PAGE, tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_wrong_example_would_be_noticed(tmp_path: Path) -> None:
    wrong = tmp_path / "page.md"
    wrong.write_text(PAGE.read_text(encoding="utf-8").replace("got token\n>>>", "got nothing\n>>>"), encoding="utf-8")
    assert "DocTestFailure" in run(wrong, tmp_path).stderr
