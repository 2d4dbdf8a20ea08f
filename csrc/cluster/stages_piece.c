/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages_piece.c: what all kinds of nodes are cut with; see stages_internal.h.
 */
#include "cluster/fragment.h"
#include "cluster/stages_internal.h"

#define MAX_BUCKETS  200  /* for large data; each task holds up to a block per bucket in memory */
#define MOST_BUCKETS 1024 /* for many cores: the driver knows buckets × tasks places */

/* ---- nodes ----------------------------------------------------------------------------------- */

nb_node *
nb_cut_node(nb_cutter *c, nb_node_kind kind, const nb_type *schema, int n_children)
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

nb_node *
nb_cut_node_over(nb_cutter *c, const nb_node *node, nb_node *first, nb_node *second)
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

nb_expr *
nb_cut_column(nb_cutter *c, const nb_type *schema, int i)
{
    const nb_field *f = &schema->children[i];
    nb_expr *e = nb_expr_column(c->arena, (uint64_t)i, f->name, f->type, f->nullable);

    if (e != NULL) {
        e->u.column.ordinal = i;
    }
    return e;
}

bool
nb_cut_all_travel(nb_cutter *c, nb_expr *const *exprs, int n)
{
    bool ok = true;

    for (int i = 0; i < n && ok; i++) {
        ok = exprs[i] == NULL || nb_fragment_carries(c->scratch, c->info, exprs[i]);
    }
    nb_arena_reset(c->scratch);
    return ok;
}

bool
nb_cut_keys_travel(nb_cutter *c, const nb_sort_key *keys, int n)
{
    for (int i = 0; i < n; i++) {
        if (!keys[i].expr->deterministic || !nb_cut_all_travel(c, &keys[i].expr, 1)) {
            return false;
        }
    }
    return true;
}

bool
nb_cut_deterministic(nb_expr *const *exprs, int n)
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
collect_inputs(nb_cutter *c, const nb_node *node, nb_stage *stage)
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

nb_status
nb_cut_stage(nb_cutter *c, int n_parts, nb_stage **out)
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
    *stage = (nb_stage){.id = s->n, .advice = -1};
    stage->parts = nb_arena_zalloc(c->arena, (size_t)n_parts * sizeof(nb_stage_part));
    stage->inputs = NB_ARENA_ARRAY(c->arena, int, s->n + 1);
    if (stage->parts == NULL || stage->inputs == NULL) {
        return NB_NOMEM;
    }
    s->n++;
    *out = stage;
    return NB_OK;
}

/* Does it read buckets, of which one task may take several? */
static bool
reads_parts(const nb_node *node)
{
    if (node->kind == NB_NODE_READ) {
        return node->u.read.kind != NB_READ_ALL;
    }
    for (int i = 0; i < node->n_children; i++) {
        if (reads_parts(node->children[i])) {
            return true;
        }
    }
    return false;
}

nb_status
nb_cut_part(nb_cutter *c, nb_stage *stage, nb_node *root, int n_tasks, bool whole)
{
    nb_stage_part *part = &stage->parts[stage->n_parts++];

    part->root = root;
    part->first_task = stage->n_tasks;
    part->n_tasks = n_tasks;
    part->whole_partitions = whole;
    stage->late |= c->options->adapt.enabled && reads_parts(root);
    stage->n_tasks += n_tasks;
    return collect_inputs(c, root, stage);
}

static const nb_type *
no_columns(void)
{
    return nb_type_of(NB_TYPE_STRUCT);
}

nb_status
nb_cut_put(nb_cutter *c, const nb_piece *p, const nb_put *how, int *stage_out)
{
    nb_stage *stage;
    int n = p->local ? 1 : p->n;

    NB_TRY(nb_cut_stage(c, n, &stage));
    stage->on_driver = p->local != NULL;
    stage->n_buckets = how->n_buckets;
    stage->unsettled = how->kind == NB_PUT_ROBIN && !stage->on_driver;
    for (int i = 0; i < n; i++) {
        nb_node *root = nb_cut_node(c, NB_NODE_PUT, no_columns(), 1);

        if (root == NULL) {
            return NB_NOMEM;
        }
        root->children[0] = p->local ? p->local : p->branches[i].node;
        root->u.put.kind = how->kind;
        root->u.put.keys = how->keys;
        root->u.put.order = how->order;
        root->u.put.n_keys = how->n_keys;
        root->u.put.n_buckets = how->n_buckets;
        NB_TRY(nb_cut_part(c, stage, root, p->local ? 1 : p->branches[i].n_tasks,
                           p->local ? false : p->branches[i].whole));
    }
    *stage_out = stage->id;
    return NB_OK;
}

