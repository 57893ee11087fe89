"""Nothing interrupts a commit: the bytecode between taking the lock and giving it back has no interruption point.

CPython looks for pending signals, asynchronous exceptions, finalizers that are due and other threads at the start of
a function (RESUME), after a call, and at a backward jump; 3.11, 3.12 and 3.13 agree in that, and in nothing else that
matters here. So the region may consist of the bytecodes below and no others. That this is so is then seen as well: an
exception and a signal that are due from within the region on arrive after it.
"""

from __future__ import annotations

import ctypes
import dis
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import CodeType, FrameType, TracebackType
from typing import Any

import pytest

from environment.injection import Interrupt
from poolproof.core.values import EMPTY_LEDGER, FREE, Record, Slot, State
from poolproof.runtime.threads import ThreadAtom

HARMLESS = {
    "CACHE", "COPY", "EXTENDED_ARG", "IS_OP", "LOAD_ATTR", "LOAD_CONST", "LOAD_FAST", "LOAD_FAST_LOAD_FAST", "NOP",
    "LOAD_METHOD", "POP_TOP", "PUSH_NULL", "STORE_ATTR", "STORE_FAST", "STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST",
    "SWAP",
}  # fmt: skip
FORWARD = {
    "JUMP_FORWARD", "POP_JUMP_FORWARD_IF_FALSE", "POP_JUMP_FORWARD_IF_TRUE", "POP_JUMP_IF_FALSE", "POP_JUMP_IF_TRUE",
}  # fmt: skip
CALLS = {"PRECALL", "CALL"}
COMMITS: list[Callable[..., bool]] = [ThreadAtom.swap, ThreadAtom.commit]


def region(code: CodeType) -> list[dis.Instruction]:
    """The instructions from the one that takes the lock to the one that calls the lock's release."""
    instructions = list(dis.get_instructions(code))
    start = next(i for i, each in enumerate(instructions) if each.opname == "FOR_ITER")
    # Taken by the C code of the iterator, and by nothing before it.
    assert ["_turns", "GET_ITER"] == [instructions[start - 2].argval, instructions[start - 1].opname]
    named = next(i for i, each in enumerate(instructions) if i > start and each.argval == "_release")
    end = next(i for i, each in enumerate(instructions) if i > named and each.opname in CALLS)
    return instructions[start : end + 1]


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE", "GC-SAFE", "SIGNAL-SAFE")
@pytest.mark.parametrize("commit", COMMITS)
def test_commit_has_no_interruption_point(commit: Callable[..., bool]) -> None:
    inside = region(commit.__code__)[1:-1]
    stored = [each.argval for each in inside if each.opname == "STORE_ATTR"]
    assert ["value", *["record"] * (len(stored) - 1)] == stored
    assert len(stored) >= 2
    jumps = [each for each in inside if each.opcode in {*dis.hasjrel, *dis.hasjabs}]
    assert set() == {each.opname for each in inside} - HARMLESS - FORWARD
    assert [] == [each for each in jumps if not each.offset < each.argval <= region(commit.__code__)[-1].offset]


class Lock:
    """Stands in for the lock of an atom: taking it makes something fall due, in C code that does not look for it."""

    def __init__(self, due: Callable[[], object]) -> None:
        self.released: list[bool] = []
        self.atom = ThreadAtom(State(0, (), (), EMPTY_LEDGER))
        atom: Any = self.atom
        atom._turns = iter(due, "never equal to this")
        atom._release = partial(self.released.append, True)
        atom._owned = lambda: False

    def swap(self) -> None:
        slot = Slot(1, 0, Record(FREE, 0, 0.0, None, 0, None))
        self.atom.swap(self.atom.value, State(1, (), (), EMPTY_LEDGER), slot, slot.record)

    def commit(self) -> None:
        self.atom.commit(self.atom.value, State(1, (), (), EMPTY_LEDGER), (), ())


def places(trace: TracebackType | None) -> Iterator[tuple[CodeType, int]]:
    while trace is not None:
        yield trace.tb_frame.f_code, trace.tb_lasti
        trace = trace.tb_next


def after_region(code: CodeType, offset: int) -> bool:
    return offset >= region(code)[-1].offset


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE")
@pytest.mark.parametrize("commit", ["swap", "commit"])
def test_exception_due_in_the_commit_arrives_after_it(commit: str) -> None:
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    me = ctypes.c_ulong(threading.get_ident())
    lock = Lock(partial(raise_in, me, ctypes.py_object(Interrupt)))
    with pytest.raises(Interrupt) as caught:
        getattr(lock, commit)()
    assert [True] == lock.released
    assert 1 == State.of(lock.atom.value).version
    struck = dict(places(caught.tb))
    code = getattr(ThreadAtom, commit).__code__
    assert code not in struck or after_region(code, struck[code])


@pytest.mark.clause("SIGNAL-SAFE")
@pytest.mark.parametrize("commit", ["swap", "commit"])
def test_signal_due_in_the_commit_is_handled_after_it(commit: str) -> None:
    def handle(number: int, frame: FrameType | None) -> None:
        seen.append((State.of(lock.atom.value).version, list(lock.released)))

    seen: list[tuple[int, list[bool]]] = []
    lock = Lock(partial(ctypes.pythonapi.PyErr_SetInterruptEx, int(signal.SIGUSR1)))
    before = signal.signal(signal.SIGUSR1, handle)
    try:
        getattr(lock, commit)()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert [(1, [True])] == seen
