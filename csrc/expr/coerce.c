/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coerce.c: which types meet where: Spark's AnsiTypeCoercion and, with ANSI off, TypeCoercion.
 *
 * "tightest" widens without strings and without loss; "common" is what CASE, IN, COALESCE, UNION and array() want: it also turns strings
 * into the other type (ANSI) or the other type into a string (legacy), and finds decimals for both sides. The rules for arithmetic and
 * comparison of decimals are in kernels/operator_types.c.
 */
#include "expr/registry.h"

#define MAX_PRECISION 38

static bool
is_interval(const nb_type *t)
{
    return t->id == NB_TYPE_INTERVAL_YM || t->id == NB_TYPE_INTERVAL_DT;
}

static bool
is_datetime(const nb_type *t)
{
    return t->id == NB_TYPE_DATE || t->id == NB_TYPE_TIMESTAMP || t->id == NB_TYPE_TIMESTAMP_NTZ;
}

static bool
is_fractional(const nb_type *t)
{
    return t->id == NB_TYPE_FLOAT32 || t->id == NB_TYPE_FLOAT64 || t->id == NB_TYPE_DECIMAL;
}

static bool
is_atomic(const nb_type *t)
{
    return t->id >= NB_TYPE_BOOL && t->id <= NB_TYPE_INTERVAL_DT;
}

/* ---- decimals ------------------------------------------------------------------------------------------------------------------------- */

const nb_type *
nb_decimal_for(const nb_type *t)
{
    switch (t->id) {
    case NB_TYPE_INT8: return nb_type_decimal(3, 0);
    case NB_TYPE_INT16: return nb_type_decimal(5, 0);
    case NB_TYPE_INT32: return nb_type_decimal(10, 0);
    case NB_TYPE_INT64: return nb_type_decimal(20, 0);
    case NB_TYPE_FLOAT32: return nb_type_decimal(14, 7);
    case NB_TYPE_FLOAT64: return nb_type_decimal(30, 15);
    case NB_TYPE_DECIMAL: return t;
    default: return NULL;
    }
}

const nb_type *
nb_decimal_adjusted(int precision, int scale, bool keep_scale)
{
    if (keep_scale) { /* spark.sql.decimalOperations.allowPrecisionLoss is false */
        return nb_type_decimal(NB_MIN(precision, MAX_PRECISION), NB_MIN(scale, MAX_PRECISION));
    }
    if (precision > MAX_PRECISION) {
        int int_digits = precision - scale;
        int min_scale = NB_MIN(scale, 6);

        precision = MAX_PRECISION;
        scale = NB_MAX(MAX_PRECISION - int_digits, min_scale);
    }
    return nb_type_decimal(precision, scale);
}

const nb_type *
nb_coerce_decimals(const nb_type *a, const nb_type *b)
{
    const nb_type *x = nb_decimal_for(a), *y = nb_decimal_for(b);
    int scale, range;

    if (x == NULL || y == NULL) {
        return NULL;
    }
    scale = NB_MAX(x->scale, y->scale);
    range = NB_MAX(x->precision - x->scale, y->precision - y->scale);
    if (range + scale > MAX_PRECISION) { /* as in Spark, digits before the point come first */
        scale = MAX_PRECISION - range;
    }
    return nb_type_decimal(range + scale, scale);
}

static bool
decimal_is_wider(const nb_type *decimal, const nb_type *integral)
{
    const nb_type *d = nb_decimal_for(integral);

    return d != NULL && nb_type_is_integral(integral) &&
           decimal->precision - decimal->scale >= d->precision;
}

/* ---- two types --------------------------------------------------------------------------------------------------------------------------- */

typedef const nb_type *(*meet_fn)(const nb_type *a, const nb_type *b, bool ansi);

/* Arrays, maps and structs part by part. */
static const nb_type *
meet_nested(const nb_type *a, const nb_type *b, bool ansi, meet_fn meet)
{
    if (a->id != b->id) {
        return NULL;
    }
    if (a->id == NB_TYPE_ARRAY) {
        const nb_type *e = meet(a->children[0].type, b->children[0].type, ansi);

        return e ? nb_type_array(e, a->contains_null || b->contains_null) : NULL;
    }
    if (a->id == NB_TYPE_MAP) {
        const nb_type *k = meet(a->children[0].type, b->children[0].type, ansi);
        const nb_type *v = meet(a->children[1].type, b->children[1].type, ansi);

        return k && v ? nb_type_map(k, v, a->contains_null || b->contains_null) : NULL;
    }
    if (a->id == NB_TYPE_STRUCT && a->n_children == b->n_children) {
        nb_field fields[64];

        if (a->n_children > (int)NB_COUNT_OF(fields)) {
            return nb_type_same_ignoring_null(a, b) ? nb_type_as_nullable(a) : NULL;
        }
        for (int i = 0; i < a->n_children; i++) {
            fields[i] = a->children[i];
            if (!nb_str_equal_nocase(a->children[i].name, b->children[i].name)) {
                return NULL;
            }
            fields[i].type = meet(a->children[i].type, b->children[i].type, ansi);
            fields[i].nullable |= b->children[i].nullable;
            if (fields[i].type == NULL) {
                return NULL;
            }
        }
        return nb_type_struct(fields, a->n_children);
    }
    return NULL;
}

