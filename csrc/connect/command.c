/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command.c: commands: things that a plan does rather than gives: SQL statements, temporary views, writes, ML.
 */
#include <stdio.h>
#include <stdlib.h>
#include "connect/describe.h"
#include "connect/partitions.h"
#include "connect/requests.h"
#include "connect/tables.h"
#include "connect/variables.h"
#include "exec/exec.h"
#include "plan/analyzer_internal.h"
#include "plan/message_unpack.h"
#include "sql/parser.h"

/* ---- views ---- */

static nb_status
create_view(nb_query *q, const Sc__Relation *input, nb_object_name object, nb_view_scope scope,
            bool replace, nb_error *err)
{
    nb_str name = object.name;
    nb_plan *plan;
    nb_str bytes;
    bool case_sensitive = nb_config_bool(q->config, NB_CONF_CASE_SENSITIVE);

    if (scope == NB_VIEW_OF_DATABASE) {
        const char *full = nb_full_name(q, object);
        bool is_table = nb_table_def_find(nb_catalog_tables(q->session->catalog), object,
                                          case_sensitive) != NULL;
        if (is_table && replace) {
            return nb_raise(err, NB_COND_EXPECT_VIEW_NOT_TABLE_NO_ALTERNATIVE, "tableName", full,
                            "operation", "CREATE OR REPLACE VIEW", NULL);
        }
        if (is_table || (!replace && nb_view_find(nb_catalog_views(q->session->catalog), object,
                                                  scope, case_sensitive))) {
            return nb_raise(err, NB_COND_TABLE_OR_VIEW_ALREADY_EXISTS, "relationName", full, NULL);
        }
    } else if (!replace &&
               nb_view_find(nb_catalog_views(q->session->catalog), object, scope, case_sensitive)) {
        return nb_raise(err, NB_COND_TEMP_TABLE_OR_VIEW_ALREADY_EXISTS, "relationName",
                        nb_arena_printf(q->arena, "%s`%.*s`",
                                        scope == NB_VIEW_GLOBAL ? "`global_temp`." : "",
                                        (int)name.len, name.data),
                        NULL);
    }
    NB_TRY(nb_query_analyze(q, input, &plan, err)); /* errors show up now, as in Spark */
    bytes = nb_message_bytes(q->arena, &input->base);
    NB_NEED(bytes.data);
    if (!case_sensitive) { /* Spark keeps names in lower case then, and lists them so */
        object.name = nb_arena_lower(q->arena, name);
        NB_NEED(object.name.data);
    }
    return nb_catalog_add_view(q->session->catalog, object, scope, bytes);
}

/* ---- writes ---- */

nb_status
nb_query_write(nb_query *q, nb_plan *plan, nb_write_request *req, nb_error *err)
{
    nb_node *node, *root = NB_ARENA_NEW(q->arena, nb_node);
    nb_table *none = NULL;
    nb_status st;

    NB_NEED(root);
    req->info = &q->info;
    req->cancel = q->cancel;
    NB_TRY(nb_query_physical(q, plan, &node, err));
    req->schema = node->schema;
    root->kind = NB_NODE_WRITE;
    root->id = -1;
    root->schema = nb_type_struct(NULL, 0);
    root->n_children = 1;
    root->children = NB_ARENA_NEW(q->arena, nb_node *);
    root->metrics = NB_ARENA_NEW(q->arena, nb_node_metrics);
    root->u.write.request = req;
    NB_NEED(root->schema && root->metrics && root->children);
    root->children[0] = node;
    st = nb_query_execute(q, root, &none, err);
    nb_table_release(none);
    return st;
}

