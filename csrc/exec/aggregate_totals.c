/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aggregate_totals.c: sums, averages and counts of few groups.
 *
 * While a thread has at most FEW groups, a batch is added up in 64 bits by the number of its group (a loop per argument, not per aggregate; rows per
 * group are counted once), and the states get one total each. Arguments are evaluated by a narrow program (expr/narrow.h), which also
 * knows how large their values are, so that no sum of a batch overflows. When it does not serve, nor do nulls, batches take the ordinary way.
 */
#include "expr/narrow.h"
#include "exec/hash_aggregate_internal.h"

#define FEW 256
/* Neighbouring rows go to sums of their own, as each addition waits for the last one to the same place. */
#define LANES 4

struct agg_totals {
    nb_narrow *narrow;
    int *value_of; /* per aggregate: its argument's number in the program; NONE, or LEFT_OUT */
    int n_values;
    int first_leaf; /* among the sink's expressions */
};

enum { NONE = -1, LEFT_OUT = -2 };

static bool
takes_totals(const agg_fn *fn)
{
    return fn->ops->add_total != NULL && fn->distinct < 0 && fn->filter < 0 &&
           fn->expr->n_args <= 1;
}

nb_status
nb_agg_totals_plan(aggregate_op *op)
{
    nb_expr **args = NB_ARENA_ARRAY(op->arena, nb_expr *, op->n_aggs + 1);
    agg_totals *t = NB_ARENA_NEW(op->arena, agg_totals);
    uint64_t *hashes = NB_ARENA_ARRAY(op->arena, uint64_t, op->n_aggs + 1), hash;
    nb_expr **exprs;
    int n = 0, n_served = 0, n_leaves;

    if (args == NULL || hashes == NULL || t == NULL) {
        return NB_NOMEM;
    }
    t->value_of = NB_ARENA_ARRAY(op->arena, int, op->n_aggs + 1);
    if (t->value_of == NULL) {
        return NB_NOMEM;
    }
    for (int a = 0; a < op->n_aggs; a++) {
        const agg_fn *fn = &op->aggs[a];

        t->value_of[a] = takes_totals(fn) ? NONE : LEFT_OUT;
        if (t->value_of[a] == NONE && fn->expr->n_args == 1) {
            int i = 0;

            hash = nb_expr_hash(fn->expr->args[0]);
            while (i < n && (hashes[i] != hash || !nb_expr_equal(args[i], fn->expr->args[0]))) {
                i++;
            }
            t->value_of[a] = i;
            if (i == n) {
                hashes[n] = hash;
                args[n++] = fn->expr->args[0];
            }
        }
    }
    NB_TRY(nb_narrow_new(op->arena, args, n, &t->narrow));
    for (int a = 0; a < op->n_aggs; a++) {
        if (t->value_of[a] >= 0 && !nb_narrow_has(t->narrow, t->value_of[a])) {
            t->value_of[a] = LEFT_OUT;
        }
        n_served += t->value_of[a] != LEFT_OUT;
    }
    n_leaves = nb_narrow_n_leaves(t->narrow);
    exprs = NB_ARENA_ARRAY(op->arena, nb_expr *, op->n_exprs + n_leaves + 1);
    if (exprs == NULL) {
        return NB_NOMEM;
    }
    if (n_served == 0) {
        return NB_OK;
    }
    memcpy(exprs, op->exprs, sizeof(*exprs) * (size_t)op->n_exprs);
    t->n_values = n;
    t->first_leaf = op->n_exprs;
    for (int i = 0; i < n_leaves; i++) {
        exprs[op->n_exprs++] = nb_narrow_leaf(t->narrow, i);
    }
    op->exprs = exprs;
    op->totals = t;
    return NB_OK;
}

/* sums[g] = values of the rows of group g. */
static void
add_up(const int64_t *restrict x, const uint32_t *restrict group, int64_t n, int64_t n_groups,
       int64_t *restrict sums)
{
    int64_t lanes[LANES][FEW];
    int64_t i = 0;

    for (int k = 0; k < LANES; k++) {
        memset(lanes[k], 0, sizeof(int64_t) * (size_t)n_groups);
    }
    for (; i + LANES <= n; i += LANES) {
        for (int k = 0; k < LANES; k++) {
            lanes[k][group[i + k]] += x[i + k];
        }
    }
    for (; i < n; i++) {
        lanes[0][group[i]] += x[i];
    }
    for (int64_t g = 0; g < n_groups; g++) {
        sums[g] = lanes[0][g] + lanes[1][g] + lanes[2][g] + lanes[3][g];
    }
}

