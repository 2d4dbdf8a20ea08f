/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aggregate_distinct.c: aggregates of DISTINCT arguments.
 *
 * Keys and arguments of a set go to a table of their own, per thread. At the end its distinct rows are fed, range by range of the hash and in parallel,
 * into the table of the groups, where they meet the aggregates that need no DISTINCT.
 */
#include "exec/hash_aggregate_internal.h"

#include "base/thread.h"

#define SEEN_BITS (1 << 20)

/* Makes room for a bit per combination of entries, and finds out whether the dictionaries are those of the batch before; false: it is not worth it. */
static bool
open_seen(const aggregate_op *op, agg_seen *seen, const nb_vector *cols, int n_cols,
          nb_arena *memory)
{
    bool same = seen->stands;
    size_t n_codes = 1;

    seen->stands = false;
    if (op->reserve / 16 < SEEN_BITS / 8 || n_cols == 0) {
        return false;
    }
    for (int c = 0; c < n_cols; c++) {
        if (cols[c].kind != NB_VEC_DICT || cols[c].dict_id == 0) {
            return false;
        }
        n_codes *= (size_t)cols[c].dict->n_rows;
        if (n_codes > SEEN_BITS) {
            return false;
        }
    }
    if (seen->bits == NULL) {
        seen->dict_ids = nb_arena_zalloc(memory, sizeof(uint64_t) * (size_t)n_cols);
        seen->bits = nb_arena_alloc(memory, NB_BITMAP_BYTES(SEEN_BITS));
        if (seen->dict_ids == NULL || seen->bits == NULL) {
            seen->bits = NULL;
            return false;
        }
    }
    for (int c = 0; c < n_cols; c++) {
        same &= seen->dict_ids[c] == cols[c].dict_id;
        seen->dict_ids[c] = cols[c].dict_id;
    }
    if (!same) {
        memset(seen->bits, 0, NB_BITMAP_BYTES(n_codes));
    }
    return true;
}

/* Of rows (*keep)[0..*n) those stay whose entries have not come together before: what a set has, or has written out, need not be looked up again. */
static nb_status
leave_out_seen(agg_seen *seen, const nb_vector *cols, int n_cols, const uint32_t **keep, int64_t *n,
               nb_arena *scratch)
{
    uint32_t *fresh = NB_ARENA_ARRAY(scratch, uint32_t, *n);
    int64_t n_fresh = 0;

    if (fresh == NULL) {
        return NB_NOMEM;
    }
    for (int64_t k = 0; k < *n; k++) {
        uint32_t i = *keep ? (*keep)[k] : (uint32_t)k;
        size_t code = cols[0].indices[i];

        for (int c = 1; c < n_cols; c++) {
            code = code * (size_t)cols[c].dict->n_rows + cols[c].indices[i];
        }
        if (!nb_bit_get(seen->bits, (int64_t)code)) {
            nb_bit_set(seen->bits, (int64_t)code);
            fresh[n_fresh++] = i;
        }
    }
    seen->stands = true;
    *keep = fresh;
    *n = n_fresh;
    return NB_OK;
}

nb_status
nb_agg_distinct_push(aggregate_op *op, aggregate_local *l, nb_arena *memory, int set,
                     const nb_vector *keys, nb_batch *batch, nb_error *err)
{
    const agg_distinct *d = &op->distinct[set];
    agg_seen *seen = &l->seen[set];
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
    if (open_seen(op, seen, cols, op->n_keys + d->n_args, memory)) {
        NB_TRY(leave_out_seen(seen, cols, op->n_keys + d->n_args, &keep, &n, scratch));
    }
    st = nb_keys_encode(&d->layout, cols, keep, n, scratch, images);
    if (st == NB_OK) {
        nb_keys_hash(&d->layout, d->layout.n_sections, images, n, l->hashes);
        st = nb_group_table_find(&l->state->distinct[set], images, l->hashes, n, numbers);
    }
    if (st == NB_NOMEM &&
        (l->state->distinct[set].n_rows > 0 || l->state->distinct_aside[set].n > 0)) {
        NB_TRY(nb_agg_spill_table(op, l, set, err));
        st = nb_group_table_find(&l->state->distinct[set], images, l->hashes, n, numbers);
    }
    seen->stands &= st == NB_OK; /* what is not in the set must come again */
    return st;
}

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
feed_rows(feed *f, agg_state *s, int part, uint8_t **rows, const uint32_t *hash32, int64_t n,
          nb_arena *scratch, nb_error *err)
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
            hashes[i] = (uint64_t)hash32[i] << 32 ^ nb_key_hash_second(&d->layout, rows[i]);
        }
        st = NB_NOMEM;
        if (!nb_agg_must_spill(op, s, -1)) {
            st = nb_group_table_find(&s->groups, images, hashes, n, numbers);
        }
        if (st == NB_NOMEM && (s->groups.n_rows > 0 || s->aside.n > 0)) {
            NB_TRY(nb_aggregate_spill(op, s, -1, err));
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
            NB_TRY(feed_rows(f, s, part, rows + at, nb_agg_merge_hashes(m) + at,
                             NB_MIN(n - at, NB_BATCH_ROWS), scratch, err));
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

nb_status
nb_agg_distinct_feed(aggregate_op *op, int set, nb_error *err)
{
    feed f = {.op = op, .set = set, .err = err, .n_parts = nb_agg_merge_parts(op, set)};

    NB_TRY(nb_agg_settle(op, set));
    pthread_mutex_init(&f.lock, NULL);
    nb_threads_run(NB_MIN(op->n_states, f.n_parts), feed_main, &f);
    pthread_mutex_destroy(&f.lock);
    NB_TRY((nb_status)atomic_load(&f.status));
    for (int s = 0; s < op->n_states; s++) { /* not needed any more */
        nb_group_table_free(&op->states[s]->distinct[set]);
        nb_agg_aside_free(&op->states[s]->distinct_aside[set], op->pool);
    }
    return NB_OK;
}
