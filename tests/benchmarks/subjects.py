"""The pools that are measured for threads, each behind the same small face. What is not installed is told."""

from __future__ import annotations

import contextlib
import importlib
import operator
import queue
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

from poolproof import Lease, Pool


class Thing:
    """A resource that is nothing: a connection to no database, for pools that call methods of what they lend."""

    freed = 0.0  # when it was last given back
    pgconn: ClassVar[Any] = SimpleNamespace(transaction_status=0)

    def close(self) -> None: ...
    def rollback(self) -> None: ...
    def commit(self) -> None: ...
    def cursor(self) -> None: ...
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


Things = list[Thing]


def _itself(lease: Any) -> Any:
    return lease


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Face:
    """A pool, full of things, and how its users use it. The statements use it as ``pool``."""

    pool: Any
    cycle: str  # acquire and release, by the shortest documented way
    block: str | None  # the same by ``with``
    acquire: Callable[[], Any]  # waits without limit
    release: Callable[[Any], object]
    timed: Callable[[float], Any] | None = None  # acquire with a timeout in seconds; raises when it has passed
    resource: Callable[[Any], Any] = _itself  # of what acquire returned
    close: Callable[[], object] = _nothing


class Written:
    """The usual hand-written pool: a list under a Condition. Whoever finds a resource first takes it."""

    def __init__(self, resources: Things) -> None:
        self.free = [*resources]
        self.some = threading.Condition()

    def get(self) -> Thing:
        with self.some:
            while not self.free:
                self.some.wait()
            return self.free.pop()

    def put(self, resource: Thing) -> None:
        with self.some:
            self.free.append(resource)
            self.some.notify()

    @contextlib.contextmanager
    def use(self) -> Iterator[Thing]:
        resource = self.get()
        try:
            yield resource
        finally:
            self.put(resource)


def ours(things: Things) -> Face:
    pool = Pool(resources=things, max_size=len(things), name="benchmark")
    return Face(
        pool, "pool.acquire().release()", "with pool.acquire():\n    pass",
        pool.acquire, Lease.release, lambda timeout: pool.acquire(timeout=timeout), operator.attrgetter("resource"),
        pool.close,
    )  # fmt: skip


def written(things: Things) -> Face:
    pool = Written(things)
    return Face(pool, "pool.put(pool.get())", "with pool.use():\n    pass", pool.get, pool.put)


def lifo_queue(things: Things) -> Face:
    return _queue(queue.LifoQueue(), things)


def simple_queue(things: Things) -> Face:
    return _queue(queue.SimpleQueue(), things)


def _queue(pool: Any, things: Things) -> Face:
    for thing in things:
        pool.put(thing)
    return Face(pool, "pool.put(pool.get())", None, pool.get, pool.put, lambda timeout: pool.get(timeout=timeout))


def pyresourcepool(things: Things) -> Face:
    pool = importlib.import_module("pyresourcepool.pyresourcepool").ResourcePool(things)
    return Face(
        pool, "pool.return_resource(pool.get_resource_unmanaged())", "with pool.get_resource():\n    pass",
        pool.get_resource_unmanaged, pool.return_resource,
    )  # fmt: skip


def ya_resourcepool(things: Things) -> Face:
    pool = importlib.import_module("ya.resourcepool").ResourcePool(init=things)
    return Face(  # a timeout of 0 waits for ever, None does not wait
        pool, "pool.push(pool.pop(0))", "with pool(0):\n    pass", lambda: pool.pop(0), pool.push, pool.pop
    )


def proxypatternpool(things: Things) -> Face:
    module, size = importlib.import_module("ProxyPatternPool"), len(things)
    made = iter(things)
    pool = module.Pool(lambda number: next(made), max_size=size, min_size=size)
    return Face(
        pool, "pool.ret(pool.get())", "with pool.obj():\n    pass", pool.get, pool.ret, pool.get, close=pool.shutdown
    )


def eventlet_pools(things: Things) -> Face:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module("eventlet.pools")
    pool, made = module.Pool(max_size=len(things), create=lambda: None), iter(things)
    pool.create = lambda: next(made)
    for thing in [pool.get() for _ in things]:
        pool.put(thing)
    return Face(pool, "pool.put(pool.get())", "with pool.item():\n    pass", pool.get, pool.put)


