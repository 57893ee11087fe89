"""Run the Promela model with spin, and bring what it finds and what the model in Python finds into one form."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from poolmodel.explore import OUTSIDE, Node, Scope, first_node, steps
from poolmodel.state import Slot
from source import ROOT

PROMELA = ROOT / "model" / "promela"
MISSING = "the Promela model is not checked: apt-get install spin gcc"

# The deepest path that the search may take. Reaching it is an error, not a result.
DEPTH = 500_000
UNBOUNDED = 255
ALL = 4
PHASES = ("open", "closing", "closed")
STATES = ("absent", "creating", "free", "checked_out", "returning", "discarded")

Edge = tuple[str, str, str]


class Incomplete(AssertionError):
    """spin did not look at everything; whatever it found is no result."""


@dataclass(frozen=True)
class Report:
    """What spin says of one scope."""

    states: int
    transitions: int
    errors: int
    rows: Counter[str]
    edges: Counter[Edge]
    output: str


def require_tools() -> None:
    """Without spin nothing is known, and that is a failure."""
    missing = [tool for tool in ("spin", "gcc") if shutil.which(tool) is None]
    if missing:
        raise AssertionError(f"{MISSING} (not found: {', '.join(missing)})")


def row_numbers() -> dict[int, str]:
    """The ids of the rows by their numbers in the Promela model."""
    text = (PROMELA / "report.pml").read_text(encoding="utf-8")
    return {int(number): name.replace("_", "-") for name, number in re.findall(r"#define ROW_(\w+) (\d+)", text)}


def places(scope: Scope) -> int:
    """How many slots can be live at once; without a limit as many as fit, and one more is an error."""
    limits = [scope.config.limit, *scope.limits]
    return max(ALL if limit is None else limit for limit in limits)


def definitions(scope: Scope) -> list[str]:
    """The -D options that make the Promela model the same scope."""
    config = scope.config
    values = {
        "CLIENTS": scope.clients,
        "SLOTS": places(scope),
        "LIMIT": _number(config.limit),
        "LIMITS": sum(1 << (7 if limit is None else limit) for limit in scope.limits),
        "MIN_SIZE": config.min_size,
        "FACTORY": config.factory,
        "CHECK": config.check,
        "RESET": config.reset,
        "LEASE_RESET": config.lease_reset,
        "FIFO": config.order == "fifo",
        "RAISE_EMPTY": config.when_empty == "raise",
        "MAX_WAITING": _number(config.max_waiting),
        "ROUNDS": scope.rounds or 0,
        "OFFER_AGAIN": 1 in scope.resources,
    }
    off = {f"OFF_{row.replace('-', '_')}": 1 for row in sorted(OUTSIDE - scope.rows)}
    return [f"-D{name}={int(value)}" for name, value in (values | off).items()]


def run(scope: Scope, folder: Path, *, edges: bool = False, literal: bool = False, source: Path = PROMELA) -> Report:
    """Search everything that *scope* reaches. Files are made in *folder*."""
    require_tools()
    more = [f"-DEDGES={int(edges)}", f"-DLITERAL={int(literal)}"]
    _command(["spin", *definitions(scope), *more, "-a", str(source / "pool.pml")], folder)
    _command(["gcc", "-O0", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c"], folder)
    return read(_command(["./pan", f"-m{DEPTH}", "-w20"], folder, allow_failure=True))


def read(output: str) -> Report:
    """What a search printed; Incomplete unless it says that it was complete."""
    errors = re.search(r"errors: (\d+)\n", output)
    states = re.search(r"^ *(\d+) states, stored\n", output, re.MULTILINE)
    transitions = re.search(r"^ *(\d+) transitions \(= stored\+matched\)", output, re.MULTILINE)
    if errors is None or states is None or transitions is None:
        raise Incomplete(output)
    if errors[1] == "0" and not _is_complete(output):
        raise Incomplete(output)
    names = row_numbers()
    counted = re.findall(r"^row (\d+) (\d+)$", output, re.MULTILINE)
    rows = Counter({names[int(row)]: int(times) for row, times in counted})
    found = re.findall(r"^edge (\d+) (\S+) (\S+)$", output, re.MULTILINE)
    edges = Counter((names[int(row)], before, after) for row, before, after in found)
    return Report(int(states[1]), int(transitions[1]), int(errors[1]), rows, edges, output)


def _is_complete(output: str) -> bool:
    wanted = ("Full statespace search for:", "assertion violations\t+", "invalid end states\t+")
    unwanted = ("max search depth too small", "Search not completed", "out of memory", "Bit statespace", "Hash-Compact")
    return all(each in output for each in wanted) and not any(each in output for each in unwanted)


def _command(command: list[str], folder: Path, *, allow_failure: bool = False) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode and not allow_failure:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


# The same edges, told by the model in Python


@dataclass(frozen=True)
class Graph:
    """What the model in Python reaches, in the words in which the Promela model prints its edges."""

    states: int
    edges: Counter[Edge]
    rows: Counter[str]


def graph(scope: Scope) -> Graph:
    """Every edge that *scope* allows, and how often each row fired."""
    first = first_node(scope)
    named, frontier, edges, rows = {first: describe(scope, first)}, [first], Counter[Edge](), Counter[str]()
    for node in frontier:
        for step in steps(scope, node, scope.domain()):
            if step.node not in named:
                named[step.node] = describe(scope, step.node)
                frontier.append(step.node)
            edges[step.edge.event.row, named[node], named[step.node]] += 1
            rows.update([each.row for each in step.edge.fired])
    return Graph(len(named), edges, rows)


def describe(scope: Scope, node: Node) -> str:
    """A state, as ``describe`` of report.pml prints it: phase, slots, free list, queue, acquires left."""
    state, size = node.state, places(scope)
    slots = {slot.number: slot for slot in state.slots}
    free = state.free if scope.config.order == "fifo" else state.free[::-1]
    head = f"{PHASES.index(state.phase)}/{_number(state.limit)}/{int(state.backing_off)}"
    each = [_slot(slots.get(number)) for number in range(1, size + 1)]
    lists = [_padded(free, size), _padded(state.queue, scope.clients), _padded(node.rounds, scope.clients)]
    return "/".join([head, *each, *lists])


def normal(described: str) -> str:
    """The normal form of a state that was printed with -DLITERAL."""
    phase, limit, backing_off, *slots = described.split("/")
    *slots, free, queue, left = slots
    if PHASES[int(phase)] != "open":
        backing_off = "0"
    discarded = str(STATES.index("discarded"))
    slots = [f"{each[:3]}0{each[4:]}" if each[0] == discarded else each for each in slots]
    return "/".join([phase, limit, backing_off, *slots, free, queue, left])


def _slot(slot: Slot | None) -> str:
    if slot is None:
        return "000000"
    marks = (slot.unfit, slot.fresh, slot.owned)
    return f"{STATES.index(slot.state)}{slot.bound or 0}{slot.holder or 0}{''.join(str(int(mark)) for mark in marks)}"


def _padded(numbers: Iterable[int], length: int) -> str:
    return "".join(str(number) for number in numbers).ljust(length, "0")


def _number(limit: int | None) -> int:
    return UNBOUNDED if limit is None else limit
