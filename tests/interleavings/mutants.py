"""Seeded bugs: what each changes in the pool or beneath it, the program that shows it, and what must be found.

A mutant is killed for the right reason only if one of the clauses named here is found broken, or the verdict named
here is given. An error of the mutant itself (a NameError, a crash of a client) has no such clause.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from interleavings import bugs_beneath as beneath
from interleavings import bugs_in_the_core as in_core
from interleavings import bugs_in_the_driver as driver
from poolproof.conformance.points import Grain, ScheduledAtom, ScheduledParker, ScheduledRuntime
from poolproof.conformance.programs import Program
from poolproof.conformance.scene import Scene

Patch = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Mutant:
    """``clauses`` are the reasons for which it may die; ``atom`` and ``parker`` replace the runtime's."""

    name: str
    program: str
    clauses: tuple[str, ...]
    patch: Patch | None = None
    atom: type[ScheduledAtom] | None = None
    parker: type[ScheduledParker] | None = None
    grain: Grain = "all"

    def scene(self, program: Program, grain: Grain) -> Scene:
        class Runtime(ScheduledRuntime):
            atom_type = self.atom or ScheduledAtom
            parker_type = self.parker or ScheduledParker

        class MutantScene(Scene):
            runtime_type = Runtime

        return MutantScene(program, grain)


TWO = "size=1: acquire release | acquire release"
HELD = "size=1 given=1: release | acquire release"
FULL = "size=1 given=1 factory=0: release | acquire(1) release"