static void
count(const uint32_t *restrict group, int64_t n, int64_t n_groups, int64_t *restrict counts)
{
    uint32_t lanes[LANES][FEW];
    int64_t i = 0;

    for (int k = 0; k < LANES; k++) {
        memset(lanes[k], 0, sizeof(uint32_t) * (size_t)n_groups);
    }
    for (; i + LANES <= n; i += LANES) {
        for (int k = 0; k < LANES; k++) {
            lanes[k][group[i + k]]++;
        }
    }
    for (; i < n; i++) {
        lanes[0][group[i]]++;
    }
    for (int64_t g = 0; g < n_groups; g++) {
        counts[g] = (int64_t)lanes[0][g] + lanes[1][g] + lanes[2][g] + lanes[3][g];
    }
}

NB_SIMD_CLONES static int64_t
add_up_all(const int64_t *x, int64_t n)
{
    int64_t sum = 0;

    for (int64_t i = 0; i < n; i++) {
        sum += x[i];
    }
    return sum;
}

/* Totals of one value: per group, or of all rows. */
static void
totals_of(const nb_narrow_value *v, const uint32_t *group, int64_t n, int64_t n_groups,
          const int64_t *counts, int64_t *sums)
{
    if (v->data == NULL) {
        for (int64_t g = 0; g < n_groups; g++) {
            sums[g] = v->constant * counts[g];
        }
    } else if (group == NULL) {
        sums[0] = add_up_all(v->data, n);
    } else {
        add_up(v->data, group, n, n_groups, sums);
    }
}

nb_status
nb_agg_totals_push(const aggregate_op *op, nb_eval *eval, agg_state *state, const uint32_t *numbers,
                   nb_batch *batch, bool *done, nb_error *err)
{
    const agg_totals *t = op->totals;
    int64_t n = batch->n_rows, n_groups = op->n_keys > 0 ? state->groups.n_rows : 1;
    int n_leaves = t ? nb_narrow_n_leaves(t->narrow) : 0;
    int64_t counts[FEW], sums[FEW];
    nb_narrow_value *values;
    nb_vector *leaves;
    bool fits;

    *done = false;
    if (t == NULL || n_groups > FEW || n == 0) {
        return NB_OK;
    }
    leaves = NB_ARENA_ARRAY(batch->arena, nb_vector, n_leaves + 1);
    values = NB_ARENA_ARRAY(batch->arena, nb_narrow_value, t->n_values + 1);
    if (leaves == NULL || values == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n_leaves; i++) {
        NB_TRY(nb_eval_run(eval, t->first_leaf + i, batch, &leaves[i], err));
        if (leaves[i].kind == NB_VEC_DICT) {
            nb_vector flat;

            NB_TRY(nb_vector_flatten(batch->arena, &leaves[i], &flat));
            leaves[i] = flat;
        }
    }
    NB_TRY(nb_narrow_run(t->narrow, leaves, n, batch->arena, values, &fits));
    for (int a = 0; a < op->n_aggs && fits; a++) {
        int v = t->value_of[a];
        fits = v < 0 || values[v].most <= (uint64_t)(INT64_MAX / n);
    }
    if (!fits) {
        return NB_OK;
    }
    numbers = op->n_keys > 0 ? numbers : NULL;
    counts[0] = n;
    if (numbers != NULL) {
        count(numbers, n, n_groups, counts);
    }
    for (int v = NONE; v < t->n_values; v++) {
        bool wanted = false;

        for (int a = 0; a < op->n_aggs; a++) {
            wanted |= t->value_of[a] == v;
        }
        if (!wanted) {
            continue;
        }
        if (v >= 0) {
            totals_of(&values[v], numbers, n, n_groups, counts, sums);
        } else {
            memset(sums, 0, sizeof(int64_t) * (size_t)n_groups);
        }
        for (int a = 0; a < op->n_aggs; a++) {
            const agg_fn *fn = &op->aggs[a];

            for (int64_t g = 0; t->value_of[a] == v && g < n_groups; g++) {
                uint8_t *row =
                    op->n_keys > 0 ? nb_group_row(&state->groups, (uint32_t)g) : state->single;
                if (counts[g] > 0) {
                    fn->ops->add_total(row + fn->offset, sums[g], counts[g]);
                }
            }
        }
    }
    *done = true;
    return NB_OK;
}

bool
nb_agg_totals_has(const aggregate_op *op, int agg)
{
    return op->totals->value_of[agg] != LEFT_OUT;
}
