/* SPDX-License-Identifier: Apache-2.0 */
/*
 * narrow.c: see narrow.h.
 *
 * Nodes are in the order of evaluation, equal expressions once. A range is a pair of int64; ends are computed in 128 bits, where neither a
 * product of two nor a rescaled one (10^18 at most) overflows, and must fit 64 bits and the digits of the node's type.
 */
#include "expr/narrow.h"

#include "base/decimal.h"
#include "expr/kernels/arithmetic.h"

typedef struct node {
    const nb_expr *e;
    uint64_t hash;    /* of e */
    char op;          /* l: leaf, c: constant, s: scaled up, + - * */
    int a, b;         /* nodes; of a leaf: its number */
    int64_t up1, up2; /* operands are multiplied by this first */
    int64_t constant;
} node;

struct nb_narrow {
    node *nodes;
    int n_nodes, cap_nodes;
    nb_expr **leaves;
    int n_leaves, cap_leaves;
    int *roots; /* per expression; -1: left out */
    int n_roots;
};

/* ---- making ---------------------------------------------------------------------------------- */

static const nb_expr *
without_alias(const nb_expr *e)
{
    while (e->kind == NB_EXPR_ALIAS) {
        e = e->args[0];
    }
    return e;
}

static nb_status
add_node(nb_arena *arena, nb_narrow *p, node made, int *at)
{
    p->nodes = nb_arena_grow(arena, p->nodes, p->n_nodes, &p->cap_nodes, sizeof(node));
    if (p->nodes == NULL) {
        return NB_NOMEM;
    }
    p->nodes[p->n_nodes] = made;
    *at = p->n_nodes++;
    return NB_OK;
}

static nb_status
add_leaf(nb_arena *arena, nb_narrow *p, node made, int *at)
{
    const nb_expr *e = made.e;
    nb_phys phys = nb_type_storage(e->type)->phys;

    if ((phys != NB_PHYS_INT32 && phys != NB_PHYS_INT64) || !e->deterministic) {
        *at = -1;
        return NB_OK;
    }
    p->leaves = nb_arena_grow(arena, p->leaves, p->n_leaves, &p->cap_leaves, sizeof(nb_expr *));
    if (p->leaves == NULL) {
        return NB_NOMEM;
    }
    p->leaves[p->n_leaves] = (nb_expr *)e;
    made.op = 'l';
    made.a = p->n_leaves++;
    return add_node(arena, p, made, at);
}

/* A cast that only adds digits: by which power of ten? */
static bool
is_scaling(const nb_expr *e, int *up)
{
    const nb_type *from, *to = e->type;

    if (e->kind != NB_EXPR_CAST || to->id != NB_TYPE_DECIMAL ||
        e->args[0]->type->id != NB_TYPE_DECIMAL) {
        return false;
    }
    from = e->args[0]->type;
    *up = to->scale - from->scale;
    return *up >= 0 && *up <= 18 && to->precision - to->scale >= from->precision - from->scale;
}

static nb_status
add(nb_arena *arena, nb_narrow *p, const nb_expr *e, int *at)
{
    node made = {.e = without_alias(e), .up1 = 1, .up2 = 1};
    int up1, up2;

    e = made.e;
    made.hash = nb_expr_hash(e);
    for (int i = 0; i < p->n_nodes; i++) {
        if (p->nodes[i].hash == made.hash && nb_expr_equal(p->nodes[i].e, e)) {
            *at = i;
            return NB_OK;
        }
    }
    if (e->kind == NB_EXPR_LITERAL && e->type->id == NB_TYPE_DECIMAL &&
        !nb_vector_is_null(e->u.literal.value, 0)) {
        nb_int128 v = nb_decimal_at(e->u.literal.value, 0);
        made.op = 'c';
        made.constant = (int64_t)v;
        *at = -1;
        return v == made.constant ? add_node(arena, p, made, at) : NB_OK;
    }
    if (is_scaling(e, &up1)) {
        NB_TRY(add(arena, p, e->args[0], &made.a));
        made.op = 's';
        made.b = made.a;
    } else if (nb_is_decimal_sum_or_product(e, &made.op, &up1, &up2) && up1 <= 18 && up2 <= 18) {
        NB_TRY(add(arena, p, e->args[0], &made.a));
        NB_TRY(add(arena, p, e->args[1], &made.b));
        made.up2 = nb_pow10_64[up2];
    } else {
        return add_leaf(arena, p, made, at);
    }
    if (made.a < 0 || made.b < 0) {
        *at = -1;
        return NB_OK;
    }
    made.up1 = nb_pow10_64[up1];
    return add_node(arena, p, made, at);
}

