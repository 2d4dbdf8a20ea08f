/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.c: what happens when an invariant of ours does not hold.
 */
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void
nb_assert_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "nbaspark: internal invariant broken: %s (%s:%d)\n", cond, file, line);
    abort();
}
