/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval_guard.c: what fails for a row that needs no value of it.
 *
 * Spark evaluates the arguments of a function from left to right (of / % div pmod from right to left) and stops at the first null: in i + CAST(t AS INT) a
 * bad t does not matter where i is null. Programs evaluate all arguments for all rows, which is faster. Only when one fails is the expression
 * compiled again with guards, each argument that may fail being a program of its own for the rows where those before it are not null, and the
 * batch evaluated once more.
 */
#include "expr/eval_internal.h"

static bool
right_first(const nb_expr *call)
{
    return (call->u.call.fn->flags & NB_FN_RIGHT_FIRST) != 0;
}

bool
nb_eval_is_guarded(const nb_expr *e, int arg)
{
    int step, first;

    if (e->kind != NB_EXPR_CALL || !e->args[arg]->can_fail ||
        e->u.call.fn->max_args < 0 || /* as concat: these look at all first */
        (e->u.call.fn->flags & (NB_FN_NULLS | NB_FN_HIGHER_ORDER))) {
        return false;
    }
    step = right_first(e) ? -1 : 1;
    first = right_first(e) ? e->n_args - 1 : 0;
    for (int i = first; i != arg; i += step) {
        if (e->args[i]->nullable) {
            return true;
        }
    }
    return false;
}

/* Leaves those of rows[0..*n_rows) (NULL = all) where v is not null. */
static nb_status
drop_nulls(nb_arena *arena, const nb_vector *v, const uint32_t **rows, int64_t *n_rows)
{
    uint32_t *left;
    int64_t n_left = 0;

    if (v->kind == NB_VEC_FLAT && v->validity == NULL && v->type->id != NB_TYPE_NULL) {
        return NB_OK;
    }
    left = NB_ARENA_ARRAY(arena, uint32_t, *n_rows + 1);
    if (left == NULL) {
        return NB_NOMEM;
    }
    for (int64_t k = 0; k < *n_rows; k++) {
        uint32_t row = *rows ? (*rows)[k] : (uint32_t)k;

        left[n_left] = row;
        n_left += !nb_vector_is_null(v, row);
    }
    *rows = left;
    *n_rows = n_left;
    return NB_OK;
}

nb_status
nb_eval_guarded_inputs(nb_eval *ev, nb_program *p, nb_step *s, nb_batch *batch, nb_error *err)
{
    const uint32_t *rows = NULL;
    int64_t n_rows = batch->n_rows;

    for (int k = 0; k < s->e->n_args; k++) {
        int i = right_first(s->e) ? s->e->n_args - 1 - k : k;
        const nb_vector *v;
        nb_vector spread;

        if (s->subs[i] == NULL) {
            v = &p->regs[s->args[i]];
        } else {
            NB_TRY(nb_program_run_for(ev, s->subs[i], batch, rows, n_rows, &v, err));
            if (rows != NULL) {
                NB_TRY(nb_eval_spread(batch->arena, s->e->args[i]->type, v, rows, n_rows,
                                      batch->n_rows, &spread));
                v = &spread;
            }
        }
        NB_TRY(nb_vector_flatten(batch->arena, v, &s->inputs[i]));
        NB_TRY(drop_nulls(batch->arena, &s->inputs[i], &rows, &n_rows));
    }
    return NB_OK;
}

/* *out NULL: guards would change nothing. */
static nb_status
guarded_program(nb_eval *ev, int i, nb_program **out, nb_error *err)
{
    nb_status st;

    *out = NULL;
    if (!ev->exprs[i]->deterministic) {
        return NB_OK; /* what has state would go on from where it failed */
    }
    if (ev->guarded == NULL) {
        ev->guarded = nb_arena_zalloc(ev->arena, (size_t)ev->n * sizeof(nb_program *));
        if (ev->guarded == NULL) {
            return NB_NOMEM;
        }
    }
    if (ev->guarded[i] == NULL) {
        ev->guarding = true;
        ev->guards = false;
        st = nb_program_new(ev, ev->exprs[i], false, &ev->guarded[i], err);
        ev->guarding = false;
        NB_TRY(st);
        if (!ev->guards) {
            ev->guarded[i] = ev->programs[i];
        }
    }
    *out = ev->guarded[i] == ev->programs[i] ? NULL : ev->guarded[i];
    return NB_OK;
}

nb_status
nb_eval_rerun(nb_eval *ev, int i, nb_batch *batch, const nb_vector **out, nb_error *err)
{
    nb_program *p;
    nb_error ignored = NB_ERROR_INIT;
    nb_status st = guarded_program(ev, i, &p, &ignored);

    nb_error_clear(&ignored);
    if (st < 0 || p == NULL) {
        return st == NB_NOMEM ? NB_NOMEM : NB_ERROR;
    }
    nb_error_clear(err);
    return nb_program_run(ev, p, batch, out, err);
}
