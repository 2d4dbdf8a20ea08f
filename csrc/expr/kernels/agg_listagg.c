/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_listagg.c: listagg(value[, delimiter]), and the same WITHIN GROUP (ORDER BY …).
 *
 * A state is a list of values and, beside it, one list per sort key: an item of each for every row whose value is not null. All of them carry the
 * place of their row, by which they are put in order first; the keys then give a permutation of the values, in which rows with equal keys stay in
 * the table's order, as in Spark.
 */
#include "expr/kernels/agg_value.h"

typedef struct list_state {
    nb_agg_list *lists; /* 1 + number of keys, in the state's arena; NULL until there is a row */
} list_state;

typedef struct listagg_payload {
    nb_str delimiter;
    int n_keys;
    const char *orders; /* two letters per key: A or D, F or L */
} listagg_payload;

enum { FIRST_KEY = 3 }; /* arguments before it: value, delimiter, orders */

static const nb_type *
list_type(const nb_agg_ctx *ctx, int list)
{
    return ctx->expr->args[list ? FIRST_KEY + list - 1 : 0]->type;
}

static nb_agg_list *
lists_of(nb_agg_ctx *ctx, list_state *s)
{
    const listagg_payload *p = ctx->payload;

    if (s->lists == NULL) {
        s->lists = nb_arena_zalloc(ctx->memory, (size_t)(1 + p->n_keys) * sizeof *s->lists);
    }
    return s->lists;
}

static nb_status
add(nb_agg_ctx *ctx, const nb_vector *args, int64_t i, int64_t row, list_state *s)
{
    const listagg_payload *p = ctx->payload;
    nb_agg_list *lists;

    if (nb_vector_is_null(args, i)) {
        return NB_OK;
    }
    lists = lists_of(ctx, s);
    if (lists == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k <= p->n_keys; k++) {
        const nb_vector *v = &args[k ? FIRST_KEY + k - 1 : 0];
        nb_agg_item *it = nb_agg_list_push(ctx->memory, &lists[k], ctx->order, row);
        if (it == NULL) {
            return NB_NOMEM;
        }
        if (nb_vector_is_null(v, i)) {
            it->row = -1 - row;
        } else {
            NB_TRY(nb_agg_value_set(ctx->memory, v, i, &it->value, NULL));
        }
    }
    return NB_OK;
}

static nb_status
listagg_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
               int64_t row0)
{
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(add(ctx, args, i, row0 + i, (list_state *)(rows[i] + offset)));
    }
    return NB_OK;
}

static nb_status
listagg_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(add(ctx, args, i, row0 + i, state));
    }
    return NB_OK;
}

static nb_status
listagg_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    const listagg_payload *p = ctx->payload;

    for (int64_t i = 0; i < n; i++) {
        const nb_agg_list *more = ((const list_state *)(from[i] + offset))->lists;
        nb_agg_list *lists;
        if (more == NULL) {
            continue;
        }
        lists = lists_of(ctx, (list_state *)(into[i] + offset));
        if (lists == NULL) {
            return NB_NOMEM;
        }
        for (int k = 0; k <= p->n_keys; k++) {
            NB_TRY(nb_agg_list_merge(ctx->memory, list_type(ctx, k), &lists[k], &more[k]));
        }
    }
    return NB_OK;
}

/* Is row a to stand after row b? Rows with equal keys keep their order. */
static bool
stands_after(const nb_agg_ctx *ctx, const nb_agg_list *lists, uint32_t a, uint32_t b)
{
    const listagg_payload *p = ctx->payload;

    for (int k = 0; k < p->n_keys; k++) {
        const nb_agg_item *x = &lists[1 + k].items[a], *y = &lists[1 + k].items[b];
        bool nulls_last = p->orders[2 * k + 1] == 'L';
        int c;

        if (x->row < 0 || y->row < 0) {
            if ((x->row < 0) != (y->row < 0)) {
                return (x->row < 0) == nulls_last;
            }
            continue;
        }
        c = nb_agg_value_compare(list_type(ctx, 1 + k), &x->value, &y->value);
        if (c != 0) {
            return (c > 0) != (p->orders[2 * k] == 'D');
        }
    }
    return false;
}

