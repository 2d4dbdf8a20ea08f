/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arrow_ipc_read.c: IPC streams to tables, without trust in a single byte.
 *
 * Each message becomes the same structs that other libraries hand over in memory, an ArrowSchema or an ArrowArray whose buffers point into
 * the stream, with their sizes beside them; the importer then checks offsets, views and indices against the sizes. What is checked here:
 * that every buffer lies inside its body, that compressed ones do not claim more than their codec can give, that fields do
 * not nest or repeat without end.
 *
 * Memory: one reader per stream holds the stream's bytes and an arena with everything decoded; it lives until the last chunk that
 * points into it is gone.
 */
#include <lz4frame.h>
#include <zstd.h>
#include "column/arrow.h"
#include "column/arrow_internal.h"
#include "column/flatbuffer.h"

#define MAX_RATIO_LZ4  255
#define MAX_RATIO_ZSTD 65536
#define MAX_WIDTHLESS  65536 /* rows of a column that takes no bytes at all */

enum { HEADER_SCHEMA = 1, HEADER_DICTIONARY_BATCH = 2, HEADER_RECORD_BATCH = 3 };

typedef struct dictionary {
    int64_t id;
    struct ArrowSchema *schema; /* of its values */
    struct ArrowArray *values;  /* NULL until its batch comes */
    struct dictionary *next;
} dictionary;

typedef struct reader {
    nb_arena *arena; /* holds this struct; charged to the pool */
    nb_buffer *bytes;
    int64_t refs;
    nb_error *err;              /* during the call */
    struct ArrowSchema *schema; /* NULL until its message comes */
    dictionary *dictionaries;
    int64_t n_fields;
} reader;

