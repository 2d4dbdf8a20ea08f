/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spark_schema.c: see spark_schema.h. The text is parsed by jansson, which bounds the nesting, and walked beside the file's own type.
 */
#include "io/parquet/spark_schema.h"

#include <jansson.h>
#include <stdlib.h>

#define YEAR_MONTH_FIELDS 2
#define DAY_TIME_FIELDS   4

static const char *const YEAR_MONTH[YEAR_MONTH_FIELDS] = {"year", "month"};
static const char *const DAY_TIME[DAY_TIME_FIELDS] = {"day", "hour", "minute", "second"};

static nb_str
string_of(const json_t *j)
{
    return j && json_is_string(j) ? (nb_str){json_string_value(j), json_string_length(j)}
                                  : (nb_str){"", 0};
}

static int
field_of(const char *const *names, int n, nb_str name)
{
    for (int i = 0; i < n; i++) {
        if (nb_str_equal(name, nb_str_of(names[i]))) {
            return i;
        }
    }
    return -1;
}

/* "interval day to second", "interval year"; NULL: it is none of these. */
static const nb_type *
interval_of(nb_str name)
{
    nb_str from, to;
    size_t at;
    int a, b;

    if (!nb_str_starts_with(name, NB_STR("interval "))) {
        return NULL;
    }
    from = to = (nb_str){name.data + 9, name.len - 9};
    for (at = 0; at + 4 <= from.len && memcmp(from.data + at, " to ", 4) != 0; at++) {
    }
    if (at + 4 <= from.len) {
        to = (nb_str){from.data + at + 4, from.len - at - 4};
        from.len = at;
    }
    a = field_of(YEAR_MONTH, YEAR_MONTH_FIELDS, from);
    b = field_of(YEAR_MONTH, YEAR_MONTH_FIELDS, to);
    if (a >= 0 && b >= a) {
        return nb_type_interval_ym(a, b);
    }
    a = field_of(DAY_TIME, DAY_TIME_FIELDS, from);
    b = field_of(DAY_TIME, DAY_TIME_FIELDS, to);
    return a >= 0 && b >= a ? nb_type_interval_dt(a, b) : NULL;
}

static const json_t *
find_field(const json_t *list, size_t near, nb_str name)
{
    const json_t *f = json_array_get(list, near);
    size_t i;

    if (f && nb_str_equal(string_of(json_object_get(f, "name")), name)) {
        return f;
    }
    json_array_foreach(list, i, f)
    {
        if (nb_str_equal(string_of(json_object_get(f, "name")), name)) {
            return f;
        }
    }
    return NULL;
}

/* exact: within a user-defined type, where the text's nullability is part of the type. */
static nb_status
refine(nb_arena *arena, const json_t *j, const nb_type *stored, bool exact, const nb_type **out);

static nb_status
refine_struct(nb_arena *arena, const json_t *j, const nb_type *stored, bool exact,
              const nb_type **out)
{
    const json_t *list = json_object_get(j, "fields");
    nb_field *fields = NB_ARENA_ARRAY(arena, nb_field, stored->n_children + 1);

    if (!fields) {
        return NB_NOMEM;
    }
    for (int i = 0; i < stored->n_children; i++) {
        const json_t *f, *metadata;
        fields[i] = stored->children[i];
        f = find_field(list, (size_t)i, fields[i].name);
        if (!f) {
            continue;
        }
        NB_TRY(refine(arena, json_object_get(f, "type"), fields[i].type, exact, &fields[i].type));
        fields[i].nullable = !exact || !json_is_false(json_object_get(f, "nullable"));
        metadata = json_object_get(f, "metadata");
        if (metadata && json_object_size(metadata) > 0) {
            char *text = json_dumps(metadata, JSON_COMPACT);
            fields[i].metadata = text ? nb_arena_str(arena, nb_str_of(text)) : (nb_str){NULL, 0};
            free(text);
            if (!fields[i].metadata.data) {
                return NB_NOMEM;
            }
        }
    }
    *out = nb_type_struct(fields, stored->n_children);
    return *out ? NB_OK : NB_NOMEM;
}

static nb_status
refine(nb_arena *arena, const json_t *j, const nb_type *stored, bool exact, const nb_type **out)
{
    nb_str kind = string_of(j && json_is_object(j) ? json_object_get(j, "type") : j);
    const nb_type *first, *second, *made = stored;

    if (nb_str_equal(kind, NB_STR("struct")) && stored->id == NB_TYPE_STRUCT) {
        return refine_struct(arena, j, stored, exact, out);
    }
    if (nb_str_equal(kind, NB_STR("array")) && stored->id == NB_TYPE_ARRAY) {
        NB_TRY(refine(arena, json_object_get(j, "elementType"), stored->children[0].type, exact,
                      &first));
        made = nb_type_array(first, !exact || !json_is_false(json_object_get(j, "containsNull")));
    } else if (nb_str_equal(kind, NB_STR("map")) && stored->id == NB_TYPE_MAP) {
        NB_TRY(
            refine(arena, json_object_get(j, "keyType"), stored->children[0].type, exact, &first));
        NB_TRY(refine(arena, json_object_get(j, "valueType"), stored->children[1].type, exact,
                      &second));
        made = nb_type_map(first, second,
                           !exact || !json_is_false(json_object_get(j, "valueContainsNull")));
    } else if (nb_str_equal(kind, NB_STR("udt"))) {
        NB_TRY(refine(arena, json_object_get(j, "sqlType"), stored, true, &first));
        if (first->id == NB_TYPE_UDT) {
            first = first->children[0].type;
        }
        made = nb_type_udt(string_of(json_object_get(j, "class")),
                           string_of(json_object_get(j, "pyClass")),
                           string_of(json_object_get(j, "serializedClass")), first);
    } else if (nb_str_equal(kind, NB_STR("void")) && stored->id == NB_TYPE_BOOL) {
        made = nb_type_of(NB_TYPE_NULL);
    } else if (stored->id == NB_TYPE_INT32 || stored->id == NB_TYPE_INT64) {
        const nb_type *interval = interval_of(kind);
        made = interval && interval->phys == stored->phys ? interval : stored;
    }
    *out = made;
    return made ? NB_OK : NB_NOMEM;
}

