/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.c: Parquet files from batches.
 *
 * Values gather per column, plain-encoded, until the row group is large enough (GROUP_BYTES); then each column becomes a chunk of one data page: definition
 * levels, then indices and a dictionary page before it when few values repeat, else the plain values. Physical types are those that Spark
 * writes with spark.sql.parquet.writeLegacyFormat=false: decimals as INT32, INT64 or fixed bytes, timestamps as INT64 µs.
 */
#include "base/hash.h"
#include "io/parquet/block.h"
#include "io/parquet/parquet.h"
#include "io/parquet/thrift.h"

#define GROUP_BYTES ((size_t)64 << 20)
#define GROUP_ROWS  ((int64_t)1 << 20)
#define DICT_MAX    65536

typedef struct pq_options {
    int codec;
    const nb_type *schema;
} pq_options;

typedef struct column_buffer {
    nb_strbuf values; /* plain; strings with their lengths */
    nb_strbuf levels; /* a byte per row: is it there? */
    int64_t n_there, n_nulls;
    /* dictionary of strings: values in order of arrival */
    bool try_dict;
    nb_strbuf dict, codes; /* plain entries; uint32 per value */
    uint32_t *slots;       /* DICT_MAX * 2, code + 1 */
    uint32_t *offsets;     /* of entries in dict */
    uint32_t n_dict;
} column_buffer;

typedef struct chunk_info {
    int64_t dict_offset, data_offset, compressed, uncompressed, n_values, n_nulls;
    bool has_dict;
} chunk_info;

struct nb_file_writer {
    nb_pool *pool;
    nb_arena *arena;
    const pq_options *options;
    nb_file *file;
    int64_t offset; /* bytes written */
    int n_columns;
    column_buffer *columns;
    int64_t n_rows; /* of the current row group */
    int64_t total_rows;
    nb_strbuf groups; /* RowGroup structs, packed */
    int64_t n_groups;
};

nb_status
nb_pq_write_open(nb_arena *arena, const nb_write_request *request, const nb_type *data_schema,
                 void **payload, const char **extension, nb_error *err)
{
    static const struct {
        const char *name, *extension;
        int codec;
    } codecs[] = {{"none", ".parquet", NB_PQ_UNCOMPRESSED},
                  {"uncompressed", ".parquet", NB_PQ_UNCOMPRESSED},
                  {"snappy", ".snappy.parquet", NB_PQ_SNAPPY},
                  {"gzip", ".gz.parquet", NB_PQ_GZIP},
                  {"zstd", ".zstd.parquet", NB_PQ_ZSTD},
                  {"lz4_raw", ".lz4raw.parquet", NB_PQ_LZ4_RAW},
                  {"lz4raw", ".lz4raw.parquet", NB_PQ_LZ4_RAW}};
    nb_str name = nb_option_find(request->options, request->n_options, "compression");
    pq_options *o = NB_ARENA_NEW(arena, pq_options);

    if (!o) {
        return NB_NOMEM;
    }
    name = name.data ? name
                     : nb_option_find(request->options, request->n_options, "parquet.compression");
    name = name.data ? name : NB_STR("snappy");
    o->schema = data_schema;
    for (size_t i = 0; i < NB_COUNT_OF(codecs); i++) {
        if (nb_str_equal_nocase(name, nb_str_of(codecs[i].name))) {
            o->codec = codecs[i].codec;
            *extension = codecs[i].extension;
            *payload = o;
            return NB_OK;
        }
    }
    if (nb_str_equal_nocase(name, NB_STR("brotli")) || nb_str_equal_nocase(name, NB_STR("lzo")) ||
        nb_str_equal_nocase(name, NB_STR("lz4"))) {
        return nb_raise_unsupported(err, "Writing Parquet files with %.*s", (int)name.len,
                                    name.data);
    }
    return nb_raise(err, NB_COND_CODEC_NOT_AVAILABLE, "codecName", nb_arena_strdup(arena, name),
                    "availableCodecs",
                    "brotli, uncompressed, lzo, snappy, lz4_raw, none, zstd, lz4, gzip", NULL);
}

