"""The benchmarks run, small; the page says what was measured; instruction counts repeat, and notice what is added."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import random
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import instructions, machine, page, results
from benchmarks.crowds import Bout, Member
from benchmarks.plan import quick
from benchmarks.rounds import loop, percentile, side_by_side, spread
from benchmarks.subjects import BASELINE, OURS, SUBJECTS
from benchmarks.targets import findings

CALLGRIND = pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind counts the instructions")
# Connections that peers drop without closing them, and threads that they leave, are not this suite's.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one quick run of everything."""
    folder = tmp_path_factory.mktemp("benchmarks")
    assert command.main(["--quick", "--seed", "7", "--out", str(folder)]) == 0
    return folder


def test_a_quick_run_measures_every_family(measured: Path) -> None:
    record = json.loads((measured / f"{machine.interpreter()}.json").read_text(encoding="utf-8"))
    assert list(command.FAMILIES) == list(record)
    for entry in record.values():
        assert (7, True) == (entry["seed"], entry["quick"])
        assert entry["machine"]["cpu"]
        assert entry["date"]


def test_the_page_shows_every_family_and_every_target(measured: Path) -> None:
    text = (measured / page.NAME).read_text(encoding="utf-8")
    for title, _, _ in page.FAMILIES.values():
        assert f"\n## {title}\n" in text
    targets = text.partition("## Targets")[2].partition("\n## ")[0]
    assert {"1", "2", "3", "4", "5", "6", "7"} <= {*re.findall(r"^\| (\d) \|", targets, re.MULTILINE)}
    assert "seed 7" in text
    assert "a smoke run, of no value" in text


def test_whoever_is_not_measured_is_named(measured: Path) -> None:
    text = (measured / page.NAME).read_text(encoding="utf-8")
    families = results.kept(measured)[machine.interpreter()]
    for family in ("cycles", "memory", "contention"):
        data = families[family]["data"]
        measured_here = {row["name"] for row in data["rows"]}
        assert {subject.name for subject in SUBJECTS} == measured_here | {*data["missing"]}
    for entry in families.values():
        for name, why in entry["data"].get("missing", {}).items():
            assert f"{name}: {why}" in text


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib draws the plots")
def test_every_family_has_its_plots(measured: Path) -> None:
    text = (measured / page.NAME).read_text(encoding="utf-8")
    drawn = {path.name for path in measured.glob("*.svg")}
    assert drawn == {*re.findall(r"\]\((.*?\.svg)\)", text)}
    assert len(drawn) >= len(command.FAMILIES)


