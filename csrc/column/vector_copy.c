/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector_copy.c: deep copies and concatenation, where list children are packed to the rows in use.
 */
#include "column/vector.h"

#include "column/vector_internal.h"

int64_t
nb_lists_span(const nb_vector *flat, const uint32_t *idx, int64_t n, uint32_t *first,
              bool *contiguous)
{
    const nb_list *lists = flat->data;
    int64_t total = 0;
    bool in_order = true, started = false;
    uint32_t next = 0;

    *first = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t row = idx ? idx[i] : i;
        if (!nb_is_valid(flat->validity, row) || lists[row].len == 0) {
            continue;
        }
        if (!started) {
            *first = next = lists[row].offset;
            started = true;
        }
        in_order &= lists[row].offset == next;
        next = lists[row].offset + lists[row].len;
        total += lists[row].len;
    }
    *contiguous = in_order;
    return total;
}

static nb_status
copy_rows(nb_arena *arena, const nb_vector *v, const uint32_t *idx, int64_t n, nb_vector *out);

static nb_status
own_strings(nb_arena *arena, nb_vector *v)
{
    nb_view *views = v->data;
    size_t bytes = 0;
    char *heap;

    for (int64_t i = 0; i < v->n_rows; i++) {
        if (!nb_is_valid(v->validity, i)) {
            views[i] = (nb_view){0};
        }
        bytes += views[i].len > NB_VIEW_INLINE ? views[i].len : 0;
    }
    if (bytes == 0) {
        return NB_OK;
    }
    heap = nb_arena_alloc(arena, bytes);
    if (heap == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < v->n_rows; i++) {
        if (views[i].len > NB_VIEW_INLINE) {
            memcpy(heap, views[i].ptr, views[i].len);
            views[i].ptr = heap;
            heap += views[i].len;
        }
    }
    return NB_OK;
}

/* Children of the n lists already in v (whose rows came from src), copied to be one run. */
static nb_status
own_lists(nb_arena *arena, const nb_vector *src, nb_vector *v)
{
    nb_list *lists = v->data;
    uint32_t first, next = 0, *idx = NULL;
    bool contiguous;
    int64_t total = nb_lists_span(v, NULL, v->n_rows, &first, &contiguous);

    if (total > INT32_MAX) {
        return NB_NOMEM;
    }
    v->children = NB_ARENA_ARRAY(arena, nb_vector, src->n_children);
    v->n_children = src->n_children;
    if (v->children == NULL) {
        return NB_NOMEM;
    }
    if (!contiguous) {
        idx = NB_ARENA_ARRAY(arena, uint32_t, total);
        if (idx == NULL) {
            return NB_NOMEM;
        }
    }
    for (int64_t i = 0; i < v->n_rows; i++) {
        if (!nb_is_valid(v->validity, i)) {
            lists[i] = (nb_list){0, 0};
            continue;
        }
        if (idx != NULL) {
            for (uint32_t k = 0; k < lists[i].len; k++) {
                idx[next + k] = lists[i].offset + k;
            }
        }
        lists[i].offset = next;
        next += lists[i].len;
    }
    for (int c = 0; c < src->n_children; c++) {
        const nb_vector *child = &src->children[c];
        nb_vector part;
        if (total == 0) {
            NB_TRY(nb_vector_alloc(arena, child->type, 0, &v->children[c]));
        } else if (idx != NULL) {
            NB_TRY(copy_rows(arena, child, idx, total, &v->children[c]));
        } else {
            NB_TRY(nb_vector_slice(arena, child, first, total, &part));
            NB_TRY(copy_rows(arena, &part, NULL, total, &v->children[c]));
        }
    }
    return NB_OK;
}

/* Copies validity and fixed-width rows; strings and lists are made our own afterwards. */
static nb_status
copy_rows(nb_arena *arena, const nb_vector *v, const uint32_t *idx, int64_t n, nb_vector *out)
{
    const nb_type *storage = nb_type_storage(v->type);
    int width = nb_phys_width(storage->phys);
    const nb_vector *flat;
    const uint32_t *rows;
    uint32_t *tmp = NULL;
    nb_vector c;

    if (v->kind != NB_VEC_FLAT) {
        tmp = NB_ARENA_ARRAY(arena, uint32_t, n);
        if (tmp == NULL) {
            return NB_NOMEM;
        }
    }
    nb_vector_resolve(v, idx, n, tmp, &flat, &rows);
    nb_vector_init(&c, v->type, NB_VEC_FLAT, n);
    if (flat->validity != NULL) {
        c.validity = nb_arena_zalloc(arena, NB_BITMAP_BYTES(n));
        if (c.validity == NULL) {
            return NB_NOMEM;
        }
        if (rows != NULL) {
            nb_bitmap_gather(flat->validity, rows, n, c.validity);
        } else {
            nb_bitmap_copy(flat->validity, 0, c.validity, 0, n);
        }
    }
    if (width > 0) {
        c.data = nb_arena_alloc64(arena, (size_t)n * (size_t)width);
        if (c.data == NULL) {
            return NB_NOMEM;
        }
        if (n > 0) {
            nb_row_ops_of(width)->scatter(flat->data, rows, c.data, NULL, n);
        }
    }
    switch (storage->phys) {
    case NB_PHYS_STRING: NB_TRY(own_strings(arena, &c)); break;
    case NB_PHYS_LIST: NB_TRY(own_lists(arena, flat, &c)); break;
    case NB_PHYS_STRUCT:
        c.n_children = flat->n_children;
        c.children = NB_ARENA_ARRAY(arena, nb_vector, c.n_children);
        if (c.children == NULL) {
            return NB_NOMEM;
        }
        for (int i = 0; i < c.n_children; i++) {
            NB_TRY(copy_rows(arena, &flat->children[i], rows, n, &c.children[i]));
        }
        break;
    default: break;
    }
    *out = c;
    return NB_OK;
}

