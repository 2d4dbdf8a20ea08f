/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prune.c: see prune.h.
 *
 * Bounds of floating-point columns leave NaN out, which Spark holds to be greater than all else: they can exclude that a value is less than or equal to
 * another, never that it is greater. A bound that is NaN says nothing. -0.0 and 0.0 are one value, in bounds as well.
 */
#include "io/parquet/prune.h"

#include <math.h>

#include "base/hash.h"
#include "expr/registry.h"

static const char *const OPS[] = {"<", "<=", ">", ">=", "="};

nb_pq_test
nb_pq_test_of(const nb_expr *e)
{
    static const nb_pq_test_op TURNED[] = {NB_PQ_GT, NB_PQ_GE, NB_PQ_LT, NB_PQ_LE, NB_PQ_EQ};
    nb_pq_test t = {.kind = NB_PQ_NO_TEST};
    const nb_expr *column, *literal;
    const nb_vector *v;
    bool turned;
    size_t op = 0;

    if (e->kind != NB_EXPR_CALL || e->n_args != 2) {
        return t;
    }
    turned = e->args[0]->kind == NB_EXPR_LITERAL;
    column = e->args[turned];
    literal = e->args[!turned];
    if (column->kind != NB_EXPR_COLUMN || literal->kind != NB_EXPR_LITERAL ||
        column->type != literal->type || nb_vector_is_null(literal->u.literal.value, 0)) {
        return t;
    }
    while (op < NB_COUNT_OF(OPS) && e->u.call.fn != nb_function_find(nb_str_of(OPS[op]))) {
        op++;
    }
    if (op == NB_COUNT_OF(OPS)) {
        return t;
    }
    v = literal->u.literal.value;
    t.op = turned ? TURNED[op] : (nb_pq_test_op)op;
    switch (column->type->phys) {
    case NB_PHYS_INT8:
        t.kind = NB_PQ_TEST_INT;
        t.whole = NB_DATA(int8_t, v)[0];
        break;
    case NB_PHYS_INT16:
        t.kind = NB_PQ_TEST_INT;
        t.whole = NB_DATA(int16_t, v)[0];
        break;
    case NB_PHYS_INT32:
        t.kind = NB_PQ_TEST_INT;
        t.whole = NB_DATA(int32_t, v)[0];
        break;
    case NB_PHYS_INT64:
        t.kind = NB_PQ_TEST_INT;
        t.whole = NB_DATA(int64_t, v)[0];
        break;
    case NB_PHYS_INT128:
        t.kind = NB_PQ_TEST_INT;
        t.whole = NB_DATA(nb_int128, v)[0];
        break;
    case NB_PHYS_FLOAT:
        t.kind = NB_PQ_TEST_REAL;
        t.real = (double)NB_DATA(float, v)[0];
        break;
    case NB_PHYS_DOUBLE:
        t.kind = NB_PQ_TEST_REAL;
        t.real = NB_DATA(double, v)[0];
        break;
    case NB_PHYS_STRING:
        t.kind = NB_PQ_TEST_TEXT;
        t.text = nb_view_str(&NB_DATA(nb_view, v)[0]);
        break;
    default: break;
    }
    if (t.kind == NB_PQ_TEST_REAL && isnan(t.real)) {
        t.kind = NB_PQ_NO_TEST;
    }
    return t;
}

/* Given how bounds compare to the value: is it so that none passes? */
static bool
excludes(nb_pq_test_op op, int low_to_value, int high_to_value)
{
    switch (op) {
    case NB_PQ_LT: return low_to_value >= 0;
    case NB_PQ_LE: return low_to_value > 0;
    case NB_PQ_GT: return high_to_value <= 0;
    case NB_PQ_GE: return high_to_value < 0;
    default: return low_to_value > 0 || high_to_value < 0;
    }
}

