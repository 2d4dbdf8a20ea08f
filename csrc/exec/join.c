/* SPDX-License-Identifier: Apache-2.0 */
/*
 * join.c: joins of all types: the probe side streams past the finished build side.
 *
 *     build side gathered → nb_join_table_build (nb_join_hold) → push* → drain (rows of the build side, where the type asks for them)
 *
 * Algorithm  a batch is looked up as a whole; pairs of probe row and build row are then listed, NB_BATCH_ROWS at a time, checked by the
 *            residual condition, and columns are gathered for those that remain. Without keys every row of the build side is a
 *            candidate of every probe row.
 * Order      of the probe side's rows; the matches of a row in the order of the build side; a row without match where it stands. Rows
 *            of the build side that nobody matched come last, in their order.
 * Threads    the table is read-only; marks on build rows are single bytes, set and never cleared while probing.
 * Memory     build rows that do not fit lie on disk by the hash of their keys, and so do the probe rows that may match them (join_spill.h); they are
 *            joined round by round when all others have been, by an operator per round (join_rounds.c). Without keys they lie in mapped files.
 * Spark      null matches nothing except under <=>. NOT IN (null_aware): a null on the build side lets nothing through, a null on the
 *            probe side only if the build side is empty.
 */
#include "exec/join_internal.h"

#define ONE_CHUNK_ROWS (1 << 24)
#define COPY_ROWS      4096

static join_shape
shape_of(nb_join_type type, bool build_left)
{
    join_shape s = {0};

    switch (type) {
    case NB_JOIN_INNER:
    case NB_JOIN_CROSS: s.pairs = true; break;
    case NB_JOIN_LEFT:
        s.pairs = true;
        s.keep_probe = !build_left;
        s.keep_build = build_left;
        break;
    case NB_JOIN_RIGHT:
        s.pairs = true;
        s.keep_probe = build_left;
        s.keep_build = !build_left;
        break;
    case NB_JOIN_FULL: s.pairs = s.keep_probe = s.keep_build = true; break;
    case NB_JOIN_SEMI:
        s.probe_matched = !build_left;
        s.drain_matched = build_left;
        break;
    case NB_JOIN_ANTI:
        s.probe_missing = !build_left;
        s.drain_missing = build_left;
        break;
    case NB_JOIN_MARK: s.mark = true; break;
    case NB_JOIN_SINGLE: s.pairs = s.keep_probe = s.single = true; break;
    }
    return s;
}

static bool
has_drain(const join_shape *s)
{
    return s->keep_build || s->drain_matched || s->drain_missing;
}

/* ---- open ------------------------------------------------------------------------------------ */

nb_status
nb_join_hold(nb_operator *base, nb_table *build)
{
    join_op *j = (join_op *)base;

    j->build = nb_table_ref(build);
    NB_TRY(nb_row_index_init(j->arena, build, &j->index));
    NB_TRY(nb_join_table_build(j->ctx, j->pool, build, j->build_key_cols, j->null_safe, j->n_keys,
                               &j->table));
    if (has_drain(&j->shape)) {
        j->matched = nb_pool_zalloc(j->pool, (size_t)build->n_rows + 1);
        if (j->matched == NULL) {
            return NB_NOMEM;
        }
    }
    NB_TRY(nb_join_code_texts(j));
    j->has_nulls = j->spill ? nb_join_spill_has_nulls(j->spill) : j->table->has_nulls;
    j->has_build = j->spill ? nb_join_spill_build_rows(j->spill) > 0 : build->n_rows > 0;
    nb_metrics_peak(base->node, (int64_t)nb_pool_peak(j->pool));
    return NB_OK;
}

void
nb_join_release(nb_operator *base)
{
    join_op *j = (join_op *)base;

    nb_join_table_free(j->table);
    if (j->matched != NULL) {
        nb_pool_dealloc(j->pool, j->matched, (size_t)j->build->n_rows + 1);
    }
    nb_table_release(j->build);
    j->table = NULL;
    j->codes = NULL;
    j->matched = NULL;
    j->build = NULL;
}

