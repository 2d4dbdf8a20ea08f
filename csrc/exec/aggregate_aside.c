/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aggregate_aside.c: rows of group tables put aside, so that the tables stay in the caches.
 *
 * Keys that hardly repeat make a table of millions of groups, which costs cache misses per row and grows by moving all that it has. Such a table is emptied
 * from time to time: its rows become a wave, in memory, in the order of NB_AGG_SPILL_PARTS equal ranges of the hash. Equal keys of many waves and threads meet
 * when a range is asked for: its rows are few enough for a table in the cache. What repeats often is still found in the thread's table, which is why there is one.
 *
 *   wave   | hash32 … | row … |    both by range; part_at says where one begins
 *
 * When  a table has FIRST_ROWS groups, and nearly all of the latest rows made new ones: a row whose group is there already costs less in a large table than
 *       in a wave, which is written and read once more. From then on it is smaller. Should waves turn out to bring the same groups again and again (a range is
 *       looked at now and then), the table grows as large as these are.
 */
#include <stdlib.h>
#include "exec/hash_aggregate_internal.h"

#define FIRST_ROWS   (1 << 16)
#define LATEST       8    /* the last eighth of the groups */
#define LEAST_NEW    0.97 /* of the rows that made these, or else groups repeat too often */
#define TABLE_BYTES  ((size_t)1 << 19) /* of a table that is emptied again and again */
#define LEAST_ROWS   (1 << 14)
#define TESTED_ROWS  16 /* with small batches: tests have few rows */
#define PART_BITS    8
#define BLOCK        64
#define MOST_AHEAD   1024 /* rows */
#define REPEATED     2    /* waves that have so many rows per group are no gain */
#define LOOK_AT_ROWS (1 << 20)

_Static_assert(NB_AGG_SPILL_PARTS == 1 << PART_BITS, "waves have the ranges of runs");

/* ---- waves ----------------------------------------------------------------------------------- */

void
nb_agg_aside_free(agg_aside *a, nb_pool *pool)
{
    for (int w = 0; w < a->n; w++) {
        nb_pool_dealloc(pool, a->waves[w].hashes, a->waves[w].n_bytes);
    }
    nb_pool_dealloc(pool, a->waves, sizeof(*a->waves) * (size_t)a->cap);
    *a = (agg_aside){.limit = a->limit};
}

static nb_status
grow_list(agg_aside *a, nb_pool *pool)
{
    int cap = a->cap ? 2 * a->cap : 8;
    agg_wave *grown;

    if (a->n < a->cap) {
        return NB_OK;
    }
    grown = nb_pool_realloc(pool, a->waves, sizeof(*grown) * (size_t)a->cap,
                            sizeof(*grown) * (size_t)cap);
    if (grown == NULL) {
        return NB_NOMEM;
    }
    a->waves = grown;
    a->cap = cap;
    return NB_OK;
}

/* The table's rows as a wave. */
static nb_status
make_wave(nb_pool *pool, const nb_group_table *t, agg_wave *out)
{
    size_t n_slots = (size_t)1 << t->bits, width = (size_t)t->row_width;
    size_t hash_bytes = NB_ALIGN_UP(sizeof(uint32_t) * t->n_rows, 16);
    agg_wave w = {.n_bytes = hash_bytes + t->n_rows * width};
    uint32_t at[NB_AGG_SPILL_PARTS + 1] = {0};

    w.hashes = nb_pool_alloc(pool, w.n_bytes);
    if (w.hashes == NULL) {
        return NB_NOMEM;
    }
    w.rows = (uint8_t *)w.hashes + hash_bytes;
    for (size_t i = 0; i < n_slots; i++) {
        at[(t->slots[i] >> (64 - PART_BITS)) + 1] += t->slots[i] != 0;
    }
    for (int p = 0; p < NB_AGG_SPILL_PARTS; p++) {
        at[p + 1] += at[p];
    }
    memcpy(w.part_at, at, sizeof(at));
    for (size_t i = 0; i < n_slots; i++) {
        uint64_t slot = t->slots[i];
        uint32_t to;

        if (slot == 0) {
            continue;
        }
        to = at[slot >> (64 - PART_BITS)]++;
        w.hashes[to] = (uint32_t)(slot >> 32);
        memcpy(w.rows + to * width, nb_group_row(t, (uint32_t)slot - 1), width);
    }
    *out = w;
    return NB_OK;
}

