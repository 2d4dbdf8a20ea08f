/* SPDX-License-Identifier: Apache-2.0 */
/*
 * partitions.c: PARTITION (p = 1, q) in statements: SHOW, ADD, DROP and TRUNCATE of partitions, and the directory that an INSERT names.
 *
 * A partition is a directory name=value/name=value below the table's; the catalog knows of no others. Values of a statement are brought to the column's type and
 * then to the text that the directory's name has.
 */
#include <dirent.h>
#include <stdlib.h>

#include "connect/describe.h"
#include "connect/partitions.h"
#include "connect/tables.h"
#include "io/allowed.h"
#include "io/file.h"
#include "io/listing.h"
#include "plan/analyzer_internal.h"

static const char *
name_of_table(nb_query *q, const nb_table_def *t)
{
    return nb_full_name(q, (nb_object_name){t->database, t->name});
}

/* The text of a value in the name of a directory; a null has a name of its own. */
static nb_status
value_text(nb_query *q, const nb_type *type, const Sc__Expression *value, nb_str *out,
           nb_error *err)
{
    nb_scope nothing = {0};
    nb_expr *e;

    NB_TRY(nb_resolve_expr(q->analyzer, &nothing, value, &e, err));
    NB_TRY(nb_expr_cast(q->arena, e, type, NB_CAST_ANSI, &e, err));
    NB_TRY(nb_expr_cast(q->arena, e, nb_type_of(NB_TYPE_STRING), NB_CAST_ANSI, &e, err));
    NB_TRY(nb_expr_fold(q->arena, e, &q->info, &e, err));
    if (e->kind != NB_EXPR_LITERAL) {
        return nb_raise_unsupported(err, "A partition's value that is no constant");
    }
    *out = NB_STR(NB_NULL_PARTITION);
    if (!nb_vector_is_null(e->u.literal.value, 0)) {
        *out = nb_view_str(NB_DATA(nb_view, e->u.literal.value));
        *out =
            out->len > 0 ? nb_arena_str(q->arena, *out) : *out; /* as writers have it, '' is null */
    }
    if (out->len == 0) {
        *out = NB_STR(NB_NULL_PARTITION);
    }
    return out->data ? NB_OK : NB_NOMEM;
}

nb_status
nb_partition_spec(nb_query *q, const nb_table_def *t, const nb_sql_statement *s, nb_str **values,
                  nb_error *err)
{
    int first = t->schema->n_children - t->n_partition_by;
    nb_str *list = NB_ARENA_ARRAY(q->arena, nb_str, t->n_partition_by + 1);

    NB_NEED(list);
    memset(list, 0, sizeof(nb_str) * (size_t)(t->n_partition_by + 1));
    for (size_t k = 0; k < s->n_arguments; k++) {
        nb_str name = s->partitioning.parts[k];
        int at = 0;
        while (at < t->n_partition_by && !nb_names_equal(q->analyzer, t->partition_by[at], name)) {
            at++;
        }
        if (at == t->n_partition_by) {
            return nb_raise(err, NB_COND_PARTITIONS_NOT_FOUND, "partitionList",
                            nb_arena_printf(q->arena, "`%.*s`", (int)name.len, name.data),
                            "tableName", name_of_table(q, t), NULL);
        }
        if (s->arguments[k]->expr_type_case != SC__EXPRESSION__EXPR_TYPE__NOT_SET) {
            NB_TRY(value_text(q, t->schema->children[first + at].type, s->arguments[k], &list[at],
                              err));
        }
    }
    *values = list;
    return NB_OK;
}

nb_status
nb_partition_directory(nb_query *q, const nb_table_def *t, const nb_str *values, nb_str *out)
{
    nb_strbuf b = {0};

    for (int i = 0; i < t->n_partition_by && values[i].data; i++) {
        nb_strbuf_adds(&b, i ? "/" : "");
        nb_partition_escape(&b, t->partition_by[i]);
        nb_strbuf_addc(&b, '=');
        nb_partition_escape(&b, values[i]);
    }
    *out = nb_strbuf_finish(q->arena, &b);
    return out->data ? NB_OK : NB_NOMEM;
}

/* ---- the directories that are there ---------------------------------------------------------- */

typedef struct found {
    nb_query *q;
    const nb_table_def *t;
    const nb_str *values; /* data NULL: any */
    nb_str *names;
    int n, cap;
} found;

/* Is `entry` the directory of partition column i with a value that is wanted? */
static nb_status
is_wanted(const found *f, int i, nb_str entry, bool *out)
{
    nb_str name = f->t->partition_by[i], value;
    nb_strbuf b = {0};

    nb_partition_escape(&b, name);
    nb_strbuf_addc(&b, '=');
    *out = !b.failed && entry.len > b.len && memcmp(entry.data, b.data, b.len) == 0;
    value = (nb_str){entry.data + b.len, *out ? entry.len - b.len : 0};
    nb_strbuf_free(&b);
    if (*out && f->values[i].data) {
        NB_TRY(nb_partition_unescape(f->q->arena, value, &value));
        *out = nb_str_equal(value, f->values[i]);
    }
    return NB_OK;
}

