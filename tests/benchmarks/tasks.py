"""asyncio: the same questions for the tasks of one event loop. The hold is one turn of the loop."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import operator
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

from benchmarks.crowds import Bout, Member, summary
from benchmarks.plan import Plan
from benchmarks.rounds import async_loop, side_by_side
from benchmarks.subjects import Thing, Things

TITLE = "asyncio"
OURS, BASELINE = "poolproof.aio", "asyncio.Queue"
FORMS = ("acquire and release", "with")
POOLED = 4


@dataclass(frozen=True)
class Face:
    """A pool, full of things, and how tasks use it."""

    pool: Any
    cycle: str
    block: str | None
    acquire: Callable[[], Awaitable[Any]]
    release: Callable[[Any], Awaitable[object]]
    resource: Callable[[Any], Any] = lambda lease: lease
    close: Callable[[], Awaitable[object]] | None = None


async def ours(things: Things) -> Face:
    pool = importlib.import_module("poolproof.aio").AsyncPool(resources=things, max_size=len(things))
    return Face(
        pool, "await (await pool.acquire()).release()", "async with pool.acquire():\n    pass",
        pool.acquire, operator.methodcaller("release"), operator.attrgetter("resource"), pool.close,
    )  # fmt: skip


async def queue(things: Things) -> Face:
    pool: asyncio.Queue[Thing] = asyncio.Queue()
    for thing in things:
        pool.put_nowait(thing)
    return Face(pool, "pool.put_nowait(await pool.get())", None, pool.get, pool.put)


async def queue_awaited(things: Things) -> Face:
    face = await queue(things)
    return Face(face.pool, "await pool.put(await pool.get())", None, face.acquire, face.release)


class AwaitedThing(Thing):
    """A connection that is awaited."""

    async def rollback(self) -> None: ...  # type: ignore[override]
    async def close(self) -> None: ...  # type: ignore[override]
    async def __aenter__(self) -> None: ...
    async def __aexit__(self, *_: object) -> None: ...


async def psycopg(things: Things) -> Face:
    module, size = importlib.import_module("psycopg_pool"), len(things)

    async def connect(*_: object, **__: object) -> Thing:
        return AwaitedThing()

    kind = SimpleNamespace(connect=connect)
    pool = module.AsyncConnectionPool(connection_class=kind, min_size=size, max_size=size, open=False, num_workers=1)
    await pool.open(wait=True)
    return Face(
        pool, "await pool.putconn(await pool.getconn())", "async with pool.connection():\n    pass",
        lambda: pool.getconn(3600.0), pool.putconn, close=pool.close,
    )  # fmt: skip


async def asyncpg(things: Things) -> Face:
    module, size = importlib.import_module("asyncpg"), len(things)
    kind = dummy_of(module.Connection)

    async def connect(*_: object, **__: object) -> Any:
        return kind()

    pool = await module.create_pool(
        connect=connect, connection_class=kind, min_size=size, max_size=size, max_inactive_connection_lifetime=0
    )

    async def close() -> None:
        pool.terminate()

    return Face(
        pool, "await pool.release(await pool.acquire())", "async with pool.acquire():\n    pass",
        pool.acquire, pool.release, operator.attrgetter("_con"), close,
    )  # fmt: skip


def dummy_of(connection: Any) -> Any:
    """A connection of asyncpg to nothing. Its reset asks no server."""

    class Dummy(connection):  # type: ignore[misc]
        _idle: ClassVar[Any] = SimpleNamespace(
            queries_count=0, _is_cancelling=lambda: False, _is_connected=lambda: True
        )

        def __init__(self) -> None:
            self._protocol, self._proxy, self._pool_holder, self._aborted = self._idle, None, None, False
            self._listeners: dict[str, object] = {}
            self._log_listeners: tuple[object, ...] = ()
            self._pool_release_ctr = 0
            self.freed = 0.0

        def is_closed(self) -> bool:
            return False

        async def reset(self, *, timeout: float | None = None) -> None: ...
        async def close(self, *, timeout: float | None = None) -> None: ...
        def terminate(self) -> None: ...
        def __del__(self) -> None: ...

    return Dummy


MAKERS = {
    OURS: ours,
    BASELINE: queue,
    "asyncio.Queue, put awaited": queue_awaited,
    "psycopg_pool": psycopg,
    "asyncpg": asyncpg,
}


@contextmanager
def running() -> Iterator[Callable[[Any], Any]]:
    """A function that runs an awaitable in one event loop to its end."""
    with asyncio.Runner() as runner:
        yield runner.get_loop().run_until_complete


def run(plan: Plan) -> dict[str, Any]:
    """Uncontended cycles, and crowds of tasks, in one event loop."""
    with running() as finish:
        faces, missing = finish(made(POOLED))
        runs: dict[tuple[str, str], Callable[[int], object]] = {}
        for name, face in faces.items():
            for form, statement in zip(FORMS, (face.cycle, face.block), strict=True):
                if statement is not None:
                    runs[name, form] = in_loop(async_loop(statement, {"pool": face.pool}), finish)
        timings = side_by_side(runs, plan)
        crowds = finish(crowded(plan, faces))
        finish(closed(faces))
    rows = [{"name": name, "form": form, **timing.as_json()} for (name, form), timing in timings.items()]
    return {
        "pooled": POOLED, "baseline": BASELINE, "rows": rows, "crowds": crowds, "seconds": plan.bout,
        "missing": missing,
    }  # fmt: skip


def in_loop(body: Callable[[int], Any], finish: Callable[[Any], Any]) -> Callable[[int], object]:
    """Run *body* in the event loop, to its end."""
    return lambda loops: finish(body(loops))


async def made(size: int) -> tuple[dict[str, Face], dict[str, str]]:
    faces, missing = {}, {}
    for name, make in MAKERS.items():
        try:
            faces[name] = await make([Thing() for _ in range(size)])
        except ImportError as error:
            missing[name] = f"not installed ({error})"
    return faces, missing


async def closed(faces: dict[str, Face]) -> None:
    for face in faces.values():
        if face.close is not None:
            await face.close()


async def crowded(plan: Plan, faces: dict[str, Face]) -> list[dict[str, Any]]:
    """So many tasks share the things of each pool; all of them shuffled in each round."""
    order = [*itertools.product(plan.tasks, faces)]
    bouts: dict[tuple[int, str], list[Bout]] = {each: [] for each in order}
    for _ in range(plan.bouts):
        plan.random.shuffle(order)
        for tasks, name in order:
            bouts[tasks, name].append(await bout(faces[name], tasks, plan.bout))
    return [{"tasks": tasks, "name": name, **summary(taken)} for (tasks, name), taken in bouts.items()]


async def bout(face: Face, tasks: int, seconds: float) -> Bout:
    members, cpu = [Member() for _ in range(tasks)], time.process_time()
    end = time.perf_counter() + seconds
    await asyncio.gather(*(work(face, member, end) for member in members))
    return Bout.of(members, seconds, time.process_time() - cpu)


async def work(face: Face, member: Member, end: float) -> None:
    clock = time.perf_counter
    while (begun := clock()) < end:
        lease = await face.acquire()
        thing, now = face.resource(lease), clock()
        member.got(begun, now, thing.freed)
        await asyncio.sleep(0)
        member.done += now < end
        thing.freed = clock()
        await face.release(lease)
