/* SPDX-License-Identifier: Apache-2.0 */
/*
 * databases.c: CREATE, DROP, ALTER, DESCRIBE and USE DATABASE, SHOW DATABASES.
 *
 * A database is an entry of the session's catalog and a directory: <warehouse>/<name>.db unless LOCATION says otherwise; that of `default` is the warehouse. Its
 * tables are in the catalog's one list, under its name. As in Spark, the current database may be dropped, and stays current.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/ascii.h"
#include "base/config.h"
#include "connect/describe.h"
#include "connect/tables.h"
#include "io/allowed.h"
#include "io/file.h"
#include "io/listing.h"
#include "plan/analyzer_internal.h"

static const char *
quoted_name(nb_query *q, nb_str name)
{
    const char *text =
        nb_arena_printf(q->arena, "`spark_catalog`.`%.*s`", (int)name.len, name.data);

    return text ? text : "";
}

nb_status
nb_database_need(nb_query *q, const nb_str *parts, size_t n, const nb_database_def **out,
                 nb_error *err)
{
    bool here = n == 1 || (n == 2 && nb_str_equal_nocase(parts[0], NB_STR("spark_catalog")));
    const nb_database_def *d =
        here ? nb_database_find(nb_catalog_databases(q->session->catalog), parts[n - 1]) : NULL;

    if (d == NULL) {
        return nb_raise(err, NB_COND_SCHEMA_NOT_FOUND, "schemaName", quoted_name(q, parts[n - 1]),
                        NULL);
    }
    *out = d;
    return NB_OK;
}

/* A path without the scheme, and absolute: the process may go elsewhere; tables stay. */
static nb_status
plain_path(nb_query *q, nb_str path, nb_str *out)
{
    char here[4096];
    char *text;

    if (nb_str_starts_with(path, NB_STR("file:"))) {
        path = (nb_str){path.data + 5, path.len - 5};
    }
    while (path.len > 1 && path.data[0] == '/' && path.data[1] == '/') {
        path = (nb_str){path.data + 1, path.len - 1};
    }
    *out = path;
    if (path.len > 0 && path.data[0] == '/') {
        return NB_OK;
    }
    text = nb_arena_printf(q->arena, "%s/%.*s", getcwd(here, sizeof here) ? here : "",
                           (int)path.len, path.data);
    NB_NEED(text);
    *out = nb_str_of(text);
    return NB_OK;
}

nb_status
nb_given_location(nb_query *q, nb_str path, nb_str base, nb_str *out, nb_error *err)
{
    const char *text;

    if (nb_str_trim(path).len == 0) {
        return nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message",
                        "Can not create a Path from an empty string", NULL);
    }
    NB_TRY(nb_path_plain(q->arena, path, out, err)); /* refuses other file systems */
    text = path.data[0] == '/' || nb_str_starts_with(path, NB_STR("file:"))
               ? nb_arena_strdup(q->arena, *out)
               : nb_arena_printf(q->arena, "%.*s/%.*s", (int)base.len, base.data, (int)path.len,
                                 path.data);
    NB_NEED(text);
    *out = nb_str_of(text);
    return nb_allowed_check(text, err);
}

/* The path of a LOCATION of a database that a user wrote. */
static nb_status
given_path(nb_query *q, nb_str path, nb_str *out, nb_error *err)
{
    nb_str warehouse;

    NB_TRY(plain_path(q, nb_config_str(q->config, NB_CONF_WAREHOUSE_DIR), &warehouse));
    return nb_given_location(q, path, warehouse, out, err);
}

nb_status
nb_database_location(nb_query *q, const nb_database_def *d, nb_str *out)
{
    if (d->location.data) {
        *out = d->location;
        return NB_OK;
    }
    return plain_path(q, nb_config_str(q->config, NB_CONF_WAREHOUSE_DIR), out);
}