static const nb_type *
tightest_atomic(const nb_type *a, const nb_type *b, bool ansi)
{
    if (a == b) {
        return a;
    }
    if (a->id == NB_TYPE_NULL) {
        return b;
    }
    if (b->id == NB_TYPE_NULL) {
        return a;
    }
    if (nb_type_is_string(a) && nb_type_is_string(b)) {
        return nb_type_of(NB_TYPE_STRING);
    }
    if (a->id == NB_TYPE_DECIMAL && nb_type_is_integral(b) && decimal_is_wider(a, b)) {
        return a;
    }
    if (b->id == NB_TYPE_DECIMAL && nb_type_is_integral(a) && decimal_is_wider(b, a)) {
        return b;
    }
    if (nb_type_is_numeric(a) && nb_type_is_numeric(b) && a->id != NB_TYPE_DECIMAL &&
        b->id != NB_TYPE_DECIMAL) {
        const nb_type *wider = a->id > b->id ? a : b;

        /* a bigint does not fit into a float */
        return ansi && wider->id == NB_TYPE_FLOAT32 ? nb_type_of(NB_TYPE_FLOAT64) : wider;
    }
    if (is_datetime(a) && is_datetime(b)) {
        return nb_type_of(a->id == NB_TYPE_TIMESTAMP || b->id == NB_TYPE_TIMESTAMP
                              ? NB_TYPE_TIMESTAMP
                              : NB_TYPE_TIMESTAMP_NTZ);
    }
    if (a->id == b->id && a->id == NB_TYPE_INTERVAL_YM) {
        return nb_type_interval_ym(NB_MIN(a->start_field, b->start_field),
                                   NB_MAX(a->end_field, b->end_field));
    }
    if (a->id == b->id && a->id == NB_TYPE_INTERVAL_DT) {
        return nb_type_interval_dt(NB_MIN(a->start_field, b->start_field),
                                   NB_MAX(a->end_field, b->end_field));
    }
    return NULL;
}

const nb_type *
nb_coerce_tightest(const nb_type *a, const nb_type *b, bool ansi)
{
    const nb_type *t = tightest_atomic(a, b, ansi);

    return t ? t : meet_nested(a, b, ansi, nb_coerce_tightest);
}

static const nb_type *
with_string(const nb_type *s, const nb_type *other, bool ansi)
{
    if (ansi) {
        if (nb_type_is_integral(other)) {
            return nb_type_of(NB_TYPE_INT64);
        }
        if (is_fractional(other)) {
            return nb_type_of(NB_TYPE_FLOAT64);
        }
        return is_atomic(other) && !is_interval(other) ? other : NULL;
    }
    return is_atomic(other) && other->id != NB_TYPE_BINARY && other->id != NB_TYPE_BOOL ? s : NULL;
}

const nb_type *
nb_coerce_common(const nb_type *a, const nb_type *b, bool ansi)
{
    const nb_type *t = tightest_atomic(a, b, ansi);

    if (t != NULL) {
        return t;
    }
    if ((a->id == NB_TYPE_DECIMAL || b->id == NB_TYPE_DECIMAL) && nb_type_is_numeric(a) &&
        nb_type_is_numeric(b)) {
        const nb_type *other = a->id == NB_TYPE_DECIMAL ? b : a;

        return other->id == NB_TYPE_FLOAT32 || other->id == NB_TYPE_FLOAT64
                   ? nb_type_of(NB_TYPE_FLOAT64)
                   : nb_coerce_decimals(a, b);
    }
    if (nb_type_is_string(a)) {
        return with_string(nb_type_of(NB_TYPE_STRING), b, ansi);
    }
    if (nb_type_is_string(b)) {
        return with_string(nb_type_of(NB_TYPE_STRING), a, ansi);
    }
    return meet_nested(a, b, ansi, nb_coerce_common);
}

/* ---- casts that are allowed -------------------------------------------------------------------------------------------------------------- */

static bool
can_cast_nested(const nb_type *from, const nb_type *to, bool ansi,
                bool (*can)(const nb_type *, const nb_type *, bool))
{
    if (from->id != to->id) {
        return false;
    }
    if (from->id == NB_TYPE_ARRAY) {
        return can(from->children[0].type, to->children[0].type, ansi);
    }
    if (from->id == NB_TYPE_MAP) {
        return can(from->children[0].type, to->children[0].type, ansi) &&
               can(from->children[1].type, to->children[1].type, ansi);
    }
    if (from->id != NB_TYPE_STRUCT || from->n_children != to->n_children) {
        return false;
    }
    for (int i = 0; i < from->n_children; i++) {
        if (!can(from->children[i].type, to->children[i].type, ansi)) {
            return false;
        }
    }
    return true;
}

