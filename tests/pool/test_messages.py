"""What errors say: which pool, how it stands, whom and since when it concerns, and which clause; and at what cost."""

from __future__ import annotations

import copy
import gc
import pickle
import re
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from pool.conftest import MakePool
from pool.rig import Call, ClockRuntime, Gate, Thing, Workshop
from poolproof import (
    AcquireTimeout,
    CheckFailed,
    DuplicateResource,
    LeaseRevoked,
    NotPooled,
    Pool,
    PoolBusy,
    PoolClosed,
    PoolEmpty,
    PoolError,
    PoolFull,
    StaleLease,
)


class Secret(Thing):
    def __repr__(self) -> str:
        return "password=42"


Arrange = Callable[[MakePool], Callable[[], object]]


def nothing_in_time(make: MakePool) -> Callable[[], object]:
    pool = make(resources=[Secret()])
    held.append(pool.acquire())
    return lambda: pool.acquire(0)


def full_queue(make: MakePool) -> Callable[[], object]:
    pool = make(resources=[Secret()], max_waiting=0)
    held.append(pool.acquire())
    return pool.acquire


def nothing_left(make: MakePool) -> Callable[[], object]:
    pool = make(resources=[Secret()], when_empty="raise", max_size=1)
    pool.acquire().detach()
    return pool.acquire


def closing(make: MakePool) -> Callable[[], object]:
    pool = make(resources=[Secret()])
    held.append(pool.acquire())
    pool.close()
    return pool.acquire


def no_room(make: MakePool) -> Callable[[], object]:
    pool = make(resources=[Secret()], max_size=1)
    return lambda: pool.add(Secret())


def a_stranger(make: MakePool) -> Callable[[], object]:
    pool = make(resources=[Secret()])
    return lambda: pool.remove(Secret())


def a_twin(make: MakePool) -> Callable[[], object]:
    secret = Secret()
    pool = make(resources=[secret])
    return lambda: pool.add(secret)


def two_of_one(make: MakePool) -> Callable[[], object]:
    secret = Secret()
    return lambda: Pool(resources=[secret, secret], name="db")


def rejected(make: MakePool) -> Callable[[], object]:
    return make(Secret, check=lambda _: False).acquire


def ended(make: MakePool) -> Callable[[], object]:
    lease = make(resources=[Secret()]).acquire()
    lease.release()
    return lease.release


def revoked(make: MakePool) -> Callable[[], object]:
    pool = make(resources=[Secret()])
    lease = pool.acquire()
    pool.close(force=True)
    return lease.release


held: list[Any] = []  # for the length of one test
COUNTS = r"pool 'db' \(\d+/(\d+|unbounded) checked out, (\d+ \w+, )?\d+ waiting\)"
NAME = "pool 'db'"
# Who finds a duplicate knows nothing of counts: a registry of slots, and a pool that is not made yet.
TOLD: list[tuple[Arrange, type[PoolError], str, str]] = [
    (nothing_in_time, AcquireTimeout, COUNTS, "WAIT-DEADLINE"),
    (full_queue, PoolBusy, COUNTS, "WAIT-BOUND"),
    (nothing_left, PoolEmpty, COUNTS, "EMPTY-RAISES"),
    (closing, PoolClosed, COUNTS, "CLOSE-REFUSES"),
    (no_room, PoolFull, COUNTS, "CAPACITY"),
    (a_stranger, NotPooled, COUNTS, "REMOVE-LEAVES"),
    (a_twin, DuplicateResource, NAME, "NO-DUPLICATES"),
    (two_of_one, DuplicateResource, NAME, "NO-DUPLICATES"),
    (rejected, CheckFailed, COUNTS, "CHECK-TERMINATES"),
    (ended, StaleLease, rf"lease 1 of {COUNTS}, acquired by MainThread", "LEASE-ONCE"),
    (revoked, LeaseRevoked, rf"lease 1 of {COUNTS}, acquired by MainThread", "LEASE-REVOKED"),
]


@pytest.mark.clause("ERRORS-TELL", "RESOURCES-UNTOUCHED")
@pytest.mark.parametrize(("arrange", "kind", "names", "clause"), TOLD, ids=[each[0].__name__ for each in TOLD])
def test_every_error_names_its_pool_and_its_clause_and_no_resource(
    make: MakePool, arrange: Arrange, kind: type[PoolError], names: str, clause: str
) -> None:
    operation = arrange(make)
    with pytest.raises(PoolError) as caught:
        operation()
    assert caught.type is kind
    assert re.search(names, str(caught.value)), str(caught.value)
    assert str(caught.value).endswith(f"[{clause}]")
    for form in (str(caught.value), repr(caught.value), repr(caught.value.args)):
        assert "password" not in form
        assert "Secret object at" not in form
    while held:
        held.pop().release()


