"""The model's commands.

``python -m poolmodel explore [--config NAME] [--clients N] [--slots M] [--rounds R] [--rows] [--live]``
``python -m poolmodel vectors [--config NAME] [--out FILE]``
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from poolmodel.configurations import SCOPES
from poolmodel.explore import Exploration, Scope, explore
from poolmodel.lanes import lanes
from poolmodel.liveness import PROMISES, graph, starving
from poolmodel.vectors import covering, lines, vectors


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m poolmodel")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("explore", help="visit every reachable state and judge it")
    command.add_argument("--config", choices=sorted(SCOPES), help="one scope; without it, all of them")
    command.add_argument("--clients", type=int, help="instead of the scope's own number")
    command.add_argument("--slots", type=int, help="the limit, instead of the scope's own")
    command.add_argument("--rounds", type=int, help="how often each client acquires, instead of the scope's own")
    command.add_argument("--rows", action="store_true", help="how often each row fired")
    command.add_argument("--live", action="store_true", help="check the promises of progress, too")
    command = commands.add_parser("vectors", help="write events, states and what must come of them, as JSON lines")
    command.add_argument("--config", choices=sorted(SCOPES), help="all of one scope; without it, one of every kind")
    command.add_argument("--out", type=Path, help="a file; without it, standard output")
    options = parser.parse_args(arguments)
    if options.command == "vectors":
        return write_vectors(options.config, options.out)
    return explore_all(options)


def explore_all(options: argparse.Namespace) -> int:
    chosen = [SCOPES[options.config]] if options.config else list(SCOPES.values())
    scopes = [resized(scope, options.clients, options.slots, options.rounds) for scope in chosen]
    kept = [run(scope, rows=options.rows, live=options.live) for scope in scopes]
    return 0 if all(kept) else 1


def write_vectors(name: str | None, out: Path | None) -> int:
    """Write the vectors of the scope *name*, or one of every kind."""
    text = lines(covering() if name is None else vectors(SCOPES[name]))
    if out is None:
        sys.stdout.writelines(text)
    else:
        with out.open("w", encoding="ascii", newline="\n") as file:
            file.writelines(text)
    return 0


def resized(scope: Scope, clients: int | None, slots: int | None, rounds: int | None) -> Scope:
    """The same scope with other numbers."""
    config = scope.config if slots is None else replace(scope.config, limit=slots)
    return replace(scope, config=config, clients=clients or scope.clients, rounds=rounds or scope.rounds)


def run(scope: Scope, *, rows: bool, live: bool) -> bool:
    found = explore(scope)
    report(found, rows=rows)
    if found.counterexample is not None:
        broken = ", ".join((*found.counterexample.broken, *found.counterexample.policies))
        print(f"breaks {broken}:\n{lanes(found.counterexample.path, scope.clients)}")
        return False
    kept = True
    if live:
        explored = graph(scope)
        for promise in PROMISES:
            if (found_lasso := starving(explored, promise)) is not None:
                kept = False
                print(f"may break {promise.clause} for {found_lasso.who}: {', '.join(found_lasso.rows)} go round after")
                print(lanes(found_lasso.prefix, scope.clients))
    return kept


def report(found: Exploration, *, rows: bool) -> None:
    scope, rate = found.scope, found.edges / max(found.seconds, 1e-9)
    size = f"{scope.clients} × {'∞' if scope.config.limit is None else scope.config.limit}"
    print(
        f"{scope.name:14}{size:>6}{found.states:>10,} states{found.edges:>11,} edges"
        f"{found.seconds:>8.1f} s{rate:>9,.0f} edges/s",
        flush=True,
    )
    if rows:
        for row, count in sorted(found.fired.items()):
            print(f"    {row:16}{count:>10,}")


if __name__ == "__main__":
    sys.exit(main())