/* Makes the table's rows a wave and empties it; on failure nothing has changed. */
static nb_status
put_aside(agg_aside *a, nb_group_table *t)
{
    NB_TRY(grow_list(a, t->pool));
    NB_TRY(make_wave(t->pool, t, &a->waves[a->n]));
    a->n_rows += t->n_rows;
    a->n_bytes += a->waves[a->n++].n_bytes + sizeof(agg_wave);
    nb_group_table_empty(t);
    return NB_OK;
}

/* How many rows of a range there are per group, as a thread's waves tell. */
static nb_status
count_repeats(const aggregate_op *op, agg_state *s, int set, double *out)
{
    agg_gather g = {.pool = op->pool};
    nb_status st = nb_agg_gather_part(&g, op, &s, 1, set, 0);

    *out = g.n_out > 0 ? (double)(g.n_out + g.n_pairs) / (double)g.n_out : 1;
    nb_agg_gather_free(&g);
    return st;
}

bool
nb_agg_aside_look(const aggregate_op *op, agg_state *s, int set, int64_t n)
{
    nb_group_table *t = nb_agg_table(s, set);
    agg_aside *a = nb_agg_aside(s, set);
    size_t per_row = (size_t)t->row_width + 2 * sizeof(uint64_t);
    bool tested = nb_agg_is_tested(op->ctx);
    double repeats;

    a->n_in += n;
    if (a->limit == 0) {
        a->limit = tested ? TESTED_ROWS : FIRST_ROWS;
    }
    if (t->n_rows < a->limit - a->limit / LATEST) {
        a->late_in = a->n_in;
        a->late_rows = t->n_rows;
    }
    if (t->n_rows < a->limit) {
        return false;
    }
    if ((!tested &&
         (double)(t->n_rows - a->late_rows) < LEAST_NEW * (double)(a->n_in - a->late_in)) ||
        put_aside(a, t) < 0) {
        a->limit *= 2; /* groups repeat, or there is no room */
        return false;
    }
    a->n_in = a->late_in = a->late_rows = 0;
    if (tested) {
        return true;
    }
    if (a->n == 1) {
        a->limit = NB_MIN(a->limit, NB_MAX((int64_t)(TABLE_BYTES / per_row), LEAST_ROWS));
        a->look_at = LOOK_AT_ROWS;
    }
    if (a->n_rows >= a->look_at) {
        a->look_at = 2 * a->n_rows;
        if (count_repeats(op, s, set, &repeats) == NB_OK && repeats > REPEATED) {
            a->limit = (int64_t)(2 * (double)a->n_rows / repeats);
        }
    }
    return true;
}

/* ---- a range of all waves -------------------------------------------------------------------- */

static void
drop_room(agg_gather *g)
{
    size_t bytes = sizeof(*g->out) * (size_t)g->cap;

    nb_pool_dealloc(g->pool, g->out, bytes);
    nb_pool_dealloc(g->pool, g->into, bytes);
    nb_pool_dealloc(g->pool, g->from, bytes);
    nb_pool_dealloc(g->pool, g->hashes, sizeof(*g->hashes) * (size_t)g->cap);
    g->out = g->into = g->from = NULL;
    g->hashes = NULL;
    g->cap = 0;
}

void
nb_agg_gather_free(agg_gather *g)
{
    drop_room(g);
    nb_pool_dealloc(g->pool, g->slots, sizeof(*g->slots) * g->n_slots);
    for (int i = 0; i < g->n_lists; i++) {
        nb_pool_dealloc(g->pool, g->lists[i].entries, sizeof(uint64_t) * g->lists[i].cap);
    }
    nb_pool_dealloc(g->pool, g->lists, sizeof(*g->lists) * (size_t)g->n_lists);
    *g = (agg_gather){.pool = g->pool};
}

nb_status
nb_agg_gather_room(agg_gather *g, int64_t n)
{
    size_t bytes = sizeof(*g->out) * (size_t)n;

    if (n <= g->cap) {
        return NB_OK;
    }
    drop_room(g);
    g->cap = n;
    g->out = nb_pool_alloc(g->pool, bytes);
    g->into = nb_pool_alloc(g->pool, bytes);
    g->from = nb_pool_alloc(g->pool, bytes);
    g->hashes = nb_pool_alloc(g->pool, sizeof(*g->hashes) * (size_t)n);
    if (g->out == NULL || g->into == NULL || g->from == NULL || g->hashes == NULL) {
        drop_room(g);
        return NB_NOMEM;
    }
    return NB_OK;
}

