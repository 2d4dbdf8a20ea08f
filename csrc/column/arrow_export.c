/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arrow_export.c: chunks to ArrowArray, tables to ArrowArrayStream.
 *
 * Everything that an array needs beyond the table's own memory (nodes, offsets, converted columns) lives in one arena charged
 * to the table's pool. Each node of the tree that is not released yet counts as a reference to it, because a consumer may move
 * children out of their parent.
 *
 * A string column with 32-bit offsets holds at most 2 GiB. That is found while writing offsets: NB_DONE then travels up, and the
 * stream tries again with half the rows.
 */
#include <errno.h>
#include "column/arrow.h"
#include "column/arrow_internal.h"
#include "column/vector_internal.h"

typedef struct export
{
    nb_arena *arena; /* holds this struct too */
    nb_table *table;
    const nb_arrow_options *options; /* during the call */
    void *owner;
    void (*release)(void *owner);
    int64_t refs;
}
export;

static void
export_unref(export *e)
{
    nb_table *table = e->table;
    void (*release)(void *) = e->release;
    void *owner = e->owner;

    if (__atomic_sub_fetch(&e->refs, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    nb_arena_free(e->arena);
    nb_table_release(table);
    if (release != NULL) {
        release(owner);
    }
}

static void
array_release(struct ArrowArray *a)
{
    for (int64_t i = 0; i < a->n_children; i++) {
        if (a->children[i]->release != NULL) {
            a->children[i]->release(a->children[i]);
        }
    }
    a->release = NULL;
    export_unref(a->private_data);
}

static nb_status
new_buffers(export *e, struct ArrowArray *a, int n)
{
    a->buffers = nb_arena_zalloc(e->arena, sizeof(void *) * (size_t)n);
    a->n_buffers = n;
    return a->buffers ? NB_OK : NB_NOMEM;
}

static nb_status
new_children(export *e, struct ArrowArray *a, int n)
{
    a->children = NB_ARENA_ARRAY(e->arena, struct ArrowArray *, n);
    if (a->children == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        a->children[i] = NB_ARENA_NEW(e->arena, struct ArrowArray);
        if (a->children[i] == NULL) {
            return NB_NOMEM;
        }
    }
    a->n_children = n;
    return NB_OK;
}

static nb_status export_vector(export *e, const nb_vector *v, int64_t from, int64_t n,
                               const struct ArrowSchema *requested, struct ArrowArray *out);

static nb_status
export_bool(export *e, const nb_vector *v, struct ArrowArray *a)
{
    uint64_t *bits = nb_arena_zalloc(e->arena, NB_BITMAP_BYTES(v->n_rows) + 8);

    if (bits == NULL) {
        return NB_NOMEM;
    }
    nb_bitmap_from_bytes(v->data, v->n_rows, bits);
    a->buffers[1] = bits;
    return NB_OK;
}

static nb_status
export_decimal(export *e, const nb_vector *v, struct ArrowArray *a)
{
    nb_int128 *wide;

    if (nb_type_storage(v->type)->phys == NB_PHYS_INT128) {
        a->buffers[1] = v->data;
        return NB_OK;
    }
    wide = nb_arena_alloc64(e->arena, (size_t)v->n_rows * sizeof(*wide));
    if (wide == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < v->n_rows; i++) {
        wide[i] = NB_DATA(int64_t, v)[i];
    }
    a->buffers[1] = wide;
    return NB_OK;
}

static nb_status
export_interval(export *e, const nb_vector *v, struct ArrowArray *a)
{
    nb_interval *ns = nb_arena_alloc64(e->arena, (size_t)v->n_rows * sizeof(*ns));

    if (ns == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < v->n_rows; i++) {
        ns[i] = NB_DATA(nb_interval, v)[i];
        ns[i].us = (int64_t)((uint64_t)ns[i].us * 1000);
    }
    a->buffers[1] = ns;
    return NB_OK;
}

static nb_status
export_offsets(export *e, const nb_vector *v, bool wide, struct ArrowArray *a)
{
    const nb_view *views = v->data;
    size_t width = wide ? 8 : 4;
    char *offsets = nb_arena_alloc64(e->arena, (size_t)(v->n_rows + 1) * width), *data;
    int64_t at = 0;

    if (offsets == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < v->n_rows; i++) {
        if (wide) {
            ((int64_t *)offsets)[i] = at;
        } else {
            ((int32_t *)offsets)[i] = (int32_t)at;
        }
        at += nb_is_valid(v->validity, i) ? views[i].len : 0;
    }
    if (!wide && at > INT32_MAX) {
        return NB_DONE;
    }
    if (wide) {
        ((int64_t *)offsets)[v->n_rows] = at;
    } else {
        ((int32_t *)offsets)[v->n_rows] = (int32_t)at;
    }
    data = nb_arena_alloc64(e->arena, (size_t)at);
    if (data == NULL) {
        return NB_NOMEM;
    }
    a->buffers[1] = offsets;
    a->buffers[2] = data;
    for (int64_t i = 0; i < v->n_rows; i++) {
        if (nb_is_valid(v->validity, i)) {
            memcpy(data, nb_view_data(&views[i]), views[i].len);
            data += views[i].len;
        }
    }
    return NB_OK;
}

/* | len | prefix | buffer | offset |: ours with the pointer replaced */
static nb_status
export_views(export *e, const nb_vector *v, struct ArrowArray *a)
{
    const nb_view *views = v->data;
    nb_view *out = nb_arena_alloc64(e->arena, (size_t)v->n_rows * sizeof(*out));
    int64_t bytes = 0, *sizes = nb_arena_zalloc(e->arena, sizeof(*sizes));
    char *data;

    if (out == NULL || sizes == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < v->n_rows; i++) {
        out[i] = nb_is_valid(v->validity, i) ? views[i] : (nb_view){0};
        bytes += out[i].len > NB_VIEW_INLINE ? out[i].len : 0;
    }
    if (bytes > INT32_MAX) {
        return NB_DONE;
    }
    NB_TRY(new_buffers(e, a, 4));
    data = nb_arena_alloc64(e->arena, (size_t)bytes);
    if (data == NULL) {
        return NB_NOMEM;
    }
    a->buffers[0] = v->validity;
    a->buffers[1] = out;
    a->buffers[2] = data;
    a->buffers[3] = sizes;
    *sizes = bytes;
    bytes = 0;
    for (int64_t i = 0; i < v->n_rows; i++) {
        if (out[i].len > NB_VIEW_INLINE) {
            int32_t where[2] = {0, (int32_t)bytes};
            memcpy(data + bytes, out[i].ptr, out[i].len);
            bytes += out[i].len;
            memcpy(out[i].rest, where, 8);
        }
    }
    return NB_OK;
}

static nb_status
export_string(export *e, const nb_vector *v, const struct ArrowSchema *requested,
              struct ArrowArray *a)
{
    nb_arrow_layout layout =
        nb_arrow_string_layout(nb_type_storage(v->type), e->options, requested);

    return layout == NB_ARROW_VIEWS ? export_views(e, v, a)
                                    : export_offsets(e, v, layout == NB_ARROW_OFFSETS_64, a);
}

/* Children that lie in one run go out as a slice, others are gathered first. */
static nb_status
export_list(export *e, const nb_vector *v, const struct ArrowSchema *requested,
            struct ArrowArray *a)
{
    const nb_list *lists = v->data;
    int32_t *offsets = nb_arena_alloc64(e->arena, (size_t)(v->n_rows + 1) * sizeof(*offsets));
    uint32_t first, *idx = NULL;
    bool contiguous, map = nb_type_storage(v->type)->id == NB_TYPE_MAP;
    int64_t total = nb_lists_span(v, NULL, v->n_rows, &first, &contiguous);
    struct ArrowArray *parent = a;
    int32_t at = 0;
    nb_status st;

    if (total > INT32_MAX) {
        return NB_DONE;
    }
    if (!contiguous) {
        idx = NB_ARENA_ARRAY(e->arena, uint32_t, total);
    }
    if (offsets == NULL || (!contiguous && idx == NULL)) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < v->n_rows; i++) {
        uint32_t len = nb_is_valid(v->validity, i) ? lists[i].len : 0;
        offsets[i] = at;
        for (uint32_t k = 0; idx != NULL && k < len; k++) {
            idx[at + (int32_t)k] = lists[i].offset + k;
        }
        at += (int32_t)len;
    }
    offsets[v->n_rows] = at;
    a->buffers[1] = offsets;
    if (map) { /* list<entries: struct<key, value>> */
        NB_TRY(new_children(e, a, 1));
        requested = nb_arrow_requested_child(requested, 1, 0);
        parent = a->children[0];
        *parent = (struct ArrowArray){.length = total, .release = array_release, .private_data = e};
        NB_TRY(new_buffers(e, parent, 1));
        e->refs++;
    }
    NB_TRY(new_children(e, parent, v->n_children));
    for (int i = 0; i < v->n_children; i++) {
        const nb_vector *child = &v->children[i];
        nb_vector part;
        int64_t from = first;
        if (idx != NULL) {
            NB_TRY(nb_vector_gather(e->arena, child, idx, total, &part));
            child = &part;
            from = 0;
        }
        st = export_vector(e, child, from, total,
                           nb_arrow_requested_child(requested, v->n_children, i),
                           parent->children[i]);
        if (st != NB_OK) {
            return st;
        }
    }
    return NB_OK;
}

static nb_status
export_struct(export *e, const nb_vector *v, const struct ArrowSchema *requested,
              struct ArrowArray *a)
{
    NB_TRY(new_children(e, a, v->n_children));
    for (int i = 0; i < v->n_children; i++) {
        nb_status st =
            export_vector(e, &v->children[i], 0, v->n_rows,
                          nb_arrow_requested_child(requested, v->n_children, i), a->children[i]);
        if (st != NB_OK) {
            return st;
        }
    }
    return NB_OK;
}

/* NB_DONE: too long for 32-bit offsets. */
static nb_status
export_vector(export *e, const nb_vector *vector, int64_t from, int64_t n,
              const struct ArrowSchema *requested, struct ArrowArray *out)
{
    struct ArrowArray a = {.length = n, .release = array_release, .private_data = e};
    const nb_type *storage = nb_type_storage(vector->type);
    nb_vector part, v;
    nb_status st = NB_OK;

    NB_TRY(nb_vector_slice(e->arena, vector, from, n, &part));
    NB_TRY(nb_vector_flatten(e->arena, &part, &v));
    if (storage->id == NB_TYPE_NULL) {
        a.null_count = n;
        e->refs++;
        *out = a;
        return NB_OK;
    }
    if (v.validity != NULL) {
        a.null_count = n - nb_bitmap_count(v.validity, n);
        v.validity = a.null_count > 0 ? v.validity : NULL;
    }
    NB_TRY(new_buffers(e, &a,
                       storage->phys == NB_PHYS_STRING   ? 3
                       : storage->phys == NB_PHYS_STRUCT ? 1
                                                         : 2));
    a.buffers[0] = v.validity;
    switch (storage->phys) {
    case NB_PHYS_BOOL: st = export_bool(e, &v, &a); break;
    case NB_PHYS_STRING: st = export_string(e, &v, requested, &a); break;
    case NB_PHYS_INTERVAL: st = export_interval(e, &v, &a); break;
    case NB_PHYS_LIST: st = export_list(e, &v, requested, &a); break;
    case NB_PHYS_STRUCT: st = export_struct(e, &v, requested, &a); break;
    default:
        if (storage->id == NB_TYPE_DECIMAL) {
            st = export_decimal(e, &v, &a);
        } else {
            a.buffers[1] = v.data;
        }
    }
    if (st != NB_OK) {
        return st;
    }
    e->refs++;
    *out = a;
    return NB_OK;
}

/* NB_DONE: the rows are too long for one array. */
static nb_status
export_rows(nb_table *table, const nb_vector *cols, int64_t from, int64_t n,
            const nb_arrow_options *options, struct ArrowArray *out)
{
    int n_cols = table->schema->n_children;
    nb_arena *arena = nb_arena_new(table->pool);
    export *e = arena ? NB_ARENA_NEW(arena, export) : NULL;
    struct ArrowArray a = {.length = n, .release = array_release};
    nb_status st;

    if (e == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    *e = (export){.arena = arena,
                  .table = table,
                  .options = options,
                  .owner = options->owner,
                  .release = options->release,
                  .refs = 1};
    a.private_data = e;
    NB_TRY_GOTO(st, new_buffers(e, &a, 1), fail);
    NB_TRY_GOTO(st, new_children(e, &a, n_cols), fail);
    for (int i = 0; i < n_cols; i++) {
        st = export_vector(e, &cols[i], from, n,
                           nb_arrow_requested_child(options->requested, n_cols, i), a.children[i]);
        if (st != NB_OK) {
            goto fail;
        }
    }
    nb_table_ref(table);
    if (options->retain != NULL) {
        options->retain(options->owner);
    }
    e->options = NULL;
    *out = a;
    return NB_OK;
fail:
    nb_arena_free(arena);
    return st;
}

static nb_status
too_long(nb_error *err)
{
    return nb_raise_internal(err, "a row holds more than 2 GiB of text or list elements");
}

nb_status
nb_arrow_export_chunk(nb_table *table, const nb_chunk *chunk, int64_t from, int64_t n,
                      const nb_arrow_options *options, struct ArrowArray *out, nb_error *err)
{
    nb_status st = export_rows(table, chunk->cols, from, n, options, out);

    return st == NB_DONE ? too_long(err) : st;
}

/* --- streams ----------------------------------------------------------------------------------- */

typedef struct stream {
    nb_arena *arena; /* holds this struct */
    nb_table *table;
    nb_arrow_options options;
    int chunk;
    int64_t row;
    bool any; /* an array was given */
    nb_error err;
} stream;

static int
stream_errno(stream *s, nb_status st)
{
    if (st >= 0) {
        return 0;
    }
    if (!s->err.set && st == NB_NOMEM) {
        nb_raise(&s->err, NB_COND_UNABLE_TO_ACQUIRE_MEMORY, "requestedBytes", "more",
                 "receivedBytes", "0", NULL);
    }
    return st == NB_NOMEM ? ENOMEM : EIO;
}

static int
stream_get_schema(struct ArrowArrayStream *self, struct ArrowSchema *out)
{
    stream *s = self->private_data;

    nb_error_clear(&s->err);
    return stream_errno(s, nb_arrow_export_schema(s->table->schema, &s->options, out, &s->err));
}

static nb_status
stream_empty(stream *s, struct ArrowArray *out)
{
    int n = s->table->schema->n_children;
    nb_vector *cols = NB_ARENA_ARRAY(s->arena, nb_vector, n);

    if (cols == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        NB_TRY(nb_vector_alloc(s->arena, s->table->schema->children[i].type, 0, &cols[i]));
    }
    return export_rows(s->table, cols, 0, 0, &s->options, out);
}

static nb_status
stream_next(stream *s, struct ArrowArray *out)
{
    nb_table *t = s->table;

    while (s->chunk < t->n_chunks) {
        const nb_chunk *chunk = t->chunks[s->chunk];
        int64_t n = chunk->n_rows - s->row;
        nb_status st;
        if (n == 0) {
            s->chunk++;
            s->row = 0;
            continue;
        }
        if (s->options.max_rows > 0) {
            n = NB_MIN(n, s->options.max_rows);
        }
        while ((st = export_rows(t, chunk->cols, s->row, n, &s->options, out)) == NB_DONE) {
            if (n == 1) {
                return too_long(&s->err);
            }
            n = (n + 1) / 2;
        }
        NB_TRY(st);
        s->row += n;
        s->any = true;
        return NB_OK;
    }
    if (!s->any) {
        s->any = true;
        return stream_empty(s, out);
    }
    *out = (struct ArrowArray){0};
    return NB_OK;
}

static int
stream_get_next(struct ArrowArrayStream *self, struct ArrowArray *out)
{
    stream *s = self->private_data;

    nb_error_clear(&s->err);
    return stream_errno(s, stream_next(s, out));
}

static const char *
stream_get_last_error(struct ArrowArrayStream *self)
{
    stream *s = self->private_data;

    return s->err.set ? nb_error_message(&s->err) : NULL;
}

static void
stream_release(struct ArrowArrayStream *self)
{
    stream *s = self->private_data;
    nb_arrow_options o = s->options;

    self->release = NULL;
    nb_error_clear(&s->err);
    nb_table_release(s->table);
    nb_arena_free(s->arena);
    if (o.release != NULL) {
        o.release(o.owner);
    }
}

/* What the caller asks for may die before the stream does: its formats and children are copied. */
static struct ArrowSchema *
copy_requested(nb_arena *arena, const struct ArrowSchema *s, int depth)
{
    struct ArrowSchema *c = NB_ARENA_NEW(arena, struct ArrowSchema);

    if (c == NULL || depth > NB_TYPE_MAX_DEPTH) {
        return NULL;
    }
    c->format = nb_arena_strdup(arena, nb_str_of(s->format));
    c->n_children = s->n_children;
    c->children = NB_ARENA_ARRAY(arena, struct ArrowSchema *, s->n_children);
    if (c->format == NULL || c->children == NULL) {
        return NULL;
    }
    for (int64_t i = 0; i < s->n_children; i++) {
        c->children[i] = copy_requested(arena, s->children[i], depth + 1);
        if (c->children[i] == NULL) {
            return NULL;
        }
    }
    return c;
}

nb_status
nb_arrow_export_table(nb_table *table, const nb_arrow_options *options,
                      struct ArrowArrayStream *out, nb_error *err)
{
    nb_arena *arena = nb_arena_new(NULL);
    stream *s = arena ? NB_ARENA_NEW(arena, stream) : NULL;

    (void)err;
    if (s == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    s->arena = arena;
    s->table = table;
    s->options = *options;
    if (options->time_zone.len > 0) {
        s->options.time_zone = nb_arena_str(arena, options->time_zone);
        if (s->options.time_zone.data == NULL) {
            nb_arena_free(arena);
            return NB_NOMEM;
        }
    }
    if (options->requested != NULL) {
        s->options.requested = copy_requested(arena, options->requested, 0);
        if (s->options.requested == NULL) {
            nb_arena_free(arena);
            return NB_NOMEM;
        }
    }
    nb_table_ref(table);
    if (options->retain != NULL) {
        options->retain(options->owner);
    }
    *out = (struct ArrowArrayStream){.get_schema = stream_get_schema,
                                     .get_next = stream_get_next,
                                     .get_last_error = stream_get_last_error,
                                     .release = stream_release,
                                     .private_data = s};
    return NB_OK;
}
