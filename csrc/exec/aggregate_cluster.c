/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aggregate_cluster.c: groups by an integer that the rows come in order of: they leave with their morsel.
 *
 * Where the ranges of the key in two morsels share no more than an end (nb_source_ops.ranges: files that were written in order of it), a value between the
 * ends of a morsel's range is a group that no other morsel adds to. Such groups are found by an array from value to row, kept near (in the
 * cache), and emitted when the thread comes to its next morsel. Only the ends, and nulls, go to the thread's table and are merged at last. So the
 * aggregate is an operator of its stream, not a sink, whose drain gives what the tables have, and its memory does not grow with the groups.
 *
 * Order      groups of a morsel in order of their first rows, with the morsel's number; then those of the tables.
 * Memory     taken when a thread starts, for the longest morsel; what is not granted is done without: then all groups go to the table.
 */
#include "exec/hash_aggregate_internal.h"

/* Values per morsel, at most: 16 MB of row numbers. */
#define WIDEST ((uint64_t)1 << 22)
/* With more rows per value that may occur, there is little to hash anyway. */
#define MOST_ROWS_PER_VALUE 64

struct agg_near {
    uint32_t *map;  /* value - low - 1 → row + 1 */
    uint8_t *rows;  /* of the operator's row_width, by first appearance */
    uint64_t width; /* room in map */
    int64_t n, cap;
    const nb_morsel_range *range; /* of the morsel under way; NULL: none yet */
    uint64_t order;
    nb_arena *out; /* of the batch that is emitted */
};

/* ---- planning -------------------------------------------------------------------------------- */

/* The column of the branch's source that column `at` of node is; -1: none. Only where the rows of a morsel stay together. */
static int
source_column(const nb_node *node, int at)
{
    for (;;) {
        const nb_expr *e;

        switch (node->kind) {
        case NB_NODE_SCAN: return at;
        case NB_NODE_FILTER: break;
        case NB_NODE_PROJECT:
            e = node->u.project.exprs[at];
            if (e->kind != NB_EXPR_COLUMN) {
                return -1;
            }
            at = e->u.column.ordinal;
            break;
        default: return -1;
        }
        node = node->children[0];
    }
}

/* One integer key, and states that nothing hangs off. */
static bool
is_simple(const nb_node *node)
{
    nb_phys phys;

    if (node->u.aggregate.n_keys != 1 || node->u.aggregate.keys[0]->kind != NB_EXPR_COLUMN) {
        return false;
    }
    phys = nb_type_storage(node->u.aggregate.keys[0]->type)->phys;
    for (int a = 0; a < node->u.aggregate.n_aggs; a++) {
        const nb_expr *e = node->u.aggregate.aggs[a];

        if (e->u.agg.ops->serialize != NULL || (e->u.agg.distinct && e->n_args > 0)) {
            return false;
        }
    }
    return phys == NB_PHYS_INT8 || phys == NB_PHYS_INT16 || phys == NB_PHYS_INT32 ||
           phys == NB_PHYS_INT64;
}

NB_INLINE uint64_t
width_of(const nb_morsel_range *r)
{
    return (uint64_t)r->high - (uint64_t)r->low;
}

nb_status
nb_agg_cluster_plan(nb_run *run, aggregate_op *op, const nb_stream *below, bool *done)
{
    const nb_node *node = op->base.node;
    nb_source *source = below->branches[0].source;
    nb_morsel_range *ranges;
    uint64_t values = 0, rows = 0;
    int64_t n;
    int column;

    *done = false;
    if (below->n_branches != 1 || below->sequential || source == NULL ||
        source->ops->ranges == NULL || nb_run_ctx(run)->force_spill || !is_simple(node)) {
        return NB_OK;
    }
    column = source_column(node->children[0], node->u.aggregate.keys[0]->u.column.ordinal);
    if (column < 0) {
        return NB_OK;
    }
    NB_TRY(source->ops->ranges(source, column, nb_run_arena(run), &ranges, &n));
    for (int64_t i = 0; ranges != NULL && i < n; i++) {
        if (width_of(&ranges[i]) > WIDEST || ranges[i].n_rows > UINT32_MAX / 2) {
            return NB_OK;
        }
        values += NB_MIN(width_of(&ranges[i]), (uint64_t)ranges[i].n_rows);
        rows += (uint64_t)ranges[i].n_rows;
    }
    if (ranges == NULL || n < 2 || values * MOST_ROWS_PER_VALUE < rows) {
        return NB_OK;
    }
    op->ranges = ranges;
    op->n_ranges = n;
    *done = true;
    return NB_OK;
}

