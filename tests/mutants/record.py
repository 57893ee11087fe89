"""What was seen: ``results.json``, the table ``RESULTS.md`` made of it, and the arguments in ``equivalent.toml``."""

from __future__ import annotations

import datetime as dt
import json
import platform
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mutants.campaign import Campaign, Fate, fingerprint, path_of
from mutants.operators import mutants_of

HERE = Path(__file__).parent
RESULTS, TABLE, ARGUMENTS = HERE / "results.json", HERE / "RESULTS.md", HERE / "equivalent.toml"

Entry = dict[str, Any]


def read() -> dict[str, Entry]:
    """The recorded runs, by module."""
    if not RESULTS.exists():
        return {}
    found: dict[str, Entry] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return found


def arguments() -> dict[str, dict[str, str]]:
    """By module and mutant: why no test can kill it."""
    if not ARGUMENTS.exists():
        return {}
    found: dict[str, dict[str, str]] = {}
    for group in tomllib.loads(ARGUMENTS.read_text(encoding="utf-8")).get("equivalent", []):
        for mutant in group["mutants"]:
            found.setdefault(group["module"], {})[mutant] = group["why"]
    return found


def entry(campaign: Campaign, fates: Sequence[Fate], seed: int, seconds: float) -> Entry:
    """The record of a run over a sample that may be the whole."""
    by = Counter(fate.outcome.kind for fate in fates)
    tests = Counter(_file(fate) for fate in fates if fate.outcome.kind == "failed")
    limits = Counter(fate.outcome.reason for fate in fates if fate.outcome.kind == "limit")
    return {
        "generated": len(campaign.mutants()),
        "tried": len(fates),
        "seed": seed,
        "killed by a failing test": dict(tests.most_common()),
        "killed at a limit": dict(limits.most_common()),
        "invalid": by["invalid"],
        "undecided": [fate.mutant.name for fate in fates if fate.outcome.kind == "undecided"],
        "survivors": [fate.mutant.name for fate in fates if fate.outcome.kind == "passed"],
        "seconds": round(seconds),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "fingerprint": fingerprint(campaign.source),
    }


def amended(old: Entry, fates: Sequence[Fate]) -> Entry:
    """*old* after its survivors met the tests once more."""
    new = json.loads(json.dumps(old))
    for fate in fates:
        outcome, name = fate.outcome, fate.mutant.name
        if outcome.killed or outcome.kind == "invalid":
            for group in ("survivors", "undecided"):
                new[group] = [each for each in new[group] if each != name]
        if outcome.killed:
            kills = new["killed by a failing test" if outcome.kind == "failed" else "killed at a limit"]
            key = _file(fate) if outcome.kind == "failed" else outcome.reason
            kills[key] = kills.get(key, 0) + 1
        new["invalid"] += outcome.kind == "invalid"
    return dict(new)


