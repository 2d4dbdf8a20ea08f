/* SPDX-License-Identifier: Apache-2.0 */
/*
 * local_time.h: instants and wall-clock time in the session's time zone.
 */
#ifndef NB_EXPR_LOCAL_TIME_H
#define NB_EXPR_LOCAL_TIME_H

#include "expr/expr.h"

/* µs since the epoch, UTC, to µs of local time; info NULL means UTC. */
int64_t nb_local_from_utc(const nb_session_info *info, int64_t utc_us);
/* The reverse. A local time that a clock change skipped is read with the offset before it, one that occurs twice is the first. */
int64_t nb_utc_from_local(const nb_session_info *info, int64_t local_us);

/* Spark's stringToTimestamp: text with or without a zone; a time without a date is of today. False when malformed. */
bool nb_parse_timestamp(const nb_session_info *info, nb_str s, int64_t *utc_us);
/* Without a zone: a zone in the text is dropped, a date is needed. */
bool nb_parse_timestamp_ntz(nb_str s, int64_t *local_us);

#endif
