/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fragment_node.c: physical nodes as messages; fragment_node_read.c takes them back.
 *
 *   kind       lists                            keys     numbers
 *   RANGE                                                start, end, step, partitions, first, last
 *   SCAN       filters                                   limit, columns …
 *   FILTER     condition                                 is_scans
 *   PROJECT    columns
 *   AGGREGATE  keys | values that are passed | aggregates; passes, rehash
 *   SORT                                        order    global
 *   TOPN                                        order    limit, offset
 *   LIMIT                                                limit, offset
 *   TAIL                                                 limit
 *   JOIN       left keys | right keys | residual         type, build_left, null_aware, reduces, null_safe …
 *   EXCHANGE   keys                             order    kind, partitions
 *   SAMPLE                                               with_replacement, seed      reals: lower, upper
 *   GENERATE   arguments                                 kind, outer, kept columns …
 *   WINDOW     partition by | functions         order   limit, limits_values
 *   EXPAND     one per projection
 *   READ                                                 kind, stage
 *   PUT        keys                             order    kind, buckets, rows      bounds
 *   UNION                                                partitions before
 *   WRITE has none. The columns of JOIN, WINDOW, GENERATE … follow from their parts: the reader compares.
 */
#include "cluster/fragment_internal.h"

#include "base/thread.h"
#include "io/listing.h"

/* ---- writing --------------------------------------------------------------------------------- */

static nb_status
add_list(nb_fragment_writer *w, Nbc__Node *m, nb_expr *const *exprs, int n, nb_error *err)
{
    Nbc__List *list = NB_WIRE_NEW(w->arena, Nbc__List, nbc__list);
    Nbc__List **grown = NB_ARENA_ARRAY(w->arena, Nbc__List *, m->n_lists + 1);

    if (list == NULL || grown == NULL) {
        return NB_NOMEM;
    }
    list->exprs = NB_ARENA_ARRAY(w->arena, uint32_t, n + 1);
    if (list->exprs == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        NB_TRY(nb_fragment_write_expr(w, exprs[i], &list->exprs[i], err));
    }
    list->n_exprs = (size_t)n;
    if (m->n_lists > 0) {
        memcpy(grown, m->lists, m->n_lists * sizeof(*grown));
    }
    grown[m->n_lists++] = list;
    m->lists = grown;
    return NB_OK;
}

static nb_status
set_keys(nb_fragment_writer *w, Nbc__Node *m, const nb_sort_key *keys, int n, nb_error *err)
{
    m->keys = NB_ARENA_ARRAY(w->arena, Nbc__SortKey *, n + 1);
    if (m->keys == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        Nbc__SortKey *k = NB_WIRE_NEW(w->arena, Nbc__SortKey, nbc__sort_key);

        if (k == NULL) {
            return NB_NOMEM;
        }
        k->has_expr = 1;
        NB_TRY(nb_fragment_write_expr(w, keys[i].expr, &k->expr, err));
        NB_WIRE_SET(k, descending, keys[i].descending);
        NB_WIRE_SET(k, nulls_last, keys[i].nulls_last);
        m->keys[m->n_keys++] = k;
    }
    return NB_OK;
}

/* n numbers, then n_more of a list of ints. */
static nb_status
set_numbers(nb_fragment_writer *w, Nbc__Node *m, const int64_t *numbers, int n, const int *more,
            int n_more)
{
    m->numbers = NB_ARENA_ARRAY(w->arena, int64_t, n + n_more + 1);
    if (m->numbers == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        m->numbers[m->n_numbers++] = numbers[i];
    }
    for (int i = 0; i < n_more; i++) {
        m->numbers[m->n_numbers++] = more[i];
    }
    return NB_OK;
}

#define NUMBERS(...)                                  \
    set_numbers(w, m, (const int64_t[]){__VA_ARGS__}, \
                (int)NB_COUNT_OF(((const int64_t[]){__VA_ARGS__})), NULL, 0)

