/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agg_value.c: values of any type in aggregate states.
 *
 * Serialised: numbers as their bytes; strings as length and bytes; nested values recursively, a validity byte before each part.
 */
#include "expr/kernels/agg_value.h"

#include <stdlib.h>

static void
set_string(nb_arena *memory, const nb_view *from, nb_agg_value *value, uint32_t *room, bool *failed)
{
    if (from->len <= NB_VIEW_INLINE) {
        /* A buffer that the value owns is forgotten: its address is gone with the view. */
        value->view = *from;
        if (room) {
            *room = 0;
        }
        return;
    }
    char *p;
    if (room != NULL && *room >= from->len) {
        p = (char *)(uintptr_t)value->view.ptr;
    } else {
        size_t size = room ? (size_t)from->len + from->len / 2 : from->len;
        p = nb_arena_alloc(memory, size);
        if (p == NULL) {
            *failed = true;
            return;
        }
        if (room) {
            *room = (uint32_t)NB_MIN(size, UINT32_MAX);
        }
    }
    memmove(p, from->ptr, from->len);
    value->view = nb_view_make(p, from->len);
}

static nb_status
set_nested(nb_arena *memory, const nb_vector *v, int64_t row, nb_agg_value *value)
{
    uint32_t idx = (uint32_t)row;
    nb_vector one;
    nb_vector *copy = NB_ARENA_NEW(memory, nb_vector);

    if (copy == NULL) {
        return NB_NOMEM;
    }
    NB_TRY(nb_vector_gather(memory, v, &idx, 1, &one));
    NB_TRY(nb_vector_copy(memory, &one, copy));
    value->nested = copy;
    return NB_OK;
}

nb_status
nb_agg_value_set(nb_arena *memory, const nb_vector *v, int64_t row, nb_agg_value *value,
                 uint32_t *room)
{
    bool failed = false;
    int width;

    if (nb_agg_is_nested(v->type)) {
        return set_nested(memory, v, row, value);
    }
    int64_t slot = nb_vector_slot(v, row);
    const nb_vector *flat = v->kind == NB_VEC_DICT ? v->dict : v;
    if (v->type->phys == NB_PHYS_STRING) {
        set_string(memory, &NB_DATA(nb_view, flat)[slot], value, room, &failed);
        return failed ? NB_NOMEM : NB_OK;
    }
    width = nb_phys_width(v->type->phys);
    memset(value->bytes, 0, sizeof value->bytes);
    memcpy(value->bytes, (const char *)flat->data + slot * width, (size_t)width);
    return NB_OK;
}

nb_status
nb_agg_value_copy(nb_arena *memory, const nb_type *t, const nb_agg_value *from, nb_agg_value *value,
                  uint32_t *room)
{
    bool failed = false;

    if (nb_agg_is_nested(t)) {
        return set_nested(memory, from->nested, 0, value);
    }
    if (t->phys == NB_PHYS_STRING) {
        set_string(memory, &from->view, value, room, &failed);
        return failed ? NB_NOMEM : NB_OK;
    }
    *value = *from;
    return NB_OK;
}

/* A vector of one row over a value: no copy. */
static void
as_vector(const nb_type *t, const nb_agg_value *a, nb_vector *out)
{
    *out = (nb_vector){
        .type = t, .kind = NB_VEC_FLAT, .n_rows = 1, .data = (void *)(uintptr_t)a->bytes};
}

int
nb_agg_value_compare_row(const nb_type *t, const nb_agg_value *a, const nb_vector *v, int64_t row)
{
    nb_vector left;

    if (nb_agg_is_nested(t)) {
        return nb_vector_compare(a->nested, 0, v, row);
    }
    as_vector(t, a, &left);
    return nb_vector_compare(&left, 0, v, row);
}

