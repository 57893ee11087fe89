"""The pool of ``spec/`` as an executable state machine: naive, immutable, and written from the spec alone.

``state``       what a pool is: three machines as plain values, and the quantities defined over them
``guards``      the guards of the spec's table, one predicate each, under the spec's own names
``rows``        the rows of the spec's table, one function each, in table order
``machine``     one indivisible step: a row, then the balance
``invariants``  what may never happen, in any state or on any edge
``policies``    which of several harmless rows is the right one
``explore``     every reachable state of a small scope, breadth first; ``configurations`` names the scopes
``lanes``       a counterexample, as a reader wants it
``liveness``    what must happen eventually, under named fairness
``necessity``   what each guard is for, found out by dropping it
``mutants``     models with one mistake each, for the checks to find
``vectors``     states, events and what must come of them, for programs in any language

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
