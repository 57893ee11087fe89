"""Every example in the guides runs and prints what the page says; every page is on the map, every link leads somewhere.

How to write an example:

- A block fenced ``python`` runs. The blocks of one page run in order, in one namespace, in a process of their own.
- A block fenced ``text`` right below it is what it prints. Numbers with a decimal point stand for any such number,
  because times differ.
- Below a block fenced ``text like``, the lines may differ too: only the block above is run.
- A block fenced ``pycon`` is checked as a doctest, numbers as above.
- A block fenced ``python no-run`` is not run; the test prints how many there are.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
INDEX = DOCS / "index.md"
GUIDES = [page for part in ("tutorial", "how-to", "explanation") for page in sorted((DOCS / part).rglob("*.md"))]
PAGES = [*GUIDES, ROOT / "README.md"]
LINKING = [*sorted(DOCS.rglob("*.md")), ROOT / "README.md", *sorted((ROOT / "spec").glob("*.md"))]
SKIPPED = "python no-run"

FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```[ ]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FRACTION = re.compile(r"\d+\.\d+(?:e-?\d+)?")


@dataclass(frozen=True)
class Block:
    """One fenced block: what its fence says, its text, its first line, and the output that the page shows for it."""

    kind: str
    text: str
    line: int
    output: str | None = None


def blocks(source: str) -> Iterator[Block]:
    """Yield the blocks of a page, each with the ``text`` block that follows it without a gap."""
    matches = list(FENCE.finditer(source))
    for match, after in zip_longest(matches, matches[1:]):
        shown = after is not None and after[1] == "text" and not source[match.end() : after.start()].strip()
        output = after[2] if shown and after is not None else None
        yield Block(match[1].strip(), match[2], source[: match.start()].count("\n") + 2, output)


def steady(text: str) -> str:
    """*text* without what differs from run to run."""
    return FRACTION.sub("#", text).rstrip()


class Checker(doctest.OutputChecker):
    """Compares as `steady` sees it."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return super().check_output(steady(want), steady(got), optionflags)


def printed(run: Any) -> str:
    """What *run* writes to standard output, its child processes included."""
    sys.stdout.flush()
    kept = os.dup(1)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 1)
        try:
            run()
        finally:
            sys.stdout.flush()
            os.dup2(kept, 1)
            os.close(kept)
        file.seek(0)
        return file.read().decode()


def run_page(page: Path) -> None:
    """Run the examples of *page*; raise what goes wrong, with the page's own line numbers."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page.read_text(encoding="utf-8")):
        if block.kind == "python":
            code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
            got = printed(lambda code=code: exec(code, names))
            if block.output is not None and steady(got) != steady(block.output):
                raise AssertionError(f"{page}:{block.line} prints\n{got}\nand not\n{block.output}")
        elif block.kind == "pycon":
            parsed = doctest.DocTestParser().get_doctest(block.text, names, page.name, str(page), block.line - 1)
            doctest.DebugRunner(Checker(), optionflags=doctest.ELLIPSIS).run(parsed, clear_globs=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_run_and_print_what_the_page_says(page: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, __file__, page], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_blocks_that_do_not_run_are_few() -> None:
    kinds = [block.kind for page in PAGES for block in blocks(page.read_text(encoding="utf-8"))]
    skipped, run = kinds.count(SKIPPED), kinds.count("python") + kinds.count("pycon")
    print(f"{run} blocks run, {skipped} do not")  # shown by pytest -s
    assert skipped <= run // 8


def links(page: Path) -> Iterator[tuple[str, str]]:
    """Yield file and anchor of every link of *page* that stays in this repository."""
    for target in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if "://" not in target and not target.startswith("mailto:"):
            path, _, anchor = target.partition("#")
            yield path, anchor


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the usual renderers make them."""
    headings = re.findall(r"^#+ +(.+?) *$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_on_the_map() -> None:
    reference = DOCS / "reference"
    wanted = {page for page in DOCS.rglob("*.md") if reference not in page.parents} - {INDEX}
    linked = {(INDEX.parent / path).resolve() for path, _ in links(INDEX)}
    assert sorted(str(page.relative_to(ROOT)) for page in wanted - linked) == []


@pytest.mark.parametrize("page", LINKING, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    for path, anchor in links(page):
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            lost.append(f"{path}#{anchor}")
    assert lost == []


def test_wrong_output_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```python\nprint(1)\n```\n```text\n2\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match=r"page\.md:2 prints"):
        run_page(page)


def test_wrong_doctest_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```pycon\n>>> 1 + 1\n3\n```\n", encoding="utf-8")
    with pytest.raises(doctest.DocTestFailure):
        run_page(page)


if __name__ == "__main__":
    try:
        run_page(Path(sys.argv[1]))
    except BaseException:
        traceback.print_exc()
        os._exit(1)  # at once: threads of the broken example may wait for what will not come