static nb_status
write_pairs(nb_arena *arena, const nb_option *options, int n, Nbc__Pair ***out, size_t *n_out)
{
    *out = NB_ARENA_ARRAY(arena, Nbc__Pair *, n + 1);
    if (*out == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        Nbc__Pair *p = NB_WIRE_NEW(arena, Nbc__Pair, nbc__pair);

        if (p == NULL) {
            return NB_NOMEM;
        }
        NB_WIRE_SET(p, key, nb_wire_bytes(options[i].key));
        if (options[i].value.data != NULL) {
            NB_WIRE_SET(p, value, nb_wire_bytes(options[i].value));
        }
        (*out)[(*n_out)++] = p;
    }
    return NB_OK;
}

static nb_status
write_file(nb_arena *arena, const nb_file_entry *f, int n_partition, Nbc__File **out)
{
    Nbc__File *m = NB_WIRE_NEW(arena, Nbc__File, nbc__file);

    if (m == NULL) {
        return NB_NOMEM;
    }
    NB_WIRE_SET(m, path, nb_wire_bytes(f->path));
    NB_WIRE_SET(m, url, nb_wire_bytes(f->url));
    NB_WIRE_SET(m, n_bytes, f->n_bytes);
    NB_WIRE_SET(m, modified_ms, f->modified_ms);
    m->partition = NB_ARENA_ARRAY(arena, Nbc__Pair *, n_partition + 1);
    if (m->partition == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < n_partition; k++) {
        Nbc__Pair *p = NB_WIRE_NEW(arena, Nbc__Pair, nbc__pair);

        if (p == NULL) {
            return NB_NOMEM;
        }
        if (f->partition[k].data != NULL) {
            NB_WIRE_SET(p, value, nb_wire_bytes(f->partition[k]));
        }
        m->partition[m->n_partition++] = p;
    }
    *out = m;
    return NB_OK;
}

static nb_status
write_relation(nb_fragment_writer *w, const nb_relation *rel, Nbc__Node *node)
{
    nb_relation_parts parts = nb_relation_parts_of(rel);
    Nbc__Relation *m = NB_WIRE_NEW(w->arena, Nbc__Relation, nbc__relation);

    if (m == NULL) {
        return NB_NOMEM;
    }
    NB_WIRE_SET(m, format, nb_wire_bytes(parts.format));
    NB_TRY(write_pairs(w->arena, parts.options, parts.n_options, &m->options, &m->n_options));
    m->files = NB_ARENA_ARRAY(w->arena, Nbc__File *, parts.files->n_files + 1);
    m->partition_names =
        NB_ARENA_ARRAY(w->arena, ProtobufCBinaryData, parts.files->n_partition + 1);
    if (m->files == NULL || m->partition_names == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < parts.files->n_files; i++) {
        NB_TRY(write_file(w->arena, &parts.files->files[i], parts.files->n_partition,
                          &m->files[m->n_files++]));
    }
    for (int k = 0; k < parts.files->n_partition; k++) {
        m->partition_names[m->n_partition_names++] = nb_wire_bytes(parts.files->partition_names[k]);
    }
    m->has_data_schema = m->has_schema = m->has_metadata = 1;
    NB_TRY(nb_fragment_type_id(w, parts.data_schema, &m->data_schema));
    NB_TRY(nb_fragment_type_id(w, parts.schema, &m->schema));
    NB_TRY(nb_fragment_type_id(w, parts.metadata, &m->metadata));
    NB_WIRE_SET(m, given, parts.given);
    node->relation = m;
    return NB_OK;
}

static nb_status
write_request(nb_fragment_writer *w, const nb_write_request *rq, Nbc__Node *node)
{
    Nbc__Write *m = NB_WIRE_NEW(w->arena, Nbc__Write, nbc__write);

    if (m == NULL) {
        return NB_NOMEM;
    }
    NB_WIRE_SET(m, format, nb_wire_bytes(rq->format));
    NB_WIRE_SET(m, path, nb_wire_bytes(rq->path));
    NB_WIRE_SET(m, mode, rq->mode);
    NB_TRY(write_pairs(w->arena, rq->options, rq->n_options, &m->options, &m->n_options));
    m->has_schema = 1;
    NB_TRY(nb_fragment_type_id(w, rq->schema, &m->schema));
    m->partition_by = NB_ARENA_ARRAY(w->arena, ProtobufCBinaryData, rq->n_partition_by + 1);
    if (m->partition_by == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < rq->n_partition_by; k++) {
        m->partition_by[m->n_partition_by++] = nb_wire_bytes(rq->partition_by[k]);
    }
    node->write = m;
    return NB_OK;
}

