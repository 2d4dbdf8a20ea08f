/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aggregate_merge.c: brings equal keys of many tables and runs together, one range of the hash after the other.
 *
 * Every table and run gives its rows of the range in order of hash32 (group_table.h). Lists are merged by hash32; rows that share one are
 * compared by key, and, should there be several keys (about one pair of groups in a million does), put into key order. So the result
 * is in an order that only the keys decide. A few lists are asked one after the other for their next row; of many, which spilling makes, the rows of a narrow
 * range are brought together and sorted, so that a row does not cost as many looks as there are lists.
 *
 * A run on disk: rows in the same order, cut at NB_AGG_SPILL_PARTS equal ranges of the hash. A row:
 *   | hash32 | row_width bytes | the long strings of its views | per state with serialize: length u32, bytes |
 */
#include "exec/hash_aggregate_internal.h"

#include <stdlib.h>

#define GROUPS_PER_PART 16384
#define MAX_PARTS       1024
#define PREFETCH_AHEAD  12
#define FEW_LISTS       6
#define ROWS_TOGETHER   24 /* of a narrow range, about */

typedef struct row_list {
    uint64_t *entries;
    size_t n, at, cap;
    uint8_t *rows;       /* entry → rows + number * width */
    size_t rows_bytes;   /* owned when it comes from a run */
    uint8_t *file_bytes; /* what views of a run point into */
    size_t file_cap;
} row_list;

struct agg_merge {
    aggregate_op *op;
    int set;
    const nb_key_layout *layout;
    int width;
    nb_arena *memory, *scratch;
    nb_arena *states; /* what hangs off the states of the part under way */
    row_list *lists;  /* in the order of states and runs */
    row_list **live;  /* those that have rows left */
    int n_lists;
    agg_gather g; /* what comes out of lists, too */
    bool has_aside;
    uint8_t **same; /* rows of one hash32 */
    int64_t n_same, cap_same;
    uint64_t *near; /* of a narrow range: hash32, then the place in near_rows */
    uint8_t **near_rows;
    int64_t n_near, cap_near;
};

nb_group_table *
nb_agg_table(agg_state *s, int set)
{
    return set >= 0 ? &s->distinct[set] : &s->groups;
}

agg_aside *
nb_agg_aside(agg_state *s, int set)
{
    return set >= 0 ? &s->distinct_aside[set] : &s->aside;
}

static agg_runs *
runs_of(agg_state *s, int set)
{
    return set >= 0 ? &s->distinct_runs[set] : &s->runs;
}

static bool
any_aside(const aggregate_op *op, int set)
{
    for (int s = 0; s < op->n_states; s++) {
        if (nb_agg_aside(op->states[s], set)->n > 0) {
            return true;
        }
    }
    return false;
}

int
nb_agg_merge_parts(const aggregate_op *op, int set)
{
    int64_t rows = 0;
    int parts = 1;

    if (any_aside(op, set)) {
        return NB_AGG_SPILL_PARTS;
    }
    for (int s = 0; s < op->n_states; s++) {
        agg_state *state = op->states[s];

        if (runs_of(state, set)->n > 0) {
            return NB_AGG_SPILL_PARTS;
        }
        rows += nb_agg_table(state, set)->n_rows;
    }
    while (parts < MAX_PARTS && parts * (int64_t)GROUPS_PER_PART < rows) {
        parts *= 2;
    }
    return parts;
}

nb_status
nb_agg_settle(aggregate_op *op, int set)
{
    for (int s = 0; s < op->n_states; s++) {
        nb_group_table *t = nb_agg_table(op->states[s], set);

        if (t->n_rows > 0) {
            NB_TRY(nb_group_table_settle(t));
        }
    }
    return NB_OK;
}

