"""Nothing interrupts a commit: the bytecode between taking the lock and giving it back has no interruption point.

CPython looks for pending signals, asynchronous exceptions, finalizers that are due and other threads at the start of
a function (RESUME), after a call, and at a backward jump; 3.11, 3.12 and 3.13 agree in that, and in nothing else that
matters here. So the region may consist of the bytecodes below and no others. That this is so is then seen as well: an
exception and a signal that are due from within the region on arrive after it.
"""

from __future__ import annotations

import ctypes
import dis
import itertools
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from types import CodeType, FrameType, FunctionType, TracebackType

import pytest

from environment.injection import Interrupt
from poolproof import Lease, Pool
from poolproof.core.values import State
from poolproof.runtime.threads import ThreadAtom

HARMLESS = {
    "CACHE", "COPY", "EXTENDED_ARG", "IS_OP", "LOAD_ATTR", "LOAD_CONST", "LOAD_FAST", "LOAD_FAST_LOAD_FAST", "NOP",
    "LOAD_METHOD", "POP_TOP", "PUSH_NULL", "STORE_ATTR", "STORE_FAST", "STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST",
    "SWAP",
}  # fmt: skip
FORWARD = {
    "JUMP_FORWARD", "POP_JUMP_FORWARD_IF_FALSE", "POP_JUMP_FORWARD_IF_TRUE", "POP_JUMP_IF_FALSE", "POP_JUMP_IF_TRUE",
}  # fmt: skip
# The critical section stands in three places.
SECTIONS: dict[str, FunctionType] = {
    "commit": ThreadAtom.commit,  # type: ignore[dict-item]
    "acquire": Pool.acquire,  # type: ignore[dict-item]
    "release": Lease.release,  # type: ignore[dict-item]
}


def region(code: CodeType) -> tuple[list[dis.Instruction], list[dis.Instruction]]:
    """The instructions that may run once the lock is taken, before it is given back; and those that give it back."""
    instructions = list(dis.get_instructions(code))
    at = {each.offset: i for i, each in enumerate(instructions)}
    start = next(i for i, each in enumerate(instructions) if each.opname == "FOR_ITER")
    # Taken by the C code of the iterator, and by nothing before it.
    assert ["turns", "GET_ITER"] == [instructions[start - 2].argval, instructions[start - 1].opname]
    inside, ends, todo = set[int](), set[int](), {start + 1}
    while todo:
        i = todo.pop()
        each = instructions[i]
        if each.opname in ("PRECALL", "CALL"):
            assert "leave" in (instructions[i - 1].argval, instructions[i - 2].argval)
            ends.add(i)
            continue
        inside.add(i)
        follow = {at[each.argval]} if each.opcode in {*dis.hasjrel, *dis.hasjabs} else set[int]()
        todo |= (follow if each.opname == "JUMP_FORWARD" else follow | {i + 1}) - inside
    return [instructions[i] for i in sorted(inside)], [instructions[i] for i in sorted(ends)]


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE", "GC-SAFE", "SIGNAL-SAFE")
@pytest.mark.parametrize("section", SECTIONS)
def test_commit_has_no_interruption_point(section: str) -> None:
    inside, ends = region(SECTIONS[section].__code__)
    stored = [each.argval for each in inside if each.opname == "STORE_ATTR"]
    assert [*["record"] * (len(stored) - 1), "value"] == stored, "who reads the new state finds the new registers"
    assert len(stored) >= 2
    jumps = [each for each in inside if each.opcode in {*dis.hasjrel, *dis.hasjabs}]
    assert set() == {each.opname for each in inside} - HARMLESS - FORWARD
    assert [] == [each for each in jumps if not each.offset < each.argval <= ends[-1].offset]


class Scene:
    """One commit on a pool whose lock is a stand-in: taking it for the first time makes something fall due, in C code
    that does not look for it."""

    def __init__(self, section: str, due: Callable[[], object]) -> None:
        self.section = section
        self.pool = Pool(resources=[object()])
        lease = self.pool.acquire() if section == "release" else None
        assert isinstance(self.pool._atom, ThreadAtom)
        self.atom = self.pool._atom
        self.left: list[bool] = []
        operations: dict[str, Callable[[], object]] = {
            "commit": partial(self.atom.commit, self.atom.value, self.following(), (), ()),
            "acquire": self.pool.acquire,
            "release": lease.release if lease is not None else self.pool.stats,
        }
        self.operation = operations[section]
        once = itertools.islice(iter(due, "never equal to this"), 1)
        self.atom.turns = itertools.chain(once, itertools.repeat(True))
        self.atom.leave = partial(self.left.append, True)
        self.atom._owned = bool
        self.before = self.version

    def following(self) -> State:
        state = State.of(self.atom.value)
        return state._replace(version=state.version + 1)

    @property
    def version(self) -> int:
        return State.of(self.atom.value).version


def places(trace: TracebackType | None) -> Iterator[tuple[CodeType, int]]:
    while trace is not None:
        yield trace.tb_frame.f_code, trace.tb_lasti
        trace = trace.tb_next


@pytest.mark.clause("ASYNC-EXCEPTION-SAFE")
@pytest.mark.parametrize("section", SECTIONS)
def test_exception_due_in_the_commit_arrives_after_it(section: str) -> None:
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    me = ctypes.c_ulong(threading.get_ident())
    scene = Scene(section, partial(raise_in, me, ctypes.py_object(Interrupt)))
    with pytest.raises(Interrupt) as caught:
        scene.operation()
    assert scene.left
    assert scene.version > scene.before
    code = SECTIONS[section].__code__
    inside, _ = region(code)
    assert [] == [place for place in places(caught.tb) if place in {(code, each.offset) for each in inside}]
    assert 0 == scene.pool.stats().checked_out


@pytest.mark.clause("SIGNAL-SAFE")
@pytest.mark.parametrize("section", SECTIONS)
def test_signal_due_in_the_commit_is_handled_after_it(section: str) -> None:
    def handle(number: int, frame: FrameType | None) -> None:
        seen.append((scene.version - scene.before, list(scene.left)))

    seen: list[tuple[int, list[bool]]] = []
    scene = Scene(section, partial(ctypes.pythonapi.PyErr_SetInterruptEx, int(signal.SIGUSR1)))
    before = signal.signal(signal.SIGUSR1, handle)
    try:
        kept = scene.operation()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert [(1, [True])] == seen
    if isinstance(kept, Lease):
        kept.release()
