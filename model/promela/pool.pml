/* The pool of spec/, a second time: from machines.md, transitions.md and safety.md, not from the model in Python.

   One process, one loop. A turn of the loop is one step: one option, which is a row for one slot or one client, and
   then the balance. It is atomic, and nothing is chosen within it but the option: so every state that is stored
   is the end of a step, and every transition is one step. What is hidden is scratch, and belongs to no state.

   spin reads this file with -D options:
     CLIENTS, SLOTS   how many callers there are, and how many slots can be live at once (at most 4 of each)
     LIMIT            max_size; UNBOUNDED for none
     LIMITS           the limits that RESIZE may set, as a bit mask; bit 7 stands for UNBOUNDED
     MIN_SIZE, FACTORY, CHECK, RESET, LEASE_RESET, FIFO, RAISE_EMPTY, MAX_WAITING
                      the options of the pool; LEASE_RESET says that a lease may bring a reset of its own
     ROUNDS           how often each client acquires; 0 is for ever
     OFFER_AGAIN      ADD is tried, too, with the very object that was in the first slot
     OFF_<row>        this row does not happen
     LITERAL          nothing is forgotten; see the normal form below
     EDGES            print every edge, and not only how often each row fired
*/

#include "defaults.pml"

#define ALL 4                 /* the size of every array */
#define UNBOUNDED 255

/* the states of a slot */
#define ABSENT 0
#define CREATING 1
#define FREE 2
#define CHECKED_OUT 3
#define RETURNING 4
#define DISCARDED 5

/* the states of the pool */
#define OPEN 0
#define CLOSING 1
#define CLOSED 2

byte phase = OPEN;
byte limit = LIMIT;
bool backing_off = false;
byte state[ALL];
byte bound[ALL];              /* of a creating slot: the waiting ticket that it is built for, or 0 */
byte holder[ALL];             /* of a checked_out slot: the ticket that became its lease */
bool unfit[ALL];
bool fresh[ALL];
bool owned[ALL];
byte free_list[ALL];          /* slots + 1, in the order in which they became free; 0 behind the last */
byte queue[ALL];              /* tickets, in the order in which they are served; 0 behind the last */
byte left[ALL] = ROUNDS;      /* how often a client may still acquire; not used if that is for ever */

/* ---- quantities, as machines.md defines them ---- */

#define COUNT(s) ((state[0] == s) + (state[1] == s) + (state[2] == s) + (state[3] == s))
#define live (ALL - COUNT(ABSENT))
#define creating COUNT(CREATING)
#define staying (live - COUNT(DISCARDED))
#define is_free COUNT(FREE)
#define waiting ((queue[0] > 0) + (queue[1] > 0) + (queue[2] > 0) + (queue[3] > 0))
#define short_with(n) (phase == OPEN && FACTORY && creating < waiting + (n) && live < limit)
#define is_short short_with(0)
#define meagre (staying < MIN_SIZE && live < limit)
#define surplus (staying > limit)

/* ---- guards that more than one row uses ---- */

#define fit_free(p) (free_list[p] > 0 && !unfit[free_list[p] - 1])
#define none_fit_free !(fit_free(0) || (free_list[1] > 0 && fit_free(1)) || \
                        (free_list[2] > 0 && fit_free(2)) || (free_list[3] > 0 && fit_free(3)))
#define next_free (FIFO -> free_list[0] : free_list[is_free - 1])
#define room_to_wait (MAX_WAITING == UNBOUNDED || waiting < MAX_WAITING || short_with(1))
#define cannot_build !short_with(1)
#define nothing_to_come (RAISE_EMPTY && !FACTORY && staying == 0)
#define not_empty !nothing_to_come
#define climbs(n) ((n) <= limit || (n) <= live + 1 || creating + 1 >= waiting || !FACTORY)
#define may_be_free(s) (phase == OPEN && !unfit[s] && !surplus)
#define some_reset (RESET || LEASE_RESET)      /* there are leases with a reset */
#define some_plain (!RESET)                    /* there are leases without one */

