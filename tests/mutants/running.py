"""One mutant, one process: the tests run in a fork that sees the mutated module in place of the real one.

The parent never imports what is tested, so nothing that an earlier run computed (explorations are kept by the tests'
modules) can answer for a mutant. A fork is bounded by processor seconds and memory, which do not depend on what else
the machine does, and is *stuck* when none of its threads could run for a while. The wall clock is only a safety net:
reaching it is no verdict.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import importlib.util
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import pytest

MEMORY = 6 * 2**30
PATIENCE = 2.5  # seconds in which no thread could run
LOOK = 0.25
# What these name is that the mutant is no program, not that a test noticed what it does.
REWRITING = "ignore:Module already imported so cannot be rewritten"  # of what is preloaded
NO_PROGRAM = ("NameError", "UnboundLocalError", "SyntaxError", "ImportError", "ModuleNotFoundError")


@dataclass(frozen=True)
class Project:
    """Where the sources and the tests are, and what pytest is told besides which tests to run."""

    root: Path
    paths: tuple[str, ...]
    options: tuple[str, ...] = ()
    preload: tuple[str, ...] = ()  # imported once, before the forks; never anything that is mutated or keeps results


@dataclass(frozen=True)
class Outcome:
    """What became of one run. *kind*: passed, failed, limit, invalid, or undecided."""

    kind: str
    where: str = ""
    reason: str = ""
    seconds: float = 0.0
    cpu: float = 0.0

    @property
    def killed(self) -> bool:
        return self.kind in ("failed", "limit")


@dataclass(eq=False)
class Watcher:
    """A plugin of pytest that writes down where a run is, and its first failure."""

    path: Path
    test: str = ""
    seen: bool = False
    counted: int = 0
    names: list[str] = field(default_factory=list)

    def write(self, **what: object) -> None:
        self.path.write_text(json.dumps({"where": self.test, "counted": self.counted, **what}), encoding="utf-8")

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.test = nodeid
        if not self.seen:
            self.write()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.counted += report.when == "call" and report.passed

    def pytest_exception_interact(self, node: Any, call: pytest.CallInfo[object], report: Any) -> None:
        if self.seen or call.excinfo is None:
            return
        self.seen = True
        self.test = node.nodeid or self.test
        message = " ".join(str(call.excinfo.value).split())[:200]
        self.write(kind=call.excinfo.typename, message=message, collecting=isinstance(report, pytest.CollectReport),
                   text=str(report.longrepr)[-20_000:])  # fmt: skip


class Replaced(importlib.machinery.SourceFileLoader):
    """Loads a module from other code than its file's."""

    def __init__(self, name: str, path: str, code: CodeType) -> None:
        super().__init__(name, path)
        self.code = code

    def get_code(self, fullname: str) -> CodeType:
        return self.code


class Finder:
    """Finds the one module that is replaced."""

    def __init__(self, name: str, path: Path, code: CodeType) -> None:
        self.name, self.path, self.code = name, path, code

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self.name:
            return None
        loader = Replaced(name, str(self.path), self.code)
        return importlib.util.spec_from_file_location(name, self.path, loader=loader)