nb_status
nb_pq_spark_refine(nb_arena *arena, nb_str text, const nb_type *stored, const nb_type **out)
{
    json_error_t why;
    json_t *j = json_loadb(text.data, text.len, 0, &why);
    nb_status st;

    if (!j) {
        *out = stored;
        return json_error_code(&why) == json_error_out_of_memory ? NB_NOMEM : NB_OK;
    }
    st = refine(arena, j, stored, false, out);
    json_decref(j);
    return st;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void
put_text(nb_strbuf *b, nb_str s)
{
    nb_strbuf_addc(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c == '"' || c == '\\') {
            nb_strbuf_addc(b, '\\');
            nb_strbuf_addc(b, (char)c);
        } else if (c < 0x20) {
            nb_strbuf_addf(b, "\\u%04x", c);
        } else {
            nb_strbuf_addc(b, (char)c);
        }
    }
    nb_strbuf_addc(b, '"');
}

static void
put_key(nb_strbuf *b, const char *key, nb_str value)
{
    nb_strbuf_addf(b, ",\"%s\":", key);
    put_text(b, value);
}

static void
put_bool(nb_strbuf *b, const char *key, bool v)
{
    nb_strbuf_addf(b, ",\"%s\":%s", key, v ? "true" : "false");
}

static void
put_interval(nb_strbuf *b, const nb_type *t)
{
    const char *const *names = t->id == NB_TYPE_INTERVAL_YM ? YEAR_MONTH : DAY_TIME;

    if (t->start_field == t->end_field) {
        nb_strbuf_addf(b, "\"interval %s\"", names[t->start_field]);
    } else {
        nb_strbuf_addf(b, "\"interval %s to %s\"", names[t->start_field], names[t->end_field]);
    }
}

static const char *
name_of(const nb_type *t)
{
    switch (t->id) {
    case NB_TYPE_BOOL: return "boolean";
    case NB_TYPE_INT8: return "byte";
    case NB_TYPE_INT16: return "short";
    case NB_TYPE_INT32: return "integer";
    case NB_TYPE_INT64: return "long";
    case NB_TYPE_FLOAT32: return "float";
    case NB_TYPE_FLOAT64: return "double";
    case NB_TYPE_BINARY: return "binary";
    case NB_TYPE_DATE: return "date";
    case NB_TYPE_TIMESTAMP: return "timestamp";
    case NB_TYPE_TIMESTAMP_NTZ: return "timestamp_ntz";
    case NB_TYPE_NULL: return "void";
    default: return "string";
    }
}

void
nb_pq_spark_json(nb_strbuf *b, const nb_type *t)
{
    switch (t->id) {
    case NB_TYPE_STRUCT:
        nb_strbuf_adds(b, "{\"type\":\"struct\",\"fields\":[");
        for (int i = 0; i < t->n_children; i++) {
            const nb_field *f = &t->children[i];
            nb_strbuf_adds(b, i ? ",{\"name\":" : "{\"name\":");
            put_text(b, f->name);
            nb_strbuf_adds(b, ",\"type\":");
            nb_pq_spark_json(b, f->type);
            put_bool(b, "nullable", f->nullable);
            nb_strbuf_adds(b, ",\"metadata\":");
            nb_strbuf_add(b, f->metadata.len ? f->metadata : NB_STR("{}"));
            nb_strbuf_addc(b, '}');
        }
        nb_strbuf_adds(b, "]}");
        break;
    case NB_TYPE_ARRAY:
        nb_strbuf_adds(b, "{\"type\":\"array\",\"elementType\":");
        nb_pq_spark_json(b, t->children[0].type);
        put_bool(b, "containsNull", t->contains_null);
        nb_strbuf_addc(b, '}');
        break;
    case NB_TYPE_MAP:
        nb_strbuf_adds(b, "{\"type\":\"map\",\"keyType\":");
        nb_pq_spark_json(b, t->children[0].type);
        nb_strbuf_adds(b, ",\"valueType\":");
        nb_pq_spark_json(b, t->children[1].type);
        put_bool(b, "valueContainsNull", t->contains_null);
        nb_strbuf_addc(b, '}');
        break;
    case NB_TYPE_UDT:
        nb_strbuf_adds(b, "{\"type\":\"udt\"");
        if (t->udt_class.len) {
            put_key(b, "class", t->udt_class);
        }
        put_key(b, "pyClass", t->udt_py_class);
        if (t->udt_serialized.len) {
            put_key(b, "serializedClass", t->udt_serialized);
        }
        nb_strbuf_adds(b, ",\"sqlType\":");
        nb_pq_spark_json(b, t->children[0].type);
        nb_strbuf_addc(b, '}');
        break;
    case NB_TYPE_DECIMAL: nb_strbuf_addf(b, "\"decimal(%d,%d)\"", t->precision, t->scale); break;
    case NB_TYPE_INTERVAL_YM:
    case NB_TYPE_INTERVAL_DT: put_interval(b, t); break;
    default: nb_strbuf_addf(b, "\"%s\"", name_of(t)); break;
    }
}