static nb_status
join_open_local(nb_operator *base, nb_thread_ctx *t, void **local, nb_error *err)
{
    join_op *j = (join_op *)base;
    nb_arena *memory = nb_thread_memory(t);
    join_local *l = NB_ARENA_NEW(memory, join_local);
    nb_status st;

    if (l == NULL) {
        return NB_NOMEM;
    }
    l->heads = NB_ARENA_ARRAY(memory, uint32_t, NB_BATCH_ROWS);
    l->nulls = NB_ARENA_ARRAY(memory, uint8_t, NB_BATCH_ROWS);
    l->found = NB_ARENA_ARRAY(memory, uint8_t, NB_BATCH_ROWS);
    l->probe_rows = NB_ARENA_ARRAY(memory, uint32_t, NB_BATCH_ROWS);
    l->build_rows = NB_ARENA_ARRAY(memory, uint32_t, NB_BATCH_ROWS);
    l->all_probe = NB_ARENA_ARRAY(memory, uint32_t, 2 * NB_BATCH_ROWS);
    l->all_build = NB_ARENA_ARRAY(memory, uint32_t, 2 * NB_BATCH_ROWS);
    if (l->all_probe == NULL || l->all_build == NULL || l->heads == NULL || l->nulls == NULL ||
        l->found == NULL || l->probe_rows == NULL || l->build_rows == NULL) {
        return NB_NOMEM;
    }
    l->pairs = nb_arena_new(j->ctx->pool);
    if (l->pairs == NULL) {
        return NB_NOMEM;
    }
    if ((st = nb_eval_new(memory, j->probe_keys, j->n_keys, j->ctx->info, &l->keys, err)) < 0) {
        nb_arena_free(l->pairs);
        return st;
    }
    if (j->residual != NULL) {
        st = nb_eval_new(memory, &j->residual, 1, j->ctx->info, &l->residual, err);
        if (st < 0) {
            nb_eval_free(l->keys);
            nb_arena_free(l->pairs);
            return st;
        }
    }
    *local = l;
    return NB_OK;
}

static void
join_close_local(nb_operator *base, void *local)
{
    join_local *l = local;

    (void)base;
    nb_chunk_builder_free(l->later);
    nb_arena_free(l->pairs);
    nb_eval_free(l->keys);
    if (l->residual != NULL) {
        nb_eval_free(l->residual);
    }
}

/* ---- probing --------------------------------------------------------------------------------- */

/* Drops pairs that the residual refuses. */
static nb_status
check_residual(join_op *j, join_local *l, nb_batch *batch, nb_error *err)
{
    const uint32_t *keep;
    nb_batch pairs;
    int64_t n;

    if (j->residual == NULL || l->n == 0) {
        return NB_OK;
    }
    nb_arena_reset(l->pairs);
    NB_TRY(nb_join_make_pairs(j, j->residual_uses, batch, l->probe_rows, l->build_rows, l->n,
                              l->pairs, &pairs));
    NB_TRY(nb_eval_filter(l->residual, 0, &pairs, &keep, &n, err));
    for (int64_t i = 0; i < n; i++) {
        l->probe_rows[i] = l->probe_rows[keep[i]];
        l->build_rows[i] = l->build_rows[keep[i]];
    }
    l->n = n;
    return NB_OK;
}

/* Only then it is known which probe rows have no match. */
static bool
is_last_pass(const join_op *j)
{
    return j->pass + 1 >= j->n_passes;
}

/* Emits the pairs of the piece; with keep_probe also the probe rows in [from, to), of which all candidates have been seen and none was a
 * match, each where it stands. */
