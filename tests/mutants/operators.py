"""Small faults, made one at a time: every place in a function where one fits, in the order of the file.

The source stays as it is; a mutant is a syntax tree, compiled in place of the module. Not touched: what stands
outside functions, decorators (they enter rows into tables when the module is imported), annotations, docstrings,
asserts (they state what is so anyway), and the wording of messages (f-strings, and the texts of what is raised).
"""

from __future__ import annotations

import ast
import copy
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

Edits = Iterator[tuple[str, ast.AST | None]]  # the operator, and what takes the node's place: None is nothing at all
Function = ast.FunctionDef | ast.AsyncFunctionDef

ORDER: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
}
# Of each group one is put in place of another: the next, of those that the module knows.
GROUPS = (
    ("free", "back"),
    ("queue", "tail"),
    ("waiting", "tombs"),
    ("live", "discarded", "creating", "returning", "staying"),
    ("created", "added", "detached", "destroyed"),
    ("limit", "live"),
    ("now", "since"),
    ("min_size", "max_free", "shrink_to"),
    ("retry_delay", "retry_delay_max"),
    ("wakes", "closers"),
    ("CREATING", "FREE", "CHECKED_OUT", "RETURNING", "DISCARDED", "ABSENT"),
    ("OPEN", "CLOSING", "CLOSED"),
    ("NEW", "WAITING", "GRANTED", "WITHDRAWN", "REFUSED"),
    ("FRESH", "REVOKED", "FORKED"),
    ("park", "unpark"),
    ("build_abandoned", "orphan", "destroyed", "reset_failed", "reset_ok"),
    ("discard", "release", "detach", "abandon"),
    ("expire", "shrink", "refill", "retry"),
    ("unlist", "drop"),
)
QUIET_CALLS = {"complain", "warn", "warning"}  # their texts are for people


@dataclass(frozen=True)
class Mutant:
    """One fault: where, what was there, and what is there now."""

    function: str
    line: int
    operator: str
    change: str
    place: int
    new: ast.AST | None

    def tree(self, source: str) -> ast.Module:
        """The module with the fault in it."""
        tree = ast.parse(source)
        _replace(tree, self.place, self.new)
        return tree

    @property
    def name(self) -> str:
        """What identifies it as long as the statement stays as it is, wherever it moves."""
        return f"{self.function}: {self.change}"


def mutants_of(source: str) -> list[Mutant]:
    """Every mutant of the functions of a module, in the order of their places; names are unique."""
    tree = ast.parse(source)
    places = {id(node): i for i, node in enumerate(ast.walk(tree))}
    known = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | _imported(tree)
    found: list[Mutant] = []
    times = Counter[str]()
    for function, node in _functions(tree):
        for path in _places(node):
            for operator, new in _edits(path, known):
                mutant = _mutant(places[id(path[-1])], function, path, operator, new)
                times[mutant.name] += 1
                if times[mutant.name] > 1:
                    mutant = replace(mutant, change=f"{mutant.change} ({times[mutant.name]})")
                found.append(mutant)
    return found


Path = tuple[ast.AST, ...]  # from the function to the node


def _functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")


def _places(function: Function) -> Iterator[Path]:
    """The way to every node that may be mutated, in the order of the text."""

    def below(path: Path) -> Iterator[Path]:
        yield path
        node = path[-1]
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "decorator_list", "returns", "args" if isinstance(node, Function) else ""):
                continue
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST) and not isinstance(child, ast.Assert | ast.JoinedStr | ast.expr_context):
                    yield from below((*path, child))

    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    for statement in body:
        if not isinstance(statement, ast.Assert):
            yield from below((function, statement))
    for default in (*function.args.defaults, *(each for each in function.args.kw_defaults if each is not None)):
        yield from below((function, function.args, default))


def _edits(path: Path, known: set[str]) -> Edits:
    node = path[-1]
    for operator in OPERATORS:
        yield from operator(node, path, known)


def _compared(node: ast.AST, path: Path, known: set[str]) -> Edits:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for other in ORDER[type(node.ops[0])]:
            yield "compare", ast.Compare(node.left, [other()], node.comparators)


def _calculated(node: ast.AST, path: Path, known: set[str]) -> Edits:
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC and not _is_text(node):
        yield "arithmetic", ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
    elif isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
        yield "arithmetic", ast.AugAssign(node.target, ARITHMETIC[type(node.op)](), node.value)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "arithmetic", node.operand


def _decided(node: ast.AST, path: Path, known: set[str]) -> Edits:
    if isinstance(node, ast.BoolOp):
        yield "and/or", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for i in range(len(node.values)):
            left = [*node.values[:i], *node.values[i + 1 :]]
            yield "operand", left[0] if len(left) == 1 else ast.BoolOp(node.op, left)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "negation", node.operand
    elif isinstance(node, ast.expr) and _is_condition(node, path) and not isinstance(node, ast.Compare | ast.Constant):
        yield "negation", ast.UnaryOp(ast.Not(), node)


def _constant(node: ast.AST, path: Path, known: set[str]) -> Edits:
    if not isinstance(node, ast.Constant) or _is_message(path):
        return
    value = node.value
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, int | float):
        yield "constant", ast.Constant(value + 1)
        if value == 1 and not isinstance(path[-2], ast.AugAssign):  # that is the statement less
            yield "constant", ast.Constant(type(value)(0))
    elif isinstance(value, str) and value:
        yield "constant", ast.Constant(value + "~")


