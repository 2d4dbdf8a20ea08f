/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tables.c: see tables.h.
 *
 * What goes into a table is first brought to its columns, by position or by name, under Spark's rules for storing (ANSI: no text into numbers, overflow
 * is an error). A table is entered into the catalog after its files are complete, and leaves it before they are removed.
 */
#include "connect/partitions.h"
#include "base/ascii.h"
#include "connect/tables.h"

#include <dirent.h>
#include <unistd.h>
#include "base/config.h"
#include "io/allowed.h"
#include "io/file.h"
#include "plan/analyzer_internal.h"
#include "plan/type_proto.h"
#include "sql/parser.h"

const char *
nb_full_name(nb_query *q, nb_object_name name)
{
    const char *text =
        nb_arena_printf(q->arena, "`spark_catalog`.`%.*s`.`%.*s`", (int)name.database.len,
                        name.database.data, (int)name.name.len, name.name.data);

    return text ? text : "";
}

static const char *
name_of_table(nb_query *q, const nb_table_def *t)
{
    return nb_full_name(q, (nb_object_name){t->database, t->name});
}

const char *
nb_search_path(nb_query *q, int from)
{
    static const char *const PATHS[] = {"`system`.`builtin`, `system`.`session`, ",
                                        "`system`.`session`, ", ""};
    const char *text = nb_arena_printf(q->arena, "[%s`spark_catalog`.`%.*s`]", PATHS[from],
                                       (int)q->info.database.len, q->info.database.data);

    return text ? text : "";
}

nb_status
nb_raise_not_in_database(nb_query *q, nb_object_name name, nb_error *err)
{
    const char *path = nb_arena_printf(q->arena, "[`spark_catalog`.`%.*s`]", (int)name.database.len,
                                       name.database.data);

    NB_NEED(path);
    return nb_raise(err, NB_COND_TABLE_OR_VIEW_NOT_FOUND, "searchPath", path, "relationName",
                    nb_full_name(q, name), NULL);
}

nb_status
nb_object_need(nb_query *q, const nb_str *parts, size_t n, nb_object_name *out, nb_error *err)
{
    nb_str db = n > 1 ? parts[n - 2] : q->info.database;
    const nb_database_def *d;

    if (n == 0) {
        return nb_raise_internal(err, "a table without a name");
    }
    d = nb_object_of_parts(parts, n, q->info.database, out)
            ? nb_database_find(nb_catalog_databases(q->session->catalog), out->database)
            : NULL;
    if (d == NULL) {
        return nb_raise(err, NB_COND_SCHEMA_NOT_FOUND, "schemaName",
                        nb_arena_printf(q->arena, "`spark_catalog`.`%.*s`", (int)db.len, db.data),
                        NULL);
    }
    out->database = d->name;
    return NB_OK;
}

static const nb_table_def *
find(nb_query *q, nb_object_name name)
{
    return nb_table_def_find(nb_catalog_tables(q->session->catalog), name,
                             nb_config_bool(q->config, NB_CONF_CASE_SENSITIVE));
}

static const nb_view_def *
find_view(nb_query *q, nb_object_name name)
{
    return nb_view_find(nb_catalog_views(q->session->catalog), name, NB_VIEW_OF_DATABASE,
                        nb_config_bool(q->config, NB_CONF_CASE_SENSITIVE));
}

nb_status
nb_table_need(nb_query *q, const nb_str *parts, size_t n, const nb_table_def **out, nb_error *err)
{
    nb_object_name name;

    *out = nb_object_of_parts(parts, n, q->info.database, &name) ? find(q, name) : NULL;
    if (!*out) {
        nb_strbuf b = {0};
        nb_status st;
        for (size_t i = 0; i < n; i++) {
            nb_strbuf_addf(&b, "%s`%.*s`", i ? "." : "", (int)parts[i].len, parts[i].data);
        }
        st = nb_raise(err, NB_COND_TABLE_OR_VIEW_NOT_FOUND, "searchPath", nb_search_path(q, 0),
                      "relationName", b.data ? b.data : "", NULL);
        nb_strbuf_free(&b);
        return st;
    }
    return NB_OK;
}

/* ---- rows for a table ---- */

static const char *
names_of(nb_query *q, const nb_str *names, int n)
{
    const char *text = "";

    for (int i = 0; i < n && text; i++) {
        text = nb_arena_printf(q->arena, "%s%s`%.*s`", text, i ? ", " : "", (int)names[i].len,
                               names[i].data);
    }
    return text ? text : "";
}

