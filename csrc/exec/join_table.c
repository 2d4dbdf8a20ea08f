/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_table.c: parallel build and look-up.
 *
 * Build      keys of all rows become images and hashes (by chunk); row numbers are put into partitions by the top bits of the hash (by
 *            thread, in order); each partition's rows are inserted into its own part of the slots, the last row first, so that
 *            chains ascend whatever the threads did.
 * Look-up    three loops as in group_table.c, so that misses overlap.
 * Dense      a single integer key whose values span at most 4 times the rows needs neither hashes nor comparisons: an array.
 */
#include "exec/join_table.h"

#include "base/thread.h"

#define PART_ROWS   32768
#define MAX_PARTS   10 /* bits */
#define MAX_THREADS 64
#define DENSE_LEAST 65536

typedef struct entry {
    uint32_t hash32, row;
} entry;

typedef struct builder {
    const nb_exec_ctx *ctx;
    nb_join_table *t;
    const int *key_cols;
    nb_row_index index;
    int64_t n, n_entries;
    int n_threads;
    uint32_t *hash32; /* per row */
    uint8_t *skip;    /* per row: a null key */
    entry *entries;   /* by partition, ascending rows */
    int64_t *counts;  /* per thread and partition, then where it writes */
    int64_t *part_at;
    atomic_llong next;
    atomic_int status, chains, full, nulls;
} builder;

static bool
stopped(builder *b)
{
    if (nb_cancelled(b->ctx->cancel)) {
        atomic_store(&b->status, NB_CANCELLED);
    }
    return atomic_load_explicit(&b->status, memory_order_relaxed) < 0;
}

/* 1 for rows of v that are null; leaves others alone. */
static bool
mark_nulls(const nb_vector *v, int64_t n, uint8_t *nulls)
{
    bool any = false;

    if (v->kind == NB_VEC_FLAT && v->validity == NULL && v->type->id != NB_TYPE_NULL) {
        return false;
    }
    for (int64_t i = 0; i < n; i++) {
        if (nb_vector_is_null(v, i)) {
            nulls[i] = 1;
            any = true;
        }
    }
    return any;
}

static nb_status
encode_chunk(builder *b, int c, nb_arena *scratch, nb_vector *keys, uint64_t *hashes)
{
    nb_join_table *t = b->t;
    const nb_chunk *chunk = b->t->rows->chunks[c];
    int64_t start = b->index.starts[c];

    for (int64_t at = 0; at < chunk->n_rows && !stopped(b); at += NB_BATCH_ROWS) {
        int64_t n = NB_MIN(chunk->n_rows - at, NB_BATCH_ROWS), row = start + at;

        nb_arena_reset(scratch);
        for (int k = 0; k < t->n_keys; k++) {
            NB_TRY(nb_vector_slice(scratch, &chunk->cols[b->key_cols[k]], at, n, &keys[k]));
            if (!t->null_safe[k] && mark_nulls(&keys[k], n, b->skip + row)) {
                atomic_store_explicit(&b->nulls, 1, memory_order_relaxed);
            }
        }
        NB_TRY(nb_keys_encode(&t->layout, keys, NULL, n, t->arena,
                              t->images + row * t->layout.n_bytes));
        nb_keys_hash(&t->layout, 1, t->images + row * t->layout.n_bytes, n, hashes);
        for (int64_t i = 0; i < n; i++) {
            b->hash32[row + i] = (uint32_t)(hashes[i] >> 32);
        }
    }
    return NB_OK;
}

