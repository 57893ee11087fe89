"""The page on what is shown says what the tests say."""

from __future__ import annotations

import shown


def test_committed_page_is_up_to_date() -> None:
    assert shown.page() == shown.PAGE.read_text(encoding="utf-8"), "run python docs/tools/shown.py"


def test_every_folder_of_tests_has_a_method() -> None:
    tests = shown.ROOT / "tests"
    folders = {path.parent.relative_to(tests).parts for path in tests.rglob("test_*.py")}
    assert {parts[0] for parts in folders if parts} <= set(shown.METHODS)