static nb_status
write_files(nb_query *q, const Sc__WriteOperation *w, nb_error *err)
{
    nb_write_request *req = NB_ARENA_NEW(q->arena, nb_write_request);
    nb_option *options = NB_ARENA_ARRAY(q->arena, nb_option, w->n_options + 1);
    nb_str *partition_by = NB_ARENA_ARRAY(q->arena, nb_str, w->n_partitioning_columns + 1);
    nb_plan *plan;

    NB_NEED(req && options && partition_by);
    if (w->bucket_by && w->save_type_case != SC__WRITE_OPERATION__SAVE_TYPE_TABLE) {
        return nb_raise(err, NB_COND_BUCKETS_OF_FILES, "operation", "save", NULL);
    }
    if (w->bucket_by || w->n_sort_column_names || w->n_clustering_columns) {
        return nb_raise_unsupported(err, "bucketBy, sortBy and clusterBy of files");
    }
    if (w->save_type_case == SC__WRITE_OPERATION__SAVE_TYPE_TABLE) {
        return nb_table_save(q, w, err);
    }
    req->format = w->has_source && w->source.len ? nb_pb_str(w->source)
                                                 : nb_config_str(q->config, NB_CONF_DEFAULT_SOURCE);
    req->path = nb_pb_str(w->path);
    for (size_t i = 0; i < w->n_options; i++) {
        options[i] = (nb_option){nb_str_of(w->options[i]->key), nb_pb_str(w->options[i]->value)};
        if (req->path.len == 0 && nb_str_equal_nocase(options[i].key, NB_STR("path"))) {
            req->path = options[i].value;
        }
    }
    if (req->path.len == 0 && !nb_str_equal_nocase(req->format, NB_STR("noop"))) {
        return w->save_type_case == SC__WRITE_OPERATION__SAVE_TYPE_PATH
                   ? nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                              "Can not create a Path from an empty string", NULL)
                   : nb_raise(err, NB_COND_PATH_NOT_SPECIFIED, NULL);
    }
    req->options = options;
    req->n_options = (int)w->n_options;
    for (size_t i = 0; i < w->n_partitioning_columns; i++) {
        partition_by[i] = nb_pb_str(w->partitioning_columns[i]);
    }
    req->partition_by = partition_by;
    req->n_partition_by = (int)w->n_partitioning_columns;
    switch (w->mode) {
    case SC__WRITE_OPERATION__SAVE_MODE__SAVE_MODE_APPEND: req->mode = NB_SAVE_APPEND; break;
    case SC__WRITE_OPERATION__SAVE_MODE__SAVE_MODE_OVERWRITE: req->mode = NB_SAVE_OVERWRITE; break;
    case SC__WRITE_OPERATION__SAVE_MODE__SAVE_MODE_IGNORE: req->mode = NB_SAVE_IGNORE; break;
    default: req->mode = NB_SAVE_ERROR_IF_EXISTS; break;
    }
    NB_TRY(nb_query_analyze(q, w->input, &plan, err));
    return nb_query_write(q, plan, req, err);
}

/* ---- SQL ---- */

/* Rows that a statement gave, as a relation that the client may ask for: kept as local data under a name of the session's own. */
static nb_status
relation_of_table(nb_query *q, nb_table *table, Sc__Relation **out)
{
    Sc__Relation *rel = NB_MESSAGE(q->arena, Sc__Relation, sc__relation);
    Sc__CachedLocalRelation *c =
        NB_MESSAGE(q->arena, Sc__CachedLocalRelation, sc__cached_local_relation);
    uint64_t n;

    NB_NEED(rel && c);
    pthread_mutex_lock(&q->session->lock);
    n = q->session->next_hash++;
    pthread_mutex_unlock(&q->session->lock);
    c->has_hash = true;
    c->hash = nb_pb_bytes(nb_str_of(
        nb_arena_printf(q->arena, "statement-%s-%llu", q->session->id, (unsigned long long)n)));
    rel->rel_type_case = SC__RELATION__REL_TYPE_CACHED_LOCAL_RELATION;
    rel->cached_local_relation = c;
    *out = rel;
    return nb_catalog_add_local(q->session->catalog, nb_pb_str(c->hash), table);
}

static nb_status
run_set(nb_query *q, const nb_sql_statement *s, nb_table **out, nb_error *err)
{
    static const char *const names[] = {"key", "value"};
    nb_session *session = q->session;
    nb_str *cells = NULL, value;
    int64_t n = 0;
    nb_status st = NB_OK;

    if (s->key.data && s->value.data) {
        NB_TRY(nb_setting_check(s->key, s->value, err));
        pthread_mutex_lock(&session->lock);
        st = nb_config_set_runtime(session->config, s->key, s->value, err);
        pthread_mutex_unlock(&session->lock);
        NB_TRY(st);
        cells = NB_ARENA_ARRAY(q->arena, nb_str, 2);
        NB_NEED(cells);
        cells[0] = s->key;
        cells[1] = s->value;
        n = 1;
    } else if (s->key.data) {
        cells = NB_ARENA_ARRAY(q->arena, nb_str, 2);
        NB_NEED(cells);
        cells[0] = s->key;
        cells[1] = nb_config_get(q->config, s->key, &value) ? value : NB_STR("<undefined>");
        n = 1;
    } else {
        nb_str key;
        int count = 0;
        while (nb_config_at(q->config, count, &key, &value)) {
            count++;
        }
        cells = NB_ARENA_ARRAY(q->arena, nb_str, 2 * count + 1);
        NB_NEED(cells);
        for (n = 0; n < count && nb_config_at(q->config, (int)n, &cells[2 * n], &cells[2 * n + 1]);
             n++) {
        }
    }
    return nb_table_of_texts(q->pool, names, 2, cells, n, out);
}

