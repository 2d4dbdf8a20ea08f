/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sort_rows.c: sorts row numbers by codes.
 *
 *   1. One look over the keys (in parallel, by chunk) finds the range of integers, whether there are nulls, and what strings have in
 *      common at their beginning.
 *   2. So each key gets as few bits as its range needs, nulls included, and the keys are packed into one word, most significant first.
 *      Doubles are integers too once their bits are turned. What does not fit (long strings, wide keys) is cut.
 *   3. Words are sorted together with row numbers: in the same word where both fit, else as pairs. One pass over the upper bits puts
 *      them into buckets, in parallel; buckets that fit into the cache are then sorted by their lower digits.
 *      When something is cut, strings of few different values are coded by the ranks of these (sort_rank.h).
 *   4. If something was cut, runs of equal words are sorted by comparing the rows.
 */
#include "exec/sort_rows.h"

#include <stdlib.h>
#include "base/thread.h"
#include "exec/sort_code.h"
#include "exec/sort_rank.h"

#define MSD_BITS    11
#define MSD_BUCKETS (1 << MSD_BITS)
#define SMALL_SORT  (1 << 15)
#define MAX_THREADS 64
#define RANK_FROM   256 /* rows */
#define SHORT_CODE  16  /* bits */

/* How a key is coded. */
typedef struct key_plan {
    const nb_sort_col *col;
    nb_code_range range;
    nb_sort_rank *rank; /* NULL: range codes */
    int need;           /* bits of a code */
    int bits;           /* of them in the word */
    int cut;            /* the others: the low ones */
} key_plan;

typedef struct pair {
    uint64_t key;
    uint32_t id;
    uint32_t pad;
} pair;

typedef struct sorter {
    const nb_exec_ctx *ctx;
    nb_pool *pool;
    nb_arena *arena;
    const nb_table *table;
    nb_row_index index;
    key_plan *keys;
    int n_keys;
    bool by_partition;
    int partition_bits, id_bits, word_bits;
    bool exact, packed;
    int first_cut; /* the first key that is not wholly in the word */
    const nb_sort_col *cols;
    int n_cols, n_threads;
    nb_code_range *ranges; /* per chunk and key, while looking */
    void *entries, *other; /* uint64_t or pair */
    size_t n;
    uint32_t *ids;
    int64_t *counts; /* per thread and bucket */
    int64_t *bucket_at;
    size_t *tie_at; /* per thread the first run that it settles; one more at the end */
    atomic_llong next;
    atomic_int status;
} sorter;

static void
fail(sorter *s, nb_status st)
{
    atomic_store(&s->status, (int)st);
}

static bool
stopped(sorter *s)
{
    if (nb_cancelled(s->ctx->cancel)) {
        fail(s, NB_CANCELLED);
    }
    return atomic_load_explicit(&s->status, memory_order_relaxed) < 0;
}

/* ---- 1, 2: codes ----------------------------------------------------------------------------- */

static void
look_main(void *payload, int i)
{
    sorter *s = payload;
    int64_t c;

    (void)i;
    while ((c = atomic_fetch_add(&s->next, 1)) < s->table->n_chunks && !stopped(s)) {
        const nb_chunk *chunk = s->table->chunks[c];

        for (int k = 0; k < s->n_keys; k++) {
            nb_code_range_of(&chunk->cols[s->keys[k].col->col], chunk->n_rows,
                             &s->ranges[c * s->n_keys + k]);
        }
    }
}

/* Gives the keys their bits, as long as some are left. */
static void
lay_out(sorter *s, int left)
{
    s->exact = true;
    s->first_cut = s->n_keys;
    for (int k = 0; k < s->n_keys && s->exact; k++) {
        key_plan *p = &s->keys[k];

        p->bits = NB_MIN(p->need, left);
        p->cut = p->need - p->bits;
        left -= p->bits;
        if (p->cut > 0 || (p->rank == NULL && !p->range.exact)) {
            s->exact = false;
            s->first_cut = k;
        }
    }
    s->word_bits = 64 - left;
}

/* Ranks for strings whose codes are long, up to the first that has too many values: what comes behind it is hardly looked at. */
static nb_status
rank_strings(sorter *s)
{
    for (int k = 0; k < s->n_keys; k++) {
        key_plan *p = &s->keys[k];
        uint64_t codes;

        if (nb_type_storage(s->table->schema->children[p->col->col].type)->phys != NB_PHYS_STRING ||
            (p->range.exact && p->need <= SHORT_CODE)) {
            continue;
        }
        NB_TRY(nb_sort_rank_new(s->ctx, s->pool, s->table, p->col->col, s->n_threads, &p->rank));
        if (p->rank == NULL) {
            return NB_OK;
        }
        codes = (uint64_t)nb_sort_rank_values(p->rank) + p->range.nulls;
        p->need = codes > 1 ? 64 - __builtin_clzll(codes - 1) : 0;
    }
    return NB_OK;
}