static nb_status
emit_pairs(join_op *j, join_local *l, nb_thread_ctx *t, nb_batch *batch, int64_t from, int64_t to,
           nb_error *err)
{
    uint32_t *probe = l->probe_rows, *build = l->build_rows;
    int64_t n = l->n, missing = 0;
    nb_status st = NB_OK;

    if (j->shape.keep_probe && is_last_pass(j)) {
        for (int64_t i = from; i < to; i++) {
            missing += !l->found[i];
        }
    }
    if (missing > 0) {
        int64_t at = 0, k = 0;

        probe = l->all_probe;
        build = l->all_build;
        for (int64_t i = from; i <= to; i++) {
            while (at < n && (l->probe_rows[at] <= i || i == to)) {
                probe[k] = l->probe_rows[at];
                build[k++] = l->build_rows[at++];
            }
            if (i < to && !l->found[i]) {
                probe[k] = (uint32_t)i;
                build[k++] = NB_NO_ROW;
            }
        }
        n += missing;
    }
    for (int64_t at = 0; at < n && st == NB_OK; at += NB_BATCH_ROWS) {
        nb_batch out;

        nb_arena_reset(l->pairs);
        NB_TRY(nb_join_make_pairs(j, j->reads, batch, probe + at, build + at,
                                  NB_MIN(n - at, NB_BATCH_ROWS), l->pairs, &out));
        st = nb_emit(t, &out, err);
    }
    return st;
}

nb_status
nb_join_settle(join_op *j, join_local *l, nb_thread_ctx *t, nb_batch *batch, int64_t from,
               int64_t to, nb_error *err)
{
    nb_status st = NB_OK;

    for (int64_t i = 0; i < l->n; i++) {
        if (j->shape.single && l->found[l->probe_rows[i]]) {
            return nb_raise(err,
                            j->n_keys > 0 || j->residual != NULL
                                ? NB_COND_OUTER_SUBQUERY_TOO_MANY_ROWS
                                : NB_COND_SCALAR_SUBQUERY_TOO_MANY_ROWS,
                            NULL);
        }
        l->found[l->probe_rows[i]] = 1;
    }
    for (int64_t i = 0; j->matched != NULL && i < l->n; i++) {
        __atomic_store_n(&j->matched[l->build_rows[i]], 1, __ATOMIC_RELAXED);
    }
    if (j->shape.pairs) {
        st = emit_pairs(j, l, t, batch, from, to, err);
    }
    l->n = 0;
    return st;
}

/* A piece of candidates is complete: [from, to) are the probe rows whose last candidates are in it. */
static nb_status
finish_piece(join_op *j, join_local *l, nb_thread_ctx *t, nb_batch *batch, int64_t from, int64_t to,
             nb_error *err)
{
    NB_TRY(check_residual(j, l, batch, err));
    return nb_join_settle(j, l, t, batch, from, to, err);
}

/* Is one match of a row all that is asked for? */
static bool
needs_one(const join_op *j)
{
    return !j->shape.pairs && j->matched == NULL && !j->shape.single;
}

/* Does the first candidate of a row tell all? */
static bool
first_tells_all(const join_op *j)
{
    return needs_one(j) && j->residual == NULL;
}

/* Lists candidates of the batch's rows, piece by piece. */
static nb_status
list_candidates(join_op *j, join_local *l, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    bool nested = j->n_keys == 0, one = needs_one(j), once = first_tells_all(j);
    uint32_t n_build = (uint32_t)j->build->n_rows;
    int64_t done = 0;
    nb_status st;

    l->n = 0;
    for (int64_t i = 0; i < batch->n_rows; i++) {
        uint32_t row = nested ? (n_build ? 0 : NB_NO_ROW) : l->heads[i];

        while (row != NB_NO_ROW) {
            if (l->n == NB_BATCH_ROWS) {
                if (nb_cancelled(j->ctx->cancel)) {
                    return NB_CANCELLED;
                }
                st = finish_piece(j, l, t, batch, done, i, err);
                if (st != NB_OK) {
                    return st;
                }
                done = i;
                if (one && l->found[i]) { /* of a long chain, the rest tells nothing */
                    break;
                }
            }
            l->probe_rows[l->n] = (uint32_t)i;
            l->build_rows[l->n++] = row;
            if (once) {
                break;
            }
            row = !nested ? j->table->next[row] : row + 1 < n_build ? row + 1 : NB_NO_ROW;
        }
    }
    return finish_piece(j, l, t, batch, done, batch->n_rows, err);
}

