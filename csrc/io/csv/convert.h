/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert.h: cells of one column into a vector.
 *
 * Digits are read eight at a time; everything that is not plain takes the general parsers of expr/. A value that does not parse becomes null
 * and its row is marked bad, as in Spark: what that means is decided by the mode of the reader.
 */
#ifndef NB_IO_CSV_CONVERT_H
#define NB_IO_CSV_CONVERT_H

#include "expr/expr.h"
#include "io/csv/tokenizer.h"

struct nb_csv_formats; /* compiled date and timestamp patterns */

typedef struct nb_csv_column nb_csv_column;

typedef nb_status (*nb_csv_convert_fn)(const nb_csv_column *col, const nb_csv_cell *cells,
                                       int64_t n, const char *base, const char *side,
                                       nb_arena *arena, nb_vector *out, uint64_t *bad);

struct nb_csv_column {
    const nb_type *type;
    const nb_csv_options *o;
    const nb_session_info *info; /* zone for timestamps */
    const struct nb_csv_formats *formats;
    nb_csv_convert_fn convert;
    nb_str
        refused; /* a pattern that fails the query with the first value that needs it; data NULL = none */
};

bool nb_csv_supports(const nb_type *type);
/* Prepares a column; all pointers are borrowed. */
void nb_csv_column_init(nb_csv_column *col, const nb_type *type, const nb_csv_options *o,
                        const nb_session_info *info, const struct nb_csv_formats *formats);
/* Raises if a cell needs the pattern that is refused. */
nb_status nb_csv_refuse(const nb_csv_column *col, const nb_csv_cell *cells, int64_t n,
                        const char *base, const char *side, nb_arena *arena, nb_error *err);
/* n cells into a vector in the arena. Strings point at base and side, which must stay. Bits of bad[] are set, never cleared.
 * 8 bytes behind every cell are readable. */
NB_INLINE nb_status
nb_csv_convert(const nb_csv_column *col, const nb_csv_cell *cells, int64_t n, const char *base,
               const char *side, nb_arena *arena, nb_vector *out, uint64_t *bad, nb_error *err)
{
    if (NB_UNLIKELY(col->refused.data != NULL)) {
        NB_TRY(nb_csv_refuse(col, cells, n, base, side, arena, err));
    }
    return col->convert(col, cells, n, base, side, arena, out, bad);
}

/* One value of each kind, as Spark's converters read it; for inference. */
bool nb_csv_parse_int32(const char *p, size_t n, int32_t *out);
bool nb_csv_parse_int64(const char *p, size_t n, int64_t *out);
bool nb_csv_parse_double(const char *p, size_t n, double *out);
bool nb_csv_parse_bool(const char *p, size_t n, bool *out);

#endif
