"""The rows of ``spec/transitions.md`` as data, in table order.

A row has a case for each kind of slot or ticket that it may happen to. A case moves counters; one that it takes from
must not be empty. ``absent`` is no cell: what comes from there or goes there changes ``live``. Guards of the table that
are about one slot (fit, owned, fresh, …) are in the choice of the cell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """One kind of slot or ticket that a row may happen to. ``guards`` are needed beside those of the row."""

    moves: Mapping[str, int] = field(default_factory=dict)
    guards: tuple[str, ...] = ()
    backing_off: bool | None = None


@dataclass(frozen=True)
class Row:
    """Guards that all cases share, and the cases. ``bulk`` names what moves more than one slot."""

    guards: tuple[str, ...]
    cases: tuple[Case, ...]
    bulk: str = ""


FIT, UNFIT = "fit", "unfit"
EITHER = (FIT, UNFIT)
LEASES = ("fresh", "leased")
OWNED, DROPPED = "discarded_owned", "discarded_dropped"


def move(cell: str, to: str, *guards: str, **more: int) -> Case:
    """One slot goes from *cell* to cell *to*; *more* counters change with it."""
    if cell == "absent":
        return Case({to: 1, "live": 1, **more}, guards)
    if to == "absent":
        return Case({cell: -1, "live": -1, **more}, guards)
    return Case({cell: -1, to: 1, **more}, guards)


def leases(to: str, *guards: str, marks: tuple[str, ...] = EITHER, **more: int) -> tuple[Case, ...]:
    """A lease of any kind ends."""
    return tuple(move(f"{lease}_{mark}", to.format(mark), *guards, **more) for lease in LEASES for mark in marks)


def ageing(*kinds: str) -> tuple[Case, ...]:
    """A slot of one of *kinds* is unfit from now on, or was already."""
    turned = tuple(move(f"{kind}_fit", f"{kind}_unfit") for kind in kinds)
    return turned + tuple(Case({f"{kind}_unfit": 0}) for kind in kinds)


# A ticket stops waiting: it has no build, or its build is bound to nobody from now on.
LEAVES = (
    Case({"waiting": -1}, ("not-built-for",)),
    *(Case({"waiting": -1, f"bound_{mark}": -1, f"loose_{mark}": 1}) for mark in EITHER),
)

ROWS: dict[str, Row] = {
    "GRANT-FREE": Row(("open", "nobody-waits"), (move("free_fit", "leased_fit"),)),
    "QUEUE": Row(("open", "none-fit-free", "room-to-wait", "not-empty"), (Case({"waiting": 1}),)),
    "REFUSE-CLOSED": Row(("not-open",), (Case(),)),
    "REFUSE-EMPTY": Row(("open", "nothing-to-come"), (Case(),)),
    "REFUSE-BUSY": Row(("open", "none-fit-free", "no-room-to-wait", "not-empty"), (Case(),)),
    "REFUSE-TIMEOUT": Row(("open", "none-fit-free", "cannot-build", "not-empty", "room-to-wait"), (Case(),)),
    "WITHDRAW": Row((), LEAVES),
    "BUILD-OK": Row(
        ("open", "no-surplus"), tuple(move(f"{kind}_fit", "free_fit", created=1) for kind in ("bound", "loose"))
    ),
    "BUILD-LATE": Row(
        (),
        (
            *(move(f"{kind}_unfit", OWNED, created=1) for kind in ("bound", "loose")),
            move("loose_fit", OWNED, "not-open", created=1),
            *(move(f"{kind}_fit", OWNED, "surplus", created=1) for kind in ("bound", "loose")),
        ),
    ),
    "BUILD-FAILED": Row((), tuple(move(f"bound_{mark}", "absent", waiting=-1) for mark in EITHER)),
    "BUILD-LOST": Row(
        (),
        (
            *(Case({f"loose_{mark}": -1, "live": -1}, ("open",), backing_off=True) for mark in EITHER),
            *(Case({f"loose_{mark}": -1, "live": -1}, ("not-open",)) for mark in EITHER),
        ),
    ),
    "BUILD-ABANDONED": Row(
        (), tuple(move(f"{kind}_{mark}", "absent") for kind in ("bound", "loose") for mark in EITHER)
    ),
    "RELEASE": Row(("open", "no-surplus", "no-reset"), leases("free_{}", marks=(FIT,))),
    "RELEASE-RESET": Row(("open", "no-surplus"), leases("returning_{}", "reset", marks=(FIT,))),
    "DISCARD": Row((), leases(OWNED)),
    "ABANDON": Row(
        (),
        (
            *leases("dropped_{}", "open", "no-surplus", "reset", marks=(FIT,)),
            *leases(DROPPED, marks=(UNFIT,)),
            *leases(DROPPED, "not-open", marks=(FIT,)),
            *leases(DROPPED, "surplus", marks=(FIT,)),
        ),
    ),
    "DETACH": Row((), leases("absent", detached=1)),
    "REVOKE": Row((), leases(OWNED)),
    "CHECK-FAILED": Row(("open",), tuple(move(f"leased_{mark}", OWNED, "check", waiting=1) for mark in EITHER)),
    "CHECK-REFUSED": Row(
        (),
        (
            *(move(f"fresh_{mark}", OWNED, "check") for mark in EITHER),
            *(move(f"leased_{mark}", OWNED, "check", "not-open") for mark in EITHER),
        ),
    ),
    "RESET-OK": Row(("open", "no-surplus"), (move("returning_fit", "free_fit"),)),
    "RESET-FAILED": Row((), tuple(move(f"returning_{mark}", OWNED) for mark in EITHER)),
    "INSPECT": Row((), tuple(move(f"free_{mark}", f"returning_{mark}", "check") for mark in EITHER)),
    "EXPIRE": Row((), (move("free_unfit", DROPPED),)),
    "SHRINK": Row(("above-min-size",), tuple(move(f"free_{mark}", DROPPED) for mark in EITHER)),
    "ADOPT": Row((), (*(move(f"dropped_{mark}", f"returning_{mark}") for mark in EITHER), move(DROPPED, OWNED))),
    "ORPHAN": Row((), (*(move(f"returning_{mark}", DROPPED) for mark in EITHER), move(OWNED, DROPPED))),
    "DESTROYED": Row((), (move(OWNED, "absent", destroyed=1),)),
    "ADD": Row(("open", "room"), (move("absent", "free_fit", added=1),)),
    "REMOVE-FREE": Row((), tuple(move(f"free_{mark}", DROPPED) for mark in EITHER)),
    "RETIRE": Row((), ageing("fresh", "leased", "returning", "dropped")),
    "AGE": Row((), ageing("bound", "loose", "free", "fresh", "leased", "returning", "dropped")),
    "RESIZE": Row(("open",), (Case(),), bulk="resize"),
    "RENEW": Row(("open",), (Case(),), bulk="renew"),
    "REFILL": Row(("open", "not-backing-off", "meagre"), (move("absent", "loose_fit", "factory"),)),
    "RETRY": Row(("backing-off",), (Case(backing_off=False),)),
    "CLOSE": Row(("open",), (Case(),), bulk="close"),
    "FORK": Row((), (Case(),), bulk="fork"),
}
