/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value_codec.h: values as bytes: nested keys of hash tables, and rows that are spilled.
 *
 * Equal values (nb_vector_compare) have equal bytes: -0.0 is written as 0.0, every NaN as the same one. The bytes are only read
 * again by this process.
 */
#ifndef NB_EXEC_VALUE_CODEC_H
#define NB_EXEC_VALUE_CODEC_H

#include "base/str.h"
#include "column/vector.h"

/* Appends row `row` of v. Failure is sticky in out->failed. */
void nb_value_encode(const nb_vector *v, int64_t row, nb_strbuf *out);

/* n values, each at cursors[i] (moved behind the value), as a FLAT vector in the arena that points nowhere else. */
nb_status nb_value_decode(nb_arena *arena, const nb_type *type, const char **cursors, int64_t n,
                          nb_vector *out);

#endif