static nb_status
put(struct nb_file_writer *fw, const void *bytes, size_t n, nb_error *err)
{
    NB_TRY(nb_file_write(fw->file, bytes, n, err));
    fw->offset += (int64_t)n;
    return NB_OK;
}

static void
free_buffers(struct nb_file_writer *fw)
{
    for (int c = 0; c < fw->n_columns; c++) {
        column_buffer *b = &fw->columns[c];
        nb_strbuf_free(&b->values);
        nb_strbuf_free(&b->levels);
        nb_strbuf_free(&b->dict);
        nb_strbuf_free(&b->codes);
    }
}

nb_status
nb_pq_file_open(nb_pool *pool, const void *payload, const char *path, struct nb_file_writer **out,
                nb_error *err)
{
    const pq_options *o = payload;
    nb_arena *arena = nb_arena_new(pool);
    struct nb_file_writer *fw = arena ? NB_ARENA_NEW(arena, struct nb_file_writer) : NULL;
    nb_status st = NB_NOMEM;
    bool ok;

    if (!fw) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    fw->pool = pool;
    fw->arena = arena;
    fw->options = o;
    fw->n_columns = o->schema->n_children;
    fw->columns = nb_arena_zalloc(arena, sizeof(column_buffer) * (size_t)(fw->n_columns + 1));
    ok = fw->columns != NULL;
    for (int c = 0; ok && c < fw->n_columns; c++) {
        column_buffer *b = &fw->columns[c];

        if (nb_type_storage(o->schema->children[c].type)->phys == NB_PHYS_STRING) {
            b->slots = nb_arena_zalloc(arena, sizeof(uint32_t) * DICT_MAX * 2);
            b->offsets = NB_ARENA_ARRAY(arena, uint32_t, DICT_MAX);
            b->try_dict = ok = b->slots && b->offsets;
        }
    }
    if (ok) {
        st = nb_file_create(pool, path, &fw->file, err);
    }
    if (st >= 0) {
        st = put(fw, "PAR1", 4, err);
    }
    if (st < 0) {
        nb_pq_file_abort(fw);
        return st;
    }
    *out = fw;
    return NB_OK;
}

/* Bytes that hold a decimal of this precision. */
static int
decimal_bytes(int precision)
{
    nb_int128 max = 1;
    int n = 1;

    for (int i = 0; i < precision; i++) {
        max *= 10;
    }
    while (n < 16 && (((nb_int128)1 << (8 * n - 1)) < max)) {
        n++;
    }
    return n;
}

static nb_pq_type
physical_of(const nb_type *t)
{
    switch (t->id) {
    case NB_TYPE_BOOL: return NB_PQ_BOOLEAN;
    case NB_TYPE_INT8:
    case NB_TYPE_INT16:
    case NB_TYPE_INT32:
    case NB_TYPE_DATE: return NB_PQ_INT32;
    case NB_TYPE_FLOAT32: return NB_PQ_FLOAT;
    case NB_TYPE_FLOAT64: return NB_PQ_DOUBLE;
    case NB_TYPE_DECIMAL:
        return t->precision <= 9 ? NB_PQ_INT32 : t->precision <= 18 ? NB_PQ_INT64 : NB_PQ_FIXED;
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR:
    case NB_TYPE_BINARY: return NB_PQ_BYTE_ARRAY;
    default: return NB_PQ_INT64;
    }
}

static void
add_bytes(nb_strbuf *b, const void *p, size_t n)
{
    nb_strbuf_add(b, (nb_str){p, n});
}

