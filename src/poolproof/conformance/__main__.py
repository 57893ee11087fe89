"""The command line: ``python -m poolproof.conformance check | replay | walk | family``.

    python -m poolproof.conformance check "size=1: acquire release | acquire(1) release | close"
    python -m poolproof.conformance replay "size=1: acquire release | close @all 4:1"
    python -m poolproof.conformance walk "size=2: acquire release | acquire discard | maintain" --runs 5000 --seed 1
    python -m poolproof.conformance family pairs --record results.json

Exit codes: 0 all that was asked for was run and is right; 1 something is wrong; 2 a limit was met, or the command line
makes no sense.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from poolproof.conformance.checking import BOUNDS, check, replay, walk
from poolproof.conformance.families import FAMILIES, record
from poolproof.conformance.points import GRAINS
from poolproof.conformance.schedules import ScheduleMismatch


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (ValueError, ScheduleMismatch) as error:
        print(f"poolproof: {error}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m poolproof.conformance", description="Every schedule of a program.")
    commands = top.add_subparsers(required=True, metavar="command")
    command = commands.add_parser("check", help="run every schedule of a program, with more and more preemptions")
    command.add_argument("program")
    command.add_argument("--grain", choices=tuple(GRAINS), default="all")
    command.add_argument("--bound", type=int, help="preemptions at most; without it, any number in the end")
    command.add_argument("--most", type=int, default=100_000, help="runs at most, for each bound")
    command.set_defaults(run=run_check)
    command = commands.add_parser("replay", help="repeat one run, and draw it")
    command.add_argument("token", help="as a counterexample prints it")
    command.set_defaults(run=run_replay)
    command = commands.add_parser("walk", help="run a program under random schedules")
    command.add_argument("program")
    command.add_argument("--grain", choices=tuple(GRAINS), default="all")
    command.add_argument("--runs", type=int, default=1_000)
    command.add_argument("--seed", type=int, default=0)
    command.set_defaults(run=run_walk)
    command = commands.add_parser("family", help="run every program of a family")
    command.add_argument("name", choices=tuple(FAMILIES))
    command.add_argument("--record", type=Path, metavar="FILE", help="write the result into this file of results")
    command.set_defaults(run=run_a_family)
    return top


def run_check(options: argparse.Namespace) -> int:
    bounds = BOUNDS if options.bound is None else tuple(range(options.bound + 1))
    report = check(options.program, grain=options.grain, bounds=bounds, most=options.most)
    for search in report.searches:
        bound = "any" if search.bound is None else search.bound
        print(f"{search.verdict}: preemptions {bound}, {search.runs} runs, {search.seconds:.2f} s")
    if report.counterexample is not None:
        print(report.counterexample)
        return 1
    return 0 if report.verdict == "ok" else 2


def run_replay(options: argparse.Namespace) -> int:
    example = replay(options.token)
    print(example)
    return 0 if example.run.verdict == "ok" else 1


def run_walk(options: argparse.Namespace) -> int:
    found = walk(options.program, runs=options.runs, seed=options.seed, grain=options.grain)
    print(f"ok: {options.runs} runs, {found} steps, seed {options.seed}" if isinstance(found, int) else found)
    return 0 if isinstance(found, int) else 1


def run_a_family(options: argparse.Namespace) -> int:
    tally = FAMILIES[options.name].run()
    print(tally)
    if options.record is not None:
        record(options.name, tally, options.record)
    for example in tally.counterexamples:
        print(example)
    for program in tally.limits:
        print(f"limit: {program}")
    return 1 if tally.counterexamples else 2 if tally.limits else 0


if __name__ == "__main__":
    sys.exit(main())
