/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort_rank.c: see sort_rank.h.
 *
 *   1. For each chunk, in parallel: a small hash table of its values, and per row the number that its value has there.
 *   2. The values of all chunks are sorted; each chunk learns the ranks of its own.
 *
 * So a row's rank is two look-ups away, and no row is hashed twice or compared at all. With more than MOST values in a chunk nothing is made.
 */
#include "exec/sort_rank.h"

#include <pthread.h>
#include <stdlib.h>
#include "base/hash.h"
#include "base/thread.h"

#define MOST  2048
#define SLOTS 8192 /* a power of two */
/* Of all chunks together, equal ones counted as often as they occur: sorting them is one thread's work. */
#define MOST_IN_ALL 65536

typedef struct chunk_values {
    uint16_t *numbers; /* per row; of nulls 0 */
    nb_str *values;
    uint32_t *ranks;
    uint32_t n;
} chunk_values;

struct nb_sort_rank {
    nb_arena *arena; /* of what the merge makes; and, under the lock, of what threads make */
    pthread_mutex_t lock;
    nb_pool *pool;
    const nb_exec_ctx *ctx;
    const nb_table *table;
    int column;
    chunk_values *chunks;
    uint32_t n_values;
    atomic_int next, status; /* > 0: too many values */
};

typedef struct value_at {
    nb_str value;
    uint32_t *rank; /* where it goes */
} value_at;

static int
by_value(const void *a, const void *b)
{
    return nb_str_compare(((const value_at *)a)->value, ((const value_at *)b)->value);
}

static uint64_t
hash_of(const nb_view *v)
{
    uint64_t words[2];

    if (v->len > NB_VIEW_INLINE) {
        return nb_hash_bytes(v->ptr, v->len);
    }
    memcpy(words, v, sizeof(words));
    return nb_hash_pair(words[0], words[1]);
}

/* Numbers the values of a chunk in `slots` (number + 1; zeroed here); false: too many. */
static bool
number_values(const nb_vector *v, int64_t n, uint16_t *slots, nb_str *values, chunk_values *c)
{
    const nb_view *views = v->data;

    memset(slots, 0, SLOTS * sizeof(*slots));
    for (int64_t i = 0; i < n; i++) {
        nb_str value;
        size_t at;

        c->numbers[i] = 0;
        if (!nb_is_valid(v->validity, i)) {
            continue;
        }
        value = nb_view_str(&views[i]);
        at = (size_t)hash_of(&views[i]) & (SLOTS - 1);
        while (slots[at] != 0 && !nb_str_equal(values[slots[at] - 1], value)) {
            at = (at + 1) & (SLOTS - 1);
        }
        if (slots[at] == 0) {
            if (c->n == MOST) {
                return false;
            }
            values[c->n++] = value;
            slots[at] = (uint16_t)c->n;
        }
        c->numbers[i] = (uint16_t)(slots[at] - 1);
    }
    return true;
}

static void *
shared_alloc(nb_sort_rank *r, size_t n_bytes)
{
    void *p;

    pthread_mutex_lock(&r->lock);
    p = nb_arena_alloc(r->arena, n_bytes);
    pthread_mutex_unlock(&r->lock);
    return p;
}

static void
number_main(void *payload, int thread)
{
    nb_sort_rank *r = payload;
    uint16_t *slots = shared_alloc(r, SLOTS * sizeof(uint16_t));
    nb_str *values = shared_alloc(r, MOST * sizeof(nb_str));
    int i;

    (void)thread;
    if (slots == NULL || values == NULL) {
        atomic_store(&r->status, NB_NOMEM);
        return;
    }
    while (atomic_load(&r->status) == NB_OK &&
           (i = atomic_fetch_add(&r->next, 1)) < r->table->n_chunks) {
        const nb_chunk *chunk = r->table->chunks[i];
        chunk_values *c = &r->chunks[i];

        c->numbers = shared_alloc(r, (size_t)(chunk->n_rows + 1) * sizeof(uint16_t));
        if (nb_cancelled(r->ctx->cancel)) {
            atomic_store(&r->status, NB_CANCELLED);
        } else if (c->numbers == NULL) {
            atomic_store(&r->status, NB_NOMEM);
        } else if (!number_values(&chunk->cols[r->column], chunk->n_rows, slots, values, c)) {
            atomic_store(&r->status, NB_DONE);
        } else {
            c->values = shared_alloc(r, (c->n + 1) * sizeof(nb_str));
            c->ranks = shared_alloc(r, (c->n + 1) * sizeof(uint32_t));
            if (c->values == NULL || c->ranks == NULL) {
                atomic_store(&r->status, NB_NOMEM);
                return;
            }
            memcpy(c->values, values, c->n * sizeof(nb_str));
            memset(c->ranks, 0, (c->n + 1) * sizeof(uint32_t));
        }
    }
}

static nb_status
rank_values(nb_sort_rank *r)
{
    size_t n = 0;
    value_at *all;

    for (int i = 0; i < r->table->n_chunks; i++) {
        n += r->chunks[i].n;
    }
    if (n > MOST_IN_ALL) {
        return NB_DONE;
    }
    all = NB_ARENA_ARRAY(r->arena, value_at, n + 1);
    if (all == NULL) {
        return NB_NOMEM;
    }
    n = 0;
    for (int i = 0; i < r->table->n_chunks; i++) {
        for (uint32_t k = 0; k < r->chunks[i].n; k++) {
            all[n++] = (value_at){r->chunks[i].values[k], &r->chunks[i].ranks[k]};
        }
    }
    qsort(all, n, sizeof(*all), by_value);
    for (size_t i = 0; i < n; i++) {
        r->n_values += i == 0 || !nb_str_equal(all[i].value, all[i - 1].value);
        *all[i].rank = r->n_values - 1;
    }
    return NB_OK;
}

nb_status
nb_sort_rank_new(const nb_exec_ctx *ctx, nb_pool *pool, const nb_table *table, int column,
                 int n_threads, nb_sort_rank **out)
{
    nb_sort_rank *r = nb_pool_zalloc(pool, sizeof(*r));
    nb_status st = NB_NOMEM;

    *out = NULL;
    if (r == NULL) {
        return NB_NOMEM;
    }
    r->ctx = ctx;
    r->pool = pool;
    r->table = table;
    r->column = column;
    r->arena = nb_arena_new(pool);
    pthread_mutex_init(&r->lock, NULL);
    if (r->arena != NULL) {
        r->chunks = nb_arena_zalloc(r->arena, (size_t)(table->n_chunks + 1) * sizeof(chunk_values));
    }
    if (r->chunks != NULL) {
        nb_threads_run(n_threads, number_main, r);
        st = (nb_status)atomic_load(&r->status);
    }
    if (st == NB_OK) {
        st = rank_values(r);
    }
    if (st == NB_OK) {
        *out = r;
    } else {
        nb_sort_rank_free(r);
    }
    return st < 0 ? st : NB_OK;
}

void
nb_sort_rank_free(nb_sort_rank *r)
{
    if (r == NULL) {
        return;
    }
    nb_arena_free(r->arena);
    pthread_mutex_destroy(&r->lock);
    nb_pool_dealloc(r->pool, r, sizeof(*r));
}

uint32_t
nb_sort_rank_values(const nb_sort_rank *r)
{
    return r->n_values;
}

void
nb_sort_rank_make(const nb_sort_rank *r, int chunk, int64_t from, int64_t n, uint64_t *ranks)
{
    const chunk_values *c = &r->chunks[chunk];

    for (int64_t i = 0; i < n; i++) {
        ranks[i] = c->ranks[c->numbers[from + i]];
    }
}