/* The string's code; gives the dictionary up when it grows too large. */
static void
add_code(column_buffer *b, const nb_view *v)
{
    nb_str s = nb_view_str(v);
    uint64_t h = nb_hash_bytes(s.data, s.len);
    uint32_t at = (uint32_t)h & (DICT_MAX * 2 - 1), code;

    while (b->slots[at]) {
        uint32_t entry = b->slots[at] - 1, len;
        memcpy(&len, b->dict.data + b->offsets[entry], 4);
        if (len == s.len && memcmp(b->dict.data + b->offsets[entry] + 4, s.data, s.len) == 0) {
            add_bytes(&b->codes, &entry, 4);
            return;
        }
        at = (at + 1) & (DICT_MAX * 2 - 1);
    }
    if (b->n_dict == DICT_MAX || b->dict.len > (1u << 20)) {
        b->try_dict = false;
        return;
    }
    code = b->n_dict++;
    b->slots[at] = code + 1;
    b->offsets[code] = (uint32_t)b->dict.len;
    add_bytes(&b->dict, &v->len, 4);
    nb_strbuf_add(&b->dict, s);
    add_bytes(&b->codes, &code, 4);
}

static void
add_value(column_buffer *b, const nb_type *t, const nb_vector *v, int64_t at)
{
    switch (nb_type_storage(t)->phys) {
    case NB_PHYS_BOOL:
        nb_strbuf_addc(&b->values, (char)NB_DATA(uint8_t, v)[at]);
        break; /* packed at the end */
    case NB_PHYS_INT8: {
        int32_t x = NB_DATA(int8_t, v)[at];
        add_bytes(&b->values, &x, 4);
        break;
    }
    case NB_PHYS_INT16: {
        int32_t x = NB_DATA(int16_t, v)[at];
        add_bytes(&b->values, &x, 4);
        break;
    }
    case NB_PHYS_INT32:
    case NB_PHYS_FLOAT: add_bytes(&b->values, &NB_DATA(int32_t, v)[at], 4); break;
    case NB_PHYS_INT64:
        if (t->id == NB_TYPE_DECIMAL && t->precision <= 9) {
            int32_t x = (int32_t)NB_DATA(int64_t, v)[at];
            add_bytes(&b->values, &x, 4);
            break;
        }
        add_bytes(&b->values, &NB_DATA(int64_t, v)[at], 8);
        break;
    case NB_PHYS_DOUBLE: add_bytes(&b->values, &NB_DATA(double, v)[at], 8); break;
    case NB_PHYS_INT128: {
        nb_int128 x = NB_DATA(nb_int128, v)[at];
        int n = decimal_bytes(t->precision);
        char bytes[16];
        for (int i = 0; i < n; i++) {
            bytes[n - 1 - i] = (char)(x >> (8 * i));
        }
        add_bytes(&b->values, bytes, (size_t)n);
        break;
    }
    default: {
        const nb_view *s = &NB_DATA(nb_view, v)[at];
        add_bytes(&b->values, &s->len, 4);
        nb_strbuf_add(&b->values, nb_view_str(s));
        if (b->try_dict) {
            add_code(b, s);
        }
        break;
    }
    }
}

/* Levels or codes as the hybrid: runs of eight or more equal values are repeated, the rest packed in eights. */
static void
put_hybrid(nb_strbuf *out, const uint32_t *v, int64_t n, int width)
{
    int64_t i = 0;

    while (i < n) {
        int64_t run = 1;
        while (i + run < n && v[i + run] == v[i]) {
            run++;
        }
        if (run >= 8 || i + run == n) {
            nb_thrift_put_varint(out, (uint64_t)run << 1);
            for (int k = 0; k < (width + 7) / 8; k++) {
                nb_strbuf_addc(out, (char)(v[i] >> (8 * k)));
            }
            i += run;
            continue;
        }
        /* pack groups of eight until a long run begins on a boundary */
        int64_t from = i, groups = 0;
        while (i < n) {
            int64_t same = 1;
            while (same < 8 && i + same < n && v[i + same] == v[i]) {
                same++;
            }
            if (groups && same == 8) {
                break;
            }
            i += 8;
            groups++;
            if (groups == 1 << 20) {
                break;
            }
        }
        nb_thrift_put_varint(out, (uint64_t)groups << 1 | 1);
        uint64_t bits = 0;
        int have = 0;
        for (int64_t k = from; k < from + groups * 8; k++) {
            bits |= (uint64_t)(k < n ? v[k] : 0) << have;
            have += width;
            while (have >= 8) {
                nb_strbuf_addc(out, (char)bits);
                bits >>= 8;
                have -= 8;
            }
        }
        i = NB_MIN(i, n);
    }
}

