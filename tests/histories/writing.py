"""Histories written by hand, one entry in each line.

    A  x=acquire        thread A calls acquire; its lease is called x
    A  create           and within it, the pool calls create
    A  -> r1            which returns resource 1
    A  -> lease r1      as acquire does then
    B  y=acquire timeout=5
    B  waits            B was seen waiting
    A  release x
    A  -> done

``->`` ends the innermost call of its thread. Empty lines and what follows # are left out.
"""

from __future__ import annotations

from typing import Any

from poolmodel.state import Config
from poolproof.conformance.history import Call, Entry, History, Outcome, Queued, Return
from poolproof.conformance.history.events import ACQUIRES


def written(text: str, config: Config = Config(), given: tuple[int, ...] = (), drained: bool = True) -> History:  # noqa: B008
    """The history that *text* tells."""
    return _Reader().read(text, config, given, drained)


class _Reader:
    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.inside: dict[str, list[Call]] = {}
        self.leases: dict[str, int] = {}
        self.calls = 0

    def read(self, text: str, config: Config, given: tuple[int, ...], drained: bool) -> History:
        for line in text.splitlines():
            words = line.split("#")[0].split()
            if words:
                self.line(words[0], words[1:])
        return History(config, tuple(self.entries), given, drained)

    def line(self, thread: str, words: list[str]) -> None:
        stack = self.inside.setdefault(thread, [])
        if words[0] == "->":
            self.entries.append(Return(stack.pop().op, outcome(words[1:])))
        elif words[0] == "waits":
            call = next(each for each in reversed(stack) if each.kind in ACQUIRES)
            self.entries.append(Queued(call.op))
        else:
            stack.append(self.call(thread, words))
            self.entries.append(stack[-1])

    def call(self, thread: str, words: list[str]) -> Call:
        self.calls += 1
        name, _, kind = words[0].rpartition("=")
        if name:
            self.leases[name] = self.calls
        what: dict[str, Any] = {}
        if kind == "try_acquire":
            what["timeout"] = 0.0
        for word in words[1:]:
            key, _, value = word.partition("=")
            if key in ("timeout", "grace"):
                what["timeout"] = None if value == "none" else float(value)
            elif key in ("force", "own_reset"):
                what[key] = True
            elif word in self.leases:
                what["lease"] = self.leases[word]
            elif word.startswith("r"):
                what["resource"] = int(word[1:])
            else:
                what["limit"] = int(word)
        if kind == "close" and "timeout" not in what:
            what["timeout"] = 0.0
        return Call(self.calls, thread, kind, **what)  # type: ignore[arg-type]


def outcome(words: list[str]) -> Outcome:
    """``lease r1``, ``r1``, ``raised 1``, ``told free=1 phase=open``, ``done``, ``AcquireTimeout``, …"""
    if words[0].startswith("r") and words[0][1:].isdigit():
        return Outcome("resource", int(words[0][1:]))
    if words[0] == "lease":
        return Outcome("lease", int(words[1][1:]))
    if words[0] == "raised":
        return Outcome("raised", error=int(words[1]))
    pairs = [word.partition("=") for word in words[1:]]
    return Outcome(words[0], values=tuple(sorted((name, value(text)) for name, _, text in pairs)))


def value(text: str) -> object:
    return {"True": True, "False": False}.get(text, int(text) if text.isdigit() else text)
