"""Write the page "what is shown, by what, up to where" from the marks on the tests: ``python docs/tools/shown.py``.

Each test is marked with the clauses that it shows, and stands in a folder that says by which method. What a method
is worth, and up to where it goes, is said once here; which clause rests on which is counted.
"""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from specification import Clause, clauses

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "explanation" / "what-is-shown.md"

# Folder of tests/, what the column is called, and what stands behind a mark there.
METHODS = {
    "model": (
        "model",
        ("The model, explored breadth-first: every reachable state and edge of 3 clients × 2 slots in "
        "[15 configurations](../../model/RESULTS.md); progress under named weak fairness. Says nothing of larger "
        "sizes, and nothing of the code."),
    ),
    "core": (
        "core",
        ("The core's pure functions: CrossHair contracts required to be *confirmed*, and refinement against the "
        "model on every reachable edge and every disabled event. Bounds and gaps: "
        "[core-checks.md](core-checks.md)."),
    ),
    "stateful": (
        "random walks",
        ("Hypothesis drives the core and the model together, beyond the exhaustive bounds (up to 8 tickets × 6 slots). "
        "A sample, however large."),
    ),
    "pool": (
        "scenarios",
        ("Scripted scenarios on the shipped pool with real threads and, where time matters, a virtual clock. "
        "Examples: they show that it can hold, and held in this scene."),
    ),
    "environment": (
        "environment",
        ("The shipped pool under the collector, signals, forks, and exceptions injected at every bytecode of the "
        "scenes listed there, on each CPython that runs the suite. Exhaustive over the injection points of the "
        "scenes, not over scenes or thread interleavings."),
    ),
    "interleavings": (
        "all schedules",
        ("The shipped driver on real threads under a deterministic scheduler: every schedule of every pair and triple "
        "of operations, and of longer programs up to a bound; what was reached is in "
        "[RESULTS.md](../../tests/interleavings/RESULTS.md). Serialised: it cannot see data races."),
    ),
    "histories": (
        "histories",
        ("Calls and returns of real threads, judged by two independent linearizability checkers with the model as "
        "oracle, which must agree. A sample of interleavings; ages, uses and executors are not judged."),
    ),
    "uncontrolled": (
        "uncontrolled",
        ("Random work on real threads that switch as often as the interpreter lets them, with an ownership oracle "
        "inside the resource. A sample; `POOLPROOF_LOAD_SECONDS=600 pytest -m exhaustive tests/uncontrolled` is a "
        "larger one."),
    ),
    "second_opinions": (
        "second opinions",
        ("The model, judged by others: a Promela model written from the specification, searched by spin, with the "
        "same states and edges in [16 scopes](../../model/promela/README.md); counters for every row, of which z3 "
        "proves the counting invariants inductive for any number of slots, tickets and any limit, and which count "
        "every explored edge; vectors for other languages, replayed. Says nothing of the code."),
    ),
    "aio": (
        "tasks",
        ("`AsyncPool`: scenarios; a cancellation before every step of the loop, in every operation and callback; every "
        "order of the loop's ready queue for small programs; random walks against the model. Complete for the programs "
        "listed in the tests, on asyncio's own loop."),
    ),
    "greenlets": (
        "greenlets",
        ("The shipped pool on real eventlet and gevent hubs: kills, timeouts and exceptions thrown at every switch of "
        "the operations listed there; patched processes. Examples of schedules, not all of them."),
    ),
    "compat": (
        "facades",
        ("The drop-in modules: the libraries' own test suites where they are published, and scenarios in which the "
        "library breaks and the facade does not. Examples."),
    ),
    "proxy": ("proxy", "The proxy beside its plain target, operation by operation, in threads, tasks, greenlets."),
    "conformance": (
        "own suite",
        ("The conformance suite put to this pool, to a correct one written differently, and to broken ones that must "
        "fail at the named clause. It sees what an outside observer sees."),
    ),
    "conformance_patched": (
        "patched",
        ("Pools without our seam under patched primitives: shows that the tool finds planted bugs, and says nothing "
        "of our own pool."),
    ),
    "benchmarks": ("text", "A check on the text of the specification or of the code."),
    "mutants": ("text", "A check on the text of the specification or of the code."),
    "replay": (
        "replayed traces",
        ("Traces of real multi-threaded runs, replayed through the model commit by commit. A sample of "
        "interleavings, whatever the machine happened to do."),
    ),
    "demo": ("demo", "The demo's verdict on real sqlite connections. A sample."),
    "spec": ("text", "A check on the text of the specification or of the code."),
    "docs": ("text", "A check on the text of the specification or of the code."),
}

NOT_SHOWN = """\
## What is not shown

- **Real threads through all schedules of larger programs.** The scheduler is complete for the programs that it
  lists; beyond them there are random walks, recorded histories and load.
- **Sizes beyond the bounds.** The exploration and the confirmed contracts have bounds. Induction carries on what
  counts can say (z3), not order and identity.
- **Liveness of the code.** That acquires end is shown of the model; of the code it is shown schedule by schedule.
- **Free-threaded builds.** The code is written for them (one lock around every commit, no reliance on the
  interpreter lock elsewhere), and no such build has run the suite.
- **Interruption points.** That CPython delivers signals, finalizers and asynchronous exceptions only at certain
  bytecodes is an assumption (INTERRUPTION-POINTS); that the critical region contains none of those is checked.
- **Time.** Clocks and operating system schedulers are taken on trust; progress clauses assume that both go on.
"""


def page() -> str:
    """The text of the page."""
    counts = count_marks()
    columns = list(dict.fromkeys(name for name, _ in METHODS.values()))
    lines = [
        "# What is shown, by what, up to where\n",
        ("Made by `python docs/tools/shown.py` from the marks on the tests; a test keeps it up to date. A number "
        "is how many tests in that column are marked with the clause. The clauses: [spec](../../spec/README.md).\n"),
        "## The methods\n",
        *(f"- **{name}**: {text}" for name, text in dict.fromkeys(METHODS.values())),
        "",
        NOT_SHOWN,
        "## Clause by clause\n",
        f"| clause | level | {' | '.join(columns)} |",
        f"|---|---|{'---|' * len(columns)}",
        *(row(clause, counts, columns) for clause in clauses()),
    ]
    bare = [clause.id for clause in clauses() if not any(counts[clause.id, name] for name in columns)]
    lines += ["", f"Without any test: {', '.join(bare) if bare else 'none'}.", ""]
    return "\n".join(lines)


def row(clause: Clause, counts: Counter[tuple[str, str]], columns: list[str]) -> str:
    cells = [str(counts[clause.id, name] or "") for name in columns]
    return f"| [{clause.id}](../../spec/{clause.chapter}) | {clause.level} | {' | '.join(cells)} |"


def count_marks(root: Path = ROOT / "tests") -> Counter[tuple[str, str]]:
    """How many marks name a clause, by clause and column."""
    counts: Counter[tuple[str, str]] = Counter()
    for path in sorted(root.rglob("*.py")):
        column = METHODS.get(path.relative_to(root).parts[0], ("", ""))[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("mark.clause"):
                counts.update((str(each.value), column) for each in node.args if isinstance(each, ast.Constant))
    return counts


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