static nb_status
plan_word(sorter *s)
{
    int left = 64, n_chunks = s->table->n_chunks;

    s->ranges = nb_arena_zalloc(s->arena, (size_t)(n_chunks * s->n_keys + 1) * sizeof(*s->ranges));
    if (s->ranges == NULL) {
        return NB_NOMEM;
    }
    nb_threads_run(s->n_threads, look_main, s);
    NB_TRY((nb_status)atomic_load(&s->status));
    if (s->by_partition) {
        int last = 0;

        for (int c = 0; c < n_chunks; c++) {
            last = NB_MAX(last, s->table->chunks[c]->partition);
        }
        s->partition_bits = last ? 32 - __builtin_clz((unsigned)last) : 0;
        left -= s->partition_bits;
    }
    for (int k = 0; k < s->n_keys; k++) {
        key_plan *p = &s->keys[k];

        for (int c = 0; c < n_chunks; c++) {
            nb_code_range_join(&p->range, &s->ranges[c * s->n_keys + k]);
        }
        p->need = nb_code_finish(&p->range, p->col->descending, p->col->nulls_last);
    }
    lay_out(s, left);
    if (!s->exact && s->n >= RANK_FROM) {
        NB_TRY(rank_strings(s));
        lay_out(s, left);
    }
    s->id_bits = s->n > 1 ? 64 - __builtin_clzll((uint64_t)s->n - 1) : 1;
    s->packed = s->exact && s->word_bits + s->id_bits <= 64;
    return NB_OK;
}

static void
make_ranks(const key_plan *p, const nb_chunk *chunk, int c, int64_t from, int64_t n,
           uint64_t *codes)
{
    uint64_t n_values = nb_sort_rank_values(p->rank);
    uint64_t add = p->range.nulls && !p->col->nulls_last;
    const uint64_t *validity = chunk->cols[p->col->col].validity;

    nb_sort_rank_make(p->rank, c, from, n, codes);
    for (int64_t i = 0; i < n; i++) {
        codes[i] = (p->col->descending ? n_values - 1 - codes[i] : codes[i]) + add;
        if (!nb_is_valid(validity, from + i)) {
            codes[i] = p->col->nulls_last ? n_values : 0;
        }
    }
}

/* Words of rows [from, from + n) of a chunk. */
static nb_status
make_words(sorter *s, int c, int64_t from, int64_t n, uint64_t *words, uint64_t *codes)
{
    const nb_chunk *chunk = s->table->chunks[c];
    uint64_t first = s->by_partition ? (uint64_t)NB_MAX(chunk->partition, 0) : 0;

    for (int64_t i = 0; i < n; i++) {
        words[i] = first;
    }
    for (int k = 0; k < s->n_keys && k <= s->first_cut; k++) {
        const key_plan *p = &s->keys[k];

        if (p->bits == 0) {
            continue;
        }
        if (p->rank != NULL) {
            make_ranks(p, chunk, c, from, n, codes);
        } else {
            nb_code_make(&p->range, &chunk->cols[p->col->col], from, n, codes);
        }
        for (int64_t i = 0; i < n; i++) {
            words[i] = (p->bits == 64 ? 0 : words[i] << p->bits) | (codes[i] >> p->cut);
        }
    }
    return NB_OK;
}

static void
words_main(void *payload, int thread)
{
    sorter *s = payload;
    nb_arena *arena = nb_arena_new(s->pool);
    uint64_t *words = arena ? NB_ARENA_ARRAY(arena, uint64_t, 2 * NB_BATCH_ROWS) : NULL;
    int64_t c;

    (void)thread;
    if (words == NULL) {
        fail(s, NB_NOMEM);
    }
    while (!stopped(s) && (c = atomic_fetch_add(&s->next, 1)) < s->table->n_chunks) {
        int64_t rows = s->table->chunks[c]->n_rows;

        for (int64_t at = 0; at < rows && !stopped(s); at += NB_BATCH_ROWS) {
            int64_t n = NB_MIN(rows - at, NB_BATCH_ROWS), id = s->index.starts[c] + at;

            make_words(s, (int)c, at, n, words, words + NB_BATCH_ROWS);
            if (s->packed) {
                uint64_t *to = (uint64_t *)s->entries + id;
                for (int64_t i = 0; i < n; i++) {
                    to[i] = words[i] << s->id_bits | (uint64_t)(id + i);
                }
            } else {
                pair *to = (pair *)s->entries + id;
                for (int64_t i = 0; i < n; i++) {
                    to[i] = (pair){.key = words[i], .id = (uint32_t)(id + i)};
                }
            }
        }
    }
    nb_arena_free(arena);
}

