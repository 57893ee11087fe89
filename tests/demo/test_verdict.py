"""The verdict of the demo can fail: each check is shown what it must not let pass."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from poolproof import Pool, PoolStats
from poolproof.demo.bank import Audit, Connection, Oracle, Server, audit, open_bank
from poolproof.demo.display import Check, PlainDisplay
from poolproof.demo.verdict import closed_once, conservation, end_to_end, exclusivity, of_money, of_trace
from poolproof.replay import Recorder, replay
from replay.traces import TURNS, changed, judged


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    path = tmp_path / "bank.db"
    open_bank(path)
    return path


def final_stats() -> PoolStats:
    with Pool(resources=[object()]) as pool:
        pass
    return pool.stats()


def broken(checks: list[Check]) -> list[str]:
    return [check.claim for check in checks if not check.holds]


@pytest.mark.clause("DESTROY-ONCE")
def test_a_connection_closed_twice_is_found(bank: Path) -> None:
    oracle = Oracle()
    with closing(Connection(bank, oracle)) as connection:
        connection.close()
    assert closed_once(oracle) == Check(
        "closed exactly once", "DESTROY-ONCE", "1 opened, 1 closed, 1 closed twice", False,
        ("connection 1 closed 2 times",),
    )  # fmt: skip


@pytest.mark.clause("DESTROY-ONCE")
def test_a_connection_never_closed_is_found(bank: Path) -> None:
    oracle = Oracle()
    with closing(Connection(bank, oracle)):
        assert not closed_once(oracle).holds
    assert closed_once(oracle).holds


@pytest.mark.clause("EXCLUSIVE")
def test_two_users_at_a_time_are_found(bank: Path) -> None:
    oracle = Oracle()
    with closing(Connection(bank, oracle)) as connection:
        with connection.used_by("one"):
            pass
        assert exclusivity(oracle).holds
        with connection.used_by("one"), connection.used_by("two"):
            pass
    assert exclusivity(oracle).breaches == ("connection 1 used by two while one uses it",)


@pytest.mark.clause("EXCLUSIVE", "DESTROY-ONCE")
def test_a_close_under_a_user_and_a_use_after_close_are_found(bank: Path) -> None:
    oracle = Oracle()
    connection = Connection(bank, oracle)
    with connection.used_by("one"):
        connection.close()
    with connection.used_by("two"):
        pass
    assert len(exclusivity(oracle).breaches) == 2


@pytest.mark.parametrize(
    ("lines", "claims"),
    [
        pytest.param(list(TURNS), [], id="nothing is wrong"),
        pytest.param(
            changed({4: "RELEASE 1 1, HAND-OFF 1 3", 5: "RELEASE 1 3, HAND-OFF 1 2", 6: "RELEASE 1 2"}),
            ["first in, first out", "replay on the model"],
            id="a hand-off is swapped",
        ),
        pytest.param(
            [line for line in TURNS if line != "RELEASE 1 3"],
            ["exclusive grants", "replay on the model"],
            id="a release is lost",
        ),
        pytest.param(
            ["GRANT-FREE 1 1", "GRANT-FREE 1 9", *TURNS[1:]],
            ["exclusive grants", "replay on the model"],
            id="a grant is doubled",
        ),
    ],
)
def test_an_untrue_trace_breaks_its_checks(lines: list[str], claims: list[str]) -> None:
    assert broken(of_trace(judged(lines), 0.1)) == claims


@pytest.mark.clause("CONSERVATION")
def test_a_lost_resource_is_found() -> None:
    verdict, stats = judged(TURNS), final_stats()
    assert conservation(stats, verdict).holds
    assert not conservation(replace(stats, destroyed=0), verdict).holds
    assert not conservation(stats, judged(changed({9: "ORPHAN 1 -"}))).holds


def test_unfinished_business_is_found() -> None:
    stats = final_stats()
    assert end_to_end([], 3, stats).holds
    assert not end_to_end([KeyError("oh")], 3, stats).holds
    assert not end_to_end([], 3, replace(stats, phase="closing")).holds


@pytest.mark.parametrize(
    ("found", "committed"),
    [
        pytest.param(Audit(20, 19_999, 5, 0), 5, id="money is lost"),
        pytest.param(Audit(20, 20_000, 4, 0), 5, id="a transfer is lost"),
        pytest.param(Audit(20, 20_000, 5, 2), 5, id="a balance is not what was booked"),
        pytest.param(Audit(20, 20_000, 0, 0), 0, id="nothing happened"),
    ],
)
def test_money_that_does_not_add_up_is_found(found: Audit, committed: int) -> None:
    assert not broken(of_money(Audit(20, 20_000, 5, 0), 5))
    assert broken(of_money(found, committed))


@pytest.mark.clause("RESET-BEFORE-REUSE")
def test_half_a_transfer_shows_in_the_audit(bank: Path) -> None:
    with closing(Connection(bank, Oracle())) as connection, connection.used_by("nobody") as sql:
        sql.execute("UPDATE account SET balance = balance - 7 WHERE id = 3")
    assert audit(bank) == Audit(20, 19_993, 0, 1)


def test_failures_of_create_are_drawn_from_the_seed(bank: Path) -> None:
    def failures(seed: int) -> list[bool]:
        server = Server(bank, Oracle(), seed)
        return [server.fails(attempt) for attempt in range(1, 60)]

    assert failures(1) == failures(1)
    assert any(failures(1))
    assert failures(1) != failures(2)


def test_the_plain_verdict_says_what_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    PlainDisplay().verdict([Check("one", "A", "1 of 1", True), Check("two", "B", "0 of 1", False, ("it is not",))])
    assert capsys.readouterr().out.splitlines() == [
        "holds   one: 1 of 1  [A]",
        "BROKEN  two: 0 of 1  [B]",
        "          it is not",
        "verdict: 1 of 2 BROKEN",
    ]


def test_an_empty_trace_is_no_proof() -> None:
    recorder = Recorder()
    Pool(create=object, observer=recorder)
    assert not of_trace(replay(recorder.events()[:1]), 0.0)[-1].holds
