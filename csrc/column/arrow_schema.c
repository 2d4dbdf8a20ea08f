/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arrow_schema.c: types to ArrowSchema and back.
 *
 * Field metadata travels under Spark's key, "SPARK::metadata::json". Extension types of others are read as their storage.
 */
#include "column/arrow.h"

#include <stdio.h>
#include <stdlib.h>
#include "column/arrow_internal.h"

#define METADATA_KEY NB_STR("SPARK::metadata::json")

/* --- out --------------------------------------------------------------------------------------- */

/* One arena holds a whole tree of schemas; each node that is not released yet has a reference to it, because a consumer may
 * move children out of their parent. */
typedef struct tree {
    nb_arena *arena;
    int64_t refs;
} tree;

static void
tree_unref(tree *t)
{
    if (__atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        nb_arena_free(t->arena);
    }
}

static void
schema_release(struct ArrowSchema *s)
{
    for (int64_t i = 0; i < s->n_children; i++) {
        if (s->children[i]->release != NULL) {
            s->children[i]->release(s->children[i]);
        }
    }
    s->release = NULL;
    tree_unref(s->private_data);
}

static const char *
format_of(nb_arena *arena, const nb_type *type, const nb_arrow_options *o,
          const struct ArrowSchema *requested)
{
    static const char *const formats[NB_N_TYPES] = {
#define NB_TYPE(ID, PHYS, NAME, ARROW) [NB_TYPE_##ID] = ARROW,
#include "column/types.def"
#undef NB_TYPE
    };
    bool large;

    switch (type->id) {
    case NB_TYPE_DECIMAL: return nb_arena_printf(arena, "d:%d,%d", type->precision, type->scale);
    case NB_TYPE_TIMESTAMP:
        return o->time_zone.len == 0
                   ? "tsu:UTC"
                   : nb_arena_printf(arena, "tsu:%.*s", (int)o->time_zone.len, o->time_zone.data);
    case NB_TYPE_INTERVAL: return "tin";
    case NB_TYPE_STRING:
    case NB_TYPE_CHAR:
    case NB_TYPE_VARCHAR:
    case NB_TYPE_BINARY:
        switch (nb_arrow_string_layout(type, o, requested)) {
        case NB_ARROW_VIEWS: return type->id == NB_TYPE_BINARY ? "vz" : "vu";
        default:
            large = nb_arrow_string_layout(type, o, requested) == NB_ARROW_OFFSETS_64;
            return type->id == NB_TYPE_BINARY ? large ? "Z" : "z" : large ? "U" : "u";
        }
    default: return formats[type->id];
    }
}

nb_arrow_layout
nb_arrow_string_layout(const nb_type *type, const nb_arrow_options *options,
                       const struct ArrowSchema *requested)
{
    if (requested != NULL && requested->format != NULL) {
        bool binary = type->id == NB_TYPE_BINARY;
        if (strcmp(requested->format, binary ? "vz" : "vu") == 0) {
            return NB_ARROW_VIEWS;
        }
        if (strcmp(requested->format, binary ? "Z" : "U") == 0) {
            return NB_ARROW_OFFSETS_64;
        }
        if (strcmp(requested->format, binary ? "z" : "u") == 0) {
            return NB_ARROW_OFFSETS_32;
        }
    }
    return options->large_strings ? NB_ARROW_OFFSETS_64 : NB_ARROW_OFFSETS_32;
}

const struct ArrowSchema *
nb_arrow_requested_child(const struct ArrowSchema *requested, int64_t n_children, int64_t i)
{
    return requested != NULL && requested->n_children == n_children ? requested->children[i] : NULL;
}

/* Number of pairs, then length and bytes of each key and value, in native order. */
static const char *
metadata_of(nb_arena *arena, nb_str json)
{
    nb_str key = METADATA_KEY;
    int32_t one = 1, key_len = (int32_t)key.len, len = (int32_t)json.len;
    char *out, *p;

    out = p = nb_arena_alloc(arena, 12 + key.len + json.len);
    if (p != NULL) {
        memcpy(p, &one, 4);
        memcpy(p + 4, &key_len, 4);
        memcpy(p + 8, key.data, key.len);
        memcpy(p + 8 + key.len, &len, 4);
        memcpy(p + 12 + key.len, json.data, json.len);
    }
    return out;
}

static nb_status export_node(tree *t, const nb_field *field, const nb_arrow_options *o,
                             const struct ArrowSchema *requested, struct ArrowSchema *out);

