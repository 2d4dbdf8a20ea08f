/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_collect.c: collect_list, collect_set, mode: aggregates that keep values.
 *
 * Items carry the place of their row (morsel, row), and lists are sorted by it before they become a result, so that the order of elements
 * does not depend on threads. Sets have a small open-addressing index over the list's items, with a count per item for mode.
 */
#include "expr/kernels/agg_value.h"

/* ---- collect_list ------------------------------------------------------------------------------------------------------------------- */

static nb_status
list_add(nb_agg_ctx *ctx, const nb_vector *v, int64_t i, int64_t row, nb_agg_list *list)
{
    if (nb_vector_is_null(v, i)) {
        return NB_OK;
    }
    nb_agg_item *it = nb_agg_list_push(ctx->memory, list, ctx->order, row);
    return it ? nb_agg_value_set(ctx->memory, v, i, &it->value, NULL) : NB_NOMEM;
}

static nb_status
list_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
            int64_t row0)
{
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(list_add(ctx, args, i, row0 + i, (nb_agg_list *)(rows[i] + offset)));
    }
    return NB_OK;
}

static nb_status
list_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(list_add(ctx, args, i, row0 + i, state));
    }
    return NB_OK;
}

static nb_status
list_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(nb_agg_list_merge(ctx->memory, ctx->expr->args[0]->type,
                                 (nb_agg_list *)(into[i] + offset),
                                 (const nb_agg_list *)(from[i] + offset)));
    }
    return NB_OK;
}

/* Lists (sorted here) to an ARRAY column. */
static nb_status
lists_to_arrays(nb_agg_ctx *ctx, nb_agg_list **lists, int64_t n, nb_vector *out)
{
    int64_t total = 0;

    for (int64_t i = 0; i < n; i++) {
        nb_agg_list_sort(lists[i]);
        NB_DATA(nb_list, out)[i] = (nb_list){(uint32_t)total, lists[i]->n};
        total += lists[i]->n;
    }
    if (total > INT32_MAX) {
        return nb_raise(ctx->err, NB_COND_UNABLE_TO_ACQUIRE_MEMORY, "requestedBytes",
                        "more than 2^31 elements", "receivedBytes", "0", NULL);
    }
    const nb_agg_value **values =
        NB_ARENA_ARRAY(ctx->scratch, const nb_agg_value *, NB_MAX(total, 1));
    if (values == NULL) {
        return NB_NOMEM;
    }
    int64_t k = 0;
    for (int64_t i = 0; i < n; i++) {
        for (uint32_t j = 0; j < lists[i]->n; j++) {
            values[k++] = &lists[i]->items[j].value;
        }
    }
    return nb_agg_values_to_vector(ctx->scratch, out->type->children[0].type, values, total,
                                   &out->children[0]);
}

static nb_status
list_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    nb_agg_list **lists = NB_ARENA_ARRAY(ctx->scratch, nb_agg_list *, NB_MAX(n, 1));

    if (lists == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        lists[i] = (nb_agg_list *)(rows[i] + offset);
    }
    return lists_to_arrays(ctx, lists, n, out);
}

static nb_status
list_serialize(nb_agg_ctx *ctx, const void *state, nb_strbuf *out)
{
    return nb_agg_list_serialize(ctx, ctx->expr->args[0]->type, state, out);
}

static nb_status
list_deserialize(nb_agg_ctx *ctx, nb_str bytes, void *state)
{
    return nb_agg_list_deserialize(ctx, ctx->expr->args[0]->type, bytes, state);
}

static const nb_agg_ops list_ops = {.state_size = sizeof(nb_agg_list),
                                    .state_align = 8,
                                    .update = list_update,
                                    .update_one = list_update_one,
                                    .merge = list_merge,
                                    .finalize = list_finalize,
                                    .serialize = list_serialize,
                                    .deserialize = list_deserialize};

