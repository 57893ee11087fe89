"""CrossHair, asked through its interface for Python: only the literal verdict counts.

The command line is silent about what was not confirmed and about preconditions that cannot be met. Here every
message is a verdict, and the time given to one path is all of the time given to its contract.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, get_type_hints

from crosshair.core_and_libs import analyze_function, run_checkables
from crosshair.options import AnalysisKind, AnalysisOptionSet

SECONDS = 60.0
OPTIONS = AnalysisOptionSet(
    analysis_kind=[AnalysisKind.PEP316],
    report_all=True,
    per_condition_timeout=SECONDS,
    per_path_timeout=SECONDS,
    max_uninteresting_iterations=sys.maxsize,
)

CONFIRMED, IMPOSSIBLE, REFUTED = "CONFIRMED", "PRE_UNSAT", "POST_FAIL"


class Verdict(NamedTuple):
    """What CrossHair says of one contract."""

    state: str
    message: str


def verdict(contract: Callable[..., Any]) -> Verdict:
    """The one message about the one postcondition of *contract*."""
    messages = run_checkables(analyze_function(contract, OPTIONS))
    assert len(messages) == 1, messages
    return Verdict(messages[0].state.name, messages[0].message)


class Contract(NamedTuple):
    """A contract to be generated: two expressions over ``n``, a value of the class of numbers."""

    name: str
    before: str
    after: str


def generate(path: Path, imports: str, numbers: type[Any], contracts: Sequence[Contract]) -> ModuleType:
    """Write a module with one function for each contract, and import it.

    The functions take plain parameters, which CrossHair makes symbolic one by one.
    """
    hints = {name: hint.__name__ for name, hint in get_type_hints(numbers).items()}
    parameters = ", ".join(f"{name}: {hint}" for name, hint in hints.items())
    value = f"{numbers.__name__}({', '.join(hints)})"
    lines = [imports]
    for each in contracts:
        lines += [
            "",
            "",
            f"def {each.name}({parameters}) -> bool:",
            '    """',
            f"    pre: {each.before.replace('$n', value)}",
            "    post: _",
            '    """',
            f"    return {each.after.replace('$n', value)}",
        ]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