def run(project: Project, tests: Sequence[str], finder: Finder | None, cpu: float, new: str = "") -> Outcome:
    """Run *tests* to the first failure. *new* is an identifier that only the mutant uses."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        begun = time.monotonic()
        for each in project.preload:
            importlib.import_module(each)
        child = os.fork()
        if child == 0:
            try:
                _in_child(project, tests, finder, cpu, log)
            except BaseException:
                traceback.print_exc(file=sys.stdout)
                sys.stdout.flush()
            finally:
                os._exit(70)
        try:
            status, end, used = _await(child, begun, cpu)
        except BaseException:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(child, signal.SIGKILL)
            raise
        seen = json.loads(log.read_text(encoding="utf-8")) if log.exists() else {}
        said = log.with_name("said").read_text(encoding="utf-8", errors="replace").split()
        seen.setdefault("message", " ".join(said[-40:]))
    return _judge(status, end, seen, time.monotonic() - begun, used, new)


def _in_child(project: Project, tests: Sequence[str], finder: Finder | None, cpu: float, log: Path) -> None:
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    said = os.open(log.with_name("said"), os.O_RDWR | os.O_CREAT)
    for number in (0, 1, 2):
        os.dup2(said, number)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (int(cpu) + 1, int(cpu) + 3))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.chdir(project.root)
    sys.path[:0] = [str(project.root / each) for each in project.paths]
    if finder is not None:
        sys.meta_path.insert(0, finder)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115 - until the end
    options = ["-x", "-q", "-p", "no:cacheprovider", "--tb=short", "-W", REWRITING, *project.options]
    code = int(pytest.main([*options, *tests], plugins=[Watcher(log)]))
    sys.stdout.flush()
    os._exit(code)


def _await(child: int, begun: float, cpu: float) -> tuple[int, str, float]:
    """Wait for the end, or bring it about; the exit status, by what it was ended, and the processor time used."""
    idle_since, ticks, looked = None, -1.0, 0.0
    end, pause = "", threading.Event()
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        now = time.monotonic()
        if done:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child, signal.SIGKILL)  # what it started, if anything is left of that
            return status, end, usage.ru_utime + usage.ru_stime
        if not end and now - looked >= LOOK:
            looked = now
            runnable, used = _activity(child)
            idle = not runnable and used - ticks <= 1
            ticks = used
            idle_since = (idle_since or now) if idle else None
            if idle_since is not None and now - idle_since > PATIENCE:
                end = "stuck"
            elif now - begun > 60 + 40 * cpu:
                end = "clock"
            if end:
                os.killpg(child, signal.SIGKILL)
        pause.wait(0.01)


def _activity(session: int) -> tuple[bool, float]:
    """Whether any thread of this session could run at this moment, and the clock ticks that all of them have used.

    Where there is no /proc everything counts as active: then a hang ends by the tests' own watchdogs.
    """
    runnable, ticks, found = False, 0.0, False
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) != session:
                continue
            found = True
            ticks += int(fields[11]) + int(fields[12])
            for task in (entry / "task").iterdir():
                runnable |= (task / "stat").read_text().rpartition(")")[2].split()[0] in "RD"
        except (OSError, IndexError, ValueError):
            continue
    return runnable or not found, ticks


def _judge(status: int, end: str, seen: dict[str, Any], seconds: float, cpu: float, new: str) -> Outcome:
    where, kind, message = seen.get("where", ""), seen.get("kind", ""), seen.get("message", "")
    if end == "stuck":
        return Outcome("limit", where, "stuck", seconds, cpu)
    if end:
        return Outcome("undecided", where, "wall clock", seconds, cpu)
    if os.WIFSIGNALED(status):
        signals = {signal.SIGXCPU: "processor time", signal.SIGKILL: "processor time"}
        name = signals.get(signal.Signals(os.WTERMSIG(status)), signal.Signals(os.WTERMSIG(status)).name)
        return Outcome("limit", where, name, seconds, cpu)
    code = os.WEXITSTATUS(status)
    if code == pytest.ExitCode.OK:
        return Outcome("passed", where, "", seconds, cpu)
    text = seen.get("text", "")
    if kind == "MemoryError":
        return Outcome("limit", where, "memory", seconds, cpu)
    wrong_name = new and f"has no attribute '{new}'" in text
    crashed = seen.get("collecting") or code == pytest.ExitCode.USAGE_ERROR  # the latter in a conftest
    if crashed or wrong_name or any(f"{each}: " in text for each in NO_PROGRAM):
        return Outcome("invalid", where, f"{kind}: {message}", seconds, cpu)
    if kind:  # however pytest ended after that
        return Outcome("failed", where, f"{kind}: {message}", seconds, cpu)
    return Outcome("undecided", where, f"pytest ended with {code}: {message}", seconds, cpu)