nb_status
nb_narrow_new(nb_arena *arena, nb_expr *const *exprs, int n, nb_narrow **out)
{
    nb_narrow *p = NB_ARENA_NEW(arena, nb_narrow);

    if (p == NULL) {
        return NB_NOMEM;
    }
    p->roots = NB_ARENA_ARRAY(arena, int, n + 1);
    if (p->roots == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        int nodes = p->n_nodes, leaves = p->n_leaves;

        NB_TRY(add(arena, p, exprs[i], &p->roots[i]));
        if (p->roots[i] < 0) { /* what was made of it is of no use */
            p->n_nodes = nodes;
            p->n_leaves = leaves;
        }
    }
    p->n_roots = n;
    *out = p;
    return NB_OK;
}

bool
nb_narrow_has(const nb_narrow *p, int i)
{
    return p->roots[i] >= 0;
}

int
nb_narrow_n_leaves(const nb_narrow *p)
{
    return p->n_leaves;
}

nb_expr *
nb_narrow_leaf(const nb_narrow *p, int i)
{
    return p->leaves[i];
}

/* ---- running --------------------------------------------------------------------------------- */

typedef struct range {
    int64_t low, high;
} range;

typedef struct operand {
    const int64_t *data; /* NULL: constant */
    int64_t constant;
    range in;
} operand;

NB_SIMD_CLONES static range
range_of(const int64_t *restrict x, int64_t n)
{
    int64_t low = x[0], high = x[0];

    for (int64_t i = 1; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    return (range){low, high};
}

NB_SIMD_CLONES static void
multiply(const int64_t *restrict a, const int64_t *restrict b, int64_t *restrict out, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        out[i] = a[i] * b[i];
    }
}

/* a * x + y * b, of which x and y are constants. */
NB_SIMD_CLONES static void
combine(const int64_t *restrict a, int64_t x, const int64_t *restrict b, int64_t y,
        int64_t *restrict out, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        out[i] = a[i] * x + b[i] * y;
    }
}

/* a * x + y */
NB_SIMD_CLONES static void
shift(const int64_t *restrict a, int64_t x, int64_t y, int64_t *restrict out, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        out[i] = a[i] * x + y;
    }
}

/* The range of a result with so many digits (0: no limit but 64 bits). */
static bool
fit(nb_int128 low, nb_int128 high, int precision, range *out)
{
    *out = (range){(int64_t)low, (int64_t)high};
    return low > INT64_MIN && high < INT64_MAX && low == out->low && high == out->high &&
           (precision == 0 ||
            (nb_decimal_fits(low, precision) && nb_decimal_fits(high, precision)));
}

static bool
range_of_node(const node *d, range a, range b, range *out)
{
    nb_int128 ends[4], low, high;

    if (d->op != '*') {
        range scaled;

        if (!fit((nb_int128)a.low * d->up1, (nb_int128)a.high * d->up1, 0, &a) ||
            !fit((nb_int128)b.low * d->up2, (nb_int128)b.high * d->up2, 0, &scaled)) {
            return false;
        }
        b = d->op == '+' ? scaled : (range){-scaled.high, -scaled.low};
        low = d->op == 's' ? a.low : (nb_int128)a.low + b.low;
        high = d->op == 's' ? a.high : (nb_int128)a.high + b.high;
        return fit(low, high, d->e->type->precision, out);
    }
    ends[0] = (nb_int128)a.low * b.low;
    ends[1] = (nb_int128)a.low * b.high;
    ends[2] = (nb_int128)a.high * b.low;
    ends[3] = (nb_int128)a.high * b.high;
    low = high = ends[0];
    for (int k = 1; k < 4; k++) {
        low = NB_MIN(low, ends[k]);
        high = NB_MAX(high, ends[k]);
    }
    return fit(low, high, d->e->type->precision, out);
}