static nb_status
write_join(nb_fragment_writer *w, const nb_node *node, Nbc__Node *m, nb_error *err)
{
    int n = node->u.join.n_keys;
    int *safe = NB_ARENA_ARRAY(w->arena, int, n + 1);
    int64_t numbers[] = {node->u.join.type, node->u.join.build_left, node->u.join.null_aware,
                         node->u.join.reduces};

    if (safe == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < n; k++) {
        safe[k] = node->u.join.null_safe[k];
    }
    NB_TRY(set_numbers(w, m, numbers, 4, safe, n));
    NB_TRY(add_list(w, m, node->u.join.left_keys, n, err));
    NB_TRY(add_list(w, m, node->u.join.right_keys, n, err));
    return add_list(w, m, &node->u.join.residual, node->u.join.residual != NULL, err);
}

static nb_status
write_put(nb_fragment_writer *w, const nb_node *node, Nbc__Node *m, nb_error *err)
{
    bool ordered = nb_put_is_ordered(node->u.put.kind);

    NB_TRY(NUMBERS(node->u.put.kind, node->u.put.n_buckets, node->u.put.n_rows));
    if (node->u.put.kind == NB_PUT_RANGE) {
        m->bounds = NB_ARENA_ARRAY(w->arena, ProtobufCBinaryData, node->u.put.n_buckets);
        for (int i = 0; m->bounds != NULL && i + 1 < node->u.put.n_buckets; i++) {
            m->bounds[m->n_bounds++] = nb_wire_bytes(node->u.put.bounds[i]);
        }
        if (m->bounds == NULL) {
            return NB_NOMEM;
        }
    }
    NB_TRY(add_list(w, m, node->u.put.keys, ordered ? 0 : node->u.put.n_keys, err));
    return set_keys(w, m, node->u.put.order, ordered ? node->u.put.n_keys : 0, err);
}

