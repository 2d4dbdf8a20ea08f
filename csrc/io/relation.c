/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relation.c: formats by name, options, and relations over files.
 *
 * The files are listed and partition columns found once, when the relation is opened; a scan reads what was there then.
 */
#include "io/format.h"

#include "base/ascii.h"
#include "base/config.h"
#include "expr/date_text.h"
#include "base/log.h"
#include "expr/registry.h"

#include <stdlib.h>
#include <unistd.h>

static const struct {
    const nb_format *format;
    const char *names;
} FORMATS[] = {
#define NB_FORMAT(id, names) {&nb_format_##id, names},
#include "io/formats.def"
#undef NB_FORMAT
};

const nb_format *
nb_format_find(nb_str name)
{
    for (size_t i = 0; i < NB_COUNT_OF(FORMATS); i++) {
        const char *p = FORMATS[i].names;
        while (*p) {
            size_t n = strcspn(p, "|");
            if (nb_str_equal_nocase(name, (nb_str){p, n})) {
                return FORMATS[i].format;
            }
            p += n + (p[n] == '|');
        }
    }
    return NULL;
}

nb_str
nb_option_find(const nb_option *options, int n, const char *key)
{
    for (int i = n - 1; i >= 0; i--) {
        if (nb_str_equal_nocase(options[i].key, nb_str_of(key))) {
            return options[i].value;
        }
    }
    return (nb_str){NULL, 0};
}

nb_status
nb_option_bool(const nb_option *options, int n, const char *key, bool otherwise, bool *out,
               nb_error *err)
{
    nb_str v = nb_option_find(options, n, key);

    *out = otherwise;
    if (v.data != NULL && !nb_str_to_bool(v, out)) {
        return nb_raise(err, NB_COND_OPTION_FLAG, "paramName", key, NULL);
    }
    return NB_OK;
}

/* Raises a condition with one parameter that is a text of the user's. */
static nb_status
raise_value(nb_error *err, nb_condition cond, const char *name, nb_str value, const char *name_2,
            const char *value_2)
{
    nb_strbuf b = {0};

    nb_strbuf_add(&b, value);
    nb_raise(err, cond, name, b.data && !b.failed ? b.data : "", name_2, value_2, NULL);
    nb_strbuf_free(&b);
    return NB_ERROR;
}

nb_status
nb_option_to_bool(const nb_option *options, int n, const char *key, bool otherwise, bool *out,
                  nb_error *err)
{
    nb_str v = nb_option_find(options, n, key);
    nb_strbuf b = {0};

    *out = otherwise;
    if (v.data == NULL || nb_str_to_bool(v, out)) {
        return NB_OK;
    }
    nb_strbuf_addf(&b, "For input string: \"%.*s\"", (int)v.len, v.data);
    nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message", b.data ? b.data : key, NULL);
    nb_strbuf_free(&b);
    return NB_ERROR;
}

nb_status
nb_option_to_int(const nb_option *options, int n, const char *key, int64_t otherwise, int64_t *out,
                 nb_error *err)
{
    nb_str v = nb_option_find(options, n, key);

    *out = otherwise;
    return v.data == NULL || nb_str_to_int64(v, out)
               ? NB_OK
               : raise_value(err, NB_COND_NUMBER_FORMAT, "value", v, NULL, NULL);
}

nb_status
nb_option_int(const nb_option *options, int n, const char *key, int64_t otherwise, int64_t *out,
              nb_error *err)
{
    nb_str v = nb_option_find(options, n, key);

    *out = otherwise;
    if (v.data != NULL && (!nb_str_to_int64(v, out) || *out > INT32_MAX || *out < INT32_MIN)) {
        return raise_value(err, NB_COND_OPTION_INTEGER, "value", v, "paramName", key);
    }
    return NB_OK;
}

nb_status
nb_option_ratio(const nb_option *options, int n, const char *key, double *out, nb_error *err)
{
    nb_str v = nb_str_trim(nb_option_find(options, n, key));
    char text[64], *end;

    *out = 1.0;
    if (v.data == NULL) {
        return NB_OK;
    }
    if (v.len == 0 || v.len >= sizeof(text)) {
        return raise_value(err, NB_COND_NUMBER_FORMAT, "value", v, NULL, NULL);
    }
    memcpy(text, v.data, v.len);
    text[v.len] = '\0';
    *out = strtod(text, &end);
    if (*end != '\0') {
        return raise_value(err, NB_COND_NUMBER_FORMAT, "value", v, NULL, NULL);
    }
    if (!(*out > 0)) {
        nb_strbuf b = {0};
        nb_strbuf_addf(&b, "requirement failed: %s (%s%s) should be greater than 0", key, text,
                       strchr(text, '.') ? "" : ".0");
        nb_raise(err, NB_COND_ILLEGAL_ARGUMENT, "message", b.data ? b.data : key, NULL);
        nb_strbuf_free(&b);
        return NB_ERROR;
    }
    return NB_OK;
}

