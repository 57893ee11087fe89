"""Measure poolproof against its peers. In the folder of the tests, or as ``python tests/benchmarks``::

    python -m benchmarks                    every family, at full length: about an hour
    python -m benchmarks cycles asyncio     these families; the others keep what was measured before
    python -m benchmarks --quick            everything once and small, into a temporary folder
    python -m benchmarks --page             measure nothing, make page and plots anew from what is kept

One process measures everything side by side, in rounds that are shuffled by the seed. Results go to docs/benchmarks:
one JSON for each interpreter, one page and the plots for all of them. Run it once with each interpreter.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType

if not __package__:  # run as a folder
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks import contention, cycles, deadlines, hubs, machine, memory, page, plots, results, scale, tasks
from benchmarks.plan import Plan, quick

FAMILIES: dict[str, ModuleType] = {
    "cycles": cycles, "contention": contention, "scale": scale, "deadlines": deadlines, "memory": memory,
    "asyncio": tasks, "hubs": hubs,
}  # fmt: skip
DOCS = machine.ROOT / "docs" / "benchmarks"


def main(arguments: list[str] | None = None) -> int:
    options = parsed(arguments)
    plan = quick(options.seed) if options.quick else Plan(options.seed)
    if options.rounds is not None:
        plan = dataclasses.replace(plan, rounds=options.rounds, bouts=options.rounds)
    folder = options.out or (Path(tempfile.mkdtemp(prefix="benchmarks-")) if options.quick else DOCS)
    if not options.page:
        print(f"{machine.interpreter()}, seed {plan.seed}, {plan.rounds} rounds, load {machine.load()}", flush=True)
        for name in options.families or FAMILIES:
            measure(name, plan, folder)
    made(folder)
    return 0


def measure(name: str, plan: Plan, folder: Path) -> None:
    """Run one family and keep what it says."""
    load, begun, date = machine.load(), time.monotonic(), machine.now()
    data = FAMILIES[name].run(plan)
    seconds = round(time.monotonic() - begun, 1)
    entry = {
        "date": date, "seconds": seconds, "seed": plan.seed, "rounds": plan.rounds, "quick": plan.quick,
        "load": [load, machine.load()], "machine": machine.here(), "data": data,
    }  # fmt: skip
    results.keep(folder, name, entry)
    missing = "".join(f"\n  without {peer}: {why}" for peer, why in data.get("missing", {}).items())
    print(f"{name}: {seconds} s{missing}", flush=True)


def made(folder: Path) -> None:
    """Make the plots and the page."""
    records = results.kept(folder)
    try:
        drawn = plots.draw(records, folder)
        print(f"{len(drawn)} plots", flush=True)
    except ImportError as error:
        print(f"no new plots: {error}; install poolproof[benchmarks]", flush=True)
    print(page.write(records, folder))


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure poolproof against its peers.")
    parser.add_argument("families", nargs="*", metavar="family", help=", ".join(FAMILIES))
    parser.add_argument("--quick", action="store_true", help="small, into a temporary folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, help="how many rounds, instead of 15 of cycles and 5 of crowds")
    parser.add_argument("--out", type=Path, help="the folder for the results, instead of docs/benchmarks")
    parser.add_argument("--page", action="store_true", help="measure nothing, make page and plots anew")
    options = parser.parse_args(arguments)
    if unknown := {*options.families} - {*FAMILIES}:
        parser.error(f"no such family: {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
