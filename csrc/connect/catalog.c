/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalog.c: spark.catalog: answers about names, as small tables.
 */
#include "connect/describe.h"
#include "connect/tables.h"

#include "plan/analyzer_internal.h"
#include "sql/parser.h"

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

/* ---- small tables of text and booleans ---- */

nb_status
nb_query_answer(nb_query *q, const nb_answer_column *columns, int n_columns, int64_t n,
                nb_table **out)
{
    nb_field *fields = NB_ARENA_ARRAY(q->arena, nb_field, n_columns);
    nb_chunk *chunk = NULL;
    nb_table *table = NULL;
    nb_status st;

    NB_NEED(fields);
    for (int c = 0; c < n_columns; c++) {
        bool flag = columns[c].flags != NULL;
        fields[c] = (nb_field){nb_str_of(columns[c].name),
                               nb_type_of(flag ? NB_TYPE_BOOL : NB_TYPE_STRING),
                               !flag,
                               {NULL, 0}};
    }
    NB_TRY(nb_table_new(q->pool, nb_type_struct(fields, n_columns), &table));
    *out = table;
    if (n == 0) {
        return NB_OK;
    }
    NB_TRY_GOTO(st, nb_chunk_new(q->pool, n_columns, &chunk), fail);
    for (int c = 0; c < n_columns; c++) {
        nb_vector *v = &chunk->cols[c];
        if (!columns[c].flags) {
            NB_TRY_GOTO(st, nb_vector_of_texts(chunk->arena, columns[c].texts, 1, n, v), fail);
            continue;
        }
        NB_TRY_GOTO(st, nb_vector_alloc(chunk->arena, fields[c].type, n, v), fail);
        for (int64_t i = 0; i < n; i++) {
            NB_DATA(uint8_t, v)[i] = columns[c].flags[i];
        }
    }
    chunk->n_rows = n;
    NB_TRY_GOTO(st, nb_table_append(table, chunk), fail);
    return NB_OK;
fail:
    nb_chunk_free(chunk);
    nb_table_release(table);
    *out = NULL;
    return st;
}

/* The columns of a table or view, as Catalog.listColumns gives them. */
static nb_status
list_columns(nb_query *q, const nb_plan *plan, nb_table **out)
{
    int64_t n = 0;
    nb_str *names = NB_ARENA_ARRAY(q->arena, nb_str, plan->n_attrs + 1);
    nb_str *types = NB_ARENA_ARRAY(q->arena, nb_str, plan->n_attrs + 1);
    nb_str *nulls = NB_ARENA_ARRAY(q->arena, nb_str, plan->n_attrs + 1);
    bool *nullable = NB_ARENA_ARRAY(q->arena, bool, plan->n_attrs + 1);
    bool *no = NB_ARENA_ARRAY(q->arena, bool, plan->n_attrs + 1);

    NB_NEED(names && types && nulls && nullable && no);
    for (int i = 0; i < plan->n_attrs; i++) {
        const nb_attr *a = &plan->attrs[i];
        const char *type;
        if (a->hidden) {
            continue;
        }
        type = nb_type_simple_string(q->arena, a->type);
        NB_NEED(type);
        names[n] = a->name;
        types[n] = nb_str_of(type);
        nulls[n] = (nb_str){NULL, 0};
        nullable[n] = a->nullable;
        no[n++] = false;
    }
    return nb_query_answer(q,
                           (nb_answer_column[]){{"name", names, NULL},
                                                {"description", nulls, NULL},
                                                {"dataType", types, NULL},
                                                {"nullable", NULL, nullable},
                                                {"isPartition", NULL, no},
                                                {"isBucket", NULL, no},
                                                {"isCluster", NULL, no}},
                           7, n, out);
}

/* A database by its name, perhaps with its catalog before it. */
static nb_status
need_database(nb_query *q, nb_str text, const nb_database_def **out, nb_error *err)
{
    nb_str *parts;
    size_t n;

    NB_TRY(nb_sql_parse_identifier(q->arena, text, &parts, &n, err));
    return nb_database_need(q, parts, n, out, err);
}

