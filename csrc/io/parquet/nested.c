/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nested.c: see nested.h.
 *
 * A *place* is where a value of a node may be: within lists of repetition level `rep`, where everything above is there from definition level `def` on. Its
 * slots are the positions with rep[i] <= place.rep and def[i] >= place.def; each becomes a row of the node's vector. A struct's fields have the
 * place of the struct; entries of a list are a place of their own. Any leaf below a node shows its slots, so the first one is asked.
 */
#include "io/parquet/nested.h"

#include "io/parquet/convert.h"
#include "io/parquet/rebase.h"

int
nb_pq_find_node(const nb_pq_node *nodes, int n, nb_str name)
{
    int found = -1;

    for (int i = 0; i < n; i++) {
        if (nb_str_equal(nodes[i].name, name)) {
            return i;
        }
        if (found < 0 && nb_str_equal_nocase(nodes[i].name, name)) {
            found = i;
        }
    }
    return found;
}

/* ---- plan ------------------------------------------------------------------------------------ */

typedef struct planner {
    nb_arena *arena;
    const nb_pq_meta *meta;
    const char *path;
} planner;

static nb_status
mismatch(const planner *p, const nb_pq_node *node, const nb_type *want, nb_error *err)
{
    const nb_pq_column *c = node->n_leaves > 0 ? &p->meta->columns[node->leaf] : NULL;
    nb_str stored = node->kind == NB_PQ_LEAF && c ? c->described : NB_STR("group");

    return nb_pq_type_mismatch(p->arena, p->path, node->name, stored, want, err);
}

static nb_status
plan_node(const planner *p, const nb_pq_node *node, const nb_type *type, nb_pq_nested *out,
          nb_error *err)
{
    static const nb_type_id IDS[] = {
        [NB_PQ_STRUCT] = NB_TYPE_STRUCT, [NB_PQ_LIST] = NB_TYPE_ARRAY, [NB_PQ_MAP] = NB_TYPE_MAP};
    const nb_type *storage = nb_type_storage(type);

    out->node = node;
    out->type = type;
    if (node->kind == NB_PQ_LEAF) {
        const nb_pq_column *c = &p->meta->columns[node->leaf];
        if (!c->type) {
            return nb_pq_refuse(c, err);
        }
        return nb_pq_can_convert(c, storage) ? NB_OK : mismatch(p, node, type, err);
    }
    if (storage->id != IDS[node->kind]) {
        return mismatch(p, node, type, err);
    }
    out->n_children = storage->n_children;
    out->children = nb_arena_zalloc(p->arena, sizeof(nb_pq_nested) * (size_t)(out->n_children + 1));
    if (!out->children) {
        return NB_NOMEM;
    }
    for (int i = 0; i < out->n_children; i++) {
        const nb_field *want = &storage->children[i];
        int at = node->kind == NB_PQ_STRUCT
                     ? nb_pq_find_node(node->children, node->n_children, want->name)
                     : i;
        out->children[i].type = want->type;
        if (at >= 0) {
            NB_TRY(plan_node(p, &node->children[at], want->type, &out->children[i], err));
        }
    }
    return NB_OK;
}

nb_status
nb_pq_nested_plan(nb_arena *arena, const nb_pq_meta *meta, const nb_pq_node *node,
                  const nb_type *type, const char *path, nb_pq_nested **out, nb_error *err)
{
    planner p = {arena, meta, path};
    nb_pq_nested *plan = NB_ARENA_NEW(arena, nb_pq_nested);

    if (!plan) {
        return NB_NOMEM;
    }
    NB_TRY(plan_node(&p, node, type, plan, err));
    *out = plan;
    return NB_OK;
}

/* ---- values ---------------------------------------------------------------------------------- */

typedef struct assembler {
    nb_arena *arena;
    const nb_pq_meta *meta;
    const char *path;
    nb_str zone;
    int64_t n_rows;
    nb_pq_open_leaf open;
    void *payload;
    int first_leaf;
    nb_pq_leaf *leaves; /* from first_leaf on */
    bool *is_read;
    bool *has_values;
} assembler;

typedef struct place {
    int rep, def;
    int64_t n_slots;
} place;

static nb_status
damaged(const assembler *a, const nb_pq_node *node, const char *what, nb_error *err)
{
    const char *text = nb_arena_printf(a->arena, "column %.*s: %s",
                                       (int)NB_MIN(node->name.len, 100), node->name.data, what);

    return text ? nb_pq_damaged(a->path, text, err) : NB_NOMEM;
}

