/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert.c: see convert.h.
 *
 * What Spark's vectorised reader allows: integers to wider integers, double and decimals that hold all of them; a stored INT32 to tinyint and smallint (cut); float to
 * double; dates to timestamp_ntz; decimals to decimals with at least as many digits on both sides of the point. Types of one layout are read as each other.
 */
#include "io/parquet/convert.h"

/* Digits before the point that a column's values may have; -1: not a number of this kind. */
static int
whole_digits(const nb_pq_column *c)
{
    if (c->type->id == NB_TYPE_DECIMAL) {
        return c->type->precision - c->type->scale;
    }
    switch (c->type->id) {
    case NB_TYPE_INT8:
    case NB_TYPE_INT16:
    case NB_TYPE_INT32: return 10;
    case NB_TYPE_INT64: return c->physical == NB_PQ_INT32 ? 10 : 20;
    default: return -1;
    }
}

static bool
is_stored_int32(const nb_pq_column *c)
{
    return c->physical == NB_PQ_INT32 && !c->is_unsigned && nb_type_is_integral(c->type);
}

static bool
same_layout(const nb_type *a, const nb_type *b)
{
    return nb_type_storage(a)->phys == nb_type_storage(b)->phys && a->id != NB_TYPE_DECIMAL &&
           b->id != NB_TYPE_DECIMAL;
}

bool
nb_pq_can_convert(const nb_pq_column *c, const nb_type *want)
{
    const nb_type *have = c->type;
    int digits;

    if (have == want || same_layout(have, want)) {
        return true;
    }
    switch (want->id) {
    case NB_TYPE_INT8:
    case NB_TYPE_INT16: return is_stored_int32(c);
    case NB_TYPE_INT32:
    case NB_TYPE_INT64: return nb_type_is_integral(have) && have->id < want->id;
    case NB_TYPE_FLOAT64:
        return have->id == NB_TYPE_FLOAT32 ||
               (nb_type_is_integral(have) && c->physical == NB_PQ_INT32);
    case NB_TYPE_TIMESTAMP_NTZ: return have->id == NB_TYPE_DATE;
    case NB_TYPE_NULL: return true;
    case NB_TYPE_DECIMAL:
        digits = whole_digits(c);
        return digits >= 0 && want->precision - want->scale >= digits &&
               (have->id != NB_TYPE_DECIMAL || want->scale >= have->scale);
    default: return false;
    }
}

static nb_int128
integer_at(const nb_vector *v, int64_t i)
{
    switch (v->type->phys) {
    case NB_PHYS_INT8: return NB_DATA(int8_t, v)[i];
    case NB_PHYS_INT16: return NB_DATA(int16_t, v)[i];
    case NB_PHYS_INT32: return NB_DATA(int32_t, v)[i];
    case NB_PHYS_INT64: return NB_DATA(int64_t, v)[i];
    default: return NB_DATA(nb_int128, v)[i];
    }
}

#define DAY_US INT64_C(86400000000)

/* Rows that are null hold anything: sums and products of them may wrap. */
static void
convert_row(const nb_vector *v, int64_t i, nb_int128 unit, nb_vector *out)
{
    nb_int128 x = v->type->phys == NB_PHYS_FLOAT ? 0 : integer_at(v, i);

    switch (out->type->phys) {
    case NB_PHYS_INT8: NB_DATA(int8_t, out)[i] = (int8_t)x; break;
    case NB_PHYS_INT16: NB_DATA(int16_t, out)[i] = (int16_t)x; break;
    case NB_PHYS_INT32: NB_DATA(int32_t, out)[i] = (int32_t)x; break;
    case NB_PHYS_DOUBLE:
        NB_DATA(double, out)
        [i] = v->type->phys == NB_PHYS_FLOAT ? (double)NB_DATA(float, v)[i] : (double)(int64_t)x;
        break;
    case NB_PHYS_INT64:
        NB_DATA(int64_t, out)[i] = (int64_t)((nb_uint128)x * (nb_uint128)unit);
        break;
    default: NB_DATA(nb_int128, out)[i] = (nb_int128)((nb_uint128)x * (nb_uint128)unit); break;
    }
}

nb_status
nb_pq_convert(nb_arena *arena, const nb_pq_column *c, const nb_vector *v, const nb_type *want,
              nb_vector *out)
{
    nb_vector flat, made;
    nb_int128 unit = 1;

    if (want->id == NB_TYPE_NULL) {
        return nb_vector_const_null(arena, want, v->n_rows, out);
    }
    if (c->type == want || same_layout(c->type, want)) {
        *out = *v;
        out->type = want;
        return NB_OK;
    }
    NB_TRY(nb_vector_flatten(arena, v, &flat));
    NB_TRY(nb_vector_alloc(arena, want, flat.n_rows, &made));
    made.validity = flat.validity;
    if (want->id == NB_TYPE_DECIMAL) {
        int from = c->type->id == NB_TYPE_DECIMAL ? c->type->scale : 0;
        for (int k = from; k < want->scale; k++) {
            unit *= 10;
        }
    } else if (want->id == NB_TYPE_TIMESTAMP_NTZ) {
        unit = DAY_US;
    }
    for (int64_t i = 0; i < flat.n_rows; i++) {
        convert_row(&flat, i, unit, &made);
    }
    *out = made;
    return NB_OK;
}

nb_status
nb_pq_type_mismatch(nb_arena *arena, const char *path, nb_str column, nb_str stored,
                    const nb_type *want, nb_error *err)
{
    const char *name = nb_arena_printf(arena, "[%.*s]", (int)NB_MIN(column.len, 200), column.data);
    const char *type = nb_type_catalog_string(arena, want);
    const char *brace = memchr(stored.data, ' ', stored.len); /* the physical type only */
    const char *actual = nb_arena_strdup(
        arena, brace ? (nb_str){stored.data, (size_t)(brace - stored.data)} : stored);

    if (!name || !type || !actual) {
        return NB_NOMEM;
    }
    return nb_raise(err, NB_COND_PARQUET_COLUMN_DATA_TYPE_MISMATCH, "path", path, "column", name,
                    "expectedType", type, "actualType", actual, NULL);
}
