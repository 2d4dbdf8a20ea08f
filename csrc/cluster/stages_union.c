/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages_union.c: unions in tasks, and how many of Spark's partitions a part of a plan has.
 *
 * The partitions of a union are numbered on from branch to branch, and a task knows only its own: so the number of the first one is in the
 * fragment. Counted is what the tasks will say, by the nodes that they run (exec/build.c).
 */
#include "cluster/stages_internal.h"
#include "exec/join.h"

static nb_status
count_scan(nb_cutter *c, const nb_node *node, int *out, nb_error *err)
{
    nb_pool *pool = nb_pool_new(NULL, "partitions", 0);
    nb_status st = NB_NOMEM;

    if (pool != NULL) {
        st = nb_relation_partitions(node->u.scan.relation, pool, c->info, c->options->file_threads,
                                    out, err);
    }
    nb_pool_free(pool);
    return st;
}

static bool
is_empty(const nb_node *range)
{
    int64_t start = range->u.range.start, end = range->u.range.end;

    return range->u.range.step > 0 ? start >= end : start <= end;
}

static nb_status count_node(nb_cutter *c, const nb_node *node, int *out, nb_error *err);

/* Of the branches of a stage, each of which says where its own begin. */
static nb_status
count_stage(nb_cutter *c, const nb_stage *stage, int *out, nb_error *err)
{
    const nb_node *put = stage->n_parts > 0 ? stage->parts[0].root : NULL;
    int most = 0;

    switch (put != NULL && put->kind == NB_NODE_PUT ? put->u.put.kind : NB_PUT_HASH) {
    case NB_PUT_HASH: *out = 1; return NB_OK;
    case NB_PUT_MOD:
    case NB_PUT_ROBIN:
    case NB_PUT_RANGE: *out = put->u.put.n_buckets; return NB_OK;
    default: break;
    }
    for (int p = 0; p < stage->n_parts; p++) {
        int n;

        NB_TRY(count_node(c, stage->parts[p].root->children[0], &n, err));
        most = NB_MAX(most, n);
    }
    *out = most;
    return NB_OK;
}

static nb_status
count_union(nb_cutter *c, const nb_node *node, int *out, nb_error *err)
{
    int64_t total = node->u.all_of.first;

    for (int i = 0; i < node->n_children; i++) {
        int n;

        NB_TRY(count_node(c, node->children[i], &n, err));
        total += n;
    }
    *out = (int)NB_MIN(total, INT32_MAX);
    return NB_OK;
}

static int
count_table(const nb_table *table)
{
    int most = 1;

    for (int i = 0; i < table->n_chunks; i++) {
        most = NB_MAX(most, table->chunks[i]->partition + 1);
    }
    return most;
}

static nb_status
count_node(nb_cutter *c, const nb_node *node, int *out, nb_error *err)
{
    int most = INT32_MAX;

    for (;;) {
        switch (node->kind) {
        case NB_NODE_RANGE: *out = is_empty(node) ? 0 : node->u.range.n_partitions; break;
        case NB_NODE_TABLE: *out = count_table(node->u.table.table); break;
        case NB_NODE_SCAN: NB_TRY(count_scan(c, node, out, err)); break;
        case NB_NODE_READ:
            NB_TRY(count_stage(c, &c->out->stages[node->u.read.stage], out, err));
            break;
        case NB_NODE_UNION: NB_TRY(count_union(c, node, out, err)); break;
        case NB_NODE_EXCHANGE:
            most = NB_MIN(most, NB_MAX(node->u.exchange.n_partitions, 1));
            if (node->u.exchange.kind == NB_EXCHANGE_COALESCE) {
                node = node->children[0];
                continue;
            }
            *out = most;
            break;
        case NB_NODE_JOIN: node = node->children[nb_join_builds_left(node) ? 1 : 0]; continue;
        case NB_NODE_FILTER:
        case NB_NODE_PROJECT:
        case NB_NODE_SAMPLE:
        case NB_NODE_GENERATE:
        case NB_NODE_EXPAND: node = node->children[0]; continue;
        case NB_NODE_SORT:
            if (!node->u.sort.global) {
                node = node->children[0];
                continue;
            }
            *out = 1;
            break;
        default: *out = 1; break;
        }
        *out = NB_MIN(*out, most);
        return NB_OK;
    }
}

nb_status
nb_cut_partitions(nb_cutter *c, const nb_piece *p, int *out, nb_error *err)
{
    if (p->local != NULL) {
        return count_node(c, p->local, out, err);
    }
    *out = 0;
    for (int i = 0; i < p->n; i++) {
        int n;

        NB_TRY(count_node(c, p->branches[i].node, &n, err));
        *out = NB_MAX(*out, n);
    }
    return NB_OK;
}

nb_status
nb_cut_know_partitions(nb_cutter *c, const nb_piece *p, nb_error *err)
{
    return p->local != NULL && p->local->kind == NB_NODE_READ
               ? nb_cut_partitions(c, p, &p->local->u.read.n_partitions, err)
               : NB_OK;
}

nb_status
nb_cut_union(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err)
{
    nb_piece *children = NB_ARENA_ARRAY(c->arena, nb_piece, node->n_children + 1);
    bool all_local = true;
    int n = 0, first = 0;

    if (children == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < node->n_children; i++) {
        NB_TRY(nb_cut(c, node->children[i], &children[i], err));
        all_local &= children[i].local != NULL;
    }
    if (all_local) {
        for (int i = 0; i < node->n_children; i++) {
            NB_TRY(nb_cut_know_partitions(c, &children[i], err));
        }
        return nb_cut_keep_local(c, node, children, out);
    }
    for (int i = 0; i < node->n_children; i++) {
        if (children[i].local != NULL) { /* one task passes the driver's rows on */
            nb_node *read;

            NB_TRY(nb_cut_everything(c, &children[i], &read));
            NB_TRY(nb_cut_spread(c, read, 1, true, &children[i]));
        }
        n += children[i].n;
    }
    *out = (nb_piece){.branches = NB_ARENA_ARRAY(c->arena, nb_piece_branch, n)};
    if (out->branches == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < node->n_children; i++) {
        for (int k = 0; k < children[i].n; k++) {
            nb_piece_branch b = children[i].branches[k];

            b.node =
                nb_cut_node_over(c, node, b.node, NULL); /* names and nullability are the union's */
            if (b.node == NULL) {
                return NB_NOMEM;
            }
            b.node->n_children = 1;
            b.node->u.all_of.first = first;
            out->branches[out->n++] = b;
        }
        if (i + 1 < node->n_children) {
            int here;

            NB_TRY(nb_cut_partitions(c, &children[i], &here, err));
            first += here;
        }
    }
    return NB_OK;
}
