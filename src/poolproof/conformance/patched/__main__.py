"""The command line: ``python -m poolproof.conformance.patched check | replay | survey``.

    python -m poolproof.conformance.patched check mypkg.adapters:make_pool "size=1: acquire release | acquire release"
    python -m poolproof.conformance.patched replay mypkg.adapters:make_pool "size=1: acquire | acquire @lines 12:2"
    python -m poolproof.conformance.patched survey mypkg.adapters:make_pool --json found.json

Exit codes: 0 all that was asked for was run and is right; 1 something is wrong; 2 a limit was met, or the command line
or the adapter makes no sense.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

from poolproof.conformance.patched.checking import Checking, Report
from poolproof.conformance.patched.programs import WORDS
from poolproof.conformance.patched.survey import survey
from poolproof.conformance.patched.watching import GRAINS
from poolproof.conformance.suite.adapter import AdapterError, found

SIGNS = {"ok": "✓", "broken": "✗", "limit": "?", "not applicable": "–"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code."""
    options = parser().parse_args(arguments)
    sys.path.insert(0, str(Path.cwd()))
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    try:
        found(options.pool)
        module, _, name = options.pool.partition(":")
        return int(options.run(Checking(module, name, tuple(options.package)), options))
    except (ValueError, AdapterError) as error:
        print(f"poolproof: {error}", file=sys.stderr)
        return 2


def parser() -> argparse.ArgumentParser:
    words = "\n".join(f"  {word:<8} {meaning}" for word, meaning in WORDS.items())
    top = argparse.ArgumentParser(
        prog="python -m poolproof.conformance.patched",
        description="Every schedule of a program, on a pool that knows nothing of it.",
        epilog=f"words of a program:\n{words}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(required=True, metavar="command")
    check = commands.add_parser("check", help="run every schedule of a program, with more and more preemptions")
    replay = commands.add_parser("replay", help="repeat one run, and draw it")
    whole = commands.add_parser("survey", help="check a fixed set of programs")
    for command in (check, replay, whole):
        command.add_argument("pool", metavar="package.module:factory")
        command.add_argument("--package", action="append", default=[], help="where the pool's code is; else guessed")
    check.add_argument("program")
    check.add_argument("--grain", choices=GRAINS, default="lines")
    check.add_argument("--bound", type=int, default=2, help="preemptions at most (default 2)")
    check.add_argument("--most", type=int, default=50_000, help="schedules at most, for each bound")
    check.add_argument("--walks", type=int, default=0, help="then so many schedules at random")
    check.add_argument("--seed", type=int, default=0)
    check.set_defaults(run=run_check)
    replay.add_argument("token", help="as a counterexample prints it")
    replay.set_defaults(run=run_replay)
    whole.add_argument("--seconds", type=float, default=5.0, help="for each program and grain (default 5)")
    whole.add_argument("--json", type=Path)
    whole.set_defaults(run=run_survey)
    return top


def show(report: Report) -> None:
    print(f"{SIGNS[report.verdict]} {report.program} @{report.grain}: {report.lacks or report.extent}", flush=True)


def run_check(checking: Checking, options: argparse.Namespace) -> int:
    bounds = tuple(range(options.bound + 1))
    report = checking.check(
        options.program, options.grain, bounds=bounds, most=options.most, walks=options.walks, seed=options.seed
    )
    show(report)
    for example in report.examples.values():
        print(example)
    return code_of([report])


def run_replay(checking: Checking, options: argparse.Namespace) -> int:
    example = checking.replay(options.token)
    print(example)
    return {"ok": 0, "broken": 1}.get(example.run.verdict, 2)


def run_survey(checking: Checking, options: argparse.Namespace) -> int:
    whole = survey(checking, options.pool, seconds=options.seconds, tell=show)
    if options.json is not None:
        options.json.write_text(json.dumps(whole.data(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for clause, example in sorted(whole.examples.items()):
        print(f"\n{clause}\n{example}")
    return code_of(whole.reports)


def code_of(reports: Sequence[Report]) -> int:
    verdicts = {each.verdict for each in reports}
    return 1 if "broken" in verdicts else 2 if "limit" in verdicts else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # threads of a broken pool may still stand on the stage