nb_status
nb_agg_bind_collect_list(nb_bound_agg *agg, nb_error *err)
{
    agg->call.type = nb_type_array(agg->call.args[0]->type, false);
    agg->call.nullable = false;
    agg->ops = &list_ops;
    return agg->call.type ? NB_OK : NB_NOMEM;
}

/* ---- sets --------------------------------------------------------------------------------------------------------------------------- */

typedef struct set_state {
    nb_agg_list list;
    uint64_t *hashes; /* of the items; as long as the list's capacity */
    int64_t *counts;
    uint32_t *slots; /* item number + 1; 0 = empty */
    uint32_t n_slots, cap;
} set_state;

static nb_status
set_grow(nb_arena *memory, set_state *s)
{
    uint32_t cap = s->cap ? s->cap * 2 : 4, n_slots = cap * 2;
    uint64_t *hashes = NB_ARENA_ARRAY(memory, uint64_t, cap);
    int64_t *counts = NB_ARENA_ARRAY(memory, int64_t, cap);
    uint32_t *slots = nb_arena_zalloc(memory, n_slots * sizeof *slots);

    if (hashes == NULL || counts == NULL || slots == NULL || s->cap > UINT32_MAX / 8) {
        return NB_NOMEM;
    }
    if (s->list.n) {
        memcpy(hashes, s->hashes, s->list.n * sizeof *hashes);
        memcpy(counts, s->counts, s->list.n * sizeof *counts);
    }
    for (uint32_t i = 0; i < s->list.n; i++) {
        uint32_t slot = (uint32_t)hashes[i] & (n_slots - 1);
        while (slots[slot]) {
            slot = (slot + 1) & (n_slots - 1);
        }
        slots[slot] = i + 1;
    }
    s->hashes = hashes;
    s->counts = counts;
    s->slots = slots;
    s->n_slots = n_slots;
    s->cap = cap;
    return NB_OK;
}

/* Adds a value `count` times. The earliest place is kept. */
static nb_status
set_add(nb_arena *memory, const nb_type *t, set_state *s, const nb_agg_value *value, int64_t count,
        uint64_t order, int64_t row)
{
    uint64_t h = nb_agg_value_hash(t, value);

    if (s->list.n == s->cap) {
        NB_TRY(set_grow(memory, s));
    }
    uint32_t slot = (uint32_t)h & (s->n_slots - 1);
    for (; s->slots[slot]; slot = (slot + 1) & (s->n_slots - 1)) {
        uint32_t k = s->slots[slot] - 1;
        nb_agg_item *it = &s->list.items[k];
        if (s->hashes[k] == h && nb_agg_value_compare(t, &it->value, value) == 0) {
            s->counts[k] += count;
            if (order < it->order || (order == it->order && row < it->row)) {
                it->order = order;
                it->row = row;
                s->list.unsorted = true;
            }
            return NB_OK;
        }
    }
    nb_agg_item *it = nb_agg_list_push(memory, &s->list, order, row);
    if (it == NULL) {
        return NB_NOMEM;
    }
    s->slots[slot] = s->list.n;
    s->hashes[s->list.n - 1] = h;
    s->counts[s->list.n - 1] = count;
    return nb_agg_value_copy(memory, t, value, &it->value, NULL);
}

static nb_status
set_take(nb_agg_ctx *ctx, const nb_vector *v, int64_t i, int64_t count, int64_t row, set_state *s)
{
    nb_agg_value value;

    if (nb_vector_is_null(v, i)) {
        return NB_OK;
    }
    /* Short-lived: the set copies what it keeps. */
    if (v->type->phys == NB_PHYS_STRING) {
        value.view = NB_DATA(nb_view, v)[v->kind == NB_VEC_CONST ? 0 : i];
    } else {
        NB_TRY(nb_agg_value_set(ctx->scratch, v, i, &value, NULL));
    }
    return set_add(ctx->memory, v->type, s, &value, count, ctx->order, row);
}

static nb_status
set_update(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, uint8_t *const *rows, int offset,
           int64_t row0)
{
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(set_take(ctx, args, i, 1, row0 + i, (set_state *)(rows[i] + offset)));
    }
    return NB_OK;
}

