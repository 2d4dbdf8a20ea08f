/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash_aggregate.c: GROUP BY, DISTINCT and aggregates without keys: the sink.
 *
 *     open_local → push* → combine (per thread) → finalize (once) → make_source
 *
 * Algorithm  each thread has a table of its own (group_table.h), finds the rows of a batch there (aggregate_find.c) and updates their states. Sums of few
 *            groups are made per batch (aggregate_totals.c). The tables are merged by ranges of the hash when the source is read
 *            (aggregate_merge.c), in parallel. DISTINCT arguments have tables of their own (aggregate_distinct.c).
 * Memory     charged to the operator's pool. When the budget refuses, the thread writes its table to disk in order of the hashes, and
 *            begins anew; runs take part in the merge.
 * Threads    push works on its own state only; the lock guards the list of states.
 * Order      rows come out in order of hash and key, so they do not depend on threads, batches or spilling.
 * Spark      null is a key like others, NaN equals NaN, -0.0 equals 0.0; without keys there is one row, also for no input.
 */
#include "exec/hash_aggregate_internal.h"

#define SPILL_LEAST ((size_t)1 << 20)

/* ---- construction ---------------------------------------------------------------------------- */

static bool
same_arguments(const nb_expr *a, const nb_expr *b)
{
    if (a->n_args != b->n_args || (a->u.agg.filter == NULL) != (b->u.agg.filter == NULL) ||
        (a->u.agg.filter != NULL && !nb_expr_equal(a->u.agg.filter, b->u.agg.filter))) {
        return false;
    }
    for (int i = 0; i < a->n_args; i++) {
        if (!nb_expr_equal(a->args[i], b->args[i])) {
            return false;
        }
    }
    return true;
}

static nb_status
add_distinct(aggregate_op *op, agg_fn *fn)
{
    const nb_type **types;
    agg_distinct *d;

    for (int a = 0; &op->aggs[a] != fn; a++) {
        if (op->aggs[a].distinct >= 0 && same_arguments(op->aggs[a].expr, fn->expr)) {
            fn->distinct = op->aggs[a].distinct;
            return NB_OK;
        }
    }
    fn->distinct = op->n_distinct++;
    d = &op->distinct[fn->distinct];
    *d = (agg_distinct){
        .first_arg = fn->first_arg, .n_args = fn->expr->n_args, .filter = fn->filter};
    types = NB_ARENA_ARRAY(op->arena, const nb_type *, op->n_keys + d->n_args);
    if (types == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < op->n_keys; k++) {
        types[k] = op->exprs[k]->type;
    }
    for (int i = 0; i < d->n_args; i++) {
        types[op->n_keys + i] = fn->expr->args[i]->type;
    }
    return nb_key_layout_init(op->arena, types, op->n_keys + d->n_args, op->n_keys, &d->layout);
}

static nb_status
plan_functions(aggregate_op *op, nb_expr **keys, nb_expr **aggs)
{
    int n = op->n_keys, at;

    for (int a = 0; a < op->n_aggs; a++) {
        n += aggs[a]->n_args + 1;
    }
    op->exprs = NB_ARENA_ARRAY(op->arena, nb_expr *, n);
    op->aggs = nb_arena_zalloc(op->arena, (size_t)op->n_aggs * sizeof(agg_fn));
    op->distinct = nb_arena_zalloc(op->arena, (size_t)op->n_aggs * sizeof(agg_distinct));
    if (op->exprs == NULL || op->aggs == NULL || op->distinct == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < op->n_keys; k++) {
        op->exprs[op->n_exprs++] = keys[k];
    }
    at = op->layout.n_bytes;
    for (int a = 0; a < op->n_aggs; a++) {
        agg_fn *fn = &op->aggs[a];
        const nb_expr *e = aggs[a];

        *fn = (agg_fn){.expr = aggs[a],
                       .ops = e->u.agg.ops,
                       .first_arg = op->n_exprs,
                       .filter = -1,
                       .distinct = -1};
        for (int i = 0; i < e->n_args; i++) {
            op->exprs[op->n_exprs++] = e->args[i];
        }
        if (e->u.agg.filter != NULL) {
            fn->filter = op->n_exprs;
            op->exprs[op->n_exprs++] = e->u.agg.filter;
        }
        at = (int)NB_ALIGN_UP((size_t)at, NB_MAX(fn->ops->state_align, 8));
        fn->offset = at;
        at += fn->ops->state_size;
        op->has_init |= fn->ops->init != NULL;
        if (e->u.agg.distinct && e->n_args > 0) {
            NB_TRY(add_distinct(op, fn));
        }
    }
    for (int d = 0; d < op->n_distinct; d++) { /* one that sees every row */
        op->fed_only |= op->distinct[d].filter < 0;
    }
    for (int a = 0; a < op->n_aggs; a++) {
        op->fed_only &= op->aggs[a].distinct >= 0;
    }
    op->row_width = NB_MAX((int)NB_ALIGN_UP((size_t)at, 16), 16);
    return nb_agg_totals_plan(op);
}

