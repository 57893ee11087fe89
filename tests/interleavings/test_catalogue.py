"""Every seeded bug is found, for the reason that was expected; and the pool itself passes the same programs."""

from __future__ import annotations

import pytest

from interleavings.mutants import MUTANTS, Mutant
from poolproof.conformance.checking import check, replay

PROGRAMS = sorted({(mutant.program, mutant.grain) for mutant in MUTANTS})


@pytest.mark.parametrize(("program", "grain"), PROGRAMS)
def test_the_pool_itself_passes(program: str, grain: str) -> None:
    report = check(program, grain=grain, bounds=(None,))  # type: ignore[arg-type]
    assert report.verdict == "ok", report.counterexample


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_seeded_bug_is_found(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    if mutant.patch is not None:
        mutant.patch(monkeypatch)
    report = check(mutant.program, grain=mutant.grain, scene=mutant.scene)
    example = report.counterexample
    assert example is not None, f"survived {report.runs} runs"
    found = {finding.clause for finding in example.run.findings}
    assert found & set(mutant.clauses), f"died of something else:\n{example}"
    again = replay(example.token, scene=mutant.scene)
    assert again.run == example.run