nb_parse_mode
nb_option_mode(const nb_option *options, int n)
{
    nb_str v = nb_option_find(options, n, "mode");

    return nb_str_equal_nocase(v, NB_STR("DROPMALFORMED")) ? NB_PARSE_DROPMALFORMED
           : nb_str_equal_nocase(v, NB_STR("FAILFAST"))    ? NB_PARSE_FAILFAST
                                                           : NB_PARSE_PERMISSIVE;
}

static nb_status
copy_options(nb_relation *rel, const nb_option *options, int n)
{
    nb_option *copy = NB_ARENA_ARRAY(rel->arena, nb_option, NB_MAX(n, 1));

    if (copy == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        copy[i].key = nb_arena_str(rel->arena, options[i].key);
        copy[i].value =
            options[i].value.data ? nb_arena_str(rel->arena, options[i].value) : (nb_str){NULL, 0};
        if (copy[i].key.data == NULL ||
            (options[i].value.data != NULL && copy[i].value.data == NULL)) {
            return NB_NOMEM;
        }
    }
    rel->options = copy;
    rel->n_options = n;
    return NB_OK;
}

static nb_status
read_tolerance(nb_relation *rel, const nb_session_info *info, nb_error *err)
{
    const nb_config *config = info ? info->config : NULL;

    NB_TRY(nb_option_to_bool(rel->options, rel->n_options, "ignoreMissingFiles",
                             nb_config_bool(config, NB_CONF_IGNORE_MISSING_FILES),
                             &rel->ignore_missing, err));
    return nb_option_to_bool(rel->options, rel->n_options, "ignoreCorruptFiles",
                             nb_config_bool(config, NB_CONF_IGNORE_CORRUPT_FILES),
                             &rel->ignore_corrupt, err);
}

bool
nb_relation_skips(const nb_relation *rel, nb_status st, nb_error *err)
{
    bool skip = st == NB_ERROR && err != NULL &&
                ((rel->ignore_missing && err->condition == NB_COND_PATH_NOT_FOUND) ||
                 (rel->ignore_corrupt && err->condition == NB_COND_FAILED_READ_FILE));

    if (skip) {
        nb_log(NB_LOG_WARN, "files", "skipped: %s", err->message ? err->message : "");
        nb_error_clear(err);
    }
    return skip;
}

/* "2020-06-01T13:00:00", a date with a time in the session's zone; seconds since the epoch by the civil calendar. */
static bool
parse_instant(nb_str s, int64_t *us)
{
    int f[6] = {0, 1, 1, 0, 0, 0};
    int n = 0;
    size_t i = 0;

    while (i < s.len && n < 6) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return false;
        }
        f[n] = 0;
        while (i < s.len && s.data[i] >= '0' && s.data[i] <= '9' && f[n] < 100000) {
            f[n] = f[n] * 10 + (s.data[i++] - '0');
        }
        n++;
        i += i < s.len;
    }
    if (n < 3 || f[1] < 1 || f[1] > 12 || f[2] < 1 || f[2] > 31) {
        return false;
    }
    int64_t days = nb_days_from_any_civil(f[0], f[1], f[2]);
    *us = ((days * 24 + f[3]) * 60 + f[4]) * 60000000 + (int64_t)f[5] * 1000000;
    return true;
}

static nb_status
instant_option(const nb_relation *rel, const char *key, int64_t otherwise, int64_t *out,
               nb_error *err)
{
    nb_str v = nb_option_find(rel->options, rel->n_options, key);

    *out = otherwise;
    if (v.data != NULL && !parse_instant(v, out)) {
        return raise_value(err, NB_COND_FILTER_INSTANT, "timeString", v, "strategy", key);
    }
    return NB_OK;
}

