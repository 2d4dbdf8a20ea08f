/* SPDX-License-Identifier: Apache-2.0 */
/*
 * row_block.c: columns as bytes.
 *
 * The columns follow each other; every part begins at a multiple of 16, so that numbers are used where they lie once a block is read:
 *
 *   column   | 16 bytes, the first says whether a bitmap follows | validity bitmap | data |
 *   data     fixed width: the values · STRING: lengths u32, bytes · LIST: lengths u32, then its children's columns, of the elements only ·
 *            STRUCT: its children's columns · void: nothing, not even the first part
 *
 * The bytes are read again by this process only, so their lengths are believed; that a block decompresses to its size is checked.
 */
#include "exec/row_block.h"

#include <errno.h>
#include <lz4.h>

#define PART       16
#define PACK_LEAST 256 /* smaller blocks stay as they are */

/* ---- writing --------------------------------------------------------------------------------- */

void
nb_block_writer_init(nb_block_writer *w, nb_str dir)
{
    *w = (nb_block_writer){.dir = dir};
}

void
nb_block_writer_free(nb_block_writer *w)
{
    nb_spill_file_free(w->file);
    nb_arena_free(w->scratch);
    nb_strbuf_free(&w->raw);
    nb_strbuf_free(&w->packed);
    *w = (nb_block_writer){.dir = w->dir};
}

/* Room for n bytes at the next multiple of PART; NULL when there is no memory. */
static char *
put_part(nb_strbuf *out, size_t n)
{
    size_t at;

    nb_strbuf_fill(out, 0, NB_ALIGN_UP(out->len, PART) - out->len);
    at = out->len;
    nb_strbuf_fill(out, 0, n);
    return out->failed ? NULL : out->data + at;
}

static nb_status
put_bytes(nb_strbuf *out, const void *p, size_t n)
{
    char *to = put_part(out, n);

    if (to == NULL) {
        return NB_NOMEM;
    }
    if (n > 0) {
        memcpy(to, p, n);
    }
    return NB_OK;
}

static nb_status
put_strings(const nb_vector *flat, int64_t n, nb_strbuf *out)
{
    const nb_view *views = flat->data;
    size_t total = 0;
    char *to = put_part(out, (size_t)n * sizeof(uint32_t));

    if (to == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        uint32_t len = nb_is_valid(flat->validity, i) ? views[i].len : 0;

        memcpy(to + i * (int64_t)sizeof(len), &len, sizeof(len));
        total += len;
    }
    to = put_part(out, total);
    if (to == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        if (nb_is_valid(flat->validity, i) && views[i].len > 0) {
            memcpy(to, nb_view_data(&views[i]), views[i].len);
            to += views[i].len;
        }
    }
    return NB_OK;
}

static nb_status put_column(nb_arena *scratch, const nb_vector *v, int64_t n, nb_strbuf *out);

static nb_status
put_lists(nb_arena *scratch, const nb_vector *flat, int64_t n, nb_strbuf *out)
{
    const nb_list *lists = flat->data;
    int64_t total = 0, at = 0;
    char *lens = put_part(out, (size_t)n * sizeof(uint32_t));
    uint32_t *rows;

    if (lens == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        uint32_t len = nb_is_valid(flat->validity, i) ? lists[i].len : 0;

        memcpy(lens + i * (int64_t)sizeof(len), &len, sizeof(len));
        total += len;
    }
    rows = NB_ARENA_ARRAY(scratch, uint32_t, total);
    if (rows == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        uint32_t len = nb_is_valid(flat->validity, i) ? lists[i].len : 0;

        for (uint32_t k = 0; k < len; k++) {
            rows[at++] = lists[i].offset + k;
        }
    }
    for (int c = 0; c < flat->n_children; c++) {
        nb_vector elements;

        NB_TRY(nb_vector_gather(scratch, &flat->children[c], rows, total, &elements));
        NB_TRY(put_column(scratch, &elements, total, out));
    }
    return NB_OK;
}