static nb_status
leaf_of(assembler *a, int at, bool want_values, const nb_pq_leaf **out, nb_error *err)
{
    int k = at - a->first_leaf;
    nb_pq_reader *r;

    if (!a->is_read[k] || (want_values && !a->has_values[k])) {
        NB_TRY(a->open(a->payload, at, &r, err));
        NB_TRY(nb_pq_leaf_read(r, a->n_rows, want_values, &a->leaves[k], err));
        a->is_read[k] = true;
        a->has_values[k] = want_values;
    }
    *out = &a->leaves[k];
    return NB_OK;
}

/* The leaf whose levels show a node: one whose values are wanted where there is one. */
static nb_status
shape_of(assembler *a, const nb_pq_nested *plan, const nb_pq_leaf **out, nb_error *err)
{
    const nb_pq_nested *at = plan;

    while (at->node->kind != NB_PQ_LEAF) {
        int i = 0;
        while (i < at->n_children && !at->children[i].node) {
            i++;
        }
        if (i == at->n_children) {
            return leaf_of(a, at->node->leaf, false, out, err);
        }
        at = &at->children[i];
    }
    return leaf_of(a, at->node->leaf, true, out, err);
}

NB_INLINE bool
is_slot(const nb_pq_leaf *l, int64_t i, place at)
{
    return (!l->rep || l->rep[i] <= at.rep) && (!l->def || l->def[i] >= at.def);
}

static int64_t
count_slots(const nb_pq_leaf *l, place at)
{
    int64_t n = 0;

    for (int64_t i = 0; i < l->n; i++) {
        n += is_slot(l, i, at);
    }
    return n;
}

static nb_status
assemble(assembler *a, const nb_pq_nested *plan, place at, nb_vector *out, nb_error *err);

/* Dense values to slots; those whose level is lower are null. */
static nb_status
place_values(assembler *a, const nb_pq_leaf *l, const nb_vector *dense, int max_def, place at,
             const nb_type *type, nb_vector *out)
{
    int width = nb_phys_width(nb_type_storage(type)->phys);
    const char *from = dense->data;
    int64_t slot = 0;
    nb_vector made;
    char *to;

    NB_TRY(nb_vector_alloc(a->arena, type, at.n_slots, &made));
    NB_TRY(nb_vector_need_validity(a->arena, &made));
    to = made.data;
    memset(to, 0, (size_t)at.n_slots * (size_t)width);
    for (int64_t i = 0; i < l->n; i++) {
        if (l->def[i] < at.def) {
            continue;
        }
        if (l->def[i] == max_def) {
            memcpy(to, from, (size_t)width);
            from += width;
        } else {
            nb_bit_clear(made.validity, slot);
        }
        to += width;
        slot++;
    }
    *out = made;
    return NB_OK;
}

static nb_status
assemble_leaf(assembler *a, const nb_pq_nested *plan, place at, nb_vector *out, nb_error *err)
{
    const nb_pq_column *c = &a->meta->columns[plan->node->leaf];
    const nb_pq_leaf *l;
    nb_vector dense;

    NB_TRY(leaf_of(a, plan->node->leaf, true, &l, err));
    if (count_slots(l, at) != at.n_slots) {
        return damaged(a, plan->node, "its columns tell of different lists", err);
    }
    dense = l->values;
    if (c->is_legacy) {
        NB_TRY(nb_pq_rebase(a->arena, a->meta, c, a->zone, &dense, &dense, err));
    }
    NB_TRY(nb_pq_convert(a->arena, c, &dense, plan->type, &dense));
    if (dense.kind != NB_VEC_FLAT || dense.type->id == NB_TYPE_NULL) { /* read as void */
        return nb_vector_const_null(a->arena, plan->type, at.n_slots, out);
    }
    if (l->n_there == at.n_slots) {
        *out = dense;
        out->n_rows = (int32_t)at.n_slots;
        return NB_OK;
    }
    return place_values(a, l, &dense, c->max_def, at, plan->type, out);
}

static nb_status
assemble_absent(assembler *a, const nb_pq_nested *plan, place at, nb_vector *out)
{
    nb_vector nulls;

    NB_TRY(nb_vector_const_null(a->arena, plan->type, at.n_slots, &nulls));
    return nb_vector_flatten(a->arena, &nulls, out);
}