static nb_status
aggregate_open_global(nb_operator *base, const nb_exec_ctx *ctx, nb_error *err)
{
    aggregate_op *op = (aggregate_op *)base;
    nb_node *node = base->node;
    const nb_type **types;

    op->ctx = ctx;
    op->pool = nb_pool_new(ctx->pool, "aggregate", 0);
    types = NB_ARENA_ARRAY(op->arena, const nb_type *, op->n_keys);
    if (op->pool == NULL || types == NULL) {
        return NB_NOMEM;
    }
    op->reserve = nb_pool_available(op->pool) / 4;
    op->share = op->reserve / (size_t)NB_MAX(ctx->n_threads, 1) * 3;
    for (int k = 0; k < op->n_keys; k++) {
        types[k] = node->u.aggregate.keys[k]->type;
    }
    NB_TRY(nb_key_layout_init(op->arena, types, op->n_keys, op->n_keys, &op->layout));
    op->layout.rehash = node->u.aggregate.rehash;
    NB_TRY(plan_functions(op, node->u.aggregate.keys, node->u.aggregate.aggs));
    return nb_agg_pass_open(op, err);
}

nb_agg_ctx
nb_aggregate_ctx(const aggregate_op *op, const agg_fn *fn, nb_arena *memory, nb_arena *scratch,
                 uint64_t order, nb_error *err)
{
    return (nb_agg_ctx){
        .memory = memory,
        .scratch = scratch,
        .info = op->ctx->info,
        .expr = fn->expr,
        .payload = fn->expr->u.agg.payload,
        .order = order,
        .err = err,
    };
}

void
nb_aggregate_init_rows(const aggregate_op *op, nb_arena *memory, uint8_t *rows, int64_t n)
{
    for (int a = 0; a < op->n_aggs && op->has_init; a++) {
        nb_agg_ctx ctx = nb_aggregate_ctx(op, &op->aggs[a], memory, memory, 0, NULL);

        if (op->aggs[a].ops->init == NULL) {
            continue;
        }
        for (int64_t i = 0; i < n; i++) {
            op->aggs[a].ops->init(&ctx, rows + i * op->row_width + op->aggs[a].offset);
        }
    }
}

static void
state_free(aggregate_op *op, agg_state *s)
{
    nb_group_table_free(&s->groups);
    nb_agg_aside_free(&s->aside, op->pool);
    for (int d = 0; d < op->n_distinct; d++) {
        if (s->distinct != NULL) {
            nb_group_table_free(&s->distinct[d]);
        }
        if (s->distinct_aside != NULL) {
            nb_agg_aside_free(&s->distinct_aside[d], op->pool);
        }
        for (int r = 0; s->distinct_runs != NULL && r < s->distinct_runs[d].n; r++) {
            nb_spill_file_free(s->distinct_runs[d].runs[r].file);
        }
    }
    for (int r = 0; r < s->runs.n; r++) {
        nb_spill_file_free(s->runs.runs[r].file);
    }
    nb_arena_free(s->memory);
}

