"""Defects of the Pool of ProxyPatternPool 11.6: each is there, and is not in what stands in for it."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from compat.peers import GLIMPSE, WATCHDOG, in_thread, load, outcome, pass_time, shows

REAL, OURS = load("ProxyPatternPool"), load("poolproof.compat.proxypatternpool")


class Equal:
    """Equal to every other, and hashable."""

    def __init__(self, _: int) -> None: ...

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


@pytest.fixture(autouse=True)
def _log_level_is_put_back() -> Iterator[None]:
    yield
    logging.getLogger("ppp").setLevel(logging.NOTSET)


def raises(error: type[BaseException]) -> Callable[[object], None]:
    """A hook that raises."""

    def hook(_: object) -> None:
        raise error

    return hook


def stale_return_takes_it_from_its_holder(module: Any) -> bool:
    pool = module.Pool(lambda n: object(), max_size=1)
    thing = pool.get()
    pool.ret(thing)
    assert in_thread(pool.get) is thing
    pool.ret(thing)
    return outcome(lambda: pool.get(0.01)) is thing


def more_objects_than_the_limit(module: Any) -> bool:  # D07
    return outcome(lambda: module.Pool(lambda n: object(), min_size=3, max_size=2)) is not ValueError


def two_objects_have_one_number(module: Any) -> bool:  # D09
    both = threading.Barrier(2)

    def fun(number: int) -> tuple[int]:
        if both is not None:
            both.wait(WATCHDOG)
        return (number,)

    pool = module.Pool(lambda n: (n,), min_size=0)
    pool._min_size = 1  # one to be filled in while another one is made
    if module is REAL:
        pool._fun = fun
        makers = [threading.Thread(target=pool._create, daemon=True) for _ in range(2)]
    else:
        pool = module.Pool(fun, min_size=0)
        makers = [threading.Thread(target=pool.get, daemon=True) for _ in range(2)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join(WATCHDOG)
    made = pool._uses if module is REAL else pool._using
    return len(set(made)) == 1


def an_interrupted_getter_loses_the_object(module: Any) -> bool:  # D11
    pool = module.Pool(lambda n: object(), max_size=1, getter=raises(KeyboardInterrupt))
    assert outcome(pool.get) is KeyboardInterrupt
    return outcome(lambda: pool.get(0.01)) is module.TimeOut


def an_interrupted_retter_loses_the_object(module: Any) -> bool:  # D52
    pool = module.Pool(lambda n: object(), max_size=1, retter=raises(KeyboardInterrupt))
    thing = pool.get()
    assert outcome(lambda: pool.ret(thing)) is KeyboardInterrupt
    return outcome(lambda: pool.get(0.01)) is module.TimeOut


def logging_at_debug_level_changes_what_happens(module: Any) -> bool:  # D12, D41
    pool = module.Pool(lambda n: object(), tracer=raises(ValueError), log_level=logging.DEBUG, min_size=0)
    return outcome(pool.get) is ValueError


def health_frequency_zero_ends_the_housekeeping(module: Any) -> bool:  # D14
    pool = module.Pool(lambda n: n, health=lambda _: True, health_freq=0, delay=0.01)
    pass_time(0.1)
    return pool._housekeeper is None or not pool._housekeeper.is_alive()


def unhashable_objects_are_refused(module: Any) -> bool:
    return outcome(lambda: module.Pool(lambda n: [n], min_size=0).get()) is TypeError


def equal_objects_are_confused(module: Any) -> bool:
    pool = module.Pool(Equal, min_size=0)
    return pool.get() is not pool.get() and len(pool._using) == 1


def zero_waits_for_ever(module: Any) -> bool:
    pool = module.Pool(lambda n: n, max_size=1)
    pool.get()
    return bool(in_thread(lambda: outcome(lambda: pool.get(0)), GLIMPSE) == "hangs")


def deleting_loses_what_is_in_use(module: Any) -> bool:  # D49
    pool = module.Pool(lambda n: object(), max_size=1)
    thing = pool.get()
    pool.__delete__()
    pool.ret(thing)
    return outcome(lambda: pool.get(0.01)) is module.TimeOut


def deleting_closes_what_is_in_use(module: Any) -> bool:
    closed: list[object] = []
    pool = module.Pool(lambda n: n, closer=closed.append)
    pool.get()
    pool.__delete__()
    return closed == [0]


def shutting_down_leaves_waiters_waiting(module: Any) -> bool:
    pool = module.Pool(lambda n: n, max_size=1)
    pool.get()
    found: list[Any] = []
    waiter = threading.Thread(target=lambda: found.append(outcome(pool.get)), daemon=True)
    waiter.start()
    pass_time(0.05)
    pool.shutdown()
    waiter.join(GLIMPSE)
    return found != [module.PoolException]


def fun_is_called_under_the_lock(module: Any) -> bool:
    found: list[object] = []

    def fun(number: int) -> int:
        found.append(in_thread(lambda: len(pool.stats()) > 0, GLIMPSE))
        return number

    pool = module.Pool(fun, min_size=0)
    pool.get()
    return found == ["hangs"]


def stats_hook_is_called_under_the_lock(module: Any) -> bool:
    found: list[object] = []
    pool: Any = module.Pool(lambda n: n, stats=lambda _: found.append(in_thread(pool.get, GLIMPSE)))
    pool.stats()
    return found == ["hangs"]


def unhealthy_object_in_use_is_closed(module: Any) -> bool:
    """A health check hands the object back before it takes it out: whoever is faster gets a bad one."""
    closed: list[object] = []
    got: list[object] = []

    def health(number: object) -> bool:
        return number != 1

    pool = module.Pool(lambda n: n + 1, health=health, delay=1000.0, closer=closed.append)
    if module is REAL:
        give_back = pool._return

        def overtake(obj: object) -> None:
            give_back(obj)
            got.append(pool.get())

        pool._return = overtake
        pool._health_check()
    else:
        pool._kept.maintain()
        got.append(pool.get())
    return got == [1]


def falsy_object_is_never_checked(module: Any) -> bool:
    asked: list[object] = []
    pool = module.Pool(lambda n: 0, health=asked.append, delay=1000.0)
    (pool._health_check if module is REAL else pool._kept.maintain)()
    return asked == []


def newcomer_overtakes(module: Any) -> bool:
    """Waiters are woken in no order, and whoever comes meanwhile is first."""
    pool = module.Pool(lambda n: n, max_size=1)
    thing, served, threads = pool.get(), list[int](), list[threading.Thread]()

    def wait(number: int) -> None:
        pool.get()
        served.append(number)

    for number in range(2):
        threads.append(threading.Thread(target=wait, args=(number,), daemon=True))
        threads[-1].start()
        pass_time(0.05)
    pool.ret(thing)
    overtook = outcome(lambda: pool.get(0.0001 if module is REAL else 0)) is not module.TimeOut
    return overtook or served == [1]


def clock_that_is_set_back_keeps_objects(module: Any) -> bool:  # D32
    pool = module.Pool(lambda n: n, min_size=0, max_avail_delay=0.02, delay=1000.0)
    pool.ret(pool.get())
    if module is REAL:
        pool._now = lambda: -1e9  # what its clock says after such a change
    pass_time(0.05)
    (pool._hkRound if module is REAL else pool._kept.maintain)()
    return bool(pool._nobjs == 1)


Scenario = Callable[[Any], bool]
SCENARIOS: list[Scenario] = [
    stale_return_takes_it_from_its_holder,
    more_objects_than_the_limit,
    two_objects_have_one_number,
    an_interrupted_getter_loses_the_object,
    an_interrupted_retter_loses_the_object,
    logging_at_debug_level_changes_what_happens,
    health_frequency_zero_ends_the_housekeeping,
    unhashable_objects_are_refused,
    equal_objects_are_confused,
    zero_waits_for_ever,
    deleting_loses_what_is_in_use,
    deleting_closes_what_is_in_use,
    shutting_down_leaves_waiters_waiting,
    fun_is_called_under_the_lock,
    stats_hook_is_called_under_the_lock,
    unhealthy_object_in_use_is_closed,
    falsy_object_is_never_checked,
    clock_that_is_set_back_keeps_objects,
]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("defect", SCENARIOS, ids=lambda one: one.__name__)
def test_defect_is_in_the_library(defect: Scenario) -> None:
    assert shows(defect, REAL)


@pytest.mark.parametrize("defect", [*SCENARIOS, newcomer_overtakes], ids=lambda one: one.__name__)
def test_defect_is_absent_here(defect: Scenario) -> None:
    assert not defect(OURS)


def test_failing_fun_frees_its_number_and_its_place() -> None:
    calls = itertools.count()

    def fun(number: int) -> int:
        if next(calls) == 0:
            raise OSError("no")
        return number

    pool = OURS.Pool(fun, min_size=0, max_size=1)
    assert outcome(pool.get) is OSError
    assert pool.get(0) == 0
