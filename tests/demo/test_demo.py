"""The demo as a user runs it: in a terminal, in a pipe, without rich, and interrupted."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from poolproof.__main__ import main

STRICT = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning"]
DEMO = [*STRICT, "-m", "poolproof", "demo", "--seconds", "2"]
WITHOUT_RICH = "import sys; sys.modules['rich'] = None; from poolproof.__main__ import main; sys.exit(main())"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def in_terminal(command: list[str]) -> tuple[int, str]:
    """Run *command* in a pseudo terminal of 80 × 24; its exit code, and what it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color"}
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        written = b"".join(iter(lambda: read_some(ours), b""))
    os.close(ours)
    return process.returncode, written.decode()


def read_some(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError as error:
        if error.errno == errno.EIO:  # the other end is closed: all is read
            return b""
        raise


@pytest.mark.clause("TRACE-REPLAYS", "CONSERVATION", "EXCLUSIVE", "WAIT-FIFO", "CLOSE-TERMINATES")
def test_in_a_pipe_it_writes_lines_and_no_warning(tmp_path: Path) -> None:
    database, trace = tmp_path / "bank.db", tmp_path / "trace.jsonl"
    files = ["--database", str(database), "--trace", str(trace)]
    done = subprocess.run([*DEMO, "--seed", "7", *files], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    lines = done.stdout.splitlines()
    assert "seed 7" in lines[0]
    assert lines[-1] == "verdict: all 9 hold"
    assert database.exists()
    assert main(["replay", str(trace)]) == 0


def test_in_a_terminal_it_draws_within_its_size() -> None:
    code, written = in_terminal([*DEMO, "--threads", "5"])
    text = CONTROL.sub("", written).replace("\r\n", "\n").replace("\r", "\n")  # a bare return begins a new frame
    assert code == 0, text
    assert "verdict: all 9 hold" in text
    assert "checked_out" in text
    assert "Warning" not in text
    assert "Traceback" not in text
    assert max(map(len, text.splitlines())) <= 80
    frames = text.split("poolproof demo ─")[1:]
    assert frames
    assert all(frame.split("╯")[0].count("\n") < 24 for frame in frames)


def test_without_rich_it_says_how_to_get_it() -> None:
    code, written = in_terminal([*STRICT, "-c", WITHOUT_RICH, "demo", "--seconds", "1", "--threads", "2"])
    assert code == 0, written
    assert "python -m pip install rich" in written
    assert "verdict: all 9 hold" in written


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A process that was started in the background ignores SIGINT, and its children would, too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_closes_the_bank_and_is_judged() -> None:
    command = [*STRICT, "-m", "poolproof", "demo", "--seconds", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if " transfers" in line:
                process.send_signal(signal.SIGINT)
                break
        rest, errors = process.stdout.read(), process.stderr.read()
    assert (process.returncode, errors) == (130, ""), rest
    assert "verdict: all 9 hold" in rest
