/* SPDX-License-Identifier: Apache-2.0 */
/*
 * group_limit.c: leaves out rows, before a window sorts them, that are certainly not among the first `limit` of their partition.
 *
 * Algorithm  a table finds a row's partition, which has the `limit` least codes (sort_code.h) of the first order key that the thread has seen there:
 *                | key image | how many | codes, ascending |
 *            A row with a greater code has so many before it. Rows with the same code pass: their further keys are not looked at.
 * Memory     charged to the query's pool. The table goes, and all rows pass, when it grows large, when there is no memory for it, and when it
 *            does not leave out rows: keys that hardly repeat, or rows that arrive in the opposite order.
 * Threads    a table each: a row that one thread leaves out is beyond the limit whatever the others have seen.
 */
#include "exec/group_table.h"
#include "exec/operators.h"
#include "exec/sort_code.h"

#define WINDOW_ROWS 65536
#define PATIENCE    (16 * WINDOW_ROWS) /* groups fill slowly */
#define MOST_BYTES  ((size_t)64 << 20)
#define MOST_LIMIT  128

typedef struct group_limit_op {
    nb_operator base;
    nb_group_limit limit;
    nb_key_layout layout;
    nb_pool *pool;
    size_t most_bytes;
} group_limit_op;

typedef struct group_limit_local {
    nb_group_table groups;
    uint64_t *single;   /* without keys: the state of the only partition */
    nb_vector *keys;    /* of a batch */
    int64_t n_seen;     /* rows */
    int64_t n_recently; /* of them since it was last looked at whether it pays, and left out */
    int64_t n_out;
    bool off;
} group_limit_local;

static nb_status
limit_open_local(nb_operator *base, nb_thread_ctx *t, void **local, nb_error *err)
{
    group_limit_op *op = (group_limit_op *)base;
    nb_arena *memory = nb_thread_memory(t);
    group_limit_local *l = NB_ARENA_NEW(memory, group_limit_local);
    size_t state = sizeof(uint64_t) * (size_t)(op->limit.limit + 1);

    (void)err;
    if (l == NULL) {
        return NB_NOMEM;
    }
    l->keys = NB_ARENA_ARRAY(memory, nb_vector, op->limit.n_keys + 1);
    l->single = nb_arena_zalloc(memory, state);
    if (l->keys == NULL || l->single == NULL) {
        return NB_NOMEM;
    }
    if (op->limit.n_keys > 0) {
        NB_TRY(nb_group_table_init(&l->groups, op->pool, &op->layout,
                                   op->layout.n_bytes + (int)state));
    }
    *local = l;
    return NB_OK;
}

static void
limit_close_local(nb_operator *base, void *local)
{
    (void)base;
    nb_group_table_free(&((group_limit_local *)local)->groups);
}

static void
turn_off(group_limit_local *l)
{
    nb_group_table_free(&l->groups);
    l->off = true;
}

/* May a row of this code be among the first ones? Then the state knows of it. */
NB_INLINE bool
admits(uint64_t *state, uint64_t code, int64_t limit, bool values)
{
    uint64_t *codes = state + 1;
    int64_t n = (int64_t)state[0], at = n;

    if (n == limit && code >= codes[n - 1]) {
        return code == codes[n - 1];
    }
    while (at > 0 && codes[at - 1] > code) {
        at--;
    }
    if (values && at > 0 && codes[at - 1] == code) {
        return true;
    }
    if (n < limit) {
        state[0] = (uint64_t)++n;
    }
    memmove(codes + at + 1, codes + at, sizeof(*codes) * (size_t)(n - 1 - at));
    codes[at] = code;
    return true;
}

/* The row numbers of the batch's partitions; NB_NOMEM: there is no room for them. */
static nb_status
find_groups(group_limit_op *op, group_limit_local *l, nb_batch *batch, uint32_t *rows)
{
    int64_t n = batch->n_rows;
    uint8_t *images = nb_arena_alloc64(batch->arena, (size_t)n * (size_t)op->layout.n_bytes);
    uint64_t *hashes = NB_ARENA_ARRAY(batch->arena, uint64_t, n);

    if (images == NULL || hashes == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < op->limit.n_keys; k++) {
        const nb_vector *v;

        NB_TRY(nb_batch_column(batch, op->limit.keys[k].col, &v));
        l->keys[k] = *v;
    }
    NB_TRY(nb_keys_encode(&op->layout, l->keys, NULL, n, batch->arena, images));
    nb_keys_hash(&op->layout, op->layout.n_sections, images, n, hashes);
    return nb_group_table_find(&l->groups, images, hashes, n, rows);
}