/* Empty slots for n rows, at most half full. */
static nb_status
need_slots(agg_gather *g, int64_t n, int *bits)
{
    for (*bits = 10; (int64_t)1 << *bits < 2 * n;) {
        ++*bits;
    }
    if (g->n_slots < (size_t)1 << *bits) {
        nb_pool_dealloc(g->pool, g->slots, sizeof(*g->slots) * g->n_slots);
        g->n_slots = 0;
        g->slots = nb_pool_alloc(g->pool, sizeof(*g->slots) << *bits);
        if (g->slots == NULL) {
            return NB_NOMEM;
        }
        g->n_slots = (size_t)1 << *bits;
    }
    memset(g->slots, 0, sizeof(*g->slots) << *bits);
    return NB_OK;
}

/* The slot of a row's group, or the empty one where it belongs, from a place on. */
NB_INLINE size_t
find_slot(const agg_gather *g, const nb_key_layout *layout, size_t mask, size_t at, uint32_t hash32,
          const uint8_t *row)
{
    while (g->slots[at] != 0 &&
           ((uint32_t)(g->slots[at] >> 32) != hash32 ||
            !nb_key_equal(layout, layout->n_sections, row, g->out[(uint32_t)g->slots[at] - 1]))) {
        at = (at + 1) & mask;
    }
    return at;
}

/* The first row of each group is noted in g->out, the others become pairs. Slots, then the rows that they name are prefetched. entries: of a table, in place
 * of hashes. */
NB_INLINE void
gather_rows(agg_gather *g, const nb_key_layout *layout, size_t width, int bits,
            const uint32_t *hashes, const uint64_t *entries, uint8_t *rows, int64_t n)
{
    size_t mask = ((size_t)1 << bits) - 1;

    for (int64_t at = 0; at < n; at += BLOCK) {
        int64_t m = NB_MIN(n - at, BLOCK);
        uint32_t hash32[BLOCK], homes[BLOCK];
        uint8_t *row[BLOCK];

        for (int64_t i = 0; i < m; i++) {
            uint64_t e = entries ? entries[at + i] : (uint64_t)(at + i);

            row[i] = rows + (size_t)(uint32_t)e * width;
            hash32[i] = entries ? (uint32_t)(e >> 32) : hashes[at + i];
            homes[i] = hash32[i] << PART_BITS >> (32 - bits);
            __builtin_prefetch(&g->slots[homes[i]]);
            if (entries) {
                __builtin_prefetch(row[i]);
            }
        }
        for (int64_t i = 0; i < m; i++) {
            uint64_t slot = g->slots[homes[i]];

            if (slot != 0) {
                __builtin_prefetch(g->out[(uint32_t)slot - 1]);
            }
        }
        for (int64_t i = 0; i < m; i++) {
            size_t to = find_slot(g, layout, mask, homes[i], hash32[i], row[i]);

            if (g->slots[to] == 0) {
                g->out[g->n_out++] = row[i];
                g->slots[to] = (uint64_t)hash32[i] << 32 | (uint64_t)g->n_out;
            } else {
                g->into[g->n_pairs] = g->out[(uint32_t)g->slots[to] - 1];
                g->from[g->n_pairs++] = row[i];
            }
        }
    }
}

/* A wave has few rows of a range: they are over before the processor has seen where they lie. */
static void
prefetch_part(const agg_wave *w, int part, size_t width)
{
    size_t from = w->part_at[part], n = NB_MIN(w->part_at[part + 1] - from, MOST_AHEAD);
    const char *hashes = (const char *)(w->hashes + from);
    const char *rows = (const char *)(w->rows + from * width);

    for (size_t i = 0; i < n * sizeof(uint32_t); i += 64) {
        __builtin_prefetch(hashes + i);
    }
    for (size_t i = 0; i < n * width; i += 64) {
        __builtin_prefetch(rows + i);
    }
}

static int
compare_slots(const void *pa, const void *pb)
{
    uint64_t a = *(const uint64_t *)pa, b = *(const uint64_t *)pb;

    return (a > b) - (a < b);
}