static void
put_page_header(nb_strbuf *b, int type, size_t uncompressed, size_t compressed, int64_t n_values,
                int encoding)
{
    int last = 0, inner = 0;

    nb_thrift_put_int(b, &last, 1, NB_T_I32, type);
    nb_thrift_put_int(b, &last, 2, NB_T_I32, (int64_t)uncompressed);
    nb_thrift_put_int(b, &last, 3, NB_T_I32, (int64_t)compressed);
    nb_thrift_put_field(b, &last, type == NB_PQ_DICTIONARY_PAGE ? 7 : 5, NB_T_STRUCT);
    nb_thrift_put_int(b, &inner, 1, NB_T_I32, n_values);
    nb_thrift_put_int(b, &inner, 2, NB_T_I32, encoding);
    if (type == NB_PQ_DATA_PAGE) {
        nb_thrift_put_int(b, &inner, 3, NB_T_I32, NB_PQ_RLE);
        nb_thrift_put_int(b, &inner, 4, NB_T_I32, NB_PQ_RLE);
    }
    nb_thrift_put_stop(b);
    nb_thrift_put_stop(b);
}

static nb_status
put_page(struct nb_file_writer *fw, int type, const nb_strbuf *body, int64_t n_values, int encoding,
         chunk_info *info, nb_error *err)
{
    nb_strbuf packed = {0}, head = {0};
    nb_status st = NB_OK;

    if (body->failed || body->len > INT32_MAX ||
        !nb_pq_compress(fw->options->codec, body->data ? body->data : "", body->len, &packed)) {
        st = NB_NOMEM;
    }
    if (st >= 0) {
        put_page_header(&head, type, body->len, packed.len, n_values, encoding);
        info->uncompressed += (int64_t)(head.len + body->len);
        info->compressed += (int64_t)(head.len + packed.len);
        st = head.failed ? NB_NOMEM : put(fw, head.data, head.len, err);
    }
    if (st >= 0) {
        st = put(fw, packed.data, packed.len, err);
    }
    nb_strbuf_free(&packed);
    nb_strbuf_free(&head);
    return st;
}

static nb_status
put_column(struct nb_file_writer *fw, int c, chunk_info *info, nb_error *err)
{
    column_buffer *b = &fw->columns[c];
    const nb_field *f = &fw->options->schema->children[c];
    int64_t n = fw->n_rows;
    nb_strbuf body = {0}, levels = {0};
    uint32_t *wide = nb_pool_alloc(fw->pool, sizeof(uint32_t) * (size_t)(n + 1));
    bool coded = b->try_dict && b->n_dict > 0 && (int64_t)b->n_dict <= b->n_there / 2 + 1;
    nb_status st = wide ? NB_OK : NB_NOMEM;

    *info = (chunk_info){
        .n_values = n, .n_nulls = b->n_nulls, .has_dict = coded, .dict_offset = fw->offset};
    if (st >= 0 && coded) {
        st = put_page(fw, NB_PQ_DICTIONARY_PAGE, &b->dict, b->n_dict, NB_PQ_PLAIN, info, err);
    }
    if (st >= 0) {
        info->data_offset = fw->offset;
        if (f->nullable) {
            uint32_t len;
            for (int64_t i = 0; i < n; i++) {
                wide[i] = (uint32_t)b->levels.data[i];
            }
            put_hybrid(&levels, wide, n, 1);
            len = (uint32_t)levels.len;
            add_bytes(&body, &len, 4);
            nb_strbuf_add(&body, nb_strbuf_str(&levels));
            body.failed |= levels.failed;
        }
        if (coded) {
            int width = 0;
            while ((b->n_dict - 1) >> width) {
                width++;
            }
            nb_strbuf_addc(&body, (char)width);
            put_hybrid(&body, (const uint32_t *)(const void *)b->codes.data, b->n_there, width);
        } else if (f->type->id == NB_TYPE_BOOL) {
            for (int64_t i = 0; i < b->n_there; i += 8) {
                int bits = 0;
                for (int k = 0; k < 8 && i + k < b->n_there; k++) {
                    bits |= (b->values.data[i + k] & 1) << k;
                }
                nb_strbuf_addc(&body, (char)bits);
            }
        } else {
            nb_strbuf_add(&body, nb_strbuf_str(&b->values));
        }
        st = put_page(fw, NB_PQ_DATA_PAGE, &body, n, coded ? NB_PQ_RLE_DICTIONARY : NB_PQ_PLAIN,
                      info, err);
    }
    if (wide) {
        nb_pool_dealloc(fw->pool, wide, sizeof(uint32_t) * (size_t)(n + 1));
    }
    nb_strbuf_free(&body);
    nb_strbuf_free(&levels);
    return st;
}