@pytest.mark.clause("ERRORS-TELL")
def test_slots_that_nobody_holds_and_nobody_can_have_are_told(make: MakePool, shop: Workshop) -> None:
    """Places are taken by a create and a destroy that hang: not "1/3 checked out" as if there were room."""
    creating, destroying = Gate(), Gate()
    pool = make(max_size=3, max_waiting=1)
    first, second = pool.acquire(), pool.acquire()
    shop.on_create, shop.on_destroy = creating.pass_through, destroying.pass_through
    building = Call(pool.acquire)
    creating.reached()
    ending = Call(first.discard)
    destroying.reached()
    with pytest.raises(PoolBusy, match=r"\(1/3 checked out, 1 creating, 1 discarded, 1 waiting\)"):
        pool.acquire(0)
    second.release()
    creating.open()
    destroying.open()
    building.result().release()
    ending.result()


@pytest.mark.clause("WITHDRAW-PROMPT", "WAIT-DEADLINE", "ERRORS-TELL")
@pytest.mark.parametrize("seconds", [0, 2])
def test_a_deadline_does_not_wait_for_words(make: MakePool, clock: ClockRuntime, seconds: int) -> None:
    """No look at the slots before somebody reads the message: ten thousand deadlines may pass at once."""
    pool = make(max_size=1)
    lease = pool.acquire()
    registry = pool._driver.registry
    pool._driver.registry = None  # type: ignore[assignment]
    assert pool.try_acquire() is None
    clock.on_park = lambda: clock.advance(2)
    with pytest.raises(AcquireTimeout) as caught:
        pool.acquire(seconds)
    pool._driver.registry = registry
    assert "longest held" in str(caught.value)
    lease.release()


@pytest.mark.clause("ERRORS-TELL")
def test_a_message_read_late_tells_of_the_moment_of_the_error(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=3)
    first = Call(pool.acquire, name="first").result()
    clock.advance(1)
    second = Call(pool.acquire, name="second").result()
    clock.advance(1)
    third = pool.acquire()
    errors = []
    for _ in range(3):
        with pytest.raises(AcquireTimeout) as caught:
            pool.acquire(0)
        errors.append(caught.value)
    read_at_once = str(errors[0])
    clock.advance(40)
    first.release()
    following = Call(pool.acquire, name="following").result()
    assert "3/3 checked out" in read_at_once
    assert "longest held 2 s by first" in read_at_once == str(errors[0]) == errors[0].args[0]
    assert str(errors[1]) == read_at_once.replace("2 s by first", "1 s by second"), "the first does not hold it now"
    second.release()
    third.release()
    assert "held" not in str(errors[2]), "nor does any of the others; and the one who came later is not to blame"
    assert str(errors[2]).endswith("nothing to be had at once [WAIT-DEADLINE]")
    following.release()


@pytest.mark.clause("ERRORS-TELL")
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
def test_copies_and_pickles_hold_the_whole_message(
    make: MakePool, duplicate: Callable[[AcquireTimeout], AcquireTimeout]
) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    with pytest.raises(AcquireTimeout) as caught:
        pool.acquire(0)
    caught.value.add_note("in the middle of the night")
    other = duplicate(caught.value)
    lease.release()
    assert "longest held 0 s by MainThread" in str(other) == str(caught.value)
    assert (type(other), other.args) == (AcquireTimeout, caught.value.args)
    assert ["in the middle of the night"] == other.__notes__


@pytest.mark.clause("COLLECTABLE", "ERRORS-TELL")
def test_an_unread_error_keeps_nothing_alive() -> None:
    pool: Pool[Thing] = Pool(Thing, max_size=1, name="db")
    lease = pool.acquire()
    resource = weakref.ref(lease.resource)
    with pytest.raises(AcquireTimeout) as caught:
        pool.acquire(0)
    kept = caught.value.with_traceback(None)
    lease.release()
    driver = weakref.ref(pool._driver)
    del pool, lease, caught
    gc.collect()
    assert (None, None) == (driver(), resource())
    assert "pool 'db' (1/1 checked out, 0 waiting): nothing to be had at once [WAIT-DEADLINE]" == str(kept)


@pytest.mark.clause("ERRORS-TELL")
def test_an_acquire_timeout_of_somebody_else_is_an_ordinary_error() -> None:
    assert "too late" == str(AcquireTimeout("too late"))
    assert "AcquireTimeout('too late')" == repr(AcquireTimeout("too late"))
    assert ("too late",) == pickle.loads(pickle.dumps(AcquireTimeout("too late"))).args
    assert "" == str(AcquireTimeout())
