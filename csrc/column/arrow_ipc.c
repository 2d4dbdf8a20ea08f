/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arrow_ipc.c: ArrowSchema and ArrowArray as messages of the IPC stream format.
 *
 *   | FF FF FF FF | i32 bytes of metadata | metadata, a FlatBuffer, padded to 8 | body: buffers, each padded to 64 |
 *
 * Arrays are those that arrow_export.c makes: no offsets, no dictionaries. All padding is zero, also the bits behind the last row of
 * a bitmap, so that equal tables give equal bytes and nothing of our memory leaks out.
 */
#include <lz4frame.h>
#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>
#include "column/arrow.h"
#include "column/arrow_internal.h"
#include "column/flatbuffer.h"

#define BODY_ALIGN 64
#define ZSTD_LEVEL 1

enum { HEADER_SCHEMA = 1, HEADER_RECORD_BATCH = 3 };

/* --- schema ------------------------------------------------------------------------------------ */

/* Number of the unit in TimeUnit. */
static int16_t
unit_of(char c)
{
    return c == 's' ? 0 : c == 'm' ? 1 : c == 'u' ? 2 : 3;
}

typedef struct plain_type {
    const char *format;
    nb_arrow_ipc_type type;
    int32_t a,
        b; /* bit width and sign of integers, precision of floats, unit of dates and intervals */
} plain_type;

static const plain_type plain_types[] = {
    {"n", NB_IPC_NULL, 0, 0},         {"b", NB_IPC_BOOL, 0, 0},
    {"c", NB_IPC_INT, 8, 1},          {"C", NB_IPC_INT, 8, 0},
    {"s", NB_IPC_INT, 16, 1},         {"S", NB_IPC_INT, 16, 0},
    {"i", NB_IPC_INT, 32, 1},         {"I", NB_IPC_INT, 32, 0},
    {"l", NB_IPC_INT, 64, 1},         {"L", NB_IPC_INT, 64, 0},
    {"e", NB_IPC_FLOAT, 0, 0},        {"f", NB_IPC_FLOAT, 1, 0},
    {"g", NB_IPC_FLOAT, 2, 0},        {"u", NB_IPC_UTF8, 0, 0},
    {"z", NB_IPC_BINARY, 0, 0},       {"U", NB_IPC_LARGE_UTF8, 0, 0},
    {"Z", NB_IPC_LARGE_BINARY, 0, 0}, {"vu", NB_IPC_UTF8_VIEW, 0, 0},
    {"vz", NB_IPC_BINARY_VIEW, 0, 0}, {"tdD", NB_IPC_DATE, 0, 0},
    {"tdm", NB_IPC_DATE, 1, 0},       {"tiM", NB_IPC_INTERVAL, 0, 0},
    {"tiD", NB_IPC_INTERVAL, 1, 0},   {"tin", NB_IPC_INTERVAL, 2, 0},
    {"+l", NB_IPC_LIST, 0, 0},        {"+L", NB_IPC_LARGE_LIST, 0, 0},
    {"+s", NB_IPC_STRUCT, 0, 0},      {"+m", NB_IPC_MAP, 0, 0},
    {"+vl", NB_IPC_LIST_VIEW, 0, 0},  {"+vL", NB_IPC_LARGE_LIST_VIEW, 0, 0},
};

static nb_fb_pos
write_timestamp(nb_fb_writer *w, const char *f)
{
    nb_fb_pos zone = f[4] ? nb_fb_string(w, nb_str_of(f + 4)) : 0;

    nb_fb_table_start(w, 2);
    nb_fb_field_ref(w, 1, zone);
    nb_fb_field_i16(w, 0, unit_of(f[2]));
    return nb_fb_table_end(w);
}