static void
describe_chunk(struct nb_file_writer *fw, int c, const chunk_info *info, nb_strbuf *b)
{
    const nb_field *f = &fw->options->schema->children[c];
    int last = 0, inner = 0, stats = 0;

    nb_thrift_put_int(b, &last, 2, NB_T_I64,
                      info->has_dict ? info->dict_offset : info->data_offset);
    nb_thrift_put_field(b, &last, 3, NB_T_STRUCT);
    nb_thrift_put_int(b, &inner, 1, NB_T_I32, physical_of(f->type));
    nb_thrift_put_list(b, &inner, 2, NB_T_I32, 2);
    nb_thrift_put_zigzag(b, info->has_dict ? NB_PQ_RLE_DICTIONARY : NB_PQ_PLAIN);
    nb_thrift_put_zigzag(b, NB_PQ_RLE);
    nb_thrift_put_list(b, &inner, 3, NB_T_BINARY, 1);
    nb_thrift_put_varint(b, f->name.len);
    nb_strbuf_add(b, f->name);
    nb_thrift_put_int(b, &inner, 4, NB_T_I32, fw->options->codec);
    nb_thrift_put_int(b, &inner, 5, NB_T_I64, info->n_values);
    nb_thrift_put_int(b, &inner, 6, NB_T_I64, info->uncompressed);
    nb_thrift_put_int(b, &inner, 7, NB_T_I64, info->compressed);
    nb_thrift_put_int(b, &inner, 9, NB_T_I64, info->data_offset);
    if (info->has_dict) {
        nb_thrift_put_int(b, &inner, 11, NB_T_I64, info->dict_offset);
    }
    nb_thrift_put_field(b, &inner, 12, NB_T_STRUCT);
    nb_thrift_put_int(b, &stats, 3, NB_T_I64, info->n_nulls);
    nb_thrift_put_stop(b);
    nb_thrift_put_stop(b);
    nb_thrift_put_stop(b);
}