static int
by_name(const void *a, const void *b)
{
    return nb_str_compare((*(const nb_database_def *const *)a)->name,
                          (*(const nb_database_def *const *)b)->name);
}

nb_status
nb_database_list(nb_query *q, nb_str pattern, const nb_database_def ***out, int *n)
{
    const nb_database_def *all = nb_catalog_databases(q->session->catalog), **list = NULL;
    int count = 0, cap = 0;

    for (const nb_database_def *d = all; d; d = d->next) {
        if (nb_database_find(all, d->name) == d && nb_name_fits(q->arena, pattern, d->name)) {
            list = nb_arena_grow(q->arena, list, count, &cap, sizeof(*list));
            NB_NEED(list);
            list[count++] = d;
        }
    }
    if (count > 1) {
        qsort(list, (size_t)count, sizeof(*list), by_name);
    }
    *out = list;
    *n = count;
    return NB_OK;
}

static nb_status
show(nb_query *q, nb_str pattern, nb_table **out)
{
    static const char *const names[] = {"namespace"};
    const nb_database_def **list;
    nb_str *cells;
    int n;

    NB_TRY(nb_database_list(q, pattern, &list, &n));
    cells = NB_ARENA_ARRAY(q->arena, nb_str, n + 1);
    NB_NEED(cells);
    for (int i = 0; i < n; i++) {
        cells[i] = list[i]->name;
    }
    return nb_table_of_texts(q->pool, names, 1, cells, n, out);
}

/* The statement's name as that of a database of this catalog, in lower case as Spark keeps it. */
static nb_status
own_name(nb_query *q, const nb_sql_statement *s, nb_str *out, nb_error *err)
{
    nb_str last = nb_sql_name_last(&s->name);
    char *lower;

    if (s->name.n > 2 ||
        (s->name.n == 2 && !nb_str_equal_nocase(s->name.parts[0], NB_STR("spark_catalog")))) {
        char *quoted;
        NB_TRY(nb_backquote(q->analyzer, s->name.parts, (int)s->name.n, &quoted));
        return nb_raise(err, NB_COND_REQUIRES_SINGLE_PART_NAMESPACE, "sessionCatalog",
                        "spark_catalog", "identifier", quoted, NULL);
    }
    lower = nb_arena_strdup(q->arena, last);
    NB_NEED(lower);
    for (size_t i = 0; i < last.len; i++) {
        if (!nb_is_word(lower[i])) { /* nor can it lead out of the warehouse */
            return nb_raise(err, NB_COND_INVALID_SCHEMA_OR_RELATION_NAME, "name",
                            nb_arena_printf(q->arena, "`%.*s`", (int)last.len, last.data), NULL);
        }
        lower[i] = nb_to_lower(lower[i]);
    }
    *out = (nb_str){lower, last.len};
    return NB_OK;
}

static nb_status
list_properties(nb_query *q, const nb_sql_statement *s, nb_str **out)
{
    nb_str *list = NB_ARENA_ARRAY(q->arena, nb_str, 2 * s->n_properties + 1);

    NB_NEED(list);
    for (size_t i = 0; i < s->n_properties; i++) {
        list[2 * i] = s->properties[i].key;
        list[2 * i + 1] = s->properties[i].value;
    }
    *out = list;
    return NB_OK;
}

