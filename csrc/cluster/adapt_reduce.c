/* SPDX-License-Identifier: Apache-2.0 */
/*
 * adapt_reduce.c: the keys of a finished stage go to the scans of another (stages_reduce.c says to which).
 *
 * The fragment gets a join that only reduces: its right side reads all that the other stage has put out, of which only the keys are looked at,
 * and exec/push_keys.h takes them to the scans of the left side.
 */
#include "cluster/adapt_internal.h"
#include "cluster/stages_internal.h"

static nb_status
read_keys(nb_cutter *c, const nb_stages *stages, const nb_reduction *r, nb_node **out)
{
    const nb_node *made = stages->stages[r->from].parts[0].root->children[0];
    nb_field *fields = NB_ARENA_ARRAY(c->arena, nb_field, r->n_keys);
    const nb_type *schema;

    if (fields == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < r->n_keys; k++) {
        fields[k] = (nb_field){.name = NB_STR("key"), .type = r->keys[k]->type, .nullable = true};
    }
    schema = nb_type_struct(fields, r->n_keys);
    *out = schema ? nb_cut_node(c, NB_NODE_PROJECT, schema, 1) : NULL;
    if (*out == NULL) {
        return NB_NOMEM;
    }
    (*out)->u.project.exprs = r->keys;
    return nb_cut_read(c, r->from, NB_READ_ALL, made->schema, -1, &(*out)->children[0]);
}

static nb_status
reduce_part(nb_cutter *c, const nb_stages *stages, const nb_reduction *r, nb_stage_part *part)
{
    nb_node *below = part->root->children[0], *root, *keys;
    nb_node *join = nb_cut_node(c, NB_NODE_JOIN, below->schema, 2);

    if (join == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(read_keys(c, stages, r, &keys));
    join->est_rows = below->est_rows;
    join->children[0] = below;
    join->children[1] = keys;
    join->u.join.type = NB_JOIN_SEMI;
    join->u.join.reduces = true;
    join->u.join.n_keys = r->n_keys;
    join->u.join.left_keys = NB_ARENA_ARRAY(c->arena, nb_expr *, r->n_keys);
    join->u.join.right_keys = NB_ARENA_ARRAY(c->arena, nb_expr *, r->n_keys);
    join->u.join.null_safe = nb_arena_zalloc(c->arena, (size_t)r->n_keys * sizeof(bool));
    root = nb_cut_node_over(c, part->root, join, NULL);
    if (root == NULL || join->u.join.left_keys == NULL || join->u.join.right_keys == NULL ||
        join->u.join.null_safe == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < r->n_keys; k++) {
        join->u.join.left_keys[k] = nb_cut_column(c, below->schema, r->columns[k]);
        join->u.join.right_keys[k] = nb_cut_column(c, keys->schema, k);
        if (join->u.join.left_keys[k] == NULL || join->u.join.right_keys[k] == NULL) {
            return NB_NOMEM;
        }
    }
    part->root = root;
    return NB_OK;
}

/* Few enough to be read by every task, and fewer than there are values? */
static bool
is_worth(const nb_adapt_options *options, const nb_stages *stages, const nb_stage *stage,
         const nb_reduction *r, const nb_adapt_sizes *sizes)
{
    const nb_stage *from = &stages->stages[r->from];
    const nb_node *made = from->n_parts > 0 ? from->parts[0].root->children[0] : NULL;
    double bytes = (double)nb_adapt_bytes(stages, r->from, sizes), width = 8;

    if (made == NULL) { /* it has no rows of its own */
        return false;
    }
    if (made->est_rows > 0) {
        width = nb_cut_bytes(made) / made->est_rows;
    }
    return bytes <= r->most_rows * width &&
           (bytes <= (double)options->broadcast_bytes ||
            bytes * options->parallelism <= nb_adapt_estimate(stage));
}

nb_status
nb_adapt_reduce(nb_arena *arena, const nb_adapt_options *options, const nb_stages *stages,
                nb_stage *stage, int broadcast, const nb_adapt_sizes *sizes)
{
    nb_cutter c = {.arena = arena};

    for (int i = 0; i < stage->n_reductions; i++) {
        const nb_reduction *r = &stage->reductions[i];

        for (int p = 0; p < stage->n_parts && r->from != broadcast &&
                        (p > 0 || is_worth(options, stages, stage, r, sizes));
             p++) {
            NB_TRY(reduce_part(&c, stages, r, &stage->parts[p]));
            nb_adapt_limit_tasks(options, nb_adapt_bytes(stages, r->from, sizes), &stage->parts[p]);
        }
    }
    return NB_OK;
}