bool
nb_can_cast(const nb_type *from, const nb_type *to, bool ansi)
{
    if (from == to || from->id == NB_TYPE_NULL || nb_type_same_ignoring_null(from, to)) {
        return true;
    }
    if (from->id == NB_TYPE_UDT) {
        return nb_type_is_string(to);
    }
    if (nb_type_is_string(to)) {
        return true;
    }
    switch (to->id) {
    case NB_TYPE_BINARY: return nb_type_is_string(from) || (nb_type_is_integral(from) && !ansi);
    case NB_TYPE_BOOL:
        return nb_type_is_string(from) || nb_type_is_numeric(from) ||
               (!ansi && (from->id == NB_TYPE_DATE || from->id == NB_TYPE_TIMESTAMP));
    case NB_TYPE_INT8:
    case NB_TYPE_INT16:
    case NB_TYPE_INT32:
    case NB_TYPE_INT64:
        return nb_type_is_string(from) || nb_type_is_numeric(from) || from->id == NB_TYPE_BOOL ||
               from->id == NB_TYPE_TIMESTAMP || is_interval(from) ||
               (!ansi && from->id == NB_TYPE_DATE);
    case NB_TYPE_DECIMAL:
        return nb_type_is_string(from) || nb_type_is_numeric(from) || from->id == NB_TYPE_BOOL ||
               from->id == NB_TYPE_TIMESTAMP || is_interval(from) ||
               (!ansi && from->id == NB_TYPE_DATE);
    case NB_TYPE_FLOAT32:
    case NB_TYPE_FLOAT64:
        return nb_type_is_string(from) || nb_type_is_numeric(from) || from->id == NB_TYPE_BOOL ||
               from->id == NB_TYPE_TIMESTAMP || (!ansi && from->id == NB_TYPE_DATE);
    case NB_TYPE_DATE: return nb_type_is_string(from) || is_datetime(from);
    case NB_TYPE_TIMESTAMP:
        return nb_type_is_string(from) || is_datetime(from) || nb_type_is_numeric(from) ||
               (!ansi && from->id == NB_TYPE_BOOL);
    case NB_TYPE_TIMESTAMP_NTZ: return nb_type_is_string(from) || is_datetime(from);
    case NB_TYPE_TIME:
        return nb_type_is_string(from) || from->id == NB_TYPE_TIME ||
               from->id == NB_TYPE_TIMESTAMP_NTZ;
    case NB_TYPE_INTERVAL_YM:
    case NB_TYPE_INTERVAL_DT:
        return nb_type_is_string(from) || from->id == to->id || nb_type_is_integral(from) ||
               from->id == NB_TYPE_DECIMAL;
    case NB_TYPE_INTERVAL: return nb_type_is_string(from);
    default: return can_cast_nested(from, to, ansi, nb_can_cast);
    }
}

bool
nb_can_implicit_cast(const nb_type *from, const nb_type *to, bool ansi)
{
    if (from == to || from->id == NB_TYPE_NULL || nb_type_same_ignoring_null(from, to)) {
        return true;
    }
    if (nb_type_is_numeric(from) && nb_type_is_numeric(to)) {
        return true;
    }
    if (is_datetime(from) && is_datetime(to)) {
        return true;
    }
    if (nb_type_is_string(from) && nb_type_is_string(to)) {
        return true;
    }
    if (nb_type_is_string(from)) {
        return ansi ? is_atomic(to) && !is_interval(to)
                    : nb_type_is_numeric(to) || is_datetime(to) || to->id == NB_TYPE_BINARY;
    }
    if (nb_type_is_string(to)) {
        return is_atomic(from) || from->id == NB_TYPE_INTERVAL;
    }
    if (from->id == to->id && is_interval(from)) {
        return true;
    }
    return can_cast_nested(from, to, ansi, nb_can_implicit_cast);
}

/* ---- storing -------------------------------------------------------------------------------------------------------------------------- */

bool
nb_can_store(const nb_type *from, const nb_type *to)
{
    if (from->id == NB_TYPE_NULL || nb_type_same_ignoring_null(from, to)) {
        return true;
    }
    if (from->id == NB_TYPE_ARRAY || from->id == NB_TYPE_MAP || from->id == NB_TYPE_STRUCT) {
        if (from->id != to->id || from->n_children != to->n_children) {
            return false;
        }
        for (int i = 0; i < from->n_children; i++) {
            if (!nb_can_store(from->children[i].type, to->children[i].type)) {
                return false;
            }
        }
        return true;
    }
    return (nb_type_is_numeric(from) && nb_type_is_numeric(to)) ||
           (is_datetime(from) && is_datetime(to)) || (is_interval(from) && from->id == to->id) ||
           (nb_type_is_string(to) && (is_atomic(from) || from->id == NB_TYPE_INTERVAL));
}