def _dropped(node: ast.AST, path: Path, known: set[str]) -> Edits:
    """A statement less. A name's only assignment stays: without it nothing would be tried but a missing name."""
    if isinstance(node, ast.Expr | ast.AugAssign | ast.Raise):
        yield "statement", ast.Pass()
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [each.id for target in targets for each in ast.walk(target)
                 if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]  # fmt: skip
        if all(_bound_elsewhere(name, node, path[0]) for name in names):
            yield "statement", ast.Pass()
    elif isinstance(node, ast.Return) and path[-2] is not path[0]:
        yield "statement", ast.Pass()
    elif isinstance(node, ast.Break | ast.Continue):
        yield "jump", ast.Continue() if isinstance(node, ast.Break) else ast.Break()


def _returned(node: ast.AST, path: Path, known: set[str]) -> Edits:
    nothing = isinstance(node, ast.Return) and (node.value is None or ast.unparse(node.value) == "None")
    if isinstance(node, ast.Return) and not nothing:
        yield "return", ast.Return(ast.Constant(None))


def _keyword(node: ast.AST, path: Path, known: set[str]) -> Edits:
    if isinstance(node, ast.keyword) and node.arg is not None:
        yield "keyword", None


def _confused(node: ast.AST, path: Path, known: set[str]) -> Edits:
    """Another identifier of the same kind."""
    old = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None
    for group in GROUPS:
        if old in group:
            others = [*group[group.index(old) + 1 :], *group[: group.index(old)]]
            if isinstance(node, ast.Attribute):
                yield "identifier", ast.Attribute(node.value, others[0], node.ctx)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                near = _names_of(path[0]) if node.id.islower() else known
                for name in [each for each in others if each in near][:1]:
                    yield "identifier", ast.Name(name, node.ctx)


def _caught(node: ast.AST, path: Path, known: set[str]) -> Edits:
    if isinstance(node, ast.Name) and isinstance(path[-2], ast.ExceptHandler) and path[-2].type is node:
        wider = {"BaseException": "Exception", "Exception": "BaseException"}
        yield "handler", ast.Name(wider.get(node.id, "ZeroDivisionError"), node.ctx)


OPERATORS: tuple[Callable[[ast.AST, Path, set[str]], Edits], ...] = (
    _compared, _calculated, _decided, _constant, _dropped, _returned, _keyword, _confused, _caught,
)  # fmt: skip


def _mutant(place: int, function: str, path: Path, operator: str, new: ast.AST | None) -> Mutant:
    shown, node = _shown(path), path[-1]
    before = ast.unparse(shown)
    if shown is node:
        after = "" if new is None else ast.unparse(new)
    else:
        twin = copy.deepcopy(shown)
        _replace(twin, next(i for i, each in enumerate(ast.walk(shown)) if each is node), new)
        after = ast.unparse(twin)
    return Mutant(function, getattr(node, "lineno", 0), operator, f"{_line(before)} → {_line(after)}", place, new)


def _replace(tree: ast.AST, place: int, new: ast.AST | None) -> None:
    """Put *new* where the node number *place* of *tree* stands."""
    old = next(itertools.islice(ast.walk(tree), place, None))
    if new is not None:
        new = copy.deepcopy(new)
        for each in ast.walk(new):  # tracebacks and warnings are to name the line
            if not hasattr(each, "lineno"):
                ast.copy_location(each, old)
        ast.fix_missing_locations(new)
    for holder in ast.walk(tree):
        for name, value in ast.iter_fields(holder):
            if value is old:
                setattr(holder, name, new)
            elif isinstance(value, list):
                value[:] = [new if each is old else each for each in value if each is not old or new is not None]


def _shown(path: Path) -> ast.AST:
    """What a reader has to see of the change: the statement, or that part of a long one where the change is."""
    statement = next(each for each in reversed(path) if isinstance(each, ast.stmt))
    inside = path[path.index(statement) :]
    if isinstance(statement, ast.If | ast.While | ast.For | ast.With | ast.Try | Function) and len(inside) > 1:
        inside = inside[1:]
    whole = [each for each in inside if isinstance(each, ast.stmt | ast.expr | ast.excepthandler | ast.keyword)]
    short = [each for each in whole if len(ast.unparse(each)) <= 90 and not isinstance(each, ast.excepthandler)]
    return (short or whole or [path[-1]])[0]


def _line(text: str) -> str:
    return " ".join(text.split()).replace('"', "'")  # which quotes unparse chooses depends on the version


def _is_condition(node: ast.AST, path: Path) -> bool:
    return isinstance(path[-2], ast.If | ast.While | ast.IfExp) and path[-2].test is node


def _is_text(node: ast.BinOp) -> bool:
    return any(isinstance(each, ast.JoinedStr) or (isinstance(each, ast.Constant) and isinstance(each.value, str))
               for each in ast.walk(node))  # fmt: skip


def _is_message(path: Path) -> bool:
    """Whether this is wording: in what is raised or logged."""
    return isinstance(path[-1], ast.Constant) and isinstance(path[-1].value, str) and any(
        isinstance(each, ast.Raise)
        or (isinstance(each, ast.Call) and getattr(each.func, "attr", getattr(each.func, "id", "")) in QUIET_CALLS)
        for each in path
    )  # fmt: skip


def _bound_elsewhere(name: str, here: ast.AST, function: ast.AST) -> bool:
    inside = set(map(id, ast.walk(here)))
    stores = [each for each in ast.walk(function) if isinstance(each, ast.Name) and each.id == name
              and isinstance(each.ctx, ast.Store) and id(each) not in inside]  # fmt: skip
    return bool(stores) or any(isinstance(each, ast.arg) and each.arg == name for each in ast.walk(function))


def _imported(tree: ast.Module) -> set[str]:
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name for node in imports for alias in node.names}


def _names_of(function: ast.AST) -> set[str]:
    stored = {each.id for each in ast.walk(function) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    return stored | {each.arg for each in ast.walk(function) if isinstance(each, ast.arg)}