static nb_status
state_init(aggregate_op *op, agg_state *s)
{
    s->memory = nb_arena_new(op->pool);
    s->distinct = nb_arena_zalloc(op->arena, (size_t)op->n_distinct * sizeof(nb_group_table));
    s->distinct_runs = nb_arena_zalloc(op->arena, (size_t)op->n_distinct * sizeof(agg_runs));
    s->distinct_aside = nb_arena_zalloc(op->arena, (size_t)op->n_distinct * sizeof(agg_aside));
    if (s->memory == NULL || s->distinct == NULL || s->distinct_runs == NULL ||
        s->distinct_aside == NULL) {
        return NB_NOMEM;
    }
    if (op->n_keys > 0) {
        NB_TRY(nb_group_table_init(&s->groups, op->pool, &op->layout, op->row_width));
    } else {
        s->single = nb_arena_zalloc(op->arena, (size_t)op->row_width);
        if (s->single == NULL) {
            return NB_NOMEM;
        }
        nb_aggregate_init_rows(op, s->memory, s->single, 1);
    }
    for (int d = 0; d < op->n_distinct; d++) {
        NB_TRY(nb_group_table_init(&s->distinct[d], op->pool, &op->distinct[d].layout,
                                   op->distinct[d].layout.n_bytes));
    }
    return NB_OK;
}

/* A new state in the operator's list. The run's arena is shared: only under the lock. */
static nb_status
new_state(aggregate_op *op, agg_state **out)
{
    nb_status st = NB_OK;
    agg_state *s;

    pthread_mutex_lock(&op->lock);
    s = NB_ARENA_NEW(op->arena, agg_state);
    if (s != NULL && op->n_states == op->cap_states) {
        int cap = op->cap_states ? 2 * op->cap_states : 8;
        agg_state **grown = NB_ARENA_ARRAY(op->arena, agg_state *, cap);

        if (grown != NULL && op->n_states > 0) {
            memcpy(grown, op->states, (size_t)op->n_states * sizeof(*grown));
        }
        op->states = grown ? grown : op->states;
        op->cap_states = grown ? cap : op->cap_states;
    }
    if (s == NULL || op->n_states == op->cap_states) {
        st = NB_NOMEM;
    } else {
        op->states[op->n_states++] = s;
        st = state_init(op, s);
    }
    pthread_mutex_unlock(&op->lock);
    *out = s;
    return st;
}

/* ---- threads --------------------------------------------------------------------------------- */

