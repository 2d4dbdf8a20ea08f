/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval_logic.c: AND, OR, CASE, COALESCE and filters: whatever evaluates an argument only for some rows.
 *
 * An argument that cannot fail and matters for many rows runs over the whole batch: gathering columns costs more than the rows saved. One that
 * may fail sees exactly the rows for which Spark would evaluate it.
 */
#include "expr/eval_internal.h"

/* Three-valued logic as an order: AND is the minimum, OR the maximum. */
enum { V_FALSE = 0, V_NULL = 1, V_TRUE = 2 };

static void
to_order(const nb_vector *v, int64_t n, uint8_t *out)
{
    const nb_vector *base = v->kind == NB_VEC_DICT ? v->dict : v;
    const uint8_t *data = base->data;

    if (v->type->id == NB_TYPE_NULL) {
        memset(out, V_NULL, (size_t)n);
    } else if (v->kind == NB_VEC_CONST) {
        memset(out, !nb_is_valid(v->validity, 0) ? V_NULL : data[0] ? V_TRUE : V_FALSE, (size_t)n);
    } else if (v->kind == NB_VEC_DICT) {
        for (int64_t i = 0; i < n; i++) {
            uint32_t at = v->indices[i];

            out[i] = !nb_is_valid(base->validity, at) ? V_NULL : (uint8_t)(data[at] << 1);
        }
    } else {
        for (int64_t i = 0; i < n; i++) {
            out[i] = (uint8_t)(data[i] << 1);
        }
        if (v->validity != NULL) {
            for (int64_t i = 0; i < n; i++) {
                out[i] = nb_bit_get(v->validity, i) ? out[i] : V_NULL;
            }
        }
    }
}

static nb_status
from_order(nb_arena *arena, const uint8_t *order, int64_t n, nb_vector *out)
{
    uint8_t *data, any_null = 0;

    NB_TRY(nb_vector_alloc(arena, nb_type_of(NB_TYPE_BOOL), n, out));
    data = out->data;
    for (int64_t i = 0; i < n; i++) {
        data[i] = order[i] >> 1;
        any_null |= order[i] & 1;
    }
    if (any_null) {
        NB_TRY(nb_vector_need_validity(arena, out));
        for (int64_t i = 0; i < n; i++) {
            if (order[i] == V_NULL) {
                nb_bit_clear(out->validity, i);
            }
        }
    }
    return NB_OK;
}

/* Row numbers i in 0..n where flags[i] == want_value. Branch-free, so that it costs the same for any selectivity. */
static int64_t
rows_where(const uint8_t *flags, uint8_t want, int64_t n, uint32_t *rows)
{
    int64_t k = 0;

    for (int64_t i = 0; i < n; i++) {
        rows[k] = (uint32_t)i;
        k += flags[i] == want;
    }
    return k;
}

nb_status
nb_bool_rows(nb_arena *arena, const nb_vector *v, int64_t n, bool want, const uint32_t **rows,
             int64_t *n_rows)
{
    uint32_t *list = NB_ARENA_ARRAY(arena, uint32_t, n + 1);
    uint8_t *order = nb_arena_alloc(arena, (size_t)n + 1);
    int64_t k = 0;

    if (list == NULL || order == NULL) {
        return NB_NOMEM;
    }
    if (want && v->kind == NB_VEC_FLAT && v->validity == NULL && v->type->id == NB_TYPE_BOOL) {
        k = rows_where(v->data, 1, n, list);
    } else {
        to_order(v, n, order);
        if (want) {
            k = rows_where(order, V_TRUE, n, list);
        } else {
            for (int64_t i = 0; i < n; i++) {
                list[k] = (uint32_t)i;
                k += order[i] != V_TRUE;
            }
        }
    }
    *rows = list;
    *n_rows = k;
    return NB_OK;
}

