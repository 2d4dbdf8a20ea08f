/* SPDX-License-Identifier: Apache-2.0 */
/*
 * window_aggregate.c: aggregates over frames.
 *
 *   frames that only grow   (running sums) one state, updated by what comes in
 *   the same frame          (whole partition, peers) one state, one result, repeated
 *   sliding frames          short ones: computed anew; long ones: by a tree of partial states of 16 children each,
 *                           so that a frame of m rows costs about 30 updates and 30 merges per level [Leis et al., Efficient processing of window
 *                           functions in analytical SQL queries, VLDB 2015]
 */
#include "exec/window_internal.h"

#define FANOUT       16
#define SHORT_FRAME  64
#define CANCEL_EVERY 256 /* rows: each may merge some hundred states */

typedef struct tree {
    uint8_t **levels; /* levels[k][i]: state of rows [i * 16^(k+1), (i+1) * 16^(k+1)) */
    int64_t *counts;
    int n_levels;
} tree;

typedef struct run {
    const nb_window_fn *fn;
    const nb_agg_ops *ops;
    nb_agg_ctx ctx;
    const nb_vector *args;
    const nb_vector *filter;
    nb_arena *arena;
    size_t size;
    int64_t n; /* rows of the partition */
    tree tree;
} run;

static void
clear(run *r, void *state)
{
    memset(state, 0, r->size);
    if (r->ops->init) {
        r->ops->init(&r->ctx, state);
    }
}

/* Adds rows [from, to) of the partition. */
static nb_status
update(run *r, void *state, int64_t from, int64_t to)
{
    nb_vector slices[8];
    int n_args = r->fn->n_args;

    if (from >= to) {
        return NB_OK;
    }
    if (r->filter) {
        for (int64_t i = from; i < to; i++) {
            run plain = *r;
            if (nb_vector_is_null(r->filter, i) ||
                !NB_DATA(uint8_t, r->filter)[nb_vector_slot(r->filter, i)]) {
                continue;
            }
            plain.filter = NULL;
            NB_TRY(update(&plain, state, i, i + 1));
        }
        return NB_OK;
    }
    for (int a = 0; a < n_args; a++) {
        NB_TRY(nb_vector_slice(r->ctx.scratch, &r->args[a], from, to - from, &slices[a]));
    }
    return r->ops->update_one(&r->ctx, slices, to - from, state, from);
}

static nb_status
merge(run *r, uint8_t *into, uint8_t *from)
{
    return r->ops->merge(&r->ctx, &into, &from, 0, 1);
}

static nb_status
build_tree(run *r)
{
    int64_t width = FANOUT, below = r->n;
    tree *t = &r->tree;

    t->levels = NB_ARENA_ARRAY(r->arena, uint8_t *, 16);
    t->counts = NB_ARENA_ARRAY(r->arena, int64_t, 16);
    if (!t->levels || !t->counts) {
        return NB_NOMEM;
    }
    for (t->n_levels = 0; below > 1 && t->n_levels < 15; t->n_levels++, width *= FANOUT) {
        int64_t count = (below + FANOUT - 1) / FANOUT;
        uint8_t *states = nb_arena_array(r->arena, (size_t)count, r->size);
        if (!states) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < count; i++) {
            uint8_t *s = states + (size_t)i * r->size;
            clear(r, s);
            if (t->n_levels == 0) {
                NB_TRY(update(r, s, i * FANOUT, NB_MIN((i + 1) * FANOUT, r->n)));
            } else {
                for (int64_t k = i * FANOUT; k < NB_MIN((i + 1) * FANOUT, below); k++) {
                    NB_TRY(merge(r, s, t->levels[t->n_levels - 1] + (size_t)k * r->size));
                }
            }
        }
        t->levels[t->n_levels] = states;
        t->counts[t->n_levels] = count;
        below = count;
    }
    return NB_OK;
}

/* Merges rows [from, to) from the largest nodes that fit, left to right. */
static nb_status
query_tree(run *r, uint8_t *state, int64_t from, int64_t to)
{
    while (from < to) {
        int level = -1;
        int64_t width = 1;
        while (level + 1 < r->tree.n_levels && from % (width * FANOUT) == 0 &&
               from + width * FANOUT <= to) {
            width *= FANOUT;
            level++;
        }
        if (level < 0) {
            int64_t stop = NB_MIN(to, (from / FANOUT + 1) * FANOUT);
            NB_TRY(update(r, state, from, stop));
            from = stop;
        } else {
            NB_TRY(merge(r, state, r->tree.levels[level] + (size_t)(from / width) * r->size));
            from += width;
        }
    }
    return NB_OK;
}