static void
encode_main(void *payload, int thread)
{
    builder *b = payload;
    nb_arena *scratch = nb_arena_new(b->t->pool), *memory = nb_arena_new(b->t->pool);
    nb_vector *keys = memory ? NB_ARENA_ARRAY(memory, nb_vector, b->t->n_keys) : NULL;
    uint64_t *hashes = memory ? NB_ARENA_ARRAY(memory, uint64_t, NB_BATCH_ROWS) : NULL;
    nb_status st = scratch && keys && hashes ? NB_OK : NB_NOMEM;
    int64_t c;

    (void)thread;
    while (st == NB_OK && !stopped(b) &&
           (c = atomic_fetch_add(&b->next, 1)) < b->t->rows->n_chunks) {
        st = encode_chunk(b, (int)c, scratch, keys, hashes);
    }
    nb_arena_free(scratch);
    nb_arena_free(memory);
    if (st < 0) {
        atomic_store(&b->status, st);
    }
}

static uint32_t
part_of(const nb_join_table *t, uint32_t hash32)
{
    return t->part_bits ? hash32 >> (32 - t->part_bits) : 0;
}

static void
range_of_thread(const builder *b, int thread, int64_t *from, int64_t *to)
{
    *from = b->n * thread / b->n_threads;
    *to = b->n * (thread + 1) / b->n_threads;
}

static void
count_main(void *payload, int thread)
{
    builder *b = payload;
    int64_t *counts = b->counts + ((int64_t)thread << b->t->part_bits), from, to;

    range_of_thread(b, thread, &from, &to);
    for (int64_t i = from; i < to; i++) {
        counts[part_of(b->t, b->hash32[i])] += !b->skip[i];
    }
}

static void
scatter_main(void *payload, int thread)
{
    builder *b = payload;
    int64_t *at = b->counts + ((int64_t)thread << b->t->part_bits), from, to;

    range_of_thread(b, thread, &from, &to);
    for (int64_t i = from; i < to; i++) {
        if (!b->skip[i]) {
            b->entries[at[part_of(b->t, b->hash32[i])]++] = (entry){b->hash32[i], (uint32_t)i};
        }
    }
}

/* False when the partition's slots are too few. */
static bool
insert_part(builder *b, int64_t part)
{
    nb_join_table *t = b->t;
    uint64_t mask = ((uint64_t)1 << t->sub_bits) - 1;
    uint64_t *slots = t->slots + ((uint64_t)part << t->sub_bits);
    int shift = 32 - t->part_bits - t->sub_bits, stride = t->layout.n_bytes;
    uint64_t used = 0, most = (mask + 1) - (mask + 1) / 4;

    for (int64_t e = b->part_at[part + 1] - 1; e >= b->part_at[part]; e--) {
        uint32_t hash32 = b->entries[e].hash32, row = b->entries[e].row;
        uint64_t at = (hash32 >> shift) & mask;

        for (;; at = (at + 1) & mask) {
            uint64_t slot = slots[at];

            if (slot == 0) {
                if (++used > most) {
                    return false;
                }
                t->next[row] = NB_NO_ROW;
                break;
            }
            if ((uint32_t)(slot >> 32) == hash32 &&
                nb_key_equal(&t->layout, 1, t->images + (int64_t)row * stride,
                             t->images + (int64_t)((uint32_t)slot - 1) * stride)) {
                t->next[row] = (uint32_t)slot - 1;
                atomic_store_explicit(&b->chains, 1, memory_order_relaxed);
                break;
            }
        }
        slots[at] = (uint64_t)hash32 << 32 | (row + 1);
    }
    return true;
}

static void
insert_main(void *payload, int thread)
{
    builder *b = payload;
    int64_t part;

    (void)thread;
    while (!stopped(b) && !atomic_load(&b->full) &&
           (part = atomic_fetch_add(&b->next, 1)) < (int64_t)1 << b->t->part_bits) {
        if (!insert_part(b, part)) {
            atomic_store(&b->full, 1);
        }
    }
}

