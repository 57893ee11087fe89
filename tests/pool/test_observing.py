"""What a pool tells: counts of one instant, holders, printed forms and a trace without gaps."""

from __future__ import annotations

import dataclasses
import json
import logging
import threading
from typing import Any

import pytest

from pool.conftest import MakePool
from pool.rig import Call, ClockRuntime, Gate, Thing, Workshop
from poolproof import Lease, Pool, PoolEvent


@pytest.mark.clause("COUNTS-RECOUNT", "SNAPSHOT-CONSISTENT")
def test_stats_are_plain_frozen_and_add_up_in_every_phase(make: MakePool, shop: Workshop) -> None:
    pool = make(max_size=5, min_size=2, reset=shop.reset)
    leases = [pool.acquire() for _ in range(3)]
    leases[0].discard()
    leases[1].detach()
    pool.add(Thing())
    for phase in ("open", "closing", "closed"):
        stats = pool.stats()
        numbers = json.loads(json.dumps(dataclasses.asdict(stats)))
        assert ("db", 5, 2, phase) == tuple(numbers[key] for key in ("name", "limit", "min_size", "phase"))
        assert stats.live == stats.creating + stats.free + stats.checked_out + stats.returning + stats.discarded
        assert stats.created + stats.added == stats.live - stats.creating + stats.detached + stats.destroyed
        with pytest.raises(AttributeError):
            stats.live = 0  # type: ignore[misc]
        pool.close()
        if phase == "closing":
            leases[2].release()


@pytest.mark.clause("SNAPSHOT-CONSISTENT")
def test_holders_are_those_of_one_instant(make: MakePool) -> None:
    pool = make(max_size=2)
    stop = threading.Event()

    def relay() -> None:
        """Hold one lease or two, never none."""
        lease = pool.acquire()
        while not stop.is_set():
            other = pool.acquire()
            lease.release()
            lease = other
        lease.release()

    started = pool.acquire()
    runner = Call(relay)
    while pool.stats().checked_out < 2:
        assert runner.thread.is_alive()
    started.release()
    try:
        for _ in range(1500):
            assert 1 <= len(pool.holders()) <= 2
            stats = pool.stats()
            assert stats.live == stats.free + stats.checked_out + stats.creating
    finally:
        stop.set()
    runner.result()


@pytest.mark.clause("SNAPSHOT-CONSISTENT")
def test_holders_are_told_the_longest_first_with_number_thread_and_time(make: MakePool, clock: ClockRuntime) -> None:
    pool = make()
    gate = Gate()

    def hold() -> Lease[Any]:
        lease = pool.acquire()
        gate.pass_through()
        return lease

    holding = Call(hold, name="first")
    gate.reached()
    clock.advance(2)
    second = pool.acquire()
    clock.advance(3)
    holders = pool.holders()
    gate.open()
    first = holding.result()
    expected = [(first.number, "first", 5.0), (second.number, "MainThread", 3.0)]
    assert expected == [(each.lease, each.who, each.seconds) for each in holders]
    first.release()
    second.release()
    assert () == pool.holders()


@pytest.mark.clause("DEBUG-INERT")
def test_printed_forms_say_what_there_is(make: MakePool) -> None:
    pool = make(max_size=3)
    lease = pool.acquire()
    assert "<Pool 'db' open 1/3 free=0 checked_out=1 waiting=0>" == repr(pool)
    assert f"<Lease {lease.number} of pool 'db' held>" == repr(lease)
    lease.release()
    assert "held" not in repr(lease)
    assert "0/unbounded" in repr(make())
    pool.close()
    assert "closed" in repr(pool)


@pytest.mark.clause("TRACE-REPLAYS", "DEBUG-INERT")
def test_sorted_by_version_the_events_have_no_gap(make: MakePool, shop: Workshop) -> None:
    events: list[PoolEvent] = []
    pool = make(max_size=2, observer=events.append, reset=shop.reset)

    def work() -> None:
        for number in range(15):
            lease = pool.acquire()
            (lease.discard if number % 5 == 0 else lease.release)()

    calls = [Call(work) for _ in range(4)]
    for call in calls:
        call.result()
    pool.maintain()
    pool.close()
    committed = sorted({event.version for event in events if event.version})
    assert list(range(1, pool.stats().version + 1)) == committed


def _trail(pool: Pool[Any], clock: ClockRuntime) -> list[Any]:
    """Much that a pool can do, on one thread; what it came to."""
    leases = [pool.acquire() for _ in range(3)]
    leases.pop().discard()
    pool.add(Thing())
    leases.pop().release()
    clock.advance(20)
    pool.maintain()
    pool.expire_all()
    leases.pop().release()
    pool.resize(2)
    pool.acquire().release()
    stats = pool.stats()
    pool.close()
    return [dataclasses.replace(stats, name=""), pool.stats().version]


@pytest.mark.clause("DEBUG-INERT")
@pytest.mark.parametrize("max_free", [None, 0, 1])
@pytest.mark.parametrize("order", ["lifo", "fifo"])
def test_watching_changes_nothing(make: MakePool, clock: ClockRuntime, order: str, max_free: int | None) -> None:
    options: dict[str, Any] = {"max_size": 4, "max_idle": 10, "min_size": 1, "order": order, "max_free": max_free}
    plain = _trail(make(**options), clock)
    logger = logging.getLogger("poolproof")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    try:
        watched = _trail(make(**options, observer=repr, name="another name"), clock)
    finally:
        logger.setLevel(level)
    assert plain == watched


@pytest.mark.clause("DEBUG-INERT", "RETENTION")
def test_watching_does_not_change_what_stays_free(make: MakePool) -> None:
    left = []
    for observer in (None, repr):
        pool = make(max_free=0, observer=observer)
        pool.acquire().release()
        left.append(pool.stats().free)
    assert left[0] == left[1]


@pytest.mark.clause("COUNTS-RECOUNT")
def test_names_are_chosen_when_none_is_given() -> None:
    names = {Pool(resources=[]).name for _ in range(3)}
    assert 3 == len(names)


@pytest.mark.clause("DEBUG-INERT")
def test_a_printed_pool_tells_of_slots_that_hang(make: MakePool, shop: Workshop) -> None:
    gate = Gate()
    shop.on_create = gate.pass_through
    pool = make(max_size=1)
    caller = Call(pool.acquire)
    gate.reached()
    assert "<Pool 'db' open 1/1 free=0 checked_out=0 creating=1 waiting=1>" == repr(pool)
    gate.open()
    caller.result().release()
    assert "<Pool 'db' open 1/1 free=1 checked_out=0 waiting=0>" == repr(pool)