/* ---- threads --------------------------------------------------------------------------------- */

void
nb_agg_near_open(const aggregate_op *op, aggregate_local *l)
{
    agg_near *near = NULL;
    uint64_t width = 0;
    int64_t cap = 0;

    for (int64_t i = 0; i < op->n_ranges; i++) {
        uint64_t w = width_of(&op->ranges[i]);

        width = NB_MAX(width, w);
        cap = NB_MAX(cap, NB_MIN((int64_t)w, op->ranges[i].n_rows));
    }
    if (op->n_ranges == 0 ||
        (uint64_t)cap * (uint64_t)op->row_width + width * sizeof(uint32_t) > op->share / 4) {
        return;
    }
    near = nb_pool_zalloc(op->pool, sizeof(*near));
    if (near == NULL) {
        return;
    }
    near->width = width + 1;
    near->cap = cap + 1;
    near->map = nb_pool_alloc_aligned(op->pool, near->width * sizeof(uint32_t));
    near->rows = nb_pool_alloc_aligned(op->pool, (size_t)near->cap * (size_t)op->row_width);
    near->out = nb_arena_new(op->pool);
    l->near = near;
    if (near->map == NULL || near->rows == NULL || near->out == NULL) {
        nb_agg_near_close(op, l);
        return;
    }
    memset(near->map, 0, near->width * sizeof(uint32_t));
}

void
nb_agg_near_close(const aggregate_op *op, aggregate_local *l)
{
    agg_near *near = l->near;

    if (near == NULL) {
        return;
    }
    nb_pool_dealloc_aligned(op->pool, near->map, near->width * sizeof(uint32_t));
    nb_pool_dealloc_aligned(op->pool, near->rows, (size_t)near->cap * (size_t)op->row_width);
    nb_arena_free(near->out);
    nb_pool_dealloc(op->pool, near, sizeof(*near));
    l->near = NULL;
}

/* Emits the groups of the morsel and forgets them. */
static nb_status
emit(aggregate_op *op, agg_near *near, nb_thread_ctx *t, nb_error *err)
{
    int64_t n = near->n;
    nb_status st = NB_OK;

    near->n = 0;
    for (int64_t at = 0; at < n && st == NB_OK; at += NB_BATCH_ROWS) {
        int64_t some = NB_MIN(n - at, NB_BATCH_ROWS);
        uint8_t **rows;
        nb_batch batch;

        nb_arena_reset(near->out);
        rows = NB_ARENA_ARRAY(near->out, uint8_t *, some);
        if (rows == NULL) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < some; i++) {
            rows[i] = near->rows + (at + i) * op->row_width;
        }
        NB_TRY(nb_agg_rows_out(op, rows, some, near->out, &batch, err));
        batch.order = near->order;
        st = nb_emit(t, &batch, err);
    }
    if (n > 0) {
        memset(near->map, 0, (width_of(near->range) + 1) * sizeof(uint32_t));
    }
    return st;
}

nb_status
nb_agg_near_begin(aggregate_op *op, aggregate_local *l, nb_thread_ctx *t, uint64_t order,
                  nb_error *err)
{
    agg_near *near = l->near;
    uint64_t morsel = order - op->ctx->order_base;
    nb_status st;

    if (near->range != NULL && near->order == order) {
        return NB_OK;
    }
    if (morsel >= (uint64_t)op->n_ranges) {
        return nb_raise_internal(err, "a morsel has no range");
    }
    st = emit(op, near, t, err);
    near->range = &op->ranges[morsel];
    near->order = order;
    nb_thread_hold(t, order);
    return st;
}

