/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stages_shuffle.c: joins, windows, sorts and repartition in tasks.
 *
 * Joins        a build side that the driver has, or reads itself because it is small, goes to every task. Otherwise both sides are to be
 *              shuffled by the keys; the probe side waits until the build side is there, and is not shuffled when that turns out small: then
 *              all of it goes to every task (adapt.h). A join that gives out rows of its build side that no row met needs the shuffle.
 *              A build side of few keys goes to the scans of the probe side (stages_reduce.c). Of a side that is only asked whether it has
 *              a key, tasks put out each key once.
 * Sorts        the rows stay where they were made, with a sample of their keys. The driver chooses bounds, the rows go to the ranges
 *              between them, and each range is sorted by a task.
 * Repartition  rows get the numbers of their partitions on the way, so that one task may read several of them.
 */
#include "base/thread.h"
#include "cluster/stages_internal.h"
#include "exec/join.h"
#include "expr/registry.h"

#define MOST_PARTITIONS 4096
#define WORTH_WAITING   64 /* a side that is estimated so many times too large may turn out small */

/* ---- joins ----------------------------------------------------------------------------------- */

static nb_status
join_with_broadcast(nb_cutter *c, nb_node *node, bool left, nb_piece *sides, nb_piece *out)
{
    nb_piece *build = &sides[left ? 0 : 1], *probe = &sides[left ? 1 : 0];
    nb_node *read;

    NB_TRY(nb_cut_everything(c, build, &read));
    *out = *probe;
    out->branches = NB_ARENA_ARRAY(c->arena, nb_piece_branch, probe->n);
    if (out->branches == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < probe->n; i++) {
        nb_node *one = nb_cut_node_over(c, read, NULL, NULL), *p = probe->branches[i].node;

        out->branches[i] = probe->branches[i];
        out->branches[i].node =
            one ? nb_cut_node_over(c, node, left ? one : p, left ? p : one) : NULL;
        if (out->branches[i].node == NULL) {
            return NB_NOMEM;
        }
    }
    return NB_OK;
}

/* Does it only matter which keys the probe side has? */
static bool
asks_for_keys(const nb_node *join)
{
    return nb_join_builds_left(join) &&
           (join->u.join.type == NB_JOIN_SEMI || join->u.join.type == NB_JOIN_ANTI) &&
           join->u.join.residual == NULL;
}

/* Both sides by the hash of their keys. The probe side's stage is late, and asks whether the build side is small, when `advised`. */
static nb_status
join_with_shuffle(nb_cutter *c, nb_node *node, bool left, bool advised, nb_piece *sides,
                  nb_piece *out)
{
    int build = left ? 0 : 1, n_buckets, n = node->u.join.n_keys;
    nb_expr **keys[] = {node->u.join.left_keys, node->u.join.right_keys};
    nb_node *reads[2], *join = nb_cut_node_over(c, node, node->children[0], node->children[1]);

    if (join == NULL) {
        return NB_NOMEM;
    }
    n_buckets =
        nb_cut_buckets(c, NB_MAX(nb_cut_bytes(node->children[0]), nb_cut_bytes(node->children[1])));
    if (asks_for_keys(node) && sides[1].local == NULL) {
        NB_TRY(nb_cut_keys_once(c, &sides[1], &keys[1], n));
        join->u.join.right_keys = keys[1];
    }
    NB_TRY(nb_cut_shuffled(c, &sides[build], keys[build], n, n_buckets, &reads[build]));
    NB_TRY(nb_cut_shuffled(c, &sides[1 - build], keys[1 - build], n, n_buckets, &reads[1 - build]));
    if (advised) {
        nb_stage *probe = &c->out->stages[reads[1 - build]->u.read.stage];

        probe->advice = reads[build]->u.read.stage;
        probe->late = true;
    }
    if (c->options->adapt.enabled) {
        NB_TRY(
            nb_cut_reductions(c, join, reads[build]->u.read.stage, reads[1 - build]->u.read.stage));
    }
    join->children[0] = reads[0];
    join->children[1] = reads[1];
    return nb_cut_spread(c, join, n_buckets, false, out);
}

/* Rows of files that the node reads, when it takes longer to start a task for them than to read them; < 0: it does not. */
static double
few_rows(const nb_cutter *c, const nb_node *node)
{
    double rows = 0, most = (double)c->options->min_rows;

    switch (node->kind) {
    case NB_NODE_SCAN:
        rows = nb_relation_bytes(node->u.scan.relation) < c->options->share_bytes
                   ? (double)nb_relation_rows(node->u.scan.relation)
                   : -1;
        break;
    case NB_NODE_JOIN:
        if (node->u.join.n_keys == 0 || node->est_rows < 0 || node->est_rows >= most) {
            return -1;
        }
        break;
    case NB_NODE_FILTER:
    case NB_NODE_PROJECT:
    case NB_NODE_AGGREGATE: break;
    default: return -1;
    }
    for (int i = 0; i < node->n_children && rows >= 0; i++) {
        double below = nb_stack_left() < (64 << 10) ? -1 : few_rows(c, node->children[i]);

        rows = below < 0 ? -1 : rows + below;
    }
    return rows < most ? rows : -1;
}

