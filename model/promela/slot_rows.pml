/* The rows that move slot S, in the order of the table. Included once for each slot. */

    /* -- builds -- */

    :: ON(BUILD_OK) && state[S] == CREATING && may_be_free(S) ->
        d_step { begin(ROW_BUILD_OK); built = S + 1; become_free(S) }

    :: ON(BUILD_LATE) && state[S] == CREATING && (phase != OPEN || unfit[S] || surplus) ->
        d_step { begin(ROW_BUILD_LATE); discard(S, true) }

    :: ON(BUILD_FAILED) && state[S] == CREATING && bound[S] > 0 ->
        d_step { begin(ROW_BUILD_FAILED); who = bound[S]; stop_waiting(who); vanish(S) }

    :: ON(BUILD_LOST) && state[S] == CREATING && bound[S] == 0 ->
        d_step { begin(ROW_BUILD_LOST); vanish(S); backing_off = true; forget_retry() }

    :: ON(BUILD_ABANDONED) && state[S] == CREATING ->
        d_step { begin(ROW_BUILD_ABANDONED); vanish(S) }

    /* -- the end of a lease -- */

    :: ON(RELEASE) && state[S] == CHECKED_OUT && may_be_free(S) && some_plain ->
        d_step { begin(ROW_RELEASE); become_free(S) }

    :: ON(RELEASE_RESET) && state[S] == CHECKED_OUT && may_be_free(S) && some_reset ->
        d_step { begin(ROW_RELEASE_RESET); become_returning(S, true) }

    :: ON(DISCARD) && state[S] == CHECKED_OUT ->
        d_step { begin(ROW_DISCARD); discard(S, true) }

    /* its end takes work: a reset, or else a destroy */
    :: ON(ABANDON) && state[S] == CHECKED_OUT && may_be_free(S) && some_reset ->
        d_step { begin(ROW_ABANDON); become_returning(S, false) }

    :: ON(ABANDON) && state[S] == CHECKED_OUT && !may_be_free(S) ->
        d_step { begin(ROW_ABANDON); discard(S, false) }

    :: ON(DETACH) && state[S] == CHECKED_OUT ->
        d_step { begin(ROW_DETACH); vanish(S) }

    :: ON(REVOKE) && state[S] == CHECKED_OUT ->
        d_step { begin(ROW_REVOKE); discard(S, true) }

    :: ON(CHECK_FAILED) && CHECK && state[S] == CHECKED_OUT && phase == OPEN && !fresh[S] ->
        d_step { begin(ROW_CHECK_FAILED); prepend(queue, holder[S]); discard(S, true) }

    :: ON(CHECK_REFUSED) && CHECK && state[S] == CHECKED_OUT && (fresh[S] || phase != OPEN) ->
        d_step { begin(ROW_CHECK_REFUSED); discard(S, true) }

    /* -- out of service -- */

    :: ON(RESET_OK) && state[S] == RETURNING && owned[S] && may_be_free(S) ->
        d_step { begin(ROW_RESET_OK); become_free(S) }

    :: ON(RESET_FAILED) && state[S] == RETURNING && owned[S] ->
        d_step { begin(ROW_RESET_FAILED); discard(S, true) }

    :: ON(INSPECT) && CHECK && state[S] == FREE ->
        d_step { begin(ROW_INSPECT); become_returning(S, true) }

    :: ON(EXPIRE) && state[S] == FREE && unfit[S] ->
        d_step { begin(ROW_EXPIRE); discard(S, false) }

    :: ON(SHRINK) && free_list[0] == S + 1 && staying > MIN_SIZE ->
        d_step { begin(ROW_SHRINK); discard(S, false) }

    :: ON(ADOPT) && (state[S] == RETURNING || state[S] == DISCARDED) && !owned[S] ->
        d_step { begin(ROW_ADOPT); owned[S] = true }

    :: ON(ORPHAN) && (state[S] == RETURNING || state[S] == DISCARDED) && owned[S] ->
        d_step { begin(ROW_ORPHAN); discard(S, false) }

    :: ON(DESTROYED) && state[S] == DISCARDED && owned[S] ->
        d_step { begin(ROW_DESTROYED); vanish(S) }

    /* -- leaving -- */

    :: ON(REMOVE_FREE) && state[S] == FREE ->
        d_step { begin(ROW_REMOVE_FREE); discard(S, false) }

    :: ON(RETIRE) && (state[S] == CHECKED_OUT || state[S] == RETURNING) ->
        d_step { begin(ROW_RETIRE); unfit[S] = true }

    :: ON(AGE) && state[S] != ABSENT && state[S] != DISCARDED ->
        d_step { begin(ROW_AGE); unfit[S] = true }
