"""What replay accepts, and what it finds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from poolproof import Pool, PoolStats
from poolproof.replay import Recorder, TraceError, replay
from replay.traces import SETUP, TURNS, changed, events, found, judged

STATS = PoolStats(
    name="by hand", phase="open", limit=1, min_size=0, live=1, creating=0, free=0, checked_out=1, returning=0,
    discarded=0, waiting=2, backlog=0, created=0, added=1, detached=0, destroyed=0, generation=0, version=3,
)  # fmt: skip


@pytest.mark.clause("TRACE-REPLAYS")
def test_a_true_trace_holds() -> None:
    verdict = judged(TURNS)
    assert verdict.ok, str(verdict)
    assert (verdict.commits, verdict.replayed, verdict.grants, verdict.hand_offs) == (9, 9, 3, 2)
    assert verdict.conservation == "created 0 + added 1 = there 0 + detached 0 + destroyed 1"


@pytest.mark.parametrize("length", range(len(TURNS)))
def test_a_trace_may_end_before_the_pool(length: int) -> None:
    assert judged(TURNS[:length]).ok


@pytest.mark.clause("WAIT-FIFO", "TRACE-REPLAYS")
def test_a_swapped_hand_off_is_found_twice() -> None:
    verdict = judged(changed({4: "RELEASE 1 1, HAND-OFF 1 3", 5: "RELEASE 1 3, HAND-OFF 1 2", 6: "RELEASE 1 2"}))
    assert {("TRACE-REPLAYS", 4), ("WAIT-FIFO", 4)} <= found(verdict)


@pytest.mark.clause("EXCLUSIVE", "TRACE-REPLAYS")
def test_a_lost_release_is_found_twice() -> None:
    verdict = judged([line for line in TURNS if line != "RELEASE 1 3"])
    assert {("TRACE-REPLAYS", 7), ("EXCLUSIVE", 8)} <= found(verdict)


@pytest.mark.clause("EXCLUSIVE", "TRACE-REPLAYS")
def test_a_doubled_grant_is_found_twice() -> None:
    verdict = judged(["GRANT-FREE 1 1", "GRANT-FREE 1 2"])
    assert found(verdict) == {("TRACE-REPLAYS", 2), ("EXCLUSIVE", 2)}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({4: "RELEASE 1 1"}, ("TRACE-REPLAYS", 4), id="nobody is served"),
        pytest.param({3: "QUEUE - 2"}, ("LEASE-IDENTITY", 3), id="a ticket comes twice"),
        pytest.param({4: "RELEASE 1 2, HAND-OFF 1 2"}, ("LEASE-ONCE", 4), id="somebody else releases"),
        pytest.param({6: "RELEASE 1 3, EXPIRE 1 -"}, ("TRACE-REPLAYS", 6), id="a row too many"),
        pytest.param({6: "EXPIRE 1 -"}, ("TRACE-REPLAYS", 6), id="held and expired"),
        pytest.param({1: "HAND-OFF 1 1"}, ("TRACE-REPLAYS", 1), id="a row of the balance alone"),
        pytest.param({1: "LOAN 1 1"}, ("TRACE-REPLAYS", 1), id="no such row"),
        pytest.param({9: "DESTROYED 1 -"}, ("TRACE-REPLAYS", 9), id="closed without saying so"),
        pytest.param({8: "CLOSED - -"}, ("CLOSE-TERMINATES", 8), id="closed too early"),
        pytest.param({9: "DESTROYED 2 -"}, ("CONSERVATION", 9), id="what was never there is destroyed"),
        pytest.param({1: "REFUSE-TIMEOUT - -"}, ("TRACE-REPLAYS", 0), id="refused beside a free slot"),
    ],
)
def test_an_untrue_trace_is_found(changes: dict[int, str], expected: tuple[str, int]) -> None:
    assert expected in found(judged(changed(changes)))


@pytest.mark.clause("TRACE-REPLAYS")
def test_the_report_says_where_and_what_was_expected() -> None:
    text = str(judged(changed({4: "RELEASE 1 1, HAND-OFF 1 3"})))
    assert "version 4: [TRACE-REPLAYS] the pool fired RELEASE slot 1 ticket 1, HAND-OFF slot 1 ticket 3; " in text
    assert "the model fires RELEASE slot 1 ticket 1, HAND-OFF slot 1 ticket 2" in text
    assert "open, limit 1, waiting: 2 3" in text
    assert "slot 1: checked_out by ticket 1" in text
    assert text.endswith("the trace does NOT hold")


def test_the_report_names_the_guards_that_are_false() -> None:
    text = str(judged(["EXPIRE 1 -"]))
    assert "the pool fired EXPIRE slot 1; the model does not allow EXPIRE: it needs unfit\n" in text
    assert "slot 1: free, place 1\n" in text


def test_a_gap_is_found_and_nothing_is_replayed_behind_it() -> None:
    trace = events(TURNS)
    verdict = replay([event for event in trace if event.version not in (5, 6)])
    assert verdict.findings[0] == ("TRACE-REPLAYS", 5, "versions 5 to 6 are missing; nothing is replayed from there on")
    assert verdict.replayed == 4


def test_two_commits_of_one_version_are_found() -> None:
    trace = events(TURNS)
    assert ("TRACE-REPLAYS", 3) in found(replay([*trace[:4], *trace[3:]]))


def test_an_unsaid_limit_is_found() -> None:
    trace = events(TURNS)
    trace[2] = trace[2]._replace(limit=2)
    assert ("TRACE-REPLAYS", 2) in found(replay(trace))


def test_a_refusal_is_checked_in_the_state_of_its_version() -> None:
    setup = SETUP._replace(max_waiting=2)
    assert judged(changed({3: "QUEUE - 3", 4: "REFUSE-BUSY - -"})[:4], setup).ok
    assert not judged(["GRANT-FREE 1 1", "QUEUE - 2", "REFUSE-BUSY - -"], setup).ok


@pytest.mark.clause("NEVER-STALE")
def test_age_is_believed_only_of_a_pool_that_ages() -> None:
    lines = ["EXPIRE 1 -", "ADOPT 1 -", "DESTROYED 1 -"]
    assert judged(lines, SETUP._replace(ages=True)).ok
    assert not judged(lines, SETUP).ok


@pytest.mark.parametrize("rest", [["RESET-OK 1 -", "GRANT-FREE 1 9"], ["DESTROYED 1 -"]])
def test_what_an_abandoned_slot_needs_shows_later(rest: list[str]) -> None:
    setup = SETUP._replace(ages=True, reset=True)
    assert judged(["GRANT-FREE 1 1", "ABANDON 1 1", "ADOPT 1 -", *rest], setup).ok


@pytest.mark.clause("NEVER-STALE")
def test_uses_are_counted() -> None:
    lines = ["GRANT-FREE 1 1", "RELEASE 1 1", "GRANT-FREE 1 2", "RELEASE 1 2"]
    assert judged(lines).ok
    assert found(judged(lines, SETUP._replace(max_uses=2))) == {("TRACE-REPLAYS", 4)}


@pytest.mark.clause("OLDEST-FIRST")
def test_an_inspection_is_no_use() -> None:
    setup = SETUP._replace(given=2, check=True)
    lines = ["INSPECT 2 -", "RESET-OK 2 -", "SHRINK 2 -"]
    assert judged(lines, setup, limit=2).ok
    assert not judged(["SHRINK 1 -"], setup, limit=2).ok


@pytest.mark.clause("COUNTS-RECOUNT", "CONSERVATION")
def test_snapshots_are_compared() -> None:
    trace = events(TURNS)
    assert replay(trace, [STATS]).ok
    assert found(replay(trace, [replace(STATS, waiting=1)])) == {("COUNTS-RECOUNT", 3)}
    assert found(replay(trace, [replace(STATS, destroyed=1)])) == {("CONSERVATION", 3)}
    assert found(replay(trace, [replace(STATS, version=10)])) == {("TRACE-REPLAYS", 10)}


def test_a_trace_without_its_beginning_is_refused() -> None:
    with pytest.raises(TraceError, match="version 0"):
        replay(events(TURNS)[1:])
    with pytest.raises(TraceError, match="version 0"):
        replay([])


@pytest.mark.clause("TRACE-REPLAYS")
def test_a_file_holds_the_whole_trace(tmp_path: Path) -> None:
    recorder = Recorder()
    with Pool(create=object, min_size=2, observer=recorder) as pool:
        with pool.acquire():
            recorder.note(pool.stats())
        pool.resize(3)
    recorder.write(tmp_path / "trace.jsonl")
    again = Recorder.read(tmp_path / "trace.jsonl")
    assert again.events() == recorder.events()
    assert again.snapshots() == recorder.snapshots()
    assert replay(again.events(), again.snapshots()).ok


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "7", '{"version": 1}', '{"version": 1, "fired": [["QUEUE", "x", 1]], "limit": 1}', '{"stats": {}}',
     '{"trace": 2, "setup": {}, "version": 0, "fired": [], "limit": 1}'],
)  # fmt: skip
def test_a_file_that_is_no_trace_is_refused(line: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(TraceError, match="line 1"):
        Recorder.read(path)


def test_the_first_event_tells_the_setup() -> None:
    recorder = Recorder()
    Pool(resources=[object()], create=object, min_size=2, max_size=4, max_uses=3, observer=recorder).close()
    first = recorder.events()[0]
    assert first.setup is not None
    assert (first.version, first.limit, first.setup.given, first.setup.built) == (0, 4, 1, 1)
    assert all(event.setup is None for event in recorder.events()[1:])