static nb_status
set_update_one(nb_agg_ctx *ctx, const nb_vector *args, int64_t n, void *state, int64_t row0)
{
    if (args->kind == NB_VEC_CONST) {
        return n ? set_take(ctx, args, 0, n, row0, state) : NB_OK;
    }
    for (int64_t i = 0; i < n; i++) {
        NB_TRY(set_take(ctx, args, i, 1, row0 + i, state));
    }
    return NB_OK;
}

static nb_status
set_merge(nb_agg_ctx *ctx, uint8_t *const *into, uint8_t *const *from, int offset, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const set_state *b = (const set_state *)(from[i] + offset);
        for (uint32_t k = 0; k < b->list.n; k++) {
            const nb_agg_item *it = &b->list.items[k];
            NB_TRY(set_add(ctx->memory, ctx->expr->args[0]->type, (set_state *)(into[i] + offset),
                           &it->value, b->counts[k], it->order, it->row));
        }
    }
    return NB_OK;
}

static nb_status
set_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    nb_agg_list *copies = NB_ARENA_ARRAY(ctx->scratch, nb_agg_list, NB_MAX(n, 1));
    nb_agg_list **lists = NB_ARENA_ARRAY(ctx->scratch, nb_agg_list *, NB_MAX(n, 1));

    if (copies == NULL || lists == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        /* Sorting must not disturb the index: windows go on updating after finalize. */
        const set_state *s = (const set_state *)(rows[i] + offset);
        copies[i] = s->list;
        lists[i] = &copies[i];
        if (s->list.unsorted) {
            copies[i].items = NB_ARENA_ARRAY(ctx->scratch, nb_agg_item, s->list.n);
            if (copies[i].items == NULL) {
                return NB_NOMEM;
            }
            memcpy(copies[i].items, s->list.items, s->list.n * sizeof(nb_agg_item));
        }
    }
    return lists_to_arrays(ctx, lists, n, out);
}

static nb_status
set_serialize(nb_agg_ctx *ctx, const void *state, nb_strbuf *out)
{
    const set_state *s = state;

    nb_agg_put(out, &s->list.n, 4);
    nb_agg_put(out, s->counts, s->list.n * sizeof(int64_t));
    return nb_agg_list_serialize(ctx, ctx->expr->args[0]->type, &s->list, out);
}

static nb_status
set_deserialize(nb_agg_ctx *ctx, nb_str bytes, void *state)
{
    const nb_type *t = ctx->expr->args[0]->type;
    nb_agg_list list;
    uint32_t n;
    nb_str counts;

    *(set_state *)state = (set_state){0};
    if (!nb_agg_take(&bytes, &n, 4) || bytes.len / sizeof(int64_t) < n) {
        return nb_raise_internal(ctx->err, "a serialised aggregate state is cut off");
    }
    counts = (nb_str){bytes.data, n * sizeof(int64_t)};
    bytes.data += counts.len;
    bytes.len -= counts.len;
    NB_TRY(nb_agg_list_deserialize(ctx, t, bytes, &list));
    for (uint32_t i = 0; i < list.n && i < n; i++) {
        int64_t count = 1;
        nb_agg_take(&counts, &count, sizeof count);
        NB_TRY(set_add(ctx->memory, t, state, &list.items[i].value, count, list.items[i].order,
                       list.items[i].row));
    }
    return NB_OK;
}