/* Unique keys, nothing to check: pairs are the rows that have a head. */
static nb_status
push_simple(join_op *j, join_local *l, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    int64_t n = 0;
    nb_batch out;

    for (int64_t i = 0; i < batch->n_rows; i++) {
        l->probe_rows[n] = (uint32_t)i;
        l->build_rows[n] = l->heads[i];
        n += j->shape.keep_probe || l->heads[i] != NB_NO_ROW;
    }
    if (n == 0) {
        return NB_OK;
    }
    for (int64_t i = 0; j->matched != NULL && i < n; i++) {
        if (l->build_rows[i] != NB_NO_ROW) {
            __atomic_store_n(&j->matched[l->build_rows[i]], 1, __ATOMIC_RELAXED);
        }
    }
    NB_TRY(nb_join_make_pairs(j, j->reads, batch, l->probe_rows, l->build_rows, n, batch->arena,
                              &out));
    return nb_emit(t, &out, err);
}

/* SEMI, ANTI, MARK: the probe's rows by what was found. */
static nb_status
emit_found(join_op *j, join_local *l, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    bool unknown_all = j->null_aware && j->has_nulls;
    bool unknown_null = j->null_aware && j->has_build;
    int64_t n = 0;

    if (j->shape.mark) {
        nb_batch out;
        nb_vector *mark;

        NB_TRY(nb_batch_init(batch->arena, j->n_probe + 1, batch->n_rows, &out));
        out.order = batch->order;
        out.partition = batch->partition;
        for (int c = 0; c < j->n_probe; c++) {
            const nb_vector *v;
            NB_TRY(nb_batch_column(batch, c, &v));
            out.cols[c] = *v;
        }
        mark = &out.cols[j->n_probe];
        NB_TRY(nb_vector_alloc(batch->arena, nb_type_of(NB_TYPE_BOOL), batch->n_rows, mark));
        memcpy(mark->data, l->found, (size_t)batch->n_rows);
        for (int64_t i = 0; (unknown_all || unknown_null) && i < batch->n_rows; i++) {
            if (!l->found[i] && (unknown_all || l->nulls[i])) {
                NB_TRY(nb_vector_need_validity(batch->arena, mark));
                nb_bit_clear(mark->validity, i);
            }
        }
        return nb_emit(t, &out, err);
    }
    uint32_t *keep = NB_ARENA_ARRAY(batch->arena, uint32_t, batch->n_rows);

    if (keep == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < batch->n_rows; i++) {
        bool in = j->shape.probe_matched
                      ? l->found[i]
                      : !l->found[i] && !unknown_all && !(unknown_null && l->nulls[i]);
        keep[n] = (uint32_t)i;
        n += in;
    }
    if (n == 0) {
        return NB_OK;
    }
    NB_TRY(nb_batch_select(batch, keep, n));
    return nb_emit(t, batch, err);
}

static nb_status
join_push(nb_operator *base, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    join_op *j = (join_op *)base;
    join_local *l = local;
    nb_vector *keys = NB_ARENA_ARRAY(batch->arena, nb_vector, j->n_keys + 1);
    uint8_t *kept = NULL;
    nb_status st;

    if (keys == NULL) {
        return NB_NOMEM;
    }
    if (j->spill != NULL && j->round == 0) {
        for (int k = 0; k < j->n_keys; k++) {
            NB_TRY(nb_eval_run(l->keys, k, batch, &keys[k], err));
        }
        NB_TRY(nb_join_put_aside(j, l, batch, keys, err));
        if (batch->n_rows == 0) {
            return NB_OK;
        }
    } else if (j->n_passes > 1) {
        kept = nb_join_found(j, l, batch);
    }
    if (j->n_keys > 0) {
        for (int k = 0; k < j->n_keys; k++) {
            NB_TRY(nb_eval_run(l->keys, k, batch, &keys[k], err));
        }
        NB_TRY(nb_join_table_find(j->table, keys, batch->n_rows, batch->arena, l->heads, l->nulls));
        if (j->shape.pairs && j->residual == NULL && !j->table->has_chains && kept == NULL) {
            return push_simple(j, l, t, batch, err);
        }
    }
    memset(l->found, 0, (size_t)batch->n_rows);
    if (kept != NULL) {
        memcpy(l->found, kept, (size_t)batch->n_rows);
    }
    if (j->n_keys > 0 && first_tells_all(j)) {
        for (int64_t i = 0; i < batch->n_rows; i++) {
            l->found[i] |= l->heads[i] != NB_NO_ROW;
        }
        st = NB_OK;
    } else if (j->n_keys == 0 && nb_join_has_few(j)) {
        st = nb_join_push_few(j, l, t, batch, err);
    } else {
        st = list_candidates(j, l, t, batch, err);
    }
    if (kept != NULL) {
        memcpy(kept, l->found, (size_t)batch->n_rows);
    }
    if (st == NB_OK && (j->shape.mark || j->shape.probe_matched || j->shape.probe_missing) &&
        is_last_pass(j)) {
        st = emit_found(j, l, t, batch, err);
    }
    return st;
}

