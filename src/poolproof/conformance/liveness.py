"""Which variables of a function are still needed at an instruction, and whether a loop is going on there.

The ordinary backward analysis, on bytecode: a variable is live where some way leads to a reading of it before it is
written again. What is dead cannot tell two moments apart.
"""

from __future__ import annotations

import dis
from types import CodeType
from typing import Any, NamedTuple

JUMPS = frozenset(dis.hasjrel) | frozenset(dis.hasjabs)
ENDS = ("RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "JUMP_FORWARD", "JUMP_BACKWARD")


class Place(NamedTuple):
    """What is known of one instruction: the live variables behind it, and whether a ``for`` loop is around it."""

    live: frozenset[str]
    in_loop: bool


_known: dict[CodeType, dict[int, Place]] = {}


def place(code: CodeType, at: int) -> Place:
    """What is known of the instruction of *code* at this offset, which is being carried out."""
    places = _known.get(code)
    if places is None:
        places = _known[code] = analysed(code)
    while at not in places:  # in the cache that belongs to an instruction
        at -= 2
    return places[at]


def analysed(code: CodeType) -> dict[int, Place]:
    bytecode: Any = dis.Bytecode(code)  # its table of exceptions is in no stub
    instructions = list(bytecode)
    index = {each.offset: number for number, each in enumerate(instructions)}
    entries = bytecode.exception_entries
    handlers = [
        next((index[entry.target] for entry in entries if entry.start <= each.offset < entry.end), None)
        for each in instructions
    ]
    live = before_each(instructions, index, handlers)
    always = frozenset(code.co_cellvars + code.co_freevars)
    loops = [(each.offset, each.argval) for each in instructions if each.opname.startswith("FOR_ITER")]
    places = {}
    for number, each in enumerate(instructions):
        behind = frozenset().union(*(live[after] for after in ways(instructions, index, handlers, number)))
        in_loop = any(begin < each.offset < end for begin, end in loops)
        places[each.offset] = Place(behind | always, in_loop)
    return places


def before_each(
    instructions: list[dis.Instruction], index: dict[int, int], handlers: list[int | None]
) -> list[frozenset[str]]:
    """The live variables in front of each instruction: the least solution, by repetition."""
    live: list[frozenset[str]] = [frozenset()] * len(instructions)
    changed = True
    while changed:
        changed = False
        for number in range(len(instructions) - 1, -1, -1):
            found = frozenset().union(*(live[after] for after in ways(instructions, index, handlers, number)))
            read, written = uses(instructions[number])
            found = (found - written) | read
            if found != live[number]:
                live[number], changed = found, True
    return live


def ways(
    instructions: list[dis.Instruction], index: dict[int, int], handlers: list[int | None], number: int
) -> list[int]:
    """Where it can go on from an instruction: the next one, the target of a jump, the handler of an exception."""
    each = instructions[number]
    found = [] if each.opname.startswith(ENDS) or number + 1 == len(instructions) else [number + 1]
    if each.opcode in JUMPS:
        found.append(index[each.argval])
    handler = handlers[number]
    return found if handler is None else [*found, handler]


def uses(instruction: dis.Instruction) -> tuple[frozenset[str], frozenset[str]]:
    """The variables that an instruction reads, and those that it writes; one instruction may stand for two."""
    name, value = instruction.opname, instruction.argval
    if "_FAST" not in name:
        return frozenset(), frozenset()
    names = value if isinstance(value, tuple) else (value,)
    kinds = ["LOAD" if part.endswith("LOAD") else "STORE" for part in name.split("_FAST")[: len(names)]]
    read, written = set(), set()
    for kind, each in zip(kinds, names, strict=True):
        if kind == "LOAD" and each not in written:
            read.add(each)
        elif kind != "LOAD":
            written.add(each)
    return frozenset(read), frozenset(written)