static nb_status
assemble_struct(assembler *a, const nb_pq_nested *plan, place at, nb_vector *out, nb_error *err)
{
    const nb_pq_leaf *l;
    int64_t slot = 0;
    nb_vector made = {.type = plan->type, .n_rows = (int32_t)at.n_slots};

    NB_TRY(shape_of(a, plan, &l, err));
    if (count_slots(l, at) != at.n_slots) {
        return damaged(a, plan->node, "its columns tell of different lists", err);
    }
    made.n_children = plan->n_children;
    made.children = NB_ARENA_ARRAY(a->arena, nb_vector, plan->n_children + 1);
    if (!made.children) {
        return NB_NOMEM;
    }
    if (plan->node->def > at.def) {
        NB_TRY(nb_vector_need_validity(a->arena, &made));
        for (int64_t i = 0; i < l->n; i++) {
            if (is_slot(l, i, at)) {
                if (l->def[i] < plan->node->def) {
                    nb_bit_clear(made.validity, slot);
                }
                slot++;
            }
        }
    }
    for (int i = 0; i < plan->n_children; i++) {
        const nb_pq_nested *child = &plan->children[i];
        NB_TRY(child->node ? assemble(a, child, at, &made.children[i], err)
                           : assemble_absent(a, child, at, &made.children[i]));
    }
    *out = made;
    return NB_OK;
}

static nb_status
assemble_list(assembler *a, const nb_pq_nested *plan, place at, nb_vector *out, nb_error *err)
{
    const nb_pq_node *node = plan->node;
    place entries = {node->rep, node->entry_def, 0};
    const nb_pq_leaf *l;
    int64_t slot = -1;
    bool open = false;
    nb_vector made;
    nb_list *lists;

    NB_TRY(shape_of(a, plan, &l, err));
    if (count_slots(l, at) != at.n_slots) {
        return damaged(a, node, "its columns tell of different lists", err);
    }
    NB_TRY(nb_vector_alloc(a->arena, plan->type, at.n_slots, &made));
    NB_TRY(nb_vector_need_validity(a->arena, &made));
    lists = made.data;
    for (int64_t i = 0; i < l->n; i++) {
        if (l->rep[i] <= at.rep) {
            open = l->def[i] >= node->entry_def;
            if (l->def[i] < at.def) {
                continue;
            }
            slot++;
            lists[slot] = (nb_list){.offset = (uint32_t)entries.n_slots, .len = open};
            entries.n_slots += open;
            if (l->def[i] < node->def) {
                nb_bit_clear(made.validity, slot);
            }
        } else if (l->rep[i] == node->rep) {
            if (!open || l->def[i] < node->entry_def) {
                return damaged(a, node, "a list goes on that never began", err);
            }
            lists[slot].len++;
            entries.n_slots++;
        }
    }
    for (int i = 0; i < plan->n_children; i++) {
        NB_TRY(assemble(a, &plan->children[i], entries, &made.children[i], err));
    }
    *out = made;
    return NB_OK;
}

static nb_status
assemble(assembler *a, const nb_pq_nested *plan, place at, nb_vector *out, nb_error *err)
{
    switch (plan->node->kind) {
    case NB_PQ_LEAF: return assemble_leaf(a, plan, at, out, err);
    case NB_PQ_STRUCT: return assemble_struct(a, plan, at, out, err);
    default: return assemble_list(a, plan, at, out, err);
    }
}

nb_status
nb_pq_nested_read(nb_arena *arena, const nb_pq_meta *meta, const nb_pq_nested *plan, int64_t n_rows,
                  const char *path, nb_str zone, nb_pq_open_leaf open, void *payload,
                  nb_vector *out, nb_error *err)
{
    int n = plan->node->n_leaves;
    assembler a = {.arena = arena,
                   .meta = meta,
                   .path = path,
                   .zone = zone,
                   .n_rows = n_rows,
                   .open = open,
                   .payload = payload,
                   .first_leaf = plan->node->leaf,
                   .leaves = NB_ARENA_ARRAY(arena, nb_pq_leaf, n + 1),
                   .is_read = nb_arena_zalloc(arena, (size_t)n + 1),
                   .has_values = nb_arena_zalloc(arena, (size_t)n + 1)};
    place top = {0, 0, n_rows};

    if (!a.leaves || !a.is_read || !a.has_values) {
        return NB_NOMEM;
    }
    return assemble(&a, plan, top, out, err);
}
