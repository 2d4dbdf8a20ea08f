/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages.c: see stages.h.
 *
 * One walk from the leaves up. Each subtree becomes a piece: `local` ones are nodes that the driver runs; spread ones are branches, each a
 * node that so many tasks run. Operators that go row by row are put onto every branch. An operator that needs rows together ends the
 * branches: they become a stage, and a READ node takes their place.
 *
 * Aggregates   in two steps where their states can travel: groups of a task, then the states of equal keys (aggregate_phase.h). DISTINCT:
 *              rows are shuffled by the keys, and aggregated whole.
 * Joins        a small build side goes to every task; else both sides are shuffled by the keys. A join that gives out rows of its build
 *              side that no row met cannot be done with a broadcast one.
 * Sorts        each task sorts its rows; the driver sorts what they give.
 * Partitions   expressions that count rows (rand, monotonically_increasing_id) need whole Spark partitions: such branches are cut between
 *              partitions, and behind a shuffle the driver takes over.
 */
#include "cluster/stages.h"

#include "base/thread.h"
#include "cluster/fragment.h"
#include "exec/join.h"
#include "expr/aggregate_phase.h"

typedef struct branch {
    nb_node *node;
    int n_tasks;
    bool aligned; /* batches have the numbers of Spark's partitions */
    bool whole;   /* and must not be cut within one */
} branch;

typedef struct piece {
    nb_node *local; /* NULL: spread */
    branch *branches;
    int n;
} piece;

typedef struct cutter {
    nb_arena *arena;
    const nb_stage_options *options;
    const nb_session_info *info;
    nb_stages *out;
    int cap;
    nb_arena *scratch;
} cutter;

static nb_status cut(cutter *c, nb_node *node, piece *out, nb_error *err);

/* ---- nodes ----------------------------------------------------------------------------------- */

static nb_node *
node_new(cutter *c, nb_node_kind kind, const nb_type *schema, int n_children)
{
    nb_node *n = NB_ARENA_NEW(c->arena, nb_node);

    if (n != NULL) {
        n->kind = kind;
        n->id = -1;
        n->schema = schema;
        n->est_rows = -1;
        n->n_children = n_children;
        n->children = NB_ARENA_ARRAY(c->arena, nb_node *, n_children + 1);
        n->metrics = NB_ARENA_NEW(c->arena, nb_node_metrics);
    }
    return n && n->children && n->metrics ? n : NULL;
}

/* The node with other children. */
static nb_node *
node_over(cutter *c, const nb_node *node, nb_node *first, nb_node *second)
{
    nb_node *n = NB_ARENA_NEW(c->arena, nb_node);

    if (n == NULL) {
        return NULL;
    }
    *n = *node;
    n->children = NB_ARENA_ARRAY(c->arena, nb_node *, 3);
    if (n->children == NULL) {
        return NULL;
    }
    n->children[0] = first;
    n->children[1] = second;
    return n;
}

static nb_expr *
column_of(cutter *c, const nb_type *schema, int i)
{
    const nb_field *f = &schema->children[i];
    nb_expr *e = nb_expr_column(c->arena, (uint64_t)i, f->name, f->type, f->nullable);

    if (e != NULL) {
        e->u.column.ordinal = i;
    }
    return e;
}

static bool
all_travel(cutter *c, nb_expr *const *exprs, int n)
{
    bool ok = true;

    for (int i = 0; i < n && ok; i++) {
        ok = exprs[i] == NULL || nb_fragment_carries(c->scratch, c->info, exprs[i]);
    }
    nb_arena_reset(c->scratch);
    return ok;
}

static bool
keys_travel(cutter *c, const nb_sort_key *keys, int n)
{
    for (int i = 0; i < n; i++) {
        if (!keys[i].expr->deterministic || !all_travel(c, &keys[i].expr, 1)) {
            return false;
        }
    }
    return true;
}

static bool
deterministic(nb_expr *const *exprs, int n)
{
    for (int i = 0; i < n; i++) {
        if (exprs[i] != NULL && !exprs[i]->deterministic) {
            return false;
        }
    }
    return true;
}