static nb_status
flush_group(struct nb_file_writer *fw, nb_error *err)
{
    nb_strbuf *g = &fw->groups;
    int last = 0;
    int64_t total = 0;

    if (fw->n_rows == 0) {
        return NB_OK;
    }
    nb_thrift_put_list(g, &last, 1, NB_T_STRUCT, (size_t)fw->n_columns);
    for (int c = 0; c < fw->n_columns; c++) {
        chunk_info info;
        column_buffer *b = &fw->columns[c];
        if (b->values.failed || b->levels.failed || b->dict.failed || b->codes.failed) {
            return NB_NOMEM;
        }
        NB_TRY(put_column(fw, c, &info, err));
        describe_chunk(fw, c, &info, g);
        total += info.uncompressed;
        b->values.len = b->levels.len = b->dict.len = b->codes.len = 0;
        b->n_there = b->n_nulls = 0;
        if (b->slots) {
            memset(b->slots, 0, sizeof(uint32_t) * DICT_MAX * 2);
            b->try_dict = true;
            b->n_dict = 0;
        }
    }
    nb_thrift_put_int(g, &last, 2, NB_T_I64, total);
    nb_thrift_put_int(g, &last, 3, NB_T_I64, fw->n_rows);
    nb_thrift_put_stop(g);
    fw->n_groups++;
    fw->total_rows += fw->n_rows;
    fw->n_rows = 0;
    return g->failed ? NB_NOMEM : NB_OK;
}

nb_status
nb_pq_file_push(struct nb_file_writer *fw, const nb_vector *const *cols, int64_t n,
                nb_arena *scratch, nb_error *err)
{
    size_t bytes = 0;

    for (int c = 0; c < fw->n_columns; c++) {
        column_buffer *b = &fw->columns[c];
        const nb_type *t = fw->options->schema->children[c].type;
        nb_vector v;
        NB_TRY(nb_vector_flatten(scratch, cols[c], &v));
        for (int64_t i = 0; i < n; i++) {
            bool there = !nb_vector_is_null(&v, i);
            nb_strbuf_addc(&b->levels, there);
            if (there) {
                add_value(b, t, &v, i);
                b->n_there++;
            } else {
                b->n_nulls++;
            }
        }
        bytes += b->values.len;
    }
    fw->n_rows += n;
    return bytes >= GROUP_BYTES || fw->n_rows >= GROUP_ROWS ? flush_group(fw, err) : NB_OK;
}

/* ---- footer ---- */

static void
put_logical(nb_strbuf *b, int *last, const nb_type *t)
{
    int inner = 0, deep = 0, unit = 0;

    switch (t->id) {
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR:
    case NB_TYPE_DATE:
        nb_thrift_put_field(b, last, 10, NB_T_STRUCT);
        nb_thrift_put_field(b, &inner, t->id == NB_TYPE_DATE ? 6 : 1, NB_T_STRUCT);
        nb_thrift_put_stop(b);
        nb_thrift_put_stop(b);
        break;
    case NB_TYPE_DECIMAL:
        nb_thrift_put_field(b, last, 10, NB_T_STRUCT);
        nb_thrift_put_field(b, &inner, 5, NB_T_STRUCT);
        nb_thrift_put_int(b, &deep, 1, NB_T_I32, t->scale);
        nb_thrift_put_int(b, &deep, 2, NB_T_I32, t->precision);
        nb_thrift_put_stop(b);
        nb_thrift_put_stop(b);
        break;
    case NB_TYPE_TIMESTAMP:
    case NB_TYPE_TIMESTAMP_NTZ:
        nb_thrift_put_field(b, last, 10, NB_T_STRUCT);
        nb_thrift_put_field(b, &inner, 8, NB_T_STRUCT);
        nb_thrift_put_field(b, &deep, 1, t->id == NB_TYPE_TIMESTAMP ? NB_T_TRUE : NB_T_FALSE);
        nb_thrift_put_field(b, &deep, 2, NB_T_STRUCT);
        nb_thrift_put_field(b, &unit, 2, NB_T_STRUCT);
        nb_thrift_put_stop(b);
        nb_thrift_put_stop(b);
        nb_thrift_put_stop(b);
        nb_thrift_put_stop(b);
        break;
    case NB_TYPE_INT8:
    case NB_TYPE_INT16:
        nb_thrift_put_field(b, last, 10, NB_T_STRUCT);
        nb_thrift_put_field(b, &inner, 10, NB_T_STRUCT);
        nb_thrift_put_field(b, &deep, 1, NB_T_BYTE);
        nb_strbuf_addc(b, t->id == NB_TYPE_INT8 ? 8 : 16);
        nb_thrift_put_field(b, &deep, 2, NB_T_TRUE);
        nb_thrift_put_stop(b);
        nb_thrift_put_stop(b);
        break;
    default: break;
    }
}

