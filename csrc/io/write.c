/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write.c: the commit protocol of df.write.
 *
 *   begin    target checked against the mode; <path>/_temporary/0 made
 *   tasks    each writes its files below it, under their final relative names
 *   commit   overwrite: the old files (of dynamic overwriting: those of the partitions that were written) are set aside, into
 *            _temporary; every new file is renamed into place; _SUCCESS is
 *            written; _temporary goes. When a step fails, those before are undone.
 *   abort    _temporary goes, and the target too when this job made it
 *
 * Until commit readers see the old data whole: names that begin with '_' are skipped by every reader. Nothing is deleted before all tasks have
 * closed their files without an error, a full disk included.
 */
#include "io/format.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/config.h"
#include "expr/registry.h"
#include "io/allowed.h"

#define MAX_OPEN_FILES 100

struct nb_write_job {
    nb_pool *pool;
    nb_arena *arena;
    const nb_format *format;
    void *payload;
    const char *extension;
    nb_save_mode mode;
    nb_session_info info;
    char *path, *staging;
    char *attempts; /* where attempts of other processes write; NULL: there are none */
    char uuid[40];
    bool made_target;
    char *aside;              /* where old files wait until the new ones are in place */
    struct moved_file *moved; /* what commit has put in place, the latest first */
    const nb_type *schema;
    int n_data, n_partition;
    int *data_columns, *partition_columns; /* positions in schema */
    const char **partition_names;          /* escaped */
    int64_t max_records;
    bool dynamic;            /* overwrite takes away only the partitions that are written */
    atomic_int first_opened; /* has partition 0 written a file? */
};

typedef struct moved_file {
    struct moved_file *before;
    char path[];
} moved_file;

/* One open file; with partitionBy there is one per directory. */
typedef struct open_file {
    struct nb_file_writer *fw;
    char *dir; /* "a=1/b=2", or "" */
    size_t dir_bytes;
    int counter; /* c000 … */
    int64_t rows;
    uint64_t used;
} open_file;

struct nb_write_task {
    nb_write_job *job;
    int partition;
    nb_arena *scratch;
    open_file *files;
    int n_files, cap;
    uint64_t clock;
    bool wrote;
};

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

static bool
remove_if_empty(const char *dir)
{
    return rmdir(dir) == 0 || errno == ENOENT || errno == ENOTEMPTY || errno == EEXIST;
}

/* One try; whether nothing of ours is left. Directories of other jobs stay, unless this job's output is all that counts. */
static bool
try_remove_temporary(nb_write_job *job)
{
    nb_strbuf b = {0};
    bool gone = false;

    nb_strbuf_addf(&b, "%s/_temporary", job->path);
    if (!b.failed && job->mode == NB_SAVE_OVERWRITE) {
        gone = nb_remove_tree(b.data, NULL) == NB_OK;
    } else if (!b.failed) {
        size_t len = b.len;

        nb_strbuf_adds(&b, "/0");
        gone = !b.failed && nb_remove_tree(job->staging, NULL) == NB_OK && remove_if_empty(b.data);
        b.data[len] = 0;
        gone = gone && remove_if_empty(b.data);
    }
    nb_strbuf_free(&b);
    return gone;
}

/* What stays all the same is seen by no reader. */
static void
remove_temporary(nb_write_job *job)
{
    if (!try_remove_temporary(job)) {
        try_remove_temporary(job);
    }
}

/* ---- begin -------------------------------------------------------------------------------------------------------------------- */

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

/* The job as it follows from the request alone. */
static nb_status
job_new(nb_pool *pool, const nb_write_request *rq, nb_write_job **out, nb_error *err)
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