static nb_status
create(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    nb_database_def def = {.comment = s->comment.data ? s->comment : NB_STR("")};
    nb_str warehouse, *properties;
    char *path;

    NB_TRY(own_name(q, s, &def.name, err));
    if (nb_str_equal(def.name, NB_STR("global_temp"))) {
        return nb_raise(err, NB_COND_GLOBAL_TEMP_DATABASE, "database", "global_temp", NULL);
    }
    if (nb_database_find(nb_catalog_databases(q->session->catalog), def.name)) {
        return s->if_not_exists
                   ? NB_OK
                   : nb_raise(err, NB_COND_SCHEMA_ALREADY_EXISTS, "schemaName",
                              nb_arena_printf(q->arena, "`%.*s`", (int)def.name.len, def.name.data),
                              NULL);
    }
    if (s->location.data) {
        NB_TRY(given_path(q, s->location, &def.location, err));
        path = nb_arena_strdup(q->arena, def.location);
    } else {
        NB_TRY(plain_path(q, nb_config_str(q->config, NB_CONF_WAREHOUSE_DIR), &warehouse));
        path = nb_arena_printf(q->arena, "%.*s/%.*s.db", (int)warehouse.len, warehouse.data,
                               (int)def.name.len, def.name.data);
    }
    NB_NEED(path);
    def.location = nb_str_of(path);
    NB_TRY(list_properties(q, s, &properties));
    def.properties = properties;
    def.n_properties = (int)s->n_properties;
    NB_TRY(nb_allowed_check(path, err));
    NB_TRY(nb_make_dirs(path, err));
    return nb_catalog_add_database(q->session->catalog, &def);
}

/* Drops what is in the database; without cascade, something there is an error. */
static nb_status
empty(nb_query *q, const nb_database_def *d, bool cascade, nb_error *err)
{
    nb_catalog *catalog = q->session->catalog;
    const nb_table_def *tables = nb_catalog_tables(catalog);
    const nb_view_def *views = nb_catalog_views(catalog);

    for (int pass = 0; pass < 2; pass++) {
        bool any = false;
        for (const nb_table_def *t = tables; t; t = t->next) {
            nb_object_name name = {d->name, t->name};
            if (nb_str_equal_nocase(t->database, d->name) &&
                nb_table_def_find(tables, name, true) == t) {
                any = true;
                NB_TRY(pass == 1 ? nb_table_drop(q, t, err) : NB_OK);
            }
        }
        for (const nb_view_def *v = views; v; v = v->next) {
            nb_object_name name = {d->name, v->name};
            if (v->scope == NB_VIEW_OF_DATABASE && nb_view_find(views, name, v->scope, true) == v &&
                nb_str_equal_nocase(v->database, d->name)) {
                any = true;
                if (pass == 1 && !nb_catalog_drop_view(catalog, name, v->scope, true)) {
                    return NB_NOMEM;
                }
            }
        }
        if (any && !cascade) {
            return nb_raise(err, NB_COND_SCHEMA_NOT_EMPTY, "schemaName",
                            nb_arena_printf(q->arena, "`%.*s`", (int)d->name.len, d->name.data),
                            NULL);
        }
    }
    return NB_OK;
}

static nb_status
drop(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    const nb_database_def *d =
        nb_database_find(nb_catalog_databases(q->session->catalog), nb_sql_name_last(&s->name));
    nb_database_def gone;
    const char *path;

    if (d == NULL && s->if_exists) {
        return NB_OK;
    }
    NB_TRY(nb_database_need(q, s->name.parts, s->name.n, &d, err));
    if (nb_str_equal(d->name, NB_STR("default"))) {
        return nb_raise(err, NB_COND_UNSUPPORTED_FEATURE_DROP_DATABASE, "database",
                        quoted_name(q, d->name), NULL);
    }
    path = nb_arena_strdup(q->arena, d->location);
    NB_NEED(path);
    NB_TRY(nb_allowed_check(path, err));
    NB_TRY(empty(q, d, s->cascade, err));
    gone = *d;
    gone.dropped = true;
    NB_TRY(nb_catalog_add_database(q->session->catalog, &gone));
    rmdir(path); /* its tables are gone; a directory that holds anything else stays */
    return NB_OK;
}

static nb_status
alter(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    const nb_database_def *d;
    nb_database_def def;
    nb_str *properties;
    int n;

    NB_TRY(nb_database_need(q, s->name.parts, s->name.n, &d, err));
    def = *d;
    if (s->comment.data) {
        def.comment = s->comment;
    }
    if (s->location.data) {
        NB_TRY(given_path(q, s->location, &def.location, err));
    }
    NB_TRY(nb_merge_properties(q, d->properties, d->n_properties, s, &properties, &n));
    def.properties = properties;
    def.n_properties = n;
    return nb_catalog_add_database(q->session->catalog, &def);
}

