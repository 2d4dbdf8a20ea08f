/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog.c: spark.catalog: answers about names, as small tables.
 */
#include "connect/query.h"
#include "plan/analyzer_internal.h"

static nb_status
one_bool(nb_query *q, bool v, nb_table **out)
{
    nb_field f = {NB_STR("value"), nb_type_of(NB_TYPE_BOOL), false, {NULL, 0}};
    nb_chunk *chunk = NULL;
    nb_table *table = NULL;
    nb_status st;

    NB_TRY(nb_table_new(q->pool, nb_type_struct(&f, 1), &table));
    NB_TRY_GOTO(st, nb_chunk_new(q->pool, 1, &chunk), fail);
    NB_TRY_GOTO(st, nb_vector_alloc(chunk->arena, f.type, 1, &chunk->cols[0]), fail);
    NB_DATA(uint8_t, &chunk->cols[0])[0] = v;
    chunk->n_rows = 1;
    NB_TRY_GOTO(st, nb_table_append(table, chunk), fail);
    *out = table;
    return NB_OK;
fail:
    nb_chunk_free(chunk);
    nb_table_release(table);
    return st;
}

static nb_status
nothing(nb_query *q, nb_table **out)
{
    return nb_table_new(q->pool, nb_type_struct(NULL, 0), out);
}

/* Temporary views as Catalog.listTables gives tables. */
static nb_status
list_tables(nb_query *q, nb_table **out)
{
    const nb_view_def *views = nb_catalog_views(q->session->catalog);
    const nb_type *text = nb_type_of(NB_TYPE_STRING);
    nb_field fields[] = {{NB_STR("name"), text, true, {NULL, 0}},
                         {NB_STR("catalog"), text, true, {NULL, 0}},
                         {NB_STR("namespace"), nb_type_array(text, true), true, {NULL, 0}},
                         {NB_STR("description"), text, true, {NULL, 0}},
                         {NB_STR("tableType"), text, true, {NULL, 0}},
                         {NB_STR("isTemporary"), nb_type_of(NB_TYPE_BOOL), false, {NULL, 0}}};
    nb_chunk *chunk = NULL;
    nb_table *table = NULL;
    nb_vector null;
    int64_t n = 0;
    nb_status st;

    for (const nb_view_def *v = views; v; v = v->next) {
        n += !v->is_global && nb_view_find(views, v->name, false, false) == v;
    }
    NB_TRY(nb_table_new(q->pool, nb_type_struct(fields, 6), &table));
    NB_TRY_GOTO(st, nb_chunk_new(q->pool, 6, &chunk), fail);
    for (int c = 0; c < 6; c++) {
        if (c == 1 || c == 2 || c == 3) {
            NB_TRY_GOTO(st, nb_vector_const_null(chunk->arena, fields[c].type, n, &null), fail);
            NB_TRY_GOTO(st, nb_vector_flatten(chunk->arena, &null, &chunk->cols[c]), fail);
        } else {
            NB_TRY_GOTO(st, nb_vector_alloc(chunk->arena, fields[c].type, n, &chunk->cols[c]),
                        fail);
        }
    }
    n = 0;
    for (const nb_view_def *v = views; v; v = v->next) {
        if (!v->is_global && nb_view_find(views, v->name, false, false) == v) {
            nb_str name = nb_arena_str(chunk->arena, v->name);
            if (!name.data) {
                st = NB_NOMEM;
                goto fail;
            }
            NB_DATA(nb_view, &chunk->cols[0])[n] = nb_view_make(name.data, name.len);
            NB_DATA(nb_view, &chunk->cols[4])[n] = nb_view_make("TEMPORARY", 9);
            NB_DATA(uint8_t, &chunk->cols[5])[n++] = 1;
        }
    }
    chunk->n_rows = n;
    if (n == 0) {
        nb_chunk_free(chunk);
    } else {
        NB_TRY_GOTO(st, nb_table_append(table, chunk), fail);
    }
    *out = table;
    return NB_OK;
fail:
    nb_chunk_free(chunk);
    nb_table_release(table);
    return st;
}

static nb_status
of_relation(nb_query *q, nb_str name, Sc__Relation **out)
{
    Sc__Relation *rel = NB_MESSAGE(q->arena, Sc__Relation, sc__relation);
    Sc__Read *read = NB_MESSAGE(q->arena, Sc__Read, sc__read);
    Sc__Read__NamedTable *t = NB_MESSAGE(q->arena, Sc__Read__NamedTable, sc__read__named_table);

    NB_NEED(rel && read && t);
    t->has_unparsed_identifier = true;
    t->unparsed_identifier = nb_pb_bytes(name);
    read->read_type_case = SC__READ__READ_TYPE_NAMED_TABLE;
    read->named_table = t;
    rel->rel_type_case = SC__RELATION__REL_TYPE_READ;
    rel->read = read;
    *out = rel;
    return NB_OK;
}