static bool
load_int(const nb_pq_column *c, nb_str s, nb_int128 *out)
{
    int32_t narrow;
    int64_t wide;

    if (c->physical == NB_PQ_FIXED) {
        return nb_pq_fixed_decimal(c, s, out);
    }
    if (s.len == 4) {
        memcpy(&narrow, s.data, 4);
        *out = narrow;
    } else if (s.len == 8) {
        memcpy(&wide, s.data, 8);
        *out = wide;
    }
    return s.len == 4 || s.len == 8;
}

static bool
load_real(nb_str s, double *out)
{
    float narrow;

    if (s.len == 4) {
        memcpy(&narrow, s.data, 4);
        *out = (double)narrow;
    } else if (s.len == 8) {
        memcpy(out, s.data, 8);
    }
    return (s.len == 4 || s.len == 8) && !isnan(*out);
}

/* Are the column's values stored as the test has its own? */
static bool
goes_with(const nb_pq_test *t, const nb_pq_column *c)
{
    switch (c->is_legacy ? NB_PQ_NO_TEST : t->kind) {
    case NB_PQ_TEST_INT:
        return (c->physical == NB_PQ_INT32 || c->physical == NB_PQ_INT64 ||
                c->physical == NB_PQ_FIXED) &&
               !c->is_unsigned && c->unit_per_us == 1;
    case NB_PQ_TEST_REAL: return c->physical == NB_PQ_FLOAT || c->physical == NB_PQ_DOUBLE;
    case NB_PQ_TEST_TEXT: return c->physical == NB_PQ_BYTE_ARRAY;
    default: return false;
    }
}

bool
nb_pq_test_excludes(const nb_pq_test *t, const nb_pq_column *c, nb_str low, nb_str high)
{
    nb_int128 a, b;
    double x, y;

    if (!low.data || !high.data || !goes_with(t, c)) {
        return false;
    }
    switch (t->kind) {
    case NB_PQ_TEST_INT:
        return load_int(c, low, &a) && load_int(c, high, &b) && a <= b &&
               excludes(t->op, (a > t->whole) - (a < t->whole), (b > t->whole) - (b < t->whole));
    case NB_PQ_TEST_REAL:
        return t->op != NB_PQ_GT && t->op != NB_PQ_GE && load_real(low, &x) &&
               load_real(high, &y) && x <= y &&
               excludes(t->op, (x > t->real) - (x < t->real), (y > t->real) - (y < t->real));
    default: return excludes(t->op, nb_str_compare(low, t->text), nb_str_compare(high, t->text));
    }
}

/* The value as a page has it, in out; how many bytes, 0: the column cannot have it. */
static size_t
stored_int(const nb_pq_column *c, nb_int128 v, uint8_t out[16])
{
    nb_int128 back;

    if (c->physical != NB_PQ_FIXED) {
        memcpy(out, &v, 8); /* the low bytes come first */
        return c->physical == NB_PQ_INT32 ? (v == (int32_t)v ? 4 : 0) : v == (int64_t)v ? 8 : 0;
    }
    if (c->width > 16) {
        return 0;
    }
    for (int i = 0; i < c->width; i++) {
        out[c->width - 1 - i] = (uint8_t)((nb_uint128)v >> (8 * i));
    }
    return nb_pq_fixed_decimal(c, (nb_str){(const char *)out, (size_t)c->width}, &back) && back == v
               ? (size_t)c->width
               : 0;
}

bool
nb_pq_test_hash(const nb_pq_test *t, const nb_pq_column *c, uint64_t *hash)
{
    uint8_t bytes[16];
    size_t n;

    if (t->op != NB_PQ_EQ || !goes_with(t, c)) {
        return false;
    }
    switch (t->kind) {
    case NB_PQ_TEST_INT:
        n = stored_int(c, t->whole, bytes);
        *hash = n ? (uint64_t)nb_xxh64_bytes(bytes, n, 0) : 0;
        return n > 0;
    case NB_PQ_TEST_TEXT:
        *hash = (uint64_t)nb_xxh64_bytes(t->text.data, t->text.len, 0);
        return true;
    default: return false; /* two zeroes, many NaN */
    }
}
