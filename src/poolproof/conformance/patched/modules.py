"""Private copies of `threading`, `queue`, `time` and of the pool's own modules, all on one stage.

`threading` and `queue` are the standard library's own source, executed once more over a `_thread` and a `time` that
the stage drives. A pool's modules are imported once more while those stand in `sys.modules`, so whatever they take
from them, at import or later, is driven. The rest of the process keeps the real ones.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from poolproof.conformance.patched.primitives import thread_module, waiter_lock
from poolproof.conformance.patched.turns import Dropped, Stage

# Modules of the standard library that are built on threads: a pool that uses one gets a copy of it.
BUILT_ON_THREADS = ("queue", "sched", "concurrent.futures", "concurrent.futures._base", "concurrent.futures.thread")
NEVER_AGAIN = frozenset(("poolproof", "poolmodel", "pytest", "hypothesis", "rich", "_pytest", "pluggy", "typing"))
BEGAN = 1_000.0  # what monotonic() says when a run begins
TODAY = 1_700_000_000.0  # what time() says then
TICK = 1e-6  # by so much a clock goes on with each look at it


def time_module(stage: Stage) -> ModuleType:
    """`time`, whose clocks show the virtual time."""
    module = ModuleType("time", time.__doc__)
    module.__dict__.update({name: value for name, value in vars(time).items() if not name.startswith("__")})

    def sleep(seconds: float) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        if stage.running is None:
            stage.now += seconds
        elif seconds == 0:
            stage.give_way("sleeps for 0 s")
        else:
            stage.note(f"sleeps for {seconds:g} s")
            stage.block(stage.now + seconds, "a sleep")

    def monotonic() -> float:
        stage.now += TICK  # some code waits for the clock to move while it runs
        return BEGAN + stage.now

    def today() -> float:
        return TODAY - BEGAN + monotonic()

    module.__dict__.update(
        monotonic=monotonic, perf_counter=monotonic, time=today, sleep=sleep,
        monotonic_ns=lambda: int(monotonic() * 1e9), perf_counter_ns=lambda: int(monotonic() * 1e9),
        time_ns=lambda: int(today() * 1e9),
    )  # fmt: skip
    return module


class Copies:
    """The private modules, and when they are in force."""

    def __init__(self) -> None:
        self.stage = Stage()
        module, self.threads = thread_module(self.stage)
        queue = ModuleType("_queue")
        queue.__dict__["Empty"] = importlib.import_module("queue").Empty  # no SimpleQueue: the one in Python is used
        self.private: dict[str, ModuleType] = {"_thread": module, "time": time_module(self.stage), "_queue": queue}
        self.threading = self._copy("threading")
        self.private["threading"] = self.threading
        self.threading.__dict__["excepthook"] = self._thread_crashed
        self.threading.__dict__["_active_limbo_lock"].quiet = True
        self.threading.__dict__["_allocate_lock"] = waiter_lock(self.stage)  # Condition.wait has one for each waiter
        if "_shutdown_locks_lock" in vars(self.threading):
            self.threading.__dict__["_shutdown_locks_lock"].quiet = True
        self.began = dict(self.threading.__dict__["_active"])
        self.files: set[str] = set()  # where the pool's own modules are

    def _copy(self, name: str) -> ModuleType:
        """The module *name*, executed once more while the private ones stand in the place of the real ones."""
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with self._in_force({"os": _quiet_os()}):
            spec.loader.exec_module(module)
        return module

    def _thread_crashed(self, args: Any) -> None:
        """A thread of the pool ended with an exception."""
        if not issubclass(args.exc_type, Dropped | SystemExit):
            self.threads.crashes.append(args.exc_value)

    @contextmanager
    def _in_force(self, more: dict[str, ModuleType]) -> Iterator[None]:
        wanted = {**self.private, **more}
        before = {name: sys.modules.get(name) for name in wanted}
        sys.modules.update(wanted)
        try:
            yield
        finally:
            for name, module in before.items():
                if module is None:
                    sys.modules.pop(name, None)
                else:
                    sys.modules[name] = module

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Whatever is imported in the block is imported from the private modules, and stays private."""
        with self._in_force({}):
            known = dict(sys.modules)
            try:
                yield
            finally:
                for name, module in list(sys.modules.items()):
                    if known.get(name) is not module:
                        self.private[name] = module
                        if name not in known:
                            del sys.modules[name]

    def load(self, name: str, packages: Iterable[str] = ()) -> ModuleType:
        """The module *name* and the *packages* it takes its pool from, once more, on the stage.

        Without *packages* they are what *name* imports by itself, the standard library excepted.
        """
        first = importlib.import_module(name)  # errors are told here, and what is below comes to be loaded really
        packages = set(packages) or imported_by(first)
        for each in packages:
            importlib.import_module(each)
        again = [each for each in sys.modules if each == name or belongs(each, packages) or each in BUILT_ON_THREADS]
        hidden = {each: sys.modules[each] for each in again}
        for each in again:
            del sys.modules[each]
        try:
            with self.in_force():
                for each in ("queue", "concurrent.futures.thread"):
                    importlib.import_module(each)
                loaded = importlib.import_module(name)
        finally:
            put_back(hidden)
        self.files |= {
            str(module.__file__)
            for each, module in self.private.items()
            if belongs(each, packages) and getattr(module, "__file__", None) and each not in BUILT_ON_THREADS
        }
        return loaded

    def forget_threads(self) -> None:
        """The threads of the last run are gone: `threading` forgets them, too."""
        names = self.threading.__dict__
        names["_active"].clear()
        names["_active"].update(self.began)
        names["_limbo"].clear()
        names["_dangling"].clear()
        for each in ("_shutdown_locks",):
            if each in names:
                names[each].clear()
        self.threads.crashes.clear()


def put_back(modules: dict[str, ModuleType]) -> None:
    """Have *modules* again where imports find them: by name, and as attributes of their packages."""
    sys.modules.update(modules)
    for name, module in modules.items():
        package, _, short = name.rpartition(".")
        if package in sys.modules:
            setattr(sys.modules[package], short, module)


def imported_by(module: ModuleType) -> set[str]:
    """The packages outside the standard library that the source of *module* imports."""
    path = getattr(module, "__file__", None)
    if not path:
        return set()
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
    tops = {each.split(".")[0] for each in found}
    return {each for each in tops if each not in sys.stdlib_module_names and each not in NEVER_AGAIN}


def belongs(name: str, packages: Iterable[str]) -> bool:
    """Whether a module is the pool's. The suite itself never is, not even when poolproof's own pool is explored."""
    return within(name, packages) and not within(name, ("poolproof.conformance",))


def within(name: str, packages: Iterable[str]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in packages)


def _quiet_os() -> ModuleType:
    """`os`, except that a copy of `threading` leaves no hook behind for forks."""
    os = importlib.import_module("os")
    module = ModuleType("os")
    module.__dict__.update(vars(os))
    module.__dict__["register_at_fork"] = lambda **_: None
    return module