/* The most frequent value; of several the smallest, or the largest where the payload says so. */
static nb_status
mode_finalize(nb_agg_ctx *ctx, uint8_t *const *rows, int offset, int64_t n, nb_vector *out)
{
    const nb_agg_value **values = NB_ARENA_ARRAY(ctx->scratch, const nb_agg_value *, NB_MAX(n, 1));
    int sign = ctx->payload ? -1 : 1;

    if (values == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        const set_state *s = (const set_state *)(rows[i] + offset);
        uint32_t best = 0;
        for (uint32_t k = 1; k < s->list.n; k++) {
            if (s->counts[k] > s->counts[best] ||
                (s->counts[k] == s->counts[best] &&
                 sign * nb_agg_value_compare(out->type, &s->list.items[k].value,
                                             &s->list.items[best].value) <
                     0)) {
                best = k;
            }
        }
        values[i] = s->list.n ? &s->list.items[best].value : NULL;
    }
    return nb_agg_values_to_vector(ctx->scratch, out->type, values, n, out);
}

#define SET_OPS(fin)                  \
    {.state_size = sizeof(set_state), \
     .state_align = 8,                \
     .update = set_update,            \
     .update_one = set_update_one,    \
     .merge = set_merge,              \
     .finalize = fin,                 \
     .serialize = set_serialize,      \
     .deserialize = set_deserialize}
static const nb_agg_ops set_ops = SET_OPS(set_finalize);
static const nb_agg_ops mode_ops = SET_OPS(mode_finalize);

nb_status
nb_agg_bind_collect_set(nb_bound_agg *agg, nb_error *err)
{
    if (!nb_type_is_orderable(agg->call.args[0]->type)) {
        return nb_agg_unorderable(agg, 0, err);
    }
    agg->call.type = nb_type_array(agg->call.args[0]->type, false);
    agg->call.nullable = false;
    agg->ops = &set_ops;
    return agg->call.type ? NB_OK : NB_NOMEM;
}

/* mode's second argument: a constant TRUE or FALSE. */
static nb_status
check_flag(nb_bound_call *call, nb_error *err)
{
    const nb_type *t = call->args[1]->type;
    const char *sql =
        nb_arena_printf(call->arena, "\"%s\"", nb_expr_sql(call->arena, call->args[1], false));
    const nb_vector *v;

    NB_TRY(nb_bind_constant(call, 1, &v, err));
    if (v == NULL) {
        return nb_raise(err, NB_COND_NON_FOLDABLE_ARGUMENT, "funcName", "`mode`", "paramName",
                        "`deterministic`", "paramType", "\"BOOLEAN\"", NULL);
    }
    if (t->id != NB_TYPE_BOOL && t->id != NB_TYPE_NULL) {
        return nb_raise(err, NB_COND_UNEXPECTED_INPUT_TYPE, "paramIndex", "second", "functionName",
                        "`mode`", "requiredType", "\"BOOLEAN\"", "inputSql", sql, "inputType",
                        nb_arena_printf(call->arena, "\"%s\"", nb_type_sql(call->arena, t)), NULL);
    }
    return nb_vector_is_null(v, 0) ? nb_raise(err, NB_COND_DATATYPE_MISMATCH_UNEXPECTED_NULL,
                                              "exprName", "`deterministic`", "sqlExpr", sql, NULL)
                                   : NB_OK;
}

nb_status
nb_agg_bind_mode(nb_bound_agg *agg, nb_error *err)
{
    if (!nb_type_is_orderable(agg->call.args[0]->type)) {
        return nb_agg_unorderable(agg, 0, err);
    }
    if (agg->call.n_args >= 2) { /* "deterministic": always */
        NB_TRY(check_flag(&agg->call, err));
    }
    if (agg->call.n_args ==
        3) { /* descending: the analyzer makes it of WITHIN GROUP (ORDER BY … DESC) */
        static const bool largest = true;
        const nb_vector *v;
        NB_TRY(nb_bind_cast(&agg->call, 2, nb_type_of(NB_TYPE_BOOL), err));
        NB_TRY(nb_bind_constant(&agg->call, 2, &v, err));
        if (v && !nb_vector_is_null(v, 0) && NB_DATA(uint8_t, v)[0]) {
            agg->call.payload = (void *)&largest;
        }
    }
    agg->call.type = agg->call.args[0]->type;
    agg->call.nullable = true;
    agg->ops = &mode_ops;
    return NB_OK;
}