static nb_status
join_flush(nb_operator *base, void *local, nb_thread_ctx *t, nb_error *err)
{
    join_local *l = local;

    (void)t;
    return l->later ? nb_join_write_aside((join_op *)base, l, err) : NB_OK;
}

static nb_status
join_make_source(nb_operator *base, const nb_exec_ctx *ctx, nb_source **out, nb_error *err)
{
    (void)err;
    return nb_join_drain_new((join_op *)base, ctx, out);
}

static void
join_close(nb_operator *base)
{
    join_op *j = (join_op *)base;

    nb_join_release(base);
    if (j->owns_spill) {
        nb_join_spill_free(j->spill);
    }
    nb_pool_free(j->pool);
}

static const nb_operator_ops JOIN = {
    .name = "HashJoin",
    .open_local = join_open_local,
    .push = join_push,
    .flush = join_flush,
    .make_source = join_make_source,
    .close_local = join_close_local,
    .close = join_close,
};

/* What is read of pairs. */
static nb_status
note_reads(join_op *j)
{
    int first_probe = j->build_left ? j->n_build : 0, first_build = j->build_left ? 0 : j->n_probe;
    int n = j->n_probe + j->n_build;
    const bool *reads = j->base.node->u.join.reads;

    j->residual_uses = nb_arena_zalloc(j->arena, (size_t)n + 1);
    j->reads = nb_arena_alloc(j->arena, (size_t)n + 1);
    if (j->residual_uses == NULL || j->reads == NULL) {
        return NB_NOMEM;
    }
    nb_join_mark_residual(j->base.node, j->residual_uses);
    memset(j->reads, 1, (size_t)n);
    if (reads != NULL && j->shape.pairs) {
        memcpy(j->reads, reads, (size_t)n);
    }
    for (int c = 0; c < j->n_build; c++) {
        if (j->same_as[c] >= 0) {
            j->residual_uses[first_probe + j->same_as[c]] |= j->residual_uses[first_build + c];
            j->reads[first_probe + j->same_as[c]] |= j->reads[first_build + c];
        }
    }
    return NB_OK;
}

