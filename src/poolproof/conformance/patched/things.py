"""What a pool under test lends: things that know who has them, and the callbacks that make and end them.

The oracle for exclusive ownership is in the thing itself: a client writes its name into what it was given, and wipes
it out just before it gives it back.
"""

from __future__ import annotations

from typing import NamedTuple

from poolproof.conformance.history.recorder import Recorder
from poolproof.conformance.patched.histories import Told
from poolproof.conformance.patched.programs import Wanted
from poolproof.conformance.patched.turns import Stage


class Boom(Exception):
    """What a failing callback raises."""


class Finding(NamedTuple):
    """A clause that was broken, and how."""

    clause: str
    text: str

    def __str__(self) -> str:
        return f"{self.clause}: {self.text}"


class Thing:
    """A resource."""

    def __init__(self, things: Things, number: int) -> None:
        self.things = things
        self.number = number
        self.holder: str | None = None
        self.destroyed = False

    def __hash__(self) -> int:
        return self.number  # so that sets of things have the same order in every run

    def __eq__(self, other: object) -> bool:
        return self is other

    def __repr__(self) -> str:
        return f"r{self.number}"

    def close(self) -> None:
        """For pools that destroy a resource by closing it."""
        self.things.destroy(self)


class Things:
    """All resources of one run, and what was found wrong with their use."""

    def __init__(self, stage: Stage, wanted: Wanted) -> None:
        self.stage = stage
        self.size = wanted.size
        self.fails = self.bad = self.breaks = 0
        self.checked = wanted.bad > 0  # an acquire may end with an error that says that a check failed
        self.all: list[Thing] = []
        self.building = 0
        self.bounded = True
        self.destroys = True
        self.closed = False
        self.lent = 0  # how often anything was lent
        self.excused = False  # a client did what this pool cannot be asked to notice: nothing counts any more
        self.findings: list[Finding] = []
        self.recorder: Recorder | None = None

    def arm(self, wanted: Wanted) -> None:
        """From here on callbacks fail, as wanted. Before, the pool is being made."""
        self.fails, self.bad, self.breaks = wanted.fails, wanted.bad, wanted.breaks

    def report(self, clause: str, text: str) -> None:
        """Something is wrong. It is told once."""
        finding = Finding(clause, text)
        if finding not in self.findings and not self.excused:
            self.findings.append(finding)
            self.stage.note(f"*** {finding}")

    # Callbacks

    def create(self, *_: object, **__: object) -> Thing:
        """Make a resource."""
        told = Told(self.recorder, "create")
        self.building += 1
        self.count()
        self.called("create")
        self.building -= 1
        if self.fails:
            self.fails -= 1
            self.stage.note("create raises Boom")
            error = Boom("create failed")
            told.failed(error)
            raise error
        thing = self.new()
        told.ended("resource", thing)
        return thing

    def called(self, what: str) -> None:
        """A callback begins, and may take long."""
        actor = self.stage.running
        if actor is not None:
            actor.calling = what.partition("(")[0]
        self.stage.point(f"{what} is called")
        if actor is not None:
            actor.calling = ""

    def new(self) -> Thing:
        thing = Thing(self, len(self.all) + 1)
        self.all.append(thing)
        self.stage.note(f"create returns {thing}")
        return thing

    def destroy(self, thing: Thing) -> None:
        """End a resource."""
        told = Told(self.recorder, "destroy", resource=thing)
        self.called(f"destroy({thing})")
        if thing.destroyed:
            self.report("DESTROY-ONCE", f"{thing} was destroyed twice")
        if thing.holder is not None:
            self.report("DESTROY-ONCE", f"{thing} was destroyed while {thing.holder} held it")
        if self.breaks:
            self.breaks -= 1
            thing.destroyed = True
            raise Boom("destroy failed")
        thing.destroyed = True
        told.ended("done")

    def check(self, thing: Thing) -> bool:
        """Whether a resource is good."""
        self.called(f"check({thing})")
        if thing.destroyed:
            self.report("NEVER-STALE", f"{thing} was checked after it had been destroyed")
        if self.bad:
            self.bad -= 1
            return False
        return True

    # What holders do

    def take(self, thing: object, who: str) -> None:
        """*who* was given *thing*."""
        if not isinstance(thing, Thing):
            self.report("ONE-OUTCOME", f"acquire gave {who} {type(thing).__name__}, which is no resource of this pool")
            return
        if thing.holder is not None:
            self.report("EXCLUSIVE", f"{thing} was given to {who}, and {thing.holder} holds it")
        if thing.destroyed:
            self.report("NEVER-STALE", f"{thing} was given to {who}, and had been destroyed")
        thing.holder = who
        self.lent += 1
        held = [each for each in self.all if each.holder is not None]
        if self.bounded and len(held) > self.size:
            self.report("CAPACITY", f"{len(held)} resources are held at once, and the limit is {self.size}")

    def leave(self, thing: object, who: str) -> None:
        """*who* is about to give *thing* back."""
        if isinstance(thing, Thing) and thing.holder == who:
            thing.holder = None

    def existing(self) -> int:
        return sum(not each.destroyed for each in self.all)

    def live(self) -> int:
        return self.building + self.existing()

    def count(self) -> None:
        """One more is being made: there must be room for it."""
        if self.bounded and self.destroys and self.live() > self.size:
            self.report("CAPACITY", f"{self.live()} resources exist at once, and the limit is {self.size}")