/* The build side of a join stays with the driver when it is small: then tasks of the probe side wait for none of other tasks. */
static nb_status
cut_side(nb_cutter *c, nb_node *node, bool builds, nb_piece *out, nb_error *err)
{
    if (builds && few_rows(c, node) >= 0) {
        *out = (nb_piece){.local = node};
        return NB_OK;
    }
    return nb_cut(c, node, out, err);
}

nb_status
nb_cut_join(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err)
{
    int n = node->u.join.n_keys;
    nb_expr **keys[] = {node->u.join.left_keys, node->u.join.right_keys};
    bool left = nb_join_builds_left(node), drain = nb_join_has_drain(node);
    double build = nb_cut_bytes(node->children[left ? 0 : 1]);
    double most = (double)NB_MAX(c->options->adapt.broadcast_bytes, 0);
    nb_piece sides[2], *probe_side = &sides[left ? 1 : 0], *build_side = &sides[left ? 0 : 1];
    bool ok = nb_cut_deterministic(&node->u.join.residual, 1) &&
              nb_cut_all_travel(c, &node->u.join.residual, 1);

    NB_TRY(cut_side(c, node->children[0], left, &sides[0], err));
    NB_TRY(cut_side(c, node->children[1], !left, &sides[1], err));
    for (int i = 0; i < 2; i++) {
        ok = ok && nb_cut_deterministic(keys[i], n) && nb_cut_all_travel(c, keys[i], n);
    }
    if (!ok || (sides[0].local != NULL && sides[1].local != NULL)) {
        return nb_cut_keep_local(c, node, sides, out);
    }
    if (!drain && probe_side->local == NULL &&
        (n == 0 || node->u.join.null_aware || build_side->local != NULL ||
         (!c->options->adapt.enabled && build >= 0 && build <= most))) {
        return join_with_broadcast(c, node, left, sides, out);
    }
    if (n == 0 || node->u.join.null_aware) {
        return nb_cut_keep_local(c, node, sides, out);
    }
    return join_with_shuffle(c, node, left,
                             c->options->adapt.enabled && !drain && most > 0 &&
                                 probe_side->local == NULL && build <= WORTH_WAITING * most,
                             sides, out);
}

/* ---- windows --------------------------------------------------------------------------------- */

nb_status
nb_cut_window(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err)
{
    nb_expr **keys = node->u.window.partition_by, **functions = node->u.window.functions;
    int n = node->u.window.n_partition_by, n_functions = node->u.window.n_functions, n_buckets;
    nb_node *read, *window;
    nb_piece child;

    NB_TRY(nb_cut(c, node->children[0], &child, err));
    if (child.local != NULL || n == 0 || !nb_cut_deterministic(keys, n) ||
        !nb_cut_deterministic(functions, n_functions) || !nb_cut_all_travel(c, keys, n) ||
        !nb_cut_all_travel(c, functions, n_functions) ||
        !nb_cut_keys_travel(c, node->u.window.order_by, node->u.window.n_order_by)) {
        return nb_cut_keep_local(c, node, &child, out);
    }
    n_buckets = nb_cut_buckets(c, nb_cut_bytes(node->children[0]));
    NB_TRY(nb_cut_shuffled(c, &child, keys, n, n_buckets, &read));
    window = nb_cut_node_over(c, node, read, NULL);
    return window ? nb_cut_spread(c, window, n_buckets, false, out) : NB_NOMEM;
}

/* ---- sorts and repartition ------------------------------------------------------------------- */

/* Rows by ranges of keys: what each task reads. The bounds are chosen, and the number of buckets unless it is fixed, when the first of the
 * two stages is done: nb_adapt_bounds. */
static nb_status
by_ranges(nb_cutter *c, const nb_piece *p, nb_sort_key *order, int n_keys, int n_buckets,
          bool fixed, nb_node **out)
{
    const nb_node *node = p->branches[0].node;
    nb_put how = {.kind = NB_PUT_SAMPLE, .order = order, .n_keys = n_keys, .n_buckets = 1};
    nb_node *read;
    nb_piece made;
    int stage;

    NB_TRY(nb_cut_put(c, p, &how, &stage));
    NB_TRY(nb_cut_read(c, stage, NB_READ_OUTPUT, node->schema, node->est_rows, &read));
    NB_TRY(nb_cut_spread(c, read, c->out->stages[stage].n_tasks, false, &made));
    how.kind = NB_PUT_RANGE;
    how.n_buckets = n_buckets;
    NB_TRY(nb_cut_put(c, &made, &how, &stage));
    c->out->stages[stage].late = true;
    c->out->stages[stage].ranges = fixed ? NB_RANGES_FIXED : NB_RANGES_FREE;
    return nb_cut_read(c, stage, NB_READ_BUCKET, node->schema, node->est_rows, out);
}

