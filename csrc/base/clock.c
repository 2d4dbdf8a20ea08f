/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.c: the system's clocks.
 */
#include "base/clock.h"

#include <time.h>

int64_t
nb_clock_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
nb_clock_mono_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