/* The permutation of n rows by their keys: a merge sort, which is stable. */
static nb_status
permutation(nb_agg_ctx *ctx, const nb_agg_list *lists, uint32_t n, uint32_t **out)
{
    uint32_t *at = NB_ARENA_ARRAY(ctx->scratch, uint32_t, n);
    uint32_t *other = NB_ARENA_ARRAY(ctx->scratch, uint32_t, n);

    if (at == NULL || other == NULL) {
        return NB_NOMEM;
    }
    for (uint32_t i = 0; i < n; i++) {
        at[i] = i;
    }
    for (uint64_t width = 1; width < n; width *= 2) {
        uint32_t *swap = at;
        for (uint64_t from = 0; from < n; from += 2 * width) {
            uint64_t middle = NB_MIN(from + width, n), end = NB_MIN(from + 2 * width, n);
            uint64_t i = from, j = middle;
            for (uint64_t k = from; k < end; k++) {
                bool right = i == middle || (j < end && stands_after(ctx, lists, at[i], at[j]));
                other[k] = right ? at[j++] : at[i++];
            }
        }
        at = other;
        other = swap;
    }
    *out = at;
    return NB_OK;
}

static nb_status
listagg_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    const listagg_payload *p = ctx->payload;

    for (int64_t i = 0; i < n; i++) {
        nb_agg_list *lists = ((list_state *)(rows[i] + offset))->lists;
        const nb_agg_list *values = lists;
        uint32_t *at = NULL;
        size_t len = 0;
        char *text, *end;

        if (lists == NULL || values->n == 0) {
            NB_TRY(nb_agg_set_null(ctx, out, i));
            continue;
        }
        for (int k = 0; k <= p->n_keys; k++) {
            nb_agg_list_sort(&lists[k]);
        }
        if (p->n_keys > 0) {
            NB_TRY(permutation(ctx, lists, values->n, &at));
        }
        for (uint32_t k = 0; k < values->n; k++) {
            len += values->items[k].value.view.len + (k ? p->delimiter.len : 0);
        }
        text = len > INT32_MAX ? NULL : nb_arena_alloc(ctx->scratch, len);
        if (text == NULL) {
            return NB_NOMEM;
        }
        end = text;
        for (uint32_t k = 0; k < values->n; k++) {
            const nb_view *v = &values->items[at ? at[k] : k].value.view;
            if (k && p->delimiter.len) {
                memcpy(end, p->delimiter.data, p->delimiter.len);
                end += p->delimiter.len;
            }
            memcpy(end, nb_view_data(v), v->len);
            end += v->len;
        }
        NB_DATA(nb_view, out)[i] = nb_view_make(text, len);
    }
    return NB_OK;
}

/* Each list with its length before it; nothing when there was no row. */
static nb_status
listagg_serialize(nb_agg_ctx *ctx, const void *state, nb_strbuf *out)
{
    const listagg_payload *p = ctx->payload;
    const list_state *s = state;

    for (int k = 0; k <= p->n_keys && s->lists != NULL; k++) {
        size_t at = out->len;
        uint32_t len = 0;

        nb_agg_put(out, &len, 4);
        NB_TRY(nb_agg_list_serialize(ctx, list_type(ctx, k), &s->lists[k], out));
        if (out->failed || out->len - at - 4 > UINT32_MAX) {
            return NB_NOMEM;
        }
        len = (uint32_t)(out->len - at - 4);
        memcpy(out->data + at, &len, 4);
    }
    return out->failed ? NB_NOMEM : NB_OK;
}

