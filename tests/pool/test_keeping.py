"""Housekeeping: what is old, idle, too many or overdue is dealt with, wherever it came from."""

from __future__ import annotations

import threading
import warnings
import weakref
from collections.abc import Callable
from itertools import count
from types import FrameType
from typing import Any

import pytest

from pool.conftest import MakePool
from pool.rig import WATCHDOG, Call, ClockRuntime, Raises, Thing, Workshop, same
from poolproof import Lease, PoolWarning, maintenance
from tracing import run_traced


@pytest.mark.clause("EXPIRY-REACHES-ALL")
@pytest.mark.parametrize("order", ["lifo", "fifo"])
def test_age_has_no_favourites(make: MakePool, shop: Workshop, clock: ClockRuntime, order: str) -> None:
    pool = make(shop.create, resources=[Thing()], min_size=2, max_age=10, order=order)
    pool.add(Thing())
    held = pool.acquire()
    clock.advance(9.9)
    hot = pool.acquire()
    hot.release()
    pool.maintain()
    assert [] == shop.destroyed
    clock.advance(0.1)
    pool.maintain()
    assert 2 == len(shop.destroyed)
    assert held.held
    held.release()
    assert 3 == len(shop.destroyed)
    assert 2 == pool.stats().live


@pytest.mark.clause("EXPIRY-REACHES-ALL", "OLDEST-FIRST", "MIN-SIZE")
@pytest.mark.parametrize("order", ["lifo", "fifo"])
def test_idle_slots_leave_the_longest_unused_first_and_not_below_min_size(
    make: MakePool, shop: Workshop, clock: ClockRuntime, order: str
) -> None:
    things = [Thing() for _ in range(4)]
    pool = make(shop.create, resources=things, min_size=1, max_idle=10, order=order)
    leases: list[Lease[Any]] = [pool.acquire() for _ in things]
    leases.sort(key=lambda lease: things.index(lease.resource))
    for lease in leases:
        clock.advance(4)
        lease.release()
    pool.maintain()
    assert same(things[:1], shop.destroyed)
    clock.advance(100)
    pool.maintain()
    assert same(sorted(things[:3], key=id), sorted(shop.destroyed, key=id))


