"""A pool as numbers of slots and tickets, without bound: what can be proved of any number of threads and any capacity.

``logic``   the few connectives that work on numbers and on z3's expressions alike
``counts``  the counters, the quantities of ``spec/machines.md`` over them, and the guards of the table
``rows``    the rows of ``spec/transitions.md`` as data: which guards, which counters move
``step``    one step: a row, then the balance
``proof``   the invariants, and z3's word that every step keeps them

The same data are run with numbers, and proved with unknowns. Slots and tickets have no identity here, so a row may
happen to any slot of the right kind: the counters allow more than a pool does, and what holds of them holds of it.
Which of them a step of a pool is, and that it is one, is checked against the explored model. (Of the core's own deltas
``tests/core/counting.py`` asks CrossHair a part of this.)

The totals of CONSERVATION are in no state of the model: that each row counts what it should is read off ``rows`` alone.
"""