/* Databases as getDatabase and listDatabases give them. */
static nb_status
answer_databases(nb_query *q, const nb_database_def *const *list, int n, nb_table **out)
{
    nb_str *columns[4];

    for (int c = 0; c < 4; c++) {
        columns[c] = NB_ARENA_ARRAY(q->arena, nb_str, n + 1);
        NB_NEED(columns[c]);
    }
    for (int i = 0; i < n; i++) {
        nb_str place;
        char *uri;
        NB_TRY(nb_database_location(q, list[i], &place));
        uri = nb_arena_printf(q->arena, "file:%.*s", (int)place.len, place.data);
        NB_NEED(uri);
        columns[0][i] = list[i]->name;
        columns[1][i] = NB_STR("spark_catalog");
        columns[2][i] = list[i]->comment;
        columns[3][i] = nb_str_of(uri);
    }
    return nb_query_answer(q,
                           (nb_answer_column[]){{"name", columns[0], NULL},
                                                {"catalog", columns[1], NULL},
                                                {"description", columns[2], NULL},
                                                {"locationUri", columns[3], NULL}},
                           4, n, out);
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

/* A text as a literal of SQL. */
static void
add_literal(nb_strbuf *b, nb_str s)
{
    nb_strbuf_addc(b, '\'');
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\'' || s.data[i] == '\\') {
            nb_strbuf_addc(b, '\\');
        }
        nb_strbuf_addc(b, s.data[i]);
    }
    nb_strbuf_addc(b, '\'');
}

/* Tables and views of a database as Catalog.listTables gives them, or the one of that name. */
static nb_status
tables_of_catalog(nb_query *q, nb_str in, nb_str wanted, nb_table **out, nb_error *err)
{
    const nb_table_def *tables = nb_catalog_tables(q->session->catalog);
    const nb_view_def *views = nb_catalog_views(q->session->catalog);
    nb_strbuf b = {0};
    Sc__Relation *rel;
    nb_plan *plan;
    nb_str text;

    nb_strbuf_adds(&b, "select * from values ");
    for (const nb_table_def *t = tables; t; t = t->next) {
        if (!nb_str_equal_nocase(t->database, in) ||
            nb_table_def_find(tables, (nb_object_name){in, t->name}, false) != t ||
            (wanted.data && !nb_str_equal_nocase(wanted, t->name))) {
            continue;
        }
        nb_strbuf_addc(&b, '(');
        add_literal(&b, t->name);
        nb_strbuf_adds(&b, ", 'spark_catalog', array(");
        add_literal(&b, in);
        nb_strbuf_adds(&b, "), ");
        if (t->comment.data) {
            add_literal(&b, t->comment);
        } else {
            nb_strbuf_adds(&b, "cast(null as string)");
        }
        nb_strbuf_addf(&b, ", '%s', false), ", t->is_external ? "EXTERNAL" : "MANAGED");
    }
    for (const nb_view_def *v = views; v; v = v->next) {
        if (v->scope == NB_VIEW_GLOBAL ||
            (v->scope == NB_VIEW_OF_DATABASE && !nb_str_equal_nocase(v->database, in)) ||
            nb_view_find(views, (nb_object_name){in, v->name}, v->scope, false) != v ||
            (wanted.data && !nb_str_equal_nocase(wanted, v->name))) {
            continue;
        }
        nb_strbuf_addc(&b, '(');
        add_literal(&b, wanted.data && v->scope == NB_VIEW_TEMPORARY ? wanted : v->name);
        if (v->scope == NB_VIEW_OF_DATABASE) {
            nb_strbuf_adds(&b, ", 'spark_catalog', array(");
            add_literal(&b, in);
            nb_strbuf_adds(&b, "), cast(null as string), 'VIEW', false), ");
        } else {
            nb_strbuf_adds(&b, ", cast(null as string), cast(array() as array<string>), "
                               "cast(null as string), 'TEMPORARY', true), ");
        }
    }
    /* one more row, which is left out, gives the types also where there is nothing to list */
    nb_strbuf_adds(&b, "(cast(null as string), 'c', array('d'), 'd', 't', false) as "
                       "t(name, catalog, namespace, description, tableType, isTemporary) "
                       "where name is not null order by isTemporary, name");
    text = b.failed ? (nb_str){NULL, 0} : nb_arena_str(q->arena, nb_strbuf_str(&b));
    nb_strbuf_free(&b);
    NB_NEED(text.data);
    NB_TRY(nb_sql_parse_query(q->arena, text, &rel, err));
    NB_TRY(nb_query_analyze(q, rel, &plan, err));
    return nb_query_run(q, plan, out, err);
}