static void
reader_unref(reader *r)
{
    nb_buffer *bytes = r->bytes;

    if (__atomic_sub_fetch(&r->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        nb_arena_free(r->arena);
        nb_buffer_release(bytes);
    }
}

static nb_status
malformed(reader *r, const char *what)
{
    return nb_raise(r->err, NB_COND_INVALID_ARROW_DATA, "fieldName", "", "message", what, NULL);
}

/* --- schema ------------------------------------------------------------------------------------ */

static const char *
unit_name(int64_t unit)
{
    static const char *const names[] = {"s", "m", "u", "n"};
    return unit >= 0 && unit < 4 ? names[unit] : NULL;
}

/* The format text of a type; NULL when it is malformed or unknown. */
static const char *
read_format(nb_arena *arena, int64_t kind, const nb_fb_table *t)
{
    int64_t a = 0, b = 0, c = 0;
    const char *unit;
    nb_str zone;

    switch (kind) {
    case NB_IPC_NULL: return "n";
    case NB_IPC_BOOL: return "b";
    case NB_IPC_UTF8: return "u";
    case NB_IPC_BINARY: return "z";
    case NB_IPC_LARGE_UTF8: return "U";
    case NB_IPC_LARGE_BINARY: return "Z";
    case NB_IPC_UTF8_VIEW: return "vu";
    case NB_IPC_BINARY_VIEW: return "vz";
    case NB_IPC_LIST: return "+l";
    case NB_IPC_LARGE_LIST: return "+L";
    case NB_IPC_LIST_VIEW: return "+vl";
    case NB_IPC_LARGE_LIST_VIEW: return "+vL";
    case NB_IPC_STRUCT: return "+s";
    case NB_IPC_MAP: return "+m";
    default: break;
    }
    if (t->data == NULL) {
        return NULL;
    }
    switch (kind) {
    case NB_IPC_INT:
        if (!nb_fb_get_int(t, 0, 4, 0, &a) || !nb_fb_get_int(t, 1, 1, 0, &b)) {
            return NULL;
        }
        return a == 8    ? b ? "c" : "C"
               : a == 16 ? b ? "s" : "S"
               : a == 32 ? b ? "i" : "I"
               : a == 64 ? b ? "l" : "L"
                         : NULL;
    case NB_IPC_FLOAT:
        if (!nb_fb_get_int(t, 0, 2, 0, &a)) {
            return NULL;
        }
        return a == 0 ? "e" : a == 1 ? "f" : a == 2 ? "g" : NULL;
    case NB_IPC_DECIMAL:
        if (!nb_fb_get_int(t, 0, 4, 0, &a) || !nb_fb_get_int(t, 1, 4, 0, &b) ||
            !nb_fb_get_int(t, 2, 4, 128, &c)) {
            return NULL;
        }
        return nb_arena_printf(arena, "d:%d,%d,%d", (int)a, (int)b, (int)c);
    case NB_IPC_DATE:
        return nb_fb_get_int(t, 0, 2, 1, &a) ? a == 0 ? "tdD" : a == 1 ? "tdm" : NULL : NULL;
    case NB_IPC_INTERVAL:
        return nb_fb_get_int(t, 0, 2, 0, &a) ? a == 0   ? "tiM"
                                               : a == 1 ? "tiD"
                                               : a == 2 ? "tin"
                                                        : NULL
                                             : NULL;
    case NB_IPC_TIME:
    case NB_IPC_DURATION:
        if (!nb_fb_get_int(t, 0, 2, 1, &a) || (unit = unit_name(a)) == NULL) {
            return NULL;
        }
        return nb_arena_printf(arena, kind == NB_IPC_TIME ? "tt%s" : "tD%s", unit);
    case NB_IPC_TIMESTAMP:
        if (!nb_fb_get_int(t, 0, 2, 0, &a) || (unit = unit_name(a)) == NULL ||
            !nb_fb_get_string(t, 1, &zone)) {
            return NULL;
        }
        return nb_arena_printf(arena, "ts%s:%.*s", unit, (int)zone.len, zone.data);
    case NB_IPC_FIXED_BINARY:
    case NB_IPC_FIXED_LIST:
        if (!nb_fb_get_int(t, 0, 4, 0, &a) || a < 0) {
            return NULL;
        }
        return nb_arena_printf(arena, kind == NB_IPC_FIXED_LIST ? "+w:%d" : "w:%d", (int)a);
    default: return NULL;
    }
}

/* Key-value pairs as ArrowSchema's block. */
static nb_status
read_metadata(reader *r, const nb_fb_table *field, int slot, const char **out)
{
    nb_fb_list list;
    size_t bytes = 4;
    char *p = NULL;
    int32_t n;

    *out = NULL;
    if (!nb_fb_get_list(field, slot, 4, &list)) {
        return malformed(r, "metadata");
    }
    for (int pass = 0; pass < 2; pass++) {
        if (pass == 1) {
            if (list.n == 0) {
                return NB_OK;
            }
            if (bytes > r->bytes->n_bytes * 4) { /* pairs that share their text */
                return malformed(r, "metadata");
            }
            *out = p = nb_arena_alloc(r->arena, bytes);
            if (p == NULL) {
                return NB_NOMEM;
            }
            n = (int32_t)list.n;
            memcpy(p, &n, 4);
            p += 4;
        }
        for (uint32_t i = 0; i < list.n; i++) {
            nb_fb_table pair;
            nb_str text[2];
            if (!nb_fb_list_table(&list, i, &pair) || !nb_fb_get_string(&pair, 0, &text[0]) ||
                !nb_fb_get_string(&pair, 1, &text[1])) {
                return malformed(r, "metadata");
            }
            for (int k = 0; k < 2; k++) {
                bytes += pass == 0 ? 4 + text[k].len : 0;
                if (pass == 1) {
                    n = (int32_t)text[k].len;
                    memcpy(p, &n, 4);
                    memcpy(p + 4, text[k].data, text[k].len);
                    p += 4 + text[k].len;
                }
            }
        }
    }
    return NB_OK;
}

static nb_status
read_field(reader *r, const nb_fb_table *field, int depth, struct ArrowSchema *out);

static nb_status
read_children(reader *r, const nb_fb_list *list, int depth, struct ArrowSchema *out)
{
    out->children = NB_ARENA_ARRAY(r->arena, struct ArrowSchema *, list->n);
    if (out->children == NULL) {
        return NB_NOMEM;
    }
    for (uint32_t i = 0; i < list->n; i++) {
        nb_fb_table field;
        if (!nb_fb_list_table(list, i, &field)) {
            return malformed(r, "a field");
        }
        out->children[i] = NB_ARENA_NEW(r->arena, struct ArrowSchema);
        if (out->children[i] == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(read_field(r, &field, depth, out->children[i]));
    }
    out->n_children = list->n;
    return NB_OK;
}

/* A dictionary-encoded field: the schema of its values becomes that of its indices. */
static nb_status
read_encoding(reader *r, const nb_fb_table *encoding, struct ArrowSchema *field)
{
    dictionary *d = NB_ARENA_NEW(r->arena, dictionary);
    struct ArrowSchema *values = NB_ARENA_NEW(r->arena, struct ArrowSchema);
    nb_fb_table index;

    if (d == NULL || values == NULL) {
        return NB_NOMEM;
    }
    if (!nb_fb_get_int(encoding, 0, 8, 0, &d->id) || !nb_fb_get_table(encoding, 1, &index)) {
        return malformed(r, "a dictionary encoding");
    }
    *values = *field;
    values->metadata = NULL;
    field->format = index.data ? read_format(r->arena, NB_IPC_INT, &index) : "i";
    field->n_children = 0;
    field->children = NULL;
    field->dictionary = values;
    field->private_data = d;
    d->schema = values;
    d->next = r->dictionaries;
    r->dictionaries = d;
    return field->format ? NB_OK : malformed(r, "a dictionary encoding");
}

static nb_status
read_field(reader *r, const nb_fb_table *field, int depth, struct ArrowSchema *out)
{
    nb_fb_table type, encoding;
    int64_t nullable, kind;
    nb_fb_list children;
    nb_str name;

    /* A field is some 40 bytes of its message: tables that are named again and again end here. */
    if (depth > NB_TYPE_MAX_DEPTH || ++r->n_fields > (int64_t)(r->bytes->n_bytes / 8)) {
        return malformed(r, "fields are nested too deeply or are too many");
    }
    if (!nb_fb_get_string(field, 0, &name) || !nb_fb_get_int(field, 1, 1, 0, &nullable) ||
        !nb_fb_get_int(field, 2, 1, 0, &kind) || !nb_fb_get_table(field, 3, &type) ||
        !nb_fb_get_table(field, 4, &encoding) || !nb_fb_get_list(field, 5, 4, &children)) {
        return malformed(r, "a field");
    }
    out->name = nb_arena_strdup(r->arena, name);
    out->flags = nullable ? ARROW_FLAG_NULLABLE : 0;
    out->format = read_format(r->arena, kind, &type);
    if (out->name == NULL) {
        return NB_NOMEM;
    }
    if (out->format == NULL) {
        return nb_raise(r->err, NB_COND_UNSUPPORTED_ARROWTYPE, "typeName", out->name, NULL);
    }
    NB_TRY(read_metadata(r, field, 6, &out->metadata));
    NB_TRY(read_children(r, &children, depth + 1, out));
    return encoding.data != NULL ? read_encoding(r, &encoding, out) : NB_OK;
}

static nb_status
read_schema(reader *r, const nb_fb_table *header)
{
    struct ArrowSchema *s = NB_ARENA_NEW(r->arena, struct ArrowSchema);
    int64_t endianness;
    nb_fb_list fields;

    if (s == NULL) {
        return NB_NOMEM;
    }
    if (r->schema != NULL || !nb_fb_get_int(header, 0, 2, 0, &endianness) || endianness != 0 ||
        !nb_fb_get_list(header, 1, 4, &fields)) {
        return malformed(r, "the schema");
    }
    s->format = "+s";
    s->name = "";
    NB_TRY(read_children(r, &fields, 0, s));
    r->schema = s;
    return NB_OK;
}

/* --- batches ----------------------------------------------------------------------------------- */

typedef struct batch {
    reader *r;
    const uint8_t *body;
    int64_t body_bytes;
    nb_fb_list nodes, parts, variadic;
    uint32_t node, part, view;
    int codec; /* nb_arrow_codec */
} batch;

static nb_status
decompress(batch *b, const uint8_t *p, int64_t n, const void **data, int64_t *size)
{
    int64_t want, ratio = b->codec == NB_ARROW_LZ4 ? MAX_RATIO_LZ4 : MAX_RATIO_ZSTD;
    uint8_t *out;

    if (n < 8) {
        return malformed(b->r, "a compressed buffer");
    }
    memcpy(&want, p, 8);
    p += 8;
    n -= 8;
    if (want == -1) {
        *data = p;
        *size = n;
        return NB_OK;
    }
    if (want < 0 || want / ratio > n) {
        return malformed(b->r, "a compressed buffer claims more than it can hold");
    }
    out = nb_arena_alloc64(b->r->arena, (size_t)want);
    if (out == NULL) {
        return NB_NOMEM;
    }
    if (b->codec == NB_ARROW_ZSTD) {
        size_t got = ZSTD_decompress(out, (size_t)want, p, (size_t)n);
        if (ZSTD_isError(got) || (int64_t)got != want) {
            return malformed(b->r, "a compressed buffer");
        }
    } else {
        LZ4F_dctx *ctx = NULL;
        size_t in = (size_t)n, got = (size_t)want, at = 0, used = 0, more = 1;
        if (LZ4F_isError(LZ4F_createDecompressionContext(&ctx, LZ4F_VERSION))) {
            return NB_NOMEM;
        }
        while (more != 0 && used < (size_t)n) {
            in = (size_t)n - used;
            got = (size_t)want - at;
            more = LZ4F_decompress(ctx, out + at, &got, p + used, &in, NULL);
            if (LZ4F_isError(more) || (in == 0 && got == 0)) {
                break;
            }
            used += in;
            at += got;
        }
        LZ4F_freeDecompressionContext(ctx);
        if (more != 0 || (int64_t)at != want) {
            return malformed(b->r, "a compressed buffer");
        }
    }
    *data = out;
    *size = want;
    return NB_OK;
}

static nb_status
next_buffer(batch *b, const void **data, int64_t *size)
{
    int64_t from, n;

    if (b->part >= b->parts.n) {
        return malformed(b->r, "a batch has too few buffers");
    }
    from = nb_fb_list_i64(&b->parts, b->part, 2, 0);
    n = nb_fb_list_i64(&b->parts, b->part, 2, 1);
    b->part++;
    if (from < 0 || n < 0 || from > b->body_bytes || n > b->body_bytes - from) {
        return malformed(b->r, "a buffer lies outside of its message");
    }
    if (n == 0) {
        *data = NULL;
        *size = 0;
        return NB_OK;
    }
    if (b->codec != NB_ARROW_PLAIN) {
        return decompress(b, b->body + from, n, data, size);
    }
    *data = b->body + from;
    *size = n;
    return NB_OK;
}

/* Buffers of a format in a message; of views the data buffers come on top. */
static int
n_buffers_of(const char *f)
{
    if (f[0] == 'n') {
        return 0;
    }
    if (f[0] == '+') {
        return f[1] == 's' || f[1] == 'w' ? 1 : f[1] == 'v' ? 3 : 2;
    }
    if (f[0] == 'u' || f[0] == 'z' || f[0] == 'U' || f[0] == 'Z') {
        return 3;
    }
    return 2; /* also views */
}

static nb_status
read_array(batch *b, const struct ArrowSchema *s, struct ArrowArray **out)
{
    struct ArrowArray *a = NB_ARENA_NEW(b->r->arena, struct ArrowArray);
    int n = n_buffers_of(s->format);
    bool view = s->format[0] == 'v';
    int64_t n_data = 0, *sizes;

    if (a == NULL) {
        return NB_NOMEM;
    }
    if (b->node >= b->nodes.n) {
        return malformed(b->r, "a batch has too few columns");
    }
    a->length = nb_fb_list_i64(&b->nodes, b->node, 2, 0);
    a->null_count = nb_fb_list_i64(&b->nodes, b->node, 2, 1);
    b->node++;
    if (a->length < 0 || a->length > INT32_MAX || a->null_count < 0 || a->null_count > a->length) {
        return malformed(b->r, "a column has a length out of range");
    }
    if (strcmp(s->format, "w:0") == 0 || strcmp(s->format, "+w:0") == 0) {
        if (a->length > MAX_WIDTHLESS) {
            return malformed(b->r, "a column without width has too many rows");
        }
    }
    if (view) {
        if (b->view >= b->variadic.n) {
            return malformed(b->r, "a batch has too few buffers");
        }
        n_data = nb_fb_list_i64(&b->variadic, b->view++, 1, 0);
        if (n_data < 0 || n_data > b->parts.n) {
            return malformed(b->r, "a batch has too few buffers");
        }
    }
    a->n_buffers = n + n_data + view;
    a->buffers = nb_arena_zalloc(b->r->arena, sizeof(void *) * (size_t)a->n_buffers);
    sizes = nb_arena_zalloc(b->r->arena, sizeof(*sizes) * (size_t)(a->n_buffers + 1));
    if (a->buffers == NULL || sizes == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < n + n_data; i++) {
        NB_TRY(next_buffer(b, &a->buffers[i], &sizes[i]));
    }
    if (view) { /* the C data interface has the sizes of the data buffers in a last one */
        a->buffers[n + n_data] = sizes + 2;
        sizes[n + n_data] = n_data * 8;
    }
    a->private_data = sizes;
    a->release = nb_arrow_sized_release;
    if (s->dictionary != NULL) {
        a->dictionary = ((const dictionary *)s->private_data)->values;
        if (a->dictionary == NULL) {
            return malformed(b->r, "a dictionary is missing");
        }
    }
    a->children = NB_ARENA_ARRAY(b->r->arena, struct ArrowArray *, s->n_children);
    if (a->children == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < s->n_children; i++) {
        NB_TRY(read_array(b, s->children[i], &a->children[i]));
    }
    a->n_children = s->n_children;
    *out = a;
    return NB_OK;
}

static nb_status
batch_init(reader *r, const nb_fb_table *header, const uint8_t *body, int64_t body_bytes,
           batch *out, int64_t *length)
{
    nb_fb_table compression;
    int64_t codec = NB_ARROW_PLAIN, method = 0;

    *out = (batch){.r = r, .body = body, .body_bytes = body_bytes};
    if (!nb_fb_get_int(header, 0, 8, 0, length) || !nb_fb_get_list(header, 1, 16, &out->nodes) ||
        !nb_fb_get_list(header, 2, 16, &out->parts) || !nb_fb_get_table(header, 3, &compression) ||
        !nb_fb_get_list(header, 4, 8, &out->variadic)) {
        return malformed(r, "a batch");
    }
    if (compression.data != NULL &&
        (!nb_fb_get_int(&compression, 0, 1, 0, &codec) ||
         !nb_fb_get_int(&compression, 1, 1, 0, &method) || method != 0 ||
         (codec != NB_ARROW_LZ4 && codec != NB_ARROW_ZSTD))) {
        return malformed(r, "a batch has an unknown compression");
    }
    out->codec = (int)codec;
    if (*length < 0 || *length > INT32_MAX) {
        return malformed(r, "a batch has a length out of range");
    }
    return NB_OK;
}

static void
root_release(struct ArrowArray *a)
{
    a->release = NULL;
    reader_unref(a->private_data);
}

static nb_status
read_record_batch(reader *r, const nb_fb_table *header, const uint8_t *body, int64_t body_bytes,
                  nb_table *table)
{
    struct ArrowArray root = {.release = root_release, .private_data = r};
    nb_chunk *chunk;
    nb_status st;
    batch b;

    NB_TRY(batch_init(r, header, body, body_bytes, &b, &root.length));
    root.n_children = r->schema->n_children;
    root.children = NB_ARENA_ARRAY(r->arena, struct ArrowArray *, root.n_children);
    if (root.children == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < root.n_children; i++) {
        NB_TRY(read_array(&b, r->schema->children[i], &root.children[i]));
    }
    __atomic_fetch_add(&r->refs, 1, __ATOMIC_RELAXED);
    NB_TRY(nb_arrow_import_chunk(table->pool, r->schema, table->schema, &root, &chunk, r->err));
    chunk->order = (uint64_t)table->n_chunks;
    if (chunk->n_rows == 0) {
        nb_chunk_free(chunk);
        return NB_OK;
    }
    st = nb_table_append(table, chunk);
    if (st < 0) {
        nb_chunk_free(chunk);
    }
    return st;
}

/* Do rows of this format take no byte of a message at all? */
static bool
is_widthless(const struct ArrowSchema *s)
{
    if (strcmp(s->format, "+s") != 0) {
        return strcmp(s->format, "n") == 0 || strcmp(s->format, "w:0") == 0 ||
               strcmp(s->format, "+w:0") == 0;
    }
    for (int64_t i = 0; i < s->n_children; i++) {
        if (!is_widthless(s->children[i])) {
            return false;
        }
    }
    return true;
}

static nb_status
read_dictionary_batch(reader *r, const nb_fb_table *header, const uint8_t *body, int64_t body_bytes)
{
    struct ArrowArray *values = NULL;
    int64_t id, delta, length;
    nb_fb_table data;
    bool found = false;
    batch b;

    if (!nb_fb_get_int(header, 0, 8, 0, &id) || !nb_fb_get_table(header, 1, &data) ||
        data.data == NULL || !nb_fb_get_int(header, 2, 1, 0, &delta)) {
        return malformed(r, "a dictionary");
    }
    if (delta) {
        return nb_raise(r->err, NB_COND_UNSUPPORTED_ARROWTYPE, "typeName", "delta dictionary",
                        NULL);
    }
    for (dictionary *d = r->dictionaries; d != NULL; d = d->next) {
        if (d->id == id) {
            NB_TRY(batch_init(r, &data, body, body_bytes, &b, &length));
            NB_TRY(read_array(&b, d->schema, &values));
            if (values->length > MAX_WIDTHLESS && is_widthless(d->schema)) {
                return malformed(r, "a column without width has too many rows");
            }
            d->values = values;
            found = true;
        }
    }
    return found ? NB_OK : malformed(r, "a dictionary that no field has");
}

/* --- streams ----------------------------------------------------------------------------------- */

/* The message at *at; NB_DONE at the end of the stream. */
static nb_status
read_message(reader *r, size_t *at, int64_t *kind, nb_fb_table *header, const uint8_t **body,
             int64_t *body_bytes)
{
    const uint8_t *data = r->bytes->data;
    size_t len = r->bytes->n_bytes;
    uint32_t marker;
    int32_t n;
    nb_fb_table message;

    if (*at == len) {
        return NB_DONE;
    }
    if (len - *at < 8) {
        return malformed(r, "the stream is cut off");
    }
    memcpy(&marker, data + *at, 4);
    memcpy(&n, data + *at + 4, 4);
    if (marker != UINT32_MAX || n < 0) {
        return malformed(r, "not a message of the Arrow stream format");
    }
    if (n == 0) {
        return NB_DONE;
    }
    *at += 8;
    if ((size_t)n > len - *at) {
        return malformed(r, "the stream is cut off");
    }
    if (!nb_fb_root(data + *at, (size_t)n, &message) || !nb_fb_get_int(&message, 1, 1, 0, kind) ||
        !nb_fb_get_table(&message, 2, header) || !nb_fb_get_int(&message, 3, 8, 0, body_bytes) ||
        header->data == NULL) {
        return malformed(r, "a message");
    }
    *at += (size_t)n;
    if (*body_bytes < 0 || (uint64_t)*body_bytes > len - *at) {
        return malformed(r, "the stream is cut off");
    }
    *body = data + *at;
    *at += (size_t)*body_bytes;
    return NB_OK;
}

static nb_status
read_stream(reader *r, nb_pool *pool, const nb_arrow_import_options *options, nb_table **table)
{
    const uint8_t *body = NULL;
    int64_t kind = 0, body_bytes = 0;
    nb_fb_table header;
    const nb_type *type;
    size_t at = 0;
    nb_status st;

    while ((st = read_message(r, &at, &kind, &header, &body, &body_bytes)) == NB_OK) {
        if ((kind == HEADER_SCHEMA) != (r->schema == NULL)) {
            return malformed(r, "the schema is not the first message");
        }
        switch (kind) {
        case HEADER_SCHEMA:
            NB_TRY(read_schema(r, &header));
            NB_TRY(nb_arrow_import_type(r->schema, options, &type, r->err));
            NB_TRY(nb_table_new(pool, type, table));
            break;
        case HEADER_DICTIONARY_BATCH:
            NB_TRY(read_dictionary_batch(r, &header, body, body_bytes));
            break;
        case HEADER_RECORD_BATCH:
            NB_TRY(read_record_batch(r, &header, body, body_bytes, *table));
            break;
        default: return malformed(r, "a message of unknown kind");
        }
    }
    return st < 0 ? st : r->schema == NULL ? malformed(r, "the stream has no schema") : NB_OK;
}

nb_status
nb_arrow_ipc_read(nb_pool *pool, nb_buffer *bytes, const nb_arrow_import_options *options,
                  nb_table **out, nb_error *err)
{
    nb_arena *arena = nb_arena_new(pool);
    reader *r = arena ? NB_ARENA_NEW(arena, reader) : NULL;
    nb_table *table = NULL;
    nb_status st;

    if (r == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    *r = (reader){.arena = arena, .bytes = nb_buffer_ref(bytes), .refs = 1, .err = err};
    st = read_stream(r, pool, options, &table);
    r->err = NULL;
    reader_unref(r);
    if (st < 0) {
        nb_table_release(table);
        return st;
    }
    *out = table;
    return NB_OK;
}