/* ---- stages ---------------------------------------------------------------------------------- */

static nb_status
collect_inputs(cutter *c, const nb_node *node, nb_stage *stage)
{
    if (node->kind == NB_NODE_READ) {
        for (int i = 0; i < stage->n_inputs; i++) {
            if (stage->inputs[i] == node->u.read.stage) {
                return NB_OK;
            }
        }
        stage->inputs[stage->n_inputs++] = node->u.read.stage;
    }
    for (int i = 0; i < node->n_children; i++) {
        NB_TRY(collect_inputs(c, node->children[i], stage));
    }
    return NB_OK;
}

static nb_status
stage_new(cutter *c, int n_parts, nb_stage **out)
{
    nb_stages *s = c->out;
    nb_stage *stage;

    if (s->n == c->cap) {
        int cap = c->cap ? 2 * c->cap : 8;
        nb_stage *grown = NB_ARENA_ARRAY(c->arena, nb_stage, cap);

        if (grown == NULL) {
            return NB_NOMEM;
        }
        if (s->n > 0) {
            memcpy(grown, s->stages, (size_t)s->n * sizeof(*grown));
        }
        s->stages = grown;
        c->cap = cap;
    }
    stage = &s->stages[s->n];
    *stage = (nb_stage){.id = s->n};
    stage->parts = nb_arena_zalloc(c->arena, (size_t)n_parts * sizeof(nb_stage_part));
    stage->inputs = NB_ARENA_ARRAY(c->arena, int, s->n + 1);
    if (stage->parts == NULL || stage->inputs == NULL) {
        return NB_NOMEM;
    }
    s->n++;
    *out = stage;
    return NB_OK;
}

static nb_status
add_part(cutter *c, nb_stage *stage, nb_node *root, int n_tasks, bool whole)
{
    nb_stage_part *part = &stage->parts[stage->n_parts++];

    part->root = root;
    part->first_task = stage->n_tasks;
    part->n_tasks = n_tasks;
    part->whole_partitions = whole;
    stage->n_tasks += n_tasks;
    return collect_inputs(c, root, stage);
}

static const nb_type *
no_columns(void)
{
    return nb_type_of(NB_TYPE_STRUCT);
}

/* Ends the piece: its rows go to buckets. keys: over its columns. */
static nb_status
put(cutter *c, const piece *p, nb_put_kind kind, nb_expr **keys, int n_keys, int n_buckets,
    int *stage_out)
{
    nb_stage *stage;
    int n = p->local ? 1 : p->n;

    NB_TRY(stage_new(c, n, &stage));
    stage->on_driver = p->local != NULL;
    stage->n_buckets = n_buckets;
    for (int i = 0; i < n; i++) {
        nb_node *root = node_new(c, NB_NODE_PUT, no_columns(), 1);

        if (root == NULL) {
            return NB_NOMEM;
        }
        root->children[0] = p->local ? p->local : p->branches[i].node;
        root->u.put.kind = kind;
        root->u.put.keys = keys;
        root->u.put.n_keys = n_keys;
        root->u.put.n_buckets = n_buckets;
        NB_TRY(add_part(c, stage, root, p->local ? 1 : p->branches[i].n_tasks,
                        p->local ? false : p->branches[i].whole));
    }
    *stage_out = stage->id;
    return NB_OK;
}

static nb_status
read_of(cutter *c, int stage, nb_read_kind kind, const nb_type *schema, double est_rows,
        nb_node **out)
{
    nb_node *n = node_new(c, NB_NODE_READ, schema, 0);

    if (n == NULL) {
        return NB_NOMEM;
    }
    n->u.read.kind = kind;
    n->u.read.stage = stage;
    n->est_rows = est_rows;
    *out = n;
    return NB_OK;
}

/* All rows of the piece, for everybody who reads the node. */
static nb_status
everything(cutter *c, const piece *p, nb_node **out)
{
    const nb_node *node = p->local ? p->local : p->branches[0].node;
    int stage;

    NB_TRY(put(c, p, NB_PUT_SINGLE, NULL, 0, 1, &stage));
    return read_of(c, stage, NB_READ_ALL, node->schema, node->est_rows, out);
}