def keep(module: str, found: Entry) -> None:
    everything = read() | {module: found}
    RESULTS.write_text(json.dumps(everything, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    keep_table()


def keep_table() -> None:
    TABLE.write_text(table(read(), arguments()), encoding="utf-8")


def table(everything: dict[str, Entry], why: dict[str, dict[str, str]]) -> str:
    """RESULTS.md."""
    modules = [(module, found, why.get(module, {})) for module, found in sorted(everything.items())]
    lines = [
        INTRODUCTION,
        f"| {' | '.join(['module', *COLUMNS, 'killed of the rest', 'seconds'])} |",
        f"|---{'|--:' * (len(COLUMNS) + 2)}|",
    ]
    lines += [_row(f"`{module}`", counts(found, known)) for module, found, known in modules]
    lines += [_row("all", total(everything, why)), "", "## How each module was tried", ""]
    lines += ["| module | what | Python, machine, date | source | killed first by |", "|---|---|---|---|---|"]
    lines += [_how(module, found) for module, found, _ in modules]
    lines += ["", "## What survived", ""]
    for module, found, known in modules:
        gaps = [each for each in (*found["survivors"], *found["undecided"]) if each not in known]
        lines += [f"- `{module}`: `{each}`{' (undecided)' if each in found['undecided'] else ''}" for each in gaps]
    lines += ["", "## What no test can kill, and why", ""]
    for module, found, known in modules:
        for reason in dict.fromkeys(known[each] for each in found["survivors"] if each in known):
            names = [each for each in found["survivors"] if known.get(each) == reason]
            lines += [f"- `{module}`: {reason}", *[f"  - `{each}`" for each in names]]
    return "\n".join(lines) + "\n"


def _how(module: str, found: Entry) -> str:
    whole = found["tried"] == found["generated"]
    what = "all" if whole else f"a sample of {found['tried']} of {found['generated']}, seed {found['seed']}"
    kills = Counter({**found["killed by a failing test"], **found["killed at a limit"]})
    first = ", ".join(f"{each} {number}" for each, number in kills.most_common(4))
    where = f"{found['python']}, {found['machine']}, {found['date']}"
    return f"| `{module}` | {what} | {where} | {found['fingerprint']} | {first} |"


COLUMNS = {
    "generated": "generated",
    "tried": "tried",
    "no program": "invalid",
    "killed": "killed",
    "of these at a limit": "limit",
    "equivalent": "equivalent",
    "survived": "survived",
}
INTRODUCTION = """# Generated mutants: what was seen

Made by `python -m mutants` (see `__main__.py`); do not edit. Each mutant is one small fault in a function, run by
itself against the tests of behaviour (`campaign.py` names them; those that read the source take no part), fast ones
first, to the first failure.

- *No program*: the fault is a name that does not exist, which any test would notice; it counts for nothing.
- *At a limit*: it used more than three times the processor time of the real one and four seconds, or, twice in a
  row, none of its threads could run for two and a half seconds.
- *Equivalent*: argued below.
- A sample is a sample: what was not tried is not known.
"""


def counts(found: Entry, known: dict[str, str]) -> dict[str, int]:
    equivalent = sum(each in known for each in found["survivors"])
    limit = sum(found["killed at a limit"].values())
    return {
        "generated": found["generated"],
        "tried": found["tried"],
        "invalid": found["invalid"],
        "killed": sum(found["killed by a failing test"].values()) + limit,
        "limit": limit,
        "equivalent": equivalent,
        "survived": len(found["survivors"]) - equivalent + len(found["undecided"]),
        "seconds": found["seconds"],
    }


def total(everything: dict[str, Entry], why: dict[str, dict[str, str]]) -> Counter[str]:
    summed = Counter[str]()
    for module, found in everything.items():
        summed.update(counts(found, why.get(module, {})))
    return summed


def share(count: dict[str, int] | Counter[str]) -> float:
    """Of the mutants that are programs and not equivalent: how many died."""
    return count["killed"] / max(1, count["killed"] + count["survived"])


def _row(name: str, count: dict[str, int] | Counter[str]) -> str:
    numbers = " | ".join(str(count[each]) for each in COLUMNS.values())
    return f"| {name} | {numbers} | {100 * share(count):.1f} % | {count['seconds']} |"


def _file(fate: Fate) -> str:
    return fate.outcome.where.partition("::")[0]


def stale(found: dict[str, Entry]) -> list[str]:
    """The modules whose code is not that of the recorded run any more."""
    changed = []
    for module, each in found.items():
        path = path_of(module)
        if not path.exists() or fingerprint(path.read_text(encoding="utf-8")) != each["fingerprint"]:
            changed.append(module)
    return changed


def vanished(why: dict[str, dict[str, str]]) -> list[str]:
    """The arguments about mutants that cannot be made any more."""
    gone = []
    for module, reasons in why.items():
        names = {mutant.name for mutant in mutants_of(path_of(module).read_text(encoding="utf-8"))}
        gone += [f"{module}: {each}" for each in reasons if each not in names]
    return gone


def python() -> str:
    return f"Python {platform.python_version()} at {sys.executable}"