/* ((k,v), (k,v)) in the order of the keys. */
static nb_status
shown_properties(nb_query *q, const nb_database_def *d, nb_str *out)
{
    nb_strbuf b = {0};
    bool *done = NB_ARENA_ARRAY(q->arena, bool, d->n_properties + 1);

    NB_NEED(done);
    memset(done, 0, sizeof(bool) * (size_t)(d->n_properties + 1));
    nb_strbuf_adds(&b, d->n_properties ? "(" : "");
    for (int i = 0; i < d->n_properties; i++) {
        int first = -1;
        for (int k = 0; k < d->n_properties; k++) {
            if (!done[k] &&
                (first < 0 || nb_str_compare(d->properties[2 * k], d->properties[2 * first]) < 0)) {
                first = k;
            }
        }
        done[first] = true;
        nb_strbuf_addf(&b, "%s(%.*s,%.*s)", i ? ", " : "", (int)d->properties[2 * first].len,
                       d->properties[2 * first].data, (int)d->properties[2 * first + 1].len,
                       d->properties[2 * first + 1].data);
    }
    nb_strbuf_adds(&b, d->n_properties ? ")" : "");
    *out = nb_strbuf_finish(q->arena, &b);
    return out->data ? NB_OK : NB_NOMEM;
}

static nb_status
describe(nb_query *q, const nb_sql_statement *s, nb_table **out, nb_error *err)
{
    static const char *const names[] = {"info_name", "info_value"};
    const nb_database_def *d;
    nb_str place, properties, cells[12];
    char *uri;
    int n = 10;

    NB_TRY(nb_database_need(q, s->name.parts, s->name.n, &d, err));
    NB_TRY(nb_database_location(q, d, &place));
    uri = nb_arena_printf(q->arena, "file:%.*s", (int)place.len, place.data);
    NB_NEED(uri);
    memcpy(cells,
           (nb_str[]){NB_STR("Catalog Name"), NB_STR("spark_catalog"), NB_STR("Namespace Name"),
                      d->name, NB_STR("Comment"), d->comment, NB_STR("Location"), nb_str_of(uri),
                      NB_STR("Owner"), q->info.user},
           sizeof(nb_str) * 10);
    if (s->extended) {
        NB_TRY(shown_properties(q, d, &properties));
        cells[n++] = NB_STR("Properties");
        cells[n++] = properties;
    }
    return nb_table_of_texts(q->pool, names, 2, cells, n / 2, out);
}

static nb_status
use(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    const nb_database_def *d;

    if (s->name.n == 1 && nb_str_equal_nocase(s->name.parts[0], NB_STR("spark_catalog")) &&
        !nb_database_find(nb_catalog_databases(q->session->catalog), s->name.parts[0])) {
        return NB_OK; /* the catalog, which is the current one */
    }
    NB_TRY(nb_database_need(q, s->name.parts, s->name.n, &d, err));
    return nb_catalog_use_database(q->session->catalog,
                                   nb_sql_name_last(&s->name)); /* as written */
}

nb_status
nb_database_statement(nb_query *q, const nb_sql_statement *s, nb_table **out, nb_error *err)
{
    switch (s->kind) {
    case NB_SQL_USE: return use(q, s, err);
    case NB_SQL_CREATE_DATABASE: return create(q, s, err);
    case NB_SQL_DROP_DATABASE: return drop(q, s, err);
    case NB_SQL_ALTER_DATABASE: return alter(q, s, err);
    case NB_SQL_DESCRIBE_DATABASE: return describe(q, s, out, err);
    case NB_SQL_SHOW_DATABASES: return show(q, s->pattern, out);
    default: return nb_raise_internal(err, "no statement about databases");
    }
}
