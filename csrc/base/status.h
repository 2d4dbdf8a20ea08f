/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.h: the one way in which a function says how it went.
 *
 * A status >= 0 leaves the nb_error argument alone. NB_NOMEM and NB_CANCELLED may come without a filled error:
 * the layer that talks to the user turns them into OUT_OF_MEMORY and OPERATION_CANCELED.
 */
#ifndef NB_BASE_STATUS_H
#define NB_BASE_STATUS_H

#include "base/macros.h"

typedef enum nb_status {
    NB_DONE = 1, /* no more batches; not a failure */
    NB_OK = 0,
    NB_ERROR = -1,     /* the query failed; *err says why */
    NB_NOMEM = -2,     /* the budget refused; the caller may spill and try again */
    NB_CANCELLED = -3, /* somebody asked us to stop; nothing to report */
} nb_status;

/* Returns from the calling function when expr failed; for functions that hold nothing. */
#define NB_TRY(expr)                           \
    do {                                       \
        nb_status nb_try_status_ = (expr);     \
        if (NB_UNLIKELY(nb_try_status_ < 0)) { \
            return nb_try_status_;             \
        }                                      \
    } while (0)

/* Sets st and jumps to label when expr failed. */
#define NB_TRY_GOTO(st, expr, label) \
    do {                             \
        (st) = (expr);               \
        if (NB_UNLIKELY((st) < 0)) { \
            goto label;              \
        }                            \
    } while (0)

/* A broken invariant of ours; user input never reaches one. */
#define NB_ASSERT(cond) (NB_LIKELY(cond) ? (void)0 : nb_assert_failed(#cond, __FILE__, __LINE__))

_Noreturn void nb_assert_failed(const char *cond, const char *file, int line);

#endif
