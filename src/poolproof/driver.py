"""What every operation of a pool is made of: propose a step, commit it, carry out its effects.

Nothing in this file waits, so nothing in it depends on how a runtime sleeps.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Any, Final

from poolproof import core
from poolproof.core.draft import free_count
from poolproof.core.values import (
    OPEN,
    UNBOUNDED,
    Build,
    Destroy,
    Fired,
    PlainRecord,
    PlainState,
    Reset,
    Slot,
    State,
    Step,
    current_record,
)
from poolproof.core.world import World, world_of
from poolproof.registry import Registry
from poolproof.reports import PoolEvent, PoolSetup
from poolproof.settings import Settings
from poolproof.work import Duty

log = logging.getLogger("poolproof")

# What each effect is called in the option executor_for. A check runs in the caller, so that only one slot at a time is
# out of service.
KINDS: Final[dict[type, str]] = {Build: "build", Reset: "reset", Destroy: "destroy"}

Propose = Callable[[State, float], Step | None]


def _never(*_: object) -> None:
    return None


class Driver:
    """A state in an atom, and the means to move it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.options = settings.core_options()
        self.runtime = settings.runtime
        self.monotonic = settings.runtime.monotonic
        self.here = settings.runtime.here
        self.observer = settings.observer
        # An observed pool has no quick way to release: every commit is told.
        self.release_quiet = core.release_quiet if settings.observer is None else _never
        self.registry = Registry(settings.name)
        self.token = object()
        self.trusts_executor = True
        # In the child after a fork, slots of an earlier generation are the parent's.
        self.first_generation = 0
        self.untold: list[PoolEvent] = []
        self.start()

    def start(self) -> None:
        """Begin with an empty state: when made, and again in the child after a fork."""
        size = self.settings.max_size
        limit = UNBOUNDED if size is None else size
        self.atom = self.runtime.atom(core.begin(self.options, limit, self.first_generation))
        self.overdue: dict[int, object] = {}  # the leases that were told to be overdue, each with the round that did

    def forget(self) -> None:
        """Start anew in the child after a fork."""
        self.registry = Registry(self.settings.name)
        self.first_generation = self.state.ledger.generation + 1
        # Whoever forked in the middle of a commit, in a signal handler, has the old atom in hand: let that commit fail.
        self.atom.value = core.begin(self.options, 0)
        self.start()
        # Not told at once: whatever the observer locks may have been locked when the process forked.
        self.untold.append(PoolEvent(0, (), self.state.ledger.limit, self.settings.setup(0)._replace(given=0)))

    def inherited(self, slot: Slot) -> bool:
        """Whether *slot* is the parent's, and this is the child after a fork."""
        return slot.generation < self.first_generation

    def __del__(self) -> None:
        # The pool is gone, and its last lease was forgotten: no operation will ever take over what is left of it.
        while hasattr(self, "atom") and self.help():
            pass

    @property
    def state(self) -> State:
        """The state of this moment, by name."""
        return State.of(self.atom.value)

    # One step.

    def step(self, propose: Propose) -> Step | None:
        """Commit what *propose* makes of the current state, again if another was faster, and carry out its effects.

        *propose* may run several times, must be pure, and returns None if there is nothing to do. Each effect is
        owed by a `Duty` from before the commit on; an interruption at any point gives undone work back to the pool.
        """
        duties: list[Duty] = []
        try:
            while True:
                found = self.proposal(propose)
                if found is None:
                    return None
                state, step = found
                duties = [Duty(self, effect) for effect in step.effects]
                if self.atom.commit(state, step.state, step.moves, step.wakes):
                    break
            if self.observer is not None:
                self.observe(step.state, step.fired)
            while duties:
                self.dispatch(duties.pop(0))
            return step
        except BaseException:
            for duty in duties:
                duty.forsake()
            raise

    def proposal(self, propose: Propose) -> tuple[PlainState, Step] | None:
        """What *propose* makes of the current state, and that state; None if there is nothing to do.

        Registers are read while others commit, so what was read counts only if the state is still the same
        afterwards. A mixture of old and new may make no sense at all, and is thrown away.
        """
        while True:
            state = self.atom.value
            try:
                step = propose(State.of(state), self.monotonic())
            except Exception:
                if self.atom.unchanged(state):
                    raise
                continue
            if step is not None:
                return state, step
            if self.atom.unchanged(state):
                return None

    def settle(self, slot: Slot, hold: PlainRecord, row: Callable[..., Step], **extra: Any) -> Step | None:
        """`step` by a row of the core on a slot held by *hold*; None, and nothing done, if it is held no longer."""

        def propose(state: State, now: float) -> Step | None:
            record = current_record(slot, hold)
            if record is None or self.inherited(slot):
                return None
            return row(state, self.options, slot, record, now=now, **extra)

        return self.step(propose)

    def give_back(self, slot: Slot, hold: PlainRecord, reset: bool = False) -> None:
        """A slot was granted and its lease never reached its caller: put it back, running nothing of the user's."""
        self.settle(slot, hold, core.abandon, reset=reset or self.options.reset)

    def dispatch(self, duty: Duty) -> None:
        """Carry out *duty*, here or in the executor. The caller gives it away: whoever runs it answers for it."""
        executor = self.settings.executor
        kind = KINDS.get(type(duty.effect))
        if executor is not None and self.trusts_executor and kind in self.settings.executor_for:
            try:
                duty.submitted = True
                executor.submit(duty.run)
                return
            except Exception as error:  # it has been shut down, or is full
                self.complain("the executor takes no more work; doing it here", error)
        try:
            duty.run()
        except BaseException:
            duty.forsake()
            raise

    def distrust(self) -> None:
        """The executor dropped a job without running it: do the work here from now on, or it might never be done."""
        if self.trusts_executor:
            self.trusts_executor = False
            log.warning("pool %r: the executor dropped work; doing it here from now on", self.settings.name)

    def finalize(self, action: Callable[[], object]) -> None:
        """Do what a finalizer, or the end of a call that was cut off, has to do: here. (Tasks do it in their loop.)"""
        action()

    # Looking after what others left.

    def help(self) -> bool:
        """Take over one piece of unowned work and do it. Returns whether there was any."""
        if not self.state.ledger.backlog:
            return False
        return self.step(lambda state, now: core.adopt(state, self.options, now)) is not None

    def tend(self, thoroughly: bool = True) -> None:
        """Do what is due after an operation that may have lost a slot: unowned work (one piece, or *thoroughly* all
        of it), surplus, refilling."""
        while True:
            while self.help() and thoroughly:
                pass
            if free_count(self.state) <= self.options.max_free:
                break
            if self.step(lambda state, now: core.shrink(state, self.options, now)) is None:
                break  # min_size keeps them
            thoroughly = True  # what it has put there itself it clears away itself
        if self.options.min_size:
            self.step(lambda state, now: core.retry(state, self.options, now))
            while self.step(lambda state, now: core.refill(state, self.options, now)) is not None:
                pass

    # Odds and ends.

    def expiry(self, created: float) -> float:
        """When a resource created at *created* is too old; jitter spreads those created together."""
        age = self.settings.max_age
        if age is None:
            return UNBOUNDED
        return created + age * (1.0 - self.settings.max_age_jitter * random.random())

    def observe(self, state: PlainState, fired: tuple[Fired, ...], setup: PoolSetup | None = None) -> None:
        """Tell the observer; its `Exception`s change nothing [DEBUG-INERT]."""
        observer = self.observer
        if observer is None:
            return
        try:
            while self.untold:
                self.tell(observer, self.untold.pop())
            self.tell(observer, PoolEvent(state[0], fired, state[3].limit, setup))
        except Exception as error:
            self.complain("the observer raised", error)

    def tell(self, observer: Callable[[PoolEvent], object], event: PoolEvent) -> None:
        observer(event)

    def complain(self, what: str, error: BaseException) -> None:
        """Log an error that no caller is there to get."""
        log.warning("pool %r: %s", self.settings.name, what, exc_info=error)

    def world(self, tries: int = 0) -> World:
        """A consistent picture of the whole: of one state, and all registers while it was the state
        [SNAPSHOT-CONSISTENT]. Slots that are being built are not in it.

        With *tries* it is given up after so many: then the picture is of no single instant.
        """
        while True:
            state = self.atom.value
            world = world_of(State.of(state), self.registry.all())
            tries -= 1
            if self.atom.unchanged(state) or tries == 0:
                return world

    @property
    def is_open(self) -> bool:
        return self.state.ledger.phase == OPEN
