"""What a pool is made from: every option is validated before anything is created, and belongs to the caller."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from pool.conftest import MakePool
from pool.rig import Call, ClockRuntime, Raises, Thing, Workshop, same
from poolproof import DuplicateResource, Pool
from poolproof.runtime import ThreadRuntime

NAN = float("nan")
COUNTS = ("max_size", "min_size", "max_free", "shrink_to", "max_uses", "max_waiting")
SECONDS = ("max_age", "max_idle", "max_lease", "timeout", "housekeeping", "retry_delay", "retry_delay_max")
CALLBACKS = ("create", "destroy", "check", "reset", "observer")

WRONG_KIND: list[tuple[str, object]] = [
    *((name, value) for name in CALLBACKS for value in (1, "create", Thing())),
    *((name, value) for name in COUNTS for value in (True, False, 1.0, "1", [1])),
    *((name, value) for name in SECONDS for value in (True, False, "1", [1], 1j)),
    ("min_size", None), ("retry_delay", None), ("retry_delay_max", None),
    *(("max_age_jitter", value) for value in (True, "0.5", None)),
    *(("order", value) for value in (1, None, ["lifo"])),
    *(("when_empty", value) for value in (1, None)),
    *(("revoke_overdue", value) for value in (1, 0, None, "yes")),
    ("name", 5), ("name", b"db"),
    *(("discard_on", value) for value in (5, [ValueError()], ["ValueError"], [int], int, [[ValueError]])),
    *(("executor", value) for value in (5, Thing(), lambda job: job())),
    ("resources", 5), ("resources", Thing()),
    *(("runtime", value) for value in (5, Thing())),
    ("max_lifetime", 5), ("size", 5),
]  # fmt: skip

OUT_OF_RANGE: list[tuple[str, object]] = [
    *((name, value) for name in COUNTS for value in (-1, -(10**30))),
    ("max_uses", 0),
    *((name, value) for name in SECONDS for value in (-1, -0.001, NAN, float("-inf"), 10**400)),
    ("housekeeping", 0), ("housekeeping", 0.0),
    *(("max_age_jitter", value) for value in (-0.1, 1.1, NAN, float("inf"))),
    ("order", "random"), ("order", "LIFO"), ("when_empty", "block"),
]  # fmt: skip

CONTRADICTIONS: list[dict[str, Any]] = [
    {"min_size": 3, "max_size": 2},
    {"max_size": 1, "resources": [Thing(), Thing()]},
    {"max_free": 1, "shrink_to": 2},
    {"shrink_to": 2},
    {"max_age_jitter": 0.5},
    {"revoke_overdue": True},
    {"executor_for": ["build"]},
    {"retry_delay": 61.0},
    {"retry_delay": 2.0, "retry_delay_max": 1.0},
    {"create": None, "resources": [Thing()], "min_size": 2},
]


def _label(value: object) -> str:
    """The same in every process: no addresses, and nothing endless."""
    return type(value).__name__ if " at 0x" in repr(value) else str(value)[:20]


def _refused(shop: Workshop, error: type[Exception], options: dict[str, Any]) -> str:
    given = {"create": shop.create, "destroy": shop.destroy, "min_size": 1, **options}
    with pytest.raises(error) as caught:
        Pool(**given)
    assert shop.made == shop.destroyed == []
    return str(caught.value)


@pytest.mark.clause("INPUTS-VALIDATED")
@pytest.mark.parametrize(("option", "value"), WRONG_KIND, ids=_label)
def test_option_of_the_wrong_kind_is_a_type_error_before_anything_is_made(
    shop: Workshop, option: str, value: object
) -> None:
    message = _refused(shop, TypeError, {option: value})
    assert option in message
    assert "[INPUTS-VALIDATED]" in message or "unexpected keyword" in message


@pytest.mark.clause("INPUTS-VALIDATED")
@pytest.mark.parametrize(("option", "value"), OUT_OF_RANGE, ids=_label)
def test_option_out_of_range_is_a_value_error_that_names_it(shop: Workshop, option: str, value: object) -> None:
    message = _refused(shop, ValueError, {option: value})
    assert option in message
    assert "[INPUTS-VALIDATED]" in message


@pytest.mark.clause("INPUTS-VALIDATED")
@pytest.mark.parametrize("options", CONTRADICTIONS, ids="-".join)
def test_options_that_contradict_are_a_value_error_that_names_them(shop: Workshop, options: dict[str, Any]) -> None:
    message = _refused(shop, ValueError, options)
    assert any(option in message for option in options)
    assert "[INPUTS-VALIDATED]" in message


@pytest.mark.clause("INPUTS-VALIDATED", "INPUTS-YOURS")
@pytest.mark.parametrize(
    "options",
    [
        *(options for options in CONTRADICTIONS if "resources" not in options),
        {"discard_on": [5]}, {"runtime": 5}, {"executor": 5}, {"executor_for": 5}, {"discard_on": 5}, {"name": 5},
    ],
    ids="-".join,
)  # fmt: skip
def test_a_generator_of_resources_is_not_read_in_vain(shop: Workshop, options: dict[str, Any]) -> None:
    """What is wrong with other options is found first: it may be read only once."""
    things = [Thing() for _ in range(3)]
    generator = iter(things)
    with pytest.raises((TypeError, ValueError)):
        Pool(**{"create": shop.create, "resources": generator, **options})
    assert same(things, list(generator))


@pytest.mark.clause("INPUTS-VALIDATED")
def test_executor_for_names_known_work_only(shop: Workshop) -> None:
    with ThreadPoolExecutor(1) as executor:
        _refused(shop, ValueError, {"executor": executor, "executor_for": ["check"]})
        _refused(shop, TypeError, {"executor": executor, "executor_for": [1]})
        for value in (1, [["build"]]):
            message = _refused(shop, TypeError, {"executor": executor, "executor_for": value})
            assert "executor_for" in message
            assert "[INPUTS-VALIDATED]" in message


@pytest.mark.clause("INPUTS-VALIDATED")
def test_a_pool_without_create_and_resources_makes_no_sense() -> None:
    with pytest.raises(TypeError, match="create"):
        Pool()


@pytest.mark.clause("INPUTS-VALIDATED")
def test_only_create_may_be_positional(shop: Workshop) -> None:
    with pytest.raises(TypeError):
        Pool(shop.create, [Thing()])  # type: ignore[call-arg]


@pytest.mark.clause("INPUTS-VALIDATED", "NO-DUPLICATES")
def test_a_resource_given_twice_is_a_duplicate(shop: Workshop) -> None:
    thing = Thing()
    with pytest.raises(DuplicateResource):
        Pool(resources=[thing, Thing(), thing], destroy=shop.destroy)
    assert shop.destroyed == []


@pytest.mark.clause("INPUTS-VALIDATED", "INVALID-UNCHANGED")
@pytest.mark.parametrize("value", [-1, -0.5, NAN, float("-inf"), 10**400], ids=_label)
def test_seconds_out_of_range_change_nothing(make: MakePool, value: float) -> None:
    pool = make()
    before = pool.stats()
    with pytest.raises(ValueError, match="timeout"):
        pool.acquire(value)
    with pytest.raises(ValueError, match="grace"):
        pool.close(value)
    assert before == pool.stats()


@pytest.mark.clause("INPUTS-VALIDATED", "INVALID-UNCHANGED")
@pytest.mark.parametrize(
    "misuse",
    [
        lambda pool: pool.acquire("1"),
        lambda pool: pool.acquire(True),
        lambda pool: pool.acquire(1j),
        lambda pool: pool.acquire(reset=5),
        lambda pool: pool.acquire(1, print),
        lambda pool: pool.try_acquire(reset="reset"),
        lambda pool: pool.try_acquire(1),
        lambda pool: pool.resize(True),
        lambda pool: pool.resize(2.0),
        lambda pool: pool.resize("2"),
        lambda pool: pool.close(True),
        lambda pool: pool.close("1"),
        lambda pool: pool.close(force=1),
        lambda pool: pool.close(force=None),
        lambda pool: pool.add(),
        lambda pool: pool.remove(),
    ],
)
def test_argument_of_the_wrong_kind_changes_nothing(make: MakePool, misuse: Callable[[Pool[Any]], object]) -> None:
    pool = make()
    before = pool.stats()
    with pytest.raises(TypeError):
        misuse(pool)
    assert before == pool.stats()


@pytest.mark.clause("INPUTS-VALIDATED", "INVALID-UNCHANGED")
@pytest.mark.parametrize("size", [-1, 1])
def test_resize_below_min_size_or_zero_changes_nothing(make: MakePool, size: int) -> None:
    pool = make(min_size=2, max_size=4)
    before = pool.stats()
    with pytest.raises(ValueError, match="max_size"):
        pool.resize(size)
    assert before == pool.stats()


@pytest.mark.clause("INPUTS-VALIDATED")
def test_extreme_but_sensible_options_are_taken(make: MakePool, shop: Workshop) -> None:
    forever = float("inf")
    pool = make(
        max_size=10**30, max_free=0, shrink_to=0, max_waiting=0, timeout=forever, max_age=forever, max_age_jitter=1,
        max_idle=forever, max_lease=forever, revoke_overdue=True, max_uses=10**30, retry_delay=5, retry_delay_max=5,
        discard_on=ValueError, name="", order="fifo", when_empty="raise", check=shop.check, reset=shop.reset,
    )  # fmt: skip
    with pool.acquire() as thing:
        assert thing is shop.made[0]
    assert pool.acquire(forever).detach() is not None
    pool.maintain()
    assert (10**30, "") == (pool.stats().limit, pool.name)


@pytest.mark.clause("INPUTS-VALIDATED")
def test_a_pool_of_nothing_makes_everybody_wait(make: MakePool, clock: ClockRuntime) -> None:
    pool = make(max_size=0)
    assert pool.try_acquire() is None
    waiter = Call(pool.acquire)
    clock.until_asleep(1)
    pool.resize(1)
    waiter.result().release()


@pytest.mark.clause("INPUTS-YOURS")
def test_iterables_are_copied_once_and_never_changed(make: MakePool) -> None:
    things = [Thing(), Thing()]
    kinds: list[type[BaseException]] = [ValueError]
    pool = make(resources=things, discard_on=kinds)
    given = list(things)
    kinds.append(KeyError)
    things.clear()
    assert 2 == pool.stats().free
    with pytest.raises(KeyError), pool.acquire():
        raise KeyError
    assert (2, [ValueError, KeyError]) == (pool.stats().free, kinds)
    leases = [pool.acquire(), pool.acquire()]
    assert same(given[::-1], [lease.resource for lease in leases]) or same(given, [x.resource for x in leases])
    for lease in leases:
        lease.release()


@pytest.mark.clause("INPUTS-YOURS")
def test_a_generator_is_read_once_and_to_its_end(make: MakePool) -> None:
    read: list[Thing] = []

    def things() -> Iterator[Thing]:
        for _ in range(3):
            read.append(Thing())
            yield read[-1]

    pool = make(resources=things())
    assert (3, 3, 3) == (len(read), pool.stats().free, pool.stats().added)


@pytest.mark.clause("INPUTS-VALIDATED", "BUILT-UNDONE")
def test_an_iterable_that_raises_fails_the_construction_unchanged(shop: Workshop) -> None:
    error = OSError("no more")

    def things() -> Iterator[Thing]:
        yield Thing()
        raise error

    with pytest.raises(OSError, match="no more") as caught:
        Pool(shop.create, resources=things(), destroy=shop.destroy, min_size=3)
    assert caught.value is error
    assert shop.made == shop.destroyed == []


@pytest.mark.clause("FREE-ORDER")
def test_given_resources_become_free_in_the_order_given(make: MakePool) -> None:
    things = [Thing(), Thing(), Thing()]
    fifo = make(resources=things, order="fifo")
    leases = [fifo.acquire() for _ in things]
    assert same(things, [lease.resource for lease in leases])
    lifo = make(resources=[Thing()])
    lifo.add(latest := Thing())
    with lifo.acquire() as first:
        assert first is latest
    for lease in leases:
        lease.release()


@pytest.mark.clause("BUILT-UNDONE")
@pytest.mark.parametrize("error", [OSError("down"), StopIteration(), KeyboardInterrupt(), SystemExit(3)], ids=repr)
def test_a_failed_construction_destroys_what_it_built_and_nothing_given(shop: Workshop, error: BaseException) -> None:
    def create() -> Thing:
        if len(shop.made) == 2:
            raise error
        return shop.create()

    given = Thing()
    with pytest.raises(type(error)) as caught:
        Pool(create, resources=[given], destroy=shop.destroy, min_size=4)
    assert caught.value is error
    assert same(shop.made, shop.destroyed)


@pytest.mark.clause("BUILT-UNDONE", "CALLBACK-FAULTS")
@pytest.mark.parametrize("error", [OSError("down"), KeyboardInterrupt()], ids=repr)
def test_undoing_a_construction_goes_on_when_destroy_fails(shop: Workshop, error: BaseException) -> None:
    def create() -> Thing:
        if len(shop.made) == 3:
            raise LookupError("no fourth")
        return shop.create()

    shop.on_destroy = Raises(error)
    with pytest.raises(LookupError if isinstance(error, Exception) else KeyboardInterrupt):
        Pool(create, destroy=shop.destroy, min_size=4)
    assert same(shop.made, shop.destroyed)


@pytest.mark.clause("BUILT-UNDONE", "NO-DUPLICATES", "DESTROY-ONCE")
def test_a_create_that_repeats_itself_fails_the_construction_and_is_destroyed_once(shop: Workshop) -> None:
    thing = Thing()
    with pytest.raises(DuplicateResource):
        Pool(lambda: thing, destroy=shop.destroy, min_size=2)
    assert same([thing], shop.destroyed)


@pytest.mark.clause("BUILT-UNDONE", "NO-DUPLICATES")
def test_a_create_that_returns_a_given_resource_does_not_get_it_destroyed(shop: Workshop) -> None:
    given = Thing()
    with pytest.raises(DuplicateResource):
        Pool(lambda: given, resources=[given], destroy=shop.destroy, min_size=2)
    assert shop.destroyed == []


@pytest.mark.clause("BUILT-UNDONE")
def test_a_housekeeper_that_cannot_start_leaves_nothing_behind(shop: Workshop) -> None:
    class NoThreads(ThreadRuntime):
        def spawn(self, target: Callable[[], None], name: str) -> None:
            raise RuntimeError("can't start new thread")

    with pytest.raises(RuntimeError, match="new thread"):
        Pool(shop.create, resources=[Thing()], destroy=shop.destroy, min_size=2, housekeeping=1, runtime=NoThreads())
    assert same(shop.made, shop.destroyed)


@pytest.mark.clause("MIN-SIZE")
def test_construction_builds_what_the_resources_lack_of_min_size(make: MakePool, shop: Workshop) -> None:
    pool = make(shop.create, resources=[Thing()], min_size=3)
    stats = pool.stats()
    assert (2, 1, 3, 3) == (stats.created, stats.added, stats.free, stats.min_size)


@pytest.mark.clause("CAPACITY")
def test_none_means_unbounded_also_with_resources(make: MakePool) -> None:
    pool = make(resources=[Thing()])
    pool.add(Thing())
    assert (None, 2) == (pool.stats().limit, pool.stats().free)