/* ---- scratch ---- */

hidden byte row, inner, who, from, it, kept, new, built, before;

#include "lists.pml"
#include "invariants.pml"
#include "report.pml"

/* ---- moves ---- */

/* Normal form. Two things are in the state though nothing can depend on them any more: whether a discarded slot is
   unfit, and whether a pool that is not open is backing off. They are forgotten, unless this is -DLITERAL. */
inline forget_mark(s) {
    if
    :: !LITERAL && state[s] == DISCARDED -> unfit[s] = false
    :: else -> skip
    fi
}

inline forget_retry() {
    if
    :: !LITERAL && phase != OPEN -> backing_off = false
    :: else -> skip
    fi
}

/* A slot that nobody will use again. */
inline discard(s, by_somebody) {
    drop(free_list, s + 1);
    state[s] = DISCARDED; bound[s] = 0; holder[s] = 0; fresh[s] = false; owned[s] = by_somebody;
    forget_mark(s)
}

/* The slot is gone; its place in the arrays may be taken by another. */
inline vanish(s) {
    state[s] = ABSENT; bound[s] = 0; holder[s] = 0; unfit[s] = false; fresh[s] = false; owned[s] = false
}

inline become_free(s) {
    MAY_BECOME_FREE(s);
    state[s] = FREE; bound[s] = 0; holder[s] = 0; fresh[s] = false; owned[s] = false;
    append(free_list, s + 1)
}

inline become_returning(s, by_somebody) {
    drop(free_list, s + 1);
    state[s] = RETURNING; holder[s] = 0; fresh[s] = false; owned[s] = by_somebody
}

inline grant(s, ticket) {
    NEVER_STALE_AT(s);
    drop(free_list, s + 1);
    state[s] = CHECKED_OUT; holder[s] = ticket; fresh[s] = (built == s + 1)
}

/* A slot that was not there: the first place that is not taken. */
inline find_absent() {
    CAPACITY_BEFORE_ADDING;
    new = 0;
    do
    :: new < ALL && state[new] != ABSENT -> new++
    :: else -> break
    od;
    assert(new < SLOTS)
}

/* A ticket that stops waiting; a build is bound to it no longer. */
inline stop_waiting(ticket) {
    drop(queue, ticket);
    it = 0;
    do
    :: it < ALL ->
        if
        :: bound[it] == ticket -> bound[it] = 0
        :: else -> skip
        fi;
        it++
    :: else -> break
    od;
    skip
}

inline discard_all_free() {
    do
    :: free_list[0] > 0 -> new = free_list[0] - 1; discard(new, false)
    :: else -> break
    od;
    skip
}

/* ---- the balance that ends every step ---- */


inline hand_off() {
    new = next_free - 1;
    if
    :: unfit[new] -> discard(new, false); fired(ROW_EXPIRE)
    :: else -> who = queue[0]; grant(new, who); stop_waiting(who); fired(ROW_HAND_OFF)
    fi
}

inline build_start() {
    from = 0;
    do
    :: from < ALL && queue[from] > 0 && among(bound, queue[from]) -> from++
    :: else -> break
    od;
    assert(from < ALL && queue[from] > 0);
    find_absent();
    state[new] = CREATING; bound[new] = queue[from]; fired(ROW_BUILD_START)
}

inline balance() {
    do
    :: queue[0] > 0 && free_list[0] > 0 -> hand_off()
    :: else -> break
    od;
    if
    :: is_short -> build_start()
    :: else -> skip
    fi;
    if
    :: phase == CLOSING && live == 0 -> phase = CLOSED; fired(ROW_CLOSED)
    :: else -> skip
    fi
}

inline begin(r) { row = r; built = 0; before = live; note_before() }
inline finish() { balance(); check_invariants(); note_after() }

