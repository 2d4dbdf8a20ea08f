/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta.c: see meta.h.
 */
#include "io/parquet/meta.h"

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

typedef struct element {
    nb_str name;
    int type, length, repetition, n_children, converted, scale, precision;
    int logical; /* number in the union, 0 = none */
    int bits;    /* INTEGER */
    bool is_signed, utc;
    int unit; /* TIMESTAMP, TIME: 1 ms, 2 µs, 3 ns */
} element;

static void
read_unit(nb_thrift *t, int *unit)
{
    int id = 0, type;

    while ((type = nb_thrift_field(t, &id)) != NB_T_STOP) {
        *unit = id;
        nb_thrift_skip(t, type);
    }
}

static void
read_logical(nb_thrift *t, element *e)
{
    int id = 0, type;

    while ((type = nb_thrift_field(t, &id)) != NB_T_STOP) {
        int inner = 0, kind;
        e->logical = id;
        if (type != NB_T_STRUCT) {
            nb_thrift_skip(t, type);
            continue;
        }
        while ((kind = nb_thrift_field(t, &inner)) != NB_T_STOP) {
            if (id == 5 && inner == 1) {
                e->scale = (int)nb_thrift_int(t);
            } else if (id == 5 && inner == 2) {
                e->precision = (int)nb_thrift_int(t);
            } else if ((id == 7 || id == 8) && inner == 1) {
                e->utc = kind == NB_T_TRUE;
            } else if ((id == 7 || id == 8) && inner == 2 && kind == NB_T_STRUCT) {
                read_unit(t, &e->unit);
            } else if (id == 10 && inner == 1 && t->p < t->end) {
                e->bits = *t->p++;
            } else if (id == 10 && inner == 2) {
                e->is_signed = kind == NB_T_TRUE;
            } else {
                nb_thrift_skip(t, kind);
            }
        }
    }
}

static void
read_element(nb_thrift *t, element *e)
{
    int id = 0, type;

    *e = (element){.type = -1, .converted = -1, .is_signed = true};
    while ((type = nb_thrift_field(t, &id)) != NB_T_STOP) {
        switch (id) {
        case 1: e->type = (int)nb_thrift_int(t); break;
        case 2: e->length = (int)nb_thrift_int(t); break;
        case 3: e->repetition = (int)nb_thrift_int(t); break;
        case 4: e->name = nb_thrift_binary(t); break;
        case 5: e->n_children = (int)nb_thrift_int(t); break;
        case 6: e->converted = (int)nb_thrift_int(t); break;
        case 7: e->scale = (int)nb_thrift_int(t); break;
        case 8: e->precision = (int)nb_thrift_int(t); break;
        case 10:
            if (type == NB_T_STRUCT) {
                read_logical(t, e);
                break;
            }
            nb_thrift_skip(t, type);
            break;
        default: nb_thrift_skip(t, type); break;
        }
    }
}