static nb_status
listagg_deserialize(nb_agg_ctx *ctx, nb_str bytes, void *state)
{
    const listagg_payload *p = ctx->payload;
    list_state *s = state;

    s->lists = NULL;
    if (bytes.len == 0) {
        return NB_OK;
    }
    if (lists_of(ctx, s) == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k <= p->n_keys; k++) {
        uint32_t len;
        if (!nb_agg_take(&bytes, &len, 4) || len > bytes.len) {
            return nb_raise_internal(ctx->err, "a serialised aggregate state is cut off");
        }
        NB_TRY(nb_agg_list_deserialize(ctx, list_type(ctx, k), (nb_str){bytes.data, len},
                                       &s->lists[k]));
        if (s->lists[k].n != s->lists[0].n) {
            return nb_raise_internal(ctx->err, "the keys of a serialised listagg do not fit");
        }
        bytes.data += len;
        bytes.len -= len;
    }
    return NB_OK;
}

static const nb_agg_ops listagg_ops = {.state_size = sizeof(list_state),
                                       .state_align = 8,
                                       .update = listagg_update,
                                       .update_one = listagg_update_one,
                                       .merge = listagg_merge,
                                       .finalize = listagg_finalize,
                                       .serialize = listagg_serialize,
                                       .deserialize = listagg_deserialize};

/* ---- binders ------------------------------------------------------------------------------------------------------------------------ */

static bool
is_text_or_bytes(const nb_type *t)
{
    return nb_type_is_string(t) || t->id == NB_TYPE_BINARY;
}

/* The value, and a delimiter that is constant and of its type, or null. */
static nb_status
bind_value(nb_bound_agg *agg, listagg_payload **out, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    const nb_type *text = nb_type_of(NB_TYPE_STRING), *t;
    listagg_payload *p = NB_ARENA_NEW(call->arena, listagg_payload);
    const nb_vector *v;

    if (p == NULL) {
        return NB_NOMEM;
    }
    t = call->args[0]->type;
    if (!is_text_or_bytes(t)) {
        if (!nb_can_implicit_cast(t, text, call->info->ansi)) {
            return nb_bind_mismatch(call, 0, "(\"STRING\" or \"BINARY\")", err);
        }
        NB_TRY(nb_bind_cast(call, 0, text, err));
    }
    t = call->args[1]->type;
    if (!is_text_or_bytes(t) && t->id != NB_TYPE_NULL) {
        if (!nb_can_implicit_cast(t, text, call->info->ansi)) {
            return nb_bind_mismatch(call, 1, "(\"STRING\" or \"BINARY\" or \"VOID\")", err);
        }
        NB_TRY(nb_bind_cast(call, 1, text, err));
        t = text;
    }
    if (t->id != NB_TYPE_NULL && nb_type_is_string(t) != nb_type_is_string(call->args[0]->type)) {
        return nb_raise(err, NB_COND_DATATYPE_MISMATCH_DATA_DIFF_TYPES, "sqlExpr",
                        nb_arena_printf(call->arena, "\"%s\"", nb_bind_call_sql(call)),
                        "functionName", "`listagg`", "dataType",
                        nb_type_is_string(t) ? "(\"BINARY\" or \"STRING\")"
                                             : "(\"STRING\" or \"BINARY\")",
                        NULL);
    }
    NB_TRY(nb_bind_constant(call, 1, &v, err));
    if (v == NULL) {
        return nb_bind_not_foldable(call, 1, "`delimiter`", "\"STRING\"", err);
    }
    if (!nb_vector_is_null(v, 0)) {
        p->delimiter = nb_arena_str(call->arena, nb_view_str(&NB_DATA(nb_view, v)[0]));
        if (p->delimiter.data == NULL) {
            return NB_NOMEM;
        }
    }
    call->payload = p;
    call->type = call->args[0]->type;
    call->nullable = true;
    agg->ops = &listagg_ops;
    *out = p;
    return NB_OK;
}

nb_status
nb_agg_bind_listagg(nb_bound_agg *agg, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    listagg_payload *p;

    if (call->n_args == 1) {
        nb_expr **both = NB_ARENA_ARRAY(call->arena, nb_expr *, 2);
        if (both == NULL) {
            return NB_NOMEM;
        }
        both[0] = call->args[0];
        both[1] = nb_expr_null(call->arena, nb_type_of(NB_TYPE_NULL));
        if (both[1] == NULL) {
            return NB_NOMEM;
        }
        call->args = both;
        call->n_args = 2;
    }
    return bind_value(agg, &p, err);
}