nb_status
nb_write_begin(nb_pool *pool, const nb_write_request *rq, nb_write_job **out, nb_error *err)
{
    nb_write_job *job;
    nb_status st;
    bool exists, is_dir;

    *out = NULL;
    NB_TRY(job_new(pool, rq, &job, err));
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
        st = nb_remove_tree(job->path, err); /* a file stands where the directory goes */
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
            remove_temporary(job);
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

/* ---- tasks -------------------------------------------------------------------------------------------------------------------- */

nb_status
nb_write_task_open(nb_write_job *job, int partition, nb_write_task **out, nb_error *err)
{
    nb_write_task *task = nb_pool_zalloc(job->pool, sizeof(*task));

    if (task == NULL || (task->scratch = nb_arena_new(job->pool)) == NULL) {
        nb_pool_dealloc(job->pool, task, sizeof(*task));
        return NB_NOMEM;
    }
    task->job = job;
    task->partition = partition;
    *out = task;
    return NB_OK;
}

/* The directories of path below root, which must be there: a job that is over is not brought back. */
static nb_status
make_dirs_below(const char *root, char *path, nb_error *err)
{
    for (char *at = path + strlen(root) + 1;; at++) {
        char c = *at;

        if (c != '/' && c != 0) {
            continue;
        }
        *at = 0;
        NB_TRY(nb_allowed_check(path, err));
        if (mkdir(path, 0777) != 0 && errno != EEXIST) {
            return nb_raise_errno(err, "mkdir", path, errno);
        }
        *at = c;
        if (c == 0) {
            return NB_OK;
        }
    }
}

static nb_status
open_one(nb_write_task *task, open_file *f, nb_error *err)
{
    nb_write_job *job = task->job;
    nb_strbuf b = {0};
    nb_status st = NB_OK;

    nb_strbuf_addf(&b, "%s%s%s", job->staging, f->dir[0] ? "/" : "", f->dir);
    if (f->dir[0] && !b.failed) {
        st = make_dirs_below(job->staging, b.data, err);
    }
    nb_strbuf_addf(&b, "/part-%05d-%s%cc%03d%s", task->partition, job->uuid,
                   job->n_partition ? '.' : '-', f->counter, job->extension);
    if (b.failed) {
        st = NB_NOMEM;
    }
    if (st == NB_OK) {
        st = job->format->file_open(job->pool, job->payload, b.data, &f->fw, err);
    }
    nb_strbuf_free(&b);
    f->rows = 0;
    task->wrote = true;
    if (task->partition == 0) {
        atomic_store(&job->first_opened, 1);
    }
    return st;
}

static nb_status
close_one(nb_write_task *task, open_file *f, nb_error *err)
{
    struct nb_file_writer *fw = f->fw;

    f->fw = NULL;
    f->counter++;
    return fw ? task->job->format->file_close(fw, err) : NB_OK;
}

/* The open file of a directory. Beyond MAX_OPEN_FILES the one that was used longest ago is closed; should its directory come again, it gets
 * another file. */
static nb_status
file_of(nb_write_task *task, const char *dir, open_file **out, nb_error *err)
{
    open_file *f = NULL;
    int n_open = 0, oldest = -1;

    for (int i = 0; i < task->n_files; i++) {
        if (strcmp(task->files[i].dir, dir) == 0) {
            f = &task->files[i];
            break;
        }
    }
    if (f == NULL) {
        if (task->n_files == task->cap) {
            int cap = task->cap ? task->cap * 2 : 4;
            open_file *files =
                nb_pool_realloc(task->job->pool, task->files, (size_t)task->cap * sizeof(*files),
                                (size_t)cap * sizeof(*files));
            if (files == NULL) {
                return NB_NOMEM;
            }
            task->files = files;
            task->cap = cap;
        }
        f = &task->files[task->n_files];
        *f = (open_file){.dir_bytes = strlen(dir) + 1};
        f->dir = nb_pool_alloc(task->job->pool, f->dir_bytes);
        if (f->dir == NULL) {
            return NB_NOMEM;
        }
        memcpy(f->dir, dir, f->dir_bytes);
        task->n_files++;
    }
    f->used = ++task->clock;
    if (f->fw == NULL) {
        for (int i = 0; i < task->n_files; i++) {
            if (task->files[i].fw != NULL) {
                n_open++;
                if (oldest < 0 || task->files[i].used < task->files[oldest].used) {
                    oldest = i;
                }
            }
        }
        if (n_open >= MAX_OPEN_FILES) {
            NB_TRY(close_one(task, &task->files[oldest], err));
        }
        NB_TRY(open_one(task, f, err));
    }
    *out = f;
    return NB_OK;
}

/* Rows of dense columns into one directory's file, a new file every max_records rows. */
static nb_status
push_rows(nb_write_task *task, const char *dir, const nb_vector *cols, int64_t n, nb_error *err)
{
    nb_write_job *job = task->job;
    const nb_vector **ptrs = NB_ARENA_ARRAY(task->scratch, const nb_vector *, job->n_data + 1);
    nb_vector *part = NB_ARENA_ARRAY(task->scratch, nb_vector, job->n_data + 1);
    int64_t done = 0;
    open_file *f;

    if (ptrs == NULL || part == NULL) {
        return NB_NOMEM;
    }
    while (done < n) {
        int64_t k = n - done;
        NB_TRY(file_of(task, dir, &f, err));
        if (job->max_records > 0) {
            if (f->rows >= job->max_records) {
                NB_TRY(close_one(task, f, err));
                continue;
            }
            k = NB_MIN(k, job->max_records - f->rows);
        }
        for (int j = 0; j < job->n_data; j++) {
            ptrs[j] = &cols[j];
            if (done > 0 || k < n) {
                NB_TRY(nb_vector_slice(task->scratch, &cols[j], done, k, &part[j]));
                ptrs[j] = &part[j];
            }
        }
        NB_TRY(job->format->file_push(f->fw, ptrs, k, task->scratch, err));
        f->rows += k;
        done += k;
    }
    return NB_OK;
}

/* Directory names of all rows: "a=1/b=x". */
static nb_status
row_dirs(nb_write_task *task, nb_batch *batch, const char ***out, nb_error *err)
{
    nb_write_job *job = task->job;
    const char **dirs = NB_ARENA_ARRAY(task->scratch, const char *, batch->n_rows);
    nb_vector *texts = NB_ARENA_ARRAY(task->scratch, nb_vector, job->n_partition);
    nb_kernel_ctx ctx = {.arena = task->scratch, .info = &job->info, .err = err};
    nb_strbuf b = {0}, last = {0};
    nb_status st = NB_OK;

    if (dirs == NULL || texts == NULL) {
        return NB_NOMEM;
    }
    for (int k = 0; k < job->n_partition; k++) {
        const nb_vector *v;
        nb_vector text;
        NB_TRY(nb_batch_column(batch, job->partition_columns[k], &v));
        if (nb_type_is_string(v->type)) {
            text = *v;
        } else {
            NB_TRY(nb_cast_vector(&ctx, v, nb_type_of(NB_TYPE_STRING), NB_CAST_ANSI, &text));
        }
        NB_TRY(nb_vector_flatten(task->scratch, &text, &texts[k]));
    }
    for (int64_t i = 0; i < batch->n_rows && st == NB_OK; i++) {
        b.len = 0;
        for (int k = 0; k < job->n_partition; k++) {
            nb_strbuf_addf(&b, "%s%s=", k ? "/" : "", job->partition_names[k]);
            if (nb_vector_is_null(&texts[k], i) || NB_DATA(nb_view, &texts[k])[i].len == 0) {
                nb_strbuf_adds(&b, NB_NULL_PARTITION);
            } else {
                nb_partition_escape(&b, nb_view_str(&NB_DATA(nb_view, &texts[k])[i]));
            }
        }
        if (i > 0 && !b.failed && nb_str_equal(nb_strbuf_str(&b), nb_strbuf_str(&last))) {
            dirs[i] = dirs[i - 1];
            continue;
        }
        dirs[i] = nb_arena_strdup(task->scratch, nb_strbuf_str(&b));
        last.len = 0;
        nb_strbuf_add(&last, nb_strbuf_str(&b));
        st = dirs[i] && !b.failed && !last.failed ? NB_OK : NB_NOMEM;
    }
    nb_strbuf_free(&b);
    nb_strbuf_free(&last);
    *out = dirs;
    return st;
}

nb_status
nb_write_task_push(nb_write_task *task, nb_batch *batch, nb_error *err)
{
    nb_write_job *job = task->job;
    nb_vector *cols, *some;
    const char **dirs;
    uint32_t *rows;
    bool *taken;

    nb_arena_reset(task->scratch);
    if (batch->n_rows == 0) {
        return NB_OK;
    }
    cols = NB_ARENA_ARRAY(task->scratch, nb_vector, job->n_data + 1);
    if (cols == NULL) {
        return NB_NOMEM;
    }
    for (int j = 0; j < job->n_data; j++) {
        const nb_vector *v;
        NB_TRY(nb_batch_column(batch, job->data_columns[j], &v));
        cols[j] = *v;
    }
    if (job->n_partition == 0) {
        return push_rows(task, "", cols, batch->n_rows, err);
    }
    NB_TRY(row_dirs(task, batch, &dirs, err));
    rows = NB_ARENA_ARRAY(task->scratch, uint32_t, batch->n_rows);
    taken = nb_arena_zalloc(task->scratch, (size_t)batch->n_rows);
    some = NB_ARENA_ARRAY(task->scratch, nb_vector, job->n_data + 1);
    if (rows == NULL || taken == NULL || some == NULL) {
        return NB_NOMEM;
    }
    for (int64_t i = 0; i < batch->n_rows; i++) {
        int64_t n = 0;
        if (taken[i]) {
            continue;
        }
        for (int64_t k = i; k < batch->n_rows; k++) {
            if (!taken[k] && (dirs[k] == dirs[i] || strcmp(dirs[k], dirs[i]) == 0)) {
                taken[k] = true;
                rows[n++] = (uint32_t)k;
            }
        }
        for (int j = 0; j < job->n_data; j++) {
            NB_TRY(nb_vector_gather(task->scratch, &cols[j], rows, n, &some[j]));
        }
        NB_TRY(push_rows(task, dirs[i], some, n, err));
    }
    return NB_OK;
}

static void
free_task(nb_write_task *task)
{
    nb_pool *pool = task->job->pool;

    for (int i = 0; i < task->n_files; i++) {
        if (task->files[i].fw) {
            task->job->format->file_abort(task->files[i].fw);
        }
        nb_pool_dealloc(pool, task->files[i].dir, task->files[i].dir_bytes);
    }
    if (task->files) {
        nb_pool_dealloc(pool, task->files, (size_t)task->cap * sizeof(*task->files));
    }
    nb_arena_free(task->scratch);
    nb_pool_dealloc(pool, task, sizeof(*task));
}

nb_status
nb_write_task_close(nb_write_task *task, nb_error *err)
{
    nb_status st = NB_OK;
    open_file *f;

    /* The first partition leaves a file even when it had no rows, so that the output has a schema to be read by. */
    if (task->partition == 0 && !task->wrote && task->job->n_partition == 0) {
        st = file_of(task, "", &f, err);
    }
    for (int i = 0; i < task->n_files && st == NB_OK; i++) {
        st = close_one(task, &task->files[i], err);
    }
    free_task(task);
    return st;
}

void
nb_write_task_abort(nb_write_task *task)
{
    if (task != NULL) {
        free_task(task);
    }
}

/* ---- commit ------------------------------------------------------------------------------------------------------------------- */

static nb_status
join_path(nb_strbuf *b, const char *dir, const char *rel, const char *name)
{
    b->len = 0;
    nb_strbuf_addf(b, "%s%s%s%s", dir, rel, name[0] ? "/" : "", name);
    return b->failed ? NB_NOMEM : NB_OK;
}

/* Room for the note that a file is in place is had before the file is moved: so undo knows all of them. */
static nb_status
note_moved(nb_write_job *job, const nb_strbuf *path)
{
    moved_file *m = nb_arena_alloc(job->arena, sizeof(*m) + path->len + 1);

    if (m == NULL) {
        return NB_NOMEM;
    }
    memcpy(m->path, path->data, path->len + 1);
    m->before = job->moved;
    job->moved = m;
    return NB_OK;
}

/* Moves the files below source/rel to target/rel. */
static nb_status
move_tree(nb_write_job *job, const char *source, const char *target, const char *rel, nb_error *err)
{
    nb_strbuf from = {0}, to = {0}, below = {0};
    struct dirent *entry;
    bool exists, is_dir;
    int failed = 0;
    nb_status st;
    DIR *d = NULL;

    NB_TRY_GOTO(st, join_path(&from, source, rel, ""), done);
    d = opendir(from.data);
    if (d == NULL) {
        st = nb_raise_errno(err, "list", from.data, errno);
        goto done;
    }
    while (st >= 0 && (entry = nb_dir_next(d, &failed)) != NULL) {
        NB_TRY_GOTO(st, join_path(&from, source, rel, entry->d_name), done);
        NB_TRY_GOTO(st, join_path(&to, target, rel, entry->d_name), done);
        NB_TRY_GOTO(st, nb_path_look(from.data, &exists, &is_dir, err), done);
        if (is_dir) {
            NB_TRY_GOTO(st, join_path(&below, rel, "", entry->d_name), done);
            NB_TRY_GOTO(st, nb_allowed_check(to.data, err), done);
            NB_TRY_GOTO(st, nb_make_dirs(to.data, err), done);
            st = move_tree(job, source, target, below.data, err);
        } else {
            if (target == job->path) {
                NB_TRY_GOTO(st, note_moved(job, &to), done);
            }
            if (rename(from.data, to.data) != 0) {
                st = nb_raise_errno(err, "rename", to.data, errno);
            } else if (nb_str_starts_with(nb_str_of(entry->d_name), NB_STR("part-00000-"))) {
                atomic_store(&job->first_opened, 1);
            }
        }
    }
    if (failed) {
        st = nb_raise_errno(err, "list", from.data, failed);
    }
done:
    if (d != NULL) {
        closedir(d);
    }
    nb_strbuf_free(&from);
    nb_strbuf_free(&to);
    nb_strbuf_free(&below);
    return st;
}

/* Moves the entries of one directory to another, all but _temporary. */
static nb_status
move_entries(const char *from_dir, const char *to_dir, nb_error *err)
{
    DIR *d = opendir(from_dir);
    struct dirent *entry;
    nb_strbuf from = {0}, to = {0};
    nb_status st = NB_OK;
    int failed = 0;

    if (d == NULL) {
        return nb_raise_errno(err, "list", from_dir, errno);
    }
    while (st == NB_OK && (entry = nb_dir_next(d, &failed)) != NULL) {
        if (strcmp(entry->d_name, "_temporary") == 0) {
            continue;
        }
        NB_TRY_GOTO(st, join_path(&from, from_dir, "", entry->d_name), done);
        NB_TRY_GOTO(st, join_path(&to, to_dir, "", entry->d_name), done);
        if (rename(from.data, to.data) != 0) {
            st = nb_raise_errno(err, "rename", from.data, errno);
        }
    }
    if (failed) {
        st = nb_raise_errno(err, "list", from_dir, failed);
    }
done:
    closedir(d);
    nb_strbuf_free(&from);
    nb_strbuf_free(&to);
    return st;
}

/* Moves directories from one tree to another: those that hold files in `like`, where from_dir has them. */
static nb_status
move_partitions(const char *like, const char *from_dir, const char *to_dir, const char *rel,
                nb_error *err)
{
    nb_strbuf path = {0}, to = {0}, below = {0};
    bool exists, is_dir, holds_files = false;
    struct dirent *entry;
    int failed = 0;
    nb_status st;
    DIR *d = NULL;

    NB_TRY_GOTO(st, join_path(&path, like, rel, ""), done);
    d = opendir(path.data);
    if (d == NULL) {
        st = nb_raise_errno(err, "list", path.data, errno);
        goto done;
    }
    while (st >= 0 && (entry = nb_dir_next(d, &failed)) != NULL) {
        NB_TRY_GOTO(st, join_path(&path, like, rel, entry->d_name), done);
        NB_TRY_GOTO(st, nb_path_look(path.data, &exists, &is_dir, err), done);
        if (is_dir) {
            NB_TRY_GOTO(st, join_path(&below, rel, "", entry->d_name), done);
            st = move_partitions(like, from_dir, to_dir, below.data, err);
        }
        holds_files |= !is_dir;
    }
    if (failed) {
        st = nb_raise_errno(err, "list", like, failed);
    }
    if (st == NB_OK && holds_files) {
        NB_TRY_GOTO(st, join_path(&path, from_dir, rel, ""), done);
        NB_TRY_GOTO(st, nb_path_look(path.data, &exists, &is_dir, err), done);
        if (exists) {
            NB_TRY_GOTO(st, join_path(&to, to_dir, rel, ""), done);
            NB_TRY_GOTO(st, nb_make_dirs(to.data, err), done); /* those above it, too */
            if (rename(path.data, to.data) != 0) {
                st = nb_raise_errno(err, "rename", path.data, errno);
            }
        }
    }
done:
    if (d != NULL) {
        closedir(d);
    }
    nb_strbuf_free(&path);
    nb_strbuf_free(&to);
    nb_strbuf_free(&below);
    return st;
}

/* Puts back what was there before: as far as the file system lets it. */
static void
undo(nb_write_job *job)
{
    for (moved_file *m = job->moved; m != NULL; m = m->before) {
        char *slash;

        unlink(m->path);
        /* directories of partitions that are empty now */
        while ((slash = strrchr(m->path, '/')) != NULL &&
               strlen(job->path) < (size_t)(slash - m->path)) {
            *slash = 0;
            if (rmdir(m->path) != 0) {
                break;
            }
        }
    }
    job->moved = NULL;
    if (!nb_path_is_dir(job->aside)) {
        return;
    }
    if (job->dynamic) {
        move_partitions(job->aside, job->aside, job->path, "", NULL);
    } else {
        move_entries(job->aside, job->path, NULL);
    }
}

/* An old one may stay. */
static nb_status
write_success(nb_write_job *job, nb_error *err)
{
    nb_strbuf b = {0};
    nb_file *file;
    bool exists, is_dir;
    nb_status st;

    NB_TRY_GOTO(st, join_path(&b, job->path, "", "_SUCCESS"), done);
    NB_TRY_GOTO(st, nb_path_look(b.data, &exists, &is_dir, err), done);
    if (!exists) {
        NB_TRY_GOTO(st, note_moved(job, &b), done);
        NB_TRY_GOTO(st, nb_file_create(job->pool, b.data, &file, err), done);
        st = nb_file_finish(file, err);
    }
done:
    nb_strbuf_free(&b);
    return st;
}

static nb_status
put_in_place(nb_write_job *job, nb_error *err)
{
    if (job->mode == NB_SAVE_OVERWRITE && !job->made_target) {
        NB_TRY(nb_make_dirs(job->aside, err));
        NB_TRY(job->dynamic ? move_partitions(job->staging, job->path, job->aside, "", err)
                            : move_entries(job->path, job->aside, err));
    }
    NB_TRY(move_tree(job, job->staging, job->path, "", err));
    return write_success(job, err);
}

nb_status
nb_write_commit(nb_write_job *job, nb_error *err)
{
    nb_write_task *task;
    nb_status st;

    if (job->attempts != NULL) {
        NB_TRY(nb_remove_tree(job->attempts, err));
    }
    if (job->n_partition == 0 && !atomic_load(&job->first_opened)) {
        NB_TRY(nb_write_task_open(job, 0, &task, err));
        NB_TRY(nb_write_task_close(task, err));
    }
    st = put_in_place(job, err);
    if (st < 0) {
        undo(job);
        return st;
    }
    remove_temporary(job);
    nb_arena_free(job->arena);
    return NB_OK;
}

void
nb_write_abort(nb_write_job *job)
{
    if (job == NULL) {
        return;
    }
    remove_temporary(job);
    if (job->made_target) {
        rmdir(job->path);
    }
    nb_arena_free(job->arena);
}

/* ---- tasks in other processes -------------------------------------------------------------------------------------------------- */

nb_status
nb_write_share(nb_write_job *job, nb_error *err)
{
    job->attempts = nb_arena_printf(job->arena, "%s/_attempts", job->staging);
    if (job->attempts == NULL) {
        return NB_NOMEM;
    }
    return mkdir(job->attempts, 0777) == 0 ? NB_OK
                                           : nb_raise_errno(err, "mkdir", job->attempts, errno);
}

const char *
nb_write_job_uuid(const nb_write_job *job)
{
    return job->uuid;
}

static bool
plain_name(nb_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool ok =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-' || (c == '.' && i > 0);

        if (!ok) {
            return false;
        }
    }
    return name.len > 0 && name.len < 64;
}