/* Groups in the order of hash and key. Slots have them almost in that of the hash; what wrapped around the end is at the front. g->from has room for them,
 * as pairs are fewer than the rows that are not groups. */
static void
order_groups(agg_gather *g, const nb_key_layout *layout, int bits, uint8_t **sorted)
{
    size_t n_slots = (size_t)1 << bits, n = 0;
    int64_t budget = 16 * g->n_out + 64;

    for (size_t i = 0; i < n_slots; i++) {
        if (g->slots[i] != 0) {
            g->slots[n++] = g->slots[i];
        }
    }
    for (size_t i = 1; i < n; i++) {
        uint64_t x = g->slots[i];
        size_t k = i;

        for (; k > 0 && g->slots[k - 1] > x && budget > 0; k--, budget--) {
            g->slots[k] = g->slots[k - 1];
        }
        g->slots[k] = x;
        if (budget <= 0) {
            qsort(g->slots, n, sizeof(*g->slots), compare_slots);
            break;
        }
    }
    for (size_t i = 0; i < n; i++) {
        uint8_t *row = g->out[(uint32_t)g->slots[i] - 1];
        size_t k = i;

        g->hashes[i] = (uint32_t)(g->slots[i] >> 32);
        for (; k > 0 && g->hashes[k - 1] == g->hashes[i] &&
               nb_key_compare(layout, row, sorted[k - 1]) < 0;
             k--) {
            sorted[k] = sorted[k - 1];
        }
        sorted[k] = row;
    }
}

/* Entries of the states' tables in the range; how many rows these and the waves have there. */
static nb_status
find_rows(agg_gather *g, agg_state *const *states, int n, int set, int part, int64_t *total)
{
    uint32_t low = (uint32_t)part << (32 - PART_BITS), high = low + (UINT32_MAX >> PART_BITS);

    if (g->lists == NULL) {
        g->lists = nb_pool_zalloc(g->pool, sizeof(*g->lists) * (size_t)n);
        if (g->lists == NULL) {
            return NB_NOMEM;
        }
        g->n_lists = n;
    }
    *total = 0;
    for (int i = 0; i < n; i++) {
        const nb_group_table *t = nb_agg_table(states[i], set);
        const agg_aside *a = nb_agg_aside(states[i], set);
        agg_entries *l = &g->lists[i];

        l->n = 0;
        if (t->n_rows > 0) {
            NB_TRY(nb_group_table_entries(t, g->pool, low, high, &l->entries, &l->cap, &l->n));
        }
        *total += (int64_t)l->n;
        for (int w = 0; w < a->n; w++) {
            *total += a->waves[w].part_at[part + 1] - a->waves[w].part_at[part];
        }
    }
    return *total < INT32_MAX / 2 ? NB_OK : NB_NOMEM;
}

nb_status
nb_agg_gather_part(agg_gather *g, const aggregate_op *op, agg_state *const *states, int n, int set,
                   int part)
{
    const nb_key_layout *layout = set >= 0 ? &op->distinct[set].layout : &op->layout;
    size_t width = (size_t)(set >= 0 ? layout->n_bytes : op->row_width);
    int64_t total;
    int bits;
    uint8_t **sorted;

    NB_TRY(find_rows(g, states, n, set, part, &total));
    NB_TRY(nb_agg_gather_room(g, total));
    NB_TRY(need_slots(g, total, &bits));
    g->n_out = g->n_pairs = 0;
    for (int i = 0; i < n; i++) {
        const agg_aside *a = nb_agg_aside(states[i], set);

        for (int w = 0; w < a->n; w++) {
            const agg_wave *wave = &a->waves[w];
            uint32_t from = wave->part_at[part];

            if (w + 1 < a->n) {
                prefetch_part(&a->waves[w + 1], part, width);
            }
            gather_rows(g, layout, width, bits, wave->hashes + from, NULL,
                        wave->rows + from * width, wave->part_at[part + 1] - from);
        }
        gather_rows(g, layout, width, bits, NULL, g->lists[i].entries,
                    nb_agg_table(states[i], set)->rows, (int64_t)g->lists[i].n);
    }
    sorted = g->from + g->n_pairs;
    order_groups(g, layout, bits, sorted);
    if (g->n_out > 0) {
        memcpy(g->out, sorted, sizeof(*sorted) * (size_t)g->n_out);
    }
    return NB_OK;
}
