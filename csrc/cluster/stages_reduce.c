/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages_reduce.c: keys of a join's build side for scans in other stages.
 *
 * Within a fragment exec/push_keys.h does it. Where the two sides are shuffled, each key of the probe side is followed down through READ nodes
 * into the stages below, to those in which it comes out of a scan. Such a stage waits for the build side's. Waiting cannot go in circles: a
 * stage of a probe side waits for one of the build side of the same join, never the other way round.
 */
#include "base/thread.h"
#include "cluster/stages_internal.h"
#include "exec/join.h"
#include "exec/push_keys.h"

#define SELECTIVE 0.5 /* of the values that there are; more keys would let most rows pass */

typedef struct follower {
    nb_cutter *c;
    nb_reduction made; /* keys: the one that is followed */
} follower;

static nb_status follow_stage(const follower *f, int stage, int column);

/* *scanned: does the column come out of a scan of this fragment? Follows it into the stages that are read. */
static nb_status
follow(const follower *f, const nb_node *node, int column, bool *scanned)
{
    if (nb_stack_left() < (64 << 10)) {
        return NB_OK;
    }
    while (node != NULL) {
        if (node->kind == NB_NODE_READ) {
            return follow_stage(f, node->u.read.stage, column);
        }
        *scanned |= node->kind == NB_NODE_SCAN;
        for (int i = 0; i < node->n_children && node->kind == NB_NODE_UNION; i++) {
            NB_TRY(follow(f, node->children[i], column, scanned));
        }
        node = nb_push_follow(node, &column);
    }
    return NB_OK;
}

/* Keys of one stage for another are asked for together. */
static nb_status
add(const follower *f, nb_stage *stage, int column)
{
    nb_arena *arena = f->c->arena;
    nb_reduction *last =
                     stage->n_reductions > 0 ? &stage->reductions[stage->n_reductions - 1] : NULL,
                 *all;

    if (last != NULL && last->from == f->made.from) {
        int n = last->n_keys;
        nb_expr **keys = NB_ARENA_ARRAY(arena, nb_expr *, n + 1);
        int *columns = NB_ARENA_ARRAY(arena, int, n + 1);

        if (keys == NULL || columns == NULL) {
            return NB_NOMEM;
        }
        memcpy(keys, last->keys, (size_t)n * sizeof(*keys));
        memcpy(columns, last->columns, (size_t)n * sizeof(*columns));
        keys[n] = f->made.keys[0];
        columns[n] = column;
        last->keys = keys;
        last->columns = columns;
        last->most_rows = NB_MAX(last->most_rows, f->made.most_rows);
        last->n_keys++;
        return NB_OK;
    }
    all = NB_ARENA_ARRAY(arena, nb_reduction, stage->n_reductions + 1);
    if (all == NULL) {
        return NB_NOMEM;
    }
    if (stage->n_reductions > 0) {
        memcpy(all, stage->reductions, (size_t)stage->n_reductions * sizeof(*all));
    }
    last = &all[stage->n_reductions];
    *last = f->made;
    last->keys = NB_ARENA_ARRAY(arena, nb_expr *, 1);
    last->columns = NB_ARENA_ARRAY(arena, int, 1);
    if (last->keys == NULL || last->columns == NULL) {
        return NB_NOMEM;
    }
    last->keys[0] = f->made.keys[0];
    last->columns[0] = column;
    stage->reductions = all;
    stage->n_reductions++;
    stage->late = true;
    return NB_OK;
}

static nb_status
follow_stage(const follower *f, int stage, int column)
{
    nb_stage *s = &f->c->out->stages[stage];
    bool scanned = false;

    for (int p = 0; p < s->n_parts && !s->on_driver; p++) {
        NB_TRY(follow(f, s->parts[p].root->children[0], column, &scanned));
    }
    return scanned && nb_type_same_ignoring_null(
                          s->parts[0].root->children[0]->schema->children[column].type,
                          f->made.keys[0]->type)
               ? add(f, s, column)
               : NB_OK;
}

/* How many rows there are where a column comes from; -1: not known. */
static double
rows_of_origin(const nb_node *node, const nb_expr *key)
{
    int column = key->kind == NB_EXPR_COLUMN ? key->u.column.ordinal : -1;
    double most = -1;

    while (node != NULL && column >= 0) {
        most = NB_MAX(most, node->est_rows);
        if (node->kind == NB_NODE_SCAN) {
            return NB_MAX(most, (double)nb_relation_rows(node->u.scan.relation));
        }
        node = nb_push_follow(node, &column);
    }
    return most;
}

nb_status
nb_cut_reductions(nb_cutter *c, const nb_node *join, int build, int probe)
{
    bool left = nb_join_builds_left(join);
    nb_expr **keys = left ? join->u.join.left_keys : join->u.join.right_keys;
    nb_expr **probe_keys = left ? join->u.join.right_keys : join->u.join.left_keys;
    const nb_node *side = join->children[left ? 0 : 1];

    for (int k = 0; k < join->u.join.n_keys && nb_push_drops_unmatched(join); k++) {
        follower f = {.c = c,
                      .made = {.from = build,
                               .keys = &keys[k],
                               .n_keys = 1,
                               .most_rows = SELECTIVE * rows_of_origin(side, keys[k])}};

        if (probe_keys[k]->kind == NB_EXPR_COLUMN && !join->u.join.null_safe[k] &&
            side->est_rows >= 0 && side->est_rows < f.made.most_rows) {
            NB_TRY(follow_stage(&f, probe, probe_keys[k]->u.column.ordinal));
        }
    }
    return NB_OK;
}