int
nb_agg_value_compare(const nb_type *t, const nb_agg_value *a, const nb_agg_value *b)
{
    nb_vector right;

    if (nb_agg_is_nested(t)) {
        return nb_vector_compare(a->nested, 0, b->nested, 0);
    }
    if (t->phys == NB_PHYS_STRING) {
        return nb_view_compare(&a->view, &b->view);
    }
    as_vector(t, b, &right);
    return nb_agg_value_compare_row(t, a, &right, 0);
}

uint64_t
nb_agg_value_hash(const nb_type *t, const nb_agg_value *a)
{
    nb_vector v;
    uint64_t h = 0;

    if (nb_agg_is_nested(t)) {
        nb_vector_hash(a->nested, 1, &h, false);
        return h;
    }
    as_vector(t, a, &v);
    nb_vector_hash(&v, 1, &h, false);
    return h;
}

nb_status
nb_agg_values_to_vector(nb_arena *arena, const nb_type *t, const nb_agg_value *const *values,
                        int64_t n, nb_vector *out)
{
    if (nb_agg_is_nested(t)) {
        const nb_vector **parts = NB_ARENA_ARRAY(arena, const nb_vector *, NB_MAX(n, 1));
        nb_vector *null = NB_ARENA_NEW(arena, nb_vector);
        if (parts == NULL || null == NULL || n == 0) {
            return n == 0 ? nb_vector_alloc(arena, t, 0, out) : NB_NOMEM;
        }
        NB_TRY(nb_vector_const_null(arena, t, 1, null));
        for (int64_t i = 0; i < n; i++) {
            parts[i] = values[i] ? values[i]->nested : null;
        }
        NB_TRY(nb_vector_concat(arena, parts, (int)n, out));
        out->type = t;
        return NB_OK;
    }
    NB_TRY(nb_vector_alloc(arena, t, n, out));
    size_t width = (size_t)nb_phys_width(t->phys);
    for (int64_t i = 0; i < n; i++) {
        if (values[i] == NULL) {
            NB_TRY(nb_vector_need_validity(arena, out));
            nb_bit_clear(out->validity, i);
            if (out->data) {
                memset((char *)out->data + (size_t)i * width, 0, width);
            }
        } else {
            memcpy((char *)out->data + (size_t)i * width, values[i]->bytes, width);
        }
    }
    return NB_OK;
}

/* ---- serialisation ------------------------------------------------------------------------------------------------------------------ */

static void
put_row(const nb_vector *v, int64_t row, nb_strbuf *out)
{
    const nb_vector *flat = v->kind == NB_VEC_DICT ? v->dict : v;
    bool null = nb_vector_is_null(v, row);
    int64_t slot = v->type->id == NB_TYPE_NULL ? 0 : nb_vector_slot(v, row);

    nb_strbuf_addc(out, null ? 0 : 1);
    if (null) {
        return;
    }
    switch (nb_type_storage(v->type)->phys) {
    case NB_PHYS_STRING: {
        const nb_view *s = &NB_DATA(nb_view, flat)[slot];
        nb_agg_put(out, &s->len, 4);
        nb_agg_put(out, nb_view_data(s), s->len);
        break;
    }
    case NB_PHYS_LIST: {
        nb_list l = NB_DATA(nb_list, flat)[slot];
        nb_agg_put(out, &l.len, 4);
        for (int c = 0; c < flat->n_children; c++) {
            for (uint32_t i = 0; i < l.len; i++) {
                put_row(&flat->children[c], (int64_t)l.offset + i, out);
            }
        }
        break;
    }
    case NB_PHYS_STRUCT:
        for (int c = 0; c < flat->n_children; c++) {
            put_row(&flat->children[c], slot, out);
        }
        break;
    default:
        nb_agg_put(out, (const char *)flat->data + slot * nb_phys_width(v->type->phys),
                   (size_t)nb_phys_width(v->type->phys));
    }
}