/* DISTINCT keeps one row per value, so the key has to follow from the value: it is the value itself or, where different values have
 * different texts, what the value is a text of. */
static nb_status
check_distinct(nb_bound_call *call, nb_error *err)
{
    const nb_expr *value = call->args[0], *key = call->args[FIRST_KEY];
    const nb_expr *inner = value->kind == NB_EXPR_CAST ? value->args[0] : value;
    nb_strbuf keys = {0};
    nb_status st;

    if (call->n_args == FIRST_KEY + 1 && nb_expr_equal(value, key)) {
        return NB_OK;
    }
    if (call->n_args == FIRST_KEY + 1 && nb_expr_equal(inner, key)) {
        switch ((int)inner->type->id) {
        case NB_TYPE_FLOAT32:
        case NB_TYPE_FLOAT64:
        case NB_TYPE_TIMESTAMP:
        case NB_TYPE_NULL:
            return nb_raise(
                err,
                NB_COND_INVALID_WITHIN_GROUP_EXPRESSION_MISMATCH_WITH_DISTINCT_INPUT_UNSAFE_CAST,
                "funcName", "`listagg`", "inputType",
                nb_arena_printf(call->arena, "\"%s\"", nb_type_sql(call->arena, inner->type)),
                "castType",
                nb_arena_printf(call->arena, "\"%s\"", nb_type_sql(call->arena, value->type)),
                NULL);
        default: return NB_OK;
        }
    }
    for (int i = FIRST_KEY; i < call->n_args; i++) {
        nb_strbuf_addf(&keys, i > FIRST_KEY ? ", \"%s\"" : "\"%s\"",
                       nb_expr_sql(call->arena, call->args[i], false));
    }
    st = nb_raise(err, NB_COND_INVALID_WITHIN_GROUP_EXPRESSION_MISMATCH_WITH_DISTINCT_INPUT,
                  "funcName", "`listagg`", "funcArg",
                  nb_arena_printf(call->arena, "\"%s\"", nb_expr_sql(call->arena, value, false)),
                  "orderingExpr", keys.failed ? "" : keys.data, NULL);
    nb_strbuf_free(&keys);
    return st;
}

nb_status
nb_agg_bind_sorted_listagg(nb_bound_agg *agg, nb_error *err)
{
    nb_bound_call *call = &agg->call;
    const nb_vector *orders;
    listagg_payload *p;

    NB_TRY(bind_value(agg, &p, err));
    NB_TRY(nb_bind_constant(call, 2, &orders, err));
    if (orders == NULL || orders->type->id != NB_TYPE_STRING || nb_vector_is_null(orders, 0) ||
        nb_view_str(&NB_DATA(nb_view, orders)[0]).len != 2 * (size_t)(call->n_args - FIRST_KEY)) {
        return nb_raise_internal(err, "the orders of listagg do not fit its keys");
    }
    p->orders = nb_arena_str(call->arena, nb_view_str(&NB_DATA(nb_view, orders)[0])).data;
    p->n_keys = call->n_args - FIRST_KEY;
    if (p->orders == NULL) {
        return NB_NOMEM;
    }
    for (int i = FIRST_KEY; i < call->n_args; i++) {
        if (!nb_type_is_orderable(call->args[i]->type)) {
            return nb_raise(
                err, NB_COND_DATATYPE_MISMATCH_INVALID_ORDERING_TYPE, "sqlExpr",
                nb_arena_printf(call->arena, "\"%s %s NULLS %s\"",
                                nb_expr_sql(call->arena, call->args[i], false),
                                p->orders[2 * (i - FIRST_KEY)] == 'D' ? "DESC" : "ASC",
                                p->orders[2 * (i - FIRST_KEY) + 1] == 'L' ? "LAST" : "FIRST"),
                "functionName", "`sortorder`", "dataType",
                nb_arena_printf(call->arena, "\"%s\"",
                                nb_type_sql(call->arena, call->args[i]->type)),
                NULL);
        }
    }
    return call->is_distinct ? check_distinct(call, err) : NB_OK;
}
