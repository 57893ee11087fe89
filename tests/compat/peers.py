"""The libraries themselves and what stands in for them, side by side: one scenario runs on both."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Any

# Nothing waits so long unless it hangs; no verdict about the facade depends on it otherwise.
WATCHDOG = 10.0
# How long to watch a library that is expected to hang.
GLIMPSE = 0.25


def load(name: str) -> Any:
    """A module that publishes no types."""
    return importlib.import_module(name)


def in_thread(function: Callable[[], Any], seconds: float = WATCHDOG) -> Any:
    """What *function* returns in a thread of its own; "hangs" if it does not within *seconds*."""
    found: list[Any] = []

    def run() -> None:
        try:
            found.append(function())
        except BaseException as error:
            found.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else "hangs"


def pass_time(seconds: float) -> None:
    """Let time pass, for libraries whose clock is the real one."""
    threading.Event().wait(seconds)


def outcome(function: Callable[[], Any]) -> Any:
    """What *function* returns, or the type of what it raises."""
    try:
        return function()
    except BaseException as error:
        return type(error)


def shows(defect: Callable[[Any], bool], library: Any, tries: int = 5) -> bool:
    """Whether the library shows the defect in one of so many tries. Some need luck: timers, threads that end."""
    return any(defect(library) for _ in range(tries))