static nb_status
find_files(nb_relation *rel, const nb_read_request *request, nb_error *err)
{
    nb_list_request list = {.n_paths = request->n_paths, .paths = request->paths};
    bool unused;
    nb_str one;

    list.glob_filter = nb_option_find(rel->options, rel->n_options, "pathGlobFilter");
    list.base_path = nb_option_find(rel->options, rel->n_options, "basePath");
    NB_TRY(nb_option_to_bool(rel->options, rel->n_options, "recursiveFileLookup", false,
                             &list.recursive, err));
    NB_TRY(
        nb_option_to_bool(rel->options, rel->n_options, "ignoreCorruptFiles", false, &unused, err));
    NB_TRY(
        nb_option_to_bool(rel->options, rel->n_options, "ignoreMissingFiles", false, &unused, err));
    NB_TRY(instant_option(rel, "modifiedafter", INT64_MIN, &list.modified_after_us, err));
    NB_TRY(instant_option(rel, "modifiedbefore", INT64_MAX, &list.modified_before_us, err));
    if (list.n_paths == 0) {
        one = nb_option_find(rel->options, rel->n_options, "path");
        if (one.data == NULL) {
            return nb_raise(err, NB_COND_UNABLE_TO_INFER_SCHEMA, "format", rel->format->title,
                            NULL);
        }
        list.paths = &one;
        list.n_paths = 1;
    }
    NB_TRY(nb_list_files(rel->arena, &list, &rel->files, err));
    for (int i = 0; i < rel->files.n_files; i++) {
        rel->n_bytes += rel->files.files[i].n_bytes;
    }
    return NB_OK;
}

static int
field_index(const nb_type *schema, nb_str name)
{
    for (int i = 0; i < schema->n_children; i++) {
        if (nb_str_equal_nocase(schema->children[i].name, name)) {
            return i;
        }
    }
    return -1;
}

/* The user's schema without partition columns is what the files hold. */
static nb_status
split_schema(nb_relation *rel, const nb_type *given)
{
    nb_field *fields = NB_ARENA_ARRAY(rel->arena, nb_field, NB_MAX(given->n_children, 1));
    int n = 0;

    if (fields == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < given->n_children; i++) {
        bool partition = false;
        for (int k = 0; k < rel->files.n_partition; k++) {
            partition |=
                nb_str_equal_nocase(given->children[i].name, rel->files.partition_names[k]);
        }
        if (!partition) {
            fields[n] = given->children[i];
            fields[n].nullable = true;
            n++;
        }
    }
    rel->data_schema = nb_type_struct(fields, n);
    return rel->data_schema ? NB_OK : NB_NOMEM;
}

static nb_status
raise_partition_value(nb_relation *rel, int i, nb_str value, nb_error *err)
{
    nb_str name = rel->files.partition_names[i];
    const char *sql = nb_type_sql(rel->arena, rel->partition_types[i]);
    char *type = nb_arena_printf(rel->arena, "\"%s\"", sql ? sql : "");
    char *quoted = nb_arena_printf(rel->arena, "'%.*s'", (int)value.len, value.data);
    char *column = nb_arena_printf(rel->arena, "`%.*s`", (int)name.len, name.data);

    nb_error_clear(err);
    return type && quoted && column ? nb_raise(err, NB_COND_INVALID_PARTITION_VALUE, "value",
                                               quoted, "dataType", type, "columnName", column, NULL)
                                    : NB_NOMEM;
}

static nb_status
partition_constants(nb_relation *rel, const nb_session_info *info, nb_error *err)
{
    int n = rel->files.n_partition;
    nb_kernel_ctx ctx = {.arena = rel->arena, .info = info, .err = err};

    rel->partition_values =
        NB_ARENA_ARRAY(rel->arena, nb_vector, (size_t)NB_MAX(n * rel->files.n_files, 1));
    if (rel->partition_values == NULL) {
        return NB_NOMEM;
    }
    for (int f = 0; f < rel->files.n_files; f++) {
        for (int i = 0; i < n; i++) {
            nb_str raw = rel->files.files[f].partition[i];
            nb_vector *v = &rel->partition_values[f * n + i], text;
            const nb_type *type = rel->partition_types[i];
            if (raw.data == NULL) {
                NB_TRY(nb_vector_const_null(rel->arena, type, 1, v));
                continue;
            }
            NB_TRY(nb_vector_alloc(rel->arena, nb_type_of(NB_TYPE_STRING), 1, &text));
            NB_DATA(nb_view, &text)[0] = nb_view_make(raw.data, raw.len);
            text.kind = NB_VEC_CONST;
            if (nb_type_is_string(type)) {
                *v = text;
                v->type = type;
            } else {
                nb_status st = nb_cast_vector(&ctx, &text, type, NB_CAST_ANSI, v);
                if (st < 0) {
                    return st == NB_ERROR ? raise_partition_value(rel, i, raw, err) : st;
                }
                v->kind = NB_VEC_CONST;
            }
        }
    }
    return NB_OK;
}

/* Data columns, then partition columns (a partition column that the files have too stays at its place, with the directory's value).
 * typed: a schema that says of what type partition columns are; NULL: they are inferred. */