/* The type's table; *kind its number in the union. 0 when the format is unknown. */
static nb_fb_pos
write_type(nb_fb_writer *w, const char *f, nb_arrow_ipc_type *kind)
{
    int precision, scale, bits;

    if (f[0] == 't' && f[1] == 's') {
        *kind = NB_IPC_TIMESTAMP;
        return write_timestamp(w, f);
    }
    if (f[0] == 'd' && nb_arrow_parse_decimal(f, &precision, &scale, &bits)) {
        *kind = NB_IPC_DECIMAL;
        nb_fb_table_start(w, 3);
        nb_fb_field_i32(w, 0, precision);
        nb_fb_field_i32(w, 1, scale);
        nb_fb_field_i32(w, 2, bits);
        return nb_fb_table_end(w);
    }
    if (f[0] == 't' && (f[1] == 't' || f[1] == 'D')) {
        *kind = f[1] == 't' ? NB_IPC_TIME : NB_IPC_DURATION;
        nb_fb_table_start(w, 2);
        if (f[1] == 't') {
            nb_fb_field_i32(w, 1, unit_of(f[2]) < 2 ? 32 : 64);
        }
        nb_fb_field_i16(w, 0, unit_of(f[2]));
        return nb_fb_table_end(w);
    }
    for (size_t i = 0; i < NB_COUNT_OF(plain_types); i++) {
        const plain_type *t = &plain_types[i];
        if (strcmp(t->format, f) != 0) {
            continue;
        }
        *kind = t->type;
        nb_fb_table_start(w, 2);
        switch (t->type) {
        case NB_IPC_INT:
            nb_fb_field_i32(w, 0, t->a);
            nb_fb_field_u8(w, 1, (uint8_t)t->b);
            break;
        case NB_IPC_FLOAT:
        case NB_IPC_DATE:
        case NB_IPC_INTERVAL: nb_fb_field_i16(w, 0, (int16_t)t->a); break;
        default: break;
        }
        return nb_fb_table_end(w);
    }
    return 0;
}

/* ArrowSchema's metadata block as a vector of KeyValue tables; 0 when there is none. */
static nb_fb_pos
write_metadata(nb_fb_writer *w, const char *p)
{
    nb_fb_pos *pairs, key, value;
    int32_t n, len;

    if (p == NULL) {
        return 0;
    }
    memcpy(&n, p, 4);
    p += 4;
    pairs = NB_ARENA_ARRAY(w->arena, nb_fb_pos, n);
    if (pairs == NULL) {
        w->failed = true;
        return 0;
    }
    for (int32_t i = 0; i < n; i++) {
        memcpy(&len, p, 4);
        key = nb_fb_string(w, (nb_str){p + 4, (size_t)len});
        p += 4 + len;
        memcpy(&len, p, 4);
        value = nb_fb_string(w, (nb_str){p + 4, (size_t)len});
        p += 4 + len;
        nb_fb_table_start(w, 2);
        nb_fb_field_ref(w, 0, key);
        nb_fb_field_ref(w, 1, value);
        pairs[i] = nb_fb_table_end(w);
    }
    return n > 0 ? nb_fb_offset_vector(w, pairs, (size_t)n) : 0;
}

static nb_status
write_fields(nb_fb_writer *w, const struct ArrowSchema *parent, nb_fb_pos *out, nb_error *err);

static nb_status
write_field(nb_fb_writer *w, const struct ArrowSchema *s, nb_fb_pos *out, nb_error *err)
{
    nb_fb_pos name, type, children, metadata;
    nb_arrow_ipc_type kind = NB_IPC_NULL;

    NB_TRY(write_fields(w, s, &children, err));
    metadata = write_metadata(w, s->metadata);
    name = nb_fb_string(w, nb_str_of(s->name ? s->name : ""));
    type = write_type(w, s->format, &kind);
    if (type == 0) {
        return nb_raise(err, NB_COND_UNSUPPORTED_ARROWTYPE, "typeName", s->format, NULL);
    }
    nb_fb_table_start(w, 7);
    nb_fb_field_ref(w, 0, name);
    nb_fb_field_ref(w, 3, type);
    nb_fb_field_ref(w, 5, children);
    nb_fb_field_ref(w, 6, metadata);
    nb_fb_field_u8(w, 1, (s->flags & ARROW_FLAG_NULLABLE) != 0);
    nb_fb_field_u8(w, 2, (uint8_t)kind);
    *out = nb_fb_table_end(w);
    return NB_OK;
}