static nb_status
build_hash(builder *b)
{
    nb_join_table *t = b->t;
    nb_pool *pool = t->pool;
    int64_t n_counts, at = 0;
    size_t bytes = 0;
    nb_status st = NB_OK;

    t->images = nb_pool_alloc_aligned(pool, (size_t)b->n * (size_t)t->layout.n_bytes);
    b->hash32 = nb_pool_alloc(pool, (size_t)b->n * sizeof(uint32_t));
    if (t->images == NULL || b->hash32 == NULL) {
        return NB_NOMEM;
    }
    atomic_store(&b->next, 0);
    /* nested keys are encoded into the arena, which is for one thread */
    for (int k = 0; k < t->n_keys; k++) {
        if (t->layout.cols[k].nested) {
            b->n_threads = 1;
        }
    }
    nb_threads_run(b->n_threads, encode_main, b);
    NB_TRY((nb_status)atomic_load(&b->status));
    while (t->part_bits < MAX_PARTS && (int64_t)PART_ROWS << t->part_bits < b->n) {
        t->part_bits++;
    }
    n_counts = (int64_t)b->n_threads << t->part_bits;
    b->counts = nb_arena_zalloc(t->arena, (size_t)n_counts * sizeof(int64_t));
    b->part_at = NB_ARENA_ARRAY(t->arena, int64_t, ((int64_t)1 << t->part_bits) + 1);
    b->entries = nb_pool_alloc(pool, (size_t)b->n * sizeof(entry));
    if (b->counts == NULL || b->part_at == NULL || b->entries == NULL) {
        return NB_NOMEM;
    }
    nb_threads_run(b->n_threads, count_main, b);
    for (int64_t p = 0; p < (int64_t)1 << t->part_bits; p++) {
        b->part_at[p] = at;
        for (int thread = 0; thread < b->n_threads; thread++) {
            int64_t *c = &b->counts[((int64_t)thread << t->part_bits) + p], count = *c;
            *c = at;
            at += count;
        }
    }
    b->part_at[(int64_t)1 << t->part_bits] = at;
    b->n_entries = at;
    nb_threads_run(b->n_threads, scatter_main, b);
    for (t->sub_bits = 4; (int64_t)1 << (t->sub_bits + t->part_bits) < 2 * at;) {
        t->sub_bits++;
    }
    for (;; t->sub_bits++) {
        bytes = sizeof(uint64_t) << (t->sub_bits + t->part_bits);
        t->slots = nb_pool_zalloc(pool, bytes);
        if (t->slots == NULL) {
            return NB_NOMEM;
        }
        atomic_store(&b->next, 0);
        atomic_store(&b->full, 0);
        nb_threads_run(b->n_threads, insert_main, b);
        st = (nb_status)atomic_load(&b->status);
        if (st < 0 || !atomic_load(&b->full) || t->sub_bits + t->part_bits >= 32) {
            return st;
        }
        nb_pool_dealloc(pool, t->slots, bytes);
        t->slots = NULL;
    }
}

/* ---- dense ----------------------------------------------------------------------------------- */

static bool
is_integer(nb_phys phys)
{
    return phys >= NB_PHYS_INT8 && phys <= NB_PHYS_INT64;
}

NB_INLINE int64_t
int_at(const void *data, nb_phys phys, int64_t i)
{
    switch (phys) {
    case NB_PHYS_INT8: return ((const int8_t *)data)[i];
    case NB_PHYS_INT16: return ((const int16_t *)data)[i];
    case NB_PHYS_INT32: return ((const int32_t *)data)[i];
    default: return ((const int64_t *)data)[i];
    }
}