static nb_status
walk(found *f, int i, nb_str below, nb_error *err)
{
    const char *path = nb_arena_printf(f->q->arena, "%.*s/%.*s", (int)f->t->location.len,
                                       f->t->location.data, (int)below.len, below.data);
    struct dirent *entry;
    int failed = 0;
    nb_status st = NB_OK;
    DIR *dir;

    NB_NEED(path);
    if (i == f->t->n_partition_by) {
        f->names = nb_arena_grow(f->q->arena, f->names, f->n, &f->cap, sizeof(*f->names));
        NB_NEED(f->names);
        f->names[f->n++] = below;
        return NB_OK;
    }
    dir = opendir(path);
    while (dir != NULL && st >= 0 && (entry = nb_dir_next(dir, &failed)) != NULL) {
        bool wanted;
        char *deeper;
        st = is_wanted(f, i, nb_str_of(entry->d_name), &wanted);
        if (st >= 0 && wanted) {
            deeper = nb_arena_printf(f->q->arena, "%.*s%s%s", (int)below.len, below.data,
                                     below.len ? "/" : "", entry->d_name);
            st = deeper ? walk(f, i + 1, nb_str_of(deeper), err) : NB_NOMEM;
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return st;
}

static int
by_text(const void *a, const void *b)
{
    return nb_str_compare(*(const nb_str *)a, *(const nb_str *)b);
}

static nb_status
find(nb_query *q, const nb_table_def *t, const nb_str *values, found *out, nb_error *err)
{
    *out = (found){.q = q, .t = t, .values = values};
    NB_TRY(walk(out, 0, NB_STR(""), err));
    if (out->n > 1) {
        qsort(out->names, (size_t)out->n, sizeof(*out->names), by_text);
    }
    return NB_OK;
}

/* ---- statements ------------------------------------------------------------------------------ */

/* PARTITION (`p` = x, `q` = 1), … */
static nb_status
raise_for_specs(nb_query *q, const nb_table_def *t, const nb_sql_statement *s, nb_condition cond,
                nb_error *err)
{
    nb_strbuf b = {0};
    nb_str text;
    char *table = nb_arena_printf(q->arena, "`%.*s`.`%.*s`", (int)t->database.len, t->database.data,
                                  (int)t->name.len, t->name.data);

    for (const nb_sql_statement *at = s; at; at = at->inner) {
        nb_str *values;
        nb_status st = nb_partition_spec(q, t, at, &values, err);
        bool any = false;
        if (st < 0) {
            nb_strbuf_free(&b);
            return st;
        }
        nb_strbuf_adds(&b, at == s ? "PARTITION (" : ", PARTITION (");
        for (int i = 0; i < t->n_partition_by; i++) {
            if (values[i].data) {
                nb_strbuf_addf(&b, "%s`%.*s` = %.*s", any ? ", " : "", (int)t->partition_by[i].len,
                               t->partition_by[i].data, (int)values[i].len, values[i].data);
                any = true;
            }
        }
        nb_strbuf_addc(&b, ')');
    }
    text = nb_strbuf_finish(q->arena, &b);
    NB_NEED(text.data && table);
    return nb_raise(err, cond, "partitionList", text.data, "tableName", table, NULL);
}

/* "p, q" */
static const char *
joined(nb_query *q, const nb_str *names, int n, const char *between)
{
    const char *text = "";

    for (int i = 0; i < n && text; i++) {
        text = nb_arena_printf(q->arena, "%s%s%.*s", text, i ? between : "", (int)names[i].len,
                               names[i].data);
    }
    return text ? text : "";
}

static bool
is_whole(const nb_table_def *t, const nb_str *values)
{
    for (int i = 0; i < t->n_partition_by; i++) {
        if (!values[i].data) {
            return false;
        }
    }
    return true;
}

static nb_status
path_of(nb_query *q, const nb_table_def *t, nb_str directory, const char **out, nb_error *err)
{
    *out = nb_arena_printf(q->arena, "%.*s/%.*s", (int)t->location.len, t->location.data,
                           (int)directory.len, directory.data);
    NB_NEED(*out);
    return nb_allowed_check(*out, err);
}

static nb_status
add(nb_query *q, const nb_table_def *t, const nb_sql_statement *s, nb_error *err)
{
    const char *path;
    nb_str *values, directory;

    for (int pass = 0; pass < 2; pass++) { /* all, or none */
        for (const nb_sql_statement *at = s; at; at = at->inner) {
            NB_TRY(nb_partition_spec(q, t, at, &values, err));
            if (!is_whole(t, values)) {
                return nb_raise(err, NB_COND_PARTITION_SPEC_INCOMPLETE, "specKeys",
                                joined(q, at->partitioning.parts, (int)at->partitioning.n, ", "),
                                "partitionColumnNames",
                                joined(q, t->partition_by, t->n_partition_by, ", "), "tableName",
                                name_of_table(q, t), NULL);
            }
            NB_TRY(nb_partition_directory(q, t, values, &directory));
            NB_TRY(path_of(q, t, directory, &path, err));
            if (pass == 1) {
                NB_TRY(nb_make_dirs(path, err));
            } else if (nb_path_is_dir(path) && !s->if_not_exists) {
                return raise_for_specs(q, t, at, NB_COND_PARTITIONS_ALREADY_EXIST, err);
            }
        }
    }
    return NB_OK;
}

static nb_status
drop(nb_query *q, const nb_table_def *t, const nb_sql_statement *s, nb_error *err)
{
    const char *path;
    nb_str *values, directory;

    for (int pass = 0; pass < 2; pass++) {
        for (const nb_sql_statement *at = s; at; at = at->inner) {
            bool there;
            NB_TRY(nb_partition_spec(q, t, at, &values, err));
            NB_TRY(nb_partition_directory(q, t, values, &directory));
            NB_TRY(path_of(q, t, directory, &path, err));
            there = is_whole(t, values) && nb_path_is_dir(path);
            if (!there && !s->if_exists && pass == 0) { /* one may be named twice */
                return raise_for_specs(q, t, s, NB_COND_PARTITIONS_NOT_FOUND, err);
            }
            if (there && pass == 1) {
                NB_TRY(nb_remove_tree(path, err));
            }
        }
    }
    return NB_OK;
}

/* Their files go; the directories stay. */
static nb_status
truncate_some(nb_query *q, const nb_table_def *t, const nb_sql_statement *s, nb_error *err)
{
    nb_str *values;
    found f;

    NB_TRY(nb_partition_spec(q, t, s, &values, err));
    NB_TRY(find(q, t, values, &f, err));
    for (int i = 0; i < f.n; i++) {
        const char *path;
        NB_TRY(path_of(q, t, f.names[i], &path, err));
        NB_TRY(nb_remove_tree(path, err));
        NB_TRY(nb_make_dirs(path, err));
    }
    return NB_OK;
}

/* The statement's table; a view, or a name of nothing, is refused as these statements do it. */
static nb_status
need_table(nb_query *q, const nb_sql_statement *s, const nb_table_def **out, nb_error *err)
{
    const nb_view_def *views = nb_catalog_views(q->session->catalog);
    bool cs = nb_config_bool(q->config, NB_CONF_CASE_SENSITIVE);
    nb_object_name name = {.name = nb_sql_name_last(&s->name)};
    nb_error missing = NB_ERROR_INIT;
    nb_status st = nb_table_need(q, s->name.parts, s->name.n, out, &missing);
    char *quoted;

    nb_error_clear(&missing);
    if (st != NB_ERROR) {
        return st;
    }
    NB_TRY(nb_backquote(q->analyzer, s->name.parts, (int)s->name.n, &quoted));
    if (s->name.n == 1 && nb_view_find(views, name, NB_VIEW_TEMPORARY, cs)) {
        return nb_raise(
            err, NB_COND_EXPECT_TABLE_NOT_VIEW_NO_ALTERNATIVE, "viewName", quoted, "operation",
            s->kind == NB_SQL_SHOW_PARTITIONS ? "SHOW PARTITIONS" : "ALTER TABLE", NULL);
    }
    return nb_raise(err, NB_COND_TABLE_OR_VIEW_NOT_FOUND, "searchPath", nb_search_path(q, 1),
                    "relationName", quoted, NULL);
}

nb_status
nb_partition_statement(nb_query *q, const nb_sql_statement *s, nb_table **out, nb_error *err)
{
    static const char *const names[] = {"partition"};
    const nb_table_def *t;
    nb_str *values;
    found f;

    NB_TRY(need_table(q, s, &t, err));
    if (t->n_partition_by == 0 && s->kind == NB_SQL_SHOW_PARTITIONS) {
        return nb_raise(err, NB_COND_PARTITION_SCHEMA_IS_EMPTY, "name", name_of_table(q, t), NULL);
    }
    if (t->n_partition_by == 0) {
        return nb_raise(err, NB_COND_PARTITIONS_OF_PLAIN_TABLE, "action",
                        s->kind == NB_SQL_ADD_PARTITION    ? "ALTER TABLE ADD PARTITION"
                        : s->kind == NB_SQL_DROP_PARTITION ? "ALTER TABLE DROP PARTITION"
                                                           : "TRUNCATE TABLE ... PARTITION",
                        "tableName", nb_arena_strdup(q->arena, t->name), NULL);
    }
    switch (s->kind) {
    case NB_SQL_ADD_PARTITION: return add(q, t, s, err);
    case NB_SQL_DROP_PARTITION: return drop(q, t, s, err);
    case NB_SQL_TRUNCATE_TABLE: return truncate_some(q, t, s, err);
    default: break;
    }
    NB_TRY(nb_partition_spec(q, t, s, &values, err));
    NB_TRY(find(q, t, values, &f, err));
    return nb_table_of_texts(q->pool, names, 1, f.names, f.n, out);
}