static nb_status
write_fields(nb_fb_writer *w, const struct ArrowSchema *parent, nb_fb_pos *out, nb_error *err)
{
    nb_fb_pos *fields = NB_ARENA_ARRAY(w->arena, nb_fb_pos, parent->n_children);

    if (fields == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < parent->n_children; i++) {
        NB_TRY(write_field(w, parent->children[i], &fields[i], err));
    }
    *out = nb_fb_offset_vector(w, fields, (size_t)parent->n_children);
    return NB_OK;
}

/* Frames a header as a message. */
static nb_status
write_message(nb_fb_writer *w, nb_fb_pos header, int header_type, int64_t body_bytes,
              nb_strbuf *out)
{
    uint32_t marker = UINT32_MAX;
    nb_str metadata;
    int32_t len;

    nb_fb_table_start(w, 5);
    nb_fb_field_i64(w, 3, body_bytes);
    nb_fb_field_ref(w, 2, header);
    nb_fb_field_i16(w, 0, 4); /* MetadataVersion V5 */
    nb_fb_field_u8(w, 1, (uint8_t)header_type);
    metadata = nb_fb_finish(w, nb_fb_table_end(w));
    if (metadata.data == NULL) {
        return NB_NOMEM;
    }
    len = (int32_t)metadata.len;
    nb_strbuf_add(out, (nb_str){(const char *)&marker, 4});
    nb_strbuf_add(out, (nb_str){(const char *)&len, 4});
    nb_strbuf_add(out, metadata);
    return out->failed ? NB_NOMEM : NB_OK;
}

nb_status
nb_arrow_ipc_write_schema(const struct ArrowSchema *schema, nb_strbuf *out, nb_error *err)
{
    nb_fb_writer w = {.arena = nb_arena_new(NULL)};
    nb_fb_pos fields, metadata;
    nb_status st = NB_NOMEM;

    if (w.arena != NULL) {
        NB_TRY_GOTO(st, write_fields(&w, schema, &fields, err), done);
        metadata = write_metadata(&w, schema->metadata);
        nb_fb_table_start(&w, 4);
        nb_fb_field_ref(&w, 1, fields);
        nb_fb_field_ref(&w, 2, metadata);
        nb_fb_field_i16(&w, 0, 0); /* little endian */
        st = write_message(&w, nb_fb_table_end(&w), HEADER_SCHEMA, 0, out);
    }
done:
    nb_arena_free(w.arena);
    return st;
}

/* --- record batches ---------------------------------------------------------------------------- */

typedef struct node {
    int64_t length, null_count;
} node;

typedef struct part {
    int64_t offset, length; /* in the body */
} part;

/* A buffer of the batch: where its bytes are, and how many count. */
typedef struct source {
    const void *data;
    int64_t n_bytes;
    int tail_bits; /* of a bitmap: bits that count in its last byte; 0 = all */
} source;

typedef struct batch {
    nb_arena *arena;
    node *nodes;
    source *sources;
    int64_t *variadic;
    int n_nodes, n_sources, n_variadic;
    nb_error *err;
} batch;

static void
count_parts(const struct ArrowSchema *s, const struct ArrowArray *a, batch *b)
{
    b->n_nodes++;
    b->n_sources += (int)a->n_buffers;
    b->n_variadic++;
    for (int64_t i = 0; i < a->n_children; i++) {
        count_parts(s->children[i], a->children[i], b);
    }
}

static void
add_source(batch *b, const void *data, int64_t n_bytes, int tail_bits)
{
    b->sources[b->n_sources++] = (source){data, n_bytes, tail_bits};
}