nb_status
nb_eval_and_or(nb_eval *ev, nb_program *p, nb_step *s, nb_batch *batch, nb_vector *out,
               nb_error *err)
{
    bool is_and = s->e->kind == NB_EXPR_AND;
    uint8_t decided = is_and ? V_FALSE : V_TRUE;
    int64_t n = batch->n_rows, open = n;
    uint8_t *acc = nb_arena_alloc(batch->arena, (size_t)n);
    uint8_t *next = nb_arena_alloc(batch->arena, (size_t)n);
    uint32_t *rows = NB_ARENA_ARRAY(batch->arena, uint32_t, n + 1);

    if (acc == NULL || next == NULL || rows == NULL) {
        return NB_NOMEM;
    }
    to_order(&p->regs[s->args[0]], n, acc);
    for (int i = 1; i < s->e->n_args; i++) {
        const nb_vector *v;

        open = 0;
        for (int64_t r = 0; r < n; r++) {
            rows[open] = (uint32_t)r;
            open += acc[r] != decided;
        }
        if (open == 0) {
            break;
        }
        if (open == n || (!s->subs[i]->can_fail && open >= n / 4)) {
            NB_TRY(nb_program_run(ev, s->subs[i], batch, &v, err));
            to_order(v, n, next);
            if (is_and) {
                for (int64_t r = 0; r < n; r++) {
                    acc[r] = NB_MIN(acc[r], next[r]);
                }
            } else {
                for (int64_t r = 0; r < n; r++) {
                    acc[r] = NB_MAX(acc[r], next[r]);
                }
            }
        } else {
            uint32_t *keep = NB_ARENA_ARRAY(batch->arena, uint32_t, open);
            nb_batch view;

            if (keep == NULL) {
                return NB_NOMEM;
            }
            memcpy(keep, rows, (size_t)open * sizeof(uint32_t));
            NB_TRY(nb_batch_view(batch, keep, open, &view));
            NB_TRY(nb_program_run(ev, s->subs[i], &view, &v, err));
            to_order(v, open, next);
            for (int64_t k = 0; k < open; k++) {
                uint8_t *at = &acc[keep[k]];

                *at = is_and ? NB_MIN(*at, next[k]) : NB_MAX(*at, next[k]);
            }
        }
    }
    return from_order(batch->arena, acc, n, out);
}

/* ---- CASE and COALESCE ----------------------------------------------------------------------------------------------------------------- */

/* Results of branches, each for some rows of the batch; rows in no part are null. */
typedef struct part {
    nb_vector v;
    const uint32_t *rows; /* where v's rows go; NULL = row i goes to row i */
    const uint32_t *from; /* which rows of v; NULL = 0..n */
    int64_t n;
} part;

/* Values with parts of their own: the vectors are put behind each other, and each row is taken from there. */
static nb_status
merge_nested(nb_arena *arena, const nb_type *type, const part *parts, int n_parts, int64_t n,
             nb_vector *out)
{
    const nb_vector **vectors = NB_ARENA_ARRAY(arena, const nb_vector *, n_parts + 1);
    uint32_t *idx = NB_ARENA_ARRAY(arena, uint32_t, n + 1);
    nb_vector all;
    uint32_t base = 0;
    int n_vectors = 0;

    if (vectors == NULL || idx == NULL) {
        return NB_NOMEM;
    }
    memset(idx, 0xff, (size_t)n * sizeof(uint32_t));
    for (int i = 0; i < n_parts; i++) {
        if (parts[i].v.type->id == NB_TYPE_NULL) {
            continue; /* its rows stay null */
        }
        vectors[n_vectors++] = &parts[i].v;
        for (int64_t k = 0; k < parts[i].n; k++) {
            idx[parts[i].rows ? parts[i].rows[k] : k] =
                base + (parts[i].from ? parts[i].from[k] : (uint32_t)k);
        }
        base += (uint32_t)parts[i].v.n_rows;
    }
    if (n_vectors == 0) {
        return nb_vector_const_null(arena, type, n, out);
    }
    NB_TRY(nb_vector_concat(arena, vectors, n_vectors, &all));
    return nb_vector_gather_null(arena, &all, idx, n, out);
}

