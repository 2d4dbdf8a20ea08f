/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta.c: see meta.h.
 */
#include "io/parquet/meta.h"

#include "io/parquet/rebase.h"
#include "io/parquet/thrift.h"

#define FOOTER_MAX ((int64_t)1 << 28)

nb_status
nb_pq_damaged(const char *path, const char *what, nb_error *err)
{
    return nb_raise_unreadable(err, path, what);
}

static nb_status
bad_footer(const char *path, const char *what, nb_error *err)
{
    nb_strbuf b = {0};
    nb_status st;

    nb_strbuf_addf(&b, "file:%s", path);
    st = nb_raise(err, NB_COND_CANNOT_READ_FILE_FOOTER, "path", b.failed ? path : b.data, "reason",
                  what, NULL);
    nb_strbuf_free(&b);
    return st;
}

static int64_t
little_endian(nb_str s)
{
    uint64_t v = 0;

    for (size_t i = 0; i < s.len; i++) {
        v |= (uint64_t)(uint8_t)s.data[i] << (8 * i);
    }
    return s.len == 4 ? (int32_t)(uint32_t)v : (int64_t)v;
}

static nb_str
keep_text(nb_thrift *t, nb_arena *arena, nb_str s)
{
    s = nb_arena_str(arena, s);
    if (!s.data) {
        t->bad = t->no_memory = true;
    }
    return s;
}

#define BOUND_MAX 256

/* A bound that is worth keeping, in the arena. */
static nb_str
keep_bound(nb_thrift *t, nb_arena *arena, nb_str s)
{
    if (!s.data || s.len > BOUND_MAX) {
        return (nb_str){NULL, 0};
    }
    return keep_text(t, arena, s);
}

/* Statistics of a chunk. The old fields `min` and `max` are right for signed integers only: writers ordered all else as they liked. */
static void
read_statistics(nb_thrift *t, nb_arena *arena, int physical, nb_pq_chunk *c)
{
    int id = 0, type;
    nb_str low = {0}, high = {0}, old_low = {0}, old_high = {0};

    while ((type = nb_thrift_field(t, &id)) != NB_T_STOP) {
        if (type == NB_T_BINARY && id == 1) {
            old_high = nb_thrift_binary(t);
        } else if (type == NB_T_BINARY && id == 2) {
            old_low = nb_thrift_binary(t);
        } else if (type == NB_T_BINARY && id == 5) {
            high = nb_thrift_binary(t);
        } else if (type == NB_T_BINARY && id == 6) {
            low = nb_thrift_binary(t);
        } else if (id == 3) {
            c->n_nulls = nb_thrift_int(t);
        } else if (type == NB_T_FALSE && (id == 7 || id == 8)) { /* is_max_value_exact, of min */
            c->is_inexact = true;
        } else {
            nb_thrift_skip(t, type);
        }
    }
    if (physical == NB_PQ_INT32 || physical == NB_PQ_INT64) {
        low = low.data ? low : old_low;
        high = high.data ? high : old_high;
        if (low.len == high.len && (low.len == 4 || low.len == 8)) {
            c->has_range = true;
            c->low = little_endian(low);
            c->high = little_endian(high);
        }
    } else if (physical == NB_PQ_BYTE_ARRAY || physical == NB_PQ_FLOAT ||
               physical == NB_PQ_DOUBLE || physical == NB_PQ_FIXED) {
        c->low_bytes = keep_bound(t, arena, low);
        c->high_bytes = keep_bound(t, arena, high);
    }
}

