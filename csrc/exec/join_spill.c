/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join_spill.c: partitions of both sides of a join.
 *
 * Partitions are leaves of a tree: at each level 5 more of the hash's low bits decide (the table in memory goes by the upper ones). The build
 * side is complete before the first probe row comes, so what is too large is split by further bits at once, and a probe row is written
 * once, to its leaf. Rows with a null in a key match nothing; they are spread over the partitions by their number.
 *
 * Rows come in chunks of about what a thread may hold, are put in order of their partitions by counting, and written partition by partition, so no
 * buffer per partition is needed and blocks are as long as they can be.
 */
#include "exec/join_spill_internal.h"

#define LEVEL_BITS  5
#define FAN_OUT     (1 << LEVEL_BITS)
#define BLOCK_BYTES ((int64_t)128 * 1024)

/* ---- making and freeing ---------------------------------------------------------------------- */

static nb_status
add_parts(nb_join_spill *s, int level, uint64_t path, int *first)
{
    if (s->n_parts + FAN_OUT > s->cap_parts) {
        int cap = 2 * s->cap_parts + FAN_OUT;
        part *grown = nb_pool_realloc(s->pool, s->parts, (size_t)s->cap_parts * sizeof(*grown),
                                      (size_t)cap * sizeof(*grown));

        if (grown == NULL) {
            return NB_NOMEM;
        }
        s->parts = grown;
        s->cap_parts = cap;
    }
    *first = s->n_parts;
    for (int i = 0; i < FAN_OUT; i++) {
        s->parts[s->n_parts++] = (part){.level = level,
                                        .path = path | (uint64_t)i << (LEVEL_BITS * level),
                                        .first_child = -1,
                                        .round = -1,
                                        .least = UINT64_MAX};
    }
    return NB_OK;
}

nb_status
nb_join_spill_new(const nb_exec_ctx *ctx, nb_node *node, const nb_type *build, const int *key_cols,
                  const bool *null_safe, int n_keys, nb_join_spill **out)
{
    nb_pool *pool = nb_pool_new(ctx->pool, "join spill", 0);
    nb_arena *arena = pool ? nb_arena_new(pool) : NULL;
    nb_join_spill *s = arena ? NB_ARENA_NEW(arena, nb_join_spill) : NULL;
    const nb_type **types = s ? NB_ARENA_ARRAY(arena, const nb_type *, n_keys) : NULL;
    int first;
    nb_status st = NB_NOMEM;

    if (types == NULL) {
        nb_arena_free(arena);
        nb_pool_free(pool);
        return NB_NOMEM;
    }
    *s = (nb_join_spill){.ctx = ctx,
                         .node = node,
                         .pool = pool,
                         .arena = arena,
                         .build = build,
                         .key_cols = key_cols,
                         .null_safe = null_safe,
                         .n_keys = n_keys};
    pthread_mutex_init(&s->lock, NULL);
    for (int k = 0; k < n_keys; k++) {
        types[k] = build->children[key_cols[k]].type;
    }
    NB_TRY_GOTO(st, nb_key_layout_init(arena, types, n_keys, n_keys, &s->layout), fail);
    NB_TRY_GOTO(
        st,
        nb_block_files_init(&s->build_files[0], arena, ctx->spill_dir, NB_MAX(ctx->n_threads, 1)),
        fail);
    NB_TRY_GOTO(st, add_parts(s, 0, 0, &first), fail);
    *out = s;
    return NB_OK;
fail:
    nb_join_spill_free(s);
    return st;
}