/* Reads n rows one after another into a new vector. */
static nb_status
take_rows(nb_arena *arena, const nb_type *t, nb_str *in, int64_t n, nb_vector *out)
{
    const nb_type *storage = nb_type_storage(t);

    if (storage->phys == NB_PHYS_STRUCT || storage->phys == NB_PHYS_LIST) {
        /* Parts are interleaved by row: read row by row and join. */
        nb_vector *rows = NB_ARENA_ARRAY(arena, nb_vector, NB_MAX(n, 1));
        const nb_vector **parts = NB_ARENA_ARRAY(arena, const nb_vector *, NB_MAX(n, 1));
        if (rows == NULL || parts == NULL) {
            return NB_NOMEM;
        }
        for (int64_t i = 0; i < n; i++) {
            char valid;
            uint32_t len = 0;
            parts[i] = &rows[i];
            if (!nb_agg_take(in, &valid, 1)) {
                return NB_ERROR;
            }
            if (!valid) {
                nb_vector null;
                NB_TRY(nb_vector_const_null(arena, t, 1, &null));
                NB_TRY(nb_vector_flatten(arena, &null, &rows[i]));
                continue;
            }
            NB_TRY(nb_vector_alloc(arena, t, 1, &rows[i]));
            if (storage->phys == NB_PHYS_LIST) {
                if (!nb_agg_take(in, &len, 4) || len > in->len) {
                    return NB_ERROR;
                }
                NB_DATA(nb_list, &rows[i])[0] = (nb_list){0, len};
            }
            for (int c = 0; c < rows[i].n_children; c++) {
                NB_TRY(take_rows(arena, storage->children[c].type, in,
                                 storage->phys == NB_PHYS_LIST ? len : 1, &rows[i].children[c]));
            }
        }
        if (n == 1) {
            *out = rows[0];
            return NB_OK;
        }
        return n == 0 ? nb_vector_alloc(arena, t, 0, out)
                      : nb_vector_concat(arena, parts, (int)n, out);
    }
    NB_TRY(nb_vector_alloc(arena, t, n, out));
    for (int64_t i = 0; i < n; i++) {
        char valid;
        if (!nb_agg_take(in, &valid, 1)) {
            return NB_ERROR;
        }
        if (!valid) {
            NB_TRY(nb_vector_need_validity(arena, out));
            nb_bit_clear(out->validity, i);
        } else if (storage->phys == NB_PHYS_STRING) {
            uint32_t len;
            if (!nb_agg_take(in, &len, 4) || in->len < len) {
                return NB_ERROR;
            }
            char *p = nb_arena_alloc(arena, len);
            if (p == NULL) {
                return NB_NOMEM;
            }
            nb_agg_take(in, p, len);
            NB_DATA(nb_view, out)[i] = nb_view_make(p, len);
        } else if (storage->phys != NB_PHYS_NONE) {
            size_t width = (size_t)nb_phys_width(storage->phys);
            if (!nb_agg_take(in, (char *)out->data + (size_t)i * width, width)) {
                return NB_ERROR;
            }
        }
    }
    return NB_OK;
}

nb_status
nb_agg_value_serialize(nb_agg_ctx *ctx, const nb_type *t, const nb_agg_value *value, nb_strbuf *out)
{
    nb_vector v;

    if (nb_agg_is_nested(t)) {
        put_row(value->nested, 0, out);
    } else {
        as_vector(t, value, &v);
        put_row(&v, 0, out);
    }
    return out->failed ? NB_NOMEM : NB_OK;
}

nb_status
nb_agg_value_deserialize(nb_agg_ctx *ctx, const nb_type *t, nb_str *in, nb_agg_value *value)
{
    nb_vector *v = NB_ARENA_NEW(ctx->memory, nb_vector);
    nb_status st;

    if (v == NULL) {
        return NB_NOMEM;
    }
    st = take_rows(ctx->memory, t, in, 1, v);
    if (st == NB_ERROR) {
        return nb_raise_internal(ctx->err, "a serialised aggregate state is cut off");
    }
    NB_TRY(st);
    if (nb_agg_is_nested(t)) {
        value->nested = v;
        return NB_OK;
    }
    return nb_agg_value_set(ctx->memory, v, 0, value, NULL);
}

