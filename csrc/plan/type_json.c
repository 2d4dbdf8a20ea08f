/* SPDX-License-Identifier: Apache-2.0 */
/*
 * type_json.c: see type_json.h. The text is parsed by jansson (which bounds the nesting at 2,048); primitive names go through the
 * SQL parser for types, which knows them all ("decimal(10,2)", "timestamp_ntz", "interval day to second").
 */
#include "plan/type_json.h"

#include <jansson.h>
#include "plan/type_proto.h"
#include "sql/parser.h"

static nb_status
invalid(nb_arena *arena, nb_str text, nb_error *err)
{
    return nb_raise(err, NB_COND_INVALID_JSON_DATA_TYPE, "invalidType",
                    nb_arena_strdup(arena, text), NULL);
}

static nb_str
string_of(const json_t *j, const char *key)
{
    const json_t *v = json_object_get(j, key);

    return v && json_is_string(v) ? (nb_str){json_string_value(v), json_string_length(v)}
                                  : (nb_str){NULL, 0};
}

static nb_status
from_value(nb_arena *arena, const json_t *j, nb_str whole, const nb_type **out, nb_error *err);

static nb_status
struct_from(nb_arena *arena, const json_t *j, nb_str whole, const nb_type **out, nb_error *err)
{
    const json_t *list = json_object_get(j, "fields");
    size_t n = json_array_size(list);
    nb_field *fields = NB_ARENA_ARRAY(arena, nb_field, n + 1);

    if (!fields) {
        return NB_NOMEM;
    }
    if (!json_is_array(list)) {
        return invalid(arena, whole, err);
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *f = json_array_get(list, i), *metadata = json_object_get(f, "metadata");
        fields[i] = (nb_field){.name = string_of(f, "name"),
                               .nullable = !json_is_false(json_object_get(f, "nullable"))};
        if (!fields[i].name.data || !json_object_get(f, "type")) {
            return invalid(arena, whole, err);
        }
        NB_TRY(from_value(arena, json_object_get(f, "type"), whole, &fields[i].type, err));
        if (metadata && json_object_size(metadata) > 0) {
            char *text = json_dumps(metadata, JSON_COMPACT);
            fields[i].metadata = text ? nb_arena_str(arena, nb_str_of(text)) : (nb_str){NULL, 0};
            free(text);
        }
    }
    *out = nb_type_struct(fields, (int)n);
    return *out ? NB_OK : NB_NOMEM;
}

static nb_status
from_value(nb_arena *arena, const json_t *j, nb_str whole, const nb_type **out, nb_error *err)
{
    nb_str kind;

    if (json_is_string(j)) {
        nb_str name = {json_string_value(j), json_string_length(j)};
        Sc__DataType *parsed;
        NB_TRY(nb_sql_parse_data_type(arena, name, &parsed, err));
        return nb_type_from_proto(arena, parsed, out, err);
    }
    kind = string_of(j, "type");
    if (nb_str_equal(kind, NB_STR("struct"))) {
        return struct_from(arena, j, whole, out, err);
    }
    if (nb_str_equal(kind, NB_STR("array"))) {
        const nb_type *element;
        NB_TRY(from_value(arena, json_object_get(j, "elementType"), whole, &element, err));
        *out = nb_type_array(element, !json_is_false(json_object_get(j, "containsNull")));
        return *out ? NB_OK : NB_NOMEM;
    }
    if (nb_str_equal(kind, NB_STR("map"))) {
        const nb_type *key, *value;
        NB_TRY(from_value(arena, json_object_get(j, "keyType"), whole, &key, err));
        NB_TRY(from_value(arena, json_object_get(j, "valueType"), whole, &value, err));
        *out = nb_type_map(key, value, !json_is_false(json_object_get(j, "valueContainsNull")));
        return *out ? NB_OK : NB_NOMEM;
    }
    if (nb_str_equal(kind, NB_STR("udt"))) {
        const nb_type *storage;
        nb_str jvm = string_of(j, "class"), py = string_of(j, "pyClass"),
               text = string_of(j, "serializedClass");
        NB_TRY(from_value(arena, json_object_get(j, "sqlType"), whole, &storage, err));
        *out = nb_type_udt(jvm.data ? jvm : NB_STR(""), py.data ? py : NB_STR(""),
                           text.data ? text : NB_STR(""), storage);
        return *out ? NB_OK : NB_NOMEM;
    }
    return invalid(arena, whole, err);
}

nb_status
nb_type_from_json(nb_arena *arena, nb_str text, const nb_type **out, nb_error *err)
{
    json_t *j = json_loadb(text.data, text.len, JSON_DECODE_ANY, NULL);
    nb_status st;

    if (!j) {
        return invalid(arena, text, err);
    }
    st = from_value(arena, j, text, out, err);
    json_decref(j);
    return st;
}
