"""Forks in the middle of things: by a signal handler at any point of an operation, and inside a check."""

from __future__ import annotations

import dis
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

import pytest

import poolproof
from environment.injection import Grain, Place
from environment.rig import WATCHDOG, Maker, Thing, at_rest, complaints, pooled
from environment.test_forks import end_child, in_child, unharmed
from environment.test_interruption_points import FORWARD, HARMLESS
from poolproof import Lease, Pool, StaleLease, forks
from poolproof.work import if_ours
from tracing import run_traced

OURS = str(Path(poolproof.__file__).parent)

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork"),
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning"),
]


class Shop(Maker):
    """Notes what is done to which thing."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[str, Thing]] = []

    def note(self, what: str) -> Callable[[Thing], bool]:
        def noted(thing: Thing) -> bool:
            self.done.append((what, thing))
            return True

        return noted


class Forker:
    """Forks at the *nth* point of an operation, as a signal handler may; not where CPython handles no signal."""

    def __init__(self, pool: Pool[Thing], shop: Shop, nth: int, grain: Grain) -> None:
        self.pool = pool
        self.shop = shop
        self.left = nth
        self.grain = grain
        self.child: int | None = None
        self.place: Place | None = None

    def __call__(self, frame: FrameType, event: str, arg: Any) -> Any:
        if event == "call":
            if not frame.f_code.co_filename.startswith(OURS):
                return None
            frame.f_trace = self
            frame.f_trace_opcodes = self.grain == "opcode"
            frame.f_trace_lines = self.grain == "line"
        elif event == self.grain and self.child is None and not uninterrupted(frame, self.pool):
            if not self.left:
                self.place = Place(frame.f_code.co_qualname, frame.f_lineno, frame.f_lasti)
                self.fork()
            self.left -= 1
        return self

    def fork(self) -> None:
        self.things, self.done = len(self.shop.things), len(self.shop.done)
        self.held = self.pool.stats().checked_out
        self.child = os.fork()

    def run(self, operation: Callable[[], object]) -> BaseException | None:
        """What the operation raised, in this process."""
        try:
            run_traced(self, operation)
        except BaseException as error:
            return error
        return None

    def complaints_of_child(self, error: BaseException | None) -> None:
        """The operation ended well, or found its lease, which was granted before, to be the parent's; and it left
        alone all that is the parent's."""
        if error is not None and not (isinstance(error, StaleLease) and self.held):
            raise error
        inherited = self.shop.things[: self.things]
        assert [] == [deed for deed in self.shop.done[self.done :] if deed[1] in inherited]
        assert [] == complaints(self.pool)
        self.pool.maintain()
        assert [] == at_rest(self.pool)
        assert not set(inherited) & set(pooled(self.pool))
        assert self.pool.close().closed
        assert [] == [deed for deed in self.shop.done[self.done :] if deed[1] in inherited]
        # A create that the parent owed, and that the child called, may share who knows what with it.
        new = [thing for thing in self.shop.things[self.things :] if thing not in forks._inherited]
        ended = [thing for what, thing in self.shop.done[self.done :] if what == "destroy"]
        assert new == sorted(ended, key=new.index)


def uninterrupted(frame: FrameType, pool: Pool[Any]) -> bool:
    """Whether CPython handles no signal here: in a commit, and between a last look and the call of a callback."""
    atom: Any = pool._driver.atom
    return bool(atom._owned()) or frame.f_code is if_ours.__code__


Prepare = Callable[[Pool[Thing]], Callable[[], object]]


def use(pool: Pool[Thing]) -> Callable[[], object]:
    def operation() -> None:
        pool.acquire(WATCHDOG).release()

    return operation


def use_free(pool: Pool[Thing]) -> Callable[[], object]:
    pool.acquire().release()
    return use(pool)


def ending(how: str) -> Prepare:
    def prepare(pool: Pool[Thing]) -> Callable[[], object]:
        end: Callable[[], object] = getattr(pool.acquire(), how)
        return end

    return prepare


def calling(what: str) -> Prepare:
    def prepare(pool: Pool[Thing]) -> Callable[[], object]:
        pool.acquire().release()
        operation: Callable[[], object] = getattr(pool, what)
        return operation

    return prepare


def fork_at(prepare: Prepare, options: dict[str, Any], nth: int, grain: Grain) -> str | None:
    """Fork once in an operation, let both processes go on, look at both. What is wrong; None if the operation ended
    before."""
    shop = Shop()
    options = {name: shop.note(name) for name in options.get("notes", ())} | {"max_size": 2}
    pool = Pool(shop.create, destroy=shop.note("destroy"), **options)
    operation = prepare(pool)
    forker = Forker(pool, shop, nth, grain)
    reader, writer = os.pipe()
    error = forker.run(operation)
    if forker.child == 0:
        end_child(lambda: forker.complaints_of_child(error), writer)
    os.close(writer)
    with os.fdopen(reader) as report:
        failure = report.read()
    if forker.child is None:
        return None
    os.waitpid(forker.child, 0)
    found = [*([f"in the child: {failure}"] if failure else []), *([repr(error)] if error else []), *at_rest(pool)]
    assert pool.close().closed
    if len(shop.things) != sum(what == "destroy" for what, _ in shop.done) + pool.stats().detached:
        found.append(f"{len(shop.things)} made; {shop.done}")
    return f"{forker.place}: {found}" if found else ""


