"""The pool on greenlets: who waits, sleeps in the hub of its thread, and is woken from anywhere."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import weakref
from typing import Any

import greenlet
import pytest

from greenlets.hubs import GEVENT, WATCHDOG, Call, Hub
from pool.rig import complaints
from poolproof import AcquireTimeout, Pool, PoolClosed
from poolproof.tokens import Token, TokenPool


class Thing:
    """A resource like any other."""


def make(hub: Hub, **options: Any) -> Pool[Any]:
    return Pool(options.pop("create", Thing), **{"max_size": 1, "name": "db", "runtime": hub.runtime(), **options})


@pytest.mark.clause("WAIT-FIFO", "PROMPT-GRANT")
def test_waiting_greenlets_are_served_in_order_while_others_run(hub: Hub) -> None:
    pool = make(hub)
    served: list[int] = []

    def work(number: int) -> None:
        with pool.acquire():
            served.append(number)
            hub.pause()

    lease = pool.acquire()
    calls = [Call(hub, lambda number=number: work(number)) for number in range(5)]  # type: ignore[misc]
    hub.settle()
    assert pool.stats().waiting == 5
    lease.release()
    for call in calls:
        call.result()
    assert served == [0, 1, 2, 3, 4]
    assert complaints(pool) == []
    assert pool.close().closed


@pytest.mark.clause("WAIT-DEADLINE", "WITHDRAW-PROMPT")
def test_deadline_ends_the_wait_and_names_the_greenlet_that_holds(hub: Hub) -> None:
    pool = make(hub)
    lease = pool.acquire()
    with pytest.raises(AcquireTimeout, match=r"longest held .* by main greenlet \[WAIT-DEADLINE\]"):
        pool.acquire(0.001)
    assert pool.stats().waiting == 0
    lease.release()


@pytest.mark.clause("PROMPT-GRANT", "WAIT-ENDS")
def test_another_thread_wakes_a_greenlet(hub: Hub) -> None:
    pool = make(hub)
    lease = pool.acquire()
    asleep = threading.Event()

    def release() -> None:
        assert asleep.wait(WATCHDOG)
        lease.release()

    thread = threading.Thread(target=release)
    thread.start()
    hub.call_soon(asleep.set)  # the hub runs it when this greenlet sleeps
    with hub.timeout(WATCHDOG), pool.acquire():
        pass
    thread.join(WATCHDOG)
    assert complaints(pool) == []


@pytest.mark.clause("PROMPT-GRANT", "WAIT-ENDS")
def test_a_greenlet_wakes_another_thread(hub: Hub) -> None:
    pool = make(hub)
    lease, got = pool.acquire(), []
    thread = threading.Thread(target=lambda: got.append(pool.acquire(WATCHDOG)))
    thread.start()
    with hub.timeout(WATCHDOG):
        while not pool.stats().waiting:
            hub.pause()
    lease.release()
    thread.join(WATCHDOG)
    assert len(got) == 1
    got[0].release()
    assert complaints(pool) == []


@pytest.mark.clause("SIGNAL-SAFE")
def test_a_signal_handler_wakes_a_greenlet_while_the_hub_has_nothing_to_do(hub: Hub) -> None:
    pool = make(hub)
    lease = pool.acquire()
    before = signal.signal(signal.SIGUSR1, lambda *_: lease.release())
    try:
        sender = threading.Timer(0.02, lambda: os.kill(os.getpid(), signal.SIGUSR1))
        sender.start()
        with pool.acquire(WATCHDOG):
            pass
        sender.join()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert complaints(pool) == []


def test_a_wake_up_that_comes_first_is_kept_and_several_count_as_one(hub: Hub) -> None:
    parker = hub.runtime().parker()
    parker.unpark()
    parker.unpark()
    assert parker.park(None)
    assert not parker.park(0)
    assert not parker.park(0.0001)


def test_a_wake_up_for_a_sleep_that_is_over_ends_no_other(hub: Hub) -> None:
    """The hub is asked twice to end the first sleep. It ends the sleep of nobody who sleeps later."""
    parker, other = hub.runtime().parker(), hub.runtime().parker()
    for _ in range(2):
        hub.call_soon(parker.unpark)
    assert parker.park(WATCHDOG)
    hub.call_soon(hub.call_soon, hub.call_soon, other.unpark)
    assert other.park(WATCHDOG)
    assert not parker.park(0)


def test_a_wake_up_for_a_sleep_that_an_exception_ended_ends_no_other(hub: Hub) -> None:
    """The hub has been asked to end the sleep when an exception ends it, and the greenlet sleeps elsewhere by then."""
    parker = hub.runtime().parker()

    def sleep_twice() -> None:
        with pytest.raises(LookupError):
            parker.park(WATCHDOG)
        hub.sleep(WATCHDOG)

    call = Call(hub, sleep_twice)
    hub.settle()
    hub.call_soon(parker.unpark)
    hub.call_soon(call.greenlet.throw, LookupError)
    hub.settle()
    assert not call.done
    assert parker.park(0)  # and the token is still there
    call.greenlet.kill()


def test_no_timer_is_left_of_a_sleep_that_is_over(hub: Hub) -> None:
    pool = make(hub)
    before = hub.timers()
    for _ in range(20):
        lease = pool.acquire()
        waiter = Call(hub, lambda: pool.acquire(1000).release())
        hub.settle()
        lease.release()
        waiter.result()
    assert hub.timers() <= before


@pytest.mark.parametrize("timeout", [1e12, 1e300, float("inf"), None])
def test_an_endless_timeout_is_no_trouble_for_a_hub_that_waits_for_nothing_else(
    hub: Hub, timeout: float | None
) -> None:
    pool = make(hub)
    lease, asleep = pool.acquire(), threading.Event()

    def release() -> None:
        assert asleep.wait(WATCHDOG)
        lease.release()

    thread = threading.Thread(target=release)
    thread.start()
    hub.call_soon(hub.call_soon, asleep.set)
    pool.acquire(timeout).release()
    thread.join(WATCHDOG)


def test_who_cannot_wait_is_told_so(hub: Hub) -> None:
    pool = make(hub)
    lease, told = pool.acquire(), []

    def in_the_hub() -> None:
        assert greenlet.getcurrent() is hub.hub_greenlet()
        assert pool.try_acquire() is None
        with pytest.raises(RuntimeError, match=rf"inside the hub of {hub.name}"):
            pool.acquire(1)
        told.append(pool.stats().waiting)

    hub.call_soon(in_the_hub)
    hub.settle()
    assert told == [0]
    lease.release()


@pytest.mark.clause("CLOSE-REFUSES", "CLOSE-TERMINATES")
def test_close_refuses_waiters_and_waits_for_holders(hub: Hub) -> None:
    pool = make(hub)
    lease = pool.acquire()
    waiter = Call(hub, pool.acquire)
    hub.settle()
    closer = Call(hub, lambda: pool.close(grace=None))
    hub.settle()
    with pytest.raises(PoolClosed):
        waiter.result()
    assert not closer.done
    lease.release()
    assert closer.result().closed


@pytest.mark.clause("ERRORS-TELL")
def test_holders_are_named_and_not_kept_alive(hub: Hub) -> None:
    pool = make(hub, max_size=3)
    leases: list[Any] = [pool.acquire(), Call(hub, pool.acquire).result()]

    def hold() -> None:
        leases.append(pool.acquire())
        hub.sleep(WATCHDOG)

    sleeper = Call(hub, hold)
    hub.settle()
    kind = type(sleeper.greenlet).__name__
    names = [holder.who for holder in pool.holders()]
    assert names[0] == "main greenlet"
    assert names[1] == "a greenlet (ended)"
    assert kind in names[2]
    assert "ended" not in names[2]
    known = weakref.ref(sleeper.greenlet)
    hub.call_soon(sleeper.greenlet.throw, greenlet.GreenletExit)
    hub.settle()
    assert "(ended)" in pool.holders()[2].who
    del sleeper
    gc.collect()
    assert known() is None
    for lease in leases:
        lease.release()


@pytest.mark.clause("EXPIRY-REACHES-ALL", "COLLECTABLE")
def test_housekeeping_is_a_greenlet_and_ends_with_its_pool(hub: Hub) -> None:
    destroyed: list[Thing] = []
    pool = make(hub, max_idle=0.0001, housekeeping=0.0005, destroy=destroyed.append)
    before = threading.active_count()
    pool.acquire().release()
    with hub.timeout(WATCHDOG):
        while not destroyed:
            hub.sleep(0.001)
    assert threading.active_count() == before
    keeper = weakref.ref(pool._housekeeper)
    del pool
    with hub.timeout(WATCHDOG):
        while keeper() is not None:
            hub.sleep(0.001)
            gc.collect()


def test_waiting_for_gevent_to_finish_does_not_wait_for_housekeeping() -> None:
    pool = make(GEVENT, housekeeping=1000)
    import gevent

    GEVENT.settle()
    assert gevent.wait(timeout=WATCHDOG)
    pool.close()


@pytest.mark.clause("WAIT-FIFO", "CAPACITY")
def test_tokens_limit_greenlets(hub: Hub) -> None:
    limit, inside, most = TokenPool(3, runtime=hub.runtime()), 0, 0

    def work() -> None:
        nonlocal inside, most
        with limit.acquire() as token:
            assert isinstance(token, Token)
            inside += 1
            most = max(most, inside)
            hub.pause()
            inside -= 1

    for call in [Call(hub, work) for _ in range(20)]:
        call.result()
    assert (most, inside, limit.stats().free) == (3, 0, 3)


@pytest.mark.parametrize("package", ["eventlet", "gevent"])
def test_a_missing_package_is_named(package: str) -> None:
    code = f"""if True:
        import sys
        sys.modules[{package!r}] = None
        try:
            import poolproof.runtime.{package}
        except ImportError as error:
            assert "pip install 'poolproof[{package}]'" in str(error), error
        else:
            raise SystemExit("imported")
    """
    subprocess.run([sys.executable, "-c", code], check=True, timeout=WATCHDOG)


def test_the_pool_itself_imports_no_hub() -> None:
    code = "import poolproof, sys; assert not {'eventlet', 'gevent', 'greenlet', 'asyncio'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=WATCHDOG)


@pytest.mark.clause("EXIT-FREE")
@pytest.mark.parametrize("library", ["eventlet", "gevent"])
def test_a_program_ends_in_silence_while_a_pool_is_in_use(library: str) -> None:
    code = f"""if True:
        import {library}
        from poolproof import Pool
        from poolproof.runtime.{library} import {library.capitalize()}Runtime
        pool = Pool(object, max_size=1, runtime={library.capitalize()}Runtime(), housekeeping=1000)
        lease = pool.acquire()
        {library}.spawn(pool.acquire)
        {library}.sleep(0)
    """
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=WATCHDOG, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
