"""The reference is the docstrings: complete, and up to date."""

from __future__ import annotations

from pathlib import Path

import pytest

import reference

STALE = "stale; run: python docs/tools/reference.py"

FRONT = '''\
"""A small package."""
from small.pool import Pool, open_pool
__all__ = ["open_pool", "Pool"]
'''
POOL = '''\
"""Where it is."""

class Pool(Base):
    """Hold things.

    Args:
        size: how many.
    """

    width: int = 1
    """How wide."""

    def __init__(self, size: int, *, name: str = "it") -> None: ...

    def acquire(self, timeout: float | None = None) -> int:
        """Return one.

        Raises:
            KeyError: there is none | left.
        """

    def _hidden(self): ...

async def open_pool(*sizes: int, **options: str) -> Pool:
    """Open | it."""
'''


def _package(folder: Path, front: str = FRONT, pool: str = POOL) -> Path:
    (folder / "small").mkdir()
    (folder / "small" / "__init__.py").write_text(front, encoding="utf-8")
    (folder / "small" / "pool.py").write_text(pool, encoding="utf-8")
    return folder


def test_committed_pages_are_up_to_date() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in reference.PAGES.glob("*.md")}
    assert reference.pages() == committed, STALE


def test_index_is_in_the_order_of_all(tmp_path: Path) -> None:
    index = reference.pages("small", _package(tmp_path), ())["README.md"]
    assert index.splitlines()[-2:] == [
        "| [open_pool](pool.md#open_pool) | Open \\| it. |",
        "| [Pool](pool.md#pool) | Hold things. |",
    ]


def test_page_shows_signatures_and_sections(tmp_path: Path) -> None:
    assert reference.pages("small", _package(tmp_path), ())["pool.md"] == (
        "# small.pool\n\n"
        "## open_pool\n\n"
        "```python\nasync def open_pool(*sizes: int, **options: str) -> Pool\n```\n\n"
        "Open | it.\n\n"
        "## Pool\n\n"
        "```python\nclass Pool(Base)\nPool(size: int, *, name: str = 'it')\n```\n\n"
        "Hold things.\n\n"
        "**Parameters**\n\n"
        "- `size`: how many.\n\n"
        "### Pool.width\n\n"
        "```python\nwidth: int\n```\n\n"
        "How wide.\n\n"
        "### Pool.acquire\n\n"
        "```python\ndef acquire(timeout: float | None = None) -> int\n```\n\n"
        "Return one.\n\n"
        "**Raises**\n\n"
        "- `KeyError`: there is none | left.\n"
    )


@pytest.mark.parametrize(
    ("front", "pool", "why"),
    [
        (FRONT.replace("__all__", "_all"), POOL, "has no __all__"),
        (FRONT.replace('"Pool"', '"Pond"'), POOL, "names Pond, which is not there"),
        (FRONT, POOL.replace('"""Open | it."""', "..."), r"open_pool has no docstring"),
        (FRONT, POOL.replace("    def _hidden", "    def shown"), r"Pool\.shown has no docstring"),
    ],
)
def test_gap_stops_the_generator(front: str, pool: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(reference.Undocumented, match=why):
        reference.pages("small", _package(tmp_path, front, pool), ())