static nb_status
join_schema(nb_relation *rel, const nb_type *typed, const nb_session_info *info, nb_error *err)
{
    const nb_type *data = rel->data_schema;
    int n = 0, np = rel->files.n_partition;
    int cap = data->n_children + np + NB_N_FILE_COLUMNS;
    nb_field *fields = NB_ARENA_ARRAY(rel->arena, nb_field, cap);

    rel->source_of = NB_ARENA_ARRAY(rel->arena, int, cap);
    rel->partition_types = NB_ARENA_ARRAY(rel->arena, const nb_type *, np + 1);
    if (fields == NULL || rel->source_of == NULL || rel->partition_types == NULL) {
        return NB_NOMEM;
    }
    bool infer = nb_config_bool(info ? info->config : NULL, NB_CONF_PARTITION_INFERENCE);

    for (int i = 0; i < np; i++) {
        int at = typed ? field_index(typed, rel->files.partition_names[i]) : -1;
        rel->partition_types[i] = at >= 0 ? typed->children[at].type
                                  : infer ? nb_partition_infer(&rel->files, i)
                                          : nb_type_of(NB_TYPE_STRING);
    }
    for (int i = 0; i < data->n_children; i++) {
        fields[n] = data->children[i];
        rel->source_of[n] = i;
        for (int k = 0; k < np; k++) {
            if (nb_str_equal_nocase(rel->files.partition_names[k], fields[n].name)) {
                rel->source_of[n] = ~k;
                fields[n].type = rel->partition_types[k];
            }
        }
        n++;
    }
    for (int k = 0; k < np; k++) {
        if (field_index(data, rel->files.partition_names[k]) < 0) {
            fields[n] = (nb_field){.name = rel->files.partition_names[k],
                                   .type = rel->partition_types[k],
                                   .nullable = true};
            rel->source_of[n++] = ~k;
        }
    }
    rel->schema = nb_type_struct(fields, n);
    if (!nb_file_fields(rel->format->numbers_rows, fields + n)) {
        return NB_NOMEM;
    }
    for (int k = 0; k < NB_N_FILE_COLUMNS; k++) {
        rel->source_of[n++] = ~(np + k);
    }
    rel->columns = nb_type_struct(fields, n);
    if (rel->schema == NULL || rel->columns == NULL) {
        return NB_NOMEM;
    }
    return partition_constants(rel, info, err);
}

static int
compare_names(const void *a, const void *b)
{
    return nb_str_compare(*(const nb_str *)a, *(const nb_str *)b);
}

nb_status
nb_check_names(nb_arena *arena, const nb_str *names, int n, bool case_sensitive, nb_error *err)
{
    nb_str *sorted = NB_ARENA_ARRAY(arena, nb_str, n + 1);

    if (sorted == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        char *text = nb_arena_strdup(arena, names[i]);
        if (text == NULL) {
            return NB_NOMEM;
        }
        for (size_t k = 0; k < names[i].len && !case_sensitive; k++) {
            text[k] = nb_to_lower(text[k]);
        }
        sorted[i] = (nb_str){text, names[i].len};
    }
    if (n > 1) {
        qsort(sorted, (size_t)n, sizeof(*sorted), compare_names);
    }
    for (int i = 1; i < n; i++) {
        if (nb_str_equal(sorted[i - 1], sorted[i])) {
            char *quoted = nb_arena_printf(arena, "`%.*s`", (int)sorted[i].len, sorted[i].data);
            return quoted ? nb_raise(err, NB_COND_COLUMN_ALREADY_EXISTS, "columnName", quoted, NULL)
                          : NB_NOMEM;
        }
    }
    return NB_OK;
}

nb_status
nb_check_field_names(nb_arena *arena, const nb_type *schema, const nb_session_info *info,
                     nb_error *err)
{
    nb_str *names = NB_ARENA_ARRAY(arena, nb_str, schema->n_children + 1);

    if (names == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < schema->n_children; i++) {
        names[i] = schema->children[i].name;
    }
    return nb_check_names(
        arena, names, schema->n_children,
        info && info->config && nb_config_bool(info->config, NB_CONF_CASE_SENSITIVE), err);
}

static nb_status
check_types(const nb_relation *rel, nb_error *err)
{
    for (int i = 0; rel->format->supports && i < rel->data_schema->n_children; i++) {
        const nb_field *f = &rel->data_schema->children[i];
        if (!rel->format->supports(f->type, false)) {
            const char *sql = nb_type_sql(rel->arena, f->type);
            return nb_raise(
                err, NB_COND_UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE, "format", rel->format->title,
                "columnName", nb_arena_printf(rel->arena, "`%.*s`", (int)f->name.len, f->name.data),
                "columnType", nb_arena_printf(rel->arena, "\"%s\"", sql ? sql : ""), NULL);
        }
    }
    return NB_OK;
}

