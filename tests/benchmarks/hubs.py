"""Green threads: the same questions in the hubs of eventlet and of gevent. The hold is one turn of the hub."""

from __future__ import annotations

import importlib
import itertools
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.crowds import Bout, Member, summary
from benchmarks.plan import Plan
from benchmarks.rounds import loop, side_by_side
from benchmarks.subjects import Face, Thing, Things, eventlet_pools
from poolproof import Lease, Pool

TITLE = "Green threads"
BASELINES = {"eventlet": "eventlet.pools", "gevent": "gevent.queue.LifoQueue"}
FORMS = ("acquire and release", "with")
POOLED = 4


@dataclass(frozen=True)
class Hub:
    """One kind of green threads."""

    name: str
    yields: Callable[[], object]  # one turn of the hub
    spawn: Callable[..., Any]
    join: Callable[[list[Any]], object]
    faces: dict[str, Face]


def ours(runtime: Any, things: Things) -> Face:
    pool = Pool(resources=things, max_size=len(things), runtime=runtime)
    return Face(
        pool, "pool.acquire().release()", "with pool.acquire():\n    pass", pool.acquire, Lease.release,
        resource=lambda lease: lease.resource, close=pool.close,
    )  # fmt: skip


def queued(pool: Any, things: Things) -> Face:
    for thing in things:
        pool.put(thing)
    return Face(pool, "pool.put(pool.get())", None, pool.get, pool.put)


def things() -> Things:
    return [Thing() for _ in range(POOLED)]


def eventlet() -> Hub:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = importlib.import_module("eventlet")
        queue = importlib.import_module("eventlet.queue")
    runtime = importlib.import_module("poolproof.runtime.eventlet").EventletRuntime()
    faces = {
        "poolproof": ours(runtime, things()),
        "eventlet.pools": eventlet_pools(things()),
        "eventlet.queue.LifoQueue": queued(queue.LifoQueue(), things()),
    }
    return Hub(
        "eventlet", lambda: module.sleep(0), module.spawn, lambda spawned: [each.wait() for each in spawned], faces
    )


def gevent() -> Hub:
    module, queue = importlib.import_module("gevent"), importlib.import_module("gevent.queue")
    runtime = importlib.import_module("poolproof.runtime.gevent").GeventRuntime()
    faces = {
        "poolproof": ours(runtime, things()),
        "gevent.queue.LifoQueue": queued(queue.LifoQueue(), things()),
    }
    return Hub("gevent", lambda: module.sleep(0), module.spawn, module.joinall, faces)


def run(plan: Plan) -> dict[str, Any]:
    """Uncontended cycles, and crowds of green threads, in each hub that is installed."""
    hubs, missing = [], {}
    for make in (eventlet, gevent):
        try:
            hubs.append(make())
        except ImportError as error:
            missing[make.__name__] = f"not installed ({error})"
    runs: dict[tuple[str, str, str], Callable[[int], None]] = {}
    for hub in hubs:
        for name, face in hub.faces.items():
            for form, statement in zip(FORMS, (face.cycle, face.block), strict=True):
                if statement is not None:
                    runs[hub.name, name, form] = loop(statement, {"pool": face.pool})
    timings = side_by_side(runs, plan)
    crowds = crowded(plan, hubs)
    rows = [{"hub": hub, "name": name, "form": form, **each.as_json()} for (hub, name, form), each in timings.items()]
    return {
        "pooled": POOLED, "baselines": BASELINES, "rows": rows, "crowds": crowds, "seconds": plan.bout,
        "missing": missing,
    }  # fmt: skip


def crowded(plan: Plan, hubs: list[Hub]) -> list[dict[str, Any]]:
    """So many green threads share the things of each pool; all of them shuffled in each round."""
    by_name = {hub.name: hub for hub in hubs}
    order = [(tasks, hub.name, name) for tasks, hub in itertools.product(plan.tasks, hubs) for name in hub.faces]
    bouts: dict[tuple[int, str, str], list[Bout]] = {each: [] for each in order}
    for _ in range(plan.bouts):
        plan.random.shuffle(order)
        for tasks, hub, name in order:
            bouts[tasks, hub, name].append(bout(by_name[hub], by_name[hub].faces[name], tasks, plan.bout))
    return [{"hub": hub, "tasks": tasks, "name": name, **summary(taken)} for (tasks, hub, name), taken in bouts.items()]


def bout(hub: Hub, face: Face, tasks: int, seconds: float) -> Bout:
    members, cpu = [Member() for _ in range(tasks)], time.process_time()
    end = time.perf_counter() + seconds
    hub.join([hub.spawn(work, hub, face, member, end) for member in members])
    return Bout.of(members, seconds, time.process_time() - cpu)


def work(hub: Hub, face: Face, member: Member, end: float) -> None:
    clock = time.perf_counter
    while (begun := clock()) < end:
        lease = face.acquire()
        thing, now = face.resource(lease), clock()
        member.got(begun, now, thing.freed)
        hub.yields()
        member.done += now < end
        thing.freed = clock()
        face.release(lease)