static nb_status
export_children(tree *t, const nb_field *fields, int n, const nb_arrow_options *o,
                const struct ArrowSchema *requested, struct ArrowSchema *out)
{
    out->children = NB_ARENA_ARRAY(t->arena, struct ArrowSchema *, n);
    if (out->children == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        out->children[i] = NB_ARENA_NEW(t->arena, struct ArrowSchema);
        if (out->children[i] == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(export_node(t, &fields[i], o, nb_arrow_requested_child(requested, n, i),
                           out->children[i]));
    }
    out->n_children = n;
    return NB_OK;
}

static nb_status
export_node(tree *t, const nb_field *field, const nb_arrow_options *o,
            const struct ArrowSchema *requested, struct ArrowSchema *out)
{
    const nb_type *type = nb_type_storage(field->type);
    struct ArrowSchema s = {.release = schema_release, .private_data = t};

    s.format = format_of(t->arena, type, o, requested);
    s.name = nb_arena_strdup(t->arena, field->name);
    s.flags = field->nullable ? ARROW_FLAG_NULLABLE : 0;
    if (s.format == NULL || s.name == NULL) {
        return NB_NOMEM;
    }
    if (field->metadata.len > 0) {
        s.metadata = metadata_of(t->arena, field->metadata);
        if (s.metadata == NULL) {
            return NB_NOMEM;
        }
    }
    if (type->id == NB_TYPE_MAP) {
        nb_field entries = {NB_STR("entries"), NULL, false, {"", 0}};
        entries.type = nb_type_struct(type->children, 2);
        if (entries.type == NULL) {
            return NB_NOMEM;
        }
        NB_TRY(export_children(t, &entries, 1, o, requested, &s));
    } else if (type->n_children > 0) {
        NB_TRY(export_children(t, type->children, type->n_children, o, requested, &s));
    }
    t->refs++;
    *out = s;
    return NB_OK;
}

nb_status
nb_arrow_export_schema(const nb_type *type, const nb_arrow_options *options,
                       struct ArrowSchema *out, nb_error *err)
{
    nb_field top = {NB_STR(""), type, false, {"", 0}};
    nb_arena *arena = nb_arena_new(NULL);
    tree *t = arena ? NB_ARENA_NEW(arena, tree) : NULL;
    nb_status st;

    (void)err;
    if (t == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    t->arena = arena;
    st = export_node(t, &top, options, options->requested, out);
    if (st < 0) {
        nb_arena_free(arena);
    }
    return st;
}

/* --- in ---------------------------------------------------------------------------------------- */

static nb_status
unsupported(const struct ArrowSchema *s, nb_error *err)
{
    return nb_raise(err, NB_COND_UNSUPPORTED_ARROWTYPE, "typeName", s->format, NULL);
}

/* "d:precision,scale[,bits]" */
bool
nb_arrow_parse_decimal(const char *format, int *precision, int *scale, int *bits)
{
    int n = 0;

    *bits = 128;
    if (sscanf(format, "d:%d,%d%n", precision, scale, &n) != 2) {
        return false;
    }
    if (format[n] == ',') {
        int m = 0;
        if (sscanf(format + n, ",%d%n", bits, &m) != 1) {
            return false;
        }
        n += m;
    }
    return format[n] == '\0' && (*bits == 32 || *bits == 64 || *bits == 128 || *bits == 256);
}

/* Spark's JSON in an Arrow metadata block, or an empty string. */
static nb_str
read_metadata(const char *p)
{
    nb_str key = METADATA_KEY;
    int32_t n, len;

    if (p == NULL) {
        return (nb_str){"", 0};
    }
    memcpy(&n, p, 4);
    p += 4;
    for (; n > 0; n--) {
        bool ours;
        memcpy(&len, p, 4);
        ours = (size_t)len == key.len && memcmp(p + 4, key.data, key.len) == 0;
        p += 4 + len;
        memcpy(&len, p, 4);
        if (ours) {
            return (nb_str){p + 4, (size_t)len};
        }
        p += 4 + len;
    }
    return (nb_str){"", 0};
}

static nb_status
import_type(nb_arena *arena, const struct ArrowSchema *s, const nb_arrow_import_options *o,
            int depth, const nb_type **out, nb_error *err);

static nb_status
import_struct(nb_arena *arena, const struct ArrowSchema *s, const nb_arrow_import_options *o,
              int depth, const nb_type **out, nb_error *err)
{
    nb_field *fields = NB_ARENA_ARRAY(arena, nb_field, s->n_children);

    if (fields == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < s->n_children; i++) {
        const struct ArrowSchema *c = s->children[i];
        fields[i].name = c->name ? nb_str_of(c->name) : NB_STR("");
        fields[i].nullable = c->flags & ARROW_FLAG_NULLABLE;
        fields[i].metadata = read_metadata(c->metadata);
        NB_TRY(import_type(arena, c, o, depth + 1, &fields[i].type, err));
    }
    *out = nb_type_struct(fields, (int)s->n_children);
    return NB_OK;
}

static nb_status
import_nested(nb_arena *arena, const struct ArrowSchema *s, const nb_arrow_import_options *o,
              int depth, const nb_type **out, nb_error *err)
{
    const struct ArrowSchema *child = s->n_children == 1 ? s->children[0] : NULL;
    const nb_type *a, *b;
    const char *f = s->format + 1;

    if (*f == 's') {
        return import_struct(arena, s, o, depth, out, err);
    }
    if (*f == 'm' && child != NULL && child->n_children == 2) {
        NB_TRY(import_type(arena, child->children[0], o, depth + 1, &a, err));
        NB_TRY(import_type(arena, child->children[1], o, depth + 1, &b, err));
        *out = nb_type_map(a, b, child->children[1]->flags & ARROW_FLAG_NULLABLE);
        return NB_OK;
    }
    if (child != NULL && (*f == 'l' || *f == 'L' || strncmp(f, "w:", 2) == 0 ||
                          strcmp(f, "vl") == 0 || strcmp(f, "vL") == 0)) {
        NB_TRY(import_type(arena, child, o, depth + 1, &a, err));
        *out = nb_type_array(a, child->flags & ARROW_FLAG_NULLABLE);
        return NB_OK;
    }
    return unsupported(s, err);
}

static const nb_type *
import_temporal(const char *f, const nb_arrow_import_options *o)
{
    bool unit = f[1] && strchr("smun", f[2] ? f[2] : ' ') != NULL;

    switch (f[1]) {
    case 'd': return f[2] == 'D' || f[2] == 'm' ? nb_type_of(NB_TYPE_DATE) : NULL;
    case 't': return unit ? nb_type_of(NB_TYPE_TIME) : NULL;
    case 's':
        if (!unit || f[3] != ':') {
            return NULL;
        }
        return nb_type_of(f[4] != '\0' || (o && o->naive_as_ltz) ? NB_TYPE_TIMESTAMP
                                                                 : NB_TYPE_TIMESTAMP_NTZ);
    case 'D': return unit ? nb_type_of(NB_TYPE_INTERVAL_DT) : NULL;
    case 'i':
        return f[2] == 'M'   ? nb_type_of(NB_TYPE_INTERVAL_YM)
               : f[2] == 'D' ? nb_type_of(NB_TYPE_INTERVAL_DT)
               : f[2] == 'n' ? nb_type_of(NB_TYPE_INTERVAL)
                             : NULL;
    default: return NULL;
    }
}

static const nb_type *
import_decimal(const char *format)
{
    int precision, scale, bits;

    return nb_arrow_parse_decimal(format, &precision, &scale, &bits)
               ? nb_type_decimal(precision, scale)
               : NULL;
}

static const nb_type *
import_plain(const char *f, const nb_arrow_import_options *o)
{
    if (*f == 't') {
        return import_temporal(f, o);
    }
    if (*f == 'd') {
        return import_decimal(f);
    }
    if (strncmp(f, "w:", 2) == 0 || strcmp(f, "vz") == 0) {
        return nb_type_of(NB_TYPE_BINARY);
    }
    if (strcmp(f, "vu") == 0) {
        return nb_type_of(NB_TYPE_STRING);
    }
    switch (f[0] && !f[1] ? f[0] : ' ') {
    case 'n': return nb_type_of(NB_TYPE_NULL);
    case 'b': return nb_type_of(NB_TYPE_BOOL);
    case 'c': return nb_type_of(NB_TYPE_INT8);
    case 'C':
    case 's': return nb_type_of(NB_TYPE_INT16);
    case 'S':
    case 'i': return nb_type_of(NB_TYPE_INT32);
    case 'I':
    case 'l': return nb_type_of(NB_TYPE_INT64);
    case 'L': return nb_type_decimal(20, 0);
    case 'e':
    case 'f': return nb_type_of(NB_TYPE_FLOAT32);
    case 'g': return nb_type_of(NB_TYPE_FLOAT64);
    case 'u':
    case 'U': return nb_type_of(NB_TYPE_STRING);
    case 'z':
    case 'Z': return nb_type_of(NB_TYPE_BINARY);
    default: return NULL;
    }
}

static nb_status
import_type(nb_arena *arena, const struct ArrowSchema *s, const nb_arrow_import_options *o,
            int depth, const nb_type **out, nb_error *err)
{
    *out = NULL;
    if (s->format == NULL || depth > NB_TYPE_MAX_DEPTH) {
        return nb_raise_internal(err, "an Arrow schema without format, or nested too deeply");
    }
    if (s->dictionary != NULL) {
        return import_type(arena, s->dictionary, o, depth + 1, out, err);
    }
    if (*s->format == '+') {
        NB_TRY(import_nested(arena, s, o, depth, out, err));
    } else {
        *out = import_plain(s->format, o);
    }
    return *out != NULL ? NB_OK : unsupported(s, err);
}

nb_status
nb_arrow_import_type(const struct ArrowSchema *schema, const nb_arrow_import_options *options,
                     const nb_type **out, nb_error *err)
{
    nb_arena *arena = nb_arena_new(NULL);
    const nb_type *type = NULL;
    nb_status st = arena ? import_type(arena, schema, options, 0, &type, err) : NB_NOMEM;

    nb_arena_free(arena);
    if (st == NB_OK) {
        *out = type;
    }
    return st;
}
