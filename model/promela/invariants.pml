/* What safety.md and progress.md say of every step, as assertions: here of the moves, below of the state at the end. */

/* NEVER-STALE, CLOSE-FINAL, EXCLUSIVE: what a grant may take */
#define NEVER_STALE_AT(s) assert(phase == OPEN && !unfit[s] && state[s] == FREE && holder[s] == 0)

/* CAPACITY, CLOSE-FINAL: when a slot may be added */
#define CAPACITY_BEFORE_ADDING assert(phase == OPEN && live < limit)

/* CLOSE-FINAL, RESIZE-BOTH-WAYS, RESET-BEFORE-REUSE, DUTY-OWNED: what may become free */
#define MAY_BECOME_FREE(s) \
    assert(phase == OPEN && !surplus && !unfit[s]); \
    assert(!(RESET && state[s] == CHECKED_OUT)); \
    assert(state[s] != RETURNING || owned[s])

inline check_slot(s) {
    /* EXCLUSIVE: a lease for each checked_out slot, and for no other; no ticket is granted and waits */
    assert((state[s] == CHECKED_OUT) == (holder[s] > 0));
    assert(holder[s] == 0 || !among(queue, holder[s]));
    /* DUTY-OWNED: work is owned, or stands in the backlog; nothing else is */
    assert(!owned[s] || state[s] == RETURNING || state[s] == DISCARDED);
    /* a build is bound to a ticket that waits, or to nobody */
    assert(bound[s] == 0 || (state[s] == CREATING && among(queue, bound[s])));
    assert(!fresh[s] || state[s] == CHECKED_OUT);
    assert((state[s] == FREE) == among(free_list, s + 1))
}

#define differ(a, p, q) (a[p] == 0 || a[p] != a[q])
#define all_differ(a) (differ(a, 0, 1) && differ(a, 0, 2) && differ(a, 0, 3) && \
                       differ(a, 1, 2) && differ(a, 1, 3) && differ(a, 2, 3))

inline check_invariants() {
    check_slot(0); check_slot(1); check_slot(2); check_slot(3);
    assert(all_differ(holder) && all_differ(bound) && all_differ(queue) && all_differ(free_list));
    /* CAPACITY */
    assert(live <= limit || live <= before);
    /* RESIZE-BOTH-WAYS */
    assert(!surplus || is_free == 0);
    /* WORK-CONSERVING */
    assert(phase != OPEN || waiting == 0 || is_free == 0);
    assert(phase != OPEN || !FACTORY || creating >= waiting || live >= limit);
    /* CLOSE-REFUSES, CLOSE-TERMINATES */
    assert(phase == OPEN || (waiting == 0 && is_free == 0));
    assert((phase == CLOSED) == (phase != OPEN && live == 0))
}