static void
read_chunk(nb_thrift *t, nb_arena *arena, nb_pq_chunk *c)
{
    int id = 0, type;
    int64_t dictionary = 0, data = 0;
    int physical = -1;

    c->n_nulls = -1;

    while ((type = nb_thrift_field(t, &id)) != NB_T_STOP) {
        int inner = 0, kind;
        if (id != 3 || type != NB_T_STRUCT) {
            switch (id) {
            case 4: c->offset_index = nb_thrift_int(t); break;
            case 5: c->offset_index_bytes = nb_thrift_int(t); break;
            case 6: c->column_index = nb_thrift_int(t); break;
            case 7: c->column_index_bytes = nb_thrift_int(t); break;
            default: nb_thrift_skip(t, type); break;
            }
            continue;
        }
        while ((kind = nb_thrift_field(t, &inner)) != NB_T_STOP) {
            switch (inner) {
            case 1: physical = (int)nb_thrift_int(t); break;
            case 4: c->codec = (int)nb_thrift_int(t); break;
            case 5: c->n_values = nb_thrift_int(t); break;
            case 7: c->n_bytes = nb_thrift_int(t); break;
            case 9: data = nb_thrift_int(t); break;
            case 11: dictionary = nb_thrift_int(t); break;
            case 12:
                if (kind == NB_T_STRUCT) {
                    read_statistics(t, arena, physical, c);
                    break;
                }
                nb_thrift_skip(t, kind);
                break;
            case 14: c->bloom = nb_thrift_int(t); break;
            default: nb_thrift_skip(t, kind); break;
            }
        }
    }
    c->has_dictionary = dictionary > 0 && dictionary < data;
    c->offset = c->has_dictionary ? dictionary : data;
}

static void
read_group(nb_thrift *t, nb_arena *arena, int n_columns, nb_pq_group *g)
{
    int id = 0, type;

    while ((type = nb_thrift_field(t, &id)) != NB_T_STOP) {
        if (id == 1 && type == NB_T_LIST) {
            int kind;
            int64_t n = nb_thrift_list(t, &kind);
            g->chunks = NB_ARENA_ARRAY(arena, nb_pq_chunk, n_columns + 1);
            if (n != n_columns || kind != NB_T_STRUCT || !g->chunks) {
                t->bad = true;
                t->no_memory = !g->chunks;
                return;
            }
            memset(g->chunks, 0, sizeof(nb_pq_chunk) * (size_t)(n_columns + 1));
            for (int64_t i = 0; i < n && !t->bad; i++) {
                read_chunk(t, arena, &g->chunks[i]);
            }
        } else if (id == 3) {
            g->n_rows = nb_thrift_int(t);
        } else {
            nb_thrift_skip(t, type);
        }
    }
    g->offset = n_columns && g->chunks ? g->chunks[0].offset : 0;
}

static void
read_schema(nb_thrift *t, nb_arena *arena, nb_pq_meta *m)
{
    nb_pq_schema schema = {0};

    nb_pq_schema_read(t, arena, &schema);
    m->n_columns = schema.n_columns;
    m->columns = schema.columns;
    m->n_fields = schema.n_fields;
    m->fields = schema.fields;
}

static void
read_keys(nb_thrift *t, nb_arena *arena, nb_pq_meta *m)
{
    int kind;
    int64_t n = nb_thrift_list(t, &kind);

    for (int64_t i = 0; i < n && !t->bad; i++) {
        nb_str key = {"", 0}, value = {"", 0};
        int id = 0, type;
        if (kind != NB_T_STRUCT) {
            t->bad = true;
            return;
        }
        while ((type = nb_thrift_field(t, &id)) != NB_T_STOP) {
            if (type == NB_T_BINARY && id == 1) {
                key = nb_thrift_binary(t);
            } else if (type == NB_T_BINARY && id == 2) {
                value = nb_thrift_binary(t);
            } else {
                nb_thrift_skip(t, type);
            }
        }
        if (nb_str_equal(key, NB_STR("org.apache.spark.sql.parquet.row.metadata"))) {
            m->spark_schema = keep_text(t, arena, value);
        } else if (nb_str_equal(key, NB_STR("org.apache.spark.timeZone"))) {
            m->zone = keep_text(t, arena, value);
        } else if (nb_str_equal(key, NB_STR("org.apache.spark.legacyDateTime"))) {
            m->legacy_datetime = true;
        } else if (nb_str_equal(key, NB_STR("org.apache.spark.legacyINT96"))) {
            m->legacy_int96 = true;
        } else if (nb_str_equal(key, NB_STR("org.apache.spark.version")) && value.len > 1 &&
                   (value.data[0] == '1' || value.data[0] == '2') && value.data[1] == '.') {
            m->legacy_datetime = m->legacy_int96 = true;
        }
    }
}