nb_status
nb_agg_merge_new(aggregate_op *op, int set, agg_merge **out)
{
    nb_arena *memory = nb_arena_new(op->pool);
    agg_merge *m = memory ? NB_ARENA_NEW(memory, agg_merge) : NULL;

    if (m == NULL) {
        nb_arena_free(memory);
        return NB_NOMEM;
    }
    *m = (agg_merge){.op = op, .set = set, .memory = memory, .g = {.pool = op->pool}};
    m->has_aside = any_aside(op, set);
    m->layout = set >= 0 ? &op->distinct[set].layout : &op->layout;
    m->width = set >= 0 ? m->layout->n_bytes : op->row_width;
    for (int s = 0; s < op->n_states; s++) {
        m->n_lists += 1 + runs_of(op->states[s], set)->n;
    }
    m->lists = nb_arena_zalloc(memory, (size_t)m->n_lists * sizeof(row_list));
    m->live = NB_ARENA_ARRAY(memory, row_list *, m->n_lists);
    m->scratch = nb_arena_new(op->pool);
    m->states = nb_arena_new(op->pool);
    if (m->lists == NULL || m->live == NULL || m->scratch == NULL || m->states == NULL) {
        nb_agg_merge_free(m);
        return NB_NOMEM;
    }
    *out = m;
    return NB_OK;
}

void
nb_agg_merge_free(agg_merge *m)
{
    nb_pool *pool;

    if (m == NULL) {
        return;
    }
    pool = m->op->pool;
    for (int i = 0; m->lists != NULL && i < m->n_lists; i++) {
        row_list *l = &m->lists[i];

        nb_pool_dealloc(pool, l->entries, l->cap * sizeof(uint64_t));
        if (l->rows_bytes > 0) {
            nb_pool_dealloc(pool, l->rows, l->rows_bytes);
        }
        nb_pool_dealloc(pool, l->file_bytes, l->file_cap);
    }
    nb_agg_gather_free(&m->g);
    nb_pool_dealloc(pool, m->same, (size_t)m->cap_same * sizeof(*m->same));
    nb_pool_dealloc(pool, m->near, (size_t)m->cap_near * sizeof(*m->near));
    nb_pool_dealloc(pool, m->near_rows, (size_t)m->cap_near * sizeof(*m->near_rows));
    nb_arena_free(m->scratch);
    nb_arena_free(m->states);
    nb_arena_free(m->memory);
}

/* ---- runs ------------------------------------------------------------------------------------ */

static nb_status
write_row(aggregate_op *op, const nb_group_table *t, bool states, uint32_t hash32,
          const uint8_t *row, nb_arena *scratch, nb_spill_file *f, nb_error *err)
{
    NB_TRY(nb_spill_file_write(f, &hash32, sizeof(hash32), err));
    NB_TRY(nb_spill_file_write(f, row, (size_t)t->row_width, err));
    for (int c = 0; c < t->layout->n_cols; c++) {
        nb_view v;

        if (t->layout->cols[c].null_bit != -1) {
            continue;
        }
        memcpy(&v, row + t->layout->cols[c].offset, sizeof(v));
        if (v.len > NB_VIEW_INLINE && v.len != NB_NULL_VIEW) {
            NB_TRY(nb_spill_file_write(f, v.ptr, v.len, err));
        }
    }
    for (int a = 0; states && a < op->n_aggs; a++) {
        const agg_fn *fn = &op->aggs[a];
        nb_agg_ctx ctx = nb_aggregate_ctx(op, fn, scratch, scratch, 0, err);
        nb_strbuf bytes = {0};
        uint32_t len;
        nb_status st;

        if (fn->ops->serialize == NULL) {
            continue;
        }
        st = fn->ops->serialize(&ctx, row + fn->offset, &bytes);
        len = (uint32_t)bytes.len;
        if (st == NB_OK) {
            st = bytes.failed ? NB_NOMEM : nb_spill_file_write(f, &len, sizeof(len), err);
        }
        if (st == NB_OK) {
            st = nb_spill_file_write(f, bytes.data ? bytes.data : "", bytes.len, err);
        }
        nb_strbuf_free(&bytes);
        NB_TRY(st);
    }
    return NB_OK;
}

/* Takes the lock: the run's arena is shared. */
static nb_status
add_run(aggregate_op *op, agg_runs *runs, agg_run run)
{
    nb_status st = NB_OK;

    pthread_mutex_lock(&op->lock);
    if (runs->n == runs->cap) {
        int cap = runs->cap ? 2 * runs->cap : 4;
        agg_run *grown = NB_ARENA_ARRAY(op->arena, agg_run, cap);

        if (grown == NULL) {
            st = NB_NOMEM;
        } else {
            if (runs->n > 0) {
                memcpy(grown, runs->runs, (size_t)runs->n * sizeof(*grown));
            }
            runs->runs = grown;
            runs->cap = cap;
        }
    }
    if (st == NB_OK) {
        runs->runs[runs->n++] = run;
    }
    pthread_mutex_unlock(&op->lock);
    return st;
}