/* Bytes per row of a fixed-width format; 0 when it has another layout. */
static int64_t
fixed_width(const char *f)
{
    int precision, scale, bits;

    if (f[0] == 'd') {
        return nb_arrow_parse_decimal(f, &precision, &scale, &bits) ? bits / 8 : 0;
    }
    if (f[0] == 't') {
        return f[1] == 'd'   ? f[2] == 'D' ? 4 : 8
               : f[1] == 't' ? unit_of(f[2]) < 2 ? 4 : 8
               : f[1] == 'i' ? f[2] == 'M'   ? 4
                               : f[2] == 'D' ? 8
                                             : 16
                             : 8;
    }
    if (f[0] == 'w' && f[1] == ':') {
        return strtol(f + 2, NULL, 10);
    }
    if (f[0] == '\0' || f[1] != '\0') {
        return 0;
    }
    return strchr("cC", f[0])    ? 1
           : strchr("sSe", f[0]) ? 2
           : strchr("iIf", f[0]) ? 4
           : strchr("lLg", f[0]) ? 8
                                 : 0;
}

/* A copy of fixed-width rows in which those that are null, by themselves or because the struct around them is, are zero: they
 * hold whatever was in memory before. */
static nb_status
add_masked(batch *b, const void *data, int64_t width, int64_t n, const uint64_t *valid,
           const uint64_t *outer)
{
    uint8_t *copy = nb_arena_alloc(b->arena, (size_t)(n * width));

    if (copy == NULL) {
        return NB_NOMEM;
    }
    memcpy(copy, data, (size_t)(n * width));
    for (size_t w = 0; w < NB_BITMAP_WORDS(n); w++) {
        uint64_t nulls = ~((valid ? valid[w] : UINT64_MAX) & (outer ? outer[w] : UINT64_MAX)) &
                         nb_bitmap_tail_mask(n, w);
        for (; nulls != 0; nulls &= nulls - 1) {
            memset(copy + (int64_t)(w * 64 + (size_t)__builtin_ctzll(nulls)) * width, 0,
                   (size_t)width);
        }
    }
    add_source(b, copy, n * width, 0);
    return NB_OK;
}

/* *outer becomes the validity of rows within both structs. */
static nb_status
combine_masks(batch *b, const uint64_t *valid, int64_t n, const uint64_t **outer)
{
    uint64_t *both;

    if (valid == NULL || *outer == NULL) {
        *outer = valid ? valid : *outer;
        return NB_OK;
    }
    both = nb_arena_alloc(b->arena, NB_BITMAP_BYTES(n));
    if (both == NULL) {
        return NB_NOMEM;
    }
    nb_bitmap_and(valid, *outer, both, n);
    *outer = both;
    return NB_OK;
}

/* outer: validity of the struct around the array; NULL = none is null. */
static nb_status
gather_parts(batch *b, const struct ArrowSchema *s, const struct ArrowArray *a,
             const uint64_t *outer)
{
    const char *f = s->format;
    int64_t n = a->length, width = fixed_width(f);
    const uint64_t *valid = a->null_count > 0 && a->n_buffers > 0 ? a->buffers[0] : NULL;

    if (a->offset != 0 || s->dictionary != NULL || a->null_count < 0) {
        return nb_raise_internal(b->err, "an Arrow array that is not the engine's own");
    }
    b->nodes[b->n_nodes++] = (node){n, a->null_count};
    if (strcmp(f, "n") == 0) {
        return NB_OK;
    }
    if (a->null_count > 0) {
        add_source(b, a->buffers[0], (n + 7) / 8, (int)(n % 8));
    } else {
        add_source(b, NULL, 0, 0);
    }
    if (width > 0 && (valid != NULL || outer != NULL)) {
        NB_TRY(add_masked(b, a->buffers[1], width, n, valid, outer));
    } else if (width > 0) {
        add_source(b, a->buffers[1], n * width, 0);
    } else if (strcmp(f, "b") == 0) {
        const uint64_t *bits = a->buffers[1];
        NB_TRY(combine_masks(b, valid, n, &bits));
        NB_TRY(combine_masks(b, outer, n, &bits));
        add_source(b, bits, (n + 7) / 8, (int)(n % 8));
    } else if (strcmp(f, "u") == 0 || strcmp(f, "z") == 0) {
        add_source(b, a->buffers[1], (n + 1) * 4, 0);
        add_source(b, a->buffers[2], ((const int32_t *)a->buffers[1])[n], 0);
    } else if (strcmp(f, "U") == 0 || strcmp(f, "Z") == 0) {
        add_source(b, a->buffers[1], (n + 1) * 8, 0);
        add_source(b, a->buffers[2], ((const int64_t *)a->buffers[1])[n], 0);
    } else if (*f == 'v') {
        int64_t data = a->n_buffers - 3;
        add_source(b, a->buffers[1], n * 16, 0);
        for (int64_t i = 0; i < data; i++) {
            add_source(b, a->buffers[2 + i], ((const int64_t *)a->buffers[a->n_buffers - 1])[i], 0);
        }
        b->variadic[b->n_variadic++] = data;
    } else if (strcmp(f, "+l") == 0 || strcmp(f, "+m") == 0) {
        add_source(b, a->buffers[1], (n + 1) * 4, 0);
    } else if (strcmp(f, "+s") != 0) {
        return nb_raise(b->err, NB_COND_UNSUPPORTED_ARROWTYPE, "typeName", f, NULL);
    }
    if (strcmp(f, "+s") == 0) {
        NB_TRY(combine_masks(b, valid, n, &outer));
    } else {
        outer = NULL;
    }
    for (int64_t i = 0; i < a->n_children; i++) {
        NB_TRY(gather_parts(b, s->children[i], a->children[i], outer));
    }
    return NB_OK;
}