/* ---- 3: radix -------------------------------------------------------------------------------- */

#define NB_T          uint64_t
#define NB_NAME(f)    packed_##f
#define NB_KEY(e)     (e)
#define NB_LESS(a, b) ((a) < (b))
#include "exec/sort_radix_tmpl.h"
#define NB_T          pair
#define NB_NAME(f)    pair_##f
#define NB_KEY(e)     ((e).key)
#define NB_LESS(a, b) ((a).key < (b).key || ((a).key == (b).key && (a).id < (b).id))
#include "exec/sort_radix_tmpl.h"

static int
low_bit(const sorter *s)
{
    return s->packed ? s->id_bits : 0;
}

static void
range_of_thread(const sorter *s, int t, size_t *from, size_t *to)
{
    *from = s->n * (size_t)t / (size_t)s->n_threads;
    *to = s->n * ((size_t)t + 1) / (size_t)s->n_threads;
}

static void
count_main(void *payload, int t)
{
    sorter *s = payload;
    size_t from, to;
    int shift = low_bit(s) + s->word_bits - MSD_BITS;

    range_of_thread(s, t, &from, &to);
    if (s->packed) {
        packed_count((uint64_t *)s->entries + from, to - from, shift, s->counts + t * MSD_BUCKETS);
    } else {
        pair_count((pair *)s->entries + from, to - from, shift, s->counts + t * MSD_BUCKETS);
    }
}

static void
scatter_main(void *payload, int t)
{
    sorter *s = payload;
    size_t from, to;
    int shift = low_bit(s) + s->word_bits - MSD_BITS;

    range_of_thread(s, t, &from, &to);
    if (s->packed) {
        packed_scatter((uint64_t *)s->entries + from, to - from, shift, s->counts + t * MSD_BUCKETS,
                       s->other);
    } else {
        pair_scatter((pair *)s->entries + from, to - from, shift, s->counts + t * MSD_BUCKETS,
                     s->other);
    }
}

/* Sorts [from, to) of `other` by bits below; the result is there. */
static void
sort_bucket(sorter *s, size_t from, size_t to, int bits)
{
    if (s->packed) {
        packed_lsd((uint64_t *)s->other + from, (uint64_t *)s->entries + from, to - from,
                   s->id_bits, bits);
    } else {
        pair_lsd((pair *)s->other + from, (pair *)s->entries + from, to - from, 0, bits);
    }
}

static void
bucket_main(void *payload, int t)
{
    sorter *s = payload;
    int64_t b;

    (void)t;
    while (!stopped(s) && (b = atomic_fetch_add(&s->next, 1)) < MSD_BUCKETS) {
        sort_bucket(s, (size_t)s->bucket_at[b], (size_t)s->bucket_at[b + 1],
                    s->word_bits - MSD_BITS);
    }
}

static nb_status
sort_words(sorter *s)
{
    int64_t at = 0;

    if (s->n < SMALL_SORT || s->word_bits < MSD_BITS) {
        void *swap = s->entries;

        s->entries = s->other;
        s->other = swap;
        sort_bucket(s, 0, s->n, s->word_bits);
        return NB_OK;
    }
    s->counts = nb_arena_zalloc(s->arena, (size_t)s->n_threads * MSD_BUCKETS * sizeof(*s->counts));
    s->bucket_at = NB_ARENA_ARRAY(s->arena, int64_t, MSD_BUCKETS + 1);
    if (s->counts == NULL || s->bucket_at == NULL) {
        return NB_NOMEM;
    }
    nb_threads_run(s->n_threads, count_main, s);
    for (int b = 0; b < MSD_BUCKETS; b++) {
        s->bucket_at[b] = at;
        for (int t = 0; t < s->n_threads; t++) {
            int64_t count = s->counts[t * MSD_BUCKETS + b];
            s->counts[t * MSD_BUCKETS + b] = at;
            at += count;
        }
    }
    s->bucket_at[MSD_BUCKETS] = at;
    nb_threads_run(s->n_threads, scatter_main, s);
    atomic_store(&s->next, 0);
    nb_threads_run(s->n_threads, bucket_main, s);
    return (nb_status)atomic_load(&s->status);
}

/* ---- 4: ties and result ---------------------------------------------------------------------- */

static int
compare_pairs(const void *a, const void *b, void *payload)
{
    const sorter *s = payload;
    const pair *x = a, *y = b;
    int r =
        nb_rows_compare(&s->index, s->cols + s->first_cut, s->n_cols - s->first_cut, x->id, y->id);

    return r != 0 ? r : (x->id > y->id) - (x->id < y->id);
}

