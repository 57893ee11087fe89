/* Lists are arrays without gaps: 0 stands behind the last entry. These are macros because an inline takes no array. */

#define drop(list, value) \
    it = 0; kept = 0; \
    do \
    :: it < ALL -> \
        if \
        :: list[it] != value -> list[kept] = list[it]; kept++ \
        :: else -> skip \
        fi; \
        it++ \
    :: else -> break \
    od; \
    do \
    :: kept < ALL -> list[kept] = 0; kept++ \
    :: else -> break \
    od; \
    skip

#define append(list, value) \
    it = 0; \
    do \
    :: it < ALL && list[it] > 0 -> it++ \
    :: else -> break \
    od; \
    assert(it < ALL); \
    list[it] = value

#define prepend(list, value) \
    assert(list[ALL - 1] == 0); \
    it = ALL - 1; \
    do \
    :: it > 0 -> list[it] = list[it - 1]; it-- \
    :: else -> break \
    od; \
    list[0] = value

#define clear(list) list[0] = 0; list[1] = 0; list[2] = 0; list[3] = 0

#define among(list, value) (list[0] == (value) || list[1] == (value) || list[2] == (value) || list[3] == (value))
