"""Seeded bugs in the core: steps that leave out or overdo something."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from poolproof import core, pool
from poolproof.core import change
from poolproof.core.draft import Draft
from poolproof.core.lists import queue_items
from poolproof.core.values import WAITING, Slot, TicketRecord


def close_without_waking(patch: pytest.MonkeyPatch) -> None:
    whole = core.close
    patch.setattr(core, "close", lambda *args: (step := whole(*args)) and step._replace(wakes=()))


def barging(patch: pytest.MonkeyPatch) -> None:
    """A slot that becomes free is free for all; who waits is woken, and may find it gone."""

    def balance(self: Draft) -> None:
        if self.waiting and self.free:
            self.wakes.append(self.queue[0])
        elif self.short:
            self.build_start()

    patch.setattr(Draft, "balance", balance)


def newest_first(patch: pytest.MonkeyPatch) -> None:
    def next_ticket(self: Draft) -> Any:
        living = [each for each in queue_items(self.queue, self.tail) if self.record_of(each).state == WAITING]
        self.waiting -= 1
        self.tombs = 0
        self.queue, self.tail = change_list(living[:-1]), ()
        return living[-1]

    patch.setattr(Draft, "next_ticket", next_ticket)


def change_list(items: list[Any]) -> Any:
    result: Any = ()
    for item in reversed(items):
        result = (item, result, result[2] + 1 if result else 1)
    return result


def granted_slot_stays_free(patch: pytest.MonkeyPatch) -> None:
    whole = core.grant_free

    def grant_free(state: Any, options: Any, now: float, who: object) -> Any:
        granted = whole(state, options, now, who)
        return granted and ((granted[0][0], state[1], state[2], state[3]), granted[1], granted[2])

    patch.setattr(core, "grant_free", grant_free)
    patch.setattr(pool, "grant_free", grant_free)


def no_restart(patch: pytest.MonkeyPatch) -> None:
    """A build that failed does not start one for the next who waits."""
    whole = Draft.balance

    def balance(self: Draft) -> None:
        failed = any(each.row in ("BUILD-FAILED", "BUILD-LOST") for each in self.fired)
        limit, self.limit = self.limit, 0 if failed else self.limit
        whole(self)
        self.limit = limit

    patch.setattr(Draft, "balance", balance)


def overshoot(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Draft, "short", property(lambda self: self.phase == "open" and self.creating < self.waiting))


def withdraw_whatever(patch: pytest.MonkeyPatch) -> None:
    """A ticket that was granted is withdrawn all the same."""
    whole = core.withdraw

    def withdraw(state: Any, options: Any, ticket: Any, now: float) -> Any:
        step = whole(state, options, ticket, now)
        if step is None and ticket.record.state == "granted" and state.ledger.phase == "open":
            draft = Draft(state, options, now)
            draft.moves[ticket] = TicketRecord("withdrawn")
            step = draft.finish()
        return step

    patch.setattr(core, "withdraw", withdraw)


def shrink_forgets_surplus(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(change, "oldest_first", lambda state, options: [])


def kept_after_close(patch: pytest.MonkeyPatch) -> None:
    """What comes back to a closing pool is free again."""
    patch.setattr(
        sys.modules["poolproof.core.release"], "may_stay", lambda draft, slot, record: draft.fit(slot, record)
    )


def old_generation_kept(patch: pytest.MonkeyPatch) -> None:
    whole = Draft.fit

    def fit(self: Draft, slot: Slot, record: Any) -> bool:
        generation, self.generation = self.generation, slot.generation
        try:
            return whole(self, slot, record)
        finally:
            self.generation = generation

    patch.setattr(Draft, "fit", fit)


def unowned_work_untold(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Draft, "tell", lambda self: None)


def closer_not_woken(patch: pytest.MonkeyPatch) -> None:
    whole = Draft.balance

    def balance(self: Draft) -> None:
        closers = self.closers
        whole(self)
        self.wakes = [each for each in self.wakes if each not in closers]

    patch.setattr(Draft, "balance", balance)
