"""Which tests judge which module, and a run over many mutants.

The tests that judge are those of behaviour. Those that read the source (style, architecture, documents, the bytecode
of the commit) say nothing about a compiled tree and are left out. Fast ones come first; whoever survives all stages
has survived. CrossHair's contracts, the long explorations (``-m exhaustive``) and what depends on real time take no
part either.
"""

from __future__ import annotations

import ast
import hashlib
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mutants.operators import Mutant, mutants_of
from mutants.running import Finder, Outcome, Project, run

ROOT = Path(__file__).resolve().parents[2]
# A fixed seed, so that a mutant's fate does not depend on luck.
POOLPROOF = Project(
    ROOT,
    ("src", "model", "tests", "docs/tools"),
    ("--hypothesis-profile=dev", "--hypothesis-seed=1"),
    ("hypothesis.stateful", "pytest_timeout", "concurrent.futures.thread", "asyncio"),
)

POOL = ("tests/pool", "tests/mutants/test_survivors.py")
MACHINE = ("tests/stateful/test_core_machine.py",)
# The scopes that are explored in a second; no thread takes part, so a mutant cannot spin in a retry.
SMALL = tuple(
    f"tests/core/test_refinement.py::test_every_step_is_a_step_of_the_model[{scope}]"
    for scope in ("empty-raises", "given", "fork", "min-size")
)
REFINEMENT = ("tests/core/test_refinement.py",)
REPLAY = ("tests/replay", "tests/core/test_claims.py")
ENVIRONMENT = (
    "tests/environment/test_recovery.py",
    "tests/environment/test_async_exceptions.py",
    "tests/environment/test_forks_within.py",
    "tests/environment/test_callbacks.py",
    "tests/environment/test_finalizers.py",
)
MODEL = ("tests/model/test_machine.py", "tests/mutants/test_survivors.py", "tests/mutants/test_model_survivors.py")
GUARDS = ("tests/model/test_guards.py", "tests/second_opinions/test_vectors.py")
EXPLORATION = ("tests/model/test_exploration.py", "tests/model/test_liveness.py")

OF_CORE = (SMALL, POOL, MACHINE, REFINEMENT, REPLAY)
OF_DRIVER = (POOL, ENVIRONMENT, REPLAY)
OF_MODEL = (MODEL, SMALL, MACHINE, REFINEMENT, GUARDS, EXPLORATION)
STAGES = {
    **{f"poolproof.core.{name}": OF_CORE for name in (
        "release", "acquire", "draft", "duties", "change", "upkeep", "build")},
    **{f"poolproof.{name}": OF_DRIVER for name in ("driver", "waiting", "lease", "work", "runtime.threads")},
    **{f"poolmodel.{name}": OF_MODEL for name in ("rows", "guards", "machine")},
}  # fmt: skip

Stages = Sequence[Sequence[str]]


class Unfit(Exception):
    """The tests fail on the real module, so they say nothing about a mutant."""


@dataclass(frozen=True)
class Fate:
    """What became of one mutant, and by which stage."""

    mutant: Mutant
    outcome: Outcome
    stage: int


@dataclass
class Campaign:
    """The mutants of one module before its tests."""

    module: str
    path: Path
    stages: Stages
    project: Project = POOLPROOF
    measured: dict[tuple[str, ...], Outcome] = field(default_factory=dict)
    spare: float = 4.0  # seconds of processor time, besides three times those of the real module

    @property
    def source(self) -> str:
        return self.path.read_text(encoding="utf-8")

    def mutants(self) -> list[Mutant]:
        return mutants_of(self.source)

    def sample(self, size: int | None, seed: int) -> list[Mutant]:
        """*size* of the mutants or all, in an order drawn with *seed*: if time ends the run, it was a sample too."""
        everyone = self.mutants()
        return random.Random(seed).sample(everyone, min(len(everyone), size or len(everyone)))

    def unmutated(self, stage: int) -> Outcome:
        """The real module before one stage. It has to pass; what it takes is the measure for the mutants."""
        tests = tuple(self.stages[stage])
        if tests not in self.measured:
            self.measured[tests] = run(self.project, tests, self._finder(ast.parse(self.source)), cpu=900)
        outcome = self.measured[tests]
        if outcome.kind != "passed":
            raise Unfit(f"without a mutant: {outcome.kind} at {outcome.where}: {outcome.reason}")
        return outcome

    def judge(self, mutant: Mutant) -> Fate:
        """Stage after stage until one does not pass."""
        finder = self._finder(mutant.tree(self.source))
        new = getattr(mutant.new, "attr", getattr(mutant.new, "id", "")) if mutant.operator == "identifier" else ""
        outcome = Outcome("undecided", reason="no tests")
        for stage, tests in enumerate(self.stages):
            allowed = self.spare + 3 * self.unmutated(stage).cpu
            outcome = run(self.project, tests, finder, allowed, new)
            if outcome.reason == "stuck":  # once more: a thread may have waited out a watchdog
                outcome = run(self.project, tests, finder, allowed, new)
            if outcome.kind != "passed":
                return Fate(mutant, outcome, stage)
        return Fate(mutant, outcome, len(self.stages))

    def run(self, mutants: Sequence[Mutant], told: Callable[[Fate], None], seconds: float = 1e9) -> list[Fate]:
        """The fates of *mutants*, as many as *seconds* suffice for."""
        end, fates = time.monotonic() + seconds, list[Fate]()
        for mutant in mutants:
            if time.monotonic() > end:
                break
            fates.append(self.judge(mutant))
            told(fates[-1])
        return fates

    def _finder(self, tree: ast.Module) -> Finder:
        return Finder(self.module, self.path, compile(tree, str(self.path), "exec", dont_inherit=True))


def path_of(module: str) -> Path:
    top = ROOT / ("model" if module.startswith("poolmodel") else "src")
    return top.joinpath(*module.split(".")).with_suffix(".py")


def campaign(module: str, measured: dict[tuple[str, ...], Outcome]) -> Campaign:
    return Campaign(module, path_of(module), STAGES[module], measured=measured)


def fingerprint(source: str) -> str:
    """Of what a module does, in any version of Python: comments, docstrings and blank lines do not count."""
    prose = set[int]()
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            first = node.body[0]
            prose.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    lines = [line for number, line in enumerate(source.splitlines(), start=1) if number not in prose]
    code = [line.rstrip() for line in lines if line.strip() and not line.strip().startswith("#")]
    return hashlib.sha256("\n".join(code).encode()).hexdigest()[:12]
