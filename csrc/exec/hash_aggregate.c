/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash_aggregate.c: GROUP BY, DISTINCT and aggregates without keys: the sink.
 *
 *     open_local → push* → combine (per thread) → finalize (once) → make_source
 *
 * Algorithm  each thread has a table of its own (group_table.h) and updates its states batch by batch. Where a single integer key stays
 *            within WINDOW values (WIDE_WINDOW after many rows), an array from value to row takes the place of hashing; dictionary keys with few combinations
 *            of entries are looked up once per combination. Sums of few groups are made per batch (aggregate_totals.c). The tables are merged by ranges of the hash when the source is read (aggregate_merge.c), in parallel.
 * DISTINCT   keys and arguments go to a second table per set of arguments. At the end its distinct rows are fed, range by range, into
 *            the first one, where they meet the aggregates that need no DISTINCT.
 * Memory     charged to the operator's pool. When the budget refuses, the thread writes its table to disk in order of the hashes, and
 *            begins anew; runs take part in the merge.
 * Threads    push works on its own state only; the lock guards the list of states.
 * Order      rows come out in order of hash and key, so they do not depend on threads, batches or spilling.
 * Spark      null is a key like others, NaN equals NaN, -0.0 equals 0.0; without keys there is one row, also for no input.
 */
#include "exec/hash_aggregate_internal.h"

#include "base/thread.h"

#define WINDOW      (1 << 16)
#define WIDE_WINDOW (1 << 20) /* for keys of a table that is large anyway */
#define WIDE_AFTER  (1 << 17) /* rows */
#define DICT_CACHE  4096
#define SPILL_LEAST ((size_t)1 << 20)

typedef struct aggregate_local {
    agg_state *state;
    nb_eval *eval;
    uint64_t order;
    int64_t row0; /* rows of the morsel so far */
    uint32_t *numbers;
    uint8_t **rows;
    uint64_t *hashes;
    uint32_t *window; /* value - base → row + 1; NULL: not (yet) in use */
    uint32_t window_null;
    int64_t window_base;
    int64_t window_size;
    bool window_off, window_was_widened;
    int64_t n_seen;      /* rows */
    uint32_t *dict_rows; /* combination of entries → row + 1, for the dictionaries dict_ids */
    uint64_t *dict_ids;  /* per key; 0: one that will not come again */
} aggregate_local;

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
    op->row_width = NB_MAX((int)NB_ALIGN_UP((size_t)at, 16), 16);
    return nb_agg_totals_plan(op);
}

