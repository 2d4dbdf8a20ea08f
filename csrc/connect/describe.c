/* SPDX-License-Identifier: Apache-2.0 */
/*
 * describe.c: see describe.h.
 */
#include "connect/describe.h"

#include <stdlib.h>
#include "connect/requests.h"
#include "connect/tables.h"
#include "io/glob.h"
#include "plan/analyzer_internal.h"

nb_str
nb_sql_name_last(const nb_sql_name *name)
{
    return name->n ? name->parts[name->n - 1] : NB_STR("");
}

nb_status
nb_vector_of_texts(nb_arena *arena, const nb_str *cells, int step, int64_t n, nb_vector *out)
{
    NB_TRY(nb_vector_alloc(arena, nb_type_of(NB_TYPE_STRING), n, out));
    for (int64_t i = 0; i < n; i++) {
        nb_str s = cells[i * step];

        if (s.data) {
            s = nb_arena_str(arena, s);
            NB_NEED(s.data);
        } else {
            NB_TRY(nb_vector_need_validity(arena, out));
            nb_bit_clear(out->validity, i);
            s = NB_STR("");
        }
        NB_DATA(nb_view, out)[i] = nb_view_make(s.data, s.len);
    }
    return NB_OK;
}

nb_status
nb_table_of_texts(nb_pool *pool, const char *const *names, int n_cols, const nb_str *cells,
                  int64_t n_rows, nb_table **out)
{
    nb_field fields[8];
    nb_chunk *chunk = NULL;
    nb_table *table = NULL;
    nb_status st;

    NB_ASSERT(n_cols <= 8);
    for (int c = 0; c < n_cols; c++) {
        fields[c] = (nb_field){nb_str_of(names[c]),
                               nb_type_of(NB_TYPE_STRING),
                               strcmp(names[c], "comment") == 0,
                               {NULL, 0}};
    }
    NB_TRY(nb_table_new(pool, nb_type_struct(fields, n_cols), &table));
    if (n_rows == 0) {
        *out = table;
        return NB_OK;
    }
    NB_TRY_GOTO(st, nb_chunk_new(pool, n_cols, &chunk), fail);
    for (int c = 0; c < n_cols; c++) {
        NB_TRY_GOTO(
            st, nb_vector_of_texts(chunk->arena, cells + c, n_cols, n_rows, &chunk->cols[c]), fail);
    }
    chunk->n_rows = n_rows;
    NB_TRY_GOTO(st, nb_table_append(table, chunk), fail);
    *out = table;
    return NB_OK;
fail:
    nb_chunk_free(chunk);
    nb_table_release(table);
    return st;
}

bool
nb_name_fits(nb_arena *arena, nb_str pattern, nb_str name)
{
    size_t from = 0;

    if (!pattern.data) {
        return true;
    }
    pattern = nb_arena_lower(arena, pattern);
    name = nb_arena_lower(arena, name);
    for (size_t i = 0; pattern.data && name.data && i <= pattern.len; i++) {
        if (i == pattern.len || pattern.data[i] == '|') {
            if (nb_glob_match((nb_str){pattern.data + from, i - from}, name)) {
                return true;
            }
            from = i + 1;
        }
    }
    return false;
}

static int
by_text(const void *a, const void *b)
{
    return nb_str_compare(*(const nb_str *)a, *(const nb_str *)b);
}

/* Tables and views of the database, then temporary views, each by name. */
nb_status
nb_show_tables(nb_query *q, const nb_sql_statement *s, bool only_views, nb_table **out,
               nb_error *err)
{
    bool global = s->name.n == 1 && nb_str_equal_nocase(s->name.parts[0], NB_STR("global_temp"));
    nb_str in = q->info.database;
    const nb_database_def *d;
    const nb_view_def *views = nb_catalog_views(q->session->catalog);
    const nb_table_def *tables = nb_catalog_tables(q->session->catalog);
    int count = 0, n = 0, n_tables;
    nb_str *names, *databases;
    bool *temporary;

    for (const nb_view_def *v = views; v; v = v->next) {
        count++;
    }
    for (const nb_table_def *t = tables; t; t = t->next) {
        count++;
    }
    if (s->name.n > 0 && !global) {
        NB_TRY(nb_database_need(q, s->name.parts, s->name.n, &d, err));
        in = d->name;
    } else if (!global) {
        NB_TRY(nb_database_need(q, &in, 1, &d, err));
    }
    names = NB_ARENA_ARRAY(q->arena, nb_str, count + 1);
    databases = NB_ARENA_ARRAY(q->arena, nb_str, count + 1);
    temporary = NB_ARENA_ARRAY(q->arena, bool, count + 1);
    NB_NEED(names && databases && temporary);
    for (const nb_table_def *t = tables; t && !only_views && !global; t = t->next) {
        if (nb_str_equal_nocase(t->database, in) &&
            nb_table_def_find(tables, (nb_object_name){in, t->name}, false) == t &&
            nb_name_fits(q->arena, s->pattern, t->name)) {
            names[n++] = t->name;
        }
    }
    for (const nb_view_def *v = views; v; v = v->next) {
        if (v->scope == (global ? NB_VIEW_GLOBAL : NB_VIEW_OF_DATABASE) &&
            (global || nb_str_equal_nocase(v->database, in)) &&
            nb_view_find(views, (nb_object_name){in, v->name}, v->scope, false) == v &&
            nb_name_fits(q->arena, s->pattern, v->name)) {
            names[n++] = v->name;
        }
    }
    n_tables = n;
    for (const nb_view_def *v = views; v; v = v->next) {
        if (v->scope == NB_VIEW_TEMPORARY &&
            nb_view_find(views, (nb_object_name){.name = v->name}, v->scope, false) == v &&
            nb_name_fits(q->arena, s->pattern, v->name)) {
            names[n++] = v->name;
        }
    }
    for (int i = 0; i < n; i++) {
        temporary[i] = i >= n_tables || global;
        databases[i] = i >= n_tables ? NB_STR("") : global ? NB_STR("global_temp") : in;
    }
    qsort(names, (size_t)n_tables, sizeof *names, by_text);
    qsort(names + n_tables, (size_t)(n - n_tables), sizeof *names, by_text);
    return nb_query_answer(
        q,
        (nb_answer_column[]){{"namespace", databases, NULL},
                             {only_views ? "viewName" : "tableName", names, NULL},
                             {"isTemporary", NULL, temporary}},
        3, n, out);
}