static int64_t
compute_one(const node *d, int64_t a, int64_t b)
{
    return d->op == '*'   ? a * b
           : d->op == 's' ? a * d->up1
           : d->op == '+' ? a * d->up1 + b * d->up2
                          : a * d->up1 - b * d->up2;
}

static void
compute(const node *d, const operand *a, const operand *b, int64_t *out, int64_t n)
{
    int64_t up2 = d->op == '-' ? -d->up2 : d->up2;

    if (d->op == '*' && a->data != NULL && b->data != NULL) {
        multiply(a->data, b->data, out, n);
    } else if (d->op == '*') {
        shift(a->data ? a->data : b->data, a->data ? b->constant : a->constant, 0, out, n);
    } else if (d->op == 's') {
        shift(a->data, d->up1, 0, out, n);
    } else if (a->data != NULL && b->data != NULL) {
        combine(a->data, d->up1, b->data, up2, out, n);
    } else if (a->data != NULL) {
        shift(a->data, d->up1, b->constant * up2, out, n);
    } else {
        shift(b->data, up2, a->constant * d->up1, out, n);
    }
}

/* A leaf as int64; false: it has nulls. */
static nb_status
open_leaf(const nb_vector *v, int64_t n, nb_arena *arena, operand *out, bool *fits)
{
    bool wide = nb_type_storage(v->type)->phys == NB_PHYS_INT64;
    int64_t m = v->kind == NB_VEC_CONST ? 1 : n, *copy;

    *fits = v->validity == NULL;
    if (!*fits) {
        return NB_OK;
    }
    if (wide) {
        out->data = v->data;
    } else {
        copy = NB_ARENA_ARRAY(arena, int64_t, m);
        if (copy == NULL) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < m; i++) {
            copy[i] = NB_DATA(int32_t, v)[i];
        }
        out->data = copy;
    }
    if (v->kind == NB_VEC_CONST) {
        out->constant = out->data[0];
        out->data = NULL;
        out->in = (range){out->constant, out->constant};
    } else {
        out->in = range_of(out->data, n);
    }
    *fits = out->in.low > INT64_MIN && out->in.high < INT64_MAX;
    return NB_OK;
}

nb_status
nb_narrow_run(const nb_narrow *p, const nb_vector *leaves, int64_t n, nb_arena *arena,
              nb_narrow_value *values, bool *fits)
{
    operand *made = nb_arena_zalloc(arena, sizeof(operand) * (size_t)(p->n_nodes + 1));

    if (made == NULL) {
        return NB_NOMEM;
    }
    *fits = n > 0;
    for (int i = 0; i < p->n_nodes && *fits; i++) {
        const node *d = &p->nodes[i];
        const operand *a = &made[d->a], *b = &made[d->b];
        operand *o = &made[i];

        if (d->op == 'l') {
            NB_TRY(open_leaf(&leaves[d->a], n, arena, o, fits));
        } else if (d->op == 'c') {
            o->constant = d->constant;
            o->in = (range){d->constant, d->constant};
            *fits = d->constant > INT64_MIN && d->constant < INT64_MAX;
        } else if (!range_of_node(d, a->in, b->in, &o->in)) {
            *fits = false;
        } else if (a->data == NULL && b->data == NULL) {
            o->constant = compute_one(d, a->constant, b->constant);
        } else {
            int64_t *data = NB_ARENA_ARRAY(arena, int64_t, n);

            if (data == NULL) {
                return NB_NOMEM;
            }
            compute(d, a, b, data, n);
            o->data = data;
        }
    }
    for (int i = 0; *fits && i < p->n_roots; i++) {
        const operand *o = p->roots[i] >= 0 ? &made[p->roots[i]] : NULL;

        if (o != NULL) {
            values[i] = (nb_narrow_value){
                .data = o->data,
                .constant = o->constant,
                .most = (uint64_t)NB_MAX(o->in.high, -o->in.low),
            };
        }
    }
    return NB_OK;
}
