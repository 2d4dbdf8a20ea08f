/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h: what time it is, and how long things took.
 */
#ifndef NB_BASE_CLOCK_H
#define NB_BASE_CLOCK_H

#include <stdint.h>

int64_t nb_clock_us(void);      /* wall clock, µs since 1970-01-01 UTC */
int64_t nb_clock_mono_ns(void); /* never goes back; for durations only */

#endif