nb_status
nb_describe_function(nb_query *q, const nb_sql_statement *s, nb_table **out, nb_error *err)
{
    static const char *const names[] = {"function_desc"};
    nb_str name = nb_sql_name_last(&s->name), cells[3];
    const nb_function *fn = nb_function_find(name);
    const nb_aggregate *agg = nb_aggregate_find(name);
    const char *help = fn ? fn->help : agg ? agg->help : nb_generator_help(name);
    const char *example = fn ? fn->example : agg ? agg->example : "";
    int n = 2;

    if (!help) {
        return nb_raise(err, NB_COND_UNRESOLVED_ROUTINE, "routineName",
                        nb_arena_printf(q->arena, "`%.*s`", (int)name.len, name.data), "searchPath",
                        nb_search_path(q, 0), NULL);
    }
    name = nb_arena_lower(q->arena, name);
    NB_NEED(name.data);
    cells[0] = nb_str_of(nb_arena_printf(q->arena, "Function: %.*s", (int)name.len, name.data));
    cells[1] =
        nb_str_of(nb_arena_printf(q->arena, "Usage: %.*s - %s", (int)name.len, name.data, help));
    if (s->extended && *example) {
        cells[n++] = nb_str_of(
            nb_arena_printf(q->arena, "Extended Usage:\n    Examples:\n      > %s;\n", example));
    }
    return nb_table_of_texts(q->pool, names, 1, cells, n, out);
}

static void
describe_row(nb_str *cells, int *n, nb_str name, nb_str type, nb_str comment)
{
    cells[3 * *n] = name;
    cells[3 * *n + 1] = type;
    cells[3 * *n + 2] = comment;
    *n += 1;
}

nb_status
nb_describe_rows(nb_query *q, const Sc__Relation *rel, const nb_sql_name *name, bool extended,
                 nb_table **out, nb_error *err)
{
    static const char *const names[] = {"col_name", "data_type", "comment"};
    const nb_table_def *t = NULL;
    nb_error quiet = NB_ERROR_INIT;
    nb_plan *plan;
    const nb_type *schema;
    nb_str *cells;
    int n = 0;

    NB_TRY(nb_query_analyze(q, rel, &plan, err));
    schema = nb_plan_schema(q->arena, plan);
    NB_NEED(schema);
    if (name && nb_table_need(q, name->parts, name->n, &t, &quiet) < 0) {
        nb_error_clear(&quiet);
    }
    cells = NB_ARENA_ARRAY(q->arena, nb_str,
                           3 * (schema->n_children + (t ? t->n_partition_by : 0) + 12));
    NB_NEED(cells);
    for (; n < schema->n_children; n++) {
        cells[3 * n] = schema->children[n].name;
        cells[3 * n + 1] = nb_str_of(nb_type_simple_string(q->arena, schema->children[n].type));
        cells[3 * n + 2] = nb_comment_of(q->arena, schema->children[n].metadata);
    }
    if (t && t->n_partition_by > 0) {
        int first = schema->n_children - t->n_partition_by;
        describe_row(cells, &n, NB_STR("# Partition Information"), NB_STR(""), NB_STR(""));
        describe_row(cells, &n, NB_STR("# col_name"), NB_STR("data_type"), NB_STR("comment"));
        for (int i = 0; i < t->n_partition_by; i++) {
            describe_row(cells, &n, cells[3 * (first + i)], cells[3 * (first + i) + 1],
                         (nb_str){NULL, 0});
        }
    }
    if (t && extended) {
        nb_str none = NB_STR("");
        describe_row(cells, &n, none, none, none);
        describe_row(cells, &n, NB_STR("# Detailed Table Information"), none, none);
        describe_row(cells, &n, NB_STR("Catalog"), NB_STR("spark_catalog"), none);
        describe_row(cells, &n, NB_STR("Database"), t->database, none);
        describe_row(cells, &n, NB_STR("Table"), t->name, none);
        describe_row(cells, &n, NB_STR("Type"),
                     t->is_external ? NB_STR("EXTERNAL") : NB_STR("MANAGED"), none);
        describe_row(cells, &n, NB_STR("Provider"), t->provider, none);
        if (t->comment.data) {
            describe_row(cells, &n, NB_STR("Comment"), t->comment, none);
        }
        describe_row(cells, &n, NB_STR("Location"), t->location, none);
    }
    return nb_table_of_texts(q->pool, names, 3, cells, n, out);
}