/* The driver gathers the rows. */
static nb_status
to_driver(cutter *c, piece *p)
{
    nb_node *read;

    if (p->local != NULL) {
        return NB_OK;
    }
    NB_TRY(everything(c, p, &read));
    *p = (piece){.local = read};
    return NB_OK;
}

static nb_status
spread(cutter *c, nb_node *node, int n_tasks, bool aligned, piece *out)
{
    *out = (piece){.branches = NB_ARENA_NEW(c->arena, branch), .n = 1};
    if (out->branches == NULL) {
        return NB_NOMEM;
    }
    out->branches[0] = (branch){node, n_tasks, aligned, false};
    return NB_OK;
}

/* Rows by the hash of keys: what each task reads. */
static nb_status
shuffled(cutter *c, const piece *p, nb_expr **keys, int n_keys, nb_node **out)
{
    const nb_node *node = p->local ? p->local : p->branches[0].node;
    int stage;

    NB_TRY(put(c, p, NB_PUT_HASH, keys, n_keys, c->options->parallelism, &stage));
    return read_of(c, stage, NB_READ_BUCKET, node->schema, node->est_rows, out);
}

/* ---- one function per kind of node ----------------------------------------------------------- */

/* The node stays with the driver. */
static nb_status
keep_local(cutter *c, const nb_node *node, piece *children, piece *out)
{
    nb_node *n = NB_ARENA_NEW(c->arena, nb_node);
    bool changed = false;

    if (n == NULL) {
        return NB_NOMEM;
    }
    *n = *node;
    n->children = NB_ARENA_ARRAY(c->arena, nb_node *, node->n_children + 1);
    if (n->children == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < node->n_children; i++) {
        NB_TRY(to_driver(c, &children[i]));
        n->children[i] = children[i].local;
        changed |= n->children[i] != node->children[i];
    }
    *out = (piece){.local = changed ? n : (nb_node *)(uintptr_t)node};
    return NB_OK;
}

/* The node goes onto every branch. out may be p. */
static nb_status
onto_branches(cutter *c, const nb_node *node, const piece *p, piece *out)
{
    branch *branches = NB_ARENA_ARRAY(c->arena, branch, p->n);

    if (branches == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < p->n; i++) {
        branches[i] = p->branches[i];
        branches[i].node = node_over(c, node, p->branches[i].node, NULL);
        if (branches[i].node == NULL) {
            return NB_NOMEM;
        }
    }
    *out = (piece){.branches = branches, .n = p->n};
    return NB_OK;
}

/* Can something that counts rows go onto the branches? From then on they keep whole partitions. */
static bool
whole_partitions(piece *p)
{
    for (int i = 0; i < p->n; i++) {
        if (!p->branches[i].aligned) {
            return false;
        }
    }
    for (int i = 0; i < p->n; i++) {
        p->branches[i].whole = true;
    }
    return true;
}

/* Row by row, with these expressions. */
static nb_status
cut_streaming(cutter *c, nb_node *node, nb_expr *const *exprs, int n, bool counts, piece *out,
              nb_error *err)
{
    piece child;

    NB_TRY(cut(c, node->children[0], &child, err));
    if (child.local != NULL || !all_travel(c, exprs, n) ||
        ((counts || !deterministic(exprs, n)) && !whole_partitions(&child))) {
        return keep_local(c, node, &child, out);
    }
    return onto_branches(c, node, &child, out);
}

static nb_status
cut_expand(cutter *c, nb_node *node, piece *out, nb_error *err)
{
    piece child;
    bool ok = true;

    NB_TRY(cut(c, node->children[0], &child, err));
    for (int i = 0; i < node->u.expand.n_projections; i++) {
        nb_expr **exprs = node->u.expand.projections[i];

        ok &= deterministic(exprs, node->schema->n_children) &&
              all_travel(c, exprs, node->schema->n_children);
    }
    return child.local != NULL || !ok ? keep_local(c, node, &child, out)
                                      : onto_branches(c, node, &child, out);
}

