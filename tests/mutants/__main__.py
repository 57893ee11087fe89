"""Generate mutants and see them die. In the folder of the tests::

    python -m mutants                                        every module, every mutant: hours
    python -m mutants core.release lease --sample 50 --seed 7
    python -m mutants core.release --only "release_quiet"    what is not recorded
    python -m mutants core.release --again                   the recorded survivors only, against the tests of today
    python -m mutants core.release --stages 1 --seconds 60   first the fast tests only, as many mutants as there is time
    python -m mutants --list core.release
    python -m mutants --table                                make RESULTS.md anew, say what has changed since

Ends with 0 if every mutant tried died, was no program, or is argued to be equivalent.
"""

from __future__ import annotations

import argparse
import sys
import time

from rich.console import Console

from mutants import record
from mutants.campaign import STAGES, Campaign, Fate, campaign
from mutants.operators import Mutant
from mutants.running import Outcome

CONSOLE = Console(highlight=False, soft_wrap=True)
MEASURED: dict[tuple[str, ...], Outcome] = {}  # the real modules before each stage


def main() -> int:
    options = parsed()
    modules = [each for each in STAGES if not options.modules or any(matches(each, m) for m in options.modules)]
    if not modules:
        CONSOLE.print(f"no module is called so; there are {', '.join(STAGES)}", markup=False)
        return 2
    if options.table:
        record.keep_table()
        changed = record.stale(record.read())
        CONSOLE.print(f"changed since its run: {', '.join(changed) or 'nothing'}", markup=False)
        return 0
    if options.list:
        for module in modules:
            for mutant in campaign(module, MEASURED).mutants():
                CONSOLE.print(f"{module}:{mutant.line} {mutant.operator}: {mutant.name}", markup=False)
        return 0
    CONSOLE.print(f"{record.python()}, seed {options.seed}", markup=False)
    return max([tried(module, options) for module in modules])


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m mutants", description="Generate mutants and see them die.")
    parser.add_argument("modules", nargs="*", help="such as core.release or poolmodel.rows; all if none is named")
    parser.add_argument("--sample", type=int, help="how many mutants of each module")
    parser.add_argument("--seconds", type=float, default=1e9, help="how long at most for each module")
    parser.add_argument("--stages", type=int, help="only the first, fast ones; meet the others with --again")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="those whose name contains this; nothing is recorded")
    parser.add_argument("--again", action="store_true", help="only those that are recorded as survivors")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--table", action="store_true")
    return parser.parse_args()


def matches(module: str, asked: str) -> bool:
    return module == asked or module.endswith(f".{asked}")


def tried(module: str, options: argparse.Namespace) -> int:
    each, begun = campaign(module, MEASURED), time.monotonic()
    each.stages = each.stages[: options.stages]
    chosen = choose(module, each, options)
    if not chosen:
        return 0
    CONSOLE.print(f"{module}: {len(chosen)} mutants; unmutated {each.unmutated(0).cpu:.1f} s", markup=False)
    known = record.arguments().get(module, {})
    fates: list[Fate] = []

    def told(fate: Fate) -> None:
        fates.append(fate)
        argued = " (argued)" if fate.mutant.name in known else ""
        tell(f"{len(fates)}/{len(chosen)}", fate, argued, always=bool(options.only or options.again))

    each.run(chosen, told, options.seconds)
    if options.again:
        record.keep(module, record.amended(record.read()[module], fates))
    elif not options.only:
        record.keep(module, record.entry(each, fates, options.seed, time.monotonic() - begun))
    alive = [fate for fate in fates if fate.outcome.kind in ("passed", "undecided") and fate.mutant.name not in known]
    CONSOLE.print(f"{module}: {len(fates)} tried, {len(alive)} survived and are not argued about", markup=False)
    return 1 if alive else 0


def choose(module: str, each: Campaign, options: argparse.Namespace) -> list[Mutant]:
    if options.again:
        old = record.read().get(module, {"survivors": [], "undecided": []})
        names = {*old["survivors"], *old["undecided"]} - set(record.arguments().get(module, {}))
        return [mutant for mutant in each.mutants() if mutant.name in names]
    if options.only:
        return [mutant for mutant in each.mutants() if options.only in mutant.name]
    return each.sample(options.sample, options.seed)


def tell(place: str, fate: Fate, note: str, always: bool) -> None:
    outcome, mutant = fate.outcome, fate.mutant
    words = {"passed": "SURVIVED", "failed": "killed", "limit": "killed", "invalid": "no program"}
    line = f"{place} {words.get(outcome.kind, outcome.kind)}{note} {mutant.name}"
    if outcome.kind != "passed":
        line += f"\n    {outcome.where} {outcome.reason}"
    if always or outcome.kind in ("passed", "undecided"):
        CONSOLE.print(line, markup=False)
    elif CONSOLE.is_terminal:
        CONSOLE.print(line.partition("\n")[0][: CONSOLE.width - 1], markup=False, end="\r")


if __name__ == "__main__":
    sys.exit(main())