/* The source as it goes into the body: masked, compressed behind its length where that is asked for. */
static nb_status
encode(batch *b, source *s, nb_arrow_codec codec)
{
    size_t bound, n = (size_t)s->n_bytes, got = 0;
    uint8_t *out;

    if (s->tail_bits != 0) {
        uint8_t *copy = nb_arena_alloc(b->arena, n);
        if (copy == NULL) {
            return NB_NOMEM;
        }
        memcpy(copy, s->data, n);
        copy[n - 1] &= (uint8_t)((1u << s->tail_bits) - 1);
        s->data = copy;
    }
    if (codec == NB_ARROW_PLAIN || n == 0) {
        return NB_OK;
    }
    bound = codec == NB_ARROW_LZ4 ? LZ4F_compressFrameBound(n, NULL) : ZSTD_compressBound(n);
    out = nb_arena_alloc(b->arena, bound + 8);
    if (out == NULL) {
        return NB_NOMEM;
    }
    if (codec == NB_ARROW_LZ4) {
        got = LZ4F_compressFrame(out + 8, bound, s->data, n, NULL);
        got = LZ4F_isError(got) ? 0 : got;
    } else {
        got = ZSTD_compress(out + 8, bound, s->data, n, ZSTD_LEVEL);
        got = ZSTD_isError(got) ? 0 : got;
    }
    if (got == 0 || got >= n) { /* kept as it is, marked by -1 */
        int64_t plain = -1;
        memcpy(out, &plain, 8);
        memcpy(out + 8, s->data, n);
        got = n;
    } else {
        memcpy(out, &s->n_bytes, 8);
    }
    s->data = out;
    s->n_bytes = (int64_t)got + 8;
    return NB_OK;
}