static nb_status
merge_parts(nb_arena *arena, const nb_type *type, const part *parts, int n_parts, int64_t n,
            nb_vector *out)
{
    int64_t filled = 0;
    bool nulls = false;

    for (int i = 0; i < n_parts; i++) {
        filled += parts[i].n;
    }
    if (n_parts == 1 && filled == n && parts[0].from == NULL) {
        *out = parts[0].v;
        out->type = type;
        return NB_OK;
    }
    if (n_parts == 0 || type->id == NB_TYPE_NULL) {
        return nb_vector_const_null(arena, type, n, out);
    }
    if (nb_type_storage(type)->n_children > 0) {
        return merge_nested(arena, type, parts, n_parts, n, out);
    }
    NB_TRY(nb_vector_alloc(arena, type, n, out));
    for (int i = 0; i < n_parts; i++) {
        const nb_vector *base = parts[i].v.kind == NB_VEC_DICT ? parts[i].v.dict : &parts[i].v;

        nulls |= base->validity != NULL || base->type->id == NB_TYPE_NULL;
    }
    if (nulls || filled < n) {
        NB_TRY(nb_vector_need_validity(arena, out));
    }
    if (filled < n) {
        nb_bitmap_fill(out->validity, n, false);
    }
    for (int i = 0; i < n_parts; i++) {
        if (parts[i].v.type->id == NB_TYPE_NULL) {
            for (int64_t k = 0; k < parts[i].n; k++) {
                nb_bit_clear(out->validity, parts[i].rows ? parts[i].rows[k] : k);
            }
            continue;
        }
        NB_TRY(nb_vector_scatter(&parts[i].v, parts[i].from, out, parts[i].rows, parts[i].n));
        if (filled < n) {
            for (int64_t k = 0; k < parts[i].n; k++) {
                int64_t at = parts[i].rows ? parts[i].rows[k] : k;

                nb_bit_put(out->validity, at,
                           !nb_vector_is_null(&parts[i].v, parts[i].from ? parts[i].from[k] : k));
            }
        }
    }
    return NB_OK;
}

/* rows[i] := outer[rows[i]]; outer NULL = identity. */
static nb_status
compose(nb_arena *arena, const uint32_t *outer, const uint32_t *rows, int64_t n,
        const uint32_t **out)
{
    uint32_t *mapped;

    if (outer == NULL) {
        *out = rows;
        return NB_OK;
    }
    mapped = NB_ARENA_ARRAY(arena, uint32_t, n + 1);
    if (mapped == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        mapped[i] = outer[rows[i]];
    }
    *out = mapped;
    return NB_OK;
}

nb_status
nb_eval_spread(nb_arena *arena, const nb_type *type, const nb_vector *v, const uint32_t *rows,
               int64_t n_rows, int64_t n, nb_vector *out)
{
    part only = {*v, rows, NULL, n_rows};

    return merge_parts(arena, type, &only, n_rows > 0, n, out);
}

nb_status
nb_program_run_for(nb_eval *ev, nb_program *p, nb_batch *batch, const uint32_t *rows, int64_t n,
                   const nb_vector **out, nb_error *err)
{
    nb_batch *view;

    if (rows == NULL) {
        return nb_program_run(ev, p, batch, out, err);
    }
    view = NB_ARENA_NEW(batch->arena, nb_batch);
    if (view == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_batch_view(batch, rows, n, view));
    return nb_program_run(ev, p, view, out, err);
}