@pytest.mark.clause("EXPIRY-REACHES-ALL")
def test_an_inspection_does_not_make_an_idle_slot_young(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    pool = make(resources=[Thing(), Thing()], max_idle=10, check=shop.check)
    for _ in range(3):
        clock.advance(4)
        pool.maintain()
    assert (4, 2) == (len(shop.checked), len(shop.destroyed))


@pytest.mark.clause("NEVER-STALE")
def test_an_idle_slot_may_be_granted_only_if_min_size_keeps_it(
    make: MakePool, shop: Workshop, clock: ClockRuntime
) -> None:
    pool = make(min_size=1, max_idle=10)
    clock.advance(11)
    with pool.acquire() as thing:
        assert thing is shop.made[0]
    pool.resize(5)
    pool.add(Thing())
    clock.advance(11)
    with pool.acquire():
        pass
    assert 1 == pool.stats().live


@pytest.mark.clause("RETENTION", "OLDEST-FIRST")
@pytest.mark.parametrize("order", ["lifo", "fifo"])
def test_a_burst_shrinks_to_what_is_kept(make: MakePool, shop: Workshop, clock: ClockRuntime, order: str) -> None:
    pool = make(max_free=3, shrink_to=1, order=order)
    leases = [pool.acquire() for _ in range(6)]
    for lease in leases[:3]:
        lease.release()
    pool.maintain()
    assert (3, 0) == (pool.stats().free, len(shop.destroyed))
    leases[3].release()
    pool.maintain()
    assert (1, 3) == (pool.stats().free, len(shop.destroyed))
    assert same(sorted(shop.made[:3], key=id), sorted(shop.destroyed, key=id))
    for lease in leases[4:]:
        lease.release()


@pytest.mark.clause("RETENTION", "MIN-SIZE")
@pytest.mark.parametrize("order", ["lifo", "fifo"])
def test_retention_zero_keeps_nothing_free(make: MakePool, shop: Workshop, order: str) -> None:
    pool = make(max_free=0, order=order)
    pool.acquire().release()
    pool.maintain()
    assert (0, 1) == (pool.stats().free, len(shop.destroyed))
    keeps = make(max_free=0, min_size=2)
    keeps.maintain()
    assert 2 == keeps.stats().free


@pytest.mark.clause("NEVER-STALE", "CAPACITY-UNTIL-DESTROYED")
def test_an_inspected_slot_is_in_use_meanwhile_and_its_failure_is_its_end(make: MakePool, shop: Workshop) -> None:
    pool = make(resources=[bad := Thing(), Thing()], max_size=2, check=shop.check)
    seen: list[tuple[int, int]] = []

    def look(thing: object) -> None:
        seen.append((pool.stats().returning, pool.stats().free))
        if thing is bad:
            raise OSError

    shop.on_check = look
    pool.maintain()
    assert 2 == len(seen)
    assert {1} == {returning for returning, _ in seen}
    assert same([bad], shop.destroyed)
    assert 1 == pool.stats().free


@pytest.mark.clause("CHECK-TERMINATES", "RESIZE-BOTH-WAYS", "RENEW-ALL")
def test_an_inspection_that_ends_after_a_change_ends_in_a_discard(make: MakePool, shop: Workshop) -> None:
    for change in ("resize", "expire_all", "close", "remove"):
        pool = make(resources=[thing := Thing()], check=shop.check)
        arguments = {"resize": (0,), "remove": (thing,)}.get(change, ())
        shop.on_check = lambda _, pool=pool, change=change, given=arguments: getattr(pool, change)(*given)
        shop.destroyed.clear()
        pool.maintain()
        assert same([thing], shop.destroyed), change


@pytest.mark.clause("LEASE-OVERDUE")
def test_an_overdue_lease_is_told_once(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_lease=5)
    lease = pool.acquire()
    clock.advance(5)
    pool.maintain()
    clock.advance(0.1)
    with pytest.warns(PoolWarning, match=rf"lease {lease.number} of pool 'db'.*max_lease=5.*\[LEASE-OVERDUE\]"):
        pool.maintain()
    pool.maintain()
    lease.release()
    lease = pool.acquire()
    clock.advance(5.1)
    with pytest.warns(PoolWarning, match=rf"lease {lease.number} "):
        pool.maintain()
    lease.release()


@pytest.mark.clause("LEASE-OVERDUE", "FAULTS-CONTAINED")
def test_a_warning_made_an_error_does_not_stop_the_round(
    make: MakePool, clock: ClockRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    pool = make(max_lease=5, min_size=2)
    lease, other = pool.acquire(), pool.acquire()
    other.detach()
    clock.advance(6)
    pool.maintain()  # pytest is told to raise warnings
    assert "overdue" in caplog.text
    lease.release()


@pytest.mark.clause("LEASE-OVERDUE", "LEASE-REVOKED")
def test_overdue_leases_are_revoked_whichever_way_they_were_granted(
    make: MakePool, shop: Workshop, clock: ClockRuntime
) -> None:
    pool = make(max_size=3, max_lease=5, revoke_overdue=True)
    pool.acquire().release()
    quick, built = pool.acquire(), pool.acquire()
    waiter = Call(pool.acquire).result()
    late = Call(lambda: pool.acquire(10))
    clock.until_asleep(1)
    pool.remove(built.resource)
    clock.advance(5.1)
    pool.maintain()
    assert [False] * 3 == [lease.held for lease in (quick, built, waiter)]
    assert 3 == len(shop.destroyed)
    late.result().release()


@pytest.mark.clause("MIN-SIZE", "EXPIRY-REACHES-ALL", "THREADS-BOUNDED")
def test_the_housekeeper_keeps_house_and_ends_with_its_pool(
    make: MakePool, shop: Workshop, clock: ClockRuntime
) -> None:
    pool = make(min_size=1, max_age=10, housekeeping=3, name="kept")
    clock.until_asleep(1)
    [keeper] = [thread for thread in threading.enumerate() if "kept" in thread.name]
    assert keeper.daemon
    clock.advance(10)
    clock.until_asleep(1)
    assert (1, 2) == (len(shop.destroyed), len(shop.made))
    shop.on_destroy = Raises(OSError())
    clock.advance(10)
    clock.until_asleep(1)
    assert (2, 3) == (len(shop.destroyed), len(shop.made))
    pool.close()
    keeper.join(WATCHDOG)
    assert not keeper.is_alive()


@pytest.mark.clause("COLLECTABLE", "THREADS-BOUNDED")
def test_the_housekeeper_does_not_keep_the_pool(make: MakePool, shop: Workshop, clock: ClockRuntime) -> None:
    from poolproof import Pool

    pool: Pool[Thing] | None = Pool(
        shop.create, destroy=shop.destroy, min_size=2, housekeeping=3, runtime=clock, name="left"
    )
    clock.until_asleep(1)
    [keeper] = [thread for thread in threading.enumerate() if "left" in thread.name]
    gone = weakref.ref(pool)
    del pool
    keeper.join(WATCHDOG)
    assert (None, False, 2) == (gone(), keeper.is_alive(), len(shop.destroyed))


@pytest.mark.clause("BACKLOG-DRAINS")
def test_maintain_works_in_every_phase(make: MakePool) -> None:
    pool = make(max_lease=1, min_size=1, max_idle=1, housekeeping=None)
    lease = pool.acquire()
    pool.close()
    pool.maintain()
    lease.release()
    pool.maintain()
    assert "closed" == pool.stats().phase


@pytest.mark.clause("NEVER-STALE", "EXPIRY-REACHES-ALL")
@pytest.mark.parametrize("order", ["lifo", "fifo"])
def test_what_the_pool_began_with_ages_from_its_own_beginning(
    make: MakePool, shop: Workshop, clock: ClockRuntime, order: str
) -> None:
    shop.on_create = lambda: clock.advance(6)
    given = Thing()
    pool = make(shop.create, resources=[given], min_size=3, max_age=10, order=order)
    shop.on_create = None
    clock.advance(0.5)  # now they are 12.5, 6.5 and 0.5 s old
    pool.maintain()
    assert same([given], shop.destroyed)
    clock.advance(3.5)
    pool.maintain()
    assert same([given, shop.made[0]], shop.destroyed)
    clock.advance(6)
    pool.maintain()
    assert same([given, *shop.made[:2]], shop.destroyed)


@pytest.mark.clause("RETENTION", "CAPACITY-UNTIL-DESTROYED")
@pytest.mark.parametrize("order", ["lifo", "fifo"])
def test_a_release_that_shrinks_the_pool_destroys_all_that_it_took_out(
    make: MakePool, shop: Workshop, order: str
) -> None:
    pool = make(max_free=2, shrink_to=0, order=order)
    leases = [pool.acquire() for _ in range(3)]
    for lease in leases:
        assert [] == shop.destroyed
        lease.release()
    assert 3 == len(shop.destroyed)
    assert (0, 0) == (pool.stats().live, pool.stats().backlog)


class MeanwhileAt:
    """Does something at the *nth* bytecode that runs in the module of maintenance, once."""

    def __init__(self, nth: int, act: Callable[[], object]) -> None:
        self.left = nth
        self.act = act

    def __call__(self, frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename != maintenance.__file__:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.left -= event == "opcode"
        if event == "opcode" and not self.left:
            self.act()
        return self


@pytest.mark.clause("LEASE-OVERDUE")
def test_two_rounds_at_once_tell_of_an_overdue_lease_once(make: MakePool, clock: ClockRuntime) -> None:
    """Another round is made in the middle of one: at each bytecode of it in turn."""
    pool = make(max_lease=5)
    for turn in count(1):
        lease = pool.acquire()
        clock.advance(6)
        meanwhile = MeanwhileAt(turn, lambda: Call(pool.maintain).result())
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            run_traced(meanwhile, pool.maintain)
        about = [str(each.message).partition(" of pool")[0] for each in told]
        assert [f"lease {lease.number}"] == about, f"at {turn}"
        lease.release()
        if meanwhile.left > 0:
            break
    assert turn > 50