nb_status
nb_cut_sort(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err)
{
    int n_buckets = nb_cut_buckets(c, nb_cut_bytes(node));
    nb_node *read, *sort;
    nb_piece child;

    NB_TRY(nb_cut(c, node->children[0], &child, err));
    if (child.local != NULL || !nb_cut_keys_travel(c, node->u.sort.keys, node->u.sort.n_keys)) {
        return nb_cut_keep_local(c, node, &child, out);
    }
    if (!node->u.sort.global) {
        return nb_cut_whole_partitions(&child) ? nb_cut_onto_branches(c, node, &child, out)
                                               : nb_cut_keep_local(c, node, &child, out);
    }
    if (node->u.sort.n_keys == 0 ||
        (node->est_rows >= 0 && node->est_rows < (double)c->options->min_rows)) {
        NB_TRY(nb_cut_onto_branches(c, node, &child, &child));
        return nb_cut_keep_local(c, node, &child, out);
    }
    NB_TRY(by_ranges(c, &child, node->u.sort.keys, node->u.sort.n_keys, n_buckets, false, &read));
    sort = nb_cut_node_over(c, node, read, NULL);
    return sort ? nb_cut_spread(c, sort, n_buckets, false, out) : NB_NOMEM;
}

/* Spark's hash of the keys. */
static nb_status
hash_of(nb_cutter *c, nb_node *node, nb_expr ***out, nb_error *err)
{
    const nb_function *fn = nb_function_find(NB_STR("hash"));

    *out = NB_ARENA_ARRAY(c->arena, nb_expr *, 1);
    if (*out == NULL) {
        return NB_NOMEM;
    }
    if (fn == NULL) {
        return nb_raise_internal(err, "no hash function for repartition");
    }
    return nb_function_bind(c->arena, c->info, fn, NB_STR("hash"), node->u.exchange.keys,
                            node->u.exchange.n_keys, NULL, &(*out)[0], err);
}

/* Fewer partitions: one task passes the rows on. */
static nb_status
coalesce(nb_cutter *c, nb_node *node, nb_piece *child, nb_piece *out, nb_error *err)
{
    bool aligned = nb_cut_is_aligned(child);
    nb_node *read, *one;

    NB_TRY(nb_cut_everything(c, child, &read));
    NB_TRY(nb_cut_partitions(c, child, &read->u.read.n_partitions, err));
    one = nb_cut_node_over(c, node, read, NULL);
    return one ? nb_cut_spread(c, one, 1, aligned, out) : NB_NOMEM;
}

nb_status
nb_cut_exchange(nb_cutter *c, nb_node *node, nb_piece *out, nb_error *err)
{
    int n = NB_MAX(node->u.exchange.n_partitions, 1), n_keys = node->u.exchange.n_keys, stage;
    bool by_range = node->u.exchange.kind == NB_EXCHANGE_RANGE && n_keys > 0;
    bool by_hash = node->u.exchange.kind == NB_EXCHANGE_HASH && n_keys > 0;
    nb_put how = {.kind = NB_PUT_ROBIN, .n_buckets = n};
    nb_node *read;
    nb_piece child;

    NB_TRY(nb_cut(c, node->children[0], &child, err));
    if (child.local != NULL || n > MOST_PARTITIONS ||
        (by_range && !nb_cut_keys_travel(c, node->u.exchange.order, n_keys)) ||
        (by_hash && (!nb_cut_deterministic(node->u.exchange.keys, n_keys) ||
                     !nb_cut_all_travel(c, node->u.exchange.keys, n_keys)))) {
        NB_TRY(nb_cut_know_partitions(c, &child, err));
        return nb_cut_keep_local(c, node, &child, out);
    }
    if (node->u.exchange.kind == NB_EXCHANGE_COALESCE) {
        return coalesce(c, node, &child, out, err);
    }
    if (by_range) {
        NB_TRY(by_ranges(c, &child, node->u.exchange.order, n_keys, n, true, &read));
        return nb_cut_spread(c, read, n, true, out);
    }
    if (by_hash) {
        how.kind = NB_PUT_MOD;
        how.n_keys = 1;
        NB_TRY(hash_of(c, node, &how.keys, err));
    }
    NB_TRY(nb_cut_put(c, &child, &how, &stage));
    NB_TRY(nb_cut_read(c, stage, NB_READ_BUCKET, node->schema, node->est_rows, &read));
    return nb_cut_spread(c, read, n, true, out);
}
