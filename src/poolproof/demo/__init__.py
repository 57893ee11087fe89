"""A bank whose tellers share a pool of sqlite3 connections, while everything that can happen to a pool happens.

``bank``      the database, its connections, and the oracle that knows who uses which
``tellers``   the threads that transfer money
``script``    what happens to the pool meanwhile, and the whole run
``display``   progress as plain lines;  ``live``  the same for a terminal, with rich
``verdict``   what is checked at the end

`run` is the whole; ``python -m poolproof demo`` calls it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from poolproof.demo.display import Display, PlainDisplay
from poolproof.demo.script import Run
from poolproof.demo.verdict import judge

NO_RICH = """\
The live display needs rich, which is not installed. Plain lines follow; for the display:
    python -m pip install rich            (or install poolproof with its extra, poolproof[demo])
"""


def run(seconds: float, threads: int, database: Path | None, seed: int, trace: Path | None) -> int:
    """Run the demo; 0 if everything that is checked holds, 1 if not, 130 if it was interrupted.

    Raises:
        OSError: the database or the trace cannot be written.
    """
    for path in (database, trace):
        if path is not None and not path.parent.is_dir():
            raise FileNotFoundError(f"{path.parent} is no folder, so {path.name} cannot be written there")
    if database is not None:
        if database.exists():
            raise FileExistsError(f"{database} exists already; the demo makes a new database")
        return run_on(database, seconds, threads, seed, trace)
    with tempfile.TemporaryDirectory(prefix="poolproof-") as folder:
        return run_on(Path(folder) / "bank.db", seconds, threads, seed, trace)


def run_on(path: Path, seconds: float, threads: int, seed: int, trace: Path | None) -> int:
    display = choose_display()
    display.say(f"poolproof demo: {threads} tellers, {seconds:g} s, database {path.name}, seed {seed}")
    demo = Run(path, seconds, threads, seed)
    with display:
        interrupted = demo.play(display)
    if trace is not None:
        demo.recorder.write(trace)
        display.say(f"trace written to {trace}; check it again with: python -m poolproof replay {trace}")
    with display.busy("replaying the trace through the model"):
        checks = judge(demo)
    display.verdict(checks)
    if interrupted:
        return 130
    return 0 if all(check.holds for check in checks) else 1


def choose_display() -> Display:
    """The live one in a terminal, if rich is there."""
    if not sys.stdout.isatty():
        return PlainDisplay()
    try:
        from poolproof.demo.live import LiveDisplay  # noqa: PLC0415, RUF100  (rich is optional)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "rich":
            raise
        print(NO_RICH, file=sys.stderr)
        return PlainDisplay()
    return LiveDisplay()