static bool
is_global_name(const nb_sql_name *name)
{
    return name->n == 2 && nb_str_equal_nocase(name->parts[0], NB_STR("global_temp"));
}

static nb_status
run_create_view(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    Sc__Relation *rel = s->query;
    nb_view_scope scope = s->global      ? NB_VIEW_GLOBAL
                          : s->temporary ? NB_VIEW_TEMPORARY
                                         : NB_VIEW_OF_DATABASE;
    bool case_sensitive = nb_config_bool(q->config, NB_CONF_CASE_SENSITIVE);
    nb_object_name name = {.name = nb_sql_name_last(&s->name)};

    if (scope == NB_VIEW_OF_DATABASE) {
        NB_TRY(nb_object_need(q, s->name.parts, s->name.n, &name, err));
        if (s->if_not_exists &&
            (nb_view_find(nb_catalog_views(q->session->catalog), name, scope, case_sensitive) ||
             nb_table_def_find(nb_catalog_tables(q->session->catalog), name, case_sensitive))) {
            return NB_OK;
        }
    }
    if (s->columns.n) {
        Sc__ToDF *to = NB_MESSAGE(q->arena, Sc__ToDF, sc__to_df);
        Sc__Relation *named = NB_MESSAGE(q->arena, Sc__Relation, sc__relation);
        NB_NEED(to && named);
        to->input = rel;
        to->column_names = NB_ARENA_ARRAY(q->arena, ProtobufCBinaryData, s->columns.n);
        NB_NEED(to->column_names);
        for (size_t i = 0; i < s->columns.n; i++) {
            to->column_names[i] = nb_pb_bytes(s->columns.parts[i]);
        }
        to->n_column_names = s->columns.n;
        named->rel_type_case = SC__RELATION__REL_TYPE_TO_DF;
        named->to_df = to;
        rel = named;
    }
    return create_view(q, rel, name, scope, s->or_replace, err);
}

/* ALTER VIEW, and ALTER TABLE of a table or a view's name. */
static nb_status
run_alter(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    bool case_sensitive = nb_config_bool(q->config, NB_CONF_CASE_SENSITIVE);
    const nb_view_def *views = nb_catalog_views(q->session->catalog);
    nb_str last = nb_sql_name_last(&s->name);
    nb_object_name name = {.name = last};
    bool global = is_global_name(&s->name);
    const nb_view_def *v = global ? nb_view_find(views, name, NB_VIEW_GLOBAL, case_sensitive)
                           : s->name.n == 1
                               ? nb_view_find(views, name, NB_VIEW_TEMPORARY, case_sensitive)
                               : NULL;

    if (!v && !global && nb_object_of_parts(s->name.parts, s->name.n, q->info.database, &name)) {
        v = nb_view_find(views, name, NB_VIEW_OF_DATABASE, case_sensitive);
    }
    if (!s->global && !v) {
        return nb_table_alter(q, s, err);
    }
    if (!v) {
        return nb_raise(err, NB_COND_TABLE_OR_VIEW_NOT_FOUND, "searchPath", nb_search_path(q, 1),
                        "relationName",
                        nb_arena_printf(q->arena, "`%.*s`", (int)last.len, last.data), NULL);
    }
    if (s->kind == NB_SQL_ALTER_VIEW_AS) {
        return create_view(q, s->query, (nb_object_name){v->database, v->name}, v->scope, true,
                           err);
    }
    if (s->kind == NB_SQL_ALTER_RENAME) {
        nb_str to = nb_sql_name_last(&s->columns);
        if (nb_view_find(views, (nb_object_name){v->database, to}, v->scope, case_sensitive)) {
            return nb_raise(err, NB_COND_TEMP_TABLE_OR_VIEW_ALREADY_EXISTS, "relationName",
                            nb_arena_printf(q->arena, "`%.*s`", (int)to.len, to.data), NULL);
        }
        return nb_catalog_rename_view(q->session->catalog, v, to);
    }
    return nb_raise_unsupported(err, "TBLPROPERTIES of views");
}

