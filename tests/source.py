"""The project's own files, read as syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE_ROOTS = (ROOT / "src", ROOT / "model")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.Module | ast.ClassDef | Function


@dataclass(frozen=True)
class Import:
    """One imported module; *name* is what was taken from it, if anything."""

    line: int
    module: str
    name: str = ""


@dataclass(frozen=True)
class Module:
    """One Python file."""

    path: Path
    name: str

    @cached_property
    def text(self) -> str:
        """The file's text."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """The file's syntax tree."""
        return ast.parse(self.text, filename=str(self.path))

    def at(self, line: int) -> str:
        """Say where: file and line, the way editors understand it."""
        return (
            f"{self.path.relative_to(ROOT)}:{line}"
            if self.path.is_relative_to(ROOT)
            else f"{self.path}:{line}"
        )

    def imports(self) -> Iterator[Import]:
        """Yield every import, wherever it stands; relative ones resolved."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (Import(node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                module = self._absolute(node)
                yield from (Import(node.lineno, module, alias.name) for alias in node.names)

    def docstrings(self) -> Iterator[str]:
        """Yield every docstring."""
        for node in ast.walk(self.tree):
            if isinstance(node, Documented) and (text := ast.get_docstring(node)):
                yield text

    def strings(self) -> Iterator[tuple[int, str]]:
        """Yield every string, docstrings and the constant parts of f-strings included."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.lineno, node.value

    def functions(self) -> Iterator[Function]:
        """Yield every function and method."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        package = parts if self.path.name == "__init__.py" else parts[:-1]
        base = package[: len(package) - node.level + 1]
        return ".".join([*base, node.module] if node.module else base)


def modules(root: Path) -> list[Module]:
    """Return the Python files below *root*, in order of their names."""
    return [Module(path, _dotted(path.relative_to(root))) for path in sorted(root.rglob("*.py"))]


def shipped() -> list[Module]:
    """Return the modules that the wheel contains."""
    return [module for root in SOURCE_ROOTS for module in modules(root)]


def docstring_lines(node: Documented) -> int:
    """Return how many lines the docstring of *node* takes."""
    if ast.get_docstring(node, clean=False) is None:
        return 0
    first = node.body[0]
    return (first.end_lineno or first.lineno) - first.lineno + 1


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
