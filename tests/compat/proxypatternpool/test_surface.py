"""Every parameter, method and attribute of ProxyPatternPool 11.6, as its documents say, and the names of 2.1."""

from __future__ import annotations

import functools
import gc
import json
import logging
import threading
import weakref
from typing import Any

import pytest

from compat.peers import WATCHDOG, in_thread, load, outcome, pass_time
from poolproof.compat.proxypatternpool import Pool, PoolException, PPPException, Proxy, ProxyException, TimeOut

REAL = load("ProxyPatternPool")


class Thing:
    """An object with a method to close it."""

    closed = False

    def __init__(self, number: int) -> None:
        self.number = number

    def close(self) -> None:
        self.closed = True


def test_exceptions_are_kin() -> None:
    assert [error.__mro__[1] for error in (TimeOut, PoolException, ProxyException)] == [
        PoolException, PPPException, PPPException,
    ]  # fmt: skip


def test_hooks_come_in_their_order() -> None:
    seen: list[tuple[str, int]] = []

    def told(name: str) -> Any:
        return lambda number: seen.append((name, number))

    hooks: dict[str, Any] = {name: told(name) for name in ("opener", "getter", "retter", "closer")}
    pool = Pool(lambda n: n, max_use=1, **hooks)
    pool.ret(pool.get())
    assert seen == [("opener", 0), ("getter", 0), ("retter", 0), ("closer", 0), ("opener", 1)]


def test_names_of_2_1() -> None:
    pool = Pool(Thing, 2, 1, max_use=1, max_delay=8.0, close="close")
    thing = pool.get()
    pool.ret(thing)
    assert thing.closed
    assert pool.stats()["max_avail_delay"] == 8.0
    with pytest.raises(TypeError):
        Pool(Thing, close="close", closer=print)
    assert isinstance(Proxy(fun=Thing, close="close", max_delay=3.0)._get_obj(), Thing)


@pytest.mark.parametrize(
    ("options", "delay"),
    [
        ({}, 0.0),
        ({"max_avail_delay": 8.0}, 4.0),
        ({"max_using_delay": 6.0}, 3.0),
        ({"max_using_delay_kill": 4.0}, 2.0),
        ({"max_avail_delay": 8.0, "max_using_delay": 6.0}, 3.0),
        ({"health": bool}, 60.0),
        ({"health": bool, "delay": 5.0}, 5.0),
    ],
)
def test_delay_of_housekeeping(options: dict[str, Any], delay: float) -> None:
    ours, theirs = Pool(Thing, **options), REAL.Pool(Thing, **options)
    assert ours.stats()["delay"] == theirs.stats()["delay"] == delay
    assert (ours._housekeeper is None) == (theirs._housekeeper is None) == (not delay)


def test_statistics_have_the_same_keys() -> None:
    made: dict[str, Any] = {"max_size": 3, "min_size": 2, "timeout": 1.0}
    ours, theirs = Pool(Thing, **made), REAL.Pool(Thing, **made)
    for pool in (ours, theirs):
        pool.ret(pool.get())
        pool.get()
    told = [pool.stats() for pool in (ours, theirs)]
    assert set(told[0]) >= set(told[1])
    assert [set(each) for each in told[0]["avail"]] == [set(each) for each in told[1]["avail"]]
    same = ("navail", "nusing", "nobjs", "ncreated", "nuses", "sem", "shutdown", "min_size", "max_size", "timeout")
    assert [told[0][name] for name in same] == [told[1][name] for name in same]
    assert json.loads(str(ours))["nusing"] == 1


def test_full_pool_waits_for_the_time_given() -> None:
    pool = Pool(Thing, 1, timeout=0.01)
    thing = pool.get()
    for timeout in (None, 0.02, 0, -1):
        with pytest.raises(TimeOut, match="timeout after"):
            pool.get(timeout)
    threading.Timer(0.02, pool.ret, (thing,)).start()
    assert pool.get(WATCHDOG) is thing


def test_object_goes_back_at_the_end_of_a_block() -> None:
    pool = Pool(Thing, 1)
    with pytest.raises(KeyboardInterrupt), pool.obj() as thing:
        raise KeyboardInterrupt
    with pool.obj(0) as again:
        assert again is thing
        pool.ret(again)
    assert (len(pool._avail), pool._using) == (1, [])


def test_what_is_not_out_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    returned: list[object] = []
    pool = Pool(Thing, retter=returned.append)
    pool.ret(Thing(7))
    assert returned == []
    assert "unexpected object returned" in caplog.text


def test_failing_constructor_does_not_fail(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: int) -> int:
        raise OSError("no")

    pool = Pool(fail, min_size=2)
    assert pool._nobjs == 0
    assert outcome(pool.get) is OSError


def test_hooks_that_fail_change_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: object) -> bool:
        raise ValueError("oops")

    pool = Pool(Thing, max_use=1, opener=fail, getter=fail, retter=fail, closer=fail, health=fail)
    pool.ret(pool.get())
    pool._kept.maintain()
    for hook in ("opener", "getter", "retter", "closer", "health check"):
        assert hook in caplog.text
    assert pool._nobjs == 1