static nb_status
write_parts(nb_fragment_writer *w, const nb_node *node, Nbc__Node *m, nb_error *err)
{
    switch (node->kind) {
    case NB_NODE_RANGE:
        return NUMBERS(node->u.range.start, node->u.range.end, node->u.range.step,
                       node->u.range.n_partitions, node->u.range.first, node->u.range.last);
    case NB_NODE_SCAN:
        NB_TRY(set_numbers(w, m, &node->u.scan.limit, 1, node->u.scan.columns,
                           node->schema->n_children));
        NB_TRY(write_relation(w, node->u.scan.relation, m));
        return add_list(w, m, node->u.scan.filters, node->u.scan.n_filters, err);
    case NB_NODE_FILTER: /* hints of the scan may have stayed behind */
        NB_TRY(NUMBERS(node->u.filter.is_scans && node->children[0]->u.scan.n_filters > 0));
        return add_list(w, m, &node->u.filter.condition, 1, err);
    case NB_NODE_PROJECT:
        return add_list(w, m, node->u.project.exprs, node->schema->n_children, err);
    case NB_NODE_AGGREGATE:
        NB_TRY(NUMBERS(node->u.aggregate.passes, node->u.aggregate.rehash));
        NB_TRY(add_list(w, m, node->u.aggregate.keys, node->u.aggregate.n_keys, err));
        NB_TRY(add_list(w, m, node->u.aggregate.passed, node->u.aggregate.n_passed, err));
        return add_list(w, m, node->u.aggregate.aggs, node->u.aggregate.n_aggs, err);
    case NB_NODE_SORT:
        NB_TRY(NUMBERS(node->u.sort.global));
        return set_keys(w, m, node->u.sort.keys, node->u.sort.n_keys, err);
    case NB_NODE_TOPN:
        NB_TRY(NUMBERS(node->u.sort.limit, node->u.sort.offset));
        return set_keys(w, m, node->u.sort.keys, node->u.sort.n_keys, err);
    case NB_NODE_LIMIT: return NUMBERS(node->u.limit.limit, node->u.limit.offset);
    case NB_NODE_TAIL: return NUMBERS(node->u.limit.limit);
    case NB_NODE_JOIN: return write_join(w, node, m, err);
    case NB_NODE_UNION: return NUMBERS(node->u.all_of.first);
    case NB_NODE_EXCHANGE: {
        bool range = node->u.exchange.kind == NB_EXCHANGE_RANGE;

        NB_TRY(NUMBERS(node->u.exchange.kind, node->u.exchange.n_partitions));
        NB_TRY(add_list(w, m, node->u.exchange.keys, range ? 0 : node->u.exchange.n_keys, err));
        return set_keys(w, m, node->u.exchange.order, range ? node->u.exchange.n_keys : 0, err);
    }
    case NB_NODE_SAMPLE:
        m->reals = NB_ARENA_ARRAY(w->arena, double, 2);
        if (m->reals == NULL) {
            return NB_NOMEM;
        }
        m->reals[m->n_reals++] = node->u.sample.lower;
        m->reals[m->n_reals++] = node->u.sample.upper;
        return NUMBERS(node->u.sample.with_replacement, node->u.sample.seed);
    case NB_NODE_GENERATE: {
        int64_t numbers[] = {node->u.generate.kind, node->u.generate.outer};

        NB_TRY(set_numbers(w, m, numbers, 2, node->u.generate.keep, node->u.generate.n_keep));
        return add_list(w, m, node->u.generate.args, node->u.generate.n_args, err);
    }
    case NB_NODE_WINDOW:
        NB_TRY(add_list(w, m, node->u.window.partition_by, node->u.window.n_partition_by, err));
        NB_TRY(add_list(w, m, node->u.window.functions, node->u.window.n_functions, err));
        NB_TRY(NUMBERS(node->u.window.limit, node->u.window.limits_values));
        return set_keys(w, m, node->u.window.order_by, node->u.window.n_order_by, err);
    case NB_NODE_EXPAND:
        for (int i = 0; i < node->u.expand.n_projections; i++) {
            NB_TRY(add_list(w, m, node->u.expand.projections[i], node->schema->n_children, err));
        }
        return NB_OK;
    case NB_NODE_WRITE: return write_request(w, node->u.write.request, m);
    case NB_NODE_READ:
        return NUMBERS(node->u.read.kind, node->u.read.stage, node->u.read.n_partitions);
    case NB_NODE_PUT: return write_put(w, node, m, err);
    default: return nb_raise_internal(err, "a node of kind %d in a fragment", (int)node->kind);
    }
}

nb_status
nb_fragment_write_node(nb_fragment_writer *w, const nb_node *node, uint32_t *out, nb_error *err)
{
    Nbc__Node *m = NB_WIRE_NEW(w->arena, Nbc__Node, nbc__node);
    uint32_t schema;

    if (m == NULL) {
        return NB_NOMEM;
    }
    if (nb_stack_left() < (64 << 10)) {
        return nb_raise(err, NB_COND_FAILED_TO_PARSE_TOO_COMPLEX, NULL);
    }
    m->children = NB_ARENA_ARRAY(w->arena, uint32_t, node->n_children + 1);
    if (m->children == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < node->n_children; i++) {
        NB_TRY(nb_fragment_write_node(w, node->children[i], &m->children[m->n_children++], err));
    }
    NB_TRY(nb_fragment_type_id(w, node->schema, &schema));
    NB_WIRE_SET(m, kind, node->kind);
    NB_WIRE_SET(m, schema, schema);
    NB_TRY(write_parts(w, node, m, err));
    *out = (uint32_t)w->nodes.n;
    return nb_pointers_add(w->arena, &w->nodes, m);
}