nb_status
nb_join_new(nb_run *run, nb_node *node, const nb_type *build, int *build_key_cols,
            nb_operator **out)
{
    join_op *j = NB_OPERATOR_NEW(run, join_op, &JOIN, node);
    bool build_left = nb_join_builds_left(node);

    if (j == NULL) {
        return NB_NOMEM;
    }
    j->ctx = nb_run_ctx(run);
    j->n_passes = 1;
    j->arena = nb_run_arena(run);
    j->build_left = build_left;
    j->shape = shape_of(node->u.join.type, build_left);
    j->build_schema = build;
    j->build_key_cols = build_key_cols;
    j->probe_keys = build_left ? node->u.join.right_keys : node->u.join.left_keys;
    j->n_keys = node->u.join.n_keys;
    j->n_build = node->children[build_left ? 0 : 1]->schema->n_children;
    j->n_probe = node->children[build_left ? 1 : 0]->schema->n_children;
    j->residual = node->u.join.residual;
    j->null_aware = node->u.join.null_aware;
    j->null_safe = nb_arena_zalloc(j->arena, (size_t)j->n_keys + 1);
    j->same_as = NB_ARENA_ARRAY(j->arena, int, j->n_build);
    if (j->null_safe == NULL || j->same_as == NULL) {
        return NB_NOMEM;
    }
    for (int c = 0; c < j->n_build; c++) {
        j->same_as[c] = -1;
    }
    for (int k = 0; k < j->n_keys; k++) {
        const nb_expr *e = j->probe_keys[k];
        nb_phys phys = nb_type_storage(e->type)->phys;
        bool exact = (phys >= NB_PHYS_BOOL && phys <= NB_PHYS_INT128) || phys == NB_PHYS_STRING;

        /* equal doubles may differ in sign of zero */
        if (e->kind == NB_EXPR_COLUMN && exact && build_key_cols[k] < j->n_build &&
            build->children[build_key_cols[k]].type == e->type) {
            j->same_as[build_key_cols[k]] = e->u.column.ordinal;
        }
    }
    NB_TRY(note_reads(j));
    for (int k = 0; k < j->n_keys && node->u.join.null_safe != NULL; k++) {
        j->null_safe[k] = node->u.join.null_safe[k];
    }
    j->pool = nb_pool_new(j->ctx->pool, "join", 0);
    if (j->pool == NULL) {
        return NB_NOMEM;
    }
    *out = &j->base;
    return NB_OK;
}

const bool *
nb_join_null_safe(const nb_operator *op)
{
    return ((const join_op *)op)->null_safe;
}

nb_status
nb_join_one_chunk(const nb_exec_ctx *ctx, nb_table **rows)
{
    nb_chunk_builder *b = NULL;
    nb_table *table = NULL;
    nb_chunk *chunk = NULL;
    nb_status st;

    if ((*rows)->n_chunks <= 1 || (*rows)->n_rows > ONE_CHUNK_ROWS) {
        return NB_OK;
    }
    for (int c = 0; c < (*rows)->n_chunks; c++) {
        if ((*rows)->chunks[c]->mapped != NULL) {
            return NB_OK;
        }
    }
    NB_TRY_GOTO(st, nb_chunk_builder_new(ctx->pool, (*rows)->schema, &b), done);
    for (int c = 0; c < (*rows)->n_chunks; c++) {
        const nb_chunk *from = (*rows)->chunks[c];

        for (int64_t at = 0; at < from->n_rows; at += COPY_ROWS) {
            uint32_t idx[COPY_ROWS];
            int64_t n = NB_MIN(from->n_rows - at, COPY_ROWS);

            for (int64_t i = 0; i < n; i++) {
                idx[i] = (uint32_t)(at + i);
            }
            NB_TRY_GOTO(st, nb_chunk_builder_append_rows(b, from->cols, idx, n), done);
        }
    }
    NB_TRY_GOTO(st, nb_chunk_builder_finish(b, &chunk), done);
    NB_TRY_GOTO(st, nb_table_new(ctx->pool, (*rows)->schema, &table), done);
    NB_TRY_GOTO(st, nb_table_append(table, chunk), done);
    chunk = NULL;
    nb_table_release(*rows);
    *rows = table;
    table = NULL;
done:
    nb_chunk_free(chunk);
    nb_table_release(table);
    nb_chunk_builder_free(b);
    return NB_OK; /* several chunks do as well */
}

bool
nb_join_builds_left(const nb_node *node)
{
    switch (node->u.join.type) {
    case NB_JOIN_MARK:
    case NB_JOIN_SINGLE: return false;
    case NB_JOIN_ANTI: return node->u.join.build_left && !node->u.join.null_aware;
    default: return node->u.join.build_left;
    }
}

bool
nb_join_has_drain(const nb_node *node)
{
    join_shape s = shape_of(node->u.join.type, nb_join_builds_left(node));

    return has_drain(&s);
}