nb_status
nb_vector_copy(nb_arena *arena, const nb_vector *v, nb_vector *out)
{
    return copy_rows(arena, v, NULL, v->n_rows, out);
}

/* The lists of flat parts in one vector: their children are packed to the span that each part uses. */
static nb_status
concat_lists(nb_arena *arena, const nb_vector *parts, int n_parts, nb_vector *out)
{
    nb_vector *slices = NB_ARENA_ARRAY(arena, nb_vector, n_parts);
    const nb_vector **list = NB_ARENA_ARRAY(arena, const nb_vector *, n_parts);
    nb_list *lists = out->data;
    int64_t base = 0;

    if (slices == NULL || list == NULL) {
        return NB_NOMEM;
    }
    for (int c = 0; c < out->n_children; c++) {
        int64_t row = 0;
        base = 0;
        for (int p = 0; p < n_parts; p++) {
            uint32_t lo = UINT32_MAX, hi = 0;
            const nb_list *src = parts[p].data;
            for (int64_t i = 0; i < parts[p].n_rows; i++) {
                if (nb_is_valid(parts[p].validity, i) && src[i].len > 0) {
                    lo = NB_MIN(lo, src[i].offset);
                    hi = NB_MAX(hi, src[i].offset + src[i].len);
                }
            }
            if (lo >= hi) {
                lo = hi = 0;
            }
            if (base + (hi - lo) > INT32_MAX) {
                return NB_NOMEM;
            }
            for (int64_t i = 0; c == 0 && i < parts[p].n_rows; i++) {
                bool used = nb_is_valid(parts[p].validity, i) && src[i].len > 0;
                lists[row + i].offset = used ? (uint32_t)(src[i].offset - lo + base) : 0;
                lists[row + i].len = used ? src[i].len : 0;
            }
            NB_TRY(nb_vector_slice(arena, &parts[p].children[c], lo, hi - lo, &slices[p]));
            list[p] = &slices[p];
            base += hi - lo;
            row += parts[p].n_rows;
        }
        NB_TRY(nb_vector_concat(arena, list, n_parts, &out->children[c]));
    }
    return NB_OK;
}

nb_status
nb_vector_concat(nb_arena *arena, const nb_vector *const *parts, int n_parts, nb_vector *out)
{
    const nb_type *type = parts[0]->type, *storage = nb_type_storage(type);
    int width = nb_phys_width(storage->phys);
    nb_vector *flat = NB_ARENA_ARRAY(arena, nb_vector, n_parts), c;
    int64_t n = 0, at = 0;
    bool nulls = false;

    if (flat == NULL) {
        return NB_NOMEM;
    }
    for (int p = 0; p < n_parts; p++) {
        NB_TRY(nb_vector_flatten(arena, parts[p], &flat[p]));
        n += flat[p].n_rows;
        nulls |= flat[p].validity != NULL;
    }
    if (n > INT32_MAX) {
        return NB_NOMEM;
    }
    nb_vector_init(&c, type, NB_VEC_FLAT, n);
    if (nulls) {
        c.validity = nb_arena_zalloc(arena, NB_BITMAP_BYTES(n));
    }
    if (width > 0) {
        c.data = nb_arena_alloc64(arena, (size_t)n * (size_t)width);
    }
    if (storage->phys == NB_PHYS_STRUCT || storage->phys == NB_PHYS_LIST) {
        c.n_children = storage->n_children;
        c.children = NB_ARENA_ARRAY(arena, nb_vector, c.n_children);
    }
    if ((nulls && !c.validity) || (width > 0 && !c.data) || (c.n_children && !c.children)) {
        return NB_NOMEM;
    }
    for (int p = 0; p < n_parts; p++) {
        if (flat[p].n_rows == 0) {
            continue;
        }
        if (nulls) {
            nb_bitmap_copy(flat[p].validity, 0, c.validity, at, flat[p].n_rows);
        }
        if (width > 0) {
            memcpy((char *)c.data + at * width, flat[p].data,
                   (size_t)flat[p].n_rows * (size_t)width);
        }
        at += flat[p].n_rows;
    }
    if (storage->phys == NB_PHYS_LIST) {
        NB_TRY(concat_lists(arena, flat, n_parts, &c));
    } else if (storage->phys == NB_PHYS_STRUCT) {
        const nb_vector **list = NB_ARENA_ARRAY(arena, const nb_vector *, n_parts);
        if (list == NULL) {
            return NB_NOMEM;
        }
        for (int i = 0; i < c.n_children; i++) {
            for (int p = 0; p < n_parts; p++) {
                list[p] = &flat[p].children[i];
            }
            NB_TRY(nb_vector_concat(arena, list, n_parts, &c.children[i]));
        }
    }
    *out = c;
    return NB_OK;
}