def both(operation: Callable[[], Any], children: list[int], child_only: Callable[[Any], object]) -> Any:
    """The result of an operation that forks on its way, in the parent; the child ends with *child_only*."""
    reader, writer = os.pipe()
    result, error = None, None
    try:
        result = operation()
    except BaseException as raised:
        error = raised
    if children == [0]:
        end_child(lambda: child_only(result if error is None else raise_(error)), writer)
    os.close(writer)
    with os.fdopen(reader) as report:
        failure = report.read()
    assert (children[0], 0) == os.waitpid(children[0], 0), failure
    if error is not None:
        raise error
    return result


def raise_(error: BaseException) -> NoReturn:
    raise error


OPERATIONS = [
    pytest.param(use_free, {}, "opcode", id="quick"),
    pytest.param(use, {}, "line", id="build"),
    pytest.param(use_free, {"notes": ["observer"]}, "line", id="observed"),
    pytest.param(use_free, {"notes": ["reset"]}, "line", id="reset"),
    pytest.param(use_free, {"notes": ["check"]}, "line", id="checked"),
    pytest.param(ending("discard"), {}, "line", id="discard"),
    pytest.param(ending("detach"), {}, "line", id="detach"),
    pytest.param(calling("expire_all"), {}, "line", id="expire all"),
    pytest.param(calling("maintain"), {"notes": ["check"]}, "line", id="maintain"),
    pytest.param(calling("close"), {}, "line", id="close"),
]


def wrong(prepare: Prepare, options: dict[str, Any], grain: Grain, stride: int) -> list[str]:
    """What a fork breaks at the points 0, *stride*, 2 × *stride*, … of an operation."""
    found = []
    for nth in count(0, stride):
        broken = fork_at(prepare, options, nth, grain)
        if broken is None:
            break
        found.append(broken)
    assert len(found) > 6
    return [broken for broken in found if broken]


@pytest.mark.clause("FORK-SAFE", "FORK-LEASES")
@pytest.mark.parametrize(("prepare", "options", "grain"), OPERATIONS)
def test_fork_at_many_points_of_an_operation(prepare: Prepare, options: dict[str, Any], grain: Grain) -> None:
    assert [] == wrong(prepare, options, grain, stride=5)


@pytest.mark.exhaustive
@pytest.mark.clause("FORK-SAFE", "FORK-LEASES")
@pytest.mark.parametrize(("prepare", "options", "grain"), OPERATIONS)
def test_fork_at_any_point_of_an_operation(prepare: Prepare, options: dict[str, Any], grain: Grain) -> None:
    assert [] == wrong(prepare, options, grain, stride=1)


@pytest.mark.clause("FORK-SAFE", "ASYNC-EXCEPTION-SAFE")
def test_nothing_interrupts_between_the_last_look_and_the_callback() -> None:
    """A fork may come before this generator looks whose resource it is, or after a callback was called with it."""
    instructions = [*dis.get_instructions(if_ours)]
    begin = max(i for i, each in enumerate(instructions) if each.opname == "RESUME" and each.arg == 0)
    end = next(i for i, each in enumerate(instructions) if each.opname == "YIELD_VALUE")
    between = {each.opname for each in instructions[begin + 1 : end]}
    assert {"LOAD_ATTR", "COMPARE_OP"} <= between
    assert set() == between - HARMLESS - FORWARD - {"COMPARE_OP"}


@pytest.mark.clause("FORK-SAFE")
@pytest.mark.parametrize("where", ["acquire", "maintain"])
@pytest.mark.parametrize("verdict", [True, False])
def test_fork_inside_a_check(where: str, verdict: bool) -> None:
    """In the child the acquire starts anew, with a resource of its own, whatever the check says of the parent's."""

    def check(thing: Thing) -> bool:
        if forking:
            forking.clear()
            children.append(os.fork())
            return verdict
        return True

    def child_only(lease: Lease[Thing] | None) -> None:
        unharmed(maker.things[0])
        if lease is not None:
            assert lease.held
            assert lease.resource is maker.things[-1] is not maker.things[0]
            lease.release()
        assert [] == at_rest(pool)
        assert pool.close().closed
        unharmed(maker.things[0])

    forking, children, maker = list[bool](), list[int](), Maker()
    pool = Pool(maker.create, destroy=maker.destroy, check=check, max_size=2)
    pool.acquire().release()
    forking.append(True)
    lease = both(lambda: pool.acquire(WATCHDOG) if where == "acquire" else pool.maintain(), children, child_only)
    if lease is not None:
        lease.release()
    assert [] == at_rest(pool)
    assert verdict == (not maker.things[0].destroyed)


@pytest.mark.clause("FORK-SAFE")
def test_a_child_has_the_quick_way_again() -> None:
    """Its pool looks at its own state, and not for ever at what the parent's was."""

    def child() -> None:
        pool.acquire().release()
        Pool._acquire_slowly = slow_way_is_closed  # type: ignore[assignment]
        pool.acquire().release()

    def slow_way_is_closed(*_: object) -> NoReturn:
        raise AssertionError("it went the slow way")

    maker = Maker()
    pool = Pool(maker.create, destroy=maker.destroy, max_size=1)
    pool.acquire().release()
    in_child(child)
    assert [] == at_rest(pool)
