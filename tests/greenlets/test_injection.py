"""A kill, a Timeout or any other exception, thrown at every switch of every operation, loses nothing.

A greenlet can be thrown into only where it has switched away. So there are finitely many places, and all of them are
struck: the nth switch, at once or after the hub went round once or more, when whatever ends the sleep has happened.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from itertools import count, cycle

import pytest

from greenlets.hubs import Call, GreenletExit, Hub
from greenlets.world import Injection, World, quiet
from poolproof import AcquireTimeout, CheckFailed, NotPooled

ROUNDS = 6


class Surprise(Exception):
    """An error of somebody else's."""


def forgets(world: World) -> None:
    """If it is thrown into, nobody ends the lease but the collector."""
    lease = world.pool.acquire()
    world.hub.pause()
    lease.release()


def uses(world: World) -> None:
    with world.pool.acquire():
        world.hub.pause()


def uses_twice(world: World) -> None:
    with contextlib.suppress(CheckFailed):
        uses(world)
    with contextlib.suppress(CheckFailed):
        uses(world)


def resets_its_own_way(world: World) -> None:
    with world.pool.acquire(reset=world.hub.pause):
        pass


def waits_for_a_deadline(world: World) -> None:
    with pytest.raises(AcquireTimeout):
        world.pool.acquire(0.0005)


def tries(world: World) -> None:
    lease = world.pool.try_acquire()
    if lease is not None:
        lease.release()


def discards(world: World) -> None:
    world.pool.acquire().discard()


def detaches(world: World) -> None:
    lease = world.pool.acquire()
    world.kept.append(lease.resource)
    lease.detach()


def closes(world: World) -> None:
    world.pool.close(grace=None)


def closes_by_force(world: World) -> None:
    world.pool.close(grace=0.0005, force=True)


def resizes(world: World) -> None:
    world.pool.resize(1)
    world.pool.resize(2)


def expires_all(world: World) -> None:
    world.pool.expire_all()


def maintains(world: World) -> None:
    world.pool.maintain()


def removes(world: World) -> None:
    with contextlib.suppress(NotPooled):
        world.pool.remove(world.made[0])


def alone(hub: Hub) -> World:
    return World(hub)


def resetting(hub: Hub) -> World:
    return World(hub, {"reset": hub.pause})


def checked(hub: Hub) -> World:
    return World(hub, {"check": hub.approve})


def doubtful(hub: Hub) -> World:
    """Every other check fails."""
    verdicts = cycle([True, False])
    return World(hub, {"check": lambda _: hub.approve() and next(verdicts)})


def busy(hub: Hub) -> World:
    """Both slots are held, and released one by one."""
    world = World(hub)
    world.hold(2)
    for lease in world.held:
        world.beside(lease.release)
    return world


def crowded(hub: Hub) -> World:
    """Both slots are held; others wait as well, before and behind."""
    world = World(hub, {"reset": hub.pause})
    world.hold(2)
    world.beside(lambda: uses(world))
    world.beside(lambda: uses(world))
    world.beside(world.held[0].release)
    world.beside(world.held[1].discard)
    world.beside(lambda: uses(world))
    hub.pause()
    return world


def crumbling(hub: Hub) -> World:
    """What is held is destroyed, so that whoever waits has to build."""
    world = World(hub)
    world.hold(2)
    for lease in world.held:
        world.beside(lease.discard)
    return world


def full(hub: Hub) -> World:
    """Both slots are held, and for longer than anybody waits."""
    world = World(hub)
    world.hold(2)
    return world


def wanted(hub: Hub) -> World:
    """Two slots are free, and soon others want them."""
    world = World(hub, {"check": hub.approve})
    world.hold(2)
    for lease in world.held:
        lease.release()
    for _ in range(3):
        world.beside(lambda: uses(world))
    return world


CASES = [
    (forgets, alone), (forgets, resetting), (uses, alone), (uses_twice, checked), (uses_twice, doubtful),
    (resets_its_own_way, resetting), (resets_its_own_way, crowded), (tries, alone), (tries, wanted),
    (uses, wanted), (uses, busy), (uses, crowded), (uses, crumbling), (waits_for_a_deadline, full),
    (discards, alone), (discards, crowded), (discards, busy), (detaches, crowded), (closes, busy), (closes, crowded),
    (closes, crumbling), (closes_by_force, full), (closes_by_force, crowded), (resizes, wanted),
    (expires_all, wanted), (maintains, wanted), (removes, wanted),
]  # fmt: skip


def errors(hub: Hub) -> list[Callable[[], BaseException]]:
    return [GreenletExit, lambda: hub.timeout(None), Surprise]


def swallowed(call: Call, error: BaseException) -> bool:
    """An ordinary error of a callback that returns to nobody is logged. Nothing else is."""
    return call.error is None and isinstance(error, Surprise)


@pytest.mark.clause(
    "CANCELLATION-SURVIVES",
    "ONE-OUTCOME",
    "GRANT-STANDS",
    "DUTY-OWNED",
    "CONSERVATION",
    "DESTROY-ONCE",
    "TRACE-REPLAYS",
)
@pytest.mark.parametrize(("operation", "situation"), CASES, ids=lambda function: function.__name__)
def test_nothing_is_lost_at_any_switch(
    hub: Hub,
    operation: Callable[[World], None],
    situation: Callable[[Hub], World],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    struck = 0
    with quiet():
        for kind in errors(hub):
            for rounds in range(ROUNDS):
                monkeypatch.setattr(World, "observed", rounds % 3 == 0)
                for nth in count():
                    where = f"{kind}, switch {nth}, {rounds} rounds later"
                    error = kind()
                    world = situation(hub)
                    injection = Injection(hub, error, nth, rounds)
                    call = injection.run(lambda world=world: operation(world))  # type: ignore[misc]
                    hub.settle(ROUNDS)
                    assert [] == world.end(), where
                    assert call.error in ((error,) if injection.struck else (None,)) or swallowed(call, error), where
                    if not injection.aimed:
                        break
                    struck += injection.struck
    assert struck > 0, "it never switches"