def dbutils(things: Things) -> Face:
    module, made, size = importlib.import_module("dbutils.pooled_db"), iter(things), len(things)

    def connect() -> Thing:
        return next(made)

    connect.threadsafety = 1  # type: ignore[attr-defined]
    pool = module.PooledDB(
        connect, mincached=size, maxcached=size, maxconnections=size, blocking=True, ping=0, reset=False,
        failures=(OSError,),
    )  # fmt: skip
    return Face(
        pool, "pool.connection().close()", "with pool.connection():\n    pass", pool.connection,
        operator.methodcaller("close"), resource=operator.attrgetter("_con._con"),
    )  # fmt: skip


def psycopg_pool(things: Things) -> Face:
    module, size, made = importlib.import_module("psycopg_pool"), len(things), iter(things)
    kind = SimpleNamespace(connect=lambda *_, **__: next(made))
    pool = module.ConnectionPool(connection_class=kind, min_size=size, max_size=size, open=True, num_workers=1)
    pool.wait(timeout=60)
    return Face(
        pool, "pool.putconn(pool.getconn())", "with pool.connection():\n    pass",
        lambda: pool.getconn(3600.0), pool.putconn, pool.getconn, close=pool.close,
    )  # fmt: skip


def sqlalchemy(things: Things) -> Face:
    module, made = importlib.import_module("sqlalchemy.pool"), iter(things)
    pool = module.QueuePool(lambda: next(made), pool_size=len(things), max_overflow=0, timeout=3600.0, use_lifo=True)

    def timed(timeout: float) -> Any:
        pool._timeout = timeout  # one for all
        return pool.connect()

    for lease in [pool.connect() for _ in things]:
        lease.close()
    return Face(
        pool, "pool.connect().close()", "with closing(pool.connect()):\n    pass", pool.connect,
        operator.methodcaller("close"), timed, operator.attrgetter("dbapi_connection"), pool.dispose,
    )  # fmt: skip


def generic_connection_pool(things: Things) -> Face:
    module, size = importlib.import_module("generic_connection_pool.threading"), len(things)
    made = iter(things)

    def create(self: Any, endpoint: str, timeout: float | None = None) -> Thing:
        return next(made)

    def dispose(self: Any, endpoint: str, conn: Thing, timeout: float | None = None) -> None: ...

    manager = type("Manager", (module.BaseConnectionManager,), {"create": create, "dispose": dispose})()
    pool = module.ConnectionPool(manager, min_idle=size, max_size=size, total_max_size=size)
    for thing in [pool.acquire("one") for _ in things]:
        pool.release(thing, "one")
    return Face(
        pool, "pool.release(pool.acquire('one'), 'one')", "with pool.connection('one'):\n    pass",
        lambda: pool.acquire("one"), lambda lease: pool.release(lease, "one"), lambda s: pool.acquire("one", s),
    )  # fmt: skip


@dataclass(frozen=True)
class Subject:
    """A pool to measure. *package* is what to install for it."""

    name: str
    make: Callable[[Things], Face]
    package: str | None = None
    threads: bool = True  # whether threads may share it
    queues: bool = False  # whether those who wait are served in order
    pools: bool = True  # false: a floor to compare with, no pool


OURS, BASELINE = "poolproof", "hand-written Condition and list"
SUBJECTS = (
    Subject(OURS, ours, queues=True),
    Subject(BASELINE, written),
    Subject("queue.LifoQueue", lifo_queue),
    Subject("queue.SimpleQueue", simple_queue, pools=False),
    Subject("pyresourcepool", pyresourcepool, "PyResourcePool"),
    Subject("ya.resourcepool", ya_resourcepool, "ya.resourcepool"),
    Subject("ProxyPatternPool", proxypatternpool, "ProxyPatternPool"),
    Subject("eventlet.pools", eventlet_pools, "eventlet", threads=False),
    Subject("DBUtils PooledDB", dbutils, "DBUtils"),
    Subject("psycopg_pool", psycopg_pool, "psycopg-pool", queues=True),
    Subject("SQLAlchemy QueuePool", sqlalchemy, "SQLAlchemy"),
    Subject("generic-connection-pool", generic_connection_pool, "generic-connection-pool"),
)


def available() -> tuple[list[Subject], dict[str, str]]:
    """The subjects that can be made here, and why the others cannot."""
    there, missing = [], {}
    for subject in SUBJECTS:
        try:
            subject.make([Thing(), Thing()]).close()
        except ImportError as error:
            missing[subject.name] = f"not installed ({error})"
        else:
            there.append(subject)
    return there, missing
