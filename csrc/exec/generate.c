/* SPDX-License-Identifier: Apache-2.0 */
/*
 * generate.c: explode, posexplode, inline, stack: rows made from the elements of one row.
 *
 * For lists two index arrays are made, parent rows and element numbers, NB_BATCH_ROWS at a time, and columns are gathered with
 * them. `outer` gives one row of nulls for an empty or null list.
 */
#include "exec/interleave.h"
#include "exec/operators.h"

typedef struct generate_local {
    nb_eval *eval;
    nb_arena
        *made; /* columns of one batch that is passed on: one batch may become any number of them */
} generate_local;

static nb_status
generate_open_local(nb_operator *op, nb_thread_ctx *t, void **local, nb_error *err)
{
    generate_local *l = NB_ARENA_NEW(nb_thread_memory(t), generate_local);

    if (l == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_eval_new(nb_thread_memory(t), op->node->u.generate.args, op->node->u.generate.n_args,
                       nb_thread_exec(t)->info, &l->eval, err));
    l->made = nb_arena_new(nb_thread_exec(t)->pool);
    if (l->made == NULL) {
        nb_eval_free(l->eval);
        return NB_NOMEM;
    }
    *local = l;
    return NB_OK;
}

typedef struct rows {
    uint32_t *parent, *element; /* element UINT32_MAX: nulls */
    int32_t *position;
    int64_t n;
} rows;

/* A field of an array of structs; null where the struct is. */
static nb_status
gather_field(nb_arena *arena, const nb_vector *structs, int field, const rows *r, nb_vector *out)
{
    nb_vector flat;

    NB_TRY(nb_vector_flatten(arena, structs, &flat));
    NB_TRY(nb_vector_gather_null(arena, &flat.children[field], r->element, r->n, out));
    if (flat.validity == NULL) {
        return NB_OK;
    }
    if (out->kind != NB_VEC_FLAT) {
        nb_vector copy;
        NB_TRY(nb_vector_flatten(arena, out, &copy));
        *out = copy;
    }
    for (int64_t i = 0; i < r->n; i++) {
        if (r->element[i] != UINT32_MAX && !nb_bit_get(flat.validity, r->element[i])) {
            NB_TRY(nb_vector_need_validity(arena, out));
            nb_bit_clear(out->validity, i);
        }
    }
    return NB_OK;
}

static nb_status
emit_rows(nb_operator *op, nb_arena *arena, nb_thread_ctx *t, nb_batch *batch,
          const nb_vector *list, const rows *r, nb_error *err)
{
    nb_node *node = op->node;
    int at = 0;
    nb_batch out;

    nb_arena_reset(arena);
    NB_TRY(nb_batch_init(arena, node->schema->n_children, r->n, &out));
    out.order = batch->order;
    out.partition = batch->partition;
    for (; at < node->u.generate.n_keep; at++) {
        const nb_vector *v;

        NB_TRY(nb_batch_column(batch, node->u.generate.keep[at], &v));
        NB_TRY(nb_vector_gather(arena, v, r->parent, r->n, &out.cols[at]));
    }
    if (node->u.generate.kind == NB_GENERATE_POSEXPLODE) {
        nb_vector *v = &out.cols[at++];

        NB_TRY(nb_vector_alloc(arena, nb_type_of(NB_TYPE_INT32), r->n, v));
        memcpy(v->data, r->position, (size_t)r->n * sizeof(int32_t));
        for (int64_t i = 0; i < r->n; i++) {
            if (r->element[i] == UINT32_MAX) {
                NB_TRY(nb_vector_need_validity(arena, v));
                nb_bit_clear(v->validity, i);
            }
        }
    }
    for (int c = 0; at < node->schema->n_children; c++, at++) {
        if (node->u.generate.kind == NB_GENERATE_INLINE) {
            NB_TRY(gather_field(arena, &list->children[0], c, r, &out.cols[at]));
        } else {
            NB_TRY(
                nb_vector_gather_null(arena, &list->children[c], r->element, r->n, &out.cols[at]));
        }
    }
    return nb_emit(t, &out, err);
}