static int
converted_of(const nb_type *t)
{
    switch (t->id) {
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR: return 0;
    case NB_TYPE_DECIMAL: return 5;
    case NB_TYPE_DATE: return 6;
    case NB_TYPE_TIMESTAMP: return 10;
    case NB_TYPE_INT8: return 15;
    case NB_TYPE_INT16: return 16;
    default: return -1;
    }
}

static void
put_schema(nb_strbuf *b, int *last, const nb_type *schema)
{
    int field = 0;

    nb_thrift_put_list(b, last, 2, NB_T_STRUCT, (size_t)schema->n_children + 1);
    nb_thrift_put_binary(b, &field, 4, NB_STR("spark_schema"));
    nb_thrift_put_int(b, &field, 5, NB_T_I32, schema->n_children);
    nb_thrift_put_stop(b);
    for (int c = 0; c < schema->n_children; c++) {
        const nb_field *f = &schema->children[c];
        field = 0;
        nb_thrift_put_int(b, &field, 1, NB_T_I32, physical_of(f->type));
        if (physical_of(f->type) == NB_PQ_FIXED) {
            nb_thrift_put_int(b, &field, 2, NB_T_I32, decimal_bytes(f->type->precision));
        }
        nb_thrift_put_int(b, &field, 3, NB_T_I32, f->nullable ? 1 : 0);
        nb_thrift_put_binary(b, &field, 4, f->name);
        if (converted_of(f->type) >= 0) {
            nb_thrift_put_int(b, &field, 6, NB_T_I32, converted_of(f->type));
        }
        if (f->type->id == NB_TYPE_DECIMAL) {
            nb_thrift_put_int(b, &field, 7, NB_T_I32, f->type->scale);
            nb_thrift_put_int(b, &field, 8, NB_T_I32, f->type->precision);
        }
        put_logical(b, &field, f->type);
        nb_thrift_put_stop(b);
    }
}

static nb_status
put_footer(struct nb_file_writer *fw, nb_error *err)
{
    nb_strbuf b = {0};
    int last = 0;
    uint32_t n;
    nb_status st;

    nb_thrift_put_int(&b, &last, 1, NB_T_I32, 1);
    put_schema(&b, &last, fw->options->schema);
    nb_thrift_put_int(&b, &last, 3, NB_T_I64, fw->total_rows);
    nb_thrift_put_list(&b, &last, 4, NB_T_STRUCT, (size_t)fw->n_groups);
    nb_strbuf_add(&b, nb_strbuf_str(&fw->groups));
    nb_thrift_put_binary(&b, &last, 6, NB_STR("nbaspark version 0.1.0"));
    nb_thrift_put_stop(&b);
    n = (uint32_t)b.len;
    add_bytes(&b, &n, 4);
    nb_strbuf_adds(&b, "PAR1");
    st = b.failed ? NB_NOMEM : put(fw, b.data, b.len, err);
    nb_strbuf_free(&b);
    return st;
}

nb_status
nb_pq_file_close(struct nb_file_writer *fw, nb_error *err)
{
    nb_status st = flush_group(fw, err);
    nb_file *file = fw->file;

    if (st >= 0) {
        st = put_footer(fw, err);
    }
    if (st < 0) {
        nb_pq_file_abort(fw);
        return st;
    }
    free_buffers(fw);
    nb_strbuf_free(&fw->groups);
    nb_arena_free(fw->arena);
    return nb_file_finish(file, err);
}

void
nb_pq_file_abort(struct nb_file_writer *fw)
{
    nb_file_close(fw->file);
    if (fw->columns) {
        free_buffers(fw);
    }
    nb_strbuf_free(&fw->groups);
    nb_arena_free(fw->arena);
}