static nb_status
relation_new(nb_pool *pool, const nb_format *format, nb_relation **out)
{
    nb_arena *arena = nb_arena_new(pool);
    nb_relation *rel = arena ? NB_ARENA_NEW(arena, nb_relation) : NULL;

    if (rel == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    atomic_init(&rel->refs, 1);
    rel->pool = pool;
    rel->arena = arena;
    rel->format = format;
    rel->n_rows = -1;
    *out = rel;
    return NB_OK;
}

nb_status
nb_relation_open(nb_pool *pool, const nb_read_request *request, nb_relation **out, nb_error *err)
{
    const nb_format *format = nb_format_find(request->format);
    nb_relation *rel;
    nb_status st;

    if (format == NULL) {
        nb_strbuf b = {0};
        nb_strbuf_add(&b, request->format);
        nb_raise(err, NB_COND_DATA_SOURCE_NOT_FOUND, "provider", b.data ? b.data : "", NULL);
        nb_strbuf_free(&b);
        return NB_ERROR;
    }
    NB_TRY(relation_new(pool, format, &rel));
    rel->given = request->schema != NULL;
    NB_TRY_GOTO(st, copy_options(rel, request->options, request->n_options), failed);
    NB_TRY_GOTO(st, read_tolerance(rel, request->info, err), failed);
    NB_TRY_GOTO(st, find_files(rel, request, err), failed);
    if (request->schema != NULL) {
        NB_TRY_GOTO(st, nb_check_field_names(rel->arena, request->schema, request->info, err),
                    failed);
        NB_TRY_GOTO(st, split_schema(rel, request->schema), failed);
    }
    NB_TRY_GOTO(st, format->open(rel, request, err), failed);
    if (rel->data_schema == NULL) {
        st = nb_raise(err, NB_COND_UNABLE_TO_INFER_SCHEMA, "format", format->title, NULL);
        goto failed;
    }
    NB_TRY_GOTO(st, check_types(rel, err), failed);
    NB_TRY_GOTO(st, join_schema(rel, request->schema, request->info, err), failed);
    *out = rel;
    return NB_OK;
failed:
    nb_relation_release(rel);
    return st;
}

/* ---- for other processes ------------------------------------------------------------------------------------------------------- */

nb_relation_parts
nb_relation_parts_of(const nb_relation *rel)
{
    return (nb_relation_parts){
        .format = nb_relation_format(rel),
        .options = rel->options,
        .n_options = rel->n_options,
        .files = &rel->files,
        .data_schema = rel->data_schema,
        .schema = rel->schema,
        .metadata = rel->columns->children[rel->schema->n_children + NB_FILE_METADATA].type,
        .given = rel->given,
    };
}

static bool
copy_str(nb_arena *arena, nb_str *s)
{
    if (s->data != NULL) {
        *s = nb_arena_str(arena, *s);
        return s->data != NULL;
    }
    return true;
}

static nb_status
copy_files(nb_relation *rel, const nb_file_list *from)
{
    nb_file_list *to = &rel->files;
    bool ok = true;

    to->files = NB_ARENA_ARRAY(rel->arena, nb_file_entry, from->n_files + 1);
    to->partition_names = NB_ARENA_ARRAY(rel->arena, nb_str, from->n_partition + 1);
    if (to->files == NULL || to->partition_names == NULL) {
        return NB_NOMEM;
    }
    to->n_partition = from->n_partition;
    for (int k = 0; k < from->n_partition; k++) {
        to->partition_names[k] = from->partition_names[k];
        ok &= copy_str(rel->arena, &to->partition_names[k]);
    }
    for (int f = 0; f < from->n_files && ok; f++) {
        nb_file_entry *entry = &to->files[to->n_files++];

        *entry = from->files[f];
        entry->partition = NB_ARENA_ARRAY(rel->arena, nb_str, from->n_partition + 1);
        ok &= copy_str(rel->arena, &entry->path) && copy_str(rel->arena, &entry->url) &&
              entry->partition != NULL;
        for (int k = 0; k < from->n_partition && ok; k++) {
            entry->partition[k] = from->files[f].partition[k];
            ok &= copy_str(rel->arena, &entry->partition[k]);
        }
        rel->n_bytes += entry->n_bytes;
    }
    return ok ? NB_OK : NB_NOMEM;
}

/* A struct of from's fields, those at n places with other types; a place below 0 or behind the last: none. */
static const nb_type *
with_types(nb_arena *arena, const nb_type *from, const int *places, const nb_type *const *types,
           int n)
{
    nb_field *fields = NB_ARENA_ARRAY(arena, nb_field, from->n_children + 1);

    if (fields == NULL) {
        return NULL;
    }
    if (from->n_children > 0) {
        memcpy(fields, from->children, sizeof(nb_field) * (size_t)from->n_children);
    }
    for (int i = 0; i < n; i++) {
        if (places[i] >= 0 && places[i] < from->n_children) {
            fields[places[i]].type = types[i];
        }
    }
    return nb_type_struct(fields, from->n_children);
}

/* _metadata with these of its fields only. */
static nb_status
take_metadata(nb_relation *rel, const nb_type *wanted, nb_error *err)
{
    int at = rel->schema->n_children + NB_FILE_METADATA;
    const nb_type *all = rel->columns->children[at].type;

    if (wanted->id != NB_TYPE_STRUCT) {
        return nb_raise_internal(err, "_metadata is no struct");
    }
    for (int i = 0; i < wanted->n_children; i++) {
        int k = field_index(all, wanted->children[i].name);
        if (k < 0 || !nb_str_equal(all->children[k].name, wanted->children[i].name) ||
            all->children[k].type != wanted->children[i].type) {
            return nb_raise_internal(err, "no such field of _metadata");
        }
    }
    rel->columns = with_types(rel->arena, rel->columns, &at, &wanted, 1);
    return rel->columns ? NB_OK : NB_NOMEM;
}

nb_status
nb_relation_restore(nb_pool *pool, const nb_relation_parts *parts, const nb_session_info *info,
                    nb_relation **out, nb_error *err)
{
    const nb_format *format = nb_format_find(parts->format);
    nb_read_request request = {.format = parts->format,
                               .options = parts->options,
                               .n_options = parts->n_options,
                               .schema = parts->given ? parts->schema : NULL,
                               .info = info,
                               .n_threads = 1};
    nb_relation *rel;
    nb_status st;

    if (format == NULL) {
        return nb_raise_internal(err, "a relation of an unknown format");
    }
    NB_TRY(relation_new(pool, format, &rel));
    rel->given = parts->given;
    rel->data_schema = parts->data_schema;
    NB_TRY_GOTO(st, copy_options(rel, parts->options, parts->n_options), failed);
    NB_TRY_GOTO(st, read_tolerance(rel, info, err), failed);
    NB_TRY_GOTO(st, copy_files(rel, parts->files), failed);
    NB_TRY_GOTO(st, format->open(rel, &request, err), failed);
    NB_TRY_GOTO(st, check_types(rel, err), failed);
    NB_TRY_GOTO(st, join_schema(rel, parts->schema, info, err), failed);
    if (rel->schema != parts->schema) {
        st = nb_raise_internal(err, "the columns of a relation are not what they were");
        goto failed;
    }
    NB_TRY_GOTO(st, take_metadata(rel, parts->metadata, err), failed);
    *out = rel;
    return NB_OK;
failed:
    nb_relation_release(rel);
    return st;
}

bool
nb_relation_reads_fields(const nb_relation *rel)
{
    return rel->format->reads_fields;
}

nb_status
nb_relation_narrow(nb_relation *rel, nb_arena *arena, const int *columns,
                   const nb_type *const *types, int n, nb_relation **out)
{
    nb_relation *narrow = NB_ARENA_NEW(arena, nb_relation);
    int *sources = NB_ARENA_ARRAY(arena, int, n + 1);

    if (narrow == NULL || sources == NULL) {
        return NB_NOMEM;
    }
    for (int i = 0; i < n; i++) {
        sources[i] = rel->source_of[columns[i]];
    }
    *narrow = *rel;
    atomic_init(&narrow->refs, 1); /* never given back: it goes with the arena */
    narrow->arena = arena;
    narrow->schema = with_types(arena, rel->schema, columns, types, n);
    narrow->columns = with_types(arena, rel->columns, columns, types, n);
    narrow->data_schema = with_types(arena, rel->data_schema, sources, types, n);
    if (narrow->schema == NULL || narrow->columns == NULL || narrow->data_schema == NULL) {
        return NB_NOMEM;
    }
    *out = narrow;
    return NB_OK;
}

void
nb_relation_set_share(nb_relation *rel, nb_scan_share share)
{
    rel->share = share;
}

nb_relation *
nb_relation_ref(nb_relation *rel)
{
    atomic_fetch_add(&rel->refs, 1);
    return rel;
}

void
nb_relation_release(nb_relation *rel)
{
    if (rel != NULL && atomic_fetch_sub(&rel->refs, 1) == 1) {
        if (rel->format->close) {
            rel->format->close(rel);
        }
        if (rel->kept_fd > 0) {
            close(rel->kept_fd);
        }
        nb_arena_free(rel->arena);
    }
}

bool
nb_relation_is_private(const nb_relation *rel)
{
    return rel->kept_fd > 0;
}

const nb_type *
nb_relation_schema(const nb_relation *rel)
{
    return rel->schema;
}

const nb_type *
nb_relation_columns(const nb_relation *rel)
{
    return rel->columns;
}

nb_str
nb_relation_format(const nb_relation *rel)
{
    for (size_t i = 0; i < NB_COUNT_OF(FORMATS); i++) {
        if (FORMATS[i].format == rel->format) {
            return (nb_str){FORMATS[i].names, strcspn(FORMATS[i].names, "|")};
        }
    }
    return NB_STR("");
}

int64_t
nb_relation_bytes(const nb_relation *rel)
{
    return rel->n_bytes;
}

void
nb_relation_column_stats(const nb_relation *rel, int column, nb_column_stats *out)
{
    *out = (nb_column_stats){.distinct = -1, .n_nulls = -1};
    if (rel->source_of[column] >= 0 && rel->format->column_stats) {
        rel->format->column_stats(rel, rel->source_of[column], out);
    }
}

/* Where files may be left out, or are another task's, they say nothing of the rows that are read. */
void
nb_relation_column_bounds(const nb_relation *rel, int column, nb_column_bounds *out)
{
    *out = (nb_column_bounds){0};
    if (rel->source_of[column] >= 0 && rel->format->column_bounds && rel->share.n == 0 &&
        !rel->ignore_missing && !rel->ignore_corrupt) {
        rel->format->column_bounds(rel, rel->source_of[column], out);
    }
}

int64_t
nb_relation_rows(const nb_relation *rel)
{
    return rel->n_rows;
}

int
nb_relation_n_files(const nb_relation *rel)
{
    return rel->files.n_files;
}

nb_str
nb_relation_file(const nb_relation *rel, int i)
{
    return rel->files.files[i].url;
}

nb_status
nb_relation_scan(nb_relation *rel, nb_pool *pool, const nb_scan_request *request, nb_source **out,
                 nb_error *err)
{
    return rel->format->scan(rel, pool, request, out, err);
}

nb_status
nb_relation_partitions(nb_relation *rel, nb_pool *pool, const nb_session_info *info, int n_threads,
                       int *out, nb_error *err)
{
    nb_scan_request request = {.limit = -1, .n_threads = n_threads, .info = info};
    nb_source *source;

    NB_TRY(nb_relation_scan(rel, pool, &request, &source, err));
    *out = source->n_partitions;
    source->ops->free(source);
    return NB_OK;
}

/* The values of a share, behind those of all shares before; *apart false: some are not, or nothing is known of them. */
static nb_status
join_share(nb_relation *share, nb_pool *pool, const nb_scan_request *request, nb_morsel_range *all,
           bool *apart, nb_error *err)
{
    nb_arena *arena = nb_arena_new(pool);
    nb_morsel_range *ranges = NULL;
    nb_source *source = NULL;
    nb_status st = arena ? NB_OK : NB_NOMEM;
    int64_t n = 0;

    if (st == NB_OK) {
        st = nb_relation_scan(share, pool, request, &source, err);
    }
    *apart = st == NB_OK && source->ops->ranges != NULL;
    if (*apart) {
        st = source->ops->ranges(source, 0, arena, &ranges, &n);
        *apart = st == NB_OK && (ranges != NULL || n == 0);
    }
    for (int64_t i = 0; *apart && ranges != NULL && i < n; i++) {
        *apart = !ranges[i].has_nulls && (i > 0 || all->n_rows == 0 || ranges[i].low > all->high);
        all->high = ranges[i].high;
        all->n_rows += ranges[i].n_rows;
    }
    if (source != NULL) {
        source->ops->free(source);
    }
    nb_arena_free(arena);
    return st;
}

nb_status
nb_relation_shares_apart(const nb_relation *rel, nb_pool *pool, const nb_session_info *info,
                         int column, int n, int n_threads, bool *out, nb_error *err)
{
    nb_relation share = *rel; /* for the time of a call */
    nb_scan_request request = {
        .columns = &column, .n_columns = 1, .limit = -1, .n_threads = n_threads, .info = info};
    nb_morsel_range all = {0};

    *out = true;
    for (int i = 0; i < n && *out; i++) {
        share.share = (nb_scan_share){.index = i, .n = n};
        NB_TRY(join_share(&share, pool, &request, &all, out, err));
    }
    return NB_OK;
}

/* ---- Spark partitions --------------------------------------------------------------------------------------------------------- */

/* Settings of no bytes shall not give splits without end. */
#define MIN_SPLIT (4LL << 10)

static int
compare_splits(const void *pa, const void *pb)
{
    const nb_file_split *a = pa, *b = pb;
    int64_t na = a->to - a->from, nb = b->to - b->from;

    if (na != nb) {
        return na > nb ? -1 : 1; /* longest first */
    }
    if (a->file != b->file) {
        return a->file < b->file ? -1 : 1; /* Spark's sort is stable */
    }
    return a->from < b->from ? -1 : a->from > b->from;
}

/* The pieces of one task of several. */
static void
take_share(const nb_scan_share *share, int n_partitions, nb_file_split **pieces, int64_t *n)
{
    int64_t from, to;

    if (share->n <= 0) {
        return;
    }
    from = *n * share->index / share->n;
    to = *n * (share->index + 1) / share->n;
    if (share->whole_partitions) {
        int64_t first = (int64_t)n_partitions * share->index / share->n;
        int64_t last = (int64_t)n_partitions * (share->index + 1) / share->n;

        for (from = 0; from < *n && (*pieces)[from].partition < first; from++) {
        }
        for (to = from; to < *n && (*pieces)[to].partition < last; to++) {
        }
    }
    *pieces += from;
    *n = to - from;
}

nb_status
nb_relation_splits(const nb_relation *rel, nb_arena *arena, const nb_session_info *info,
                   int n_threads, bool (*splittable)(const nb_relation *, int file),
                   int64_t morsel_bytes, nb_file_split **out, int64_t *n_out, int *n_partitions)
{
    const nb_config *config = info ? info->config : NULL;
    int64_t open_cost = nb_config_int(config, NB_CONF_OPEN_COST);
    int64_t most = nb_config_int(config, NB_CONF_MAX_PARTITION_BYTES);
    int64_t total = rel->n_bytes + (int64_t)rel->files.n_files * open_cost;
    int64_t set = nb_config_int(config, NB_CONF_DEFAULT_PARALLELISM);
    int64_t parallelism = NB_MAX(set > 0 ? set : n_threads, 1);
    int64_t max_split = NB_MAX(NB_MIN(most, NB_MAX(open_cost, total / parallelism)), MIN_SPLIT);
    int64_t n_splits = 0, n_pieces = 0, size = 0;
    nb_file_split *splits, *pieces;
    int partition = 0;

    for (int f = 0; f < rel->files.n_files; f++) {
        int64_t bytes = rel->files.files[f].n_bytes;
        n_splits += splittable(rel, f) ? bytes / max_split + 1 : 1;
        n_pieces += splittable(rel, f) ? bytes / morsel_bytes + bytes / max_split + 2 : 1;
    }
    splits = NB_ARENA_ARRAY(arena, nb_file_split, n_splits + 1);
    pieces = NB_ARENA_ARRAY(arena, nb_file_split, n_pieces + 1);
    if (splits == NULL || pieces == NULL) {
        return NB_NOMEM;
    }
    n_splits = 0;
    for (int f = 0; f < rel->files.n_files; f++) {
        int64_t bytes = rel->files.files[f].n_bytes;
        if (!splittable(rel, f)) {
            splits[n_splits++] = (nb_file_split){.file = f, .from = 0, .to = bytes};
            continue;
        }
        for (int64_t at = 0; at < bytes; at += max_split) {
            splits[n_splits++] =
                (nb_file_split){.file = f, .from = at, .to = NB_MIN(at + max_split, bytes)};
        }
    }
    if (n_splits > 1) {
        qsort(splits, (size_t)n_splits, sizeof(*splits), compare_splits);
    }
    n_pieces = 0;
    for (int64_t i = 0; i < n_splits; i++) {
        int64_t bytes = splits[i].to - splits[i].from;
        bool whole = !splittable(rel, splits[i].file);
        if (size > 0 && size + bytes > max_split) {
            partition++;
            size = 0;
        }
        size += bytes + open_cost;
        splits[i].partition = partition;
        splits[i].block = splits[i].from;
        splits[i].block_bytes = bytes;
        for (int64_t at = splits[i].from; at == splits[i].from || at < splits[i].to;) {
            nb_file_split *p = &pieces[n_pieces++];
            int64_t left = splits[i].to - at; /* morsel_bytes may be INT64_MAX: no sums with it */
            *p = splits[i];
            p->from = at;
            p->to = whole ? splits[i].to : at + NB_MIN(morsel_bytes, left);
            if (left <= 0 || whole) {
                break;
            }
            at = p->to;
        }
    }
    *n_partitions = n_splits ? partition + 1 : 0;
    if (rel->share.whole_partitions || morsel_bytes < INT64_MAX) {
        take_share(&rel->share, *n_partitions, &pieces, &n_pieces);
    }
    *out = pieces;
    *n_out = n_pieces;
    return NB_OK;
}