/* States of pairs, a batch at a time. What they need beside lies in memory. */
static nb_status
merge_pairs(aggregate_op *op, const agg_gather *g, nb_arena *memory, nb_arena *scratch,
            nb_error *err)
{
    for (int a = 0; a < op->n_aggs; a++) {
        const agg_fn *fn = &op->aggs[a];

        for (int64_t at = 0; at < g->n_pairs; at += NB_BATCH_ROWS) {
            nb_agg_ctx ctx = nb_aggregate_ctx(op, fn, memory, scratch, 0, err);

            nb_arena_reset(scratch);
            NB_TRY(fn->ops->merge(&ctx, g->into + at, g->from + at, fn->offset,
                                  NB_MIN(g->n_pairs - at, NB_BATCH_ROWS)));
        }
    }
    return NB_OK;
}

/* Rows of a range of one state in the order of their hashes: out[i] has hashes[i]. */
static nb_status
rows_of_part(aggregate_op *op, agg_state *s, int set, int part, agg_gather *g, agg_entries *l,
             nb_error *err, nb_arena *memory, nb_arena *scratch)
{
    const uint32_t step = (uint32_t)(((uint64_t)1 << 32) / NB_AGG_SPILL_PARTS);
    const nb_group_table *t = nb_agg_table(s, set);
    uint32_t low = (uint32_t)part * step;

    if (nb_agg_aside(s, set)->n > 0) {
        NB_TRY(nb_agg_gather_part(g, op, &s, 1, set, part));
        return set < 0 ? merge_pairs(op, g, memory, scratch, err) : NB_OK;
    }
    NB_TRY(nb_group_table_entries(t, g->pool, low, low + (step - 1), &l->entries, &l->cap, &l->n));
    NB_TRY(nb_agg_gather_room(g, (int64_t)l->n));
    for (size_t i = 0; i < l->n; i++) {
        g->out[i] = nb_group_row(t, (uint32_t)l->entries[i]);
        g->hashes[i] = (uint32_t)(l->entries[i] >> 32);
    }
    g->n_out = (int64_t)l->n;
    return NB_OK;
}

nb_status
nb_aggregate_spill(aggregate_op *op, agg_state *s, int set, nb_error *err)
{
    nb_pool *aside = nb_pool_new(NULL, "spill", 0); /* the budget has nothing left */
    nb_arena *scratch = nb_arena_new(NULL), *memory = nb_arena_new(NULL);
    nb_group_table *t = nb_agg_table(s, set);
    agg_gather g = {.pool = aside};
    agg_entries entries = {0};
    agg_run run = {0};
    nb_status st = scratch && memory && aside ? NB_OK : NB_NOMEM;

    NB_TRY_GOTO(st, st, done);
    NB_TRY_GOTO(st, nb_group_table_settle(t), done);
    NB_TRY_GOTO(st, nb_spill_file_new(op->ctx->spill_dir, &run.file, err), done);
    for (int p = 0; p < NB_AGG_SPILL_PARTS; p++) {
        run.part_at[p] = nb_spill_file_size(run.file);
        NB_TRY_GOTO(st, rows_of_part(op, s, set, p, &g, &entries, err, memory, scratch), done);
        run.part_rows[p] = (uint32_t)g.n_out;
        for (int64_t i = 0; i < g.n_out; i++) {
            if (i + PREFETCH_AHEAD < g.n_out) {
                __builtin_prefetch(g.out[i + PREFETCH_AHEAD]);
            }
            NB_TRY_GOTO(
                st, write_row(op, t, set < 0, g.hashes[i], g.out[i], scratch, run.file, err), done);
        }
        nb_arena_reset(scratch);
        nb_arena_reset(memory);
    }
    run.part_at[NB_AGG_SPILL_PARTS] = nb_spill_file_size(run.file);
    NB_TRY_GOTO(st, nb_spill_file_finish(run.file, err), done);
    nb_metrics_spilled(op->base.node, nb_spill_file_size(run.file));
    NB_TRY_GOTO(st, add_run(op, runs_of(s, set), run), done);
    run.file = NULL;
    nb_agg_aside_free(nb_agg_aside(s, set), op->pool);
    NB_TRY_GOTO(st, nb_group_table_clear(t), done);
    if (set < 0) {
        nb_arena_free(s->memory);
        s->memory = nb_arena_new(op->pool);
        st = s->memory ? NB_OK : NB_NOMEM;
    }
done:
    if (aside != NULL) {
        nb_agg_gather_free(&g);
        nb_pool_dealloc(aside, entries.entries, entries.cap * sizeof(uint64_t));
    }
    nb_pool_free(aside);
    nb_spill_file_free(run.file);
    nb_arena_free(scratch);
    nb_arena_free(memory);
    return st;
}

