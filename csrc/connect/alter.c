/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alter.c: ALTER TABLE, COMMENT ON, SHOW TBLPROPERTIES: an entry of the catalog is replaced by a changed one.
 *
 * Files stay as they are, except that a managed table's directory follows its name. A column that was added is null in rows that were there before.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "connect/tables.h"
#include "io/allowed.h"
#include "plan/analyzer_internal.h"

static nb_status
rename_table(nb_query *q, const nb_table_def *t, const nb_sql_name *to, nb_error *err)
{
    nb_table_def gone = *t, def = *t;
    nb_object_name name;

    NB_TRY(nb_object_need(q, to->parts, to->n, &name, err));
    name.database = to->n > 1 ? name.database : t->database;
    if (!nb_str_equal_nocase(name.database, t->database)) {
        return nb_raise_unsupported(err, "ALTER TABLE … RENAME TO another database");
    }
    def.name = name.name;
    gone.dropped = true;
    if (nb_table_def_find(nb_catalog_tables(q->session->catalog), name,
                          nb_config_bool(q->config, NB_CONF_CASE_SENSITIVE))) {
        return nb_raise(err, NB_COND_TABLE_OR_VIEW_ALREADY_EXISTS, "relationName",
                        nb_arena_printf(q->arena, "`%.*s`.`%.*s`", (int)def.database.len,
                                        def.database.data, (int)def.name.len, def.name.data),
                        NULL);
    }
    if (!t->is_external) {
        const char *from = nb_arena_strdup(q->arena, t->location), *into;
        NB_TRY(nb_table_location(q, name, &def.location, err));
        into = nb_arena_strdup(q->arena, def.location);
        NB_NEED(from && into);
        NB_TRY(nb_allowed_check(from, err));
        NB_TRY(nb_allowed_check(into, err));
        if (rename(from, into) != 0) {
            return nb_raise_errno(err, "rename", from, errno);
        }
    }
    NB_TRY(nb_catalog_add_table(q->session->catalog, &gone));
    return nb_catalog_add_table(q->session->catalog, &def);
}

/* New columns stand behind the data's, before those of the partitioning. */
static nb_status
add_columns(nb_query *q, const nb_table_def *t, const nb_type *more, nb_error *err)
{
    int n_old = t->schema->n_children, n_data = n_old - t->n_partition_by;
    nb_field *fields = NB_ARENA_ARRAY(q->arena, nb_field, n_old + more->n_children + 1);
    nb_table_def def = *t;
    bool case_sensitive = nb_config_bool(q->config, NB_CONF_CASE_SENSITIVE);
    int n = 0;

    NB_NEED(fields);
    for (int i = 0; i < n_data; i++) {
        fields[n++] = t->schema->children[i];
    }
    for (int i = 0; i < more->n_children; i++) {
        nb_str name = more->children[i].name;
        for (int k = 0; k < n_old + i; k++) {
            nb_str other = k < n_old ? t->schema->children[k].name : more->children[k - n_old].name;
            if (case_sensitive ? nb_str_equal(name, other) : nb_str_equal_nocase(name, other)) {
                return nb_raise(err, NB_COND_COLUMN_ALREADY_EXISTS, "columnName",
                                nb_arena_printf(q->arena, "`%.*s`", (int)name.len, name.data),
                                NULL);
            }
        }
        fields[n++] = more->children[i];
    }
    for (int i = n_data; i < n_old; i++) {
        fields[n++] = t->schema->children[i];
    }
    def.schema = nb_type_struct(fields, n);
    NB_NEED(def.schema);
    return nb_catalog_add_table(q->session->catalog, &def);
}

/* Only a column's comment can change. */
static nb_status
change_column(nb_query *q, const nb_table_def *t, const nb_sql_statement *s, nb_error *err)
{
    int n = t->schema->n_children, at = 0;
    nb_field *fields = NB_ARENA_ARRAY(q->arena, nb_field, n + 1);
    nb_str name = s->columns.parts[0];
    nb_table_def def = *t;
    const nb_type *type = NULL;
    nb_str to = s->columns.parts[s->columns.n - 1];

    NB_NEED(fields);
    memcpy(fields, t->schema->children, sizeof *fields * (size_t)n);
    while (at < n && !nb_str_equal_nocase(fields[at].name, name)) {
        at++;
    }
    if (at == n) {
        const char *list = "";
        for (int i = 0; i < n && list; i++) {
            list = nb_arena_printf(q->arena, "%s%s`%.*s`", list, i ? ", " : "",
                                   (int)fields[i].name.len, fields[i].name.data);
        }
        return nb_raise(err, NB_COND_UNRESOLVED_COLUMN_WITH_SUGGESTION, "objectName",
                        nb_arena_printf(q->arena, "`%.*s`", (int)name.len, name.data), "proposal",
                        list ? list : "", NULL);
    }
    if (s->schema) {
        NB_TRY(nb_resolve_type(q->analyzer, s->schema, &type, err));
    }
    if ((type && type != fields[at].type) || !nb_str_equal_nocase(to, fields[at].name)) {
        type = type ? type : fields[at].type;
        return nb_raise(err, NB_COND_NOT_SUPPORTED_CHANGE_COLUMN, "table",
                        nb_full_name(q, (nb_object_name){t->database, t->name}), "originName",
                        nb_arena_printf(q->arena, "`%.*s`", (int)name.len, name.data), "originType",
                        nb_arena_printf(q->arena, "\"%s\"", nb_type_sql(q->arena, fields[at].type)),
                        "newName", nb_arena_printf(q->arena, "`%.*s`", (int)to.len, to.data),
                        "newType", nb_arena_printf(q->arena, "\"%s\"", nb_type_sql(q->arena, type)),
                        NULL);
    }
    if (s->value.data) {
        fields[at].metadata = s->value;
    }
    def.schema = nb_type_struct(fields, n);
    NB_NEED(def.schema);
    return nb_catalog_add_table(q->session->catalog, &def);
}

