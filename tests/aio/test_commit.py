"""Nothing comes in the middle of a commit of the driver for tasks, which has no lock: seen in its bytecode, and under
a collector and a timer signal that run as often as possible."""

from __future__ import annotations

import asyncio
import dis
import gc
import signal
from types import CodeType, FunctionType
from typing import Any, ClassVar

import pytest

from environment.test_interruption_points import FORWARD, HARMLESS
from poolproof import AsyncLease, AsyncPool
from poolproof.runtime.aio import AsyncAtom

SECTIONS: dict[str, Any] = {
    "commit": AsyncAtom.commit,
    "acquire": AsyncPool._at_once,
    "release": AsyncLease._end_at_once,
}


def region(code: CodeType) -> list[dis.Instruction]:
    """From the comparison with the state that was read to the last register that is written."""
    instructions = list(dis.get_instructions(code))
    stored = [i for i, each in enumerate(instructions) if each.opname == "STORE_ATTR"]
    first = next(i for i in stored if instructions[i].argval == "value")
    last = max(i for i in stored if instructions[i].argval == "record")
    begin = max(i for i in range(first) if instructions[i].opname == "IS_OP")
    return instructions[begin : last + 1]


@pytest.mark.clause("LOOP-ONLY", "GC-SAFE", "SIGNAL-SAFE")
@pytest.mark.parametrize("section", SECTIONS)
def test_commit_has_no_interruption_point(section: str) -> None:
    function: FunctionType = SECTIONS[section]
    inside = region(function.__code__)
    stored = [each.argval for each in inside if each.opname == "STORE_ATTR"]
    assert ["value", *["record"] * (3 if section == "commit" else 1)] == stored
    assert set() == {each.opname for each in inside} - HARMLESS - FORWARD


def test_a_call_in_a_commit_would_be_seen() -> None:
    def commit(self: Any, old: Any, new: Any, cell: Any) -> None:
        if self.value is old:
            self.value = new
            print()
            cell.record = new

    assert {each.opname for each in region(commit.__code__)} - HARMLESS - FORWARD


class Cycle:
    """Garbage that ends a lease, which others know as well, when the collector comes by."""

    held: ClassVar[dict[int, AsyncLease[object]]] = {}

    def __init__(self, lease: AsyncLease[object]) -> None:
        self.held[lease.number] = lease
        self.number = lease.number
        self.itself = self

    def __del__(self) -> None:
        self.held.pop(self.number).release_soon()


async def crowd(pool: AsyncPool[object], rounds: int) -> None:
    async def one() -> None:
        for number in range(rounds):
            lease = await pool.acquire()
            if number % 3 == 0:
                await asyncio.sleep(0)
            if number % 2:
                Cycle(lease)
                del lease
            else:
                await lease.release()

    await asyncio.gather(*(one() for _ in range(5)))


@pytest.mark.clause("GC-SAFE", "LOOP-ONLY")
def test_finalizers_end_leases_in_the_middle_of_operations() -> None:
    async def main() -> None:
        pool = AsyncPool(resources=[object() for _ in range(3)])
        before = gc.get_threshold()
        gc.set_threshold(1)
        try:
            async with asyncio.timeout(60):
                await crowd(pool, 300)
        finally:
            gc.set_threshold(*before)
        gc.collect()
        assert (3, 0, 0) == (pool.stats().free, pool.stats().checked_out, pool.stats().waiting)
        assert (await pool.close()).closed

    asyncio.run(main())


@pytest.mark.clause("SIGNAL-SAFE", "LOOP-ONLY")
def test_signal_handler_ends_leases_in_the_middle_of_operations() -> None:
    async def main() -> None:
        pool = AsyncPool(resources=[object() for _ in range(3)])
        given: list[AsyncLease[object]] = []
        ended = 0

        def handler(*_: object) -> None:
            nonlocal ended
            if given:
                given.pop().release_soon()
                ended += 1

        async def giver() -> None:
            while ended < 200:
                given.append(await pool.acquire())
                await asyncio.sleep(0)

        async def user() -> None:
            while ended < 200:
                async with pool.acquire():
                    pass
                await asyncio.sleep(0)

        before = signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
        try:
            async with asyncio.timeout(60):
                await asyncio.gather(giver(), user(), user())
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        for lease in given:
            await lease.release()
        assert (3, 0) == (pool.stats().free, pool.stats().waiting)

    asyncio.run(main())