MUTANTS = (
    Mutant("check outside the lock", TWO, ("COUNTS-RECOUNT", "CAPACITY", "EXCLUSIVE", "WAIT-ENDS"),
           atom=beneath.SwapWithoutCompare),
    Mutant("notify dropped", HELD, ("PROMPT-GRANT", "WAIT-ENDS"), atom=beneath.NobodyWoken),
    Mutant("notify for notify_all", "size=1 given=1: close | acquire | acquire | release", ("PROMPT-GRANT",),
           atom=beneath.FirstOnlyWoken, grain="commits"),
    Mutant("notify before update", HELD, ("PROMPT-GRANT", "WAIT-ENDS"), atom=beneath.WokenBefore),
    Mutant("edge-triggered notify", HELD, ("PROMPT-GRANT", "WAIT-ENDS"), parker=beneath.EdgeTriggered),
    Mutant("registers written behind the commit", TWO, ("COUNTS-RECOUNT", "EXCLUSIVE", "WAIT-ENDS", "PROMPT-GRANT",
           "CONSERVATION", "ONE-OUTCOME"), atom=beneath.RegistersLater),
    Mutant("timeout eats the grant", FULL, ("GRANT-STANDS",), driver.timeout_eats_the_grant),
    Mutant("cancel without giving back", FULL, ("GRANT-STANDS", "CONSERVATION"), driver.cancel_keeps_the_slot),
    Mutant("withdraw whatever the ticket is", FULL, ("CONSERVATION", "GRANT-STANDS"), in_core.withdraw_whatever),
    Mutant("trusting wait()'s result", "size=1 given=1: discard | acquire", ("ONE-OUTCOME",),
           driver.woken_means_granted),
    Mutant("builder withdrawn before building", "size=1 given=1: discard | acquire(1)",
           ("WAIT-ENDS", "DUTY-OWNED"), driver.builder_forgets_its_build),
    Mutant("abandoned build stays", "size=1 given=1: discard | acquire(1)", ("WAIT-ENDS", "DUTY-OWNED"),
           driver.nothing_of("build_abandoned")),
    Mutant("stale release accepted", "size=1: acquire release again | acquire release",
           ("STALE-UNCHANGED", "EXCLUSIVE"), driver.stale_release),
    Mutant("release after discard", "size=1: acquire discard again | acquire release",
           ("STALE-UNCHANGED",), driver.silent_release),
    Mutant("double destroy", "size=1 given=1: discard | acquire", ("DESTROY-ONCE",), driver.double_destroy),
    Mutant("capacity freed before destroy ends", "size=1 given=1: discard | acquire release", ("CAPACITY",),
           driver.capacity_freed_early),
    Mutant("free before its reset ends", "size=1 given=1 reset=1: release | acquire", ("EXCLUSIVE",),
           driver.used_while_reset),
    Mutant("destroy under the lock", "size=1 given=1: discard | acquire", ("NO-CALLS-UNDER-LOCK",),
           driver.destroy_in_the_commit),
    Mutant("leak on create failure", "size=1 faults=1: acquire release | acquire release",
           ("WAIT-ENDS", "DUTY-OWNED", "ONE-OUTCOME"), driver.nothing_of("build_failed", "build_abandoned")),
    Mutant("leak on reset failure", "size=1 given=1 reset=1 faults=1: release | acquire",
           ("WAIT-ENDS", "DUTY-OWNED"), driver.nothing_of("reset_failed", "orphan")),
    Mutant("leak on destroy", "size=1 given=1: discard | acquire", ("WAIT-ENDS", "DUTY-OWNED"),
           driver.nothing_of("destroyed", "orphan")),
    Mutant("leak on abandon", "size=1 given=1: drop | acquire", ("WAIT-ENDS", "CONSERVATION"),
           driver.nothing_of("abandon")),
    Mutant("close without waking", "size=1 given=1: close | acquire | acquire", ("PROMPT-GRANT", "WAIT-ENDS"),
           in_core.close_without_waking, grain="commits"),
    Mutant("barging", "size=1 given=1: release | acquire | acquire", ("WORK-CONSERVING",), in_core.barging,
           grain="commits"),
    Mutant("newest first", "size=1 given=1: release | acquire release | acquire release", ("WAIT-FIFO",),
           in_core.newest_first, grain="commits"),
    Mutant("double hand-out", "size=1 given=1: acquire release | acquire release", ("EXCLUSIVE", "COUNTS-RECOUNT"),
           in_core.granted_slot_stays_free),
    Mutant("build failed does not restart the others", "size=1 faults=1: acquire release | acquire release",
           ("WORK-CONSERVING",), in_core.no_restart),
    Mutant("overshoot", TWO, ("CAPACITY",), in_core.overshoot),
    Mutant("shrink forgets surplus", "size=2 given=2: resize(1) | acquire release", ("RESIZE-BOTH-WAYS",),
           in_core.shrink_forgets_surplus),
    Mutant("grant after close", "size=1 given=1: release | close", ("CLOSE-FINAL",), in_core.kept_after_close),
    Mutant("old generation kept", "size=1 given=1: release | expire", ("NEVER-STALE",), in_core.old_generation_kept),
    Mutant("unowned work is not told of", "size=1 given=1 reset=1: drop | acquire", ("WAIT-ENDS",),
           in_core.unowned_work_untold),
    Mutant("closer not woken", "size=1 given=1: release | close_wait", ("CLOSE-TERMINATES",), in_core.closer_not_woken),
    Mutant("lost wake-up window of close", "size=1 given=1: release | close_wait", ("CLOSE-TERMINATES", "WAIT-ENDS"),
           driver.closed_without_looking),
    Mutant("nothing to do is trusted", "size=1 given=1: release | remove", ("REMOVE-LEAVES",),
           driver.none_is_trusted, grain="torn"),
    Mutant("interrupted acquire keeps its slot", "size=1 given=1 strikes=1: release | acquire",
           ("CONSERVATION", "WAIT-ENDS"), driver.interrupted_acquire_keeps_its_slot, grain="commits"),
    Mutant("interrupted release gives up", "size=1 given=1 strikes=1: release | acquire",
           ("CONSERVATION", "WAIT-ENDS"), driver.interrupted_release_gives_up, grain="commits"),
    Mutant("interrupted build is nobody's", "size=1 strikes=1: acquire | acquire",
           ("DUTY-OWNED", "WAIT-ENDS"), driver.interrupted_build_is_nobodys, grain="commits"),
    Mutant("done by the executor and here", "size=1 executor=1: acquire | serve", ("CAPACITY",), driver.done_twice),
)  # fmt: skip