static nb_status
aggregate_open_global(nb_operator *base, const nb_exec_ctx *ctx, nb_error *err)
{
    aggregate_op *op = (aggregate_op *)base;
    nb_node *node = base->node;
    const nb_type **types;

    (void)err;
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
    return plan_functions(op, node->u.aggregate.keys, node->u.aggregate.aggs);
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
    for (int d = 0; d < op->n_distinct; d++) {
        if (s->distinct != NULL) {
            nb_group_table_free(&s->distinct[d]);
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
    if (s->memory == NULL || s->distinct == NULL || s->distinct_runs == NULL) {
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
    if (l->numbers == NULL || l->rows == NULL || l->hashes == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(new_state(op, &l->state));
    NB_TRY(nb_eval_new(memory, op->exprs, op->n_exprs, op->ctx->info, &l->eval, err));
    *local = l;
    return NB_OK;
}

static void
aggregate_close_local(nb_operator *base, void *local)
{
    (void)base;
    nb_eval_free(((aggregate_local *)local)->eval);
}

/* ---- finding the groups of a batch ----------------------------------------------------------- */

/* Looks up the first of each run of equal images of 8 bytes only, when runs are long enough; *done: so they were. Files that were written in the order
 * of a key bring such runs. */
static nb_status
find_runs(aggregate_op *op, aggregate_local *l, const uint64_t *images, int64_t n,
          nb_arena *scratch, uint32_t *out, bool *done)
{
    nb_group_table *t = &l->state->groups;
    uint64_t *firsts;
    int64_t n_runs = 1, at = -1;

    *done = false;
    for (int64_t i = 1; i < n; i++) {
        n_runs += images[i] != images[i - 1];
    }
    if (n_runs > n / 2) {
        return NB_OK;
    }
    firsts = NB_ARENA_ARRAY(scratch, uint64_t, n + 1);
    if (firsts == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        at += i == 0 || images[i] != images[i - 1];
        firsts[at] = images[i];
    }
    nb_keys_hash(&op->layout, 1, (const uint8_t *)firsts, n_runs, l->hashes);
    NB_TRY(nb_group_table_find(t, (const uint8_t *)firsts, l->hashes, n_runs, out));
    for (int64_t i = n - 1, run = n_runs - 1; i >= 0; i--) { /* from the back: run <= i */
        out[i] = out[run];
        run -= i > 0 && images[i] != images[i - 1];
    }
    *done = true;
    return NB_OK;
}

/* Row numbers of idx[0..n) (NULL: 0..n) of the keys, through the hash table; out[i] belongs to idx[i]. */
static nb_status
find_by_hash(aggregate_op *op, aggregate_local *l, const nb_vector *keys, const uint32_t *idx,
             int64_t n, nb_arena *scratch, uint32_t *out)
{
    nb_group_table *t = &l->state->groups;
    uint8_t *images = nb_arena_alloc64(scratch, (size_t)n * (size_t)op->layout.n_bytes);
    uint32_t before = t->n_rows;
    nb_status st = NB_OK;
    bool done = false;

    if (images == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_keys_encode(&op->layout, keys, idx, n, scratch, images));
    if (op->layout.n_bytes == 8) {
        st = find_runs(op, l, (const uint64_t *)(const void *)images, n, scratch, out, &done);
    }
    if (st == NB_OK && !done) {
        nb_keys_hash(&op->layout, 1, images, n, l->hashes);
        st = nb_group_table_find(t, images, l->hashes, n, out);
    }
    if (t->n_rows > before) {
        nb_aggregate_init_rows(op, l->state->memory, nb_group_row(t, before), t->n_rows - before);
    }
    return st;
}

#define NB_T       int8_t
#define NB_NAME(f) int8_##f
#include "exec/aggregate_window_tmpl.h"
#define NB_T       int16_t
#define NB_NAME(f) int16_##f
#include "exec/aggregate_window_tmpl.h"
#define NB_T       int32_t
#define NB_NAME(f) int32_##f
#include "exec/aggregate_window_tmpl.h"
#define NB_T       int64_t
#define NB_NAME(f) int64_##f
#include "exec/aggregate_window_tmpl.h"

/* Values from least to greatest, of rows that are not null; false when there are none. */
static bool
key_range(const nb_vector *key, int64_t n, int64_t *least, int64_t *greatest)
{
    switch (nb_type_storage(key->type)->phys) {
    case NB_PHYS_BOOL:
    case NB_PHYS_INT8: return int8_range(key->data, key->validity, n, least, greatest);
    case NB_PHYS_INT16: return int16_range(key->data, key->validity, n, least, greatest);
    case NB_PHYS_INT32: return int32_range(key->data, key->validity, n, least, greatest);
    default: return int64_range(key->data, key->validity, n, least, greatest);
    }
}

static int64_t
look_up(const nb_vector *key, int64_t n, const aggregate_local *l, uint32_t *out, uint32_t *missing)
{
    const uint32_t *w = l->window;
    int64_t base = l->window_base;

    switch (nb_type_storage(key->type)->phys) {
    case NB_PHYS_BOOL:
    case NB_PHYS_INT8:
        return int8_look_up(key->data, key->validity, n, w, base, l->window_null, out, missing);
    case NB_PHYS_INT16:
        return int16_look_up(key->data, key->validity, n, w, base, l->window_null, out, missing);
    case NB_PHYS_INT32:
        return int32_look_up(key->data, key->validity, n, w, base, l->window_null, out, missing);
    default:
        return int64_look_up(key->data, key->validity, n, w, base, l->window_null, out, missing);
    }
}

static int64_t
key_value(const nb_vector *key, int64_t i)
{
    switch (nb_type_storage(key->type)->phys) {
    case NB_PHYS_BOOL:
    case NB_PHYS_INT8: return NB_DATA(int8_t, key)[i];
    case NB_PHYS_INT16: return NB_DATA(int16_t, key)[i];
    case NB_PHYS_INT32: return NB_DATA(int32_t, key)[i];
    default: return NB_DATA(int64_t, key)[i];
    }
}

/* Rows that are not in the map yet are found by hash, once per batch, and entered. */
static nb_status
find_by_window(aggregate_op *op, aggregate_local *l, const nb_vector *key, int64_t n,
               nb_arena *scratch)
{
    uint32_t *missing = NB_ARENA_ARRAY(scratch, uint32_t, n), *found;
    int64_t n_missing;

    if (missing == NULL) {
        return NB_NOMEM;
    }
    n_missing = look_up(key, n, l, l->numbers, missing);
    if (n_missing == 0) {
        return NB_OK;
    }
    found = NB_ARENA_ARRAY(scratch, uint32_t, n_missing);
    if (found == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(find_by_hash(op, l, key, missing, n_missing, scratch, found));
    for (int64_t k = 0; k < n_missing; k++) {
        uint32_t i = missing[k];

        l->numbers[i] = found[k];
        if (nb_is_valid(key->validity, i)) {
            l->window[key_value(key, i) - l->window_base] = found[k] + 1;
        } else {
            l->window_null = found[k] + 1;
        }
    }
    return NB_OK;
}

/* A window around these values; none when they are too far apart. */
static void
make_window(aggregate_local *l, int64_t least, int64_t greatest, int64_t size, nb_arena *memory)
{
    uint64_t width = (uint64_t)greatest - (uint64_t)least;

    if (width >= (uint64_t)size || least <= INT64_MIN / 2 || greatest >= INT64_MAX / 2) {
        return;
    }
    /* in the middle, as later batches may go to either side */
    l->window_base = least - (size - (int64_t)width) / 2;
    if (least >= 0 && greatest < size) {
        l->window_base = 0;
    }
    l->window = nb_arena_zalloc(memory, (size_t)size * sizeof(uint32_t));
    l->window_size = size;
}

/* Decides whether the window serves this batch; makes, widens or gives it up. */
static bool
window_fits(aggregate_op *op, aggregate_local *l, const nb_vector *key, int64_t n, nb_arena *memory)
{
    nb_phys phys = nb_type_storage(key->type)->phys;
    bool widen = op->n_keys == 1 && l->n_seen > WIDE_AFTER && !l->window_was_widened &&
                 op->reserve / 16 > WIDE_WINDOW * sizeof(uint32_t);
    int64_t least, greatest;

    if ((l->window_off && !widen) || key->kind != NB_VEC_FLAT) {
        return false;
    }
    if (phys < NB_PHYS_BOOL || phys > NB_PHYS_INT64) {
        l->window_off = l->window_was_widened = true;
        return false;
    }
    if (!key_range(key, n, &least, &greatest)) {
        least = greatest = l->window ? l->window_base : 0;
    }
    if (l->window_off && widen) {
        l->window_was_widened = true;
        l->window = NULL;
        make_window(l, least, greatest, WIDE_WINDOW, memory);
        l->window_off = false;
    } else if (l->window == NULL) {
        make_window(l, least, greatest, WINDOW, memory);
    }
    if (l->window == NULL || least < l->window_base ||
        (uint64_t)greatest - (uint64_t)l->window_base >= (uint64_t)l->window_size) {
        l->window_off = true;
        return false;
    }
    return true;
}

/* Do all keys have dictionaries, with few combinations of entries? */
static bool
are_dictionaries(const nb_vector *keys, int n_keys)
{
    int64_t combinations = 1;

    for (int k = 0; k < n_keys; k++) {
        if (keys[k].kind != NB_VEC_DICT || keys[k].dict->n_rows > DICT_CACHE) {
            return false;
        }
        combinations *= keys[k].dict->n_rows;
        if (combinations > DICT_CACHE) {
            return false;
        }
    }
    return n_keys > 0;
}

/* Makes the cache one of these dictionaries: kept while batches bring the same ones. */
static nb_status
open_dict_cache(aggregate_local *l, const nb_vector *keys, int n_keys, nb_arena *memory)
{
    bool same = l->dict_rows != NULL;
    size_t combinations = 1;

    if (l->dict_rows == NULL) {
        l->dict_rows = NB_ARENA_ARRAY(memory, uint32_t, DICT_CACHE);
        l->dict_ids = nb_arena_zalloc(memory, sizeof(uint64_t) * (size_t)n_keys);
        if (l->dict_rows == NULL || l->dict_ids == NULL) {
            l->dict_rows = NULL;
            return NB_NOMEM;
        }
    }
    for (int k = 0; k < n_keys; k++) {
        same &= keys[k].dict_id != 0 && keys[k].dict_id == l->dict_ids[k];
        l->dict_ids[k] = keys[k].dict_id;
        combinations *= (size_t)keys[k].dict->n_rows;
    }
    if (!same) {
        memset(l->dict_rows, 0, combinations * sizeof(uint32_t));
    }
    return NB_OK;
}

/* Dictionary keys: each combination of entries is looked up by hash once. */
static nb_status
find_by_dictionary(aggregate_op *op, aggregate_local *l, const nb_vector *keys, int64_t n,
                   nb_arena *memory, nb_arena *scratch)
{
    uint32_t *missing = NB_ARENA_ARRAY(scratch, uint32_t, n), *found;
    const uint32_t *codes = keys[0].indices;
    int64_t n_missing = 0;
    nb_status st;

    NB_TRY(open_dict_cache(l, keys, op->n_keys, memory));
    if (missing == NULL) {
        return NB_NOMEM;
    }
    if (op->n_keys > 1) {
        uint32_t *mixed = NB_ARENA_ARRAY(scratch, uint32_t, n);

        if (mixed == NULL) {
            return NB_NOMEM;
        }
        memcpy(mixed, codes, sizeof(uint32_t) * (size_t)n);
        for (int k = 1; k < op->n_keys; k++) {
            uint32_t entries = (uint32_t)keys[k].dict->n_rows;
            const uint32_t *more = keys[k].indices;

            for (int64_t i = 0; i < n; i++) {
                mixed[i] = mixed[i] * entries + more[i];
            }
        }
        codes = mixed;
    }
    for (int64_t i = 0; i < n; i++) {
        uint32_t row = l->dict_rows[codes[i]];

        l->numbers[i] = row - 1;
        if (NB_UNLIKELY(row == 0)) {
            l->dict_rows[codes[i]] = UINT32_MAX; /* asked for: once is enough */
            missing[n_missing++] = (uint32_t)i;
        }
    }
    if (n_missing == 0) {
        return NB_OK;
    }
    found = NB_ARENA_ARRAY(scratch, uint32_t, n_missing);
    st = found ? find_by_hash(op, l, keys, missing, n_missing, scratch, found) : NB_NOMEM;
    for (int64_t k = 0; k < n_missing; k++) {
        l->dict_rows[codes[missing[k]]] = st < 0 ? 0 : found[k] + 1;
    }
    NB_TRY(st);
    for (int64_t i = 0; i < n; i++) {
        l->numbers[i] = l->dict_rows[codes[i]] - 1;
    }
    return NB_OK;
}

static nb_status
find_groups(aggregate_op *op, aggregate_local *l, nb_thread_ctx *t, const nb_vector *keys,
            int64_t n, nb_arena *scratch)
{
    if (are_dictionaries(keys, op->n_keys)) {
        NB_TRY(find_by_dictionary(op, l, keys, n, nb_thread_memory(t), scratch));
    } else if (window_fits(op, l, &keys[0], n, nb_thread_memory(t))) {
        NB_TRY(find_by_window(op, l, &keys[0], n, scratch));
    } else {
        NB_TRY(find_by_hash(op, l, keys, NULL, n, scratch, l->numbers));
    }
    for (int64_t i = 0; i < n; i++) {
        l->rows[i] = nb_group_row(&l->state->groups, l->numbers[i]);
    }
    return NB_OK;
}

/* The caches name rows of the table. */
static void
forget_rows(aggregate_local *l)
{
    if (l->window != NULL) {
        memset(l->window, 0, (size_t)l->window_size * sizeof(uint32_t));
    }
    l->window_null = 0;
    l->dict_rows = NULL;
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

static nb_status
spill_table(aggregate_op *op, aggregate_local *l, int set, nb_error *err)
{
    agg_state *s = l->state;

    if (set >= 0) {
        return nb_aggregate_spill(op, &s->distinct[set], false, NULL, &s->distinct_runs[set], err);
    }
    forget_rows(l);
    return nb_aggregate_spill(op, &s->groups, true, &s->memory, &s->runs, err);
}

/* Keys and arguments of a DISTINCT set go to its table. */
static nb_status
push_distinct(aggregate_op *op, aggregate_local *l, int set, const nb_vector *keys, nb_batch *batch,
              nb_error *err)
{
    const agg_distinct *d = &op->distinct[set];
    nb_arena *scratch = batch->arena;
    nb_vector *cols = NB_ARENA_ARRAY(scratch, nb_vector, op->n_keys + d->n_args);
    uint32_t *numbers = NB_ARENA_ARRAY(scratch, uint32_t, batch->n_rows);
    uint8_t *images = nb_arena_alloc64(scratch, (size_t)batch->n_rows * (size_t)d->layout.n_bytes);
    const uint32_t *keep = NULL;
    int64_t n = batch->n_rows;
    nb_status st;

    if (cols == NULL || numbers == NULL || images == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < op->n_keys; k++) {
        cols[k] = keys[k];
    }
    for (int i = 0; i < d->n_args; i++) {
        NB_TRY(nb_eval_run(l->eval, d->first_arg + i, batch, &cols[op->n_keys + i], err));
    }
    if (d->filter >= 0) {
        NB_TRY(nb_eval_filter(l->eval, d->filter, batch, &keep, &n, err));
    }
    NB_TRY(nb_keys_encode(&d->layout, cols, keep, n, scratch, images));
    nb_keys_hash(&d->layout, d->layout.n_sections, images, n, l->hashes);
    st = nb_group_table_find(&l->state->distinct[set], images, l->hashes, n, numbers);
    if (st == NB_NOMEM && l->state->distinct[set].n_rows > 0) {
        NB_TRY(spill_table(op, l, set, err));
        st = nb_group_table_find(&l->state->distinct[set], images, l->hashes, n, numbers);
    }
    return st;
}

/* Is it time to write a table out that holds so many bytes? While there is still room to work, and before it grows into what others need. */
static bool
must_spill(const aggregate_op *op, const nb_group_table *t, size_t held)
{
    size_t available = nb_pool_available(op->pool);

    if (t->n_rows == 0) {
        return false;
    }
    if (op->ctx->force_spill) {
        return true;
    }
    return held > SPILL_LEAST && available < SIZE_MAX / 8 &&
           (available < op->reserve || held > op->share ||
            (nb_group_table_is_full(t, NB_BATCH_ROWS) &&
             2 * nb_group_table_bytes(t) + op->reserve / 2 > available));
}

/* Before a batch. */
static nb_status
make_room(aggregate_op *op, aggregate_local *l, nb_error *err)
{
    agg_state *s = l->state;

    if (op->n_keys > 0 &&
        must_spill(op, &s->groups, nb_group_table_bytes(&s->groups) + nb_arena_bytes(s->memory))) {
        NB_TRY(spill_table(op, l, -1, err));
    }
    for (int d = 0; d < op->n_distinct; d++) {
        if (must_spill(op, &s->distinct[d], nb_group_table_bytes(&s->distinct[d]))) {
            NB_TRY(spill_table(op, l, d, err));
        }
    }
    return NB_OK;
}

static nb_status
aggregate_push(nb_operator *base, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    aggregate_op *op = (aggregate_op *)base;
    aggregate_local *l = local;
    nb_vector *keys = NB_ARENA_ARRAY(batch->arena, nb_vector, op->n_keys + 1);
    bool served;
    nb_status st;

    if (keys == NULL) {
        return NB_NOMEM;
    }
    if (batch->order != l->order) {
        l->order = batch->order;
        l->row0 = 0;
    }
    NB_TRY(make_room(op, l, err));
    for (int k = 0; k < op->n_keys; k++) {
        NB_TRY(nb_eval_run(l->eval, k, batch, &keys[k], err));
    }
    if (op->n_keys > 0) {
        st = find_groups(op, l, t, keys, batch->n_rows, batch->arena);
        if (st == NB_NOMEM && l->state->groups.n_rows > 0) {
            NB_TRY(spill_table(op, l, -1, err));
            st = find_groups(op, l, t, keys, batch->n_rows, batch->arena);
        }
        NB_TRY(st);
    }
    for (int d = 0; d < op->n_distinct; d++) {
        NB_TRY(push_distinct(op, l, d, keys, batch, err));
    }
    NB_TRY(nb_agg_totals_push(op, l->eval, l->state, l->numbers, batch, &served, err));
    for (int a = 0; a < op->n_aggs; a++) {
        if (op->aggs[a].distinct < 0 && !(served && nb_agg_totals_has(op, a))) {
            NB_TRY(update(op, l, &op->aggs[a], batch, err));
        }
    }
    l->row0 += batch->n_rows;
    l->n_seen += batch->n_rows;
    return NB_OK;
}

/* ---- the end --------------------------------------------------------------------------------- */

/* Feeds the distinct rows of one set, range by range, to the states of so many threads. */
typedef struct feed {
    aggregate_op *op;
    int set, n_parts;
    atomic_int next_part;
    atomic_int status;
    pthread_mutex_t lock;
    nb_error *err;
} feed;

static nb_status
feed_rows(feed *f, agg_state *s, int part, uint8_t **rows, int64_t n, nb_arena *scratch,
          nb_error *err)
{
    aggregate_op *op = f->op;
    const agg_distinct *d = &op->distinct[f->set];
    nb_vector *args = NB_ARENA_ARRAY(scratch, nb_vector, d->n_args);
    uint8_t **into = NB_ARENA_ARRAY(scratch, uint8_t *, n);
    uint64_t *hashes = NB_ARENA_ARRAY(scratch, uint64_t, n);
    uint32_t *numbers = NB_ARENA_ARRAY(scratch, uint32_t, n);
    uint8_t *images = nb_arena_alloc64(scratch, (size_t)n * (size_t)op->layout.n_bytes);
    nb_status st;

    if (args == NULL || into == NULL || hashes == NULL || numbers == NULL || images == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < d->n_args; i++) {
        NB_TRY(nb_keys_decode(&d->layout, op->n_keys + i, rows, 0, n, scratch, &args[i]));
    }
    if (op->n_keys > 0) {
        uint32_t before = s->groups.n_rows;

        /* section 0 of a set's image is the image of the keys */
        for (int64_t i = 0; i < n; i++) {
            memcpy(images + i * op->layout.n_bytes, rows[i], (size_t)op->layout.n_bytes);
        }
        nb_keys_hash(&op->layout, 1, images, n, hashes);
        st = NB_NOMEM;
        if (!must_spill(op, &s->groups,
                        nb_group_table_bytes(&s->groups) + nb_arena_bytes(s->memory))) {
            st = nb_group_table_find(&s->groups, images, hashes, n, numbers);
        }
        if (st == NB_NOMEM && s->groups.n_rows > 0) {
            NB_TRY(nb_aggregate_spill(op, &s->groups, true, &s->memory, &s->runs, err));
            before = 0;
            st = nb_group_table_find(&s->groups, images, hashes, n, numbers);
        }
        NB_TRY(st);
        nb_aggregate_init_rows(op, s->memory, nb_group_row(&s->groups, before),
                               s->groups.n_rows - before);
        for (int64_t i = 0; i < n; i++) {
            into[i] = nb_group_row(&s->groups, numbers[i]);
        }
    }
    for (int a = 0; a < op->n_aggs; a++) {
        const agg_fn *fn = &op->aggs[a];
        nb_agg_ctx ctx = nb_aggregate_ctx(op, fn, s->memory, scratch, (uint64_t)part, err);

        if (fn->distinct != f->set) {
            continue;
        }
        NB_TRY(op->n_keys > 0 ? fn->ops->update(&ctx, args, n, into, fn->offset, 0)
                              : fn->ops->update_one(&ctx, args, n, s->single + fn->offset, 0));
    }
    return NB_OK;
}

static nb_status
feed_parts(feed *f, agg_state *s, nb_arena *scratch, agg_merge *m, nb_error *err)
{
    for (;;) {
        int part = atomic_fetch_add(&f->next_part, 1);
        int shift = 32 - __builtin_ctz((unsigned)f->n_parts);
        uint64_t low = (uint64_t)part << shift, high = (((uint64_t)part + 1) << shift) - 1;
        uint8_t **rows;
        int64_t n;

        if (part >= f->n_parts) {
            return NB_OK;
        }
        NB_TRY(nb_agg_merge_part(m, part, (uint32_t)low, (uint32_t)high, &rows, &n, err));
        for (int64_t at = 0; at < n; at += NB_BATCH_ROWS) {
            if (atomic_load(&f->status) < 0 || nb_cancelled(f->op->ctx->cancel)) {
                return NB_CANCELLED;
            }
            nb_arena_reset(scratch);
            NB_TRY(feed_rows(f, s, part, rows + at, NB_MIN(n - at, NB_BATCH_ROWS), scratch, err));
        }
    }
}

static void
feed_main(void *payload, int i)
{
    feed *f = payload;
    nb_error err = NB_ERROR_INIT;
    nb_arena *scratch = nb_arena_new(f->op->pool);
    agg_merge *m = NULL;
    nb_status st = scratch ? nb_agg_merge_new(f->op, f->set, &m) : NB_NOMEM;

    if (st == NB_OK) {
        st = feed_parts(f, f->op->states[i], scratch, m, &err);
    }
    nb_agg_merge_free(m);
    nb_arena_free(scratch);
    if (st < 0) {
        pthread_mutex_lock(&f->lock);
        if (atomic_load(&f->status) == NB_OK) {
            atomic_store(&f->status, st);
            nb_error_move(&err, f->err);
        }
        pthread_mutex_unlock(&f->lock);
        nb_error_clear(&err);
    }
}

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
        nb_group_table *t = set >= 0 ? &s->distinct[set] : &s->groups;

        if (t->n_rows > 0) {
            NB_TRY(nb_aggregate_spill(op, t, set < 0, set < 0 ? &s->memory : NULL,
                                      set < 0 ? &s->runs : &s->distinct_runs[set], err));
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
        feed f = {.op = op, .set = d, .err = err, .n_parts = nb_agg_merge_parts(op, d)};

        pthread_mutex_init(&f.lock, NULL);
        nb_threads_run(NB_MIN(op->n_states, f.n_parts), feed_main, &f);
        pthread_mutex_destroy(&f.lock);
        NB_TRY((nb_status)atomic_load(&f.status));
        for (int s = 0; s < op->n_states; s++) { /* not needed any more */
            nb_group_table_free(&op->states[s]->distinct[d]);
        }
    }
    if (op->n_keys > 0 && op->n_distinct > 0) {
        NB_TRY(spill_rest(op, -1, err));
    }
    nb_metrics_peak(base->node, (int64_t)nb_pool_peak(op->pool));
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

    for (int s = 0; s < op->n_states; s++) {
        state_free(op, op->states[s]);
    }
    nb_pool_free(op->pool);
    pthread_mutex_destroy(&op->lock);
}

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
    return NB_OK;
}