void
nb_join_spill_free(nb_join_spill *s)
{
    nb_pool *pool;

    if (s == NULL) {
        return;
    }
    pool = s->pool;
    for (int p = 0; p < s->n_parts; p++) {
        nb_pool_dealloc(pool, s->parts[p].build.blocks,
                        (size_t)s->parts[p].build.cap * sizeof(part_block));
        nb_pool_dealloc(pool, s->parts[p].probe.blocks,
                        (size_t)s->parts[p].probe.cap * sizeof(part_block));
    }
    nb_pool_dealloc(pool, s->parts, (size_t)s->cap_parts * sizeof(part));
    for (int r = 0; r < s->n_rounds; r++) {
        nb_pool_dealloc(pool, s->rounds[r].found, (size_t)s->rounds[r].probe_rows + 1);
    }
    for (int l = 0; l < NB_JOIN_LEVELS; l++) {
        nb_block_files_free(&s->build_files[l]);
    }
    nb_block_files_free(&s->probe_files);
    pthread_mutex_destroy(&s->lock);
    nb_arena_free(s->arena);
    nb_pool_free(pool);
}

/* ---- rows to partitions ---------------------------------------------------------------------- */

int
nb_join_spill_part(const nb_join_spill *s, uint64_t hash)
{
    int p = (int)(hash & (FAN_OUT - 1));

    while (s->parts[p].first_child >= 0) {
        int shift = LEVEL_BITS * (s->parts[p].level + 1);

        p = s->parts[p].first_child + (int)(hash >> shift & (FAN_OUT - 1));
    }
    return p;
}

static nb_status
list_add(nb_join_spill *s, block_list *list, part_block block)
{
    if (list->n == list->cap) {
        int cap = list->cap ? 2 * list->cap : 4;
        part_block *grown =
            nb_pool_realloc(s->pool, list->blocks, (size_t)list->cap * sizeof(*grown),
                            (size_t)cap * sizeof(*grown));

        if (grown == NULL) {
            return NB_NOMEM;
        }
        list->blocks = grown;
        list->cap = cap;
    }
    list->blocks[list->n++] = block;
    return NB_OK;
}

