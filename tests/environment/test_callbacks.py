"""User code never runs under a lock, and may do everything."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import pytest

from environment.rig import Maker, Thing, at_rest, elsewhere
from poolproof import Pool, PoolError
from poolproof.core.values import PlainState
from poolproof.runtime import ThreadRuntime
from poolproof.runtime.threads import ThreadAtom

CALLBACKS = ["create", "destroy", "check", "reset", "observer"]


class WatchedRuntime(ThreadRuntime):
    """Threads whose atom can be asked whether its lock is taken."""

    __slots__ = ("atoms",)

    def __init__(self) -> None:
        self.atoms: list[WatchedAtom] = []

    def atom(self, value: PlainState) -> ThreadAtom:
        self.atoms.append(WatchedAtom(value))
        return self.atoms[-1]

    @property
    def locked(self) -> bool:
        return any(atom.locked for atom in self.atoms)


class WatchedAtom(ThreadAtom):
    __slots__ = ()

    @property
    def locked(self) -> bool:
        return self._owned()


class Prickly:
    """A resource that wants to be carried, and nothing else."""

    def refuse(self, *_: object) -> NoReturn:
        raise AssertionError("touched")

    __eq__ = __ne__ = __bool__ = __len__ = __repr__ = __str__ = __iter__ = refuse
    __lt__ = __contains__ = __format__ = refuse
    __hash__ = None  # type: ignore[assignment]

    def __getattribute__(self, name: str) -> NoReturn:
        raise AssertionError(f"asked for {name}")

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AssertionError(f"given {name}")


def everything(pool: Pool[Any], thing: Callable[[], Any]) -> None:
    """Every operation of the pool, in an order that reaches every callback; what the pool refuses is fine."""

    def lease_and(end: str) -> None:
        lease = pool.acquire(0)
        getattr(lease, end)()

    def use() -> None:
        with pool.acquire(0):
            pass

    def add_and_remove() -> None:
        one = thing()
        pool.add(one)
        pool.remove(one)

    operations: list[Callable[[], object]] = [
        use, use, lambda: lease_and("discard"), lambda: lease_and("detach"), add_and_remove, pool.maintain,
        lambda: pool.acquire(0, reset=id).release(), lambda: pool.resize(3), pool.expire_all, pool.try_acquire,
        pool.stats, pool.holders, lambda: repr(pool), lambda: pool.resize(4),
    ]  # fmt: skip
    for operation in operations:
        with suppress(PoolError):
            lease = operation()
            if hasattr(lease, "release"):
                lease.release()


@pytest.mark.clause("NO-CALLS-UNDER-LOCK", "RESOURCES-UNTOUCHED", "IDENTITY-ONLY")
def test_no_lock_is_held_in_any_callback_and_no_resource_is_touched() -> None:
    def callback(name: str, result: object = None) -> Callable[..., object]:
        def called(*_: object) -> object:
            assert not runtime.locked
            seen.append(name)
            return Prickly() if name == "create" else result

        return called

    seen: list[str] = []
    runtime = WatchedRuntime()
    pool: Pool[Any] = Pool(
        callback("create"), destroy=callback("destroy"), check=callback("check", True), reset=callback("reset"),
        observer=callback("observer"), resources=[Prickly(), Prickly()], max_size=4, runtime=runtime,
    )  # fmt: skip
    everything(pool, Prickly)
    pool.close(force=True)
    assert set(CALLBACKS) == set(seen)
    assert sum(atom.value[0] for atom in runtime.atoms) > 20  # versions count commits
    assert [] == at_rest(pool)


@pytest.mark.clause("NO-CALLS-UNDER-LOCK")
@pytest.mark.parametrize("where", ["here", "in another thread that is waited for"])
@pytest.mark.parametrize("name", CALLBACKS)
def test_callback_may_use_every_operation(name: str, where: str) -> None:
    def reenter(*_: object) -> None:
        if not inside:
            inside.append(True)
            try:
                if where == "here":
                    everything(pool, thing)
                else:
                    elsewhere(lambda: everything(pool, thing))
                entered.append(True)
            finally:
                inside.clear()

    def thing() -> Thing:
        return Thing(-1)

    def create() -> Thing:
        reenter()
        return maker.create()

    def destroy(thing: Thing) -> None:
        maker.destroy(thing)
        if name == "destroy":
            reenter()

    def check(thing: Thing) -> bool:
        reenter()
        return True

    inside, entered, maker = [True], list[bool](), Maker()
    options: dict[str, Any] = {"create": maker.create, "destroy": destroy}
    own: dict[str, Callable[..., object]] = {"create": create, "check": check, "reset": reenter, "observer": reenter}
    if name in own:
        options[name] = own[name]
    pool: Pool[Thing] = Pool(max_size=4, **options)
    inside.clear()
    everything(pool, thing)
    inside.append(True)
    pool.maintain()
    assert entered
    assert [] == at_rest(pool)
    assert all(thing.destroyed <= 1 for thing in maker.things)


@pytest.mark.clause("NO-CALLS-UNDER-LOCK", "CLOSE-TERMINATES")
@pytest.mark.parametrize("name", CALLBACKS)
def test_callback_may_close_the_pool(name: str) -> None:
    def close(*_: object) -> bool:
        if closable:
            pool.close()
        return True

    def create() -> Thing:
        if name == "create":
            close()
        return maker.create()

    def destroy(thing: Thing) -> None:
        maker.destroy(thing)
        if name == "destroy":
            close()

    closable, maker = list[bool](), Maker()
    options = {name: close} if name in ("check", "reset", "observer") else {}
    pool: Pool[Thing] = Pool(create, destroy=destroy, max_size=2, **options)  # type: ignore[arg-type]
    closable.append(True)
    everything(pool, maker.create)
    assert pool.close().closed
    assert [] == at_rest(pool)