static nb_status
push_list(nb_operator *op, generate_local *l, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    nb_arena *arena = batch->arena;
    bool outer = op->node->u.generate.outer;
    rows r = {.parent = NB_ARENA_ARRAY(arena, uint32_t, NB_BATCH_ROWS),
              .element = NB_ARENA_ARRAY(arena, uint32_t, NB_BATCH_ROWS),
              .position = NB_ARENA_ARRAY(arena, int32_t, NB_BATCH_ROWS)};
    nb_vector list, flat;
    nb_status st = NB_OK;

    if (r.parent == NULL || r.element == NULL || r.position == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_eval_run(l->eval, 0, batch, &list, err));
    if (list.type->id == NB_TYPE_NULL) {
        NB_TRY(nb_vector_const_null(arena, nb_type_array(list.type, true), list.n_rows, &list));
        list.n_rows = batch->n_rows;
    }
    NB_TRY(nb_vector_flatten(arena, &list, &flat));
    for (int32_t row = 0; row < batch->n_rows && st == NB_OK; row++) {
        nb_list span =
            nb_is_valid(flat.validity, row) ? NB_DATA(nb_list, &flat)[row] : (nb_list){0, 0};
        uint32_t n = span.len == 0 && outer ? 1 : span.len;

        for (uint32_t k = 0; k < n && st == NB_OK; k++) {
            r.parent[r.n] = (uint32_t)row;
            r.element[r.n] = span.len == 0 ? UINT32_MAX : span.offset + k;
            r.position[r.n++] = (int32_t)k;
            if (r.n == NB_BATCH_ROWS) {
                st = emit_rows(op, l->made, t, batch, &flat, &r, err);
                r.n = 0;
            }
        }
    }
    if (st == NB_OK && r.n > 0) {
        st = emit_rows(op, l->made, t, batch, &flat, &r, err);
    }
    return st;
}

/* stack(n, e1, e2, …): n rows of the expressions, filled up with nulls. */
static nb_status
push_stack(nb_operator *op, generate_local *l, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    nb_node *node = op->node;
    nb_arena *arena = batch->arena;
    int n_keep = node->u.generate.n_keep, n_cols = node->schema->n_children - n_keep;
    int n_values = node->u.generate.n_args - 1, n_parts = (n_values + n_cols - 1) / n_cols;
    nb_vector count, *parts, *kept;

    NB_TRY(nb_eval_run(l->eval, 0, batch, &count, err));
    if (count.type->id == NB_TYPE_INT32 && count.n_rows > 0 && !nb_vector_is_null(&count, 0)) {
        n_parts = NB_DATA(int32_t, &count)[nb_vector_slot(&count, 0)];
    }
    parts = NB_ARENA_ARRAY(arena, nb_vector, n_parts * n_cols);
    kept = NB_ARENA_ARRAY(arena, nb_vector, n_keep + 1);
    if (parts == NULL || kept == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n_parts * n_cols; i++) {
        if (i < n_values) {
            NB_TRY(nb_eval_run(l->eval, i + 1, batch, &parts[i], err));
        } else {
            NB_TRY(nb_vector_const_null(arena, node->schema->children[n_keep + i % n_cols].type,
                                        batch->n_rows, &parts[i]));
        }
    }
    for (int c = 0; c < n_keep; c++) {
        const nb_vector *v;

        NB_TRY(nb_batch_column(batch, node->u.generate.keep[c], &v));
        kept[c] = *v;
    }
    return nb_emit_interleaved(t, batch, kept, n_keep, parts, n_parts, n_cols, batch->n_rows, err);
}

static nb_status
generate_push(nb_operator *op, void *local, nb_thread_ctx *t, nb_batch *batch, nb_error *err)
{
    return op->node->u.generate.kind == NB_GENERATE_STACK ? push_stack(op, local, t, batch, err)
                                                          : push_list(op, local, t, batch, err);
}

static void
generate_close_local(nb_operator *op, void *local)
{
    (void)op;
    nb_eval_free(((generate_local *)local)->eval);
    nb_arena_free(((generate_local *)local)->made);
}

static void
generate_close(nb_operator *op)
{
    (void)op;
}

static const nb_operator_ops GENERATE = {
    .name = "Generate",
    .open_local = generate_open_local,
    .push = generate_push,
    .close_local = generate_close_local,
    .close = generate_close,
};

nb_status
nb_generate_new(nb_run *run, nb_node *node, nb_operator **out)
{
    *out = NB_OPERATOR_NEW(run, nb_operator, &GENERATE, node);
    return *out ? NB_OK : NB_NOMEM;
}
