"""The pool of ``spec/`` as an executable state machine: naive, immutable, and written from the spec alone.

``state``       what a pool is: three machines as plain values, and the quantities defined over them
``guards``      the guards of the spec's table, one predicate each, under the spec's own names
``rows``        the rows of the spec's table, one function each, in table order
``machine``     one indivisible step: a row, then the balance
``invariants``  what must hold in every state, on every edge, and in the long run
``explore``     every reachable state of a small scope, breadth first
``liveness``    what must happen eventually, under named fairness

Nothing here imports the implementation, and nothing here is clever: speed is bought only where a scope needs
it.
"""

from poolmodel.machine import Fired, NotEnabled, Outcome, enabled, step
from poolmodel.rows import ROWS
from poolmodel.state import Config, Domain, Event, Row, Slot, State, fresh_number, initial

__all__ = [
    "ROWS",
    "Config",
    "Domain",
    "Event",
    "Fired",
    "NotEnabled",
    "Outcome",
    "Row",
    "Slot",
    "State",
    "enabled",
    "fresh_number",
    "initial",
    "step",
]