static nb_status
grow(nb_pool *pool, void **p, size_t *cap, size_t need)
{
    void *grown;

    if (need <= *cap) {
        return NB_OK;
    }
    need = NB_ALIGN_UP(NB_MAX(need, *cap + *cap / 4), 8);
    grown = nb_pool_realloc(pool, *p, *cap, need);
    if (grown == NULL) {
        return NB_NOMEM;
    }
    *p = grown;
    *cap = need;
    return NB_OK;
}

/* The bytes behind the fixed part of a row: strings, then states. Returns where they end. */
static nb_status
restore_row(agg_merge *m, uint8_t *row, const uint8_t **cursor, nb_error *err)
{
    const uint8_t *p = *cursor;

    for (int c = 0; c < m->layout->n_cols; c++) {
        nb_view v;

        if (m->layout->cols[c].null_bit != -1) {
            continue;
        }
        memcpy(&v, row + m->layout->cols[c].offset, sizeof(v));
        if (v.len > NB_VIEW_INLINE && v.len != NB_NULL_VIEW) {
            v.ptr = (const char *)p;
            p += v.len;
            memcpy(row + m->layout->cols[c].offset, &v, sizeof(v));
        }
    }
    for (int a = 0; m->set < 0 && a < m->op->n_aggs; a++) {
        const agg_fn *fn = &m->op->aggs[a];
        nb_agg_ctx ctx = nb_aggregate_ctx(m->op, fn, m->states, m->scratch, 0, err);
        uint32_t len;

        if (fn->ops->serialize == NULL) {
            continue;
        }
        memcpy(&len, p, sizeof(len));
        p += sizeof(len);
        memset(row + fn->offset, 0, (size_t)fn->ops->state_size);
        if (fn->ops->init != NULL) {
            fn->ops->init(&ctx, row + fn->offset);
        }
        NB_TRY(fn->ops->deserialize(&ctx, (nb_str){(const char *)p, len}, row + fn->offset));
        p += len;
    }
    *cursor = p;
    return NB_OK;
}

static nb_status
read_run(agg_merge *m, row_list *l, const agg_run *run, int part, nb_error *err)
{
    size_t n_bytes = (size_t)(run->part_at[part + 1] - run->part_at[part]), n = 0;
    size_t entry_bytes = l->cap * sizeof(uint64_t), width = (size_t)m->width;
    size_t n_rows = run->part_rows[part];
    const uint8_t *p, *end;

    l->n = 0;
    if (n_bytes == 0) {
        return NB_OK;
    }
    NB_TRY(grow(m->op->pool, (void **)&l->file_bytes, &l->file_cap, n_bytes));
    NB_TRY(nb_spill_file_read(run->file, run->part_at[part], l->file_bytes, n_bytes, err));
    NB_TRY(grow(m->op->pool, (void **)&l->entries, &entry_bytes, n_rows * sizeof(uint64_t)));
    l->cap = entry_bytes / sizeof(uint64_t);
    NB_TRY(grow(m->op->pool, (void **)&l->rows, &l->rows_bytes, n_rows * width));
    p = l->file_bytes;
    end = p + n_bytes;
    while (p < end) {
        uint32_t hash32;

        memcpy(&hash32, p, sizeof(hash32));
        memcpy(l->rows + n * width, p + sizeof(hash32), width);
        p += sizeof(hash32) + width;
        NB_TRY(restore_row(m, l->rows + n * width, &p, err));
        l->entries[n] = (uint64_t)hash32 << 32 | n;
        n++;
    }
    l->n = n;
    return NB_OK;
}

/* ---- merging --------------------------------------------------------------------------------- */