nb_status
nb_named_relation(nb_query *q, const nb_sql_name *name, Sc__Relation **out)
{
    Sc__Relation *rel = NB_MESSAGE(q->arena, Sc__Relation, sc__relation);
    Sc__Read *read = NB_MESSAGE(q->arena, Sc__Read, sc__read);
    Sc__Read__NamedTable *t = NB_MESSAGE(q->arena, Sc__Read__NamedTable, sc__read__named_table);
    nb_strbuf b = {0};
    nb_str text;

    NB_NEED(rel && read && t);
    for (size_t i = 0; i < name->n; i++) {
        nb_strbuf_adds(&b, i ? ".`" : "`");
        for (size_t k = 0; k < name->parts[i].len; k++) {
            nb_strbuf_addf(&b, name->parts[i].data[k] == '`' ? "``" : "%c", name->parts[i].data[k]);
        }
        nb_strbuf_addc(&b, '`');
    }
    text = nb_strbuf_finish(q->arena, &b);
    NB_NEED(text.data);
    t->has_unparsed_identifier = true;
    t->unparsed_identifier = nb_pb_bytes(text);
    read->read_type_case = SC__READ__READ_TYPE_NAMED_TABLE;
    read->named_table = t;
    rel->rel_type_case = SC__RELATION__REL_TYPE_READ;
    rel->read = read;
    *out = rel;
    return NB_OK;
}

/* CREATE TEMPORARY VIEW v (columns) USING format OPTIONS (…) */
static nb_status
run_create_view_using(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    Sc__Relation *rel = NB_MESSAGE(q->arena, Sc__Relation, sc__relation);
    Sc__Read *read = NB_MESSAGE(q->arena, Sc__Read, sc__read);
    Sc__Read__DataSource *d = NB_MESSAGE(q->arena, Sc__Read__DataSource, sc__read__data_source);

    NB_NEED(rel && read && d);
    d->has_format = true;
    d->format = nb_pb_bytes(s->provider);
    if (s->schema_text.data) {
        d->has_schema = true;
        d->schema = nb_pb_bytes(s->schema_text);
    }
    d->options = NB_ARENA_ARRAY(q->arena, Sc__Read__DataSource__OptionsEntry *, s->n_options + 1);
    NB_NEED(d->options);
    for (size_t i = 0; i < s->n_options; i++) {
        Sc__Read__DataSource__OptionsEntry *o = NB_MESSAGE(
            q->arena, Sc__Read__DataSource__OptionsEntry, sc__read__data_source__options_entry);
        NB_NEED(o);
        o->key = nb_arena_strdup(q->arena, s->options[i].key);
        NB_NEED(o->key);
        o->has_value = true;
        o->value = nb_pb_bytes(s->options[i].value);
        d->options[d->n_options++] = o;
    }
    read->read_type_case = SC__READ__READ_TYPE_DATA_SOURCE;
    read->data_source = d;
    rel->rel_type_case = SC__RELATION__REL_TYPE_READ;
    rel->read = read;
    return create_view(q, rel, (nb_object_name){.name = nb_sql_name_last(&s->name)},
                       s->global ? NB_VIEW_GLOBAL : NB_VIEW_TEMPORARY, s->or_replace, err);
}

/* CACHE TABLE v [AS query], UNCACHE TABLE v: as spark.catalog does it, under the name as it is written. */
static nb_status
run_cache(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    nb_catalog *catalog = q->session->catalog;
    nb_error quiet = NB_ERROR_INIT;
    Sc__Relation *rel;
    nb_plan *plan;
    nb_str bytes;

    NB_TRY(nb_named_relation(q, &s->name, &rel));
    if (s->name.n == 1) {
        rel->read->named_table->unparsed_identifier = nb_pb_bytes(s->name.parts[0]);
    }
    if (s->query) { /* the view is new: this query's own list of views does not have it */
        NB_TRY(create_view(q, s->query, (nb_object_name){.name = nb_sql_name_last(&s->name)},
                           NB_VIEW_TEMPORARY, false, err));
    } else {
        nb_status st = nb_query_analyze(q, rel, &plan, s->if_exists ? &quiet : err);
        nb_error_clear(&quiet);
        if (st < 0) {
            return st == NB_ERROR && s->if_exists ? NB_OK : st;
        }
    }
    bytes = nb_message_bytes(q->arena, &rel->base);
    NB_NEED(bytes.data);
    if (s->kind == NB_SQL_CACHE_TABLE) {
        return nb_catalog_persist(catalog, -1, bytes);
    }
    nb_catalog_unpersist(catalog, -1, bytes);
    return NB_OK;
}

