/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build.c: one function per kind of node.
 */
#include "exec/build.h"

#include "column/key_filter.h"

#include "exec/join.h"
#include "exec/mapped_chunk.h"
#include "exec/operators.h"
#include "exec/passthrough.h"
#include "exec/push_keys.h"
#include "exec/sort_rows.h"
#include "exec/sorter.h"
#include "exec/sources.h"
#include "exec/top_n.h"
#include "io/relation.h"

/* With more rows wanted than this, all are sorted. */
#define TOP_N_MOST 100000
/* Rows that are in memory when a sort ends that has spilled others become about so many runs. */
#define SORT_LAST_RUNS 4

typedef nb_status (*build_fn)(nb_run *run, nb_node *node, nb_stream **out, nb_error *err);

/* ---- sources --------------------------------------------------------------------------------- */

static nb_status
build_table(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    const nb_exec_ctx *ctx = nb_run_ctx(run);
    nb_source *source;

    (void)err;
    NB_TRY(nb_table_source_new(ctx->pool, node->u.table.table, node->schema, node->u.table.columns,
                               node->u.table.limit, ctx->cancel, &source));
    return nb_stream_from(run, source, node, out);
}

static nb_status
build_range(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    const nb_exec_ctx *ctx = nb_run_ctx(run);
    nb_source *source;

    (void)err;
    NB_TRY(nb_range_source_new(ctx->pool, node->schema, node->u.range.start, node->u.range.end,
                               node->u.range.step, node->u.range.n_partitions, node->u.range.first,
                               node->u.range.last > 0 ? node->u.range.last : INT32_MAX, ctx->cancel,
                               &source));
    return nb_stream_from(run, source, node, out);
}

/* applied: of which of its filters the reader has made sure; NULL: none is asked for. */
static nb_status
scan_stream(nb_run *run, nb_node *node, bool *applied, nb_stream **out, nb_error *err)
{
    const nb_exec_ctx *ctx = nb_run_ctx(run);
    nb_scan_request request = {
        .columns = node->u.scan.columns,
        .n_columns = node->schema->n_children,
        .filters = node->u.scan.filters,
        .n_filters = node->u.scan.n_filters,
        .applied = applied,
        .unread = applied != NULL ? node->u.scan.unread : NULL,
        .probes = node->u.scan.probes,
        .n_probes = node->u.scan.n_probes,
        .limit = node->u.scan.limit,
        .n_threads = ctx->parallelism > 0 ? ctx->parallelism : ctx->n_threads,
        .info = ctx->info,
        .cancel = ctx->cancel,
    };
    nb_source *source;

    NB_TRY(nb_relation_scan(node->u.scan.relation, ctx->pool, &request, &source, err));
    return nb_stream_from(run, source, node, out);
}

static nb_status
build_scan(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    return scan_stream(run, node, NULL, out, err);
}

/* ---- streaming operators --------------------------------------------------------------------- */