nb_status
nb_eval_case(nb_eval *ev, nb_program *p, nb_step *s, nb_batch *batch, nb_vector *out, nb_error *err)
{
    int n_args = s->e->n_args, n_parts = 0;
    part *parts = NB_ARENA_ARRAY(batch->arena, part, n_args / 2 + 1);
    const uint32_t *open = NULL; /* rows that no branch has taken */
    int64_t n_open = batch->n_rows;
    bool done;

    if (parts == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_eval_choose(ev, p, s, batch, out, &done, err));
    if (done) {
        return NB_OK;
    }
    for (int i = 0; i + 1 < n_args && n_open > 0; i += 2) {
        const nb_vector *cond, *value;
        const uint32_t *taken, *rest, *rows;
        int64_t n_taken, n_rest;

        if (i == 0) {
            cond = &p->regs[s->args[0]];
        } else {
            NB_TRY(nb_program_run_for(ev, s->subs[i], batch, open, n_open, &cond, err));
        }
        NB_TRY(nb_bool_rows(batch->arena, cond, n_open, true, &taken, &n_taken));
        if (n_taken == 0) {
            continue;
        }
        if (n_taken == n_open) {
            NB_TRY(nb_program_run_for(ev, s->subs[i + 1], batch, open, n_open, &value, err));
            parts[n_parts++] = (part){*value, open, NULL, n_open};
            n_open = 0;
            break;
        }
        NB_TRY(nb_bool_rows(batch->arena, cond, n_open, false, &rest, &n_rest));
        NB_TRY(compose(batch->arena, open, taken, n_taken, &rows));
        if (open == NULL && !s->subs[i + 1]->can_fail && n_taken >= n_open / 4) {
            NB_TRY(nb_program_run(ev, s->subs[i + 1], batch, &value, err));
            parts[n_parts++] = (part){*value, rows, rows, n_taken};
        } else {
            NB_TRY(nb_program_run_for(ev, s->subs[i + 1], batch, rows, n_taken, &value, err));
            parts[n_parts++] = (part){*value, rows, NULL, n_taken};
        }
        NB_TRY(compose(batch->arena, open, rest, n_rest, &open));
        n_open = n_rest;
    }
    if (n_args % 2 == 1 && n_open > 0) {
        const nb_vector *value;

        if (open != NULL && !s->subs[n_args - 1]->can_fail && n_open >= batch->n_rows / 4) {
            NB_TRY(nb_program_run(ev, s->subs[n_args - 1], batch, &value, err));
            parts[n_parts++] = (part){*value, open, open, n_open};
        } else {
            NB_TRY(nb_program_run_for(ev, s->subs[n_args - 1], batch, open, n_open, &value, err));
            parts[n_parts++] = (part){*value, open, NULL, n_open};
        }
    }
    return merge_parts(batch->arena, s->e->type, parts, n_parts, batch->n_rows, out);
}

nb_status
nb_eval_coalesce(nb_eval *ev, nb_program *p, nb_step *s, nb_batch *batch, nb_vector *out,
                 nb_error *err)
{
    int n_parts = 0;
    part *parts = NB_ARENA_ARRAY(batch->arena, part, s->e->n_args);
    const uint32_t *open = NULL;
    int64_t n_open = batch->n_rows;

    if (parts == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < s->e->n_args && n_open > 0; i++) {
        const nb_vector *v;
        uint32_t *have, *miss;
        int64_t n_have = 0, n_miss = 0;

        if (i == 0) {
            v = &p->regs[s->args[0]];
        } else {
            NB_TRY(nb_program_run_for(ev, s->subs[i], batch, open, n_open, &v, err));
        }
        if (v->kind != NB_VEC_DICT && v->type->id != NB_TYPE_NULL && v->validity == NULL) {
            parts[n_parts++] = (part){*v, open, NULL, n_open};
            n_open = 0;
            break;
        }
        have = NB_ARENA_ARRAY(batch->arena, uint32_t, n_open + 1);
        miss = NB_ARENA_ARRAY(batch->arena, uint32_t, n_open + 1);
        if (have == NULL || miss == NULL) {
            return NB_NOMEM;
        }
        for (int64_t k = 0; k < n_open; k++) {
            bool null = nb_vector_is_null(v, k);

            have[n_have] = (uint32_t)k;
            miss[n_miss] = (uint32_t)k;
            n_have += !null;
            n_miss += null;
        }
        if (n_have > 0) {
            parts[n_parts].v = *v;
            parts[n_parts].n = n_have;
            if (n_have == n_open) {
                parts[n_parts].rows = open;
                parts[n_parts].from = NULL;
            } else {
                parts[n_parts].from = have;
                NB_TRY(compose(batch->arena, open, have, n_have, &parts[n_parts].rows));
            }
            n_parts++;
            NB_TRY(compose(batch->arena, open, miss, n_miss, &open));
        }
        n_open = n_miss;
    }
    return merge_parts(batch->arena, s->e->type, parts, n_parts, batch->n_rows, out);
}