static nb_status
drop_view(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    nb_catalog *catalog = q->session->catalog;
    bool case_sensitive = nb_config_bool(q->config, NB_CONF_CASE_SENSITIVE);
    nb_object_name name = {.name = nb_sql_name_last(&s->name)};
    const nb_table_def *t;

    if (is_global_name(&s->name)
            ? nb_catalog_drop_view(catalog, name, NB_VIEW_GLOBAL, case_sensitive)
            : s->name.n == 1 &&
                  nb_catalog_drop_view(catalog, name, NB_VIEW_TEMPORARY, case_sensitive)) {
        return NB_OK;
    }
    if (!nb_object_of_parts(s->name.parts, s->name.n, q->info.database, &name)) {
        return nb_object_need(q, s->name.parts, s->name.n, &name, err);
    }
    if (nb_catalog_drop_view(catalog, name, NB_VIEW_OF_DATABASE, case_sensitive)) {
        return NB_OK;
    }
    t = nb_table_def_find(nb_catalog_tables(catalog), name, case_sensitive);
    if (t) {
        return nb_raise(err, NB_COND_WRONG_COMMAND_FOR_OBJECT_TYPE, "operation", "DROP VIEW",
                        "requiredType", "VIEW or METRIC_VIEW", "objectName",
                        nb_arena_printf(q->arena, "spark_catalog.%.*s.%.*s", (int)t->database.len,
                                        t->database.data, (int)name.name.len, name.name.data),
                        "foundType", "MANAGED", "alternative", "DROP TABLE", NULL);
    }
    return s->if_exists ? NB_OK : nb_raise_not_in_database(q, name, err);
}

/* A query's plans; of a command what it would execute, with the plans of its query, but nothing is done. */
static nb_status
explain(nb_query *q, const nb_sql_statement *s, nb_table **out, nb_error *err)
{
    int mode = nb_str_equal_nocase(s->value, NB_STR("EXTENDED"))    ? 2
               : nb_str_equal_nocase(s->value, NB_STR("FORMATTED")) ? 5
               : nb_str_equal_nocase(s->value, NB_STR("COST"))      ? 4
                                                                    : 1;
    const nb_sql_statement *inner = s->inner;
    nb_strbuf text = {0};
    nb_status st = NB_OK;

    if (inner->kind == NB_SQL_OTHER) {
        return nb_raise_unsupported(err, "This SQL command: %.*s", (int)inner->value.len,
                                    inner->value.data);
    }
    if (inner->kind != NB_SQL_QUERY) {
        nb_strbuf_adds(&text, "== Physical Plan ==\nExecute command");
        for (size_t i = 0; i < inner->name.n; i++) {
            nb_strbuf_addf(&text, "%s%.*s", i ? "." : " on ", (int)inner->name.parts[i].len,
                           inner->name.parts[i].data);
        }
        nb_strbuf_adds(&text, inner->query ? ", with the rows of\n\n" : "\n");
    }
    if (inner->query) {
        st = nb_query_explain(q, inner->query, mode, &text, err);
    }
    if (st >= 0) {
        st = text.failed ? NB_NOMEM : nb_table_of_text(q->pool, "plan", nb_strbuf_str(&text), out);
    }
    nb_strbuf_free(&text);
    return st;
}

