"""Draw the three machines from the transition table: ``python docs/tools/diagrams.py``.

Writes ``docs/images/<machine>.dot`` and ``<machine>.svg``; the second needs Graphviz (Debian: graphviz).
A picture says nothing that the table does not: nodes are the states, labels are the rows that move one into
another, and a row that keeps a state stands inside it. Italics mark the rows of the balance. Only the layout
is decided here.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from specification import Row, rows, states

IMAGES = Path(__file__).resolve().parents[1] / "images"


@dataclass(frozen=True)
class Colour:
    """A light fill for dark text, and a middle tone that can be read on white and on black."""

    fill: str
    tone: str


VIOLET = Colour("#ebe5fb", "#8b6fd6")
GREEN = Colour("#d9f2df", "#2f9155")
BLUE = Colour("#dbe8fc", "#4580d8")
AMBER = Colour("#fbebc8", "#b07a17")
RED = Colour("#fbdedb", "#d4584f")
GREY = Colour("#e9ecef", "#79818b")
INK = "#1f2328"


@dataclass(frozen=True)
class Layout:
    """What the table cannot know: where states look well."""

    colours: dict[str, Colour]
    direction: str = "TB"
    together: tuple[tuple[str, ...], ...] = ()
    upwards: tuple[tuple[str, str], ...] = ()
    split: str = ""
    prominent: tuple[str, ...] = ()


LAYOUTS = {
    "pool": Layout(
        {"open": GREEN, "closing": AMBER, "closed": GREY},
        direction="LR",
        upwards=(("closing", "open"), ("closed", "open")),
    ),
    "slot": Layout(
        {
            "absent": GREY,
            "creating": VIOLET,
            "free": GREEN,
            "checked_out": BLUE,
            "returning": AMBER,
            "discarded": RED,
        },
        split="absent",
        prominent=("free", "checked_out", "returning", "discarded"),
        together=(("checked_out", "returning"),),
        upwards=(("checked_out", "free"), ("returning", "free")),
    ),
    "ticket": Layout(
        {"new": GREY, "waiting": AMBER, "granted": GREEN, "withdrawn": VIOLET, "refused": RED},
        upwards=(("granted", "waiting"),),
    ),
}


def dot(machine: str) -> str:
    """Return the Graphviz source of one machine's diagram."""
    layout = LAYOUTS[machine]
    moves, stays = _moves(machine)
    lines = [f'digraph "{machine}" {{', *_defaults(layout)]
    for state in states()[machine]:
        if state == layout.split:
            lines += [_node(f"{state} {when}", state, layout, stays) for when in ("before", "after")]
        else:
            lines.append(_node(state, state, layout, stays))
    lines += [f"  {{ rank=same; {' '.join(map(_quoted, group))} }}" for group in layout.together]
    lines += [_edge(source, target, layout, found) for (source, target), found in moves.items()]
    return "\n".join([*lines, "}", ""])


def svg(source: str) -> str:
    """Lay the picture out. It keeps its source's digest: a stale one is recognized without Graphviz."""
    import graphviz  # only who draws needs it

    drawn = graphviz.Source(source).pipe(format="svg", encoding="utf-8")
    drawn = re.sub(r"<!--.*?-->\n", "", drawn[drawn.index("<svg") :], flags=re.DOTALL)
    drawn = drawn.replace("Helvetica,sans-Serif", "Helvetica, Arial, sans-serif")
    drawn = re.sub(r'<g id="node\d+" class="node">.*?</g>', _centred, drawn, flags=re.DOTALL)
    return f"<!-- {digest(source)} -->\n{drawn}"


def _centred(node: re.Match[str]) -> str:
    """Centre a state's text in its box: Graphviz places it by the widths of its own font."""
    (outline,) = re.findall(r' d="([^"]+)"', node[0])
    across = [float(x) for x in re.findall(r"(-?[\d.]+),-?[\d.]+", outline)]
    middle = (min(across) + max(across)) / 2
    return re.sub(r'text-anchor="start" x="[^"]+"', f'text-anchor="middle" x="{middle:g}"', node[0])


