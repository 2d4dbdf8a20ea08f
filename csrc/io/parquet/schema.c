/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.c: see schema.h. Elements come in the order of a walk through the tree, each with the number of its children.
 */
#include "io/parquet/schema.h"

#include <stdio.h>

/* Numbers of parquet.thrift. */
enum { CONVERTED_MAP = 1, CONVERTED_MAP_KEY_VALUE = 2, CONVERTED_LIST = 3 };
enum {
    LOGICAL_STRING = 1,
    LOGICAL_MAP = 2,
    LOGICAL_LIST = 3,
    LOGICAL_ENUM = 4,
    LOGICAL_DECIMAL = 5,
    LOGICAL_DATE = 6,
    LOGICAL_TIME = 7,
    LOGICAL_TIMESTAMP = 8,
    LOGICAL_INTEGER = 10,
    LOGICAL_UNKNOWN = 11,
    LOGICAL_JSON = 12,
    LOGICAL_BSON = 13,
    LOGICAL_UUID = 14,
    LOGICAL_FLOAT16 = 15,
    LOGICAL_VARIANT = 16,
    LOGICAL_GEOMETRY = 17,
    LOGICAL_GEOGRAPHY = 18
};
enum { OPTIONAL = 1, REPEATED = 2 };
enum { MILLIS = 1, MICROS = 2, NANOS = 3 };

#define PATH_PART 100

typedef struct element {
    nb_str name;
    int type, length, repetition, n_children, converted, scale, precision;
    int logical; /* number in the union, 0 = none */
    int bits;    /* INTEGER */
    bool is_signed, utc;
    int unit; /* TIMESTAMP, TIME */
} element;

typedef struct builder {
    nb_thrift *t;
    nb_arena *arena;
    nb_pq_schema *schema;
    const element *elements;
    int n, at; /* at: the next element */
} builder;

/* ---- elements -------------------------------------------------------------------------------- */

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
            if (id == LOGICAL_DECIMAL && inner == 1) {
                e->scale = (int)nb_thrift_int(t);
            } else if (id == LOGICAL_DECIMAL && inner == 2) {
                e->precision = (int)nb_thrift_int(t);
            } else if ((id == LOGICAL_TIME || id == LOGICAL_TIMESTAMP) && inner == 1) {
                e->utc = kind == NB_T_TRUE;
            } else if ((id == LOGICAL_TIME || id == LOGICAL_TIMESTAMP) && inner == 2 &&
                       kind == NB_T_STRUCT) {
                read_unit(t, &e->unit);
            } else if (id == LOGICAL_INTEGER && inner == 1 && t->p < t->end) {
                e->bits = *t->p++;
            } else if (id == LOGICAL_INTEGER && inner == 2) {
                e->is_signed = kind == NB_T_TRUE;
            } else {
                nb_thrift_skip(t, kind);
            }
        }
    }
}

