"""What every step, every rest and every end of a run is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from poolproof.conformance.crew import DONE
from poolproof.conformance.picture import picture
from poolproof.core.lists import length, queue_items
from poolproof.core.values import CHECKED_OUT, CLOSED, GRANTED, OPEN, WAITING, WITHDRAWN, PlainState, Retired, Ticket
from poolproof.core.world import backlog_of
from poolproof.replay import replay
from poolproof.replay.recorder import is_refusal
from poolproof.runtime.base import Moves

if TYPE_CHECKING:
    from poolproof.conformance.scene import Scene


def judge_step(scene: Scene, old: PlainState, new: PlainState, moves: Moves) -> None:
    """One commit: the state it leads to is sound, and it was allowed to lead there."""
    view = picture(scene)
    if not scene.draining:
        scene.pictures.add(view)
    if view not in scene.judged:
        scene.judged.add(view)
        for clause in scene.broken():
            scene.report(clause, "does not hold after this commit")
    before, after = old[3], new[3]
    if after.live > before.live and after.live > after.limit:
        scene.report("CAPACITY", f"{after.live} slots where {after.limit} are allowed")
    if before.phase != OPEN and after.phase == OPEN:
        scene.report("CLOSE-FINAL", "the pool is open again")
    tickets = [(cell, record) for cell, record in moves if isinstance(cell, Ticket)]
    if any(record.state == GRANTED for _, record in tickets):
        judge_turns(scene, old, tickets)
    elif before.waiting and len(tickets) == 0 and granted_alone(new, old, moves):
        scene.report("WAIT-FIFO", "a newcomer was granted a slot while somebody waited")
    for ticket, record in tickets:
        if record.state == WITHDRAWN and scene.tickets.get(ticket.who) is ticket and after.phase != OPEN:
            scene.report("ONE-OUTCOME", "a ticket withdrew from a pool that had refused it")


def granted_alone(new: PlainState, old: PlainState, moves: Moves) -> bool:
    """Whether a slot was granted, to nobody who had queued."""
    if not moves:
        return length(new[1]) + length(new[2]) < length(old[1]) + length(old[2])
    return any(record[0] == CHECKED_OUT and not isinstance(record[5], Retired) for _, record in moves)


def judge_turns(scene: Scene, old: PlainState, tickets: list[tuple[Ticket, Any]]) -> None:
    """Whoever was granted a slot had waited longest."""
    moved = {ticket for ticket, _ in tickets}
    queue = [each for each in queue_items(old[3].queue, old[3].tail) if each in moved or each.record.state == WAITING]
    for ticket, record in tickets:
        if record.state == GRANTED:
            ahead = queue[: queue.index(ticket)] if ticket in queue else queue
            if any(each.record.state == WAITING for each in ahead):
                scene.report("WAIT-FIFO", f"{name(ticket)} was served before one that had waited longer")


def name(ticket: Ticket) -> str:
    who: Any = ticket.who
    return f"thread {who[0]}"


def judge_rest(scene: Scene) -> None:
    """Nobody can go on: then everybody who sleeps must be one whom the spec lets wait, and no work may be left."""
    ledger = scene.atom.now[3]
    held = len(scene.unended())
    asleep = [worker for worker in scene.crew.workers if worker.status != DONE]
    tickets = [each for each in scene.tickets.values() if each.parker.sleeper is not None]
    closers = sum(each in tickets for each in ledger.closers)
    for ticket in tickets:
        if ticket not in ledger.closers and (ticket.record.state != WAITING or ledger.phase != OPEN):
            state = ticket.record.state if ledger.phase == OPEN else ledger.phase
            scene.report("PROMPT-GRANT", f"{name(ticket)} sleeps although its ticket is {state}")
    waiting = len(asleep) - closers
    if waiting > ledger.waiting:
        scene.report("WAIT-ENDS", f"{waiting} clients sleep, and {ledger.waiting} tickets wait")
    if asleep and ledger.phase == CLOSED:
        scene.report("CLOSE-TERMINATES", "somebody sleeps although the pool is closed")
    work = ledger.creating + ledger.returning + ledger.discarded
    # Unowned work may be left for the next operation, but not beside one who sleeps.
    if work > (0 if asleep else len(backlog_of(scene.world().state))):
        what = f"creating {ledger.creating}, returning {ledger.returning}, discarded {ledger.discarded}"
        scene.report("WAIT-ENDS" if asleep else "DUTY-OWNED", f"work is left and nobody does it: {what}")
    if (scene.atom.now[1] or scene.atom.now[2]) and ledger.live - ledger.discarded > ledger.limit:
        scene.report("RESIZE-BOTH-WAYS", f"free slots stay although {ledger.live} are more than {ledger.limit}")
    out = sum(slot.record[0] == CHECKED_OUT for slot in scene.slots.values())
    if out != held:
        scene.report("CONSERVATION", f"{out} slots are checked out, and {held} leases are held")


def judge_trace(scene: Scene) -> None:
    """What the pool told its observer so far replays through the model, as any trace does."""
    trace = tuple(sorted(scene.events, key=lambda event: (event.version, is_refusal(event))))
    if trace not in scene.judged:
        scene.judged.add(trace)
        for finding in replay(trace).findings:
            scene.report(finding.clause, f"version {finding.version}: {finding.what}")


def drain(scene: Scene) -> None:
    """End what is held, let those go on who can, until nothing moves; then everything must be free, and closing
    must end everything."""
    scene.draining = True
    end_all(scene)
    judge_rest(scene)
    if not scene.findings:
        all_grantable(scene)
    scene.pool.close(0, force=True)
    end_all(scene)
    if not scene.findings:
        judge_end(scene)


def end_all(scene: Scene) -> None:
    """End every lease that is held, as long as there are any, and let everybody go on who can."""
    while scene.crew.enabled or scene.unended():
        for client in scene.unended():
            client.end("release")
        scene.crew.resume()


def judge_end(scene: Scene) -> None:
    """The pool was closed by force: nobody sleeps, nothing is left, and every resource was destroyed once."""
    if any(worker.status != DONE for worker in scene.crew.workers):
        scene.report("CLOSE-TERMINATES", "somebody sleeps on after the pool was closed")
    report = scene.pool.close(0)
    if not report.closed:
        scene.report("CLOSE-TERMINATES", f"nobody holds anything, and the pool is not closed: {report}")
    detached = scene.atom.now[3].detached
    lost = [thing.number for thing in scene.things if thing.destroyed != 1]
    if len(lost) != detached:
        scene.report("DESTROY-ONCE", f"not destroyed once: {lost}, and {detached} detached")


def all_grantable(scene: Scene) -> None:
    """Nobody holds or waits for anything: every live slot is free, and can be had."""
    if scene.atom.now[3].phase != OPEN or scene.options.check or scene.faults_left:
        return
    scene.pool.maintain()  # unowned work is taken over
    live = scene.atom.now[3].live
    leases: list[Any] = []
    for _ in range(live):
        lease = scene.pool.try_acquire()
        if lease is None:
            scene.report("CONSERVATION", f"only {len(leases)} of {live} slots can be had")
            break
        leases.append(lease)
    for lease in leases:
        lease.release()