/* Spark's mapping of physical, converted and logical types. */
static const nb_type *
type_of(const element *e, nb_pq_column *c)
{
    bool is_decimal = e->logical == 5 || e->converted == 5;

    c->unit_per_us = 1;
    if (is_decimal && e->type != NB_PQ_BOOLEAN && e->type != NB_PQ_FLOAT &&
        e->type != NB_PQ_DOUBLE) {
        return nb_type_decimal(e->precision, e->scale);
    }
    switch (e->type) {
    case NB_PQ_BOOLEAN: return nb_type_of(NB_TYPE_BOOL);
    case NB_PQ_FLOAT: return nb_type_of(NB_TYPE_FLOAT32);
    case NB_PQ_DOUBLE: return nb_type_of(NB_TYPE_FLOAT64);
    case NB_PQ_INT96: return nb_type_of(NB_TYPE_TIMESTAMP);
    case NB_PQ_INT32:
        if (e->logical == 6 || e->converted == 6) {
            return nb_type_of(NB_TYPE_DATE);
        }
        if (e->converted == 15 || (e->logical == 10 && e->bits == 8 && e->is_signed)) {
            return nb_type_of(NB_TYPE_INT8);
        }
        if (e->converted == 16 || e->converted == 11 ||
            (e->logical == 10 && (e->bits == 16 || e->bits == 8) &&
             (e->is_signed || e->bits == 8))) {
            return nb_type_of(NB_TYPE_INT16);
        }
        if (e->converted == 13 || (e->logical == 10 && e->bits == 32 && !e->is_signed)) {
            return NULL; /* unsigned 32 bits: wider than our INT32 */
        }
        return e->logical == 7 || e->converted == 7 ? NULL : nb_type_of(NB_TYPE_INT32);
    case NB_PQ_INT64:
        if (e->logical == 8 || e->converted == 9 || e->converted == 10) {
            int unit = e->logical == 8 ? e->unit : e->converted == 9 ? 1 : 2;
            c->unit_per_us = unit == 1 ? -1000 : unit == 3 ? 1000 : 1;
            return nb_type_of(e->logical == 8 && !e->utc ? NB_TYPE_TIMESTAMP_NTZ
                                                         : NB_TYPE_TIMESTAMP);
        }
        if (e->converted == 14 || (e->logical == 10 && !e->is_signed) || e->logical == 7 ||
            e->converted == 8) {
            return NULL;
        }
        return nb_type_of(NB_TYPE_INT64);
    case NB_PQ_BYTE_ARRAY:
        return nb_type_of(e->logical == 1 || e->logical == 4 || e->logical == 12 ||
                                  e->converted == 0 || e->converted == 4 || e->converted == 19
                              ? NB_TYPE_STRING
                              : NB_TYPE_BINARY);
    case NB_PQ_FIXED: return nb_type_of(NB_TYPE_BINARY);
    default: return NULL;
    }
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

/* Statistics of a chunk. The old fields `min` and `max` are right for signed integers as well. */
static void
read_statistics(nb_thrift *t, nb_pq_chunk *c)
{
    int id = 0, type;
    nb_str low = {0}, high = {0};

    while ((type = nb_thrift_field(t, &id)) != NB_T_STOP) {
        if (type == NB_T_BINARY && (id == 5 || (id == 1 && !high.data))) {
            high = nb_thrift_binary(t);
        } else if (type == NB_T_BINARY && (id == 6 || (id == 2 && !low.data))) {
            low = nb_thrift_binary(t);
        } else if (id == 3) {
            c->n_nulls = nb_thrift_int(t);
        } else {
            nb_thrift_skip(t, type);
        }
    }
    if (low.len == high.len && (low.len == 4 || low.len == 8)) {
        c->has_range = true;
        c->low = little_endian(low);
        c->high = little_endian(high);
    }
}

static void
read_chunk(nb_thrift *t, nb_pq_chunk *c)
{
    int id = 0, type;
    int64_t dictionary = 0, data = 0;

    c->n_nulls = -1;

    while ((type = nb_thrift_field(t, &id)) != NB_T_STOP) {
        int inner = 0, kind;
        if (id != 3 || type != NB_T_STRUCT) {
            nb_thrift_skip(t, type);
            continue;
        }
        while ((kind = nb_thrift_field(t, &inner)) != NB_T_STOP) {
            switch (inner) {
            case 4: c->codec = (int)nb_thrift_int(t); break;
            case 5: c->n_values = nb_thrift_int(t); break;
            case 7: c->n_bytes = nb_thrift_int(t); break;
            case 9: data = nb_thrift_int(t); break;
            case 11: dictionary = nb_thrift_int(t); break;
            case 12:
                if (kind == NB_T_STRUCT) {
                    read_statistics(t, c);
                    break;
                }
                nb_thrift_skip(t, kind);
                break;
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
                read_chunk(t, &g->chunks[i]);
            }
        } else if (id == 3) {
            g->n_rows = nb_thrift_int(t);
        } else {
            nb_thrift_skip(t, type);
        }
    }
    g->offset = n_columns && g->chunks ? g->chunks[0].offset : 0;
}

static nb_str
keep(nb_thrift *t, nb_arena *arena, nb_str name)
{
    nb_str copy = nb_arena_str(arena, name);

    if (copy.data == NULL) {
        t->bad = t->no_memory = true;
    }
    return copy;
}

static void
read_schema(nb_thrift *t, nb_arena *arena, nb_pq_meta *m)
{
    int kind;
    int64_t n = nb_thrift_list(t, &kind);
    element root;

    if (n < 1 || kind != NB_T_STRUCT) {
        t->bad = true;
        return;
    }
    read_element(t, &root);
    m->columns = NB_ARENA_ARRAY(arena, nb_pq_column, n);
    if (!m->columns) {
        t->bad = t->no_memory = true;
        return;
    }
    memset(m->columns, 0, sizeof(nb_pq_column) * (size_t)n);
    /* leaves in order; groups make their leaves unsupported, under the group's name */
    for (int64_t i = 1; i < n && !t->bad; i++) {
        element e;
        read_element(t, &e);
        nb_pq_column *c = &m->columns[m->n_columns];
        if (e.n_children > 0) {
            /* skip the whole group, counting its leaves */
            int64_t open = e.n_children;
            for (i++; open > 0 && i < n && !t->bad; i++) {
                element inner;
                read_element(t, &inner);
                open += (inner.n_children > 0 ? inner.n_children : 0) - 1;
                if (inner.n_children == 0) {
                    m->columns[m->n_columns++] = (nb_pq_column){.name = keep(t, arena, e.name)};
                }
            }
            i--;
            continue;
        }
        c->name = keep(t, arena, e.name);
        c->physical = (nb_pq_type)e.type;
        c->width = e.length;
        c->optional = e.repetition == 1;
        c->type = e.repetition == 2 || e.type < 0 || e.type > NB_PQ_FIXED ? NULL : type_of(&e, c);
        if (e.type == NB_PQ_FIXED && (e.length <= 0 || e.length > (1 << 20))) {
            t->bad = true;
        }
        m->n_columns++;
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

static bool
is_sane(const nb_pq_meta *m, int64_t file_size)
{
    int64_t rows = 0;

    for (int g = 0; g < m->n_groups; g++) {
        nb_pq_group *group = &m->groups[g];
        if (group->n_rows < 0 || group->n_rows > INT32_MAX || (m->n_columns && !group->chunks)) {
            return false;
        }
        rows += group->n_rows;
        for (int c = 0; c < m->n_columns; c++) {
            const nb_pq_chunk *k = &group->chunks[c];
            if (k->offset < 0 || k->n_bytes < 0 || k->offset > file_size ||
                k->n_bytes > file_size - k->offset) {
                return false;
            }
            group->chunks[c].has_range &= /* else nobody knows how the bytes are ordered */
                m->columns[c].type && k->low <= k->high &&
                (m->columns[c].physical == NB_PQ_INT32 || m->columns[c].physical == NB_PQ_INT64);
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
    return (size_t)(t.p - p);
}
