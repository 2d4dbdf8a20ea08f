/* SPDX-License-Identifier: Apache-2.0 */
/*
 * range_source.c: spark.range: numbers made on the fly.
 *
 * Numbers are indexed 0 … n - 1; partition p has indices [p * n / parts, (p + 1) * n / parts), as in Spark's RangeExec. A morsel is at
 * most MORSEL_ROWS indices of one partition. Index arithmetic is in 128 bits, because a range may span all of bigint.
 */
#include "exec/sources.h"

#define MORSEL_ROWS (60 * NB_BATCH_ROWS)
#define FEW_ROWS    64 /* not worth a thread */

typedef struct range_source {
    nb_source base;
    nb_pool *pool;
    int64_t start, step;
    nb_uint128 n; /* numbers in all */
    int64_t
        per_partition; /* morsels of the longest partition: each gets so many numbers of morsels */
} range_source;

typedef struct range_local {
    nb_pool *pool;
    nb_uint128 at, end; /* indices of the morsel under way */
    nb_morsel_run run;
    int64_t morsel;
    int32_t partition;
} range_local;

static nb_status
range_open_local(nb_source *src, nb_pool *pool, void **local, nb_error *err)
{
    range_local *l = nb_pool_zalloc(pool, sizeof(*l));

    (void)src;
    (void)err;
    if (l == NULL) {
        return NB_NOMEM;
    }
    l->pool = pool;
    *local = l;
    return NB_OK;
}

static void
range_close_local(nb_source *src, void *local)
{
    range_local *l = local;

    (void)src;
    nb_pool_dealloc(l->pool, l, sizeof(*l));
}

NB_SIMD_CLONES
static void
fill(int64_t *out, int64_t first, int64_t step, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        out[i] = (int64_t)((uint64_t)first + (uint64_t)step * (uint64_t)i);
    }
}

static nb_status
range_next(nb_source *src, void *local, nb_arena *scratch, nb_batch *out, nb_error *err)
{
    range_source *s = (range_source *)src;
    range_local *l = local;
    nb_uint128 parts = (nb_uint128)s->base.n_partitions;
    int64_t n;

    (void)err;
    while (l->at == l->end) {
        nb_uint128 from, to;

        l->morsel = nb_source_claim(src, &l->run);
        if (l->morsel < 0) {
            return NB_DONE;
        }
        l->partition = (int32_t)(l->morsel / s->per_partition);
        from = (nb_uint128)l->partition * s->n / parts;
        to = ((nb_uint128)l->partition + 1) * s->n / parts;
        l->at = from + (nb_uint128)(l->morsel % s->per_partition) * MORSEL_ROWS;
        l->end = NB_MIN(l->at + MORSEL_ROWS, to);
        if (l->at > l->end) {
            l->at = l->end;
        }
    }
    n = (int64_t)NB_MIN(l->end - l->at, (nb_uint128)NB_BATCH_ROWS);
    NB_TRY(nb_batch_init(scratch, s->base.schema->n_children, n, out));
    if (out->n_cols) { /* none for count(*) */
        NB_TRY(nb_vector_alloc(scratch, s->base.schema->children[0].type, n, &out->cols[0]));
        fill(NB_DATA(int64_t, &out->cols[0]),
             (int64_t)((uint64_t)s->start + (uint64_t)l->at * (uint64_t)s->step), s->step, n);
    }
    out->order = (uint64_t)l->morsel;
    out->partition = l->partition;
    l->at += (nb_uint128)n;
    atomic_fetch_add_explicit(&src->rows_read, n, memory_order_relaxed);
    return NB_OK;
}

static void
range_free(nb_source *src)
{
    range_source *s = (range_source *)src;

    nb_pool_dealloc(s->pool, s, sizeof(*s));
}

static int32_t
range_partition_of(const nb_source *src, int64_t morsel)
{
    return (int32_t)(morsel / ((const range_source *)src)->per_partition);
}

static const nb_source_ops RANGE_SOURCE = {
    .name = "range",
    .open_local = range_open_local,
    .next = range_next,
    .close_local = range_close_local,
    .free = range_free,
};

nb_status
nb_range_source_new(nb_pool *pool, const nb_type *schema, int64_t start, int64_t end, int64_t step,
                    int n_partitions, int first, int last, const nb_cancel_flag *cancel,
                    nb_source **out)
{
    range_source *s = nb_pool_zalloc(pool, sizeof(*s));
    nb_int128 span = (nb_int128)end - start;
    nb_uint128 longest;

    if (s == NULL) {
        return NB_NOMEM;
    }
    s->base.ops = &RANGE_SOURCE;
    s->base.partition_of = range_partition_of;
    s->base.schema = schema;
    s->base.cancel = cancel;
    s->base.n_partitions = NB_MAX(n_partitions, 1);
    s->pool = pool;
    s->start = start;
    s->step = step;
    if (step > 0 && span > 0) {
        s->n = (nb_uint128)((span + step - 1) / step);
    } else if (step < 0 && span < 0) {
        s->n = (nb_uint128)((span + step + 1) / step);
    }
    longest = s->n / (nb_uint128)s->base.n_partitions + 1;
    s->per_partition = (int64_t)((longest + MORSEL_ROWS - 1) / MORSEL_ROWS);
    first = NB_MIN(NB_MAX(first, 0), s->base.n_partitions);
    atomic_init(&s->base.next_morsel, s->per_partition * first);
    s->base.n_morsels = s->per_partition * NB_MIN(last, s->base.n_partitions);
    s->base.enough_threads =
        (int64_t)NB_MIN(s->n / FEW_ROWS + 1, (nb_uint128)NB_MAX(s->base.n_morsels, 1));
    if (s->n == 0) { /* as in Spark: a union counts none of it */
        s->base.n_partitions = 0;
        s->base.n_morsels = 0;
    }
    *out = &s->base;
    return NB_OK;
}
