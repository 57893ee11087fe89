/* The rows that begin or give up a ticket, of client T. A client's ticket has the number of the client: it has only
   one at a time, waiting or granted. Included once for each client. */

    :: ON(GRANT_FREE) && acquires(T) && phase == OPEN && waiting == 0 && is_free > 0 &&
                !unfit[next_free - 1] ->
        d_step { begin(ROW_GRANT_FREE); count_down(T); new = next_free - 1; grant(new, T) }

    :: ON(QUEUE) && acquires(T) && phase == OPEN && none_fit_free && room_to_wait && not_empty ->
        d_step { begin(ROW_QUEUE); count_down(T); append(queue, T) }

    :: ON(REFUSE_CLOSED) && acquires(T) && phase != OPEN ->
        d_step { begin(ROW_REFUSE_CLOSED); count_down(T) }

    :: ON(REFUSE_EMPTY) && acquires(T) && phase == OPEN && nothing_to_come ->
        d_step { begin(ROW_REFUSE_EMPTY); count_down(T) }

    :: ON(REFUSE_BUSY) && acquires(T) && phase == OPEN && none_fit_free && !room_to_wait && not_empty ->
        d_step { begin(ROW_REFUSE_BUSY); count_down(T) }

    :: ON(REFUSE_TIMEOUT) && acquires(T) && phase == OPEN && none_fit_free && cannot_build && not_empty &&
                room_to_wait ->
        d_step { begin(ROW_REFUSE_TIMEOUT); count_down(T) }

    :: ON(WITHDRAW) && among(queue, T) ->
        d_step { begin(ROW_WITHDRAW); stop_waiting(T) }