/* The statement's effect; *out is a table of what it shows (no columns when it shows nothing). */
static nb_status
run_statement(nb_query *q, const nb_sql_statement *s, nb_table **out, nb_error *err)
{
    nb_session *session = q->session;
    nb_status st = NB_OK;
    nb_strbuf text = {0};
    Sc__Relation *rel;

    switch (s->kind) {
    case NB_SQL_SET: return run_set(q, s, out, err);
    case NB_SQL_SET_TIME_ZONE: {
        nb_sql_statement set = *s;
        set.key = NB_STR("spark.sql.session.timeZone");
        return run_set(q, &set, out, err);
    }
    case NB_SQL_RESET:
        pthread_mutex_lock(&session->lock);
        if (s->key.data) {
            st = nb_config_unset_runtime(session->config, s->key, err);
        } else {
            nb_str key, value;
            for (int i = 0; nb_config_at(session->config, i, &key, &value);) {
                if (nb_config_is_modifiable(key)) {
                    nb_str copy = nb_arena_str(q->arena, key);
                    st = copy.data ? nb_config_unset_runtime(session->config, copy, err) : NB_NOMEM;
                    i = st < 0 ? i + 1 : i;
                } else {
                    i++;
                }
            }
        }
        pthread_mutex_unlock(&session->lock);
        break;
    case NB_SQL_CREATE_VIEW: st = run_create_view(q, s, err); break;
    case NB_SQL_CREATE_VIEW_USING: st = run_create_view_using(q, s, err); break;
    case NB_SQL_CACHE_TABLE:
    case NB_SQL_UNCACHE_TABLE: st = run_cache(q, s, err); break;
    case NB_SQL_REFRESH_TABLE: /* files are listed anew by each query */
        NB_TRY(nb_named_relation(q, &s->name, &rel));
        {
            nb_plan *plan;
            st = nb_query_analyze(q, rel, &plan, err);
        }
        break;
    case NB_SQL_SHOW_CURRENT: {
        static const char *const names[] = {"catalog", "namespace"};
        nb_str cells[2] = {NB_STR("spark_catalog"), q->info.database};
        return nb_table_of_texts(q->pool, names, 2, cells, 1, out);
    }
    case NB_SQL_SHOW_CATALOGS: {
        static const char *const names[] = {"catalog"};
        nb_str cell = NB_STR("spark_catalog");
        return nb_table_of_texts(q->pool, names, 1, &cell, 1, out);
    }
    case NB_SQL_SHOW_PARTITIONS: return nb_partition_statement(q, s, out, err);
    case NB_SQL_ADD_PARTITION:
    case NB_SQL_DROP_PARTITION: st = nb_partition_statement(q, s, out, err); break;
    case NB_SQL_TRUNCATE_TABLE:
        st =
            s->n_arguments ? nb_partition_statement(q, s, out, err) : nb_table_statement(q, s, err);
        break;
    case NB_SQL_CREATE_TABLE:
    case NB_SQL_CREATE_TABLE_LIKE:
    case NB_SQL_INSERT:
    case NB_SQL_INSERT_DIRECTORY:
    case NB_SQL_DROP_TABLE: st = nb_table_statement(q, s, err); break;
    case NB_SQL_DROP_VIEW: st = drop_view(q, s, err); break;
    case NB_SQL_SHOW_TABLES: return nb_show_tables(q, s, false, out, err);
    case NB_SQL_SHOW_VIEWS: return nb_show_tables(q, s, true, out, err);
    case NB_SQL_SHOW_CREATE_TABLE:
        st = nb_table_ddl(q, &s->name, &text, err);
        if (st >= 0) {
            st = text.failed
                     ? NB_NOMEM
                     : nb_table_of_text(q->pool, "createtab_stmt", nb_strbuf_str(&text), out);
        }
        nb_strbuf_free(&text);
        return st;
    case NB_SQL_USE:
    case NB_SQL_CREATE_DATABASE:
    case NB_SQL_DROP_DATABASE:
    case NB_SQL_ALTER_DATABASE:
    case NB_SQL_DESCRIBE_DATABASE:
    case NB_SQL_SHOW_DATABASES:
        *out = NULL;
        st = nb_database_statement(q, s, out, err);
        if (*out) {
            return st;
        }
        break;
    case NB_SQL_SHOW_FUNCTIONS: return nb_show_functions(q, s, out);
    case NB_SQL_SHOW_COLUMNS: {
        static const char *const names[] = {"col_name"};
        nb_plan *plan;
        nb_str *cells;
        NB_TRY(nb_named_relation(q, &s->name, &rel));
        NB_TRY(nb_query_analyze(q, rel, &plan, err));
        cells = NB_ARENA_ARRAY(q->arena, nb_str, plan->n_attrs + 1);
        NB_NEED(cells);
        for (int i = 0; i < plan->n_attrs; i++) {
            cells[i] = plan->attrs[i].name;
        }
        return nb_table_of_texts(q->pool, names, 1, cells, plan->n_attrs, out);
    }
    case NB_SQL_DESCRIBE_QUERY: return nb_describe_rows(q, s->query, NULL, false, out, err);
    case NB_SQL_DESCRIBE_TABLE:
        NB_TRY(nb_named_relation(q, &s->name, &rel));
        return nb_describe_rows(q, rel, &s->name, s->extended, out, err);
    case NB_SQL_EXPLAIN: return explain(q, s, out, err);
    case NB_SQL_CLEAR_CACHE: nb_catalog_clear_cache(session->catalog); break;
    case NB_SQL_ALTER_RENAME:
    case NB_SQL_ALTER_VIEW_AS:
    case NB_SQL_ALTER_PROPERTIES: st = run_alter(q, s, err); break;
    case NB_SQL_ALTER_ADD_COLUMNS:
    case NB_SQL_ALTER_COLUMN:
    case NB_SQL_ALTER_REFUSED:
    case NB_SQL_COMMENT_ON_TABLE: st = nb_table_alter(q, s, err); break;
    case NB_SQL_ANALYZE: st = s->name.n ? nb_table_alter(q, s, err) : NB_OK; break;
    case NB_SQL_REFRESH_PATH: break; /* files are listed anew by each query */
    case NB_SQL_SHOW_TBLPROPERTIES: {
        static const char *const names[] = {"key", "value"};
        nb_str *cells;
        int64_t n;
        NB_TRY(nb_table_properties(q, s, &cells, &n, err));
        return nb_table_of_texts(q->pool, names, 2, cells, n, out);
    }
    case NB_SQL_DESCRIBE_FUNCTION: return nb_describe_function(q, s, out, err);
    case NB_SQL_DECLARE_VARIABLE:
    case NB_SQL_SET_VARIABLE:
    case NB_SQL_DROP_VARIABLE: st = nb_variable_statement(q, s, err); break;
    default:
        return nb_raise_unsupported(err, "This SQL command%s%.*s", s->value.len ? ": " : "",
                                    (int)s->value.len, s->value.data ? s->value.data : "");
    }
    NB_TRY(st);
    return nb_table_new(q->pool, nb_type_struct(NULL, 0), out);
}