static nb_status
cut_table(cutter *c, nb_node *node, piece *out)
{
    int n = c->options->parallelism, stage;
    int64_t rows = node->u.table.table->n_rows;
    piece here = {.local = node};
    nb_node *read;

    if (node->u.table.limit >= 0) {
        rows = NB_MIN(rows, node->u.table.limit);
    }
    if (rows < c->options->min_rows) {
        *out = here;
        return NB_OK;
    }
    NB_TRY(put(c, &here, NB_PUT_EVEN, NULL, 0, n, &stage));
    NB_TRY(read_of(c, stage, NB_READ_BUCKET, node->schema, node->est_rows, &read));
    return spread(c, read, n, false, out);
}

static nb_status
cut_range(cutter *c, nb_node *node, piece *out)
{
    if (node->est_rows < (double)c->options->min_rows) {
        *out = (piece){.local = node};
        return NB_OK;
    }
    return spread(c, node, NB_MIN(node->u.range.n_partitions, 2 * c->options->parallelism), true,
                  out);
}

static nb_status
cut_scan(cutter *c, nb_node *node, piece *out)
{
    int64_t bytes = nb_relation_bytes(node->u.scan.relation);
    int64_t n = bytes / NB_MAX(c->options->share_bytes, 1) + 1;
    bool hints = all_travel(c, node->u.scan.filters, node->u.scan.n_filters);

    if (!hints) { /* a filter above checks them anyway */
        node = node_over(c, node, NULL, NULL);
        if (node == NULL) {
            return NB_NOMEM;
        }
        node->u.scan.n_filters = 0;
    }
    return spread(c, node, (int)NB_MIN(n, 2 * c->options->parallelism), true, out);
}

static nb_status
cut_union(cutter *c, nb_node *node, piece *out, nb_error *err)
{
    piece *children = NB_ARENA_ARRAY(c->arena, piece, node->n_children + 1);
    bool all_local = true;
    int n = 0;

    if (children == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < node->n_children; i++) {
        NB_TRY(cut(c, node->children[i], &children[i], err));
        all_local &= children[i].local != NULL;
    }
    if (all_local) {
        return keep_local(c, node, children, out);
    }
    for (int i = 0; i < node->n_children; i++) {
        if (children[i].local != NULL) { /* one task passes the driver's rows on */
            nb_node *read;

            NB_TRY(everything(c, &children[i], &read));
            NB_TRY(spread(c, read, 1, false, &children[i]));
        }
        n += children[i].n;
    }
    *out = (piece){.branches = NB_ARENA_ARRAY(c->arena, branch, n)};
    if (out->branches == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < node->n_children; i++) {
        for (int k = 0; k < children[i].n; k++) {
            branch b = children[i].branches[k];

            b.aligned = false; /* partitions are numbered on across the branches */
            out->branches[out->n++] = b;
        }
    }
    /* names and nullability are the union's */
    for (int i = 0; i < out->n; i++) {
        nb_node *one = node_over(c, node, out->branches[i].node, NULL);

        if (one == NULL) {
            return NB_NOMEM;
        }
        one->n_children = 1;
        out->branches[i].node = one;
    }
    return NB_OK;
}