static nb_status
arity_mismatch(nb_query *q, const nb_table_def *t, nb_expr *const *cols, int n, int n_wanted,
               nb_error *err)
{
    nb_str *table = NB_ARENA_ARRAY(q->arena, nb_str, t->schema->n_children + 1);
    nb_str *data = NB_ARENA_ARRAY(q->arena, nb_str, n + 1);

    NB_NEED(table && data);
    for (int i = 0; i < t->schema->n_children; i++) {
        table[i] = t->schema->children[i].name;
    }
    for (int i = 0; i < n; i++) {
        data[i] = cols[i]->u.column.name;
    }
    return nb_raise(err,
                    n < n_wanted ? NB_COND_INSERT_COLUMN_ARITY_MISMATCH_NOT_ENOUGH_DATA_COLUMNS
                                 : NB_COND_INSERT_COLUMN_ARITY_MISMATCH_TOO_MANY_DATA_COLUMNS,
                    "tableName", name_of_table(q, t), "tableColumns",
                    names_of(q, table, t->schema->n_children), "dataColumns", names_of(q, data, n),
                    NULL);
}

/* Where each column of the table comes from: a column of the rows, or NULL for none (a null goes there). names: those the user listed, or of the rows
 * when BY NAME. */
static nb_status
match_columns(nb_query *q, const nb_table_def *t, nb_expr *const *cols, int n, const nb_str *names,
              int n_names, bool by_name, nb_expr **from, nb_error *err)
{
    int n_wanted = n_names ? n_names : t->schema->n_children;

    if (!by_name && n != n_wanted) {
        return arity_mismatch(q, t, cols, n, n_wanted, err);
    }
    if (by_name && n > t->schema->n_children) {
        return arity_mismatch(q, t, cols, n, t->schema->n_children, err);
    }
    memset(from, 0, sizeof *from * (size_t)t->schema->n_children);
    for (int i = 0; i < n; i++) {
        nb_str name = by_name ? cols[i]->u.column.name : n_names ? names[i] : (nb_str){0};
        int at = name.data ? -1 : i;
        for (int k = 0; k < t->schema->n_children && at < 0; k++) {
            at = nb_names_equal(q->analyzer, t->schema->children[k].name, name) ? k : -1;
        }
        if (at < 0 && by_name) {
            return nb_raise(err, NB_COND_INCOMPATIBLE_DATA_EXTRA_COLUMNS, "tableName",
                            name_of_table(q, t), "extraColumns",
                            nb_arena_printf(q->arena, "`%.*s`", (int)name.len, name.data), NULL);
        }
        if (at < 0) {
            nb_str *all = NB_ARENA_ARRAY(q->arena, nb_str, t->schema->n_children + 1);
            NB_NEED(all);
            for (int k = 0; k < t->schema->n_children; k++) {
                all[k] = t->schema->children[k].name;
            }
            return nb_raise(err, NB_COND_UNRESOLVED_COLUMN_WITH_SUGGESTION, "objectName",
                            nb_arena_printf(q->arena, "`%.*s`", (int)name.len, name.data),
                            "proposal", names_of(q, all, t->schema->n_children), NULL);
        }
        from[at] = cols[i];
    }
    return NB_OK;
}

/* The plan's rows as rows of the table. */
static nb_status
as_rows_of(nb_query *q, const nb_table_def *t, nb_plan *plan, const nb_str *names, int n_names,
           bool by_name, nb_plan **out, nb_error *err)
{
    int n_table = t->schema->n_children, n;
    nb_expr **cols, **list = NB_ARENA_ARRAY(q->arena, nb_expr *, n_table + 1),
                    **from = NB_ARENA_ARRAY(q->arena, nb_expr *, n_table + 1);

    NB_NEED(list && from);
    NB_TRY(nb_columns_of(q->analyzer, plan, &cols, &n));
    NB_TRY(match_columns(q, t, cols, n, names, n_names, by_name, from, err));
    for (int i = 0; i < n_table; i++) {
        const nb_field *f = &t->schema->children[i];
        nb_expr *e = from[i] ? from[i] : nb_expr_null(q->arena, f->type);
        NB_NEED(e);
        if (!nb_can_store(e->type, f->type)) {
            return nb_raise(
                err, NB_COND_INCOMPATIBLE_DATA_FOR_TABLE_CANNOT_SAFELY_CAST, "tableName",
                name_of_table(q, t), "colName",
                nb_arena_printf(q->arena, "`%.*s`", (int)f->name.len, f->name.data), "srcType",
                nb_arena_printf(q->arena, "\"%s\"", nb_type_sql(q->arena, e->type)), "targetType",
                nb_arena_printf(q->arena, "\"%s\"", nb_type_sql(q->arena, f->type)), NULL);
        }
        NB_TRY(nb_expr_cast(q->arena, e, f->type, NB_CAST_ANSI, &e, err));
        list[i] = nb_expr_alias(q->arena, e, f->name, nb_attr_next_id());
        NB_NEED(list[i]);
    }
    return nb_plan_project(q->analyzer, plan, list, n_table, out, err);
}

static nb_status
write_rows(nb_query *q, const nb_table_def *t, nb_plan *plan, nb_save_mode mode, nb_str only,
           nb_error *err)
{
    nb_write_request *req = NB_ARENA_NEW(q->arena, nb_write_request);
    nb_option *options = NB_ARENA_ARRAY(q->arena, nb_option, t->n_options + 1);

    NB_NEED(req && options);
    for (int i = 0; i < t->n_options; i++) {
        options[i] = (nb_option){t->options[2 * i], t->options[2 * i + 1]};
    }
    req->format = t->provider;
    req->path = t->location;
    req->mode = mode;
    req->only = only;
    req->options = options;
    req->n_options = t->n_options;
    req->partition_by = t->partition_by;
    req->n_partition_by = t->n_partition_by;
    return nb_query_write(q, plan, req, err);
}

