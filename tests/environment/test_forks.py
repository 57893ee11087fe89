"""What a forked child finds, and what the parent does not notice."""

from __future__ import annotations

import gc
import multiprocessing
import os
import socket
import sqlite3
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from environment.rig import WATCHDOG, Maker, Thing, Thread, at_rest, complaints, reached
from poolproof import Lease, LeaseRevoked, Pool, StaleLease
from poolproof.replay import Recorder, replay

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    # Forking with threads is what these tests are about.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning"),
]


class Tale:
    """A resource that tells a pipe, which both processes share, when it is destroyed or finalized, and by whom."""

    def __init__(self, pipe: list[int]) -> None:
        self.pipe = pipe

    def tell(self, what: str) -> None:
        for end in self.pipe:
            os.write(end, f"{what} {os.getpid()}\n".encode())

    def destroy(self) -> None:
        self.tell("destroyed")

    def __del__(self) -> None:
        self.tell("finalized")


@contextmanager
def tales() -> Iterator[tuple[Callable[[], Tale], Callable[[], list[str]]]]:
    """A function that makes tales, and one that returns all that was told so far."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)

    def told() -> list[str]:
        try:
            return os.read(reader, 1 << 16).decode().splitlines()
        except BlockingIOError:
            return []

    pipe = [writer]
    try:
        yield lambda: Tale(pipe), told
    finally:
        pipe.clear()
        os.close(reader)
        os.close(writer)


def in_child(work: Callable[[], object]) -> None:
    """Run *work* in a forked child, and raise here what failed there."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        end_child(work, writer)
    os.close(writer)
    with os.fdopen(reader) as report:
        failure = report.read()
    assert (child, 0) == os.waitpid(child, 0), failure


def end_child(work: Callable[[], object], writer: int) -> None:
    """Do the work of a child and leave without any of the parent's business."""
    code = 1
    try:
        work()
        gc.collect()
        code = 0
    except BaseException as error:
        os.write(writer, repr(error).encode())
    finally:
        os._exit(code)


def empty_and_usable(pool: Pool[Any]) -> None:
    stats = pool.stats()
    assert ("open", 0, 0, 0) == (stats.phase, stats.live, stats.waiting, stats.backlog)
    assert (0, 0, 0, 0) == (stats.created, stats.added, stats.detached, stats.destroyed)
    assert () == pool.holders()
    assert [] == complaints(pool)
    lease = pool.acquire(0)
    assert lease.held
    lease.release()
    pool.maintain()
    assert [] == at_rest(pool)
    assert pool.close().closed


@pytest.mark.clause("FORK-SAFE")
def test_child_has_an_empty_pool_and_touches_nothing_of_the_parents() -> None:
    with tales() as (create, told):
        pool = Pool(create, destroy=Tale.destroy, check=lambda tale: True, reset=lambda tale: None, max_size=3)
        leases = [pool.acquire() for _ in range(3)]
        leases.pop().release()

        def child() -> None:
            empty_and_usable(pool)
            mine = f"destroyed {os.getpid()}"
            gc.collect()
            assert [mine] == [line for line in told() if "destroyed" in line]

        in_child(child)
        assert [] == [line for line in told() if str(os.getpid()) in line]
        assert (3, 1, 2) == (pool.stats().live, pool.stats().free, pool.stats().checked_out)
        for lease in leases:
            lease.release()
        assert [] == at_rest(pool)
        pool.close()
        assert 3 == told().count(f"destroyed {os.getpid()}")


@pytest.mark.clause("FORK-LEASES", "STALE-UNCHANGED")
def test_inherited_lease_is_nobodys_in_the_child() -> None:
    def child() -> None:
        for operation in (lease.release, lease.discard, lease.detach, lambda: lease.resource):
            with pytest.raises(StaleLease) as caught:
                operation()
            assert not isinstance(caught.value, LeaseRevoked)
        holder.clear()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            gc.collect()
        assert [] == warned
        empty_and_usable(pool)

    maker = Maker()
    pool = Pool(maker.create, destroy=maker.destroy, max_size=2)
    lease, holder = pool.acquire(), [pool.acquire()]
    in_child(child)
    assert lease.held
    lease.release()
    holder.pop().release()
    assert [] == at_rest(pool)