/* True when the single key is an integer of a range that an array can cover; then *least and *width say which. */
static bool
dense_range(const builder *b, int64_t *least, uint64_t *width)
{
    const nb_join_table *t = b->t;
    nb_phys phys;
    int64_t low = INT64_MAX, high = INT64_MIN;

    if (t->n_keys != 1 || t->null_safe[0] || b->n == 0 || nb_hash_debug_equal) {
        return false;
    }
    phys = nb_type_storage(t->rows->schema->children[b->key_cols[0]].type)->phys;
    if (!is_integer(phys)) {
        return false;
    }
    for (int c = 0; c < t->rows->n_chunks; c++) {
        const nb_chunk *chunk = t->rows->chunks[c];
        const nb_vector *v = &chunk->cols[b->key_cols[0]];

        if (v->kind != NB_VEC_FLAT) {
            return false;
        }
        for (int64_t i = 0; i < chunk->n_rows; i++) {
            if (nb_is_valid(v->validity, i)) {
                int64_t x = int_at(v->data, phys, i);
                low = NB_MIN(low, x);
                high = NB_MAX(high, x);
            }
        }
    }
    if (low > high) {
        return false;
    }
    *least = low;
    *width = (uint64_t)high - (uint64_t)low;
    return *width < NB_MAX((uint64_t)b->n * 4, (uint64_t)DENSE_LEAST);
}

static nb_status
build_dense(builder *b)
{
    nb_join_table *t = b->t;
    nb_phys phys = nb_type_storage(t->rows->schema->children[b->key_cols[0]].type)->phys;

    t->dense = nb_pool_zalloc(t->pool, (size_t)(t->dense_width + 1) * sizeof(uint32_t));
    if (t->dense == NULL) {
        return NB_NOMEM;
    }
    for (int c = t->rows->n_chunks - 1; c >= 0; c--) {
        const nb_chunk *chunk = t->rows->chunks[c];
        const nb_vector *v = &chunk->cols[b->key_cols[0]];

        for (int64_t i = chunk->n_rows - 1; i >= 0; i--) {
            int64_t row = b->index.starts[c] + i;
            uint32_t *head;

            if (!nb_is_valid(v->validity, i)) {
                t->has_nulls = true;
                continue;
            }
            head = &t->dense[int_at(v->data, phys, i) - t->dense_base];
            t->next[row] = *head - 1;
            t->has_chains |= *head != 0;
            *head = (uint32_t)row + 1;
        }
    }
    return NB_OK;
}

/* ---- */