static nb_status
aggregate_open_local(nb_operator *base, nb_thread_ctx *t, void **local, nb_error *err)
{
    aggregate_op *op = (aggregate_op *)base;
    nb_arena *memory = nb_thread_memory(t);
    aggregate_local *l = NB_ARENA_NEW(memory, aggregate_local);

    if (l == NULL) {
        return NB_NOMEM;
    }
    l->numbers = NB_ARENA_ARRAY(memory, uint32_t, NB_BATCH_ROWS);
    l->rows = NB_ARENA_ARRAY(memory, uint8_t *, NB_BATCH_ROWS);
    l->hashes = NB_ARENA_ARRAY(memory, uint64_t, NB_BATCH_ROWS);
    l->order = UINT64_MAX;
    l->window_off = op->n_keys != 1;
    l->seen = nb_arena_zalloc(memory, sizeof(*l->seen) * (size_t)(op->n_distinct + 1));
    if (l->numbers == NULL || l->rows == NULL || l->hashes == NULL || l->seen == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(new_state(op, &l->state));
    NB_TRY(nb_eval_new(memory, op->exprs, op->n_exprs, op->ctx->info, &l->eval, err));
    nb_agg_near_open(op, l);
    *local = l; /* from here on it is closed */
    return nb_agg_pass_open_local(op, t, &l->pass, err);
}

static void
aggregate_close_local(nb_operator *base, void *local)
{
    aggregate_local *l = local;

    nb_agg_pass_close_local((aggregate_op *)base, &l->pass);
    nb_agg_near_close((aggregate_op *)base, l);
    nb_eval_free(l->eval);
}

/* ---- push ------------------------------------------------------------------------------------ */

/* Flat or constant, as aggregates want their arguments. */
static nb_status
evaluate(aggregate_local *l, int first, int n, nb_batch *batch, nb_vector *out, nb_error *err)
{
    for (int i = 0; i < n; i++) {
        NB_TRY(nb_eval_run(l->eval, first + i, batch, &out[i], err));
        if (out[i].kind == NB_VEC_DICT) {
            nb_vector flat;

            NB_TRY(nb_vector_flatten(batch->arena, &out[i], &flat));
            out[i] = flat;
        }
    }
    return NB_OK;
}

/* One aggregate's update with the rows that pass its filter. */
static nb_status
update(aggregate_op *op, aggregate_local *l, const agg_fn *fn, nb_batch *batch, nb_error *err)
{
    nb_arena *scratch = batch->arena;
    nb_agg_ctx ctx = nb_aggregate_ctx(op, fn, l->state->memory, scratch, batch->order, err);
    nb_vector *args = NB_ARENA_ARRAY(scratch, nb_vector, fn->expr->n_args + 1);
    uint8_t **rows = l->rows;
    nb_batch view = *batch;
    int64_t n = batch->n_rows;

    if (args == NULL) {
        return NB_NOMEM;
    }
    if (fn->filter >= 0) {
        const uint32_t *keep;

        NB_TRY(nb_eval_filter(l->eval, fn->filter, batch, &keep, &n, err));
        if (n == 0) {
            return NB_OK;
        }
        NB_TRY(nb_batch_view(batch, keep, n, &view));
        if (op->n_keys > 0) {
            rows = NB_ARENA_ARRAY(scratch, uint8_t *, n);
            if (rows == NULL) {
                return NB_NOMEM;
            }
            for (int64_t i = 0; i < n; i++) {
                rows[i] = l->rows[keep[i]];
            }
        }
    }
    NB_TRY(evaluate(l, fn->first_arg, fn->expr->n_args, &view, args, err));
    if (op->n_keys == 0) {
        return fn->ops->update_one(&ctx, args, n, l->state->single + fn->offset, l->row0);
    }
    return fn->ops->update(&ctx, args, n, rows, fn->offset, l->row0);
}

nb_status
nb_agg_spill_table(aggregate_op *op, aggregate_local *l, int set, nb_error *err)
{
    if (set < 0) {
        nb_agg_forget_rows(l);
    }
    return nb_aggregate_spill(op, l->state, set, err);
}

bool
nb_agg_must_spill(const aggregate_op *op, agg_state *s, int set)
{
    const nb_group_table *t = nb_agg_table(s, set);
    const agg_aside *a = nb_agg_aside(s, set);
    size_t available = nb_pool_available(op->pool), bytes = nb_group_table_bytes(t);
    size_t held = bytes + a->n_bytes + (set < 0 ? nb_arena_bytes(s->memory) : 0);

    if (t->n_rows == 0 && a->n == 0) {
        return false;
    }
    if (op->ctx->force_spill) {
        return true;
    }
    return held > SPILL_LEAST && available < SIZE_MAX / 8 &&
           (available < op->reserve || held > op->share ||
            (nb_group_table_is_full(t, NB_BATCH_ROWS) && 2 * bytes + op->reserve / 2 > available));
}

/* Before a batch. */
static nb_status
make_room(aggregate_op *op, aggregate_local *l, nb_error *err)
{
    for (int set = op->n_keys > 0 ? -1 : 0; set < op->n_distinct; set++) {
        if (nb_agg_must_spill(op, l->state, set)) {
            NB_TRY(nb_agg_spill_table(op, l, set, err));
        }
    }
    return NB_OK;
}

/* The rows of the keys; a table that has no room goes to disk first. */
static nb_status
find_groups(aggregate_op *op, aggregate_local *l, nb_thread_ctx *t, const nb_vector *keys,
            const nb_batch *batch, nb_error *err)
{
    nb_status st = NB_NOMEM;

    for (int attempt = 0; attempt < 2 && st == NB_NOMEM; attempt++) {
        if (attempt > 0) {
            if (l->state->groups.n_rows == 0 && l->state->aside.n == 0) {
                break;
            }
            NB_TRY(nb_agg_spill_table(op, l, -1, err));
        }
        st = l->near != NULL ? nb_agg_near_find(op, l, keys, batch->n_rows, batch->arena, err)
                             : nb_agg_find_groups(op, l, nb_thread_memory(t), keys, batch->n_rows,
                                                  batch->arena);
    }
    return st;
}

/* After a batch: tables that have left the caches are emptied. Not where rows are to pass instead, groups leave with their morsel, or are found by an array
 * or by codes. */
static void
look_aside(const aggregate_op *op, aggregate_local *l, int64_t n)
{
    bool by_hash = (l->window == NULL || l->window_off) && !l->codes_stand;

    if (op->n_keys > 0 && !op->fed_only && op->pass.put == NULL && l->near == NULL &&
        (by_hash || nb_agg_is_tested(op->ctx)) && nb_agg_aside_look(op, l->state, -1, n)) {
        nb_agg_forget_rows(l);
    }
    for (int d = 0; d < op->n_distinct; d++) {
        nb_agg_aside_look(op, l->state, d, n);
    }
}

static nb_status
aggregate_push(nb_operator *base, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    aggregate_op *op = (aggregate_op *)base;
    aggregate_local *l = local;
    nb_vector *keys = NB_ARENA_ARRAY(batch->arena, nb_vector, op->n_keys + 1);
    bool served = false;

    if (keys == NULL) {
        return NB_NOMEM;
    }
    if (l->near != NULL) {
        nb_status st = nb_agg_near_begin(op, l, t, batch->order, err);

        if (st != NB_OK) {
            return st;
        }
    }
    if (batch->order != l->order) {
        l->order = batch->order;
        l->row0 = 0;
    }
    NB_TRY(make_room(op, l, err));
    for (int k = 0; k < op->n_keys; k++) {
        NB_TRY(nb_eval_run(l->eval, k, batch, &keys[k], err));
    }
    if (l->pass.on) {
        return nb_agg_pass_push(op, &l->pass, l->eval, t, keys, batch, err);
    }
    if (op->n_keys > 0 && !op->fed_only) {
        NB_TRY(find_groups(op, l, t, keys, batch, err));
    }
    for (int d = 0; d < op->n_distinct; d++) {
        NB_TRY(nb_agg_distinct_push(op, l, nb_thread_memory(t), d, keys, batch, err));
    }
    if (l->near == NULL) {
        NB_TRY(nb_agg_totals_push(op, l->eval, l->state, l->numbers, batch, &served, err));
    }
    for (int a = 0; a < op->n_aggs; a++) {
        if (op->aggs[a].distinct < 0 && !(served && nb_agg_totals_has(op, a))) {
            NB_TRY(update(op, l, &op->aggs[a], batch, err));
        }
    }
    l->row0 += batch->n_rows;
    l->n_seen += batch->n_rows;
    nb_agg_pass_count(op, &l->pass, l->state->groups.n_rows, batch->n_rows);
    look_aside(op, l, batch->n_rows);
    return NB_OK;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Without keys: all states into the first. */
static nb_status
merge_single(aggregate_op *op, nb_error *err)
{
    nb_arena *scratch = nb_arena_new(op->pool);
    nb_status st = scratch ? NB_OK : NB_NOMEM;

    for (int s = 1; s < op->n_states && st == NB_OK; s++) {
        for (int a = 0; a < op->n_aggs && st == NB_OK; a++) {
            const agg_fn *fn = &op->aggs[a];
            nb_agg_ctx ctx = nb_aggregate_ctx(op, fn, op->states[0]->memory, scratch, 0, err);

            st =
                fn->ops->merge(&ctx, &op->states[0]->single, &op->states[s]->single, fn->offset, 1);
        }
    }
    nb_arena_free(scratch);
    return st;
}

/* What is left in memory of tables that have been on disk goes there too: merging them needs room, and so does what comes next. */
static nb_status
spill_rest(aggregate_op *op, int set, nb_error *err)
{
    bool any = false;

    for (int i = 0; i < op->n_states; i++) {
        const agg_state *s = op->states[i];

        any |= (set >= 0 ? s->distinct_runs[set].n : s->runs.n) > 0;
    }
    for (int i = 0; any && i < op->n_states; i++) {
        agg_state *s = op->states[i];

        if (nb_agg_table(s, set)->n_rows > 0 || nb_agg_aside(s, set)->n > 0) {
            NB_TRY(nb_aggregate_spill(op, s, set, err));
        }
    }
    return NB_OK;
}

static nb_status
aggregate_finalize(nb_operator *base, const nb_exec_ctx *ctx, nb_error *err)
{
    aggregate_op *op = (aggregate_op *)base;

    if (op->n_states == 0) {
        agg_state *s;
        NB_TRY(new_state(op, &s));
    }
    for (int d = -1; d < op->n_distinct; d++) {
        if (d >= 0 || op->n_keys > 0) {
            NB_TRY(spill_rest(op, d, err));
        }
    }
    for (int d = 0; d < op->n_distinct; d++) {
        NB_TRY(nb_agg_distinct_feed(op, d, err));
    }
    if (op->n_keys > 0 && op->n_distinct > 0) {
        NB_TRY(spill_rest(op, -1, err));
    }
    nb_metrics_peak(base->node, (int64_t)nb_pool_peak(op->pool));
    NB_TRY(nb_agg_pass_finalize(op, err));
    (void)ctx;
    return op->n_keys == 0 ? merge_single(op, err) : NB_OK;
}

static nb_status
aggregate_make_source(nb_operator *base, const nb_exec_ctx *ctx, nb_source **out, nb_error *err)
{
    (void)ctx;
    (void)err;
    return nb_aggregate_source_new((aggregate_op *)base, out);
}

static void
aggregate_close(nb_operator *base)
{
    aggregate_op *op = (aggregate_op *)base;

    nb_agg_pass_close(op);
    for (int s = 0; s < op->n_states; s++) {
        state_free(op, op->states[s]);
    }
    nb_pool_free(op->pool);
    pthread_mutex_destroy(&op->lock);
}

/* As an operator of its stream: what the tables have is drained. */
static nb_status
clustered_flush(nb_operator *base, void *local, nb_thread_ctx *t, nb_error *err)
{
    aggregate_local *l = local;

    return l->near != NULL ? nb_agg_near_flush((aggregate_op *)base, l, t, err) : NB_OK;
}

static nb_status
clustered_make_source(nb_operator *base, const nb_exec_ctx *ctx, nb_source **out, nb_error *err)
{
    NB_TRY(aggregate_finalize(base, ctx, err));
    return aggregate_make_source(base, ctx, out, err);
}

static const nb_operator_ops CLUSTERED = {
    .name = "HashAggregate",
    .open_global = aggregate_open_global,
    .open_local = aggregate_open_local,
    .push = aggregate_push,
    .flush = clustered_flush,
    .make_source = clustered_make_source,
    .close_local = aggregate_close_local,
    .close = aggregate_close,
};

static const nb_operator_ops AGGREGATE = {
    .name = "HashAggregate",
    .open_global = aggregate_open_global,
    .open_local = aggregate_open_local,
    .push = aggregate_push,
    .finalize = aggregate_finalize,
    .make_source = aggregate_make_source,
    .close_local = aggregate_close_local,
    .close = aggregate_close,
};

nb_status
nb_aggregate_new(nb_run *run, nb_node *node, nb_operator **out)
{
    aggregate_op *op = NB_OPERATOR_NEW(run, aggregate_op, &AGGREGATE, node);

    if (op == NULL) {
        return NB_NOMEM;
    }
    op->arena = nb_run_arena(run);
    op->n_keys = node->u.aggregate.n_keys;
    op->n_aggs = node->u.aggregate.n_aggs;
    pthread_mutex_init(&op->lock, NULL);
    *out = &op->base;
    return nb_agg_pass_new(run, op);
}

nb_status
nb_aggregate_add_to(nb_run *run, nb_operator *base, nb_stream *below, bool *done, nb_error *err)
{
    NB_TRY(nb_agg_cluster_plan(run, (aggregate_op *)base, below, done));
    if (!*done) {
        return NB_OK;
    }
    base->ops = &CLUSTERED;
    NB_TRY(nb_stream_push(run, below, base, err));
    below->branches[0].sealed = true;
    below->n_partitions = 1;
    return nb_stream_add_drain(run, below, base, base->node, 0);
}