/* Writes rows ids[0..n) as blocks of the partition. */
static nb_status
write_part(nb_join_spill *s, int p, bool is_build, const nb_row_index *index, int n_cols,
           const uint32_t *ids, int64_t n, int64_t step, nb_block_files *files, int file,
           nb_arena *scratch, nb_error *err)
{
    for (int64_t at = 0; at < n; at += step) {
        int64_t m = NB_MIN(step, n - at);
        nb_vector *cols;
        part_block b = {.file = file};
        nb_status st;

        nb_arena_reset(scratch);
        cols = NB_ARENA_ARRAY(scratch, nb_vector, n_cols);
        if (cols == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(nb_rows_gather(index, NULL, n_cols, ids + at, m, scratch, cols));
        NB_TRY(nb_block_write(&files->writers[file], cols, n_cols, m, &b.ref, err));
        nb_metrics_spilled(s->node, b.ref.n_stored);
        pthread_mutex_lock(&s->lock);
        st = list_add(s, is_build ? &s->parts[p].build : &s->parts[p].probe, b);
        if (is_build) {
            s->parts[p].n_rows += m;
            s->parts[p].n_bytes += b.ref.n_raw;
        }
        pthread_mutex_unlock(&s->lock);
        NB_TRY(st);
    }
    return NB_OK;
}

nb_status
nb_join_spill_scatter(nb_join_spill *s, bool is_build, const nb_table *rows, int n_cols,
                      const uint64_t *hashes, nb_block_files *files, nb_error *err)
{
    int64_t n = rows->n_rows, step = nb_block_rows(rows, BLOCK_BYTES);
    nb_arena *arena = nb_arena_new(NULL), *scratch = nb_arena_new(NULL);
    uint32_t *ids = arena ? NB_ARENA_ARRAY(arena, uint32_t, n) : NULL;
    int *part_of = arena ? NB_ARENA_ARRAY(arena, int, n) : NULL;
    int64_t *at = arena ? nb_arena_zalloc(arena, (size_t)(s->n_parts + 1) * sizeof(*at)) : NULL;
    nb_row_index index;
    int file = -1;
    nb_status st = ids && part_of && at && scratch ? NB_OK : NB_NOMEM;

    NB_TRY_GOTO(st, st, done);
    NB_TRY_GOTO(st, nb_row_index_init(arena, rows, &index), done);
    for (int64_t i = 0; i < n; i++) {
        part_of[i] = nb_join_spill_part(s, hashes[i]);
        at[part_of[i] + 1]++;
    }
    for (int p = 0; p < s->n_parts; p++) {
        at[p + 1] += at[p];
    }
    for (int64_t i = 0; i < n; i++) {
        ids[at[part_of[i]]++] = (uint32_t)i;
    }
    nb_block_files_take(files, &file);
    for (int p = 0; p < s->n_parts; p++) {
        int64_t from = p ? at[p - 1] : 0;

        NB_TRY_GOTO(st, nb_cancelled(s->ctx->cancel) ? NB_CANCELLED : NB_OK, done);
        NB_TRY_GOTO(st,
                    write_part(s, p, is_build, &index, n_cols, ids + from, at[p] - from, step,
                               files, file, scratch, err),
                    done);
    }
    if (is_build) {
        pthread_mutex_lock(&s->lock);
        for (int64_t i = 0; i < n; i++) {
            part *p = &s->parts[part_of[i]];

            p->least = NB_MIN(p->least, hashes[i]);
            p->greatest = NB_MAX(p->greatest, hashes[i]);
        }
        pthread_mutex_unlock(&s->lock);
    }
done:
    if (file >= 0) {
        nb_block_files_give_back(files, file);
    }
    nb_arena_free(scratch);
    nb_arena_free(arena);
    return st;
}

nb_status
nb_join_spill_hash(const nb_join_spill *s, const nb_vector *keys, int64_t n, nb_arena *scratch,
                   uint64_t *hashes, uint8_t *nulls)
{
    uint8_t *images = nb_arena_alloc64(scratch, (size_t)n * (size_t)s->layout.n_bytes);

    if (images == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_keys_encode(&s->layout, keys, NULL, n, scratch, images));
    nb_keys_hash(&s->layout, 1, images, n, hashes);
    memset(nulls, 0, (size_t)n);
    for (int k = 0; k < s->n_keys; k++) {
        for (int64_t i = 0; !s->null_safe[k] && i < n; i++) {
            nulls[i] |= nb_vector_is_null(&keys[k], i);
        }
    }
    return NB_OK;
}

/* Rows of a leaf that is split (level > 0) stay below its path. */
static nb_status
hash_build(nb_join_spill *s, const nb_table *rows, int level, uint64_t path, uint64_t *hashes)
{
    nb_arena *scratch = nb_arena_new(NULL);
    uint8_t nulls[NB_BATCH_ROWS];
    int64_t n_nulls = 0, base = 0;
    nb_status st = scratch ? NB_OK : NB_NOMEM;

    NB_TRY_GOTO(st, st, done);
    for (int c = 0; c < rows->n_chunks; c++) {
        const nb_chunk *chunk = rows->chunks[c];

        for (int64_t at = 0; at < chunk->n_rows; at += NB_BATCH_ROWS) {
            int64_t n = NB_MIN(chunk->n_rows - at, NB_BATCH_ROWS);
            nb_vector *keys;

            nb_arena_reset(scratch);
            keys = NB_ARENA_ARRAY(scratch, nb_vector, s->n_keys);
            NB_TRY_GOTO(st, keys ? NB_OK : NB_NOMEM, done);
            for (int k = 0; k < s->n_keys; k++) {
                NB_TRY_GOTO(st,
                            nb_vector_slice(scratch, &chunk->cols[s->key_cols[k]], at, n, &keys[k]),
                            done);
            }
            NB_TRY_GOTO(st, nb_join_spill_hash(s, keys, n, scratch, hashes + base + at, nulls),
                        done);
            for (int64_t i = 0; i < n; i++) {
                if (nulls[i]) {
                    uint64_t any = nb_hash_u64((uint64_t)(base + at + i));

                    hashes[base + at + i] = any << (LEVEL_BITS * level) | path;
                    n_nulls++;
                }
            }
        }
        base += chunk->n_rows;
    }
    if (n_nulls > 0) {
        pthread_mutex_lock(&s->lock);
        s->has_nulls = true;
        pthread_mutex_unlock(&s->lock);
    }
done:
    nb_arena_free(scratch);
    return st;
}

static nb_status
add_build(nb_join_spill *s, nb_chunk **chunks, int n, int level, uint64_t path, nb_error *err)
{
    nb_pool *aside = nb_pool_new(NULL, "join aside", 0);
    nb_table *rows = NULL;
    uint64_t *hashes = NULL;
    size_t n_bytes = 0;
    nb_status st = aside ? NB_OK : NB_NOMEM;

    NB_TRY_GOTO(st, st, done);
    NB_TRY_GOTO(st, nb_table_new(aside, s->build, &rows), done);
    for (int i = 0; i < n; i++) {
        NB_TRY_GOTO(st, nb_table_append(rows, chunks[i]), done);
        chunks[i] = NULL;
    }
    if (rows->n_rows == 0) {
        goto done;
    }
    n_bytes = (size_t)rows->n_rows * sizeof(uint64_t);
    hashes = nb_pool_alloc(aside, n_bytes);
    NB_TRY_GOTO(st, hashes ? NB_OK : NB_NOMEM, done);
    NB_TRY_GOTO(st, hash_build(s, rows, level, path, hashes), done);
    st = nb_join_spill_scatter(s, true, rows, s->build->n_children, hashes, &s->build_files[level],
                               err);
done:
    for (int i = 0; i < n; i++) {
        nb_chunk_free(chunks[i]);
        chunks[i] = NULL;
    }
    if (hashes != NULL) {
        nb_pool_dealloc(aside, hashes, n_bytes);
    }
    nb_table_release(rows);
    nb_pool_free(aside);
    return st;
}

nb_status
nb_join_spill_add_build(nb_join_spill *s, nb_chunk **chunks, int n, nb_error *err)
{
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < n; i++) {
        s->started = true;
        s->n_rows += chunks[i]->n_rows;
    }
    pthread_mutex_unlock(&s->lock);
    return add_build(s, chunks, n, 0, 0, err);
}