nb_status
nb_join_table_build(const nb_exec_ctx *ctx, nb_pool *pool, const nb_table *rows,
                    const int *key_cols, const bool *null_safe, int n_keys, nb_join_table **out)
{
    builder b = {.ctx = ctx,
                 .key_cols = key_cols,
                 .n = rows->n_rows,
                 .n_threads = NB_MIN(NB_MAX(ctx->n_threads, 1), MAX_THREADS)};
    nb_arena *arena = nb_arena_new(pool);
    nb_join_table *t = arena ? NB_ARENA_NEW(arena, nb_join_table) : NULL;
    const nb_type **types = arena ? NB_ARENA_ARRAY(arena, const nb_type *, n_keys) : NULL;
    nb_status st = NB_NOMEM;

    if (t == NULL || types == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    b.t = t;
    t->pool = pool;
    t->arena = arena;
    t->rows = rows;
    t->n_keys = n_keys;
    t->null_safe = null_safe;
    if (b.n < PART_ROWS) {
        b.n_threads = 1;
    }
    for (int k = 0; k < n_keys; k++) {
        types[k] = rows->schema->children[key_cols[k]].type;
    }
    NB_TRY_GOTO(st, nb_key_layout_init(arena, types, n_keys, n_keys, &t->layout), done);
    NB_TRY_GOTO(st, nb_row_index_init(arena, rows, &b.index), done);
    t->next = nb_pool_alloc(pool, (size_t)(b.n + 1) * sizeof(uint32_t));
    b.skip = nb_pool_zalloc(pool, (size_t)b.n + 1);
    if (t->next == NULL || b.skip == NULL) {
        st = NB_NOMEM;
        goto done;
    }
    if (n_keys == 0 || b.n == 0) {
        st = NB_OK;
    } else if (dense_range(&b, &t->dense_base, &t->dense_width)) {
        st = build_dense(&b);
    } else {
        st = build_hash(&b);
        t->has_chains = atomic_load(&b.chains);
        t->has_nulls = atomic_load(&b.nulls);
    }
    for (int c = 0; c < rows->n_chunks && b.n > 0 && t->slots == NULL && t->dense == NULL; c++) {
        for (int k = 0; k < n_keys; k++) { /* nothing but nulls */
            t->has_nulls |=
                !null_safe[k] && mark_nulls(&rows->chunks[c]->cols[key_cols[k]],
                                            rows->chunks[c]->n_rows, b.skip + b.index.starts[c]);
        }
    }
done:
    nb_pool_dealloc(pool, b.skip, (size_t)b.n + 1);
    nb_pool_dealloc(pool, b.hash32, (size_t)b.n * sizeof(uint32_t));
    nb_pool_dealloc(pool, b.entries, (size_t)b.n * sizeof(entry));
    if (st < 0) {
        nb_join_table_free(t);
        return st;
    }
    *out = t;
    return NB_OK;
}

void
nb_join_table_free(nb_join_table *t)
{
    size_t n;

    if (t == NULL) {
        return;
    }
    n = (size_t)t->rows->n_rows;
    nb_pool_dealloc(t->pool, t->next, (n + 1) * sizeof(uint32_t));
    nb_pool_dealloc(t->pool, t->slots, sizeof(uint64_t) << (t->sub_bits + t->part_bits));
    if (t->images != NULL) {
        nb_pool_dealloc_aligned(t->pool, t->images, n * (size_t)t->layout.n_bytes);
    }
    nb_pool_dealloc(t->pool, t->dense, (size_t)(t->dense_width + 1) * sizeof(uint32_t));
    nb_arena_free(t->arena);
}

/* ---- look-up --------------------------------------------------------------------------------- */

#define NB_T       int8_t
#define NB_NAME(f) int8_##f
#include "exec/join_dense_tmpl.h"
#define NB_T       int16_t
#define NB_NAME(f) int16_##f
#include "exec/join_dense_tmpl.h"
#define NB_T       int32_t
#define NB_NAME(f) int32_##f
#include "exec/join_dense_tmpl.h"
#define NB_T       int64_t
#define NB_NAME(f) int64_##f
#include "exec/join_dense_tmpl.h"

static nb_status
find_dense(const nb_join_table *t, const nb_vector *key, int64_t n, nb_arena *scratch,
           uint32_t *heads)
{
    nb_vector flat;

    NB_TRY(nb_vector_flatten(scratch, key, &flat));
    switch (nb_type_storage(key->type)->phys) {
    case NB_PHYS_INT8: int8_find(t, &flat, n, heads); break;
    case NB_PHYS_INT16: int16_find(t, &flat, n, heads); break;
    case NB_PHYS_INT32: int32_find(t, &flat, n, heads); break;
    default: int64_find(t, &flat, n, heads); break;
    }
    return NB_OK;
}

static uint32_t
find_slow(const nb_join_table *t, const uint8_t *image, uint32_t hash32, uint64_t home)
{
    uint64_t mask = ((uint64_t)1 << t->sub_bits) - 1, base = home & ~mask;
    int stride = t->layout.n_bytes;

    for (uint64_t at = home;; at = base | ((at + 1) & mask)) {
        uint64_t slot = t->slots[at];

        if (slot == 0) {
            return NB_NO_ROW;
        }
        if ((uint32_t)(slot >> 32) == hash32 &&
            nb_key_equal(&t->layout, 1, image,
                         t->images + (int64_t)((uint32_t)slot - 1) * stride)) {
            return (uint32_t)slot - 1;
        }
    }
}

/* Whether a row has a match is often a matter of chance: rows are sorted by what their slot says without a branch. */
NB_INLINE void
find_hashed(const nb_join_table *t, const uint8_t *images, const uint64_t *hashes, int64_t n,
            uint32_t *heads, int stride, int n_fixed, int n_views)
{
    int shift = 64 - t->part_bits - t->sub_bits;
    const uint64_t *slots = t->slots;
    const nb_key_section *s = t->layout.sections;
    uint16_t same[NB_BATCH_ROWS], slow[NB_BATCH_ROWS];
    int64_t n_same = 0, n_slow = 0;

    NB_ASSERT(n <= NB_BATCH_ROWS);
    for (int64_t i = 0; i < n; i++) {
        __builtin_prefetch(&slots[hashes[i] >> shift]);
    }
    for (int64_t i = 0; i < n; i++) {
        uint64_t slot = slots[hashes[i] >> shift];
        bool equal = (slot >> 32) == (hashes[i] >> 32);

        heads[i] = (uint32_t)slot - 1; /* NB_NO_ROW of an empty one */
        same[n_same] = slow[n_slow] = (uint16_t)i;
        n_same += equal & (slot != 0);
        n_slow += !equal & (slot != 0);
    }
    for (int64_t k = 0; k < n_same; k++) {
        __builtin_prefetch(t->images + (int64_t)heads[same[k]] * stride);
    }
    for (int64_t k = 0; k < n_same; k++) {
        int64_t i = same[k];
        const uint8_t *image = images + i * stride, *row = t->images + (int64_t)heads[i] * stride;

        if (NB_UNLIKELY(n_fixed >= 0 ? !nb_key_section_equal(s, n_fixed, n_views, image, row)
                                     : !nb_key_equal(&t->layout, 1, image, row))) {
            slow[n_slow++] = (uint16_t)i;
        }
    }
    for (int64_t k = 0; k < n_slow; k++) {
        int64_t i = slow[k];

        heads[i] =
            find_slow(t, images + i * stride, (uint32_t)(hashes[i] >> 32), hashes[i] >> shift);
    }
}

nb_status
nb_join_table_find(const nb_join_table *t, const nb_vector *keys, int64_t n, nb_arena *scratch,
                   uint32_t *heads, uint8_t *nulls)
{
    const nb_key_section *s = t->layout.sections;
    uint8_t *none = nulls ? nulls : nb_arena_alloc(scratch, (size_t)n);
    bool any_null = false;

    if (none == NULL) {
        return NB_NOMEM;
    }
    memset(none, 0, (size_t)n);
    for (int k = 0; k < t->n_keys; k++) {
        if (!t->null_safe[k]) {
            any_null |= mark_nulls(&keys[k], n, none);
        }
    }
    if (t->dense != NULL) {
        return find_dense(t, &keys[0], n, scratch, heads);
    }
    if (t->slots == NULL) {
        for (int64_t i = 0; i < n; i++) {
            heads[i] = NB_NO_ROW;
        }
        return NB_OK;
    }
    uint8_t *images = nb_arena_alloc64(scratch, (size_t)n * (size_t)t->layout.n_bytes);
    uint64_t *hashes = NB_ARENA_ARRAY(scratch, uint64_t, n);

    if (images == NULL || hashes == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_keys_encode(&t->layout, keys, NULL, n, scratch, images));
    nb_keys_hash(&t->layout, 1, images, n, hashes);
    if (s->n_fixed == 1 && s->n_views == 0) {
        find_hashed(t, images, hashes, n, heads, 8, 1, 0);
    } else if (s->n_fixed == 2 && s->n_views == 0) {
        find_hashed(t, images, hashes, n, heads, 16, 2, 0);
    } else if (s->n_fixed == 0 && s->n_views == 1) {
        find_hashed(t, images, hashes, n, heads, 16, 0, 1);
    } else {
        find_hashed(t, images, hashes, n, heads, t->layout.n_bytes, -1, 0);
    }
    for (int64_t i = 0; any_null && i < n; i++) {
        heads[i] = none[i] ? NB_NO_ROW : heads[i];
    }
    return NB_OK;
}
