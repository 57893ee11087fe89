"""Something happens in the middle of an operation: at the n-th point at which the interpreter would let it.

CPython delivers signals and asynchronous exceptions, and runs finalizers that are due, after a call of something
written in C, at the start of a function and at a backward jump. Only there, and only where an exception would meet
the same handler as the real one, does a strike happen; nothing that is found here is an artefact of tracing. It
happens in the code of the pool alone: not in the standard library, in the adapter or in callbacks.
"""

from __future__ import annotations

import dis
import sys
import sysconfig
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from poolproof.conformance.suite.actors import NotShown
from poolproof.conformance.suite.adapter import Adapter

CALLS = {"CALL", "CALL_FUNCTION_EX", "CALL_KW"}
STARTS = {"RESUME", "JUMP_BACKWARD"}
SUITE = str(Path(__file__).parents[1])
LIBRARY = sysconfig.get_path("stdlib")


# CPython 3.12 crashes when code is traced while another thread hangs in a traced call of the same code.
ALONE = "an earlier call hangs while it is traced; CPython 3.12 may crash if another one is: run it alone (--only)"
UNDER_TRACE: set[threading.Thread] = set()


def require_trace() -> None:
    """Raise NotShown where tracing would not be safe any more."""
    if sys.version_info[:2] == (3, 12) and any(thread.is_alive() for thread in UNDER_TRACE):
        raise NotShown(ALONE)


class Interrupt(BaseException):
    """What a user's Ctrl-C raises, as far as the pool can tell."""


class Strike:
    """Does something at the *nth* point of a call; None only counts the points. In the thread that is traced."""

    def __init__(self, action: Callable[[], object], nth: int | None, spared: frozenset[CodeType]) -> None:
        self.action = action
        self.nth = nth
        self.spared = spared
        self.points = 0
        self.struck: str | None = None
        self.last: dict[int, int | None] = {}  # of each frame, the instruction before; None after a call of Python

    def run(self, function: Callable[[], Any]) -> Any:
        before = sys.gettrace()
        UNDER_TRACE.add(threading.current_thread())
        sys.settrace(self.trace)
        try:
            return function()
        finally:
            sys.settrace(before)
            UNDER_TRACE.discard(threading.current_thread())

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "call":
            if frame.f_back is not None and id(frame.f_back) in self.last:
                self.last[id(frame.f_back)] = None
            if not is_pools(frame.f_code, self.spared):
                return None
            frame.f_trace = self.trace
            frame.f_trace_opcodes = True
            frame.f_trace_lines = False
            self.last[id(frame)] = None
        elif event == "opcode":
            self.at(frame)
        return self.trace

    def at(self, frame: FrameType) -> None:
        before, here = self.last.get(id(frame)), frame.f_lasti
        self.last[id(frame)] = here
        if before is None or self.struck is not None or not interruptible(frame.f_code, before, here):
            return
        self.points += 1
        if self.nth is not None and self.points > self.nth:
            self.struck = f"{frame.f_code.co_qualname} ({Path(frame.f_code.co_filename).name}:{frame.f_lineno})"
            self.action()


@cache
def is_pools(code: CodeType, spared: frozenset[CodeType]) -> bool:
    """Whether this is code of the pool."""
    name = code.co_filename
    if code in spared or name.startswith(("<", SUITE)):
        return False
    return "site-packages" in name or "dist-packages" in name or not name.startswith(LIBRARY)


@cache
def layout(code: CodeType) -> tuple[dict[int, str], dict[int, int | None]]:
    """The name of the instruction at each offset, and the handler that an exception there would meet."""
    bytecode: Any = dis.Bytecode(code)  # its exception_entries are not in the type stubs
    names: dict[int, str] = {}
    handlers: dict[int, int | None] = {}
    for each in bytecode:
        names[each.offset] = each.opname
        inside = [entry.target for entry in bytecode.exception_entries if entry.start <= each.offset < entry.end]
        handlers[each.offset] = inside[-1] if inside else None
    return names, handlers


def interruptible(code: CodeType, before: int, here: int) -> bool:
    names, handlers = layout(code)
    if names.get(before) not in CALLS | STARTS:
        return False
    return handlers.get(before) == handlers.get(here)


def codes_of(adapter: object) -> frozenset[CodeType]:
    """The code of the adapter itself, if it is one of ours and not the pool."""
    if not isinstance(adapter, Adapter):
        return frozenset()
    functions = [vars(kind).values() for kind in type(adapter).__mro__]
    found = [each.__code__ for group in functions for each in group if hasattr(each, "__code__")]
    return frozenset(found)