static nb_status
put_column(nb_arena *scratch, const nb_vector *v, int64_t n, nb_strbuf *out)
{
    nb_phys phys = nb_type_storage(v->type)->phys;
    nb_vector flat;
    char *head;

    if (phys == NB_PHYS_NONE) {
        return NB_OK;
    }
    NB_TRY(nb_vector_flatten(scratch, v, &flat));
    head = put_part(out, PART);
    if (head == NULL) {
        return NB_NOMEM;
    }
    *head = flat.validity != NULL;
    if (flat.validity != NULL) {
        NB_TRY(put_bytes(out, flat.validity, NB_BITMAP_BYTES(n)));
    }
    switch (phys) {
    case NB_PHYS_STRING: return put_strings(&flat, n, out);
    case NB_PHYS_LIST: return put_lists(scratch, &flat, n, out);
    case NB_PHYS_STRUCT:
        for (int c = 0; c < flat.n_children; c++) {
            NB_TRY(put_column(scratch, &flat.children[c], n, out));
        }
        return NB_OK;
    default: return put_bytes(out, flat.data, (size_t)n * (size_t)nb_phys_width(phys));
    }
}

nb_status
nb_block_write(nb_block_writer *w, const nb_vector *cols, int n_cols, int64_t n, nb_block_ref *out,
               nb_error *err)
{
    nb_str bytes;

    if (w->scratch == NULL) {
        w->scratch = nb_arena_new(NULL);
    }
    if (w->scratch == NULL) {
        return NB_NOMEM;
    }
    if (w->file == NULL) {
        NB_TRY(nb_spill_file_new(w->dir, &w->file, err));
    }
    nb_arena_reset(w->scratch);
    w->raw.len = 0;
    for (int c = 0; c < n_cols; c++) {
        NB_TRY(put_column(w->scratch, &cols[c], n, &w->raw));
    }
    bytes = nb_strbuf_str(&w->raw);
    *out = (nb_block_ref){
        .offset = nb_spill_file_size(w->file), .n_raw = (int64_t)bytes.len, .n_rows = n};
    if (bytes.len >= PACK_LEAST && bytes.len <= LZ4_MAX_INPUT_SIZE) {
        int room = (int)(bytes.len - bytes.len / 8), packed; /* less than that does not pay */

        w->packed.len = 0;
        if (put_part(&w->packed, (size_t)room) == NULL) {
            return NB_NOMEM;
        }
        packed = LZ4_compress_default(bytes.data, w->packed.data, (int)bytes.len, room);
        if (packed > 0) {
            bytes = (nb_str){w->packed.data, (size_t)packed};
        }
    }
    out->n_stored = (int64_t)bytes.len;
    return nb_spill_file_write(w->file, bytes.data, bytes.len, err);
}

nb_status
nb_block_writer_finish(nb_block_writer *w, nb_spill_file **out, nb_error *err)
{
    nb_status st = w->file ? nb_spill_file_finish(w->file, err) : NB_OK;

    if (st == NB_OK) {
        *out = w->file;
        w->file = NULL;
    }
    nb_block_writer_free(w);
    return st;
}

/* ---- reading --------------------------------------------------------------------------------- */

nb_status
nb_block_reader_init(nb_block_reader *r, nb_pool *pool)
{
    *r = (nb_block_reader){.pool = pool, .arena = nb_arena_new(pool)};
    return r->arena ? NB_OK : NB_NOMEM;
}

void
nb_block_reader_free(nb_block_reader *r)
{
    if (r->raw != NULL) {
        nb_pool_dealloc_aligned(r->pool, r->raw, r->cap);
    }
    nb_arena_free(r->arena);
    *r = (nb_block_reader){.pool = r->pool};
}

typedef struct input {
    uint8_t *start;
    size_t at;
    nb_arena *arena;
} input;

static void *
take_part(input *in, size_t n)
{
    size_t at = NB_ALIGN_UP(in->at, PART);

    in->at = at + n;
    return in->start + at;
}

static nb_status take_column(input *in, const nb_type *type, int64_t n, nb_vector *out);

static nb_status
take_strings(input *in, int64_t n, nb_vector *out)
{
    const uint32_t *lens = take_part(in, (size_t)n * sizeof(uint32_t));
    nb_view *views = NB_ARENA_ARRAY(in->arena, nb_view, n);
    const char *p = take_part(in, 0);

    if (views == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        views[i] = nb_view_make(p, lens[i]);
        p += lens[i];
    }
    in->at = (size_t)(p - (const char *)in->start);
    out->data = views;
    return NB_OK;
}

static nb_status
take_lists(input *in, const nb_type *storage, int64_t n, nb_vector *out)
{
    const uint32_t *lens = take_part(in, (size_t)n * sizeof(uint32_t));
    nb_list *lists = NB_ARENA_ARRAY(in->arena, nb_list, n);
    uint32_t total = 0;

    if (lists == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n; i++) {
        lists[i] = (nb_list){lens[i] ? total : 0, lens[i]};
        total += lens[i];
    }
    out->data = lists;
    for (int c = 0; c < out->n_children; c++) {
        NB_TRY(take_column(in, storage->children[c].type, total, &out->children[c]));
    }
    return NB_OK;
}

