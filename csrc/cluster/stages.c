/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages.c: see stages.h.
 *
 * One walk from the leaves up. Each subtree becomes a piece: `local` ones are nodes that the driver runs; spread ones are branches, each a
 * node that so many tasks run. Operators that go row by row are put onto every branch. An operator that needs rows together ends the
 * branches: they become a stage, and a READ node takes their place.
 *
 * Aggregates   stages_aggregate.c
 * Joins        stages_shuffle.c, as windows and repartition
 * Sorts        by ranges of keys: stages_shuffle.c.
 * Unions       stages_union.c
 * Partitions   expressions that count rows (rand, monotonically_increasing_id) need whole Spark partitions: such branches are cut between
 *              partitions, and behind a shuffle the driver takes over.
 */
#include "base/thread.h"
#include "cluster/stages_internal.h"

#define LARGE \
    8 /* shares of files that one task should have before there are more tasks than cores */

/* ---- one function per kind of node ----------------------------------------------------------- */

/* Row by row, with these expressions. */
static nb_status
cut_streaming(nb_cutter *c, nb_node *node, nb_expr *const *exprs, int n, bool counts, nb_piece *out,
              nb_error *err)
{
    nb_piece child;

    NB_TRY(nb_cut(c, node->children[0], &child, err));
    if (child.local != NULL || !nb_cut_all_travel(c, exprs, n) ||
        ((counts || !nb_cut_deterministic(exprs, n)) && !nb_cut_whole_partitions(&child))) {
        return nb_cut_keep_local(c, node, &child, out);
    }
    return nb_cut_onto_branches(c, node, &child, out);
}

static nb_status
cut_expand(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err)
{
    nb_piece child;
    bool ok = true;

    NB_TRY(nb_cut(c, node->children[0], &child, err));
    for (int i = 0; i < node->u.expand.n_projections; i++) {
        nb_expr **exprs = node->u.expand.projections[i];

        ok &= nb_cut_deterministic(exprs, node->schema->n_children) &&
              nb_cut_all_travel(c, exprs, node->schema->n_children);
    }
    return child.local != NULL || !ok ? nb_cut_keep_local(c, node, &child, out)
                                      : nb_cut_onto_branches(c, node, &child, out);
}

static nb_status
cut_table(nb_cutter *c, nb_node *node, nb_piece *out)
{
    int n = nb_cut_buckets(c, 0), stage;
    int64_t rows = node->u.table.table->n_rows;
    nb_piece here = {.local = node};
    nb_node *read;

    if (node->u.table.limit >= 0) {
        rows = NB_MIN(rows, node->u.table.limit);
    }
    if (rows < c->options->min_rows) {
        *out = here;
        return NB_OK;
    }
    NB_TRY(nb_cut_put(c, &here, &(nb_put){.kind = NB_PUT_EVEN, .n_buckets = n}, &stage));
    NB_TRY(nb_cut_read(c, stage, NB_READ_BUCKET, node->schema, node->est_rows, &read));
    return nb_cut_spread(c, read, n, false, out);
}

static nb_status
cut_range(nb_cutter *c, nb_node *node, nb_piece *out)
{
    if (node->est_rows < (double)c->options->min_rows) {
        *out = (nb_piece){.local = node};
        return NB_OK;
    }
    return nb_cut_spread(c, node, NB_MIN(node->u.range.n_partitions, 2 * c->options->parallelism),
                         true, out);
}

static nb_status
cut_scan(nb_cutter *c, nb_node *node, nb_piece *out)
{
    int64_t bytes = nb_relation_bytes(node->u.scan.relation);
    int64_t n = bytes / NB_MAX(c->options->share_bytes, 1) + 1, at_once = c->options->parallelism;
    bool hints = nb_cut_all_travel(c, node->u.scan.filters, node->u.scan.n_filters);

    if (nb_relation_is_private(node->u.scan.relation)) {
        *out = (nb_piece){.local = node};
        return NB_OK;
    }
    if (!hints) { /* a filter above checks them anyway */
        node = nb_cut_node_over(c, node, NULL, NULL);
        if (node == NULL) {
            return NB_NOMEM;
        }
        node->u.scan.n_filters = 0;
    }
    if (n / LARGE >=
        2 * at_once) { /* so long that it matters when one core is slower than another */
        at_once *= 2;
    }
    return nb_cut_spread(c, node, (int)NB_MIN(n, at_once), true, out);
}

/* Each task does its part of LIMIT, ORDER BY … LIMIT or tail; the driver does it again over what they give. */
static nb_status
cut_limited(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err)
{
    nb_node *part = nb_cut_node_over(c, node, NULL, NULL);
    nb_piece child;

    if (part == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_cut(c, node->children[0], &child, err));
    if (node->kind == NB_NODE_TOPN) {
        int64_t limit = node->u.sort.limit, offset = NB_MAX(node->u.sort.offset, 0);

        part->u.sort.limit = limit < 0 || limit > INT64_MAX - offset ? -1 : limit + offset;
        part->u.sort.offset = 0;
        if (!nb_cut_keys_travel(c, node->u.sort.keys, node->u.sort.n_keys)) {
            return nb_cut_keep_local(c, node, &child, out);
        }
    } else if (node->kind == NB_NODE_LIMIT) {
        int64_t limit = node->u.limit.limit, offset = NB_MAX(node->u.limit.offset, 0);

        part->u.limit.limit = limit < 0 || limit > INT64_MAX - offset ? -1 : limit + offset;
        part->u.limit.offset = 0;
    }
    if (child.local == NULL) {
        NB_TRY(nb_cut_onto_branches(c, part, &child, &child));
    }
    return nb_cut_keep_local(c, node, &child, out);
}

