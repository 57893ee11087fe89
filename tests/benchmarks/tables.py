"""The tables of the page, one function for each family: lines of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

Data = dict[str, Any]
SHOWN = (8, 32)  # threads; the others are in the plots


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> Iterator[str]:
    """A table whose first columns are aligned to the left, and the others to the right."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'|'.join('---' if place < left else '---:' for place in range(len(head)))}|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def number(value: float) -> str:
    """Three digits that count, thousands apart."""
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}".replace(",", " ")


def quartiles(spread: Sequence[float] | None, unit: float = 1.0) -> str:
    if spread is None:
        return "–"
    low, middle, high = (number(value / unit) for value in spread)
    return f"{middle} ({low}–{high})"


def middle(spread: Sequence[float] | None, unit: float = 1.0) -> str:
    return "–" if spread is None else number(spread[1] / unit)


def timings(rows: list[Data], baseline: str) -> Iterator[str]:
    """Each form with the ratio to that of the baseline."""
    for form in dict.fromkeys(row["form"] for row in rows):
        chosen = sorted((row for row in rows if row["form"] == form), key=lambda row: float(row["wall"][1]))
        base = next((row for row in chosen if row["name"] == baseline), None)
        yield from table(
            [form, "wall, ns", "ratio", "cpu, ns", "ratio"],
            [
                [
                    row["name"],
                    *(cell for time in ("wall", "cpu") for cell in (quartiles(row[time]), ratio(row, base, time))),
                ]
                for row in chosen
            ],
        )
        yield ""


def ratio(row: Data, base: Data | None, key: str) -> str:
    return "–" if base is None else f"{row[key][1] / base[key][1]:.2f}"


def crowd(rows: list[Data], baseline: str, what: str) -> Iterator[str]:
    """What each crowd did; *what* is how its size is called."""
    base = {row[what]: row for row in rows if row["name"] == baseline}
    yield from table(
        [what, "", "cycles/s", "ratio", "cpu, µs each", "share", "longest wait, ms", "hand-off p50, µs", "p99, µs"],
        [
            [
                str(row[what]), row["name"], quartiles(row["rate"]), ratio(row, base.get(row[what]), "rate"),
                middle(row["cpu"]), f"{row['share'][1]:.3f}", quartiles(row["longest"], 1e-3),
                middle(row["p50"], 1e-6), middle(row["p99"], 1e-6),
            ]
            for row in sorted(rows, key=lambda row: (row[what], -row["rate"][1]))
        ],
        left=2,
    )  # fmt: skip
    yield ""


def cycles(data: Data) -> Iterator[str]:
    yield f"Ratios to {data['baseline']}."
    yield ""
    yield from timings(data["rows"], data["baseline"])


def contention(data: Data) -> Iterator[str]:
    resources = 4
    for hold in dict.fromkeys(row["hold"] for row in data["rows"]):
        rows = [row for row in data["rows"] if (row["resources"], row["hold"]) == (resources, hold)]
        yield f"{resources} resources, hold {hold * 1e6:.0f} µs, {data['rounds']} runs of {data['seconds']} s:"
        yield ""
        yield from crowd([row for row in rows if row["threads"] in SHOWN], data["baseline"], "threads")


def scale(data: Data) -> Iterator[str]:
    sizes = list(dict.fromkeys(row["size"] for row in data["cycles"]))
    costs = {(row["name"], row["size"]): row for row in data["cycles"]}
    names = dict.fromkeys(name for name, _ in costs)
    for time in ("wall", "cpu"):
        head = [f"cycle, {time} ns, by resources", *(number(size) for size in sizes)]
        yield from table(head, [[name, *(quartiles(costs[name, size][time]) for size in sizes)] for name in names])
        yield ""
    lengths = list(dict.fromkeys(row["length"] for row in data["waiters"]))
    waits = {(row["operation"], row["length"]): row for row in data["waiters"]}
    names = dict.fromkeys(name for name, _ in waits)
    for time in ("wall", "cpu"):
        head = [f"{time} ns, by waiters", *(number(length) for length in lengths)]
        yield from table(
            head, [[name, *(quartiles(waits[name, length][time]) for length in lengths)] for name in names]
        )
        yield ""
    yield from table(
        ["closing", "wall, s", "cpu, s", "the other thread's longest wait, ms", "its median, µs"],
        [
            [
                f"{number(each['size'])} resources, {'watched' if each['bystander'] else 'alone'}",
                number(each["seconds"]),
                number(each["cpu"]),
                number(each["bystander"]["longest"] * 1e3) if each["bystander"] else "–",
                middle(each["bystander"]["seconds"], 1e-6) if each["bystander"] else "–",
            ]
            for each in data["closing"]
        ],
    )


def deadlines(data: Data) -> Iterator[str]:
    rows = sorted(data["rows"], key=lambda row: (row["threads"], row["p99"] or 0))
    yield from table(
        ["threads", "", "p50 late, ms", "p99, ms", "longest, ms", "begun late"],
        [
            [
                row["refused"] or number(row["threads"]), row["name"],
                *("–" if row[key] is None else number(row[key] * 1e3) for key in ("p50", "p99", "longest")),
                str(row["begun late"]),
            ]
            for row in rows
        ],
        left=2,
    )  # fmt: skip
    yield ""
    yield from table(
        ["acquire and release in one thread, beside another that does all the time", "cycles/s", "longest, ms"],
        [[row["beside"], quartiles(row["rate"]), quartiles(row["longest"], 1e-3)] for row in data["stats"]],
    )


def memory(data: Data) -> Iterator[str]:
    rows = sorted(data["rows"], key=lambda row: float(row["free"]))
    yield from table(
        [f"{number(data['pooled'])} resources", "bytes per free resource", "per resource held, with its lease"],
        [[row["name"], number(row["free"]), number(row["held"])] for row in rows],
    )


def asyncio(data: Data) -> Iterator[str]:
    yield f"Ratios to {data['baseline']}, which is not fair to those who wait."
    yield ""
    yield from timings(data["rows"], data["baseline"])
    yield from crowd(data["crowds"], data["baseline"], "tasks")


def hubs(data: Data) -> Iterator[str]:
    for hub, baseline in data["baselines"].items():
        rows = [row for row in data["rows"] if row["hub"] == hub]
        if rows:
            yield f"In {hub}, ratios to {baseline}."
            yield ""
            yield from timings(rows, baseline)
            yield from crowd([row for row in data["crowds"] if row["hub"] == hub], baseline, "tasks")