/* EXECUTE IMMEDIATE of a text that executes a text, and so on. */
#define MAX_EXECUTES 64

/* *s becomes the statement that it runs, *rel the message of that; a query INTO variables is done with, and nothing is left of it. */
static nb_status
execute_immediate(nb_query *q, nb_sql_statement *s, Sc__Relation **rel, nb_error *err)
{
    nb_sql_name into = s->columns;
    Sc__SQL *sql = NULL;
    char *shown;

    for (int i = 0; s->kind == NB_SQL_EXECUTE_IMMEDIATE && i < MAX_EXECUTES; i++) {
        into = s->columns.n ? s->columns : into;
        NB_TRY(nb_execute_text(q, s, &sql, err));
        NB_TRY(nb_parse_sql_message(q->analyzer, sql, s, err));
    }
    *rel = NB_MESSAGE(q->arena, Sc__Relation, sc__relation);
    shown = nb_arena_printf(q->arena, "%.*s", (int)sql->query.len, (const char *)sql->query.data);
    NB_NEED(*rel && shown);
    (*rel)->rel_type_case = SC__RELATION__REL_TYPE_SQL;
    (*rel)->sql = sql;
    if (s->kind == NB_SQL_EXECUTE_IMMEDIATE) {
        return nb_raise(err, NB_COND_NESTED_EXECUTE_IMMEDIATE, "sqlString", shown, NULL);
    }
    if (into.n == 0) {
        return NB_OK;
    }
    if (s->kind != NB_SQL_QUERY) {
        for (char *c = shown; *c; c++) {
            *c = (char)(*c >= 'a' && *c <= 'z' ? *c - ('a' - 'A') : *c);
        }
        return nb_raise(err, NB_COND_INVALID_STATEMENT_FOR_EXECUTE_INTO, "sqlString", shown, NULL);
    }
    s->kind = NB_SQL_SET_VARIABLE;
    s->query = *rel;
    s->columns = into;
    s->column_comments = (nb_sql_name){0};
    return NB_OK;
}

static nb_status
sql_command(nb_query *q, const Sc__SqlCommand *c, nb_result *result, nb_error *err)
{
    nb_sql_statement statement;
    Sc__ExecutePlanResponse *response =
        NB_MESSAGE(q->arena, Sc__ExecutePlanResponse, sc__execute_plan_response);
    Sc__ExecutePlanResponse__SqlCommandResult *made =
        NB_MESSAGE(q->arena, Sc__ExecutePlanResponse__SqlCommandResult,
                   sc__execute_plan_response__sql_command_result);
    Sc__SQL *sql;
    Sc__Relation *rel;
    nb_table *table;
    nb_status st;

    NB_NEED(response && made);
    rel = c->input;
    if (rel && rel->rel_type_case == SC__RELATION__REL_TYPE_SQL) {
        sql = rel->sql;
    } else if (rel && rel->rel_type_case == SC__RELATION__REL_TYPE_WITH_RELATIONS &&
               rel->with_relations->root &&
               rel->with_relations->root->rel_type_case == SC__RELATION__REL_TYPE_SQL) {
        sql = rel->with_relations->root->sql;
    } else {
        sql = NB_MESSAGE(q->arena, Sc__SQL, sc__sql);
        rel = NB_MESSAGE(q->arena, Sc__Relation, sc__relation);
        NB_NEED(sql && rel);
        sql->has_query = true;
        sql->query = c->sql;
        sql->n_args = c->n_args;
        sql->args = (Sc__SQL__ArgsEntry **)c->args;
        sql->n_pos_args = c->n_pos_args;
        sql->pos_args = c->pos_args;
        sql->n_named_arguments = c->n_named_arguments;
        sql->named_arguments = (Sc__SQL__NamedArgumentsEntry **)c->named_arguments;
        sql->n_pos_arguments = c->n_pos_arguments;
        sql->pos_arguments = c->pos_arguments;
        rel->rel_type_case = SC__RELATION__REL_TYPE_SQL;
        rel->sql = sql;
    }
    NB_TRY(nb_parse_sql_message(q->analyzer, sql, &statement, err));
    if (statement.kind == NB_SQL_EXECUTE_IMMEDIATE) {
        NB_TRY(execute_immediate(q, &statement, &rel, err));
    }
    if (statement.kind == NB_SQL_QUERY) {
        nb_plan *plan;
        NB_TRY(nb_query_analyze(q, rel, &plan, err)); /* spark.sql raises analysis errors at once */
    } else {
        NB_TRY(run_statement(q, &statement, &table, err));
        /* the rows outlive the query: copied into the session's pool by a plain scan */
        st = nb_query_keep_table(q, &table, err);
        if (st >= 0) {
            st = relation_of_table(q, table, &rel);
        }
        nb_table_release(table);
        NB_TRY(st);
    }
    made->relation = rel;
    response->response_type_case = SC__EXECUTE_PLAN_RESPONSE__RESPONSE_TYPE_SQL_COMMAND_RESULT;
    response->sql_command_result = made;
    return nb_result_add(result, response);
}