static nb_status
build_filter(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    nb_operator *op;

    if (node->u.filter.is_scans) {
        nb_node *scan = node->children[0];
        bool *applied =
            nb_arena_zalloc(nb_run_arena(run), sizeof(bool) * (size_t)scan->u.scan.n_filters + 1);

        if (applied == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(scan_stream(run, scan, applied, out, err));
        if (memchr(applied, 0, (size_t)scan->u.scan.n_filters) == NULL) {
            (*out)->branches[0].source_node = node; /* its rows are the filter's */
            return NB_OK;
        }
    } else {
        NB_TRY(nb_build_stream(run, node->children[0], out, err));
    }
    NB_TRY(nb_build_count_for(run, node, &node->u.filter.condition, 1, out, err));
    NB_TRY(nb_filter_new(run, node, &op));
    return nb_stream_push(run, *out, op, err);
}

static nb_status
build_project(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    nb_operator *op;

    NB_TRY(nb_build_stream(run, node->children[0], out, err));
    NB_TRY(
        nb_build_count_for(run, node, node->u.project.exprs, node->schema->n_children, out, err));
    NB_TRY(nb_project_new(run, node, &op));
    return nb_stream_push(run, *out, op, err);
}

static nb_status
build_union(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    NB_TRY(nb_build_stream(run, node->children[0], out, err));
    for (int i = 1; i < node->n_children; i++) {
        nb_stream *next;

        NB_TRY(nb_build_stream(run, node->children[i], &next, err));
        NB_TRY(nb_stream_concat(run, *out, next, err));
    }
    return nb_stream_number_from(run, *out, node->u.all_of.first, err);
}

static nb_status
build_sample(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    nb_operator *op;

    NB_TRY(nb_build_stream(run, node->children[0], out, err));
    NB_TRY(nb_build_count(run, node, out, err));
    NB_TRY(nb_sample_new(run, node, &op));
    return nb_stream_push(run, *out, op, err);
}

static nb_status
build_expand(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    nb_operator *op;

    NB_TRY(nb_build_stream(run, node->children[0], out, err));
    NB_TRY(nb_expand_new(run, node, &op));
    return nb_stream_push(run, *out, op, err);
}

static nb_status
build_generate(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    nb_operator *op;

    NB_TRY(nb_build_stream(run, node->children[0], out, err));
    NB_TRY(nb_build_count_for(run, node, node->u.generate.args, node->u.generate.n_args, out, err));
    NB_TRY(nb_generate_new(run, node, &op));
    return nb_stream_push(run, *out, op, err);
}

/* ---- breakers -------------------------------------------------------------------------------- */

/* Runs a stream into the sink and goes on with what it holds. */
static nb_status
run_through(nb_run *run, nb_node *node, nb_stream *below, nb_operator *sink, nb_stream **out,
            nb_error *err)
{
    nb_source *source;

    NB_TRY(nb_stream_run(run, below, sink, err));
    NB_TRY(sink->ops->make_source(sink, nb_run_ctx(run), &source, err));
    NB_TRY(nb_stream_from(run, source, node, out));
    (*out)->branches[0].maker = sink;
    return NB_OK;
}

/* The same for the stream of the node's child. */
static nb_status
through(nb_run *run, nb_node *node, nb_operator *sink, nb_stream **out, nb_error *err)
{
    nb_stream *below;

    NB_TRY(nb_build_stream(run, node->children[0], &below, err));
    return run_through(run, node, below, sink, out, err);
}

static nb_status
build_limit(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    nb_operator *sink;

    NB_TRY(
        nb_collect_new(run, node, node->schema, node->u.limit.limit, node->u.limit.offset, &sink));
    NB_TRY(nb_collect_mapped(run, sink, node, node->schema));
    return through(run, node, sink, out, err);
}

/* All rows of the node's only child, in order; owned by the caller. */
static nb_status
gather(nb_run *run, nb_node *node, nb_table **out, nb_error *err)
{
    nb_stream *stream;

    NB_TRY(nb_build_stream(run, node->children[0], &stream, err));
    return nb_build_gather(run, node, stream, node->children[0]->schema, out, err);
}

static nb_status
from_table(nb_run *run, nb_node *node, nb_table *table, nb_stream **out)
{
    const nb_exec_ctx *ctx = nb_run_ctx(run);
    nb_source *source;

    NB_TRY(nb_table_source_new(ctx->pool, table, node->schema, NULL, -1, ctx->cancel, &source));
    return nb_stream_from(run, source, node, out);
}

/* All rows of the node's child, and where the keys of an order are among the columns. */
static nb_status
gather_sort_columns(nb_run *run, nb_node *node, const nb_sort_key *keys, int n, nb_sort_col **cols,
                    nb_table **out, nb_error *err)
{
    nb_expr **exprs = NB_ARENA_ARRAY(nb_run_arena(run), nb_expr *, n + 1);
    int *columns = NB_ARENA_ARRAY(nb_run_arena(run), int, n + 1);

    *cols = NB_ARENA_ARRAY(nb_run_arena(run), nb_sort_col, n + 1);
    if (exprs == NULL || columns == NULL || *cols == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < n; k++) {
        exprs[k] = keys[k].expr;
    }
    NB_TRY(nb_build_gather_extended(run, node, node->children[0], exprs, n, columns, out, err));
    for (int k = 0; k < n; k++) {
        (*cols)[k] = (nb_sort_col){columns[k], keys[k].descending, keys[k].nulls_last};
    }
    return NB_OK;
}

static nb_status
build_exchange(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    int n = NB_MAX(node->u.exchange.n_partitions, 1);
    nb_sort_col *range = NULL;
    nb_table *in, *parted;
    nb_status st;

    if (node->u.exchange.kind == NB_EXCHANGE_COALESCE) {
        nb_operator *op;

        NB_TRY(nb_build_stream(run, node->children[0], out, err));
        if (n >= (*out)->n_partitions) {
            return NB_OK;
        }
        NB_TRY(nb_coalesce_new(run, node, (*out)->n_partitions, n, &op));
        NB_TRY(nb_stream_push(run, *out, op, err));
        for (int b = 0; b < (*out)->n_branches; b++) {
            (*out)->branches[b].sealed = true;
        }
        (*out)->n_partitions = n;
        return NB_OK;
    }
    if (node->u.exchange.kind == NB_EXCHANGE_RANGE) {
        NB_TRY(gather_sort_columns(run, node, node->u.exchange.order, node->u.exchange.n_keys,
                                   &range, &in, err));
    } else {
        NB_TRY(gather(run, node, &in, err));
    }
    st = nb_repartition_table(nb_run_ctx(run), node, in, range, &parted, err);
    nb_table_release(in);
    NB_TRY(st);
    st = from_table(run, node, parted, out);
    nb_table_release(parted);
    if (st == NB_OK) {
        (*out)->n_partitions = n;
    }
    return st;
}

/* The root: gives no rows. */
nb_status
nb_build_write(nb_run *run, nb_node *node, nb_table **out, nb_error *err)
{
    const nb_exec_ctx *ctx = nb_run_ctx(run);
    nb_exchange *ex = ctx->exchange && ctx->exchange->write_begin ? ctx->exchange : NULL;
    const nb_write_request *request = node->u.write.request;
    nb_write_job *job = NULL;
    int partition = -1;
    nb_stream *stream;
    nb_table *nothing;
    nb_status st;

    /* made first, so that nothing can fail once the files are in place */
    NB_TRY(nb_table_new(ctx->pool, node->schema, &nothing));
    st = ex != NULL ? ex->write_begin(ex, request, &job, &partition, err)
                    : nb_write_begin(ctx->pool, request, &job, err);
    if (st == NB_OK && job != NULL) {
        int64_t n_rows = 0;

        st = nb_build_stream(run, node->children[0], &stream, err);
        st = st == NB_OK ? nb_write_stream(run, node, stream, job, partition, &n_rows, err) : st;
        if (ex != NULL) {
            ex->write_end(ex, job, n_rows, st);
        } else {
            st = st == NB_OK ? nb_write_commit(job, err) : st;
            if (st < 0) {
                nb_write_abort(job);
            }
        }
    }
    if (st < 0) {
        nb_table_release(nothing);
        return st;
    }
    *out = nothing;
    return NB_OK;
}

/* The fields of `schema`, then those of the expressions. */
static const nb_type *
extended_schema(nb_run *run, const nb_type *schema, nb_expr **exprs, int n)
{
    int total = schema->n_children + n;
    nb_field *fields = NB_ARENA_ARRAY(nb_run_arena(run), nb_field, total);

    if (fields == NULL) {
        return NULL;
    }
    for (int i = 0; i < total; i++) {
        if (i < schema->n_children) {
            fields[i] = schema->children[i];
        } else {
            const nb_type *type = exprs[i - schema->n_children]->type;
            fields[i] = (nb_field){NB_STR(""), type, true, {"", 0}};
        }
    }
    return nb_type_struct(fields, total);
}

static bool
all_flat(const nb_table *table)
{
    for (int c = 0; c < table->n_chunks; c++) {
        for (int k = 0; k < table->schema->n_children; k++) {
            if (table->chunks[c]->cols[k].kind != NB_VEC_FLAT) {
                return false;
            }
        }
    }
    return true;
}

/* The stream of node with columns behind its own for those expressions that are not columns already; columns[i] says where
 * expression i is, *schema what the stream has then. */
static nb_status
extended_stream(nb_run *run, nb_node *node, nb_expr **exprs, int n, int *columns, nb_stream **out,
                const nb_type **schema, nb_error *err)
{
    nb_expr **made = NB_ARENA_ARRAY(nb_run_arena(run), nb_expr *, n + 1);
    int n_made = 0;
    nb_operator *op;

    if (made == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        if (exprs[i]->kind == NB_EXPR_COLUMN) {
            columns[i] = exprs[i]->u.column.ordinal;
        } else {
            columns[i] = node->schema->n_children + n_made;
            made[n_made++] = exprs[i];
        }
    }
    NB_TRY(nb_build_stream(run, node, out, err));
    *schema = extended_schema(run, node->schema, made, n_made);
    if (*schema == NULL) {
        return NB_NOMEM;
    }
    if (n_made > 0) {
        (*out)->sequential |= nb_exprs_count_rows(made, n_made);
        NB_TRY(nb_extend_new(run, NULL, made, n_made, &op));
        NB_TRY(nb_stream_push(run, *out, op, err));
    }
    return NB_OK;
}

/* *out: the rows of the node when they are columns of a table already, and all expressions columns of it; else NULL. Not when sorting them, for
 * row_bytes each, would leave too little memory. */
static nb_status
in_memory(nb_run *run, nb_node *node, nb_expr **exprs, int n, int *columns, size_t row_bytes,
          nb_table **out)
{
    nb_pool *pool = nb_run_ctx(run)->pool;
    nb_table *table;

    *out = NULL;
    for (int i = 0; i < n; i++) {
        if (exprs[i]->kind != NB_EXPR_COLUMN) {
            return NB_OK;
        }
    }
    NB_TRY(nb_passthrough(nb_run_ctx(run), node, &table));
    if (table == NULL) {
        return NB_OK;
    }
    if (!all_flat(table) || (row_bytes > 0 && nb_run_ctx(run)->force_spill) ||
        (size_t)table->n_rows * row_bytes > nb_pool_available(pool) / 2) {
        nb_table_release(table);
        return NB_OK;
    }
    for (int i = 0; i < n; i++) {
        columns[i] = exprs[i]->u.column.ordinal;
    }
    *out = table;
    return NB_OK;
}

nb_status
nb_build_gather_extended(nb_run *run, nb_node *node, nb_node *child, nb_expr **exprs, int n,
                         int *columns, nb_table **out, nb_error *err)
{
    nb_stream *stream;
    const nb_type *schema;

    NB_TRY(in_memory(run, child, exprs, n, columns, 0, out));
    if (*out != NULL) {
        return NB_OK;
    }
    NB_TRY(extended_stream(run, child, exprs, n, columns, &stream, &schema, err));
    return nb_build_gather(run, node, stream, schema, out, err);
}

static nb_status
add_to_sorter(void *payload, nb_chunk **chunks, int n, nb_error *err)
{
    return nb_sorter_add(payload, chunks, n, err);
}

/* Of rows that a window is to rank the last ones of large partitions need not be sorted. */
static nb_status
limit_groups(nb_run *run, const nb_sort_col *cols, const nb_build_sort *sort, const nb_type *schema,
             nb_stream *stream, nb_error *err)
{
    nb_group_limit limit = {cols, sort->n_limited, sort->limit, sort->limits_values};
    nb_operator *op;

    NB_TRY(nb_group_limit_new(run, schema, &limit, &op));
    return op != NULL ? nb_stream_push(run, stream, op, err) : NB_OK;
}

nb_status
nb_build_sorted(nb_run *run, nb_node *node, nb_node *child, nb_expr **exprs, int n,
                nb_sort_col *cols, int n_cols, int *columns, nb_build_sort *out, nb_error *err)
{
    const nb_exec_ctx *ctx = nb_run_ctx(run);
    nb_sorter_spec spec = {.cols = cols,
                           .n_cols = n_cols,
                           .n_together = out->n_together,
                           .by_partition = out->by_partition};
    nb_sorter *sorter = NULL;
    nb_table *table = NULL;
    nb_stream *stream;
    nb_operator *sink;
    nb_status st;

    if (out->limit == 0) {
        NB_TRY(in_memory(run, child, exprs, n, columns, NB_SORTER_ROW_BYTES, &table));
    }
    if (table == NULL) {
        NB_TRY(extended_stream(run, child, exprs, n, columns, &stream, &spec.schema, err));
    }
    for (int k = 0; k < n_cols; k++) { /* from numbers of expressions to columns */
        cols[k].col = columns[cols[k].col];
    }
    if (out->limit > 0) {
        NB_TRY(limit_groups(run, cols, out, spec.schema, stream, err));
    }
    if (table == NULL) {
        NB_TRY(nb_sorter_new(ctx, node, &spec, &sorter));
        NB_TRY_GOTO(st, nb_collect_new(run, NULL, spec.schema, -1, 0, &sink), done);
        nb_collect_on_overflow(sink, (nb_overflow){.take = add_to_sorter,
                                                   .payload = sorter,
                                                   .row_bytes = NB_SORTER_ROW_BYTES,
                                                   .all = true});
        NB_TRY_GOTO(st, nb_stream_run(run, stream, sink, err), done);
        table = nb_collect_table(sink);
    }
    if (sorter == NULL || !nb_sorter_has_runs(sorter)) {
        st = nb_sort_rows(ctx, ctx->pool, table, cols, n_cols, out->by_partition, &out->ids);
        if (st != NB_NOMEM || sorter == NULL) {
            if (st == NB_OK) {
                out->table = table;
                table = NULL;
            }
            goto done;
        }
    }
    for (int from = 0, to = 0; to < table->n_chunks; from = to) { /* runs of some chunks each */
        int64_t rows = 0;

        while (to < table->n_chunks && (to == from || rows < table->n_rows / SORT_LAST_RUNS)) {
            rows += table->chunks[to++]->n_rows;
        }
        NB_TRY_GOTO(st, nb_sorter_add(sorter, table->chunks + from, to - from, err), done);
    }
    out->sorter = sorter;
    out->schema = spec.schema;
    sorter = NULL;
    st = NB_OK;
done:
    nb_table_release(table);
    nb_sorter_free(sorter);
    return st;
}

static nb_status
build_sort(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    const nb_exec_ctx *ctx = nb_run_ctx(run);
    int n = node->u.sort.n_keys;
    nb_build_sort rows = {.by_partition = node->kind == NB_NODE_SORT && !node->u.sort.global};
    int64_t from = 0, to = INT64_MAX;
    nb_expr **exprs = NB_ARENA_ARRAY(nb_run_arena(run), nb_expr *, n + 1);
    int *columns = NB_ARENA_ARRAY(nb_run_arena(run), int, n + 1);
    nb_sort_col *cols = NB_ARENA_ARRAY(nb_run_arena(run), nb_sort_col, n + 1);
    nb_source *source;
    nb_status st;

    if (exprs == NULL || columns == NULL || cols == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < n; k++) {
        const nb_sort_key *key = &node->u.sort.keys[k];

        exprs[k] = key->expr;
        cols[k] = (nb_sort_col){k, key->descending, key->nulls_last};
    }
    if (node->kind == NB_NODE_TOPN) {
        from = NB_MAX(node->u.sort.offset, 0);
        if (node->u.sort.limit >= 0 && node->u.sort.limit < INT64_MAX - from) {
            to = from + node->u.sort.limit;
        }
    }
    NB_TRY(nb_build_sorted(run, node, node->children[0], exprs, n, cols, n, columns, &rows, err));
    if (rows.sorter != NULL) {
        NB_TRY(nb_sorter_source(rows.sorter, node->schema, from, to, &source, err));
        return nb_stream_from(run, source, node, out);
    }
    to = NB_MIN(to, rows.table->n_rows);
    st = nb_sorted_source_new(ctx->pool, rows.table, node->schema, NULL, rows.ids, NB_MIN(from, to),
                              to, rows.by_partition, ctx->cancel, &source);
    nb_table_release(rows.table);
    NB_TRY(st);
    return nb_stream_from(run, source, node, out);
}

/* ORDER BY … LIMIT with few rows wanted. */
static nb_status
build_top_n(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    int n = node->u.sort.n_keys;
    nb_expr **exprs = NB_ARENA_ARRAY(nb_run_arena(run), nb_expr *, n + 1);
    int *columns = NB_ARENA_ARRAY(nb_run_arena(run), int, n + 1);
    nb_sort_col *cols = NB_ARENA_ARRAY(nb_run_arena(run), nb_sort_col, n + 1);
    const nb_type *schema;
    nb_stream *below;
    nb_operator *sink;
    nb_source *source;
    nb_key_filter *bound = NULL;

    if (n == 0 || node->u.sort.limit < 0 || node->u.sort.limit > TOP_N_MOST ||
        node->u.sort.offset > TOP_N_MOST) {
        return build_sort(run, node, out, err);
    }
    if (exprs == NULL || columns == NULL || cols == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < n; k++) {
        exprs[k] = node->u.sort.keys[k].expr;
    }
    if (exprs[0]->kind == NB_EXPR_COLUMN) {
        NB_TRY(nb_key_filter_new_bound(nb_run_arena(run), exprs[0]->type,
                                       node->u.sort.keys[0].descending,
                                       !node->u.sort.keys[0].nulls_last, &bound));
    }
    if (bound != NULL) {
        NB_TRY(nb_push_bound(run, node->children[0], exprs[0]->u.column.ordinal, bound));
    }
    NB_TRY(extended_stream(run, node->children[0], exprs, n, columns, &below, &schema, err));
    for (int k = 0; k < n; k++) {
        cols[k] = (nb_sort_col){columns[k], node->u.sort.keys[k].descending,
                                node->u.sort.keys[k].nulls_last};
    }
    NB_TRY(nb_top_n_new(run, node, schema, cols, n, bound, &sink));
    NB_TRY(nb_stream_run(run, below, sink, err));
    NB_TRY(sink->ops->make_source(sink, nb_run_ctx(run), &source, err));
    NB_TRY(nb_stream_from(run, source, node, out));
    (*out)->branches[0].maker = sink;
    return NB_OK;
}

static nb_status
add_to_join_spill(void *payload, nb_chunk **chunks, int n, nb_error *err)
{
    return nb_join_spill_add_build(payload, chunks, n, err);
}

/* The build side's rows: *rows, or *spill when they do not fit into memory. Opens the join, which holds *rows. */
static nb_status
build_join_side(nb_run *run, nb_node *node, int *columns, nb_operator **op, nb_join_spill **spill,
                nb_error *err)
{
    const nb_exec_ctx *ctx = nb_run_ctx(run);
    bool left = nb_join_builds_left(node);
    nb_node *child = node->children[left ? 0 : 1];
    nb_expr **keys = left ? node->u.join.left_keys : node->u.join.right_keys;
    int n = node->u.join.n_keys;
    const nb_type *schema = NULL;
    nb_table *rows = NULL;
    nb_stream *stream;
    nb_operator *sink;
    nb_status st;

    if (n == 0) {
        NB_TRY(nb_build_gather_extended(run, node, child, keys, n, columns, &rows, err));
    } else {
        NB_TRY(in_memory(run, child, keys, n, columns, NB_JOIN_ROW_BYTES, &rows));
    }
    if (rows != NULL) {
        schema = rows->schema;
    } else {
        NB_TRY(extended_stream(run, child, keys, n, columns, &stream, &schema, err));
    }
    NB_TRY_GOTO(st, nb_join_new(run, node, schema, columns, op), done);
    NB_TRY_GOTO(st, nb_run_open(run, *op, err), done);
    if (rows == NULL) {
        NB_TRY_GOTO(st,
                    nb_join_spill_new(ctx, node, schema, columns, nb_join_null_safe(*op), n, spill),
                    done);
        NB_TRY_GOTO(st, nb_collect_new(run, NULL, schema, -1, 0, &sink), done);
        nb_collect_on_overflow(sink, (nb_overflow){.take = add_to_join_spill,
                                                   .payload = *spill,
                                                   .row_bytes = NB_JOIN_ROW_BYTES,
                                                   .all = true});
        NB_TRY_GOTO(st, nb_stream_run(run, stream, sink, err), done);
        rows = nb_collect_table(sink);
    }
    if (*spill == NULL || !nb_join_spill_started(*spill)) {
        NB_TRY_GOTO(st, nb_join_one_chunk(ctx, &rows), done);
        st = nb_join_hold(*op, rows);
        if (st != NB_NOMEM || *spill == NULL) {
            if (st == NB_OK) {
                nb_join_spill_free(*spill);
                *spill = NULL;
                /* only saves work: without memory for it the join goes on */
                (void)nb_push_keys(run, node, rows, columns);
            }
            goto done;
        }
        nb_join_release(*op);
    }
    st = nb_join_spill_add_build(*spill, rows->chunks, rows->n_chunks, err);
done:
    nb_table_release(rows);
    return st;
}

/* Nothing but the keys: those that a scan can use, if there is memory for them. */
static nb_status
build_reduced(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    int n = node->u.join.n_keys, *columns = NB_ARENA_ARRAY(nb_run_arena(run), int, n + 1);
    nb_table *rows;

    if (columns == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_build_gather_extended(run, node, node->children[1], node->u.join.right_keys, n,
                                    columns, &rows, err));
    if (nb_join_one_chunk(nb_run_ctx(run), &rows) == NB_OK) {
        (void)nb_push_keys(run, node, rows, columns);
    }
    nb_table_release(rows);
    return nb_build_stream(run, node->children[0], out, err);
}

static nb_status
build_join(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    nb_node *probe = node->children[nb_join_builds_left(node) ? 1 : 0];
    int *columns = NB_ARENA_ARRAY(nb_run_arena(run), int, node->u.join.n_keys + 1);
    nb_join_spill *spill = NULL;
    nb_operator *op;
    nb_status st;

    if (node->u.join.reduces) {
        return build_reduced(run, node, out, err);
    }
    if (columns == NULL) {
        return NB_NOMEM;
    }
    st = build_join_side(run, node, columns, &op, &spill, err);
    if (st == NB_OK) {
        st = nb_build_stream(run, probe, out, err);
    }
    if (st < 0) {
        nb_join_spill_free(spill);
        return st;
    }
    if (node->u.join.residual != NULL) {
        (*out)->sequential |= nb_exprs_count_rows(&node->u.join.residual, 1);
    }
    return nb_join_add_to(run, op, spill, *out, err);
}

static nb_status
build_tail(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    nb_operator *sink;

    NB_TRY(nb_tail_new(run, node, node->schema, node->u.limit.limit, &sink));
    NB_TRY(nb_collect_mapped(run, sink, node, node->schema));
    return through(run, node, sink, out, err);
}

static nb_status
build_aggregate(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    const nb_exec_ctx *ctx = nb_run_ctx(run);
    int share = node->u.aggregate.share;
    nb_table *rows = share > 0 ? nb_run_shared(run, share) : NULL;
    bool first = rows == NULL;
    nb_operator *sink;
    nb_source *source;

    if (first) {
        bool added;

        NB_TRY(nb_build_stream(run, node->children[0], out, err));
        NB_TRY(nb_aggregate_new(run, node, &sink));
        NB_TRY(nb_aggregate_add_to(run, sink, *out, &added, err));
        if (!added) {
            NB_TRY(run_through(run, node, *out, sink, out, err));
        }
    }
    if (share <= 0) {
        return NB_OK;
    }
    if (first) {
        NB_TRY(nb_build_gather(run, node, *out, node->schema, &rows, err));
        NB_TRY(nb_run_keep_shared(run, share, rows));
    }
    NB_TRY(nb_table_source_new(ctx->pool, rows, node->schema, NULL, -1, ctx->cancel, &source));
    return nb_stream_from(run, source, first ? NULL : node, out);
}

/* ---- exchanges between tasks ----------------------------------------------------------------- */

static nb_status
build_read(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    const nb_exec_ctx *ctx = nb_run_ctx(run);
    nb_table *rows;
    nb_status st;

    if (ctx->exchange == NULL) {
        return nb_raise_internal(err, "rows of stage %d are wanted outside of a task",
                                 node->u.read.stage);
    }
    NB_TRY(ctx->exchange->read(ctx->exchange, ctx->pool, node, &rows, err));
    nb_settle_partitions(rows);
    st = from_table(run, node, rows, out);
    nb_table_release(rows);
    if (st == NB_OK) {
        (*out)->n_partitions = NB_MAX((*out)->n_partitions, node->u.read.n_partitions);
    }
    return st;
}

/* The root: gives no rows. */
static nb_status
build_put(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    nb_node *top = node->children[0];
    nb_stream *stream;
    nb_operator *sink;
    nb_table *nothing;
    nb_status st;

    while (top->kind == NB_NODE_JOIN && top->u.join.reduces) { /* those only give hints */
        top = top->children[0];
    }
    if (top->kind == NB_NODE_AGGREGATE && node->u.put.kind == NB_PUT_HASH &&
        nb_run_ctx(run)->n_threads == 1) {
        top->u.aggregate.put = node;
    }
    NB_TRY(nb_build_stream(run, node->children[0], &stream, err));
    stream->sequential = true; /* rows of a bucket stay in order */
    NB_TRY(nb_put_new(run, node, false, &sink));
    NB_TRY(nb_stream_run(run, stream, sink, err));
    NB_TRY(nb_table_new(nb_run_ctx(run)->pool, node->schema, &nothing));
    st = from_table(run, node, nothing, out);
    nb_table_release(nothing);
    return st;
}

static const build_fn BUILD[NB_N_NODES] = {
    [NB_NODE_TABLE] = build_table,
    [NB_NODE_RANGE] = build_range,
    [NB_NODE_SCAN] = build_scan,
    [NB_NODE_FILTER] = build_filter,
    [NB_NODE_PROJECT] = build_project,
    [NB_NODE_UNION] = build_union,
    [NB_NODE_LIMIT] = build_limit,
    [NB_NODE_TAIL] = build_tail,
    [NB_NODE_AGGREGATE] = build_aggregate,
    [NB_NODE_SAMPLE] = build_sample,
    [NB_NODE_EXPAND] = build_expand,
    [NB_NODE_GENERATE] = build_generate,
    [NB_NODE_EXCHANGE] = build_exchange,
    [NB_NODE_SORT] = build_sort,
    [NB_NODE_TOPN] = build_top_n,
    [NB_NODE_JOIN] = build_join,
    [NB_NODE_WINDOW] = nb_build_window,
    [NB_NODE_READ] = build_read,
    [NB_NODE_PUT] = build_put,
};

nb_status
nb_build_stream(nb_run *run, nb_node *node, nb_stream **out, nb_error *err)
{
    if ((unsigned)node->kind >= NB_N_NODES || BUILD[node->kind] == NULL) {
        return nb_raise_unsupported(err, "the physical operator %d", (int)node->kind);
    }
    return BUILD[node->kind](run, node, out, err);
}