/* ---- filters ----------------------------------------------------------------------------------------------------------------------------- */

static nb_status
filter_rows(nb_eval *ev, int i, nb_batch *batch, const uint32_t **keep, int64_t *n_keep,
            nb_error *err)
{
    nb_program *p = ev->programs[i];
    nb_step *top = &p->steps[p->root];
    const uint32_t *open = NULL;
    int64_t n_open = batch->n_rows;
    const nb_vector *v;

    if (batch->n_rows > 0 && top->e->kind == NB_EXPR_AND) {
        for (int k = 0; k < top->e->n_args && n_open > 0; k++) {
            const uint32_t *rows;
            int64_t n_rows;

            if (k == 0) { /* all steps but the last make the first conjunct */
                int root = p->root, n_steps = p->n_steps;
                nb_status st;

                p->root = top->args[0];
                p->n_steps = n_steps - 1;
                st = nb_program_run(ev, p, batch, &v, err);
                p->root = root;
                p->n_steps = n_steps;
                NB_TRY(st);
            } else if (open != NULL && !top->subs[k]->can_fail &&
                       n_open >= batch->n_rows - batch->n_rows / 4) {
                uint32_t *both;
                uint8_t *order = nb_arena_alloc(batch->arena, (size_t)batch->n_rows);
                int64_t n_both = 0;

                NB_TRY(nb_program_run(ev, top->subs[k], batch, &v, err));
                both = NB_ARENA_ARRAY(batch->arena, uint32_t, n_open + 1);
                if (both == NULL || order == NULL) {
                    return NB_NOMEM;
                }
                to_order(v, batch->n_rows, order);
                for (int64_t r = 0; r < n_open; r++) {
                    both[n_both] = open[r];
                    n_both += order[open[r]] == V_TRUE;
                }
                open = both;
                n_open = n_both;
                continue;
            } else {
                NB_TRY(nb_program_run_for(ev, top->subs[k], batch, open, n_open, &v, err));
            }
            NB_TRY(nb_bool_rows(batch->arena, v, n_open, true, &rows, &n_rows));
            if (n_rows < n_open) {
                NB_TRY(compose(batch->arena, open, rows, n_rows, &open));
            }
            n_open = n_rows;
        }
    } else {
        const uint32_t *rows;
        int64_t n_rows;

        NB_TRY(nb_program_run(ev, p, batch, &v, err));
        NB_TRY(nb_bool_rows(batch->arena, v, n_open, true, &rows, &n_rows));
        open = rows;
        n_open = n_rows;
    }
    if (open == NULL) { /* all rows stay */
        uint32_t *all = NB_ARENA_ARRAY(batch->arena, uint32_t, n_open + 1);

        if (all == NULL) {
            return NB_NOMEM;
        }
        for (int64_t r = 0; r < n_open; r++) {
            all[r] = (uint32_t)r;
        }
        open = all;
    }
    *keep = open;
    *n_keep = n_open;
    return NB_OK;
}

nb_status
nb_eval_filter(nb_eval *ev, int i, nb_batch *batch, const uint32_t **keep, int64_t *n_keep,
               nb_error *err)
{
    nb_status st = filter_rows(ev, i, batch, keep, n_keep, err);
    const nb_vector *v;

    if (st != NB_ERROR) {
        return st;
    }
    NB_TRY(nb_eval_rerun(ev, i, batch, &v, err));
    return nb_bool_rows(batch->arena, v, batch->n_rows, true, keep, n_keep);
}
