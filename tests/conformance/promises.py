"""The clauses as the conformance suite quotes them:
``PYTHONPATH=docs/tools python tests/conformance/promises.py`` writes them anew."""

from __future__ import annotations

import json
from pathlib import Path

from specification import clauses

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = ["safety", "progress", "environment"]
TARGET = ROOT / "src/poolproof/conformance/suite/promises.json"


def written() -> str:
    """The text of the file, from the specification."""

    found = [
        {"id": each.id, "level": each.level, "chapter": Path(each.chapter).stem, "text": each.text, "why": each.intent}
        for each in sorted(clauses(), key=lambda each: CHAPTERS.index(Path(each.chapter).stem))
    ]
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    TARGET.write_text(written(), encoding="utf-8")