static nb_status
load_lists(agg_merge *m, int part, uint32_t low, uint32_t high, nb_error *err)
{
    row_list *l = m->lists;
    int64_t total = 0;

    for (int s = 0; s < m->op->n_states; s++) {
        nb_group_table *t = nb_agg_table(m->op->states[s], m->set);
        agg_runs *runs = runs_of(m->op->states[s], m->set);

        l->at = l->n = 0;
        if (t->n_rows > 0) {
            NB_TRY(nb_group_table_entries(t, m->op->pool, low, high, &l->entries, &l->cap, &l->n));
        }
        l->rows = t->rows;
        total += (int64_t)l->n;
        l++;
        for (int r = 0; r < runs->n; r++, l++) {
            l->at = 0;
            NB_TRY(read_run(m, l, &runs->runs[r], part, err));
            total += (int64_t)l->n;
        }
    }
    return nb_agg_gather_room(&m->g, total);
}

static nb_status
note_same(agg_merge *m, uint8_t *row)
{
    if (m->n_same == m->cap_same) {
        int64_t cap = m->cap_same ? 2 * m->cap_same : 16;
        uint8_t **grown =
            nb_pool_realloc(m->op->pool, m->same, (size_t)m->cap_same * sizeof(*grown),
                            (size_t)cap * sizeof(*grown));
        if (grown == NULL) {
            return NB_NOMEM;
        }
        m->same = grown;
        m->cap_same = cap;
    }
    m->same[m->n_same++] = row;
    return NB_OK;
}

/* Rows of one hash32: those with equal keys become pairs, the first of each goes out, in key order. */
static void
settle_same(agg_merge *m)
{
    int64_t first = m->g.n_out;

    for (int64_t i = 0; i < m->n_same; i++) {
        uint8_t *row = m->same[i];
        int64_t k = first;

        while (k < m->g.n_out &&
               !nb_key_equal(m->layout, m->layout->n_sections, row, m->g.out[k])) {
            k++;
        }
        if (k < m->g.n_out) {
            m->g.into[m->g.n_pairs] = m->g.out[k];
            m->g.from[m->g.n_pairs++] = row;
            continue;
        }
        for (; k > first && nb_key_compare(m->layout, row, m->g.out[k - 1]) < 0; k--) {
            m->g.out[k] = m->g.out[k - 1];
        }
        m->g.out[k] = row;
        m->g.n_out++;
    }
    m->n_same = 0;
}

NB_INLINE uint8_t *
take(const agg_merge *m, row_list *l)
{
    size_t width = (size_t)m->width;

    if (l->at + PREFETCH_AHEAD < l->n) {
        __builtin_prefetch(l->rows + (uint32_t)l->entries[l->at + PREFETCH_AHEAD] * width);
    }
    return l->rows + (uint32_t)l->entries[l->at++] * width;
}

/* The rows in m->same, which share a hash32, go out. */
static void
put_same(agg_merge *m, uint32_t hash32)
{
    int64_t first = m->g.n_out;

    if (m->n_same == 1) {
        m->g.out[m->g.n_out++] = m->same[0];
        m->n_same = 0;
    } else {
        settle_same(m);
    }
    for (int64_t k = first; k < m->g.n_out; k++) {
        m->g.hashes[k] = hash32;
    }
}

/* The number of lists that have rows left; these stay in their order. */
static int
drop_ended(agg_merge *m, int n)
{
    int kept = 0;

    for (int i = 0; i < n; i++) {
        if (m->live[i]->at < m->live[i]->n) {
            m->live[kept++] = m->live[i];
        }
    }
    return kept;
}

static nb_status
merge_few(agg_merge *m, int n)
{
    while (n > 0) {
        uint32_t least = UINT32_MAX;
        bool ended = false;

        for (int i = 0; i < n; i++) {
            uint32_t h = (uint32_t)(m->live[i]->entries[m->live[i]->at] >> 32);
            least = NB_MIN(least, h);
        }
        for (int i = 0; i < n; i++) {
            row_list *l = m->live[i];

            while (l->at < l->n && (uint32_t)(l->entries[l->at] >> 32) == least) {
                NB_TRY(note_same(m, take(m, l)));
            }
            ended |= l->at == l->n;
        }
        put_same(m, least);
        n = ended ? drop_ended(m, n) : n;
    }
    return NB_OK;
}

