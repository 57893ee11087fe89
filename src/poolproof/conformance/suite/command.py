"""The command line: ``python -m poolproof conform package.module:factory``."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from poolproof.conformance.suite.adapter import FEATURES, AdapterError, subject
from poolproof.conformance.suite.report.findings import Report, known_deviations
from poolproof.conformance.suite.report.page import page
from poolproof.conformance.suite.report.terminal import progress, show
from poolproof.conformance.suite.running import Result, chosen, promises, run_all, scenarios

EXHAUSTIVE = 8
EPILOG = """\
exit codes: 0 conformant; 1 a promise is broken, or a known deviation is gone; 2 something could not be shown, or the
command line or the adapter makes no sense; 130 interrupted."""


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says. Does not return if threads of a broken pool still hang in this process."""
    command = argparse.ArgumentParser(
        prog="python -m poolproof conform",
        description="Put a pool to the conformance suite.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(command)
    code = conform(command.parse_args(arguments))
    if any(not each.daemon for each in threading.enumerate() if each is not threading.main_thread()):
        leave(code)
    return code


def add_arguments(command: argparse.ArgumentParser) -> None:
    command.add_argument("pool", nargs="?", metavar="package.module:factory", help="makes an adapter from a PoolSpec")
    command.add_argument("--only", action="append", default=[], metavar="ID", help="a clause or a scenario; repeatable")
    command.add_argument("--exhaustive", action="store_true", help="every interruption point, many more random runs")
    command.add_argument(
        "--budget", type=float, default=55.0, metavar="S", help="begin nothing after so many seconds (default 55)"
    )
    command.add_argument("--seed", type=int, default=0, metavar="N", help="of everything that is random (default 0)")
    command.add_argument("--known", type=Path, metavar="TOML", help="known deviations, which must still be there")
    command.add_argument("--json", type=Path, metavar="PATH", help="write the report as JSON")
    command.add_argument("--html", type=Path, metavar="PATH", help="write the report as one page")
    command.add_argument("--list", action="store_true", help="name all scenarios and features, and do nothing")


def conform(options: argparse.Namespace) -> int:
    """Run the suite; returns the exit code."""
    if options.list:
        return list_all()
    sys.path.insert(0, str(Path.cwd()))
    try:
        if options.pool is None:
            raise AdapterError("which pool? give package.module:factory, or --list")
        known = known_deviations(options.known)
        pool = subject(options.pool)
        total = len(chosen(options.only))
    except (AdapterError, ValueError) as error:
        print(f"poolproof: {error}", file=sys.stderr)
        return 2
    told: list[Result] = []

    def tell(result: Result) -> None:
        told.append(result)
        progress(len(told), total, result)

    effort = EXHAUSTIVE if options.exhaustive else 1
    budget = None if options.only or options.exhaustive else options.budget
    run_all(pool, options.only, seed=options.seed, effort=effort, budget=budget, tell=tell)
    report = Report(pool, told, options.seed, effort, known)
    write(report, options.json, options.html)
    show(report)
    return report.exit_code


def write(report: Report, as_json: Path | None, as_html: Path | None) -> None:
    """Write the files that were asked for."""
    if as_json is not None:
        as_json.write_text(json.dumps(report.data(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    if as_html is not None:
        as_html.write_text(page(report), encoding="utf-8")


def list_all() -> int:
    """Every scenario, and every feature that a pool may lack."""
    for each in scenarios():
        print(f"{each.id}  ({promises()[each.clause].level})\n    {each.told}")
    print("\nfeatures that a pool may lack:")
    for name, meaning in FEATURES.items():
        print(f"  {name:<20} {meaning}")
    return 0


def leave(code: int) -> None:
    """End the process although threads of a broken pool still hang in it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
