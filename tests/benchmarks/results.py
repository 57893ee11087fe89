"""The JSON files that keep what was measured: one for each interpreter, in it one entry for each family."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks import machine

Families = dict[str, Any]  # by name: when and where it was measured, and its data


def keep(folder: Path, name: str, entry: dict[str, Any]) -> None:
    """Put one family's entry in the place of the one that this interpreter had."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{machine.interpreter()}.json"
    families = _read(path) if path.is_file() else {}
    families[name] = entry
    path.write_text(json.dumps(families, indent=1, default=str) + "\n", encoding="utf-8")


def kept(folder: Path) -> dict[str, Families]:
    """Everything in *folder*, by interpreter, the oldest version first."""
    found = {path.stem: _read(path) for path in folder.glob("*.json")}
    return {name: found[name] for name in sorted(found, key=_age)}


def of_family(records: dict[str, Families], family: str) -> dict[str, Any]:
    """The data of one family, by interpreter."""
    return {name: families[family]["data"] for name, families in records.items() if family in families}


def _read(path: Path) -> Families:
    families: Families = json.loads(path.read_text(encoding="utf-8"))
    return families


def _age(name: str) -> tuple[list[int], str]:
    digits = name.partition("-")[2].partition("-")[0].strip("t")
    return [int(part) for part in digits.split(".") if part.isdigit()], name
