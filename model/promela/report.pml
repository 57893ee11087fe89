/* What a run tells: how often each row fired, and with -DEDGES every edge, as "row before after". */

c_decl {
    extern void note_edge_begins(void);
    extern void note_edge_ends(void);
    extern void note_row(int);
}

c_code {
    static unsigned long counted[64];
    static int told;
    static char text[512];

    static void tell(void) {
        for (int row = 0; row < 64; row++)
            if (counted[row]) printf("row %d %lu\n", row, counted[row]);
    }

    void note_row(int row) {
        if (!told) { told = 1; atexit(tell); }
        counted[row]++;
    }

    static void describe(char *to) {
        to += sprintf(to, "%d/%d/%d", now.phase, now.limit, now.backing_off);
        for (int s = 0; s < SLOTS; s++)
            to += sprintf(to, "/%d%d%d%d%d%d", now.state[s], now.bound[s], now.holder[s], now.unfit[s], now.fresh[s],
                          now.owned[s]);
        to += sprintf(to, "/");
        for (int p = 0; p < SLOTS; p++) to += sprintf(to, "%d", now.free_list[p]);
        to += sprintf(to, "/");
        for (int p = 0; p < CLIENTS; p++) to += sprintf(to, "%d", now.queue[p]);
        to += sprintf(to, "/");
        for (int c = 0; c < CLIENTS; c++) to += sprintf(to, "%d", now.left[c]);
    }

    void note_edge_begins(void) { if (EDGES) describe(text); }

    void note_edge_ends(void) {
        char after[512];
        note_row(row);
        if (EDGES) { describe(after); printf("edge %d %s %s\n", row, text, after); }
    }
}

#define note_before() c_code { note_edge_begins(); }
#define note_after() c_code { note_edge_ends(); }

/* A row inside the balance. */
inline fired(r) { inner = r; c_code { note_row(inner); } }

#define ROW_GRANT_FREE 1
#define ROW_QUEUE 2
#define ROW_REFUSE_CLOSED 3
#define ROW_REFUSE_EMPTY 4
#define ROW_REFUSE_BUSY 5
#define ROW_REFUSE_TIMEOUT 6
#define ROW_WITHDRAW 7
#define ROW_BUILD_OK 8
#define ROW_BUILD_LATE 9
#define ROW_BUILD_FAILED 10
#define ROW_BUILD_LOST 11
#define ROW_BUILD_ABANDONED 12
#define ROW_RELEASE 13
#define ROW_RELEASE_RESET 14
#define ROW_DISCARD 15
#define ROW_ABANDON 16
#define ROW_DETACH 17
#define ROW_REVOKE 18
#define ROW_CHECK_FAILED 19
#define ROW_CHECK_REFUSED 20
#define ROW_RESET_OK 21
#define ROW_RESET_FAILED 22
#define ROW_INSPECT 23
#define ROW_EXPIRE 24
#define ROW_SHRINK 25
#define ROW_ADOPT 26
#define ROW_ORPHAN 27
#define ROW_DESTROYED 28
#define ROW_ADD 29
#define ROW_REMOVE_FREE 30
#define ROW_RETIRE 31
#define ROW_AGE 32
#define ROW_RESIZE 33
#define ROW_RENEW 34
#define ROW_REFILL 35
#define ROW_RETRY 36
#define ROW_CLOSE 37
#define ROW_FORK 38
#define ROW_HAND_OFF 39
#define ROW_BUILD_START 40
#define ROW_CLOSED 41