/* Now and then: is it worth going on? */
static void
look_back(const group_limit_op *op, group_limit_local *l)
{
    bool few = l->n_out * 8 < l->n_recently;
    bool filled = l->n_seen > 4 * op->limit.limit * (int64_t)l->groups.n_rows;

    if (l->n_recently < WINDOW_ROWS) {
        return;
    }
    if ((few && (filled || l->n_seen > PATIENCE)) ||
        (op->limit.n_keys > 0 && nb_group_table_bytes(&l->groups) > op->most_bytes)) {
        turn_off(l);
    }
    l->n_recently = l->n_out = 0;
}

static nb_status
limit_push(nb_operator *base, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    group_limit_op *op = (group_limit_op *)base;
    group_limit_local *l = local;
    int64_t n = batch->n_rows, kept = 0, limit = op->limit.limit;
    uint64_t *codes;
    uint32_t *keep, *rows;
    const nb_vector *order;

    if (l->off) {
        return nb_emit(t, batch, err);
    }
    codes = NB_ARENA_ARRAY(batch->arena, uint64_t, n);
    keep = NB_ARENA_ARRAY(batch->arena, uint32_t, n);
    rows = NB_ARENA_ARRAY(batch->arena, uint32_t, n);
    if (codes == NULL || keep == NULL || rows == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_batch_column(batch, op->limit.keys[op->limit.n_keys].col, &order));
    NB_TRY(nb_code_any(&op->limit.keys[op->limit.n_keys], order, n, batch->arena, codes));
    if (op->limit.n_keys > 0) {
        nb_status st = find_groups(op, l, batch, rows);

        if (st == NB_NOMEM) {
            turn_off(l);
            return nb_emit(t, batch, err);
        }
        NB_TRY(st);
    }
    for (int64_t i = 0; i < n; i++) {
        uint64_t *state = l->single;

        if (op->limit.n_keys > 0) {
            state = (uint64_t *)(void *)(nb_group_row(&l->groups, rows[i]) + op->layout.n_bytes);
        }
        keep[kept] = (uint32_t)i;
        kept += admits(state, codes[i], limit, op->limit.values);
    }
    l->n_seen += n;
    l->n_recently += n;
    l->n_out += n - kept;
    look_back(op, l);
    if (kept == 0) {
        return NB_OK;
    }
    if (kept < n) {
        NB_TRY(nb_batch_select(batch, keep, kept));
    }
    return nb_emit(t, batch, err);
}

static void
limit_close(nb_operator *base)
{
    (void)base;
}

static const nb_operator_ops GROUP_LIMIT = {
    .name = "GroupLimit",
    .open_local = limit_open_local,
    .push = limit_push,
    .close_local = limit_close_local,
    .close = limit_close,
};

nb_status
nb_group_limit_new(nb_run *run, const nb_type *schema, const nb_group_limit *limit,
                   nb_operator **out)
{
    nb_pool *pool = nb_run_ctx(run)->pool;
    const nb_type **types = NB_ARENA_ARRAY(nb_run_arena(run), const nb_type *, limit->n_keys + 1);
    group_limit_op *op;

    *out = NULL;
    if (types == NULL) {
        return NB_NOMEM;
    }
    if (limit->limit > MOST_LIMIT ||
        !nb_code_tells(schema->children[limit->keys[limit->n_keys].col].type)) {
        return NB_OK;
    }
    op = NB_OPERATOR_NEW(run, group_limit_op, &GROUP_LIMIT, NULL);
    if (op == NULL) {
        return NB_NOMEM;
    }
    op->limit = *limit;
    op->pool = pool;
    op->most_bytes = NB_MIN(nb_pool_available(pool) / 16, MOST_BYTES);
    for (int k = 0; k < limit->n_keys; k++) {
        types[k] = schema->children[limit->keys[k].col].type;
    }
    if (limit->n_keys > 0) {
        NB_TRY(nb_key_layout_init(nb_run_arena(run), types, limit->n_keys, limit->n_keys,
                                  &op->layout));
    }
    *out = &op->base;
    return NB_OK;
}