/* Writes the results of the n states to rows [at, at + n) of out. Values with parts of their own are kept for nb_window_out_close. */
static nb_status
finish(run *r, uint8_t *const *states, int64_t n, nb_window_out *out, int64_t at)
{
    nb_vector made;
    uint32_t idx[NB_BATCH_ROWS];

    NB_TRY(nb_vector_alloc(r->arena, out->flat->type, n, &made));
    NB_TRY(r->ops->finalize(&r->ctx, states, 0, n, &made));
    if (nb_type_storage(out->flat->type)->n_children > 0) {
        nb_vector *kept = NB_ARENA_NEW(r->arena, nb_vector);

        out->parts = nb_arena_grow(r->arena, out->parts, out->n_parts, &out->cap, sizeof kept);
        if (kept == NULL || out->parts == NULL) {
            return NB_NOMEM;
        }
        *kept = made;
        out->parts[out->n_parts++] = kept;
        return NB_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        idx[i] = (uint32_t)(at + i);
    }
    if (made.validity) {
        NB_TRY(nb_vector_need_validity(r->arena, out->flat));
    }
    return nb_vector_scatter(&made, NULL, out->flat, idx, n);
}

nb_status
nb_window_out_close(nb_window_out *out, nb_arena *arena)
{
    return out->n_parts ? nb_vector_concat(arena, out->parts, out->n_parts, out->flat) : NB_OK;
}

size_t
nb_window_state_bytes(const nb_window_fn *fn)
{
    return NB_ALIGN_UP((size_t)fn->fn->u.agg.ops->state_size + 1, 16);
}

nb_status
nb_window_aggregate(const nb_window *w, const nb_window_fn *fn, const nb_vector *args,
                    const nb_vector *filter, const int64_t *lo, const int64_t *hi,
                    nb_window_part part, nb_arena *arena, nb_window_out *out, int64_t at,
                    nb_error *err)
{
    run r = {.fn = fn,
             .ops = fn->fn->u.agg.ops,
             .args = args,
             .filter = filter,
             .arena = arena,
             .n = part.to - part.from,
             .ctx = {.memory = arena,
                     .scratch = arena,
                     .info = w->info,
                     .expr = fn->fn,
                     .payload = fn->fn->u.agg.payload,
                     .err = err}};
    uint8_t *states[NB_BATCH_ROWS], *snapshots, *state;
    int64_t cur_lo = 0, cur_hi = 0;
    bool has_state = false, plain = r.ops->serialize == NULL;
    int64_t batch = plain ? NB_BATCH_ROWS : 1, pending = 0, done = 0;

    r.size = nb_window_state_bytes(fn);
    if (fn->n_args > 8) {
        return nb_raise_unsupported(err, "An aggregate of more than 8 arguments in a window");
    }
    state = nb_arena_alloc(arena, r.size);
    snapshots = nb_arena_array(arena, (size_t)NB_MIN(batch, r.n), r.size);
    if (!state || !snapshots) {
        return NB_NOMEM;
    }
    if (nb_window_is_carried(w, part.from)) { /* frames begin where the partition does */
        memcpy(state, w->carry->states[fn - w->fns], r.size);
        has_state = true;
    }
    for (int64_t i = 0; i < r.n; i++) {
        int64_t l = lo[i] - part.from, h = hi[i] - part.from;
        if (i % CANCEL_EVERY == 0 && nb_cancelled(w->cancel)) {
            return NB_CANCELLED;
        }
        if (has_state && l == cur_lo && h >= cur_hi) {
            NB_TRY(update(&r, state, cur_hi, h));
        } else if (has_state && h - l > SHORT_FRAME && r.n > 2 * SHORT_FRAME) {
            if (r.tree.n_levels == 0) {
                NB_TRY(build_tree(&r));
            }
            clear(&r, state);
            NB_TRY(query_tree(&r, state, l, h));
        } else {
            clear(&r, state);
            NB_TRY(update(&r, state, l, h));
        }
        has_state = true;
        cur_lo = l;
        cur_hi = h;
        if (!plain) { /* what hangs off the state goes on changing: its result now */
            NB_TRY(finish(&r, &state, 1, out, at + i));
            continue;
        }
        states[pending] = snapshots + (size_t)pending * r.size;
        memcpy(states[pending++], state, r.size);
        if (pending == batch || i + 1 == r.n) {
            NB_TRY(finish(&r, states, pending, out, at + done));
            done += pending;
            pending = 0;
        }
    }
    if (w->carry != NULL && part.to == w->n_rows && w->carry->states[fn - w->fns] != NULL) {
        memcpy(w->carry->states[fn - w->fns], state, r.size);
    }
    return NB_OK;
}