nb_status
nb_merge_properties(nb_query *q, const nb_str *old, int n_old, const nb_sql_statement *s,
                    nb_str **out, int *n_out)
{
    size_t cap = 2 * ((size_t)n_old + s->n_properties) + 1;
    nb_str *list = NB_ARENA_ARRAY(q->arena, nb_str, cap);
    int n = 0;

    NB_NEED(list);
    for (int i = 0; i < n_old; i++) {
        bool named = false;
        for (size_t k = 0; k < s->n_properties; k++) {
            named |= nb_str_equal(s->properties[k].key, old[2 * i]);
        }
        if (!named) {
            list[2 * n] = old[2 * i];
            list[2 * n++ + 1] = old[2 * i + 1];
        }
    }
    for (size_t k = 0; k < s->n_properties && !s->overwrite; k++) {
        list[2 * n] = s->properties[k].key;
        list[2 * n++ + 1] = s->properties[k].value;
    }
    *out = list;
    *n_out = n;
    return NB_OK;
}

static nb_status
change_properties(nb_query *q, const nb_table_def *t, const nb_sql_statement *s)
{
    nb_table_def def = *t;
    nb_str *properties;

    NB_TRY(
        nb_merge_properties(q, t->properties, t->n_properties, s, &properties, &def.n_properties));
    def.properties = properties;
    return nb_catalog_add_table(q->session->catalog, &def);
}

nb_status
nb_table_alter(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    const nb_type *more;
    const nb_table_def *t;
    nb_table_def def;
    nb_error missing =
        NB_ERROR_INIT; /* Spark looks for these in fewer places than for tables of queries */

    if (nb_table_need(q, s->name.parts, s->name.n, &t, &missing) < 0) {
        const char *name = nb_error_param(&missing, "relationName");
        nb_status st = name ? nb_raise(err, NB_COND_TABLE_OR_VIEW_NOT_FOUND, "searchPath",
                                       nb_search_path(q, 1), "relationName", name, NULL)
                            : NB_NOMEM;
        nb_error_clear(&missing);
        return st;
    }
    switch (s->kind) {
    case NB_SQL_ALTER_RENAME: return rename_table(q, t, &s->columns, err);
    case NB_SQL_ALTER_ADD_COLUMNS:
        NB_TRY(nb_resolve_type(q->analyzer, s->schema, &more, err));
        return add_columns(q, t, more, err);
    case NB_SQL_ALTER_COLUMN: return change_column(q, t, s, err);
    case NB_SQL_ALTER_PROPERTIES: return change_properties(q, t, s);
    case NB_SQL_COMMENT_ON_TABLE:
        def = *t;
        def.comment = s->comment;
        return nb_catalog_add_table(q->session->catalog, &def);
    case NB_SQL_ANALYZE: return NB_OK;
    default:
        return nb_raise(err, NB_COND_UNSUPPORTED_FEATURE_TABLE_OPERATION, "tableName",
                        nb_full_name(q, (nb_object_name){t->database, t->name}), "operation",
                        nb_arena_strdup(q->arena, s->value), NULL);
    }
}

nb_str
nb_comment_of(nb_arena *arena, nb_str metadata)
{
    json_t *all = metadata.len ? json_loadb(metadata.data, metadata.len, 0, NULL) : NULL;
    const char *text = json_string_value(json_object_get(all, "comment"));
    nb_str out = text ? nb_arena_str(arena, nb_str_of(text)) : (nb_str){NULL, 0};

    json_decref(all);
    return out;
}

static int
by_key(const void *a, const void *b)
{
    return nb_str_compare(*(const nb_str *)a, *(const nb_str *)b);
}

nb_status
nb_table_properties(nb_query *q, const nb_sql_statement *s, nb_str **cells, int64_t *n,
                    nb_error *err)
{
    const nb_table_def *t;
    nb_str *list;

    NB_TRY(nb_table_need(q, s->name.parts, s->name.n, &t, err));
    list = NB_ARENA_ARRAY(q->arena, nb_str, 2 * t->n_properties + 2);
    NB_NEED(list);
    *n = 0;
    for (int i = 0; i < t->n_properties; i++) {
        if (!s->key.data || nb_str_equal(s->key, t->properties[2 * i])) {
            list[2 * *n] = t->properties[2 * i];
            list[2 * (*n)++ + 1] = t->properties[2 * i + 1];
        }
    }
    if (s->key.data && *n == 0) {
        char *text =
            nb_arena_printf(q->arena, "Table spark_catalog.%.*s.%.*s does not have property: %.*s",
                            (int)t->database.len, t->database.data, (int)t->name.len, t->name.data,
                            (int)s->key.len, s->key.data);
        NB_NEED(text);
        list[0] = s->key;
        list[1] = nb_str_of(text);
        *n = 1;
    }
    if (*n > 1) {
        qsort(list, (size_t)*n, 2 * sizeof *list, by_key);
    }
    *cells = list;
    return NB_OK;
}
