/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cancel.h: the wish that a query ends.
 */
#ifndef NB_BASE_CANCEL_H
#define NB_BASE_CANCEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include "base/macros.h"

/* Set by an interrupt; every loop that may take over a millisecond looks at it. */
typedef struct nb_cancel_flag {
    atomic_int requested;
} nb_cancel_flag;

NB_INLINE bool
nb_cancelled(const nb_cancel_flag *c)
{
    return c && atomic_load_explicit((atomic_int *)&c->requested, memory_order_relaxed);
}

#endif