nb_status
nb_query_catalog(nb_query *q, const Sc__Catalog *m, nb_table **out, nb_error *err)
{
    nb_catalog *c = q->session->catalog;
    bool cs = nb_config_bool(q->config, NB_CONF_CASE_SENSITIVE), found = false;
    nb_error quiet = NB_ERROR_INIT;
    const nb_database_def *d;
    Sc__Relation *rel;
    nb_status st;
    nb_str name;

    switch (m->cat_type_case) {
    case SC__CATALOG__CAT_TYPE_CURRENT_DATABASE:
        return nb_table_of_text(q->pool, "current_database", q->info.database, out);
    case SC__CATALOG__CAT_TYPE_CURRENT_CATALOG:
        return nb_table_of_text(q->pool, "current_catalog", NB_STR("spark_catalog"), out);
    case SC__CATALOG__CAT_TYPE_LIST_TABLES:
        name = m->list_tables->db_name.len ? nb_pb_str(m->list_tables->db_name) : q->info.database;
        NB_TRY(need_database(q, name, &d, err));
        return tables_of_catalog(q, d->name, (nb_str){NULL, 0}, out, err);
    case SC__CATALOG__CAT_TYPE_LIST_VIEWS:
        return tables_of_catalog(q, q->info.database, (nb_str){NULL, 0}, out, err);
    case SC__CATALOG__CAT_TYPE_GET_TABLE: {
        nb_str *parts;
        size_t n;
        NB_TRY(nb_sql_parse_identifier(q->arena, nb_pb_str(m->get_table->table_name), &parts, &n,
                                       err));
        NB_TRY(of_relation(q, nb_pb_str(m->get_table->table_name), &rel));
        {
            nb_plan *plan; /* what is not there raises */
            NB_TRY(nb_query_analyze(q, rel, &plan, err));
        }
        return tables_of_catalog(q, n > 1 ? parts[n - 2] : q->info.database, parts[n - 1], out,
                                 err);
    }
    case SC__CATALOG__CAT_TYPE_LIST_COLUMNS: {
        nb_plan *plan;
        NB_TRY(of_relation(q, nb_pb_str(m->list_columns->table_name), &rel));
        NB_TRY(nb_query_analyze(q, rel, &plan, err));
        return list_columns(q, plan, out);
    }
    case SC__CATALOG__CAT_TYPE_LIST_DATABASES: {
        const nb_database_def **list;
        int n;
        name = m->list_databases->has_pattern ? nb_pb_str(m->list_databases->pattern)
                                              : (nb_str){NULL, 0};
        NB_TRY(nb_database_list(q, name, &list, &n));
        return answer_databases(q, list, n, out);
    }
    case SC__CATALOG__CAT_TYPE_LIST_CATALOGS: {
        nb_str name = NB_STR("spark_catalog"), none = {NULL, 0};
        return nb_query_answer(
            q, (nb_answer_column[]){{"name", &name, NULL}, {"description", &none, NULL}}, 2, 1,
            out);
    }
    case SC__CATALOG__CAT_TYPE_TABLE_EXISTS:
        name = nb_pb_str(m->table_exists->table_name);
        if (m->table_exists->db_name.len > 0) {
            char *quoted, *text;
            NB_TRY(nb_backquote(q->analyzer, &name, 1, &quoted));
            text = nb_arena_printf(q->arena, "%.*s.%s", (int)m->table_exists->db_name.len,
                                   (const char *)m->table_exists->db_name.data, quoted);
            NB_NEED(text);
            name = nb_str_of(text);
        }
        NB_TRY(exists(q, name, &found));
        return one_bool(q, found, out);
    case SC__CATALOG__CAT_TYPE_DATABASE_EXISTS:
        st = need_database(q, nb_pb_str(m->database_exists->db_name), &d, &quiet);
        found = st >= 0;
        nb_error_clear(&quiet);
        return st == NB_NOMEM ? st : one_bool(q, found, out);
    case SC__CATALOG__CAT_TYPE_FUNCTION_EXISTS:
        NB_TRY(nb_catalog_function_exists(q, nb_pb_str(m->function_exists->function_name),
                                          m->function_exists->db_name.len > 0, &found, err));
        return one_bool(q, found, out);
    case SC__CATALOG__CAT_TYPE_GET_FUNCTION:
        return nb_catalog_get_function(q, nb_pb_str(m->get_function->function_name), out, err);
    case SC__CATALOG__CAT_TYPE_LIST_FUNCTIONS:
        if (m->list_functions->db_name.len > 0) {
            NB_TRY(need_database(q, nb_pb_str(m->list_functions->db_name), &d, err));
        }
        return nb_catalog_list_functions(q,
                                         m->list_functions->has_pattern
                                             ? nb_pb_str(m->list_functions->pattern)
                                             : (nb_str){NULL, 0},
                                         out);
    case SC__CATALOG__CAT_TYPE_CREATE_TABLE:
        NB_TRY(nb_catalog_create_table(q, m->create_table, err));
        return nothing(q, out);
    case SC__CATALOG__CAT_TYPE_RECOVER_PARTITIONS:
        NB_TRY(nb_catalog_recover_partitions(q, nb_pb_str(m->recover_partitions->table_name), err));
        return nothing(q, out);
    case SC__CATALOG__CAT_TYPE_DROP_TEMP_VIEW:
        return one_bool(q,
                        nb_catalog_drop_view(
                            c, (nb_object_name){.name = nb_pb_str(m->drop_temp_view->view_name)},
                            NB_VIEW_TEMPORARY, cs),
                        out);
    case SC__CATALOG__CAT_TYPE_DROP_GLOBAL_TEMP_VIEW:
        return one_bool(
            q,
            nb_catalog_drop_view(
                c, (nb_object_name){.name = nb_pb_str(m->drop_global_temp_view->view_name)},
                NB_VIEW_GLOBAL, cs),
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
    case SC__CATALOG__CAT_TYPE_SET_CURRENT_DATABASE:
        NB_TRY(need_database(q, nb_pb_str(m->set_current_database->db_name), &d, err));
        NB_TRY(nb_catalog_use_database(c, d->name));
        return nothing(q, out);
    case SC__CATALOG__CAT_TYPE_GET_DATABASE:
        NB_TRY(need_database(q, nb_pb_str(m->get_database->db_name), &d, err));
        return answer_databases(q, &d, 1, out);
    case SC__CATALOG__CAT_TYPE_SET_CURRENT_CATALOG:
        if (!nb_str_equal(nb_pb_str(m->set_current_catalog->catalog_name),
                          NB_STR("spark_catalog"))) {
            return nb_raise_unsupported(err, "A catalog other than spark_catalog");
        }
        return nothing(q, out);
    case SC__CATALOG__CAT_TYPE_REFRESH_TABLE: {
        nb_plan *plan; /* what is not there raises */
        NB_TRY(of_relation(q, nb_pb_str(m->refresh_table->table_name), &rel));
        NB_TRY(nb_query_analyze(q, rel, &plan, err));
        return nothing(q, out);
    }
    case SC__CATALOG__CAT_TYPE_REFRESH_BY_PATH:
        return nothing(q, out); /* files are listed anew by each query */
    default: return nb_raise_unsupported(err, "This call of spark.catalog");
    }
}