/* Files that know converted types only are described by the logical ones that these became. */
static void
modernise(element *e)
{
    static const int BITS[4] = {8, 16, 32, 64};

    if (e->logical) {
        return;
    }
    switch (e->converted) {
    case 0: e->logical = LOGICAL_STRING; break;
    case CONVERTED_MAP:
    case CONVERTED_MAP_KEY_VALUE: e->logical = LOGICAL_MAP; break;
    case CONVERTED_LIST: e->logical = LOGICAL_LIST; break;
    case 4: e->logical = LOGICAL_ENUM; break;
    case 5: e->logical = LOGICAL_DECIMAL; break;
    case 6: e->logical = LOGICAL_DATE; break;
    case 7:
    case 8:
        e->logical = LOGICAL_TIME;
        e->unit = e->converted == 7 ? MILLIS : MICROS;
        e->utc = true;
        break;
    case 9:
    case 10:
        e->logical = LOGICAL_TIMESTAMP;
        e->unit = e->converted == 9 ? MILLIS : MICROS;
        e->utc = true;
        break;
    case 11:
    case 12:
    case 13:
    case 14:
    case 15:
    case 16:
    case 17:
    case 18:
        e->logical = LOGICAL_INTEGER;
        e->bits = BITS[(e->converted - 11) & 3];
        e->is_signed = e->converted >= 15;
        break;
    case 19: e->logical = LOGICAL_JSON; break;
    case 20: e->logical = LOGICAL_BSON; break;
    default: break;
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
    modernise(e);
}

/* ---- types ----------------------------------------------------------------------------------- */

static const nb_type *
int32_type(const element *e, nb_pq_column *c)
{
    switch (e->logical) {
    case LOGICAL_DATE: return nb_type_of(NB_TYPE_DATE);
    case LOGICAL_INTEGER:
        c->is_unsigned = !e->is_signed;
        switch (e->bits) {
        case 8: return nb_type_of(e->is_signed ? NB_TYPE_INT8 : NB_TYPE_INT16);
        case 16: return nb_type_of(e->is_signed ? NB_TYPE_INT16 : NB_TYPE_INT32);
        case 32: return nb_type_of(e->is_signed ? NB_TYPE_INT32 : NB_TYPE_INT64);
        default: return NULL;
        }
    case 0:
    case LOGICAL_UNKNOWN: return nb_type_of(NB_TYPE_INT32);
    default: return NULL;
    }
}

static const nb_type *
int64_type(const element *e, nb_pq_column *c)
{
    switch (e->logical) {
    case LOGICAL_TIMESTAMP:
        c->unit_per_us = e->unit == MILLIS ? -1000 : e->unit == NANOS ? 1000 : 1;
        return nb_type_of(e->utc ? NB_TYPE_TIMESTAMP : NB_TYPE_TIMESTAMP_NTZ);
    case LOGICAL_TIME: c->refusal = e->unit == MICROS ? NB_PQ_TIME : NB_PQ_ILLEGAL; return NULL;
    case LOGICAL_INTEGER:
        c->is_unsigned = !e->is_signed;
        if (e->bits != 64) {
            return NULL;
        }
        return e->is_signed ? nb_type_of(NB_TYPE_INT64) : nb_type_decimal(20, 0);
    case 0:
    case LOGICAL_UNKNOWN: return nb_type_of(NB_TYPE_INT64);
    default: return NULL;
    }
}

/* Spark's mapping of physical and logical types. Beyond it: FLOAT16 becomes float, timestamps in nanoseconds are cut to microseconds. */
static const nb_type *
type_of(const element *e, nb_pq_column *c)
{
    c->unit_per_us = 1;
    if (e->logical == LOGICAL_DECIMAL && e->type != NB_PQ_BOOLEAN && e->type != NB_PQ_FLOAT &&
        e->type != NB_PQ_DOUBLE && e->type != NB_PQ_INT96) {
        c->refusal = e->precision > 38 ? NB_PQ_TOO_PRECISE : NB_PQ_ILLEGAL;
        return nb_type_decimal(e->precision, e->scale);
    }
    switch (e->type) {
    case NB_PQ_BOOLEAN: return nb_type_of(NB_TYPE_BOOL);
    case NB_PQ_FLOAT: return nb_type_of(NB_TYPE_FLOAT32);
    case NB_PQ_DOUBLE: return nb_type_of(NB_TYPE_FLOAT64);
    case NB_PQ_INT96: return nb_type_of(NB_TYPE_TIMESTAMP);
    case NB_PQ_INT32: return int32_type(e, c);
    case NB_PQ_INT64: return int64_type(e, c);
    case NB_PQ_BYTE_ARRAY:
        switch (e->logical) {
        case LOGICAL_STRING:
        case LOGICAL_ENUM:
        case LOGICAL_JSON: return nb_type_of(NB_TYPE_STRING);
        case 0:
        case LOGICAL_UNKNOWN:
        case LOGICAL_BSON:
        case LOGICAL_GEOMETRY:
        case LOGICAL_GEOGRAPHY: return nb_type_of(NB_TYPE_BINARY);
        default: return NULL;
        }
    case NB_PQ_FIXED:
        c->is_half = e->logical == LOGICAL_FLOAT16 && e->length == 2;
        return c->is_half                              ? nb_type_of(NB_TYPE_FLOAT32)
               : e->logical == 0 && e->converted != 21 ? nb_type_of(NB_TYPE_BINARY)
                                                       : NULL;
    default: return NULL;
    }
}

static const char *
describe(nb_arena *arena, const element *e)
{
    static const char *const PHYSICAL[] = {"BOOLEAN", "INT32",  "INT64",  "INT96",
                                           "FLOAT",   "DOUBLE", "BINARY", "FIXED_LEN_BYTE_ARRAY"};
    static const char *const UNITS[] = {"", "MILLIS", "MICROS", "NANOS"};
    static const char *const LOGICAL[] = {
        "", "STRING",  "MAP",  "LIST", "ENUM", "",        "DATE",    "",         "",         "",
        "", "UNKNOWN", "JSON", "BSON", "UUID", "FLOAT16", "VARIANT", "GEOMETRY", "GEOGRAPHY"};
    const char *physical = e->type >= 0 && e->type <= NB_PQ_FIXED ? PHYSICAL[e->type] : "UNKNOWN";
    const char *unit = e->unit >= MILLIS && e->unit <= NANOS ? UNITS[e->unit] : "";

    switch (e->logical) {
    case 0:
        return e->converted == 21 ? nb_arena_printf(arena, "%s (INTERVAL)", physical) : physical;
    case LOGICAL_DECIMAL:
        return nb_arena_printf(arena, "%s (DECIMAL(%d,%d))", physical, e->precision, e->scale);
    case LOGICAL_TIME:
    case LOGICAL_TIMESTAMP:
        return nb_arena_printf(arena, "%s (%s(%s,%s))", physical,
                               e->logical == LOGICAL_TIME ? "TIME" : "TIMESTAMP", unit,
                               e->utc ? "true" : "false");
    case LOGICAL_INTEGER:
        return nb_arena_printf(arena, "%s (INTEGER(%d,%s))", physical, e->bits,
                               e->is_signed ? "true" : "false");
    default:
        return nb_arena_printf(arena, "%s (%s)", physical,
                               e->logical > 0 && e->logical < (int)NB_COUNT_OF(LOGICAL)
                                   ? LOGICAL[e->logical]
                                   : "UNKNOWN");
    }
}

nb_status
nb_pq_refuse(const nb_pq_column *c, nb_error *err)
{
    char text[160];

    switch (c->refusal) {
    case NB_PQ_TIME: return nb_raise(err, NB_COND_UNSUPPORTED_TIME_TYPE, NULL);
    case NB_PQ_TOO_PRECISE:
        return nb_raise_unsupported(err, "The Parquet column %.*s of type %.*s",
                                    (int)NB_MIN(c->name.len, 100), c->name.data,
                                    (int)c->described.len, c->described.data);
    default:
        snprintf(text, sizeof text, "%.*s", (int)NB_MIN(c->described.len, 150), c->described.data);
        return nb_raise(err, NB_COND_PARQUET_TYPE_ILLEGAL, "parquetType", text, NULL);
    }
}

/* ---- the tree -------------------------------------------------------------------------------- */

static void
no_memory(builder *b)
{
    b->t->bad = b->t->no_memory = true;
}

/* "above.name", in the arena; for messages, so that long ones are cut (a long name over many leaves would else be copied that often). */
static nb_str
join(builder *b, nb_str above, nb_str name)
{
    const char *text =
        above.len ? nb_arena_printf(b->arena, "%.*s.%.*s", (int)NB_MIN(above.len, PATH_PART),
                                    above.data, (int)NB_MIN(name.len, PATH_PART), name.data)
                  : nb_arena_strdup(b->arena, name);

    if (!text) {
        no_memory(b);
        return (nb_str){"", 0};
    }
    return above.len ? nb_str_of(text) : (nb_str){text, name.len};
}

static void build(builder *b, nb_str above, int def, int rep, nb_pq_node *out);
static void body(builder *b, const element *e, nb_str path, int def, int rep, nb_pq_node *out);

static void
leaf(builder *b, const element *e, nb_str path, int def, int rep, nb_pq_node *out)
{
    nb_pq_schema *s = b->schema;
    nb_pq_column *c = &s->columns[s->n_columns];
    const char *text = describe(b->arena, e);

    if (!text) {
        no_memory(b);
        return;
    }
    *c = (nb_pq_column){.name = path,
                        .physical = (nb_pq_type)e->type,
                        .width = e->length,
                        .max_def = def,
                        .max_rep = rep,
                        .described = nb_str_of(text)};
    if (e->type < 0 || e->type > NB_PQ_FIXED ||
        (e->type == NB_PQ_FIXED && (e->length <= 0 || e->length > (1 << 20)))) {
        b->t->bad = true;
        return;
    }
    c->type = type_of(e, c);
    out->kind = NB_PQ_LEAF;
    out->type = c->type;
    s->n_columns++;
}

/* The type of a list or map whose children have theirs. */
static void
type_lists(builder *b, nb_pq_node *node)
{
    const nb_type *first = b->t->bad ? NULL : node->children[0].type;

    if (!first || (node->kind == NB_PQ_MAP && !node->children[1].type)) {
        return;
    }
    node->type = node->kind == NB_PQ_MAP ? nb_type_map(first, node->children[1].type, true)
                                         : nb_type_array(first, true);
    if (!node->type) {
        no_memory(b);
    }
}

/* Is the repeated field of a list its element, or only what holds it? Spark's rules for layouts of before the standard. */
static bool
is_element(const element *repeated, nb_str list)
{
    size_t n = repeated->name.len;

    return repeated->n_children != 1 || nb_str_equal(repeated->name, NB_STR("array")) ||
           (n == list.len + 6 && memcmp(repeated->name.data, list.data, list.len) == 0 &&
            memcmp(repeated->name.data + list.len, "_tuple", 6) == 0);
}

static nb_pq_node *
new_nodes(builder *b, int n)
{
    nb_pq_node *nodes = nb_arena_zalloc(b->arena, sizeof(nb_pq_node) * (size_t)(n + 1));

    if (!nodes) {
        no_memory(b);
    }
    return nodes;
}

static void
list_of(builder *b, const element *e, nb_str path, int def, int rep, nb_pq_node *out)
{
    const element *repeated = &b->elements[b->at];
    nb_str below;

    if (e->n_children != 1 || b->at >= b->n || repeated->repetition != REPEATED) {
        b->t->bad = true;
        return;
    }
    b->at++;
    out->kind = NB_PQ_LIST;
    out->n_children = 1;
    out->children = new_nodes(b, 1);
    out->rep = rep + 1;
    out->entry_def = def + 1;
    below = join(b, path, repeated->name);
    if (b->t->bad) {
        return;
    }
    if (is_element(repeated, e->name)) {
        body(b, repeated, below, def + 1, rep + 1, &out->children[0]);
    } else {
        build(b, below, def + 1, rep + 1, &out->children[0]);
    }
    type_lists(b, out);
}

static void
map_of(builder *b, const element *e, nb_str path, int def, int rep, nb_pq_node *out)
{
    const element *repeated = &b->elements[b->at];
    nb_str below;

    if (e->n_children != 1 || b->at >= b->n || repeated->repetition != REPEATED ||
        repeated->n_children != 2) {
        b->t->bad = true;
        return;
    }
    b->at++;
    out->kind = NB_PQ_MAP;
    out->n_children = 2;
    out->children = new_nodes(b, 2);
    out->rep = rep + 1;
    out->entry_def = def + 1;
    below = join(b, path, repeated->name);
    for (int i = 0; i < 2 && !b->t->bad; i++) {
        build(b, below, def + 1, rep + 1, &out->children[i]);
    }
    type_lists(b, out);
}

static void
struct_of(builder *b, const element *e, nb_str path, int def, int rep, nb_pq_node *out)
{
    nb_field *fields;
    bool known = true;

    if (e->n_children > b->n - b->at) {
        b->t->bad = true;
        return;
    }
    out->kind = NB_PQ_STRUCT;
    out->n_children = e->n_children;
    out->children = new_nodes(b, e->n_children);
    fields = NB_ARENA_ARRAY(b->arena, nb_field, e->n_children + 1);
    if (!fields) {
        no_memory(b);
    }
    for (int i = 0; i < e->n_children && !b->t->bad; i++) {
        nb_pq_node *child = &out->children[i];
        build(b, path, def, rep, child);
        known &= child->type != NULL;
        fields[i] = (nb_field){.name = child->name, .type = child->type, .nullable = true};
    }
    if (!b->t->bad && known) {
        out->type = nb_type_struct(fields, e->n_children);
        if (!out->type) {
            no_memory(b);
        }
    }
}

/* The element as something that is there at level def, whatever its repetition. */
static void
body(builder *b, const element *e, nb_str path, int def, int rep, nb_pq_node *out)
{
    if (def > NB_PQ_MAX_LEVEL) {
        b->t->bad = true;
        return;
    }
    out->name = nb_arena_str(b->arena, e->name);
    if (!out->name.data) {
        no_memory(b);
        return;
    }
    out->def = def;
    out->leaf = b->schema->n_columns;
    if (e->n_children <= 0) {
        leaf(b, e, path, def, rep, out);
    } else if (e->logical == LOGICAL_LIST) {
        list_of(b, e, path, def, rep, out);
    } else if (e->logical == LOGICAL_MAP) {
        map_of(b, e, path, def, rep, out);
    } else {
        struct_of(b, e, path, def, rep, out);
    }
    out->n_leaves = b->schema->n_columns - out->leaf;
}

/* The next element. */
static void
build(builder *b, nb_str above, int def, int rep, nb_pq_node *out)
{
    const element *e = &b->elements[b->at];
    nb_str path;

    /* each group costs a frame, and adds a level only where it may be missing */
    if (b->at >= b->n || b->t->depth >= 2 * NB_PQ_MAX_LEVEL) {
        b->t->bad = true;
        return;
    }
    b->at++;
    b->t->depth++;
    path = join(b, above, e->name);
    if (e->repetition == REPEATED && !b->t->bad) { /* a list of things that are there */
        out->name = nb_arena_str(b->arena, e->name);
        out->kind = NB_PQ_LIST;
        out->def = def;
        out->rep = rep + 1;
        out->entry_def = def + 1;
        out->leaf = b->schema->n_columns;
        out->n_children = 1;
        out->children = new_nodes(b, 1);
        if (!out->name.data) {
            no_memory(b);
        }
        if (!b->t->bad) {
            body(b, e, path, def + 1, rep + 1, &out->children[0]);
            type_lists(b, out);
            out->n_leaves = b->schema->n_columns - out->leaf;
        }
    } else if (!b->t->bad) {
        body(b, e, path, def + (e->repetition == OPTIONAL), rep, out);
    }
    b->t->depth--;
}

void
nb_pq_schema_read(nb_thrift *t, nb_arena *arena, nb_pq_schema *out)
{
    builder b = {.t = t, .arena = arena, .schema = out};
    int kind;
    int64_t n = nb_thrift_list(t, &kind);
    element *elements;

    if (n < 1 || kind != NB_T_STRUCT || n > INT32_MAX) {
        t->bad = true;
        return;
    }
    elements = NB_ARENA_ARRAY(arena, element, n);
    out->columns = NB_ARENA_ARRAY(arena, nb_pq_column, n);
    if (!elements || !out->columns) {
        no_memory(&b);
        return;
    }
    for (int64_t i = 0; i < n && !t->bad; i++) {
        read_element(t, &elements[i]);
    }
    b.elements = elements;
    b.n = (int)n;
    b.at = 1;
    if (t->bad || elements[0].n_children < 0 || elements[0].n_children > n - 1) {
        t->bad = true;
        return;
    }
    out->fields = new_nodes(&b, elements[0].n_children);
    for (int i = 0; i < elements[0].n_children && !t->bad; i++) {
        nb_pq_node *field = &out->fields[i];
        build(&b, (nb_str){"", 0}, 0, 0, field);
        if (!t->bad && nb_pq_node_is_flat(field)) {
            out->columns[field->leaf].optional = field->def == 1;
        }
        out->n_fields = i + 1;
    }
    t->bad |= b.at != b.n;
}

bool
nb_pq_node_is_flat(const nb_pq_node *node)
{
    return node->kind == NB_PQ_LEAF;
}
