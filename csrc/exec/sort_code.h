/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort_code.h: values as unsigned integers of the same order, with as few bits as the data needs.
 *
 *     nb_code_range_of (per chunk) → nb_code_range_join → nb_code_finish → nb_code_make
 */
#ifndef NB_EXEC_SORT_CODE_H
#define NB_EXEC_SORT_CODE_H

#include "column/vector.h"
#include "exec/sort_rows.h"

typedef struct nb_code_range {
    bool any, nulls;          /* values / nulls seen */
    uint64_t least, greatest; /* of the full codes; not for strings until finished */
    uint32_t max_len;         /* strings */
    uint32_t n_common;        /* bytes that all strings begin with */
    nb_str sample;            /* one of the strings */
    /* after nb_code_finish: */
    bool exact; /* equal codes mean equal values */
    bool descending, nulls_last;
    int string_bytes; /* bytes of a string that are in the code */
    bool with_length; /* then a byte with its length */
} nb_code_range;

/* What the first n rows of v hold; *out is zeroed before. */
void nb_code_range_of(const nb_vector *v, int64_t n, nb_code_range *out);
void nb_code_range_join(nb_code_range *into, const nb_code_range *from);
/* Returns the bits that a code has, 0 … 64; all codes are below 2^bits. */
int nb_code_finish(nb_code_range *r, bool descending, bool nulls_last);
/* Codes of rows [from, from + n) of v. */
void
nb_code_make(const nb_code_range *r, const nb_vector *v, int64_t from, int64_t n, uint64_t *codes);

/* Codes by which rows that lie behind a bound can be told, whatever values come, nulls included: a smaller code is earlier, an equal one may be.
 * v is of any kind. */
nb_status
nb_code_any(const nb_sort_col *by, const nb_vector *v, int64_t n, nb_arena *arena, uint64_t *codes);
/* Do such codes of the type differ? */
bool nb_code_tells(const nb_type *type);

/* The full code of fixed-width values: order as nb_vector_compare. */
NB_INLINE uint64_t
nb_code_of_int(int64_t v)
{
    return (uint64_t)v ^ ((uint64_t)1 << 63);
}
NB_INLINE uint64_t
nb_code_of_double(double d)
{
    uint64_t u;

    d = d != d ? __builtin_nan("") : d + 0.0;
    memcpy(&u, &d, sizeof(u));
    return u ^ ((uint64_t)((int64_t)u >> 63) | ((uint64_t)1 << 63));
}

#endif
