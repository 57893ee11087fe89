"""Write the reference from the docstrings: ``python docs/tools/reference.py``.

One page per module that defines something public, and an index in the order of each ``__all__``. The
source is read, never run. What has no docstring stops the generator: the reference has no empty entries.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parents[2]
PAGES = ROOT / "docs" / "reference"
INDEX = "README.md"


class Undocumented(Exception):
    """Something public without a docstring, or without ``__all__``."""


def pages(
    package: str = "poolproof", source: Path = ROOT / "src", also: tuple[str, ...] = ("aio", "proxy")
) -> dict[str, str]:
    """Return the text of every page by its file name. The modules *also* have fronts of their own."""
    root = griffe.load(package, search_paths=[source], docstring_parser="google", allow_inspection=False)
    if root.exports is None:
        raise Undocumented(f"{package} has no __all__")
    members: dict[str, list[griffe.Object]] = {}
    lines: list[str] = []
    for front, heading in [(root, "#"), *((root[name], "\n##") for name in also)]:
        lines += [f"{heading} {front.path}\n", f"{_text(front)}\n", "| name | |", "|---|---|"]
        for name in map(str, front.exports or ()):
            found = _resolved(front, name)
            page = _page_of(found)
            listed = members.setdefault(page, [])
            if found not in listed:
                listed.append(found)
            summary = _text(found).splitlines()[0].replace("|", "\\|")
            lines.append(f"| [{name}]({page}#{name.lower()}) | {summary} |")
    written = {INDEX: "\n".join(lines) + "\n"}
    for page, listed in members.items():
        heading = f"# {package}.{page.removesuffix('.md')}\n"
        written[page] = "\n".join([heading, *(line for each in listed for line in _entry(each))])
    return written


def _resolved(root: griffe.Object | griffe.Alias, name: str) -> griffe.Object:
    if name not in root.members:
        raise Undocumented(f"{root.path}.__all__ names {name}, which is not there")
    found = root.members[name]
    return found.final_target if isinstance(found, griffe.Alias) else found


def _page_of(found: griffe.Object) -> str:
    name = found.module.path if not found.is_module else found.path
    return f"{'.'.join(name.split('.')[1:]) or 'package'}.md"


def _text(found: griffe.Object | griffe.Alias) -> str:
    if found.docstring is None:
        raise Undocumented(f"{found.path} has no docstring")
    return found.docstring.value


def _entry(found: griffe.Object, level: int = 2, owner: str = "") -> Iterator[str]:
    """Yield the lines of one object: heading, signature, docstring, and for a class its public members."""
    name = f"{owner}.{found.name}" if owner else found.name
    yield f"{'#' * level} {name}\n"
    if signature := _signature(found):
        yield f"```python\n{signature}\n```\n"
    yield from _prose(found)
    if isinstance(found, griffe.Class):
        made = found.members.get("__init__")
        if isinstance(made, griffe.Function) and made.docstring is not None:
            yield from _prose(made)
        for member in found.members.values():
            if _public(member) and isinstance(member, griffe.Object):
                yield from _entry(member, level + 1, found.name)


def _public(member: griffe.Object | griffe.Alias) -> bool:
    if member.name.startswith("_") or member.is_alias:
        return False
    # A field needs no docstring of its own where the class explains it; everything that runs code does.
    return not member.is_attribute or "property" in member.labels or member.docstring is not None


def _signature(found: griffe.Object) -> str:
    if isinstance(found, griffe.Class):
        bases = ", ".join(map(str, found.bases))
        made = found.members.get("__init__")
        head = f"class {found.name}({bases})" if bases else f"class {found.name}"
        called = _parameters(found.name, made.parameters) if isinstance(made, griffe.Function) else ""
        return f"{head}\n{called}" if called else head
    if isinstance(found, griffe.Function):
        kind = "async def" if "async" in found.labels else "def"
        returned = f" -> {found.returns}" if found.returns is not None else ""
        return f"{kind} {_parameters(found.name, found.parameters)}{returned}"
    if isinstance(found, griffe.Attribute):
        return f"{found.name}: {found.annotation}" if found.annotation is not None else found.name
    return ""


def _parameters(name: str, parameters: griffe.Parameters) -> str:
    """Return a call signature: on one line if it fits, else one parameter per line."""
    shown: list[str] = []
    marked = False
    for each in parameters:
        if each.name in ("self", "cls"):
            continue
        if each.kind is griffe.ParameterKind.keyword_only and not marked:
            shown.append("*")
            marked = True
        marked = marked or each.kind is griffe.ParameterKind.var_positional
        shown.append(_parameter(each))
    line = f"{name}({', '.join(shown)})"
    return line if len(line) <= 88 else "\n".join([f"{name}(", *(f"    {one}," for one in shown), ")"])


def _parameter(each: griffe.Parameter) -> str:
    positional = each.kind is griffe.ParameterKind.var_positional
    keyword = each.kind is griffe.ParameterKind.var_keyword
    text = "*" * positional + "**" * keyword + each.name
    if each.annotation is not None:
        text += f": {each.annotation}"
    if each.default is not None and not (positional or keyword):
        text += f" = {each.default}" if each.annotation is not None else f"={each.default}"
    return text


def _prose(found: griffe.Object) -> Iterator[str]:
    """Yield the docstring: text as it is, sections as lists."""
    _text(found)
    assert found.docstring is not None
    for section in found.docstring.parse("google", warnings=False):
        if isinstance(section, griffe.DocstringSectionText):
            yield f"{section.value}\n"
        elif isinstance(section, griffe.DocstringSectionExamples):
            yield "**Examples**\n"
            yield from (_example(kind, text) for kind, text in section.value)
        elif isinstance(section, griffe.DocstringSectionAdmonition):
            yield f"**{section.title}**\n\n{section.value.description}\n"
        else:
            yield f"**{section.kind.value.capitalize()}**\n"
            yield "\n".join(map(_item, section.value)) + "\n"


def _example(kind: griffe.DocstringSectionKind, text: str) -> str:
    return f"```pycon\n{text}\n```\n" if kind is griffe.DocstringSectionKind.examples else f"{text}\n"


def _item(item: griffe.DocstringElement) -> str:
    what = getattr(item, "name", "") or (str(item.annotation) if item.annotation is not None else "")
    text = item.description.replace("\n", " ").strip()
    return f"- `{what}`: {text}" if what else f"- {text}"


def main() -> int:
    """Write the pages, and remove those that nothing public is left on."""
    written = pages()
    PAGES.mkdir(exist_ok=True)
    for stale in {path.name for path in PAGES.glob("*.md")} - written.keys():
        (PAGES / stale).unlink()
    for name, text in written.items():
        (PAGES / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