/* Does the name resolve? */
static nb_status
exists(nb_query *q, nb_str name, bool *out)
{
    nb_error quiet = NB_ERROR_INIT;
    Sc__Relation *rel;
    nb_plan *plan;
    nb_status st;

    NB_TRY(of_relation(q, name, &rel));
    st = nb_query_analyze(q, rel, &plan, &quiet);
    nb_error_clear(&quiet);
    *out = st >= 0;
    return st == NB_ERROR ? NB_OK : st;
}

nb_status
nb_query_catalog(nb_query *q, const Sc__Catalog *m, nb_table **out, nb_error *err)
{
    nb_catalog *c = q->session->catalog;
    bool cs = nb_config_bool(q->config, NB_CONF_CASE_SENSITIVE), found = false;
    Sc__Relation *rel;

    switch (m->cat_type_case) {
    case SC__CATALOG__CAT_TYPE_CURRENT_DATABASE:
        return nb_table_of_text(q->pool, "current_database", NB_STR("default"), out);
    case SC__CATALOG__CAT_TYPE_CURRENT_CATALOG:
        return nb_table_of_text(q->pool, "current_catalog", NB_STR("spark_catalog"), out);
    case SC__CATALOG__CAT_TYPE_LIST_TABLES:
    case SC__CATALOG__CAT_TYPE_LIST_VIEWS: return list_tables(q, out);
    case SC__CATALOG__CAT_TYPE_TABLE_EXISTS:
        NB_TRY(exists(q, nb_pb_str(m->table_exists->table_name), &found));
        return one_bool(q, found, out);
    case SC__CATALOG__CAT_TYPE_DATABASE_EXISTS:
        return one_bool(
            q, nb_str_equal_nocase(nb_pb_str(m->database_exists->db_name), NB_STR("default")), out);
    case SC__CATALOG__CAT_TYPE_FUNCTION_EXISTS: {
        nb_str name = nb_pb_str(m->function_exists->function_name);
        return one_bool(q, nb_function_find(name) || nb_aggregate_find(name), out);
    }
    case SC__CATALOG__CAT_TYPE_DROP_TEMP_VIEW:
        return one_bool(
            q, nb_catalog_drop_view(c, nb_pb_str(m->drop_temp_view->view_name), false, cs), out);
    case SC__CATALOG__CAT_TYPE_DROP_GLOBAL_TEMP_VIEW:
        return one_bool(
            q, nb_catalog_drop_view(c, nb_pb_str(m->drop_global_temp_view->view_name), true, cs),
            out);
    case SC__CATALOG__CAT_TYPE_CLEAR_CACHE: nb_catalog_clear_cache(c); return nothing(q, out);
    case SC__CATALOG__CAT_TYPE_IS_CACHED:
    case SC__CATALOG__CAT_TYPE_CACHE_TABLE:
    case SC__CATALOG__CAT_TYPE_UNCACHE_TABLE: {
        /* named relations have no plan id of their own: they are cached under id -1 */
        nb_str name = m->cat_type_case == SC__CATALOG__CAT_TYPE_IS_CACHED
                          ? nb_pb_str(m->is_cached->table_name)
                      : m->cat_type_case == SC__CATALOG__CAT_TYPE_CACHE_TABLE
                          ? nb_pb_str(m->cache_table->table_name)
                          : nb_pb_str(m->uncache_table->table_name);
        nb_plan *plan;
        nb_str bytes;
        NB_TRY(of_relation(q, name, &rel));
        NB_TRY(nb_query_analyze(q, rel, &plan, err));
        bytes = nb_message_bytes(q->arena, &rel->base);
        NB_NEED(bytes.data);
        if (m->cat_type_case == SC__CATALOG__CAT_TYPE_IS_CACHED) {
            return one_bool(q, nb_catalog_find_cached(c, -1, bytes) != NULL, out);
        }
        if (m->cat_type_case == SC__CATALOG__CAT_TYPE_CACHE_TABLE) {
            NB_TRY(nb_catalog_persist(c, -1, bytes));
        } else {
            nb_catalog_unpersist(c, -1, bytes);
        }
        return nothing(q, out);
    }
    case SC__CATALOG__CAT_TYPE_REFRESH_TABLE:
    case SC__CATALOG__CAT_TYPE_REFRESH_BY_PATH:
        return nothing(q, out); /* files are listed anew by each query */
    default: return nb_raise_unsupported(err, "This call of spark.catalog");
    }
}