/* ---- making and dropping ---- */

/* Columns in the order of a table: those of the partitioning last. */
static nb_status
table_schema(nb_query *q, const nb_type *schema, const nb_str *partition_by, int n,
             const nb_type **out, nb_error *err)
{
    nb_field *fields = NB_ARENA_ARRAY(q->arena, nb_field, schema->n_children + 1);
    int count = 0, n_last = 0;

    NB_NEED(fields);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < schema->n_children; i++) {
            bool last = false;
            for (int k = 0; k < n; k++) {
                last |= nb_names_equal(q->analyzer, schema->children[i].name, partition_by[k]);
            }
            if (last == (pass == 1)) {
                fields[count] = schema->children[i];
                fields[count++].nullable = true; /* files do not promise otherwise */
                n_last += last;
            }
        }
    }
    if (n_last < n) {
        return nb_raise(
            err, NB_COND_PARTITION_COLUMN_NOT_FOUND_IN_SCHEMA, "column",
            nb_arena_printf(q->arena, "`%.*s`", (int)partition_by[0].len, partition_by[0].data),
            "schema", nb_type_simple_string(q->arena, schema), NULL);
    }
    *out = nb_type_struct(fields, count);
    return *out ? NB_OK : NB_NOMEM;
}

static bool
has_entries(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    bool found = false;

    while (dir && !found && (entry = readdir(dir))) {
        found = strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    if (dir) {
        closedir(dir);
    }
    return found;
}

nb_status
nb_table_location(nb_query *q, nb_object_name object, nb_str *out, nb_error *err)
{
    const nb_database_def *d;
    nb_str dir, name = object.name;
    char *text;
    size_t from;

    NB_TRY(nb_database_need(q, &object.database, 1, &d, err));
    NB_TRY(nb_database_location(q, d, &dir));
    for (size_t i = 0; i < name.len; i++) {
        if (!nb_is_word(name.data[i])) {
            return nb_raise(err, NB_COND_INVALID_SCHEMA_OR_RELATION_NAME, "name",
                            nb_arena_printf(q->arena, "`%.*s`", (int)name.len, name.data), NULL);
        }
    }
    text = nb_arena_printf(q->arena, "%.*s/%.*s", (int)dir.len, dir.data, (int)name.len, name.data);
    NB_NEED(text);
    from = dir.len + 1;
    for (size_t i = from; text[i]; i++) {
        text[i] = nb_to_lower(text[i]);
    }
    *out = nb_str_of(text);
    return NB_OK;
}

nb_status
nb_table_drop(nb_query *q, const nb_table_def *t, nb_error *err)
{
    nb_table_def gone = *t;
    const char *path = nb_arena_strdup(q->arena, t->location);

    NB_NEED(path);
    gone.dropped = true;
    NB_TRY(nb_catalog_add_table(q->session->catalog, &gone));
    if (t->is_external) {
        return NB_OK;
    }
    NB_TRY(nb_allowed_check(path, err));
    return nb_remove_tree(path, err);
}

/* Makes the location that a user gave one that stays: below the directory of the database, when it is relative. */
static nb_status
place_given(nb_query *q, nb_table_def *def, nb_error *err)
{
    const nb_database_def *d;
    nb_str dir;

    NB_TRY(nb_database_need(q, &def->database, 1, &d, err));
    NB_TRY(nb_database_location(q, d, &dir));
    return nb_given_location(q, def->location, dir, &def->location, err);
}

/* Fills in def's location, schema and name, writes the rows of plan (NULL: none) and enters the table. */
static nb_status
make_table(nb_query *q, nb_table_def *def, nb_plan *plan, nb_error *err)
{
    const char *path;

    if (!def->is_external) {
        NB_TRY(
            nb_table_location(q, (nb_object_name){def->database, def->name}, &def->location, err));
    }
    path = nb_arena_strdup(q->arena, def->location);
    NB_NEED(path);
    NB_TRY(nb_allowed_check(path, err));
    if (has_entries(path) && (!def->is_external || plan)) {
        return nb_raise(err, NB_COND_LOCATION_ALREADY_EXISTS, "location", path, "identifier",
                        name_of_table(q, def), NULL);
    }
    if (plan) {
        nb_plan *rows;
        const nb_type *schema = nb_plan_schema(q->arena, plan);
        NB_NEED(schema);
        NB_TRY(table_schema(q, schema, def->partition_by, def->n_partition_by, &def->schema, err));
        NB_TRY(as_rows_of(q, def, plan, NULL, 0, true, &rows, err));
        NB_TRY(write_rows(q, def, rows, NB_SAVE_OVERWRITE, (nb_str){NULL, 0}, err));
    } else {
        NB_TRY(nb_make_dirs(path, err));
    }
    return nb_catalog_add_table(q->session->catalog, def);
}

/* The columns that files have: CREATE TABLE t USING csv LOCATION '…'. */
static nb_status
schema_of_files(nb_query *q, const nb_table_def *def, const nb_type **out, nb_error *err)
{
    nb_read_request req = {.format = def->provider,
                           .paths = &def->location,
                           .n_paths = 1,
                           .info = &q->info,
                           .cancel = q->cancel,
                           .n_threads = q->n_threads};
    nb_option *options = NB_ARENA_ARRAY(q->arena, nb_option, def->n_options + 1);
    nb_relation *rel;

    NB_NEED(options);
    for (int i = 0; i < def->n_options; i++) {
        options[i] = (nb_option){def->options[2 * i], def->options[2 * i + 1]};
    }
    req.options = options;
    req.n_options = def->n_options;
    NB_TRY(nb_relation_open(q->pool, &req, &rel, err));
    *out = nb_relation_schema(rel); /* types live as long as the process */
    nb_relation_release(rel);
    return NB_OK;
}

static nb_status
create_table(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    nb_table_def def = {.provider = s->provider.data
                                        ? s->provider
                                        : nb_config_str(q->config, NB_CONF_DEFAULT_SOURCE),
                        .location = s->location,
                        .comment = s->comment,
                        .partition_by = s->partitioning.parts,
                        .n_partition_by = (int)s->partitioning.n,
                        .is_external = s->location.data != NULL};
    nb_str *options = NB_ARENA_ARRAY(q->arena, nb_str, 2 * s->n_options + 1);
    nb_str *properties = NB_ARENA_ARRAY(q->arena, nb_str, 2 * s->n_properties + 1);
    nb_plan *plan = NULL;
    const nb_type *schema = NULL;
    nb_object_name name;

    NB_NEED(options && properties);
    for (size_t i = 0; i < s->n_properties; i++) {
        properties[2 * i] = s->properties[i].key;
        properties[2 * i + 1] = s->properties[i].value;
    }
    def.properties = properties;
    def.n_properties = (int)s->n_properties;
    NB_TRY(nb_object_need(q, s->name.parts, s->name.n, &name, err));
    def.name = name.name;
    def.database = name.database;
    if (find(q, name) || find_view(q, name)) {
        return s->if_not_exists ? NB_OK
                                : nb_raise(err, NB_COND_TABLE_OR_VIEW_ALREADY_EXISTS,
                                           "relationName", nb_full_name(q, name), NULL);
    }
    for (size_t i = 0; i < s->n_options; i++) {
        if (nb_str_equal_nocase(s->options[i].key, NB_STR("path"))) {
            def.location = s->options[i].value;
            def.is_external = true;
            continue;
        }
        options[2 * def.n_options] = s->options[i].key;
        options[2 * def.n_options++ + 1] = s->options[i].value;
    }
    def.options = options;
    if (def.is_external) {
        NB_TRY(place_given(q, &def, err));
    }
    if (s->query) {
        NB_TRY(nb_query_analyze(q, s->query, &plan, err));
    } else {
        if (s->schema) {
            Sc__DataType *message = s->schema;
            NB_TRY(nb_resolve_type(q->analyzer, message, &schema, err));
        } else if (def.is_external) {
            NB_TRY(schema_of_files(q, &def, &schema, err));
        } else {
            return nb_raise(err, NB_COND_UNABLE_TO_INFER_SCHEMA, "format",
                            nb_arena_strdup(q->arena, def.provider), NULL);
        }
        NB_TRY(table_schema(q, schema, def.partition_by, def.n_partition_by, &def.schema, err));
    }
    return make_table(q, &def, plan, err);
}

static Sc__Expression *
star(nb_query *q)
{
    Sc__Expression *e = NB_MESSAGE(q->arena, Sc__Expression, sc__expression);

    if (e) {
        e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_UNRESOLVED_STAR;
        e->unresolved_star =
            NB_MESSAGE(q->arena, Sc__Expression__UnresolvedStar, sc__expression__unresolved_star);
    }
    return e && e->unresolved_star ? e : NULL;
}

/* CAST(value AS type) AS name: a constant of the statement may be written in any way. */
static Sc__Expression *
named_value(nb_query *q, Sc__Expression *value, const nb_type *type, nb_str name)
{
    Sc__Expression *e = NB_MESSAGE(q->arena, Sc__Expression, sc__expression);
    Sc__Expression *cast = NB_MESSAGE(q->arena, Sc__Expression, sc__expression);

    if (cast) {
        cast->expr_type_case = SC__EXPRESSION__EXPR_TYPE_CAST;
        cast->cast = NB_MESSAGE(q->arena, Sc__Expression__Cast, sc__expression__cast);
    }
    if (!cast || !cast->cast) {
        return NULL;
    }
    cast->cast->expr = value;
    cast->cast->cast_to_type_case = SC__EXPRESSION__CAST__CAST_TO_TYPE_TYPE;
    cast->cast->type = nb_type_to_proto(q->arena, type);
    if (!cast->cast->type) {
        return NULL;
    }

    if (e) {
        e->expr_type_case = SC__EXPRESSION__EXPR_TYPE_ALIAS;
        e->alias = NB_MESSAGE(q->arena, Sc__Expression__Alias, sc__expression__alias);
    }
    if (!e || !e->alias) {
        return NULL;
    }
    e->alias->expr = cast;
    e->alias->name = NB_ARENA_NEW(q->arena, ProtobufCBinaryData);
    if (!e->alias->name) {
        return NULL;
    }
    e->alias->name[e->alias->n_name++] = nb_pb_bytes(name);
    return e;
}

/* INSERT … PARTITION (p = 1, q): the values that the statement gives stand behind the rows' columns. *names: where all of these go, *n of them; none by name. */
static nb_status
with_partition(nb_query *q, const nb_table_def *t, const nb_sql_statement *s, Sc__Relation **query,
               nb_str **names, int *n, nb_error *err)
{
    Sc__Relation *rel = NB_MESSAGE(q->arena, Sc__Relation, sc__relation);
    Sc__Project *p = NB_MESSAGE(q->arena, Sc__Project, sc__project);
    nb_str *list = NB_ARENA_ARRAY(q->arena, nb_str, t->schema->n_children + (int)s->columns.n + 1);
    bool open = false;

    NB_NEED(rel && p && list);
    p->expressions = NB_ARENA_ARRAY(q->arena, Sc__Expression *, t->n_partition_by + 2);
    NB_NEED(p->expressions);
    p->expressions[p->n_expressions++] = star(q);
    NB_NEED(p->expressions[0]);
    *n = 0;
    for (size_t i = 0; i < s->columns.n; i++) {
        list[(*n)++] = s->columns.parts[i];
    }
    for (int i = 0; i < t->schema->n_children - t->n_partition_by && s->columns.n == 0; i++) {
        list[(*n)++] = t->schema->children[i].name;
    }
    for (int pass = 0; pass < 2; pass++) { /* those that the rows bring, then the others */
        for (int i = 0; i < t->n_partition_by; i++) {
            Sc__Expression *value = NULL;
            for (size_t k = 0; k < s->n_arguments; k++) {
                if (nb_names_equal(q->analyzer, s->partitioning.parts[k], t->partition_by[i]) &&
                    s->arguments[k]->expr_type_case != SC__EXPRESSION__EXPR_TYPE__NOT_SET) {
                    value = s->arguments[k];
                }
            }
            if (pass == 0 && value && open) {
                const char *all = "";
                for (int k = 0; k < t->n_partition_by && all; k++) {
                    all = nb_arena_printf(q->arena, "%s%s%.*s", all, k ? "," : "",
                                          (int)t->partition_by[k].len, t->partition_by[k].data);
                }
                return nb_raise(err, NB_COND_PARTITION_VALUES_IN_WRONG_ORDER, "partColumns",
                                nb_arena_printf(q->arena, "[%s]", all ? all : ""), NULL);
            }
            open |= pass == 0 && !value;
            if (pass == 0 ? !value && s->columns.n == 0 : value != NULL) {
                list[(*n)++] = t->partition_by[i];
            }
            if (pass == 1 && value) {
                int at = t->schema->n_children - t->n_partition_by + i;
                value = named_value(q, value, t->schema->children[at].type, t->partition_by[i]);
                NB_NEED(value);
                p->expressions[p->n_expressions++] = value;
            }
        }
    }
    p->input = *query;
    rel->rel_type_case = SC__RELATION__REL_TYPE_PROJECT;
    rel->project = p;
    *query = rel;
    *names = list;
    *n = s->by_name ? 0 : *n;
    return NB_OK;
}

/* How many columns come from the rows, and whether they are as many as are wanted. */
static nb_status
check_arity(nb_query *q, const nb_table_def *t, const nb_plan *plan, int n_names, int n_static,
            nb_error *err)
{
    nb_str *table = NB_ARENA_ARRAY(q->arena, nb_str, t->schema->n_children + 1);
    nb_expr **cols;
    nb_str *data;
    int n;

    NB_TRY(nb_columns_of(q->analyzer, plan, &cols, &n));
    if (n == n_names) {
        return NB_OK;
    }
    data = NB_ARENA_ARRAY(q->arena, nb_str, n + 1);
    NB_NEED(table && data);
    for (int i = 0; i < t->schema->n_children; i++) {
        table[i] = t->schema->children[i].name;
    }
    for (int i = 0; i < n; i++) {
        data[i] = cols[i]->u.column.name;
    }
    return nb_raise(err, NB_COND_INSERT_PARTITION_COLUMN_ARITY_MISMATCH, "tableName",
                    name_of_table(q, t), "tableColumns", names_of(q, table, t->schema->n_children),
                    "staticPartCols", names_of(q, data + n - n_static, n_static), "dataColumns",
                    names_of(q, data, n - n_static), NULL);
}

static nb_status
insert(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    const nb_table_def *t;
    nb_str *names = s->columns.parts, *values = NULL, only = {NULL, 0};
    int n_names = (int)s->columns.n, n_static = 0;
    Sc__Relation *query;
    nb_plan *plan;

    NB_TRY(nb_table_need(q, s->name.parts, s->name.n, &t, err));
    query = s->query;
    if (s->n_arguments) {
        NB_TRY(nb_partition_spec(q, t, s, &values, err));
        NB_TRY(with_partition(q, t, s, &query, &names, &n_names, err));
        for (int i = 0; i < t->n_partition_by; i++) {
            n_static += values[i].data != NULL;
        }
        if (s->n_arguments != (size_t)t->n_partition_by) {
            const char *given = "", *all = "";
            for (size_t i = 0; i < s->partitioning.n && given; i++) {
                given = nb_arena_printf(q->arena, "%s%s%.*s", given, i ? "," : "",
                                        (int)s->partitioning.parts[i].len,
                                        s->partitioning.parts[i].data);
            }
            for (int i = 0; i < t->n_partition_by && all; i++) {
                all = nb_arena_printf(q->arena, "%s%s%.*s", all, i ? "," : "",
                                      (int)t->partition_by[i].len, t->partition_by[i].data);
            }
            NB_NEED(given && all);
            return nb_raise(err, NB_COND_PARTITION_SPEC_DOES_NOT_FIT, "tableName",
                            name_of_table(q, t), "normalizedPartSpec", given, "partColNames", all,
                            NULL);
        }
    }
    NB_TRY(nb_query_analyze(q, query, &plan, err));
    if (n_static > 0 && !s->by_name) {
        NB_TRY(check_arity(q, t, plan, n_names, n_static, err));
    }
    NB_TRY(as_rows_of(q, t, plan, names, n_names, s->by_name, &plan, err));
    if (s->overwrite && n_static > 0 &&
        (n_static == t->n_partition_by ||
         !nb_str_equal_nocase(nb_config_str(q->config, NB_CONF_PARTITION_OVERWRITE),
                              NB_STR("dynamic")))) {
        NB_TRY(nb_partition_directory(q, t, values, &only));
    }
    return write_rows(q, t, plan, s->overwrite ? NB_SAVE_OVERWRITE : NB_SAVE_APPEND, only, err);
}

/* CREATE TABLE t LIKE s: its columns, partitioning and provider; no rows, and nothing that is said about it. */
static nb_status
create_like(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    nb_str *properties = NB_ARENA_ARRAY(q->arena, nb_str, 2 * s->n_properties + 1);
    nb_table_def def = {0};
    const nb_table_def *like = NULL;
    nb_error missing = NB_ERROR_INIT;
    nb_object_name name;
    nb_status st;

    NB_NEED(properties);
    for (size_t i = 0; i < s->n_properties; i++) {
        properties[2 * i] = s->properties[i].key;
        properties[2 * i + 1] = s->properties[i].value;
    }
    st = nb_table_need(q, s->columns.parts, s->columns.n, &like, &missing);
    nb_error_clear(&missing);
    if (st == NB_ERROR) { /* a view, perhaps */
        Sc__Relation *rel;
        nb_plan *plan;
        nb_error quiet = NB_ERROR_INIT;
        NB_TRY(nb_named_relation(q, &s->columns, &rel));
        st = nb_query_analyze(q, rel, &plan, &quiet);
        nb_error_clear(&quiet);
        if (st == NB_ERROR) {
            char *quoted;
            NB_TRY(nb_backquote(q->analyzer, s->columns.parts, (int)s->columns.n, &quoted));
            return nb_raise(err, NB_COND_TABLE_OR_VIEW_NOT_FOUND, "searchPath",
                            nb_search_path(q, 1), "relationName", quoted, NULL);
        }
        NB_TRY(st);
        NB_TRY(table_schema(q, nb_plan_schema(q->arena, plan), NULL, 0, &def.schema, err));
        def.provider = nb_config_str(q->config, NB_CONF_DEFAULT_SOURCE);
    } else {
        NB_TRY(st);
        def = *like;
        def.comment = (nb_str){NULL, 0};
    }
    NB_TRY(nb_object_need(q, s->name.parts, s->name.n, &name, err));
    def.name = name.name;
    def.database = name.database;
    def.provider = s->provider.data ? s->provider : def.provider;
    def.properties = properties;
    def.n_properties = (int)s->n_properties;
    def.is_external = s->location.data != NULL;
    def.location = s->location;
    if (def.is_external) {
        NB_TRY(place_given(q, &def, err));
    }
    if (find(q, name) || find_view(q, name)) {
        return s->if_not_exists
                   ? NB_OK
                   : nb_raise(err, NB_COND_TABLE_OR_VIEW_ALREADY_EXISTS, "relationName",
                              nb_arena_printf(q->arena, "`%.*s`.`%.*s`", (int)name.database.len,
                                              name.database.data, (int)name.name.len,
                                              name.name.data),
                              NULL);
    }
    return make_table(q, &def, NULL, err);
}

static nb_status
insert_directory(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    nb_write_request *req = NB_ARENA_NEW(q->arena, nb_write_request);
    nb_option *options = NB_ARENA_ARRAY(q->arena, nb_option, s->n_options + 1);
    nb_plan *plan;

    NB_NEED(req && options);
    for (size_t i = 0; i < s->n_options; i++) {
        options[i] = (nb_option){s->options[i].key, s->options[i].value};
        if (nb_str_equal_nocase(options[i].key, NB_STR("path"))) {
            req->path = options[i].value;
        }
    }
    req->path = s->location.data ? s->location : req->path;
    req->format = s->provider.data ? s->provider : nb_config_str(q->config, NB_CONF_DEFAULT_SOURCE);
    req->mode = NB_SAVE_OVERWRITE;
    req->options = options;
    req->n_options = (int)s->n_options;
    NB_TRY(nb_query_analyze(q, s->query, &plan, err));
    return nb_query_write(q, plan, req, err);
}

nb_status
nb_table_statement(nb_query *q, const nb_sql_statement *s, nb_error *err)
{
    const nb_table_def *t;
    nb_object_name name;
    const char *path;

    switch (s->kind) {
    case NB_SQL_CREATE_TABLE: return create_table(q, s, err);
    case NB_SQL_CREATE_TABLE_LIKE: return create_like(q, s, err);
    case NB_SQL_INSERT:
        for (; s; s = s->inner) {
            NB_TRY(insert(q, s, err));
        }
        return NB_OK;
    case NB_SQL_INSERT_DIRECTORY: return insert_directory(q, s, err);
    case NB_SQL_TRUNCATE_TABLE:
        NB_TRY(nb_table_need(q, s->name.parts, s->name.n, &t, err));
        path = nb_arena_strdup(q->arena, t->location);
        NB_NEED(path);
        NB_TRY(nb_allowed_check(path, err));
        NB_TRY(nb_remove_tree(path, err));
        return nb_make_dirs(path, err);
    case NB_SQL_DROP_TABLE:
        if (!nb_object_of_parts(s->name.parts, s->name.n, q->info.database, &name)) {
            return nb_object_need(q, s->name.parts, s->name.n, &name, err);
        }
        t = find(q, name);
        if (!t && nb_catalog_drop_view(q->session->catalog, name, NB_VIEW_OF_DATABASE,
                                       nb_config_bool(q->config, NB_CONF_CASE_SENSITIVE))) {
            return NB_OK;
        }
        if (!t && s->if_exists) {
            return NB_OK;
        }
        if (!t) {
            return nb_raise_not_in_database(q, name, err);
        }
        return nb_table_drop(q, t, err);
    default: return nb_raise_internal(err, "no statement about tables");
    }
}

/* ---- DataFrame writers ---- */

nb_status
nb_table_save(nb_query *q, const Sc__WriteOperation *w, nb_error *err)
{
    bool into = w->table->save_method ==
                SC__WRITE_OPERATION__SAVE_TABLE__TABLE_SAVE_METHOD__TABLE_SAVE_METHOD_INSERT_INTO;
    bool overwrite = w->mode == SC__WRITE_OPERATION__SAVE_MODE__SAVE_MODE_OVERWRITE;
    nb_table_def def = {.provider = w->has_source && w->source.len
                                        ? nb_pb_str(w->source)
                                        : nb_config_str(q->config, NB_CONF_DEFAULT_SOURCE)};
    nb_str *options = NB_ARENA_ARRAY(q->arena, nb_str, 2 * w->n_options + 1), *parts,
           *partition_by = NB_ARENA_ARRAY(q->arena, nb_str, w->n_partitioning_columns + 1);
    const nb_table_def *old;
    nb_object_name name;
    nb_plan *plan;
    size_t n;

    NB_NEED(options && partition_by);
    NB_TRY(nb_sql_parse_identifier(q->arena, nb_pb_str(w->table->table_name), &parts, &n, err));
    if (into && w->n_partitioning_columns) {
        return nb_raise(err, NB_COND_PARTITION_BY_NOT_ALLOWED_WITH_INSERT_INTO, "tableName",
                        nb_arena_strdup(q->arena, nb_pb_str(w->table->table_name)), NULL);
    }
    if (into) {
        NB_TRY(nb_table_need(q, parts, n, &old, err));
        NB_TRY(nb_query_analyze(q, w->input, &plan, err));
        NB_TRY(as_rows_of(q, old, plan, NULL, 0, false, &plan, err));
        return write_rows(q, old, plan, overwrite ? NB_SAVE_OVERWRITE : NB_SAVE_APPEND,
                          (nb_str){NULL, 0}, err);
    }
    NB_TRY(nb_object_need(q, parts, n, &name, err));
    def.name = name.name;
    def.database = name.database;
    for (size_t i = 0; i < w->n_options; i++) {
        nb_str key = nb_str_of(w->options[i]->key);
        if (nb_str_equal_nocase(key, NB_STR("path"))) {
            def.location = nb_pb_str(w->options[i]->value);
            def.is_external = true;
            continue;
        }
        options[2 * def.n_options] = key;
        options[2 * def.n_options++ + 1] = nb_pb_str(w->options[i]->value);
    }
    def.options = options;
    for (size_t i = 0; i < w->n_partitioning_columns; i++) {
        partition_by[i] = nb_pb_str(w->partitioning_columns[i]);
    }
    def.partition_by = partition_by;
    def.n_partition_by = (int)w->n_partitioning_columns;
    old = find(q, name);
    NB_TRY(nb_query_analyze(q, w->input, &plan, err));
    if (!old) {
        if (def.is_external) {
            NB_TRY(place_given(q, &def, err));
        }
        return make_table(q, &def, plan, err);
    }
    switch (w->mode) {
    case SC__WRITE_OPERATION__SAVE_MODE__SAVE_MODE_IGNORE: return NB_OK;
    case SC__WRITE_OPERATION__SAVE_MODE__SAVE_MODE_APPEND:
        NB_TRY(as_rows_of(q, old, plan, NULL, 0, true, &plan, err));
        return write_rows(q, old, plan, NB_SAVE_APPEND, (nb_str){NULL, 0}, err);
    case SC__WRITE_OPERATION__SAVE_MODE__SAVE_MODE_OVERWRITE: {
        /* the new rows may come from the old ones: they are complete before those go */
        const nb_type *schema = nb_plan_schema(q->arena, plan);
        NB_NEED(schema);
        NB_TRY(table_schema(q, schema, def.partition_by, def.n_partition_by, &def.schema, err));
        def.location = old->location;
        def.is_external = old->is_external;
        NB_TRY(as_rows_of(q, &def, plan, NULL, 0, true, &plan, err));
        NB_TRY(write_rows(q, &def, plan, NB_SAVE_OVERWRITE, (nb_str){NULL, 0}, err));
        return nb_catalog_add_table(q->session->catalog, &def);
    }
    default:
        return nb_raise(err, NB_COND_TABLE_OR_VIEW_ALREADY_EXISTS, "relationName",
                        nb_full_name(q, name), NULL);
    }
}

nb_status
nb_table_ddl(nb_query *q, const nb_sql_name *name, nb_strbuf *out, nb_error *err)
{
    const nb_table_def *t;

    NB_TRY(nb_table_need(q, name->parts, name->n, &t, err));
    nb_strbuf_addf(out, "CREATE TABLE spark_catalog.%.*s.%.*s (", (int)t->database.len,
                   t->database.data, (int)t->name.len, t->name.data);
    for (int i = 0; i < t->schema->n_children; i++) {
        const nb_field *f = &t->schema->children[i];
        nb_strbuf_addf(out, "%s\n  %.*s %s%s", i ? "," : "", (int)f->name.len, f->name.data,
                       nb_type_sql(q->arena, f->type),
                       nb_type_is_string(f->type) ? " COLLATE UTF8_BINARY" : "");
        nb_str comment = nb_comment_of(q->arena, f->metadata);
        if (comment.data) {
            nb_strbuf_addf(out, " COMMENT '%.*s'", (int)comment.len, comment.data);
        }
    }
    nb_strbuf_addf(out, ")\nUSING %.*s\n", (int)t->provider.len, t->provider.data);
    for (int i = 0; i < t->n_options; i++) {
        nb_strbuf_addf(out, "%s  '%.*s' = '%.*s'%s", i ? "" : "OPTIONS (\n",
                       (int)t->options[2 * i].len, t->options[2 * i].data,
                       (int)t->options[2 * i + 1].len, t->options[2 * i + 1].data,
                       i + 1 < t->n_options ? ",\n" : ")\n");
    }
    for (int i = 0; i < t->n_partition_by; i++) {
        nb_strbuf_addf(out, "%s%.*s%s", i ? ", " : "PARTITIONED BY (", (int)t->partition_by[i].len,
                       t->partition_by[i].data, i + 1 < t->n_partition_by ? "" : ")\n");
    }
    if (t->is_external) {
        nb_strbuf_addf(out, "LOCATION '%.*s'\n", (int)t->location.len, t->location.data);
    }
    if (t->comment.data) {
        nb_strbuf_addf(out, "COMMENT '%.*s'\n", (int)t->comment.len, t->comment.data);
    }
    for (int i = 0; i < t->n_properties; i++) {
        nb_strbuf_addf(out, "%s  '%.*s' = '%.*s'%s", i ? "" : "TBLPROPERTIES (\n",
                       (int)t->properties[2 * i].len, t->properties[2 * i].data,
                       (int)t->properties[2 * i + 1].len, t->properties[2 * i + 1].data,
                       i + 1 < t->n_properties ? ",\n" : ")\n");
    }
    return out->failed ? NB_NOMEM : NB_OK;
}