static nb_status
take_column(input *in, const nb_type *type, int64_t n, nb_vector *out)
{
    const nb_type *storage = nb_type_storage(type);
    nb_phys phys = storage->phys;
    const uint8_t *head;

    if (phys == NB_PHYS_NONE) {
        return nb_vector_alloc(in->arena, type, n, out);
    }
    *out = (nb_vector){.type = type, .kind = NB_VEC_FLAT, .n_rows = (int32_t)n};
    head = take_part(in, PART);
    if (*head) {
        out->validity = take_part(in, NB_BITMAP_BYTES(n));
    }
    if (phys == NB_PHYS_LIST || phys == NB_PHYS_STRUCT) {
        out->n_children = storage->n_children;
        out->children = NB_ARENA_ARRAY(in->arena, nb_vector, storage->n_children);
        if (out->children == NULL) {
            return NB_NOMEM;
        }
    }
    switch (phys) {
    case NB_PHYS_STRING: return take_strings(in, n, out);
    case NB_PHYS_LIST: return take_lists(in, storage, n, out);
    case NB_PHYS_STRUCT:
        for (int c = 0; c < out->n_children; c++) {
            NB_TRY(take_column(in, storage->children[c].type, n, &out->children[c]));
        }
        return NB_OK;
    default: out->data = take_part(in, (size_t)n * (size_t)nb_phys_width(phys)); return NB_OK;
    }
}

static nb_status
load(nb_block_reader *r, const nb_spill_file *file, const nb_block_ref *ref, nb_error *err)
{
    size_t n_raw = (size_t)ref->n_raw, n_stored = (size_t)ref->n_stored;
    char *packed;
    nb_status st;

    if (n_raw > r->cap || r->raw == NULL) {
        size_t cap = NB_ALIGN_UP(n_raw + n_raw / 8, 64) + 64;

        if (r->raw != NULL) {
            nb_pool_dealloc_aligned(r->pool, r->raw, r->cap);
        }
        r->raw = nb_pool_alloc_aligned(r->pool, cap);
        r->cap = r->raw ? cap : 0;
        if (r->raw == NULL) {
            return NB_NOMEM;
        }
    }
    if (n_stored == n_raw) {
        return nb_spill_file_read(file, ref->offset, r->raw, n_raw, err);
    }
    packed = nb_pool_alloc(r->pool, n_stored);
    if (packed == NULL) {
        return NB_NOMEM;
    }
    st = nb_spill_file_read(file, ref->offset, packed, n_stored, err);
    if (st == NB_OK &&
        LZ4_decompress_safe(packed, (char *)r->raw, (int)n_stored, (int)n_raw) != (int)n_raw) {
        st = nb_raise_errno(err, "read", nb_spill_file_path(file), EIO);
    }
    nb_pool_dealloc(r->pool, packed, n_stored);
    return st;
}

nb_status
nb_block_read(nb_block_reader *r, const nb_spill_file *file, const nb_block_ref *ref,
              const nb_type *schema, nb_vector **cols, nb_error *err)
{
    input in = {.arena = r->arena};
    nb_vector *out;

    NB_TRY(load(r, file, ref, err));
    nb_arena_reset(r->arena);
    out = NB_ARENA_ARRAY(r->arena, nb_vector, schema->n_children + 1);
    if (out == NULL) {
        return NB_NOMEM;
    }
    in.start = r->raw;
    for (int c = 0; c < schema->n_children; c++) {
        NB_TRY(take_column(&in, schema->children[c].type, ref->n_rows, &out[c]));
    }
    *cols = out;
    return NB_OK;
}

size_t
nb_block_cost(const nb_type *schema, const nb_block_ref *ref)
{
    size_t per_row = 0;

    for (int c = 0; c < schema->n_children; c++) {
        nb_phys phys = nb_type_storage(schema->children[c].type)->phys;

        /* an arena has up to twice what is asked of it */
        per_row += phys == NB_PHYS_STRING ? 2 * sizeof(nb_view) : phys == NB_PHYS_LIST ? 64 : 0;
    }
    return (size_t)(ref->n_raw + ref->n_raw / 8 + ref->n_stored) + (size_t)ref->n_rows * per_row +
           8192;
}
