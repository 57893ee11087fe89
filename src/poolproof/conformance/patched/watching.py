"""Points between the lines, or the instructions, of the pool's own modules.

Pools that share state without a lock have no primitive at which another thread could come in between; so there is a
point before every line, or before every instruction, that can see or change what others see: attributes, items,
globals, calls. Those that touch nothing but local variables commute with whatever others do, and have none.
"""

from __future__ import annotations

import builtins
import dis
import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, Final, Literal

from poolproof.conformance.patched.turns import Stage

Grain = Literal["primitives", "lines", "opcodes"]
GRAINS: Final[tuple[Grain, ...]] = ("primitives", "lines", "opcodes")

SHARING = (
    "LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR", "STORE_ATTR", "DELETE_ATTR", "BINARY_SUBSCR", "BINARY_SLICE",
    "STORE_SUBSCR", "STORE_SLICE", "DELETE_SUBSCR", "CALL", "LOAD_DEREF", "STORE_DEREF", "STORE_GLOBAL",
    "LOAD_GLOBAL", "CONTAINS_OP", "GET_ITER", "FOR_ITER", "BEFORE_WITH",
)  # fmt: skip


MONITORED = sys.version_info >= (3, 12)
TOOL = 4  # one of those that sys.monitoring leaves free


class Watching:
    """A point at each line, or each instruction, that shares, of the functions in *files*.

    From 3.12 on by `sys.monitoring`, which is told of every function before it first runs; a trace function would
    miss the instructions of that first run.
    """

    def __init__(self, stage: Stage, files: set[str], grain: Grain) -> None:
        self.stage = stage
        self.files = files
        self.grain = grain
        self.shared_lines: dict[CodeType, frozenset[int]] = {}
        self.shared_offsets: dict[CodeType, frozenset[int]] = {}
        self.watched: list[CodeType] = []

    def begin(self) -> None:
        """A run begins: from now on the points are ours, and no other program's."""
        if MONITORED and self.grain != "primitives":
            monitoring = monitoring_module()
            if monitoring.get_tool(TOOL) is None:
                monitoring.use_tool_id(TOOL, "poolproof")
            event = monitoring.events.LINE if self.grain == "lines" else monitoring.events.INSTRUCTION
            if not self.watched:
                self.watched = list(codes_in(self.files))
                for code in self.watched:
                    self.learn(code)
            for code in self.watched:
                monitoring.set_local_events(TOOL, code, event)
            monitoring.register_callback(TOOL, event, self.came_to)

    def end(self) -> None:
        """The run is over."""
        if MONITORED and self.grain != "primitives":
            monitoring = monitoring_module()
            for code in self.watched:
                monitoring.set_local_events(TOOL, code, 0)

    def came_to(self, code: CodeType, place: int) -> None:
        """A thread is about to execute this line, or the instruction at this offset."""
        shared = self.shared_lines if self.grain == "lines" else self.shared_offsets
        stage = self.stage
        if place in shared.get(code, ()) and stage.running is not None:
            stage.point(at(sys._getframe(1)) if stage.tape is not None else "")

    def learn(self, code: CodeType) -> None:
        self.shared_lines[code], self.shared_offsets[code] = shared(code)

    def around(self, task: Callable[[], object]) -> None:
        """Run *task* with these points."""
        if MONITORED or self.grain == "primitives":
            task()
            return
        sys.settrace(self.enter)
        try:
            task()
        finally:
            sys.settrace(None)

    def enter(self, frame: FrameType, event: str, arg: object) -> Any:
        """A frame begins: its trace function, if it is one of the pool's."""
        code = frame.f_code
        if code.co_filename not in self.files:
            return None
        if code not in self.shared_lines:
            self.learn(code)
        if self.grain == "lines":
            return self.line
        frame.f_trace_lines = False
        frame.f_trace_opcodes = True
        return self.opcode

    def line(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "line" and frame.f_lineno in self.shared_lines[frame.f_code]:
            self.point(frame)
        return self.line

    def opcode(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "opcode" and frame.f_lasti in self.shared_offsets[frame.f_code]:
            self.point(frame)
        return self.opcode

    def point(self, frame: FrameType) -> None:
        self.stage.point(at(frame) if self.stage.tape is not None else "")


def monitoring_module() -> Any:
    return vars(sys)["monitoring"]  # 3.12 and later


def codes_in(files: set[str]) -> Iterator[CodeType]:
    """The code of every function in *files* that there is, with those inside. A module that was imported twice has
    all its code twice, and the two are equal."""
    todo = [each.__code__ for each in gc.get_objects() if isinstance(each, FunctionType)]
    seen: set[int] = set()
    while todo:
        code = todo.pop()
        if code.co_filename in files and id(code) not in seen:
            seen.add(id(code))
            yield code
            todo += [each for each in code.co_consts if isinstance(each, CodeType)]


def shared(code: CodeType) -> tuple[frozenset[int], frozenset[int]]:
    """The lines, and the offsets of the instructions, of *code* that can touch what others can see."""
    lines, offsets = set(), set()
    line = code.co_firstlineno
    for instruction in dis.get_instructions(code):
        position = instruction.positions
        if position is not None and position.lineno is not None:
            line = position.lineno
        name = instruction.opname
        if name.startswith("LOAD_GLOBAL") and hasattr(builtins, str(instruction.argval)):
            continue
        if name.startswith(SHARING):
            lines.add(line)
            offsets.add(instruction.offset)
    return frozenset(lines), frozenset(offsets)


def at(frame: FrameType) -> str:
    """Where *frame* is, in a few words: file, line and the text of the line."""
    path = Path(frame.f_code.co_filename)
    return f"{path.name}:{frame.f_lineno} {text_of(path, frame.f_lineno)}".rstrip()


_texts: dict[Path, list[str]] = {}


def text_of(path: Path, line: int) -> str:
    if path not in _texts:
        _texts[path] = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    lines = _texts[path]
    return lines[line - 1].strip()[:48] if 0 < line <= len(lines) else ""