nb_status
nb_agg_near_flush(aggregate_op *op, aggregate_local *l, nb_thread_ctx *t, nb_error *err)
{
    nb_status st = emit(op, l->near, t, err);

    nb_thread_hold(t, UINT64_MAX);
    return st;
}

/* ---- finding --------------------------------------------------------------------------------- */

/* The key as int64, flat. */
static nb_status
widen(const nb_vector *key, int64_t n, nb_arena *scratch, const int64_t **out)
{
    int64_t *wide;

    if (nb_type_storage(key->type)->phys == NB_PHYS_INT64) {
        *out = key->data;
        return NB_OK;
    }
    wide = NB_ARENA_ARRAY(scratch, int64_t, n);
    if (wide == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        switch (nb_type_storage(key->type)->phys) {
        case NB_PHYS_INT8: wide[i] = NB_DATA(int8_t, key)[i]; break;
        case NB_PHYS_INT16: wide[i] = NB_DATA(int16_t, key)[i]; break;
        default: wide[i] = NB_DATA(int32_t, key)[i]; break;
        }
    }
    *out = wide;
    return NB_OK;
}

static NB_NOINLINE uint32_t
add_group(const aggregate_op *op, aggregate_local *l, uint64_t at, int64_t value)
{
    agg_near *near = l->near;
    uint8_t *row = near->rows + near->n * op->row_width;

    NB_ASSERT(near->n < near->cap);
    memset(row, 0, (size_t)op->row_width);
    memcpy(row + op->layout.cols[0].offset, &value, (size_t)op->layout.cols[0].width);
    nb_aggregate_init_rows(op, l->state->memory, row, 1);
    near->map[at] = (uint32_t)++near->n;
    return near->map[at];
}

nb_status
nb_agg_near_find(aggregate_op *op, aggregate_local *l, const nb_vector *key, int64_t n,
                 nb_arena *scratch, nb_error *err)
{
    agg_near *near = l->near;
    const nb_morsel_range *range = near->range;
    uint64_t low = (uint64_t)range->low, width = width_of(range), inner = width - (width > 0);
    uint32_t *others = NB_ARENA_ARRAY(scratch, uint32_t, n + 1), *found;
    const int64_t *values;
    int64_t n_others = 0;
    nb_vector flat;
    bool within = true;

    if (others == NULL) {
        return NB_NOMEM;
    }
    if (key->kind != NB_VEC_FLAT) {
        NB_TRY(nb_vector_flatten(scratch, key, &flat));
        key = &flat;
    }
    NB_TRY(widen(key, n, scratch, &values));
    for (int64_t i = 0; i < n; i++) {
        uint64_t at = (uint64_t)values[i] - low - 1;
        bool valid = key->validity == NULL || nb_bit_get(key->validity, i);
        uint32_t row;

        if (NB_UNLIKELY(at >= inner || !valid)) {
            within &= !valid || (uint64_t)values[i] - low <= width;
            others[n_others++] = (uint32_t)i;
            continue;
        }
        row = near->map[at];
        if (NB_UNLIKELY(row == 0)) {
            row = add_group(op, l, at, values[i]);
        }
        l->rows[i] = near->rows + (int64_t)(row - 1) * op->row_width;
    }
    if (!within) {
        return nb_raise_unreadable(err, range->path, "values lie outside of its statistics");
    }
    if (n_others == 0) {
        return NB_OK;
    }
    found = NB_ARENA_ARRAY(scratch, uint32_t, n_others);
    if (found == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_agg_find_by_hash(op, l, key, others, n_others, scratch, found));
    for (int64_t k = 0; k < n_others; k++) {
        l->rows[others[k]] = nb_group_row(&l->state->groups, found[k]);
    }
    return NB_OK;
}