/* Each task does its part of LIMIT, ORDER BY … LIMIT or tail; the driver does it again over what they give. */
static nb_status
cut_limited(cutter *c, nb_node *node, piece *out, nb_error *err)
{
    nb_node *part = node_over(c, node, NULL, NULL);
    piece child;

    if (part == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(cut(c, node->children[0], &child, err));
    if (node->kind == NB_NODE_TOPN) {
        int64_t limit = node->u.sort.limit, offset = NB_MAX(node->u.sort.offset, 0);

        part->u.sort.limit = limit < 0 || limit > INT64_MAX - offset ? -1 : limit + offset;
        part->u.sort.offset = 0;
        if (!keys_travel(c, node->u.sort.keys, node->u.sort.n_keys)) {
            return keep_local(c, node, &child, out);
        }
    } else if (node->kind == NB_NODE_LIMIT) {
        int64_t limit = node->u.limit.limit, offset = NB_MAX(node->u.limit.offset, 0);

        part->u.limit.limit = limit < 0 || limit > INT64_MAX - offset ? -1 : limit + offset;
        part->u.limit.offset = 0;
    }
    if (child.local == NULL) {
        NB_TRY(onto_branches(c, part, &child, &child));
    }
    return keep_local(c, node, &child, out);
}

static nb_status
cut_sort(cutter *c, nb_node *node, piece *out, nb_error *err)
{
    piece child;

    NB_TRY(cut(c, node->children[0], &child, err));
    if (child.local != NULL || !keys_travel(c, node->u.sort.keys, node->u.sort.n_keys)) {
        return keep_local(c, node, &child, out);
    }
    if (!node->u.sort.global) {
        return whole_partitions(&child) ? onto_branches(c, node, &child, out)
                                        : keep_local(c, node, &child, out);
    }
    NB_TRY(onto_branches(c, node, &child, &child));
    return keep_local(c, node, &child, out);
}

/* ---- aggregates ------------------------------------------------------------------------------ */

/* Groups and states of one task. */
static nb_status
first_step(cutter *c, const nb_node *node, nb_node **out)
{
    int n_keys = node->u.aggregate.n_keys, n_aggs = node->u.aggregate.n_aggs;
    nb_field *fields = NB_ARENA_ARRAY(c->arena, nb_field, n_keys + n_aggs + 1);
    nb_expr **aggs = NB_ARENA_ARRAY(c->arena, nb_expr *, n_aggs + 1);
    nb_node *first = node_over(c, node, NULL, NULL);

    if (fields == NULL || aggs == NULL || first == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n_keys; i++) {
        fields[i] = node->schema->children[i];
    }
    for (int i = 0; i < n_aggs; i++) {
        NB_TRY(nb_agg_first_phase(c->arena, node->u.aggregate.aggs[i], &aggs[i]));
        fields[n_keys + i] =
            (nb_field){.name = NB_STR("state"), .type = aggs[i]->type, .nullable = false};
    }
    first->schema = nb_type_struct(fields, n_keys + n_aggs);
    first->u.aggregate.aggs = aggs;
    first->metrics = NB_ARENA_NEW(c->arena, nb_node_metrics);
    *out = first;
    return first->schema && first->metrics ? NB_OK : NB_NOMEM;
}

/* Merges the states that the columns of `below` hold. Groups arrive in the order of their hashes, which fills a growing table by linear
 * probing from one end, in quadratic time; a constant as a further key gives them other hashes. */
static nb_status
second_step(cutter *c, const nb_node *node, nb_node *below, nb_node **out)
{
    int n_keys = node->u.aggregate.n_keys, n_aggs = node->u.aggregate.n_aggs;
    int n_extra = n_keys > 0, n = n_keys + n_aggs;
    nb_node *second = node_over(c, node, below, NULL), *project;
    nb_expr **keys = NB_ARENA_ARRAY(c->arena, nb_expr *, n_keys + 2);
    nb_expr **aggs = NB_ARENA_ARRAY(c->arena, nb_expr *, n_aggs + 1);
    nb_field *fields = NB_ARENA_ARRAY(c->arena, nb_field, n + 2);

    if (second == NULL || keys == NULL || aggs == NULL || fields == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n_keys; i++) {
        keys[i] = column_of(c, below->schema, i);
        if (keys[i] == NULL) {
            return NB_NOMEM;
        }
        fields[i] = node->schema->children[i];
    }
    if (n_extra) {
        keys[n_keys] = nb_expr_int32(c->arena, 1);
        if (keys[n_keys] == NULL) {
            return NB_NOMEM;
        }
        fields[n_keys] = (nb_field){.name = NB_STR("extra"), .type = keys[n_keys]->type};
    }
    for (int i = 0; i < n_aggs; i++) {
        nb_expr *states = column_of(c, below->schema, n_keys + i);

        if (states == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(nb_agg_second_phase(c->arena, node->u.aggregate.aggs[i], states, &aggs[i]));
        fields[n_keys + n_extra + i] = node->schema->children[n_keys + i];
    }
    second->u.aggregate.keys = keys;
    second->u.aggregate.n_keys = n_keys + n_extra;
    second->u.aggregate.aggs = aggs;
    *out = second;
    if (!n_extra) {
        return NB_OK;
    }
    second->schema = nb_type_struct(fields, n + 1);
    project = node_new(c, NB_NODE_PROJECT, node->schema, 1);
    if (second->schema == NULL || project == NULL) {
        return NB_NOMEM;
    }
    project->est_rows = node->est_rows;
    project->children[0] = second;
    project->u.project.exprs = NB_ARENA_ARRAY(c->arena, nb_expr *, n + 1);
    if (project->u.project.exprs == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        nb_expr *e = column_of(c, second->schema, i < n_keys ? i : i + 1);

        if (e == NULL) {
            return NB_NOMEM;
        }
        project->u.project.exprs[i] = e;
    }
    *out = project;
    return NB_OK;
}

static nb_expr **
first_columns(cutter *c, const nb_type *schema, int n)
{
    nb_expr **keys = NB_ARENA_ARRAY(c->arena, nb_expr *, n + 1);

    for (int i = 0; keys != NULL && i < n; i++) {
        keys[i] = column_of(c, schema, i);
        if (keys[i] == NULL) {
            return NULL;
        }
    }
    return keys;
}

static nb_status
cut_aggregate(cutter *c, nb_node *node, piece *out, nb_error *err)
{
    int n_keys = node->u.aggregate.n_keys, n_aggs = node->u.aggregate.n_aggs;
    nb_expr **keys = node->u.aggregate.keys, **aggs = node->u.aggregate.aggs;
    bool distinct = false;
    nb_node *first, *second, *read;
    piece child;

    NB_TRY(cut(c, node->children[0], &child, err));
    for (int i = 0; i < n_aggs; i++) {
        distinct |= aggs[i]->u.agg.distinct;
    }
    if (child.local != NULL || !deterministic(keys, n_keys) || !deterministic(aggs, n_aggs) ||
        !all_travel(c, keys, n_keys) || !all_travel(c, aggs, n_aggs) || (distinct && n_keys == 0)) {
        return keep_local(c, node, &child, out);
    }
    if (distinct) {
        NB_TRY(shuffled(c, &child, keys, n_keys, &read));
        second = node_over(c, node, read, NULL);
        return second ? spread(c, second, c->options->parallelism, false, out) : NB_NOMEM;
    }
    NB_TRY(first_step(c, node, &first));
    NB_TRY(onto_branches(c, first, &child, &child));
    if (n_keys == 0) {
        NB_TRY(to_driver(c, &child));
        NB_TRY(second_step(c, node, child.local, &second));
        *out = (piece){.local = second};
        return NB_OK;
    }
    keys = first_columns(c, first->schema, n_keys);
    if (keys == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(shuffled(c, &child, keys, n_keys, &read));
    NB_TRY(second_step(c, node, read, &second));
    return spread(c, second, c->options->parallelism, false, out);
}

/* ---- joins, windows -------------------------------------------------------------------------- */

static double
estimated_bytes(const nb_node *node)
{
    double width = 0;

    for (int i = 0; i < node->schema->n_children; i++) {
        const nb_type *t = nb_type_storage(node->schema->children[i].type);

        width += t->phys == NB_PHYS_STRUCT || t->phys == NB_PHYS_LIST
                     ? 64
                     : NB_MAX(nb_phys_width(t->phys), 1) + (t->phys == NB_PHYS_STRING ? 8 : 0);
    }
    return node->est_rows < 0 ? 1e18 : node->est_rows * NB_MAX(width, 1);
}

static nb_status
join_with_broadcast(cutter *c, nb_node *node, bool left, piece *sides, piece *out)
{
    piece *build = &sides[left ? 0 : 1], *probe = &sides[left ? 1 : 0];
    nb_node *read;

    NB_TRY(everything(c, build, &read));
    *out = *probe;
    out->branches = NB_ARENA_ARRAY(c->arena, branch, probe->n);
    if (out->branches == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < probe->n; i++) {
        nb_node *one = node_over(c, read, NULL, NULL), *p = probe->branches[i].node;

        out->branches[i] = probe->branches[i];
        out->branches[i].node = one ? node_over(c, node, left ? one : p, left ? p : one) : NULL;
        if (out->branches[i].node == NULL) {
            return NB_NOMEM;
        }
    }
    return NB_OK;
}

static nb_status
cut_join(cutter *c, nb_node *node, piece *out, nb_error *err)
{
    int n = node->u.join.n_keys;
    bool left = nb_join_builds_left(node), drain = nb_join_has_drain(node);
    nb_node *build = node->children[left ? 0 : 1];
    nb_node *reads[2], *join;
    piece sides[2];
    bool ok;

    NB_TRY(cut(c, node->children[0], &sides[0], err));
    NB_TRY(cut(c, node->children[1], &sides[1], err));
    ok = deterministic(node->u.join.left_keys, n) && deterministic(node->u.join.right_keys, n) &&
         deterministic(&node->u.join.residual, 1) && all_travel(c, node->u.join.left_keys, n) &&
         all_travel(c, node->u.join.right_keys, n) && all_travel(c, &node->u.join.residual, 1);
    if (!ok || (sides[0].local != NULL && sides[1].local != NULL)) {
        return keep_local(c, node, sides, out);
    }
    if (!drain && sides[left ? 1 : 0].local == NULL &&
        (n == 0 || node->u.join.null_aware || sides[left ? 0 : 1].local != NULL ||
         estimated_bytes(build) <= (double)c->options->broadcast_bytes)) {
        return join_with_broadcast(c, node, left, sides, out);
    }
    if (n == 0 || node->u.join.null_aware) {
        return keep_local(c, node, sides, out);
    }
    NB_TRY(shuffled(c, &sides[0], node->u.join.left_keys, n, &reads[0]));
    NB_TRY(shuffled(c, &sides[1], node->u.join.right_keys, n, &reads[1]));
    join = node_over(c, node, reads[0], reads[1]);
    return join ? spread(c, join, c->options->parallelism, false, out) : NB_NOMEM;
}

static nb_status
cut_window(cutter *c, nb_node *node, piece *out, nb_error *err)
{
    nb_expr **keys = node->u.window.partition_by;
    int n = node->u.window.n_partition_by;
    nb_node *read, *window;
    piece child;

    NB_TRY(cut(c, node->children[0], &child, err));
    if (child.local != NULL || n == 0 || !deterministic(keys, n) ||
        !deterministic(node->u.window.functions, node->u.window.n_functions) ||
        !all_travel(c, keys, n) ||
        !all_travel(c, node->u.window.functions, node->u.window.n_functions) ||
        !keys_travel(c, node->u.window.order_by, node->u.window.n_order_by)) {
        return keep_local(c, node, &child, out);
    }
    NB_TRY(shuffled(c, &child, keys, n, &read));
    window = node_over(c, node, read, NULL);
    return window ? spread(c, window, c->options->parallelism, false, out) : NB_NOMEM;
}

/* ---- the root -------------------------------------------------------------------------------- */

static nb_status
cut_write(cutter *c, nb_node *node, piece *out, nb_error *err)
{
    nb_stage *stage;
    nb_node *nothing;
    piece child;

    NB_TRY(cut(c, node->children[0], &child, err));
    if (child.local != NULL) {
        return keep_local(c, node, &child, out);
    }
    NB_TRY(stage_new(c, child.n, &stage));
    stage->write = node->u.write.request;
    for (int i = 0; i < child.n; i++) {
        branch *b = &child.branches[i];
        nb_node *root = node_over(c, node, b->node, NULL);

        if (root == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(add_part(c, stage, root, b->n_tasks, b->aligned));
        stage->parts[i].by_task = !b->aligned;
    }
    NB_TRY(read_of(c, stage->id, NB_READ_ALL, node->schema, 0, &nothing));
    *out = (piece){.local = nothing};
    return NB_OK;
}

static nb_status
cut(cutter *c, nb_node *node, piece *out, nb_error *err)
{
    piece child;

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
    case NB_NODE_SORT: return cut_sort(c, node, out, err);
    case NB_NODE_AGGREGATE: return cut_aggregate(c, node, out, err);
    case NB_NODE_JOIN: return cut_join(c, node, out, err);
    case NB_NODE_UNION: return cut_union(c, node, out, err);
    case NB_NODE_WINDOW: return cut_window(c, node, out, err);
    case NB_NODE_WRITE: return cut_write(c, node, out, err);
    default:
        NB_TRY(cut(c, node->children[0], &child, err));
        return keep_local(c, node, &child, out);
    }
}

nb_status
nb_stages_cut(nb_arena *arena, const nb_stage_options *options, const nb_session_info *info,
              nb_node *root, nb_stages *out, nb_error *err)
{
    cutter c = {.arena = arena, .options = options, .info = info, .out = out};
    nb_status st;
    piece p;

    *out = (nb_stages){0};
    c.scratch = nb_arena_new(NULL);
    if (c.scratch == NULL) {
        return NB_NOMEM;
    }
    st = cut(&c, root, &p, err);
    if (st == NB_OK) {
        st = to_driver(&c, &p);
        out->final = p.local;
    }
    nb_arena_free(c.scratch);
    return st;
}

/* ---- in words -------------------------------------------------------------------------------- */

static const char *const KINDS[NB_N_NODES] = {
    [NB_NODE_TABLE] = "Table",       [NB_NODE_RANGE] = "Range",
    [NB_NODE_SCAN] = "Scan",         [NB_NODE_FILTER] = "Filter",
    [NB_NODE_PROJECT] = "Project",   [NB_NODE_AGGREGATE] = "Aggregate",
    [NB_NODE_SORT] = "Sort",         [NB_NODE_TOPN] = "TopN",
    [NB_NODE_LIMIT] = "Limit",       [NB_NODE_TAIL] = "Tail",
    [NB_NODE_JOIN] = "Join",         [NB_NODE_UNION] = "Union",
    [NB_NODE_EXCHANGE] = "Exchange", [NB_NODE_SAMPLE] = "Sample",
    [NB_NODE_GENERATE] = "Generate", [NB_NODE_WINDOW] = "Window",
    [NB_NODE_EXPAND] = "Expand",     [NB_NODE_WRITE] = "Write",
    [NB_NODE_READ] = "Read",         [NB_NODE_PUT] = "Put",
};

static void
print_node(const nb_node *node, int depth, nb_strbuf *out)
{
    static const char *const puts[] = {"single", "hash", "even"};

    nb_strbuf_fill(out, ' ', (size_t)(2 * depth));
    nb_strbuf_adds(out, KINDS[node->kind]);
    if (node->kind == NB_NODE_READ) {
        nb_strbuf_addf(out, " %s of stage %d",
                       node->u.read.kind == NB_READ_ALL ? "everything" : "bucket",
                       node->u.read.stage);
    } else if (node->kind == NB_NODE_PUT) {
        nb_strbuf_addf(out, " %s into %d", puts[node->u.put.kind], node->u.put.n_buckets);
    } else if (node->kind == NB_NODE_AGGREGATE && node->u.aggregate.n_aggs > 0) {
        const nb_expr *whole;
        nb_agg_phase phase = nb_agg_phase_of(node->u.aggregate.aggs[0], &whole);

        nb_strbuf_adds(out, phase == NB_AGG_FIRST    ? " first step"
                            : phase == NB_AGG_SECOND ? " second step"
                                                     : " whole");
    }
    nb_strbuf_addc(out, '\n');
    for (int i = 0; i < node->n_children; i++) {
        print_node(node->children[i], depth + 1, out);
    }
}

void
nb_stages_print(const nb_stages *stages, nb_strbuf *out)
{
    for (int s = 0; s < stages->n; s++) {
        const nb_stage *stage = &stages->stages[s];

        nb_strbuf_addf(out, "stage %d%s: %d %s\n", s, stage->on_driver ? " on the driver" : "",
                       stage->n_tasks, stage->n_tasks == 1 ? "task" : "tasks");
        for (int i = 0; i < stage->n_parts; i++) {
            print_node(stage->parts[i].root, 1, out);
        }
    }
    nb_strbuf_adds(out, "final\n");
    print_node(stages->final, 1, out);
}
