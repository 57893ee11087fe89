"""Progress and verdict in a terminal, with rich."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from poolproof.demo.display import Check, Display, Picture, summary

GAUGES = (
    ("checked_out", "green"),
    ("returning", "yellow"),
    ("free", "cyan"),
    ("creating", "blue"),
    ("discarded", "red"),
    ("waiting", "magenta"),
)
LABEL_WIDTH, CURVE_WIDTH, LINES = 12, 58, 6
BLOCKS = " ▁▂▃▄▅▆▇█"


class LiveDisplay(Display):
    """One panel that is drawn over and over, and a table at the end."""

    def __init__(self) -> None:
        self.console = Console(highlight=False)
        self.live = Live(console=self.console, refresh_per_second=12, transient=True)
        self.rates: deque[float] = deque(maxlen=CURVE_WIDTH)
        self.last = (0.0, 0)
        self.picture: Picture | None = None

    def __enter__(self) -> Self:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()
        for at, text in self.picture.happened if self.picture is not None else ():
            self.console.print(Text.assemble((f"{at:6.1f} s  ", "dim"), text))

    def say(self, text: str) -> None:
        self.console.print(Text(text, "bold"))

    def show(self, picture: Picture) -> None:
        clock, done = self.last
        if picture.clock > clock:
            self.rates.append((picture.tally["committed"] - done) / (picture.clock - clock))
        self.last = picture.clock, picture.tally["committed"]
        self.picture = picture
        self.live.update(self.panel(picture))

    @contextmanager
    def busy(self, text: str) -> Iterator[None]:
        with self.console.status(text):
            yield

    def verdict(self, checks: Sequence[Check]) -> None:
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for title in ("", "claim", "counted"):
            table.add_column(title)
        for check in checks:
            mark = Text("holds", "bold green") if check.holds else Text("BROKEN", "bold red")
            table.add_row(mark, check.claim, Text("\n").join([Text(check.numbers), *map(Text, check.breaches)]))
        self.console.print()
        self.console.print(table)
        style = "bold green" if all(check.holds for check in checks) else "bold red"
        self.console.print(Text(summary(checks), style))

    # The panel, from top to bottom.

    def panel(self, picture: Picture) -> Panel:
        parts = (self.head(picture), self.gauges(picture), self.traffic(picture), self.happening(picture))
        return Panel(Group(*parts), title="poolproof demo", border_style="dim", width=min(80, self.console.width))

    def head(self, picture: Picture) -> Table:
        stats = picture.stats
        colour = {"open": "green", "closing": "yellow", "closed": "red"}[stats.phase]
        grid = Table.grid(padding=(0, 2))
        bar = ProgressBar(total=picture.seconds, completed=min(picture.clock, picture.seconds), width=22)
        grid.add_row(
            Text.assemble("pool ", (stats.name, "bold"), " is ", (stats.phase, f"bold {colour}")),
            Text(f"live {stats.live}/{stats.limit}"),
            Text(f"{picture.clock:4.1f} of {picture.seconds:g} s"),
            bar,
        )
        return grid

    def gauges(self, picture: Picture) -> Table:
        """A bar for each state of a slot, all to one scale, and one for those who wait."""
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=LABEL_WIDTH)
        grid.add_column(justify="right", width=3)
        grid.add_column(width=CURVE_WIDTH)
        values = {name: getattr(picture.stats, name) for name, _ in GAUGES}
        scale = max(8, picture.stats.limit or 0, *values.values())
        grid.add_row("", "", "")
        for name, colour in GAUGES:
            length = round(values[name] * CURVE_WIDTH / scale)
            bar = Text.assemble(("█" * length, colour), ("·" * (CURVE_WIDTH - length), "bright_black"))
            grid.add_row(name, str(values[name]), bar)
        return grid

    def traffic(self, picture: Picture) -> Table:
        """The rate of transfers over time, and the totals."""
        top = max([1.0, *self.rates])
        curve = "".join(BLOCKS[round(rate / top * (len(BLOCKS) - 1))] for rate in self.rates)
        recent = list(self.rates)[-5:]
        rate = sum(recent) / max(1, len(recent))
        tally = picture.tally
        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=LABEL_WIDTH)
        grid.add_column(width=CURVE_WIDTH + 4)
        grid.add_row("", "")
        grid.add_row("transfers/s", Text.assemble(f"{rate:3.0f} ", (curve, "green")))
        done = f"{tally['committed']:,} committed, {tally['left open']} left open, {tally['broken']} broken"
        grid.add_row("so far", done)
        grid.add_row("", f"{tally['timed out']} timed out, {tally['no connection']} without connection")
        grid.add_row("trace", f"{picture.events:,} events recorded; {picture.logged} failures logged by the pool")
        return grid

    def happening(self, picture: Picture) -> Group:
        """What was done to the pool lately, the latest last."""
        latest = list(picture.happened)[-LINES:]
        lines = [Text.assemble((f"{at:6.1f} s  ", "dim"), text) for at, text in latest]
        if lines:
            lines[-1].stylize("bold")
        return Group(Text(""), *lines, *[Text("")] * (LINES - len(lines)))