/* ---- lists -------------------------------------------------------------------------------------------------------------------------- */

nb_agg_item *
nb_agg_list_push(nb_arena *memory, nb_agg_list *list, uint64_t order, int64_t row)
{
    if (list->n == list->cap) {
        uint32_t cap = list->cap ? list->cap * 2 : 4;
        nb_agg_item *items =
            list->cap > UINT32_MAX / 2 ? NULL : NB_ARENA_ARRAY(memory, nb_agg_item, cap);
        if (items == NULL) {
            return NULL;
        }
        if (list->n) {
            memcpy(items, list->items, list->n * sizeof *items);
        }
        list->items = items;
        list->cap = cap;
    }
    nb_agg_item *it = &list->items[list->n];
    if (list->n > 0) {
        const nb_agg_item *last = it - 1;
        int64_t last_row = nb_agg_item_row(last);
        list->unsorted |= last->order > order || (last->order == order && last_row > row);
    }
    list->n++;
    it->order = order;
    it->row = row;
    return it;
}

static int
compare_items(const void *a, const void *b)
{
    const nb_agg_item *x = a, *y = b;
    int64_t i = nb_agg_item_row(x), j = nb_agg_item_row(y);

    return x->order != y->order ? (x->order < y->order ? -1 : 1) : i < j ? -1 : i > j;
}

void
nb_agg_list_sort(nb_agg_list *list)
{
    if (list->unsorted) {
        qsort(list->items, list->n, sizeof *list->items, compare_items);
        list->unsorted = false;
    }
}

nb_status
nb_agg_list_merge(nb_arena *memory, const nb_type *t, nb_agg_list *into, const nb_agg_list *from)
{
    for (uint32_t i = 0; i < from->n; i++) {
        const nb_agg_item *src = &from->items[i];
        nb_agg_item *it = nb_agg_list_push(memory, into, src->order, nb_agg_item_row(src));
        if (it == NULL) {
            return NB_NOMEM;
        }
        it->row = src->row;
        if (src->row >= 0) {
            NB_TRY(nb_agg_value_copy(memory, t, &src->value, &it->value, NULL));
        }
    }
    return NB_OK;
}

nb_status
nb_agg_list_serialize(nb_agg_ctx *ctx, const nb_type *t, const nb_agg_list *list, nb_strbuf *out)
{
    nb_agg_put(out, &list->n, 4);
    for (uint32_t i = 0; i < list->n; i++) {
        const nb_agg_item *it = &list->items[i];
        nb_agg_put(out, &it->order, 8);
        nb_agg_put(out, &it->row, 8);
        if (it->row >= 0) {
            NB_TRY(nb_agg_value_serialize(ctx, t, &it->value, out));
        }
    }
    return out->failed ? NB_NOMEM : NB_OK;
}

nb_status
nb_agg_list_deserialize(nb_agg_ctx *ctx, const nb_type *t, nb_str bytes, nb_agg_list *list)
{
    uint32_t n;

    *list = (nb_agg_list){0};
    if (!nb_agg_take(&bytes, &n, 4)) {
        return nb_raise_internal(ctx->err, "a serialised aggregate state is cut off");
    }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t order;
        int64_t row;
        if (!nb_agg_take(&bytes, &order, 8) || !nb_agg_take(&bytes, &row, 8)) {
            return nb_raise_internal(ctx->err, "a serialised aggregate state is cut off");
        }
        nb_agg_item *it = nb_agg_list_push(ctx->memory, list, order, row < 0 ? -1 - row : row);
        if (it == NULL) {
            return NB_NOMEM;
        }
        it->row = row;
        if (row >= 0) {
            NB_TRY(nb_agg_value_deserialize(ctx, t, &bytes, &it->value));
        }
    }
    return NB_OK;
}