@pytest.mark.clause("FORK-LEASES")
@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_fork_inside_a_with_block(error: type[BaseException] | None) -> None:
    def child_only() -> None:
        empty_and_usable(pool)
        unharmed(maker.things[0])

    maker = Maker()
    pool = Pool(maker.create, destroy=maker.destroy, max_size=1)
    child = None
    with nullcontext() if error is None else pytest.raises(error), pool.acquire():
        child = os.fork()
        if error is not None:
            raise error
    if child == 0:
        end_child(child_only, 2)
    assert (child, 0) == os.waitpid(child or 0, 0)
    assert [] == at_rest(pool)


def unharmed(thing: Thing) -> None:
    assert not thing.destroyed


@pytest.mark.clause("FORK-SAFE", "FORK-LEASES")
def test_lease_that_outlived_its_pool_is_the_parents() -> None:
    def child() -> None:
        with pytest.raises(StaleLease):
            lease.release()
        unharmed(maker.things[0])

    maker = Maker()
    lease: Lease[Thing] = Pool(maker.create, destroy=maker.destroy, max_size=1).acquire()
    gc.collect()
    in_child(child)
    lease.release()
    assert 1 == maker.things[0].destroyed


@pytest.mark.clause("FORK-SAFE")
def test_fork_while_others_wait_and_build() -> None:
    def create() -> Thing:
        if threading.current_thread() is not threading.main_thread():
            building.set()
            reached(go_on)
        return maker.create()

    building, go_on, maker = threading.Event(), threading.Event(), Maker()
    pool = Pool(create, destroy=maker.destroy, max_size=2)
    lease = pool.acquire()
    threads = [Thread(lambda: pool.acquire().release()) for _ in range(3)]
    reached(building)
    in_child(lambda: empty_and_usable(pool))
    lease.release()
    go_on.set()
    for thread in threads:
        thread.join()
    assert [] == at_rest(pool)
    assert 2 == pool.stats().live


@pytest.mark.clause("FORK-SAFE")
@pytest.mark.parametrize("released", [False, True], ids=["alone", "while the builder is granted another"])
@pytest.mark.parametrize("refilling", [False, True], ids=["for an acquire", "for min_size"])
def test_fork_inside_a_create(refilling: bool, released: bool) -> None:
    """Both processes return from create; the child forgets what the parent began, and starts anew."""

    def create() -> Tale:
        tale = make()
        if forks:
            forks.clear()
            if released:
                Thread(first.release).join()
            children.append(os.fork())
        return tale

    with tales() as (make, told):
        forks, children = list[bool](), list[int]()
        pool = Pool(create, destroy=Tale.destroy, max_size=3, min_size=2)
        first, second = pool.acquire(), pool.acquire()
        forks.append(True)
        third = second.detach() if refilling else pool.acquire(WATCHDOG)
        [child] = children
        if child == 0:
            end_child(lambda: after_fork_in_create(pool, third if isinstance(third, Lease) else None), 2)
        assert (child, 0) == os.waitpid(child, 0)
        # What was built in the child, and only that, has come to its end there.
        ends = told()
        assert 2 == ends.count(f"destroyed {child}") == ends.count(f"finalized {child}")
        assert 4 == len(ends)
        for lease in (first, second, third):
            if isinstance(lease, Lease) and lease.held:
                lease.release()
        assert [] == at_rest(pool)


def after_fork_in_create(pool: Pool[Any], lease: Lease[Any] | None) -> None:
    assert [] == complaints(pool)
    pool.maintain()
    if lease is not None:
        assert lease.held
        lease.release()
    assert [] == at_rest(pool)
    assert (2, 2) == (pool.stats().live, pool.stats().created)
    assert pool.close().closed


@pytest.mark.clause("FORK-SAFE")
@pytest.mark.parametrize("callback", ["destroy", "reset", "observer"])
def test_fork_inside_a_callback(callback: str) -> None:
    """The work that the parent owed is the parent's alone."""

    def fork(*_: object) -> None:
        if forks:
            forks.clear()
            children.append(os.fork())

    def destroy(thing: Thing) -> None:
        maker.destroy(thing)
        if callback == "destroy":
            fork()

    def child_only() -> None:
        if callback != "destroy":
            unharmed(maker.things[0])
        empty_and_usable(pool)

    forks, children, maker = list[bool](), list[int](), Maker()
    options: dict[str, Any] = {} if callback == "destroy" else {callback: fork}
    pool = Pool(maker.create, destroy=destroy, max_size=1, **options)
    lease = pool.acquire()
    forks.append(True)
    (lease.release if callback == "reset" else lease.discard)()
    if children == [0]:
        end_child(child_only, 2)
    assert (children[0], 0) == os.waitpid(children[0], 0)
    assert [] == at_rest(pool)
    assert (0 if callback == "reset" else 1) == maker.things[0].destroyed