def digest(source: str) -> str:
    """Return the line that ties a picture to its source."""
    return f"drawn from sha256 {hashlib.sha256(source.encode()).hexdigest()}"


def _moves(machine: str) -> tuple[dict[tuple[str, str], list[Row]], dict[str, list[Row]]]:
    """Merge parallel edges, in the order of the table; set apart the rows that keep a state."""
    moves: dict[tuple[str, str], list[Row]] = {}
    stays: dict[str, list[Row]] = {}
    for row in rows():
        for edge in row.edges:
            if edge.machine == machine and edge.source == edge.target:
                stays.setdefault(edge.source, []).append(row)
            elif edge.machine == machine:
                moves.setdefault((edge.source, edge.target), []).append(row)
    return moves, stays


def _defaults(layout: Layout) -> list[str]:
    graph = {"rankdir": layout.direction, "bgcolor": "transparent", "nodesep": "0.5", "ranksep": "0.6"}
    node = {"fontsize": "14", "fontcolor": INK, "shape": "box", "style": "filled,rounded", "penwidth": "2"}
    edge = {"fontsize": "11", "penwidth": "1.5", "arrowsize": "0.8"}
    font = {"fontname": "Helvetica"}
    return [
        f"  graph [{_attributes(graph | {'pad': '0.1'})}]",
        f"  node [{_attributes(font | node | {'margin': '0.22,0.12'})}]",
        f"  edge [{_attributes(font | edge)}]",
    ]


def _node(name: str, state: str, layout: Layout, stays: dict[str, list[Row]]) -> str:
    colour = layout.colours[state]
    inside = "".join(f'<BR/><FONT POINT-SIZE="10">{_label(row)}</FONT>' for row in stays.get(state, ()))
    gap = '<BR/><FONT POINT-SIZE="4"> </FONT>' if inside else ""
    label = f"<<B>{state}</B>{gap}{inside}>"
    rest = {"color": colour.tone, "fillcolor": colour.fill}
    if state == layout.split:
        rest |= {"style": "dashed,rounded", "fontcolor": colour.tone}
    if state in layout.prominent:
        rest |= {"fontsize": "18", "penwidth": "3", "margin": "0.3,0.15"}
    return f"  {_quoted(name)} [label={label} {_attributes(rest)}]"


def _edge(source: str, target: str, layout: Layout, found: list[Row]) -> str:
    tone = layout.colours[target].tone
    lines = '<BR ALIGN="LEFT"/>'.join([*map(_label, found), ""])
    label = f'<TABLE BORDER="0" CELLPADDING="4"><TR><TD>{lines}</TD></TR></TABLE>'
    rest = {"color": tone, "fontcolor": tone}
    tail, head = source, target
    if layout.split == source:
        tail = f"{source} before"
    if layout.split == target:
        head = f"{target} after"
    if (source, target) in layout.upwards:
        # Drawn from head to tail for the layout only: a step back must not turn the order of states round.
        tail, head = head, tail
        rest["dir"] = "back"
    return f"  {_quoted(tail)} -> {_quoted(head)} [label=<{label}> {_attributes(rest)}]"


def _label(row: Row) -> str:
    return f"<I>{row.id}</I>" if row.inner else row.id


def _quoted(name: str) -> str:
    return f'"{name}"'


def _attributes(values: dict[str, str]) -> str:
    return " ".join(f"{name}={_quoted(value)}" for name, value in values.items())


def main() -> None:
    """Write sources and pictures."""
    IMAGES.mkdir(exist_ok=True)
    for machine in LAYOUTS:
        source = dot(machine)
        (IMAGES / f"{machine}.dot").write_text(source, encoding="utf-8")
        (IMAGES / f"{machine}.svg").write_text(svg(source), encoding="utf-8")


if __name__ == "__main__":
    main()