/* ---- clients ---- */

#define acquires(t) (!among(queue, t) && !among(holder, t) && (ROUNDS == 0 || left[t - 1] > 0))

inline count_down(t) {
    if
    :: ROUNDS > 0 -> left[t - 1] = left[t - 1] - 1
    :: else -> skip
    fi
}

/* ---- rows of the pool ---- */

inline resize(n) {
    begin(ROW_RESIZE);
    limit = n;
    do
    :: surplus && free_list[0] > 0 -> new = free_list[0] - 1; discard(new, false)
    :: else -> break
    od;
    skip
}

inline make_unfit(s) {
    if
    :: state[s] != ABSENT -> unfit[s] = true; forget_mark(s)
    :: else -> skip
    fi
}

inline renew() {
    begin(ROW_RENEW);
    discard_all_free();
    make_unfit(0); make_unfit(1); make_unfit(2); make_unfit(3)
}

inline close_pool() {
    begin(ROW_CLOSE);
    phase = CLOSING;
    do
    :: queue[0] > 0 -> who = queue[0]; stop_waiting(who)
    :: else -> break
    od;
    discard_all_free();
    forget_retry()
}

inline forget_everything() {
    phase = OPEN; limit = LIMIT; backing_off = false;
    vanish(0); vanish(1); vanish(2); vanish(3);
    clear(free_list); clear(queue)
}

#define RESIZE_TO(bit, n) ON(RESIZE) && (LIMITS & (1 << bit)) && phase == OPEN && climbs(n)

init {
end:
    do
    :: atomic {
    if
    /* each option is a guard, and what its row does */
    #define S 0
    #include "slot_rows.pml"
    #undef S
#if SLOTS > 1
    #define S 1
    #include "slot_rows.pml"
    #undef S
#endif
#if SLOTS > 2
    #define S 2
    #include "slot_rows.pml"
    #undef S
#endif
#if SLOTS > 3
    #define S 3
    #include "slot_rows.pml"
    #undef S
#endif

    #define T 1
    #include "ticket_rows.pml"
    #undef T
#if CLIENTS > 1
    #define T 2
    #include "ticket_rows.pml"
    #undef T
#endif
#if CLIENTS > 2
    #define T 3
    #include "ticket_rows.pml"
    #undef T
#endif
#if CLIENTS > 3
    #define T 4
    #include "ticket_rows.pml"
    #undef T
#endif

    :: RESIZE_TO(0, 0) -> d_step { resize(0) }
    :: RESIZE_TO(1, 1) -> d_step { resize(1) }
    :: RESIZE_TO(2, 2) -> d_step { resize(2) }
    :: RESIZE_TO(3, 3) -> d_step { resize(3) }
    :: RESIZE_TO(7, UNBOUNDED) -> d_step { resize(UNBOUNDED) }

    :: ON(RENEW) && phase == OPEN -> d_step { renew() }

    :: ON(REFILL) && FACTORY && phase == OPEN && !backing_off && meagre ->
        d_step { begin(ROW_REFILL); find_absent(); state[new] = CREATING }

    :: ON(RETRY) && phase == OPEN && backing_off ->
        d_step { begin(ROW_RETRY); backing_off = false }

    :: ON(ADD) && phase == OPEN && live < limit ->
        d_step { begin(ROW_ADD); find_absent(); become_free(new) }

    /* the object offered is the one that was in the first slot: pooled as long as that slot is live */
    :: ON(ADD) && OFFER_AGAIN && phase == OPEN && live < limit && state[0] == ABSENT ->
        d_step { begin(ROW_ADD); find_absent(); become_free(new) }

    :: ON(CLOSE) && phase == OPEN -> d_step { close_pool() }

    :: ON(FORK) -> d_step { begin(ROW_FORK); forget_everything() }
    fi;
    d_step { finish() }    /* the same for every row */
    }
    od
}
