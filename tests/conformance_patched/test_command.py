"""The command line, and what it says to somebody whose adapter makes no sense."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from poolproof.conformance.patched.checking import read_token
from poolproof.conformance.patched.programs import Program

ADAPTER = """\
import queue
from poolproof.conformance.suite.adapter import Adapter

class make_pool(Adapter):
    timeout_error, misuse_error = queue.Empty, queue.Full
    lacks = {"fifo": "no", "lease-identity": "no"}

    def __init__(self, spec):
        self.queue = queue.LifoQueue(spec.max_size)
        for _ in range(spec.max_size):
            self.queue.put(spec.create())

    def acquire(self, timeout):
        return self.queue.get(timeout != 0, timeout)

    def release(self, lease):
        self.queue.put(lease)
"""


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "adapters.py").write_text(ADAPTER, encoding="utf-8")
    command = [sys.executable, "-m", "poolproof.conformance.patched", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_check_and_replay(tmp_path: Path) -> None:
    good = call(tmp_path, "check", "adapters:make_pool", "size=1: acquire release | acquire(1) release")
    assert (good.returncode, good.stderr) == (0, "")
    assert "every schedule with at most 2 preemptions" in good.stdout
    bad = call(tmp_path, "check", "adapters:make_pool", "size=1: acquire release again")
    assert bad.returncode == 1
    assert "WAIT-ENDS: again of A never returns" in bad.stdout
    token = bad.stdout.partition("repeat: ")[2].strip()
    again = call(tmp_path, "replay", "adapters:make_pool", token)
    assert again.returncode == 1
    assert again.stdout.strip() in bad.stdout


def test_survey_writes_what_it_found(tmp_path: Path) -> None:
    done = call(tmp_path, "survey", "adapters:make_pool", "--seconds", "0.2", "--json", "found.json")
    assert done.returncode in (1, 2)
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert {each["clause"] for each in found["findings"]} <= {"WAIT-ENDS", "STALE-UNCHANGED"}
    assert {each["verdict"] for each in found["programs"]} <= {"ok", "broken", "limit", "not applicable"}


@pytest.mark.parametrize(
    ("pool", "program", "words"),
    [
        ("nowhere:make_pool", "size=1: acquire", "there is no module 'nowhere'"),
        ("adapters:make", "size=1: acquire", "has no 'make'"),
        ("adapters:make_pool", "acquire", "no colon"),
        ("adapters:make_pool", "size=1: acquires", "is no operation"),
        ("adapters:make_pool", "limit=1: acquire", "is no option"),
    ],
)
def test_nonsense_is_told(tmp_path: Path, pool: str, program: str, words: str) -> None:
    done = call(tmp_path, "check", pool, program)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_tokens_are_read_back() -> None:
    program, grain, choices = read_token("size=2 fails=1: acquire(1) release | close @lines 3:1 5:-2")
    assert str(program) == "size=2 fails=1: acquire(1) release | close"
    assert (grain, choices) == ("lines", ((3, 1), (5, -2)))
    assert Program.parse(str(program)) == program
    for wrong in (
        "size=1: acquire",
        "size=1: acquire @words",
        "size=1: acquire @lines 3",
        "size=1: acquire @lines 3:x",
    ):
        with pytest.raises(ValueError, match="no "):
            read_token(wrong)
