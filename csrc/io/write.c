/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write.c: a job that writes, from its request to its first task: columns, options, target and staging directory.
 *
 *   begin    target checked against the mode; <path>/_temporary/0 made
 *   tasks    (write_task.c) each writes its files below it, under their final relative names
 *   commit   (write_commit.c) files are put in place; nothing is deleted before all tasks have closed their files without an error
 */
#include "io/write_internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"

static void
make_uuid(char *out)
{
    uint8_t b[16];

    if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b)) {
        memset(b, 0, sizeof(b));
    }
    b[6] = (uint8_t)((b[6] & 15) | 0x40);
    b[8] = (uint8_t)((b[8] & 63) | 0x80);
    snprintf(out, 40, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
             b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

static nb_status
split_columns(nb_write_job *job, const nb_write_request *rq, const nb_type **data_schema,
              nb_error *err)
{
    const nb_type *schema = rq->schema;
    nb_field *fields = NB_ARENA_ARRAY(job->arena, nb_field, schema->n_children + 1);

    job->data_columns = NB_ARENA_ARRAY(job->arena, int, schema->n_children + 1);
    job->partition_columns = NB_ARENA_ARRAY(job->arena, int, rq->n_partition_by + 1);
    job->partition_names = NB_ARENA_ARRAY(job->arena, const char *, rq->n_partition_by + 1);
    if (fields == NULL || job->data_columns == NULL || job->partition_columns == NULL ||
        job->partition_names == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < rq->n_partition_by; k++) {
        nb_str want = rq->partition_by[k];
        nb_strbuf b = {0};
        int at = -1;
        for (int i = 0; i < schema->n_children; i++) {
            if (nb_str_equal_nocase(schema->children[i].name, want)) {
                at = i;
            }
        }
        if (at < 0) {
            const char *text = nb_type_simple_string(job->arena, schema);
            return nb_raise(err, NB_COND_PARTITION_COLUMN_NOT_FOUND_IN_SCHEMA, "col",
                            nb_arena_printf(job->arena, "%.*s", (int)want.len, want.data),
                            "schemaCatalog", text ? text : "", NULL);
        }
        nb_partition_escape(&b, schema->children[at].name);
        job->partition_names[k] = nb_strbuf_finish(job->arena, &b).data;
        if (job->partition_names[k] == NULL) {
            return NB_NOMEM;
        }
        if (schema->children[at].type->phys == NB_PHYS_LIST ||
            schema->children[at].type->phys == NB_PHYS_STRUCT) {
            const char *text = nb_type_sql(job->arena, schema->children[at].type);
            return nb_raise(err, NB_COND_INVALID_PARTITION_COLUMN_DATA_TYPE, "type",
                            nb_arena_printf(job->arena, "\"%s\"", text ? text : ""), NULL);
        }
        job->partition_columns[job->n_partition++] = at;
    }
    for (int i = 0; i < schema->n_children; i++) {
        bool partition = false;
        for (int k = 0; k < job->n_partition; k++) {
            partition |= job->partition_columns[k] == i;
        }
        if (!partition) {
            fields[job->n_data] = schema->children[i];
            job->data_columns[job->n_data++] = i;
        }
    }
    if (job->n_partition > 0 && job->n_data == 0) {
        return nb_raise(err, NB_COND_ALL_PARTITION_COLUMNS_NOT_ALLOWED, NULL);
    }
    *data_schema = nb_type_struct(fields, job->n_data);
    return *data_schema ? NB_OK : NB_NOMEM;
}

static nb_status
check_types(nb_write_job *job, const nb_type *data, nb_error *err)
{
    for (int i = 0; job->format->supports && i < data->n_children; i++) {
        const nb_field *f = &data->children[i];
        if (!job->format->supports(f->type, true)) {
            const char *sql = nb_type_sql(job->arena, f->type);
            return nb_raise(
                err, NB_COND_UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE, "format", job->format->title,
                "columnName", nb_arena_printf(job->arena, "`%.*s`", (int)f->name.len, f->name.data),
                "columnType", nb_arena_printf(job->arena, "\"%s\"", sql ? sql : ""), NULL);
        }
    }
    return NB_OK;
}

static nb_status
max_records(nb_write_job *job, const nb_write_request *rq, nb_error *err)
{
    nb_option setting = {.key = NB_STR("maxRecordsPerFile")};

    NB_TRY(nb_option_to_int(rq->options, rq->n_options, "maxRecordsPerFile", 0, &job->max_records,
                            err));
    if (nb_option_find(rq->options, rq->n_options, "maxRecordsPerFile").data == NULL && rq->info &&
        rq->info->config) {
        nb_config_get(rq->info->config, NB_STR("spark.sql.files.maxRecordsPerFile"),
                      &setting.value);
        return nb_option_to_int(&setting, 1, "maxRecordsPerFile", 0, &job->max_records, err);
    }
    return NB_OK;
}

static nb_status
check_names(nb_write_job *job, const nb_write_request *rq, nb_error *err)
{
    if (rq->schema->n_children == 0) {
        return nb_raise(err, NB_COND_EMPTY_SCHEMA_NOT_SUPPORTED, "format", job->format->title,
                        NULL);
    }
    NB_TRY(nb_check_names(job->arena, rq->partition_by, rq->n_partition_by, false, err));
    return job->format->takes_same_names
               ? NB_OK
               : nb_check_field_names(job->arena, rq->schema, rq->info, err);
}

static void
overwrite_mode(nb_write_job *job, const nb_write_request *rq)
{
    nb_str v = nb_option_find(rq->options, rq->n_options, "partitionOverwriteMode");

    if (v.data == NULL) {
        v = nb_config_str(rq->info ? rq->info->config : NULL, NB_CONF_PARTITION_OVERWRITE);
    }
    job->dynamic = rq->mode == NB_SAVE_OVERWRITE && job->n_partition > 0 &&
                   nb_str_equal_nocase(v, NB_STR("DYNAMIC"));
}

nb_status
nb_write_job_new(nb_pool *pool, const nb_write_request *rq, nb_write_job **out, nb_error *err)
{
    const nb_format *format = nb_format_find(rq->format);
    nb_arena *arena = nb_arena_new(pool);
    nb_write_job *job = arena ? NB_ARENA_NEW(arena, nb_write_job) : NULL;
    const nb_type *data = NULL;
    nb_write_request copy = *rq;
    nb_option *options;
    nb_str path;
    nb_status st;

    if (job == NULL) {
        nb_arena_free(arena);
        return NB_NOMEM;
    }
    job->pool = pool;
    job->arena = arena;
    job->format = format;
    job->mode = rq->mode;
    job->schema = rq->schema;
    if (rq->info) {
        job->info = *rq->info;
    }
    if (format == NULL) {
        char *name = nb_arena_strdup(arena, rq->format);
        st = nb_raise(err, NB_COND_DATA_SOURCE_NOT_FOUND, "provider", name ? name : "", NULL);
        goto failed;
    }
    if (format->write_open == NULL) {
        st = nb_raise_unsupported(err, "Writing %s", format->title);
        goto failed;
    }
    /* The request's options may be gone while tasks still write. */
    options = NB_ARENA_ARRAY(arena, nb_option, rq->n_options + 1);
    for (int i = 0; options && i < rq->n_options; i++) {
        options[i].key = nb_arena_str(arena, rq->options[i].key);
        options[i].value = rq->options[i].value.data ? nb_arena_str(arena, rq->options[i].value)
                                                     : (nb_str){NULL, 0};
    }
    if (options == NULL) {
        st = NB_NOMEM;
        goto failed;
    }
    copy.options = options;
    copy.info = rq->info ? &job->info : NULL;
    NB_TRY_GOTO(st, nb_path_plain(arena, rq->path, &path, err), failed);
    job->path = (char *)path.data;
    NB_TRY_GOTO(st, check_names(job, rq, err), failed);
    NB_TRY_GOTO(st, split_columns(job, rq, &data, err), failed);
    NB_TRY_GOTO(st, check_types(job, data, err), failed);
    NB_TRY_GOTO(st, max_records(job, rq, err), failed);
    overwrite_mode(job, rq);
    if (rq->only.data) {
        job->only = nb_arena_printf(arena, "/%.*s", (int)rq->only.len, rq->only.data);
        job->dynamic = false;
        NB_TRY_GOTO(st, job->only ? NB_OK : NB_NOMEM, failed);
    }
    NB_TRY_GOTO(st, format->write_open(arena, &copy, data, &job->payload, &job->extension, err),
                failed);
    *out = job;
    return NB_OK;
failed:
    nb_arena_free(arena);
    return st;
}

/* Whatever lies on the way to a new path must be a directory. */
static nb_status
check_parents(nb_write_job *job, nb_error *err)
{
    size_t len = strlen(job->path);
    char *part = nb_arena_strdup(job->arena, (nb_str){job->path, len});

    if (part == NULL) {
        return NB_NOMEM;
    }
    for (size_t i = len; i > 0; i--) {
        struct stat found;
        bool cut = i == len || part[i] == '/';

        part[i] = cut ? 0 : part[i];
        if (cut && stat(part, &found) == 0) {
            return S_ISDIR(found.st_mode)
                       ? NB_OK
                       : nb_raise(err, NB_COND_PARENT_NOT_DIRECTORY, "path",
                                  nb_path_message(job->arena, nb_str_of(part)), NULL);
        }
    }
    return NB_OK;
}

static nb_status
make_staging(nb_write_job *job, bool exists, nb_error *err)
{
    nb_error fault = NB_ERROR_INIT;
    nb_status st = nb_make_dirs(job->staging, &fault);
    char cwd[PATH_MAX], *text;

    if (st != NB_ERROR) {
        return st;
    }
    nb_error_clear(&fault);
    if (exists && job->mode == NB_SAVE_OVERWRITE && access(job->path, W_OK) != 0) {
        return nb_raise(err, NB_COND_CANNOT_CLEAR_OUTPUT, "staticPrefixPath",
                        nb_path_message(job->arena, nb_str_of(job->path)), NULL);
    }
    text = nb_arena_printf(
        job->arena,
        "java.io.IOException: Mkdirs failed to create file:%s (exists=false, cwd=file:%s)",
        job->staging, getcwd(cwd, sizeof(cwd)) ? cwd : "/");
    return text ? nb_raise(err, NB_COND_JOB_ABORTED, "message", text, NULL) : NB_NOMEM;
}

/* A device or socket is not what anybody wants replaced by a directory. */
static nb_status
remove_file(const char *path, nb_error *err)
{
    struct stat s;

    return lstat(path, &s) == 0 && (S_ISREG(s.st_mode) || S_ISLNK(s.st_mode))
               ? nb_remove_tree(path, err)
               : nb_raise_errno(err, "replace", path, ENOTDIR);
}

nb_status
nb_write_begin(nb_pool *pool, const nb_write_request *rq, nb_write_job **out, nb_error *err)
{
    nb_write_job *job;
    nb_status st;
    bool exists, is_dir;

    *out = NULL;
    NB_TRY(nb_write_job_new(pool, rq, &job, err));
    NB_TRY_GOTO(st, nb_path_look(job->path, &exists, &is_dir, err), failed);
    if (exists && rq->mode == NB_SAVE_ERROR_IF_EXISTS) {
        st = nb_raise(err, NB_COND_PATH_ALREADY_EXISTS, "outputPath",
                      nb_path_message(job->arena, nb_str_of(job->path)), NULL);
        goto failed;
    }
    if (exists && rq->mode == NB_SAVE_IGNORE) {
        nb_arena_free(job->arena);
        return NB_OK;
    }
    make_uuid(job->uuid);
    job->staging = nb_arena_printf(job->arena, "%s/_temporary/0/%s", job->path, job->uuid);
    job->aside = nb_arena_printf(job->arena, "%s/_temporary/%s", job->path, job->uuid);
    st = job->staging && job->aside ? NB_OK : NB_NOMEM;
    if (st == NB_OK && exists && !is_dir && rq->mode == NB_SAVE_OVERWRITE) {
        st = remove_file(job->path, err); /* a file stands where the directory goes */
        exists = false;
    }
    if (st == NB_OK) {
        st = check_parents(job, err);
    }
    if (st == NB_OK) {
        job->made_target = !exists;
        st = make_staging(job, exists, err);
    }
    if (st < 0) {
        if (job->staging && job->aside && (job->made_target || is_dir)) {
            nb_write_remove_temporary(job);
        }
        if (job->made_target) {
            rmdir(job->path);
        }
        goto failed;
    }
    *out = job;
    return NB_OK;
failed:
    nb_arena_free(job->arena);
    return st;
}

const int *
nb_write_partition_columns(const nb_write_job *job, int *n)
{
    *n = job->n_partition;
    return job->partition_columns;
}