static void
ids_main(void *payload, int t)
{
    sorter *s = payload;
    size_t from, to;
    pair *e = s->other;

    range_of_thread(s, t, &from, &to);
    if (s->packed) {
        const uint64_t *words = s->other;
        uint64_t mask = ((uint64_t)1 << s->id_bits) - 1;

        for (size_t i = from; i < to; i++) {
            s->ids[i] = (uint32_t)(words[i] & mask);
        }
        return;
    }
    for (size_t i = from; i < to; i++) {
        s->ids[i] = e[i].id;
    }
}

/* Runs never cross the places where threads begin. */
static void
ties_main(void *payload, int t)
{
    sorter *s = payload;
    size_t from = s->tie_at[t], to = s->tie_at[t + 1];
    pair *e = s->other;

    while (from < to && !stopped(s)) {
        size_t end = from + 1;

        while (end < to && e[end].key == e[from].key) {
            end++;
        }
        if (end - from > 1) {
            qsort_r(e + from, end - from, sizeof(*e), compare_pairs, s);
        }
        from = end;
    }
}

static nb_status
settle_ties(sorter *s)
{
    const pair *e = s->other;

    s->tie_at = NB_ARENA_ARRAY(s->arena, size_t, s->n_threads + 1);
    if (s->tie_at == NULL) {
        return NB_NOMEM;
    }
    for (int t = 0; t < s->n_threads; t++) {
        size_t from, to;

        range_of_thread(s, t, &from, &to);
        from = t > 0 ? NB_MAX(from, s->tie_at[t - 1]) : from;
        while (from > 0 && from < s->n && e[from].key == e[from - 1].key) {
            from++;
        }
        s->tie_at[t] = from;
    }
    s->tie_at[s->n_threads] = s->n;
    nb_threads_run(s->n_threads, ties_main, s);
    return (nb_status)atomic_load(&s->status);
}

nb_status
nb_sort_rows(const nb_exec_ctx *ctx, nb_pool *pool, const nb_table *table, const nb_sort_col *cols,
             int n_cols, bool by_partition, uint32_t **ids)
{
    sorter s = {.ctx = ctx,
                .pool = pool,
                .table = table,
                .cols = cols,
                .n_cols = n_cols,
                .n_keys = n_cols,
                .by_partition = by_partition,
                .n = (size_t)table->n_rows,
                .n_threads = NB_MIN(NB_MAX(ctx->n_threads, 1), MAX_THREADS)};
    size_t bytes = 0;
    nb_status st = NB_OK;

    *ids = NULL;
    if (s.n == 0) {
        return NB_OK;
    }
    if (s.n < SMALL_SORT) {
        s.n_threads = 1;
    }
    s.arena = nb_arena_new(pool);
    s.keys = s.arena ? nb_arena_zalloc(s.arena, (size_t)(n_cols + 1) * sizeof(*s.keys)) : NULL;
    if (s.keys == NULL) {
        nb_arena_free(s.arena);
        return NB_NOMEM;
    }
    for (int k = 0; k < n_cols; k++) {
        s.keys[k].col = &cols[k];
    }
    NB_TRY_GOTO(st, nb_row_index_init(s.arena, table, &s.index), done);
    NB_TRY_GOTO(st, plan_word(&s), done);
    bytes = s.n * (s.packed ? sizeof(uint64_t) : sizeof(pair));
    s.entries = nb_pool_alloc(pool, bytes);
    s.other = nb_pool_alloc(pool, bytes);
    s.ids = nb_pool_alloc(pool, s.n * sizeof(uint32_t));
    if (s.entries == NULL || s.other == NULL || s.ids == NULL) {
        st = NB_NOMEM;
        goto done;
    }
    atomic_store(&s.next, 0);
    nb_threads_run(s.n_threads, words_main, &s);
    NB_TRY_GOTO(st, (nb_status)atomic_load(&s.status), done);
    NB_TRY_GOTO(st, sort_words(&s), done);
    if (!s.exact) {
        NB_TRY_GOTO(st, settle_ties(&s), done);
    }
    nb_threads_run(s.n_threads, ids_main, &s);
    *ids = s.ids;
    s.ids = NULL;
done:
    if (s.ids != NULL) {
        nb_pool_dealloc(pool, s.ids, s.n * sizeof(uint32_t));
    }
    nb_pool_dealloc(pool, s.entries, bytes);
    nb_pool_dealloc(pool, s.other, bytes);
    for (int k = 0; k < n_cols; k++) {
        nb_sort_rank_free(s.keys[k].rank);
    }
    nb_arena_free(s.arena);
    return st;
}
