/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector_compare.c: Spark's total order over two single rows.
 *
 * For operators that need an answer about a few rows (merge of runs, hash table collisions of nested keys, tests). Sort and
 * joins on plain keys have normalised keys and typed loops of their own.
 */
#include "column/vector.h"

#define THREE_WAY(a, b) (((a) > (b)) - ((a) < (b)))

/* NaN equals NaN and is greatest; -0.0 equals 0.0 because == says so. */
static int
compare_double(double a, double b)
{
    bool an = a != a, bn = b != b;

    return an || bn ? (int)an - (int)bn : THREE_WAY(a, b);
}

static int
compare_interval(const nb_interval *a, const nb_interval *b)
{
    if (a->months != b->months) {
        return THREE_WAY(a->months, b->months);
    }
    return a->days != b->days ? THREE_WAY(a->days, b->days) : THREE_WAY(a->us, b->us);
}

/* Element by element; of maps key before value. */
static int
compare_lists(const nb_vector *a, nb_list x, const nb_vector *b, nb_list y)
{
    uint32_t n = NB_MIN(x.len, y.len);

    for (uint32_t k = 0; k < n; k++) {
        for (int c = 0; c < a->n_children; c++) {
            int r = nb_vector_compare(&a->children[c], (int64_t)x.offset + k, &b->children[c],
                                      (int64_t)y.offset + k);
            if (r != 0) {
                return r;
            }
        }
    }
    return THREE_WAY(x.len, y.len);
}

int
nb_vector_compare(const nb_vector *a, int64_t i, const nb_vector *b, int64_t j)
{
    bool a_null = nb_vector_is_null(a, i), b_null = nb_vector_is_null(b, j);

    if (a_null || b_null) {
        return (int)b_null - (int)a_null;
    }
    i = nb_vector_slot(a, i);
    j = nb_vector_slot(b, j);
    a = a->kind == NB_VEC_DICT ? a->dict : a;
    b = b->kind == NB_VEC_DICT ? b->dict : b;
    switch (nb_type_storage(a->type)->phys) {
    case NB_PHYS_BOOL: return THREE_WAY(NB_DATA(uint8_t, a)[i], NB_DATA(uint8_t, b)[j]);
    case NB_PHYS_INT8: return THREE_WAY(NB_DATA(int8_t, a)[i], NB_DATA(int8_t, b)[j]);
    case NB_PHYS_INT16: return THREE_WAY(NB_DATA(int16_t, a)[i], NB_DATA(int16_t, b)[j]);
    case NB_PHYS_INT32: return THREE_WAY(NB_DATA(int32_t, a)[i], NB_DATA(int32_t, b)[j]);
    case NB_PHYS_INT64: return THREE_WAY(NB_DATA(int64_t, a)[i], NB_DATA(int64_t, b)[j]);
    case NB_PHYS_INT128: return THREE_WAY(NB_DATA(nb_int128, a)[i], NB_DATA(nb_int128, b)[j]);
    case NB_PHYS_FLOAT: return compare_double(NB_DATA(float, a)[i], NB_DATA(float, b)[j]);
    case NB_PHYS_DOUBLE: return compare_double(NB_DATA(double, a)[i], NB_DATA(double, b)[j]);
    case NB_PHYS_STRING: return nb_view_compare(&NB_DATA(nb_view, a)[i], &NB_DATA(nb_view, b)[j]);
    case NB_PHYS_INTERVAL:
        return compare_interval(&NB_DATA(nb_interval, a)[i], &NB_DATA(nb_interval, b)[j]);
    case NB_PHYS_LIST: return compare_lists(a, NB_DATA(nb_list, a)[i], b, NB_DATA(nb_list, b)[j]);
    case NB_PHYS_STRUCT:
        for (int c = 0; c < a->n_children; c++) {
            int r = nb_vector_compare(&a->children[c], i, &b->children[c], j);
            if (r != 0) {
                return r;
            }
        }
        return 0;
    case NB_PHYS_NONE: break;
    }
    return 0;
}
