"""Whether a thread sleeps: seen from outside, without asking the pool.

On Linux, from the kernel's own account: a thread that sleeps and was not switched to since the last look has done
nothing in between, however busy the machine is. Elsewhere, from its frames: the same instruction at every look.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

PAUSE = 0.004
TASKS = Path("/proc/self/task")
_never = threading.Event()


def pause(seconds: float = PAUSE) -> None:
    """Let others run. No outcome depends on how long it takes."""
    _never.wait(seconds)


def snapshot(thread: threading.Thread) -> object:
    """Something that is the same twice only if the thread sleeps; a new object each time while it runs."""
    frame = sys._current_frames().get(thread.ident or 0)
    if frame is None:
        return object()
    where = (id(frame), frame.f_lasti)
    if not TASKS.is_dir():
        return where
    return where, kernels_account(TASKS / str(thread.native_id) / "status")


def kernels_account(path: Path) -> object:
    """The same twice only if the thread or process slept all the time in between."""
    try:
        text = path.read_text(encoding="ascii")
    except OSError:
        return object()
    said = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    if not said["State"].startswith("S"):
        return object()
    return said["voluntary_ctxt_switches"], said["nonvoluntary_ctxt_switches"]


class Sleeper:
    """Asked again and again: whether another process has slept through so many looks, or has had far too long."""

    def __init__(self, pid: int, looks: int) -> None:
        self.path = Path(f"/proc/{pid}/status")
        self.looks = looks
        self.calm = 0
        self.before: object = None
        self.end = time.monotonic() + 40 * looks * PAUSE

    def __call__(self) -> bool:
        now = kernels_account(self.path)
        self.calm = self.calm + 1 if now == self.before else 0
        self.before = now
        return self.calm >= self.looks or time.monotonic() > self.end


def still(
    first: threading.Thread, threads: Iterable[threading.Thread], over: Callable[[], bool], looks: int, most: float
) -> bool | None:
    """Whether the *first* thread and all the others sleep through so many looks, or the first alone through thrice as
    many. None if it was *over* before, False after *most* seconds without such a stretch."""
    watched = [first, *(thread for thread in threads if thread is not first)]
    before: list[object] = []
    calm = alone = 0
    end = time.monotonic() + most
    while time.monotonic() < end:
        if over():
            return None
        now = [snapshot(thread) for thread in watched]
        calm = calm + 1 if now == before else 0
        alone = alone + 1 if now[:1] == before[:1] else 0
        if calm >= looks or alone >= 3 * looks:
            return None if over() else True
        before = now
        pause()
    return None if over() else False


def others(mine: Iterable[threading.Thread]) -> list[threading.Thread]:
    """Every other thread of this process but the one that asks."""
    known = {*mine, threading.current_thread()}
    return [thread for thread in threading.enumerate() if thread not in known]