static nb_status
ml_command(nb_query *q, const Sc__MlCommand *c, nb_result *result, nb_error *err)
{
    Sc__ExecutePlanResponse *response =
        NB_MESSAGE(q->arena, Sc__ExecutePlanResponse, sc__execute_plan_response);

    NB_NEED(response);
    NB_TRY(nb_ml_command(q->session->ml, q->analyzer, c, &response->ml_command_result, err));
    response->response_type_case = SC__EXECUTE_PLAN_RESPONSE__RESPONSE_TYPE_ML_COMMAND_RESULT;
    return nb_result_add(result, response);
}

static nb_status
register_function(nb_query *q, const Sc__CommonInlineUserDefinedFunction *f, nb_error *err)
{
    nb_str bytes = {NULL, protobuf_c_message_get_packed_size(&f->base)};
    uint8_t *packed = nb_arena_alloc(q->arena, bytes.len + 1);

    if (packed == NULL) {
        return NB_NOMEM;
    }
    if (f->function_case != SC__COMMON_INLINE_USER_DEFINED_FUNCTION__FUNCTION_PYTHON_UDF) {
        return nb_raise_unsupported(err, "A user-defined function that is not in Python");
    }
    protobuf_c_message_pack(&f->base, packed);
    bytes.data = (const char *)packed;
    return nb_catalog_add_function(q->session->catalog, nb_pb_str(f->function_name), bytes);
}

nb_status
nb_query_command(nb_query *q, const Sc__Command *command, nb_result *result, nb_error *err)
{
    switch (command->command_type_case) {
    case SC__COMMAND__COMMAND_TYPE_SQL_COMMAND:
        return sql_command(q, command->sql_command, result, err);
    case SC__COMMAND__COMMAND_TYPE_CREATE_DATAFRAME_VIEW: {
        const Sc__CreateDataFrameViewCommand *c = command->create_dataframe_view;
        return create_view(q, c->input, (nb_object_name){.name = nb_pb_str(c->name)},
                           c->is_global ? NB_VIEW_GLOBAL : NB_VIEW_TEMPORARY, c->replace, err);
    }
    case SC__COMMAND__COMMAND_TYPE_WRITE_OPERATION:
        return write_files(q, command->write_operation, err);
    case SC__COMMAND__COMMAND_TYPE_WRITE_OPERATION_V2:
        return nb_query_write_to(q, command->write_operation_v2, err);
    case SC__COMMAND__COMMAND_TYPE_CHECKPOINT_COMMAND:
        return nb_query_checkpoint(q, command->checkpoint_command, result, err);
    case SC__COMMAND__COMMAND_TYPE_REMOVE_CACHED_REMOTE_RELATION_COMMAND:
        if (command->remove_cached_remote_relation_command->relation) {
            nb_session_remove_local(
                q->session,
                nb_pb_str(command->remove_cached_remote_relation_command->relation->relation_id));
        }
        return NB_OK;
    case SC__COMMAND__COMMAND_TYPE_ML_COMMAND:
        return ml_command(q, command->ml_command, result, err);
    case SC__COMMAND__COMMAND_TYPE_REGISTER_FUNCTION:
        return register_function(q, command->register_function, err);
    default:
        return nb_raise_unsupported(err, "The command %s",
                                    nb_pb_case(&command->base, (int)command->command_type_case));
    }
}