def test_the_page_is_made_anew_without_measuring_or_drawing(
    measured: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = f"{machine.interpreter()}.json"
    shutil.copy(measured / record, tmp_path)
    before = (tmp_path / record).read_bytes()
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    assert command.main(["--page", "--out", str(tmp_path)]) == 0
    assert before == (tmp_path / record).read_bytes()
    text = (tmp_path / page.NAME).read_text(encoding="utf-8")
    assert "## Targets" in text
    assert "![" not in text
    assert "no new plots" in capsys.readouterr().out


def test_families_not_asked_for_keep_what_they_had(tmp_path: Path) -> None:
    results.keep(tmp_path, "cycles", {"old": True})
    results.keep(tmp_path, "memory", {"old": False})
    assert {"cycles": {"old": True}, "memory": {"old": False}} == results.kept(tmp_path)[machine.interpreter()]


def test_versions_are_in_order(tmp_path: Path) -> None:
    for name in ("cpython-3.9", "cpython-3.13t", "cpython-3.13", "cpython-3.11-compiled", "cpython-3.11"):
        (tmp_path / f"{name}.json").write_text("{}", encoding="utf-8")
    names = ["cpython-3.9", "cpython-3.11", "cpython-3.11-compiled", "cpython-3.13", "cpython-3.13t"]
    assert names == list(results.kept(tmp_path))


# What is measured is what is said


def test_the_order_is_shuffled_by_the_seed() -> None:
    def order(seed: int) -> list[str]:
        seen: list[str] = []

        def noting(name: str) -> Callable[[int], object]:
            return lambda loops: seen.append(name)

        runs = {name: noting(name) for name in "abcdefgh"}
        side_by_side(runs, dataclasses.replace(quick(seed), rounds=6, sample=0.0))
        return seen[8:]

    assert order(1) == order(1)
    assert order(1) != order(2)
    rounds = [order(1)[start : start + 8] for start in range(0, 48, 8)]
    assert all(sorted(each) == list("abcdefgh") for each in rounds)
    assert len({*map(tuple, rounds)}) > 1


def test_a_statement_runs_as_often_as_it_is_told() -> None:
    done: list[int] = []
    loop("done.append(1)", {"done": done})(13)
    assert 13 == len(done)


def test_quartiles_and_percentiles() -> None:
    values = random.Random(5).sample(range(1, 102), 101)
    assert [26.0, 51.0, 76.0] == spread(values)
    assert [3, 3, 3] == spread([3])
    assert (51, 100, 101, None) == (*(percentile(values, each) for each in (50, 99, 100)), percentile([], 50))


def test_a_hand_off_counts_from_the_release_and_only_for_who_waited() -> None:
    member = Member()
    member.got(begun=1.0, now=4.0, freed=3.0)
    member.got(begun=5.0, now=6.0, freed=4.5)
    assert ([1.0], 3.0) == (member.handed, member.longest)
    member.done = 4
    bout = Bout.of([member, Member(done=1)], seconds=0.5, cpu=1.0)
    assert (10.0, 0.25, 200_000.0, 1.0) == (bout.rate, bout.share, bout.cpu, bout.p50)


def test_targets_are_judged_by_the_figures() -> None:
    times = {OURS: 600.0, BASELINE: 1000.0, "queue.LifoQueue": 1000.0, "psycopg_pool": 2000.0}
    rows = [{"name": n, "form": f, "wall": [t] * 3} for n, t in times.items() for f in ("acquire and release", "with")]
    rows.append({"name": OURS, "form": "asking whether there is an observer", "wall": [6.0] * 3})

    def verdicts(ours: float, compiled: bool = False) -> list[bool]:
        for row in rows[:2]:
            row["wall"] = [ours] * 3
        entry: dict[str, Any] = {"machine": {"compiled": compiled}, "data": {"rows": rows}}
        return [each.met for each in findings({"cycles": entry})]

    assert [True] * 5 == verdicts(600.0)
    assert [False, True, True, True, True] == verdicts(700.0)
    assert [False, False, False, False, True] == verdicts(1100.0)
    assert [False, True, False, True, True] == verdicts(600.0, compiled=True)


# The instructions


@pytest.fixture(scope="module")
def counted() -> dict[str, float]:
    return instructions.counts(["grant_free", "acquire and release"], loops=200)


@CALLGRIND
def test_instruction_counts_repeat(counted: dict[str, float]) -> None:
    again = instructions.counts([*counted], loops=200)
    for scene, count in again.items():
        assert counted[scene] == pytest.approx(count, rel=0.005)


@CALLGRIND
def test_one_more_call_in_grant_free_is_noticed(counted: dict[str, float], tmp_path: Path) -> None:
    source, ignored = instructions.SOURCE / "poolproof", shutil.ignore_patterns("__pycache__")
    shutil.copytree(source, tmp_path / "poolproof", ignore=ignored)
    changed = tmp_path / "poolproof" / "core" / "acquire.py"
    text, line = changed.read_text(encoding="utf-8"), "    version, free, back, ledger = state\n"
    assert 1 == text.count(line)
    added = "\n\ndef added(items: object) -> object:\n    return items\n"
    changed.write_text(text.replace(line, f"{line}    added(free)\n") + added, encoding="utf-8")
    now = instructions.counts(["grant_free"], tmp_path, loops=200)
    lines, fine = instructions.compared(now, {"made by": {}, "counts": counted}, {})
    assert not fine, lines
    assert "TOO MUCH" in lines[0]


def test_a_count_by_another_interpreter_is_relative_to_the_reference() -> None:
    record = {"made by": {"python": "3.11"}, "counts": {"with": 100, instructions.REFERENCE: 50}}

    def fine(by: str, **now: float) -> bool:
        found = {name.replace("reference", instructions.REFERENCE): count for name, count in now.items()}
        return instructions.compared(found, record, {"python": by})[1]

    assert fine("3.11", **{"with": 104})
    assert not fine("3.11", **{"with": 106})
    assert fine("3.13", **{"with": 200, "reference": 100})
    assert not fine("3.13", **{"with": 200, "reference": 90})
    assert not fine("3.13", **{"with": 100}), "without the reference nothing can be said"
    assert not fine("3.11", withdraw=1), "what is not recorded does not pass"


def test_without_valgrind_it_says_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert 2 == instructions.main(["compare"])
    assert "there is no valgrind" in capsys.readouterr().err