bool
nb_join_spill_started(nb_join_spill *s)
{
    bool started;

    pthread_mutex_lock(&s->lock);
    started = s->started;
    pthread_mutex_unlock(&s->lock);
    return started;
}

/* ---- rounds ---------------------------------------------------------------------------------- */

/* Memory that rows take when they are held: blocks have no string views, vectors grow ahead. */
static int64_t
cost_of(const nb_join_spill *s, int64_t n_rows, int64_t n_bytes)
{
    int64_t per_row = NB_JOIN_ROW_BYTES;

    for (int c = 0; c < s->build->n_children; c++) {
        nb_phys phys = nb_type_storage(s->build->children[c].type)->phys;

        per_row += phys == NB_PHYS_STRING || phys == NB_PHYS_LIST ? (int64_t)sizeof(nb_view) : 1;
    }
    return n_bytes + n_bytes / 4 + n_rows * per_row;
}

nb_status
nb_join_spill_read(nb_join_spill *s, const part *p, int from, int to, nb_chunk_builder *b,
                   nb_error *err)
{
    nb_block_reader r;
    nb_status st = nb_block_reader_init(&r, s->pool);

    for (int i = from; i < to && st == NB_OK; i++) {
        const part_block *block = &p->build.blocks[i];
        nb_vector *cols;

        st = nb_cancelled(s->ctx->cancel) ? NB_CANCELLED : NB_OK;
        if (st == NB_OK) {
            st = nb_block_read(&r, nb_block_files_get(&s->build_files[p->level], block->file),
                               &block->ref, s->build, &cols, err);
        }
        if (st == NB_OK) {
            st = nb_chunk_builder_append_rows(b, cols, NULL, block->ref.n_rows);
        }
    }
    nb_block_reader_free(&r);
    return st;
}

