"""The examples of the documents of releases 2.1 and 11, with our import."""

from __future__ import annotations

import sys
import types

import pytest

from poolproof.compat import proxypatternpool


@pytest.fixture(autouse=True)
def _in_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ProxyPatternPool", proxypatternpool)


def module(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> types.ModuleType:
    """A file of an example."""
    made = types.ModuleType(name)
    monkeypatch.setitem(sys.modules, name, made)
    exec(text, made.__dict__)
    return made


def test_pool_of_release_11() -> None:
    names: dict[str, object] = {}
    exec(
        """
import ProxyPatternPool as ppp
pool = ppp.Pool(
    fun = lambda n: f"expensive object {n}",
    min_size=2, max_size=2, timeout=0.5,
)
a = pool.get(); b = pool.get()
try:
    c = pool.get()
    assert False
except ppp.TimeOut:
    pass
pool.ret(a); pool.ret(b);
pool.shutdown()
del pool
""",
        names,
    )
    assert {names["a"], names["b"]} == {"expensive object 0", "expensive object 1"}


def test_proxy_of_both_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from ProxyPatternPool import Proxy\ndb = Proxy()\ndef init_app(config):\n    db.set_obj(config)\n"
    module(monkeypatch, "database", text)
    app = module(monkeypatch, "app", "import database\nfrom database import db\ndatabase.init_app('hello world!')\n")
    assert app.db.upper() == "HELLO WORLD!"


def test_application_of_release_2_1(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "from ProxyPatternPool import Proxy\nstuff = Proxy()\ndef init_app(obj):\n    stuff.set_obj(obj)\n"
    module(monkeypatch, "Shared", text)
    sub = module(monkeypatch, "SubStuff", "from Shared import stuff\ndef get_stuff():\n    return str(stuff), 200\n")
    module(monkeypatch, "App", "from SubStuff import get_stuff\nimport Shared\nShared.init_app('hello world!')\n")
    assert sub.get_stuff() == ("hello world!", 200)