static void
read_footer(nb_thrift *t, nb_arena *arena, nb_pq_meta *m)
{
    int id = 0, type;

    while ((type = nb_thrift_field(t, &id)) != NB_T_STOP) {
        if (id == 2 && type == NB_T_LIST) {
            m->has_schema = true;
            read_schema(t, arena, m);
        } else if (id == 3) {
            m->n_rows = nb_thrift_int(t);
        } else if (id == 5 && type == NB_T_LIST) {
            read_keys(t, arena, m);
        } else if (id == 4 && type == NB_T_LIST) {
            int kind;
            int64_t n = nb_thrift_list(t, &kind);
            m->groups = NB_ARENA_ARRAY(arena, nb_pq_group, n + 1);
            if (!m->groups || (n && kind != NB_T_STRUCT)) {
                t->bad = true;
                t->no_memory = !m->groups;
                return;
            }
            memset(m->groups, 0, sizeof(nb_pq_group) * (size_t)(n + 1));
            for (int64_t i = 0; i < n && !t->bad; i++) {
                read_group(t, arena, m->n_columns, &m->groups[i]);
            }
            m->n_groups = (int)n;
        } else {
            nb_thrift_skip(t, type);
        }
    }
}

bool
nb_pq_fixed_decimal(const nb_pq_column *c, nb_str bytes, nb_int128 *out)
{
    nb_uint128 v;

    if (!c->type || c->type->id != NB_TYPE_DECIMAL || c->physical != NB_PQ_FIXED || !bytes.data ||
        bytes.len != (size_t)c->width || bytes.len > sizeof(v)) {
        return false;
    }
    v = (bytes.data[0] & 0x80) ? ~(nb_uint128)0 : 0;
    for (size_t i = 0; i < bytes.len; i++) {
        v = v << 8 | (uint8_t)bytes.data[i];
    }
    *out = (nb_int128)v;
    return true;
}

/* Is the range of a chunk known, as numbers in the order of the values? */
static bool
find_range(const nb_pq_column *c, nb_pq_chunk *k)
{
    nb_int128 low, high;

    if (nb_pq_fixed_decimal(c, k->low_bytes, &low) &&
        nb_pq_fixed_decimal(c, k->high_bytes, &high) && c->type->phys == NB_PHYS_INT64 &&
        low >= INT64_MIN && high <= INT64_MAX && low <= high) {
        k->low = (int64_t)low;
        k->high = (int64_t)high;
        return true;
    }
    return k->has_range && k->low <= k->high && c->type && !c->is_unsigned && !c->is_legacy &&
           (c->physical == NB_PQ_INT32 || c->physical == NB_PQ_INT64);
}

static bool
is_sane(const nb_pq_meta *m, int64_t file_size)
{
    int64_t rows = 0;

    for (int g = 0; g < m->n_groups; g++) {
        nb_pq_group *group = &m->groups[g];
        if (group->n_rows < 0 || group->n_rows > INT32_MAX - 64 ||
            (m->n_columns && !group->chunks)) {
            return false;
        }
        rows += group->n_rows;
        for (int c = 0; c < m->n_columns; c++) {
            const nb_pq_chunk *k = &group->chunks[c];
            if (k->offset < 0 || k->n_bytes < 0 || k->offset > file_size ||
                k->n_bytes > file_size - k->offset || k->n_values < 0 ||
                k->n_values > INT32_MAX - 64 ||
                (m->columns[c].max_rep == 0 && k->n_values != group->n_rows)) {
                return false;
            }
            group->chunks[c].has_range = find_range(&m->columns[c], &group->chunks[c]);
        }
    }
    return rows == m->n_rows && m->has_schema;
}

