"""Threads for work that nobody waits for: as few as it takes, gone when idle, and never in the way of the exit."""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import threading
import traceback
from collections import deque
from collections.abc import Callable

IDLE_SECONDS = 2.0


class Workers:
    """Runs jobs beside their callers, each in an idle thread of its own if there is one, else in a new one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._numbers = itertools.count(1)
        self._begin()

    def _begin(self) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._idle: deque[None] = deque()  # one for each thread that waits and that nobody counts on yet
        self._process = os.getpid()

    def submit(self, job: Callable[[], object]) -> None:
        """Run *job* soon."""
        if self._process != os.getpid():  # in the child after a fork there are no threads
            self._begin()
        self._jobs.put(job)
        try:
            self._idle.pop()
        except IndexError:
            name = f"{self._name}_{next(self._numbers)}"
            threading.Thread(target=_work, args=(self._jobs, self._idle), name=name, daemon=True).start()


def _work(jobs: queue.SimpleQueue[Callable[[], object]], idle: deque[None]) -> None:
    while True:
        try:
            job = jobs.get(timeout=IDLE_SECONDS)
        except queue.Empty:
            with contextlib.suppress(IndexError):  # or somebody counts on this thread, and a job is on its way
                idle.pop()
                return
            continue
        try:
            job()
        except BaseException:
            traceback.print_exc()
        del job
        idle.append(None)