static nb_status
write_batch(batch *b, int64_t length, nb_arrow_codec codec, nb_strbuf *out)
{
    nb_fb_writer w = {.arena = b->arena};
    nb_fb_pos nodes, parts, compression = 0, variadic = 0;
    part *places = NB_ARENA_ARRAY(b->arena, part, b->n_sources);
    int64_t at = 0;

    if (places == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < b->n_sources; i++) {
        NB_TRY(encode(b, &b->sources[i], codec));
        places[i] = (part){at, b->sources[i].n_bytes};
        at += (int64_t)NB_ALIGN_UP((size_t)b->sources[i].n_bytes, BODY_ALIGN);
    }
    nodes = nb_fb_vector(&w, b->nodes, (size_t)b->n_nodes, sizeof(node), 8);
    parts = nb_fb_vector(&w, places, (size_t)b->n_sources, sizeof(part), 8);
    if (codec != NB_ARROW_PLAIN) {
        nb_fb_table_start(&w, 2);
        nb_fb_field_u8(&w, 0, (uint8_t)codec);
        nb_fb_field_u8(&w, 1, 0);
        compression = nb_fb_table_end(&w);
    }
    if (b->n_variadic > 0) {
        variadic = nb_fb_vector(&w, b->variadic, (size_t)b->n_variadic, 8, 8);
    }
    nb_fb_table_start(&w, 5);
    nb_fb_field_i64(&w, 0, length);
    nb_fb_field_ref(&w, 1, nodes);
    nb_fb_field_ref(&w, 2, parts);
    nb_fb_field_ref(&w, 3, compression);
    nb_fb_field_ref(&w, 4, variadic);
    NB_TRY(write_message(&w, nb_fb_table_end(&w), HEADER_RECORD_BATCH, at, out));
    for (int i = 0; i < b->n_sources; i++) {
        const source *s = &b->sources[i];
        nb_strbuf_add(out, (nb_str){s->data, (size_t)s->n_bytes});
        nb_strbuf_fill(out, '\0', NB_ALIGN_UP((size_t)s->n_bytes, BODY_ALIGN) - (size_t)s->n_bytes);
    }
    return out->failed ? NB_NOMEM : NB_OK;
}

nb_status
nb_arrow_ipc_write_batch(const struct ArrowSchema *schema, const struct ArrowArray *array,
                         nb_arrow_codec codec, nb_strbuf *out, nb_error *err)
{
    batch b = {.arena = nb_arena_new(NULL), .err = err};
    nb_status st = NB_NOMEM;

    if (b.arena == NULL) {
        return NB_NOMEM;
    }
    count_parts(schema, array, &b);
    b.nodes = NB_ARENA_ARRAY(b.arena, node, b.n_nodes);
    b.sources = NB_ARENA_ARRAY(b.arena, source, b.n_sources);
    b.variadic = NB_ARENA_ARRAY(b.arena, int64_t, b.n_variadic);
    if (b.nodes != NULL && b.sources != NULL && b.variadic != NULL) {
        b.n_nodes = b.n_sources = b.n_variadic = 0;
        st = NB_OK;
        for (int64_t i = 0; i < array->n_children && st == NB_OK; i++) {
            st = gather_parts(&b, schema->children[i], array->children[i], NULL);
        }
        if (st == NB_OK) {
            st = write_batch(&b, array->length, codec, out);
        }
    }
    nb_arena_free(b.arena);
    return st;
}

nb_status
nb_arrow_ipc_write_end(nb_strbuf *out)
{
    static const uint32_t end[2] = {UINT32_MAX, 0};

    nb_strbuf_add(out, (nb_str){(const char *)end, 8});
    return out->failed ? NB_NOMEM : NB_OK;
}

nb_status
nb_arrow_ipc_write_table(nb_table *table, const nb_arrow_options *options, nb_arrow_codec codec,
                         nb_strbuf *out, nb_error *err)
{
    struct ArrowArrayStream stream = {0};
    struct ArrowSchema schema = {0};
    nb_status st;

    NB_TRY(nb_arrow_export_table(table, options, &stream, err));
    NB_TRY_GOTO(st, nb_arrow_export_schema(table->schema, options, &schema, err), done);
    NB_TRY_GOTO(st, nb_arrow_ipc_write_schema(&schema, out, err), done);
    for (;;) {
        struct ArrowArray array;
        int code = stream.get_next(&stream, &array);
        if (code != 0) {
            const char *text = stream.get_last_error(&stream);
            st = nb_raise_internal(err, "%s", text ? text : "export failed");
            goto done;
        }
        if (array.release == NULL) {
            break;
        }
        st = nb_arrow_ipc_write_batch(&schema, &array, codec, out, err);
        array.release(&array);
        if (st < 0) {
            goto done;
        }
    }
    st = nb_arrow_ipc_write_end(out);
done:
    if (schema.release != NULL) {
        schema.release(&schema);
    }
    stream.release(&stream);
    return st;
}
