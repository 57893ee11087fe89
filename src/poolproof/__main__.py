"""The command line: ``python -m poolproof demo | replay | explore | conform``."""

from __future__ import annotations

import argparse
import math
import os
import secrets
import sqlite3
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from poolproof import __version__

EPILOG = """\
exit codes: 0 everything checked holds; 1 something does not; 2 the command line or a file makes no sense;
130 interrupted."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["explore"]:  # its arguments are poolmodel's own, --help included
        return explore(given[1:])
    if given[:1] == ["conform"]:  # it needs what only those who check pools have installed
        return conform(given[1:])
    options = parser().parse_args(given)
    try:
        return demo(options) if options.command == "demo" else replay(options)
    except (OSError, sqlite3.Error) as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m poolproof",
        description="A resource pool whose every step is specified, modelled and checked.",
        epilog=EPILOG,
    )
    top.add_argument("--version", action="version", version=f"poolproof {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    add_demo(commands.add_parser("demo", help="run a pool of real connections, and check all it did", epilog=EPILOG))
    checker = commands.add_parser("replay", help="check a recorded trace against the model", epilog=EPILOG)
    checker.add_argument("trace", type=Path, help="a file that poolproof.replay.Recorder or the demo wrote")
    commands.add_parser("conform", help="put any pool to the conformance suite (arguments: conform --help)")
    commands.add_parser("explore", help="explore every state of the model (arguments: explore --help)")
    return top


def add_demo(command: argparse.ArgumentParser) -> None:
    command.add_argument("--seconds", type=seconds, default=6.0, metavar="S", help="how long to run (default 6)")
    command.add_argument("--threads", type=threads, default=12, metavar="N", help="how many tellers (default 12)")
    command.add_argument("--database", type=Path, metavar="PATH", help="make the database here, and keep it")
    command.add_argument("--seed", type=int, metavar="N", help="repeat the decisions of an earlier run")
    command.add_argument("--trace", type=Path, metavar="PATH", help="write the trace of the pool here (JSON lines)")


def seconds(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and 0.5 <= value <= 3600):
        raise argparse.ArgumentTypeError(f"{text} is not between 0.5 and 3600 seconds")
    return value


def threads(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 256:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 256 threads")
    return value


def demo(options: argparse.Namespace) -> int:
    """A pool of sqlite3 connections under traffic, and the verdict."""
    module = import_module("poolproof.demo")
    seed = secrets.randbelow(2**32) if options.seed is None else options.seed
    code: int = module.run(options.seconds, options.threads, options.database, seed, options.trace)
    return code


def replay(options: argparse.Namespace) -> int:
    """A recorded trace against the model."""
    module = import_module("poolproof.replay")
    try:
        recorder = module.Recorder.read(options.trace)
        verdict = module.replay(recorder.events(), recorder.snapshots())
    except module.TraceError as error:
        return complain(str(error))
    print(verdict)
    return 0 if verdict.ok else 1


def explore(arguments: list[str]) -> int:
    """Poolmodel's own command line."""
    try:
        main_of_model = import_module("poolmodel.__main__").main
    except ModuleNotFoundError as error:
        return complain(f"the model is not installed: {error}")
    code: int = main_of_model(["explore", *arguments])
    return code


def conform(arguments: list[str]) -> int:
    """The conformance suite, on whatever pool an adapter leads to."""
    try:
        command = import_module("poolproof.conformance.suite.command")
    except ModuleNotFoundError as error:
        return complain(f"{error}; pip install 'poolproof[conformance]'")
    code: int = command.main(arguments)
    return code


def complain(what: str) -> int:
    print(f"poolproof: {what}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
