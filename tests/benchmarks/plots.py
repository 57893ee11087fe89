"""The plots of the page, as SVG, by matplotlib. Axes of costs that begin at 0 are linear; logarithmic ones say so."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

from benchmarks.results import Families, of_family
from benchmarks.subjects import OURS

Data = dict[str, Any]
Measured = dict[str, Data]  # one family's data by interpreter
Points = dict[str, dict[str, Sequence[float]]]  # by interpreter, by name: quartiles
COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf", "#000000")
MARKERS = "osD^vPX*<>"
OUR_COLOUR = "#d62728"
SETTINGS = {
    "svg.hashsalt": "poolproof", "svg.fonttype": "none", "font.size": 8, "axes.grid": True, "grid.alpha": 0.3
}  # fmt: skip
METRICS = (
    ("rate", "cycles/s", 1.0, "linear"),
    ("share", "share of the least served", 1.0, "linear"),
    ("longest", "longest wait, ms (log)", 1e3, "log"),
    ("p50", "hand-off p50, µs (log)", 1e6, "log"),
)


def draw(records: dict[str, Families], folder: Path) -> list[Path]:
    """Draw every family that was measured; the files written."""
    matplotlib = importlib.import_module("matplotlib")
    matplotlib.use("agg")
    pyplot = importlib.import_module("matplotlib.pyplot")
    drawn = []
    with matplotlib.rc_context(SETTINGS):
        for family, plots in PLOTS.items():
            measured = of_family(records, family)
            for name, plot in plots(measured) if measured else ():
                figure = plot(pyplot)
                figure.savefig(folder / name, metadata={"Date": None}, bbox_inches="tight")
                pyplot.close(figure)
                drawn.append(folder / name)
    return drawn


def names(family: str, measured: Measured) -> Iterator[str]:
    """The files that `draw` makes of this family."""
    yield from (name for name, _ in PLOTS[family](measured))


def dots(pyplot: Any, panels: dict[str, Points], label: str, log: bool = True) -> Any:
    """A panel for each form: names in rows, a dot for each interpreter with a line between the quartiles."""
    rows = {title: _sorted(points) for title, points in panels.items()}
    height = max(1.8, 0.32 * max(len(each) for each in rows.values()) + 1.0)
    figure, axes = pyplot.subplots(1, len(panels), figsize=(5.2 * len(panels), height), squeeze=False)
    for axis, (title, points) in zip(axes[0], panels.items(), strict=True):
        for place, (interpreter, values) in enumerate(points.items()):
            shift = (place - (len(points) - 1) / 2) * 0.22
            ys = [rows[title].index(name) + shift for name in values]
            lows, middles, highs = zip(*values.values(), strict=True)
            errors = [
                [m - low for m, low in zip(middles, lows, strict=True)],
                [high - m for m, high in zip(middles, highs, strict=True)],
            ]
            axis.errorbar(middles, ys, xerr=errors, fmt=MARKERS[place], ms=4, color=COLOURS[place], label=interpreter)
        axis.set_yticks(range(len(rows[title])), rows[title])
        for tick in axis.get_yticklabels():
            tick.set_color(OUR_COLOUR if tick.get_text().startswith(OURS) else "black")
        axis.set(title=title, xlabel=label + (" (log)" if log else ""))
        if log:
            _logarithmic(axis)
        else:
            axis.set_xlim(left=0)
        axis.set_ylim(len(rows[title]) - 0.5, -0.5)
    figure.tight_layout()
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(1.0, 0.95))
    return figure


def _logarithmic(axis: Any) -> None:
    """A logarithmic axis with plain numbers on it."""
    ticker = importlib.import_module("matplotlib.ticker")
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(ticker.LogLocator(subs=(1, 3), numticks=12))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter(ticker.NullFormatter())
    axis.tick_params(axis="x", labelsize=6)


def _sorted(points: Points) -> list[str]:
    """All names, the least first."""
    best: dict[str, float] = {}
    for values in points.values():
        for name, quartiles in values.items():
            best[name] = min(best.get(name, quartiles[1]), quartiles[1])
    return sorted(best, key=lambda name: best[name])


Series = dict[str, list[tuple[float, Sequence[float]]]]  # by name: points, each with its quartiles
Styles = dict[str, tuple[str, str]]


def styles(found: Iterable[str]) -> Styles:
    """A colour and a marker for each name, the same in all panels of a figure. Ours is red."""
    others = (name for name in dict.fromkeys(found) if name != OURS)
    return {**dict(zip(others, cycle(zip(COLOURS, MARKERS, strict=True)), strict=False)), OURS: (OUR_COLOUR, "o")}


def lines(axis: Any, series: Series, style: Styles, factor: float = 1.0) -> None:
    """A line for each name through its medians, and a band between the quartiles. Ours is thick."""
    for name, points in series.items():
        (colour, marker), ours = style[name], name == OURS
        xs = [x for x, _ in points]
        low, middle, high = ([quartiles[place] * factor for _, quartiles in points] for place in range(3))
        width, order = (2, 3) if ours else (1, 2)
        axis.plot(xs, middle, marker=marker, ms=3, lw=width, color=colour, label=name, zorder=order)
        axis.fill_between(xs, low, high, color=colour, alpha=0.15, lw=0)


def timings(measured: Measured, where: Callable[[Data], bool] = lambda row: True) -> dict[str, Points]:
    """The wall time of each form, as panels."""
    panels: dict[str, Points] = {}
    for interpreter, data in measured.items():
        for row in data["rows"]:
            if where(row):
                panels.setdefault(row["form"], {}).setdefault(interpreter, {})[row["name"]] = row["wall"]
    return panels


def crowds(pyplot: Any, rows: list[Data], columns: str, size: str, title: str) -> Any:
    """Every metric in a row of panels, by the size of the crowd; a column for each value of *columns*."""
    values, style = list(dict.fromkeys(row[columns] for row in rows)), styles(row["name"] for row in rows)
    figure, axes = pyplot.subplots(
        len(METRICS), len(values), figsize=(3.6 * len(values) + 1.6, 9), sharex=True, sharey="row", squeeze=False
    )
    for column, value in enumerate(values):
        for axis, (metric, label, factor, scaled) in zip(axes[:, column], METRICS, strict=True):
            series: Series = {}
            for row in rows:
                if row[columns] == value and row[metric] is not None:
                    series.setdefault(row["name"], []).append((row[size], row[metric]))
            lines(axis, series, style, factor)
            axis.set_yscale(scaled)
            axis.set_xscale("log", base=2)
            measured = sorted({row[size] for row in rows})
            axis.set_xticks(measured, measured)
            axis.set_ylabel(label if not column else "")
        axes[0][column].set_title(f"{columns}: {value}")
        axes[-1][column].set_xlabel(f"{size} (log)")
    for panels, (_, _, _, scaled) in zip(axes, METRICS, strict=True):
        if scaled == "linear":
            panels[0].set_ylim(bottom=0)
    _legend(figure, axes, title)
    return figure


def _legend(figure: Any, axes: Any, title: str) -> None:
    found = {label: line for axis in axes.flat for line, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.suptitle(title)
    figure.tight_layout()
    figure.legend(found.values(), found.keys(), loc="center left", bbox_to_anchor=(1.0, 0.5))


def sizes(pyplot: Any, measured: Measured) -> Any:
    """A row for each interpreter: cycles by resources, and what those who wait cost by their number."""
    figure, axes = pyplot.subplots(len(measured), 2, figsize=(11, 3 * len(measured) + 0.6), squeeze=False)
    for (left, right), (interpreter, data) in zip(axes, measured.items(), strict=True):
        for axis, rows, name, size in (
            (left, data["cycles"], "name", "size"), (right, data["waiters"], "operation", "length"),
        ):  # fmt: skip
            series: Series = {}
            for row in rows:
                series.setdefault(row[name], []).append((row[size], row["wall"]))
            lines(axis, series, styles(series), 1e-3)
            axis.set_xscale("log")
            axis.set_ylim(bottom=0)
            axis.legend(fontsize=6)
            axis.set(ylabel="µs")
        left.set(title=f"{interpreter}: one cycle", xlabel="pooled resources (log)")
        right.set(title=f"{interpreter}: one operation of the queue", xlabel="waiters (log)")
    figure.tight_layout()
    return figure


def late(measured: Measured) -> dict[str, Points]:
    """How late, as panels: the dot is the median, the line goes from it to the p99."""
    panels: dict[str, Points] = {}
    for interpreter, data in measured.items():
        for row in data["rows"]:
            if row["p50"] is not None:
                ms = [row["p50"] * 1e3, row["p50"] * 1e3, row["p99"] * 1e3]
                title = f"{row['threads']} deadlines: median, line to the p99"
                panels.setdefault(title, {}).setdefault(interpreter, {})[row["name"]] = ms
    return panels


def remembered(measured: Measured) -> dict[str, Points]:
    """Bytes per resource, as panels."""
    return {
        title: {each: {row["name"]: [row[key]] * 3 for row in data["rows"]} for each, data in measured.items()}
        for title, key in (("free", "free"), ("held, with its lease", "held"))
    }


Plots = Iterable[tuple[str, Callable[[Any], Any]]]


def _cycles(measured: Measured) -> Plots:
    panels = timings(measured, lambda row: row["form"] in ("acquire and release", "with"))
    yield "cycles.svg", partial(dots, panels=panels, label="ns per cycle, quartiles")


def _contention(measured: Measured) -> Plots:
    for interpreter, data in measured.items():
        for hold in dict.fromkeys(row["hold"] for row in data["rows"]):
            rows = [row for row in data["rows"] if row["hold"] == hold]
            held = f"{hold * 1e6:.0f}"
            title = f"{interpreter}, hold {held} µs; medians and quartiles of {data['rounds']} runs"
            plot = partial(crowds, rows=rows, columns="resources", size="threads", title=title)
            yield f"contention-{interpreter}-hold-{held}.svg", plot


def _asyncio(measured: Measured) -> Plots:
    yield "asyncio.svg", partial(dots, panels=timings(measured), label="ns per cycle, quartiles")
    rows = [{"interpreter": name, **row} for name, data in measured.items() for row in _ours_first(data["crowds"])]
    title = "tasks over 4 resources, hold one turn of the loop"
    yield "asyncio-crowds.svg", partial(crowds, rows=rows, columns="interpreter", size="tasks", title=title)


def _hubs(measured: Measured) -> Plots:
    for hub in dict.fromkeys(row["hub"] for data in measured.values() for row in data["rows"]):
        panels = timings(measured, lambda row, hub=hub: row["hub"] == hub)  # type: ignore[misc]
        yield f"{hub}.svg", partial(dots, panels=panels, label="ns per cycle, quartiles")
    rows = [{"in": f"{row['hub']}, {name}", **row} for name, data in measured.items() for row in data["crowds"]]
    title = "green threads over 4 resources, hold one turn of the hub"
    yield "hubs-crowds.svg", partial(crowds, rows=rows, columns="in", size="tasks", title=title)


def _ours_first(rows: list[Data]) -> list[Data]:
    """The tasks' pool is ours, too, and drawn so."""
    return [{**row, "name": OURS if row["name"].startswith(OURS) else row["name"]} for row in rows]


PLOTS: dict[str, Callable[[Measured], Plots]] = {
    "cycles": _cycles,
    "contention": _contention,
    "scale": lambda measured: [("scale.svg", partial(sizes, measured=measured))],
    "deadlines": lambda measured: [("deadlines.svg", partial(dots, panels=late(measured), label="ms late"))],
    "memory": lambda measured: [("memory.svg", partial(dots, panels=remembered(measured), label="bytes", log=False))],
    "asyncio": _asyncio,
    "hubs": _hubs,
}