static nb_status
grow_near(agg_merge *m)
{
    size_t old = (size_t)m->cap_near * 8, bytes = NB_MAX(old * 2, (size_t)ROWS_TOGETHER * 32);
    uint64_t *near = nb_pool_alloc(m->op->pool, bytes);
    uint8_t **rows = nb_pool_alloc(m->op->pool, bytes);

    if (near == NULL || rows == NULL) {
        nb_pool_dealloc(m->op->pool, near, bytes);
        nb_pool_dealloc(m->op->pool, rows, bytes);
        return NB_NOMEM;
    }
    if (old > 0) {
        memcpy(near, m->near, old);
        memcpy(rows, m->near_rows, old);
    }
    nb_pool_dealloc(m->op->pool, m->near, old);
    nb_pool_dealloc(m->op->pool, m->near_rows, old);
    m->near = near;
    m->near_rows = rows;
    m->cap_near = (int64_t)(bytes / 8);
    return NB_OK;
}

static int
compare_near(const void *pa, const void *pb)
{
    uint64_t a, b;

    memcpy(&a, pa, sizeof(a));
    memcpy(&b, pb, sizeof(b));
    return (a > b) - (a < b);
}

static void
sort_near(uint64_t *near, int64_t n)
{
    if (n > 8 * ROWS_TOGETHER) { /* hashes that are not spread */
        qsort(near, (size_t)n, sizeof(*near), compare_near);
        return;
    }
    for (int64_t i = 1; i < n; i++) {
        uint64_t x = near[i];
        int64_t k = i;

        for (; k > 0 && near[k - 1] > x; k--) {
            near[k] = near[k - 1];
        }
        near[k] = x;
    }
}

static nb_status
merge_many(agg_merge *m, int n, int64_t total, uint32_t low, uint32_t high)
{
    uint64_t range = (uint64_t)high - low + 1;
    uint64_t step = NB_MAX(range * ROWS_TOGETHER / (uint64_t)total, 1);

    for (uint64_t from = low; from <= high && n > 0; from += step) {
        m->n_near = 0;
        for (int i = 0; i < n; i++) {
            row_list *l = m->live[i];

            for (; l->at < l->n && l->entries[l->at] >> 32 < from + step; m->n_near++) {
                uint64_t hash32 = l->entries[l->at] >> 32;
                if (m->n_near == m->cap_near) {
                    NB_TRY(grow_near(m));
                }
                m->near[m->n_near] = hash32 << 32 | (uint64_t)m->n_near;
                m->near_rows[m->n_near] = take(m, l);
            }
        }
        sort_near(m->near, m->n_near);
        for (int64_t i = 0; i < m->n_near; i++) {
            uint32_t hash32 = (uint32_t)(m->near[i] >> 32);

            NB_TRY(note_same(m, m->near_rows[(uint32_t)m->near[i]]));
            if (i + 1 == m->n_near || (uint32_t)(m->near[i + 1] >> 32) != hash32) {
                put_same(m, hash32);
            }
        }
        n = drop_ended(m, n);
    }
    return NB_OK;
}

static nb_status
merge_lists(agg_merge *m, uint32_t low, uint32_t high)
{
    int64_t total = 0;
    int n = 0;

    m->g.n_out = m->g.n_pairs = m->n_same = 0;
    for (int i = 0; i < m->n_lists; i++) {
        if (m->lists[i].n > 0) {
            m->live[n++] = &m->lists[i];
            total += (int64_t)m->lists[i].n;
        }
    }
    return n <= FEW_LISTS ? merge_few(m, n) : merge_many(m, n, total, low, high);
}

const uint32_t *
nb_agg_merge_hashes(const agg_merge *m)
{
    return m->g.hashes;
}

nb_status
nb_agg_merge_part(agg_merge *m, int part, uint32_t low, uint32_t high, uint8_t ***rows, int64_t *n,
                  nb_error *err)
{
    nb_arena_reset(m->states);
    if (m->has_aside) { /* then there are no runs */
        NB_TRY(nb_agg_gather_part(&m->g, m->op, m->op->states, m->op->n_states, m->set, part));
    } else {
        NB_TRY(load_lists(m, part, low, high, err));
        NB_TRY(merge_lists(m, low, high));
    }
    if (m->set < 0) {
        NB_TRY(merge_pairs(m->op, &m->g, m->states, m->scratch, err));
    }
    *rows = m->g.out;
    *n = m->g.n_out;
    return NB_OK;
}