/* The rows of a leaf go to new leaves below it. */
static nb_status
split_part(nb_join_spill *s, int p, int64_t piece, nb_error *err)
{
    int level = s->parts[p].level + 1, first, from = 0;
    nb_chunk_builder *b;
    nb_status st = NB_OK;

    if (s->build_files[level].writers == NULL) {
        NB_TRY(nb_block_files_init(&s->build_files[level], s->arena, s->ctx->spill_dir, 1));
    }
    NB_TRY(add_parts(s, level, s->parts[p].path, &first));
    NB_TRY(nb_chunk_builder_new(s->pool, s->build, &b));
    s->parts[p].first_child = first;
    while (st == NB_OK && from < s->parts[p].build.n) {
        int to = from;
        int64_t bytes = 0;
        nb_chunk *chunk = NULL;

        while (to < s->parts[p].build.n && (to == from || bytes < piece)) {
            bytes += s->parts[p].build.blocks[to++].ref.n_raw;
        }
        st = nb_join_spill_read(s, &s->parts[p], from, to, b, err);
        if (st == NB_OK) {
            st = nb_chunk_builder_finish(b, &chunk);
        }
        if (st == NB_OK && chunk != NULL) {
            st = add_build(s, &chunk, 1, level, s->parts[p].path, err);
        }
        from = to;
    }
    nb_chunk_builder_free(b);
    return st;
}

/* Splits the leaves of a level that are too large. The files of a level end when its last leaf has been written. */
static nb_status
split_level(nb_join_spill *s, int level, int64_t budget, nb_error *err)
{
    int n = s->n_parts;

    NB_TRY(nb_block_files_end(&s->build_files[level], err));
    for (int p = 0; p < n && level + 1 < NB_JOIN_LEVELS; p++) {
        const part *x = &s->parts[p];

        if (x->level == level && x->least != x->greatest &&
            cost_of(s, x->n_rows, x->n_bytes) > budget) {
            NB_TRY(split_part(s, p, budget / 8, err));
        }
    }
    return NB_OK;
}

static nb_status
new_round(nb_join_spill *s, join_round **out)
{
    join_round *r = &s->rounds[s->n_rounds];

    *r = (join_round){.n_passes = 1, .parts = NB_ARENA_ARRAY(s->arena, int, s->n_parts)};
    if (r->parts == NULL) {
        return NB_NOMEM;
    }
    s->n_rounds++;
    *out = r;
    return NB_OK;
}

/* Cuts a partition that is too large into passes of blocks. */
static nb_status
cut_passes(nb_join_spill *s, join_round *r, const part *p, int64_t budget)
{
    int64_t cost = 0;

    r->pass_at = NB_ARENA_ARRAY(s->arena, int, p->build.n + 1);
    if (r->pass_at == NULL) {
        return NB_NOMEM;
    }
    r->n_passes = 0;
    for (int b = 0; b < p->build.n; b++) {
        const nb_block_ref *ref = &p->build.blocks[b].ref;

        if (b == 0 || cost + cost_of(s, ref->n_rows, ref->n_raw) > budget) {
            r->pass_at[r->n_passes++] = b;
            cost = 0;
        }
        cost += cost_of(s, ref->n_rows, ref->n_raw);
    }
    r->pass_at[r->n_passes] = p->build.n;
    return NB_OK;
}

