"""Resources are carried, never looked into: told apart by identity alone."""

from __future__ import annotations

from typing import Any, NoReturn

import pytest

from pool.conftest import MakePool
from pool.rig import Call, ClockRuntime, Gate, Raises, Thing, Workshop, same
from poolproof import AcquireTimeout, DuplicateResource, NotPooled, PoolClosed, PoolFull


def _touched(*_: object) -> NoReturn:
    raise AssertionError("the pool touched a resource")


class Hostile:
    """Raises at everything that anybody may do to it."""

    __eq__ = __ne__ = __lt__ = __bool__ = __len__ = __repr__ = __str__ = __format__ = __iter__ = _touched
    __call__ = __getattr__ = __getattribute__ = __setattr__ = __delattr__ = __contains__ = __dir__ = _touched
    __reduce_ex__ = __enter__ = __exit__ = __int__ = __index__ = _touched

    __hash__ = _touched


class Equal:
    """Equal to everything, and unhashable."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return False


@pytest.mark.clause("RESOURCES-UNTOUCHED", "IDENTITY-ONLY")
@pytest.mark.parametrize("order", ["lifo", "fifo"])
def test_no_operation_touches_a_resource(make: MakePool, clock: ClockRuntime, order: str) -> None:
    calls: list[int] = []
    pool = make(
        Hostile, resources=[Hostile(), Hostile()], order=order, max_size=4, max_free=3, max_age=50, max_idle=20,
        max_uses=9, max_lease=5, check=lambda _: True, reset=lambda _: calls.append(1),
        destroy=lambda _: calls.append(2), observer=repr, housekeeping=None,
    )  # fmt: skip
    pool.add(extra := Hostile())
    with pytest.raises(DuplicateResource):
        pool.add(extra)
    with pytest.raises(NotPooled):
        pool.remove(Hostile())
    leases = [pool.acquire() for _ in range(4)]
    with pytest.raises(PoolFull):
        pool.add(Hostile())
    with pytest.raises(AcquireTimeout):
        pool.acquire(0)
    clock.advance(6)
    with pytest.warns(match="LEASE-OVERDUE"):
        pool.maintain()
    pool.remove(leases[0].resource)
    leases[1].detach()
    leases[2].discard()
    leases[0].release()
    leases[3].release()
    for text in (repr(pool), repr(leases), repr(pool.stats()), repr(pool.holders())):
        assert text
    clock.advance(21)
    pool.maintain()
    pool.resize(1)
    pool.expire_all()
    with pool.acquire():
        pass
    assert pool.close().closed


@pytest.mark.clause("IDENTITY-ONLY", "REMOVE-LEAVES")
def test_equal_resources_are_told_apart(make: MakePool, shop: Workshop) -> None:
    things = [Equal(), Equal()]
    pool = make(resources=things)
    pool.add(third := Equal())
    with pytest.raises(NotPooled):
        pool.remove(Equal())
    with pytest.raises(DuplicateResource):
        pool.add(things[1])
    pool.remove(things[1])
    assert same([things[1]], shop.destroyed)
    pool.remove(third)
    with pool.acquire() as left:
        assert left is things[0]


@pytest.mark.clause("IDENTITY-ONLY")
@pytest.mark.parametrize("value", [None, 0, "", (), [], {}, False, float("nan"), NotImplemented, Ellipsis], ids=repr)
def test_a_falsy_or_odd_resource_is_a_resource(make: MakePool, value: object) -> None:
    pool = make(resources=[value])
    with pool.acquire() as first:
        assert first is value
        assert pool.try_acquire() is None
    lease = pool.try_acquire()
    assert lease is not None
    assert lease.detach() is value
    pool.add(value)
    pool.remove(value)
    assert 0 == pool.stats().live


@pytest.mark.clause("NO-DUPLICATES")
@pytest.mark.parametrize("value", [None, 7, "same", 1.5], ids=repr)
def test_a_create_may_return_one_value_without_identity_many_times(make: MakePool, value: object) -> None:
    pool = make(lambda: value, max_size=3, min_size=2)
    leases = [pool.acquire() for _ in range(3)]
    assert 3 == pool.stats().checked_out == len(pool.holders())
    leases[0].discard()
    pool.remove(value)
    for lease in leases[1:]:
        lease.release()
    assert (2, 2) == (pool.stats().live, pool.stats().destroyed)


@pytest.mark.clause("NO-DUPLICATES")
def test_a_value_that_create_returned_cannot_be_added_again(make: MakePool) -> None:
    pool = make(lambda: 7, min_size=1)
    before = pool.stats()
    with pytest.raises(DuplicateResource):
        pool.add(7)
    assert before == pool.stats()


@pytest.mark.clause("NO-DUPLICATES", "ERRORS-UNCHANGED")
def test_a_create_that_returns_a_pooled_object_fails_that_acquire_only(make: MakePool, shop: Workshop) -> None:
    thing = Thing()
    pool = make(lambda: thing, max_size=3)
    with pool.acquire(), pytest.raises(DuplicateResource, match=r"'db'.*\[NO-DUPLICATES\]"):
        pool.acquire()
    assert ([], 1, 1) == (shop.destroyed, pool.stats().live, pool.stats().free)
    lease = pool.acquire()
    lease.discard()
    with pool.acquire() as again:  # it is not in the pool any more
        assert again is thing


@pytest.mark.clause("NO-DUPLICATES", "INVALID-UNCHANGED")
def test_add_of_a_pooled_resource_is_refused_in_every_state(make: MakePool, shop: Workshop) -> None:
    pool = make(resources=[thing := Thing()], reset=shop.reset)

    def refused(*_: object) -> None:
        before = pool.stats()
        with pytest.raises(DuplicateResource, match=r"'db'.*\[NO-DUPLICATES\]"):
            pool.add(thing)
        assert before == pool.stats()

    refused()
    shop.on_reset = shop.on_destroy = refused
    with pool.acquire():
        refused()
    lease = pool.acquire()
    lease.discard()
    pool.add(thing)
    assert 1 == pool.stats().free


@pytest.mark.clause("CAPACITY", "INVALID-UNCHANGED")
def test_add_without_room_or_to_an_ended_pool_changes_nothing(make: MakePool) -> None:
    pool = make(max_size=1)
    lease = pool.acquire()
    for error, match in ((PoolFull, r"'db' \(1/1 checked out, 0 waiting\).*\[CAPACITY\]"), (PoolClosed, "closing")):
        before = pool.stats()
        with pytest.raises(error, match=match):
            pool.add(Thing())
        assert before == pool.stats()
        pool.close()
    lease.release()
    with pytest.raises(PoolClosed, match="closed"):
        pool.add(Thing())


@pytest.mark.clause("REMOVE-LEAVES")
def test_a_removed_resource_is_never_granted_again(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make(resources=[free := Thing(), held := Thing()], reset=shop.reset, order="fifo")
    pool.remove(free)
    assert same([free], shop.destroyed)
    lease = pool.acquire()
    pool.remove(held)
    pool.remove(held)
    assert (True, [free]) == (lease.held, shop.destroyed)
    waiter = Call(lambda: pool.acquire(5))
    clock.until_asleep(1)
    lease.release()
    clock.until_asleep(1)
    assert same([free, held], shop.destroyed)
    assert [] == shop.reset_done
    for gone in (free, held, Thing()):
        with pytest.raises(NotPooled, match=r"'db'.*\[REMOVE-LEAVES\]"):
            pool.remove(gone)
    pool.add(held)
    assert waiter.result().resource is held
    waiter.result().release()


@pytest.mark.clause("REMOVE-LEAVES")
def test_remove_during_reset_check_and_destroy(make: MakePool, shop: Workshop) -> None:
    pool = make(resources=[thing := Thing()], reset=shop.reset, check=shop.check)
    shop.on_reset = lambda _: pool.remove(thing)
    pool.acquire().release()
    assert same([thing], shop.destroyed)
    pool.add(other := Thing())
    shop.on_reset = None
    shop.on_check = lambda _: pool.remove(other)
    with pool.acquire() as got:
        assert got is other
    assert same([thing, other], shop.destroyed)
    pool.add(last := Thing())

    def leaving(_: object) -> None:
        with pytest.raises(NotPooled):
            pool.remove(last)

    shop.on_check, shop.on_destroy = lambda _: pool.remove(last), leaving
    pool.maintain()
    assert same([thing, other, last], shop.destroyed)


@pytest.mark.clause("REMOVE-LEAVES")
def test_remove_works_in_every_phase(make: MakePool) -> None:
    pool = make(resources=[thing := Thing()])
    lease = pool.acquire()
    pool.close()
    pool.remove(thing)
    lease.release()
    with pytest.raises(NotPooled):
        pool.remove(thing)


@pytest.mark.clause("CALLBACK-FAULTS", "NO-DUPLICATES", "CANCELLATION-SURVIVES")
def test_an_interrupted_add_knows_its_resource_all_the_same(make: MakePool, shop: Workshop) -> None:
    strike = Raises(KeyboardInterrupt(), times=0)
    pool = make(resources=[], observer=strike)
    strike.left = 1
    thing: Any = Thing()
    with pytest.raises(KeyboardInterrupt):
        pool.add(thing)
    assert 1 == pool.stats().free
    with pytest.raises(DuplicateResource):
        pool.add(thing)
    pool.remove(thing)
    assert same([thing], shop.destroyed)


@pytest.mark.clause("REMOVE-LEAVES", "IDENTITY-ONLY")
@pytest.mark.parametrize("value", [None, 7, "x"], ids=repr)
def test_a_value_is_removed_from_a_slot_that_stays_and_not_from_one_that_goes(make: MakePool, value: object) -> None:
    gate = Gate()
    pool = make(lambda: value, destroy=gate.pass_through, max_size=3)
    going, retired, staying = pool.acquire(), pool.acquire(), pool.acquire()
    slow = Call(going.discard)
    gate.reached()
    try:
        pool.remove(value)
        pool.remove(value)
    finally:
        gate.open()
    assert retired.held
    assert staying.held
    slow.result()
    retired.release()
    staying.release()
    assert (0, 3) == (pool.stats().live, pool.stats().destroyed)
    with pytest.raises(NotPooled):
        pool.remove(value)


@pytest.mark.clause("REMOVE-LEAVES", "IDENTITY-ONLY")
def test_a_value_is_removed_although_the_same_one_waits_to_be_destroyed(make: MakePool) -> None:
    """Slots on the backlog look free to the registry; the one that is in use is to be found all the same."""
    gate = Gate()
    pool = make(lambda: None, destroy=gate.pass_through, max_size=3)
    leases = [pool.acquire() for _ in range(3)]
    for lease in leases[:2]:
        lease.release()
    slow = Call(pool.expire_all)  # two to destroy, and it hangs at the first
    gate.reached()
    remover = Call(lambda: pool.remove(None))
    gate.open()
    remover.result()
    slow.result()
    leases[2].release()
    assert 0 == pool.stats().live