/* ---- the root -------------------------------------------------------------------------------- */

static nb_status
cut_write(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err)
{
    nb_stage *stage;
    nb_node *nothing;
    nb_piece child;
    bool aligned;

    NB_TRY(nb_cut(c, node->children[0], &child, err));
    if (child.local != NULL) {
        return nb_cut_keep_local(c, node, &child, out);
    }
    NB_TRY(nb_cut_stage(c, child.n, &stage));
    stage->write = node->u.write.request;
    aligned = nb_cut_is_aligned(&child); /* else two tasks might give a file one number */
    for (int i = 0; i < child.n; i++) {
        nb_piece_branch *b = &child.branches[i];
        nb_node *root = nb_cut_node_over(c, node, b->node, NULL);

        if (root == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(nb_cut_part(c, stage, root, b->n_tasks, aligned));
        stage->parts[i].by_task = !aligned;
    }
    NB_TRY(nb_cut_read(c, stage->id, NB_READ_ALL, node->schema, 0, &nothing));
    *out = (nb_piece){.local = nothing};
    return NB_OK;
}

nb_status
nb_cut(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err)
{
    nb_piece child;

    if (nb_stack_left() < (64 << 10)) {
        return nb_raise(err, NB_COND_FAILED_TO_PARSE_TOO_COMPLEX, NULL);
    }
    switch (node->kind) {
    case NB_NODE_TABLE: return cut_table(c, node, out);
    case NB_NODE_RANGE: return cut_range(c, node, out);
    case NB_NODE_SCAN: return cut_scan(c, node, out);
    case NB_NODE_FILTER:
        return cut_streaming(c, node, &node->u.filter.condition, 1, false, out, err);
    case NB_NODE_PROJECT:
        return cut_streaming(c, node, node->u.project.exprs, node->schema->n_children, false, out,
                             err);
    case NB_NODE_SAMPLE: return cut_streaming(c, node, NULL, 0, true, out, err);
    case NB_NODE_GENERATE:
        return cut_streaming(c, node, node->u.generate.args, node->u.generate.n_args, false, out,
                             err);
    case NB_NODE_EXPAND: return cut_expand(c, node, out, err);
    case NB_NODE_LIMIT:
    case NB_NODE_TOPN:
    case NB_NODE_TAIL: return cut_limited(c, node, out, err);
    case NB_NODE_SORT: return nb_cut_sort(c, node, out, err);
    case NB_NODE_AGGREGATE: return nb_cut_aggregate(c, node, out, err);
    case NB_NODE_JOIN: return nb_cut_join(c, node, out, err);
    case NB_NODE_UNION: return nb_cut_union(c, node, out, err);
    case NB_NODE_WINDOW: return nb_cut_window(c, node, out, err);
    case NB_NODE_EXCHANGE: return nb_cut_exchange(c, node, out, err);
    case NB_NODE_WRITE: return cut_write(c, node, out, err);
    default:
        NB_TRY(nb_cut(c, node->children[0], &child, err));
        return nb_cut_keep_local(c, node, &child, out);
    }
}

nb_status
nb_stages_cut(nb_arena *arena, const nb_stage_options *options, const nb_session_info *info,
              nb_node *root, nb_stages *out, nb_error *err)
{
    nb_cutter c = {.arena = arena, .options = options, .info = info, .out = out};
    nb_status st;
    nb_piece p;

    *out = (nb_stages){0};
    c.scratch = nb_arena_new(NULL);
    if (c.scratch == NULL) {
        return NB_NOMEM;
    }
    st = nb_cut(&c, root, &p, err);
    if (st == NB_OK) {
        st = nb_cut_to_driver(&c, &p);
        out->final = p.local;
    }
    nb_arena_free(c.scratch);
    return st;
}

/* ---- who reads what -------------------------------------------------------------------------- */

const nb_node *
nb_stage_read_of(const nb_node *node, int stage)
{
    const nb_node *found = NULL;

    if (node->kind == NB_NODE_READ) {
        return node->u.read.stage == stage ? node : NULL;
    }
    for (int i = 0; i < node->n_children && found == NULL; i++) {
        found = nb_stage_read_of(node->children[i], stage);
    }
    return found;
}

bool
nb_stage_takes(const nb_stage_part *part, int index, const nb_node *read, const nb_stage *from,
               int task, int bucket)
{
    const nb_task_slice *s = part->slices ? &part->slices[index] : NULL;

    if (bucket >= from->n_buckets) { /* a sample, for the driver */
        return false;
    }
    switch (read->u.read.kind) {
    case NB_READ_ALL: return true;
    case NB_READ_OUTPUT: return task == index;
    default:
        return s == NULL ? bucket == index
                         : bucket >= s->from && bucket < s->to &&
                               (s->split != from->id || (task >= s->first && task < s->last));
    }
}