static nb_status
make_rounds(nb_join_spill *s, int64_t budget)
{
    join_round *r;
    int64_t cost = 0;

    s->rounds = NB_ARENA_ARRAY(s->arena, join_round, s->n_parts + 1);
    if (s->rounds == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(new_round(s, &r));
    for (int large = 0; large < 2; large++) {
        for (int p = 0; p < s->n_parts; p++) {
            part *x = &s->parts[p];
            int64_t more = cost_of(s, x->n_rows, x->n_bytes);

            if (x->first_child >= 0 || (more > budget) != large) {
                continue;
            }
            if (large || (cost > 0 && cost + more > budget)) {
                NB_TRY(new_round(s, &r));
                cost = 0;
            }
            if (large) {
                NB_TRY(cut_passes(s, r, x, budget));
            }
            x->round = s->n_rounds - 1;
            r->parts[r->n_parts++] = p;
            cost += more;
        }
    }
    return NB_OK;
}

nb_status
nb_join_spill_end_build(nb_join_spill *s, const nb_type *probe, nb_error *err)
{
    nb_field *fields = NB_ARENA_ARRAY(s->arena, nb_field, probe->n_children + 2);
    int64_t budget = (int64_t)(nb_pool_available(s->pool) / 2), total = 0;

    if (fields == NULL) {
        return NB_NOMEM;
    }
    for (int c = 0; c < probe->n_children; c++) {
        fields[c] = probe->children[c];
    }
    fields[probe->n_children] = (nb_field){NB_STR(""), nb_type_of(NB_TYPE_INT32), false, {"", 0}};
    fields[probe->n_children + 1] =
        (nb_field){NB_STR(""), nb_type_of(NB_TYPE_INT64), false, {"", 0}};
    s->probe = nb_type_struct(fields, probe->n_children + 2);
    if (s->probe == NULL) {
        return NB_NOMEM;
    }
    for (int p = 0; p < s->n_parts; p++) {
        total += cost_of(s, s->parts[p].n_rows, s->parts[p].n_bytes);
    }
    if (s->ctx->force_spill) {
        budget = NB_MIN(budget, total / 5);
    }
    for (int level = 0; level < NB_JOIN_LEVELS && s->build_files[level].writers != NULL; level++) {
        NB_TRY(split_level(s, level, budget, err));
    }
    NB_TRY(make_rounds(s, budget));
    return nb_block_files_init(&s->probe_files, s->arena, s->ctx->spill_dir,
                               NB_MAX(s->ctx->n_threads, 1));
}

int
nb_join_spill_rounds(const nb_join_spill *s)
{
    return s->n_rounds;
}

int
nb_join_spill_passes(const nb_join_spill *s, int round)
{
    return s->rounds[round].n_passes;
}

int64_t
nb_join_spill_build_rows(const nb_join_spill *s)
{
    return s->n_rows;
}

bool
nb_join_spill_has_nulls(const nb_join_spill *s)
{
    return s->has_nulls;
}

nb_status
nb_join_spill_load(nb_join_spill *s, int round, int pass, nb_table **out, nb_error *err)
{
    const join_round *r = &s->rounds[round];
    nb_chunk_builder *b;
    nb_table *table = NULL;
    nb_chunk *chunk = NULL;
    nb_status st = NB_OK;

    NB_TRY(nb_chunk_builder_new(s->ctx->pool, s->build, &b));
    for (int i = 0; i < r->n_parts && st == NB_OK; i++) {
        const part *p = &s->parts[r->parts[i]];

        st = nb_join_spill_read(s, p, r->n_passes > 1 ? r->pass_at[pass] : 0,
                                r->n_passes > 1 ? r->pass_at[pass + 1] : p->build.n, b, err);
    }
    NB_TRY_GOTO(st, st, done);
    NB_TRY_GOTO(st, nb_chunk_builder_finish(b, &chunk), done);
    NB_TRY_GOTO(st, nb_table_new(s->ctx->pool, s->build, &table), done);
    if (chunk != NULL) {
        NB_TRY_GOTO(st, nb_table_append(table, chunk), done);
        chunk = NULL;
    }
    *out = table;
    table = NULL;
done:
    nb_chunk_free(chunk);
    nb_table_release(table);
    nb_chunk_builder_free(b);
    return st;
}