nb_status
nb_write_accept(nb_write_job *job, nb_str label, nb_error *err)
{
    nb_strbuf from = {0};
    nb_status st;

    if (job->attempts == NULL || !plain_name(label)) {
        return nb_raise_internal(err, "an attempt to write that was not asked for");
    }
    nb_strbuf_addf(&from, "%s/%.*s", job->attempts, (int)label.len, label.data);
    st = from.failed ? NB_NOMEM : move_tree(job, from.data, job->staging, "", err);
    nb_strbuf_free(&from);
    return st;
}

nb_status
nb_write_attach(nb_pool *pool, const nb_write_request *rq, nb_str uuid, nb_str label,
                nb_write_job **out, nb_error *err)
{
    nb_write_job *job;
    nb_status st = NB_OK;

    if (!plain_name(uuid) || uuid.len >= sizeof(job->uuid) || !plain_name(label)) {
        return nb_raise_internal(err, "a job to write without a proper name");
    }
    NB_TRY(job_new(pool, rq, &job, err));
    memcpy(job->uuid, uuid.data, uuid.len);
    job->staging = nb_arena_printf(job->arena, "%s/_temporary/0/%s/_attempts/%.*s", job->path,
                                   job->uuid, (int)label.len, label.data);
    if (job->staging == NULL) {
        st = NB_NOMEM;
    } else if (mkdir(job->staging, 0777) != 0) {
        st = nb_raise_errno(err, "mkdir", job->staging, errno);
    }
    if (st < 0) {
        nb_arena_free(job->arena);
        return st;
    }
    *out = job;
    return NB_OK;
}

void
nb_write_detach(nb_write_job *job, bool keep)
{
    if (job != NULL) {
        if (!keep) {
            nb_remove_tree(job->staging, NULL);
        }
        nb_arena_free(job->arena);
    }
}