nb_status
nb_cut_read(nb_cutter *c, int stage, nb_read_kind kind, const nb_type *schema, double est_rows,
            nb_node **out)
{
    nb_node *n = nb_cut_node(c, NB_NODE_READ, schema, 0);

    if (n == NULL) {
        return NB_NOMEM;
    }
    n->u.read.kind = kind;
    n->u.read.stage = stage;
    n->est_rows = est_rows;
    *out = n;
    return NB_OK;
}

nb_status
nb_cut_everything(nb_cutter *c, const nb_piece *p, nb_node **out)
{
    const nb_node *node = p->local ? p->local : p->branches[0].node;
    int stage;

    NB_TRY(nb_cut_put(c, p, &(nb_put){.kind = NB_PUT_SINGLE, .n_buckets = 1}, &stage));
    return nb_cut_read(c, stage, NB_READ_ALL, node->schema, node->est_rows, out);
}

nb_status
nb_cut_to_driver(nb_cutter *c, nb_piece *p)
{
    nb_node *read;

    if (p->local != NULL) {
        return NB_OK;
    }
    NB_TRY(nb_cut_everything(c, p, &read));
    *p = (nb_piece){.local = read};
    return NB_OK;
}

nb_status
nb_cut_spread(nb_cutter *c, nb_node *node, int n_tasks, bool aligned, nb_piece *out)
{
    *out = (nb_piece){.branches = NB_ARENA_NEW(c->arena, nb_piece_branch), .n = 1};
    if (out->branches == NULL) {
        return NB_NOMEM;
    }
    out->branches[0] = (nb_piece_branch){node, n_tasks, aligned, false};
    return NB_OK;
}

/* More than there are tasks at once when one would be large: what turns out small is put together again (adapt.h). */
int
nb_cut_buckets(const nb_cutter *c, double bytes)
{
    double wanted = bytes / (double)NB_MAX(c->options->adapt.advisory_bytes, 1);
    int at_once = NB_MIN(c->options->parallelism, MOST_BUCKETS);

    return (int)NB_MIN(NB_MAX(wanted, at_once), NB_MAX(at_once, MAX_BUCKETS));
}

double
nb_cut_bytes(const nb_node *node)
{
    double width = 0;

    for (int i = 0; i < node->schema->n_children; i++) {
        const nb_type *t = nb_type_storage(node->schema->children[i].type);

        width += t->phys == NB_PHYS_STRUCT || t->phys == NB_PHYS_LIST
                     ? 64
                     : NB_MAX(nb_phys_width(t->phys), 1) + (t->phys == NB_PHYS_STRING ? 8 : 0);
    }
    return node->est_rows < 0 ? -1 : node->est_rows * NB_MAX(width, 1);
}

nb_status
nb_cut_shuffled(nb_cutter *c, const nb_piece *p, nb_expr **keys, int n_keys, int n_buckets,
                nb_node **out)
{
    const nb_node *node = p->local ? p->local : p->branches[0].node;
    nb_put how = {.kind = NB_PUT_HASH, .keys = keys, .n_keys = n_keys, .n_buckets = n_buckets};
    int stage;

    NB_TRY(nb_cut_put(c, p, &how, &stage));
    return nb_cut_read(c, stage, NB_READ_BUCKET, node->schema, node->est_rows, out);
}

/* ---- where a node goes ----------------------------------------------------------------------- */

nb_status
nb_cut_keep_local(nb_cutter *c, const nb_node *node, nb_piece *children, nb_piece *out)
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
        NB_TRY(nb_cut_to_driver(c, &children[i]));
        n->children[i] = children[i].local;
        changed |= n->children[i] != node->children[i];
    }
    if (changed && n->kind == NB_NODE_FILTER) {
        n->u.filter.is_scans = false; /* the scan is in a task */
    }
    *out = (nb_piece){.local = changed ? n : (nb_node *)(uintptr_t)node};
    return NB_OK;
}

nb_status
nb_cut_onto_branches(nb_cutter *c, const nb_node *node, const nb_piece *p, nb_piece *out)
{
    nb_piece_branch *branches = NB_ARENA_ARRAY(c->arena, nb_piece_branch, p->n);

    if (branches == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < p->n; i++) {
        branches[i] = p->branches[i];
        branches[i].node = nb_cut_node_over(c, node, p->branches[i].node, NULL);
        if (branches[i].node == NULL) {
            return NB_NOMEM;
        }
    }
    *out = (nb_piece){.branches = branches, .n = p->n};
    return NB_OK;
}

bool
nb_cut_is_aligned(const nb_piece *p)
{
    for (int i = 0; i < p->n; i++) {
        if (!p->branches[i].aligned) {
            return false;
        }
    }
    return true;
}

bool
nb_cut_whole_partitions(nb_piece *p)
{
    if (!nb_cut_is_aligned(p)) {
        return false;
    }
    for (int i = 0; i < p->n; i++) {
        p->branches[i].whole = true;
    }
    return true;
}
