"""The tool that makes mutants makes the right ones and judges them rightly, and its record is not out of date."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mutants import record
from mutants.campaign import ROOT, STAGES, path_of
from mutants.operators import mutants_of

TESTS = ROOT / "tests"

SMALL = '''
def ready(count: int, limit: int = 3) -> bool:
    """Whether there is room."""
    assert count >= 0
    if count < limit and not limit == 7:
        return True
    raise ValueError("no room")
'''


def test_every_fault_of_a_small_function_is_made_once() -> None:
    expected = [
        "3 → 4",
        "count < limit and (not limit == 7) → count < limit or not limit == 7",
        "count < limit and (not limit == 7) → not limit == 7",
        "count < limit and (not limit == 7) → count < limit",
        "count < limit and (not limit == 7) → count <= limit and (not limit == 7)",
        "count < limit and (not limit == 7) → count >= limit and (not limit == 7)",
        "count < limit and (not limit == 7) → count < limit and limit == 7",
        "count < limit and (not limit == 7) → count < limit and (not limit != 7)",
        "count < limit and (not limit == 7) → count < limit and (not limit == 8)",
        "return True → pass",
        "return True → return None",
        "return True → return False",
        "raise ValueError('no room') → pass",
    ]
    found = mutants_of(SMALL)
    assert sorted(f"ready: {each}" for each in expected) == sorted(each.name for each in found)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def f(self): self.free = self.free[1:]", "self.free = self.free[1:] → self.back = self.free[1:]"),
        ("def f(n): n += 1", "n += 1 → n -= 1"),
        ("def f(a): g(a, now=1)", "g(a, now=1) → g(a)"),
        ("def f():\n    try:\n        g()\n    except Exception:\n        h()", "Exception → BaseException"),
        ("def f(a):\n    while a:\n        break", "break → continue"),
        ("def f(a): return -a", "return -a → return a"),
        ("class C:\n    @property\n    def f(self): return self.n > 1", "return self.n > 1 → return self.n >= 1"),
        ("def f(a):\n    def g(): return a + 1\n    return g", "return a + 1 → return a - 1"),
    ],
)
def test_each_operator(code: str, expected: str) -> None:
    assert expected in [each.change for each in mutants_of(code)]


@pytest.mark.parametrize(
    "code",
    [
        "def f(): x: int",
        "N = 1",
        "@row('QUEUE', 1)\ndef f(): ...",
        "def f(a: Literal[1]) -> Literal[2]: pass",
        'def f(): "What it does, in 1 word."',
        "def f(a):\n    assert a > 0\n    a.g",
    ],
)
def test_what_is_not_behaviour_is_left_alone(code: str) -> None:
    assert [] == [each for each in mutants_of(code) if each.operator != "statement"]


@pytest.mark.parametrize("module", STAGES)
def test_mutants_are_programs_with_names_of_their_own(module: str) -> None:
    source = path_of(module).read_text(encoding="utf-8")
    mutants = mutants_of(source)
    assert len(mutants) > 30
    assert len(mutants) == len({each.name for each in mutants})
    assert [each.name for each in mutants] == [each.name for each in mutants_of(source)]
    for mutant in mutants[::40]:
        tree = mutant.tree(source)
        compile(tree, module, "exec")
        assert ast.dump(tree) != ast.dump(ast.parse(source)), mutant.name


@pytest.mark.parametrize("module", STAGES)
def test_the_tests_that_judge_exist(module: str) -> None:
    assert [] == [each for tests in STAGES[module] for each in tests if not (ROOT / each.partition("::")[0]).exists()]


# A run, on a project of its own

THING = """
import threading

def thing(n):
    total = 0
    while n > 0:
        total, n = total + n, n - 1
    return total

def wait(go):
    lock = threading.Lock()
    lock.acquire()
    if go:
        lock.release()
    lock.acquire()

def big(n):
    return len(bytearray(n * 10**10)) if n else 0
"""
TEST = """
from thing import big, thing, wait

def test_sum():
    assert thing(3) == 6
    wait(True)

def test_big():
    assert big(0) == 0
"""
RUNNER = """
import json, pathlib, sys
from mutants import running
from mutants.campaign import Campaign
running.PATIENCE = 0.6
root = pathlib.Path(sys.argv[1])
project = running.Project(root, ("src",), ("-p", "no:hypothesispytest", "-c", str(root / "pytest.ini")))
campaign = Campaign("thing", root / "src" / "thing.py", [["test_thing.py"]], project, spare=0.2)
told = {"": campaign.unmutated(0)}
for mutant in campaign.mutants():
    if mutant.name in sys.argv[2:]:
        told[mutant.name] = campaign.judge(mutant).outcome
broken = campaign.source.replace("total = 0", "total = nothing")
finder = running.Finder("thing", campaign.path, compile(broken, "thing.py", "exec"))
told["no program"] = running.run(project, ["test_thing.py"], finder, 5)
print(json.dumps({name: [each.kind, each.where, each.reason] for name, each in told.items()}))
"""
FATES = {
    "": ("passed", ""),
    "thing: total, n = (total + n, n - 1) → total, n = (total - n, n - 1)": ("failed", "AssertionError"),
    "thing: n > 0 → n >= 0": ("passed", ""),  # what is added is nothing
    "thing: total, n = (total + n, n - 1) → total, n = (total + n, n + 1)": ("limit", "processor time"),
    "wait: go → not go": ("limit", "stuck"),
    "big: return len(bytearray(n * 10 ** 10)) if n else 0 → return len(bytearray(n * 10 ** 10)) if n else 1": (
        "failed",
        "AssertionError",
    ),
    "no program": ("invalid", "NameError"),
}


@cache
def fates(root: Path) -> dict[str, list[str]]:
    (root / "src").mkdir()
    (root / "src" / "thing.py").write_text(THING, encoding="utf-8")
    (root / "test_thing.py").write_text(TEST, encoding="utf-8")
    (root / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    names = [each for each in FATES if ":" in each]
    command = [sys.executable, "-c", RUNNER, str(root), *names]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("thing")


@pytest.mark.parametrize("name", FATES)
def test_a_mutant_meets_its_fate_for_its_reason(root: Path, name: str) -> None:
    kind, where, reason = fates(root)[name]
    expected, why = FATES[name]
    assert (expected, why) == (kind, reason[: len(why)])
    assert kind == "passed" or where == "test_thing.py::" + ("test_big" if name.startswith("big") else "test_sum")


# The record


def test_the_table_is_made_of_the_results() -> None:
    assert record.TABLE.read_text(encoding="utf-8") == record.table(record.read(), record.arguments())


def test_what_is_argued_about_can_still_be_made() -> None:
    assert [] == record.vanished(record.arguments())


def test_nearly_all_mutants_that_were_tried_died() -> None:
    found, why = record.read(), record.arguments()
    count = record.total(found, why)
    assert set(STAGES) == set(found)
    assert record.share(count) >= 0.95, count


@pytest.mark.parametrize("module", STAGES)
def test_recorded_survivors_can_still_be_made(module: str) -> None:
    entry: dict[str, Any] = record.read()[module]
    if record.stale({module: entry}):
        pytest.skip(f"{module} has changed since its mutants were tried: python -m mutants {module}")
    names = {each.name for each in mutants_of(path_of(module).read_text(encoding="utf-8"))}
    assert entry["generated"] == len(names)
    assert [] == [each for each in (*entry["survivors"], *entry["undecided"]) if each not in names]