nb_status
nb_pq_meta_read(nb_file *file, nb_pool *pool, nb_arena *arena, nb_pq_meta **out, nb_error *err)
{
    int64_t size = nb_file_size(file), n;
    const char *path = nb_file_path(file);
    uint8_t tail[8];
    uint8_t *bytes;
    size_t got;
    nb_pq_meta *m = NB_ARENA_NEW(arena, nb_pq_meta);
    nb_thrift t;
    nb_status st;

    if (!m) {
        return NB_NOMEM;
    }
    if (size < 12) {
        return bad_footer(path, "it is too short for a Parquet file", err);
    }
    NB_TRY(nb_file_read_at(file, size - 8, tail, 8, &got, err));
    if (got != 8 || memcmp(tail + 4, "PAR1", 4) != 0) {
        return bad_footer(path, "it is not a Parquet file: the magic number at its end is missing",
                          err);
    }
    n = (int64_t)tail[0] | (int64_t)tail[1] << 8 | (int64_t)tail[2] << 16 | (int64_t)tail[3] << 24;
    if (n > size - 12 || n > FOOTER_MAX) {
        return bad_footer(path, "its footer is longer than the file", err);
    }
    bytes = nb_pool_alloc(pool, (size_t)n + 1);
    if (!bytes) {
        return NB_NOMEM;
    }
    st = nb_file_read_at(file, size - 8 - n, bytes, (size_t)n, &got, err);
    if (st >= 0 && got != (size_t)n) {
        st = bad_footer(path, "its footer is cut off", err);
    }
    if (st >= 0) {
        t = (nb_thrift){.p = bytes, .end = bytes + n};
        read_footer(&t, arena, m);
        nb_pq_rebase_mark(m);
        if (t.no_memory) {
            st = NB_NOMEM;
        } else if (t.bad || !is_sane(m, size)) {
            st = bad_footer(path, "its footer is damaged", err);
        }
    }
    nb_pool_dealloc(pool, bytes, (size_t)n + 1);
    *out = m;
    return st;
}

size_t
nb_pq_page_read(const uint8_t *p, size_t n, nb_pq_page *out)
{
    nb_thrift t = {.p = p, .end = p + n};
    int id = 0, type;

    *out = (nb_pq_page){.type = -1, .is_compressed = true};
    while ((type = nb_thrift_field(&t, &id)) != NB_T_STOP) {
        int inner = 0, kind;
        switch (id) {
        case 1: out->type = (int)nb_thrift_int(&t); continue;
        case 2: out->uncompressed = nb_thrift_int(&t); continue;
        case 3: out->compressed = nb_thrift_int(&t); continue;
        case 5:
        case 7:
        case 8: break;
        default: nb_thrift_skip(&t, type); continue;
        }
        if (type != NB_T_STRUCT) {
            t.bad = true;
            break;
        }
        while ((kind = nb_thrift_field(&t, &inner)) != NB_T_STOP) {
            if (inner == 1) {
                out->n_values = nb_thrift_int(&t);
            } else if (inner == (id == 8 ? 4 : 2)) {
                out->encoding = (int)nb_thrift_int(&t);
            } else if (id == 5 && inner == 3) {
                out->def_encoding = (int)nb_thrift_int(&t);
            } else if (id == 5 && inner == 4) {
                out->rep_encoding = (int)nb_thrift_int(&t);
            } else if (id == 8 && inner == 2) {
                out->n_nulls = nb_thrift_int(&t);
            } else if (id == 8 && inner == 5) {
                out->def_bytes = nb_thrift_int(&t);
            } else if (id == 8 && inner == 6) {
                out->rep_bytes = nb_thrift_int(&t);
            } else if (id == 8 && inner == 7) {
                out->is_compressed = kind == NB_T_TRUE;
            } else {
                nb_thrift_skip(&t, kind);
            }
        }
    }
    if (t.bad || out->compressed < 0 || out->uncompressed < 0 || out->uncompressed > INT32_MAX ||
        out->n_values < 0 || out->n_values > INT32_MAX || out->def_bytes < 0 ||
        out->rep_bytes < 0 || out->def_bytes + out->rep_bytes > out->uncompressed) {
        return 0;
    }
    out->total = out->n_values;
    return (size_t)(t.p - p);
}