@pytest.mark.clause("FORK-SAFE", "THREADS-BOUNDED")
@pytest.mark.parametrize("closed", [False, True])
def test_child_opens_anew_and_keeps_its_own_house(closed: bool) -> None:
    def child() -> None:
        housekeepers = [thread for thread in threading.enumerate() if "housekeeping" in thread.name]
        assert 1 == len(housekeepers)
        inspected.clear()
        pool.acquire(0).release()
        reached(inspected)
        pool.close()
        housekeepers[0].join(WATCHDOG)
        assert not housekeepers[0].is_alive()

    def check(thing: Thing) -> bool:
        inspected.set()
        return True

    inspected, maker = threading.Event(), Maker()
    pool = Pool(maker.create, max_size=1, check=check, housekeeping=0.001)
    if closed:
        pool.close()
    in_child(child)
    pool.close()


@pytest.mark.clause("FORK-SAFE")
def test_real_connections_survive_a_child(tmp_path: Path) -> None:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(tmp_path / "data", check_same_thread=False)

    def child() -> None:
        with pool.acquire() as mine:
            assert mine is not connection
            assert [(1,)] == mine.execute("select * from numbers").fetchall()
        with ends.acquire() as end:
            assert end is not near
            end.send(b"child")
        pool.close()
        ends.close()

    pool = Pool(connect, destroy=sqlite3.Connection.close, max_size=2)
    pairs: list[tuple[socket.socket, socket.socket]] = []

    def half() -> socket.socket:
        pairs.append(socket.socketpair())
        return pairs[-1][0]

    ends = Pool(half, destroy=socket.socket.close, max_size=2)
    with pool.acquire() as connection, ends.acquire() as near:
        connection.execute("create table numbers (number)")
        connection.execute("insert into numbers values (1)")
        connection.commit()
        in_child(child)
        connection.execute("insert into numbers values (2)")
        connection.commit()
        near.send(b"parent")
    assert b"parent" == pairs[0][1].recv(16)
    with pool.acquire() as connection:
        assert [(1,), (2,)] == connection.execute("select * from numbers").fetchall()
    pool.close()
    ends.close()
    for _, far in pairs:
        far.close()


@pytest.mark.clause("FORK-SAFE")
def test_processes_of_multiprocessing() -> None:
    maker = Maker()
    pool = Pool(maker.create, destroy=maker.destroy, max_size=1)
    with pool.acquire():
        process = multiprocessing.get_context("fork").Process(target=empty_and_usable, args=(pool,))
        process.start()
        process.join(WATCHDOG)
    assert 0 == process.exitcode
    assert [] == at_rest(pool)


@pytest.mark.clause("TRACE-REPLAYS", "FORK-SAFE")
@pytest.mark.parametrize("busy", [False, True], ids=["at rest", "with leases and waiters"])
def test_trace_of_a_child_replays_from_its_own_beginning(busy: bool) -> None:
    def child() -> None:
        for _ in range(3):
            pool.acquire(0).release()
        pool.acquire(0).discard()
        recorder.note(pool.stats())
        verdict = replay(recorder.events(), recorder.snapshots())
        assert verdict.ok, str(verdict)
        assert (4, 3, 0) == (verdict.grants, verdict.created, verdict.added)

    recorder, maker = Recorder(), Maker()
    pool = Pool(maker.create, resources=maker.several(1), max_size=2, min_size=2, observer=recorder)
    leases = [pool.acquire() for _ in range(2 * busy)]
    recorder.note(pool.stats())
    waiters = [Thread(lambda: pool.acquire().release()) for _ in leases]
    in_child(child)
    for lease in leases:
        lease.release()
    for waiter in waiters:
        waiter.join()
    verdict = replay(recorder.events(), recorder.snapshots())
    assert verdict.ok, str(verdict)
    assert 0 < verdict.snapshots
