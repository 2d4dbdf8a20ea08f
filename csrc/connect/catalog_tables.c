/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog_tables.c: tables by calls instead of SQL: spark.catalog.createTable, recoverPartitions and df.writeTo.
 *
 * Each becomes the statement that tables.c runs. Our tables are of the kind that Spark calls v1: writeTo can create them, and its other verbs are
 * refused as Spark refuses them. Partitions are found by each query, so that there are none to recover.
 */
#include "connect/query.h"
#include "connect/tables.h"
#include "plan/analyzer_internal.h"
#include "sql/parser.h"
#include "sql/statement.h"

static nb_str
optional(bool has, ProtobufCBinaryData text)
{
    return has && text.len ? nb_pb_str(text) : (nb_str){NULL, 0};
}

static nb_status
name_of(nb_query *q, nb_str text, nb_sql_name *out, nb_error *err)
{
    nb_str *parts;
    size_t n;

    NB_TRY(nb_sql_parse_identifier(q->arena, text, &parts, &n, err));
    out->parts = parts;
    out->n = n;
    return NB_OK;
}

nb_status
nb_catalog_create_table(nb_query *q, const Sc__CreateTable *c, nb_error *err)
{
    nb_sql_statement s = {.kind = NB_SQL_CREATE_TABLE,
                          .provider = optional(c->has_source, c->source),
                          .location = optional(c->has_path, c->path),
                          .comment = optional(c->has_description, c->description)};

    NB_TRY(name_of(q, nb_pb_str(c->table_name), &s.name, err));
    if (c->schema && c->schema->kind_case == SC__DATA_TYPE__KIND_STRUCT && c->schema->struct_ &&
        c->schema->struct_->n_fields > 0) {
        s.schema = c->schema;
    }
    if (!s.schema && !s.location.data) {
        nb_str format =
            s.provider.data ? s.provider : nb_config_str(q->config, NB_CONF_DEFAULT_SOURCE);
        char *shown = nb_arena_strdup(q->arena, format);

        NB_NEED(shown);
        shown[0] = (char)(shown[0] >= 'a' && shown[0] <= 'z' ? shown[0] - 32 : shown[0]);
        return nb_raise(err, NB_COND_UNABLE_TO_INFER_SCHEMA, "format", shown, NULL);
    }
    s.options = NB_ARENA_ARRAY(q->arena, nb_sql_property, c->n_options + 1);
    NB_NEED(s.options);
    for (size_t i = 0; i < c->n_options; i++) {
        s.options[s.n_options++] =
            (nb_sql_property){nb_str_of(c->options[i]->key), nb_pb_str(c->options[i]->value)};
    }
    return nb_table_statement(q, &s, err);
}

nb_status
nb_catalog_recover_partitions(nb_query *q, nb_str text, nb_error *err)
{
    const nb_view_def *views = nb_catalog_views(q->session->catalog);
    bool cs = nb_config_bool(q->config, NB_CONF_CASE_SENSITIVE);
    const nb_table_def *t;
    nb_sql_name name = {0};
    nb_str last;

    NB_TRY(name_of(q, text, &name, err));
    last = name.parts[name.n - 1];
    if (name.n == 1 &&
        (nb_view_find(views, (nb_object_name){.name = last}, NB_VIEW_TEMPORARY, cs) ||
         nb_view_find(views, (nb_object_name){q->info.database, last}, NB_VIEW_OF_DATABASE, cs))) {
        char *quoted;

        NB_TRY(nb_backquote(q->analyzer, &last, 1, &quoted));
        return nb_raise(err, NB_COND_EXPECT_TABLE_NOT_VIEW_NO_ALTERNATIVE, "operation",
                        "recoverPartitions()", "viewName", quoted, NULL);
    }
    if (nb_table_need(q, name.parts, name.n, &t, NULL) < 0) {
        char *quoted;

        NB_TRY(nb_backquote(q->analyzer, name.parts, (int)name.n, &quoted));
        return nb_raise(err, NB_COND_TABLE_OR_VIEW_NOT_FOUND, "searchPath", nb_search_path(q, 1),
                        "relationName", quoted, NULL);
    }
    if (t->n_partition_by == 0) {
        return nb_raise(err, NB_COND_NOT_A_PARTITIONED_TABLE, "operation",
                        "ALTER TABLE RECOVER PARTITIONS", "tableIdentWithDB",
                        nb_full_name(q, (nb_object_name){t->database, t->name}), NULL);
    }
    return NB_OK;
}

/* ---- df.writeTo ------------------------------------------------------------------------------ */

static nb_status
create(nb_query *q, const Sc__WriteOperationV2 *w, nb_sql_name name, nb_error *err)
{
    nb_sql_statement s = {.kind = NB_SQL_CREATE_TABLE,
                          .name = name,
                          .query = w->input,
                          .provider = optional(w->has_provider, w->provider)};
    nb_str *columns = NB_ARENA_ARRAY(q->arena, nb_str, w->n_partitioning_columns + 1);

    s.options = NB_ARENA_ARRAY(q->arena, nb_sql_property, w->n_options + 1);
    NB_NEED(columns && s.options);
    for (size_t i = 0; i < w->n_options; i++) {
        s.options[s.n_options++] =
            (nb_sql_property){nb_str_of(w->options[i]->key), nb_pb_str(w->options[i]->value)};
    }
    for (size_t i = 0; i < w->n_partitioning_columns; i++) {
        const Sc__Expression *e = w->partitioning_columns[i];
        nb_str *parts;
        size_t n;

        if (e->expr_type_case != SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_ATTRIBUTE) {
            return nb_raise_unsupported(err, "writeTo partitioned by an expression");
        }
        NB_TRY(nb_sql_parse_identifier(
            q->arena, nb_pb_str(e->unresolved_attribute->unparsed_identifier), &parts, &n, err));
        columns[s.partitioning.n++] = parts[n - 1];
    }
    s.partitioning.parts = columns;
    return nb_table_statement(q, &s, err);
}

nb_status
nb_query_write_to(nb_query *q, const Sc__WriteOperationV2 *w, nb_error *err)
{
    nb_sql_name name = {0};
    nb_object_name object;
    const nb_table_def *t;
    const char *full;
    nb_plan *plan;
    bool replace = w->mode == SC__WRITE_OPERATION_V2__MODE__MODE_REPLACE ||
                   w->mode == SC__WRITE_OPERATION_V2__MODE__MODE_CREATE_OR_REPLACE;

    NB_TRY(name_of(q, nb_pb_str(w->table_name), &name, err));
    if (w->mode == SC__WRITE_OPERATION_V2__MODE__MODE_CREATE) {
        return create(q, w, name, err);
    }
    NB_TRY(nb_query_analyze(q, w->input, &plan, err));
    NB_TRY(nb_object_need(q, name.parts, name.n, &object, err));
    full = nb_full_name(q, object);
    if (replace) {
        return nb_raise(err, NB_COND_UNSUPPORTED_FEATURE_TABLE_OPERATION, "tableName", full,
                        "operation", "REPLACE TABLE AS SELECT", NULL);
    }
    NB_TRY(nb_table_need(q, name.parts, name.n, &t, err));
    return nb_raise(err, NB_COND_CANNOT_WRITE_INTO_V1, "identifier", full, NULL);
}