def test_objects_in_use_for_too_long_are_told_and_killed(caplog: pytest.LogCaptureFixture) -> None:
    closed: list[int] = []
    pool = Pool(lambda n: n, 1, 0, max_using_delay=0.01, max_using_delay_kill=0.02, delay=1000.0, closer=closed.append)
    first = pool.get()
    pass_time(0.03)
    pool._kept.maintain()
    assert "long running objects: 1" in caplog.text
    assert closed == [0]
    assert pool.get(0) == 1
    pool.ret(first)
    assert (pool._using, pool.stats()["nkilled"]) == ([1], 1)


def test_health_is_asked_every_so_many_rounds() -> None:
    asked: list[int] = []

    def health(number: int) -> int:
        asked.append(number)
        return number

    pool = Pool(lambda n: n, health=health, health_freq=2, delay=1000.0)
    pool.ret(pool.get())
    for _ in range(4):
        pool._kept.maintain()
    assert asked == [0, 1]
    assert pool._ncreated == 2


def test_shutdown() -> None:
    closed: list[int] = []
    pool = Pool(lambda n: n, min_size=2, health=bool, closer=closed.append)
    thing = pool.get()
    pool.shutdown()
    pool.shutdown(delay=0.01)
    assert sorted(closed) == [0, 1]
    assert pool._housekeeper is None
    assert pool.stats()["shutdown"]
    pool.ret(thing)
    with pytest.raises(PoolException):
        pool.get()


def test_reloader_of_werkzeug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PPP_WERKZEUG_WORKAROUND", "1")
    assert (Pool(Thing, health=bool)._housekeeper, Pool(Thing)._nobjs) == (None, 0)
    monkeypatch.setenv("WERKZEUG_RUN_MAIN", "true")
    assert Pool(Thing)._nobjs == 1


def test_forgotten_pool_is_gone_at_once() -> None:
    closed: list[int] = []
    pool = Pool(lambda n: n, min_size=2, health=bool, closer=closed.append)
    pool.get()
    gone = weakref.ref(pool)
    gc.disable()
    try:
        del pool
        assert gone() is None
    finally:
        gc.enable()
    assert closed == [1] or closed == [0]


def test_log_level_is_set() -> None:
    level = logging.getLogger("ppp").level
    Pool(Thing, log_level=logging.ERROR)
    assert logging.getLogger("ppp").level == logging.ERROR
    logging.getLogger("ppp").setLevel(level)


# Proxy


def test_names_for_setting() -> None:
    assert Proxy().set("a") == "a"
    assert Proxy(set_name="bind").bind_obj("a").upper() == "A"
    assert Proxy(set_name="bind").bind_fun(Thing).number == 0
    hidden = Proxy({"set": 1}, set_name="")
    assert outcome(lambda: hidden.set) is AttributeError
    with pytest.raises(ProxyException, match="must set either"):
        Proxy().set()
    with pytest.raises(ProxyException, match="cannot set both"):
        Proxy("a", Thing)


def test_scopes() -> None:
    kinds = Proxy.Scope
    assert [kind.value for kind in kinds] == [0, 1, 2, 3, 4, 5]
    assert kinds["WERKZEUG"] is kinds.VERSATILE
    assert (Proxy(5)._scope, Proxy(fun=Thing)._scope, Proxy()._scope) == (kinds.SHARED, kinds.THREAD, kinds.AUTO)
    for kind in (kinds.VERSATILE, kinds.GEVENT, kinds.EVENTLET):
        proxy = Proxy(fun=Thing, scope=kind)
        assert [proxy.number, in_thread(functools.partial(getattr, proxy, "number"))] == [0, 1]


def test_object_of_a_thread() -> None:
    proxy = Proxy(fun=Thing, max_size=1)
    assert proxy._pool._nobjs == 1
    assert not proxy._has_obj()
    assert outcome(lambda: proxy._local.obj) is AttributeError
    assert proxy._get_obj() is proxy._get_obj() is proxy._local.obj
    assert proxy._has_obj()
    assert in_thread(lambda: outcome(lambda: proxy._get_obj(timeout=0))) is TimeOut
    proxy._ret_obj()
    proxy._ret_obj()
    assert not proxy._has_obj()
    assert len(proxy._pool._avail) == proxy._nobjs == 1


def test_without_pool_each_thread_keeps_its_own() -> None:
    proxy = Proxy(fun=Thing, max_size=None)
    assert (proxy._pool, proxy._nobjs) == (None, 0)
    first = proxy._get_obj()
    assert in_thread(lambda: proxy.number) == 1
    proxy._ret_obj()
    assert proxy._get_obj() is first
    assert proxy._nobjs == 2


def test_pool_may_be_told_before_it_is_there() -> None:
    proxy = Proxy(max_size=5)
    proxy._set_pool(max_size=1, timeout=0.01)
    proxy._set_fun(Thing)
    assert proxy._pool.stats()["max_size"] == 1
    with pytest.raises(ProxyException, match="once initialized"):
        proxy._set_pool(max_size=2)
    assert proxy._fun is Thing
    old = proxy._pool
    proxy._set_fun(lambda n: Thing(n + 10))
    assert (old._shutdown, proxy.number) == (True, 10)
    proxy.set_obj("text")
    assert [proxy._fun, proxy._pool, proxy._nobjs, str(proxy)] == [None, None, 1, "text"]
