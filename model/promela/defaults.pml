/* What is not said with -D: an ordinary pool for two clients, every row allowed that its options allow. */

#ifndef CLIENTS
#define CLIENTS 2
#endif
#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef LIMIT
#define LIMIT 2
#endif
#ifndef LIMITS
#define LIMITS 0
#endif
#ifndef MIN_SIZE
#define MIN_SIZE 0
#endif
#ifndef OFFER_AGAIN
#define OFFER_AGAIN 0
#endif
#ifndef LITERAL
#define LITERAL 0
#endif
#ifndef FACTORY
#define FACTORY 1
#endif
#ifndef CHECK
#define CHECK 0
#endif
#ifndef RESET
#define RESET 0
#endif
#ifndef LEASE_RESET
#define LEASE_RESET 0
#endif
#ifndef FIFO
#define FIFO 0
#endif
#ifndef RAISE_EMPTY
#define RAISE_EMPTY 0
#endif
#ifndef MAX_WAITING
#define MAX_WAITING 255
#endif
#ifndef ROUNDS
#define ROUNDS 0
#endif
#ifndef EDGES
#define EDGES 0
#endif

/* ON(row): true unless -DOFF_row */
#define ON(row) !OFF_##row
#ifndef OFF_GRANT_FREE
#define OFF_GRANT_FREE 0
#endif
#ifndef OFF_QUEUE
#define OFF_QUEUE 0
#endif
#ifndef OFF_REFUSE_CLOSED
#define OFF_REFUSE_CLOSED 0
#endif
#ifndef OFF_REFUSE_EMPTY
#define OFF_REFUSE_EMPTY 0
#endif
#ifndef OFF_REFUSE_BUSY
#define OFF_REFUSE_BUSY 0
#endif
#ifndef OFF_REFUSE_TIMEOUT
#define OFF_REFUSE_TIMEOUT 0
#endif
#ifndef OFF_WITHDRAW
#define OFF_WITHDRAW 0
#endif
#ifndef OFF_BUILD_OK
#define OFF_BUILD_OK 0
#endif
#ifndef OFF_BUILD_LATE
#define OFF_BUILD_LATE 0
#endif
#ifndef OFF_BUILD_FAILED
#define OFF_BUILD_FAILED 0
#endif
#ifndef OFF_BUILD_LOST
#define OFF_BUILD_LOST 0
#endif
#ifndef OFF_BUILD_ABANDONED
#define OFF_BUILD_ABANDONED 0
#endif
#ifndef OFF_RELEASE
#define OFF_RELEASE 0
#endif
#ifndef OFF_RELEASE_RESET
#define OFF_RELEASE_RESET 0
#endif
#ifndef OFF_DISCARD
#define OFF_DISCARD 0
#endif
#ifndef OFF_ABANDON
#define OFF_ABANDON 0
#endif
#ifndef OFF_DETACH
#define OFF_DETACH 0
#endif
#ifndef OFF_REVOKE
#define OFF_REVOKE 0
#endif
#ifndef OFF_CHECK_FAILED
#define OFF_CHECK_FAILED 0
#endif
#ifndef OFF_CHECK_REFUSED
#define OFF_CHECK_REFUSED 0
#endif
#ifndef OFF_RESET_OK
#define OFF_RESET_OK 0
#endif
#ifndef OFF_RESET_FAILED
#define OFF_RESET_FAILED 0
#endif
#ifndef OFF_INSPECT
#define OFF_INSPECT 0
#endif
#ifndef OFF_EXPIRE
#define OFF_EXPIRE 0
#endif
#ifndef OFF_SHRINK
#define OFF_SHRINK 0
#endif
#ifndef OFF_ADOPT
#define OFF_ADOPT 0
#endif
#ifndef OFF_ORPHAN
#define OFF_ORPHAN 0
#endif
#ifndef OFF_DESTROYED
#define OFF_DESTROYED 0
#endif
#ifndef OFF_ADD
#define OFF_ADD 0
#endif
#ifndef OFF_REMOVE_FREE
#define OFF_REMOVE_FREE 0
#endif
#ifndef OFF_RETIRE
#define OFF_RETIRE 0
#endif
#ifndef OFF_AGE
#define OFF_AGE 0
#endif
#ifndef OFF_RESIZE
#define OFF_RESIZE 0
#endif
#ifndef OFF_RENEW
#define OFF_RENEW 0
#endif
#ifndef OFF_REFILL
#define OFF_REFILL 0
#endif
#ifndef OFF_RETRY
#define OFF_RETRY 0
#endif
#ifndef OFF_CLOSE
#define OFF_CLOSE 0
#endif
#ifndef OFF_FORK
#define OFF_FORK 0
#endif
